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

/// Runs the `M` jobs that each operation of a group has over what it works with: the first of each operation, then the second, and so
/// on. So the longest come first.
#[inline(always)]
fn hash<'a, B: Backend, T, S, const M: usize>(
    backend: B,
    group: &'a mut Group<T>,
    work: &'a mut [S; GROUP],
    jobs: impl Fn(&'a mut T, &'a mut S) -> [Jobs<'a, B>; M],
) {
    let count = count(group);
    let mut list = [const { [const { Jobs::One(Job::none()) }; GROUP] }; M];
    let list = &mut list.as_flattened_mut()[..M * count];
    let (mut group, mut work) = (&mut group[..], &mut work[..]);
    // Not by iterators: each would be compiled for each closure.
    let mut i = 0;
    while let ([Some(one), others @ ..], [with, rest @ ..]) = (group, work) {
        put(&mut list[i..], count, jobs(one, with));
        (group, work, i) = (others, rest, i + 1);
    }
    backend.hash_all(list);
}

/// Writes `jobs` to each of the places that are `count` apart. By itself, for closures and types that differ share it.
fn put<'a, B, const M: usize>(places: &mut [Jobs<'a, B>], count: usize, jobs: [Jobs<'a, B>; M]) {
    for (place, job) in places.iter_mut().step_by(count).zip(jobs) {
        *place = job;
    }
}

/// What one key generation of a group works with.
struct KeyWork<'a, B, const K: usize> {
    rho_sigma: Secret<[[u8; 32]; 2]>,
    noise: KeyNoise<K>,
    a_hat: &'a mut [[NttPoly<B>; K]],
}

impl<B, const K: usize> KeyWork<'_, B, K> {
    const fn new() -> Self {
        Self { rho_sigma: Secret::new([[0; 32]; 2]), noise: KeyNoise::new(), a_hat: &mut [] }
    }
}

/// What one encapsulation of a group works with: the key, if it has one of its own.
struct EncapsulationWork<Key, const K: usize> {
    key: Key,
    k_r: Secret<[[u8; 32]; 2]>,
    noise: EncryptionNoise<K>,
}

impl<Key, const K: usize> EncapsulationWork<Key, K> {
    const fn new(key: Key) -> Self {
        Self { key, k_r: Secret::new([[0; 32]; 2]), noise: EncryptionNoise::new() }
    }
}

/// The same for a decapsulation.
struct DecapsulationWork<Key, const K: usize> {
    key: Key,
    decrypted: Decrypted,
    k_bar: Secret<[u8; 32]>,
    noise: EncryptionNoise<K>,
}

impl<Key, const K: usize> DecapsulationWork<Key, K> {
    const fn new(key: Key) -> Self {
        Self { key, decrypted: Decrypted::new(), k_bar: Secret::new([0; 32]), noise: EncryptionNoise::new() }
    }
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
    let mut work = [const { KeyWork::new() }; GROUP];
    for (work, a_hat) in work.iter_mut().zip(&mut a_hat) {
        work.a_hat = a_hat;
    }
    key_gen_with::<B, P, K, U, V>(backend, group, &mut work);
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
        key_gen_prepared_side_by_side::<B, P, K, U, V>(backend, group, prepared);
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

#[cfg(feature = "alloc")]
#[inline(never)] // frames that are not needed at the same time share the stack
fn key_gen_prepared_side_by_side<B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    group: &mut Group<KeyGeneration<'_>>,
    prepared: &mut Group<&mut PreparedDk<B, K>>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let mut work = [const { KeyWork::new() }; GROUP];
    for (work, one) in work.iter_mut().zip(prepared.iter_mut().flatten()) {
        work.a_hat = one.room_for_a_hat();
    }
    key_gen_with::<B, P, K, U, V>(backend, group, &mut work);
}

/// Leaves the matrices where `work` has room for them.
#[inline(always)]
fn key_gen_with<'a, B, P, const K: usize, const U: usize, const V: usize>(
    backend: B,
    group: &mut Group<KeyGeneration<'_>>,
    work: &mut [KeyWork<'a, B, K>; GROUP],
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    hash(backend, group, work, |one, work| [g_with_k(one.d, &[K as u8], &mut work.rho_sigma).into()]); // 1: Algorithm 13, line 1
    hash(backend, group, work, |_, work| {
        let [rho, sigma] = &*work.rho_sigma;
        let [s, e] = work.noise.jobs(P::ETA1, sigma);
        [matrix(rho, 0, work.a_hat), s, e]
    }); // 1: Algorithm 13, lines 2-15
    for (one, work) in group.iter_mut().flatten().zip(&*work) {
        work.noise.key_gen::<B, P, U, V>(backend, &work.rho_sigma[0], work.a_hat, one.dk.ek, one.dk.dk_pke); // 1: the rest
        *one.dk.z = *one.z; // 3
    }
    hash(backend, group, work, |one, _| [h(one.dk.ek, one.dk.h_ek).into()]); // 2, 3
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
    let mut work = [const { EncapsulationWork::new(PreparedEk::<B, K>::ZERO) }; GROUP];
    hash(backend, group, &mut work, |one, work| {
        let PreparedEk { key, h_ek } = &mut work.key;
        key.decode(backend, one.ek.0); // 2: Algorithm 14, line 2
        [h(one.ek.0, h_ek).into(), key.matrix(one.ek.0)]
    }); // 1: H(ek); 2: Algorithm 14, lines 3-8
    hash(backend, group, &mut work, |one, work| [g(one.m, &work.key.h_ek, &mut work.k_r).into()]); // 1
    hash(backend, group, &mut work, |_, work| work.noise.jobs(P::ETA1, P::ETA2, &work.k_r[1])); // 2: Algorithm 14, lines 1, 9-17
    for (one, work) in group.iter_mut().flatten().zip(&work) {
        k_pke::encrypt::<B, P, K, U, V>(backend, &work.key.key, one.m, &work.noise, one.c); // 2
        *one.k = work.k_r[0]; // 3
    }
    wipe_frames::<DEEP_FRAMES>();
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
    let mut work = [const { EncapsulationWork::new(()) }; GROUP];
    hash(backend, group, &mut work, |one, work| [g(one.m, &key.h_ek, &mut work.k_r).into()]); // 1
    hash(backend, group, &mut work, |_, work| work.noise.jobs(P::ETA1, P::ETA2, &work.k_r[1])); // 2: Algorithm 14, lines 1, 9-17
    for (one, work) in group.iter_mut().flatten().zip(&work) {
        k_pke::encrypt::<B, P, K, U, V>(backend, &key.key, one.m, &work.noise, one.c); // 2
        *one.k = work.k_r[0]; // 3
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
    let mut work = [const { DecapsulationWork::new(EncryptionKey::<B, K>::ZERO) }; GROUP];
    for (one, work) in group.iter().flatten().zip(&mut work) {
        let mut s_hat = Secret::new([const { NttPoly::ZERO }; K]);
        decode_vector(backend, one.dk.dk_pke, &mut s_hat); // 5: Algorithm 15, line 5
        k_pke::decrypt::<B, K, U, V>(backend, &s_hat, one.c, &mut work.decrypted.m_prime); // 5
    }
    hash_messages(backend, |one| one.dk.h_ek, group, &mut work); // 6
    hash(backend, group, &mut work, |one, work| {
        work.key.decode(backend, one.dk.ek); // 8: Algorithm 14, line 2
        let [y, e1, e2] = work.noise.jobs(P::ETA1, P::ETA2, &work.decrypted.k_r[1]);
        [j(one.dk.z, one.c, &mut work.k_bar).into(), work.key.matrix(one.dk.ek), y, e1, e2]
    }); // 7; 8: Algorithm 14, lines 1, 3-17
    for (one, work) in group.iter_mut().flatten().zip(&work) {
        select::<B, P, _, K, U, V>(backend, &work.key, work, one); // 8-12
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
    let mut work = [const { DecapsulationWork::new(()) }; GROUP];
    for (one, work) in group.iter().flatten().zip(&mut work) {
        k_pke::decrypt::<B, K, U, V>(backend, &key.s_hat, one.c, &mut work.decrypted.m_prime); // 5
    }
    hash_messages(backend, |_| &key.ek.h_ek, group, &mut work); // 6
    hash(backend, group, &mut work, |one, work| {
        let [y, e1, e2] = work.noise.jobs(P::ETA1, P::ETA2, &work.decrypted.k_r[1]);
        [j(one.dk.z, one.c, &mut work.k_bar).into(), y, e1, e2]
    }); // 7; 8: PRF
    for (one, work) in group.iter_mut().flatten().zip(&work) {
        select::<B, P, _, K, U, V>(backend, &key.ek.key, work, one); // 8-12
    }
    wipe_frames::<DEEP_FRAMES>();
}

/// Algorithm 18, line 6, for each of a group.
#[inline(never)] // frames that are not needed at the same time share the stack
fn hash_messages<'k, 'a: 'k, B: Backend, Key, const K: usize>(
    backend: B,
    h_ek: impl Fn(&Decapsulation<'a>) -> &'k [u8; 32],
    group: &mut Group<Decapsulation<'a>>,
    work: &mut [DecapsulationWork<Key, K>; GROUP],
) {
    hash(backend, group, work, |one, work| {
        let Decrypted { m_prime, k_r } = &mut work.decrypted;
        [g(m_prime, h_ek(one), k_r).into()]
    });
}

/// Algorithm 18, lines 8 to 12, after the hashing of line 8. Apart from `Decrypted::select`, whose place in the frames of single
/// operations is a compiler's choice that more callers would change.
#[inline(never)] // frames that are not needed at the same time share the stack
fn select<B, P, Key, const K: usize, const U: usize, const V: usize>(
    backend: B,
    key: &EncryptionKey<B, K>,
    work: &DecapsulationWork<Key, K>,
    one: &mut Decapsulation<'_>,
) where
    B: Backend,
    P: Dimensions<K, U, V>,
{
    let DecapsulationWork { decrypted, k_bar, noise, .. } = work;
    let mut c_prime = Secret::new(P::Ciphertext::ZERO);
    k_pke::encrypt::<B, P, K, U, V>(backend, key, &decrypted.m_prime, noise, c_prime.as_mut()); // 8
    *one.k = decrypted.k_r[0];
    let accepted = P::Ciphertext::from_slice(one.c).map_or(Choice::from(0), |c| c.ct_equal(&c_prime));
    ct::assign_if(!accepted, one.k, k_bar); // 9-11
}
