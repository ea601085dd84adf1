//! Keys as other software stores them: RFC 9935 (March 2026), in DER and PEM.
//!
//! | file | what |
//! |---|---|
//! | `error.rs` | what can be wrong with a file |
//! | `private.rs` | PKCS#8 and OneAsymmetricKey (RFC 5958): the three forms of a private key |
//! | `public.rs` | SubjectPublicKeyInfo |
//! | `pem.rs` | the text around both |
//! | `encrypted.rs` | EncryptedPrivateKeyInfo |
//! | `any.rs` | keys whose parameter set the file says |
//!
//! DER is read by the crates `pkcs8` and `der`, strictly; nothing is allocated for it. Whatever the bytes, the answer is a key that
//! has passed every check, or an error that says what was found and what was wanted.

mod any;
#[cfg(feature = "pkcs8-encryption")]
mod encrypted;
mod error;
#[cfg(feature = "pem")]
mod pem;
mod private;
mod public;

pub use any::{AnyDecapsulationKey, AnyEncapsulationKey};
pub use error::KeyFormatError;
use pkcs8::der::{self, Encode, Header, Length, SliceWriter, Tag};
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier};
pub use private::PrivateKeyForm;

use crate::frontend::{MlKem512, MlKem768, MlKem1024, ParameterSet};

/// What a file is compared with.
struct Known {
    name: &'static str,
    oid: ObjectIdentifier,
    encapsulation_key: usize,
    decapsulation_key: usize,
}

const fn known<S: ParameterSet>() -> Known {
    Known {
        name: S::NAME,
        oid: ObjectIdentifier::new_unwrap(S::OID),
        encapsulation_key: S::ENCAPSULATION_KEY_SIZE,
        decapsulation_key: S::DECAPSULATION_KEY_SIZE,
    }
}

const KNOWN: [Known; 3] = [known::<MlKem512>(), known::<MlKem768>(), known::<MlKem1024>()];

/// The parameter set that an algorithm identifier names (RFC 9935, section 3: without parameters).
fn set_of(algorithm: AlgorithmIdentifierRef<'_>) -> Result<&'static Known, KeyFormatError> {
    let known = KNOWN.iter().find(|known| known.oid == algorithm.oid).ok_or(KeyFormatError::Algorithm)?;
    match algorithm.parameters {
        None => Ok(known),
        Some(_) => Err(KeyFormatError::AlgorithmParameters),
    }
}

impl Known {
    /// Whether it is the one that is wanted.
    fn must_be<S: ParameterSet>(&self) -> Result<(), KeyFormatError> {
        if self.name == S::NAME {
            Ok(())
        } else {
            Err(KeyFormatError::ParameterSet { found: self.name, wanted: S::NAME })
        }
    }
}

/// Bytes of a TLV whose value has this length, all of them less than 64 KiB.
const fn tlv_length(value: usize) -> usize {
    match value {
        0..=0x7f => value + 2,
        0x80..=0xff => value + 3,
        _ => value + 4,
    }
}

/// Writes tag and length.
fn header(to: &mut SliceWriter<'_>, tag: Tag, length: usize) -> der::Result<()> {
    Header::new(tag, Length::try_from(length)?).encode(to)
}

/// The algorithm identifier of a parameter set, and its length.
fn algorithm<S: ParameterSet>() -> (AlgorithmIdentifierRef<'static>, usize) {
    let oid = known::<S>().oid;
    (AlgorithmIdentifierRef { oid, parameters: None }, tlv_length(tlv_length(oid.as_bytes().len())))
}
