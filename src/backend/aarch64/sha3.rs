//! NEON with the SHA-3 instructions: the arithmetic of [`neon`](super::neon) over a Keccak of its own.
//!
//! What is best depends on how many pipes run the SHA-3 instructions, and so on the core: `Tuning` chooses. Cycles by
//! llvm-mca's models of one state or two by SHA-3 instructions throughout, of one by scalar instructions, and of two
//! and three by a mix of both:
//!
//! | | one or two | one, scalar | two, mixed | three, mixed | tuning |
//! |---|---|---|---|---|---|
//! | Neoverse V1 | 1537 | 691 | 995 | 971 | `Mixed` |
//! | Neoverse V2 | 1540 | 640 | 986 | 1137 | `Mixed` |
//! | Neoverse N2 | 1540 | 803 | 1337 | 1440 | `Mixed` |
//! | Neoverse V3 | 456 | 423 | 674 | 750 | `ScalarSingle` |
//! | Neoverse N3 | 801 | 786 | 1179 | 1365 | `ScalarSingle` |
//! | Oryon | 449 | 1692 | 644 | 1823 | `Throughout` |
//! | Apple M1 | 600 | 2563 | 887 | 2803 | `Throughout` |
//!
//! `.ci/cross aarch64 measure` models whole operations by each tuning as well.
//!
//! SHA-3 instructions throughout keep both states in registers. Of a mixed round of a pair, three loads and stores are
//! left; of any round with scalar instructions, 20 or so, since 25 lanes and five sums do not fit the general
//! registers that a compiler may use. (Hand-written assembly gets along with six, the round constant's among them.)

use core::arch::aarch64::*;
use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering};

use super::neon::keccak::{permutation, round_x2, rounds_of_pair, rounds_of_three};
use super::neon::{arithmetic, arithmetic_steps, compress, encode, keccak, kernel, mul, ntt, reduce, sample};
use super::{at, at_mut, cpu};
use crate::backend::batch::{self, Blocks, Job, Jobs, Permute, States};
use crate::backend::keccak::{RHO, ROUND_CONSTANTS, mod5, pi_column, pi_lane};
use crate::backend::poly::{Canonical, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, Eta, XOF_BLOCK, caches, rows};

/// Which Keccak a core runs best: a matter of speed only, every core with the SHA-3 instructions runs all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tuning {
    /// One state and two, by SHA-3 instructions throughout.
    Throughout = 1,
    /// One state by scalar instructions, two by SHA-3 instructions throughout.
    ScalarSingle = 2,
    /// One state by scalar instructions, two by SHA-3 instructions for rotations only, three as two with the
    /// third by scalar instructions.
    Mixed = 3,
}

impl Tuning {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Throughout, Self::ScalarSingle, Self::Mixed];

    /// What is known of a core by the name in its MIDR_EL1.
    ///
    /// The numbers of pipes are those of Arm's software optimization guides (rows "Crypto SHA3 ops" and "Logical, shift")
    /// and of LLVM's models, which are made from them. Of cores that are not here nothing is known, and the one
    /// instruction for two or three is the best guess; for Apple's, Qualcomm's and Ampere's it is right: all
    /// their vector pipes run it, and a scalar operand is not rotated for nothing.
    const fn of(midr: u64) -> Self {
        const ARM: u64 = 0x41;
        const MICROSOFT: u64 = 0x6d;
        match (midr >> 24 & 0xff, midr >> 4 & 0xfff) {
            // One vector pipe, V0, of four or two: Neoverse V1, V2; N2, Cobalt 100.
            (ARM, 0xd40 | 0xd4f) | (ARM | MICROSOFT, 0xd49) => Self::Mixed,
            // Likewise Cortex-X2, X3; A710, A715.
            (ARM, 0xd48 | 0xd4e | 0xd47 | 0xd4d) => Self::Mixed,
            // Every vector pipe of four: Neoverse V3, V3AE, Cortex-X4, X925; of two: Neoverse N3, Cortex-A720, A725.
            // Scalar operands are rotated for nothing, on more pipes.
            (ARM, 0xd84 | 0xd83 | 0xd82 | 0xd85 | 0xd8e | 0xd81 | 0xd87) => Self::ScalarSingle,
            _ => Self::Throughout,
        }
    }

    /// That of this machine. It is asked once.
    #[inline]
    fn detect() -> Self {
        static FOUND: AtomicU8 = AtomicU8::new(0);
        let found = FOUND.load(Ordering::Relaxed);
        if let Some(tuning) = Self::ALL.into_iter().find(|&tuning| tuning as u8 == found) {
            return tuning;
        }
        let tuning = cpu::midr().map_or(Self::Throughout, Self::of);
        FOUND.store(tuning as u8, Ordering::Relaxed);
        tuning
    }
}

/// Proof that this machine has NEON and the SHA-3 instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeonSha3 {
    tuning: Tuning,
}

impl NeonSha3 {
    /// The proof, if the machine gives it.
    #[inline]
    pub fn detect() -> Option<Self> {
        cpu::sha3().then(|| Self { tuning: Tuning::detect() })
    }

    /// The same tuned for other cores, for tests and measurements.
    pub fn tuned(self, tuning: Tuning) -> Self {
        let Self { tuning: _ } = self; // the proof
        Self { tuning }
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
        match self.tuning {
            Tuning::Throughout | Tuning::ScalarSingle => batch::run::<_, 2>(self, jobs),
            Tuning::Mixed => batch::run::<_, 3>(self, jobs),
        }
    }

    arithmetic!();
}

impl Permute<1> for NeonSha3 {
    fn permute(self, states: &mut States<1>, _used: usize) {
        match self.tuning {
            Tuning::Throughout => sha3!(permute_x1(states.single())),
            Tuning::ScalarSingle | Tuning::Mixed => keccak::permute_x1(states.single()),
        }
    }
}

impl Permute<2> for NeonSha3 {
    fn permute(self, states: &mut States<2>, used: usize) {
        if used == 1 && self.tuning == Tuning::ScalarSingle {
            keccak::permute_column(&mut states.0, 0);
        } else {
            sha3!(permute_x2(&mut states.0));
        }
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

    /// The kernels for all cores, whichever this is.
    fn keccaks(self, visitor: &mut impl Keccaks<Self>) {
        let [throughout, scalar_single, mixed] = Tuning::ALL.map(|tuning| self.tuned(tuning));
        visitor.kernel::<1, 1>(throughout, 1, |states, [rc]| sha3!(one_round_x1(states.single(), rc)));
        visitor.kernel::<2, 1>(throughout, 2, |states, [rc]| sha3!(one_round_x2(&mut states.0, rc)));
        visitor.kernel::<2, 1>(scalar_single, 1, |states, [rc]| {
            keccak::on_column(&mut states.0, 0, |state| keccak::one_round_x1(state, rc));
        });
        visitor.kernel::<1, 1>(mixed, 1, |states, [rc]| keccak::one_round_x1(states.single(), rc));
        visitor.kernel::<3, 1>(mixed, 1, |states, [rc]| {
            keccak::on_column(&mut states.0, 0, |state| keccak::one_round_x1(state, rc));
        });
        visitor.kernel::<3, 1>(mixed, 2, |states, [rc]| sha3!(one_round_x2_mixed(&mut states.0, rc)));
        visitor.kernel::<3, 1>(mixed, 3, |states, [rc]| sha3!(one_round_x3_mixed(&mut states.0, rc)));
    }
}

/// The lanes that pi fills one after the other: the one that it leaves where it is, and then each time the one that
/// has just been moved elsewhere.
const PI_CYCLE: [usize; 25] = {
    let mut cycle = [0; 25];
    let (mut step, mut lane) = (1, 1);
    while step < 25 {
        cycle[step] = lane;
        lane = pi_lane(mod5(lane), keccak::row_of(lane));
        step += 1;
    }
    // One cycle of 24: it closes, and not before its end.
    assert!(lane == 1);
    let mut i = 2;
    while i < 25 {
        assert!(cycle[i] != 1);
        i += 1;
    }
    cycle
};

/// `macro!(i)` for every step of `PI_CYCLE`.
macro_rules! for_each_lane {
    ($step:ident) => {
        for_each_lane!($step: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24)
    };
    ($step:ident: $($i:literal)*) => { $($step!($i);)* };
}

/// `round_x2`, all of whose lanes are moved before any is combined: an order in which 32 registers are enough.
///
/// Each column's sum takes the place of one that has served, and each lane, on its way along the one cycle
/// of pi, the place of the lane that has just left. The compiler keeps to that if a turn of its loop is one round: SHA-3
/// instructions throughout then leave nothing to memory, and no move between registers.
macro_rules! round_in_place {
    ($a:ident, $rc:expr; ($xor3:ident, $rax:ident, $xor_rol:ident, $chi:ident)) => {{
        let a: [uint64x2_t; 25] = $a;
        macro_rules! parity {
            ($x:literal) => {
                $xor3($xor3(a[$x], a[$x + 5], a[$x + 10]), a[$x + 15], a[$x + 20])
            };
        }
        let c = [parity!(0), parity!(1), parity!(2), parity!(3), parity!(4)];
        let d0 = $rax(c[4], c[1]);
        let d2 = $rax(c[1], c[3]);
        let d4 = $rax(c[3], c[0]);
        let d1 = $rax(c[0], c[2]);
        let d3 = $rax(c[2], c[4]);
        let d = [d0, d1, d2, d3, d4];
        let mut b = a;
        macro_rules! step {
            ($step:literal) => {{
                const TO: usize = PI_CYCLE[$step];
                const X: usize = mod5(TO);
                const Y: usize = keccak::row_of(TO);
                const LEFT: i32 = RHO[pi_lane(X, Y)] as i32;
                b[TO] = $xor_rol!(a[pi_lane(X, Y)], d[pi_column(X, Y)], LEFT);
            }};
        }
        for_each_lane!(step);
        let mut out = b;
        macro_rules! row {
            ($y:literal) => {
                out[5 * $y] = $chi(b[5 * $y], b[5 * $y + 1], b[5 * $y + 2]);
                out[5 * $y + 1] = $chi(b[5 * $y + 1], b[5 * $y + 2], b[5 * $y + 3]);
                out[5 * $y + 2] = $chi(b[5 * $y + 2], b[5 * $y + 3], b[5 * $y + 4]);
                out[5 * $y + 3] = $chi(b[5 * $y + 3], b[5 * $y + 4], b[5 * $y]);
                out[5 * $y + 4] = $chi(b[5 * $y + 4], b[5 * $y], b[5 * $y + 1]);
            };
        }
        row!(0);
        row!(1);
        row!(2);
        row!(3);
        row!(4);
        out[0] = veorq_u64(out[0], vdupq_n_u64($rc));
        out
    }};
}

/// Permutes one state, by SHA-3 instructions throughout.
#[target_feature(enable = "neon,sha3")]
fn permute_x1(state: &mut [u64; 25]) {
    let mut a: [uint64x2_t; 25] = core::array::from_fn(|i| vdupq_n_u64(state[i]));
    for &rc in &ROUND_CONSTANTS {
        a = round_in_place!(a, rc; (veor3q_u64, vrax1q_u64, xor_rol, bcax));
    }
    for i in 0..25 {
        state[i] = vgetq_lane_u64::<0>(a[i]);
    }
}

/// One round of the same, for proofs.
#[target_feature(enable = "neon,sha3")]
fn one_round_x1(state: &mut [u64; 25], rc: u64) {
    let a: [uint64x2_t; 25] = core::array::from_fn(|i| vdupq_n_u64(state[i]));
    let a = round_in_place!(a, rc; (veor3q_u64, vrax1q_u64, xor_rol, bcax));
    for i in 0..25 {
        state[i] = vgetq_lane_u64::<0>(a[i]);
    }
}

permutation! {
    /// Permutes two states, by SHA-3 instructions throughout.
    "neon,sha3", permute_x2, one_round_x2, 2, rounds_of_pair, [0];
    round_in_place (veor3q_u64, vrax1q_u64, xor_rol, bcax)
}

permutation! {
    /// Permutes the first two of three states, by SHA-3 instructions where they rotate.
    "neon,sha3", permute_x2_mixed, one_round_x2_mixed, 3, rounds_of_pair, [0];
    round_in_place (xor3, vrax1q_u64, xor_rol, chi)
}

permutation! {
    /// Permutes three states, by SHA-3 instructions where they rotate and scalar ones.
    "neon,sha3", permute_x3_mixed, one_round_x3_mixed, 3, rounds_of_three, [0];
    // Beside scalar rounds, row by row is faster, though it leaves more to memory.
    round_x2 (xor3, vrax1q_u64, xor_rol, chi, any_order)
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

/// Rows may overlap: what runs beside the scalar instructions needs no order of its own.
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

    /// The machine's proof, tuned for other cores.
    fn tuned(tuning: Tuning) -> Option<NeonSha3> {
        NeonSha3::detect().map(|backend| backend.tuned(tuning))
    }

    #[test]
    fn cores_are_told_apart() {
        // As these registers read: revisions differ, the architecture is 0xf.
        assert_eq!(Tuning::of(0x411f_d401), Tuning::Mixed); // Graviton 3: Neoverse V1, r1p1
        assert_eq!(Tuning::of(0x410f_d4f1), Tuning::Mixed); // Graviton 4: Neoverse V2, r0p1
        assert_eq!(Tuning::of(0x410f_d490), Tuning::Mixed); // Neoverse N2, r0p0
        assert_eq!(Tuning::of(0x6d0f_d490), Tuning::Mixed); // Cobalt 100
        assert_eq!(Tuning::of(0x410f_d841), Tuning::ScalarSingle); // Neoverse V3, r0p1
        assert_eq!(Tuning::of(0x610f_0221), Tuning::Throughout); // Apple M1
        assert_eq!(Tuning::of(0x610f_d401), Tuning::Throughout); // another maker's
        assert_eq!(Tuning::of(0x000f_0510), Tuning::Throughout); // an emulator's
        assert_eq!(Tuning::of(0), Tuning::Throughout);
    }

    #[test]
    #[ignore = "for a Neoverse V1, real or emulated; `.ci/cross aarch64` runs it on one"]
    fn a_neoverse_v1_is_served_as_one() {
        assert_eq!(NeonSha3::detect().map(|backend| backend.tuning), Some(Tuning::Mixed));
        assert!(cpu::dit(), "it has FEAT_DIT");
    }

    #[test]
    fn detection_is_remembered() {
        let Some(backend) = present("neon-sha3", NeonSha3::detect()) else { return };
        assert_eq!(Some(backend), NeonSha3::detect());
        assert_eq!(backend.tuning, cpu::midr().map_or(Tuning::Throughout, Tuning::of));
    }

    #[test]
    fn permutes_one_state_two_and_three() {
        for tuning in Tuning::ALL {
            let Some(backend) = present("neon-sha3", tuned(tuning)) else { return };
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

    mod throughout {
        super::suite!("neon-sha3", super::tuned(super::Tuning::Throughout));
    }
    // The others differ in hashing only.
    mod scalar_single {
        super::suite!(@each "neon-sha3", super::tuned(super::Tuning::ScalarSingle), hashes batches);
    }
    mod mixed {
        super::suite!(@each "neon-sha3", super::tuned(super::Tuning::Mixed), hashes batches);
    }
}
