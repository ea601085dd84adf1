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

/// The rotations of FIPS 202 by Algorithm 2: for t = 0..24, offset (t + 1)(t + 2) / 2 at (x, y).
const RHO: [u32; 25] = {
    let (mut rho, mut x, mut y, mut t) = ([0; 25], 1, 0, 0);
    while t < 24 {
        rho[x + 5 * y] = ((t + 1) * (t + 2) / 2) % 64;
        (x, y) = (y, (2 * x + 3 * y) % 5);
        t += 1;
    }
    rho
};

/// The constants of FIPS 202, computed by its algorithm.
struct Reference {
    constants: [u64; 24],
}

impl Reference {
    fn new() -> Self {
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
        let this = Self { constants: core::array::from_fn(constant) };
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

    /// Theta, rho, pi, chi, iota (section 3.2), one after the other, on states side by side.
    fn round<const W: usize>(&self, a: &mut [[u64; W]; 25], rc: u64) {
        let (mut c, mut b) = ([[0; W]; 5], [[0; W]; 25]);
        for (x, c) in c.iter_mut().enumerate() {
            for (w, c) in c.iter_mut().enumerate() {
                *c = a[x][w] ^ a[x + 5][w] ^ a[x + 10][w] ^ a[x + 15][w] ^ a[x + 20][w];
            }
        }
        for x in 0..5 {
            for y in 0..5 {
                for w in 0..W {
                    a[x + 5 * y][w] ^= c[(x + 4) % 5][w] ^ c[(x + 1) % 5][w].rotate_left(1);
                }
            }
        }
        for x in 0..5 {
            for y in 0..5 {
                let from = (x + 3 * y) % 5 + 5 * x;
                for w in 0..W {
                    b[x + 5 * y][w] = a[from][w].rotate_left(RHO[from]);
                }
            }
        }
        for y in 0..5 {
            for x in 0..5 {
                for w in 0..W {
                    a[x + 5 * y][w] =
                        b[x + 5 * y][w] ^ (!b[(x + 1) % 5 + 5 * y][w] & b[(x + 2) % 5 + 5 * y][w]);
                }
            }
        }
        for lane in &mut a[0] {
            *lane ^= rc;
        }
    }

    fn permute(&self, a: &mut State) {
        let mut wide = a.map(|lane| [lane]);
        for rc in self.constants {
            self.round(&mut wide, rc);
        }
        *a = wide.map(|[lane]| lane);
    }
}

fn bytes(state: &State) -> [u8; 200] {
    let mut bytes = [0; 200];
    for (bytes, lane) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = lane.to_le_bytes();
    }
    bytes
}

/// Adds words of message.
fn add(state: &mut State, message: &[u8]) {
    for (lane, bytes) in state.iter_mut().zip(message.as_chunks().0) {
        *lane ^= u64::from_le_bytes(*bytes);
    }
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

    /// Changes a slot from this state to zero.
    fn clear<const W: usize>(self, states: &mut States<W>, slot: usize) {
        let Self(i, j) = self;
        if i < 1600 {
            (states.0[i >> 6][slot], states.0[j >> 6][slot]) = (0, 0);
        }
    }

    /// Changes a slot from zero to this state.
    fn set<const W: usize>(self, states: &mut States<W>, slot: usize) {
        let Self(i, j) = self;
        if i < 1600 {
            states.0[i >> 6][slot] |= 1 << (i & 63);
            states.0[j >> 6][slot] |= 1 << (j & 63);
        }
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
        self.run(used, R, &|states, constants| {
            rounds(states, *constants.first_chunk().expect("one constant for each round"))
        });
    }
}

impl Rounds {
    /// A kernel of `r` rounds.
    fn run<const W: usize>(&mut self, used: usize, r: usize, rounds: &dyn Fn(&mut States<W>, &[u64])) {
        let Self { reference, random, inputs, what } = self;
        let mut check = |states: &mut States<W>, constants: &[u64]| {
            let mut expected = states.0;
            rounds(states, constants);
            for rc in constants {
                reference.round(&mut expected, *rc);
            }
            let mut differences = [0; W];
            for (row, expected) in states.0.iter().zip(&expected) {
                for i in 0..W {
                    differences[i] |= row[i] ^ expected[i];
                }
            }
            let right = differences[..used].iter().all(|difference| *difference == 0);
            assert!(right, "{used} of width {W}, differences by slot: {differences:x?}");
            *inputs += used as u64;
        };
        let random_states = |random: &mut Random| {
            let mut states = States::ZERO;
            states.0.as_flattened_mut().fill_with(|| random.word());
            states
        };
        if r == 1 {
            // Every state of weight at most 2 in every slot, while the other slots hold other ones.
            let mut light: [Light; W] = core::array::from_fn(|i| Light(1600 - 99 * i, 7 * i));
            let (mut next, mut states) = (States::<W>::ZERO, random_states(random));
            for (i, light) in light.iter().enumerate().take(used) {
                light.set(&mut next, i);
            }
            for _ in turns(Light::COUNT) {
                // What is not in use goes on as a kernel has left it.
                for (row, next) in states.0.iter_mut().zip(&next.0) {
                    for i in 0..W {
                        row[i] = if i < used { next[i] } else { row[i] };
                    }
                }
                check(&mut states, &[0]);
                for (i, light) in light.iter_mut().enumerate().take(used) {
                    light.clear(&mut next, i);
                    (0..scale() | 1).for_each(|_| light.next());
                    light.set(&mut next, i);
                }
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
                    check(&mut states, &[rc]);
                }
            }
        }
        // Random inputs in all slots: a wrong bit is missed by each with at most 1 - 2^-degree.
        let (degree, count) = (1u32 << r, if r == 1 { 512 } else { 2048 });
        for turn in turns(count) {
            let constant = |i: usize| match turn & 1 {
                0 => random.word(),
                _ => reference.constants[(turn + i) % 24],
            };
            let constants: Vec<u64> = (0..r).map(constant).collect();
            check(&mut random_states(random), &constants);
        }
        let missed = -(count as f64) * (1.0 - (degree as f64).exp2().recip()).log2();
        let all = if r == 1 { "all of weight <= 2, " } else { "" };
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

/// States side by side, whatever the width.
#[derive(Clone, PartialEq)]
struct Wide {
    width: usize,
    /// Row by row.
    words: Vec<u64>,
}

impl Wide {
    fn zero(width: usize) -> Self {
        Self { width, words: vec![0; 25 * width] }
    }

    fn random(width: usize, random: &mut Random) -> Self {
        Self { width, words: (0..25 * width).map(|_| random.word()).collect() }
    }

    fn slot(&self, slot: usize) -> State {
        let mut state = [0; 25];
        for (lane, row) in state.iter_mut().zip(self.words.chunks(self.width)) {
            *lane = row[slot];
        }
        state
    }

    fn set(&mut self, slot: usize, state: &State) {
        for (lane, row) in state.iter().zip(self.words.chunks_mut(self.width)) {
            row[slot] = *lane;
        }
    }

    /// Sets a bit of a state of zeros.
    fn set_bit(&mut self, slot: usize, bit: usize) {
        self.words[(bit >> 6) * self.width + slot] = 1 << (bit & 63);
    }

    fn states<const W: usize>(&self) -> States<W> {
        let mut states = States::ZERO;
        states.0.as_flattened_mut().copy_from_slice(&self.words);
        states
    }

    fn act<const W: usize>(&mut self, act: impl FnOnce(&mut States<W>)) {
        let mut states = self.states();
        act(&mut states);
        self.words.copy_from_slice(states.0.as_flattened());
    }
}

/// [`Keccak`] of some width: what the tests of all of them call.
trait Machine {
    fn width(&self) -> usize;
    fn permute(&self, states: &mut Wide, used: usize);
    fn chain(&self, states: &mut Wide, function: Function, blocks: &[[u8; H_BLOCK]], last: Option<Last<'_>>);
    fn start(&self, states: &mut Wide, used: usize, first: FirstBlock<'_>, slots: u32, word4: &[u64]);
    fn absorb(&self, states: &mut Wide, used: usize, slot: usize, words: &[u8]);
    fn squeeze(&self, states: &Wide, used: usize, block: &mut dyn FnMut(usize, &[u8; 192]));
}

struct OfWidth<B, const W: usize>(B);

impl<B: Keccak<W>, const W: usize> Machine for OfWidth<B, W> {
    fn width(&self) -> usize {
        W
    }

    fn permute(&self, states: &mut Wide, used: usize) {
        states.act(|states| self.0.permute(states, used));
    }

    fn chain(&self, states: &mut Wide, function: Function, blocks: &[[u8; H_BLOCK]], last: Option<Last<'_>>) {
        states.act(|states| self.0.chain(states, function, blocks, last));
    }

    fn start(&self, states: &mut Wide, used: usize, first: FirstBlock<'_>, slots: u32, word4: &[u64]) {
        let word4 = word4.first_chunk().expect("one for each slot");
        states.act(|states| self.0.start(states, used, first, slots, word4));
    }

    fn absorb(&self, states: &mut Wide, used: usize, slot: usize, words: &[u8]) {
        states.act(|states| self.0.absorb(states, used, slot, words));
    }

    fn squeeze(&self, states: &Wide, used: usize, block: &mut dyn FnMut(usize, &[u8; 192])) {
        let mut blocks = Blocks([[0x5a; 192]; W]);
        self.0.squeeze(&states.states(), used, &mut blocks);
        blocks.0[..used].iter().enumerate().for_each(|(slot, bytes)| block(slot, bytes));
    }
}

/// [`KeyHash`], over the numbers of polynomials.
trait Kept {
    fn keep_block(&self, states: &Wide, b: usize, entries: &mut [[i16; N]]);
    fn sample_kept(&self, entries: &mut [[i16; N]], filled: &mut [usize]) -> bool;
    fn finish_and_sample(
        &self,
        states: &Wide,
        blocks: &[[u8; H_BLOCK]],
        last: &[u8; H_BLOCK],
        out: &mut [u8; 32],
        entries: &mut [[i16; N]],
        filled: &mut [usize],
    ) -> bool;
}

struct KeptOf<B>(B, KeyHash<B>);

impl<B: Probe> KeptOf<B> {
    fn act<T>(entries: &mut [[i16; N]], act: impl FnOnce(&mut [NttPoly<B>]) -> T) -> T {
        let mut polys = vec![NttPoly::ZERO; entries.len()];
        polys.iter_mut().zip(&*entries).for_each(|(poly, entry)| *poly.raw_mut() = *entry);
        let result = act(&mut polys);
        entries.iter_mut().zip(&polys).for_each(|(entry, poly)| *entry = *poly.raw());
        result
    }
}

impl<B: Probe> Kept for KeptOf<B> {
    fn keep_block(&self, states: &Wide, b: usize, entries: &mut [[i16; N]]) {
        let Self(backend, kernels) = self;
        Self::act(entries, |entries| (kernels.keep_block)(*backend, &states.states(), b, entries));
    }

    fn sample_kept(&self, entries: &mut [[i16; N]], filled: &mut [usize]) -> bool {
        let Self(backend, kernels) = self;
        Self::act(entries, |entries| (kernels.sample_kept)(*backend, entries, filled))
    }

    fn finish_and_sample(
        &self,
        states: &Wide,
        blocks: &[[u8; H_BLOCK]],
        last: &[u8; H_BLOCK],
        out: &mut [u8; 32],
        entries: &mut [[i16; N]],
        filled: &mut [usize],
    ) -> bool {
        let Self(backend, kernels) = self;
        Self::act(entries, |entries| {
            (kernels.finish_and_sample)(*backend, &states.states(), blocks, last, out, entries, filled)
        })
    }
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
        if !self.widths.contains(&W) {
            self.widths.push(W);
            self.run(&OfWidth::<B, W>(backend));
        }
    }
}

impl Whole {
    fn run(&mut self, machine: &dyn Machine) {
        if self.blocks {
            self.started(machine);
            self.absorbed(machine);
        } else {
            self.absorbed_blocks(machine);
            self.finished(machine);
        }
        for used in 1..=machine.width() {
            if self.blocks {
                self.squeezed(machine, used);
            } else {
                self.permuted(machine, used);
            }
        }
    }

    fn permuted(&mut self, machine: &dyn Machine, used: usize) {
        let width = machine.width();
        for turn in turns(1601 + 200) {
            let mut states = match turn {
                0..=1600 => {
                    let mut states = Wide::zero(width);
                    for i in 0..width {
                        // None in one of the turns.
                        match (turn + 97 * i) % 1601 {
                            1600 => (),
                            bit => states.set_bit(i, bit),
                        }
                    }
                    states
                }
                _ => Wide::random(width, &mut self.random),
            };
            let before = states.clone();
            machine.permute(&mut states, used);
            for i in 0..used {
                let mut expected = before.slot(i);
                self.reference.permute(&mut expected);
                assert_eq!(states.slot(i), expected, "slot {i} of {used}, width {width}");
            }
            self.inputs += used as u64;
        }
    }

    /// Whole blocks of H in the first slot, with a permutation after each.
    fn absorbed_blocks(&mut self, machine: &dyn Machine) {
        for turn in turns(200) {
            let blocks: Vec<[u8; H_BLOCK]> = (0..turn & 3).map(|_| self.random.array()).collect();
            let mut states = Wide::random(machine.width(), &mut self.random);
            let mut expected = states.slot(0);
            for block in &blocks {
                add(&mut expected, block);
                self.reference.permute(&mut expected);
            }
            machine.chain(&mut states, Function::Sha3_256, &blocks, None);
            assert_eq!(states.slot(0), expected, "{} blocks, width {}", blocks.len(), states.width);
            self.inputs += 1;
        }
    }

    /// The end of a sponge in the first slot. Of every function: every rest of a message in words, cut in two everywhere, each
    /// with 32 bytes of output, 64, and a number of words that goes through all; every rest in bytes, each with one byte more
    /// of output.
    fn finished(&mut self, machine: &dyn Machine) {
        for function in [Function::Sha3_256, Function::Sha3_512, Function::Shake128, Function::Shake256] {
            let rate = function.rate();
            let mut turn = 0;
            for (n, cut) in (0..rate >> 3).flat_map(|n| (0..=n).map(move |cut| (n, cut))) {
                turn += 1;
                for size in [32, 64, 8 * (turn % ((rate >> 3) + 1))] {
                    self.finished_once(machine, function, turn, [8 * n, 8 * cut], size);
                }
            }
            for length in 0..rate {
                turn += 1;
                self.finished_once(machine, function, turn, [length, (5 * length) >> 3], length + 1);
            }
        }
    }

    /// A message of `length` bytes, cut in two, after `turn` modulo 3 whole blocks if the function has their rate.
    fn finished_once(
        &mut self,
        machine: &dyn Machine,
        function: Function,
        turn: usize,
        [length, cut]: [usize; 2],
        size: usize,
    ) {
        let rate = function.rate();
        let whole = if rate == H_BLOCK { turn % 3 } else { 0 };
        let blocks: Vec<[u8; H_BLOCK]> = (0..whole).map(|_| self.random.array()).collect();
        let message = &self.random.array::<168>()[..length];
        let mut states = Wide::random(machine.width(), &mut self.random);
        let mut expected = states.slot(0);
        let mut last = [0; 200];
        last[..length].copy_from_slice(message);
        last[length] ^= if matches!(function, Function::Sha3_256 | Function::Sha3_512) { 6 } else { 0x1f };
        last[rate - 1] ^= 0x80;
        for block in blocks.iter().map(|block| &block[..]).chain([&last[..]]) {
            add(&mut expected, block);
            self.reference.permute(&mut expected);
        }
        let expected = bytes(&expected);
        let (head, tail) = message.split_at(cut);
        let mut out = [0xaa; 176];
        let last = Last { rest: [head, tail], out: &mut out[..size] };
        machine.chain(&mut states, function, &blocks, Some(last));
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
    fn started(&mut self, machine: &dyn Machine) {
        let width = machine.width();
        let eight = width.min(8);
        for turn in turns((1 << eight) * 4 * 2) {
            let (choice, last, wide) =
                (turn & ((1 << eight) - 1), turn >> eight & 3, turn >> (eight + 2) == 1);
            // An odd factor: each eight slots are chosen in all ways, and not in the same way.
            let chosen =
                (0..width).step_by(8).fold(0, |chosen, i| chosen | (((choice * (5 * i + 1)) & 0xff) << i));
            let seed = self.random.array();
            let word4: Vec<u64> = (0..width).map(|_| self.random.word()).collect();
            self.start(machine, &seed, chosen as u32, &word4, last, wide);
        }
        for (bit, slot) in (0..=width).flat_map(|slot| (0..320).map(move |bit| (bit, slot))) {
            let mut message = [0; 40];
            message[bit >> 3] = 1 << (bit & 7);
            let (seed, end) = message.split_first_chunk().expect("40 bytes");
            let end = u64::from_le_bytes(end.try_into().expect("eight bytes"));
            // The slot after the last stands for all.
            let (slots, word4) = if slot == width {
                ((1 << width) - 1, (0..width).map(|i| end.rotate_left(i as u32)).collect())
            } else {
                (1 << slot, vec![end; width])
            };
            self.start(machine, seed, slots, &word4, 3, bit & 1 == 0);
        }
    }

    fn start(
        &mut self,
        machine: &dyn Machine,
        seed: &[u8; 32],
        slots: u32,
        word4: &[u64],
        last: usize,
        wide: bool,
    ) {
        let width = machine.width();
        let last = *LAST_WORDS.get(last).unwrap_or(&usize::MAX);
        let mut states = Wide::random(width, &mut self.random);
        let mut expected = states.clone();
        for (i, end) in word4.iter().enumerate().filter(|(i, _)| slots >> i & 1 == 1) {
            let mut state = [0; 25];
            add(&mut state, seed);
            state[4] = *end;
            if let Some(word) = state.get_mut(last) {
                *word ^= LAST_BIT;
            }
            expected.set(i, &state);
        }
        let least = (u32::BITS - slots.leading_zeros()).max(1) as usize;
        let used = if wide { width } else { least };
        machine.start(&mut states, used, FirstBlock { seed, last }, slots, word4);
        for i in used..width {
            if states.slot(i) == [0; 25] {
                expected.set(i, &[0; 25]);
            }
        }
        assert!(
            states == expected,
            "start of {slots:b} with {word4:x?}, last word {last}, width {width}, wide: {wide}: {:x?} is not {:x?}",
            states.words,
            expected.words
        );
        self.inputs += 1;
    }

    /// Every number of words in every slot, whatever the number of slots in use.
    fn absorbed(&mut self, machine: &dyn Machine) {
        let width = machine.width();
        for (i, used, words) in (0..width)
            .flat_map(|i| (i + 1..=width).map(move |used| (i, used)))
            .flat_map(|(i, used)| (0..=25).map(move |words| (i, used, words)))
        {
            let message: [u8; 200] = self.random.array();
            let mut states = Wide::random(width, &mut self.random);
            let mut expected = states.clone();
            let mut state = states.slot(i);
            add(&mut state, &message[..8 * words]);
            expected.set(i, &state);
            machine.absorb(&mut states, used, i, &message[..8 * words]);
            assert!(states == expected, "{words} words in slot {i} of {used}, width {width}");
            self.inputs += 1;
        }
    }

    /// H in the first slot beside polynomials that are sampled from what was kept in them: both as by themselves.
    fn sampled_beside(&mut self, kernels: &dyn Kept) {
        for turn in turns(400) {
            let states = Wide::random(8, &mut self.random);
            let blocks: Vec<[u8; H_BLOCK]> = (0..turn % 4).map(|_| self.random.array()).collect();
            let last = self.random.array();
            let mut expected = states.slot(0);
            for block in blocks.iter().chain([&last]) {
                add(&mut expected, block);
                self.reference.permute(&mut expected);
            }
            // More than there are slots: a matrix has several waves.
            let many = turn % 17;
            let mut entries: Vec<[i16; N]> = (0..many).map(|_| self.kept(turn)).collect();
            let mut alone = entries.clone();
            let mut counts = vec![0; many];
            for (entry, count) in alone.iter_mut().zip(&mut counts) {
                kernels.sample_kept(slice::from_mut(entry), slice::from_mut(count));
            }
            let (mut out, mut filled) = ([0; 32], vec![usize::MAX; many]);
            let full =
                kernels.finish_and_sample(&states, &blocks, &last, &mut out, &mut entries, &mut filled);
            assert_eq!(out, bytes(&expected)[..32]);
            assert_eq!((&filled, full), (&counts, counts.iter().all(|n| *n == N)));
            for ((entry, alone), count) in entries.iter().zip(&alone).zip(counts) {
                assert_eq!(entry[..count], alone[..count], "{many} polynomials");
            }
            self.inputs += 1;
        }
    }

    /// Three random blocks; in some turns with too few numbers below q.
    fn kept(&mut self, turn: usize) -> [i16; N] {
        let mut kept = [-1; N];
        let all_ones = if turn.is_multiple_of(5) { KEPT } else { 0 };
        for number in &mut kept[all_ones..] {
            *number = self.random.word() as i16;
        }
        kept
    }

    /// Blocks of the slots from 1 on in polynomials, block by block: a selection of bits, so unit vectors settle it.
    fn kept_blocks(&mut self, kernels: &dyn Kept) {
        let mut check = |states: &Wide, used: usize| {
            let mut entries = vec![[0; N]; used - 1];
            for b in 0..SAMPLE_BLOCKS {
                entries.iter_mut().for_each(|entry| entry[KEPT * b..].fill(0x5a5a));
                kernels.keep_block(states, b, &mut entries);
                for (i, entry) in (1..).zip(&entries) {
                    let mut block = [0; KEPT];
                    for (number, bytes) in block.iter_mut().zip(bytes(&states.slot(i)).as_chunks().0) {
                        *number = i16::from_le_bytes(*bytes);
                    }
                    for before in &entry.as_chunks::<KEPT>().0[..=b] {
                        assert!(*before == block, "slot {i} of {used}, block {b}");
                    }
                }
            }
            self.inputs += used as u64;
        };
        for used in 1..=8 {
            for (bit, i) in turns(1600 * used).map(|n| (n / used, n % used)) {
                let mut states = Wide::zero(8);
                states.set_bit(i, bit);
                check(&states, used);
            }
        }
        for turn in 0..512 {
            let states = Wide::random(8, &mut self.random);
            check(&states, 1 + turn % 8);
        }
    }

    /// The output is a selection of bits, so unit vectors settle it.
    fn squeezed(&mut self, machine: &dyn Machine, used: usize) {
        let width = machine.width();
        let mut check = |states: &Wide| {
            machine.squeeze(states, used, &mut |i, block| {
                let right = block[..XOF_BLOCK] == bytes(&states.slot(i))[..XOF_BLOCK];
                assert!(right, "slot {i} of {used}, width {width}");
            });
            self.inputs += used as u64;
        };
        for (bit, i) in turns(1600 * used).map(|n| (n / used, n % used)) {
            let mut states = Wide::zero(width);
            states.set_bit(i, bit);
            check(&states);
        }
        for _ in 0..64 {
            check(&Wide::random(width, &mut self.random));
        }
    }
}

fn whole<B: Probe>(backend: B, blocks: bool) -> Whole {
    let random = Random::new("permutation");
    let mut whole = Whole { reference: Reference::new(), random, widths: Vec::new(), inputs: 0, blocks };
    backend.keccaks(&mut whole);
    if let Some(kernels) = backend.key_hash() {
        let kernels = KeptOf(backend, kernels);
        if blocks {
            whole.kept_blocks(&kernels);
        } else {
            whole.sampled_beside(&kernels);
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
