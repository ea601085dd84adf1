//! FIPS 203, Algorithms 11 and 12: products in T_q, summed over a vector.
//!
//! (a0 + a1 X)(b0 + b1 X) mod X^2 - gamma has the coefficients a0 b0 + a1 (b1 gamma) and a0 b1 +
//! a1 b0. Pairs stand together in double words, and one instruction multiplies pairs and adds
//! the two products: by the pair (b0, b1 gamma), which is the cache of a multiplier, and by
//! (b1, b0).

use core::arch::x86_64::*;

use super::encode::twice;
use super::ntt::INVERSE_INPUT;
use super::reduce::{Factors, LANES, PRODUCT, montgomery_multiply, montgomery_reduce};
use crate::backend::bounds;
use crate::backend::poly::{N, Q};
use crate::backend::tables::{RESTORE, ZETAS};
use crate::backend::x86_64::{load, store};

/// Largest vector of any parameter set.
const MAX_K: i64 = 4;

// The sums of `sum_of_products`: a is below q, b any 16-bit number, the cache as well.
const SUM: i64 = bounds::sum_of_products(MAX_K, Q as i64 - 1, 1 << 15);
const _: () = assert!(bounds::montgomery_reduced(SUM) < INVERSE_INPUT);
// In `mul_add` it is multiplied once more, and e_hat is added.
const _: () = assert!(PRODUCT + bounds::TRANSFORMED <= i16::MAX as i32);

const RESTORED: Factors = Factors::all(RESTORE);

/// The gammas of 32 coefficients: in the even lanes those of the first 16, in the odd ones those of
/// the second.
static GAMMAS: [Factors; 8] = {
    let mut all = [const { Factors::all(0) }; 8];
    let mut group = 0;
    while group < 8 {
        let mut factors = [0; LANES];
        let mut lane = 0;
        while lane < LANES {
            // Two pairs to a block of the last layer: gamma = zeta and -zeta.
            let pair = 16 * group + 8 * (lane & 1) + (lane >> 1);
            let zeta = ZETAS[64 + (pair >> 1)];
            factors[lane] = if pair & 1 == 1 { -zeta } else { zeta };
            lane += 1;
        }
        all[group] = Factors::new(factors);
        group += 1;
    }
    all
};

/// The pairs (b0, b1 gamma), |b1 gamma| <= 2496.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn fill_cache(b: &[i16; N], cache: &mut [i16; N]) {
    let (b, cache) = (b.as_chunks::<LANES>().0.as_chunks().0, cache.as_chunks_mut::<LANES>().0);
    for (([cache_x, cache_y], [x, y]), gammas) in cache.as_chunks_mut().0.iter_mut().zip(b).zip(&GAMMAS) {
        let (x, y) = (load(x), load(y));
        // every b1 of both
        let b1 = _mm256_blend_epi16::<ODD>(_mm256_srli_epi32::<16>(x), y);
        let b1_gamma = montgomery_multiply(b1, gammas);
        store(cache_x, _mm256_blend_epi16::<ODD>(x, _mm256_slli_epi32::<16>(b1_gamma)));
        store(cache_y, _mm256_blend_epi16::<ODD>(y, b1_gamma));
    }
}

/// Selects the odd lanes from a blend's second operand.
const ODD: i32 = 0b1010_1010;

/// Register `r` of `sum of a[i] b[i]`, in 2^-16 form.
#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_products<const K: usize>(a: &[&[i16; N]; K], b: &[(&[i16; N], &[i16; N]); K], r: usize) -> __m256i {
    const { assert!(K as i64 <= MAX_K) };
    let swap = twice(&[2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13]);
    let (mut c0, mut c1) = (_mm256_setzero_si256(), _mm256_setzero_si256());
    for (a, (b, cache)) in a.iter().zip(b) {
        let a = load(&a.as_chunks::<LANES>().0[r]);
        let b = load(&b.as_chunks::<LANES>().0[r]);
        let cache = load(&cache.as_chunks::<LANES>().0[r]);
        c0 = _mm256_add_epi32(c0, _mm256_madd_epi16(a, cache));
        c1 = _mm256_add_epi32(c1, _mm256_madd_epi16(a, _mm256_shuffle_epi8(b, swap)));
    }
    // Low halves and high halves of c0 in the even lanes, of c1 in the odd ones.
    let low = _mm256_blend_epi16::<ODD>(c0, _mm256_slli_epi32::<16>(c1));
    let high = _mm256_blend_epi16::<ODD>(_mm256_srli_epi32::<16>(c0), c1);
    montgomery_reduce(low, high)
}

/// `a . b` in 2^-16 form; |c| < 2^14.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn dot<const K: usize>(a: &[&[i16; N]; K], b: &[(&[i16; N], &[i16; N]); K], c: &mut [i16; N]) {
    for (r, c) in c.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        store(c, sum_of_products(a, b, r));
    }
}

/// `a . b + e_hat`, plain; |e_hat| < 8q, |c| < 9q.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn mul_add<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    e_hat: &[i16; N],
    c: &mut [i16; N],
) {
    let (c, e_hat) = (c.as_chunks_mut::<LANES>().0, e_hat.as_chunks::<LANES>().0);
    for (r, (c, e)) in c.iter_mut().zip(e_hat).enumerate() {
        let product = montgomery_multiply(sum_of_products(a, b, r), &RESTORED);
        store(c, _mm256_add_epi16(product, load(e)));
    }
}
