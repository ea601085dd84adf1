//! Known answers for key generation, encapsulation and both outcomes of decapsulation.

use super::encapsulation::Encapsulate;
use super::symmetric::h;
use super::{Ciphertext, DecapsulationKey, Error, MlKem512, MlKem768, MlKem1024};
use super::{ParameterSet, Seed, SharedSecret, ct};
use crate::backend::Backend;
use crate::backend::select::{Selected, with_backend};

/// Runs every parameter set once on fixed inputs, on the backend in use, and compares with known answers: key
/// generation, encapsulation, decapsulation, and decapsulation of a forged ciphertext.
///
/// Programs that want such a test at start-up (FIPS 140-3 modules have to) call this one; kemstone itself is not a
/// validated module. Takes well under a millisecond on current CPUs.
///
/// # Errors
///
/// [`Error::SelfTest`] if an answer differs.
///
/// ```
/// # fn main() -> Result<(), kemstone::Error> {
/// kemstone::self_test()?;
/// # Ok(())
/// # }
/// ```
pub fn self_test() -> Result<(), Error> {
    judge(&[digest::<MlKem512>(), digest::<MlKem768>(), digest::<MlKem1024>()])
}

/// Whether these are the known answers, in the order of the parameter sets.
fn judge([a, b, c]: &[[u8; 32]; 3]) -> Result<(), Error> {
    let agrees = ct::equal(a, &DIGEST_512) & ct::equal(b, &DIGEST_768) & ct::equal(c, &DIGEST_1024);
    if agrees.into() { Ok(()) } else { Err(Error::SelfTest) }
}

/// The secrets and a digest of everything public that one parameter set computes from fixed inputs. Its steps are
/// functions of their own, as the sets are: frames that are not needed at the same time share the stack.
#[inline(never)]
fn digest<S: ParameterSet>() -> [u8; 32] {
    #[inline(never)]
    fn made<S: ParameterSet>() -> DecapsulationKey<S> {
        DecapsulationKey::from_seed(&Seed::from([0x42; 64]))
    }
    #[inline(never)]
    fn encapsulated<S: ParameterSet>(key: &DecapsulationKey<S>) -> (Ciphertext<S>, SharedSecret) {
        key.encapsulation_key().with_m(&[0x17; 32])
    }
    #[inline(never)]
    fn expanded<S: ParameterSet>(key: &DecapsulationKey<S>) -> [u8; 32] {
        hash(key.to_expanded_bytes().as_ref())
    }
    let key = made::<S>();
    // A pair that is taken apart would be there twice.
    let mut sent = encapsulated(&key);
    let agreed = key.decapsulate(&sent.0);
    // two rounds of the hash: the key, then the rest
    let mut digest = expanded(&key);
    digest = chain(&digest, sent.0.as_ref());
    digest = chain(&digest, sent.1.as_ref());
    digest = chain(&digest, agreed.as_ref());
    sent.0.flip_last_bit();
    let rejected = key.decapsulate(&sent.0);
    chain(&digest, rejected.as_ref())
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    with_backend!(Selected::best(), backend => backend.hash(h(bytes, &mut out)));
    out
}

/// SHA3-256(digest || SHA3-256(bytes)).
fn chain(digest: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    let mut both = [0; 64];
    both[..32].copy_from_slice(digest);
    both[32..].copy_from_slice(&hash(bytes));
    hash(&both)
}

// What an independent implementation computes from the inputs above: tests/self_test.rs computes it again.
const DIGEST_512: [u8; 32] = [
    0xea, 0x78, 0x45, 0xdb, 0xeb, 0x08, 0x5a, 0x16, 0x33, 0x0e, 0x30, 0x52, 0x9c, 0x1b, 0x98, 0x7c, 0x9c,
    0x69, 0x32, 0x9f, 0x1d, 0x48, 0xed, 0x9a, 0xfe, 0x1f, 0xc3, 0x25, 0x7e, 0x2d, 0xd1, 0x89,
];
const DIGEST_768: [u8; 32] = [
    0x16, 0x7b, 0xff, 0x14, 0x90, 0x96, 0x89, 0x40, 0x28, 0x63, 0xea, 0xac, 0xfd, 0xd1, 0xde, 0x3d, 0x34,
    0x62, 0x5c, 0x6d, 0xcc, 0x67, 0xff, 0x27, 0xc5, 0x4b, 0x21, 0x06, 0xbd, 0x5b, 0xf2, 0xd2,
];
const DIGEST_1024: [u8; 32] = [
    0xea, 0xf1, 0x7d, 0xf1, 0x64, 0x9b, 0xe7, 0x2f, 0x33, 0xa1, 0x90, 0xa1, 0xb2, 0xb1, 0xfc, 0x48, 0x26,
    0x24, 0x4c, 0x6b, 0x1b, 0xb5, 0x37, 0xc0, 0x8c, 0xff, 0x0c, 0xb0, 0x5c, 0x2b, 0x42, 0x86,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::Bytes;

    #[test]
    fn one_wrong_answer_is_enough_to_fail() {
        let known = [DIGEST_512, DIGEST_768, DIGEST_1024];
        assert_eq!(judge(&known), Ok(()));
        for wrong in 1..8 {
            for bit in 0..256 {
                let mut answers = known;
                for (i, answer) in answers.iter_mut().enumerate() {
                    answer[bit >> 3] ^= (wrong >> i & 1) << (bit & 7);
                }
                assert_eq!(judge(&answers), Err(Error::SelfTest), "sets {wrong:#b}, bit {bit}");
            }
        }
    }

    #[test]
    fn a_forgery_differs_in_the_last_bit() {
        fn forge<S: ParameterSet>() {
            for last in [0x00, 0x80, 0x55, 0xff] {
                let mut bytes = S::CiphertextBytes::ZERO;
                bytes.as_mut().fill(last);
                let mut c = Ciphertext::<S>::from_bytes(&bytes);
                c.flip_last_bit();
                *bytes.as_mut().last_mut().expect("a byte") ^= 0x80;
                assert_eq!(c.as_bytes(), &bytes);
            }
        }
        forge::<MlKem512>();
        forge::<MlKem768>();
        forge::<MlKem1024>();
    }
}
