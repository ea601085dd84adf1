//! FIPS 203, Algorithms 5 and 6 with d = 12: elements of T_q as bytes.

use core::arch::aarch64::*;

use super::reduce::{LANES, canonicalise};
use crate::backend::aarch64::{at, at_mut, load, load_bytes, store, store_bytes, store_half};
use crate::backend::poly::{N, Q};

/// Bytes of sixteen 12-bit values.
pub(crate) const GROUP: usize = 24;

/// FIPS 203, Algorithm 5, d = 12. Any 16-bit input.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn encode12(f_hat: &[i16; N], b: &mut [u8; 384]) {
    // Two bytes of one register, one of the other, and so on.
    let first = load_bytes(&[0, 1, 16, 2, 3, 18, 4, 5, 20, 6, 7, 22, 8, 9, 24, 10]);
    let last = load_bytes(&[11, 26, 12, 13, 28, 14, 15, 30, 0, 0, 0, 0, 0, 0, 0, 0]);
    let f_hat = f_hat.as_chunks::<LANES>().0.as_chunks::<2>().0;
    for (b, [even, odd]) in b.as_chunks_mut::<GROUP>().0.iter_mut().zip(f_hat) {
        let (even, odd) = (canonicalise(load(even)), vreinterpretq_u16_s16(canonicalise(load(odd))));
        // A pair is 24 bits: sixteen with four of the odd value's, and its upper eight.
        let low = vsliq_n_u16::<12>(vreinterpretq_u16_s16(even), odd);
        let high = vshrq_n_u16::<4>(odd);
        let pair = uint8x16x2_t(vreinterpretq_u8_u16(low), vreinterpretq_u8_u16(high));
        store_bytes(at_mut(b, 0), vqtbl2q_u8(pair, first));
        store_half(at_mut(b, 16), vget_low_u8(vqtbl2q_u8(pair, last)));
    }
}

/// FIPS 203, Algorithm 6, d = 12, without its reduction modulo q: `false` if one was due.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn decode12(b: &[u8; 384], f_hat: &mut [i16; N]) -> bool {
    // Of the bytes 0 to 15 and 8 to 23 of each group.
    let even = load_bytes(&[0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 24, 26, 27, 29, 30]);
    let odd = load_bytes(&[1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 24, 25, 27, 28, 30, 31]);
    let mut most = vdupq_n_u16(0);
    let f_hat = f_hat.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0;
    for (b, [f0, f1]) in b.as_chunks::<GROUP>().0.iter().zip(f_hat) {
        let bytes = uint8x16x2_t(load_bytes(at(b, 0)), load_bytes(at(b, 8)));
        let even = vandq_u16(vreinterpretq_u16_u8(vqtbl2q_u8(bytes, even)), vdupq_n_u16(0xfff));
        let odd = vshrq_n_u16::<4>(vreinterpretq_u16_u8(vqtbl2q_u8(bytes, odd)));
        most = vmaxq_u16(most, vmaxq_u16(even, odd));
        store(f0, vreinterpretq_s16_u16(even));
        store(f1, vreinterpretq_s16_u16(odd));
    }
    vmaxvq_u16(most) < Q as u16
}

/// Fills `b` with the first `L` bytes of `group(0)`, `group(1)`, ...
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn store_groups<const L: usize>(b: &mut [u8], group: impl Fn(usize) -> uint8x16_t) {
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
