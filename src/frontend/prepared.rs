//! Keys for many uses: what every use would compute again is computed once and kept.
//!
//! Inside, a prepared key holds elements of T_q and so belongs to the backend that made it; users see one type for each
//! parameter set.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
use alloc::sync::Arc;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use rand_core::{CryptoRng, TryCryptoRng};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Error;
use super::bytes::Bytes;
use super::ct::Secret;
use super::decapsulation::{DecapsulationKey, Generate, generation_methods};
use super::encapsulation::{Ciphertext, CiphertextRef, Encapsulate, EncapsulationKey, encapsulation_methods};
use super::kem::{Dk, Ek};
use super::keys::{SEED_SIZE, SHARED_SECRET_SIZE, Seed, SharedSecret, d_z};
use super::sets::ParameterSet;
use super::sets::sealed::{Algorithms, PreparedDk, PreparedEk};
#[cfg(feature = "alloc")]
use super::side_by_side::KeyGeneration;
use crate::backend::select::{Held, PerBackend, Selected, empty};

/// An [`EncapsulationKey`] for many encapsulations: keeps the matrix A, t and H(ek), which each would compute
/// again. For static keys, HPKE and ECH; a key that is used once gains nothing.
///
/// It takes at most 4032, 7488 or 11968 bytes for ML-KEM-512, 768 or 1024. All of it is public: nothing to wipe.
///
/// ```
/// # #[cfg(feature = "getrandom")] {
/// use kemstone::ml_kem_768::{DecapsulationKey, PreparedEncapsulationKey};
///
/// # fn main() -> Result<(), kemstone::Error> {
/// let theirs = DecapsulationKey::generate()?;
/// let key = PreparedEncapsulationKey::new(theirs.encapsulation_key());
/// for _ in 0..3 {
///     let (ciphertext, ours) = key.encapsulate()?;
///     assert_eq!(theirs.decapsulate(&ciphertext), ours);
/// }
/// # Ok(())
/// # }
/// # main().unwrap();
/// # }
/// ```
pub struct PreparedEncapsulationKey<S: ParameterSet> {
    key: EncapsulationKey<S>,
    held: Held<PreparedEk<S>>,
}

impl<S: ParameterSet> PreparedEncapsulationKey<S> {
    /// Prepares a key.
    #[must_use]
    pub fn new(key: &EncapsulationKey<S>) -> Self {
        let mut prepared = Self::empty(key);
        prepared.prepare();
        prepared
    }

    /// As [`new`](Self::new), on the heap.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn boxed(key: &EncapsulationKey<S>) -> Box<Self> {
        let mut prepared = Self::empty_box(key);
        prepared.prepare();
        prepared
    }

    /// As [`new`](Self::new), on the heap, to be shared.
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
    #[must_use]
    pub fn shared(key: &EncapsulationKey<S>) -> Arc<Self> {
        Arc::from(Self::boxed(key))
    }

    #[allow(clippy::redundant_closure_call)] // as `empty!` says
    #[inline(always)]
    fn empty(key: &EncapsulationKey<S>) -> Self {
        empty!(Selected::best(), PreparedEk<S>, key.clone())
    }

    #[cfg(feature = "alloc")]
    #[inline(never)] // frames that are not needed at the same time share the stack
    fn empty_box(key: &EncapsulationKey<S>) -> Box<Self> {
        Box::new(Self::empty(key))
    }

    pub(super) const fn held(&self) -> &Held<PreparedEk<S>> {
        &self.held
    }

    #[inline(never)]
    fn prepare(&mut self) {
        S::SealedAlgorithms::prepare_ek(&mut self.held, Ek(self.key.as_ref()));
    }

    /// As [`EncapsulationKey::from_bytes`], prepared.
    ///
    /// # Errors
    ///
    /// [`Error::EncapsulationKey`] if one of its numbers is not below q.
    pub fn from_bytes(bytes: &S::EncapsulationKeyBytes) -> Result<Self, Error> {
        EncapsulationKey::from_bytes(bytes).map(|key| Self::new(&key))
    }

    /// The key that was prepared.
    #[must_use]
    pub const fn encapsulation_key(&self) -> &EncapsulationKey<S> {
        &self.key
    }

    encapsulation_methods!();
}

impl<S: ParameterSet> Encapsulate<S> for PreparedEncapsulationKey<S> {
    fn with_m_into(&self, m: &[u8; 32], c: &mut S::CiphertextBytes, k: &mut [u8; SHARED_SECRET_SIZE]) {
        S::SealedAlgorithms::encaps_prepared(&self.held, m, c.as_mut(), k);
    }
}

impl<S: ParameterSet> From<&EncapsulationKey<S>> for PreparedEncapsulationKey<S> {
    fn from(key: &EncapsulationKey<S>) -> Self {
        Self::new(key)
    }
}

impl<S: ParameterSet> TryFrom<&[u8]> for PreparedEncapsulationKey<S> {
    type Error = Error;

    /// As [`PreparedEncapsulationKey::from_bytes`], and [`Error::Length`] if the length differs.
    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_bytes(Bytes::from_slice(bytes)?)
    }
}

impl<S: ParameterSet> Clone for PreparedEncapsulationKey<S> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), held: self.held }
    }
}

impl<S: ParameterSet> PartialEq for PreparedEncapsulationKey<S> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<S: ParameterSet> Eq for PreparedEncapsulationKey<S> {}

impl<S: ParameterSet> PartialOrd for PreparedEncapsulationKey<S> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<S: ParameterSet> Ord for PreparedEncapsulationKey<S> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl<S: ParameterSet> Hash for PreparedEncapsulationKey<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl<S: ParameterSet> fmt::Debug for PreparedEncapsulationKey<S> {
    /// The last four bytes of rho tell keys apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PreparedEncapsulationKey").field(&self.key).finish()
    }
}

/// A [`DecapsulationKey`] for many decapsulations: keeps the matrix A, s and t, which each would compute again.
/// For the static keys of servers, HPKE and ECH; a key that is used once gains nothing.
///
/// It takes at most 5952, 10304 or 15680 bytes for ML-KEM-512, 768 or 1024. Its secrets are wiped on drop; `Debug` shows
/// nothing of them.
///
/// Best made on the heap, by [`boxed`](Self::boxed) or [`shared`](Self::shared) and the like: there it stays. Of one that is
/// returned by value the library leaves no copy, but each move of it does, as [`DecapsulationKey`] says.
///
/// ```
/// use kemstone::Seed;
/// use kemstone::ml_kem_768::{CIPHERTEXT_SIZE, DecapsulationKey, PreparedDecapsulationKey};
///
/// let plain = DecapsulationKey::from_seed(&Seed::from([1; 64]));
/// let prepared = PreparedDecapsulationKey::new(&plain);
/// let ciphertext = [2; CIPHERTEXT_SIZE];
/// assert_eq!(prepared.decapsulate(&ciphertext), plain.decapsulate(&ciphertext));
/// ```
pub struct PreparedDecapsulationKey<S: ParameterSet> {
    key: DecapsulationKey<S>,
    held: Held<PreparedDk<S>>,
}

impl<S: ParameterSet> PreparedDecapsulationKey<S> {
    /// Prepares a copy of a key.
    #[must_use]
    #[inline(never)] // as with `ok_pair`
    pub fn new(key: &DecapsulationKey<S>) -> Self {
        let mut prepared = Self::empty();
        prepared.set_copy(key);
        prepared.copy()
    }

    /// As [`new`](Self::new), on the heap, where the key stays: nothing of it is left on the stack.
    ///
    /// To share it, use [`shared`](Self::shared): `Arc::from` of a `Box` moves what is inside, and gives the memory where
    /// the secrets were back unwiped.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn boxed(key: &DecapsulationKey<S>) -> Box<Self> {
        let mut prepared = Self::empty_box();
        prepared.set_copy(key);
        prepared
    }

    /// As [`boxed`](Self::boxed), to be shared.
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
    #[must_use]
    pub fn shared(key: &DecapsulationKey<S>) -> Arc<Self> {
        let mut prepared = Self::empty_arc();
        // Nobody else has it yet.
        if let Some(prepared) = Arc::get_mut(&mut prepared) {
            prepared.set_copy(key);
        }
        prepared
    }

    /// Room for a key that is about to be prepared.
    #[allow(clippy::redundant_closure_call)] // as `empty!` says
    #[inline(never)] // frames that are not needed at the same time share the stack
    fn empty() -> Self {
        empty!(Selected::best(), PreparedDk<S>, DecapsulationKey::empty())
    }

    /// The same on the heap.
    #[cfg(feature = "alloc")]
    #[inline(never)] // frames that are not needed at the same time share the stack
    pub(super) fn empty_box() -> Box<Self> {
        Box::new(Self::empty())
    }

    /// The same on the heap, to be shared.
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
    #[inline(never)] // frames that are not needed at the same time share the stack
    fn empty_arc() -> Arc<Self> {
        Arc::new(Self::empty())
    }

    /// A copy of a key, in place of an empty one.
    fn set_copy(&mut self, key: &DecapsulationKey<S>) {
        self.key.set_copy(key);
        self.prepare();
    }

    /// The key that belongs to the seed d || z, in place of an empty one.
    fn set_seed(&mut self, seed: &[u8; SEED_SIZE]) {
        let (d, z) = d_z(seed);
        S::SealedAlgorithms::key_gen_prepared(&mut self.held, d, z, self.key.parts_mut());
        self.key.set_d(d);
    }

    /// What generating the key of this seed in place takes, with others side by side.
    #[cfg(feature = "alloc")]
    pub(super) fn generation<'a>(
        &'a mut self,
        seed: &'a [u8; SEED_SIZE],
    ) -> (KeyGeneration<'a>, &'a mut Held<PreparedDk<S>>) {
        let (d, z) = d_z(seed);
        self.key.set_d(d);
        (KeyGeneration { d, z, dk: self.key.parts_mut() }, &mut self.held)
    }

    #[inline(never)]
    fn prepare(&mut self) {
        S::SealedAlgorithms::prepare_dk(&mut self.held, self.key.parts());
    }

    pub(super) const fn held(&self) -> &Held<PreparedDk<S>> {
        &self.held
    }

    /// Exchanges what two keys keep, and not their bytes.
    #[cfg(test)]
    pub(crate) const fn swap_held(&mut self, other: &mut Self) {
        core::mem::swap(&mut self.held, &mut other.held);
    }

    /// A copy that is made knowingly.
    #[inline(always)]
    fn copy(&self) -> Self {
        Self { key: self.key.copy(), held: self.held }
    }

    generation_methods!();

    /// As [`DecapsulationKey::from_expanded_bytes`], prepared.
    ///
    /// # Errors
    ///
    /// [`Error::DecapsulationKey`] if a check fails.
    pub fn from_expanded_bytes(bytes: &S::DecapsulationKeyBytes) -> Result<Self, Error> {
        let dk = DecapsulationKey::<S>::check(bytes)?;
        Ok(Self::with_expanded(dk))
    }

    #[inline(never)] // as with `ok_pair`
    fn with_expanded(dk: Dk<'_>) -> Self {
        let mut prepared = Self::empty();
        prepared.key.set_expanded(dk);
        prepared.prepare();
        prepared.copy()
    }

    /// The key that was prepared.
    #[must_use]
    pub const fn decapsulation_key(&self) -> &DecapsulationKey<S> {
        &self.key
    }

    /// The public half.
    #[must_use]
    pub const fn encapsulation_key(&self) -> &EncapsulationKey<S> {
        self.key.encapsulation_key()
    }

    /// FIPS 203, Algorithm 21 (ML-KEM.Decaps), as [`DecapsulationKey::decapsulate`].
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
        let c = ciphertext.into().as_bytes().as_ref();
        S::SealedAlgorithms::decaps_prepared(&self.held, self.key.parts().z, c, shared_secret);
    }

    /// As [`DecapsulationKey::check_pairwise_consistency`], of what is kept as well.
    ///
    /// # Errors
    ///
    /// [`Error::DecapsulationKey`] if the secrets differ.
    pub fn check_pairwise_consistency(&self) -> Result<(), Error> {
        let (ciphertext, expected) = self.encapsulation_key().with_m(&[0x5a; 32]);
        if self.decapsulate(&ciphertext) == expected { Ok(()) } else { Err(Error::DecapsulationKey) }
    }
}

impl<S: ParameterSet> Generate for PreparedDecapsulationKey<S> {
    #[inline(never)] // frames that are not needed at the same time share the stack
    fn with_seed(seed: &[u8; SEED_SIZE]) -> Self {
        let mut prepared = Self::empty();
        prepared.set_seed(seed);
        prepared.copy()
    }

    #[cfg(feature = "alloc")]
    fn boxed_with_seed(seed: &[u8; SEED_SIZE]) -> Box<Self> {
        let mut prepared = Self::empty_box();
        prepared.set_seed(seed);
        prepared
    }
}

impl<S: ParameterSet> From<&DecapsulationKey<S>> for PreparedDecapsulationKey<S> {
    fn from(key: &DecapsulationKey<S>) -> Self {
        Self::new(key)
    }
}

impl<S: ParameterSet> From<Seed> for PreparedDecapsulationKey<S> {
    /// As [`PreparedDecapsulationKey::from_seed`].
    fn from(seed: Seed) -> Self {
        Self::from_seed(&seed)
    }
}

impl<S: ParameterSet> fmt::Debug for PreparedDecapsulationKey<S> {
    /// The public half's `Debug`, and nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PreparedDecapsulationKey").field(&self.key).finish()
    }
}

impl<S: ParameterSet> Zeroize for PreparedDecapsulationKey<S> {
    /// As that of [`DecapsulationKey`].
    fn zeroize(&mut self) {
        S::SealedAlgorithms::wipe_dk(&mut self.held);
        self.key.zeroize();
    }
}

impl<S: ParameterSet> Drop for PreparedDecapsulationKey<S> {
    fn drop(&mut self) {
        S::SealedAlgorithms::wipe_dk(&mut self.held);
    } // and `key` wipes itself
}

impl<S: ParameterSet> ZeroizeOnDrop for PreparedDecapsulationKey<S> {}

#[cfg(test)]
mod tests {
    use crate::frontend::{Error, Seed, ml_kem_512, ml_kem_768, ml_kem_1024};

    #[test]
    #[cfg(feature = "alloc")]
    fn consistency_is_that_of_what_is_kept() {
        macro_rules! exchange {
            ($module:ident) => {
                let prepared =
                    |byte| $module::PreparedDecapsulationKey::boxed_from_seed(&Seed::from([byte; 64]));
                let (mut one, mut other) = (prepared(1), prepared(2));
                assert_eq!(one.check_pairwise_consistency(), Ok(()));
                one.swap_held(&mut other);
                for key in [one, other] {
                    assert_eq!(key.decapsulation_key().check_pairwise_consistency(), Ok(()));
                    assert_eq!(key.check_pairwise_consistency(), Err(Error::DecapsulationKey));
                }
            };
        }
        exchange!(ml_kem_512);
        exchange!(ml_kem_768);
        exchange!(ml_kem_1024);
    }

    #[test]
    fn sizes_are_as_documented() {
        // A target with one backend needs no room to say which.
        assert!(size_of::<ml_kem_512::PreparedEncapsulationKey>() <= 4032);
        assert!(size_of::<ml_kem_768::PreparedEncapsulationKey>() <= 7488);
        assert!(size_of::<ml_kem_1024::PreparedEncapsulationKey>() <= 11968);
        assert!(size_of::<ml_kem_512::PreparedDecapsulationKey>() <= 5952);
        assert!(size_of::<ml_kem_768::PreparedDecapsulationKey>() <= 10304);
        assert!(size_of::<ml_kem_1024::PreparedDecapsulationKey>() <= 15680);
    }
}
