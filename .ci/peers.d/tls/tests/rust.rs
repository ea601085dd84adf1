//! Handshakes in memory with the ML-KEM of rustls's own provider `aws-lc-rs` and of graviola, in both directions.

#[path = "../../../../rustls-kemstone/tests/support/mod.rs"]
mod support;

use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs, ring};
use rustls::{AlertDescription, Error, HandshakeKind, NamedGroup, PeerMisbehaved};
use rustls_kemstone::{Group, PostQuantum, with_post_quantum};
use support::{Connection, Damaged, Hello, client_config, only, server_config, set_coefficient};

const REFUSED: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);
const ILLEGAL_PARAMETER: Error = Error::AlertReceived(AlertDescription::IllegalParameter);

type Provider = fn() -> CryptoProvider;

/// A peer: its provider, and a group of it that we have, too.
struct Peer {
    name: &'static str,
    provider: Provider,
    kx_group: &'static dyn SupportedKxGroup,
}

impl Peer {
    fn group(&self) -> Group {
        Group::from_code_point(self.kx_group.name().into()).unwrap()
    }

    /// It, with this group only.
    fn only(&self) -> CryptoProvider {
        only((self.provider)(), &[self.kx_group])
    }
}

/// Every group that both sides know.
fn peers() -> Vec<Peer> {
    let aws = aws_lc_rs::ALL_KX_GROUPS.iter().map(|&kx_group| Peer {
        name: "aws-lc-rs",
        provider: aws_lc_rs::default_provider,
        kx_group,
    });
    let graviola = rustls_graviola::default_provider().kx_groups.into_iter().map(|kx_group| Peer {
        name: "graviola",
        provider: rustls_graviola::default_provider,
        kx_group,
    });
    let mut peers: Vec<Peer> = aws.chain(graviola).collect();
    peers.retain(|peer| Group::from_code_point(peer.kx_group.name().into()).is_some());
    let names =
        |name| peers.iter().filter(|peer| peer.name == name).map(|peer| peer.group()).collect::<Vec<_>>();
    for group in [Group::X25519MLKEM768, Group::SecP256r1MLKEM768, Group::MLKEM768, Group::MLKEM1024] {
        assert!(names("aws-lc-rs").contains(&group), "{group}");
    }
    assert!(names("graviola").contains(&Group::X25519MLKEM768));
    peers
}

/// Ours: kemstone over the classical groups of each provider.
const OURS: [(&str, Provider); 3] = [
    ("ring", ring::default_provider),
    ("aws-lc-rs", aws_lc_rs::default_provider),
    ("graviola", rustls_graviola::default_provider),
];

fn ours(provider: CryptoProvider, group: Group) -> CryptoProvider {
    PostQuantum::new().groups(&[group]).only().apply(provider).unwrap()
}

fn established(client: CryptoProvider, server: CryptoProvider, kind: HandshakeKind) -> Connection {
    let connection = Connection::established(&client_config(client), &server_config(server));
    assert_eq!(connection.client.handshake_kind(), Some(kind));
    assert_eq!(connection.server.handshake_kind(), Some(kind));
    connection
}

#[test]
fn every_group_in_both_directions() {
    for peer in peers() {
        for (name, provider) in OURS {
            let ours = || ours(provider(), peer.group());
            println!("{} of {} with ours over {name}", peer.group(), peer.name);
            for (client, server) in [(ours(), peer.only()), (peer.only(), ours())] {
                let connection = established(client, server, HandshakeKind::Full);
                assert_eq!(connection.client_group(), Some(peer.group().code_point()));
            }
        }
    }
}

/// Each with the groups that it has by itself.
#[test]
fn default_providers() {
    for (name, theirs) in [OURS[1], OURS[2]] {
        for (_, provider) in OURS {
            let ours = || with_post_quantum(provider());
            let connection = established(theirs(), ours(), HandshakeKind::Full);
            // aws-lc-rs lists the hybrid last, unless rustls has its feature `prefer-post-quantum`.
            let first = Hello::parse(&connection.first_flight).groups[0];
            assert_eq!(connection.client_group(), Some(first), "{name}");
            let connection = established(ours(), theirs(), HandshakeKind::Full);
            assert_eq!(connection.client_group(), Some(0x11ec), "{name}");
        }
    }
}

/// The replaced group is ours.
#[test]
fn theirs_are_replaced() {
    let theirs = aws_lc_rs::kx_group::X25519MLKEM768;
    let provider =
        with_post_quantum(only(aws_lc_rs::default_provider(), &[aws_lc_rs::kx_group::X25519, theirs]));
    assert_eq!(provider.kx_groups.len(), 2);
    assert_eq!(provider.kx_groups[0].name(), NamedGroup::X25519MLKEM768);
    // Theirs shows itself as `Hybrid { .. }`.
    assert_eq!(format!("{:?}", provider.kx_groups[0]), "X25519MLKEM768");
    assert_ne!(format!("{theirs:?}"), "X25519MLKEM768");
}

#[test]
fn hello_retry_request_in_both_directions() {
    for peer in peers() {
        let groups = match peer.group() {
            Group::X25519MLKEM768 => [Group::MLKEM1024, peer.group()],
            _ => [Group::X25519MLKEM768, peer.group()],
        };
        let client = PostQuantum::new().groups(&groups).apply(ring::default_provider()).unwrap();
        let connection = established(client, peer.only(), HandshakeKind::FullWithHelloRetryRequest);
        assert_eq!(connection.client_group(), Some(peer.group().code_point()));

        let client = only((peer.provider)(), &[aws_lc_rs::kx_group::SECP384R1, peer.kx_group]);
        let server = ours(ring::default_provider(), peer.group());
        let connection = established(client, server, HandshakeKind::FullWithHelloRetryRequest);
        assert_eq!(connection.server_group(), Some(peer.group().code_point()));
    }
}

#[test]
fn sessions_are_resumed_in_both_directions() {
    for peer in peers() {
        let ours = ours(ring::default_provider(), peer.group());
        for (client, server) in [(ours.clone(), peer.only()), (peer.only(), ours)] {
            let (client, server) = (client_config(client), server_config(server));
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
                let connection = Connection::established(&client, &server);
                assert_eq!(connection.client.handshake_kind(), Some(kind));
                assert_eq!(connection.client_group(), Some(peer.group().code_point()));
            }
        }
    }
}

/// Shares of theirs that were damaged are refused by ours, and they see why; ours are by theirs, so that the damage is real.
#[test]
fn damaged_shares_are_refused_in_both_directions() {
    let of_both: [fn(&mut Vec<u8>); 3] =
        [|share| share.truncate(share.len() - 1), |share| share.push(0), |share| share.truncate(1)];
    let of_a_client: fn(&mut Vec<u8>) = |share| {
        let before = if share.len() == 1249 { 65 } else { 0 };
        set_coefficient(&mut share[before..], 767, 3329);
    };
    for peer in peers() {
        let us = ours(ring::default_provider(), peer.group());
        for damage in of_both.into_iter().chain([of_a_client]) {
            let theirs = only((peer.provider)(), &[Damaged::new(peer.kx_group, damage)]);
            let connection = Connection::new(&client_config(theirs), &server_config(us.clone()));
            assert_eq!(connection.server_error, Some(REFUSED), "{} of {}", peer.group(), peer.name);
            assert_eq!(connection.client_error, Some(ILLEGAL_PARAMETER));

            let damaged = only(us.clone(), &[Damaged::new(us.kx_groups[0], damage)]);
            let connection = Connection::new(&client_config(damaged), &server_config(peer.only()));
            assert_eq!(connection.client_error, Some(ILLEGAL_PARAMETER), "{} of {}", peer.group(), peer.name);
        }
        for damage in of_both {
            let theirs = only((peer.provider)(), &[Damaged::new(peer.kx_group, damage)]);
            let connection = Connection::new(&client_config(us.clone()), &server_config(theirs));
            assert_eq!(connection.client_error, Some(REFUSED), "{} of {}", peer.group(), peer.name);
            assert_eq!(connection.server_error, Some(ILLEGAL_PARAMETER));
        }
    }
}

/// No secret has a byte that both sides get wrong by chance: many connections, each with a new key.
#[test]
#[ignore = "takes some seconds: `.ci/peers tls` runs it"]
fn ten_thousand_connections() {
    let peers: Vec<Peer> = peers().into_iter().filter(|peer| peer.group() == Group::X25519MLKEM768).collect();
    let each = 5_000 / peers.len();
    std::thread::scope(|scope| {
        for peer in &peers {
            scope.spawn(move || {
                let us = with_post_quantum(ring::default_provider());
                let (our_server, their_server) = (server_config(us.clone()), server_config(peer.only()));
                for _ in 0..each {
                    let connection = Connection::established(&client_config(us.clone()), &their_server);
                    assert_eq!(connection.client_group(), Some(0x11ec));
                    let connection = Connection::established(&client_config(peer.only()), &our_server);
                    assert_eq!(connection.client_group(), Some(0x11ec));
                }
            });
        }
    });
}
