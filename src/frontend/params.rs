//! FIPS 203, section 8: the parameter sets, and the sizes that follow from them.

use super::{Error, kem};
use crate::backend::Backend;
use crate::backend::poly::Eta;

/// One row of FIPS 203, table 2. `K` is k; `U` and `V` are the bytes of one compressed
/// polynomial of u and of v, 32 d_u and 32 d_v.
pub(crate) trait Dimensions<const K: usize, const U: usize, const V: usize> {
    /// eta_1, the width of the noise in s, e and y.
    const ETA1: Eta;
    /// eta_2, the width of the noise in e1 and e2.
    const ETA2: Eta = Eta::Two;
}

/// One of the three parameter sets of FIPS 203, section 8, for code that is generic over them: [`MlKem512`], [`MlKem768`]
/// or [`MlKem1024`].
pub trait ParameterSet: sealed::Sealed + Copy + 'static {
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

    /// The algorithms with the sizes of a set, of which generic code knows no number.
    pub trait Sealed {
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
    ($(#[$doc:meta])* $set:ident, $name:literal, $k:literal, $du:literal, $dv:literal, $eta1:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $set {}

        impl Dimensions<$k, { 32 * $du }, { 32 * $dv }> for $set {
            const ETA1: Eta = Eta::$eta1;
        }

        impl ParameterSet for $set {
            const NAME: &'static str = $name;
            const ENCAPSULATION_KEY_SIZE: usize = ek_size($k);
            const DECAPSULATION_KEY_SIZE: usize = dk_size($k);
            const CIPHERTEXT_SIZE: usize = ct_size($k, 32 * $du, 32 * $dv);
        }

        impl sealed::Sealed for $set {
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
                k: &mut [u8; 32],
            ) -> Result<(), Error> {
                if ek.len() != Self::ENCAPSULATION_KEY_SIZE || c.len() != Self::CIPHERTEXT_SIZE {
                    return Err(Error::Length);
                }
                kem::encaps_checked::<_, Self, $k, { 32 * $du }, { 32 * $dv }>(backend, ek, m, c, k)
                    .then_some(())
                    .ok_or(Error::EncapsulationKey)
            }

            fn decaps<B: Backend>(
                backend: B,
                dk: &[u8],
                c: &[u8],
                k: &mut [u8; 32],
            ) -> Result<(), Error> {
                let (Ok(c), Self::DECAPSULATION_KEY_SIZE) = (c.try_into(), dk.len()) else {
                    *k = [0; 32];
                    return Err(Error::Length);
                };
                kem::decaps_checked::<_, Self, $k, { 32 * $du }, { 32 * $dv }, { Self::CIPHERTEXT_SIZE }>(
                    backend, dk, c, k,
                )
                .then_some(())
                .ok_or(Error::DecapsulationKey)
            }
        }
    };
}

parameter_set!(
    /// ML-KEM-512, of security category 1.
    MlKem512, "ML-KEM-512", 2, 10, 4, Three
);
parameter_set!(
    /// ML-KEM-768, of security category 3.
    MlKem768, "ML-KEM-768", 3, 10, 4, Two
);
parameter_set!(
    /// ML-KEM-1024, of security category 5.
    MlKem1024, "ML-KEM-1024", 4, 11, 5, Two
);

/// Bytes of an encoded element of T_q.
pub(crate) const ENCODED: usize = 384;

/// Bytes of an encapsulation key: 384 k + 32.
pub(crate) const fn ek_size(k: usize) -> usize {
    ENCODED * k + 32
}

/// Bytes of an expanded decapsulation key: 768 k + 96.
pub(crate) const fn dk_size(k: usize) -> usize {
    ENCODED * k + ek_size(k) + 32 + 32
}

/// Bytes of a ciphertext: 32 (d_u k + d_v).
pub(crate) const fn ct_size(k: usize, u: usize, v: usize) -> usize {
    u * k + v
}

// FIPS 203, table 3.
const _: () = {
    assert!(ek_size(2) == 800 && dk_size(2) == 1632 && ct_size(2, 320, 128) == 768);
    assert!(ek_size(3) == 1184 && dk_size(3) == 2400 && ct_size(3, 320, 128) == 1088);
    assert!(ek_size(4) == 1568 && dk_size(4) == 3168 && ct_size(4, 352, 160) == 1568);
};
