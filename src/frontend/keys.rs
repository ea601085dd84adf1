//! Secret bytes as users hold them: seeds, shared secrets, expanded keys.

use subtle::{Choice, ConstantTimeEq};
use zeroize::ZeroizeOnDrop;

use super::Error;
use super::bytes::Bytes;
use super::bytes::sealed::Array;
use super::ct::Wipe;
use super::sets::ParameterSet;

/// Bytes of a [`Seed`].
pub const SEED_SIZE: usize = 64;

/// Bytes of a [`SharedSecret`].
pub const SHARED_SECRET_SIZE: usize = 32;

/// Secret bytes: wiped on drop, redacted in `Debug`, compared in constant time. The last argument is their type once more, with
/// what an implementation for that very array is generic over.
///
/// There is no `Zeroize`: what is left of a wiped seed or secret would be all zero, of the right type, and known to everyone.
macro_rules! secret_bytes {
    ($(#[$doc:meta])* $name:ident $(<$S:ident>)?, $bytes:ty, [$($generic:tt)*] $array:ty) => {
        $(#[$doc])*
        pub struct $name$(<$S: ParameterSet>)?(pub(super) $bytes);

        impl$(<$S: ParameterSet>)? $name$(<$S>)? {
            /// A copy of the bytes. The caller's own is the caller's to wipe.
            #[must_use]
            #[inline(always)] // in its place: moving a secret would leave it behind, unwiped
            pub const fn from_bytes(bytes: &$bytes) -> Self {
                Self(*bytes)
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &$bytes {
                &self.0
            }
        }

        impl$(<$S: ParameterSet>)? AsRef<[u8]> for $name$(<$S>)? {
            fn as_ref(&self) -> &[u8] {
                self.0.as_ref()
            }
        }

        impl<$($generic)*> AsRef<$array> for $name$(<$S>)? {
            fn as_ref(&self) -> &$array {
                &self.0
            }
        }

        impl<$($generic)*> From<$array> for $name$(<$S>)? {
            /// Takes the bytes. The caller's own copy, if one is left, is the caller's to wipe.
            fn from(bytes: $array) -> Self {
                Self(bytes)
            }
        }

        impl<$($generic)*> From<&$array> for $name$(<$S>)? {
            /// As `from_bytes`.
            fn from(bytes: &$array) -> Self {
                Self::from_bytes(bytes)
            }
        }

        impl$(<$S: ParameterSet>)? TryFrom<&[u8]> for $name$(<$S>)? {
            type Error = Error;

            /// [`Error::Length`] if the length differs.
            fn try_from(bytes: &[u8]) -> Result<Self, Error> {
                match <$bytes as Bytes>::from_slice(bytes) {
                    Ok(bytes) => Ok(Self::from_bytes(bytes)),
                    Err(error) => Err(error),
                }
            }
        }

        impl$(<$S: ParameterSet>)? ConstantTimeEq for $name$(<$S>)? {
            fn ct_eq(&self, other: &Self) -> Choice {
                self.0.ct_equal(&other.0)
            }
        }

        impl$(<$S: ParameterSet>)? PartialEq for $name$(<$S>)? {
            /// Constant time.
            fn eq(&self, other: &Self) -> bool {
                self.ct_eq(other).into()
            }
        }

        impl$(<$S: ParameterSet>)? Eq for $name$(<$S>)? {}

        impl$(<$S: ParameterSet>)? core::fmt::Debug for $name$(<$S>)? {
            /// The name of the type, and nothing of the secret.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl$(<$S: ParameterSet>)? Drop for $name$(<$S>)? {
            fn drop(&mut self) {
                self.0.wipe();
            }
        }

        impl$(<$S: ParameterSet>)? ZeroizeOnDrop for $name$(<$S>)? {}
    };
}

#[cfg(feature = "hybrid")]
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
    Seed, [u8; SEED_SIZE], [] [u8; SEED_SIZE]
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
    SharedSecret, [u8; SHARED_SECRET_SIZE], [] [u8; SHARED_SECRET_SIZE]
}

secret_bytes! {
    /// The expanded form dk_PKE || ek || H(ek) || z of a [`DecapsulationKey`](crate::DecapsulationKey) (FIPS 203, Algorithm
    /// 16): bytes, of which nothing has been checked.
    ///
    /// Wiped on drop; `Debug` shows nothing of it; `==` takes constant time; there is no `Clone`.
    ///
    /// ```
    /// use kemstone::Seed;
    /// use kemstone::ml_kem_768::{DecapsulationKey, ExpandedDecapsulationKey};
    ///
    /// # fn main() -> Result<(), kemstone::Error> {
    /// let key = DecapsulationKey::from_seed(&Seed::from([1; 64]));
    /// let expanded: ExpandedDecapsulationKey = key.to_expanded_bytes();
    /// let again = DecapsulationKey::from_expanded_bytes(expanded.as_bytes())?;
    /// assert_eq!(again.to_expanded_bytes(), expanded);
    /// assert_eq!(format!("{expanded:?}"), "ExpandedDecapsulationKey(..)");
    /// # Ok(())
    /// # }
    /// ```
    ExpandedDecapsulationKey<S>, S::DecapsulationKeyBytes,
    [S: ParameterSet<DecapsulationKeyBytes = [u8; N]>, const N: usize] [u8; N]
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

/// Bytes from the operating system.
#[cfg(feature = "getrandom")]
pub(crate) fn system_random<const N: usize>(bytes: &mut [u8; N]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|_| Error::Randomness)
}
