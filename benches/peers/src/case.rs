//! What is timed: one operation of one implementation, checked against kemstone first.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

use kemstone::backend::select::{Selected, on};

use crate::clock::{Clock, Round, Samples};

/// Inputs that calls take turns with, so that no branch predictor learns the rejections by heart.
pub const POOL: usize = 8;

/// Calls that are timed in one go.
const CALLS: usize = 4;

/// One of the columns of the tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// From the seed to both encoded keys.
    Keygen,
    /// From the encoded key, with its checks.
    Encaps,
    /// From the expanded key's bytes, with the hash check.
    Decaps,
    /// From the seed.
    DecapsSeed,
    /// With a key that holds the matrix.
    EncapsPrepared,
    /// With a key that holds the matrix.
    DecapsPrepared,
    /// From the seed to the expanded key: one of several that are asked for.
    KeygenOfMany,
    /// With a key that was read before and does not hold the matrix: one of several.
    EncapsOfMany,
    /// Likewise.
    DecapsOfMany,
}

impl Operation {
    /// The tables of a parameter set.
    pub const TABLES: [(&'static str, &'static [Self]); 3] = [
        ("bytes in, bytes out", &[Self::Keygen, Self::Encaps, Self::Decaps, Self::DecapsSeed]),
        ("prepared keys, which hold the matrix", &[Self::EncapsPrepared, Self::DecapsPrepared]),
        (
            "keys read before, one by one and eight at a time, for each; rivals from bytes",
            &[Self::KeygenOfMany, Self::EncapsOfMany, Self::DecapsOfMany],
        ),
    ];

    /// The operation of a rival that has no such one.
    pub fn of_rivals(self) -> Self {
        match self {
            Self::KeygenOfMany => Self::Keygen,
            Self::EncapsOfMany => Self::Encaps,
            Self::DecapsOfMany => Self::Decaps,
            other => other,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Keygen => "keygen",
            Self::Encaps => "encaps",
            Self::Decaps => "decaps",
            Self::DecapsSeed => "decaps from seed",
            Self::EncapsPrepared => "encaps, prepared",
            Self::DecapsPrepared => "decaps, prepared",
            Self::KeygenOfMany => "keygen, of many",
            Self::EncapsOfMany => "encaps, of many",
            Self::DecapsOfMany => "decaps, of many",
        }
    }
}

/// The most that an implementation uses of this machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Portable,
    Avx2,
    Avx512,
}

/// A key pair and an encapsulation, as kemstone computes them.
#[derive(Clone)]
pub struct Input {
    pub seed: [u8; 64],
    pub m: [u8; 32],
    pub ek: Vec<u8>,
    pub dk: Vec<u8>,
    pub ct: Vec<u8>,
    pub ss: [u8; 32],
}

/// Room for what a call returns.
pub struct Output {
    pub ek: [u8; 1568],
    pub dk: [u8; 3168],
    pub ct: [u8; 1568],
    pub ss: [u8; 32],
}

impl Output {
    pub const fn new() -> Self {
        Self { ek: [0; 1568], dk: [0; 3168], ct: [0; 1568], ss: [0; 32] }
    }
}

macro_rules! for_set {
    ($set:expr, $call:ident!($($argument:tt)*)) => {
        match $set {
            512 => $call!(ml_kem_512, $($argument)*),
            768 => $call!(ml_kem_768, $($argument)*),
            1024 => $call!(ml_kem_1024, $($argument)*),
            set => unreachable!("no parameter set {set}"),
        }
    };
}
pub(crate) use for_set;

impl Input {
    /// The inputs of a parameter set, by kemstone's portable backend.
    pub fn pool(set: usize) -> Vec<Self> {
        let portable = Selected::by_name("portable").expect("there is always the portable backend");
        macro_rules! input {
            ($module:ident, $i:expr) => {{
                let byte = |j| (31 * $i + 7 * j) as u8 ^ (set >> 2) as u8;
                let (seed, m) = (core::array::from_fn(byte), core::array::from_fn(|j| byte(j + 100)));
                let dk = kemstone::$module::DecapsulationKey::from_seed(&seed.into());
                let (ct, ss) = dk.encapsulation_key().encapsulate_deterministic(&m);
                let (ek, dk) = (dk.encapsulation_key().to_bytes(), dk.to_expanded_bytes());
                let (ek, dk, ct) = (ek.to_vec(), dk.as_bytes().to_vec(), ct.to_bytes().to_vec());
                Self { seed, m, ek, dk, ct, ss: *ss.as_bytes() }
            }};
        }
        (0..POOL).map(|i| on(portable, || for_set!(set, input!(i)))).collect()
    }

    /// What kemstone makes of a ciphertext for this key.
    fn secret(&self, set: usize, ct: &[u8]) -> [u8; 32] {
        macro_rules! secret {
            ($module:ident,) => {{
                let dk = kemstone::$module::DecapsulationKey::from_expanded_bytes(
                    self.dk[..].try_into().expect("a key's length"),
                )
                .expect("a key of ours");
                let ct = kemstone::$module::CiphertextRef::try_from(ct).expect("a ciphertext's length");
                *dk.decapsulate(ct).as_bytes()
            }};
        }
        for_set!(set, secret!())
    }

    /// With a ciphertext that was damaged on the way: kemstone's answer is the implicit rejection.
    fn damaged(&self, set: usize, byte: usize) -> Self {
        let mut ct = self.ct.clone();
        ct[byte] ^= 1;
        let ss = self.secret(set, &ct);
        assert_ne!(ss, self.ss);
        Self { ct, ss, ..self.clone() }
    }
}

/// Is given an input's index, the input, and where the answer goes.
pub type Call = Box<dyn FnMut(usize, &Input, &mut Output)>;

enum Run {
    Here(Call),
    /// In another process, as its case of this number.
    There(Rc<RefCell<Worker>>, usize),
}

pub struct Case {
    pub who: String,
    pub set: usize,
    pub operation: Operation,
    pub level: Level,
    /// It draws its own randomness, which is part of its time.
    pub draws: bool,
    /// Operations in one call.
    pub batch: usize,
    run: Run,
    turn: usize,
    pub samples: Samples,
}

/// The cases of one implementation for one parameter set.
pub struct Rows {
    who: String,
    set: usize,
    level: Level,
    pub cases: Vec<Case>,
}

impl Rows {
    pub fn new(who: &str, set: usize, level: Level) -> Self {
        Self { who: who.to_string(), set, level, cases: Vec::new() }
    }

    pub fn add(&mut self, operation: Operation, call: impl FnMut(usize, &Input, &mut Output) + 'static) {
        let (who, set, level) = (self.who.clone(), self.set, self.level);
        let run = Run::Here(Box::new(call));
        let samples = Samples::default();
        self.cases.push(Case { who, set, operation, level, draws: false, batch: 1, run, turn: 0, samples });
    }
}

impl Case {
    /// This case in a process of its own.
    pub fn moved_to(self, worker: &Rc<RefCell<Worker>>, index: usize) -> Self {
        Self { run: Run::There(worker.clone(), index), ..self }
    }

    /// Compares every answer with kemstone's.
    ///
    /// # Panics
    ///
    /// If one differs.
    pub fn check(&mut self, inputs: &[Input]) {
        use Operation::{Decaps, DecapsPrepared, DecapsSeed, Encaps, EncapsPrepared, Keygen};
        use Operation::{DecapsOfMany, EncapsOfMany, KeygenOfMany};
        // The worker has checked it already.
        let Run::Here(call) = &mut self.run else { return };
        let what = format!("{}, ML-KEM-{}, {}", self.who, self.set, self.operation.name());
        for (i, input) in inputs.iter().enumerate() {
            let mut out = Output::new();
            call(i, input, &mut out);
            let (ek, dk, ct) =
                (&out.ek[..input.ek.len()], &out.dk[..input.dk.len()], &out.ct[..input.ct.len()]);
            match self.operation {
                Keygen if self.draws => {
                    macro_rules! belong {
                        ($module:ident,) => {{
                            let dk = kemstone::$module::DecapsulationKey::from_expanded_bytes(
                                dk.try_into().expect(&what),
                            )
                            .expect(&what);
                            assert!(dk.check_pairwise_consistency().is_ok(), "{what}: no pair");
                            assert_eq!(dk.encapsulation_key().as_bytes(), ek, "{what}: another key");
                        }};
                    }
                    for_set!(self.set, belong!());
                }
                Keygen | KeygenOfMany => {
                    assert_eq!(ek, input.ek, "{what}: another encapsulation key");
                    assert_eq!(dk, input.dk, "{what}: another decapsulation key");
                }
                Encaps | EncapsPrepared | EncapsOfMany => {
                    assert!(self.draws || ct == input.ct, "{what}: another ciphertext");
                    assert_eq!(out.ss, input.secret(self.set, ct), "{what}: another secret");
                }
                Decaps | DecapsSeed | DecapsPrepared | DecapsOfMany => {
                    assert_eq!(out.ss, input.ss, "{what}: another secret");
                    for byte in [0, input.ct.len() / 2, input.ct.len() - 1] {
                        let damaged = input.damaged(self.set, byte);
                        call(i, &damaged, &mut out);
                        assert_eq!(out.ss, damaged.ss, "{what}: another secret from a damaged ciphertext");
                    }
                }
            }
        }
    }

    /// Times a few calls.
    pub fn round(&mut self, clock: Clock, inputs: &[Input]) -> Round {
        use Operation::{DecapsPrepared, EncapsPrepared};
        match &mut self.run {
            Run::Here(call) => {
                let mut out = Output::new();
                self.turn = (self.turn + 1) % inputs.len();
                // Who prepares a key uses it again: it stays the same, and in the cache.
                let step = usize::from(!matches!(self.operation, EncapsPrepared | DecapsPrepared));
                clock.round(CALLS, self.batch as f64, &mut || {
                    self.turn = (self.turn + step) % inputs.len();
                    call(self.turn, &inputs[self.turn], &mut out);
                    std::hint::black_box(&mut out);
                })
            }
            Run::There(worker, index) => worker.borrow_mut().round(*index),
        }
    }
}

/// Another process of this program, which times a case when it is told to.
pub struct Worker {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Worker {
    pub fn start(sets: &[usize]) -> Rc<RefCell<Self>> {
        let sets = sets.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--worker", &sets])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a second process");
        let to = child.stdin.take().expect("a pipe");
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        Rc::new(RefCell::new(Self { child, to, from }))
    }

    fn round(&mut self, index: usize) -> Round {
        let mut line = String::new();
        writeln!(self.to, "{index}").expect("the worker listens");
        self.from.read_line(&mut line).expect("the worker answers");
        let mut numbers = line.split_whitespace().map(|number| number.parse().expect("a number"));
        let mut next = || numbers.next().expect("the worker has failed its checks");
        let (before, after) = (next(), next());
        Round { before, after, ticks: numbers.collect() }
    }

    /// The worker's side: checks its cases, then serves until the other side is gone.
    pub fn serve(cases: &mut [Case], pools: &[(usize, Vec<Input>)]) {
        let clock = Clock::new();
        let pool = |set| &pools.iter().find(|(known, _)| *known == set).expect("a set asked for").1;
        cases.iter_mut().for_each(|case| case.check(pool(case.set)));
        for line in std::io::stdin().lines() {
            let index: usize = line.expect("a line").parse().expect("a number");
            let case = &mut cases[index];
            let round = case.round(clock, pool(case.set));
            let ticks: String = round.ticks.iter().map(|ticks| format!(" {ticks}")).collect();
            println!("{} {}{ticks}", round.before, round.after);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
