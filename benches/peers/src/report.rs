//! Tables for people and JSON for programs.

use std::fmt::Write;

use crate::Options;
use crate::breakdown::Breakdown;
use crate::case::{Case, Level, Operation};
use crate::clock::{Summary, UNIT};
use crate::keccak::Permutation;

pub fn heading(options: &Options, ticks_per_cycle: &mut [f64]) {
    ticks_per_cycle.sort_by(f64::total_cmp);
    let [few, usual, many] = [1, 5, 9].map(|tenth| ticks_per_cycle[ticks_per_cycle.len() * tenth / 10]);
    println!("{} rounds; kemstone left to itself takes {}.", options.rounds, kemstone::backend());
    println!(
        "In {UNIT}; one was {usual:.3} ticks of the counter (8 of 10 times from {few:.3} to {many:.3})."
    );
    println!("Every implementation gave kemstone's answers first.");
}

fn is_ours(case: &Case) -> bool {
    case.who.starts_with("kemstone")
}

/// The fastest rival in a column among those of a level.
fn fastest<'a>(cases: &[&'a Case], operation: Operation, level: Level) -> Option<(&'a str, f64)> {
    let operation = operation.of_rivals();
    let column =
        cases.iter().filter(|case| case.operation == operation && case.level <= level && !is_ours(case));
    column.map(|case| (&case.who[..], case.samples.summary().min)).min_by(|a, b| a.1.total_cmp(&b.1))
}

/// The tables of a parameter set.
pub fn tables(set: usize, cases: &[Case]) {
    let all: Vec<_> = cases.iter().filter(|case| case.set == set).collect();
    for (title, columns) in Operation::TABLES {
        let cases: Vec<_> = all.iter().filter(|case| columns.contains(&case.operation)).collect();
        let mut rows: Vec<&str> = Vec::new();
        cases.iter().for_each(|case| {
            if !rows.contains(&&case.who[..]) {
                rows.push(&case.who);
            }
        });
        if rows.is_empty() {
            continue;
        }
        println!("\nML-KEM-{set}, {title}: minimum, median, and the minimum by that of the fastest rival");
        let line = |name: &str, cell: &dyn Fn(Operation) -> String| {
            let cells: String = columns.iter().map(|&column| format!("{:>26}", cell(column))).collect();
            println!("{name:<26}{cells}");
        };
        line("", &|column| column.name().to_string());
        for who in &rows {
            line(who, &|column| {
                let Some(case) = cases.iter().find(|case| case.who == **who && case.operation == column)
                else {
                    return "-".to_string();
                };
                let Summary { min, median, .. } = case.samples.summary();
                let ratio = fastest(&all, column, Level::Avx512)
                    .map_or("-".to_string(), |(_, best)| format!("{:.2}", min / best));
                let mark = if case.draws { "r" } else { " " };
                format!("{min:.0} {median:>7.0} {ratio:>6}{mark}")
            });
        }
        // Like with like: each backend and the rivals that use no more of the machine than it does.
        println!();
        for who in rows.iter().filter(|who| who.starts_with("kemstone")) {
            let Some(level) = cases.iter().find(|case| case.who == **who).map(|case| case.level) else {
                continue;
            };
            let among = match level {
                Level::Portable => "portable rivals",
                Level::Avx2 => "rivals below AVX-512",
                Level::Avx512 => "all rivals",
            };
            line(&format!("{} : {among}", who.trim_start_matches("kemstone/")), &|column| {
                let ours = cases.iter().find(|case| case.who == **who && case.operation == column);
                match (ours, fastest(&all, column, level)) {
                    (Some(case), Some((name, best))) => {
                        format!("{:.2} of {name}", case.samples.summary().min / best)
                    }
                    _ => "-".to_string(),
                }
            });
        }
        for who in &rows {
            let Some((single, _)) = who.split_once(" x") else { continue };
            line(&format!("{} : one by one", who.trim_start_matches("kemstone/")), &|column| {
                let min = |name: &str| {
                    let case = cases.iter().find(|case| case.who == name && case.operation == column);
                    case.map_or(f64::NAN, |case| case.samples.summary().min)
                };
                format!("{:.2} times as fast", min(single) / min(who))
            });
        }
    }
    if cases.iter().any(|case| case.set == set && case.draws) {
        println!("r: draws its own randomness, which is part of its time");
    }
}

/// Keccak, the cheapest per state first.
pub fn permutations(all: &[Permutation]) {
    let mut all: Vec<_> = all.iter().map(|one| (one, one.samples.summary())).collect();
    all.sort_by(|(a, x), (b, y)| (x.min / a.states as f64).total_cmp(&(y.min / b.states as f64)));
    println!("\nKeccak-f[1600]{:>33}{:>10}{:>10}{:>14}", "states", "minimum", "median", "per state");
    for (Permutation { who, states, .. }, Summary { min, median, .. }) in all {
        println!("{who:<41}{states:>6}{min:>10.0}{median:>10.0}{:>14.1}", min / *states as f64);
    }
}

/// Where an encapsulation's time goes.
pub fn breakdown(breakdown: &Breakdown) {
    let report = breakdown.report();
    let whole = report.whole.median;
    println!(
        "\nkemstone/{}: one ML-KEM-768 encapsulation with a key that has been read, medians",
        breakdown.name
    );
    println!("{:<34}{:>8}{:>10}{:>10}{:>9}", "", "count", "each", "product", "share");
    let row = |what: &str, count: String, each: String, product: f64| {
        println!("{what:<34}{count:>8}{each:>10}{product:>10.0}{:>8.1}%", 100.0 * product / whole);
    };
    for line in &report.lines {
        row(&line.what, format!("{:.1}", line.count), format!("{:.1}", line.each), line.count * line.each);
    }
    match report.engine {
        Some(engine) => row("sponges beyond their kernels", String::new(), String::new(), engine),
        None => println!(
            "(the frontend asks for other sponges than this program: what they cost by themselves is unknown)"
        ),
    }
    row("sum", String::new(), String::new(), report.sum);
    row("the rest: copies, wiping, calls", String::new(), String::new(), whole - report.sum);
    row("measured whole", String::new(), String::new(), whole);
    println!("whole by its permutations alone: {:.2}", whole / report.keccak);
}

fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:.2}") } else { "null".to_string() }
}

fn summary(Summary { min, median, min_ticks, median_ticks }: Summary) -> String {
    let [min, median, min_ticks, median_ticks] = [min, median, min_ticks, median_ticks].map(number);
    format!(
        r#""min_cycles":{min},"median_cycles":{median},"min_ticks":{min_ticks},"median_ticks":{median_ticks}"#
    )
}

fn array<T>(items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut String, T)) -> String {
    let mut out = String::from("[");
    for (i, item) in items.into_iter().enumerate() {
        out.push_str(if i == 0 { "\n  {" } else { ",\n  {" });
        write(&mut out, item);
        out.push('}');
    }
    out + "\n]"
}

/// Everything. Names are plain letters: nothing needs escaping.
pub fn json(cases: &[Case], permutations: &[Permutation], breakdowns: &[Breakdown]) -> String {
    let cases = array(cases, |out, case| {
        let Case { who, set, operation, level, draws, .. } = case;
        let (operation, level) = (operation.name(), format!("{level:?}").to_lowercase());
        let _ = write!(out, r#""who":"{who}","set":{set},"operation":"{operation}","level":"{level}","#);
        let _ = write!(out, r#""draws_randomness":{draws},{}"#, summary(case.samples.summary()));
    });
    let permutations = array(permutations, |out, Permutation { who, states, samples, .. }| {
        let _ = write!(out, r#""who":"{who}","states":{states},{}"#, summary(samples.summary()));
    });
    let breakdowns = array(breakdowns, |out, breakdown| {
        let report = breakdown.report();
        let lines = array(&report.lines, |out, line| {
            let (count, each) = (number(line.count), number(line.each));
            let _ = write!(out, r#""operation":"{}","count":{count},"median_cycles":{each}"#, line.what);
        });
        let (engine, sum) = (number(report.engine.unwrap_or(f64::NAN)), number(report.sum));
        let (name, keccak, whole) = (breakdown.name, number(report.keccak), summary(report.whole));
        let _ = write!(out, r#""backend":"{name}","operations":{lines},"sponges_beyond_kernels":{engine},"#);
        let _ = write!(out, r#""sum":{sum},"permutations":{keccak},{whole}"#);
    });
    format!("{{\"unit\":\"{UNIT}\",\"kem\":{cases},\"keccak\":{permutations},\"breakdown\":{breakdowns}}}\n")
}
