//! Known answers for key generation, encapsulation and both outcomes of decapsulation.

use super::encapsulation::Encapsulate;
use super::symmetric::h_of;
use super::{Bytes, ParameterSet, Seed, SharedSecret, ct};
use super::{Ciphertext, DecapsulationKey, Error, MlKem512, MlKem768, MlKem1024};

/// Runs every operation of every parameter set once on fixed inputs, on the backend in use, and compares with known answers:
/// key generation, encapsulation, decapsulation, and decapsulation of a forged ciphertext.
///
/// Programs that want such a test at start-up (FIPS 140-3 modules have to) call this one, or those of the operations that they
/// use; kemstone itself is not a validated module. Takes well under a millisecond on current CPUs.
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
    fn all<S: ParameterSet>() -> Result<(), Error> {
        self_test_key_generation::<S>()?;
        self_test_encapsulation::<S>()?;
        self_test_decapsulation::<S>()
    }
    all::<MlKem512>()?;
    all::<MlKem768>()?;
    all::<MlKem1024>()
}

/// d || z of the tests.
const SEED: [u8; 64] = [0x42; 64];

/// The part of [`self_test`] for key generation (FIPS 140-3 IG 10.3.A): a key from fixed d and z.
///
/// # Errors
///
/// [`Error::SelfTest`] if the key is another.
pub fn self_test_key_generation<S: ParameterSet>() -> Result<(), Error> {
    let mut expanded = S::DecapsulationKeyBytes::ZERO;
    DecapsulationKey::<S>::expand_into(&Seed::from(SEED), &mut expanded);
    judge(&h_of(expanded.as_ref()), &known::<S>()[0])
}

/// The part of [`self_test`] for encapsulation (FIPS 140-3 IG 10.3.A): with a fixed m, to the key that belongs to fixed d and z.
///
/// # Errors
///
/// [`Error::SelfTest`] if ciphertext or secret is another.
pub fn self_test_encapsulation<S: ParameterSet>() -> Result<(), Error> {
    let sent = sent(&made::<S>());
    judge(&chain(sent.0.as_ref(), sent.1.as_ref()), &known::<S>()[1])
}

/// The part of [`self_test`] for decapsulation (FIPS 140-3 IG 10.3.A): of a ciphertext that is accepted, and of one that is
/// rejected.
///
/// # Errors
///
/// [`Error::SelfTest`] if one of the secrets is another.
pub fn self_test_decapsulation<S: ParameterSet>() -> Result<(), Error> {
    let key = made::<S>();
    // A pair that is taken apart would be there twice.
    let mut sent = sent(&key);
    let accepted = key.decapsulate(&sent.0);
    sent.0.flip_last_bit();
    let rejected = key.decapsulate(&sent.0);
    judge(&chain(accepted.as_ref(), rejected.as_ref()), &known::<S>()[2])
}

// Functions of their own: frames that are not needed at the same time share the stack.

#[inline(never)]
fn made<S: ParameterSet>() -> DecapsulationKey<S> {
    DecapsulationKey::from_seed(&Seed::from(SEED))
}

#[inline(never)]
fn sent<S: ParameterSet>(key: &DecapsulationKey<S>) -> (Ciphertext<S>, SharedSecret) {
    key.encapsulation_key().with_m(&[0x17; 32])
}

fn judge(found: &[u8; 32], known: &[u8; 32]) -> Result<(), Error> {
    if ct::equal(found, known).into() { Ok(()) } else { Err(Error::SelfTest) }
}

/// SHA3-256(SHA3-256(a) || SHA3-256(b)).
fn chain(a: &[u8], b: &[u8]) -> [u8; 32] {
    let mut both = [0; 64];
    both[..32].copy_from_slice(&h_of(a));
    both[32..].copy_from_slice(&h_of(b));
    h_of(&both)
}

/// Digests of what the three operations compute.
fn known<S: ParameterSet>() -> &'static [[u8; 32]; 3] {
    match S::NAME {
        MlKem512::NAME => &KNOWN_512,
        MlKem768::NAME => &KNOWN_768,
        _ => &KNOWN_1024,
    }
}

// What an independent implementation computes from the inputs above: tests/self_test.rs computes it again.
#[rustfmt::skip]
const KNOWN_512: [[u8; 32]; 3] = [
    [
        0xd2, 0xd9, 0x6f, 0xa4, 0x58, 0xc0, 0x55, 0xa2, 0x16, 0x70, 0xca, 0xd9, 0xa7, 0xc4, 0x9c, 0x41,
        0x5f, 0x8d, 0x42, 0xb6, 0x82, 0x7b, 0x97, 0xde, 0xc2, 0x7a, 0xde, 0xce, 0xbd, 0x97, 0x20, 0x73,
    ],
    [
        0x1a, 0xba, 0x07, 0x82, 0xe8, 0x50, 0x25, 0xa1, 0xc3, 0x4d, 0xb5, 0x50, 0x56, 0xdb, 0x38, 0xba,
        0xe9, 0x6b, 0x42, 0x6f, 0x38, 0x86, 0xc6, 0xbb, 0xb1, 0xa4, 0x04, 0x78, 0x82, 0x4d, 0x38, 0xae,
    ],
    [
        0x64, 0x8e, 0xa6, 0x60, 0xa0, 0xf2, 0x09, 0x01, 0xb6, 0xd3, 0x76, 0x7d, 0x3d, 0x8f, 0x24, 0x57,
        0x79, 0xcd, 0x8e, 0x54, 0x99, 0x0a, 0xa9, 0xcb, 0xa3, 0xcb, 0xf7, 0xeb, 0x6e, 0xd4, 0xd3, 0xba,
    ],
];
#[rustfmt::skip]
const KNOWN_768: [[u8; 32]; 3] = [
    [
        0xa9, 0x30, 0x34, 0x56, 0xd9, 0xa5, 0xfc, 0x1f, 0x8f, 0xa8, 0xc2, 0x15, 0xcd, 0xe9, 0x29, 0x4f,
        0x27, 0xb8, 0x78, 0xd5, 0x02, 0x26, 0xa9, 0x9c, 0x37, 0xed, 0xfa, 0x0d, 0x0f, 0x48, 0x23, 0x15,
    ],
    [
        0x97, 0xa4, 0xc0, 0x9a, 0x9f, 0x23, 0xff, 0x4f, 0x72, 0xa8, 0x38, 0x98, 0xb5, 0xd4, 0xa8, 0x18,
        0x49, 0x4c, 0x1c, 0xe0, 0x14, 0xd2, 0x1f, 0xe1, 0xfa, 0x19, 0x27, 0x57, 0x45, 0x41, 0x6c, 0x24,
    ],
    [
        0x57, 0xc5, 0x53, 0xa4, 0x09, 0xed, 0xd3, 0x98, 0x49, 0x21, 0x11, 0x0e, 0x6c, 0xe4, 0x70, 0x04,
        0xc6, 0x9b, 0xc9, 0xb7, 0x90, 0x3c, 0xb4, 0x32, 0xc4, 0xfe, 0xda, 0x40, 0x62, 0x18, 0x4f, 0x71,
    ],
];
#[rustfmt::skip]
const KNOWN_1024: [[u8; 32]; 3] = [
    [
        0x7b, 0x6c, 0x37, 0x0b, 0x91, 0xb3, 0x0f, 0x5c, 0x53, 0x5c, 0x9e, 0x3a, 0x8b, 0xe0, 0xfa, 0x7e,
        0xbb, 0x28, 0x7a, 0xdf, 0xf3, 0x7f, 0x47, 0xe4, 0x08, 0x2e, 0x7e, 0x3f, 0x61, 0xfd, 0xf6, 0x24,
    ],
    [
        0x9c, 0x4b, 0xeb, 0x07, 0x66, 0x3b, 0xcc, 0x3c, 0x85, 0x6b, 0xfa, 0x02, 0x8a, 0xed, 0xee, 0xd9,
        0x7f, 0x3a, 0x41, 0x21, 0x70, 0xab, 0xe2, 0x38, 0x6b, 0x9a, 0xaf, 0xa3, 0x5a, 0x16, 0xdf, 0x8a,
    ],
    [
        0x57, 0xb5, 0x26, 0xd9, 0x05, 0x6a, 0xec, 0x02, 0x6f, 0xa4, 0x06, 0x91, 0x45, 0xd1, 0x67, 0xc3,
        0x8b, 0x99, 0x70, 0x4d, 0xff, 0x84, 0x82, 0xa7, 0xa9, 0xd8, 0x26, 0x81, 0xcc, 0x80, 0x17, 0x14,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_bit_is_enough_to_fail() {
        for known in KNOWN_512.iter().chain(&KNOWN_768).chain(&KNOWN_1024) {
            assert_eq!(judge(known, known), Ok(()));
            for bit in 0..256 {
                let mut answer = *known;
                answer[bit >> 3] ^= 1 << (bit & 7);
                assert_eq!(judge(&answer, known), Err(Error::SelfTest), "bit {bit}");
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
