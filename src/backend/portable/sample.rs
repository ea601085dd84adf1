//! FIPS 203, Algorithms 7 and 8: uniform and centred binomial sampling.

use super::ntt::position;
use crate::backend::poly::{N, Q};
use crate::backend::{Eta, PrfOutput, XOF_BLOCK};

/// FIPS 203, Algorithm 7, lines 5 to 16, for one block. Variable time: the block is public.
pub(crate) fn sample_ntt_block(block: &[u8; XOF_BLOCK], a_hat: &mut [i16; N], mut filled: usize) -> usize {
    for &[c0, c1, c2] in block.as_chunks::<3>().0 {
        let d1 = c0 as i16 | (c1 as i16 & 0xf) << 8;
        let d2 = c1 as i16 >> 4 | (c2 as i16) << 4;
        for d in [d1, d2] {
            if filled >= N {
                return filled;
            }
            // Written always, counted only if accepted: the next candidate replaces a rejected one.
            a_hat[position(filled)] = d;
            filled += (d < Q) as usize;
        }
    }
    filled
}

/// FIPS 203, Algorithm 8: |f| <= eta. Reads the first 64 eta bytes.
pub(crate) fn sample_poly_cbd(eta: Eta, b: &PrfOutput, f: &mut [i16; N]) {
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
