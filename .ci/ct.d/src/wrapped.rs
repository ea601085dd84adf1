//! A backend like another one, to whose operations something is added.

#[cfg(target_arch = "aarch64")]
use kemstone::backend::aarch64::neon::Neon;
use kemstone::backend::batch::{self, Function, H_BLOCK, Job, Jobs, Permute, States};
#[cfg(target_arch = "x86_64")]
use kemstone::backend::batch::{Blocks, Start};
use kemstone::backend::poly::{Canonical, Lazy, Multiplier, Noise, NttPoly, Poly, Range, Sums};
use kemstone::backend::portable::Portable;
#[cfg(target_arch = "riscv64")]
use kemstone::backend::riscv64::rvv::Rvv;
#[cfg(target_arch = "x86_64")]
use kemstone::backend::x86_64::avx2::Avx2;
use kemstone::backend::{Backend, Eta, XOF_BLOCK};

/// What is added.
pub trait Added: Copy + 'static {
    /// Called with the output of the XOF, which expands the public seed rho.
    fn xof_block(_block: &mut [u8; XOF_BLOCK]) {}

    /// Called with every sample of noise.
    fn noise(_f: &Poly<Noise>) {}
}

/// The backend `B`, with `A` added. Elements of T_q are `B`'s, in a type of their own.
pub struct Wrapped<B, A>(B, core::marker::PhantomData<A>);

impl<B: Copy, A> Clone for Wrapped<B, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Copy, A> Copy for Wrapped<B, A> {}

impl<B, A> Wrapped<B, A> {
    pub fn new(backend: B) -> Self {
        Self(backend, core::marker::PhantomData)
    }
}

fn inner<B, W>(f: &NttPoly<W>) -> NttPoly<B> {
    let mut inner = NttPoly::ZERO;
    *inner.raw_mut() = *f.raw();
    inner
}

fn inner_multiplier<B, W>(m: &Multiplier<W>) -> Multiplier<B> {
    Multiplier { f_hat: inner(&m.f_hat), cache: inner(&m.cache) }
}

macro_rules! wrap {
    ($backend:ty, $width:literal) => {
        impl<A: Added> Backend for Wrapped<$backend, A> {
            const NAME: &'static str = <$backend as Backend>::NAME;

            fn hash(self, job: Job<'_>) {
                batch::run_one(self, job);
            }

            fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
                batch::run::<_, $width>(self, jobs);
            }

            // Several blocks come here one by one, as in the backends that are wrapped.
            fn sample_ntt_block(
                self,
                block: &[u8; XOF_BLOCK],
                a_hat: &mut NttPoly<Self>,
                filled: usize,
            ) -> usize {
                let (mut block, mut a) = (*block, inner(a_hat));
                A::xof_block(&mut block);
                let filled = self.0.sample_ntt_block(&block, &mut a, filled);
                *a_hat.raw_mut() = *a.raw();
                filled
            }

            fn sample_poly_cbd(self, eta: Eta, b: &[u8], f: &mut Poly<Noise>) {
                self.0.sample_poly_cbd(eta, b, f);
                A::noise(f);
            }

            fn ntt<R: Range>(self, f: &Poly<R>, f_hat: &mut NttPoly<Self>) {
                let mut out = NttPoly::ZERO;
                self.0.ntt(f, &mut out);
                *f_hat = inner(&out);
            }

            fn multiplier<R: Range>(self, f: &Poly<R>, m: &mut Multiplier<Self>) {
                let mut out = Multiplier::ZERO;
                self.0.multiplier(f, &mut out);
                *m = inner_multiplier(&out);
            }

            fn mul_add<const K: usize>(
                self,
                a: &[NttPoly<Self>; K],
                s: &[Multiplier<Self>; K],
                e_hat: &NttPoly<Self>,
                t_hat: &mut NttPoly<Self>,
            ) {
                let mut out = NttPoly::ZERO;
                let (a, s) = (a.each_ref().map(inner), s.each_ref().map(inner_multiplier));
                self.0.mul_add(&a, &s, &inner(e_hat), &mut out);
                *t_hat = inner(&out);
            }

            fn dot_inverse<const K: usize>(
                self,
                a: &[NttPoly<Self>; K],
                b: &[Multiplier<Self>; K],
                f: &mut Poly<Lazy>,
            ) {
                self.0.dot_inverse(&a.each_ref().map(inner), &b.each_ref().map(inner_multiplier), f);
            }

            fn add(self, f: &Poly<Lazy>, e: &Poly<Noise>, sum: &mut Poly<Canonical>) {
                self.0.add(f, e, sum);
            }

            fn add_message(
                self,
                f: &Poly<Lazy>,
                e: &Poly<Noise>,
                mu: &Poly<Canonical>,
                sum: &mut Poly<Canonical>,
            ) {
                self.0.add_message(f, e, mu, sum);
            }

            const SUMS_IN_REGISTERS: bool = <$backend as Backend>::SUMS_IN_REGISTERS;

            fn add_compress<const L: usize>(
                self,
                f: &Poly<Lazy>,
                e: &Poly<Noise>,
                sums: &mut Sums,
                b: &mut [u8; L],
            ) {
                self.0.add_compress(f, e, sums, b);
            }

            fn add_message_compress<const L: usize>(
                self,
                f: &Poly<Lazy>,
                e: &Poly<Noise>,
                m: &[u8; 32],
                sums: &mut Sums,
                b: &mut [u8; L],
            ) {
                self.0.add_message_compress(f, e, m, sums, b);
            }

            fn sub(self, v: &Poly<Canonical>, f: &Poly<Lazy>, difference: &mut Poly<Canonical>) {
                self.0.sub(v, f, difference);
            }

            fn encode12(self, f_hat: &NttPoly<Self>, b: &mut [u8; 384]) {
                self.0.encode12(&inner(f_hat), b);
            }

            fn decode12(self, b: &[u8; 384], f_hat: &mut NttPoly<Self>) -> bool {
                let mut out = NttPoly::ZERO;
                let below_q = self.0.decode12(b, &mut out);
                *f_hat = inner(&out);
                below_q
            }

            fn compress<const L: usize>(self, f: &Poly<Canonical>, b: &mut [u8; L]) {
                self.0.compress(f, b);
            }

            fn decompress<const L: usize>(self, b: &[u8; L], f: &mut Poly<Canonical>) {
                self.0.decompress(b, f);
            }
        }

        impl<A: Added> Permute<1> for Wrapped<$backend, A> {
            fn permute(self, states: &mut States<1>, used: usize) {
                self.0.permute(states, used);
            }

            fn absorb_blocks(self, states: &mut States<1>, blocks: &[[u8; H_BLOCK]]) {
                self.0.absorb_blocks(states, blocks);
            }

            fn finish(
                self,
                states: &mut States<1>,
                function: Function,
                blocks: &[[u8; H_BLOCK]],
                rest: [&[u8]; 2],
                out: &mut [u8],
            ) {
                self.0.finish(states, function, blocks, rest, out);
            }
        }
    };
}

wrap!(Portable, 1);
#[cfg(target_arch = "x86_64")]
wrap!(Avx2, 4);
#[cfg(target_arch = "aarch64")]
wrap!(Neon, 1);
#[cfg(target_arch = "riscv64")]
wrap!(Rvv, 1);

#[cfg(target_arch = "x86_64")]
impl<A: Added> Permute<4> for Wrapped<Avx2, A> {
    fn permute(self, states: &mut States<4>, used: usize) {
        self.0.permute(states, used);
    }

    fn start(self, states: &mut States<4>, used: usize, start: Start<'_>, columns: u32, ends: &[u64; 4]) {
        self.0.start(states, used, start, columns, ends);
    }

    fn absorb(self, states: &mut States<4>, used: usize, column: usize, words: &[u8]) {
        self.0.absorb(states, used, column, words);
    }

    fn squeeze(self, states: &States<4>, used: usize, blocks: &mut Blocks<4>) {
        self.0.squeeze(states, used, blocks);
    }
}
