//! FIPS 203, sections 6 and 7: ML-KEM over K-PKE.
//!
//! Algorithms 19 to 21 only add randomness and checks to 16 to 18. The randomness (Algorithm 19, lines
//! 1 to 5; Algorithm 20, lines 1 to 4) is drawn in `decapsulation.rs` and `encapsulation.rs`, which have no way to go on
//! without it; the checks of 7.2 and 7.3 are done where bytes become keys, also there, by the functions at the end of this
//! file, or in the one pass that decodes an expanded key anyway: `decaps_checked`.

use subtle::Choice;

use super::bytes::Bytes;
use super::bytes::sealed::Array;
use super::ct::{self, Secret, Wipe};
use super::k_pke::{self, EncryptionKey, EncryptionNoise, decode_vector, wipe_kernels};
use super::params::{Dimensions, ENCODED, ek_size};
use super::streamed;
#[cfg(feature = "small")]
use super::streamed::Memory;
use super::symmetric::{g, g_with_k, h, j};
use crate::backend::poly::NttPoly;
use crate::backend::select::PerBackend;
use crate::backend::{Backend, Streaming};
use crate::sponge::jobs::Job;
use crate::sponge::{FRAMES, wipe_frames};

/// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal), and so Algorithm 19 from line 6 on.
///
/// Writes every part of `dk`, the encapsulation key among them.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn key_gen_internal<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    d: &[u8; 32],
    z: &[u8; 32],
    dk: DkMut<'_>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut rho_sigma = Secret::new([[0; 32]; 2]);
    backend.hash(g_with_k(d, &[K as u8], &mut rho_sigma)); // 1: Algorithm 13, line 1
    k_pke::key_gen::<B, P, K, U, V>(backend, &rho_sigma, dk.ek, dk.dk_pke, dk.h_ek); // 1-3
    *dk.z = *z; // 3
} // 4: the keys are written in place

/// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal), as [`key_gen_internal`], of a key that is prepared as well: its matrix is the one
/// that was sampled for it.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn key_gen_prepared<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    d: &[u8; 32],
    z: &[u8; 32],
    dk: DkMut<'_>,
    prepared: &mut PreparedDk<B, K>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut rho_sigma = Secret::new([[0; 32]; 2]);
    backend.hash(g_with_k(d, &[K as u8], &mut rho_sigma)); // 1: Algorithm 13, line 1
    prepared.ek.key.key_gen::<P, U, V>(backend, &rho_sigma, dk.ek, dk.dk_pke, dk.h_ek); // 1-3
    *dk.z = *z; // 3
    prepared.finish(backend, &dk);
}

/// FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal), and so Algorithm 20 from line 5 on.
///
/// `ek` has passed the check of section 7.2. Writes `c`, 32 (d_u k + d_v) bytes, and `shared_secret`.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn encaps_internal<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    ek: &[u8],
    m: &[u8; 32],
    c: &mut [u8],
    shared_secret: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    if let Some(streaming) = &B::STREAMING {
        let mut k_r = Secret::new([[0; 32]; 2]);
        g_of_key(backend, ek, m, &mut k_r); // 1
        streamed::encrypt::<B, P, K, U, V>(backend, streaming, ek, m, &k_r[1], &mut &mut *c); // 2
        *shared_secret = k_r[0];
        return; // 3
    }
    let mut key = PreparedEk::<B, K>::ZERO;
    key.prepare(backend, ek); // 1: H(ek); 2: Algorithm 14, lines 2-8
    encaps_prepared::<B, P, K, U, V>(backend, &key, m, c, shared_secret); // 1-3
}

/// Algorithm 17, line 1: G(m || H(ek)).
#[inline(never)] // frames that are not needed at the same time share the stack
fn g_of_key<B: Backend>(backend: B, ek: &[u8], m: &[u8; 32], k_r: &mut [[u8; 32]; 2]) {
    let mut h_ek = [0; 32];
    backend.hash(h(ek, &mut h_ek));
    backend.hash(g(m, &h_ek, k_r));
}

/// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal), as [`key_gen_internal`], in the caller's memory.
#[cfg(feature = "small")]
#[inline(never)] // frames that are not needed at the same time share the stack
pub(super) fn key_gen_in<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    streaming: &Streaming<B>,
    memory: &mut Memory<B, K>,
    d: &[u8; 32],
    z: &[u8; 32],
    dk: DkMut<'_>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut rho_sigma = Secret::new([[0; 32]; 2]);
    let DkMut { ek, dk_pke, h_ek, .. } = dk;
    backend.hash(g_with_k(d, &[K as u8], &mut rho_sigma)); // 1: Algorithm 13, line 1
    let memory = memory.for_key_gen();
    streamed::key_gen_with::<B, P, K, U, V>(backend, streaming, memory, &rho_sigma, ek, dk_pke, h_ek); // 1-3
    *dk.z = *z; // 3
} // 4: the keys are written in place

/// FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal), as [`encaps_internal`], in the caller's memory.
#[cfg(feature = "small")]
#[inline(never)] // frames that are not needed at the same time share the stack
pub(super) fn encaps_in<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    streaming: &Streaming<B>,
    memory: &mut Memory<B, K>,
    ek: &[u8],
    m: &[u8; 32],
    mut c: &mut [u8],
    shared_secret: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut k_r = Secret::new([[0; 32]; 2]);
    g_of_key(backend, ek, m, &mut k_r); // 1
    let memory = memory.for_encrypt();
    streamed::encrypt_with::<B, P, K, U, V>(backend, streaming, memory, ek, m, &k_r[1], &mut c); // 2
    *shared_secret = k_r[0];
} // 3

/// FIPS 203, section 7.3 and Algorithm 18 (ML-KEM.Decaps_internal), as [`decaps_checked`], in the caller's memory.
#[cfg(feature = "small")]
#[inline(never)] // frames that are not needed at the same time share the stack
pub(super) fn decaps_checked_in<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    streaming: &Streaming<B>,
    memory: &mut Memory<B, K>,
    dk: Dk<'_>,
    c: &[u8],
    shared_secret: &mut [u8; 32],
) -> bool
where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    shared_secret.wipe();
    checked_by::<B, K>(backend, dk, || {
        decaps_by::<B, K, U, V>(backend, streaming, dk, c, shared_secret, |[m, r], out| {
            let memory = memory.for_encrypt();
            streamed::encrypt_with::<B, P, K, U, V>(backend, streaming, memory, dk.ek, m, r, out);
        });
    })
}

/// FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal) with a key of which rho and H(ek) are known, but not t: the first part of `c`
/// is the ciphertext's, and `shared_secret` the secret. From the second part m can be read.
#[cfg(feature = "incremental")]
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn encaps_header<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    rho: &[u8],
    h_ek: &[u8; 32],
    m: &[u8; 32],
    c: &mut [u8],
    shared_secret: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut key = PreparedEk::<B, K>::ZERO;
    key.h_ek = *h_ek;
    backend.hash_all(&mut [key.key.matrix(rho)]); // 2: Algorithm 14, lines 3-8
    encaps_prepared::<B, P, K, U, V>(backend, &key, m, c, shared_secret); // 1-3
}

/// All that Algorithm 17 computes of the encapsulation key alone.
#[derive(Clone, Copy)]
pub struct PreparedEk<B, const K: usize> {
    pub(super) key: EncryptionKey<B, K>,
    pub(super) h_ek: [u8; 32],
}

impl<B: Backend, const K: usize> PreparedEk<B, K> {
    /// Room for a key.
    pub(crate) const ZERO: Self = Self { key: EncryptionKey::ZERO, h_ek: [0; 32] };

    /// Fills in what belongs to `ek`; true if all its numbers are below q.
    pub(crate) fn prepare(&mut self, backend: B, ek: &[u8]) -> bool {
        self.key.hash(backend, ek, &mut self.h_ek);
        self.key.decode(backend, ek)
    }
}

/// [`PreparedEk`], whatever the backend.
pub enum AnyPreparedEk<const K: usize> {}

impl<const K: usize> PerBackend for AnyPreparedEk<K> {
    type Of<B: Backend> = PreparedEk<B, K>;

    #[inline(always)]
    fn empty<B: Backend>() -> PreparedEk<B, K> {
        PreparedEk::ZERO
    }
}

/// FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal) with a prepared key.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn encaps_prepared<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    key: &PreparedEk<B, K>,
    m: &[u8; 32],
    c: &mut [u8],
    shared_secret: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut k_r = Secret::new([[0; 32]; 2]);
    backend.hash(g(m, &key.h_ek, &mut k_r)); // 1
    let [k, r] = &*k_r;
    let mut noise = EncryptionNoise::<K>::new();
    noise.fill(backend, P::ETA1, r); // 2: Algorithm 14, lines 1, 9-17
    k_pke::encrypt::<B, P, K, U, V>(backend, &key.key, m, &noise, c); // 2
    *shared_secret = *k; // 3
}

/// FIPS 203, Algorithm 18 (ML-KEM.Decaps_internal), and so Algorithm 21.
///
/// `dk` has passed the checks of section 7.3. Writes `shared_secret`.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn decaps_internal<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    dk: Dk<'_>, // 1-4
    c: &P::Ciphertext,
    shared_secret: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    if let Some(streaming) = &B::STREAMING {
        return decaps_streamed::<B, P, K, U, V>(backend, streaming, dk, c.as_ref(), shared_secret);
    }
    let mut decrypted = Decrypted::new();
    {
        let mut s_hat = Secret::new([const { NttPoly::ZERO }; K]);
        decode_vector(backend, dk.dk_pke, &mut s_hat); // 5: Algorithm 15, line 5
        decrypted.open::<B, K, U, V>(backend, &s_hat, dk.h_ek, c.as_ref()); // 5, 6
    }
    let mut key = EncryptionKey::<B, K>::ZERO;
    key.decode(backend, dk.ek); // 8: Algorithm 14, line 2
    decrypted.encrypt_again::<B, P, K, U, V>(backend, None, &mut key, dk, c, shared_secret); // 7-12
}

/// FIPS 203, Algorithm 18 (ML-KEM.Decaps_internal) for little memory.
fn decaps_streamed<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    streaming: &Streaming<B>,
    dk: Dk<'_>, // 1-4
    c: &[u8],
    shared_secret: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    decaps_by::<B, K, U, V>(backend, streaming, dk, c, shared_secret, |[m, r], out| {
        streamed::encrypt::<B, P, K, U, V>(backend, streaming, dk.ek, m, r, out);
    });
}

/// The same by an encryption, which takes m' and r': c' is compared piece by piece.
#[inline(never)] // frames that are not needed at the same time share the stack
fn decaps_by<B: Backend, const K: usize, const U: usize, const V: usize>(
    backend: B,
    streaming: &Streaming<B>,
    dk: Dk<'_>, // 1-4
    c: &[u8],
    shared_secret: &mut [u8; 32],
    encrypt: impl FnOnce([&[u8; 32]; 2], &mut streamed::Comparison<'_>),
) {
    let mut decrypted = Decrypted::new();
    streamed::decrypt::<B, K, U, V>(backend, streaming, dk.dk_pke, c, &mut decrypted.m_prime); // 5
    backend.hash(g(&decrypted.m_prime, dk.h_ek, &mut decrypted.k_r)); // 6
    let mut k_bar = Secret::new([0; 32]);
    backend.hash(j(dk.z, c, &mut k_bar)); // 7
    let mut out = streamed::Comparison { c, equal: Choice::from(1) };
    let Decrypted { m_prime, k_r } = &decrypted;
    encrypt([m_prime, &k_r[1]], &mut out); // 8
    *shared_secret = k_r[0];
    ct::assign_if(!out.equal, shared_secret, &k_bar); // 9-11
} // 12: the secret is written in place

/// FIPS 203, section 7.3 and Algorithm 18: checks `dk` as [`dk_is_valid`] does, and decapsulates if it is valid. What is to
/// be hashed for the check is hashed beside all the rest.
///
/// Writes `shared_secret` and returns true, or leaves it zero and returns false.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn decaps_checked<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    dk: Dk<'_>,
    c: &P::Ciphertext,
    shared_secret: &mut [u8; 32],
) -> bool
where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    shared_secret.wipe();
    if let Some(streaming) = &B::STREAMING {
        return checked_by::<B, K>(backend, dk, || {
            decaps_streamed::<B, P, K, U, V>(backend, streaming, dk, c.as_ref(), shared_secret);
        });
    }
    let mut decrypted = Decrypted::new();
    let mut key = EncryptionKey::<B, K>::ZERO;
    let mut test = [0; 32];
    // Both halves first: a key that is refused for its numbers has opened nothing.
    if !key.decode(backend, dk.ek) {
        return false;
    }
    {
        let mut s_hat = Secret::new([const { NttPoly::ZERO }; K]);
        if !decode_vector(backend, dk.dk_pke, &mut s_hat) {
            wipe_frames::<FRAMES>();
            return false; // a check that is no secret: the key is refused
        }
        decrypted.open::<B, K, U, V>(backend, &s_hat, dk.h_ek, c.as_ref());
    }
    decrypted.encrypt_again::<B, P, K, U, V>(backend, Some(&mut test), &mut key, dk, c, shared_secret);
    let valid: bool = ct::equal(&test, dk.h_ek).into();
    if !valid {
        shared_secret.wipe();
    }
    valid
}

/// Decapsulates with a key that passes the checks of section 7.3, each before anything else is done with the key.
#[inline(always)]
fn checked_by<B: Backend, const K: usize>(backend: B, dk: Dk<'_>, decaps: impl FnOnce()) -> bool {
    if !s_is_valid(backend, dk) {
        return false; // a check that is no secret: the key is refused
    }
    let valid = public_half_is_valid::<B, K>(backend, dk);
    if valid {
        decaps();
    }
    valid
}

/// Algorithm 18, line 7 and the hashing of line 8, beside the check of the key: H(ek), if `test` is to receive it.
#[inline(never)] // frames that are not needed at the same time share the stack
fn hash_for_decaps<'a, B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    test: Option<&'a mut [u8; 32]>,
    j: Job<'a>,
    key: &'a mut EncryptionKey<B, K>,
    ek_pke: &'a [u8],
    noise: &'a mut EncryptionNoise<K>,
    r: &'a [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut unused = [0; 32];
    let first = usize::from(test.is_none());
    let check = h(ek_pke, test.unwrap_or(&mut unused));
    let matrix = key.matrix(ek_pke); // 8: Algorithm 14, lines 3-8
    let [y, e1, e2] = noise.jobs(P::ETA1, P::ETA2, r); // 8: Algorithm 14, lines 1, 9-17
    backend.hash_all(&mut [check.into(), j.into(), matrix, y, e1, e2][first..]); // 7, 8
}

/// A decapsulation key in the form in which Algorithm 18 uses it; the key's bytes are kept elsewhere. Whoever holds one
/// wipes it.
#[derive(Clone, Copy)]
pub struct PreparedDk<B, const K: usize> {
    pub(super) s_hat: [NttPoly<B>; K],
    pub(super) ek: PreparedEk<B, K>,
}

impl<B: Backend, const K: usize> PreparedDk<B, K> {
    /// Room for a key.
    pub(crate) const ZERO: Self = Self { s_hat: [const { NttPoly::ZERO }; K], ek: PreparedEk::ZERO };

    /// Fills in what belongs to the valid key `dk`.
    pub(crate) fn prepare(&mut self, backend: B, dk: Dk<'_>) {
        decode_vector(backend, dk.dk_pke, &mut self.s_hat);
        wipe_kernels::<B, FRAMES>();
        self.ek.prepare(backend, dk.ek);
    }

    /// Where the generation of the key leaves its matrix for [`finish`](Self::finish).
    #[cfg(feature = "alloc")]
    pub(super) const fn room_for_a_hat(&mut self) -> &mut [[NttPoly<B>; K]; K] {
        self.ek.key.room_for_a_hat()
    }

    /// Fills in what belongs to the key `dk`, whose matrix is there.
    pub(super) fn finish(&mut self, backend: B, dk: &DkMut<'_>) {
        self.ek.key.transpose();
        self.ek.h_ek = *dk.h_ek;
        decode_vector(backend, dk.dk_pke, &mut self.s_hat);
        // After s, whose last bytes a kernel may leave where those of t come now.
        self.ek.key.decode(backend, dk.ek);
    }
}

impl<B, const K: usize> Wipe for PreparedDk<B, K> {
    fn wipe(&mut self) {
        self.s_hat.wipe();
    }
}

/// [`PreparedDk`], whatever the backend.
pub enum AnyPreparedDk<const K: usize> {}

impl<const K: usize> PerBackend for AnyPreparedDk<K> {
    type Of<B: Backend> = PreparedDk<B, K>;

    #[inline(always)]
    fn empty<B: Backend>() -> PreparedDk<B, K> {
        PreparedDk::ZERO
    }
}

/// FIPS 203, Algorithm 18 (ML-KEM.Decaps_internal) with a prepared key.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn decaps_prepared<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    key: &PreparedDk<B, K>,
    z: &[u8; 32],
    c: &P::Ciphertext,
    shared_secret: &mut [u8; 32],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut decrypted = Decrypted::new();
    decrypted.open::<B, K, U, V>(backend, &key.s_hat, &key.ek.h_ek, c.as_ref()); // 5, 6
    let mut k_bar = Secret::new([0; 32]);
    let mut noise = EncryptionNoise::<K>::new();
    let [y, e1, e2] = noise.jobs(P::ETA1, P::ETA2, decrypted.r());
    backend.hash_all(&mut [j(z, c.as_ref(), &mut k_bar).into(), y, e1, e2]); // 7; 8: PRF
    decrypted.select::<B, P, K, U, V>(backend, &key.ek.key, &noise, &k_bar, c, shared_secret); // 8-12
}

/// A ciphertext after Algorithm 18, line 6: m' and what G makes of it.
pub(super) struct Decrypted {
    pub(super) m_prime: Secret<[u8; 32]>,
    /// K' and r'.
    pub(super) k_r: Secret<[[u8; 32]; 2]>,
}

impl Decrypted {
    pub(super) const fn new() -> Self {
        Self { m_prime: Secret::new([0; 32]), k_r: Secret::new([[0; 32]; 2]) }
    }

    /// Algorithm 18, lines 5 and 6.
    fn open<B: Backend, const K: usize, const U: usize, const V: usize>(
        &mut self,
        backend: B,
        s_hat: &[NttPoly<B>; K],
        h_ek: &[u8; 32],
        c: &[u8],
    ) {
        k_pke::decrypt::<B, K, U, V>(backend, s_hat, c, &mut self.m_prime); // 5
        backend.hash(g(&self.m_prime, h_ek, &mut self.k_r)); // 6
    }

    fn r(&self) -> &[u8; 32] {
        &self.k_r[1]
    }

    /// Algorithm 18, lines 7 to 12, and H(ek) if `test` is to receive it; `key` is decoded.
    #[inline(always)]
    fn encrypt_again<B, P, const K: usize, const U: usize, const V: usize>(
        &self,
        backend: B,
        test: Option<&mut [u8; 32]>,
        key: &mut EncryptionKey<B, K>,
        dk: Dk<'_>,
        c: &P::Ciphertext,
        shared_secret: &mut [u8; 32],
    ) where
        B: Backend,
        P: Dimensions<K, U, V>,
    {
        let mut k_bar = Secret::new([0; 32]);
        let mut noise = EncryptionNoise::<K>::new();
        let j = j(dk.z, c.as_ref(), &mut k_bar);
        hash_for_decaps::<B, P, K, U, V>(backend, test, j, key, dk.ek, &mut noise, self.r()); // 7, 8
        self.select::<B, P, K, U, V>(backend, key, &noise, &k_bar, c, shared_secret); // 8-12
    }

    /// Algorithm 18, lines 8 to 12, after the hashing of line 8.
    fn select<B, P, const K: usize, const U: usize, const V: usize>(
        &self,
        backend: B,
        key: &EncryptionKey<B, K>,
        noise: &EncryptionNoise<K>,
        k_bar: &[u8; 32],
        c: &P::Ciphertext,
        shared_secret: &mut [u8; 32],
    ) where
        B: Backend,
        P: Dimensions<K, U, V>,
    {
        let mut c_prime = Secret::new(P::Ciphertext::ZERO);
        k_pke::encrypt::<B, P, K, U, V>(backend, key, &self.m_prime, noise, c_prime.as_mut()); // 8
        *shared_secret = self.k_r[0];
        ct::assign_if(!c.ct_equal(&c_prime), shared_secret, k_bar); // 9-11
    } // 12: the secret is written in place
}

/// An encapsulation key, encoded.
#[derive(Clone, Copy)]
pub struct Ek<'a>(pub(crate) &'a [u8]);

/// A decapsulation key, taken apart (Algorithm 18, lines 1 to 4).
#[derive(Clone, Copy)]
pub struct Dk<'a> {
    pub dk_pke: &'a [u8],
    pub ek: &'a [u8],
    pub h_ek: &'a [u8; 32],
    pub z: &'a [u8; 32],
}

impl<'a> Dk<'a> {
    /// The parts of an expanded key, if it has the length for this k.
    pub(crate) fn of(k: usize, expanded: &'a [u8]) -> Option<Self> {
        let (dk_pke, rest) = expanded.split_at_checked(ENCODED * k)?;
        let (ek, rest) = rest.split_at_checked(ek_size(k))?;
        let (h_ek, z) = rest.split_first_chunk()?;
        Some(Self { dk_pke, ek, h_ek, z: z.try_into().ok()? })
    }
}

/// A decapsulation key, taken apart, to be written.
pub struct DkMut<'a> {
    pub dk_pke: &'a mut [u8],
    pub ek: &'a mut [u8],
    pub h_ek: &'a mut [u8; 32],
    pub z: &'a mut [u8; 32],
}

impl<'a> DkMut<'a> {
    /// As [`Dk::of`].
    pub(crate) fn of(k: usize, expanded: &'a mut [u8]) -> Option<Self> {
        let (dk_pke, rest) = expanded.split_at_mut_checked(ENCODED * k)?;
        let (ek, rest) = rest.split_at_mut_checked(ek_size(k))?;
        let (h_ek, z) = rest.split_first_chunk_mut()?;
        Some(Self { dk_pke, ek, h_ek, z: z.try_into().ok()? })
    }

    /// The same memory, for a while.
    pub(super) fn reborrow(&mut self) -> DkMut<'_> {
        DkMut { dk_pke: self.dk_pke, ek: self.ek, h_ek: self.h_ek, z: self.z }
    }

    /// A copy of another key of the same set.
    pub(crate) fn copy_from(self, dk: Dk<'_>) {
        self.dk_pke.copy_from_slice(dk.dk_pke);
        self.ek.copy_from_slice(dk.ek);
        *self.h_ek = *dk.h_ek;
        *self.z = *dk.z;
    }
}

/// Section 7.2, the modulus check: true if every number of `ek` is below q.
#[inline(never)] // frames that are not needed at the same time share the stack
pub(crate) fn ek_is_valid<B: Backend, const K: usize>(backend: B, ek: &[u8]) -> bool {
    let (mut t_hat, mut below_q) = (NttPoly::ZERO, true);
    for b in ek[..ENCODED * K].as_chunks::<ENCODED>().0 {
        below_q &= backend.decode12(b, &mut t_hat);
    }
    below_q
}

/// Section 7.3, the hash check, together with the modulus check of the encapsulation key inside and, beyond the standard,
/// of s: a number of s that is not below q cannot come from key generation.
pub(crate) fn dk_is_valid<B: Backend, const K: usize>(backend: B, dk: Dk<'_>) -> bool {
    s_is_valid(backend, dk) & public_half_is_valid::<B, K>(backend, dk)
}

/// True if every number of s is below q.
#[inline(never)] // frames that are not needed at the same time share the stack
fn s_is_valid<B: Backend>(backend: B, dk: Dk<'_>) -> bool {
    let mut s_hat = Secret::new(NttPoly::ZERO);
    // A `bool` in its place can become a branch for each polynomial.
    let mut below_q = Choice::from(1);
    for b in dk.dk_pke.as_chunks::<ENCODED>().0 {
        below_q &= Choice::from(u8::from(backend.decode12(b, &mut s_hat)));
    }
    below_q.into()
}

/// The encapsulation key inside, and its hash.
#[inline(never)] // frames that are not needed at the same time share the stack
fn public_half_is_valid<B: Backend, const K: usize>(backend: B, dk: Dk<'_>) -> bool {
    let mut test = [0; 32];
    backend.hash(h(dk.ek, &mut test));
    ek_is_valid::<B, K>(backend, dk.ek) & bool::from(ct::equal(&test, dk.h_ek))
}
