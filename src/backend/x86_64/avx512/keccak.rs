//! Keccak-f\[1600\] for x86-64 with AVX-512 F, BW, VL and DQ: eight states, four states, and one.
//!
//! A kernel runs one round for each constant it is given: all of them, or one when a test looks at a round.
//!
//! Two shapes. Eight and four states lie side by side, one lane of all of them a register: 25 of the 32 registers
//! are the state, and no step crosses lanes (`x86_64/rounds.rs`). One state lies in five registers, one plane each.

use core::arch::x86_64::*;

use super::{load, store};
use crate::backend::batch::{Function, LAST_BIT, Start};
use crate::backend::keccak::{RHO, mod5};
use crate::backend::x86_64::{at, at_mut, load as load_ymm, store as store_ymm};

/// Truth tables of `vpternlogq`: bit 4a + 2b + c is the value at (a, b, c).
const XOR3: i32 = 0b1001_0110;
/// a ^ (!b & c).
const CHI: i32 = 0b1101_0010;

/// Permutes one state, a plane a register: element x of register y is A\[x, y\]. Elements 5, 6 and 7 hold
/// nothing and mix with nothing: every permutation below maps them to themselves.
///
/// A round is one long dependency chain, so it is laid out to be short:
///
/// - Theta's parity is the sum of the registers, whichever way a column's lanes are spread over them. So while
///   the chain waits for D, `shear` blends lane (x, y) into register f = y - x, off the critical path.
/// - Pi sends (x, x + f) to (x + f, 3f). Register f is then the whole row 3f, only rotated by f, and the
///   three operands of chi are three independent permutations of it: planes again, with no transposition.
///
/// ```text
/// register 1 after shear   A01 A12 A23 A34 A40     (Axy)
/// is row 3 after pi        B13 B23 B33 B43 B03     (A01 -> B13, A12 -> B23, ...)
/// ```
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn permute_x1<const R: usize>(state: &mut [u64; 25], constants: &[u64; R]) {
    let planes = state.as_chunks_mut::<5>().0;
    let mut a: [__m512i; 5] = core::array::from_fn(|y| load5(&planes[y]));
    for &rc in constants {
        a = round_x1(&a, rc);
    }
    for (plane, a) in planes.iter_mut().zip(a) {
        store5(plane, a);
    }
}

#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn round_x1(a: &[__m512i; 5], rc: u64) -> [__m512i; 5] {
    // Planes 3 and 4 leave chi last, so they are added last.
    let low = _mm512_ternarylogic_epi64::<XOR3>(a[0], a[1], a[2]);
    let c = _mm512_ternarylogic_epi64::<XOR3>(low, a[3], a[4]);
    let left = rotate_elements::<4>(c);
    let right = _mm512_rol_epi64::<1>(rotate_elements::<1>(c));

    let a = shear(a);
    macro_rules! theta_rho {
        ($f:literal) => {
            _mm512_rolv_epi64(
                _mm512_ternarylogic_epi64::<XOR3>(a[$f], left, right),
                load(const { &sheared_rho($f) }),
            )
        };
    }
    let b = [theta_rho!(0), theta_rho!(1), theta_rho!(2), theta_rho!(3), theta_rho!(4)];

    // Row y is register f = 2y, where B[x] is element x - f = x + 3y.
    macro_rules! row {
        ($y:literal) => {{
            let b = b[mod5(2 * $y)];
            _mm512_ternarylogic_epi64::<CHI>(
                rotate_elements::<{ mod5(3 * $y) }>(b),
                rotate_elements::<{ mod5(3 * $y + 1) }>(b),
                rotate_elements::<{ mod5(3 * $y + 2) }>(b),
            )
        }};
    }
    let iota = _mm512_zextsi128_si512(_mm_set_epi64x(0, rc.cast_signed()));
    [_mm512_xor_si512(row!(0), iota), row!(1), row!(2), row!(3), row!(4)]
}

/// Moves A\[x, y\] from register y to register y - x: element x of register f comes from register f + x, by the
/// binary digits of x.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn shear(a: &[__m512i; 5]) -> [__m512i; 5] {
    macro_rules! step {
        ($a:expr, $elements:literal, $by:literal) => {{
            let a = $a;
            [
                _mm512_mask_blend_epi64($elements, a[0], a[mod5($by)]),
                _mm512_mask_blend_epi64($elements, a[1], a[mod5(1 + $by)]),
                _mm512_mask_blend_epi64($elements, a[2], a[mod5(2 + $by)]),
                _mm512_mask_blend_epi64($elements, a[3], a[mod5(3 + $by)]),
                _mm512_mask_blend_epi64($elements, a[4], a[mod5(4 + $by)]),
            ]
        }};
    }
    let a = step!(a, 0b01010, 1);
    let a = step!(a, 0b01100, 2);
    step!(a, 0b10000, 4)
}

/// Element x of the result is element x + R mod 5 of `a`.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn rotate_elements<const R: usize>(a: __m512i) -> __m512i {
    const fn indices(r: usize) -> [u64; 8] {
        let mut indices = [0, 1, 2, 3, 4, 5, 6, 7];
        let mut x = 0;
        while x < 5 {
            indices[x] = mod5(x + r) as u64;
            x += 1;
        }
        indices
    }
    if R == 0 { a } else { _mm512_permutexvar_epi64(load(const { &indices(R) }), a) }
}

/// Rho for register f after `shear`: element x holds lane (x, x + f).
const fn sheared_rho(f: usize) -> [u64; 8] {
    let mut offsets = [0; 8];
    let mut x = 0;
    while x < 5 {
        offsets[x] = RHO[x + 5 * mod5(x + f)] as u64;
        x += 1;
    }
    offsets
}

/// Sets the columns that have an end, all of them below `used`.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn start(state: &mut [[u64; 8]; 25], used: usize, start: Start<'_>, ends: &[Option<u64>; 8]) {
    let mask = ends.iter().rev().fold(0, |mask, end| mask << 1 | u8::from(end.is_some()));
    if mask == 0 {
        return;
    }
    let end = |column: usize| ends[column].unwrap_or(0).cast_signed();
    let ends = _mm512_set_epi64(end(7), end(6), end(5), end(4), end(3), end(2), end(1), end(0));
    if used > 4 {
        start_x8(state, mask, start, ends);
    } else {
        start_x4(state, mask, start, _mm512_castsi512_si256(ends));
    }
}

/// Adds words of message to a column below `used`.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn absorb(state: &mut [[u64; 8]; 25], used: usize, column: usize, words: &[u8]) {
    // Most blocks are those of H and J.
    const H: usize = Function::Sha3_256.rate() >> 3;
    let (words, mask) = (words.as_chunks().0, 1 << (column & 7));
    match (<&[_; H]>::try_from(words), used > 4) {
        (Ok(words), true) => absorb_x8(state, mask, words),
        (Ok(words), false) => absorb_x4(state, mask, words),
        (Err(_), true) => absorb_x8(state, mask, words),
        (Err(_), false) => absorb_x4(state, mask, words),
    }
}

/// The same once for each register width.
///
/// A row is read and written as a whole, as the permutations do it. A register that is read from two words written
/// one by one, or from two halves, has to wait until both have reached the cache.
macro_rules! columns {
    ($start:ident, $absorb:ident, $v:ty, $width:literal, $load:ident, $store:ident,
     $broadcast:ident, $zero:ident, $mask_mov:ident, $mask_xor:ident) => {
        #[inline]
        #[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
        fn $start(state: &mut [[u64; 8]; 25], mask: u8, start: Start<'_>, ends: $v) {
            let seed = start.seed.as_chunks().0;
            for (i, row) in state.iter_mut().enumerate() {
                let words = match seed.get(i) {
                    Some(word) => $broadcast(i64::from_le_bytes(*word)),
                    None if i == seed.len() => ends,
                    None => $zero(),
                };
                let row = at_mut::<_, $width>(row, 0);
                let old = $load(row);
                $store(row, $mask_mov(old, mask, words));
            }
            if let Some(row) = state.get_mut(start.last) {
                let row = at_mut::<_, $width>(row, 0);
                let old = $load(row);
                $store(row, $mask_xor(old, mask, old, $broadcast(LAST_BIT.cast_signed())));
            }
        }

        #[inline]
        #[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
        fn $absorb(state: &mut [[u64; 8]; 25], mask: u8, words: &[[u8; 8]]) {
            for (row, word) in state.iter_mut().zip(words) {
                let row = at_mut::<_, $width>(row, 0);
                let old = $load(row);
                $store(row, $mask_xor(old, mask, old, $broadcast(i64::from_le_bytes(*word))));
            }
        }
    };
}

columns!(
    start_x8,
    absorb_x8,
    __m512i,
    8,
    load,
    store,
    _mm512_set1_epi64,
    _mm512_setzero_si512,
    _mm512_mask_mov_epi64,
    _mm512_mask_xor_epi64
);
columns!(
    start_x4,
    absorb_x4,
    __m256i,
    4,
    load_ymm,
    store_ymm,
    _mm256_set1_epi64x,
    _mm256_setzero_si256,
    _mm256_mask_mov_epi64,
    _mm256_mask_xor_epi64
);

/// Transposes the two 4 x 4 matrices in the lower and the upper halves.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn transpose(r: [__m512i; 4]) -> [__m512i; 4] {
    // Pairs of words from two registers: [a0 a1, a2 a3, a4 a5, a6 a7] and b to [a0 a1 b0 b1 a4 a5 b4 b5].
    let even = load(&[0u64, 1, 8, 9, 4, 5, 12, 13]);
    let odd = load(&[2u64, 3, 10, 11, 6, 7, 14, 15]);
    let (a02, b02) = (_mm512_unpacklo_epi64(r[0], r[1]), _mm512_unpacklo_epi64(r[2], r[3]));
    let (a13, b13) = (_mm512_unpackhi_epi64(r[0], r[1]), _mm512_unpackhi_epi64(r[2], r[3]));
    [
        _mm512_permutex2var_epi64(a02, even, b02),
        _mm512_permutex2var_epi64(a13, even, b13),
        _mm512_permutex2var_epi64(a02, odd, b02),
        _mm512_permutex2var_epi64(a13, odd, b13),
    ]
}

/// The words of columns `0..used` as blocks, with the standard's order of bytes.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn squeeze(state: &[[u64; 8]; 25], used: usize, blocks: &mut [[u8; 192]; 8]) {
    let [low, high] = blocks.as_chunks_mut().0 else { unreachable!() };
    squeeze_four::<0>(state, low);
    if used > 4 {
        squeeze_four::<4>(state, high);
    }
}

/// Words 0 to 23 of the columns `FIRST..FIRST + 4`.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn squeeze_four<const FIRST: usize>(state: &[[u64; 8]; 25], blocks: &mut [[u8; 192]; 4]) {
    for (i, rows) in state.as_chunks::<8>().0.iter().enumerate() {
        // row y in the lower half, row y + 4 in the upper one
        let r: [__m512i; 4] = core::array::from_fn(|y| {
            let (low, high) = (at::<_, 4>(&rows[y], FIRST), at::<_, 4>(&rows[y + 4], FIRST));
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(load_ymm(low)), load_ymm(high))
        });
        for (block, column) in blocks.iter_mut().zip(transpose(r)) {
            store(at_mut::<_, 64>(block, 64 * i), column);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn load5(plane: &[u64; 5]) -> __m512i {
    // SAFETY: the mask selects five elements, those of `plane`; masked-out ones are not accessed.
    unsafe { _mm512_maskz_loadu_epi64(0b11111, plane.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn store5(plane: &mut [u64; 5], value: __m512i) {
    // SAFETY: the mask selects five elements, those of `plane`; masked-out ones are not accessed.
    unsafe { _mm512_mask_storeu_epi64(plane.as_mut_ptr().cast(), 0b11111, value) }
}

#[cfg(test)]
mod tests {
    use super::super::Avx512;
    use super::permute_x1;
    use crate::backend::conformance::present;
    use crate::backend::keccak::{ROUND_CONSTANTS, check};
    use crate::backend::x86_64::rounds;

    #[test]
    fn permutes_eight_states_and_four_and_one() {
        if present("avx512", Avx512::detect()).is_none() {
            return;
        }
        // SAFETY: the machine has AVX-512 F, BW, VL and DQ.
        check::<8>(8, |state| unsafe { rounds::eight(state, &ROUND_CONSTANTS) });
        // SAFETY: the machine has AVX-512 F, BW, VL and DQ.
        check::<8>(4, |state| unsafe { rounds::four(state, &ROUND_CONSTANTS) });
        check::<1>(1, |state| {
            let state = state.as_flattened_mut().try_into().expect("25 words");
            // SAFETY: the machine has AVX-512 F, BW, VL and DQ.
            unsafe { permute_x1(state, &ROUND_CONSTANTS) }
        });
    }

    #[test]
    fn blocks_are_the_columns() {
        let Some(backend) = present("avx512", Avx512::detect()) else { return };
        crate::backend::conformance::sponge_steps::<Avx512, 8>(backend);
    }
}
