//! FIPS 203, Algorithms 5 and 6 with d = 12: elements of T_q as bytes.
//!
//! A register of 32 coefficients is 48 bytes, 12 for each part of 128 bits.

use core::arch::x86_64::*;

use super::reduce::{LANES, canonicalise};
use super::{Aligned, load, load_bytes, store};
use crate::backend::poly::{N, Q};

/// Bytes of 32 coefficients.
const BYTES: usize = 48;

/// FIPS 203, Algorithm 5, d = 12. Any 16-bit input.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn encode12(f_hat: &[i16; N], b: &mut [u8; 384]) {
    // Twelve 32-bit lanes of a register are bytes, every fourth is empty: four registers fill three.
    const FIRST: Aligned<[i32; 16]> = Aligned([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20]);
    const SECOND: Aligned<[i32; 16]> = Aligned([5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21, 22, 24, 25]);
    const THIRD: Aligned<[i32; 16]> =
        Aligned([10, 12, 13, 14, 16, 17, 18, 20, 21, 22, 24, 25, 26, 28, 29, 30]);
    let quads = f_hat.as_chunks::<LANES>().0.as_chunks::<4>().0;
    for (f, b) in quads.iter().zip(b.as_chunks_mut::<64>().0.as_chunks_mut::<3>().0) {
        let (f0, f1, f2, f3) = (pack12(&f[0]), pack12(&f[1]), pack12(&f[2]), pack12(&f[3]));
        store(&mut b[0], _mm512_permutex2var_epi32(f0, load(&FIRST.0), f1));
        store(&mut b[1], _mm512_permutex2var_epi32(f1, load(&SECOND.0), f2));
        store(&mut b[2], _mm512_permutex2var_epi32(f2, load(&THIRD.0), f3));
    }
}

/// 32 coefficients, canonical, in the lower 12 bytes of every 16.
#[inline]
#[target_feature(enable = "avx512bw")]
fn pack12(f: &[i16; LANES]) -> __m512i {
    // bytes 0 1 2 . 4 5 6 . 8 9 10 . 12 13 14 . to the front
    const CLOSE_UP: Aligned<[u8; 64]> = in_every_part(&[0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14]);
    // c0 + 2^12 c1 in 32 bits
    let pairs = _mm512_madd_epi16(canonicalise(load(f)), _mm512_set1_epi32(1 << (12 + 16) | 1));
    _mm512_shuffle_epi8(pairs, load(&CLOSE_UP.0))
}

/// A byte shuffle for each part of 128 bits; zeros after those that `from` says.
pub(crate) const fn in_every_part(from: &[u8]) -> Aligned<[u8; 64]> {
    let (mut shuffle, mut i) = ([0x80; 64], 0);
    while i < 64 {
        if i & 15 < from.len() {
            shuffle[i] = from[i & 15];
        }
        i += 1;
    }
    Aligned(shuffle)
}

/// 12 bytes to the front of every 16 (`SPREAD`), then 3 to every 4 (`PAIRS`), bytes 0 1 1 2: the two bytes from the one on
/// in which a 12-bit number begins, at bit 0 or 4. The inverse of what `encode12` does.
pub(crate) const SPREAD: Aligned<[i32; 16]> = Aligned([0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11]);
pub(crate) const PAIRS: Aligned<[u8; 64]> =
    in_every_part(&[0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11]);

/// FIPS 203, Algorithm 6, d = 12, without its reduction modulo q: `false` if one was due.
#[must_use]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn decode12(b: &[u8; 384], f_hat: &mut [i16; N]) -> bool {
    let mut largest = _mm512_setzero_si512();
    for (i, f) in f_hat.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let parts = _mm512_permutexvar_epi32(load(const { &SPREAD.0 }), load_bytes::<BYTES>(b, BYTES * i));
        let pairs = _mm512_shuffle_epi8(parts, load(const { &PAIRS.0 }));
        // The second of a pair is four bits up.
        let aligned = _mm512_srlv_epi16(pairs, _mm512_set1_epi32(4 << 16));
        let c = _mm512_and_si512(aligned, _mm512_set1_epi16(0xfff));
        largest = _mm512_max_epu16(largest, c);
        store(f, c);
    }
    _mm512_cmpge_epu16_mask(largest, _mm512_set1_epi16(Q)) == 0
}
