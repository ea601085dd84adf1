//! FIPS 203, section 4.2.1: compression to d bits and back, together with the packing of the bits.
//!
//! No division: for d <= 5 a 16-bit reciprocal is exact, for the others it is one too large at most, and
//! the remainder tells.

use core::arch::x86_64::*;

use super::encode::in_every_part;
use super::reduce::{LANES, sum, sum_with_message};
use super::{Aligned, load, load_bytes, store, store_bytes};
use crate::backend::poly::{N, Q};
use crate::backend::tables::BARRETT;
use crate::backend::x86_64::load_half;

/// `ByteEncode_d(Compress_d(f))`, d = L / 32. 0 <= f < q.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn compress<const L: usize>(f: &[i16; N], b: &mut [u8; L]) {
    let f = f.as_chunks::<LANES>().0;
    compress_registers(|i| load(&f[i]), b);
}

/// `ByteEncode_d(Compress_d(f + e))`, d = L / 32; |f| < 8q, |e| <= 3.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn add_compress<const L: usize>(f: &[i16; N], e: &[i16; N], b: &mut [u8; L]) {
    let (f, e) = (f.as_chunks::<LANES>().0, e.as_chunks::<LANES>().0);
    compress_registers(|i| sum(load(&f[i]), load(&e[i])), b);
}

/// `ByteEncode_d(Compress_d(f + e + Decompress_1(ByteDecode_1(m))))`, d = L / 32; |f| < 8q, |e| <= 3.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn add_message_compress<const L: usize>(
    f: &[i16; N],
    e: &[i16; N],
    m: &[u8; 32],
    b: &mut [u8; L],
) {
    let (f, e, m) = (f.as_chunks::<LANES>().0, e.as_chunks::<LANES>().0, m.as_chunks::<4>().0);
    compress_registers(|i| sum_with_message(load(&f[i]), load(&e[i]), decompressed_bits(m[i])), b);
}

/// Of the registers 0 to 7 of a polynomial, canonical.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
fn compress_registers<const L: usize>(f: impl Fn(usize) -> __m512i, b: &mut [u8; L]) {
    const { assert!(L == 32 || L == 128 || L == 160 || L == 320 || L == 352) };
    match L >> 5 {
        1 => compress1(f, b),
        4 => compress4(f, b),
        5 => compress5(f, b),
        10 => compress10(f, b),
        _ => compress11(f, b),
    }
}

/// `Decompress_d(ByteDecode_d(b))`, d = L / 32. 0 <= f < q.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn decompress<const L: usize>(b: &[u8; L], f: &mut [i16; N]) {
    const { assert!(L == 32 || L == 128 || L == 160 || L == 320 || L == 352) };
    match L >> 5 {
        1 => decompress1(b, f),
        4 => decompress4(b, f),
        5 => decompress5(b, f),
        10 => decompress10(b, f),
        _ => decompress11(b, f),
    }
}

/// A coefficient is nearer to q/2 than to 0 or q if it is above q/4 and below 3q/4: a compare makes the bits.
#[inline]
#[target_feature(enable = "avx512bw")]
fn compress1(f: impl Fn(usize) -> __m512i, b: &mut [u8]) {
    // the first and the last that become 1
    const LEAST: i16 = (Q + 3) >> 2;
    const MOST: i16 = (3 * Q) >> 2;
    const { assert!(4 * LEAST > Q && 4 * (LEAST - 1) < Q && 4 * MOST < 3 * Q && 4 * (MOST + 1) > 3 * Q) };
    for (i, b) in b.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let above = _mm512_sub_epi16(f(i), _mm512_set1_epi16(LEAST));
        let bits = _mm512_cmple_epu16_mask(above, _mm512_set1_epi16(MOST - LEAST));
        *b = bits.to_le_bytes();
    }
}

/// 2^20 / q, rounded: upwards, so no whole quotient becomes too small. (The tests try every coefficient.)
const RECIPROCAL: i16 = 315;
const _: () = {
    let excess = RECIPROCAL as i32 * Q as i32 - (1 << 20);
    assert!(0 < excess && 2 * excess < Q as i32);
};

/// Round(16 f / q) modulo 16 for 64 coefficients, as bytes. Lanes: 8 of x, 8 of y, and so on.
#[inline]
#[target_feature(enable = "avx512bw")]
fn sixteenths(x: __m512i, y: __m512i) -> __m512i {
    // floor(32 f / q), and then half of that, rounded up
    let twice = _mm512_set1_epi16(2 * RECIPROCAL);
    let (x, y) = (_mm512_mulhi_epi16(x, twice), _mm512_mulhi_epi16(y, twice));
    let halves = _mm512_avg_epu8(_mm512_packus_epi16(x, y), _mm512_setzero_si512());
    _mm512_and_si512(halves, _mm512_set1_epi8(0xf))
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn compress4(f: impl Fn(usize) -> __m512i, b: &mut [u8]) {
    // Each part of 128 bits is four bytes of each of four registers: collect those of the first, the second, ...
    const TRANSPOSE: Aligned<[i32; 16]> = Aligned([0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15]);
    for (i, b) in b.as_chunks_mut::<64>().0.iter_mut().enumerate() {
        // c0 + 16 c1 in 16 bits
        let pairs = _mm512_set1_epi16(16 << 8 | 1);
        let low = _mm512_maddubs_epi16(sixteenths(f(4 * i), f(4 * i + 1)), pairs);
        let high = _mm512_maddubs_epi16(sixteenths(f(4 * i + 2), f(4 * i + 3)), pairs);
        let bytes = _mm512_packus_epi16(low, high);
        store(b, _mm512_permutexvar_epi32(load(&TRANSPOSE.0), bytes));
    }
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn compress5(f: impl Fn(usize) -> __m512i, b: &mut [u8]) {
    // 64-bit lanes: a part has one of either register.
    const COLLECT: Aligned<[i64; 8]> = Aligned([0, 2, 4, 6, 1, 3, 5, 7]);
    let reciprocal = _mm512_set1_epi16(RECIPROCAL);
    for i in 0..4 {
        // round(32 f / q)
        let (x, y) = (f(2 * i), f(2 * i + 1));
        let (x, y) = (_mm512_mulhrs_epi16(x, reciprocal), _mm512_mulhrs_epi16(y, reciprocal));
        let fives = _mm512_and_si512(_mm512_packus_epi16(x, y), _mm512_set1_epi8(0x1f));
        // c0 + 2^5 c1 in 16 bits, then c0 + ... + 2^15 c3 in 32
        let tens = _mm512_maddubs_epi16(fives, _mm512_set1_epi16(32 << 8 | 1));
        let twenties = _mm512_madd_epi16(tens, _mm512_set1_epi32(1 << (10 + 16) | 1));
        let forties = join::<20>(twenties);
        store_bytes::<40>(b, 40 * i, close_up_fives(_mm512_permutexvar_epi64(load(&COLLECT.0), forties)));
    }
}

/// Two numbers of D bits in the 32-bit halves of each 64-bit lane become one of 2 D bits.
#[inline]
#[target_feature(enable = "avx512bw")]
fn join<const D: i64>(pairs: __m512i) -> __m512i {
    let together = _mm512_sllv_epi32(pairs, _mm512_set1_epi64(32 - D));
    _mm512_srlv_epi64(together, _mm512_set1_epi64(32 - D))
}

/// The lowest five bytes of every 64-bit lane, as 40 bytes.
#[inline]
#[target_feature(enable = "avx512bw")]
fn close_up_fives(forties: __m512i) -> __m512i {
    // Within parts of 128 bits by bytes, then their five words each.
    const BYTES: Aligned<[u8; 64]> = in_every_part(&[0, 1, 2, 3, 4, 8, 9, 10, 11, 12]);
    const WORDS: Aligned<[i16; 32]> = Aligned([
        0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 16, 17, 18, 19, 20, 24, 25, 26, 27, 28, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0,
    ]);
    _mm512_permutexvar_epi16(load(&WORDS.0), _mm512_shuffle_epi8(forties, load(&BYTES.0)))
}

/// round(2^D f / q) modulo 2^D for D = 10 or 11, two numbers joined in each 32-bit lane.
#[inline]
#[target_feature(enable = "avx512bw")]
fn pairs<const D: u32>(f: __m512i) -> __m512i {
    const { assert!(D == 10 || D == 11) };
    // 2^(15 + D) / q, at least: an error below one half in the result, upwards.
    let reciprocal = const {
        let reciprocal = (BARRETT + 1) >> (11 - D);
        let excess = reciprocal as i64 * Q as i64 - (1 << (15 + D));
        assert!(0 < excess && 2 * (excess * Q as i64) < (Q as i64) << 15);
        reciprocal
    };
    let y = _mm512_mulhrs_epi16(f, _mm512_set1_epi16(reciprocal));
    // 2^D f - q y, below q + q/2 in absolute value although both terms overflow; it would be -q/2 at least,
    // were y right.
    let remainder = _mm512_sub_epi16(
        _mm512_sll_epi16(f, _mm_cvtsi32_si128(D as i32)),
        _mm512_mullo_epi16(y, _mm512_set1_epi16(Q)),
    );
    let too_large = _mm512_cmplt_epi16_mask(remainder, _mm512_set1_epi16(-(Q >> 1)));
    let y = _mm512_mask_sub_epi16(y, too_large, y, _mm512_set1_epi16(1));
    let y = _mm512_and_si512(y, _mm512_set1_epi16((1 << D) - 1));
    _mm512_madd_epi16(y, _mm512_set1_epi32(1 << (D + 16) | 1))
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn compress10(f: impl Fn(usize) -> __m512i, b: &mut [u8]) {
    for i in 0..8 {
        store_bytes::<40>(b, 40 * i, close_up_fives(join::<20>(pairs::<10>(f(i)))));
    }
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn compress11(f: impl Fn(usize) -> __m512i, b: &mut [u8]) {
    // A part of 128 bits has two numbers: 44 bits in bytes 0 to 5, and 44 bits shifted up by four in bytes 8 to 13.
    // Its 11 bytes are 0 1 2 3 4 5|8 9 10 11 12 13. Those of the second and of the fourth part begin
    // in the middle of a word. Bytes that share a byte or a word with a byte before them come from `REST`.
    const BYTES: Aligned<[u8; 64]> = alternate(
        &[0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 0x80, 0x80, 0x80, 0x80, 0x80],
        &[1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
    );
    const WORDS: Aligned<[i16; 32]> = Aligned([
        0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 16, 17, 18, 19, 20, 21, 24, 25, 26, 27, 28, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7,
    ]);
    const NONE: u8 = 0x80;
    const REST: Aligned<[u8; 64]> = alternate(
        &[NONE, NONE, NONE, NONE, NONE, 8, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE],
        &[NONE, NONE, NONE, NONE, 8, NONE, NONE, NONE, NONE, NONE, NONE, 0, NONE, NONE, NONE, NONE],
    );
    // words 2, 8, 13 and 19 for the bytes in two, 5 and 16 for the words in two; 7 is a zero
    const REST_WORDS: Aligned<[i16; 32]> = Aligned([
        7, 7, 2, 7, 7, 13, 7, 7, 10, 7, 7, 7, 7, 18, 7, 7, 29, 7, 7, 26, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    ]);
    const SHIFTS: Aligned<[i64; 8]> = Aligned([10, 6, 10, 6, 10, 6, 10, 6]);
    for i in 0..8 {
        let together = _mm512_sllv_epi32(pairs::<11>(f(i)), _mm512_set1_epi64(10));
        let numbers = _mm512_srlv_epi64(together, load(&SHIFTS.0));
        let bytes = _mm512_shuffle_epi8(numbers, load(&BYTES.0));
        let rest = _mm512_shuffle_epi8(numbers, load(&REST.0));
        let bytes = _mm512_permutexvar_epi16(load(&WORDS.0), bytes);
        let rest = _mm512_permutexvar_epi16(load(&REST_WORDS.0), rest);
        store_bytes::<44>(b, 44 * i, _mm512_or_si512(bytes, rest));
    }
}

/// One byte shuffle for the first and the third part of 128 bits, one for the others.
const fn alternate(even: &[u8; 16], odd: &[u8; 16]) -> Aligned<[u8; 64]> {
    let (mut shuffle, mut i) = ([0; 64], 0);
    while i < 64 {
        shuffle[i] = if i & 16 == 0 { even[i & 15] } else { odd[i & 15] };
        i += 1;
    }
    Aligned(shuffle)
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn decompress1(b: &[u8], f: &mut [i16; N]) {
    for (b, f) in b.as_chunks::<4>().0.iter().zip(f.as_chunks_mut::<LANES>().0) {
        store(f, decompressed_bits(*b));
    }
}

/// A bit selects 0 or (q + 1) / 2: no branch, a mask.
#[inline]
#[target_feature(enable = "avx512bw")]
fn decompressed_bits(b: [u8; 4]) -> __m512i {
    _mm512_maskz_mov_epi16(u32::from_le_bytes(b), _mm512_set1_epi16((Q + 1) >> 1))
}

/// round(q y / 2^D) for every y of D <= 5 bits, repeated: one register, indexed by a lane's lowest five bits.
const fn decompressed<const D: u32>() -> Aligned<[i16; LANES]> {
    let (mut table, mut i) = ([0; LANES], 0);
    while i < LANES {
        let y = i as i32 & ((1 << D) - 1);
        table[i] = ((y * Q as i32 + (1 << (D - 1))) >> D) as i16;
        i += 1;
    }
    Aligned(table)
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn decompress4(b: &[u8], f: &mut [i16; N]) {
    const TABLE: Aligned<[i16; LANES]> = decompressed::<4>();
    for (b, f) in b.as_chunks::<16>().0.iter().zip(f.as_chunks_mut::<LANES>().0) {
        let bytes = _mm512_cvtepu8_epi32(load_half(b));
        // The higher half of a byte to the lane above; bits from the fifth on do not matter.
        let index = _mm512_or_si512(bytes, _mm512_slli_epi32::<12>(bytes));
        store(f, _mm512_permutexvar_epi16(index, load(&TABLE.0)));
    }
}

/// Words of the parts of 128 bits: part j begins at the word that holds byte `from + j step`.
const fn parts(from: usize, step: usize) -> Aligned<[i16; 32]> {
    let (mut words, mut i) = ([0; 32], 0);
    while i < 32 {
        words[i] = (((from + (i >> 3) * step) >> 1) + (i & 7)) as i16 & 31;
        i += 1;
    }
    Aligned(words)
}

/// For coefficient c of a part made by `parts`, the two bytes that begin `ahead` bytes after the one with bit D c.
/// Where that is before the part, zeros.
const fn windows<const D: usize>(from: usize, ahead: isize) -> Aligned<[u8; 64]> {
    let (mut shuffle, mut i) = ([0x80; 64], 0);
    while i < 64 {
        let (part, c) = (i >> 4, (i & 15) >> 1);
        let first = ((from + part * D) & 1) as isize + ((D * c) >> 3) as isize + ahead + (i & 1) as isize;
        if first >= 0 {
            shuffle[i] = first as u8;
        }
        i += 1;
    }
    Aligned(shuffle)
}

/// D c modulo 8, by which the window of coefficient c has to be shifted: `sign` times that plus `plus`.
const fn shifts<const D: usize>(sign: i16, plus: i16) -> Aligned<[i16; LANES]> {
    let (mut shifts, mut i) = ([0; LANES], 0);
    while i < LANES {
        shifts[i] = sign * ((D * (i & 7)) & 7) as i16 + plus;
        i += 1;
    }
    Aligned(shifts)
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn decompress5(b: &[u8], f: &mut [i16; N]) {
    const TABLE: Aligned<[i16; LANES]> = decompressed::<5>();
    const FIRST: Aligned<[i16; 32]> = parts(0, 5);
    const SECOND: Aligned<[i16; 32]> = parts(20, 5);
    const WINDOWS: Aligned<[u8; 64]> = windows::<5>(0, 0);
    const SHIFTS: Aligned<[i16; LANES]> = shifts::<5>(1, 0);
    for (i, f) in f.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let b = load_bytes::<40>(b, 40 * i);
        for (parts, f) in [load(&FIRST.0), load(&SECOND.0)].into_iter().zip(f) {
            let windows = _mm512_shuffle_epi8(_mm512_permutexvar_epi16(parts, b), load(&WINDOWS.0));
            let index = _mm512_srlv_epi16(windows, load(&SHIFTS.0));
            store(f, _mm512_permutexvar_epi16(index, load(&TABLE.0)));
        }
    }
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn decompress10(b: &[u8], f: &mut [i16; N]) {
    const PARTS: Aligned<[i16; 32]> = parts(0, 10);
    const WINDOWS: Aligned<[u8; 64]> = windows::<10>(0, 0);
    // y to the top: 10 c modulo 8 is even, 6 at most, so all of it is in the window
    const SHIFTS: Aligned<[i16; LANES]> = shifts::<10>(-1, 6);
    for (i, f) in f.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let parts = _mm512_permutexvar_epi16(load(&PARTS.0), load_bytes::<40>(b, 40 * i));
        let windows = _mm512_shuffle_epi8(parts, load(&WINDOWS.0));
        let top = _mm512_sllv_epi16(windows, load(&SHIFTS.0));
        let y = _mm512_and_si512(_mm512_srli_epi16::<1>(top), _mm512_set1_epi16(0x7fe0));
        store(f, _mm512_mulhrs_epi16(y, _mm512_set1_epi16(Q)));
    }
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn decompress11(b: &[u8], f: &mut [i16; N]) {
    const PARTS: Aligned<[i16; 32]> = parts(0, 11);
    // A coefficient begins in the last byte of the first window and ends in the second.
    const FIRST: Aligned<[u8; 64]> = windows::<11>(0, -1);
    const SECOND: Aligned<[u8; 64]> = windows::<11>(0, 1);
    const FIRST_SHIFTS: Aligned<[i16; LANES]> = shifts::<11>(1, 4);
    const SECOND_SHIFTS: Aligned<[i16; LANES]> = shifts::<11>(-1, 12);
    for (i, f) in f.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let parts = _mm512_permutexvar_epi16(load(&PARTS.0), load_bytes::<44>(b, 44 * i));
        let first = _mm512_srlv_epi16(_mm512_shuffle_epi8(parts, load(&FIRST.0)), load(&FIRST_SHIFTS.0));
        let second = _mm512_sllv_epi16(_mm512_shuffle_epi8(parts, load(&SECOND.0)), load(&SECOND_SHIFTS.0));
        // (first | second) & 0x7ff0: y 2^4
        let y = _mm512_ternarylogic_epi32::<0b1110_0000>(_mm512_set1_epi16(0x7ff0), first, second);
        store(f, _mm512_mulhrs_epi16(y, _mm512_set1_epi16(Q)));
    }
}
