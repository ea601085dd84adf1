//! What each side does for the half of a share that is ML-KEM's. Nothing here knows rustls.
//!
//! Generic over the parameter set `S`, whose encapsulation keys have `EK` bytes and ciphertexts `CT`.

use alloc::boxed::Box;

use kemstone::{
    CiphertextRef, EncapsulationKey, ParameterSet, PreparedDecapsulationKey, SEED_SIZE, SHARED_SECRET_SIZE,
};

/// Why a half was not made.
pub(crate) enum Failure<E> {
    /// What the peer sent is no share: its length, or a number that is not below q (RFC 10024 asks a server for that
    /// check, FIPS 203, section 7.2).
    Refused,
    /// There was no randomness.
    Random(E),
}

/// A client's key, which serves once. It stays on the heap where it was made, and is wiped on drop. Prepared, it keeps the matrix that
/// was sampled for it, so that decapsulation does not sample it again.
pub(crate) type ClientKey<S> = PreparedDecapsulationKey<S>;

/// FIPS 203, Algorithm 19 (ML-KEM.KeyGen).
pub(crate) fn generate<S: ParameterSet, E>(
    fill: impl FnOnce(&mut [u8; SEED_SIZE]) -> Result<(), E>,
) -> Result<Box<ClientKey<S>>, E> {
    ClientKey::boxed_generate_with(fill)
}

/// FIPS 203, Algorithm 20 (ML-KEM.Encaps), with the checks of section 7.2: from the half of the client's share where it was
/// received to the half of the server's share and the secret where they will be sent and used.
pub(crate) fn encapsulate<S, E, const CT: usize>(
    encapsulation_key: &[u8],
    fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
    ciphertext: &mut [u8],
    secret: &mut [u8],
) -> Result<(), Failure<E>>
where
    S: ParameterSet<CiphertextBytes = [u8; CT]>,
{
    let key = EncapsulationKey::<S>::try_from(encapsulation_key).map_err(|_| Failure::Refused)?;
    let ciphertext: &mut [u8; CT] = ciphertext.try_into().map_err(|_| Failure::Refused)?;
    let secret: &mut [u8; SHARED_SECRET_SIZE] = secret.try_into().map_err(|_| Failure::Refused)?;
    key.encapsulate_into(fill, ciphertext, secret).map_err(Failure::Random)
}

/// FIPS 203, Algorithm 21 (ML-KEM.Decaps). Any bytes of the right length are a ciphertext; one that was not made for the key
/// gives a secret that nobody knows, and the handshake fails when its first message does not verify.
///
/// `None` if a length is wrong.
pub(crate) fn decapsulate<S: ParameterSet>(
    key: &ClientKey<S>,
    ciphertext: &[u8],
    secret: &mut [u8],
) -> Option<()> {
    let ciphertext = CiphertextRef::<S>::try_from(ciphertext).ok()?;
    key.decapsulate_into(ciphertext, secret.try_into().ok()?);
    Some(())
}
