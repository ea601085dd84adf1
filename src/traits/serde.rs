//! The traits of the crate `serde`: bytes for binary formats, hexadecimal digits for readable ones. A private key is its seed.

use ::serde::de::Error as _;
use ::serde::ser::Error as _;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};
use serdect::array::{deserialize_hex_or_bin, serialize_hex_lower_or_bin};

use crate::frontend::ct::Secret;
use crate::frontend::{
    Bytes, Ciphertext, DecapsulationKey, EncapsulationKey, Error, ParameterSet, SEED_SIZE, Seed,
};

/// Fills all of `to`. In readable formats, `serdect` 0.4.3 takes fewer digits than there is room for, and leaves the rest as it is.
fn fill<'de, D: Deserializer<'de>>(to: &mut [u8], deserializer: D) -> Result<(), D::Error> {
    let wanted = to.len();
    let found = deserialize_hex_or_bin(to, deserializer)?.len();
    if found == wanted { Ok(()) } else { Err(D::Error::custom(Error::Length)) }
}

impl<S: ParameterSet> Serialize for EncapsulationKey<S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serialize_hex_lower_or_bin(self.as_bytes(), serializer)
    }
}

impl<'de, S: ParameterSet> Deserialize<'de> for EncapsulationKey<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut bytes = S::EncapsulationKeyBytes::ZERO;
        fill(bytes.as_mut(), deserializer)?;
        Self::from_bytes(&bytes).map_err(D::Error::custom)
    }
}

impl<S: ParameterSet> Serialize for Ciphertext<S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serialize_hex_lower_or_bin(self.as_bytes(), serializer)
    }
}

impl<'de, S: ParameterSet> Deserialize<'de> for Ciphertext<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut bytes = S::CiphertextBytes::ZERO;
        fill(bytes.as_mut(), deserializer)?;
        Ok(Self::from_bytes(&bytes))
    }
}

impl Serialize for Seed {
    /// Whoever calls this wipes what comes of it.
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serialize_hex_lower_or_bin(self.as_bytes(), serializer)
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut seed = Secret::new([0; SEED_SIZE]);
        fill(&mut *seed, deserializer)?;
        Ok(Self::from_bytes(&seed))
    }
}

impl<S: ParameterSet> Serialize for DecapsulationKey<S> {
    /// The seed. Whoever calls this wipes what comes of it.
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        let mut seed = Secret::new([0; SEED_SIZE]);
        self.to_seed_into(&mut seed).map_err(|_| {
            T::Error::custom("this decapsulation key has no seed: it came from its expanded form")
        })?;
        serialize_hex_lower_or_bin(&*seed, serializer)
    }
}

impl<'de, S: ParameterSet> Deserialize<'de> for DecapsulationKey<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut seed = Secret::new([0; SEED_SIZE]);
        fill(&mut *seed, deserializer)?;
        Self::generate_with(|to| {
            *to = *seed;
            Ok(())
        })
    }
}
