#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "dalek")]
pub mod dalek;
mod group;
mod ml_kem;
#[cfg(feature = "std")]
mod pool;
#[cfg(feature = "std")]
mod provider;
#[cfg(feature = "getrandom")]
mod random;
#[cfg(feature = "ring")]
pub mod ring;
mod rustls_0_23;

pub use group::Group;
#[cfg(feature = "std")]
pub use provider::{PostQuantum, ProviderError, with_post_quantum};
#[cfg(feature = "getrandom")]
pub use random::SystemRandom;
pub use rustls_0_23::KxGroup;
