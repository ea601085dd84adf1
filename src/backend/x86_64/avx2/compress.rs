//! FIPS 203, section 4.2.1: compression to d bits and back, together with the packing of the bits.
//!
//! No division: a product by a rounded reciprocal, exact for every canonical coefficient (the tests
//! try them all).

use core::arch::x86_64::*;

use super::encode::{store_groups, twice};
use super::reduce::LANES;
use crate::backend::poly::{N, Q};
use crate::backend::tables::BARRETT;
use crate::backend::x86_64::{at, load, load_pair, store};

/// `ByteEncode_d(Compress_d(f))`, d = L / 32. 0 <= f < q.
#[target_feature(enable = "avx2,bmi1,bmi2")]
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
#[target_feature(enable = "avx2,bmi1,bmi2")]
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

/// Numbers whose sign bits are `Compress_1(x)`: 1 for q/4 < x < 3q/4.
#[inline]
#[target_feature(enable = "avx2")]
fn round_1(x: __m256i) -> __m256i {
    // the first and the last that become 1
    const FIRST: i16 = (Q + 3) >> 2;
    const LAST: i16 = (3 * Q) >> 2;
    const { assert!(4 * FIRST > Q && 4 * (FIRST - 1) < Q && 4 * LAST < 3 * Q && 4 * (LAST + 1) > 3 * Q) };
    let above = _mm256_sub_epi16(_mm256_set1_epi16(FIRST - 1), x);
    let below = _mm256_sub_epi16(x, _mm256_set1_epi16(LAST + 1));
    _mm256_and_si256(above, below)
}

/// `Compress_d(x)` for d = 4, 5.
#[inline]
#[target_feature(enable = "avx2")]
fn round_small<const D: i32>(x: __m256i) -> __m256i {
    // 2^10 x / q, then that rounded to d bits: (t + 2^(9-d)) >> (10-d) by a rounding product
    let t = _mm256_mulhi_epi16(x, _mm256_set1_epi16(BARRETT));
    let y = _mm256_mulhrs_epi16(t, _mm256_set1_epi16(1 << (D + 5)));
    _mm256_and_si256(y, _mm256_set1_epi16((1 << D) - 1))
}

/// `round(2^d x / q)` for d = 10, 11.
#[inline]
#[target_feature(enable = "avx2")]
fn round_large<const D: i32>(x: __m256i) -> __m256i {
    // 2^(15 + d) / q, rounded down: the estimate is right or one too small.
    const fn reciprocal(d: i32) -> i16 {
        let (mut r, power) = (0i64, 1i64 << (15 + d));
        while (r + 1) * Q as i64 <= power {
            r += 1;
        }
        r as i16
    }
    let y = _mm256_mulhrs_epi16(x, _mm256_set1_epi16(const { reciprocal(D) }));
    // 2^d x - q y, which 16 bits hold: right if at most q / 2
    let rest = _mm256_sub_epi16(_mm256_slli_epi16::<D>(x), _mm256_mullo_epi16(y, _mm256_set1_epi16(Q)));
    let too_small = _mm256_cmpgt_epi16(rest, _mm256_set1_epi16(Q >> 1));
    _mm256_sub_epi16(y, too_small)
}

#[inline]
#[target_feature(enable = "avx2")]
fn compress_1(f: &[i16; N], b: &mut [u8]) {
    for (b, [x, y]) in b.as_chunks_mut::<4>().0.iter_mut().zip(f.as_chunks::<LANES>().0.as_chunks().0) {
        let bits = _mm256_packs_epi16(round_1(load(x)), round_1(load(y)));
        // quarters: lower half of x, of y, upper half of x, of y
        let bits = _mm256_permute4x64_epi64::<0b11_01_10_00>(bits);
        *b = _mm256_movemask_epi8(bits).to_le_bytes();
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn compress_4(f: &[i16; N], b: &mut [u8]) {
    let pairs = _mm256_set1_epi16(16 << 8 | 1);
    for (b, f) in b.as_chunks_mut::<32>().0.iter_mut().zip(f.as_chunks::<64>().0) {
        let [w, x, y, z] = f.as_chunks::<LANES>().0 else { unreachable!() };
        // c0 + 2^4 c1 in a word
        let wx = _mm256_packus_epi16(round_small::<4>(load(w)), round_small::<4>(load(x)));
        let yz = _mm256_packus_epi16(round_small::<4>(load(y)), round_small::<4>(load(z)));
        let bytes = _mm256_packus_epi16(_mm256_maddubs_epi16(wx, pairs), _mm256_maddubs_epi16(yz, pairs));
        // Double words: lower half of w, of x, of y, of z, and so the upper halves.
        store(b, _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn compress_5(f: &[i16; N], b: &mut [u8]) {
    let f = f.as_chunks::<LANES>().0.as_chunks::<2>().0;
    store_groups::<10, 6>(b, |i| {
        let [x, y] = &f[i];
        let values = _mm256_packus_epi16(round_small::<5>(load(x)), round_small::<5>(load(y)));
        // quarters: lower half of x, of y, upper half of x, of y
        let values = _mm256_permute4x64_epi64::<0b11_01_10_00>(values);
        // c0 + 2^5 c1 in a word, then four in a double word
        let pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi16(32 << 8 | 1));
        forty_bits(_mm256_madd_epi16(pairs, _mm256_set1_epi32(1 << (16 + 10) | 1)))
    });
}

#[inline]
#[target_feature(enable = "avx2")]
fn compress_10(f: &[i16; N], b: &mut [u8]) {
    let f = f.as_chunks::<LANES>().0;
    store_groups::<10, 6>(b, |i| {
        // 2^10 becomes 0 here
        let values = _mm256_and_si256(round_large::<10>(load(&f[i])), _mm256_set1_epi16(0x3ff));
        forty_bits(_mm256_madd_epi16(values, _mm256_set1_epi32(1 << (16 + 10) | 1)))
    });
}

/// 20 bits of every double word: 10 bytes in each half.
#[inline]
#[target_feature(enable = "avx2")]
fn forty_bits(v: __m256i) -> __m256i {
    // the lower 20 bits moved up to meet the upper ones
    let v = _mm256_sllv_epi32(v, _mm256_set1_epi64x(12));
    let v = _mm256_srli_epi64::<12>(v);
    _mm256_shuffle_epi8(v, twice(&[0, 1, 2, 3, 4, 8, 9, 10, 11, 12, -1, -1, -1, -1, -1, -1]))
}

#[inline]
#[target_feature(enable = "avx2")]
fn compress_11(f: &[i16; N], b: &mut [u8]) {
    // 2^11 is not reached: no coefficient is that near to q.
    const { assert!(((Q as i32 - 1) << 12) + (Q as i32) < (Q as i32) << 12) };
    let f = f.as_chunks::<LANES>().0;
    store_groups::<11, 5>(b, |i| {
        // c0 + 2^11 c1 in a double word
        let v = _mm256_madd_epi16(round_large::<11>(load(&f[i])), _mm256_set1_epi32(1 << (16 + 11) | 1));
        let v = _mm256_sllv_epi32(v, _mm256_set1_epi64x(10));
        // 44 bits in each quarter
        let v = _mm256_srli_epi64::<10>(v);
        // The first 20 bits of the second quarter join the first; a shift by 64 leaves nothing.
        let swapped = _mm256_shuffle_epi32::<0b01_00_11_10>(v);
        let joining = _mm256_sllv_epi64(swapped, _mm256_setr_epi64x(44, 64, 44, 64));
        _mm256_or_si256(_mm256_srlv_epi64(v, _mm256_setr_epi64x(0, 20, 0, 20)), joining)
    });
}

/// `round(q y / 2^d)` from words with `y` in bits 15 - d to 14 and anything elsewhere.
///
/// The rounding product is (2^(15-d) y q + 2^14) >> 15.
#[inline]
#[target_feature(enable = "avx2")]
fn scale<const D: i32>(y: __m256i) -> __m256i {
    let y = _mm256_and_si256(y, _mm256_set1_epi16(((1 << D) - 1) << (15 - D)));
    _mm256_mulhrs_epi16(y, _mm256_set1_epi16(Q))
}

#[inline]
#[target_feature(enable = "avx2")]
fn decompress_4(b: &[u8], f: &mut [i16; N]) {
    // A byte to two words, its halves to bits 11 to 14.
    let bytes = load(&[
        0i8, -1, 0, -1, 1, -1, 1, -1, 2, -1, 2, -1, 3, -1, 3, -1, 4, -1, 4, -1, 5, -1, 5, -1, 6, -1, 6, -1,
        7, -1, 7, -1,
    ]);
    for (f, b) in f.as_chunks_mut::<LANES>().0.iter_mut().zip(b.as_chunks().0) {
        let words = _mm256_shuffle_epi8(_mm256_set1_epi64x(i64::from_le_bytes(*b)), bytes);
        store(f, scale::<4>(_mm256_mullo_epi16(words, _mm256_set1_epi32(1 << (16 + 7) | 1 << 11))));
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn decompress_5(b: &[u8], f: &mut [i16; N]) {
    // Two bytes for each value, which begins at bit 0, 5, 2, 7, 4, 1, 6, 3 and goes to bit 10.
    let bytes = load(&[
        0i8, 1, 0, 1, 1, 2, 1, 2, 2, 3, 3, 4, 3, 4, 4, -1, 5, 6, 5, 6, 6, 7, 6, 7, 7, 8, 8, 9, 8, 9, 9, -1,
    ]);
    let factors = load(const { &powers([10, 5, 8, 3, 6, 9, 4, 7]) });
    for (f, b) in f.as_chunks_mut::<LANES>().0.iter_mut().zip(b.as_chunks::<10>().0) {
        let words = _mm256_shuffle_epi8(ten_bytes(b), bytes);
        store(f, scale::<5>(_mm256_mullo_epi16(words, factors)));
    }
}

/// Powers of two, the same in each half.
const fn powers(exponents: [u32; 8]) -> [i16; LANES] {
    let (mut powers, mut i) = ([0; LANES], 0);
    while i < LANES {
        powers[i] = 1 << exponents[i & 7];
        i += 1;
    }
    powers
}

#[inline]
#[target_feature(enable = "avx2")]
fn ten_bytes(b: &[u8; 10]) -> __m256i {
    let low = _mm_cvtsi64_si128(i64::from_le_bytes(*at(b, 0)));
    _mm256_broadcastsi128_si256(_mm_insert_epi16::<4>(low, u16::from_le_bytes(*at(b, 8)) as i32))
}

#[inline]
#[target_feature(enable = "avx2")]
fn decompress_10(b: &[u8], f: &mut [i16; N]) {
    // Bytes 0 to 15 and 4 to 19. Two bytes for each value, which begins at bit 0, 2, 4, 6.
    let bytes = load(&[
        0i8, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 6, 7, 7, 8, 8, 9, 9, 10, 11, 12, 12, 13, 13, 14,
        14, 15,
    ]);
    let factors = _mm256_set1_epi64x(1 << 6 | 1 << (16 + 4) | 1 << (32 + 2) | 1 << 48);
    for (f, b) in f.as_chunks_mut::<LANES>().0.iter_mut().zip(b.as_chunks::<20>().0) {
        let words = _mm256_shuffle_epi8(load_pair::<_, 16>(at(b, 0), at(b, 4)), bytes);
        store(f, scale::<10>(_mm256_srli_epi16::<1>(_mm256_mullo_epi16(words, factors))));
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn decompress_11(b: &[u8], f: &mut [i16; N]) {
    // Bytes 0 to 15 and 6 to 21. Four bytes for two values, which begin at bit 0, 6, 4, 2.
    let bytes = load(&[
        0i8, 1, 2, 3, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 5, 6, 7, 8, 7, 8, 9, 10, 10, 11, 12, 13, 13, 14,
        15, -1,
    ]);
    let shifts = _mm256_setr_epi32(0, 6, 4, 2, 0, 6, 4, 2);
    for (f, b) in f.as_chunks_mut::<LANES>().0.iter_mut().zip(b.as_chunks::<22>().0) {
        let pairs = _mm256_shuffle_epi8(load_pair::<_, 16>(at(b, 0), at(b, 6)), bytes);
        let pairs = _mm256_srlv_epi32(pairs, shifts);
        // bits 0 to 10 and 11 to 21 to bits 4 to 14 of their words
        let words =
            _mm256_blend_epi16::<0b1010_1010>(_mm256_slli_epi32::<4>(pairs), _mm256_slli_epi32::<9>(pairs));
        store(f, scale::<11>(words));
    }
}

/// d = 1: every bit becomes 0 or (q + 1) / 2.
#[inline]
#[target_feature(enable = "avx2")]
fn message(b: &[u8], f: &mut [i16; N]) {
    let bit = load(&[1i16, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, i16::MIN]);
    for (f, &b) in f.as_chunks_mut::<LANES>().0.iter_mut().zip(b.as_chunks::<2>().0) {
        let bits = _mm256_and_si256(_mm256_set1_epi16(i16::from_le_bytes(b)), bit);
        let set = _mm256_cmpeq_epi16(bits, bit);
        store(f, _mm256_and_si256(set, _mm256_set1_epi16((Q + 1) >> 1)));
    }
}
