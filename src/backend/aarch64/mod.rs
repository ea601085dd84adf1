//! AArch64, little endian with NEON: which instruction sets the machine has, and the loads and stores its
//! kernels are written with.
//!
//! NEON is part of every such target but the soft-float ones, which fall to the portable backend; so does big
//! endian, whose vectors number their lanes the other way.
//!
//! Where there is FEAT_DIT, every operation of the library runs with PSTATE.DIT set (`dit.rs`).

mod cpu;
pub(crate) mod dit;
pub mod neon;
pub(crate) mod registers;
mod rounds;
pub mod sha3;

use core::arch::aarch64::*;

/// The backends of this machine, for the list in `select.rs`, the slowest first; each operation runs with PSTATE.DIT set, and after
/// one on secrets registers are cleared.
macro_rules! machine {
    ($backends:ident, $d:tt) => {
        $backends! {
            $d
            { crate::backend::aarch64::dit::DataIndependentTiming::begin() }
            { crate::backend::aarch64::registers::clear() }
            /// AArch64 with NEON.
            "neon" => Neon(crate::backend::aarch64::neon::Neon),
            /// AArch64 with NEON and the SHA-3 instructions.
            "neon-sha3" => NeonSha3(crate::backend::aarch64::sha3::NeonSha3),
        }
    };
}

/// Loads eight coefficients.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn load(a: &[i16; 8]) -> int16x8_t {
    // SAFETY: `a` is 16 readable bytes.
    unsafe { vld1q_s16(a.as_ptr()) }
}

/// Stores eight coefficients.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn store(a: &mut [i16; 8], v: int16x8_t) {
    // SAFETY: `a` is 16 writable bytes.
    unsafe { vst1q_s16(a.as_mut_ptr(), v) }
}

/// Loads 16 bytes.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn load_bytes(b: &[u8; 16]) -> uint8x16_t {
    // SAFETY: `b` is 16 readable bytes.
    unsafe { vld1q_u8(b.as_ptr()) }
}

/// Stores 16 bytes.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn store_bytes(b: &mut [u8; 16], v: uint8x16_t) {
    // SAFETY: `b` is 16 writable bytes.
    unsafe { vst1q_u8(b.as_mut_ptr(), v) }
}

/// Stores eight bytes.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn store_half(b: &mut [u8; 8], v: uint8x8_t) {
    // SAFETY: `b` is 8 writable bytes.
    unsafe { vst1_u8(b.as_mut_ptr(), v) }
}

/// The `L` numbers of `a` from index `i` on.
#[inline(always)]
pub(crate) fn at<T, const L: usize>(a: &[T], i: usize) -> &[T; L] {
    match a[i..].first_chunk() {
        Some(chunk) => chunk,
        None => unreachable!(),
    }
}

/// The `L` numbers of `a` from index `i` on, to be written.
#[inline(always)]
pub(crate) fn at_mut<T, const L: usize>(a: &mut [T], i: usize) -> &mut [T; L] {
    match a[i..].first_chunk_mut() {
        Some(chunk) => chunk,
        None => unreachable!(),
    }
}
