//! Runs every operation, records its steps and compares: for different secrets and the same public data, the same
//! instructions must run in the same order and touch the same addresses; none of them may be a division, unless
//! `KEMSTONE_DIVISIONS=elsewhere` leaves that to `.ci/ct division`. What the stack held before differs as well, unless
//! `KEMSTONE_PAINT` is a byte, which it is then filled with.
//!
//! `trace BACKEND[:SET]...`: the operations of these backends and parameter sets; `avx512-plain` is avx512 without VBMI2.
//!
//! What depends on the machine is in [`emulated`] and, where the CPU itself runs the program, in `steps`: to run code, note the
//! events of a [`Trace`], and interrupt key generation to replace rho.

mod emulated;
#[cfg(target_arch = "x86_64")]
mod steps;

use std::cell::UnsafeCell;
use std::collections::BTreeSet;
use std::{env, fs, process};

#[cfg(target_arch = "aarch64")]
use kemstone::backend::aarch64::sha3::Tuning;
use kemstone::backend::select::Selected;
use kemstone_ct::wrapped::Added;
use kemstone_ct::{CHOICES, Tool, operations, planted};
use object::{Object, ObjectSymbol};

/// What every key is generated from in place of its own rho: the matrix A is public, and its sampling may depend on it.
const RHO: [u8; 32] = [0x5a; 32];

/// Calls a function of the module that is in use: under an emulator that which its plugin serves.
macro_rules! recorder {
    ($function:ident($($argument:expr),*)) => {
        match env::var_os("KEMSTONE_EVENTS") {
            #[cfg(target_arch = "x86_64")]
            None => steps::$function($($argument),*),
            _ => emulated::$function($($argument),*),
        }
    };
}

/// How a report of a division begins.
const DIVISION: &str = "division at";

/// The functions of this program, by the addresses they are loaded at.
fn functions() -> Vec<(u64, String)> {
    let path = env::current_exe().expect("this program");
    let maps = fs::read_to_string("/proc/self/maps").expect("its memory");
    let mapping = maps.lines().find(|line| line.ends_with(path.to_str().unwrap())).expect("its own file");
    let base = u64::from_str_radix(mapping.split('-').next().unwrap(), 16).unwrap();
    let data = fs::read(path).expect("its own file");
    let file = object::File::parse(&*data).expect("an ELF file");
    let base = if file.kind() == object::ObjectKind::Dynamic { base } else { 0 };
    let symbols = file.symbols().filter(|symbol| symbol.kind() == object::SymbolKind::Text);
    let mut functions: Vec<_> =
        symbols.map(|symbol| (symbol.address() + base, symbol.name().unwrap_or("?").to_owned())).collect();
    functions.sort();
    functions
}

/// What one run of the code under examination did.
#[derive(Default)]
struct Trace {
    /// 2 p for an instruction at p, 2 a + 1 for memory at a; in steps also 2 n + 1 for a number n that goes into a division.
    events: Vec<u64>,
    instructions: u64,
    divisions: Vec<u64>,
    /// An instruction whose addresses are not understood.
    unknown: Option<u64>,
}

/// What a handler of traps shares with the program that sets it up.
struct Shared<T>(UnsafeCell<Option<T>>);

// SAFETY: there is one thread, and its handler runs only while the code under examination does.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    const fn new() -> Self {
        Self(UnsafeCell::new(None))
    }

    /// Not while code is under examination.
    fn set(&self, value: T) {
        // SAFETY: as for `Sync`.
        unsafe { *self.0.get() = Some(value) };
    }

    /// Outside the handler, not while code is under examination.
    #[allow(clippy::mut_from_ref)] // as for `Sync`
    fn get(&self) -> &mut T {
        // SAFETY: as for `Sync`.
        unsafe { (*self.0.get()).as_mut() }.expect("set up")
    }
}

/// Fills the stack below the caller's frame, further than any operation reaches.
#[inline(never)]
fn paint(with: u8) {
    core::hint::black_box(&mut [with; 1 << 17]);
}

struct Tracer {
    backends: Vec<Selected>,
    functions: Vec<(u64, String)>,
    /// The run at hand, or none: then the code runs without steps, to warm up.
    trace: Option<Trace>,
    /// What the stack is painted with before each run: what nobody has written there must not matter, either.
    paints: [u8; CHOICES],
    choice: usize,
    /// Where operations divide, if `.ci/ct division` is to say whether they may.
    divisions: Option<BTreeSet<String>>,
    /// Key generation must have been given another rho.
    replaced: bool,
    instructions: u64,
    addresses: u64,
    operations: u64,
    leaks: u64,
    failures: Vec<String>,
}

impl Tracer {
    fn name(&self, address: u64) -> String {
        let next = self.functions.partition_point(|(start, _)| *start <= address);
        match self.functions[..next].last() {
            Some((start, name)) if address - start < 1 << 16 => format!("{name} + {:#x}", address - start),
            _ => format!("{address:#x}"),
        }
    }

    /// Runs all choices; what makes their traces differ, if anything does.
    fn leaks(&mut self, run: &mut dyn FnMut(&mut Self, usize)) -> (Trace, Vec<String>) {
        let mut traces = Vec::new();
        // All calls are made from this function, so that their stack is at the same address. The first one is to warm up.
        for run_number in 0..=CHOICES {
            self.trace = (run_number > 0).then(Trace::default);
            self.choice = run_number.saturating_sub(1);
            run(self, self.choice);
            traces.extend(self.trace.take());
        }
        let first = traces.remove(0);
        let mut leaks = Vec::new();
        for (choice, trace) in (1..).zip(traces) {
            self.instructions += trace.instructions;
            self.addresses += trace.events.len() as u64 - trace.instructions;
            if trace.events != first.events {
                let same = first.events.iter().zip(&trace.events).take_while(|(a, b)| a == b).count();
                let at =
                    first.events[..same].iter().rev().find(|event| *event & 1 == 0).copied().unwrap_or(0);
                let what = match first.events.get(same) {
                    Some(event) if event & 1 == 1 => "addresses differ at",
                    _ => "paths differ after",
                };
                leaks.push(format!("choices 0 and {choice}: {what} {}", self.name(at >> 1)));
            }
        }
        self.instructions += first.instructions;
        self.addresses += first.events.len() as u64 - first.instructions;
        let mut divisions = first.divisions.clone();
        divisions.dedup();
        leaks.extend(divisions.iter().map(|at| format!("{DIVISION} {}", self.name(*at))));
        (first, leaks)
    }
}

impl Tool for Tracer {
    const MARKS: bool = false;

    fn backends(&self) -> Vec<Selected> {
        self.backends.clone()
    }

    fn operation(&mut self, name: &str, _decisions: u64, run: &mut dyn FnMut(&mut Self, usize)) {
        let (trace, mut leaks) = self.leaks(run);
        if let Some(divisions) = &mut self.divisions {
            divisions.extend(leaks.extract_if(.., |leak| leak.starts_with(DIVISION)));
        }
        let addresses = trace.events.len() as u64 - trace.instructions;
        println!("{name}: {} instructions, {addresses} addresses", trace.instructions);
        if trace.instructions < 30 {
            self.failures.push(format!("{name}: nothing has been traced"));
        }
        self.failures.extend(leaks.iter().map(|leak| format!("{name}: {leak}")));
        self.operations += 1;
    }

    fn planted(&mut self, name: &str, function: &str, _seen: bool, run: &mut dyn FnMut(&mut Self, usize)) {
        let (_, leaks) = self.leaks(run);
        println!("planted {name}:");
        let leaks: Vec<_> = leaks.into_iter().filter(|leak| leak.contains(function)).collect();
        leaks.iter().for_each(|leak| println!("    {leak}"));
        match leaks.is_empty() {
            true => self.failures.push(format!("planted leak not found: {name}")),
            false => self.leaks += 1,
        }
    }

    fn clean(&mut self, name: &str, run: &mut dyn FnMut(&mut Self, usize)) {
        let (_, leaks) = self.leaks(run);
        println!("nothing planted: {name}");
        self.failures.extend(leaks.iter().map(|leak| format!("found where nothing is, {name}: {leak}")));
    }

    fn noted(&mut self, name: &str, run: &mut dyn FnMut(&mut Self, usize)) {
        let (_, leaks) = self.leaks(run);
        println!("not judged: {name}: {}", if leaks.is_empty() { "no leak" } else { "leaks" });
        leaks.iter().for_each(|leak| println!("    {leak}"));
    }

    fn secret(&mut self, _bytes: &[u8]) {}

    fn derived(&mut self, _bytes: &[u8]) {}

    fn rho_sigma(&mut self, bytes: [u8; 64]) {
        if self.trace.is_some() {
            recorder!(rho_sigma(bytes));
            self.replaced = true;
        }
    }

    fn expanded(&mut self, ek: &[u8]) {
        if core::mem::take(&mut self.replaced) && !ek.ends_with(&RHO) {
            self.failures.push("rho could not be replaced in key generation".to_owned());
        }
    }

    fn examine(&mut self, code: &mut dyn FnMut()) {
        let Some(trace) = &mut self.trace else { return code() };
        paint(self.paints[self.choice]);
        recorder!(record(code, trace));
        if let Some(at) = trace.unknown {
            let at = self.name(at);
            self.failures.push(format!("addresses of the instruction at {at} are not understood"));
        }
    }
}

/// The backend of this name, with each of its tunings; with `-plain` after it, without an extension that it uses where there is
/// one.
fn by_name(name: &str) -> Vec<Selected> {
    #[cfg(target_arch = "x86_64")]
    if let Some(name) = name.strip_suffix("-plain") {
        use kemstone::backend::probe::Probe;
        let Some(Selected::Avx512(avx512)) = Selected::by_name(name) else { return Vec::new() };
        return avx512.plain().map(Selected::Avx512).into_iter().collect();
    }
    match Selected::by_name(name) {
        #[cfg(target_arch = "aarch64")]
        Some(Selected::NeonSha3(sha3)) => {
            Tuning::ALL.map(|tuning| Selected::NeonSha3(sha3.tuned(tuning))).into()
        }
        found => found.into_iter().collect(),
    }
}

#[derive(Clone, Copy)]
struct Nothing;

impl Added for Nothing {}

fn main() {
    let paints = match env::var("KEMSTONE_PAINT").as_deref() {
        Err(_) => [0, 0xff, 0x5a],
        Ok(one) => [one.parse().expect("KEMSTONE_PAINT is a byte"); CHOICES],
    };
    let functions = functions();
    let key_gen: Vec<u64> = functions
        .iter()
        .filter(|(_, name)| name.contains("5k_pke7key_gen"))
        .map(|(start, _)| *start)
        .collect();
    recorder!(set_up(key_gen));
    let mut tracer = Tracer {
        backends: Vec::new(),
        functions,
        trace: None,
        paints,
        choice: 0,
        divisions: env::var("KEMSTONE_DIVISIONS").is_ok_and(|by| by == "elsewhere").then(BTreeSet::new),
        replaced: false,
        instructions: 0,
        addresses: 0,
        operations: 0,
        leaks: 0,
        failures: Vec::new(),
    };
    planted::all(&mut tracer, true, paints[0] != paints[1]);
    operations::comparisons(&mut tracer);
    for what in env::args().skip(1) {
        let (name, set) = what.split_once(':').unwrap_or((&what, ""));
        let backends = by_name(name);
        if backends.is_empty() {
            tracer.failures.push(format!("this machine has no {name}"));
            continue;
        }
        tracer.backends = backends;
        let before = tracer.operations;
        for (name, operations) in [
            ("ml_kem_512", operations::ml_kem_512::<Tracer, Nothing> as fn(&mut Tracer)),
            ("ml_kem_768", operations::ml_kem_768::<Tracer, Nothing>),
            ("ml_kem_1024", operations::ml_kem_1024::<Tracer, Nothing>),
        ] {
            if set.is_empty() || set == name {
                operations(&mut tracer);
            }
        }
        let sets = if set.is_empty() { 3 } else { 1 };
        let groups = set.is_empty() || set == "ml_kem_512";
        let groups = if groups && operations::has_slots(tracer.backends[0]) { operations::GROUPS } else { 0 };
        let all = (operations::PER_SET * sets + groups) * tracer.backends.len() as u64;
        assert_eq!(tracer.operations - before, all, "something has not run");
    }
    println!(
        "{} operations with {CHOICES} choices of secrets each; {} instructions and {} addresses compared; {} planted \
         leaks found",
        tracer.operations, tracer.instructions, tracer.addresses, tracer.leaks
    );
    for division in tracer.divisions.iter().flatten() {
        println!("{division}");
    }
    for failure in &tracer.failures {
        println!("FAILED: {failure}");
    }
    process::exit(i32::from(!tracer.failures.is_empty()));
}
