//! Centred binomial and rejection sampling (P4, P8).

use core::slice;

use kemstone::backend::poly::{Eta, N, Noise, NttPoly, Poly, Q};
use kemstone::backend::probe::{KeyHash, Probe};
use kemstone::sponge::fips202::XOF_BLOCK;
use kemstone::sponge::groups::SAMPLE_BLOCKS;

use crate::support::{Covered, Random, encoded, pack, packed, turns};

/// Algorithm 8 on the 2 eta bits of one coefficient.
fn difference(eta: u32, bits: usize) -> i16 {
    let ones = |bits: usize| (bits & ((1 << eta) - 1)).count_ones() as i16;
    ones(bits) - ones(bits >> eta)
}

pub(crate) fn noise<B: Probe>(backend: B) -> Covered {
    let mut random = Random::new("noise");
    let two: Vec<i16> = (0..16).map(|bits| difference(2, bits)).collect();
    let three: Vec<i16> = (0..64).map(|bits| difference(3, bits)).collect();
    let mut f = Poly::<Noise>::ZERO;
    let mut inputs = 0;

    let mut check_two = |b: &[u8; 192]| {
        backend.sample_poly_cbd(Eta::Two, b, &mut f);
        for (i, pair) in f.coefficients().as_chunks::<2>().0.iter().enumerate() {
            let expected = [two[b[i] as usize & 15], two[b[i] as usize >> 4]];
            assert_eq!(*pair, expected, "eta = 2, byte {i} of {b:?}");
        }
        inputs += N as u64;
    };
    // Every byte in every position; then beside others that are all alike.
    for byte in turns(256) {
        check_two(&core::array::from_fn(|i| (byte + 29 * i) as u8));
        for i in 0..128 {
            for mut b in [[0; 192], [0xff; 192], random.array()] {
                b[i] = byte as u8;
                check_two(&b);
            }
        }
    }

    let mut check_three = |b: &[u8; 192]| {
        backend.sample_poly_cbd(Eta::Three, b, &mut f);
        for (i, (four, b)) in f.coefficients().as_chunks::<4>().0.iter().zip(b.as_chunks::<3>().0).enumerate()
        {
            let bits = u32::from_le_bytes([b[0], b[1], b[2], 0]) as usize;
            let expected: [i16; 4] = core::array::from_fn(|j| three[bits >> (6 * j) & 63]);
            assert_eq!(*four, expected, "eta = 3, bytes {i} of {b:?}");
        }
        inputs += N as u64;
    };
    let triples = |triple: &mut dyn FnMut(usize) -> usize| {
        let mut b = [0; 192];
        for (group, b) in b.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            b.copy_from_slice(&(triple(group) as u32).to_le_bytes()[..3]);
        }
        b
    };
    // Every three bytes in sixteen groups in a row, and so in every position of a register.
    for rotation in turns(16) {
        for low in turns(1 << 18) {
            check_three(&triples(&mut |group| low | ((group + rotation) & 63) << 18));
        }
    }
    // Every field of six bits in every group.
    for field in turns(4 * 64) {
        let (at, bits) = (6 * (field >> 6), field & 63);
        let b = triples(&mut |group| random.below(1 << 24) & !(63 << at) | ((bits + group) & 63) << at);
        check_three(&b);
    }
    Covered::new(
        "settled",
        inputs,
        "eta = 2: every byte in every position; eta = 3: every three bytes, every field (P4)",
    )
}

/// Candidates in a block.
const CANDIDATES: usize = 112;

fn block(candidates: &[i16; CANDIDATES]) -> [u8; XOF_BLOCK] {
    let mut block = [0; XOF_BLOCK];
    pack::<12>(candidates, &mut block);
    block
}

/// [`Backend::sample_ntt`](kemstone::backend::Backend::sample_ntt) for one polynomial.
fn sample_block<B: Probe>(
    backend: B,
    candidates: &[i16; CANDIDATES],
    f_hat: &mut NttPoly<B>,
    filled: usize,
) -> usize {
    let (mut blocks, mut filled) = ([[0; 192]], [filled]);
    blocks[0][..XOF_BLOCK].copy_from_slice(&block(candidates));
    let full = backend.sample_ntt(&blocks, slice::from_mut(f_hat), &mut filled);
    assert_eq!(full, filled[0] == N);
    filled[0]
}

/// Samples a polynomial with `level` coefficients, then `tested`, then what is missing, and compares it with Algorithm 7.
fn sample<B: Probe>(backend: B, level: usize, tested: &[i16; CANDIDATES]) {
    let (mut f_hat, mut filled) = (NttPoly::<B>::ZERO, 0);
    // The same for several at once: in the first or the last place of three, the others being full.
    let mut among = [const { NttPoly::<B>::ZERO }; 3];
    let mut levels = [N; 3];
    let place = 2 * (tested[0] as usize & 1);
    levels[place] = 0;
    let mut expected = Vec::with_capacity(N + CANDIDATES);
    let mut step = |candidates: &[i16; CANDIDATES], filled: &mut usize| {
        expected.extend(candidates.iter().filter(|d| **d < Q));
        *filled = sample_block(backend, candidates, &mut f_hat, *filled);
        assert_eq!(*filled, expected.len().min(N), "level {level}: {tested:?}");
        let mut blocks = [[0; 192]; 3];
        blocks[place][..XOF_BLOCK].copy_from_slice(&block(candidates));
        let full = backend.sample_ntt(&blocks, &mut among, &mut levels);
        let mut expected = [N; 3];
        expected[place] = *filled;
        assert_eq!((levels, full), (expected, *filled == N), "level {level}: {tested:?}");
    };
    // In the order of the standard, numbers that differ; those that are too many are rejected.
    let fill = |from: usize, many: usize| {
        core::array::from_fn(
            |i| if i < many { ((from + i) * 11 + 1) as i16 } else { 4095 - (i & 511) as i16 },
        )
    };
    while filled < level {
        let many = (level - filled).min(CANDIDATES);
        step(&fill(filled, many), &mut filled);
    }
    step(tested, &mut filled);
    while filled < N {
        step(&fill(filled, CANDIDATES), &mut filled);
    }
    expected.truncate(N);
    let expected: [i16; N] = expected.try_into().expect("the polynomial is full");
    assert_eq!(encoded(backend, &f_hat), packed(&expected), "level {level}: {tested:?}");
    for (i, other) in among.iter().enumerate() {
        let expected = if i == place { f_hat.raw() } else { &[0; N] };
        assert_eq!(other.raw(), expected, "place {i} of three, level {level}: {tested:?}");
    }
}

/// Candidates that are kept in a polynomial.
const KEPT_CANDIDATES: usize = SAMPLE_BLOCKS * CANDIDATES;

/// The same for blocks that are kept in a polynomial, with more afterwards if they do not suffice: in two side by side, as the last
/// and as one that another follows.
fn sample_kept<B: Probe>(backend: B, kernel: &KeyHash<B>, candidates: &[i16; KEPT_CANDIDATES]) {
    let mut f_hats = [const { NttPoly::<B>::ZERO }; 2];
    for f_hat in &mut f_hats {
        let kept = f_hat.raw_mut().as_chunks_mut::<{ XOF_BLOCK / 2 }>().0;
        for (numbers, candidates) in kept.iter_mut().zip(candidates.as_chunks().0) {
            let block = block(candidates);
            numbers
                .iter_mut()
                .zip(block.as_chunks().0)
                .for_each(|(n, bytes)| *n = i16::from_le_bytes(*bytes));
        }
    }
    let mut filled = [usize::MAX; 2];
    let full = (kernel.sample_kept)(backend, &mut f_hats, &mut filled);
    let mut expected = Vec::with_capacity(KEPT_CANDIDATES + CANDIDATES);
    expected.extend(candidates.iter().filter(|d| **d < Q));
    let accepted = expected.len().min(N);
    assert_eq!((filled, full), ([accepted; 2], accepted == N), "{candidates:?}");
    let mut more = [0; CANDIDATES];
    while expected.len() < N {
        more = core::array::from_fn(|i| (17 * i + expected.len()) as i16);
        expected.extend(more);
        for (f_hat, filled) in f_hats.iter_mut().zip(&mut filled) {
            *filled = sample_block(backend, &more, f_hat, *filled);
        }
    }
    expected.truncate(N);
    let expected: [i16; N] = expected.try_into().expect("the polynomial is full");
    for f_hat in &f_hats {
        assert_eq!(encoded(backend, f_hat), packed(&expected), "{candidates:?}, {more:?}");
    }
}

/// Numbers that tell their slot; the rejected ones from q to 4095.
fn by_mask<const L: usize>(salt: usize, accept: &dyn Fn(usize) -> bool) -> [i16; L] {
    core::array::from_fn(|slot| {
        if accept(slot) {
            ((29 * slot + salt) % Q as usize) as i16
        } else {
            Q + ((61 * slot + salt) % (4096 - Q as usize)) as i16
        }
    })
}

/// Three blocks at once, in groups of 32 of which the first eight always find room.
fn rejection_of_kept<B: Probe>(backend: B) -> u64 {
    const GROUP: usize = 32;
    let Some(kernel) = backend.key_hash() else { return 0 };
    let mut inputs = 0;
    let mut check = |candidates: &[i16; KEPT_CANDIDATES]| {
        sample_kept(backend, &kernel, candidates);
        inputs += 1;
    };
    // Every 12-bit value in every slot.
    for start in turns(1 << 12) {
        check(&core::array::from_fn(|slot| ((start + 37 * slot) & 0xfff) as i16));
    }
    // Every mask of every sixteen; every mask of the second sixteen of every group, with every number of accepted ones in the
    // first: an odd factor runs through all masks in another order.
    for mask in turns(1 << 16) {
        let of = |slot: usize| mask * (2 * (slot >> 4) + 1) + 999 * (slot >> 4);
        check(&by_mask(mask, &|slot| of(slot) >> (slot & 15) & 1 == 1));
        for first in 0..=16 {
            check(&by_mask(mask, &|slot| match slot & 16 {
                0 => (slot + mask) & 15 < first,
                _ => of(slot) >> (slot & 15) & 1 == 1,
            }));
        }
    }
    // Every number of accepted ones before each of the last three groups, with every number in it: the first, the last, and
    // spread out.
    for (level, group) in turns(3 * (N + 1)).map(|n| (n / 3, 8 + n % 3)) {
        for many in 0..=GROUP {
            let ways: [&dyn Fn(usize) -> bool; 3] =
                [&|at| at < many, &|at| GROUP - at <= many, &|at| at * 13 % GROUP < many];
            for way in ways {
                check(&by_mask(level + many, &|slot| match slot / GROUP {
                    before if before < group => slot * 49 % (group * GROUP) < level,
                    this if this == group => way(slot % GROUP),
                    _ => true,
                }));
            }
        }
    }
    inputs
}

pub(crate) fn rejection<B: Probe>(backend: B) -> Covered {
    let mut inputs = 0;
    let mut check = |level: usize, candidates: &[i16; CANDIDATES]| {
        for backend in [Some(backend), backend.plain()].into_iter().flatten() {
            sample(backend, level, candidates);
            inputs += 1;
        }
    };
    // Every 12-bit value in every slot.
    for start in turns(1 << 12) {
        let candidates = core::array::from_fn(|slot| ((start + 37 * slot) & 0xfff) as i16);
        check(0, &candidates);
        check(start & 255, &candidates);
    }
    // Every mask of every sixteen candidates: an odd factor runs through all masks in another order.
    for mask in turns(1 << 16) {
        let candidates =
            by_mask(mask, &|slot| (mask * (2 * (slot >> 4) + 1) + 999 * (slot >> 4)) >> (slot & 15) & 1 == 1);
        check(0, &candidates);
        check((mask * 167) >> 3 & 255, &candidates);
    }
    // Every mask of the second sixteen of every thirty-two, with every number of accepted ones in the first.
    for mask in turns(1 << 16) {
        for first in 0..=16 {
            let candidates = by_mask(mask, &|slot| {
                if slot & 16 == 0 { (slot + mask) & 15 < first } else { mask >> (slot & 15) & 1 == 1 }
            });
            check(0, &candidates);
            check(129 + ((mask * 167 + 7 * first) & 0x7f).min(126), &candidates);
        }
    }
    // Every level with every number of accepted ones: the first, the last, and spread out.
    for level in turns(N) {
        for many in 0..=CANDIDATES {
            check(level, &by_mask(level, &|slot| slot < many));
            check(level, &by_mask(many, &|slot| CANDIDATES - slot <= many));
            check(level, &by_mask(level + many, &|slot| slot * 45 % CANDIDATES < many));
        }
    }
    let of_kept = rejection_of_kept(backend);
    let ways = if backend.plain().is_some() { "with what is optional and without" } else { "one way" };
    let what = "every value in every slot, every mask of 16 and of halves of 32, every level (P8)";
    let kept = if of_kept > 0 { " and kept ones" } else { "" };
    Covered::new("settled", inputs + of_kept, format!("blocks, one, several{kept}, {ways}: {what}"))
}
