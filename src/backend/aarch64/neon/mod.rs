//! NEON: eight coefficients to a register, thirty-two registers.
//!
//! The order of T_q here: of every sixteen numbers, the eight even ones come first and the eight odd ones
//! after them. The halves of the products' pairs are then registers, and the transform, which has to bring the
//! lowest bits of the index from lanes to registers anyway, leaves them there.
//!
//! Three states are hashed at once, two in vector registers and one in general registers: without rotations, vectors
//! alone are no faster than scalar instructions, but both run side by side. Neoverse N1, for one, takes 920 cycles for
//! one state and 2061 for three (llvm-mca's model, corrected to the four instructions that it decodes in a cycle).

pub(crate) mod compress;
pub(crate) mod encode;
pub(crate) mod keccak;
pub(crate) mod mul;
pub(crate) mod ntt;
pub(crate) mod reduce;
pub(crate) mod sample;

use crate::backend::aarch64::rounds::{self, Constants};
use crate::backend::batch::{self, Blocks, Job, Jobs, Permute, States};
use crate::backend::poly::{Canonical, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, Eta, XOF_BLOCK, caches, rows};

/// Proof that this machine has NEON: the module exists on such targets only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neon(());

impl Neon {
    /// The proof.
    #[inline]
    pub fn detect() -> Option<Self> {
        Some(Self(()))
    }
}

/// `kernel!(call)`: a call of a kernel of this backend.
macro_rules! kernel {
    ($call:expr) => {
        // SAFETY: this target has NEON.
        unsafe { $call }
    };
}
pub(crate) use kernel;

/// The operations of [`Backend`] beside hashing, for the backends that differ in hashing only.
macro_rules! arithmetic {
    () => {
        fn sample_ntt_block(
            self,
            block: &[u8; XOF_BLOCK],
            a_hat: &mut NttPoly<Self>,
            filled: usize,
        ) -> usize {
            kernel!(sample::sample_ntt_block(block, a_hat.raw_mut(), filled))
        }

        fn sample_poly_cbd(self, eta: Eta, b: &[u8], f: &mut Poly<Noise>) {
            kernel!(sample::sample_poly_cbd(eta, b, f.storage()))
        }

        fn ntt<R: Range>(self, f: &Poly<R>, f_hat: &mut NttPoly<Self>) {
            const { assert!(R::MIN > -Q && R::MAX < Q, "the transform takes |c| < q") };
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

        fn add_message(
            self,
            f: &Poly<Lazy>,
            e: &Poly<Noise>,
            mu: &Poly<Canonical>,
            sum: &mut Poly<Canonical>,
        ) {
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
    };
}
pub(crate) use arithmetic;

/// The steps of `arithmetic!`, as [`Probe`] shows them.
macro_rules! arithmetic_steps {
    () => {
        const LANES: usize = reduce::LANES;
        const MONTGOMERY: u32 = 0;
        const PRODUCT: i32 = reduce::product(1 << 15);

        fn product(most: i32) -> i32 {
            reduce::product(most)
        }

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
    };
}
pub(crate) use arithmetic_steps;

impl Backend for Neon {
    const NAME: &'static str = "neon";

    fn hash(self, job: Job<'_>) {
        batch::run_one(self, job);
    }

    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
        batch::run::<_, 3>(self, jobs);
    }

    arithmetic!();
}

impl Permute<1> for Neon {
    fn permute(self, states: &mut States<1>, _used: usize) {
        kernel!(rounds::one(&mut states.0, 0, &Constants::ALL));
    }
}

impl Permute<3> for Neon {
    fn narrow(self) -> usize {
        // Scalar instructions permute two states one after the other in less time than three take together.
        2
    }

    fn permute(self, states: &mut States<3>, used: usize) {
        if used == 3 {
            kernel!(rounds::three(&mut states.0, &Constants::ALL));
        } else {
            for column in 0..used {
                kernel!(rounds::one(&mut states.0, column, &Constants::ALL));
            }
        }
    }

    fn squeeze(self, states: &States<3>, _used: usize, blocks: &mut Blocks<3>) {
        kernel!(keccak::squeeze(&states.0, &mut blocks.0));
    }
}

impl Probe for Neon {
    arithmetic_steps!();

    fn keccaks(self, visitor: &mut impl Keccaks<Self>) {
        visitor.kernel::<1, 1>(self, 1, |states, [rc]| {
            kernel!(rounds::one(&mut states.0, 0, &Constants::one(rc)));
        });
        visitor.kernel::<3, 1>(self, 2, |states, [rc]| {
            for column in 0..2 {
                kernel!(rounds::one(&mut states.0, column, &Constants::one(rc)));
            }
        });
        visitor.kernel::<3, 1>(self, 3, |states, [rc]| {
            kernel!(rounds::three(&mut states.0, &Constants::one(rc)));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Neon;
    use crate::backend::conformance::{present, sponge_steps, suite, unlucky_entries};

    suite!("neon", Neon::detect());

    #[test]
    fn columns_are_read() {
        let Some(backend) = present("neon", Neon::detect()) else { return };
        sponge_steps::<_, 3>(backend);
    }

    #[test]
    fn entries_get_the_blocks_they_need() {
        let Some(backend) = present("neon", Neon::detect()) else { return };
        unlucky_entries::<_, 3>(backend);
    }
}
