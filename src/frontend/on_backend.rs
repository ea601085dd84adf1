//! FIPS 203, section 6, on a backend of the caller's own: shown by the feature `internals`.
//!
//! For a machine that kemstone does not know, a Keccak in hardware for example: make a token, and implement for it
//!
//! - [`Keccak<1>`](crate::sponge::Keccak), of which `permute` must be there; leave `SPILLS` as it is, unless you know that no part
//!   of a state stays on the stack. `permute` cannot fail, and a token is `Copy`: a driver's handle lives in a static;
//! - [`Backend`], of which the name, `hash` and `hash_all` must be there, one line each. The arithmetic comes from
//!   [`portable`](crate::backend::portable), unless you override it. With `Keccak<4>` as well, for a machine that permutes four
//!   states at once, `hash_all` runs over 4 slots, and so should [`noise`](Backend::noise), by
//!   [`noise::run`](crate::sponge::noise::run).
//!
//! `examples/own_keccak.rs` is a whole program. The functions here take the bytes of the standard, check what they are given as
//! section 7 asks, and leave the randomness to the caller: `d`, `z` and `m` are 32 secret random bytes each, used once.

use super::kem::{Dk, DkMut, Ek};
use super::sets::ParameterSet;
use super::sets::sealed::Algorithms;
use super::{Error, Seed, many};
use crate::backend::Backend;
use crate::backend::select::operation;

/// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal): writes the expanded decapsulation key dk_PKE || ek || H(ek) || z, the
/// encapsulation key begins at [`ENCAPSULATION_KEY_OFFSET`](ParameterSet::ENCAPSULATION_KEY_OFFSET).
///
/// # Errors
///
/// [`Error::Length`] if `dk` does not have [`DECAPSULATION_KEY_SIZE`](ParameterSet::DECAPSULATION_KEY_SIZE) bytes.
pub fn key_gen<S: ParameterSet, B: Backend>(
    backend: B,
    d: &[u8; 32],
    z: &[u8; 32],
    dk: &mut [u8],
) -> Result<(), Error> {
    let _operation = operation();
    S::SealedAlgorithms::key_gen_on(
        backend,
        d,
        z,
        DkMut::of(S::SealedAlgorithms::K, dk).ok_or(Error::Length)?,
    );
    Ok(())
}

/// The same from what G makes of d: keys of one rho, which is public, with another sigma each.
///
/// # Errors
///
/// [`Error::Length`] as for [`key_gen`].
pub fn key_gen_from<S: ParameterSet, B: Backend>(
    backend: B,
    rho_sigma: &[[u8; 32]; 2],
    z: &[u8; 32],
    dk: &mut [u8],
) -> Result<(), Error> {
    let _operation = operation();
    let dk = DkMut::of(S::SealedAlgorithms::K, dk).ok_or(Error::Length)?;
    S::SealedAlgorithms::key_gen_from_on(backend, rho_sigma, z, dk);
    Ok(())
}

/// [`key_gen`] for each of the seeds d || z, side by side where `backend` has several slots.
///
/// # Errors
///
/// [`Error::Length`] if there is not as much room as there are seeds; nothing is written then.
pub fn key_gen_many<S: ParameterSet, B: Backend>(
    backend: B,
    seeds: &[Seed],
    expanded: &mut [S::DecapsulationKeyBytes],
) -> Result<(), Error> {
    let _operation = operation();
    many::expand::<S>(seeds, expanded, &|group| S::SealedAlgorithms::key_gen_group_on(backend, group))
}

/// FIPS 203, section 7.2 and Algorithm 17 (ML-KEM.Encaps_internal): writes the ciphertext and the shared secret.
///
/// # Errors
///
/// [`Error::Length`] if `ek` or `c` does not have the parameter set's size; [`Error::EncapsulationKey`] if a number of the
/// key is not below q. Nothing is written then.
pub fn encapsulate<S: ParameterSet, B: Backend>(
    backend: B,
    ek: &[u8],
    m: &[u8; 32],
    c: &mut [u8],
    shared_secret: &mut [u8; 32],
) -> Result<(), Error> {
    if ek.len() != S::ENCAPSULATION_KEY_SIZE || c.len() != S::CIPHERTEXT_SIZE {
        return Err(Error::Length);
    }
    let _operation = operation();
    S::SealedAlgorithms::encaps_on(backend, Ek(ek), m, c, shared_secret)
        .then_some(())
        .ok_or(Error::EncapsulationKey)
}

/// FIPS 203, section 7.3 and Algorithm 18 (ML-KEM.Decaps_internal) with the expanded key: writes the shared secret, by
/// implicit rejection another one if the ciphertext is not the key's.
///
/// # Errors
///
/// [`Error::Length`] if `dk` or `c` does not have the parameter set's size; [`Error::DecapsulationKey`] if the key fails a
/// check. The shared secret is zero then.
pub fn decapsulate<S: ParameterSet, B: Backend>(
    backend: B,
    dk: &[u8],
    c: &[u8],
    shared_secret: &mut [u8; 32],
) -> Result<(), Error> {
    *shared_secret = [0; 32];
    let dk =
        Dk::of(S::SealedAlgorithms::K, dk).filter(|_| c.len() == S::CIPHERTEXT_SIZE).ok_or(Error::Length)?;
    let _operation = operation();
    S::SealedAlgorithms::decaps_on(backend, dk, c, shared_secret).then_some(()).ok_or(Error::DecapsulationKey)
}
