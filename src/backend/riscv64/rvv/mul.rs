//! FIPS 203, Algorithms 11 and 12: products in T_q, summed over a vector.
//!
//! In a pair (a0 + a1 X)(b0 + b1 X) mod X^2 - gamma the only product of three factors is
//! a1 (b1 gamma). The cache of a multiplier holds b1 gamma, computed once for all its products.

use super::super::vector;
use super::reduce::{PRODUCT, factors, lines, montgomery_multiply, montgomery_reduce};
use crate::backend::bounds;
use crate::backend::poly::{N, Q};
use crate::backend::tables::{Q_INVERSE, RESTORE, ZETAS};

/// Pairs of a polynomial: so many even coefficients, and behind them so many odd ones.
const PAIRS: usize = N >> 1;

/// Largest vector of any parameter set.
const MAX_K: i64 = 4;

// The sums of `sum_of_products`: a is below q, b any 16-bit number, the cache below q.
const SUM: i64 = bounds::sum_of_products(MAX_K, Q as i64 - 1, 1 << 15);
// The inverse transform takes any 16-bit number.
const DOT: i32 = bounds::montgomery_reduced(SUM);
const _: () = assert!(DOT <= i16::MAX as i32);
// In `mul_add` it is multiplied once more, and e_hat is added.
const _: () = assert!(PRODUCT + bounds::TRANSFORMED <= i16::MAX as i32);

/// The gamma of every pair.
static GAMMAS: [[i16; PAIRS]; 2] = {
    let (mut gammas, mut pair) = ([0; PAIRS], 0);
    while pair < PAIRS {
        // Two pairs to a block of the last layer: gamma = zeta and -zeta.
        let zeta = ZETAS[64 + (pair >> 1)];
        gammas[pair] = if pair & 1 == 1 { -zeta } else { zeta };
        pair += 1;
    }
    factors(gammas)
};

/// The products `b1 gamma`, |c| <= 2496, in the first half of `cache`. The rest is left.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn fill_cache(b: &[i16; N], cache: &mut [i16; N]) {
    // SAFETY: reads 128 numbers of `b` and the table, writes 128 of `cache`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m8, ta, ma",
            "vle16.v v0, ({b})",
            "vle16.v v8, ({gammas})",
            "addi {t}, {gammas}, 2 * 128",
            "vle16.v v16, ({t})",
            montgomery_multiply!("vv", "v0", "v8", "v16", "v24"),
            "vse16.v v0, ({cache})",
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {b}, {b}, {vl}",
            "add {gammas}, {gammas}, {vl}",
            "add {cache}, {cache}, {vl}",
            "bnez {n}, 2b";
            b = inout(reg) b[PAIRS..].as_ptr() => _, cache = inout(reg) cache.as_mut_ptr() => _,
            gammas = inout(reg) GAMMAS.as_ptr() => _, t = out(reg) _,
            n = inout(reg) PAIRS => _, vl = out(reg) _, q = in(reg) Q,
        )
    }
}

/// For the pairs from the {offset}-th byte on, `sum of a[i] b[i]` in 2^-16 form: v24 and v28, the even and the
/// odd coefficients. {operands} are the {k} triples of `addresses`.
macro_rules! sum_of_products {
    () => {
        lines!(
            // sums of 32 bits: v0 and v8
            "vsetvli {vl}, {n}, e32, m8, ta, ma",
            "vmv.v.i v0, 0",
            "vmv.v.i v8, 0",
            "vsetvli x0, {vl}, e16, m4, ta, ma",
            "mv {list}, {operands}",
            "mv {i}, {k}",
            "3:",
            "ld {a}, 0({list})",
            "ld {b}, 8({list})",
            "ld {t}, 16({list})",
            "addi {list}, {list}, 24",
            "add {a}, {a}, {offset}",
            "add {b}, {b}, {offset}",
            "add {t}, {t}, {offset}",
            "vle16.v v16, ({a})",
            "addi {a}, {a}, 2 * 128",
            "vle16.v v20, ({a})",
            "vle16.v v24, ({b})",
            "addi {b}, {b}, 2 * 128",
            "vle16.v v28, ({t})",
            "vwmacc.vv v0, v16, v24", // a0 b0
            "vwmacc.vv v8, v20, v24", // a1 b0
            "vle16.v v24, ({b})",
            "vwmacc.vv v0, v20, v28", // a1 b1 gamma
            "vwmacc.vv v8, v16, v24", // a0 b1
            "addi {i}, {i}, -1",
            "bnez {i}, 3b",
            montgomery_reduce!(["v24", "v0"; "v16"] ["v28", "v8"; "v20"]),
        )
    };
}

/// The addresses of factors and caches, in the order of use.
fn addresses<const K: usize>(a: &[&[i16; N]; K], b: &[(&[i16; N], &[i16; N]); K]) -> [[*const i16; 3]; K] {
    const { assert!(K as i64 <= MAX_K && K > 0) };
    core::array::from_fn(|i| [a[i].as_ptr(), b[i].0.as_ptr(), b[i].1.as_ptr()])
}

/// `a . b` in 2^-16 form; |c| <= 18 000 or so (`DOT`).
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn dot<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    c: &mut [i16; N],
) {
    let operands = addresses(a, b);
    // SAFETY: reads 256 numbers of every factor and 128 of every cache, writes 256 of `c`.
    unsafe {
        vector!(
            "2:",
            sum_of_products!(),
            "vse16.v v24, ({c})",
            "addi {t}, {c}, 2 * 128",
            "vse16.v v28, ({t})",
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {c}, {c}, {vl}",
            "add {offset}, {offset}, {vl}",
            "bnez {n}, 2b";
            operands = in(reg) operands.as_ptr(), k = in(reg) K, c = inout(reg) c.as_mut_ptr() => _,
            offset = inout(reg) 0usize => _, n = inout(reg) PAIRS => _, vl = out(reg) _,
            list = out(reg) _, i = out(reg) _, a = out(reg) _, b = out(reg) _, t = out(reg) _,
            q = in(reg) Q, q_inverse = in(reg) Q_INVERSE,
        )
    }
}

/// `a . b + e_hat`, plain; |e_hat| < 8q, |c| < 9q.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn mul_add<const K: usize>(
    a: &[&[i16; N]; K],
    b: &[(&[i16; N], &[i16; N]); K],
    e_hat: &[i16; N],
    c: &mut [i16; N],
) {
    let operands = addresses(a, b);
    const RESTORED: [[i16; 1]; 2] = factors([RESTORE]);
    // SAFETY: reads 256 numbers of every factor and of `e_hat` and 128 of every cache, writes 256 of `c`.
    unsafe {
        vector!(
            "2:",
            sum_of_products!(),
            montgomery_multiply!("vx", "v24", "{restore}", "{twisted}", "v0"),
            montgomery_multiply!("vx", "v28", "{restore}", "{twisted}", "v4"),
            "vle16.v v0, ({e})",
            "addi {t}, {e}, 2 * 128",
            "vle16.v v4, ({t})",
            "vadd.vv v24, v24, v0",
            "vadd.vv v28, v28, v4",
            "vse16.v v24, ({c})",
            "addi {t}, {c}, 2 * 128",
            "vse16.v v28, ({t})",
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {c}, {c}, {vl}",
            "add {e}, {e}, {vl}",
            "add {offset}, {offset}, {vl}",
            "bnez {n}, 2b";
            operands = in(reg) operands.as_ptr(), k = in(reg) K, c = inout(reg) c.as_mut_ptr() => _,
            e = inout(reg) e_hat.as_ptr() => _,
            offset = inout(reg) 0usize => _, n = inout(reg) PAIRS => _, vl = out(reg) _,
            list = out(reg) _, i = out(reg) _, a = out(reg) _, b = out(reg) _, t = out(reg) _,
            q = in(reg) Q, q_inverse = in(reg) Q_INVERSE,
            restore = in(reg) RESTORED[0][0], twisted = in(reg) RESTORED[1][0],
        )
    }
}
