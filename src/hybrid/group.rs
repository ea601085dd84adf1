//! The nominal groups of `draft-irtf-cfrg-concrete-hybrid-kems-04`, section 3.1, over the crates that compute in them.

use crate::frontend::Bytes;
use crate::frontend::ct::Secret;
use crate::frontend::symmetric::shake256;

pub trait Group {
    /// Nseed, from which a scalar is drawn.
    const SEED_SIZE: usize;
    /// Nelem.
    const ELEMENT_SIZE: usize;
    /// As many bytes.
    type Seed: Bytes;
    /// An encoded scalar. A shared secret, which is an encoded coordinate, is as long.
    type Scalar: Bytes;

    /// RandomScalar.
    fn random_scalar(seed: &Self::Seed, scalar: &mut Self::Scalar);

    /// Exp(g, scalar), encoded.
    fn public(scalar: &Self::Scalar, element: &mut [u8]);

    /// Whether these bytes are an element.
    fn is_element(bytes: &[u8]) -> bool;

    /// ElementToSharedSecret(Exp(element, scalar)), of bytes that are an element.
    fn exchange(scalar: &Self::Scalar, element: &[u8], secret: &mut Self::Scalar);
}

/// Section 3.1.2. Any bytes are an element, and the secret of some is zero for everyone: the combiner hashes them, and ML-KEM's
/// secret is beside it.
pub struct X25519;

impl Group for X25519 {
    const SEED_SIZE: usize = 32;
    const ELEMENT_SIZE: usize = 32;
    type Seed = [u8; 32];
    type Scalar = [u8; 32];

    fn random_scalar(seed: &[u8; 32], scalar: &mut [u8; 32]) {
        *scalar = *seed;
    }

    fn public(scalar: &[u8; 32], element: &mut [u8]) {
        let scalar = x25519_dalek::StaticSecret::from(*scalar);
        element.copy_from_slice(x25519_dalek::PublicKey::from(&scalar).as_bytes());
    }

    fn is_element(bytes: &[u8]) -> bool {
        bytes.len() == Self::ELEMENT_SIZE
    }

    fn exchange(scalar: &[u8; 32], element: &[u8], secret: &mut [u8; 32]) {
        let scalar = x25519_dalek::StaticSecret::from(*scalar);
        if let Ok(element) = <[u8; 32]>::try_from(element) {
            *secret = *scalar.diffie_hellman(&element.into()).as_bytes();
        }
    }
}

/// The first of the numbers in a seed that `is_scalar`. Where the draft gives up, which no honest seed will ever show (less than
/// 2^-128 for P-256, 2^-192 for P-384), SHAKE256 of the seed is the next seed.
fn first_scalar<G: Group>(seed: &G::Seed, scalar: &mut G::Scalar, is_scalar: fn(&[u8]) -> bool) {
    let mut rest: &[u8] = seed.as_ref();
    while let Some((number, after)) = rest.split_at_checked(scalar.as_ref().len()) {
        if is_scalar(number) {
            scalar.as_mut().copy_from_slice(number);
            return;
        }
        rest = after;
    }
    let mut next = Secret::new(G::Seed::ZERO);
    shake256(seed.as_ref(), next.as_mut());
    first_scalar::<G>(&next, scalar, is_scalar);
}

/// Section 3.1.1: points that are not the identity, in the uncompressed form of SEC 1, the one form of this length.
macro_rules! nist_group {
    ($name:ident, $curve:ident, $seed:literal, $scalar:literal) => {
        pub struct $name;

        impl Group for $name {
            const SEED_SIZE: usize = $seed;
            const ELEMENT_SIZE: usize = 1 + 2 * $scalar;
            type Seed = [u8; $seed];
            type Scalar = [u8; $scalar];

            fn random_scalar(seed: &Self::Seed, scalar: &mut Self::Scalar) {
                first_scalar::<Self>(seed, scalar, |number| $curve::SecretKey::from_slice(number).is_ok());
            }

            fn public(scalar: &Self::Scalar, element: &mut [u8]) {
                use $curve::elliptic_curve::sec1::ToSec1Point as _;

                let scalar = $curve::SecretKey::from_slice(scalar);
                debug_assert!(scalar.is_ok(), "`random_scalar` made it");
                if let Ok(scalar) = scalar {
                    element.copy_from_slice(scalar.public_key().to_sec1_point(false).as_bytes());
                }
            }

            fn is_element(bytes: &[u8]) -> bool {
                bytes.len() == Self::ELEMENT_SIZE && $curve::PublicKey::from_sec1_bytes(bytes).is_ok()
            }

            fn exchange(scalar: &Self::Scalar, element: &[u8], secret: &mut Self::Scalar) {
                let (scalar, element) =
                    ($curve::SecretKey::from_slice(scalar), $curve::PublicKey::from_sec1_bytes(element));
                debug_assert!(
                    scalar.is_ok() && element.is_ok(),
                    "`random_scalar` made one, the other is checked"
                );
                if let (Ok(scalar), Ok(element)) = (scalar, element) {
                    secret.copy_from_slice(scalar.diffie_hellman(&element).raw_secret_bytes());
                }
            }
        }
    };
}

nist_group!(P256, p256, 128, 32);
nist_group!(P384, p384, 48, 48);

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar<G: Group>(seed: &[u8]) -> G::Scalar {
        let mut scalar = G::Scalar::ZERO;
        G::random_scalar(G::Seed::from_slice(seed).expect("its length"), &mut scalar);
        scalar
    }

    /// Big-endian: the order of P-256 (SP 800-186, section 3.2.1.3), and what is added to its last byte.
    fn near_order(add: u8) -> [u8; 32] {
        let mut order = [0xff; 32];
        order[4..8].fill(0);
        order[16..].copy_from_slice(&0xbce6_faad_a717_9e84_f3b9_cac2_fc63_2551_u128.to_be_bytes());
        order[31] = order[31].wrapping_add(add);
        order
    }

    #[test]
    fn the_first_number_from_one_to_the_order_is_taken() {
        let (zero, order, last) = ([0; 32], near_order(0), near_order(0xff));
        let one = core::array::from_fn(|i| (i == 31) as u8);
        for (numbers, expected) in [
            ([one, last, zero, order], one),
            ([last, one, zero, order], last),
            ([order, zero, [0xff; 32], last], last),
            ([zero, order, one, last], one),
        ] {
            assert_eq!(scalar::<P256>(numbers.as_flattened()), expected);
        }
        let (zero, one) = ([0; 48], core::array::from_fn::<_, 48, _>(|i| (i == 47) as u8));
        assert_eq!(scalar::<P384>(&one), one);
        assert_ne!(scalar::<P384>(&zero), zero);
    }

    #[test]
    fn a_seed_without_a_scalar_gives_one_all_the_same() {
        let seed = [0xff; 128];
        let mut next = [0; 128];
        shake256(&seed, &mut next);
        assert_eq!(scalar::<P256>(&seed), next[..32]);
        let seed = [0xff; 48];
        let mut next = [0; 48];
        shake256(&seed, &mut next);
        assert_eq!(scalar::<P384>(&seed), next);
    }

    fn exchange<G: Group>() {
        let scalars = [1, 2].map(|byte| {
            let mut seed = G::Seed::ZERO;
            seed.as_mut().fill(byte);
            scalar::<G>(seed.as_ref())
        });
        let mut elements = [[0; 97]; 2];
        let mut secrets = [G::Scalar::ZERO; 2];
        for (scalar, element) in scalars.iter().zip(&mut elements) {
            G::public(scalar, &mut element[..G::ELEMENT_SIZE]);
            assert!(G::is_element(&element[..G::ELEMENT_SIZE]));
        }
        for (i, secret) in secrets.iter_mut().enumerate() {
            G::exchange(&scalars[i], &elements[1 - i][..G::ELEMENT_SIZE], secret);
        }
        assert_eq!(secrets[0], secrets[1]);
        assert_ne!(secrets[0], G::Scalar::ZERO);
        for length in (0..G::ELEMENT_SIZE).chain([97 + 1]) {
            assert!(!G::is_element(&[4; 98][..length]), "{length} bytes");
        }
        // The same point, compressed: SEC 1 has it, the draft does not.
        let compressed = (G::ELEMENT_SIZE + 1) >> 1;
        elements[0][0] = 2 | elements[0][G::ELEMENT_SIZE - 1] & 1;
        assert!(!G::is_element(&elements[0][..compressed]));
    }

    #[test]
    fn two_sides_have_the_same_secret() {
        exchange::<X25519>();
        exchange::<P256>();
        exchange::<P384>();
    }
}
