//! Zbb, scalar bit manipulation: Keccak by and-not and rotations of one instruction. All else is portable.

use super::cpu;
use crate::backend::poly::N;
use crate::backend::portable::Portable;
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, hashing};
use crate::sponge::keccak::{RHO, ROUND_CONSTANTS, pi_column, pi_lane};
use crate::sponge::{Keccak, States};

/// Proof that this machine has Zbb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zbb(());

impl Zbb {
    /// The proof, if the machine gives it.
    #[inline]
    pub fn detect() -> Option<Self> {
        cpu::found().zbb().then_some(Self(()))
    }
}

impl Backend for Zbb {
    const NAME: &'static str = "zbb";

    hashing!(1);
}

impl Keccak<1> for Zbb {
    fn permute(self, states: &mut States<1>, _used: usize) {
        // SAFETY: a Zbb exists only after detect found Zbb.
        unsafe { permute(states.single()) };
    }
}

/// The steps of all arithmetic are the portable ones.
impl Probe for Zbb {
    const LANES: usize = Portable::LANES;
    const MONTGOMERY: u32 = Portable::MONTGOMERY;
    const PRODUCT: i32 = Portable::PRODUCT;

    fn reduced(most: i32) -> i32 {
        Portable::reduced(most)
    }

    fn montgomery_multiply(self, a: &mut [i16; N], b: i16) {
        Portable.montgomery_multiply(a, b);
    }

    fn montgomery_reduce(self, a: &[i32; N], r: &mut [i16; N]) {
        Portable.montgomery_reduce(a, r);
    }

    fn barrett_reduce(self, a: &mut [i16; N]) {
        Portable.barrett_reduce(a);
    }

    fn canonicalise(self, a: &mut [i16; N]) {
        Portable.canonicalise(a);
    }

    fn keccaks(self, visitor: &mut impl Keccaks<Self>) {
        visitor.kernel::<1, 1>(self, 1, |states, [rc]| {
            // SAFETY: a Zbb exists only after detect found Zbb.
            unsafe { one_round(states.single(), rc) }
        });
    }
}

/// Permutes one state.
#[target_feature(enable = "zbb")]
pub(crate) fn permute(state: &mut [u64; 25]) {
    // Two rounds a turn: the second undoes the renaming of lanes of the first, so no moves are left.
    let mut a = *state;
    for rc in ROUND_CONSTANTS.as_chunks::<2>().0 {
        a = round(&round(&a, rc[0]), rc[1]);
    }
    *state = a;
}

/// One round of `permute`, for proofs.
#[target_feature(enable = "zbb")]
pub(crate) fn one_round(state: &mut [u64; 25], rc: u64) {
    *state = round(state, rc);
}

/// One round in plain Rust: inlined above, it is compiled with the features there. (A `target_feature` function
/// cannot be `inline(always)`.)
#[inline(always)]
fn round(a: &[u64; 25], rc: u64) -> [u64; 25] {
    let c: [u64; 5] = core::array::from_fn(|x| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    let d = [
        c[4] ^ c[1].rotate_left(1),
        c[0] ^ c[2].rotate_left(1),
        c[1] ^ c[3].rotate_left(1),
        c[2] ^ c[4].rotate_left(1),
        c[3] ^ c[0].rotate_left(1),
    ];
    let mut out = *a;
    macro_rules! b {
        ($x:literal, $y:literal) => {
            (a[pi_lane($x, $y)] ^ d[pi_column($x, $y)]).rotate_left(const { RHO[pi_lane($x, $y)] })
        };
    }
    macro_rules! row {
        ($y:literal) => {
            let b = [b!(0, $y), b!(1, $y), b!(2, $y), b!(3, $y), b!(4, $y)];
            out[5 * $y] = b[0] ^ (!b[1] & b[2]);
            out[5 * $y + 1] = b[1] ^ (!b[2] & b[3]);
            out[5 * $y + 2] = b[2] ^ (!b[3] & b[4]);
            out[5 * $y + 3] = b[3] ^ (!b[4] & b[0]);
            out[5 * $y + 4] = b[4] ^ (!b[0] & b[1]);
        };
    }
    row!(0);
    row!(1);
    row!(2);
    row!(3);
    row!(4);
    out[0] ^= rc;
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::backend::conformance::suite!("zbb", Zbb::detect());

    #[test]
    fn permutes_one_state() {
        let Some(backend) = crate::backend::conformance::present("zbb", Zbb::detect()) else { return };
        crate::sponge::keccak::check::<1>(1, |state| {
            let mut states = States(*state);
            backend.permute(&mut states, 1);
            *state = states.0;
        });
    }
}
