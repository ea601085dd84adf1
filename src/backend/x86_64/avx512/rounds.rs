//! Keccak's rounds for eight states, for four and for one, with AVX-512, in orders that were found by search.
//!
//! A round of states side by side is 95 instructions that are worth a quarter of a cycle each where there are four
//! vector pipes, and at least seven that wait for each other. How near it comes to 24 cycles depends on their order and
//! on the registers, and a compiler orders them by rules of its own, whatever the order in the source: what it makes of
//! intrinsics takes 31 cycles on Zen 5, and this 28. So the round is written in assembly here, once for both widths. A
//! round of one state is 48 instructions, nine of which wait for each other; there the order is worth about 7 % on Zen 5.
//!
//! The search began with the order of the standard and moved a few instructions at a time, as far as the registers
//! allowed, keeping what was faster on a Zen 5 core (for states side by side, in both widths), many times over. It
//! measured, and knew nothing of processors: a change here wants a measurement, too (`cargo bench --bench kernels`).
//! llvm-mca's models of Intel's cores give a round of one state two cycles more in this order than in the compiler's,
//! 26 to 28 instead of 24 to 26; nobody has measured it.
//! Copies cost nothing but their place: processors rename them.
//!
//! # What the assembly relies on
//!
//! - Every register that it writes is an operand. It does not use the stack.
//! - It touches the memory that the pointers to the state and to the constants give, no other.
//! - Lanes are read and written by instructions that want no alignment.
//! - VZEROUPPER follows, as callers expect of code that has used the upper parts of registers: here for states side by
//!   side, from the compiler for one state, whose planes it has in such registers itself. That wipes nothing.

use core::arch::asm;
use core::arch::x86_64::__m512i;

use super::load;
use crate::backend::x86_64::address;
use crate::sponge::keccak::{RHO, mod5};

/// Instructions on registers by their numbers; the first register is written. `ternary` is `vpternlogq`, whose table
/// has at bit 4a + 2b + c the value at (a, b, c), a being what the first register held.
macro_rules! step {
    ($w:literal, $to_all:literal, load $a:literal) => {
        concat!("vmovdqu64 ", $w, "mm", $a, ", ", "[{state} + 64 * ", $a, "]\n")
    };
    ($w:literal, $to_all:literal, store $a:literal) => {
        concat!("vmovdqu64 [{state} + 64 * ", $a, "], ", $w, "mm", $a, "\n")
    };
    ($w:literal, $to_all:literal, copy $to:literal = $a:literal) => {
        concat!("vmovdqa64 ", $w, "mm", $to, ", ", $w, "mm", $a, "\n")
    };
    ($w:literal, $to_all:literal, xor $to:literal = $a:literal, $b:literal) => {
        concat!("vpxorq ", $w, "mm", $to, ", ", $w, "mm", $a, ", ", $w, "mm", $b, "\n")
    };
    ($w:literal, $to_all:literal, rol $to:literal = $a:literal, $n:literal) => {
        concat!("vprolq ", $w, "mm", $to, ", ", $w, "mm", $a, ", ", $n, "\n")
    };
    ($w:literal, $to_all:literal, iota $to:literal = $a:literal) => {
        concat!("vpxorq ", $w, "mm", $to, ", ", $w, "mm", $a, ", qword ptr [{constant}]{{", $to_all, "}}\n")
    };
    // the first register too
    ($w:literal, $to_all:literal, xor3 $to:literal = $a:literal, $b:literal) => {
        step!($w, $to_all, ternary $to, $a, $b, "0x96")
    };
    // x + (~y)z for the first register and the two others, it being x, y or z
    ($w:literal, $to_all:literal, chi_first $x:literal = $y:literal, $z:literal) => {
        step!($w, $to_all, ternary $x, $y, $z, "0xd2")
    };
    ($w:literal, $to_all:literal, chi_second $y:literal = $x:literal, $z:literal) => {
        step!($w, $to_all, ternary $y, $x, $z, "0xc6")
    };
    ($w:literal, $to_all:literal, chi_third $z:literal = $x:literal, $y:literal) => {
        step!($w, $to_all, ternary $z, $x, $y, "0x9c")
    };
    ($w:literal, $to_all:literal, ternary $to:literal, $a:literal, $b:literal, $table:literal) => {
        concat!("vpternlogq ", $w, "mm", $to, ", ", $w, "mm", $a, ", ", $w, "mm", $b, ", ", $table, "\n")
    };
}

/// A step for eight states.
macro_rules! eight {
    ($($step:tt)+) => { step!("z", "1to8", $($step)+) };
}

/// A step for four.
macro_rules! four {
    ($($step:tt)+) => { step!("y", "1to4", $($step)+) };
}

/// A step for one state, a plane a register. `turn t = a, r` takes element x from element x + r mod 5 of a, `rho t = a, f`
/// rotates the lanes of register f after the shear, and step i of the shear takes what [`SHEAR`] says from the second.
macro_rules! plane {
    (turn $to:literal = $a:literal, $r:literal) => {
        concat!("vpermq zmm", $to, ", {turned_", $r, "}, zmm", $a, "\n")
    };
    (rho $to:literal = $a:literal, $f:literal) => {
        concat!("vprolvq zmm", $to, ", zmm", $a, ", {rho_", $f, "}\n")
    };
    (blend1 $($rest:tt)+) => { plane!(@blend "k1", $($rest)+) };
    (blend2 $($rest:tt)+) => { plane!(@blend "k2", $($rest)+) };
    (blend3 $($rest:tt)+) => { plane!(@blend "k3", $($rest)+) };
    (@blend $from:literal, $to:literal = $a:literal, $b:literal) => {
        concat!("vpblendmq zmm", $to, "{{", $from, "}}, zmm", $a, ", zmm", $b, "\n")
    };
    (iota $a:literal) => {
        concat!("vpxorq zmm", $a, "{{k4}}, zmm", $a, ", qword ptr [{constant}]{{1to8}}\n")
    };
    ($($step:tt)+) => { step!("z", "", $($step)+) };
}

/// `rounds!(width, state, constants)`: runs the rounds with these constants.
///
/// Lane i is in register i when a round begins and ends. The comments name what an instruction makes: a sum c of a
/// column or the sum l of a part of it, r = c <<< 1, D of a column, lane t with its D, lane b of the state that rho and pi
/// leave, lane a of the new state. What has no name is a copy.
macro_rules! rounds {
    ($width:ident, $state:expr, $constants:expr) => {{
        let constants = $constants.as_ptr_range();
        asm!(
            $width!(load 0),
            $width!(load 1),
            $width!(load 2),
            $width!(load 3),
            $width!(load 4),
            $width!(load 5),
            $width!(load 6),
            $width!(load 7),
            $width!(load 8),
            $width!(load 9),
            $width!(load 10),
            $width!(load 11),
            $width!(load 12),
            $width!(load 13),
            $width!(load 14),
            $width!(load 15),
            $width!(load 16),
            $width!(load 17),
            $width!(load 18),
            $width!(load 19),
            $width!(load 20),
            $width!(load 21),
            $width!(load 22),
            $width!(load 23),
            $width!(load 24),
            "2:",
            // Theta, rho, pi and chi.
            $width!(copy 25 = 0),
            $width!(xor3 25 = 5, 10), // l0
            $width!(copy 26 = 4),
            $width!(xor3 26 = 9, 14), // l4
            $width!(copy 27 = 1),
            $width!(xor3 27 = 6, 11), // l1
            $width!(copy 28 = 2),
            $width!(xor3 28 = 7, 12), // l2
            $width!(copy 29 = 3),
            $width!(xor3 29 = 8, 13), // l3
            $width!(xor3 25 = 15, 20), // c0
            $width!(xor3 27 = 16, 21), // c1
            $width!(xor3 29 = 18, 23), // c3
            $width!(rol 30 = 29, 1), // r3
            $width!(rol 31 = 25, 1), // r0
            $width!(xor 29 = 29, 31), // d4
            $width!(xor 30 = 27, 30), // d2
            $width!(xor3 26 = 19, 24), // c4
            $width!(rol 27 = 27, 1), // r1
            $width!(xor 27 = 26, 27), // d0
            $width!(xor 7 = 7, 30), // t7
            $width!(rol 7 = 7, 6), // b11
            $width!(xor 20 = 20, 27), // t20
            $width!(xor 24 = 24, 29), // t24
            $width!(xor 19 = 19, 29), // t19
            $width!(xor3 28 = 17, 22), // c2
            $width!(rol 20 = 20, 18), // b14
            $width!(rol 26 = 26, 1), // r4
            $width!(rol 19 = 19, 8), // b13
            $width!(rol 31 = 28, 1), // r2
            $width!(xor 10 = 10, 27), // t10
            $width!(rol 10 = 10, 3), // b7
            $width!(xor 28 = 28, 26), // d3
            $width!(xor 25 = 25, 31), // d1
            $width!(xor 13 = 13, 28), // t13
            $width!(xor 2 = 2, 30), // t2
            $width!(xor 1 = 1, 25), // t1
            $width!(xor 9 = 9, 29), // t9
            $width!(xor 6 = 6, 25), // t6
            $width!(rol 1 = 1, 1), // b10
            $width!(xor 0 = 0, 27), // b0
            $width!(rol 13 = 13, 25), // b12
            $width!(xor 18 = 18, 28), // t18
            $width!(rol 24 = 24, 14), // b4
            $width!(rol 9 = 9, 20), // b6
            $width!(xor 11 = 11, 25), // t11
            $width!(xor 21 = 21, 25), // t21
            $width!(copy 26 = 20),
            $width!(chi_first 26 = 1, 7), // a14
            $width!(xor 3 = 3, 28), // t3
            $width!(xor 15 = 15, 27), // t15
            $width!(xor 22 = 22, 30), // t22
            $width!(copy 31 = 1),
            $width!(chi_first 31 = 7, 13), // a10
            $width!(xor 5 = 5, 27), // t5
            $width!(rol 18 = 18, 21), // b3
            $width!(rol 22 = 22, 61), // b9
            $width!(rol 2 = 2, 62), // b20
            $width!(rol 3 = 3, 28), // b5
            $width!(xor 12 = 12, 30), // t12
            $width!(rol 11 = 11, 10), // b17
            $width!(rol 6 = 6, 44), // b1
            $width!(xor 16 = 16, 25), // t16
            $width!(rol 16 = 16, 45), // b8
            $width!(rol 21 = 21, 2), // b24
            $width!(rol 12 = 12, 43), // b2
            $width!(copy 27 = 0),
            $width!(chi_first 27 = 6, 12), // a0 without the constant
            $width!(copy 25 = 16),
            $width!(chi_first 25 = 22, 3), // a8
            $width!(chi_third 1 = 19, 20), // a13
            $width!(rol 15 = 15, 41), // b23
            $width!(chi_first 7 = 13, 19), // a11
            $width!(xor 14 = 14, 29), // t14
            $width!(rol 5 = 5, 36), // b16
            $width!(rol 14 = 14, 39), // b22
            $width!(chi_first 13 = 19, 20), // a12
            $width!(copy 19 = 22),
            $width!(chi_first 19 = 3, 9), // a9
            $width!(xor 8 = 8, 28), // t8
            $width!(xor 17 = 17, 30), // t17
            $width!(chi_third 22 = 10, 16), // a7
            $width!(rol 17 = 17, 15), // b18
            $width!(chi_third 16 = 9, 10), // a6
            $width!(xor 4 = 4, 29), // t4
            $width!(rol 8 = 8, 55), // b21
            $width!(copy 20 = 14),
            $width!(chi_first 20 = 15, 21), // a22
            $width!(xor 23 = 23, 28), // t23
            $width!(chi_first 3 = 9, 10), // a5
            $width!(copy 30 = 12),
            $width!(chi_first 30 = 18, 24), // a2
            $width!(chi_second 12 = 6, 18), // a1
            $width!(rol 4 = 4, 27), // b15
            $width!(copy 29 = 21),
            $width!(chi_first 29 = 2, 8), // a24
            $width!(rol 23 = 23, 56), // b19
            $width!(chi_third 6 = 24, 0), // a4
            $width!(copy 28 = 17),
            $width!(chi_first 28 = 23, 4), // a18
            $width!(copy 9 = 23),
            $width!(chi_first 9 = 4, 5), // a19
            $width!(chi_third 23 = 11, 17), // a17
            $width!(chi_first 18 = 24, 0), // a3
            $width!(copy 10 = 8),
            $width!(chi_first 10 = 14, 15), // a21
            $width!(chi_second 8 = 2, 14), // a20
            $width!(chi_third 17 = 5, 11), // a16
            $width!(chi_first 4 = 5, 11), // a15
            $width!(chi_first 15 = 21, 2), // a23
            $width!(iota 0 = 27), // a0
            // Every lane to its own register.
            $width!(copy 2 = 30),
            $width!(copy 5 = 3),
            $width!(copy 3 = 18),
            $width!(copy 11 = 7),
            $width!(copy 7 = 22),
            $width!(copy 14 = 26),
            $width!(copy 18 = 28),
            $width!(copy 21 = 10),
            $width!(copy 10 = 31),
            $width!(copy 22 = 20),
            $width!(copy 20 = 8),
            $width!(copy 8 = 25),
            $width!(copy 24 = 29),
            $width!(copy 25 = 1),
            $width!(copy 1 = 12),
            $width!(copy 12 = 13),
            $width!(copy 13 = 25),
            $width!(copy 25 = 4),
            $width!(copy 4 = 6),
            $width!(copy 6 = 16),
            $width!(copy 16 = 17),
            $width!(copy 17 = 23),
            $width!(copy 23 = 15),
            $width!(copy 15 = 25),
            $width!(copy 25 = 9),
            $width!(copy 9 = 19),
            $width!(copy 19 = 25),
            "add {constant}, 8",
            "cmp {constant}, {end}",
            "jne 2b",
            $width!(store 0),
            $width!(store 1),
            $width!(store 2),
            $width!(store 3),
            $width!(store 4),
            $width!(store 5),
            $width!(store 6),
            $width!(store 7),
            $width!(store 8),
            $width!(store 9),
            $width!(store 10),
            $width!(store 11),
            $width!(store 12),
            $width!(store 13),
            $width!(store 14),
            $width!(store 15),
            $width!(store 16),
            $width!(store 17),
            $width!(store 18),
            $width!(store 19),
            $width!(store 20),
            $width!(store 21),
            $width!(store 22),
            $width!(store 23),
            $width!(store 24),
            "vzeroupper",
            state = in(reg) address($state.as_mut_ptr()),
            constant = inout(reg) address(constants.start.cast_mut()) => _,
            end = in(reg) address(constants.end.cast_mut()),
            out("zmm0") _, out("zmm1") _, out("zmm2") _, out("zmm3") _, out("zmm4") _, out("zmm5") _,
            out("zmm6") _, out("zmm7") _, out("zmm8") _, out("zmm9") _, out("zmm10") _, out("zmm11") _,
            out("zmm12") _, out("zmm13") _, out("zmm14") _, out("zmm15") _, out("zmm16") _, out("zmm17") _,
            out("zmm18") _, out("zmm19") _, out("zmm20") _, out("zmm21") _, out("zmm22") _, out("zmm23") _,
            out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _, out("zmm28") _, out("zmm29") _,
            out("zmm30") _, out("zmm31") _,
            options(nostack)
        );
    }};
}

/// Runs rounds on eight states, one a slot.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn eight<const R: usize>(state: &mut [[u64; 8]; 25], constants: &[u64; R]) {
    const { assert!(R > 0, "a round is run before the first look whether there is one") };
    // SAFETY: ASM; the 25 rows of `state` are read and written, and as many constants as there are read.
    unsafe { rounds!(eight, state, constants) }
}

/// Runs rounds on the first four slots, one state each, and leaves the others as they are.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn four<const R: usize>(state: &mut [[u64; 8]; 25], constants: &[u64; R]) {
    const { assert!(R > 0, "a round is run before the first look whether there is one") };
    // SAFETY: ASM; the first halves of 25 rows of `state` are read and written, and as many constants as there are read.
    unsafe { rounds!(four, state, constants) }
}

/// Which elements a step of the shear takes from its second register.
const SHEAR: [u8; 3] = [0b01010, 0b01100, 0b10000];

/// The indices that make element x of element x + r mod 5.
const fn turned(r: usize) -> [u64; 8] {
    let (mut indices, mut x) = ([0, 1, 2, 3, 4, 5, 6, 7], 0);
    while x < 5 {
        indices[x] = mod5(x + r) as u64;
        x += 1;
    }
    indices
}

/// Rho for register f after the shear: element x holds lane (x, x + f).
const fn rho(f: usize) -> [u64; 8] {
    let (mut offsets, mut x) = ([0; 8], 0);
    while x < 5 {
        offsets[x] = RHO[x + 5 * mod5(x + f)] as u64;
        x += 1;
    }
    offsets
}

/// Runs rounds on one state, a plane a register: element x of register y is A\[x, y\]. Elements 5, 6 and 7 hold
/// nothing and mix with nothing: every step maps them to themselves.
///
/// A round is one long dependency chain, so it is laid out to be short:
///
/// - Theta's parity is the sum of the registers, whichever way a column's lanes are spread over them. So while
///   the chain waits for D, the shear blends lane (x, y) into register f = y - x, off the critical path: element x of
///   register f comes from register f + x, by the binary digits of x.
/// - Pi sends (x, x + f) to (x + f, 3f). Register f is then the whole row 3f, only rotated by f, and the
///   three operands of chi are three independent permutations of it: planes again, with no transposition.
///
/// ```text
/// register 1 after shear   A01 A12 A23 A34 A40     (Axy)
/// is row 3 after pi        B13 B23 B33 B43 B03     (A01 -> B13, A12 -> B23, ...)
/// ```
#[inline] // so that the planes stay in registers
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn one(a: &mut [__m512i; 5], constants: &[u64]) {
    // The loop looks at its end whether there is another: no constants must be no loop.
    if constants.is_empty() {
        return;
    }
    let constants = constants.as_ptr_range();
    // SAFETY: ASM; as many constants are read as there are.
    unsafe {
        asm!(
            // The comments name what an instruction makes: c, the sums of the columns, of which low is a part; left and right,
            // the two parts of D; x, y and z, the registers after steps 1 to 3 of the shear; q, the same with D; v, the same
            // after rho; b, the rows that pi leaves; a, the new planes. What has no name is a copy.
            ".p2align 6",
            "2:",
            plane!(copy 5 = 0),
            plane!(xor3 5 = 3, 4), // low
            plane!(blend1 6 = 3, 4), // x3
            plane!(xor3 5 = 1, 2), // c
            plane!(blend1 7 = 1, 2), // x1
            plane!(blend1 1 = 0, 1), // x0
            plane!(turn 8 = 5, 1), // right, not rotated
            plane!(rol 8 = 8, 1), // right
            plane!(blend2 9 = 6, 1), // y3
            plane!(blend1 2 = 2, 3), // x2
            plane!(blend1 4 = 4, 0), // x4
            plane!(blend2 10 = 2, 4), // y2
            plane!(blend3 11 = 9, 10), // z3
            plane!(blend2 6 = 7, 6), // y1
            plane!(turn 5 = 5, 4), // left
            plane!(blend2 1 = 1, 2), // y0
            plane!(blend2 4 = 4, 7), // y4
            plane!(blend3 12 = 1, 4), // z0
            plane!(blend3 1 = 6, 1), // z1
            plane!(xor3 12 = 5, 8), // q0
            plane!(xor3 11 = 5, 8), // q3
            plane!(rho 12 = 12, 0), // v0
            plane!(turn 13 = 12, 2), // b0 from 2 on
            plane!(xor3 1 = 5, 8), // q1
            plane!(blend3 4 = 4, 9), // z4
            plane!(blend3 10 = 10, 6), // z2
            plane!(xor3 4 = 5, 8), // q4
            plane!(xor3 10 = 5, 8), // q2
            plane!(rho 11 = 11, 3), // v3
            plane!(rho 1 = 1, 1), // v1
            plane!(turn 14 = 12, 1), // b0 from 1 on
            plane!(rho 10 = 10, 2), // v2
            plane!(rho 4 = 4, 4), // v4
            plane!(turn 15 = 11, 4), // b4 from 2 on
            plane!(turn 16 = 11, 3), // b4 from 1 on
            plane!(turn 11 = 11, 2), // b4
            plane!(turn 17 = 1, 1), // b3 from 2 on
            plane!(turn 18 = 1, 4), // b3
            plane!(turn 19 = 10, 4), // b1 from 1 on
            plane!(turn 20 = 4, 2), // b2 from 1 on
            plane!(turn 21 = 10, 3), // b1
            plane!(turn 22 = 4, 3), // b2 from 2 on
            plane!(turn 4 = 4, 1), // b2
            plane!(chi_first 12 = 14, 13), // a0 without the constant
            plane!(iota 12), // a0
            plane!(chi_first 18 = 1, 17), // a3
            plane!(chi_first 11 = 16, 15), // a4
            plane!(chi_first 21 = 19, 10), // a1
            plane!(chi_first 4 = 20, 22), // a2
            // Every plane to its own register.
            plane!(copy 0 = 12),
            plane!(copy 1 = 21),
            plane!(copy 2 = 4),
            plane!(copy 3 = 18),
            plane!(copy 4 = 11),
            "add {constant}, 8",
            "cmp {constant}, {end}",
            "jne 2b",
            constant = inout(reg) address(constants.start.cast_mut()) => _,
            end = in(reg) address(constants.end.cast_mut()),
            inout("zmm0") a[0], inout("zmm1") a[1], inout("zmm2") a[2], inout("zmm3") a[3], inout("zmm4") a[4],
            out("zmm5") _, out("zmm6") _, out("zmm7") _, out("zmm8") _, out("zmm9") _, out("zmm10") _,
            out("zmm11") _, out("zmm12") _, out("zmm13") _, out("zmm14") _, out("zmm15") _, out("zmm16") _,
            out("zmm17") _, out("zmm18") _, out("zmm19") _, out("zmm20") _, out("zmm21") _, out("zmm22") _,
            turned_1 = in(zmm_reg) load(const { &turned(1) }), turned_2 = in(zmm_reg) load(const { &turned(2) }),
            turned_3 = in(zmm_reg) load(const { &turned(3) }), turned_4 = in(zmm_reg) load(const { &turned(4) }),
            rho_0 = in(zmm_reg) load(const { &rho(0) }), rho_1 = in(zmm_reg) load(const { &rho(1) }),
            rho_2 = in(zmm_reg) load(const { &rho(2) }), rho_3 = in(zmm_reg) load(const { &rho(3) }),
            rho_4 = in(zmm_reg) load(const { &rho(4) }),
            in("k1") SHEAR[0], in("k2") SHEAR[1], in("k3") SHEAR[2], in("k4") 1_u8,
            options(nostack)
        );
    }
}
