//! FIPS 203, Algorithm 7: uniform sampling.

use crate::backend::poly::{N, Q};
use crate::sponge::fips202::XOF_BLOCK;

/// FIPS 203, Algorithm 7, lines 5 to 16, for one block. Variable time: the block is public.
pub(crate) fn sample_ntt_block(block: &[u8; XOF_BLOCK], a_hat: &mut [i16; N], mut filled: usize) -> usize {
    for &[b0, b1, b2] in block.as_chunks::<3>().0 {
        let [b0, b1, b2] = [b0, b1, b2].map(i16::from);
        for d in [b0 | (b1 & 0xf) << 8, b1 >> 4 | b2 << 4] {
            if let (true, Some(a)) = (d < Q, a_hat.get_mut(filled)) {
                *a = d;
                filled += 1;
            }
        }
    }
    filled
}
