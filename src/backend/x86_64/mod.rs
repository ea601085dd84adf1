//! x86-64: which instruction sets the machine has, the loads and stores its kernels are written with, and the registers after
//! an operation.

pub mod avx2;
pub mod avx512;
mod cpu;
mod orders;
pub(crate) mod registers;

use core::arch::x86_64::*;

/// The backends of this machine, for the list in `select.rs`, the slowest first; after each operation on secrets
/// registers are cleared.
macro_rules! machine {
    ($backends:ident, $d:tt) => {
        $backends! {
            $d {} { crate::backend::x86_64::registers::clear() }
            /// x86-64 with AVX2.
            "avx2" => Avx2(crate::backend::x86_64::avx2::Avx2),
            /// x86-64 with AVX-512 F, BW, VL and DQ.
            "avx512" => Avx512(crate::backend::x86_64::avx512::Avx512),
        }
    };
}

/// Types of which an array may be seen as a vector: no padding, every bit pattern valid.
pub(crate) trait Lane: Copy {}
impl Lane for i8 {}
impl Lane for u8 {}
impl Lane for i16 {}
impl Lane for i32 {}
impl Lane for i64 {}
impl Lane for u64 {}
impl Lane for [u8; 8] {}

/// Loads 32 bytes.
#[inline]
#[target_feature(enable = "avx")]
pub(crate) fn load<T: Lane, const L: usize>(a: &[T; L]) -> __m256i {
    const { assert!(size_of::<[T; L]>() == 32) };
    // SAFETY: `a` is 32 readable bytes.
    unsafe { _mm256_loadu_si256(a.as_ptr().cast()) }
}

/// Stores 32 bytes.
#[inline]
#[target_feature(enable = "avx")]
pub(crate) fn store<T: Lane, const L: usize>(a: &mut [T; L], v: __m256i) {
    const { assert!(size_of::<[T; L]>() == 32) };
    // SAFETY: `a` is 32 writable bytes.
    unsafe { _mm256_storeu_si256(a.as_mut_ptr().cast(), v) }
}

/// Loads 16 bytes.
#[inline]
#[target_feature(enable = "avx")]
pub(crate) fn load_half<T: Lane, const L: usize>(a: &[T; L]) -> __m128i {
    const { assert!(size_of::<[T; L]>() == 16) };
    // SAFETY: `a` is 16 readable bytes.
    unsafe { _mm_loadu_si128(a.as_ptr().cast()) }
}

/// Loads 16 bytes into each half.
#[inline]
#[target_feature(enable = "avx")]
pub(crate) fn load_pair<T: Lane, const L: usize>(low: &[T; L], high: &[T; L]) -> __m256i {
    _mm256_set_m128i(load_half(high), load_half(low))
}

/// Stores 16 bytes.
#[inline]
#[target_feature(enable = "avx")]
pub(crate) fn store_half<T: Lane, const L: usize>(a: &mut [T; L], v: __m128i) {
    const { assert!(size_of::<[T; L]>() == 16) };
    // SAFETY: `a` is 16 writable bytes.
    unsafe { _mm_storeu_si128(a.as_mut_ptr().cast(), v) }
}

/// The address, in the width of a register: some targets of this architecture have shorter pointers, and leave what is above
/// them undefined.
#[inline]
pub(crate) fn address<T>(pointer: *mut T) -> u64 {
    pointer.expose_provenance() as u64
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
