//! FIPS 203, Algorithms 9 and 10: the number-theoretic transform and its inverse.
//!
//! The layers of length 128, 64 and 32 are one pass, on eight registers that are 32 coefficients apart, and the
//! other four a second one, on the four registers of 32 consecutive coefficients. Call the bits of a
//! coefficient's index among the 32, from the lowest, 0 to 4: bits 4 and 3 say which register, bits 2 to 0
//! which of its lanes. A layer of length 2^i needs bit i to say which register, and each shuffle below
//! exchanges one for another. Written "registers; lanes", the forward transform goes through
//!
//! `4 3; 2 1 0` (lengths 16 and 8), `4 2; 3 1 0` (4), `4 1; 3 2 0` (2), `4 0; 3 2 1`
//!
//! and the inverse the same way back. The last is the order of T_q.

use core::arch::aarch64::*;

use super::reduce::{Factors, LANES, barrett_reduce, multiply, multiply_lane, product, reduced};
use crate::backend::aarch64::{load, store};
use crate::backend::poly::{N, Q};
use crate::backend::tables::{PLAIN_ZETAS, centred, quotient};

/// The factor that undoes a product's 2^-16 and divides by 128 (FIPS 203, Algorithm 10, line 14).
const SCALE: Factors = Factors::all(1 << (16 - 7));

/// The factors of the first three layers by the index of the zeta, and their quotients. The first is not used.
static ACROSS: [[i16; LANES]; 2] = {
    let (mut all, mut i) = ([[0; LANES]; 2], 1);
    while i < LANES {
        all[0][i] = PLAIN_ZETAS[i];
        all[1][i] = quotient(PLAIN_ZETAS[i]);
        i += 1;
    }
    all
};

/// The factors of the layers within 32 coefficients.
struct Within {
    /// In lanes 1 to 3 the zeta of length 16 and the two of length 8, in lanes 5 to 7 their quotients.
    across: [i16; LANES],
    /// Of the lower and the upper 16 coefficients.
    length_4: [Factors; 2],
    length_2: [Factors; 2],
}

static FORWARD: [Within; 8] = within(false);
static INVERSE: [Within; 8] = within(true);

const fn within(inverse: bool) -> [Within; 8] {
    const NONE: Within = Within {
        across: [0; LANES],
        length_4: [const { Factors::all(0) }; 2],
        length_2: [const { Factors::all(0) }; 2],
    };
    let (mut all, mut group) = ([NONE; 8], 0);
    while group < 8 {
        let of_16 = zeta(8, group, inverse);
        let of_8 = [zeta(16, 2 * group, inverse), zeta(16, 2 * group + 1, inverse)];
        all[group].across =
            [Q, of_16, of_8[0], of_8[1], 0, quotient(of_16), quotient(of_8[0]), quotient(of_8[1])];
        let mut half = 0;
        while half < 2 {
            let (mut of_4, mut of_2, mut lane) = ([0; LANES], [0; LANES], 0);
            while lane < LANES {
                of_4[lane] = zeta(32, 4 * group + 2 * half + (lane >> 2), inverse);
                let last = zeta(64, 8 * group + 4 * half + (lane >> 1), inverse);
                of_2[lane] = if inverse { centred((last as i64) << (16 - 7)) } else { last };
                lane += 1;
            }
            all[group].length_4[half] = Factors::new(of_4);
            all[group].length_2[half] = Factors::new(of_2);
            half += 1;
        }
        group += 1;
    }
    all
}

/// The zeta of a block in the layer of so many blocks; the inverse runs through them backwards (FIPS 203,
/// Algorithm 10, line 6).
const fn zeta(blocks: usize, block: usize, inverse: bool) -> i16 {
    PLAIN_ZETAS[if inverse { 2 * blocks - 1 - block } else { blocks + block }]
}

/// FIPS 203, Algorithm 9. |f| < q; |f_hat| < 8q.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn ntt(f: &[i16; N], f_hat: &mut [i16; N]) {
    let (f, f_hat) = (f.as_chunks::<LANES>().0, f_hat.as_chunks_mut::<LANES>().0);
    let [b, t] = [load(&ACROSS[0]), load(&ACROSS[1])];
    for i in 0..4 {
        let mut a = [vdupq_n_s16(0); 8];
        for j in 0..8 {
            a[j] = load(&f[4 * j + i]);
        }
        for j in 0..4 {
            [a[j], a[j + 4]] = butterfly::<1, 1, { Q as i32 }>([a[j], a[j + 4]], b, t);
        }
        for j in 0..2 {
            [a[j], a[j + 2]] = butterfly::<2, 2, { 2 * Q as i32 }>([a[j], a[j + 2]], b, t);
            [a[j + 4], a[j + 6]] = butterfly::<3, 3, { 2 * Q as i32 }>([a[j + 4], a[j + 6]], b, t);
        }
        [a[0], a[1]] = butterfly::<4, 4, { 3 * Q as i32 }>([a[0], a[1]], b, t);
        [a[2], a[3]] = butterfly::<5, 5, { 3 * Q as i32 }>([a[2], a[3]], b, t);
        [a[4], a[5]] = butterfly::<6, 6, { 3 * Q as i32 }>([a[4], a[5]], b, t);
        [a[6], a[7]] = butterfly::<7, 7, { 3 * Q as i32 }>([a[6], a[7]], b, t);
        for j in 0..8 {
            store(&mut f_hat[4 * j + i], a[j]);
        }
    }
    for (f, zetas) in f_hat.as_chunks_mut::<4>().0.iter_mut().zip(&FORWARD) {
        let z = load(&zetas.across);
        let a = [load(&f[0]), load(&f[1]), load(&f[2]), load(&f[3])];
        let [a0, a2] = butterfly::<1, 5, { 4 * Q as i32 }>([a[0], a[2]], z, z);
        let [a1, a3] = butterfly::<1, 5, { 4 * Q as i32 }>([a[1], a[3]], z, z);
        let lower = butterfly::<2, 6, { 5 * Q as i32 }>([a0, a1], z, z);
        let upper = butterfly::<3, 7, { 5 * Q as i32 }>([a2, a3], z, z);
        for (i, pair) in [lower, upper].into_iter().enumerate() {
            let pair = butterflies::<{ 6 * Q as i32 }>(exchange_4(pair), &zetas.length_4[i]);
            let pair = butterflies::<{ 7 * Q as i32 }>(exchange_2(pair), &zetas.length_2[i]);
            let [even, odd] = exchange_1(pair);
            store(&mut f[2 * i], even);
            store(&mut f[2 * i + 1], odd);
        }
    }
}

/// FIPS 203, Algorithm 10, in place, for input that carries a factor 2^-16 from a product.
/// |f| < 2^14 before, |f| < 8q after.
///
/// A layer replaces (x, y) by (x + y, zeta (y - x)): the bound of a sum doubles, that of a product does not
/// grow. The first layer multiplies its sums as well, by the scale, and that reduces them; the fourth has to
/// reduce what were sums in the third.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn ntt_inverse(f: &mut [i16; N]) {
    // Every product is below it.
    const B: i32 = Q as i32;
    const { assert!(product(2 << 14) <= B && reduced(8 * B) < B) };
    let f = f.as_chunks_mut::<LANES>().0;
    for (f, zetas) in f.as_chunks_mut::<4>().0.iter_mut().zip(&INVERSE) {
        let z = load(&zetas.across);
        let mut a = [vdupq_n_s16(0); 4];
        for i in 0..2 {
            let pair = exchange_1([load(&f[2 * i]), load(&f[2 * i + 1])]);
            let [x, y] = inverse_butterflies::<{ 1 << 14 }>(pair, &zetas.length_2[i]);
            let pair = exchange_2([multiply(x, const { &SCALE }), y]);
            [a[2 * i], a[2 * i + 1]] = exchange_4(inverse_butterflies::<B>(pair, &zetas.length_4[i]));
        }
        [a[0], a[1]] = inverse_butterfly::<2, 6, { 2 * B }>([a[0], a[1]], z, z);
        [a[2], a[3]] = inverse_butterfly::<3, 7, { 2 * B }>([a[2], a[3]], z, z);
        let [a0, a2] = inverse_butterfly::<1, 5, { 4 * B }>([a[0], a[2]], z, z);
        let [a1, a3] = inverse_butterfly::<1, 5, { B }>([a[1], a[3]], z, z);
        store(&mut f[0], barrett_reduce(a0));
        store(&mut f[1], barrett_reduce(a1));
        store(&mut f[2], a2);
        store(&mut f[3], a3);
    }
    let [b, t] = [load(&ACROSS[0]), load(&ACROSS[1])];
    for i in 0..4 {
        let mut a = [vdupq_n_s16(0); 8];
        for j in 0..8 {
            a[j] = load(&f[4 * j + i]);
        }
        [a[0], a[1]] = inverse_butterfly::<7, 7, B>([a[0], a[1]], b, t);
        [a[2], a[3]] = inverse_butterfly::<6, 6, B>([a[2], a[3]], b, t);
        [a[4], a[5]] = inverse_butterfly::<5, 5, B>([a[4], a[5]], b, t);
        [a[6], a[7]] = inverse_butterfly::<4, 4, B>([a[6], a[7]], b, t);
        for j in 0..2 {
            [a[j], a[j + 2]] = inverse_butterfly::<3, 3, { 2 * B }>([a[j], a[j + 2]], b, t);
            [a[j + 4], a[j + 6]] = inverse_butterfly::<2, 2, { 2 * B }>([a[j + 4], a[j + 6]], b, t);
        }
        for j in 0..4 {
            [a[j], a[j + 4]] = inverse_butterfly::<1, 1, { 4 * B }>([a[j], a[j + 4]], b, t);
        }
        for j in 0..8 {
            store(&mut f[4 * j + i], a[j]);
        }
    }
}

/// (x + zeta y, x - zeta y): |x|, |y| < B before, < B + q after. The factor as `multiply_lane` takes it.
#[inline]
#[target_feature(enable = "neon")]
fn butterfly<const I: i32, const T: i32, const B: i32>(
    [x, y]: [int16x8_t; 2],
    b: int16x8_t,
    t: int16x8_t,
) -> [int16x8_t; 2] {
    const { assert!(B + product(B) <= i16::MAX as i32 && product(B) <= Q as i32) };
    let y = multiply_lane::<I, T>(y, b, t);
    [vaddq_s16(x, y), vsubq_s16(x, y)]
}

/// The same with a factor for each lane.
#[inline]
#[target_feature(enable = "neon")]
fn butterflies<const B: i32>([x, y]: [int16x8_t; 2], zetas: &Factors) -> [int16x8_t; 2] {
    const { assert!(B + product(B) <= i16::MAX as i32 && product(B) <= Q as i32) };
    let y = multiply(y, zetas);
    [vaddq_s16(x, y), vsubq_s16(x, y)]
}

/// (x + y, zeta (y - x)): |x|, |y| < B before; the sum is below 2B, the product below q.
#[inline]
#[target_feature(enable = "neon")]
fn inverse_butterfly<const I: i32, const T: i32, const B: i32>(
    [x, y]: [int16x8_t; 2],
    b: int16x8_t,
    t: int16x8_t,
) -> [int16x8_t; 2] {
    const { assert!(2 * (B - 1) <= i16::MAX as i32 && product(2 * (B - 1)) < Q as i32) };
    [vaddq_s16(x, y), multiply_lane::<I, T>(vsubq_s16(y, x), b, t)]
}

/// The same with a factor for each lane.
#[inline]
#[target_feature(enable = "neon")]
fn inverse_butterflies<const B: i32>([x, y]: [int16x8_t; 2], zetas: &Factors) -> [int16x8_t; 2] {
    const { assert!(2 * (B - 1) <= i16::MAX as i32 && product(2 * (B - 1)) < Q as i32) };
    [vaddq_s16(x, y), multiply(vsubq_s16(y, x), zetas)]
}

/// `r; a b c` to `a; r b c` and back: x0..x7, y0..y7 to x0 x1 x2 x3 y0 y1 y2 y3, x4 x5 x6 x7 y4 y5 y6 y7.
#[inline]
#[target_feature(enable = "neon")]
fn exchange_4([x, y]: [int16x8_t; 2]) -> [int16x8_t; 2] {
    let (x, y) = (vreinterpretq_s64_s16(x), vreinterpretq_s64_s16(y));
    [vreinterpretq_s16_s64(vtrn1q_s64(x, y)), vreinterpretq_s16_s64(vtrn2q_s64(x, y))]
}

/// `r; a b c` to `b; a r c` and back: x0..x7, y0..y7 to x0 x1 y0 y1 x4 x5 y4 y5, x2 x3 y2 y3 x6 x7 y6 y7.
#[inline]
#[target_feature(enable = "neon")]
fn exchange_2([x, y]: [int16x8_t; 2]) -> [int16x8_t; 2] {
    let (x, y) = (vreinterpretq_s32_s16(x), vreinterpretq_s32_s16(y));
    [vreinterpretq_s16_s32(vtrn1q_s32(x, y)), vreinterpretq_s16_s32(vtrn2q_s32(x, y))]
}

/// `r; a b c` to `c; a b r` and back: x0..x7, y0..y7 to x0 y0 x2 y2 x4 y4 x6 y6, x1 y1 x3 y3 x5 y5 x7 y7.
#[inline]
#[target_feature(enable = "neon")]
fn exchange_1([x, y]: [int16x8_t; 2]) -> [int16x8_t; 2] {
    [vtrn1q_s16(x, y), vtrn2q_s16(x, y)]
}
