//! The types users hold, and the algorithms: the framework CG of `draft-irtf-cfrg-hybrid-kems-12`.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt;

use rand_core::{CryptoRng, TryCryptoRng};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::HybridKem;
use super::group::Group;
use super::sealed::Sealed;
use crate::frontend::bytes::sealed::Array;
use crate::frontend::ct::{Secret, Wipe};
use crate::frontend::encapsulation::{checked_conversions, conversions};
use crate::frontend::kem::Ek;
use crate::frontend::keys::secret_bytes;
use crate::frontend::sets::sealed::Algorithms;
use crate::frontend::symmetric::{sha3_256_of_secret, shake256};
use crate::frontend::{self, Bytes, Error, ParameterSet, SHARED_SECRET_SIZE, SharedSecret};

/// Bytes of a [`Seed`].
pub const SEED_SIZE: usize = 32;

secret_bytes! {
    /// The 32 bytes that a hybrid decapsulation key is made from, and the only form to store one in.
    ///
    /// Wiped on drop; `Debug` shows nothing of it; `==` takes constant time; there is no `Clone`.
    ///
    /// ```
    /// use kemstone::hybrid::{Seed, x_wing::DecapsulationKey};
    ///
    /// let key = DecapsulationKey::from_seed(&Seed::from([7; 32]));
    /// assert_eq!(key.to_seed(), Seed::from([7; 32]));
    /// ```
    Seed, [u8; SEED_SIZE], [] [u8; SEED_SIZE]
}

type ScalarOf<H> = <<H as Sealed>::SealedGroup as Group>::Scalar;
type GroupSeedOf<H> = <<H as Sealed>::SealedGroup as Group>::Seed;
type AlgorithmsOf<H> = <<H as HybridKem>::MlKem as frontend::sets::sealed::Sealed>::SealedAlgorithms;

/// C2PRICombiner: SHA3-256(ss_PQ || ss_T || ct_T || ek_T || label).
#[inline(never)]
fn combine<H: HybridKem>(
    ss_pq: &[u8; 32],
    ss_t: &ScalarOf<H>,
    ct_t: &[u8],
    ek_t: &[u8],
    ss: &mut [u8; SHARED_SECRET_SIZE],
) {
    /// As long as that of MLKEM1024-P384.
    const LONGEST: usize = 32 + 48 + 97 + 97 + 14;
    const {
        let element = H::SealedGroup::ELEMENT_SIZE;
        assert!(32 + size_of::<ScalarOf<H>>() + 2 * element + H::SEALED_LABEL.len() <= LONGEST);
    }

    let mut message = Secret::new([0; LONGEST]);
    let mut length = 0;
    for part in [ss_pq, ss_t.as_ref(), ct_t, ek_t, H::SEALED_LABEL] {
        if let Some(to) = message.get_mut(length..length + part.len()) {
            to.copy_from_slice(part);
        }
        length += part.len();
    }
    if let Some(message) = message.get(..length) {
        sha3_256_of_secret(message, ss);
    }
}

/// The public key: whoever has it can send its owner a secret.
///
/// A value of this type has passed the modulus check of FIPS 203, section 7.2. For P-256 and P-384 its point is on the curve, and not
/// the identity; X25519 takes any 32 bytes.
///
/// ```
/// use kemstone::Error;
/// use kemstone::hybrid::Seed;
/// use kemstone::hybrid::ml_kem_768_p256::{DecapsulationKey, EncapsulationKey};
///
/// # fn main() -> Result<(), Error> {
/// let owner = DecapsulationKey::from_seed(&Seed::from([1; 32]));
/// let mut bytes = owner.encapsulation_key().to_bytes();
/// assert_eq!(&EncapsulationKey::from_bytes(&bytes)?, owner.encapsulation_key());
/// bytes[1248] ^= 1; // another coordinate
/// assert_eq!(EncapsulationKey::from_bytes(&bytes), Err(Error::EncapsulationKey));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncapsulationKey<H: HybridKem>(H::EncapsulationKeyBytes);

conversions!(EncapsulationKey<H: HybridKem>, EncapsulationKeyBytes);
checked_conversions!(EncapsulationKey<H: HybridKem>, EncapsulationKeyBytes);

impl<H: HybridKem> EncapsulationKey<H> {
    /// Decodes and checks a key.
    ///
    /// # Errors
    ///
    /// [`Error::EncapsulationKey`] if a number of ML-KEM's half is not below q, or the point is not on the curve.
    pub fn from_bytes(bytes: &H::EncapsulationKeyBytes) -> Result<Self, Error> {
        let (ek_pq, ek_t) = bytes.as_ref().split_at(H::MlKem::ENCAPSULATION_KEY_SIZE);
        if <AlgorithmsOf<H>>::ek_is_valid(Ek(ek_pq)) && H::SealedGroup::is_element(ek_t) {
            Ok(Self(*bytes))
        } else {
            Err(Error::EncapsulationKey)
        }
    }

    /// ek_PQ and ek_T.
    fn halves(&self) -> (Ek<'_>, &[u8]) {
        let (ek_pq, ek_t) = self.0.as_ref().split_at(H::MlKem::ENCAPSULATION_KEY_SIZE);
        (Ek(ek_pq), ek_t)
    }

    /// EncapsDerand, with the randomness m || that of the group.
    #[inline(never)]
    fn derand_into(
        &self,
        randomness: &H::Randomness,
        ct: &mut H::CiphertextBytes,
        ss: &mut [u8; SHARED_SECRET_SIZE],
    ) {
        let (ek_pq, ek_t) = self.halves();
        let (ct_pq, ct_t) = ct.as_mut().split_at_mut(H::MlKem::CIPHERTEXT_SIZE);
        let Some((m, seed_e)) = randomness.as_ref().split_first_chunk() else { return };
        let Ok(seed_e) = <GroupSeedOf<H>>::from_slice(seed_e) else { return };

        let mut ss_pq = Secret::new([0; 32]);
        <AlgorithmsOf<H>>::encaps(ek_pq, m, ct_pq, &mut ss_pq);

        let mut sk_e = Secret::new(<ScalarOf<H>>::ZERO);
        H::SealedGroup::random_scalar(seed_e, &mut sk_e);
        H::SealedGroup::public(&sk_e, ct_t);
        let mut ss_t = Secret::new(<ScalarOf<H>>::ZERO);
        H::SealedGroup::exchange(&sk_e, ek_t, &mut ss_t);

        combine::<H>(&ss_pq, &ss_t, ct_t, ek_t, ss);
    }

    fn derand(&self, randomness: &H::Randomness) -> (Ciphertext<H>, SharedSecret) {
        let mut ct = H::CiphertextBytes::ZERO;
        let mut ss = Secret::new([0; SHARED_SECRET_SIZE]);
        self.derand_into(randomness, &mut ct, &mut ss);
        pair(&ct, &ss)
    }

    /// Encapsulates with the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the operating system has none.
    #[cfg(feature = "getrandom")]
    pub fn encapsulate(&self) -> Result<(Ciphertext<H>, SharedSecret), Error> {
        self.encapsulate_with(system_random)
    }

    /// Encapsulates with randomness drawn from `rng` in one call.
    ///
    /// `rng` is a generator of `rand_core` 0.10. Any other, also of another version of `rand_core`, serves by the closure
    /// of [`encapsulate_with`](Self::encapsulate_with).
    pub fn encapsulate_with_rng<R: CryptoRng + ?Sized>(&self, rng: &mut R) -> (Ciphertext<H>, SharedSecret) {
        let mut randomness = Secret::new(H::Randomness::ZERO);
        rng.fill_bytes(randomness.as_mut());
        self.derand(&randomness)
    }

    /// As [`encapsulate_with_rng`](Self::encapsulate_with_rng), with a generator that may fail.
    ///
    /// # Errors
    ///
    /// The generator's error; nothing is encapsulated then.
    pub fn try_encapsulate_with_rng<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
    ) -> Result<(Ciphertext<H>, SharedSecret), R::Error> {
        self.encapsulate_with(|randomness| rng.try_fill_bytes(randomness.as_mut()))
    }

    /// Encapsulates with the 64, 160 or 80 bytes that `fill` writes: for random generators of any crate and version. They must be
    /// fresh and uniformly random; a closure that returns `Ok` without writing them gives a secret that everyone knows.
    ///
    /// # Errors
    ///
    /// The error of `fill`; nothing is encapsulated then.
    pub fn encapsulate_with<E>(
        &self,
        fill: impl FnOnce(&mut H::Randomness) -> Result<(), E>,
    ) -> Result<(Ciphertext<H>, SharedSecret), E> {
        let mut ct = H::CiphertextBytes::ZERO;
        let mut ss = Secret::new([0; SHARED_SECRET_SIZE]);
        self.encapsulate_into(fill, &mut ct, &mut ss)?;
        ok_pair(&ct, &ss)
    }

    /// As [`encapsulate_with`](Self::encapsulate_with), into the caller's memory, which the caller wipes when the secret has
    /// served.
    ///
    /// # Errors
    ///
    /// The error of `fill`; neither output is touched then.
    pub fn encapsulate_into<E>(
        &self,
        fill: impl FnOnce(&mut H::Randomness) -> Result<(), E>,
        ciphertext: &mut H::CiphertextBytes,
        shared_secret: &mut [u8; SHARED_SECRET_SIZE],
    ) -> Result<(), E> {
        let mut randomness = Secret::new(H::Randomness::ZERO);
        fill(&mut randomness)?;
        self.derand_into(&randomness, ciphertext, shared_secret);
        Ok(())
    }

    /// Encapsulates with given randomness (`draft-irtf-cfrg-hybrid-kems-12`, EncapsDerand): the 32 bytes m of ML-KEM, then what
    /// the group takes.
    ///
    /// For test vectors. Whoever learns or repeats the randomness has the secret: anything but fresh uniformly random bytes breaks
    /// the scheme.
    #[cfg(feature = "hazmat")]
    #[must_use]
    pub fn encapsulate_deterministic(&self, randomness: &H::Randomness) -> (Ciphertext<H>, SharedSecret) {
        self.derand(randomness)
    }
}

// As in `frontend/encapsulation.rs`: so the secret is written to the caller's place.

#[inline(never)]
fn ok_pair<H: HybridKem, E>(
    ct: &H::CiphertextBytes,
    ss: &[u8; SHARED_SECRET_SIZE],
) -> Result<(Ciphertext<H>, SharedSecret), E> {
    Ok(pair(ct, ss))
}

#[inline(never)]
fn pair<H: HybridKem>(
    ct: &H::CiphertextBytes,
    ss: &[u8; SHARED_SECRET_SIZE],
) -> (Ciphertext<H>, SharedSecret) {
    (Ciphertext(*ct), SharedSecret::from_bytes(ss))
}

/// What the sender of a secret transmits.
///
/// For P-256 and P-384 its point is on the curve, and not the identity; for X-Wing any bytes of the right length are a ciphertext.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ciphertext<H: HybridKem>(H::CiphertextBytes);

conversions!(Ciphertext<H: HybridKem>, CiphertextBytes);
checked_conversions!(Ciphertext<H: HybridKem>, CiphertextBytes);

impl<H: HybridKem> Ciphertext<H> {
    /// Decodes and checks a ciphertext.
    ///
    /// # Errors
    ///
    /// [`Error::Ciphertext`] if its point is not on the curve.
    pub fn from_bytes(bytes: &H::CiphertextBytes) -> Result<Self, Error> {
        let ct_t = &bytes.as_ref()[H::MlKem::CIPHERTEXT_SIZE..];
        if H::SealedGroup::is_element(ct_t) { Ok(Self(*bytes)) } else { Err(Error::Ciphertext) }
    }
}

/// The private key: turns the ciphertexts encapsulated to its public half into their secrets.
///
/// Store it as its [`Seed`]. Wiped on drop; `Debug` shows nothing of it; there is no `Clone`. As with a
/// [plain key](crate::DecapsulationKey), moving it leaves a copy behind: `boxed_generate_with` and `boxed_from_seed` build it where
/// it stays.
pub struct DecapsulationKey<H: HybridKem> {
    seed: [u8; SEED_SIZE],
    pq: frontend::DecapsulationKey<H::MlKem>,
    t: ScalarOf<H>,
    ek: EncapsulationKey<H>,
}

impl<H: HybridKem> DecapsulationKey<H> {
    /// All zero: room for a key that is about to be written.
    #[inline(always)]
    const fn empty() -> Self {
        Self {
            seed: [0; SEED_SIZE],
            pq: frontend::DecapsulationKey::empty(),
            t: <ScalarOf<H>>::ZERO,
            ek: EncapsulationKey(H::EncapsulationKeyBytes::ZERO),
        }
    }

    #[cfg(feature = "alloc")]
    #[inline(never)] // frames that are not needed at the same time share the stack
    fn empty_box() -> Box<Self> {
        Box::new(Self::empty())
    }

    /// DeriveKeyPair, in place of an empty key: the seed is expanded by SHAKE256.
    #[inline(never)]
    fn set_seed(&mut self, seed: &[u8; SEED_SIZE]) {
        /// As long as that of P-256.
        const LONGEST: usize = frontend::SEED_SIZE + 128;
        const { assert!(frontend::SEED_SIZE + H::SealedGroup::SEED_SIZE <= LONGEST) }

        let mut expanded = Secret::new([0; LONGEST]);
        let size = frontend::SEED_SIZE + H::SealedGroup::SEED_SIZE;
        let Some((expanded, _)) = expanded.split_at_mut_checked(size) else { return };
        shake256(seed, expanded);
        let Some((seed_pq, seed_t)) = expanded.split_first_chunk() else { return };
        let Ok(seed_t) = <GroupSeedOf<H>>::from_slice(seed_t) else { return };

        self.pq.set_seed(seed_pq);
        H::SealedGroup::random_scalar(seed_t, &mut self.t);
        let (ek_pq, ek_t) = self.ek.0.as_mut().split_at_mut(H::MlKem::ENCAPSULATION_KEY_SIZE);
        ek_pq.copy_from_slice(self.pq.encapsulation_key().as_ref());
        H::SealedGroup::public(&self.t, ek_t);
        self.seed = *seed;
    }

    /// A copy that is made knowingly.
    #[inline(always)]
    const fn copy(&self) -> Self {
        Self { seed: self.seed, pq: self.pq.copy(), t: self.t, ek: EncapsulationKey(self.ek.0) }
    }

    pub(crate) fn with_seed(seed: &[u8; SEED_SIZE]) -> Self {
        let mut key = Self::empty();
        key.set_seed(seed);
        key.copy()
    }

    #[inline(never)] // as with `ok_pair`
    fn ok_with_seed<E>(seed: &[u8; SEED_SIZE]) -> Result<Self, E> {
        Ok(Self::with_seed(seed))
    }

    /// The halves.
    #[cfg(feature = "internals")]
    pub(crate) fn parts(&self) -> (&frontend::DecapsulationKey<H::MlKem>, &[u8]) {
        (&self.pq, self.t.as_ref())
    }

    /// Makes a key with the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the operating system has none.
    #[cfg(feature = "getrandom")]
    pub fn generate() -> Result<Self, Error> {
        Self::generate_with(system_random)
    }

    /// Makes a key with 32 bytes drawn from `rng` in one call.
    ///
    /// `rng` is a generator of `rand_core` 0.10. Any other, also of another version of `rand_core`, serves by the closure
    /// of [`generate_with`](Self::generate_with).
    pub fn generate_from_rng<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Secret::new([0; SEED_SIZE]);
        rng.fill_bytes(&mut *seed);
        Self::with_seed(&seed)
    }

    /// As [`generate_from_rng`](Self::generate_from_rng), with a generator that may fail.
    ///
    /// # Errors
    ///
    /// The generator's error; no key is made then.
    pub fn try_generate_from_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
        Self::generate_with(|seed| rng.try_fill_bytes(seed))
    }

    /// Makes a key with the 32 bytes that `fill` writes: for random generators of any crate and version. They must be fresh and
    /// uniformly random; a closure that returns `Ok` without writing them gives a key that everyone knows.
    ///
    /// # Errors
    ///
    /// The error of `fill`; no key is made then.
    pub fn generate_with<E>(fill: impl FnOnce(&mut [u8; SEED_SIZE]) -> Result<(), E>) -> Result<Self, E> {
        let mut seed = Secret::new([0; SEED_SIZE]);
        fill(&mut seed)?;
        Self::ok_with_seed(&seed)
    }

    /// The key that belongs to a seed.
    #[must_use]
    pub fn from_seed(seed: &Seed) -> Self {
        Self::with_seed(seed.as_bytes())
    }

    /// As [`generate_with`](Self::generate_with), on the heap, where the key stays.
    ///
    /// # Errors
    ///
    /// The error of `fill`; no key is made then.
    #[cfg(feature = "alloc")]
    pub fn boxed_generate_with<E>(
        fill: impl FnOnce(&mut [u8; SEED_SIZE]) -> Result<(), E>,
    ) -> Result<Box<Self>, E> {
        let mut seed = Secret::new([0; SEED_SIZE]);
        fill(&mut seed)?;
        let mut key = Self::empty_box();
        key.set_seed(&seed);
        Ok(key)
    }

    /// As [`from_seed`](Self::from_seed), on the heap, where the key stays.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn boxed_from_seed(seed: &Seed) -> Box<Self> {
        let mut key = Self::empty_box();
        key.set_seed(seed.as_bytes());
        key
    }

    /// The seed.
    #[must_use]
    #[inline(never)] // in a caller, its words may be in registers that functions called next put on the stack
    pub const fn to_seed(&self) -> Seed {
        Seed::from_bytes(&self.seed)
    }

    /// The public half.
    #[must_use]
    pub const fn encapsulation_key(&self) -> &EncapsulationKey<H> {
        &self.ek
    }

    /// The secret of a ciphertext. One that was not made for this key gives a secret that nobody else can know.
    #[must_use]
    pub fn decapsulate(&self, ciphertext: &Ciphertext<H>) -> SharedSecret {
        let mut ss = Secret::new([0; SHARED_SECRET_SIZE]);
        self.decapsulate_into(ciphertext, &mut ss);
        SharedSecret::from_bytes(&ss)
    }

    /// As [`decapsulate`](Self::decapsulate), into the caller's memory, which the caller wipes when the secret has served.
    pub fn decapsulate_into(&self, ciphertext: &Ciphertext<H>, shared_secret: &mut [u8; SHARED_SECRET_SIZE]) {
        self.decapsulate_bytes(&ciphertext.0, shared_secret);
    }

    /// Of bytes that hold an element.
    #[inline(never)]
    pub(crate) fn decapsulate_bytes(
        &self,
        ciphertext: &H::CiphertextBytes,
        shared_secret: &mut [u8; SHARED_SECRET_SIZE],
    ) {
        let (ct_pq, ct_t) = ciphertext.as_ref().split_at(H::MlKem::CIPHERTEXT_SIZE);
        let mut ss_pq = Secret::new([0; 32]);
        <AlgorithmsOf<H>>::decaps(self.pq.parts(), ct_pq, &mut ss_pq);
        let mut ss_t = Secret::new(<ScalarOf<H>>::ZERO);
        H::SealedGroup::exchange(&self.t, ct_t, &mut ss_t);
        combine::<H>(&ss_pq, &ss_t, ct_t, self.ek.halves().1, shared_secret);
    }
}

/// Bytes from the operating system.
#[cfg(feature = "getrandom")]
fn system_random<B: Bytes>(bytes: &mut B) -> Result<(), Error> {
    getrandom::fill(bytes.as_mut()).map_err(|_| Error::Randomness)
}

impl<H: HybridKem> From<Seed> for DecapsulationKey<H> {
    fn from(seed: Seed) -> Self {
        Self::from_seed(&seed)
    }
}

impl<H: HybridKem> fmt::Debug for DecapsulationKey<H> {
    /// The public half's `Debug`, and nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecapsulationKey").field("public", &self.ek).finish_non_exhaustive()
    }
}

impl<H: HybridKem> Zeroize for DecapsulationKey<H> {
    /// Wipes the key where it is. What is left is no key: drop it.
    fn zeroize(&mut self) {
        self.seed.wipe();
        self.pq.zeroize();
        self.t.wipe();
    }
}

impl<H: HybridKem> Drop for DecapsulationKey<H> {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl<H: HybridKem> ZeroizeOnDrop for DecapsulationKey<H> {}
