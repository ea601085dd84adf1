//! NEON: eight coefficients to a register, thirty-two registers.
//!
//! The order of T_q here: of every sixteen numbers, the eight even ones come first and the eight odd ones
//! after them. The halves of the products' pairs are then registers, and the transform, which has to bring the
//! lowest bits of the index from lanes to registers anyway, leaves them there.
//!
//! Kernels are not inlined, though the compiler could: two backends share one copy, in which `.ci/prove` finds them by name.
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
use crate::backend::poly::{Canonical, Eta, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, arithmetic, caches, hashing, rows};
use crate::sponge::{Blocks, Keccak, States};

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

    hashing!(3);

    arithmetic!();
}

impl Keccak<1> for Neon {
    fn permute(self, states: &mut States<1>, _used: usize) {
        kernel!(rounds::one(&mut states.0, 0, &Constants::ALL));
    }
}

impl Keccak<3> for Neon {
    fn cheap_width(self) -> usize {
        // Scalar instructions permute two states one after the other in less time than three take together.
        2
    }

    fn permute(self, states: &mut States<3>, used: usize) {
        if used == 3 {
            kernel!(rounds::three(&mut states.0, &Constants::ALL));
        } else {
            for slot in 0..used {
                kernel!(rounds::one(&mut states.0, slot, &Constants::ALL));
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
            for slot in 0..2 {
                kernel!(rounds::one(&mut states.0, slot, &Constants::one(rc)));
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
    fn slots_are_read() {
        let Some(backend) = present("neon", Neon::detect()) else { return };
        sponge_steps::<_, 3>(backend);
    }

    #[test]
    fn entries_get_the_blocks_they_need() {
        let Some(backend) = present("neon", Neon::detect()) else { return };
        unlucky_entries::<_, 3>(backend);
    }
}
