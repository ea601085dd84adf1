//! FIPS 203, section 4.2.1: compression to d bits and back, together with the packing of the bits.
//!
//! No division: a product by a rounded reciprocal, exact for every canonical coefficient (the tests
//! try them all).

use core::arch::wasm32::*;

use super::encode::store_groups;
use super::reduce::LANES;
use crate::backend::poly::{N, Q};
use crate::backend::wasm32::{at, load, load_bytes, store, store_bytes};

/// `ByteEncode_d(Compress_d(f))`, d = L / 32. 0 <= f < q.
#[inline(never)]
pub(crate) fn compress<const L: usize>(f: &[i16; N], b: &mut [u8; L]) {
    const { assert!(L == 32 || L == 128 || L == 160 || L == 320 || L == 352) };
    match L >> 5 {
        1 => compress_1(f, b),
        4 => compress_4(f, b),
        5 => compress_5(f, b),
        10 => compress_10(f, b),
        _ => compress_11(f, b),
    }
}

/// `Decompress_d(ByteDecode_d(b))`, d = L / 32. 0 <= f < q.
#[inline(never)]
pub(crate) fn decompress<const L: usize>(b: &[u8; L], f: &mut [i16; N]) {
    const { assert!(L == 32 || L == 128 || L == 160 || L == 320 || L == 352) };
    match L >> 5 {
        1 => message(b, f),
        4 => decompress_4(b, f),
        5 => decompress_5(b, f),
        10 => decompress_10(b, f),
        _ => decompress_11(b, f),
    }
}

/// All ones where `Compress_1(x)` is 1: for q/4 < x < 3q/4.
#[inline(always)]
fn round_1(x: v128) -> v128 {
    // the first and the last that become 1
    const FIRST: i16 = (Q + 3) >> 2;
    const LAST: i16 = (3 * Q) >> 2;
    const { assert!(4 * FIRST > Q && 4 * (FIRST - 1) < Q && 4 * LAST < 3 * Q && 4 * (LAST + 1) > 3 * Q) };
    // What is below the first is large as an unsigned number.
    let above = i16x8_sub(x, i16x8_splat(FIRST));
    u16x8_le(above, u16x8_splat((LAST - FIRST) as u16))
}

/// `round(2^d x / q)`, 2^d included.
#[inline(always)]
fn round<const D: u32>(x: v128) -> v128 {
    // 2^(15 + d) / q, rounded down: the estimate is right or one too small.
    const fn reciprocal(d: u32) -> i16 {
        let (mut r, power) = (0i64, 1i64 << (15 + d));
        while (r + 1) * Q as i64 <= power {
            r += 1;
        }
        r as i16
    }
    let y = i16x8_q15mulr_sat(x, i16x8_splat(const { reciprocal(D) }));
    // 2^d x - q y, which 16 bits hold: right if at most q / 2
    let rest = i16x8_sub(i16x8_shl(x, D), i16x8_mul(y, i16x8_splat(Q)));
    let too_small = i16x8_gt(rest, i16x8_splat(Q >> 1));
    i16x8_sub(y, too_small)
}

/// `round(2^d x / q) mod 2^d`.
#[inline(always)]
fn round_and_wrap<const D: u32>(x: v128) -> v128 {
    v128_and(round::<D>(x), i16x8_splat(const { (1 << D) - 1 }))
}

/// c0 + 2^D c1 of each pair of words, in 32 bits.
#[inline(always)]
fn pairs<const D: u32>(v: v128) -> v128 {
    let power = const { 1 << D };
    i32x4_dot_i16x8(v, i16x8(1, power, 1, power, 1, power, 1, power))
}

/// The D lower bits of the two words of each half, one after the other; the other bits of the words are zero.
#[inline(always)]
fn join<const D: u32>(v: v128) -> v128 {
    v128_bitselect(v, u64x2_shr(v, 32 - D), u64x2_splat(const { (1 << D) - 1 }))
}

#[inline(always)]
fn compress_1(f: &[i16; N], b: &mut [u8]) {
    let f = f.as_chunks::<LANES>().0.as_chunks::<2>().0;
    for (b, f) in b.as_chunks_mut().0.iter_mut().zip(f) {
        let [low, high] = f.each_ref().map(|f| round_1(load(f)));
        *b = i8x16_bitmask(i8x16_narrow_i16x8(low, high)).to_le_bytes();
    }
}

#[inline(always)]
fn compress_4(f: &[i16; N], b: &mut [u8]) {
    let f = f.as_chunks::<LANES>().0.as_chunks::<4>().0;
    for (b, f) in b.as_chunks_mut::<16>().0.iter_mut().zip(f) {
        let [w, x, y, z] = f.each_ref().map(|f| pairs::<4>(round_and_wrap::<4>(load(f))));
        let (low, high) = (i16x8_narrow_i32x4(w, x), i16x8_narrow_i32x4(y, z));
        store_bytes(b, u8x16_narrow_i16x8(low, high));
    }
}

#[inline(always)]
fn compress_5(f: &[i16; N], b: &mut [u8]) {
    let f = f.as_chunks::<LANES>().0.as_chunks::<2>().0;
    store_groups::<10>(b, |i| {
        let [x, y] = f[i].each_ref().map(|f| pairs::<5>(round_and_wrap::<5>(load(f))));
        ten_bits(i16x8_narrow_i32x4(x, y))
    });
}

#[inline(always)]
fn compress_10(f: &[i16; N], b: &mut [u8]) {
    let f = f.as_chunks::<LANES>().0;
    store_groups::<10>(b, |i| ten_bits(round_and_wrap::<10>(load(&f[i]))));
}

/// Ten bits of every word in ten bytes.
#[inline(always)]
fn ten_bits(v: v128) -> v128 {
    let v = join::<20>(pairs::<10>(v));
    i8x16_shuffle::<0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 13, 13, 13, 13, 13>(v, v)
}

#[inline(always)]
fn compress_11(f: &[i16; N], b: &mut [u8]) {
    // 2^11 is not reached: no coefficient is that near to q.
    const { assert!(((Q as i32 - 1) << 12) + (Q as i32) < (Q as i32) << 12) };
    let f = f.as_chunks::<LANES>().0;
    for (b, f) in b.as_chunks_mut::<11>().0.iter_mut().zip(f) {
        // 44 bits in each half
        let v = join::<22>(pairs::<11>(round::<11>(load(f))));
        let (low, high) = (u64x2_extract_lane::<0>(v), u64x2_extract_lane::<1>(v));
        let (first, last) = b.split_at_mut(8);
        first.copy_from_slice(&(low | high << 44).to_le_bytes());
        last.copy_from_slice(&(high >> 20).to_le_bytes()[..3]);
    }
}

/// `round(q y / 2^d)` from words with `y` in bits 15 - d to 14 and anything elsewhere.
///
/// The rounding product is (2^(15-d) y q + 2^14) >> 15.
#[inline(always)]
fn scale<const D: u32>(y: v128) -> v128 {
    let y = v128_and(y, i16x8_splat(const { ((1 << D) - 1) << (15 - D) }));
    i16x8_q15mulr_sat(y, i16x8_splat(Q))
}

#[inline(always)]
fn decompress_4(b: &[u8], f: &mut [i16; N]) {
    let f = f.as_chunks_mut::<LANES>().0.as_chunks_mut::<4>().0;
    for ([f0, f1, f2, f3], b) in f.iter_mut().zip(b.as_chunks().0) {
        // values in bits 3 to 6, which will be bits 11 to 14 of a word
        let bytes = load_bytes(b);
        let (even, odd) = (u8x16_shl(bytes, 3), u8x16_shr(bytes, 1));
        let low = i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(even, odd);
        let high = i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(even, odd);
        store(f0, scale::<4>(i16x8_shl(u16x8_extend_low_u8x16(low), 8)));
        store(f1, scale::<4>(i16x8_shl(u16x8_extend_high_u8x16(low), 8)));
        store(f2, scale::<4>(i16x8_shl(u16x8_extend_low_u8x16(high), 8)));
        store(f3, scale::<4>(i16x8_shl(u16x8_extend_high_u8x16(high), 8)));
    }
}

#[inline(always)]
fn decompress_5(b: &[u8], f: &mut [i16; N]) {
    // Two bytes for each value, which begins at bit 0, 5, 2, 7, 4, 1, 6, 3 and goes to bit 10.
    let shifts = i16x8(1 << 10, 1 << 5, 1 << 8, 1 << 3, 1 << 6, 1 << 9, 1 << 4, 1 << 7);
    for (f, b) in f.as_chunks_mut::<LANES>().0.iter_mut().zip(b.as_chunks::<5>().0) {
        let &[b0, b1, b2, b3, b4] = b;
        let b = u64x2_splat(u64::from_le_bytes([b0, b1, b2, b3, b4, 0, 0, 0]));
        let words = i8x16_shuffle::<0, 1, 0, 1, 1, 2, 1, 2, 2, 3, 3, 4, 3, 4, 4, 5>(b, b);
        store(f, scale::<5>(i16x8_mul(words, shifts)));
    }
}

#[inline(always)]
fn decompress_10(b: &[u8], f: &mut [i16; N]) {
    // Two bytes for each value, which begins at bit 0, 2, 4, 6; in two steps to bit 5. Of bytes 0 to 15 and 4 to 19.
    let shifts = i16x8(1 << 6, 1 << 4, 1 << 2, 1, 1 << 6, 1 << 4, 1 << 2, 1);
    let f = f.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0;
    for ([x, y], b) in f.iter_mut().zip(b.as_chunks::<20>().0) {
        let (first, second) = (load_bytes(at(b, 0)), load_bytes(at(b, 4)));
        let words = [
            i8x16_shuffle::<0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9>(first, first),
            i8x16_shuffle::<6, 7, 7, 8, 8, 9, 9, 10, 11, 12, 12, 13, 13, 14, 14, 15>(second, second),
        ];
        for (f, words) in [x, y].into_iter().zip(words) {
            store(f, scale::<10>(u16x8_shr(i16x8_mul(words, shifts), 1)));
        }
    }
}

#[inline(always)]
fn decompress_11(b: &[u8], f: &mut [i16; N]) {
    // Four bytes for two values, which begin at bit 0, 6, 4, 2; first to bit 6. Of bytes 0 to 15 and 6 to 21.
    let shifts = i32x4(1 << 6, 1, 1 << 2, 1 << 4);
    let f = f.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0;
    for ([x, y], b) in f.iter_mut().zip(b.as_chunks::<22>().0) {
        let (first, second) = (load_bytes(at(b, 0)), load_bytes(at(b, 6)));
        let pairs = [
            i8x16_shuffle::<0, 1, 2, 3, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11>(first, first),
            i8x16_shuffle::<5, 6, 7, 8, 7, 8, 9, 10, 10, 11, 12, 13, 13, 14, 15, 0>(second, second),
        ];
        for (f, pairs) in [x, y].into_iter().zip(pairs) {
            let pairs = i32x4_mul(pairs, shifts);
            // bits 6 to 16 and 17 to 27 to bits 4 to 14 of their words
            let words = v128_bitselect(u32x4_shr(pairs, 2), u32x4_shl(pairs, 3), u32x4_splat(0xffff));
            store(f, scale::<11>(words));
        }
    }
}

/// d = 1: every bit becomes 0 or (q + 1) / 2.
#[inline(always)]
fn message(b: &[u8], f: &mut [i16; N]) {
    let bit = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
    for (f, &b) in f.as_chunks_mut::<LANES>().0.iter_mut().zip(b) {
        let set = i16x8_eq(v128_and(i16x8_splat(i16::from(b)), bit), bit);
        store(f, v128_and(set, i16x8_splat((Q + 1) >> 1)));
    }
}
