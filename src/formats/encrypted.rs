//! Private keys under a password: EncryptedPrivateKeyInfo (RFC 5958, section 3), by the crates `pkcs8` and `pkcs5`.
//!
//! What is decrypted is wiped. The key that comes of the password is not, as far as `pkcs5` keeps it.

use alloc::string::String;
use alloc::vec::Vec;

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode, Encode};
use pkcs8::pkcs5;
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use zeroize::Zeroizing;

use super::pem::{ENCRYPTED, decode, encode};
use super::private::is_encrypted;
use super::{AnyDecapsulationKey, KeyFormatError, PrivateKeyForm};
use crate::frontend::{DecapsulationKey, ParameterSet};

/// Rounds of PBKDF2 that are written.
const ROUNDS: u32 = 600_000;
/// The most that are read: some seconds.
const MOST_ROUNDS: u32 = 10_000_000;
/// The most memory that a file may ask scrypt for, in bytes.
const MOST_MEMORY: u64 = 128 << 20;
/// The most blocks of 128 bytes that scrypt may mix: some seconds.
const MOST_WORK: u64 = 1 << 21;

/// Whether reading this takes no more than a file may ask for, and whether its numbers are any that `pkcs5` can work with.
fn is_affordable(parameters: &Parameters) -> bool {
    match &parameters.kdf {
        Kdf::Pbkdf2(kdf) => (1..=MOST_ROUNDS).contains(&kdf.iteration_count),
        Kdf::Scrypt(kdf) => {
            let (n, r, p) = (kdf.cost_parameter, u64::from(kdf.block_size), u64::from(kdf.parallelization));
            let sensible = n > 1 && n <= MOST_WORK && n.is_power_of_two() && r > 0 && p > 0;
            // n is at most 2^21 where the products are looked at, r and p are below 2^16.
            sensible && 128 * r * (n + p) <= MOST_MEMORY && n * r * p <= MOST_WORK
        }
        _ => false,
    }
}

/// What is under the password.
fn decrypt(bytes: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFormatError> {
    let info = match EncryptedPrivateKeyInfoRef::from_der(bytes) {
        Ok(info) => info,
        Err(_) if is_encrypted(bytes) => return Err(KeyFormatError::Encryption),
        Err(error) => return Err(error.into()),
    };
    let parameters = info.encryption_algorithm.pbes2().ok_or(KeyFormatError::Encryption)?;
    if !is_affordable(parameters) {
        return Err(KeyFormatError::Encryption);
    }
    let mut der = Zeroizing::new(info.encrypted_data.as_bytes().to_vec());
    let length = match parameters.decrypt_in_place(password, &mut der) {
        Ok(der) => der.len(),
        Err(pkcs5::Error::DecryptFailed) => return Err(KeyFormatError::Password),
        Err(_) => return Err(KeyFormatError::Encryption),
    };
    der.truncate(length);
    Ok(der)
}

/// A wrong password does not always show in the padding: what comes of it then is no DER.
fn or_password(error: KeyFormatError) -> KeyFormatError {
    if let KeyFormatError::Der { .. } = error { KeyFormatError::Password } else { error }
}

#[cfg_attr(docsrs, doc(cfg(feature = "pkcs8-encryption")))]
impl<S: ParameterSet> DecapsulationKey<S> {
    /// Reads a private key that is encrypted under a password, and then as [`from_pkcs8_der`](Self::from_pkcs8_der) does:
    /// PBES2 with PBKDF2 (HMAC with SHA-2) or scrypt, and AES in CBC or GCM, which is what OpenSSL, Node, Python, the JDK and
    /// Botan write. At most ten million rounds of PBKDF2, and for scrypt 128 MiB and N r p of two million: a file that asks for
    /// more is refused. HMAC with SHA-1, which Bouncy Castle's PKIX library takes unless it is asked for another, is not read.
    ///
    /// # Errors
    ///
    /// [`KeyFormatError::Password`], [`KeyFormatError::Encryption`], and what is wrong with the key inside.
    pub fn from_encrypted_pkcs8_der(bytes: &[u8], password: &[u8]) -> Result<Self, KeyFormatError> {
        let der = decrypt(bytes, password)?;
        Self::from_pkcs8_der(&der).map_err(or_password)
    }

    /// As [`from_encrypted_pkcs8_der`](Self::from_encrypted_pkcs8_der), of the first `ENCRYPTED PRIVATE KEY` of a text.
    ///
    /// # Errors
    ///
    /// The same, and what is wrong with the text.
    pub fn from_encrypted_pkcs8_pem(text: &[u8], password: &[u8]) -> Result<Self, KeyFormatError> {
        Self::from_encrypted_pkcs8_der(&decode(text, ENCRYPTED)?, password)
    }

    /// As [`to_encrypted_pkcs8_pem_with`](Self::to_encrypted_pkcs8_pem_with), with the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`KeyFormatError::NoSeed`] if the key came from its expanded form and the form has a seed; no randomness.
    #[cfg(feature = "getrandom")]
    pub fn to_encrypted_pkcs8_pem(
        &self,
        form: PrivateKeyForm,
        password: &[u8],
    ) -> Result<String, KeyFormatError> {
        self.to_encrypted_pkcs8_pem_with(form, password, |random| {
            Ok(crate::frontend::keys::system_random(random)?)
        })
    }

    /// Writes a private key in PEM under a password: PBES2 with 600 000 rounds of PBKDF2-HMAC-SHA256 and AES-256-CBC, which
    /// all of the above read. `fill` writes 32 random bytes: salt and initialisation vector, which are not secret.
    ///
    /// # Errors
    ///
    /// [`KeyFormatError::NoSeed`] if the key came from its expanded form and the form has a seed; the error of `fill`.
    ///
    /// ```no_run
    /// use kemstone::ml_kem_768::DecapsulationKey;
    /// use kemstone::{KeyFormatError, PrivateKeyForm, Seed};
    ///
    /// # fn main() -> Result<(), KeyFormatError> {
    /// let key = DecapsulationKey::from_seed(&Seed::from([7; 64]));
    /// let fill = |salt: &mut [u8; 32]| {
    ///     *salt = [1; 32]; // from a random generator
    ///     Ok::<_, KeyFormatError>(())
    /// };
    /// let pem = key.to_encrypted_pkcs8_pem_with(PrivateKeyForm::Seed, b"correct horse", fill)?;
    /// let again = DecapsulationKey::from_encrypted_pkcs8_pem(pem.as_bytes(), b"correct horse")?;
    /// assert_eq!(again.to_seed(), key.to_seed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_encrypted_pkcs8_pem_with<E: From<KeyFormatError>>(
        &self,
        form: PrivateKeyForm,
        password: &[u8],
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
    ) -> Result<String, E> {
        let mut random = [0; 32];
        fill(&mut random)?;
        let der = self.to_pkcs8_der(form)?;
        let text = encrypt(&der, password, &random).ok_or(KeyFormatError::Encryption)?;
        Ok(text)
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "pkcs8-encryption")))]
impl AnyDecapsulationKey {
    /// As [`DecapsulationKey::from_encrypted_pkcs8_der`], of the parameter set that the file has.
    ///
    /// # Errors
    ///
    /// The same, but for the set.
    pub fn from_encrypted_pkcs8_der(bytes: &[u8], password: &[u8]) -> Result<Self, KeyFormatError> {
        let der = decrypt(bytes, password)?;
        Self::from_pkcs8_der(&der).map_err(or_password)
    }

    /// As [`DecapsulationKey::from_encrypted_pkcs8_pem`], of the parameter set that the text has.
    ///
    /// # Errors
    ///
    /// The same, but for the set.
    pub fn from_encrypted_pkcs8_pem(text: &[u8], password: &[u8]) -> Result<Self, KeyFormatError> {
        Self::from_encrypted_pkcs8_der(&decode(text, ENCRYPTED)?, password)
    }
}

fn encrypt(der: &[u8], password: &[u8], random: &[u8; 32]) -> Option<String> {
    let (salt, iv) = random.split_first_chunk::<16>()?;
    let iv = iv.try_into().ok()?;
    let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, salt, iv).ok()?;
    let encrypted = parameters.encrypt(password, der).ok()?;
    let info = EncryptedPrivateKeyInfoRef {
        encryption_algorithm: parameters.into(),
        encrypted_data: OctetStringRef::new(&encrypted).ok()?,
    };
    let der = info.to_der().ok()?;
    Some(core::mem::take(&mut *encode(&der, ENCRYPTED)))
}
