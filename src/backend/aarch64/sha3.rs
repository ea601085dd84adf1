//! NEON with the SHA-3 instructions: the arithmetic of [`neon`](super::neon) over a Keccak of its own.

use super::cpu;
use super::neon::{arithmetic, compress, encode, keccak, kernel, mul, ntt, reduce, sample};
use crate::backend::batch::{self, Job, Permute, States};
use crate::backend::poly::{Canonical, Lazy, Multiplier, Noise, NttPoly, Poly, Q, Range};
use crate::backend::{Backend, Eta, XOF_BLOCK, caches, rows};

/// Proof that this machine has NEON and the SHA-3 instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeonSha3(());

impl NeonSha3 {
    /// The proof, if the machine gives it.
    #[inline]
    pub fn detect() -> Option<Self> {
        cpu::sha3().then_some(Self(()))
    }
}

impl Backend for NeonSha3 {
    const NAME: &'static str = "neon-sha3";

    fn hash(self, job: Job<'_, Self>) {
        batch::run::<_, 1>(self, 1, &mut core::iter::once(job));
    }

    fn hash_all<'a>(self, work: usize, jobs: &mut dyn Iterator<Item = Job<'a, Self>>) {
        batch::run::<_, 1>(self, work, jobs);
    }

    arithmetic!();
}

impl Permute<1> for NeonSha3 {
    fn permute(self, states: &mut States<1>, _used: usize) {
        keccak::permute_x1(states.single());
    }
}

#[cfg(test)]
mod tests {
    crate::backend::conformance::suite!("neon-sha3", super::NeonSha3::detect());
}
