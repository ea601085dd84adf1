//! The self test's known answers, recomputed by an independent implementation.

mod oracle;
mod support;

use kemstone::Ciphertext;
use kemstone::backend::select::{Selected, for_each};
use oracle::Oracle;
use support::{MlKem512, MlKem768, MlKem1024, Set, each, sha3_256};

/// What `src/frontend/self_test.rs` holds, without a way to ask it.
const SOURCE: &str = include_str!("../src/frontend/self_test.rs");

fn chain(digest: [u8; 32], bytes: &[u8]) -> [u8; 32] {
    sha3_256(&[digest, sha3_256(bytes)].concat())
}

/// The digest of one parameter set by `ml-kem` and `sha3`.
fn digest<S: Set + Oracle>() -> [u8; 32] {
    let (ek, dk) = S::their_keys(&[0x42; 64]);
    let (mut c, accepted) = S::their_encapsulation(&ek, &[0x17; 32]).expect("a good key");
    let decapsulated = S::their_secret(&dk, &c).expect("a good key");
    assert_eq!(accepted, decapsulated);
    let mut digest = chain(sha3_256(&dk), &c);
    digest = chain(digest, &accepted);
    digest = chain(digest, &decapsulated);
    c[S::CT - 1] ^= 0x80;
    let rejected = S::their_secret(&dk, &c).expect("a good key");
    assert_eq!(rejected, support::j(&dk[S::DK - 32..], &c));
    chain(digest, &rejected)
}

/// The numbers of an array constant of the source.
fn constant(name: &str) -> Vec<u8> {
    let (_, rest) = SOURCE.split_once(&format!("const {name}: [u8; 32] = [")).expect("the constant");
    let (numbers, _) = rest.split_once("];").expect("the end of the constant");
    let numbers = numbers.split(',').map(str::trim).filter(|number| !number.is_empty());
    numbers
        .map(|n| {
            n.strip_prefix("0x").map_or_else(|| n.parse(), |hex| u8::from_str_radix(hex, 16)).expect("a byte")
        })
        .collect()
}

#[test]
fn constants_are_those_of_an_independent_implementation() {
    assert_eq!(hex::encode(constant("DIGEST_512")), hex::encode(digest::<MlKem512>()));
    assert_eq!(hex::encode(constant("DIGEST_768")), hex::encode(digest::<MlKem768>()));
    assert_eq!(hex::encode(constant("DIGEST_1024")), hex::encode(digest::<MlKem1024>()));
}

#[test]
fn passes_on_every_backend() {
    for_each(|selected| assert_eq!(kemstone::self_test(), Ok(()), "{}", selected.name()));
}

#[test]
fn this_crate_computes_the_same_digests() {
    fn check<S: Set + Oracle>(_: Selected) {
        let dk = S::from_seed(&kemstone::Seed::from([0x42; 64]));
        let (c, accepted) = S::ek(&dk).encapsulate_deterministic(&[0x17; 32]);
        let mut ours = chain(sha3_256(&S::expanded(&dk)), c.as_ref());
        ours = chain(ours, accepted.as_ref());
        ours = chain(ours, dk.decapsulate(&c).as_ref());
        let mut forged = c.as_ref().to_vec();
        forged[S::CT - 1] ^= 0x80;
        let forged = Ciphertext::<S>::try_from(&forged[..]).expect("the right length");
        ours = chain(ours, dk.decapsulate(&forged).as_ref());
        assert_eq!(ours, digest::<S>(), "{}", S::NAME);
    }
    each!(check);
}
