//! Does the time of an operation depend on a secret, on this CPU? A statistical test after dudect (Reparaz, Balasch, Verbauwhede:
//! "Dude, is my code constant time?", 2017): each call gets an input of one of two classes, drawn at random, and Welch's t compares
//! the mean times of the classes, of all calls and of those below each of a hundred percentiles, because what disturbs a call adds
//! to its time. The greatest |t| is judged: from [`SUSPICIOUS`] on the row is marked, from [`DEPENDS`] on the program fails.
//!
//! ```text
//! cargo bench --bench timing -- --calls 1000000 --set ML-KEM-768 --backend avx2
//! ```
//!
//! Options: `--calls N` for each row, `--set NAME` and `--backend NAME`, each as often as you like, `--seed N` for the inputs and
//! the order of the classes. What is public is the same in both classes, or takes part in constant time only: rho above all, whose
//! expansion rejects candidates.
//!
//! Leaks are planted, as large as those that have been found in the field, and the program fails if it misses one: then the
//! machine is too noisy for so few calls. A row without a finding shows that leaks much smaller than these were not seen at this
//! number of calls, and no more. The column of differences says what was: of the mean times of the two classes where |t| is
//! greatest.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;
use std::{env, process};

use kemstone::backend::probe::Probe;
use kemstone::backend::select::{Selected, Visitor, on};
use kemstone::{
    Bytes, Ciphertext, DecapsulationKey, EncapsulationKey, MlKem512, MlKem768, MlKem1024, ParameterSet,
    PreparedDecapsulationKey, PreparedEncapsulationKey, SharedSecret, on_backend,
};

/// |t| that a hundred tests of equal classes seldom reach.
const SUSPICIOUS: f64 = 4.5;

/// |t| that they do not reach.
const DEPENDS: f64 = 10.0;

/// Inputs of a class: a power of two.
const POOL: usize = 128;

/// The fewest calls of a class below a percentile that are compared.
const FEWEST: f64 = 500.0;

/// SplitMix64 (Steele, Lea, Flood, 2014): good enough for inputs and for an order.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for word in bytes.as_chunks_mut().0 {
            *word = self.next().to_le_bytes();
        }
        bytes
    }
}

/// Of the calls of one class.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
}

impl Moments {
    fn add(&mut self, x: f64) {
        self.count += 1.0;
        let distance = x - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (x - self.mean);
    }

    /// The square of the mean's standard error.
    fn error(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

/// Welch's t of the two classes, and the difference of their means, in nanoseconds; none for too few calls.
fn welch([a, b]: [Moments; 2]) -> Option<(f64, f64)> {
    let difference = a.mean - b.mean;
    (a.count >= FEWEST && b.count >= FEWEST)
        .then(|| (difference / (a.error() + b.error()).sqrt().max(1e-9), difference))
}

/// Whole calls with their classes, in nanoseconds.
struct Calls(Vec<(bool, u32)>);

impl Calls {
    /// A measurement of `call`, for inputs that `prepare` makes, at one place in memory, of those of two classes. They are copied to a
    /// row of places first, in the order of their use: where a class lies in memory would tell by caches, too.
    fn measure<I: Clone, P>(
        options: &mut Options,
        inputs: [&[I]; 2],
        prepare: impl Fn(&I) -> P,
        call: impl Fn(&P),
    ) -> Self {
        let mut calls = Vec::with_capacity(options.calls + POOL);
        let mut row: Vec<(bool, I)> = Vec::with_capacity(POOL);
        let mut warm = false;
        while calls.len() < options.calls {
            row.clear();
            row.extend((0..POOL).map(|_| {
                let random = options.random.next();
                let class = random >> 63 == 1;
                (class, inputs[usize::from(class)][random as usize & (POOL - 1)].clone())
            }));
            for (class, input) in &row {
                let input = prepare(black_box(input));
                let start = Instant::now();
                call(black_box(&input));
                let time = start.elapsed();
                if warm {
                    calls.push((*class, u32::try_from(time.as_nanos()).unwrap_or(u32::MAX)));
                }
            }
            warm = true;
        }
        Self(calls)
    }

    fn median(&self) -> u32 {
        let mut times: Vec<_> = self.0.iter().map(|(_, time)| *time).collect();
        let middle = times.len() >> 1;
        *times.select_nth_unstable(middle).1
    }

    /// The t of the greatest |t|, and the difference there.
    fn t(&self) -> (f64, f64) {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by_key(|(_, time)| *time);
        // As dudect: denser towards the fast calls' end of what is left out, 7 % to 99.9 % of the calls.
        let limits: Vec<u32> = (1..=100)
            .map(|i| 1.0 - 0.5_f64.powf(f64::from(i) * 0.1))
            .map(|share| sorted[(share * (sorted.len() - 1) as f64) as usize].1)
            .chain([u32::MAX])
            .collect();
        let (mut moments, mut greatest) = ([Moments::default(); 2], (0.0_f64, 0.0));
        let mut calls = sorted.iter().peekable();
        for limit in limits {
            while let Some((class, time)) = calls.next_if(|(_, time)| *time <= limit) {
                moments[usize::from(*class)].add(f64::from(*time));
            }
            if let Some(one) = welch(moments).filter(|one| one.0.abs() > greatest.0.abs()) {
                greatest = one;
            }
        }
        greatest
    }
}

struct Options {
    calls: usize,
    sets: Vec<String>,
    backends: Vec<String>,
    random: Random,
    rows: u32,
    failures: Vec<String>,
}

impl Options {
    /// Prints a row and judges it.
    fn judge(&mut self, set: &str, backend: &str, what: &str, planted: bool, calls: &Calls) {
        let (t, difference) = calls.t();
        let found = t.abs() >= DEPENDS;
        let verdict = match (planted, found) {
            (true, true) => "planted, found",
            (true, false) => "planted, NOT FOUND",
            (false, true) => "DEPENDS on the class",
            (false, false) if t.abs() >= SUSPICIOUS => "suspicious: run it again with more calls",
            (false, false) => "-",
        };
        println!(
            "| {set:<11} | {backend:<9} | {what:<46} | {:>8} | {t:>8.2} | {difference:>9.2} | {verdict} |",
            calls.median()
        );
        if planted != found {
            self.failures.push(format!("{set} {backend} {what}: {verdict}"));
        }
        self.rows += 1;
    }

    fn chosen(names: &[String], name: &str) -> bool {
        names.is_empty() || names.iter().any(|chosen| chosen == name)
    }
}

/// Generates a key of this rho and sigma.
struct Generate<'a, S: ParameterSet> {
    rho_sigma: &'a [[u8; 32]; 2],
    z: &'a [u8; 32],
    dk: &'a mut S::DecapsulationKeyBytes,
}

impl<S: ParameterSet> Visitor for Generate<'_, S> {
    type Output = ();

    #[inline(never)]
    fn visit<B: Probe>(self, backend: B) {
        on_backend::key_gen_from::<S, B>(backend, self.rho_sigma, self.z, self.dk.as_mut())
            .expect("room for a key");
    }
}

/// A decapsulation key in its expanded form, and a ciphertext for it.
#[derive(Clone)]
struct Pair<S: ParameterSet> {
    dk: S::DecapsulationKeyBytes,
    c: Ciphertext<S>,
}

/// A ciphertext, and what is to be compared with it.
#[derive(Clone)]
struct Received<S: ParameterSet> {
    c: Ciphertext<S>,
    original: Ciphertext<S>,
}

/// Gives up at the first difference.
#[inline(never)]
fn early_exit(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).all(|(a, b)| black_box(*a) == black_box(*b))
}

/// A message as a polynomial, by a branch for each bit: what compilers made of masks (CVE-2024-37880).
#[inline(never)]
fn branches(m: &[u8; 32]) -> u32 {
    let mut sum = 0;
    for i in 0..256 {
        if m[i >> 3] >> (i & 7) & 1 == 1 {
            sum += black_box(1665);
        }
    }
    sum
}

fn repeat<T: Clone>(one: &T) -> Vec<T> {
    vec![one.clone(); POOL]
}

fn many<T>(one: impl FnMut() -> T) -> Vec<T> {
    core::iter::repeat_with(one).take(POOL).collect()
}

/// Every row of one parameter set on one backend.
fn operations<S: ParameterSet>(options: &mut Options, backend: Selected) {
    let name = backend.name();
    let rho = options.random.bytes();
    let generate = |sigma: [u8; 32], z: [u8; 32]| {
        let mut dk = Bytes::ZERO;
        backend.visit(Generate::<S> { rho_sigma: &[rho, sigma], z: &z, dk: &mut dk });
        dk
    };
    let parse = |dk: &S::DecapsulationKeyBytes| {
        DecapsulationKey::<S>::from_expanded_bytes(dk).expect("a key that was generated")
    };
    let encapsulate = |ek: &EncapsulationKey<S>, m: &[u8; 32]| ek.encapsulate_deterministic(m).0;

    let sigmas = [repeat(&options.random.bytes()), many(|| options.random.bytes())];
    let calls = Calls::measure(
        options,
        [&sigmas[0], &sigmas[1]],
        |sigma| *sigma,
        |sigma| _ = black_box(generate(*sigma, [3; 32])),
    );
    options.judge(S::NAME, name, "key generation: sigma fixed or random", false, &calls);

    let key = parse(&generate(options.random.bytes(), options.random.bytes()));
    let ek = key.encapsulation_key();
    let ms = [repeat(&options.random.bytes()), many(|| options.random.bytes())];
    let ms = [&ms[0][..], &ms[1][..]];
    let fill = |m: [u8; 32]| {
        move |to: &mut [u8; 32]| {
            *to = m;
            Ok::<_, Infallible>(())
        }
    };
    let encapsulated = |m: &[u8; 32]| {
        let (mut c, mut k) = (Bytes::ZERO, [0; 32]);
        let Ok(()) = ek.encapsulate_into(fill(*m), &mut c, &mut k);
        black_box((&c, &k));
    };
    let calls = Calls::measure(options, ms, |m| *m, encapsulated);
    options.judge(S::NAME, name, "encapsulation: m fixed or random", false, &calls);

    let prepared = PreparedEncapsulationKey::new(ek);
    let calls = Calls::measure(
        options,
        ms,
        |m| *m,
        |m| {
            let (mut c, mut k) = (Bytes::ZERO, [0; 32]);
            let Ok(()) = prepared.encapsulate_into(fill(*m), &mut c, &mut k);
            black_box((&c, &k));
        },
    );
    options.judge(S::NAME, name, "encapsulation, prepared: m fixed or random", false, &calls);

    // A bit is damaged in each of the second class.
    let received = |options: &mut Options, damage: bool| {
        many(|| {
            let original = encapsulate(ek, &options.random.bytes());
            let mut c = *original.as_bytes();
            let at = options.random.next();
            let at = ((u128::from(at) * c.as_ref().len() as u128) >> 64) as usize;
            c.as_mut()[at] ^= u8::from(damage);
            Received::<S> { c: Ciphertext::from_bytes(&c), original }
        })
    };
    let received = [received(options, false), received(options, true)];
    let received = [&received[0][..], &received[1][..]];
    let decapsulated = |received: &Received<S>| {
        let mut k = [0; 32];
        key.decapsulate_into(&received.c, &mut k);
        black_box(k);
    };
    let calls = Calls::measure(options, received, Received::clone, decapsulated);
    options.judge(S::NAME, name, "decapsulation: accepted or rejected", false, &calls);

    let prepared = PreparedDecapsulationKey::new(&key);
    let calls = Calls::measure(options, received, Received::clone, |received| {
        let mut k = [0; 32];
        prepared.decapsulate_into(&received.c, &mut k);
        black_box(k);
    });
    options.judge(S::NAME, name, "decapsulation, prepared: accepted or rejected", false, &calls);

    let mut pair = || {
        let dk = generate(options.random.bytes(), options.random.bytes());
        let c = encapsulate(parse(&dk).encapsulation_key(), &options.random.bytes());
        Pair::<S> { dk, c }
    };
    let pairs = [repeat(&pair()), many(pair)];
    let pairs = [&pairs[0][..], &pairs[1][..]];
    let calls = Calls::measure(
        options,
        pairs,
        |pair| (parse(&pair.dk), pair.c.clone()),
        |(key, c)| {
            let mut k = [0; 32];
            key.decapsulate_into(c, &mut k);
            black_box(k);
        },
    );
    options.judge(S::NAME, name, "decapsulation: key fixed or random", false, &calls);

    let calls = Calls::measure(options, pairs, Pair::clone, |pair| {
        let mut k = [0; 32];
        DecapsulationKey::<S>::decapsulate_expanded_into(&pair.dk, &pair.c, &mut k).expect("a good key");
        black_box(k);
    });
    options.judge(S::NAME, name, "decapsulation, expanded: key fixed or random", false, &calls);

    let calls = Calls::measure(options, received, Received::clone, |received| {
        decapsulated(received);
        black_box(early_exit(received.c.as_bytes().as_ref(), received.original.as_bytes().as_ref()));
    });
    options.judge(S::NAME, name, "decapsulation, c compared with an early exit", true, &calls);

    let calls = Calls::measure(
        options,
        ms,
        |m| *m,
        |m| {
            encapsulated(m);
            black_box(branches(m));
        },
    );
    options.judge(S::NAME, name, "encapsulation, a branch for each bit of m", true, &calls);
}

/// What no backend serves: `==` of secrets, equal ones and others.
fn comparison(options: &mut Options) {
    let secret = options.random.bytes();
    let classes = [repeat(&secret), many(|| options.random.bytes())];
    let classes = [&classes[0][..], &classes[1][..]];
    let ours = SharedSecret::from(secret);
    let calls = Calls::measure(
        options,
        classes,
        |theirs| SharedSecret::from(*theirs),
        |theirs| {
            black_box(ours == *theirs);
        },
    );
    options.judge("-", "-", "comparison of secrets: equal or not", false, &calls);
    let calls = Calls::measure(
        options,
        classes,
        |theirs| *theirs,
        |theirs| {
            black_box(early_exit(&secret, theirs));
        },
    );
    options.judge("-", "-", "comparison of secrets with an early exit", true, &calls);
}

fn options() -> Options {
    let mut options = Options {
        calls: 50_000,
        sets: Vec::new(),
        backends: Vec::new(),
        random: Random(1),
        rows: 0,
        failures: Vec::new(),
    };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        // What `cargo bench` says to every benchmark.
        if argument == "--bench" {
            continue;
        }
        let value = arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
        let number = || value.parse().unwrap_or_else(|_| panic!("{argument} wants a number: {value}"));
        match argument.as_str() {
            "--calls" => options.calls = usize::try_from(number()).expect("so many calls fit in memory"),
            "--seed" => options.random = Random(number()),
            "--set" => options.sets.push(value),
            "--backend" => options.backends.push(value),
            _ => panic!("no option {argument}: --calls, --set, --backend, --seed"),
        }
    }
    assert!(options.calls >= 10_000, "fewer than 10000 calls show nothing");
    options
}

fn main() {
    let mut options = options();
    type Operations = fn(&mut Options, Selected);
    let sets: [(&str, Operations); 3] = [
        (MlKem512::NAME, operations::<MlKem512>),
        (MlKem768::NAME, operations::<MlKem768>),
        (MlKem1024::NAME, operations::<MlKem1024>),
    ];
    for chosen in &options.sets {
        assert!(sets.iter().any(|(name, _)| name == chosen), "no parameter set {chosen}");
    }
    for chosen in &options.backends {
        assert!(Selected::by_name(chosen).is_some(), "this machine has no backend {chosen}");
    }
    println!("{} calls in each row; times in nanoseconds", options.calls);
    println!(
        "| set         | backend   | {:<46} |   median | greatest t | difference | |",
        "what, and the two classes"
    );
    println!("|---|---|---|---|---|---|---|");
    comparison(&mut options);
    for (set, operations) in sets {
        for backend in Selected::names().filter_map(Selected::by_name) {
            if Options::chosen(&options.sets, set) && Options::chosen(&options.backends, backend.name()) {
                on(backend, || operations(&mut options, backend));
            }
        }
    }
    println!("{} rows of {} calls; {} failures", options.rows, options.calls, options.failures.len());
    for failure in &options.failures {
        println!("FAILED: {failure}");
    }
    process::exit(i32::from(!options.failures.is_empty()));
}
