//! FIPS 203, Algorithms 11 and 12: products in T_q, summed over a vector.
//!
//! In a pair (a0 + a1 X)(b0 + b1 X) mod X^2 - gamma the only product of three factors is
//! a1 (b1 gamma). The cache of a multiplier holds b1 gamma, computed once for all its products.

use super::ntt::{RUN, ZETAS_2};
use super::reduce::{PRODUCT, montgomery_multiply, montgomery_reduce};
use crate::backend::bounds;
use crate::backend::poly::{N, Q};
use crate::backend::tables::RESTORE;

/// Numbers that `fill_cache` computes: one per pair.
const PAIRS: usize = N >> 1;

/// A run holds one half (a0 or a1) of as many pairs as it is long.
const RUNS_OF_PAIRS: usize = 4;
const _: () = assert!(RUNS_OF_PAIRS * RUN == PAIRS);

/// Largest vector of any parameter set.
const MAX_K: i64 = 4;

// The sums of `sum_of_products`: a is below q, b any 16-bit number, the cache below q.
const SUM: i64 = bounds::sum_of_products(MAX_K, Q as i64 - 1, 1 << 15);
// The inverse transform takes any 16-bit number.
const DOT: i32 = bounds::montgomery_reduced(SUM);
const _: () = assert!(DOT <= i16::MAX as i32);
// In `mul_add` it is multiplied once more, and e_hat is added.
const _: () = assert!(PRODUCT + bounds::TRANSFORMED <= i16::MAX as i32);

/// The products `b1 gamma`, |c| <= 2496, in the first half of `cache`.
pub(crate) fn fill_cache(b: &[i16; N], cache: &mut [i16; N]) {
    let b = b.as_chunks::<RUN>().0;
    for (pair, cache) in cache[..PAIRS].as_chunks_mut::<RUN>().0.iter_mut().enumerate() {
        // Four pairs to a block of eight: gamma = z, -z, z', -z' for the two zetas of the last layer.
        let (gammas, negate) = (&ZETAS_2[pair >> 1], pair & 1 == 1);
        for ((c, &b1), &gamma) in cache.iter_mut().zip(&b[2 * pair + 1]).zip(gammas) {
            *c = montgomery_multiply(b1, if negate { -gamma } else { gamma });
        }
    }
    cache[PAIRS..].fill(0);
}

/// `sum of a[i] b[i]` in 2^-16 form, handed to `finish` with the index of each run of numbers.
#[inline(always)]
fn sum_of_products<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    mut finish: impl FnMut(usize, &[i16; RUN]),
) {
    const { assert!(K as i64 <= MAX_K) };
    for pair in 0..RUNS_OF_PAIRS {
        let (mut c0, mut c1) = ([0i32; RUN], [0i32; RUN]);
        for (a, (b, cache)) in a.iter().zip(b) {
            let (a, b) = (a.as_chunks::<RUN>().0, b.as_chunks::<RUN>().0);
            let (a0, a1) = (&a[2 * pair], &a[2 * pair + 1]);
            let (b0, b1) = (&b[2 * pair], &b[2 * pair + 1]);
            let b1_gamma = &cache.as_chunks::<RUN>().0[pair];
            for i in 0..RUN {
                c0[i] += a0[i] as i32 * b0[i] as i32 + a1[i] as i32 * b1_gamma[i] as i32;
                c1[i] += a0[i] as i32 * b1[i] as i32 + a1[i] as i32 * b0[i] as i32;
            }
        }
        finish(2 * pair, &c0.map(montgomery_reduce));
        finish(2 * pair + 1, &c1.map(montgomery_reduce));
    }
}

/// `a . b` in 2^-16 form; |c| <= 14 978 (`DOT`).
pub(crate) fn dot<const K: usize>(a: &[&[i16; N]; K], b: &[(&[i16; N], &[i16; N]); K], c: &mut [i16; N]) {
    sum_of_products(a, b, |run, sums| c.as_chunks_mut().0[run] = *sums);
}

/// `a . b + e_hat`, plain; |e_hat| < 8q, |c| < 9q.
pub(crate) fn mul_add<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    e_hat: &[i16; N],
    c: &mut [i16; N],
) {
    sum_of_products(a, b, |run, sums| {
        let (c, e) = (&mut c.as_chunks_mut::<RUN>().0[run], &e_hat.as_chunks::<RUN>().0[run]);
        for ((c, sum), e) in c.iter_mut().zip(sums).zip(e) {
            *c = montgomery_multiply(*sum, RESTORE) + e;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest factors there may be, and of a cache any 16-bit number.
    #[test]
    fn sums_reach_their_bound_and_stay_within() {
        let (a, b) = ([Q - 1; N], [i16::MIN; N]);
        assert_eq!((SUM, DOT), ((8 * 3328) << 15, 14_978));
        let mut c = [0; N];
        dot::<{ MAX_K as usize }>(&[&a; 4], &[(&b, &b); 4], &mut c);
        assert!(c.iter().all(|&c| c == montgomery_reduce(-SUM as i32) && i32::from(c).abs() <= DOT));
    }
}
