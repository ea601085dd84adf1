// Written by tools/reorder, whose README.md says how: an order and registers that a search has found.
// reorder search four --seed 1 --core here,skylake --constructed 60 --turns 600 --starts 8
// unit: four

macro_rules! four_intel {
    ($step:ident) => {
        concat!(
            $step!(right 5 = 3, 63), // r3 in part
            $step!(double 6 = 3), // r3 in part
            $step!(xor 6 = 1, 6), // d2 in part
            $step!(xor 5 = 6, 5), // d2
            $step!(right 6 = 2, 63), // r2 in part
            $step!(double 7 = 2), // r2 in part
            $step!(xor 6 = 0, 6), // d1 in part
            $step!(xor 6 = 6, 7), // d1
            $step!(xor_from 7 = 6, 11), // t11
            $step!(xor_from 8 = 5, 17), // t17
            $step!(left 9 = 7, 10), // b17 in part
            $step!(right 7 = 7, 54), // b17 in part
            $step!(or 7 = 9, 7), // b17
            $step!(left 9 = 8, 15), // b18 in part
            $step!(right 8 = 8, 49), // b18 in part
            $step!(or 8 = 9, 8), // b18
            $step!(right 9 = 0, 63), // r0 in part
            $step!(double 0 = 0), // r0 in part
            $step!(or 0 = 0, 9), // r0
            $step!(xor 0 = 0, 3), // d4
            $step!(double 3 = 4), // r4 in part
            $step!(xor_from 9 = 0, 4), // t4
            $step!(right 10 = 9, 37), // b15 in part
            $step!(left 9 = 9, 27), // b15 in part
            $step!(or 9 = 9, 10), // b15
            $step!(right 10 = 1, 63), // r1 in part
            $step!(double 1 = 1), // r1 in part
            $step!(xor 3 = 2, 3), // d3 in part
            $step!(or 2 = 1, 10), // r1
            $step!(xor 2 = 2, 4), // d0
            $step!(right 1 = 4, 63), // r4 in part
            $step!(xor 3 = 3, 1), // d3
            $step!(xor_from 1 = 2, 5), // t5
            $step!(xor_from 4 = 3, 23), // t23
            $step!(bytes 4 = 4, 56), // b19
            $step!(left 10 = 1, 36), // b16 in part
            $step!(right 1 = 1, 28), // b16 in part
            $step!(xor_from 11 = 3, 13), // t13
            $step!(left 12 = 11, 25), // b12 in part
            $step!(xor_from 13 = 0, 19), // t19
            $step!(or 1 = 10, 1), // b16
            $step!(and_not 10 = 8, 4), // a17 in part
            $step!(xor 10 = 7, 10), // a17
            $step!(xor_from 14 = 5, 7), // t7
            $step!(store 10, 17),
            $step!(right 10 = 11, 39), // b12 in part
            $step!(or 10 = 12, 10), // b12
            $step!(and_not 11 = 7, 8), // a16 in part
            $step!(bytes 12 = 13, 8), // b13
            $step!(and_not 7 = 1, 7), // a15 in part
            $step!(left 13 = 14, 6), // b11 in part
            $step!(xor 11 = 1, 11), // a16
            $step!(xor 7 = 9, 7), // a15
            $step!(and_not 1 = 9, 1), // a19 in part
            $step!(store 11, 16),
            $step!(store 7, 15),
            $step!(and_not 7 = 4, 9), // a18 in part
            $step!(xor 7 = 8, 7), // a18
            $step!(xor_from 8 = 6, 1), // t1
            $step!(right 9 = 8, 63), // b10 in part
            $step!(xor 1 = 4, 1), // a19
            $step!(store 1, 19),
            $step!(right 1 = 14, 58), // b11 in part
            $step!(xor_from 4 = 2, 10), // t10
            $step!(xor_from 14 = 2, 20), // t20
            $step!(double 8 = 8), // b10 in part
            $step!(or 8 = 8, 9), // b10
            $step!(left 9 = 14, 18), // b14 in part
            $step!(right 14 = 14, 46), // b14 in part
            $step!(or 1 = 13, 1), // b11
            $step!(or 9 = 9, 14), // b14
            $step!(left 13 = 4, 3), // b7 in part
            $step!(and_not 14 = 12, 9), // a12 in part
            $step!(right 4 = 4, 61), // b7 in part
            $step!(and_not 15 = 10, 12), // a11 in part
            $step!(or 4 = 13, 4), // b7
            $step!(xor 13 = 10, 14), // a12
            $step!(store 13, 12),
            $step!(and_not 10 = 1, 10), // a10 in part
            $step!(store 7, 18),
            $step!(and_not 7 = 8, 1), // a14 in part
            $step!(and_not 13 = 9, 8), // a13 in part
            $step!(xor_from 14 = 6, 16), // t16
            $step!(xor 12 = 12, 13), // a13
            $step!(store 12, 13),
            $step!(xor_from 12 = 0, 9), // t9
            $step!(xor 7 = 9, 7), // a14
            $step!(xor 8 = 8, 10), // a10
            $step!(store 8, 10),
            $step!(right 8 = 14, 19), // b8 in part
            $step!(left 9 = 14, 45), // b8 in part
            $step!(or 8 = 9, 8), // b8
            $step!(xor_from 9 = 3, 3), // t3
            $step!(right 10 = 12, 44), // b6 in part
            $step!(xor_from 13 = 5, 22), // t22
            $step!(right 14 = 9, 36), // b5 in part
            $step!(left 9 = 9, 28), // b5 in part
            $step!(xor 1 = 1, 15), // a11
            $step!(left 12 = 12, 20), // b6 in part
            $step!(store 7, 14),
            $step!(or 7 = 9, 14), // b5
            $step!(store 1, 11),
            $step!(or 1 = 12, 10), // b6
            $step!(right 9 = 13, 3), // b9 in part
            $step!(xor_from 10 = 0, 14), // t14
            $step!(left 12 = 13, 61), // b9 in part
            $step!(or 9 = 12, 9), // b9
            $step!(xor_from 12 = 2, 15), // t15
            $step!(and_not 13 = 8, 9), // a7 in part
            $step!(xor 13 = 4, 13), // a7
            $step!(right 14 = 12, 23), // b23 in part
            $step!(left 15 = 10, 39), // b22 in part
            $step!(store 13, 7),
            $step!(left 12 = 12, 41), // b23 in part
            $step!(or 12 = 12, 14), // b23
            $step!(xor_from 14 = 5, 2), // t2
            $step!(right 10 = 10, 25), // b22 in part
            $step!(or 10 = 15, 10), // b22
            $step!(xor_made 13 = 13, 12), // l2
            $step!(and_not 15 = 1, 4), // a5 in part
            $step!(xor 15 = 7, 15), // a5
            $step!(and_not 4 = 4, 8), // a6 in part
            $step!(store 15, 5),
            $step!(and_not 15 = 9, 7), // a8 in part
            $step!(xor 8 = 8, 15), // a8
            $step!(xor_from 5 = 5, 12), // t12
            $step!(xor 4 = 1, 4), // a6
            $step!(and_not 1 = 7, 1), // a9 in part
            $step!(xor_from 7 = 3, 18), // t18
            $step!(store 8, 8),
            $step!(right 8 = 14, 2), // b20 in part
            $step!(xor_from 3 = 3, 8), // t8
            $step!(store 4, 6),
            $step!(xor 1 = 9, 1), // a9
            $step!(store 1, 9),
            $step!(xor_from 9 = 6, 21), // t21
            $step!(left 14 = 14, 62), // b20 in part
            $step!(left 15 = 3, 55), // b21 in part
            $step!(or 8 = 14, 8), // b20
            $step!(xor 4 = 11, 4), // l1
            $step!(xor_made 4 = 4, 11), // l1
            $step!(right 3 = 3, 9), // b21 in part
            $step!(right 11 = 5, 21), // b2 in part
            $step!(right 14 = 9, 62), // b24 in part
            $step!(or 3 = 15, 3), // b21
            $step!(left 9 = 9, 2), // b24 in part
            $step!(xor_from 0 = 0, 24), // t24
            $step!(or 9 = 9, 14), // b24
            $step!(xor_from 2 = 2, 0), // t0
            $step!(and_not 14 = 9, 8), // a23 in part
            $step!(right 15 = 7, 43), // b3 in part
            $step!(left 7 = 7, 21), // b3 in part
            $step!(left 5 = 5, 43), // b2 in part
            $step!(or 7 = 7, 15), // b3
            $step!(xor_from 6 = 6, 6), // t6
            $step!(xor 14 = 12, 14), // a23
            $step!(xor_made 15 = 14, 8), // l3
            $step!(store 14, 23),
            $step!(and_not 14 = 10, 12), // a21 in part
            $step!(or 5 = 5, 11), // b2
            $step!(and_not 11 = 3, 10), // a20 in part
            $step!(xor 11 = 8, 11), // a20
            $step!(and_not 8 = 8, 3), // a24 in part
            $step!(store 11, 20),
            $step!(xor_made 11 = 11, 15), // l0
            $step!(xor_made 13 = 13, 17), // l2
            $step!(xor_made 15 = 15, 13), // l3
            $step!(and_not 12 = 12, 9), // a22 in part
            $step!(xor 8 = 9, 8), // a24
            $step!(xor_made 9 = 11, 5), // l0
            $step!(xor_made 11 = 8, 19), // l4
            $step!(xor 10 = 10, 12), // a22
            $step!(store 10, 22),
            $step!(store 8, 24),
            $step!(xor 3 = 3, 14), // a21
            $step!(xor_made 8 = 11, 14), // l4
            $step!(xor_made 11 = 15, 18), // l3
            $step!(store 3, 21),
            $step!(left 12 = 6, 44), // b1 in part
            $step!(right 6 = 6, 20), // b1 in part
            $step!(or 6 = 12, 6), // b1
            $step!(right 12 = 0, 50), // b4 in part
            $step!(left 0 = 0, 14), // b4 in part
            $step!(xor_made 9 = 9, 10), // l0
            $step!(or 0 = 0, 12), // b4
            $step!(xor 10 = 13, 10), // l2
            $step!(and_not 12 = 7, 0), // a2 in part
            $step!(and_not 13 = 0, 2), // a3 in part
            $step!(and_not 14 = 5, 7), // a1 in part
            $step!(xor 7 = 7, 13), // a3
            $step!(xor 13 = 6, 14), // a1
            $step!(xor 12 = 5, 12), // a2
            $step!(and_not 14 = 2, 6), // a4 in part
            $step!(and_not 5 = 6, 5), // a0 in part
            $step!(constant 6), // the constant
            $step!(xor 2 = 2, 6), // a0 in part
            $step!(xor 6 = 8, 1), // l4
            $step!(store 12, 2),
            $step!(xor 8 = 0, 14), // a4
            $step!(xor 2 = 2, 5), // a0
            $step!(xor 0 = 9, 2), // c0
            $step!(xor 1 = 4, 3), // l1
            $step!(store 7, 3),
            $step!(store 2, 0),
            $step!(xor 3 = 11, 7), // c3
            $step!(store 8, 4),
            $step!(store 13, 1),
            $step!(xor 2 = 10, 12), // c2
            $step!(xor 1 = 1, 13), // c1
            $step!(xor 4 = 6, 8), // c4
        )
    };
}
pub(crate) use four_intel;
