//! RFC 9935, section 6: private keys in PKCS#8 and OneAsymmetricKey (RFC 5958).

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;

use pkcs8::der::asn1::{AnyRef, ContextSpecific, OctetStringRef};
use pkcs8::der::{self, Decode, Encode, Reader, SliceReader, SliceWriter, Tag, TagNumber, Writer};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use subtle::ConstantTimeEq;
#[cfg(feature = "alloc")]
use zeroize::Zeroizing;

use super::{KeyFormatError, Known, algorithm, header, set_of, tlv_length};
use crate::frontend::kem::Dk;
use crate::frontend::{DecapsulationKey, ParameterSet, SEED_SIZE};

/// How a private key is written down (RFC 9935, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateKeyForm {
    /// The seed d || z: 64 bytes for each set, and the form to prefer. Up to 25.0.3, the JDK does not read it; nor do Bouncy
    /// Castle 1.80 and Botan.
    Seed,
    /// The expanded key dk_PKE || ek || H(ek) || z. Python's `cryptography`, BoringSSL, `ml-kem` and Node's Web Crypto do not
    /// read it, and a key that was written so has lost its seed.
    Expanded,
    /// The seed and the expanded key, one after the other. The fewest read it: neither JDK up to 25.0.3 nor Python, AWS-LC,
    /// BoringSSL and `ml-kem` do, and Bouncy Castle 1.80 reads another key from it.
    Both,
}

impl fmt::Display for PrivateKeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seed => "seed",
            Self::Expanded => "expanded key",
            Self::Both => "seed and expanded key",
        })
    }
}

/// A private key as it lies in a file.
pub(super) struct Private<'a> {
    pub(super) set: &'static Known,
    seed: Option<&'a [u8; SEED_SIZE]>,
    expanded: Option<&'a [u8]>,
    public: Option<&'a [u8]>,
}

impl<'a> Private<'a> {
    /// Reads what there is; of the key itself, no more than its lengths is checked.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, KeyFormatError> {
        let (set, inner, public) = outer(bytes)?;
        // By their lengths, before anything that may be a secret is taken for a tag.
        if inner.len() == SEED_SIZE {
            return Err(KeyFormatError::BareSeed);
        }
        if inner.len() == set.decapsulation_key {
            return Err(KeyFormatError::BareExpanded);
        }
        let form = match inner {
            [0x80, ..] => PrivateKeyForm::Seed,
            [0x04, ..] => PrivateKeyForm::Expanded,
            [0x30, ..] => PrivateKeyForm::Both,
            [_, ..] => return Err(KeyFormatError::UnknownForm),
            [] => return Err(KeyFormatError::Der { at: None }),
        };
        let (seed, expanded) = parts(form, inner).map_err(|error| {
            // Where it is in the file.
            let before = inner.as_ptr().addr().wrapping_sub(bytes.as_ptr().addr()) as u32;
            KeyFormatError::Der { at: error.position().map(|at| before.saturating_add(at.into())) }
        })?;

        let length = |found, wanted| KeyFormatError::Length { form, set: set.name, found, wanted };
        let seed = match seed {
            Some(seed) => Some(seed.try_into().map_err(|_| length(seed.len(), SEED_SIZE))?),
            None => None,
        };
        match expanded {
            Some(expanded) if expanded.len() == set.decapsulation_key => {}
            // One of the forms, or a seed.
            Some([0x80 | 0x04 | 0x30, rest @ ..]) if form == PrivateKeyForm::Expanded && is_value(rest) => {
                return Err(KeyFormatError::DoublyWrapped);
            }
            Some(expanded) => return Err(length(expanded.len(), set.decapsulation_key)),
            None => {}
        }
        Ok(Self { set, seed, expanded, public })
    }
}

/// The seed and the expanded key, as far as a form has them.
type Parts<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

fn parts(form: PrivateKeyForm, inner: &[u8]) -> der::Result<Parts<'_>> {
    let mut reader = SliceReader::new(inner)?;
    let parts = match form {
        PrivateKeyForm::Seed => {
            let seed = ContextSpecific::<&OctetStringRef>::decode_implicit(&mut reader, TagNumber(0))?;
            (seed.map(|seed| seed.value.as_bytes()), None)
        }
        PrivateKeyForm::Expanded => (None, Some(<&OctetStringRef>::decode(&mut reader)?.as_bytes())),
        PrivateKeyForm::Both => reader.sequence(|reader| {
            let seed = <&OctetStringRef>::decode(reader)?.as_bytes();
            Ok::<_, der::Error>((Some(seed), Some(<&OctetStringRef>::decode(reader)?.as_bytes())))
        })?,
    };
    reader.finish()?;
    Ok(parts)
}

/// Whether a length and so many bytes follow a tag.
fn is_value(rest: &[u8]) -> bool {
    match rest {
        [0x82, high, low, value @ ..] => value.len() == usize::from(u16::from_be_bytes([*high, *low])),
        [short @ 0..=0x7f, value @ ..] => value.len() == usize::from(*short),
        _ => false,
    }
}

/// The parameter set, the private key in its form, and the public one if it is there.
type Outer<'a> = (&'static Known, &'a [u8], Option<&'a [u8]>);

/// What a file says, but for the form of the key. Attributes are skipped.
fn outer(bytes: &[u8]) -> Result<Outer<'_>, KeyFormatError> {
    let info = match PrivateKeyInfoRef::from_der(bytes) {
        Ok(info) => info,
        Err(_) if is_encrypted(bytes) => return Err(KeyFormatError::Encrypted),
        Err(error) => return Err(error.into()),
    };
    let set = set_of(info.algorithm)?;
    nothing_after_the_public_key(bytes)?;
    let public = match info.public_key {
        Some(bits) => Some(bits.as_bytes().ok_or(KeyFormatError::UnusedBits)?),
        None => None,
    };
    Ok((set, info.private_key.as_bytes(), public))
}

/// What comes after the public key, `pkcs8` would skip, and a public key that comes after something else with it.
fn nothing_after_the_public_key(bytes: &[u8]) -> der::Result<()> {
    SliceReader::new(bytes)?.sequence(|reader| {
        for _ in 0..3 {
            AnyRef::decode(reader)?; // version, algorithm, private key
        }
        for number in 0..2 {
            if matches!(Tag::peek(reader), Ok(Tag::ContextSpecific { number: found, .. }) if found == TagNumber(number)) {
                AnyRef::decode(reader)?;
            }
        }
        Ok(())
    })
}

/// Whether this has the shape of an EncryptedPrivateKeyInfo, whatever the encryption is.
pub(super) fn is_encrypted(bytes: &[u8]) -> bool {
    let shape = |bytes| {
        let mut reader = SliceReader::new(bytes)?;
        reader.sequence(|reader| {
            reader.sequence(|reader| {
                let _algorithm: ObjectIdentifier = reader.decode()?;
                while !reader.is_finished() {
                    AnyRef::decode(reader)?;
                }
                Ok::<_, der::Error>(())
            })?;
            <&OctetStringRef>::decode(reader)
        })?;
        reader.finish()
    };
    shape(bytes).is_ok()
}

#[cfg_attr(docsrs, doc(cfg(feature = "pkcs8")))]
impl<S: ParameterSet> DecapsulationKey<S> {
    /// Fills in a key that was parsed, in place of an empty one, and checks all that the file says of it.
    pub(super) fn set_private(&mut self, private: &Private<'_>) -> Result<(), KeyFormatError> {
        private.set.must_be::<S>()?;
        let parts = |expanded| Self::parts_of(expanded).ok_or(KeyFormatError::Der { at: None });
        match (private.seed, private.expanded) {
            (Some(seed), None) => self.set_seed(seed),
            (Some(seed), Some(expanded)) => {
                self.set_seed(seed);
                if !self.is(parts(expanded)?) {
                    return Err(KeyFormatError::SeedMismatch);
                }
            }
            (None, Some(expanded)) => self.set_expanded(Self::checked(parts(expanded)?)?),
            (None, None) => return Err(KeyFormatError::Der { at: None }),
        }
        match private.public {
            Some(public) if public != AsRef::<[u8]>::as_ref(self.encapsulation_key()) => {
                Err(KeyFormatError::PublicKeyMismatch)
            }
            _ => Ok(()),
        }
    }

    /// Whether these are the parts of this key: in constant time, but for the answer.
    fn is(&self, other: Dk<'_>) -> bool {
        let Dk { dk_pke, ek, h_ek, z } = self.parts();
        let same =
            dk_pke.ct_eq(other.dk_pke) & ek.ct_eq(other.ek) & h_ek.ct_eq(other.h_ek) & z.ct_eq(other.z);
        same.into()
    }

    /// Reads a private key in PKCS#8 or OneAsymmetricKey, of either version, in any of the three forms (RFC 9935,
    /// section 6), and checks it: an expanded key as [`from_expanded_bytes`](Self::from_expanded_bytes) does; if the file has
    /// the seed as well, or the public key, then they must be those of this key. Attributes are skipped.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, and what was wanted.
    ///
    /// ```
    /// use kemstone::ml_kem_768::DecapsulationKey;
    /// use kemstone::{PrivateKeyForm, Seed};
    ///
    /// # fn main() -> Result<(), kemstone::KeyFormatError> {
    /// let key = DecapsulationKey::from_seed(&Seed::from([7; 64]));
    /// let mut room = [0; 86]; // wipe it when it has served
    /// let der = key.write_pkcs8_der(PrivateKeyForm::Seed, &mut room)?;
    /// let again = DecapsulationKey::from_pkcs8_der(der)?;
    /// assert_eq!(again.to_seed(), key.to_seed());
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_pkcs8_der(bytes: &[u8]) -> Result<Self, KeyFormatError> {
        Self::from_private(&Private::parse(bytes)?)
    }

    pub(super) fn from_private(private: &Private<'_>) -> Result<Self, KeyFormatError> {
        let mut key = Self::empty();
        key.set_private(private)?;
        key.ok_copy()
    }

    /// As [`from_pkcs8_der`](Self::from_pkcs8_der), on the heap, where the key stays: nothing of it is left on the stack.
    ///
    /// # Errors
    ///
    /// The same.
    #[cfg(feature = "alloc")]
    pub fn boxed_from_pkcs8_der(bytes: &[u8]) -> Result<Box<Self>, KeyFormatError> {
        let private = Private::parse(bytes)?;
        let mut key = Self::empty_box();
        key.set_private(&private)?;
        Ok(key)
    }

    /// Reads a private key that is a seed without a tag, as Botan (3.13) and Bouncy Castle up to 1.80 write it. RFC 9935
    /// does not know this form, so nothing but this function reads it, and this function nothing else.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, and what was wanted.
    pub fn from_bare_seed_pkcs8_der(bytes: &[u8]) -> Result<Self, KeyFormatError> {
        let (set, inner, public) = outer(bytes)?;
        let form = PrivateKeyForm::Seed;
        let found = inner.len();
        let seed = inner.try_into().map_err(|_| match inner {
            [0x80 | 0x04 | 0x30, rest @ ..] if is_value(rest) => KeyFormatError::Tagged,
            _ => KeyFormatError::Length { form, set: set.name, found, wanted: SEED_SIZE },
        })?;
        Self::from_private(&Private { set, seed: Some(seed), expanded: None, public })
    }

    /// Bytes of what [`write_pkcs8_der`](Self::write_pkcs8_der) writes: 86 for a seed.
    #[must_use]
    pub fn pkcs8_der_length(form: PrivateKeyForm) -> usize {
        tlv_length(3 + algorithm::<S>().1 + tlv_length(inner_length::<S>(form)))
    }

    /// Writes a private key in PKCS#8, version 1, without attributes, into the caller's memory, which the caller wipes when it
    /// has served. Returns the part of it that was written.
    ///
    /// Take [`PrivateKeyForm::Seed`] unless who is to read it cannot: the form says who.
    ///
    /// # Errors
    ///
    /// [`KeyFormatError::NoSeed`] if the key came from its expanded form and the form has a seed,
    /// [`KeyFormatError::BufferTooSmall`].
    pub fn write_pkcs8_der<'a>(
        &self,
        form: PrivateKeyForm,
        to: &'a mut [u8],
    ) -> Result<&'a [u8], KeyFormatError> {
        let seed = self.seed_parts();
        if form != PrivateKeyForm::Expanded && seed.is_none() {
            return Err(KeyFormatError::NoSeed);
        }
        let wanted = Self::pkcs8_der_length(form);
        let to = to.get_mut(..wanted).ok_or(KeyFormatError::BufferTooSmall { wanted })?;
        let mut to = SliceWriter::new(to);
        begin::<S>(&mut to, inner_length::<S>(form))?;
        if form == PrivateKeyForm::Both {
            header(&mut to, Tag::Sequence, both_length::<S>())?;
        }
        if let (Some([d, z]), PrivateKeyForm::Seed | PrivateKeyForm::Both) = (seed, form) {
            let seed = Tag::ContextSpecific { constructed: false, number: TagNumber(0) };
            let tag = if form == PrivateKeyForm::Both { Tag::OctetString } else { seed };
            header(&mut to, tag, SEED_SIZE)?;
            to.write(d)?;
            to.write(z)?;
        }
        if form != PrivateKeyForm::Seed {
            header(&mut to, Tag::OctetString, S::DECAPSULATION_KEY_SIZE)?;
            let Dk { dk_pke, ek, h_ek, z } = self.parts();
            for part in [dk_pke, ek, h_ek, z] {
                to.write(part)?;
            }
        }
        Ok(to.finish()?)
    }

    /// As [`write_pkcs8_der`](Self::write_pkcs8_der), on the heap; wiped on drop.
    ///
    /// # Errors
    ///
    /// [`KeyFormatError::NoSeed`] if the key came from its expanded form and the form has a seed.
    #[cfg(feature = "alloc")]
    pub fn to_pkcs8_der(&self, form: PrivateKeyForm) -> Result<Zeroizing<Vec<u8>>, KeyFormatError> {
        let mut to = Zeroizing::new(alloc::vec![0; Self::pkcs8_der_length(form)]);
        self.write_pkcs8_der(form, &mut to)?;
        Ok(to)
    }

    /// Writes the seed without a tag, for Botan (3.13) and Bouncy Castle up to 1.80, which read no other form with a seed: as
    /// [`write_pkcs8_der`](Self::write_pkcs8_der), 84 bytes.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn write_bare_seed_pkcs8_der<'a>(&self, to: &'a mut [u8]) -> Result<&'a [u8], KeyFormatError> {
        let [d, z] = self.seed_parts().ok_or(KeyFormatError::NoSeed)?;
        let wanted = tlv_length(3 + algorithm::<S>().1 + tlv_length(SEED_SIZE));
        let to = to.get_mut(..wanted).ok_or(KeyFormatError::BufferTooSmall { wanted })?;
        let mut to = SliceWriter::new(to);
        begin::<S>(&mut to, SEED_SIZE)?;
        to.write(d)?;
        to.write(z)?;
        Ok(to.finish()?)
    }
}

/// All that stands before the private key itself.
fn begin<S: ParameterSet>(to: &mut SliceWriter<'_>, inner: usize) -> der::Result<()> {
    let (algorithm, length) = algorithm::<S>();
    header(to, Tag::Sequence, 3 + length + tlv_length(inner))?;
    0_u8.encode(to)?; // version 1
    algorithm.encode(to)?;
    header(to, Tag::OctetString, inner)
}

/// Bytes of both forms side by side.
const fn both_length<S: ParameterSet>() -> usize {
    tlv_length(SEED_SIZE) + tlv_length(S::DECAPSULATION_KEY_SIZE)
}

/// Bytes of a private key in one of its forms.
const fn inner_length<S: ParameterSet>(form: PrivateKeyForm) -> usize {
    tlv_length(match form {
        PrivateKeyForm::Seed => SEED_SIZE,
        PrivateKeyForm::Expanded => S::DECAPSULATION_KEY_SIZE,
        PrivateKeyForm::Both => both_length::<S>(),
    })
}
