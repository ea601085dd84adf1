//! FIPS 203, Algorithms 5 and 6 with d = 12: elements of T_q as bytes.
//!
//! Eight coefficients are twelve bytes, handled as one 96-bit number.

use super::ntt::RUN;
use super::reduce::canonicalise;
use crate::backend::poly::{N, Q};

/// FIPS 203, Algorithm 5, d = 12. Any 16-bit input.
pub(crate) fn encode12(f_hat: &[i16; N], b: &mut [u8; 384]) {
    // Filled in place: an array that `map` returns may be moved, and stay where it was as well.
    let mut canonical = [0; N];
    for (canonical, f_hat) in canonical.iter_mut().zip(f_hat) {
        *canonical = canonicalise(*f_hat);
    }
    let runs = canonical.as_chunks::<RUN>().0;
    for (block, bytes) in b.as_chunks_mut::<12>().0.iter_mut().enumerate() {
        let c: [u64; 8] = core::array::from_fn(|j| runs[j][block] as u64);
        // 12 j bits up: the sixth lies across the border of the two words
        let low = c[0] | c[1] << 12 | c[2] << 24 | c[3] << 36 | c[4] << 48 | c[5] << 60;
        let high = c[5] >> 4 | c[6] << 8 | c[7] << 20;
        let (first, last) = bytes.split_at_mut(8);
        first.copy_from_slice(&low.to_le_bytes());
        last.copy_from_slice(&(high as u32).to_le_bytes());
    }
    canonical = [0; N];
    zeroize::optimization_barrier(&canonical);
}

/// FIPS 203, Algorithm 6, d = 12, without its reduction modulo q: `false` if one was due.
pub(crate) fn decode12(b: &[u8; 384], f_hat: &mut [i16; N]) -> bool {
    let runs = f_hat.as_chunks_mut::<RUN>().0;
    for (block, bytes) in b.as_chunks::<12>().0.iter().enumerate() {
        let mut word = [0; 16];
        word[..12].copy_from_slice(bytes);
        let word = u128::from_le_bytes(word);
        for (j, run) in runs.iter_mut().enumerate() {
            run[block] = (word >> (12 * j)) as i16 & 0xfff;
        }
    }
    // Negative as long as every value is below q; all are looked at, whatever is found.
    f_hat.iter().fold(-1, |below, c| below & (c - Q)) < 0
}
