// Written by tools/reorder, whose README.md says how: an order and registers that a search has found.
// reorder search plane --seed 3 --core here --constructed 0 --turns 1500 --starts 8 --from plane.rs
// unit: plane

macro_rules! plane_intel {
    ($step:ident) => {
        concat!(
            $step!(blend1 22 = 1, 2), // x1
            $step!(copy 21 = 4),
            $step!(xor3 21 = 0, 3), // low
            $step!(blend1 20 = 0, 1), // x0
            $step!(xor3 1 = 21, 2), // c
            $step!(blend1 2 = 2, 3), // x2
            $step!(blend1 0 = 4, 0), // x4
            $step!(blend1 3 = 3, 4), // x3
            $step!(rol 21 = 1, 1), // right, not turned
            $step!(blend2 19 = 2, 0), // y2
            $step!(blend2 0 = 0, 22), // y4
            $step!(turn 21 = 21, 1), // right
            $step!(blend2 18 = 3, 20), // y3
            $step!(blend2 2 = 20, 2), // y0
            $step!(turn 1 = 1, 4), // left
            $step!(blend3 20 = 18, 19), // z3
            $step!(xor3 20 = 1, 21), // q3
            $step!(blend2 3 = 22, 3), // y1
            $step!(rho 20 = 20, 3), // v3
            $step!(blend3 22 = 2, 0), // z0
            $step!(blend3 2 = 3, 2), // z1
            $step!(xor3 2 = 1, 21), // q1
            $step!(xor3 22 = 1, 21), // q0
            $step!(turn 17 = 20, 2), // b4
            $step!(rho 2 = 2, 1), // v1
            $step!(rho 22 = 22, 0), // v0
            $step!(turn 16 = 2, 4), // b3
            $step!(blend3 0 = 0, 18), // z4
            $step!(turn 18 = 22, 2), // b0 from 2 on
            $step!(turn 15 = 22, 1), // b0 from 1 on
            $step!(turn 14 = 20, 4), // b4 from 2 on
            $step!(xor3 0 = 1, 21), // q4
            $step!(turn 20 = 20, 3), // b4 from 1 on
            $step!(rho 0 = 0, 4), // v4
            $step!(turn 13 = 0, 3), // b2 from 2 on
            $step!(turn 12 = 2, 1), // b3 from 2 on
            $step!(blend3 3 = 19, 3), // z2
            $step!(turn 19 = 0, 2), // b2 from 1 on
            $step!(turn 0 = 0, 1), // b2
            $step!(xor3 3 = 1, 21), // q2
            $step!(rho 3 = 3, 2), // v2
            $step!(turn 21 = 3, 4), // b1 from 1 on
            $step!(turn 11 = 3, 3), // b1
            $step!(chi_third 18 = 22, 15), // a0 without the constant
            $step!(chi_third 3 = 11, 21), // a1
            $step!(chi_third 12 = 16, 2), // a3
            $step!(iota 18), // a0
            $step!(chi_third 14 = 17, 20), // a4
            $step!(chi_third 13 = 0, 19), // a2
            $step!(copy 0 = 18),
            $step!(copy 1 = 3),
            $step!(copy 2 = 13),
            $step!(copy 3 = 12),
            $step!(copy 4 = 14),
        )
    };
}
pub(crate) use plane_intel;
