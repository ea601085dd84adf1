//! The secrets that all parameter sets share: seeds and shared secrets.

use core::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::ct::{self, Wipe};
use super::error::Error;

/// Bytes of a [`Seed`].
pub const SEED_SIZE: usize = 64;

/// Bytes of a [`SharedSecret`].
pub const SHARED_SECRET_SIZE: usize = 32;

/// 32 or 64 secret bytes: wiped on drop, redacted in `Debug`, compared in constant time.
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

            /// All zero: room for the bytes that are to come.
            pub(crate) const fn zero() -> Self {
                Self([0; $size])
            }

            /// The bytes, to be filled.
            pub(crate) const fn as_mut_bytes(&mut self) -> &mut [u8; $size] {
                &mut self.0
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
            type Error = Error;

            /// [`Error::Length`] if the length differs.
            fn try_from(bytes: &[u8]) -> Result<Self, Error> {
                bytes.try_into().map(Self).map_err(|_| Error::Length)
            }
        }

        impl ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> Choice {
                ct::equal(&self.0, &other.0)
            }
        }

        impl PartialEq for $name {
            /// Constant time.
            fn eq(&self, other: &Self) -> bool {
                self.ct_eq(other).into()
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            /// The name of the type, and nothing of the secret.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl Zeroize for $name {
            fn zeroize(&mut self) {
                self.0.wipe();
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.zeroize();
            }
        }

        impl ZeroizeOnDrop for $name {}
    };
}

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

impl Seed {
    /// The two halves: d, then z.
    pub(crate) fn d_z(&self) -> (&[u8; 32], &[u8; 32]) {
        match self.0.as_chunks().0 {
            [d, z] => (d, z),
            _ => (&[0; 32], &[0; 32]),
        }
    }
}
