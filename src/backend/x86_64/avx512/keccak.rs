//! Keccak-f\[1600\] for x86-64 with AVX-512 F, BW, VL and DQ: eight states, four states, and one.
//!
//! A kernel runs one round for each constant it is given: all of them, one when a test looks at a round, or a few where
//! something else is done between.
//!
//! Two shapes. Eight and four states lie side by side, one lane of all of them a register: 25 of the 32 registers
//! are the state, and no step crosses lanes. One state lies in five registers, one plane each. The rounds of all three
//! are in `rounds.rs`.

use core::arch::x86_64::*;

use zeroize::optimization_barrier;

use super::sample::Kept;
use super::{Avx512, load, rounds, store};
use crate::backend::poly::{N, NttPoly};
use crate::backend::x86_64::{Lane, at, at_mut, load as load_ymm, load_half, store as store_ymm};
use crate::sponge::fips202::{FirstBlock, Function, H_BLOCK, LAST_BIT, LAST_WORDS, XOF_BLOCK};
use crate::sponge::groups::SAMPLE_BLOCKS;
use crate::sponge::keccak::ROUND_CONSTANTS;

/// Permutes one state.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn permute_x1(state: &mut [u64; 25]) {
    let mut a = load_planes(state);
    rounds::one(&mut a, &ROUND_CONSTANTS);
    for (plane, a) in state.as_chunks_mut::<5>().0.iter_mut().zip(a) {
        store5(plane, a);
    }
}

/// Runs rounds on one state in the order for Intel's processors, or in the other: for proofs, of both on every machine.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn permute_x1_in<const INTEL: bool>(state: &mut [u64; 25], constants: &[u64]) {
    let mut a = load_planes(state);
    rounds::one_in::<INTEL>(&mut a, constants);
    for (plane, a) in state.as_chunks_mut::<5>().0.iter_mut().zip(a) {
        store5(plane, a);
    }
}

/// Absorbs blocks in one state, which stays in registers between them.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn absorb_blocks(state: &mut [u64; 25], blocks: &[[u8; H_BLOCK]]) {
    let a = absorb_planes(load_planes(state), blocks);
    for (plane, a) in state.as_chunks_mut::<5>().0.iter_mut().zip(a) {
        store5(plane, a);
    }
}

/// The same, and then the rest of a message, fewer words than the rate has, with its padding; squeezes words, at most as
/// many as the rate has. All of that in registers, too: a block that is put together in memory has to wait for its parts.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn finish(
    state: &[u64; 25],
    function: Function,
    blocks: &[[u8; H_BLOCK]],
    [head, tail]: [&[[u8; 8]]; 2],
    out: &mut [[u8; 8]],
) {
    let rest = Rest { head, tail, function };
    let [a0, a1, a2, a3, a4] = absorb_planes(load_planes(state), blocks);
    let mut a = [rest.add(a0, 0), rest.add(a1, 1), rest.add(a2, 2), rest.add(a3, 3), rest.add(a4, 4)];
    rounds::one(&mut a, &ROUND_CONSTANTS);
    let [a0, a1, a2, a3, a4] = a;
    // In builds for size it goes through memory.
    a = [_mm512_setzero_si512(); 5];
    optimization_barrier(&a);
    // What hashes hand to one another is read again at once, and a store under a mask is not passed on as fast.
    if let Ok(out) = <&mut [_; 4]>::try_from(&mut *out) {
        return store_ymm(out, _mm512_castsi512_si256(a0));
    }
    if let Ok(out) = <&mut [_; 8]>::try_from(&mut *out) {
        return store(out, _mm512_permutex2var_epi64(a0, _mm512_set_epi64(10, 9, 8, 4, 3, 2, 1, 0), a1));
    }
    // One after the other: an array that a loop goes through may be put on the stack.
    let out = store_plane(out, a0);
    let out = store_plane(out, a1);
    let out = store_plane(out, a2);
    let out = store_plane(out, a3);
    store_plane(out, a4);
}

/// What is left of a message, `head || tail`, in words.
struct Rest<'a> {
    head: &'a [[u8; 8]],
    tail: &'a [[u8; 8]],
    function: Function,
}

impl Rest<'_> {
    /// Adds its part of plane y, and the padding there.
    #[inline]
    #[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
    fn add(&self, a: __m512i, y: usize) -> __m512i {
        let (head, tail, first) = (self.head, self.tail, 5 * y);
        // Sets of words, and what of them is in the plane.
        let in_tail = ((1_u32 << tail.len()) - 1) << head.len();
        let (pad, last) = (1_u32 << (head.len() + tail.len()), 1_u32 << ((self.function.rate() >> 3) - 1));
        let here = |set: u32| (set >> first) as u8 & 0b11111;
        let from_head = load_words(head.get(first..).unwrap_or(&[]));
        let from_tail = load_words(tail.get(first.saturating_sub(head.len())..).unwrap_or(&[]));
        let suffix = _mm512_set1_epi64(self.function.suffix_at(0).cast_signed());
        let a = _mm512_xor_si512(a, from_head);
        let a = _mm512_xor_si512(a, _mm512_maskz_expand_epi64(here(in_tail), from_tail));
        let a = _mm512_mask_xor_epi64(a, here(pad), a, suffix);
        _mm512_mask_xor_epi64(a, here(last), a, _mm512_set1_epi64(LAST_BIT.cast_signed()))
    }
}

#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn load_planes(state: &[u64; 25]) -> [__m512i; 5] {
    let planes = state.as_chunks::<5>().0;
    [load5(&planes[0]), load5(&planes[1]), load5(&planes[2]), load5(&planes[3]), load5(&planes[4])]
}

#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn absorb_planes(mut a: [__m512i; 5], blocks: &[[u8; H_BLOCK]]) -> [__m512i; 5] {
    for block in blocks {
        a = add_block(a, block);
        rounds::one(&mut a, &ROUND_CONSTANTS);
    }
    a
}

#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn add_block([a0, a1, a2, a3, a4]: [__m512i; 5], block: &[u8; H_BLOCK]) -> [__m512i; 5] {
    // 17 words: three planes and two words more.
    [
        _mm512_xor_si512(a0, load5(at::<_, 40>(block, 0))),
        _mm512_xor_si512(a1, load5(at::<_, 40>(block, 40))),
        _mm512_xor_si512(a2, load5(at::<_, 40>(block, 80))),
        _mm512_xor_si512(a3, _mm512_zextsi128_si512(load_half(at::<_, 16>(block, 120)))),
        a4,
    ]
}

/// Numbers in which a block is kept.
const KEPT: usize = XOF_BLOCK >> 1;

/// Runs H of a public message to its end from the first slot, absorbing `blocks` and `last` with a permutation after each,
/// and writes what H gives; `states` are left as they are. Meanwhile samples polynomials as
/// [`sample_kept`](super::sample::sample_kept) does.
///
/// The rounds of one state wait for each other most of the time. With a polynomial sampled after every few of them, a
/// processor that looks some hundreds of instructions ahead has something to do meanwhile.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi2,bmi1,bmi2,popcnt")]
pub(crate) fn finish_and_sample(
    states: &[[u64; 8]; 25],
    blocks: &[[u8; H_BLOCK]],
    last: &[u8; H_BLOCK],
    out: &mut [u8; 32],
    a_hats: &mut [NttPoly<Avx512>],
    filled: &mut [usize],
) -> bool {
    let rows = states.as_chunks().0;
    let mut a = [
        first_slot(&rows[0]),
        first_slot(&rows[1]),
        first_slot(&rows[2]),
        first_slot(&rows[3]),
        first_slot(&rows[4]),
    ];
    // Rounds for each polynomial, so that they last to the end. A permutation is a number of such pieces.
    const PIECES: [usize; 8] = [24, 12, 8, 6, 4, 3, 2, 1];
    const {
        let mut i = 0;
        while i < PIECES.len() {
            assert!(ROUND_CONSTANTS.len().is_multiple_of(PIECES[i]));
            i += 1;
        }
    }
    let all = ROUND_CONSTANTS.len() * (blocks.len() + 1);
    let each = PIECES.into_iter().find(|each| a_hats.len() * each <= all).unwrap_or(1);
    let mut full = true;
    let (mut kept, mut filled) = (Kept::new(a_hats), filled.iter_mut());
    let (mut blocks, mut constants) = (blocks.iter().chain([last]), &[][..]);
    loop {
        if constants.is_empty()
            && let Some(block) = blocks.next()
        {
            (a, constants) = (add_block(a, block), &ROUND_CONSTANTS);
        }
        let these = constants.split_off(..each.min(constants.len())).unwrap_or_default();
        // What runs this is none of Intel's: a choice between these few rounds would cost 2 % of a key's preparation.
        rounds::one_in::<false>(&mut a, these);
        match filled.next().zip(kept.sample()) {
            Some((filled, n)) => {
                *filled = n;
                full &= n == N;
            }
            None if these.is_empty() => break,
            None => {}
        }
    }
    store_ymm(out, _mm512_castsi512_si256(a[0]));
    full
}

/// The first slot of five rows, a plane.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn first_slot(rows: &[[u64; 8]; 5]) -> __m512i {
    let low = _mm_unpacklo_epi64(load_half(at::<_, 2>(&rows[0], 0)), load_half(at::<_, 2>(&rows[1], 0)));
    let high = _mm_unpacklo_epi64(load_half(at::<_, 2>(&rows[2], 0)), load_half(at::<_, 2>(&rows[3], 0)));
    let four = _mm512_zextsi256_si512(_mm256_set_m128i(high, low));
    _mm512_mask_set1_epi64(four, 0b10000, rows[4][0].cast_signed())
}

/// Sets the slots that have a bit in `slots`, all of them below `used`. If none of these is left out, the rest may
/// become zero.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn start(
    state: &mut [[u64; 8]; 25],
    used: usize,
    first: FirstBlock<'_>,
    slots: u32,
    word4: &[u64; 8],
) {
    let mask = slots as u8;
    let word4 = load(word4);
    let lower = _mm512_castsi512_si256(word4);
    // Whether there is a slot to be kept.
    match (used > 4, slots != (1 << used) - 1) {
        (true, true) => start_x8::<true>(state, mask, first, word4),
        (true, false) => start_x8::<false>(state, mask, first, word4),
        (false, true) => start_x4::<true>(state, mask, first, lower),
        (false, false) => start_x4::<false>(state, mask, first, lower),
    }
}

/// Adds words of message to a slot below `used`.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn absorb(state: &mut [[u64; 8]; 25], used: usize, slot: usize, words: &[u8]) {
    // Most blocks are those of H and J.
    const H: usize = Function::Sha3_256.rate() >> 3;
    let (words, mask) = (words.as_chunks().0, 1 << (slot & 7));
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
macro_rules! slots {
    ($start:ident, $absorb:ident, $v:ty, $width:literal, $load:ident, $store:ident,
     $broadcast:ident, $zero:ident, $mask_mov:ident, $mask_xor:ident) => {
        /// With `KEEP`, the other slots keep their states: the compiler makes of that a store under a mask, and such a row
        /// cannot be loaded before it has reached the cache. Without, they become zero, and the row is stored as a whole.
        #[inline]
        #[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
        fn $start<const KEEP: bool>(state: &mut [[u64; 8]; 25], mask: u8, first: FirstBlock<'_>, word4: $v) {
            let seed = first.seed.as_chunks().0;
            // Not added to a row that has been written: it would have to be loaded.
            let last = LAST_WORDS.map(|word| if word == first.last { LAST_BIT.cast_signed() } else { 0 });
            for (i, row) in state.iter_mut().enumerate() {
                let words = match seed.get(i) {
                    Some(word) => $broadcast(i64::from_le_bytes(*word)),
                    None if i == seed.len() => word4,
                    None if i == LAST_WORDS[0] => $broadcast(last[0]),
                    None if i == LAST_WORDS[1] => $broadcast(last[1]),
                    None if i == LAST_WORDS[2] => $broadcast(last[2]),
                    None => $zero(),
                };
                let row = at_mut::<_, $width>(row, 0);
                let others = if KEEP { $load(row) } else { $zero() };
                $store(row, $mask_mov(others, mask, words));
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

slots!(
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
slots!(
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

/// The words of slots `0..used` as blocks, with the standard's order of bytes.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn squeeze(state: &[[u64; 8]; 25], used: usize, blocks: &mut [[u8; 192]; 8]) {
    let [low, high] = blocks.as_chunks_mut().0 else { unreachable!() };
    squeeze_four::<0>(state, low);
    if used > 4 {
        squeeze_four::<4>(state, high);
    }
}

/// Words 0 to 23 of the slots `FIRST..FIRST + 4`.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn squeeze_four<const FIRST: usize>(state: &[[u64; 8]; 25], blocks: &mut [[u8; 192]; 4]) {
    for (i, rows) in state.as_chunks::<8>().0.iter().enumerate() {
        for (block, slot) in blocks.iter_mut().zip(four_slots::<FIRST>(rows)) {
            store(at_mut::<_, 64>(block, 64 * i), slot);
        }
    }
}

/// The slots `FIRST..FIRST + 4` of eight rows.
///
/// Rows are read as a whole, as the permutation has just written them: a load of the second half of one and the first
/// of the next, which a compiler likes for a load of a half, would have to wait until both have reached the cache.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn four_slots<const FIRST: usize>(rows: &[[u64; 8]; 8]) -> [__m512i; 4] {
    const { assert!(FIRST == 0 || FIRST == 4) };
    // row y in the lower half, row y + 4 in the upper one
    transpose(core::array::from_fn(|y| {
        let (low, high) = (load(&rows[y]), load(&rows[y + 4]));
        if FIRST == 0 {
            _mm512_shuffle_i64x2::<0b01_00_01_00>(low, high)
        } else {
            _mm512_shuffle_i64x2::<0b11_10_11_10>(low, high)
        }
    }))
}

/// Keeps the first 168 bytes of the slots from 1 on, block `b` of the [`SAMPLE_BLOCKS`] that they are to give, in the
/// polynomials that will be sampled from them: bytes 168 b to 168 b + 167 of the numbers, each of them little-endian. What comes
/// after may be overwritten, so blocks are kept in their order.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
pub(crate) fn keep_block(state: &[[u64; 8]; 25], b: usize, a_hats: &mut [NttPoly<Avx512>]) {
    if b >= SAMPLE_BLOCKS {
        return;
    }
    // Slot 0 has no entry.
    let (low, high) = a_hats.split_at_mut(a_hats.len().min(3));
    keep_block_of_four::<0>(state, b, low);
    if !high.is_empty() {
        keep_block_of_four::<4>(state, b, high);
    }
}

/// For the slots `FIRST..FIRST + 4` but slot 0.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn keep_block_of_four<const FIRST: usize>(state: &[[u64; 8]; 25], b: usize, a_hats: &mut [NttPoly<Avx512>]) {
    let from = KEPT * b;
    for (i, rows) in state.as_chunks::<8>().0.iter().enumerate() {
        let slots = four_slots::<FIRST>(rows);
        for (a_hat, slot) in a_hats.iter_mut().zip(&slots[usize::from(FIRST == 0)..]) {
            let to = a_hat.raw_mut();
            // Three words too many, where the next block will be.
            if i < 2 || b < SAMPLE_BLOCKS - 1 {
                store(at_mut::<_, 32>(to, from + 32 * i), *slot);
            } else {
                store5(at_mut::<_, 20>(to, from + 32 * i), *slot);
            }
        }
    }
}

/// A mask for the first `count` words of a plane, at most five.
fn first_words(count: usize) -> u8 {
    (1 << count.min(5)) - 1
}

/// The first five words, or all that there are.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn load_words(words: &[[u8; 8]]) -> __m512i {
    if words.is_empty() {
        // Where no page is, a processor takes its time even for a load of nothing.
        return _mm512_setzero_si512();
    }
    // What another hash has just stored arrives sooner without a mask, too.
    if let Ok(words) = <&[_; 4]>::try_from(words) {
        return _mm512_zextsi256_si512(load_ymm(words));
    }
    // SAFETY: the mask selects words of the slice only; masked-out ones are not accessed.
    unsafe { _mm512_maskz_loadu_epi64(first_words(words.len()), words.as_ptr().cast()) }
}

/// Stores as many words of a plane as there is room for, and returns what room is left.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn store_plane(words: &mut [[u8; 8]], value: __m512i) -> &mut [[u8; 8]] {
    let (words, rest) = words.split_at_mut(words.len().min(5));
    if !words.is_empty() {
        // SAFETY: the mask selects words of the slice only; masked-out ones are not accessed.
        unsafe { _mm512_mask_storeu_epi64(words.as_mut_ptr().cast(), first_words(words.len()), value) }
    }
    rest
}

#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn load5<T: Lane, const L: usize>(plane: &[T; L]) -> __m512i {
    const { assert!(size_of::<[T; L]>() == 40) };
    // SAFETY: the mask selects five elements, those of `plane`; masked-out ones are not accessed.
    unsafe { _mm512_maskz_loadu_epi64(0b11111, plane.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl")]
fn store5<T: Lane, const L: usize>(plane: &mut [T; L], value: __m512i) {
    const { assert!(size_of::<[T; L]>() == 40) };
    // SAFETY: the mask selects five elements, those of `plane`; masked-out ones are not accessed.
    unsafe { _mm512_mask_storeu_epi64(plane.as_mut_ptr().cast(), 0b11111, value) }
}

#[cfg(test)]
mod tests {
    use super::super::{Avx512, rounds};
    use super::permute_x1_in;
    use crate::backend::conformance::present;
    use crate::backend::probe::Probe;
    use crate::sponge::keccak::{ROUND_CONSTANTS, check};

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
            unsafe { permute_x1_in::<false>(state, &ROUND_CONSTANTS) }
        });
        check::<1>(1, |state| {
            let state = state.as_flattened_mut().try_into().expect("25 words");
            // SAFETY: the machine has AVX-512 F, BW, VL and DQ.
            unsafe { permute_x1_in::<true>(state, &ROUND_CONSTANTS) }
        });
    }

    #[test]
    fn blocks_are_the_slots() {
        let Some(backend) = present("avx512", Avx512::detect()) else { return };
        crate::backend::conformance::sponge_steps::<Avx512, 8>(backend);
        if let Some(plain) = backend.plain() {
            crate::backend::conformance::sponge_steps::<Avx512, 8>(plain);
        }
    }
}
