//! The traits of the crate `serde`: bytes for binary formats, hexadecimal digits for readable ones. A private key is its seed.
//!
//! Not by the crate `serdect`, version 0.4.3: for readable formats it takes fewer digits than there is room for, in some errors it
//! shows the value, and without its own allocator it does not wipe what it was given.

use core::fmt;

use ::serde::de::{Error as _, Visitor};
use ::serde::ser::Error as _;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};
use base16ct::HexDisplay;

use crate::frontend::ct::Secret;
use crate::frontend::{Bytes, Ciphertext, DecapsulationKey, EncapsulationKey, ParameterSet, SEED_SIZE, Seed};

fn write<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.collect_str(&format_args!("{:x}", HexDisplay(bytes)))
    } else {
        serializer.serialize_bytes(bytes)
    }
}

/// Fills all of `to`. Errors say nothing of the value.
fn fill<'de, D: Deserializer<'de>>(to: &mut [u8], deserializer: D) -> Result<(), D::Error> {
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(Digits(to))
    } else {
        deserializer.deserialize_byte_buf(Raw(to))
    }
}

/// A value that a format handed over, wiped.
#[cfg(feature = "alloc")]
fn wiped<T: zeroize::Zeroize, R>(value: T, use_it: impl FnOnce(&T) -> R) -> R {
    use_it(&zeroize::Zeroizing::new(value))
}

struct Digits<'a>(&'a mut [u8]);

impl Visitor<'_> for Digits<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hexadecimal digits", 2 * self.0.len())
    }

    fn visit_str<E: ::serde::de::Error>(self, digits: &str) -> Result<(), E> {
        if digits.len() != 2 * self.0.len() {
            return Err(E::invalid_length(digits.len(), &self));
        }
        match base16ct::mixed::decode(digits, self.0) {
            Ok(_) => Ok(()),
            Err(_) => Err(E::custom("not hexadecimal digits")),
        }
    }

    #[cfg(feature = "alloc")]
    fn visit_string<E: ::serde::de::Error>(self, digits: alloc::string::String) -> Result<(), E> {
        wiped(digits, |digits| self.visit_str(digits))
    }

    fn visit_bytes<E: ::serde::de::Error>(self, _: &[u8]) -> Result<(), E> {
        Err(E::custom("bytes, where hexadecimal digits are wanted"))
    }

    #[cfg(feature = "alloc")]
    fn visit_byte_buf<E: ::serde::de::Error>(self, bytes: alloc::vec::Vec<u8>) -> Result<(), E> {
        wiped(bytes, |bytes| self.visit_bytes(bytes))
    }
}

struct Raw<'a>(&'a mut [u8]);

impl Visitor<'_> for Raw<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }

    fn visit_bytes<E: ::serde::de::Error>(self, bytes: &[u8]) -> Result<(), E> {
        if bytes.len() != self.0.len() {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        self.0.copy_from_slice(bytes);
        Ok(())
    }

    #[cfg(feature = "alloc")]
    fn visit_byte_buf<E: ::serde::de::Error>(self, bytes: alloc::vec::Vec<u8>) -> Result<(), E> {
        wiped(bytes, |bytes| self.visit_bytes(bytes))
    }

    fn visit_str<E: ::serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(E::custom("a string, where bytes are wanted"))
    }

    #[cfg(feature = "alloc")]
    fn visit_string<E: ::serde::de::Error>(self, text: alloc::string::String) -> Result<(), E> {
        wiped(text, |text| self.visit_str(text))
    }
}

impl<S: ParameterSet> Serialize for EncapsulationKey<S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        write(self.as_ref(), serializer)
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
        write(self.as_ref(), serializer)
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
        write(self.as_bytes(), serializer)
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
        write(&*seed, serializer)
    }
}

impl<'de, S: ParameterSet> Deserialize<'de> for DecapsulationKey<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::generate_with(|seed| fill(seed, deserializer))
    }
}
