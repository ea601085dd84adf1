//! Keccak-f\[1600\] (FIPS 202, section 3.3), one state.

use crate::backend::tables::{ROTATIONS, ROUND_CONSTANTS};

const fn mod5(x: usize) -> usize {
    if x < 5 { x } else { mod5(x - 5) }
}

/// Permutes one state.
pub(crate) fn permute(state: &mut [[u64; 1]; 25]) {
    let Ok(state) = <&mut [u64; 25]>::try_from(state.as_flattened_mut()) else { return };
    for rc in ROUND_CONSTANTS.as_chunks::<2>().0 {
        let e = round(state, rc[0]);
        *state = round(&e, rc[1]);
    }
}

#[inline(always)]
fn round(a: &[u64; 25], rc: u64) -> [u64; 25] {
    let c: [u64; 5] = core::array::from_fn(|x| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    let d: [u64; 5] = core::array::from_fn(|x| c[mod5(x + 4)] ^ c[mod5(x + 1)].rotate_left(1));
    let mut out = [0; 25];
    for y in 0..5 {
        let b: [u64; 5] = core::array::from_fn(|x| {
            let from = mod5(x + 3 * y) + 5 * x;
            (a[from] ^ d[mod5(x + 3 * y)]).rotate_left(ROTATIONS[from])
        });
        for x in 0..5 {
            out[x + 5 * y] = b[x] ^ (!b[mod5(x + 1)] & b[mod5(x + 2)]);
        }
    }
    out[0] ^= rc;
    out
}
