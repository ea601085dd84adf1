//! SSH's key exchange `mlkem768x25519-sha256` (RFC 10042): what the two messages carry, and K.

use kemstone::Error;
use kemstone::ml_kem_768::{CIPHERTEXT_SIZE, CiphertextRef, EncapsulationKey, PreparedDecapsulationKey};
use sha2::{Digest, Sha256};
use x25519_dalek::{EphemeralSecret, PublicKey};
use zeroize::Zeroizing;

/// K, which SSH hashes as a string of 32 bytes, and not as a number.
pub type K = Zeroizing<[u8; 32]>;

/// What a client keeps between the two messages.
pub struct Client {
    ml_kem: Box<PreparedDecapsulationKey>,
    x25519: EphemeralSecret,
}

impl Client {
    /// With C_INIT, 1216 bytes: ML-KEM's public key, then X25519's.
    pub fn start() -> Result<(Self, Vec<u8>), Error> {
        let random = |seed: &mut [u8; 64]| getrandom::fill(seed).map_err(|_| Error::Randomness);
        let ml_kem = PreparedDecapsulationKey::boxed_generate_with(random)?;
        let x25519 = EphemeralSecret::random();
        let ours = PublicKey::from(&x25519);
        let init = [&ml_kem.encapsulation_key().as_bytes()[..], ours.as_bytes()].concat();
        Ok((Self { ml_kem, x25519 }, init))
    }

    /// K, from S_REPLY, 1120 bytes: a ciphertext, then X25519's public key.
    pub fn finish(self, reply: &[u8]) -> Result<K, Error> {
        let (ciphertext, theirs) = reply.split_at_checked(CIPHERTEXT_SIZE).ok_or(Error::Length)?;
        let secret = self.ml_kem.decapsulate(CiphertextRef::try_from(ciphertext)?);
        combine(secret.as_bytes(), self.x25519, theirs)
    }
}

/// What a server does with C_INIT: S_REPLY, and K.
pub fn answer(init: &[u8]) -> Result<(Vec<u8>, K), Error> {
    let (key, theirs) = init.split_last_chunk::<32>().ok_or(Error::Length)?;
    let (ciphertext, secret) = EncapsulationKey::try_from(key)?.encapsulate()?;
    let x25519 = EphemeralSecret::random();
    let ours = PublicKey::from(&x25519);
    let k = combine(secret.as_bytes(), x25519, theirs)?;
    Ok(([&ciphertext.as_bytes()[..], ours.as_bytes()].concat(), k))
}

/// SHA-256 of ML-KEM's secret and then X25519's, which must not be zero (RFC 8731, section 3).
fn combine(ml_kem: &[u8; 32], x25519: EphemeralSecret, theirs: &[u8]) -> Result<K, Error> {
    let theirs: [u8; 32] = theirs.try_into()?;
    let shared = x25519.diffie_hellman(&PublicKey::from(theirs));
    if !shared.was_contributory() {
        return Err(Error::EncapsulationKey);
    }
    Ok(Zeroizing::new(Sha256::new().chain_update(ml_kem).chain_update(shared.as_bytes()).finalize().into()))
}
