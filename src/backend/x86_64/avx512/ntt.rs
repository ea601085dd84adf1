//! FIPS 203, Algorithms 9 and 10: the number-theoretic transform and its inverse, in registers.
//!
//! Register i holds coefficients 32 i to 32 i + 31. The layers of length 128, 64 and 32 act between registers.
//! For the others two neighbouring registers (x, y) exchange ever smaller parts, so that the partners in
//! every layer's butterflies stand in the same lane of x and of y:
//!
//! ```text
//!            x = coefficients (of these 64)        y
//! length 16  0-15, 32-47                           16 higher
//! length 8   0-7, 16-23, 32-39, 48-55              8 higher
//! length 4   0-3, 8-11, ..., 56-59                 4 higher
//! length 2   0, 1, 4, 5, ..., 60, 61               2 higher
//! ```

use core::arch::x86_64::*;

use super::reduce::{PRODUCT, broadcast, montgomery_multiply, reduce_roughly, rough};
use super::{Aligned, LANES, REGISTERS, load, load_all, store_all};
use crate::backend::poly::{N, Q};
use crate::backend::tables::{Q_INVERSE, RESTORE_AND_SCALE, ZETAS, centred};

/// Bound of a transform: each of the seven layers adds a product.
pub(crate) const TRANSFORM: i32 = (Q as i32 - 1) + 7 * PRODUCT;
const _: () = assert!(TRANSFORM < 8 * Q as i32 && TRANSFORM <= i16::MAX as i32);

/// One factor per lane: itself, and times q^-1 modulo 2^16.
pub(crate) struct Factors {
    plain: Aligned<[i16; LANES]>,
    times_q_inverse: Aligned<[i16; LANES]>,
}

impl Factors {
    pub(crate) const fn new(plain: [i16; LANES]) -> Self {
        let (mut times_q_inverse, mut lane) = ([0; LANES], 0);
        while lane < LANES {
            times_q_inverse[lane] = plain[lane].wrapping_mul(Q_INVERSE);
            lane += 1;
        }
        Self { plain: Aligned(plain), times_q_inverse: Aligned(times_q_inverse) }
    }

    #[inline]
    #[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
    pub(crate) fn load(&self) -> (__m512i, __m512i) {
        (load(&self.plain.0), load(&self.times_q_inverse.0))
    }
}

/// The zetas of the layer of length 2^log for each pair of registers, `backwards` for the inverse transform
/// (FIPS 203, Algorithm 10, line 6).
const fn zetas(log: u32, backwards: bool) -> [Factors; REGISTERS >> 1] {
    const fn pair(log: u32, backwards: bool, pair: usize) -> Factors {
        let (mut factors, mut lane) = ([0; LANES], 0);
        while lane < LANES {
            // x holds the lower halves of blocks of 2^(log + 1), one after the other.
            let block = ((LANES * pair) >> log) + (lane >> log);
            let blocks = N >> (log + 1);
            factors[lane] = ZETAS[if backwards { 2 * blocks - 1 - block } else { blocks + block }];
            lane += 1;
        }
        Factors::new(factors)
    }
    [pair(log, backwards, 0), pair(log, backwards, 1), pair(log, backwards, 2), pair(log, backwards, 3)]
}

static ZETAS_16: [Factors; 4] = zetas(4, false);
static ZETAS_8: [Factors; 4] = zetas(3, false);
static ZETAS_4: [Factors; 4] = zetas(2, false);
static ZETAS_2: [Factors; 4] = zetas(1, false);
static INVERSE_ZETAS_16: [Factors; 4] = zetas(4, true);
static INVERSE_ZETAS_8: [Factors; 4] = zetas(3, true);
static INVERSE_ZETAS_4: [Factors; 4] = zetas(2, true);
static INVERSE_ZETAS_2: [Factors; 4] = zetas(1, true);

/// The factor of differences in the inverse transform's last layer, with the scale in it.
const LAST: i16 = centred(RESTORE_AND_SCALE as i64 * crate::backend::tables::pow_mod_q(17, 64));

/// x = [x0 x1], y = [y0 y1] become [x0 y0], [x1 y1]; parts of 256 bits.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn exchange_16(x: __m512i, y: __m512i) -> (__m512i, __m512i) {
    (_mm512_shuffle_i64x2::<0b01_00_01_00>(x, y), _mm512_shuffle_i64x2::<0b11_10_11_10>(x, y))
}

/// x = [x0 x1 x2 x3], y likewise become [x0 y0 x2 y2], [x1 y1 x3 y3]; parts of 128 bits.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn exchange_8(x: __m512i, y: __m512i) -> (__m512i, __m512i) {
    (
        _mm512_mask_shuffle_i64x2::<0b10_10_00_00>(x, 0b1100_1100, y, y),
        _mm512_mask_shuffle_i64x2::<0b11_11_01_01>(y, 0b0011_0011, x, x),
    )
}

/// The same for parts of 64 bits.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn exchange_4(x: __m512i, y: __m512i) -> (__m512i, __m512i) {
    (_mm512_unpacklo_epi64(x, y), _mm512_unpackhi_epi64(x, y))
}

/// The same for parts of 32 bits.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn exchange_2(x: __m512i, y: __m512i) -> (__m512i, __m512i) {
    (
        _mm512_mask_shuffle_epi32::<0b10_10_00_00>(x, 0xaaaa, y),
        _mm512_mask_shuffle_epi32::<0b11_11_01_01>(y, 0x5555, x),
    )
}

/// [x0 x1 ... xf], [y0 y1 ... yf] become [x0 y0 ... x7 y7], [x8 y8 ... xf yf]; parts of 32 bits.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn interleave(x: __m512i, y: __m512i) -> (__m512i, __m512i) {
    static LOW: Aligned<[i32; 16]> = Aligned([0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23]);
    static HIGH: Aligned<[i32; 16]> = Aligned([8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31]);
    (_mm512_permutex2var_epi32(x, load(&LOW.0), y), _mm512_permutex2var_epi32(x, load(&HIGH.0), y))
}

/// Undoes `interleave`.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn separate(x: __m512i, y: __m512i) -> (__m512i, __m512i) {
    static EVEN: Aligned<[i32; 16]> = Aligned([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]);
    static ODD: Aligned<[i32; 16]> = Aligned([1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31]);
    (_mm512_permutex2var_epi32(x, load(&EVEN.0), y), _mm512_permutex2var_epi32(x, load(&ODD.0), y))
}

/// (x + zeta y, x - zeta y): what bounded |x| and |y| grows by `PRODUCT`.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn butterfly((x, y): (__m512i, __m512i), zeta: (__m512i, __m512i)) -> (__m512i, __m512i) {
    let t = montgomery_multiply(y, zeta);
    (_mm512_add_epi16(x, t), _mm512_sub_epi16(x, t))
}

/// (x + y, zeta (y - x)): the bound of sums doubles, products are within `PRODUCT`.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn inverse_butterfly((x, y): (__m512i, __m512i), zeta: (__m512i, __m512i)) -> (__m512i, __m512i) {
    (_mm512_add_epi16(x, y), montgomery_multiply(_mm512_sub_epi16(y, x), zeta))
}

/// FIPS 203, Algorithm 9, |f| < q: within `TRANSFORM`.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn transform(f: &[i16; N]) -> [__m512i; REGISTERS] {
    let mut r = load_all(f);
    let zeta = broadcast(ZETAS[1]);
    for i in [0, 1, 2, 3] {
        (r[i], r[i + 4]) = butterfly((r[i], r[i + 4]), zeta);
    }
    for i in [0, 1, 4, 5] {
        let zeta = broadcast(ZETAS[2 + (i >> 2)]);
        (r[i], r[i + 2]) = butterfly((r[i], r[i + 2]), zeta);
    }
    for i in [0, 2, 4, 6] {
        let zeta = broadcast(ZETAS[4 + (i >> 1)]);
        (r[i], r[i + 1]) = butterfly((r[i], r[i + 1]), zeta);
    }
    for (pair, r) in r.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let (x, y) = exchange_16(r[0], r[1]);
        let (x, y) = butterfly((x, y), ZETAS_16[pair].load());
        let (x, y) = exchange_8(x, y);
        let (x, y) = butterfly((x, y), ZETAS_8[pair].load());
        let (x, y) = exchange_4(x, y);
        let (x, y) = butterfly((x, y), ZETAS_4[pair].load());
        let (x, y) = exchange_2(x, y);
        let (x, y) = butterfly((x, y), ZETAS_2[pair].load());
        (r[0], r[1]) = interleave(x, y);
    }
    r
}

/// FIPS 203, Algorithm 9. |f| < q; |f_hat| < 8q.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn ntt(f: &[i16; N], f_hat: &mut [i16; N]) {
    store_all(f_hat, &transform(f));
}

/// Largest input of the inverse transform: a first sum fits, and nothing else in it does.
pub(crate) const INVERSE_INPUT: i32 = i16::MAX as i32 >> 1;

/// The layers of length 2 to 16 of the inverse transform, on one pair of registers: within `PRODUCT`.
///
/// Sums of the first and of the fourth layer are reduced: the third's are within 4 PRODUCT, and the
/// remaining three layers double `PRODUCT` three times.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn inverse_within(pair: usize, r: (__m512i, __m512i)) -> (__m512i, __m512i) {
    const { assert!(rough(2 * INVERSE_INPUT) <= PRODUCT && rough(8 * PRODUCT) <= PRODUCT) };
    const { assert!(8 * PRODUCT <= i16::MAX as i32) };
    let (x, y) = separate(r.0, r.1);
    let (x, y) = inverse_butterfly((x, y), INVERSE_ZETAS_2[pair].load());
    let (x, y) = exchange_2(reduce_roughly(x), y);
    let (x, y) = inverse_butterfly((x, y), INVERSE_ZETAS_4[pair].load());
    let (x, y) = exchange_4(x, y);
    let (x, y) = inverse_butterfly((x, y), INVERSE_ZETAS_8[pair].load());
    let (x, y) = exchange_8(x, y);
    let (x, y) = inverse_butterfly((x, y), INVERSE_ZETAS_16[pair].load());
    exchange_16(reduce_roughly(x), y)
}

/// The layers of length 32, 64 and 128, for input within `PRODUCT`, and the scaling of a value
/// that carries 2^-16: within `PRODUCT`, so below 8q.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn inverse_between(mut r: [__m512i; REGISTERS]) -> [__m512i; REGISTERS] {
    const { assert!(PRODUCT < 8 * Q as i32) };
    for i in [0, 2, 4, 6] {
        let zeta = broadcast(ZETAS[7 - (i >> 1)]);
        (r[i], r[i + 1]) = inverse_butterfly((r[i], r[i + 1]), zeta);
    }
    for i in [0, 1, 4, 5] {
        let zeta = broadcast(ZETAS[3 - (i >> 2)]);
        (r[i], r[i + 2]) = inverse_butterfly((r[i], r[i + 2]), zeta);
    }
    let (scale, last) = (broadcast(RESTORE_AND_SCALE), broadcast(LAST));
    for i in [0, 1, 2, 3] {
        let (sum, difference) = inverse_butterfly((r[i], r[i + 4]), last);
        (r[i], r[i + 4]) = (montgomery_multiply(sum, scale), difference);
    }
    r
}
