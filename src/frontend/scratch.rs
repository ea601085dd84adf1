//! The three operations in memory of the caller's, on the backend `small`.

use super::ct::{Secret, Wipe};
use super::kem::{Dk, DkMut, Ek};
use super::keys::d_z;
use super::sets::ParameterSet;
use super::sets::sealed::Algorithms;
use super::{CiphertextRef, EncapsulationKey, Error, SHARED_SECRET_SIZE, Seed};
use crate::backend::select::operation;

/// Memory for one operation at a time, in place of most of the stack: [`SIZE`](Self::SIZE) bytes, in a `static` for example. It is
/// wiped after each.
///
/// What it does runs on the backend `small`, whatever the machine.
///
/// ```
/// use kemstone::ml_kem_768::{CIPHERTEXT_SIZE, DECAPSULATION_KEY_SIZE, DecapsulationKey};
/// use kemstone::{MlKem768, Scratch, Seed};
///
/// # fn main() -> Result<(), kemstone::Error> {
/// let mut scratch = Scratch::<MlKem768>::new();
/// let seed = Seed::from([1; 64]);
/// let mut expanded = [0; DECAPSULATION_KEY_SIZE];
/// scratch.expand_into(&seed, &mut expanded);
///
/// let (mut ciphertext, mut secret, mut same) = ([0; CIPHERTEXT_SIZE], [0; 32], [0; 32]);
/// let key = DecapsulationKey::from_seed(&seed);
/// let draw = |m: &mut [u8; 32]| Ok::<_, ()>(*m = [2; 32]); // a generator of random numbers
/// scratch.encapsulate_into(key.encapsulation_key(), draw, &mut ciphertext, &mut secret).expect("it draws");
/// scratch.decapsulate_expanded_into(&expanded, &ciphertext, &mut same)?;
/// assert_eq!(secret, same);
/// # Ok(())
/// # }
/// ```
pub struct Scratch<S: ParameterSet>(Memory<S>);

type Memory<S> = <<S as super::sets::sealed::Sealed>::SealedAlgorithms as Algorithms>::Memory;

impl<S: ParameterSet> Scratch<S> {
    /// Bytes of one: 2048, 2560 or 3072.
    pub const SIZE: usize = size_of::<Self>();

    /// Room for an operation.
    #[must_use]
    pub const fn new() -> Self {
        Self(S::SealedAlgorithms::MEMORY)
    }

    /// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal), as [`DecapsulationKey::expand_into`](crate::DecapsulationKey::expand_into).
    pub fn expand_into(&mut self, seed: &Seed, expanded: &mut S::DecapsulationKeyBytes) {
        let _operation = operation();
        let (d, z) = d_z(seed.as_bytes());
        if let Some(dk) = DkMut::of(S::SealedAlgorithms::K, expanded.as_mut()) {
            S::SealedAlgorithms::key_gen_in(&mut self.0, d, z, dk);
        }
        self.0.wipe();
    }

    /// FIPS 203, Algorithm 20 (ML-KEM.Encaps), as [`EncapsulationKey::encapsulate_into`].
    ///
    /// # Errors
    ///
    /// The error of `fill`; neither output is touched then.
    pub fn encapsulate_into<E>(
        &mut self,
        key: &EncapsulationKey<S>,
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
        ciphertext: &mut S::CiphertextBytes,
        shared_secret: &mut [u8; SHARED_SECRET_SIZE],
    ) -> Result<(), E> {
        let mut m = Secret::new([0; 32]);
        fill(&mut m)?;
        let _operation = operation();
        let ek = Ek(key.as_bytes().as_ref());
        S::SealedAlgorithms::encaps_in(&mut self.0, ek, &m, ciphertext.as_mut(), shared_secret);
        self.0.wipe();
        Ok(())
    }

    /// FIPS 203, Algorithm 21 (ML-KEM.Decaps), as
    /// [`DecapsulationKey::decapsulate_expanded_into`](crate::DecapsulationKey::decapsulate_expanded_into).
    ///
    /// # Errors
    ///
    /// [`Error::DecapsulationKey`] if a check of the key fails; `shared_secret` is then zero.
    pub fn decapsulate_expanded_into<'a>(
        &mut self,
        expanded: &S::DecapsulationKeyBytes,
        ciphertext: impl Into<CiphertextRef<'a, S>>,
        shared_secret: &mut [u8; SHARED_SECRET_SIZE],
    ) -> Result<(), Error> {
        let _operation = operation();
        let c = ciphertext.into().as_bytes().as_ref();
        let valid = Dk::of(S::SealedAlgorithms::K, expanded.as_ref())
            .is_some_and(|dk| S::SealedAlgorithms::decaps_checked_in(&mut self.0, dk, c, shared_secret));
        self.0.wipe();
        valid.then_some(()).ok_or(Error::DecapsulationKey)
    }
}

impl<S: ParameterSet> Default for Scratch<S> {
    fn default() -> Self {
        Self::new()
    }
}
