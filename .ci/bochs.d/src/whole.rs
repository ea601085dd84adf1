//! Whole operations, each byte of their results.

use kemstone::backend::Backend;
use kemstone::backend::poly::Q;
use kemstone::backend::portable::Portable;
use kemstone::backend::x86_64::avx512::Avx512;
use kemstone::on_backend::{decapsulate, encapsulate, key_gen};
use kemstone::sponge::fips202::{Function, XOF_BLOCK};
use kemstone::sponge::groups::SAMPLE_BLOCKS;
use kemstone::sponge::jobs::Job;
use kemstone::{MlKem512, MlKem768, MlKem1024, ParameterSet};

use crate::faults::Faults;
use crate::machine::say;
use crate::sampling::{CANDIDATES, full_groups, unpack};
use crate::{Random, other_width};

/// Seeds for each parameter set.
const SEEDS: usize = 24;

/// Room for keys and ciphertexts of all parameter sets.
type Room = [u8; 3168];

/// Whether the matrix has a group that is accepted whole, in the order of the blocks or across those that are kept, and
/// whether an entry needs more than three blocks.
fn matrix(rho: &[u8; 32], k: u8) -> (bool, bool) {
    const BLOCKS: usize = SAMPLE_BLOCKS + 2;
    let (mut full, mut more) = (false, false);
    for i_j in 0..k * k {
        let (mut bytes, mut candidates) = ([0; BLOCKS * XOF_BLOCK], [0; BLOCKS * CANDIDATES]);
        let index = [i_j / k, i_j % k];
        Portable.hash(Job::new(Function::Shake128, rho, &index, &mut bytes));
        unpack(&bytes, &mut candidates);
        let kept = &candidates[..SAMPLE_BLOCKS * CANDIDATES];
        full |= full_groups(kept) > 0 || candidates.chunks(CANDIDATES).any(|block| full_groups(block) > 0);
        more |= kept.iter().filter(|d| **d < Q).count() < 256;
    }
    (full, more)
}

/// What the operations make.
struct Made {
    dk: Room,
    c: Room,
    secret: [u8; 32],
    accepted: [u8; 32],
    rejected: [u8; 32],
}

fn made<S: ParameterSet, B: Backend>(backend: B, [d, z, m]: &[[u8; 32]; 3]) -> Made {
    let (mut dk, mut c) = ([0; 3168], [0; 3168]);
    let [mut secret, mut accepted, mut rejected] = [[0; 32]; 3];
    let expanded = &mut dk[..S::DECAPSULATION_KEY_SIZE];
    key_gen::<S, B>(backend, d, z, expanded).expect("it has the size");
    let ek = &expanded[S::ENCAPSULATION_KEY_OFFSET..][..S::ENCAPSULATION_KEY_SIZE];
    let sent = &mut c[..S::CIPHERTEXT_SIZE];
    encapsulate::<S, B>(backend, ek, m, sent, &mut secret).expect("the key is valid");
    decapsulate::<S, B>(backend, expanded, sent, &mut accepted).expect("the key is valid");
    sent[usize::from(m[0])] ^= 1 << (m[1] & 7);
    decapsulate::<S, B>(backend, expanded, sent, &mut rejected).expect("the key is valid");
    Made { dk, c, secret, accepted, rejected }
}

fn set<S: ParameterSet>(backends: [Avx512; 3], faults: Faults, k: u8, random: &mut Random) {
    let (mut left_out, mut more_blocks, mut seeds) = (0, 0, 0);
    // To the end, and then until one has needed a fourth block, which takes another path.
    while seeds < SEEDS || more_blocks == 0 {
        let seed = [(); 3].map(|()| random.array());
        let mut g = [0; 64];
        Portable.hash(Job::new(Function::Sha3_512, &seed[0], &[k], &mut g));
        let (full, more) = matrix(g.first_chunk().expect("rho"), k);
        if full && faults.full_mask {
            left_out += 1;
            continue;
        }
        // One of those has to be waited for, not the others.
        if seeds >= SEEDS && !more {
            continue;
        }
        seeds += 1;
        more_blocks += usize::from(more);
        let expected = made::<S, _>(Portable, &seed);
        assert_eq!(expected.secret, expected.accepted);
        assert_ne!(expected.secret, expected.rejected);
        for (which, backend) in backends.into_iter().enumerate() {
            let found = made::<S, _>(backend, &seed);
            assert_eq!(found.dk, expected.dk, "{}, seed {seeds}, way {which}: key generation", S::NAME);
            assert_eq!((found.c, found.secret), (expected.c, expected.secret), "{}: encapsulation", S::NAME);
            let secrets = [found.accepted, found.rejected];
            assert_eq!(secrets, [expected.accepted, expected.rejected], "{}: decapsulation", S::NAME);
        }
    }
    say!(
        "{}: {seeds} seeds in {} ways each, of which {more_blocks} need a fourth block; {left_out} others left out for the fault",
        S::NAME,
        backends.len()
    );
}

/// Every parameter set, in the way that the processor gets, in the one that wider processors get, and without VBMI2.
pub(crate) fn all(backend: Avx512, plain: Avx512, faults: Faults) {
    let mut random = Random(3);
    let ways = [backend, other_width(backend, plain), plain];
    say!("ways: {ways:?}");
    set::<MlKem512>(ways, faults, 2, &mut random);
    set::<MlKem768>(ways, faults, 3, &mut random);
    set::<MlKem1024>(ways, faults, 4, &mut random);
    // By way of the public functions. Their matrices meet no fault that is known.
    kemstone::self_test().expect("the known answers");
    say!("self test, with known answers");
}
