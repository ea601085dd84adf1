//! Encapsulation in two steps, as the ML-KEM Braid of Signal's protocol needs it: the first part of the ciphertext from 64 bytes of
//! the public key, the second when the rest has come.
//!
//! Between the steps stands a state of 114 bytes. It holds what was drawn, and not what a backend made of it: so it is the same on
//! every machine, and the second step computes the whole encapsulation again.

use core::fmt;
use core::marker::PhantomData;

use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

use super::bytes::Bytes;
use super::ct::{Secret, Wipe};
use super::kem::Ek;
use super::keys::{SHARED_SECRET_SIZE, SharedSecret};
use super::sets::ParameterSet;
use super::sets::sealed::Algorithms;
use super::symmetric::{h_of, j};
use super::{Ciphertext, EncapsulationKey, Error};
use crate::backend::Backend;
use crate::backend::select::{Selected, with_backend};

/// Bytes of an [`EncapsulationHeader`].
pub const HEADER_SIZE: usize = 64;
/// Bytes of an [`EncapsulationState`].
pub const STATE_SIZE: usize = 2 + 3 * 32 + CHECK;

/// Bytes of the hash at the end of a state.
const CHECK: usize = 16;
/// The first byte of a state.
const VERSION: u8 = 1;

const _: () = assert!(STATE_SIZE == 114);

/// J(m || all before it), which wipes what it has hashed, of which a state has the beginning.
fn check(state: &[u8; STATE_SIZE]) -> [u8; 32] {
    let mut out = [0; 32];
    let (before, rest) = state.split_at(66);
    if let Some(m) = rest.first_chunk() {
        with_backend!(Selected::best(), backend => backend.hash(j(m, before, &mut out)));
    }
    out
}

#[cfg_attr(docsrs, doc(cfg(feature = "incremental")))]
impl<S: ParameterSet> EncapsulationKey<S> {
    /// What encapsulation needs of the key to begin.
    #[must_use]
    pub fn header(&self) -> EncapsulationHeader<S> {
        let bytes: &[u8] = self.as_ref();
        let mut header = [0; HEADER_SIZE];
        let (rho, h_ek) = header.split_at_mut(32);
        rho.copy_from_slice(&bytes[S::ENCAPSULATION_KEY_OFFSET..]);
        h_ek.copy_from_slice(&h_of(bytes));
        EncapsulationHeader(header, PhantomData)
    }

    /// The rest of the key, 768, 1152 or 1536 bytes: t, what encapsulation needs to end.
    #[must_use]
    pub fn vector(&self) -> &[u8] {
        // As long as dk_PKE, which begins an expanded key.
        &self.as_bytes().as_ref()[..S::ENCAPSULATION_KEY_OFFSET]
    }
}

/// The 64 bytes rho || H(ek) of an [`EncapsulationKey`], with which an encapsulation begins.
///
/// Any bytes are a header. Whether they belong to the rest of the key is seen when the encapsulation ends.
///
/// ```
/// use kemstone::Seed;
/// use kemstone::ml_kem_768::{Ciphertext, DecapsulationKey, EncapsulationHeader, EncapsulationState};
///
/// # fn main() -> Result<(), kemstone::Error> {
/// let receiver = DecapsulationKey::from_seed(&Seed::from([1; 64]));
/// let key = receiver.encapsulation_key();
///
/// // The header comes first; the first part of the ciphertext answers it.
/// let header = EncapsulationHeader::from_bytes(key.header().as_bytes());
/// let fill = |m: &mut [u8; 32]| {
///     *m = [2; 32]; // from a random generator
///     Ok::<(), kemstone::Error>(())
/// };
/// let (first, state, ours) = header.encapsulate_with(fill)?;
/// let stored = state.to_bytes(); // secret, as long as the exchange lasts
///
/// // Then the rest of the key; the second part answers that.
/// let second = EncapsulationState::from_bytes(&stored)?.finish(key.vector())?;
/// let ciphertext = Ciphertext::from_parts(first.as_bytes(), second.as_bytes())?;
/// assert_eq!(receiver.decapsulate(&ciphertext), ours);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EncapsulationHeader<S: ParameterSet>([u8; HEADER_SIZE], PhantomData<S>);

/// What an encapsulation is begun with gives.
type Begun<S> = (CiphertextPart<S>, EncapsulationState<S>, SharedSecret);

impl<S: ParameterSet> EncapsulationHeader<S> {
    /// The header of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; HEADER_SIZE]) -> Self {
        Self(*bytes, PhantomData)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HEADER_SIZE] {
        &self.0
    }

    /// Begins an encapsulation with the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the operating system has none.
    #[cfg(feature = "getrandom")]
    pub fn encapsulate(&self) -> Result<Begun<S>, Error> {
        self.encapsulate_with(super::keys::system_random)
    }

    /// Begins an encapsulation with the 32 bytes that `fill` writes, which must be fresh and uniformly random: gives the first
    /// part of the ciphertext (640, 960 or 1408 bytes), the state to end with, and the secret, which the owner of the key has
    /// when both parts have come.
    ///
    /// # Errors
    ///
    /// The error of `fill`; nothing is encapsulated then.
    pub fn encapsulate_with<E>(
        &self,
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
    ) -> Result<Begun<S>, E> {
        let mut m = Secret::new([0; 32]);
        fill(&mut m)?;
        let mut first = CiphertextPart(S::CiphertextBytes::ZERO, 0..S::SealedAlgorithms::C1_SIZE);
        let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
        self.begin(&m, &mut first, &mut k);
        let mut state = EncapsulationState([0; STATE_SIZE], PhantomData);
        state.set(&self.0, &m);
        ok(&first, &state, &k)
    }

    /// The first part of the ciphertext. What would be the second is of a key without t: m can be read from it.
    #[inline(never)]
    fn begin(&self, m: &[u8; 32], first: &mut CiphertextPart<S>, k: &mut [u8; SHARED_SECRET_SIZE]) {
        let mut c = Secret::new(S::CiphertextBytes::ZERO);
        let (rho, h_ek) = self.parts();
        S::SealedAlgorithms::encaps_header(Ek(rho), h_ek, m, c.as_mut(), k);
        let range = first.1.clone();
        first.0.as_mut()[range.clone()].copy_from_slice(&c.as_mut()[range]);
    }

    fn parts(&self) -> (&[u8; 32], &[u8; 32]) {
        match self.0.as_chunks().0 {
            [rho, h_ek] => (rho, h_ek),
            _ => (&[0; 32], &[0; 32]),
        }
    }
}

#[inline(never)] // as with `ok_pair`
fn ok<S: ParameterSet, E>(
    first: &CiphertextPart<S>,
    state: &EncapsulationState<S>,
    k: &[u8; SHARED_SECRET_SIZE],
) -> Result<Begun<S>, E> {
    Ok(begun(first, state, k))
}

#[inline(never)] // likewise
fn begun<S: ParameterSet>(
    first: &CiphertextPart<S>,
    state: &EncapsulationState<S>,
    k: &[u8; SHARED_SECRET_SIZE],
) -> Begun<S> {
    let first = CiphertextPart(first.0, first.1.clone());
    (first, EncapsulationState(state.0, PhantomData), SharedSecret::from_bytes(k))
}

impl<S: ParameterSet> fmt::Debug for EncapsulationHeader<S> {
    /// The name of the type: nobody needs its bytes in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncapsulationHeader(..)")
    }
}

/// The first or the second part of a ciphertext.
#[derive(Clone)]
pub struct CiphertextPart<S: ParameterSet>(S::CiphertextBytes, core::ops::Range<usize>);

impl<S: ParameterSet> CiphertextPart<S> {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.as_ref()[self.1.clone()]
    }
}

impl<S: ParameterSet> fmt::Debug for CiphertextPart<S> {
    /// How many bytes there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CiphertextPart({} bytes)", self.1.len())
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "incremental")))]
impl<S: ParameterSet> Ciphertext<S> {
    /// The ciphertext of its two parts.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if one of them has another length than it has for this parameter set.
    pub fn from_parts(first: &[u8], second: &[u8]) -> Result<Self, Error> {
        let mut bytes = S::CiphertextBytes::ZERO;
        let (c1, c2) = bytes.as_mut().split_at_mut(S::SealedAlgorithms::C1_SIZE);
        if first.len() != c1.len() || second.len() != c2.len() {
            return Err(Error::Length);
        }
        c1.copy_from_slice(first);
        c2.copy_from_slice(second);
        Ok(Self::from_bytes(&bytes))
    }
}

/// An encapsulation that has begun. Secret: whoever reads it has the shared secret. Wiped on drop; `Debug` shows nothing of it.
///
/// Its bytes are a version, the parameter set, rho, H(ek), m and a check of all these; they are the same on every machine. A
/// state that is finished twice gives the same second part: no other key has the header that it began with.
pub struct EncapsulationState<S: ParameterSet>([u8; STATE_SIZE], PhantomData<S>);

impl<S: ParameterSet> EncapsulationState<S> {
    /// Writes a state, in place of an empty one.
    fn set(&mut self, header: &[u8; HEADER_SIZE], m: &[u8; 32]) {
        self.0[0] = VERSION;
        self.0[1] = S::SealedAlgorithms::K as u8;
        self.0[2..66].copy_from_slice(header);
        self.0[66..98].copy_from_slice(m);
        let check = check(&self.0);
        self.0[98..].copy_from_slice(&check[..CHECK]);
    }

    /// The state of these bytes.
    ///
    /// # Errors
    ///
    /// [`Error::State`] if [`to_bytes`](Self::to_bytes) did not write them, for this parameter set and in this version.
    pub fn from_bytes(bytes: &[u8; STATE_SIZE]) -> Result<Self, Error> {
        let same = check(bytes)[..CHECK].ct_eq(&bytes[98..]);
        if bytes[0] == VERSION && bytes[1] == S::SealedAlgorithms::K as u8 && same.into() {
            Ok(Self(*bytes, PhantomData))
        } else {
            Err(Error::State)
        }
    }

    /// The bytes, to be stored as a secret until the encapsulation ends; whoever asks for them wipes them.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; STATE_SIZE] {
        self.0
    }

    /// Ends the encapsulation with the rest of the key: gives the second part of the ciphertext, 128 or 160 bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if it has another length, [`Error::EncapsulationKey`] if one of its numbers is not below q
    /// (FIPS 203, section 7.2) or the header was another key's.
    pub fn finish(&self, vector: &[u8]) -> Result<CiphertextPart<S>, Error> {
        let mut ek = S::EncapsulationKeyBytes::ZERO;
        let (t, rho) = ek.as_mut().split_at_mut(S::ENCAPSULATION_KEY_OFFSET);
        if vector.len() != t.len() {
            return Err(Error::Length);
        }
        t.copy_from_slice(vector);
        rho.copy_from_slice(&self.0[2..34]);
        let key = EncapsulationKey::<S>::from_bytes(&ek)?;
        if h_of(ek.as_ref()) != self.0[34..66] {
            return Err(Error::EncapsulationKey);
        }
        let mut second =
            CiphertextPart(S::CiphertextBytes::ZERO, S::SealedAlgorithms::C1_SIZE..S::CIPHERTEXT_SIZE);
        self.end(&key, &mut second);
        Ok(second)
    }

    #[inline(never)]
    fn end(&self, key: &EncapsulationKey<S>, second: &mut CiphertextPart<S>) {
        let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
        if let Some(m) = self.0[66..].first_chunk() {
            S::SealedAlgorithms::encaps(Ek(key.as_ref()), m, second.0.as_mut(), &mut k);
        }
    }
}

impl<S: ParameterSet> fmt::Debug for EncapsulationState<S> {
    /// The name of the type, and nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncapsulationState(..)")
    }
}

impl<S: ParameterSet> Drop for EncapsulationState<S> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<S: ParameterSet> ZeroizeOnDrop for EncapsulationState<S> {}
