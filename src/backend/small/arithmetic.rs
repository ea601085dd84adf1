//! Sampling, the transforms and the products, in the standard's order and in place.

use crate::backend::bounds::{TRANSFORMED, forward, montgomery_reduced, sum, sum_of_products};
use crate::backend::poly::{Lazy, Multiplier, N, NttPoly, Q, Range};
use crate::backend::portable::reduce::{PRODUCT, barrett_reduce, montgomery_multiply, montgomery_reduce};
use crate::backend::tables::{RESTORE, RESTORE_AND_SCALE, ZETAS};
use crate::sponge::fips202::XOF_BLOCK;

use super::Small;

/// FIPS 203, Algorithm 7, lines 5 to 16, for one block. Variable time: the block is public.
pub(crate) fn sample_ntt_block(block: &[u8; XOF_BLOCK], a_hat: &mut [i16; N], mut filled: usize) -> usize {
    for &[b0, b1, b2] in block.as_chunks::<3>().0 {
        let [b0, b1, b2] = [b0, b1, b2].map(i16::from);
        for d in [b0 | (b1 & 0xf) << 8, b1 >> 4 | b2 << 4] {
            if let (true, Some(a)) = (d < Q, a_hat.get_mut(filled)) {
                *a = d;
                filled += 1;
            }
        }
    }
    filled
}

/// FIPS 203, Algorithm 9. |f| < q before, < 8q after.
pub(crate) fn ntt(f: &mut [i16; N]) {
    const { assert!(forward(7, PRODUCT) <= TRANSFORMED) };
    // `zip` asks for a block first, and so takes no zeta that the next layer needs.
    let mut zetas = ZETAS[1..].iter();
    let mut len = N >> 1;
    while len > 1 {
        for (block, zeta) in f.chunks_exact_mut(2 * len).zip(&mut zetas) {
            let (low, high) = block.split_at_mut(len);
            for (x, y) in low.iter_mut().zip(high) {
                let t = montgomery_multiply(*y, *zeta);
                (*x, *y) = (*x + t, *x - t);
            }
        }
        len >>= 1;
    }
}

/// FIPS 203, Algorithm 10, for input that carries a factor 2^-16 from a product. Any 16-bit input; |f| < 8q.
pub(crate) fn ntt_inverse(f: &mut [i16; N]) {
    // What a layer takes lies below this: products do, and sums are reduced in each.
    const B: i32 = PRODUCT + 1;
    const { assert!(sum(B) <= i16::MAX as i32 && Q as i32 >> 1 < B && B <= Lazy::MAX as i32) };
    for c in &mut *f {
        *c = montgomery_multiply(*c, RESTORE_AND_SCALE);
    }
    let mut zetas = ZETAS.iter().rev();
    let mut len = 2;
    while len < N {
        for (block, zeta) in f.chunks_exact_mut(2 * len).zip(&mut zetas) {
            let (low, high) = block.split_at_mut(len);
            for (x, y) in low.iter_mut().zip(high) {
                let (total, difference) = (*x + *y, *y - *x);
                *x = barrett_reduce(total);
                *y = montgomery_multiply(difference, *zeta);
            }
        }
        len <<= 1;
    }
}

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
