//! What the processor has. A program may not ask it: AArch64 keeps its feature registers from user code, so
//! the operating system is asked, by std.

/// The SHA-3 instructions (FEAT_SHA3: EOR3, RAX1, XAR, BCAX).
#[cfg(feature = "std")]
#[inline]
pub(crate) fn sha3() -> bool {
    extern crate std;
    std::arch::is_aarch64_feature_detected!("sha3")
}

/// The SHA-3 instructions (FEAT_SHA3: EOR3, RAX1, XAR, BCAX). Without std, the build has to say.
#[cfg(not(feature = "std"))]
#[inline]
pub(crate) fn sha3() -> bool {
    cfg!(target_feature = "sha3")
}
