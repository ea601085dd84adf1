//! ML-KEM by itself: the kept results of `benches/peers`, one file for each processor.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::report::figures::Table;

const SETS: [u64; 3] = [512, 768, 1024];
const OPERATIONS: [&str; 3] = ["keygen", "encaps", "decaps"];

/// Megahertz of the time stamp counter, in whose ticks the files have times as well: the rate that the kernel gives for the
/// machine of each file (half of `bogomips` in /proc/cpuinfo).
const COUNTERS: [(&str, f64); 1] = [("amd-epyc-zen5", 2596.12)];

/// What an article about AWS-LC says of it, operations per second: key generation, encapsulation, decapsulation.
const PUBLISHED: [(&str, [u32; 3]); 4] = [
    ("AWS-LC on c7i (Intel), before, as published", [30_899, 30_623, 25_141]),
    ("AWS-LC on c7i (Intel), after, as published", [65_146, 61_233, 51_545]),
    ("AWS-LC on c7g (Graviton 3), before, as published", [29_617, 28_482, 23_919]),
    ("AWS-LC on c7g (Graviton 3), after, as published", [71_134, 66_874, 64_765]),
];

pub struct Processor {
    pub name: String,
    /// Cycles of each operation.
    pub cycles: Table,
    /// Operations per second.
    pub rates: Option<Table>,
    /// The part of hashing in an encapsulation.
    pub hashing: Table,
}

fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// The published numbers, whose parameter set is not known here.
pub fn published() -> Table {
    let mut head = vec!["operations per second".to_owned()];
    head.extend(OPERATIONS.map(str::to_owned));
    let row = |(who, numbers): &(&str, [u32; 3])| {
        let mut row = vec![(*who).to_owned()];
        row.extend(numbers.map(|number| grouped(f64::from(number))));
        row
    };
    Table { head, rows: PUBLISHED.iter().map(row).collect() }
}

pub fn processors(folder: &Path) -> Result<Vec<Processor>> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .with_context(|| format!("{}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files.iter().map(|path| processor(path).with_context(|| format!("{}", path.display()))).collect()
}

fn processor(path: &Path) -> Result<Processor> {
    let value: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let name = path.file_stem().context("a name")?.to_string_lossy().into_owned();
    let unit = value["unit"].as_str().context("no unit")?.to_owned();
    let kem = value["kem"].as_array().context("no kem")?;
    let mut names: Vec<&str> = Vec::new();
    for row in kem {
        let who = row["who"].as_str().context("no who")?;
        if !names.contains(&who) {
            names.push(who);
        }
    }
    let find = |who: &str, set: u64, operation: &str, field: &str| {
        kem.iter()
            .find(|row| row["who"] == who && row["set"] == set && row["operation"] == operation)
            .and_then(|row| row[field].as_f64())
    };
    let cells = |who: &str, sets: &[u64], cell: &dyn Fn(u64, &str) -> Option<f64>| -> Vec<String> {
        let mut row = vec![who.to_owned()];
        for &set in sets {
            row.extend(OPERATIONS.map(|operation| cell(set, operation).map_or("\u{2013}".into(), grouped)));
        }
        row
    };
    let mut head = vec![format!("{unit}, minimum")];
    head.extend(SETS.iter().flat_map(|set| OPERATIONS.map(|operation| format!("{set}: {operation}"))));
    let cycles = Table {
        head,
        rows: names
            .iter()
            .map(|who| cells(who, &SETS, &|set, operation| find(who, set, operation, "min_cycles")))
            .collect(),
    };
    let counter = COUNTERS.iter().find(|(file, _)| *file == name).map(|(_, megahertz)| *megahertz);
    let rates = counter.map(|megahertz| {
        let rows: Vec<_> = names
            .iter()
            .filter(|who| who.starts_with("kemstone/") || who.starts_with("aws-lc"))
            .map(|who| {
                cells(&format!("{who} on {name}"), &SETS, &|set, operation| {
                    find(who, set, operation, "median_ticks").map(|ticks| megahertz * 1e6 / ticks)
                })
            })
            .collect();
        let mut head = vec!["operations per second on one core".to_owned()];
        head.extend(SETS.iter().flat_map(|set| OPERATIONS.map(|operation| format!("{set}: {operation}"))));
        Table { head, rows }
    });
    let mut hashing = Table {
        head: [
            "backend",
            "encapsulation, cycles",
            "hashing the key, cycles",
            "other permutations",
            "part of hashing",
        ]
        .map(Into::into)
        .into(),
        rows: Vec::new(),
    };
    for backend in value["breakdown"].as_array().context("no breakdown")? {
        let number = |field: &str| backend[field].as_f64().with_context(|| format!("no {field}"));
        let key = backend["operations"]
            .as_array()
            .and_then(|all| all.iter().find(|operation| operation["operation"] == "hash_key"))
            .and_then(|operation| operation["median_cycles"].as_f64());
        let (whole, permutations, sponges) =
            (number("median_cycles")?, number("permutations")?, number("sponges_beyond_kernels")?);
        let mut row = vec![backend["backend"].as_str().unwrap_or_default().to_owned(), grouped(whole)];
        row.push(key.map_or("\u{2013}".into(), grouped));
        row.push(grouped(permutations));
        row.push(format!("{:.0} %", (key.unwrap_or(0.0) + permutations + sponges) / whole * 100.0));
        hashing.rows.push(row);
    }
    Ok(Processor { name, cycles, rates, hashing })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(999.4), "999");
        assert_eq!(grouped(1_234_567.0), "1\u{202f}234\u{202f}567");
    }

    /// The files that are kept are read, whatever they will have become.
    #[test]
    fn the_kept_results_are_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/results");
        let all = processors(&folder).unwrap();
        assert!(!all.is_empty());
        for processor in all {
            assert!(
                processor.cycles.rows.iter().any(|row| row[0].starts_with("kemstone/")),
                "{}",
                processor.name
            );
            assert!(!processor.hashing.rows.is_empty());
        }
    }
}
