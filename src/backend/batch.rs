//! The lane-packing engine: runs many independent sponges over a Keccak of any width.
//!
//! ML-KEM asks for long chains (H, J) beside many short sponges (the matrix, the PRF). A lane that
//! has finished its sponge takes the next one from the list, so a chain in one lane costs nothing as long
//! as the others have work: with four lanes ML-KEM-768 encapsulation hashes its key and
//! samples its matrix in nine permutations.

use zeroize::{Zeroize, optimization_barrier};

use super::poly::{N, NttPoly};
use super::{Backend, XOF_BLOCK};

/// Blocks of XOF output that nearly always suffice for a polynomial: 336 candidates of 256 that are needed, with
/// 81 % accepted.
pub const SAMPLE_BLOCKS: usize = 3;

/// `W` Keccak states side by side: row x + 5y holds lane A\[x, y\] (FIPS 202) of each of them.
#[repr(align(64))]
#[derive(Debug)]
pub struct States<const W: usize>(pub [[u64; W]; 25]);

impl<const W: usize> States<W> {
    /// Every state all zero.
    pub const ZERO: Self = Self([[0; W]; 25]);
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
    /// How many states a narrower and cheaper permutation serves; `W` if there is none worth having.
    const NARROW: usize = W;

    /// Keccak-f\[1600\] (FIPS 202, section 3.3) on the columns `0..used` of `states`, where `1 <= used
    /// <= W`. The other columns may be permuted or left: what they hold means nothing.
    fn permute(self, states: &mut States<W>, used: usize);

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

/// One block for each of `W` sponges; 24 words, of which a squeeze fills the first 21.
#[repr(align(64))]
#[derive(Debug)]
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
}

/// What becomes of a sponge's output.
#[derive(Debug)]
pub enum Output<'a, B> {
    /// All of it, as bytes.
    Bytes(&'a mut [u8]),
    /// As many blocks as fill the polynomial (FIPS 203, Algorithm 7).
    SampleNtt(&'a mut NttPoly<B>),
    /// None: the sponge goes on from here, absorbs the whole blocks of the message and stops.
    Absorb(&'a mut Absorbed),
}

/// A sponge that has absorbed whole blocks of a public message and waits for the rest.
#[derive(Debug)]
pub struct Absorbed([u64; 25]);

impl Absorbed {
    /// A sponge that has absorbed nothing.
    pub const NOTHING: Self = Self([0; 25]);
}

/// One sponge: a function, its message `head || tail || suffix`, and where the output goes.
#[derive(Debug)]
pub struct Job<'a, B> {
    function: Function,
    head: &'a [u8],
    tail: &'a [u8],
    /// The last bytes of the message, right-aligned: those from `index_at` on are still to come.
    index: [u8; 2],
    index_at: usize,
    /// What went before the message.
    before: Option<&'a Absorbed>,
    output: Output<'a, B>,
}

impl<'a, B> Job<'a, B> {
    /// `function(head || tail)`.
    pub fn new(function: Function, head: &'a [u8], tail: &'a [u8], output: Output<'a, B>) -> Self {
        Self { function, head, tail, index: [0; 2], index_at: 2, before: None, output }
    }

    /// `function(head || i)`.
    pub fn with_byte(function: Function, head: &'a [u8], i: u8, output: Output<'a, B>) -> Self {
        Self { index: [0, i], index_at: 1, ..Self::new(function, head, &[], output) }
    }

    /// `function(head || i || j)`.
    pub fn with_bytes(function: Function, head: &'a [u8], i: u8, j: u8, output: Output<'a, B>) -> Self {
        Self { index: [i, j], index_at: 0, ..Self::new(function, head, &[], output) }
    }

    /// Absorbs the whole blocks of `message`; what does not fill one is left out.
    pub fn absorb(function: Function, message: &'a [u8], state: &'a mut Absorbed) -> Self {
        Self::new(function, message, &[], Output::Absorb(state))
    }

    /// `function(before || rest)`.
    pub fn resume(function: Function, before: &'a Absorbed, rest: &'a [u8], output: Output<'a, B>) -> Self {
        Self { before: Some(before), ..Self::new(function, rest, &[], output) }
    }

    /// Permutations this job takes; for a sampled polynomial, those it takes nearly always.
    pub fn work(&self) -> usize {
        let message = self.head.len() + self.tail.len() + self.index.len() - self.index_at;
        let squeezed = match &self.output {
            Output::Bytes(bytes) => blocks(bytes.len().saturating_sub(1), self.function.rate()),
            Output::SampleNtt(_) => SAMPLE_BLOCKS,
            // The block that would hold the padding is not absorbed.
            Output::Absorb(_) => 0,
        };
        // Padding always takes a byte, and the last block absorbed is the first squeezed.
        blocks(message, self.function.rate()) + squeezed - 1
    }

    /// Sets a column to the only block of the padded message `seed || suffix`.
    #[inline(always)]
    fn set_short<const W: usize>(&mut self, seed: &[u8; 32], states: &mut States<W>, column: usize) {
        for (row, word) in states.0.iter_mut().zip(seed.as_chunks().0) {
            row[column] = u64::from_le_bytes(*word);
        }
        for row in &mut states.0[4..] {
            row[column] = 0;
        }
        let [i, j] = self.index.map(u64::from);
        let suffix = u64::from(self.function.suffix());
        states.0[4][column] = match self.index_at {
            0 => i | j << 8 | suffix << 16,
            1 => j | suffix << 8,
            _ => suffix,
        };
        states.0[(self.function.rate() >> 3) - 1][column] ^= 1 << 63;
        (self.head, self.index_at) = (&[], self.index.len());
    }

    /// Moves the next block of the padded message into `block`; true if it was the last one.
    fn next_block(&mut self, block: &mut [u8]) -> bool {
        let mut free = &mut *block;
        take(&mut self.head, &mut free);
        take(&mut self.tail, &mut free);
        let mut index = &self.index[self.index_at..];
        take(&mut index, &mut free);
        self.index_at = self.index.len() - index.len();
        match free {
            // The message ended exactly here or goes on: its padding is in a later block.
            [] => false,
            [first, rest @ ..] => {
                *first = self.function.suffix();
                rest.fill(0);
                if let Some(last) = block.last_mut() {
                    *last |= 0x80;
                }
                true
            }
        }
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

/// A lane at work.
struct Lane<'a, B> {
    job: Job<'a, B>,
    /// The whole message is in the state: from now on the sponge is squeezed.
    absorbed: bool,
    /// Coefficients sampled so far.
    filled: usize,
    /// Permutations still to come, as `Job::work` has them.
    work: usize,
}

impl<'a, B: Backend> Lane<'a, B> {
    /// Takes over a column with the first block of a job; none if the job has nothing to permute.
    #[inline(always)]
    fn start<const W: usize>(mut job: Job<'a, B>, states: &mut States<W>, column: usize) -> Option<Self> {
        let work = job.work();
        if work == 0 {
            return None;
        }
        let mut absorbed = true;
        if let (Ok(seed), []) = (<&[u8; 32]>::try_from(job.head), job.tail) {
            // Nearly every sponge there is: a seed and two bytes at most.
            job.set_short(seed, states, column);
        } else {
            let mut block = [0; 200];
            absorbed = job.next_block(&mut block[..job.function.rate()]);
            for (row, word) in states.0.iter_mut().zip(block.as_chunks().0) {
                row[column] = u64::from_le_bytes(*word);
            }
            wipe(&mut block);
        }
        let before = match &job.output {
            Output::Absorb(state) => Some(&**state),
            _ => job.before,
        };
        if let Some(before) = before {
            for (row, word) in states.0.iter_mut().zip(before.0) {
                row[column] ^= word;
            }
        }
        Some(Self { job, absorbed, filled: 0, work })
    }

    fn absorb<const W: usize>(&mut self, states: &mut States<W>, column: usize) {
        let rate = self.job.function.rate();
        let job = &mut self.job;
        // Whole blocks of a long message need no copy.
        let piece = if job.head.is_empty() { &mut job.tail } else { &mut job.head };
        if let Some((words, rest)) = piece.split_at_checked(rate) {
            *piece = rest;
            add(states, column, words);
        } else {
            let mut block = [0; 200];
            self.absorbed = self.job.next_block(&mut block[..rate]);
            add(states, column, &block[..rate]);
            wipe(&mut block);
        }
    }

    /// Takes one block of output; true if the job is done.
    fn squeeze(&mut self, backend: B, block: &[u8; 192]) -> bool {
        match &mut self.job.output {
            Output::Bytes(bytes) => {
                let mut squeezed = &block[..self.job.function.rate()];
                take(&mut squeezed, bytes);
                bytes.is_empty()
            }
            Output::SampleNtt(a_hat) => {
                if let Some(block) = block.first_chunk() {
                    self.filled = backend.sample_ntt_block(block, a_hat, self.filled);
                }
                self.filled >= N
            }
            Output::Absorb(_) => true,
        }
    }

    /// If the job only absorbs and no whole block of its message is left: stores the state; true then.
    fn stop<const W: usize>(&mut self, states: &States<W>, column: usize) -> bool {
        match &mut self.job.output {
            Output::Absorb(state) if self.job.head.len() < self.job.function.rate() => {
                state.0 = states.0.map(|row| row[column]);
                true
            }
            _ => false,
        }
    }
}

/// Adds a block of message to a column.
fn add<const W: usize>(states: &mut States<W>, column: usize, block: &[u8]) {
    for (row, word) in states.0.iter_mut().zip(block.as_chunks().0) {
        row[column] ^= u64::from_le_bytes(*word);
    }
}

/// The message may be a secret.
fn wipe(block: &mut [u8; 200]) {
    *block = [0; 200];
    optimization_barrier(block);
}

/// Whether a lane beyond the narrow width should take `job`: not if the lanes below get through it, and through all
/// that is left, while the longest of them is at work anyway.
fn worthwhile<B>(lanes: &[Option<Lane<'_, B>>], narrow: usize, work: usize, job: &Job<'_, B>) -> bool {
    let taken = |lanes: &[Option<Lane<'_, B>>]| lanes.iter().flatten().map(|lane| lane.work).sum::<usize>();
    let lengths = || lanes[..narrow].iter().flatten().map(|lane| lane.work);
    let (chain, soonest) = (lengths().max().unwrap_or(0), lengths().min().unwrap_or(0));
    let room = (narrow * chain).saturating_sub(taken(&lanes[..narrow]));
    soonest + job.work() > chain || work.saturating_sub(taken(lanes)) > room
}

/// Runs every job over the `W`-wide Keccak of `backend`. `work` is the number of permutations all of them take:
/// where widths differ in cost, the choice among them depends on it, and nothing else does.
pub fn run<'a, B: Permute<W>, const W: usize>(
    backend: B,
    mut work: usize,
    jobs: &mut dyn Iterator<Item = Job<'a, B>>,
) {
    let mut states = States::<W>::ZERO;
    let mut blocks = Blocks([[0; 192]; W]);
    let mut lanes: [Option<Lane<'a, B>>; W] = [const { None }; W];
    let mut next = jobs.next();
    loop {
        for (column, lane) in lanes.iter_mut().enumerate() {
            if let Some(lane) = lane
                && !lane.absorbed
            {
                lane.absorb(&mut states, column);
            }
        }
        for column in 0..W {
            while lanes[column].is_none()
                && let Some(job) =
                    next.take_if(|job| column < B::NARROW || worthwhile(&lanes, B::NARROW, work, job))
            {
                lanes[column] = Lane::start(job, &mut states, column);
                next = jobs.next();
            }
        }
        let Some(last) = lanes.iter().rposition(Option::is_some) else { break };
        backend.permute(&mut states, last + 1);
        // A block is taken from every lane or from none: most of the time all of them are being squeezed.
        if lanes.iter().flatten().any(|lane| lane.absorbed) {
            backend.squeeze(&states, last + 1, &mut blocks);
        }
        for (column, (slot, block)) in lanes.iter_mut().zip(&blocks.0).enumerate() {
            if let Some(lane) = slot {
                work = work.saturating_sub(1);
                lane.work = lane.work.saturating_sub(1);
                if lane.stop(&states, column) || lane.absorbed && lane.squeeze(backend, block) {
                    *slot = None;
                }
            }
        }
    }
    states.zeroize();
    blocks.zeroize();
}

impl<const W: usize> Zeroize for Blocks<W> {
    fn zeroize(&mut self) {
        self.0 = [[0; 192]; W];
        optimization_barrier(self);
    }
}

impl<const W: usize> Zeroize for States<W> {
    fn zeroize(&mut self) {
        self.0 = [[0; W]; 25];
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

        fn hash(self, job: Job<'_, Self>) {
            run::<_, W>(self, 1, &mut core::iter::once(job));
        }

        fn hash_all<'a>(self, work: usize, jobs: &mut dyn Iterator<Item = Job<'a, Self>>) {
            run::<_, W>(self, work, jobs);
        }
    }

    impl<const W: usize> Permute<W> for Plain<W> {
        const NARROW: usize = if W > 4 { 4 } else { W };

        fn permute(self, states: &mut States<W>, used: usize) {
            assert!(1 <= used && used <= W);
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
            [[7, 0, 1, 2], [1, 3, 5, 0], [1, 1, 2, 3], [1, 0, 3, 3], [1, 0, 2, 0], [4, 1, 2, 0]]
        );
        assert_eq!(
            operations::<MlKem768, 3, 320, 128, 1088, 8>(),
            [[7, 0, 3, 3], [1, 0, 9, 1], [1, 1, 5, 3], [1, 0, 3, 6], [1, 0, 0, 1], [7, 1, 2, 0]]
        );
        assert_eq!(
            operations::<MlKem1024, 4, 352, 160, 1568, 8>(),
            [[7, 0, 0, 10], [2, 0, 9, 4], [1, 0, 6, 6], [1, 0, 3, 9], [2, 0, 0, 1], [10, 0, 3, 0]]
        );
    }

    #[test]
    fn a_long_chain_rides_beside_the_matrix() {
        // ML-KEM-768 encapsulation: 27 blocks of matrix and a key of nine blocks on four lanes.
        let mut h = [0; 32];
        let (ek, rho) = ([7; 1184], [1; 32]);
        let mut matrix = [const { NttPoly::<Plain<4>>::ZERO }; 9];
        let chain = Job::new(Function::Sha3_256, &ek, &[], Output::Bytes(&mut h));
        let entries = matrix
            .iter_mut()
            .zip(0..)
            .map(|(entry, i)| Job::with_bytes(Function::Shake128, &rho, i, 0, Output::SampleNtt(entry)));
        let count = counted(|| Plain::<4>.hash_all(36, &mut core::iter::once(chain).chain(entries)));
        assert_eq!(count, [0, 0, 9, 0]);
        assert_eq!(h, conformance::sha3_256(&ek));
    }
}
