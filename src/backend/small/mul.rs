//! FIPS 203, Algorithms 11 and 12: products in T_q, added to a sum one after the other.

use super::Small;
use crate::backend::bounds::{TRANSFORMED, montgomery_reduced, sum_of_products};
use crate::backend::poly::{Multiplier, N, NttPoly, Q};
use crate::backend::portable::reduce::{PRODUCT, montgomery_multiply, montgomery_reduce};
use crate::backend::tables::{RESTORE, ZETAS};

/// The largest vector of any parameter set.
const MAX_K: i32 = 4;

/// `sum + a b` in 2^-16 form, with 0 <= a < q and |b| < 8q; sums of four products fit.
pub(crate) fn multiply(a: &[i16; N], b: &[i16; N], sum: &mut [i16; N]) {
    const MOST: i32 = montgomery_reduced(sum_of_products(1, Q as i64 - 1, TRANSFORMED as i64));
    const { assert!(MAX_K * MOST <= i16::MAX as i32) };
    // Two pairs for each zeta of the last layer: gamma is this, and then its negative.
    let pairs = a.as_chunks::<2>().0.iter().zip(b.as_chunks::<2>().0);
    for (i, (sum, (a, b))) in sum.as_chunks_mut::<2>().0.iter_mut().zip(pairs).enumerate() {
        let zeta = ZETAS[(N >> 2) + (i >> 1)];
        let gamma = if i & 1 == 0 { zeta } else { -zeta };
        let b1_gamma = montgomery_multiply(b[1], gamma);
        let product = |x: i16, y: i16| i32::from(x) * i32::from(y);
        sum[0] += montgomery_reduce(product(a[0], b[0]) + product(a[1], b1_gamma));
        sum[1] += montgomery_reduce(product(a[0], b[1]) + product(a[1], b[0]));
    }
}

/// `a . b` in 2^-16 form.
pub(crate) fn dot<const K: usize>(a: &[NttPoly<Small>; K], b: &[Multiplier<Small>; K], sum: &mut [i16; N]) {
    const { assert!(K as i32 <= MAX_K) };
    sum.fill(0);
    for (a, b) in a.iter().zip(b) {
        multiply(a.raw(), b.f_hat.raw(), sum);
    }
}

/// `sum + e_hat`, where `sum` is in 2^-16 form before and plain after; |e_hat| < 8q.
pub(crate) fn add(e_hat: &[i16; N], sum: &mut [i16; N]) {
    const { assert!(PRODUCT + TRANSFORMED <= i16::MAX as i32) };
    for (sum, e) in sum.iter_mut().zip(e_hat) {
        *sum = montgomery_multiply(*sum, RESTORE) + e;
    }
}
