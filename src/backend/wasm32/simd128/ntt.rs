//! FIPS 203, Algorithms 9 and 10: the number-theoretic transform and its inverse.
//!
//! The layers of length 128, 64 and 32 are one pass, on eight registers that are 32 coefficients apart, and the
//! other four a second one, on the four registers of 32 consecutive coefficients. Call the bits of a
//! coefficient's index among the 32, from the lowest, 0 to 4: bits 4 and 3 say which register, bits 2 to 0
//! which of its lanes. A layer of length 2^i needs bit i to say which register, and each shuffle below
//! exchanges one for another. Written "registers; lanes", the forward transform goes through
//!
//! `4 3; 2 1 0` (lengths 16 and 8), `4 2; 3 1 0` (4), `4 1; 2 3 0` (2)
//!
//! and the inverse the same way back. The last is the order of T_q.

use core::arch::wasm32::*;

use super::reduce::{Factors, LANES, barrett_reduce, multiply, product, reduced};
use crate::backend::poly::{N, Q};
use crate::backend::tables::{PLAIN_ZETAS, centred};
use crate::backend::wasm32::{load, store};

/// The factor that undoes a product's 2^-16 and divides by 128 (FIPS 203, Algorithm 10, line 14).
const SCALE: Factors = Factors::all(1 << (16 - 7));

/// The factors of the first three layers by the index of the zeta. The first is not used.
static ACROSS: [Factors; LANES] = {
    let (mut all, mut i) = ([const { Factors::all(0) }; LANES], 1);
    while i < LANES {
        all[i] = Factors::all(PLAIN_ZETAS[i]);
        i += 1;
    }
    all
};

/// The factors of the layers within 32 coefficients.
struct Within {
    length_16: Factors,
    /// Of the lower and the upper 16 coefficients.
    length_8: [Factors; 2],
    length_4: [Factors; 2],
    length_2: [Factors; 2],
}

static FORWARD: [Within; 8] = within(false);
static INVERSE: [Within; 8] = within(true);

const fn within(inverse: bool) -> [Within; 8] {
    const NONE: Within = Within {
        length_16: Factors::all(0),
        length_8: [const { Factors::all(0) }; 2],
        length_4: [const { Factors::all(0) }; 2],
        length_2: [const { Factors::all(0) }; 2],
    };
    let (mut all, mut group) = ([NONE; 8], 0);
    while group < 8 {
        all[group].length_16 = Factors::all(zeta(8, group, inverse));
        let mut half = 0;
        while half < 2 {
            let (mut of_4, mut of_2, mut lane) = ([0; LANES], [0; LANES], 0);
            while lane < LANES {
                of_4[lane] = zeta(32, 4 * group + 2 * half + (lane >> 2), inverse);
                // The lanes are 2 3 0: bits 3 and 2 say which block.
                let last = zeta(64, 8 * group + 4 * half + (lane & 2) + (lane >> 2), inverse);
                of_2[lane] = if inverse { centred((last as i64) << (16 - 7)) } else { last };
                lane += 1;
            }
            all[group].length_8[half] = Factors::all(zeta(16, 2 * group + half, inverse));
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
pub(crate) fn ntt(f: &[i16; N], f_hat: &mut [i16; N]) {
    let (f, f_hat) = (f.as_chunks::<LANES>().0, f_hat.as_chunks_mut::<LANES>().0);
    for i in 0..4 {
        let mut a = [i16x8_splat(0); 8];
        for j in 0..8 {
            a[j] = load(&f[4 * j + i]);
        }
        for j in 0..4 {
            [a[j], a[j + 4]] = butterfly::<{ Q as i32 }>([a[j], a[j + 4]], &ACROSS[1]);
        }
        for j in 0..2 {
            [a[j], a[j + 2]] = butterfly::<{ 2 * Q as i32 }>([a[j], a[j + 2]], &ACROSS[2]);
            [a[j + 4], a[j + 6]] = butterfly::<{ 2 * Q as i32 }>([a[j + 4], a[j + 6]], &ACROSS[3]);
        }
        [a[0], a[1]] = butterfly::<{ 3 * Q as i32 }>([a[0], a[1]], &ACROSS[4]);
        [a[2], a[3]] = butterfly::<{ 3 * Q as i32 }>([a[2], a[3]], &ACROSS[5]);
        [a[4], a[5]] = butterfly::<{ 3 * Q as i32 }>([a[4], a[5]], &ACROSS[6]);
        [a[6], a[7]] = butterfly::<{ 3 * Q as i32 }>([a[6], a[7]], &ACROSS[7]);
        for j in 0..8 {
            store(&mut f_hat[4 * j + i], a[j]);
        }
    }
    for (f, zetas) in f_hat.as_chunks_mut::<4>().0.iter_mut().zip(&FORWARD) {
        let a = [load(&f[0]), load(&f[1]), load(&f[2]), load(&f[3])];
        let [a0, a2] = butterfly::<{ 4 * Q as i32 }>([a[0], a[2]], &zetas.length_16);
        let [a1, a3] = butterfly::<{ 4 * Q as i32 }>([a[1], a[3]], &zetas.length_16);
        let lower = butterfly::<{ 5 * Q as i32 }>([a0, a1], &zetas.length_8[0]);
        let upper = butterfly::<{ 5 * Q as i32 }>([a2, a3], &zetas.length_8[1]);
        for (i, pair) in [lower, upper].into_iter().enumerate() {
            let pair = butterfly::<{ 6 * Q as i32 }>(exchange_4(pair), &zetas.length_4[i]);
            let pair = butterfly::<{ 7 * Q as i32 }>(apart_2(pair), &zetas.length_2[i]);
            store(&mut f[2 * i], pair[0]);
            store(&mut f[2 * i + 1], pair[1]);
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
pub(crate) fn ntt_inverse(f: &mut [i16; N]) {
    // Every product is below it.
    const B: i32 = Q as i32;
    const { assert!(product(2 << 14) <= B && reduced(8 * B) < B) };
    let f = f.as_chunks_mut::<LANES>().0;
    for (f, zetas) in f.as_chunks_mut::<4>().0.iter_mut().zip(&INVERSE) {
        let mut a = [i16x8_splat(0); 4];
        for i in 0..2 {
            let pair = [load(&f[2 * i]), load(&f[2 * i + 1])];
            let [x, y] = inverse_butterfly::<{ 1 << 14 }>(pair, &zetas.length_2[i]);
            let pair = together_2([multiply(x, const { &SCALE }), y]);
            [a[2 * i], a[2 * i + 1]] = exchange_4(inverse_butterfly::<B>(pair, &zetas.length_4[i]));
        }
        [a[0], a[1]] = inverse_butterfly::<{ 2 * B }>([a[0], a[1]], &zetas.length_8[0]);
        [a[2], a[3]] = inverse_butterfly::<{ 2 * B }>([a[2], a[3]], &zetas.length_8[1]);
        let [a0, a2] = inverse_butterfly::<{ 4 * B }>([a[0], a[2]], &zetas.length_16);
        let [a1, a3] = inverse_butterfly::<B>([a[1], a[3]], &zetas.length_16);
        store(&mut f[0], barrett_reduce(a0));
        store(&mut f[1], barrett_reduce(a1));
        store(&mut f[2], a2);
        store(&mut f[3], a3);
    }
    for i in 0..4 {
        let mut a = [i16x8_splat(0); 8];
        for j in 0..8 {
            a[j] = load(&f[4 * j + i]);
        }
        [a[0], a[1]] = inverse_butterfly::<B>([a[0], a[1]], &ACROSS[7]);
        [a[2], a[3]] = inverse_butterfly::<B>([a[2], a[3]], &ACROSS[6]);
        [a[4], a[5]] = inverse_butterfly::<B>([a[4], a[5]], &ACROSS[5]);
        [a[6], a[7]] = inverse_butterfly::<B>([a[6], a[7]], &ACROSS[4]);
        for j in 0..2 {
            [a[j], a[j + 2]] = inverse_butterfly::<{ 2 * B }>([a[j], a[j + 2]], &ACROSS[3]);
            [a[j + 4], a[j + 6]] = inverse_butterfly::<{ 2 * B }>([a[j + 4], a[j + 6]], &ACROSS[2]);
        }
        for j in 0..4 {
            [a[j], a[j + 4]] = inverse_butterfly::<{ 4 * B }>([a[j], a[j + 4]], &ACROSS[1]);
        }
        for j in 0..8 {
            store(&mut f[4 * j + i], a[j]);
        }
    }
}

/// (x + zeta y, x - zeta y): |x|, |y| < B before, < B + q after.
#[inline(always)]
fn butterfly<const B: i32>([x, y]: [v128; 2], zetas: &Factors) -> [v128; 2] {
    const { assert!(B + product(B) <= i16::MAX as i32 && product(B) <= Q as i32) };
    let y = multiply(y, zetas);
    [i16x8_add(x, y), i16x8_sub(x, y)]
}

/// (x + y, zeta (y - x)): |x|, |y| < B before; the sum is below 2B, the product below q.
#[inline(always)]
fn inverse_butterfly<const B: i32>([x, y]: [v128; 2], zetas: &Factors) -> [v128; 2] {
    const { assert!(2 * (B - 1) <= i16::MAX as i32 && product(2 * (B - 1)) < Q as i32) };
    [i16x8_add(x, y), multiply(i16x8_sub(y, x), zetas)]
}

/// `r; a b c` to `a; r b c` and back: x0..x7, y0..y7 to x0 x1 x2 x3 y0 y1 y2 y3, x4 x5 x6 x7 y4 y5 y6 y7.
#[inline(always)]
fn exchange_4([x, y]: [v128; 2]) -> [v128; 2] {
    [i64x2_shuffle::<0, 2>(x, y), i64x2_shuffle::<1, 3>(x, y)]
}

/// `r; a b c` to `b; r a c`: x0..x7, y0..y7 to x0 x1 x4 x5 y0 y1 y4 y5, x2 x3 x6 x7 y2 y3 y6 y7.
#[inline(always)]
fn apart_2([x, y]: [v128; 2]) -> [v128; 2] {
    [i32x4_shuffle::<0, 2, 4, 6>(x, y), i32x4_shuffle::<1, 3, 5, 7>(x, y)]
}

/// The way back from `apart_2`.
#[inline(always)]
fn together_2([x, y]: [v128; 2]) -> [v128; 2] {
    [i32x4_shuffle::<0, 4, 1, 5>(x, y), i32x4_shuffle::<2, 6, 3, 7>(x, y)]
}
