//! FIPS 203, Algorithms 9 and 10: the number-theoretic transform and its inverse.
//!
//! The layers of length 128, 64 and 32 pair registers. The others stay within 32 coefficients,
//! and so within two registers. Call the bits of a coefficient's index among the 32, from the
//! lowest, 0 to 4: bit 4 says which register, bits 3 to 1 which of its eight double words. A
//! layer of length 2^i needs bit i to say which register, and each shuffle below brings another
//! bit there. Written "register; double word", the forward transform goes through
//!
//! `4; 3 2 1` (length 16), `3; 4 2 1` (8), `2; 4 1 3` (4), `1; 4 3 2` (2), `3; 4 2 1`, `4; 3 2 1`
//!
//! and the inverse the same way back. Bit 0 is never moved: products want pairs together.

use core::arch::x86_64::*;

use super::reduce::{Factors, LANES, PRODUCT, barrett_reduce, montgomery_multiply, reduced};
use crate::backend::bounds::{TRANSFORMED, forward, sum};
use crate::backend::poly::{Lazy, N, Range};
use crate::backend::tables::{RESTORE_AND_SCALE, ZETAS, centred};
use crate::backend::x86_64::{load, store};

/// The factors of the layers that pair registers, by the index of the zeta.
static ACROSS: [Factors; 8] = {
    let (mut all, mut i) = ([const { Factors::all(0) }; 8], 1);
    while i < 8 {
        all[i] = Factors::all(ZETAS[i]);
        i += 1;
    }
    all
};

/// The factors of the layers within 32 coefficients.
struct Within {
    length_16: Factors,
    length_8: Factors,
    length_4: Factors,
    length_2: Factors,
}

static FORWARD: [Within; 8] = within(false);
static INVERSE: [Within; 8] = within(true);

const fn within(inverse: bool) -> [Within; 8] {
    let mut all = [const {
        Within {
            length_16: Factors::all(0),
            length_8: Factors::all(0),
            length_4: Factors::all(0),
            length_2: Factors::all(0),
        }
    }; 8];
    let mut group = 0;
    while group < 8 {
        let mut factors = [[0; LANES]; 4];
        let mut lane = 0;
        while lane < LANES {
            // the bits of the double word, in the order of the list above
            let (p2, p1, p0) = (lane >> 3, lane >> 2 & 1, lane >> 1 & 1);
            factors[0][lane] = zeta(8, group, inverse);
            factors[1][lane] = zeta(16, 2 * group + p2, inverse);
            factors[2][lane] = zeta(32, 4 * group + 2 * p2 + p0, inverse);
            let last = zeta(64, 8 * group + 4 * p2 + 2 * p1 + p0, inverse);
            factors[3][lane] = if inverse { montgomery_product(last, RESTORE_AND_SCALE) } else { last };
            lane += 1;
        }
        all[group] = Within {
            length_16: Factors::new(factors[0]),
            length_8: Factors::new(factors[1]),
            length_4: Factors::new(factors[2]),
            length_2: Factors::new(factors[3]),
        };
        group += 1;
    }
    all
}

/// The zeta of a block in the layer of so many blocks; the inverse runs through them backwards (FIPS 203,
/// Algorithm 10, line 6).
const fn zeta(blocks: usize, block: usize, inverse: bool) -> i16 {
    ZETAS[if inverse { 2 * blocks - 1 - block } else { blocks + block }]
}

/// `a b 2^-16`, centred.
const fn montgomery_product(a: i16, b: i16) -> i16 {
    // 2^-16 = 169 (mod q)
    const { assert!(centred(169 << 16) == 1) };
    centred(a as i64 * b as i64 * 169)
}

/// Pairs of registers worked on at once. One alone would wait for its own results most of the time; four
/// leave registers for the work. For the same reason a pass over the polynomial is one or two layers: the
/// next pairs' work is then near enough to be started early.
const ABREAST: usize = 4;

type Pairs = [[__m256i; 2]; ABREAST];

/// FIPS 203, Algorithm 9. |f| < q; |f_hat| < 8q.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn ntt(f: &[i16; N], f_hat: &mut [i16; N]) {
    let (f, f_hat) = (f.as_chunks::<LANES>().0, f_hat.as_chunks_mut::<LANES>().0);
    for i in 0..8 {
        let [x, y] = butterfly::<{ forward(0, PRODUCT) }>([load(&f[i]), load(&f[i + 8])], &ACROSS[1]);
        store(&mut f_hat[i], x);
        store(&mut f_hat[i + 8], y);
    }
    layer::<1, { forward(1, PRODUCT) }>(f_hat);
    layer::<2, { forward(2, PRODUCT) }>(f_hat);
    within_pairs(f_hat, &FORWARD, |a, zetas| {
        for i in 0..ABREAST {
            a[i] = halves(butterfly::<{ forward(3, PRODUCT) }>(a[i], &zetas[i].length_16));
        }
        for i in 0..ABREAST {
            a[i] = zip(butterfly::<{ forward(4, PRODUCT) }>(a[i], &zetas[i].length_8));
        }
    });
    within_pairs(f_hat, &FORWARD, |a, zetas| {
        for i in 0..ABREAST {
            a[i] = zip(butterfly::<{ forward(5, PRODUCT) }>(a[i], &zetas[i].length_4));
        }
        for i in 0..ABREAST {
            a[i] = halves(zip(butterfly::<{ forward(6, PRODUCT) }>(a[i], &zetas[i].length_2)));
        }
    });
    const { assert!(forward(7, PRODUCT) <= TRANSFORMED) };
}

/// What the inverse transform takes lies below this: its first layer adds before it multiplies.
pub(crate) const INVERSE_INPUT: i32 = 1 << 14;

/// FIPS 203, Algorithm 10, in place, for input that carries a factor 2^-16 from a product.
/// |f| < 2^14 before, |f| < 8q after.
///
/// A layer replaces (x, y) by (x + y, zeta (y - x)): the bound of a sum doubles, that of a product does not
/// grow. The first layer multiplies its sums as well, by the scale, and that reduces them; the fourth has to
/// reduce them once more.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn ntt_inverse(f: &mut [i16; N]) {
    const B: i32 = PRODUCT + 1;
    const { assert!(reduced(sum(sum(sum(B)))) < B && sum(sum(sum(B))) <= Lazy::MAX as i32 + 1) };
    let f = f.as_chunks_mut::<LANES>().0;
    within_pairs(f, &INVERSE, |a, zetas| {
        for i in 0..ABREAST {
            let [x, y] = inverse_butterfly::<INVERSE_INPUT>(unzip(halves(a[i])), &zetas[i].length_2);
            a[i] = unzip([montgomery_multiply(x, const { &Factors::all(RESTORE_AND_SCALE) }), y]);
        }
        for i in 0..ABREAST {
            a[i] = unzip(inverse_butterfly::<B>(a[i], &zetas[i].length_4));
        }
    });
    within_pairs(f, &INVERSE, |a, zetas| {
        for i in 0..ABREAST {
            a[i] = halves(inverse_butterfly::<{ sum(B) }>(a[i], &zetas[i].length_8));
        }
        for i in 0..ABREAST {
            let [x, y] = inverse_butterfly::<{ sum(sum(B)) }>(a[i], &zetas[i].length_16);
            a[i] = [barrett_reduce(x), y];
        }
    });
    inverse_layer::<2, B>(f);
    inverse_layer::<1, { sum(B) }>(f);
    inverse_layer::<0, { sum(sum(B)) }>(f);
}

/// The layer of length 128 / 2^LOG, between registers: |a| < B before and < B + q after.
#[inline]
#[target_feature(enable = "avx2")]
fn layer<const LOG: usize, const B: i32>(a: &mut [[i16; LANES]]) {
    for (block, zeta) in a.chunks_exact_mut(16 >> LOG).zip(&ACROSS[1 << LOG..]) {
        let (low, high) = block.split_at_mut(8 >> LOG);
        for (low, high) in low.iter_mut().zip(high) {
            let [x, y] = butterfly::<B>([load(low), load(high)], zeta);
            store(low, x);
            store(high, y);
        }
    }
}

/// The inverse of `layer`: |a| < B before and < 2B after.
#[inline]
#[target_feature(enable = "avx2")]
fn inverse_layer<const LOG: usize, const B: i32>(a: &mut [[i16; LANES]]) {
    for (block, zeta) in a.chunks_exact_mut(16 >> LOG).zip(ACROSS[1 << LOG..2 << LOG].iter().rev()) {
        let (low, high) = block.split_at_mut(8 >> LOG);
        for (low, high) in low.iter_mut().zip(high) {
            let [x, y] = inverse_butterfly::<B>([load(low), load(high)], zeta);
            store(low, x);
            store(high, y);
        }
    }
}

/// Applies `f` to all pairs of registers, a few at a time, with their factors.
#[inline]
#[target_feature(enable = "avx2")]
fn within_pairs(
    a: &mut [[i16; LANES]],
    zetas: &[Within; 8],
    mut f: impl FnMut(&mut Pairs, &[Within; ABREAST]),
) {
    let pairs = a.as_chunks_mut::<2>().0.as_chunks_mut::<ABREAST>().0;
    for (memory, zetas) in pairs.iter_mut().zip(zetas.as_chunks().0) {
        let mut pairs = [[_mm256_setzero_si256(); 2]; ABREAST];
        for i in 0..ABREAST {
            pairs[i] = [load(&memory[i][0]), load(&memory[i][1])];
        }
        f(&mut pairs, zetas);
        for i in 0..ABREAST {
            store(&mut memory[i][0], pairs[i][0]);
            store(&mut memory[i][1], pairs[i][1]);
        }
    }
}

/// (x + zeta y, x - zeta y): |x|, |y| < B before, < B + q after.
#[inline]
#[target_feature(enable = "avx2")]
fn butterfly<const B: i32>([x, y]: [__m256i; 2], zeta: &Factors) -> [__m256i; 2] {
    const { assert!(B + PRODUCT <= i16::MAX as i32) };
    let t = montgomery_multiply(y, zeta);
    [_mm256_add_epi16(x, t), _mm256_sub_epi16(x, t)]
}

/// (x + y, zeta (y - x)): |x|, |y| < B before; the sum is below 2B, the product at most `PRODUCT`.
#[inline]
#[target_feature(enable = "avx2")]
fn inverse_butterfly<const B: i32>([x, y]: [__m256i; 2], zeta: &Factors) -> [__m256i; 2] {
    const { sum(B) };
    [_mm256_add_epi16(x, y), montgomery_multiply(_mm256_sub_epi16(y, x), zeta)]
}

/// `r; a b c` to `a; r b c`: x0..x7, y0..y7 to x0 x1 x2 x3 y0 y1 y2 y3, x4 x5 x6 x7 y4 y5 y6 y7.
#[inline]
#[target_feature(enable = "avx2")]
fn halves([x, y]: [__m256i; 2]) -> [__m256i; 2] {
    [_mm256_permute2x128_si256::<0x20>(x, y), _mm256_permute2x128_si256::<0x31>(x, y)]
}

/// `r; a b c` to `b; a c r`: x0..x7, y0..y7 to x0 y0 x1 y1 x4 y4 x5 y5, x2 y2 x3 y3 x6 y6 x7 y7.
#[inline]
#[target_feature(enable = "avx2")]
fn zip([x, y]: [__m256i; 2]) -> [__m256i; 2] {
    [_mm256_unpacklo_epi32(x, y), _mm256_unpackhi_epi32(x, y)]
}

/// `r; a b c` to `c; a r b`: x0..x7, y0..y7 to x0 x2 y0 y2 x4 x6 y4 y6, x1 x3 y1 y3 x5 x7 y5 y7.
#[inline]
#[target_feature(enable = "avx2")]
fn unzip([x, y]: [__m256i; 2]) -> [__m256i; 2] {
    let (x, y) = (_mm256_castsi256_ps(x), _mm256_castsi256_ps(y));
    [
        _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(x, y)),
        _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(x, y)),
    ]
}
