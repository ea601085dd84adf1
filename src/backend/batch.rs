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

    /// Sets the columns that have a `Start` to it; the others keep their states.
    fn start(self, states: &mut States<W>, starts: &[Option<Start<'_>>; W]) {
        for (column, start) in starts.iter().enumerate() {
            let Some(start) = start else { continue };
            let words = start.seed.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
            let block = words.chain([start.end]).chain([0; 20]);
            for (row, word) in states.0.iter_mut().zip(block) {
                row[column] = word;
            }
            if let Some(row) = states.0.get_mut(start.last) {
                row[column] ^= LAST_BIT;
            }
        }
    }

    /// Adds whole words of message, at most 25, to a column.
    fn absorb(self, states: &mut States<W>, column: usize, words: &[u8]) {
        for (row, word) in states.0.iter_mut().zip(words.as_chunks().0) {
            row[column] ^= u64::from_le_bytes(*word);
        }
    }

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

/// What a new sponge begins with: the only block of a padded message of a seed and at most two more bytes, which nearly
/// all are.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Words 0 to 3.
    pub seed: &'a [u8; 32],
    /// Word 4.
    pub end: u64,
    /// The word that [`LAST_BIT`] is added to, one of [`LAST_WORDS`], or `usize::MAX` if none is. All other words are zero.
    pub last: usize,
}

impl Start<'_> {
    /// Nothing: a sponge whose message is absorbed as it comes.
    const EMPTY: Self = Self { seed: &[0; 32], end: 0, last: usize::MAX };
}

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
pub struct Absorbed([u8; 200]);

impl Absorbed {
    /// A sponge that has absorbed nothing.
    pub const NOTHING: Self = Self([0; 200]);
}

/// One sponge: a function, its message `head || tail || suffix`, where the output goes, and how far it has come.
///
/// A job is moved once, from the iterator to its lane: everything a lane needs to know is in it.
#[derive(Debug)]
pub struct Job<'a, B> {
    output: Output<'a, B>,
    head: &'a [u8],
    tail: &'a [u8],
    /// What went before the message.
    before: Option<&'a Absorbed>,
    function: Function,
    /// The last bytes of the message, right-aligned: those from `index_at` on are still to come.
    index: [u8; 2],
    index_at: u8,
    /// Nothing has been absorbed yet.
    fresh: bool,
    /// The whole message is in the state: from now on the sponge is squeezed.
    absorbed: bool,
    /// Permutations still to come; for a sampled polynomial, those it takes nearly always.
    work: usize,
    /// Coefficients sampled so far.
    filled: usize,
}

impl<'a, B> Job<'a, B> {
    /// `function(head || tail)`.
    #[inline]
    pub fn new(function: Function, head: &'a [u8], tail: &'a [u8], output: Output<'a, B>) -> Self {
        Self::with_index(function, head, tail, ([0; 2], 2), None, output)
    }

    #[inline]
    fn with_index(
        function: Function,
        head: &'a [u8],
        tail: &'a [u8],
        (index, index_at): ([u8; 2], u8),
        before: Option<&'a Absorbed>,
        output: Output<'a, B>,
    ) -> Self {
        let message = head.len() + tail.len() + index.len() - usize::from(index_at);
        let squeezed = match &output {
            Output::Bytes(bytes) => blocks(bytes.len().saturating_sub(1), function.rate()),
            Output::SampleNtt(_) => SAMPLE_BLOCKS,
            // The block that would hold the padding is not absorbed.
            Output::Absorb(_) => 0,
        };
        // Padding always takes a byte, and the last block absorbed is the first squeezed.
        let work = blocks(message, function.rate()) + squeezed - 1;
        Self {
            output,
            head,
            tail,
            before,
            function,
            index,
            index_at,
            fresh: true,
            absorbed: false,
            work,
            filled: 0,
        }
    }

    /// `function(head || i)`.
    #[inline]
    pub fn with_byte(function: Function, head: &'a [u8], i: u8, output: Output<'a, B>) -> Self {
        Self::with_index(function, head, &[], ([0, i], 1), None, output)
    }

    /// `function(head || i || j)`.
    #[inline]
    pub fn with_bytes(function: Function, head: &'a [u8], i: u8, j: u8, output: Output<'a, B>) -> Self {
        Self::with_index(function, head, &[], ([i, j], 0), None, output)
    }

    /// Absorbs the whole blocks of `message`; what does not fill one is left out.
    #[inline]
    pub fn absorb(function: Function, message: &'a [u8], state: &'a mut Absorbed) -> Self {
        Self::new(function, message, &[], Output::Absorb(state))
    }

    /// `function(before || rest)`.
    #[inline]
    pub fn resume(function: Function, before: &'a Absorbed, rest: &'a [u8], output: Output<'a, B>) -> Self {
        Self::with_index(function, rest, &[], ([0; 2], 2), Some(before), output)
    }

    /// Permutations this job takes; for a sampled polynomial, those it takes nearly always.
    pub fn work(&self) -> usize {
        self.work
    }

    /// What the column of a lane starts with that takes over this job. If the message is a seed and at most two bytes,
    /// that is all of it.
    #[inline(always)]
    fn start(&mut self) -> Start<'a> {
        let (Ok(seed), [], None) = (self.head.try_into(), self.tail, self.before) else {
            return Start::EMPTY;
        };
        let [i, j] = self.index.map(u64::from);
        let suffix = u64::from(self.function.suffix());
        let end = match self.index_at {
            0 => i | j << 8 | suffix << 16,
            1 => j | suffix << 8,
            _ => suffix,
        };
        self.absorbed = true;
        Start { seed, end, last: (self.function.rate() >> 3) - 1 }
    }

    /// Moves the next block of the padded message into `block`; true if it was the last one.
    fn next_block(&mut self, block: &mut [u8]) -> bool {
        let mut free = &mut *block;
        take(&mut self.head, &mut free);
        take(&mut self.tail, &mut free);
        while self.index_at < 2
            && let [first, ..] = free
        {
            *first = self.index[usize::from(self.index_at)];
            free = &mut free[1..];
            self.index_at += 1;
        }
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

impl<B: Backend> Job<'_, B> {
    /// Adds the next block to the column.
    fn take_in<const W: usize>(&mut self, backend: B, states: &mut States<W>, column: usize)
    where
        B: Permute<W>,
    {
        if self.fresh {
            self.fresh = false;
            match (&self.output, self.before) {
                (Output::Absorb(Absorbed(state)), _) | (_, Some(Absorbed(state))) => {
                    backend.absorb(states, column, state);
                }
                _ => {}
            }
        }
        let rate = self.function.rate();
        // Whole blocks of a long message need no copy.
        let piece = if self.head.is_empty() { &mut self.tail } else { &mut self.head };
        if let Some((words, rest)) = piece.split_at_checked(rate) {
            *piece = rest;
            backend.absorb(states, column, words);
        } else {
            let mut block = [0; 200];
            self.absorbed = self.next_block(&mut block[..rate]);
            backend.absorb(states, column, &block[..rate]);
            wipe(&mut block);
        }
    }

    /// Takes one block of output, if it is time for output; true if the job is done.
    fn give_out<const W: usize>(
        &mut self,
        backend: B,
        states: &States<W>,
        column: usize,
        block: &[u8; 192],
    ) -> bool {
        self.work = self.work.saturating_sub(1);
        match &mut self.output {
            Output::Bytes(bytes) if self.absorbed => {
                let mut squeezed = &block[..self.function.rate()];
                take(&mut squeezed, bytes);
                bytes.is_empty()
            }
            Output::SampleNtt(a_hat) if self.absorbed => {
                if let Some(block) = block.first_chunk() {
                    self.filled = backend.sample_ntt_block(block, a_hat, self.filled);
                }
                self.filled >= N
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

/// The message may be a secret.
fn wipe(block: &mut [u8; 200]) {
    *block = [0; 200];
    optimization_barrier(block);
}

/// Whether a lane beyond the narrow width should take a job: not if the lanes below get through it, and through all
/// that is left, while the longest of them is at work anyway.
fn worthwhile<B>(lanes: &[Option<Job<'_, B>>], narrow: usize, work: usize) -> bool {
    let (mut taken, mut chain, mut soonest) = (0, 0, usize::MAX);
    for job in lanes[..narrow].iter().flatten() {
        (taken, chain, soonest) = (taken + job.work, chain.max(job.work), soonest.min(job.work));
    }
    let beyond: usize = lanes[narrow..].iter().flatten().map(|job| job.work).sum();
    let room = (narrow * chain).saturating_sub(taken);
    soonest.saturating_add(SAMPLE_BLOCKS) > chain || work.saturating_sub(taken + beyond) > room
}

/// Runs every job over the `W`-wide Keccak of `backend`. `work` is the number of permutations all of them take:
/// where widths differ in cost, the choice among them depends on it, and nothing else does.
pub fn run<'a, B: Permute<W>, const W: usize>(
    backend: B,
    mut work: usize,
    jobs: &mut dyn Iterator<Item = Job<'a, B>>,
) {
    let mut states = States::<W>::ZERO;
    let mut blocks = Blocks::<W>::ZERO;
    let mut lanes: [Option<Job<'a, B>>; W] = [const { None }; W];
    // Lanes from `used` on are free.
    let (mut more, mut used) = (true, 0);
    loop {
        if more {
            let (mut starts, mut any) = ([const { None }; W], false);
            let mut column = 0;
            while more && column < W {
                if lanes[column].is_some() {
                    column += 1;
                    continue;
                }
                if column >= B::NARROW && !worthwhile(&lanes, B::NARROW, work) {
                    break;
                }
                lanes[column] = jobs.next();
                match &mut lanes[column] {
                    // There is nothing to absorb.
                    Some(job) if job.work == 0 => lanes[column] = None,
                    Some(job) => {
                        starts[column] = Some(job.start());
                        (used, any) = (used.max(column + 1), true);
                    }
                    None => more = false,
                }
            }
            if any {
                backend.start(&mut states, &starts);
            }
        }
        let (before, mut squeezing) = (used, false);
        used = 0;
        for (column, lane) in lanes.iter_mut().enumerate().take(before) {
            let Some(job) = lane else { continue };
            if !job.absorbed {
                job.take_in(backend, &mut states, column);
            }
            (used, squeezing) = (column + 1, squeezing | job.absorbed);
            work = work.saturating_sub(1);
        }
        if used == 0 {
            break;
        }
        backend.permute(&mut states, used);
        // A block is taken from every lane or from none: most of the time all of them are being squeezed.
        if squeezing {
            backend.squeeze(&states, used, &mut blocks);
        }
        for (column, (lane, block)) in lanes.iter_mut().zip(&blocks.0).enumerate().take(used) {
            if let Some(job) = lane
                && job.give_out(backend, &states, column, block)
            {
                *lane = None;
            }
        }
    }
    states.zeroize();
    blocks.zeroize();
}

/// Runs one job.
pub fn run_one<B: Permute<1>>(backend: B, mut job: Job<'_, B>) {
    if job.work == 0 {
        return;
    }
    let mut states = States::<1>::ZERO;
    let mut blocks = Blocks::<1>::ZERO;
    backend.start(&mut states, &[Some(job.start())]);
    loop {
        if !job.absorbed {
            job.take_in(backend, &mut states, 0);
        }
        backend.permute(&mut states, 1);
        if job.absorbed {
            backend.squeeze(&states, 1, &mut blocks);
        }
        if job.give_out(backend, &states, 0, &blocks.0[0]) {
            break;
        }
    }
    states.zeroize();
    blocks.zeroize();
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
    fn columns_are_set_filled_and_read() {
        conformance::sponge_steps::<_, 8>(Plain::<8>);
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
