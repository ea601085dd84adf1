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
// Leaf 7, ECX.
const AVX512_VBMI2: u32 = 1 << 6;
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

/// Those and AVX-512 VBMI2, usable.
#[inline]
pub(crate) fn vbmi2() -> bool {
    found() & FOUND_VBMI2 != 0
}

/// Whether instructions on 512 bits are known to run on as many pipes as those on 256: a matter of speed only.
#[inline]
pub(crate) fn full_width_512() -> bool {
    found() & FULL_WIDTH_512 != 0
}

/// Whether the processor is one of Intel's: a matter of speed only.
#[inline]
pub(crate) fn intel() -> bool {
    found() & INTEL != 0
}

// What `found` answers.
const LOOKED: u8 = 1;
const FOUND_AVX2: u8 = 2;
const FOUND_AVX512: u8 = 4;
const FOUND_VBMI2: u8 = 8;
const FULL_WIDTH_512: u8 = 16;
const INTEL: u8 = 32;

/// The instruction sets of this machine, and the width. It is asked once: CPUID is slow, and under a hypervisor very slow.
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
        | if usable([LEAF_7, 0], SSE_AND_AVX_STATE) { FOUND_AVX2 } else { 0 }
        | if usable([LEAF_7_512, 0], SSE_AND_AVX_STATE | AVX512_STATE) { FOUND_AVX512 } else { 0 }
        | if usable([LEAF_7_512, AVX512_VBMI2], SSE_AND_AVX_STATE | AVX512_STATE) { FOUND_VBMI2 } else { 0 }
        | if full_width(vendor(), signature()) { FULL_WIDTH_512 } else { 0 }
        | if vendor() == named(b"GenuineIntel") { INTEL } else { 0 }
}

// CPUID became a safe function after the oldest compiler we support.
#[allow(unused_unsafe)]
fn vendor() -> [u32; 3] {
    // SAFETY: every x86-64 processor has CPUID with leaf 0.
    let leaf = unsafe { __cpuid(0) };
    [leaf.ebx, leaf.edx, leaf.ecx]
}

/// The registers of leaf 0 that hold this name.
const fn named(name: &[u8; 12]) -> [u32; 3] {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *name;
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]), u32::from_le_bytes([i, j, k, l])]
}

#[allow(unused_unsafe)]
fn signature() -> u32 {
    // SAFETY: every x86-64 processor has CPUID with leaf 1.
    unsafe { __cpuid(1).eax }
}

/// What is known of a processor by its vendor and its signature, leaf 1, EAX.
///
/// AMD's Zen 5 (family 0x1a) has vector units of 512 bits in servers (models 0x00 to 0x1f) and desktops (0x40 to 0x4f); in
/// most mobile processors it has units of 256, as Zen 4, and Intel's processors have fewer ports for 512 bits than for 256.
/// Others are left out. AMD says in leaf 0x8000001a as well how wide the units are (bit FP512), but hypervisors withhold that.
fn full_width(vendor: [u32; 3], signature: u32) -> bool {
    let family = (signature >> 8 & 0xf) + (signature >> 20 & 0xff);
    let model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);
    vendor == named(b"AuthenticAMD") && family == 0x1a && matches!(model, 0x00..=0x1f | 0x40..=0x4f)
}

/// Whether the processor has AVX, POPCNT and these bits of leaf 7, EBX and ECX, and the operating system keeps
/// this state.
// CPUID became a safe function after the oldest compiler we support.
#[allow(unused_unsafe)]
fn usable(leaf_7: [u32; 2], state: u64) -> bool {
    const LEAF_1: u32 = OSXSAVE | AVX | POPCNT;
    // SAFETY: every x86-64 processor has CPUID with leaves 0 and 1.
    let (last_leaf, features) = unsafe { (__cpuid(0).eax, __cpuid(1).ecx) };
    // Beyond its last leaf a processor may answer anything.
    if last_leaf < 7 || features & LEAF_1 != LEAF_1 {
        return false;
    }
    // SAFETY: the processor has leaf 7.
    let extended = unsafe { __cpuid_count(7, 0) };
    // SAFETY: OSXSAVE says that XGETBV is there and the operating system has enabled it.
    let kept = unsafe { xcr0() };
    extended.ebx & leaf_7[0] == leaf_7[0] && extended.ecx & leaf_7[1] == leaf_7[1] && kept & state == state
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
    fn processors_are_told_apart() {
        let (amd, intel) = (super::named(b"AuthenticAMD"), super::named(b"GenuineIntel"));
        assert_eq!(amd, [0x6874_7541, 0x6974_6e65, 0x444d_4163]);
        assert!(super::full_width(amd, 0x00b0_0f21)); // EPYC 9005
        assert!(super::full_width(amd, 0x00b4_0f40)); // Ryzen 9000
        assert!(!super::full_width(amd, 0x00b2_0f40)); // Ryzen AI 300
        assert!(!super::full_width(amd, 0x00a1_0f11)); // EPYC 9004: Zen 4
        assert!(!super::full_width(intel, 0x000c_06f2)); // Xeon of the fifth generation
        assert!(!super::full_width(intel, 0x00b0_0f21));
        assert_eq!(super::full_width_512(), super::full_width(super::vendor(), super::signature()));
        assert_eq!(super::intel(), super::vendor() == intel);
    }

    #[test]
    fn detection_agrees_with_the_standard_library() {
        let avx2 = has!("avx2") && has!("bmi1") && has!("bmi2") && has!("popcnt");
        let avx512 = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
        assert_eq!(super::avx2(), avx2);
        assert_eq!(super::avx512(), avx2 && avx512);
        assert_eq!(super::vbmi2(), avx2 && avx512 && has!("avx512vbmi2"));
    }
}
