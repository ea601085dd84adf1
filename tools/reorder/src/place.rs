//! Registers for values.

use crate::step::{Op, Step};

/// Where values must be when a round begins and ends.
pub struct Homes {
    /// How many registers there are.
    pub registers: usize,
    /// A value at the beginning, one at the end, and the register of both.
    pub homes: Vec<(usize, usize, usize)>,
    /// Whether values may be copied to get there.
    pub copies: bool,
}

const END: usize = usize::MAX;

/// The steps on registers, copies among them where an instruction would overwrite what is still needed. `None` if there
/// are too few registers.
pub fn place(steps: &[&Step], homes: &Homes) -> Option<Vec<Step>> {
    let values = 1 + steps.iter().flat_map(|step| step.args.iter().chain(&step.to)).max()?;
    let (mut last, mut made) = (vec![0; values], vec![0; values]);
    for (at, step) in steps.iter().enumerate() {
        step.args.iter().for_each(|arg| last[*arg] = at);
        step.to.iter().for_each(|to| made[*to] = at);
    }
    // The home of a value at the end, and the value that is at home there.
    let (mut home, mut guest) = (vec![None; values], vec![None; homes.registers]);
    let mut register = vec![usize::MAX; values];
    let mut free = vec![true; homes.registers];
    for &(first, end, at) in &homes.homes {
        (home[end], guest[at], last[end]) = (Some(at), Some(end), END);
        register[first] = at;
        free[at] = false;
    }
    let mut placed = Vec::with_capacity(steps.len() + 32);
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| step.op != Op::Nothing) {
        let args: Vec<usize> = step.args.iter().map(|arg| register[*arg]).collect();
        let dying = |arg: &usize| last[*arg] == at;
        for arg in step.args.iter().filter(|arg| dying(arg)) {
            free[register[*arg]] = true;
        }
        let Some(value) = step.to else {
            placed.push(Step { args, ..(*step).clone() });
            continue;
        };
        // Without copies, a register serves as long as its guest is not there.
        let serves = |r: usize| {
            free[r]
                && match guest[r] {
                    Some(guest) if !homes.copies => guest == value || last[value] <= made[guest],
                    _ => true,
                }
        };
        let choose = |preferred: &dyn Fn(usize) -> bool| {
            if let Some(home) = home[value] {
                if serves(home) {
                    return Some(home);
                }
                if !homes.copies {
                    return None;
                }
            }
            let best = |r: &usize| match guest[*r] {
                Some(guest) if !homes.copies => made[guest],
                _ => END,
            };
            let mut serving = (0..homes.registers).filter(|r| serves(*r));
            serving
                .clone()
                .find(|r| preferred(*r))
                .or_else(|| if homes.copies { serving.next_back() } else { serving.min_by_key(best) })
        };
        let overwrites = matches!(step.op, Op::Xor3 | Op::Chi | Op::IotaPlane);
        if !overwrites {
            let to = choose(&|r| homes.copies && args.contains(&r))?;
            free[to] = false;
            register[value] = to;
            placed.push(Step { op: step.op, to: Some(to), args, name: step.name.clone() });
            continue;
        }
        // One that nobody needs any more, or a copy of the first.
        let which = (0..args.len()).rev().find(|i| dying(&step.args[*i]));
        let to = match which {
            Some(i) => args[i],
            None => {
                let to = choose(&|_| false)?;
                placed.push(Step::new(Op::Copy, Some(to), &args[..1], ""));
                to
            }
        };
        let which = which.unwrap_or(0);
        free[to] = false;
        register[value] = to;
        let op = match (step.op, which) {
            (Op::Chi, 0) => Op::ChiFirst,
            (Op::Chi, 1) => Op::ChiSecond,
            (Op::Chi, _) => Op::ChiThird,
            (op, _) => op,
        };
        let others = (0..args.len()).filter(|i| *i != which).map(|i| args[i]).collect();
        placed.push(Step { op, to: Some(to), args: others, name: step.name.clone() });
    }
    if homes.copies {
        go_home(&mut placed, &homes.homes, &mut register, &mut free)?;
    }
    Some(placed)
}

/// Copies every value to its home; where they go round, by way of a free register.
fn go_home(
    placed: &mut Vec<Step>,
    homes: &[(usize, usize, usize)],
    register: &mut [usize],
    free: &mut [bool],
) -> Option<()> {
    let mut away: Vec<(usize, usize)> = homes
        .iter()
        .map(|(_, end, home)| (*end, *home))
        .filter(|(end, home)| register[*end] != *home)
        .collect();
    let mut copy = |value: usize, to: usize, register: &mut [usize], free: &mut [bool]| {
        placed.push(Step::new(Op::Copy, Some(to), &[register[value]], ""));
        free[register[value]] = true;
        free[to] = false;
        register[value] = to;
    };
    while !away.is_empty() {
        if let Some(i) = away.iter().position(|(_, home)| free[*home]) {
            let (value, home) = away.remove(i);
            copy(value, home, register, free);
        } else {
            let to = free.iter().position(|free| *free)?;
            copy(away[0].0, to, register, free);
        }
    }
    Some(())
}
