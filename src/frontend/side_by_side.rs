//! FIPS 203, section 6, for several inputs side by side: what one operation hashes in a row fills one slot of a wide Keccak, and
//! eight operations fill eight.
//!
//! Each operation is the same as in `kem.rs`, step by step, and gives the same. A backend with one slot does one after the other.
//! After encapsulations and decapsulations the stack below is overwritten, where a compiler may have put copies of what is next to
//! one another here. After key generation `tests/wipe.rs` finds nothing without.

use subtle::Choice;

use super::bytes::Bytes;
use super::bytes::sealed::Array;
use super::ct::{self, Secret};
use super::k_pke::{self, EncryptionKey, EncryptionNoise, KeyNoise, decode_vector};
use super::kem::{self, Decrypted, Dk, DkMut, Ek, PreparedDk, PreparedEk};
use super::params::Dimensions;
use super::symmetric::{g, g_with_k, h, j, matrix};
use crate::backend::Backend;
use crate::backend::poly::NttPoly;
use crate::sponge::jobs::{Job, Jobs};
use crate::sponge::{DEEP_FRAMES, wipe_frames};

/// The most operations in a group.
pub(crate) const GROUP: usize = 8;

/// As many operations as there are, the first ones.
pub(crate) type Group<T> = [Option<T>; GROUP];

/// The next group, if `next` gives any operation.
pub(crate) fn next_group<T>(next: &mut dyn FnMut() -> Option<T>) -> Option<Group<T>> {
    let mut group = [const { None }; GROUP];
    for place in &mut group {
        *place = next();
        if place.is_none() {
            break;
        }
    }
    group[0].is_some().then_some(group)
}

fn count<T>(group: &Group<T>) -> usize {
    group.iter().flatten().count()
}

/// The input and the output of Algorithm 16.
pub struct KeyGeneration<'a> {
    pub d: &'a [u8; 32],
    pub z: &'a [u8; 32],
    pub dk: DkMut<'a>,
}

/// The input and the output of Algorithm 17; a prepared key is none of its own.
pub struct Encapsulation<'a> {
    pub ek: Ek<'a>,
    pub m: &'a [u8; 32],
    pub c: &'a mut [u8],
    pub k: &'a mut [u8; 32],
}

/// The input and the output of Algorithm 18; a prepared key has z.
pub struct Decapsulation<'a> {
    pub dk: Dk<'a>,
    pub c: &'a [u8],
    pub k: &'a mut [u8; 32],
}

/// Whether so many operations gain by being a group. With four slots or fewer a single operation leaves few of them idle, and groups
/// that leave more are slower; with eight two operations are enough (measured, AVX2 and AVX-512).
fn gains<B: Backend>(count: usize) -> bool {
    count > 1 && (B::SLOTS >= 8 || count + 1 >= B::SLOTS)
}

/// Runs the `M` jobs of each of `count` operations, at most `N` in all: the first of each operation, then the second, and so on. So
/// the longest come first.
#[inline(always)]
fn hash<'a, B: Backend, const M: usize, const N: usize>(
    backend: B,
    count: usize,
    jobs: impl Iterator<Item = [Jobs<'a, B>; M]>,
) {
    let mut list: [Jobs<'a, B>; N] = core::array::from_fn(|_| Job::none().into());
    for (i, jobs) in jobs.take(count).enumerate() {
        for (place, job) in list[i..].iter_mut().step_by(count).zip(jobs) {
            *place = job;
        }
    }
    backend.hash_all(&mut list[..M * count]);
}

/// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal), for each of a group.
pub(crate) fn key_gen<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    group: &mut Group<KeyGeneration<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    // Known to the compiler, so that a backend with one slot has none of it.
    if const { B::SLOTS > 1 } && gains::<B>(count(group)) {
        return key_gen_side_by_side::<B, P, K, U, V>(backend, group);
    }
    for KeyGeneration { d, z, dk } in group.iter_mut().flatten() {
        kem::key_gen_internal::<B, P, K, U, V>(backend, d, z, dk.reborrow());
    }
}

#[inline(never)] // frames that are not needed at the same time share the stack
fn key_gen_side_by_side<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    group: &mut Group<KeyGeneration<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut a_hat = [const { [const { [const { NttPoly::ZERO }; K] }; K] }; GROUP];
    key_gen_with::<B, P, K, U, V>(backend, group, &mut a_hat.each_mut().map(Some));
}

/// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal), for each of a group of keys that are prepared as well, as many of them.
#[cfg(feature = "alloc")]
pub(crate) fn key_gen_prepared<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    group: &mut Group<KeyGeneration<'_>>,
    prepared: &mut Group<&mut PreparedDk<B, K>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    if const { B::SLOTS > 1 } && gains::<B>(count(group)) {
        let mut a_hat = prepared.each_mut().map(|one| one.as_mut().map(|one| one.room_for_a_hat()));
        key_gen_with::<B, P, K, U, V>(backend, group, &mut a_hat);
        for (one, prepared) in group.iter().flatten().zip(prepared.iter_mut().flatten()) {
            prepared.finish(backend, &one.dk);
        }
        return;
    }
    for (KeyGeneration { d, z, dk }, prepared) in
        group.iter_mut().flatten().zip(prepared.iter_mut().flatten())
    {
        kem::key_gen_prepared::<B, P, K, U, V>(backend, d, z, dk.reborrow(), prepared);
    }
}

/// Leaves the matrices in `a_hat`.
#[inline(never)] // frames that are not needed at the same time share the stack
fn key_gen_with<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    group: &mut Group<KeyGeneration<'_>>,
    a_hat: &mut Group<&mut [[NttPoly<B>; K]; K]>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let n = count(group);
    let mut rho_sigma = [const { Secret::new([[0; 32]; 2]) }; GROUP];
    let mut noise = [const { KeyNoise::<K>::new() }; GROUP];
    let jobs = group
        .iter()
        .flatten()
        .zip(&mut rho_sigma)
        .map(|(one, out)| [g_with_k(one.d, &[K as u8], out).into()]);
    hash::<_, _, GROUP>(backend, n, jobs); // 1: Algorithm 13, line 1
    let jobs = noise.iter_mut().zip(a_hat.iter_mut().flatten()).zip(&rho_sigma).map(
        |((noise, a_hat), rho_sigma)| {
            let [rho, sigma] = &**rho_sigma;
            let [s, e] = noise.jobs(P::ETA1, sigma);
            [matrix(rho, 0, &mut a_hat[..]), s, e]
        },
    );
    hash::<_, _, { 3 * GROUP }>(backend, n, jobs); // 1: Algorithm 13, lines 2-15
    for (((one, noise), a_hat), rho_sigma) in
        group.iter_mut().flatten().zip(&noise).zip(a_hat.iter().flatten()).zip(&rho_sigma)
    {
        noise.key_gen::<B, P, U, V>(backend, &rho_sigma[0], a_hat, one.dk.ek, one.dk.dk_pke); // 1: the rest
        *one.dk.z = *one.z; // 3
    }
    hash::<_, _, GROUP>(backend, n, group.iter_mut().flatten().map(|one| [h(one.dk.ek, one.dk.h_ek).into()])); // 2, 3
}

/// FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal), for each of a group with a key each.
pub(crate) fn encaps<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    group: &mut Group<Encapsulation<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    if const { B::SLOTS > 1 } && gains::<B>(count(group)) {
        return encaps_side_by_side::<B, P, K, U, V>(backend, group);
    }
    for Encapsulation { ek, m, c, k } in group.iter_mut().flatten() {
        kem::encaps_internal::<B, P, K, U, V>(backend, ek.0, m, c, k);
    }
}

#[inline(never)] // frames that are not needed at the same time share the stack
fn encaps_side_by_side<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    group: &mut Group<Encapsulation<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut keys = [const { PreparedEk::<B, K>::ZERO }; GROUP];
    let jobs = keys.iter_mut().zip(group.iter().flatten()).map(|(key, one)| {
        key.key.decode(backend, one.ek.0); // 2: Algorithm 14, line 2
        [h(one.ek.0, &mut key.h_ek).into(), key.key.matrix(one.ek.0)]
    });
    hash::<_, _, { 2 * GROUP }>(backend, count(group), jobs); // 1: H(ek); 2: Algorithm 14, lines 3-8
    encaps_with::<B, P, K, U, V>(backend, keys.iter(), group);
}

/// FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal), for each of a group with one prepared key.
pub(crate) fn encaps_prepared<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    key: &PreparedEk<B, K>,
    group: &mut Group<Encapsulation<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    if const { B::SLOTS > 1 } && gains::<B>(count(group)) {
        return encaps_prepared_side_by_side::<B, P, K, U, V>(backend, key, group);
    }
    for Encapsulation { m, c, k, .. } in group.iter_mut().flatten() {
        kem::encaps_prepared::<B, P, K, U, V>(backend, key, m, c, k);
    }
}

#[inline(never)] // frames that are not needed at the same time share the stack
fn encaps_prepared_side_by_side<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    key: &PreparedEk<B, K>,
    group: &mut Group<Encapsulation<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    encaps_with::<B, P, K, U, V>(backend, core::iter::repeat(key), group);
}

#[inline(always)]
fn encaps_with<'k, B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    keys: impl Iterator<Item = &'k PreparedEk<B, K>> + Clone,
    group: &mut Group<Encapsulation<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let n = count(group);
    let mut k_r = [const { Secret::new([[0; 32]; 2]) }; GROUP];
    let mut noise = [const { EncryptionNoise::<K>::new() }; GROUP];
    let inputs = group.iter().flatten().zip(keys.clone()).zip(&mut k_r);
    hash::<_, _, GROUP>(backend, n, inputs.map(|((one, key), out)| [g(one.m, &key.h_ek, out).into()])); // 1
    let jobs = noise.iter_mut().zip(&k_r).map(|(noise, k_r)| noise.jobs(P::ETA1, P::ETA2, &k_r[1]));
    hash::<_, _, { 3 * GROUP }>(backend, n, jobs); // 2: Algorithm 14, lines 1, 9-17
    for (((one, key), noise), k_r) in group.iter_mut().flatten().zip(keys).zip(&noise).zip(&k_r) {
        k_pke::encrypt::<B, P, K, U, V>(backend, &key.key, one.m, noise, one.c); // 2
        *one.k = k_r[0]; // 3
    }
    wipe_frames::<DEEP_FRAMES>();
}

/// FIPS 203, Algorithm 18 (ML-KEM.Decaps_internal), for each of a group with a key each.
pub(crate) fn decaps<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    group: &mut Group<Decapsulation<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    if const { B::SLOTS > 1 } && gains::<B>(count(group)) {
        return decaps_side_by_side::<B, P, K, U, V>(backend, group);
    }
    for Decapsulation { dk, c, k } in group.iter_mut().flatten() {
        let Ok(c) = P::Ciphertext::from_slice(c) else { continue };
        kem::decaps_internal::<B, P, K, U, V>(backend, *dk, c, k);
    }
}

#[inline(never)] // frames that are not needed at the same time share the stack
fn decaps_side_by_side<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    group: &mut Group<Decapsulation<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut decrypted = [const { Decrypted::new() }; GROUP];
    for (one, decrypted) in group.iter().flatten().zip(&mut decrypted) {
        let mut s_hat = Secret::new([const { NttPoly::ZERO }; K]);
        decode_vector(backend, one.dk.dk_pke, &mut s_hat); // 5: Algorithm 15, line 5
        k_pke::decrypt::<B, K, U, V>(backend, &s_hat, one.c, &mut decrypted.m_prime); // 5
    }
    let hashes = group.iter().flatten().map(|one| one.dk.h_ek);
    hash_messages(backend, count(group), hashes, &mut decrypted); // 6

    let mut k_bar = [const { Secret::new([0; 32]) }; GROUP];
    let mut keys = [const { EncryptionKey::<B, K>::ZERO }; GROUP];
    let mut noise = [const { EncryptionNoise::<K>::new() }; GROUP];
    let outputs = keys.iter_mut().zip(&mut k_bar).zip(&mut noise);
    let jobs = group.iter().flatten().zip(&decrypted).zip(outputs).map(|((one, decrypted), outputs)| {
        let (((key, k_bar), noise), dk) = (outputs, one.dk);
        key.decode(backend, dk.ek); // 8: Algorithm 14, line 2
        let [y, e1, e2] = noise.jobs(P::ETA1, P::ETA2, &decrypted.k_r[1]);
        [j(dk.z, one.c, k_bar).into(), key.matrix(dk.ek), y, e1, e2]
    });
    hash::<_, _, { 5 * GROUP }>(backend, count(group), jobs); // 7; 8: Algorithm 14, lines 1, 3-17
    for ((((one, decrypted), key), noise), k_bar) in
        group.iter_mut().flatten().zip(&decrypted).zip(&keys).zip(&noise).zip(&k_bar)
    {
        select::<B, P, K, U, V>(backend, key, decrypted, noise, k_bar, one); // 8-12
    }
    wipe_frames::<DEEP_FRAMES>();
}

/// FIPS 203, Algorithm 18 (ML-KEM.Decaps_internal), for each of a group with one prepared key.
pub(crate) fn decaps_prepared<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    key: &PreparedDk<B, K>,
    group: &mut Group<Decapsulation<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    if const { B::SLOTS > 1 } && gains::<B>(count(group)) {
        return decaps_prepared_side_by_side::<B, P, K, U, V>(backend, key, group);
    }
    for Decapsulation { dk: Dk { z, .. }, c, k } in group.iter_mut().flatten() {
        let Ok(c) = P::Ciphertext::from_slice(c) else { continue };
        kem::decaps_prepared::<B, P, K, U, V>(backend, key, z, c, k);
    }
}

#[inline(never)] // frames that are not needed at the same time share the stack
fn decaps_prepared_side_by_side<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    key: &PreparedDk<B, K>,
    group: &mut Group<Decapsulation<'_>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut decrypted = [const { Decrypted::new() }; GROUP];
    for (one, decrypted) in group.iter().flatten().zip(&mut decrypted) {
        k_pke::decrypt::<B, K, U, V>(backend, &key.s_hat, one.c, &mut decrypted.m_prime); // 5
    }
    hash_messages(backend, count(group), core::iter::repeat(&key.ek.h_ek), &mut decrypted); // 6

    let mut k_bar = [const { Secret::new([0; 32]) }; GROUP];
    let mut noise = [const { EncryptionNoise::<K>::new() }; GROUP];
    let outputs = k_bar.iter_mut().zip(&mut noise);
    let jobs =
        group.iter().flatten().zip(&decrypted).zip(outputs).map(|((one, decrypted), (k_bar, noise))| {
            let [y, e1, e2] = noise.jobs(P::ETA1, P::ETA2, &decrypted.k_r[1]);
            [j(one.dk.z, one.c, k_bar).into(), y, e1, e2]
        });
    hash::<_, _, { 4 * GROUP }>(backend, count(group), jobs); // 7; 8: PRF
    for (((one, decrypted), noise), k_bar) in
        group.iter_mut().flatten().zip(&decrypted).zip(&noise).zip(&k_bar)
    {
        select::<B, P, K, U, V>(backend, &key.ek.key, decrypted, noise, k_bar, one); // 8-12
    }
    wipe_frames::<DEEP_FRAMES>();
}

/// Algorithm 18, line 6, for each of a group.
#[inline(never)] // frames that are not needed at the same time share the stack
fn hash_messages<'k, B: Backend>(
    backend: B,
    count: usize,
    hashes: impl Iterator<Item = &'k [u8; 32]>,
    decrypted: &mut [Decrypted; GROUP],
) {
    let jobs = decrypted.iter_mut().zip(hashes).map(|(decrypted, h_ek)| {
        let Decrypted { m_prime, k_r } = decrypted;
        [g(m_prime, h_ek, k_r).into()]
    });
    hash::<_, _, GROUP>(backend, count, jobs);
}

/// Algorithm 18, lines 8 to 12, after the hashing of line 8. Apart from `Decrypted::select`, whose place in the frames of single
/// operations is a compiler's choice that more callers would change.
#[inline(never)] // frames that are not needed at the same time share the stack
fn select<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    key: &EncryptionKey<B, K>,
    decrypted: &Decrypted,
    noise: &EncryptionNoise<K>,
    k_bar: &[u8; 32],
    one: &mut Decapsulation<'_>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut c_prime = Secret::new(P::Ciphertext::ZERO);
    k_pke::encrypt::<B, P, K, U, V>(backend, key, &decrypted.m_prime, noise, c_prime.as_mut()); // 8
    *one.k = decrypted.k_r[0];
    let accepted = P::Ciphertext::from_slice(one.c).map_or(Choice::from(0), |c| c.ct_equal(&c_prime));
    ct::assign_if(!accepted, one.k, k_bar); // 9-11
}
