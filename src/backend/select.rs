//! Which backend runs: detection in order of speed, remembered after the first call.

use core::sync::atomic::{AtomicU8, Ordering};

use super::Backend;
#[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
use super::aarch64::{neon::Neon, sha3::NeonSha3};
use super::portable::Portable;
use super::probe::Probe;
#[cfg(target_arch = "riscv64")]
use super::riscv64::{rvv::Rvv, zbb::Zbb};
#[cfg(target_arch = "x86_64")]
use super::x86_64::{avx2::Avx2, avx512::Avx512};

/// A backend that this machine has, chosen at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// Portable Rust.
    Portable(Portable),
    /// x86-64 with AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// x86-64 with AVX-512 F, BW, VL and DQ.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// RISC-V with Zbb.
    #[cfg(target_arch = "riscv64")]
    Zbb(Zbb),
    /// RISC-V with V.
    #[cfg(target_arch = "riscv64")]
    Rvv(Rvv),
    /// AArch64 with NEON.
    #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
    Neon(Neon),
    /// AArch64 with NEON and the SHA-3 instructions.
    #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
    NeonSha3(NeonSha3),
}

/// Looks for a backend. `None`: the machine lacks it.
type Detect = fn() -> Option<Selected>;

/// Every backend of this architecture by name, the slowest first.
const DETECT: &[(&str, Detect)] = &[
    (Portable::NAME, || Some(Selected::Portable(Portable))),
    #[cfg(target_arch = "x86_64")]
    (Avx2::NAME, || Avx2::detect().map(Selected::Avx2)),
    #[cfg(target_arch = "x86_64")]
    (Avx512::NAME, || Avx512::detect().map(Selected::Avx512)),
    #[cfg(target_arch = "riscv64")]
    (Zbb::NAME, || Zbb::detect().map(Selected::Zbb)),
    #[cfg(target_arch = "riscv64")]
    (Rvv::NAME, || Rvv::detect().map(Selected::Rvv)),
    #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
    (Neon::NAME, || Neon::detect().map(Selected::Neon)),
    #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
    (NeonSha3::NAME, || NeonSha3::detect().map(Selected::NeonSha3)),
];

/// The backend that this build is bound to, by `--cfg kemstone_backend="..."`.
const FORCED: Option<&str> = if cfg!(kemstone_backend = "portable") {
    Some("portable")
} else if cfg!(kemstone_backend = "avx2") {
    Some("avx2")
} else if cfg!(kemstone_backend = "avx512") {
    Some("avx512")
} else if cfg!(kemstone_backend = "zbb") {
    Some("zbb")
} else if cfg!(kemstone_backend = "rvv") {
    Some("rvv")
} else if cfg!(kemstone_backend = "neon") {
    Some("neon")
} else if cfg!(kemstone_backend = "neon-sha3") {
    Some("neon-sha3")
} else {
    None
};

impl Selected {
    /// The fastest backend of this machine, or the one forced by `--cfg kemstone_backend="..."`
    /// if the machine has that.
    #[inline]
    pub fn best() -> Self {
        #[cfg(all(feature = "internals", feature = "std"))]
        if let Some(forced) = over::current() {
            return forced;
        }
        // One more than the index of the choice; 0 before the first call.
        static CHOICE: AtomicU8 = AtomicU8::new(0);
        let remembered = CHOICE.load(Ordering::Relaxed);
        if let Some((_, detect)) = DETECT.get((remembered as usize).wrapping_sub(1))
            && let Some(selected) = detect()
        {
            return selected;
        }
        let (index, selected) = Self::detect(FORCED);
        CHOICE.store(index as u8 + 1, Ordering::Relaxed);
        selected
    }

    #[cold]
    fn detect(forced: Option<&str>) -> (usize, Self) {
        let allowed = |name: &str| forced.is_none_or(|forced| name == forced);
        DETECT
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, (name, _))| allowed(name))
            .find_map(|(index, (_, detect))| detect().map(|selected| (index, selected)))
            .unwrap_or((0, Selected::Portable(Portable)))
    }

    /// The backend of this name, if this build knows it and this machine has it.
    pub fn by_name(name: &str) -> Option<Self> {
        DETECT.iter().find(|(known, _)| *known == name).and_then(|(_, detect)| detect())
    }

    /// The names this build knows, present or not, the slowest first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        DETECT.iter().map(|(name, _)| *name)
    }

    /// Calls `visitor` with the token of the backend, for code that is generic over backends.
    pub fn visit<V: Visitor>(self, visitor: V) -> V::Output {
        with_backend!(self, backend => visitor.visit(backend))
    }

    /// The name of the backend.
    pub fn name(self) -> &'static str {
        with_backend!(self, backend => name_of(backend))
    }
}

/// Something that can be done with any backend: a closure over a type, for tests and benchmarks.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it with one backend.
    fn visit<B: Probe>(self, backend: B) -> Self::Output;
}

/// A type that each backend has its own of.
pub(crate) trait PerBackend {
    /// The backend's own.
    type Of<B: Backend>;

    /// One of them, empty.
    fn empty<B: Backend>() -> Self::Of<B>;
}

/// What one backend made, whichever it was, with the token to use it.
pub(crate) enum Held<P: PerBackend> {
    Portable(Portable, P::Of<Portable>),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2, P::Of<Avx2>),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512, P::Of<Avx512>),
    #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
    Neon(Neon, P::Of<Neon>),
    #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
    NeonSha3(NeonSha3, P::Of<NeonSha3>),
    #[cfg(target_arch = "riscv64")]
    Zbb(Zbb, P::Of<Zbb>),
    #[cfg(target_arch = "riscv64")]
    Rvv(Rvv, P::Of<Rvv>),
}

impl<P: PerBackend> Held<P> {
    /// An empty one for the selected backend.
    pub(crate) fn empty(selected: Selected) -> Self {
        match selected {
            Selected::Portable(backend) => Self::Portable(backend, P::empty()),
            #[cfg(target_arch = "x86_64")]
            Selected::Avx2(backend) => Self::Avx2(backend, P::empty()),
            #[cfg(target_arch = "x86_64")]
            Selected::Avx512(backend) => Self::Avx512(backend, P::empty()),
            #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
            Selected::Neon(backend) => Self::Neon(backend, P::empty()),
            #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
            Selected::NeonSha3(backend) => Self::NeonSha3(backend, P::empty()),
            #[cfg(target_arch = "riscv64")]
            Selected::Zbb(backend) => Self::Zbb(backend, P::empty()),
            #[cfg(target_arch = "riscv64")]
            Selected::Rvv(backend) => Self::Rvv(backend, P::empty()),
        }
    }
}

fn name_of<B: Backend>(_: B) -> &'static str {
    B::NAME
}

/// Timing that does not depend on data, on a machine that gives it at request only: until what is returned is dropped.
#[inline]
pub(crate) fn data_independent_timing() -> impl Sized {
    #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
    super::aarch64::dit::DataIndependentTiming::begin()
}

/// `with_backend!(selected, backend => expression)`: the expression with `backend` bound to the
/// token of the selected backend, compiled once for each, with
/// data-independent timing.
macro_rules! with_backend {
    ($selected:expr, $backend:ident => $body:expr) => {{
        let _timing = $crate::backend::select::data_independent_timing();
        match $selected {
            $crate::backend::select::Selected::Portable($backend) => $body,
            #[cfg(target_arch = "x86_64")]
            $crate::backend::select::Selected::Avx2($backend) => $body,
            #[cfg(target_arch = "x86_64")]
            $crate::backend::select::Selected::Avx512($backend) => $body,
            #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
            $crate::backend::select::Selected::Neon($backend) => $body,
            #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
            $crate::backend::select::Selected::NeonSha3($backend) => $body,
            #[cfg(target_arch = "riscv64")]
            $crate::backend::select::Selected::Zbb($backend) => $body,
            #[cfg(target_arch = "riscv64")]
            $crate::backend::select::Selected::Rvv($backend) => $body,
        }
    }};
}
pub(crate) use with_backend;

/// `with_held!(held, (backend, value) => expression)`: the expression with the token of the backend that the value
/// belongs to, compiled once for each.
macro_rules! with_held {
    ($held:expr, ($backend:ident, $value:ident) => $body:expr) => {{
        let _timing = $crate::backend::select::data_independent_timing();
        match $held {
            $crate::backend::select::Held::Portable($backend, $value) => $body,
            #[cfg(target_arch = "x86_64")]
            $crate::backend::select::Held::Avx2($backend, $value) => $body,
            #[cfg(target_arch = "x86_64")]
            $crate::backend::select::Held::Avx512($backend, $value) => $body,
            #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
            $crate::backend::select::Held::Neon($backend, $value) => $body,
            #[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
            $crate::backend::select::Held::NeonSha3($backend, $value) => $body,
            #[cfg(target_arch = "riscv64")]
            $crate::backend::select::Held::Zbb($backend, $value) => $body,
            #[cfg(target_arch = "riscv64")]
            $crate::backend::select::Held::Rvv($backend, $value) => $body,
        }
    }};
}
pub(crate) use with_held;

#[cfg(all(feature = "internals", feature = "std"))]
pub use over::{for_each, on};

/// Running the public API on a backend of the caller's choice, one thread at a time.
#[cfg(all(feature = "internals", feature = "std"))]
mod over {
    extern crate std;
    use core::cell::Cell;
    use std::{env, println, thread_local};

    use super::{DETECT, Selected};

    thread_local! {
        static FORCED: Cell<Option<Selected>> = const { Cell::new(None) };
    }

    pub(super) fn current() -> Option<Selected> {
        FORCED.get()
    }

    /// Runs `f` with every call it makes on this thread served by `selected`.
    pub fn on<T>(selected: Selected, f: impl FnOnce() -> T) -> T {
        struct Restore(Option<Selected>);
        impl Drop for Restore {
            fn drop(&mut self) {
                FORCED.set(self.0);
            }
        }
        let _restore = Restore(FORCED.replace(Some(selected)));
        f()
    }

    /// Runs `f` once on every backend of this machine, for tests.
    ///
    /// A backend the machine lacks is reported as skipped; one that the environment variable
    /// `KEMSTONE_REQUIRE` (names separated by commas) lists must be there.
    ///
    /// # Panics
    ///
    /// If a required backend is unknown or absent.
    pub fn for_each(mut f: impl FnMut(Selected)) {
        let required = env::var("KEMSTONE_REQUIRE").unwrap_or_default();
        for name in required.split(',').filter(|name| !name.is_empty()) {
            assert!(
                Selected::by_name(name).is_some(),
                "KEMSTONE_REQUIRE names {name}, which this machine or this build lacks"
            );
        }
        for (name, detect) in DETECT {
            match detect() {
                Some(selected) => on(selected, || f(selected)),
                None => println!("SKIPPED backend {name}: this machine lacks it"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_best_is_the_last_that_is_there_and_allowed() {
        let mut there =
            DETECT.iter().enumerate().filter_map(|(i, (name, detect))| Some((i, *name, detect()?)));
        let best = there.rfind(|(_, name, _)| FORCED.is_none_or(|forced| forced == *name));
        let expected = best.map_or((0, Selected::Portable(Portable)), |(i, _, selected)| (i, selected));
        assert_eq!(Selected::detect(FORCED), expected);
        // The first call and those that remember it.
        for _ in 0..3 {
            assert_eq!(Selected::best(), expected.1);
            assert_eq!(crate::backend(), expected.1.name());
        }
    }

    #[test]
    fn nothing_but_the_forced_backend_is_chosen() {
        for (i, (name, detect)) in DETECT.iter().enumerate() {
            let expected = detect().map_or((0, Selected::Portable(Portable)), |selected| (i, selected));
            assert_eq!(Selected::detect(Some(name)), expected, "{name}");
        }
        assert_eq!(Selected::detect(Some("none such")), (0, Selected::Portable(Portable)));
    }

    #[test]
    fn names_are_found_and_found_once() {
        let names: Vec<&str> = Selected::names().collect();
        for (i, (name, detect)) in DETECT.iter().enumerate() {
            assert_eq!(Selected::by_name(name), detect());
            assert!(detect().is_none_or(|selected| selected.name() == *name));
            assert_eq!(names.iter().position(|other| other == name), Some(i));
        }
        assert_eq!(Selected::by_name("none such"), None);
    }

    #[test]
    #[cfg(all(feature = "internals", feature = "std"))]
    fn a_forced_backend_serves_until_the_call_ends() {
        let (portable, best) = (Selected::Portable(Portable), Selected::best());
        assert_eq!(over::current(), None);
        let seen = on(portable, || {
            assert_eq!((over::current(), Selected::best()), (Some(portable), portable));
            on(best, || assert_eq!((over::current(), Selected::best()), (Some(best), best)));
            over::current()
        });
        assert_eq!((seen, over::current()), (Some(portable), None));

        let mut seen = Vec::new();
        for_each(|selected| {
            assert_eq!(over::current(), Some(selected));
            seen.push(selected);
        });
        assert!(seen.into_iter().eq(DETECT.iter().filter_map(|(_, detect)| detect())));
        assert_eq!(over::current(), None);
    }
}
