//! Modular arithmetic in lanes of 16 bits, and the sums that end in a full reduction.

use core::arch::aarch64::*;

use crate::backend::aarch64::{load, store};
use crate::backend::poly::{N, Q};
use crate::backend::tables::quotient;

/// Coefficients to a register.
pub(crate) const LANES: usize = 8;

/// Eight factors b of a multiplication, and the `quotient` of each.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Factors {
    b: [i16; LANES],
    quotient: [i16; LANES],
}

impl Factors {
    pub(crate) const fn new(b: [i16; LANES]) -> Self {
        let (mut quotients, mut i) = ([0; LANES], 0);
        while i < LANES {
            quotients[i] = quotient(b[i]);
            i += 1;
        }
        Self { b, quotient: quotients }
    }

    /// The same factor for all lanes.
    pub(crate) const fn all(b: i16) -> Self {
        Self::new([b; LANES])
    }
}

/// Largest absolute value of `multiply(a, b)`, |a| <= `most`: the quotient is wrong by its rounding, at most 1/2,
/// and by that of the factor's, at most |a| / 2^16.
pub(crate) const fn product(most: i32) -> i32 {
    assert!(most <= 1 << 15);
    ((Q as i64 * ((1 << 15) + most as i64)) >> 16) as i32
}

/// `a b mod q`: |result| <= `product(|a|)`, below q for every a, if b is centred.
///
/// Barrett multiplication: a b - round(a b / q) q, in 16 bits throughout.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn multiply(a: int16x8_t, b: &Factors) -> int16x8_t {
    let quotient = vqrdmulhq_s16(a, load(&b.quotient));
    vmlsq_s16(vmulq_s16(a, load(&b.b)), quotient, vdupq_n_s16(Q))
}

/// The same by the factor in lane B of `b` and its quotient in lane T of `t`.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn multiply_lane<const B: i32, const T: i32>(
    a: int16x8_t,
    b: int16x8_t,
    t: int16x8_t,
) -> int16x8_t {
    let quotient = vqrdmulhq_laneq_s16::<T>(a, t);
    vmlsq_s16(vmulq_laneq_s16::<B>(a, b), quotient, vdupq_n_s16(Q))
}

/// `a 2^-16 mod q` for the numbers of 32 bits of both arguments, |a| <= 2^30: |result| <= |a| / 2^16 + q / 2 + 1.
///
/// Montgomery reduction: a - (a q^-1 mod 2^16) q is divisible by 2^16.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn montgomery_reduce(low: int32x4_t, high: int32x4_t) -> int16x8_t {
    use crate::backend::tables::Q_INVERSE;
    let halves = vuzp1q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high));
    let m = vmulq_s16(halves, vdupq_n_s16(Q_INVERSE));
    let q = vdupq_n_s16(Q);
    let low = vmlsl_s16(low, vget_low_s16(m), vget_low_s16(q));
    let high = vmlsl_high_s16(high, m, q);
    vuzp2q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high))
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
#[target_feature(enable = "neon")]
pub(crate) fn barrett_reduce(a: int16x8_t) -> int16x8_t {
    vmlsq_s16(a, vqrdmulhq_s16(a, vdupq_n_s16(RECIPROCAL)), vdupq_n_s16(Q))
}

/// The representative of `a` in 0 ..= q-1, for every 16-bit a.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn canonicalise(a: int16x8_t) -> int16x8_t {
    let r = barrett_reduce(a);
    // As unsigned numbers, a negative r is larger than r + q, another one smaller.
    let both = [vreinterpretq_u16_s16(r), vreinterpretq_u16_s16(vaddq_s16(r, vdupq_n_s16(Q)))];
    vreinterpretq_s16_u16(vminq_u16(both[0], both[1]))
}

/// `f + e + sum`, canonical, in place of `sum`; |f| < 8q, |e| <= 3, 0 <= sum < q: at most 29 963 in 16 bits.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn add_to(f: &[i16; N], e: &[i16; N], sum: &mut [i16; N]) {
    let (f, e, sum) = (f.as_chunks().0, e.as_chunks().0, sum.as_chunks_mut::<LANES>().0);
    for ((sum, f), e) in sum.iter_mut().zip(f).zip(e) {
        let noisy = vaddq_s16(load(f), load(e));
        store(sum, canonicalise(vaddq_s16(noisy, load(sum))));
    }
}

/// `v - f`, canonical; 0 <= v < q, |f| < 8q: at most 29 959 in 16 bits.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn sub(v: &[i16; N], f: &[i16; N], difference: &mut [i16; N]) {
    let (v, f, difference) = (v.as_chunks().0, f.as_chunks().0, difference.as_chunks_mut::<LANES>().0);
    for ((difference, v), f) in difference.iter_mut().zip(v).zip(f) {
        store(difference, canonicalise(vsubq_s16(load(v), load(f))));
    }
}

/// `multiply` of every number, for proofs, and `multiply_lane`, which must agree.
#[target_feature(enable = "neon")]
pub(crate) fn probe_multiply(a: &mut [i16; N], b: i16) {
    let all = Factors::all(b);
    let lanes = load(&[0, 0, 0, b, 0, all.quotient[0], 0, 0]);
    for a in a.as_chunks_mut::<LANES>().0 {
        let v = load(a);
        let mut of_lane = [0; LANES];
        store(&mut of_lane, multiply_lane::<3, 5>(v, lanes, lanes));
        store(a, multiply(v, &all));
        assert_eq!(*a, of_lane);
    }
}

/// `montgomery_reduce` of every number, for proofs.
#[target_feature(enable = "neon")]
pub(crate) fn probe_reduce(a: &[i32; N], r: &mut [i16; N]) {
    for (r, [low, high]) in r.as_chunks_mut().0.iter_mut().zip(a.as_chunks::<4>().0.as_chunks().0) {
        // SAFETY: each is 16 readable bytes.
        let [low, high] = [low, high].map(|half| unsafe { vld1q_s32(half.as_ptr()) });
        store(r, montgomery_reduce(low, high));
    }
}

/// `barrett_reduce` of every number, for proofs.
#[target_feature(enable = "neon")]
pub(crate) fn probe_barrett(a: &mut [i16; N]) {
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, barrett_reduce(load(a)));
    }
}

/// `canonicalise` of every number, for proofs.
#[target_feature(enable = "neon")]
pub(crate) fn probe_canonicalise(a: &mut [i16; N]) {
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, canonicalise(load(a)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::portable::reduce as portable;

    /// `kernel` on every 16-bit number, each in every lane, checked against `check`.
    fn every_number(kernel: unsafe fn(&mut [i16; LANES]), check: impl Fn(i16, i16)) {
        for start in i16::MIN..=i16::MAX {
            let a: [i16; LANES] = core::array::from_fn(|i| start.wrapping_add(i as i16));
            let mut r = a;
            // SAFETY: this target has NEON.
            unsafe { kernel(&mut r) };
            a.iter().zip(r).for_each(|(&a, r)| check(a, r));
        }
    }

    #[target_feature(enable = "neon")]
    fn barrett(a: &mut [i16; LANES]) {
        store(a, barrett_reduce(load(a)));
    }

    #[target_feature(enable = "neon")]
    fn canonical(a: &mut [i16; LANES]) {
        store(a, canonicalise(load(a)));
    }

    #[target_feature(enable = "neon")]
    fn times<const B: i16>(a: &mut [i16; LANES]) {
        store(a, multiply(load(a), const { &Factors::all(B) }));
    }

    #[target_feature(enable = "neon")]
    fn times_lane(a: &mut [i16; LANES]) {
        let factors = load(&[0, 0, 0, -1664, 0, quotient(-1664), 0, 0]);
        store(a, multiply_lane::<3, 5>(load(a), factors, factors));
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
    fn products_are_exact_for_every_input() {
        let check = |b: i64| {
            move |a: i16, r: i16| {
                assert!((r as i32).abs() <= product((a as i32).abs()) && r.abs() < Q, "{a} times {b}: {r}");
                assert_eq!((a as i64 * b - r as i64).rem_euclid(Q as i64), 0, "{a} times {b}: {r}");
            }
        };
        every_number(times::<1664>, check(1664));
        every_number(times::<-1664>, check(-1664));
        every_number(times::<17>, check(17));
        every_number(times::<512>, check(512));
        every_number(times_lane, check(-1664));
    }

    #[test]
    fn products_stay_below_q_for_every_factor() {
        // In integers, as the instructions have it: the largest absolute value is near the largest inputs.
        for b in -1664..=1664i32 {
            let t = quotient(b as i16) as i32;
            for a in (i16::MIN as i32..-32_000).chain(32_000..=i16::MAX as i32) {
                let r = a * b - ((2 * a * t + (1 << 15)) >> 16) * Q as i32;
                assert!(r.abs() < Q as i32, "{a} {b}: {r}");
            }
        }
    }
}
