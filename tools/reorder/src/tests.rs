//! The tables of the tree are rounds, and what is none is refused.

use std::path::PathBuf;

use crate::measure::{Code, Data, function};
use crate::step::{Op, Step};
use crate::table::{check, plan, read, write};
use crate::units::{Plan, Unit};

/// Every table of the tree: its name, its unit and its steps.
fn tables() -> Vec<(String, Unit, Vec<Step>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../src/backend/x86_64/orders");
    let mut tables = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of the tables") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name != "mod.rs" {
            let text = std::fs::read_to_string(&path).expect("a table");
            let (unit, steps) = read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            tables.push((name, unit, steps));
        }
    }
    tables
}

#[test]
fn tables_are_rounds() {
    let tables = tables();
    assert!(!tables.is_empty(), "the tables have moved");
    for (name, unit, steps) in tables {
        check(unit, &steps, 1).unwrap_or_else(|error| panic!("{name}: {error}"));
        // What is written is what was read.
        let (again, text) = (steps.clone(), write(unit, &steps, "name", "how"));
        assert_eq!(read(&text), Ok((unit, again)), "{name}");
    }
}

#[test]
fn tables_are_plans() {
    for (name, unit, steps) in tables() {
        let plan = plan(unit, &steps).unwrap_or_else(|error| panic!("{name}: {error}"));
        let placed = plan.placed().unwrap_or_else(|| panic!("{name}: too few registers"));
        check(unit, &placed, 2).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// Faults of one place: of all of one kind, how many are there, and how many were no round any more?
fn refused(
    tables: &[(String, Unit, Vec<Step>)],
    fault: impl Fn(&[Step], usize, usize) -> Option<Vec<Step>>,
) -> (usize, usize) {
    let (mut all, mut refused) = (0, 0);
    for (_, unit, steps) in tables {
        for (i, which) in (0..steps.len()).flat_map(|i| (0..3).map(move |which| (i, which))) {
            let Some(wrong) = fault(steps, i, which) else { continue };
            all += 1;
            if check(*unit, &wrong, 3).is_err() {
                refused += 1;
            } else {
                println!("no fault: {i}, {} became {}", steps[i].row(), wrong[i].row());
            }
        }
    }
    (all, refused)
}

#[test]
fn dependent_steps_are_not_swapped() {
    // The first step that reads what a step has made comes before it.
    let swap = |steps: &[Step], i: usize, which: usize| {
        let to = steps[i].to.filter(|_| which == 0)?;
        let next = i + 1 + steps[i + 1..].iter().position(|step| step.reads().contains(&to))?;
        let sum = |step: &Step| {
            matches!(
                step.op,
                Op::Xor | Op::XorFrom(_) | Op::XorMade(_) | Op::Xor3 | Op::ChiFirst | Op::IotaPlane
            )
        };
        // The order of two sums into one register is free, chi being one for its first operand. And step 3 of the shear takes an
        // element that step 2 has left as it was.
        let sums = steps[next].to == Some(to) && sum(&steps[i]) && sum(&steps[next]);
        let sheared =
            steps[i].op == Op::Blend(2) && steps[next].op == Op::Blend(3) && steps[next].args[1] == to;
        if sums || sheared {
            return None;
        }
        let mut steps = steps.to_vec();
        let early = steps.remove(next);
        steps.insert(i, early);
        Some(steps)
    };
    let (all, refused) = refused(&tables(), swap);
    assert!(all >= 300, "{all}");
    assert_eq!(refused, all);
}

#[test]
fn wrong_rotations_are_refused() {
    let turn = |steps: &[Step], i: usize, which: usize| {
        let op = match steps[i].op {
            Op::Left(n) => Op::Left((n + 1 + 7 * which as u32) % 64),
            Op::Right(n) => Op::Right((n + 1 + 7 * which as u32) % 64),
            Op::Rol(n) => Op::Rol((n + 1 + 7 * which as u32) % 64),
            Op::Bytes(n) => Op::Bytes(64 - n),
            Op::Turn(r) => Op::Turn(r % 4 + 1),
            Op::Rho(f) => Op::Rho((f + 1) % 5),
            _ => return None,
        };
        let mut steps = steps.to_vec();
        steps[i].op = op;
        Some(steps)
    };
    let (all, refused) = refused(&tables(), turn);
    assert!(all >= 100, "{all}");
    assert_eq!(refused, all);
}

#[test]
fn wrong_registers_and_lanes_are_refused() {
    // An operand that is read is another register; one that is written, which nobody reads then, likewise.
    let registers = |steps: &[Step], i: usize, which: usize| {
        let mut steps = steps.to_vec();
        match which {
            0 => *steps[i].to.as_mut()? ^= 1,
            _ => *steps[i].args.get_mut(which - 1)? ^= 1,
        }
        Some(steps)
    };
    let (all, refused) = refused(&tables(), registers);
    assert!(all >= 400, "{all}");
    // Two registers may hold the same, one being a copy.
    assert!(all - refused <= all / 50, "{refused} of {all}");

    let lanes = |steps: &[Step], i: usize, which: usize| {
        let op = match steps[i].op {
            Op::XorFrom(lane) => Op::XorFrom((lane + 1 + which) % 25),
            Op::XorMade(lane) => Op::XorMade((lane + 5 + which) % 25),
            Op::Store(lane) => Op::Store((lane + 1 + which) % 25),
            _ => return None,
        };
        let mut steps = steps.to_vec();
        steps[i].op = op;
        Some(steps)
    };
    let (all, refused) = self::refused(&tables(), lanes);
    assert!(all >= 100, "{all}");
    assert_eq!(refused, all);
}

#[test]
fn missing_steps_are_refused() {
    let drop = |steps: &[Step], i: usize, which: usize| {
        let mut steps = steps.to_vec();
        let gone = steps.remove(i);
        (which == 0).then_some(steps).filter(|_| gone.op != Op::Copy || gone.args[0] != gone.to.unwrap_or(99))
    };
    let (all, refused) = refused(&tables(), drop);
    assert!(all >= 200, "{all}");
    assert_eq!(refused, all);
}

/// Whatever the search proposes is the round, and the same seed proposes the same.
#[test]
fn proposals_are_rounds() {
    for (_, unit) in Unit::ALL {
        let proposals = |seed: u64| -> Vec<Vec<Step>> {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut plan = Plan::clean(unit);
            let mut proposals = vec![plan.placed().expect("registers")];
            for turn in 0..300 {
                let changed = plan.changed(1 + turn % 8, &mut random);
                if let Some(placed) = changed.placed() {
                    proposals.push(placed);
                    plan = changed;
                }
                if unit != Unit::Plane {
                    proposals.extend(Plan::construct(unit, &mut random).and_then(|plan| plan.placed()));
                }
            }
            proposals
        };
        let first = proposals(1);
        assert!(first.len() > 100, "{}: {}", unit.name(), first.len());
        for steps in &first {
            check(unit, steps, 4).unwrap_or_else(|error| panic!("{}: {error}", unit.name()));
        }
        assert!(first == proposals(1) && first != proposals(2), "{}", unit.name());
    }
}

/// The machine code permutes: what is measured is what is checked.
#[test]
fn code_permutes() {
    let folder = std::env::temp_dir().join(format!("reorder-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    for (name, unit, steps) in tables() {
        if !unit.runs_here() {
            println!("SKIPPED: {name}: this machine has no such instructions");
            continue;
        }
        for encoding in unit.encodings() {
            let code = Code::new(&[function(unit, *encoding, &steps)], &folder);
            assert!(code.permutes(0, unit, *encoding, &mut Data::new()), "{name}, {}mm", encoding.width);
            // A step less, and it does not.
            let wrong = Code::new(&[function(unit, *encoding, &steps[1..])], &folder);
            assert!(!wrong.permutes(0, unit, *encoding, &mut Data::new()), "{name}, {}mm", encoding.width);
        }
    }
    std::fs::remove_dir_all(&folder).expect("a folder that can be removed");
}
