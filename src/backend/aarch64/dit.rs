//! PSTATE.DIT: while it is set, a processor that has it (FEAT_DIT) promises that the time which loads, stores and the
//! data-processing instructions that Arm lists takes no account of the data.
//!
//! The bit belongs to the thread, and the operating system keeps it for it. A public operation sets it when it has chosen
//! its backend and puts back what it found when it ends, by a panic as well. That is one read and two writes of a
//! register, and nothing where FEAT_DIT is missing. It is set without a barrier: the architecture asks for none, and what
//! is executed speculatively is not in its promise. The compiler moves no memory access out of the operation; arithmetic
//! on values that are in registers it could move, at the edges.

use core::arch::asm;

use super::cpu;

/// DIT, in its register and in PSTATE.
const DIT: u64 = 1 << 24;

/// Proof that this machine has FEAT_DIT, and so its register.
#[derive(Clone, Copy)]
struct Dit(());

impl Dit {
    #[inline]
    fn detect() -> Option<Self> {
        cpu::dit().then_some(Self(()))
    }

    /// The register, by its number: assemblers know its name only if they are told of FEAT_DIT.
    #[inline]
    fn read(self) -> u64 {
        let value;
        // SAFETY: a Dit exists only where the register does. No memory is touched, but accesses stay on their side.
        unsafe { asm!("mrs {}, s3_3_c4_c2_5", out(reg) value, options(nostack, preserves_flags)) };
        value
    }

    #[inline]
    fn write(self, value: u64) {
        // SAFETY: a Dit exists only where the register does. Of PSTATE, this bit alone changes.
        unsafe { asm!("msr s3_3_c4_c2_5, {}", in(reg) value, options(nostack, preserves_flags)) };
    }
}

/// DIT is set until this is dropped, where there is DIT.
#[must_use]
pub(crate) struct DataIndependentTiming {
    /// Where there is DIT, the register before.
    before: Option<(Dit, u64)>,
}

impl DataIndependentTiming {
    /// Sets DIT.
    #[inline]
    pub(crate) fn begin() -> Self {
        let before = Dit::detect().map(|dit| {
            let before = dit.read();
            dit.write(DIT);
            (dit, before)
        });
        Self { before }
    }
}

impl Drop for DataIndependentTiming {
    #[inline]
    fn drop(&mut self) {
        if let Some((dit, before)) = self.before {
            dit.write(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::marker::PhantomData;
    use std::panic;
    use std::println;

    use super::*;
    use crate::backend::Backend;
    use crate::backend::select::{Held, PerBackend, Selected, empty, with_backend, with_held};

    /// Something of each backend that is held.
    struct Empty;
    impl PerBackend for Empty {
        type Of<B: Backend> = PhantomData<B>;
        fn empty<B: Backend>() -> Self::Of<B> {
            PhantomData
        }
    }

    struct Kept {
        #[allow(dead_code)] // as prepared keys have one
        key: (),
        held: Held<Empty>,
    }

    impl Kept {
        fn empty(selected: Selected) -> Self {
            empty!(selected, Empty, ())
        }
    }

    /// Says so if this machine has no DIT.
    fn present() -> Option<Dit> {
        let dit = Dit::detect();
        if dit.is_none() {
            println!("SKIPPED: this machine has no DIT");
        }
        dit
    }

    fn backends() -> impl Iterator<Item = Selected> {
        Selected::names().filter_map(Selected::by_name)
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn it_is_not_found_where_it_is_not() {
        if cpu::midr().is_none() {
            println!("SKIPPED: the identification registers are hidden");
            return;
        }
        let features: u64;
        // SAFETY: where the kernel shows MIDR_EL1, it shows ID_AA64PFR0_EL1.
        unsafe { asm!("mrs {}, id_aa64pfr0_el1", out(reg) features, options(nomem, nostack)) };
        // Its field DIT is in bits 48 to 51.
        assert!(!cpu::dit() || features >> 48 & 0xf != 0);
    }

    #[test]
    fn operations_set_it_and_set_it_back() {
        let Some(dit) = present() else { return };
        for before in [0, DIT] {
            dit.write(before);
            for selected in backends() {
                assert_eq!(with_backend!(selected, _backend => dit.read()), DIT);
                assert_eq!(dit.read(), before);
                let mut kept = Kept::empty(selected);
                assert_eq!(with_held!(&kept.held, (_backend, _value) => dit.read()), DIT);
                assert_eq!(dit.read(), before);
                assert_eq!(with_held!(&mut kept.held, (_backend, _value) => dit.read()), DIT);
                assert_eq!(dit.read(), before);
            }
        }
        dit.write(0);
    }

    #[test]
    fn a_panic_sets_it_back() {
        let Some(dit) = present() else { return };
        for before in [0, DIT] {
            for selected in backends() {
                dit.write(before);
                let unwound = panic::catch_unwind(|| {
                    with_backend!(selected, _backend => {
                        assert_eq!(dit.read(), DIT, "set");
                        panic!("on purpose");
                    })
                });
                let message = unwound.expect_err("a panic");
                assert_eq!(message.downcast_ref::<&str>(), Some(&"on purpose"));
                assert_eq!(dit.read(), before);
            }
        }
        dit.write(0);
    }
}
