//! What is in the registers, as bytes.

use std::collections::HashSet;

#[cfg(any(target_arch = "x86_64", target_arch = "riscv64"))]
use kemstone::backend::select::Selected;

/// Room for 32 vector registers of up to 1024 bits, and for general ones behind them.
#[repr(C, align(64))]
pub(crate) struct Registers {
    vectors: [u8; 32 * 128],
    general: [u64; 32],
}

impl Registers {
    pub(crate) const EMPTY: Self = Self { vectors: [0; 32 * 128], general: [0; 32] };

    /// Reads them: all vector registers that the machine is known to have, and the general ones that a function may change.
    #[inline(never)]
    pub(crate) fn read(&mut self) {
        #[cfg(target_arch = "x86_64")]
        self.read_x86_64();
        #[cfg(target_arch = "aarch64")]
        self.read_aarch64();
        #[cfg(target_arch = "riscv64")]
        self.read_riscv64();
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn read_x86_64(&mut self) {
        let vectors = self.vectors.as_mut_ptr();
        // SAFETY: 72 bytes of `general` are written, and of `vectors` what the machine's registers take, at most 2048 bytes; it
        // has those that its backend needs.
        unsafe {
            core::arch::asm!(
                "mov [{0}], rax", "mov [{0} + 8], rcx", "mov [{0} + 16], rdx", "mov [{0} + 24], rsi", "mov [{0} + 32], rdi",
                "mov [{0} + 40], r8", "mov [{0} + 48], r9", "mov [{0} + 56], r10", "mov [{0} + 64], r11",
                in(reg) self.general.as_mut_ptr(), options(nostack, preserves_flags)
            );
            macro_rules! store {
                ($instruction:literal, $register:literal, $($i:literal)+) => {
                    core::arch::asm!(
                        $(concat!($instruction, " [{0} + ", $i, " * 64], ", $register, $i),)+
                        in(reg) vectors, options(nostack, preserves_flags)
                    )
                };
            }
            if Selected::by_name("avx512").is_some() {
                store!("vmovdqu64", "zmm", 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
                store!("vmovdqu64", "zmm", 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
            } else if Selected::by_name("avx2").is_some() {
                store!("vmovdqu", "ymm", 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            } else {
                store!("movdqu", "xmm", 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            }
        }
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn read_aarch64(&mut self) {
        // SAFETY: 144 bytes of `general` and 512 of `vectors` are written.
        unsafe {
            macro_rules! store {
                ($register:literal, $size:literal, $to:expr, $($i:literal)+) => {
                    core::arch::asm!(
                        $(concat!("str ", $register, $i, ", [{0}, #", $i, " * ", $size, "]"),)+
                        in(reg) $to, options(nostack, preserves_flags)
                    )
                };
            }
            store!("x", 8, self.general.as_mut_ptr(), 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17);
            store!("q", 16, self.vectors.as_mut_ptr(), 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            store!("q", 16, self.vectors.as_mut_ptr(), 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
        }
    }

    #[cfg(target_arch = "riscv64")]
    #[inline(always)]
    fn read_riscv64(&mut self) {
        let vectors = self.vectors.as_mut_ptr();
        // SAFETY: 120 bytes of `general` are written, and of `vectors` 32 registers, of up to 1024 bits on the machines in question.
        unsafe {
            core::arch::asm!(
                "sd t0, 0({0})", "sd t1, 8({0})", "sd t2, 16({0})", "sd t3, 24({0})", "sd t4, 32({0})", "sd t5, 40({0})",
                "sd t6, 48({0})", "sd a0, 56({0})", "sd a1, 64({0})", "sd a2, 72({0})", "sd a3, 80({0})", "sd a4, 88({0})",
                "sd a5, 96({0})", "sd a6, 104({0})", "sd a7, 112({0})",
                in(reg) self.general.as_mut_ptr(), options(nostack)
            );
            if Selected::by_name("rvv").is_some() {
                core::arch::asm!(
                    ".option push", ".option arch, +v",
                    "csrr {1}, vlenb", "slli {1}, {1}, 3",
                    "vs8r.v v0, ({0})", "add {0}, {0}, {1}", "vs8r.v v8, ({0})", "add {0}, {0}, {1}",
                    "vs8r.v v16, ({0})", "add {0}, {0}, {1}", "vs8r.v v24, ({0})",
                    ".option pop",
                    inout(reg) vectors => _, out(reg) _, options(nostack)
                );
            }
        }
    }

    /// The first of these pieces that is somewhere in a register or across neighbours, by its number.
    pub(crate) fn find(&self, pieces: &[Vec<u8>]) -> Option<usize> {
        let general: Vec<u8> = self.general.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let places: [&[u8]; 2] = [&self.vectors, &general];
        let beginnings: HashSet<&[u8]> = places.iter().flat_map(|bytes| bytes.windows(8)).collect();
        let there = |piece: &[u8]| places.iter().any(|bytes| bytes.windows(piece.len()).any(|w| w == piece));
        pieces.iter().position(|piece| beginnings.contains(&piece[..8]) && there(piece))
    }
}
