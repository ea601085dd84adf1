//! age's recipient `mlkem768x25519` for the crate `age`: X-Wing in HPKE's base mode, sealing the key of a file.

use std::collections::HashSet;

use age::{DecryptError, EncryptError};
use age_core::format::{FileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use base64ct::{Base64Unpadded, Encoding};
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit};
use hmac::{Hmac, Mac};
use kemstone::hybrid::x_wing::{Ciphertext, DecapsulationKey, EncapsulationKey};
use kemstone::hybrid::{HybridKem, XWing};
use kemstone::{Error, SharedSecret};
use sha2::Sha256;
use zeroize::Zeroizing;

const TAG: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";

/// Whoever has this can encrypt to the owner of an [`Identity`].
pub struct Recipient(pub EncapsulationKey);

/// The private key, whose seed is what an age identity holds.
pub struct Identity(pub DecapsulationKey);

impl age::Recipient for Recipient {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let (ciphertext, secret) = self.0.encapsulate().map_err(std::io::Error::other)?;
        let (aead, nonce) = hpke(&secret);
        let body = aead.encrypt(&nonce.into(), &file_key.expose_secret()[..]).map_err(std::io::Error::other)?;
        let args = vec![Base64Unpadded::encode_string(ciphertext.as_bytes())];
        // Not to be mixed with recipients that a quantum computer could read.
        let labels = HashSet::from(["postquantum".to_owned()]);
        Ok((vec![Stanza { tag: TAG.to_owned(), args, body }], labels))
    }
}

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != TAG {
            return None;
        }
        let ciphertext = match &stanza.args[..] {
            [text] => Base64Unpadded::decode_vec(text).map_err(|_| Error::Length),
            _ => Err(Error::Length),
        };
        let Ok(ciphertext) = ciphertext.and_then(|bytes| Ciphertext::try_from(&bytes[..])) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let (aead, nonce) = hpke(&self.0.decapsulate(&ciphertext));
        // Another's stanza does not open.
        let key = Zeroizing::new(aead.decrypt(&nonce.into(), &stanza.body[..]).ok()?);
        let key: &[u8; 16] = key.as_slice().try_into().ok()?;
        Some(Ok(FileKey::init_with_mut(|to| *to = *key)))
    }
}

/// HPKE's key schedule (RFC 9180, section 5.1) in base mode, with HKDF-SHA256 and ChaCha20Poly1305: the cipher and its first nonce.
fn hpke(secret: &SharedSecret) -> (ChaCha20Poly1305, [u8; 12]) {
    let [a, b] = XWing::HPKE_ID.to_be_bytes();
    let suite = [b'H', b'P', b'K', b'E', a, b, 0, 1, 0, 3];
    let hmac = |key: &[u8], parts: &[&[u8]]| -> Zeroizing<[u8; 32]> {
        let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("a key of any length");
        parts.iter().for_each(|part| mac.update(part));
        Zeroizing::new(mac.finalize().into_bytes().into())
    };
    let extract = |salt: &[u8], label: &[u8], ikm: &[u8]| hmac(salt, &[b"HPKE-v1", &suite, label, ikm]);
    let psk_id_hash = extract(&[], b"psk_id_hash", &[]);
    let info_hash = extract(&[], b"info_hash", INFO);
    let prk = extract(secret.as_bytes(), b"secret", &[]);
    let expand = |label: &[u8], length: u8| {
        hmac(&*prk, &[&[0, length], b"HPKE-v1", &suite, label, &[0], &*psk_id_hash, &*info_hash, &[1]])
    };
    let key = expand(b"key", 32);
    let nonce = expand(b"base_nonce", 12);
    (ChaCha20Poly1305::new(<&Key>::from(&*key)), nonce[..12].try_into().expect("12 of 32 bytes"))
}
