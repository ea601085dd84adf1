//! NIST's ACVP vectors, both editions, on every backend.

mod support;

use kemstone::backend::select::for_each;
use kemstone::{Ciphertext, EncapsulationKey, Error, Seed};
use support::kat::{Expected, Record, read};
use support::{MlKem512, MlKem768, MlKem1024, Set, j};

const KEY_GEN: Expected = ("keyGen", "AFT", &["d", "z", "ek", "dk"], 25);
const DECAPSULATION: Expected = ("decapsulation", "VAL", &["reason", "ek", "dk", "c", "k"], 10);

#[test]
fn key_generation_2024() {
    run(include_str!("../kats/acvp-2024/keygen.txt"), &[KEY_GEN]);
}

#[test]
fn encapsulation_and_decapsulation_2024() {
    run(
        include_str!("../kats/acvp-2024/encapdecap.txt"),
        &[("encapsulation", "AFT", &["reason", "ek", "dk", "m", "c", "k"], 25), DECAPSULATION],
    );
}

#[test]
fn key_generation_2026() {
    run(include_str!("../kats/acvp-2026/keygen.txt"), &[KEY_GEN]);
}

#[test]
fn encapsulation_decapsulation_and_key_checks_2026() {
    run(
        include_str!("../kats/acvp-2026/encapdecap.txt"),
        &[
            ("encapsulation", "AFT", &["ek", "dk", "m", "c", "k"], 25),
            DECAPSULATION,
            ("encapsulationKeyCheck", "VAL", &["passed", "reason", "ek", "dk"], 10),
            ("decapsulationKeyCheck", "VAL", &["passed", "reason", "ek", "dk"], 10),
        ],
    );
}

fn run(text: &str, expected: &[Expected]) {
    let records = read(text, expected);
    for_each(|_| {
        all_of::<MlKem512>(&records);
        all_of::<MlKem768>(&records);
        all_of::<MlKem1024>(&records);
    });
}

/// Every case of one parameter set.
fn all_of<S: Set>(records: &[Record]) {
    let (mut refused, mut rejected, mut decapsulated) = (0, 0, 0);
    for record in records.iter().filter(|record| record.set == S::NAME) {
        match &record.function[..] {
            "keyGen" => key_gen::<S>(record),
            "encapsulation" => encapsulation::<S>(record),
            "decapsulation" => {
                decapsulated += 1;
                rejected += decapsulation::<S>(record) as usize;
            }
            "encapsulationKeyCheck" => {
                let bytes = record.bytes("ek");
                let key = EncapsulationKey::<S>::try_from(&bytes[..]);
                refused += check(record, key.map(drop), Error::EncapsulationKey) as usize;
                assert!(S::dk(&record.bytes("dk")).is_ok(), "{record}: dk holds the good key");
            }
            "decapsulationKeyCheck" => {
                let bytes = record.bytes("dk");
                let key = S::dk(&bytes);
                let any = Ciphertext::<S>::try_from(&vec![0; S::CT][..]).expect("the right length");
                let once = S::decapsulate_expanded(&bytes, &any).map(drop);
                assert_eq!(once, key.as_ref().map(drop).map_err(|error| *error), "{record}: at once");
                refused += check(record, key.map(drop), Error::DecapsulationKey) as usize;
                assert!(
                    EncapsulationKey::<S>::try_from(&record.bytes("ek")[..]).is_ok(),
                    "{record}: ek is good"
                );
            }
            unknown => panic!("unknown function {unknown}"),
        }
    }
    // Half of the decapsulations and half of the key checks are about bad input.
    assert_eq!(2 * rejected, decapsulated, "{}: implicit rejections", S::NAME);
    let checks = records.iter().filter(|r| r.set == S::NAME && r.function.ends_with("KeyCheck")).count();
    assert_eq!(2 * refused, checks, "{}: refused keys", S::NAME);
}

fn key_gen<S: Set>(record: &Record) {
    let seed = Seed::try_from(&[record.bytes("d"), record.bytes("z")].concat()[..]).expect("64 bytes");
    let key = S::from_seed(&seed);
    assert_eq!(S::expanded(&key), record.bytes("dk"), "{record}");
    assert_eq!(S::ek(&key).as_bytes().as_ref(), record.bytes("ek"), "{record}");
    let mut expanded = vec![0; S::DK];
    S::expand_into(&seed, &mut expanded);
    assert_eq!(expanded, record.bytes("dk"), "{record}");
}

fn encapsulation<S: Set>(record: &Record) {
    let ek = EncapsulationKey::<S>::try_from(&record.bytes("ek")[..]).expect("a good key");
    let (ciphertext, secret) = S::encapsulate_every_way(&ek, &record.array("m"));
    assert_eq!(ciphertext.as_bytes().as_ref(), record.bytes("c"), "{record}");
    assert_eq!(secret.as_ref(), record.bytes("k"), "{record}");
    let dk = S::dk(&record.bytes("dk")).expect("a good key");
    assert_eq!(S::ek(&dk), ek, "{record}");
    assert_eq!(S::decapsulate_every_way(&dk, &ciphertext), secret, "{record}");
}

/// True if the ciphertext was rejected.
fn decapsulation<S: Set>(record: &Record) -> bool {
    let dk = S::dk(&record.bytes("dk")).expect("a good key");
    let ciphertext = Ciphertext::<S>::try_from(&record.bytes("c")[..]).expect("the right length");
    let secret = S::decapsulate_every_way(&dk, &ciphertext);
    assert_eq!(secret.as_ref(), record.bytes("k"), "{record}");
    assert_eq!(S::ek(&dk).as_bytes().as_ref(), record.bytes("ek"), "{record}");
    *secret.as_bytes() == j(&S::expanded(&dk)[S::DK - 32..], ciphertext.as_bytes().as_ref())
}

/// True if the key was refused, as it should be and with the right error.
fn check(record: &Record, parsed: Result<(), Error>, error: Error) -> bool {
    let passed = record.truth("passed");
    assert_eq!(parsed, if passed { Ok(()) } else { Err(error) }, "{record}: {}", record.text("reason"));
    !passed
}
