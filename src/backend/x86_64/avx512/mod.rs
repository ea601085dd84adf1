//! AVX-512 (F, BW, VL and DQ, and VBMI2 where it is): a polynomial is eight registers, so every transform runs without
//! touching memory between its layers.
//!
//! Elements of T_q stay in the standard's order. The pair of numbers that belongs to one factor
//! X^2 - gamma then fills a 32-bit lane, which is what `vpmaddwd` multiplies, and neither sampling nor encoding
//! has anything to rearrange.

pub(crate) mod compress;
pub(crate) mod encode;
pub(crate) mod keccak;
mod key_hash;
pub(crate) mod mul;
pub(crate) mod ntt;
pub(crate) mod reduce;
mod rounds;
pub(crate) mod sample;

use core::arch::x86_64::*;

use super::{Lane, at, at_mut, cpu};
use crate::backend::poly::{Canonical, Eta, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use crate::backend::probe::{Keccaks, KeyHash, Probe};
use crate::backend::{Backend, arithmetic, caches, hashing, rows};
use crate::sponge::fips202::{FirstBlock, Function, H_BLOCK};
use crate::sponge::jobs::Jobs;
use crate::sponge::keccak::ROUND_CONSTANTS;
use crate::sponge::{Blocks, Keccak, Last, States};

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
    const KERNELS_SPILL: bool = true;

    hashing!(8);

    fn hash_key<const K: usize>(
        self,
        ek: &[u8],
        h_ek: &mut [u8; 32],
        a_hat_transposed: &mut [[NttPoly<Self>; K]; K],
    ) {
        if self.vbmi2 && !self.four_are_cheaper {
            key_hash::hash_key(self, self, ek, h_ek, a_hat_transposed);
        } else {
            self.hash_all(&mut Jobs::of_key(ek, h_ek, a_hat_transposed));
        }
    }

    arithmetic!(@common);

    fn sample_ntt(self, blocks: &[[u8; 192]], a_hats: &mut [NttPoly<Self>], filled: &mut [usize]) -> bool {
        if self.vbmi2 {
            // SAFETY: `vbmi2` is set only where VBMI2 was found, too.
            unsafe { sample::sample_ntt_vbmi2(blocks, a_hats, filled) }
        } else {
            kernel!(sample::sample_ntt(blocks, a_hats, filled))
        }
    }

    fn multiplier<R: Range>(self, f: &Poly<R>, m: &mut Multiplier<Self>) {
        const { assert!(R::MIN > -Q && R::MAX < Q, "the transform takes |c| < q") };
        kernel!(mul::multiplier(f.coefficients(), m.f_hat.raw_mut(), m.cache.raw_mut()))
    }

    fn add_compress<const L: usize>(self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8; L]) {
        kernel!(compress::add_compress(f.coefficients(), e.coefficients(), b))
    }

    fn add_message_compress<const L: usize>(
        self,
        f: &Poly<Lazy>,
        e: &Poly<Noise>,
        m: &[u8; 32],
        b: &mut [u8; L],
    ) {
        kernel!(compress::add_message_compress(f.coefficients(), e.coefficients(), m, b))
    }
}

impl Keccak<1> for Avx512 {
    const SPILLS: bool = false;

    fn permute(self, states: &mut States<1>, _used: usize) {
        kernel!(keccak::permute_x1(states.single()));
    }

    fn chain(
        self,
        states: &mut States<1>,
        function: Function,
        blocks: &[[u8; H_BLOCK]],
        last: Option<Last<'_>>,
    ) {
        let Some(Last { rest, out }) = last else {
            return kernel!(keccak::absorb_blocks(states.single(), blocks));
        };
        let ([head, tail], (words, bytes)) = (rest.map(<[u8]>::as_chunks), out.as_chunks_mut());
        if head.1.is_empty() && tail.1.is_empty() && bytes.is_empty() {
            kernel!(keccak::finish(states.single(), function, blocks, [head.0, tail.0], words));
        } else {
            kernel!(keccak::absorb_blocks(states.single(), blocks));
            Last { rest, out }.in_memory(self, states, function);
        }
    }
}

impl Keccak<8> for Avx512 {
    const SPILLS: bool = false;

    fn cheap_width(self) -> usize {
        if self.four_are_cheaper { 4 } else { 8 }
    }

    fn permute(self, states: &mut States<8>, used: usize) {
        if used > 4 {
            kernel!(rounds::eight(&mut states.0, &ROUND_CONSTANTS));
        } else {
            kernel!(rounds::four(&mut states.0, &ROUND_CONSTANTS));
        }
    }

    fn start(self, states: &mut States<8>, used: usize, first: FirstBlock<'_>, slots: u32, word4: &[u64; 8]) {
        kernel!(keccak::start(&mut states.0, used, first, slots, word4));
    }

    fn absorb(self, states: &mut States<8>, used: usize, slot: usize, words: &[u8]) {
        kernel!(keccak::absorb(&mut states.0, used, slot, words));
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

    fn key_hash(self) -> Option<KeyHash<Self>> {
        self.vbmi2.then_some(KeyHash {
            keep_block: Self::keep_block,
            sample_kept: Self::sample_kept,
            finish_and_sample: Self::finish_and_sample,
        })
    }

    fn plain(self) -> Option<Self> {
        self.vbmi2.then_some(Self { vbmi2: false, ..self })
    }

    fn keccaks(self, visitor: &mut impl Keccaks<Self>) {
        visitor.kernel::<1, 1>(self, 1, |states, rc: [u64; 1]| {
            kernel!(keccak::permute_x1_in::<false>(states.single(), &rc));
        });
        visitor.kernel::<1, 1>(self, 1, |states, rc: [u64; 1]| {
            kernel!(keccak::permute_x1_in::<true>(states.single(), &rc));
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
pub(crate) fn store_all(f: &mut [i16; N], a: &[__m512i; 8]) {
    for (f, a) in f.as_chunks_mut::<{ reduce::LANES }>().0.iter_mut().zip(a) {
        store(f, *a);
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
    use crate::backend::conformance::{
        HashKey, Scripted, present, suite, unlucky_entries, unlucky_entries_by,
    };
    use crate::backend::poly::NttPoly;
    use crate::backend::probe::Probe;

    suite!("avx512", Avx512::detect());

    #[test]
    fn entries_get_the_blocks_they_need() {
        let Some(backend) = present("avx512", Avx512::detect()) else { return };
        for backend in [Some(backend), backend.plain()].into_iter().flatten() {
            unlucky_entries::<_, 8>(backend.tuned(false));
            unlucky_entries::<_, 8>(backend.tuned(true));
        }
        if backend.vbmi2 {
            unlucky_entries_by(backend, Beside(backend));
        }
    }

    #[derive(Clone, Copy)]
    struct Beside(Avx512);

    impl HashKey<Avx512, 8> for Beside {
        fn hash_key<const K: usize>(
            self,
            keccak_of: Scripted<Avx512, 8>,
            ek: &[u8],
            h_ek: &mut [u8; 32],
            a_hat_transposed: &mut [[NttPoly<Avx512>; K]; K],
        ) {
            super::key_hash::hash_key(keccak_of, self.0, ek, h_ek, a_hat_transposed);
        }
    }

    // They differ in hashing only.
    mod four_are_cheaper {
        super::suite!(hashing "avx512", super::Avx512::detect().map(|backend| backend.tuned(true)), hashes batches encapsulations);
    }
    mod four_take_as_long {
        super::suite!(hashing "avx512", super::Avx512::detect().map(|backend| backend.tuned(false)), hashes batches encapsulations);
    }

    // It differs in rejection, and in when that is done.
    mod without_vbmi2 {
        use crate::backend::probe::Probe;

        super::suite!(hashing "avx512", super::Avx512::detect().map(|backend| backend.plain().unwrap_or(backend)),
            rejection batches encapsulations);
    }
}
