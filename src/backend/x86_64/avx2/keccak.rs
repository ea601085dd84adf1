//! Keccak-f\[1600\] for x86-64 with AVX2 (four states) and with BMI1 and BMI2 (one state).

use core::arch::x86_64::*;

use super::rounds;
use crate::backend::x86_64::{at_mut, store as store_bytes};
use crate::sponge::fips202::{FirstBlock, Function, LAST_BIT};
use crate::sponge::keccak::{RHO, ROUND_CONSTANTS, pi_column, pi_lane};

/// Permutes four states, one in each slot.
#[target_feature(enable = "avx2")]
pub(crate) fn permute_x4(state: &mut [[u64; 4]; 25]) {
    let mut parities = parities(state);
    rounds::all(state, &mut parities, &ROUND_CONSTANTS);
}

/// The column parities.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn parities(state: &[[u64; 4]; 25]) -> [__m256i; 5] {
    let lane = |i: usize| load(&state[i]);
    core::array::from_fn(|x| {
        let low = _mm256_xor_si256(_mm256_xor_si256(lane(x), lane(x + 5)), lane(x + 10));
        _mm256_xor_si256(low, _mm256_xor_si256(lane(x + 15), lane(x + 20)))
    })
}

/// One round of `permute_x4`, in either order, the first of two a turn or the second, for proofs. What is wrong with the
/// parities it hands on is added to the state.
#[target_feature(enable = "avx2")]
pub(crate) fn one_round_x4<const INTEL: bool, const FIRST: bool>(state: &mut [[u64; 4]; 25], rc: u64) {
    let mut c = parities(state);
    *state = rounds::one::<INTEL, FIRST>(state, &mut c, rc);
    let expected = parities(state);
    for (x, row) in state[..5].iter_mut().enumerate() {
        let wrong = _mm256_xor_si256(c[x], expected[x]);
        store(row, _mm256_xor_si256(load(row), wrong));
    }
}

/// One round of `permute_x1`, for proofs.
#[target_feature(enable = "bmi1,bmi2")]
pub(crate) fn one_round_x1(state: &mut [u64; 25], rc: u64) {
    *state = round_x1(state, rc);
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
