//! Peak stack of every call of the default features, measured: a thread runs it once on painted memory, and the lowest byte that no
//! longer has its paint tells how deep it went. Results that the caller holds are counted as well.
//!
//! The figures and limits are those of x86-64; `.ci/stack` measures a Cortex-M4 by the same list, and publishes both.
#![cfg(all(unix, target_arch = "x86_64"))]

#[path = "support/calls.rs"]
mod calls;
mod support;

use core::fmt::Write;
use core::hint::black_box;
use std::collections::HashSet;
use std::{env, fs};

use calls::{Build, Call, SETS};
use kemstone::backend::select::{Selected, for_each, on};
use support::stack::run;

const BUILD: Build = if cfg!(debug_assertions) { Build::Dev } else { Build::Release };

/// What one call takes.
struct Row {
    name: &'static str,
    class: String,
    result: usize,
    bytes: usize,
    limit: usize,
}

fn rows(selected: Selected, set: usize) -> Vec<Row> {
    // What the measurement itself takes is not the call's.
    let nothing = run(&mut || on(selected, || ())).peak();
    let mut rows = Vec::new();
    let (_, calls) = SETS[set];
    calls(&mut |call: Call<'_>| {
        let limit = call.limit(BUILD, set);
        let bytes = run(&mut || on(selected, &mut *call.run)).peak().saturating_sub(nothing);
        let class = format!("{:?}", call.class);
        rows.push(Row { name: call.name, class, result: call.result, bytes, limit });
    });
    rows
}

/// With `KEMSTONE_STACK=FILE`, the figures go to that file as well, for `.ci/stack`.
#[test]
fn peak_stack_is_bounded() {
    // What the measurement itself costs, and that it sees what is there to be seen.
    let nothing = run(&mut || ()).peak();
    assert!(nothing < 1024, "an empty function takes {nothing} bytes");
    let array = run(&mut || {
        let mut array = [1u8; 10_000];
        black_box(&mut array);
    });
    assert!((10_000..12_000).contains(&array.peak()), "an array of 10 000 bytes takes {}", array.peak());

    let (mut table, mut over) = (String::new(), Vec::new());
    for_each(|selected| {
        let backend = selected.name();
        let sets = [0, 1, 2, 3].map(|set| rows(selected, set));
        println!("peak stack in bytes, backend {backend}");
        println!("{:54}{:>12}{:>12}{:>12}", "", SETS[0].0, SETS[1].0, SETS[2].0);
        let [of_512, of_768, of_1024, of_all] = &sets;
        for ((a, b), c) in of_512.iter().zip(of_768).zip(of_1024) {
            println!("{:54}{:>12}{:>12}{:>12}", a.name, a.bytes, b.bytes, c.bytes);
        }
        for Row { name, bytes, .. } in of_all {
            println!("{name:54}{bytes:>12}");
        }
        for ((set, _), rows) in SETS.iter().zip(&sets) {
            for Row { name, class, result, bytes, limit } in rows {
                writeln!(table, "{backend}\t{set}\t{name}\t{class}\t{result}\t{bytes}\t{limit}")
                    .expect("a string grows");
                if bytes > limit {
                    over.push(format!("{backend}, {set}: {name} takes {bytes} of {limit} bytes"));
                }
            }
        }
    });
    if let Ok(file) = env::var("KEMSTONE_STACK") {
        fs::write(&file, table).expect(&file);
    }
    assert!(over.is_empty(), "{}", over.join("\n"));
}

#[test]
fn every_public_function_is_measured() {
    let sources = [
        include_str!("../src/frontend/decapsulation.rs"),
        include_str!("../src/frontend/encapsulation.rs"),
        include_str!("../src/frontend/keys.rs"),
        include_str!("../src/frontend/prepared.rs"),
        include_str!("../src/frontend/self_test.rs"),
    ];
    let public = sources.iter().flat_map(|source| source.lines()).filter_map(|line| {
        let (_, rest) = line.split_once("pub fn ").or_else(|| line.split_once("pub const fn "))?;
        rest.split(['(', '<']).next()
    });
    let public: HashSet<&str> = public.collect();
    assert!(public.len() > 30, "the API has moved");
    let mut measured = HashSet::new();
    for (_, calls) in [SETS[0], SETS[3]] {
        calls(&mut |call| {
            let name = call.name.rsplit("::").next().expect("a part").split(' ').next().expect("a word");
            measured.insert(name);
        });
    }
    let missing: Vec<_> = public.difference(&measured).collect();
    assert!(missing.is_empty(), "not in tests/support/calls.rs: {missing:?}");
}
