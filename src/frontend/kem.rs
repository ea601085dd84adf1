//! FIPS 203, sections 6 and 7: ML-KEM over K-PKE.
//!
//! Algorithms 19 to 21 only add randomness and checks to 16 to 18. The randomness (Algorithm 19, lines
//! 1 to 5; Algorithm 20, lines 1 to 4) is drawn in `api.rs`, which has no way to go on without it; the checks of 7.2
//! and 7.3 are done where bytes become keys, also there, by the functions at the end of this file.

use super::ct::{self, Secret};
use super::k_pke::{self, EncryptionKey, decode_vector};
use super::params::{ENCODED, ParameterSet, ek_size};
use super::symmetric::{g, g_with_k, h, j};
use crate::backend::Backend;
use crate::backend::poly::NttPoly;

/// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal), and so Algorithm 19 from line 6 on.
///
/// Writes `dk`, 768 k + 96 bytes; the encapsulation key is the part of it that [`ek_of_dk`] gives.
pub(crate) fn key_gen_internal<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    d: &[u8; 32],
    z: &[u8; 32],
    dk: &mut [u8],
) where
    B: Backend,
    P: ParameterSet<K, U, V>,
{
    let (dk_pke, rest) = dk.split_at_mut(ENCODED * K);
    let (ek, rest) = rest.split_at_mut(ek_size(K));
    let mut rho_sigma = Secret::new([[0; 32]; 2]);
    backend.hash(g_with_k(d, K as u8, &mut rho_sigma)); // 1: Algorithm 13, line 1
    k_pke::key_gen::<B, P, K, U, V>(backend, &rho_sigma, ek, dk_pke); // 1, 2
    let (h_ek, dk_z) = rest.split_at_mut(32);
    let mut h_of_ek = [0; 32];
    backend.hash(h(ek, &mut h_of_ek));
    h_ek.copy_from_slice(&h_of_ek); // 3
    dk_z.copy_from_slice(z); // 3
} // 4: the keys are written in place

/// FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal), and so Algorithm 20 from line 5 on.
///
/// `ek` has passed the check of section 7.2. Writes `c`, 32 (d_u k + d_v) bytes, and `shared_secret`.
pub(crate) fn encaps_internal<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    ek: &[u8],
    m: &[u8; 32],
    c: &mut [u8],
    shared_secret: &mut [u8; 32],
) where
    B: Backend,
    P: ParameterSet<K, U, V>,
{
    let mut h_ek = [0; 32];
    let mut key = EncryptionKey::<B, K>::ZERO;
    key.expand(backend, ek, h(ek, &mut h_ek)); // 1: H(ek); 2
    let mut k_r = Secret::new([[0; 32]; 2]);
    backend.hash(g(m, &h_ek, &mut k_r)); // 1
    let [k, r] = &*k_r;
    k_pke::encrypt::<B, P, K, U, V>(backend, &key, m, r, c); // 2
    *shared_secret = *k; // 3
}

/// FIPS 203, Algorithm 18 (ML-KEM.Decaps_internal), and so Algorithm 21.
///
/// `dk` has passed the checks of section 7.3. Writes `shared_secret`.
pub(crate) fn decaps_internal<B, P, const K: usize, const U: usize, const V: usize, const C: usize>(
    backend: B,
    dk: &[u8],
    c: &[u8; C],
    shared_secret: &mut [u8; 32],
) where
    B: Backend,
    P: ParameterSet<K, U, V>,
{
    let Some((dk_pke, ek_pke, h, z)) = parts_of_dk::<K>(dk) else { return }; // 1-4
    let mut k_bar = Secret::new([0; 32]);
    let mut key = EncryptionKey::<B, K>::ZERO;
    key.expand(backend, ek_pke, j(z, c, &mut k_bar)); // 7; 8

    let mut m_prime = Secret::new([0; 32]);
    k_pke::decrypt::<B, K, U, V>(backend, dk_pke, c, &mut m_prime); // 5
    let mut k_r = Secret::new([[0; 32]; 2]);
    backend.hash(g(&m_prime, h, &mut k_r)); // 6
    let [k_prime, r_prime] = &*k_r;
    let mut c_prime = Secret::new([0; C]);
    k_pke::encrypt::<B, P, K, U, V>(backend, &key, &m_prime, r_prime, &mut *c_prime); // 8
    *shared_secret = *k_prime;
    ct::assign_if(!ct::equal(c, &c_prime), shared_secret, &k_bar); // 9-11
} // 12: the secret is written in place

/// dk_PKE, ek_PKE, h and z.
type DkParts<'a> = (&'a [u8], &'a [u8], &'a [u8; 32], &'a [u8; 32]);

/// Algorithm 18, lines 1 to 4.
fn parts_of_dk<const K: usize>(dk: &[u8]) -> Option<DkParts<'_>> {
    let (dk_pke, rest) = dk.split_at_checked(ENCODED * K)?;
    let (ek_pke, rest) = rest.split_at_checked(ek_size(K))?;
    let (h, rest) = rest.split_first_chunk()?;
    Some((dk_pke, ek_pke, h, rest.first_chunk()?))
}

/// The encapsulation key inside an expanded decapsulation key.
pub(crate) fn ek_of_dk<const K: usize>(dk: &[u8]) -> &[u8] {
    parts_of_dk::<K>(dk).map_or(&[], |(_, ek, _, _)| ek)
}

/// The seed z inside an expanded decapsulation key.
pub(crate) fn z_of_dk<const K: usize>(dk: &[u8]) -> &[u8; 32] {
    parts_of_dk::<K>(dk).map_or(&[0; 32], |(_, _, _, z)| z)
}

/// Section 7.2, the modulus check: true if every number of `ek` is below q.
pub(crate) fn ek_is_valid<B: Backend, const K: usize>(backend: B, ek: &[u8]) -> bool {
    let mut t_hat = [const { NttPoly::ZERO }; K];
    decode_vector(backend, &ek[..ENCODED * K], &mut t_hat)
}

/// Section 7.3, the hash check, together with the modulus check of the encapsulation key inside and, beyond the standard,
/// of s: a number of s that is not below q cannot come from key generation.
pub(crate) fn dk_is_valid<B: Backend, const K: usize>(backend: B, dk: &[u8]) -> bool {
    let Some((dk_pke, ek, h_ek, _)) = parts_of_dk::<K>(dk) else { return false };
    let mut s_hat = Secret::new([const { NttPoly::ZERO }; K]);
    let mut test = [0; 32];
    backend.hash(h(ek, &mut test));
    decode_vector(backend, dk_pke, &mut s_hat)
        & ek_is_valid::<B, K>(backend, ek)
        & bool::from(ct::equal(&test, h_ek))
}
