//! What the integration tests share: the three parameter sets behind one trait, a parser for `kats/`, a generator that
//! hands out given bytes, and reproducible random ones.
#![allow(dead_code)] // every test file uses its own part

pub(crate) mod kat;
#[cfg(unix)]
pub(crate) mod stack;

use core::convert::Infallible;
use core::fmt::Debug;
use std::env;

use kemstone::{Error, Seed, SharedSecret};
use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use shake::{ExtendableOutput, Shake128, Shake256, Update, XofReader};

/// The public API of one parameter set, for tests that are the same for all three.
pub(crate) trait Set: 'static {
    const NAME: &'static str;
    const K: usize;
    const EK: usize = 384 * Self::K + 32;
    const DK: usize = 768 * Self::K + 96;
    const CT: usize;

    type Ek: Parse;
    type Dk: for<'a> TryFrom<&'a [u8], Error = Error> + Debug + Send + Sync;
    type Ct: Parse;

    fn from_seed(seed: &Seed) -> Self::Dk;
    fn expand_into(seed: &Seed, expanded: &mut [u8]);
    fn generate_with<E>(fill: impl FnOnce(&mut [u8; 64]) -> Result<(), E>) -> Result<Self::Dk, E>;
    fn generate_from_rng<R: CryptoRng>(rng: &mut R) -> Self::Dk;
    fn try_generate_from_rng<R: TryCryptoRng>(rng: &mut R) -> Result<Self::Dk, R::Error>;
    fn generate() -> Result<Self::Dk, Error>;
    fn expanded(dk: &Self::Dk) -> &[u8];
    fn expanded_copy(dk: &Self::Dk) -> Vec<u8>;
    fn to_seed(dk: &Self::Dk) -> Option<Seed>;
    fn ek(dk: &Self::Dk) -> Self::Ek;
    fn check_pairwise_consistency(dk: &Self::Dk) -> Result<(), Error>;

    fn encapsulate_deterministic(ek: &Self::Ek, m: &[u8; 32]) -> (Self::Ct, SharedSecret);
    fn encapsulate_with<E>(
        ek: &Self::Ek,
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
    ) -> Result<(Self::Ct, SharedSecret), E>;
    fn encapsulate_with_rng<R: CryptoRng>(ek: &Self::Ek, rng: &mut R) -> (Self::Ct, SharedSecret);
    fn try_encapsulate_with_rng<R: TryCryptoRng>(
        ek: &Self::Ek,
        rng: &mut R,
    ) -> Result<(Self::Ct, SharedSecret), R::Error>;
    fn encapsulate(ek: &Self::Ek) -> Result<(Self::Ct, SharedSecret), Error>;
    fn encapsulate_into<E>(
        ek: &Self::Ek,
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
        ct: &mut [u8],
        secret: &mut [u8; 32],
    ) -> Result<(), E>;

    fn encapsulate_encoded(encoded: &[u8]) -> Result<(Self::Ct, SharedSecret), Error>;
    fn encapsulate_encoded_with<E: From<Error>>(
        encoded: &[u8],
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
    ) -> Result<(Self::Ct, SharedSecret), E>;
    fn encapsulate_encoded_into<E: From<Error>>(
        encoded: &[u8],
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
        ct: &mut [u8],
        secret: &mut [u8; 32],
    ) -> Result<(), E>;

    /// Encapsulates with the plain key, with the prepared one and with the bytes, which must agree.
    fn encapsulate_every_way(ek: &Self::Ek, m: &[u8; 32]) -> (Self::Ct, SharedSecret);
    /// Decapsulates by every function there is, which must agree.
    fn decapsulate_every_way(dk: &Self::Dk, ct: &Self::Ct) -> SharedSecret;
    fn decapsulate_expanded(expanded: &[u8], ct: &Self::Ct) -> Result<SharedSecret, Error>;

    fn decapsulate(dk: &Self::Dk, ct: &Self::Ct) -> SharedSecret;
    fn decapsulate_into(dk: &Self::Dk, ct: &Self::Ct, secret: &mut [u8; 32]);
}

/// What the two public types have in common.
pub(crate) trait Parse:
    for<'a> TryFrom<&'a [u8], Error = Error> + AsRef<[u8]> + Clone + PartialEq + Debug + Send + Sync
{
}
impl<T> Parse for T where
    T: for<'a> TryFrom<&'a [u8], Error = Error> + AsRef<[u8]> + Clone + PartialEq + Debug + Send + Sync
{
}

macro_rules! set {
    ($name:ident, $title:literal, $module:ident, $k:literal, $ct:literal) => {
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl Set for $name {
            const NAME: &'static str = $title;
            const K: usize = $k;
            const CT: usize = $ct;

            type Ek = kemstone::$module::EncapsulationKey;
            type Dk = kemstone::$module::DecapsulationKey;
            type Ct = kemstone::$module::Ciphertext;

            fn from_seed(seed: &Seed) -> Self::Dk {
                Self::Dk::from_seed(seed)
            }
            fn expand_into(seed: &Seed, expanded: &mut [u8]) {
                Self::Dk::expand_into(seed, expanded.try_into().expect("the right length"));
            }
            fn generate_with<E>(fill: impl FnOnce(&mut [u8; 64]) -> Result<(), E>) -> Result<Self::Dk, E> {
                Self::Dk::generate_with(fill)
            }
            fn generate_from_rng<R: CryptoRng>(rng: &mut R) -> Self::Dk {
                Self::Dk::generate_from_rng(rng)
            }
            fn try_generate_from_rng<R: TryCryptoRng>(rng: &mut R) -> Result<Self::Dk, R::Error> {
                Self::Dk::try_generate_from_rng(rng)
            }
            fn generate() -> Result<Self::Dk, Error> {
                Self::Dk::generate()
            }
            fn expanded(dk: &Self::Dk) -> &[u8] {
                dk.as_expanded_bytes()
            }
            fn expanded_copy(dk: &Self::Dk) -> Vec<u8> {
                dk.to_expanded_bytes().as_ref().to_vec()
            }
            fn to_seed(dk: &Self::Dk) -> Option<Seed> {
                dk.to_seed()
            }
            fn ek(dk: &Self::Dk) -> Self::Ek {
                dk.encapsulation_key()
            }
            fn check_pairwise_consistency(dk: &Self::Dk) -> Result<(), Error> {
                dk.check_pairwise_consistency()
            }
            fn encapsulate_deterministic(ek: &Self::Ek, m: &[u8; 32]) -> (Self::Ct, SharedSecret) {
                ek.encapsulate_deterministic(m)
            }
            fn encapsulate_with<E>(
                ek: &Self::Ek,
                fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
            ) -> Result<(Self::Ct, SharedSecret), E> {
                ek.encapsulate_with(fill)
            }
            fn encapsulate_with_rng<R: CryptoRng>(ek: &Self::Ek, rng: &mut R) -> (Self::Ct, SharedSecret) {
                ek.encapsulate_with_rng(rng)
            }
            fn try_encapsulate_with_rng<R: TryCryptoRng>(
                ek: &Self::Ek,
                rng: &mut R,
            ) -> Result<(Self::Ct, SharedSecret), R::Error> {
                ek.try_encapsulate_with_rng(rng)
            }
            fn encapsulate(ek: &Self::Ek) -> Result<(Self::Ct, SharedSecret), Error> {
                ek.encapsulate()
            }
            fn encapsulate_into<E>(
                ek: &Self::Ek,
                fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
                ct: &mut [u8],
                secret: &mut [u8; 32],
            ) -> Result<(), E> {
                ek.encapsulate_into(fill, ct.try_into().expect("the right length"), secret)
            }
            fn encapsulate_encoded(encoded: &[u8]) -> Result<(Self::Ct, SharedSecret), Error> {
                Self::Ek::encapsulate_encoded(encoded.try_into().map_err(|_| Error::Length)?)
            }
            fn encapsulate_encoded_with<E: From<Error>>(
                encoded: &[u8],
                fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
            ) -> Result<(Self::Ct, SharedSecret), E> {
                Self::Ek::encapsulate_encoded_with(encoded.try_into().map_err(|_| Error::Length)?, fill)
            }
            fn encapsulate_encoded_into<E: From<Error>>(
                encoded: &[u8],
                fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
                ct: &mut [u8],
                secret: &mut [u8; 32],
            ) -> Result<(), E> {
                let encoded = encoded.try_into().map_err(|_| Error::Length)?;
                Self::Ek::encapsulate_encoded_into(
                    encoded,
                    fill,
                    ct.try_into().expect("the right length"),
                    secret,
                )
            }
            fn encapsulate_every_way(ek: &Self::Ek, m: &[u8; 32]) -> (Self::Ct, SharedSecret) {
                let plain = ek.encapsulate_deterministic(m);
                let prepared = kemstone::$module::PreparedEncapsulationKey::new(ek);
                assert_eq!(prepared.encapsulate_deterministic(m), plain);
                let boxed = kemstone::$module::PreparedEncapsulationKey::boxed(ek);
                assert_eq!(boxed.encapsulate_deterministic(m), plain);
                let fill = |to: &mut [u8; 32]| {
                    *to = *m;
                    Ok::<(), Error>(())
                };
                assert_eq!(Self::Ek::encapsulate_encoded_with(ek.as_bytes(), fill).as_ref(), Ok(&plain));
                let (mut c, mut k) = (vec![0xa5; Self::CT], [0xa5; 32]);
                assert_eq!(Self::encapsulate_encoded_into(ek.as_bytes(), fill, &mut c, &mut k), Ok(()));
                assert_eq!((&c[..], &k), (plain.0.as_ref(), plain.1.as_bytes()));
                plain
            }
            fn decapsulate_every_way(dk: &Self::Dk, ct: &Self::Ct) -> SharedSecret {
                let plain = dk.decapsulate(ct);
                let mut into = [0xa5; 32];
                dk.decapsulate_into(ct, &mut into);
                assert_eq!(SharedSecret::from(into), plain);
                assert_eq!(Self::Dk::decapsulate_expanded(dk.as_expanded_bytes(), ct).as_ref(), Ok(&plain));
                into = [0xa5; 32];
                assert_eq!(
                    Self::Dk::decapsulate_expanded_into(dk.as_expanded_bytes(), ct, &mut into),
                    Ok(())
                );
                assert_eq!(SharedSecret::from(into), plain);
                let prepared = kemstone::$module::PreparedDecapsulationKey::new(dk);
                assert_eq!(prepared.decapsulate(ct), plain);
                let boxed = kemstone::$module::PreparedDecapsulationKey::boxed(dk);
                assert_eq!(boxed.decapsulate(ct), plain);
                plain
            }
            fn decapsulate_expanded(expanded: &[u8], ct: &Self::Ct) -> Result<SharedSecret, Error> {
                Self::Dk::decapsulate_expanded(expanded.try_into().map_err(|_| Error::Length)?, ct)
            }
            fn decapsulate(dk: &Self::Dk, ct: &Self::Ct) -> SharedSecret {
                dk.decapsulate(ct)
            }
            fn decapsulate_into(dk: &Self::Dk, ct: &Self::Ct, secret: &mut [u8; 32]) {
                dk.decapsulate_into(ct, secret);
            }
        }
    };
}

set!(MlKem512, "ML-KEM-512", ml_kem_512, 2, 768);
set!(MlKem768, "ML-KEM-768", ml_kem_768, 3, 1088);
set!(MlKem1024, "ML-KEM-1024", ml_kem_1024, 4, 1568);

/// `each!(f)`: `f::<Set>(selected)` for every parameter set on every backend that this machine has.
#[allow(unused_macros)] // as above
macro_rules! each {
    ($f:ident) => {
        kemstone::backend::select::for_each(|selected| {
            println!("backend {}", selected.name());
            $f::<$crate::support::MlKem512>(selected);
            $f::<$crate::support::MlKem768>(selected);
            $f::<$crate::support::MlKem1024>(selected);
        })
    };
}
#[allow(unused_imports)] // as above
pub(crate) use each;

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
