//! Many operations at once: the same as one after the other, whatever their number, on every backend.

mod support;

use core::convert::Infallible;
use std::collections::HashSet;

use kemstone::backend::select::Selected;
use kemstone::{
    Bytes, CiphertextRef, DecapsulationKey, EncapsulationKey, EphemeralPool, Error, PreparedDecapsulationKey,
    PreparedEncapsulationKey, Seed, SharedSecret,
};
use support::{Random, Set, array, each};

/// Fills groups from a list, and notes how many are asked for at once.
struct Drawn<'a, const N: usize> {
    rest: &'a [[u8; N]],
    groups: Vec<usize>,
}

impl<'a, const N: usize> Drawn<'a, N> {
    fn new(all: &'a [[u8; N]]) -> Self {
        Self { rest: all, groups: Vec::new() }
    }

    fn fill<E>(&mut self, to: &mut [[u8; N]]) -> Result<(), E> {
        let (drawn, rest) = self.rest.split_at(to.len());
        to.copy_from_slice(drawn);
        self.rest = rest;
        self.groups.push(to.len());
        Ok(())
    }

    /// All was drawn, eight at a time.
    fn finish(self, count: usize) {
        assert!(self.rest.is_empty());
        let groups: Vec<usize> = (0..count).step_by(8).map(|first| (count - first).min(8)).collect();
        assert_eq!(self.groups, groups);
    }
}

#[test]
fn many_are_as_many_single_ones() {
    fn check<S: Set>(_: Selected) {
        let mut random = Random::new("many");
        let seeds: Vec<[u8; 64]> = (0..33).map(|_| random.array()).collect();
        let ms: Vec<[u8; 32]> = (0..33).map(|_| random.array()).collect();
        let keys: Vec<DecapsulationKey<S>> =
            seeds.iter().map(|seed| S::from_seed(&Seed::from(seed))).collect();
        let eks: Vec<&EncapsulationKey<S>> = keys.iter().map(|key| key.encapsulation_key()).collect();
        let honest: Vec<_> = eks.iter().zip(&ms).map(|(ek, m)| ek.encapsulate_deterministic(m)).collect();
        let prepared_ek = PreparedEncapsulationKey::boxed(eks[0]);
        let to_one: Vec<_> = ms.iter().map(|m| prepared_ek.encapsulate_deterministic(m)).collect();
        let prepared_dk = PreparedDecapsulationKey::boxed(&keys[0]);
        // Every third ciphertext is damaged.
        let damaged = |i: usize, c: &[u8]| {
            let mut bytes = *S::CiphertextBytes::from_slice(c).expect("its length");
            bytes.as_mut()[20 * i] ^= (1..33).step_by(3).any(|n| n == i) as u8;
            bytes
        };
        let received: Vec<_> = honest.iter().enumerate().map(|(i, (c, _))| damaged(i, c.as_ref())).collect();
        let received: Vec<_> =
            received.iter().map(|c| CiphertextRef::<S>::try_from(c.as_ref()).expect("its length")).collect();
        let by_one: Vec<_> = to_one.iter().enumerate().map(|(i, (c, _))| damaged(i, c.as_ref())).collect();
        let by_one: Vec<_> =
            by_one.iter().map(|c| CiphertextRef::<S>::try_from(c.as_ref()).expect("its length")).collect();
        let opened: Vec<_> = keys.iter().zip(&received).map(|(key, c)| key.decapsulate(*c)).collect();
        let opened_by_one: Vec<_> = by_one.iter().map(|c| prepared_dk.decapsulate(*c)).collect();
        assert_eq!(opened[0], honest[0].1);
        assert_ne!(opened[1], honest[1].1);

        let bytes = |secret: &SharedSecret| *secret.as_bytes();
        for n in 0..=33 {
            let mut drawn = Drawn::new(&seeds[..n]);
            let made = DecapsulationKey::<S>::generate_many_with(n, |to| drawn.fill::<Infallible>(to));
            drawn.finish(n);
            let made = made.expect("it does not fail");
            assert_eq!(made.len(), n);
            for ((made, key), seed) in made.iter().zip(&keys).zip(&seeds) {
                assert_eq!(S::expanded(made), S::expanded(key));
                assert_eq!(made.to_seed(), Some(Seed::from(seed)));
            }
            let list: Vec<_> = seeds[..n].iter().map(Seed::from).collect();
            let mut expanded = vec![array::<S::DecapsulationKeyBytes>(0xa5); n];
            assert_eq!(DecapsulationKey::<S>::expand_many_into(&list, &mut expanded), Ok(()));
            for (expanded, key) in expanded.iter().zip(&keys) {
                assert_eq!(expanded.as_ref(), S::expanded(key));
            }

            let mut drawn = Drawn::new(&ms[..n]);
            let sent = EncapsulationKey::encapsulate_many_with(eks[..n].iter().copied(), |to| {
                drawn.fill::<Infallible>(to)
            });
            drawn.finish(n);
            assert_eq!(sent.expect("it does not fail"), honest[..n]);
            let (mut cs, mut ks) = (vec![array::<S::CiphertextBytes>(0xa5); n], vec![[0xa5; 32]; n]);
            let mut drawn = Drawn::new(&ms[..n]);
            let done = EncapsulationKey::encapsulate_many_into::<Error>(
                &eks[..n],
                |to| drawn.fill(to),
                &mut cs,
                &mut ks,
            );
            drawn.finish(n);
            assert_eq!(done, Ok(()));
            assert!(honest.iter().map(|(c, k)| (c.as_bytes(), k.as_bytes())).take(n).eq(cs.iter().zip(&ks)));

            let mut drawn = Drawn::new(&ms[..n]);
            let sent = prepared_ek.encapsulate_many_with(n, |to| drawn.fill::<Infallible>(to));
            drawn.finish(n);
            assert_eq!(sent.expect("it does not fail"), to_one[..n]);
            let mut drawn = Drawn::new(&ms[..n]);
            let done = prepared_ek.encapsulate_many_into::<Error>(|to| drawn.fill(to), &mut cs, &mut ks);
            drawn.finish(n);
            assert_eq!(done, Ok(()));
            assert!(to_one.iter().map(|(c, k)| (c.as_bytes(), k.as_bytes())).take(n).eq(cs.iter().zip(&ks)));

            let secrets =
                DecapsulationKey::decapsulate_many(keys.iter().zip(received.iter().copied()).take(n));
            assert_eq!(secrets, opened[..n]);
            let list: Vec<_> = keys.iter().take(n).collect();
            let done = DecapsulationKey::decapsulate_many_into(&list, &received[..n], &mut ks);
            assert_eq!(done, Ok(()));
            assert!(opened[..n].iter().map(bytes).eq(ks.iter().copied()));
            assert_eq!(prepared_dk.decapsulate_many(by_one[..n].iter().copied()), opened_by_one[..n]);
            assert_eq!(prepared_dk.decapsulate_many_into(&by_one[..n], &mut ks), Ok(()));
            assert!(opened_by_one[..n].iter().map(bytes).eq(ks.iter().copied()));
        }

        let keys = DecapsulationKey::<S>::generate_many(9).expect("randomness");
        let eks = || keys.iter().map(DecapsulationKey::encapsulation_key);
        let sent = EncapsulationKey::encapsulate_many(eks()).expect("randomness");
        let received =
            DecapsulationKey::decapsulate_many(keys.iter().zip(sent.iter().map(|(c, _)| c.into())));
        assert!(sent.iter().map(|(_, secret)| secret).eq(&received));
        assert!(eks().zip(eks().skip(1)).all(|(one, two)| one != two));
        let sent = prepared_ek.encapsulate_many(9).expect("randomness");
        let received = prepared_dk.decapsulate_many(sent.iter().map(|(c, _)| c.into()));
        assert!(sent.iter().map(|(_, secret)| secret).eq(&received));
    }
    each!(check);
}

#[test]
fn a_pool_gives_no_key_twice() {
    fn check<S: Set>(_: Selected) {
        let mut pool = EphemeralPool::<S>::default();
        assert_eq!(format!("{pool:?}"), "EphemeralPool(0 keys)");
        let taken: Vec<_> = (0..19).map(|_| pool.take().expect("randomness")).collect();
        assert_eq!(format!("{pool:?}"), "EphemeralPool(5 keys)");
        let seed =
            |key: &PreparedDecapsulationKey<S>| key.decapsulation_key().to_seed().expect("it was generated");
        let seeds: HashSet<_> = taken.iter().map(|key| *seed(key).as_bytes()).collect();
        assert_eq!(seeds.len(), 19);
        for key in taken {
            key.check_pairwise_consistency().expect("a good key");
            let again = S::from_seed(&seed(&key));
            assert_eq!(
                key.decapsulation_key().to_expanded_bytes().as_bytes(),
                again.to_expanded_bytes().as_bytes()
            );
            let (c, secret) = again.encapsulation_key().encapsulate().expect("randomness");
            assert_eq!(key.decapsulate(&c), secret);
            let forged = array::<S::CiphertextBytes>(0xa5);
            let forged = CiphertextRef::<S>::try_from(forged.as_ref()).expect("its length");
            assert_eq!(key.decapsulate(forged), again.decapsulate(forged));
        }
    }
    each!(check);
}

/// What the second group cannot have leaves the first one as it is.
#[test]
fn failing_generators_and_other_lengths() {
    fn check<S: Set>(_: Selected) {
        let keys = DecapsulationKey::<S>::generate_many_with(9, |to| {
            to.fill([1; 64]);
            Ok::<_, Infallible>(())
        });
        let keys = keys.expect("it does not fail");
        let eks: Vec<_> = keys.iter().map(DecapsulationKey::encapsulation_key).collect();
        let twice = |to: &mut [[u8; 32]]| {
            if to.len() < 8 {
                return Err(Error::Randomness);
            }
            to.fill([2; 32]);
            Ok(())
        };
        let untouched = (array::<S::CiphertextBytes>(0xa5), [0xa5; 32]);
        let (mut cs, mut ks) = (vec![untouched.0; 9], vec![untouched.1; 9]);
        let done = EncapsulationKey::encapsulate_many_into(&eks, twice, &mut cs, &mut ks);
        assert_eq!(done, Err(Error::Randomness));
        let (c, k) = eks[0].encapsulate_deterministic(&[2; 32]);
        assert!(
            cs[..8].iter().all(|found| found == c.as_bytes())
                && ks[..8].iter().all(|found| found == k.as_bytes())
        );
        assert_eq!((cs[8], ks[8]), untouched);
        let prepared = PreparedEncapsulationKey::boxed(eks[0]);
        let (mut cs, mut ks) = (vec![untouched.0; 9], vec![untouched.1; 9]);
        assert_eq!(prepared.encapsulate_many_into(twice, &mut cs, &mut ks), Err(Error::Randomness));
        assert_eq!((cs[8], ks[8]), untouched);
        assert_eq!(cs[7], *c.as_bytes());
        assert_eq!(
            EncapsulationKey::encapsulate_many_with(eks.iter().copied(), twice).err(),
            Some(Error::Randomness)
        );
        assert_eq!(prepared.encapsulate_many_with(9, twice).err(), Some(Error::Randomness));
        assert_eq!(DecapsulationKey::<S>::generate_many_with(1, |_| Err("none")).err(), Some("none"));

        let prepared_dk = PreparedDecapsulationKey::boxed(&keys[0]);
        let refs: Vec<_> = keys.iter().collect();
        let received = [CiphertextRef::from(&c); 9];
        let seeds = vec![Seed::from([1; 64]); 9];
        let mut expanded = [array::<S::DecapsulationKeyBytes>(0xa5); 9];
        for (a, b, d) in [(8, 9, 9), (9, 8, 9), (9, 9, 8)] {
            let (mut cs, mut ks) = (vec![untouched.0; 9], vec![untouched.1; 9]);
            let fill = |to: &mut [[u8; 32]]| {
                to.fill([2; 32]);
                Ok::<_, Error>(())
            };
            let (cs_b, ks_d) = (&mut cs[..b], &mut ks[..d]);
            assert_eq!(
                EncapsulationKey::encapsulate_many_into(&eks[..a], fill, cs_b, ks_d),
                Err(Error::Length)
            );
            assert_eq!(
                DecapsulationKey::decapsulate_many_into(&refs[..a], &received[..b], ks_d),
                Err(Error::Length)
            );
            if a == 9 {
                assert_eq!(prepared.encapsulate_many_into(fill, cs_b, ks_d), Err(Error::Length));
                assert_eq!(prepared_dk.decapsulate_many_into(&received[..b], ks_d), Err(Error::Length));
            }
            if a != b {
                let done = DecapsulationKey::<S>::expand_many_into(&seeds[..a], &mut expanded[..b]);
                assert_eq!(done, Err(Error::Length));
            }
            assert!(cs.iter().all(|c| *c == untouched.0) && ks.iter().all(|k| *k == untouched.1));
        }
        assert!(expanded.iter().all(|expanded| expanded.as_ref().iter().all(|byte| *byte == 0xa5)));
    }
    each!(check);
}
