//! Eight or four states with AVX-512: 32 registers of one lane of each. Lane i is in register i before and after.

use super::{Round, Shape};
use crate::keccak::{pi_column, pi_lane, rho};
use crate::step::{Op, Step};

/// The steps on values, the lanes being values 0 to 24, and the lanes of the result.
pub fn steps(shape: &Shape) -> (Vec<Step>, Vec<usize>) {
    let rho = rho();
    let mut r = Round::new(25);
    let c: [usize; 5] = std::array::from_fn(|x| {
        let lanes = shape.columns[x].map(|y| x + 5 * y);
        let part = r.step(Op::Xor3, &lanes[..3], format!("l{x}"));
        r.step(Op::Xor3, &[part, lanes[3], lanes[4]], format!("c{x}"))
    });
    // Rotated sums, and D by itself, or its two parts for each lane: in an order in which there are registers.
    let (mut turned, mut d) = ([0; 5], [const { Vec::new() }; 5]);
    for name in ["r3", "r0", "d4", "r1", "d2", "r4", "d0", "r2", "d3", "d1"] {
        let x = usize::from(name.as_bytes()[1] - b'0');
        let parts = [c[(x + 4) % 5], turned[(x + 1) % 5]];
        match (name.starts_with('r'), shape.d[x]) {
            (true, _) => turned[x] = r.step(Op::Rol(1), &[c[x]], name.into()),
            (false, 0) => d[x] = vec![r.step(Op::Xor, &parts, name.into())],
            (false, _) => {
                d[x] = parts.to_vec();
                r.steps.push(Step::new(Op::Nothing, None, &[], ""));
            }
        }
    }
    let mut out = Vec::new();
    for y in 0..5 {
        let b: [usize; 5] = std::array::from_fn(|x| {
            let (lane, to) = (pi_lane(x, y), x + 5 * y);
            let t = match d[pi_column(x, y)][..] {
                [d] => r.step(Op::Xor, &[lane, d], format!("t{lane}")),
                [left, right] => r.step(Op::Xor3, &[left, right, lane], format!("t{lane}")),
                _ => unreachable!(),
            };
            match rho[lane] {
                0 => t,
                n => r.step(Op::Rol(n), &[t], format!("b{to}")),
            }
        });
        for x in 0..5 {
            let lane = x + 5 * y;
            let operands = [b[x], b[(x + 1) % 5], b[(x + 2) % 5]];
            if lane == 0 {
                let a = r.step(Op::Chi, &operands, "a0 without the constant".into());
                out.push(r.step(Op::Iota, &[a], "a0".into()));
            } else {
                out.push(r.step(Op::Chi, &operands, format!("a{lane}")));
            }
        }
    }
    (r.steps, out)
}
