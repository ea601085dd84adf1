//! FIPS 203, Algorithms 7 and 8: uniform and centred binomial sampling.

use super::ntt::split_into_runs;
use crate::backend::poly::{Eta, N, Q};
use crate::sponge::fips202::XOF_BLOCK;

/// FIPS 203, Algorithm 7, lines 5 to 16, for one block. Variable time: the block is public.
pub(crate) fn sample_ntt_block(block: &[u8; XOF_BLOCK], a_hat: &mut [i16; N], mut filled: usize) -> usize {
    for &[b0, b1, b2, b3, b4, b5] in block.as_chunks::<6>().0 {
        let word = u64::from_le_bytes([b0, b1, b2, b3, b4, b5, 0, 0]);
        let candidates: [i16; 4] = core::array::from_fn(|i| (word >> (12 * i)) as i16 & 0xfff);
        // Written always, counted only if accepted: the next candidate replaces a rejected one. The
        // polynomial's last places alone need a look before each.
        if filled <= N - candidates.len() {
            for d in candidates {
                a_hat[filled] = d;
                filled += (d < Q) as usize;
            }
        } else {
            for d in candidates {
                if filled < N {
                    a_hat[filled] = d;
                    filled += (d < Q) as usize;
                }
            }
        }
    }
    if filled == N {
        // Sampled in the standard's order, kept in this backend's.
        let standard = *a_hat;
        split_into_runs(&standard, a_hat);
    }
    filled
}

/// FIPS 203, Algorithm 8: |f| <= eta. Reads the first 64 eta bytes.
pub(crate) fn sample_poly_cbd(eta: Eta, b: &[u8], f: &mut [i16; N]) {
    match eta {
        Eta::Two => {
            for (f, b) in f.as_chunks_mut().0.iter_mut().zip(b.as_chunks().0) {
                cbd2(u32::from_le_bytes(*b), f);
            }
        }
        Eta::Three => {
            for (f, b) in f.as_chunks_mut().0.iter_mut().zip(b.as_chunks().0) {
                cbd3(b, f);
            }
        }
    }
}

/// Eight coefficients from 32 bits: bits 4i, 4i + 1 count up, 4i + 2, 4i + 3 down.
#[inline(always)]
fn cbd2(bits: u32, f: &mut [i16; 8]) {
    const EVEN: u32 = 0x5555_5555;
    // two-bit fields, each the sum of two neighbouring bits
    let sums = (bits & EVEN) + (bits >> 1 & EVEN);
    for (i, c) in f.iter_mut().enumerate() {
        let field = (sums >> (4 * i)) as i16;
        *c = (field & 3) - (field >> 2 & 3);
    }
}

/// Four coefficients from 24 bits: bits 6i to 6i + 2 count up, 6i + 3 to 6i + 5 down.
#[inline(always)]
fn cbd3(&[b0, b1, b2]: &[u8; 3], f: &mut [i16; 4]) {
    const THIRD: u32 = 0x0024_9249;
    let bits = u32::from_le_bytes([b0, b1, b2, 0]);
    // three-bit fields, each the sum of three neighbouring bits
    let sums = (bits & THIRD) + (bits >> 1 & THIRD) + (bits >> 2 & THIRD);
    for (i, c) in f.iter_mut().enumerate() {
        let field = (sums >> (6 * i)) as i16;
        *c = (field & 7) - (field >> 3 & 7);
    }
}
