//! Modular arithmetic in lanes of 16 bits, and the sums that end in a full reduction.

use core::arch::x86_64::*;

use crate::backend::poly::{N, Q};
use crate::backend::tables::Q_INVERSE;
use crate::backend::x86_64::{load, store};

/// Coefficients to a register.
pub(crate) const LANES: usize = 16;

/// Largest absolute value of `montgomery_multiply(a, b)` over every 16-bit a and every
/// |b| <= (q-1)/2. (Exhaustive search finds -2492 to 2496.)
pub(crate) const PRODUCT: i32 = 2496;

/// Sixteen factors b of Montgomery multiplication, and b q^-1 mod 2^16 of each.
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

/// `a b 2^-16 mod q`: |result| <= 2496 for every a if b is centred.
///
/// a b - (a b q^-1 mod 2^16) q is divisible by 2^16, so the low halves of its two terms cancel
/// and the difference of the high halves is exact.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn montgomery_multiply(a: __m256i, b: &Factors) -> __m256i {
    let m = _mm256_mullo_epi16(a, load(&b.1));
    _mm256_sub_epi16(_mm256_mulhi_epi16(a, load(&b.0)), _mm256_mulhi_epi16(m, _mm256_set1_epi16(Q)))
}

/// `a 2^-16 mod q` for numbers of 32 bits given by their halves, |a| <= 2^30: |result| <= |a| / 2^16 +
/// q / 2 + 1.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn montgomery_reduce(low: __m256i, high: __m256i) -> __m256i {
    let m = _mm256_mullo_epi16(low, _mm256_set1_epi16(Q_INVERSE));
    _mm256_sub_epi16(high, _mm256_mulhi_epi16(m, _mm256_set1_epi16(Q)))
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
///
/// The rounding product does with the quotient's few bits what two shifts do with many.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn barrett_reduce(a: __m256i) -> __m256i {
    let t = _mm256_mulhrs_epi16(a, _mm256_set1_epi16(RECIPROCAL));
    _mm256_sub_epi16(a, _mm256_mullo_epi16(t, _mm256_set1_epi16(Q)))
}

/// The representative of `a` in 0 ..= q-1, for every 16-bit a.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn canonicalise(a: __m256i) -> __m256i {
    let r = barrett_reduce(a);
    // As unsigned numbers, a negative r is larger than r + q, another one smaller.
    _mm256_min_epu16(r, _mm256_add_epi16(r, _mm256_set1_epi16(Q)))
}

/// `f + e + sum`, canonical, in place of `sum`; |f| < 8q, |e| <= 3, 0 <= sum < q: at most 29 963 in 16 bits.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn add_to(f: &[i16; N], e: &[i16; N], sum: &mut [i16; N]) {
    let (f, e, sum) = (f.as_chunks().0, e.as_chunks().0, sum.as_chunks_mut::<LANES>().0);
    for ((sum, f), e) in sum.iter_mut().zip(f).zip(e) {
        let noisy = _mm256_add_epi16(load::<_, LANES>(f), load::<_, LANES>(e));
        store(sum, canonicalise(_mm256_add_epi16(noisy, load(sum))));
    }
}

/// `v - f`, canonical; 0 <= v < q, |f| < 8q: at most 29 959 in 16 bits.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn sub(v: &[i16; N], f: &[i16; N], difference: &mut [i16; N]) {
    let (v, f, difference) = (v.as_chunks().0, f.as_chunks().0, difference.as_chunks_mut::<LANES>().0);
    for ((difference, v), f) in difference.iter_mut().zip(v).zip(f) {
        store(difference, canonicalise(_mm256_sub_epi16(load::<_, LANES>(v), load::<_, LANES>(f))));
    }
}

/// `montgomery_multiply` of every number by its factor, for proofs.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn probe_multiply(a: &mut [i16; N], b: &Factors) {
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, montgomery_multiply(load(a), b));
    }
}

/// `barrett_reduce` of every number, for proofs.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn probe_barrett(a: &mut [i16; N]) {
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, barrett_reduce(load(a)));
    }
}

/// `canonicalise` of every number, for proofs.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn probe_canonicalise(a: &mut [i16; N]) {
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, canonicalise(load(a)));
    }
}

/// `montgomery_reduce` of every number, for proofs.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn probe_reduce(a: &[i32; N], r: &mut [i16; N]) {
    for (r, a) in r.as_chunks_mut::<LANES>().0.iter_mut().zip(a.as_chunks::<LANES>().0) {
        let (low, high) = (a.map(|a| a as i16), a.map(|a| (a >> 16) as i16));
        store(r, montgomery_reduce(load(&low), load(&high)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::portable::reduce as portable;
    use crate::backend::x86_64::avx2::Avx2;

    /// `kernel` on every 16-bit number, each in every lane, checked against `check`.
    fn every_number(kernel: unsafe fn(&mut [i16; LANES]), check: impl Fn(i16, i16)) {
        if Avx2::detect().is_none() {
            return;
        }
        for start in i16::MIN..=i16::MAX {
            let a: [i16; LANES] = core::array::from_fn(|i| start.wrapping_add(i as i16));
            let mut r = a;
            // SAFETY: the machine has AVX2.
            unsafe { kernel(&mut r) };
            a.iter().zip(r).for_each(|(&a, r)| check(a, r));
        }
    }

    #[target_feature(enable = "avx2")]
    fn barrett(a: &mut [i16; LANES]) {
        store(a, barrett_reduce(load(a)));
    }

    #[target_feature(enable = "avx2")]
    fn canonical(a: &mut [i16; LANES]) {
        store(a, canonicalise(load(a)));
    }

    #[target_feature(enable = "avx2")]
    fn product<const B: i16>(a: &mut [i16; LANES]) {
        store(a, montgomery_multiply(load(a), const { &Factors::all(B) }));
    }

    #[test]
    fn reductions_are_exact_for_every_input() {
        every_number(barrett, |a, r| {
            assert!((r as i32).abs() <= reduced((a as i32).abs()), "barrett {a}");
            assert_eq!(portable::canonicalise(a), portable::canonicalise(r), "barrett {a}");
        });
        every_number(canonical, |a, r| assert_eq!(portable::canonicalise(a), r, "canonical {a}"));
    }

    #[test]
    fn products_are_those_of_the_portable_backend() {
        every_number(product::<1664>, |a, r| assert_eq!(portable::montgomery_multiply(a, 1664), r));
        every_number(product::<-1664>, |a, r| assert_eq!(portable::montgomery_multiply(a, -1664), r));
        every_number(product::<17>, |a, r| assert_eq!(portable::montgomery_multiply(a, 17), r));
    }
}
