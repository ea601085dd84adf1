//! FIPS 203, Algorithms 5 and 6 with d = 12: elements of T_q as bytes.

use core::arch::wasm32::*;

use super::reduce::{LANES, canonicalise};
use crate::backend::poly::{N, Q};
use crate::backend::wasm32::{at, at_mut, load, load_bytes, store, store_bytes};

/// Bytes of sixteen 12-bit values.
pub(crate) const GROUP: usize = 24;

/// FIPS 203, Algorithm 5, d = 12. Any 16-bit input.
#[inline(never)]
pub(crate) fn encode12(f_hat: &[i16; N], b: &mut [u8; 384]) {
    let f_hat = f_hat.as_chunks::<LANES>().0.as_chunks::<2>().0;
    for (b, registers) in b.as_chunks_mut::<GROUP>().0.iter_mut().zip(f_hat) {
        // A pair is 24 bits: c0 + 2^12 c1, in 32.
        let shifts = i16x8(1, 1 << 12, 1, 1 << 12, 1, 1 << 12, 1, 1 << 12);
        let [x, y] = registers.each_ref().map(|f| i32x4_dot_i16x8(canonicalise(load(f)), shifts));
        // Three bytes of each, from the pairs 0, 4, 2, 6 of one register and 1, 5, 3, 7 of the other.
        let first = i8x16_shuffle::<0, 1, 2, 16, 17, 18, 8, 9, 10, 24, 25, 26, 4, 5, 6, 20>(x, y);
        let last = i8x16_shuffle::<21, 22, 12, 13, 14, 28, 29, 30, 0, 0, 0, 0, 0, 0, 0, 0>(x, y);
        store_bytes(at_mut(b, 0), first);
        *at_mut(b, 16) = u64x2_extract_lane::<0>(last).to_le_bytes();
    }
}

/// FIPS 203, Algorithm 6, d = 12, without its reduction modulo q: `false` if one was due.
#[inline(never)]
pub(crate) fn decode12(b: &[u8; 384], f_hat: &mut [i16; N]) -> bool {
    let mut most = u16x8_splat(0);
    let f_hat = f_hat.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0;
    for (b, [f0, f1]) in b.as_chunks::<GROUP>().0.iter().zip(f_hat) {
        // Bytes 0 to 15 and 8 to 23, and two of them for each value: those of the pairs 0, 4, 2, 6 and 1, 5, 3, 7.
        let (x, y) = (load_bytes(at(b, 0)), load_bytes(at(b, 8)));
        let words = [
            i8x16_shuffle::<0, 1, 1, 2, 12, 13, 13, 14, 6, 7, 7, 8, 26, 27, 27, 28>(x, y),
            i8x16_shuffle::<3, 4, 4, 5, 15, 24, 24, 25, 9, 10, 10, 11, 29, 30, 30, 31>(x, y),
        ];
        for (f, words) in [f0, f1].into_iter().zip(words) {
            let values = twelve_bits(words);
            most = u16x8_max(most, values);
            store(f, values);
        }
    }
    !v128_any_true(u16x8_ge(most, u16x8_splat(Q as u16)))
}

/// The values of words of which the even ones have four bits too many above and the odd ones below.
#[inline(always)]
pub(crate) fn twelve_bits(words: v128) -> v128 {
    u16x8_shr(i16x8_mul(words, i16x8(16, 1, 16, 1, 16, 1, 16, 1)), 4)
}

/// Fills `b` with the first `L` bytes of `group(0)`, `group(1)`, ...
#[inline(always)]
pub(crate) fn store_groups<const L: usize>(b: &mut [u8], group: impl Fn(usize) -> v128) {
    let last = b.len() - L;
    let (mut i, mut n) = (0, 0);
    while i < last {
        // A whole register: what is too much of it, the next one overwrites.
        store_bytes(at_mut(b, i), group(n));
        (i, n) = (i + L, n + 1);
    }
    let mut bytes = [0; 16];
    store_bytes(&mut bytes, group(n));
    b[last..].copy_from_slice(&bytes[..L]);
}
