//! `hash_key`: the matrix is sampled beside the end of H.
//!
//! H is a chain of permutations of one state, which leaves half of a processor idle. So H takes slot 0, and the matrix slots 1
//! to 7, wave by wave; the blocks of the matrix are only kept, and sampled when nothing is left but the end of H. Which wave
//! begins when follows from the numbers alone: H has whole blocks enough for the waves of every k.

use zeroize::optimization_barrier;

use super::{Avx512, keccak, sample};
use crate::backend::Backend;
use crate::backend::poly::{N, NttPoly};
use crate::sponge::fips202::{FirstBlock, Function, H_BLOCK, pad};
use crate::sponge::groups::{Matrix, SAMPLE_BLOCKS};
use crate::sponge::{Blocks, Keccak, States};

/// Slots.
const W: usize = 8;
/// Entries of the largest matrix, with k = 4.
const ENTRIES: usize = 16;

/// [`Backend::hash_key`] for k from 2 to 4, with the permutations of `keccak_of`.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(super) fn hash_key<S: Keccak<W>, const K: usize>(
    keccak_of: S,
    backend: Avx512,
    ek: &[u8],
    h_ek: &mut [u8; 32],
    a_hat_transposed: &mut [[NttPoly<Avx512>; K]; K],
) {
    const { assert!(2 <= K && K <= 4) };
    fetch(ek);
    let (blocks, mut rest) = ek.as_chunks();
    let mut last = [0; H_BLOCK];
    pad(&mut last, [&mut rest, &mut &[][..]], Function::Sha3_256);
    let rho = ek.last_chunk().unwrap_or(&[0; 32]);
    let mut matrix = Matrix::new(rho, 0, a_hat_transposed, true);
    let (mut filled, mut word4) = ([0; ENTRIES], [0; ENTRIES]);
    let first_block = FirstBlock::new(Function::Shake128, rho);
    let entries = matrix.take(K * K, &mut word4);
    let filled = &mut filled[..K * K];
    let mut states = States::<W>::ZERO;
    let mut blocks = blocks.iter();
    // The last wave is the largest, because only its states remain if entries need more blocks.
    let (mut first, mut slots) = (0, const { first_wave(K * K) });
    loop {
        let mut of_slots = [0; W];
        of_slots[1..][..slots].copy_from_slice(&word4[first..][..slots]);
        keccak_of.start(&mut states, slots + 1, first_block, ((1 << slots) - 1) << 1, &of_slots);
        for (b, block) in (0..SAMPLE_BLOCKS).zip(&mut blocks) {
            keccak_of.absorb(&mut states, slots + 1, 0, block);
            keccak_of.permute(&mut states, slots + 1);
            backend.keep_block(&states, b, &mut entries[first..][..slots]);
        }
        if first + slots == entries.len() {
            break;
        }
        (first, slots) = (first + slots, W - 1);
    }
    if !backend.finish_and_sample(&states, blocks.as_slice(), &last, h_ek, entries, filled) {
        let (earlier, of_wave) = entries.split_at_mut(first);
        let (filled_earlier, filled_of_wave) = filled.split_at_mut(first);
        sample_on(keccak_of, backend, &mut states, of_wave, filled_of_wave);
        for ((entry, filled), word) in earlier.iter_mut().zip(filled_earlier).zip(&word4) {
            if *filled < N {
                sample_again(keccak_of, backend, &mut states, first_block, *word, entry);
            }
        }
    }
}

/// Entries of the first wave, if all others fill the slots beside H.
const fn first_wave(mut entries: usize) -> usize {
    while entries > W - 1 {
        entries -= W - 1;
    }
    entries
}

// H has as many whole blocks as the waves of each k take.
const _: () = assert!((384 * 2 + 32) >= H_BLOCK * SAMPLE_BLOCKS && first_wave(4) == 4);
const _: () = assert!((384 * 3 + 32) >= H_BLOCK * SAMPLE_BLOCKS * 2 && first_wave(9) + (W - 1) == 9);
const _: () = assert!((384 * 4 + 32) >= H_BLOCK * SAMPLE_BLOCKS * 3 && first_wave(16) + 2 * (W - 1) == 16);

/// Reads one byte of each cache line of 64 bytes, and the last byte, so that all lines come from memory at once. H would take
/// them one after the other and wait for each: with a key in no near cache that was up to a quarter of an encapsulation (Zen 5).
fn fetch(bytes: &[u8]) {
    let sum = bytes.iter().step_by(64).chain(bytes.last()).fold(0, |sum, byte| sum ^ byte);
    optimization_barrier(&sum);
}

/// Goes on with the slots from 1 on until these entries are full.
#[cold]
fn sample_on<S: Keccak<W>>(
    keccak_of: S,
    backend: Avx512,
    states: &mut States<W>,
    entries: &mut [NttPoly<Avx512>],
    filled: &mut [usize],
) {
    let mut blocks = Blocks::<W>::ZERO;
    let used = entries.len() + 1;
    while filled.iter().any(|filled| *filled < N) {
        keccak_of.permute(states, used);
        keccak_of.squeeze(states, used, &mut blocks);
        backend.sample_ntt(&blocks.0[1..used], entries, filled);
    }
}

/// Samples an entry whose state is gone from the beginning.
#[cold]
fn sample_again<S: Keccak<W>>(
    keccak_of: S,
    backend: Avx512,
    states: &mut States<W>,
    first_block: FirstBlock<'_>,
    word4: u64,
    entry: &mut NttPoly<Avx512>,
) {
    let mut blocks = Blocks::<W>::ZERO;
    let mut filled = [0];
    keccak_of.start(states, 1, first_block, 1, &[word4; W]);
    while filled[0] < N {
        keccak_of.permute(states, 1);
        keccak_of.squeeze(states, 1, &mut blocks);
        backend.sample_ntt(&blocks.0[..1], core::slice::from_mut(entry), &mut filled);
    }
}

/// The kernels; `sample_kept` and `finish_and_sample` need VBMI2.
impl Avx512 {
    pub(super) fn keep_block(self, states: &States<W>, b: usize, entries: &mut [NttPoly<Self>]) {
        // SAFETY: an Avx512 exists only after detect found AVX-512 F, BW, VL and DQ.
        unsafe { keccak::keep_block(&states.0, b, entries) }
    }

    pub(super) fn sample_kept(self, entries: &mut [NttPoly<Self>], filled: &mut [usize]) -> bool {
        assert!(self.vbmi2);
        // SAFETY: `vbmi2` is set only where VBMI2 was found, too.
        unsafe { sample::sample_kept(entries, filled) }
    }

    pub(super) fn finish_and_sample(
        self,
        states: &States<W>,
        blocks: &[[u8; H_BLOCK]],
        last: &[u8; H_BLOCK],
        out: &mut [u8; 32],
        entries: &mut [NttPoly<Self>],
        filled: &mut [usize],
    ) -> bool {
        assert!(self.vbmi2);
        // SAFETY: `vbmi2` is set only where VBMI2 was found, too.
        unsafe { keccak::finish_and_sample(&states.0, blocks, last, out, entries, filled) }
    }
}
