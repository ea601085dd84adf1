//! FIPS 203, Algorithms 11 and 12: products in T_q, summed over a vector.
//!
//! (a0 + a1 X)(b0 + b1 X) mod X^2 - gamma has the coefficients a0 b0 + a1 (b1 gamma) and a0 b1 +
//! a1 b0. Pairs stand together in double words, and one instruction multiplies pairs and adds
//! the two products: by the pair (b0, b1 gamma), which is the cache of a multiplier, and by
//! (b1, b0).

use core::arch::x86_64::*;

use super::ntt::{INVERSE_INPUT, transformed};
use super::reduce::{Factors, LANES, PRODUCT, montgomery_multiply, montgomery_reduce};
use super::{load, load_all, store, store_all};
use crate::backend::bounds;
use crate::backend::poly::{N, Q};
use crate::backend::tables::{RESTORE, ZETAS};

/// Largest vector of any parameter set.
const MAX_K: i64 = 4;

// The sums of `sum_of_products`: a is below q, b any 16-bit number, the cache as well.
const SUM: i64 = bounds::sum_of_products(MAX_K, Q as i64 - 1, 1 << 15);
const _: () = assert!(bounds::montgomery_reduced(SUM) < INVERSE_INPUT);
// In `mul_add` it is multiplied once more, and e_hat is added.
const _: () = assert!(PRODUCT + bounds::TRANSFORMED <= i16::MAX as i32);

const RESTORED: Factors = Factors::all(RESTORE);

/// The gammas of a register's pairs, in its odd lanes.
static GAMMAS: [Factors; 8] = {
    let mut all = [const { Factors::all(0) }; 8];
    let mut register = 0;
    while register < 8 {
        let (mut factors, mut lane) = ([0; LANES], 1);
        while lane < LANES {
            // Two pairs to a block of the last layer: gamma = zeta and -zeta.
            let pair = 16 * register + (lane >> 1);
            let zeta = ZETAS[64 + (pair >> 1)];
            factors[lane] = if pair & 1 == 1 { -zeta } else { zeta };
            lane += 2;
        }
        all[register] = Factors::new(factors);
        register += 1;
    }
    all
};

/// The odd lanes: the higher halves of double words.
const ODD: __mmask32 = 0xaaaa_aaaa;

/// The transform of f, and its pairs (b0, b1 gamma), |b1 gamma| <= 2496. |f| < q; |f_hat| < 8q.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn multiplier(f: &[i16; N], f_hat: &mut [i16; N], cache: &mut [i16; N]) {
    let b = transformed(load_all(f));
    store_all(f_hat, &b);
    for ((cache, b), gammas) in cache.as_chunks_mut::<LANES>().0.iter_mut().zip(&b).zip(&GAMMAS) {
        store(cache, _mm512_mask_mov_epi16(*b, ODD, montgomery_multiply(*b, gammas)));
    }
}

/// Register `r` of `sum of a[i] b[i]`, in 2^-16 form.
#[inline]
#[target_feature(enable = "avx512bw")]
fn sum_of_products<const K: usize>(a: &[&[i16; N]; K], b: &[(&[i16; N], &[i16; N]); K], r: usize) -> __m512i {
    const { assert!(K as i64 <= MAX_K) };
    let (mut c0, mut c1) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for (a, (b, cache)) in a.iter().zip(b) {
        let a = load(&a.as_chunks::<LANES>().0[r]);
        let b = load(&b.as_chunks::<LANES>().0[r]);
        let cache = load(&cache.as_chunks::<LANES>().0[r]);
        c0 = _mm512_add_epi32(c0, _mm512_madd_epi16(a, cache));
        c1 = _mm512_add_epi32(c1, _mm512_madd_epi16(a, _mm512_rol_epi32::<16>(b)));
    }
    // Low halves and high halves of c0 in the even lanes, of c1 in the odd ones.
    let low = _mm512_mask_mov_epi16(c0, ODD, _mm512_slli_epi32::<16>(c1));
    let high = _mm512_mask_mov_epi16(_mm512_srli_epi32::<16>(c0), ODD, c1);
    montgomery_reduce(low, high)
}

/// `a . b` in 2^-16 form; |c| < 2^14.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn dot<const K: usize>(a: &[&[i16; N]; K], b: &[(&[i16; N], &[i16; N]); K], c: &mut [i16; N]) {
    for (r, c) in c.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        store(c, sum_of_products(a, b, r));
    }
}

/// `a . b + e_hat`, plain; |e_hat| < 8q, |c| < 9q.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn mul_add<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    e_hat: &[i16; N],
    c: &mut [i16; N],
) {
    let (c, e_hat) = (c.as_chunks_mut::<LANES>().0, e_hat.as_chunks::<LANES>().0);
    for (r, (c, e)) in c.iter_mut().zip(e_hat).enumerate() {
        let product = montgomery_multiply(sum_of_products(a, b, r), &RESTORED);
        store(c, _mm512_add_epi16(product, load(e)));
    }
}
