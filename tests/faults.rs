//! What happens when something goes wrong around the library: generators that fail or panic, bytes that are cut short,
//! too long, damaged or of another format. Errors and nothing else come of it: nothing is half written, and nothing that
//! follows is disturbed.

mod support;

use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use kemstone::backend::select::Selected;
use kemstone::{self as api, Bytes, Error, Seed, SharedSecret};
use rand_core::{TryCryptoRng, TryRng};
use support::{MlKem512, MlKem768, MlKem1024, Random, Set, array, coefficient, each, scale, sha3_256};

// No room for anything of the bytes that were refused.
const _: () = assert!(size_of::<Error>() == 1);

/// What a parser reads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    EncapsulationKey,
    DecapsulationKey,
    Ciphertext,
    Seed,
    SharedSecret,
}

use Format::{Ciphertext, DecapsulationKey, EncapsulationKey};

impl Format {
    /// What parsing must come to: decided from the bytes alone, by FIPS 203, sections 7.2 and 7.3, and by what the
    /// library promises beyond.
    fn outcome<S: Set>(self, bytes: &[u8]) -> Result<(), Error> {
        let reduced = |encoded: &[u8]| (0..256 * S::K).all(|i| coefficient(encoded, i) < 3329);
        let (right, good, error) = match self {
            EncapsulationKey => {
                let right = bytes.len() == S::EK;
                (right, right && reduced(bytes), Error::EncapsulationKey)
            }
            DecapsulationKey => {
                let right = bytes.len() == S::DK;
                let good = || {
                    let (s, rest) = bytes.split_at(384 * S::K);
                    let (ek, rest) = rest.split_at(S::EK);
                    reduced(s) && reduced(ek) && sha3_256(ek) == rest[..32]
                };
                (right, right && good(), Error::DecapsulationKey)
            }
            Ciphertext => (bytes.len() == S::CT, true, Error::Length),
            Format::Seed => (bytes.len() == 64, true, Error::Length),
            Format::SharedSecret => (bytes.len() == 32, true, Error::Length),
        };
        if !right {
            Err(Error::Length)
        } else if good {
            Ok(())
        } else {
            Err(error)
        }
    }
}

/// Its name, what it reads, and the bytes of what it made.
type Parser = (&'static str, Format, fn(&[u8]) -> Result<Vec<u8>, Error>);

/// An operation that draws randomness from a generator: its name, how many bytes, and what comes of it.
type Operation<S> = (&'static str, usize, fn(&mut Faulty, &api::EncapsulationKey<S>) -> Result<Vec<u8>, Dry>);

/// What memory holds before an operation writes to it.
const OLD: u8 = 0xa5;

/// One value made of both results of an encapsulation.
fn joined(both: (impl AsRef<[u8]>, SharedSecret)) -> Vec<u8> {
    [both.0.as_ref(), both.1.as_ref()].concat()
}

/// The array of the right length.
fn sized<A: Bytes>(bytes: &[u8]) -> Result<&A, Error> {
    Bytes::from_slice(bytes)
}

fn encoded<S: Set>(key: &api::EncapsulationKey<S>) -> Vec<u8> {
    key.as_bytes().as_ref().to_vec()
}

/// Every way from bytes to a value.
fn parsers<S: Set>() -> [Parser; 10] {
    use api::{PreparedDecapsulationKey as PreparedDk, PreparedEncapsulationKey as PreparedEk};
    [
        ("EncapsulationKey::try_from", EncapsulationKey, |b| {
            api::EncapsulationKey::<S>::try_from(b).map(|key| encoded(&key))
        }),
        ("EncapsulationKey::from_bytes", EncapsulationKey, |b| {
            api::EncapsulationKey::<S>::from_bytes(sized(b)?).map(|key| encoded(&key))
        }),
        ("PreparedEncapsulationKey::try_from", EncapsulationKey, |b| {
            PreparedEk::<S>::try_from(b).map(|key| encoded(key.encapsulation_key()))
        }),
        ("PreparedEncapsulationKey::from_bytes", EncapsulationKey, |b| {
            PreparedEk::<S>::from_bytes(sized(b)?).map(|key| encoded(key.encapsulation_key()))
        }),
        ("DecapsulationKey::from_expanded_bytes", DecapsulationKey, |b| {
            api::DecapsulationKey::<S>::from_expanded_bytes(sized(b)?).map(|key| S::expanded(&key))
        }),
        ("PreparedDecapsulationKey::from_expanded_bytes", DecapsulationKey, |b| {
            PreparedDk::<S>::from_expanded_bytes(sized(b)?).map(|key| S::expanded(key.decapsulation_key()))
        }),
        ("Ciphertext::try_from", Ciphertext, |b| {
            api::Ciphertext::<S>::try_from(b).map(|c| c.as_bytes().as_ref().to_vec())
        }),
        ("CiphertextRef::try_from", Ciphertext, |b| {
            api::CiphertextRef::<S>::try_from(b).map(|c| c.as_bytes().as_ref().to_vec())
        }),
        ("Seed::try_from", Format::Seed, |b| Seed::try_from(b).map(|d_z| d_z.as_bytes().to_vec())),
        ("SharedSecret::try_from", Format::SharedSecret, |b| {
            SharedSecret::try_from(b).map(|secret| secret.as_bytes().to_vec())
        }),
    ]
}

/// Every way from a generator to a value.
fn operations<S: Set>() -> [Operation<S>; 10] {
    use api::{
        DecapsulationKey as Dk, PreparedDecapsulationKey as PreparedDk,
        PreparedEncapsulationKey as PreparedEk,
    };
    [
        ("DecapsulationKey::try_generate_from_rng", 64, |rng, _| {
            Dk::try_generate_from_rng(rng).map(|key| S::expanded(&key))
        }),
        ("DecapsulationKey::generate_with", 64, |rng, _| {
            Dk::generate_with(|d_z| rng.try_fill_bytes(d_z)).map(|key| S::expanded(&key))
        }),
        ("PreparedDecapsulationKey::try_generate_from_rng", 64, |rng, _| {
            PreparedDk::try_generate_from_rng(rng).map(|key| S::expanded(key.decapsulation_key()))
        }),
        ("PreparedDecapsulationKey::generate_with", 64, |rng, _| {
            PreparedDk::generate_with(|d_z| rng.try_fill_bytes(d_z))
                .map(|key| S::expanded(key.decapsulation_key()))
        }),
        ("EncapsulationKey::try_encapsulate_with_rng", 32, |rng, ek| {
            ek.try_encapsulate_with_rng(rng).map(joined)
        }),
        ("EncapsulationKey::encapsulate_with", 32, |rng, ek| {
            ek.encapsulate_with(|m| rng.try_fill_bytes(m)).map(joined)
        }),
        ("EncapsulationKey::encapsulate_into", 32, |rng, ek| {
            let (mut c, mut k) = (array::<S::CiphertextBytes>(OLD), [OLD; 32]);
            let outcome = ek.encapsulate_into(|m| rng.try_fill_bytes(m), &mut c, &mut k);
            untouched_or(outcome, &[c.as_ref(), &k])
        }),
        ("PreparedEncapsulationKey::try_encapsulate_with_rng", 32, |rng, ek| {
            PreparedEk::new(ek).try_encapsulate_with_rng(rng).map(joined)
        }),
        ("PreparedEncapsulationKey::encapsulate_with", 32, |rng, ek| {
            PreparedEk::new(ek).encapsulate_with(|m| rng.try_fill_bytes(m)).map(joined)
        }),
        ("PreparedEncapsulationKey::encapsulate_into", 32, |rng, ek| {
            let (mut c, mut k) = (array::<S::CiphertextBytes>(OLD), [OLD; 32]);
            let outcome = PreparedEk::new(ek).encapsulate_into(|m| rng.try_fill_bytes(m), &mut c, &mut k);
            untouched_or(outcome, &[c.as_ref(), &k])
        }),
    ]
}

/// The outputs together, or the error if they are as they were.
fn untouched_or<E>(outcome: Result<(), E>, outputs: &[&[u8]]) -> Result<Vec<u8>, E> {
    outcome.inspect_err(|_| {
        assert!(outputs.concat().iter().all(|byte| *byte == OLD), "written to in spite of the error");
    })?;
    Ok(outputs.concat())
}

/// The error of [`Faulty`]: the call that failed and the number of bytes it had written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dry(usize, usize);

impl std::fmt::Display for Dry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "dry at call {} after {} bytes", self.0, self.1)
    }
}

impl core::error::Error for Dry {}

/// A generator whose every call has bytes of its own, and one of whose calls fails when it has written some of them.
struct Faulty {
    calls: usize,
    fault: Option<Dry>,
    panics: bool,
}

impl Faulty {
    fn new(fault: Option<Dry>) -> Self {
        Self { calls: 0, fault, panics: false }
    }
}

impl TryRng for Faulty {
    type Error = Dry;

    fn try_next_u32(&mut self) -> Result<u32, Dry> {
        panic!("bytes are wanted in one piece")
    }

    fn try_next_u64(&mut self) -> Result<u64, Dry> {
        panic!("bytes are wanted in one piece")
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Dry> {
        let call = self.calls;
        self.calls += 1;
        let bytes = Random::new(&format!("call {call}")).bytes(to.len());
        match self.fault {
            Some(dry @ Dry(failing, written)) if failing == call => {
                to[..written].copy_from_slice(&bytes[..written]);
                if self.panics {
                    resume_unwind(Box::new(dry)); // without the message that a panic prints
                }
                Err(dry)
            }
            _ => {
                to.copy_from_slice(&bytes);
                Ok(())
            }
        }
    }
}

impl TryCryptoRng for Faulty {}

/// A key pair from a name.
fn key<S: Set>(name: &str) -> api::DecapsulationKey<S> {
    S::from_seed(&Random::new(name).seed())
}

/// A program of all operations that draw randomness, one after the other, and its generator fails once: at each call, after
/// each number of bytes. That one operation gives the generator's error, all others what they would have given.
#[test]
fn a_generator_that_fails_once_spoils_one_operation() {
    fn check<S: Set>(_: Selected) {
        let ek = S::ek(&key::<S>("faulty generator"));
        let operations = operations::<S>();
        let run = |fault| {
            let mut rng = Faulty::new(fault);
            let outcomes: Vec<_> = operations.iter().map(|(_, _, f)| f(&mut rng, &ek)).collect();
            assert_eq!(rng.calls, operations.len(), "each draws once, whatever happened before");
            outcomes
        };
        let good = run(None);
        assert!(good.iter().all(Result::is_ok));
        for (failing, (name, length, _)) in operations.iter().enumerate() {
            for written in (0..=*length).step_by(scale()) {
                let dry = Dry(failing, written);
                for (at, (found, good)) in run(Some(dry)).iter().zip(&good).enumerate() {
                    let expected = if at == failing { &Err(dry) } else { good };
                    assert_eq!(found, expected, "{} {name}: {dry}, operation {at}", S::NAME);
                }
            }
        }
    }
    each!(check);
}

/// A panic of the generator goes through, and leaves outputs and keys as they were.
#[test]
fn a_generator_that_panics_leaves_no_trace() {
    fn check<S: Set>(_: Selected) {
        let ek = S::ek(&key::<S>("panicking generator"));
        for (name, length, operation) in operations::<S>() {
            let dry = Dry(0, length);
            let mut rng = Faulty { panics: true, ..Faulty::new(Some(dry)) };
            let panic = catch_unwind(AssertUnwindSafe(|| operation(&mut rng, &ek))).expect_err("a panic");
            assert_eq!(panic.downcast_ref(), Some(&dry), "{} {name}", S::NAME);
        }
        let (mut c, mut k) = (array::<S::CiphertextBytes>(OLD), [OLD; 32]);
        let mut rng = Faulty { panics: true, ..Faulty::new(Some(Dry(0, 32))) };
        let outcome =
            catch_unwind(AssertUnwindSafe(|| ek.encapsulate_into(|m| rng.try_fill_bytes(m), &mut c, &mut k)));
        assert!(outcome.is_err(), "a panic");
        assert!(c.as_ref().iter().chain(&k).all(|byte| *byte == OLD), "written to in spite of the panic");
    }
    each!(check);
}

/// Good values of each format.
fn formats<S: Set>() -> [(Format, Vec<u8>); 5] {
    let mut random = Random::new("formats");
    let seed = random.seed();
    let dk = S::from_seed(&seed);
    let (ciphertext, secret) = S::ek(&dk).encapsulate_deterministic(&random.array());
    [
        (EncapsulationKey, S::ek(&dk).as_bytes().as_ref().to_vec()),
        (DecapsulationKey, S::expanded(&dk)),
        (Ciphertext, ciphertext.as_bytes().as_ref().to_vec()),
        (Format::Seed, seed.as_bytes().to_vec()),
        (Format::SharedSecret, secret.as_bytes().to_vec()),
    ]
}

/// Every parser on some bytes: each must come to the outcome that the bytes have.
fn parse<S: Set>(bytes: &[u8], what: impl Fn() -> String) {
    for (name, format, parser) in parsers::<S>() {
        let expected = format.outcome::<S>(bytes).map(|()| bytes);
        assert_eq!(parser(bytes).as_deref(), expected.as_ref().copied(), "{} {name}: {}", S::NAME, what());
    }
}

#[test]
fn every_length_has_its_answer() {
    fn check<S: Set>(_: Selected) {
        for (format, good) in formats::<S>() {
            assert_eq!(format.outcome::<S>(&good), Ok(()), "the judge accepts what is good");
            let longer = [&good[..], &[0; 3]].concat();
            for length in 0..=longer.len() {
                parse::<S>(&longer[..length], || format!("{length} bytes of {format:?}"));
            }
        }
        // What another parameter set made.
        for others in [formats::<MlKem512>(), formats::<MlKem768>(), formats::<MlKem1024>()] {
            for (format, good) in others {
                parse::<S>(&good, || format!("{format:?} of {} bytes, of any set", good.len()));
            }
        }
    }
    each!(check);
}

/// Each byte of a key set to 0xff. A refused key gives one error, whichever check refused it, and no secret.
#[test]
fn every_byte_set_to_ones() {
    fn check<S: Set>(_: Selected) {
        let [(_, ek), (_, expanded), (_, ciphertext), ..] = formats::<S>();
        let ciphertext = api::Ciphertext::<S>::try_from(&ciphertext[..]).expect("the right length");
        for (format, good) in [(EncapsulationKey, ek), (DecapsulationKey, expanded)] {
            let mut refused = 0;
            for at in (0..good.len()).step_by(scale()) {
                let mut damaged = good.clone();
                damaged[at] = 0xff;
                let what = || format!("{format:?}, byte {at} set to 0xff");
                parse::<S>(&damaged, what);
                let outcome = format.outcome::<S>(&damaged);
                refused += outcome.is_err() as usize;
                if format == EncapsulationKey {
                    continue;
                }
                let mut secret = [OLD; 32];
                let bytes = sized(&damaged).expect("its length");
                let found = api::DecapsulationKey::decapsulate_expanded_into(bytes, &ciphertext, &mut secret);
                assert_eq!(found, outcome, "{} {}", S::NAME, what());
                let expected = match S::dk(&damaged) {
                    Ok(key) => *key.decapsulate(&ciphertext).as_bytes(),
                    Err(_) => [0; 32],
                };
                assert_eq!(secret, expected, "{} {}", S::NAME, what());
                let found = S::decapsulate_expanded(&damaged, &ciphertext);
                assert_eq!(found, outcome.map(|()| SharedSecret::from(expected)), "{} {}", S::NAME, what());
            }
            assert!(refused > 0 && refused < good.len(), "both outcomes are seen");
        }
    }
    each!(check);
}

/// What memory held before does not shine through.
#[test]
fn outputs_are_written_whole() {
    fn check<S: Set>(_: Selected) {
        let mut random = Random::new("whole outputs");
        let (seed, m) = (random.seed(), random.array());
        let dk = S::from_seed(&seed);
        let (ciphertext, _) = S::ek(&dk).encapsulate_deterministic(&m);
        let written = [0, 0xff, OLD].map(|old| {
            let (mut expanded, mut c) =
                (array::<S::DecapsulationKeyBytes>(old), array::<S::CiphertextBytes>(old));
            let mut k = [[old; 32]; 3];
            api::DecapsulationKey::<S>::expand_into(&seed, &mut expanded);
            let fill = |to: &mut [u8; 32]| {
                *to = m;
                Ok::<(), Error>(())
            };
            S::ek(&dk).encapsulate_into(fill, &mut c, &mut k[0]).expect("it does not fail");
            dk.decapsulate_into(&ciphertext, &mut k[1]);
            api::DecapsulationKey::decapsulate_expanded_into(&expanded, &ciphertext, &mut k[2])
                .expect("a good key");
            (expanded, c, k)
        });
        assert_eq!(written[0].0.as_ref(), S::expanded(&dk));
        assert_eq!(&written[0].1, ciphertext.as_bytes());
        assert!(written[0].2.iter().all(|k| *k == written[0].2[0]), "all share the secret");
        assert!(written.iter().all(|one| *one == written[0]), "{}", S::NAME);
    }
    each!(check);
}
