//! The traits of the crate `kem` 0.3: keys by their seeds.
//!
//! `SharedKey` there is an array, which nothing wipes: that is the caller's to do, or to leave to the methods of the types
//! themselves, which come first where both have a name.

use core::convert::Infallible;

#[cfg(feature = "hybrid")]
use ::kem::TryDecapsulate;
use ::kem::common::array::{Array, sizes};
use ::kem::common::{Generate, InvalidKey, Key, KeyExport, KeyInit, KeySizeUser, TryKeyInit};
use ::kem::{Ciphertext, Decapsulate, Decapsulator, Encapsulate, Kem, SharedKey};
use rand_core::{CryptoRng, TryCryptoRng};

use crate::frontend::decapsulation::Generate as _;
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

/// What all KEMs have.
macro_rules! kem {
    ($set:ty, $dk:ty, $ek:ty, $encapsulation_key:ident, $ciphertext:ident) => {
        impl Kem for $set {
            type DecapsulationKey = $dk;
            type EncapsulationKey = $ek;
            type SharedKeySize = sizes::U32;
            type CiphertextSize = sizes::$ciphertext;
        }

        impl Decapsulator for $dk {
            type Kem = $set;

            fn encapsulation_key(&self) -> &$ek {
                self.encapsulation_key()
            }
        }

        impl KeySizeUser for $ek {
            type KeySize = sizes::$encapsulation_key;
        }

        impl TryKeyInit for $ek {
            fn new(bytes: &Key<Self>) -> Result<Self, InvalidKey> {
                Self::from_bytes(&bytes.0).map_err(|_| InvalidKey)
            }
        }

        impl KeyExport for $ek {
            fn to_bytes(&self) -> Key<Self> {
                Array(self.to_bytes())
            }
        }

        impl Encapsulate for $ek {
            type Kem = $set;

            fn encapsulate_with_rng<R: CryptoRng + ?Sized>(
                &self,
                rng: &mut R,
            ) -> (Ciphertext<$set>, SharedKey<$set>) {
                let mut pair = <(Ciphertext<$set>, SharedKey<$set>)>::default();
                let Ok::<_, Infallible>(()) = self.encapsulate_into(
                    |to| {
                        rng.fill_bytes(&mut to[..]);
                        Ok(())
                    },
                    &mut pair.0.0,
                    &mut pair.1.0,
                );
                pair
            }
        }
    };
}

macro_rules! parameter_set {
    ($set:ident, $encapsulation_key:ident, $ciphertext:ident) => {
        kem!($set, DecapsulationKey<$set>, EncapsulationKey<$set>, $encapsulation_key, $ciphertext);

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
    };
}

parameter_set!(MlKem512, U800, U768);
parameter_set!(MlKem768, U1184, U1088);
parameter_set!(MlKem1024, U1568, U1568);

/// Of X-Wing any ciphertext has a secret; on the curves of the others, one that has no point has none.
#[cfg(feature = "hybrid")]
mod hybrid {
    use super::*;
    use crate::frontend::Error;
    use crate::hybrid::{
        self, DecapsulationKey, EncapsulationKey, HybridKem, MlKem768P256, MlKem1024P384, XWing,
    };

    impl<H: HybridKem> Generate for DecapsulationKey<H> {
        fn try_generate_from_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
            Self::try_generate_from_rng(rng)
        }
    }

    impl<H: HybridKem> KeySizeUser for DecapsulationKey<H> {
        type KeySize = sizes::U32;
    }

    impl<H: HybridKem> KeyExport for DecapsulationKey<H> {
        fn to_bytes(&self) -> Key<Self> {
            Array(*self.to_seed().as_bytes())
        }
    }

    impl<H: HybridKem> KeyInit for DecapsulationKey<H> {
        fn new(seed: &Key<Self>) -> Self {
            Self::with_seed(&seed.0)
        }
    }

    kem!(XWing, DecapsulationKey<XWing>, EncapsulationKey<XWing>, U1216, U1120);
    kem!(MlKem768P256, DecapsulationKey<MlKem768P256>, EncapsulationKey<MlKem768P256>, U1249, U1153);
    kem!(MlKem1024P384, DecapsulationKey<MlKem1024P384>, EncapsulationKey<MlKem1024P384>, U1665, U1665);

    impl Decapsulate for DecapsulationKey<XWing> {
        fn decapsulate(&self, ciphertext: &Ciphertext<XWing>) -> SharedKey<XWing> {
            let mut secret = SharedKey::<XWing>::default();
            self.decapsulate_bytes(&ciphertext.0, &mut secret.0);
            secret
        }
    }

    macro_rules! curve {
        ($kem:ident) => {
            impl TryDecapsulate for DecapsulationKey<$kem> {
                type Error = Error;

                fn try_decapsulate(&self, ciphertext: &Ciphertext<$kem>) -> Result<SharedKey<$kem>, Error> {
                    let ciphertext = hybrid::Ciphertext::from_bytes(&ciphertext.0)?;
                    let mut secret = SharedKey::<$kem>::default();
                    self.decapsulate_into(&ciphertext, &mut secret.0);
                    Ok(secret)
                }
            }
        };
    }

    curve!(MlKem768P256);
    curve!(MlKem1024P384);
}
