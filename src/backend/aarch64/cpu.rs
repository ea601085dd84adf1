//! What the processor has, and which it is. A program may not ask it: AArch64 keeps its identification registers
//! from user code, so the operating system is asked, by std and, on Linux, in the way that its documentation of
//! these registers describes.

/// Without std, the build has to say.
macro_rules! has {
    ($feature:tt) => {{
        #[cfg(feature = "std")]
        {
            extern crate std;
            std::arch::is_aarch64_feature_detected!($feature)
        }
        #[cfg(not(feature = "std"))]
        {
            cfg!(target_feature = $feature)
        }
    }};
}

/// The SHA-3 instructions (FEAT_SHA3: EOR3, RAX1, XAR, BCAX).
#[inline]
pub(crate) fn sha3() -> bool {
    has!("sha3")
}

/// Timing that does not depend on data, at request (FEAT_DIT).
#[inline]
pub(crate) fn dit() -> bool {
    has!("dit")
}

/// The register MIDR_EL1: who made the core, in bits 24 to 31, and its number there, in bits 4 to 15. It is that of the
/// core that happens to ask; where cores differ, any of them will do. `None` if the operating system keeps it.
///
/// Reading it traps into the kernel: ask once.
pub(crate) fn midr() -> Option<u64> {
    #[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
    {
        const AT_HWCAP: usize = 16;
        const HWCAP_CPUID: usize = 1 << 11;
        // SAFETY: this is the C library's function, which std has brought.
        unsafe extern "C" {
            safe fn getauxval(key: usize) -> usize;
        }
        if getauxval(AT_HWCAP) & HWCAP_CPUID != 0 {
            let midr;
            // SAFETY: HWCAP_CPUID says that the kernel answers the trap.
            unsafe {
                core::arch::asm!("mrs {}, midr_el1", out(reg) midr,
                    options(nomem, nostack, preserves_flags));
            }
            return Some(midr);
        }
    }
    None
}
