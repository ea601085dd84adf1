//! Every function of the API by which keys, ciphertexts and secrets come and go: the plain key, the prepared one and the
//! bytes must say the same.

mod support;

use core::convert::Infallible;
use core::ptr;
use std::collections::HashMap;
use std::sync::Arc;

use kemstone::backend::probe::Probe;
use kemstone::backend::select::{Selected, Visitor, for_each};
use kemstone::on_backend::{decapsulate, encapsulate, key_gen, key_gen_from, key_gen_many};
use kemstone::{Error, MlKem512, MlKem768, MlKem1024, ParameterSet, Seed, SharedSecret};
use sha3::Digest;
use support::{Random, Source, coefficient, set_coefficient};

/// What fills a seed or an m with these bytes.
fn fill<const L: usize>(bytes: &[u8; L]) -> impl Fn(&mut [u8; L]) -> Result<(), Infallible> {
    move |to| {
        *to = *bytes;
        Ok(())
    }
}

/// A test of the functions of one module; `$k` as in the standard.
macro_rules! forms {
    ($module:ident, $k:literal) => {
        mod $module {
            use kemstone::$module::{
                CIPHERTEXT_SIZE, Ciphertext, CiphertextRef, DecapsulationKey, ENCAPSULATION_KEY_OFFSET,
                EncapsulationKey, ExpandedDecapsulationKey, PreparedDecapsulationKey,
                PreparedEncapsulationKey,
            };

            use super::*;

            const K: usize = $k;

            fn seed() -> [u8; 64] {
                Random::new(concat!("seed of ", stringify!($module))).array()
            }

            const M: [u8; 32] = [0x6d; 32];

            /// The last four bytes, as `Debug` shows them.
            fn end(bytes: &[u8]) -> String {
                hex::encode(&bytes[bytes.len() - 4..])
            }

            #[test]
            fn encapsulation_keys() {
                for_each(|_| {
                    let dk = DecapsulationKey::from_seed(&Seed::from(seed()));
                    let ek = dk.encapsulation_key();
                    let bytes = *ek.as_bytes();
                    assert_eq!(ENCAPSULATION_KEY_OFFSET, 384 * K);
                    assert_eq!(bytes, dk.to_expanded_bytes().as_bytes()[384 * K..768 * K + 32]);
                    assert_eq!(ek.to_bytes(), bytes);
                    assert_eq!(AsRef::<[u8]>::as_ref(ek), &bytes[..]);
                    assert_eq!(AsRef::<[u8; 384 * K + 32]>::as_ref(ek), &bytes);
                    assert_eq!(EncapsulationKey::from_bytes(&bytes), Ok(ek.clone()));
                    assert_eq!(EncapsulationKey::try_from(&bytes[..]), Ok(ek.clone()));
                    assert_eq!(EncapsulationKey::try_from(&bytes), Ok(ek.clone()));
                    assert_eq!(format!("{ek:?}"), format!("EncapsulationKey(..{})", end(&bytes)));

                    let expected = ek.encapsulate_deterministic(&M);
                    let stranger = DecapsulationKey::from_seed(&Seed::from([1; 64]));
                    let stranger = stranger.encapsulation_key();
                    assert_eq!(ek.cmp(stranger), bytes.cmp(stranger.as_bytes()));
                    for prepared in [
                        PreparedEncapsulationKey::new(ek),
                        Arc::into_inner(PreparedEncapsulationKey::shared(ek)).expect("nobody else has it"),
                        *PreparedEncapsulationKey::boxed(ek),
                        PreparedEncapsulationKey::from(ek),
                        PreparedEncapsulationKey::from_bytes(&bytes).expect("a good key"),
                        PreparedEncapsulationKey::try_from(&bytes[..]).expect("a good key"),
                        PreparedEncapsulationKey::new(ek).clone(),
                    ] {
                        assert_eq!(prepared.encapsulation_key(), ek);
                        assert_eq!(prepared, PreparedEncapsulationKey::new(ek));
                        let other = PreparedEncapsulationKey::new(stranger);
                        assert_ne!(prepared, other);
                        assert_eq!(prepared.cmp(&other), ek.cmp(stranger));
                        assert_eq!(prepared.partial_cmp(&other), Some(ek.cmp(stranger)));
                        let owners = HashMap::from([(prepared.clone(), 1), (other.clone(), 2)]);
                        assert_eq!((owners[&prepared], owners[&other]), (1, 2));
                        assert_eq!(format!("{prepared:?}"), format!("PreparedEncapsulationKey({ek:?})"));

                        assert_eq!(prepared.encapsulate_deterministic(&M), expected);
                        assert_eq!(prepared.encapsulate_with_rng(&mut Source::new(&M)), expected);
                        assert_eq!(
                            prepared.try_encapsulate_with_rng(&mut Source::new(&M)).as_ref(),
                            Ok(&expected)
                        );
                        assert_eq!(prepared.encapsulate_with(fill(&M)).as_ref(), Ok(&expected));
                        assert_eq!(prepared.encapsulate_with(|_| Err("none")), Err("none"));
                        let (mut c, mut k) = ([0xaa; CIPHERTEXT_SIZE], [0xaa; 32]);
                        assert_eq!(prepared.encapsulate_into(|_| Err("none"), &mut c, &mut k), Err("none"));
                        assert_eq!((c, k), ([0xaa; CIPHERTEXT_SIZE], [0xaa; 32]));
                        assert_eq!(prepared.encapsulate_into(fill(&M), &mut c, &mut k), Ok(()));
                        assert_eq!((Ciphertext::from(c), SharedSecret::from(k)), expected);

                        let (ciphertext, secret) = prepared.encapsulate().expect("randomness");
                        assert_ne!(ciphertext, expected.0);
                        assert_eq!(dk.decapsulate(&ciphertext), secret);
                    }

                    // Keys with one rho that differ in t only.
                    let mut another = bytes;
                    set_coefficient(&mut another[..384 * K], 0, coefficient(&bytes, 0) ^ 1);
                    let (another, prepared) = (
                        EncapsulationKey::from_bytes(&another).expect("numbers below q"),
                        PreparedEncapsulationKey::from_bytes(&another).expect("numbers below q"),
                    );
                    assert_ne!(&another, ek);
                    assert_ne!(prepared, PreparedEncapsulationKey::new(ek));

                    let mut unreduced = bytes;
                    set_coefficient(&mut unreduced[..384 * K], 256 * K - 1, 3329);
                    let refused = Some(Error::EncapsulationKey);
                    assert_eq!(EncapsulationKey::from_bytes(&unreduced).err(), refused);
                    assert_eq!(PreparedEncapsulationKey::from_bytes(&unreduced).err(), refused);
                    assert_eq!(EncapsulationKey::try_from(&unreduced).err(), refused);
                    assert_eq!(PreparedEncapsulationKey::try_from(&unreduced[..]).err(), refused);
                    assert_eq!(PreparedEncapsulationKey::try_from(&bytes[1..]).err(), Some(Error::Length));
                });
            }

            #[test]
            fn decapsulation_keys() {
                for_each(|_| {
                    let seed = seed();
                    let dk = DecapsulationKey::from_seed(&Seed::from(seed));
                    let of = |key: &DecapsulationKey| *key.to_expanded_bytes().as_bytes();
                    let expanded = of(&dk);
                    let copy = ExpandedDecapsulationKey::from_bytes(&expanded);
                    assert_eq!(dk.to_expanded_bytes(), copy);
                    assert_eq!(ExpandedDecapsulationKey::from(expanded), copy);
                    assert_eq!(ExpandedDecapsulationKey::from(&expanded), copy);
                    assert_eq!(AsRef::<[u8]>::as_ref(&copy), &expanded[..]);
                    assert_eq!(AsRef::<[u8; 768 * K + 96]>::as_ref(&copy), &expanded);
                    let mut written = [0xaa; 768 * K + 96];
                    dk.to_expanded_bytes_into(&mut written);
                    assert_eq!(written, expanded);
                    let ek = dk.encapsulation_key();
                    let (ciphertext, secret) = ek.encapsulate_deterministic(&M);
                    let secret = *secret.as_bytes();

                    let Ok(filled) = PreparedDecapsulationKey::generate_with(fill(&seed));
                    let Ok(drawn) = PreparedDecapsulationKey::try_generate_from_rng(&mut Source::new(&seed));
                    let Ok(on_heap) = PreparedDecapsulationKey::boxed_generate_with(fill(&seed));
                    let shared = PreparedDecapsulationKey::shared(&dk);
                    let with_seed = [
                        PreparedDecapsulationKey::new(&dk),
                        *PreparedDecapsulationKey::boxed(&dk),
                        PreparedDecapsulationKey::from(&dk),
                        PreparedDecapsulationKey::from_seed(&Seed::from(seed)),
                        PreparedDecapsulationKey::from(Seed::from(seed)),
                        PreparedDecapsulationKey::generate_from_rng(&mut Source::new(&seed)),
                        *PreparedDecapsulationKey::boxed_from_seed(&Seed::from(seed)),
                        filled,
                        drawn,
                        *on_heap,
                        Arc::into_inner(shared).expect("nobody else has it"),
                    ];
                    let without =
                        [PreparedDecapsulationKey::from_expanded_bytes(&expanded).expect("a good key")];
                    for key in with_seed.iter().map(PreparedDecapsulationKey::decapsulation_key) {
                        assert_eq!(key.to_seed(), Some(Seed::from(seed)));
                        let mut written = [0xaa; 64];
                        assert_eq!(key.to_seed_into(&mut written), Ok(()));
                        assert_eq!(written, seed);
                    }
                    for key in without.iter().map(PreparedDecapsulationKey::decapsulation_key) {
                        assert_eq!(key.to_seed(), None);
                        let mut untouched = [0xaa; 64];
                        assert_eq!(key.to_seed_into(&mut untouched), Err(Error::NoSeed));
                        assert_eq!(untouched, [0xaa; 64]);
                    }
                    for prepared in with_seed.iter().chain(&without) {
                        assert_eq!(of(prepared.decapsulation_key()), expanded);
                        assert_eq!(prepared.encapsulation_key(), ek);
                        assert_eq!(prepared.check_pairwise_consistency(), Ok(()));
                        assert_eq!(*prepared.decapsulate(&ciphertext).as_bytes(), secret);
                        let mut into = [0xaa; 32];
                        prepared.decapsulate_into(&ciphertext, &mut into);
                        assert_eq!(into, secret);
                        assert_eq!(format!("{prepared:?}"), format!("PreparedDecapsulationKey({dk:?})"));
                    }

                    let generated = PreparedDecapsulationKey::generate().expect("randomness");
                    assert_ne!(of(generated.decapsulation_key()), expanded);
                    let one = DecapsulationKey::generate_checked().expect("randomness");
                    let other = DecapsulationKey::generate_checked().expect("randomness");
                    assert_ne!(of(&one), of(&other));
                    let given = DecapsulationKey::generate_checked_with(|to| {
                        *to = seed;
                        Ok::<(), Error>(())
                    });
                    assert_eq!(given.map(|key| of(&key)), Ok(expanded));
                    let dry = DecapsulationKey::generate_checked_with(|_| Err(Error::Randomness));
                    assert_eq!(dry.err(), Some(Error::Randomness));
                    assert_eq!(generated.check_pairwise_consistency(), Ok(()));
                    assert_eq!(PreparedDecapsulationKey::generate_with(|_| Err("none")).err(), Some("none"));
                    let refused = PreparedDecapsulationKey::boxed_generate_with(|_| Err("none"));
                    assert_eq!(refused.err(), Some("none"));

                    let plain = DecapsulationKey::boxed_from_seed(&Seed::from(seed));
                    let Ok(filled) = DecapsulationKey::boxed_generate_with(fill(&seed));
                    for key in [&plain, &filled, &DecapsulationKey::from(Seed::from(seed)).into()] {
                        assert_eq!((of(key), key.to_seed()), (expanded, Some(Seed::from(seed))));
                    }
                    let imported =
                        DecapsulationKey::boxed_from_expanded_bytes(&expanded).expect("a good key");
                    assert_eq!((of(&imported), imported.to_seed()), (expanded, None));
                    assert_eq!(DecapsulationKey::boxed_generate_with(|_| Err("none")).err(), Some("none"));

                    let mut damaged = expanded;
                    damaged[768 * K + 32] ^= 1;
                    let refused = Some(Error::DecapsulationKey);
                    assert_eq!(PreparedDecapsulationKey::from_expanded_bytes(&damaged).err(), refused);
                    assert_eq!(DecapsulationKey::boxed_from_expanded_bytes(&damaged).err(), refused);

                    // A wrong s, which only its use shows.
                    let mut wrong = expanded;
                    let s = coefficient(&wrong, 0);
                    set_coefficient(&mut wrong, 0, if s < 1000 { s + 1000 } else { s - 1000 });
                    let wrong = PreparedDecapsulationKey::from_expanded_bytes(&wrong).expect("good bytes");
                    assert_eq!(wrong.check_pairwise_consistency().err(), refused);
                    assert_eq!(wrong.decapsulation_key().check_pairwise_consistency().err(), refused);
                });
            }

            #[test]
            fn ciphertexts() {
                let bytes: [u8; CIPHERTEXT_SIZE] = Random::new("ciphertext").array();
                let ciphertext = Ciphertext::from(bytes);
                assert_eq!((ciphertext.as_bytes(), ciphertext.to_bytes()), (&bytes, bytes));
                assert_eq!(AsRef::<[u8]>::as_ref(&ciphertext), &bytes[..]);
                assert_eq!(AsRef::<[u8; CIPHERTEXT_SIZE]>::as_ref(&ciphertext), &bytes);
                assert_eq!(Ciphertext::try_from(&bytes[..]), Ok(ciphertext.clone()));
                assert_eq!(Ciphertext::from(&bytes), ciphertext);
                assert_eq!(Ciphertext::from_bytes(&bytes), ciphertext);
                let other = Ciphertext::from([0x80; CIPHERTEXT_SIZE]);
                assert_eq!(ciphertext.cmp(&other), bytes.cmp(other.as_bytes()));
                let borrowed = CiphertextRef::try_from(&bytes[..]).expect("its length");
                for same in [borrowed, CiphertextRef::from(&bytes), CiphertextRef::from(&ciphertext)] {
                    assert_eq!(same.as_bytes(), &bytes);
                    assert_eq!(format!("{same:?}"), format!("CiphertextRef(..{})", end(&bytes)));
                }
                assert!(ptr::eq(borrowed.as_bytes(), &raw const bytes), "not a copy");
                assert_eq!(CiphertextRef::try_from(&bytes[1..]).err(), Some(Error::Length));
                assert_eq!(format!("{ciphertext:?}"), format!("Ciphertext(..{})", end(&bytes)));
            }
        }
    };
}

forms!(ml_kem_512, 2);
forms!(ml_kem_768, 3);
forms!(ml_kem_1024, 4);

/// All three algorithms on a backend that is handed in.
struct OnBackend;

impl Visitor for OnBackend {
    type Output = ();

    fn visit<B: Probe>(self, backend: B) {
        macro_rules! set {
            ($module:ident, $set:ident, $k:literal) => {{
                use kemstone::$module::{
                    CIPHERTEXT_SIZE, Ciphertext, DECAPSULATION_KEY_SIZE, DecapsulationKey,
                };
                let key = DecapsulationKey::from_seed(&Seed::from([5; 64]));
                let ek = key.encapsulation_key();
                let mut dk = [0; DECAPSULATION_KEY_SIZE];
                key_gen::<$set, _>(backend, &[5; 32], &[5; 32], &mut dk).expect("room");
                assert_eq!(&dk, key.to_expanded_bytes().as_bytes());
                let g = sha3::Sha3_512::new().chain_update([5; 32]).chain_update([$k]).finalize();
                let rho_sigma =
                    core::array::from_fn(|half| g[32 * half..][..32].try_into().expect("32 bytes"));
                let mut from = [0; DECAPSULATION_KEY_SIZE];
                key_gen_from::<$set, _>(backend, &rho_sigma, &[5; 32], &mut from).expect("room");
                assert_eq!(from, dk);
                let refused = key_gen_from::<$set, _>(backend, &rho_sigma, &[5; 32], &mut from[1..]);
                assert_eq!(refused, Err(Error::Length));
                let mut many = [[0; DECAPSULATION_KEY_SIZE]; 9];
                let seeds: [_; 9] = core::array::from_fn(|i| Seed::from([5 + i as u8; 64]));
                key_gen_many::<$set, _>(backend, &seeds, &mut many).expect("room");
                let single =
                    seeds.map(|seed| *DecapsulationKey::from_seed(&seed).to_expanded_bytes().as_bytes());
                assert_eq!(many, single);
                let refused = key_gen_many::<$set, _>(backend, &[], &mut many);
                assert_eq!(refused, Err(Error::Length));
                let (mut c, mut k) = ([0xaa; CIPHERTEXT_SIZE], [0xaa; 32]);
                encapsulate::<$set, _>(backend, ek.as_bytes(), &[6; 32], &mut c, &mut k).expect("a good key");
                let (ciphertext, secret) = ek.encapsulate_deterministic(&[6; 32]);
                assert_eq!((Ciphertext::from(c), SharedSecret::from(k)), (ciphertext, secret));
                let mut again = [0xaa; 32];
                decapsulate::<$set, _>(backend, &dk, &c, &mut again).expect("a good key");
                assert_eq!(again, k);
                assert_eq!(<$set as ParameterSet>::CIPHERTEXT_SIZE, CIPHERTEXT_SIZE);

                // What is refused leaves no secret.
                let short = &dk[1..];
                assert_eq!(key_gen::<$set, _>(backend, &[5; 32], &[5; 32], &mut c), Err(Error::Length));
                for (ek, error) in [
                    (&ek.as_bytes()[1..], Error::Length),
                    (&[0xff; <$set>::ENCAPSULATION_KEY_SIZE], Error::EncapsulationKey),
                ] {
                    let (mut c, mut k) = ([0xaa; CIPHERTEXT_SIZE], [0xaa; 32]);
                    assert_eq!(encapsulate::<$set, _>(backend, ek, &[6; 32], &mut c, &mut k), Err(error));
                    assert_eq!((c, k), ([0xaa; CIPHERTEXT_SIZE], [0xaa; 32]));
                }
                let mut few = [0; CIPHERTEXT_SIZE - 1];
                assert_eq!(
                    encapsulate::<$set, _>(backend, ek.as_bytes(), &[6; 32], &mut few, &mut k),
                    Err(Error::Length)
                );
                for (dk, c) in [(short, &c[..]), (&dk, &few)] {
                    let mut again = [0xaa; 32];
                    let refused = decapsulate::<$set, _>(backend, dk, c, &mut again);
                    assert_eq!((refused, again), (Err(Error::Length), [0; 32]));
                }
                dk[DECAPSULATION_KEY_SIZE - 40] ^= 1;
                let refused = decapsulate::<$set, _>(backend, &dk, &c, &mut again);
                assert_eq!((refused, again), (Err(Error::DecapsulationKey), [0; 32]));
            }};
        }
        set!(ml_kem_512, MlKem512, 2);
        set!(ml_kem_768, MlKem768, 3);
        set!(ml_kem_1024, MlKem1024, 4);
    }
}

#[test]
fn algorithms_on_a_backend_of_the_callers_own() {
    for_each(|selected| selected.visit(OnBackend));
}

/// The name that a token has.
struct Name;

impl Visitor for Name {
    type Output = &'static str;

    fn visit<B: Probe>(self, _: B) -> &'static str {
        B::NAME
    }
}

#[test]
fn backends_have_names() {
    assert_eq!(Selected::names().next(), Some("portable"), "the slowest first");
    assert_eq!(Selected::by_name("none such"), None);
    let mut served = Vec::new();
    for_each(|selected| {
        assert_eq!(selected.visit(Name), selected.name());
        assert_eq!(kemstone::backend(), selected.name());
        assert_eq!(Selected::by_name(selected.name()), Some(selected));
        served.push(selected.name());
    });
    assert!(Selected::names().filter(|name| Selected::by_name(name).is_some()).eq(served));
}
