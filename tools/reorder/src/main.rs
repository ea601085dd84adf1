//! Finds orders and registers for Keccak's rounds: see README.md.

mod aarch64;
mod judge;
mod keccak;
mod measure;
mod place;
mod search;
mod step;
mod table;
#[cfg(test)]
mod tests;
mod units;

use std::path::PathBuf;
use std::process::exit;

use judge::Judge;
use lexopt::prelude::*;
use search::{Effort, search};
use units::{Plan, Unit};

const USAGE: &str = "\
reorder search UNIT [--seed N] [--core NAME,...] [--constructed N] [--turns N] [--starts N]
               [--from FILE] [--macro NAME] [--out FILE]
reorder check FILE...
reorder cycles [--core NAME,...] FILE...
reorder aarch64 --core NAME,... [--seed N] [--turns N] FILE
UNIT is four, wide or plane; a NAME of a core is `here`, which is the default, or one of llvm-mca's.";

fn usage(why: impl std::fmt::Display) -> ! {
    eprintln!("{why}\n{USAGE}");
    exit(2);
}

#[derive(Default)]
struct Arguments {
    words: Vec<String>,
    seed: u64,
    cores: Vec<String>,
    constructed: Option<usize>,
    turns: Option<usize>,
    starts: Option<usize>,
    name: Option<String>,
    from: Option<String>,
    out: Option<PathBuf>,
}

fn arguments() -> Result<Arguments, lexopt::Error> {
    let mut arguments = Arguments { seed: 1, cores: vec!["here".into()], ..Default::default() };
    let mut parser = lexopt::Parser::from_env();
    while let Some(next) = parser.next()? {
        match next {
            Long("seed") => arguments.seed = parser.value()?.parse()?,
            Long("core") => {
                arguments.cores = parser.value()?.string()?.split(',').map(String::from).collect();
            }
            Long("constructed") => arguments.constructed = Some(parser.value()?.parse()?),
            Long("turns") => arguments.turns = Some(parser.value()?.parse()?),
            Long("starts") => arguments.starts = Some(parser.value()?.parse()?),
            Long("macro") => arguments.name = Some(parser.value()?.string()?),
            Long("from") => arguments.from = Some(parser.value()?.string()?),
            Long("out") => arguments.out = Some(parser.value()?.into()),
            Value(word) => arguments.words.push(word.string()?),
            _ => return Err(next.unexpected()),
        }
    }
    Ok(arguments)
}

fn main() {
    let arguments = arguments().unwrap_or_else(|error| usage(error));
    let words: Vec<&str> = arguments.words.iter().map(|word| &word[..]).collect();
    match &words[..] {
        ["search", unit] => {
            let unit = Unit::named(unit).unwrap_or_else(|| usage("there is no such unit"));
            find(unit, &arguments);
        }
        ["check", files @ ..] if !files.is_empty() => {
            let wrong = files.iter().filter(|file| !checked(file)).count();
            exit((wrong > 0).into());
        }
        ["cycles", files @ ..] if !files.is_empty() => cycles(files, &arguments.cores),
        ["aarch64", file] => aarch64_listing(file, &arguments),
        _ => usage("what is to be done?"),
    }
}

/// Searches, checks what was found, and writes it.
fn find(unit: Unit, arguments: &Arguments) {
    let constructed = arguments.constructed.unwrap_or(if unit == Unit::Plane { 0 } else { 100 });
    let effort =
        Effort { constructed, turns: arguments.turns.unwrap_or(600), starts: arguments.starts.unwrap_or(8) };
    let mut random = fastrand::Rng::with_seed(arguments.seed);
    let mut judge = Judge::named(&arguments.cores);
    let from = match &arguments.from {
        Some(path) => {
            let table = read(path).and_then(|(unit, steps)| table::plan(unit, &steps));
            table.unwrap_or_else(|error| usage(format!("{path}: {error}")))
        }
        None => Plan::clean(unit),
    };
    if !unit.runs_here() && arguments.cores.iter().any(|core| core == "here") {
        usage("this machine has not got the instructions: name cores for llvm-mca");
    }
    let plan = search(from, &mut judge, &mut random, &effort);
    let steps = plan.placed().expect("the registers that the search has found");
    if let Err(error) = table::check(unit, &steps, 1) {
        panic!("the search has found what is no round: {error}");
    }
    judge.confirm(unit, &steps);
    let from = arguments.from.as_ref().map_or(String::new(), |path| format!(" --from {path}"));
    let how = format!(
        "Written by tools/reorder, whose README.md says how: an order and registers that a search has found.\n\
         reorder search {} --seed {} --core {} --constructed {} --turns {} --starts {}{from}",
        unit.name(),
        arguments.seed,
        arguments.cores.join(","),
        effort.constructed,
        effort.turns,
        effort.starts
    );
    let name = arguments.name.as_deref().unwrap_or(unit.name());
    let text = table::write(unit, &steps, name, &how);
    match &arguments.out {
        Some(path) => {
            std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        }
        None => print!("{text}"),
    }
}

fn read(path: &str) -> Result<(Unit, Vec<step::Step>), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    table::read(&text)
}

fn checked(path: &str) -> bool {
    let result = read(path).and_then(|(unit, steps)| {
        table::check(unit, &steps, 1)?;
        Ok((unit, steps.len()))
    });
    match &result {
        Ok((unit, steps)) => println!("{path}: {steps} steps are a round, {}", unit.name()),
        Err(error) => println!("{path}: {error}"),
    }
    result.is_ok()
}

/// Of every table, and of the clean order of its unit.
fn cycles(files: &[&str], cores: &[String]) {
    for file in files {
        let (unit, steps) = read(file).unwrap_or_else(|error| usage(format!("{file}: {error}")));
        let orders = [steps, Plan::clean(unit).placed().expect("registers")];
        println!("{file}: cycles of a round; of the clean order");
        for name in cores {
            let mut judge = Judge::named(std::slice::from_ref(name));
            for encoding in unit.encodings() {
                let cycles = judge.encoded(unit, *encoding, &orders, 500);
                println!("  {name:18} {}mm {:6.2} {:6.2}", encoding.width, cycles[0], cycles[1]);
            }
        }
    }
}

/// The listing of AArch64: whether it is a round, its cycles by models, and those of an order that these like better.
fn aarch64_listing(path: &str, arguments: &Arguments) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| usage(format!("{path}: {error}")));
    let listing = aarch64::Listing::read(&text).and_then(|listing| listing.check(1).map(|()| listing));
    let mut listing = listing.unwrap_or_else(|error| usage(format!("{path}: {error}")));
    println!("{path}: {} steps are a round", listing.lines.len());
    let show = |listing: &aarch64::Listing| {
        for core in &arguments.cores {
            let all = aarch64::UNITS
                .iter()
                .map(|(name, parts)| format!("{name} {:.2}", listing.cycles(parts, core)));
            println!("  {core:14} {}", all.collect::<Vec<_>>().join(", "));
        }
    };
    show(&listing);
    let turns = arguments.turns.unwrap_or(0);
    if turns > 0 {
        let mut random = fastrand::Rng::with_seed(arguments.seed);
        let units: Vec<&[aarch64::Part]> = aarch64::UNITS.iter().map(|(_, parts)| *parts).collect();
        let mean = listing.search(&units, &arguments.cores, turns, &mut random);
        listing.check(2).unwrap_or_else(|error| panic!("the search has found what is no round: {error}"));
        println!("after {turns} turns, {mean:.2} on average:");
        show(&listing);
        print!("{}", listing.rows());
    }
}
