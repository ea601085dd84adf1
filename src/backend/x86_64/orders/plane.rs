// An order and registers that a search on a Zen 5 core has found, before there was tools/reorder. That reads and checks
// the table: see its README.md.
// unit: plane

macro_rules! plane {
    ($step:ident) => {
        concat!(
            $step!(copy 5 = 0),
            $step!(xor3 5 = 3, 4), // low
            $step!(blend1 6 = 3, 4), // x3
            $step!(xor3 5 = 1, 2), // c
            $step!(blend1 7 = 1, 2), // x1
            $step!(blend1 1 = 0, 1), // x0
            $step!(turn 8 = 5, 1), // right, not rotated
            $step!(rol 8 = 8, 1), // right
            $step!(blend2 9 = 6, 1), // y3
            $step!(blend1 2 = 2, 3), // x2
            $step!(blend1 4 = 4, 0), // x4
            $step!(blend2 10 = 2, 4), // y2
            $step!(blend3 11 = 9, 10), // z3
            $step!(blend2 6 = 7, 6), // y1
            $step!(turn 5 = 5, 4), // left
            $step!(blend2 1 = 1, 2), // y0
            $step!(blend2 4 = 4, 7), // y4
            $step!(blend3 12 = 1, 4), // z0
            $step!(blend3 1 = 6, 1), // z1
            $step!(xor3 12 = 5, 8), // q0
            $step!(xor3 11 = 5, 8), // q3
            $step!(rho 12 = 12, 0), // v0
            $step!(turn 13 = 12, 2), // b0 from 2 on
            $step!(xor3 1 = 5, 8), // q1
            $step!(blend3 4 = 4, 9), // z4
            $step!(blend3 10 = 10, 6), // z2
            $step!(xor3 4 = 5, 8), // q4
            $step!(xor3 10 = 5, 8), // q2
            $step!(rho 11 = 11, 3), // v3
            $step!(rho 1 = 1, 1), // v1
            $step!(turn 14 = 12, 1), // b0 from 1 on
            $step!(rho 10 = 10, 2), // v2
            $step!(rho 4 = 4, 4), // v4
            $step!(turn 15 = 11, 4), // b4 from 2 on
            $step!(turn 16 = 11, 3), // b4 from 1 on
            $step!(turn 11 = 11, 2), // b4
            $step!(turn 17 = 1, 1), // b3 from 2 on
            $step!(turn 18 = 1, 4), // b3
            $step!(turn 19 = 10, 4), // b1 from 1 on
            $step!(turn 20 = 4, 2), // b2 from 1 on
            $step!(turn 21 = 10, 3), // b1
            $step!(turn 22 = 4, 3), // b2 from 2 on
            $step!(turn 4 = 4, 1), // b2
            $step!(chi_first 12 = 14, 13), // a0 without the constant
            $step!(iota 12), // a0
            $step!(chi_first 18 = 1, 17), // a3
            $step!(chi_first 11 = 16, 15), // a4
            $step!(chi_first 21 = 19, 10), // a1
            $step!(chi_first 4 = 20, 22), // a2
            $step!(copy 0 = 12),
            $step!(copy 1 = 21),
            $step!(copy 2 = 4),
            $step!(copy 3 = 18),
            $step!(copy 4 = 11),
        )
    };
}
pub(crate) use plane;
