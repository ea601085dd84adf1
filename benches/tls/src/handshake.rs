//! Whole handshakes in memory, with a certificate of ECDSA on P-256: the time that each side computes, without any network.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertifiedKey, KeyPair};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, NamedGroup, RootCertStore, ServerConfig, ServerConnection,
};
use rustls_kemstone::with_post_quantum;

use crate::Times;

/// Handshakes of each kind in a round.
const BATCH: usize = 4;

struct Row {
    name: &'static str,
    group: NamedGroup,
    full_client: ClientConfig,
    resuming_client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    /// Full and resumed, client and server.
    times: [[Times; 2]; 2],
}

impl Row {
    fn new(
        name: &'static str,
        group: NamedGroup,
        provider: CryptoProvider,
        certified: &CertifiedKey<KeyPair>,
    ) -> Self {
        // Only what is measured: no other group is listed, and one suite.
        let keep = |kx_group: &&dyn rustls::crypto::SupportedKxGroup| kx_group.name() == group;
        let kx_groups: Vec<_> = provider.kx_groups.iter().copied().filter(keep).collect();
        let suite = rustls::CipherSuite::TLS13_AES_128_GCM_SHA256;
        let cipher_suites =
            provider.cipher_suites.iter().copied().filter(|own| own.suite() == suite).collect();
        let provider = Arc::new(CryptoProvider { kx_groups, cipher_suites, ..provider });

        let mut roots = RootCertStore::empty();
        roots.add(certified.cert.der().clone()).expect("a certificate");
        let mut client = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("TLS 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.resumption = Resumption::disabled();
        let mut resuming = client.clone();
        resuming.resumption = Resumption::in_memory_sessions(16);
        let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .expect("a key");
        let row = Self {
            name,
            group,
            full_client: client,
            resuming_client: Arc::new(resuming),
            server: Arc::new(server),
            times: Default::default(),
        };
        // The tickets for what is to be resumed.
        handshake(&row.resuming_client, &row.server, row.group, HandshakeKind::Full);
        row
    }

    fn round(&mut self) {
        let full = Arc::new(self.full_client.clone());
        for (config, kind, times) in
            [(&full, HandshakeKind::Full, 0), (&self.resuming_client, HandshakeKind::Resumed, 1)]
        {
            let mut sums = [Duration::ZERO; 2];
            for _ in 0..BATCH {
                let spent = handshake(config, &self.server, self.group, kind);
                for (sum, time) in sums.iter_mut().zip(spent) {
                    *sum += time;
                }
            }
            for (times, sum) in self.times[times].iter_mut().zip(sums) {
                times.0.push(sum.as_secs_f64() * 1e6 / BATCH as f64);
            }
        }
    }
}

/// The time that the client and the server compute, until both are done; the tickets are sent and read within it.
fn handshake(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    group: NamedGroup,
    kind: HandshakeKind,
) -> [Duration; 2] {
    let name = ServerName::try_from("localhost").expect("a name");
    let (mut to_client, mut to_server) = (Vec::with_capacity(8192), Vec::with_capacity(8192));

    let began = Instant::now();
    let mut client = ClientConnection::new(client.clone(), name).expect("a client");
    while client.wants_write() {
        client.write_tls(&mut to_server).expect("memory");
    }
    let mut client_time = began.elapsed();
    let began = Instant::now();
    let mut server = ServerConnection::new(server.clone()).expect("a server");
    let mut server_time = began.elapsed();

    while !to_server.is_empty() || !to_client.is_empty() {
        let began = Instant::now();
        let mut unread = &to_server[..];
        while !unread.is_empty() {
            server.read_tls(&mut unread).expect("memory");
            server.process_new_packets().expect("no error");
        }
        to_server.clear();
        while server.wants_write() {
            server.write_tls(&mut to_client).expect("memory");
        }
        server_time += began.elapsed();

        let began = Instant::now();
        let mut unread = &to_client[..];
        while !unread.is_empty() {
            client.read_tls(&mut unread).expect("memory");
            client.process_new_packets().expect("no error");
        }
        to_client.clear();
        while client.wants_write() {
            client.write_tls(&mut to_server).expect("memory");
        }
        client_time += began.elapsed();
    }
    assert_eq!(client.handshake_kind(), Some(kind));
    assert_eq!(server.handshake_kind(), Some(kind));
    assert_eq!(client.negotiated_key_exchange_group().map(|group| group.name()), Some(group));
    [client_time, server_time]
}

pub(crate) fn run(rounds: usize, exchanges: &HashMap<&'static str, [f64; 2]>) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (classical, hybrid) = (NamedGroup::X25519, NamedGroup::X25519MLKEM768);
    let row = |name, group, provider| Row::new(name, group, provider, &certified);
    let mut rows = [
        row("ring        X25519", classical, ring::default_provider()),
        row("ring        X25519MLKEM768, kemstone", hybrid, with_post_quantum(ring::default_provider())),
        row("aws-lc-rs   X25519", classical, aws_lc_rs::default_provider()),
        row("aws-lc-rs   X25519MLKEM768, its own", hybrid, aws_lc_rs::default_provider()),
        row("aws-lc-rs   X25519MLKEM768, kemstone", hybrid, with_post_quantum(aws_lc_rs::default_provider())),
        row("graviola    X25519", classical, rustls_graviola::default_provider()),
        row("graviola    X25519MLKEM768, its own", hybrid, rustls_graviola::default_provider()),
        row(
            "graviola    X25519MLKEM768, kemstone",
            hybrid,
            with_post_quantum(rustls_graviola::default_provider()),
        ),
    ];
    for round in 0..rounds + 1 {
        for row in &mut rows {
            row.round();
            if round == 0 {
                row.times = Default::default();
            }
        }
    }
    for (kind, which) in ["full handshake", "resumed handshake"].into_iter().zip(0..) {
        println!(
            "{kind:40}{:>20}{:>20}{:>24}{:>22}",
            "client", "server", "per second and core", "key exchange in it"
        );
        for row in &rows {
            let [client, server] = &row.times[which];
            let [in_client, in_server] = exchanges.get(row.name).copied().unwrap_or_default();
            println!(
                "{:40}{:>20}{:>20}{:>12.0}{:>12.0}{:>10.0} %{:>8.0} %",
                row.name,
                client.show(),
                server.show(),
                1e6 / client.median(),
                1e6 / server.median(),
                100.0 * in_client / client.minimum(),
                100.0 * in_server / server.minimum()
            );
        }
        println!();
    }
}
