//! Modular arithmetic on vectors of 16-bit numbers, and the sums that end in a full reduction.

use super::super::vector;
use crate::backend::poly::{N, Q};
use crate::backend::tables::{BARRETT, Q_INVERSE};

/// Largest absolute value of a Montgomery product by |b| <= (q-1)/2, whatever the 16-bit a.
pub(crate) use crate::backend::portable::reduce::PRODUCT;

/// Largest absolute value of a Barrett reduction, whatever the 16-bit number.
pub(crate) const REDUCED: i32 = (Q as i32 - 1) >> 1;

/// Assembler text, a piece a line.
macro_rules! lines {
    ($($line:expr),* $(,)?) => { concat!($($line, "\n"),*) };
}
pub(crate) use lines;

/// `to` = `a` `b` 2^-16 mod q, through `t`, for several registers at once, so that nothing waits for the instruction
/// before it; also by scalars, with `vx` for `vv` and operands for the registers. `to` may be `a`.
///
/// `twisted` is b q^-1 mod 2^16. a b - (a b q^-1 mod 2^16) q is divisible by 2^16, so the low halves of its two
/// terms cancel and the difference of the high halves is exact.
macro_rules! montgomery_multiply {
    ($form:literal, $a:literal, $b:literal, $twisted:literal, $t:literal) => {
        $crate::backend::riscv64::rvv::reduce::montgomery_multiply!($form: [$a, $a, $b, $twisted; $t])
    };
    ($form:literal: $([$to:expr, $a:expr, $b:expr, $twisted:expr; $t:expr])*) => {
        $crate::backend::riscv64::rvv::reduce::lines!(
            $(concat!("vmul.", $form, " ", $t, ", ", $a, ", ", $twisted),)*
            $(concat!("vmulh.", $form, " ", $to, ", ", $a, ", ", $b),)*
            $(concat!("vmulh.vx ", $t, ", ", $t, ", {q}"),)*
            $(concat!("vsub.vv ", $to, ", ", $to, ", ", $t),)*
        )
    };
}
pub(crate) use montgomery_multiply;

/// `to` = `sum` 2^-16 mod q, through `t`, for several registers at once: |to| <= |sum| / 2^16 + q / 2 + 1 for
/// |sum| <= 2^30. Two registers hold the `sum` of one.
///
/// The low half times q^-1, times q, has the same low half; it goes off the high half.
macro_rules! montgomery_reduce {
    ($([$to:literal, $sum:literal; $t:literal])*) => {
        $crate::backend::riscv64::rvv::reduce::lines!(
            $(concat!("vnsrl.wi ", $t, ", ", $sum, ", 0"),)*
            $(concat!("vnsrl.wi ", $to, ", ", $sum, ", 16"),)*
            $(concat!("vmul.vx ", $t, ", ", $t, ", {q_inverse}"),)*
            $(concat!("vmulh.vx ", $t, ", ", $t, ", {q}"),)*
            $(concat!("vsub.vv ", $to, ", ", $to, ", ", $t),)*
        )
    };
}
pub(crate) use montgomery_reduce;

/// `a` to its representative in -(q-1)/2 ..= (q-1)/2, for every 16-bit number, through `t`; several registers at
/// once.
///
/// The quotient is round(a BARRETT / 2^26). (There are instructions that round, but Zvkt leaves them out.)
macro_rules! barrett_reduce {
    ($($a:literal $t:literal),*) => {
        $crate::backend::riscv64::rvv::reduce::lines!(
            $(concat!("vmulh.vx ", $t, ", ", $a, ", {barrett}"),)*
            $(concat!("vadd.vx ", $t, ", ", $t, ", {half}"),)*
            $(concat!("vsra.vi ", $t, ", ", $t, ", 10"),)*
            $(concat!("vnmsac.vx ", $a, ", {q}, ", $t),)*
        )
    };
}
pub(crate) use barrett_reduce;

/// Half of the 2^10 that `barrett_reduce` shifts by.
pub(crate) const BARRETT_HALF: i16 = 1 << 9;

/// `a` to its representative in 0 ..= q-1, for every 16-bit number, through `t`.
macro_rules! canonicalise {
    ($a:literal, $t:literal) => {
        $crate::backend::riscv64::rvv::reduce::lines!(
            $crate::backend::riscv64::rvv::reduce::barrett_reduce!($a $t),
            concat!("vsra.vi ", $t, ", ", $a, ", 15"),
            concat!("vand.vx ", $t, ", ", $t, ", {q}"),
            concat!("vadd.vv ", $a, ", ", $a, ", ", $t),
        )
    };
}
pub(crate) use canonicalise;

/// b and b q^-1 mod 2^16, of every number of an array.
pub(crate) const fn factors<const L: usize>(b: [i16; L]) -> [[i16; L]; 2] {
    let (mut twisted, mut i) = ([0; L], 0);
    while i < L {
        assert!(-Q < 2 * b[i] && 2 * b[i] < Q);
        twisted[i] = b[i].wrapping_mul(Q_INVERSE);
        i += 1;
    }
    [b, twisted]
}

/// `f + e + sum`, canonical, in place of `sum`; |f| < 8q, |e| <= 3, 0 <= sum < q: at most 29 963 in 16 bits.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn add_to(f: &[i16; N], e: &[i16; N], sum: &mut [i16; N]) {
    // SAFETY: reads 256 numbers of `f`, `e` and `sum`, writes 256 of `sum`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m8, ta, ma",
            "vle16.v v0, ({f})",
            "vle16.v v8, ({e})",
            "vle16.v v16, ({sum})",
            "vadd.vv v0, v0, v8",
            "vadd.vv v0, v0, v16",
            canonicalise!("v0", "v8"),
            "vse16.v v0, ({sum})",
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {f}, {f}, {vl}",
            "add {e}, {e}, {vl}",
            "add {sum}, {sum}, {vl}",
            "bnez {n}, 2b";
            f = inout(reg) f.as_ptr() => _, e = inout(reg) e.as_ptr() => _, sum = inout(reg) sum.as_mut_ptr() => _,
            n = inout(reg) N => _, vl = out(reg) _,
            q = in(reg) Q, barrett = in(reg) BARRETT, half = in(reg) BARRETT_HALF,
        )
    }
}

/// `v - f`, canonical; 0 <= v < q, |f| < 8q: at most 29 959 in 16 bits.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn sub(v: &[i16; N], f: &[i16; N], difference: &mut [i16; N]) {
    // SAFETY: reads 256 numbers of `v` and `f`, writes 256 of `difference`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m8, ta, ma",
            "vle16.v v0, ({v})",
            "vle16.v v8, ({f})",
            "vsub.vv v0, v0, v8",
            canonicalise!("v0", "v8"),
            "vse16.v v0, ({difference})",
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {v}, {v}, {vl}",
            "add {f}, {f}, {vl}",
            "add {difference}, {difference}, {vl}",
            "bnez {n}, 2b";
            v = inout(reg) v.as_ptr() => _, f = inout(reg) f.as_ptr() => _,
            difference = inout(reg) difference.as_mut_ptr() => _, n = inout(reg) N => _, vl = out(reg) _,
            q = in(reg) Q, barrett = in(reg) BARRETT, half = in(reg) BARRETT_HALF,
        )
    }
}

/// The numbers of an array in place, v8, four registers at a time.
macro_rules! in_place {
    ($a:ident: $($line:expr),*; $($operand:tt)*) => {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m4, ta, ma",
            "vle16.v v8, ({a})",
            $($line,)*
            "vse16.v v8, ({a})",
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {a}, {a}, {vl}",
            "bnez {n}, 2b";
            a = inout(reg) $a.as_mut_ptr() => _, n = inout(reg) N => _, vl = out(reg) _, q = in(reg) Q, $($operand)*
        )
    };
}

/// `montgomery_multiply` of every number, for proofs: by a scalar, and -2^15 where the product by a vector differs.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn probe_multiply(a: &mut [i16; N], b: i16) {
    let [[b], [twisted]] = factors([b]);
    // SAFETY: reads and writes the numbers of `a`.
    unsafe {
        in_place!(a:
            "vmv.v.x v16, {b}",
            "vmv.v.x v20, {twisted}",
            montgomery_multiply!("vv": ["v4", "v8", "v16", "v20"; "v12"]),
            montgomery_multiply!("vx", "v8", "{b}", "{twisted}", "v12"),
            "vmsne.vv v0, v8, v4",
            "vmerge.vxm v8, v8, {least}, v0";
            b = in(reg) b, twisted = in(reg) twisted, least = in(reg) i16::MIN,
        )
    }
}

/// `montgomery_reduce` of every number, for proofs.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn probe_reduce(a: &[i32; N], r: &mut [i16; N]) {
    // SAFETY: reads 256 numbers of `a`, writes 256 of `r`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e32, m8, ta, ma",
            "vle32.v v0, ({a})",
            "vsetvli x0, {vl}, e16, m4, ta, ma",
            montgomery_reduce!(["v8", "v0"; "v12"]),
            "vse16.v v8, ({r})",
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {r}, {r}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {a}, {a}, {vl}",
            "bnez {n}, 2b";
            a = inout(reg) a.as_ptr() => _, r = inout(reg) r.as_mut_ptr() => _,
            n = inout(reg) N => _, vl = out(reg) _, q = in(reg) Q, q_inverse = in(reg) Q_INVERSE,
        )
    }
}

/// `barrett_reduce` of every number, for proofs.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn probe_barrett(a: &mut [i16; N]) {
    // SAFETY: reads and writes the numbers of `a`.
    unsafe {
        in_place!(a: barrett_reduce!("v8" "v12"); barrett = in(reg) BARRETT, half = in(reg) BARRETT_HALF,)
    }
}

/// `canonicalise` of every number, for proofs.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn probe_canonicalise(a: &mut [i16; N]) {
    // SAFETY: reads and writes the numbers of `a`.
    unsafe {
        in_place!(a: canonicalise!("v8", "v12"); barrett = in(reg) BARRETT, half = in(reg) BARRETT_HALF,)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::conformance::present;
    use crate::backend::portable::reduce as portable;
    use crate::backend::riscv64::rvv::Rvv;

    /// One operation on a run of numbers, and the same number by number.
    macro_rules! every_number {
        ($line:expr, $expected:expr; $($operand:tt)*) => {
            if present("rvv", Rvv::detect()).is_some() {
                for start in (i16::MIN..=i16::MAX).step_by(8) {
                    let a: [i16; 8] = core::array::from_fn(|i| start + i as i16);
                    let mut r = a;
                    // SAFETY: the machine has V; reads and writes the eight numbers of `r`.
                    unsafe {
                        vector!("vsetivli x0, 8, e16, m1, ta, ma", "vle16.v v0, ({r})", $line, "vse16.v v0, ({r})";
                            r = in(reg) r.as_mut_ptr(), q = in(reg) Q, $($operand)*)
                    }
                    assert_eq!(r, a.map($expected), "{a:?}");
                }
            }
        };
    }

    #[test]
    fn reductions_are_those_of_the_portable_backend_for_every_input() {
        every_number!(barrett_reduce!("v0" "v1"), portable::barrett_reduce;
            barrett = in(reg) BARRETT, half = in(reg) BARRETT_HALF,);
        every_number!(canonicalise!("v0", "v1"), portable::canonicalise;
            barrett = in(reg) BARRETT, half = in(reg) BARRETT_HALF,);
    }

    #[test]
    fn products_are_those_of_the_portable_backend() {
        for b in [1664, -1664, 17, 1441, -758] {
            let [[b], [twisted]] = factors([b]);
            every_number!(montgomery_multiply!("vx", "v0", "{b}", "{twisted}", "v1"),
                |a| portable::montgomery_multiply(a, b);
                b = in(reg) b, twisted = in(reg) twisted,);
        }
    }
}
