//! Writes past the end of an array, in each way in which the backends write: for `.ci/sanitize`, which fails unless the
//! address sanitizer reports it. Without an argument it stays inside.

use std::env::args;
use std::hint::black_box;

/// 48 bytes, after which the sanitizer puts what must not be touched.
type Array = [u8; 48];

/// A store of 32 bytes.
fn store(array: &mut Array, start: usize) {
    // SAFETY: none if `start` is above 16: that is the fault.
    unsafe { array.as_mut_ptr().add(start).cast::<[u8; 32]>().write([1; 32]) }
}

/// A store of one word of 16, by a mask.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn masked_store(array: &mut Array, word: u32) {
    use std::arch::x86_64::{_mm512_mask_storeu_epi32, _mm512_set1_epi32};
    // SAFETY: none if `word` is above 11: that is the fault.
    unsafe { _mm512_mask_storeu_epi32(array.as_mut_ptr().cast(), 1 << word, _mm512_set1_epi32(1)) }
}

fn main() {
    let mut array = [0; 48];
    let way = args().nth(1).unwrap_or_default();
    store(&mut array, black_box(if way == "store" { 17 } else { 16 }));
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the machine has it.
        unsafe { masked_store(&mut array, black_box(if way == "masked" { 12 } else { 11 })) };
    }
    black_box(array);
}
