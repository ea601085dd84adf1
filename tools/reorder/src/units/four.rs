//! Four states with AVX2: sixteen registers of one lane of each. The lanes are in memory before the round and after it, in
//! two places, and the sums of columns in registers 0 to 4.

use super::{Round, Shape};
use crate::keccak::{pi_column, pi_lane, rho};
use crate::step::{Op, Step};

/// The steps on values, the sums of columns being values 0 to 4, and the sums of the result. The numbers of steps do not
/// depend on the shape.
pub fn steps(shape: &Shape) -> (Vec<Step>, [usize; 5]) {
    let rho = rho();
    let mut r = Round::new(5);
    let d: [usize; 5] = std::array::from_fn(|x| {
        let (left, right) = ((x + 4) % 5, (x + 1) % 5);
        let low = r.step(Op::Double, &[right], format!("r{right} in part"));
        let high = r.step(Op::Right(63), &[right], format!("r{right} in part"));
        let (op, first, second, name) = match shape.d[x] {
            0 => (Op::Or, [low, high], left, format!("r{right}")),
            1 => (Op::Xor, [left, low], high, format!("d{x} in part")),
            _ => (Op::Xor, [left, high], low, format!("d{x} in part")),
        };
        let part = r.step(op, &first, name);
        r.step(Op::Xor, &[part, second], format!("d{x}"))
    });
    let mut out = [0; 25];
    for y in 0..5 {
        let b: [usize; 5] = std::array::from_fn(|x| {
            let (lane, to) = (pi_lane(x, y), x + 5 * y);
            let t = r.step(Op::XorFrom(lane), &[d[pi_column(x, y)]], format!("t{lane}"));
            match rho[lane] {
                0 => t,
                n @ (8 | 56) => r.step(Op::Bytes(n), &[t], format!("b{to}")),
                n => {
                    let left = if n == 1 { Op::Double } else { Op::Left(n) };
                    let left = r.step(left, &[t], format!("b{to} in part"));
                    let right = r.step(Op::Right(64 - n), &[t], format!("b{to} in part"));
                    r.step(Op::Or, &[left, right], format!("b{to}"))
                }
            }
        });
        for x in 0..5 {
            let lane = x + 5 * y;
            let and = r.step(Op::AndNot, &[b[(x + 1) % 5], b[(x + 2) % 5]], format!("a{lane} in part"));
            out[lane] = if lane == 0 {
                let constant = r.step(Op::Constant, &[], "the constant".into());
                let [first, second, last] = match shape.iota {
                    0 => [b[0], and, constant],
                    1 => [b[0], constant, and],
                    _ => [and, constant, b[0]],
                };
                let part = r.step(Op::Xor, &[first, second], "a0 in part".into());
                r.step(Op::Xor, &[part, last], "a0".into())
            } else {
                r.step(Op::Xor, &[b[x], and], format!("a{lane}"))
            };
            r.steps.push(Step::new(Op::Store(lane), None, &[out[lane]], ""));
        }
    }
    let sums = std::array::from_fn(|x| {
        let lane = |k: usize| x + 5 * shape.columns[x][k];
        (1..5).fold(out[lane(0)], |sum, k| {
            let name = if k < 4 { format!("l{x}") } else { format!("c{x}") };
            if shape.made[x][k] {
                r.step(Op::XorMade(lane(k)), &[sum], name)
            } else {
                r.step(Op::Xor, &[sum, out[lane(k)]], name)
            }
        })
    });
    (r.steps, sums)
}
