#!/usr/bin/env bash
# A rustls 0.23 server does not choose the key exchange by its own order. The list `CryptoProvider::kx_groups` is documented as in
# order of preference, and for a client it is. A server takes the first group of the client's list that it has, whatever stands
# first in its own, and asks again (HelloRetryRequest) for it although the client has sent a share that both could use at once. So a
# server cannot prefer a post-quantum group, nor avoid a round trip, except by leaving groups out.
#
# Seen with rustls 0.23.46 over ring 0.17 (rcgen 0.14.10 for a certificate), each list as client / server: X25519,P256 / P256,X25519
# agree on X25519; P256,X25519 / X25519,P256 on P256; and a client that lists P256 first and sends a share for X25519 alone is asked
# again by a server whose first is X25519.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"

[dependencies]
rcgen = { version = "=0.14.10", default-features = false, features = ["ring"] }
rustls = { version = "=0.23.46", default-features = false, features = ["ring", "std"] }

[workspace]
TOML
cat >src/main.rs <<'RUST'
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{ring, CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

type Groups = Vec<&'static dyn SupportedKxGroup>;

fn provider(kx_groups: Groups) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { kx_groups, ..ring::default_provider() })
}

/// One handshake; the group and its kind, as the server has them.
fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> String {
    let mut client = ClientConnection::new(client.clone(), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    let group = server.negotiated_key_exchange_group().unwrap().name();
    format!("{group:?} {:?}", server.handshake_kind().unwrap())
}

fn main() {
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.cert.der().clone()).unwrap();
    let client = |groups| {
        let mut config = ClientConfig::builder_with_provider(provider(groups))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        // The group that was agreed on is remembered, the session is not.
        config.resumption = Resumption::in_memory_sessions(8);
        Arc::new(config)
    };
    let server = |groups| {
        let key = PrivateKeyDer::Pkcs8(certificate.signing_key.serialize_der().into());
        let mut config = ServerConfig::builder_with_provider(provider(groups))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.cert.der().clone()], key)
            .unwrap();
        config.send_tls13_tickets = 0;
        Arc::new(config)
    };
    let (x, p) = (ring::kx_group::X25519, ring::kx_group::SECP256R1);
    println!("{}", handshake(&client(vec![x, p]), &server(vec![p, x])));
    let p_first = client(vec![p, x]);
    println!("{}", handshake(&p_first, &server(vec![x, p])));
    // It learns that this server has X25519 alone, and sends a share for that next time, its list as before.
    println!("{}", handshake(&p_first, &server(vec![x])));
    println!("{}", handshake(&p_first, &server(vec![x, p])));
}
RUST
cargo run --quiet >seen
cat seen
diff seen - <<'SEEN'
X25519 Full
secp256r1 Full
X25519 FullWithHelloRetryRequest
secp256r1 FullWithHelloRetryRequest
SEEN
