//! FIPS 203, section 8: the parameter sets as users name them, for code that is generic over them.

use super::params::{MlKem512, MlKem768, MlKem1024, ct_size, dk_size, ek_size};
use super::{Error, kem};
use crate::backend::Backend;

/// One of the three parameter sets of FIPS 203, section 8, for code that is generic over them: [`MlKem512`], [`MlKem768`]
/// or [`MlKem1024`].
pub trait ParameterSet: sealed::Algorithms + Copy + 'static {
    /// The name in the standard: `ML-KEM-768`, for example.
    const NAME: &'static str;
    /// Bytes of an encapsulation key.
    const ENCAPSULATION_KEY_SIZE: usize;
    /// Bytes of an expanded decapsulation key.
    const DECAPSULATION_KEY_SIZE: usize;
    /// Bytes of a ciphertext.
    const CIPHERTEXT_SIZE: usize;
}

mod sealed {
    use super::{Backend, Error};

    /// The algorithms for one set, so that callers need not name its sizes.
    pub trait Algorithms {
        fn key_gen<B: Backend>(backend: B, d: &[u8; 32], z: &[u8; 32], dk: &mut [u8]) -> Result<(), Error>;

        fn encaps<B: Backend>(
            backend: B,
            ek: &[u8],
            m: &[u8; 32],
            c: &mut [u8],
            shared_secret: &mut [u8; 32],
        ) -> Result<(), Error>;

        fn decaps<B: Backend>(
            backend: B,
            dk: &[u8],
            c: &[u8],
            shared_secret: &mut [u8; 32],
        ) -> Result<(), Error>;
    }
}

macro_rules! parameter_set {
    ($set:ident, $name:literal, $k:literal, $du:literal, $dv:literal) => {
        impl ParameterSet for $set {
            const NAME: &'static str = $name;
            const ENCAPSULATION_KEY_SIZE: usize = ek_size($k);
            const DECAPSULATION_KEY_SIZE: usize = dk_size($k);
            const CIPHERTEXT_SIZE: usize = ct_size($k, 32 * $du, 32 * $dv);
        }

        impl sealed::Algorithms for $set {
            fn key_gen<B: Backend>(
                backend: B,
                d: &[u8; 32],
                z: &[u8; 32],
                dk: &mut [u8],
            ) -> Result<(), Error> {
                if dk.len() != Self::DECAPSULATION_KEY_SIZE {
                    return Err(Error::Length);
                }
                kem::key_gen_internal::<_, Self, $k, { 32 * $du }, { 32 * $dv }>(backend, d, z, dk);
                Ok(())
            }

            fn encaps<B: Backend>(
                backend: B,
                ek: &[u8],
                m: &[u8; 32],
                c: &mut [u8],
                shared_secret: &mut [u8; 32],
            ) -> Result<(), Error> {
                if ek.len() != Self::ENCAPSULATION_KEY_SIZE || c.len() != Self::CIPHERTEXT_SIZE {
                    return Err(Error::Length);
                }
                kem::encaps_checked::<_, Self, $k, { 32 * $du }, { 32 * $dv }>(
                    backend,
                    ek,
                    m,
                    c,
                    shared_secret,
                )
                .then_some(())
                .ok_or(Error::EncapsulationKey)
            }

            fn decaps<B: Backend>(
                backend: B,
                dk: &[u8],
                c: &[u8],
                shared_secret: &mut [u8; 32],
            ) -> Result<(), Error> {
                let (Ok(c), Self::DECAPSULATION_KEY_SIZE) = (c.try_into(), dk.len()) else {
                    *shared_secret = [0; 32];
                    return Err(Error::Length);
                };
                kem::decaps_checked::<_, Self, $k, { 32 * $du }, { 32 * $dv }, { Self::CIPHERTEXT_SIZE }>(
                    backend,
                    dk,
                    c,
                    shared_secret,
                )
                .then_some(())
                .ok_or(Error::DecapsulationKey)
            }
        }
    };
}

parameter_set!(MlKem512, "ML-KEM-512", 2, 10, 4);
parameter_set!(MlKem768, "ML-KEM-768", 3, 10, 4);
parameter_set!(MlKem1024, "ML-KEM-1024", 4, 11, 5);
