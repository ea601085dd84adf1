//! Secrets: wiped when they go out of scope, compared and selected without a branch (FIPS 203, section 3.3).

use core::ops::{Deref, DerefMut};

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, optimization_barrier};

/// Memory that can be set to zero for good.
pub trait Wipe {
    /// Overwrites everything.
    fn wipe(&mut self);
}

impl<const N: usize> Wipe for [u8; N] {
    #[inline(always)]
    fn wipe(&mut self) {
        // A plain store of the whole array, then a barrier: byte-wise volatile stores would
        // cost more than the arithmetic on what is wiped.
        *self = [0; N];
        optimization_barrier(self);
    }
}

impl<const N: usize, const M: usize> Wipe for [[u8; N]; M] {
    #[inline(always)]
    fn wipe(&mut self) {
        *self = [[0; N]; M];
        optimization_barrier(self);
    }
}

impl<const N: usize, const M: usize, const L: usize> Wipe for [[[u8; N]; M]; L] {
    #[inline(always)]
    fn wipe(&mut self) {
        *self = [[[0; N]; M]; L];
        optimization_barrier(self);
    }
}

impl<R: crate::backend::poly::Range> Wipe for crate::backend::poly::Poly<R> {
    #[inline(always)]
    fn wipe(&mut self) {
        self.zeroize();
    }
}

impl<B> Wipe for crate::backend::poly::NttPoly<B> {
    #[inline(always)]
    fn wipe(&mut self) {
        self.zeroize();
    }
}

impl<B, const K: usize> Wipe for [crate::backend::poly::NttPoly<B>; K] {
    #[inline(always)]
    fn wipe(&mut self) {
        self.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl<B, const K: usize> Wipe for [crate::backend::poly::Multiplier<B>; K] {
    #[inline(always)]
    fn wipe(&mut self) {
        // One by one: clearing more than 2 KiB at once costs some C libraries half as much again on x86-64.
        self.iter_mut().for_each(Zeroize::zeroize);
    }
}

/// A secret on the stack, wiped on drop.
pub(crate) struct Secret<T: Wipe>(T);

impl<T: Wipe> Secret<T> {
    #[inline(always)]
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T: Wipe> Drop for Secret<T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<T: Wipe> Deref for Secret<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Wipe> DerefMut for Secret<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Whether two byte strings of equal length are equal; always looks at every byte.
#[inline]
pub(crate) fn equal<const N: usize>(a: &[u8; N], b: &[u8; N]) -> Choice {
    let mut difference = 0;
    for (a, b) in a.iter().zip(b) {
        difference |= a ^ b;
    }
    difference.ct_eq(&0)
}

/// Overwrites `a` with `b` if `choice` is true.
#[inline]
pub(crate) fn assign_if<const N: usize>(choice: Choice, a: &mut [u8; N], b: &[u8; N]) {
    for (a, b) in a.iter_mut().zip(b) {
        a.conditional_assign(b, choice);
    }
}

/// The comparison and the choice, for the proofs.
#[cfg(feature = "internals")]
pub mod constant_time {
    use subtle::Choice;

    use crate::frontend::{DecapsulationKey, ParameterSet};

    /// The memory in which a key keeps its secrets, dk_PKE and z, for tools that mark what is secret.
    pub fn secrets<S: ParameterSet>(key: &DecapsulationKey<S>) -> [&[u8]; 2] {
        let parts = key.parts();
        [parts.dk_pke, parts.z]
    }

    /// The same of a hybrid key: dk_PKE, z and the scalar.
    #[cfg(feature = "hybrid")]
    pub fn hybrid_secrets<H: crate::hybrid::HybridKem>(
        key: &crate::hybrid::DecapsulationKey<H>,
    ) -> [&[u8]; 3] {
        let (pq, scalar) = key.parts();
        let [dk_pke, z] = secrets(pq);
        [dk_pke, z, scalar]
    }

    /// Whether two byte strings are equal.
    pub fn equal<const N: usize>(a: &[u8; N], b: &[u8; N]) -> bool {
        super::equal(a, b).into()
    }

    /// Overwrites `a` with `b` if `choice` is true.
    pub fn assign_if<const N: usize>(choice: bool, a: &mut [u8; N], b: &[u8; N]) {
        super::assign_if(Choice::from(choice as u8), a, b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_differing_bit_is_seen() {
        let a: [u8; 1088] = core::array::from_fn(|i| i as u8);
        assert!(bool::from(equal(&a, &a)));
        for i in 0..a.len() {
            for bit in 0..8 {
                let mut b = a;
                b[i] ^= 1 << bit;
                assert!(!bool::from(equal(&a, &b)), "byte {i}, bit {bit}");
            }
        }
    }

    /// `a` with two words of `W` bytes changed in every way that lets some sum of differences vanish: by "exclusive or",
    /// equal differences; by addition modulo 2^(8 W), those that sum to zero, of "exclusive or" or of subtraction.
    fn cancelling<const L: usize, const W: usize>(a: &[u8; L], mut see: impl FnMut(&[u8; L])) {
        const SHOWN: u64 = 0x0123_4567_89ab_cdef;
        let top = 1 << (8 * W - 1);
        let read = |i: usize, swap: bool| {
            let mut word = [0; 8];
            word[..W].copy_from_slice(&a[W * i..][..W]);
            if swap {
                word[..W].reverse();
            }
            u64::from_le_bytes(word)
        };
        for (i, j) in (0..a.as_chunks::<W>().0.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
            for (x, swap) in [(1, false), (1, true), (top, false), (top, true), (SHOWN, false)] {
                let (one, two) = (read(i, swap), read(j, swap));
                for (one, two) in [
                    (one ^ x, two ^ x),
                    (one ^ x, two ^ x.wrapping_neg()),
                    (one.wrapping_add(x), two.wrapping_sub(x)),
                ] {
                    let mut b = *a;
                    for (word, at) in [(one, i), (two, j)] {
                        let bytes = &mut b[W * at..][..W];
                        bytes.copy_from_slice(&word.to_le_bytes()[..W]);
                        if swap {
                            bytes.reverse();
                        }
                    }
                    see(&b);
                }
            }
        }
    }

    fn every_cancelling<const L: usize>(a: &[u8; L], mut see: impl FnMut(&[u8; L])) {
        cancelling::<L, 1>(a, &mut see);
        cancelling::<L, 2>(a, &mut see);
        cancelling::<L, 4>(a, &mut see);
        cancelling::<L, 8>(a, &mut see);
    }

    #[test]
    fn differences_that_cancel_are_seen() {
        for a in [[0; 64], [0xff; 64], core::array::from_fn(|i| (37 * i) as u8)] {
            every_cancelling(&a, |b| assert!(!bool::from(equal(&a, b)), "{a:?} and {b:?}"));
        }
        // In the first and the last word of what may be compared in larger pieces.
        let a: [u8; 1568] = core::array::from_fn(|i| i as u8);
        for distance in 1..a.len() {
            for start in [0, a.len() - 1 - distance] {
                let mut b = a;
                b[start] ^= 0x80;
                b[start + distance] ^= 0x80;
                assert!(!bool::from(equal(&a, &b)), "bytes {start} and {distance} further");
            }
        }
    }

    #[test]
    fn selection_does_not_ask_what_differs() {
        let a: [u8; 32] = core::array::from_fn(|i| (91 * i) as u8);
        every_cancelling(&a, |b| {
            let mut chosen = a;
            assign_if(Choice::from(0), &mut chosen, b);
            assert_eq!(chosen, a);
            assign_if(Choice::from(1), &mut chosen, b);
            assert_eq!(chosen, *b);
        });
    }

    #[test]
    fn selection_takes_all_or_nothing() {
        for value in 0..=255 {
            let mut a = [value; 32];
            assign_if(Choice::from(0), &mut a, &[!value; 32]);
            assert_eq!(a, [value; 32]);
            assign_if(Choice::from(1), &mut a, &[!value; 32]);
            assert_eq!(a, [!value; 32]);
        }
    }

    #[test]
    fn wiping_leaves_zero_and_dropping_wipes() {
        use core::cell::Cell;

        use crate::backend::poly::{Multiplier, N, Noise, NttPoly, Poly};
        let mut bytes = ([1; 5], [[2; 3]; 4]);
        bytes.0.wipe();
        bytes.1.wipe();
        assert_eq!(bytes, ([0; 5], [[0; 3]; 4]));

        let mut f = Poly::<Noise>::new([3; N]).expect("noise");
        f.wipe();
        assert_eq!(f.coefficients(), &[0; N]);
        let full = || {
            let mut f_hat = NttPoly::<()>::ZERO;
            f_hat.raw_mut().fill(4);
            f_hat
        };
        let (mut one, mut two) = (full(), [full(), full()]);
        let mut multipliers = [(); 2].map(|()| Multiplier { f_hat: full(), cache: full() });
        one.wipe();
        two.wipe();
        multipliers.wipe();
        let multipliers = multipliers.iter().flat_map(|m| [&m.f_hat, &m.cache]);
        for f_hat in two.iter().chain([&one]).chain(multipliers) {
            assert_eq!(f_hat.raw(), &[0; N]);
        }

        /// Counts how often it is wiped.
        struct Counted<'a>(&'a Cell<u32>);
        impl Wipe for Counted<'_> {
            fn wipe(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let wiped = Cell::new(0);
        let secret = Secret::new(Counted(&wiped));
        assert_eq!(wiped.get(), 0);
        drop(secret);
        assert_eq!(wiped.get(), 1);
    }
}
