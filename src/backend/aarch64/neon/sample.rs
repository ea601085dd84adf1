//! FIPS 203, Algorithms 7 and 8: uniform and centred binomial sampling.

use core::arch::aarch64::*;

use super::encode::GROUP;
use super::reduce::LANES;
use crate::backend::aarch64::{at, load, load_bytes, store};
use crate::backend::poly::{Eta, N, Q};
use crate::backend::tables::accepted;
use crate::sponge::fips202::XOF_BLOCK;

/// Candidates in a block: seven groups of sixteen.
const CANDIDATES: usize = 112;
const _: () = assert!(CANDIDATES == 14 * LANES && XOF_BLOCK == 7 * GROUP);

/// By the mask of the accepted, eight at a time.
static ACCEPTED: [[u8; 16]; 256] = accepted();

/// FIPS 203, Algorithm 7, lines 5 to 16, for one block. Variable time: the block is public.
#[target_feature(enable = "neon")]
pub(crate) fn sample_ntt_block(block: &[u8; XOF_BLOCK], a_hat: &mut [i16; N], filled: usize) -> usize {
    const LAST: usize = N - CANDIDATES;
    // Below it, no block fills the polynomial.
    if filled < LAST {
        return filled + accept(block, &mut a_hat[filled..]);
    }
    // The block may hold more than there is room for. What is behind `LAST` is therefore moved where there
    // is room, and as much as fits moved back: no branch depends on where the last coefficient is found.
    let have = filled.min(N) - LAST;
    let mut window = [0; 2 * CANDIDATES];
    window[..CANDIDATES].copy_from_slice(&a_hat[LAST..]);
    let accepted = accept(block, &mut window[have..]);
    a_hat[LAST..].copy_from_slice(&window[..CANDIDATES]);
    let filled = (filled + accepted).min(N);
    if filled == N {
        // Sampled in the standard's order, kept in this backend's.
        for [x, y] in a_hat.as_chunks_mut::<LANES>().0.as_chunks_mut().0 {
            let (low, high) = (load(x), load(y));
            store(x, vuzp1q_s16(low, high));
            store(y, vuzp2q_s16(low, high));
        }
    }
    filled
}

/// Writes the candidates below q to the front of `a`, which has room for all, and counts them.
#[inline]
#[target_feature(enable = "neon")]
fn accept(block: &[u8; XOF_BLOCK], a: &mut [i16]) -> usize {
    let groups = block.as_chunks().0;
    let n = accept_groups::<4>(at(groups, 0), a);
    n + accept_groups::<3>(at(groups, 4), &mut a[n..])
}

/// The same for G groups, at most four.
#[inline]
#[target_feature(enable = "neon")]
fn accept_groups<const G: usize>(groups: &[[u8; GROUP]; G], a: &mut [i16]) -> usize {
    let a = &mut a[..2 * LANES * G];
    // What is no candidate is never accepted.
    let mut candidates = [[vdupq_n_u16(0xfff); 2]; 4];
    for i in 0..G {
        candidates[i] = unpack12(&groups[i]);
    }
    let masks = masks(&candidates);
    let counts = vget_lane_u64::<0>(vreinterpret_u64_u8(vcnt_u8(masks)));
    let masks = vget_lane_u64::<0>(vreinterpret_u64_u8(masks));
    // Byte i of the product is the sum of the counts up to the i-th: where the next eight go.
    let ends = counts.wrapping_mul(0x0101_0101_0101_0101);
    let mut start = 0;
    for i in 0..2 * G {
        let mask = (masks >> (8 * i)) as usize & 0xff;
        let candidates = vreinterpretq_u8_u16(candidates[i >> 1][i & 1]);
        let accepted = vqtbl1q_u8(candidates, load_bytes(&ACCEPTED[mask]));
        // Eight are written, the accepted are counted.
        // SAFETY: no mask before this one counts more than eight, so `start` is at most 8 i, and i < 2 G.
        store(unsafe { &mut *a.as_mut_ptr().add(start).cast() }, vreinterpretq_s16_u8(accepted));
        start = (ends >> (8 * i)) as usize & 0xff;
    }
    start
}

/// Bit j of byte i: whether number j of register i is below q.
#[inline]
#[target_feature(enable = "neon")]
fn masks(candidates: &[[uint16x8_t; 2]; 4]) -> uint8x8_t {
    let bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040_2010_0804_0201));
    let q = vdupq_n_u16(Q as u16);
    let mut bits = [vdupq_n_u8(0); 4];
    for i in 0..4 {
        let low = vreinterpretq_u8_u16(vcltq_u16(candidates[i][0], q));
        let high = vreinterpretq_u8_u16(vcltq_u16(candidates[i][1], q));
        bits[i] = vandq_u8(vuzp1q_u8(low, high), bit);
    }
    let sums = vpaddq_u8(vpaddq_u8(bits[0], bits[1]), vpaddq_u8(bits[2], bits[3]));
    vpadd_u8(vget_low_u8(sums), vget_high_u8(sums))
}

/// Sixteen 12-bit values, in order.
#[inline]
#[target_feature(enable = "neon")]
fn unpack12(b: &[u8; GROUP]) -> [uint16x8_t; 2] {
    let low = load_bytes(&[0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11]);
    // Of the bytes 8 to 23.
    let high = load_bytes(&[4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14, 14, 15]);
    // An odd value has four bits of its neighbour below it, an even one above.
    let shift = vreinterpretq_s16_s32(vdupq_n_s32(-4 << 16));
    [(at(b, 0), low), (at(b, 8), high)].map(|(bytes, shuffle)| {
        let words = vreinterpretq_u16_u8(vqtbl1q_u8(load_bytes(bytes), shuffle));
        vandq_u16(vshlq_u16(words, shift), vdupq_n_u16(0xfff))
    })
}

/// FIPS 203, Algorithm 8: |f| <= eta. Reads the first 64 eta bytes.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(crate) fn sample_poly_cbd(eta: Eta, b: &[u8], f: &mut [i16; N]) {
    match eta {
        Eta::Two => {
            for (f, b) in f.as_chunks_mut().0.iter_mut().zip(b.as_chunks().0) {
                cbd2(b, f);
            }
        }
        Eta::Three => {
            for (f, b) in f.as_chunks_mut().0.iter_mut().zip(b.as_chunks().0) {
                cbd3(b, f);
            }
        }
    }
}

/// 32 coefficients from 128 bits: bits 4i, 4i + 1 count up, 4i + 2, 4i + 3 down.
#[inline]
#[target_feature(enable = "neon")]
fn cbd2(b: &[u8; 16], f: &mut [i16; 32]) {
    // The coefficient by its four bits: a look-up in a register, not in memory.
    let coefficients = load_signed(&[0, 1, 1, 2, -1, 0, 0, 1, -1, 0, 0, 1, -2, -1, -1, 0]);
    let bits = load_bytes(b);
    let even = vqtbl1q_s8(coefficients, vandq_u8(bits, vdupq_n_u8(0xf)));
    let odd = vqtbl1q_s8(coefficients, vshrq_n_u8::<4>(bits));
    let (low, high) = f.split_at_mut(16);
    store_widened(at_mut_16(low), vzip1q_s8(even, odd));
    store_widened(at_mut_16(high), vzip2q_s8(even, odd));
}

/// 32 coefficients from 192 bits: bits 6i to 6i + 2 count up, 6i + 3 to 6i + 5 down.
#[inline]
#[target_feature(enable = "neon")]
fn cbd3(b: &[u8; GROUP], f: &mut [i16; 32]) {
    // Two bytes for each coefficient, whose bits begin at bit 0, 6, 4, 2; of bytes 0 to 15 and 8 to 23.
    const WORDS: [u8; 16] = [0, 1, 0, 1, 1, 2, 2, 3, 3, 4, 3, 4, 4, 5, 5, 6];
    const LATER: [u8; 16] = [4, 5, 4, 5, 5, 6, 6, 7, 7, 8, 7, 8, 8, 9, 9, 10];
    let shift = vreinterpretq_s16_u64(vdupq_n_u64(0xfffe_fffc_fffa_0000));
    let words = |bytes: uint8x16_t, shuffle: &[u8; 16], step: u8| {
        let shuffle = vaddq_u8(load_bytes(shuffle), vdupq_n_u8(step));
        vreinterpretq_u8_u16(vshlq_u16(vreinterpretq_u16_u8(vqtbl1q_u8(bytes, shuffle)), shift))
    };
    let (first, second) = (load_bytes(at(b, 0)), load_bytes(at(b, 8)));
    let (low, high) = f.split_at_mut(16);
    for (f, bytes, shuffle) in [(low, first, &WORDS), (high, second, &LATER)] {
        let six_bits = vuzp1q_u8(words(bytes, shuffle, 0), words(bytes, shuffle, 6));
        let up = vcntq_u8(vandq_u8(six_bits, vdupq_n_u8(0b000_111)));
        let down = vcntq_u8(vandq_u8(six_bits, vdupq_n_u8(0b111_000)));
        store_widened(at_mut_16(f), vreinterpretq_s8_u8(vsubq_u8(up, down)));
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_signed(a: &[i8; 16]) -> int8x16_t {
    // SAFETY: `a` is 16 readable bytes.
    unsafe { vld1q_s8(a.as_ptr()) }
}

#[inline(always)]
fn at_mut_16(f: &mut [i16]) -> &mut [i16; 16] {
    crate::backend::aarch64::at_mut(f, 0)
}

/// Sixteen bytes as words.
#[inline]
#[target_feature(enable = "neon")]
fn store_widened(f: &mut [i16; 16], bytes: int8x16_t) {
    let [low, high] = f.as_chunks_mut().0 else { unreachable!() };
    store(low, vmovl_s8(vget_low_s8(bytes)));
    store(high, vmovl_high_s8(bytes));
}
