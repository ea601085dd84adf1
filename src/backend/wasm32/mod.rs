//! WebAssembly with 128-bit vectors, and the loads and stores its kernels are written with.
//!
//! A module is checked as a whole before it runs, so nothing can be asked for at run time: the target feature `simd128`
//! decides. With it every function of the program may use vectors, and the intrinsics are safe.
//!
//! Registers are the engine's own, and no instruction reaches them: there are none to clear after an operation.

pub mod simd128;

use core::arch::wasm32::*;

/// The backends of this machine, for the list in `select.rs`.
macro_rules! machine {
    ($backends:ident, $d:tt) => {
        $backends! {
            $d {} {}
            /// WebAssembly with 128-bit vectors.
            "simd128" => Simd128(crate::backend::wasm32::simd128::Simd128),
        }
    };
}

/// Loads eight coefficients.
#[inline(always)]
pub(crate) fn load(a: &[i16; 8]) -> v128 {
    // SAFETY: `a` is 16 readable bytes; the load is unaligned.
    unsafe { v128_load(a.as_ptr().cast()) }
}

/// Stores eight coefficients.
#[inline(always)]
pub(crate) fn store(a: &mut [i16; 8], v: v128) {
    // SAFETY: `a` is 16 writable bytes; the store is unaligned.
    unsafe { v128_store(a.as_mut_ptr().cast(), v) }
}

/// Loads 16 bytes.
#[inline(always)]
pub(crate) fn load_bytes(b: &[u8; 16]) -> v128 {
    // SAFETY: `b` is 16 readable bytes; the load is unaligned.
    unsafe { v128_load(b.as_ptr().cast()) }
}

/// Stores 16 bytes.
#[inline(always)]
pub(crate) fn store_bytes(b: &mut [u8; 16], v: v128) {
    // SAFETY: `b` is 16 writable bytes; the store is unaligned.
    unsafe { v128_store(b.as_mut_ptr().cast(), v) }
}

/// Loads two words.
#[inline(always)]
pub(crate) fn load_words(row: &[u64; 2]) -> v128 {
    // SAFETY: `row` is 16 readable bytes; the load is unaligned.
    unsafe { v128_load(row.as_ptr().cast()) }
}

/// Stores two words.
#[inline(always)]
pub(crate) fn store_words(row: &mut [u64; 2], v: v128) {
    // SAFETY: `row` is 16 writable bytes; the store is unaligned.
    unsafe { v128_store(row.as_mut_ptr().cast(), v) }
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
