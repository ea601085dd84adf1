#![doc = include_str!("../README.md")]
#![no_std]
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;
// Unit tests run where std is.
#[cfg(test)]
extern crate std;

#[cfg(not(feature = "internals"))]
#[allow(unreachable_pub, dead_code)] // what `internals` would show
mod backend;
#[cfg(feature = "internals")]
pub mod backend;
#[cfg(feature = "pkcs8")]
mod formats;
mod frontend;
#[cfg(feature = "hybrid")]
#[cfg_attr(docsrs, doc(cfg(feature = "hybrid")))]
pub mod hybrid;
#[cfg(not(feature = "internals"))]
#[allow(unreachable_pub, dead_code)] // likewise
mod sponge;
#[cfg(feature = "internals")]
pub mod sponge;
#[cfg(any(feature = "kem", feature = "serde"))]
mod traits;

#[cfg(feature = "pkcs8")]
pub use formats::{AnyDecapsulationKey, AnyEncapsulationKey, KeyFormatError, PrivateKeyForm};
#[cfg(feature = "alloc")]
pub use frontend::EphemeralPool;
pub use frontend::{
    Bytes, Ciphertext, CiphertextRef, DecapsulationKey, EncapsulationKey, Error, ExpandedDecapsulationKey,
    MlKem512, MlKem768, MlKem1024, ParameterSet, PreparedDecapsulationKey, PreparedEncapsulationKey,
    SEED_SIZE, SHARED_SECRET_SIZE, Seed, SharedSecret, ml_kem_512, ml_kem_768, ml_kem_1024, self_test,
    self_test_decapsulation, self_test_encapsulation, self_test_key_generation,
};
#[cfg(feature = "incremental")]
pub use frontend::{CiphertextPart, EncapsulationHeader, EncapsulationState, HEADER_SIZE, STATE_SIZE};

#[cfg(feature = "small")]
#[cfg_attr(docsrs, doc(cfg(feature = "small")))]
pub use frontend::Scratch;
#[cfg(feature = "internals")]
pub use frontend::{constant_time, on_backend};

// Both appear in public signatures.
pub use {rand_core, zeroize};

/// The name of the backend that serves this process: `"portable"` or the instruction set in use.
///
/// If a backend is forced by `--cfg kemstone_backend="..."`, this is how a program can be sure of it. A name that does not
/// exist forces nothing, and the compiler does not see it; on a machine that lacks the forced backend `"portable"` serves.
///
/// ```
/// println!("ML-KEM runs on {}", kemstone::backend());
/// ```
#[must_use]
pub fn backend() -> &'static str {
    backend::select::Selected::best().name()
}
