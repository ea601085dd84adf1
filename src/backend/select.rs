//! Which backend runs: the fastest of those that this build knows and this machine has.

#[cfg(feature = "alloc")]
use core::any::Any;

use super::Backend;
use super::portable::Portable;
use super::probe::{Listed, Probe};

#[cfg(kemstone_backend)]
compile_error!("`--cfg kemstone_backend` forces nothing: write `--cfg kemstone_backend=\"NAME\"`");

/// `backends!`: all that there is of each backend, from the list that the `machine!` of this build gives: what begins an
/// operation in a block, then names and token types, the slowest first. The first argument is a dollar sign.
macro_rules! backends {
    ($d:tt $timing:block $registers:block $($(#[$doc:meta])* $name:literal => $Variant:ident($Token:ty),)*) => {
        // A build that is bound to one of these does without the others.
        backends! {
            @all $d $timing $registers (kemstone_backend = "portable", kemstone_backend = "small" $(, kemstone_backend = $name)*)
            $($(#[$doc])* $name => $Variant($Token),)*
        }
    };

    (@all $d:tt $timing:block $registers:block $forced:tt $($(#[$doc:meta])* $name:literal => $Variant:ident($Token:ty),)*) => {
        backends! {
            @items $d $timing $registers
            #[cfg(all(feature = "small", any(kemstone_backend = "small", not(any $forced))))]
            /// Portable Rust that takes little memory.
            "small" => Small(crate::backend::small::Small),
            $(#[cfg(any(kemstone_backend = $name, not(any $forced)))] $(#[$doc])* $name => $Variant($Token),)*
        }
        impl Listed for Portable {}
        #[cfg(feature = "small")]
        impl Listed for crate::backend::small::Small {}
        $(impl Listed for $Token {})*
    };

    (@items $d:tt $timing:block $registers:block $(#[$cfg:meta] $(#[$doc:meta])* $name:literal => $Variant:ident($Token:ty),)*) => {
        /// A backend that this machine has, chosen at run time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Selected {
            /// Portable Rust.
            Portable(Portable),
            $(#[$cfg] $(#[$doc])* $Variant($Token),)*
        }

        /// Every backend of this build by name, the slowest first.
        const DETECT: &[(&str, Detect)] = &[
            (Portable::NAME, || Some(Selected::Portable(Portable))),
            $(#[$cfg] ($name, || <$Token>::detect().map(Selected::$Variant)),)*
        ];

        $(#[$cfg] const _: () = assert!(same(<$Token>::NAME, $name), "the list has another name for this backend");)*

        impl Selected {
            /// The fastest backend of this build that this machine has. Each remembers whether it has been found.
            #[inline]
            fn detect() -> Self {
                #[allow(unused_mut)] // by a build with one
                let mut best = Self::Portable(Portable);
                $(
                    #[$cfg]
                    if let Some(token) = <$Token>::detect() {
                        best = Self::$Variant(token);
                    }
                )*
                best
            }
        }

        /// What one backend made, whichever it was, with the token to use it.
        #[allow(missing_docs)] // as above
        pub enum Held<P: PerBackend> {
            Portable(Portable, P::Of<Portable>),
            $(#[$cfg] $Variant($Token, P::Of<$Token>),)*
        }

        /// `empty!(selected, of, key)`: a `Self` of that `key` and an empty [`Held`] of that type for the selected backend. What
        /// is built in one expression for each backend takes the least stack, and without optimisation in a function for each.
        macro_rules! empty {
            ($d selected:expr, $d of:ty, $d key:expr) => {
                match $d selected {
                    $crate::backend::select::Selected::Portable(backend) => (|| Self {
                        key: $d key,
                        held: $crate::backend::select::Held::Portable(backend, <$d of as PerBackend>::empty()),
                    })(),
                    $(#[$cfg] $crate::backend::select::Selected::$Variant(backend) => (|| Self {
                        key: $d key,
                        held: $crate::backend::select::Held::$Variant(backend, <$d of as PerBackend>::empty()),
                    })(),)*
                }
            };
        }

        /// Timing that does not depend on data, on a machine that gives it at request only: until what is returned is
        /// dropped.
        #[inline]
        pub(crate) fn data_independent_timing() -> impl Sized $timing

        /// An operation on secrets, until what is returned is dropped: with such timing, and at its end with the registers
        /// cleared.
        #[inline]
        pub(crate) fn operation() -> impl Sized {
            (Cleared, data_independent_timing())
        }

        /// When it is dropped, registers are cleared.
        struct Cleared;

        impl Drop for Cleared {
            #[inline]
            fn drop(&mut self) $registers
        }

        /// `with_backend!(selected, backend => expression)`: the expression with `backend` bound to the token of the
        /// selected backend, compiled once for each, as an operation. `with_backend!(public: ...)`: as one on nothing secret.
        macro_rules! with_backend {
            (public: $d selected:expr, $d backend:ident => $d body:expr) => {
                with_backend!(@ data_independent_timing, $d selected, $d backend => $d body)
            };
            ($d selected:expr, $d backend:ident => $d body:expr) => {
                with_backend!(@ operation, $d selected, $d backend => $d body)
            };
            (@ $d begin:ident, $d selected:expr, $d backend:ident => $d body:expr) => {{
                let _operation = $crate::backend::select::$d begin();
                match $d selected {
                    $crate::backend::select::Selected::Portable($d backend) => $d body,
                    $(#[$cfg] $crate::backend::select::Selected::$Variant($d backend) => $d body,)*
                }
            }};
        }

        /// `with_held!(held, (backend, value) => expression)`: the expression with the token of the backend that the
        /// value belongs to, compiled once for each.
        macro_rules! with_held {
            ($d held:expr, ($d backend:ident, $d value:ident) => $d body:expr) => {{
                let _operation = $crate::backend::select::operation();
                match $d held {
                    $crate::backend::select::Held::Portable($d backend, $d value) => $d body,
                    $(#[$cfg] $crate::backend::select::Held::$Variant($d backend, $d value) => $d body,)*
                }
            }};
        }
    };
}

machine!(backends, $);
pub(crate) use {empty, with_backend, with_held};

/// Looks for a backend. `None`: the machine lacks it.
type Detect = fn() -> Option<Selected>;

/// `names!`: every name that `--cfg kemstone_backend` may give, and whether it does.
macro_rules! names {
    ($($name:literal)*) => {
        &[$(($name, cfg!(kemstone_backend = $name))),*]
    };
}

const NAMES: &[(&str, bool)] =
    names!["portable" "small" "avx2" "avx512" "neon" "neon-sha3" "zbb" "rvv" "simd128"];

// What the compiler can know of `--cfg kemstone_backend`. A value that is no name at all it cannot see.
const _: () = {
    let (mut i, mut forced) = (0, 0);
    while i < NAMES.len() {
        let (name, given) = NAMES[i];
        if given {
            forced += 1;
            assert!(lists(DETECT, name), "`kemstone_backend` names a backend that this target cannot have");
        }
        i += 1;
    }
    assert!(forced <= 1, "`kemstone_backend` names two backends");
    i = 0;
    while i < DETECT.len() {
        assert!(lists(NAMES, DETECT[i].0), "`NAMES` lacks a backend");
        i += 1;
    }
};

/// Is this name in the list?
const fn lists<T>(list: &[(&str, T)], name: &str) -> bool {
    let mut i = 0;
    while i < list.len() {
        if same(list[i].0, name) {
            return true;
        }
        i += 1;
    }
    false
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

impl Selected {
    /// The fastest backend of this machine, or the one forced by `--cfg kemstone_backend="..."`
    /// if the machine has that.
    #[inline]
    pub fn best() -> Self {
        #[cfg(all(feature = "internals", feature = "std"))]
        if let Some(forced) = over::current() {
            return forced;
        }
        Self::detect()
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
        with_backend!(public: self, backend => name_of(backend))
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
pub trait PerBackend {
    /// The backend's own. It is plain data: what is secret in it is wiped by whoever holds it.
    type Of<B: Backend>: Copy + Send + Sync + 'static;

    /// One of them, empty.
    fn empty<B: Backend>() -> Self::Of<B>;
}

#[cfg(feature = "alloc")]
impl<P: PerBackend> Held<P> {
    /// What this backend made, if it was this one.
    pub(crate) fn of_mut<B: Backend>(&mut self, _: B) -> Option<&mut P::Of<B>> {
        with_held!(self, (_backend, value) => (value as &mut dyn Any).downcast_mut())
    }
}

impl<P: PerBackend> Clone for Held<P> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: PerBackend> Copy for Held<P> {}

fn name_of<B: Backend>(_: B) -> &'static str {
    B::NAME
}

#[cfg(all(feature = "internals", feature = "std"))]
pub use over::{for_each, on};

/// Running the public API on a backend of the caller's choice, one thread at a time.
#[cfg(all(feature = "internals", feature = "std"))]
mod over {
    extern crate std;
    use core::cell::Cell;
    use std::{env, println, thread_local};

    use super::Selected;

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
        for name in Selected::names() {
            match Selected::by_name(name) {
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
    fn the_best_is_the_last_that_is_there() {
        let best = DETECT.iter().rev().find_map(|(_, detect)| detect());
        // The first call and those that remember it.
        for _ in 0..3 {
            assert_eq!(Some(Selected::best()), best);
            assert_eq!(Some(crate::backend()), best.map(Selected::name));
        }
    }

    #[test]
    fn nothing_but_the_forced_backend_is_known() {
        let names: Vec<&str> = Selected::names().collect();
        match NAMES.iter().find(|(_, forced)| *forced) {
            Some((forced, _)) => {
                assert_eq!(names.last(), Some(forced));
                assert!(names.iter().all(|name| ["portable", forced].contains(name)));
            }
            None => assert!(names.iter().all(|name| NAMES.contains(&(name, false)))),
        }
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
    fn names_are_told_apart() {
        for (i, (a, _)) in NAMES.iter().enumerate() {
            for (j, (b, _)) in NAMES.iter().enumerate() {
                assert_eq!(same(a, b), i == j, "{a} {b}");
            }
            assert!(lists(NAMES, a));
            assert_eq!(lists(DETECT, a), Selected::names().any(|name| name == *a), "{a}");
        }
        for none in ["", "port", "none such"] {
            assert!(!lists(NAMES, none) && !lists(DETECT, none), "{none}");
        }
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
