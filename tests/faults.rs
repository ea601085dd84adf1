//! What happens when something goes wrong around the library: generators that fail or panic, bytes that are cut short,
//! too long, damaged or of another format. Errors and nothing else come of it: nothing is half written, and nothing that
//! follows is disturbed.

mod support;

use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use kemstone::backend::select::Selected;
use kemstone::{Error, Seed, SharedSecret, ml_kem_512, ml_kem_768, ml_kem_1024};
use rand_core::{TryCryptoRng, TryRng};
use support::{MlKem512, MlKem768, MlKem1024, Random, Set, coefficient, each, scale, sha3_256};

// No room for anything of the bytes that were refused.
const _: () = assert!(size_of::<Error>() == 1);

/// What a parser reads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    EncapsulationKey,
    /// Expanded, or its seed where `from_seed`.
    DecapsulationKey {
        from_seed: bool,
    },
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
            DecapsulationKey { from_seed: true } if bytes.len() == 64 => return Ok(()),
            EncapsulationKey => {
                let right = bytes.len() == S::EK;
                (right, right && reduced(bytes), Error::EncapsulationKey)
            }
            DecapsulationKey { .. } => {
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
type Operation<S> = (&'static str, usize, fn(&mut Faulty, &<S as Set>::Ek) -> Result<Vec<u8>, Dry>);

/// The whole public API of one parameter set, as far as it can fail.
trait Fallible: Set {
    /// Every way from bytes to a value.
    const PARSERS: &[Parser];
    /// Every way from a generator to a value.
    const OPERATIONS: &[Operation<Self>];
    /// An expanded key to a secret in memory that holds something.
    fn decapsulate_expanded_into(expanded: &[u8], ct: &Self::Ct, secret: &mut [u8; 32]) -> Result<(), Error>;
}

/// The array of the right length.
fn sized<const L: usize>(bytes: &[u8]) -> Result<&[u8; L], Error> {
    bytes.try_into().map_err(|_| Error::Length)
}

/// What memory holds before an operation writes to it.
const OLD: u8 = 0xa5;

/// One value made of both results of an encapsulation.
fn joined(both: (impl AsRef<[u8]>, SharedSecret)) -> Vec<u8> {
    [both.0.as_ref(), both.1.as_ref()].concat()
}

macro_rules! fallible {
    ($name:ident, $module:ident) => {
        impl Fallible for $name {
            const PARSERS: &[Parser] = {
                use $module::{
                    Ciphertext as Ct, DecapsulationKey as Dk, EncapsulationKey as Ek,
                    PreparedDecapsulationKey as PreparedDk, PreparedEncapsulationKey as PreparedEk,
                };
                const OF_SEED: Format = DecapsulationKey { from_seed: true };
                const EXPANDED: Format = DecapsulationKey { from_seed: false };
                &[
                    ("EncapsulationKey::try_from", EncapsulationKey, |b| {
                        Ek::try_from(b).map(|key| key.to_bytes().to_vec())
                    }),
                    ("EncapsulationKey::from_bytes", EncapsulationKey, |b| {
                        Ek::from_bytes(sized(b)?).map(|key| key.to_bytes().to_vec())
                    }),
                    ("PreparedEncapsulationKey::try_from", EncapsulationKey, |b| {
                        PreparedEk::try_from(b).map(|key| key.to_bytes().to_vec())
                    }),
                    ("PreparedEncapsulationKey::from_bytes", EncapsulationKey, |b| {
                        PreparedEk::from_bytes(sized(b)?).map(|key| key.to_bytes().to_vec())
                    }),
                    ("DecapsulationKey::try_from", OF_SEED, |b| {
                        let key = Dk::try_from(b)?;
                        Ok(key
                            .to_seed()
                            .map_or(key.as_expanded_bytes().to_vec(), |d_z| d_z.as_bytes().to_vec()))
                    }),
                    ("DecapsulationKey::from_expanded_bytes", EXPANDED, |b| {
                        Dk::from_expanded_bytes(sized(b)?).map(|key| key.as_expanded_bytes().to_vec())
                    }),
                    ("PreparedDecapsulationKey::try_from", OF_SEED, |b| {
                        let key = PreparedDk::try_from(b)?;
                        Ok(key
                            .to_seed()
                            .map_or(key.as_expanded_bytes().to_vec(), |d_z| d_z.as_bytes().to_vec()))
                    }),
                    ("PreparedDecapsulationKey::from_expanded_bytes", EXPANDED, |b| {
                        PreparedDk::from_expanded_bytes(sized(b)?).map(|key| key.as_expanded_bytes().to_vec())
                    }),
                    ("Ciphertext::try_from", Ciphertext, |b| Ct::try_from(b).map(|c| c.to_bytes().to_vec())),
                    ("Seed::try_from", Format::Seed, |b| {
                        Seed::try_from(b).map(|d_z| d_z.as_bytes().to_vec())
                    }),
                    ("SharedSecret::try_from", Format::SharedSecret, |b| {
                        SharedSecret::try_from(b).map(|secret| secret.as_bytes().to_vec())
                    }),
                ]
            };

            const OPERATIONS: &[Operation<Self>] = {
                use $module::{
                    CIPHERTEXT_SIZE, DecapsulationKey as Dk, EncapsulationKey as Ek,
                    PreparedDecapsulationKey as PreparedDk, PreparedEncapsulationKey as PreparedEk,
                };
                &[
                    ("DecapsulationKey::try_generate_from_rng", 64, |rng, _| {
                        Dk::try_generate_from_rng(rng).map(|key| key.as_expanded_bytes().to_vec())
                    }),
                    ("DecapsulationKey::generate_with", 64, |rng, _| {
                        Dk::generate_with(|d_z| rng.try_fill_bytes(d_z))
                            .map(|key| key.as_expanded_bytes().to_vec())
                    }),
                    ("PreparedDecapsulationKey::try_generate_from_rng", 64, |rng, _| {
                        PreparedDk::try_generate_from_rng(rng).map(|key| key.as_expanded_bytes().to_vec())
                    }),
                    ("PreparedDecapsulationKey::generate_with", 64, |rng, _| {
                        PreparedDk::generate_with(|d_z| rng.try_fill_bytes(d_z))
                            .map(|key| key.as_expanded_bytes().to_vec())
                    }),
                    ("EncapsulationKey::try_encapsulate_with_rng", 32, |rng, ek| {
                        ek.try_encapsulate_with_rng(rng).map(joined)
                    }),
                    ("EncapsulationKey::encapsulate_with", 32, |rng, ek| {
                        ek.encapsulate_with(|m| rng.try_fill_bytes(m)).map(joined)
                    }),
                    ("EncapsulationKey::encapsulate_into", 32, |rng, ek| {
                        let (mut c, mut k) = ([OLD; CIPHERTEXT_SIZE], [OLD; 32]);
                        let outcome = ek.encapsulate_into(|m| rng.try_fill_bytes(m), &mut c, &mut k);
                        untouched_or(outcome, &[&c, &k])
                    }),
                    ("EncapsulationKey::encapsulate_encoded_with", 32, |rng, ek| {
                        Ek::encapsulate_encoded_with(ek.as_bytes(), |m| rng.try_fill_bytes(m)).map(joined)
                    }),
                    ("EncapsulationKey::encapsulate_encoded_into", 32, |rng, ek| {
                        let (mut c, mut k) = ([OLD; CIPHERTEXT_SIZE], [OLD; 32]);
                        let fill = |m: &mut [u8; 32]| rng.try_fill_bytes(m);
                        let outcome = Ek::encapsulate_encoded_into(ek.as_bytes(), fill, &mut c, &mut k);
                        untouched_or(outcome, &[&c, &k])
                    }),
                    ("PreparedEncapsulationKey::try_encapsulate_with_rng", 32, |rng, ek| {
                        PreparedEk::new(ek).try_encapsulate_with_rng(rng).map(joined)
                    }),
                    ("PreparedEncapsulationKey::encapsulate_with", 32, |rng, ek| {
                        PreparedEk::new(ek).encapsulate_with(|m| rng.try_fill_bytes(m)).map(joined)
                    }),
                    ("PreparedEncapsulationKey::encapsulate_into", 32, |rng, ek| {
                        let (mut c, mut k) = ([OLD; CIPHERTEXT_SIZE], [OLD; 32]);
                        let outcome =
                            PreparedEk::new(ek).encapsulate_into(|m| rng.try_fill_bytes(m), &mut c, &mut k);
                        untouched_or(outcome, &[&c, &k])
                    }),
                ]
            };

            fn decapsulate_expanded_into(
                expanded: &[u8],
                ct: &Self::Ct,
                secret: &mut [u8; 32],
            ) -> Result<(), Error> {
                Self::Dk::decapsulate_expanded_into(sized(expanded)?, ct, secret)
            }
        }
    };
}

fallible!(MlKem512, ml_kem_512);
fallible!(MlKem768, ml_kem_768);
fallible!(MlKem1024, ml_kem_1024);

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

impl From<Error> for Dry {
    fn from(error: Error) -> Self {
        panic!("of a good key: {error}")
    }
}

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
fn key<S: Set>(name: &str) -> S::Dk {
    S::from_seed(&Random::new(name).seed())
}

/// A program of all operations that draw randomness, one after the other, and its generator fails once: at each call, after
/// each number of bytes. That one operation gives the generator's error, all others what they would have given.
#[test]
fn a_generator_that_fails_once_spoils_one_operation() {
    fn check<S: Fallible>(_: Selected) {
        let ek = S::ek(&key::<S>("faulty generator"));
        let run = |fault| {
            let mut rng = Faulty::new(fault);
            let outcomes: Vec<_> = S::OPERATIONS.iter().map(|(_, _, f)| f(&mut rng, &ek)).collect();
            assert_eq!(rng.calls, S::OPERATIONS.len(), "each draws once, whatever happened before");
            outcomes
        };
        let good = run(None);
        assert!(good.iter().all(Result::is_ok));
        for (failing, (name, length, _)) in S::OPERATIONS.iter().enumerate() {
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
    fn check<S: Fallible>(_: Selected) {
        let ek = S::ek(&key::<S>("panicking generator"));
        for (name, length, operation) in S::OPERATIONS {
            let dry = Dry(0, *length);
            let mut rng = Faulty { panics: true, ..Faulty::new(Some(dry)) };
            let panic = catch_unwind(AssertUnwindSafe(|| operation(&mut rng, &ek))).expect_err("a panic");
            assert_eq!(panic.downcast_ref(), Some(&dry), "{} {name}", S::NAME);
        }
        let (mut c, mut k) = (vec![OLD; S::CT], [OLD; 32]);
        let mut rng = Faulty { panics: true, ..Faulty::new(Some(Dry(0, 32))) };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            S::encapsulate_into(&ek, |m| rng.try_fill_bytes(m), &mut c, &mut k)
        }));
        assert!(outcome.is_err(), "a panic");
        assert!(c.iter().chain(&k).all(|byte| *byte == OLD), "written to in spite of the panic");
        let mut rng = Faulty { panics: true, ..Faulty::new(Some(Dry(0, 32))) };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            S::encapsulate_encoded_into(ek.as_ref(), |m| rng.try_fill_bytes(m), &mut c, &mut k)
        }));
        assert!(outcome.is_err(), "a panic");
        assert!(c.iter().chain(&k).all(|byte| *byte == OLD), "written to in spite of the panic, in one pass");
    }
    each!(check);
}

/// Good values of each format.
fn formats<S: Set>() -> [(Format, Vec<u8>); 6] {
    let mut random = Random::new("formats");
    let seed = random.seed();
    let dk = S::from_seed(&seed);
    let (ciphertext, secret) = S::encapsulate_deterministic(&S::ek(&dk), &random.array());
    [
        (EncapsulationKey, S::ek(&dk).as_ref().to_vec()),
        (DecapsulationKey { from_seed: false }, S::expanded_copy(&dk)),
        (DecapsulationKey { from_seed: true }, seed.as_bytes().to_vec()),
        (Ciphertext, ciphertext.as_ref().to_vec()),
        (Format::Seed, seed.as_bytes().to_vec()),
        (Format::SharedSecret, secret.as_bytes().to_vec()),
    ]
}

/// Every parser on some bytes: each must come to the outcome that the bytes have.
fn parse<S: Fallible>(bytes: &[u8], what: impl Fn() -> String) {
    for (name, format, parser) in S::PARSERS {
        let expected = format.outcome::<S>(bytes).map(|()| bytes);
        assert_eq!(parser(bytes).as_deref(), expected.as_ref().copied(), "{} {name}: {}", S::NAME, what());
    }
}

#[test]
fn every_length_has_its_answer() {
    fn check<S: Fallible>(_: Selected) {
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
    fn check<S: Fallible>(_: Selected) {
        let [(_, ek), (_, expanded), _, (_, ciphertext), ..] = formats::<S>();
        let ciphertext = S::Ct::try_from(&ciphertext[..]).expect("the right length");
        for (format, good) in [(EncapsulationKey, ek), (DecapsulationKey { from_seed: false }, expanded)] {
            let mut refused = 0;
            for at in (0..good.len()).step_by(scale()) {
                let mut damaged = good.clone();
                damaged[at] = 0xff;
                let what = || format!("{format:?}, byte {at} set to 0xff");
                parse::<S>(&damaged, what);
                let outcome = format.outcome::<S>(&damaged);
                refused += outcome.is_err() as usize;
                if format == EncapsulationKey {
                    let (mut c, mut k) = (vec![OLD; S::CT], [OLD; 32]);
                    let found = S::encapsulate_encoded_into(&damaged, |_| Ok(()), &mut c, &mut k);
                    assert_eq!(found, outcome, "{} {}", S::NAME, what());
                    let found = untouched_or(found, &[&c, &k]);
                    let expected = S::Ek::try_from(&damaged[..]);
                    let expected = expected.map(|key| joined(S::encapsulate_deterministic(&key, &[0; 32])));
                    assert_eq!(found, expected, "{} {}", S::NAME, what());
                    let found = S::encapsulate_encoded_with(&damaged, |_| Ok(())).map(joined);
                    assert_eq!(found, expected, "{} {}", S::NAME, what());
                    assert_eq!(S::encapsulate_encoded(&damaged).map(drop), outcome, "{} {}", S::NAME, what());
                    continue;
                }
                let mut secret = [OLD; 32];
                let found = S::decapsulate_expanded_into(&damaged, &ciphertext, &mut secret);
                assert_eq!(found, outcome, "{} {}", S::NAME, what());
                let expected = match S::Dk::try_from(&damaged[..]) {
                    Ok(key) => *S::decapsulate(&key, &ciphertext).as_bytes(),
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
    fn check<S: Fallible>(_: Selected) {
        let mut random = Random::new("whole outputs");
        let (seed, m) = (random.seed(), random.array());
        let dk = S::from_seed(&seed);
        let (ciphertext, _) = S::encapsulate_deterministic(&S::ek(&dk), &m);
        let written = [0, 0xff, OLD].map(|old| {
            let (mut expanded, mut c, mut k) =
                (vec![old; S::DK], [(); 2].map(|()| vec![old; S::CT]), [[old; 32]; 4]);
            S::expand_into(&seed, &mut expanded);
            let fill = |to: &mut [u8; 32]| {
                *to = m;
                Ok::<(), Error>(())
            };
            S::encapsulate_into(&S::ek(&dk), fill, &mut c[0], &mut k[0]).expect("it does not fail");
            S::encapsulate_encoded_into(S::ek(&dk).as_ref(), fill, &mut c[1], &mut k[3]).expect("a good key");
            S::decapsulate_into(&dk, &ciphertext, &mut k[1]);
            S::decapsulate_expanded_into(&expanded, &ciphertext, &mut k[2]).expect("a good key");
            (expanded, c, k)
        });
        assert_eq!(written[0].0, S::expanded(&dk));
        assert!(written[0].1.iter().all(|c| c == ciphertext.as_ref()));
        assert!(written[0].2.iter().all(|k| *k == written[0].2[0]), "all share the secret");
        assert!(written.iter().all(|one| *one == written[0]), "{}", S::NAME);
    }
    each!(check);
}
