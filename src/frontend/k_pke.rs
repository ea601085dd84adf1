//! FIPS 203, section 5: the K-PKE component scheme. Not secure by itself; only `kem.rs` calls it.

use super::ct::Secret;
use super::params::{ENCODED, ParameterSet};
use super::symmetric::{prf, sample_ntt};
use crate::backend::batch::{Job, SAMPLE_BLOCKS};
use crate::backend::poly::{Canonical, Lazy, Multiplier, Noise, NttPoly, Poly};
use crate::backend::{Backend, Eta};

/// Bytes of PRF output for one polynomial with either value of eta_1.
const ETA1_BYTES: usize = Eta::Three.bytes();
/// The same with eta_2, which has one value.
const ETA2_BYTES: usize = Eta::Two.bytes();

/// A k x k matrix over T_q.
pub(crate) type Matrix<B, const K: usize> = [[NttPoly<B>; K]; K];

/// A matrix to be filled by [`matrix_jobs`].
pub(crate) const fn zero_matrix<B, const K: usize>() -> Matrix<B, K> {
    [const { [const { NttPoly::ZERO }; K] }; K]
}

/// Permutations that sampling a k x k matrix takes.
const fn matrix_work(k: usize) -> usize {
    k * k * SAMPLE_BLOCKS
}

/// Permutations that PRF_eta takes: 128 bytes are within a block of SHAKE256, 192 are not.
const fn prf_work(eta: Eta) -> usize {
    match eta {
        Eta::Two => 1,
        Eta::Three => 2,
    }
}

/// The sampling of A_hat (Algorithm 13, lines 3 to 7), one job an entry.
pub(crate) fn matrix_jobs<'a, B, const K: usize>(
    rho: &'a [u8; 32],
    a_hat: &'a mut Matrix<B, K>,
) -> impl Iterator<Item = Job<'a, B>> {
    entries(a_hat).map(|(i, j, entry)| sample_ntt(rho, j, i, entry))
}

/// The sampling of A_hat (Algorithm 14, lines 4 to 8), stored transposed: row i is what Algorithm 14, line 19
/// multiplies y_hat by.
pub(crate) fn transposed_matrix_jobs<'a, B, const K: usize>(
    rho: &'a [u8; 32],
    a_hat_transposed: &'a mut Matrix<B, K>,
) -> impl Iterator<Item = Job<'a, B>> {
    entries(a_hat_transposed).map(|(i, j, entry)| sample_ntt(rho, i, j, entry))
}

fn entries<B, const K: usize>(a: &mut Matrix<B, K>) -> impl Iterator<Item = (u8, u8, &mut NttPoly<B>)> {
    a.iter_mut().zip(0..).flat_map(|(row, i)| row.iter_mut().zip(0..).map(move |(entry, j)| (i, j, entry)))
}

/// PRF(s, n), PRF(s, n + 1), ..., one job an output.
fn noise_jobs<'a, B: 'a, const L: usize>(
    eta: Eta,
    s: &'a [u8; 32],
    n: u8,
    outputs: &'a mut [[u8; L]],
) -> impl Iterator<Item = Job<'a, B>> {
    outputs.iter_mut().zip(n..).map(move |(out, n)| prf(eta, s, n, out))
}

/// A vector of noise in T_q, ready to be multiplied by (Algorithm 13, line 16; Algorithm 14, line 18).
#[inline(never)] // frames that are not needed at the same time share the stack
fn transform_noise<B: Backend, const K: usize>(
    backend: B,
    eta: Eta,
    outputs: &[[u8; ETA1_BYTES]; K],
    vector: &mut [Multiplier<B>; K],
) {
    let mut f = Secret::new(Poly::<Noise>::ZERO);
    for (f_hat, b) in vector.iter_mut().zip(outputs) {
        backend.sample_poly_cbd(eta, b, &mut f);
        backend.multiplier(&f, f_hat);
    }
}

/// FIPS 203, Algorithm 13 (K-PKE.KeyGen), from line 2 on: `[rho, sigma]` is what line 1 computes.
///
/// Writes `ek` (384 k + 32 bytes) and `dk` (384 k bytes).
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn key_gen<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    [rho, sigma]: &[[u8; 32]; 2], // 1, the call of G: `kem::key_gen_internal`
    ek: &mut [u8],
    dk: &mut [u8],
) where
    B: Backend,
    P: ParameterSet<K, U, V>,
{
    let mut a_hat = zero_matrix::<B, K>();
    let mut s_bytes = Secret::new([[0; ETA1_BYTES]; K]);
    let mut e_bytes = Secret::new([[0; ETA1_BYTES]; K]);
    let k = K as u8;
    backend.hash_all(
        matrix_work(K) + 2 * K * prf_work(P::ETA1),
        &mut matrix_jobs(rho, &mut a_hat) // 3-7
            .chain(noise_jobs(P::ETA1, sigma, 0, &mut *s_bytes)) // 2, 8-11: PRF
            .chain(noise_jobs(P::ETA1, sigma, k, &mut *e_bytes)), // 12-15: PRF
    );
    let mut s_hat = Secret::new([const { Multiplier::ZERO }; K]);
    transform_noise(backend, P::ETA1, &s_bytes, &mut s_hat); // 8-11: CBD; 16

    let (ek_t, ek_rho) = ek.split_at_mut(ENCODED * K);
    let mut e = Secret::new(Poly::<Noise>::ZERO);
    let mut e_hat = Secret::new(NttPoly::ZERO);
    let mut t_hat = NttPoly::ZERO;
    let ek_t = ek_t.as_chunks_mut::<ENCODED>().0;
    for ((row, e_bytes), ek_t) in a_hat.iter().zip(e_bytes.iter()).zip(ek_t) {
        backend.sample_poly_cbd(P::ETA1, e_bytes, &mut e); // 12-15: CBD
        backend.ntt(&e, &mut e_hat); // 17
        backend.mul_add(row, &s_hat, &e_hat, &mut t_hat); // 18
        backend.encode12(&t_hat, ek_t); // 19
    }
    ek_rho.copy_from_slice(rho); // 19
    for (s_hat, dk_s) in s_hat.iter().zip(dk.as_chunks_mut::<ENCODED>().0) {
        backend.encode12(&s_hat.f_hat, dk_s); // 20
    }
} // 21: both keys are written in place

/// What Algorithm 14 reads of an encapsulation key, decoded and expanded.
pub(crate) struct EncryptionKey<B, const K: usize> {
    pub(crate) t_hat: [NttPoly<B>; K],
    /// A_hat, transposed.
    pub(crate) a_hat_transposed: Matrix<B, K>,
}

impl<B: Backend, const K: usize> EncryptionKey<B, K> {
    /// Room for a key to be expanded into.
    pub(crate) const ZERO: Self =
        Self { t_hat: [const { NttPoly::ZERO }; K], a_hat_transposed: zero_matrix() };

    /// Algorithm 14 (K-PKE.Encrypt), lines 2 to 8. The sampling shares the machine's lanes with `beside`, a hash
    /// that does not depend on it. In place: a key returned by value would take its stack twice.
    pub(crate) fn expand(&mut self, backend: B, ek: &[u8], beside: Job<'_, B>) {
        let (ek_t, rho) = ek.split_at(ENCODED * K); // 3
        decode_vector(backend, ek_t, &mut self.t_hat); // 2
        if let Some(rho) = rho.first_chunk() {
            let work = matrix_work(K) + beside.work();
            let jobs = transposed_matrix_jobs(rho, &mut self.a_hat_transposed); // 4-8
            backend.hash_all(work, &mut core::iter::once(beside).chain(jobs));
        }
    }
}

/// A vector of elements of T_q from its encoding; true if all its numbers are below q.
pub(crate) fn decode_vector<B: Backend, const K: usize>(
    backend: B,
    bytes: &[u8],
    vector: &mut [NttPoly<B>; K],
) -> bool {
    let mut below_q = true;
    for (f_hat, b) in vector.iter_mut().zip(bytes.as_chunks::<ENCODED>().0) {
        below_q &= backend.decode12(b, f_hat);
    }
    below_q
}

/// FIPS 203, Algorithm 14 (K-PKE.Encrypt), from line 9 on: `key` is what lines 2 to 8 compute.
///
/// Writes `c`, 32 (d_u k + d_v) bytes.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn encrypt<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    key: &EncryptionKey<B, K>,
    m: &[u8; 32],
    r: &[u8; 32],
    c: &mut [u8],
) where
    B: Backend,
    P: ParameterSet<K, U, V>,
{
    let (c1, c2) = c.split_at_mut(U * K);
    let mut y_bytes = Secret::new([[0; ETA1_BYTES]; K]);
    let mut e1_bytes = Secret::new([[0; ETA2_BYTES]; K]);
    let mut e2_bytes = Secret::new([[0; ETA2_BYTES]; 1]);
    let k = K as u8;
    backend.hash_all(
        K * prf_work(P::ETA1) + (K + 1) * prf_work(P::ETA2),
        &mut noise_jobs(P::ETA1, r, 0, &mut *y_bytes) // 1, 9-12: PRF
            .chain(noise_jobs(P::ETA2, r, k, &mut *e1_bytes)) // 13-16: PRF
            .chain(noise_jobs(P::ETA2, r, 2 * k, &mut *e2_bytes)), // 17: PRF
    );
    let mut y_hat = Secret::new([const { Multiplier::ZERO }; K]);
    transform_noise(backend, P::ETA1, &y_bytes, &mut y_hat); // 9-12: CBD; 18

    let mut product = Secret::new(Poly::<Lazy>::ZERO);
    let mut e = Secret::new(Poly::<Noise>::ZERO);
    let mut sum = Secret::new(Poly::<Canonical>::ZERO);
    let c1 = c1.as_chunks_mut::<U>().0;
    for ((row, e1_bytes), c1) in key.a_hat_transposed.iter().zip(e1_bytes.iter()).zip(c1) {
        backend.dot_inverse(row, &y_hat, &mut product); // 19
        backend.sample_poly_cbd(P::ETA2, e1_bytes, &mut e); // 13-16: CBD
        backend.add(&product, &e, &mut sum); // 19: u
        backend.compress(&sum, c1); // 22
    }

    let mut mu = Secret::new(Poly::<Canonical>::ZERO);
    backend.decompress(m, &mut mu); // 20
    backend.dot_inverse(&key.t_hat, &y_hat, &mut product); // 21
    backend.sample_poly_cbd(P::ETA2, &e2_bytes[0], &mut e); // 17: CBD
    backend.add_message(&product, &e, &mu, &mut sum); // 21: v
    if let Some(c2) = c2.first_chunk_mut::<V>() {
        backend.compress(&sum, c2); // 23
    }
} // 24: c is written in place

/// FIPS 203, Algorithm 15 (K-PKE.Decrypt).
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn decrypt<B: Backend, const K: usize, const U: usize, const V: usize>(
    backend: B,
    dk: &[u8],
    c: &[u8],
    m: &mut [u8; 32],
) {
    let (c1, c2) = c.split_at(U * K); // 1, 2
    // u' and then v', in the same place.
    let mut f = Poly::<Canonical>::ZERO;
    let mut u_hat = [const { Multiplier::ZERO }; K];
    for (u_hat, c1) in u_hat.iter_mut().zip(c1.as_chunks::<U>().0) {
        backend.decompress(c1, &mut f); // 3
        backend.multiplier(&f, u_hat); // 6: NTT(u')
    }
    if let Some(c2) = c2.first_chunk::<V>() {
        backend.decompress(c2, &mut f); // 4
    }
    let mut s_hat = Secret::new([const { NttPoly::ZERO }; K]);
    decode_vector(backend, dk, &mut s_hat); // 5
    let mut product = Secret::new(Poly::<Lazy>::ZERO);
    let mut w = Secret::new(Poly::<Canonical>::ZERO);
    backend.dot_inverse(&s_hat, &u_hat, &mut product); // 6
    backend.sub(&f, &product, &mut w); // 6
    backend.compress(&w, m); // 7
} // 8: m is written in place
