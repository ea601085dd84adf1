//! What the processor has and the operating system keeps, asked of them directly: `core` has no
//! detection.

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use core::sync::atomic::{AtomicU8, Ordering};

// Leaf 1, ECX.
const OSXSAVE: u32 = 1 << 27;
const AVX: u32 = 1 << 28;
const POPCNT: u32 = 1 << 23;
// Leaf 7, EBX.
const BMI1: u32 = 1 << 3;
const AVX2: u32 = 1 << 5;
const BMI2: u32 = 1 << 8;
const AVX512F: u32 = 1 << 16;
const AVX512DQ: u32 = 1 << 17;
const AVX512BW: u32 = 1 << 30;
const AVX512VL: u32 = 1 << 31;
// XCR0: the register state that survives a context switch.
const SSE_AND_AVX_STATE: u64 = 0b110;
const AVX512_STATE: u64 = 0b1110_0000;

/// AVX2, POPCNT, BMI1 and BMI2, usable.
#[inline]
pub(crate) fn avx2() -> bool {
    found() & FOUND_AVX2 != 0
}

/// The same and AVX-512 F, BW, DQ and VL, usable.
#[inline]
pub(crate) fn avx512() -> bool {
    found() & FOUND_AVX512 != 0
}

// What `found` answers.
const LOOKED: u8 = 1;
const FOUND_AVX2: u8 = 2;
const FOUND_AVX512: u8 = 4;

/// The instruction sets of this machine. It is asked once: CPUID is slow, and under a hypervisor very slow.
#[inline]
fn found() -> u8 {
    static FOUND: AtomicU8 = AtomicU8::new(0);
    match FOUND.load(Ordering::Relaxed) {
        0 => {
            let found = look();
            FOUND.store(found, Ordering::Relaxed);
            found
        }
        found => found,
    }
}

#[cold]
fn look() -> u8 {
    const LEAF_7: u32 = AVX2 | BMI1 | BMI2;
    const LEAF_7_512: u32 = LEAF_7 | AVX512F | AVX512BW | AVX512DQ | AVX512VL;
    LOOKED
        | if usable(LEAF_7, SSE_AND_AVX_STATE) { FOUND_AVX2 } else { 0 }
        | if usable(LEAF_7_512, SSE_AND_AVX_STATE | AVX512_STATE) { FOUND_AVX512 } else { 0 }
}

/// Whether the processor has AVX, POPCNT and these bits of leaf 7, and the operating system keeps
/// this state.
// CPUID became a safe function after the oldest compiler we support.
#[allow(unused_unsafe)]
fn usable(leaf_7: u32, state: u64) -> bool {
    const LEAF_1: u32 = OSXSAVE | AVX | POPCNT;
    // SAFETY: every x86-64 processor has CPUID with leaves 0 and 1.
    let (last_leaf, features) = unsafe { (__cpuid(0).eax, __cpuid(1).ecx) };
    // Beyond its last leaf a processor may answer anything.
    if last_leaf < 7 || features & LEAF_1 != LEAF_1 {
        return false;
    }
    // SAFETY: the processor has leaf 7.
    let extended = unsafe { __cpuid_count(7, 0).ebx };
    // SAFETY: OSXSAVE says that XGETBV is there and the operating system has enabled it.
    let kept = unsafe { xcr0() };
    extended & leaf_7 == leaf_7 && kept & state == state
}

#[target_feature(enable = "xsave")]
fn xcr0() -> u64 {
    // SAFETY: register 0 exists wherever XGETBV does.
    unsafe { _xgetbv(0) }
}

#[cfg(test)]
mod tests {
    use std::is_x86_feature_detected as has;

    #[test]
    fn detection_agrees_with_the_standard_library() {
        let avx2 = has!("avx2") && has!("bmi1") && has!("bmi2") && has!("popcnt");
        let avx512 = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
        assert_eq!(super::avx2(), avx2);
        assert_eq!(super::avx512(), avx2 && avx512);
    }
}
