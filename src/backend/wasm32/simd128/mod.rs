//! Vectors of WebAssembly: eight coefficients to a register; how many registers there are is the engine's business.
//!
//! The order of T_q here: of every sixteen numbers, taken as eight pairs, the pairs 0, 4, 2 and 6 come first and the pairs 1, 5,
//! 3 and 7 after them. The transform leaves them there, each pair whole, and products take pairs as they are.
//!
//! Two states are hashed at once: vectors have no rotations, yet in V8 on x86-64 two states side by side take 0.85 of the time
//! that scalar instructions take for one after the other (`.ci/wasm measure`).

pub(crate) mod compress;
pub(crate) mod encode;
pub(crate) mod keccak;
pub(crate) mod mul;
pub(crate) mod ntt;
pub(crate) mod reduce;
pub(crate) mod sample;

use crate::backend::poly::{Canonical, Eta, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, arithmetic, caches, hashing, portable, rows};
use crate::sponge::{Keccak, States};

/// Proof that this machine has the vectors: the module exists in such builds only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simd128(());

impl Simd128 {
    /// The proof.
    #[inline]
    pub fn detect() -> Option<Self> {
        Some(Self(()))
    }
}

/// `kernel!(call)`: a call of a kernel of this backend, which needs nothing.
macro_rules! kernel {
    ($call:expr) => {
        $call
    };
}

impl Backend for Simd128 {
    const NAME: &'static str = "simd128";

    hashing!(2);

    arithmetic!();
}

impl Keccak<1> for Simd128 {
    fn permute(self, states: &mut States<1>, _used: usize) {
        portable::keccak::permute(states.single());
    }
}

impl Keccak<2> for Simd128 {
    fn permute(self, states: &mut States<2>, used: usize) {
        if used > 1 {
            keccak::permute_x2(&mut states.0);
        } else {
            self.permute_first(states);
        }
    }
}

impl Simd128 {
    /// The state in the first slot alone. A function of its own: its copy of the state is no part of the frame above
    /// `permute_x2`, which `wipe_frames` has to reach.
    #[inline(never)]
    fn permute_first(self, states: &mut States<2>) {
        let mut state = states.first();
        portable::keccak::permute(state.single());
        for (row, [lane]) in states.0.iter_mut().zip(state.0) {
            row[0] = lane;
        }
        zeroize::Zeroize::zeroize(&mut state);
    }
}

impl Probe for Simd128 {
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
        visitor.kernel::<1, 1>(self, 1, |states, [rc]| portable::keccak::one_round(states.single(), rc));
        visitor.kernel::<2, 1>(self, 1, |states, [rc]| {
            let mut state = states.0.map(|row| row[0]);
            portable::keccak::one_round(&mut state, rc);
            states.0.iter_mut().zip(state).for_each(|(row, lane)| row[0] = lane);
        });
        visitor.kernel::<2, 1>(self, 2, |states, [rc]| keccak::one_round_x2(&mut states.0, rc));
    }
}

#[cfg(test)]
mod tests {
    use super::Simd128;
    use crate::backend::conformance::{present, sponge_steps, suite, unlucky_entries};

    suite!("simd128", Simd128::detect());

    #[test]
    fn slots_are_read() {
        let Some(backend) = present("simd128", Simd128::detect()) else { return };
        sponge_steps::<_, 2>(backend);
    }

    #[test]
    fn entries_get_the_blocks_they_need() {
        let Some(backend) = present("simd128", Simd128::detect()) else { return };
        unlucky_entries::<_, 2>(backend);
    }
}
