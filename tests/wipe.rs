//! Secrets are gone when they should be: from the memory of a dropped value, and from the stack of every operation.
#![cfg(unix)]

mod support;

use core::hint::black_box;
use core::mem::{MaybeUninit, size_of};
use core::ptr;

use kemstone::backend::Backend;
use kemstone::backend::Eta;
use kemstone::backend::batch::Jobs;
use kemstone::backend::poly::{Multiplier, Noise, NttPoly, Poly};
use kemstone::backend::select::{Selected, Visitor, for_each, on};
use kemstone::{Error, Seed, SharedSecret};
use sha3::Digest;
use support::stack::run;
use support::{MlKem512, MlKem768, MlKem1024, Random, Set, each, shake256};

/// The bytes of a value's memory before and after it is dropped there.
fn dropped<T>(value: T) -> (Vec<u8>, Vec<u8>) {
    let mut place = Box::new(MaybeUninit::<T>::uninit());
    // Padding, if there is any, holds something definite.
    // SAFETY: the box is large enough for a `T`, and any bytes may be in a `MaybeUninit`.
    unsafe { ptr::write_bytes(place.as_mut_ptr().cast::<u8>(), 0, size_of::<T>()) };
    place.write(value);
    let read = |place: &MaybeUninit<T>| -> Vec<u8> {
        let start = place.as_ptr().cast::<u8>();
        // SAFETY: the memory is owned by the box and all of it has been written: by `write_bytes` and by the value,
        // which consists of bytes and a truth value.
        (0..size_of::<T>()).map(|i| unsafe { start.add(i).read_volatile() }).collect()
    };
    let before = read(&place);
    // SAFETY: a value was written above and is not used again.
    unsafe { place.assume_init_drop() };
    (before, read(&place))
}

fn is_zero_after_drop<T>(value: T, secret: &[u8]) {
    let (before, after) = dropped(value);
    assert!(before.windows(secret.len()).any(|window| window == secret), "the secret was there");
    assert!(after.iter().all(|byte| *byte == 0), "{after:x?}");
}

#[test]
fn dropped_values_are_zero() {
    let bytes: [u8; 64] = Random::new("dropped").array();
    is_zero_after_drop(Seed::from(bytes), &bytes);
    is_zero_after_drop(SharedSecret::try_from(&bytes[..32]).expect("32 bytes"), &bytes[..32]);

    fn key<S: Set>(_: Selected) {
        let seed = Random::new("dropped key").seed();
        let dk = S::from_seed(&seed);
        let expanded = S::expanded_copy(&dk);
        is_zero_after_drop(dk, &expanded);
        is_zero_after_drop(S::from_seed(&seed), &seed.as_bytes()[..32]); // d
        is_zero_after_drop(S::Dk::try_from(&expanded[..]).expect("a good key"), &expanded);
        is_zero_after_drop(S::Dk::try_from(&seed.as_bytes()[..]).expect("a seed"), &expanded);
    }
    each!(key);
}

#[test]
fn zeroized_values_are_zero() {
    use zeroize::Zeroize;
    let mut seed = Seed::from([7; 64]);
    seed.zeroize();
    assert_eq!(*seed.as_bytes(), [0; 64]);
    let mut secret = SharedSecret::from([7; 32]);
    secret.zeroize();
    assert_eq!(*secret.as_bytes(), [0; 32]);
}

/// Secret bytes, by name.
type Secrets = Vec<(String, Vec<u8>)>;

/// The noise that PRF makes of a secret seed, in every form in which it passes through an operation.
struct NoiseForms<'a> {
    seed: &'a [u8; 32],
    first: u8,
    count: u8,
    eta: Eta,
    name: &'static str,
}

impl Visitor for NoiseForms<'_> {
    type Output = Secrets;

    fn visit<B: Backend>(self, backend: B) -> Secrets {
        let mut secrets = Secrets::new();
        for n in self.first..self.first + self.count {
            let mut prf = [0; 192];
            shake256(&[self.seed, &[n]], &mut prf[..self.eta.bytes()]);
            let mut f = Poly::<Noise>::ZERO;
            backend.sample_poly_cbd(self.eta, &prf, &mut f);
            let mut f_hat = Multiplier::ZERO;
            backend.multiplier(&f, &mut f_hat);
            let bytes = |numbers: &[i16]| numbers.iter().flat_map(|c| c.to_ne_bytes()).collect::<Vec<u8>>();
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
            let bytes = f_hat.raw().iter().flat_map(|c| c.to_ne_bytes()).collect();
            (format!("coefficients of decoded s[{i}]"), bytes)
        });
        polynomials.collect()
    }
}

fn eta1<S: Set>() -> Eta {
    if S::K == 2 { Eta::Three } else { Eta::Two }
}

/// SHA3-512 in two halves.
fn g(bytes: &[u8]) -> ([u8; 32], [u8; 32]) {
    let hash: [u8; 64] = sha3::Sha3_512::digest(bytes).into();
    (hash[..32].try_into().expect("32 bytes"), hash[32..].try_into().expect("32 bytes"))
}

/// What key generation must not leave behind.
fn secrets_of_key<S: Set>(selected: Selected, seed: &Seed, expanded: &[u8]) -> Secrets {
    let (d, z) = seed.as_bytes().split_at(32);
    let (_, sigma) = g(&[d, &[S::K as u8]].concat());
    let k = S::K as u8;
    let mut secrets = vec![
        ("d".to_owned(), d.to_vec()),
        ("z".to_owned(), z.to_vec()),
        ("sigma".to_owned(), sigma.to_vec()),
        ("dk_PKE".to_owned(), expanded[..384 * S::K].to_vec()),
    ];
    let eta = eta1::<S>();
    secrets.extend(selected.visit(NoiseForms { seed: &sigma, first: 0, count: k, eta, name: "s" }));
    secrets.extend(selected.visit(NoiseForms { seed: &sigma, first: k, count: k, eta, name: "e" }));
    secrets.extend(selected.visit(Decoded(&expanded[..384 * S::K])));
    secrets
}

/// What encapsulation, and decapsulation again, must not leave behind.
fn secrets_of_message<S: Set>(selected: Selected, ek: &[u8], m: &[u8; 32]) -> Secrets {
    let (secret, r) = g(&[&m[..], &support::sha3_256(ek)].concat());
    let k = S::K as u8;
    let mut secrets = vec![
        ("m".to_owned(), m.to_vec()),
        ("shared secret".to_owned(), secret.to_vec()),
        ("r".to_owned(), r.to_vec()),
    ];
    secrets.extend(selected.visit(NoiseForms { seed: &r, first: 0, count: k, eta: eta1::<S>(), name: "y" }));
    let eta = Eta::Two;
    secrets.extend(selected.visit(NoiseForms { seed: &r, first: k, count: k + 1, eta, name: "e1, e2" }));
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
/// not. Coefficients are few different numbers, so it takes more of them to say where they are from, and more than a
/// register: compilers spill those, up to 64 bytes of a polynomial and 16 of a key on its way through.
///
/// What a compiler spills of a transform in progress or of the last Keccak state (PRF outputs) cannot be wiped in Rust:
/// it is looked for and printed, not judged. `SECURITY.md` says what that means.
fn search(name: &str, selected: Selected) -> Search {
    let kind = name.split(" of ").next().unwrap_or(name);
    match kind {
        "d" | "z" | "sigma" | "m" | "r" | "shared secret" | "rejection secret" => {
            if cfg!(debug_assertions) {
                Search { window: 32, distinct: 6, fails: selected.name() != "avx512" }
            } else {
                Search { window: 8, distinct: 6, fails: true }
            }
        }
        "coefficients" => Search { window: 96, distinct: 4, fails: true },
        "dk_PKE" => Search { window: 24, distinct: 12, fails: true },
        "PRF output" | "transform" | "product cache" => Search { window: 8, distinct: 6, fails: false },
        unknown => panic!("how to search for {unknown}?"),
    }
}

/// One operation's stack must be free of the secrets; returns what was found and should not have been.
fn examine(what: &str, selected: Selected, secrets: &Secrets, mut f: impl FnMut() + Send) -> Vec<String> {
    let used = run(|| on(selected, &mut f));
    let mut failures = Vec::new();
    for (name, bytes) in secrets {
        let Search { window, distinct, fails } = search(name, selected);
        if let Some((count, offset, distance)) = used.find(bytes, window, distinct) {
            let line = format!(
                "{} {what}: {name}, {count} windows of {window} bytes, from byte {offset} on, {distance} below the caller",
                selected.name()
            );
            println!("{}: {line}", if fails { "left" } else { "spilled" });
            failures.extend(fails.then_some(line));
        }
    }
    failures
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

/// All operations of a set; the inputs and outputs lie outside of the stack examined.
fn operations<S: Set>(selected: Selected) -> Vec<String> {
    let mut random = Random::new("stack remains");
    let seed = Box::new(random.seed());
    let m: Box<[u8; 32]> = Box::new(random.array());
    let dk = Box::new(S::from_seed(&seed));
    let ek = Box::new(S::ek(&dk));
    let (ciphertext, secret) = S::encapsulate_deterministic(&ek, &m);
    let ciphertext = Box::new(ciphertext);
    let mut forged = ciphertext.as_ref().as_ref().to_vec();
    forged[0] ^= 1;
    let rejected = support::j(&seed.as_bytes()[32..], &forged);
    let forged = Box::new(S::Ct::try_from(&forged[..]).expect("the right length"));
    let expanded_copy = S::expanded_copy(&dk);
    let (mut expanded, mut c, mut k) = (vec![0; S::DK], vec![0; S::CT], Box::new([0; 32]));

    let of_key = secrets_of_key::<S>(selected, &seed, &expanded_copy);
    let mut of_message = secrets_of_message::<S>(selected, ek.as_ref().as_ref(), &m);
    let mut found = Vec::new();
    let name = |operation| format!("{} {operation}", S::NAME);
    found.extend(examine(&name("key generation into"), selected, &of_key, || {
        S::expand_into(&seed, &mut expanded);
    }));
    found.extend(examine(&name("encapsulation into"), selected, &of_message, || {
        S::encapsulate_into(&ek, fill(&m), &mut c, &mut k).expect("it does not fail");
    }));
    found.extend(examine(&name("encapsulation into, in one pass"), selected, &of_message, || {
        S::encapsulate_encoded_into((*ek).as_ref(), fill(&m), &mut c, &mut k).expect("a good key");
    }));
    of_message.extend(of_key);
    of_message.push(("rejection secret".to_owned(), rejected.to_vec()));
    found.extend(examine(&name("decapsulation into"), selected, &of_message, || {
        S::decapsulate_into(&dk, &ciphertext, &mut k);
    }));
    found.extend(examine(&name("implicit rejection into"), selected, &of_message, || {
        S::decapsulate_into(&dk, &forged, &mut k);
    }));
    // By value: the result is dropped where it lies, and so wiped, within the stack that is examined.
    found.extend(examine(&name("key generation"), selected, &of_message, || {
        let _key = black_box(&S::from_seed(&seed));
    }));
    // Except that a pair within a `Result` is moved on its way out, and a move leaves the shared secret behind.
    of_message.retain(|(name, _)| name != "shared secret");
    found.extend(examine(&name("encapsulation, in one pass"), selected, &of_message, || {
        let _outcome = black_box(&S::encapsulate_encoded_with((*ek).as_ref(), fill(&m)));
    }));
    found.extend(examine(&name("encapsulation"), selected, &of_message, || {
        let _outcome = black_box(&S::encapsulate_with(&ek, fill(&m)));
    }));
    of_message.push(("shared secret".to_owned(), secret.as_bytes().to_vec()));
    found.extend(examine(&name("decapsulation"), selected, &of_message, || {
        let _secret = black_box(&S::decapsulate(&dk, &ciphertext));
    }));
    found.extend(examine(&name("parsing an expanded key"), selected, &of_message, || {
        let _outcome = black_box(&S::Dk::try_from(&expanded_copy[..]));
    }));
    found.extend(examine(&name("parsing a seed"), selected, &of_message, || {
        let _outcome = black_box(&S::Dk::try_from(&seed.as_bytes()[..]));
    }));
    found
}

/// All that can fail: what was drawn before the generator failed, and what a refused key holds, must not be left behind.
fn failures<S: Set>(selected: Selected) -> Vec<String> {
    let mut random = Random::new("stack remains of failures");
    let seed = Box::new(random.seed());
    let m: Box<[u8; 32]> = Box::new(random.array());
    let dk = S::from_seed(&seed);
    let ek = Box::new(S::ek(&dk));
    let (ciphertext, _) = S::encapsulate_deterministic(&ek, &m);
    let ciphertext = Box::new(ciphertext);
    let expanded = S::expanded_copy(&dk);
    let mut secrets = secrets_of_key::<S>(selected, &seed, &expanded);
    secrets.extend(secrets_of_message::<S>(selected, ek.as_ref().as_ref(), &m));
    let rejected = support::j(&seed.as_bytes()[32..], ciphertext.as_ref().as_ref());
    secrets.push(("rejection secret".to_owned(), rejected.to_vec()));

    let mut found = Vec::new();
    let name = |operation: &str| format!("{} {operation}", S::NAME);
    found.extend(examine(&name("key generation without randomness"), selected, &secrets, || {
        let refused = S::generate_with(|to| {
            to.copy_from_slice(seed.as_bytes());
            black_box(to); // or the compiler would not write what nobody reads
            Err(())
        });
        assert!(black_box(&refused).is_err());
    }));
    let drawn = |to: &mut [u8; 32]| {
        to.copy_from_slice(&*m);
        black_box(to);
        Err(())
    };
    found.extend(examine(&name("encapsulation without randomness"), selected, &secrets, || {
        assert!(black_box(&S::encapsulate_with(&ek, drawn)).is_err());
    }));
    let (mut c, mut k) = (vec![0; S::CT], Box::new([0; 32]));
    found.extend(examine(&name("encapsulation into without randomness"), selected, &secrets, || {
        assert!(S::encapsulate_into(&ek, drawn, &mut c, &mut k).is_err());
    }));
    let mut unreduced = (*ek).as_ref().to_vec();
    unreduced[384 * S::K - 1] = 0xff;
    found.extend(examine(&name("refusal of an encapsulation key, in one pass"), selected, &secrets, || {
        let drawn = |to: &mut [u8; 32]| {
            to.copy_from_slice(&*m);
            black_box(to);
            Ok::<(), Error>(())
        };
        assert!(S::encapsulate_encoded_into(&unreduced, drawn, &mut c, &mut k).is_err());
        assert!(black_box(&S::encapsulate_encoded_with(&unreduced, drawn)).is_err());
    }));
    // What the checks look at last in each part: the last number of s, the last of t, and rho, by the hash.
    for (what, last) in [("s", 384 * S::K), ("t", 768 * S::K), ("H(ek)", 768 * S::K + 32)] {
        let mut damaged = expanded.clone();
        damaged[last - 1] = if what == "H(ek)" { !damaged[last - 1] } else { 0xff };
        found.extend(examine(&name(&format!("refusal of a key by {what}")), selected, &secrets, || {
            assert!(black_box(&S::Dk::try_from(&damaged[..])).is_err());
        }));
        let once = format!("refusal of a key by {what}, in one pass");
        found.extend(examine(&name(&once), selected, &secrets, || {
            assert!(black_box(&S::decapsulate_expanded(&damaged, &ciphertext)).is_err());
        }));
    }
    found
}

/// The buffers of the hashing engine, which later frames of an operation cover: here nothing comes after them. Compilers may
/// leave parts of the last states behind, but neither half a block nor 128 bytes of states as they lie side by side.
#[test]
#[cfg_attr(debug_assertions, ignore = "debug builds copy blocks that release builds do not")]
fn the_prf_leaves_no_buffers() {
    for_each(|selected| {
        let seed: Box<[u8; 32]> = Box::new(Random::new("buffers of the PRF").array());
        let mut outputs = Box::new([[0; 128]; 8]);
        let used = run(|| selected.visit(Prf { seed: &seed, outputs: &mut outputs }));
        for (n, output) in (0..).zip(outputs.iter()) {
            let mut expected = [0; 128];
            shake256(&[&seed[..], &[n]], &mut expected);
            assert_eq!(*output, expected, "output {n}");
            let found = used.find(output, 64, 16);
            assert_eq!(found, None, "{}: a block of output {n}", selected.name());
        }
        // The last states that a backend of this width has permuted.
        for width in [2, 4, 8] {
            let last = &outputs[8 - width..];
            let states: Vec<u8> = (0..16)
                .flat_map(|i| last.iter().flat_map(move |output| output[8 * i..][..8].to_vec()))
                .collect();
            let found = used.find(&states, 128, 16);
            assert_eq!(found, None, "{}: states, {width} wide", selected.name());
        }
    });
}

#[test]
fn a_left_secret_is_found() {
    let secret = Random::new("left behind").bytes(64);
    let used = run(|| {
        let mut copy = [0u8; 64];
        copy.copy_from_slice(&secret);
        black_box(&copy);
    });
    let found = used.find(&secret, 8, 6);
    assert!(found.is_some_and(|(count, offset, _)| (count, offset) == (57, 0)), "{found:?}");
    assert_eq!(run(|| ()).find(&secret, 8, 6), None);
}

#[test]
#[cfg_attr(
    not(target_arch = "x86_64"),
    ignore = "what compilers spill differs by target, and was judged on x86-64 only; run it with --ignored"
)]
fn stacks_are_clean() {
    let mut found = Vec::new();
    for_each(|selected| {
        found.extend(operations::<MlKem512>(selected));
        found.extend(operations::<MlKem768>(selected));
        found.extend(operations::<MlKem1024>(selected));
    });
    assert!(found.is_empty(), "left on the stack:\n{}", found.join("\n"));
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "as above; run it with --ignored")]
fn stacks_are_clean_after_failures() {
    let mut found = Vec::new();
    for_each(|selected| {
        found.extend(failures::<MlKem512>(selected));
        found.extend(failures::<MlKem768>(selected));
        found.extend(failures::<MlKem1024>(selected));
    });
    assert!(found.is_empty(), "left on the stack:\n{}", found.join("\n"));
}
