//! Constants of the transform, computed from q and zeta = 17 while compiling.

use super::poly::Q;

/// The primitive 256th root of unity modulo q (FIPS 203, section 4.3).
pub const ZETA: i16 = 17;

/// q^-1 modulo 2^16, as the signed factor of Montgomery reduction.
pub const Q_INVERSE: i16 = {
    // Newton's iteration doubles the number of correct low bits: 1, 2, 4, 8, 16 (and q is odd).
    let mut x: i16 = 1;
    while x.wrapping_mul(Q) != 1 {
        x = x.wrapping_mul(2i16.wrapping_sub(x.wrapping_mul(Q)));
    }
    x
};
const _: () = assert!(Q.wrapping_mul(Q_INVERSE) == 1);

/// `a mod q` in `0..q`, for constants only.
#[allow(clippy::integer_division_remainder_used)]
pub const fn mod_q(a: i64) -> i64 {
    a.rem_euclid(Q as i64)
}

/// `base^exponent mod q`, for constants only.
pub const fn pow_mod_q(base: i64, exponent: u32) -> i64 {
    let (mut power, mut i) = (1, 0);
    while i < exponent {
        power = mod_q(power * base);
        i += 1;
    }
    power
}

/// The representative of `a` in `-(q-1)/2 ..= (q-1)/2`.
pub const fn centred(a: i64) -> i16 {
    let a = mod_q(a);
    (if a > Q as i64 >> 1 { a - Q as i64 } else { a }) as i16
}

/// `a * 2^16 mod q`, centred: a factor for Montgomery multiplication.
pub const fn montgomery(a: i64) -> i16 {
    centred(mod_q(a) << 16)
}

/// Montgomery factor that turns a product carrying 2^-16 back into the plain value: 2^32 mod q.
pub const RESTORE: i16 = montgomery(1 << 16);
const _: () = assert!(mod_q(RESTORE as i64) == 1353);

/// Montgomery factor that does the same and divides by 128, as the inverse transform must
/// (FIPS 203, Algorithm 10, line 14): 2^32 / 128 mod q.
pub const RESTORE_AND_SCALE: i16 = montgomery(1 << (16 - 7));
const _: () = assert!(mod_q(RESTORE_AND_SCALE as i64) == 1441);
const _: () = assert!(mod_q(128 * 3303) == 1 && mod_q(RESTORE_AND_SCALE as i64) == mod_q(3303 << 32));

/// Multiplier of Barrett reduction: 2^26 / q, rounded.
pub const BARRETT: i16 = 20159;
const _: () = {
    let error = (1i64 << 26) - BARRETT as i64 * Q as i64;
    assert!(-(Q as i64) < 2 * error && 2 * error < Q as i64);
};

/// The seven low bits of `i`, reversed (FIPS 203, section 4.3, BitRev7).
pub const fn bit_rev7(i: u32) -> u32 {
    (i << 25).reverse_bits() & 0x7f
}

/// `zeta^BitRev7(i)` in Montgomery form, centred (FIPS 203, appendix A).
pub const ZETAS: [i16; 128] = {
    let mut zetas = [0; 128];
    let mut i = 0;
    while i < 128 {
        zetas[i] = montgomery(pow_mod_q(ZETA as i64, bit_rev7(i as u32)));
        i += 1;
    }
    zetas
};
const _: () = assert!(pow_mod_q(ZETA as i64, 128) == Q as i64 - 1);
// The second entry of appendix A is 1729, the last 2154.
const _: () = assert!(ZETAS[1] == montgomery(1729) && ZETAS[127] == montgomery(2154));
const _: () = assert!(1175 * ZETA as i64 - Q as i64 * 6 == 1 && mod_q(1175 * ZETA as i64) == 1);

/// The same without the Montgomery factor.
pub const PLAIN_ZETAS: [i16; 128] = {
    let (mut zetas, mut i) = ([0; 128], 0);
    while i < 128 {
        zetas[i] = centred(pow_mod_q(ZETA as i64, bit_rev7(i as u32)));
        i += 1;
    }
    zetas
};

/// Multiplier beside the centred factor `b` of a Barrett multiplication: 2^15 b / q, rounded.
pub const fn quotient(b: i16) -> i16 {
    assert!(-Q < 2 * b && 2 * b < Q);
    let b = b as i32;
    // The residue of 2^15 b is what rounding leaves: the rest is a multiple of q.
    let multiple = (b << 15) - centred((b as i64) << 15) as i32;
    let (mut low, mut high) = (-(1 << 14), 1 << 14);
    while low < high {
        let middle = (low + high + 1) >> 1;
        if middle * Q as i32 <= multiple {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    assert!(low * Q as i32 == multiple);
    low as i16
}

/// Byte shuffles that move the accepted ones of eight words to the front, by the mask of the accepted.
pub const fn accepted() -> [[u8; 16]; 256] {
    let mut shuffles = [[0xff; 16]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut from, mut to) = (0, 0);
        while from < 8 {
            if mask >> from & 1 == 1 {
                shuffles[mask][2 * to] = 2 * from;
                shuffles[mask][2 * to + 1] = 2 * from + 1;
                to += 1;
            }
            from += 1;
        }
        mask += 1;
    }
    shuffles
}

/// q^-1 modulo 2^32, for checking congruences without dividing.
#[cfg(test)]
pub(crate) const Q_INVERSE_32: i32 = {
    let x = Q_INVERSE as i32;
    x.wrapping_mul(2i32.wrapping_sub(x.wrapping_mul(Q as i32)))
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::model;

    #[test]
    fn representatives_are_centred() {
        for a in -2 * Q as i64..=2 * Q as i64 {
            let c = centred(a) as i64;
            assert!((-1664..=1664).contains(&c) && mod_q(c) == mod_q(a), "{a}: {c}");
        }
        assert_eq!([1664, 1665, -1664, -1665].map(centred), [1664, -1664, -1664, 1664]);
    }

    #[test]
    fn zetas_are_the_centred_powers_of_zeta() {
        for (i, zeta) in ZETAS.into_iter().enumerate() {
            let power = model::power(17, model::bit_rev7(i));
            assert_eq!(zeta, centred(power << 16), "zeta {i}");
        }
        assert_eq!(
            [RESTORE, RESTORE_AND_SCALE].map(|factor| mod_q(128 * factor as i64)),
            [mod_q(128 << 32), mod_q(1 << 32)]
        );
    }
}
