//! Many operations: results in order, each the same as of a call by itself.
//!
//! They run in groups of eight, whose hashing fills all slots of a wide Keccak. So a backend with several slots takes less time for
//! each; `portable` and `zbb` do one after the other.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

#[cfg(feature = "alloc")]
use super::bytes::Bytes;
use super::ct::Secret;
#[cfg(feature = "alloc")]
use super::encapsulation::Ciphertext;
use super::kem::{DkMut, Ek};
#[cfg(feature = "alloc")]
use super::keys::{SEED_SIZE, SharedSecret};
use super::keys::{SHARED_SECRET_SIZE, Seed, d_z};
use super::sets::ParameterSet;
use super::sets::sealed::Algorithms;
use super::side_by_side::{Decapsulation, Encapsulation, GROUP, Group, KeyGeneration, next_group};
use super::{
    CiphertextRef, DecapsulationKey, EncapsulationKey, Error, PreparedDecapsulationKey,
    PreparedEncapsulationKey,
};

/// What an encapsulation takes but for m: the key, unless it is a prepared one, and room.
type Wanted<'a> = (Ek<'a>, &'a mut [u8], &'a mut [u8; SHARED_SECRET_SIZE]);

/// Draws the m of a group.
type Fill<'a, E> = dyn FnMut(&mut [[u8; 32]]) -> Result<(), E> + 'a;

// What these take is of one type: a program has the loops once, and not for each of its calls. An iterator behind one type would
// bring all of its methods, of which `next` is the only one called.

/// Encapsulates group by group with `run`.
fn encapsulate<'a, E>(
    next: &mut dyn FnMut() -> Option<Wanted<'a>>,
    fill: &mut Fill<'_, E>,
    run: &dyn Fn(&mut Group<Encapsulation<'_>>),
) -> Result<(), E> {
    while let Some(group) = next_group(next) {
        let mut ms = Secret::new([[0; 32]; GROUP]);
        let count = group.iter().flatten().count();
        fill(&mut ms[..count])?;
        let mut operations =
            group.into_iter().flatten().zip(&*ms).map(|((ek, c, k), m)| Encapsulation { ek, m, c, k });
        if let Some(mut group) = next_group(&mut || operations.next()) {
            run(&mut group);
        }
    }
    Ok(())
}

/// Runs key generations or decapsulations group by group.
fn in_groups<T>(next: &mut dyn FnMut() -> Option<T>, run: &dyn Fn(&mut Group<T>)) {
    while let Some(mut group) = next_group(next) {
        run(&mut group);
    }
}

/// Expands each of the seeds with `run`.
pub(super) fn expand<S: ParameterSet>(
    seeds: &[Seed],
    expanded: &mut [S::DecapsulationKeyBytes],
    run: &dyn Fn(&mut Group<KeyGeneration<'_>>),
) -> Result<(), Error> {
    equal([seeds.len(), expanded.len()])?;
    let mut operations = seeds.iter().zip(expanded).filter_map(|(seed, expanded)| {
        let (d, z) = d_z(seed.as_bytes());
        let dk = DkMut::of(S::SealedAlgorithms::K, expanded.as_mut())?;
        Some(KeyGeneration { d, z, dk })
    });
    in_groups(&mut || operations.next(), run);
    Ok(())
}

/// The keys of these seeds, in place of empty ones.
#[cfg(feature = "alloc")]
fn set_seeds<'a, S: ParameterSet>(
    keys: impl Iterator<Item = &'a mut DecapsulationKey<S>>,
    seeds: &[[u8; SEED_SIZE]],
) {
    let mut operations = keys.zip(seeds).map(|(key, seed)| {
        let (d, z) = d_z(seed);
        key.set_d(d);
        KeyGeneration { d, z, dk: key.parts_mut() }
    });
    in_groups(&mut || operations.next(), &S::SealedAlgorithms::key_gen_group);
}

/// The results of encapsulations, zero before they are written in place.
#[cfg(feature = "alloc")]
type Results<S> = Vec<(Ciphertext<S>, SharedSecret)>;

#[cfg(feature = "alloc")]
fn empty<S: ParameterSet>(count: usize) -> Results<S> {
    let empty = || (Ciphertext(S::CiphertextBytes::ZERO), SharedSecret::from_bytes(&[0; SHARED_SECRET_SIZE]));
    core::iter::repeat_with(empty).take(count).collect()
}

#[cfg(feature = "alloc")]
fn empty_secrets(count: usize) -> Vec<SharedSecret> {
    core::iter::repeat_with(|| SharedSecret::from_bytes(&[0; SHARED_SECRET_SIZE])).take(count).collect()
}

/// [`Error::Length`] unless all lengths are one.
fn equal<const N: usize>(lengths: [usize; N]) -> Result<(), Error> {
    if lengths.iter().all(|length| *length == lengths[0]) { Ok(()) } else { Err(Error::Length) }
}

#[cfg(all(feature = "alloc", feature = "getrandom"))]
pub(super) fn system_random<const N: usize>(bytes: &mut [[u8; N]]) -> Result<(), Error> {
    getrandom::fill(bytes.as_flattened_mut()).map_err(|_| Error::Randomness)
}

/// Many operations.
impl<S: ParameterSet> DecapsulationKey<S> {
    /// Makes `count` keys with the operating system's randomness, drawn once for eight.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the operating system has none.
    ///
    /// ```
    /// use kemstone::ml_kem_768::{DecapsulationKey, EncapsulationKey};
    ///
    /// # fn main() -> Result<(), kemstone::Error> {
    /// let keys = DecapsulationKey::generate_many(20)?;
    /// let sent = EncapsulationKey::encapsulate_many(keys.iter().map(DecapsulationKey::encapsulation_key))?;
    /// let received = DecapsulationKey::decapsulate_many(keys.iter().zip(sent.iter().map(|(c, _)| c.into())));
    /// assert!(sent.iter().map(|(_, secret)| secret).eq(&received));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(all(feature = "alloc", feature = "getrandom"))]
    pub fn generate_many(count: usize) -> Result<Vec<Self>, Error> {
        Self::generate_many_with(count, system_random)
    }

    /// Makes `count` keys, of the seeds d || z that `fill` writes: at most eight at each call, which must be fresh and uniformly
    /// random.
    ///
    /// # Errors
    ///
    /// The error of `fill`; no key is given then.
    #[cfg(feature = "alloc")]
    pub fn generate_many_with<E>(
        count: usize,
        mut fill: impl FnMut(&mut [[u8; SEED_SIZE]]) -> Result<(), E>,
    ) -> Result<Vec<Self>, E> {
        let mut keys = Vec::with_capacity(count);
        for _ in 0..count {
            keys.push(Self::empty());
        }
        for keys in keys.chunks_mut(GROUP) {
            let mut seeds = Secret::new([[0; SEED_SIZE]; GROUP]);
            let seeds = &mut seeds[..keys.len()];
            fill(seeds)?;
            set_seeds(keys.iter_mut(), seeds);
        }
        Ok(keys)
    }

    /// As [`expand_into`](Self::expand_into), for each of the seeds, without an allocator.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there is not as much room as there are seeds; nothing is written then.
    pub fn expand_many_into(seeds: &[Seed], expanded: &mut [S::DecapsulationKeyBytes]) -> Result<(), Error> {
        expand::<S>(seeds, expanded, &S::SealedAlgorithms::key_gen_group)
    }

    /// Decapsulates with a key each: the secrets, in order.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn decapsulate_many<'a>(
        ciphertexts: impl IntoIterator<Item = (&'a Self, CiphertextRef<'a, S>)>,
    ) -> Vec<SharedSecret> {
        let ciphertexts: Vec<_> = ciphertexts.into_iter().collect();
        let mut secrets = empty_secrets(ciphertexts.len());
        let mut operations = ciphertexts.iter().zip(&mut secrets).map(|((key, c), secret)| Decapsulation {
            dk: key.parts(),
            c: c.as_bytes().as_ref(),
            k: &mut secret.0,
        });
        in_groups(&mut || operations.next(), &S::SealedAlgorithms::decaps_group);
        secrets
    }

    /// As [`decapsulate_into`](Self::decapsulate_into), with a key for each ciphertext, without an allocator.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there are not as many of each; nothing is written then.
    pub fn decapsulate_many_into(
        keys: &[&Self],
        ciphertexts: &[CiphertextRef<'_, S>],
        shared_secrets: &mut [[u8; SHARED_SECRET_SIZE]],
    ) -> Result<(), Error> {
        equal([keys.len(), ciphertexts.len(), shared_secrets.len()])?;
        let mut operations = keys
            .iter()
            .zip(ciphertexts)
            .zip(shared_secrets)
            .map(|((key, c), k)| Decapsulation { dk: key.parts(), c: c.as_bytes().as_ref(), k });
        in_groups(&mut || operations.next(), &S::SealedAlgorithms::decaps_group);
        Ok(())
    }
}

/// Many operations.
impl<S: ParameterSet> EncapsulationKey<S> {
    /// Encapsulates to each of the keys with the operating system's randomness, drawn once for eight.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the operating system has none.
    #[cfg(all(feature = "alloc", feature = "getrandom"))]
    pub fn encapsulate_many<'a>(keys: impl IntoIterator<Item = &'a Self>) -> Result<Results<S>, Error> {
        Self::encapsulate_many_with(keys, system_random)
    }

    /// Encapsulates to each of the keys, with the 32 bytes each that `fill` writes: for at most eight at each call, fresh and
    /// uniformly random.
    ///
    /// # Errors
    ///
    /// The error of `fill`; nothing is given then.
    #[cfg(feature = "alloc")]
    pub fn encapsulate_many_with<'a, E>(
        keys: impl IntoIterator<Item = &'a Self>,
        mut fill: impl FnMut(&mut [[u8; 32]]) -> Result<(), E>,
    ) -> Result<Results<S>, E> {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut results = empty::<S>(keys.len());
        let mut wanted =
            keys.iter().zip(&mut results).map(|(key, (c, k))| (Ek(key.as_ref()), c.0.as_mut(), &mut k.0));
        encapsulate(&mut || wanted.next(), &mut fill, &S::SealedAlgorithms::encaps_group)?;
        Ok(results)
    }

    /// As [`encapsulate_into`](Self::encapsulate_into), to each of the keys, without an allocator; `fill` writes 32 bytes for
    /// each of at most eight at each call.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there is not as much room as there are keys; nothing is written then. The error of `fill`; what was
    /// written by then is good, and the rest is not touched.
    pub fn encapsulate_many_into<E: From<Error>>(
        keys: &[&Self],
        mut fill: impl FnMut(&mut [[u8; 32]]) -> Result<(), E>,
        ciphertexts: &mut [S::CiphertextBytes],
        shared_secrets: &mut [[u8; SHARED_SECRET_SIZE]],
    ) -> Result<(), E> {
        equal([keys.len(), ciphertexts.len(), shared_secrets.len()])?;
        let mut wanted = keys
            .iter()
            .zip(ciphertexts)
            .zip(shared_secrets)
            .map(|((key, c), k)| (Ek(key.as_ref()), c.as_mut(), k));
        encapsulate(&mut || wanted.next(), &mut fill, &S::SealedAlgorithms::encaps_group)
    }
}

/// Many operations.
impl<S: ParameterSet> PreparedEncapsulationKey<S> {
    /// Encapsulates `count` times with the operating system's randomness, drawn once for eight.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the operating system has none.
    #[cfg(all(feature = "alloc", feature = "getrandom"))]
    pub fn encapsulate_many(&self, count: usize) -> Result<Results<S>, Error> {
        self.encapsulate_many_with(count, system_random)
    }

    /// Encapsulates `count` times, with the 32 bytes each that `fill` writes: for at most eight at each call, fresh and
    /// uniformly random.
    ///
    /// # Errors
    ///
    /// The error of `fill`; nothing is given then.
    #[cfg(feature = "alloc")]
    pub fn encapsulate_many_with<E>(
        &self,
        count: usize,
        mut fill: impl FnMut(&mut [[u8; 32]]) -> Result<(), E>,
    ) -> Result<Results<S>, E> {
        let mut results = empty::<S>(count);
        let mut wanted = results.iter_mut().map(|(c, k)| (Ek(&[]), c.0.as_mut(), &mut k.0));
        encapsulate(&mut || wanted.next(), &mut fill, &|group| {
            S::SealedAlgorithms::encaps_prepared_group(self.held(), group)
        })?;
        Ok(results)
    }

    /// As [`encapsulate_into`](Self::encapsulate_into), as often as there is room, without an allocator; `fill` writes 32 bytes
    /// for each of at most eight at each call.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there is not as much room for ciphertexts as for secrets; nothing is written then. The error of
    /// `fill`; what was written by then is good, and the rest is not touched.
    pub fn encapsulate_many_into<E: From<Error>>(
        &self,
        mut fill: impl FnMut(&mut [[u8; 32]]) -> Result<(), E>,
        ciphertexts: &mut [S::CiphertextBytes],
        shared_secrets: &mut [[u8; SHARED_SECRET_SIZE]],
    ) -> Result<(), E> {
        equal([ciphertexts.len(), shared_secrets.len()])?;
        let mut wanted = ciphertexts.iter_mut().zip(shared_secrets).map(|(c, k)| (Ek(&[]), c.as_mut(), k));
        encapsulate(&mut || wanted.next(), &mut fill, &|group| {
            S::SealedAlgorithms::encaps_prepared_group(self.held(), group)
        })
    }
}

/// Many operations.
impl<S: ParameterSet> PreparedDecapsulationKey<S> {
    /// Decapsulates each of the ciphertexts: the secrets, in order.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn decapsulate_many<'a>(
        &self,
        ciphertexts: impl IntoIterator<Item = CiphertextRef<'a, S>>,
    ) -> Vec<SharedSecret> {
        let ciphertexts: Vec<_> = ciphertexts.into_iter().collect();
        let mut secrets = empty_secrets(ciphertexts.len());
        self.group(&ciphertexts, secrets.iter_mut().map(|secret| &mut secret.0));
        secrets
    }

    /// As [`decapsulate_into`](Self::decapsulate_into), for each ciphertext, without an allocator.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there is not as much room as there are ciphertexts; nothing is written then.
    pub fn decapsulate_many_into(
        &self,
        ciphertexts: &[CiphertextRef<'_, S>],
        shared_secrets: &mut [[u8; SHARED_SECRET_SIZE]],
    ) -> Result<(), Error> {
        equal([ciphertexts.len(), shared_secrets.len()])?;
        self.group(ciphertexts, shared_secrets.iter_mut());
        Ok(())
    }

    fn group<'a>(
        &self,
        ciphertexts: &[CiphertextRef<'_, S>],
        secrets: impl Iterator<Item = &'a mut [u8; SHARED_SECRET_SIZE]>,
    ) {
        let dk = self.decapsulation_key().parts();
        let mut operations =
            ciphertexts.iter().zip(secrets).map(|(c, k)| Decapsulation { dk, c: c.as_bytes().as_ref(), k });
        in_groups(&mut || operations.next(), &|group| {
            S::SealedAlgorithms::decaps_prepared_group(self.held(), group)
        });
    }
}
