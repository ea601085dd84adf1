//! The private half as users hold it, and how either kind of key is made.
//!
//! Bytes become keys only through the checks of FIPS 203, sections 7.2 and 7.3, so every key in memory has passed them.
//!
//! Every constructor fills an empty key of its own, which is wiped when it goes out of scope, and ends with a copy of it in the
//! caller's place: a key that is moved stays behind where it was.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt;

use rand_core::{CryptoRng, TryCryptoRng};
use zeroize::{Zeroize, ZeroizeOnDrop, optimization_barrier};

use super::Error;
use super::bytes::Bytes;
use super::ct::{Secret, Wipe};
use super::encapsulation::{CiphertextRef, Encapsulate, EncapsulationKey};
use super::kem::{Dk, DkMut};
use super::keys::{ExpandedDecapsulationKey, SEED_SIZE, SHARED_SECRET_SIZE, Seed, SharedSecret, d_z};
use super::sets::ParameterSet;
use super::sets::sealed::{Algorithms, DkPke};

/// A private key, prepared or not, that is made from a seed.
pub(crate) trait Generate: Sized {
    /// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal).
    fn with_seed(seed: &[u8; SEED_SIZE]) -> Self;

    #[cfg(feature = "alloc")]
    fn boxed_with_seed(seed: &[u8; SEED_SIZE]) -> Box<Self>;

    fn with_rng<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Secret::new([0; SEED_SIZE]);
        rng.fill_bytes(&mut *seed);
        Self::with_seed(&seed)
    }

    fn with<E>(fill: impl FnOnce(&mut [u8; SEED_SIZE]) -> Result<(), E>) -> Result<Self, E> {
        let mut seed = Secret::new([0; SEED_SIZE]);
        fill(&mut seed)?;
        ok_with_seed(&seed)
    }

    #[cfg(feature = "alloc")]
    fn boxed_with<E>(fill: impl FnOnce(&mut [u8; SEED_SIZE]) -> Result<(), E>) -> Result<Box<Self>, E> {
        let mut seed = Secret::new([0; SEED_SIZE]);
        fill(&mut seed)?;
        Ok(Self::boxed_with_seed(&seed))
    }
}

#[inline(never)] // as with `ok_pair`
fn ok_with_seed<K: Generate, E>(seed: &[u8; SEED_SIZE]) -> Result<K, E> {
    Ok(K::with_seed(seed))
}

/// The public names of [`Generate`], for a type that has it.
macro_rules! generation_methods {
    () => {
        /// FIPS 203, Algorithm 19 (ML-KEM.KeyGen), with the operating system's randomness.
        ///
        /// # Errors
        ///
        /// [`Error::Randomness`] if the operating system has none.
        #[cfg(feature = "getrandom")]
        pub fn generate() -> Result<Self, Error> {
            Self::with($crate::frontend::keys::system_random)
        }

        /// FIPS 203, Algorithm 19 (ML-KEM.KeyGen), with 64 bytes drawn from `rng` in one call.
        ///
        /// `rng` is a generator of `rand_core` 0.10. Any other, also of another version of `rand_core`, serves by the closure
        /// of [`generate_with`](Self::generate_with).
        pub fn generate_from_rng<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
            Self::with_rng(rng)
        }

        /// As [`generate_from_rng`](Self::generate_from_rng), with a generator that may fail.
        ///
        /// # Errors
        ///
        /// The generator's error; no key is made then.
        pub fn try_generate_from_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
            Self::with(|seed| rng.try_fill_bytes(seed))
        }

        /// FIPS 203, Algorithm 19 (ML-KEM.KeyGen), with the 64 bytes d || z that `fill` writes: for random generators of any
        /// crate and version. They must be fresh and uniformly random; a closure that returns `Ok` without writing them gives
        /// a key that everyone knows.
        ///
        /// # Errors
        ///
        /// The error of `fill`; no key is made then.
        pub fn generate_with<E>(fill: impl FnOnce(&mut [u8; SEED_SIZE]) -> Result<(), E>) -> Result<Self, E> {
            Self::with(fill)
        }

        /// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal): the key that belongs to the seed d || z.
        #[must_use]
        pub fn from_seed(seed: &Seed) -> Self {
            Self::with_seed(seed.as_bytes())
        }

        /// As [`generate_with`](Self::generate_with), on the heap, where the key stays: nothing of it is left on the stack.
        ///
        /// # Errors
        ///
        /// The error of `fill`; no key is made then.
        #[cfg(feature = "alloc")]
        pub fn boxed_generate_with<E>(
            fill: impl FnOnce(&mut [u8; SEED_SIZE]) -> Result<(), E>,
        ) -> Result<Box<Self>, E> {
            Self::boxed_with(fill)
        }

        /// As [`from_seed`](Self::from_seed), on the heap, where the key stays: nothing of it is left on the stack.
        #[cfg(feature = "alloc")]
        #[must_use]
        pub fn boxed_from_seed(seed: &Seed) -> Box<Self> {
            Self::boxed_with_seed(seed.as_bytes())
        }
    };
}
pub(crate) use generation_methods;

/// The private key: turns the ciphertexts encapsulated to its public half into their secrets.
///
/// Make one, or read one from its [`Seed`]; keep the seed if it has to be stored. The expanded form of FIPS 203 is
/// understood as well. A key in memory is always expanded and has passed the checks of section 7.3. Wiped on drop; `Debug`
/// shows nothing of it; there is no `Clone`, so that copies of a secret are made knowingly (share it by reference or in an
/// `Arc`).
///
/// The library leaves no copy where it built a key. But whoever moves a key leaves one: Rust copies a value that is moved, and
/// `?` moves it out of its `Result`. Where that matters, keep the key on the heap from the beginning
/// (`boxed_generate_with`, `boxed_from_seed`, `boxed_from_expanded_bytes`), or let [`expand_into`](Self::expand_into)
/// write into memory of your own.
///
/// ```
/// # fn main() -> Result<(), kemstone::Error> {
/// use kemstone::ml_kem_768::{DecapsulationKey, ENCAPSULATION_KEY_OFFSET};
/// use kemstone::{Error, Seed};
///
/// let key = DecapsulationKey::from_seed(&Seed::from([1; 64]));
/// let expanded = key.to_expanded_bytes();
/// let again = DecapsulationKey::from_expanded_bytes(expanded.as_bytes())?;
/// assert_eq!(again.encapsulation_key(), key.encapsulation_key());
/// assert!(key.to_seed().is_some() && again.to_seed().is_none());
///
/// let mut damaged = *expanded.as_bytes();
/// damaged[ENCAPSULATION_KEY_OFFSET] ^= 1; // the public half no longer has the hash stored beside it
/// assert_eq!(DecapsulationKey::from_expanded_bytes(&damaged).err(), Some(Error::DecapsulationKey));
/// # Ok(())
/// # }
/// ```
pub struct DecapsulationKey<S: ParameterSet> {
    dk_pke: DkPke<S>,
    ek: EncapsulationKey<S>,
    h_ek: [u8; 32],
    z: [u8; 32],
    /// The other half of the seed, meaningful only if `has_seed`.
    d: [u8; 32],
    has_seed: bool,
}

impl<S: ParameterSet> DecapsulationKey<S> {
    /// All zero: room for a key that is about to be written.
    #[inline(always)]
    pub(crate) const fn empty() -> Self {
        Self {
            dk_pke: <DkPke<S>>::ZERO,
            ek: EncapsulationKey(S::EncapsulationKeyBytes::ZERO),
            h_ek: [0; 32],
            z: [0; 32],
            d: [0; 32],
            has_seed: false,
        }
    }

    /// The same on the heap.
    #[cfg(feature = "alloc")]
    #[inline(never)] // frames that are not needed at the same time share the stack
    pub(crate) fn empty_box() -> Box<Self> {
        Box::new(Self::empty())
    }

    pub(crate) fn parts(&self) -> Dk<'_> {
        Dk { dk_pke: self.dk_pke.as_ref(), ek: self.ek.as_ref(), h_ek: &self.h_ek, z: &self.z }
    }

    pub(super) fn parts_mut(&mut self) -> DkMut<'_> {
        let Self { dk_pke, ek, h_ek, z, .. } = self;
        DkMut { dk_pke: dk_pke.as_mut(), ek: ek.0.as_mut(), h_ek, z }
    }

    /// The key that belongs to the seed d || z, in place of an empty one.
    pub(crate) fn set_seed(&mut self, seed: &[u8; SEED_SIZE]) {
        let (d, z) = d_z(seed);
        S::SealedAlgorithms::key_gen(d, z, self.parts_mut());
        self.set_d(d);
    }

    /// Notes d of the seed that the rest belongs to.
    pub(super) fn set_d(&mut self, d: &[u8; 32]) {
        self.d = *d;
        self.has_seed = true;
    }

    /// A copy of another key, in place of an empty one.
    pub(super) fn set_copy(&mut self, key: &Self) {
        self.set_expanded(key.parts());
        self.d = key.d;
        self.has_seed = key.has_seed;
    }

    /// The key of these parts, which have passed the checks, in place of an empty one.
    pub(crate) fn set_expanded(&mut self, dk: Dk<'_>) {
        self.parts_mut().copy_from(dk);
    }

    /// A copy that is made knowingly.
    #[inline(always)]
    pub(crate) const fn copy(&self) -> Self {
        let ek = EncapsulationKey(self.ek.0);
        Self { dk_pke: self.dk_pke, ek, h_ek: self.h_ek, z: self.z, d: self.d, has_seed: self.has_seed }
    }

    /// The parts of an expanded key, if it has their length.
    pub(crate) fn parts_of(expanded: &[u8]) -> Option<Dk<'_>> {
        Dk::of(S::SealedAlgorithms::K, expanded)
    }

    /// The parts of an expanded key, if they pass the checks.
    #[inline(never)] // `.ci/ct` knows its name: the answer is public
    pub(crate) fn checked(dk: Dk<'_>) -> Result<Dk<'_>, Error> {
        if S::SealedAlgorithms::dk_is_valid(dk) { Ok(dk) } else { Err(Error::DecapsulationKey) }
    }

    /// Both of these.
    pub(super) fn check(expanded: &S::DecapsulationKeyBytes) -> Result<Dk<'_>, Error> {
        Self::parts_of(expanded.as_ref()).ok_or(Error::Length).and_then(Self::checked)
    }

    /// d and z, unless the key came from its expanded form.
    #[cfg(feature = "pkcs8")]
    pub(crate) const fn seed_parts(&self) -> Option<[&[u8; 32]; 2]> {
        if self.has_seed { Some([&self.d, &self.z]) } else { None }
    }

    #[inline(never)] // as with `ok_pair`
    pub(crate) fn ok_copy<E>(&self) -> Result<Self, E> {
        Ok(self.copy())
    }

    generation_methods!();

    /// As [`generate`](Self::generate), with the pairwise test of
    /// [`check_pairwise_consistency`](Self::check_pairwise_consistency), once: what FIPS 140-3 asks of a key before its first use.
    /// A key that is made again from its stored seed needs none.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the operating system has none, [`Error::DecapsulationKey`] if the test fails.
    #[cfg(feature = "getrandom")]
    pub fn generate_checked() -> Result<Self, Error> {
        Self::generate_checked_with(super::keys::system_random)
    }

    /// As [`generate_with`](Self::generate_with), with that test.
    ///
    /// # Errors
    ///
    /// The error of `fill`, or [`Error::DecapsulationKey`] if the test fails; no key is made then.
    pub fn generate_checked_with<E: From<Error>>(
        fill: impl FnOnce(&mut [u8; SEED_SIZE]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut seed = Secret::new([0; SEED_SIZE]);
        fill(&mut seed)?;
        let mut key = Self::empty();
        key.set_seed(&seed);
        key.check_pairwise_consistency()?;
        key.ok_copy()
    }

    /// Writes the expanded form of the key that belongs to `seed` into the caller's memory, which the caller
    /// wipes when the key has served. The encapsulation key begins at
    /// [`ENCAPSULATION_KEY_OFFSET`](ParameterSet::ENCAPSULATION_KEY_OFFSET).
    pub fn expand_into(seed: &Seed, expanded: &mut S::DecapsulationKeyBytes) {
        let (d, z) = d_z(seed.as_bytes());
        if let Some(dk) = DkMut::of(S::SealedAlgorithms::K, expanded.as_mut()) {
            S::SealedAlgorithms::key_gen(d, z, dk);
        }
    }

    /// Decodes and checks an expanded key.
    ///
    /// The checks are those of FIPS 203, section 7.3 (the stored hash is that of the encapsulation key) and 7.2
    /// (the encapsulation key's numbers are below q), and beyond the standard that the numbers of s are below q.
    /// A key whose s is wrong in another way can only be found by
    /// [`check_pairwise_consistency`](Self::check_pairwise_consistency).
    ///
    /// # Errors
    ///
    /// [`Error::DecapsulationKey`] if a check fails.
    pub fn from_expanded_bytes(bytes: &S::DecapsulationKeyBytes) -> Result<Self, Error> {
        let dk = Self::check(bytes)?;
        let (dk_pke, ek) = (<DkPke<S>>::from_slice(dk.dk_pke)?, S::EncapsulationKeyBytes::from_slice(dk.ek)?);
        let ek = EncapsulationKey(*ek);
        Ok(Self { dk_pke: *dk_pke, ek, h_ek: *dk.h_ek, z: *dk.z, d: [0; 32], has_seed: false })
    }

    /// As [`from_expanded_bytes`](Self::from_expanded_bytes), on the heap, where the key stays: nothing of it is left
    /// on the stack.
    ///
    /// # Errors
    ///
    /// [`Error::DecapsulationKey`] if a check fails.
    #[cfg(feature = "alloc")]
    pub fn boxed_from_expanded_bytes(bytes: &S::DecapsulationKeyBytes) -> Result<Box<Self>, Error> {
        let dk = Self::check(bytes)?;
        let mut key = Self::empty_box();
        key.set_expanded(dk);
        Ok(key)
    }

    /// The expanded form dk_PKE || ek || H(ek) || z, wiped on drop.
    #[must_use]
    pub fn to_expanded_bytes(&self) -> ExpandedDecapsulationKey<S> {
        let mut expanded = Secret::new(S::DecapsulationKeyBytes::ZERO);
        self.to_expanded_bytes_into(&mut expanded);
        ExpandedDecapsulationKey::from_bytes(&*expanded)
    }

    /// As [`to_expanded_bytes`](Self::to_expanded_bytes), into the caller's memory, which the caller wipes when the key has
    /// served.
    pub fn to_expanded_bytes_into(&self, expanded: &mut S::DecapsulationKeyBytes) {
        if let Some(dk) = DkMut::of(S::SealedAlgorithms::K, expanded.as_mut()) {
            dk.copy_from(self.parts());
        }
    }

    /// The seed d || z, unless the key came from its expanded form, which does not hold d.
    #[must_use]
    pub fn to_seed(&self) -> Option<Seed> {
        let mut seed = Secret::new([0; SEED_SIZE]);
        self.to_seed_into(&mut seed).ok()?;
        Some(Seed::from_bytes(&seed))
    }

    /// As [`to_seed`](Self::to_seed), into the caller's memory, which the caller wipes when the seed has served.
    ///
    /// # Errors
    ///
    /// [`Error::NoSeed`] if the key came from its expanded form; `seed` is not touched then.
    pub fn to_seed_into(&self, seed: &mut [u8; SEED_SIZE]) -> Result<(), Error> {
        if !self.has_seed {
            return Err(Error::NoSeed);
        }
        let (d, z) = seed.split_at_mut(32);
        d.copy_from_slice(&self.d);
        z.copy_from_slice(&self.z);
        Ok(())
    }

    /// The public half.
    #[must_use]
    pub const fn encapsulation_key(&self) -> &EncapsulationKey<S> {
        &self.ek
    }

    /// FIPS 203, Algorithm 21 (ML-KEM.Decaps), of a [`Ciphertext`](crate::Ciphertext), an array of its bytes or a
    /// [`CiphertextRef`].
    ///
    /// A ciphertext that was not made for this key gives a secret that nobody else can know, in the same time: there is no
    /// error to see (implicit rejection).
    #[must_use]
    pub fn decapsulate<'a>(&self, ciphertext: impl Into<CiphertextRef<'a, S>>) -> SharedSecret {
        let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
        self.decapsulate_into(ciphertext, &mut k);
        SharedSecret::from_bytes(&k)
    }

    /// As [`decapsulate`](Self::decapsulate), into the caller's memory, which the caller wipes
    /// when the secret has served.
    pub fn decapsulate_into<'a>(
        &self,
        ciphertext: impl Into<CiphertextRef<'a, S>>,
        shared_secret: &mut [u8; SHARED_SECRET_SIZE],
    ) {
        S::SealedAlgorithms::decaps(self.parts(), ciphertext.into().as_bytes().as_ref(), shared_secret);
    }

    /// As [`from_expanded_bytes`](Self::from_expanded_bytes) and then [`decapsulate`](Self::decapsulate), in one pass over
    /// the key: the fastest way to use a key that is stored in its expanded form and used once.
    ///
    /// # Errors
    ///
    /// [`Error::DecapsulationKey`] if a check of the key fails.
    ///
    /// ```
    /// # fn main() -> Result<(), kemstone::Error> {
    /// use kemstone::Seed;
    /// use kemstone::ml_kem_768::{CIPHERTEXT_SIZE, DecapsulationKey};
    ///
    /// let key = DecapsulationKey::from_seed(&Seed::from([1; 64]));
    /// let (stored, ciphertext) = (key.to_expanded_bytes(), [2; CIPHERTEXT_SIZE]);
    /// let secret = DecapsulationKey::decapsulate_expanded(stored.as_bytes(), &ciphertext)?;
    /// assert_eq!(secret, key.decapsulate(&ciphertext));
    /// # Ok(())
    /// # }
    /// ```
    pub fn decapsulate_expanded<'a>(
        expanded: &S::DecapsulationKeyBytes,
        ciphertext: impl Into<CiphertextRef<'a, S>>,
    ) -> Result<SharedSecret, Error> {
        let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
        Self::decapsulate_expanded_into(expanded, ciphertext, &mut k)?;
        Ok(SharedSecret::from_bytes(&k))
    }

    /// As [`decapsulate_expanded`](Self::decapsulate_expanded), into the caller's memory, which the caller wipes when
    /// the secret has served.
    ///
    /// # Errors
    ///
    /// [`Error::DecapsulationKey`] if a check of the key fails; `shared_secret` is then zero.
    pub fn decapsulate_expanded_into<'a>(
        expanded: &S::DecapsulationKeyBytes,
        ciphertext: impl Into<CiphertextRef<'a, S>>,
        shared_secret: &mut [u8; SHARED_SECRET_SIZE],
    ) -> Result<(), Error> {
        let c = ciphertext.into().as_bytes().as_ref();
        let valid = Dk::of(S::SealedAlgorithms::K, expanded.as_ref())
            .is_some_and(|dk| S::SealedAlgorithms::decaps_checked(dk, c, shared_secret));
        valid.then_some(()).ok_or(Error::DecapsulationKey)
    }

    /// Encapsulates to the key with a fixed `m`, decapsulates and compares; both secrets are discarded. FIPS 140-3
    /// asks for this after key generation, FIPS 203, section 7.1, recommends it for imported keys; it
    /// is not done unasked.
    ///
    /// # Errors
    ///
    /// [`Error::DecapsulationKey`] if the secrets differ.
    pub fn check_pairwise_consistency(&self) -> Result<(), Error> {
        let (ciphertext, expected) = self.ek.with_m(&[0x5a; 32]);
        if self.decapsulate(&ciphertext) == expected { Ok(()) } else { Err(Error::DecapsulationKey) }
    }
}

impl<S: ParameterSet> Generate for DecapsulationKey<S> {
    #[inline(never)] // as with `ok_pair`
    fn with_seed(seed: &[u8; SEED_SIZE]) -> Self {
        let mut key = Self::empty();
        key.set_seed(seed);
        key.copy()
    }

    #[cfg(feature = "alloc")]
    fn boxed_with_seed(seed: &[u8; SEED_SIZE]) -> Box<Self> {
        let mut key = Self::empty_box();
        key.set_seed(seed);
        key
    }
}

impl<S: ParameterSet> From<Seed> for DecapsulationKey<S> {
    /// As [`DecapsulationKey::from_seed`].
    fn from(seed: Seed) -> Self {
        Self::from_seed(&seed)
    }
}

impl<S: ParameterSet> fmt::Debug for DecapsulationKey<S> {
    /// The public half's `Debug`, and nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecapsulationKey").field("public", &self.ek).finish_non_exhaustive()
    }
}

impl<S: ParameterSet> Zeroize for DecapsulationKey<S> {
    /// What is left is no key: it gives secrets that everyone knows. Dropping a key wipes it, too.
    fn zeroize(&mut self) {
        self.has_seed = false;
        self.dk_pke.wipe();
        self.ek.0.wipe();
        self.h_ek.wipe();
        self.z.wipe();
        self.d.wipe();
        optimization_barrier(self);
    }
}

impl<S: ParameterSet> Drop for DecapsulationKey<S> {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl<S: ParameterSet> ZeroizeOnDrop for DecapsulationKey<S> {}
