//! Keccak-f[1600] of every width (P5, P6).

use core::slice;

use kemstone::backend::poly::{N, NttPoly};
use kemstone::backend::probe::{Keccaks, KeyHash, Probe};
use kemstone::sponge::fips202::{FirstBlock, Function, H_BLOCK, LAST_BIT, LAST_WORDS, XOF_BLOCK};
use kemstone::sponge::groups::SAMPLE_BLOCKS;
use kemstone::sponge::{Blocks, Keccak, Last, States};

use crate::support::{Covered, Random, scale, turns};

type State = [u64; 25];

/// Numbers in which a block is kept.
const KEPT: usize = XOF_BLOCK / 2;

fn copy<B>(entry: &NttPoly<B>) -> NttPoly<B> {
    let mut copy = NttPoly::ZERO;
    *copy.raw_mut() = *entry.raw();
    copy
}

/// The constants and rotations of FIPS 202, computed by its algorithms.
struct Reference {
    rho: [u32; 25],
    constants: [u64; 24],
}

impl Reference {
    fn new() -> Self {
        // Algorithm 2: t = 0..24, offset (t + 1)(t + 2) / 2 at (x, y).
        let (mut rho, mut x, mut y) = ([0; 25], 1, 0);
        for t in 0..24 {
            rho[x + 5 * y] = ((t + 1) * (t + 2) / 2) % 64;
            (x, y) = (y, (2 * x + 3 * y) % 5);
        }
        // Algorithm 5: bit t of the sequence is the first of eight bits after t steps.
        let rc = |t: usize| {
            let mut r = [true, false, false, false, false, false, false, false];
            for _ in 0..t % 255 {
                let out = r[7];
                r = [out, r[0], r[1], r[2], r[3] ^ out, r[4] ^ out, r[5] ^ out, r[6]];
            }
            r[0]
        };
        let constant = |round: usize| (0..7).map(|j| (rc(j + 7 * round) as u64) << ((1 << j) - 1)).sum();
        let this = Self { rho, constants: core::array::from_fn(constant) };
        this.check();
        this
    }

    /// SHA3-256 of a short message, with another implementation as the judge.
    fn check(&self) {
        use sha3::Digest;
        let mut random = Random::new("sha3");
        for _ in 0..8 {
            let message: [u8; 128] = random.array();
            let mut block = [0; 200];
            block[..128].copy_from_slice(&message);
            (block[128], block[135]) = (0x06, 0x80);
            let mut state: State = core::array::from_fn(|i| u64::from_le_bytes(block.as_chunks().0[i]));
            self.permute(&mut state);
            let digest: Vec<u8> = state[..4].iter().flat_map(|word| word.to_le_bytes()).collect();
            assert_eq!(digest, sha3::Sha3_256::digest(message).as_slice(), "the reference is wrong");
        }
    }

    /// Theta, rho, pi, chi, iota (section 3.2), one after the other.
    fn round(&self, a: &State, rc: u64) -> State {
        let mut a = *a;
        let c: [u64; 5] = core::array::from_fn(|x| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
        for x in 0..5 {
            let d = c[(x + 4) % 5] ^ c[(x + 1) % 5].rotate_left(1);
            for y in 0..5 {
                a[x + 5 * y] ^= d;
            }
        }
        let mut b = [0; 25];
        for x in 0..5 {
            for y in 0..5 {
                let from = (x + 3 * y) % 5 + 5 * x;
                b[x + 5 * y] = a[from].rotate_left(self.rho[from]);
            }
        }
        for y in 0..5 {
            for x in 0..5 {
                a[x + 5 * y] = b[x + 5 * y] ^ (!b[(x + 1) % 5 + 5 * y] & b[(x + 2) % 5 + 5 * y]);
            }
        }
        a[0] ^= rc;
        a
    }

    fn permute(&self, a: &mut State) {
        for rc in self.constants {
            *a = self.round(a, rc);
        }
    }
}

fn slot<const W: usize>(states: &States<W>, slot: usize) -> State {
    states.0.map(|row| row[slot])
}

fn random_states<const W: usize>(random: &mut Random) -> States<W> {
    let mut states = States::ZERO;
    states.0.as_flattened_mut().fill_with(|| random.word());
    states
}

/// The states of weight at most 2, in a cycle: bits i >= j, one bit if they are the same, and none for i = 1600.
#[derive(Clone, Copy)]
struct Light(usize, usize);

impl Light {
    const COUNT: usize = 1600 * 1601 / 2 + 1;

    fn next(&mut self) {
        *self = match *self {
            Self(1600, _) => Self(0, 0),
            Self(i, j) if j == i => Self(i + 1, 0),
            Self(i, j) => Self(i, j + 1),
        }
    }

    fn state(self) -> State {
        let Self(i, j) = self;
        let mut state = [0; 25];
        if i < 1600 {
            state[i >> 6] |= 1 << (i & 63);
            state[j >> 6] |= 1 << (j & 63);
        }
        state
    }
}

struct Rounds {
    reference: Reference,
    random: Random,
    inputs: u64,
    what: Vec<String>,
}

impl<B: Probe> Keccaks<B> for Rounds {
    fn kernel<const W: usize, const R: usize>(
        &mut self,
        _: B,
        used: usize,
        rounds: impl Fn(&mut States<W>, [u64; R]),
    ) where
        B: Keccak<W>,
    {
        let Self { reference, random, inputs, what } = self;
        let mut check = |states: &mut States<W>, constants: [u64; R]| {
            let mut expected: [State; W] = core::array::from_fn(|i| slot(states, i));
            rounds(states, constants);
            for (i, expected) in expected.iter_mut().enumerate().take(used) {
                for rc in constants {
                    *expected = reference.round(expected, rc);
                }
                assert_eq!(slot(states, i), *expected, "slot {i} of {used}, width {W}");
            }
            *inputs += used as u64;
        };
        if R == 1 {
            // Every state of weight at most 2 in every slot, while the other slots hold other ones.
            let mut light: [Light; W] = core::array::from_fn(|i| Light(1600 - 150 * i, 7 * i));
            let mut states = random_states::<W>(random);
            for _ in turns(Light::COUNT) {
                for (i, light) in light.iter_mut().enumerate().take(used) {
                    states.0.iter_mut().zip(light.state()).for_each(|(row, lane)| row[i] = lane);
                    (0..scale() | 1).for_each(|_| light.next());
                }
                check(&mut states, [0; R]);
            }
            // The bits of the round constant are inputs as well.
            for i in turns(64) {
                for bit in 0..1600 + 64 {
                    let mut states = States::ZERO;
                    let mut rc = 1 << i;
                    match bit {
                        0..1600 => states.0[bit >> 6] = [1 << (bit & 63); W],
                        _ => rc |= 1 << (bit - 1600),
                    }
                    check(&mut states, [rc; R]);
                }
            }
        }
        // Random inputs in all slots: a wrong bit is missed by each with at most 1 - 2^-degree.
        let (degree, count) = (1u32 << R, if R == 1 { 512 } else { 2048 });
        for turn in turns(count) {
            let constants = core::array::from_fn(|i| match turn & 1 {
                0 => random.word(),
                _ => reference.constants[(turn + i) % 24],
            });
            check(&mut random_states(random), constants);
        }
        let missed = -(count as f64) * (1.0 - (degree as f64).exp2().recip()).log2();
        let all = if R == 1 { "all of weight <= 2, " } else { "" };
        what.push(format!("{used} of {W}: {all}random (2^-{missed:.0})"));
    }
}

pub(crate) fn round<B: Probe>(backend: B) -> Covered {
    let mut rounds =
        Rounds { reference: Reference::new(), random: Random::new("rounds"), inputs: 0, what: Vec::new() };
    backend.keccaks(&mut rounds);
    assert!(!rounds.what.is_empty(), "the backend shows no kernel");
    Covered::new("settled", rounds.inputs, format!("{} (P5)", rounds.what.join("; ")))
}

/// Every number of slots in use, through the contract.
struct Whole {
    reference: Reference,
    random: Random,
    widths: Vec<usize>,
    inputs: u64,
    blocks: bool,
}

impl<B: Probe> Keccaks<B> for Whole {
    fn kernel<const W: usize, const R: usize>(
        &mut self,
        backend: B,
        _: usize,
        _: impl Fn(&mut States<W>, [u64; R]),
    ) where
        B: Keccak<W>,
    {
        if self.widths.contains(&W) {
            return;
        }
        self.widths.push(W);
        if self.blocks {
            self.started::<_, W>(backend);
            self.absorbed::<_, W>(backend);
        } else {
            self.absorbed_blocks::<_, W>(backend);
            self.finished::<_, W>(backend);
        }
        for used in 1..=W {
            if self.blocks {
                self.squeezed::<_, W>(backend, used);
            } else {
                self.permuted::<_, W>(backend, used);
            }
        }
    }
}

impl Whole {
    fn permuted<B: Keccak<W>, const W: usize>(&mut self, backend: B, used: usize) {
        for turn in turns(1601 + 200) {
            let mut states = match turn {
                0..=1600 => {
                    let mut states = States::ZERO;
                    for i in 0..W {
                        let light = Light((turn + 97 * i) % 1601, (turn + 97 * i) % 1601).state();
                        states.0.iter_mut().zip(light).for_each(|(row, lane)| row[i] = lane);
                    }
                    states
                }
                _ => random_states::<W>(&mut self.random),
            };
            let mut expected: [State; W] = core::array::from_fn(|i| slot(&states, i));
            backend.permute(&mut states, used);
            for (i, expected) in expected.iter_mut().enumerate().take(used) {
                self.reference.permute(expected);
                assert_eq!(slot(&states, i), *expected, "slot {i} of {used}, width {W}");
            }
            self.inputs += used as u64;
        }
    }

    /// Whole blocks of H in the first slot, with a permutation after each.
    fn absorbed_blocks<B: Keccak<W>, const W: usize>(&mut self, backend: B) {
        for turn in turns(200) {
            let blocks: Vec<[u8; H_BLOCK]> = (0..turn & 3).map(|_| self.random.array()).collect();
            let mut states = random_states::<W>(&mut self.random);
            let mut expected = slot(&states, 0);
            for block in &blocks {
                for (word, bytes) in expected.iter_mut().zip(block.as_chunks().0) {
                    *word ^= u64::from_le_bytes(*bytes);
                }
                self.reference.permute(&mut expected);
            }
            backend.chain(&mut states, Function::Sha3_256, &blocks, None);
            assert_eq!(slot(&states, 0), expected, "{} blocks, width {W}", blocks.len());
            self.inputs += 1;
        }
    }

    /// The end of a sponge in the first slot. Of every function: every rest of a message in words, cut in two everywhere, each
    /// with 32 bytes of output, 64, and a number of words that goes through all; every rest in bytes, each with one byte more
    /// of output.
    fn finished<B: Keccak<W>, const W: usize>(&mut self, backend: B) {
        for function in [Function::Sha3_256, Function::Sha3_512, Function::Shake128, Function::Shake256] {
            let rate = function.rate();
            let mut turn = 0;
            for (n, cut) in (0..rate >> 3).flat_map(|n| (0..=n).map(move |cut| (n, cut))) {
                turn += 1;
                for size in [32, 64, 8 * (turn % ((rate >> 3) + 1))] {
                    self.finished_once(backend, function, turn, [8 * n, 8 * cut], size);
                }
            }
            for length in 0..rate {
                turn += 1;
                self.finished_once(backend, function, turn, [length, (5 * length) >> 3], length + 1);
            }
        }
    }

    /// A message of `length` bytes, cut in two, after `turn` modulo 3 whole blocks if the function has their rate.
    fn finished_once<B: Keccak<W>, const W: usize>(
        &mut self,
        backend: B,
        function: Function,
        turn: usize,
        [length, cut]: [usize; 2],
        size: usize,
    ) {
        let rate = function.rate();
        let whole = if rate == H_BLOCK { turn % 3 } else { 0 };
        let blocks: Vec<[u8; H_BLOCK]> = (0..whole).map(|_| self.random.array()).collect();
        let message = &self.random.array::<168>()[..length];
        let mut states = random_states::<W>(&mut self.random);
        let mut expected = slot(&states, 0);
        let mut last = [0; 200];
        last[..length].copy_from_slice(message);
        last[length] ^= if matches!(function, Function::Sha3_256 | Function::Sha3_512) { 6 } else { 0x1f };
        last[rate - 1] ^= 0x80;
        for block in blocks.iter().map(|block| &block[..]).chain([&last[..]]) {
            for (word, bytes) in expected.iter_mut().zip(block.as_chunks().0) {
                *word ^= u64::from_le_bytes(*bytes);
            }
            self.reference.permute(&mut expected);
        }
        let expected: Vec<u8> = expected.iter().flat_map(|word| word.to_le_bytes()).collect();
        let (head, tail) = message.split_at(cut);
        let mut out = [0xaa; 176];
        let last = Last { rest: [head, tail], out: &mut out[..size] };
        backend.chain(&mut states, function, &blocks, Some(last));
        assert_eq!(
            out[..size],
            expected[..size],
            "{function:?}, {whole} blocks, {length} bytes cut at {cut}"
        );
        assert!(out[size..].iter().all(|byte| *byte == 0xaa), "{function:?}: beyond {size} bytes");
        self.inputs += 1;
    }

    /// Every choice of slots, of more than eight every choice of each eight, with every last word, kept as narrow as
    /// possible and not; and every bit of a message in every slot, alone and beside all others.
    fn started<B: Keccak<W>, const W: usize>(&mut self, backend: B) {
        let eight = W.min(8);
        for turn in turns((1 << eight) * 4 * 2) {
            let (choice, last, wide) =
                (turn & ((1 << eight) - 1), turn >> eight & 3, turn >> (eight + 2) == 1);
            // An odd factor: each eight slots are chosen in all ways, and not in the same way.
            let chosen =
                (0..W).step_by(8).fold(0, |chosen, i| chosen | (((choice * (5 * i + 1)) & 0xff) << i));
            let seed = self.random.array();
            let word4 = core::array::from_fn(|_| self.random.word());
            self.start(backend, &seed, chosen as u32, &word4, last, wide);
        }
        for (bit, slot) in (0..=W).flat_map(|slot| (0..320).map(move |bit| (bit, slot))) {
            let mut message = [0; 40];
            message[bit >> 3] = 1 << (bit & 7);
            let (seed, end) = message.split_first_chunk().expect("40 bytes");
            let end = u64::from_le_bytes(end.try_into().expect("eight bytes"));
            // The slot after the last stands for all.
            let (slots, word4) = if slot == W {
                ((1 << W) - 1, core::array::from_fn(|i| end.rotate_left(i as u32)))
            } else {
                (1 << slot, [end; W])
            };
            self.start(backend, seed, slots, &word4, 3, bit & 1 == 0);
        }
    }

    fn start<B: Keccak<W>, const W: usize>(
        &mut self,
        backend: B,
        seed: &[u8; 32],
        slots: u32,
        word4: &[u64; W],
        last: usize,
        wide: bool,
    ) {
        let last = *LAST_WORDS.get(last).unwrap_or(&usize::MAX);
        let mut states = random_states::<W>(&mut self.random);
        let mut expected: [State; W] = core::array::from_fn(|i| slot(&states, i));
        for (i, (expected, end)) in expected.iter_mut().zip(word4).enumerate() {
            if slots >> i & 1 == 0 {
                continue;
            }
            *expected = [0; 25];
            for (word, bytes) in expected.iter_mut().zip(seed.as_chunks().0) {
                *word = u64::from_le_bytes(*bytes);
            }
            expected[4] = *end;
            if let Some(word) = expected.get_mut(last) {
                *word ^= LAST_BIT;
            }
        }
        let least = (u32::BITS - slots.leading_zeros()).max(1) as usize;
        let used = if wide { W } else { least };
        backend.start(&mut states, used, FirstBlock { seed, last }, slots, word4);
        let started: [State; W] = core::array::from_fn(|i| slot(&states, i));
        for (expected, started) in expected.iter_mut().zip(started).skip(used) {
            if started == [0; 25] {
                *expected = started;
            }
        }
        assert_eq!(
            started, expected,
            "start of {slots:b} with {word4:x?}, last word {last}, width {W}, wide: {wide}"
        );
        self.inputs += 1;
    }

    /// Every number of words in every slot, whatever the number of slots in use.
    fn absorbed<B: Keccak<W>, const W: usize>(&mut self, backend: B) {
        for (i, used, words) in (0..W)
            .flat_map(|i| (i + 1..=W).map(move |used| (i, used)))
            .flat_map(|(i, used)| (0..=25).map(move |words| (i, used, words)))
        {
            let message: [u8; 200] = self.random.array();
            let mut states = random_states::<W>(&mut self.random);
            let mut expected: [State; W] = core::array::from_fn(|i| slot(&states, i));
            for (word, bytes) in expected[i].iter_mut().zip(message[..8 * words].as_chunks().0) {
                *word ^= u64::from_le_bytes(*bytes);
            }
            backend.absorb(&mut states, used, i, &message[..8 * words]);
            assert_eq!(core::array::from_fn(|i| slot(&states, i)), expected, "{words} words, width {W}");
            self.inputs += 1;
        }
    }

    /// H in the first slot beside polynomials that are sampled from what was kept in them: both as by themselves.
    fn sampled_beside<B: Probe>(&mut self, backend: B, kernels: &KeyHash<B>) {
        for turn in turns(400) {
            let states = random_states::<8>(&mut self.random);
            let blocks: Vec<[u8; H_BLOCK]> = (0..turn % 4).map(|_| self.random.array()).collect();
            let last = self.random.array();
            let mut expected = slot(&states, 0);
            for block in blocks.iter().chain([&last]) {
                for (word, bytes) in expected.iter_mut().zip(block.as_chunks().0) {
                    *word ^= u64::from_le_bytes(*bytes);
                }
                self.reference.permute(&mut expected);
            }
            // More than there are slots: a matrix has several waves.
            let many = turn % 17;
            let mut entries: Vec<NttPoly<B>> = (0..many).map(|_| self.kept(turn)).collect();
            let mut alone: Vec<NttPoly<B>> = entries.iter().map(copy).collect();
            let mut counts = vec![0; many];
            for (entry, count) in alone.iter_mut().zip(&mut counts) {
                (kernels.sample_kept)(backend, slice::from_mut(entry), slice::from_mut(count));
            }
            let (mut out, mut filled) = ([0; 32], vec![usize::MAX; many]);
            let full = (kernels.finish_and_sample)(
                backend,
                &states,
                &blocks,
                &last,
                &mut out,
                &mut entries,
                &mut filled,
            );
            assert_eq!(out.as_chunks().0, [0, 1, 2, 3].map(|i| expected[i].to_le_bytes()));
            assert_eq!((&filled, full), (&counts, counts.iter().all(|n| *n == N)));
            for ((entry, alone), count) in entries.iter().zip(&alone).zip(counts) {
                assert_eq!(entry.raw()[..count], alone.raw()[..count], "{many} polynomials");
            }
            self.inputs += 1;
        }
    }

    /// Three random blocks; in some turns with too few numbers below q.
    fn kept<B>(&mut self, turn: usize) -> NttPoly<B> {
        let mut kept = NttPoly::ZERO;
        let all_ones = if turn.is_multiple_of(5) { KEPT } else { 0 };
        for number in &mut kept.raw_mut()[all_ones..] {
            *number = self.random.word() as i16;
        }
        kept.raw_mut()[..all_ones].fill(-1);
        kept
    }

    /// Blocks of the slots from 1 on in polynomials, block by block: a selection of bits, so unit vectors settle it.
    fn kept_blocks<B: Probe>(&mut self, backend: B, kernels: &KeyHash<B>) {
        let mut check = |states: &States<8>, used: usize| {
            let mut entries: Vec<NttPoly<B>> = (1..used).map(|_| NttPoly::ZERO).collect();
            for b in 0..SAMPLE_BLOCKS {
                entries.iter_mut().for_each(|entry| entry.raw_mut()[KEPT * b..].fill(0x5a5a));
                (kernels.keep_block)(backend, states, b, &mut entries);
                for (i, entry) in (1..).zip(&entries) {
                    let bytes: Vec<u8> = slot(states, i).iter().flat_map(|word| word.to_le_bytes()).collect();
                    let kept: Vec<u8> = entry.raw().iter().flat_map(|number| number.to_le_bytes()).collect();
                    for before in kept[..168 * (b + 1)].as_chunks::<168>().0 {
                        assert_eq!(before[..], bytes[..168], "slot {i} of {used}, block {b}");
                    }
                }
            }
            self.inputs += used as u64;
        };
        for used in 1..=8 {
            for (bit, i) in turns(1600 * used).map(|n| (n / used, n % used)) {
                let mut states = States::ZERO;
                states.0[bit >> 6][i] = 1 << (bit & 63);
                check(&states, used);
            }
        }
        for turn in 0..512 {
            let states = random_states(&mut self.random);
            check(&states, 1 + turn % 8);
        }
    }

    /// The output is a selection of bits, so unit vectors settle it.
    fn squeezed<B: Keccak<W>, const W: usize>(&mut self, backend: B, used: usize) {
        let mut check = |states: &States<W>| {
            let mut blocks = Blocks([[0x5a; 192]; W]);
            backend.squeeze(states, used, &mut blocks);
            for (i, block) in blocks.0.iter().enumerate().take(used) {
                let bytes: Vec<u8> = slot(states, i).iter().flat_map(|word| word.to_le_bytes()).collect();
                assert_eq!(block[..168], bytes[..168], "slot {i} of {used}, width {W}");
            }
            self.inputs += used as u64;
        };
        for (bit, i) in turns(1600 * used).map(|n| (n / used, n % used)) {
            let mut states = States::ZERO;
            states.0[bit >> 6][i] = 1 << (bit & 63);
            check(&states);
        }
        for _ in 0..64 {
            check(&random_states(&mut self.random));
        }
    }
}

fn whole<B: Probe>(backend: B, blocks: bool) -> Whole {
    let random = Random::new("permutation");
    let mut whole = Whole { reference: Reference::new(), random, widths: Vec::new(), inputs: 0, blocks };
    backend.keccaks(&mut whole);
    if let Some(kernels) = backend.key_hash() {
        if blocks {
            whole.kept_blocks(backend, &kernels);
        } else {
            whole.sampled_beside(backend, &kernels);
        }
    }
    assert!(!whole.widths.is_empty(), "the backend shows no kernel");
    whole
}

pub(crate) fn permutation<B: Probe>(backend: B) -> Covered {
    let Whole { widths, inputs, .. } = whole(backend, false);
    let what = format!(
        "24 rounds in widths {widths:?}: unit vectors and random states, any number in use; whole blocks; ends of sponges, one beside sampling (P6)"
    );
    Covered::new("tested", inputs, what)
}

pub(crate) fn blocks<B: Probe>(backend: B) -> Covered {
    let Whole { widths, inputs, .. } = whole(backend, true);
    Covered::new(
        "settled",
        inputs,
        format!("start, absorb, squeeze, keep: every bit and slot in widths {widths:?} (P4)"),
    )
}
