//! FIPS 203, Algorithms 11 and 12: products in T_q, summed over a vector.
//!
//! (a0 + a1 X)(b0 + b1 X) mod X^2 - gamma has the coefficients a0 b0 + a1 (b1 gamma) and a0 b1 +
//! a1 b0. The cache of a multiplier holds b0 and b1 gamma, computed once for all its products: then both
//! are one multiplication of pairs.

use core::arch::wasm32::*;

use super::reduce::{Factors, LANES, montgomery_reduce, multiply, product};
use crate::backend::poly::{N, Q};
use crate::backend::tables::{PLAIN_ZETAS, centred};
use crate::backend::wasm32::{load, store};

/// Largest vector of any parameter set.
const MAX_K: i64 = 4;

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

/// One for the first number of each pair, its gamma for the second.
static GAMMAS: [Factors; N / LANES] = {
    let (mut all, mut register) = ([const { Factors::all(0) }; N / LANES], 0);
    while register < N / LANES {
        let (mut factors, mut lane) = ([1; LANES], 1);
        while lane < LANES {
            // Two pairs to a block of the last layer: gamma = zeta and -zeta. They are in two registers.
            let zeta = PLAIN_ZETAS[64 + 4 * (register >> 1) + (lane & 2) + (lane >> 2)];
            factors[lane] = if register & 1 == 1 { -zeta } else { zeta };
            lane += 2;
        }
        all[register] = Factors::new(factors);
        register += 1;
    }
    all
};

/// `b0` and the products `b1 gamma`, |c| < q.
#[inline(never)]
pub(crate) fn fill_cache(b: &[i16; N], cache: &mut [i16; N]) {
    let (b, cache) = (b.as_chunks::<LANES>().0, cache.as_chunks_mut::<LANES>().0);
    for ((cache, b), gammas) in cache.iter_mut().zip(b).zip(&GAMMAS) {
        store(cache, multiply(load(b), gammas));
    }
}

/// The numbers of register `i` of `sum of a[i] b[i]`, in 2^-16 form.
#[inline(always)]
fn sum_of_products<const K: usize>(a: &[&[i16; N]; K], b: &[(&[i16; N], &[i16; N]); K], i: usize) -> v128 {
    const { assert!(K as i64 <= MAX_K) };
    let mut c0 = i32x4_splat(0);
    let mut c1 = i32x4_splat(0);
    for (a, (b, cache)) in a.iter().zip(b) {
        let [a, b, cache] = [a, b, cache].map(|numbers| load(&numbers.as_chunks::<LANES>().0[i]));
        let swapped = i16x8_shuffle::<1, 0, 3, 2, 5, 4, 7, 6>(b, b);
        c0 = i32x4_add(c0, i32x4_dot_i16x8(a, cache));
        c1 = i32x4_add(c1, i32x4_dot_i16x8(a, swapped));
    }
    montgomery_reduce(c0, c1)
}

/// `a . b` in 2^-16 form; |c| < 2^14.
#[inline(never)]
pub(crate) fn dot<const K: usize>(a: &[&[i16; N]; K], b: &[(&[i16; N], &[i16; N]); K], c: &mut [i16; N]) {
    for (i, c) in c.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        store(c, sum_of_products(a, b, i));
    }
}

/// `a . b + e_hat`, plain; |e_hat| < 8q, |c| < 9q.
#[inline(never)]
pub(crate) fn mul_add<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    e_hat: &[i16; N],
    c: &mut [i16; N],
) {
    let (c, e_hat) = (c.as_chunks_mut::<LANES>().0, e_hat.as_chunks::<LANES>().0);
    for (i, (c, e_hat)) in c.iter_mut().zip(e_hat).enumerate() {
        store(c, i16x8_add(multiply(sum_of_products(a, b, i), const { &RESTORE }), load(e_hat)));
    }
}
