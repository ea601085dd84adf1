//! Modular arithmetic in 16-bit lanes, and the sums that end in a full reduction.

use core::arch::x86_64::*;

use super::{LANES, load, store};
use crate::backend::poly::{N, Q};
use crate::backend::tables::Q_INVERSE;

/// Largest absolute value of a Montgomery product of any 16-bit number and a centred factor.
pub(crate) use crate::backend::portable::reduce::PRODUCT;

/// 2^15 / q, rounded.
const RECIPROCAL: i16 = 10;

/// How far RECIPROCAL q is above 2^15.
const EXCESS: i32 = RECIPROCAL as i32 * Q as i32 - (1 << 15);
const _: () = assert!(0 < EXCESS && 2 * EXCESS < Q as i32);

/// Bound of `reduce_roughly` where |a| <= `bound`: half of q for the rounding, and the part of `a` that the
/// reciprocal is wrong by.
pub(crate) const fn rough(bound: i32) -> i32 {
    assert!(bound <= 1 << 15);
    ((Q as i32 + 1) >> 1) + ((bound * EXCESS) >> 15) + 1
}
const _: () = assert!(rough(1 << 15) < Q as i32);

/// A factor that multiplies every lane: itself, and times q^-1 modulo 2^16.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn broadcast(b: i16) -> (__m512i, __m512i) {
    (_mm512_set1_epi16(b), _mm512_set1_epi16(b.wrapping_mul(Q_INVERSE)))
}

/// `a b 2^-16 mod q` for `b` centred: |result| <= `PRODUCT` for every a.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn montgomery_multiply(a: __m512i, (b, b_q_inverse): (__m512i, __m512i)) -> __m512i {
    // a b and m q agree in their low halves, so the difference of the high halves is exact.
    let m = _mm512_mullo_epi16(a, b_q_inverse);
    _mm512_sub_epi16(_mm512_mulhi_epi16(a, b), _mm512_mulhi_epi16(m, _mm512_set1_epi16(Q)))
}

/// A number congruent to a, |result| <= `rough(|a|)` < q for every a.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn reduce_roughly(a: __m512i) -> __m512i {
    let quotient = _mm512_mulhrs_epi16(a, _mm512_set1_epi16(RECIPROCAL));
    _mm512_sub_epi16(a, _mm512_mullo_epi16(quotient, _mm512_set1_epi16(Q)))
}

/// The representative of a in 0 ..= q-1, for every a.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn canonicalise(a: __m512i) -> __m512i {
    let r = reduce_roughly(a);
    // A negative r is a large unsigned number, and r + q is the smaller one exactly then.
    _mm512_min_epu16(r, _mm512_add_epi16(r, _mm512_set1_epi16(Q)))
}

/// `f + e`, canonical; |f| < 8q, |e| <= 3.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn add(f: &[i16; N], e: &[i16; N], sum: &mut [i16; N]) {
    let operands = f.as_chunks::<LANES>().0.iter().zip(e.as_chunks::<LANES>().0);
    for (sum, (f, e)) in sum.as_chunks_mut::<LANES>().0.iter_mut().zip(operands) {
        store(sum, canonicalise(_mm512_add_epi16(load(f), load(e))));
    }
}

/// `f + e + mu`, canonical; |f| < 8q, |e| <= 3, 0 <= mu < q: at most 29 963 in 16 bits.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn add_message(f: &[i16; N], e: &[i16; N], mu: &[i16; N], sum: &mut [i16; N]) {
    let operands = f.as_chunks::<LANES>().0.iter().zip(e.as_chunks::<LANES>().0);
    let operands = operands.zip(mu.as_chunks::<LANES>().0);
    for (sum, ((f, e), mu)) in sum.as_chunks_mut::<LANES>().0.iter_mut().zip(operands) {
        let noisy = _mm512_add_epi16(load(f), load(e));
        store(sum, canonicalise(_mm512_add_epi16(noisy, load(mu))));
    }
}

/// `v - f`, canonical; 0 <= v < q, |f| < 8q: at most 29 959 in 16 bits.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn sub(v: &[i16; N], f: &[i16; N], difference: &mut [i16; N]) {
    let operands = v.as_chunks::<LANES>().0.iter().zip(f.as_chunks::<LANES>().0);
    for (difference, (v, f)) in difference.as_chunks_mut::<LANES>().0.iter_mut().zip(operands) {
        store(difference, canonicalise(_mm512_sub_epi16(load(v), load(f))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::portable;
    use crate::backend::x86_64::avx512::Avx512;

    /// Every 16-bit number, 32 at a time.
    fn for_each(mut check: impl FnMut(&[i16; LANES])) {
        for start in (i16::MIN as i32..=i16::MAX as i32).step_by(LANES) {
            check(&core::array::from_fn(|i| (start + i as i32) as i16));
        }
    }

    #[test]
    fn reductions_are_exact_for_every_input() {
        if Avx512::detect().is_none() {
            return;
        }
        for_each(|a| {
            let (mut near, mut canonical) = ([0i16; LANES], [0i16; LANES]);
            // SAFETY: detect found the instructions.
            unsafe {
                store(&mut near, reduce_roughly(load(a)));
                store(&mut canonical, canonicalise(load(a)));
            }
            for ((a, near), canonical) in a.iter().zip(near).zip(canonical) {
                assert!((near as i32).abs() <= rough((*a as i32).abs()), "{a}");
                assert_eq!((*a as i64 - near as i64).rem_euclid(Q as i64), 0, "{a}");
                assert_eq!(canonical, portable::reduce::canonicalise(*a), "{a}");
            }
        });
    }

    #[test]
    fn products_are_those_of_the_portable_backend() {
        if Avx512::detect().is_none() {
            return;
        }
        for b in [-1664, -1663, -1, 0, 1, 2, 17, 1441, 1663, 1664] {
            for_each(|a| {
                let mut product = [0i16; LANES];
                // SAFETY: detect found the instructions.
                unsafe { store(&mut product, montgomery_multiply(load(a), broadcast(b))) };
                assert_eq!(product, a.map(|a| portable::reduce::montgomery_multiply(a, b)), "{b}");
            });
        }
    }
}
