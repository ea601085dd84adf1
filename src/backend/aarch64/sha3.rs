//! NEON with the SHA-3 instructions: the arithmetic of [`neon`](super::neon) over a Keccak of its own.
//!
//! What is best depends on how many pipes run the SHA-3 instructions. std tells processors' features, not their
//! names, and one of these features tells the two kinds apart: Arm's own cores with SHA-3 instructions have SVE,
//! Apple's have not.
//!
//! | | SHA-3 instructions | one state | two | three |
//! |---|---|---|---|---|
//! | with SVE: Neoverse V1, V2, N2 | one a cycle | scalar | theirs for rotations only | as two, the third scalar |
//! | without: Apple M1 and later | four a cycle | theirs | theirs throughout | |
//!
//! Cycles by llvm-mca's models: of one state, of two and of three done as the first row says, and of two by SHA-3
//! instructions throughout.
//!
//! | | one | two | three | two throughout |
//! |---|---|---|---|---|
//! | Neoverse V1 | 691 | 950 | 991 | 1551 |
//! | Neoverse V2 | 640 | 995 | 1137 | 1553 |
//! | Neoverse N2 | 803 | 1434 | 1424 | 1553 |
//! | Neoverse V3, several a cycle | 423 | 697 | 748 | 507 |

use core::arch::aarch64::*;
use core::arch::asm;

use super::neon::keccak::{permutation, round_x2, rounds_of_pair, rounds_of_three};
use super::neon::{arithmetic, arithmetic_steps, compress, encode, keccak, kernel, mul, ntt, reduce, sample};
use super::{at, at_mut, cpu};
use crate::backend::batch::{self, Blocks, Job, Jobs, Permute, States};
use crate::backend::keccak::ROUND_CONSTANTS;
use crate::backend::poly::{Canonical, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, Eta, XOF_BLOCK, caches, rows};

/// Proof that this machine has NEON and the SHA-3 instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeonSha3 {
    /// Only one of them runs at a time, beside others.
    one_pipe: bool,
}

impl NeonSha3 {
    /// The proof, if the machine gives it.
    #[inline]
    pub fn detect() -> Option<Self> {
        cpu::sha3().then(|| Self { one_pipe: cpu::sve() })
    }
}

/// `sha3!(call)`: a call of a kernel of this file.
macro_rules! sha3 {
    ($call:expr) => {
        // SAFETY: a NeonSha3 exists only after detect found the SHA-3 instructions.
        unsafe { $call }
    };
}

impl Backend for NeonSha3 {
    const NAME: &'static str = "neon-sha3";

    fn hash(self, job: Job<'_>) {
        batch::run_one(self, job);
    }

    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
        if self.one_pipe {
            batch::run::<_, 3>(self, jobs);
        } else {
            batch::run::<_, 2>(self, jobs);
        }
    }

    arithmetic!();
}

impl Permute<1> for NeonSha3 {
    fn permute(self, states: &mut States<1>, _used: usize) {
        if self.one_pipe {
            keccak::permute_x1(states.single());
        } else {
            sha3!(permute_x1(states.single()));
        }
    }
}

impl Permute<2> for NeonSha3 {
    fn permute(self, states: &mut States<2>, _used: usize) {
        sha3!(permute_x2(&mut states.0));
    }

    fn squeeze(self, states: &States<2>, _used: usize, blocks: &mut Blocks<2>) {
        kernel!(keccak::squeeze(&states.0, &mut blocks.0));
    }
}

impl Permute<3> for NeonSha3 {
    fn permute(self, states: &mut States<3>, used: usize) {
        match used {
            1 => keccak::permute_column(&mut states.0, 0),
            2 => sha3!(permute_x2_mixed(&mut states.0)),
            _ => sha3!(permute_x3_mixed(&mut states.0)),
        }
    }

    fn squeeze(self, states: &States<3>, _used: usize, blocks: &mut Blocks<3>) {
        kernel!(keccak::squeeze(&states.0, &mut blocks.0));
    }
}

impl Probe for NeonSha3 {
    arithmetic_steps!();

    /// The kernels for all processors, whichever this is.
    fn keccaks(self, visitor: &mut impl Keccaks<Self>) {
        let [more_pipes, one_pipe] = [false, true].map(|one_pipe| Self { one_pipe });
        visitor.kernel::<1, 1>(more_pipes, 1, |states, [rc]| sha3!(one_round_x1(states.single(), rc)));
        visitor.kernel::<2, 1>(more_pipes, 2, |states, [rc]| sha3!(one_round_x2(&mut states.0, rc)));
        visitor.kernel::<1, 1>(one_pipe, 1, |states, [rc]| keccak::one_round_x1(states.single(), rc));
        visitor.kernel::<3, 1>(one_pipe, 1, |states, [rc]| {
            keccak::on_column(&mut states.0, 0, |state| keccak::one_round_x1(state, rc));
        });
        visitor.kernel::<3, 1>(one_pipe, 2, |states, [rc]| sha3!(one_round_x2_mixed(&mut states.0, rc)));
        visitor.kernel::<3, 1>(one_pipe, 3, |states, [rc]| sha3!(one_round_x3_mixed(&mut states.0, rc)));
    }
}

/// Permutes one state, by SHA-3 instructions throughout.
#[target_feature(enable = "neon,sha3")]
fn permute_x1(state: &mut [u64; 25]) {
    let mut a: [uint64x2_t; 25] = core::array::from_fn(|i| vdupq_n_u64(state[i]));
    for rc in ROUND_CONSTANTS.as_chunks::<2>().0 {
        a = round_x2!(a, rc[0]; (veor3q_u64, vrax1q_u64, xor_rol, bcax, any_order));
        a = round_x2!(a, rc[1]; (veor3q_u64, vrax1q_u64, xor_rol, bcax, any_order));
    }
    for i in 0..25 {
        state[i] = vgetq_lane_u64::<0>(a[i]);
    }
}

/// One round of the same, for proofs.
#[target_feature(enable = "neon,sha3")]
fn one_round_x1(state: &mut [u64; 25], rc: u64) {
    let a: [uint64x2_t; 25] = core::array::from_fn(|i| vdupq_n_u64(state[i]));
    let a = round_x2!(a, rc; (veor3q_u64, vrax1q_u64, xor_rol, bcax, any_order));
    for i in 0..25 {
        state[i] = vgetq_lane_u64::<0>(a[i]);
    }
}

permutation! {
    /// Permutes two states, by SHA-3 instructions throughout.
    "neon,sha3", permute_x2, one_round_x2, 2, rounds_of_pair, [0, 1];
    (veor3q_u64, vrax1q_u64, xor_rol, bcax, any_order)
}

permutation! {
    /// Permutes the first two of three states, by SHA-3 instructions where they rotate.
    "neon,sha3", permute_x2_mixed, one_round_x2_mixed, 3, rounds_of_pair, [0];
    (xor3, vrax1q_u64, xor_rol, chi, any_order)
}

permutation! {
    /// Permutes three states, by SHA-3 instructions where they rotate and scalar ones.
    "neon,sha3", permute_x3_mixed, one_round_x3_mixed, 3, rounds_of_three, [0];
    (xor3, vrax1q_u64, xor_rol, chi, any_order)
}

macro_rules! xor_rol {
    ($a:expr, $b:expr, $n:ident) => {
        match $n {
            0 => veorq_u64($a, $b),
            _ => vxarq_u64::<{ (64 - $n) & 63 }>($a, $b),
        }
    };
}
use xor_rol;

/// Fewer instructions here need fewer registers.
macro_rules! any_order {
    ($class:ident, $out:ident, $d:ident, $i:expr) => {
        let _ = &mut $d;
    };
}
use any_order;

#[inline]
#[target_feature(enable = "neon,sha3")]
fn bcax(a: uint64x2_t, b: uint64x2_t, c: uint64x2_t) -> uint64x2_t {
    vbcaxq_u64(a, c, b)
}

/// The number itself, of unknown origin: keeps the compiler from making one SHA-3 instruction out of two others.
#[inline]
#[target_feature(enable = "neon")]
fn opaque(mut a: uint64x2_t) -> uint64x2_t {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {0:v} */", inout(vreg) a, options(pure, nomem, nostack, preserves_flags)) };
    a
}

#[inline]
#[target_feature(enable = "neon")]
fn xor3(a: uint64x2_t, b: uint64x2_t, c: uint64x2_t) -> uint64x2_t {
    veorq_u64(opaque(veorq_u64(a, b)), c)
}

#[inline]
#[target_feature(enable = "neon")]
fn chi(a: uint64x2_t, b: uint64x2_t, c: uint64x2_t) -> uint64x2_t {
    veorq_u64(a, opaque(vbicq_u64(c, b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::conformance::{present, sponge_steps, suite};
    use crate::backend::keccak::check;

    /// The machine's proof, tuned as for other processors.
    fn tuned(one_pipe: bool) -> Option<NeonSha3> {
        NeonSha3::detect().map(|_| NeonSha3 { one_pipe })
    }

    #[test]
    fn permutes_one_state_two_and_three() {
        for one_pipe in [false, true] {
            let Some(backend) = present("neon-sha3", tuned(one_pipe)) else { return };
            fn permute<const W: usize>(backend: NeonSha3, used: usize, state: &mut [[u64; W]; 25])
            where
                NeonSha3: Permute<W>,
            {
                let mut states = States(*state);
                backend.permute(&mut states, used);
                *state = states.0;
            }
            check::<1>(1, |state| permute(backend, 1, state));
            check::<2>(2, |state| permute(backend, 2, state));
            for used in 1..=3 {
                check::<3>(used, |state| permute(backend, used, state));
            }
        }
    }

    #[test]
    fn columns_are_read() {
        let Some(backend) = present("neon-sha3", NeonSha3::detect()) else { return };
        sponge_steps::<_, 2>(backend);
        sponge_steps::<_, 3>(backend);
    }

    mod one_pipe {
        super::suite!("neon-sha3", super::tuned(true));
    }
    mod more_pipes {
        super::suite!("neon-sha3", super::tuned(false));
    }
}
