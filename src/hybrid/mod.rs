//! ML-KEM beside a classical key exchange: the secret stays one as long as either of them does.
//!
//! **Unstable.** These are Internet-Drafts: X-Wing is `draft-connolly-cfrg-xwing-kem-10`, all three are
//! `draft-irtf-cfrg-concrete-hybrid-kems-04`, where X-Wing is called MLKEM768-X25519. No semver promise covers this module before
//! they are standards.
//!
//! | module | ML-KEM | group | encapsulation key | ciphertext | HPKE's KEM id |
//! |---|---|---|---|---|---|
//! | [`x_wing`] | 768 | X25519 | 1216 | 1120 | 0x647a |
//! | [`ml_kem_768_p256`] | 768 | P-256 | 1249 | 1153 | 0x0050 |
//! | [`ml_kem_1024_p384`] | 1024 | P-384 | 1665 | 1665 | 0x0051 |
//!
//! Lengths are in bytes; a private key is a [`Seed`] of 32 bytes, a secret has 32 bytes. Keys and ciphertexts are ML-KEM's bytes
//! followed by the group's, whose points are uncompressed. The types are used as those of [`ml_kem_768`](crate::ml_kem_768), as far as
//! they go: there are no prepared keys, no files and no `serde`, and a ciphertext is checked when it is read.
//!
//! These are not the hybrids of TLS and SSH: `X25519MLKEM768` and `mlkem768x25519-sha256` join the two secrets in other ways, and are
//! built of [`ml_kem_768`](crate::ml_kem_768) and an X25519 beside it.
//!
//! ```
//! # #[cfg(feature = "getrandom")] {
//! use kemstone::hybrid::x_wing::{Ciphertext, DecapsulationKey, EncapsulationKey};
//!
//! # fn main() -> Result<(), kemstone::Error> {
//! let decapsulation_key = DecapsulationKey::generate()?;
//! let sent: &[u8] = decapsulation_key.encapsulation_key().as_bytes();
//!
//! let (ciphertext, senders) = EncapsulationKey::try_from(sent)?.encapsulate()?;
//! let sent: &[u8] = ciphertext.as_bytes();
//!
//! let receivers = decapsulation_key.decapsulate(&Ciphertext::try_from(sent)?);
//! assert_eq!(senders, receivers);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! What ML-KEM promises holds for its half. The groups are those of the crates `x25519-dalek`, `p256` and `p384`: what these leave
//! on the stack and how long they take is theirs.

mod group;
mod keys;

use core::fmt::Debug;
use core::hash::Hash;

pub use keys::{Ciphertext, DecapsulationKey, EncapsulationKey, SEED_SIZE, Seed};

use crate::frontend::{Bytes, MlKem768, MlKem1024, ParameterSet};
use group::{Group, P256, P384, X25519};

/// One of the three hybrid KEMs: [`XWing`], [`MlKem768P256`] or [`MlKem1024P384`]. There can be no others.
///
/// Keys and ciphertexts are generic over it, so that code can be, too.
pub trait HybridKem: sealed::Sealed + Copy + Debug + Default + Ord + Hash + Send + Sync + 'static {
    /// The name in the CFRG's draft: `MLKEM768-X25519`, for example.
    const NAME: &'static str;
    /// Its KEM id in HPKE (`draft-ietf-hpke-pq`).
    const HPKE_ID: u16;
    /// Bytes of an encapsulation key.
    const ENCAPSULATION_KEY_SIZE: usize;
    /// Bytes of a ciphertext.
    const CIPHERTEXT_SIZE: usize;
    /// Bytes of randomness that an encapsulation takes: 32 for ML-KEM, and what the group takes.
    const RANDOMNESS_SIZE: usize;
    /// The parameter set of the ML-KEM half.
    type MlKem: ParameterSet;
    /// An array of [`ENCAPSULATION_KEY_SIZE`](Self::ENCAPSULATION_KEY_SIZE) bytes.
    type EncapsulationKeyBytes: Bytes;
    /// An array of [`CIPHERTEXT_SIZE`](Self::CIPHERTEXT_SIZE) bytes.
    type CiphertextBytes: Bytes;
    /// An array of [`RANDOMNESS_SIZE`](Self::RANDOMNESS_SIZE) bytes.
    type Randomness: Bytes;
}

mod sealed {
    use super::group::Group;

    pub trait Sealed {
        type SealedGroup: Group;
        /// What sets the combiner's input apart from that of others.
        const SEALED_LABEL: &'static [u8];
    }
}

macro_rules! hybrid_kem {
    (
        $(#[$doc:meta])* $module:ident,
        $(#[$kem_doc:meta])* $kem:ident, $name:literal, $hpke:literal, $ml_kem:ident, $group:ident, $label:literal
    ) => {
        $(#[$kem_doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $kem;

        impl HybridKem for $kem {
            const NAME: &'static str = $name;
            const HPKE_ID: u16 = $hpke;
            const ENCAPSULATION_KEY_SIZE: usize = $ml_kem::ENCAPSULATION_KEY_SIZE + $group::ELEMENT_SIZE;
            const CIPHERTEXT_SIZE: usize = $ml_kem::CIPHERTEXT_SIZE + $group::ELEMENT_SIZE;
            const RANDOMNESS_SIZE: usize = 32 + $group::SEED_SIZE;
            type MlKem = $ml_kem;
            type EncapsulationKeyBytes = [u8; Self::ENCAPSULATION_KEY_SIZE];
            type CiphertextBytes = [u8; Self::CIPHERTEXT_SIZE];
            type Randomness = [u8; Self::RANDOMNESS_SIZE];
        }

        impl sealed::Sealed for $kem {
            type SealedGroup = $group;
            const SEALED_LABEL: &'static [u8] = $label;
        }

        $(#[$doc])*
        pub mod $module {
            pub use super::Seed;
            use super::{$kem, HybridKem};

            /// Bytes of an encoded [`EncapsulationKey`].
            pub const ENCAPSULATION_KEY_SIZE: usize = $kem::ENCAPSULATION_KEY_SIZE;
            /// Bytes of a [`Ciphertext`].
            pub const CIPHERTEXT_SIZE: usize = $kem::CIPHERTEXT_SIZE;
            /// Bytes of randomness that an encapsulation takes.
            pub const RANDOMNESS_SIZE: usize = $kem::RANDOMNESS_SIZE;

            /// The public key: whoever has it can send its owner a secret.
            pub type EncapsulationKey = super::EncapsulationKey<$kem>;
            /// The private key: turns ciphertexts into their secrets.
            pub type DecapsulationKey = super::DecapsulationKey<$kem>;
            /// What the sender of a secret transmits.
            pub type Ciphertext = super::Ciphertext<$kem>;
        }
    };
}

hybrid_kem! {
    /// X-Wing, which is MLKEM768-X25519: the usual choice.
    x_wing,
    /// X-Wing (`draft-connolly-cfrg-xwing-kem-10`): ML-KEM-768 and X25519.
    XWing, "MLKEM768-X25519", 0x647a, MlKem768, X25519, br"\.//^\"
}
hybrid_kem! {
    /// MLKEM768-P256.
    ml_kem_768_p256,
    /// MLKEM768-P256 (`draft-irtf-cfrg-concrete-hybrid-kems-04`, section 4.1).
    MlKem768P256, "MLKEM768-P256", 0x0050, MlKem768, P256, b"MLKEM768-P256"
}
hybrid_kem! {
    /// MLKEM1024-P384.
    ml_kem_1024_p384,
    /// MLKEM1024-P384 (`draft-irtf-cfrg-concrete-hybrid-kems-04`, section 4.3).
    MlKem1024P384, "MLKEM1024-P384", 0x0051, MlKem1024, P384, b"MLKEM1024-P384"
}
