//! X25519 of the crate `x25519-dalek`, and the hybrid over it: Rust from end to end, for providers that have no X25519.
//!
//! ```
//! use rustls_kemstone::{PostQuantum, dalek};
//! # fn provider_without_x25519() -> rustls::crypto::CryptoProvider {
//! #     let mut provider = rustls::crypto::ring::default_provider();
//! #     provider.kx_groups.retain(|group| group.name() != rustls::NamedGroup::X25519);
//! #     provider
//! # }
//!
//! let provider = PostQuantum::new().classical(dalek::X25519).apply(provider_without_x25519())?;
//! # Ok::<(), rustls_kemstone::ProviderError>(())
//! ```

use alloc::boxed::Box;
use core::fmt;

use rustls::crypto::{ActiveKeyExchange, SecureRandom, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::random::SystemRandom;
use crate::rustls_0_23::KxGroup;

/// [`X25519Group`] with the operating system's randomness.
pub static X25519: &dyn SupportedKxGroup = &X25519Group::new(&SystemRandom);

/// X25519MLKEM768 over it, with the operating system's randomness.
pub static X25519MLKEM768: &dyn SupportedKxGroup = &KxGroup::x25519_mlkem768(X25519, &SystemRandom);

/// X25519 (RFC 7748), for TLS 1.3 and 1.2: shares and secrets of 32 bytes.
///
/// A share that leads to a secret of zeros is refused with [`PeerMisbehaved::InvalidKeyShare`], as is one of another length.
#[derive(Clone, Copy)]
pub struct X25519Group {
    random: &'static dyn SecureRandom,
}

impl X25519Group {
    /// With keys from this source of randomness.
    #[must_use]
    pub const fn new(random: &'static dyn SecureRandom) -> Self {
        Self { random }
    }
}

impl fmt::Debug for X25519Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("X25519")
    }
}

impl SupportedKxGroup for X25519Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.random.fill(&mut *bytes)?;
        let secret = StaticSecret::from(*bytes);
        let public = PublicKey::from(&secret);
        Ok(Box::new(Active { secret, public }))
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }

    fn fips(&self) -> bool {
        false
    }
}

struct Active {
    secret: StaticSecret,
    public: PublicKey,
}

impl ActiveKeyExchange for Active {
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        let theirs: [u8; 32] = peer_pub_key.try_into().map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
        let shared = self.secret.diffie_hellman(&PublicKey::from(theirs));
        // RFC 8446, section 7.4.2: abort if the result is all zero.
        if !shared.was_contributory() {
            return Err(PeerMisbehaved::InvalidKeyShare.into());
        }
        Ok(SharedSecret::from(&shared.as_bytes()[..]))
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}
