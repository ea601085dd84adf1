//! Arrays whose length depends on the parameter set.

use core::fmt::Debug;
use core::hash::Hash;

use super::ct::Wipe;
use super::error::Error;

/// An array of bytes, of a length that depends on the parameter set.
pub trait Bytes:
    sealed::Array + AsRef<[u8]> + AsMut<[u8]> + Copy + Debug + Ord + Hash + Send + Sync + Unpin + 'static
{
    /// Zeros.
    const ZERO: Self;

    /// The slice as an array.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if it has another length.
    fn from_slice(bytes: &[u8]) -> Result<&Self, Error>;
}

impl<const N: usize> Bytes for [u8; N] {
    const ZERO: Self = [0; N];

    #[inline(always)]
    fn from_slice(bytes: &[u8]) -> Result<&Self, Error> {
        bytes.try_into().map_err(|_| Error::Length)
    }
}

pub(crate) mod sealed {
    use subtle::Choice;

    use super::Wipe;
    use crate::frontend::ct;

    pub trait Array: Wipe {
        /// Constant time.
        fn ct_equal(&self, other: &Self) -> Choice;
    }

    impl<const N: usize> Array for [u8; N] {
        #[inline]
        fn ct_equal(&self, other: &Self) -> Choice {
            ct::equal(self, other)
        }
    }
}
