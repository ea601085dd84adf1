//! What must hold of the public API for all keys, ciphertexts and bytes, on every backend.
#![allow(clippy::integer_division_remainder_used)] // positions in public test data, never a secret

#[allow(dead_code)] // the conformance suite uses the rest
#[path = "../src/backend/model.rs"]
mod model;
mod support;

use core::convert::Infallible;
use core::fmt::Debug;
use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Mutex;

use kemstone::backend::poly::N;
use kemstone::backend::select::Selected;
// `model` finds them here.
use kemstone::backend::poly;
use kemstone::sponge;
use kemstone::{
    Ciphertext, DecapsulationKey, EncapsulationKey, Error, PreparedDecapsulationKey, Seed, SharedSecret,
};
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Strategy, any};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use support::{
    Random, Set, Source, array, coefficient, each, j, repair_hash, scale, scaled, set_coefficient,
};

/// Runs a property on random values of a strategy; failures are shrunk and shown. The runner is compiled once for each type of
/// values, and not for each strategy and property.
fn for_all<T: Debug + 'static>(
    cases: usize,
    values: impl Strategy<Value = T> + 'static,
    property: impl Fn(T),
) {
    run(cases, values.boxed(), &property);
}

fn run<T: Debug>(cases: usize, values: BoxedStrategy<T>, property: &dyn Fn(T)) {
    let cases = scaled(cases) as u32;
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&values, |value| {
        property(value);
        Ok::<(), TestCaseError>(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

fn bytes32() -> impl Strategy<Value = [u8; 32]> {
    any::<[u8; 32]>()
}

fn seeds() -> impl Strategy<Value = [u8; 64]> {
    (bytes32(), bytes32()).prop_map(|(d, z)| {
        let mut seed = [0; 64];
        seed[..32].copy_from_slice(&d);
        seed[32..].copy_from_slice(&z);
        seed
    })
}

fn parse_dk<S: Set>(bytes: &[u8]) -> Result<DecapsulationKey<S>, Error> {
    let parsed = S::dk(bytes);
    if bytes.len() == S::DK {
        let once = S::decapsulate_expanded(bytes, &ct::<S>(&vec![0; S::CT]));
        assert_eq!(once.err(), parsed.as_ref().err().copied(), "in one pass or two");
    }
    parsed
}

fn ct<S: Set>(bytes: &[u8]) -> Ciphertext<S> {
    Ciphertext::<S>::try_from(bytes).expect("the right length")
}

/// z of an expanded key.
fn z<S: Set>(dk: &DecapsulationKey<S>) -> Vec<u8> {
    S::expanded(dk)[S::DK - 32..].to_vec()
}

/// A key pair from a name.
fn key<S: Set>(name: &str) -> DecapsulationKey<S> {
    S::from_seed(&Random::new(name).seed())
}

#[test]
fn both_sides_agree() {
    fn check<S: Set>(_: Selected) {
        for_all(100, (seeds(), bytes32()), |(seed, m)| {
            let dk = S::from_seed(&Seed::from(seed));
            let ek = S::ek(&dk);
            let (ciphertext, secret) = ek.encapsulate_deterministic(&m);
            assert_eq!(S::decapsulate_every_way(&dk, &ciphertext), secret);
            assert_eq!(dk.check_pairwise_consistency(), Ok(()));
            // Other m, other seed: another secret.
            let mut other = m;
            other[31] ^= 0x80;
            let (other_ciphertext, other_secret) = ek.encapsulate_deterministic(&other);
            assert_ne!(other_ciphertext, ciphertext);
            assert_ne!(other_secret, secret);
            let mut other = seed;
            other[0] ^= 1;
            let stranger = S::from_seed(&Seed::from(other));
            assert_eq!(
                *stranger.decapsulate(&ciphertext).as_bytes(),
                j(&seed[32..], ciphertext.as_bytes().as_ref())
            );
        });
    }
    each!(check);
}

#[test]
fn with_the_operating_systems_randomness() {
    fn check<S: Set>(_: Selected) {
        let made = || DecapsulationKey::<S>::generate().expect("randomness");
        let (one, two) = (made(), made());
        assert_ne!(S::expanded(&one), S::expanded(&two));
        let (ciphertext, secret) = S::ek(&one).encapsulate().expect("randomness");
        let (again, other) = S::ek(&one).encapsulate().expect("randomness");
        assert_eq!(one.decapsulate(&ciphertext), secret);
        assert_ne!(ciphertext, again);
        assert_ne!(secret, other);
    }
    each!(check);
}

#[test]
fn serialisation_goes_both_ways() {
    fn check<S: Set>(_: Selected) {
        for_all(50, (seeds(), bytes32()), |(seed, m)| {
            let seed = Seed::from(seed);
            let dk = S::from_seed(&seed);
            let ek = S::ek(&dk);
            let (ciphertext, _) = ek.encapsulate_deterministic(&m);
            assert_eq!((ek.as_bytes().as_ref().len(), ciphertext.as_bytes().as_ref().len()), (S::EK, S::CT));
            assert_eq!(EncapsulationKey::<S>::try_from(ek.as_bytes().as_ref()), Ok(ek.clone()));
            assert_eq!(Ciphertext::<S>::try_from(ciphertext.as_bytes().as_ref()), Ok(ciphertext.clone()));

            // From the seed, and from the expanded form, which has forgotten d.
            let from_seed = DecapsulationKey::<S>::from(seed.clone());
            let from_expanded = parse_dk::<S>(&S::expanded(&dk)).expect("a good key");
            assert_eq!(dk.to_seed(), Some(seed.clone()));
            assert_eq!(from_seed.to_seed(), Some(seed.clone()));
            assert_eq!(from_expanded.to_seed(), None);
            for again in [&from_seed, &from_expanded] {
                assert_eq!(S::expanded(again), S::expanded(&dk));
                assert_eq!(S::ek(again), ek);
                assert_eq!(again.decapsulate(&ciphertext), dk.decapsulate(&ciphertext));
            }

            // dk_PKE || ek || H(ek) || z
            let expanded = S::expanded(&dk);
            assert_eq!(expanded.len(), S::DK);
            assert_eq!(&expanded[384 * S::K..768 * S::K + 32], ek.as_bytes().as_ref());
            assert_eq!(expanded[768 * S::K + 32..768 * S::K + 64], support::sha3_256(ek.as_bytes().as_ref()));
            assert_eq!(expanded[768 * S::K + 64..], seed.as_bytes()[32..]);
        });
    }
    each!(check);
}

#[test]
fn every_flipped_bit_of_a_ciphertext_is_rejected_implicitly() {
    fn check<S: Set>(_: Selected) {
        let dk = key::<S>("flipped bits");
        let (ciphertext, secret) = S::ek(&dk).encapsulate_deterministic(&[2; 32]);
        assert_eq!(S::decapsulate_every_way(&dk, &ciphertext), secret);
        // The three ways through the arithmetic; that functions which share one agree is tested elsewhere.
        let (prepared, expanded) = (PreparedDecapsulationKey::boxed(&dk), dk.to_expanded_bytes());
        let z = z::<S>(&dk);
        for bit in (0..8 * S::CT).step_by(scale()) {
            let mut forged = ciphertext.as_bytes().as_ref().to_vec();
            forged[bit / 8] ^= 1 << (bit % 8);
            let (rejected, forged) = (SharedSecret::from(j(&z, &forged)), ct::<S>(&forged));
            assert_eq!(dk.decapsulate(&forged), rejected, "{}, bit {bit}", S::NAME);
            assert_eq!(prepared.decapsulate(&forged), rejected, "{}, bit {bit}, prepared", S::NAME);
            let once = DecapsulationKey::decapsulate_expanded(expanded.as_bytes(), &forged);
            assert_eq!(once, Ok(rejected), "{}, bit {bit}, expanded", S::NAME);
        }
    }
    each!(check);
}

/// The message in a ciphertext (FIPS 203, Algorithm 15), by the model.
fn message<S: Set>(expanded: &[u8], c: &[u8]) -> Vec<u8> {
    let (du, dv) = if S::K == 4 { (11, 5) } else { (10, 4) };
    let (c1, c2) = c.split_at(32 * du as usize * S::K);
    let opened = |d: u32, bytes: &[u8]| model::byte_decode(d, bytes).map(|y| model::decompress(d, y));
    // -s . u in T_q, and back by the definition of the transform.
    let mut product = [0; N];
    for (s, u) in expanded.chunks(384).zip(c1.chunks(32 * du as usize)) {
        let (s, u) = (model::byte_decode(12, s), model::ntt(&opened(du, u)));
        for i in (0..N).step_by(2) {
            let gamma = model::power(17, 2 * model::bit_rev7(i >> 1) + 1);
            product[i] = model::mod_q(product[i] - s[i] * u[i] - model::mod_q(s[i + 1] * u[i + 1]) * gamma);
            product[i + 1] = model::mod_q(product[i + 1] - s[i] * u[i + 1] - s[i + 1] * u[i]);
        }
    }
    let mut w = opened(dv, c2);
    for i in 0..N >> 1 {
        let inverse = model::power(model::power(17, 2 * model::bit_rev7(i) + 1), 255);
        let mut power = 3303; // 128^-1
        for j in (0..N).step_by(2) {
            w[j] = model::mod_q(w[j] + power * product[2 * i]);
            w[j + 1] = model::mod_q(w[j + 1] + power * product[2 * i + 1]);
            power = model::mod_q(power * inverse);
        }
    }
    model::byte_encode(1, &w.map(|w| model::compress(1, w)))
}

/// Ciphertexts with two bytes changed so that the differences cancel where they are added up instead of collected by "or".
/// The model says that they still hold the message `m`, so these bytes are all that re-encryption gives otherwise.
fn cancelling<S: Set>(expanded: &[u8], c: &[u8], m: &[u8]) -> Vec<Vec<u8>> {
    let d = if S::K == 4 { 11 } else { 10 };
    // Bytes of u of which this bit is a low one of a number, so that it may change without harm to the message.
    let quiet = |bit: usize| {
        let all: Vec<usize> = (0..32 * d * S::K).filter(|byte| (8 * byte + bit) % d <= 4).collect();
        all
    };
    type Change = fn(u8, u8) -> (u8, u8);
    let changes: [(usize, usize, Change); 4] = [
        // In the highest byte of words of any length, whichever that is, this is all of a sum.
        (7, 7, |a, b| (a ^ 0x80, b ^ 0x80)),
        (0, 0, |a, b| (a ^ 0x01, b ^ 0x01)),
        (5, 6, |a, b| (a ^ 0x40, b ^ 0xc0)),
        (0, 0, |a, b| (a.wrapping_add(1), b.wrapping_sub(1))),
    ];
    let mut all = Vec::new();
    for (n, (bit_of_one, bit_of_two, change)) in changes.into_iter().enumerate() {
        let (one, two) = (quiet(bit_of_one), quiet(bit_of_two));
        let mut pairs = Vec::new();
        for (turn, &i) in one.iter().enumerate() {
            // The next one, the next one in the same place of a word, and one far away.
            pairs.extend(two.iter().find(|&&j| j > i).map(|&j| (i, j)));
            pairs.extend(two.iter().find(|&&j| j > i && (j - i) % 8 == 0).map(|&j| (i, j)));
            pairs.push((i, two[(turn * 31 + 17) % two.len()]));
        }
        pairs.retain(|(i, j)| i != j);
        let (mut found, mut ends_of_words) = (0, [0; 8]);
        for &(i, j) in pairs.iter().step_by(11 * scale()) {
            let mut forged = c.to_vec();
            (forged[i], forged[j]) = change(c[i], c[j]);
            if message::<S>(expanded, &forged) == m {
                all.push(forged);
                found += 1;
                ends_of_words[i % 8] += usize::from(i.abs_diff(j) % 8 == 0);
            }
        }
        let enough = found >= 40 && (n > 0 || ends_of_words[0].min(ends_of_words[7]) > 0);
        assert!(
            enough || scale() > 1,
            "{}, change {n}: {found} of {}, {ends_of_words:?}",
            S::NAME,
            pairs.len()
        );
    }
    all
}

#[test]
fn differences_that_cancel_are_rejected_implicitly() {
    // The same for every backend: the model takes its time.
    static FORGED: Mutex<[Vec<Vec<u8>>; 3]> = Mutex::new([const { Vec::new() }; 3]);
    fn check<S: Set>(_: Selected) {
        let dk = key::<S>("differences that cancel");
        let m = [6; 32];
        let (ciphertext, secret) = S::ek(&dk).encapsulate_deterministic(&m);
        assert_eq!(S::decapsulate_every_way(&dk, &ciphertext), secret);
        let mut forged = FORGED.lock().expect("nobody panics with the lock");
        let forged = &mut forged[S::K - 2];
        if forged.is_empty() {
            assert_eq!(message::<S>(&S::expanded(&dk), ciphertext.as_bytes().as_ref()), m);
            *forged = cancelling::<S>(&S::expanded(&dk), ciphertext.as_bytes().as_ref(), &m);
        }
        assert!(!forged.is_empty());
        for forged in forged {
            let rejected = S::decapsulate_every_way(&dk, &ct::<S>(forged));
            let places: Vec<_> =
                (0..S::CT).filter(|i| forged[*i] != ciphertext.as_bytes().as_ref()[*i]).collect();
            assert_eq!(*rejected.as_bytes(), j(&z::<S>(&dk), forged), "{}, bytes {places:?}", S::NAME);
        }
    }
    each!(check);
}

/// The hash of a key is compared in the same way.
#[test]
fn hashes_that_differ_in_two_places_are_refused() {
    fn check<S: Set>(_: Selected) {
        let dk = key::<S>("hashes that differ");
        let start = S::DK - 64;
        let pairs = (0..32).flat_map(|i| (0..i).map(move |j| (i, j)));
        for (i, j) in pairs.step_by(scale()) {
            for (x, y) in [(0x80, 0x80), (1, 1), (1, 0xff), (0x40, 0xc0)] {
                let mut damaged = S::expanded(&dk);
                damaged[start + i] ^= x;
                damaged[start + j] ^= y;
                let outcome = parse_dk::<S>(&damaged).err();
                assert_eq!(outcome, Some(Error::DecapsulationKey), "{}, bytes {i} and {j}", S::NAME);
            }
        }
    }
    each!(check);
}

#[test]
fn ciphertexts_nobody_made_are_rejected_implicitly() {
    fn check<S: Set>(_: Selected) {
        let dk = key::<S>("forged ciphertexts");
        for byte in 0..=0xff {
            let forged = vec![byte; S::CT];
            assert_eq!(*dk.decapsulate(&ct::<S>(&forged)).as_bytes(), j(&z::<S>(&dk), &forged), "{byte:#x}");
        }
        for_all(100, vec(any::<u8>(), S::CT), |forged| {
            assert_eq!(*dk.decapsulate(&ct::<S>(&forged)).as_bytes(), j(&z::<S>(&dk), &forged));
        });
    }
    each!(check);
}

/// A flipped bit in the encapsulation key or its hash is noticed; one in s is only if it lifts a number to q or above;
/// one in z never is.
#[test]
fn every_flipped_bit_of_a_decapsulation_key() {
    fn check<S: Set>(_: Selected) {
        let expanded = S::expanded(&key::<S>("flipped bits of a key"));
        let (s_end, ek_end, z_start) = (384 * S::K, 768 * S::K + 32, 768 * S::K + 64);
        for bit in (0..8 * S::DK).step_by(scale()) {
            let mut damaged = expanded.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let good = match bit / 8 {
                byte if byte < s_end => coefficient(&damaged[..s_end], bit / 12) < 3329,
                byte => byte >= z_start,
            };
            let expected = if good { None } else { Some(Error::DecapsulationKey) };
            assert_eq!(parse_dk::<S>(&damaged).err(), expected, "{}, bit {bit}", S::NAME);

            // Alone, an encapsulation key has no hash: only its numbers are looked at.
            if (s_end..ek_end).contains(&(bit / 8)) {
                let bit = bit - 8 * s_end;
                let ek = &damaged[s_end..ek_end];
                let good = bit / 12 >= 256 * S::K || coefficient(&ek[..s_end], bit / 12) < 3329;
                let expected = if good { None } else { Some(Error::EncapsulationKey) };
                assert_eq!(
                    EncapsulationKey::<S>::try_from(ek).err(),
                    expected,
                    "{}, bit {bit} of ek",
                    S::NAME
                );
            }
        }
    }
    each!(check);
}

#[test]
fn every_unreduced_number_is_refused() {
    fn check<S: Set>(_: Selected) {
        let dk = key::<S>("unreduced");
        let (good_ek, good_dk) = (S::ek(&dk), S::expanded(&dk));
        for place in (0..256 * S::K).step_by(scale()) {
            for value in [0, 3328, 3329, 3330, 4095] {
                let good = value < 3329;
                let mut ek = good_ek.as_bytes().as_ref().to_vec();
                set_coefficient(&mut ek[..384 * S::K], place, value);
                let expected = if good { None } else { Some(Error::EncapsulationKey) };
                assert_eq!(
                    EncapsulationKey::<S>::try_from(&ek[..]).err(),
                    expected,
                    "{}: {value} at {place} of ek",
                    S::NAME
                );

                // Inside dk, with the hash that belongs to it, so that nothing else is wrong.
                let mut expanded = good_dk.clone();
                set_coefficient(&mut expanded[384 * S::K..768 * S::K], place, value);
                repair_hash::<S>(&mut expanded);
                let expected = if good { None } else { Some(Error::DecapsulationKey) };
                assert_eq!(parse_dk::<S>(&expanded).err(), expected, "{}: {value} at {place} of t", S::NAME);

                let mut expanded = good_dk.clone();
                set_coefficient(&mut expanded[..384 * S::K], place, value);
                assert_eq!(parse_dk::<S>(&expanded).err(), expected, "{}: {value} at {place} of s", S::NAME);
            }
        }
    }
    each!(check);
}

/// No check of the bytes finds a wrong s with numbers below q: only using the key does.
#[test]
fn the_pairwise_test_finds_a_wrong_s() {
    fn check<S: Set>(_: Selected) {
        let dk = key::<S>("a wrong s");
        assert_eq!(dk.check_pairwise_consistency(), Ok(()));
        for place in (0..256 * S::K).step_by(scale()) {
            let mut expanded = S::expanded(&dk);
            let old = coefficient(&expanded[..384 * S::K], place);
            set_coefficient(&mut expanded[..384 * S::K], place, (old + 1000) % 3329);
            let damaged = parse_dk::<S>(&expanded).expect("nothing to be seen in the bytes");
            let outcome = damaged.check_pairwise_consistency();
            assert_eq!(outcome, Err(Error::DecapsulationKey), "{}, number {place} of s", S::NAME);
        }
        // A pair put together from two good ones.
        let other = key::<S>("another s");
        let mut mixed = S::expanded(&dk);
        mixed[..384 * S::K].copy_from_slice(&S::expanded(&other)[..384 * S::K]);
        let mixed = parse_dk::<S>(&mixed).expect("nothing to be seen in the bytes");
        assert_eq!(mixed.check_pairwise_consistency(), Err(Error::DecapsulationKey));
    }
    each!(check);
}

/// Bytes that differ from a good value in a few places, or in all of them, in the right length or another.
fn tampered(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = good.len();
    proptest::prop_oneof![
        vec(any::<u8>(), 0..=length + 8),
        vec(any::<u8>(), length),
        vec((0..length, any::<u8>()), 0..8).prop_map(move |changes| {
            let mut bytes = good.clone();
            changes.into_iter().for_each(|(at, byte)| bytes[at] = byte);
            bytes
        }),
    ]
}

/// Whatever the bytes: an answer or an error, no panic; and what has been accepted can be used.
#[test]
fn any_bytes_will_do() {
    fn check<S: Set>(_: Selected) {
        let dk = key::<S>("any bytes");
        let ek = S::ek(&dk);
        let (ciphertext, _) = ek.encapsulate_deterministic(&[3; 32]);
        for_all(
            300,
            tampered(ek.as_bytes().as_ref().to_vec()),
            |bytes| match EncapsulationKey::<S>::try_from(&bytes[..]) {
                Ok(ek) => {
                    assert_eq!(ek.as_bytes().as_ref(), bytes);
                    let _ = ek.encapsulate_deterministic(&[4; 32]);
                }
                Err(Error::Length) => assert_ne!(bytes.len(), S::EK),
                Err(error) => assert_eq!((bytes.len(), error), (S::EK, Error::EncapsulationKey)),
            },
        );
        for_all(300, (tampered(S::expanded(&dk)), any::<bool>()), |(mut bytes, repair)| {
            if repair && bytes.len() == S::DK {
                repair_hash::<S>(&mut bytes);
            }
            match parse_dk::<S>(&bytes) {
                Ok(dk) => {
                    let _ = dk.decapsulate(&ciphertext);
                    let _ = dk.check_pairwise_consistency();
                }
                Err(Error::Length) => assert_ne!(bytes.len(), S::DK),
                Err(error) => assert_eq!((bytes.len(), error), (S::DK, Error::DecapsulationKey)),
            }
        });
        for_all(300, tampered(ciphertext.as_bytes().as_ref().to_vec()), |bytes| {
            match Ciphertext::<S>::try_from(&bytes[..]) {
                Ok(ciphertext) => {
                    let _ = dk.decapsulate(&ciphertext);
                }
                Err(error) => assert_eq!(error, Error::Length),
            }
        });
        for_all(100, tampered(vec![0; 64]), |bytes| {
            assert_eq!(Seed::try_from(&bytes[..]).is_ok(), bytes.len() == 64);
            assert_eq!(SharedSecret::try_from(&bytes[..]).is_ok(), bytes.len() == 32);
        });
    }
    each!(check);
}

/// Keys with consistent hashes but numbers no key generation ever gives.
#[test]
fn any_consistent_key_can_be_used() {
    fn check<S: Set>(_: Selected) {
        let numbers = vec(0u16..3329, 512 * S::K);
        for_all(
            50,
            (numbers, vec(any::<u8>(), S::DK), vec(any::<u8>(), S::CT)),
            |(numbers, mut bytes, forged)| {
                for (place, number) in numbers.iter().enumerate() {
                    // s and then t_hat, which follow one another
                    set_coefficient(&mut bytes[..768 * S::K], place, *number);
                }
                repair_hash::<S>(&mut bytes);
                let dk = parse_dk::<S>(&bytes).expect("a consistent key");
                assert_eq!(*dk.decapsulate(&ct::<S>(&forged)).as_bytes(), j(&z::<S>(&dk), &forged));
                assert_eq!(dk.check_pairwise_consistency(), Err(Error::DecapsulationKey));
            },
        );
    }
    each!(check);
}

#[test]
fn randomness_is_drawn_in_one_piece_and_used_as_it_is() {
    fn check<S: Set>(_: Selected) {
        let seed: [u8; 64] = Random::new("the drawn seed").array();
        let m: [u8; 32] = Random::new("the drawn m").array();
        let expected = S::from_seed(&Seed::from(seed));

        let mut source = Source::new(&seed);
        let Ok(one) = DecapsulationKey::<S>::try_generate_from_rng(&mut source);
        assert_eq!(source.fills, [64]);
        let two = DecapsulationKey::<S>::generate_from_rng(&mut source);
        assert_eq!(source.fills, [64, 64]);
        let three = DecapsulationKey::<S>::generate_with(|bytes| {
            bytes.copy_from_slice(&seed);
            Ok::<(), Infallible>(())
        });
        let Ok(three) = three;
        for key in [&one, &two, &three] {
            assert_eq!(S::expanded(key), S::expanded(&expected));
            assert_eq!(key.to_seed(), Some(Seed::from(seed)));
        }
        let mut expanded = vec![0xaa; S::DK];
        S::expand_into(&Seed::from(seed), &mut expanded);
        assert_eq!(expanded, S::expanded(&expected));

        let ek = S::ek(&expected);
        let (ciphertext, secret) = ek.encapsulate_deterministic(&m);
        let mut source = Source::new(&m);
        let Ok(drawn) = ek.try_encapsulate_with_rng(&mut source);
        assert_eq!(source.fills, [32]);
        assert_eq!(drawn, (ciphertext.clone(), SharedSecret::from(*secret.as_bytes())));
        assert_eq!(ek.encapsulate_with_rng(&mut source), drawn);
        assert_eq!(source.fills, [32, 32]);
        let calls = Cell::new(0);
        let fill = |bytes: &mut [u8; 32]| {
            calls.set(calls.get() + 1);
            *bytes = m;
            Ok::<(), Infallible>(())
        };
        let Ok(filled) = ek.encapsulate_with(fill);
        assert_eq!(filled, drawn);
        let (mut c, mut k) = (array::<S::CiphertextBytes>(0xaa), [0xaa; 32]);
        let Ok(()) = ek.encapsulate_into(fill, &mut c, &mut k);
        assert_eq!((&c, k), (ciphertext.as_bytes(), *secret.as_bytes()));
        assert_eq!(calls.get(), 2);

        let mut k = [0xaa; 32];
        expected.decapsulate_into(&ciphertext, &mut k);
        assert_eq!(k, *secret.as_bytes());
        c.as_mut()[0] ^= 1;
        expected.decapsulate_into(&Ciphertext::from_bytes(&c), &mut k);
        assert_eq!(k, j(&seed[32..], c.as_ref()));
    }
    each!(check);
}

/// `Debug` output in every style a format string has.
fn shown(value: &dyn std::fmt::Debug) -> String {
    format!("{value:?} {value:#?} {value:x?} {value:X?} {value:02x?}").to_lowercase()
}

#[test]
fn debug_shows_no_secret() {
    fn check<S: Set>(_: Selected) {
        let seed = Random::new("debug").seed();
        let dk = S::from_seed(&seed);
        let (_, secret) = S::ek(&dk).encapsulate_deterministic(&[5; 32]);
        let expanded = S::expanded(&dk);
        let secrets = [seed.as_bytes(), &expanded[..384 * S::K], &expanded[S::DK - 32..], secret.as_bytes()];
        let texts = [shown(&dk), shown(&seed), shown(&secret), shown(&dk.to_seed())];
        for text in &texts {
            for bytes in secrets {
                for pair in bytes.windows(2) {
                    // In hex, or as a list of numbers in either base.
                    let [a, b] = [pair[0], pair[1]];
                    let hex = format!("{a:02x}{b:02x}");
                    // The last four bytes of the public key are shown, and hex of two bytes may turn up there.
                    let public = hex::encode(&S::ek(&dk).as_bytes().as_ref()[S::EK - 4..]);
                    assert!(!text.replace(&public, "").contains(&hex), "{hex} in {text}");
                    for list in [format!("{a}, {b}"), format!("{a:x}, {b:x}"), format!("{a:02x}, {b:02x}")] {
                        assert!(!text.contains(&list), "{list} in {text}");
                    }
                }
            }
        }
        assert_eq!(format!("{seed:?} {secret:?}"), "Seed(..) SharedSecret(..)");
        let end = hex::encode(&S::ek(&dk).as_bytes().as_ref()[S::EK - 4..]);
        assert_eq!(
            format!("{dk:?}"),
            format!("DecapsulationKey {{ public: EncapsulationKey(..{end}), .. }}")
        );
    }
    each!(check);
}

#[test]
fn secrets_compare_by_all_their_bytes() {
    let secret = SharedSecret::from([9; 32]);
    assert_eq!(secret, SharedSecret::from([9; 32]));
    for bit in 0..256 {
        let mut other = [9; 32];
        other[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(secret, SharedSecret::from(other), "bit {bit}");
    }
    let seed = Seed::from([9; 64]);
    assert_eq!(seed, seed.clone());
    for bit in 0..512 {
        let mut other = [9; 64];
        other[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(seed, Seed::from(other), "bit {bit}");
    }
}

/// Nor do differences in two bytes cancel, which they would if they were added up.
#[test]
fn secrets_that_differ_twice_are_not_equal() {
    for (i, j) in (0..64).flat_map(|i| (0..i).map(move |j| (i, j))) {
        for x in 1..=255_u8 {
            for (x, y) in [(x, x), (x, x.wrapping_neg())] {
                let mut other = [9; 64];
                other[i] ^= x;
                other[j] ^= y;
                assert_ne!(Seed::from([9; 64]), Seed::from(other), "bytes {i} and {j}");
                if i < 32 {
                    let other: [u8; 32] = *other.first_chunk().expect("64 bytes");
                    let secret = SharedSecret::from([9; 32]);
                    assert_ne!(secret, SharedSecret::from(other), "bytes {i} and {j}");
                }
            }
        }
    }
}

#[test]
fn errors_speak() {
    let errors =
        [Error::Length, Error::EncapsulationKey, Error::DecapsulationKey, Error::Randomness, Error::SelfTest];
    let texts: HashSet<String> = errors.iter().map(Error::to_string).collect();
    assert_eq!(texts.len(), errors.len(), "every error says something else");
    assert!(texts.iter().all(|text| !text.is_empty()));
}

const fn crosses_threads<T: Send + Sync + Unpin + 'static>() {}
const _: () = {
    crosses_threads::<(Seed, SharedSecret, Error)>();
    use kemstone::{ml_kem_512, ml_kem_768, ml_kem_1024};
    crosses_threads::<(ml_kem_512::EncapsulationKey, ml_kem_512::DecapsulationKey, ml_kem_512::Ciphertext)>();
    crosses_threads::<(ml_kem_768::EncapsulationKey, ml_kem_768::DecapsulationKey, ml_kem_768::Ciphertext)>();
    crosses_threads::<(ml_kem_1024::EncapsulationKey, ml_kem_1024::DecapsulationKey, ml_kem_1024::Ciphertext)>(
    );
};

#[test]
fn sizes_are_those_of_the_standard() {
    use kemstone::{SEED_SIZE, SHARED_SECRET_SIZE, ml_kem_512, ml_kem_768, ml_kem_1024};
    use ml_kem_512 as a;
    use ml_kem_768 as b;
    use ml_kem_1024 as c;
    assert_eq!((SEED_SIZE, SHARED_SECRET_SIZE), (64, 32));
    // FIPS 203, table 3.
    assert_eq!((a::ENCAPSULATION_KEY_SIZE, a::DECAPSULATION_KEY_SIZE, a::CIPHERTEXT_SIZE), (800, 1632, 768));
    assert_eq!(
        (b::ENCAPSULATION_KEY_SIZE, b::DECAPSULATION_KEY_SIZE, b::CIPHERTEXT_SIZE),
        (1184, 2400, 1088)
    );
    assert_eq!(
        (c::ENCAPSULATION_KEY_SIZE, c::DECAPSULATION_KEY_SIZE, c::CIPHERTEXT_SIZE),
        (1568, 3168, 1568)
    );
}
