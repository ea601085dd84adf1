//! FIPS 203, Algorithms 5 and 6 with d = 12: elements of T_q as bytes.
//!
//! A pair of coefficients is three bytes: loads and stores of three fields keep the bytes apart, and even and odd
//! coefficients are apart in T_q.

use super::super::vector;
use super::reduce::{BARRETT_HALF, canonicalise};
use crate::backend::poly::{N, Q};
use crate::backend::tables::BARRETT;

const PAIRS: usize = N >> 1;

/// FIPS 203, Algorithm 5, d = 12. Any 16-bit input.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn encode12(f_hat: &[i16; N], b: &mut [u8; 384]) {
    // SAFETY: reads 256 numbers of `f_hat`, writes three bytes for each of 128 pairs.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m4, ta, ma",
            "vle16.v v0, ({f})",
            "addi {t}, {f}, 2 * 128",
            "vle16.v v4, ({t})",
            canonicalise!("v0", "v8"),
            canonicalise!("v4", "v8"),
            // the middle byte: the upper bits of the even, the lower ones of the odd coefficient
            "vsrl.vi v8, v0, 8",
            "vsll.vi v12, v4, 4",
            "vor.vv v8, v8, v12",
            "vsetvli x0, {vl}, e8, m2, ta, ma",
            "vnsrl.wi v16, v0, 0",
            "vnsrl.wi v18, v8, 0",
            "vnsrl.wi v20, v4, 4",
            "vsseg3e8.v v16, ({b})",
            "sub {n}, {n}, {vl}",
            "slli {t}, {vl}, 1",
            "add {f}, {f}, {t}",
            "add {b}, {b}, {t}",
            "add {b}, {b}, {vl}",
            "bnez {n}, 2b";
            f = inout(reg) f_hat.as_ptr() => _, b = inout(reg) b.as_mut_ptr() => _,
            n = inout(reg) PAIRS => _, vl = out(reg) _, t = out(reg) _,
            q = in(reg) Q, barrett = in(reg) BARRETT, half = in(reg) BARRETT_HALF,
        )
    }
}

/// Twelve-bit pairs of {vl} triples of bytes `b0`, `b1`, `b2`: 8-bit registers to 16-bit register groups `even`
/// and `odd`. Overwrites `b1` and `t`; {sixteen} is 16.
macro_rules! unpack12 {
    ($b0:literal, $b1:literal, $b2:literal, $t:literal => $even:literal, $odd:literal) => {
        $crate::backend::riscv64::rvv::reduce::lines!(
            // the lower half of the middle byte in its upper half: sixteen times that is where it belongs
            concat!("vsll.vi ", $t, ", ", $b1, ", 4"),
            concat!("vsrl.vi ", $b1, ", ", $b1, ", 4"),
            concat!("vwaddu.vx ", $even, ", ", $b0, ", x0"),
            concat!("vwmaccu.vx ", $even, ", {sixteen}, ", $t),
            concat!("vwaddu.vx ", $odd, ", ", $b1, ", x0"),
            concat!("vwmaccu.vx ", $odd, ", {sixteen}, ", $b2),
        )
    };
}
pub(crate) use unpack12;

/// FIPS 203, Algorithm 6, d = 12, without its reduction modulo q: `false` if one was due.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn decode12(b: &[u8; 384], f_hat: &mut [i16; N]) -> bool {
    let mut below = 0i16;
    // SAFETY: reads three bytes for each of 128 pairs, writes 256 numbers of `f_hat` and `below`.
    unsafe {
        vector!(
            // In v24: negative where a value was too large. All are looked at, whatever is found.
            "vsetvli {vl}, x0, e16, m4, ta, ma",
            "vmv.v.i v24, 0",
            "2:",
            "vsetvli {vl}, {n}, e8, m2, ta, ma",
            "vlseg3e8.v v0, ({b})",
            unpack12!("v0", "v2", "v4", "v6" => "v8", "v12"),
            // beyond {vl}, v24 stays as it is
            "vsetvli x0, {vl}, e16, m4, tu, ma",
            "vrsub.vx v16, v8, {largest}",
            "vrsub.vx v20, v12, {largest}",
            "vor.vv v24, v24, v16",
            "vor.vv v24, v24, v20",
            "vse16.v v8, ({f})",
            "addi {t}, {f}, 2 * 128",
            "vse16.v v12, ({t})",
            "sub {n}, {n}, {vl}",
            "slli {t}, {vl}, 1",
            "add {f}, {f}, {t}",
            "add {b}, {b}, {t}",
            "add {b}, {b}, {vl}",
            "bnez {n}, 2b",
            // The four registers to one, and that to its first element.
            "vsetvli {vl}, x0, e16, m1, ta, ma",
            "vor.vv v24, v24, v25",
            "vor.vv v26, v26, v27",
            "vor.vv v24, v24, v26",
            "3:",
            "srli {vl}, {vl}, 1",
            "vslidedown.vx v25, v24, {vl}",
            "vor.vv v24, v24, v25",
            "addi {t}, {vl}, -1",
            "bnez {t}, 3b",
            "vsetivli x0, 1, e16, m1, ta, ma",
            "vse16.v v24, ({below})";
            f = inout(reg) f_hat.as_mut_ptr() => _, b = inout(reg) b.as_ptr() => _, below = in(reg) &raw mut below,
            n = inout(reg) PAIRS => _, vl = out(reg) _, t = out(reg) _,
            sixteen = in(reg) 16, largest = in(reg) Q - 1,
        )
    }
    below >= 0
}
