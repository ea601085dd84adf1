//! The modules users see: one per parameter set, with its sizes and its types.

macro_rules! parameter_set {
    ($(#[$doc:meta])* $module:ident, $set:ident) => {
        $(#[$doc])*
        pub mod $module {
            use crate::frontend::{self, $set, ParameterSet};

            /// Bytes of an encoded [`EncapsulationKey`].
            pub const ENCAPSULATION_KEY_SIZE: usize = $set::ENCAPSULATION_KEY_SIZE;
            /// Where in an expanded [`DecapsulationKey`] the encapsulation key begins.
            pub const ENCAPSULATION_KEY_OFFSET: usize = $set::ENCAPSULATION_KEY_OFFSET;
            /// Bytes of an expanded [`DecapsulationKey`]. (Its [`Seed`](crate::Seed) has 64.)
            pub const DECAPSULATION_KEY_SIZE: usize = $set::DECAPSULATION_KEY_SIZE;
            /// Bytes of a [`Ciphertext`].
            pub const CIPHERTEXT_SIZE: usize = $set::CIPHERTEXT_SIZE;

            /// The public key: whoever has it can send its owner a secret.
            pub type EncapsulationKey = frontend::EncapsulationKey<$set>;
            /// The private key: turns ciphertexts into their secrets.
            pub type DecapsulationKey = frontend::DecapsulationKey<$set>;
            /// The private key in its expanded form: bytes, not checked.
            pub type ExpandedDecapsulationKey = frontend::ExpandedDecapsulationKey<$set>;
            /// The public key, for many uses.
            pub type PreparedEncapsulationKey = frontend::PreparedEncapsulationKey<$set>;
            /// The private key, for many uses.
            pub type PreparedDecapsulationKey = frontend::PreparedDecapsulationKey<$set>;
            /// What the sender of a secret transmits.
            pub type Ciphertext = frontend::Ciphertext<$set>;
            /// A ciphertext in memory of the caller's.
            pub type CiphertextRef<'a> = frontend::CiphertextRef<'a, $set>;
            /// The beginning of a public key.
            #[cfg(feature = "incremental")]
            pub type EncapsulationHeader = frontend::EncapsulationHeader<$set>;
            /// An encapsulation that has begun.
            #[cfg(feature = "incremental")]
            pub type EncapsulationState = frontend::EncapsulationState<$set>;
        }
    };
}

parameter_set! {
    /// ML-KEM-512 (FIPS 203, section 8), security category 1.
    ///
    /// The items are those of [`ml_kem_768`](super::ml_kem_768), where an example is, with the sizes of this set.
    ml_kem_512, MlKem512
}
parameter_set! {
    /// ML-KEM-768 (FIPS 203, section 8), security category 3, the usual choice.
    ///
    /// ```
    /// # #[cfg(feature = "getrandom")] {
    /// use kemstone::ml_kem_768::{CiphertextRef, DecapsulationKey, EncapsulationKey};
    ///
    /// # fn main() -> Result<(), kemstone::Error> {
    /// // The receiver makes a key pair and sends the public half.
    /// let decapsulation_key = DecapsulationKey::generate()?;
    /// let sent: &[u8] = decapsulation_key.encapsulation_key().as_bytes();
    ///
    /// // The sender checks it by parsing it, and answers with a ciphertext.
    /// let (ciphertext, senders) = EncapsulationKey::try_from(sent)?.encapsulate()?;
    /// let sent: &[u8] = ciphertext.as_bytes();
    ///
    /// // Now both share a secret.
    /// let receivers = decapsulation_key.decapsulate(CiphertextRef::try_from(sent)?);
    /// assert_eq!(senders, receivers);
    /// # Ok(())
    /// # }
    /// # main().unwrap();
    /// # }
    /// ```
    ml_kem_768, MlKem768
}
parameter_set! {
    /// ML-KEM-1024 (FIPS 203, section 8), security category 5.
    ///
    /// The items are those of [`ml_kem_768`](super::ml_kem_768), where an example is, with the sizes of this set.
    ml_kem_1024, MlKem1024
}
