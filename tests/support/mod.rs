//! What the integration tests share: what they know of the parameter sets, a parser for `kats/`, a generator that
//! hands out given bytes, and reproducible random ones.
#![allow(dead_code)] // every test file uses its own part

pub(crate) mod kat;
#[cfg(unix)]
pub(crate) mod stack;

use core::convert::Infallible;
use std::env;

use kemstone::backend::select::{Selected, for_each};
use kemstone::{
    Bytes, Ciphertext, CiphertextRef, DecapsulationKey, EncapsulationKey, Error, ParameterSet,
    PreparedDecapsulationKey, PreparedEncapsulationKey, Seed, SharedSecret,
};
pub(crate) use kemstone::{MlKem512, MlKem768, MlKem1024};
use rand_core::{TryCryptoRng, TryRng};
use shake::{ExtendableOutput, Shake128, Shake256, Update, XofReader};

/// A parameter set with what the tests know of it, and the API in functions, where a method of its own would be long.
pub(crate) trait Set: ParameterSet {
    const K: usize;
    const EK: usize = 384 * Self::K + 32;
    const DK: usize = 768 * Self::K + 96;
    const CT: usize;

    fn from_seed(seed: &Seed) -> DecapsulationKey<Self> {
        DecapsulationKey::from_seed(seed)
    }

    /// The key of these bytes, in its expanded form.
    fn dk(expanded: &[u8]) -> Result<DecapsulationKey<Self>, Error> {
        DecapsulationKey::from_expanded_bytes(Bytes::from_slice(expanded)?)
    }

    fn expanded(dk: &DecapsulationKey<Self>) -> Vec<u8> {
        let expanded = dk.to_expanded_bytes();
        let mut into = array::<Self::DecapsulationKeyBytes>(0xa5);
        dk.to_expanded_bytes_into(&mut into);
        assert_eq!(&into, expanded.as_bytes());
        into.as_ref().to_vec()
    }

    fn expand_into(seed: &Seed, expanded: &mut [u8]) {
        let mut into = array::<Self::DecapsulationKeyBytes>(expanded[0]);
        DecapsulationKey::<Self>::expand_into(seed, &mut into);
        expanded.copy_from_slice(into.as_ref());
    }

    fn ek(dk: &DecapsulationKey<Self>) -> EncapsulationKey<Self> {
        dk.encapsulation_key().clone()
    }

    /// Encapsulates with the plain key and with the prepared one, which must agree.
    fn encapsulate_every_way(ek: &EncapsulationKey<Self>, m: &[u8; 32]) -> (Ciphertext<Self>, SharedSecret) {
        let plain = ek.encapsulate_deterministic(m);
        assert_eq!(PreparedEncapsulationKey::new(ek).encapsulate_deterministic(m), plain);
        assert_eq!(PreparedEncapsulationKey::boxed(ek).encapsulate_deterministic(m), plain);
        plain
    }

    /// Decapsulates by every function there is, which must agree.
    fn decapsulate_every_way(dk: &DecapsulationKey<Self>, ct: &Ciphertext<Self>) -> SharedSecret {
        let plain = dk.decapsulate(ct);
        let mut into = [0xa5; 32];
        dk.decapsulate_into(ct, &mut into);
        assert_eq!(SharedSecret::from(into), plain);
        let expanded = dk.to_expanded_bytes();
        let once = DecapsulationKey::decapsulate_expanded(expanded.as_bytes(), ct);
        assert_eq!(once.as_ref(), Ok(&plain));
        into = [0xa5; 32];
        let once = DecapsulationKey::decapsulate_expanded_into(expanded.as_bytes(), ct, &mut into);
        assert_eq!((once, SharedSecret::from(into)), (Ok(()), plain));
        let plain = dk.decapsulate(CiphertextRef::try_from(ct.as_bytes().as_ref()).expect("its length"));
        assert_eq!(PreparedDecapsulationKey::new(dk).decapsulate(ct), plain);
        assert_eq!(PreparedDecapsulationKey::boxed(dk).decapsulate(ct), plain);
        plain
    }

    fn decapsulate_expanded(expanded: &[u8], ct: &Ciphertext<Self>) -> Result<SharedSecret, Error> {
        DecapsulationKey::decapsulate_expanded(Bytes::from_slice(expanded)?, ct)
    }
}

impl Set for MlKem512 {
    const K: usize = 2;
    const CT: usize = 768;
}
impl Set for MlKem768 {
    const K: usize = 3;
    const CT: usize = 1088;
}
impl Set for MlKem1024 {
    const K: usize = 4;
    const CT: usize = 1568;
}

/// An array of this byte.
pub(crate) fn array<A: Bytes>(byte: u8) -> A {
    let mut array = A::ZERO;
    array.as_mut().fill(byte);
    array
}

/// `each!(f)`: `f::<Set>(selected)` for every parameter set on every backend that this machine has.
#[allow(unused_macros)] // as above
macro_rules! each {
    ($f:ident) => {
        $crate::support::on_each_backend([
            $f::<$crate::support::MlKem512>,
            $f::<$crate::support::MlKem768>,
            $f::<$crate::support::MlKem1024>,
        ])
    };
}
#[allow(unused_imports)] // as above
pub(crate) use each;

/// Calls these on every backend that this machine has.
pub(crate) fn on_each_backend(checks: [fn(Selected); 3]) {
    for_each(|selected| {
        println!("backend {}", selected.name());
        checks.iter().for_each(|check| check(selected));
    });
}

/// By how much to divide the number of random or exhaustive cases: for slow machines, such as emulated ones.
pub(crate) fn scale() -> usize {
    let scale = env::var("KEMSTONE_TEST_SCALE").map_or(1, |scale| scale.parse().unwrap_or(0));
    assert!(scale >= 1, "KEMSTONE_TEST_SCALE must be a whole number from 1 on");
    scale
}

/// `n` divided by [`scale`], at least 1.
pub(crate) fn scaled(n: usize) -> usize {
    n.div_ceil(scale())
}

/// J of FIPS 203, equation 4.4, by an independent crate: SHAKE256(z || c), 32 bytes.
pub(crate) fn j(z: &[u8], c: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    shake256(&[z, c], &mut out);
    out
}

/// SHAKE256 of the concatenation.
pub(crate) fn shake256(parts: &[&[u8]], out: &mut [u8]) {
    let mut hash = Shake256::default();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize_xof_into(out);
}

/// SHA3-256 by an independent crate.
pub(crate) fn sha3_256(bytes: &[u8]) -> [u8; 32] {
    use sha3::Digest;
    sha3::Sha3_256::digest(bytes).into()
}

/// Reproducible random bytes: SHAKE128 of a name.
pub(crate) struct Random(shake::Shake128Reader);

impl Random {
    pub(crate) fn new(name: &str) -> Self {
        let mut xof = Shake128::default();
        xof.update(name.as_bytes());
        Self(xof.finalize_xof())
    }

    pub(crate) fn array<const L: usize>(&mut self) -> [u8; L] {
        let mut bytes = [0; L];
        self.0.read(&mut bytes);
        bytes
    }

    pub(crate) fn bytes(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.0.read(&mut bytes);
        bytes
    }

    pub(crate) fn seed(&mut self) -> Seed {
        Seed::from(self.array())
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u32::from_le_bytes(self.array()) as u64 * n as u64) >> 32) as usize
    }
}

/// The twelve bits at place `i` of an encoded vector.
pub(crate) fn coefficient(encoded: &[u8], i: usize) -> u16 {
    let at = (i >> 1) * 3;
    let (b0, b1, b2) = (encoded[at] as u16, encoded[at + 1] as u16, encoded[at + 2] as u16);
    if i & 1 == 0 { b0 | (b1 & 0xf) << 8 } else { b1 >> 4 | b2 << 4 }
}

/// Writes the twelve bits at place `i` of an encoded vector.
pub(crate) fn set_coefficient(encoded: &mut [u8], i: usize, value: u16) {
    assert!(value < 1 << 12);
    let at = (i >> 1) * 3;
    if i & 1 == 0 {
        encoded[at] = value as u8;
        encoded[at + 1] = encoded[at + 1] & 0xf0 | (value >> 8) as u8;
    } else {
        encoded[at + 1] = encoded[at + 1] & 0x0f | (value << 4) as u8;
        encoded[at + 2] = (value >> 4) as u8;
    }
}

/// Stores the hash that belongs to the encapsulation key inside an expanded decapsulation key.
pub(crate) fn repair_hash<S: Set>(dk: &mut [u8]) {
    let hash = sha3_256(&dk[384 * S::K..768 * S::K + 32]);
    dk[768 * S::K + 32..768 * S::K + 64].copy_from_slice(&hash);
}

/// A generator that hands out given bytes, and notes how it is asked.
pub(crate) struct Source<'a> {
    bytes: &'a [u8],
    pub(crate) fills: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, fills: Vec::new() }
    }
}

impl TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("bytes are wanted in one piece")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("bytes are wanted in one piece")
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        self.fills.push(to.len());
        to.copy_from_slice(&self.bytes[..to.len()]);
        Ok(())
    }
}

impl TryCryptoRng for Source<'_> {}
