//! Centred binomial and rejection sampling (P4, P8).

use core::slice;

use kemstone::backend::poly::{Eta, N, Noise, NttPoly, Poly, Q};
use kemstone::backend::probe::{KeyHash, Probe};
use kemstone::sponge::fips202::XOF_BLOCK;
use kemstone::sponge::groups::SAMPLE_BLOCKS;

use crate::support::{Covered, Random, eight_times, encoded, pack, packed, turns};

/// Algorithm 8 on the 2 eta bits of one coefficient.
fn difference(eta: u32, bits: usize) -> i16 {
    let ones = |bits: usize| (bits & ((1 << eta) - 1)).count_ones() as i16;
    ones(bits) - ones(bits >> eta)
}

/// Algorithm 8 with eta = 2 on the bytes of a polynomial.
fn of_bytes(b: &[u8; 192]) -> [i16; N] {
    core::array::from_fn(|i| difference(2, b[i >> 1] as usize >> (4 * (i & 1)) & 15))
}

/// Bytes for eta = 3, in groups of three, and the four coefficients of each group.
struct Triples {
    bytes: [u8; 192],
    coefficients: [i16; N],
}

impl Triples {
    fn new(mut triple: impl FnMut(usize) -> usize) -> Self {
        let mut this = Self { bytes: [0; 192], coefficients: [0; N] };
        let groups =
            this.bytes.as_chunks_mut::<3>().0.iter_mut().zip(this.coefficients.as_chunks_mut::<4>().0);
        for (group, (bytes, four)) in groups.enumerate() {
            let bits = triple(group);
            bytes.copy_from_slice(&(bits as u32).to_le_bytes()[..3]);
            *four = core::array::from_fn(|i| difference(3, bits >> (6 * i) & 63));
        }
        this
    }

    /// Adds the lower 18 bits of `triple`, which are zero so far, to each: three coefficients, which come from `table`.
    fn with_lower(&self, triple: usize, table: &[i16; 64]) -> Self {
        let [x, y, z] = [0, 6, 12].map(|at| table[triple >> at & 63]);
        let three = eight_times(triple as u32);
        let mut this = Self { ..*self };
        for bytes in this.bytes.as_chunks_mut::<24>().0 {
            for i in 0..24 {
                bytes[i] |= three[i];
            }
        }
        let lower = [x, y, z, 0, x, y, z, 0];
        for two in this.coefficients.as_chunks_mut::<8>().0 {
            for i in 0..8 {
                two[i] |= lower[i];
            }
        }
        this
    }
}

pub(crate) fn noise<B: Probe>(backend: B) -> Covered {
    let mut random = Random::new("noise");
    let mut f = Poly::<Noise>::ZERO;
    let mut inputs = 0;
    let mut check = |eta: Eta, b: &[u8; 192], expected: &[i16; N]| {
        backend.sample_poly_cbd(eta, b, &mut f);
        // Not by `coefficients`, which looks at the range one by one.
        assert!(*f.storage() == *expected, "{eta:?} of {b:?}: {f:?}");
        inputs += N as u64;
    };

    // Every byte in every position; then beside others that are all alike.
    for byte in turns(256) {
        let b = core::array::from_fn(|i| (byte + 29 * i) as u8);
        check(Eta::Two, &b, &of_bytes(&b));
        for i in 0..128 {
            for mut b in [[0; 192], [0xff; 192], random.array()] {
                b[i] = byte as u8;
                check(Eta::Two, &b, &of_bytes(&b));
            }
        }
    }

    // Every three bytes in sixteen groups in a row, and so in every position of a register: of all groups the same lower 18 bits,
    // and upper ones that differ.
    let table = core::array::from_fn(|bits| difference(3, bits));
    for rotation in turns(16) {
        let upper = Triples::new(|group| ((group + rotation) & 63) << 18);
        for lower in turns(1 << 18) {
            let triples = upper.with_lower(lower, &table);
            check(Eta::Three, &triples.bytes, &triples.coefficients);
        }
    }
    // Every field of six bits in every group.
    for field in turns(4 * 64) {
        let (at, bits) = (6 * (field >> 6), field & 63);
        let triples = Triples::new(|group| random.below(1 << 24) & !(63 << at) | ((bits + group) & 63) << at);
        check(Eta::Three, &triples.bytes, &triples.coefficients);
    }
    Covered::new(
        "settled",
        inputs,
        "eta = 2: every byte in every position; eta = 3: every three bytes, every field (P4)",
    )
}

/// Candidates in a block.
const CANDIDATES: usize = 112;

/// A block of XOF output as the kernels read it.
type Block = [u8; 192];

fn block(candidates: &[i16]) -> Block {
    let mut block = [0; 192];
    pack::<12>(candidates, &mut block[..XOF_BLOCK]);
    block
}

/// Coefficients that a polynomial has before and after what is tested: in the order of the standard, numbers that differ.
const AROUND: [i16; N] = {
    let (mut around, mut i) = ([0; N], 0);
    while i < N {
        around[i] = (11 * i + 1) as i16;
        i += 1;
    }
    around
};

/// A block with `many` of these from `from` on; those that are too many are rejected.
fn around(from: usize, many: usize) -> Block {
    let candidate = |i: usize| if i < many { ((from + i) * 11 + 1) as i16 } else { 4095 - (i & 511) as i16 };
    block(&core::array::from_fn::<_, CANDIDATES, _>(candidate))
}

/// Algorithm 7: writes the accepted ones from `level` on, and returns where they end.
fn accept(candidates: &[i16], level: usize, f_hat: &mut [i16; N]) -> usize {
    let (mut accepted, mut many) = ([0; KEPT_CANDIDATES], 0);
    for &candidate in candidates {
        // A rejected one is overwritten.
        accepted[many] = candidate;
        many += (candidate < Q) as usize;
    }
    let end = N.min(level + many);
    f_hat[level..end].copy_from_slice(&accepted[..end - level]);
    end
}

/// [`Backend::sample_ntt`](kemstone::backend::Backend::sample_ntt) for one polynomial.
fn sample_block<B: Probe>(backend: B, block: &Block, f_hat: &mut NttPoly<B>, filled: usize) -> usize {
    let mut filled = [filled];
    let full = backend.sample_ntt(slice::from_ref(block), slice::from_mut(f_hat), &mut filled);
    assert_eq!(full, filled[0] == N);
    filled[0]
}

/// Polynomials to which a block is added: one by itself, and the first or the last of three, the others being full.
struct Sampled<B> {
    alone: NttPoly<B>,
    among: [NttPoly<B>; 3],
    place: usize,
    filled: usize,
}

impl<B: Probe> Sampled<B> {
    fn new(place: usize) -> Self {
        Self { alone: NttPoly::ZERO, among: [const { NttPoly::ZERO }; 3], place, filled: 0 }
    }

    /// Goes on as others did.
    fn begin_as(&mut self, start: &Self) {
        let place = self.place;
        *self.alone.raw_mut() = *start.alone.raw();
        *self.among[place].raw_mut() = *start.among[place].raw();
        self.filled = start.filled;
    }

    /// Adds a block, after which there are to be so many coefficients.
    fn add(&mut self, backend: B, block: &Block, expected: usize) {
        let mut blocks = [[0; 192]; 3];
        blocks[self.place] = *block;
        let (mut levels, mut ends) = ([N; 3], [N; 3]);
        (levels[self.place], ends[self.place]) = (self.filled, expected);
        let full = backend.sample_ntt(&blocks, &mut self.among, &mut levels);
        self.filled = sample_block(backend, block, &mut self.alone, self.filled);
        let right = (self.filled, levels, full) == (expected, ends, expected == N);
        assert!(right, "{} and {levels:?}, not {ends:?}, after {:x?}", self.filled, &block[..XOF_BLOCK]);
    }

    /// The polynomials are all full.
    fn check(&self, backend: B, expected: &[i16; N]) {
        assert!(
            encoded(backend, &self.alone) == packed(expected),
            "{:?} is not {expected:?}",
            self.alone.raw()
        );
        for (i, other) in self.among.iter().enumerate() {
            let expected = if i == self.place { self.alone.raw() } else { &[0; N] };
            assert!(other.raw() == expected, "place {i} of three");
        }
    }
}

/// Polynomials at every level, from blocks that are the same for all that is tested there, and blocks to go on with.
struct Levels<B> {
    /// In two places of three.
    at: [Vec<Sampled<B>>; 2],
    /// Reused.
    sampled: [Sampled<B>; 2],
    after: Vec<Block>,
    inputs: u64,
}

impl<B: Probe> Levels<B> {
    fn new(backend: B) -> Self {
        let at = |place: usize, level: usize| {
            let mut start = Sampled::new(place);
            while start.filled < level {
                let many = (level - start.filled).min(CANDIDATES);
                start.add(backend, &around(start.filled, many), start.filled + many);
            }
            start
        };
        Self {
            at: [0, 2].map(|place| (0..N).map(|level| at(place, level)).collect()),
            sampled: [0, 2].map(Sampled::new),
            after: (0..N).map(|from| around(from, CANDIDATES)).collect(),
            inputs: 0,
        }
    }

    /// Samples a polynomial with `level` coefficients, then `tested`, which fills it up to `end`, then what is missing, and
    /// compares it with what is expected.
    fn sample(&mut self, backend: B, level: usize, tested: &Block, end: usize, expected: &[i16; N]) {
        let place = tested[0] as usize & 1;
        let sampled = &mut self.sampled[place];
        sampled.begin_as(&self.at[place][level]);
        sampled.add(backend, tested, end);
        while sampled.filled < N {
            let from = sampled.filled;
            sampled.add(backend, &self.after[from], (from + CANDIDATES).min(N));
        }
        sampled.check(backend, expected);
        self.inputs += 1;
    }
}

/// Candidates that are kept in a polynomial.
const KEPT_CANDIDATES: usize = SAMPLE_BLOCKS * CANDIDATES;

/// The same for blocks that are kept in a polynomial, with more afterwards if they do not suffice: in two side by side, as the
/// last and as one that another follows.
fn sample_kept<B: Probe>(backend: B, kernel: &KeyHash<B>, candidates: &[i16; KEPT_CANDIDATES]) {
    let mut bytes = [0; SAMPLE_BLOCKS * XOF_BLOCK];
    pack::<12>(candidates, &mut bytes);
    let mut f_hats = [const { NttPoly::<B>::ZERO }; 2];
    for f_hat in &mut f_hats {
        for (number, bytes) in f_hat.raw_mut().iter_mut().zip(bytes.as_chunks().0) {
            *number = i16::from_le_bytes(*bytes);
        }
    }
    let mut filled = [usize::MAX; 2];
    let full = (kernel.sample_kept)(backend, &mut f_hats, &mut filled);
    let mut expected = [0; N];
    let accepted = accept(candidates, 0, &mut expected);
    assert!((filled, full) == ([accepted; 2], accepted == N), "{filled:?} of {accepted}: {candidates:?}");
    let mut end = accepted;
    while end < N {
        let more: [i16; CANDIDATES] = core::array::from_fn(|i| (17 * i + end) as i16);
        end = accept(&more, end, &mut expected);
        let more = block(&more);
        for (f_hat, filled) in f_hats.iter_mut().zip(&mut filled) {
            *filled = sample_block(backend, &more, f_hat, *filled);
        }
    }
    let expected = packed(&expected);
    for f_hat in &f_hats {
        assert!(encoded(backend, f_hat) == expected, "{candidates:?}");
    }
}

/// Numbers below `n` that differ, in steps, as often as needed.
struct Steps {
    numbers: Vec<i16>,
    /// Where each of them is.
    at: Vec<usize>,
}

impl Steps {
    fn new(step: usize, n: usize) -> Self {
        let numbers: Vec<i16> = (0..n + KEPT_CANDIDATES).map(|i| (step * i % n) as i16).collect();
        let mut at = vec![0; n];
        numbers[..n].iter().enumerate().for_each(|(i, number)| at[*number as usize] = i);
        Self { numbers, at }
    }

    /// Beginning with `first` modulo `n`.
    fn from(&self, first: usize) -> &[i16] {
        &self.numbers[self.at[first % self.at.len()]..]
    }
}

/// Candidates that tell their slot, the accepted and the rejected ones, from q to 4095, each by themselves.
struct Masked {
    accepted: Steps,
    rejected: Steps,
}

impl Masked {
    fn new() -> Self {
        Self { accepted: Steps::new(29, Q as usize), rejected: Steps::new(61, 4096 - Q as usize) }
    }

    /// By a mask of the accepted for each sixteen.
    fn candidates<const L: usize>(&self, salt: usize, mask: impl Fn(usize) -> u16) -> [i16; L] {
        let mut candidates = [0; L];
        let numbers = self.accepted.from(salt).as_chunks::<16>().0.iter();
        let numbers = numbers.zip(self.rejected.from(salt).as_chunks().0);
        let groups = candidates.as_chunks_mut::<16>().0.iter_mut().zip(numbers);
        for (group, (to, (accepted, rejected))) in groups.enumerate() {
            choose(mask(group), accepted, rejected, to);
        }
        candidates
    }

    /// By slot.
    fn by_slot<const L: usize>(&self, salt: usize, accept: &dyn Fn(usize) -> bool) -> [i16; L] {
        self.candidates(salt, |group| (0..16).map(|i| (accept(16 * group + i) as u16) << i).sum())
    }
}

fn choose(mask: u16, accepted: &[i16; 16], rejected: &[i16; 16], to: &mut [i16; 16]) {
    for i in 0..16 {
        to[i] = if mask & 1 << i != 0 { accepted[i] } else { Q + rejected[i] };
    }
}

/// An odd factor runs through all masks in another order.
fn mask_of(group: usize, mask: usize) -> u16 {
    (mask * (2 * group + 1) + 999 * group) as u16
}

/// `many` ones, turned.
fn ones(many: u32, turn: usize) -> u16 {
    (((1_u32 << many) - 1) as u16).rotate_right(turn as u32 & 15)
}

/// Three blocks at once, in groups of 32 of which the first eight always find room.
fn rejection_of_kept<B: Probe>(backend: B) -> u64 {
    const GROUP: usize = 32;
    let Some(kernel) = backend.key_hash() else { return 0 };
    let masked = Masked::new();
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
    // first.
    for mask in turns(1 << 16) {
        check(&masked.candidates(mask, |group| mask_of(group, mask)));
        for first in 0..=16 {
            let first = ones(first, mask);
            check(
                &masked.candidates(mask, |group| if group & 1 == 0 { first } else { mask_of(group, mask) }),
            );
        }
    }
    // Every number of accepted ones before each of the last three groups, with every number in it: the first, the last, and
    // spread out.
    for (level, group) in turns(3 * (N + 1)).map(|n| (n / 3, 8 + n % 3)) {
        for many in 0..=GROUP {
            let ways: [&dyn Fn(usize) -> bool; 3] =
                [&|at| at < many, &|at| GROUP - at <= many, &|at| at * 13 % GROUP < many];
            for way in ways {
                check(&masked.by_slot(level + many, &|slot| match slot / GROUP {
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
    let masked = Masked::new();
    let backends = [Some(backend), backend.plain()].into_iter().flatten();
    let mut ways: Vec<(B, Levels<B>)> = backends.map(|backend| (backend, Levels::new(backend))).collect();
    let mut check = |level: usize, candidates: &[i16; CANDIDATES]| {
        let mut expected = AROUND;
        let end = accept(candidates, level, &mut expected);
        let tested = block(candidates);
        for (backend, levels) in &mut ways {
            levels.sample(*backend, level, &tested, end, &expected);
        }
    };
    // Every 12-bit value in every slot.
    for start in turns(1 << 12) {
        let candidates = core::array::from_fn(|slot| ((start + 37 * slot) & 0xfff) as i16);
        check(0, &candidates);
        check(start & 255, &candidates);
    }
    // Every mask of every sixteen candidates.
    for mask in turns(1 << 16) {
        let candidates = masked.candidates(mask, |group| mask_of(group, mask));
        check(0, &candidates);
        check((mask * 167) >> 3 & 255, &candidates);
    }
    // Every mask of the second sixteen of every thirty-two, with every number of accepted ones in the first.
    for mask in turns(1 << 16) {
        for first in 0..=16 {
            let masks = [ones(first, mask), mask as u16];
            let candidates = masked.candidates(mask, |group| masks[group & 1]);
            check(0, &candidates);
            check(129 + ((mask * 167 + 7 * first as usize) & 0x7f).min(126), &candidates);
        }
    }
    // Every level with every number of accepted ones: the first, the last, and spread out.
    for level in turns(N) {
        for many in 0..=CANDIDATES {
            check(level, &masked.by_slot(level, &|slot| slot < many));
            check(level, &masked.by_slot(many, &|slot| CANDIDATES - slot <= many));
            check(level, &masked.by_slot(level + many, &|slot| slot * 45 % CANDIDATES < many));
        }
    }
    let inputs = ways.iter().map(|(_, levels)| levels.inputs).sum::<u64>();
    let of_kept = rejection_of_kept(backend);
    let ways = if ways.len() > 1 { "with what is optional and without" } else { "one way" };
    let what = "every value in every slot, every mask of 16 and of halves of 32, every level (P8)";
    let kept = if of_kept > 0 { " and kept ones" } else { "" };
    Covered::new("settled", inputs + of_kept, format!("blocks, one, several{kept}, {ways}: {what}"))
}
