//! Constants that follow from FIPS 203 alone, on every backend: hashes over many key exchanges, the short chain of
//! known answers, and seeds whose matrix takes more XOF output than usual. `kats/README.md` has the recipes.

mod support;

use kemstone::backend::select::{for_each, on};
use kemstone::{Ciphertext, Seed};
use sha2::{Digest, Sha256};
use shake::{ExtendableOutput, Shake128, Update, XofReader};
use support::kat::{Record, read};
use support::{MlKem512, MlKem768, MlKem1024, Set, each, scale, sha3_256, shake256};

fn constants<S: Set>(function: &str) -> Vec<Record> {
    let all = read(
        include_str!("../kats/constants.txt"),
        &[
            ("accumulated", "KAT", &["n", "full", "short"], 3),
            ("unluckySeed", "KAT", &["d", "z", "xofBytes", "ekHash"], 1),
            ("chain", "KAT", &["n", "hash"], 1),
        ],
    );
    all.into_iter().filter(|record| record.set == S::NAME && record.function == function).collect()
}

/// What one key exchange gives, with an implicit rejection: ek, the expanded dk, c, K and the K of the forged ciphertext.
fn exchange<S: Set>(seed: &[u8; 64], m: &[u8; 32], forged: &[u8]) -> [Vec<u8>; 5] {
    let dk = S::from_seed(&Seed::from(seed));
    let ek = S::ek(&dk);
    let (ciphertext, secret) = ek.encapsulate_deterministic(m);
    assert_eq!(dk.decapsulate(&ciphertext), secret);
    let rejected = dk.decapsulate(&Ciphertext::<S>::try_from(forged).expect("the right length"));
    let [ek, c]: [&[u8]; 2] = [ek.as_ref(), ciphertext.as_bytes().as_ref()];
    [ek.to_vec(), S::expanded(&dk), c.to_vec(), secret.as_bytes().to_vec(), rejected.as_bytes().to_vec()]
}

/// Both forms of the hash over `n` key exchanges, which are the same on every backend.
fn accumulate<S: Set>(n: usize) -> ([u8; 32], [u8; 32]) {
    let mut backends = Vec::new();
    for_each(|selected| backends.push(selected));
    let mut random = Shake128::default().finalize_xof();
    let (mut full, mut short) = (Shake128::default(), Shake128::default());
    let (mut seed, mut m, mut forged) = ([0; 64], [0; 32], vec![0; S::CT]);
    for run in 0..n {
        random.read(&mut seed);
        random.read(&mut m);
        random.read(&mut forged);
        let mut exchanges = backends
            .iter()
            .map(|selected| (selected.name(), on(*selected, || exchange::<S>(&seed, &m, &forged))));
        let (first, expected) = exchanges.next().expect("a backend");
        for (name, exchange) in exchanges {
            assert!(exchange == expected, "{}, run {run}: {name} differs from {first}", S::NAME);
        }
        let [ek, dk, c, secret, rejected] = expected;
        for part in [&ek, &dk, &c, &secret, &rejected] {
            full.update(part);
        }
        for part in [&ek, &c, &secret, &rejected] {
            short.update(part);
        }
    }
    let mut digests = ([0; 32], [0; 32]);
    full.finalize_xof_into(&mut digests.0);
    short.finalize_xof_into(&mut digests.1);
    digests
}

fn check<S: Set>(n: usize) {
    let constants = constants::<S>("accumulated");
    let record = constants.iter().find(|record| record.number("n") == n).expect("a constant for this n");
    let (full, short) = accumulate::<S>(n);
    assert_eq!(hex::encode(full), record.text("full"), "{} over {n} runs, full form", S::NAME);
    assert_eq!(hex::encode(short), record.text("short"), "{} over {n} runs, short form", S::NAME);
}

/// The number of runs for everyday: 10 000, or 100 on a slow machine.
fn everyday() -> usize {
    if scale() == 1 { 10_000 } else { 100 }
}

#[test]
fn a_hundred_runs() {
    check::<MlKem512>(100);
    check::<MlKem768>(100);
    check::<MlKem1024>(100);
}

#[test]
fn ten_thousand_runs_512() {
    check::<MlKem512>(everyday());
}

#[test]
fn ten_thousand_runs_768() {
    check::<MlKem768>(everyday());
}

#[test]
fn ten_thousand_runs_1024() {
    check::<MlKem1024>(everyday());
}

#[test]
#[ignore = "minutes for each backend; run: cargo test --release --test accumulated -- --ignored"]
fn a_million_runs_512() {
    check::<MlKem512>(1_000_000);
}

#[test]
#[ignore = "minutes for each backend; run: cargo test --release --test accumulated -- --ignored"]
fn a_million_runs_768() {
    check::<MlKem768>(1_000_000);
}

#[test]
#[ignore = "minutes for each backend; run: cargo test --release --test accumulated -- --ignored"]
fn a_million_runs_1024() {
    check::<MlKem1024>(1_000_000);
}

#[test]
fn the_short_chain() {
    fn chain<S: Set>(_: kemstone::backend::select::Selected) {
        let constants = constants::<S>("chain");
        let [record] = &constants[..] else { panic!("one chain for each set") };
        let start: [u8; 64] = core::array::from_fn(|i| 32 + i as u8);
        let mut coins = [0; 96];
        shake256(&[&start], &mut coins);
        let mut text = Sha256::new();
        for _ in 0..record.number("n") {
            let last = coins;
            shake256(&[&last], &mut coins);
            let dk = S::from_seed(&Seed::try_from(&coins[..64]).expect("64 bytes"));
            let ek = S::ek(&dk);
            let (ciphertext, secret) =
                ek.encapsulate_deterministic(coins[64..].try_into().expect("32 bytes"));
            let lines = [
                ("pk", ek.as_ref()),
                ("sk", &S::expanded(&dk)),
                ("ct", ciphertext.as_bytes().as_ref()),
                ("ss", secret.as_ref()),
            ];
            for (name, bytes) in lines {
                Digest::update(&mut text, format!("{name} = {}\n", hex::encode(bytes)));
            }
        }
        assert_eq!(hex::encode(text.finalize()), record.text("hash"), "{}", S::NAME);
    }
    each!(chain);
}

/// How many bytes of XOF output the hungriest entry of the matrix takes (FIPS 203, Algorithm 7).
fn xof_bytes<S: Set>(rho: &[u8]) -> usize {
    let entry = |i: u8, j: u8| {
        let mut xof = Shake128::default();
        xof.update(rho);
        xof.update(&[j, i]);
        let mut xof = xof.finalize_xof();
        let (mut found, mut read, mut c) = (0, 0, [0; 3]);
        while found < 256 {
            xof.read(&mut c);
            read += 3;
            let [d1, d2] = [c[0] as u16 | (c[1] as u16 & 0xf) << 8, c[1] as u16 >> 4 | (c[2] as u16) << 4];
            found += (d1 < 3329) as usize;
            found += (d2 < 3329 && found < 256) as usize;
        }
        read
    };
    let k = S::K as u8;
    (0..k).flat_map(|i| (0..k).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).max().unwrap_or(0)
}

#[test]
fn unlucky_seeds() {
    fn unlucky<S: Set>(_: kemstone::backend::select::Selected) {
        let constants = constants::<S>("unluckySeed");
        let [record] = &constants[..] else { panic!("one seed for each set") };
        let seed = Seed::try_from(&[record.bytes("d"), record.bytes("z")].concat()[..]).expect("64 bytes");
        let dk = S::from_seed(&seed);
        let ek = S::ek(&dk);
        assert_eq!(hex::encode(sha3_256(ek.as_ref())), record.text("ekHash"), "{}", S::NAME);
        // The seed is as unlucky as it claims: more than three blocks.
        let taken = xof_bytes::<S>(&ek.as_ref()[384 * S::K..]);
        assert_eq!(taken, record.number("xofBytes"), "{}", S::NAME);
        assert!(taken > 3 * 168);
        // Encapsulation samples the transposed matrix from it.
        let (ciphertext, secret) = ek.encapsulate_deterministic(&[7; 32]);
        assert_eq!(dk.decapsulate(&ciphertext), secret);
    }
    each!(unlucky);
}
