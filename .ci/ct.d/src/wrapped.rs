//! A backend like another one, to whose operations something is added.

use kemstone::backend::{Backend, Streaming};
#[cfg(target_arch = "aarch64")]
use kemstone::backend::aarch64::neon::Neon;
use kemstone::backend::poly::{Canonical, Eta, Lazy, Multiplier, Noise, NttPoly, Poly, Range};
use kemstone::backend::portable::Portable;
use kemstone::backend::small::Small;
#[cfg(target_arch = "riscv64")]
use kemstone::backend::riscv64::rvv::Rvv;
#[cfg(target_arch = "x86_64")]
use kemstone::backend::x86_64::avx2::Avx2;
use kemstone::sponge::fips202::{Function, H_BLOCK, XOF_BLOCK};
use kemstone::sponge::jobs::{Job, Jobs};
#[cfg(target_arch = "x86_64")]
use kemstone::sponge::{Blocks, fips202::FirstBlock};
use kemstone::sponge::{Keccak, Last, States, alone, noise, pack};

/// What is added.
pub trait Added: Copy + Send + Sync + 'static {
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
        wrap!($backend, $width, pack::run::<_, $width>, None);
    };
    ($backend:ty, $width:literal, $hash_all:expr, $streaming:expr) => {
        impl<A: Added> Backend for Wrapped<$backend, A> {
            const NAME: &'static str = <$backend as Backend>::NAME;
            const SLOTS: usize = $width;
            const STREAMING: Option<Streaming<Self>> = $streaming;

            fn hash(self, job: Job<'_>) {
                alone::run(self, job);
            }

            fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
                $hash_all(self, jobs);
            }

            fn noise<const K: usize>(
                self,
                eta1: Eta,
                r: &[u8; 32],
                y: &mut [[u8; 192]; K],
                e1: &mut [[u8; 128]; K],
                e2: &mut [u8; 128],
            ) {
                noise::run::<_, $width>(self, r, eta1.bytes(), y, e1, e2);
            }

            fn sample_ntt(
                self,
                blocks: &[[u8; 192]],
                a_hats: &mut [NttPoly<Self>],
                filled: &mut [usize],
            ) -> bool {
                let mut full = true;
                for ((block, a_hat), filled) in blocks.iter().zip(a_hats).zip(filled) {
                    let (mut block, mut a) = ([*block], [inner(a_hat)]);
                    A::xof_block(block[0].first_chunk_mut().expect("192 bytes"));
                    full &= self.0.sample_ntt(&block, &mut a, core::slice::from_mut(filled));
                    *a_hat.raw_mut() = *a[0].raw();
                }
                full
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

            fn add_compress<const L: usize>(self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8; L]) {
                self.0.add_compress(f, e, b);
            }

            fn add_message_compress<const L: usize>(
                self,
                f: &Poly<Lazy>,
                e: &Poly<Noise>,
                m: &[u8; 32],
                b: &mut [u8; L],
            ) {
                self.0.add_message_compress(f, e, m, b);
            }

            fn sub_compress(self, v: &Poly<Canonical>, f: &Poly<Lazy>, m: &mut [u8; 32]) {
                self.0.sub_compress(v, f, m);
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

            fn decompress<const L: usize>(self, b: &[u8; L], f: &mut Poly<Canonical>) {
                self.0.decompress(b, f);
            }
        }

        impl<A: Added> Keccak<1> for Wrapped<$backend, A> {
            fn permute(self, states: &mut States<1>, used: usize) {
                self.0.permute(states, used);
            }

            fn chain(
                self,
                states: &mut States<1>,
                function: Function,
                blocks: &[[u8; H_BLOCK]],
                last: Option<Last<'_>>,
            ) {
                self.0.chain(states, function, blocks, last);
            }
        }
    };
}

wrap!(Portable, 1);
wrap!(
    Small,
    1,
    alone::run_all,
    Some(Streaming {
        multiply: |backend, a, b, sum| (small().multiply)(backend.0, &inner(a), &inner(b), sum),
        inverse: |backend, sum| (small().inverse)(backend.0, sum),
        add: |backend, e_hat, sum| {
            let mut out = inner(sum);
            (small().add)(backend.0, &inner(e_hat), &mut out);
            *sum = inner(&out);
        },
    })
);

fn small() -> Streaming<Small> {
    Small::STREAMING.expect("it has one")
}

#[cfg(target_arch = "x86_64")]
wrap!(Avx2, 4);
#[cfg(target_arch = "aarch64")]
wrap!(Neon, 1);
#[cfg(target_arch = "riscv64")]
wrap!(Rvv, 1);

#[cfg(target_arch = "x86_64")]
impl<A: Added> Keccak<4> for Wrapped<Avx2, A> {
    fn permute(self, states: &mut States<4>, used: usize) {
        self.0.permute(states, used);
    }

    fn start(self, states: &mut States<4>, used: usize, first: FirstBlock<'_>, slots: u32, word4: &[u64; 4]) {
        self.0.start(states, used, first, slots, word4);
    }

    fn absorb(self, states: &mut States<4>, used: usize, slot: usize, words: &[u8]) {
        self.0.absorb(states, used, slot, words);
    }

    fn squeeze(self, states: &States<4>, used: usize, blocks: &mut Blocks<4>) {
        self.0.squeeze(states, used, blocks);
    }
}
