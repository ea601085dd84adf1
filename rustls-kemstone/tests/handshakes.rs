//! Whole handshakes in memory, over rustls's provider `ring`: who sends what, who decides, and what a peer sees of an error.

mod support;

use std::collections::HashSet;
use std::sync::Arc;

use rustls::crypto::ring::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{AlertDescription, Error, HandshakeKind, NamedGroup, PeerMisbehaved, ProtocolVersion};
use rustls_kemstone::{Group, KxGroup, PostQuantum, ProviderError, with_post_quantum};
use support::{Broken, Connection, Damaged, Hello, client_config, only, server_config, set_coefficient};

const REFUSED: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);
const ILLEGAL_PARAMETER: Error = Error::AlertReceived(AlertDescription::IllegalParameter);

const X25519: u16 = 0x001d;
const SECP256R1: u16 = 0x0017;
const SECP384R1: u16 = 0x0018;
const X25519MLKEM768: u16 = 0x11ec;
const SECP256R1MLKEM768: u16 = 0x11eb;

fn names(provider: &CryptoProvider) -> Vec<u16> {
    provider.kx_groups.iter().map(|group| u16::from(group.name())).collect()
}

fn of(group: Group) -> &'static dyn SupportedKxGroup {
    PostQuantum::new().groups(&[group]).apply(default_provider()).unwrap().kx_groups[0]
}

fn kinds(connection: &Connection) -> [Option<HandshakeKind>; 2] {
    [connection.client.handshake_kind(), connection.server.handshake_kind()]
}

#[test]
fn every_group_connects() {
    for &group in Group::ALL {
        let provider = || PostQuantum::new().groups(&[group]).only().apply(default_provider()).unwrap();
        let connection = Connection::established(&client_config(provider()), &server_config(provider()));
        assert_eq!(connection.client_group(), Some(group.code_point()));
        assert_eq!(kinds(&connection), [Some(HandshakeKind::Full); 2]);
        let hello = Hello::parse(&connection.first_flight);
        assert_eq!(hello.shares, [(group.code_point(), group.client_share_size())]);
    }
}

/// What the documentation says of a client's hello.
#[test]
fn the_hybrid_and_its_classical_half_are_sent_in_the_order_of_the_groups() {
    let server = server_config(with_post_quantum(default_provider()));
    let connection = Connection::established(&client_config(with_post_quantum(default_provider())), &server);
    assert_eq!(connection.client_group(), Some(X25519MLKEM768));
    assert_eq!(kinds(&connection), [Some(HandshakeKind::Full); 2]);
    let hello = Hello::parse(&connection.first_flight);
    assert_eq!(hello.groups, [X25519MLKEM768, X25519, SECP256R1, SECP384R1]);
    assert_eq!(hello.shares, [(X25519MLKEM768, 1216), (X25519, 32)]);

    let without = Connection::established(&client_config(default_provider()), &server);
    assert_eq!(without.client_group(), Some(X25519));
    // A code point and a length for the share, a code point in the list of groups.
    assert_eq!(connection.first_flight.len() - without.first_flight.len(), 1216 + 4 + 2);
    assert!((1400..1500).contains(&connection.first_flight.len()), "{}", connection.first_flight.len());
}

/// The classical half is taken where the hybrid is not known, without a second round trip.
#[test]
fn a_server_without_the_hybrid_takes_the_half() {
    for (group, server, taken) in [
        (Group::X25519MLKEM768, default_provider(), X25519),
        (Group::X25519MLKEM768, only(default_provider(), &[kx_group::X25519]), X25519),
        (Group::SecP256r1MLKEM768, only(default_provider(), &[kx_group::SECP256R1]), SECP256R1),
        (Group::SecP384r1MLKEM1024, only(default_provider(), &[kx_group::SECP384R1]), SECP384R1),
    ] {
        let client = PostQuantum::new().groups(&[group]).apply(default_provider()).unwrap();
        let server = server_config(server);
        if taken == X25519 && server.crypto_provider().kx_groups.len() > 1 {
            assert_eq!(names(server.crypto_provider()), [X25519, SECP256R1, SECP384R1]);
        }
        let connection = Connection::established(&client_config(client), &server);
        assert_eq!(connection.client_group(), Some(taken));
        assert_eq!(kinds(&connection), [Some(HandshakeKind::Full); 2]);
    }
}

#[test]
fn a_server_asks_again_for_another_hybrid() {
    let groups = [Group::X25519MLKEM768, Group::SecP256r1MLKEM768];
    let client = client_config(PostQuantum::new().groups(&groups).apply(default_provider()).unwrap());
    let server = server_config(only(default_provider(), &[of(Group::SecP256r1MLKEM768)]));
    let connection = Connection::established(&client, &server);
    assert_eq!(Hello::parse(&connection.first_flight).shares, [(X25519MLKEM768, 1216), (X25519, 32)]);
    assert_eq!(kinds(&connection), [Some(HandshakeKind::FullWithHelloRetryRequest); 2]);
    assert_eq!(connection.client_group(), Some(SECP256R1MLKEM768));

    // rustls remembers it: the next connection has the right share at once, and its half.
    let connection = Connection::new(&client, &server_config(server.crypto_provider().as_ref().clone()));
    let hello = Hello::parse(&connection.first_flight);
    assert_eq!(hello.shares, [(SECP256R1MLKEM768, 1249), (SECP256R1, 65)]);
    assert_eq!(kinds(&connection), [Some(HandshakeKind::Full); 2]);
}

#[test]
fn a_server_asks_again_for_a_classical_group() {
    let client = client_config(with_post_quantum(default_provider()));
    let server = server_config(only(default_provider(), &[kx_group::SECP384R1]));
    let connection = Connection::established(&client, &server);
    assert_eq!(kinds(&connection), [Some(HandshakeKind::FullWithHelloRetryRequest); 2]);
    assert_eq!(connection.client_group(), Some(SECP384R1));
}

/// A server that has the hybrid and a client that lists it second: the client's order decides, whatever the server's is.
#[test]
fn the_clients_order_decides() {
    let ours = of(Group::X25519MLKEM768);
    let orders: [[&'static dyn SupportedKxGroup; 2]; 2] =
        [[ours, kx_group::X25519], [kx_group::X25519, ours]];
    for client_order in &orders {
        for server_order in &orders {
            let client = client_config(only(default_provider(), client_order));
            let server = server_config(only(default_provider(), server_order));
            let connection = Connection::established(&client, &server);
            assert_eq!(connection.client_group(), Some(u16::from(client_order[0].name())));
            assert_eq!(kinds(&connection), [Some(HandshakeKind::Full); 2]);
        }
    }
}

/// A client that lists the hybrid first and sends an X25519 share only, as rustls does after it has met a server without the
/// hybrid: rustls's server asks again rather than to take it. And the client gets over it.
#[test]
fn a_client_remembers_a_server_without_the_hybrid() {
    let client = client_config(with_post_quantum(default_provider()));
    let before = Connection::established(&client, &server_config(default_provider()));
    assert_eq!(before.client_group(), Some(X25519));

    let upgraded = server_config(with_post_quantum(default_provider()));
    let connection = Connection::established(&client, &upgraded);
    let hello = Hello::parse(&connection.first_flight);
    assert_eq!(hello.groups, [X25519MLKEM768, X25519, SECP256R1, SECP384R1]);
    assert_eq!(hello.shares, [(X25519, 32)]);
    assert_eq!(kinds(&connection), [Some(HandshakeKind::FullWithHelloRetryRequest); 2]);
    assert_eq!(connection.client_group(), Some(X25519MLKEM768));

    let next = Connection::established(&client, &upgraded);
    assert_eq!(Hello::parse(&next.first_flight).shares, [(X25519MLKEM768, 1216), (X25519, 32)]);
    assert_eq!(next.client_group(), Some(X25519MLKEM768));
}

#[test]
fn a_small_hello_is_answered_with_x25519_unless_the_server_insists() {
    let small = PostQuantum::new().classical_share_first().apply(default_provider()).unwrap();
    assert_eq!(names(&small), [X25519, SECP256R1, SECP384R1, X25519MLKEM768]);
    let client = client_config(small.clone());
    let connection = Connection::established(&client, &server_config(with_post_quantum(default_provider())));
    assert!(connection.first_flight.len() < 300, "{}", connection.first_flight.len());
    assert_eq!(connection.client_group(), Some(X25519));
    assert_eq!(kinds(&connection), [Some(HandshakeKind::Full); 2]);

    let client = client_config(small);
    let insists = server_config(PostQuantum::new().only().apply(default_provider()).unwrap());
    let connection = Connection::established(&client, &insists);
    assert_eq!(Hello::parse(&connection.first_flight).shares, [(X25519, 32)]);
    assert_eq!(kinds(&connection), [Some(HandshakeKind::FullWithHelloRetryRequest); 2]);
    assert_eq!(connection.client_group(), Some(X25519MLKEM768));

    // The next hello has the hybrid's share and no other: two would not be in the order of the groups.
    let connection = Connection::established(&client, &insists);
    let hello = Hello::parse(&connection.first_flight);
    assert_eq!(hello.groups, [X25519, SECP256R1, SECP384R1, X25519MLKEM768]);
    assert_eq!(hello.shares, [(X25519MLKEM768, 1216)]);
    assert_eq!(connection.client_group(), Some(X25519MLKEM768));
}

/// Two configurations, and a look at the client's list: clients that list the hybrid in any place get it, others are served.
#[test]
fn a_server_may_insist_where_it_can() {
    use rustls::server::Acceptor;

    let insists = server_config(PostQuantum::new().only().apply(default_provider()).unwrap());
    let small = PostQuantum::new().classical_share_first().apply(default_provider()).unwrap();
    for (provider, expected) in [(small, Some(insists.clone())), (default_provider(), None)] {
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let mut client = rustls::ClientConnection::new(client_config(provider), name).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        let mut acceptor = Acceptor::default();
        acceptor.read_tls(&mut &hello[..]).unwrap();
        let accepted = acceptor.accept().unwrap().unwrap();
        let listed = accepted.client_hello().named_groups().unwrap().contains(&NamedGroup::X25519MLKEM768);
        assert_eq!(listed, expected.is_some());
        if let Some(config) = expected {
            let mut server = accepted.into_connection(config).unwrap();
            let mut retry = Vec::new();
            server.write_tls(&mut retry).unwrap();
            client.read_tls(&mut &retry[..]).unwrap();
            client.process_new_packets().unwrap();
            assert_eq!(client.handshake_kind(), Some(HandshakeKind::FullWithHelloRetryRequest));
        }
    }
}

#[test]
fn only_means_no_connection_without() {
    let provider = PostQuantum::new().only().apply(default_provider()).unwrap();
    assert_eq!(names(&provider), [X25519MLKEM768]);
    assert!(provider.cipher_suites.iter().all(|suite| suite.tls13().is_some()));

    let connection = Connection::new(&client_config(provider.clone()), &server_config(default_provider()));
    let refused = Error::AlertReceived(AlertDescription::HandshakeFailure);
    assert_eq!(connection.client_error, Some(refused.clone()));
    let connection = Connection::new(&client_config(default_provider()), &server_config(provider.clone()));
    assert_eq!(connection.client_error, Some(refused));

    // Nor with an older version of TLS.
    let mut old = default_provider();
    old.cipher_suites.retain(|suite| suite.tls13().is_none());
    let connection = Connection::new(&client_config(provider), &server_config(old));
    assert_eq!(connection.client_error, Some(Error::AlertReceived(AlertDescription::ProtocolVersion)));
}

/// The hybrids are of TLS 1.3 only; the others go on to serve TLS 1.2.
#[test]
fn tls_1_2_goes_on_as_before() {
    let mut old = default_provider();
    old.cipher_suites.retain(|suite| suite.tls13().is_none());
    for (client, server) in [
        (with_post_quantum(default_provider()), old.clone()),
        (old.clone(), with_post_quantum(default_provider())),
        (with_post_quantum(old.clone()), with_post_quantum(default_provider())),
    ] {
        let connection = Connection::new(&client_config(client), &server_config(server));
        assert_eq!((&connection.client_error, &connection.server_error), (&None, &None));
        assert_eq!(connection.client.protocol_version(), Some(ProtocolVersion::TLSv1_2));
        assert_eq!(connection.server_group(), Some(X25519));
    }
}

#[test]
fn sessions_are_resumed_with_a_new_exchange() {
    for &group in Group::ALL {
        let provider = PostQuantum::new().groups(&[group]).apply(default_provider()).unwrap();
        let client = client_config(provider.clone());
        let server = server_config(provider);
        let first = Connection::established(&client, &server);
        assert_eq!(kinds(&first), [Some(HandshakeKind::Full); 2]);
        for _ in 0..3 {
            let resumed = Connection::established(&client, &server);
            assert_eq!(kinds(&resumed), [Some(HandshakeKind::Resumed); 2]);
            assert_eq!(resumed.client_group(), Some(group.code_point()));
        }
    }
}

/// Each kind of damage that a share can have, of every group, sent by a peer who means it: the side that is ours refuses it, and
/// the peer is told why.
#[test]
fn a_peer_sees_illegal_parameter_for_a_damaged_share() {
    let of_any: [fn(&mut Vec<u8>); 4] = [
        |share| share.truncate(1), // none at all is no message of TLS's, and rustls sends none
        |share| share.truncate(share.len() - 1),
        |share| share.push(0),
        |share| share.extend_from_slice(&[0; 32]),
    ];
    for &group in Group::ALL {
        // Numbers that are not below q are a client's to send.
        let of_a_client: &[fn(&mut Vec<u8>)] = match group {
            Group::X25519MLKEM768 => {
                &[|share| set_coefficient(share, 0, 3329), |share| set_coefficient(share, 767, 4095)]
            }
            Group::SecP256r1MLKEM768 => &[|share| set_coefficient(&mut share[65..], 0, 3329)],
            Group::SecP384r1MLKEM1024 => &[|share| set_coefficient(&mut share[97..], 1023, 3329)],
            Group::MLKEM512 => &[|share| set_coefficient(share, 511, 3329)],
            Group::MLKEM768 => &[|share| set_coefficient(share, 767, 3329)],
            _ => &[|share| set_coefficient(share, 1023, 3329)],
        };
        let of_its_curve: &[fn(&mut Vec<u8>)] = match group {
            Group::X25519MLKEM768 => &[|share| {
                let at = share.len() - 32;
                share[at..].fill(0);
            }],
            Group::SecP256r1MLKEM768 => &[|share| share[64] ^= 1],
            Group::SecP384r1MLKEM1024 => &[|share| share[96] ^= 1],
            _ => &[],
        };
        let ours = only(default_provider(), &[of(group)]);
        for &damage in of_any.iter().chain(of_its_curve) {
            let theirs = only(default_provider(), &[Damaged::new(of(group), damage)]);
            let connection = Connection::new(&client_config(ours.clone()), &server_config(theirs.clone()));
            assert_eq!(connection.client_error, Some(REFUSED), "{group}");
            assert_eq!(connection.server_error, Some(ILLEGAL_PARAMETER), "{group}");
        }
        for &damage in of_any.iter().chain(of_its_curve).chain(of_a_client) {
            let theirs = only(default_provider(), &[Damaged::new(of(group), damage)]);
            let connection = Connection::new(&client_config(theirs), &server_config(ours.clone()));
            assert_eq!(connection.server_error, Some(REFUSED), "{group}");
            assert_eq!(connection.client_error, Some(ILLEGAL_PARAMETER), "{group}");
        }
    }
}

/// A ciphertext of the right length is never refused: the secrets differ, and the first message under them does not verify. Nor can
/// the server read the client's alert, bad_record_mac, which is under keys that it does not have.
#[test]
fn a_changed_ciphertext_gives_keys_that_differ() {
    for &group in Group::ALL {
        let ours = only(default_provider(), &[of(group)]);
        let damage: fn(&mut Vec<u8>) = match group {
            Group::SecP256r1MLKEM768 | Group::SecP384r1MLKEM1024 => |share| *share.last_mut().unwrap() ^= 1,
            _ => |share| share[0] ^= 1,
        };
        let theirs = only(default_provider(), &[Damaged::new(of(group), damage)]);
        let connection = Connection::new(&client_config(ours), &server_config(theirs));
        assert_eq!(connection.client_error, Some(Error::DecryptError), "{group}");
        assert_eq!(connection.server_error, Some(Error::DecryptError), "{group}");
    }
}

/// rustls tells a client illegal_parameter for that, too.
#[test]
fn without_randomness_there_is_no_connection() {
    static BROKEN: KxGroup = KxGroup::x25519_mlkem768(kx_group::X25519, &Broken);
    let ours = only(default_provider(), &[&BROKEN]);
    let connection =
        Connection::new(&client_config(with_post_quantum(default_provider())), &server_config(ours.clone()));
    assert_eq!(connection.server_error, Some(Error::FailedToGetRandomBytes));
    assert_eq!(connection.client_error, Some(ILLEGAL_PARAMETER));

    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let client = rustls::ClientConnection::new(client_config(ours), name);
    assert_eq!(client.err(), Some(Error::FailedToGetRandomBytes));
}

#[test]
fn doing_it_twice_is_doing_it_once() {
    let address = |group: &'static dyn SupportedKxGroup| std::ptr::from_ref(group).addr();
    let once = with_post_quantum(default_provider());
    let twice = with_post_quantum(once.clone());
    assert_eq!(names(&once), [X25519MLKEM768, X25519, SECP256R1, SECP384R1]);
    assert_eq!(names(&twice), names(&once));
    // Nothing more was made.
    let addresses: Vec<_> = (0..1000)
        .map(|_| with_post_quantum(default_provider()))
        .chain([once, twice])
        .map(|provider| address(provider.kx_groups[0]))
        .collect();
    assert!(addresses.iter().all(|&other| other == addresses[0]));

    // Another source of randomness makes another group.
    let random: &'static dyn rustls::crypto::SecureRandom = &Broken;
    let other = with_post_quantum(CryptoProvider { secure_random: random, ..default_provider() });
    assert_ne!(address(other.kx_groups[0]), addresses[0]);
    assert_eq!(other.kx_groups[0].start().err(), Some(Error::FailedToGetRandomBytes));
}

#[test]
fn groups_of_the_same_name_are_replaced() {
    static OTHERS: KxGroup = KxGroup::x25519_mlkem768(kx_group::X25519, &Broken);
    let mut provider = default_provider();
    provider.kx_groups.push(&OTHERS);
    let provider = with_post_quantum(provider);
    assert_eq!(names(&provider), [X25519MLKEM768, X25519, SECP256R1, SECP384R1]);
    assert!(provider.kx_groups[0].start().is_ok());
}

#[test]
fn groups_are_listed_as_asked() {
    let all = PostQuantum::new().groups(Group::ALL).apply(default_provider()).unwrap();
    let expected = [0x11ec, 0x11eb, 0x11ed, 0x0201, 0x0202, 0x0200, X25519, SECP256R1, SECP384R1];
    assert_eq!(names(&all), expected);
    let again = PostQuantum::new().groups(&[Group::MLKEM1024, Group::MLKEM1024]).apply(all).unwrap();
    let expected = [0x0202, 0x11ec, 0x11eb, 0x11ed, 0x0201, 0x0200, X25519, SECP256R1, SECP384R1];
    assert_eq!(names(&again), expected);
}

#[test]
fn a_provider_without_the_classical_half() {
    let p256 = only(default_provider(), &[kx_group::SECP384R1, kx_group::SECP256R1]);
    let missing = ProviderError::NoClassicalGroup { hybrid: Group::X25519MLKEM768 };
    assert_eq!(PostQuantum::new().apply(p256.clone()).err(), Some(missing));
    assert_eq!(names(&with_post_quantum(p256)), [SECP256R1MLKEM768, SECP384R1, SECP256R1]);
    let p384 = only(default_provider(), &[kx_group::SECP384R1]);
    assert_eq!(names(&with_post_quantum(p384)), [SECP384R1]);
    assert_eq!(
        PostQuantum::new().groups(&[]).only().apply(default_provider()).err(),
        Some(ProviderError::NoGroup)
    );
    assert!(missing.to_string().contains("X25519MLKEM768"));
}

#[test]
fn a_classical_group_of_ones_own() {
    let none = only(default_provider(), &[kx_group::SECP384R1]);
    let provider = PostQuantum::new().classical(kx_group::X25519).apply(none).unwrap();
    assert_eq!(names(&provider), [X25519MLKEM768, SECP384R1, X25519]);
    let server = server_config(with_post_quantum(default_provider()));
    let connection = Connection::established(&client_config(provider), &server);
    assert_eq!(connection.client_group(), Some(X25519MLKEM768));
}

#[cfg(feature = "dalek")]
#[test]
fn dalek_serves_a_provider_without_x25519() {
    use rustls_kemstone::dalek;

    let none = || only(default_provider(), &[kx_group::SECP384R1]);
    let provider = || PostQuantum::new().classical(dalek::X25519).apply(none()).unwrap();
    let ring = || with_post_quantum(default_provider());
    for (client, server, group) in [
        (provider(), ring(), X25519MLKEM768),
        (ring(), provider(), X25519MLKEM768),
        (provider(), only(default_provider(), &[kx_group::X25519]), X25519),
        (only(none(), &[dalek::X25519MLKEM768]), provider(), X25519MLKEM768),
    ] {
        let connection = Connection::established(&client_config(client), &server_config(server));
        assert_eq!(connection.client_group(), Some(group));
        assert_eq!(kinds(&connection), [Some(HandshakeKind::Full); 2]);
    }
}

/// Every connection has a key of its own, also those that take theirs from a pool.
#[test]
fn pooled_keys_serve_once() {
    for &group in Group::ALL {
        let provider = || PostQuantum::new().groups(&[group]).pooled().apply(default_provider()).unwrap();
        let pooled = provider().kx_groups[0];
        assert!(std::ptr::addr_eq(pooled, provider().kx_groups[0]));
        assert!(!std::ptr::addr_eq(pooled, of(group)), "that of providers without a pool");
        let shares: HashSet<Vec<u8>> = (0..20).map(|_| pooled.start().unwrap().pub_key().to_vec()).collect();
        assert_eq!(shares.len(), 20);
        let server =
            server_config(PostQuantum::new().groups(&[group]).only().apply(default_provider()).unwrap());
        for _ in 0..9 {
            let connection = Connection::established(&client_config(provider()), &server);
            assert_eq!(connection.client_group(), Some(group.code_point()));
            assert_eq!(kinds(&connection), [Some(HandshakeKind::Full); 2]);
        }
    }
}

/// Four connections so many times, all of which must succeed; half of them resume a session.
fn connect_many(rounds: usize) {
    let provider = || with_post_quantum(default_provider());
    let server = server_config(provider());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..rounds {
                    let client = client_config(provider());
                    let full = Connection::established(&client, &server);
                    assert_eq!(kinds(&full), [Some(HandshakeKind::Full); 2]);
                    let resumed = Connection::established(&client, &server);
                    assert_eq!(kinds(&resumed), [Some(HandshakeKind::Resumed); 2]);
                    assert_eq!(
                        (full.server_group(), resumed.server_group()),
                        (Some(X25519MLKEM768), Some(X25519MLKEM768))
                    );
                }
            });
        }
    });
}

#[test]
fn hundreds_of_connections() {
    connect_many(100);
}

#[test]
#[ignore = "for release builds: `cargo test --release -p rustls-kemstone --test handshakes -- --ignored`"]
fn ten_thousand_connections() {
    connect_many(2_500);
}

#[test]
fn names_for_people() {
    assert_eq!(format!("{:?}", of(Group::X25519MLKEM768)), "X25519MLKEM768");
    assert_eq!(of(Group::X25519MLKEM768).name(), NamedGroup::X25519MLKEM768);
    assert_eq!(of(Group::SecP256r1MLKEM768).name(), NamedGroup::secp256r1MLKEM768);
    // rustls 0.23 has no name for this one.
    assert_eq!(of(Group::SecP384r1MLKEM1024).name(), NamedGroup::Unknown(0x11ed));
    let provider = Arc::new(with_post_quantum(default_provider()));
    assert!(format!("{provider:?}").contains("X25519MLKEM768"));
}
