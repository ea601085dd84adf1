//! The traits of the crate `kem` 0.3: keys by their seeds.
//!
//! `SharedKey` there is an array, which nothing wipes: that is the caller's to do, or to leave to the methods of the types
//! themselves, which come first where both have a name.

use ::kem::common::array::{Array, sizes};
use ::kem::common::{Generate, InvalidKey, Key, KeyExport, KeyInit, KeySizeUser, TryKeyInit};
use ::kem::{Ciphertext, Decapsulate, Decapsulator, Encapsulate, Kem, SharedKey};
use rand_core::{CryptoRng, TryCryptoRng};

use crate::frontend::ct::Secret;
use crate::frontend::decapsulation::Generate as _;
use crate::frontend::encapsulation::Encapsulate as _;
use crate::frontend::{
    CiphertextRef, DecapsulationKey, EncapsulationKey, MlKem512, MlKem768, MlKem1024, ParameterSet,
};

impl<S: ParameterSet> Generate for DecapsulationKey<S> {
    fn try_generate_from_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
        Self::with(|seed| rng.try_fill_bytes(seed))
    }
}

impl<S: ParameterSet> KeySizeUser for DecapsulationKey<S> {
    type KeySize = sizes::U64;
}

impl<S: ParameterSet> KeyInit for DecapsulationKey<S> {
    fn new(seed: &Key<Self>) -> Self {
        Self::with_seed(&seed.0)
    }
}

macro_rules! parameter_set {
    ($set:ident, $encapsulation_key:ident, $ciphertext:ident) => {
        impl Kem for $set {
            type DecapsulationKey = DecapsulationKey<$set>;
            type EncapsulationKey = EncapsulationKey<$set>;
            type SharedKeySize = sizes::U32;
            type CiphertextSize = sizes::$ciphertext;
        }

        impl Decapsulator for DecapsulationKey<$set> {
            type Kem = $set;

            fn encapsulation_key(&self) -> &EncapsulationKey<$set> {
                self.encapsulation_key()
            }
        }

        impl Decapsulate for DecapsulationKey<$set> {
            fn decapsulate(&self, ciphertext: &Ciphertext<$set>) -> SharedKey<$set> {
                let mut secret = SharedKey::<$set>::default();
                self.decapsulate_into(&ciphertext.0, &mut secret.0);
                secret
            }
        }

        impl<'a> From<&'a Ciphertext<$set>> for CiphertextRef<'a, $set> {
            fn from(ciphertext: &'a Ciphertext<$set>) -> Self {
                Self::from(&ciphertext.0)
            }
        }

        impl KeySizeUser for EncapsulationKey<$set> {
            type KeySize = sizes::$encapsulation_key;
        }

        impl TryKeyInit for EncapsulationKey<$set> {
            fn new(bytes: &Key<Self>) -> Result<Self, InvalidKey> {
                Self::from_bytes(&bytes.0).map_err(|_| InvalidKey)
            }
        }

        impl KeyExport for EncapsulationKey<$set> {
            fn to_bytes(&self) -> Key<Self> {
                Array(self.to_bytes())
            }
        }

        impl Encapsulate for EncapsulationKey<$set> {
            type Kem = $set;

            fn encapsulate_with_rng<R: CryptoRng + ?Sized>(
                &self,
                rng: &mut R,
            ) -> (Ciphertext<$set>, SharedKey<$set>) {
                let mut m = Secret::new([0; 32]);
                rng.fill_bytes(&mut *m);
                let mut pair = <(Ciphertext<$set>, SharedKey<$set>)>::default();
                self.with_m_into(&m, &mut pair.0.0, &mut pair.1.0);
                pair
            }
        }
    };
}

parameter_set!(MlKem512, U800, U768);
parameter_set!(MlKem768, U1184, U1088);
parameter_set!(MlKem1024, U1568, U1568);
