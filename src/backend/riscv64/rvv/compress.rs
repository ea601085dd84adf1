//! FIPS 203, section 4.2.1: compression to d bits and back, together with the packing of the bits.
//!
//! As many coefficients as fill whole bytes make a group: loads and stores of as many fields keep each of them in a
//! register of its own, for many groups at once. The arithmetic takes these registers as one vector.
//!
//! No division: a product by a rounded reciprocal, exact for every canonical coefficient (the tests try them all).

use super::super::vector;
use super::reduce::lines;
use crate::backend::poly::{N, Q};
use crate::backend::tables::BARRETT;

/// `ByteEncode_d(Compress_d(f))`, d = L / 32. 0 <= f < q.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn compress<const L: usize>(f: &[i16; N], b: &mut [u8; L]) {
    const { assert!(L == 32 || L == 128 || L == 160 || L == 320 || L == 352) };
    // SAFETY: `b` has 32 d bytes.
    unsafe {
        match L >> 5 {
            1 => compress_1(f, b.as_mut_ptr()),
            4 => compress_4(f, b.as_mut_ptr()),
            5 => compress_5(f, b.as_mut_ptr()),
            10 => compress_10(f, b.as_mut_ptr()),
            _ => compress_11(f, b.as_mut_ptr()),
        }
    }
}

/// `Decompress_d(ByteDecode_d(b))`, d = L / 32. 0 <= f < q.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn decompress<const L: usize>(b: &[u8; L], f: &mut [i16; N]) {
    const { assert!(L == 32 || L == 128 || L == 160 || L == 320 || L == 352) };
    // SAFETY: `b` has 32 d bytes.
    unsafe {
        match L >> 5 {
            1 => message(b.as_ptr(), f),
            4 => decompress_4(b.as_ptr(), f),
            5 => decompress_5(b.as_ptr(), f),
            10 => decompress_10(b.as_ptr(), f),
            _ => decompress_11(b.as_ptr(), f),
        }
    }
}

/// `round(2^d x / q) mod 2^d` of v0 to v7 as one, d = 4, 5, through v8 to v15: {t} is left behind.
///
/// 2^10 x / q, then that rounded to d bits: {rounding} is 2^(9-d), `shift` 10 - d, {mask} 2^d - 1.
macro_rules! round_small {
    ($shift:literal) => {
        lines!(
            "vsetvli {t}, x0, e16, m8, ta, ma",
            "vmulh.vx v0, v0, {reciprocal}",
            "vadd.vx v0, v0, {rounding}",
            concat!("vsrl.vi v0, v0, ", $shift),
            "vand.vx v0, v0, {mask}",
        )
    };
}

/// `round(2^d x / q)` of v0 to v7 as one, d = 10, 11, through v8 to v15: {t} is left behind.
///
/// The product by {reciprocal} is the result or one too small; what 2^d x has beyond q times it tells which.
macro_rules! round_large {
    ($d:literal) => {
        lines!(
            "vsetvli {t}, x0, e16, m8, ta, ma",
            "vsll.vi v8, v0, 4",
            "vmulhu.vx v8, v8, {reciprocal}",
            concat!("vsll.vi v0, v0, ", $d),
            "vnmsac.vx v0, {q}, v8",
            // -1 if the rest, which 16 bits hold, is above q / 2
            "vrsub.vx v0, v0, {half_q}",
            "vsra.vi v0, v0, 15",
            "vsub.vv v0, v8, v0",
        )
    };
}

/// 2^(12 + d) / q, rounded: what 2^4 x is multiplied by. The error shifts the product by less than 1/8.
const fn reciprocal(d: u32) -> u16 {
    let (mut r, power) = (0i64, 1i64 << (12 + d));
    while 2 * (r + 1) * (Q as i64) <= 2 * power + Q as i64 {
        r += 1;
    }
    let error = r * Q as i64 - power;
    assert!(error >= 0 && 8 * error < 1 << 12);
    r as u16
}

/// `register` |= `from` << or >> `by`, through `t`: lines of a packing.
macro_rules! or_shifted {
    ($to:literal, $shift:literal $from:literal $by:literal, $t:literal) => {
        lines!(
            concat!($shift, ".vi ", $t, ", ", $from, ", ", $by),
            concat!("vor.vv ", $to, ", ", $to, ", ", $t),
        )
    };
}

/// # Safety
///
/// The machine has V; `b` points to 32 bytes.
unsafe fn compress_1(f: &[i16; N], b: *mut u8) {
    // the first and the last that become 1
    const FIRST: i16 = (Q + 3) >> 2;
    const LAST: i16 = (3 * Q) >> 2;
    const {
        assert!(
            4 * FIRST > Q && 4 * (FIRST - 1) < Q && 4 * LAST < 3 * Q && 4 * (LAST as i32 + 1) > 3 * Q as i32
        )
    };
    // SAFETY: reads 256 numbers of `f`, writes 32 bytes. 256 and the whole of a group of registers are powers of
    // two, so every turn writes whole bytes.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m8, ta, ma",
            "vle16.v v8, ({f})",
            "vsub.vx v8, v8, {first}",
            // bits of a mask, but of none that steers anything
            "vmsltu.vx v0, v8, {ones}",
            "vsm.v v0, ({b})",
            "sub {n}, {n}, {vl}",
            "srli {t}, {vl}, 3",
            "add {b}, {b}, {t}",
            "slli {t}, {vl}, 1",
            "add {f}, {f}, {t}",
            "bnez {n}, 2b";
            f = inout(reg) f.as_ptr() => _, b = inout(reg) b => _, n = inout(reg) N => _,
            vl = out(reg) _, t = out(reg) _, first = in(reg) FIRST, ones = in(reg) LAST - FIRST + 1,
        )
    }
}

/// # Safety
///
/// The machine has V; `b` points to 128 bytes.
unsafe fn compress_4(f: &[i16; N], b: *mut u8) {
    // SAFETY: reads 256 numbers of `f`, writes 128 bytes.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m4, ta, ma",
            "vlseg2e16.v v0, ({f})",
            round_small!(6),
            "vsetvli x0, {vl}, e16, m4, ta, ma",
            or_shifted!("v0", "vsll" "v4" 4, "v8"),
            "vsetvli x0, {vl}, e8, m2, ta, ma",
            "vnsrl.wi v8, v0, 0",
            "vse8.v v8, ({b})",
            "sub {n}, {n}, {vl}",
            "add {b}, {b}, {vl}",
            "slli {t}, {vl}, 2",
            "add {f}, {f}, {t}",
            "bnez {n}, 2b";
            f = inout(reg) f.as_ptr() => _, b = inout(reg) b => _, n = inout(reg) N >> 1 => _,
            vl = out(reg) _, t = out(reg) _,
            reciprocal = in(reg) BARRETT, rounding = in(reg) 1 << 5, mask = in(reg) 0xf,
        )
    }
}

/// # Safety
///
/// The machine has V; `b` points to 160 bytes.
unsafe fn compress_5(f: &[i16; N], b: *mut u8) {
    // SAFETY: reads 256 numbers of `f`, writes 160 bytes.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m1, ta, ma",
            "vlseg8e16.v v0, ({f})",
            round_small!(5),
            // words of 16 bits: v0, v8 and, half of it, v9
            "vsetvli x0, {vl}, e16, m1, ta, ma",
            or_shifted!("v0", "vsll" "v1" 5, "v16"),
            or_shifted!("v0", "vsll" "v2" 10, "v16"),
            or_shifted!("v0", "vsll" "v3" 15, "v16"),
            "vsrl.vi v8, v3, 1",
            or_shifted!("v8", "vsll" "v4" 4, "v16"),
            or_shifted!("v8", "vsll" "v5" 9, "v16"),
            or_shifted!("v8", "vsll" "v6" 14, "v16"),
            "vsrl.vi v9, v6, 2",
            or_shifted!("v9", "vsll" "v7" 3, "v16"),
            "vsetvli x0, {vl}, e8, mf2, ta, ma",
            "vnsrl.wi v16, v0, 0",
            "vnsrl.wi v17, v0, 8",
            "vnsrl.wi v18, v8, 0",
            "vnsrl.wi v19, v8, 8",
            "vnsrl.wi v20, v9, 0",
            "vsseg5e8.v v16, ({b})",
            "sub {n}, {n}, {vl}",
            "slli {t}, {vl}, 2",
            "add {t}, {t}, {vl}",
            "add {b}, {b}, {t}",
            "slli {t}, {vl}, 4",
            "add {f}, {f}, {t}",
            "bnez {n}, 2b";
            f = inout(reg) f.as_ptr() => _, b = inout(reg) b => _, n = inout(reg) N >> 3 => _,
            vl = out(reg) _, t = out(reg) _,
            reciprocal = in(reg) BARRETT, rounding = in(reg) 1 << 4, mask = in(reg) 0x1f,
        )
    }
}

/// # Safety
///
/// The machine has V; `b` points to 320 bytes.
unsafe fn compress_10(f: &[i16; N], b: *mut u8) {
    // SAFETY: reads 256 numbers of `f`, writes 320 bytes.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m2, ta, ma",
            "vlseg4e16.v v0, ({f})",
            round_large!(10),
            // 2^10 becomes 0 here
            "vand.vx v0, v0, {mask}",
            // words of 16 bits: v0, v8 and, half of it, the rest of v6
            "vsetvli x0, {vl}, e16, m2, ta, ma",
            or_shifted!("v0", "vsll" "v2" 10, "v16"),
            "vsrl.vi v8, v2, 6",
            or_shifted!("v8", "vsll" "v4" 4, "v16"),
            or_shifted!("v8", "vsll" "v6" 14, "v16"),
            "vsetvli x0, {vl}, e8, m1, ta, ma",
            "vnsrl.wi v16, v0, 0",
            "vnsrl.wi v17, v0, 8",
            "vnsrl.wi v18, v8, 0",
            "vnsrl.wi v19, v8, 8",
            "vnsrl.wi v20, v6, 2",
            "vsseg5e8.v v16, ({b})",
            "sub {n}, {n}, {vl}",
            "slli {t}, {vl}, 2",
            "add {t}, {t}, {vl}",
            "add {b}, {b}, {t}",
            "slli {t}, {vl}, 3",
            "add {f}, {f}, {t}",
            "bnez {n}, 2b";
            f = inout(reg) f.as_ptr() => _, b = inout(reg) b => _, n = inout(reg) N >> 2 => _,
            vl = out(reg) _, t = out(reg) _, q = in(reg) Q, half_q = in(reg) Q >> 1,
            reciprocal = in(reg) const { reciprocal(10) }, mask = in(reg) 0x3ff,
        )
    }
}

/// # Safety
///
/// The machine has V; `b` points to 352 bytes.
unsafe fn compress_11(f: &[i16; N], b: *mut u8) {
    // 2^11 is not reached: no coefficient is that near to q.
    const { assert!(((Q as i32 - 1) << 12) + (Q as i32) < (Q as i32) << 12) };
    // SAFETY: reads 256 numbers of `f`, writes 352 bytes.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m1, ta, ma",
            "vlseg8e16.v v0, ({f})",
            round_large!(11),
            // words of 16 bits: v0, v8 to v11 and, half of it, the rest of v7
            "vsetvli x0, {vl}, e16, m1, ta, ma",
            or_shifted!("v0", "vsll" "v1" 11, "v16"),
            "vsrl.vi v8, v1, 5",
            or_shifted!("v8", "vsll" "v2" 6, "v16"),
            "vsrl.vi v9, v2, 10",
            or_shifted!("v9", "vsll" "v3" 1, "v16"),
            or_shifted!("v9", "vsll" "v4" 12, "v16"),
            "vsrl.vi v10, v4, 4",
            or_shifted!("v10", "vsll" "v5" 7, "v16"),
            "vsrl.vi v11, v5, 9",
            or_shifted!("v11", "vsll" "v6" 2, "v16"),
            or_shifted!("v11", "vsll" "v7" 13, "v16"),
            "vsetvli x0, {vl}, e8, mf2, ta, ma",
            "vnsrl.wi v16, v0, 0",
            "vnsrl.wi v17, v0, 8",
            "vnsrl.wi v18, v8, 0",
            "vnsrl.wi v19, v8, 8",
            "vnsrl.wi v20, v9, 0",
            "vnsrl.wi v21, v9, 8",
            "vnsrl.wi v22, v10, 0",
            "vnsrl.wi v23, v10, 8",
            "vnsrl.wi v24, v11, 0",
            "vnsrl.wi v25, v11, 8",
            "vnsrl.wi v26, v7, 3",
            // eleven fields: eight and three
            "vssseg8e8.v v16, ({b}), {eleven}",
            "addi {t}, {b}, 8",
            "vssseg3e8.v v24, ({t}), {eleven}",
            "sub {n}, {n}, {vl}",
            "mul {t}, {vl}, {eleven}",
            "add {b}, {b}, {t}",
            "slli {t}, {vl}, 4",
            "add {f}, {f}, {t}",
            "bnez {n}, 2b";
            f = inout(reg) f.as_ptr() => _, b = inout(reg) b => _, n = inout(reg) N >> 3 => _,
            vl = out(reg) _, t = out(reg) _, q = in(reg) Q, half_q = in(reg) Q >> 1,
            reciprocal = in(reg) const { reciprocal(11) }, eleven = in(reg) 11usize,
        )
    }
}

/// `round(q y / 2^d)` of v0 to v7 as one, d <= 5, from words with y in their upper d bits. Anything may be below:
/// {mask} clears it. {t} is left behind.
///
/// Ten times q is little more than 2^15, one half: the product is rounded by adding 10 first. The excess is less
/// than the 2^(16-d) by which the numbers before rounding differ at least.
macro_rules! scale_small {
    () => {
        lines!(
            "vsetvli {t}, x0, e16, m8, ta, ma",
            "vand.vx v0, v0, {mask}",
            "vadd.vi v0, v0, 10",
            "vmulhu.vx v0, v0, {q}",
        )
    };
}
const _: () = assert!(10 * Q as i32 >= 1 << 15 && 10 * (Q as i32) < (1 << 15) + (1 << (16 - 5)));

/// The same for d = 10, 11, through v8 to v15: the upper half of the product, rounded by the lower one.
macro_rules! scale_large {
    () => {
        lines!(
            "vsetvli {t}, x0, e16, m8, ta, ma",
            "vand.vx v0, v0, {mask}",
            "vmul.vx v8, v0, {q}",
            "vmulhu.vx v0, v0, {q}",
            "vsrl.vi v8, v8, 15",
            "vadd.vv v0, v0, v8",
        )
    };
}

/// d = 1: every bit becomes 0 or (q + 1) / 2, by a product.
///
/// # Safety
///
/// The machine has V; `b` points to 32 bytes.
unsafe fn message(b: *const u8, f: &mut [i16; N]) {
    // SAFETY: reads 32 bytes, writes 256 numbers of `f`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m1, ta, ma",
            "vle8.v v8, ({b})",
            "vzext.vf2 v0, v8",
            "vsrl.vi v1, v0, 1",
            "vsrl.vi v2, v0, 2",
            "vsrl.vi v3, v0, 3",
            "vsrl.vi v4, v0, 4",
            "vsrl.vi v5, v0, 5",
            "vsrl.vi v6, v0, 6",
            "vsrl.vi v7, v0, 7",
            "vsetvli {t}, x0, e16, m8, ta, ma",
            "vand.vi v0, v0, 1",
            "vmul.vx v0, v0, {half_q}",
            "vsetvli x0, {vl}, e16, m1, ta, ma",
            "vsseg8e16.v v0, ({f})",
            "sub {n}, {n}, {vl}",
            "add {b}, {b}, {vl}",
            "slli {t}, {vl}, 4",
            "add {f}, {f}, {t}",
            "bnez {n}, 2b";
            b = inout(reg) b => _, f = inout(reg) f.as_mut_ptr() => _, n = inout(reg) N >> 3 => _,
            vl = out(reg) _, t = out(reg) _, half_q = in(reg) (Q + 1) >> 1,
        )
    }
}

/// # Safety
///
/// The machine has V; `b` points to 128 bytes.
unsafe fn decompress_4(b: *const u8, f: &mut [i16; N]) {
    // SAFETY: reads 128 bytes, writes 256 numbers of `f`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m4, ta, ma",
            "vle8.v v8, ({b})",
            "vzext.vf2 v4, v8",
            "vsll.vi v0, v4, 12",
            "vsll.vi v4, v4, 8",
            scale_small!(),
            "vsetvli x0, {vl}, e16, m4, ta, ma",
            "vsseg2e16.v v0, ({f})",
            "sub {n}, {n}, {vl}",
            "add {b}, {b}, {vl}",
            "slli {t}, {vl}, 2",
            "add {f}, {f}, {t}",
            "bnez {n}, 2b";
            b = inout(reg) b => _, f = inout(reg) f.as_mut_ptr() => _, n = inout(reg) N >> 1 => _,
            vl = out(reg) _, t = out(reg) _, q = in(reg) Q, mask = in(reg) 0xf << 12,
        )
    }
}

/// 16-bit `word` from the registers of its two bytes, through `t`.
macro_rules! word {
    ($word:literal, $low:literal, $high:literal, $t:literal) => {
        lines!(
            concat!("vzext.vf2 ", $word, ", ", $low),
            concat!("vzext.vf2 ", $t, ", ", $high),
            concat!("vsll.vi ", $t, ", ", $t, ", 8"),
            concat!("vor.vv ", $word, ", ", $word, ", ", $t),
        )
    };
}

/// # Safety
///
/// The machine has V; `b` points to 160 bytes.
unsafe fn decompress_5(b: *const u8, f: &mut [i16; N]) {
    // SAFETY: reads 160 bytes, writes 256 numbers of `f`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e8, mf2, ta, ma",
            "vlseg5e8.v v16, ({b})",
            "vsetvli x0, {vl}, e16, m1, ta, ma",
            word!("v8", "v16", "v17", "v15"),
            word!("v9", "v18", "v19", "v15"),
            "vzext.vf2 v10, v20",
            // the five bits of each at the top
            "vsll.vi v0, v8, 11",
            "vsll.vi v1, v8, 6",
            "vsll.vi v2, v8, 1",
            "vsrl.vi v3, v8, 4",
            or_shifted!("v3", "vsll" "v9" 12, "v15"),
            "vsll.vi v4, v9, 7",
            "vsll.vi v5, v9, 2",
            "vsrl.vi v6, v9, 3",
            or_shifted!("v6", "vsll" "v10" 13, "v15"),
            "vsll.vi v7, v10, 8",
            scale_small!(),
            "vsetvli x0, {vl}, e16, m1, ta, ma",
            "vsseg8e16.v v0, ({f})",
            "sub {n}, {n}, {vl}",
            "slli {t}, {vl}, 2",
            "add {t}, {t}, {vl}",
            "add {b}, {b}, {t}",
            "slli {t}, {vl}, 4",
            "add {f}, {f}, {t}",
            "bnez {n}, 2b";
            b = inout(reg) b => _, f = inout(reg) f.as_mut_ptr() => _, n = inout(reg) N >> 3 => _,
            vl = out(reg) _, t = out(reg) _, q = in(reg) Q, mask = in(reg) 0x1f << 11,
        )
    }
}

/// # Safety
///
/// The machine has V; `b` points to 320 bytes.
unsafe fn decompress_10(b: *const u8, f: &mut [i16; N]) {
    // SAFETY: reads 320 bytes, writes 256 numbers of `f`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e8, m1, ta, ma",
            "vlseg5e8.v v16, ({b})",
            "vsetvli x0, {vl}, e16, m2, ta, ma",
            word!("v8", "v16", "v17", "v24"),
            word!("v10", "v18", "v19", "v24"),
            "vzext.vf2 v12, v20",
            // the ten bits of each at the top
            "vsll.vi v0, v8, 6",
            "vsrl.vi v2, v8, 4",
            or_shifted!("v2", "vsll" "v10" 12, "v24"),
            "vsll.vi v4, v10, 2",
            "vsrl.vi v6, v10, 8",
            or_shifted!("v6", "vsll" "v12" 8, "v24"),
            scale_large!(),
            "vsetvli x0, {vl}, e16, m2, ta, ma",
            "vsseg4e16.v v0, ({f})",
            "sub {n}, {n}, {vl}",
            "slli {t}, {vl}, 2",
            "add {t}, {t}, {vl}",
            "add {b}, {b}, {t}",
            "slli {t}, {vl}, 3",
            "add {f}, {f}, {t}",
            "bnez {n}, 2b";
            b = inout(reg) b => _, f = inout(reg) f.as_mut_ptr() => _, n = inout(reg) N >> 2 => _,
            vl = out(reg) _, t = out(reg) _, q = in(reg) Q, mask = in(reg) 0x3ff << 6,
        )
    }
}

/// # Safety
///
/// The machine has V; `b` points to 352 bytes.
unsafe fn decompress_11(b: *const u8, f: &mut [i16; N]) {
    // SAFETY: reads 352 bytes, writes 256 numbers of `f`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e8, mf2, ta, ma",
            // eleven fields: eight and three
            "vlsseg8e8.v v16, ({b}), {eleven}",
            "addi {t}, {b}, 8",
            "vlsseg3e8.v v24, ({t}), {eleven}",
            "vsetvli x0, {vl}, e16, m1, ta, ma",
            word!("v8", "v16", "v17", "v15"),
            word!("v9", "v18", "v19", "v15"),
            word!("v10", "v20", "v21", "v15"),
            word!("v11", "v22", "v23", "v15"),
            word!("v12", "v24", "v25", "v15"),
            "vzext.vf2 v13, v26",
            // the eleven bits of each at the top
            "vsll.vi v0, v8, 5",
            "vsrl.vi v1, v8, 6",
            or_shifted!("v1", "vsll" "v9" 10, "v15"),
            "vsrl.vi v2, v9, 1",
            or_shifted!("v2", "vsll" "v10" 15, "v15"),
            "vsll.vi v3, v10, 4",
            "vsrl.vi v4, v10, 7",
            or_shifted!("v4", "vsll" "v11" 9, "v15"),
            "vsrl.vi v5, v11, 2",
            or_shifted!("v5", "vsll" "v12" 14, "v15"),
            "vsll.vi v6, v12, 3",
            "vsrl.vi v7, v12, 8",
            or_shifted!("v7", "vsll" "v13" 8, "v15"),
            scale_large!(),
            "vsetvli x0, {vl}, e16, m1, ta, ma",
            "vsseg8e16.v v0, ({f})",
            "sub {n}, {n}, {vl}",
            "mul {t}, {vl}, {eleven}",
            "add {b}, {b}, {t}",
            "slli {t}, {vl}, 4",
            "add {f}, {f}, {t}",
            "bnez {n}, 2b";
            b = inout(reg) b => _, f = inout(reg) f.as_mut_ptr() => _, n = inout(reg) N >> 3 => _,
            vl = out(reg) _, t = out(reg) _, q = in(reg) Q, mask = in(reg) 0x7ff << 5, eleven = in(reg) 11usize,
        )
    }
}
