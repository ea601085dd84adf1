//! Keccak-f\[1600\] on two states, a word of each in a register.

use core::arch::wasm32::*;

use crate::backend::wasm32::{load_words, store_words};
use crate::sponge::keccak::{RHO, ROUND_CONSTANTS, pi_column, pi_lane};

/// Permutes two states, one in each slot.
#[inline(never)]
pub(crate) fn permute_x2(state: &mut [[u64; 2]; 25]) {
    let mut a = state.each_ref().map(load_words);
    // Two rounds a turn: the second undoes the renaming of lanes of the first, so no moves are left.
    for rc in ROUND_CONSTANTS.as_chunks::<2>().0 {
        a = round(&round(&a, rc[0]), rc[1]);
    }
    for (row, lane) in state.iter_mut().zip(a) {
        store_words(row, lane);
    }
}

/// One round of `permute_x2`, for proofs.
pub(crate) fn one_round_x2(state: &mut [[u64; 2]; 25], rc: u64) {
    let a = round(&state.each_ref().map(load_words), rc);
    for (row, lane) in state.iter_mut().zip(a) {
        store_words(row, lane);
    }
}

/// Words rotated to the left by so many bits, 0 to 63: counts of shifts are taken modulo 64.
#[inline(always)]
fn rotate(v: v128, by: u32) -> v128 {
    v128_or(u64x2_shl(v, by), u64x2_shr(v, 64 - by))
}

#[inline(always)]
fn round(a: &[v128; 25], rc: u64) -> [v128; 25] {
    let c: [v128; 5] = core::array::from_fn(|x| {
        let low = v128_xor(v128_xor(a[x], a[x + 5]), a[x + 10]);
        v128_xor(low, v128_xor(a[x + 15], a[x + 20]))
    });
    let d = [
        v128_xor(c[4], rotate(c[1], 1)),
        v128_xor(c[0], rotate(c[2], 1)),
        v128_xor(c[1], rotate(c[3], 1)),
        v128_xor(c[2], rotate(c[4], 1)),
        v128_xor(c[3], rotate(c[0], 1)),
    ];
    let rows = [row::<0>(a, &d), row::<1>(a, &d), row::<2>(a, &d), row::<3>(a, &d), row::<4>(a, &d)];
    let mut out = *a;
    out.copy_from_slice(rows.as_flattened());
    out[0] = v128_xor(out[0], u64x2_splat(rc));
    out
}

/// Row Y after theta, rho, pi and chi.
#[inline(always)]
fn row<const Y: usize>(a: &[v128; 25], d: &[v128; 5]) -> [v128; 5] {
    macro_rules! b {
        ($x:literal) => {
            rotate(
                v128_xor(a[const { pi_lane($x, Y) }], d[const { pi_column($x, Y) }]),
                const { RHO[pi_lane($x, Y)] },
            )
        };
    }
    let b = [b!(0), b!(1), b!(2), b!(3), b!(4)];
    // b0 ^ (b2 & !b1)
    let chi = |b0, b1, b2| v128_xor(b0, v128_andnot(b2, b1));
    [
        chi(b[0], b[1], b[2]),
        chi(b[1], b[2], b[3]),
        chi(b[2], b[3], b[4]),
        chi(b[3], b[4], b[0]),
        chi(b[4], b[0], b[1]),
    ]
}

#[cfg(test)]
mod tests {
    use crate::sponge::keccak::check;

    #[test]
    fn permutes_two_states() {
        check::<2>(2, super::permute_x2);
    }
}
