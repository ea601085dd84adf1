//! RFC 9935, section 5: public keys in SubjectPublicKeyInfo.

use pkcs8::SubjectPublicKeyInfoRef;
use pkcs8::der::{Decode, Encode, SliceWriter, Tag, Writer};

use super::{KeyFormatError, Known, algorithm, header, set_of, tlv_length};
use crate::frontend::{Bytes, EncapsulationKey, ParameterSet};

/// The parameter set and the bytes of a public key, which have its length.
pub(super) fn parse(bytes: &[u8]) -> Result<(&'static Known, &[u8]), KeyFormatError> {
    let info = SubjectPublicKeyInfoRef::from_der(bytes)?;
    let set = set_of(info.algorithm)?;
    let key = info.subject_public_key.as_bytes().ok_or(KeyFormatError::UnusedBits)?;
    let (found, wanted) = (key.len(), set.encapsulation_key);
    if found != wanted {
        return Err(KeyFormatError::PublicKeyLength { set: set.name, found, wanted });
    }
    Ok((set, key))
}

#[cfg_attr(docsrs, doc(cfg(feature = "pkcs8")))]
impl<S: ParameterSet> EncapsulationKey<S> {
    /// Bytes of a public key in SubjectPublicKeyInfo: 822, 1206 or 1590.
    pub const PUBLIC_KEY_DER_LENGTH: usize = tlv_length(13 + tlv_length(1 + S::ENCAPSULATION_KEY_SIZE));

    /// Reads a public key in SubjectPublicKeyInfo (RFC 9935, section 5), and checks it as
    /// [`from_bytes`](Self::from_bytes) does.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, and what was wanted.
    ///
    /// ```
    /// use kemstone::ml_kem_768::{DecapsulationKey, EncapsulationKey};
    ///
    /// # fn main() -> Result<(), kemstone::KeyFormatError> {
    /// let key = DecapsulationKey::from_seed(&kemstone::Seed::from([7; 64]));
    /// let mut room = [0; EncapsulationKey::PUBLIC_KEY_DER_LENGTH];
    /// let der = key.encapsulation_key().write_public_key_der(&mut room)?;
    /// assert_eq!(&EncapsulationKey::from_public_key_der(der)?, key.encapsulation_key());
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_public_key_der(bytes: &[u8]) -> Result<Self, KeyFormatError> {
        let (set, key) = parse(bytes)?;
        set.must_be::<S>()?;
        Ok(Self::from_bytes(Bytes::from_slice(key)?)?)
    }

    /// Writes a public key in SubjectPublicKeyInfo into the caller's memory, and returns the part of it that was written.
    ///
    /// # Errors
    ///
    /// [`KeyFormatError::BufferTooSmall`].
    pub fn write_public_key_der<'a>(&self, to: &'a mut [u8]) -> Result<&'a [u8], KeyFormatError> {
        let (algorithm, length) = algorithm::<S>();
        let bits = 1 + S::ENCAPSULATION_KEY_SIZE;
        let wanted = Self::PUBLIC_KEY_DER_LENGTH;
        let to = to.get_mut(..wanted).ok_or(KeyFormatError::BufferTooSmall { wanted })?;
        let mut to = SliceWriter::new(to);
        header(&mut to, Tag::Sequence, length + tlv_length(bits))?;
        algorithm.encode(&mut to)?;
        header(&mut to, Tag::BitString, bits)?;
        to.write_byte(0)?; // no unused bits
        to.write(self.as_ref())?;
        Ok(to.finish()?)
    }
}
