//! FIPS 203, section 6, on a backend of the caller's own: shown by the feature `internals`.
//!
//! For a machine that kemstone does not know, a Keccak in hardware for example: implement
//! [`Keccak<1>`](crate::sponge::Keccak) and [`Backend`] for a token of your own. The arithmetic comes from
//! [`portable`](crate::backend::portable), unless you override it. `examples/own_keccak.rs` is a whole program.
//!
//! The functions take the bytes of the standard, check what they are given as section 7 asks, and leave the randomness to
//! the caller: `d`, `z` and `m` must be 32 bytes each that nobody can guess, and serve once.

use super::Error;
use super::params::ParameterSet;
use crate::backend::Backend;

/// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal): writes the expanded decapsulation key dk_PKE || ek || H(ek) || z, the
/// encapsulation key being its part of [`ENCAPSULATION_KEY_SIZE`](ParameterSet::ENCAPSULATION_KEY_SIZE) bytes before the
/// last 64.
///
/// # Errors
///
/// [`Error::Length`] if `dk` has not [`DECAPSULATION_KEY_SIZE`](ParameterSet::DECAPSULATION_KEY_SIZE) bytes.
pub fn key_gen_internal<S: ParameterSet, B: Backend>(
    backend: B,
    d: &[u8; 32],
    z: &[u8; 32],
    dk: &mut [u8],
) -> Result<(), Error> {
    S::key_gen(backend, d, z, dk)
}

/// FIPS 203, section 7.2 and Algorithm 17 (ML-KEM.Encaps_internal): writes the ciphertext and the shared secret.
///
/// # Errors
///
/// [`Error::Length`] if `ek` or `c` has not the size of the parameter set's; [`Error::EncapsulationKey`] if a number of the
/// key is not below q. Nothing is written then.
pub fn encaps_internal<S: ParameterSet, B: Backend>(
    backend: B,
    ek: &[u8],
    m: &[u8; 32],
    c: &mut [u8],
    shared_secret: &mut [u8; 32],
) -> Result<(), Error> {
    S::encaps(backend, ek, m, c, shared_secret)
}

/// FIPS 203, section 7.3 and Algorithm 18 (ML-KEM.Decaps_internal) with the expanded key: writes the shared secret, by
/// implicit rejection another one if the ciphertext is not the key's.
///
/// # Errors
///
/// [`Error::Length`] if `dk` or `c` has not the size of the parameter set's; [`Error::DecapsulationKey`] if the key fails a
/// check. The shared secret is zero then.
pub fn decaps_internal<S: ParameterSet, B: Backend>(
    backend: B,
    dk: &[u8],
    c: &[u8],
    shared_secret: &mut [u8; 32],
) -> Result<(), Error> {
    S::decaps(backend, dk, c, shared_secret)
}
