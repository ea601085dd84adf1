//! Times kemstone beside other implementations of ML-KEM: see README.md.

mod breakdown;
#[cfg_attr(not(feature = "wolfssl"), allow(dead_code))] // only wolfSSL needs a worker
mod case;
mod clock;
mod keccak;
mod ours;
mod report;
mod rivals;

use breakdown::Breakdown;
use case::{Case, Input, Worker};
use clock::Clock;

/// What the command line asks for.
pub struct Options {
    sets: Vec<usize>,
    /// Names of which one must be part of a row's; all rows if there are none.
    only: Vec<String>,
    rounds: usize,
    json: Option<String>,
    /// Not for people: time wolfSSL without AVX-512 for another process.
    worker: bool,
}

const USAGE: &str = "options: [--set 512,768,1024] [--only NAME,...] [--rounds N] [--json FILE]";

impl Options {
    fn read() -> Result<Self, String> {
        let mut options =
            Self { sets: vec![512, 768, 1024], only: Vec::new(), rounds: 400, json: None, worker: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(option) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{option} wants a value"));
            let sets = |value: String| {
                let number = |set: &str| set.parse().ok().filter(|set| matches!(set, 512 | 768 | 1024));
                value.split(',').map(number).collect::<Option<_>>().ok_or(format!("no parameter set {value}"))
            };
            match &option[..] {
                "--set" => options.sets = sets(value?)?,
                "--only" => options.only = value?.split(',').map(str::to_string).collect(),
                "--rounds" => {
                    let number = value?.parse().ok().filter(|&rounds| rounds > 0);
                    options.rounds = number.ok_or("--rounds wants a number above zero")?;
                }
                "--json" => options.json = Some(value?),
                "--worker" => (options.worker, options.sets) = (true, sets(value?)?),
                _ => return Err(format!("{option} is no option")),
            }
        }
        Ok(options)
    }

    fn wants(&self, who: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| who.contains(&name[..]))
    }
}

/// wolfSSL's cases: on an AVX-512 machine twice, without AVX-512 in a process of its own.
#[cfg(feature = "wolfssl")]
fn wolfssl(options: &Options) -> Vec<Case> {
    use case::Level::{Avx2, Avx512};
    use rivals::wolfssl::{cases, level};
    let all = |who, level| options.sets.iter().flat_map(move |&set| cases(who, level, set));
    let mut found: Vec<_> = all("wolfssl", level()).collect();
    if level() == Avx512 && options.wants("wolfssl/avx2") {
        let worker = Worker::start(&options.sets);
        found.extend(all("wolfssl/avx2", Avx2).enumerate().map(|(i, case)| case.moved_to(&worker, i)));
    }
    found
}

#[cfg(not(feature = "wolfssl"))]
fn wolfssl(_: &Options) -> Vec<Case> {
    Vec::new()
}

/// The second process.
fn serve(options: &Options, pools: &[(usize, Vec<Input>)]) {
    #[cfg(feature = "wolfssl")]
    {
        rivals::wolfssl::forget_avx512();
        let level = case::Level::Avx2;
        let cases = options.sets.iter().flat_map(|&set| rivals::wolfssl::cases("wolfssl/avx2", level, set));
        Worker::serve(&mut cases.collect::<Vec<_>>(), pools);
    }
    #[cfg(not(feature = "wolfssl"))]
    let _ = (options, pools, Worker::serve);
}

fn main() {
    let options = Options::read().unwrap_or_else(|complaint| {
        eprintln!("{complaint}\n{USAGE}");
        std::process::exit(2);
    });
    let pools: Vec<_> = options.sets.iter().map(|&set| (set, Input::pool(set))).collect();
    if options.worker {
        return serve(&options, &pools);
    }

    let mut cases = Vec::new();
    for (set, inputs) in &pools {
        cases.extend(ours::backends().into_iter().flat_map(|backend| ours::cases(backend, *set, inputs)));
        cases.extend(rivals::cases(*set, inputs));
    }
    cases.extend(wolfssl(&options));
    cases.retain(|case| options.wants(&case.who));
    let inputs = |set| &pools.iter().find(|(known, _)| *known == set).expect("a set asked for").1;
    cases.iter_mut().for_each(|case| case.check(inputs(case.set)));

    let mut permutations = keccak::all();
    permutations.retain(|permutation| options.wants(&permutation.who));
    let mut breakdowns: Vec<_> = match pools.iter().find(|(set, _)| *set == 768) {
        None => Vec::new(),
        Some((_, inputs)) => {
            let mut backends = ours::backends();
            backends.retain(|&backend| options.wants(&ours::name(backend)));
            backends.into_iter().map(|backend| Breakdown::new(backend, inputs)).collect()
        }
    };

    let clock = Clock::new();
    let mut ticks_per_cycle = Vec::new();
    for round in 0..options.rounds {
        ticks_per_cycle.push(clock.ticks_per_cycle());
        for i in 0..cases.len() {
            // Another one goes first in every round.
            let i = (i + round) % cases.len();
            let case = &mut cases[i];
            let sample = case.round(clock, inputs(case.set));
            case.samples.add(sample);
        }
        permutations.iter_mut().for_each(|permutation| permutation.round(clock));
        breakdowns.iter_mut().for_each(|breakdown| breakdown.round(clock));
    }

    report::heading(&options, &mut ticks_per_cycle);
    options.sets.iter().for_each(|&set| report::tables(set, &cases));
    report::permutations(&permutations);
    breakdowns.iter().for_each(report::breakdown);
    if let Some(file) = &options.json
        && let Err(error) = std::fs::write(file, report::json(&cases, &permutations, &breakdowns))
    {
        eprintln!("{file}: {error}");
        std::process::exit(1);
    }
}
