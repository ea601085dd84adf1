//! FIPS 203, section 4.2.1: compression to d bits and back, together with the packing of the bits.
//!
//! No division: a product by a rounded reciprocal, exact for every canonical coefficient (the tests
//! try them all).

use core::arch::aarch64::*;

use super::encode::store_groups;
use super::reduce::LANES;
use crate::backend::aarch64::{at, load, load_bytes, store, store_bytes, store_half};
use crate::backend::poly::{N, Q};
use crate::backend::tables::BARRETT;

/// `ByteEncode_d(Compress_d(f))`, d = L / 32. 0 <= f < q.
#[inline(never)]
#[target_feature(enable = "neon")]
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
#[target_feature(enable = "neon")]
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
#[inline]
#[target_feature(enable = "neon")]
fn round_1(x: int16x8_t) -> uint16x8_t {
    // the first and the last that become 1
    const FIRST: i16 = (Q + 3) >> 2;
    const LAST: i16 = (3 * Q) >> 2;
    const { assert!(4 * FIRST > Q && 4 * (FIRST - 1) < Q && 4 * LAST < 3 * Q && 4 * (LAST + 1) > 3 * Q) };
    // What is below the first is large as an unsigned number.
    let above = vreinterpretq_u16_s16(vsubq_s16(x, vdupq_n_s16(FIRST)));
    vcleq_u16(above, vdupq_n_u16((LAST - FIRST) as u16))
}

/// `round(2^d x / q)` for d = 4, 5, given SHIFT = 11 - d.
#[inline]
#[target_feature(enable = "neon")]
fn round_small<const SHIFT: i32>(x: int16x8_t) -> uint16x8_t {
    // 2^11 x / q, then that rounded to d bits
    let t = vqdmulhq_s16(x, vdupq_n_s16(BARRETT));
    vreinterpretq_u16_s16(vrshrq_n_s16::<SHIFT>(t))
}

/// `round(2^d x / q)` for d = 10, 11.
#[inline]
#[target_feature(enable = "neon")]
fn round_large<const D: i32>(x: int16x8_t) -> uint16x8_t {
    // 2^(15 + d) / q, rounded down: the estimate is right or one too small.
    const fn reciprocal(d: i32) -> i16 {
        let (mut r, power) = (0i64, 1i64 << (15 + d));
        while (r + 1) * Q as i64 <= power {
            r += 1;
        }
        r as i16
    }
    let y = vqrdmulhq_s16(x, vdupq_n_s16(const { reciprocal(D) }));
    // 2^d x - q y, which 16 bits hold: right if at most q / 2
    let rest = vmlsq_s16(vshlq_n_s16::<D>(x), y, vdupq_n_s16(Q));
    let too_small = vcgtq_s16(rest, vdupq_n_s16(Q >> 1));
    vsubq_u16(vreinterpretq_u16_s16(y), too_small)
}

#[inline]
#[target_feature(enable = "neon")]
fn compress_1(f: &[i16; N], b: &mut [u8]) {
    let bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040_2010_0804_0201));
    let f = f.as_chunks::<LANES>().0.as_chunks::<8>().0;
    for (b, f) in b.as_chunks_mut::<8>().0.iter_mut().zip(f) {
        let mut bits = [vdupq_n_u8(0); 4];
        for i in 0..4 {
            let low = vreinterpretq_u8_u16(round_1(load(&f[2 * i])));
            let high = vreinterpretq_u8_u16(round_1(load(&f[2 * i + 1])));
            bits[i] = vandq_u8(vuzp1q_u8(low, high), bit);
        }
        let sums = vpaddq_u8(vpaddq_u8(bits[0], bits[1]), vpaddq_u8(bits[2], bits[3]));
        store_half(b, vpadd_u8(vget_low_u8(sums), vget_high_u8(sums)));
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn compress_4(f: &[i16; N], b: &mut [u8]) {
    let f = f.as_chunks::<LANES>().0.as_chunks::<4>().0;
    for (b, f) in b.as_chunks_mut::<16>().0.iter_mut().zip(f) {
        let [w, x, y, z] = f.each_ref().map(|f| vreinterpretq_u8_u16(round_small::<7>(load(f))));
        let (low, high) = (vuzp1q_u8(w, x), vuzp1q_u8(y, z));
        // c0 + 2^4 c1; what is beyond the four bits of c0 is overwritten
        store_bytes(b, vsliq_n_u8::<4>(vuzp1q_u8(low, high), vuzp2q_u8(low, high)));
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn compress_5(f: &[i16; N], b: &mut [u8]) {
    let f = f.as_chunks::<LANES>().0.as_chunks::<2>().0;
    store_groups::<10>(b, |i| {
        let [x, y] = f[i].each_ref().map(|f| round_small::<6>(load(f)));
        // c0 + 2^5 c1; 2^5 becomes 0
        let (even, odd) = (vuzp1q_u16(x, y), vandq_u16(vuzp2q_u16(x, y), vdupq_n_u16(0x1f)));
        ten_bits(vsliq_n_u16::<5>(even, odd))
    });
}

#[inline]
#[target_feature(enable = "neon")]
fn compress_10(f: &[i16; N], b: &mut [u8]) {
    let f = f.as_chunks::<LANES>().0;
    // 2^10 becomes 0 here
    store_groups::<10>(b, |i| ten_bits(vandq_u16(round_large::<10>(load(&f[i])), vdupq_n_u16(0x3ff))));
}

/// Ten bits of every word in ten bytes.
#[inline]
#[target_feature(enable = "neon")]
fn ten_bits(v: uint16x8_t) -> uint8x16_t {
    let v = join::<10, 20>(v);
    vqtbl1q_u8(
        vreinterpretq_u8_u64(v),
        load_bytes(&[0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 255, 255, 255, 255, 255, 255]),
    )
}

/// The D lower bits of the four words of each half, one after the other; D2 = 2 D.
#[inline]
#[target_feature(enable = "neon")]
fn join<const D: i32, const D2: i32>(v: uint16x8_t) -> uint64x2_t {
    const { assert!(D2 == 2 * D) };
    let v = vreinterpretq_u32_u16(v);
    let v = vreinterpretq_u64_u32(vsliq_n_u32::<D>(v, vshrq_n_u32::<16>(v)));
    vsliq_n_u64::<D2>(v, vshrq_n_u64::<32>(v))
}

#[inline]
#[target_feature(enable = "neon")]
fn compress_11(f: &[i16; N], b: &mut [u8]) {
    // 2^11 is not reached: no coefficient is that near to q.
    const { assert!(((Q as i32 - 1) << 12) + (Q as i32) < (Q as i32) << 12) };
    let f = f.as_chunks::<LANES>().0;
    store_groups::<11>(b, |i| {
        // 44 bits in each half
        let v = join::<11, 22>(round_large::<11>(load(&f[i])));
        // The first 20 bits of the upper half join the lower; a shift by 64 leaves nothing.
        let shift = vcombine_s64(vcreate_s64(0), vcreate_s64(-20i64 as u64));
        let joining = vshlq_u64(vextq_u64::<1>(v, v), vcombine_s64(vcreate_s64(44), vcreate_s64(64)));
        vreinterpretq_u8_u64(vorrq_u64(vshlq_u64(v, shift), joining))
    });
}

/// `round(q y / 2^d)` from words with `y` in bits 15 - d to 14 and anything elsewhere.
///
/// The rounding product is (2^(15-d) y q + 2^14) >> 15.
#[inline]
#[target_feature(enable = "neon")]
fn scale<const D: i32>(y: uint16x8_t) -> int16x8_t {
    let y = vandq_u16(y, vdupq_n_u16(((1 << D) - 1) << (15 - D)));
    vqrdmulhq_s16(vreinterpretq_s16_u16(y), vdupq_n_s16(Q))
}

#[inline]
#[target_feature(enable = "neon")]
fn decompress_4(b: &[u8], f: &mut [i16; N]) {
    let f = f.as_chunks_mut::<LANES>().0.as_chunks_mut::<4>().0;
    for (f, b) in f.iter_mut().zip(b.as_chunks().0) {
        let bytes = load_bytes(b);
        // values in bits 3 to 6, which will be bits 11 to 14 of a word
        let (even, odd) = (vshlq_n_u8::<3>(bytes), vshrq_n_u8::<1>(bytes));
        for (f, values) in
            f.as_chunks_mut::<2>().0.iter_mut().zip([vzip1q_u8(even, odd), vzip2q_u8(even, odd)])
        {
            let zero = vdupq_n_u8(0);
            store(&mut f[0], scale::<4>(vreinterpretq_u16_u8(vzip1q_u8(zero, values))));
            store(&mut f[1], scale::<4>(vreinterpretq_u16_u8(vzip2q_u8(zero, values))));
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn decompress_5(b: &[u8], f: &mut [i16; N]) {
    // Two bytes for each value, which begins at bit 0, 5, 2, 7, 4, 1, 6, 3 and goes to bit 10.
    let bytes = load_bytes(&[0, 1, 0, 1, 1, 2, 1, 2, 2, 3, 3, 4, 3, 4, 4, 255]);
    let shifts = load(&[10, 5, 8, 3, 6, 9, 4, 7]);
    for (f, b) in f.as_chunks_mut::<LANES>().0.iter_mut().zip(b.as_chunks::<5>().0) {
        let &[b0, b1, b2, b3, b4] = b;
        let b = vcreate_u8(u64::from_le_bytes([b0, b1, b2, b3, b4, 0, 0, 0]));
        let words = vreinterpretq_u16_u8(vqtbl1q_u8(vcombine_u8(b, b), bytes));
        store(f, scale::<5>(vshlq_u16(words, shifts)));
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn decompress_10(b: &[u8], f: &mut [i16; N]) {
    // Two bytes for each value, which begins at bit 0, 2, 4, 6 and goes to bits 5 to 14. Of bytes 0 to 15 and 4 to 19.
    let first = load_bytes(&[0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9]);
    let second = load_bytes(&[6, 7, 7, 8, 8, 9, 9, 10, 11, 12, 12, 13, 13, 14, 14, 15]);
    let shifts = load(&[5, 3, 1, -1, 5, 3, 1, -1]);
    let f = f.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0;
    for ([x, y], b) in f.iter_mut().zip(b.as_chunks::<20>().0) {
        for (f, b, bytes) in [(x, at(b, 0), first), (y, at(b, 4), second)] {
            let words = vreinterpretq_u16_u8(vqtbl1q_u8(load_bytes(b), bytes));
            store(f, scale::<10>(vshlq_u16(words, shifts)));
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn decompress_11(b: &[u8], f: &mut [i16; N]) {
    // Four bytes for two values, which begin at bit 0, 6, 4, 2. Of bytes 0 to 15 and 6 to 21.
    let first = load_bytes(&[0, 1, 2, 3, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11]);
    let second = load_bytes(&[5, 6, 7, 8, 7, 8, 9, 10, 10, 11, 12, 13, 13, 14, 15, 255]);
    // the low and the high half of 0, -6, -4, -2
    let shifts = vreinterpretq_s32_s16(load(&[0, 0, -6, -1, -4, -1, -2, -1]));
    let f = f.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0;
    for ([x, y], b) in f.iter_mut().zip(b.as_chunks::<22>().0) {
        for (f, b, bytes) in [(x, at(b, 0), first), (y, at(b, 6), second)] {
            let pairs = vreinterpretq_u32_u8(vqtbl1q_u8(load_bytes(b), bytes));
            let pairs = vshlq_u32(pairs, shifts);
            // bits 0 to 10 and 11 to 21 to bits 4 to 14 of their words
            let words = vsliq_n_u32::<16>(vshlq_n_u32::<4>(pairs), vshrq_n_u32::<7>(pairs));
            store(f, scale::<11>(vreinterpretq_u16_u32(words)));
        }
    }
}

/// d = 1: every bit becomes 0 or (q + 1) / 2.
#[inline]
#[target_feature(enable = "neon")]
fn message(b: &[u8], f: &mut [i16; N]) {
    let bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040_2010_0804_0201));
    let half_q = vdupq_n_s16((Q + 1) >> 1);
    let f = f.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0;
    for ([x, y], &[b0, b1]) in f.iter_mut().zip(b.as_chunks().0) {
        let set = vreinterpretq_s8_u8(vtstq_u8(vcombine_u8(vdup_n_u8(b0), vdup_n_u8(b1)), bit));
        store(x, vandq_s16(vmovl_s8(vget_low_s8(set)), half_q));
        store(y, vandq_s16(vmovl_high_s8(set), half_q));
    }
}
