//! Polynomials of R_q and T_q, and the ranges their coefficients are known to lie in.

use core::marker::PhantomData;

use zeroize::{Zeroize, optimization_barrier};

/// Degree bound of every polynomial (FIPS 203, section 2.3).
pub const N: usize = 256;

/// The modulus q (FIPS 203, section 2.3).
pub const Q: i16 = 3329;

/// The two widths of the centred binomial distribution (FIPS 203, table 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eta {
    /// eta = 2: 128 bytes of PRF output.
    Two,
    /// eta = 3: 192 bytes of PRF output.
    Three,
}

impl Eta {
    /// Bytes of PRF output a polynomial takes: 64 eta.
    pub const fn bytes(self) -> usize {
        match self {
            Eta::Two => 128,
            Eta::Three => 192,
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Noise {}
    impl Sealed for super::Canonical {}
    impl Sealed for super::Lazy {}
}

/// What is known of every coefficient of a [`Poly`]: `MIN <= c <= MAX`.
pub trait Range: sealed::Sealed + 'static {
    /// Smallest coefficient.
    const MIN: i16;
    /// Largest coefficient.
    const MAX: i16;
}

/// A sample of the centred binomial distribution: `-3 <= c <= 3`.
#[derive(Debug)]
pub enum Noise {}

/// The representative the standard writes down: `0 <= c < q`.
#[derive(Debug)]
pub enum Canonical {}

/// An inverse transform that nobody has reduced yet: `-8q < c < 8q`. Room is left in 16 bits
/// for one canonical and one noise polynomial to be added.
#[derive(Debug)]
pub enum Lazy {}

impl Range for Noise {
    const MIN: i16 = -3;
    const MAX: i16 = 3;
}

impl Range for Canonical {
    const MIN: i16 = 0;
    const MAX: i16 = Q - 1;
}

impl Range for Lazy {
    const MIN: i16 = -(8 * Q - 1);
    const MAX: i16 = 8 * Q - 1;
}

const _: () = assert!(Lazy::MAX as i32 + Canonical::MAX as i32 + Noise::MAX as i32 <= i16::MAX as i32);
const _: () = assert!(Lazy::MIN as i32 - Canonical::MAX as i32 + Noise::MIN as i32 >= i16::MIN as i32);

/// An element of R_q: 256 coefficients in natural order, each within the range `R`.
#[repr(align(64))]
#[derive(Debug)]
pub struct Poly<R: Range>([i16; N], PhantomData<R>);

impl<R: Range> Poly<R> {
    /// The zero polynomial, which lies in every range.
    pub const ZERO: Self = Self([0; N], PhantomData);

    /// Takes coefficients that all lie in the range; `None` if one does not.
    pub fn new(coefficients: [i16; N]) -> Option<Self> {
        let f = Self(coefficients, PhantomData);
        f.in_range().then_some(f)
    }

    /// The coefficients, c_0 first.
    #[inline(always)]
    pub fn coefficients(&self) -> &[i16; N] {
        debug_assert!(self.in_range());
        &self.0
    }

    /// Storage for a kernel to fill. What it leaves here must lie in the range: the types take
    /// the kernel's word for it, and debug builds check when the polynomial is next read.
    #[inline(always)]
    pub fn storage(&mut self) -> &mut [i16; N] {
        &mut self.0
    }

    fn in_range(&self) -> bool {
        self.0.iter().all(|&c| R::MIN <= c && c <= R::MAX)
    }
}

/// An element of T_q (FIPS 203, section 2.4.4) as the backend `B` keeps it.
///
/// Order, Montgomery factor and reduction state of the 256 numbers are `B`'s own business; only
/// `encode12` and `decode12` relate them to the standard's.
///
/// It is `Copy` so that a key that holds some can be copied to its place in one piece, without a trace elsewhere. They are
/// large, and some are secret: nothing else copies them.
#[repr(align(64))]
#[derive(Debug)]
pub struct NttPoly<B>([i16; N], PhantomData<B>);

impl<B> Clone for NttPoly<B> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for NttPoly<B> {}

impl<B> NttPoly<B> {
    /// Zero, the same in every representation.
    pub const ZERO: Self = Self([0; N], PhantomData);

    /// The numbers, in the backend's order.
    #[inline(always)]
    pub fn raw(&self) -> &[i16; N] {
        &self.0
    }

    /// The numbers, for the backend to fill.
    #[inline(always)]
    pub fn raw_mut(&mut self) -> &mut [i16; N] {
        &mut self.0
    }
}

/// The right-hand side of products in T_q: an element together with whatever the backend `B`
/// wants to compute once and use in every product with it.
#[derive(Debug)]
pub struct Multiplier<B> {
    /// The transform of the polynomial.
    pub f_hat: NttPoly<B>,
    /// The backend's precomputation. How much of it is used is the backend's business.
    pub cache: NttPoly<B>,
}

impl<B> Multiplier<B> {
    /// Zero, not yet filled.
    pub const ZERO: Self = Self { f_hat: NttPoly::ZERO, cache: NttPoly::ZERO };
}

impl<R: Range> Zeroize for Poly<R> {
    fn zeroize(&mut self) {
        self.0 = [0; N];
        optimization_barrier(self);
    }
}

impl<B> Zeroize for NttPoly<B> {
    fn zeroize(&mut self) {
        self.0 = [0; N];
        optimization_barrier(self);
    }
}

impl<B> Zeroize for Multiplier<B> {
    fn zeroize(&mut self) {
        *self = Self::ZERO;
        optimization_barrier(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every coefficient may take the ends of the range and what lies between, and nothing beyond them.
    fn ends<R: Range>(least: i16, most: i16) {
        assert_eq!((R::MIN, R::MAX), (least, most));
        for i in 0..N {
            for (value, good) in
                [(least, true), (0, true), (most, true), (least - 1, false), (most + 1, false)]
            {
                let mut f = [0; N];
                f[i] = value;
                assert_eq!(Poly::<R>::new(f).map(|f| f.0), good.then_some(f), "{value} at {i}");
            }
        }
    }

    #[test]
    fn ranges_end_where_they_say() {
        ends::<Noise>(-3, 3);
        ends::<Canonical>(0, 3328);
        ends::<Lazy>(1 - 8 * 3329, 8 * 3329 - 1);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "in_range")]
    fn debug_builds_look_at_what_a_kernel_left() {
        let mut f = Poly::<Canonical>::ZERO;
        f.storage()[N - 1] = Q;
        f.coefficients();
    }

    #[test]
    fn zeroized_is_zero() {
        let mut f = Poly::<Noise>([-3; N], PhantomData);
        f.zeroize();
        assert_eq!(f.0, [0; N]);
        let mut m =
            Multiplier::<()> { f_hat: NttPoly([1; N], PhantomData), cache: NttPoly([2; N], PhantomData) };
        m.zeroize();
        assert_eq!((m.f_hat.0, m.cache.0), ([0; N], [0; N]));
    }
}
