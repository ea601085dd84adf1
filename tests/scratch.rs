//! Operations in memory of the caller's.

mod support;

use kemstone::backend::select::Selected;
use kemstone::{Bytes, CiphertextRef, DecapsulationKey, Error, ParameterSet, Scratch};
use support::{Random, Set, each};

fn ciphertext<S: ParameterSet>(c: &S::CiphertextBytes) -> CiphertextRef<'_, S> {
    CiphertextRef::try_from(c.as_ref()).expect("its length")
}

/// What a scratch does is what the other calls do, and a scratch that has been used does it again.
#[test]
fn scratches_give_the_same() {
    fn check<S: Set>(_: Selected) {
        let mut scratch = Scratch::<S>::new();
        assert_eq!(Scratch::<S>::SIZE, 512 * S::K + 1024);
        for n in 0..3 {
            let mut random = Random::new("scratch");
            (0..n).for_each(|_| _ = random.array::<64>());
            let (seed, m) = (random.seed(), random.array());
            let dk = S::from_seed(&seed);
            let (mut expanded, mut c, mut k) = (Bytes::ZERO, Bytes::ZERO, [7; 32]);
            scratch.expand_into(&seed, &mut expanded);
            assert_eq!(expanded.as_ref(), &S::expanded(&dk)[..]);

            let ek = dk.encapsulation_key();
            assert_eq!(scratch.encapsulate_into(ek, |_| Err("none"), &mut c, &mut k), Err("none"));
            assert_eq!((c.as_ref().iter().max(), k), (Some(&0), [7; 32]));
            let draw = |to: &mut [u8; 32]| {
                *to = m;
                Ok::<_, ()>(())
            };
            assert_eq!(scratch.encapsulate_into(ek, draw, &mut c, &mut k), Ok(()));
            let (expected_c, expected) = ek.encapsulate_deterministic(&m);
            assert_eq!((c.as_ref(), &k), (expected_c.as_bytes().as_ref(), expected.as_bytes()));

            let mut same = [7; 32];
            assert_eq!(scratch.decapsulate_expanded_into(&expanded, ciphertext(&c), &mut same), Ok(()));
            assert_eq!(same, k);
            c.as_mut()[5] ^= 1;
            assert_eq!(scratch.decapsulate_expanded_into(&expanded, ciphertext(&c), &mut same), Ok(()));
            let rejected =
                DecapsulationKey::<S>::decapsulate_expanded(&expanded, ciphertext(&c)).expect("a good key");
            assert_eq!((&same, same == k), (rejected.as_bytes(), false));

            // s, the public half, its hash.
            for at in [1, S::ENCAPSULATION_KEY_OFFSET + 1, S::DECAPSULATION_KEY_SIZE - 33] {
                let mut refused = expanded;
                refused.as_mut()[at] ^= 0xff;
                if at == 1 {
                    refused.as_mut()[..2].fill(0xff);
                }
                let answer = scratch.decapsulate_expanded_into(&refused, ciphertext(&c), &mut same);
                assert_eq!((answer, same), (Err(Error::DecapsulationKey), [0; 32]), "{at}");
                same = [7; 32];
            }
        }
    }
    each!(check);
}
