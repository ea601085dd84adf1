//! RVV 1.0: vectors of 128 bits or more, the same code for every length.
//!
//! Elements of T_q are kept as the 128 even coefficients in the standard's order, then the 128 odd ones: the two
//! halves of all pairs. Products, encodings and the last layers of the transform take them as they lie.

pub(crate) mod compress;
pub(crate) mod encode;
pub(crate) mod keccak;
pub(crate) mod mul;
pub(crate) mod ntt;
pub(crate) mod reduce;
pub(crate) mod sample;

use zeroize::Zeroize;

use super::cpu;
use crate::backend::batch::{self, Blocks, Job, Jobs, Permute, States};
use crate::backend::keccak::ROUND_CONSTANTS;
use crate::backend::poly::{self, Canonical, Lazy, Multiplier, N, Noise, NttPoly, Poly, Range};
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, Eta, XOF_BLOCK, caches, rows};

/// Proof that this machine has V; it knows the vector length, and of Zbb and Zvkb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rvv(cpu::Found);

impl Rvv {
    /// The proof, if the machine gives it.
    #[inline]
    pub fn detect() -> Option<Self> {
        let found = cpu::found();
        found.v().then_some(Self(found))
    }
}

/// `kernel!(call)`: a call of a kernel of this backend.
macro_rules! kernel {
    ($call:expr) => {
        // SAFETY: an Rvv exists only after detect found V.
        unsafe { $call }
    };
}

impl Backend for Rvv {
    const NAME: &'static str = "rvv";

    fn hash(self, job: Job<'_>) {
        batch::run_one(self, job);
    }

    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
        // Lanes beyond those that finish the others beside the longest job would only be cleared and wiped. A register
        // has as many lanes as it has words.
        let longest = jobs.iter().map(Jobs::longest).max().unwrap_or(0);
        let work: usize = jobs.iter().map(Jobs::work).sum();
        let enough = |lanes| self.0.words() <= lanes || work <= lanes * longest;
        if enough(1) {
            batch::run::<_, 1>(self, jobs);
        } else if enough(2) {
            batch::run::<_, 2>(self, jobs);
        } else if enough(4) {
            batch::run::<_, 4>(self, jobs);
        } else if enough(8) {
            batch::run::<_, 8>(self, jobs);
        } else {
            batch::run::<_, 16>(self, jobs);
        }
    }

    fn sample_ntt_block(self, block: &[u8; XOF_BLOCK], a_hat: &mut NttPoly<Self>, filled: usize) -> usize {
        kernel!(sample::sample_ntt_block(block, a_hat.raw_mut(), filled))
    }

    fn sample_poly_cbd(self, eta: Eta, b: &[u8], f: &mut Poly<Noise>) {
        kernel!(sample::sample_poly_cbd(eta, b, f.storage()))
    }

    fn ntt<R: Range>(self, f: &Poly<R>, f_hat: &mut NttPoly<Self>) {
        const { assert!(R::MIN > -poly::Q && R::MAX < poly::Q, "the transform takes |c| < q") };
        kernel!(ntt::ntt(f.coefficients(), f_hat.raw_mut()))
    }

    fn multiplier<R: Range>(self, f: &Poly<R>, m: &mut Multiplier<Self>) {
        self.ntt(f, &mut m.f_hat);
        kernel!(mul::fill_cache(m.f_hat.raw(), m.cache.raw_mut()))
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

impl Permute<1> for Rvv {
    fn permute(self, states: &mut States<1>, _used: usize) {
        // SAFETY: the token knows whether there is Zbb.
        unsafe { keccak::permute_x1(states.single(), self.0.zbb()) }
    }
}

/// As many states as a register has words; more are permuted by turns.
macro_rules! permute {
    ($($width:literal)*) => {
        $(
            impl Permute<$width> for Rvv {
                fn permute(self, states: &mut States<$width>, used: usize) {
                    permute(self, states, used);
                }

                fn squeeze(self, states: &States<$width>, used: usize, blocks: &mut Blocks<$width>) {
                    kernel!(keccak::squeeze(&states.0, used, &mut blocks.0))
                }
            }
        )*
    };
}
permute!(2 4 8 16);

fn permute<const W: usize>(backend: Rvv, states: &mut States<W>, used: usize) {
    if used == 1 {
        let mut state = states.first();
        Permute::<1>::permute(backend, &mut state, 1);
        for (row, [lane]) in states.0.iter_mut().zip(state.0) {
            row[0] = lane;
        }
        state.zeroize();
    } else if backend.0.zvkb() {
        // SAFETY: the token knows that there is Zvkb.
        unsafe { keccak::permute_zvkb(&mut states.0, used, &ROUND_CONSTANTS) }
    } else {
        kernel!(keccak::permute(&mut states.0, used, &ROUND_CONSTANTS))
    }
}

impl Probe for Rvv {
    /// Every position of a polynomial: how many numbers a register holds is the machine's choice, and no instruction
    /// is given more than a polynomial has.
    const LANES: usize = N;
    const MONTGOMERY: u32 = 16;
    const PRODUCT: i32 = reduce::PRODUCT;

    fn reduced(_most: i32) -> i32 {
        reduce::REDUCED
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

    fn keccaks(self, visitor: &mut impl Keccaks<Self>) {
        visitor.kernel::<1, 1>(self, 1, |states, [rc]| {
            // SAFETY: the token knows whether there is Zbb.
            unsafe { keccak::one_round_x1(states.single(), self.0.zbb(), rc) }
        });
        show::<2>(self, visitor);
        show::<4>(self, visitor);
        show::<8>(self, visitor);
        show::<16>(self, visitor);
    }
}

/// The kernels of this width: plain vectors always, although where there is Zvkb they are not used.
fn show<const W: usize>(backend: Rvv, visitor: &mut impl Keccaks<Rvv>)
where
    Rvv: Permute<W>,
{
    visitor.kernel::<W, 1>(backend, W, |states, rc: [u64; 1]| {
        kernel!(keccak::permute(&mut states.0, W, &rc));
    });
    if backend.0.zvkb() {
        visitor.kernel::<W, 1>(backend, W, |states, rc: [u64; 1]| {
            // SAFETY: the token knows that there is Zvkb.
            unsafe { keccak::permute_zvkb(&mut states.0, W, &rc) }
        });
    }
}

#[cfg(test)]
mod tests {
    crate::backend::conformance::suite!("rvv", super::Rvv::detect());

    #[test]
    fn entries_get_the_blocks_they_need() {
        use crate::backend::conformance::{present, unlucky_entries};
        let Some(backend) = present("rvv", super::Rvv::detect()) else { return };
        unlucky_entries::<_, 1>(backend);
        unlucky_entries::<_, 2>(backend);
        unlucky_entries::<_, 4>(backend);
        unlucky_entries::<_, 8>(backend);
        unlucky_entries::<_, 16>(backend);
    }
}
