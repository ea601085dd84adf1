//! Orders under the dependencies, and the way from one to a better one.

use std::collections::HashMap;

use crate::judge::Judge;
use crate::keccak::pi_lane;
use crate::place::place;
use crate::step::{Op, Step};
use crate::units::{Plan, Shape, Unit};

/// Of each step, which must come before it: by the values, and by what goes through memory.
fn dependencies(steps: &[Step]) -> Vec<Vec<usize>> {
    let makers: HashMap<usize, usize> =
        steps.iter().enumerate().filter_map(|(i, step)| Some((step.to?, i))).collect();
    let before = |step: &Step| -> Vec<usize> {
        let mut before: Vec<usize> = step.args.iter().filter_map(|arg| makers.get(arg).copied()).collect();
        if let Op::XorMade(lane) = step.op {
            before.extend(steps.iter().position(|step| step.op == Op::Store(lane)));
        }
        before
    };
    steps.iter().map(before).collect()
}

impl Plan {
    /// The order of the standard.
    pub fn clean(unit: Unit) -> Self {
        let shape = Shape::clean();
        let order = unit.clean_order(&unit.steps(&shape).0);
        Self { unit, shape, order }
    }

    /// The steps on registers, if there are enough.
    pub fn placed(&self) -> Option<Vec<Step>> {
        let (steps, homes) = self.unit.steps(&self.shape);
        place(&self.order.iter().map(|i| &steps[*i]).collect::<Vec<_>>(), &homes)
    }

    /// Puts the steps into an order that the dependencies allow, each as early as it stands now.
    pub fn repair(&mut self) {
        let (steps, _) = self.unit.steps(&self.shape);
        let before = dependencies(&steps);
        let mut done = vec![false; steps.len()];
        let mut order = Vec::with_capacity(steps.len());
        fn visit(i: usize, before: &[Vec<usize>], done: &mut [bool], order: &mut Vec<usize>) {
            if !std::mem::replace(&mut done[i], true) {
                before[i].iter().for_each(|before_i| visit(*before_i, before, done, order));
                order.push(i);
            }
        }
        // What is needed comes right before what needs it.
        self.order.iter().for_each(|i| visit(*i, &before, &mut done, &mut order));
        self.order = order;
    }

    /// One to `most` changes: a few steps in a row to another place, or another shape.
    pub fn changed(&self, most: usize, random: &mut fastrand::Rng) -> Self {
        let mut plan = self.clone();
        let n = plan.order.len();
        for _ in 0..random.usize(1..=most) {
            if random.u8(..6) == 0 {
                plan.unit.reshape(&mut plan.shape, random);
                plan.repair();
                continue;
            }
            let (steps, _) = plan.unit.steps(&plan.shape);
            let before = dependencies(&steps);
            let length = 1 + random.usize(..4).min(random.usize(..4));
            let at = random.usize(..n - length);
            let block: Vec<usize> = plan.order.drain(at..at + length).collect();
            // The places where the block may stand: after what it needs, and before what needs it.
            let needed = |i: &usize| block.iter().any(|j| before[*j].contains(i));
            let needing = |i: &usize| before[*i].iter().any(|j| block.contains(j));
            let low = plan.order[..at].iter().rposition(needed).map_or(0, |i| i + 1);
            let high = at + plan.order[at..].iter().position(needing).unwrap_or(n - length - at);
            let reach = [4, 16, 64, n][random.usize(..4)];
            let to = random.usize(low.max(at.saturating_sub(reach))..=high.min(at + reach));
            plan.order.splice(to..to, block);
        }
        plan
    }
}

/// Weights of the rules by which an order is constructed. What comes first is what has the least key: the place of its row and
/// column, and a delay by what it makes.
struct Weights {
    row: f64,
    column: f64,
    /// Delays of chi, of the sums after it, and of stores.
    chi: f64,
    sum: f64,
    store: f64,
    noise: f64,
    /// What it costs to have a shift, if there was one among the last steps, and how many these are.
    shift: (f64, usize),
    /// What it costs for each step that an operand is younger than this number of steps.
    fresh: (f64, usize),
    /// What a register costs when all are taken.
    register: f64,
}

impl Weights {
    fn random(random: &mut fastrand::Rng) -> Self {
        let mut up_to = |most: f64| random.f64() * most;
        Self {
            row: 4.0 + up_to(12.0),
            column: up_to(3.0),
            chi: up_to(10.0),
            sum: up_to(15.0),
            store: up_to(5.0),
            noise: up_to(4.0),
            shift: (up_to(6.0), 1 + up_to(3.0) as usize),
            fresh: (up_to(3.0), 1 + up_to(6.0) as usize),
            register: up_to(4.0),
        }
    }
}

/// A random shape. Where lanes can be read again, the sums of columns begin with a later row and take those before from
/// memory: until then they take no register.
fn random_shape(unit: Unit, rows: &[usize; 5], random: &mut fastrand::Rng) -> Shape {
    let mut shape = Shape::clean();
    let usual = random.usize(..5).min(3);
    for x in (0..5).filter(|_| unit == Unit::Four) {
        let late = if random.u8(..4) == 0 { random.usize(..4) } else { usual };
        let mut column = *rows;
        column[..=late].rotate_right(1);
        shape.columns[x] = column;
        shape.made[x] = std::array::from_fn(|k| k >= 1 && k <= late);
    }
    for d in &mut shape.d {
        *d = random.u8(..if unit == Unit::Four { 3 } else { 2 });
    }
    shape.iota = random.u8(..3);
    shape
}

/// The keys of steps. What a step makes is told by its name: c, a sum of a column, and l, a part of it; r, one that is rotated;
/// d, D of a column; t, a lane with its D; b, a lane after rho and pi; a, a lane of the new state.
fn keys(
    unit: Unit,
    steps: &[Step],
    rows: &[usize; 5],
    weights: &Weights,
    random: &mut fastrand::Rng,
) -> Vec<f64> {
    let mut columns = [0, 1, 2, 3, 4];
    random.shuffle(&mut columns);
    let place = |lane: usize| {
        let row = rows.iter().position(|row| *row == lane / 5).unwrap_or(0);
        row as f64 * weights.row + columns[lane % 5] as f64 * weights.column
    };
    let number = |step: &Step| {
        let digits: String = step.name.chars().skip(1).take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(0)
    };
    let (before_all, first) = (-30.0, -20.0);
    let mut lane = 0.0;
    let mut key = |step: &Step| match (step.op, step.name.chars().next()) {
        (Op::Constant, _) => place(0) + weights.chi,
        (Op::Store(lane), _) => place(lane) + weights.chi + weights.store,
        (_, Some('d' | 'r')) => first + place(number(step) % 5),
        (_, Some('t')) => {
            // The place where rho and pi will bring it; what follows in the list is its rotation.
            let to = (0..25).find(|i| pi_lane(i % 5, i / 5) == number(step));
            lane = place(to.expect("a lane"));
            lane
        }
        (_, Some('b')) => lane + 1.0,
        (_, Some('a')) => place(number(step)) + weights.chi,
        (_, Some('l' | 'c')) if unit == Unit::Four => {
            let last = match step.op {
                Op::XorMade(lane) => lane,
                _ => steps.iter().find(|made| made.to == Some(step.args[1])).map_or(24, number),
            };
            place(last) + weights.chi + weights.sum
        }
        _ => before_all + place(number(step) % 5),
    };
    let exact: Vec<f64> = steps.iter().map(&mut key).collect();
    exact.into_iter().map(|key| key + random.f64() * weights.noise).collect()
}

impl Plan {
    /// A new order by rules with random weights. `None` if it comes to a point where registers are lacking.
    pub fn construct(unit: Unit, random: &mut fastrand::Rng) -> Option<Self> {
        let mut rows = [0, 1, 2, 3, 4];
        if random.bool() {
            random.shuffle(&mut rows);
        }
        let shape = random_shape(unit, &rows, random);
        let weights = Weights::random(random);
        let (steps, homes) = unit.steps(&shape);
        let keys = keys(unit, &steps, &rows, &weights, random);
        let before = dependencies(&steps);
        let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
        let mut after = vec![Vec::new(); steps.len()];
        for (i, before) in before.iter().enumerate() {
            before.iter().for_each(|needed| after[*needed].push(i));
        }
        // How often a value is still to be read, when it was made, and how many have a register.
        let values = 1 + steps.iter().filter_map(|step| step.to).max()?;
        let (mut uses, mut made, mut live) = (vec![0; values], vec![None; values], homes.homes.len());
        steps.iter().flat_map(|step| &step.args).for_each(|arg| uses[*arg] += 1);
        homes.homes.iter().for_each(|(_, end, _)| uses[*end] += 1);
        let mut ready: Vec<usize> = (0..steps.len()).filter(|i| missing[*i] == 0).collect();
        let mut order = Vec::with_capacity(steps.len());
        let is_shift =
            |i: usize| matches!(steps[i].op, Op::Left(_) | Op::Right(_) | Op::Bytes(_) | Op::Rol(_));
        while !ready.is_empty() {
            let shifts = order.iter().rev().take(weights.shift.1).filter(|i| is_shift(**i)).count();
            let dying = |step: &Step| {
                let last = |arg: &usize| uses[*arg] == step.args.iter().filter(|other| *other == arg).count();
                let mut args = step.args.clone();
                args.dedup();
                args.iter().filter(|arg| last(arg)).count()
            };
            let rate = |i: usize| {
                let step = &steps[i];
                let more = step.to.is_some() as isize - dying(step) as isize;
                if live as isize + more > homes.registers as isize {
                    return None;
                }
                let ages = step.args.iter().filter_map(|arg| made[*arg]).map(|at: usize| order.len() - at);
                let young = (1 + weights.fresh.1).saturating_sub(ages.min().unwrap_or(usize::MAX));
                let shift = if is_shift(i) { weights.shift.0 * shifts as f64 } else { 0.0 };
                let full = live as f64 / homes.registers as f64;
                Some(keys[i] + shift + weights.fresh.0 * young as f64 + weights.register * full * more as f64)
            };
            let rated = ready.iter().enumerate().filter_map(|(slot, i)| Some((rate(*i)?, slot)));
            let (_, slot) = rated.min_by(|a, b| a.0.total_cmp(&b.0))?;
            let i = ready.swap_remove(slot);
            live -= dying(&steps[i]);
            steps[i].args.iter().for_each(|arg| uses[*arg] -= 1);
            if let Some(to) = steps[i].to {
                live += 1;
                made[to] = Some(order.len());
            }
            order.push(i);
            for next in &after[i] {
                missing[*next] -= 1;
                if missing[*next] == 0 {
                    ready.push(*next);
                }
            }
        }
        Some(Self { unit, shape, order })
    }
}

/// Changes that have registers, from which a search may choose.
fn neighbours(plan: &Plan, count: usize, most: usize, random: &mut fastrand::Rng) -> Vec<Plan> {
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let changed = plan.changed(most, random);
        if changed.placed().is_some() {
            found.push(changed);
        }
    }
    found
}

/// How long to search.
pub struct Effort {
    /// Batches of orders that are constructed, and of changes to the best of them.
    pub constructed: usize,
    pub turns: usize,
    /// How many go on from what was constructed, before the best of them goes on alone.
    pub starts: usize,
}

const BATCH: usize = 32;

/// Searches from the clean order, or from one that is given. The same seed makes the same proposals; by a model it makes
/// the same order.
pub fn search(from: Plan, judge: &mut Judge, random: &mut fastrand::Rng, effort: &Effort) -> Plan {
    let (unit, clean) = (from.unit, Plan::clean(from.unit));
    let mut pool = vec![(1.0, from)];
    for _ in 0..effort.constructed {
        let mut plans = vec![clean.clone()];
        while plans.len() < BATCH {
            plans.extend(Plan::construct(unit, random).filter(|plan| plan.placed().is_some()));
        }
        let cycles = judge.cycles(unit, &placed(&plans), 20);
        let rated = plans.into_iter().zip(&cycles).skip(1).map(|(plan, own)| (own / cycles[0], plan));
        pool.extend(rated);
        pool.sort_by(|a, b| a.0.total_cmp(&b.0));
        pool.truncate(effort.starts.max(1));
    }
    eprintln!(
        "constructed: {:.3?} of the clean order",
        pool.iter().map(|(rate, _)| rate).collect::<Vec<_>>()
    );
    let mut plans: Vec<Plan> = pool.into_iter().map(|(_, plan)| plan).collect();
    // Each for a while, then the better half of them for longer.
    let rounds = plans.len().ilog2() as usize + 1;
    for round in 0..rounds {
        let turns = effort.turns / rounds / plans.len();
        plans.iter_mut().for_each(|plan| *plan = climb(plan, judge, random, turns));
        let mut all = plans.clone();
        all.push(clean.clone());
        let cycles = judge.cycles(unit, &placed(&all), 300);
        let mut rated: Vec<(f64, Plan)> = cycles.iter().copied().zip(plans).collect();
        rated.sort_by(|a, b| a.0.total_cmp(&b.0));
        let shown: Vec<f64> = rated.iter().map(|(own, _)| *own).collect();
        eprintln!(
            "{} of {rounds}: {shown:.2?} cycles; the clean order {:.2}",
            round + 1,
            cycles[rated.len()]
        );
        rated.truncate(rated.len().div_ceil(2));
        plans = rated.into_iter().map(|(_, plan)| plan).collect();
    }
    plans.swap_remove(0)
}

fn placed(plans: &[Plan]) -> Vec<Vec<Step>> {
    plans.iter().map(|plan| plan.placed().expect("registers, as before")).collect()
}

/// Takes the best of a batch of changes if it is still better when only the two are compared.
fn climb(plan: &Plan, judge: &mut Judge, random: &mut fastrand::Rng, turns: usize) -> Plan {
    let (mut plan, unit, mut vain) = (plan.clone(), plan.unit, 0);
    for _ in 0..turns {
        let mut plans = vec![plan.clone()];
        plans.extend(neighbours(&plan, BATCH - 1, 1 + vain % 8, random));
        let orders = placed(&plans);
        let cycles = judge.cycles(unit, &orders, 30);
        let best = (0..plans.len()).min_by(|a, b| cycles[*a].total_cmp(&cycles[*b])).expect("a plan");
        vain += 1;
        if best > 0 {
            let two = judge.cycles(unit, &[orders[0].clone(), orders[best].clone()], 150);
            // Where it makes no difference, go on from the new one: a model has wide plains.
            if two[1] <= two[0] {
                if two[1] < two[0] {
                    vain = 0;
                }
                plan = plans.swap_remove(best);
            }
        }
    }
    plan
}
