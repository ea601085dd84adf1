//! What the sponges of NEON and of the SHA-3 instructions do alike with their states.

use core::arch::aarch64::*;

use crate::backend::aarch64::{at, at_mut, store_bytes};

/// The first 22 lanes of every state, as the bytes of its block.
#[target_feature(enable = "neon")]
pub(crate) fn squeeze<const W: usize>(state: &[[u64; W]; 25], blocks: &mut [[u8; 192]; W]) {
    for (i, [low, high]) in state[..22].as_chunks().0.iter().enumerate() {
        let (x, y) = (load(at(low, 0)), load(at(high, 0)));
        store_bytes(at_mut(&mut blocks[0], 16 * i), vreinterpretq_u8_u64(vzip1q_u64(x, y)));
        store_bytes(at_mut(&mut blocks[1], 16 * i), vreinterpretq_u8_u64(vzip2q_u64(x, y)));
        for slot in 2..W {
            *at_mut(&mut blocks[slot], 16 * i) = low[slot].to_le_bytes();
            *at_mut(&mut blocks[slot], 16 * i + 8) = high[slot].to_le_bytes();
        }
    }
}

/// Loads two lanes.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn load(row: &[u64; 2]) -> uint64x2_t {
    // SAFETY: `row` is 16 readable bytes.
    unsafe { vld1q_u64(row.as_ptr()) }
}

/// Stores two lanes.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn store(row: &mut [u64; 2], v: uint64x2_t) {
    // SAFETY: `row` is 16 writable bytes.
    unsafe { vst1q_u64(row.as_mut_ptr(), v) }
}
