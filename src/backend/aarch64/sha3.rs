//! NEON with the SHA-3 instructions: the arithmetic of [`neon`](super::neon) over a Keccak of its own.
//!
//! What is best depends on how many pipes run the SHA-3 instructions, and so on the core: `Tuning` chooses. Cycles by
//! llvm-mca's models of one state or two by SHA-3 instructions throughout, of one by scalar instructions, and of two
//! and three by a mix of both:
//!
//! | | one or two | one, scalar | two, mixed | three, mixed | tuning |
//! |---|---|---|---|---|---|
//! | Neoverse V1 | 1561 | 700 | 915 | 1006 | `Mixed` |
//! | Neoverse V2 | 1561 | 561 | 907 | 1033 | `Mixed` |
//! | Neoverse N2 | 1564 | 745 | 1366 | 1483 | `Mixed` |
//! | Neoverse V3 | 456 | 422 | 736 | 839 | `ScalarSingle` |
//! | Neoverse N3 | 801 | 722 | 1360 | 1503 | `ScalarSingle` |
//! | Oryon | 449 | 1785 | 810 | 1906 | `Throughout` |
//! | Apple M1 | 600 | 2577 | 1047 | 2697 | `Throughout` |
//!
//! `.ci/cross aarch64 measure` models whole operations by each tuning as well.
//!
//! None of these leaves a lane or a sum to memory: SHA-3 instructions throughout need no more registers than there
//! are, and the rounds of the others are those of `rounds.rs`.

use core::arch::aarch64::*;
use core::sync::atomic::{AtomicU8, Ordering};

use super::cpu;
use super::neon::{arithmetic_steps, compress, encode, keccak, kernel, mul, ntt, reduce, sample};
use super::rounds::{self, Constants};
use crate::backend::poly::{Canonical, Eta, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, arithmetic, caches, hashing, rows};
use crate::sponge::keccak::{RHO, ROUND_CONSTANTS, mod5, pi_column, pi_lane};
use crate::sponge::{Blocks, Keccak, States};

/// Which Keccak a core runs best: a matter of speed only, every core with the SHA-3 instructions runs all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tuning {
    /// One state and two, by SHA-3 instructions throughout.
    Throughout = 1,
    /// One state by scalar instructions, two by SHA-3 instructions throughout.
    ScalarSingle = 2,
    /// One state by scalar instructions, two by SHA-3 instructions for most rotations only, three as two with the
    /// third by scalar instructions.
    Mixed = 3,
}

impl Tuning {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Throughout, Self::ScalarSingle, Self::Mixed];

    /// States that are hashed at once.
    const fn width(self) -> usize {
        match self {
            Self::Throughout | Self::ScalarSingle => 2,
            Self::Mixed => 3,
        }
    }

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

    hashing!(self, _longest, _work: self.tuning.width(); 2 _ 3);

    arithmetic!();
}

impl Keccak<1> for NeonSha3 {
    fn permute(self, states: &mut States<1>, _used: usize) {
        match self.tuning {
            Tuning::Throughout => sha3!(permute_x1(states.single(), &ROUND_CONSTANTS)),
            Tuning::ScalarSingle | Tuning::Mixed => sha3!(rounds::one(&mut states.0, 0, &Constants::ALL)),
        }
    }
}

impl Keccak<2> for NeonSha3 {
    fn permute(self, states: &mut States<2>, used: usize) {
        if used == 1 && self.tuning == Tuning::ScalarSingle {
            sha3!(rounds::one(&mut states.0, 0, &Constants::ALL));
        } else {
            sha3!(permute_x2(&mut states.0, &ROUND_CONSTANTS));
        }
    }

    fn squeeze(self, states: &States<2>, _used: usize, blocks: &mut Blocks<2>) {
        kernel!(keccak::squeeze(&states.0, &mut blocks.0));
    }
}

impl Keccak<3> for NeonSha3 {
    fn permute(self, states: &mut States<3>, used: usize) {
        match used {
            1 => sha3!(rounds::one(&mut states.0, 0, &Constants::ALL)),
            2 => sha3!(rounds::two_sha3(&mut states.0, &Constants::ALL)),
            _ => sha3!(rounds::three_sha3(&mut states.0, &Constants::ALL)),
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
        visitor.kernel::<1, 1>(throughout, 1, |states, rc| sha3!(permute_x1(states.single(), &rc)));
        visitor.kernel::<2, 1>(throughout, 2, |states, rc| sha3!(permute_x2(&mut states.0, &rc)));
        visitor.kernel::<2, 1>(scalar_single, 1, |states, [rc]| {
            sha3!(rounds::one(&mut states.0, 0, &Constants::one(rc)));
        });
        visitor.kernel::<1, 1>(mixed, 1, |states, [rc]| {
            sha3!(rounds::one(&mut states.0, 0, &Constants::one(rc)));
        });
        visitor.kernel::<3, 1>(mixed, 1, |states, [rc]| {
            sha3!(rounds::one(&mut states.0, 0, &Constants::one(rc)));
        });
        visitor.kernel::<3, 1>(mixed, 2, |states, [rc]| {
            sha3!(rounds::two_sha3(&mut states.0, &Constants::one(rc)));
        });
        visitor.kernel::<3, 1>(mixed, 3, |states, [rc]| {
            sha3!(rounds::three_sha3(&mut states.0, &Constants::one(rc)));
        });
    }
}

/// The lanes that pi fills one after the other: the one that it leaves where it is, and then each time the one that
/// has just been moved elsewhere.
const PI_CYCLE: [usize; 25] = {
    let mut cycle = [0; 25];
    let (mut step, mut lane) = (1, 1);
    while step < 25 {
        cycle[step] = lane;
        lane = pi_lane(mod5(lane), row_of(lane));
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

const fn row_of(lane: usize) -> usize {
    let (mut lane, mut y) = (lane, 0);
    while lane >= 5 {
        (lane, y) = (lane - 5, y + 1);
    }
    y
}

/// `macro!(i)` for every step of `PI_CYCLE`.
macro_rules! for_each_lane {
    ($step:ident) => {
        for_each_lane!($step: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24)
    };
    ($step:ident: $($i:literal)*) => { $($step!($i);)* };
}

/// One round by SHA-3 instructions throughout. All lanes are moved before any is combined: an order in which 32
/// registers are enough.
///
/// Each column's sum takes the place of one that has served, and each lane, on its way along the one cycle
/// of pi, the place of the lane that has just left. The compiler keeps to that if a turn of its loop is one round: it
/// then leaves nothing to memory, and no move between registers.
#[inline]
#[target_feature(enable = "neon,sha3")]
fn round(a: &[uint64x2_t; 25], rc: u64) -> [uint64x2_t; 25] {
    let parity = |x: usize| veor3q_u64(veor3q_u64(a[x], a[x + 5], a[x + 10]), a[x + 15], a[x + 20]);
    let c = [parity(0), parity(1), parity(2), parity(3), parity(4)];
    let d0 = vrax1q_u64(c[4], c[1]);
    let d2 = vrax1q_u64(c[1], c[3]);
    let d4 = vrax1q_u64(c[3], c[0]);
    let d1 = vrax1q_u64(c[0], c[2]);
    let d3 = vrax1q_u64(c[2], c[4]);
    let d = [d0, d1, d2, d3, d4];
    let mut b = *a;
    macro_rules! step {
        ($step:literal) => {{
            const TO: usize = PI_CYCLE[$step];
            const X: usize = mod5(TO);
            const Y: usize = row_of(TO);
            const RIGHT: i32 = (64 - RHO[pi_lane(X, Y)] as i32) & 63;
            b[TO] = vxarq_u64::<RIGHT>(a[pi_lane(X, Y)], d[pi_column(X, Y)]);
        }};
    }
    for_each_lane!(step);
    let chi = |i: usize, j: usize, k: usize| vbcaxq_u64(b[i], b[k], b[j]);
    let mut out = b;
    macro_rules! row {
        ($y:literal) => {
            out[5 * $y] = chi(5 * $y, 5 * $y + 1, 5 * $y + 2);
            out[5 * $y + 1] = chi(5 * $y + 1, 5 * $y + 2, 5 * $y + 3);
            out[5 * $y + 2] = chi(5 * $y + 2, 5 * $y + 3, 5 * $y + 4);
            out[5 * $y + 3] = chi(5 * $y + 3, 5 * $y + 4, 5 * $y);
            out[5 * $y + 4] = chi(5 * $y + 4, 5 * $y, 5 * $y + 1);
        };
    }
    row!(0);
    row!(1);
    row!(2);
    row!(3);
    row!(4);
    out[0] = veorq_u64(out[0], vdupq_n_u64(rc));
    out
}

/// Permutes one state, by SHA-3 instructions throughout.
#[target_feature(enable = "neon,sha3")]
fn permute_x1<const R: usize>(state: &mut [u64; 25], constants: &[u64; R]) {
    let mut a: [uint64x2_t; 25] = core::array::from_fn(|i| vdupq_n_u64(state[i]));
    for &rc in constants {
        a = round(&a, rc);
    }
    for i in 0..25 {
        state[i] = vgetq_lane_u64::<0>(a[i]);
    }
}

/// Permutes two states, by SHA-3 instructions throughout.
#[target_feature(enable = "neon,sha3")]
fn permute_x2<const R: usize>(state: &mut [[u64; 2]; 25], constants: &[u64; R]) {
    let mut a: [uint64x2_t; 25] = core::array::from_fn(|i| keccak::load(&state[i]));
    for &rc in constants {
        a = round(&a, rc);
    }
    for (row, a) in state.iter_mut().zip(a) {
        keccak::store(row, a);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::conformance::{present, sponge_steps, suite, unlucky_entries};
    use crate::sponge::keccak::check;

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
                NeonSha3: Keccak<W>,
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

    #[test]
    fn entries_get_the_blocks_they_need() {
        let Some(backend) = present("neon-sha3", NeonSha3::detect()) else { return };
        for tuning in Tuning::ALL {
            unlucky_entries::<_, 2>(backend.tuned(tuning));
            unlucky_entries::<_, 3>(backend.tuned(tuning));
        }
    }

    mod throughout {
        super::suite!("neon-sha3", super::tuned(super::Tuning::Throughout));
    }
    // The others differ in hashing only.
    mod scalar_single {
        super::suite!(hashing "neon-sha3", super::tuned(super::Tuning::ScalarSingle), hashes batches encapsulations);
    }
    mod mixed {
        super::suite!(hashing "neon-sha3", super::tuned(super::Tuning::Mixed), hashes batches encapsulations);
    }
}
