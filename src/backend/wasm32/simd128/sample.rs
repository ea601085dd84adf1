//! FIPS 203, Algorithms 7 and 8: uniform and centred binomial sampling.

use core::arch::wasm32::*;

use super::encode::{GROUP, twelve_bits};
use super::reduce::LANES;
use crate::backend::poly::{Eta, N, Q};
use crate::backend::tables::accepted;
use crate::backend::wasm32::{at, at_mut, load, load_bytes, store};
use crate::sponge::fips202::XOF_BLOCK;

/// Candidates in a block: seven groups of sixteen.
const CANDIDATES: usize = 112;
const _: () = assert!(CANDIDATES == 14 * LANES && XOF_BLOCK == 7 * GROUP);

/// By the mask of the accepted, eight at a time.
static ACCEPTED: [[u8; 16]; 256] = accepted();

/// FIPS 203, Algorithm 7, lines 5 to 16, for one block. Variable time: the block is public.
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
            store(x, i32x4_shuffle::<0, 4, 2, 6>(low, high));
            store(y, i32x4_shuffle::<1, 5, 3, 7>(low, high));
        }
    }
    filled
}

/// Writes the candidates below q to the front of `a`, which has room for all, and counts them.
#[inline(always)]
fn accept(block: &[u8; XOF_BLOCK], a: &mut [i16]) -> usize {
    let a = &mut a[..CANDIDATES];
    let mut n = 0;
    for group in block.as_chunks().0 {
        for candidates in unpack12(group) {
            let mask = i16x8_bitmask(u16x8_lt(candidates, u16x8_splat(Q as u16)));
            // Eight are written, the accepted are counted.
            let shuffle = load_bytes(&ACCEPTED[mask as usize]);
            store(at_mut(a, n), i8x16_swizzle(candidates, shuffle));
            n += mask.count_ones() as usize;
        }
    }
    n
}

/// Sixteen 12-bit values, in order.
#[inline(always)]
fn unpack12(b: &[u8; GROUP]) -> [v128; 2] {
    let (low, high) = (load_bytes(at(b, 0)), load_bytes(at(b, 8)));
    [
        i8x16_shuffle::<0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11>(low, low),
        i8x16_shuffle::<4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14, 14, 15>(high, high),
    ]
    .map(twelve_bits)
}

/// FIPS 203, Algorithm 8: |f| <= eta. Reads the first 64 eta bytes.
#[inline(never)]
pub(crate) fn sample_poly_cbd(eta: Eta, b: &[u8], f: &mut [i16; N]) {
    let f = f.as_chunks_mut::<LANES>().0;
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
#[inline(always)]
fn cbd2(b: &[u8; 16], f: &mut [[i16; LANES]; 4]) {
    // The coefficient by its four bits: a look-up in a register, not in memory.
    let coefficients = i8x16(0, 1, 1, 2, -1, 0, 0, 1, -1, 0, 0, 1, -2, -1, -1, 0);
    let bits = load_bytes(b);
    let even = i8x16_swizzle(coefficients, v128_and(bits, u8x16_splat(0xf)));
    let odd = i8x16_swizzle(coefficients, u8x16_shr(bits, 4));
    let low = i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(even, odd);
    let high = i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(even, odd);
    store(&mut f[0], i16x8_extend_low_i8x16(low));
    store(&mut f[1], i16x8_extend_high_i8x16(low));
    store(&mut f[2], i16x8_extend_low_i8x16(high));
    store(&mut f[3], i16x8_extend_high_i8x16(high));
}

/// 32 coefficients from 192 bits: bits 6i to 6i + 2 count up, 6i + 3 to 6i + 5 down.
#[inline(always)]
fn cbd3(b: &[u8; GROUP], f: &mut [[i16; LANES]; 4]) {
    // Of bytes 0 to 15 and 8 to 23.
    let (x, y) = (load_bytes(at(b, 0)), load_bytes(at(b, 8)));
    // Two bytes for each coefficient, whose bits begin at bit 0, 6, 4, 2.
    let words = [
        i8x16_shuffle::<0, 1, 0, 1, 1, 2, 2, 3, 3, 4, 3, 4, 4, 5, 5, 6>(x, x),
        i8x16_shuffle::<6, 7, 6, 7, 7, 8, 8, 9, 9, 10, 9, 10, 10, 11, 11, 12>(x, x),
        i8x16_shuffle::<4, 5, 4, 5, 5, 6, 6, 7, 7, 8, 7, 8, 8, 9, 9, 10>(y, y),
        i8x16_shuffle::<10, 11, 10, 11, 11, 12, 12, 13, 13, 14, 13, 14, 14, 15, 15, 0>(y, y),
    ];
    let shifts = i16x8(1 << 10, 1 << 4, 1 << 6, 1 << 8, 1 << 10, 1 << 4, 1 << 6, 1 << 8);
    // How many of three bits are set: look-ups in a register.
    let counts = i8x16(0, 1, 1, 2, 1, 2, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0);
    for (f, words) in f.iter_mut().zip(words) {
        let six_bits = u16x8_shr(i16x8_mul(words, shifts), 10);
        let up = i8x16_swizzle(counts, v128_and(six_bits, u16x8_splat(0b111)));
        let down = i8x16_swizzle(counts, u16x8_shr(six_bits, 3));
        store(f, i16x8_sub(up, down));
    }
}
