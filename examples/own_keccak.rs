//! ML-KEM over a Keccak that comes from somewhere else: here from the crate `keccak`, in your case from a core in hardware, a
//! library in ROM or a processor that kemstone does not know.
//!
//! ```text
//! cargo run --release --example own_keccak
//! ```
//!
//! A backend is a token, a type without content that says "this machine has it". It needs the permutation of one state, a name,
//! and two methods of one line; all else has a default. The program runs NIST's vectors on it and fails if one gives another answer.

use kemstone::backend::Backend;
use kemstone::on_backend::{decapsulate, encapsulate, key_gen};
use kemstone::sponge::jobs::{Job, Jobs};
use kemstone::sponge::{Keccak, States, alone, pack};
use kemstone::{MlKem512, MlKem768, MlKem1024, ParameterSet};

/// A machine with a Keccak of its own. If yours may be missing, let nobody make the token but a function that has looked.
#[derive(Clone, Copy)]
struct OwnKeccak;

impl Keccak<1> for OwnKeccak {
    fn permute(self, states: &mut States<1>, _used: usize) {
        // 25 words, lane A[x, y] of FIPS 202 at x + 5y: what a driver would hand to the hardware.
        let state: &mut [u64; 25] = states.single();
        keccak::Keccak::new().with_f1600(|permute| permute(state));
    }
}

impl Backend for OwnKeccak {
    const NAME: &'static str = "own-keccak";

    fn hash(self, job: Job<'_>) {
        alone::run(self, job);
    }

    // A machine that permutes four states at once implements `Keccak<4>` as well, and writes 4 here.
    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
        pack::run::<_, 1>(self, jobs);
    }
}

/// The fields of one case of a file in `kats/`.
struct Case<'a>(&'a str);

impl Case<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines().filter_map(|line| line.split_once(" = "));
        lines.find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        let value = self.field(name).unwrap_or_else(|| panic!("no {name} in {}", self.0));
        hex::decode(value).expect("hexadecimal digits")
    }

    fn seed(&self, name: &str) -> [u8; 32] {
        self.bytes(name).try_into().expect("32 bytes")
    }
}

/// Runs the cases of one parameter set and counts them.
fn run<S: ParameterSet>(text: &str) -> Result<usize, kemstone::Error> {
    let mut count = 0;
    for case in text.split("\n\n").map(Case).filter(|case| case.field("set") == Some(S::NAME)) {
        let mut k = [0; 32];
        match case.field("function") {
            Some("keyGen") => {
                let mut dk = vec![0; S::DECAPSULATION_KEY_SIZE];
                key_gen::<S, _>(OwnKeccak, &case.seed("d"), &case.seed("z"), &mut dk)?;
                assert_eq!(dk, case.bytes("dk"));
            }
            Some("encapsulation") => {
                let mut c = vec![0; S::CIPHERTEXT_SIZE];
                encapsulate::<S, _>(OwnKeccak, &case.bytes("ek"), &case.seed("m"), &mut c, &mut k)?;
                assert_eq!((c, k), (case.bytes("c"), case.seed("k")));
            }
            Some("decapsulation") => {
                decapsulate::<S, _>(OwnKeccak, &case.bytes("dk"), &case.bytes("c"), &mut k)?;
                assert_eq!(k, case.seed("k"));
            }
            _ => continue,
        }
        count += 1;
    }
    Ok(count)
}

fn main() -> Result<(), kemstone::Error> {
    let files =
        [include_str!("../kats/acvp-2026/keygen.txt"), include_str!("../kats/acvp-2026/encapdecap.txt")];
    for text in files {
        for (set, run) in [
            (MlKem512::NAME, run::<MlKem512> as fn(&str) -> _),
            (MlKem768::NAME, run::<MlKem768>),
            (MlKem1024::NAME, run::<MlKem1024>),
        ] {
            let count = run(text)?;
            assert!(count > 0, "no cases of {set}");
            println!("{set}: {count} of NIST's vectors right on {}", OwnKeccak::NAME);
        }
    }
    Ok(())
}
