//! FIPS 203, Algorithms 9 and 10: the number-theoretic transform and its inverse.
//!
//! The order of T_q here: coefficient j of the block b of eight is number 32 j + b. The
//! last layers then act on whole runs of 32 numbers, as the first ones do, and the two halves of a
//! product's factors are runs as well: every inner loop is a vector loop.

use super::reduce::{PRODUCT, barrett_reduce, montgomery_multiply};
use crate::backend::bounds::{TRANSFORMED, forward, sum};
use crate::backend::poly::{Lazy, N, Q, Range};
use crate::backend::tables::{RESTORE_AND_SCALE, ZETAS};

/// Blocks of eight coefficients in a polynomial, and so the length of a run.
pub(crate) const RUN: usize = 32;

/// Zetas of the layer of length 4: one per block.
const ZETAS_4: [i16; RUN] = every(32, 1);
/// Zetas of the layer of length 2: two per block, first those of the lower half. They are also, up to sign,
/// the gammas of the product (FIPS 203, Algorithm 11).
pub(crate) const ZETAS_2: [[i16; RUN]; 2] = [every(64, 2), every(65, 2)];

const fn every(start: usize, step: usize) -> [i16; RUN] {
    let mut run = [0; RUN];
    let mut b = 0;
    while b < RUN {
        run[b] = ZETAS[start + step * b];
        b += 1;
    }
    run
}

/// From the standard's order to that of this backend.
#[inline(always)]
pub(crate) fn split_into_runs(standard: &[i16; N], f_hat: &mut [i16; N]) {
    for (b, block) in standard.as_chunks::<8>().0.iter().enumerate() {
        for (j, &c) in block.iter().enumerate() {
            f_hat[RUN * j + b] = c;
        }
    }
}

/// FIPS 203, Algorithm 9. |f| < q; |f_hat| < 8q.
pub(crate) fn ntt(f: &[i16; N], f_hat: &mut [i16; N]) {
    let mut a = *f;
    layer::<128, { forward(0, PRODUCT) }>(&mut a);
    layer::<64, { forward(1, PRODUCT) }>(&mut a);
    layer::<32, { forward(2, PRODUCT) }>(&mut a);
    layer::<16, { forward(3, PRODUCT) }>(&mut a);
    layer::<8, { forward(4, PRODUCT) }>(&mut a);
    split_into_runs(&a, f_hat);
    let runs = f_hat.as_chunks_mut::<RUN>().0;
    for j in 0..4 {
        butterflies::<{ forward(5, PRODUCT) }>(runs, j, j + 4, &ZETAS_4);
    }
    for j in [0, 1, 4, 5] {
        butterflies::<{ forward(6, PRODUCT) }>(runs, j, j + 2, &ZETAS_2[j >> 2]);
    }
    const { assert!(forward(7, PRODUCT) <= TRANSFORMED) };
    wipe(&mut a);
}

/// Blocks of a layer of this length, a power of two: 128 / len. Also the index of the layer's first zeta.
const fn blocks(len: usize) -> usize {
    N >> (1 + len.trailing_zeros())
}

/// One layer in natural order, |a| < B before and < B + q after.
#[inline(always)]
fn layer<const LEN: usize, const B: i32>(a: &mut [i16; N]) {
    const { assert!(B + PRODUCT <= i16::MAX as i32) };
    for (block, &zeta) in a.chunks_exact_mut(2 * LEN).zip(&ZETAS[blocks(LEN)..]) {
        let (low, high) = block.split_at_mut(LEN);
        for (x, y) in low.iter_mut().zip(high) {
            let t = montgomery_multiply(*y, zeta);
            (*x, *y) = (*x + t, *x - t);
        }
    }
}

/// A layer's butterflies between two runs, |a| < B before and < B + q after.
#[inline(always)]
fn butterflies<const B: i32>(runs: &mut [[i16; RUN]], x: usize, y: usize, zetas: &[i16; RUN]) {
    const { assert!(B + PRODUCT <= i16::MAX as i32) };
    let (mut low, mut high) = (runs[x], runs[y]);
    for ((x, y), &zeta) in low.iter_mut().zip(&mut high).zip(zetas) {
        let t = montgomery_multiply(*y, zeta);
        (*x, *y) = (*x + t, *x - t);
    }
    (runs[x], runs[y]) = (low, high);
}

/// FIPS 203, Algorithm 10, in place, for input that carries a factor 2^-16 from a product.
/// Any 16-bit input; |f| < 8q.
///
/// A layer replaces (x, y) by (x + y, zeta (y - x)): the bound of a sum doubles, that of a product does not
/// grow. So sums are reduced in the third and the sixth layer, and only there.
pub(crate) fn ntt_inverse(f: &mut [i16; N]) {
    const B: i32 = PRODUCT + 1;
    let mut a = [0; N];
    for c in f.iter_mut() {
        *c = montgomery_multiply(*c, RESTORE_AND_SCALE);
    }
    let runs = f.as_chunks_mut::<RUN>().0;
    for j in [0, 1, 4, 5] {
        inverse_butterflies::<B>(runs, j, j + 2, &ZETAS_2[1 - (j >> 2)]);
    }
    for j in 0..4 {
        inverse_butterflies::<{ sum(B) }>(runs, j, j + 4, &ZETAS_4);
    }
    for (b, block) in a.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        for (j, c) in block.iter_mut().enumerate() {
            *c = f[RUN * j + b];
        }
    }
    inverse_layer::<8, { sum(sum(B)) }, B>(&mut a);
    inverse_layer::<16, B, { sum(B) }>(&mut a);
    inverse_layer::<32, { sum(B) }, { sum(sum(B)) }>(&mut a);
    inverse_layer::<64, { sum(sum(B)) }, B>(&mut a);
    inverse_layer::<128, B, { sum(B) }>(&mut a);
    const { assert!(sum(B) <= Lazy::MAX as i32 + 1) };
    *f = a;
    wipe(&mut a);
}

/// One inverse layer in natural order, |a| < B before and < AFTER after: sums are reduced where that asks for it.
#[inline(always)]
fn inverse_layer<const LEN: usize, const B: i32, const AFTER: i32>(a: &mut [i16; N]) {
    const { assert!(PRODUCT < AFTER && Q as i32 >> 1 < AFTER) };
    // The zetas run backwards (FIPS 203, Algorithm 10, line 6).
    let zetas = ZETAS[blocks(LEN)..2 * blocks(LEN)].iter().rev();
    for (block, &zeta) in a.chunks_exact_mut(2 * LEN).zip(zetas) {
        let (low, high) = block.split_at_mut(LEN);
        for (x, y) in low.iter_mut().zip(high) {
            let (total, difference) = (*x + *y, *y - *x);
            *x = if const { sum(B) > AFTER } { barrett_reduce(total) } else { total };
            *y = montgomery_multiply(difference, zeta);
        }
    }
}

/// An inverse layer's butterflies between two runs, |a| < B before and < 2B after. The zetas of a
/// forward layer serve, read backwards.
#[inline(always)]
fn inverse_butterflies<const B: i32>(runs: &mut [[i16; RUN]], x: usize, y: usize, zetas: &[i16; RUN]) {
    const { sum(B) };
    let (mut low, mut high) = (runs[x], runs[y]);
    for ((x, y), &zeta) in low.iter_mut().zip(&mut high).zip(zetas.iter().rev()) {
        let (sum, difference) = (*x + *y, *y - *x);
        (*x, *y) = (sum, montgomery_multiply(difference, zeta));
    }
    (runs[x], runs[y]) = (low, high);
}

/// The working copy may hold a secret polynomial.
#[inline(always)]
fn wipe(a: &mut [i16; N]) {
    *a = [0; N];
    zeroize::optimization_barrier(a);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::tables::mod_q;

    /// Every number as large as a product gets, all of one sign: the longest chain of sums there is.
    #[test]
    fn the_inverse_transform_takes_every_16_bit_number() {
        let product = |a: &i16| montgomery_multiply(*a, RESTORE_AND_SCALE);
        let most = (i16::MIN..=i16::MAX).max_by_key(product).expect("a number");
        let least = (i16::MIN..=i16::MAX).min_by_key(product).expect("a number");
        // Sixteen of them do not fit: sums have to be reduced on their way.
        assert!([most, least].iter().all(|a| 16 * i32::from(product(a)).abs() > 1 << 15));
        for a in [most, least, i16::MIN, i16::MAX] {
            // The transform of a + a X, and the factor that a product lacks.
            let mut f = [a; N];
            ntt_inverse(&mut f);
            for (i, c) in f.into_iter().enumerate() {
                assert!((Lazy::MIN..=Lazy::MAX).contains(&c), "{c} from {a}");
                assert_eq!(
                    mod_q(c.into()),
                    if i < 2 { mod_q(i64::from(a) << 16) } else { 0 },
                    "{i} from {a}"
                );
            }
        }
    }

    #[test]
    fn the_working_copy_is_wiped() {
        let mut a = [7; N];
        wipe(&mut a);
        assert_eq!(a, [0; N]);
    }
}
