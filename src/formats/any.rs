//! Keys of a file whose parameter set is not known beforehand.

use super::private::Private;
use super::{KeyFormatError, public};
use crate::frontend::{
    Bytes, CiphertextRef, DecapsulationKey, EncapsulationKey, Error, MlKem512, MlKem768, MlKem1024,
    ParameterSet, SharedSecret,
};

/// A private key of any parameter set: the one that its file names.
///
/// ```
/// use kemstone::ml_kem_1024::DecapsulationKey;
/// use kemstone::{AnyDecapsulationKey, PrivateKeyForm, Seed};
///
/// # fn main() -> Result<(), kemstone::KeyFormatError> {
/// let key = DecapsulationKey::from_seed(&Seed::from([7; 64]));
/// let mut room = [0; 86];
/// let der = key.write_pkcs8_der(PrivateKeyForm::Seed, &mut room)?;
/// match AnyDecapsulationKey::from_pkcs8_der(der)? {
///     AnyDecapsulationKey::MlKem1024(key) => assert!(key.to_seed().is_some()),
///     other => panic!("a key of {}", other.parameter_set()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // there may be no heap
pub enum AnyDecapsulationKey {
    /// A key of ML-KEM-512.
    MlKem512(DecapsulationKey<MlKem512>),
    /// A key of ML-KEM-768.
    MlKem768(DecapsulationKey<MlKem768>),
    /// A key of ML-KEM-1024.
    MlKem1024(DecapsulationKey<MlKem1024>),
}

/// A public key of any parameter set: the one that its file names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::large_enum_variant)] // likewise
pub enum AnyEncapsulationKey {
    /// A key of ML-KEM-512.
    MlKem512(EncapsulationKey<MlKem512>),
    /// A key of ML-KEM-768.
    MlKem768(EncapsulationKey<MlKem768>),
    /// A key of ML-KEM-1024.
    MlKem1024(EncapsulationKey<MlKem1024>),
}

/// `each!(any, key => expression)`: the expression with the key, whatever its set.
macro_rules! each {
    ($any:expr, $key:ident => $body:expr) => {
        match $any {
            Self::MlKem512($key) => $body,
            Self::MlKem768($key) => $body,
            Self::MlKem1024($key) => $body,
        }
    };
}

/// A copy in the caller's place: of a key that is moved, one would stay behind.
#[inline(never)]
fn ok<S: ParameterSet, E>(
    key: &DecapsulationKey<S>,
    copy: impl FnOnce(&DecapsulationKey<S>) -> AnyDecapsulationKey,
) -> Result<AnyDecapsulationKey, E> {
    Ok(copy(key))
}

fn name_of<S: ParameterSet>(_: &EncapsulationKey<S>) -> &'static str {
    S::NAME
}

impl AnyDecapsulationKey {
    /// As [`DecapsulationKey::from_pkcs8_der`], of the parameter set that the file names.
    ///
    /// # Errors
    ///
    /// The same, but for the set.
    pub fn from_pkcs8_der(bytes: &[u8]) -> Result<Self, KeyFormatError> {
        let private = Private::parse(bytes)?;
        match private.set.name {
            MlKem512::NAME => Self::of(&private, |key| Self::MlKem512(key.copy())),
            MlKem768::NAME => Self::of(&private, |key| Self::MlKem768(key.copy())),
            _ => Self::of(&private, |key| Self::MlKem1024(key.copy())),
        }
    }

    fn of<S: ParameterSet>(
        private: &Private<'_>,
        copy: impl FnOnce(&DecapsulationKey<S>) -> Self,
    ) -> Result<Self, KeyFormatError> {
        let mut key = DecapsulationKey::empty();
        key.set_private(private)?;
        ok(&key, copy)
    }

    /// The name of the parameter set: `ML-KEM-768`, for example.
    #[must_use]
    pub fn parameter_set(&self) -> &'static str {
        each!(self, key => name_of(key.encapsulation_key()))
    }

    /// The public half.
    #[must_use]
    pub fn encapsulation_key(&self) -> AnyEncapsulationKey {
        match self {
            Self::MlKem512(key) => AnyEncapsulationKey::MlKem512(key.encapsulation_key().clone()),
            Self::MlKem768(key) => AnyEncapsulationKey::MlKem768(key.encapsulation_key().clone()),
            Self::MlKem1024(key) => AnyEncapsulationKey::MlKem1024(key.encapsulation_key().clone()),
        }
    }

    /// As [`DecapsulationKey::decapsulate`].
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if it is not a ciphertext of this parameter set.
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<SharedSecret, Error> {
        each!(self, key => Ok(key.decapsulate(CiphertextRef::try_from(ciphertext)?)))
    }
}

impl AnyEncapsulationKey {
    /// As [`EncapsulationKey::from_public_key_der`], of the parameter set that the file names.
    ///
    /// # Errors
    ///
    /// The same, but for the set.
    pub fn from_public_key_der(bytes: &[u8]) -> Result<Self, KeyFormatError> {
        let (set, key) = public::parse(bytes)?;
        Ok(match set.name {
            MlKem512::NAME => Self::MlKem512(EncapsulationKey::from_bytes(Bytes::from_slice(key)?)?),
            MlKem768::NAME => Self::MlKem768(EncapsulationKey::from_bytes(Bytes::from_slice(key)?)?),
            _ => Self::MlKem1024(EncapsulationKey::from_bytes(Bytes::from_slice(key)?)?),
        })
    }

    /// The name of the parameter set: `ML-KEM-768`, for example.
    #[must_use]
    pub fn parameter_set(&self) -> &'static str {
        each!(self, key => name_of(key))
    }

    /// The encoded key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        each!(self, key => key.as_ref())
    }
}
