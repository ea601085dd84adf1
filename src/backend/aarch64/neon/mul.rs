//! FIPS 203, Algorithms 11 and 12: products in T_q, summed over a vector.
//!
//! (a0 + a1 X)(b0 + b1 X) mod X^2 - gamma has the coefficients a0 b0 + a1 (b1 gamma) and a0 b1 +
//! a1 b0. The cache of a multiplier holds b1 gamma, computed once for all its products.

use core::arch::aarch64::*;

use super::reduce::{Factors, LANES, montgomery_reduce, multiply, product};
use crate::backend::aarch64::{load, store};
use crate::backend::poly::{N, Q};
use crate::backend::tables::{PLAIN_ZETAS, centred};

/// Largest vector of any parameter set.
const MAX_K: i64 = 4;

/// Pairs of registers: the even and the odd numbers of sixteen.
const PAIRS: usize = N >> 4;
const _: () = assert!(PAIRS * 2 * LANES == N);

// The sums of `sum_of_products`: a is below q, b any 16-bit number, the cache below q.
const SUM: i64 = MAX_K * 2 * (Q as i64 - 1) * (1 << 15);
const _: () = assert!(SUM <= 1 << 30);
// After reduction: the quotient by 2^16 and at most q/2 + 1 more. The inverse transform takes that.
const DOT: i64 = (SUM >> 16) + (Q as i64 >> 1) + 2;
const _: () = assert!(DOT < 1 << 14);
// In `mul_add` it is multiplied once more, and e_hat (below 8q) is added.
const _: () = assert!(product(DOT as i32) + 8 * Q as i32 <= i16::MAX as i32);

/// The factor that undoes the 2^-16.
const RESTORE: Factors = Factors::all(centred(1 << 16));

/// The gammas of sixteen numbers' pairs.
static GAMMAS: [Factors; PAIRS] = {
    let (mut all, mut group) = ([const { Factors::all(0) }; PAIRS], 0);
    while group < PAIRS {
        let (mut factors, mut lane) = ([0; LANES], 0);
        while lane < LANES {
            // Two pairs to a block of the last layer: gamma = zeta and -zeta.
            let pair = LANES * group + lane;
            let zeta = PLAIN_ZETAS[64 + (pair >> 1)];
            factors[lane] = if pair & 1 == 1 { -zeta } else { zeta };
            lane += 1;
        }
        all[group] = Factors::new(factors);
        group += 1;
    }
    all
};

/// The products `b1 gamma`, |c| < q, in the first half of `cache`.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn fill_cache(b: &[i16; N], cache: &mut [i16; N]) {
    let b = b.as_chunks::<LANES>().0.as_chunks::<2>().0;
    let (used, unused) = cache.as_chunks_mut::<LANES>().0.split_at_mut(PAIRS);
    for ((cache, [_, odd]), gammas) in used.iter_mut().zip(b).zip(&GAMMAS) {
        store(cache, multiply(load(odd), gammas));
    }
    for cache in unused {
        store(cache, vdupq_n_s16(0));
    }
}

/// The even and the odd numbers of the sixteen with index `i` of `sum of a[i] b[i]`, in 2^-16 form.
#[inline]
#[target_feature(enable = "neon")]
fn sum_of_products<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    i: usize,
) -> [int16x8_t; 2] {
    const { assert!(K as i64 <= MAX_K) };
    let mut c0 = [vdupq_n_s32(0); 2];
    let mut c1 = [vdupq_n_s32(0); 2];
    for (a, (b, cache)) in a.iter().zip(b) {
        let [a0, a1] = &a.as_chunks::<LANES>().0.as_chunks::<2>().0[i];
        let [b0, b1] = &b.as_chunks::<LANES>().0.as_chunks::<2>().0[i];
        let (a0, a1, b0, b1) = (load(a0), load(a1), load(b0), load(b1));
        let b1_gamma = load(&cache.as_chunks::<LANES>().0[i]);
        c0 = add_product(add_product(c0, a0, b0), a1, b1_gamma);
        c1 = add_product(add_product(c1, a0, b1), a1, b0);
    }
    [montgomery_reduce(c0[0], c0[1]), montgomery_reduce(c1[0], c1[1])]
}

/// `c + a b` in 32 bits.
#[inline]
#[target_feature(enable = "neon")]
fn add_product([low, high]: [int32x4_t; 2], a: int16x8_t, b: int16x8_t) -> [int32x4_t; 2] {
    [vmlal_s16(low, vget_low_s16(a), vget_low_s16(b)), vmlal_high_s16(high, a, b)]
}

/// `a . b` in 2^-16 form; |c| < 2^14.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn dot<const K: usize>(a: &[&[i16; N]; K], b: &[(&[i16; N], &[i16; N]); K], c: &mut [i16; N]) {
    for (i, [even, odd]) in c.as_chunks_mut::<LANES>().0.as_chunks_mut().0.iter_mut().enumerate() {
        let [c0, c1] = sum_of_products(a, b, i);
        store(even, c0);
        store(odd, c1);
    }
}

/// `a . b + e_hat`, plain; |e_hat| < 8q, |c| < 9q.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn mul_add<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    e_hat: &[i16; N],
    c: &mut [i16; N],
) {
    let c = c.as_chunks_mut::<LANES>().0.as_chunks_mut().0;
    let e_hat = e_hat.as_chunks::<LANES>().0.as_chunks().0;
    for (i, ([even, odd], [e0, e1])) in c.iter_mut().zip(e_hat).enumerate() {
        let [c0, c1] = sum_of_products(a, b, i);
        store(even, vaddq_s16(multiply(c0, const { &RESTORE }), load(e0)));
        store(odd, vaddq_s16(multiply(c1, const { &RESTORE }), load(e1)));
    }
}
