//! AVX2: sixteen coefficients to a register, sixteen registers.
//!
//! Elements of T_q are kept in the standard's order: sampling and encoding, the more frequent
//! operations, need no permutation, and the transform has the shuffles to spare.

pub(crate) mod compress;
pub(crate) mod encode;
pub(crate) mod keccak;
pub(crate) mod mul;
pub(crate) mod ntt;
pub(crate) mod reduce;
mod rounds;
pub(crate) mod sample;

use super::cpu;
use crate::backend::poly::{Canonical, Eta, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, arithmetic, caches, hashing, rows};
use crate::sponge::fips202::FirstBlock;
use crate::sponge::{Blocks, Keccak, States};

/// Proof that this machine has AVX2, POPCNT, BMI1 and BMI2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

impl Avx2 {
    /// The proof, if the machine gives it.
    #[inline]
    pub fn detect() -> Option<Self> {
        cpu::avx2().then_some(Self(()))
    }
}

/// `kernel!(call)`: a call of a kernel of this backend.
macro_rules! kernel {
    ($call:expr) => {
        // SAFETY: an Avx2 exists only after detect found AVX2, POPCNT, BMI1 and BMI2.
        unsafe { $call }
    };
}

impl Backend for Avx2 {
    const NAME: &'static str = "avx2";

    hashing!(4);

    arithmetic!();
}

impl Keccak<1> for Avx2 {
    fn permute(self, states: &mut States<1>, _used: usize) {
        kernel!(keccak::permute_x1(states.single()));
    }
}

impl Keccak<4> for Avx2 {
    fn start(
        self,
        states: &mut States<4>,
        _used: usize,
        first: FirstBlock<'_>,
        slots: u32,
        word4: &[u64; 4],
    ) {
        kernel!(keccak::start(&mut states.0, first, slots, word4));
    }

    fn absorb(self, states: &mut States<4>, _used: usize, slot: usize, words: &[u8]) {
        kernel!(keccak::absorb(&mut states.0, slot, words));
    }

    fn squeeze(self, states: &States<4>, _used: usize, blocks: &mut Blocks<4>) {
        kernel!(keccak::squeeze(&states.0, &mut blocks.0));
    }

    fn permute(self, states: &mut States<4>, used: usize) {
        if used > 1 {
            kernel!(keccak::permute_x4(&mut states.0));
        } else {
            self.permute_first(states);
        }
    }
}

impl Avx2 {
    /// The state in the first slot alone. A function of its own: its copy of the state is no part of the frame above
    /// `permute_x4`, which `wipe_frames` has to reach.
    #[inline(never)]
    fn permute_first(self, states: &mut States<4>) {
        let mut state = states.first();
        kernel!(keccak::permute_x1(state.single()));
        for (row, [lane]) in states.0.iter_mut().zip(state.0) {
            row[0] = lane;
        }
        zeroize::Zeroize::zeroize(&mut state);
    }
}

impl Probe for Avx2 {
    const LANES: usize = reduce::LANES;
    const MONTGOMERY: u32 = 16;
    const PRODUCT: i32 = reduce::PRODUCT;

    fn reduced(most: i32) -> i32 {
        reduce::reduced(most)
    }

    fn montgomery_multiply(self, a: &mut [i16; N], b: i16) {
        kernel!(reduce::probe_multiply(a, &reduce::Factors::all(b)));
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
        let one = |state: &mut [u64; 25], rc| kernel!(keccak::one_round_x1(state, rc));
        visitor.kernel::<1, 1>(self, 1, |states, [rc]| one(states.single(), rc));
        visitor.kernel::<4, 1>(self, 1, |states, [rc]| {
            let mut state = states.0.map(|row| row[0]);
            one(&mut state, rc);
            states.0.iter_mut().zip(state).for_each(|(row, lane)| row[0] = lane);
        });
        macro_rules! four {
            ($intel:literal, $first:literal) => {
                visitor.kernel::<4, 1>(self, 4, |states, [rc]| {
                    kernel!(keccak::one_round_x4::<$intel, $first>(&mut states.0, rc));
                })
            };
        }
        four!(false, true);
        four!(false, false);
        four!(true, true);
        four!(true, false);
    }
}

#[cfg(test)]
mod tests {
    crate::backend::conformance::suite!("avx2", super::Avx2::detect());

    #[test]
    fn entries_get_the_blocks_they_need() {
        use crate::backend::conformance::{present, unlucky_entries};
        if let Some(backend) = present("avx2", super::Avx2::detect()) {
            unlucky_entries::<_, 4>(backend);
        }
    }
}
