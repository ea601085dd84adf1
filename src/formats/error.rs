//! What can be wrong with the file of a key.

use core::fmt;

use pkcs8::der;

use super::PrivateKeyForm;
use crate::frontend::Error;

/// Why bytes or text are no key, or a key cannot be written so. Nothing in it comes from a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFormatError {
    /// The structure is not the one wanted, or not DER: it does not fit at this byte, ends too early or too late.
    Der {
        /// The place of the first byte that does not fit, as far as it is known.
        at: Option<u32>,
    },
    /// Another algorithm than ML-KEM.
    Algorithm,
    /// Another parameter set than the one asked for.
    ParameterSet {
        /// The set that the file names.
        found: &'static str,
        /// The set of the type that was to be made.
        wanted: &'static str,
    },
    /// The algorithm has parameters (NULL, for example), which RFC 9935 forbids.
    AlgorithmParameters,
    /// The private key begins with a tag that none of the three forms has.
    UnknownForm,
    /// The private key is a seed without a tag, as Botan and Bouncy Castle up to 1.80 write it: see
    /// [`from_bare_seed_pkcs8_der`](crate::DecapsulationKey::from_bare_seed_pkcs8_der).
    BareSeed,
    /// The private key is an expanded key without a tag, as OpenSSL writes it when `bare-priv` is asked for,
    /// and Bouncy Castle 1.80.
    BareExpanded,
    /// A bare seed was asked for, and this one has a tag, as it should: see
    /// [`from_pkcs8_der`](crate::DecapsulationKey::from_pkcs8_der).
    Tagged,
    /// The private key is wrapped in one OCTET STRING too many.
    DoublyWrapped,
    /// A seed or an expanded key of another length.
    Length {
        /// The form by its tag.
        form: PrivateKeyForm,
        /// The parameter set by its object identifier.
        set: &'static str,
        /// Bytes that are there.
        found: usize,
        /// Bytes that there should be.
        wanted: usize,
    },
    /// A public key of another length.
    PublicKeyLength {
        /// The parameter set by its object identifier.
        set: &'static str,
        /// Bytes that are there.
        found: usize,
        /// Bytes that there should be.
        wanted: usize,
    },
    /// The bits of the public key are not whole bytes.
    UnusedBits,
    /// Seed and expanded key, both in the file, are not of one key.
    SeedMismatch,
    /// The public key beside the private one is another's.
    PublicKeyMismatch,
    /// The key fails a check of FIPS 203: [`Error::EncapsulationKey`] or [`Error::DecapsulationKey`].
    Key(Error),
    /// The key has no seed (it came from its expanded form), and a form with the seed was asked for.
    NoSeed,
    /// The caller's memory is too small.
    BufferTooSmall {
        /// Bytes that it takes.
        wanted: usize,
    },
    /// There is no text between the lines BEGIN and END with this label.
    Pem {
        /// `PRIVATE KEY`, for example.
        label: &'static str,
    },
    /// What stands between these lines is not Base64.
    Base64,
    /// The key is encrypted: it takes a password, and the feature `pkcs8-encryption`.
    Encrypted,
    /// The encryption is none that is supported, or asks for more time or memory than a file may.
    Encryption,
    /// The password is wrong, or the file is damaged.
    Password,
}

impl From<Error> for KeyFormatError {
    fn from(error: Error) -> Self {
        Self::Key(error)
    }
}

impl From<der::Error> for KeyFormatError {
    fn from(error: der::Error) -> Self {
        Self::Der { at: error.position().map(u32::from) }
    }
}

impl fmt::Display for KeyFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Der { at: Some(at) } => write!(f, "not the DER of such a key, from byte {at} on"),
            Self::Der { at: None } => f.write_str("not the DER of such a key"),
            Self::Algorithm => f.write_str("not a key of ML-KEM"),
            Self::ParameterSet { found, wanted } => write!(f, "a key of {found}, where {wanted} is wanted"),
            Self::AlgorithmParameters => {
                f.write_str("the algorithm has parameters, which ML-KEM must not have")
            }
            Self::UnknownForm => f.write_str("a private key that is neither seed nor expanded key nor both"),
            Self::BareExpanded => f.write_str(
                "a private key that is an expanded key without a tag, which RFC 9935 does not know",
            ),
            Self::Tagged => {
                f.write_str("a private key as RFC 9935 has it, where a seed without a tag is wanted")
            }
            Self::BareSeed => {
                f.write_str("a private key that is a seed without a tag, which RFC 9935 does not know")
            }
            Self::DoublyWrapped => f.write_str("a private key in one OCTET STRING too many"),
            Self::Length { form, set, found, wanted } => {
                write!(f, "{form} of {found} bytes, where {set} has {wanted}")
            }
            Self::PublicKeyLength { set, found, wanted } => {
                write!(f, "public key of {found} bytes, where {set} has {wanted}")
            }
            Self::UnusedBits => f.write_str("a public key with unused bits"),
            Self::SeedMismatch => f.write_str("seed and expanded key do not belong together"),
            Self::PublicKeyMismatch => {
                f.write_str("the public key in the file is not that of the private key")
            }
            Self::Key(error) => write!(f, "{error}"),
            Self::NoSeed => f.write_str("this key has no seed: it can be written in its expanded form only"),
            Self::BufferTooSmall { wanted } => write!(f, "{wanted} bytes of memory are needed"),
            Self::Pem { label } => write!(f, "no text between BEGIN {label} and END {label}"),
            Self::Base64 => f.write_str("not Base64 between the lines BEGIN and END"),
            Self::Encrypted => f.write_str("the private key is encrypted"),
            Self::Encryption => f.write_str("an encryption that is not supported, or too costly"),
            Self::Password => f.write_str("the password is wrong, or the file is damaged"),
        }
    }
}

impl core::error::Error for KeyFormatError {}
