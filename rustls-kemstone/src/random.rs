//! Randomness for groups that are made before any provider is known.

use rustls::crypto::{GetRandomFailed, SecureRandom};

/// The operating system's randomness, by the crate `getrandom`.
///
/// For groups in statics. Groups that are added to a provider draw from the provider's own source.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandom;

impl SecureRandom for SystemRandom {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(buf).map_err(|_| GetRandomFailed)
    }
}
