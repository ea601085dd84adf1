//! What can go wrong, without a word about secrets.

use core::fmt;

/// Why bytes were refused or a key was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes have the wrong length for this type and parameter set.
    Length,
    /// The encapsulation key holds a number that is not below q (FIPS 203, section 7.2); a hybrid one, also a point that is not
    /// on its curve.
    EncapsulationKey,
    /// The ciphertext of a hybrid KEM holds a point that is not on its curve.
    Ciphertext,
    /// The decapsulation key is not consistent: its hash does not match its encapsulation key (FIPS 203, section
    /// 7.3), one of its numbers is not below q, or it does not decapsulate what was encapsulated to it.
    DecapsulationKey,
    /// The decapsulation key came from its expanded form, which does not hold its seed.
    NoSeed,
    /// The operating system gave no randomness.
    Randomness,
    /// These bytes are no state of an encapsulation, or one of another parameter set or version.
    State,
    /// A self test computed something else than the known answer.
    SelfTest,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Length => "wrong length",
            Error::EncapsulationKey => "invalid encapsulation key",
            Error::Ciphertext => "invalid ciphertext",
            Error::DecapsulationKey => "invalid decapsulation key",
            Error::NoSeed => "decapsulation key without a seed",
            Error::Randomness => "no randomness available",
            Error::State => "no state of an encapsulation",
            Error::SelfTest => "self test failed",
        })
    }
}

impl core::error::Error for Error {}

impl From<core::array::TryFromSliceError> for Error {
    /// [`Error::Length`].
    fn from(_: core::array::TryFromSliceError) -> Self {
        Self::Length
    }
}
