//! The traits of other crates, for this crate's types.

#[cfg(feature = "kem")]
mod kem;
#[cfg(feature = "serde")]
mod serde;
