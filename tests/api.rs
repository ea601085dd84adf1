//! Every function of the API by which keys, ciphertexts and secrets come and go: the plain key, the prepared one and the
//! bytes must say the same.

mod support;

use core::convert::Infallible;
use std::sync::Arc;

use kemstone::backend::probe::Probe;
use kemstone::backend::select::{Selected, Visitor, for_each};
use kemstone::on_backend::{decapsulate, encapsulate, key_gen};
use kemstone::{Error, MlKem512, MlKem768, MlKem1024, ParameterSet, Seed, SharedSecret};
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
                CIPHERTEXT_SIZE, Ciphertext, DecapsulationKey, EncapsulationKey, PreparedDecapsulationKey,
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
                    assert_eq!(bytes, dk.as_expanded_bytes()[384 * K..768 * K + 32]);
                    assert_eq!((ek.to_bytes(), ek.as_ref()), (bytes, &bytes[..]));
                    assert_eq!(EncapsulationKey::from_bytes(&bytes), Ok(ek.clone()));
                    assert_eq!(EncapsulationKey::try_from(&bytes[..]), Ok(ek.clone()));
                    assert_eq!(format!("{ek:?}"), format!("EncapsulationKey(..{})", end(&bytes)));

                    let expected = ek.encapsulate_deterministic(&M);
                    let stranger = DecapsulationKey::from_seed(&Seed::from([1; 64])).encapsulation_key();
                    for prepared in [
                        PreparedEncapsulationKey::new(&ek),
                        Arc::into_inner(PreparedEncapsulationKey::shared(&ek)).expect("nobody else has it"),
                        *PreparedEncapsulationKey::boxed(&ek),
                        PreparedEncapsulationKey::from(&ek),
                        PreparedEncapsulationKey::from_bytes(&bytes).expect("a good key"),
                        PreparedEncapsulationKey::try_from(&bytes[..]).expect("a good key"),
                    ] {
                        assert_eq!(prepared.encapsulation_key(), &ek);
                        assert_eq!((prepared.as_bytes(), prepared.to_bytes()), (&bytes, bytes));
                        assert_eq!(prepared.as_ref(), &bytes[..]);
                        assert_eq!(prepared, PreparedEncapsulationKey::new(&ek));
                        assert_ne!(prepared, PreparedEncapsulationKey::new(&stranger));
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

                    let of_m = |to: &mut [u8; 32]| {
                        *to = M;
                        Ok::<(), Error>(())
                    };
                    assert_eq!(
                        EncapsulationKey::encapsulate_encoded_with(&bytes, of_m).as_ref(),
                        Ok(&expected)
                    );
                    let drawn = EncapsulationKey::encapsulate_encoded_with_rng(&bytes, &mut Source::new(&M));
                    assert_eq!(drawn.as_ref(), Ok(&expected));
                    let (mut c, mut k) = ([0xaa; CIPHERTEXT_SIZE], [0xaa; 32]);
                    assert_eq!(
                        EncapsulationKey::encapsulate_encoded_into(&bytes, of_m, &mut c, &mut k),
                        Ok(())
                    );
                    assert_eq!((Ciphertext::from(c), SharedSecret::from(k)), expected);
                    let once = || EncapsulationKey::encapsulate_encoded(&bytes).expect("randomness");
                    let (one, other) = (once(), once());
                    assert_eq!(dk.decapsulate(&one.0), one.1);
                    assert_eq!(dk.decapsulate(&other.0), other.1);
                    assert_ne!(one.0, other.0);
                    for predictable in [expected.0, ek.encapsulate_deterministic(&[0; 32]).0] {
                        assert!(one.0 != predictable && other.0 != predictable);
                    }

                    // Keys with one rho that differ in t only.
                    let mut another = bytes;
                    set_coefficient(&mut another[..384 * K], 0, coefficient(&bytes, 0) ^ 1);
                    let (another, prepared) = (
                        EncapsulationKey::from_bytes(&another).expect("numbers below q"),
                        PreparedEncapsulationKey::from_bytes(&another).expect("numbers below q"),
                    );
                    assert_ne!(another, ek);
                    assert_ne!(prepared, PreparedEncapsulationKey::new(&ek));

                    let mut unreduced = bytes;
                    set_coefficient(&mut unreduced[..384 * K], 256 * K - 1, 3329);
                    let refused = Some(Error::EncapsulationKey);
                    assert_eq!(EncapsulationKey::from_bytes(&unreduced).err(), refused);
                    assert_eq!(PreparedEncapsulationKey::from_bytes(&unreduced).err(), refused);
                    assert_eq!(EncapsulationKey::encapsulate_encoded(&unreduced).err(), refused);
                    assert_eq!(EncapsulationKey::encapsulate_encoded_with(&unreduced, of_m).err(), refused);
                    let mut source = Source::new(&M);
                    let drawn = EncapsulationKey::encapsulate_encoded_with_rng(&unreduced, &mut source);
                    assert_eq!((drawn.err(), &source.fills[..]), (refused, &[32][..]), "drawn first");
                    let dry = |_: &mut [u8; 32]| Err(Error::Randomness);
                    let found = EncapsulationKey::encapsulate_encoded_with(&unreduced, dry);
                    assert_eq!(found.err(), Some(Error::Randomness), "drawn first");
                    assert_eq!(PreparedEncapsulationKey::try_from(&unreduced[..]).err(), refused);
                    assert_eq!(PreparedEncapsulationKey::try_from(&bytes[1..]).err(), Some(Error::Length));
                });
            }

            #[test]
            fn decapsulation_keys() {
                for_each(|_| {
                    let seed = seed();
                    let dk = DecapsulationKey::from_seed(&Seed::from(seed));
                    let expanded = *dk.as_expanded_bytes();
                    assert_eq!(dk.to_expanded_bytes().as_bytes(), &expanded);
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
                        PreparedDecapsulationKey::try_from(&seed[..]).expect("a seed"),
                        PreparedDecapsulationKey::generate_from_rng(&mut Source::new(&seed)),
                        *PreparedDecapsulationKey::boxed_from_seed(&Seed::from(seed)),
                        filled,
                        drawn,
                        *on_heap,
                        Arc::into_inner(shared).expect("nobody else has it"),
                    ];
                    let without = [
                        PreparedDecapsulationKey::from_expanded_bytes(&expanded).expect("a good key"),
                        PreparedDecapsulationKey::try_from(&expanded[..]).expect("a good key"),
                    ];
                    for key in &with_seed {
                        assert_eq!(key.to_seed(), Some(Seed::from(seed)));
                        let mut written = [0xaa; 64];
                        assert_eq!(key.to_seed_into(&mut written), Ok(()));
                        assert_eq!(written, seed);
                    }
                    for key in &without {
                        assert_eq!(key.to_seed(), None);
                        let mut untouched = [0xaa; 64];
                        assert_eq!(key.to_seed_into(&mut untouched), Err(Error::NoSeed));
                        assert_eq!(untouched, [0xaa; 64]);
                    }
                    for prepared in with_seed.iter().chain(&without) {
                        assert_eq!(prepared.decapsulation_key().as_expanded_bytes(), &expanded);
                        assert_eq!(prepared.as_expanded_bytes(), &expanded);
                        assert_eq!(prepared.to_expanded_bytes().as_bytes(), &expanded);
                        assert_eq!(prepared.encapsulation_key(), ek);
                        assert_eq!(prepared.check_pairwise_consistency(), Ok(()));
                        assert_eq!(*prepared.decapsulate(&ciphertext).as_bytes(), secret);
                        let mut into = [0xaa; 32];
                        prepared.decapsulate_into(&ciphertext, &mut into);
                        assert_eq!(into, secret);
                        assert_eq!(format!("{prepared:?}"), format!("PreparedDecapsulationKey({dk:?})"));
                    }

                    let generated = PreparedDecapsulationKey::generate().expect("randomness");
                    assert_ne!(generated.as_expanded_bytes(), &expanded);
                    assert_eq!(generated.check_pairwise_consistency(), Ok(()));
                    assert_eq!(PreparedDecapsulationKey::generate_with(|_| Err("none")).err(), Some("none"));
                    let refused = PreparedDecapsulationKey::boxed_generate_with(|_| Err("none"));
                    assert_eq!(refused.err(), Some("none"));

                    let plain = DecapsulationKey::boxed_from_seed(&Seed::from(seed));
                    let Ok(filled) = DecapsulationKey::boxed_generate_with(fill(&seed));
                    for key in [&plain, &filled] {
                        assert_eq!(
                            (key.as_expanded_bytes(), key.to_seed()),
                            (&expanded, Some(Seed::from(seed)))
                        );
                    }
                    let imported =
                        DecapsulationKey::boxed_from_expanded_bytes(&expanded).expect("a good key");
                    assert_eq!((imported.as_expanded_bytes(), imported.to_seed()), (&expanded, None));
                    assert_eq!(DecapsulationKey::boxed_generate_with(|_| Err("none")).err(), Some("none"));

                    let mut damaged = expanded;
                    damaged[768 * K + 32] ^= 1;
                    let refused = Some(Error::DecapsulationKey);
                    assert_eq!(PreparedDecapsulationKey::from_expanded_bytes(&damaged).err(), refused);
                    assert_eq!(DecapsulationKey::boxed_from_expanded_bytes(&damaged).err(), refused);
                    assert_eq!(PreparedDecapsulationKey::try_from(&damaged[..]).err(), refused);
                    assert_eq!(PreparedDecapsulationKey::try_from(&seed[1..]).err(), Some(Error::Length));

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
                assert_eq!(ciphertext.as_ref(), &bytes[..]);
                assert_eq!(Ciphertext::try_from(&bytes[..]), Ok(ciphertext.clone()));
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
            ($module:ident, $set:ident) => {{
                use kemstone::$module::{
                    CIPHERTEXT_SIZE, Ciphertext, DECAPSULATION_KEY_SIZE, DecapsulationKey,
                };
                let key = DecapsulationKey::from_seed(&Seed::from([5; 64]));
                let ek = key.encapsulation_key();
                let mut dk = [0; DECAPSULATION_KEY_SIZE];
                key_gen::<$set, _>(backend, &[5; 32], &[5; 32], &mut dk).expect("room");
                assert_eq!(&dk, key.as_expanded_bytes());
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
        set!(ml_kem_512, MlKem512);
        set!(ml_kem_768, MlKem768);
        set!(ml_kem_1024, MlKem1024);
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
