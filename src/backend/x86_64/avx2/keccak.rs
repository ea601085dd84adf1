//! Keccak-f\[1600\] for x86-64 with AVX2 (four states) and with BMI1 and BMI2 (one state).

use core::arch::x86_64::*;

use crate::backend::x86_64::{at_mut, store as store_bytes};
use crate::sponge::fips202::{FirstBlock, Function, LAST_BIT};
use crate::sponge::keccak::{RHO, ROUND_CONSTANTS, pi_column, pi_lane};

/// Permutes four states, one in each slot.
///
/// Sixteen registers hold neither the state nor its successor, so most lanes live on the stack. A round
/// therefore goes row by row: five registers for D, five for the row, five for the column parities of the next
/// round, summed while the new lanes are still in registers.
#[target_feature(enable = "avx2")]
pub(crate) fn permute_x4(state: &mut [[u64; 4]; 25]) {
    let mut a: [__m256i; 25] = core::array::from_fn(|i| load(&state[i]));
    let mut c = parities(&a);
    // Two rounds a turn, from one set of stack slots to another and back.
    for rc in ROUND_CONSTANTS.as_chunks::<2>().0 {
        (a, c) = round_x4(&a, &c, rc[0]);
        (a, c) = round_x4(&a, &c, rc[1]);
    }
    for (lane, a) in state.iter_mut().zip(&a) {
        store(lane, *a);
    }
}

/// The column parities.
#[inline]
#[target_feature(enable = "avx2")]
fn parities(a: &[__m256i; 25]) -> [__m256i; 5] {
    core::array::from_fn(|x| {
        let low = _mm256_xor_si256(_mm256_xor_si256(a[x], a[x + 5]), a[x + 10]);
        _mm256_xor_si256(low, _mm256_xor_si256(a[x + 15], a[x + 20]))
    })
}

/// One round of `permute_x4`, for proofs. What is wrong with the parities it hands on is added to the state.
#[target_feature(enable = "avx2")]
pub(crate) fn one_round_x4(state: &mut [[u64; 4]; 25], rc: u64) {
    let a: [__m256i; 25] = core::array::from_fn(|i| load(&state[i]));
    let (mut a, c) = round_x4(&a, &parities(&a), rc);
    let expected = parities(&a);
    for x in 0..5 {
        a[x] = _mm256_xor_si256(a[x], _mm256_xor_si256(c[x], expected[x]));
    }
    for (lane, a) in state.iter_mut().zip(a) {
        store(lane, a);
    }
}

/// One round of `permute_x1`, for proofs.
#[target_feature(enable = "bmi1,bmi2")]
pub(crate) fn one_round_x1(state: &mut [u64; 25], rc: u64) {
    *state = round_x1(state, rc);
}

/// One round; takes the column parities of `a` and returns those of the result beside it.
#[inline]
#[target_feature(enable = "avx2")]
fn round_x4(a: &[__m256i; 25], c: &[__m256i; 5], rc: u64) -> ([__m256i; 25], [__m256i; 5]) {
    macro_rules! rol {
        ($lane:expr, $n:expr) => {{
            let lane = $lane;
            match $n {
                0 => lane,
                8 => _mm256_shuffle_epi8(lane, load(const { &rotate_bytes::<1>() })),
                56 => _mm256_shuffle_epi8(lane, load(const { &rotate_bytes::<7>() })),
                // An addition runs on more ports than a shift.
                1 => _mm256_or_si256(_mm256_add_epi64(lane, lane), _mm256_srli_epi64::<63>(lane)),
                _ => {
                    _mm256_or_si256(_mm256_slli_epi64::<{ $n }>(lane), _mm256_srli_epi64::<{ 64 - $n }>(lane))
                }
            }
        }};
    }
    let d = [
        _mm256_xor_si256(c[4], rol!(c[1], 1)),
        _mm256_xor_si256(c[0], rol!(c[2], 1)),
        _mm256_xor_si256(c[1], rol!(c[3], 1)),
        _mm256_xor_si256(c[2], rol!(c[4], 1)),
        _mm256_xor_si256(c[3], rol!(c[0], 1)),
    ];
    macro_rules! b {
        ($x:literal, $y:literal) => {{
            const N: i32 = RHO[pi_lane($x, $y)] as i32;
            rol!(_mm256_xor_si256(a[pi_lane($x, $y)], d[pi_column($x, $y)]), N)
        }};
    }
    macro_rules! row {
        ($y:literal) => {{
            let (b0, b1, b2, b3, b4) = (b!(0, $y), b!(1, $y), b!(2, $y), b!(3, $y), b!(4, $y));
            [
                _mm256_xor_si256(b0, _mm256_andnot_si256(b1, b2)),
                _mm256_xor_si256(b1, _mm256_andnot_si256(b2, b3)),
                _mm256_xor_si256(b2, _mm256_andnot_si256(b3, b4)),
                _mm256_xor_si256(b3, _mm256_andnot_si256(b4, b0)),
                _mm256_xor_si256(b4, _mm256_andnot_si256(b0, b1)),
            ]
        }};
    }
    let mut out = *a;
    let mut row0 = row!(0);
    row0[0] = _mm256_xor_si256(row0[0], _mm256_set1_epi64x(rc.cast_signed()));
    let mut parity = row0;
    out[..5].copy_from_slice(&row0);
    macro_rules! next_row {
        ($y:literal) => {
            let row = row!($y);
            for x in 0..5 {
                out[5 * $y + x] = row[x];
                parity[x] = _mm256_xor_si256(parity[x], row[x]);
            }
        };
    }
    next_row!(1);
    next_row!(2);
    next_row!(3);
    next_row!(4);
    (out, parity)
}

/// The `vpshufb` control that rotates each 64-bit lane left by N bytes.
const fn rotate_bytes<const N: u64>() -> [u64; 4] {
    // Byte j of the control names the source byte j - N of the same lane; indices are per 128-bit half.
    let low = 0x0706_0504_0302_0100_u64.rotate_left(8 * N as u32);
    let high = low + 0x0808_0808_0808_0808;
    [low, high, low, high]
}

/// Permutes one state with scalar and-not and three-operand rotations.
#[target_feature(enable = "bmi1,bmi2")]
pub(crate) fn permute_x1(state: &mut [u64; 25]) {
    // The even state stays where the caller has it and the odd one on the stack: loads straight from memory
    // operands, no copies between rounds.
    for rc in ROUND_CONSTANTS.as_chunks::<2>().0 {
        let odd = round_x1(state, rc[0]);
        *state = round_x1(&odd, rc[1]);
    }
}

/// One round in plain Rust: inlined above, it is compiled with the features there. (A `target_feature` function
/// cannot be `inline(always)`, and LLVM takes this one for too large to inline on its own.)
#[inline(always)]
fn round_x1(a: &[u64; 25], rc: u64) -> [u64; 25] {
    let c: [u64; 5] = core::array::from_fn(|x| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    let d = [
        c[4] ^ c[1].rotate_left(1),
        c[0] ^ c[2].rotate_left(1),
        c[1] ^ c[3].rotate_left(1),
        c[2] ^ c[4].rotate_left(1),
        c[3] ^ c[0].rotate_left(1),
    ];
    macro_rules! b {
        ($x:literal, $y:literal) => {
            (a[pi_lane($x, $y)] ^ d[pi_column($x, $y)]).rotate_left(const { RHO[pi_lane($x, $y)] })
        };
    }
    let mut out = *a;
    macro_rules! row {
        ($y:literal) => {
            let b = [b!(0, $y), b!(1, $y), b!(2, $y), b!(3, $y), b!(4, $y)];
            out[5 * $y] = b[0] ^ (!b[1] & b[2]);
            out[5 * $y + 1] = b[1] ^ (!b[2] & b[3]);
            out[5 * $y + 2] = b[2] ^ (!b[3] & b[4]);
            out[5 * $y + 3] = b[3] ^ (!b[4] & b[0]);
            out[5 * $y + 4] = b[4] ^ (!b[0] & b[1]);
        };
    }
    row!(0);
    row!(1);
    row!(2);
    row!(3);
    row!(4);
    out[0] ^= rc;
    out
}

/// Sets the slots that have a bit in `slots`.
///
/// Whole rows are read and written: a row written word by word would have to reach the cache before the permutation
/// could read it.
#[target_feature(enable = "avx2")]
pub(crate) fn start(state: &mut [[u64; 4]; 25], first: FirstBlock<'_>, slots: u32, word4: &[u64; 4]) {
    let here = |slot: usize| -i64::from(slots >> slot & 1);
    let mask = _mm256_set_epi64x(here(3), here(2), here(1), here(0));
    let word4 = load(word4);
    let seed = first.seed.as_chunks().0;
    for (i, row) in state.iter_mut().enumerate() {
        let words = match seed.get(i) {
            Some(word) => _mm256_set1_epi64x(i64::from_le_bytes(*word)),
            None if i == seed.len() => word4,
            None => _mm256_setzero_si256(),
        };
        let old = load(row);
        store(row, _mm256_blendv_epi8(old, words, mask));
    }
    if let Some(row) = state.get_mut(first.last) {
        let last = _mm256_and_si256(mask, _mm256_set1_epi64x(LAST_BIT.cast_signed()));
        let old = load(row);
        store(row, _mm256_xor_si256(old, last));
    }
}

/// Adds words of message to a slot; whole rows again.
#[target_feature(enable = "avx2")]
pub(crate) fn absorb(state: &mut [[u64; 4]; 25], slot: usize, words: &[u8]) {
    // Most blocks are those of H and J.
    const H: usize = Function::Sha3_256.rate() >> 3;
    let words = words.as_chunks().0;
    if let Ok(words) = <&[_; H]>::try_from(words) {
        absorb_words(state, slot, words);
    } else {
        for (row, word) in state.iter_mut().zip(words) {
            absorb_words(core::slice::from_mut(row), slot, &[*word]);
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn absorb_words<const L: usize>(state: &mut [[u64; 4]], slot: usize, words: &[[u8; 8]; L]) {
    let here = |i: usize| -i64::from(i == slot);
    let mask = _mm256_set_epi64x(here(3), here(2), here(1), here(0));
    for (row, word) in state.iter_mut().zip(words) {
        let word = _mm256_and_si256(mask, _mm256_set1_epi64x(i64::from_le_bytes(*word)));
        let old = load(row);
        store(row, _mm256_xor_si256(old, word));
    }
}

/// The words of the slots as blocks, with the standard's order of bytes.
#[target_feature(enable = "avx2")]
pub(crate) fn squeeze(state: &[[u64; 4]; 25], blocks: &mut [[u8; 192]; 4]) {
    for (i, rows) in state.as_chunks::<4>().0.iter().enumerate() {
        let slots = transpose([load(&rows[0]), load(&rows[1]), load(&rows[2]), load(&rows[3])]);
        for (block, slot) in blocks.iter_mut().zip(slots) {
            store_bytes(at_mut::<_, 32>(block, 32 * i), slot);
        }
    }
}

/// Transposes a 4 x 4 matrix of words.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose(r: [__m256i; 4]) -> [__m256i; 4] {
    let (a02, b02) = (_mm256_unpacklo_epi64(r[0], r[1]), _mm256_unpacklo_epi64(r[2], r[3]));
    let (a13, b13) = (_mm256_unpackhi_epi64(r[0], r[1]), _mm256_unpackhi_epi64(r[2], r[3]));
    [
        _mm256_permute2x128_si256::<0x20>(a02, b02),
        _mm256_permute2x128_si256::<0x20>(a13, b13),
        _mm256_permute2x128_si256::<0x31>(a02, b02),
        _mm256_permute2x128_si256::<0x31>(a13, b13),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(lane: &[u64; 4]) -> __m256i {
    // SAFETY: the 32 bytes read are those of `lane`; the load is unaligned.
    unsafe { _mm256_loadu_si256(lane.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(lane: &mut [u64; 4], value: __m256i) {
    // SAFETY: the 32 bytes written are those of `lane`; the store is unaligned.
    unsafe { _mm256_storeu_si256(lane.as_mut_ptr().cast(), value) }
}

#[cfg(test)]
mod tests {
    use super::super::Avx2;
    use crate::sponge::keccak::check;
    use crate::sponge::{Keccak, States};

    #[test]
    fn blocks_are_the_slots() {
        let Some(backend) = crate::backend::conformance::present("avx2", Avx2::detect()) else { return };
        crate::backend::conformance::sponge_steps::<Avx2, 4>(backend);
    }

    #[test]
    fn permutes_four_states_and_one() {
        let Some(backend) = crate::backend::conformance::present("avx2", Avx2::detect()) else { return };
        check::<4>(4, |state| {
            let mut states = States(*state);
            backend.permute(&mut states, 4);
            *state = states.0;
        });
        check::<1>(1, |state| {
            let mut states = States(*state);
            backend.permute(&mut states, 1);
            *state = states.0;
        });
    }
}
