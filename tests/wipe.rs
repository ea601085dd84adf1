//! Secrets are gone when they should be: from the memory of a dropped value, and from the stack of every operation.
#![cfg(unix)]

#[path = "support/registers.rs"]
mod registers;
mod support;

use core::hint::black_box;
use core::mem::{MaybeUninit, size_of};
use core::ptr;

use kemstone::backend::Backend;
use kemstone::backend::poly::{Canonical, Eta, Lazy, Multiplier, Noise, NttPoly, Poly, Q};
use kemstone::backend::select::{Selected, Visitor, for_each, on};
use kemstone::hybrid::{self, HybridKem, MlKem768P256, MlKem1024P384, XWing};
use kemstone::sponge::fips202::Function;
use kemstone::sponge::jobs::{Job, Jobs};
use kemstone::zeroize::Zeroize;
use kemstone::{
    AnyDecapsulationKey, Bytes, Ciphertext, CiphertextRef, DecapsulationKey, EncapsulationKey,
    EncapsulationState, EphemeralPool, Error, ExpandedDecapsulationKey, ParameterSet,
    PreparedDecapsulationKey, PreparedEncapsulationKey, PrivateKeyForm, Seed, SharedSecret,
};
use registers::Registers;
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use sha3::Digest;
use support::stack::{Found, Sought, Used, different, run};
use support::{MlKem512, MlKem768, MlKem1024, Random, Set, Source, array, each, shake256};

/// The bytes of a value's memory before and after it is dropped there.
fn dropped<T>(value: T) -> (Vec<u8>, Vec<u8>) {
    let mut place = Box::new(MaybeUninit::<T>::uninit());
    // Padding, if there is any, holds something definite.
    // SAFETY: the box is large enough for a `T`, and any bytes may be in a `MaybeUninit`.
    unsafe { ptr::write_bytes(place.as_mut_ptr().cast::<u8>(), 0, size_of::<T>()) };
    place.write(value);
    let read = |place: &MaybeUninit<T>| {
        let start = place.as_ptr().cast::<u8>();
        let mut bytes = vec![0; size_of::<T>()];
        for (i, byte) in bytes.iter_mut().enumerate() {
            // SAFETY: the memory is owned by the box and all of it has been written: by `write_bytes` and by the value,
            // which consists of bytes and a truth value.
            *byte = unsafe { start.add(i).read_volatile() };
        }
        bytes
    };
    let before = read(&place);
    // SAFETY: a value was written above and is not used again.
    unsafe { place.assume_init_drop() };
    (before, read(&place))
}

fn is_zero(memory: &[u8]) -> bool {
    memory.iter().all(|byte| *byte == 0)
}

fn is_in(memory: &[u8], secret: &[u8]) -> bool {
    memory.windows(secret.len()).any(|window| window == secret)
}

/// The secret was in what has been [`dropped`], and nothing is left.
fn is_zero_after_drop((before, after): (Vec<u8>, Vec<u8>), secret: &[u8]) {
    assert!(is_in(&before, secret), "the secret was there");
    assert!(is_zero(&after), "{after:x?}");
}

#[test]
fn dropped_values_are_zero() {
    let bytes: [u8; 64] = Random::new("dropped").array();
    is_zero_after_drop(dropped(Seed::from(bytes)), &bytes);
    is_zero_after_drop(dropped(SharedSecret::try_from(&bytes[..32]).expect("32 bytes")), &bytes[..32]);

    fn key<S: Set>(_: Selected) {
        let seed = Random::new("dropped key").seed();
        let dk = S::from_seed(&seed);
        let expanded = S::expanded(&dk);
        let [s, z] = [&expanded[..384 * S::K], &expanded[S::DK - 32..]];
        is_zero_after_drop(dropped(dk), s);
        is_zero_after_drop(dropped(S::from_seed(&seed)), z);
        is_zero_after_drop(dropped(S::from_seed(&seed)), &seed.as_bytes()[..32]); // d
        is_zero_after_drop(dropped(S::dk(&expanded).expect("a good key")), s);
    }
    each!(key);

    fn hybrid_key<H: HybridKem>() {
        let seed = Random::new("dropped hybrid key").array();
        let key = || hybrid::DecapsulationKey::<H>::from_seed(&hybrid::Seed::from(seed));
        let mut expanded = [0; 64 + 32];
        shake256(&[&seed], &mut expanded);
        // What is left is the public key, twice, and its hash.
        for secret in [&seed, &expanded[..32], &expanded[32..64], &expanded[64..]] {
            let (before, after) = dropped(key());
            let any_of_it_in = |memory: &[u8]| secret.windows(8).any(|piece| is_in(memory, piece));
            assert!(any_of_it_in(&before) && !any_of_it_in(&after));
        }
        let mut zeroized = key();
        zeroized.zeroize();
        assert_eq!(zeroized.to_seed(), hybrid::Seed::from([0; 32]));
        let (before, _) = dropped(zeroized);
        assert!(!is_in(&before, &expanded[32..64]), "z is left");
        is_zero_after_drop(dropped(hybrid::Seed::from(seed)), &seed);
    }
    hybrid_key::<XWing>();
    hybrid_key::<MlKem768P256>();
    hybrid_key::<MlKem1024P384>();
}

/// A prepared key is mostly public: of the rest nothing may be left.
#[test]
fn dropped_prepared_keys_hold_no_secret() {
    fn check<S: Set>(selected: Selected) {
        let seed = Random::new("dropped prepared key").seed();
        let key = S::from_seed(&seed);
        let secrets = secrets_of_key(S::K, selected, &seed, &S::expanded(&key));
        let (before, after) = dropped(PreparedDecapsulationKey::new(&key));
        let mut wiped = PreparedDecapsulationKey::new(&key);
        wiped.zeroize();
        let (wiped, _) = dropped(wiped);
        for (name, secret) in &secrets {
            let kept =
                ["d", "z", "dk_PKE"].contains(&&name[..]) || name.starts_with("coefficients of decoded");
            assert_eq!(is_in(&before, secret), kept, "{name}");
            if kept {
                for piece in secret.chunks(24) {
                    assert!(!is_in(&after, piece) && !is_in(&wiped, piece), "{name} is left");
                }
            }
        }
    }
    each!(check);
}

/// `Zeroize` does what dropping does, for containers that ask for it.
#[test]
fn zeroized_keys_are_zero() {
    fn check<S: Set>(_: Selected) {
        let mut key = S::from_seed(&Random::new("zeroized key").seed());
        key.zeroize();
        assert!(is_zero(&S::expanded(&key)));
        assert_eq!(key.to_seed(), None);
        let (before, _) = dropped(key);
        assert!(is_zero(&before));
    }
    each!(check);
}

/// A scratch holds nothing between operations, nor does the stack that it saves.
#[cfg(feature = "small")]
#[test]
fn used_scratches_are_zero() {
    use kemstone::Scratch;

    fn check<S: Set>(_: Selected) {
        let small = Selected::by_name("small").expect("the feature");
        let mut random = Random::new("scratch");
        let (seed, m): (_, Box<[u8; 32]>) = (random.seed(), Box::new(random.array()));
        let key = S::from_seed(&seed);
        let (ek, dk) = (key.encapsulation_key(), S::expanded(&key));
        let (mut expanded, mut c, mut k) = (Box::new(Bytes::ZERO), Box::new(Bytes::ZERO), Box::new([0; 32]));
        let mut secrets = secrets_of_key(S::K, small, &seed, &dk);
        let (ciphertext, _) = ek.encapsulate_deterministic(&m);
        secrets.extend(secrets_of_message(S::K, small, &dk, &m, ciphertext.as_bytes().as_ref()));
        let mut remains = Remains::of(S::NAME, small, &secrets);
        let mut scratch = Box::new(Scratch::<S>::new());
        let zero = |scratch: &Scratch<S>, what: &str| {
            // SAFETY: the memory of a value that consists of numbers.
            let bytes = unsafe {
                core::slice::from_raw_parts(ptr::from_ref(scratch).cast::<u8>(), size_of::<Scratch<S>>())
            };
            assert!(is_zero(bytes), "{what} leaves something in a scratch");
        };
        remains.examine("scratch expand_into", &mut || scratch.expand_into(&seed, &mut expanded));
        zero(&scratch, "key generation");
        assert_eq!(expanded.as_ref().as_ref(), &dk[..]);
        remains.examine("scratch encapsulate_into", &mut || {
            let draw = |to: &mut [u8; 32]| {
                to.copy_from_slice(&m[..]);
                Ok::<_, ()>(())
            };
            scratch.encapsulate_into(ek, draw, &mut c, &mut k).expect("randomness");
        });
        zero(&scratch, "encapsulation");
        remains.examine("scratch decapsulate_expanded_into", &mut || {
            let c = CiphertextRef::try_from((*c).as_ref()).expect("its length");
            scratch.decapsulate_expanded_into(&expanded, c, &mut k).expect("a good key");
        });
        zero(&scratch, "decapsulation");
        assert!(remains.failures.is_empty(), "{:#?}", remains.failures);
    }
    each!(check);
}

/// Secret bytes, by name.
type Secrets = Vec<(String, Vec<u8>)>;

fn named(secrets: &[(&str, &[u8])]) -> Secrets {
    secrets.iter().map(|(name, bytes)| (name.to_string(), bytes.to_vec())).collect()
}

fn bytes(numbers: &[i16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
}

/// The bytes of a polynomial's canonical coefficients.
fn residues(coefficients: &dyn Fn(usize) -> i16) -> Vec<u8> {
    (0..256).flat_map(|i| coefficients(i).rem_euclid(Q).to_ne_bytes()).collect()
}

/// The noise that PRF makes of a secret seed, in every form in which it passes through an operation.
struct NoiseForms<'a> {
    seed: &'a [u8; 32],
    first: usize,
    count: usize,
    eta: Eta,
    name: &'static str,
}

impl Visitor for NoiseForms<'_> {
    type Output = Secrets;

    fn visit<B: Backend>(self, backend: B) -> Secrets {
        let mut secrets = Secrets::new();
        for n in self.first..self.first + self.count {
            let mut prf = [0; 192];
            shake256(&[self.seed, &[n as u8]], &mut prf[..self.eta.bytes()]);
            let mut f = Poly::<Noise>::ZERO;
            backend.sample_poly_cbd(self.eta, &prf, &mut f);
            let mut f_hat = Multiplier::ZERO;
            backend.multiplier(&f, &mut f_hat);
            secrets.push((format!("PRF output of {}[{n}]", self.name), prf[..self.eta.bytes()].to_vec()));
            secrets.push((format!("coefficients of {}[{n}]", self.name), bytes(f.coefficients())));
            secrets.push((format!("transform of {}[{n}]", self.name), bytes(f_hat.f_hat.raw())));
            secrets.push((format!("product cache of {}[{n}]", self.name), bytes(f_hat.cache.raw())));
        }
        secrets
    }
}

/// The polynomials of dk_PKE, decoded.
struct Decoded<'a>(&'a [u8]);

impl Visitor for Decoded<'_> {
    type Output = Secrets;

    fn visit<B: Backend>(self, backend: B) -> Secrets {
        let polynomials = self.0.as_chunks().0.iter().enumerate().map(|(i, encoded)| {
            let mut f_hat = NttPoly::ZERO;
            assert!(backend.decode12(encoded, &mut f_hat), "a good key");
            (format!("coefficients of decoded s[{i}]"), bytes(f_hat.raw()))
        });
        polynomials.collect()
    }
}

/// The polynomials on which an encryption and its decryption work: sums before they are compressed, and w.
struct Polynomials<'a> {
    k: usize,
    eta1: Eta,
    r: &'a [u8; 32],
    m: &'a [u8; 32],
    dk: &'a [u8],
    c: &'a [u8],
}

impl Polynomials<'_> {
    fn of<B: Backend, const K: usize, const U: usize, const V: usize>(&self, backend: B) -> Secrets {
        let decoded = |encoded: &[u8]| {
            let mut vector = [const { NttPoly::ZERO }; K];
            for (f_hat, b) in vector.iter_mut().zip(encoded.as_chunks().0) {
                assert!(backend.decode12(b, f_hat), "a good key");
            }
            vector
        };
        let mut secrets = Secrets::new();
        let mut product = Poly::<Lazy>::ZERO;

        // Algorithm 14, lines 19 and 21 before the sums.
        let mut y_hat = [const { Multiplier::ZERO }; K];
        for (n, y_hat) in (0..).zip(&mut y_hat) {
            let (mut prf, mut y) = ([0; 192], Poly::<Noise>::ZERO);
            shake256(&[self.r, &[n]], &mut prf[..self.eta1.bytes()]);
            backend.sample_poly_cbd(self.eta1, &prf, &mut y);
            backend.multiplier(&y, y_hat);
        }
        let ek = &self.dk[384 * K..768 * K + 32];
        let mut a_hat = [const { [const { NttPoly::ZERO }; K] }; K];
        let rho = ek[384 * K..].try_into().expect("32 bytes");
        backend.hash_all(&mut [Jobs::matrix(rho, 0, &mut a_hat, true)]);
        let t_hat = decoded(&ek[..384 * K]);
        let (mut e, mut mu) = (Poly::<Noise>::ZERO, Poly::<Canonical>::ZERO);
        backend.decompress(self.m, &mut mu);
        for (i, row) in a_hat.iter().chain([&t_hat]).enumerate() {
            backend.dot_inverse(row, &y_hat, &mut product);
            secrets.push((format!("product of row {i}"), bytes(product.coefficients())));
            let mut prf = [0; 128];
            shake256(&[self.r, &[(K + i) as u8]], &mut prf);
            backend.sample_poly_cbd(Eta::Two, &prf, &mut e);
            let sum = residues(&|n| {
                let sum = product.coefficients()[n] + e.coefficients()[n];
                if i < K { sum } else { sum + mu.coefficients()[n] }
            });
            secrets.push((format!("sum of row {i}"), sum));
        }

        // The second part of a ciphertext without t, from which m can be read: what an incremental encapsulation begins with.
        let (mut prf, mut c2) = ([0; 128], [0; V]);
        shake256(&[self.r, &[2 * K as u8]], &mut prf);
        backend.sample_poly_cbd(Eta::Two, &prf, &mut e);
        backend.add_message_compress(&Poly::<Lazy>::ZERO, &e, self.m, &mut c2);
        secrets.push(("re-encryption of a header".to_owned(), c2.to_vec()));

        // Algorithm 15, line 6.
        let (mut u, mut v) = (Poly::<Canonical>::ZERO, Poly::<Canonical>::ZERO);
        let mut u_hat = [const { Multiplier::ZERO }; K];
        for (u_hat, c1) in u_hat.iter_mut().zip(self.c.as_chunks::<U>().0) {
            backend.decompress(c1, &mut u);
            backend.multiplier(&u, u_hat);
        }
        backend.decompress(self.c[U * K..].first_chunk::<V>().expect("c2"), &mut v);
        backend.dot_inverse(&decoded(&self.dk[..384 * K]), &u_hat, &mut product);
        let w = residues(&|n| v.coefficients()[n] - product.coefficients()[n]);
        secrets.push(("product of s and u".to_owned(), bytes(product.coefficients())));
        secrets.push(("difference of w".to_owned(), w));
        secrets
    }
}

impl Visitor for Polynomials<'_> {
    type Output = Secrets;

    fn visit<B: Backend>(self, backend: B) -> Secrets {
        match self.k {
            2 => self.of::<B, 2, 320, 128>(backend),
            3 => self.of::<B, 3, 320, 128>(backend),
            _ => self.of::<B, 4, 352, 160>(backend),
        }
    }
}

fn eta1(k: usize) -> Eta {
    if k == 2 { Eta::Three } else { Eta::Two }
}

/// SHA3-512 in two halves.
fn g(bytes: &[u8]) -> ([u8; 32], [u8; 32]) {
    let hash: [u8; 64] = sha3::Sha3_512::digest(bytes).into();
    (hash[..32].try_into().expect("32 bytes"), hash[32..].try_into().expect("32 bytes"))
}

/// What key generation must not leave behind.
fn secrets_of_key(k: usize, selected: Selected, seed: &Seed, expanded: &[u8]) -> Secrets {
    let (d, z) = seed.as_bytes().split_at(32);
    let (_, sigma) = g(&[d, &[k as u8]].concat());
    let mut secrets = named(&[("d", d), ("z", z), ("sigma", &sigma), ("dk_PKE", &expanded[..384 * k])]);
    let eta = eta1(k);
    secrets.extend(selected.visit(NoiseForms { seed: &sigma, first: 0, count: k, eta, name: "s" }));
    secrets.extend(selected.visit(NoiseForms { seed: &sigma, first: k, count: k, eta, name: "e" }));
    secrets.extend(selected.visit(Decoded(&expanded[..384 * k])));
    secrets
}

/// What encapsulation, and decapsulation again, must not leave behind.
fn secrets_of_message(k: usize, selected: Selected, dk: &[u8], m: &[u8; 32], c: &[u8]) -> Secrets {
    let ek = &dk[384 * k..768 * k + 32];
    let (secret, r) = g(&[&m[..], &support::sha3_256(ek)].concat());
    let mut secrets = named(&[("m", m), ("shared secret", &secret), ("r", &r)]);
    secrets.extend(selected.visit(NoiseForms { seed: &r, first: 0, count: k, eta: eta1(k), name: "y" }));
    let eta = Eta::Two;
    secrets.extend(selected.visit(NoiseForms { seed: &r, first: k, count: k + 1, eta, name: "e1, e2" }));
    secrets.extend(selected.visit(Polynomials { k, eta1: eta1(k), r: &r, m, dk, c }));
    secrets
}

/// How thoroughly a stack is searched for a secret.
struct Search {
    /// So many bytes in a row are enough to be found.
    window: usize,
    /// Unless they are fewer different ones than this.
    distinct: usize,
    /// What is found makes the test fail.
    fails: bool,
}

/// Seeds, messages, shared secrets: no eight bytes in a row may be left by a release build; the checks of debug builds
/// make the compiler keep more copies, and there no whole secret may be left, except by avx512: without optimisation each
/// intrinsic has its operands in memory, whole secrets at the end of a sponge, and later frames happen to cover that or do
/// not. Coefficients of noise are few different numbers, so it takes more of them to say where they are from, and more than a
/// register: compilers spill those, up to 64 bytes of a polynomial and 16 of a key on its way through.
///
/// Of all that is computed in between (outputs of the PRF, transforms, product caches, products, w) no more than a register
/// may be left, either. Smaller pieces, of a transform in progress or of the last Keccak state, are looked for and printed, not
/// judged. `SECURITY.md` says what that means.
fn searches(name: &str, selected: Selected) -> Vec<Search> {
    let kind = name.split(" of ").next().unwrap_or(name);
    match kind {
        "d" | "z" | "sigma" | "m" | "r" | "shared secret" | "rejection secret" | "hybrid seed"
        | "combined secret" => {
            vec![if cfg!(debug_assertions) {
                Search { window: 32, distinct: 6, fails: selected.name() != "avx512" }
            } else {
                Search { window: 8, distinct: 6, fails: true }
            }]
        }
        "coefficients" => vec![Search { window: 96, distinct: 4, fails: true }],
        "dk_PKE" => vec![Search { window: 24, distinct: 12, fails: true }],
        "PRF output" | "transform" | "product cache" | "product" | "sum" | "difference" | "re-encryption" => {
            vec![
                Search { window: 96, distinct: 16, fails: !cfg!(debug_assertions) },
                Search { window: 8, distinct: 6, fails: false },
            ]
        }
        // Theirs are the crates that compute in the groups.
        "scalar" => vec![Search { window: 16, distinct: 6, fails: false }],
        unknown => panic!("how to search for {unknown}?"),
    }
}

/// What the stacks of a KEM's operations are searched for, on one backend.
struct Remains<'a> {
    kem: &'a str,
    selected: Selected,
    /// A name and whether it makes the test fail, for each thing that is sought.
    names: Vec<(&'a str, Search)>,
    sought: Sought<'a>,
    failures: Vec<String>,
}

impl<'a> Remains<'a> {
    fn of(kem: &'a str, selected: Selected, secrets: &'a Secrets) -> Self {
        let (mut names, mut things) = (Vec::new(), Vec::new());
        for (name, bytes) in secrets {
            for search in searches(name, selected) {
                things.push((&bytes[..], search.window, search.distinct));
                names.push((&name[..], search));
            }
        }
        Self { kem, selected, names, sought: Sought::new(things), failures: Vec::new() }
    }

    /// The stack of an operation must be free of the secrets. Nothing here is generic: it would be compiled for every call.
    fn examine(&mut self, what: &str, f: &mut (dyn FnMut() + Send)) {
        let found = run(&mut || on(self.selected, &mut *f)).find(&self.sought);
        for ((name, search), found) in self.names.iter().zip(found) {
            let Some(Found { windows, offset, distance }) = found else { continue };
            let line = format!(
                "{} {} {what}: {name}, {windows} windows of {} bytes, from byte {offset} on, {distance} below the caller",
                self.selected.name(),
                self.kem,
                search.window,
            );
            println!("{}: {line}", if search.fails { "left" } else { "spilled" });
            self.failures.extend(search.fails.then_some(line));
        }
    }
}

/// What these find on every backend.
fn on_each_backend(searches: [fn(Selected) -> Vec<String>; 3]) -> Vec<String> {
    let mut found = Vec::new();
    for_each(|selected| found.extend(searches.iter().flat_map(|search| search(selected))));
    found
}

/// Whether any piece of this length is left of something.
fn left(used: &Used, bytes: &[u8], window: usize, distinct: usize) -> Option<Found> {
    used.find(&Sought::new([(bytes, window, distinct)]))[0]
}

/// Outputs of the PRF as an encryption asks for them, as many as no backend exceeds at once.
struct Prf<'a> {
    seed: &'a [u8; 32],
    outputs: &'a mut [[u8; 128]; 8],
}

impl Visitor for Prf<'_> {
    type Output = ();

    fn visit<B: Backend>(self, backend: B) {
        let (y, e) = self.outputs.split_at_mut(3);
        let (e1, e2) = e.split_at_mut(4);
        backend.hash_all(&mut [
            Jobs::prf(self.seed, 0, 128, y),
            Jobs::prf(self.seed, 3, 128, e1),
            Jobs::prf(self.seed, 7, 128, e2),
        ]);
    }
}

/// Fills `m` from the heap.
fn fill(m: &[u8; 32]) -> impl Fn(&mut [u8; 32]) -> Result<(), Error> {
    move |to| {
        to.copy_from_slice(m);
        Ok(())
    }
}

/// The calls of the API that make, keep or hand out a secret, but for the steps of [`operations`].
fn other_calls<S: Set>(
    remains: &mut Remains<'_>,
    seed: &Seed,
    dk: &DecapsulationKey<S>,
    m: &[u8; 32],
    c: &Ciphertext<S>,
) {
    type Plain<S> = DecapsulationKey<S>;
    type Prepared<S> = PreparedDecapsulationKey<S>;
    let bytes = seed.as_bytes();
    let expanded = Box::new(dk.to_expanded_bytes());
    let expanded = expanded.as_bytes();
    let fill = |to: &mut [u8; 64]| {
        *to = *bytes;
        Ok::<(), Error>(())
    };
    // Keys and secrets returned by value are dropped where they lie, and so wiped; those on the heap are dropped there.
    macro_rules! call {
        ($what:literal, $result:expr) => {
            remains.examine($what, &mut || _ = black_box(&$result));
        };
    }
    call!("generate_with", Plain::<S>::generate_with(fill));
    call!("generate_from_rng", Plain::<S>::generate_from_rng(&mut Source::new(bytes)));
    call!("try_generate_from_rng", Plain::<S>::try_generate_from_rng(&mut Source::new(bytes)));
    call!("boxed_generate_with", Plain::<S>::boxed_generate_with(fill));
    call!("boxed_from_seed", Plain::<S>::boxed_from_seed(seed));
    call!("from_expanded_bytes", Plain::<S>::from_expanded_bytes(expanded));
    call!("boxed_from_expanded_bytes", Plain::<S>::boxed_from_expanded_bytes(expanded));
    call!("to_expanded_bytes", dk.to_expanded_bytes());
    let header = dk.encapsulation_key().header();
    call!("encapsulation begun", header.encapsulate_with(self::fill(m)));
    let (_, state, _) = header.encapsulate_with(self::fill(m)).expect("it is given");
    let stored = Box::new(state.to_bytes());
    call!("EncapsulationState::from_bytes", EncapsulationState::<S>::from_bytes(&stored));
    call!("encapsulation finished", state.finish(dk.encapsulation_key().vector()));
    call!("generate_checked_with", Plain::<S>::generate_checked_with(fill));
    let (der, mut room) = (dk.to_pkcs8_der(PrivateKeyForm::Both).expect("a seed"), vec![0; 3400]);
    let expanded_der = dk.to_pkcs8_der(PrivateKeyForm::Expanded).expect("always");
    call!("from_pkcs8_der (both)", Plain::<S>::from_pkcs8_der(&der));
    call!("from_pkcs8_der (expanded)", Plain::<S>::from_pkcs8_der(&expanded_der));
    call!("boxed_from_pkcs8_der", Plain::<S>::boxed_from_pkcs8_der(&der));
    call!("any from_pkcs8_der", AnyDecapsulationKey::from_pkcs8_der(&der));
    call!("write_pkcs8_der", dk.write_pkcs8_der(PrivateKeyForm::Both, &mut room));
    let pem = dk.to_pkcs8_pem(PrivateKeyForm::Both).expect("a seed");
    call!("to_pkcs8_pem", dk.to_pkcs8_pem(PrivateKeyForm::Both));
    call!("from_pkcs8_pem", Plain::<S>::from_pkcs8_pem(pem.as_bytes()));
    let mut copy = Box::new(*expanded);
    call!("to_expanded_bytes_into", dk.to_expanded_bytes_into(&mut copy));
    call!("ExpandedDecapsulationKey::try_from", ExpandedDecapsulationKey::<S>::try_from(expanded.as_ref()));
    call!("Seed::try_from", Seed::try_from(&bytes[..]));
    call!("Seed::clone", seed.clone());
    let digits = hex::encode(bytes);
    let digits = || StrDeserializer::<serde::de::value::Error>::new(&digits);
    call!("serde's Seed", Seed::deserialize(digits()));
    call!("serde's DecapsulationKey", Plain::<S>::deserialize(digits()));
    call!("to_seed", dk.to_seed());
    let mut written = Box::new([0; 64]);
    call!("to_seed_into", dk.to_seed_into(&mut written));
    call!("check_pairwise_consistency", dk.check_pairwise_consistency());
    call!("prepared new", Prepared::<S>::new(dk));
    call!("prepared boxed", Prepared::<S>::boxed(dk));
    call!("prepared shared", Prepared::<S>::shared(dk));
    call!("prepared from_seed", Prepared::<S>::from_seed(seed));
    call!("prepared boxed_from_seed", Prepared::<S>::boxed_from_seed(seed));
    call!("prepared generate_with", Prepared::<S>::generate_with(fill));
    call!("prepared generate_from_rng", Prepared::<S>::generate_from_rng(&mut Source::new(bytes)));
    call!("prepared try_generate_from_rng", Prepared::<S>::try_generate_from_rng(&mut Source::new(bytes)));
    call!("prepared boxed_generate_with", Prepared::<S>::boxed_generate_with(fill));
    call!("prepared from_expanded_bytes", Prepared::<S>::from_expanded_bytes(expanded));
    let prepared = Prepared::<S>::boxed(dk);
    call!("prepared decapsulate", prepared.decapsulate(c));
    let mut k = Box::new([0; 32]);
    call!("prepared decapsulate_into", prepared.decapsulate_into(c, &mut k));
    call!("prepared check_pairwise_consistency", prepared.check_pairwise_consistency());
    call!("decapsulate_expanded", Plain::<S>::decapsulate_expanded(expanded, c));
    call!("decapsulate_expanded_into", Plain::<S>::decapsulate_expanded_into(expanded, c, &mut k));

    let ek = dk.encapsulation_key();
    let mut to = Box::new(*c.as_bytes());
    many(remains, seed, dk, m, c);
    call!("encapsulate_with_rng", ek.encapsulate_with_rng(&mut Source::new(m)));
    call!("try_encapsulate_with_rng", ek.try_encapsulate_with_rng(&mut Source::new(m)));
    call!("encapsulate_deterministic", ek.encapsulate_deterministic(m));
    let public = PreparedEncapsulationKey::boxed(ek);
    call!("prepared encapsulate_with", public.encapsulate_with(self::fill(m)));
    call!("prepared encapsulate_with_rng", public.encapsulate_with_rng(&mut Source::new(m)));
    call!("prepared try_encapsulate_with_rng", public.try_encapsulate_with_rng(&mut Source::new(m)));
    call!("prepared encapsulate_into", public.encapsulate_into(self::fill(m), &mut to, &mut k));
}

/// Operations side by side: nine, so that one is left over.
fn many<S: Set>(
    remains: &mut Remains<'_>,
    seed: &Seed,
    dk: &DecapsulationKey<S>,
    m: &[u8; 32],
    c: &Ciphertext<S>,
) {
    type Key<S> = DecapsulationKey<S>;
    let bytes = seed.as_bytes();
    macro_rules! call {
        ($what:literal, $result:expr) => {
            remains.examine($what, &mut || _ = black_box(&$result));
        };
    }
    let fill_seeds = |to: &mut [[u8; 64]]| {
        to.fill(*bytes);
        Ok::<(), Error>(())
    };
    let fill = |to: &mut [[u8; 32]]| {
        to.fill(*m);
        Ok::<(), Error>(())
    };
    let seeds: Vec<Seed> = (0..9).map(|_| seed.clone()).collect();
    let mut expanded = vec![array::<S::DecapsulationKeyBytes>(0); 9];
    let (mut cs, mut ks) = (vec![*c.as_bytes(); 9], vec![[0; 32]; 9]);
    let (dks, eks, received) = ([dk; 9], [dk.encapsulation_key(); 9], [CiphertextRef::from(c); 9]);
    call!("generate_many_with", Key::<S>::generate_many_with(9, fill_seeds));
    call!("EphemeralPool::take_with", EphemeralPool::<S>::new().take_with(fill_seeds));
    call!("expand_many_into", Key::<S>::expand_many_into(&seeds, &mut expanded));
    call!("encapsulate_many_with", EncapsulationKey::encapsulate_many_with(eks, fill));
    call!("encapsulate_many_into", EncapsulationKey::encapsulate_many_into(&eks, fill, &mut cs, &mut ks));
    call!("decapsulate_many", Key::<S>::decapsulate_many(received.map(|c| (dk, c))));
    call!("decapsulate_many_into", Key::<S>::decapsulate_many_into(&dks, &received, &mut ks));
    let public = PreparedEncapsulationKey::boxed(eks[0]);
    let private = PreparedDecapsulationKey::boxed(dk);
    call!("prepared encapsulate_many_with", public.encapsulate_many_with(9, fill));
    call!("prepared encapsulate_many_into", public.encapsulate_many_into(fill, &mut cs, &mut ks));
    call!("prepared decapsulate_many", private.decapsulate_many(received));
    call!("prepared decapsulate_many_into", private.decapsulate_many_into(&received, &mut ks));
}

/// All operations of a set; the inputs and outputs lie outside of the stack examined.
fn operations<S: Set>(selected: Selected) -> Vec<String> {
    let mut random = Random::new("stack remains");
    let seed = Box::new(random.seed());
    let m: Box<[u8; 32]> = Box::new(random.array());
    let dk = Box::new(S::from_seed(&seed));
    let ek = Box::new(S::ek(&dk));
    let (ciphertext, _) = ek.encapsulate_deterministic(&m);
    let ciphertext = Box::new(ciphertext);
    let mut forged = ciphertext.as_bytes().as_ref().to_vec();
    forged[0] ^= 1;
    let rejected = support::j(&seed.as_bytes()[32..], &forged);
    let forged = Box::new(Ciphertext::<S>::try_from(&forged[..]).expect("the right length"));
    let expanded_copy = S::expanded(&dk);
    let mut expanded = Box::new(array::<S::DecapsulationKeyBytes>(0));
    let (mut c, mut k) = (Box::new(array::<S::CiphertextBytes>(0)), Box::new([0; 32]));

    let mut secrets = secrets_of_key(S::K, selected, &seed, &expanded_copy);
    secrets.extend(secrets_of_message(S::K, selected, &expanded_copy, &m, (*ciphertext).as_bytes().as_ref()));
    let unused = support::j(&seed.as_bytes()[32..], (*ciphertext).as_bytes().as_ref());
    secrets.extend(named(&[
        ("rejection secret", &rejected),
        ("rejection secret of an accepted ciphertext", &unused),
    ]));
    let mut remains = Remains::of(S::NAME, selected, &secrets);
    remains.examine("key generation into", &mut || {
        DecapsulationKey::<S>::expand_into(&seed, &mut expanded);
    });
    remains.examine("encapsulation into", &mut || {
        ek.encapsulate_into(fill(&m), &mut c, &mut k).expect("it does not fail");
    });
    remains.examine("decapsulation into", &mut || {
        dk.decapsulate_into(&*ciphertext, &mut k);
    });
    remains.examine("implicit rejection into", &mut || {
        dk.decapsulate_into(&*forged, &mut k);
    });
    // By value: the result is dropped where it lies, and so wiped, within the stack that is examined.
    remains.examine("key generation", &mut || {
        let _key = black_box(&S::from_seed(&seed));
    });
    remains.examine("encapsulation", &mut || {
        let _outcome = black_box(&ek.encapsulate_with(fill(&m)));
    });
    remains.examine("decapsulation", &mut || {
        let _secret = black_box(&dk.decapsulate(&*ciphertext));
    });
    remains.examine("parsing an expanded key", &mut || {
        let _outcome = black_box(&S::dk(&expanded_copy));
    });
    other_calls::<S>(&mut remains, &seed, &dk, &m, &ciphertext);
    let mut failures = remains.failures;

    // The forgery decrypts to m as well, so what m is encrypted to again is the ciphertext, which is not an input here.
    let again = named(&[("re-encryption", (*ciphertext).as_bytes().as_ref())]);
    let mut remains = Remains::of(S::NAME, selected, &again);
    remains.examine("implicit rejection into", &mut || dk.decapsulate_into(&*forged, &mut k));
    let (keys, received, mut ks) = ([&*dk; 8], [CiphertextRef::from(&*forged); 8], Box::new([[0; 32]; 8]));
    remains.examine("implicit rejections side by side", &mut || {
        DecapsulationKey::decapsulate_many_into(&keys, &received, &mut ks[..]).expect("as many of each");
    });
    failures.extend(remains.failures);
    failures
}

/// All that can fail: what was drawn before the generator failed, and what a refused key holds, must not be left behind.
fn failures<S: Set>(selected: Selected) -> Vec<String> {
    let mut random = Random::new("stack remains of failures");
    let seed = Box::new(random.seed());
    let m: Box<[u8; 32]> = Box::new(random.array());
    let dk = S::from_seed(&seed);
    let ek = Box::new(S::ek(&dk));
    let (ciphertext, _) = ek.encapsulate_deterministic(&m);
    let ciphertext = Box::new(ciphertext);
    let expanded = S::expanded(&dk);
    let mut secrets = secrets_of_key(S::K, selected, &seed, &expanded);
    secrets.extend(secrets_of_message(S::K, selected, &expanded, &m, (*ciphertext).as_bytes().as_ref()));
    let rejected = support::j(&seed.as_bytes()[32..], ciphertext.as_bytes().as_ref());
    secrets.push(("rejection secret".to_owned(), rejected.to_vec()));

    let mut remains = Remains::of(S::NAME, selected, &secrets);
    remains.examine("key generation without randomness", &mut || {
        let refused = DecapsulationKey::<S>::generate_with(|to| {
            to.copy_from_slice(seed.as_bytes());
            black_box(to); // or the compiler would not write what nobody reads
            Err(())
        });
        assert!(black_box(&refused).is_err());
    });
    let drawn = |to: &mut [u8; 32]| {
        to.copy_from_slice(&*m);
        black_box(to);
        Err(())
    };
    remains.examine("encapsulation without randomness", &mut || {
        assert!(black_box(&ek.encapsulate_with(drawn)).is_err());
    });
    let (mut c, mut k) = (Box::new(array::<S::CiphertextBytes>(0)), Box::new([0; 32]));
    remains.examine("encapsulation into without randomness", &mut || {
        assert!(ek.encapsulate_into(drawn, &mut c, &mut k).is_err());
    });
    // What the checks look at last in each part: the last number of s, the last of t, and rho, by the hash.
    for (what, last) in [("s", 384 * S::K), ("t", 768 * S::K), ("H(ek)", 768 * S::K + 32)] {
        let mut damaged = expanded.clone();
        damaged[last - 1] = if what == "H(ek)" { !damaged[last - 1] } else { 0xff };
        remains.examine(&format!("refusal of a key by {what}"), &mut || {
            assert!(black_box(&S::dk(&damaged)).is_err());
        });
        let once = format!("refusal of a key by {what}, in one pass");
        remains.examine(&once, &mut || {
            assert!(black_box(&S::decapsulate_expanded(&damaged, &ciphertext)).is_err());
        });
    }
    remains.failures
}

/// All operations of a hybrid KEM.
fn hybrid<H: HybridKem>(selected: Selected) -> Vec<String> {
    let mut random = Random::new("stack remains of a hybrid");
    let seed = Box::new(hybrid::Seed::from(random.array()));
    let mut randomness = Box::new(H::Randomness::ZERO);
    (*randomness).as_mut().copy_from_slice(&random.bytes(H::RANDOMNESS_SIZE));
    let dk = hybrid::DecapsulationKey::<H>::boxed_from_seed(&seed);
    let ek = Box::new(dk.encapsulation_key().clone());
    let (c, combined) = ek.encapsulate_deterministic(&randomness);
    let c = Box::new(c);

    let mut expanded = vec![0; 64 + H::RANDOMNESS_SIZE - 32];
    shake256(&[seed.as_bytes()], &mut expanded);
    let pq = DecapsulationKey::<H::MlKem>::from_seed(&Seed::try_from(&expanded[..64]).expect("64 bytes"));
    let m = (*randomness).as_ref().first_chunk().expect("32 bytes");
    let (_, inner) = pq.encapsulation_key().encapsulate_deterministic(m);
    let size = H::CIPHERTEXT_SIZE - H::MlKem::CIPHERTEXT_SIZE;
    let scalar = if size == 32 { 32 } else { (size - 1) >> 1 };
    let dk_pke = pq.to_expanded_bytes();
    let secrets = named(&[
        ("hybrid seed", seed.as_bytes()),
        ("d", &expanded[..32]),
        ("z", &expanded[32..64]),
        ("m", m),
        ("shared secret", inner.as_bytes()),
        ("combined secret", combined.as_bytes()),
        ("dk_PKE", &dk_pke.as_bytes().as_ref()[..H::MlKem::ENCAPSULATION_KEY_OFFSET]),
        ("scalar of the key", &expanded[64..][..scalar]),
        ("scalar of the ciphertext", &(*randomness).as_ref()[32..][..scalar]),
    ]);

    let mut remains = Remains::of(H::NAME, selected, &secrets);
    let (mut to, mut k) = (Box::new(H::CiphertextBytes::ZERO), Box::new([0; 32]));
    type Key<H> = hybrid::DecapsulationKey<H>;
    let fill_seed = |to: &mut [u8; 32]| {
        *to = *seed.as_bytes();
        Ok::<(), Error>(())
    };
    let fill = |to: &mut H::Randomness| {
        to.as_mut().copy_from_slice((*randomness).as_ref());
        Ok::<(), Error>(())
    };
    let drawn = |to: &mut H::Randomness| {
        to.as_mut().copy_from_slice((*randomness).as_ref());
        black_box(to);
        Err(())
    };
    macro_rules! call {
        ($what:literal, $result:expr) => {
            remains.examine($what, &mut || _ = black_box(&$result));
        };
    }
    call!("from_seed", Key::<H>::from_seed(&seed));
    call!("generate_with", Key::<H>::generate_with(fill_seed));
    call!("generate_from_rng", Key::<H>::generate_from_rng(&mut Source::new(seed.as_bytes())));
    call!("try_generate_from_rng", Key::<H>::try_generate_from_rng(&mut Source::new(seed.as_bytes())));
    call!("boxed_generate_with", Key::<H>::boxed_generate_with(fill_seed));
    call!("boxed_from_seed", Key::<H>::boxed_from_seed(&seed));
    call!("to_seed", dk.to_seed());
    call!("encapsulate_with", ek.encapsulate_with(fill));
    call!("encapsulate_with nothing", ek.encapsulate_with(drawn));
    call!("encapsulate_into", ek.encapsulate_into(fill, &mut to, &mut k));
    call!("encapsulate_with_rng", ek.encapsulate_with_rng(&mut Source::new((*randomness).as_ref())));
    call!("try_encapsulate_with_rng", ek.try_encapsulate_with_rng(&mut Source::new((*randomness).as_ref())));
    call!("encapsulate_deterministic", ek.encapsulate_deterministic(&randomness));
    call!("decapsulate", dk.decapsulate(&c));
    call!("decapsulate_into", dk.decapsulate_into(&c, &mut k));
    remains.failures
}

#[test]
fn hybrids_leave_nothing() {
    let failures = on_each_backend([hybrid::<XWing>, hybrid::<MlKem768P256>, hybrid::<MlKem1024P384>]);
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Lane `i` of states that lie side by side, of which these are the outputs.
fn lane(outputs: &[&[u8]], i: usize) -> Vec<u8> {
    outputs.iter().flat_map(|output| &output[8 * i..][..8]).copied().collect()
}

/// The buffers of the hashing engine, which later frames of an operation cover: here nothing comes after them. Compilers may
/// leave parts of the last states behind, but neither half a block nor 128 bytes of states as they lie side by side.
#[test]
#[cfg_attr(debug_assertions, ignore = "debug builds copy blocks that release builds do not")]
fn the_prf_leaves_no_buffers() {
    for_each(|selected| {
        let seed: Box<[u8; 32]> = Box::new(Random::new("buffers of the PRF").array());
        let mut outputs = Box::new([[0; 128]; 8]);
        let used = run(&mut || selected.visit(Prf { seed: &seed, outputs: &mut outputs }));
        for (n, output) in (0..).zip(outputs.iter()) {
            let mut expected = [0; 128];
            shake256(&[&seed[..], &[n]], &mut expected);
            assert_eq!(*output, expected, "output {n}");
            let found = left(&used, output, 64, 16);
            assert_eq!(found, None, "{}: a block of output {n}", selected.name());
        }
        // The last states that a backend of this width has permuted.
        for width in [2, 4, 8] {
            let last: Vec<&[u8]> = outputs[8 - width..].iter().map(|output| &output[..]).collect();
            let states: Vec<u8> = (0..16).flat_map(|i| lane(&last, i)).collect();
            let found = left(&used, &states, 128, 16);
            assert_eq!(found, None, "{}: states, {width} wide", selected.name());
        }
    });
}

/// What one encryption takes of the PRF, by itself.
struct NoiseOf<'a> {
    r: &'a [u8; 32],
    y: &'a mut [[u8; 192]; 3],
    e1: &'a mut [[u8; 128]; 3],
    e2: &'a mut [u8; 128],
}

impl Visitor for NoiseOf<'_> {
    type Output = ();

    fn visit<B: Backend>(self, backend: B) {
        backend.noise(Eta::Two, self.r, self.y, self.e1, self.e2);
    }
}

/// The same of that operation: neither half a block nor a row of seven states, where so many lie side by side.
#[test]
#[cfg_attr(debug_assertions, ignore = "debug builds copy blocks that release builds do not")]
fn noise_leaves_no_buffers() {
    for_each(|selected| {
        let r: Box<[u8; 32]> = Box::new(Random::new("buffers of noise").array());
        let (mut y, mut e1, mut e2) = (Box::new([[0; 192]; 3]), Box::new([[0; 128]; 3]), Box::new([0; 128]));
        let used = run(&mut || selected.visit(NoiseOf { r: &r, y: &mut y, e1: &mut e1, e2: &mut e2 }));
        let outputs: Vec<&[u8]> =
            y.iter().map(|y| &y[..128]).chain(e1.iter().map(|e| &e[..])).chain([&e2[..]]).collect();
        for (n, output) in (0..).zip(&outputs) {
            let mut expected = [0; 128];
            shake256(&[&r[..], &[n]], &mut expected);
            assert_eq!(output, &expected, "output {n}");
            let found = left(&used, output, 64, 16);
            assert_eq!(found, None, "{}: a block of output {n}", selected.name());
        }
        for i in 0..16 {
            assert_eq!(
                left(&used, &lane(&outputs, i), 56, 16),
                None,
                "{}: row {i} of the states",
                selected.name()
            );
        }
    });
}

/// G and J, each alone and both beside outputs of the PRF, as decapsulation hashes; `c` is of a length by which the end of J
/// fits a block with its padding, or does not.
struct Sponges<'a> {
    z: &'a [u8; 32],
    m: &'a [u8; 32],
    c: &'a [u8],
    together: bool,
    g: &'a mut [u8; 64],
    j: &'a mut [u8; 32],
    outputs: &'a mut [[u8; 128]; 3],
}

impl Visitor for Sponges<'_> {
    type Output = ();

    fn visit<B: Backend>(self, backend: B) {
        let g = Job::new(Function::Sha3_512, self.m, self.z, self.g);
        let j = Job::new(Function::Shake256, self.z, self.c, self.j);
        if self.together {
            backend.hash_all(&mut [j.into(), g.into(), Jobs::prf(self.m, 0, 128, self.outputs)]);
        } else {
            backend.hash(g);
            backend.hash(j);
        }
    }
}

/// As with the PRF, nothing comes after the sponges here that would cover what they leave: of the messages, which go through a
/// block where they are not whole, and of the results no eight bytes may be left.
#[test]
#[cfg_attr(debug_assertions, ignore = "debug builds copy blocks that release builds do not")]
fn sponges_leave_no_messages() {
    for_each(|selected| {
        let mut random = Random::new("buffers of sponges");
        let (z, m): (Box<[u8; 32]>, Box<[u8; 32]>) = (Box::new(random.array()), Box::new(random.array()));
        for (length, together) in
            [(64, false), (768, false), (1088, true), (1568, true), (103, true), (104, true)]
        {
            let c = random.bytes(length);
            let (mut g, mut j, mut outputs) = (Box::new([0; 64]), Box::new([0; 32]), Box::new([[0; 128]; 3]));
            let used = run(&mut || {
                selected.visit(Sponges {
                    z: &z,
                    m: &m,
                    c: &c,
                    together,
                    g: &mut g,
                    j: &mut j,
                    outputs: &mut outputs,
                });
            });
            assert_eq!(*j, support::j(&z[..], &c));
            assert_eq!(self::g(&[&m[..], &z[..]].concat()).0, g[..32]);
            for (what, bytes) in [("z", &z[..]), ("m", &m[..]), ("G", &g[..]), ("J", &j[..])] {
                let found = left(&used, bytes, 8, 6);
                assert_eq!(found, None, "{}: {what}, {length} bytes, together: {together}", selected.name());
            }
        }
    });
}

/// What is sought in registers, by name: eight bytes in a row, which are few places; of noise twice as many, as there are few numbers.
fn pieces(secrets: &Secrets) -> (Vec<&str>, Vec<Vec<u8>>) {
    let mut names = Vec::new();
    let mut pieces = Vec::new();
    for (name, bytes) in secrets {
        let (window, distinct) = if name.starts_with("coefficients of") { (16, 4) } else { (8, 6) };
        for piece in bytes.windows(window).step_by(2) {
            if different(piece) >= distinct {
                names.push(&name[..]);
                pieces.push(piece.to_vec());
            }
        }
    }
    (names, pieces)
}

/// Nothing is left in registers by an operation whose result goes to memory. Where a secret is returned by value, moving it may
/// take registers after the operation has ended.
#[test]
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")),
    ignore = "nobody clears the registers of other machines"
)]
fn registers_are_clean() {
    fn check<S: Set>(selected: Selected) {
        let mut random = Random::new("registers");
        let (seed, m): (Seed, [u8; 32]) = (random.seed(), random.array());
        let dk = S::from_seed(&seed);
        let ek = S::ek(&dk);
        let (ciphertext, _) = ek.encapsulate_deterministic(&m);
        let mut forged = ciphertext.as_bytes().as_ref().to_vec();
        forged[0] ^= 1;
        let expanded = S::expanded(&dk);
        let mut secrets = secrets_of_key(S::K, selected, &seed, &expanded);
        let again = ciphertext.as_bytes().as_ref().to_vec();
        secrets.extend(secrets_of_message(S::K, selected, &expanded, &m, &again));
        secrets.extend(named(&[
            ("rejection secret", &support::j(&seed.as_bytes()[32..], &forged)),
            ("J", &support::j(&seed.as_bytes()[32..], &again)),
        ]));
        let (names, pieces) = pieces(&secrets);

        let forged = Ciphertext::<S>::try_from(&forged[..]).expect("the right length");
        let mut to = array::<S::DecapsulationKeyBytes>(0);
        let (mut c, mut k) = (array::<S::CiphertextBytes>(0), [0; 32]);
        let (mut cs, mut ks) = (vec![c; 9], vec![[0; 32]; 9]);
        let prepared = PreparedDecapsulationKey::boxed(&dk);
        let public = PreparedEncapsulationKey::boxed(&ek);
        let seeds: Vec<Seed> = (0..9).map(|_| seed.clone()).collect();
        let mut keys = vec![to; 9];
        let mut registers = Box::new(Registers::EMPTY);
        let mut examine = |what: &str, f: &mut dyn FnMut()| {
            *registers = Registers::EMPTY;
            f();
            registers.read();
            if let Some(i) = registers.find(&pieces) {
                panic!("{} {} {what}: {} is left in a register", selected.name(), S::NAME, names[i]);
            }
        };
        examine("key generation", &mut || DecapsulationKey::<S>::expand_into(&seed, &mut to));
        examine("encapsulation", &mut || ek.encapsulate_into(fill(&m), &mut c, &mut k).expect("it is given"));
        examine("decapsulation", &mut || dk.decapsulate_into(&ciphertext, &mut k));
        examine("rejection", &mut || dk.decapsulate_into(&forged, &mut k));
        examine("prepared encapsulation", &mut || {
            public.encapsulate_into(fill(&m), &mut c, &mut k).expect("it is given");
        });
        examine("prepared decapsulation", &mut || prepared.decapsulate_into(&ciphertext, &mut k));
        examine("decapsulation in one pass", &mut || {
            DecapsulationKey::<S>::decapsulate_expanded_into(&to, &ciphertext, &mut k).expect("a good key");
        });
        examine("keys side by side", &mut || {
            DecapsulationKey::<S>::expand_many_into(&seeds, &mut keys).expect("as many of each");
        });
        let fill_all = |to: &mut [[u8; 32]]| {
            to.fill(m);
            Ok::<(), Error>(())
        };
        examine("encapsulations side by side", &mut || {
            EncapsulationKey::encapsulate_many_into(&[&ek; 9], fill_all, &mut cs, &mut ks).expect("as many");
        });
        examine("decapsulations side by side", &mut || {
            let received = [CiphertextRef::from(&ciphertext); 9];
            DecapsulationKey::decapsulate_many_into(&[&dk; 9], &received, &mut ks).expect("as many");
        });

        // The same search, of a transform alone: there is nothing that would clear the registers before it looks.
        let found = selected.visit(Transforming {
            sigma: &g(&[&seed.as_bytes()[..32], &[S::K as u8]].concat()).1,
            pieces: &pieces,
        });
        assert!(
            found || selected.name() == "portable",
            "{}: the search finds nothing in registers",
            selected.name()
        );
    }
    each!(check);
}

/// Whether a transform leaves in registers any of these pieces.
struct Transforming<'a> {
    sigma: &'a [u8; 32],
    pieces: &'a [Vec<u8>],
}

impl Visitor for Transforming<'_> {
    type Output = bool;

    fn visit<B: Backend>(self, backend: B) -> bool {
        let mut prf = [0; 192];
        shake256(&[self.sigma, &[0]], &mut prf);
        let mut found = false;
        for eta in [Eta::Two, Eta::Three] {
            let mut f = Poly::<Noise>::ZERO;
            let mut f_hat = Multiplier::ZERO;
            backend.sample_poly_cbd(eta, &prf, &mut f);
            let mut registers = Box::new(Registers::EMPTY);
            backend.multiplier(&f, &mut f_hat);
            registers.read();
            found |= registers.find(self.pieces).is_some();
        }
        found
    }
}

#[test]
fn a_left_secret_is_found() {
    let secret = Random::new("left behind").bytes(64);
    let used = run(&mut || {
        let mut copy = [0u8; 64];
        copy.copy_from_slice(&secret);
        black_box(&copy);
    });
    let found = left(&used, &secret, 8, 6);
    // At least the copy itself; where a compiler does without it, as in some builds for size, what is left of its making.
    assert!(found.is_some_and(|found| found.windows >= 32 && found.offset == 0), "{found:?}");
    assert_eq!(left(&run(&mut || ()), &secret, 8, 6), None);
}

#[test]
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64")),
    ignore = "what compilers spill differs by target, and was judged on x86-64 and AArch64 only; run it with --ignored"
)]
fn stacks_are_clean() {
    let found = on_each_backend([operations::<MlKem512>, operations::<MlKem768>, operations::<MlKem1024>]);
    assert!(found.is_empty(), "left on the stack:\n{}", found.join("\n"));
}

#[test]
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64")),
    ignore = "as above; run it with --ignored"
)]
fn stacks_are_clean_after_failures() {
    let found = on_each_backend([failures::<MlKem512>, failures::<MlKem768>, failures::<MlKem1024>]);
    assert!(found.is_empty(), "left on the stack:\n{}", found.join("\n"));
}
