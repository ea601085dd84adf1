// Written by tools/reorder, whose README.md says how: an order and registers that a search has found.
// reorder search four --seed 1 --core skylake,alderlake --constructed 8 --turns 30 --starts 2
// unit: four

macro_rules! four_intel {
    ($step:ident) => {
        concat!(
            $step!(double 5 = 2), // r2 in part
            $step!(right 6 = 0, 63), // r0 in part
            $step!(double 7 = 3), // r3 in part
            $step!(double 8 = 4), // r4 in part
            $step!(right 9 = 3, 63), // r3 in part
            $step!(double 10 = 0), // r0 in part
            $step!(double 11 = 1), // r1 in part
            $step!(right 12 = 4, 63), // r4 in part
            $step!(right 13 = 1, 63), // r1 in part
            $step!(xor 1 = 1, 9), // d2 in part
            $step!(or 6 = 10, 6), // r0
            $step!(right 9 = 2, 63), // r2 in part
            $step!(or 8 = 8, 12), // r4
            $step!(or 10 = 11, 13), // r1
            $step!(xor 1 = 1, 7), // d2
            $step!(xor 3 = 6, 3), // d4
            $step!(xor 0 = 0, 9), // d1 in part
            $step!(xor 2 = 8, 2), // d3
            $step!(xor_from 6 = 1, 2), // t2
            $step!(xor 4 = 10, 4), // d0
            $step!(xor_from 7 = 3, 14), // t14
            $step!(xor_from 8 = 1, 17), // t17
            $step!(xor 0 = 0, 5), // d1
            $step!(xor_from 5 = 2, 8), // t8
            $step!(right 9 = 6, 2), // b20 in part
            $step!(left 6 = 6, 62), // b20 in part
            $step!(xor_from 10 = 4, 15), // t15
            $step!(right 11 = 7, 25), // b22 in part
            $step!(left 7 = 7, 39), // b22 in part
            $step!(xor_from 12 = 0, 21), // t21
            $step!(or 6 = 6, 9), // b20
            $step!(right 9 = 5, 9), // b21 in part
            $step!(left 5 = 5, 55), // b21 in part
            $step!(or 7 = 7, 11), // b22
            $step!(left 11 = 10, 41), // b23 in part
            $step!(right 10 = 10, 23), // b23 in part
            $step!(right 13 = 12, 62), // b24 in part
            $step!(left 12 = 12, 2), // b24 in part
            $step!(or 5 = 5, 9), // b21
            $step!(or 9 = 11, 10), // b23
            $step!(xor_from 10 = 3, 4), // t4
            $step!(or 11 = 12, 13), // b24
            $step!(xor_from 12 = 4, 5), // t5
            $step!(xor_from 13 = 0, 11), // t11
            $step!(and_not 14 = 6, 5), // a24 in part
            $step!(and_not 15 = 5, 7), // a20 in part
            $step!(xor 14 = 11, 14), // a24
            $step!(xor 15 = 6, 15), // a20
            $step!(and_not 6 = 11, 6), // a23 in part
            $step!(and_not 11 = 9, 11), // a22 in part
            $step!(store 14, 24),
            $step!(and_not 14 = 7, 9), // a21 in part
            $step!(store 15, 20),
            $step!(xor 6 = 9, 6), // a23
            $step!(xor 7 = 7, 11), // a22
            $step!(xor_from 9 = 2, 23), // t23
            $step!(xor 5 = 5, 14), // a21
            $step!(left 11 = 10, 27), // b15 in part
            $step!(right 10 = 10, 37), // b15 in part
            $step!(store 6, 23),
            $step!(store 7, 22),
            $step!(left 6 = 8, 15), // b18 in part
            $step!(store 5, 21),
            $step!(bytes 5 = 9, 56), // b19
            $step!(or 7 = 11, 10), // b15
            $step!(right 8 = 8, 49), // b18 in part
            $step!(right 9 = 13, 54), // b17 in part
            $step!(left 10 = 13, 10), // b17 in part
            $step!(left 11 = 12, 36), // b16 in part
            $step!(right 12 = 12, 28), // b16 in part
            $step!(or 6 = 6, 8), // b18
            $step!(and_not 8 = 5, 7), // a18 in part
            $step!(or 9 = 10, 9), // b17
            $step!(or 10 = 11, 12), // b16
            $step!(xor_from 11 = 0, 1), // t1
            $step!(xor_from 12 = 1, 7), // t7
            $step!(xor_from 13 = 3, 19), // t19
            $step!(and_not 14 = 6, 5), // a17 in part
            $step!(xor 8 = 6, 8), // a18
            $step!(and_not 6 = 9, 6), // a16 in part
            $step!(and_not 15 = 10, 9), // a15 in part
            $step!(xor 9 = 9, 14), // a17
            $step!(and_not 14 = 7, 10), // a19 in part
            $step!(bytes 13 = 13, 8), // b13
            $step!(store 8, 18),
            $step!(xor 6 = 10, 6), // a16
            $step!(xor 7 = 7, 15), // a15
            $step!(store 9, 17),
            $step!(double 8 = 11), // b10 in part
            $step!(right 9 = 11, 63), // b10 in part
            $step!(xor 5 = 5, 14), // a19
            $step!(xor_from 10 = 4, 20), // t20
            $step!(xor_from 11 = 2, 13), // t13
            $step!(store 6, 16),
            $step!(store 7, 15),
            $step!(right 6 = 12, 58), // b11 in part
            $step!(store 5, 19),
            $step!(left 5 = 12, 6), // b11 in part
            $step!(left 7 = 10, 18), // b14 in part
            $step!(right 10 = 10, 46), // b14 in part
            $step!(left 12 = 11, 25), // b12 in part
            $step!(or 5 = 5, 6), // b11
            $step!(right 6 = 11, 39), // b12 in part
            $step!(or 8 = 8, 9), // b10
            $step!(or 7 = 7, 10), // b14
            $step!(xor_from 9 = 0, 16), // t16
            $step!(or 6 = 12, 6), // b12
            $step!(xor_from 10 = 2, 3), // t3
            $step!(xor_from 11 = 1, 22), // t22
            $step!(xor_from 12 = 4, 10), // t10
            $step!(and_not 14 = 8, 5), // a14 in part
            $step!(and_not 15 = 13, 7), // a12 in part
            $step!(xor_from 4 = 4, 0), // t0
            $step!(xor_from 2 = 2, 18), // t18
            $step!(xor 14 = 7, 14), // a14
            $step!(and_not 7 = 7, 8), // a13 in part
            $step!(xor 15 = 6, 15), // a12
            $step!(xor_from 0 = 0, 6), // t6
            $step!(xor_from 1 = 1, 12), // t12
            $step!(store 14, 14),
            $step!(xor_made 14 = 14, 24), // l4
            $step!(xor 7 = 13, 7), // a13
            $step!(and_not 13 = 6, 13), // a11 in part
            $step!(and_not 6 = 5, 6), // a10 in part
            $step!(store 15, 12),
            $step!(xor_made 15 = 15, 22), // l2
            $step!(xor 5 = 5, 13), // a11
            $step!(xor_made 13 = 7, 23), // l3
            $step!(store 7, 13),
            $step!(xor 6 = 8, 6), // a10
            $step!(xor_made 7 = 14, 19), // l4
            $step!(xor_made 8 = 5, 21), // l1
            $step!(store 5, 11),
            $step!(xor_made 5 = 15, 17), // l2
            $step!(xor_made 13 = 13, 18), // l3
            $step!(xor_made 14 = 6, 20), // l0
            $step!(store 6, 10),
            $step!(xor_from 6 = 3, 9), // t9
            $step!(xor_made 8 = 8, 16), // l1
            $step!(left 15 = 10, 28), // b5 in part
            $step!(right 10 = 10, 36), // b5 in part
            $step!(or 10 = 15, 10), // b5
            $step!(right 15 = 11, 3), // b9 in part
            $step!(left 11 = 11, 61), // b9 in part
            $step!(or 11 = 11, 15), // b9
            $step!(left 15 = 9, 45), // b8 in part
            $step!(right 9 = 9, 19), // b8 in part
            $step!(or 9 = 15, 9), // b8
            $step!(right 15 = 12, 61), // b7 in part
            $step!(left 12 = 12, 3), // b7 in part
            $step!(or 12 = 12, 15), // b7
            $step!(left 15 = 6, 20), // b6 in part
            $step!(right 6 = 6, 44), // b6 in part
            $step!(or 6 = 15, 6), // b6
            $step!(xor_made 14 = 14, 15), // l0
            $step!(xor_from 3 = 3, 24), // t24
            $step!(and_not 15 = 9, 11), // a7 in part
            $step!(xor 15 = 12, 15), // a7
            $step!(store 15, 7),
            $step!(xor 5 = 5, 15), // l2
            $step!(and_not 15 = 12, 9), // a6 in part
            $step!(and_not 12 = 6, 12), // a5 in part
            $step!(xor 15 = 6, 15), // a6
            $step!(and_not 6 = 10, 6), // a9 in part
            $step!(xor 12 = 10, 12), // a5
            $step!(and_not 10 = 11, 10), // a8 in part
            $step!(xor 6 = 11, 6), // a9
            $step!(left 11 = 1, 43), // b2 in part
            $step!(right 1 = 1, 21), // b2 in part
            $step!(store 15, 6),
            $step!(xor 9 = 9, 10), // a8
            $step!(store 12, 5),
            $step!(store 6, 9),
            $step!(right 6 = 3, 50), // b4 in part
            $step!(or 1 = 11, 1), // b2
            $step!(left 3 = 3, 14), // b4 in part
            $step!(store 9, 8),
            $step!(right 10 = 0, 20), // b1 in part
            $step!(left 0 = 0, 44), // b1 in part
            $step!(xor_made 7 = 7, 9), // l4
            $step!(or 3 = 3, 6), // b4
            $step!(left 6 = 2, 21), // b3 in part
            $step!(right 2 = 2, 43), // b3 in part
            $step!(or 0 = 0, 10), // b1
            $step!(xor 9 = 13, 9), // l3
            $step!(and_not 10 = 3, 4), // a3 in part
            $step!(and_not 11 = 0, 1), // a0 in part
            $step!(and_not 12 = 4, 0), // a4 in part
            $step!(xor_made 13 = 14, 5), // l0
            $step!(xor 8 = 8, 15), // l1
            $step!(or 2 = 6, 2), // b3
            $step!(constant 6), // the constant
            $step!(xor 6 = 11, 6), // a0 in part
            $step!(and_not 11 = 2, 3), // a2 in part
            $step!(and_not 14 = 1, 2), // a1 in part
            $step!(xor 2 = 2, 10), // a3
            $step!(xor 10 = 3, 12), // a4
            $step!(xor 1 = 1, 11), // a2
            $step!(xor 11 = 0, 14), // a1
            $step!(xor 0 = 6, 4), // a0
            $step!(store 2, 3),
            $step!(xor 3 = 9, 2), // c3
            $step!(store 10, 4),
            $step!(store 1, 2),
            $step!(store 11, 1),
            $step!(store 0, 0),
            $step!(xor_made 4 = 7, 4), // c4
            $step!(xor 0 = 13, 0), // c0
            $step!(xor 2 = 5, 1), // c2
            $step!(xor 1 = 8, 11), // c1
        )
    };
}
pub(crate) use four_intel;
