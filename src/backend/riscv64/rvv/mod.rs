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
use crate::backend::batch::{self, Blocks, Job, Permute, States};
use crate::backend::poly::{self, Canonical, Lazy, Multiplier, Noise, NttPoly, Poly, Range};
use crate::backend::{Backend, Eta, XOF_BLOCK, caches, rows};

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

/// `kernel!(call)`: a call of a kernel of this backend.
macro_rules! kernel {
    ($call:expr) => {
        // SAFETY: an Rvv exists only after detect found V.
        unsafe { $call }
    };
}

impl Backend for Rvv {
    const NAME: &'static str = "rvv";

    fn hash(self, job: Job<'_, Self>) {
        batch::run::<_, 1>(self, 1, &mut core::iter::once(job));
    }

    fn hash_all<'a>(self, work: usize, jobs: &mut dyn Iterator<Item = Job<'a, Self>>) {
        match self.0.words() {
            2 => batch::run::<_, 2>(self, work, jobs),
            4 => batch::run::<_, 4>(self, work, jobs),
            8 => batch::run::<_, 8>(self, work, jobs),
            _ => batch::run::<_, 16>(self, work, jobs),
        }
    }
}

impl Permute<1> for Rvv {
    fn permute(self, states: &mut States<1>, _used: usize) {
        // SAFETY: the token knows whether there is Zbb.
        unsafe { keccak::permute_x1(states.single(), self.0.zbb()) }
    }
}

/// As many states as a register has words; more are permuted by turns.
macro_rules! permute {
    ($($width:literal)*) => {
        $(
            impl Permute<$width> for Rvv {
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
        let mut state = States(states.0.map(|row| [row[0]]));
        Permute::<1>::permute(backend, &mut state, 1);
        for (row, [lane]) in states.0.iter_mut().zip(state.0) {
            row[0] = lane;
        }
        state.zeroize();
    } else if backend.0.zvkb() {
        // SAFETY: the token knows that there is Zvkb.
        unsafe { keccak::permute_zvkb(&mut states.0, used) }
    } else {
        kernel!(keccak::permute(&mut states.0, used))
    }
}

#[cfg(test)]
mod tests {
    crate::backend::conformance::suite!("rvv", super::Rvv::detect());
}
