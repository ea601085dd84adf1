//! Keys for one use each, made before they are needed.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

#[cfg(feature = "getrandom")]
use super::Error;
use super::PreparedDecapsulationKey;
use super::ct::Secret;
use super::keys::SEED_SIZE;
use super::sets::ParameterSet;
use super::sets::sealed::Algorithms;
use super::side_by_side::GROUP;

/// Keys for one use each, made eight at a time: for a client that needs one for every connection.
///
/// A pool belongs to one thread; a program with several has one in each. Keys wait in memory until they are taken or the pool is
/// dropped, which wipes them: at most seven, of 5952, 10304 or 15680 bytes for ML-KEM-512, 768 or 1024. They are prepared, because the
/// matrix that was sampled for a key serves its decapsulation as well.
///
/// The copy of a process that `fork` makes has the same keys in its pool. A program that forks drops its pools first, or makes
/// them after.
///
/// ```
/// # #[cfg(feature = "getrandom")]
/// # fn main() -> Result<(), kemstone::Error> {
/// use kemstone::{EphemeralPool, MlKem768};
///
/// let mut pool = EphemeralPool::<MlKem768>::new();
/// for _connection in 0..3 {
///     let key = pool.take()?;
///     let (ciphertext, theirs) = key.encapsulation_key().encapsulate()?;
///     assert_eq!(key.decapsulate(&ciphertext), theirs);
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "getrandom"))]
/// # fn main() {}
/// ```
pub struct EphemeralPool<S: ParameterSet> {
    /// On the heap one by one, so that none is moved.
    keys: Vec<Box<PreparedDecapsulationKey<S>>>,
}

impl<S: ParameterSet> EphemeralPool<S> {
    /// A pool without a key. The first is made when it is taken.
    #[must_use]
    pub const fn new() -> Self {
        Self { keys: Vec::new() }
    }

    /// A key that nobody has had before. If there is none left, eight are made with the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the operating system has none.
    #[cfg(feature = "getrandom")]
    pub fn take(&mut self) -> Result<Box<PreparedDecapsulationKey<S>>, Error> {
        self.take_with(super::many::system_random)
    }

    /// A key that nobody has had before. If there is none left, eight are made of the seeds d || z that `fill` writes in one call:
    /// fresh and uniformly random.
    ///
    /// # Errors
    ///
    /// The error of `fill`; no key is made then.
    pub fn take_with<E>(
        &mut self,
        fill: impl FnOnce(&mut [[u8; SEED_SIZE]]) -> Result<(), E>,
    ) -> Result<Box<PreparedDecapsulationKey<S>>, E> {
        if let Some(key) = self.keys.pop() {
            return Ok(key);
        }
        let mut seeds = Secret::new([[0; SEED_SIZE]; GROUP]);
        fill(&mut *seeds)?;
        let mut keys: [_; GROUP] = core::array::from_fn(|_| PreparedDecapsulationKey::empty_box());
        set_seeds(&mut keys, &seeds);
        let [first, rest @ ..] = keys;
        self.keys.extend(rest);
        Ok(first)
    }
}

/// The keys of these seeds, in place of empty ones.
fn set_seeds<S: ParameterSet>(
    keys: &mut [Box<PreparedDecapsulationKey<S>>; GROUP],
    seeds: &[[u8; SEED_SIZE]; GROUP],
) {
    let (mut group, mut held) = ([const { None }; GROUP], [const { None }; GROUP]);
    for (((key, seed), place), room) in keys.iter_mut().zip(seeds).zip(&mut group).zip(&mut held) {
        let (generation, of_key) = key.generation(seed);
        (*place, *room) = (Some(generation), Some(of_key));
    }
    S::SealedAlgorithms::key_gen_prepared_group(&mut held, &mut group);
}

impl<S: ParameterSet> Default for EphemeralPool<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: ParameterSet> fmt::Debug for EphemeralPool<S> {
    /// How many keys there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EphemeralPool({} keys)", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::MlKem768;
    #[cfg(all(feature = "internals", feature = "std"))]
    use crate::frontend::{MlKem512, MlKem1024, Seed};

    /// Of eight seeds, with every third key's room on another backend.
    #[cfg(all(feature = "internals", feature = "std"))]
    fn mixed<S: ParameterSet>() {
        use crate::backend::select::{Selected, for_each, on};

        for_each(|_| {
            let portable = Selected::by_name("portable").expect("there is always the portable backend");
            let seeds: [_; GROUP] = core::array::from_fn(|i| [i as u8; SEED_SIZE]);
            let mut keys: [_; GROUP] = core::array::from_fn(|i| match i {
                2 | 5 => on(portable, PreparedDecapsulationKey::<S>::empty_box),
                _ => PreparedDecapsulationKey::empty_box(),
            });
            set_seeds(&mut keys, &seeds);
            for (key, seed) in keys.iter().zip(&seeds) {
                let expected = PreparedDecapsulationKey::<S>::boxed_from_seed(&Seed::from(*seed));
                assert_eq!(key.encapsulation_key(), expected.encapsulation_key());
                assert_eq!(key.check_pairwise_consistency(), Ok(()));
            }
        });
    }

    #[test]
    #[cfg(all(feature = "internals", feature = "std"))]
    fn keys_of_another_backend_are_made_on_it() {
        mixed::<MlKem512>();
        mixed::<MlKem768>();
        mixed::<MlKem1024>();
    }

    #[test]
    fn without_randomness_there_is_no_key() {
        let mut pool = EphemeralPool::<MlKem768>::new();
        assert_eq!(pool.take_with(|_| Err("none")).err(), Some("none"));
        assert!(pool.keys.is_empty());
    }
}
