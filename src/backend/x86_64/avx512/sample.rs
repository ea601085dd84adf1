//! FIPS 203, Algorithms 7 and 8: uniform and centred binomial sampling.

use core::arch::x86_64::*;

use super::Avx512;
use super::encode::{PAIRS, SPREAD, in_every_part};
use super::reduce::LANES;
use super::{Aligned, load, load_all, load_bytes, store};
use crate::backend::poly::{Eta, N, NttPoly, Q};
use crate::backend::x86_64::{at, at_mut, store as store_ymm};
use crate::sponge::fips202::XOF_BLOCK;

/// Candidates that are looked at together.
const GROUP: usize = 16;
/// Bytes of a group.
const GROUP_BYTES: usize = 24;
/// Candidates in a block.
const CANDIDATES: usize = 112;
const _: () = assert!(CANDIDATES == 7 * GROUP && XOF_BLOCK == 7 * GROUP_BYTES);

/// For each candidate of a group that begins at a byte of a register, the 32 bits from the word on in which it begins.
const fn windows(from: usize) -> Aligned<[i16; 32]> {
    let (mut words, mut i) = ([0; 32], 0);
    while i < GROUP {
        let word = (from >> 1) + ((12 * i) >> 4);
        words[2 * i] = word as i16;
        words[2 * i + 1] = word as i16 + 1;
        i += 1;
    }
    Aligned(words)
}

/// Where in these 32 bits it begins.
static SHIFTS: Aligned<[i32; 16]> = Aligned([0, 12, 8, 4, 0, 12, 8, 4, 0, 12, 8, 4, 0, 12, 8, 4]);

/// FIPS 203, Algorithm 7, lines 5 to 16, for one block. Variable time: the block is public.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2,popcnt")]
pub(crate) fn sample_ntt_block(block: &[u8; XOF_BLOCK], a_hat: &mut [i16; N], filled: usize) -> usize {
    if filled <= N - CANDIDATES {
        accept::<false>(block, a_hat, filled)
    } else {
        accept::<true>(block, a_hat, filled.min(N))
    }
}

/// Writes the candidates below q to `a` from `n` on, and returns where they end. If `LIMITED`, some may find no room.
#[inline]
#[target_feature(enable = "avx512bw,avx512vl,popcnt")]
fn accept<const LIMITED: bool>(block: &[u8; XOF_BLOCK], a: &mut [i16; N], mut n: usize) -> usize {
    const FIRST: Aligned<[i16; 32]> = windows(0);
    const SECOND: Aligned<[i16; 32]> = windows(GROUP_BYTES);
    const LAST: Aligned<[i16; 32]> = windows(64 - GROUP_BYTES);
    let (first, second) = (load(&FIRST.0), load(&SECOND.0));
    for start in [0, 2 * GROUP_BYTES, 4 * GROUP_BYTES] {
        let bytes = load(at::<u8, 64>(block, start));
        n = accept_group::<LIMITED>(_mm512_permutexvar_epi16(first, bytes), a, n);
        n = accept_group::<LIMITED>(_mm512_permutexvar_epi16(second, bytes), a, n);
    }
    let bytes = load(at::<u8, 64>(block, XOF_BLOCK - 64));
    accept_group::<LIMITED>(_mm512_permutexvar_epi16(load(&LAST.0), bytes), a, n)
}

/// The same for the candidates of one group. All are written, the accepted ones to the front.
#[inline]
#[target_feature(enable = "avx512bw,avx512vl,popcnt")]
fn accept_group<const LIMITED: bool>(windows: __m512i, a: &mut [i16; N], n: usize) -> usize {
    let candidates = _mm512_and_si512(_mm512_srlv_epi32(windows, load(&SHIFTS.0)), _mm512_set1_epi32(0xfff));
    let accepted = _mm512_cmplt_epu32_mask(candidates, _mm512_set1_epi32(Q as i32));
    // To a register: the form that writes to memory is slow on some processors.
    let front = _mm512_maskz_compress_epi32(accepted, candidates);
    let end = n + accepted.count_ones() as usize;
    if !LIMITED {
        store_ymm(at_mut::<_, GROUP>(a, n), _mm512_cvtepi32_epi16(front));
        return end;
    }
    // No branch depends on where the end is found: the last sixteen places take what fits, moved up.
    let up = n.saturating_sub(N - GROUP);
    let (to, room) = (n - up, (0xffff << up) as __mmask16);
    let up = _mm512_cvtepi32_epi16(_mm512_maskz_expand_epi32(room, front));
    // SAFETY: the 32 bytes from `to` on are those of the array.
    unsafe { _mm256_mask_storeu_epi16(at_mut::<_, GROUP>(a, to).as_mut_ptr(), room, up) };
    end.min(N)
}

/// The same with VBMI2, which compresses 16-bit numbers: two groups at once.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi2,bmi1,bmi2,popcnt")]
pub(crate) fn sample_ntt_block_vbmi2(block: &[u8; XOF_BLOCK], a_hat: &mut [i16; N], filled: usize) -> usize {
    // The last group takes the room of two.
    if filled <= N - CANDIDATES - GROUP {
        accept_vbmi2::<false>(block, a_hat, filled)
    } else {
        accept_vbmi2::<true>(block, a_hat, filled.min(N))
    }
}

/// [`accept`] with VBMI2.
#[inline]
#[target_feature(enable = "avx512bw,avx512vl,avx512vbmi2,popcnt")]
fn accept_vbmi2<const LIMITED: bool>(block: &[u8; XOF_BLOCK], a: &mut [i16; N], mut n: usize) -> usize {
    // The last group: bytes 40 to 63 to the first two parts, as `SPREAD` does it with bytes 0 to 23.
    const LAST: Aligned<[i32; 16]> = Aligned([10, 11, 12, 12, 13, 14, 15, 15, 0, 0, 0, 0, 0, 0, 0, 0]);
    let spread = load(const { &SPREAD.0 });
    for start in [0, 2 * GROUP_BYTES, 4 * GROUP_BYTES] {
        let bytes = load(at::<u8, 64>(block, start));
        n = accept_groups::<LIMITED, N>(_mm512_permutexvar_epi32(spread, bytes), !0, a, n);
    }
    let bytes = load(at::<u8, 64>(block, XOF_BLOCK - 64));
    accept_groups::<LIMITED, N>(_mm512_permutexvar_epi32(load(&LAST.0), bytes), 0xffff, a, n)
}

/// What [`accept_group`] does, for those of 32 candidates that are `among` them, eight in the first 12 bytes of each part.
#[inline]
#[target_feature(enable = "avx512bw,avx512vl,avx512vbmi2,popcnt")]
fn accept_groups<const LIMITED: bool, const L: usize>(
    parts: __m512i,
    among: __mmask32,
    a: &mut [i16; L],
    n: usize,
) -> usize {
    let pairs = _mm512_shuffle_epi8(parts, load(const { &PAIRS.0 }));
    // The second of a pair is four bits up.
    let shifted = _mm512_srlv_epi16(pairs, _mm512_set1_epi32(4 << 16));
    let candidates = _mm512_and_si512(shifted, _mm512_set1_epi16(0xfff));
    let accepted = _mm512_mask_cmplt_epu16_mask(among, candidates, _mm512_set1_epi16(Q));
    let front = _mm512_maskz_compress_epi16(accepted, candidates);
    let end = n + accepted.count_ones() as usize;
    if !LIMITED {
        store(at_mut::<_, LANES>(a, n), front);
        return end;
    }
    let up = n.saturating_sub(N - LANES);
    let (to, room) = (n - up, (0xffff_ffff_u64 << up) as __mmask32);
    let up = _mm512_maskz_expand_epi16(room, front);
    // SAFETY: the 64 bytes from `to` on are those of the array.
    unsafe { _mm512_mask_storeu_epi16(at_mut::<_, LANES>(a, to).as_mut_ptr(), room, up) };
    end.min(N)
}

/// [`SPREAD`] for bytes that begin at a double word of the first of two registers.
const fn spread_from(first: i32) -> Aligned<[i32; 16]> {
    let (mut spread, mut i) = (SPREAD.0, 0);
    while i < 16 {
        spread[i] += first;
        i += 1;
    }
    Aligned(spread)
}

/// Polynomials side by side that are sampled, one after the other, from the blocks that were kept in them.
pub(crate) struct Kept<'a> {
    /// The numbers of those that are still to come.
    rest: &'a mut [i16],
    /// The first of them. In memory they are gone: the polynomial before was written as far as that.
    first: __m512i,
}

impl<'a> Kept<'a> {
    #[inline]
    #[target_feature(enable = "avx512bw")]
    pub(crate) fn new(a_hats: &'a mut [NttPoly<Avx512>]) -> Self {
        let rest = numbers(a_hats);
        let first = rest.first_chunk::<LANES>().map_or(_mm512_setzero_si512(), |first| load(first));
        Self { rest, first }
    }

    /// Samples the next one and says how many coefficients it has; none if there is none.
    ///
    /// What is too much for a polynomial is written to the next one, and only the last has its last groups cut by masks: in all of
    /// them that took 15 cycles more for each (Zen 5).
    #[inline]
    #[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi2,bmi1,bmi2,popcnt")]
    pub(crate) fn sample(&mut self) -> Option<usize> {
        let n = if let Some(a) = self.rest.first_chunk_mut::<{ N + LANES }>() {
            let next = load(at::<_, LANES>(a, N));
            let n = accept_kept(self.first, a);
            self.first = next;
            n
        } else {
            accept_kept(self.first, self.rest.first_chunk_mut::<N>()?)
        };
        self.rest.split_off_mut(..N)?;
        Some(n)
    }
}

/// The numbers of polynomials, side by side.
fn numbers(a_hats: &mut [NttPoly<Avx512>]) -> &mut [i16] {
    const { assert!(size_of::<NttPoly<Avx512>>() == size_of::<[i16; N]>()) };
    let (start, count) = (a_hats.as_mut_ptr().cast(), N * a_hats.len());
    // SAFETY: a polynomial of this size is its N numbers and nothing else, and the slice has so many of them.
    unsafe { core::slice::from_raw_parts_mut(start, count) }
}

/// Samples from the 504 bytes at the front of `a`, of which the first 64 are given: ten groups of 48, and half a one. Writes to
/// all of `a`, if it is longer than a polynomial.
///
/// They are read before the coefficients take their place, and all at once: a processor that works on something else
/// besides passes whole registers on from one store to one load, but not parts of two.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi2,bmi1,bmi2,popcnt")]
fn accept_kept<const L: usize>(r0: __m512i, a: &mut [i16; L]) -> usize {
    const AT_4: Aligned<[i32; 16]> = spread_from(4);
    const AT_8: Aligned<[i32; 16]> = spread_from(8);
    const AT_12: Aligned<[i32; 16]> = spread_from(12);
    const { assert!(L == N || L == N + LANES) };
    let [_, r1, r2, r3, r4, r5, r6, r7] = load_all(at(a, 0));
    let (at_0, at_4) = (load(const { &SPREAD.0 }), load(&AT_4.0));
    let (at_8, at_12) = (load(&AT_8.0), load(&AT_12.0));
    // Before a group there are at most 32 coefficients for each of those before it: the first eight find room for 32 more.
    let n = accept_groups::<false, L>(_mm512_permutexvar_epi32(at_0, r0), !0, a, 0);
    let n = accept_groups::<false, L>(_mm512_permutex2var_epi32(r0, at_12, r1), !0, a, n);
    let n = accept_groups::<false, L>(_mm512_permutex2var_epi32(r1, at_8, r2), !0, a, n);
    let n = accept_groups::<false, L>(_mm512_permutexvar_epi32(at_4, r2), !0, a, n);
    let n = accept_groups::<false, L>(_mm512_permutexvar_epi32(at_0, r3), !0, a, n);
    let n = accept_groups::<false, L>(_mm512_permutex2var_epi32(r3, at_12, r4), !0, a, n);
    let n = accept_groups::<false, L>(_mm512_permutex2var_epi32(r4, at_8, r5), !0, a, n);
    let n = accept_groups::<false, L>(_mm512_permutexvar_epi32(at_4, r5), !0, a, n);
    let n = accept_last_groups(_mm512_permutexvar_epi32(at_0, r6), !0, a, n);
    let n = accept_last_groups(_mm512_permutex2var_epi32(r6, at_12, r7), !0, a, n);
    // The last register has 24 bytes more.
    accept_last_groups(_mm512_permutex2var_epi32(r7, at_8, r7), 0xffff, a, n)
}

/// [`accept_groups`] where there may be no room for all.
#[inline]
#[target_feature(enable = "avx512bw,avx512vl,avx512vbmi2,popcnt")]
fn accept_last_groups<const L: usize>(parts: __m512i, among: __mmask32, a: &mut [i16; L], n: usize) -> usize {
    if L == N {
        accept_groups::<true, L>(parts, among, a, n)
    } else {
        accept_groups::<false, L>(parts, among, a, n).min(N)
    }
}

/// Samples polynomials from all the blocks that were kept in them; writes how many coefficients each has, and returns whether
/// all are full.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi2,bmi1,bmi2,popcnt")]
pub(crate) fn sample_kept(a_hats: &mut [NttPoly<Avx512>], filled: &mut [usize]) -> bool {
    let mut kept = Kept::new(a_hats);
    let mut full = true;
    for filled in filled {
        let Some(n) = kept.sample() else { break };
        *filled = n;
        full &= n == N;
    }
    full
}

/// `Backend::sample_ntt`, with the kernel for one block inlined.
macro_rules! several {
    ($name:ident, $one:ident, $features:literal) => {
        #[target_feature(enable = $features)]
        pub(crate) fn $name(
            blocks: &[[u8; 192]],
            a_hats: &mut [NttPoly<Avx512>],
            filled: &mut [usize],
        ) -> bool {
            let mut full = true;
            for ((block, a_hat), filled) in blocks.iter().zip(a_hats).zip(filled) {
                if *filled < N {
                    *filled = $one(at(block, 0), a_hat.raw_mut(), *filled);
                }
                full &= *filled >= N;
            }
            full
        }
    };
}
several!(sample_ntt, sample_ntt_block, "avx512bw,avx512dq,avx512vl,bmi1,bmi2,popcnt");
several!(sample_ntt_vbmi2, sample_ntt_block_vbmi2, "avx512bw,avx512dq,avx512vl,avx512vbmi2,bmi1,bmi2,popcnt");

/// FIPS 203, Algorithm 8: |f| <= eta. Reads the first 64 eta bytes.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
pub(crate) fn sample_poly_cbd(eta: Eta, b: &[u8], f: &mut [i16; N]) {
    match eta {
        Eta::Two => cbd2(at(b, 0), f),
        Eta::Three => cbd3(at(b, 0), f),
    }
}

/// A coefficient is half a byte: bits 0 and 1 count up, 2 and 3 down.
#[inline]
#[target_feature(enable = "avx512bw")]
fn cbd2(b: &[u8; 128], f: &mut [i16; N]) {
    // indexed by the four bits
    const COEFFICIENT: Aligned<[u8; 64]> = {
        const M: u8 = -1i8 as u8;
        const L: u8 = -2i8 as u8;
        in_every_part(&[0, 1, 1, 2, M, 0, 0, 1, M, 0, 0, 1, L, M, M, 0])
    };
    // Lanes of 64 bits from all over, so that `unpack` finds neighbours in the lower and the higher half of each part.
    const SPREAD: Aligned<[i64; 8]> = Aligned([0, 4, 1, 5, 2, 6, 3, 7]);
    let (table, low) = (load(&COEFFICIENT.0), _mm512_set1_epi8(0xf));
    for (b, f) in b.as_chunks::<64>().0.iter().zip(f.as_chunks_mut::<LANES>().0.as_chunks_mut::<4>().0) {
        let bits = _mm512_permutexvar_epi64(load(&SPREAD.0), load(b));
        let even = _mm512_shuffle_epi8(table, _mm512_and_si512(bits, low));
        let odd = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16::<4>(bits), low));
        for (i, bytes) in
            [_mm512_unpacklo_epi8(even, odd), _mm512_unpackhi_epi8(even, odd)].into_iter().enumerate()
        {
            store(&mut f[2 * i], _mm512_cvtepi8_epi16(_mm512_castsi512_si256(bytes)));
            store(&mut f[2 * i + 1], _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64::<1>(bytes)));
        }
    }
}

/// A coefficient is six bits: 0 to 2 count up, 3 to 5 down.
#[inline]
#[target_feature(enable = "avx512bw")]
fn cbd3(b: &[u8; 192], f: &mut [i16; N]) {
    // 24 bytes are 32 coefficients; part j of a register takes the 16 bytes in which bytes 6j to 6j + 5 lie.
    const FIRST: Aligned<[i64; 8]> = Aligned([0, 1, 0, 1, 1, 2, 2, 3]);
    const SECOND: Aligned<[i64; 8]> = Aligned([3, 4, 3, 4, 4, 5, 5, 6]);
    // The two bytes from the one on in which coefficient c of a part begins, at bit 6c.
    const WINDOWS: Aligned<[u8; 64]> = {
        let (mut shuffle, mut i) = ([0; 64], 0);
        while i < 32 {
            let part = i >> 3;
            let first = 6 * part - 8 * [0, 0, 1, 2][part] + ((6 * (i & 7)) >> 3);
            shuffle[2 * i] = first as u8;
            shuffle[2 * i + 1] = first as u8 + 1;
            i += 1;
        }
        Aligned(shuffle)
    };
    const COUNT: Aligned<[u8; 64]> = in_every_part(&[0, 1, 1, 2, 1, 2, 2, 3]);
    // 6c modulo 8
    let shifts = _mm512_set1_epi64(6 << 16 | 4 << 32 | 2 << 48);
    for (i, f) in f.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let b = load_bytes::<48>(b, 48 * i);
        for (parts, f) in [load(&FIRST.0), load(&SECOND.0)].into_iter().zip(f) {
            let windows = _mm512_shuffle_epi8(_mm512_permutexvar_epi64(parts, b), load(&WINDOWS.0));
            let six = _mm512_and_si512(_mm512_srlv_epi16(windows, shifts), _mm512_set1_epi16(0x3f));
            // the upper three bits to the next byte: (six | six << 5) & 0x0707
            let threes = _mm512_ternarylogic_epi32::<0b1110_0000>(
                _mm512_set1_epi16(0x0707),
                six,
                _mm512_slli_epi16::<5>(six),
            );
            let counts = _mm512_shuffle_epi8(load(&COUNT.0), threes);
            store(f, _mm512_maddubs_epi16(counts, _mm512_set1_epi16(-0xff)));
        }
    }
}
