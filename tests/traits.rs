//! The traits of the crates `kem` and `serde`, as generic code uses them.

mod support;

use kem::common::{Generate, KeyExport, KeyInit, TryKeyInit};
use kem::{Decapsulate, Decapsulator, Encapsulate, Kem, TryDecapsulate};
use kemstone::hybrid::{self, HybridKem, MlKem768P256, MlKem1024P384, XWing};
use kemstone::{Ciphertext, DecapsulationKey, EncapsulationKey, Error, Seed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use support::{MlKem512, MlKem768, MlKem1024, Random, Set, Source};

/// A key exchange of any KEM whose keys come from 64 bytes.
fn exchange<K: Kem>(seed: &[u8; 64], m: &[u8; 32]) -> (Vec<u8>, Vec<u8>)
where
    K::DecapsulationKey: KeyInit + Decapsulate,
{
    let dk = K::DecapsulationKey::new_from_slice(seed).expect("64 bytes");
    let generated = K::DecapsulationKey::generate_from_rng(&mut Source::new(seed));
    let encoded = dk.encapsulation_key().to_bytes();
    assert_eq!(generated.encapsulation_key().to_bytes(), encoded);
    let ek = K::EncapsulationKey::new_from_slice(&encoded).expect("a good key");
    let (ciphertext, ours) = ek.encapsulate_with_rng(&mut Source::new(m));
    let theirs = dk.decapsulate(&ciphertext);
    assert_eq!(theirs, ours);
    assert_eq!(dk.decapsulate_slice(&ciphertext).expect("its length"), ours);
    let mut unreduced = encoded;
    unreduced[..2].fill(0xff);
    assert!(K::EncapsulationKey::new(&unreduced).is_err());
    (ciphertext.to_vec(), ours.to_vec())
}

#[test]
fn generic_code_exchanges_keys() {
    fn check<S: Set + Kem>()
    where
        <S as Kem>::DecapsulationKey: KeyInit + Decapsulate,
    {
        let mut random = Random::new("kem");
        let (seed, m) = (random.array(), random.array());
        let dk = S::from_seed(&Seed::from(seed));
        let (ciphertext, secret) = dk.encapsulation_key().encapsulate_deterministic(&m);
        let expected = (ciphertext.as_bytes().as_ref().to_vec(), secret.as_bytes().to_vec());
        assert_eq!(exchange::<S>(&seed, &m), expected);
    }
    check::<MlKem512>();
    check::<MlKem768>();
    check::<MlKem1024>();

    // Where both have a method of a name, the type's own comes first, and takes what the trait made.
    let key = DecapsulationKey::<MlKem768>::from(Seed::from([1; 64]));
    let (ciphertext, secret) =
        Encapsulate::encapsulate_with_rng(key.encapsulation_key(), &mut Source::new(&[2; 32]));
    assert_eq!(key.decapsulate(&ciphertext).as_bytes()[..], secret[..]);
}

#[test]
fn generic_code_exchanges_hybrid_keys() {
    fn check<H: HybridKem + Kem>(refuses: bool)
    where
        H::DecapsulationKey: KeyInit + KeyExport,
    {
        let (seed, randomness) = ([1; 32], vec![2; H::RANDOMNESS_SIZE]);
        let expected = hybrid::DecapsulationKey::<H>::from_seed(&hybrid::Seed::from(seed));
        let dk = <H as Kem>::DecapsulationKey::new_from_slice(&seed).expect("32 bytes");
        let generated = <H as Kem>::DecapsulationKey::generate_from_rng(&mut Source::new(&seed));
        let encoded = dk.encapsulation_key().to_bytes();
        assert_eq!(generated.encapsulation_key().to_bytes(), encoded);
        assert_eq!(encoded[..], *expected.encapsulation_key().as_bytes().as_ref());
        let ek = <H as Kem>::EncapsulationKey::new_from_slice(&encoded).expect("a good key");
        let (mut ciphertext, ours) = ek.encapsulate_with_rng(&mut Source::new(&randomness));
        let parsed = hybrid::Ciphertext::<H>::try_from(&ciphertext[..]).expect("a good ciphertext");
        assert_eq!(expected.decapsulate(&parsed).as_bytes()[..], ours[..]);
        let theirs = dk.try_decapsulate(&ciphertext);
        assert!(theirs.is_ok_and(|theirs| theirs == ours));
        *ciphertext.last_mut().expect("it has bytes") ^= 1;
        assert_eq!(dk.try_decapsulate(&ciphertext).is_err(), refuses);
        assert_eq!(dk.to_bytes()[..], seed);
        let mut unreduced = encoded;
        unreduced[..2].fill(0xff);
        assert!(<H as Kem>::EncapsulationKey::new(&unreduced).is_err());
    }
    check::<XWing>(false);
    check::<MlKem768P256>(true);
    check::<MlKem1024P384>(true);
    let key = hybrid::ml_kem_768_p256::DecapsulationKey::from_seed(&hybrid::Seed::from([1; 32]));
    let (ciphertext, secret) =
        Encapsulate::encapsulate_with_rng(key.encapsulation_key(), &mut Source::new(&[2; 160]));
    assert_eq!(key.try_decapsulate_slice(&ciphertext), Ok(secret));
    assert_eq!(key.try_decapsulate_slice(&ciphertext[1..]), Err(Error::Length));
    let key = hybrid::x_wing::DecapsulationKey::from_seed(&hybrid::Seed::from([1; 32]));
    let (ciphertext, secret) =
        Encapsulate::encapsulate_with_rng(key.encapsulation_key(), &mut Source::new(&[2; 64]));
    assert_eq!(Decapsulate::decapsulate(&key, &ciphertext), secret);
}

fn json<T: Serialize + DeserializeOwned>(value: &T) -> (String, T) {
    let text = serde_json::to_string(value).expect("it can be written");
    let again = serde_json::from_str(&text).expect("what was written");
    (text, again)
}

fn binary<T: Serialize + DeserializeOwned>(value: &T) -> (Vec<u8>, T) {
    let bytes = postcard::to_allocvec(value).expect("it can be written");
    let again = postcard::from_bytes(&bytes).expect("what was written");
    (bytes, again)
}

#[test]
fn values_are_written_and_read() {
    fn check<S: Set>() {
        let seed = Random::new("serde").seed();
        let dk = S::from_seed(&seed);
        let ek = S::ek(&dk);
        let (c, _) = ek.encapsulate_deterministic(&[1; 32]);
        let quoted = |bytes: &[u8]| format!("\"{}\"", hex::encode(bytes));

        let (text, again) = json(&ek);
        assert_eq!((text, again), (quoted(ek.as_bytes().as_ref()), ek.clone()));
        let (bytes, again) = binary(&ek);
        // Two bytes of length.
        assert_eq!((&bytes[2..], again), (ek.as_bytes().as_ref(), ek.clone()));
        let (text, again) = json(&c);
        assert_eq!((text, again), (quoted(c.as_bytes().as_ref()), c.clone()));
        let (bytes, again) = binary(&c);
        assert_eq!((&bytes[2..], again), (c.as_bytes().as_ref(), c.clone()));
        let (text, again) = json(&seed);
        assert_eq!((text, again), (quoted(seed.as_bytes()), seed.clone()));
        let (text, again) = json(&dk);
        assert_eq!((text, again.to_seed()), (quoted(seed.as_bytes()), Some(seed.clone())));
        let (bytes, again) = binary(&dk);
        assert_eq!((&bytes[1..], again.to_seed()), (&seed.as_bytes()[..], Some(seed.clone())));

        // A key without its seed says so, and nothing else is written in its place.
        let imported = S::dk(&S::expanded(&dk)).expect("a good key");
        let refused = serde_json::to_string(&imported).expect_err("no seed").to_string();
        assert!(refused.contains("no seed"), "{refused}");
        assert!(postcard::to_allocvec(&imported).is_err());

        let mut unreduced = ek.as_bytes().as_ref().to_vec();
        unreduced[..2].fill(0xff);
        let refused =
            serde_json::from_str::<EncapsulationKey<S>>(&quoted(&unreduced)).expect_err("4095").to_string();
        assert!(refused.contains("invalid encapsulation key"), "{refused}");
        let other_length =
            [quoted(&[]), quoted(&[1; 31]), quoted(&[1; 63]), quoted(&[1; 65]), quoted(&[1; 3200])];
        let no_digits =
            ["5".to_owned(), "\"zz\"".to_owned(), "null".to_owned(), format!("\"{}\"", "1".repeat(127))];
        for text in other_length.into_iter().chain(no_digits) {
            assert!(serde_json::from_str::<EncapsulationKey<S>>(&text).is_err(), "{text}");
            assert!(serde_json::from_str::<DecapsulationKey<S>>(&text).is_err(), "{text}");
            assert!(serde_json::from_str::<Ciphertext<S>>(&text).is_err(), "{text}");
            assert!(serde_json::from_str::<Seed>(&text).is_err(), "{text}");
        }
        // A string where bytes are wanted: the error does not show it.
        let secret = hex::encode([0x5a; 64]);
        let cbor = cbor4ii::serde::to_vec(Vec::new(), &secret).expect("CBOR");
        for error in [
            cbor4ii::serde::from_slice::<Seed>(&cbor).expect_err("a string").to_string(),
            serde_json::from_str::<Seed>(&format!("\"{secret}5a\"")).expect_err("65 bytes").to_string(),
            serde_json::from_str::<Seed>(&format!("\"{}\"", "zz5a".repeat(32))).expect_err("z").to_string(),
        ] {
            assert!(!error.contains("5a5a") && !error.contains("zz"), "{error}");
        }
        for length in [0, 63, 65] {
            let bytes = postcard::to_allocvec(&vec![1_u8; length]).expect("bytes");
            assert!(postcard::from_bytes::<Seed>(&bytes).is_err(), "{length}");
            assert!(postcard::from_bytes::<DecapsulationKey<S>>(&bytes).is_err(), "{length}");
        }
    }
    check::<MlKem512>();
    check::<MlKem768>();
    check::<MlKem1024>();
}
