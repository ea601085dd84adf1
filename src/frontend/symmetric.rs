//! FIPS 203, section 4.1: G, H, J, PRF and XOF as sponge jobs for a backend. What an encapsulation asks of H, XOF and PRF are
//! whole operations of the contract, `hash_key` and `noise`.

use crate::backend::Backend;
use crate::backend::poly::{Eta, NttPoly};
use crate::backend::select::{Selected, with_backend};
use crate::sponge::fips202::Function;
use crate::sponge::jobs::{Absorbed, Job, Jobs};
#[cfg(feature = "hybrid")]
use crate::sponge::{DEEP_FRAMES, wipe_frames};

/// G(head || tail), equation 4.5: the first and the second half of SHA3-512.
pub(crate) fn g<'a>(head: &'a [u8; 32], tail: &'a [u8; 32], out: &'a mut [[u8; 32]; 2]) -> Job<'a> {
    Job::new(Function::Sha3_512, head, tail, out.as_flattened_mut())
}

/// G(d || k), the domain-separated seed of key generation (Algorithm 13, line 1).
pub(crate) fn g_with_k<'a>(d: &'a [u8; 32], k: &'a [u8; 1], out: &'a mut [[u8; 32]; 2]) -> Job<'a> {
    Job::new(Function::Sha3_512, d, k, out.as_flattened_mut())
}

/// H(s), equation 4.4: SHA3-256.
pub(crate) fn h<'a>(s: &'a [u8], out: &'a mut [u8; 32]) -> Job<'a> {
    Job::new(Function::Sha3_256, s, &[], out)
}

/// H of public bytes, on the backend in use.
pub(crate) fn h_of(s: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    with_backend!(Selected::best(), backend => backend.hash(h(s, &mut out)));
    out
}

/// SHA3-256 of a secret, on the backend in use.
#[cfg(feature = "hybrid")]
pub(crate) fn sha3_256_of_secret(message: &[u8], out: &mut [u8; 32]) {
    with_backend!(Selected::best(), backend => backend.hash(h(message, out).of_secret()));
    wipe_frames::<DEEP_FRAMES>(); // not all of a message or a result of other lengths than ML-KEM's stays in registers
}

/// SHAKE256, on the backend in use.
#[cfg(feature = "hybrid")]
pub(crate) fn shake256(message: &[u8], out: &mut [u8]) {
    with_backend!(Selected::best(), backend => backend.hash(Job::new(Function::Shake256, message, &[], out)));
    wipe_frames::<DEEP_FRAMES>(); // likewise
}

/// Goes on with H: absorbs the whole blocks of `s` into `absorbed`.
pub(crate) fn h_begin<'a>(s: &'a [u8], absorbed: &'a mut Absorbed) -> Job<'a> {
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
pub(crate) fn h_rest<'a>(absorbed: &'a Absorbed, rest: &'a [u8], out: &'a mut [u8; 32]) -> Job<'a> {
    Job::resume(Function::Sha3_256, absorbed, rest, out)
}

/// J(z || c), equation 4.4: 32 bytes of SHAKE256.
pub(crate) fn j<'a>(z: &'a [u8; 32], c: &'a [u8], out: &'a mut [u8; 32]) -> Job<'a> {
    Job::new(Function::Shake256, z, c, out)
}

/// PRF_eta(s, n), PRF_eta(s, n + 1), ..., equation 4.3: the first 64 eta bytes of each of the `outputs` receive
/// SHAKE256(s || n).
pub(crate) fn prf<'a, B, const L: usize>(
    eta: Eta,
    s: &'a [u8; 32],
    n: u8,
    outputs: &'a mut [[u8; L]],
) -> Jobs<'a, B> {
    Jobs::prf(s, n, eta.bytes(), outputs)
}

/// Rows of A_hat from row `i` on, by SampleNTT (section 4.1, XOF, and Algorithm 7) of rho || j || i at row i,
/// column j (Algorithm 13, lines 3 to 7).
pub(crate) fn matrix<'a, B, const K: usize>(
    rho: &'a [u8; 32],
    i: u8,
    rows: &'a mut [[NttPoly<B>; K]],
) -> Jobs<'a, B> {
    Jobs::matrix(rho, i, rows, false)
}

/// Entries of A_hat row by row, from row i, column j on, as [`matrix`] samples them.
pub(crate) fn entries<'a, B, const K: usize>(
    rho: &'a [u8; 32],
    i_j: [usize; 2],
    entries: &'a mut [NttPoly<B>],
) -> Jobs<'a, B> {
    Jobs::entries(rho, i_j.map(|index| index as u8), K as u8, entries)
}

/// All of A_hat, transposed: SampleNTT of rho || i || j is at row i, column j.
pub(crate) fn transposed_matrix<'a, B, const K: usize>(
    rho: &'a [u8; 32],
    rows: &'a mut [[NttPoly<B>; K]],
) -> Jobs<'a, B> {
    Jobs::matrix(rho, 0, rows, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_blocks_are_as_many_as_fit() {
        for (length, whole) in
            [(0, 0), (135, 0), (136, 136), (271, 136), (272, 272), (768, 680), (1152, 1088)]
        {
            assert_eq!(h_whole(length), whole, "{length} bytes");
        }
    }
}
