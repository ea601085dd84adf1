//! What the processor has and the operating system allows: `core` has no detection, and `std` none for V.
//!
//! Linux is asked in three ways. The system call `riscv_hwprobe` (since 6.4, and since 6.5 for V) knows the
//! extensions that all processors have. It does not know that vectors can be switched off for a process: `prctl`
//! does. If the call does not exist or does not know V, there is the bit of V among the capabilities in the
//! auxiliary vector, which older kernels of some vendors also set for the draft 0.7.1: a setting that the draft lacks
//! tells them apart. Whatever fails to answer, the answer is no.
//!
//! Vectors are switched per thread, but a thread inherits the setting, and what is on stays on. So what holds
//! for the thread that looks first holds for all, unless it has switched vectors on for itself alone.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering};

/// The extensions of this machine, and its vector length if it has vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found(u8);

// The bits of `Found`. Beyond them: log2 of the bytes of a vector register, 0 without vectors.
const LOOKED: u8 = 1;
const ZBB: u8 = 2;
const ZVKB: u8 = 4;
const VLENB: u32 = 3;

impl Found {
    /// Scalar bit manipulation: and-not, rotations.
    #[inline]
    pub(crate) fn zbb(self) -> bool {
        self.0 & ZBB != 0
    }

    /// The vector extension, version 1.0, usable.
    #[inline]
    pub(crate) fn v(self) -> bool {
        self.0 >> VLENB != 0
    }

    /// And-not and rotations of vectors.
    #[inline]
    pub(crate) fn zvkb(self) -> bool {
        self.0 & ZVKB != 0
    }

    /// Words of 64 bits in a vector register.
    #[inline]
    pub(crate) fn words(self) -> usize {
        (1 << (self.0 >> VLENB)) >> 3
    }
}

/// What this machine has. It is asked once.
#[inline]
pub(crate) fn found() -> Found {
    static FOUND: AtomicU8 = AtomicU8::new(0);
    match FOUND.load(Ordering::Relaxed) {
        0 => {
            let found = look();
            FOUND.store(found, Ordering::Relaxed);
            Found(found)
        }
        found => Found(found),
    }
}

#[cold]
fn look() -> u8 {
    let Extensions { v, zbb, zvkb } = extensions();
    let mut found = LOOKED;
    if zbb {
        found |= ZBB;
    }
    if v {
        found |= (vlenb().ilog2() as u8) << VLENB;
        if zvkb {
            found |= ZVKB;
        }
    }
    found
}

struct Extensions {
    v: bool,
    zbb: bool,
    zvkb: bool,
}

/// Bytes of a vector register. To be called only where there is V.
fn vlenb() -> usize {
    let bytes;
    // SAFETY: `v` was found, and so the register is there.
    unsafe { asm!("csrr {}, vlenb", out(reg) bytes, options(nomem, nostack, preserves_flags)) };
    bytes
}

/// Elsewhere, what the compiler was told.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn extensions() -> Extensions {
    Extensions {
        v: cfg!(target_feature = "v"),
        zbb: cfg!(target_feature = "zbb"),
        zvkb: cfg!(target_feature = "zvkb"),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
use linux::extensions;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use super::super::vector;
    use super::Extensions;

    // The key of the extensions beyond the base, and its bits (Linux, asm/hwprobe.h).
    const KEY_IMA_EXT_0: i64 = 4;
    const IMA_V: u64 = 1 << 2;
    const EXT_ZBB: u64 = 1 << 4;
    const EXT_ZVKB: u64 = 1 << 19;

    pub(super) fn extensions() -> Extensions {
        let bits = hwprobe();
        Extensions {
            v: usable(bits, control(), capabilities, is_ratified),
            zbb: bits & EXT_ZBB != 0 || cfg!(target_feature = "zbb"),
            zvkb: bits & EXT_ZVKB != 0,
        }
    }

    /// What all processors have; nothing where the call or the key does not exist.
    fn hwprobe() -> u64 {
        #[repr(C)]
        struct Pair {
            key: i64,
            value: u64,
        }
        let mut pair = Pair { key: KEY_IMA_EXT_0, value: 0 };
        // SAFETY: the kernel writes the one pair that it is told of; no set of processors means all.
        let answer = unsafe { call(258, [&raw mut pair as usize, 1, 0, 0, 0]) };
        // The kernel replaces a key that it does not know by -1.
        if answer == 0 && pair.key == KEY_IMA_EXT_0 { pair.value } else { 0 }
    }

    /// Whether the answers of Linux allow vectors. Only where they are on can `is_ratified` execute anything.
    pub(super) fn usable(
        bits: u64,
        control: isize,
        capabilities: impl FnOnce() -> u64,
        is_ratified: impl FnOnce() -> bool,
    ) -> bool {
        const CURRENT: isize = 3;
        const ON: isize = 2;
        // An error instead of an answer: there is no such switch, so nobody can have used it.
        let on = control < 0 || control & CURRENT == ON;
        on && (bits & IMA_V != 0 || capabilities() & CAPABILITY_V != 0 && is_ratified())
    }

    /// Whether vectors are on in this thread: where they are off they trap, whatever the processor has.
    fn control() -> isize {
        const PR_RISCV_V_GET_CONTROL: usize = 70;
        // SAFETY: this request takes no memory.
        unsafe { call(167, [PR_RISCV_V_GET_CONTROL, 0, 0, 0, 0]) }
    }

    const CAPABILITY_V: u64 = 1 << (b'V' - b'A');

    /// AT_HWCAP of the auxiliary vector; 0 if it cannot be read.
    fn capabilities() -> u64 {
        const AT_FDCWD: usize = -100isize as usize;
        const O_CLOEXEC: usize = 0o2_000_000;
        const AT_HWCAP: u64 = 16;
        let mut pairs = [[0u64; 2]; 64];
        // SAFETY: the path ends in a zero byte.
        let file = unsafe { call(56, [AT_FDCWD, c"/proc/self/auxv".as_ptr() as usize, O_CLOEXEC, 0, 0]) };
        let Ok(file) = usize::try_from(file) else { return 0 };
        // SAFETY: the kernel writes at most the bytes of `pairs`.
        unsafe { call(63, [file, pairs.as_mut_ptr() as usize, size_of_val(&pairs), 0, 0]) };
        // SAFETY: nothing else has this file.
        unsafe { call(57, [file, 0, 0, 0, 0]) };
        pairs.iter().find(|[key, _]| *key == AT_HWCAP).map_or(0, |[_, value]| *value)
    }

    /// Whether V is that of version 1.0: before it, no vector type could leave the tail alone or not
    /// ("agnostic"), and asking for one made the type invalid, which is the sign bit.
    fn is_ratified() -> bool {
        let vtype: isize;
        // SAFETY: both versions have these two instructions; no memory is touched.
        unsafe { vector!("vsetvli {0}, x0, e8, m1, ta, ma", "csrr {0}, vtype"; out(reg) vtype,) };
        vtype >= 0
    }

    /// A system call of Linux.
    ///
    /// # Safety
    ///
    /// As the call has it. It must not change the process beyond the memory it is given.
    unsafe fn call(number: usize, arguments: [usize; 5]) -> isize {
        let [a0, a1, a2, a3, a4] = arguments;
        let answer;
        // SAFETY: a system call preserves every register but a0 and the vectors (none is live in Rust code that
        // is not compiled for V; if it is, they are named here).
        unsafe {
            vector!("ecall";
                in("a7") number, inlateout("a0") a0 => answer, in("a1") a1, in("a2") a2, in("a3") a3, in("a4") a4,)
        };
        answer
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn detection_agrees_with_the_standard_library() {
        // It asks `riscv_hwprobe`, too; it answers no where that does not exist, for V as well.
        let found = super::found();
        if std::arch::is_riscv_feature_detected!("zbb") {
            assert!(found.zbb());
        }
        assert!(!found.v() || (2..=1024).contains(&found.words()));
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn vectors_are_used_only_where_they_are_on() {
        use super::linux::usable;
        let never = || -> bool { panic!("no vector instruction may be executed") };
        let (v, bit) = (1 << 2, 1 << 21);
        let (no_switch, off, on) = (-22, 0b1_0001, 0b1_0010);
        // Known to hwprobe: on, or without a switch.
        assert!(usable(v, on, || bit, never));
        assert!(usable(v, no_switch, || 0, never));
        assert!(!usable(v, off, || bit, never));
        // Unknown to it: the capabilities decide, and whether V is that of 1.0.
        assert!(usable(0, no_switch, || bit, || true));
        assert!(!usable(0, no_switch, || bit, || false));
        assert!(!usable(0, no_switch, || !bit, never));
        assert!(!usable(0, off, || bit, never));
    }
}
