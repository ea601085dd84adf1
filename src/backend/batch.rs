//! The lane-packing engine: runs many independent sponges over a Keccak of any width.
//!
//! The two calls of an encapsulation have a fixed schedule instead where a permutation of a few columns is no cheaper than
//! that of all: [`run`] tries the module `fixed` first. All others are packed as follows.
//!
//! ML-KEM asks for long chains (H, J) beside many short sponges (the matrix, the PRF). A lane that
//! has finished its sponge takes the next one from the list, so a chain in one lane costs nothing as long
//! as the others have work: with four lanes ML-KEM-768 encapsulation hashes its key and
//! samples its matrix in nine permutations.
//!
//! Short sponges that start together are a team: they take every step together, and the engine keeps its books by teams.
//! One that needs a fourth block, as eight polynomials of a thousand do, holds the others up: that takes a permutation
//! more now and then, where books by columns cost more every time.

mod fixed;

use core::slice;

use zeroize::{Zeroize, optimization_barrier};

use super::poly::NttPoly;
use super::{Backend, Eta, XOF_BLOCK};

/// Blocks of XOF output that nearly always suffice for a polynomial: 336 candidates of 256 that are needed, with
/// 81 % accepted.
pub const SAMPLE_BLOCKS: usize = 3;

/// `W` Keccak states side by side: row x + 5y holds lane A\[x, y\] (FIPS 202) of each of them.
#[repr(align(64))]
pub struct States<const W: usize>(pub [[u64; W]; 25]);

impl<const W: usize> States<W> {
    /// Every state all zero.
    pub const ZERO: Self = Self([[0; W]; 25]);

    /// The first of the states.
    #[inline(always)]
    pub fn first(&self) -> States<1> {
        // Without a copy of all of them, which would stay on the stack.
        States(core::array::from_fn(|row| [self.0[row][0]]))
    }
}

impl States<1> {
    /// The only state, as its 25 lanes.
    #[inline(always)]
    pub fn single(&mut self) -> &mut [u64; 25] {
        // 25 rows of one word are 25 words.
        self.0.as_flattened_mut().first_chunk_mut().expect("25 words")
    }
}

/// A [`Backend`] that can permute up to `W` states at once.
pub trait Permute<const W: usize>: Backend {
    /// Whether the frames of permutations and of what goes with them are overwritten when something secret has been hashed:
    /// where compilers put states on the stack besides `states`.
    const SPILLS: bool = true;

    /// How many states a narrower and cheaper permutation serves; `W` if there is none worth having.
    fn narrow(self) -> usize {
        W
    }

    // A permutation of the columns `0..used` follows: rows are best written as widely as it will read them.

    /// Sets the columns that have a bit in `columns`, all of them below `used`, to `start` with their ends in word 4; the
    /// others below `used` keep their states, and the rest do or become zero.
    fn start(self, states: &mut States<W>, _used: usize, start: Start<'_>, columns: u32, ends: &[u64; W]) {
        for (column, end) in ends.iter().enumerate() {
            if columns >> column & 1 == 0 {
                continue;
            }
            // In three loops: one over a chain of iterators takes several times as many instructions.
            let (seed, rest) = states.0.split_at_mut(4);
            for (row, word) in seed.iter_mut().zip(start.seed.as_chunks().0) {
                row[column] = u64::from_le_bytes(*word);
            }
            for row in &mut *rest {
                row[column] = 0;
            }
            rest[0][column] = *end;
            if let Some(row) = states.0.get_mut(start.last) {
                row[column] ^= LAST_BIT;
            }
        }
    }

    /// Adds whole words of message, at most 25, to a column below `used`.
    fn absorb(self, states: &mut States<W>, _used: usize, column: usize, words: &[u8]) {
        for (row, word) in states.0.iter_mut().zip(words.as_chunks().0) {
            row[column] ^= u64::from_le_bytes(*word);
        }
    }

    /// Keccak-f\[1600\] (FIPS 202, section 3.3) on the columns `0..used` of `states`, where `1 <= used
    /// <= W`. The other columns may be permuted or left: what they hold means nothing.
    fn permute(self, states: &mut States<W>, used: usize);

    /// Absorbs whole blocks of a sponge with the rate of H in the first column, with a permutation after each. What the
    /// other columns hold afterwards means nothing.
    fn absorb_blocks(self, states: &mut States<W>, blocks: &[[u8; H_BLOCK]]) {
        for block in blocks {
            self.absorb(states, 1, 0, block);
            self.permute(states, 1);
        }
    }

    /// Runs a sponge to its end in the first column: absorbs `blocks` as [`absorb_blocks`](Self::absorb_blocks) does, then
    /// the rest of its message, `head || tail`, which is shorter than the rate, with its padding, and squeezes as many bytes
    /// as `out` has, at most the rate. What the columns hold afterwards means nothing.
    fn finish(
        self,
        states: &mut States<W>,
        function: Function,
        blocks: &[[u8; H_BLOCK]],
        rest: [&[u8]; 2],
        out: &mut [u8],
    ) {
        self.absorb_blocks(states, blocks);
        finish_in_memory(self, states, function, rest, out);
    }

    /// Whether polynomials are sampled sooner by [`finish_and_sample`](Self::finish_and_sample), from blocks that were kept, than
    /// from each block as it comes.
    fn samples_beside(self) -> bool {
        false
    }

    /// Keeps the first 168 bytes of the columns from 1 on, block `b` of the [`SAMPLE_BLOCKS`] that they are to give, in the entries
    /// that [`Backend::sample_kept`] will sample from them, a column each: bytes 168 b to 168 b + 167 of the numbers, each of
    /// them little-endian. What comes after may be overwritten, so blocks are kept in their order.
    fn keep_block(self, states: &States<W>, b: usize, entries: &mut [NttPoly<Self>]) {
        for (column, entry) in (1..W).zip(entries) {
            let block = entry.raw_mut().as_chunks_mut::<KEPT>().0.get_mut(b);
            let words = block.map(|block| block.as_chunks_mut::<4>().0).unwrap_or_default();
            for (word, row) in words.iter_mut().zip(&states.0) {
                for (number, bytes) in word.iter_mut().zip(row[column].to_le_bytes().as_chunks().0) {
                    *number = i16::from_le_bytes(*bytes);
                }
            }
        }
    }

    /// Runs H of a public message to its end from the first column, absorbing `blocks` and `last` with a permutation after
    /// each, and writes what H gives. `states` are left as they are: the other columns can go on. Meanwhile samples the
    /// entries from the blocks that were kept in them, and writes how many coefficients each has; true if all are full.
    fn finish_and_sample(
        self,
        states: &States<W>,
        blocks: &[[u8; H_BLOCK]],
        last: &[u8; H_BLOCK],
        out: &mut [u8; 32],
        entries: &mut [NttPoly<Self>],
        filled: &mut [usize],
    ) -> bool
    where
        Self: Permute<1>,
    {
        finish_then_sample(self, states.first(), [blocks, slice::from_ref(last)], out, entries, filled)
    }

    /// The first 168 bytes of each of the columns `0..used`, in the bytes of FIPS 202 (section 3.1.2): the
    /// longest block there is. What stands behind them or in the other blocks means nothing.
    fn squeeze(self, states: &States<W>, used: usize, blocks: &mut Blocks<W>) {
        for (column, block) in blocks.0.iter_mut().enumerate().take(used) {
            for (row, word) in states.0.iter().zip(block.as_chunks_mut().0) {
                *word = row[column].to_le_bytes();
            }
        }
    }
}

/// Numbers in which a block is kept.
pub const KEPT: usize = XOF_BLOCK >> 1;

/// [`Permute::finish_and_sample`], one after the other, from the first column.
pub(crate) fn finish_then_sample<B: Permute<1>>(
    backend: B,
    mut states: States<1>,
    blocks: [&[[u8; H_BLOCK]]; 2],
    out: &mut [u8; 32],
    entries: &mut [NttPoly<B>],
    filled: &mut [usize],
) -> bool {
    for blocks in blocks {
        backend.absorb_blocks(&mut states, blocks);
    }
    for (word, row) in out.as_chunks_mut().0.iter_mut().zip(&states.0) {
        *word = row[0].to_le_bytes();
    }
    backend.sample_kept(entries, filled)
}

/// What new sponges begin with that have only one block of padded message, a seed and at most two bytes: all of it but
/// for word 4, where those bytes are and the padding begins.
#[derive(Clone, Copy)]
pub struct Start<'a> {
    /// Words 0 to 3.
    pub seed: &'a [u8; 32],
    /// The word that [`LAST_BIT`] is added to, one of [`LAST_WORDS`], or `usize::MAX` if none is. All other words are zero.
    pub last: usize,
}

impl<'a> Start<'a> {
    /// With an end of zero: nothing, for a sponge whose message is absorbed as it comes.
    const EMPTY: Self = Self { seed: &[0; 32], last: usize::MAX };

    fn new(function: Function, seed: &'a [u8; 32]) -> Self {
        Self { seed, last: (function.rate() >> 3) - 1 }
    }

    /// Whether one call can start both.
    fn is(self, other: Self) -> bool {
        core::ptr::eq(self.seed, other.seed) && self.last == other.last
    }
}

/// Bytes of a block of H; of J and the PRF, too.
pub const H_BLOCK: usize = Function::Sha3_256.rate();

/// The last bit of a block, the end of the padding (FIPS 202, section 5.1).
pub const LAST_BIT: u64 = 1 << 63;

/// The words that can be the last of a block.
pub const LAST_WORDS: [usize; 3] = [
    (Function::Sha3_512.rate() >> 3) - 1,
    (Function::Sha3_256.rate() >> 3) - 1,
    (Function::Shake128.rate() >> 3) - 1,
];

/// One block for each of `W` sponges; 24 words, of which a squeeze fills the first 21.
#[repr(align(64))]
pub struct Blocks<const W: usize>(pub [[u8; 192]; W]);

/// The hash functions of FIPS 203, section 4.1: rate in bytes and domain suffix of FIPS 202.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// SHA3-256, which is H.
    Sha3_256,
    /// SHA3-512, which is G.
    Sha3_512,
    /// SHAKE128, which is XOF.
    Shake128,
    /// SHAKE256, which is PRF and J.
    Shake256,
}

impl Function {
    /// Bytes absorbed or squeezed per permutation.
    pub const fn rate(self) -> usize {
        match self {
            Function::Sha3_256 | Function::Shake256 => 136,
            Function::Sha3_512 => 72,
            Function::Shake128 => XOF_BLOCK,
        }
    }

    /// The suffix bits and the first padding bit (FIPS 202, sections 6.1, 6.2 and B.2).
    const fn suffix(self) -> u8 {
        match self {
            Function::Sha3_256 | Function::Sha3_512 => 0x06,
            Function::Shake128 | Function::Shake256 => 0x1f,
        }
    }

    /// The suffix as byte `i` of a word.
    pub(crate) const fn suffix_at(self, i: u32) -> u64 {
        (self.suffix() as u64) << (8 * i)
    }
}

/// Sponges that do not depend on one another: one, or several that differ in an index and in where their output
/// goes.
pub enum Jobs<'a, B> {
    /// One sponge, or none.
    One(Option<Job<'a>>),
    /// Outputs of the PRF.
    Prf(Prf<'a>),
    /// Entries of the matrix.
    Matrix(Matrix<'a, B>),
}

impl<'a, B> Jobs<'a, B> {
    /// PRF_eta(s, n), PRF_eta(s, n + 1), ... (FIPS 203, equation 4.3): SHAKE256(s || n), of which the first `length`
    /// bytes of each of the `outputs` receive as many.
    pub fn prf<const L: usize>(s: &'a [u8; 32], n: u8, length: usize, outputs: &'a mut [[u8; L]]) -> Self {
        const { assert!(L > 0) };
        Jobs::Prf(Prf {
            s,
            n,
            length: length.min(L),
            stride: L,
            count: outputs.len(),
            outputs: outputs.as_flattened_mut(),
        })
    }

    /// Rows of the matrix from row `i` on (FIPS 203, Algorithm 13, lines 3 to 7): as many blocks of XOF(rho || j || i)
    /// as fill it (Algorithm 7) at row i, column j, or `transposed`, at row j, column i.
    pub fn matrix<const K: usize>(
        rho: &'a [u8; 32],
        i: u8,
        rows: &'a mut [[NttPoly<B>; K]],
        transposed: bool,
    ) -> Self {
        let entries = rows.as_flattened_mut();
        Jobs::Matrix(Matrix { rho, row: i, column: 0, columns: K as u8, transposed, entries })
    }

    /// Permutations that these jobs take in all; for sampled polynomials, those they take nearly always.
    pub fn work(&self) -> usize {
        match self {
            Jobs::One(job) => job.as_ref().map_or(0, |job| job.work),
            Jobs::Prf(prf) => prf.count * prf.work(),
            Jobs::Matrix(matrix) => matrix.entries.len() * SAMPLE_BLOCKS,
        }
    }

    /// Whether any of it may be a secret.
    fn is_secret(&self) -> bool {
        match self {
            Jobs::One(job) => job.as_ref().is_some_and(Job::is_secret),
            Jobs::Prf(_) => true,
            Jobs::Matrix(_) => false,
        }
    }

    /// Permutations that the longest of these jobs takes.
    pub fn longest(&self) -> usize {
        match self {
            Jobs::One(_) => self.work(),
            Jobs::Prf(prf) => prf.work(),
            Jobs::Matrix(_) => SAMPLE_BLOCKS,
        }
    }
}

impl<'a, B> From<Job<'a>> for Jobs<'a, B> {
    fn from(job: Job<'a>) -> Self {
        Jobs::One(Some(job))
    }
}

/// [`Jobs::prf`].
pub struct Prf<'a> {
    s: &'a [u8; 32],
    n: u8,
    length: usize,
    stride: usize,
    /// Those that are still to come.
    count: usize,
    outputs: &'a mut [u8],
}

impl<'a> Prf<'a> {
    fn work(&self) -> usize {
        blocks(self.length.saturating_sub(1), Function::Shake256.rate())
    }

    /// The next `count` outputs, and in `ends` what their sponges end with.
    #[inline(always)]
    fn take(&mut self, count: usize, ends: &mut [u64]) -> Outputs<'a> {
        for end in ends.iter_mut().take(count) {
            *end = u64::from(self.n) | Function::Shake256.suffix_at(1);
            self.n = self.n.wrapping_add(1);
        }
        self.count -= count;
        let outputs = self.outputs.split_off_mut(..count * self.stride).unwrap_or_default();
        Outputs { outputs, stride: self.stride, length: self.length, given: 0 }
    }
}

/// [`Jobs::matrix`].
pub struct Matrix<'a, B> {
    rho: &'a [u8; 32],
    row: u8,
    column: u8,
    columns: u8,
    transposed: bool,
    /// Those that are still to come.
    entries: &'a mut [NttPoly<B>],
}

impl<'a, B> Matrix<'a, B> {
    /// The next `count` entries, and in `ends` what their sponges end with.
    #[inline(always)]
    fn take(&mut self, count: usize, ends: &mut [u64]) -> &'a mut [NttPoly<B>] {
        for end in ends.iter_mut().take(count) {
            let (i, j) = (u64::from(self.row), u64::from(self.column));
            let index = if self.transposed { i | j << 8 } else { j | i << 8 };
            *end = index | Function::Shake128.suffix_at(2);
            self.column += 1;
            if self.column == self.columns {
                (self.row, self.column) = (self.row.wrapping_add(1), 0);
            }
        }
        self.entries.split_off_mut(..self.entries.len().min(count)).unwrap_or_default()
    }
}

/// A sponge that has absorbed whole blocks of a public message and waits for the rest.
pub struct Absorbed([u8; 200]);

impl Absorbed {
    /// A sponge that has absorbed nothing.
    pub const NOTHING: Self = Self([0; 200]);
}

/// What becomes of a sponge's output.
enum Output<'a> {
    /// All of it, as bytes.
    Bytes(&'a mut [u8]),
    /// None: the sponge goes on from here, absorbs the whole blocks of the message and stops.
    Absorb(&'a mut Absorbed),
}

/// One sponge: a function, its message `head || tail`, where the output goes, and how far it has come.
pub struct Job<'a> {
    function: Function,
    head: &'a [u8],
    tail: &'a [u8],
    /// What went before the message.
    before: Option<&'a Absorbed>,
    output: Output<'a>,
    /// Nothing has been absorbed yet.
    fresh: bool,
    /// The whole message is in the state: from now on the sponge is squeezed.
    absorbed: bool,
    /// Permutations still to come.
    work: usize,
}

impl<'a> Job<'a> {
    /// `function(head || tail)`, as many bytes as `out` has.
    #[inline]
    pub fn new(function: Function, head: &'a [u8], tail: &'a [u8], out: &'a mut [u8]) -> Self {
        Self::build(function, [head, tail], None, Output::Bytes(out))
    }

    /// Absorbs the whole blocks of `message`; what does not fill one is left out.
    #[inline]
    pub fn absorb(function: Function, message: &'a [u8], state: &'a mut Absorbed) -> Self {
        Self::build(function, [message, &[]], None, Output::Absorb(state))
    }

    /// `function(before || rest)`.
    #[inline]
    pub fn resume(function: Function, before: &'a Absorbed, rest: &'a [u8], out: &'a mut [u8]) -> Self {
        Self::build(function, [rest, &[]], Some(before), Output::Bytes(out))
    }

    #[inline]
    fn build(
        function: Function,
        [head, tail]: [&'a [u8]; 2],
        before: Option<&'a Absorbed>,
        output: Output<'a>,
    ) -> Self {
        let squeezed = match &output {
            Output::Bytes(bytes) => blocks(bytes.len().saturating_sub(1), function.rate()),
            // The block that would hold the padding is not absorbed.
            Output::Absorb(_) => 0,
        };
        // Padding always takes a byte, and the last block absorbed is the first squeezed.
        let work = blocks(head.len() + tail.len(), function.rate()) + squeezed - 1;
        Self { function, head, tail, before, output, fresh: true, absorbed: false, work }
    }

    /// Whether any of it may be a secret: H is for encapsulation keys only.
    fn is_secret(&self) -> bool {
        self.function != Function::Sha3_256
    }

    /// Whole blocks to absorb at once, at the rate of H only and all but the last that there is to absorb.
    fn whole_blocks(&mut self) -> &'a [[u8; H_BLOCK]] {
        let begun = self.before.is_some() || matches!(self.output, Output::Absorb(_));
        if self.absorbed || self.fresh && begun || self.function.rate() != H_BLOCK {
            return &[];
        }
        let piece = if self.head.is_empty() { &mut self.tail } else { &mut self.head };
        let blocks = piece.as_chunks().0;
        let (blocks, _) = blocks.split_at(blocks.len().min(self.work.saturating_sub(1)));
        self.work -= blocks.len();
        *piece = &piece[blocks.as_flattened().len()..];
        blocks
    }

    /// The rest of the message and the output, if the one fits a block with its padding, the other fits a block, and nothing
    /// goes before.
    fn last_block(&mut self) -> Option<([&'a [u8]; 2], &mut [u8])> {
        let rate = self.function.rate();
        match &mut self.output {
            Output::Bytes(out)
                if !self.absorbed && out.len() <= rate && self.head.len() + self.tail.len() < rate =>
            {
                (!self.fresh || self.before.is_none()).then_some(([self.head, self.tail], &mut **out))
            }
            _ => None,
        }
    }

    /// Adds the next block to the column.
    fn take_in<B: Permute<W>, const W: usize>(
        &mut self,
        backend: B,
        states: &mut States<W>,
        used: usize,
        column: usize,
    ) {
        if self.fresh {
            self.fresh = false;
            match (&self.output, self.before) {
                (Output::Absorb(Absorbed(state)), _) | (_, Some(Absorbed(state))) => {
                    backend.absorb(states, used, column, state);
                }
                _ => {}
            }
        }
        let rate = self.function.rate();
        // Whole blocks of a long message need no copy.
        let piece = if self.head.is_empty() { &mut self.tail } else { &mut self.head };
        if let Some((words, rest)) = piece.split_at_checked(rate) {
            *piece = rest;
            backend.absorb(states, used, column, words);
        } else {
            let mut block = [0; 200];
            self.absorbed = fill_block(&mut block[..rate], [&mut self.head, &mut self.tail], self.function);
            backend.absorb(states, used, column, &block[..rate]);
            wipe(&mut block);
        }
    }

    /// Takes one block of output, if it is time for output; true if the job is done.
    fn give_out<const W: usize>(&mut self, states: &States<W>, column: usize, block: &[u8; 192]) -> bool {
        self.work = self.work.saturating_sub(1);
        match &mut self.output {
            Output::Bytes(bytes) if self.absorbed => {
                take(&mut &block[..self.function.rate()], bytes);
                bytes.is_empty()
            }
            Output::Absorb(state) if self.work == 0 => {
                for (row, word) in states.0.iter().zip(state.0.as_chunks_mut().0) {
                    *word = row[column].to_le_bytes();
                }
                true
            }
            _ => false,
        }
    }
}

/// Moves what fits of a message to a block of zeros, and the padding (FIPS 202, section 5.1) if there is room for it; true if
/// there is.
fn fill_block(block: &mut [u8], message: [&mut &[u8]; 2], function: Function) -> bool {
    let mut free = &mut *block;
    for part in message {
        if !part.is_empty() {
            take(part, &mut free);
        }
    }
    let [first, ..] = free else { return false };
    *first = function.suffix();
    if let Some(last) = block.last_mut() {
        *last |= 0x80;
    }
    true
}

/// The last block of [`Permute::finish`], put together in memory; `blocks` have been absorbed.
pub(crate) fn finish_in_memory<B: Permute<W>, const W: usize>(
    backend: B,
    states: &mut States<W>,
    function: Function,
    [mut head, mut tail]: [&[u8]; 2],
    out: &mut [u8],
) {
    let mut block = [0; 200];
    let block_of_rate = &mut block[..function.rate()];
    fill_block(block_of_rate, [&mut head, &mut tail], function);
    backend.absorb(states, 1, 0, block_of_rate);
    wipe(&mut block);
    backend.permute(states, 1);
    let (words, rest) = out.as_chunks_mut();
    for (word, row) in words.iter_mut().zip(&states.0) {
        *word = row[0].to_le_bytes();
    }
    if let Some(row) = states.0.get(words.len()) {
        rest.copy_from_slice(&row[0].to_le_bytes()[..rest.len()]);
    }
}

/// Blocks of `rate` bytes that hold `length` bytes and one more. Lengths are public and short.
fn blocks(length: usize, rate: usize) -> usize {
    let (mut count, mut left) = (1, length);
    while left >= rate {
        (count, left) = (count + 1, left - rate);
    }
    count
}

/// Moves as many bytes as fit from the front of `from` to the front of `to`.
#[inline(always)]
fn take(from: &mut &[u8], to: &mut &mut [u8]) {
    let n = from.len().min(to.len());
    let (front, rest) = core::mem::take(to).split_at_mut(n);
    front.copy_from_slice(&from[..n]);
    (*from, *to) = (&from[n..], rest);
}

/// Overwrites the stack where kernels that have returned had their frames, with what compilers put there besides the
/// variables: copies, and registers for which there was no room.
#[inline(never)]
fn wipe_frames() {
    let frames = [0_u8; 2048];
    optimization_barrier(&frames);
}

/// The message may be a secret.
fn wipe(block: &mut [u8; 200]) {
    *block = [0; 200];
    optimization_barrier(block);
}

/// Columns of states, side by side, that started together and do the same: one of a job, or those of outputs or of
/// entries, of which the others have none.
///
/// All of it is initialised, whatever they do. Of an enum a compiler may read what another variant has, before it asks which
/// one it is, and find the smaller of two numbers by a branch: the path would depend on what the stack held before.
struct Team<'g, 'a, B> {
    /// None, if it is no team.
    columns: usize,
    /// Permutations that they still take.
    left: usize,
    /// One column.
    job: Option<&'g mut Job<'a>>,
    /// An output for each column.
    outputs: Outputs<'a>,
    /// An entry of the matrix for each column.
    entries: &'a mut [NttPoly<B>],
}

impl<B> Team<'_, '_, B> {
    fn none() -> Self {
        Self { columns: 0, left: 0, job: None, outputs: Outputs::none(), entries: &mut [] }
    }

    /// The set of its columns, of which `first` is the first.
    fn set(&self, first: usize) -> u32 {
        ((1 << self.columns) - 1) << first
    }
}

/// Outputs of the PRF that are being filled.
struct Outputs<'a> {
    outputs: &'a mut [u8],
    stride: usize,
    length: usize,
    /// Bytes of each that are there.
    given: usize,
}

impl Outputs<'_> {
    fn none() -> Self {
        Self { outputs: &mut [], stride: 0, length: 0, given: 0 }
    }

    /// Moves what fits of a block to each of them; true if they are full.
    #[inline(always)]
    fn fill(&mut self, blocks: &[[u8; 192]]) -> bool {
        // What polynomials with eta = 2 take, nearly always: not worth calls of a copy of unknown length.
        const USUAL: usize = Eta::Two.bytes();
        const RATE: usize = Function::Shake256.rate();
        let (from, to) = (self.given, self.length.min(self.given + RATE));
        let mut rest = &mut *self.outputs;
        for block in blocks {
            let Some(output) = rest.split_off_mut(..self.stride) else { break };
            if let (true, Some(output), Some(block)) =
                (to - from == USUAL, output[from..].first_chunk_mut::<USUAL>(), block.first_chunk())
            {
                *output = *block;
            } else {
                output[from..to].copy_from_slice(&block[..to - from]);
            }
        }
        self.given = to;
        to == self.length
    }
}

/// What is still to be given to columns.
struct Queue<'g, 'a, B> {
    next: Option<&'g mut Jobs<'a, B>>,
    rest: slice::IterMut<'g, Jobs<'a, B>>,
}

impl<'g, 'a, B> Queue<'g, 'a, B> {
    fn new(jobs: &'g mut [Jobs<'a, B>]) -> Self {
        let mut rest = jobs.iter_mut();
        Self { next: rest.next(), rest }
    }

    /// A team of one column or more: no more than there are `ends`, and no more than it takes to run `most` permutations.
    /// With what it starts with; its ends are written to `ends`, which are zero.
    #[inline(always)]
    fn next(&mut self, most: usize, ends: &mut [u64]) -> Option<(Team<'g, 'a, B>, Start<'a>)> {
        let enough = |sponges: usize, work: usize| {
            let (all, mut count) = (ends.len().min(sponges), 1);
            if most == usize::MAX {
                count = all;
            }
            while count < all && count * work < most {
                count += 1;
            }
            count
        };
        loop {
            let jobs = self.next.take()?;
            match jobs {
                Jobs::One(job) => {
                    self.next = self.rest.next();
                    // With no work there is nothing to absorb.
                    if let Some(job) = job
                        && job.work > 0
                    {
                        let team = Team { columns: 1, left: job.work, job: Some(job), ..Team::none() };
                        return Some((team, Start::EMPTY));
                    }
                }
                Jobs::Prf(prf) if prf.count > 0 => {
                    let left = prf.work();
                    let columns = enough(prf.count, left);
                    let start = Start::new(Function::Shake256, prf.s);
                    let outputs = prf.take(columns, ends);
                    self.next = Some(jobs);
                    return Some((Team { columns, left, outputs, ..Team::none() }, start));
                }
                Jobs::Matrix(matrix) if !matrix.entries.is_empty() => {
                    let columns = enough(matrix.entries.len(), SAMPLE_BLOCKS);
                    let start = Start::new(Function::Shake128, matrix.rho);
                    let entries = matrix.take(columns, ends);
                    self.next = Some(jobs);
                    return Some((Team { columns, left: SAMPLE_BLOCKS, entries, ..Team::none() }, start));
                }
                _ => self.next = self.rest.next(),
            }
        }
    }
}

/// How many permutations the columns of these teams can take over while the longest of them is at work anyway.
fn spare_permutations<B>(teams: &[Team<'_, '_, B>]) -> usize {
    let (mut taken, mut chain, mut soonest) = (0, 0, usize::MAX);
    for team in teams.iter().filter(|team| team.columns > 0) {
        taken += team.columns * team.left;
        (chain, soonest) = (chain.max(team.left), soonest.min(team.left));
    }
    // What starts in the first lane that becomes free must not be the last to end.
    if soonest.saturating_add(SAMPLE_BLOCKS) > chain { 0 } else { teams.len() * chain - taken }
}

/// Runs every job over the `W`-wide Keccak of `backend`.
pub fn run<B: Permute<W> + Permute<1>, const W: usize>(backend: B, jobs: &mut [Jobs<'_, B>]) {
    const { assert!(W < 32, "a set of columns is a number of 32 bits") };
    let narrow = Permute::<W>::narrow(backend).min(W);
    if W > 1 && narrow == W && fixed::run::<B, W>(backend, jobs) {
        return;
    }
    // Permutations that nobody has begun.
    let mut waiting: usize = jobs.iter().map(Jobs::work).sum();
    let secret = jobs.iter().any(Jobs::is_secret);
    let mut queue = Queue::new(jobs);
    let mut states = States::<W>::ZERO;
    let mut blocks = Blocks::<W>::ZERO;
    // Each at the first of its columns.
    let mut teams = core::array::from_fn::<_, W, _>(|_| Team::none());
    // Coefficients that each column has given.
    let mut filled = [0; W];
    // Sets of columns: those at work, the first of each team, and those of jobs.
    let (mut busy, mut heads, mut of_jobs) = (0_u32, 0_u32, 0_u32);
    let mut more = true;
    // Until then every state is zero.
    let mut permuted = false;
    loop {
        if more && busy.trailing_ones() < W as u32 {
            // Columns of which one call sets all.
            let (mut start, mut fresh, mut ends) = (Start::EMPTY, 0, [0; W]);
            // What the narrow columns can still do besides; they are filled first, so it does not change any more.
            let mut spare = None;
            loop {
                let column = busy.trailing_ones() as usize;
                let end = if column < narrow { narrow } else { W };
                let free = (busy >> column).trailing_zeros() as usize;
                let Some(room @ [_, ..]) = ends.get_mut(column..end.min(column + free)) else { break };
                let most = if column < narrow {
                    usize::MAX
                } else {
                    waiting.saturating_sub(*spare.get_or_insert_with(|| spare_permutations(&teams[..narrow])))
                };
                if most == 0 {
                    break;
                }
                let Some((team, next)) = queue.next(most, room) else {
                    more = false;
                    break;
                };
                if !start.is(next) {
                    if fresh != 0 {
                        backend.start(&mut states, used(busy), start, fresh, &ends);
                    }
                    (start, fresh) = (next, 0);
                }
                let set = team.set(column);
                if permuted || !start.is(Start::EMPTY) {
                    fresh |= set;
                }
                if team.job.is_some() {
                    of_jobs |= set;
                }
                (busy, heads) = (busy | set, heads | 1 << column);
                waiting = waiting.saturating_sub(team.columns * team.left);
                filled[column..][..team.columns].fill(0);
                teams[column] = team;
            }
            if fresh != 0 {
                backend.start(&mut states, used(busy), start, fresh, &ends);
            }
        }
        if busy == 0 {
            break;
        }
        // What is left of a chain that outlasts all others needs one state.
        if W > 1
            && !more
            && busy == 1
            && let Some(job) = &mut teams[0].job
        {
            run_alone(backend, &mut states.first(), job);
            break;
        }
        let width = used(busy);
        // A block is taken from every column or from none: most of the time all of them are being squeezed.
        let mut squeezing = heads != of_jobs;
        let mut rest = of_jobs;
        while let Some((column, team)) = next_team(&mut teams, &mut rest) {
            if let Some(job) = &mut team.job {
                if !job.absorbed {
                    job.take_in(backend, &mut states, width, column);
                }
                squeezing |= job.absorbed;
            }
        }
        backend.permute(&mut states, width);
        permuted = true;
        if squeezing {
            backend.squeeze(&states, width, &mut blocks);
        }
        let mut rest = heads;
        while let Some((column, team)) = next_team(&mut teams, &mut rest) {
            let blocks = &blocks.0[column..][..team.columns];
            team.left = team.left.saturating_sub(1);
            let done = if let Some(job) = &mut team.job {
                job.give_out(&states, column, &blocks[0])
            } else if team.entries.is_empty() {
                team.outputs.fill(blocks)
            } else {
                backend.sample_ntt_blocks(blocks, team.entries, &mut filled[column..][..blocks.len()])
            };
            if done {
                let others = !team.set(column);
                (busy, heads, of_jobs) = (busy & others, heads & others, of_jobs & others);
                team.columns = 0;
            }
        }
    }
    if secret {
        states.zeroize();
        blocks.zeroize();
        if <B as Permute<W>>::SPILLS {
            wipe_frames();
        }
    }
}

/// The next of the teams whose first columns are in `set`, with that column, which leaves the set.
#[inline(always)]
fn next_team<'t, 'g, 'a, B>(
    teams: &'t mut [Team<'g, 'a, B>],
    set: &mut u32,
) -> Option<(usize, &'t mut Team<'g, 'a, B>)> {
    let column = set.trailing_zeros() as usize;
    *set &= set.wrapping_sub(1);
    Some((column, teams.get_mut(column)?))
}

/// Columns up to the last of a set.
fn used(set: u32) -> usize {
    (u32::BITS - set.leading_zeros()) as usize
}

/// Runs one job.
pub fn run_one<B: Permute<1>>(backend: B, mut job: Job<'_>) {
    if job.work > 0 {
        let mut states = States::ZERO;
        run_alone(backend, &mut states, &mut job);
    }
}

/// Runs a job to its end, from the state that it has come to, and wipes that if it may be a secret.
fn run_alone<B: Permute<1>>(backend: B, states: &mut States<1>, job: &mut Job<'_>) {
    let function = job.function;
    loop {
        let whole = job.whole_blocks();
        if let Some((rest, out)) = job.last_block() {
            backend.finish(states, function, whole, rest, out);
            break;
        }
        if !whole.is_empty() {
            backend.absorb_blocks(states, whole);
        }
        if run_block(backend, states, job) {
            break;
        }
    }
    if job.is_secret() {
        states.zeroize();
        if <B as Permute<1>>::SPILLS {
            wipe_frames();
        }
    }
}

/// One permutation for a job; true if that was the last.
fn run_block<B: Permute<1>>(backend: B, states: &mut States<1>, job: &mut Job<'_>) -> bool {
    let mut blocks = Blocks::<1>::ZERO;
    if !job.absorbed {
        job.take_in(backend, states, 1, 0);
    }
    backend.permute(states, 1);
    if job.absorbed {
        backend.squeeze(states, 1, &mut blocks);
    }
    let done = job.give_out(states, 0, &blocks.0[0]);
    if job.is_secret() {
        blocks.zeroize();
    }
    done
}

impl<const W: usize> Blocks<W> {
    /// Every block all zero.
    pub const ZERO: Self = Self([[0; 192]; W]);
}

impl<const W: usize> Zeroize for Blocks<W> {
    fn zeroize(&mut self) {
        *self = Self::ZERO;
        optimization_barrier(self);
    }
}

impl<const W: usize> Zeroize for States<W> {
    fn zeroize(&mut self) {
        *self = Self::ZERO;
        optimization_barrier(self);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::thread_local;

    use super::*;
    use crate::backend::{conformance, portable};
    use crate::frontend::kem::{self, PreparedDk, PreparedEk};
    use crate::frontend::params::{MlKem512, MlKem768, MlKem1024, ParameterSet, ct_size, dk_size};

    /// The portable arithmetic over a Keccak of `W` plain lanes that counts its permutations.
    #[derive(Clone, Copy, Debug)]
    struct Plain<const W: usize>;

    thread_local! {
        /// Permutations since the last reset, by the smallest width that serves them.
        static COUNT: RefCell<BTreeMap<usize, usize>> = const { RefCell::new(BTreeMap::new()) };
    }

    impl<const W: usize> Backend for Plain<W> {
        const NAME: &'static str = "plain";

        fn hash(self, job: Job<'_>) {
            run::<_, W>(self, &mut [job.into()]);
        }

        fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
            run::<_, W>(self, jobs);
        }
    }

    impl<const W: usize, const V: usize> Permute<V> for Plain<W> {
        fn narrow(self) -> usize {
            if V == 8 { 4 } else { V }
        }

        fn samples_beside(self) -> bool {
            true
        }

        fn permute(self, states: &mut States<V>, used: usize) {
            assert!(1 <= used && used <= V);
            COUNT.with_borrow_mut(|count| *count.entry(used.next_power_of_two()).or_default() += 1);
            for column in 0..used {
                let mut state = states.0.map(|row| row[column]);
                portable::keccak::permute(&mut state);
                states.0.iter_mut().zip(state).for_each(|(row, lane)| row[column] = lane);
            }
        }
    }

    mod width_1 {
        crate::backend::conformance::suite!("width 1", Some(super::Plain::<1>));
    }
    mod width_2 {
        crate::backend::conformance::suite!("width 2", Some(super::Plain::<2>));
    }
    mod width_4 {
        crate::backend::conformance::suite!("width 4", Some(super::Plain::<4>));
    }
    // No permutation is cheaper than that of all columns.
    mod width_7 {
        crate::backend::conformance::suite!("width 7", Some(super::Plain::<7>));
    }
    mod width_8 {
        crate::backend::conformance::suite!("width 8", Some(super::Plain::<8>));
    }

    /// Permutations by width, 1, 2, 4 and 8, of one call.
    fn counted(call: impl FnOnce()) -> [usize; 4] {
        COUNT.with_borrow_mut(BTreeMap::clear);
        call();
        COUNT.with_borrow(|count| [1, 2, 4, 8].map(|width| count.get(&width).copied().unwrap_or(0)))
    }

    /// Permutations of one parameter set's operations on `W` lanes: key generation, encapsulation, decapsulation,
    /// decapsulation with a check of the key, and encapsulation and decapsulation with prepared keys; from a seed
    /// for which three blocks suffice for every entry of the matrix.
    fn operations<P, const K: usize, const U: usize, const V: usize, const C: usize, const W: usize>()
    -> [[usize; 4]; 6]
    where
        P: ParameterSet<K, U, V>,
    {
        assert_eq!(C, ct_size(K, U, V));
        let backend = Plain::<W>;
        let (mut dk, mut c, mut ours, mut theirs) = ([0; dk_size(4)], [0; C], [0; 32], [0; 32]);
        let dk = &mut dk[..dk_size(K)];
        let key_gen = counted(|| kem::key_gen_internal::<_, P, K, U, V>(backend, &[5; 32], &[3; 32], dk));
        let ek = kem::ek_of_dk::<K>(dk);
        let m = [4; 32];
        let encaps = counted(|| kem::encaps_internal::<_, P, K, U, V>(backend, ek, &m, &mut c, &mut ours));
        let decaps = counted(|| kem::decaps_internal::<_, P, K, U, V, C>(backend, dk, &c, &mut theirs));
        assert_eq!(ours, theirs);
        theirs = [0; 32];
        let checked = counted(|| {
            assert!(kem::decaps_checked::<_, P, K, U, V, C>(backend, dk, &c, &mut theirs));
        });
        assert_eq!(ours, theirs);

        let (mut prepared, mut again) = (PreparedDk::<Plain<W>, K>::ZERO, [0; C]);
        prepared.prepare(backend, dk);
        theirs = [0; 32];
        let z = kem::z_of_dk::<K>(dk);
        let prepared_decaps = counted(|| {
            kem::decaps_prepared::<_, P, K, U, V, C>(backend, &prepared, z, &c, &mut theirs);
        });
        assert_eq!(ours, theirs);
        let mut prepared = PreparedEk::<Plain<W>, K>::ZERO;
        assert!(prepared.prepare(backend, ek));
        theirs = [0; 32];
        let prepared_encaps = counted(|| {
            kem::encaps_prepared::<_, P, K, U, V>(backend, &prepared, &m, &mut again, &mut theirs);
        });
        assert_eq!((again, theirs), (c, ours));
        [key_gen, encaps, decaps, checked, prepared_encaps, prepared_decaps]
    }

    #[test]
    fn permutations_are_as_few_as_the_lanes_allow() {
        // Of each operation: permutations 1, 2, 4 and 8 wide.
        // One lane: all there is to hash, one after the other.
        assert_eq!(
            operations::<MlKem512, 2, 320, 128, 768, 1>(),
            [[27, 0, 0, 0], [26, 0, 0, 0], [26, 0, 0, 0], [32, 0, 0, 0], [8, 0, 0, 0], [14, 0, 0, 0]]
        );
        assert_eq!(
            operations::<MlKem768, 3, 320, 128, 1088, 1>(),
            [[43, 0, 0, 0], [44, 0, 0, 0], [44, 0, 0, 0], [53, 0, 0, 0], [8, 0, 0, 0], [17, 0, 0, 0]]
        );
        assert_eq!(
            operations::<MlKem1024, 4, 352, 160, 1568, 1>(),
            [[69, 0, 0, 0], [70, 0, 0, 0], [70, 0, 0, 0], [82, 0, 0, 0], [10, 0, 0, 0], [22, 0, 0, 0]]
        );
        // Four lanes: what is left for single permutations is G, and the end of H(ek) in key generation.
        assert_eq!(
            operations::<MlKem512, 2, 320, 128, 768, 4>(),
            [[7, 0, 5, 0], [1, 3, 5, 0], [2, 0, 6, 0], [1, 0, 8, 0], [1, 0, 2, 0], [4, 1, 2, 0]]
        );
        assert_eq!(
            operations::<MlKem768, 3, 320, 128, 1088, 4>(),
            [[7, 0, 9, 0], [1, 0, 11, 0], [1, 0, 11, 0], [1, 0, 13, 0], [1, 0, 2, 0], [7, 1, 2, 0]]
        );
        assert_eq!(
            operations::<MlKem1024, 4, 352, 160, 1568, 4>(),
            [[8, 3, 14, 0], [2, 0, 17, 0], [2, 0, 17, 0], [2, 0, 20, 0], [2, 0, 2, 0], [10, 0, 3, 0]]
        );
        // Eight lanes: chains of H and J outlast the matrix.
        assert_eq!(
            operations::<MlKem512, 2, 320, 128, 768, 8>(),
            [[7, 0, 1, 2], [1, 4, 3, 1], [2, 0, 1, 4], [1, 1, 1, 4], [1, 1, 0, 1], [4, 1, 2, 0]]
        );
        assert_eq!(
            operations::<MlKem768, 3, 320, 128, 1088, 8>(),
            [[7, 0, 3, 3], [1, 0, 9, 1], [3, 0, 3, 4], [1, 2, 0, 7], [1, 0, 0, 1], [7, 1, 2, 0]]
        );
        assert_eq!(
            operations::<MlKem1024, 4, 352, 160, 1568, 8>(),
            [[7, 0, 0, 10], [2, 0, 9, 4], [2, 0, 4, 7], [1, 2, 0, 10], [2, 0, 0, 1], [10, 0, 3, 0]]
        );
    }

    #[test]
    fn states_and_blocks_are_wiped() {
        let (mut states, mut blocks) = (States([[1; 3]; 25]), Blocks([[1; 192]; 3]));
        states.zeroize();
        blocks.zeroize();
        assert_eq!((states.0, blocks.0), ([[0; 3]; 25], [[0; 192]; 3]));
        let mut block = [1; 200];
        wipe(&mut block);
        assert_eq!(block, [0; 200]);
    }

    #[test]
    fn last_words_end_the_rates() {
        // In bytes: FIPS 202, sections 6.1 and 6.2 give the capacities, 1024, 512 and 256 bits.
        assert_eq!(LAST_WORDS.map(|word| 8 * (word + 1)), [72, 136, 168]);
    }

    #[test]
    fn columns_are_set_filled_and_read() {
        conformance::sponge_steps::<_, 8>(Plain::<8>);
        conformance::sponge_steps::<_, 1>(Plain::<1>);
    }

    /// With the widths of all backends. A width of 8 is packed here, as where four columns are cheaper; one of 5 has several
    /// teams of several columns in its fixed schedule, one of 16 a single team at most.
    #[test]
    fn entries_get_the_blocks_they_need() {
        conformance::unlucky_entries::<_, 1>(Plain::<1>);
        conformance::unlucky_entries::<_, 2>(Plain::<2>);
        conformance::unlucky_entries::<_, 3>(Plain::<3>);
        conformance::unlucky_entries::<_, 4>(Plain::<4>);
        conformance::unlucky_entries::<_, 5>(Plain::<5>);
        conformance::unlucky_entries::<_, 7>(Plain::<7>);
        conformance::unlucky_entries::<_, 8>(Plain::<8>);
        conformance::unlucky_entries::<_, 16>(Plain::<16>);
    }

    #[test]
    fn a_long_chain_rides_beside_the_matrix() {
        // ML-KEM-768 encapsulation: 27 blocks of matrix and a key of nine blocks on four lanes.
        let mut h = [0; 32];
        let (ek, rho) = ([7; 1184], [1; 32]);
        let mut matrix = [const { NttPoly::<Plain<4>>::ZERO }; 9];
        let chain = Job::new(Function::Sha3_256, &ek, &[], &mut h);
        let entries = Jobs::matrix(&rho, 0, slice::from_mut(&mut matrix), false);
        let count = counted(|| Plain::<4>.hash_all(&mut [chain.into(), entries]));
        assert_eq!(count, [0, 0, 9, 0]);
        assert_eq!(h, conformance::sha3_256(&ek));
    }
}
