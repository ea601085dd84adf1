//! What the processor has. A program may not ask it: AArch64 keeps its feature registers from user code, so
//! the operating system is asked, by std.

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

/// The scalable vectors (FEAT_SVE).
#[inline]
pub(crate) fn sve() -> bool {
    has!("sve")
}
