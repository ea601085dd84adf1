//! The crate `ml-kem`, an independent implementation, behind functions over bytes.
#![allow(dead_code)] // every test file uses its own part

use ml_kem::{Decapsulate, KeyExport};

/// What the other implementation computes for a parameter set.
pub(crate) trait Oracle {
    /// (ek, expanded dk) from d || z.
    fn their_keys(seed: &[u8; 64]) -> (Vec<u8>, Vec<u8>);
    /// (c, K), or nothing if the key is refused.
    fn their_encapsulation(ek: &[u8], m: &[u8; 32]) -> Option<(Vec<u8>, [u8; 32])>;
    /// K, or nothing if the key is refused.
    fn their_secret(expanded: &[u8], c: &[u8]) -> Option<[u8; 32]>;
}

macro_rules! oracle {
    ($set:ty, $module:ident) => {
        impl Oracle for $set {
            #[allow(deprecated)] // expanded keys
            fn their_keys(seed: &[u8; 64]) -> (Vec<u8>, Vec<u8>) {
                use ml_kem::ExpandedKeyEncoding;
                let dk = ml_kem::$module::DecapsulationKey::from_seed((*seed).into());
                (dk.encapsulation_key().to_bytes().to_vec(), dk.to_expanded_bytes().to_vec())
            }

            fn their_encapsulation(ek: &[u8], m: &[u8; 32]) -> Option<(Vec<u8>, [u8; 32])> {
                let ek = ml_kem::$module::EncapsulationKey::new(&ek.try_into().ok()?).ok()?;
                let (c, k) = ek.encapsulate_deterministic(&(*m).into());
                Some((c.to_vec(), k.into()))
            }

            #[allow(deprecated)] // expanded keys
            fn their_secret(expanded: &[u8], c: &[u8]) -> Option<[u8; 32]> {
                let dk = ml_kem::$module::DecapsulationKey::from_expanded(&expanded.try_into().ok()?).ok()?;
                Some(dk.decapsulate(&c.try_into().ok()?).into())
            }
        }
    };
}

oracle!(crate::support::MlKem512, ml_kem_512);
oracle!(crate::support::MlKem768, ml_kem_768);
oracle!(crate::support::MlKem1024, ml_kem_1024);
