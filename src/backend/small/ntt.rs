//! FIPS 203, Algorithms 9 and 10: the number-theoretic transform and its inverse, in place and in the standard's order.

use crate::backend::bounds::{TRANSFORMED, forward, sum};
use crate::backend::poly::{Lazy, N, Q, Range};
use crate::backend::portable::reduce::{PRODUCT, barrett_reduce, montgomery_multiply};
use crate::backend::tables::{RESTORE_AND_SCALE, ZETAS};

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
