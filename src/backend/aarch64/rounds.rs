//! Keccak's rounds for registers that are handed out here and not by a compiler: of one state in general registers, of
//! two in vector registers, and of three in both.
//!
//! Of such rounds with scalar instructions a compiler makes code that reads and writes the stack 20 to 30 times a round,
//! however they are written. With the order and the places below nothing is left there: 25 lanes, four sums and, while
//! sums and lanes are all alive, lane 0 in a corner of a vector register. So this is the one kernel of this architecture that
//! is written in assembly. It is written once: every line of `rounds!` is a step of the round, and a unit (`scalar`,
//! `neon`, `sha3` or two of them) says by which instructions. Two units do the same step in turn, and the processor
//! runs them side by side.
//!
//! # Frames
//!
//! A logical instruction on general registers rotates its second operand for nothing. The scalar unit therefore never
//! rotates a lane by itself: every lane is kept rotated right by some amount, its frame, and what combines two
//! of them combines them in the frame of the first operand, with the second rotated right by the difference.
//! The numbers after the operands are these differences.
//!
//! - A column's sum takes the frame of the lane that is added last, and D that of the sum to its left.
//! - After theta, a lane has the frame of its column's D, and after rho one that is greater by rho's offset.
//! - Chi makes a + (~b)c of three lanes. The result has the frame of a, but in lanes 0 and 13 that of c.
//!
//! These rules have a solution that goes round, so that all rounds are alike: the lanes' frames between rounds
//! are those of `load`. That of lane 0 is 0, and the round constant is added as it is.
//!
//! # What the assembly relies on
//!
//! - Every register that it writes is an operand, or x19, which cannot be one and is restored from the stack. The compiler
//!   is therefore not told that the stack is left alone.
//! - It touches the memory that the pointers to the state and to the constants give and, in general registers, those
//!   16 bytes of stack, no other. A round reads its constant and the next, and is the last if that is zero: the type
//!   `Constants` puts a zero behind the last.
//! - Lanes are read and written by instructions that want the alignment of a lane: a target may have asked for it.

use core::arch::asm;

use crate::sponge::keccak::{ROUND_CONSTANTS, ROUNDS};

/// The constants of some rounds, in order, and a zero, which is none of them: there the rounds end.
#[repr(C)]
pub(crate) struct Constants<const R: usize> {
    rounds: [u64; R],
    end: u64,
}

impl Constants<ROUNDS> {
    /// Those of the permutation.
    pub(crate) const ALL: Self = Self { rounds: ROUND_CONSTANTS, end: 0 };
}

impl Constants<1> {
    /// That of one round, for proofs.
    pub(crate) fn one(rc: u64) -> Self {
        Self { rounds: [rc], end: 0 }
    }
}

/// The general register of a lane, a sum, a D or the temporary number t.
///
/// Not x18, which belongs to the platform, nor x29, by which the stack is walked. The sum of column 3 takes the
/// place of lane 0, and every D but the first that of a sum that has served.
#[rustfmt::skip]
macro_rules! x {
    (0) => { "x0" }; (1) => { "x1" }; (2) => { "x2" }; (3) => { "x3" }; (4) => { "x4" };
    (5) => { "x5" }; (6) => { "x6" }; (7) => { "x7" }; (8) => { "x8" }; (9) => { "x9" };
    (10) => { "x10" }; (11) => { "x11" }; (12) => { "x12" }; (13) => { "x13" }; (14) => { "x14" };
    (15) => { "x15" }; (16) => { "x16" }; (17) => { "x17" }; (18) => { "x19" }; (19) => { "x20" };
    (20) => { "x21" }; (21) => { "x22" }; (22) => { "x23" }; (23) => { "x24" }; (24) => { "x25" };
    (c0) => { "x26" }; (c1) => { "x27" }; (c2) => { "x30" }; (c3) => { "x0" }; (c4) => { "x28" };
    (d0) => { "x30" }; (d1) => { x!(c0) }; (d2) => { x!(c1) }; (d3) => { x!(c2) }; (d4) => { x!(c3) };
    (t) => { x!(c4) };
}

/// The vector register of the same.
#[rustfmt::skip]
macro_rules! v {
    (c0) => { "v25" }; (c1) => { "v26" }; (c2) => { "v27" }; (c3) => { "v28" }; (c4) => { "v29" };
    (d0) => { "v30" }; (d1) => { v!(c0) }; (d2) => { v!(c1) }; (d3) => { v!(c2) }; (d4) => { v!(c3) };
    (t) => { v!(c4) };
    ($lane:tt) => { concat!("v", $lane) };
}

/// The steps of a round of one state, in general registers. The pointer to the constants and lane 0, while it
/// is parked, are in the halves of v31. A lane is moved by INS and UMOV, whose time PSTATE.DIT makes independent of it.
///
/// x19, which cannot be named as one that is overwritten, and the pointer to the state are saved on the stack.
macro_rules! scalar {
    (enter) => { "stp x19, x30, [sp, #-16]!\n" };
    (load $lane:tt, 0) => { concat!("ldr ", x!($lane), ", [x30], #{general}\n") };
    (load $lane:tt, $frame:literal) => {
        concat!("ldr ", x!($lane), ", [x30], #{general}\n", "ror ", x!($lane), ", ", x!($lane), ", #", $frame, "\n")
    };
    (begin) => { "fmov d31, x26\n" };
    (xor $to:tt = $a:tt, $b:tt, $turn:literal) => {
        concat!("eor ", x!($to), ", ", x!($a), ", ", x!($b), ", ror #", $turn, "\n")
    };
    (and_not $to:tt = $a:tt, $b:tt, $turn:literal) => {
        concat!("bic ", x!($to), ", ", x!($a), ", ", x!($b), ", ror #", $turn, "\n")
    };
    (rotate_in $($step:tt)+) => { scalar!(xor $($step)+) };
    (add $lane:tt, $turn:literal) => { scalar!(xor $lane = d0, $lane, $turn) };
    (park $lane:tt) => { concat!("mov v31.d[1], ", x!($lane), "\n") };
    (unpark $lane:tt) => { concat!("mov ", x!($lane), ", v31.d[1]\n") };
    (move $to:tt = $from:tt, $rho:literal) => { concat!("mov ", x!($to), ", ", x!($from), "\n") };
    (turn $to:tt = $from:tt, $d:tt, $turn:literal, $rho:literal) => { scalar!(xor $to = $d, $from, $turn) };
    (constants) => { "fmov x26, d31\n" };
    (iota) => { concat!("fmov d31, x26\n", "eor ", x!(0), ", ", x!(0), ", x27\n") };
    (leave) => { "ldr x26, [sp, #8]\n" };
    (store $lane:tt, 0) => { concat!("str ", x!($lane), ", [x26], #{general}\n") };
    (store $lane:tt, $frame:literal) => {
        concat!("ror ", x!($lane), ", ", x!($lane), ", #", $frame, "\n", "str ", x!($lane), ", [x26], #{general}\n")
    };
    (end) => { "ldp x19, x30, [sp], #16\n" };
}

/// The steps of a round of two states, in vector registers. Beside general ones, v31 is taken.
macro_rules! neon {
    (load $lane:tt, $frame:literal) => { concat!("ld1 {{v", $lane, ".2d}}, [x30], x27\n") };
    (xor $to:tt = $a:tt, $b:tt, $turn:literal) => {
        concat!("eor ", v!($to), ".16b, ", v!($a), ".16b, ", v!($b), ".16b\n")
    };
    (and_not $to:tt = $a:tt, $b:tt, $turn:literal) => {
        concat!("bic ", v!($to), ".16b, ", v!($a), ".16b, ", v!($b), ".16b\n")
    };
    // Once D of column 0 is added, its place is free for the rotated sum. An addition runs on more pipes than a shift.
    (rotate_in $to:tt = $a:tt, $b:tt, $turn:literal) => {
        concat!(
            "add ", v!(d0), ".2d, ", v!($b), ".2d, ", v!($b), ".2d\n",
            "sri ", v!(d0), ".2d, ", v!($b), ".2d, #63\n",
            neon!(xor $to = $a, d0, 0)
        )
    };
    (add $lane:tt, $turn:literal) => { neon!(xor $lane = $lane, d0, 0) };
    (move $to:tt = $from:tt, $rho:literal) => {
        concat!(
            "shl ", v!($to), ".2d, ", v!($from), ".2d, #", $rho, "\n",
            "sri ", v!($to), ".2d, ", v!($from), ".2d, #64-", $rho, "\n"
        )
    };
    (turn $to:tt = $from:tt, $d:tt, $turn:literal, $rho:literal) => {
        concat!(neon!(xor $from = $from, $d, 0), neon!(move $to = $from, $rho))
    };
    (iota) => { concat!("dup ", v!(t), ".2d, x27\n", neon!(xor 0 = 0, t, 0)) };
    (store $lane:tt, $frame:literal) => { concat!("st1 {{v", $lane, ".2d}}, [x26], x27\n") };
    (enter) => { "mov x27, #{vector}\n" };
    (leave) => { "mov x27, #{vector}\nsub x26, x30, #25 * {vector}\n" };
    ($($step:tt)+) => { "" };
}

/// The same with SHA-3 instructions for rotations: but not in column 0, whose lanes have got their D already, and not for
/// chi, for many cores have more pipes for other instructions.
macro_rules! sha3 {
    (rotate_in $to:tt = $a:tt, $b:tt, $turn:literal) => {
        concat!("rax1 ", v!($to), ".2d, ", v!($a), ".2d, ", v!($b), ".2d\n")
    };
    (turn $to:tt = $from:tt, $d:tt, $turn:literal, $rho:literal) => {
        concat!("xar ", v!($to), ".2d, ", v!($from), ".2d, ", v!($d), ".2d, #64-", $rho, "\n")
    };
    ($($step:tt)+) => { neon!($($step)+) };
}

/// Both units at work: each step in the one and in the other. A row of three states is two for the vectors and, after
/// these, one for the general registers.
macro_rules! scalar_neon {
    (leave) => { concat!(neon!(leave), scalar!(leave)) };
    ($($step:tt)+) => { concat!(neon!($($step)+), scalar!($($step)+)) };
}

macro_rules! scalar_sha3 {
    (leave) => { concat!(neon!(leave), scalar!(leave)) };
    ($($step:tt)+) => { concat!(sha3!($($step)+), scalar!($($step)+)) };
}

/// `rounds!(unit, state, constants; strides and registers that are overwritten)`: runs the rounds with these constants.
macro_rules! rounds {
    ($unit:ident, $state:expr, $constants:expr; $($operands:tt)+) => {
        asm!(
            $unit!(enter),
            $unit!(load 0, 0),
            $unit!(load 1, 44),
            $unit!(load 2, 0),
            $unit!(load 3, 21),
            $unit!(load 4, 15),
            $unit!(load 5, 28),
            $unit!(load 6, 21),
            $unit!(load 7, 18),
            $unit!(load 8, 45),
            $unit!(load 9, 18),
            $unit!(load 10, 1),
            $unit!(load 11, 27),
            $unit!(load 12, 25),
            $unit!(load 13, 1),
            $unit!(load 14, 33),
            $unit!(load 15, 28),
            $unit!(load 16, 51),
            $unit!(load 17, 10),
            $unit!(load 18, 36),
            $unit!(load 19, 56),
            $unit!(load 20, 19),
            $unit!(load 21, 55),
            $unit!(load 22, 40),
            $unit!(load 23, 56),
            $unit!(load 24, 2),
            $unit!(begin),
            "2:",
            // Theta. Slot 0 comes first, so that lane 0, which pi leaves where it is, can make room for the last sum.
            $unit!(xor c1 = 11, 1, 47),
            $unit!(xor c1 = 16, c1, 24),
            $unit!(xor c1 = 21, c1, 4),
            $unit!(xor c1 = 6, c1, 30),
            $unit!(xor c4 = 14, 9, 15),
            $unit!(xor c4 = 19, c4, 23),
            $unit!(xor c4 = 24, c4, 10),
            $unit!(xor c4 = 4, c4, 13),
            $unit!(xor c0 = 10, 5, 37),
            $unit!(xor c0 = 15, c0, 27),
            $unit!(xor c0 = 20, c0, 55),
            $unit!(xor c0 = 0, c0, 45),
            $unit!(rotate_in d0 = c4, c1, 57),
            $unit!(add 0, 15),
            $unit!(add 5, 51),
            $unit!(add 10, 14),
            $unit!(add 15, 51),
            $unit!(add 20, 60),
            $unit!(park 0),
            $unit!(xor c2 = 12, 7, 7),
            $unit!(xor c2 = 17, c2, 49),
            $unit!(xor c2 = 22, c2, 30),
            $unit!(xor c2 = 2, c2, 24),
            $unit!(xor c3 = 8, 3, 24),
            $unit!(xor c3 = 18, c3, 55),
            $unit!(xor c3 = 23, c3, 20),
            $unit!(xor c3 = 13, c3, 9),
            $unit!(rotate_in d2 = c1, c3, 19),
            $unit!(rotate_in d4 = c3, c0, 0),
            $unit!(rotate_in d1 = c0, c2, 63),
            $unit!(rotate_in d3 = c2, c4, 48),
            // Rho and pi: along the one cycle of pi, each lane goes to the place of the one that has just left.
            $unit!(turn t = 16, d1, 13, 45),
            $unit!(move 16 = 5, 36),
            $unit!(turn 5 = 3, d3, 43, 28),
            $unit!(turn 3 = 18, d3, 28, 21),
            $unit!(turn 18 = 17, d2, 11, 15),
            $unit!(turn 17 = 11, d1, 37, 10),
            $unit!(turn 11 = 7, d2, 3, 6),
            $unit!(move 7 = 10, 3),
            $unit!(turn 10 = 1, d1, 20, 1),
            $unit!(turn 1 = 6, d1, 43, 44),
            $unit!(turn 6 = 9, d4, 47, 20),
            $unit!(turn 9 = 22, d2, 45, 61),
            $unit!(turn 22 = 14, d4, 32, 39),
            $unit!(move 14 = 20, 18),
            $unit!(turn 20 = 2, d2, 21, 62),
            $unit!(turn 2 = 12, d2, 60, 43),
            $unit!(turn 12 = 13, d3, 63, 25),
            $unit!(turn 13 = 19, d4, 9, 8),
            $unit!(turn 19 = 23, d3, 8, 56),
            $unit!(move 23 = 15, 41),
            $unit!(turn 15 = 4, d4, 50, 27),
            $unit!(turn 4 = 24, d4, 63, 14),
            $unit!(turn 24 = 21, d1, 9, 2),
            $unit!(turn 21 = 8, d3, 19, 55),
            $unit!(unpark 0),
            // Chi, row by row; t stands for the lane that was moved first.
            $unit!(and_not d1 = 5, 9, 10),
            $unit!(and_not d2 = 6, 5, 57),
            $unit!(and_not d3 = 7, 6, 61),
            $unit!(xor 5 = 5, d3, 10),
            $unit!(and_not d3 = t, 7, 27),
            $unit!(xor 6 = 6, d3, 40),
            $unit!(and_not d3 = 9, t, 37),
            $unit!(xor 7 = 7, d3, 0),
            $unit!(xor 8 = t, d1, 17),
            $unit!(xor 9 = 9, d2, 61),
            $unit!(and_not d1 = 10, 14, 32),
            $unit!(and_not d2 = 11, 10, 26),
            $unit!(and_not d3 = 12, 11, 62),
            $unit!(xor 10 = 10, d3, 40),
            $unit!(and_not d3 = 13, 12, 48),
            $unit!(xor 11 = 11, d3, 18),
            $unit!(and_not d3 = 14, 13, 24),
            $unit!(xor 12 = 12, d3, 56),
            $unit!(xor 13 = d1, 13, 56),
            $unit!(xor 14 = 14, d2, 6),
            $unit!(and_not d1 = 15, 19, 36),
            $unit!(and_not d2 = 16, 15, 23),
            $unit!(and_not d3 = 17, 16, 23),
            $unit!(xor 15 = 15, d3, 18),
            $unit!(and_not d3 = 18, 17, 26),
            $unit!(xor 16 = 16, d3, 15),
            $unit!(and_not d3 = 19, 18, 20),
            $unit!(xor 17 = 17, d3, 18),
            $unit!(xor 18 = 18, d1, 8),
            $unit!(xor 19 = 19, d2, 5),
            $unit!(and_not d1 = 0, 4, 0),
            $unit!(and_not d2 = 1, 0, 29),
            $unit!(and_not d3 = 2, 1, 20),
            $unit!(xor 0 = d3, 0, 49),
            $unit!(and_not d3 = 3, 2, 21),
            $unit!(xor 1 = 1, d3, 23),
            $unit!(and_not d3 = 4, 3, 58),
            $unit!(xor 2 = 2, d3, 49),
            $unit!(xor 3 = 3, d1, 6),
            $unit!(xor 4 = 4, d2, 35),
            $unit!(and_not d1 = 20, 24, 17),
            $unit!(and_not d2 = 21, 20, 36),
            $unit!(and_not d3 = 22, 21, 49),
            $unit!(xor 20 = 20, d3, 43),
            $unit!(and_not d3 = 23, 22, 16),
            $unit!(xor 21 = 21, d3, 63),
            $unit!(and_not d3 = 24, 23, 10),
            $unit!(xor 22 = 22, d3, 38),
            $unit!(xor 23 = 23, d1, 37),
            $unit!(xor 24 = 24, d2, 11),
            $unit!(constants),
            "ldp x27, x28, [x26], #8",
            $unit!(iota),
            "cbnz x28, 2b",
            $unit!(leave),
            $unit!(store 0, 0),
            $unit!(store 1, 20),
            $unit!(store 2, 0),
            $unit!(store 3, 43),
            $unit!(store 4, 49),
            $unit!(store 5, 36),
            $unit!(store 6, 43),
            $unit!(store 7, 46),
            $unit!(store 8, 19),
            $unit!(store 9, 46),
            $unit!(store 10, 63),
            $unit!(store 11, 37),
            $unit!(store 12, 39),
            $unit!(store 13, 63),
            $unit!(store 14, 31),
            $unit!(store 15, 36),
            $unit!(store 16, 13),
            $unit!(store 17, 54),
            $unit!(store 18, 28),
            $unit!(store 19, 8),
            $unit!(store 20, 45),
            $unit!(store 21, 9),
            $unit!(store 22, 24),
            $unit!(store 23, 8),
            $unit!(store 24, 62),
            $unit!(end),
            inout("x30") address($state.as_mut_ptr()) => _,
            inout("x26") address(core::ptr::from_ref($constants).cast_mut()) => _,
            out("x27") _, out("x28") _, out("v31") _,
            $($operands)+
        )
    };
}

/// The same, for units with `scalar`.
macro_rules! general_rounds {
    ($($arguments:tt)+) => {
        rounds!(
            $($arguments)+
            out("x0") _, out("x1") _, out("x2") _, out("x3") _, out("x4") _, out("x5") _, out("x6") _, out("x7") _,
            out("x8") _, out("x9") _, out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x14") _,
            out("x15") _, out("x16") _, out("x17") _, out("x20") _, out("x21") _, out("x22") _, out("x23") _,
            out("x24") _, out("x25") _,
        )
    };
}

/// `vector_rounds!(rounds; ...)`: the same, for units with `neon` or `sha3`, by either of the macros above.
macro_rules! vector_rounds {
    ($rounds:ident; $($arguments:tt)+) => {
        $rounds!(
            $($arguments)+
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v12") _, out("v13") _, out("v14") _,
            out("v15") _, out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _, out("v21") _,
            out("v22") _, out("v23") _, out("v24") _, out("v25") _, out("v26") _, out("v27") _, out("v28") _,
            out("v29") _, out("v30") _,
        )
    };
}

/// The address, in the width of a register: some targets of this architecture have shorter pointers, and leave what is above
/// them undefined.
#[inline]
fn address<T>(pointer: *mut T) -> u64 {
    pointer.expose_provenance() as u64
}

/// Runs rounds on the state of one slot, in general registers.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn one<const W: usize, const R: usize>(
    state: &mut [[u64; W]; 25],
    slot: usize,
    constants: &Constants<R>,
) {
    const { assert!(0 < R && 0 < W && W <= 31, "a round, and strides that fit their instructions") };
    let lanes = &mut state.as_flattened_mut()[slot..][..24 * W + 1];
    // SAFETY: ASM; of `lanes`, every W-th word from the first to the last is read and written, and `constants` up to the
    // zero at its end is read.
    unsafe {
        general_rounds!(scalar, lanes, constants; general = const 8 * W,);
    }
}

/// Runs rounds on the states of three slots: two in vector registers and one in general ones.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn three<const R: usize>(state: &mut [[u64; 3]; 25], constants: &Constants<R>) {
    const { assert!(0 < R) };
    // SAFETY: ASM; the 600 bytes of `state` are read and written, and `constants` up to the zero at its end is read.
    unsafe {
        vector_rounds!(
            general_rounds; scalar_neon, state, constants; vector = const 16, general = const 8,
        );
    }
}

/// The same, with rotations by SHA-3 instructions.
#[target_feature(enable = "neon,sha3")]
pub(crate) fn three_sha3<const R: usize>(state: &mut [[u64; 3]; 25], constants: &Constants<R>) {
    const { assert!(0 < R) };
    // SAFETY: ASM; the 600 bytes of `state` are read and written, and `constants` up to the zero at its end is read.
    unsafe {
        vector_rounds!(
            general_rounds; scalar_sha3, state, constants; vector = const 16, general = const 8,
        );
    }
}

/// Runs rounds on the states of the first two of three slots, in vector registers, with rotations by SHA-3
/// instructions.
#[target_feature(enable = "neon,sha3")]
pub(crate) fn two_sha3<const R: usize>(state: &mut [[u64; 3]; 25], constants: &Constants<R>) {
    const { assert!(0 < R) };
    // SAFETY: ASM; of the 600 bytes of `state`, the first 16 of every 24 are read and written, and `constants` up to the
    // zero at its end is read.
    unsafe {
        vector_rounds!(rounds; sha3, state, constants; vector = const 24,);
    }
}

#[cfg(test)]
mod tests {
    use super::{Constants, one, three};
    use crate::sponge::keccak::check;

    #[test]
    fn permutes_one_state() {
        // SAFETY: this target has NEON.
        check::<1>(1, |state| unsafe { one(state, 0, &Constants::ALL) });
        // SAFETY: this target has NEON.
        check::<3>(1, |state| unsafe { one(state, 0, &Constants::ALL) });
    }

    #[test]
    fn permutes_three_states() {
        // SAFETY: this target has NEON.
        check::<3>(3, |state| unsafe { three(state, &Constants::ALL) });
    }
}
