//! Proofs by computation, for every backend of this machine: functions that are linear, bilinear, of low degree, or
//! that have few inputs are settled by finitely many of them, and these are all run. Where an item rests on more than
//! its run, the premise is a statement about the source that a reader can check:
//!
//! - **P1, leaves.** The transforms consist of sums, differences, moves, products by constants (Montgomery's, with NEON
//!   Barrett's), Montgomery reductions of sums and Barrett reductions. The leaves are run on all inputs
//!   (`montgomery_multiply`, `montgomery_reduce`, `barrett_reduce`).
//! - **P2, no overflow.** No sum or difference leaves its 16 or 32 bits. The compiler refuses a bound that does not fit
//!   (`backend::bounds`); the bounds of the leaves are part of their proofs.
//! - **P3, linearity.** From P1 and P2: modulo q the transforms are linear, products bilinear. Two such maps that agree
//!   on the unit vectors agree everywhere. So `ntt`, `mul_add` and `dot_inverse` run the unit vectors,
//!   or all pairs of them.
//! - **P4, locality.** Coefficients are rounded, reduced and packed one by one. A byte depends on the coefficients whose
//!   bits it holds, a coefficient on its own bits and no others. So every value in every position settles rounding, and
//!   every combination of the neighbours that share a byte settles packing. In all of these runs the other positions hold
//!   other values. Sums are added without overflow (P2) and depend on their operands in no other way. Comparison collects
//!   the differences of bytes by "or", selection goes byte by byte, blocks of a sponge are copied.
//! - **P5, degree.** A round of Keccak computes each bit as a polynomial over GF(2) in the bits of the state and the
//!   round constant, of degree at most 2 (one layer of "and"). Two such polynomials that agree on all inputs of weight at
//!   most 2 are the same. If the kernel can only be had two rounds at a time, the degree is at most 4: then a wrong
//!   bit is wrong for at least 1/16 of all inputs (the least weight of a Reed-Muller code), and random inputs find it but
//!   with the probability that the output gives. The same is run over all slots at once, so that slots that
//!   influence each other are found as well.
//! - **P6, repetition.** The permutation is this round, 24 times, with the constants in order. The constants and the
//!   composition are *tested*, on unit vectors and random states.
//! - **P7, halves.** `montgomery_reduce` is a function of the high half plus a function of the low half. The items that
//!   are ignored by default do without: `cargo test --release --test proofs -- --ignored`.
//! - **P8, groups.** Rejection sampling treats its candidates in groups of up to 16, or of two such halves, by a mask of
//!   the accepted. How a group is written depends on its mask and on the level before it; how a second half is, on its own
//!   mask, on that level and on the number of accepted ones in the first. A wider group would not be covered.
//!
//! Each line of output begins with what the run is worth: `exhaustive`, every input; `settled`, inputs that settle all
//! others by the premises named; `tested`, some inputs.
//!
//! The accessors in `backend::probe` are compiled from the functions that the kernels use, but where these are inlined the
//! machine code is another copy. What is run through the contract itself is the machine code that serves the library,
//! as this profile compiles it.
//!
//! Run: `cargo test --release --test proofs [-- [--exact] [--ignored | --include-ignored] [--list] [NAME...]]`.
//! `KEMSTONE_REQUIRE=avx2,...` fails if one of these backends is missing. `KEMSTONE_TEST_SCALE=n` runs every n-th input
//! only, for emulators, and then nothing is called proved.
#![allow(clippy::integer_division_remainder_used)] // nothing here is secret

mod arithmetic;
mod constant_time;
mod encoding;
mod keccak;
#[allow(dead_code)] // the conformance suite uses the rest
#[path = "../../src/backend/model.rs"]
mod model;
mod sampling;
mod support;
mod transform;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

// `model` finds them here.
use kemstone::backend::poly;
use kemstone::backend::probe::Probe;
use kemstone::backend::select::{Selected, Visitor, for_each};
use kemstone::sponge;
use support::{Covered, scale};

/// What is run: once for each backend, or once.
#[derive(Clone, Copy)]
enum Run {
    Backend(fn(Selected) -> Covered),
    Once(fn() -> Covered),
}

struct Item {
    name: &'static str,
    ignored: bool,
    run: Run,
}

macro_rules! items {
    ($($once:ident::$once_name:ident)*; $($module:ident::$name:ident $(($ignored:ident))?)*) => {
        const ITEMS: &[Item] = &[
            $(Item { name: stringify!($once_name), ignored: false, run: Run::Once($once::$once_name) },)*
            $(Item {
                name: stringify!($name),
                ignored: !concat!("" $(, stringify!($ignored))?).is_empty(),
                run: Run::Backend(|selected| {
                    struct Proof;
                    impl Visitor for Proof {
                        type Output = Covered;
                        fn visit<B: Probe>(self, backend: B) -> Covered {
                            $module::$name(backend)
                        }
                    }
                    selected.visit(Proof)
                }),
            },)*
        ];
    };
}
// What takes long comes first: the threads end at nearly the same time.
items! {
    constant_time::compare
    constant_time::select;
    sampling::rejection
    arithmetic::compressed_sums
    transform::mul_add
    transform::dot_inverse
    transform::inverse_growth
    transform::inverse_extremes
    keccak::round
    sampling::noise
    arithmetic::every_product_in_every_lane(ignored)
    arithmetic::every_sum_of_products(ignored)
    arithmetic::montgomery_multiply
    arithmetic::montgomery_reduce
    arithmetic::barrett_reduce
    arithmetic::canonicalise
    arithmetic::compressed_differences
    transform::ntt
    transform::accumulators
    encoding::encode12
    encoding::decode12
    encoding::compress
    encoding::decompress
    keccak::permutation
    keccak::blocks
}

/// The command line of the standard test harness, as far as cargo and its relatives make use of it.
#[derive(Default)]
struct Arguments {
    filters: Vec<String>,
    skip: Vec<String>,
    exact: bool,
    ignored: bool,
    include_ignored: bool,
    list: bool,
    threads: Option<usize>,
}

impl Arguments {
    fn parse() -> Result<Self, String> {
        let mut this = Self::default();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
                _ => (argument, None),
            };
            let mut value =
                || value.clone().or_else(|| arguments.next()).ok_or(format!("{name} needs a value"));
            match &name[..] {
                "--exact" => this.exact = true,
                "--ignored" => this.ignored = true,
                "--include-ignored" => this.include_ignored = true,
                "--list" => this.list = true,
                "--skip" => this.skip.push(value()?),
                "--test-threads" => this.threads = Some(value()?.parse().map_err(|_| "not a number")?),
                // All output is shown, and in one form only.
                "--format" | "--color" | "--logfile" | "-Z" => drop(value()?),
                "--help" | "-h" => {
                    return Err("options: --exact --ignored --include-ignored --list --skip NAME".into());
                }
                "--nocapture" | "--no-capture" | "--show-output" | "--quiet" | "-q" | "--test" => (),
                _ if name.starts_with('-') => return Err(format!("unknown option: {name}")),
                _ => this.filters.push(name),
            }
        }
        Ok(this)
    }

    fn wants(&self, name: &str, ignored: bool) -> bool {
        let fits = |pattern: &String| if self.exact { name == pattern } else { name.contains(pattern) };
        (self.include_ignored || ignored == self.ignored)
            && (self.filters.is_empty() || self.filters.iter().any(fits))
            && !self.skip.iter().any(fits)
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::parse() {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let per_backend = |name: &str, item: &Item| format!("{name}::{}", item.name);
    if arguments.list {
        for item in ITEMS {
            let names: Vec<String> = match item.run {
                Run::Backend(_) => Selected::names().map(|name| per_backend(name, item)).collect(),
                Run::Once(_) => vec![per_backend("frontend", item)],
            };
            // With --ignored the list is of those alone, else of all.
            for name in names.iter().filter(|name| {
                arguments.wants(name, item.ignored) || !arguments.ignored && arguments.wants(name, false)
            }) {
                println!("{name}: test");
            }
        }
        return ExitCode::SUCCESS;
    }

    // Says which are skipped, and fails if one of them is required.
    let mut backends = Vec::new();
    if catch_unwind(AssertUnwindSafe(|| for_each(|selected| backends.push(selected)))).is_err() {
        return ExitCode::from(101);
    }
    let mut tasks: Vec<(String, Box<dyn Fn() -> Covered + Sync>)> = Vec::new();
    for item in ITEMS {
        match item.run {
            Run::Backend(run) => {
                for &selected in &backends {
                    let name = per_backend(selected.name(), item);
                    if arguments.wants(&name, item.ignored) {
                        tasks.push((name, Box::new(move || run(selected))));
                    }
                }
            }
            Run::Once(run) => {
                let name = per_backend("frontend", item);
                if arguments.wants(&name, item.ignored) {
                    tasks.push((name, Box::new(run)));
                }
            }
        }
    }

    let began = Instant::now();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((name, task)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let began = Instant::now();
            match catch_unwind(AssertUnwindSafe(task)) {
                Ok(Covered { evidence, inputs, what }) => {
                    let evidence = if scale() > 1 { "sample" } else { evidence };
                    let seconds = began.elapsed().as_secs_f64();
                    println!("{evidence:11}{name:29}{inputs:>11} inputs {seconds:>6.2} s  {what}");
                }
                Err(_) => {
                    println!("FAILED     {name}");
                    failed.lock().expect("nobody panics with the lock").push(name);
                }
            }
        }
    };
    let threads = arguments.threads.or(std::thread::available_parallelism().ok().map(usize::from));
    std::thread::scope(|scope| {
        for _ in 1..threads.unwrap_or(1).min(tasks.len()) {
            scope.spawn(work);
        }
        work();
    });

    let failed = failed.into_inner().expect("nobody panics with the lock");
    let seconds = began.elapsed().as_secs_f64();
    println!("proofs: {} run, {} failed, {seconds:.1} s", tasks.len(), failed.len());
    if scale() > 1 {
        println!("KEMSTONE_TEST_SCALE={}: only a part of the inputs was run; nothing is proved", scale());
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}
