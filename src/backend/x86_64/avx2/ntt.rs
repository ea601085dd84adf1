//! FIPS 203, Algorithms 9 and 10: the number-theoretic transform and its inverse.
//!
//! The layers of length 128, 64 and 32 pair registers. The others stay within 32 coefficients,
//! and so within two registers. Call the bits of a coefficient's index among the 32, from the
//! lowest, 0 to 4: bit 4 says which register, bits 3 to 1 which of its eight double words. A
//! layer of length 2^i needs bit i to say which register, and each shuffle below brings another
//! bit there. Written "register; double word", the forward transform goes through
//!
//! `4; 3 2 1` (length 16), `3; 4 2 1` (8), `2; 4 1 3` (4), `1; 4 3 2` (2), `3; 4 2 1`, `4; 3 2 1`
//!
//! and the inverse the same way back. Bit 0 is never moved: products want pairs together.

use core::arch::x86_64::*;

use super::reduce::{Factors, LANES, PRODUCT, barrett_reduce, montgomery_multiply, reduced};
use crate::backend::poly::{N, Q};
use crate::backend::tables::{RESTORE_AND_SCALE, ZETAS, centred};
use crate::backend::x86_64::{load, load_pair, store};

/// The factors of the layers within 32 coefficients.
struct Within {
    length_16: Factors,
    length_8: Factors,
    length_4: Factors,
    length_2: Factors,
}

static FORWARD: [Within; 8] = within(false);
static INVERSE: [Within; 8] = within(true);

/// What the first layer of the inverse transform gives its sums: it scales everything.
const SCALE: Factors = Factors::all(RESTORE_AND_SCALE);

const fn within(inverse: bool) -> [Within; 8] {
    let mut all = [const {
        Within {
            length_16: Factors::all(0),
            length_8: Factors::all(0),
            length_4: Factors::all(0),
            length_2: Factors::all(0),
        }
    }; 8];
    let mut group = 0;
    while group < 8 {
        let mut factors = [[0; LANES]; 4];
        let mut lane = 0;
        while lane < LANES {
            // the bits of the double word, in the order of the list above
            let (p2, p1, p0) = (lane >> 3, lane >> 2 & 1, lane >> 1 & 1);
            factors[0][lane] = zeta(8, group, inverse);
            factors[1][lane] = zeta(16, 2 * group + p2, inverse);
            factors[2][lane] = zeta(32, 4 * group + 2 * p2 + p0, inverse);
            let last = zeta(64, 8 * group + 4 * p2 + 2 * p1 + p0, inverse);
            factors[3][lane] = if inverse { montgomery_product(last, RESTORE_AND_SCALE) } else { last };
            lane += 1;
        }
        all[group] = Within {
            length_16: Factors::new(factors[0]),
            length_8: Factors::new(factors[1]),
            length_4: Factors::new(factors[2]),
            length_2: Factors::new(factors[3]),
        };
        group += 1;
    }
    all
}

/// The zeta of a block in the layer of so many blocks; the inverse runs through them backwards (FIPS 203,
/// Algorithm 10, line 6).
const fn zeta(blocks: usize, block: usize, inverse: bool) -> i16 {
    ZETAS[if inverse { 2 * blocks - 1 - block } else { blocks + block }]
}

/// `a b 2^-16`, centred.
const fn montgomery_product(a: i16, b: i16) -> i16 {
    // 2^-16 = 169 (mod q)
    const { assert!(centred(169 << 16) == 1) };
    centred(a as i64 * b as i64 * 169)
}

/// FIPS 203, Algorithm 9. |f| < q; |f_hat| < 8q.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn ntt(f: &[i16; N], f_hat: &mut [i16; N]) {
    let (f, f_hat) = (f.as_chunks::<LANES>().0, f_hat.as_chunks_mut::<LANES>().0);
    for odd in 0..2 {
        let mut a = [_mm256_setzero_si256(); 8];
        for i in 0..8 {
            a[i] = load(&f[2 * i + odd]);
        }
        for i in 0..4 {
            (a[i], a[i + 4]) = butterfly::<{ Q as i32 }>(a[i], a[i + 4], const { &Factors::all(ZETAS[1]) });
        }
        for i in 0..2 {
            (a[i], a[i + 2]) =
                butterfly::<{ 2 * Q as i32 }>(a[i], a[i + 2], const { &Factors::all(ZETAS[2]) });
            (a[i + 4], a[i + 6]) =
                butterfly::<{ 2 * Q as i32 }>(a[i + 4], a[i + 6], const { &Factors::all(ZETAS[3]) });
        }
        (a[0], a[1]) = butterfly::<{ 3 * Q as i32 }>(a[0], a[1], const { &Factors::all(ZETAS[4]) });
        (a[2], a[3]) = butterfly::<{ 3 * Q as i32 }>(a[2], a[3], const { &Factors::all(ZETAS[5]) });
        (a[4], a[5]) = butterfly::<{ 3 * Q as i32 }>(a[4], a[5], const { &Factors::all(ZETAS[6]) });
        (a[6], a[7]) = butterfly::<{ 3 * Q as i32 }>(a[6], a[7], const { &Factors::all(ZETAS[7]) });
        for i in 0..8 {
            store(&mut f_hat[2 * i + odd], a[i]);
        }
    }
    for ([x_out, y_out], zetas) in f_hat.as_chunks_mut::<2>().0.iter_mut().zip(&FORWARD) {
        let (x, y) = butterfly::<{ 4 * Q as i32 }>(load(x_out), load(y_out), &zetas.length_16);
        let (x, y) = halves(x, y);
        let (x, y) = butterfly::<{ 5 * Q as i32 }>(x, y, &zetas.length_8);
        let (x, y) = zip(x, y);
        let (x, y) = butterfly::<{ 6 * Q as i32 }>(x, y, &zetas.length_4);
        let (x, y) = zip(x, y);
        let (x, y) = butterfly::<{ 7 * Q as i32 }>(x, y, &zetas.length_2);
        let (x, y) = zip(x, y);
        let (x, y) = halves(x, y);
        store(x_out, x);
        store(y_out, y);
    }
}

/// FIPS 203, Algorithm 10, in place, for input that carries a factor 2^-16 from a product.
/// |f| < 2^14 before, |f| < 8q after.
///
/// A layer replaces (x, y) by (x + y, zeta (y - x)): the bound of a sum doubles, that of a product does not
/// grow. The first layer multiplies its sums as well, by the scale, and that reduces them; the fourth has to
/// reduce them once more.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn ntt_inverse(f: &mut [i16; N]) {
    const B: i32 = PRODUCT + 1;
    const { assert!(reduced(8 * B) < B && 8 * B <= 8 * Q as i32) };
    let f = f.as_chunks_mut::<LANES>().0;
    for ([x_out, y_out], zetas) in f.as_chunks_mut::<2>().0.iter_mut().zip(&INVERSE) {
        let (x, y) = load_halves(x_out, y_out);
        let (x, y) = unzip(x, y);
        let (x, y) = inverse_butterfly::<{ 1 << 14 }>(x, y, &zetas.length_2);
        let x = montgomery_multiply(x, &SCALE);
        let (x, y) = unzip(x, y);
        let (x, y) = inverse_butterfly::<B>(x, y, &zetas.length_4);
        let (x, y) = unzip(x, y);
        let (x, y) = inverse_butterfly::<{ 2 * B }>(x, y, &zetas.length_8);
        let (x, y) = halves(x, y);
        let (x, y) = inverse_butterfly::<{ 4 * B }>(x, y, &zetas.length_16);
        store(x_out, barrett_reduce(x));
        store(y_out, y);
    }
    for odd in 0..2 {
        let mut a = [_mm256_setzero_si256(); 8];
        for i in 0..8 {
            a[i] = load(&f[2 * i + odd]);
        }
        (a[0], a[1]) = inverse_butterfly::<B>(a[0], a[1], const { &Factors::all(ZETAS[7]) });
        (a[2], a[3]) = inverse_butterfly::<B>(a[2], a[3], const { &Factors::all(ZETAS[6]) });
        (a[4], a[5]) = inverse_butterfly::<B>(a[4], a[5], const { &Factors::all(ZETAS[5]) });
        (a[6], a[7]) = inverse_butterfly::<B>(a[6], a[7], const { &Factors::all(ZETAS[4]) });
        for i in 0..2 {
            (a[i], a[i + 2]) =
                inverse_butterfly::<{ 2 * B }>(a[i], a[i + 2], const { &Factors::all(ZETAS[3]) });
            (a[i + 4], a[i + 6]) =
                inverse_butterfly::<{ 2 * B }>(a[i + 4], a[i + 6], const { &Factors::all(ZETAS[2]) });
        }
        for i in 0..4 {
            (a[i], a[i + 4]) =
                inverse_butterfly::<{ 4 * B }>(a[i], a[i + 4], const { &Factors::all(ZETAS[1]) });
        }
        for i in 0..8 {
            store(&mut f[2 * i + odd], a[i]);
        }
    }
}

/// (x + zeta y, x - zeta y): |x|, |y| < B before, < B + q after.
#[inline]
#[target_feature(enable = "avx2")]
fn butterfly<const B: i32>(x: __m256i, y: __m256i, zeta: &Factors) -> (__m256i, __m256i) {
    const { assert!(B + PRODUCT <= i16::MAX as i32 && PRODUCT < Q as i32) };
    let t = montgomery_multiply(y, zeta);
    (_mm256_add_epi16(x, t), _mm256_sub_epi16(x, t))
}

/// (x + y, zeta (y - x)): |x|, |y| < B before; the sum is below 2B, the product at most `PRODUCT`.
#[inline]
#[target_feature(enable = "avx2")]
fn inverse_butterfly<const B: i32>(x: __m256i, y: __m256i, zeta: &Factors) -> (__m256i, __m256i) {
    const { assert!(2 * (B - 1) <= i16::MAX as i32) };
    (_mm256_add_epi16(x, y), montgomery_multiply(_mm256_sub_epi16(y, x), zeta))
}

/// `r; a b c` to `a; r b c`: x0..x7, y0..y7 to x0 x1 x2 x3 y0 y1 y2 y3, x4 x5 x6 x7 y4 y5 y6 y7.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(x: __m256i, y: __m256i) -> (__m256i, __m256i) {
    (_mm256_permute2x128_si256::<0x20>(x, y), _mm256_permute2x128_si256::<0x31>(x, y))
}

/// `halves` on the way from memory, where it costs no shuffle.
#[inline]
#[target_feature(enable = "avx2")]
fn load_halves(x: &[i16; LANES], y: &[i16; LANES]) -> (__m256i, __m256i) {
    let ([x0, x1], [y0, y1]) = (split(x), split(y));
    (load_pair(x0, y0), load_pair(x1, y1))
}

/// `r; a b c` to `b; a c r`: x0..x7, y0..y7 to x0 y0 x1 y1 x4 y4 x5 y5, x2 y2 x3 y3 x6 y6 x7 y7.
#[inline]
#[target_feature(enable = "avx2")]
fn zip(x: __m256i, y: __m256i) -> (__m256i, __m256i) {
    (_mm256_unpacklo_epi32(x, y), _mm256_unpackhi_epi32(x, y))
}

/// `r; a b c` to `c; a r b`: x0..x7, y0..y7 to x0 x2 y0 y2 x4 x6 y4 y6, x1 x3 y1 y3 x5 x7 y5 y7.
#[inline]
#[target_feature(enable = "avx2")]
fn unzip(x: __m256i, y: __m256i) -> (__m256i, __m256i) {
    let (x, y) = (_mm256_castsi256_ps(x), _mm256_castsi256_ps(y));
    (
        _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(x, y)),
        _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(x, y)),
    )
}

/// The two halves of a register's numbers.
#[inline(always)]
fn split(a: &[i16; LANES]) -> [&[i16; 8]; 2] {
    let [low, high] = a.as_chunks::<8>().0 else { unreachable!() };
    [low, high]
}
