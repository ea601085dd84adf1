//! RISC-V: vectors of any length by inline assembly, and Keccak with scalar bit manipulation.
//!
//! Stable Rust has neither vector types nor vector intrinsics for this architecture. What the kernels rely on
//! in their place is settled here once; their `SAFETY` comments say only which memory a block touches.
//!
//! - **Instructions.** Each block switches the assembler to V by `.option arch, +v` between `.option push` and
//!   `.option pop`: what follows is assembled as before, and the compiler never emits a vector instruction of its
//!   own on our account. The kernels are `unsafe fn`: their callers hold a token, and so the machine has V (TOKEN
//!   in `SOUNDNESS.md`).
//! - **Registers.** The compiler knows the vector registers by name, as clobbers only: `out("v0") _` to
//!   `out("v31") _`. `vector!` names all of them, whichever a block uses. No value is passed from block to block
//!   in a vector register. General registers are operands, chosen by the compiler. No block touches `sp`, `gp`,
//!   `tp` or floating-point state.
//! - **Vector state.** `vl`, `vtype`, `vxrm` and `vxsat` are not preserved across calls by the ABI, and Rust takes
//!   them as overwritten by every block without `preserves_flags`. So each block sets `vl` and `vtype` before it uses
//!   them, none uses `vxrm` or `vxsat`, and `vstart`, which is zero at every call, is zero again after every
//!   instruction that does not trap.
//! - **Memory.** No block has `nomem` or `readonly`, so the compiler has written what a block may read and reads
//!   again what it may have written. All addresses come from references of fixed-size arrays; the loops count
//!   elements with `vl`, which is never more than what `vsetvli` is asked for. Uninitialised memory is written before
//!   it is read.
//! - **Alignment.** A vector access needs the alignment of its elements. Words of 16 and 64 bits are read from arrays
//!   of such words; packed bytes only ever as bytes.
//! - **Stack and control.** No block pushes, calls, returns or jumps out of itself: hence `nostack`; labels are local
//!   numbers.
//! - **Vector length.** Every loop takes as many elements as `vsetvli` grants: any VLEN from 128 bits, the least V
//!   allows. Where a block works on whole registers beyond `vl` (a group of registers as one, to save instructions),
//!   the surplus is neither stored nor added to anything that is.
//! - **Constant time.** Secrets meet only instructions which Zvkt promises to be independent of their data: add,
//!   subtract, logic, shifts and slides by fixed amounts, multiply, multiply-add, extend, narrow, compare, copy; and
//!   loads and stores at addresses that do not depend on them. Its promise excludes the mask register, so no
//!   instruction that touches secrets is masked, and `v0` never steers by one. It excludes rounding and saturating
//!   arithmetic, minima, reductions and `vcompress`: these are not used, except `vcompress` and `vcpop` on the public
//!   candidates of rejection sampling.

mod cpu;
pub(crate) mod registers;
pub mod rvv;
pub mod zbb;

/// The backends of this machine, for the list in `select.rs`, the slowest first; after each operation on secrets
/// registers are cleared.
macro_rules! machine {
    ($backends:ident, $d:tt) => {
        $backends! {
            $d {} { crate::backend::riscv64::registers::clear() }
            /// RISC-V with Zbb.
            "zbb" => Zbb(crate::backend::riscv64::zbb::Zbb),
            /// RISC-V with V.
            "rvv" => Rvv(crate::backend::riscv64::rvv::Rvv),
        }
    };
}

/// `vector!("line", ...; operands)`: inline assembly with the vector extension; see the page above.
macro_rules! vector {
    ($($line:expr),* $(,)?; $($operand:tt)*) => {
        core::arch::asm!(
            ".option push",
            ".option arch, +v",
            $($line,)*
            ".option pop",
            $($operand)*
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nostack),
        )
    };
}
pub(crate) use vector;
