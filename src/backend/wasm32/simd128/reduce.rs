//! Modular arithmetic in lanes of 16 bits, and the sums that end in a full reduction.

use core::arch::wasm32::*;

use crate::backend::poly::{N, Q};
use crate::backend::tables::{Q_INVERSE, quotient};
use crate::backend::wasm32::{load, store};

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
/// Barrett multiplication: a b - round(a b / q) q, in 16 bits throughout. The rounding product saturates for -2^15 times itself
/// only, and no quotient is that large.
#[inline(always)]
pub(crate) fn multiply(a: v128, b: &Factors) -> v128 {
    let quotient = i16x8_q15mulr_sat(a, load(&b.quotient));
    i16x8_sub(i16x8_mul(a, load(&b.b)), i16x8_mul(quotient, i16x8_splat(Q)))
}

/// Ones in the lower half of each 32 bits.
const LOWER: u32 = 0xffff;

/// `a 2^-16 mod q` for the numbers of 32 bits of both arguments, |a| <= 2^30, those of `even` and of `odd` taking turns:
/// |result| <= |a| / 2^16 + q / 2 + 1.
///
/// Montgomery reduction: a - (a q^-1 mod 2^16) q is divisible by 2^16.
#[inline(always)]
pub(crate) fn montgomery_reduce(even: v128, odd: v128) -> v128 {
    let lower = u32x4_splat(LOWER);
    let m = i16x8_mul(v128_bitselect(even, u32x4_shl(odd, 16), lower), i16x8_splat(Q_INVERSE));
    // Products with every second number of m.
    let even = i32x4_sub(even, i32x4_dot_i16x8(m, i16x8(Q, 0, Q, 0, Q, 0, Q, 0)));
    let odd = i32x4_sub(odd, i32x4_dot_i16x8(m, i16x8(0, Q, 0, Q, 0, Q, 0, Q)));
    v128_bitselect(u32x4_shr(even, 16), odd, lower)
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
#[inline(always)]
pub(crate) fn barrett_reduce(a: v128) -> v128 {
    let quotient = i16x8_q15mulr_sat(a, i16x8_splat(RECIPROCAL));
    i16x8_sub(a, i16x8_mul(quotient, i16x8_splat(Q)))
}

/// The representative of `a` in 0 ..= q-1, for every 16-bit a.
#[inline(always)]
pub(crate) fn canonicalise(a: v128) -> v128 {
    let r = barrett_reduce(a);
    // As unsigned numbers, a negative r is larger than r + q, another one smaller.
    u16x8_min(r, i16x8_add(r, i16x8_splat(Q)))
}

/// `f + e + sum`, canonical, in place of `sum`; |f| < 8q, |e| <= 3, 0 <= sum < q: at most 29 963 in 16 bits.
#[inline(never)]
pub(crate) fn add_to(f: &[i16; N], e: &[i16; N], sum: &mut [i16; N]) {
    let (f, e, sum) = (f.as_chunks().0, e.as_chunks().0, sum.as_chunks_mut::<LANES>().0);
    for ((sum, f), e) in sum.iter_mut().zip(f).zip(e) {
        let noisy = i16x8_add(load(f), load(e));
        store(sum, canonicalise(i16x8_add(noisy, load(sum))));
    }
}

/// `v - f`, canonical; 0 <= v < q, |f| < 8q: at most 29 959 in 16 bits.
#[inline(never)]
pub(crate) fn sub(v: &[i16; N], f: &[i16; N], difference: &mut [i16; N]) {
    let (v, f, difference) = (v.as_chunks().0, f.as_chunks().0, difference.as_chunks_mut::<LANES>().0);
    for ((difference, v), f) in difference.iter_mut().zip(v).zip(f) {
        store(difference, canonicalise(i16x8_sub(load(v), load(f))));
    }
}

/// `multiply` of every number, for proofs.
pub(crate) fn probe_multiply(a: &mut [i16; N], b: &Factors) {
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, multiply(load(a), b));
    }
}

/// `montgomery_reduce` of every number, for proofs.
pub(crate) fn probe_reduce(a: &[i32; N], r: &mut [i16; N]) {
    for (r, &[a0, a1, a2, a3, a4, a5, a6, a7]) in r.as_chunks_mut().0.iter_mut().zip(a.as_chunks().0) {
        store(r, montgomery_reduce(i32x4(a0, a2, a4, a6), i32x4(a1, a3, a5, a7)));
    }
}

/// `barrett_reduce` of every number, for proofs.
pub(crate) fn probe_barrett(a: &mut [i16; N]) {
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, barrett_reduce(load(a)));
    }
}

/// `canonicalise` of every number, for proofs.
pub(crate) fn probe_canonicalise(a: &mut [i16; N]) {
    for a in a.as_chunks_mut::<LANES>().0 {
        store(a, canonicalise(load(a)));
    }
}
