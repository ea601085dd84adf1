//! Keccak-f\[1600\] on as many states as a vector register has words of 64 bits.
//!
//! Lane x + 5y of every state is register `v0` + x + 5y: the 25 lanes, five column parities and two temporaries are
//! exactly the 32 registers. A round works in place: pi moves the lanes along its one cycle of 24, and what chi
//! finds in the other registers' place it leaves in the right one.
//!
//! A kernel runs one round for each constant it is given: all of them, or one when a test looks at a round. Their number
//! is an immediate: there is no general register left for it.

use super::super::{vector, zbb};
use crate::backend::portable;
use crate::sponge::keccak::ROUNDS;

/// Assembler text, a piece a line.
macro_rules! lines {
    ($($line:expr),* $(,)?) => { concat!($($line, "\n"),*) };
}

/// v`to` = v`from` rotated left by `n` = 64 - `m`, through v`t`, for one after the other: a lane's place may be taken
/// once it has been read.
///
/// Without Zvkb in two shifts. Immediate shifts end at 31, so the longer one of the two is in a register, rN for N.
/// First all the shifts, then what joins them: nothing waits for the instruction before it.
macro_rules! rotate {
    (v: $([$to:literal, $from:literal, $n:literal, $m:literal, $length:ident; $t:literal])*) => {
        lines!(
            $(shift!($to, $from, $n, $m, $length, $t),)*
            $(concat!("vor.vv v", $to, ", v", $to, ", v", $t),)*
        )
    };
    (zvkb: $([$to:literal, $from:literal, $n:literal, $m:literal, $length:ident; $t:literal])*) => {
        lines!($(concat!("vror.vi v", $to, ", v", $from, ", ", $m)),*)
    };
}
macro_rules! shift {
    ($to:literal, $from:literal, $n:literal, $m:literal, short, $t:literal) => {
        lines!(
            concat!("vsll.vi v", $t, ", v", $from, ", ", $n),
            concat!("vsrl.vx v", $to, ", v", $from, ", {r", $m, "}"),
        )
    };
    ($to:literal, $from:literal, $n:literal, $m:literal, long, $t:literal) => {
        lines!(
            concat!("vsll.vx v", $t, ", v", $from, ", {r", $n, "}"),
            concat!("vsrl.vi v", $to, ", v", $from, ", ", $m),
        )
    };
}

/// The parities of the columns, v25 to v29.
macro_rules! parities {
    () => {
        lines!(
            parities!(25 0 5, 26 1 6, 27 2 7, 28 3 8, 29 4 9),
            parities!(25 25 10, 26 26 11, 27 27 12, 28 28 13, 29 29 14),
            parities!(25 25 15, 26 26 16, 27 27 17, 28 28 18, 29 29 19),
            parities!(25 25 20, 26 26 21, 27 27 22, 28 28 23, 29 29 24),
        )
    };
    ($($sum:literal $a:literal $b:literal),*) => {
        lines!($(concat!("vxor.vv v", $sum, ", v", $a, ", v", $b)),*)
    };
}

/// Adds to the lanes of a column the parity `left` of the column before it and that of the column after it, `right`,
/// rotated by 1.
macro_rules! theta {
    ($arch:ident, $left:literal, $right:literal, $($lane:literal),*) => {
        lines!(
            rotate!($arch: [30, $right, 1, 63, short; 31]),
            concat!("vxor.vv v30, v30, v", $left),
            $(concat!("vxor.vv v", $lane, ", v", $lane, ", v30")),*
        )
    };
}

/// v`n` = the and-not of b1 and b2, of which one, both or the result may be complemented (see `portable::keccak`).
macro_rules! term {
    (and, $n:literal, $b1:literal, $b2:literal) => {
        concat!("vand.vv v", $n, ", v", $b1, ", v", $b2)
    };
    (or, $n:literal, $b1:literal, $b2:literal) => {
        concat!("vor.vv v", $n, ", v", $b1, ", v", $b2)
    };
    (nand, $n:literal, $b1:literal, $b2:literal) => {
        not!($n, term!(and, $n, $b1, $b2))
    };
    (nor, $n:literal, $b1:literal, $b2:literal) => {
        not!($n, term!(or, $n, $b1, $b2))
    };
    (not_and, $n:literal, $b1:literal, $b2:literal) => {
        lines!(concat!("vnot.v v", $n, ", v", $b1), concat!("vand.vv v", $n, ", v", $n, ", v", $b2))
    };
    (not_or, $n:literal, $b1:literal, $b2:literal) => {
        lines!(concat!("vnot.v v", $n, ", v", $b1), concat!("vor.vv v", $n, ", v", $n, ", v", $b2))
    };
    (or_not, $n:literal, $b1:literal, $b2:literal) => {
        term!(not_or, $n, $b2, $b1)
    };
    (andn, $n:literal, $b1:literal, $b2:literal) => {
        concat!("vandn.vv v", $n, ", v", $b2, ", v", $b1)
    };
}
macro_rules! not {
    ($n:literal, $line:expr) => {
        lines!($line, concat!("vnot.v v", $n, ", v", $n))
    };
}

/// A row in place, but for its first lane, which is taken from v`b0` and left in v`out`.
macro_rules! chi {
    ($b0:literal, $b1:literal, $b2:literal, $b3:literal, $b4:literal => $out:literal:
     $t0:ident, $t1:ident, $t2:ident, $t3:ident, $t4:ident) => {
        lines!(
            term!($t0, 26, $b1, $b2),
            term!($t1, 27, $b2, $b3),
            term!($t2, 28, $b3, $b4),
            term!($t3, 29, $b4, $b0),
            term!($t4, 30, $b0, $b1),
            concat!("vxor.vv v", $out, ", v", $b0, ", v26"),
            concat!("vxor.vv v", $b1, ", v", $b1, ", v27"),
            concat!("vxor.vv v", $b2, ", v", $b2, ", v28"),
            concat!("vxor.vv v", $b3, ", v", $b3, ", v29"),
            concat!("vxor.vv v", $b4, ", v", $b4, ", v30"),
        )
    };
}

/// Chi on all rows. After pi, v25 holds lane 10.
macro_rules! rows {
    // Lanes 1, 2, 8, 12, 17 and 20 are complemented between rounds, as in `portable::keccak`: of the 25
    // and-nots, each two instructions, 17 become one.
    (v) => {
        lines!(
            chi!(25, 11, 12, 13, 14 => 10: or, and, not_and, nor, and),
            chi!(0, 1, 2, 3, 4 => 0: or, not_or, and, or, and),
            chi!(5, 6, 7, 8, 9 => 5: or, and, or_not, or, and),
            chi!(15, 16, 17, 18, 19 => 15: and, or, not_or, nand, or),
            chi!(20, 21, 22, 23, 24 => 20: not_and, nor, and, or, and),
        )
    };
    (zvkb) => {
        lines!(
            chi!(25, 11, 12, 13, 14 => 10: andn, andn, andn, andn, andn),
            chi!(0, 1, 2, 3, 4 => 0: andn, andn, andn, andn, andn),
            chi!(5, 6, 7, 8, 9 => 5: andn, andn, andn, andn, andn),
            chi!(15, 16, 17, 18, 19 => 15: andn, andn, andn, andn, andn),
            chi!(20, 21, 22, 23, 24 => 20: andn, andn, andn, andn, andn),
        )
    };
}

/// Complements the lanes that `rows` wants so.
macro_rules! complement {
    (v) => {
        "vnot.v v1, v1\n vnot.v v2, v2\n vnot.v v8, v8\n vnot.v v12, v12\n vnot.v v17, v17\n vnot.v v20, v20"
    };
    (zvkb) => {
        ""
    };
}

/// `line` for all lanes, upwards or downwards, with a step of {p} between them.
macro_rules! each_lane {
    (load) => {
        each_lane!("vle64.v", "add {p}, {p}, {pitch}":
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24)
    };
    (store) => {
        each_lane!("vse64.v", "sub {p}, {p}, {pitch}":
            24 23 22 21 20 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0)
    };
    ($what:literal, $step:literal: $first:literal $($lane:literal)*) => {
        lines!(
            concat!($what, " v", $first, ", ({p})"),
            $($step, concat!($what, " v", $lane, ", ({p})")),*
        )
    };
}

/// The permutation of `n` slots from {p} on, as many at a time as a register takes.
macro_rules! permutation {
    ($arch:ident) => {
        lines!(
            "2:",
            "vsetvli {vl}, {slots}, e64, m1, ta, ma",
            each_lane!(load),
            complement!($arch),
            "li {round}, {rounds}",
            "3:",
            parities!(),
            theta!($arch, 29, 26, 0, 5, 10, 15, 20),
            theta!($arch, 25, 27, 1, 6, 11, 16, 21),
            theta!($arch, 26, 28, 2, 7, 12, 17, 22),
            theta!($arch, 27, 29, 3, 8, 13, 18, 23),
            theta!($arch, 28, 25, 4, 9, 14, 19, 24),
            // rho and pi: each lane takes its place from the one before it in the cycle, the last first.
            rotate!($arch: [25, 1, 1, 63, short; 31] [1, 6, 44, 20, long; 30]
                [6, 9, 20, 44, short; 29] [9, 22, 61, 3, long; 28]),
            rotate!($arch: [22, 14, 39, 25, long; 31] [14, 20, 18, 46, short; 30]
                [20, 2, 62, 2, long; 29] [2, 12, 43, 21, long; 28]),
            rotate!($arch: [12, 13, 25, 39, short; 31] [13, 19, 8, 56, short; 30]
                [19, 23, 56, 8, long; 29] [23, 15, 41, 23, long; 28]),
            rotate!($arch: [15, 4, 27, 37, short; 31] [4, 24, 14, 50, short; 30]
                [24, 21, 2, 62, short; 29] [21, 8, 55, 9, long; 28]),
            rotate!($arch: [8, 16, 45, 19, long; 31] [16, 5, 36, 28, long; 30]
                [5, 3, 28, 36, short; 29] [3, 18, 21, 43, short; 28]),
            rotate!($arch: [18, 17, 15, 49, short; 31] [17, 11, 10, 54, short; 30]
                [11, 7, 6, 58, short; 29] [7, 10, 3, 61, short; 28]),
            rows!($arch),
            "ld {t}, 0({constants})",
            "addi {constants}, {constants}, 8",
            "vxor.vx v0, v0, {t}",
            "addi {round}, {round}, -1",
            "bnez {round}, 3b",
            "addi {constants}, {constants}, {back}",
            complement!($arch),
            each_lane!(store),
            // the next slots
            "slli {t}, {vl}, 3",
            "add {p}, {p}, {t}",
            "sub {slots}, {slots}, {vl}",
            "bnez {slots}, 2b",
        )
    };
}

/// Permutes the states in the slots `0..used`.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn permute<const W: usize, const R: usize>(
    states: &mut [[u64; W]; 25],
    used: usize,
    constants: &[u64; R],
) {
    // SAFETY: this is 25 rows of W words.
    unsafe { permute_v(states.as_mut_ptr().cast(), 8 * W, used.min(W), constants) }
}

/// The same with the rotations and the and-not of Zvkb.
///
/// # Safety
///
/// The machine has V and Zvkb.
pub(crate) unsafe fn permute_zvkb<const W: usize, const R: usize>(
    states: &mut [[u64; W]; 25],
    used: usize,
    constants: &[u64; R],
) {
    // SAFETY: this is 25 rows of W words.
    unsafe { permute_v_zvkb(states.as_mut_ptr().cast(), 8 * W, used.min(W), constants) }
}

/// On `slots` of 25 rows that are `pitch` bytes apart.
///
/// # Safety
///
/// The machine has V; each of the rows has `slots` words.
unsafe fn permute_v<const R: usize>(p: *mut u64, pitch: usize, slots: usize, constants: &[u64; R]) {
    const { assert!(R > 0 && R <= ROUNDS) };
    // SAFETY: reads and writes the words of the rows, and reads the round constants.
    unsafe {
        vector!(permutation!(v);
            p = inout(reg) p => _, pitch = in(reg) pitch, slots = inout(reg) slots => _,
            constants = inout(reg) constants.as_ptr() => _, rounds = const R, back = const -8 * R as i64,
            vl = out(reg) _, round = out(reg) _, t = out(reg) _,
            r36 = in(reg) 36, r37 = in(reg) 37, r39 = in(reg) 39, r41 = in(reg) 41, r43 = in(reg) 43,
            r44 = in(reg) 44, r45 = in(reg) 45, r46 = in(reg) 46, r49 = in(reg) 49, r50 = in(reg) 50,
            r54 = in(reg) 54, r55 = in(reg) 55, r56 = in(reg) 56, r58 = in(reg) 58, r61 = in(reg) 61,
            r62 = in(reg) 62, r63 = in(reg) 63,
        )
    }
}

/// As `permute_v`.
///
/// # Safety
///
/// The machine has V and Zvkb; each of the rows has `slots` words.
unsafe fn permute_v_zvkb<const R: usize>(p: *mut u64, pitch: usize, slots: usize, constants: &[u64; R]) {
    const { assert!(R > 0 && R <= ROUNDS) };
    // SAFETY: reads and writes the words of the rows, and reads the round constants.
    unsafe {
        vector!(".option arch, +zvkb", permutation!(zvkb);
            p = inout(reg) p => _, pitch = in(reg) pitch, slots = inout(reg) slots => _,
            constants = inout(reg) constants.as_ptr() => _, rounds = const R, back = const -8 * R as i64,
            vl = out(reg) _, round = out(reg) _, t = out(reg) _,
        )
    }
}

/// Permutes one state, with scalar instructions.
///
/// # Safety
///
/// If `zbb`, the machine has Zbb.
pub(crate) unsafe fn permute_x1(state: &mut [u64; 25], zbb: bool) {
    if zbb {
        // SAFETY: the machine has Zbb.
        unsafe { zbb::permute(state) }
    } else {
        portable::keccak::permute(state);
    }
}

/// One round of `permute_x1`, for proofs.
///
/// # Safety
///
/// If `zbb`, the machine has Zbb.
pub(crate) unsafe fn one_round_x1(state: &mut [u64; 25], zbb: bool, rc: u64) {
    if zbb {
        // SAFETY: the machine has Zbb.
        unsafe { zbb::one_round(state, rc) }
    } else {
        portable::keccak::one_round(state, rc);
    }
}

/// Rows 0 to 23 of the slots `0..used`, slot by slot.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn squeeze<const W: usize>(
    states: &[[u64; W]; 25],
    used: usize,
    blocks: &mut [[u8; 192]; W],
) {
    // SAFETY: these are 25 rows and W blocks of 24 words.
    unsafe { transpose(states.as_ptr().cast(), 8 * W, used.min(W), blocks.as_mut_ptr().cast()) }
}

/// Eight rows into eight words of each block.
macro_rules! eight_rows {
    () => {
        lines!(
            eight_rows!(0 1 2 3 4 5 6 7),
            "vssseg8e64.v v0, ({to}), {block}",
            "addi {to}, {to}, 64",
        )
    };
    ($($lane:literal)*) => {
        lines!($(concat!("vle64.v v", $lane, ", ({row})"), "add {row}, {row}, {pitch}"),*)
    };
}

/// # Safety
///
/// The machine has V; each of 24 rows, `pitch` bytes apart, has `slots` words, and `blocks` has as many blocks.
unsafe fn transpose(rows: *const u64, pitch: usize, slots: usize, blocks: *mut u64) {
    // SAFETY: reads the words of the rows, writes the blocks.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {slots}, e64, m1, ta, ma",
            "mv {row}, {rows}",
            "mv {to}, {blocks}",
            eight_rows!(),
            eight_rows!(),
            eight_rows!(),
            "slli {row}, {vl}, 3",
            "add {rows}, {rows}, {row}",
            "mul {row}, {vl}, {block}",
            "add {blocks}, {blocks}, {row}",
            "sub {slots}, {slots}, {vl}",
            "bnez {slots}, 2b";
            rows = inout(reg) rows => _, pitch = in(reg) pitch, slots = inout(reg) slots => _,
            blocks = inout(reg) blocks => _, block = in(reg) 192usize,
            vl = out(reg) _, row = out(reg) _, to = out(reg) _,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rvv;
    use crate::backend::conformance::{present, sponge_steps};
    use crate::sponge::keccak::{ROUND_CONSTANTS, check};
    use crate::sponge::{Blocks, Keccak, States};

    /// Every number of states up to W, whatever the vector length.
    fn states<const W: usize>(backend: Rvv)
    where
        Rvv: Keccak<W>,
    {
        for used in 1..=W {
            check::<W>(used, |state| {
                let mut states = States(*state);
                backend.permute(&mut states, used);
                let mut blocks = Blocks([[0; 192]; W]);
                backend.squeeze(&states, used, &mut blocks);
                for (slot, block) in blocks.0.iter().enumerate().take(used) {
                    for (row, word) in states.0.iter().zip(block.as_chunks().0).take(21) {
                        assert_eq!(row[slot].to_le_bytes(), *word);
                    }
                }
                // What is beyond `used` means nothing: here it is left.
                *state = states.0;
            });
        }
    }

    #[test]
    fn permutes_up_to_sixteen_states() {
        let Some(backend) = present("rvv", Rvv::detect()) else { return };
        states::<1>(backend);
        states::<2>(backend);
        states::<4>(backend);
        states::<8>(backend);
        states::<16>(backend);
    }

    #[test]
    fn blocks_are_the_slots() {
        let Some(backend) = present("rvv", Rvv::detect()) else { return };
        sponge_steps::<Rvv, 2>(backend);
        sponge_steps::<Rvv, 4>(backend);
        sponge_steps::<Rvv, 8>(backend);
        sponge_steps::<Rvv, 16>(backend);
    }

    #[test]
    fn zvkb_and_plain_vectors_agree() {
        let Some(backend) = present("rvv", Rvv::detect()) else { return };
        // SAFETY: the machine has V.
        check::<4>(4, |state| unsafe { super::permute(state, 4, &ROUND_CONSTANTS) });
        if backend.0.zvkb() {
            // SAFETY: the machine has V and Zvkb.
            check::<4>(4, |state| unsafe { super::permute_zvkb(state, 4, &ROUND_CONSTANTS) });
        } else {
            std::println!("SKIPPED Zvkb: this machine lacks it");
        }
    }
}
