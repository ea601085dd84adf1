//! The public half as users hold it: encapsulation keys, ciphertexts, and what is done with either kind of key.
//!
//! Bytes become keys only through the check of FIPS 203, section 7.2, so every key in memory has passed it.

use core::fmt;

use rand_core::{CryptoRng, TryCryptoRng};

use super::Error;
use super::bytes::Bytes;
use super::ct::Secret;
use super::kem::Ek;
use super::keys::{SHARED_SECRET_SIZE, SharedSecret};
use super::sets::ParameterSet;
use super::sets::sealed::Algorithms;

// What is returned is written to its place in the caller's `Result` if each step is a function of its own, and none but the
// innermost has anything to drop. Otherwise it is moved there, and the secret stays behind.

#[inline(never)]
fn ok_pair<S: ParameterSet, E>(
    c: &S::CiphertextBytes,
    k: &[u8; SHARED_SECRET_SIZE],
) -> Result<(Ciphertext<S>, SharedSecret), E> {
    Ok(pair(c, k))
}

#[inline(never)]
fn pair<S: ParameterSet>(
    c: &S::CiphertextBytes,
    k: &[u8; SHARED_SECRET_SIZE],
) -> (Ciphertext<S>, SharedSecret) {
    (Ciphertext(*c), SharedSecret::from_bytes(k))
}

/// A key that encapsulates, prepared or not.
pub(crate) trait Encapsulate<S: ParameterSet> {
    /// FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal).
    fn with_m_into(&self, m: &[u8; 32], c: &mut S::CiphertextBytes, k: &mut [u8; SHARED_SECRET_SIZE]);

    fn with_m(&self, m: &[u8; 32]) -> (Ciphertext<S>, SharedSecret) {
        let mut c = S::CiphertextBytes::ZERO;
        let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
        self.with_m_into(m, &mut c, &mut k);
        (Ciphertext(c), SharedSecret::from_bytes(&k))
    }

    fn with_rng<R: CryptoRng + ?Sized>(&self, rng: &mut R) -> (Ciphertext<S>, SharedSecret) {
        let mut m = Secret::new([0; 32]);
        rng.fill_bytes(&mut *m);
        self.with_m(&m)
    }

    fn with<E>(
        &self,
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
    ) -> Result<(Ciphertext<S>, SharedSecret), E> {
        let mut c = S::CiphertextBytes::ZERO;
        let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
        self.with_into(fill, &mut c, &mut k)?;
        ok_pair(&c, &k)
    }

    fn with_into<E>(
        &self,
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
        c: &mut S::CiphertextBytes,
        k: &mut [u8; SHARED_SECRET_SIZE],
    ) -> Result<(), E> {
        let mut m = Secret::new([0; 32]);
        fill(&mut m)?;
        self.with_m_into(&m, c, k);
        Ok(())
    }
}

/// The public names of [`Encapsulate`], for a type that has it.
macro_rules! encapsulation_methods {
    () => {
        /// FIPS 203, Algorithm 20 (ML-KEM.Encaps), with the operating system's randomness.
        ///
        /// # Errors
        ///
        /// [`Error::Randomness`] if the operating system has none.
        #[cfg(feature = "getrandom")]
        pub fn encapsulate(&self) -> Result<(Ciphertext<S>, SharedSecret), Error> {
            self.with($crate::frontend::keys::system_random)
        }

        /// FIPS 203, Algorithm 20 (ML-KEM.Encaps), with 32 bytes drawn from `rng` in one call.
        ///
        /// `rng` is a generator of `rand_core` 0.10. Any other, also of another version of `rand_core`, serves by the closure
        /// of [`encapsulate_with`](Self::encapsulate_with).
        pub fn encapsulate_with_rng<R: CryptoRng + ?Sized>(
            &self,
            rng: &mut R,
        ) -> (Ciphertext<S>, SharedSecret) {
            self.with_rng(rng)
        }

        /// As [`encapsulate_with_rng`](Self::encapsulate_with_rng), with a generator that may fail.
        ///
        /// # Errors
        ///
        /// The generator's error; nothing is encapsulated then.
        pub fn try_encapsulate_with_rng<R: TryCryptoRng + ?Sized>(
            &self,
            rng: &mut R,
        ) -> Result<(Ciphertext<S>, SharedSecret), R::Error> {
            self.with(|m| rng.try_fill_bytes(m))
        }

        /// FIPS 203, Algorithm 20 (ML-KEM.Encaps), with the 32 bytes that `fill` writes: for random generators of any crate
        /// and version. They must be fresh and uniformly random; a closure that returns `Ok` without writing them gives a
        /// secret that everyone knows.
        ///
        /// # Errors
        ///
        /// The error of `fill`; nothing is encapsulated then.
        ///
        /// ```
        /// use kemstone::{Seed, ml_kem_768::DecapsulationKey};
        ///
        /// let key = DecapsulationKey::from_seed(&Seed::from([1; 64]));
        /// let refused = key.encapsulation_key().encapsulate_with(|_m| Err("no randomness today"));
        /// assert_eq!(refused, Err("no randomness today"));
        /// ```
        pub fn encapsulate_with<E>(
            &self,
            fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
        ) -> Result<(Ciphertext<S>, SharedSecret), E> {
            self.with(fill)
        }

        /// As [`encapsulate_with`](Self::encapsulate_with), into the caller's memory, which the caller wipes when the secret
        /// has served.
        ///
        /// # Errors
        ///
        /// The error of `fill`; neither output is touched then.
        pub fn encapsulate_into<E>(
            &self,
            fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
            ciphertext: &mut S::CiphertextBytes,
            shared_secret: &mut [u8; SHARED_SECRET_SIZE],
        ) -> Result<(), E> {
            self.with_into(fill, ciphertext, shared_secret)
        }

        /// FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal): encapsulation with a given `m`.
        ///
        /// For test vectors, and for protocols that derive `m`. Whoever learns or repeats `m` has the secret:
        /// anything but 32 fresh uniformly random bytes breaks the scheme.
        #[cfg(feature = "hazmat")]
        #[must_use]
        pub fn encapsulate_deterministic(&self, m: &[u8; 32]) -> (Ciphertext<S>, SharedSecret) {
            self.with_m(m)
        }
    };
}
pub(crate) use encapsulation_methods;

/// As many of the bytes as tell one from another.
pub(crate) fn debug(f: &mut fmt::Formatter<'_>, name: &str, bytes: &[u8]) -> fmt::Result {
    let [.., a, b, c, d] = bytes else { return f.write_str(name) };
    write!(f, "{name}(..{a:02x}{b:02x}{c:02x}{d:02x})")
}

/// Conversions between bytes and a type that holds them.
macro_rules! conversions {
    ($name:ident<$S:ident: $Set:ident>, $array:ident) => {
        impl<$S: $Set> $name<$S> {
            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &$S::$array {
                &self.0
            }

            /// A copy of the bytes.
            #[must_use]
            pub const fn to_bytes(&self) -> $S::$array {
                self.0
            }
        }

        impl<$S: $Set> AsRef<[u8]> for $name<$S> {
            fn as_ref(&self) -> &[u8] {
                self.0.as_ref()
            }
        }

        impl<$S: $Set<$array = [u8; N]>, const N: usize> AsRef<[u8; N]> for $name<$S> {
            fn as_ref(&self) -> &[u8; N] {
                &self.0
            }
        }

        impl<$S: $Set> fmt::Debug for $name<$S> {
            /// The last four bytes tell one from another.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $crate::frontend::encapsulation::debug(f, stringify!($name), self.0.as_ref())
            }
        }
    };
}

/// Conversions to a type that checks the bytes.
macro_rules! checked_conversions {
    ($name:ident<$S:ident: $Set:ident>, $array:ident) => {
        impl<$S: $Set> TryFrom<&[u8]> for $name<$S> {
            type Error = Error;

            /// As `from_bytes`, and [`Error::Length`] if the length differs.
            #[inline]
            fn try_from(bytes: &[u8]) -> Result<Self, Error> {
                Self::from_bytes(Bytes::from_slice(bytes)?)
            }
        }

        impl<$S: $Set<$array = [u8; N]>, const N: usize> TryFrom<&[u8; N]> for $name<$S> {
            type Error = Error;

            /// As `from_bytes`.
            #[inline]
            fn try_from(bytes: &[u8; N]) -> Result<Self, Error> {
                Self::from_bytes(bytes)
            }
        }
    };
}
#[cfg(feature = "hybrid")]
pub(crate) use {checked_conversions, conversions};

/// The public key: whoever has it can send its owner a secret.
///
/// A value of this type has passed the modulus check of FIPS 203, section 7.2.
///
/// ```
/// # fn main() -> Result<(), kemstone::Error> {
/// use kemstone::ml_kem_768::{DecapsulationKey, EncapsulationKey};
/// use kemstone::{Error, Seed};
///
/// let owner = DecapsulationKey::from_seed(&Seed::from([1; 64]));
/// let mut bytes = owner.encapsulation_key().to_bytes();
/// assert_eq!(&EncapsulationKey::from_bytes(&bytes)?, owner.encapsulation_key());
/// assert_eq!(EncapsulationKey::try_from(&bytes[1..]), Err(Error::Length));
///
/// bytes[..2].fill(0xff); // 4095 is not below q = 3329
/// assert_eq!(EncapsulationKey::from_bytes(&bytes), Err(Error::EncapsulationKey));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncapsulationKey<S: ParameterSet>(pub(super) S::EncapsulationKeyBytes);

impl<S: ParameterSet> EncapsulationKey<S> {
    /// Decodes and checks a key (FIPS 203, section 7.2).
    ///
    /// # Errors
    ///
    /// [`Error::EncapsulationKey`] if one of its numbers is not below q.
    #[inline] // so that the key is copied once
    pub fn from_bytes(bytes: &S::EncapsulationKeyBytes) -> Result<Self, Error> {
        if S::SealedAlgorithms::ek_is_valid(Ek(bytes.as_ref())) {
            Ok(Self(*bytes))
        } else {
            Err(Error::EncapsulationKey)
        }
    }

    encapsulation_methods!();
}

conversions!(EncapsulationKey<S: ParameterSet>, EncapsulationKeyBytes);
checked_conversions!(EncapsulationKey<S: ParameterSet>, EncapsulationKeyBytes);

impl<S: ParameterSet> Encapsulate<S> for EncapsulationKey<S> {
    fn with_m_into(&self, m: &[u8; 32], c: &mut S::CiphertextBytes, k: &mut [u8; SHARED_SECRET_SIZE]) {
        S::SealedAlgorithms::encaps(Ek(self.0.as_ref()), m, c.as_mut(), k);
    }
}

/// What the sender of a secret transmits. Any bytes of the right length are a ciphertext (FIPS 203, section 7.3).
///
/// ```
/// use kemstone::Error;
/// use kemstone::ml_kem_768::{CIPHERTEXT_SIZE, Ciphertext};
///
/// const CIPHERTEXT: Ciphertext = Ciphertext::from_bytes(&[0; CIPHERTEXT_SIZE]);
/// assert_eq!(Ciphertext::try_from(&CIPHERTEXT.as_bytes()[..]), Ok(CIPHERTEXT));
/// assert_eq!(Ciphertext::try_from(&[0; 31][..]), Err(Error::Length));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ciphertext<S: ParameterSet>(pub(super) S::CiphertextBytes);

impl<S: ParameterSet> Ciphertext<S> {
    /// The ciphertext of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: &S::CiphertextBytes) -> Self {
        Self(*bytes)
    }

    /// A forgery, for the self test.
    pub(crate) fn flip_last_bit(&mut self) {
        if let [.., last] = self.0.as_mut() {
            *last ^= 0x80;
        }
    }
}

conversions!(Ciphertext<S: ParameterSet>, CiphertextBytes);

impl<S: ParameterSet<CiphertextBytes = [u8; N]>, const N: usize> From<[u8; N]> for Ciphertext<S> {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes)
    }
}

impl<S: ParameterSet> TryFrom<&[u8]> for Ciphertext<S> {
    type Error = Error;

    /// [`Error::Length`] if the length differs.
    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        Bytes::from_slice(bytes).map(Self::from_bytes)
    }
}

impl<S: ParameterSet<CiphertextBytes = [u8; N]>, const N: usize> From<&[u8; N]> for Ciphertext<S> {
    fn from(bytes: &[u8; N]) -> Self {
        Self(*bytes)
    }
}

/// A ciphertext in the caller's memory, where it was received: what decapsulation takes, as a [`Ciphertext`] or an array by
/// reference, too.
///
/// ```
/// # fn main() -> Result<(), kemstone::Error> {
/// use kemstone::Seed;
/// use kemstone::ml_kem_768::{CIPHERTEXT_SIZE, Ciphertext, CiphertextRef, DecapsulationKey};
///
/// let key = DecapsulationKey::from_seed(&Seed::from([1; 64]));
/// let received = [2; CIPHERTEXT_SIZE];
/// let secret = key.decapsulate(&received);
/// assert_eq!(key.decapsulate(CiphertextRef::try_from(&received[..])?), secret);
/// assert_eq!(key.decapsulate(&Ciphertext::from(received)), secret);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct CiphertextRef<'a, S: ParameterSet>(&'a S::CiphertextBytes);

impl<'a, S: ParameterSet> CiphertextRef<'a, S> {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a S::CiphertextBytes {
        self.0
    }
}

impl<S: ParameterSet> fmt::Debug for CiphertextRef<'_, S> {
    /// As that of [`Ciphertext`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "CiphertextRef", self.0.as_ref())
    }
}

impl<'a, S: ParameterSet> From<&'a Ciphertext<S>> for CiphertextRef<'a, S> {
    #[inline]
    fn from(ciphertext: &'a Ciphertext<S>) -> Self {
        Self(&ciphertext.0)
    }
}

impl<'a, S: ParameterSet<CiphertextBytes = [u8; N]>, const N: usize> From<&'a [u8; N]>
    for CiphertextRef<'a, S>
{
    #[inline]
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(bytes)
    }
}

impl<'a, S: ParameterSet> TryFrom<&'a [u8]> for CiphertextRef<'a, S> {
    type Error = Error;

    /// [`Error::Length`] if the length differs.
    #[inline]
    fn try_from(bytes: &'a [u8]) -> Result<Self, Error> {
        Bytes::from_slice(bytes).map(Self)
    }
}
