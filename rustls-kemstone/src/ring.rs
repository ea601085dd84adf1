//! rustls's provider `ring` with post-quantum groups, and these groups as statics.
//!
//! ```
//! use std::sync::Arc;
//!
//! let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls_kemstone::ring::default_provider()))
//!     .with_safe_default_protocol_versions()?
//!     .with_root_certificates(rustls::RootCertStore::empty())
//!     .with_no_client_auth();
//! # Ok::<(), rustls::Error>(())
//! ```

use rustls::crypto::ring::kx_group;
use rustls::crypto::{CryptoProvider, SupportedKxGroup};

use crate::random::SystemRandom;
use crate::rustls_0_23::KxGroup;

/// X25519MLKEM768 over *ring*'s X25519.
pub static X25519MLKEM768: &dyn SupportedKxGroup = &KxGroup::x25519_mlkem768(kx_group::X25519, &SystemRandom);

/// SecP256r1MLKEM768 over *ring*'s secp256r1.
pub static SECP256R1MLKEM768: &dyn SupportedKxGroup =
    &KxGroup::secp256r1_mlkem768(kx_group::SECP256R1, &SystemRandom);

/// SecP384r1MLKEM1024 over *ring*'s secp384r1.
pub static SECP384R1MLKEM1024: &dyn SupportedKxGroup =
    &KxGroup::secp384r1_mlkem1024(kx_group::SECP384R1, &SystemRandom);

/// rustls's provider `ring` with X25519MLKEM768 first: as
/// [`with_post_quantum`](crate::with_post_quantum)`(rustls::crypto::ring::default_provider())`.
#[must_use]
pub fn default_provider() -> CryptoProvider {
    crate::with_post_quantum(rustls::crypto::ring::default_provider())
}
