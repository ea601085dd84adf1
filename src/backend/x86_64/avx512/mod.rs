//! AVX-512 (F, BW, VL and DQ, and VBMI2 where it is): a polynomial is eight registers, so every transform runs without
//! touching memory between its layers.
//!
//! Elements of T_q stay in the standard's order. The pair of numbers that belongs to one factor
//! X^2 - gamma then fills a 32-bit lane, which is what `vpmaddwd` multiplies, and neither sampling nor encoding
//! has anything to rearrange.

pub(crate) mod compress;
pub(crate) mod encode;
pub(crate) mod keccak;
pub(crate) mod mul;
pub(crate) mod ntt;
pub(crate) mod reduce;
pub(crate) mod sample;

use core::arch::x86_64::*;
use core::slice;

use super::{Lane, at, at_mut, cpu, rounds};
use crate::backend::batch::{self, Blocks, Function, H_BLOCK, Job, Jobs, Permute, Start, States};
use crate::backend::keccak::ROUND_CONSTANTS;
use crate::backend::poly::{Canonical, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range, Sums};
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, Eta, XOF_BLOCK, caches, portable, rows};

/// Proof that this machine has AVX-512 F, BW, VL and DQ, and AVX2, POPCNT, BMI1 and BMI2 as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512 {
    /// Whether four states are permuted sooner than eight.
    four_are_cheaper: bool,
    /// Proof of VBMI2, too.
    vbmi2: bool,
}

impl Avx512 {
    /// The proof, if the machine gives it.
    #[inline]
    pub fn detect() -> Option<Self> {
        cpu::avx512().then(|| Self { four_are_cheaper: !cpu::full_width_512(), vbmi2: cpu::vbmi2() })
    }

    /// The same for other processors.
    #[cfg(test)]
    fn tuned(self, four_are_cheaper: bool) -> Self {
        Self { four_are_cheaper, ..self }
    }
}

/// `kernel!(call)`: a call of a kernel of this backend.
macro_rules! kernel {
    ($call:expr) => {
        // SAFETY: an Avx512 exists only after detect found AVX-512 F, BW, VL and DQ, AVX2, POPCNT, BMI1 and BMI2.
        unsafe { $call }
    };
}

impl Backend for Avx512 {
    const NAME: &'static str = "avx512";

    fn hash(self, job: Job<'_>) {
        batch::run_one(self, job);
    }

    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
        batch::run::<_, 8>(self, jobs);
    }

    fn sample_ntt_block(self, block: &[u8; XOF_BLOCK], a_hat: &mut NttPoly<Self>, filled: usize) -> usize {
        let a_hat = a_hat.raw_mut();
        if self.vbmi2 {
            // SAFETY: `vbmi2` is set only where VBMI2 was found, too.
            unsafe { sample::sample_ntt_block_vbmi2(block, a_hat, filled) }
        } else {
            kernel!(sample::sample_ntt_block(block, a_hat, filled))
        }
    }

    fn sample_ntt_blocks(
        self,
        blocks: &[[u8; 192]],
        a_hats: &mut [NttPoly<Self>],
        filled: &mut [usize],
    ) -> bool {
        if self.vbmi2 {
            // SAFETY: `vbmi2` is set only where VBMI2 was found, too.
            unsafe { sample::sample_ntt_blocks_vbmi2(blocks, a_hats, filled) }
        } else {
            kernel!(sample::sample_ntt_blocks(blocks, a_hats, filled))
        }
    }

    fn sample_kept(self, a_hats: &mut [NttPoly<Self>], filled: &mut [usize]) -> bool {
        if self.vbmi2 {
            // SAFETY: `vbmi2` is set only where VBMI2 was found, too.
            unsafe { sample::sample_kept_vbmi2(a_hats, filled) }
        } else {
            portable::sample::sample_kept(self, a_hats, filled)
        }
    }

    fn sample_poly_cbd(self, eta: Eta, b: &[u8], f: &mut Poly<Noise>) {
        kernel!(sample::sample_poly_cbd(eta, b, f.storage()))
    }

    fn ntt<R: Range>(self, f: &Poly<R>, f_hat: &mut NttPoly<Self>) {
        const { assert!(R::MIN > -Q && R::MAX < Q, "the transform takes |c| < q") };
        kernel!(ntt::ntt(f.coefficients(), f_hat.raw_mut()))
    }

    fn multiplier<R: Range>(self, f: &Poly<R>, m: &mut Multiplier<Self>) {
        const { assert!(R::MIN > -Q && R::MAX < Q, "the transform takes |c| < q") };
        kernel!(mul::multiplier(f.coefficients(), m.f_hat.raw_mut(), m.cache.raw_mut()))
    }

    fn mul_add<const K: usize>(
        self,
        a: &[NttPoly<Self>; K],
        s: &[Multiplier<Self>; K],
        e_hat: &NttPoly<Self>,
        t_hat: &mut NttPoly<Self>,
    ) {
        kernel!(mul::mul_add(&rows(a), &caches(s), e_hat.raw(), t_hat.raw_mut()))
    }

    fn dot_inverse<const K: usize>(
        self,
        a: &[NttPoly<Self>; K],
        b: &[Multiplier<Self>; K],
        f: &mut Poly<Lazy>,
    ) {
        kernel!(mul::dot(&rows(a), &caches(b), f.storage()));
        kernel!(ntt::ntt_inverse(f.storage()))
    }

    fn add(self, f: &Poly<Lazy>, e: &Poly<Noise>, sum: &mut Poly<Canonical>) {
        kernel!(reduce::add(f.coefficients(), e.coefficients(), sum.storage()))
    }

    fn add_message(self, f: &Poly<Lazy>, e: &Poly<Noise>, mu: &Poly<Canonical>, sum: &mut Poly<Canonical>) {
        kernel!(reduce::add_message(f.coefficients(), e.coefficients(), mu.coefficients(), sum.storage()))
    }

    const SUMS_IN_REGISTERS: bool = true;

    fn add_compress<const L: usize>(self, f: &Poly<Lazy>, e: &Poly<Noise>, _: &mut Sums, b: &mut [u8; L]) {
        kernel!(compress::add_compress(f.coefficients(), e.coefficients(), b))
    }

    fn add_message_compress<const L: usize>(
        self,
        f: &Poly<Lazy>,
        e: &Poly<Noise>,
        m: &[u8; 32],
        _: &mut Sums,
        b: &mut [u8; L],
    ) {
        kernel!(compress::add_message_compress(f.coefficients(), e.coefficients(), m, b))
    }

    fn sub(self, v: &Poly<Canonical>, f: &Poly<Lazy>, difference: &mut Poly<Canonical>) {
        kernel!(reduce::sub(v.coefficients(), f.coefficients(), difference.storage()))
    }

    fn encode12(self, f_hat: &NttPoly<Self>, b: &mut [u8; 384]) {
        kernel!(encode::encode12(f_hat.raw(), b))
    }

    fn decode12(self, b: &[u8; 384], f_hat: &mut NttPoly<Self>) -> bool {
        kernel!(encode::decode12(b, f_hat.raw_mut()))
    }

    fn compress<const L: usize>(self, f: &Poly<Canonical>, b: &mut [u8; L]) {
        kernel!(compress::compress(f.coefficients(), b))
    }

    fn decompress<const L: usize>(self, b: &[u8; L], f: &mut Poly<Canonical>) {
        kernel!(compress::decompress(b, f.storage()))
    }
}

impl Permute<1> for Avx512 {
    const SPILLS: bool = false;

    fn permute(self, states: &mut States<1>, _used: usize) {
        kernel!(keccak::permute_x1(states.single(), &ROUND_CONSTANTS));
    }

    fn absorb_blocks(self, states: &mut States<1>, blocks: &[[u8; H_BLOCK]]) {
        kernel!(keccak::absorb_blocks(states.single(), blocks));
    }

    fn finish(
        self,
        states: &mut States<1>,
        function: Function,
        blocks: &[[u8; H_BLOCK]],
        rest: [&[u8]; 2],
        out: &mut [u8],
    ) {
        let ([head, tail], (words, bytes)) = (rest.map(<[u8]>::as_chunks), out.as_chunks_mut());
        if head.1.is_empty() && tail.1.is_empty() && bytes.is_empty() {
            kernel!(keccak::finish(states.single(), function, blocks, [head.0, tail.0], words));
        } else {
            self.absorb_blocks(states, blocks);
            batch::finish_in_memory(self, states, function, rest, out);
        }
    }
}

impl Permute<8> for Avx512 {
    const SPILLS: bool = false;

    fn narrow(self) -> usize {
        if self.four_are_cheaper { 4 } else { 8 }
    }

    fn permute(self, states: &mut States<8>, used: usize) {
        if used > 4 {
            kernel!(rounds::eight(&mut states.0, &ROUND_CONSTANTS));
        } else {
            kernel!(rounds::four(&mut states.0, &ROUND_CONSTANTS));
        }
    }

    fn start(self, states: &mut States<8>, used: usize, start: Start<'_>, columns: u32, ends: &[u64; 8]) {
        kernel!(keccak::start(&mut states.0, used, start, columns, ends));
    }

    fn absorb(self, states: &mut States<8>, used: usize, column: usize, words: &[u8]) {
        kernel!(keccak::absorb(&mut states.0, used, column, words));
    }

    fn samples_beside(self) -> bool {
        self.vbmi2
    }

    fn keep_block(self, states: &States<8>, b: usize, entries: &mut [NttPoly<Self>]) {
        kernel!(keccak::keep_block(&states.0, b, entries));
    }

    fn finish_and_sample(
        self,
        states: &States<8>,
        blocks: &[[u8; H_BLOCK]],
        last: &[u8; H_BLOCK],
        out: &mut [u8; 32],
        entries: &mut [NttPoly<Self>],
        filled: &mut [usize],
    ) -> bool {
        if self.vbmi2 {
            // SAFETY: `vbmi2` is set only where VBMI2 was found, too.
            unsafe { keccak::finish_and_sample(&states.0, blocks, last, out, entries, filled) }
        } else {
            let blocks = [blocks, slice::from_ref(last)];
            batch::finish_then_sample(self, states.first(), blocks, out, entries, filled)
        }
    }

    fn squeeze(self, states: &States<8>, used: usize, blocks: &mut Blocks<8>) {
        kernel!(keccak::squeeze(&states.0, used, &mut blocks.0));
    }
}

impl Probe for Avx512 {
    const LANES: usize = reduce::LANES;
    const MONTGOMERY: u32 = 16;
    const PRODUCT: i32 = reduce::PRODUCT;

    fn reduced(most: i32) -> i32 {
        reduce::reduced(most)
    }

    fn montgomery_multiply(self, a: &mut [i16; N], b: i16) {
        kernel!(reduce::probe_multiply(a, b));
    }

    fn montgomery_reduce(self, a: &[i32; N], r: &mut [i16; N]) {
        kernel!(reduce::probe_reduce(a, r));
    }

    fn barrett_reduce(self, a: &mut [i16; N]) {
        kernel!(reduce::probe_barrett(a));
    }

    fn canonicalise(self, a: &mut [i16; N]) {
        kernel!(reduce::probe_canonicalise(a));
    }

    fn plain(self) -> Option<Self> {
        self.vbmi2.then_some(Self { vbmi2: false, ..self })
    }

    fn keccaks(self, visitor: &mut impl Keccaks<Self>) {
        visitor.kernel::<1, 1>(self, 1, |states, rc: [u64; 1]| {
            kernel!(keccak::permute_x1(states.single(), &rc))
        });
        visitor.kernel::<8, 1>(self, 4, |states, rc: [u64; 1]| kernel!(rounds::four(&mut states.0, &rc)));
        visitor.kernel::<8, 1>(self, 8, |states, rc: [u64; 1]| kernel!(rounds::eight(&mut states.0, &rc)));
    }
}

/// A constant that fills a register, in one cache line.
#[repr(align(64))]
pub(crate) struct Aligned<T>(pub(crate) T);

/// Loads 64 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load<T: Lane, const L: usize>(a: &[T; L]) -> __m512i {
    const { assert!(size_of::<[T; L]>() == 64) };
    // SAFETY: `a` is 64 readable bytes.
    unsafe { _mm512_loadu_si512(a.as_ptr().cast()) }
}

/// Loads a polynomial.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(crate) fn load_all(f: &[i16; N]) -> [__m512i; 8] {
    let f = f.as_chunks::<{ reduce::LANES }>().0;
    [load(&f[0]), load(&f[1]), load(&f[2]), load(&f[3]), load(&f[4]), load(&f[5]), load(&f[6]), load(&f[7])]
}

/// Stores a polynomial.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(crate) fn store_all(f: &mut [i16; N], a: [__m512i; 8]) {
    for (f, a) in f.as_chunks_mut::<{ reduce::LANES }>().0.iter_mut().zip(a) {
        store(f, a);
    }
}

/// Stores 64 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn store<T: Lane, const L: usize>(a: &mut [T; L], v: __m512i) {
    const { assert!(size_of::<[T; L]>() == 64) };
    // SAFETY: `a` is 64 writable bytes.
    unsafe { _mm512_storeu_si512(a.as_mut_ptr().cast(), v) }
}

/// The lowest L / 4 lanes of 32 bits.
const fn low_lanes<const L: usize>() -> __mmask16 {
    assert!(L <= 64 && L & 3 == 0);
    ((1u32 << (L >> 2)) - 1) as __mmask16
}

/// The first L of `b`'s bytes from index `i` on, and whatever comes after them: zeros if nothing does.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load_bytes<const L: usize>(b: &[u8], i: usize) -> __m512i {
    // Masks are for the end: the compiler makes of a masked load what it likes, some of it slow.
    if let Some(whole) = b[i..].first_chunk::<64>() {
        return load(whole);
    }
    // SAFETY: the mask admits only the L bytes of the array.
    unsafe { _mm512_maskz_loadu_epi32(const { low_lanes::<L>() }, at::<_, L>(b, i).as_ptr().cast()) }
}

/// Writes L bytes to `b` from index `i` on, and whatever to what comes after them.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn store_bytes<const L: usize>(b: &mut [u8], i: usize, v: __m512i) {
    if let Some(whole) = b[i..].first_chunk_mut::<64>() {
        return store(whole, v);
    }
    // SAFETY: the mask admits only the L bytes of the array.
    unsafe {
        _mm512_mask_storeu_epi32(at_mut::<_, L>(b, i).as_mut_ptr().cast(), const { low_lanes::<L>() }, v)
    }
}

#[cfg(test)]
mod tests {
    use super::Avx512;
    use crate::backend::conformance::suite;

    suite!("avx512", Avx512::detect());

    #[test]
    fn entries_get_the_blocks_they_need() {
        use crate::backend::conformance::{present, unlucky_entries};
        use crate::backend::probe::Probe;

        if let Some(backend) = present("avx512", Avx512::detect()) {
            for backend in [Some(backend), backend.plain()].into_iter().flatten() {
                unlucky_entries::<_, 8>(backend.tuned(false));
                unlucky_entries::<_, 8>(backend.tuned(true));
            }
        }
    }

    // They differ in hashing only.
    mod four_are_cheaper {
        super::suite!(@each "avx512", super::Avx512::detect().map(|backend| backend.tuned(true)), hashes batches encapsulations);
    }
    mod four_take_as_long {
        super::suite!(@each "avx512", super::Avx512::detect().map(|backend| backend.tuned(false)), hashes batches encapsulations);
    }

    // It differs in rejection, and in when that is done.
    mod without_vbmi2 {
        use crate::backend::probe::Probe;

        super::suite!(@each "avx512", super::Avx512::detect().map(|backend| backend.plain().unwrap_or(backend)),
            rejection batches encapsulations);
    }
}
