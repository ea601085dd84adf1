//! What can be asked for: one sponge, or several that differ in an index and in where their output goes.

use super::fips202::{Function, H_BLOCK, blocks, pad, take};
use super::groups::{Matrix, Prf, SAMPLE_BLOCKS};
use super::{Keccak, Last, States, wipe};
use crate::backend::poly::NttPoly;

/// Sponges that do not depend on one another: one, or several that differ in an index and in where their output
/// goes.
pub enum Jobs<'a, B> {
    /// One sponge.
    One(Job<'a>),
    /// Outputs of the PRF.
    Prf(Prf<'a>),
    /// Entries of the matrix.
    Matrix(Matrix<'a, B>),
}

impl<'a, B> Jobs<'a, B> {
    /// PRF_eta(s, n), PRF_eta(s, n + 1), ... (FIPS 203, equation 4.3): SHAKE256(s || n), of which the first `length`
    /// bytes of each of the `outputs` receive as many.
    pub fn prf<const L: usize>(s: &'a [u8; 32], n: u8, length: usize, outputs: &'a mut [[u8; L]]) -> Self {
        Jobs::Prf(Prf::new(s, n, length, outputs))
    }

    /// Rows of the matrix from row `i` on (FIPS 203, Algorithm 13, lines 3 to 7): as many blocks of XOF(rho || j || i)
    /// as fill it (Algorithm 7) at row i, column j, or `transposed`, at row j, column i.
    pub fn matrix<const K: usize>(
        rho: &'a [u8; 32],
        i: u8,
        rows: &'a mut [[NttPoly<B>; K]],
        transposed: bool,
    ) -> Self {
        Jobs::Matrix(Matrix::new(rho, i, rows, transposed))
    }

    /// Entries of a matrix with `columns` columns, row by row from row i, column j on, as [`matrix`](Self::matrix) samples
    /// them.
    pub fn entries(rho: &'a [u8; 32], i_j: [u8; 2], columns: u8, entries: &'a mut [NttPoly<B>]) -> Self {
        Jobs::Matrix(Matrix::from_entry(rho, i_j, columns, entries))
    }

    /// H(ek) beside the transposed matrix of an encapsulation key, which its last 32 bytes seed.
    pub fn of_key<const K: usize>(
        ek: &'a [u8],
        h_ek: &'a mut [u8; 32],
        a_hat_transposed: &'a mut [[NttPoly<B>; K]; K],
    ) -> [Self; 2] {
        let rho = ek.last_chunk().unwrap_or(&[0; 32]);
        let h = Job::new(Function::Sha3_256, ek, &[], h_ek);
        [h.into(), Jobs::matrix(rho, 0, a_hat_transposed, true)]
    }

    /// What one encryption takes of the PRF: PRF(r, 0), PRF(r, 1), ..., the first `length` bytes of each of `y`, then all of
    /// `e1` and `e2`.
    pub fn of_noise(
        r: &'a [u8; 32],
        length: usize,
        y: &'a mut [[u8; 192]],
        e1: &'a mut [[u8; 128]],
        e2: &'a mut [u8; 128],
    ) -> [Self; 3] {
        Prf::of_noise(r, length, y, e1, e2).map(Jobs::Prf)
    }

    /// Permutations that these jobs take in all; for sampled polynomials, the usual number.
    pub fn work(&self) -> usize {
        match self {
            Jobs::One(job) => job.work,
            Jobs::Prf(prf) => prf.count * prf.work(),
            Jobs::Matrix(matrix) => matrix.entries.len() * SAMPLE_BLOCKS,
        }
    }

    /// Whether any of it may be a secret.
    pub(super) fn is_secret(&self) -> bool {
        match self {
            Jobs::One(job) => job.is_secret(),
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
        Jobs::One(job)
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
    pub(super) function: Function,
    head: &'a [u8],
    tail: &'a [u8],
    /// What went before the message.
    before: Option<&'a Absorbed>,
    output: Output<'a>,
    /// Nothing has been absorbed yet.
    fresh: bool,
    /// The whole message is in the state: from now on the sponge is squeezed.
    pub(super) absorbed: bool,
    /// Some of it may be a secret.
    secret: bool,
    /// Permutations still to come.
    pub(super) work: usize,
}

impl<'a> Job<'a> {
    /// `function(head || tail)`, as many bytes as `out` has.
    #[inline]
    pub fn new(function: Function, head: &'a [u8], tail: &'a [u8], out: &'a mut [u8]) -> Self {
        Self::build(function, [head, tail], None, Output::Bytes(out))
    }

    /// No sponge: nothing to do.
    pub(crate) const fn none() -> Self {
        let output = Output::Bytes(&mut []);
        let function = Function::Sha3_256;
        let (fresh, absorbed, secret) = (true, false, false);
        Self { function, head: &[], tail: &[], before: None, output, fresh, absorbed, secret, work: 0 }
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
        // H is for encapsulation keys only.
        let secret = function != Function::Sha3_256;
        Self { function, head, tail, before, output, fresh: true, absorbed: false, secret, work }
    }

    /// The same job, whose message is a secret, whatever the function.
    #[cfg(any(feature = "hybrid", feature = "internals"))]
    #[must_use]
    pub fn of_secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// Whether any of it may be a secret.
    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }

    /// Takes whole blocks off the message, at the rate of H only and never the last that there is to absorb.
    pub(super) fn take_whole_blocks(&mut self) -> &'a [[u8; H_BLOCK]] {
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
    pub(super) fn last_block(&mut self) -> Option<Last<'_>> {
        let rate = self.function.rate();
        match &mut self.output {
            Output::Bytes(out)
                if !self.absorbed && out.len() <= rate && self.head.len() + self.tail.len() < rate =>
            {
                let rest = [self.head, self.tail];
                (!self.fresh || self.before.is_none()).then_some(Last { rest, out })
            }
            _ => None,
        }
    }

    /// Adds the next block to the slot.
    pub(super) fn absorb_next<B: Keccak<W>, const W: usize>(
        &mut self,
        backend: B,
        states: &mut States<W>,
        used: usize,
        slot: usize,
    ) {
        if self.fresh {
            self.fresh = false;
            match (&self.output, self.before) {
                (Output::Absorb(Absorbed(state)), _) | (_, Some(Absorbed(state))) => {
                    backend.absorb(states, used, slot, state);
                }
                _ => {}
            }
        }
        let rate = self.function.rate();
        // Whole blocks of a long message need no copy.
        let piece = if self.head.is_empty() { &mut self.tail } else { &mut self.head };
        if let Some((words, rest)) = piece.split_at_checked(rate) {
            *piece = rest;
            backend.absorb(states, used, slot, words);
        } else {
            let mut block = [0; 200];
            self.absorbed = pad(&mut block[..rate], [&mut self.head, &mut self.tail], self.function);
            backend.absorb(states, used, slot, &block[..rate]);
            wipe(&mut block);
        }
    }

    /// Takes one block of output, if it is time for output; true if the job is done.
    pub(super) fn squeeze_next<const W: usize>(
        &mut self,
        states: &States<W>,
        slot: usize,
        block: &[u8; 192],
    ) -> bool {
        self.work = self.work.saturating_sub(1);
        match &mut self.output {
            Output::Bytes(bytes) if self.absorbed => {
                take(&mut &block[..self.function.rate()], bytes);
                bytes.is_empty()
            }
            Output::Absorb(state) if self.work == 0 => {
                for (row, word) in states.0.iter().zip(state.0.as_chunks_mut().0) {
                    *word = row[slot].to_le_bytes();
                }
                true
            }
            _ => false,
        }
    }
}
