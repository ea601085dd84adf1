//! FIPS 203 (August 2024), written once, in safe Rust, over any [`Backend`](crate::backend::Backend).
//!
//! | FIPS 203 | file |
//! |---|---|
//! | 3.3 Implementation requirements (secrets) | `ct.rs` |
//! | 4.1 Cryptographic functions | `symmetric.rs` |
//! | 4.2, 4.3 Encoding, sampling, transform | the contract in `backend/mod.rs` |
//! | 5 The K-PKE component scheme | `k_pke.rs`; for little memory `streamed.rs` |
//! | 6 Internal algorithms, 7 ML-KEM | `kem.rs`; for several inputs side by side `side_by_side.rs`, `many.rs`, `pool.rs` |
//! | 7.2, 7.3 Input checks, the types users hold | `keys.rs`, `encapsulation.rs`, `decapsulation.rs`, `prepared.rs`; by set `api.rs`; memory of the caller's `scratch.rs` |
//! | 8 Parameter sets | `params.rs`, `sets.rs`; arrays of their sizes `bytes.rs` |
//!
//! `on_backend.rs` is section 6 for backends from outside.

mod api;
pub(crate) mod bytes;
pub(crate) mod ct;
pub(crate) mod decapsulation;
pub(crate) mod encapsulation;
mod error;
#[cfg(feature = "incremental")]
mod incremental;
pub(crate) mod k_pke;
pub(crate) mod kem;
pub(crate) mod keys;
mod many;
#[cfg(feature = "internals")]
pub mod on_backend;
pub(crate) mod params;
#[cfg(test)]
mod permutations;
#[cfg(feature = "alloc")]
mod pool;
mod prepared;
#[cfg(feature = "small")]
mod scratch;
mod self_test;
pub(crate) mod sets;
pub(crate) mod side_by_side;
mod streamed;
pub(crate) mod symmetric;

pub use api::{ml_kem_512, ml_kem_768, ml_kem_1024};
pub use bytes::Bytes;
#[cfg(feature = "internals")]
pub use ct::constant_time;
pub use decapsulation::DecapsulationKey;
pub use encapsulation::{Ciphertext, CiphertextRef, EncapsulationKey};
pub use error::Error;
#[cfg(feature = "incremental")]
pub use incremental::{CiphertextPart, EncapsulationHeader, EncapsulationState, HEADER_SIZE, STATE_SIZE};
pub use keys::{ExpandedDecapsulationKey, SEED_SIZE, SHARED_SECRET_SIZE, Seed, SharedSecret};
pub use params::{MlKem512, MlKem768, MlKem1024};
#[cfg(feature = "alloc")]
pub use pool::EphemeralPool;
pub use prepared::{PreparedDecapsulationKey, PreparedEncapsulationKey};
#[cfg(feature = "small")]
pub use scratch::Scratch;
pub use self_test::{self_test, self_test_decapsulation, self_test_encapsulation, self_test_key_generation};
pub use sets::ParameterSet;
