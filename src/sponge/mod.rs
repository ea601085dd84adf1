//! Hashing for any machine: what FIPS 202 is, and how many sponges run side by side.
//!
//! | file | what it is |
//! |---|---|
//! | `fips202.rs` | the four functions: rate, suffix, padding |
//! | `keccak.rs` | the permutation's constants |
//! | this one | states side by side, and what a machine does with them: [`Keccak`] |
//! | `jobs.rs` | what can be asked for: one sponge, or one of the groups |
//! | `groups.rs` | outputs of the PRF, entries of the matrix |
//! | `alone.rs` | one sponge over one state |
//! | `pack.rs` | all that is asked for, packed into the slots of wide states |
//! | `queue.rs` | what waits for a slot, and what has one |
//! | `noise.rs` | the PRF alone, for which the order is known beforehand |
//!
//! Shown by the feature `internals`; no semver promise covers it.

pub mod alone;
pub mod fips202;
pub mod groups;
pub mod jobs;
pub mod keccak;
pub mod noise;
pub mod pack;
mod queue;
#[cfg(test)]
pub(crate) mod tests;

use zeroize::{Zeroize, optimization_barrier};

use fips202::{FirstBlock, Function, H_BLOCK, LAST_BIT, pad};

/// `W` Keccak states side by side, each in a slot: row x + 5y holds lane A\[x, y\] (FIPS 202) of each of them.
#[repr(align(64))]
pub struct States<const W: usize>(pub [[u64; W]; 25]);

impl<const W: usize> States<W> {
    /// Every state all zero.
    pub const ZERO: Self = Self([[0; W]; 25]);

    /// The state in the first slot.
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

/// One block for each of `W` sponges; 24 words, of which the first 21 count.
#[repr(align(64))]
pub struct Blocks<const W: usize>(pub [[u8; 192]; W]);

impl<const W: usize> Blocks<W> {
    /// Every block all zero.
    pub const ZERO: Self = Self([[0; 192]; W]);
}

/// A machine that permutes up to `W` states at once.
///
/// After `start` and `absorb` a permutation of at least the slots `0..used` follows: rows are best written as widely as it will
/// read them.
pub trait Keccak<const W: usize>: Copy {
    /// Whether the stack below is overwritten when something secret has been hashed. `false` only where no permutation and
    /// nothing that goes with it leaves a part of a state there.
    const SPILLS: bool = true;

    /// Whether a permutation works where the states are, so that half of what is overwritten elsewhere suffices.
    const IN_PLACE: bool = false;

    /// The most slots for which a permutation costs less than for `W`; `W` if there are none.
    fn cheap_width(self) -> usize {
        W
    }

    /// Sets each slot i with bit i in `slots`, all of them below `used`, to `first` with word 4 from `word4[i]`. The other slots
    /// below `used` keep their states; those from `used` on keep them or become zero.
    fn start(
        self,
        states: &mut States<W>,
        _used: usize,
        first: FirstBlock<'_>,
        slots: u32,
        word4: &[u64; W],
    ) {
        for (slot, word) in word4.iter().enumerate() {
            if slots >> slot & 1 == 0 {
                continue;
            }
            // In three loops: one over a chain of iterators takes several times as many instructions.
            let (seed, rest) = states.0.split_at_mut(4);
            for (row, word) in seed.iter_mut().zip(first.seed.as_chunks().0) {
                row[slot] = u64::from_le_bytes(*word);
            }
            for row in &mut *rest {
                row[slot] = 0;
            }
            rest[0][slot] = *word;
            if let Some(row) = states.0.get_mut(first.last) {
                row[slot] ^= LAST_BIT;
            }
        }
    }

    /// Adds whole words of message, at most 25, to a slot below `used`.
    fn absorb(self, states: &mut States<W>, _used: usize, slot: usize, words: &[u8]) {
        for (row, word) in states.0.iter_mut().zip(words.as_chunks().0) {
            row[slot] ^= u64::from_le_bytes(*word);
        }
    }

    /// Keccak-f\[1600\] (FIPS 202, section 3.3) on the slots `0..used` of `states`, where `1 <= used <= W`. The other slots
    /// may be permuted or left: what they hold means nothing.
    fn permute(self, states: &mut States<W>, used: usize);

    /// The first 168 bytes of each of the slots `0..used`, in the bytes of FIPS 202 (section 3.1.2): the longest block
    /// there is. What stands behind them or in the other blocks means nothing.
    fn squeeze(self, states: &States<W>, used: usize, blocks: &mut Blocks<W>) {
        for (slot, block) in blocks.0.iter_mut().enumerate().take(used) {
            for (row, word) in states.0.iter().zip(block.as_chunks_mut().0) {
                *word = row[slot].to_le_bytes();
            }
        }
    }

    /// Goes on with the sponge in the first slot: absorbs whole blocks with the rate of H, with a permutation after each,
    /// and with `last` runs it to its end. Then what the slots hold means nothing, but for the first slot without `last`.
    fn chain(
        self,
        states: &mut States<W>,
        function: Function,
        blocks: &[[u8; H_BLOCK]],
        last: Option<Last<'_>>,
    ) {
        for block in blocks {
            self.absorb(states, 1, 0, block);
            self.permute(states, 1);
        }
        if let Some(last) = last {
            last.in_memory(self, states, function);
        }
    }
}

/// The last block of a sponge and its output.
pub struct Last<'a> {
    /// What is left of the message, `head || tail`: less than the rate.
    pub rest: [&'a [u8]; 2],
    /// Receives as many bytes of output as it has, at most the rate.
    pub out: &'a mut [u8],
}

impl Last<'_> {
    /// Puts the block together in memory with its padding, absorbs it in the first slot, permutes and writes the output.
    pub(crate) fn in_memory<B: Keccak<W>, const W: usize>(
        self,
        backend: B,
        states: &mut States<W>,
        function: Function,
    ) {
        let Self { rest: [mut head, mut tail], out } = self;
        let mut block = [0; 200];
        let block_of_rate = &mut block[..function.rate()];
        pad(block_of_rate, [&mut head, &mut tail], function);
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

/// Clears a block that may hold a secret message.
pub(crate) fn wipe(block: &mut [u8; 200]) {
    *block = [0; 200];
    optimization_barrier(block);
}

/// Overwrites the stack where functions that have returned had their frames, with what compilers put there besides the
/// variables: copies, and registers for which there was no room.
#[inline(never)]
pub(crate) fn wipe_frames<const BYTES: usize>() {
    let frames = [0_u8; BYTES];
    optimization_barrier(&frames);
}

/// Bytes that reach below the frames of a permutation and what goes with it, or of the arithmetic's kernels.
pub(crate) const FRAMES: usize = 2048;

/// The same for more: frames of kernels in builds for size, which keep registers in memory by the dozen. For what is rare beside
/// what it wipes, or runs for several operations at once.
pub(crate) const DEEP_FRAMES: usize = 8192;
