//! FIPS 203, Algorithms 5 and 6 with d = 12: elements of T_q as bytes.

use super::ntt::position;
use super::reduce::canonicalise;
use crate::backend::poly::{N, Q};

/// FIPS 203, Algorithm 5, d = 12. Any 16-bit input.
pub(crate) fn encode12(f_hat: &[i16; N], b: &mut [u8; 384]) {
    for (i, b) in b.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let c0 = canonicalise(f_hat[position(2 * i)]) as u16;
        let c1 = canonicalise(f_hat[position(2 * i + 1)]) as u16;
        // bits 0-7 of c0 | bits 8-11 of c0, 0-3 of c1 | bits 4-11 of c1
        *b = [c0 as u8, (c0 >> 8 | c1 << 4) as u8, (c1 >> 4) as u8];
    }
}

/// FIPS 203, Algorithm 6, d = 12, without its reduction modulo q: `false` if one was due.
pub(crate) fn decode12(b: &[u8; 384], f_hat: &mut [i16; N]) -> bool {
    // Negative as long as every value is below q; all are looked at, whatever is found.
    let mut below = -1;
    for (i, &[b0, b1, b2]) in b.as_chunks::<3>().0.iter().enumerate() {
        let c0 = b0 as i16 | (b1 as i16 & 0xf) << 8;
        let c1 = b1 as i16 >> 4 | (b2 as i16) << 4;
        f_hat[position(2 * i)] = c0;
        f_hat[position(2 * i + 1)] = c1;
        below &= (c0 - Q) & (c1 - Q);
    }
    below < 0
}
