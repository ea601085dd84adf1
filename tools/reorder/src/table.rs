//! The tables in the tree: a macro each, which gives every step of a round to the macro that writes instructions.

use crate::keccak::{State, round};
use crate::step::{Machine, Op, Step, Word};
use crate::units::{Plan, Unit};

/// The file's text. `how` says how the order was found, in whole lines.
pub fn write(unit: Unit, steps: &[Step], name: &str, how: &str) -> String {
    let mut text: String = how.lines().map(|line| format!("// {line}\n")).collect();
    text += &format!("// unit: {}\n\n", unit.name());
    text += &format!("macro_rules! {name} {{\n    ($step:ident) => {{\n        concat!(\n");
    for step in steps {
        text += &format!("            $step!({}),", step.row());
        if !step.name.is_empty() {
            text += &format!(" // {}", step.name);
        }
        text += "\n";
    }
    text + &format!("        )\n    }};\n}}\npub(crate) use {name};\n")
}

/// The unit and the steps of a table.
pub fn read(text: &str) -> Result<(Unit, Vec<Step>), String> {
    let unit =
        text.lines().find_map(|line| line.strip_prefix("// unit: ")).ok_or("no line names the unit")?;
    let unit = Unit::named(unit.trim()).ok_or_else(|| format!("there is no unit {unit}"))?;
    let (_, body) = text.split_once("concat!(\n").ok_or("no macro concat!")?;
    let (body, _) = body.split_once("\n        )\n").ok_or("concat! has no end")?;
    let step = |line: &str| {
        let (row, note) = line.trim().split_once("),").unwrap_or((line, ""));
        let row = row.strip_prefix("$step!(").ok_or_else(|| format!("what is {line:?}?"))?;
        let mut step = Step::parse(row).ok_or_else(|| format!("no step is {row:?}"))?;
        step.name = note.trim().trim_start_matches("//").trim().into();
        Ok(step)
    };
    Ok((unit, body.lines().map(step).collect::<Result<_, String>>()?))
}

/// Runs the steps on random states, other ones in each slot, and compares with the round as the standard writes it.
pub fn check(unit: Unit, steps: &[Step], seed: u64) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    for turn in 0..64 {
        let states: [State; 8] = std::array::from_fn(|_| std::array::from_fn(|_| random.u64(..)));
        let constant = random.u64(..);
        // Registers hold anything at the beginning.
        let registers = (0..32).map(|_| std::array::from_fn(|_| random.u64(..))).collect();
        let from = std::array::from_fn(|lane| states.map(|state| state[lane]));
        let mut m = Machine { registers, from, made: [None; 25], constant };
        unit.begin(&mut m);
        for (i, step) in steps.iter().enumerate() {
            step.run(&mut m).map_err(|error| format!("step {i}, {}: {error}", step.row()))?;
        }
        let expected = states.map(|state| round(&state, constant));
        unit.end(&m, &expected).map_err(|error| format!("{error}, in turn {turn}"))?;
    }
    Ok(())
}

/// What each step makes of a random state: steps on values, or on registers.
fn results(unit: Unit, steps: &[Step], seed: u64) -> Result<Vec<(Op, Word)>, String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut word = || std::array::from_fn(|_| random.u64(..));
    let from = std::array::from_fn(|_| word());
    let registers = (0..512).map(|_| word()).collect();
    let mut m = Machine { registers, from, made: [None; 25], constant: random.u64(..) };
    unit.begin(&mut m);
    let mut results = Vec::new();
    for step in steps {
        step.run(&mut m)?;
        let op = match step.op {
            Op::ChiFirst | Op::ChiSecond | Op::ChiThird => Op::Chi,
            op => op,
        };
        results.push((op, step.to.map_or([0; 8], |to| m.registers[to])));
    }
    Ok(results)
}

/// The plan of a table, from what its steps make: a search can go on from there.
pub fn plan(unit: Unit, steps: &[Step]) -> Result<Plan, String> {
    let mut wanted = results(unit, steps, 1)?;
    wanted.retain(|(op, _)| *op != Op::Copy);
    let places = |plan: &Plan| -> Vec<Option<usize>> {
        let all = unit.steps(&plan.shape).0;
        let steps: Vec<Step> = plan.order.iter().map(|i| all[*i].clone()).collect();
        let made = results(unit, &steps, 1).expect("a plan is in order");
        wanted.iter().map(|one| made.iter().position(|own| own == one).map(|at| plan.order[at])).collect()
    };
    // The shape is that in which every step of the table is one of the round's.
    let mut random = fastrand::Rng::with_seed(1);
    let mut best = Plan::clean(unit);
    let mut found = places(&best).iter().flatten().count();
    for _ in 0..20_000 {
        if found == wanted.len() {
            break;
        }
        let mut next = best.clone();
        unit.reshape(&mut next.shape, &mut random);
        next.repair();
        let now = places(&next).iter().flatten().count();
        if now >= found {
            (best, found) = (next, now);
        }
    }
    let order = places(&best).into_iter().collect::<Option<Vec<usize>>>();
    let mut order = order.ok_or("the table is a round of no shape that is known here")?;
    let steps = unit.steps(&best.shape).0;
    order.extend((0..steps.len()).filter(|i| steps[*i].op == Op::Nothing));
    if order.len() != best.order.len() {
        return Err("the table has more steps than a round".into());
    }
    Ok(Plan { order, ..best })
}
