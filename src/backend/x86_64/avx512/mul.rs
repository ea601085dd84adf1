//! FIPS 203, Algorithms 11 and 12: products in T_q, summed over a vector.
//!
//! A pair (a0, a1) is one 32-bit lane. `vpmaddwd` multiplies it by (b0, b1 gamma), which the cache of a multiplier
//! holds, and by (b1, b0): the two coefficients of (a0 + a1 X)(b0 + b1 X) mod X^2 - gamma.

use core::arch::x86_64::*;

use super::ntt::{Factors, INVERSE_INPUT, TRANSFORM, inverse_between, inverse_within, transform};
use super::reduce::{PRODUCT, broadcast, montgomery_multiply};
use super::{LANES, REGISTERS, load, store, store_all};
use crate::backend::poly::{N, Q};
use crate::backend::tables::{Q_INVERSE, RESTORE, ZETAS};

/// Largest vector of any parameter set.
const MAX_K: i64 = 4;

/// The higher 16 bits of every 32-bit lane.
const ODD: __mmask32 = 0xaaaa_aaaa;

// The sums of `sums_of_products` for a below q and b from the transform, and what they are reduced to.
const SUM: i64 = MAX_K * 2 * (Q as i64 - 1) * TRANSFORM as i64;
const _: () = assert!(SUM <= i32::MAX as i64 && PRODUCT <= TRANSFORM);
const _: () = assert!((SUM >> 16) + (Q as i64 >> 1) + 2 <= INVERSE_INPUT as i64);
// In `mul_add` it is multiplied once more, and e_hat is added.
const _: () = assert!(PRODUCT + TRANSFORM <= i16::MAX as i32);

/// Gamma in the odd lanes: the zetas of the last layer, each for the pair below X^2 and, negative, for the one above.
static GAMMAS: [Factors; REGISTERS] = {
    const fn register(i: usize) -> Factors {
        let (mut factors, mut lane) = ([0; LANES], 1);
        while lane < LANES {
            let pair = (LANES * i + lane) >> 1;
            let zeta = ZETAS[64 + (pair >> 1)];
            factors[lane] = if pair & 1 == 0 { zeta } else { -zeta };
            lane += 2;
        }
        Factors::new(factors)
    }
    [register(0), register(1), register(2), register(3), register(4), register(5), register(6), register(7)]
};

/// The transform of f, |f| < q, and (b0, b1 gamma) for its pairs (b0, b1).
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn multiplier(f: &[i16; N], f_hat: &mut [i16; N], cache: &mut [i16; N]) {
    let r = transform(f);
    store_all(f_hat, &r);
    for ((b, gammas), cache) in r.into_iter().zip(&GAMMAS).zip(cache.as_chunks_mut::<LANES>().0) {
        store(cache, _mm512_mask_mov_epi16(b, ODD, montgomery_multiply(b, gammas.load())));
    }
}

/// Register `i` of `a . b`, in 2^-16 form: within `INVERSE_INPUT`.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn sum_of_products<const K: usize>(a: &[&[i16; N]; K], b: &[(&[i16; N], &[i16; N]); K], i: usize) -> __m512i {
    const { assert!(K as i64 <= MAX_K) };
    let (mut c0, mut c1) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for (a, (b, cache)) in a.iter().zip(b) {
        let a = load(&a.as_chunks::<LANES>().0[i]);
        let swapped = _mm512_rol_epi32::<16>(load(&b.as_chunks::<LANES>().0[i]));
        c0 = _mm512_add_epi32(c0, _mm512_madd_epi16(a, load(&cache.as_chunks::<LANES>().0[i])));
        c1 = _mm512_add_epi32(c1, _mm512_madd_epi16(a, swapped));
    }
    // (c0, c1) side by side, their low halves and their high halves
    let low = _mm512_mask_mov_epi16(c0, ODD, _mm512_slli_epi32::<16>(c1));
    let high = _mm512_mask_mov_epi16(_mm512_srli_epi32::<16>(c0), ODD, c1);
    // The low half of m q is that of the sum, so the difference of the high halves is exact.
    let m = _mm512_mullo_epi16(low, _mm512_set1_epi16(Q_INVERSE));
    _mm512_sub_epi16(high, _mm512_mulhi_epi16(m, _mm512_set1_epi16(Q)))
}

/// `a . b + e_hat`, plain; 0 <= a < q, b and e_hat from the transform, |c| < 8q.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn mul_add<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    e_hat: &[i16; N],
    c: &mut [i16; N],
) {
    let restore = broadcast(RESTORE);
    for (i, (c, e)) in c.as_chunks_mut::<LANES>().0.iter_mut().zip(e_hat.as_chunks::<LANES>().0).enumerate() {
        let product = montgomery_multiply(sum_of_products(a, b, i), restore);
        store(c, _mm512_add_epi16(product, load(e)));
    }
}

/// `NTT^-1(a . b)`; 0 <= a < q, b from the transform, |f| < q.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn dot_inverse<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    f: &mut [i16; N],
) {
    let mut r = [_mm512_setzero_si512(); REGISTERS];
    for (pair, r) in r.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let products = (sum_of_products(a, b, 2 * pair), sum_of_products(a, b, 2 * pair + 1));
        (r[0], r[1]) = inverse_within(pair, products);
    }
    store_all(f, &inverse_between(r));
}
