//! The contract between the frontend and the machines: what each operation reads, writes and
//! promises, in the order of the standard.
//!
//! Shown by the feature `internals`; no semver promise covers it.
//!
//! A value of a [`Backend`] type is the proof that the machine has the instructions its methods
//! use: of those in this crate that need any, such values come only from detection. That is why the methods are safe.
//!
//! Rules for every operation:
//! - **Constant time** in all polynomial coefficients and hashed bytes, except where a line says
//!   *variable time*. Lengths, ranges and types may steer; values may not.
//! - **Total**: no input of the stated type panics, overflows or reads out of bounds.
//! - **Complete**: every coefficient and byte of an output is written.
//! - Elements of T_q are opaque ([`NttPoly`]): a backend that overrides one of `hash_key`, `sample_ntt`,
//!   `ntt`, `multiplier`, `mul_add`, `dot_inverse`, `encode12` and `decode12` with another order
//!   of coefficients overrides them all. The other operations can be overridden one by one.

pub mod bounds;
pub mod poly;
pub mod portable;
pub mod probe;
#[cfg(feature = "small")]
pub mod small;
pub mod tables;

// The machines. The condition of each stands here only, and two never hold at once. Beside the architecture it asks, on AArch64
// and x86-64, for an ABI with vector registers, without which the compiler cannot build the kernels. It excludes environments
// where instructions may not be asked for (SGX) or executed (Miri).
//
// Each module has a macro `machine!` with the list of its backends. The last `machine!` before `select` counts there.

/// No machine: nothing but the portable backend.
#[allow(unused_macros)] // by a build that has a machine
macro_rules! machine {
    ($backends:ident, $d:tt) => {
        $backends! { $d {} {} }
    };
}

#[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon", not(miri)))]
#[allow(unsafe_code)]
#[macro_use]
pub mod aarch64;
#[cfg(all(target_arch = "riscv64", not(miri)))]
#[allow(unsafe_code)]
#[macro_use]
pub mod riscv64;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128", not(miri)))]
#[allow(unsafe_code)]
#[macro_use]
pub mod wasm32;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(target_env = "sgx"), not(miri)))]
#[allow(unsafe_code)]
#[macro_use]
pub mod x86_64;

pub mod select;

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
pub(crate) mod model;

use zeroize::Zeroize;

use poly::{Canonical, Eta, Lazy, Multiplier, N, Noise, NttPoly, Poly, Range};
use portable::{compress, encode, mul, ntt, sample};

use crate::sponge::fips202::XOF_BLOCK;
use crate::sponge::jobs::{Job, Jobs};

/// One machine's way of computing FIPS 203's inner loops. A value of the type proves that the
/// machine has it.
pub trait Backend: Copy + Send + Sync + 'static {
    /// The name that `kemstone::backend()` reports.
    const NAME: &'static str;

    /// The most sponges that run at once. With one, operations side by side gain nothing.
    const SLOTS: usize = 1;

    /// Whether kernels may keep arrays of registers in memory, in builds for size or with LTO: if so, the stack below is
    /// overwritten when they have worked on something secret.
    const KERNELS_SPILL: bool = false;

    /// What takes the matrix entry by entry, for a backend that is to take little memory: with it the frontend never has more than one.
    const STREAMING: Option<Streaming<Self>> = None;

    // Section 4.1: hashing.

    /// Runs one sponge whose result is needed before anything else can start.
    ///
    /// In: a job. Out: the job's output, complete.
    fn hash(self, job: Job<'_>);

    /// Runs sponges that do not depend on one another, as many at once as the machine has slots.
    ///
    /// In: jobs; with the longest first it takes the least time. Out: every job's output, complete, as if each had been run alone.
    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]);

    /// H(ek) and A_hat of an encapsulation key of k = K, transposed: what one key costs (FIPS 203, Algorithm 17, line 1, and
    /// Algorithm 14, lines 3 to 8).
    ///
    /// In: `ek`, 384 k + 32 bytes. Out: both, complete; SampleNTT of rho || i || j is at row i, column j.
    fn hash_key<const K: usize>(
        self,
        ek: &[u8],
        h_ek: &mut [u8; 32],
        a_hat_transposed: &mut [[NttPoly<Self>; K]; K],
    ) {
        self.hash_all(&mut Jobs::of_key(ek, h_ek, a_hat_transposed));
    }

    /// All that one encryption takes of the PRF (FIPS 203, Algorithm 14, lines 1 and 9 to 17).
    ///
    /// Out: PRF_eta1(r, 0) to PRF_eta1(r, k-1) in the first 64 eta_1 bytes of each of `y`, whose other bytes stay as they are;
    /// the next k outputs in `e1`, and the last in `e2`.
    fn noise<const K: usize>(
        self,
        eta1: Eta,
        r: &[u8; 32],
        y: &mut [[u8; 192]; K],
        e1: &mut [[u8; 128]; K],
        e2: &mut [u8; 128],
    ) {
        self.hash_all(&mut Jobs::of_noise(r, eta1.bytes(), y, e1, e2));
    }

    // Section 4.2.2: sampling.

    /// FIPS 203, Algorithm 7 (SampleNTT), lines 5 to 16: takes one block of XOF output, the first 168 bytes, for each of
    /// several polynomials.
    ///
    /// In: three slices of one length; in `filled` how many coefficients each polynomial has. Out: more coefficients, and
    /// their new number; the rest of a polynomial may hold anything until it is full, and one that is full is left alone.
    /// Returns whether all are full. *Variable time*: the blocks come from a public seed.
    fn sample_ntt(self, blocks: &[[u8; 192]], a_hats: &mut [NttPoly<Self>], filled: &mut [usize]) -> bool {
        sample_each(blocks, a_hats, filled, sample::sample_ntt_block)
    }

    /// FIPS 203, Algorithm 8 (SamplePolyCBD).
    ///
    /// In: 64 eta bytes; if there are more, the first count. Out: `|c| <= eta`.
    fn sample_poly_cbd(self, eta: Eta, b: &[u8], f: &mut Poly<Noise>) {
        sample::sample_poly_cbd(eta, b, f.storage());
    }

    // Section 4.3: the number-theoretic transform, and the two products that occur.

    /// FIPS 203, Algorithm 9 (NTT).
    ///
    /// In: noise or canonical. Out: opaque, congruent to the transform.
    fn ntt<R: Range>(self, f: &Poly<R>, f_hat: &mut NttPoly<Self>) {
        const { assert!(R::MIN > -poly::Q && R::MAX < poly::Q, "the transform takes |c| < q") };
        ntt::ntt(f.coefficients(), f_hat.raw_mut());
    }

    /// FIPS 203, Algorithm 9 (NTT), ready to be multiplied by.
    ///
    /// In: as `ntt`. Out: `m.f_hat` as `ntt` leaves it, and the backend's cache for products.
    fn multiplier<R: Range>(self, f: &Poly<R>, m: &mut Multiplier<Self>) {
        self.ntt(f, &mut m.f_hat);
        mul::fill_cache(m.f_hat.raw(), m.cache.raw_mut());
    }

    /// One row of FIPS 203, Algorithm 13 (K-PKE.KeyGen), line 18: `t_hat = a . s + e_hat`.
    ///
    /// In: `a` sampled or decoded (numbers below q), `s` and `e_hat` from the transform. Out: opaque.
    fn mul_add<const K: usize>(
        self,
        a: &[NttPoly<Self>; K],
        s: &[Multiplier<Self>; K],
        e_hat: &NttPoly<Self>,
        t_hat: &mut NttPoly<Self>,
    ) {
        mul::mul_add(&rows(a), &caches(s), e_hat.raw(), t_hat.raw_mut());
    }

    /// FIPS 203, Algorithms 10 to 12: `NTT^-1(a . b)`, the form of every product in Algorithm 14
    /// (K-PKE.Encrypt), lines 19 and 21, and Algorithm 15 (K-PKE.Decrypt), line 6.
    ///
    /// In: as `mul_add`. Out: `|c| < 8q`.
    fn dot_inverse<const K: usize>(
        self,
        a: &[NttPoly<Self>; K],
        b: &[Multiplier<Self>; K],
        f: &mut Poly<Lazy>,
    ) {
        mul::dot(&rows(a), &caches(b), f.storage());
        ntt::ntt_inverse(f.storage());
    }

    // Sums in R_q, each the last step before an encoding: they are reduced in full.

    /// `ByteEncode_d(Compress_d(f + e))` (Algorithm 14, lines 19 and 22) with d = L / 32, one of 4, 5, 10, 11.
    fn add_compress<const L: usize>(self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8; L]) {
        let mut sum = Poly::<Canonical>::ZERO;
        portable::reduce::add_to(f.coefficients(), e.coefficients(), sum.storage());
        compress::compress(sum.coefficients(), b);
        sum.zeroize();
    }

    /// `ByteEncode_d(Compress_d(f + e + mu))`, where mu is `Decompress_1(ByteDecode_1(m))` (Algorithm 14, lines 20, 21 and
    /// 23), with d = L / 32, one of 4, 5, 10, 11.
    fn add_message_compress<const L: usize>(
        self,
        f: &Poly<Lazy>,
        e: &Poly<Noise>,
        m: &[u8; 32],
        b: &mut [u8; L],
    ) {
        let mut sum = Poly::<Canonical>::ZERO;
        compress::decompress(m, sum.storage());
        portable::reduce::add_to(f.coefficients(), e.coefficients(), sum.storage());
        compress::compress(sum.coefficients(), b);
        sum.zeroize();
    }

    /// `ByteEncode_1(Compress_1(v - f))` (Algorithm 15, lines 6 and 7).
    fn sub_compress(self, v: &Poly<Canonical>, f: &Poly<Lazy>, m: &mut [u8; 32]) {
        let mut w = Poly::<Canonical>::ZERO;
        portable::reduce::sub(v.coefficients(), f.coefficients(), w.storage());
        compress::compress(w.coefficients(), m);
        w.zeroize();
    }

    // Section 4.2.1: encoding and compression.

    /// FIPS 203, Algorithm 5 (ByteEncode_12).
    ///
    /// In: opaque. Out: canonical values, 12 bits each.
    fn encode12(self, f_hat: &NttPoly<Self>, b: &mut [u8; 384]) {
        encode::encode12(f_hat.raw(), b);
    }

    /// FIPS 203, Algorithm 6 (ByteDecode_12).
    ///
    /// Out: opaque, and whether every value was below q (section 7.2). The element is usable
    /// either way, but `mul_add` and `dot_inverse` take it only if the answer was `true`.
    #[must_use]
    fn decode12(self, b: &[u8; 384], f_hat: &mut NttPoly<Self>) -> bool {
        encode::decode12(b, f_hat.raw_mut())
    }

    /// `Decompress_d(ByteDecode_d(b))` (section 4.2.1) with d = L / 32, one of 1, 4, 5, 10, 11.
    fn decompress<const L: usize>(self, b: &[u8; L], f: &mut Poly<Canonical>) {
        compress::decompress(b, f.storage());
    }
}

/// Products of which a factor is there one element at a time: see [`Backend::STREAMING`]. Sums are numbers in the backend's form, zero
/// at first, to which at most four products are added.
#[derive(Clone, Copy, Debug)]
pub struct Streaming<B> {
    /// Adds `a . b`. In: `a` sampled or decoded, `b` from the transform.
    pub multiply: fn(B, a: &NttPoly<B>, b: &NttPoly<B>, sum: &mut [i16; N]),
    /// `NTT^-1` of a sum, in its place (FIPS 203, Algorithm 10). Out: as [`Backend::dot_inverse`] leaves it.
    pub inverse: fn(B, sum: &mut [i16; N]),
    /// A sum and `e_hat` from the transform (Algorithm 13, line 18). Out: opaque, as [`Backend::mul_add`] leaves it.
    pub add: fn(B, e_hat: &NttPoly<B>, sum: &mut NttPoly<B>),
}

/// [`Backend::sample_ntt`] by a kernel for one block and one polynomial.
#[inline(always)]
pub(crate) fn sample_each<B>(
    blocks: &[[u8; 192]],
    a_hats: &mut [NttPoly<B>],
    filled: &mut [usize],
    sample: impl Fn(&[u8; XOF_BLOCK], &mut [i16; N], usize) -> usize,
) -> bool {
    let mut full = true;
    for ((block, a_hat), filled) in blocks.iter().zip(a_hats).zip(filled) {
        if let (true, Some(block)) = (*filled < N, block.first_chunk()) {
            *filled = sample(block, a_hat.raw_mut(), *filled);
        }
        full &= *filled >= N;
    }
    full
}

/// `hashing!(W)`: the operations of [`Backend`] that hash, over the `W` slots of the backend's Keccak. `hash_key` has a default.
///
/// `hashing!(self, longest, work: width; 1 2 _ 4)`: the same for a backend with several widths, of which the expression chooses
/// one. It may use the permutations that all jobs take (`work`), and that the longest takes.
macro_rules! hashing {
    ($width:tt) => {
        $crate::backend::hashing!(self, _longest, _work: (); _ $width);
    };
    ($self:ident, $longest:ident, $work:ident: $choice:expr; $($width:literal)* _ $widest:tt) => {
        const SLOTS: usize = $widest;

        fn hash($self, job: $crate::sponge::jobs::Job<'_>) {
            $crate::sponge::alone::run($self, job);
        }

        fn hash_all($self, jobs: &mut [$crate::sponge::jobs::Jobs<'_, Self>]) {
            let $longest = jobs.iter().map($crate::sponge::jobs::Jobs::longest).max().unwrap_or(0);
            let $work: usize = jobs.iter().map($crate::sponge::jobs::Jobs::work).sum();
            match $choice {
                $($width => $crate::sponge::pack::run::<_, $width>($self, jobs),)*
                _ => $crate::sponge::pack::run::<_, $widest>($self, jobs),
            }
        }

        fn noise<const K: usize>(
            $self,
            eta1: $crate::backend::poly::Eta,
            r: &[u8; 32],
            y: &mut [[u8; 192]; K],
            e1: &mut [[u8; 128]; K],
            e2: &mut [u8; 128],
        ) {
            let length = eta1.bytes();
            let $longest = if length > $crate::sponge::fips202::H_BLOCK { 2 } else { 1 };
            let $work = $longest * K + K + 1;
            match $choice {
                $($width => $crate::sponge::noise::run::<_, $width>($self, r, length, y, e1, e2),)*
                _ => $crate::sponge::noise::run::<_, $widest>($self, r, length, y, e1, e2),
            }
        }
    };
}
pub(crate) use hashing;

/// `arithmetic!()`: the operations of [`Backend`] beside hashing, by the kernels of a backend that has the siblings' files, a
/// macro `kernel!` and the siblings' imports. `arithmetic!(@common)` leaves out `sample_ntt`, `multiplier`, `add_compress` and
/// `add_message_compress`, for a backend with another way to do them.
#[allow(unused_macros)] // by a build that has no machine
macro_rules! arithmetic {
    () => {
        $crate::backend::arithmetic!(@common);

        fn sample_ntt(self, blocks: &[[u8; 192]], a_hats: &mut [NttPoly<Self>], filled: &mut [usize]) -> bool {
            $crate::backend::sample_each(blocks, a_hats, filled, |block, a_hat, filled| {
                kernel!(sample::sample_ntt_block(block, a_hat, filled))
            })
        }

        fn multiplier<R: Range>(self, f: &Poly<R>, m: &mut Multiplier<Self>) {
            self.ntt(f, &mut m.f_hat);
            kernel!(mul::fill_cache(m.f_hat.raw(), m.cache.raw_mut()))
        }

        fn add_compress<const L: usize>(self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8; L]) {
            let mut sum = Poly::<Canonical>::ZERO;
            kernel!(reduce::add_to(f.coefficients(), e.coefficients(), sum.storage()));
            kernel!(compress::compress(sum.coefficients(), b));
            zeroize::Zeroize::zeroize(&mut sum);
        }

        fn add_message_compress<const L: usize>(
            self,
            f: &Poly<Lazy>,
            e: &Poly<Noise>,
            m: &[u8; 32],
            b: &mut [u8; L],
        ) {
            let mut sum = Poly::<Canonical>::ZERO;
            kernel!(compress::decompress(m, sum.storage()));
            kernel!(reduce::add_to(f.coefficients(), e.coefficients(), sum.storage()));
            kernel!(compress::compress(sum.coefficients(), b));
            zeroize::Zeroize::zeroize(&mut sum);
        }
    };
    (@common) => {
        fn sample_poly_cbd(self, eta: Eta, b: &[u8], f: &mut Poly<Noise>) {
            kernel!(sample::sample_poly_cbd(eta, b, f.storage()))
        }

        fn ntt<R: Range>(self, f: &Poly<R>, f_hat: &mut NttPoly<Self>) {
            const { assert!(R::MIN > -Q && R::MAX < Q, "the transform takes |c| < q") };
            kernel!(ntt::ntt(f.coefficients(), f_hat.raw_mut()))
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

        fn sub_compress(self, v: &Poly<Canonical>, f: &Poly<Lazy>, m: &mut [u8; 32]) {
            let mut w = Poly::<Canonical>::ZERO;
            kernel!(reduce::sub(v.coefficients(), f.coefficients(), w.storage()));
            kernel!(compress::compress(w.coefficients(), m));
            zeroize::Zeroize::zeroize(&mut w);
        }

        fn encode12(self, f_hat: &NttPoly<Self>, b: &mut [u8; 384]) {
            kernel!(encode::encode12(f_hat.raw(), b))
        }

        fn decode12(self, b: &[u8; 384], f_hat: &mut NttPoly<Self>) -> bool {
            kernel!(encode::decode12(b, f_hat.raw_mut()))
        }

        fn decompress<const L: usize>(self, b: &[u8; L], f: &mut Poly<Canonical>) {
            kernel!(compress::decompress(b, f.storage()))
        }
    };
}
#[allow(unused_imports)] // likewise
pub(crate) use arithmetic;

/// The numbers of a vector's elements, for kernels over raw arrays.
pub(crate) fn rows<B, const K: usize>(a: &[NttPoly<B>; K]) -> [&[i16; N]; K] {
    a.each_ref().map(NttPoly::raw)
}

/// The numbers of a vector of multipliers with their caches, for kernels over raw arrays.
pub(crate) fn caches<B, const K: usize>(b: &[Multiplier<B>; K]) -> [(&[i16; N], &[i16; N]); K] {
    b.each_ref().map(|m| (m.f_hat.raw(), m.cache.raw()))
}
