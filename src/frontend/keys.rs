//! Secret bytes as users hold them: seeds, shared secrets, expanded keys.

/// Bytes of a [`Seed`].
pub const SEED_SIZE: usize = 64;

/// Bytes of a [`SharedSecret`].
pub const SHARED_SECRET_SIZE: usize = 32;

/// Secret bytes: wiped on drop, redacted in `Debug`, compared in constant time.
///
/// There is no `Zeroize`: what is left of a wiped seed or secret would be all zero, of the right type, and known to everyone.
macro_rules! secret_bytes {
    ($(#[$doc:meta])* $name:ident, $size:expr) => {
        $(#[$doc])*
        pub struct $name([u8; $size]);

        impl $name {
            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }

            /// A copy, made where the caller wants it: moving a secret would leave it behind, unwiped.
            #[inline(always)]
            pub(crate) const fn copy_of(bytes: &[u8; $size]) -> Self {
                Self(*bytes)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl From<[u8; $size]> for $name {
            /// Takes the bytes. The caller's own copy, if one is left, is the caller's to wipe.
            fn from(bytes: [u8; $size]) -> Self {
                Self(bytes)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = $crate::frontend::Error;

            /// `Error::Length` if the length differs.
            fn try_from(bytes: &[u8]) -> Result<Self, $crate::frontend::Error> {
                match <&[u8; $size]>::try_from(bytes) {
                    Ok(bytes) => Ok(Self::copy_of(bytes)),
                    Err(_) => Err($crate::frontend::Error::Length),
                }
            }
        }

        impl subtle::ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> subtle::Choice {
                $crate::frontend::ct::equal(&self.0, &other.0)
            }
        }

        impl PartialEq for $name {
            /// Constant time.
            fn eq(&self, other: &Self) -> bool {
                subtle::ConstantTimeEq::ct_eq(self, other).into()
            }
        }

        impl Eq for $name {}

        impl core::fmt::Debug for $name {
            /// The name of the type, and nothing of the secret.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                $crate::frontend::ct::Wipe::wipe(&mut self.0);
            }
        }

        impl zeroize::ZeroizeOnDrop for $name {}
    };
}
pub(crate) use secret_bytes;

secret_bytes! {
    /// The 64 bytes d || z that a decapsulation key is made from (FIPS 203, section 3.3 and Algorithm 16): the
    /// smallest and safest form to store one in. It does not say for which parameter set: store that beside it.
    ///
    /// Wiped on drop; `Debug` shows nothing of it; `==` takes constant time.
    ///
    /// ```
    /// use kemstone::{Seed, ml_kem_768::DecapsulationKey};
    ///
    /// # fn main() -> Result<(), kemstone::Error> {
    /// let seed = Seed::try_from(&[7u8; 64][..])?;
    /// let key = DecapsulationKey::from_seed(&seed);
    /// assert_eq!(key.to_seed(), Some(seed));
    /// assert_eq!(Seed::try_from(&[7u8; 63][..]), Err(kemstone::Error::Length));
    /// # Ok(())
    /// # }
    /// ```
    Seed, SEED_SIZE
}

secret_bytes! {
    /// The 32 bytes both sides share (FIPS 203, section 3.3: K), uniformly random to everyone else. Feed
    /// them to a key derivation function or use them as a symmetric key.
    ///
    /// `From<[u8; 32]>` exists for secrets that crossed a boundary as bytes, a hardware module's for example.
    ///
    /// Wiped on drop; `Debug` shows nothing of it; `==` takes constant time.
    ///
    /// ```
    /// # #[cfg(feature = "getrandom")] {
    /// use kemstone::ml_kem_768::DecapsulationKey;
    ///
    /// # fn main() -> Result<(), kemstone::Error> {
    /// let key = DecapsulationKey::generate()?;
    /// let (ciphertext, ours) = key.encapsulation_key().encapsulate()?;
    /// let theirs = key.decapsulate(&ciphertext);
    /// assert_eq!(ours, theirs);
    /// assert_eq!(format!("{ours:?}"), "SharedSecret(..)");
    /// # Ok(())
    /// # }
    /// # main().unwrap();
    /// # }
    /// ```
    SharedSecret, SHARED_SECRET_SIZE
}

impl Clone for Seed {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

/// The two halves of a seed: d, then z.
pub(crate) fn d_z(seed: &[u8; SEED_SIZE]) -> (&[u8; 32], &[u8; 32]) {
    match seed.as_chunks().0 {
        [d, z] => (d, z),
        _ => (&[0; 32], &[0; 32]),
    }
}
