// Written by tools/reorder, whose README.md says how: an order and registers that a search has found.
// reorder search four --seed 1 --constructed 250 --turns 2400 --starts 8 --core here, on Zen 5
// unit: four

macro_rules! four {
    ($step:ident) => {
        concat!(
            $step!(double 5 = 4), // r4 in part
            $step!(right 6 = 4, 63), // r4 in part
            $step!(double 7 = 2), // r2 in part
            $step!(right 8 = 2, 63), // r2 in part
            $step!(xor 2 = 2, 5), // d3 in part
            $step!(xor 2 = 2, 6), // d3
            $step!(or 5 = 7, 8), // r2
            $step!(xor 5 = 5, 0), // d1
            $step!(xor_from 6 = 2, 23), // t23
            $step!(xor_from 7 = 2, 13), // t13
            $step!(xor_from 8 = 5, 1), // t1
            $step!(xor_from 9 = 5, 11), // t11
            $step!(double 10 = 1), // r1 in part
            $step!(left 11 = 9, 10), // b17 in part
            $step!(right 9 = 9, 54), // b17 in part
            $step!(right 12 = 3, 63), // r3 in part
            $step!(xor 4 = 4, 10), // d0 in part
            $step!(right 10 = 1, 63), // r1 in part
            $step!(xor 4 = 4, 10), // d0
            $step!(xor_from 10 = 4, 5), // t5
            $step!(right 13 = 7, 39), // b12 in part
            $step!(left 7 = 7, 25), // b12 in part
            $step!(or 7 = 7, 13), // b12
            $step!(double 13 = 3), // r3 in part
            $step!(xor 1 = 1, 13), // d2 in part
            $step!(xor 1 = 1, 12), // d2
            $step!(left 12 = 10, 36), // b16 in part
            $step!(right 13 = 0, 63), // r0 in part
            $step!(xor_from 14 = 1, 17), // t17
            $step!(double 0 = 0), // r0 in part
            $step!(xor 3 = 3, 0), // d4 in part
            $step!(right 0 = 10, 28), // b16 in part
            $step!(xor_from 10 = 1, 7), // t7
            $step!(or 9 = 11, 9), // b17
            $step!(right 11 = 10, 58), // b11 in part
            $step!(left 10 = 10, 6), // b11 in part
            $step!(bytes 6 = 6, 56), // b19
            $step!(right 15 = 14, 49), // b18 in part
            $step!(xor 3 = 3, 13), // d4
            $step!(xor_from 13 = 4, 20), // t20
            $step!(or 10 = 10, 11), // b11
            $step!(xor_from 11 = 3, 4), // t4
            $step!(left 14 = 14, 15), // b18 in part
            $step!(or 14 = 14, 15), // b18
            $step!(left 15 = 11, 27), // b15 in part
            $step!(or 0 = 12, 0), // b16
            $step!(right 11 = 11, 37), // b15 in part
            $step!(right 12 = 13, 46), // b14 in part
            $step!(or 11 = 15, 11), // b15
            $step!(and_not 15 = 11, 0), // a19 in part
            $step!(left 13 = 13, 18), // b14 in part
            $step!(or 12 = 13, 12), // b14
            $step!(xor 13 = 6, 15), // a19
            $step!(xor_from 15 = 3, 19), // t19
            $step!(store 13, 19),
            $step!(and_not 13 = 9, 14), // a16 in part
            $step!(xor 13 = 0, 13), // a16
            $step!(store 13, 16),
            $step!(and_not 13 = 14, 6), // a17 in part
            $step!(xor 13 = 9, 13), // a17
            $step!(and_not 0 = 0, 9), // a15 in part
            $step!(right 9 = 8, 63), // b10 in part
            $step!(store 13, 17),
            $step!(xor 0 = 11, 0), // a15
            $step!(xor_from 13 = 1, 22), // t22
            $step!(and_not 6 = 6, 11), // a18 in part
            $step!(double 8 = 8), // b10 in part
            $step!(xor_from 11 = 4, 10), // t10
            $step!(xor 6 = 14, 6), // a18
            $step!(or 8 = 8, 9), // b10
            $step!(right 9 = 11, 61), // b7 in part
            $step!(store 0, 15),
            $step!(xor_from 0 = 3, 9), // t9
            $step!(store 6, 18),
            $step!(left 6 = 11, 3), // b7 in part
            $step!(bytes 11 = 15, 8), // b13
            $step!(right 14 = 0, 44), // b6 in part
            $step!(or 6 = 6, 9), // b7
            $step!(and_not 9 = 11, 12), // a12 in part
            $step!(xor 9 = 7, 9), // a12
            $step!(left 0 = 0, 20), // b6 in part
            $step!(store 9, 12),
            $step!(right 9 = 13, 3), // b9 in part
            $step!(or 0 = 0, 14), // b6
            $step!(and_not 14 = 10, 7), // a10 in part
            $step!(xor 14 = 8, 14), // a10
            $step!(and_not 7 = 7, 11), // a11 in part
            $step!(and_not 15 = 8, 10), // a14 in part
            $step!(xor 7 = 10, 7), // a11
            $step!(store 7, 11),
            $step!(left 7 = 13, 61), // b9 in part
            $step!(xor_from 10 = 5, 16), // t16
            $step!(store 14, 10),
            $step!(xor_from 13 = 2, 3), // t3
            $step!(right 14 = 13, 36), // b5 in part
            $step!(and_not 8 = 12, 8), // a13 in part
            $step!(left 13 = 13, 28), // b5 in part
            $step!(or 7 = 7, 9), // b9
            $step!(left 9 = 10, 45), // b8 in part
            $step!(right 10 = 10, 19), // b8 in part
            $step!(xor 12 = 12, 15), // a14
            $step!(xor_from 15 = 1, 12), // t12
            $step!(xor 8 = 11, 8), // a13
            $step!(or 9 = 9, 10), // b8
            $step!(store 12, 14),
            $step!(and_not 10 = 9, 7), // a7 in part
            $step!(xor_from 11 = 3, 24), // t24
            $step!(or 12 = 13, 14), // b5
            $step!(xor 10 = 6, 10), // a7
            $step!(xor_from 13 = 5, 6), // t6
            $step!(xor_from 3 = 3, 14), // t14
            $step!(right 14 = 13, 20), // b1 in part
            $step!(store 10, 7),
            $step!(store 8, 13),
            $step!(right 8 = 15, 21), // b2 in part
            $step!(left 10 = 13, 44), // b1 in part
            $step!(left 13 = 11, 14), // b4 in part
            $step!(left 15 = 15, 43), // b2 in part
            $step!(right 11 = 11, 50), // b4 in part
            $step!(or 10 = 10, 14), // b1
            $step!(xor_from 14 = 2, 18), // t18
            $step!(or 8 = 15, 8), // b2
            $step!(or 11 = 13, 11), // b4
            $step!(left 13 = 14, 21), // b3 in part
            $step!(and_not 15 = 12, 0), // a9 in part
            $step!(xor_from 2 = 2, 8), // t8
            $step!(xor_from 5 = 5, 21), // t21
            $step!(right 14 = 14, 43), // b3 in part
            $step!(or 13 = 13, 14), // b3
            $step!(and_not 14 = 0, 6), // a5 in part
            $step!(xor 14 = 12, 14), // a5
            $step!(xor 15 = 7, 15), // a9
            $step!(store 15, 9),
            $step!(xor_from 15 = 4, 0), // t0
            $step!(and_not 6 = 6, 9), // a6 in part
            $step!(and_not 7 = 7, 12), // a8 in part
            $step!(xor 0 = 0, 6), // a6
            $step!(xor 6 = 9, 7), // a8
            $step!(left 7 = 2, 55), // b21 in part
            $step!(xor_from 1 = 1, 2), // t2
            $step!(right 2 = 2, 9), // b21 in part
            $step!(right 9 = 3, 25), // b22 in part
            $step!(or 2 = 7, 2), // b21
            $step!(store 14, 5),
            $step!(left 3 = 3, 39), // b22 in part
            $step!(and_not 7 = 13, 11), // a2 in part
            $step!(or 3 = 3, 9), // b22
            $step!(right 9 = 1, 2), // b20 in part
            $step!(right 12 = 5, 62), // b24 in part
            $step!(xor 7 = 8, 7), // a2
            $step!(store 0, 6),
            $step!(store 7, 2),
            $step!(left 1 = 1, 62), // b20 in part
            $step!(store 6, 8),
            $step!(and_not 0 = 15, 10), // a4 in part
            $step!(left 5 = 5, 2), // b24 in part
            $step!(xor_from 4 = 4, 15), // t15
            $step!(or 9 = 1, 9), // b20
            $step!(or 5 = 5, 12), // b24
            $step!(left 1 = 4, 41), // b23 in part
            $step!(right 4 = 4, 23), // b23 in part
            $step!(and_not 12 = 8, 13), // a1 in part
            $step!(xor_made 6 = 6, 18), // l3
            $step!(xor 0 = 11, 0), // a4
            $step!(store 0, 4),
            $step!(and_not 8 = 10, 8), // a0 in part
            $step!(xor 10 = 10, 12), // a1
            $step!(store 10, 1),
            $step!(xor_made 7 = 7, 17), // l2
            $step!(or 4 = 1, 4), // b23
            $step!(constant 1), // the constant
            $step!(and_not 11 = 11, 15), // a3 in part
            $step!(xor_made 10 = 10, 11), // l1
            $step!(xor_made 10 = 10, 16), // l1
            $step!(xor 12 = 15, 1), // a0 in part
            $step!(xor_made 1 = 10, 6), // l1
            $step!(and_not 10 = 3, 4), // a21 in part
            $step!(xor 10 = 2, 10), // a21
            $step!(xor 1 = 1, 10), // c1
            $step!(xor_made 14 = 14, 10), // l0
            $step!(and_not 15 = 5, 9), // a23 in part
            $step!(xor 11 = 13, 11), // a3
            $step!(and_not 13 = 9, 2), // a24 in part
            $step!(xor 15 = 4, 15), // a23
            $step!(xor_made 6 = 6, 13), // l3
            $step!(and_not 4 = 4, 5), // a22 in part
            $step!(xor 4 = 3, 4), // a22
            $step!(xor 8 = 12, 8), // a0
            $step!(xor_made 7 = 7, 12), // l2
            $step!(xor_made 0 = 0, 19), // l4
            $step!(xor_made 0 = 0, 14), // l4
            $step!(and_not 2 = 2, 3), // a20 in part
            $step!(xor 9 = 9, 2), // a20
            $step!(store 10, 21),
            $step!(xor_made 2 = 7, 7), // l2
            $step!(store 11, 3),
            $step!(store 8, 0),
            $step!(store 4, 22),
            $step!(xor_made 3 = 0, 9), // l4
            $step!(xor 0 = 5, 13), // a24
            $step!(xor 5 = 6, 11), // l3
            $step!(store 9, 20),
            $step!(xor 2 = 2, 4), // c2
            $step!(xor 4 = 3, 0), // c4
            $step!(store 15, 23),
            $step!(store 0, 24),
            $step!(xor 0 = 14, 8), // l0
            $step!(xor 3 = 5, 15), // c3
            $step!(xor_made 0 = 0, 15), // l0
            $step!(xor 0 = 0, 9), // c0
        )
    };
}
pub(crate) use four;
