//! Portable Rust: what every CPU can run, and where the other backends' missing kernels come from.
//!
//! The inner loops have fixed lengths and 16-bit lanes so that the compiler can use whatever
//! vector unit the target is sure to have (SSE2, NEON); nothing here depends on it.

pub(crate) mod compress;
pub(crate) mod encode;
pub(crate) mod keccak;
pub(crate) mod mul;
pub(crate) mod ntt;
pub(crate) mod reduce;
pub(crate) mod sample;

use super::Backend;
use super::batch::{self, Job, Permute, States};

/// The portable backend. Every machine has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portable;

impl Backend for Portable {
    const NAME: &'static str = "portable";

    fn hash(self, job: Job<'_, Self>) {
        batch::run_one(self, job);
    }

    fn hash_all<'a>(self, _work: usize, jobs: &mut dyn Iterator<Item = Job<'a, Self>>) {
        jobs.for_each(|job| batch::run_one(self, job));
    }
}

impl Permute<1> for Portable {
    fn permute(self, states: &mut States<1>, _used: usize) {
        keccak::permute(states.single());
    }
}

#[cfg(test)]
mod tests {
    crate::backend::conformance::suite!("portable", Some(super::Portable));
}
