//! FIPS 203, section 4.2.1: compression to d bits and back, together with the packing of the bits.
//!
//! No division: a compile-time reciprocal, exact for every canonical coefficient.

use crate::backend::poly::{N, Q};

/// `round(2^d x / q) mod 2^d` for 0 <= x < q.
#[inline(always)]
fn compress_one<const D: usize>(x: i16) -> u64 {
    const { assert!(D <= 11) };
    compress_bits(D, x).into()
}

/// The same for d <= 11.
#[inline(always)]
pub(crate) fn compress_bits(d: usize, x: i16) -> u32 {
    // 2^33 / q, rounded up: the error of the product, below 2^12 / 2^33, is smaller than the
    // distance 1 / (2 q) between 2^d x / q and the nearest point where rounding turns over.
    const RECIPROCAL: u64 = reciprocal();
    let product = ((x as u64) << d) * RECIPROCAL;
    ((product + (1 << 32)) >> 33) as u32 & ((1 << d) - 1)
}

#[allow(clippy::integer_division_remainder_used)]
const fn reciprocal() -> u64 {
    (1u64 << 33).div_ceil(Q as u64)
}

/// `round(q y / 2^d)` for 0 <= y < 2^d.
#[inline(always)]
fn decompress_one<const D: usize>(y: u64) -> i16 {
    decompress_bits(D, y as u32)
}

/// The same for d <= 11.
#[inline(always)]
pub(crate) fn decompress_bits(d: usize, y: u32) -> i16 {
    ((y * Q as u32 + (1 << (d - 1))) >> d) as i16
}

/// `ByteEncode_d(Compress_d(f))`, d = L / 32. 0 <= f < q.
pub(crate) fn compress<const L: usize>(f: &[i16; N], b: &mut [u8; L]) {
    const { assert!(L == 32 || L == 128 || L == 160 || L == 320 || L == 352) };
    match L >> 5 {
        1 => pack::<1>(f, b),
        4 => pack::<4>(f, b),
        5 => pack::<5>(f, b),
        10 => pack::<10>(f, b),
        _ => pack::<11>(f, b),
    }
}

/// `Decompress_d(ByteDecode_d(b))`, d = L / 32. 0 <= f < q.
pub(crate) fn decompress<const L: usize>(b: &[u8; L], f: &mut [i16; N]) {
    const { assert!(L == 32 || L == 128 || L == 160 || L == 320 || L == 352) };
    match L >> 5 {
        1 => message(b, f),
        4 => unpack::<4>(b, f),
        5 => unpack::<5>(b, f),
        10 => unpack::<10>(b, f),
        _ => unpack::<11>(b, f),
    }
}

/// Eight coefficients fill D bytes, the first in the lowest bits.
#[inline(always)]
fn pack<const D: usize>(f: &[i16; N], b: &mut [u8]) {
    for (f, b) in f.as_chunks::<8>().0.iter().zip(b.as_chunks_mut::<D>().0) {
        let mut bits = 0u128;
        for (i, &x) in f.iter().enumerate() {
            bits |= (compress_one::<D>(x) as u128) << (D * i);
        }
        b.copy_from_slice(&bits.to_le_bytes()[..D]);
    }
}

/// Eight coefficients from D bytes.
#[inline(always)]
fn unpack<const D: usize>(b: &[u8], f: &mut [i16; N]) {
    for (b, f) in b.as_chunks::<D>().0.iter().zip(f.as_chunks_mut::<8>().0) {
        let mut bytes = [0; 16];
        bytes[..D].copy_from_slice(b);
        let bits = u128::from_le_bytes(bytes);
        for (i, x) in f.iter_mut().enumerate() {
            *x = decompress_one::<D>((bits >> (D * i)) as u64 & ((1 << D) - 1));
        }
    }
}

/// d = 1: every bit becomes 0 or (q + 1) / 2.
///
/// Four bits at a time are spread over the four 16-bit lanes of a word and multiplied together: a
/// word of sixteen possible values gives the compiler nothing to branch on, as a single bit would.
#[inline(always)]
pub(crate) fn message_of_nibble(nibble: u8) -> [i16; 4] {
    const HALF_Q: u64 = (Q as u64 + 1) >> 1;
    // copies at bit offsets 0, 15, 30, 45 put bit i at the bottom of lane i
    const SPREAD: u64 = 1 | 1 << 15 | 1 << 30 | 1 << 45;
    const LANES: u64 = 0x0001_0001_0001_0001;
    let lanes = ((nibble as u64 * SPREAD) & LANES) * HALF_Q;
    core::array::from_fn(|i| (lanes >> (16 * i)) as i16)
}

/// The same for a whole message.
#[inline(always)]
fn message(b: &[u8], f: &mut [i16; N]) {
    for (f, &byte) in f.as_chunks_mut::<8>().0.iter_mut().zip(b) {
        for (f, nibble) in f.as_chunks_mut::<4>().0.iter_mut().zip([byte & 0xf, byte >> 4]) {
            *f = message_of_nibble(nibble);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compress and decompress one value by the rational formulas (equations 4.7 and 4.8).
    fn check<const D: usize>() {
        let (q, p) = (Q as i64, 1i64 << D);
        for x in 0..q {
            // round(p x / q) = floor((2 p x + q) / 2 q), ties impossible since q is odd
            let expected = (2 * p * x + q).div_euclid(2 * q).rem_euclid(p);
            assert_eq!(compress_one::<D>(x as i16), expected as u64, "d = {D}, x = {x}");
        }
        for y in 0..p {
            let expected = (2 * q * y + p).div_euclid(2 * p);
            assert_eq!(decompress_one::<D>(y as u64) as i64, expected, "d = {D}, y = {y}");
        }
    }

    #[test]
    fn every_value_rounds_as_the_standard_says() {
        check::<1>();
        check::<4>();
        check::<5>();
        check::<10>();
        check::<11>();
    }
}
