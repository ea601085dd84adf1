//! The contract between the frontend and the machines: what each operation reads, writes and
//! promises, in the order of the standard.
//!
//! Shown by the feature `internals`; no semver promise covers it.
//!
//! A value of a [`Backend`] type is the proof that the machine has the instructions its methods
//! use: outside tests such values come only from detection. That is why the methods are safe.
//!
//! Rules for every operation:
//! - **Constant time** in all polynomial coefficients and hashed bytes, except where a line says
//!   *variable time*. Lengths, ranges and types may steer; values may not.
//! - **Total**: no input of the stated type panics, overflows or reads out of bounds.
//! - **Complete**: every coefficient and byte of an output is written.
//! - Elements of T_q are opaque ([`NttPoly`]): a backend that overrides one of `sample_ntt_block`,
//!   `ntt`, `multiplier`, `mul_add`, `dot_inverse`, `encode12` and `decode12` with another order
//!   of coefficients overrides them all. The other operations can be overridden one by one.

pub mod batch;
pub mod bounds;
pub(crate) mod keccak;
pub mod poly;
pub mod portable;
pub mod probe;
pub mod tables;

// The machines. The condition of each stands here only, and two never hold at once. Beside the architecture it asks for an ABI
// with vector registers, without which the compiler cannot build the kernels, and for nobody who forbids to look for
// instructions or to execute them: an SGX enclave may not ask the processor, and Miri interprets no assembly.
//
// Each module has a macro `machine!` with the list of its backends. The last `machine!` before `select` counts there.

/// No machine: nothing but the portable backend.
#[allow(unused_macros)] // by a build that has a machine
macro_rules! machine {
    ($backends:ident, $d:tt) => {
        $backends! { $d {} }
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
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(target_env = "sgx"), not(miri)))]
#[allow(unsafe_code)]
#[macro_use]
pub mod x86_64;

pub mod select;

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
pub(crate) mod model;

use batch::{Job, Jobs};
use poly::{Canonical, Lazy, Multiplier, N, Noise, NttPoly, Poly, Range, Sums};
use portable::{compress, encode, mul, ntt, sample};

/// The two widths of the centred binomial distribution (FIPS 203, table 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eta {
    /// eta = 2: 128 bytes of PRF output.
    Two,
    /// eta = 3: 192 bytes of PRF output.
    Three,
}

impl Eta {
    /// Bytes of PRF output a polynomial takes: 64 eta.
    pub const fn bytes(self) -> usize {
        match self {
            Eta::Two => 128,
            Eta::Three => 192,
        }
    }
}

/// Bytes in one block of SHAKE128 output.
pub const XOF_BLOCK: usize = 168;

/// One machine's way of computing FIPS 203's inner loops. A value of the type proves that the
/// machine has it.
pub trait Backend: Copy + 'static {
    /// The name that `kemstone::backend()` reports.
    const NAME: &'static str;

    // Section 4.1: hashing.

    /// Runs one sponge whose result is needed before anything else can start.
    ///
    /// In: a job. Out: the job's output, complete.
    fn hash(self, job: Job<'_>);

    /// Runs sponges that do not depend on one another, as many at once as the machine has lanes.
    ///
    /// In: jobs, the longest first. Out: every job's output, complete, as if each had been run alone.
    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]);

    // Section 4.2.2: sampling.

    /// FIPS 203, Algorithm 7 (SampleNTT), lines 5 to 16 for one block of XOF output.
    ///
    /// In: `filled < 256` coefficients are there already. Out: more of them, and their new
    /// number; the rest of `a_hat` may hold anything until it is full. *Variable time*: the
    /// block comes from a public seed.
    fn sample_ntt_block(self, block: &[u8; XOF_BLOCK], a_hat: &mut NttPoly<Self>, filled: usize) -> usize {
        sample::sample_ntt_block(block, a_hat.raw_mut(), filled)
    }

    /// The same for several polynomials at once, as many as there are blocks, whose first 168 bytes count.
    ///
    /// In: of each, how many coefficients are there already. Out: as `sample_ntt_block`; what is full stays as it is;
    /// true if all of them are full. *Variable time*: the blocks come from a public seed.
    fn sample_ntt_blocks(
        self,
        blocks: &[[u8; 192]],
        a_hats: &mut [NttPoly<Self>],
        filled: &mut [usize],
    ) -> bool {
        let mut full = true;
        for ((block, a_hat), filled) in blocks.iter().zip(a_hats).zip(filled) {
            if let (true, Some(block)) = (*filled < N, block.first_chunk()) {
                *filled = self.sample_ntt_block(block, a_hat, *filled);
            }
            full &= *filled >= N;
        }
        full
    }

    /// FIPS 203, Algorithm 7 (SampleNTT), for several elements, each from the blocks that
    /// [`Permute::keep_block`](batch::Permute::keep_block) has put there, all [`batch::SAMPLE_BLOCKS`] of them.
    ///
    /// *Variable time.* Out: in `filled` how many coefficients each has now, from the first on, with which `sample_ntt_blocks`
    /// goes on; and whether all are full.
    fn sample_kept(self, a_hats: &mut [NttPoly<Self>], filled: &mut [usize]) -> bool {
        sample::sample_kept(self, a_hats, filled)
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

    // Sums in R_q, each the last step before an encoding: the only full reductions there are.

    /// `f + e`, canonical (Algorithm 14, line 19).
    fn add(self, f: &Poly<Lazy>, e: &Poly<Noise>, sum: &mut Poly<Canonical>) {
        portable::reduce::add(f.coefficients(), e.coefficients(), sum.storage());
    }

    /// `f + e + mu`, canonical (Algorithm 14, line 21).
    fn add_message(self, f: &Poly<Lazy>, e: &Poly<Noise>, mu: &Poly<Canonical>, sum: &mut Poly<Canonical>) {
        portable::reduce::add_message(f.coefficients(), e.coefficients(), mu.coefficients(), sum.storage());
    }

    /// Whether `add_compress` and `add_message_compress` do without the memory for sums that they are given: then nobody
    /// clears it.
    const SUMS_IN_REGISTERS: bool = false;

    /// `ByteEncode_d(Compress_d(f + e))` (Algorithm 14, lines 19 and 22) with d = L / 32, one of 4, 5, 10, 11.
    ///
    /// Out: `b`, and in `sums` what the caller wipes.
    fn add_compress<const L: usize>(self, f: &Poly<Lazy>, e: &Poly<Noise>, sums: &mut Sums, b: &mut [u8; L]) {
        self.add(f, e, &mut sums.sum);
        self.compress(&sums.sum, b);
    }

    /// `ByteEncode_d(Compress_d(f + e + mu))`, where mu is `Decompress_1(ByteDecode_1(m))` (Algorithm 14, lines 20, 21 and
    /// 23), with d = L / 32, one of 4, 5, 10, 11.
    ///
    /// Out: `b`, and in `sums` what the caller wipes.
    fn add_message_compress<const L: usize>(
        self,
        f: &Poly<Lazy>,
        e: &Poly<Noise>,
        m: &[u8; 32],
        sums: &mut Sums,
        b: &mut [u8; L],
    ) {
        self.decompress(m, &mut sums.mu);
        self.add_message(f, e, &sums.mu, &mut sums.sum);
        self.compress(&sums.sum, b);
    }

    /// `v - f`, canonical (Algorithm 15, line 6).
    fn sub(self, v: &Poly<Canonical>, f: &Poly<Lazy>, difference: &mut Poly<Canonical>) {
        portable::reduce::sub(v.coefficients(), f.coefficients(), difference.storage());
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

    /// `ByteEncode_d(Compress_d(f))` (section 4.2.1) with d = L / 32, one of 1, 4, 5, 10, 11.
    fn compress<const L: usize>(self, f: &Poly<Canonical>, b: &mut [u8; L]) {
        compress::compress(f.coefficients(), b);
    }

    /// `Decompress_d(ByteDecode_d(b))` (section 4.2.1) with d = L / 32, one of 1, 4, 5, 10, 11.
    fn decompress<const L: usize>(self, b: &[u8; L], f: &mut Poly<Canonical>) {
        compress::decompress(b, f.storage());
    }
}

/// The numbers of a vector's elements, for kernels over raw arrays.
pub(crate) fn rows<B, const K: usize>(a: &[NttPoly<B>; K]) -> [&[i16; N]; K] {
    a.each_ref().map(NttPoly::raw)
}

/// The numbers of a vector of multipliers with their caches, for kernels over raw arrays.
pub(crate) fn caches<B, const K: usize>(b: &[Multiplier<B>; K]) -> [(&[i16; N], &[i16; N]); K] {
    b.each_ref().map(|m| (m.f_hat.raw(), m.cache.raw()))
}
