//! One state with AVX-512, a plane a register: planes 0 to 4 in registers 0 to 4 before and after. What the steps are and
//! why is said in the library's `x86_64/avx512/rounds.rs`.

use super::{Round, Shape};
use crate::step::{Op, Step};

/// The steps on values, the planes being values 0 to 4, and the planes of the result.
pub fn steps(shape: &Shape) -> (Vec<Step>, Vec<usize>) {
    let mut r = Round::new(5);
    let planes = shape.columns[0];
    let low = r.step(Op::Xor3, &planes[..3], "low".into());
    let c = r.step(Op::Xor3, &[low, planes[3], planes[4]], "c".into());
    let right = if shape.d[0] == 0 {
        let right = r.step(Op::Turn(1), &[c], "right, not rotated".into());
        r.step(Op::Rol(1), &[right], "right".into())
    } else {
        let right = r.step(Op::Rol(1), &[c], "right, not turned".into());
        r.step(Op::Turn(1), &[right], "right".into())
    };
    let left = r.step(Op::Turn(4), &[c], "left".into());
    let x: [usize; 5] = std::array::from_fn(|f| r.step(Op::Blend(1), &[f, (f + 1) % 5], format!("x{f}")));
    let y: [usize; 5] =
        std::array::from_fn(|f| r.step(Op::Blend(2), &[x[f], x[(f + 2) % 5]], format!("y{f}")));
    let z: [usize; 5] =
        std::array::from_fn(|f| r.step(Op::Blend(3), &[y[f], y[(f + 4) % 5]], format!("z{f}")));
    let mut out = vec![0; 5];
    for (f, z) in z.into_iter().enumerate() {
        let q = r.step(Op::Xor3, &[left, right, z], format!("q{f}"));
        let v = r.step(Op::Rho(f), &[q], format!("v{f}"));
        let row = 3 * f % 5;
        let mut turned = |from: usize| match (5 + from - f) % 5 {
            0 => v,
            n => {
                let name = if from == 0 { format!("b{row}") } else { format!("b{row} from {from} on") };
                r.step(Op::Turn(n), &[v], name)
            }
        };
        let [mut b, b1, b2] = [0, 1, 2].map(&mut turned);
        if f == 0 && shape.iota == 1 {
            b = r.step(Op::IotaPlane, &[b], "b0 with the constant".into());
        }
        let iota_after = f == 0 && shape.iota != 1;
        let name = if iota_after { "a0 without the constant".into() } else { format!("a{row}") };
        out[row] = r.step(Op::Chi, &[b, b1, b2], name);
        if iota_after {
            out[row] = r.step(Op::IotaPlane, &[out[row]], "a0".into());
        }
    }
    (r.steps, out)
}
