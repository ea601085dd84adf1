//! Every public call, and what stack it may take: measured on this machine by `tests/stack.rs`, on a Cortex-M4 by
//! `.ci/stack`. A new call is a line of `set!` or of `common`.

use core::convert::Infallible;
use core::fmt::{self, Debug, Write};
use core::hash::{Hash, Hasher};
use core::hint::black_box;

#[cfg(not(target_os = "none"))]
use kemstone::EphemeralPool;
use kemstone::rand_core::{TryCryptoRng, TryRng};
use kemstone::{Error, Seed, SharedSecret};

/// What calls that take about the same have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    KeyGeneration,
    Encapsulation,
    Decapsulation,
    /// An encoded key becomes a key, or the other way round.
    Parsing,
    /// A key that is made, read or there already becomes a prepared one.
    Preparation,
    /// The self test and the check of pairs.
    Check,
    /// What looks at a value, compares, copies or prints it.
    Access,
    /// Eight operations side by side.
    Many,
    /// A program that makes a key, encapsulates and decapsulates, with all its values in one function; and the self tests that
    /// do so.
    Exchange,
}

/// How what is measured was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // of two programs, each uses its own
pub(crate) enum Build {
    /// With optimisation, for x86-64.
    Release,
    /// For x86-64 without, or with the checks of debug builds.
    Dev,
    /// With optimisation, for thumbv7em.
    Cortex,
}

/// KiB that a call may take beside the result that it returns by value: for ML-KEM-512, 768 and 1024, in builds of each
/// kind, with whatever backend.
#[rustfmt::skip]
const LIMITS: [(Class, [[usize; 3]; 3]); 9] = [
    // class                   release       dev             thumbv7em
    (Class::KeyGeneration,  [[16, 20, 24], [66, 74, 80], [14, 18, 24]]),
    (Class::Encapsulation,  [[16, 20, 24], [56, 64, 72], [14, 20, 26]]),
    (Class::Decapsulation,  [[12, 16, 22], [54, 60, 66], [14, 20, 26]]),
    (Class::Parsing,        [[6, 8, 10], [22, 26, 32], [6, 8, 10]]),
    (Class::Preparation,    [[18, 24, 32], [76, 92, 114], [20, 28, 38]]),
    (Class::Check,          [[16, 20, 30], [58, 66, 80], [16, 24, 32]]),
    (Class::Access,         [[3, 3, 3], [6, 8, 10], [3, 3, 3]]),
    (Class::Many,           [[48, 76, 112], [92, 120, 156], [0, 0, 0]]),
    (Class::Exchange,       [[20, 26, 32], [70, 80, 88], [18, 26, 36]]),
];

/// A call, ready to be measured.
pub(crate) struct Call<'a> {
    pub(crate) name: &'static str,
    pub(crate) class: Class,
    /// Bytes of what it returns by value. They lie in the frame of the caller, and so are measured as well.
    pub(crate) result: usize,
    pub(crate) run: &'a mut (dyn FnMut() + Send),
}

impl Call<'_> {
    /// Bytes that it may take with its result: `set` is the index in `SETS`. What is not of one set may take what the
    /// largest may.
    pub(crate) fn limit(&self, build: Build, set: usize) -> usize {
        let limits = LIMITS.iter().find(|(class, _)| *class == self.class);
        let kib = limits.map_or(0, |(_, kib)| kib[build as usize][set.min(2)]);
        (kib << 10) + self.result
    }
}

/// What receives the calls, one after the other.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(Call<'_>);

/// Shows the calls of one parameter set.
pub(crate) type Calls = fn(Visit<'_>);

/// The parameter sets, and what they share: name and calls.
pub(crate) const SETS: [(&str, Calls); 4] =
    [("ML-KEM-512", ml_kem_512), ("ML-KEM-768", ml_kem_768), ("ML-KEM-1024", ml_kem_1024), ("all", common)];

/// The result stays where it was returned to: no copy is made for the measurement.
fn keep<T>(result: &T) {
    black_box(result);
}

/// A generator, of which nothing is expected.
struct Generator;

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(7)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(7)
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.fill(black_box(7));
        Ok(())
    }
}

impl TryCryptoRng for Generator {}

/// What is printed goes nowhere.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        black_box(text);
        Ok(())
    }
}

fn print(value: &dyn Debug) -> fmt::Result {
    write!(Nowhere, "{value:?}")
}

impl Hasher for Nowhere {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        black_box(bytes);
    }
}

fn fill<const N: usize>(to: &mut [u8; N]) -> Result<(), Error> {
    *to = black_box([7; N]);
    Ok(())
}

#[cfg(not(target_os = "none"))]
fn fill_many<const N: usize>(to: &mut [[u8; N]]) -> Result<(), Error> {
    to.fill(black_box([7; N]));
    Ok(())
}

fn show<T>(visit: Visit<'_>, class: Class, name: &'static str, mut call: impl FnMut() -> T + Send) {
    visit(Call { name, class, result: size_of::<T>(), run: &mut || keep(&call()) });
}

/// `call!(visit, class, name, expression)`: shows the call to `visit`.
macro_rules! call {
    ($visit:ident, $class:ident, $title:literal, $call:expr) => {
        show($visit, Class::$class, $title, || $call)
    };
}

/// What all parameter sets share.
#[inline(never)]
fn common(visit: Visit<'_>) {
    let seed = &Seed::from(black_box([7; 64]));
    let secret = &SharedSecret::from(black_box([7; 32]));
    let (seed_bytes, secret_bytes) = (black_box(seed.as_bytes()), black_box(secret.as_bytes()));
    call!(visit, Check, "self_test", kemstone::self_test());
    call!(visit, Access, "Seed::from", Seed::from(*seed_bytes));
    call!(visit, Access, "Seed::from_bytes", Seed::from_bytes(seed_bytes));
    call!(visit, Access, "Seed::try_from", Seed::try_from(&seed_bytes[..]));
    call!(visit, Access, "Seed::as_bytes", seed.as_bytes());
    call!(visit, Access, "Seed::as_ref", AsRef::<[u8]>::as_ref(seed));
    call!(visit, Access, "Seed::clone", seed.clone());
    call!(visit, Access, "Seed::eq", *black_box(seed) == *seed);
    call!(visit, Access, "Seed::fmt", print(seed));
    call!(visit, Access, "SharedSecret::from", SharedSecret::from(*secret_bytes));
    call!(visit, Access, "SharedSecret::from_bytes", SharedSecret::from_bytes(secret_bytes));
    call!(visit, Access, "SharedSecret::try_from", SharedSecret::try_from(&secret_bytes[..]));
    call!(visit, Access, "SharedSecret::as_bytes", secret.as_bytes());
    call!(visit, Access, "SharedSecret::as_ref", AsRef::<[u8]>::as_ref(secret));
    call!(visit, Access, "SharedSecret::eq", *black_box(secret) == *secret);
    call!(visit, Access, "SharedSecret::fmt", print(secret));
    call!(visit, Access, "backend", kemstone::backend());
}

macro_rules! set {
    ($name:ident, $set:ident) => {
        #[inline(never)]
        fn $name(visit: Visit<'_>) {
            use kemstone::$name::{
                CIPHERTEXT_SIZE, Ciphertext, CiphertextRef, DecapsulationKey, EncapsulationKey,
            };
            use kemstone::$name::{PreparedDecapsulationKey, PreparedEncapsulationKey};

            let seed = &Seed::from(black_box([7; 64]));
            let m = &black_box([7; 32]);
            let dk = &DecapsulationKey::from_seed(seed);
            let ek = dk.encapsulation_key();
            let expanded_dk = &dk.to_expanded_bytes();
            let ct = &ek.encapsulate_deterministic(m).0;
            let prepared_dk = &*PreparedDecapsulationKey::boxed(dk);
            let prepared_ek = &*PreparedEncapsulationKey::boxed(ek);
            let (ek_bytes, dk_bytes) = (black_box(ek.as_bytes()), black_box(expanded_dk.as_bytes()));
            let ct_bytes = black_box(ct.as_bytes());
            let mut expanded = *dk_bytes;
            let (mut c, mut k) = ([0; CIPHERTEXT_SIZE], [0; 32]);

            #[cfg(not(target_os = "none"))]
            call!(visit, KeyGeneration, "DecapsulationKey::generate", DecapsulationKey::generate());
            call!(
                visit,
                KeyGeneration,
                "DecapsulationKey::boxed_generate_with",
                DecapsulationKey::boxed_generate_with(fill)
            );
            call!(
                visit,
                KeyGeneration,
                "DecapsulationKey::boxed_from_seed",
                DecapsulationKey::boxed_from_seed(seed)
            );
            call!(
                visit,
                Parsing,
                "DecapsulationKey::boxed_from_expanded_bytes",
                DecapsulationKey::boxed_from_expanded_bytes(dk_bytes)
            );
            call!(
                visit,
                KeyGeneration,
                "DecapsulationKey::generate_from_rng",
                DecapsulationKey::generate_from_rng(&mut Generator)
            );
            call!(
                visit,
                KeyGeneration,
                "DecapsulationKey::try_generate_from_rng",
                DecapsulationKey::try_generate_from_rng(&mut Generator)
            );
            call!(
                visit,
                KeyGeneration,
                "DecapsulationKey::generate_with",
                DecapsulationKey::generate_with(fill)
            );
            #[cfg(not(target_os = "none"))]
            call!(visit, Check, "DecapsulationKey::generate_checked", DecapsulationKey::generate_checked());
            call!(
                visit,
                Check,
                "DecapsulationKey::generate_checked_with",
                DecapsulationKey::generate_checked_with(fill)
            );
            call!(visit, KeyGeneration, "DecapsulationKey::from_seed", DecapsulationKey::from_seed(seed));
            call!(visit, KeyGeneration, "DecapsulationKey::from", DecapsulationKey::from(seed.clone()));
            call!(
                visit,
                KeyGeneration,
                "DecapsulationKey::expand_into",
                DecapsulationKey::expand_into(seed, &mut expanded)
            );

            #[cfg(not(target_os = "none"))]
            call!(visit, Encapsulation, "EncapsulationKey::encapsulate", ek.encapsulate());
            call!(
                visit,
                Encapsulation,
                "EncapsulationKey::encapsulate_with_rng",
                ek.encapsulate_with_rng(&mut Generator)
            );
            call!(
                visit,
                Encapsulation,
                "EncapsulationKey::try_encapsulate_with_rng",
                ek.try_encapsulate_with_rng(&mut Generator)
            );
            call!(visit, Encapsulation, "EncapsulationKey::encapsulate_with", ek.encapsulate_with(fill));
            call!(
                visit,
                Encapsulation,
                "EncapsulationKey::encapsulate_into",
                ek.encapsulate_into(fill, &mut c, &mut k)
            );
            call!(
                visit,
                Encapsulation,
                "EncapsulationKey::encapsulate_deterministic",
                ek.encapsulate_deterministic(m)
            );
            #[cfg(not(target_os = "none"))]
            call!(visit, Encapsulation, "PreparedEncapsulationKey::encapsulate", prepared_ek.encapsulate());
            call!(
                visit,
                Encapsulation,
                "PreparedEncapsulationKey::encapsulate_with_rng",
                prepared_ek.encapsulate_with_rng(&mut Generator)
            );
            call!(
                visit,
                Encapsulation,
                "PreparedEncapsulationKey::try_encapsulate_with_rng",
                prepared_ek.try_encapsulate_with_rng(&mut Generator)
            );
            call!(
                visit,
                Encapsulation,
                "PreparedEncapsulationKey::encapsulate_with",
                prepared_ek.encapsulate_with(fill)
            );
            call!(
                visit,
                Encapsulation,
                "PreparedEncapsulationKey::encapsulate_into",
                prepared_ek.encapsulate_into(fill, &mut c, &mut k)
            );
            call!(
                visit,
                Encapsulation,
                "PreparedEncapsulationKey::encapsulate_deterministic",
                prepared_ek.encapsulate_deterministic(m)
            );

            call!(visit, Decapsulation, "DecapsulationKey::decapsulate", dk.decapsulate(ct));
            call!(
                visit,
                Decapsulation,
                "DecapsulationKey::decapsulate_into",
                dk.decapsulate_into(ct, &mut k)
            );
            call!(
                visit,
                Decapsulation,
                "DecapsulationKey::decapsulate_expanded",
                DecapsulationKey::decapsulate_expanded(dk_bytes, ct)
            );
            call!(
                visit,
                Decapsulation,
                "DecapsulationKey::decapsulate_expanded_into",
                DecapsulationKey::decapsulate_expanded_into(dk_bytes, ct, &mut k)
            );
            call!(visit, Decapsulation, "PreparedDecapsulationKey::decapsulate", prepared_dk.decapsulate(ct));
            call!(
                visit,
                Decapsulation,
                "PreparedDecapsulationKey::decapsulate_into",
                prepared_dk.decapsulate_into(ct, &mut k)
            );

            call!(visit, Parsing, "EncapsulationKey::from_bytes", EncapsulationKey::from_bytes(ek_bytes));
            call!(visit, Parsing, "EncapsulationKey::try_from", EncapsulationKey::try_from(&ek_bytes[..]));
            call!(
                visit,
                Parsing,
                "DecapsulationKey::from_expanded_bytes",
                DecapsulationKey::from_expanded_bytes(dk_bytes)
            );

            call!(visit, Preparation, "PreparedEncapsulationKey::new", PreparedEncapsulationKey::new(ek));
            call!(visit, Preparation, "PreparedEncapsulationKey::boxed", PreparedEncapsulationKey::boxed(ek));
            #[cfg(target_has_atomic = "ptr")]
            call!(
                visit,
                Preparation,
                "PreparedEncapsulationKey::shared",
                PreparedEncapsulationKey::shared(ek)
            );
            call!(visit, Preparation, "PreparedEncapsulationKey::from", PreparedEncapsulationKey::from(ek));
            call!(
                visit,
                Preparation,
                "PreparedEncapsulationKey::from_bytes",
                PreparedEncapsulationKey::from_bytes(ek_bytes)
            );
            call!(
                visit,
                Preparation,
                "PreparedEncapsulationKey::try_from",
                PreparedEncapsulationKey::try_from(&ek_bytes[..])
            );
            call!(visit, Preparation, "PreparedDecapsulationKey::new", PreparedDecapsulationKey::new(dk));
            call!(visit, Preparation, "PreparedDecapsulationKey::boxed", PreparedDecapsulationKey::boxed(dk));
            #[cfg(target_has_atomic = "ptr")]
            call!(
                visit,
                Preparation,
                "PreparedDecapsulationKey::shared",
                PreparedDecapsulationKey::shared(dk)
            );
            call!(visit, Preparation, "PreparedDecapsulationKey::from", PreparedDecapsulationKey::from(dk));
            call!(
                visit,
                Preparation,
                "PreparedDecapsulationKey::boxed_from_seed",
                PreparedDecapsulationKey::boxed_from_seed(seed)
            );
            call!(
                visit,
                Preparation,
                "PreparedDecapsulationKey::boxed_generate_with",
                PreparedDecapsulationKey::boxed_generate_with(fill)
            );
            #[cfg(not(target_os = "none"))]
            call!(
                visit,
                Preparation,
                "PreparedDecapsulationKey::generate",
                PreparedDecapsulationKey::generate()
            );
            call!(
                visit,
                Preparation,
                "PreparedDecapsulationKey::generate_from_rng",
                PreparedDecapsulationKey::generate_from_rng(&mut Generator)
            );
            call!(
                visit,
                Preparation,
                "PreparedDecapsulationKey::try_generate_from_rng",
                PreparedDecapsulationKey::try_generate_from_rng(&mut Generator)
            );
            call!(
                visit,
                Preparation,
                "PreparedDecapsulationKey::generate_with",
                PreparedDecapsulationKey::generate_with(fill)
            );
            call!(
                visit,
                Preparation,
                "PreparedDecapsulationKey::from_seed",
                PreparedDecapsulationKey::from_seed(seed)
            );
            call!(
                visit,
                Preparation,
                "PreparedDecapsulationKey::from_expanded_bytes",
                PreparedDecapsulationKey::from_expanded_bytes(dk_bytes)
            );

            call!(
                visit,
                KeyGeneration,
                "self_test_key_generation",
                kemstone::self_test_key_generation::<kemstone::$set>()
            );
            call!(
                visit,
                Exchange,
                "self_test_encapsulation",
                kemstone::self_test_encapsulation::<kemstone::$set>()
            );
            call!(
                visit,
                Exchange,
                "self_test_decapsulation",
                kemstone::self_test_decapsulation::<kemstone::$set>()
            );
            call!(
                visit,
                Check,
                "DecapsulationKey::check_pairwise_consistency",
                dk.check_pairwise_consistency()
            );
            call!(
                visit,
                Check,
                "PreparedDecapsulationKey::check_pairwise_consistency",
                prepared_dk.check_pairwise_consistency()
            );

            // On one slot these are single calls, one after the other; a program that has both has other frames.
            #[cfg(not(target_os = "none"))]
            {
                let seeds: [Seed; 8] = core::array::from_fn(|_| seed.clone());
                let mut all_expanded = [expanded; 8];
                let (mut cs, mut ks) = ([c; 8], [k; 8]);
                let (dks, eks, received) = ([dk; 8], [ek; 8], [CiphertextRef::from(ct); 8]);
                call!(
                    visit,
                    Many,
                    "DecapsulationKey::expand_many_into",
                    DecapsulationKey::expand_many_into(&seeds, &mut all_expanded)
                );
                call!(
                    visit,
                    Many,
                    "DecapsulationKey::generate_many_with",
                    DecapsulationKey::generate_many_with(8, fill_many)
                );
                call!(
                    visit,
                    Many,
                    "EphemeralPool::take_with",
                    EphemeralPool::new().take_with(fill_many).map(|key: Box<PreparedDecapsulationKey>| key)
                );
                call!(
                    visit,
                    Many,
                    "EncapsulationKey::encapsulate_many_into",
                    EncapsulationKey::encapsulate_many_into(&eks, fill_many, &mut cs, &mut ks)
                );
                call!(
                    visit,
                    Many,
                    "DecapsulationKey::decapsulate_many_into",
                    DecapsulationKey::decapsulate_many_into(&dks, &received, &mut ks)
                );
                call!(
                    visit,
                    Many,
                    "PreparedEncapsulationKey::encapsulate_many_into",
                    prepared_ek.encapsulate_many_into(fill_many, &mut cs, &mut ks)
                );
                call!(
                    visit,
                    Many,
                    "PreparedDecapsulationKey::decapsulate_many_into",
                    prepared_dk.decapsulate_many_into(&received, &mut ks)
                );
            }

            call!(visit, Access, "DecapsulationKey::encapsulation_key", dk.encapsulation_key());
            call!(visit, Parsing, "DecapsulationKey::to_expanded_bytes", dk.to_expanded_bytes());
            call!(
                visit,
                Access,
                "DecapsulationKey::to_expanded_bytes_into",
                dk.to_expanded_bytes_into(&mut expanded)
            );
            call!(visit, Access, "DecapsulationKey::to_seed", dk.to_seed());
            let mut written = [0; 64];
            call!(visit, Access, "DecapsulationKey::to_seed_into", dk.to_seed_into(&mut written));
            call!(visit, Access, "DecapsulationKey::fmt", print(dk));
            call!(
                visit,
                Access,
                "PreparedDecapsulationKey::decapsulation_key",
                prepared_dk.decapsulation_key()
            );
            call!(
                visit,
                Access,
                "PreparedDecapsulationKey::encapsulation_key",
                prepared_dk.encapsulation_key()
            );
            call!(visit, Access, "PreparedDecapsulationKey::fmt", print(prepared_dk));
            call!(visit, Access, "EncapsulationKey::as_bytes", ek.as_bytes());
            call!(visit, Access, "EncapsulationKey::to_bytes", ek.to_bytes());
            call!(visit, Access, "EncapsulationKey::as_ref", AsRef::<[u8]>::as_ref(ek));
            call!(visit, Access, "EncapsulationKey::clone", ek.clone());
            call!(visit, Access, "EncapsulationKey::cmp", black_box(ek).cmp(ek));
            call!(visit, Access, "EncapsulationKey::eq", *black_box(ek) == *ek);
            call!(visit, Access, "EncapsulationKey::hash", ek.hash(&mut Nowhere));
            call!(visit, Access, "EncapsulationKey::fmt", print(ek));
            call!(
                visit,
                Access,
                "PreparedEncapsulationKey::encapsulation_key",
                prepared_ek.encapsulation_key()
            );
            call!(visit, Access, "PreparedEncapsulationKey::hash", prepared_ek.hash(&mut Nowhere));
            call!(visit, Preparation, "PreparedEncapsulationKey::clone", prepared_ek.clone());
            call!(visit, Access, "PreparedEncapsulationKey::eq", *black_box(prepared_ek) == *prepared_ek);
            call!(visit, Access, "PreparedEncapsulationKey::fmt", print(prepared_ek));
            call!(visit, Access, "Ciphertext::from", Ciphertext::from(*ct_bytes));
            call!(visit, Access, "Ciphertext::from_bytes", Ciphertext::from_bytes(ct_bytes));
            call!(visit, Access, "Ciphertext::try_from", Ciphertext::try_from(&ct_bytes[..]));
            call!(visit, Access, "Ciphertext::as_bytes", ct.as_bytes());
            call!(visit, Access, "Ciphertext::to_bytes", ct.to_bytes());
            call!(visit, Access, "Ciphertext::as_ref", AsRef::<[u8]>::as_ref(ct));
            call!(visit, Access, "Ciphertext::clone", ct.clone());
            call!(visit, Access, "Ciphertext::cmp", black_box(ct).cmp(ct));
            call!(visit, Access, "CiphertextRef::try_from", CiphertextRef::try_from(&ct_bytes[..]));
            call!(visit, Access, "Ciphertext::eq", *black_box(ct) == *ct);
            call!(visit, Access, "Ciphertext::hash", ct.hash(&mut Nowhere));
            call!(visit, Access, "Ciphertext::fmt", print(ct));

            call!(visit, Exchange, "exchange", {
                let key = DecapsulationKey::generate_from_rng(&mut Generator);
                let (ciphertext, ours) = key.encapsulation_key().encapsulate_with_rng(&mut Generator);
                key.decapsulate(&ciphertext) == ours
            });
        }
    };
}

set!(ml_kem_512, MlKem512);
set!(ml_kem_768, MlKem768);
set!(ml_kem_1024, MlKem1024);
