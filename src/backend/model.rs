//! The naive model: FIPS 203 as it is written, with integers modulo q, no tables and no Montgomery
//! form. Slow and obvious; every backend is compared with it.

use std::vec::Vec;

use super::poly::{N, Q};
use crate::sponge::fips202::Function;

const ZETA: i64 = 17;

/// `a mod q` in `0..q`.
pub(crate) fn mod_q(a: i64) -> i64 {
    a.rem_euclid(Q as i64)
}

/// `base^exponent mod q`.
pub(crate) fn power(base: i64, exponent: u32) -> i64 {
    (0..exponent).fold(1, |product, _| mod_q(product * base))
}

/// BitRev7 (section 4.3).
pub(crate) fn bit_rev7(i: usize) -> u32 {
    (0..7).map(|bit| ((i as u32 >> bit) & 1) << (6 - bit)).sum()
}

/// Section 4.3: entry 2i + j of the transform is the j-th coefficient of f mod X^2 - zeta^(2 BitRev7(i) + 1),
/// computed from that definition and not by Algorithm 9.
pub(crate) fn ntt(f: &[i64; N]) -> [i64; N] {
    core::array::from_fn(|out| {
        let gamma = power(ZETA, 2 * bit_rev7(out >> 1) + 1);
        let mut x = 1;
        let mut sum = 0;
        for i in 0..N >> 1 {
            sum = mod_q(sum + x * f[2 * i + (out & 1)]);
            x = mod_q(x * gamma);
        }
        sum
    })
}

/// The product in R_q: schoolbook, X^256 = -1.
pub(crate) fn multiply(f: &[i64; N], g: &[i64; N]) -> [i64; N] {
    let mut product = [0; N];
    for (i, f) in f.iter().enumerate() {
        for (j, g) in g.iter().enumerate() {
            let sign = if i + j < N { 1 } else { -1 };
            let target = &mut product[(i + j) & (N - 1)];
            *target = mod_q(*target + sign * f * g);
        }
    }
    product
}

/// ByteEncode_d (Algorithm 5), through bits as the standard has it.
pub(crate) fn byte_encode(d: u32, f: &[i64; N]) -> Vec<u8> {
    let bits: Vec<u8> = f.iter().flat_map(|&a| (0..d).map(move |j| (a >> j & 1) as u8)).collect();
    bits.chunks(8).map(|bits| bits.iter().zip(0..).map(|(bit, i)| bit << i).sum()).collect()
}

/// ByteDecode_d (Algorithm 6) without the reduction modulo q.
pub(crate) fn byte_decode(d: u32, bytes: &[u8]) -> [i64; N] {
    let bit = |i: usize| (bytes[i >> 3] >> (i & 7) & 1) as i64;
    core::array::from_fn(|i| (0..d as usize).map(|j| bit(i * d as usize + j) << j).sum())
}

/// Compress_d (equation 4.7): round(2^d x / q) mod 2^d. There are no ties: q is odd.
pub(crate) fn compress(d: u32, x: i64) -> i64 {
    ((x << (d + 1)) + Q as i64).div_euclid(2 * Q as i64).rem_euclid(1 << d)
}

/// Decompress_d (equation 4.8): round(q y / 2^d), ties up.
pub(crate) fn decompress(d: u32, y: i64) -> i64 {
    (2 * Q as i64 * y + (1 << d)).div_euclid(2 << d)
}

/// SamplePolyCBD_eta (Algorithm 8), through bits.
pub(crate) fn sample_poly_cbd(eta: usize, bytes: &[u8]) -> [i64; N] {
    let bit = |i: usize| (bytes[i >> 3] >> (i & 7) & 1) as i64;
    let sum = |from: usize| (from..from + eta).map(bit).sum::<i64>();
    core::array::from_fn(|i| sum(2 * i * eta) - sum(2 * i * eta + eta))
}

/// SampleNTT (Algorithm 7) from XOF output; `None` if it does not suffice.
pub(crate) fn sample_ntt(xof: &[u8]) -> Option<[i64; N]> {
    let mut a = Vec::new();
    for c in xof.chunks_exact(3) {
        let (c0, c1, c2) = (c[0] as i64, c[1] as i64, c[2] as i64);
        a.extend(
            [c0 + 256 * c1.rem_euclid(16), c1.div_euclid(16) + 16 * c2].iter().filter(|&&d| d < Q as i64),
        );
    }
    a.truncate(N);
    a.try_into().ok()
}

/// The functions of section 4.1, by independent crates.
pub(crate) fn hash(function: Function, message: &[u8], length: usize) -> Vec<u8> {
    use sha3::Digest;
    use shake::{ExtendableOutput, Update, XofReader};
    let mut out = std::vec![0; length];
    match function {
        Function::Sha3_256 => out.copy_from_slice(&sha3::Sha3_256::digest(message)),
        Function::Sha3_512 => out.copy_from_slice(&sha3::Sha3_512::digest(message)),
        Function::Shake128 => {
            let mut xof = shake::Shake128::default();
            xof.update(message);
            xof.finalize_xof().read(&mut out);
        }
        Function::Shake256 => {
            let mut xof = shake::Shake256::default();
            xof.update(message);
            xof.finalize_xof().read(&mut out);
        }
    }
    out
}
