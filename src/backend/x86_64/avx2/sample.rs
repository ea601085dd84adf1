//! FIPS 203, Algorithms 7 and 8: uniform and centred binomial sampling.

use core::arch::x86_64::*;

use super::encode::{GROUP, twice, unpack12};
use super::reduce::LANES;
use crate::backend::poly::{Eta, N, Q};
use crate::backend::x86_64::{at, load, load_half, load_pair, store, store_half};
use crate::sponge::fips202::XOF_BLOCK;

/// Candidates in a block: seven groups of sixteen.
const CANDIDATES: usize = 112;
const _: () = assert!(CANDIDATES == 7 * LANES && XOF_BLOCK == 7 * GROUP);

/// Byte shuffles that move the accepted ones of eight words to the front, by the mask of the accepted.
static ACCEPTED: [[i8; 16]; 256] = {
    let mut shuffles = [[-1; 16]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut from, mut to) = (0, 0);
        while from < 8 {
            if mask >> from & 1 == 1 {
                shuffles[mask][2 * to] = 2 * from as i8;
                shuffles[mask][2 * to + 1] = 2 * from as i8 + 1;
                to += 1;
            }
            from += 1;
        }
        mask += 1;
    }
    shuffles
};

/// FIPS 203, Algorithm 7, lines 5 to 16, for one block. Variable time: the block is public.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(crate) fn sample_ntt_block(block: &[u8; XOF_BLOCK], a_hat: &mut [i16; N], filled: usize) -> usize {
    const LAST: usize = N - CANDIDATES;
    if filled <= LAST {
        return filled + accept(block, &mut a_hat[filled..]);
    }
    // The block may hold more than there is room for. What is behind `LAST` is therefore moved where there
    // is room, and as much as fits moved back: no branch depends on where the last coefficient is found.
    let have = filled.min(N) - LAST;
    let mut window = [0; 2 * CANDIDATES];
    window[..CANDIDATES].copy_from_slice(&a_hat[LAST..]);
    let accepted = accept(block, &mut window[have..]);
    a_hat[LAST..].copy_from_slice(&window[..CANDIDATES]);
    (filled + accepted).min(N)
}

/// Writes the candidates below q to the front of `a`, which has room for all, and counts them.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn accept(block: &[u8; XOF_BLOCK], a: &mut [i16]) -> usize {
    let a = &mut a[..CANDIDATES];
    let q = _mm256_set1_epi16(Q);
    let mut n = 0;
    let mut append = |candidates: __m128i, mask: u32| {
        // Eight are written, the accepted are counted.
        if let Some(room) = a[n..].first_chunk_mut::<8>() {
            store_half(room, _mm_shuffle_epi8(candidates, load_half(&ACCEPTED[mask as usize & 0xff])));
        }
        n += (mask & 0xff).count_ones() as usize;
    };
    for i in 0..4 {
        let x = unpack12(at(block, 2 * i * GROUP));
        // The seventh group has no partner.
        let y = if i < 3 { unpack12(at(block, (2 * i + 1) * GROUP)) } else { _mm256_set1_epi16(-1) };
        let below = _mm256_packs_epi16(_mm256_cmpgt_epi16(q, x), _mm256_cmpgt_epi16(q, y));
        // Eight bits each: lower half of x, of y, upper half of x, of y.
        let mask = _mm256_movemask_epi8(below) as u32;
        append(_mm256_castsi256_si128(x), mask);
        append(_mm256_extracti128_si256::<1>(x), mask >> 16);
        if i < 3 {
            append(_mm256_castsi256_si128(y), mask >> 8);
            append(_mm256_extracti128_si256::<1>(y), mask >> 24);
        }
    }
    n
}

/// FIPS 203, Algorithm 8: |f| <= eta. Reads the first 64 eta bytes.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn sample_poly_cbd(eta: Eta, b: &[u8], f: &mut [i16; N]) {
    match eta {
        Eta::Two => {
            for (f, b) in f.as_chunks_mut().0.iter_mut().zip(b.as_chunks().0) {
                cbd2(b, f);
            }
        }
        Eta::Three => {
            for (i, f) in f.as_chunks_mut().0.iter_mut().enumerate() {
                cbd3(at(b, GROUP * i), f);
            }
        }
    }
}

/// 64 coefficients from 256 bits: bits 4i, 4i + 1 count up, 4i + 2, 4i + 3 down.
#[inline]
#[target_feature(enable = "avx2")]
fn cbd2(b: &[u8; 32], f: &mut [i16; 64]) {
    let even = _mm256_set1_epi8(0x55);
    let bits = load(b);
    // two-bit fields, each the sum of two neighbouring bits
    let sums =
        _mm256_add_epi8(_mm256_and_si256(bits, even), _mm256_and_si256(_mm256_srli_epi16::<1>(bits), even));
    // Double words 0 2 4 6 | 1 3 5 7: a coefficient's word is in the half where it will be needed.
    let sums = _mm256_permutevar8x32_epi32(sums, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
    // A copy of the byte for each field, its field alone, and the fields brought to bits 6 and 7
    // by the factors of a sum of products: 2^6 (up - down).
    let fields = _mm256_set1_epi32(0xc0_30_0c_03u32 as i32);
    let factors = _mm256_set1_epi32(i32::from_le_bytes([64, -16i8 as u8, 4, -1i8 as u8]));
    let mut bytes = twice(&[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
    for f in f.as_chunks_mut::<LANES>().0 {
        let spread = _mm256_and_si256(_mm256_shuffle_epi8(sums, bytes), fields);
        store(f, _mm256_srai_epi16::<6>(_mm256_maddubs_epi16(spread, factors)));
        bytes = _mm256_add_epi8(bytes, _mm256_set1_epi8(4));
    }
}

/// 32 coefficients from 192 bits: bits 6i to 6i + 2 count up, 6i + 3 to 6i + 5 down.
#[inline]
#[target_feature(enable = "avx2")]
fn cbd3(b: &[u8; GROUP], f: &mut [i16; 32]) {
    // Bytes 0 to 15 and 8 to 23, and of each half three bytes to a double word.
    const TRIPLES: [i8; 32] = [
        0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, 4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13,
        14, 15, -1,
    ];
    let bits = _mm256_shuffle_epi8(load_pair::<_, 16>(at(b, 0), at(b, 8)), load(&TRIPLES));
    let third = _mm256_set1_epi32(0x0024_9249);
    // three-bit fields, each the sum of three neighbouring bits
    let sums = _mm256_add_epi32(
        _mm256_and_si256(bits, third),
        _mm256_add_epi32(
            _mm256_and_si256(_mm256_srli_epi32::<1>(bits), third),
            _mm256_and_si256(_mm256_srli_epi32::<2>(bits), third),
        ),
    );
    // quarters 0 2 | 1 3
    let sums = _mm256_permute4x64_epi64::<0b11_01_10_00>(sums);
    // A word with the two fields of each coefficient, at bits 0, 6, 4 and 2, and brought to the top.
    let mut bytes = twice(&[0, -1, 0, 1, 1, 2, 2, -1, 4, -1, 4, 5, 5, 6, 6, -1]);
    let to_top = _mm256_set1_epi64x(1 << 10 | 1 << (16 + 4) | 1 << (32 + 6) | 1 << (48 + 8));
    for f in f.as_chunks_mut::<LANES>().0 {
        let top = _mm256_mullo_epi16(_mm256_shuffle_epi8(sums, bytes), to_top);
        let up = _mm256_and_si256(_mm256_srli_epi16::<10>(top), _mm256_set1_epi16(7));
        store(f, _mm256_sub_epi16(up, _mm256_srli_epi16::<13>(top)));
        bytes = _mm256_add_epi8(bytes, _mm256_set1_epi8(8));
    }
}
