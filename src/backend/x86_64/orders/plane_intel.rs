// Written by tools/reorder, whose README.md says how: an order and registers that a search has found.
// reorder search plane --seed 2 --core here,skylake-avx512,sapphirerapids --constructed 0 --turns 250 --starts 1 --from plane.rs
// unit: plane

macro_rules! plane_intel {
    ($step:ident) => {
        concat!(
            $step!(copy 22 = 3),
            $step!(xor3 22 = 4, 0), // low
            $step!(blend1 21 = 0, 1), // x0
            $step!(xor3 22 = 1, 2), // c
            $step!(rol 20 = 22, 1), // right, not turned
            $step!(blend1 19 = 3, 4), // x3
            $step!(blend2 18 = 19, 21), // y3
            $step!(blend1 0 = 4, 0), // x4
            $step!(blend1 1 = 1, 2), // x1
            $step!(turn 20 = 20, 1), // right
            $step!(blend1 2 = 2, 3), // x2
            $step!(turn 22 = 22, 4), // left
            $step!(blend2 17 = 2, 0), // y2
            $step!(blend3 16 = 18, 17), // z3
            $step!(blend2 2 = 21, 2), // y0
            $step!(blend2 19 = 1, 19), // y1
            $step!(blend2 0 = 0, 1), // y4
            $step!(blend3 21 = 2, 0), // z0
            $step!(blend3 17 = 17, 19), // z2
            $step!(xor3 21 = 22, 20), // q0
            $step!(blend3 2 = 19, 2), // z1
            $step!(blend3 0 = 0, 18), // z4
            $step!(xor3 16 = 22, 20), // q3
            $step!(xor3 2 = 22, 20), // q1
            $step!(rho 21 = 21, 0), // v0
            $step!(rho 16 = 16, 3), // v3
            $step!(turn 19 = 21, 2), // b0 from 2 on
            $step!(turn 18 = 21, 1), // b0 from 1 on
            $step!(iota 21), // b0 with the constant
            $step!(xor3 0 = 22, 20), // q4
            $step!(xor3 17 = 22, 20), // q2
            $step!(rho 17 = 17, 2), // v2
            $step!(chi_third 19 = 21, 18), // a0
            $step!(rho 0 = 0, 4), // v4
            $step!(rho 2 = 2, 1), // v1
            $step!(turn 22 = 17, 3), // b1
            $step!(turn 21 = 16, 3), // b4 from 1 on
            $step!(turn 20 = 16, 2), // b4
            $step!(turn 16 = 16, 4), // b4 from 2 on
            $step!(turn 18 = 17, 4), // b1 from 1 on
            $step!(turn 15 = 2, 1), // b3 from 2 on
            $step!(turn 14 = 2, 4), // b3
            $step!(turn 13 = 0, 2), // b2 from 1 on
            $step!(chi_third 16 = 20, 21), // a4
            $step!(turn 21 = 0, 1), // b2
            $step!(chi_third 15 = 14, 2), // a3
            $step!(chi_third 17 = 22, 18), // a1
            $step!(turn 0 = 0, 3), // b2 from 2 on
            $step!(chi_third 0 = 21, 13), // a2
            $step!(copy 1 = 17),
            $step!(copy 2 = 0),
            $step!(copy 0 = 19),
            $step!(copy 3 = 15),
            $step!(copy 4 = 16),
        )
    };
}
pub(crate) use plane_intel;
