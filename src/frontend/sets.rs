//! FIPS 203, section 8: the parameter sets as users name them, and the algorithms for each.

use core::fmt::Debug;
use core::hash::Hash;

use super::bytes::Bytes;
use super::ct::Wipe;
#[cfg(feature = "internals")]
use super::k_pke;
use super::kem::{self, AnyPreparedDk, AnyPreparedEk, Dk, DkMut, Ek};
use super::params::{ENCODED, MlKem512, MlKem768, MlKem1024, ct_size, dk_size, ek_size};
use super::side_by_side::{self, Decapsulation, Encapsulation, Group, KeyGeneration};
#[cfg(feature = "small")]
use super::streamed::Memory;
#[cfg(feature = "internals")]
use crate::backend::Backend;
use crate::backend::select::{Held, Selected, with_backend, with_held};
#[cfg(feature = "small")]
use crate::backend::small::Small;

/// One of the three parameter sets of FIPS 203, section 8: [`MlKem512`], [`MlKem768`] or [`MlKem1024`]. There can be no
/// others.
///
/// Keys and ciphertexts are generic over it, so that code can be, too:
///
/// ```
/// use kemstone::{CiphertextRef, DecapsulationKey, Error, ParameterSet, SharedSecret};
///
/// fn receive<S: ParameterSet>(key: &DecapsulationKey<S>, message: &[u8]) -> Result<SharedSecret, Error> {
///     let ciphertext = CiphertextRef::<S>::try_from(message)?;
///     Ok(key.decapsulate(ciphertext))
/// }
///
/// let key = kemstone::ml_kem_512::DecapsulationKey::from_seed(&kemstone::Seed::from([1; 64]));
/// assert!(receive(&key, &[2; kemstone::MlKem512::CIPHERTEXT_SIZE]).is_ok());
/// assert_eq!(receive(&key, &[2; 1088]).err(), Some(Error::Length));
/// ```
pub trait ParameterSet: sealed::Sealed + Copy + Debug + Ord + Hash + Send + Sync + 'static {
    /// The name in the standard: `ML-KEM-768`, for example.
    const NAME: &'static str;
    /// Its object identifier (RFC 9935, section 3).
    const OID: &'static str;
    /// Bytes of an encapsulation key.
    const ENCAPSULATION_KEY_SIZE: usize;
    /// Where in an expanded decapsulation key the encapsulation key begins.
    const ENCAPSULATION_KEY_OFFSET: usize;
    /// Bytes of an expanded decapsulation key.
    const DECAPSULATION_KEY_SIZE: usize;
    /// Bytes of a ciphertext.
    const CIPHERTEXT_SIZE: usize;
    /// An array of [`ENCAPSULATION_KEY_SIZE`](Self::ENCAPSULATION_KEY_SIZE) bytes.
    type EncapsulationKeyBytes: Bytes;
    /// An array of [`DECAPSULATION_KEY_SIZE`](Self::DECAPSULATION_KEY_SIZE) bytes.
    type DecapsulationKeyBytes: Bytes;
    /// An array of [`CIPHERTEXT_SIZE`](Self::CIPHERTEXT_SIZE) bytes.
    type CiphertextBytes: Bytes;
}

pub(crate) mod sealed {
    #[cfg(feature = "internals")]
    use super::Backend;
    #[cfg(feature = "small")]
    use super::Wipe;
    use super::{Bytes, Decapsulation, Dk, DkMut, Ek, Encapsulation, Group, Held, KeyGeneration};
    use crate::backend::select::PerBackend;

    /// dk_PKE, in an array.
    pub(crate) type DkPke<S> = <<S as Sealed>::SealedAlgorithms as Algorithms>::DkPke;
    pub(crate) type PreparedEk<S> = <<S as Sealed>::SealedAlgorithms as Algorithms>::PreparedEk;
    pub(crate) type PreparedDk<S> = <<S as Sealed>::SealedAlgorithms as Algorithms>::PreparedDk;

    /// One name in the way of what users call theirs.
    pub trait Sealed {
        type SealedAlgorithms: Algorithms;
    }

    /// What `kem.rs` does, for one set on the backend in use. Bytes have the lengths of the set. Each takes an argument that only
    /// this crate can make.
    ///
    /// Each is a function that is compiled with this crate: what is generic over the set is compiled where it is called.
    pub trait Algorithms: Sized {
        /// k.
        const K: usize;
        /// Bytes of the first part of a ciphertext.
        const C1_SIZE: usize;
        /// dk_PKE.
        type DkPke: Bytes;
        type PreparedEk: PerBackend;
        type PreparedDk: PerBackend;

        fn key_gen(d: &[u8; 32], z: &[u8; 32], dk: DkMut<'_>);
        fn ek_is_valid(ek: Ek<'_>) -> bool;
        fn dk_is_valid(dk: Dk<'_>) -> bool;
        fn encaps(ek: Ek<'_>, m: &[u8; 32], c: &mut [u8], k: &mut [u8; 32]);
        fn decaps(dk: Dk<'_>, c: &[u8], k: &mut [u8; 32]);
        /// `ek` is rho: the key without t.
        #[cfg(feature = "incremental")]
        fn encaps_header(ek: Ek<'_>, h_ek: &[u8; 32], m: &[u8; 32], c: &mut [u8], k: &mut [u8; 32]);
        fn decaps_checked(dk: Dk<'_>, c: &[u8], k: &mut [u8; 32]) -> bool;

        fn prepare_ek(held: &mut Held<Self::PreparedEk>, ek: Ek<'_>);
        fn encaps_prepared(held: &Held<Self::PreparedEk>, m: &[u8; 32], c: &mut [u8], k: &mut [u8; 32]);
        fn prepare_dk(held: &mut Held<Self::PreparedDk>, dk: Dk<'_>);
        fn key_gen_prepared(held: &mut Held<Self::PreparedDk>, d: &[u8; 32], z: &[u8; 32], dk: DkMut<'_>);
        fn decaps_prepared(held: &Held<Self::PreparedDk>, z: &[u8; 32], c: &[u8], k: &mut [u8; 32]);
        fn wipe_dk(held: &mut Held<Self::PreparedDk>);

        /// What an operation on the backend `small` works on.
        #[cfg(feature = "small")]
        type Memory: Wipe + Send + Sync + 'static;
        #[cfg(feature = "small")]
        const MEMORY: Self::Memory;
        #[cfg(feature = "small")]
        fn key_gen_in(memory: &mut Self::Memory, d: &[u8; 32], z: &[u8; 32], dk: DkMut<'_>);
        #[cfg(feature = "small")]
        fn encaps_in(memory: &mut Self::Memory, ek: Ek<'_>, m: &[u8; 32], c: &mut [u8], k: &mut [u8; 32]);
        #[cfg(feature = "small")]
        fn decaps_checked_in(memory: &mut Self::Memory, dk: Dk<'_>, c: &[u8], k: &mut [u8; 32]) -> bool;

        fn key_gen_group(group: &mut Group<KeyGeneration<'_>>);
        /// A key prepared for each of the group.
        #[cfg(feature = "alloc")]
        fn key_gen_prepared_group(
            held: &mut Group<&mut Held<Self::PreparedDk>>,
            group: &mut Group<KeyGeneration<'_>>,
        );
        fn encaps_group(group: &mut Group<Encapsulation<'_>>);
        fn decaps_group(group: &mut Group<Decapsulation<'_>>);
        fn encaps_prepared_group(held: &Held<Self::PreparedEk>, group: &mut Group<Encapsulation<'_>>);
        fn decaps_prepared_group(held: &Held<Self::PreparedDk>, group: &mut Group<Decapsulation<'_>>);

        /// The three algorithms with the checks of their inputs, and a group, on another backend.
        #[cfg(feature = "internals")]
        fn key_gen_on<B: Backend>(backend: B, d: &[u8; 32], z: &[u8; 32], dk: DkMut<'_>);
        #[cfg(feature = "internals")]
        fn encaps_on<B: Backend>(
            backend: B,
            ek: Ek<'_>,
            m: &[u8; 32],
            c: &mut [u8],
            k: &mut [u8; 32],
        ) -> bool;
        #[cfg(feature = "internals")]
        fn decaps_on<B: Backend>(backend: B, dk: Dk<'_>, c: &[u8], k: &mut [u8; 32]) -> bool;
        #[cfg(feature = "internals")]
        fn key_gen_group_on<B: Backend>(backend: B, group: &mut Group<KeyGeneration<'_>>);
        /// Without the hash that makes rho and sigma.
        #[cfg(feature = "internals")]
        fn key_gen_from_on<B: Backend>(backend: B, rho_sigma: &[[u8; 32]; 2], z: &[u8; 32], dk: DkMut<'_>);
    }
}

macro_rules! parameter_set {
    ($set:ident, $name:literal, $oid:literal, $k:literal, $u:expr, $v:expr) => {
        impl ParameterSet for $set {
            const NAME: &'static str = $name;
            const OID: &'static str = $oid;
            const ENCAPSULATION_KEY_SIZE: usize = ek_size($k);
            const ENCAPSULATION_KEY_OFFSET: usize = ENCODED * $k;
            const DECAPSULATION_KEY_SIZE: usize = dk_size($k);
            const CIPHERTEXT_SIZE: usize = ct_size($k, $u, $v);
            type EncapsulationKeyBytes = [u8; ek_size($k)];
            type DecapsulationKeyBytes = [u8; dk_size($k)];
            type CiphertextBytes = [u8; ct_size($k, $u, $v)];
        }

        impl sealed::Sealed for $set {
            type SealedAlgorithms = Self;
        }

        impl sealed::Algorithms for $set {
            const K: usize = $k;
            const C1_SIZE: usize = $u * $k;
            type DkPke = [u8; ENCODED * $k];
            type PreparedEk = AnyPreparedEk<$k>;
            type PreparedDk = AnyPreparedDk<$k>;

            fn key_gen(d: &[u8; 32], z: &[u8; 32], dk: DkMut<'_>) {
                with_backend!(Selected::best(), backend => {
                    kem::key_gen_internal::<_, Self, $k, { $u }, { $v }>(backend, d, z, dk);
                });
            }

            fn ek_is_valid(ek: Ek<'_>) -> bool {
                with_backend!(public: Selected::best(), backend => kem::ek_is_valid::<_, $k>(backend, ek.0))
            }

            fn dk_is_valid(dk: Dk<'_>) -> bool {
                with_backend!(Selected::best(), backend => kem::dk_is_valid::<_, $k>(backend, dk))
            }

            fn encaps(ek: Ek<'_>, m: &[u8; 32], c: &mut [u8], k: &mut [u8; 32]) {
                with_backend!(Selected::best(), backend => {
                    kem::encaps_internal::<_, Self, $k, { $u }, { $v }>(backend, ek.0, m, c, k);
                });
            }

            #[cfg(feature = "incremental")]
            fn encaps_header(
                ek: Ek<'_>,
                h_ek: &[u8; 32],
                m: &[u8; 32],
                c: &mut [u8],
                k: &mut [u8; 32],
            ) {
                with_backend!(Selected::best(), backend => {
                    kem::encaps_header::<_, Self, $k, { $u }, { $v }>(backend, ek.0, h_ek, m, c, k);
                });
            }

            fn decaps(dk: Dk<'_>, c: &[u8], k: &mut [u8; 32]) {
                let Ok(c) = Bytes::from_slice(c) else { return };
                with_backend!(Selected::best(), backend => {
                    kem::decaps_internal::<_, Self, $k, { $u }, { $v }>(backend, dk, c, k);
                });
            }

            fn decaps_checked(dk: Dk<'_>, c: &[u8], k: &mut [u8; 32]) -> bool {
                let Ok(c) = Bytes::from_slice(c) else { return false };
                with_backend!(Selected::best(), backend => {
                    kem::decaps_checked::<_, Self, $k, { $u }, { $v }>(backend, dk, c, k)
                })
            }

            fn prepare_ek(held: &mut Held<Self::PreparedEk>, ek: Ek<'_>) {
                // True: the key has passed the check of section 7.2.
                with_held!(held, (backend, held) => held.prepare(*backend, ek.0));
            }

            fn encaps_prepared(held: &Held<Self::PreparedEk>, m: &[u8; 32], c: &mut [u8], k: &mut [u8; 32]) {
                with_held!(held, (backend, held) => {
                    kem::encaps_prepared::<_, Self, $k, { $u }, { $v }>(*backend, held, m, c, k);
                });
            }

            fn prepare_dk(held: &mut Held<Self::PreparedDk>, dk: Dk<'_>) {
                with_held!(held, (backend, held) => held.prepare(*backend, dk));
            }

            fn key_gen_prepared(
                held: &mut Held<Self::PreparedDk>,
                d: &[u8; 32],
                z: &[u8; 32],
                dk: DkMut<'_>,
            ) {
                with_held!(held, (backend, held) => {
                    kem::key_gen_prepared::<_, Self, $k, { $u }, { $v }>(*backend, d, z, dk, held);
                });
            }

            fn decaps_prepared(held: &Held<Self::PreparedDk>, z: &[u8; 32], c: &[u8], k: &mut [u8; 32]) {
                let Ok(c) = Bytes::from_slice(c) else { return };
                with_held!(held, (backend, held) => {
                    kem::decaps_prepared::<_, Self, $k, { $u }, { $v }>(*backend, held, z, c, k);
                });
            }

            fn wipe_dk(held: &mut Held<Self::PreparedDk>) {
                with_held!(held, (_backend, held) => held.wipe());
            }

            #[cfg(feature = "small")]
            type Memory = Memory<Small, $k>;
            #[cfg(feature = "small")]
            const MEMORY: Self::Memory = Memory::ZERO;

            #[cfg(feature = "small")]
            fn key_gen_in(memory: &mut Self::Memory, d: &[u8; 32], z: &[u8; 32], dk: DkMut<'_>) {
                kem::key_gen_in::<_, Self, $k, { $u }, { $v }>(Small, &Small::STREAMED, memory, d, z, dk);
            }

            #[cfg(feature = "small")]
            fn encaps_in(
                memory: &mut Self::Memory,
                ek: Ek<'_>,
                m: &[u8; 32],
                c: &mut [u8],
                k: &mut [u8; 32],
            ) {
                kem::encaps_in::<_, Self, $k, { $u }, { $v }>(
                    Small,
                    &Small::STREAMED,
                    memory,
                    ek.0,
                    m,
                    c,
                    k,
                );
            }

            #[cfg(feature = "small")]
            fn decaps_checked_in(memory: &mut Self::Memory, dk: Dk<'_>, c: &[u8], k: &mut [u8; 32]) -> bool {
                kem::decaps_checked_in::<_, Self, $k, { $u }, { $v }>(
                    Small,
                    &Small::STREAMED,
                    memory,
                    dk,
                    c,
                    k,
                )
            }

            fn key_gen_group(group: &mut Group<KeyGeneration<'_>>) {
                with_backend!(Selected::best(), backend => {
                    side_by_side::key_gen::<_, Self, $k, { $u }, { $v }>(backend, group);
                });
            }

            #[cfg(feature = "alloc")]
            fn key_gen_prepared_group(
                held: &mut Group<&mut Held<Self::PreparedDk>>,
                group: &mut Group<KeyGeneration<'_>>,
            ) {
                with_backend!(Selected::best(), backend => {
                    let mut prepared =
                        held.each_mut().map(|held| held.as_mut().and_then(|held| held.of_mut(backend)));
                    if prepared.iter().flatten().count() == group.iter().flatten().count() {
                        side_by_side::key_gen_prepared::<_, Self, $k, { $u }, { $v }>(
                            backend,
                            group,
                            &mut prepared,
                        );
                        return;
                    }
                });
                // Not all of this backend.
                for (held, KeyGeneration { d, z, dk }) in held.iter_mut().flatten().zip(group.iter_mut().flatten()) {
                    Self::key_gen_prepared(held, d, z, dk.reborrow());
                }
            }

            fn encaps_group(group: &mut Group<Encapsulation<'_>>) {
                with_backend!(Selected::best(), backend => {
                    side_by_side::encaps::<_, Self, $k, { $u }, { $v }>(backend, group);
                });
            }

            fn decaps_group(group: &mut Group<Decapsulation<'_>>) {
                with_backend!(Selected::best(), backend => {
                    side_by_side::decaps::<_, Self, $k, { $u }, { $v }>(backend, group);
                });
            }

            fn encaps_prepared_group(held: &Held<Self::PreparedEk>, group: &mut Group<Encapsulation<'_>>) {
                with_held!(held, (backend, held) => {
                    side_by_side::encaps_prepared::<_, Self, $k, { $u }, { $v }>(*backend, held, group);
                });
            }

            fn decaps_prepared_group(
                held: &Held<Self::PreparedDk>,
                group: &mut Group<Decapsulation<'_>>,
            ) {
                with_held!(held, (backend, held) => {
                    side_by_side::decaps_prepared::<_, Self, $k, { $u }, { $v }>(*backend, held, group);
                });
            }

            #[cfg(feature = "internals")]
            fn key_gen_on<B: Backend>(backend: B, d: &[u8; 32], z: &[u8; 32], dk: DkMut<'_>) {
                kem::key_gen_internal::<_, Self, $k, { $u }, { $v }>(backend, d, z, dk);
            }

            #[cfg(feature = "internals")]
            fn encaps_on<B: Backend>(
                backend: B,
                ek: Ek<'_>,
                m: &[u8; 32],
                c: &mut [u8],
                k: &mut [u8; 32],
            ) -> bool {
                let valid = kem::ek_is_valid::<_, $k>(backend, ek.0);
                if valid {
                    kem::encaps_internal::<_, Self, $k, { $u }, { $v }>(backend, ek.0, m, c, k);
                }
                valid
            }

            #[cfg(feature = "internals")]
            fn decaps_on<B: Backend>(backend: B, dk: Dk<'_>, c: &[u8], k: &mut [u8; 32]) -> bool {
                let Ok(c) = Bytes::from_slice(c) else { return false };
                kem::decaps_checked::<_, Self, $k, { $u }, { $v }>(backend, dk, c, k)
            }

            #[cfg(feature = "internals")]
            fn key_gen_group_on<B: Backend>(backend: B, group: &mut Group<KeyGeneration<'_>>) {
                side_by_side::key_gen::<_, Self, $k, { $u }, { $v }>(backend, group);
            }

            #[cfg(feature = "internals")]
            fn key_gen_from_on<B: Backend>(
                backend: B,
                rho_sigma: &[[u8; 32]; 2],
                z: &[u8; 32],
                dk: DkMut<'_>,
            ) {
                k_pke::key_gen::<_, Self, $k, { $u }, { $v }>(backend, rho_sigma, dk.ek, dk.dk_pke, dk.h_ek);
                *dk.z = *z;
            }
        }
    };
}

parameter_set!(MlKem512, "ML-KEM-512", "2.16.840.1.101.3.4.4.1", 2, 32 * 10, 32 * 4);
parameter_set!(MlKem768, "ML-KEM-768", "2.16.840.1.101.3.4.4.2", 3, 32 * 10, 32 * 4);
parameter_set!(MlKem1024, "ML-KEM-1024", "2.16.840.1.101.3.4.4.3", 4, 32 * 11, 32 * 5);
