//! Keccak's rounds for eight states, for four and for one, with AVX-512, in orders that were found by search.
//!
//! A round of states side by side is 95 instructions that are worth a quarter of a cycle each where there are four
//! vector pipes, and at least seven that wait for each other. How near it comes to 24 cycles depends on their order and
//! on the registers, and a compiler orders them by rules of its own, whatever the order in the source: what it makes of
//! intrinsics takes 31 cycles on Zen 5, and this 28. So the round is written in assembly here, once for both widths. A
//! round of one state is 48 instructions, nine of which wait for each other; there the order is worth about 7 % on Zen 5.
//!
//! The orders and the registers are tables in `orders`, which `tools/reorder` reads, checks and searches: its README says how
//! each was found, and what llvm-mca's models of cores make of it. The orders of states side by side and of one state were
//! found by measuring on Zen 5 (for states side by side, in both widths). For one state there is a second order, for Intel's
//! processors, found by measuring on Emerald Rapids: a round takes 28 cycles there, and in the first order 30. A change here wants
//! a measurement, too (`cargo bench --bench kernels`).
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
use crate::backend::x86_64::cpu;
use crate::backend::x86_64::orders::{plane as plane_other, plane_intel, wide};
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
/// Lane i is in register i when a round begins and ends.
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
            wide!($width),
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
    if cpu::intel() { one_in::<true>(a, constants) } else { one_in::<false>(a, constants) }
}

/// The same in the order for Intel's processors, or in the other.
#[inline] // as above
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn one_in<const INTEL: bool>(a: &mut [__m512i; 5], constants: &[u64]) {
    // The loop looks at its end whether there is another: no constants must be no loop.
    if constants.is_empty() {
        return;
    }
    let constants = constants.as_ptr_range();
    macro_rules! run {
        ($order:ident) => {
            asm!(
                ".p2align 6",
                "2:",
                $order!(plane),
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
            )
        };
    }
    // SAFETY: ASM; as many constants are read as there are.
    unsafe {
        if INTEL {
            run!(plane_intel);
        } else {
            run!(plane_other);
        }
    }
}
