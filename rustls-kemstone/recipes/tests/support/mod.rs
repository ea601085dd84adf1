//! A certificate for `localhost` that vouches for itself, and configurations with it: what a program reads from files.

#![allow(dead_code)] // not every recipe uses all of it

use std::sync::{Arc, LazyLock};

use rcgen::{CertifiedKey, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_kemstone::with_post_quantum;

static CERTIFICATE: LazyLock<CertifiedKey<KeyPair>> =
    LazyLock::new(|| rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap());

pub fn certificate() -> String {
    CERTIFICATE.cert.pem()
}

pub fn server_config() -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(CERTIFICATE.signing_key.serialize_der().into());
    let provider = with_post_quantum(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CERTIFICATE.cert.der().clone()], key);
    Arc::new(config.unwrap())
}

pub fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CERTIFICATE.cert.der().clone()).unwrap();
    roots
}

pub fn client_config() -> ClientConfig {
    let provider = with_post_quantum(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots())
        .with_no_client_auth()
}
