//! RVV 1.0: vectors of 128 bits or more, the same code for every length.
//!
//! Elements of T_q are kept as the 128 even coefficients in the standard's order, then the 128 odd ones: the two
//! halves of all pairs. Products, encodings and the last layers of the transform take them as they lie.

pub(crate) mod compress;
pub(crate) mod encode;
pub(crate) mod keccak;
pub(crate) mod mul;
pub(crate) mod ntt;
pub(crate) mod reduce;
pub(crate) mod sample;

use zeroize::Zeroize;

use super::cpu;
use crate::backend::poly::{Canonical, Eta, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use crate::backend::probe::{Keccaks, Probe};
use crate::backend::{Backend, arithmetic, caches, hashing, rows};
use crate::sponge::keccak::ROUND_CONSTANTS;
use crate::sponge::{Blocks, Keccak, States};

/// Proof that this machine has V; it knows the vector length, and of Zbb and Zvkb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rvv(cpu::Found);

impl Rvv {
    /// The proof, if the machine gives it.
    #[inline]
    pub fn detect() -> Option<Self> {
        let found = cpu::found();
        found.v().then_some(Self(found))
    }
}

impl Rvv {
    /// Slots for so many permutations in all, of which so many follow one another: more than finish the others beside the
    /// longest job would only be cleared and wiped. A register has as many slots as it has words.
    fn width(self, longest: usize, work: usize) -> usize {
        let mut width = 1;
        while width < 16 && width < self.0.words() && work > width * longest {
            width *= 2;
        }
        width
    }
}

/// `kernel!(call)`: a call of a kernel of this backend.
macro_rules! kernel {
    ($call:expr) => {
        // SAFETY: an Rvv exists only after detect found V.
        unsafe { $call }
    };
}

impl Backend for Rvv {
    const NAME: &'static str = "rvv";

    hashing!(self, longest, work: self.width(longest, work); 1 2 4 8 _ 16);

    arithmetic!();
}

impl Keccak<1> for Rvv {
    fn permute(self, states: &mut States<1>, _used: usize) {
        // SAFETY: the token knows whether there is Zbb.
        unsafe { keccak::permute_x1(states.single(), self.0.zbb()) }
    }
}

/// As many states as a register has words; more are permuted by turns.
macro_rules! permute {
    ($($width:literal)*) => {
        $(
            impl Keccak<$width> for Rvv {
                fn permute(self, states: &mut States<$width>, used: usize) {
                    permute(self, states, used);
                }

                fn squeeze(self, states: &States<$width>, used: usize, blocks: &mut Blocks<$width>) {
                    kernel!(keccak::squeeze(&states.0, used, &mut blocks.0))
                }
            }
        )*
    };
}
permute!(2 4 8 16);

fn permute<const W: usize>(backend: Rvv, states: &mut States<W>, used: usize) {
    if used == 1 {
        let mut state = states.first();
        Keccak::<1>::permute(backend, &mut state, 1);
        for (row, [lane]) in states.0.iter_mut().zip(state.0) {
            row[0] = lane;
        }
        state.zeroize();
    } else if backend.0.zvkb() {
        // SAFETY: the token knows that there is Zvkb.
        unsafe { keccak::permute_zvkb(&mut states.0, used, &ROUND_CONSTANTS) }
    } else {
        kernel!(keccak::permute(&mut states.0, used, &ROUND_CONSTANTS))
    }
}

impl Probe for Rvv {
    /// Every position of a polynomial: how many numbers a register holds is the machine's choice, and no instruction
    /// is given more than a polynomial has.
    const LANES: usize = N;
    const MONTGOMERY: u32 = 16;
    const PRODUCT: i32 = reduce::PRODUCT;

    fn reduced(_most: i32) -> i32 {
        reduce::REDUCED
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

    fn keccaks(self, visitor: &mut impl Keccaks<Self>) {
        visitor.kernel::<1, 1>(self, 1, |states, [rc]| {
            // SAFETY: the token knows whether there is Zbb.
            unsafe { keccak::one_round_x1(states.single(), self.0.zbb(), rc) }
        });
        show::<2>(self, visitor);
        show::<4>(self, visitor);
        show::<8>(self, visitor);
        show::<16>(self, visitor);
    }
}

/// The kernels of this width: plain vectors always, although where there is Zvkb they are not used.
fn show<const W: usize>(backend: Rvv, visitor: &mut impl Keccaks<Rvv>)
where
    Rvv: Keccak<W>,
{
    visitor.kernel::<W, 1>(backend, W, |states, rc: [u64; 1]| {
        kernel!(keccak::permute(&mut states.0, W, &rc));
    });
    if backend.0.zvkb() {
        visitor.kernel::<W, 1>(backend, W, |states, rc: [u64; 1]| {
            // SAFETY: the token knows that there is Zvkb.
            unsafe { keccak::permute_zvkb(&mut states.0, W, &rc) }
        });
    }
}

#[cfg(test)]
mod tests {
    crate::backend::conformance::suite!("rvv", super::Rvv::detect());

    #[test]
    fn entries_get_the_blocks_they_need() {
        use crate::backend::conformance::{present, unlucky_entries};
        let Some(backend) = present("rvv", super::Rvv::detect()) else { return };
        unlucky_entries::<_, 1>(backend);
        unlucky_entries::<_, 2>(backend);
        unlucky_entries::<_, 4>(backend);
        unlucky_entries::<_, 8>(backend);
        unlucky_entries::<_, 16>(backend);
    }
}
