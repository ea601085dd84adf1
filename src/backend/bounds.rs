//! The bounds of numbers that are not reduced after every step, as functions that do not compile where a step would
//! overflow. Kernels take them as const parameters and in `const` blocks; nothing is left of them at run time.
//!
//! Between operations the bounds are types of `poly`. The module `examples`, there with the feature `internals`, is the
//! proof that all this bites.

use super::poly::Q;

/// What `ntt` leaves lies below this.
pub const TRANSFORMED: i32 = 8 * Q as i32;

/// The bound after so many layers of the transform on what was below q; each replaces (x, y) by (x + zeta y,
/// x - zeta y), where |zeta y| <= `product`.
pub const fn forward(layers: i32, product: i32) -> i32 {
    assert!(product < Q as i32);
    let after = (1 + layers) * Q as i32;
    assert!(after <= TRANSFORMED && after <= i16::MAX as i32);
    after
}

/// The bound of x + y and of x - y for numbers below `bound`, which 16 bits must hold.
pub const fn sum(bound: i32) -> i32 {
    assert!(2 * (bound - 1) <= i16::MAX as i32);
    2 * bound
}

/// The largest |sum of a b| over `k` pairs of coefficients, two products each; at most 2^30, which Montgomery
/// reduction takes.
pub const fn sum_of_products(k: i64, a: i64, b: i64) -> i64 {
    let sum = k * 2 * a * b;
    assert!(sum <= 1 << 30);
    sum
}

/// The largest Montgomery reduction of a number up to `sum`: the quotient by 2^16, and q/2 + 1 more.
pub const fn montgomery_reduced(sum: i64) -> i32 {
    assert!(0 <= sum && sum <= 1 << 30);
    (sum >> 16) as i32 + (Q as i32 >> 1) + 2
}

/// What compiles and what does not: each example marked *compile fail* stands beside one that compiles.
///
/// Between operations the bounds are types, [`Noise`], [`Canonical`] and [`Lazy`]: what a product leaves may be summed with
/// noise, or subtracted from what is canonical, and not be transformed again.
///
/// ```
/// # use kemstone::backend::{Backend, poly::*, portable::Portable};
/// let f = Poly::<Lazy>::ZERO;
/// Portable.add_compress(&f, &Poly::<Noise>::ZERO, &mut [0; 128]);
/// Portable.sub_compress(&Poly::<Canonical>::ZERO, &f, &mut [0; 32]);
/// ```
///
/// ```compile_fail
/// # use kemstone::backend::{Backend, poly::*, portable::Portable};
/// let f = Poly::<Lazy>::ZERO;
/// Portable.sub_compress(&f, &f, &mut [0; 32]); // one that nobody has reduced
/// ```
///
/// ```compile_fail
/// # use kemstone::backend::{Backend, poly::*, portable::Portable};
/// let f = Poly::<Lazy>::ZERO;
/// Portable.add_compress(&f, &Poly::<Canonical>::ZERO, &mut [0; 128]); // a summand of the wrong range
/// ```
///
/// The transform takes what is below q:
///
/// ```
/// # use kemstone::backend::{Backend, poly::*, portable::Portable};
/// Portable.ntt(&Poly::<Canonical>::ZERO, &mut NttPoly::ZERO);
/// Portable.ntt(&Poly::<Noise>::ZERO, &mut NttPoly::ZERO);
/// ```
///
/// ```compile_fail
/// # use kemstone::backend::{Backend, poly::*, portable::Portable};
/// Portable.ntt(&Poly::<Lazy>::ZERO, &mut NttPoly::ZERO);
/// ```
///
/// Nobody can add a range of their own:
///
/// ```compile_fail
/// # use kemstone::backend::poly::Range;
/// enum Anything {}
/// impl Range for Anything {
///     const MIN: i16 = i16::MIN;
///     const MAX: i16 = i16::MAX;
/// }
/// ```
///
/// [`forward`], layers of the transform:
///
/// ```
/// # use kemstone::backend::bounds::*;
/// const SEVEN_LAYERS: i32 = forward(7, 2496);
/// assert_eq!(SEVEN_LAYERS, TRANSFORMED);
/// ```
///
/// ```compile_fail
/// # use kemstone::backend::bounds::*;
/// const ONE_LAYER_TOO_MANY: i32 = forward(8, 2496);
/// assert_eq!(ONE_LAYER_TOO_MANY, TRANSFORMED);
/// ```
///
/// ```compile_fail
/// # use kemstone::backend::bounds::*;
/// const A_PRODUCT_NOT_REDUCED: i32 = forward(7, 3329);
/// assert_eq!(A_PRODUCT_NOT_REDUCED, TRANSFORMED);
/// ```
///
/// [`sum`], sums and differences in 16 bits:
///
/// ```
/// # use kemstone::backend::bounds::*;
/// const PRODUCT: i32 = 2497;
/// const THREE_LAYERS: i32 = sum(sum(sum(PRODUCT)));
/// assert_eq!(THREE_LAYERS, 8 * PRODUCT);
/// ```
///
/// ```compile_fail
/// # use kemstone::backend::bounds::*;
/// const PRODUCT: i32 = 2497;
/// const A_REDUCTION_LEFT_OUT: i32 = sum(sum(sum(sum(PRODUCT))));
/// assert_eq!(A_REDUCTION_LEFT_OUT, 16 * PRODUCT);
/// ```
///
/// [`sum_of_products`]:
///
/// ```
/// # use kemstone::backend::bounds::*;
/// const FOUR: i64 = sum_of_products(4, 3328, 1 << 15);
/// assert!(FOUR <= 1 << 30);
/// ```
///
/// ```compile_fail
/// # use kemstone::backend::bounds::*;
/// const ONE_TOO_MANY: i64 = sum_of_products(5, 3328, 1 << 15);
/// assert!(ONE_TOO_MANY <= 1 << 30);
/// ```
///
/// [`Noise`]: super::poly::Noise
/// [`Canonical`]: super::poly::Canonical
/// [`Lazy`]: super::poly::Lazy
#[cfg(feature = "internals")] // without it nobody sees these items from outside
pub mod examples {}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn bounds_are_exact_and_end_where_they_must() {
        assert_eq!([0, 1, 7].map(|layers| forward(layers, 2496)), [3329, 2 * 3329, TRANSFORMED]);
        assert_eq!(TRANSFORMED, 8 * 3329);
        assert!(catch_unwind(|| forward(8, 2496)).is_err());
        assert_eq!(forward(7, 3328), TRANSFORMED);
        assert!(catch_unwind(|| forward(7, 3329)).is_err());

        assert_eq!((sum(2497), sum(1 << 14)), (2 * 2497, 1 << 15));
        assert!(catch_unwind(|| sum((1 << 14) + 1)).is_err());

        assert_eq!(sum_of_products(4, 3328, 1 << 15), (8 * 3328) << 15);
        assert_eq!(sum_of_products(1, 1 << 14, 1 << 15), 1 << 30);
        assert!(catch_unwind(|| sum_of_products(1, (1 << 14) + 1, 1 << 15)).is_err());

        // q/2 and 2 beside the quotient.
        assert_eq!(
            [0, 0xffff, 1 << 16, 1 << 30].map(montgomery_reduced),
            [1666, 1666, 1667, (1 << 14) + 1666]
        );
        assert!(catch_unwind(|| montgomery_reduced(-1)).is_err());
        assert!(catch_unwind(|| montgomery_reduced((1 << 30) + 1)).is_err());
    }
}
