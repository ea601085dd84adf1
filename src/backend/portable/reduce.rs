//! Modular arithmetic in 16 bits, and the sums that end in a full reduction.

use crate::backend::poly::{N, Q};
use crate::backend::tables::{BARRETT, Q_INVERSE};

/// Largest absolute value of `montgomery_multiply(a, b)` over every 16-bit a and every
/// |b| <= (q-1)/2. (Exhaustive search finds -2492 to 2496.)
pub(crate) const PRODUCT: i32 = 2496;

/// High half of the 32-bit product.
#[inline(always)]
fn high(a: i16, b: i16) -> i16 {
    ((a as i32 * b as i32) >> 16) as i16
}

/// `a b 2^-16 mod q`: |result| <= 2496 for every a if b is centred, < q if |b| < q.
///
/// a b - (a b q^-1 mod 2^16) q is divisible by 2^16, so the low halves of its two terms cancel
/// and the difference of the high halves is exact.
#[inline(always)]
pub(crate) fn montgomery_multiply(a: i16, b: i16) -> i16 {
    let m = a.wrapping_mul(b.wrapping_mul(Q_INVERSE));
    high(a, b) - high(m, Q)
}

/// `a 2^-16 mod q` for a sum of products, |a| <= 2^30: |result| <= |a| / 2^16 + q / 2 + 1.
#[inline(always)]
pub(crate) fn montgomery_reduce(a: i32) -> i16 {
    let m = (a as i16).wrapping_mul(Q_INVERSE);
    // The low halves are equal, so they cancel here as well.
    ((a >> 16) as i16) - high(m, Q)
}

/// The representative of `a` in -(q-1)/2 ..= (q-1)/2, for every 16-bit a.
#[inline(always)]
pub(crate) fn barrett_reduce(a: i16) -> i16 {
    // round(a BARRETT / 2^26), in the two shifts that a 16-bit multiplier gives
    let t = (high(a, BARRETT) + (1 << 9)) >> 10;
    a.wrapping_sub(t.wrapping_mul(Q))
}

/// The representative of `a` in 0 ..= q-1, for every 16-bit a.
#[inline(always)]
pub(crate) fn canonicalise(a: i16) -> i16 {
    let r = barrett_reduce(a);
    r + ((r >> 15) & Q)
}

/// `f + e + sum`, canonical, in place of `sum`; |f| < 8q, |e| <= 3, 0 <= sum < q: at most 29 963 in 16 bits.
pub(crate) fn add_to(f: &[i16; N], e: &[i16; N], sum: &mut [i16; N]) {
    for ((sum, f), e) in sum.iter_mut().zip(f).zip(e) {
        *sum = canonicalise(f + e + *sum);
    }
}

/// `v - f`, canonical; 0 <= v < q, |f| < 8q: at most 29 959 in 16 bits.
pub(crate) fn sub(v: &[i16; N], f: &[i16; N], difference: &mut [i16; N]) {
    for ((difference, v), f) in difference.iter_mut().zip(v).zip(f) {
        *difference = canonicalise(v - f);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::bounds::montgomery_reduced;

    fn congruent(a: i64, b: i64) -> bool {
        (a - b).rem_euclid(Q as i64) == 0
    }

    #[test]
    fn reductions_are_exact_for_every_input() {
        for a in i16::MIN..=i16::MAX {
            let r = barrett_reduce(a);
            assert!((-1664..=1664).contains(&r) && congruent(r as i64, a as i64), "barrett {a}");
            assert_eq!(canonicalise(a) as i64, (a as i64).rem_euclid(Q as i64), "canonical {a}");
        }
    }

    #[test]
    fn products_are_exact_and_bounded_for_every_centred_factor() {
        let (mut least, mut most) = (0, 0);
        for b in -1664..=1664i16 {
            for a in i16::MIN..=i16::MAX {
                let r = montgomery_multiply(a, b);
                // |r| < q and r 2^16 = a b (mod q), checked without a division per pair
                let difference = ((r as i64) << 16) - a as i64 * b as i64;
                let multiple = (difference as i32).wrapping_mul(crate::backend::tables::Q_INVERSE_32);
                assert_eq!(multiple as i64 * Q as i64, difference, "{a} {b}");
                (least, most) = (r.min(least), r.max(most));
            }
        }
        assert_eq!((least, most), (-2492, PRODUCT as i16));
    }

    #[test]
    fn sums_of_products_are_reduced_exactly() {
        let edges = [-(1 << 30), -(1 << 30) + 1, -1, 0, 1, (1 << 30) - 1, 1 << 30];
        let spread = (0..1 << 20).map(|i: i32| i.wrapping_mul(0x9e37_79b1u32 as i32) >> 1);
        for a in edges.into_iter().chain(spread) {
            let r = montgomery_reduce(a) as i64;
            assert!(congruent(r << 16, a as i64), "{a}");
            assert!(r.abs() <= montgomery_reduced((a as i64).abs()) as i64, "{a}");
        }
    }
}
