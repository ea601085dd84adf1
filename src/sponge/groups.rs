//! Sponges that differ in an index and in where their output goes: outputs of the PRF, entries of the matrix.

use core::slice::from_mut;

use super::fips202::{Function, blocks};
use crate::backend::poly::NttPoly;

/// Blocks of XOF output that nearly always suffice for a polynomial: 336 candidates, of which 81 % are accepted, for 256
/// coefficients.
pub const SAMPLE_BLOCKS: usize = 3;

/// Outputs of the PRF with one seed and numbers that follow one another, as
/// [`Jobs::prf`](super::jobs::Jobs::prf) takes them.
pub struct Prf<'a> {
    pub(super) s: &'a [u8; 32],
    n: u8,
    length: usize,
    stride: usize,
    /// Outputs still to come.
    pub(super) count: usize,
    outputs: &'a mut [u8],
}

impl<'a> Prf<'a> {
    /// As [`Jobs::prf`](super::jobs::Jobs::prf).
    #[inline(always)]
    pub(super) fn new<const L: usize>(
        s: &'a [u8; 32],
        n: u8,
        length: usize,
        outputs: &'a mut [[u8; L]],
    ) -> Self {
        const { assert!(L > 0) };
        let (count, outputs) = (outputs.len(), outputs.as_flattened_mut());
        Self { s, n, length: length.min(L), stride: L, count, outputs }
    }

    /// As [`Jobs::of_noise`](super::jobs::Jobs::of_noise).
    #[inline(always)]
    pub(super) fn of_noise(
        r: &'a [u8; 32],
        length: usize,
        y: &'a mut [[u8; 192]],
        e1: &'a mut [[u8; 128]],
        e2: &'a mut [u8; 128],
    ) -> [Self; 3] {
        let (n1, n2) = (y.len() as u8, (y.len() + e1.len()) as u8);
        [Self::new(r, 0, length, y), Self::new(r, n1, 128, e1), Self::new(r, n2, 128, from_mut(e2))]
    }

    /// Permutations that each of the outputs takes.
    pub(super) fn work(&self) -> usize {
        blocks(self.length.saturating_sub(1), Function::Shake256.rate())
    }

    /// Splits off the next `count` outputs, and writes their sponges' words 4 to `word4`.
    #[inline(always)]
    pub(super) fn take(&mut self, count: usize, word4: &mut [u64]) -> Outputs<'a> {
        for word in word4.iter_mut().take(count) {
            *word = u64::from(self.n) | Function::Shake256.suffix_at(1);
            self.n = self.n.wrapping_add(1);
        }
        self.count -= count;
        let outputs = self.outputs.split_off_mut(..count * self.stride).unwrap_or_default();
        Outputs { outputs, stride: self.stride, length: self.length, given: 0 }
    }
}

/// Entries of the matrix, row by row, as [`Jobs::matrix`](super::jobs::Jobs::matrix) takes them.
pub struct Matrix<'a, B> {
    pub(super) rho: &'a [u8; 32],
    row: u8,
    column: u8,
    columns: u8,
    transposed: bool,
    /// Entries still to come.
    pub(super) entries: &'a mut [NttPoly<B>],
}

impl<'a, B> Matrix<'a, B> {
    /// As [`Jobs::matrix`](super::jobs::Jobs::matrix).
    pub(crate) fn new<const K: usize>(
        rho: &'a [u8; 32],
        i: u8,
        rows: &'a mut [[NttPoly<B>; K]],
        transposed: bool,
    ) -> Self {
        Self { transposed, ..Self::from_entry(rho, [i, 0], K as u8, rows.as_flattened_mut()) }
    }

    /// As [`Jobs::entries`](super::jobs::Jobs::entries).
    pub(crate) fn from_entry(
        rho: &'a [u8; 32],
        [row, column]: [u8; 2],
        columns: u8,
        entries: &'a mut [NttPoly<B>],
    ) -> Self {
        Self { rho, row, column, columns, transposed: false, entries }
    }

    /// The same matrix for another backend, whose elements take the place of these.
    #[cfg(test)]
    pub(crate) fn for_another<'c, C>(
        self,
        entries: &'c mut std::vec::Vec<NttPoly<C>>,
    ) -> (Matrix<'c, C>, &'a mut [NttPoly<B>])
    where
        'a: 'c,
    {
        let Self { rho, row, column, columns, transposed, entries: own } = self;
        entries.resize(own.len(), NttPoly::ZERO);
        (Matrix { rho, row, column, columns, transposed, entries }, own)
    }

    /// Splits off the next `count` entries, and writes their sponges' words 4 to `word4`.
    #[inline(always)]
    pub(crate) fn take(&mut self, count: usize, word4: &mut [u64]) -> &'a mut [NttPoly<B>] {
        for word in word4.iter_mut().take(count) {
            let (i, j) = (u64::from(self.row), u64::from(self.column));
            let index = if self.transposed { i | j << 8 } else { j | i << 8 };
            *word = index | Function::Shake128.suffix_at(2);
            self.column += 1;
            if self.column == self.columns {
                (self.row, self.column) = (self.row.wrapping_add(1), 0);
            }
        }
        self.entries.split_off_mut(..self.entries.len().min(count)).unwrap_or_default()
    }
}

/// Outputs of the PRF that are being filled.
pub(crate) struct Outputs<'a> {
    outputs: &'a mut [u8],
    stride: usize,
    length: usize,
    /// Bytes of each that are there.
    given: usize,
}

impl Outputs<'_> {
    pub(super) fn none() -> Self {
        Self { outputs: &mut [], stride: 0, length: 0, given: 0 }
    }

    /// Moves what fits of a block to each of them; true if they are full.
    #[inline(always)]
    pub(super) fn fill(&mut self, blocks: &[[u8; 192]]) -> bool {
        // What polynomials with eta = 2 take, nearly always: not worth calls of a copy of unknown length.
        const USUAL: usize = 128;
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
