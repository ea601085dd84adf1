//! PEM (RFC 7468), read as people's files are: lines that end in LF, CRLF or CR, text before and after, a byte order mark, blanks
//! at the end of lines, lines of any length, no newline at the end. Written with LF and 64 columns.

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64, Encoder, Encoding, LineEnding};
use zeroize::Zeroizing;

use super::{AnyDecapsulationKey, AnyEncapsulationKey, KeyFormatError, PrivateKeyForm};
use crate::frontend::{DecapsulationKey, EncapsulationKey, ParameterSet};

pub(super) const PRIVATE_KEY: &str = "PRIVATE KEY";
#[cfg(feature = "pkcs8-encryption")]
pub(super) const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const PUBLIC_KEY: &str = "PUBLIC KEY";

/// The lines of a text, without what is blank at their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii)
}

/// Whether a line is `-----BEGIN label-----`, say.
fn is_boundary(line: &[u8], word: &[u8], label: &str) -> bool {
    let label = line.strip_prefix(b"-----").and_then(|rest| rest.strip_prefix(word)).and_then(|rest| {
        let rest = rest.strip_prefix(b" ")?;
        rest.strip_suffix(b"-----").map(|found| found == label.as_bytes())
    });
    label == Some(true)
}

/// What stands between the first line BEGIN with this label and its END, decoded.
pub(super) fn decode(text: &[u8], label: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyFormatError> {
    let mut lines = lines(text);
    let missing = KeyFormatError::Pem { label };
    lines.find(|line| is_boundary(line, b"BEGIN", label)).ok_or(missing)?;
    // As long as the text, at the most: no piece of the key is left where it grew.
    let mut base64 = Zeroizing::new(Vec::with_capacity(text.len()));
    loop {
        match lines.next().ok_or(missing)? {
            line if is_boundary(line, b"END", label) => break,
            line if line.starts_with(b"-----") => return Err(missing),
            line => base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace())),
        }
    }
    let mut der = Zeroizing::new(alloc::vec![0; base64.len() - (base64.len() >> 2)]);
    let length = Base64::decode(&base64[..], &mut der).map_err(|_| KeyFormatError::Base64)?.len();
    der.truncate(length);
    Ok(der)
}

/// The text of some DER.
pub(super) fn encode(der: &[u8], label: &str) -> Zeroizing<String> {
    // A third more, and a newline for each 48 bytes.
    let room = 2 * der.len() + 128;
    let mut base64 = Zeroizing::new(alloc::vec![0; room]);
    let mut text = Zeroizing::new(String::with_capacity(room));
    for piece in ["-----BEGIN ", label, "-----\n", wrapped(der, &mut base64), "\n-----END ", label, "-----\n"]
    {
        text.push_str(piece);
    }
    text
}

fn wrapped<'a>(der: &[u8], room: &'a mut [u8]) -> &'a str {
    let written = Encoder::<Base64>::new_wrapped(room, 64, LineEnding::LF).and_then(|mut to| {
        to.encode(der)?;
        to.finish()
    });
    written.unwrap_or_default() // never: there is room
}

/// The private key in a text; one that is encrypted is named.
fn decode_private(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFormatError> {
    decode(text, PRIVATE_KEY).map_err(|error| {
        let encrypted = lines(text).any(|line| is_boundary(line, b"BEGIN", "ENCRYPTED PRIVATE KEY"));
        if error == (KeyFormatError::Pem { label: PRIVATE_KEY }) && encrypted {
            KeyFormatError::Encrypted
        } else {
            error
        }
    })
}

#[cfg_attr(docsrs, doc(cfg(feature = "pem")))]
impl<S: ParameterSet> DecapsulationKey<S> {
    /// Reads the first `PRIVATE KEY` of a text in PEM, as [`from_pkcs8_der`](Self::from_pkcs8_der) does: whatever ends its
    /// lines, whatever stands before and after, and however long its lines are.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and what was wanted.
    ///
    /// ```
    /// use kemstone::ml_kem_768::DecapsulationKey;
    /// use kemstone::{PrivateKeyForm, Seed};
    ///
    /// # fn main() -> Result<(), kemstone::KeyFormatError> {
    /// let key = DecapsulationKey::from_seed(&Seed::from([7; 64]));
    /// let pem = key.to_pkcs8_pem(PrivateKeyForm::Seed)?;
    /// assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    /// assert_eq!(DecapsulationKey::from_pkcs8_pem(pem.as_bytes())?.to_seed(), key.to_seed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_pkcs8_pem(text: &[u8]) -> Result<Self, KeyFormatError> {
        let der = decode_private(text)?;
        Self::from_pkcs8_der(&der)
    }

    /// Writes a private key in PEM, in the form asked for, of which [`PrivateKeyForm`] says who reads it; wiped on drop.
    ///
    /// # Errors
    ///
    /// [`KeyFormatError::NoSeed`] if the key came from its expanded form and the form has a seed.
    pub fn to_pkcs8_pem(&self, form: PrivateKeyForm) -> Result<Zeroizing<String>, KeyFormatError> {
        Ok(encode(&self.to_pkcs8_der(form)?, PRIVATE_KEY))
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "pem")))]
impl<S: ParameterSet> EncapsulationKey<S> {
    /// Reads the first `PUBLIC KEY` of a text in PEM, as [`from_public_key_der`](Self::from_public_key_der) does.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and what was wanted.
    pub fn from_public_key_pem(text: &[u8]) -> Result<Self, KeyFormatError> {
        Self::from_public_key_der(&decode(text, PUBLIC_KEY)?)
    }

    /// Writes a public key in PEM.
    #[must_use]
    pub fn to_public_key_pem(&self) -> String {
        let mut der = alloc::vec![0; Self::PUBLIC_KEY_DER_LENGTH];
        let written = self.write_public_key_der(&mut der).unwrap_or_default(); // never empty: there is room
        core::mem::take(&mut *encode(written, PUBLIC_KEY))
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "pem")))]
impl AnyDecapsulationKey {
    /// As [`DecapsulationKey::from_pkcs8_pem`], of the parameter set that the text has.
    ///
    /// # Errors
    ///
    /// The same, but for the set.
    pub fn from_pkcs8_pem(text: &[u8]) -> Result<Self, KeyFormatError> {
        let der = decode_private(text)?;
        Self::from_pkcs8_der(&der)
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "pem")))]
impl AnyEncapsulationKey {
    /// As [`EncapsulationKey::from_public_key_pem`], of the parameter set that the text has.
    ///
    /// # Errors
    ///
    /// The same, but for the set.
    pub fn from_public_key_pem(text: &[u8]) -> Result<Self, KeyFormatError> {
        Self::from_public_key_der(&decode(text, PUBLIC_KEY)?)
    }
}
