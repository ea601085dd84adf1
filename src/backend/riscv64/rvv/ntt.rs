//! FIPS 203, Algorithms 9 and 10: the number-theoretic transform and its inverse.
//!
//! The polynomial is seen as 16 blocks of 16 coefficients, c16 i + j being number j of block i. The first four layers
//! combine blocks: block i is register vi, as many of its columns as fit, and a zeta serves a whole register. The
//! last three combine numbers within the blocks: number j of all blocks is register vj, loaded and stored across by
//! segments, and a register of zetas has one for each block. So every butterfly is between whole registers, and with
//! 256 bits or more there is one turn of either kind.

use core::mem::MaybeUninit;

use super::super::vector;
use super::reduce::{BARRETT_HALF, PRODUCT, REDUCED, barrett_reduce, factors, lines, montgomery_multiply};
use crate::backend::bounds::{TRANSFORMED, forward, sum};
use crate::backend::poly::{Lazy, N, Q, Range};
use crate::backend::tables::{BARRETT, RESTORE_AND_SCALE, ZETAS};

/// Blocks, and coefficients in each.
const BLOCKS: usize = 16;
const _: () = assert!(BLOCKS * BLOCKS == N);

// A layer of the transform adds at most a product; |f| < q before the first.
const _: () = assert!(forward(7, PRODUCT) == TRANSFORMED);
// A layer of the inverse replaces (x, y) by (x + y, zeta (y - x)): the bound of a sum doubles, that of a product does
// not grow. From products (by the scale, or in the layer before), three layers go without a reduction. All sums are
// reduced in the third layer. Of those that have grown since then to the sixth, which are blocks 0 and 8, one is
// reduced: the seventh layer adds the other to it, and to the rest at most as much.
const _: () = {
    const B: i32 = PRODUCT + 1;
    const LONGEST: i32 = sum(sum(sum(B)));
    assert!(LONGEST <= i16::MAX as i32 && REDUCED < B && REDUCED + LONGEST <= Lazy::MAX as i32 + 1);
};

/// The zetas of the layers across blocks, each with its twisted form: that of the layer of length 128 at index 1, those
/// of length 64 from 2 on, and so forth.
type Across = [[i16; 2]; BLOCKS];
/// Those of the layers within blocks, for every block: one of the layer of length 8, two of length 4, four of length
/// 2, each with its twisted form.
type Within = [[[i16; BLOCKS]; 2]; 7];

static ACROSS: Across = across(false);
static WITHIN: Within = within(false);
static ACROSS_BACKWARDS: Across = across(true);
static WITHIN_BACKWARDS: Within = within(true);

/// The zeta of block `k` of the layer of `blocks` blocks. The inverse has them backwards (Algorithm 10, line 6).
const fn zeta(blocks: usize, k: usize, backwards: bool) -> i16 {
    ZETAS[if backwards { 2 * blocks - 1 - k } else { blocks + k }]
}

const fn across(backwards: bool) -> Across {
    let (mut table, mut blocks) = ([[0; 2]; BLOCKS], 1);
    while blocks < BLOCKS {
        let mut k = 0;
        while k < blocks {
            let [[b], [twisted]] = factors([zeta(blocks, k, backwards)]);
            table[blocks + k] = [b, twisted];
            k += 1;
        }
        blocks *= 2;
    }
    table
}

const fn within(backwards: bool) -> Within {
    let (mut table, mut each) = ([[[0; BLOCKS]; 2]; 7], 1);
    while each <= 4 {
        let mut k = 0;
        while k < each {
            let (mut row, mut block) = ([0; BLOCKS], 0);
            while block < BLOCKS {
                row[block] = zeta(BLOCKS * each, each * block + k, backwards);
                block += 1;
            }
            table[each - 1 + k] = factors(row);
            k += 1;
        }
        each *= 2;
    }
    table
}

/// Four butterflies at once, so that no instruction waits for the one before: (x, y) to (x + zeta y, x - zeta y).
/// `zeta` and `twisted` are operands of the form `vx` or `vv`. Through v24 to v31.
macro_rules! butterflies {
    ($form:literal: $([$x:literal, $y:literal, $zeta:literal, $twisted:literal; $t:literal, $u:literal])*) => {
        lines!(
            montgomery_multiply!($form:
                $([concat!("v", $u), concat!("v", $y), $zeta, $twisted; concat!("v", $t)])*),
            $(concat!("vsub.vv v", $y, ", v", $x, ", v", $u),)*
            $(concat!("vadd.vv v", $x, ", v", $x, ", v", $u),)*
        )
    };
    ($form:literal, $zeta:literal, $twisted:literal: $a:literal $b:literal $c:literal $d:literal,
     $e:literal $f:literal $g:literal $h:literal) => {
        butterflies!($form: [$a, $e, $zeta, $twisted; 24, 28] [$b, $f, $zeta, $twisted; 25, 29]
            [$c, $g, $zeta, $twisted; 26, 30] [$d, $h, $zeta, $twisted; 27, 31])
    };
}

/// The same the other way: (x, y) to (x + y, zeta (y - x)).
macro_rules! inverse_butterflies {
    ($form:literal: $([$x:literal, $y:literal, $zeta:literal, $twisted:literal; $t:literal, $u:literal])*) => {
        lines!(
            $(concat!("vsub.vv v", $u, ", v", $y, ", v", $x),)*
            $(concat!("vadd.vv v", $x, ", v", $x, ", v", $y),)*
            montgomery_multiply!($form:
                $([concat!("v", $y), concat!("v", $u), $zeta, $twisted; concat!("v", $t)])*),
        )
    };
    ($form:literal, $zeta:literal, $twisted:literal: $a:literal $b:literal $c:literal $d:literal,
     $e:literal $f:literal $g:literal $h:literal) => {
        inverse_butterflies!($form: [$a, $e, $zeta, $twisted; 24, 28] [$b, $f, $zeta, $twisted; 25, 29]
            [$c, $g, $zeta, $twisted; 26, 30] [$d, $h, $zeta, $twisted; 27, 31])
    };
}

/// Zeta number `i` of the layers across blocks, to {z0} or another operand, and its twisted form to {w0} ...
macro_rules! zeta {
    ($i:literal => $zeta:literal, $twisted:literal) => {
        lines!(
            concat!("lh ", $zeta, ", 4 * ", $i, "({zetas})"),
            concat!("lh ", $twisted, ", 4 * ", $i, " + 2({zetas})"),
        )
    };
}

/// Zeta number `i` of the layers within blocks.
macro_rules! zetas {
    ($($i:literal => $zeta:literal, $twisted:literal);*) => {
        lines!($(
            concat!("addi {t}, {zetas}, 64 * ", $i),
            concat!("vle16.v v", $zeta, ", ({t})"),
            "addi {t}, {t}, 32",
            concat!("vle16.v v", $twisted, ", ({t})"),
        )*)
    };
}

/// Loads or stores ("vle16.v" or "vse16.v") the same columns of all blocks, from {p} on.
macro_rules! each_block {
    ($what:literal) => {
        each_block!($what, 0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($what:literal, $first:literal: $($block:literal)*) => {
        lines!(
            concat!($what, " v", $first, ", ({p})"),
            $("addi {p}, {p}, 32", concat!($what, " v", $block, ", ({p})")),*
        )
    };
}

/// The next columns of {a} and {b}.
macro_rules! next_columns {
    () => {
        lines!(
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {a}, {a}, {vl}",
            "add {b}, {b}, {vl}",
            "bnez {n}, 2b",
        )
    };
}

/// The next blocks of {standard}, their pairs in {pairs}, and their zetas.
macro_rules! next_blocks {
    () => {
        lines!(
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {zetas}, {zetas}, {vl}",
            "slli {vl}, {vl}, 3",
            "add {pairs}, {pairs}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {standard}, {standard}, {vl}",
            "bnez {n}, 2b",
        )
    };
}

/// FIPS 203, Algorithm 9. |f| < q; |f_hat| < 8q.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn ntt(f: &[i16; N], f_hat: &mut [i16; N]) {
    let mut a = MaybeUninit::<[i16; N]>::uninit();
    // SAFETY: `a` is written by the first call, before the second reads it.
    unsafe {
        layers_across(f.as_ptr(), a.as_mut_ptr().cast());
        layers_within(a.as_ptr().cast(), f_hat);
        wipe(&mut a);
    }
}

/// The layers of length 128 to 16, from `a` to `b`, both in the standard's order.
///
/// # Safety
///
/// The machine has V; `a` points to 256 numbers, `b` to the room for them.
unsafe fn layers_across(a: *const i16, b: *mut i16) {
    // SAFETY: reads 256 numbers of `a` and the table, writes 256 of `b`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m1, ta, ma",
            "mv {p}, {a}",
            each_block!("vle16.v"),
            zeta!(1 => "{z0}", "{w0}"),
            butterflies!("vx", "{z0}", "{w0}": 0 1 2 3, 8 9 10 11),
            butterflies!("vx", "{z0}", "{w0}": 4 5 6 7, 12 13 14 15),
            zeta!(2 => "{z0}", "{w0}"),
            zeta!(3 => "{z1}", "{w1}"),
            butterflies!("vx", "{z0}", "{w0}": 0 1 2 3, 4 5 6 7),
            butterflies!("vx", "{z1}", "{w1}": 8 9 10 11, 12 13 14 15),
            zeta!(4 => "{z0}", "{w0}"),
            zeta!(5 => "{z1}", "{w1}"),
            zeta!(6 => "{z2}", "{w2}"),
            zeta!(7 => "{z3}", "{w3}"),
            butterflies!("vx": [0, 2, "{z0}", "{w0}"; 24, 28] [1, 3, "{z0}", "{w0}"; 25, 29]
                [4, 6, "{z1}", "{w1}"; 26, 30] [5, 7, "{z1}", "{w1}"; 27, 31]),
            butterflies!("vx": [8, 10, "{z2}", "{w2}"; 24, 28] [9, 11, "{z2}", "{w2}"; 25, 29]
                [12, 14, "{z3}", "{w3}"; 26, 30] [13, 15, "{z3}", "{w3}"; 27, 31]),
            zeta!(8 => "{z0}", "{w0}"),
            zeta!(9 => "{z1}", "{w1}"),
            zeta!(10 => "{z2}", "{w2}"),
            zeta!(11 => "{z3}", "{w3}"),
            butterflies!("vx": [0, 1, "{z0}", "{w0}"; 24, 28] [2, 3, "{z1}", "{w1}"; 25, 29]
                [4, 5, "{z2}", "{w2}"; 26, 30] [6, 7, "{z3}", "{w3}"; 27, 31]),
            zeta!(12 => "{z0}", "{w0}"),
            zeta!(13 => "{z1}", "{w1}"),
            zeta!(14 => "{z2}", "{w2}"),
            zeta!(15 => "{z3}", "{w3}"),
            butterflies!("vx": [8, 9, "{z0}", "{w0}"; 24, 28] [10, 11, "{z1}", "{w1}"; 25, 29]
                [12, 13, "{z2}", "{w2}"; 26, 30] [14, 15, "{z3}", "{w3}"; 27, 31]),
            "mv {p}, {b}",
            each_block!("vse16.v"),
            next_columns!();
            a = inout(reg) a => _, b = inout(reg) b => _, p = out(reg) _, zetas = in(reg) ACROSS.as_ptr(),
            z0 = out(reg) _, z1 = out(reg) _, z2 = out(reg) _, z3 = out(reg) _,
            w0 = out(reg) _, w1 = out(reg) _, w2 = out(reg) _, w3 = out(reg) _,
            n = inout(reg) BLOCKS => _, vl = out(reg) _, q = in(reg) Q,
        )
    }
}

/// The layer of length 2 on the even (first number 0) or odd (1) numbers of the blocks, into v24 to v31.
macro_rules! last_layer {
    ($y0:literal, $y1:literal, $y2:literal, $y3:literal, $x0:literal, $x1:literal, $x2:literal, $x3:literal) => {
        lines!(
            montgomery_multiply!("vv":
                ["v28", concat!("v", $y0), "v16", "v20"; "v24"] ["v29", concat!("v", $y1), "v17", "v21"; "v25"]
                ["v30", concat!("v", $y2), "v18", "v22"; "v26"] ["v31", concat!("v", $y3), "v19", "v23"; "v27"]),
            concat!("vadd.vv v24, v", $x0, ", v28"),
            concat!("vsub.vv v25, v", $x0, ", v28"),
            concat!("vadd.vv v26, v", $x1, ", v29"),
            concat!("vsub.vv v27, v", $x1, ", v29"),
            // The products go as their places are taken.
            concat!("vadd.vv v28, v", $x2, ", v30"),
            concat!("vsub.vv v29, v", $x2, ", v30"),
            concat!("vadd.vv v30, v", $x3, ", v31"),
            concat!("vsub.vv v31, v", $x3, ", v31"),
        )
    };
}

/// The layers of length 8, 4 and 2, from the standard's order to that of this backend.
///
/// # Safety
///
/// The machine has V; `a` points to 256 numbers.
unsafe fn layers_within(a: *const i16, f_hat: &mut [i16; N]) {
    // SAFETY: reads 256 numbers of `a` and the table, writes 256 of `f_hat`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m1, ta, ma",
            "vlsseg8e16.v v0, ({standard}), {block}",
            "addi {t}, {standard}, 16",
            "vlsseg8e16.v v8, ({t}), {block}",
            zetas!(0 => 16, 20),
            butterflies!("vv", "v16", "v20": 0 1 2 3, 8 9 10 11),
            butterflies!("vv", "v16", "v20": 4 5 6 7, 12 13 14 15),
            zetas!(1 => 16, 20; 2 => 17, 21),
            butterflies!("vv", "v16", "v20": 0 1 2 3, 4 5 6 7),
            butterflies!("vv", "v17", "v21": 8 9 10 11, 12 13 14 15),
            zetas!(3 => 16, 20; 4 => 17, 21; 5 => 18, 22; 6 => 19, 23),
            last_layer!(2, 6, 10, 14, 0, 4, 8, 12),
            "vsseg8e16.v v24, ({pairs})",
            last_layer!(3, 7, 11, 15, 1, 5, 9, 13),
            "addi {t}, {pairs}, 2 * 128",
            "vsseg8e16.v v24, ({t})",
            next_blocks!();
            standard = inout(reg) a => _, pairs = inout(reg) f_hat.as_mut_ptr() => _,
            zetas = inout(reg) WITHIN.as_ptr() => _, block = in(reg) 2 * BLOCKS,
            n = inout(reg) BLOCKS => _, vl = out(reg) _, t = out(reg) _, q = in(reg) Q,
        )
    }
}

/// FIPS 203, Algorithm 10, in place, for input that carries a factor 2^-16 from a product.
/// Any 16-bit input; |f| < 8q.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn ntt_inverse(f: &mut [i16; N]) {
    let mut a = MaybeUninit::<[i16; N]>::uninit();
    // SAFETY: `a` is written by the first call, before the second reads it.
    unsafe {
        inverse_layers_within(f, a.as_mut_ptr().cast());
        inverse_layers_across(a.as_ptr().cast(), f.as_mut_ptr());
        wipe(&mut a);
    }
}

/// The inverse of the layer of length 2 on v24 to v31, into the even or the odd registers of v0 to v15, which are
/// `r0` to `r7`. Removes the factor of the product and scales by 1/128 first.
macro_rules! first_layer {
    ($r0:literal, $r1:literal, $r2:literal, $r3:literal, $r4:literal, $r5:literal, $r6:literal, $r7:literal) => {
        lines!(
            montgomery_multiply!("vx":
                ["v24", "v24", "{scale}", "{twisted}"; $r0] ["v25", "v25", "{scale}", "{twisted}"; $r1]
                ["v26", "v26", "{scale}", "{twisted}"; $r2] ["v27", "v27", "{scale}", "{twisted}"; $r3]
                ["v28", "v28", "{scale}", "{twisted}"; $r4] ["v29", "v29", "{scale}", "{twisted}"; $r5]
                ["v30", "v30", "{scale}", "{twisted}"; $r6] ["v31", "v31", "{scale}", "{twisted}"; $r7]),
            concat!("vadd.vv ", $r0, ", v24, v25"),
            concat!("vadd.vv ", $r2, ", v26, v27"),
            concat!("vadd.vv ", $r4, ", v28, v29"),
            concat!("vadd.vv ", $r6, ", v30, v31"),
            concat!("vsub.vv ", $r1, ", v25, v24"),
            concat!("vsub.vv ", $r3, ", v27, v26"),
            concat!("vsub.vv ", $r5, ", v29, v28"),
            concat!("vsub.vv ", $r7, ", v31, v30"),
            montgomery_multiply!("vv": [$r1, $r1, "v16", "v20"; "v24"] [$r3, $r3, "v17", "v21"; "v25"]
                [$r5, $r5, "v18", "v22"; "v26"] [$r7, $r7, "v19", "v23"; "v27"]),
        )
    };
}

/// The inverse of the layers of length 2, 4 and 8, from the order of this backend to the standard's.
///
/// # Safety
///
/// The machine has V; there is room for 256 numbers at `a`.
unsafe fn inverse_layers_within(f: &[i16; N], a: *mut i16) {
    const SCALE: [[i16; 1]; 2] = factors([RESTORE_AND_SCALE]);
    // SAFETY: reads 256 numbers of `f` and the table, writes 256 of `a`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m1, ta, ma",
            zetas!(3 => 16, 20; 4 => 17, 21; 5 => 18, 22; 6 => 19, 23),
            "vlseg8e16.v v24, ({pairs})",
            first_layer!("v0", "v2", "v4", "v6", "v8", "v10", "v12", "v14"),
            "addi {t}, {pairs}, 2 * 128",
            "vlseg8e16.v v24, ({t})",
            first_layer!("v1", "v3", "v5", "v7", "v9", "v11", "v13", "v15"),
            zetas!(1 => 16, 20; 2 => 17, 21),
            inverse_butterflies!("vv", "v16", "v20": 0 1 2 3, 4 5 6 7),
            inverse_butterflies!("vv", "v17", "v21": 8 9 10 11, 12 13 14 15),
            zetas!(0 => 16, 20),
            inverse_butterflies!("vv", "v16", "v20": 0 1 2 3, 8 9 10 11),
            inverse_butterflies!("vv", "v16", "v20": 4 5 6 7, 12 13 14 15),
            barrett_reduce!("v0" "v24", "v1" "v25", "v2" "v26", "v3" "v27",
                "v4" "v28", "v5" "v29", "v6" "v30", "v7" "v31"),
            "vssseg8e16.v v0, ({standard}), {block}",
            "addi {t}, {standard}, 16",
            "vssseg8e16.v v8, ({t}), {block}",
            next_blocks!();
            standard = inout(reg) a => _, pairs = inout(reg) f.as_ptr() => _,
            zetas = inout(reg) WITHIN_BACKWARDS.as_ptr() => _, block = in(reg) 2 * BLOCKS,
            n = inout(reg) BLOCKS => _, vl = out(reg) _, t = out(reg) _, q = in(reg) Q,
            scale = in(reg) SCALE[0][0], twisted = in(reg) SCALE[1][0],
            barrett = in(reg) BARRETT, half = in(reg) BARRETT_HALF,
        )
    }
}

/// The inverse of the layers of length 16 to 128, from `a` to `b`, both in the standard's order.
///
/// # Safety
///
/// The machine has V; `a` points to 256 numbers, `b` to the room for them.
unsafe fn inverse_layers_across(a: *const i16, b: *mut i16) {
    // SAFETY: reads 256 numbers of `a` and the table, writes 256 of `b`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m1, ta, ma",
            "mv {p}, {a}",
            each_block!("vle16.v"),
            zeta!(8 => "{z0}", "{w0}"),
            zeta!(9 => "{z1}", "{w1}"),
            zeta!(10 => "{z2}", "{w2}"),
            zeta!(11 => "{z3}", "{w3}"),
            inverse_butterflies!("vx": [0, 1, "{z0}", "{w0}"; 24, 28] [2, 3, "{z1}", "{w1}"; 25, 29]
                [4, 5, "{z2}", "{w2}"; 26, 30] [6, 7, "{z3}", "{w3}"; 27, 31]),
            zeta!(12 => "{z0}", "{w0}"),
            zeta!(13 => "{z1}", "{w1}"),
            zeta!(14 => "{z2}", "{w2}"),
            zeta!(15 => "{z3}", "{w3}"),
            inverse_butterflies!("vx": [8, 9, "{z0}", "{w0}"; 24, 28] [10, 11, "{z1}", "{w1}"; 25, 29]
                [12, 13, "{z2}", "{w2}"; 26, 30] [14, 15, "{z3}", "{w3}"; 27, 31]),
            zeta!(4 => "{z0}", "{w0}"),
            zeta!(5 => "{z1}", "{w1}"),
            zeta!(6 => "{z2}", "{w2}"),
            zeta!(7 => "{z3}", "{w3}"),
            inverse_butterflies!("vx": [0, 2, "{z0}", "{w0}"; 24, 28] [1, 3, "{z0}", "{w0}"; 25, 29]
                [4, 6, "{z1}", "{w1}"; 26, 30] [5, 7, "{z1}", "{w1}"; 27, 31]),
            inverse_butterflies!("vx": [8, 10, "{z2}", "{w2}"; 24, 28] [9, 11, "{z2}", "{w2}"; 25, 29]
                [12, 14, "{z3}", "{w3}"; 26, 30] [13, 15, "{z3}", "{w3}"; 27, 31]),
            zeta!(2 => "{z0}", "{w0}"),
            zeta!(3 => "{z1}", "{w1}"),
            inverse_butterflies!("vx", "{z0}", "{w0}": 0 1 2 3, 4 5 6 7),
            inverse_butterflies!("vx", "{z1}", "{w1}": 8 9 10 11, 12 13 14 15),
            // the longest sums; those they meet next are as long, but in v8
            barrett_reduce!("v0" "v24"),
            zeta!(1 => "{z0}", "{w0}"),
            inverse_butterflies!("vx", "{z0}", "{w0}": 0 1 2 3, 8 9 10 11),
            inverse_butterflies!("vx", "{z0}", "{w0}": 4 5 6 7, 12 13 14 15),
            "mv {p}, {b}",
            each_block!("vse16.v"),
            next_columns!();
            a = inout(reg) a => _, b = inout(reg) b => _, p = out(reg) _, zetas = in(reg) ACROSS_BACKWARDS.as_ptr(),
            z0 = out(reg) _, z1 = out(reg) _, z2 = out(reg) _, z3 = out(reg) _,
            w0 = out(reg) _, w1 = out(reg) _, w2 = out(reg) _, w3 = out(reg) _,
            n = inout(reg) BLOCKS => _, vl = out(reg) _, q = in(reg) Q,
            barrett = in(reg) BARRETT, half = in(reg) BARRETT_HALF,
        )
    }
}

/// The working copy may hold a secret polynomial.
///
/// # Safety
///
/// The machine has V.
unsafe fn wipe(a: &mut MaybeUninit<[i16; N]>) {
    // SAFETY: writes 256 numbers of `a`.
    unsafe {
        vector!(
            "vsetvli {vl}, {n}, e16, m8, ta, ma",
            "vmv.v.i v0, 0",
            "2:",
            "vsetvli {vl}, {n}, e16, m8, ta, ma",
            "vse16.v v0, ({a})",
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {a}, {a}, {vl}",
            "bnez {n}, 2b";
            a = inout(reg) a.as_mut_ptr() => _, n = inout(reg) N => _, vl = out(reg) _,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::conformance::present;
    use crate::backend::portable::{ntt as portable, reduce};
    use crate::backend::riscv64::rvv::Rvv;

    /// The largest numbers that the layers within blocks leave, all of one sign: sums grow as much as they can.
    #[test]
    fn the_longest_sums_fit() {
        if present("rvv", Rvv::detect()).is_none() {
            return;
        }
        for sign in [1, -1] {
            let (a, mut b) = ([sign * PRODUCT as i16; N], [0; N]);
            // SAFETY: the machine has V; both are 256 numbers.
            unsafe { inverse_layers_across(a.as_ptr(), b.as_mut_ptr()) };
            // Equal numbers: their sum in the first block, differences of nothing in all others.
            let sum = (0..BLOCKS).fold(0, |sum, _| reduce::canonicalise(sum + a[0]));
            for (i, c) in b.into_iter().enumerate() {
                assert!((c as i32).abs() < 8 * Q as i32);
                assert_eq!(reduce::canonicalise(c), if i < BLOCKS { sum } else { 0 }, "number {i}");
            }
        }
    }

    /// On any 16-bit numbers, as the portable backend: equal numbers make the largest sums.
    #[test]
    fn the_inverse_takes_any_input() {
        if present("rvv", Rvv::detect()).is_none() {
            return;
        }
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 48) as i16
        };
        let constants = (i16::MIN..=i16::MAX).step_by(53).map(|c| [c; N]);
        let inputs: [[i16; N]; 200] = core::array::from_fn(|_| core::array::from_fn(|_| random()));
        for standard in constants.chain(inputs) {
            let (mut f, mut expected) = ([0; N], [0; N]);
            for (i, &c) in standard.iter().enumerate() {
                f[(i & 1) * (N >> 1) + (i >> 1)] = c;
            }
            portable::split_into_runs(&standard, &mut expected);
            // SAFETY: the machine has V.
            unsafe { ntt_inverse(&mut f) };
            portable::ntt_inverse(&mut expected);
            assert!(f.iter().all(|c| c.unsigned_abs() < 8 * Q as u16), "{standard:?}");
            assert_eq!(f.map(reduce::canonicalise), expected.map(reduce::canonicalise), "{standard:?}");
        }
    }
}
