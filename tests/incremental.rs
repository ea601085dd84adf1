//! Encapsulation in two steps: the same as in one, on every backend, and nothing but what it wrote itself is gone on with.

mod support;

use kemstone::backend::select::{Selected, for_each, on};
use kemstone::{
    Ciphertext, EncapsulationHeader, EncapsulationState, Error, HEADER_SIZE, ParameterSet, STATE_SIZE,
};
use support::{
    MlKem512, MlKem768, MlKem1024, Random, Set, coefficient, each, scaled, set_coefficient, sha3_256,
};

fn given(m: [u8; 32]) -> impl FnOnce(&mut [u8; 32]) -> Result<(), Error> {
    move |to| {
        *to = m;
        Ok(())
    }
}

#[test]
fn two_steps_are_as_one() {
    fn check<S: Set>(_: Selected) {
        let mut random = Random::new("two steps");
        for _ in 0..scaled(50) {
            let dk = S::from_seed(&random.seed());
            let (ek, m) = (dk.encapsulation_key(), random.array());
            let encoded: &[u8] = ek.as_bytes().as_ref();
            let header = ek.header();
            assert_eq!(header.as_bytes()[..32], encoded[384 * S::K..]);
            assert_eq!(header.as_bytes()[32..], sha3_256(encoded));
            assert_eq!(ek.vector(), &encoded[..384 * S::K]);

            let (whole, secret) = ek.encapsulate_deterministic(&m);
            let header = EncapsulationHeader::<S>::from_bytes(header.as_bytes());
            let (first, state, ours) = header.encapsulate_with(given(m)).expect("it is given");
            assert_eq!(ours, secret);
            let state = EncapsulationState::<S>::from_bytes(&state.to_bytes()).expect("what was written");
            let second = state.finish(ek.vector()).expect("the rest of the key");
            let parts = [first.as_bytes(), second.as_bytes()];
            assert_eq!(parts.concat(), whole.as_bytes().as_ref());
            assert_eq!(Ciphertext::from_parts(parts[0], parts[1]), Ok(whole));
            assert_eq!(format!("{first:?} {state:?} {header:?}"), {
                let length = first.as_bytes().len();
                format!("CiphertextPart({length} bytes) EncapsulationState(..) EncapsulationHeader(..)")
            });
        }
        let (first, state, secret) =
            S::from_seed(&random.seed()).encapsulation_key().header().encapsulate().expect("randomness");
        assert!(
            !first.as_bytes().is_empty()
                && state.to_bytes()[66..98] != [0; 32]
                && *secret.as_bytes() != [0; 32]
        );
        let refused =
            S::from_seed(&random.seed()).encapsulation_key().header().encapsulate_with(|_| Err("none"));
        assert_eq!(refused.err(), Some("none"));
    }
    each!(check);
}

/// A state that one backend wrote is gone on with by any other, and its bytes are the same.
#[test]
fn states_move_between_backends() {
    fn check<S: Set>() {
        let mut random = Random::new("states");
        let dk = S::from_seed(&random.seed());
        let (ek, m) = (dk.encapsulation_key(), random.array());
        let mut written = Vec::new();
        for_each(|selected| {
            let begun = on(selected, || ek.header().encapsulate_with(given(m))).expect("it is given");
            written.push((begun.0.as_bytes().to_vec(), begun.1.to_bytes()));
        });
        assert!(written.iter().all(|one| *one == written[0]));
        let mut seconds = Vec::new();
        for_each(|_| {
            let state = EncapsulationState::<S>::from_bytes(&written[0].1).expect("a good state");
            seconds.push(state.finish(ek.vector()).expect("the rest of the key").as_bytes().to_vec());
        });
        assert!(seconds.iter().all(|one| *one == seconds[0]));
        // What a state is, byte by byte: who has one from an older version relies on it.
        let state = written[0].1;
        assert_eq!((state[0], state[1]), (1, S::K as u8));
        assert_eq!(state[2..66], ek.header().as_bytes()[..]);
        assert_eq!(state[66..98], m);
        assert_eq!(state[98..], support::j(&m, &state[..66])[..16]);
    }
    check::<MlKem512>();
    check::<MlKem768>();
    check::<MlKem1024>();
}

#[test]
fn what_was_not_written_is_refused() {
    fn check<S: Set>(_: Selected) {
        let mut random = Random::new("refused states");
        let dk = S::from_seed(&random.seed());
        let ek = dk.encapsulation_key();
        let (first, state, _) = ek.header().encapsulate_with(given(random.array())).expect("it is given");
        let good = state.to_bytes();
        for bit in 0..8 * STATE_SIZE {
            let mut damaged = good;
            damaged[bit >> 3] ^= 1 << (bit & 7);
            assert_eq!(EncapsulationState::<S>::from_bytes(&damaged).err(), Some(Error::State), "bit {bit}");
        }
        assert_eq!(EncapsulationState::<S>::from_bytes(&[0; STATE_SIZE]).err(), Some(Error::State));
        fn as_other<T: ParameterSet>(state: &[u8; STATE_SIZE]) -> bool {
            EncapsulationState::<T>::from_bytes(state).is_ok()
        }
        let taken = [as_other::<MlKem512>(&good), as_other::<MlKem768>(&good), as_other::<MlKem1024>(&good)];
        assert_eq!(taken, [S::K == 2, S::K == 3, S::K == 4]);

        // The rest of another key, a number that is not below q, another length.
        let vector = ek.vector();
        let mut another = vector.to_vec();
        set_coefficient(&mut another, 5, coefficient(vector, 5) ^ 1);
        assert_eq!(state.finish(&another).err(), Some(Error::EncapsulationKey));
        set_coefficient(&mut another, 5, 3329);
        assert_eq!(state.finish(&another).err(), Some(Error::EncapsulationKey));
        for length in [0, vector.len() - 1] {
            assert_eq!(state.finish(&vector[..length]).err(), Some(Error::Length));
        }
        assert_eq!(state.finish(&[vector, &[0]].concat()).err(), Some(Error::Length));
        // A header whose hash is another key's.
        let mut header: [u8; HEADER_SIZE] = *ek.header().as_bytes();
        header[40] ^= 1;
        let header = EncapsulationHeader::<S>::from_bytes(&header);
        let (_, state, _) = header.encapsulate_with(given([3; 32])).expect("any header will do");
        assert_eq!(state.finish(vector).err(), Some(Error::EncapsulationKey));

        let second = vec![0; S::CT - first.as_bytes().len()];
        assert!(Ciphertext::<S>::from_parts(first.as_bytes(), &second).is_ok());
        for (first, second) in
            [(&first.as_bytes()[1..], &second[..]), (first.as_bytes(), &second[1..]), (&[], &[])]
        {
            assert_eq!(Ciphertext::<S>::from_parts(first, second), Err(Error::Length));
        }
    }
    each!(check);
}
