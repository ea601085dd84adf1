//! The kernels of rejection sampling, block by block and from blocks that were kept, and the end of H beside them.

use core::slice;

use kemstone::backend::Backend;
use kemstone::backend::poly::{N, NttPoly, Q};
use kemstone::backend::portable::Portable;
use kemstone::backend::probe::{KeyHash, Probe};
use kemstone::backend::x86_64::avx512::Avx512;
use kemstone::sponge::fips202::{H_BLOCK, XOF_BLOCK};
use kemstone::sponge::groups::SAMPLE_BLOCKS;
use kemstone::sponge::{Keccak, States};

use crate::Random;
use crate::faults::Faults;
use crate::machine::say;

/// Candidates in a block.
pub(crate) const CANDIDATES: usize = 112;
/// Candidates in the blocks that are kept in a polynomial.
const KEPT: usize = SAMPLE_BLOCKS * CANDIDATES;
/// Candidates that VBMI2 takes at once.
const GROUP: usize = 32;

/// The numbers of an element, as far as it is sampled. Only the encoding of a full one says in which order they are.
fn numbers<B: Backend>(backend: B, a: &NttPoly<B>, count: usize) -> [i16; N] {
    let (mut numbers, mut bytes) = (*a.raw(), [0; 384]);
    numbers[count..].fill(0);
    if count == N {
        backend.encode12(a, &mut bytes);
        unpack(&bytes, &mut numbers);
    }
    numbers
}

pub(crate) fn unpack(bytes: &[u8], numbers: &mut [i16]) {
    for (two, bytes) in numbers.as_chunks_mut::<2>().0.iter_mut().zip(bytes.as_chunks::<3>().0) {
        let bits = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
        *two = [bits & 0xfff, bits >> 12].map(|d| d as i16);
    }
}

fn pack(candidates: &[i16], bytes: &mut [u8]) {
    for (two, bytes) in candidates.as_chunks::<2>().0.iter().zip(bytes.as_chunks_mut::<3>().0) {
        let bits = two[0] as u32 | (two[1] as u32) << 12;
        bytes.copy_from_slice(&bits.to_le_bytes()[..3]);
    }
}

/// How many groups have all candidates accepted.
pub(crate) fn full_groups(candidates: &[i16]) -> usize {
    candidates.chunks_exact(GROUP).filter(|group| group.iter().all(|d| *d < Q)).count()
}

/// Numbers that tell their slot; the rejected ones from q to 4095.
fn by_mask<const L: usize>(salt: usize, accept: impl Fn(usize) -> bool) -> [i16; L] {
    core::array::from_fn(|slot| {
        if accept(slot) {
            ((29 * slot + salt) % Q as usize) as i16
        } else {
            Q + ((61 * slot + salt) % (4096 - Q as usize)) as i16
        }
    })
}

/// What a test has run on.
#[derive(Default)]
struct Inputs {
    all: usize,
    /// Those with a group that is accepted whole.
    full: usize,
}

impl Inputs {
    /// Counts one. Where the emulator has the fault, writes to `expected` what comes of it: zeros for each such group,
    /// the first of the candidates being the one for index `at`. All others stay as they are, and so do all numbers.
    fn apply(&mut self, faults: Faults, candidates: &[i16], mut at: usize, expected: &mut [i16; N]) {
        self.all += 1;
        self.full += usize::from(full_groups(candidates) > 0);
        for group in candidates.chunks(GROUP) {
            let accepted = group.iter().filter(|d| **d < Q).count();
            if faults.full_mask && accepted == GROUP {
                expected[at.min(N)..(at + GROUP).min(N)].fill(0);
            }
            at += accepted;
        }
    }

    fn say(&self, faults: Faults, what: &str) {
        let how = if faults.full_mask {
            "compared with zeros in them, as the fault has it"
        } else {
            "compared as all others"
        };
        say!("{what}: {} inputs; {} have a group that is accepted whole, {how}", self.all, self.full);
    }
}

/// `Backend::sample_ntt` for one polynomial that has `level` coefficients.
fn sampled<B: Backend>(backend: B, block: &[u8; 192], level: usize) -> (usize, [i16; N]) {
    let (mut a, mut filled) = (NttPoly::ZERO, [level]);
    for (i, a) in a.raw_mut()[..level].iter_mut().enumerate() {
        *a = (11 * i + 1) as i16;
    }
    let full = backend.sample_ntt(slice::from_ref(block), slice::from_mut(&mut a), &mut filled);
    assert_eq!(full, filled[0] == N);
    (filled[0], numbers(backend, &a, filled[0]))
}

/// Blocks one by one.
pub(crate) fn blocks(backend: Avx512, plain: Avx512, faults: Faults) {
    let mut inputs = Inputs::default();
    let mut check = |level: usize, candidates: &[i16; CANDIDATES]| {
        let mut block = [0; 192];
        pack(candidates, &mut block);
        let (count, mut expected) = sampled(Portable, &block, level);
        assert_eq!(sampled(plain, &block, level), (count, expected), "level {level}, without VBMI2");
        inputs.apply(faults, candidates, level, &mut expected);
        assert_eq!(sampled(backend, &block, level), (count, expected), "level {level}: {candidates:?}");
    };
    // Every level with every number of accepted ones: the first, the last, and spread out.
    for level in 0..N {
        for many in 0..=CANDIDATES {
            check(level, &by_mask(level, |slot| slot < many));
            check(level, &by_mask(many, |slot| CANDIDATES - slot <= many));
            check(level, &by_mask(level + many, |slot| slot * 45 % CANDIDATES < many));
        }
    }
    // Every value in every slot.
    for start in 0..1 << 12 {
        let candidates = core::array::from_fn(|slot| ((start + 37 * slot) & 0xfff) as i16);
        check(start & 255, &candidates);
    }
    // Every mask of every sixteen: an odd factor runs through all masks in another order.
    for mask in 0..1_usize << 16 {
        let of = |slot: usize| mask * (2 * (slot >> 4) + 1) + 999 * (slot >> 4);
        check((mask * 167) >> 3 & 255, &by_mask(mask, |slot| of(slot) >> (slot & 15) & 1 == 1));
    }
    inputs.say(faults, "blocks one by one");
}

fn kernels(backend: Avx512) -> KeyHash<Avx512> {
    backend.key_hash().expect("VBMI2 is detected")
}

/// Three blocks in a polynomial: in two side by side, as the last and as one that another follows.
pub(crate) fn kept(backend: Avx512, faults: Faults) {
    let sample_kept = kernels(backend).sample_kept;
    let mut inputs = Inputs::default();
    let mut check = |candidates: &[i16; KEPT]| {
        let mut bytes = [0; SAMPLE_BLOCKS * XOF_BLOCK];
        pack(candidates, &mut bytes);
        let (mut portable, mut count) = (NttPoly::<Portable>::ZERO, [0]);
        for of_block in bytes.as_chunks::<XOF_BLOCK>().0 {
            let mut block = [0; 192];
            block[..XOF_BLOCK].copy_from_slice(of_block);
            Portable.sample_ntt(&[block], slice::from_mut(&mut portable), &mut count);
        }
        let count = count[0];
        let mut expected = numbers(Portable, &portable, count);
        inputs.apply(faults, candidates, 0, &mut expected);
        let mut entries = [const { NttPoly::<Avx512>::ZERO }; 2];
        for entry in &mut entries {
            for (number, bytes) in entry.raw_mut().iter_mut().zip(bytes.as_chunks().0) {
                *number = i16::from_le_bytes(*bytes);
            }
        }
        let mut filled = [usize::MAX; 2];
        let full = sample_kept(backend, &mut entries, &mut filled);
        assert_eq!((filled, full), ([count; 2], count == N), "{candidates:?}");
        for entry in &entries {
            assert_eq!(numbers(backend, entry, count), expected, "{candidates:?}");
        }
    };
    // Every value in every slot.
    for start in 0..1 << 12 {
        check(&core::array::from_fn(|slot| ((start + 37 * slot) & 0xfff) as i16));
    }
    // A part of the masks of every sixteen, and of the numbers of accepted ones before each of the groups that may find no room.
    for mask in (0..1_usize << 16).step_by(13) {
        let of = |slot: usize| mask * (2 * (slot >> 4) + 1) + 999 * (slot >> 4);
        check(&by_mask(mask, |slot| of(slot) >> (slot & 15) & 1 == 1));
    }
    for (level, group) in (0..3 * (N + 1)).map(|n| (n / 3, 8 + n % 3)) {
        for many in [level % 33, (level + 16) % 33, GROUP] {
            check(&by_mask(level + many, |slot| match slot / GROUP {
                before if before < group => slot * 49 % (group * GROUP) < level,
                this if this == group => slot % GROUP * 13 % GROUP < many,
                _ => true,
            }));
        }
    }
    inputs.say(faults, "blocks that were kept");
}

fn random_states(random: &mut Random) -> States<8> {
    States(core::array::from_fn(|_| core::array::from_fn(|_| random.word())))
}

/// Blocks from states to polynomials, and the end of H in the first slot beside polynomials that are sampled: as each by itself.
pub(crate) fn beside_h(backend: Avx512) {
    let mut random = Random(2);
    let KeyHash { keep_block, sample_kept, finish_and_sample } = kernels(backend);
    let mut inputs = 0;
    for turn in 0..34 * 8 {
        let states = random_states(&mut random);
        let (blocks, last) = ([(); 3].map(|()| random.array::<H_BLOCK>()), random.array::<H_BLOCK>());
        let blocks = &blocks[..turn % 4];
        let mut h = States::<1>([(); 25].map(|()| [0]));
        for (word, words) in h.0.iter_mut().zip(&states.0) {
            word[0] = words[0];
        }
        for block in blocks.iter().chain([&last]) {
            for (word, bytes) in h.0.iter_mut().zip(block.as_chunks().0) {
                word[0] ^= u64::from_le_bytes(*bytes);
            }
            Portable.permute(&mut h, 1);
        }
        // In waves of seven, as a matrix comes.
        let mut entries = [const { NttPoly::<Avx512>::ZERO }; 16];
        let entries = &mut entries[..turn % 17];
        for b in 0..SAMPLE_BLOCKS {
            for wave in entries.chunks_mut(7) {
                let states = random_states(&mut random);
                keep_block(backend, &states, b, wave);
                for (i, entry) in (1..).zip(wave.iter()) {
                    let kept = entry.raw()[b * XOF_BLOCK / 2..].as_chunks::<4>().0;
                    for (words, four) in states.0[..XOF_BLOCK / 8].iter().zip(kept) {
                        let word =
                            four.iter().rev().fold(0, |word, part| word << 16 | u64::from(*part as u16));
                        assert_eq!(word, words[i], "slot {i}, block {b}");
                    }
                }
            }
        }
        // Too few numbers below q, sometimes.
        if let (0, Some(first)) = (turn % 5, entries.first_mut()) {
            first.raw_mut()[..XOF_BLOCK / 2].fill(-1);
        }
        let mut alone = [const { NttPoly::<Avx512>::ZERO }; 16];
        let mut counts = [0; 16];
        for ((entry, alone), count) in entries.iter().zip(&mut alone).zip(&mut counts) {
            alone.raw_mut().copy_from_slice(entry.raw());
            sample_kept(backend, slice::from_mut(alone), slice::from_mut(count));
        }
        let counts = &counts[..entries.len()];
        let (mut out, mut filled) = ([0; 32], [usize::MAX; 16]);
        let filled = &mut filled[..entries.len()];
        let full = finish_and_sample(backend, &states, blocks, &last, &mut out, entries, filled);
        assert_eq!(out.as_chunks().0, [0, 1, 2, 3].map(|i| h.0[i][0].to_le_bytes()));
        assert_eq!((&*filled, full), (counts, counts.iter().all(|n| *n == N)));
        for ((entry, alone), count) in entries.iter().zip(&alone).zip(counts) {
            assert_eq!(entry.raw()[..*count], alone.raw()[..*count], "turn {turn}");
        }
        inputs += 1;
    }
    say!("blocks kept, and the end of H beside 0 to 16 polynomials: {inputs} inputs");
}
