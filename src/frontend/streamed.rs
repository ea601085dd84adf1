//! FIPS 203, section 5, for little memory: Algorithms 13 to 15 with one entry of the matrix and one polynomial of noise at a time.
//! Of vectors only the secret one is ever whole. A backend asks for it ([`Backend::STREAMING`]); `k_pke.rs` has the same algorithms
//! with whole rows.

use core::slice::from_mut;

use subtle::Choice;

use super::ct::{self, Secret, Wipe};
use super::params::{Dimensions, ENCODED};
use super::symmetric::{entries, h, prf};
use crate::backend::poly::{Canonical, Eta, Lazy, Noise, NttPoly, Poly};
use crate::backend::{Backend, Streaming};

/// A secret vector, and an element that is computed with it. One struct, because compilers make room for each value that something is
/// set to, and for one of them the memory itself serves.
struct Working<B, S, const K: usize> {
    vector: [NttPoly<B>; K],
    sum: S,
}

impl<B, const K: usize> Working<B, NttPoly<B>, K> {
    const ZERO: Self = Self { vector: [const { NttPoly::ZERO }; K], sum: NttPoly::ZERO };
}

impl<B, const K: usize> Working<B, Poly<Lazy>, K> {
    const ZERO: Self = Self { vector: [const { NttPoly::ZERO }; K], sum: Poly::ZERO };
}

impl<B, S: Wipe, const K: usize> Wipe for Working<B, S, K> {
    fn wipe(&mut self) {
        self.vector.wipe();
        self.sum.wipe();
    }
}

/// The same for both, in the caller's memory.
#[cfg(feature = "small")]
pub struct Memory<B, const K: usize> {
    vector: [NttPoly<B>; K],
    t_hat: NttPoly<B>,
    sum: Poly<Lazy>,
}

#[cfg(feature = "small")]
impl<B, const K: usize> Memory<B, K> {
    pub(super) const ZERO: Self =
        Self { vector: [const { NttPoly::ZERO }; K], t_hat: NttPoly::ZERO, sum: Poly::ZERO };

    /// For [`key_gen_with`].
    pub(super) const fn for_key_gen(&mut self) -> (&mut [NttPoly<B>; K], &mut NttPoly<B>) {
        (&mut self.vector, &mut self.t_hat)
    }

    /// For [`encrypt_with`].
    pub(super) const fn for_encrypt(&mut self) -> (&mut [NttPoly<B>; K], &mut Poly<Lazy>) {
        (&mut self.vector, &mut self.sum)
    }
}

#[cfg(feature = "small")]
impl<B, const K: usize> Wipe for Memory<B, K> {
    fn wipe(&mut self) {
        self.vector.wipe();
        self.t_hat.wipe();
        self.sum.wipe();
    }
}

/// SamplePolyCBD of PRF_eta(seed, n) (Algorithm 13, lines 8 to 15; Algorithm 14, lines 9 to 17).
#[inline(never)] // frames that are not needed at the same time share the stack
fn noise<B: Backend>(backend: B, eta: Eta, seed: &[u8; 32], n: usize, f: &mut Poly<Noise>) {
    let mut b = Secret::new([0; Eta::Three.bytes()]);
    backend.hash_all(&mut [prf(eta, seed, n as u8, from_mut(&mut *b))]);
    backend.sample_poly_cbd(eta, &*b, f);
}

/// NTT of the same.
#[inline(never)] // likewise
fn transformed_noise<B: Backend>(backend: B, eta: Eta, seed: &[u8; 32], n: usize, f_hat: &mut NttPoly<B>) {
    let mut f = Secret::new(Poly::ZERO);
    noise(backend, eta, seed, n, &mut f);
    backend.ntt(&f, f_hat);
}

/// Adds the product of row `i` of A_hat, or of its transpose, and a vector.
#[inline(never)] // likewise
fn add_row<B: Backend, const K: usize>(
    backend: B,
    streaming: &Streaming<B>,
    rho: &[u8; 32],
    i: usize,
    transposed: bool,
    vector: &[NttPoly<B>; K],
    sum: &mut [i16; 256],
) {
    let mut a_hat = NttPoly::ZERO;
    for (j, f_hat) in vector.iter().enumerate() {
        let at = if transposed { [j, i] } else { [i, j] };
        backend.hash_all(&mut [entries::<_, K>(rho, at, from_mut(&mut a_hat))]);
        (streaming.multiply)(backend, &a_hat, f_hat, sum);
    }
}

/// FIPS 203, Algorithm 13 (K-PKE.KeyGen), from line 2 on, and H(ek), as [`key_gen`](super::k_pke::key_gen).
#[inline(never)] // likewise
pub(crate) fn key_gen<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    streaming: &Streaming<B>,
    rho_sigma: &[[u8; 32]; 2],
    ek: &mut [u8],
    dk: &mut [u8],
    h_ek: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut working = Secret::new(Working::<B, NttPoly<B>, K>::ZERO);
    let Working { vector, sum } = &mut *working;
    key_gen_with::<B, P, K, U, V>(backend, streaming, (vector, sum), rho_sigma, ek, dk, h_ek);
}

/// The same in memory for s_hat and for an element that tells s before there is e_hat in it: t_hat.
#[inline(never)] // likewise
pub(super) fn key_gen_with<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    streaming: &Streaming<B>,
    (s_hat, t_hat): (&mut [NttPoly<B>; K], &mut NttPoly<B>),
    [rho, sigma]: &[[u8; 32]; 2],
    ek: &mut [u8],
    dk: &mut [u8],
    h_ek: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    for (n, (s_hat, dk_s)) in s_hat.iter_mut().zip(dk.as_chunks_mut::<ENCODED>().0).enumerate() {
        transformed_noise(backend, P::ETA1, sigma, n, s_hat); // 8-11, 16
        backend.encode12(s_hat, dk_s); // 20
    }
    let (ek_t, ek_rho) = ek.split_at_mut(ENCODED * K);
    for (i, ek_t) in ek_t.as_chunks_mut::<ENCODED>().0.iter_mut().enumerate() {
        t_hat.raw_mut().fill(0);
        add_row(backend, streaming, rho, i, false, s_hat, t_hat.raw_mut()); // 3-7, 18
        add_noise(backend, streaming, P::ETA1, sigma, K + i, t_hat); // 12-15, 17, 18
        backend.encode12(t_hat, ek_t); // 19
    }
    ek_rho.copy_from_slice(rho); // 19
    backend.hash(h(ek, h_ek)); // H(ek)
} // 21: both keys are written in place

#[inline(never)] // likewise
fn add_noise<B: Backend>(
    backend: B,
    streaming: &Streaming<B>,
    eta: Eta,
    sigma: &[u8; 32],
    n: usize,
    t_hat: &mut NttPoly<B>,
) {
    let mut e_hat = Secret::new(NttPoly::ZERO);
    transformed_noise(backend, eta, sigma, n, &mut e_hat);
    (streaming.add)(backend, &e_hat, t_hat);
}

/// Where an encryption leaves its ciphertext.
pub(crate) trait Pieces {
    /// Takes what begins at byte `at`.
    fn take<const L: usize>(&mut self, at: usize, piece: &[u8; L]);
}

/// All of it is written.
impl Pieces for &mut [u8] {
    fn take<const L: usize>(&mut self, at: usize, piece: &[u8; L]) {
        if let Some(c) = self[at..].first_chunk_mut() {
            *c = *piece;
        }
    }
}

/// It is compared with another one (Algorithm 18, line 9), and no more is kept than the answer.
pub(crate) struct Comparison<'a> {
    pub(crate) c: &'a [u8],
    pub(crate) equal: Choice,
}

impl Pieces for Comparison<'_> {
    fn take<const L: usize>(&mut self, at: usize, piece: &[u8; L]) {
        self.equal &= match self.c[at..].first_chunk() {
            Some(c) => ct::equal(c, piece),
            None => Choice::from(0),
        };
    }
}

/// FIPS 203, Algorithm 14 (K-PKE.Encrypt). `out` takes the ciphertext piece by piece, with the place of each in it.
#[inline(never)] // likewise
pub(crate) fn encrypt<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    streaming: &Streaming<B>,
    ek: &[u8],
    m: &[u8; 32],
    r: &[u8; 32],
    out: &mut impl Pieces,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut working = Secret::new(Working::<B, Poly<Lazy>, K>::ZERO);
    let Working { vector, sum } = &mut *working;
    encrypt_with::<B, P, K, U, V>(backend, streaming, (vector, sum), ek, m, r, out);
}

/// The same in memory for y_hat and for u\[i\] and v.
#[inline(never)] // likewise
pub(super) fn encrypt_with<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    streaming: &Streaming<B>,
    (y_hat, sum): (&mut [NttPoly<B>; K], &mut Poly<Lazy>),
    ek: &[u8],
    m: &[u8; 32],
    r: &[u8; 32],
    out: &mut impl Pieces,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let rho = ek.last_chunk().unwrap_or(&[0; 32]); // 3
    for (n, y_hat) in y_hat.iter_mut().enumerate() {
        transformed_noise(backend, P::ETA1, r, n, y_hat); // 9-12, 18
    }
    for i in 0..K {
        sum.storage().fill(0);
        add_row(backend, streaming, rho, i, true, y_hat, sum.storage()); // 4-8, 19
        (streaming.inverse)(backend, sum.storage()); // 19
        compress_u::<B, P, K, U, V>(backend, r, i, sum, out); // 13-16, 19, 22
    }
    sum.storage().fill(0);
    add_key(backend, streaming, ek, y_hat, sum.storage()); // 2, 21
    (streaming.inverse)(backend, sum.storage()); // 21
    compress_v::<B, P, K, U, V>(backend, r, m, sum, out); // 17, 20, 21, 23
}

/// u\[i\], compressed.
#[inline(never)] // likewise
fn compress_u<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    r: &[u8; 32],
    i: usize,
    product: &Poly<Lazy>,
    out: &mut impl Pieces,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut e = Secret::new(Poly::ZERO);
    let mut c1 = Secret::new([0; U]);
    noise(backend, P::ETA2, r, K + i, &mut e); // 13-16
    backend.add_compress(product, &e, &mut c1); // 19, 22
    out.take(U * i, &c1);
}

/// v, compressed.
#[inline(never)] // likewise
fn compress_v<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    r: &[u8; 32],
    m: &[u8; 32],
    product: &Poly<Lazy>,
    out: &mut impl Pieces,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut e = Secret::new(Poly::ZERO);
    let mut c2 = Secret::new([0; V]);
    noise(backend, P::ETA2, r, 2 * K, &mut e); // 17
    backend.add_message_compress(product, &e, m, &mut c2); // 20, 21, 23
    out.take(U * K, &c2);
}

/// Adds the product of t_hat and a vector.
#[inline(never)] // likewise
fn add_key<B: Backend, const K: usize>(
    backend: B,
    streaming: &Streaming<B>,
    ek: &[u8],
    vector: &[NttPoly<B>; K],
    sum: &mut [i16; 256],
) {
    let mut t_hat = NttPoly::ZERO;
    for (f_hat, ek_t) in vector.iter().zip(ek.as_chunks::<ENCODED>().0) {
        // The key has passed the check of section 7.2.
        let _below_q = backend.decode12(ek_t, &mut t_hat); // 2
        (streaming.multiply)(backend, &t_hat, f_hat, sum);
    }
}

/// FIPS 203, Algorithm 15 (K-PKE.Decrypt). Writes `m`.
#[inline(never)] // likewise
pub(crate) fn decrypt<B: Backend, const K: usize, const U: usize, const V: usize>(
    backend: B,
    streaming: &Streaming<B>,
    dk_pke: &[u8],
    c: &[u8],
    m: &mut [u8; 32],
) {
    let (c1, c2) = c.split_at(U * K); // 1, 2
    let mut w = Secret::new(Poly::ZERO);
    for (dk_s, c1) in dk_pke.as_chunks::<ENCODED>().0.iter().zip(c1.as_chunks::<U>().0) {
        add_ciphertext(backend, streaming, dk_s, c1, w.storage()); // 3, 5, 6
    }
    (streaming.inverse)(backend, w.storage()); // 6
    let mut v = Poly::<Canonical>::ZERO;
    if let Some(c2) = c2.first_chunk::<V>() {
        backend.decompress(c2, &mut v); // 4
    }
    backend.sub_compress(&v, &w, m); // 6, 7
} // 8: m is written in place

/// Adds the product of one element of s_hat and u'.
#[inline(never)] // likewise
fn add_ciphertext<B: Backend, const U: usize>(
    backend: B,
    streaming: &Streaming<B>,
    dk_s: &[u8; ENCODED],
    c1: &[u8; U],
    sum: &mut [i16; 256],
) {
    let mut u_hat = NttPoly::ZERO;
    {
        let mut u = Poly::<Canonical>::ZERO;
        backend.decompress(c1, &mut u); // 3
        backend.ntt(&u, &mut u_hat); // 6
    }
    let mut s_hat = Secret::new(NttPoly::ZERO);
    // Neither is this a check: the key has passed it.
    let _below_q = backend.decode12(dk_s, &mut s_hat); // 5
    (streaming.multiply)(backend, &s_hat, &u_hat, sum); // 6
}
