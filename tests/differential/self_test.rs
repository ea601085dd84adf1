//! The self test's known answers, recomputed by an independent implementation.

use kemstone::backend::select::Selected;

use super::oracle::Oracle;
use super::support::{MlKem512, MlKem768, MlKem1024, Set, each, j, sha3_256};

/// What `src/frontend/self_test.rs` holds, without a way to ask it.
const SOURCE: &str = include_str!("../../src/frontend/self_test.rs");

fn chain(a: &[u8], b: &[u8]) -> [u8; 32] {
    sha3_256(&[sha3_256(a), sha3_256(b)].concat())
}

/// What `ml-kem` and `sha3` make of one parameter set: key generation, encapsulation, decapsulation.
fn digests<S: Set + Oracle>() -> [[u8; 32]; 3] {
    let (ek, dk) = S::their_keys(&[0x42; 64]);
    let (mut c, accepted) = S::their_encapsulation(&ek, &[0x17; 32]).expect("a good key");
    assert_eq!(S::their_secret(&dk, &c), Some(accepted));
    let encapsulation = chain(&c, &accepted);
    c[S::CT - 1] ^= 0x80;
    let rejected = S::their_secret(&dk, &c).expect("a good key");
    assert_eq!(rejected, j(&dk[S::DK - 32..], &c));
    [sha3_256(&dk), encapsulation, chain(&accepted, &rejected)]
}

/// The numbers of an array constant of the source.
fn constant(name: &str) -> Vec<u8> {
    let (_, rest) = SOURCE.split_once(&format!("const {name}: [[u8; 32]; 3] = [")).expect("the constant");
    let (numbers, _) = rest.split_once("];\n").expect("the end of the constant");
    let numbers = numbers.split(|c: char| !c.is_ascii_alphanumeric()).filter(|number| !number.is_empty());
    numbers
        .map(|n| u8::from_str_radix(n.strip_prefix("0x").expect("hexadecimal digits"), 16).expect("a byte"))
        .collect()
}

#[test]
fn constants_are_those_of_an_independent_implementation() {
    assert_eq!(hex::encode(constant("KNOWN_512")), hex::encode(digests::<MlKem512>().as_flattened()));
    assert_eq!(hex::encode(constant("KNOWN_768")), hex::encode(digests::<MlKem768>().as_flattened()));
    assert_eq!(hex::encode(constant("KNOWN_1024")), hex::encode(digests::<MlKem1024>().as_flattened()));
}

#[test]
fn passes_on_every_backend() {
    fn check<S: Set>(selected: Selected) {
        assert_eq!(kemstone::self_test(), Ok(()), "{}", selected.name());
        assert_eq!(kemstone::self_test_key_generation::<S>(), Ok(()), "{} {}", S::NAME, selected.name());
        assert_eq!(kemstone::self_test_encapsulation::<S>(), Ok(()), "{} {}", S::NAME, selected.name());
        assert_eq!(kemstone::self_test_decapsulation::<S>(), Ok(()), "{} {}", S::NAME, selected.name());
    }
    each!(check);
}
