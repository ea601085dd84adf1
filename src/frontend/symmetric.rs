//! FIPS 203, section 4.1: G, H, J, PRF and XOF as sponge jobs for a backend.

use crate::backend::Eta;
use crate::backend::batch::{Absorbed, Function, Job, Output};
use crate::backend::poly::NttPoly;

/// G(head || tail), equation 4.5: the first and the second half of SHA3-512.
pub(crate) fn g<'a, B>(head: &'a [u8; 32], tail: &'a [u8; 32], out: &'a mut [[u8; 32]; 2]) -> Job<'a, B> {
    Job::new(Function::Sha3_512, head, tail, Output::Bytes(out.as_flattened_mut()))
}

/// G(d || k), the domain-separated seed of key generation (Algorithm 13, line 1).
pub(crate) fn g_with_k<'a, B>(d: &'a [u8; 32], k: u8, out: &'a mut [[u8; 32]; 2]) -> Job<'a, B> {
    Job::with_byte(Function::Sha3_512, d, k, Output::Bytes(out.as_flattened_mut()))
}

/// H(s), equation 4.4: SHA3-256.
pub(crate) fn h<'a, B>(s: &'a [u8], out: &'a mut [u8; 32]) -> Job<'a, B> {
    Job::new(Function::Sha3_256, s, &[], Output::Bytes(out))
}

/// H(s) as far as whole blocks of s are there, which `absorbed` has been so far.
pub(crate) fn h_begin<'a, B>(s: &'a [u8], absorbed: &'a mut Absorbed) -> Job<'a, B> {
    Job::absorb(Function::Sha3_256, s, absorbed)
}

/// How many of the first `length` bytes of s fill whole blocks.
pub(crate) const fn h_whole(length: usize) -> usize {
    let mut whole = 0;
    while whole + Function::Sha3_256.rate() <= length {
        whole += Function::Sha3_256.rate();
    }
    whole
}

/// H(s), of which all but `rest` has been absorbed.
pub(crate) fn h_rest<'a, B>(absorbed: &'a Absorbed, rest: &'a [u8], out: &'a mut [u8; 32]) -> Job<'a, B> {
    Job::resume(Function::Sha3_256, absorbed, rest, Output::Bytes(out))
}

/// J(z || c), equation 4.4: 32 bytes of SHAKE256.
pub(crate) fn j<'a, B>(z: &'a [u8; 32], c: &'a [u8], out: &'a mut [u8; 32]) -> Job<'a, B> {
    Job::new(Function::Shake256, z, c, Output::Bytes(out))
}

/// PRF_eta(s, b), equation 4.3: the first 64 eta bytes of `out` receive SHAKE256(s || b).
pub(crate) fn prf<'a, B>(eta: Eta, s: &'a [u8; 32], b: u8, out: &'a mut [u8]) -> Job<'a, B> {
    Job::with_byte(Function::Shake256, s, b, Output::Bytes(&mut out[..eta.bytes()]))
}

/// SampleNTT(rho || i || j), section 4.1 (XOF) and Algorithm 7.
pub(crate) fn sample_ntt<'a, B>(rho: &'a [u8; 32], i: u8, j: u8, a_hat: &'a mut NttPoly<B>) -> Job<'a, B> {
    Job::with_bytes(Function::Shake128, rho, i, j, Output::SampleNtt(a_hat))
}
