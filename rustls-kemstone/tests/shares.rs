//! Shares and secrets of every group: their layout, agreement, and what is refused.

mod support;

use rustls::crypto::ring::kx_group;
use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use rustls_kemstone::{Group, KxGroup, PostQuantum};
use support::{Broken, Constant, set_coefficient};

const REFUSED: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);

/// What the standards say of a group, written out.
struct Row {
    group: Group,
    code_point: u16,
    client_share: usize,
    server_share: usize,
    secret: usize,
    encapsulation_key: usize,
    ciphertext: usize,
    /// Bytes of the classical group's share, before those of ML-KEM; none if it comes after or there is none.
    before: usize,
}

/// RFC 10024 and draft-ietf-tls-mlkem.
#[rustfmt::skip]
const TABLE: [Row; 6] = [
    row(Group::X25519MLKEM768, 0x11ec, [1216, 1120, 64], [1184, 1088], 0),
    row(Group::SecP256r1MLKEM768, 0x11eb, [1249, 1153, 64], [1184, 1088], 65),
    row(Group::SecP384r1MLKEM1024, 0x11ed, [1665, 1665, 80], [1568, 1568], 97),
    row(Group::MLKEM512, 0x0200, [800, 768, 32], [800, 768], 0),
    row(Group::MLKEM768, 0x0201, [1184, 1088, 32], [1184, 1088], 0),
    row(Group::MLKEM1024, 0x0202, [1568, 1568, 32], [1568, 1568], 0),
];

const fn row(
    group: Group,
    code_point: u16,
    [client_share, server_share, secret]: [usize; 3],
    [encapsulation_key, ciphertext]: [usize; 2],
    before: usize,
) -> Row {
    Row { group, code_point, client_share, server_share, secret, encapsulation_key, ciphertext, before }
}

fn row_of(group: Group) -> &'static Row {
    TABLE.iter().find(|row| row.group == group).unwrap()
}

/// Over *ring*'s groups and randomness.
fn of(group: Group) -> &'static dyn SupportedKxGroup {
    let provider = rustls::crypto::ring::default_provider();
    PostQuantum::new().groups(&[group]).apply(provider).unwrap().kx_groups[0]
}

/// Every group over *ring*, and the one over x25519-dalek.
fn all() -> Vec<(Group, &'static dyn SupportedKxGroup)> {
    let groups = Group::ALL.iter().map(|&group| (group, of(group)));
    #[cfg(feature = "dalek")]
    let groups = groups.chain([(Group::X25519MLKEM768, rustls_kemstone::dalek::X25519MLKEM768)]);
    groups.collect()
}

fn refused_by_server(kx_group: &dyn SupportedKxGroup, share: &[u8]) {
    assert_eq!(kx_group.start_and_complete(share).err(), Some(REFUSED));
}

/// A client that gets this answer.
fn refused_by_client(kx_group: &dyn SupportedKxGroup, share: &[u8]) {
    assert_eq!(kx_group.start().unwrap().complete(share).err(), Some(REFUSED));
}

/// A client's share and a server's answer to it.
fn exchange(kx_group: &dyn SupportedKxGroup) -> (Vec<u8>, Vec<u8>) {
    let client = kx_group.start().unwrap();
    let share = client.pub_key().to_vec();
    let server = kx_group.start_and_complete(&share).unwrap();
    (share, server.pub_key)
}

#[test]
fn sizes_are_those_of_the_standard() {
    assert_eq!(Group::ALL.len(), TABLE.len());
    for Row { group, code_point, client_share, server_share, secret, .. } in TABLE {
        assert_eq!(group.code_point(), code_point);
        assert_eq!(Group::from_code_point(code_point), Some(group));
        assert_eq!(group.client_share_size(), client_share);
        assert_eq!(group.server_share_size(), server_share);
        assert_eq!(group.secret_size(), secret);
    }
    assert_eq!(Group::from_code_point(0x001d), None);
}

#[test]
fn both_sides_agree() {
    for (group, kx_group) in all() {
        assert_eq!(u16::from(kx_group.name()), group.code_point());
        assert_eq!(format!("{kx_group:?}"), group.name());
        let client = kx_group.start().unwrap();
        assert_eq!(u16::from(client.group()), group.code_point());
        assert_eq!(client.pub_key().len(), group.client_share_size());
        let server = kx_group.start_and_complete(client.pub_key()).unwrap();
        assert_eq!(u16::from(server.group), group.code_point());
        assert_eq!(server.pub_key.len(), group.server_share_size());
        let secret = client.complete(&server.pub_key).unwrap();
        assert_eq!(secret.secret_bytes().len(), group.secret_size());
        assert_eq!(secret.secret_bytes(), server.secret.secret_bytes());
        let (one, other) = (exchange(kx_group), exchange(kx_group));
        assert!(one.0 != other.0 && one.1 != other.1);
    }
}

#[test]
fn rustls_is_told_what_the_groups_are() {
    for (_, kx_group) in all() {
        assert!(kx_group.usable_for_version(ProtocolVersion::TLSv1_3));
        assert!(!kx_group.usable_for_version(ProtocolVersion::TLSv1_2));
        assert!(!kx_group.fips());
        assert!(kx_group.ffdhe_group().is_none());
        assert!(kx_group.start().unwrap().ffdhe_group().is_none());
    }
}

/// A classical group with known shares and secret, so that their places show.
#[derive(Debug)]
struct Known {
    name: NamedGroup,
    share: &'static [u8],
    secret: &'static [u8],
}

impl Known {
    const X25519: Self = Self { name: NamedGroup::X25519, share: &[0xa1; 32], secret: &[0xb1; 32] };
    const P256: Self = Self { name: NamedGroup::secp256r1, share: &[0xa2; 65], secret: &[0xb2; 32] };
    const P384: Self = Self { name: NamedGroup::secp384r1, share: &[0xa3; 97], secret: &[0xb3; 48] };
}

impl SupportedKxGroup for Known {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Self { ..*self }))
    }

    fn start_and_complete(&self, peer_pub_key: &[u8]) -> Result<CompletedKeyExchange, Error> {
        assert_eq!(peer_pub_key, self.share);
        let secret = SharedSecret::from(self.secret);
        Ok(CompletedKeyExchange { group: self.name, pub_key: self.share.to_vec(), secret })
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        self.name
    }
}

impl ActiveKeyExchange for Known {
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        assert_eq!(peer_pub_key, self.share);
        Ok(SharedSecret::from(self.secret))
    }

    fn pub_key(&self) -> &[u8] {
        self.share
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        self.name
    }
}

/// Every byte of shares and secrets is where the standard has it, with the right content: the randomness is known, so
/// kemstone says by itself what ML-KEM's halves are.
#[test]
fn halves_are_where_the_standard_has_them() {
    static SEED: Constant = Constant(7);
    static X25519: KxGroup = KxGroup::x25519_mlkem768(&Known::X25519, &SEED);
    static P256: KxGroup = KxGroup::secp256r1_mlkem768(&Known::P256, &SEED);
    static P384: KxGroup = KxGroup::secp384r1_mlkem1024(&Known::P384, &SEED);
    static PURE: [KxGroup; 3] =
        [KxGroup::mlkem512(&SEED), KxGroup::mlkem768(&SEED), KxGroup::mlkem1024(&SEED)];

    fn check<S: kemstone::ParameterSet>(kx_group: &'static KxGroup, known: Option<Known>) {
        let key = kemstone::DecapsulationKey::<S>::from_seed(&kemstone::Seed::from([7; 64]));
        let fill = |m: &mut [u8; 32]| {
            m.fill(7);
            Ok::<(), ()>(())
        };
        let (ciphertext, secret) = key.encapsulation_key().encapsulate_with(fill).unwrap();
        let (ek, ct) = (key.encapsulation_key().as_ref(), ciphertext.as_ref());
        let [client_share, server_share, expected] = match (&known, kx_group.group()) {
            (None, _) => [ek.to_vec(), ct.to_vec(), secret.as_bytes().to_vec()],
            (Some(x), Group::X25519MLKEM768) => {
                [[ek, x.share].concat(), [ct, x.share].concat(), [&secret.as_bytes()[..], x.secret].concat()]
            }
            (Some(p), _) => {
                [[p.share, ek].concat(), [p.share, ct].concat(), [p.secret, &secret.as_bytes()[..]].concat()]
            }
        };

        let client = kx_group.start().unwrap();
        assert_eq!(client.pub_key(), client_share);
        assert_eq!(
            client.hybrid_component(),
            known.as_ref().map(|classical| (classical.name, classical.share)),
            "the classical half is offered again"
        );
        let server = kx_group.start_and_complete(&client_share).unwrap();
        assert_eq!(server.pub_key, server_share);
        assert_eq!(server.secret.secret_bytes(), expected);
        assert_eq!(client.complete(&server_share).unwrap().secret_bytes(), expected);

        let alone = kx_group.without_component();
        assert_eq!(alone.start().unwrap().hybrid_component(), None);
        let client = kx_group.start().unwrap();
        match &known {
            Some(classical) => {
                let secret = client.complete_hybrid_component(classical.share).unwrap();
                assert_eq!(secret.secret_bytes(), classical.secret);
            }
            None => assert_eq!(client.complete_hybrid_component(&[9; 32]).err(), Some(REFUSED)),
        }
    }
    check::<kemstone::MlKem768>(&X25519, Some(Known::X25519));
    check::<kemstone::MlKem768>(&P256, Some(Known::P256));
    check::<kemstone::MlKem1024>(&P384, Some(Known::P384));
    check::<kemstone::MlKem512>(&PURE[0], None);
    check::<kemstone::MlKem768>(&PURE[1], None);
    check::<kemstone::MlKem1024>(&PURE[2], None);
}

#[test]
fn wrong_lengths_are_refused() {
    for (_, kx_group) in all() {
        let (client, server) = exchange(kx_group);
        let lengths = |share: &[u8]| {
            let ends = [0, 1, 31, 32, 64, 65, share.len() - 1, share.len() + 1, share.len() + 32, 65535];
            let others = TABLE
                .iter()
                .flat_map(|row| [row.client_share, row.server_share, row.encapsulation_key, row.ciphertext]);
            let mut lengths: Vec<usize> = others.chain(ends).collect();
            lengths.retain(|&length| length != share.len());
            lengths
        };
        for length in lengths(&client) {
            let mut share = client.clone();
            share.resize(length, 4);
            refused_by_server(kx_group, &share);
        }
        for length in lengths(&server) {
            let mut share = server.clone();
            share.resize(length, 4);
            refused_by_client(kx_group, &share);
        }
    }
}

/// FIPS 203, section 7.2: in the first and the last place of every polynomial, in either half of a pair, and the smallest and
/// greatest number that is refused.
#[test]
fn numbers_not_below_q_are_refused() {
    const Q: u16 = 3329;
    for (group, kx_group) in all() {
        let (client, _) = exchange(kx_group);
        let &Row { encapsulation_key, before: at, .. } = row_of(group);
        // 384 bytes a polynomial, of 256 coefficients, and 32 of rho.
        for first in (0..encapsulation_key - 32).step_by(384).enumerate().map(|(which, _)| 256 * which) {
            for index in [first, first + 1, first + 127, first + 128, first + 254, first + 255] {
                for value in [Q, Q + 1, 4095] {
                    let mut share = client.clone();
                    set_coefficient(&mut share[at..], index, value);
                    refused_by_server(kx_group, &share);
                }
                let mut share = client.clone();
                set_coefficient(&mut share[at..], index, Q - 1);
                assert!(kx_group.start_and_complete(&share).is_ok(), "{group}: q - 1 is a number");
            }
        }
    }
}

/// RFC 7748, section 6.1, and RFC 8446, section 7.4.2: points of small order, whose multiples are zero.
#[test]
fn x25519_results_of_zeros_are_refused() {
    let mut small = [[0; 32]; 4];
    small[1][0] = 1;
    small[2] = [0xff; 32]; // p - 1
    small[2][0] = 0xec;
    small[2][31] = 0x7f;
    small[3] = small[2]; // p
    small[3][0] = 0xed;
    for (group, kx_group) in all() {
        if group != Group::X25519MLKEM768 {
            continue;
        }
        let (client, server) = exchange(kx_group);
        let &Row { encapsulation_key: in_client, ciphertext: in_server, .. } = row_of(group);
        for point in small {
            let mut share = client.clone();
            share[in_client..].copy_from_slice(&point);
            refused_by_server(kx_group, &share);
            let mut share = server.clone();
            share[in_server..].copy_from_slice(&point);
            refused_by_client(kx_group, &share);
            assert_eq!(
                kx_group.start().unwrap().complete_hybrid_component(&point).err(),
                Some(REFUSED),
                "the half alone"
            );
        }
    }
}

#[test]
fn points_that_are_not_on_the_curve_are_refused() {
    for group in [Group::SecP256r1MLKEM768, Group::SecP384r1MLKEM1024] {
        let kx_group = of(group);
        let (client, server) = exchange(kx_group);
        let size = row_of(group).before;
        let damage: [fn(&mut [u8]); 5] = [
            |point| *point.last_mut().unwrap() ^= 1, // off the curve
            |point| point[1] ^= 0x80,
            |point| point[0] = 2, // compressed
            |point| point[0] = 6, // hybrid encoding
            |point| point.fill(0),
        ];
        for damage in damage {
            let mut share = client.clone();
            damage(&mut share[..size]);
            refused_by_server(kx_group, &share);
            let mut share = server.clone();
            damage(&mut share[..size]);
            refused_by_client(kx_group, &share);
        }
    }
}

/// Implicit rejection (FIPS 203, section 6.3): a ciphertext that was changed is no error, and gives another secret.
#[test]
fn a_changed_ciphertext_gives_another_secret() {
    for (group, kx_group) in all() {
        let client = kx_group.start().unwrap();
        let mut server = kx_group.start_and_complete(client.pub_key()).unwrap();
        server.pub_key[row_of(group).before] ^= 1;
        let secret = client.complete(&server.pub_key).unwrap();
        assert_ne!(secret.secret_bytes(), server.secret.secret_bytes());
    }
}

#[test]
fn without_randomness_there_is_no_share() {
    static GROUPS: [KxGroup; 6] = [
        KxGroup::x25519_mlkem768(kx_group::X25519, &Broken),
        KxGroup::secp256r1_mlkem768(kx_group::SECP256R1, &Broken),
        KxGroup::secp384r1_mlkem1024(kx_group::SECP384R1, &Broken),
        KxGroup::mlkem512(&Broken),
        KxGroup::mlkem768(&Broken),
        KxGroup::mlkem1024(&Broken),
    ];
    for kx_group in &GROUPS {
        assert_eq!(kx_group.start().err(), Some(Error::FailedToGetRandomBytes));
        let client = of(kx_group.group()).start().unwrap();
        assert_eq!(kx_group.start_and_complete(client.pub_key()).err(), Some(Error::FailedToGetRandomBytes));
    }
}

/// A mistake of the program's: an error, not a panic, and not a share that no peer understands.
#[test]
fn another_classical_group_is_an_error() {
    static RANDOM: Constant = Constant(1);
    static SHORT: Known = Known { name: NamedGroup::X25519, share: &[1; 31], secret: &[1; 32] };
    static SHORT_SECRET: Known = Known { name: NamedGroup::X25519, share: &[0xa1; 32], secret: &[1; 31] };
    static WRONG: [KxGroup; 4] = [
        KxGroup::x25519_mlkem768(kx_group::SECP256R1, &RANDOM),
        KxGroup::secp256r1_mlkem768(kx_group::X25519, &RANDOM),
        KxGroup::secp384r1_mlkem1024(kx_group::SECP256R1, &RANDOM),
        KxGroup::x25519_mlkem768(&SHORT, &RANDOM),
    ];
    for kx_group in &WRONG {
        assert!(matches!(kx_group.start().err(), Some(Error::General(_))), "{kx_group:?}");
    }
    // The same name and length, which only the name tells apart.
    static OTHER: Known = Known { name: NamedGroup::X448, share: &[0xa1; 32], secret: &[1; 32] };
    static NAMED: KxGroup = KxGroup::x25519_mlkem768(&OTHER, &RANDOM);
    assert!(matches!(NAMED.start().err(), Some(Error::General(_))));

    static KNOWN: KxGroup = KxGroup::x25519_mlkem768(&Known::X25519, &RANDOM);
    let share = KNOWN.start().unwrap().pub_key().to_vec();
    for wrong in [KxGroup::x25519_mlkem768(&SHORT_SECRET, &RANDOM), NAMED] {
        assert!(matches!(wrong.start_and_complete(&share).err(), Some(Error::General(_))));
    }
    let client = KxGroup::x25519_mlkem768(&SHORT_SECRET, &RANDOM).start().unwrap();
    let answer = KNOWN.start_and_complete(&share).unwrap().pub_key;
    assert!(matches!(client.complete(&answer).err(), Some(Error::General(_))));
}

/// RFC 7748, section 6.1.
#[cfg(feature = "dalek")]
#[test]
fn dalek_computes_the_standards_example() {
    use rustls::crypto::SecureRandom;
    use rustls_kemstone::dalek::X25519Group;

    /// Randomness that is a given key.
    #[derive(Debug)]
    struct Key(&'static str);
    impl SecureRandom for Key {
        fn fill(&self, buf: &mut [u8]) -> Result<(), rustls::crypto::GetRandomFailed> {
            buf.copy_from_slice(&hex(self.0));
            Ok(())
        }
    }
    fn hex(digits: &str) -> Vec<u8> {
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    }

    static BOB: Key = Key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    let bob = X25519Group::new(&BOB).start().unwrap();
    assert_eq!(bob.pub_key(), hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
    let alice = hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    let secret = bob.complete(&alice).unwrap();
    assert_eq!(
        secret.secret_bytes(),
        hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
    );

    let group = rustls_kemstone::dalek::X25519;
    for length in [0, 31, 33] {
        assert_eq!(group.start().unwrap().complete(&vec![9; length]).err(), Some(REFUSED));
    }
    static NONE: X25519Group = X25519Group::new(&Broken);
    assert_eq!(NONE.start().err(), Some(Error::FailedToGetRandomBytes));
    assert!(!group.fips() && group.usable_for_version(ProtocolVersion::TLSv1_2));
}

/// The provider's classical groups are those of the hybrids' halves: secrets agree with the group in a static over the same.
#[cfg(feature = "ring")]
#[test]
fn statics_are_the_same_groups() {
    use rustls::crypto::CryptoProvider;
    use rustls_kemstone::ring;

    for (fixed, group) in [
        (ring::X25519MLKEM768, Group::X25519MLKEM768),
        (ring::SECP256R1MLKEM768, Group::SecP256r1MLKEM768),
        (ring::SECP384R1MLKEM1024, Group::SecP384r1MLKEM1024),
    ] {
        let client = fixed.start().unwrap();
        let server = of(group).start_and_complete(client.pub_key()).unwrap();
        assert_eq!(client.complete(&server.pub_key).unwrap().secret_bytes(), server.secret.secret_bytes());
    }
    let provider: CryptoProvider = ring::default_provider();
    assert_eq!(provider.kx_groups[0].name(), NamedGroup::X25519MLKEM768);
}
