//! Portable Rust that takes little memory and little code: the backend of the feature `small`, in place of `portable` where no
//! kernels for the machine are.
//!
//! A transform works where the polynomial lies, T_q is in the standard's order, an entry of the matrix is multiplied when it has
//! been sampled and then forgotten ([`Backend::STREAMING`]), sums are compressed one number after the other, and Keccak is a loop.
//! It takes about twice the time of `portable`, whose reductions (`reduce.rs`) and noise serve here, too.

pub(crate) mod compress;
pub(crate) mod encode;
pub(crate) mod keccak;
pub(crate) mod mul;
pub(crate) mod ntt;
pub(crate) mod sample;

use super::poly::{Canonical, Lazy, Multiplier, Noise, NttPoly, Poly, Range};
use super::portable::steps;
use super::probe::{Keccaks, Probe};
use super::{Backend, Streaming, poly, sample_each};
use crate::sponge::jobs::{Job, Jobs};
use crate::sponge::{Keccak, States, alone};

/// The small backend. Every machine has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small;

impl Small {
    /// Its products: see [`Backend::STREAMING`].
    pub(crate) const STREAMED: Streaming<Self> = Streaming {
        multiply: |_, a, b, sum| mul::multiply(a.raw(), b.raw(), sum),
        inverse: |_, f| ntt::ntt_inverse(f),
        add: |_, e_hat, sum| mul::add(e_hat.raw(), sum.raw_mut()),
    };

    /// The token, as of backends that a machine may lack.
    pub fn detect() -> Option<Self> {
        Some(Self)
    }
}

impl Backend for Small {
    const NAME: &'static str = "small";
    const STREAMING: Option<Streaming<Self>> = Some(Self::STREAMED);

    fn hash(self, job: Job<'_>) {
        alone::run(self, job);
    }

    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
        alone::run_all(self, jobs);
    }

    fn sample_ntt(self, blocks: &[[u8; 192]], a_hats: &mut [NttPoly<Self>], filled: &mut [usize]) -> bool {
        sample_each(blocks, a_hats, filled, sample::sample_ntt_block)
    }

    fn ntt<R: Range>(self, f: &Poly<R>, f_hat: &mut NttPoly<Self>) {
        const { assert!(R::MIN > -poly::Q && R::MAX < poly::Q, "the transform takes |c| < q") };
        *f_hat.raw_mut() = *f.coefficients();
        ntt::ntt(f_hat.raw_mut());
    }

    fn multiplier<R: Range>(self, f: &Poly<R>, m: &mut Multiplier<Self>) {
        self.ntt(f, &mut m.f_hat);
    }

    fn mul_add<const K: usize>(
        self,
        a: &[NttPoly<Self>; K],
        s: &[Multiplier<Self>; K],
        e_hat: &NttPoly<Self>,
        t_hat: &mut NttPoly<Self>,
    ) {
        mul::dot(a, s, t_hat.raw_mut());
        mul::add(e_hat.raw(), t_hat.raw_mut());
    }

    fn dot_inverse<const K: usize>(
        self,
        a: &[NttPoly<Self>; K],
        b: &[Multiplier<Self>; K],
        f: &mut Poly<Lazy>,
    ) {
        mul::dot(a, b, f.storage());
        ntt::ntt_inverse(f.storage());
    }

    fn add_compress<const L: usize>(self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8; L]) {
        compress::add_compress(f.coefficients(), e.coefficients(), const { L >> 5 }, b);
    }

    fn add_message_compress<const L: usize>(
        self,
        f: &Poly<Lazy>,
        e: &Poly<Noise>,
        m: &[u8; 32],
        b: &mut [u8; L],
    ) {
        compress::add_message_compress(f.coefficients(), e.coefficients(), m, const { L >> 5 }, b);
    }

    fn sub_compress(self, v: &Poly<Canonical>, f: &Poly<Lazy>, m: &mut [u8; 32]) {
        compress::sub_compress(v.coefficients(), f.coefficients(), m);
    }

    fn encode12(self, f_hat: &NttPoly<Self>, b: &mut [u8; 384]) {
        encode::encode12(f_hat.raw(), b);
    }

    fn decode12(self, b: &[u8; 384], f_hat: &mut NttPoly<Self>) -> bool {
        encode::decode12(b, f_hat.raw_mut())
    }

    fn decompress<const L: usize>(self, b: &[u8; L], f: &mut Poly<Canonical>) {
        compress::decompress(const { L >> 5 }, b, f.storage());
    }
}

impl Keccak<1> for Small {
    const IN_PLACE: bool = true;

    fn permute(self, states: &mut States<1>, _used: usize) {
        keccak::permute(states.single());
    }
}

impl Probe for Small {
    steps!();

    fn keccaks(self, visitor: &mut impl Keccaks<Self>) {
        visitor.kernel::<1, 1>(self, 1, |states, rc| keccak::rounds(states.single(), &rc));
    }
}

#[cfg(test)]
mod tests {
    crate::backend::conformance::suite!("small", Some(super::Small));

    #[test]
    fn entries_get_the_blocks_they_need() {
        crate::backend::conformance::unlucky_entries::<_, 1>(super::Small);
    }
}
