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

/// The lines that may report: checks of a key that tell their caller the answer, which is public. Of each the end of its file's
/// name, the text, and the file that must be among those whose code was running: optimisation changes the names of functions, and
/// what is called by whom, but not the lines.
const DECISIONS: [(&str, &str, &str); 8] = [
    // An early exit if a number of s is not below q.
    ("/src/frontend/kem.rs", "if !decode_vector(backend, dk.dk_pke, &mut s_hat) {", "/src/frontend/kem.rs"),
    // The same where s is checked by itself.
    ("/src/frontend/kem.rs", "if !s_is_valid(backend, dk) {", "/src/frontend/kem.rs"),
    // All that this function does is to ask for the answer.
    (
        "/src/frontend/decapsulation.rs",
        "if S::SealedAlgorithms::dk_is_valid(dk)",
        "/src/frontend/decapsulation.rs",
    ),
    // Whether a number is a scalar of the curve, and a point not the identity. A scalar that was refused is not used.
    ("/src/lib.rs", "if source.is_some().unwrap_u8() == 1u8 {", GROUP),
    ("/src/secret_key.rs", "if inner.is_zero().into() {", GROUP),
    // The `?` behind both: here, and without a line's text, the function is named.
    ("/library/core/src/result.rs", "branch<elliptic_curve::scalar::value::ScalarValue<p", GROUP),
    ("/src/point.rs", "match byte {", GROUP),
    ("/src/point.rs", "1 + match self {", GROUP),
];

/// Where the library calls the crates of the curves.
const GROUP: &str = "/src/hybrid/group.rs";

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
    /// The places of the reports that valgrind has printed since the last call, as `function (file:line)`, each with those it was
    /// called from. It does not repeat one that it has just printed.
    fn new_places(&mut self) -> Vec<Vec<String>> {
        let log = fs::read_to_string(&self.log).expect("valgrind's log");
        let mut places: Vec<Vec<String>> = Vec::new();
        for line in log[self.read..].lines() {
            let place = |frame: &str| Some(line.split_once(frame)?.1.split_once(": ")?.1.to_owned());
            if let Some(place) = place(" at 0x") {
                places.push(vec![place]);
            } else if let (Some(place), Some(report)) = (place(" by 0x"), places.last_mut()) {
                report.push(place);
            }
        }
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

/// The file and line of a place.
fn position(place: &str) -> Option<(&str, usize)> {
    let (file, line) = place.rsplit_once(" (")?.1.trim_end_matches(')').rsplit_once(':')?;
    Some((file, line.parse().ok()?))
}

/// Is this the place of a decision?
fn decides(report: &[String]) -> bool {
    let Some((file, number)) = position(&report[0]) else { return false };
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().nth(number.wrapping_sub(1)).unwrap_or_default();
    // Where one instruction is of several lines, compilers name line 0.
    let merged = number == 0 && file.ends_with("/src/point.rs");
    // The sources of `core` are elsewhere.
    let line = if file.starts_with("/rustc/") { &report[0] } else { line };
    DECISIONS.iter().any(|(end, expected, within)| {
        file.ends_with(end)
            && (merged || line.contains(expected))
            && report.iter().any(|place| position(place).is_some_and(|(file, _)| file.ends_with(within)))
    })
}

impl Tool for Taint {
    const MARKS: bool = true;

    fn backends(&self) -> Vec<Selected> {
        ["portable", "small", "avx2"]
            .map(|name| Selected::by_name(name).unwrap_or_else(|| panic!("no {name} here")))
            .into()
    }

    fn operation(&mut self, name: &str, decisions: u64, run: &mut dyn FnMut(&mut Self, usize)) {
        let mut seen = Vec::new();
        for choice in 0..CHOICES {
            let reports = self.reports(|taint| run(taint, choice));
            let places = self.new_places();
            for report in places.iter().filter(|report| !decides(report)) {
                self.failures.push(format!("{name}: depends on a secret at {}", report[0]));
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
            println!("    at {}", place[0]);
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
            self.failures.push(format!("found where nothing is, {name}: {}", place[0]));
        }
    }

    fn noted(&mut self, name: &str, run: &mut dyn FnMut(&mut Self, usize)) {
        let reports = self.reports(|taint| (0..CHOICES).for_each(|choice| run(taint, choice)));
        println!("not judged: {name}: {}", if reports == 0 { "no leak" } else { "leaks" });
        for place in self.new_places() {
            println!("    at {}", place[0]);
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
                == 3 * (3
                    * (operations::PER_SET
                        + operations::GROUPS
                        + operations::KEY_GENERATIONS
                        + operations::PER_HYBRID))
                    + 1,
        "something has not run"
    );
    process::exit(i32::from(!taint.failures.is_empty()));
}
