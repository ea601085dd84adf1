//! Modular arithmetic in 16-bit lanes, and the sums that end in a full reduction.

use core::arch::x86_64::*;

use super::{load, store};
use crate::backend::poly::{N, Q};
use crate::backend::tables::Q_INVERSE;

/// Coefficients to a register.
pub(crate) const LANES: usize = 32;

/// Largest absolute value of `montgomery_multiply(a, b)` over every 16-bit a and every |b| <= (q-1)/2.
pub(crate) use crate::backend::portable::reduce::PRODUCT;

/// Thirty-two factors b of Montgomery multiplication, and b q^-1 mod 2^16 of each.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Factors([i16; LANES], [i16; LANES]);

impl Factors {
    pub(crate) const fn new(b: [i16; LANES]) -> Self {
        let (mut twisted, mut i) = ([0; LANES], 0);
        while i < LANES {
            assert!(-Q < 2 * b[i] && 2 * b[i] < Q);
            twisted[i] = b[i].wrapping_mul(Q_INVERSE);
            i += 1;
        }
        Self(b, twisted)
    }

    /// The same factor for all lanes.
    pub(crate) const fn all(b: i16) -> Self {
        Self::new([b; LANES])
    }
}

/// `a b 2^-16 mod q`: |result| <= `PRODUCT` for every a if b is centred.
///
/// a b - (a b q^-1 mod 2^16) q is divisible by 2^16, so the low halves of its two terms cancel
/// and the difference of the high halves is exact.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(crate) fn montgomery_multiply(a: __m512i, b: &Factors) -> __m512i {
    let [high, quotient] = product(a, b);
    _mm512_sub_epi16(high, quotient)
}

/// Two numbers whose difference is `montgomery_multiply(a, b)`; the first is there earlier.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(crate) fn product(a: __m512i, b: &Factors) -> [__m512i; 2] {
    let m = _mm512_mullo_epi16(a, load(&b.1));
    [_mm512_mulhi_epi16(a, load(&b.0)), _mm512_mulhi_epi16(m, _mm512_set1_epi16(Q))]
}

/// `a 2^-16 mod q` for numbers of 32 bits given by their halves, |a| <= 2^30: |result| <= |a| / 2^16 +
/// q / 2 + 1.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(crate) fn montgomery_reduce(low: __m512i, high: __m512i) -> __m512i {
    let m = _mm512_mullo_epi16(low, _mm512_set1_epi16(Q_INVERSE));
    _mm512_sub_epi16(high, _mm512_mulhi_epi16(m, _mm512_set1_epi16(Q)))
}

/// 2^15 / q, rounded.
const RECIPROCAL: i16 = 10;
const _: () = {
    let error = (1 << 15) - RECIPROCAL as i32 * Q as i32;
    assert!(-(Q as i32) < 2 * error && 2 * error < Q as i32);
};

/// Largest absolute value of `barrett_reduce(a)`, |a| <= `most`. The quotient is wrong by the rounding, at
/// most 1/2, and by that of the reciprocal.
pub(crate) const fn reduced(most: i32) -> i32 {
    let error = (RECIPROCAL as i32 * Q as i32 - (1 << 15)).abs();
    ((Q as i32 + 1) >> 1) + ((most * error) >> 15) + 1
}
const _: () = assert!(reduced(1 << 15) < Q as i32);

/// A small representative of `a`: |result| <= `reduced(|a|)`, always below q.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(crate) fn barrett_reduce(a: __m512i) -> __m512i {
    let t = _mm512_mulhrs_epi16(a, _mm512_set1_epi16(RECIPROCAL));
    _mm512_sub_epi16(a, _mm512_mullo_epi16(t, _mm512_set1_epi16(Q)))
}

/// The representative of a in 0 ..= q-1, for every a.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(crate) fn canonicalise(a: __m512i) -> __m512i {
    let r = barrett_reduce(a);
    // A negative r is a large unsigned number, and r + q is the smaller one exactly then.
    _mm512_min_epu16(r, _mm512_add_epi16(r, _mm512_set1_epi16(Q)))
}

/// `f + e`, canonical; |f| < 8q, |e| <= 3.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(crate) fn sum(f: __m512i, e: __m512i) -> __m512i {
    canonicalise(_mm512_add_epi16(f, e))
}

/// `f + e + mu`, canonical; |f| < 8q, |e| <= 3, 0 <= mu < q: at most 29 963 in 16 bits.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(crate) fn sum_with_message(f: __m512i, e: __m512i, mu: __m512i) -> __m512i {
    canonicalise(_mm512_add_epi16(_mm512_add_epi16(f, e), mu))
}

/// `v - f`, canonical; 0 <= v < q, |f| < 8q: at most 29 959 in 16 bits.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn sub(v: &[i16; N], f: &[i16; N], difference: &mut [i16; N]) {
    let operands = v.as_chunks::<LANES>().0.iter().zip(f.as_chunks::<LANES>().0);
    for (difference, (v, f)) in difference.as_chunks_mut::<LANES>().0.iter_mut().zip(operands) {
        store(difference, canonicalise(_mm512_sub_epi16(load(v), load(f))));
    }
}

/// `montgomery_multiply` of every number by one factor, for proofs.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn probe_multiply(a: &mut [i16; N], b: i16) {
    let b = Factors::all(b);
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, montgomery_multiply(load(a), &b));
    }
}

/// `montgomery_reduce` of every number, for proofs.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn probe_reduce(a: &[i32; N], r: &mut [i16; N]) {
    for (r, a) in r.as_chunks_mut::<LANES>().0.iter_mut().zip(a.as_chunks::<LANES>().0) {
        let (low, high) = (a.map(|a| a as i16), a.map(|a| (a >> 16) as i16));
        store(r, montgomery_reduce(load(&low), load(&high)));
    }
}

/// `barrett_reduce` of every number, for proofs.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn probe_barrett(a: &mut [i16; N]) {
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, barrett_reduce(load(a)));
    }
}

/// `canonicalise` of every number, for proofs.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn probe_canonicalise(a: &mut [i16; N]) {
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, canonicalise(load(a)));
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
                store(&mut near, barrett_reduce(load(a)));
                store(&mut canonical, canonicalise(load(a)));
            }
            for ((a, near), canonical) in a.iter().zip(near).zip(canonical) {
                assert!((near as i32).abs() <= reduced((*a as i32).abs()), "{a}");
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
                unsafe { store(&mut product, montgomery_multiply(load(a), &Factors::all(b))) };
                assert_eq!(product, a.map(|a| portable::reduce::montgomery_multiply(a, b)), "{b}");
            });
        }
    }
}
