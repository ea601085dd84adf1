//! What lies beneath the contract: the steps that kernels are made of, shown one by one so that a test can run
//! them on all of their inputs. Nothing but tests calls this.

use super::Backend;
use super::poly::{N, NttPoly};
use crate::sponge::fips202::H_BLOCK;
use crate::sponge::{Keccak, States};

/// A backend in the list of its machine: one that is missing there has no [`Probe`], and does not compile.
#[diagnostic::on_unimplemented(
    message = "the `machine!` of this architecture does not list the backend `{Self}`"
)]
pub trait Listed {}

/// The steps of a backend's kernels, on as many numbers as a polynomial has. Each must be the code that the kernels
/// use, on every lane of their registers; that is why no step has a default.
pub trait Probe: Backend + Keccak<1> + Listed {
    /// 16-bit numbers in a register of the arithmetic kernels; 1 where the compiler chooses the registers, [`N`] where
    /// the machine chooses their length.
    const LANES: usize;

    /// The power of two that a product by `montgomery_multiply` lacks: a b 2^-MONTGOMERY (mod q). 16 by Montgomery
    /// multiplication, 0 by Barrett multiplication.
    const MONTGOMERY: u32;

    /// The bound of such a product that the kernels' assertions rest on: any 16-bit number times a centred constant.
    const PRODUCT: i32;

    /// The same for |a| <= `most`, where the assertions make use of that.
    fn product(_most: i32) -> i32 {
        Self::PRODUCT
    }

    /// The bound of `barrett_reduce` that the kernels' assertions rest on, for |a| <= `most`.
    fn reduced(most: i32) -> i32;

    /// Every number times `b` as the kernels multiply by constants, `b` being prepared as these are. |b| <= (q-1)/2.
    fn montgomery_multiply(self, a: &mut [i16; N], b: i16);

    /// Montgomery reduction of sums of products: |a| <= 2^30.
    fn montgomery_reduce(self, a: &[i32; N], r: &mut [i16; N]);

    /// The reduction between layers of the inverse transform.
    fn barrett_reduce(self, a: &mut [i16; N]);

    /// The full reduction.
    fn canonicalise(self, a: &mut [i16; N]);

    /// The steps of the backend's `hash_key`. None if it has no such steps, or this machine lacks what they need.
    fn key_hash(self) -> Option<KeyHash<Self>> {
        None
    }

    /// The same backend without an extension that it uses where there is one. None if the backend knows no such extension, or
    /// this machine lacks it anyway.
    fn plain(self) -> Option<Self> {
        None
    }

    /// Shows every Keccak kernel of the backend to `visitor`.
    fn keccaks(self, visitor: &mut impl Keccaks<Self>);
}

/// The steps of a `hash_key` that samples the matrix beside the end of H.
pub struct KeyHash<B> {
    /// Writes block `b` of slots 1, 2, ... to the elements, one slot to each.
    pub keep_block: fn(B, states: &States<8>, b: usize, entries: &mut [NttPoly<B>]),
    /// Samples elements from the blocks that were kept in them; writes how many coefficients each has, and returns whether
    /// all are full.
    pub sample_kept: fn(B, entries: &mut [NttPoly<B>], filled: &mut [usize]) -> bool,
    /// Does that while slot 0 absorbs `blocks` and `last`, with a permutation after each, and writes the hash to `out`.
    pub finish_and_sample: FinishAndSample<B>,
}

/// The type of [`KeyHash::finish_and_sample`].
pub type FinishAndSample<B> = fn(
    B,
    states: &States<8>,
    blocks: &[[u8; H_BLOCK]],
    last: &[u8; H_BLOCK],
    out: &mut [u8; 32],
    entries: &mut [NttPoly<B>],
    filled: &mut [usize],
) -> bool;

/// Something that can be done with every Keccak kernel of a backend.
pub trait Keccaks<B> {
    /// One kernel: what `backend.permute` runs on the slots `0..used` of `W`. `rounds` is the piece it repeats:
    /// `R` rounds with these constants on the slots `0..used`.
    fn kernel<const W: usize, const R: usize>(
        &mut self,
        backend: B,
        used: usize,
        rounds: impl Fn(&mut States<W>, [u64; R]),
    ) where
        B: Keccak<W>;
}
