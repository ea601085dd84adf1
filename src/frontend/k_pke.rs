//! FIPS 203, section 5: the K-PKE component scheme. Not secure by itself; only `kem.rs` calls it.

use subtle::Choice;
use zeroize::optimization_barrier;

use super::ct::{Secret, Wipe};
use super::params::{Dimensions, ENCODED, ek_size};
use super::streamed;
use super::symmetric::{entries, h_begin, h_rest, h_whole, matrix, prf, transposed_matrix};
use crate::backend::Backend;
use crate::backend::poly::{Canonical, Eta, Lazy, Multiplier, Noise, NttPoly, Poly};
use crate::sponge::jobs::{Absorbed, Jobs};
use crate::sponge::{FRAMES, wipe_frames};

/// Bytes of PRF output for one polynomial with either value of eta_1.
const ETA1_BYTES: usize = Eta::Three.bytes();
/// The same with eta_2, which has one value.
const ETA2_BYTES: usize = Eta::Two.bytes();

/// A vector of noise in T_q, ready to be multiplied by (Algorithm 13, line 16; Algorithm 14, line 18). `f` is for work in
/// between; the caller wipes it.
#[inline(never)] // frames that are not needed at the same time share the stack
fn transform_noise<B: Backend, const K: usize>(
    backend: B,
    eta: Eta,
    outputs: &[[u8; ETA1_BYTES]; K],
    f: &mut Poly<Noise>,
    vector: &mut [Multiplier<B>; K],
) {
    for (f_hat, b) in vector.iter_mut().zip(outputs) {
        backend.sample_poly_cbd(eta, b, f);
        backend.multiplier(f, f_hat);
    }
}

/// Overwrites the frames of kernels that have returned, if a backend's may have registers in them.
#[inline(always)]
pub(crate) fn wipe_kernels<B: Backend, const BYTES: usize>() {
    if B::KERNELS_SPILL {
        wipe_frames::<BYTES>();
    }
}

/// Bytes that reach below the frame of [`public_row`] and those of kernels that it calls.
const ROW_FRAMES: usize = 2 * FRAMES;

/// FIPS 203, Algorithm 13 (K-PKE.KeyGen), from line 2 on: `[rho, sigma]` is what line 1 computes.
///
/// Writes `ek` (384 k + 32 bytes) and `dk` (384 k bytes), and H(ek), which for k > 2 begins while later rows of A_hat are
/// still being sampled: a hash that is one long chain is cheapest where there is other work beside it.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn key_gen<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    rho_sigma: &[[u8; 32]; 2], // 1, the call of G: `kem::key_gen_internal`
    ek: &mut [u8],
    dk: &mut [u8],
    h_ek: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    if let Some(streaming) = &B::STREAMING {
        return streamed::key_gen::<B, P, K, U, V>(backend, streaming, rho_sigma, ek, dk, h_ek);
    }
    let mut rows = [const { [const { NttPoly::ZERO }; K] }; 2];
    key_gen_on_rows::<B, P, K, U, V>(backend, rho_sigma, &mut rows, ek, dk, h_ek);
}

/// The same, with room for two rows of A_hat, or for all of them, which are kept.
#[inline(always)]
fn key_gen_on_rows<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    [rho, sigma]: &[[u8; 32]; 2],
    rows: &mut [[NttPoly<B>; K]],
    ek: &mut [u8],
    dk: &mut [u8],
    h_ek: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let first = rows_before_hash(B::SLOTS, K);
    let mut e_bytes = Secret::new([[0; ETA1_BYTES]; K]);
    let mut s_hat = Secret::new([const { Multiplier::ZERO }; K]);
    {
        let mut s_bytes = Secret::new([[0; ETA1_BYTES]; K]);
        backend.hash_all(&mut [
            matrix(rho, 0, &mut rows[..first]),          // 3-7: i = 0, 1
            prf(P::ETA1, sigma, 0, &mut *s_bytes),       // 2, 8-11: PRF
            prf(P::ETA1, sigma, K as u8, &mut *e_bytes), // 12-15: PRF
        ]);
        secret_vector::<B, P, K, U, V>(backend, &s_bytes, &mut s_hat, dk); // 8-11: CBD; 16, 20
    }

    ek[ENCODED * K..].copy_from_slice(rho); // 19
    let (ek_first, _) = ek.split_at_mut(first * ENCODED);
    for ((row, e_bytes), ek_t) in rows.iter().zip(e_bytes.iter()).zip(ek_first.as_chunks_mut().0) {
        public_row::<B, P, K, U, V>(backend, row, &s_hat, e_bytes, ek_t); // 12-15: CBD; 17-19
    }
    let later = if rows.len() < K { rows } else { &mut rows[first..] };
    let mut absorbed = Absorbed::NOTHING;
    let (mut begun, mut there) = (0, 0);
    for (i, e_bytes) in e_bytes.iter().enumerate().skip(first) {
        let whole = h_whole(ENCODED * i);
        let beside = h_begin(&ek[begun..whole], &mut absorbed); // H(ek)
        // What row i lacks, and the beginning of the next.
        let ahead = if i + 1 < K { entries_ahead(B::SLOTS, K) } else { 0 };
        let new = &mut later.as_flattened_mut()[K * (i - first) + there..K * (i - first + 1) + ahead];
        backend.hash_all(&mut [beside.into(), entries::<_, K>(rho, [i, there], new)]); // 3-7: i = 1, 2, 3
        (begun, there) = (whole, ahead);
        if let Some(ek_t) = ek[ENCODED * i..].first_chunk_mut() {
            public_row::<B, P, K, U, V>(backend, &later[i - first], &s_hat, e_bytes, ek_t); // 12-15: CBD; 17-19
        }
    }
    backend.hash(h_rest(&absorbed, &ek[begun..], h_ek)); // H(ek)
    wipe_kernels::<B, ROW_FRAMES>();
} // 21: both keys are written in place

/// How many rows are sampled before H(ek) begins: one where the next fills the slots beside it. Elsewhere H(ek) would wait for rows,
/// or slots would be empty.
const fn rows_before_hash(slots: usize, k: usize) -> usize {
    if slots == k + 1 { 1 } else { 2 }
}

/// How many entries of the next row are sampled with a row and beside H(ek), which takes a slot of its own: with them, the other slots
/// are taken equally often. None where a row leaves some of them empty: there H(ek) is what takes longest. With more slots than four it
/// costs nothing, and saves something where four of them are cheaper than all.
const fn entries_ahead(slots: usize, k: usize) -> usize {
    let beside = (if slots < 4 { slots } else { 4 }) - 1;
    if beside == 0 || beside > k { 0 } else { k.next_multiple_of(beside) - k }
}

/// s_hat, and its encoding (Algorithm 13, lines 8 to 11, 16 and 20).
#[inline(always)]
fn secret_vector<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    s_bytes: &[[u8; ETA1_BYTES]; K],
    s_hat: &mut [Multiplier<B>; K],
    dk: &mut [u8],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut s = Secret::new(Poly::ZERO);
    transform_noise(backend, P::ETA1, s_bytes, &mut s, s_hat); // 8-11: CBD; 16
    for (s_hat, dk_s) in s_hat.iter().zip(dk.as_chunks_mut::<ENCODED>().0) {
        backend.encode12(&s_hat.f_hat, dk_s); // 20
    }
}

/// What Algorithm 13 takes of the PRF for one key: s and e before they are polynomials.
pub(crate) struct KeyNoise<const K: usize>(Secret<[[[u8; ETA1_BYTES]; K]; 2]>);

impl<const K: usize> KeyNoise<K> {
    /// Room for what [`jobs`](Self::jobs) write.
    pub(crate) const fn new() -> Self {
        Self(Secret::new([[[0; ETA1_BYTES]; K]; 2]))
    }

    /// Algorithm 13, lines 2 and 8 to 15, as far as they are hashing.
    pub(crate) fn jobs<'a, B>(&'a mut self, eta1: Eta, sigma: &'a [u8; 32]) -> [Jobs<'a, B>; 2] {
        let [s, e] = &mut *self.0;
        [prf(eta1, sigma, 0, s), prf(eta1, sigma, K as u8, e)]
    }

    /// FIPS 203, Algorithm 13 (K-PKE.KeyGen), after all its hashing. Writes `ek` (384 k + 32 bytes) and `dk` (384 k bytes).
    #[inline(never)] // frames that are not needed at the same time share the stack
    pub(crate) fn key_gen<B, P, const U: usize, const V: usize>(
        &self,
        backend: B,
        rho: &[u8; 32],
        a_hat: &[[NttPoly<B>; K]],
        ek: &mut [u8],
        dk: &mut [u8],
    ) where
        B: Backend,
        P: Dimensions<K, U, V>,
    {
        let [s_bytes, e_bytes] = &*self.0;
        let mut s_hat = Secret::new([const { Multiplier::ZERO }; K]);
        secret_vector::<B, P, K, U, V>(backend, s_bytes, &mut s_hat, dk); // 8-11: CBD; 16, 20
        for ((row, e_bytes), ek_t) in a_hat.iter().zip(e_bytes).zip(ek.as_chunks_mut().0) {
            public_row::<B, P, K, U, V>(backend, row, &s_hat, e_bytes, ek_t); // 12-15: CBD; 17-19
        }
        ek[ENCODED * K..].copy_from_slice(rho); // 19
        wipe_kernels::<B, ROW_FRAMES>();
    }
}

/// One row of `t_hat = A_hat . s_hat + e_hat`, encoded (Algorithm 13, lines 12 to 15 and 17 to 19).
fn public_row<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    row: &[NttPoly<B>; K],
    s_hat: &[Multiplier<B>; K],
    e_bytes: &[u8; ETA1_BYTES],
    ek_t: &mut [u8; ENCODED],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut e = Secret::new(Poly::<Noise>::ZERO);
    let mut e_hat = Secret::new(NttPoly::ZERO);
    let mut t_hat = NttPoly::ZERO;
    backend.sample_poly_cbd(P::ETA1, e_bytes, &mut e); // 12-15
    backend.ntt(&e, &mut e_hat); // 17
    backend.mul_add(row, s_hat, &e_hat, &mut t_hat); // 18
    backend.encode12(&t_hat, ek_t); // 19
}

/// What Algorithm 14 reads of an encapsulation key, decoded and expanded.
#[derive(Clone, Copy)]
pub(crate) struct EncryptionKey<B, const K: usize> {
    t_hat: [NttPoly<B>; K],
    /// A_hat, transposed: row i is what Algorithm 14, line 19 multiplies y_hat by.
    a_hat_transposed: [[NttPoly<B>; K]; K],
}

impl<B: Backend, const K: usize> EncryptionKey<B, K> {
    /// Room for a key that [`decode`](Self::decode) and [`hash`](Self::hash) fill in place: a key
    /// returned by value would take its stack twice.
    pub(crate) const ZERO: Self = Self {
        t_hat: [const { NttPoly::ZERO }; K],
        a_hat_transposed: [const { [const { NttPoly::ZERO }; K] }; K],
    };

    /// Algorithm 14 (K-PKE.Encrypt), line 2; true if all numbers are below q.
    pub(crate) fn decode(&mut self, backend: B, ek: &[u8]) -> bool {
        let mut below_q = true;
        for (t_hat, b) in self.t_hat.iter_mut().zip(ek.as_chunks::<ENCODED>().0) {
            below_q &= backend.decode12(b, t_hat); // 2
        }
        below_q
    }

    /// Algorithm 13 (K-PKE.KeyGen), from line 2 on, as [`key_gen`], that leaves its matrix in
    /// [`room_for_a_hat`](Self::room_for_a_hat).
    pub(crate) fn key_gen<P, const U: usize, const V: usize>(
        &mut self,
        backend: B,
        rho_sigma: &[[u8; 32]; 2],
        ek: &mut [u8],
        dk: &mut [u8],
        h_ek: &mut [u8; 32],
    ) where
        P: Dimensions<K, U, V>,
    {
        key_gen_on_rows::<B, P, K, U, V>(backend, rho_sigma, self.room_for_a_hat(), ek, dk, h_ek);
    }

    /// Where a key generation leaves its matrix for [`transpose`](Self::transpose).
    pub(crate) const fn room_for_a_hat(&mut self) -> &mut [[NttPoly<B>; K]; K] {
        &mut self.a_hat_transposed
    }

    /// Makes of the matrix what is kept of it.
    pub(crate) fn transpose(&mut self) {
        let a_hat = &mut self.a_hat_transposed;
        for i in 1..K {
            let (above, rest) = a_hat.split_at_mut(i);
            for (j, row) in above.iter_mut().enumerate() {
                core::mem::swap(&mut row[i], &mut rest[0][j]);
            }
        }
    }

    /// H(ek), and Algorithm 14 (K-PKE.Encrypt), lines 3 to 8.
    pub(crate) fn hash(&mut self, backend: B, ek: &[u8], h_ek: &mut [u8; 32]) {
        debug_assert_eq!(ek.len(), ek_size(K));
        backend.hash_key(ek, h_ek, &mut self.a_hat_transposed); // 3-8
    }

    /// Algorithm 14 (K-PKE.Encrypt), lines 3 to 8, by itself: of `ek` it reads rho, which comes last.
    pub(crate) fn matrix<'a>(&'a mut self, ek: &'a [u8]) -> Jobs<'a, B> {
        let rho = ek.last_chunk().unwrap_or(&[0; 32]); // 3
        transposed_matrix(rho, &mut self.a_hat_transposed) // 4-8
    }
}

/// A secret vector of elements of T_q from its encoding; true if all its numbers are below q.
pub(crate) fn decode_vector<B: Backend, const K: usize>(
    backend: B,
    bytes: &[u8],
    vector: &mut [NttPoly<B>; K],
) -> bool {
    // A `bool` in its place can become a branch for each polynomial.
    let mut below_q = Choice::from(1);
    for (f_hat, b) in vector.iter_mut().zip(bytes.as_chunks::<ENCODED>().0) {
        below_q &= Choice::from(u8::from(backend.decode12(b, f_hat)));
    }
    below_q.into()
}

/// What the PRF gives one encryption: y, e1 and e2 before they are polynomials.
pub(crate) struct EncryptionNoise<const K: usize>(Secret<NoiseBytes<K>>);

struct NoiseBytes<const K: usize> {
    y: [[u8; ETA1_BYTES]; K],
    e1: [[u8; ETA2_BYTES]; K],
    e2: [[u8; ETA2_BYTES]; 1],
}

impl<const K: usize> NoiseBytes<K> {
    const ZERO: Self = Self { y: [[0; ETA1_BYTES]; K], e1: [[0; ETA2_BYTES]; K], e2: [[0; ETA2_BYTES]; 1] };
}

impl<const K: usize> Wipe for NoiseBytes<K> {
    fn wipe(&mut self) {
        *self = Self::ZERO;
        optimization_barrier(self);
    }
}

impl<const K: usize> EncryptionNoise<K> {
    /// Room for what [`jobs`](Self::jobs) write.
    pub(crate) const fn new() -> Self {
        Self(Secret::new(NoiseBytes::ZERO))
    }

    /// What [`jobs`](Self::jobs) write, by themselves.
    #[inline(never)] // frames that are not needed at the same time share the stack
    pub(crate) fn fill<B: Backend>(&mut self, backend: B, eta1: Eta, r: &[u8; 32]) {
        let NoiseBytes { y, e1, e2: [e2] } = &mut *self.0;
        backend.noise(eta1, r, y, e1, e2);
    }

    /// Algorithm 14 (K-PKE.Encrypt), lines 1 and 9 to 17, as far as they are hashing: all that `r` is for.
    pub(crate) fn jobs<'a, B>(&'a mut self, eta1: Eta, eta2: Eta, r: &'a [u8; 32]) -> [Jobs<'a, B>; 3] {
        let k = K as u8;
        let NoiseBytes { y, e1, e2 } = &mut *self.0;
        [
            prf(eta1, r, 0, y),      // 1, 9-12: PRF
            prf(eta2, r, k, e1),     // 13-16: PRF
            prf(eta2, r, 2 * k, e2), // 17: PRF
        ]
    }
}

/// The polynomials that an encryption computes. One struct, because clearing one is cheaper than clearing two.
struct Polys {
    product: Poly<Lazy>,
    e: Poly<Noise>,
}

impl Polys {
    const ZERO: Self = Self { product: Poly::ZERO, e: Poly::ZERO };
}

impl Wipe for Polys {
    fn wipe(&mut self) {
        *self = Self::ZERO;
        optimization_barrier(self);
    }
}

/// FIPS 203, Algorithm 14 (K-PKE.Encrypt), after all its hashing: `key` is what lines 2 to 8 compute, `noise` what the
/// PRF gives in lines 9 to 17.
///
/// Writes `c`, 32 (d_u k + d_v) bytes.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn encrypt<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    key: &EncryptionKey<B, K>,
    m: &[u8; 32],
    noise: &EncryptionNoise<K>,
    c: &mut [u8],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let (c1, c2) = c.split_at_mut(U * K);
    let NoiseBytes { y, e1, e2: [e2] } = &*noise.0;
    let mut polys = Secret::new(Polys::ZERO);
    let Polys { product, e } = &mut *polys;
    let mut y_hat = Secret::new([const { Multiplier::ZERO }; K]);
    transform_noise(backend, P::ETA1, y, e, &mut y_hat); // 9-12: CBD; 18

    let c1 = c1.as_chunks_mut::<U>().0;
    for ((row, e1_bytes), c1) in key.a_hat_transposed.iter().zip(e1).zip(c1) {
        backend.dot_inverse(row, &y_hat, product); // 19
        backend.sample_poly_cbd(P::ETA2, e1_bytes, e); // 13-16: CBD
        backend.add_compress(product, e, c1); // 19: u; 22
    }

    backend.dot_inverse(&key.t_hat, &y_hat, product); // 21
    backend.sample_poly_cbd(P::ETA2, e2, e); // 17: CBD
    if let Some(c2) = c2.first_chunk_mut::<V>() {
        backend.add_message_compress(product, e, m, c2); // 20; 21: v; 23
    }
    wipe_kernels::<B, FRAMES>();
} // 24: c is written in place

/// FIPS 203, Algorithm 15 (K-PKE.Decrypt).
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn decrypt<B: Backend, const K: usize, const U: usize, const V: usize>(
    backend: B,
    s_hat: &[NttPoly<B>; K], // 5: `decode_vector`
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
    let mut product = Secret::new(Poly::<Lazy>::ZERO);
    backend.dot_inverse(s_hat, &u_hat, &mut product); // 6
    backend.sub_compress(&f, &product, m); // 6, 7
} // 8: m is written in place

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::poly::N;

    #[test]
    fn what_an_encryption_works_on_is_wiped() {
        let mut noise =
            NoiseBytes { y: [[1; ETA1_BYTES]; 2], e1: [[2; ETA2_BYTES]; 2], e2: [[3; ETA2_BYTES]; 1] };
        noise.wipe();
        let NoiseBytes { y, e1, e2 } = noise;
        assert_eq!((y, e1, e2), ([[0; ETA1_BYTES]; 2], [[0; ETA2_BYTES]; 2], [[0; ETA2_BYTES]; 1]));

        let mut polys = Polys::ZERO;
        polys.product.storage().fill(1);
        polys.e.storage().fill(2);
        polys.wipe();
        let Polys { product, e } = &polys;
        assert_eq!((product.coefficients(), e.coefficients()), (&[0; N], &[0; N]));
    }
}
