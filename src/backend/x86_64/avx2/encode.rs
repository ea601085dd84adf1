//! FIPS 203, Algorithms 5 and 6 with d = 12: elements of T_q as bytes.

use core::arch::x86_64::*;

use super::reduce::{LANES, canonicalise};
use crate::backend::poly::{N, Q};
use crate::backend::x86_64::{at, at_mut, load, load_half, load_pair, store, store_half};

/// Bytes of sixteen 12-bit values.
pub(crate) const GROUP: usize = 24;

/// FIPS 203, Algorithm 5, d = 12. Any 16-bit input.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn encode12(f_hat: &[i16; N], b: &mut [u8; 384]) {
    let bytes = twice(&[0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1]);
    let f_hat = f_hat.as_chunks::<LANES>().0;
    store_groups::<12, 4>(b, |i| {
        // c0 + 2^12 c1 in a double word
        let pairs = _mm256_madd_epi16(canonicalise(load(&f_hat[i])), _mm256_set1_epi32(1 << 28 | 1));
        _mm256_shuffle_epi8(pairs, bytes)
    });
}

/// FIPS 203, Algorithm 6, d = 12, without its reduction modulo q: `false` if one was due.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn decode12(b: &[u8; 384], f_hat: &mut [i16; N]) -> bool {
    let mut most = _mm256_setzero_si256();
    for (i, f) in f_hat.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let values = unpack12(at(b, GROUP * i));
        most = _mm256_max_epi16(most, values);
        store(f, values);
    }
    let too_large = _mm256_cmpgt_epi16(most, _mm256_set1_epi16(Q - 1));
    _mm256_testz_si256(too_large, too_large) != 0
}

/// Sixteen 12-bit values.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn unpack12(b: &[u8; GROUP]) -> __m256i {
    // Bytes 0 to 15 and 8 to 23: the upper half begins with its fifth byte.
    const BYTES: [i8; 32] = [
        0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14,
        14, 15,
    ];
    let words = _mm256_shuffle_epi8(load_pair::<_, 16>(at(b, 0), at(b, 8)), load(&BYTES));
    // An even value has four bits of its neighbour above it, an odd one below.
    let aligned = _mm256_mullo_epi16(words, _mm256_set1_epi32(1 << 16 | 16));
    _mm256_srli_epi16::<4>(aligned)
}

/// Fills `b` with the first `L` bytes of each half of `group(0)`, `group(1)`, ... `GAP` = 16 - `L`.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn store_groups<const L: i32, const GAP: i32>(b: &mut [u8], group: impl Fn(usize) -> __m256i) {
    const { assert!(L + GAP == 16 && L >= 8) };
    let half = L as usize;
    let last = b.len() - 2 * half;
    let (mut i, mut n) = (0, 0);
    while i < last {
        let v = group(n);
        // Whole registers: what is too much of each, the next one overwrites.
        store_half::<_, 16>(at_mut(b, i), _mm256_castsi256_si128(v));
        store_half::<_, 16>(at_mut(b, i + half), _mm256_extracti128_si256::<1>(v));
        (i, n) = (i + 2 * half, n + 1);
    }
    let v = group(n);
    let (low, high) = (_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
    store_half::<_, 16>(at_mut(b, last), low);
    // The last 16 bytes: the end of the lower half, all of the upper.
    let end = _mm_alignr_epi8::<L>(high, _mm_bslli_si128::<GAP>(low));
    store_half::<_, 16>(at_mut(b, last + 2 * half - 16), end);
}

/// The two halves of a byte shuffle, alike.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn twice(half: &[i8; 16]) -> __m256i {
    _mm256_broadcastsi128_si256(load_half(half))
}
