//! FIPS 203, section 8: the parameter sets, and the sizes that follow from them.

use super::bytes::Bytes;
use crate::backend::poly::Eta;

/// One row of FIPS 203, table 2. `K` is k; `U` and `V` are the bytes of one compressed
/// polynomial of u and of v, 32 d_u and 32 d_v.
pub(crate) trait Dimensions<const K: usize, const U: usize, const V: usize> {
    /// Room for a ciphertext.
    type Ciphertext: Bytes;
    /// eta_1, the width of the noise in s, e and y.
    const ETA1: Eta;
    /// eta_2, the width of the noise in e1 and e2.
    const ETA2: Eta = Eta::Two;
}

/// ML-KEM-512, of security category 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MlKem512;
/// ML-KEM-768, of security category 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MlKem768;
/// ML-KEM-1024, of security category 5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MlKem1024;

impl Dimensions<2, { 32 * 10 }, { 32 * 4 }> for MlKem512 {
    type Ciphertext = [u8; ct_size(2, 32 * 10, 32 * 4)];
    const ETA1: Eta = Eta::Three;
}
impl Dimensions<3, { 32 * 10 }, { 32 * 4 }> for MlKem768 {
    type Ciphertext = [u8; ct_size(3, 32 * 10, 32 * 4)];
    const ETA1: Eta = Eta::Two;
}
impl Dimensions<4, { 32 * 11 }, { 32 * 5 }> for MlKem1024 {
    type Ciphertext = [u8; ct_size(4, 32 * 11, 32 * 5)];
    const ETA1: Eta = Eta::Two;
}

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
