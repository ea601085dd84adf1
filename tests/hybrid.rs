//! Hybrid KEMs: the drafts' vectors on every backend, damaged keys and ciphertexts, and what the types promise.

mod support;

use std::collections::HashSet;
use std::convert::Infallible;

use kemstone::backend::select::for_each;
use kemstone::hybrid::{
    Ciphertext, DecapsulationKey, EncapsulationKey, HybridKem, MlKem768P256, MlKem1024P384, Seed, XWing,
};
use kemstone::{Bytes, Error, ParameterSet};
use support::kat::{Record, read_any};
use support::{Random, Source, array, sha3_256, shake256};

const NAMES: [&str; 3] = [XWing::NAME, MlKem768P256::NAME, MlKem1024P384::NAME];

/// `every!(f)`: `f::<Kem>()` for each.
macro_rules! every {
    ($f:ident($($argument:expr),*)) => {
        $f::<XWing>($($argument),*);
        $f::<MlKem768P256>($($argument),*);
        $f::<MlKem1024P384>($($argument),*);
    };
}

/// Bytes of the group's element.
fn element_size<H: HybridKem>() -> usize {
    H::CIPHERTEXT_SIZE - H::MlKem::CIPHERTEXT_SIZE
}

fn key<H: HybridKem>(byte: u8) -> DecapsulationKey<H> {
    DecapsulationKey::from_seed(&Seed::from([byte; 32]))
}

#[test]
fn vectors() {
    let fields: &[&str] = &["seed", "randomness", "ek", "ct", "ss"];
    let expected = [("whole", "KAT", fields, 0), ("secret", "KAT", &["seed", "randomness", "ss"], 0)];
    let records = read_any(include_str!("../kats/hybrid.txt"), &NAMES, &expected);
    assert_eq!(NAMES.map(|name| records.iter().filter(|record| record.set == name).count()), [5, 3, 2]);
    for_each(|_| {
        every!(vectors_of(&records));
    });
}

fn vectors_of<H: HybridKem>(records: &[Record]) {
    for record in records.iter().filter(|record| record.set == H::NAME) {
        let dk = DecapsulationKey::<H>::from_seed(&Seed::from(record.array("seed")));
        let (ct, ss) = dk
            .encapsulation_key()
            .encapsulate_deterministic(Bytes::from_slice(&record.bytes("randomness")).expect("its length"));
        assert_eq!(ss.as_bytes()[..], record.bytes("ss"), "{record}");
        assert_eq!(dk.decapsulate(&ct), ss, "{record}");
        if record.function == "whole" {
            assert_eq!(dk.encapsulation_key().as_bytes().as_ref(), record.bytes("ek"), "{record}");
            assert_eq!(ct.as_bytes().as_ref(), record.bytes("ct"), "{record}");
        }
    }
}

#[test]
fn every_way_gives_the_same() {
    fn check<H: HybridKem>() {
        let dk = key::<H>(7);
        let seed = [7; 32];
        let filled = DecapsulationKey::<H>::generate_with(|to| {
            *to = seed;
            Ok::<_, Infallible>(())
        });
        let boxed = DecapsulationKey::<H>::boxed_generate_with(|to| {
            *to = seed;
            Ok::<_, Infallible>(())
        });
        let keys = [
            filled.expect("it is given"),
            DecapsulationKey::generate_from_rng(&mut Source::new(&seed)),
            DecapsulationKey::try_generate_from_rng(&mut Source::new(&seed)).expect("it is given"),
            DecapsulationKey::from(Seed::from(seed)),
        ];
        let boxes = [boxed.expect("it is given"), DecapsulationKey::boxed_from_seed(&Seed::from(seed))];
        let ek = dk.encapsulation_key();
        let randomness = array::<H::Randomness>(9);
        let (ct, ss) = ek.encapsulate_deterministic(&randomness);
        for other in keys.iter().chain(boxes.iter().map(|key| &**key)) {
            assert_eq!(other.to_seed(), dk.to_seed());
            assert_eq!(other.encapsulation_key(), ek);
            assert_eq!(other.decapsulate(&ct), ss);
            let mut into = [0xa5; 32];
            other.decapsulate_into(&ct, &mut into);
            assert_eq!(ss.as_bytes(), &into);
        }
        let fill = |to: &mut H::Randomness| {
            *to = randomness;
            Ok::<_, Infallible>(())
        };
        let (mut c, mut k) = (array::<H::CiphertextBytes>(0xa5), [0xa5; 32]);
        ek.encapsulate_into(fill, &mut c, &mut k).expect("it is given");
        assert_eq!((&c, &k), (ct.as_bytes(), ss.as_bytes()));
        for (other, secret) in [
            ek.encapsulate_with(fill).expect("it is given"),
            ek.encapsulate_with_rng(&mut Source::new(randomness.as_ref())),
            ek.try_encapsulate_with_rng(&mut Source::new(randomness.as_ref())).expect("it is given"),
        ] {
            assert_eq!((other, secret), (ct.clone(), ss.clone_of()));
        }
        let (ct, ss) = ek.encapsulate().expect("randomness");
        let (other, secret) = ek.encapsulate().expect("randomness");
        assert!(ct.as_ref()[..64] != other.as_ref()[..64] && ss != secret);
        let ends = |ct: &Ciphertext<H>| ct.as_ref()[H::CIPHERTEXT_SIZE - 32..].to_vec();
        assert_ne!(ends(&ct), ends(&other));
        assert_eq!(DecapsulationKey::<H>::from_seed(&dk.to_seed()).decapsulate(&ct), ss);
        let one = DecapsulationKey::<H>::generate().expect("randomness");
        let two = DecapsulationKey::<H>::generate().expect("randomness");
        for (one, two) in one.to_seed().as_bytes().chunks(8).zip(two.to_seed().as_bytes().chunks(8)) {
            assert_ne!(one, two);
        }
        assert_eq!(DecapsulationKey::<H>::generate_with(|_| Err("none")).err(), Some("none"));
        assert_eq!(DecapsulationKey::<H>::boxed_generate_with(|_| Err("none")).err(), Some("none"));
        assert_eq!(ek.encapsulate_with(|_| Err("none")).err(), Some("none"));
        let touched = (array::<H::CiphertextBytes>(0xa5), [0xa5; 32]);
        (c, k) = touched;
        assert_eq!(ek.encapsulate_into(|_| Err("none"), &mut c, &mut k), Err("none"));
        assert_eq!((c, k), touched);
    }
    every!(check());
}

/// There is no `Clone` for a secret.
trait CloneOf {
    fn clone_of(&self) -> Self;
}

impl CloneOf for kemstone::SharedSecret {
    fn clone_of(&self) -> Self {
        Self::from_bytes(self.as_bytes())
    }
}

#[test]
fn other_lengths_are_refused() {
    fn check<H: HybridKem>() {
        let dk = key::<H>(1);
        let (ct, _) = dk.encapsulation_key().encapsulate_deterministic(&array(2));
        for length in (0..H::ENCAPSULATION_KEY_SIZE).chain(H::ENCAPSULATION_KEY_SIZE + 1..2000) {
            let bytes = [dk.encapsulation_key().as_ref(), &[0; 2000]].concat();
            let key = EncapsulationKey::<H>::try_from(&bytes[..length]);
            assert_eq!(key, Err(Error::Length), "{length} bytes");
        }
        for length in (0..H::CIPHERTEXT_SIZE).chain(H::CIPHERTEXT_SIZE + 1..2000) {
            let bytes = [ct.as_ref(), &[0; 2000]].concat();
            assert_eq!(Ciphertext::<H>::try_from(&bytes[..length]), Err(Error::Length), "{length} bytes");
        }
    }
    every!(check());
}

/// A bit flip is refused or gives another key and another secret.
#[test]
fn damaged_keys_and_ciphertexts() {
    fn check<H: HybridKem>(curve: bool) {
        let dk = key::<H>(3);
        let (ek, randomness) = (dk.encapsulation_key(), array::<H::Randomness>(4));
        let (ct, ss) = ek.encapsulate_deterministic(&randomness);
        // All of the point; of ML-KEM's bytes, as many as fit the time.
        let bits = |size: usize| {
            let point = 8 * (size - element_size::<H>());
            (0..point).step_by(509).chain(point..8 * size).step_by(if cfg!(debug_assertions) { 7 } else { 1 })
        };
        let mut refused = 0;
        for bit in bits(H::CIPHERTEXT_SIZE) {
            let mut bytes = ct.to_bytes();
            bytes.as_mut()[bit >> 3] ^= 1 << (bit & 7);
            match Ciphertext::<H>::from_bytes(&bytes) {
                Ok(damaged) => assert_ne!(dk.decapsulate(&damaged), ss, "bit {bit}"),
                Err(error) => {
                    assert_eq!(error, Error::Ciphertext);
                    assert!(bit >= 8 * (H::CIPHERTEXT_SIZE - element_size::<H>()), "bit {bit}");
                    refused += 1;
                }
            }
        }
        // One coordinate in about two has a point, but the other one does not belong to it.
        let points = bits(H::CIPHERTEXT_SIZE).filter(|bit| *bit >= 8 * H::MlKem::CIPHERTEXT_SIZE).count();
        assert_eq!(refused, if curve { points } else { 0 });
        for bit in bits(H::ENCAPSULATION_KEY_SIZE) {
            let mut bytes = ek.to_bytes();
            bytes.as_mut()[bit >> 3] ^= 1 << (bit & 7);
            match EncapsulationKey::<H>::from_bytes(&bytes) {
                Ok(damaged) => {
                    assert_ne!(&damaged, ek);
                    let (ct, ss) = damaged.encapsulate_deterministic(&randomness);
                    // X25519 ignores the highest bit of a point, but not the combiner.
                    assert_ne!(dk.decapsulate(&ct), ss, "bit {bit}");
                }
                Err(error) => assert_eq!(error, Error::EncapsulationKey, "bit {bit}"),
            }
        }
    }
    check::<XWing>(false);
    check::<MlKem768P256>(true);
    check::<MlKem1024P384>(true);
}

/// SEC 1 has other forms of points, of this length and of others; none is one of the draft's.
#[test]
fn other_forms_of_points_are_refused() {
    fn check<H: HybridKem>() {
        let ek = key::<H>(5).encapsulation_key().to_bytes();
        let at = H::ENCAPSULATION_KEY_SIZE - element_size::<H>();
        for tag in (0..=255).filter(|tag| *tag != 4) {
            let mut bytes = ek;
            bytes.as_mut()[at] = tag;
            assert_eq!(EncapsulationKey::<H>::from_bytes(&bytes), Err(Error::EncapsulationKey), "tag {tag}");
        }
        for fill in [0, 0xff] {
            let mut bytes = ek;
            bytes.as_mut()[at + 1..].fill(fill);
            assert_eq!(EncapsulationKey::<H>::from_bytes(&bytes), Err(Error::EncapsulationKey), "{fill}");
            bytes.as_mut()[at..].fill(fill);
            assert_eq!(EncapsulationKey::<H>::from_bytes(&bytes), Err(Error::EncapsulationKey), "{fill}");
        }
        // A number that is not below q.
        let mut bytes = ek;
        bytes.as_mut()[..2].fill(0xff);
        assert_eq!(EncapsulationKey::<H>::from_bytes(&bytes), Err(Error::EncapsulationKey));
    }
    check::<MlKem768P256>();
    check::<MlKem1024P384>();
}

/// X-Wing takes any point, also those whose secret is zero.
#[test]
fn x_wing_takes_every_point() {
    let mut random = Random::new("x-wing");
    for point in [[0; 32], [0xff; 32], random.array()] {
        let mut bytes = key::<XWing>(6).encapsulation_key().to_bytes();
        bytes[1184..].copy_from_slice(&point);
        let ek = EncapsulationKey::<XWing>::from_bytes(&bytes).expect("any point");
        let (mut ct, _) = ek.encapsulate_deterministic(&[7; 64]);
        assert_ne!(ct.as_bytes()[1088..], [0; 32]);
        let mut bytes = ct.to_bytes();
        bytes[1088..].copy_from_slice(&point);
        ct = Ciphertext::from_bytes(&bytes).expect("any point");
        let ss = key::<XWing>(6).decapsulate(&ct);
        if point == [0; 32] {
            // The secret that X25519 gives is zero as well.
            let dk = key::<XWing>(6);
            let mut expanded = [0; 96];
            shake256(&[&[6; 32]], &mut expanded);
            let pq = kemstone::ml_kem_768::DecapsulationKey::from_seed(
                &expanded[..64].try_into().expect("64 bytes"),
            );
            let c = kemstone::ml_kem_768::CiphertextRef::try_from(&bytes[..1088]).expect("its length");
            let inner = pq.decapsulate(c);
            let pk = &dk.encapsulation_key().as_bytes()[1184..];
            let message = [inner.as_bytes(), &[0; 32], &point[..], pk, br"\.//^\"].concat();
            assert_eq!(*ss.as_bytes(), sha3_256(&message));
        }
    }
}

#[test]
fn types() {
    fn check<H: HybridKem>(id: u16, sizes: [usize; 3]) {
        assert_eq!(H::HPKE_ID, id);
        assert_eq!([H::ENCAPSULATION_KEY_SIZE, H::CIPHERTEXT_SIZE, H::RANDOMNESS_SIZE], sizes);
        let dk = key::<H>(8);
        assert_eq!(
            format!("{dk:?} {:?}", dk.to_seed()),
            format!("DecapsulationKey {{ public: {:?}, .. }} Seed(..)", dk.encapsulation_key())
        );
        let ek = dk.encapsulation_key();
        let bytes: &[u8] = ek.as_ref();
        assert_eq!(
            format!("{ek:?}"),
            format!("EncapsulationKey(..{})", hex::encode(&bytes[bytes.len() - 4..]))
        );
        assert_eq!(HashSet::from([ek.clone(), ek.clone()]).len(), 1);
    }
    check::<XWing>(0x647a, [1216, 1120, 64]);
    check::<MlKem768P256>(0x0050, [1249, 1153, 160]);
    check::<MlKem1024P384>(0x0051, [1665, 1665, 80]);
}
