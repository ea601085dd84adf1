//! Runs every operation under valgrind's memcheck with the secrets marked undefined. Memcheck follows the mark through
//! registers and memory and reports each branch and each address that depends on it.
//!
//! `taint LOG`: valgrind writes its reports to LOG (`--log-file`), where they are read to see which line made them.

use std::{env, fs, process};

use kemstone::backend::select::Selected;
use kemstone::sponge::fips202::XOF_BLOCK;
use kemstone_ct::wrapped::Added;
use kemstone_ct::{CHOICES, Tool, operations, planted};

/// Client requests of valgrind on x86-64 (valgrind.h, memcheck.h): a sequence of instructions that does nothing elsewhere.
mod valgrind {
    use core::arch::asm;

    fn request(number: u64, arguments: [u64; 4]) -> u64 {
        let block = [number, arguments[0], arguments[1], arguments[2], arguments[3], 0];
        let mut answer = 0_u64;
        // SAFETY: the rotations add up to 128 bits; valgrind reads the six words, and what they point to.
        unsafe {
            asm!(
                "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
                inout("rdx") answer, in("rax") block.as_ptr(),
            );
        }
        answer
    }

    const MEMCHECK: u64 = ((b'M' as u64) << 24) | ((b'C' as u64) << 16);

    fn range(bytes: &[u8]) -> [u64; 4] {
        [bytes.as_ptr() as u64, bytes.len() as u64, 0, 0]
    }

    pub fn running() -> bool {
        request(0x1001, [0; 4]) != 0
    }

    pub fn reports() -> u64 {
        request(0x1201, [0; 4])
    }

    pub fn make_undefined(bytes: &[u8]) {
        request(MEMCHECK + 1, range(bytes));
    }

    pub fn make_defined(bytes: &[u8]) {
        request(MEMCHECK + 2, range(bytes));
    }

    /// Which bits of a byte are undefined.
    pub fn undefined(byte: &u8) -> u8 {
        let mut bits = 0_u8;
        let answer = request(MEMCHECK + 8, [byte as *const u8 as u64, &raw mut bits as u64, 1, 0]);
        assert_eq!(answer, 1, "valgrind does not know this byte");
        bits
    }
}

/// The functions and lines that may report: checks of a key that tell their caller the answer, which is public.
const DECISIONS: [(&str, &str); 9] = [
    // An early exit if a number of s is not below q.
    ("::frontend::kem::decaps_checked", "if !decode_vector(backend, dk.dk_pke, &mut s_hat) {"),
    // All that this function does is to ask for the answer.
    ("::checked", "if S::SealedAlgorithms::dk_is_valid(dk)"),
    // Whether a number is a scalar of the curve, and a point not the identity. A scalar that was refused is not used.
    (
        "from<elliptic_curve::scalar::value::ScalarValue<p256::NistP256>>",
        "if source.is_some().unwrap_u8() == 1u8 {",
    ),
    (
        "from<elliptic_curve::scalar::value::ScalarValue<p384::NistP384>>",
        "if source.is_some().unwrap_u8() == 1u8 {",
    ),
    ("from_bytes<p256::NistP256>", "if inner.is_zero().into() {"),
    ("from_bytes<p384::NistP384>", "if inner.is_zero().into() {"),
    ("UnknownInlinedFun", "match byte {"),
    ("from_u8", "match byte {"),
    ("message_len", "1 + match self {"),
];

/// The XOF expands rho, which is part of the public key.
#[derive(Clone, Copy)]
struct Declassified;

impl Added for Declassified {
    fn xof_block(block: &mut [u8; XOF_BLOCK]) {
        valgrind::make_defined(block);
    }
}

struct Taint {
    log: String,
    /// Bytes of the log that have been read.
    read: usize,
    operations: u64,
    decisions: u64,
    leaks: u64,
    failures: Vec<String>,
}

impl Taint {
    /// The places of the reports that valgrind has printed since the last call, as `function (file:line)`. It does not
    /// repeat one that it has just printed.
    fn new_places(&mut self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).expect("valgrind's log");
        let new = &log[self.read..];
        let places = new.lines().filter_map(|line| line.split_once(" at 0x")?.1.split_once(": "));
        let places = places.map(|(_, place)| place.to_owned()).collect();
        self.read = log.len();
        places
    }

    /// How many reports `run` causes.
    fn reports(&mut self, run: impl FnOnce(&mut Self)) -> u64 {
        let before = valgrind::reports();
        run(self);
        valgrind::reports() - before
    }
}

/// Is this the place of a decision?
fn decides(place: &str) -> bool {
    let Some((function, position)) = place.split_once(" (") else { return false };
    let Some((file, number)) = position.trim_end_matches(')').rsplit_once(':') else { return false };
    let number: usize = number.parse().unwrap_or(0);
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().nth(number.wrapping_sub(1)).unwrap_or_default();
    DECISIONS.iter().any(|(name, expected)| function.ends_with(name) && line.contains(expected))
}

impl Tool for Taint {
    const MARKS: bool = true;

    fn backends(&self) -> Vec<Selected> {
        ["portable", "avx2"]
            .map(|name| Selected::by_name(name).unwrap_or_else(|| panic!("no {name} here")))
            .into()
    }

    fn operation(&mut self, name: &str, decisions: u64, run: &mut dyn FnMut(&mut Self, usize)) {
        let mut seen = Vec::new();
        for choice in 0..CHOICES {
            let reports = self.reports(|taint| run(taint, choice));
            let places = self.new_places();
            for place in places.iter().filter(|place| !decides(place)) {
                self.failures.push(format!("{name}: depends on a secret at {place}"));
            }
            if reports > decisions {
                self.failures.push(format!("{name}: {reports} reports, {decisions} allowed"));
            }
            self.decisions += reports.min(decisions);
            seen.push(reports.to_string());
        }
        println!("{name}: {} reports", seen.join("+"));
        self.operations += 1;
    }

    fn planted(&mut self, name: &str, _function: &str, seen: bool, run: &mut dyn FnMut(&mut Self, usize)) {
        let reports = self.reports(|taint| (0..CHOICES).for_each(|choice| run(taint, choice)));
        println!("planted {name}: {reports} reports");
        for place in self.new_places() {
            println!("    at {place}");
        }
        match (seen, reports) {
            (true, 0) => self.failures.push(format!("planted leak not found: {name}")),
            (true, _) => self.leaks += 1,
            (false, _) => println!("    this tool does not look for it"),
        }
    }

    fn clean(&mut self, name: &str, run: &mut dyn FnMut(&mut Self, usize)) {
        let reports = self.reports(|taint| (0..CHOICES).for_each(|choice| run(taint, choice)));
        println!("nothing planted: {name}: {reports} reports");
        for place in self.new_places() {
            self.failures.push(format!("found where nothing is, {name}: {place}"));
        }
    }

    fn noted(&mut self, name: &str, run: &mut dyn FnMut(&mut Self, usize)) {
        let reports = self.reports(|taint| (0..CHOICES).for_each(|choice| run(taint, choice)));
        println!("not judged: {name}: {}", if reports == 0 { "no leak" } else { "leaks" });
        for place in self.new_places() {
            println!("    at {place}");
        }
    }

    fn secret(&mut self, bytes: &[u8]) {
        valgrind::make_undefined(bytes);
    }

    fn constant(&mut self, bytes: &[u8]) {
        valgrind::make_defined(bytes);
    }

    fn derived(&mut self, bytes: &[u8]) {
        let lost = bytes.iter().filter(|byte| valgrind::undefined(byte) == 0).count();
        if lost > 0 {
            self.failures.push(format!("{lost} bytes of a result do not depend on a secret"));
        }
        valgrind::make_defined(bytes);
    }

    fn examine(&mut self, code: &mut dyn FnMut()) {
        code();
    }
}

fn main() {
    let log = env::args().nth(1).expect("taint LOG");
    assert!(valgrind::running(), "this runs under valgrind only");
    let mut taint = Taint { log, read: 0, operations: 0, decisions: 0, leaks: 0, failures: Vec::new() };
    planted::all(&mut taint, false, false);
    operations::all::<_, Declassified>(&mut taint);
    println!(
        "{} operations with {CHOICES} choices of secrets each; {} reports of decisions that are public; \
         {} planted leaks found",
        taint.operations, taint.decisions, taint.leaks
    );
    for failure in &taint.failures {
        println!("FAILED: {failure}");
    }
    assert!(
        taint.leaks == 4
            && taint.operations
                == 2 * (3
                    * (operations::PER_SET
                        + operations::GROUPS
                        + operations::KEY_GENERATIONS
                        + operations::PER_HYBRID))
                    + 1,
        "something has not run"
    );
    process::exit(i32::from(!taint.failures.is_empty()));
}
