//! The registers at the end of an operation: kernels leave in them what they last worked on, and nobody else clears them. What
//! calls the library would find it there, or write it to memory when it saves them.

use core::arch::asm;

/// Clears those that calling conventions let a function change: of v8 to v15 the upper halves, whose lower ones belong to the caller, and the compiler restores these.
#[inline(never)]
pub(crate) fn clear() {
    // SAFETY: this target has NEON. The instructions write registers only.
    unsafe {
        asm!(
            "movi v0.2d, #0", "movi v1.2d, #0", "movi v2.2d, #0", "movi v3.2d, #0", "movi v4.2d, #0",
            "movi v5.2d, #0", "movi v6.2d, #0", "movi v7.2d, #0", "movi v8.2d, #0", "movi v9.2d, #0",
            "movi v10.2d, #0", "movi v11.2d, #0", "movi v12.2d, #0", "movi v13.2d, #0", "movi v14.2d, #0",
            "movi v15.2d, #0", "movi v16.2d, #0", "movi v17.2d, #0", "movi v18.2d, #0", "movi v19.2d, #0",
            "movi v20.2d, #0", "movi v21.2d, #0", "movi v22.2d, #0", "movi v23.2d, #0", "movi v24.2d, #0",
            "movi v25.2d, #0", "movi v26.2d, #0", "movi v27.2d, #0", "movi v28.2d, #0", "movi v29.2d, #0",
            "movi v30.2d, #0", "movi v31.2d, #0", "mov x0, #0", "mov x1, #0", "mov x2, #0", "mov x3, #0",
            "mov x4, #0", "mov x5, #0", "mov x6, #0", "mov x7, #0", "mov x8, #0", "mov x9, #0",
            "mov x10, #0", "mov x11, #0", "mov x12, #0", "mov x13, #0", "mov x14, #0", "mov x15, #0",
            "mov x16, #0", "mov x17, #0",
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _, out("v6") _,
            out("v7") _, out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v12") _, out("v13") _,
            out("v14") _, out("v15") _, out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _, out("v24") _, out("v25") _,
            out("v26") _, out("v27") _, out("v28") _, out("v29") _, out("v30") _, out("v31") _, out("x0") _,
            out("x1") _, out("x2") _, out("x3") _, out("x4") _, out("x5") _, out("x6") _, out("x7") _,
            out("x8") _, out("x9") _, out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x14") _,
            out("x15") _, out("x16") _, out("x17") _,
            options(nomem, nostack, preserves_flags)
        );
    }
}
