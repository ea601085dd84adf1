//! PSTATE.DIT: while it is set, a processor that has it (FEAT_DIT) promises that the time which loads, stores and the
//! data-processing instructions that Arm lists takes no account of the data.
//!
//! The bit belongs to the thread, and the operating system keeps it for it. A public operation sets it when it has chosen
//! its backend and puts back what it found when it ends, by a panic as well. That is one read and two writes of a
//! register: dozens of cycles at most, and nothing where FEAT_DIT is missing. It is set without a barrier: the
//! architecture asks for none, and what is executed speculatively is not in its promise.

use core::arch::asm;

use super::cpu;

/// DIT, in its register and in PSTATE.
const DIT: u64 = 1 << 24;

/// DIT is set until this is dropped, where there is DIT.
#[must_use]
pub(crate) struct DataIndependentTiming {
    /// The register before; `None` where there is no DIT.
    before: Option<u64>,
}

impl DataIndependentTiming {
    /// Sets DIT.
    #[inline]
    pub(crate) fn begin() -> Self {
        let before = cpu::dit().then(|| {
            let before = read();
            write(DIT);
            before
        });
        Self { before }
    }
}

impl Drop for DataIndependentTiming {
    #[inline]
    fn drop(&mut self) {
        if let Some(before) = self.before {
            write(before);
        }
    }
}

/// The register, by its number: assemblers know its name only if they are told of FEAT_DIT. Only where it was found.
#[inline]
fn read() -> u64 {
    let value;
    // SAFETY: the register is there. No memory is touched, but the compiler may move no access past this.
    unsafe { asm!("mrs {}, s3_3_c4_c2_5", out(reg) value, options(nostack, preserves_flags)) };
    value
}

/// The same to be written.
#[inline]
fn write(value: u64) {
    // SAFETY: as above. Of PSTATE, this bit alone changes.
    unsafe { asm!("msr s3_3_c4_c2_5, {}", in(reg) value, options(nostack, preserves_flags)) };
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::panic;
    use std::println;

    use super::*;
    use crate::backend::Backend;
    use crate::backend::select::{Held, PerBackend, Selected, with_backend, with_held};

    /// Something of each backend that is held.
    struct Empty;
    impl PerBackend for Empty {
        type Of<B: Backend> = ();
        fn empty<B: Backend>() -> Self::Of<B> {}
    }

    /// Whether this machine has DIT, said if it has not.
    fn present() -> bool {
        let present = cpu::dit();
        if !present {
            println!("SKIPPED: this machine has no DIT");
        }
        present
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
        if !present() {
            return;
        }
        for before in [0, DIT] {
            write(before);
            for selected in backends() {
                assert_eq!(with_backend!(selected, _backend => read()), DIT);
                assert_eq!(read(), before);
                let mut held = Held::<Empty>::empty(selected);
                assert_eq!(with_held!(&held, (_backend, _value) => read()), DIT);
                assert_eq!(read(), before);
                assert_eq!(with_held!(&mut held, (_backend, _value) => read()), DIT);
                assert_eq!(read(), before);
            }
        }
        write(0);
    }

    #[test]
    fn a_panic_sets_it_back() {
        if !present() {
            return;
        }
        for before in [0, DIT] {
            for selected in backends() {
                write(before);
                let unwound = panic::catch_unwind(|| {
                    with_backend!(selected, _backend => {
                        assert_eq!(read(), DIT, "set");
                        panic!("on purpose");
                    })
                });
                let message = unwound.expect_err("a panic");
                assert_eq!(message.downcast_ref::<&str>(), Some(&"on purpose"));
                assert_eq!(read(), before);
            }
        }
        write(0);
    }
}
