//! FIPS 203, Algorithms 9 and 10: the number-theoretic transform and its inverse, all in registers.
//!
//! Eight registers are the polynomial. The layers of length 128, 64 and 32 pair registers; the others stay
//! within 64 coefficients, and so within two neighbours. Call the bits of a coefficient's index among the 64,
//! from the lowest, 0 to 5: bit 5 says which register, bits 4 to 1 which of its sixteen double words. A layer
//! of length 2^i needs bit i to say which register, and each shuffle below brings another bit there. Written
//! "register; double word", the forward transform goes through
//!
//! `5; 4 3 2 1`, `4; 5 3 2 1` (length 16), `3; 4 5 2 1` (8), `2; 4 5 3 1` (4), `1; 4 5 2 3` (2)
//!
//! and the inverse through
//!
//! `1; 4 5 2 3` (length 2), `2; 4 5 3 1` (4), `3; 4 5 2 1` (8), `4; 3 5 2 1` (16), `5; 4 3 2 1`.
//!
//! Bit 0 is never moved: products want pairs together.
//!
//! A layer is four butterflies, too few to hide what each waits for. All are therefore written side by side, with
//! the shortest way from one layer to the next.

use core::arch::asm;
use core::arch::x86_64::*;

use super::reduce::{Factors, LANES, PRODUCT, barrett_reduce, montgomery_multiply, product, reduced};
use super::{load, load_all, store_all};
use crate::backend::bounds::{TRANSFORMED, forward, sum};
use crate::backend::poly::{Lazy, N, Range};
use crate::backend::tables::{RESTORE_AND_SCALE, ZETAS, centred};

/// The factors of the layers that pair registers, by the index of the zeta.
static ACROSS: [Factors; 8] = {
    let (mut all, mut i) = ([const { Factors::all(0) }; 8], 1);
    while i < 8 {
        all[i] = Factors::all(ZETAS[i]);
        i += 1;
    }
    all
};

/// The factors of the layer of length 2^`bit` for the four pairs of registers, by the bits of the double word as in
/// the list above, each factor multiplied by `scale` in Montgomery form. The inverse runs through the zetas backwards
/// (FIPS 203, Algorithm 10, line 6).
const fn within(bit: u32, double_word: [u32; 4], inverse: bool, scale: i16) -> [Factors; 4] {
    let mut all = [const { Factors::all(0) }; 4];
    let mut pair = 0;
    while pair < 4 {
        let (mut factors, mut lane) = ([0; LANES], 0);
        while lane < LANES {
            let (mut index, mut i) = (64 * pair, 0);
            while i < 4 {
                index |= (lane >> (4 - i) & 1) << double_word[i];
                i += 1;
            }
            let (block, blocks) = (index >> (bit + 1), N >> (bit + 1));
            let zeta = ZETAS[if inverse { 2 * blocks - 1 - block } else { blocks + block }];
            factors[lane] = montgomery_product(zeta, scale);
            lane += 1;
        }
        all[pair] = Factors::new(factors);
        pair += 1;
    }
    all
}

/// 2^16: a scale that changes nothing.
const ONE: i16 = centred(1 << 16);

const LENGTH_16: [Factors; 4] = within(4, [5, 3, 2, 1], false, ONE);
static LENGTH_8: [Factors; 4] = within(3, [4, 5, 2, 1], false, ONE);
static LENGTH_4: [Factors; 4] = within(2, [4, 5, 3, 1], false, ONE);
static LENGTH_2: [Factors; 4] = within(1, [4, 5, 2, 3], false, ONE);

const INVERSE_LENGTH_2: [Factors; 4] = within(1, [4, 5, 2, 3], true, RESTORE_AND_SCALE);
static INVERSE_LENGTH_4: [Factors; 4] = within(2, [4, 5, 3, 1], true, ONE);
static INVERSE_LENGTH_8: [Factors; 4] = within(3, [4, 5, 2, 1], true, ONE);
static INVERSE_LENGTH_16: [Factors; 4] = within(4, [3, 5, 2, 1], true, ONE);

/// `a b 2^-16`, centred.
const fn montgomery_product(a: i16, b: i16) -> i16 {
    // 2^-16 = 169 (mod q)
    const { assert!(centred(169 << 16) == 1) };
    centred(a as i64 * b as i64 * 169)
}

/// FIPS 203, Algorithm 9. |f| < q; |f_hat| < 8q.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn ntt(f: &[i16; N], f_hat: &mut [i16; N]) {
    store_all(f_hat, &transformed(load_all(f)));
}

/// The same in registers.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(crate) fn transformed(mut a: [__m512i; 8]) -> [__m512i; 8] {
    for i in [0, 1, 2, 3] {
        [a[i], a[i + 4]] = butterfly::<{ forward(0, PRODUCT) }>([a[i], a[i + 4]], &ACROSS[1]);
    }
    for i in [0, 1, 4, 5] {
        [a[i], a[i + 2]] = butterfly::<{ forward(1, PRODUCT) }>([a[i], a[i + 2]], &ACROSS[2 + (i >> 2)]);
    }
    for i in [0, 2, 4, 6] {
        [a[i], a[i + 1]] = butterfly::<{ forward(2, PRODUCT) }>([a[i], a[i + 1]], &ACROSS[4 + (i >> 1)]);
    }
    let [a0, a1, a2, a3, a4, a5, a6, a7] = a;
    let mut a = [[a0, a1], [a2, a3], [a4, a5], [a6, a7]];
    for i in 0..4 {
        a[i] = butterfly::<{ forward(3, PRODUCT) }>(halves(a[i]), &LENGTH_16[i]);
    }
    for i in 0..4 {
        a[i] = butterfly::<{ forward(4, PRODUCT) }>(unzip_quarters(a[i]), &LENGTH_8[i]);
    }
    for i in 0..4 {
        a[i] = butterfly::<{ forward(5, PRODUCT) }>(zip_quads(a[i]), &LENGTH_4[i]);
    }
    for i in 0..4 {
        a[i] = butterfly::<{ forward(6, PRODUCT) }>(unzip(a[i]), &LENGTH_2[i]);
    }
    const { assert!(forward(7, PRODUCT) <= TRANSFORMED) };
    let [a0, a1, a2, a3] = a;
    let ([a0, a1], [a2, a3], [a4, a5], [a6, a7]) = (in_order(a0), in_order(a1), in_order(a2), in_order(a3));
    [a0, a1, a2, a3, a4, a5, a6, a7]
}

/// What the inverse transform takes lies below this: its first layer adds before it multiplies.
pub(crate) const INVERSE_INPUT: i32 = 1 << 14;

/// FIPS 203, Algorithm 10, in place, for input that carries a factor 2^-16 from a product.
/// |f| < 2^14 before, |f| < 8q after.
///
/// A layer replaces (x, y) by (x + y, zeta (y - x)): the bound of a sum doubles, that of a product does not
/// grow. The first layer multiplies its sums as well, by the scale, and that reduces them; the fourth has to
/// reduce them once more.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn ntt_inverse(f: &mut [i16; N]) {
    const B: i32 = PRODUCT + 1;
    const { assert!(reduced(sum(sum(sum(B)))) < B && sum(sum(sum(B))) <= Lazy::MAX as i32 + 1) };
    let [a0, a1, a2, a3, a4, a5, a6, a7] = load_all(f);
    let mut a = [[a0, a1], [a2, a3], [a4, a5], [a6, a7]];
    for i in 0..4 {
        let [x, y] = inverse_butterfly::<INVERSE_INPUT>(out_of_order(a[i]), &INVERSE_LENGTH_2[i]);
        a[i] = [montgomery_multiply(x, const { &Factors::all(RESTORE_AND_SCALE) }), y];
    }
    a = side_by_side(a);
    for i in 0..4 {
        a[i] = inverse_butterfly::<B>(zip(a[i]), &INVERSE_LENGTH_4[i]);
    }
    a = side_by_side(a);
    for i in 0..4 {
        a[i] = inverse_butterfly::<{ sum(B) }>(zip_quads(a[i]), &INVERSE_LENGTH_8[i]);
    }
    a = side_by_side(a);
    for i in 0..4 {
        let [x, y] = inverse_butterfly::<{ sum(sum(B)) }>(halves(a[i]), &INVERSE_LENGTH_16[i]);
        a[i] = unzip_quarters([barrett_reduce(x), y]);
    }
    let [[a0, a1], [a2, a3], [a4, a5], [a6, a7]] = a;
    let mut a = [a0, a1, a2, a3, a4, a5, a6, a7];
    for i in [0, 2, 4, 6] {
        [a[i], a[i + 1]] = inverse_butterfly::<B>([a[i], a[i + 1]], &ACROSS[7 - (i >> 1)]);
    }
    for i in [0, 1, 4, 5] {
        [a[i], a[i + 2]] = inverse_butterfly::<{ sum(B) }>([a[i], a[i + 2]], &ACROSS[3 - (i >> 2)]);
    }
    for i in [0, 1, 2, 3] {
        [a[i], a[i + 4]] = inverse_butterfly::<{ sum(sum(B)) }>([a[i], a[i + 4]], &ACROSS[1]);
    }
    store_all(f, &a);
}

/// Does nothing, with all of a polynomial.
///
/// Left to itself, the compiler may order a transform by pairs of registers instead of by layers, and then it waits for
/// each step of each pair: four tenths more time were seen.
#[inline]
#[target_feature(enable = "avx512bw")]
fn side_by_side(a: [[__m512i; 2]; 4]) -> [[__m512i; 2]; 4] {
    let [[mut a0, mut a1], [mut a2, mut a3], [mut a4, mut a5], [mut a6, mut a7]] = a;
    // SAFETY: there is no instruction, only a comment.
    unsafe {
        asm!(
            "/* {0} {1} {2} {3} {4} {5} {6} {7} */",
            inout(zmm_reg) a0,
            inout(zmm_reg) a1,
            inout(zmm_reg) a2,
            inout(zmm_reg) a3,
            inout(zmm_reg) a4,
            inout(zmm_reg) a5,
            inout(zmm_reg) a6,
            inout(zmm_reg) a7,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    [[a0, a1], [a2, a3], [a4, a5], [a6, a7]]
}

/// (x + zeta y, x - zeta y): |x|, |y| < B before, < B + q after.
///
/// Sums with the first part of the product do not wait for the second: one instruction more, a shorter way. They
/// may overflow; the results do not.
#[inline]
#[target_feature(enable = "avx512bw")]
fn butterfly<const B: i32>([x, y]: [__m512i; 2], zeta: &Factors) -> [__m512i; 2] {
    const { assert!(B + PRODUCT <= i16::MAX as i32) };
    let [high, quotient] = product(y, zeta);
    [
        _mm512_sub_epi16(_mm512_add_epi16(x, high), quotient),
        _mm512_add_epi16(_mm512_sub_epi16(x, high), quotient),
    ]
}

/// (x + y, zeta (y - x)): |x|, |y| < B before; the sum is below 2B, the product at most `PRODUCT`.
#[inline]
#[target_feature(enable = "avx512bw")]
fn inverse_butterfly<const B: i32>([x, y]: [__m512i; 2], zeta: &Factors) -> [__m512i; 2] {
    const { sum(B) };
    [_mm512_add_epi16(x, y), montgomery_multiply(_mm512_sub_epi16(y, x), zeta)]
}

/// `r; a b c d` to `a; r b c d`: the lower halves of x and y, the upper halves.
#[inline]
#[target_feature(enable = "avx512bw")]
fn halves([x, y]: [__m512i; 2]) -> [__m512i; 2] {
    [_mm512_shuffle_i64x2::<0b01_00_01_00>(x, y), _mm512_shuffle_i64x2::<0b11_10_11_10>(x, y)]
}

/// `r; a b c d` to `b; r a c d`: of the quarters of x and y, 0 and 2, 1 and 3.
#[inline]
#[target_feature(enable = "avx512bw")]
fn unzip_quarters([x, y]: [__m512i; 2]) -> [__m512i; 2] {
    [_mm512_shuffle_i64x2::<0b10_00_10_00>(x, y), _mm512_shuffle_i64x2::<0b11_01_11_01>(x, y)]
}

/// `r; a b c d` to `c; a b r d`: in each quarter, x0 x1 y0 y1 and x2 x3 y2 y3.
#[inline]
#[target_feature(enable = "avx512bw")]
fn zip_quads([x, y]: [__m512i; 2]) -> [__m512i; 2] {
    [_mm512_unpacklo_epi64(x, y), _mm512_unpackhi_epi64(x, y)]
}

/// `r; a b c d` to `d; a b r c`: in each quarter, x0 x2 y0 y2 and x1 x3 y1 y3.
#[inline]
#[target_feature(enable = "avx512bw")]
fn unzip([x, y]: [__m512i; 2]) -> [__m512i; 2] {
    let (x, y) = (_mm512_castsi512_ps(x), _mm512_castsi512_ps(y));
    [
        _mm512_castps_si512(_mm512_shuffle_ps::<0b10_00_10_00>(x, y)),
        _mm512_castps_si512(_mm512_shuffle_ps::<0b11_01_11_01>(x, y)),
    ]
}

/// `r; a b c d` to `c; a b d r`: in each quarter, x0 y0 x1 y1 and x2 y2 x3 y3.
#[inline]
#[target_feature(enable = "avx512bw")]
fn zip([x, y]: [__m512i; 2]) -> [__m512i; 2] {
    [_mm512_unpacklo_epi32(x, y), _mm512_unpackhi_epi32(x, y)]
}

/// `1; 4 5 2 3` to `5; 4 3 2 1`.
#[inline]
#[target_feature(enable = "avx512bw")]
fn in_order([x, y]: [__m512i; 2]) -> [__m512i; 2] {
    const INDICES: [[i32; 16]; 2] = gather(1, [4, 5, 2, 3], 5, [4, 3, 2, 1]);
    [_mm512_permutex2var_epi32(x, load(&INDICES[0]), y), _mm512_permutex2var_epi32(x, load(&INDICES[1]), y)]
}

/// `5; 4 3 2 1` to `1; 4 5 2 3`.
#[inline]
#[target_feature(enable = "avx512bw")]
fn out_of_order([x, y]: [__m512i; 2]) -> [__m512i; 2] {
    const INDICES: [[i32; 16]; 2] = gather(5, [4, 3, 2, 1], 1, [4, 5, 2, 3]);
    [_mm512_permutex2var_epi32(x, load(&INDICES[0]), y), _mm512_permutex2var_epi32(x, load(&INDICES[1]), y)]
}

/// Where each double word of two registers of the second arrangement is in the first.
const fn gather(from: u32, from_words: [u32; 4], to: u32, to_words: [u32; 4]) -> [[i32; 16]; 2] {
    let (mut indices, mut i) = ([[0; 16]; 2], 0);
    while i < 32 {
        let (register, word) = (i >> 4, i & 15);
        let (mut index, mut bit) = (register << to, 0);
        while bit < 4 {
            index |= (word >> (3 - bit) & 1) << to_words[bit];
            bit += 1;
        }
        let mut source = (index >> from & 1) << 4;
        bit = 0;
        while bit < 4 {
            source |= (index >> from_words[bit] & 1) << (3 - bit);
            bit += 1;
        }
        indices[register][word] = source as i32;
        i += 1;
    }
    indices
}
