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

use super::probe::{Keccaks, Probe};
use super::{Backend, hashing};
use crate::sponge::{Keccak, States};

/// The portable backend. Every machine has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portable;

impl Backend for Portable {
    const NAME: &'static str = "portable";

    hashing!(1);
}

impl Keccak<1> for Portable {
    fn permute(self, states: &mut States<1>, _used: usize) {
        keccak::permute(states.single());
    }
}

/// The steps of [`Probe`] beside Keccak, for backends whose kernels are made of those in `reduce.rs`.
macro_rules! steps {
    () => {
        const LANES: usize = 1;
        const MONTGOMERY: u32 = 16;
        const PRODUCT: i32 = $crate::backend::portable::reduce::PRODUCT;

        fn reduced(_most: i32) -> i32 {
            i32::from($crate::backend::poly::Q) >> 1
        }

        fn montgomery_multiply(self, a: &mut [i16; $crate::backend::poly::N], b: i16) {
            *a = a.map(|a| $crate::backend::portable::reduce::montgomery_multiply(a, b));
        }

        fn montgomery_reduce(
            self,
            a: &[i32; $crate::backend::poly::N],
            r: &mut [i16; $crate::backend::poly::N],
        ) {
            *r = a.map($crate::backend::portable::reduce::montgomery_reduce);
        }

        fn barrett_reduce(self, a: &mut [i16; $crate::backend::poly::N]) {
            *a = a.map($crate::backend::portable::reduce::barrett_reduce);
        }

        fn canonicalise(self, a: &mut [i16; $crate::backend::poly::N]) {
            *a = a.map($crate::backend::portable::reduce::canonicalise);
        }
    };
}
#[cfg(feature = "small")]
pub(crate) use steps;

impl Probe for Portable {
    steps!();

    fn keccaks(self, visitor: &mut impl Keccaks<Self>) {
        visitor.kernel::<1, 1>(self, 1, |states, [rc]| keccak::one_round(states.single(), rc));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::backend::conformance::suite!("portable", Some(super::Portable));

    #[test]
    fn entries_get_the_blocks_they_need() {
        crate::backend::conformance::unlucky_entries::<_, 1>(Portable);
    }

    #[test]
    fn bounds_that_the_proofs_are_told_are_exact() {
        assert_eq!([0, 1664, 1 << 15].map(Portable::reduced), [1664; 3]);
        assert_eq!([0, 1664, 1 << 15].map(Portable::product), [2496; 3]);
    }
}
