//! The registers at the end of an operation: kernels leave in them what they last worked on, and nobody else clears them. What
//! calls the library would find it there, or write it to memory when it saves them.

use core::arch::asm;

use super::{cpu, vector};

/// Clears those that calling conventions let a function change: the general ones, and those of vectors where there are any. Floating-point registers nobody uses.
#[inline(never)]
pub(crate) fn clear() {
    if cpu::found().v() {
        // SAFETY: the machine has V. No memory is touched.
        unsafe {
            vector!(
                "vsetvli t0, zero, e8, m8, ta, ma",
                "vmv.v.i v0, 0", "vmv.v.i v8, 0", "vmv.v.i v16, 0", "vmv.v.i v24, 0";
                out("t0") _,
            );
        }
    }
    // SAFETY: the instructions write these registers only.
    unsafe {
        asm!(
            "li t0, 0", "li t1, 0", "li t2, 0", "li t3, 0", "li t4, 0", "li t5, 0", "li t6, 0", "li a0, 0",
            "li a1, 0", "li a2, 0", "li a3, 0", "li a4, 0", "li a5, 0", "li a6, 0", "li a7, 0",
            out("t0") _, out("t1") _, out("t2") _, out("t3") _, out("t4") _, out("t5") _, out("t6") _,
            out("a0") _, out("a1") _, out("a2") _, out("a3") _, out("a4") _, out("a5") _, out("a6") _,
            out("a7") _,
            options(nomem, nostack, preserves_flags)
        );
    }
}
