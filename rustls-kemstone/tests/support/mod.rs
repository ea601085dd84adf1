//! Connections in memory, certificates, and groups that misbehave.

#![allow(dead_code)] // not every test uses all of it

use std::sync::{Arc, LazyLock};

use rcgen::{CertifiedKey, KeyPair};
use rustls::crypto::{
    ActiveKeyExchange, CompletedKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret,
    SupportedKxGroup,
};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, Error, NamedGroup, ProtocolVersion, RootCertStore, ServerConfig,
    ServerConnection,
};

/// A certificate for `localhost` that vouches for itself.
static CERTIFICATE: LazyLock<CertifiedKey<KeyPair>> =
    LazyLock::new(|| rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap());

pub(crate) fn client_config(provider: CryptoProvider) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CERTIFICATE.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

pub(crate) fn server_config(provider: CryptoProvider) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(CERTIFICATE.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CERTIFICATE.cert.der().clone()], key)
        .unwrap();
    Arc::new(config)
}

/// The two ends of a connection, and what ended it for each.
pub(crate) struct Connection {
    pub client: ClientConnection,
    pub server: ServerConnection,
    pub client_error: Option<Error>,
    pub server_error: Option<Error>,
    /// What the client sent first.
    pub first_flight: Vec<u8>,
}

impl Connection {
    /// A handshake, and what follows it until neither end has anything more to say.
    pub(crate) fn new(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(client.clone(), name).unwrap();
        let server = ServerConnection::new(server.clone()).unwrap();
        let mut this =
            Self { client, server, client_error: None, server_error: None, first_flight: Vec::new() };
        while this.client.wants_write() || this.server.wants_write() {
            let mut sent = Vec::new();
            while this.client.wants_write() {
                this.client.write_tls(&mut sent).unwrap();
            }
            if this.first_flight.is_empty() {
                this.first_flight.clone_from(&sent);
            }
            let mut unread = &sent[..];
            while !unread.is_empty() && this.server_error.is_none() {
                this.server.read_tls(&mut unread).unwrap();
                this.server_error = this.server.process_new_packets().err();
            }

            let mut sent = Vec::new();
            while this.server.wants_write() {
                this.server.write_tls(&mut sent).unwrap();
            }
            let mut unread = &sent[..];
            while !unread.is_empty() && this.client_error.is_none() {
                this.client.read_tls(&mut unread).unwrap();
                this.client_error = this.client.process_new_packets().err();
            }
        }
        this
    }

    /// The same, which must succeed: both ends agree on the group, the version is 1.3 and bytes get through in both directions.
    pub(crate) fn established(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
        use std::io::{Read, Write};

        let mut this = Self::new(client, server);
        assert_eq!((&this.client_error, &this.server_error), (&None, &None));
        assert!(!this.client.is_handshaking() && !this.server.is_handshaking());
        assert_eq!(this.client.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(this.client_group(), this.server_group());

        let mut wire = Vec::new();
        let mut read = [0; 8];
        this.client.writer().write_all(b"question").unwrap();
        this.client.write_tls(&mut wire).unwrap();
        this.server.read_tls(&mut &wire[..]).unwrap();
        this.server.process_new_packets().unwrap();
        this.server.reader().read_exact(&mut read).unwrap();
        assert_eq!(&read, b"question");
        wire.clear();
        this.server.writer().write_all(b"answered").unwrap();
        this.server.write_tls(&mut wire).unwrap();
        this.client.read_tls(&mut &wire[..]).unwrap();
        this.client.process_new_packets().unwrap();
        this.client.reader().read_exact(&mut read).unwrap();
        assert_eq!(&read, b"answered");
        this
    }

    pub(crate) fn client_group(&self) -> Option<u16> {
        self.client.negotiated_key_exchange_group().map(|group| u16::from(group.name()))
    }

    pub(crate) fn server_group(&self) -> Option<u16> {
        self.server.negotiated_key_exchange_group().map(|group| u16::from(group.name()))
    }
}

/// The groups that a hello lists, and its key shares with their lengths.
pub(crate) struct Hello {
    pub groups: Vec<u16>,
    pub shares: Vec<(u16, usize)>,
}

impl Hello {
    /// Reads a flight that begins with a ClientHello in one record (RFC 8446, section 4.1.2).
    pub(crate) fn parse(flight: &[u8]) -> Self {
        let mut rest = &flight[5 + 4 + 2 + 32..]; // record, handshake, version, random
        take(&mut rest, 1); // session
        take(&mut rest, 2); // suites
        take(&mut rest, 1); // compression
        let mut extensions = take(&mut rest, 2);
        let mut this = Self { groups: Vec::new(), shares: Vec::new() };
        while !extensions.is_empty() {
            let name = number(&mut extensions);
            let mut body = take(&mut extensions, 2);
            match name {
                10 => {
                    let mut list = take(&mut body, 2);
                    while !list.is_empty() {
                        this.groups.push(number(&mut list));
                    }
                }
                51 => {
                    let mut list = take(&mut body, 2);
                    while !list.is_empty() {
                        let group = number(&mut list);
                        this.shares.push((group, take(&mut list, 2).len()));
                    }
                }
                _ => {}
            }
        }
        this
    }
}

fn number(bytes: &mut &[u8]) -> u16 {
    let (number, rest) = bytes.split_first_chunk().unwrap();
    *bytes = rest;
    u16::from_be_bytes(*number)
}

/// What follows a length of so many bytes.
fn take<'a>(bytes: &mut &'a [u8], size: usize) -> &'a [u8] {
    let (size, rest) = bytes.split_at(size);
    let size = size.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    let (taken, rest) = rest.split_at(size);
    *bytes = rest;
    taken
}

/// A provider with these groups only.
pub(crate) fn only(provider: CryptoProvider, kx_groups: &[&'static dyn SupportedKxGroup]) -> CryptoProvider {
    CryptoProvider { kx_groups: kx_groups.to_vec(), ..provider }
}

/// Randomness that is always the same byte.
#[derive(Debug)]
pub(crate) struct Constant(pub u8);

impl SecureRandom for Constant {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        buf.fill(self.0);
        Ok(())
    }
}

/// No randomness.
#[derive(Debug)]
pub(crate) struct Broken;

impl SecureRandom for Broken {
    fn fill(&self, _buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        Err(GetRandomFailed)
    }
}

/// Another group, whose shares are damaged before they are sent.
#[derive(Debug)]
pub(crate) struct Damaged {
    pub inner: &'static dyn SupportedKxGroup,
    pub damage: fn(&mut Vec<u8>),
}

impl Damaged {
    pub(crate) fn new(inner: &'static dyn SupportedKxGroup, damage: fn(&mut Vec<u8>)) -> &'static Self {
        Box::leak(Box::new(Self { inner, damage }))
    }
}

impl SupportedKxGroup for Damaged {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let inner = self.inner.start()?;
        let mut share = inner.pub_key().to_vec();
        (self.damage)(&mut share);
        Ok(Box::new(ActiveDamaged { inner, share }))
    }

    fn start_and_complete(&self, peer_pub_key: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let mut completed = self.inner.start_and_complete(peer_pub_key)?;
        (self.damage)(&mut completed.pub_key);
        Ok(completed)
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        self.inner.name()
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        self.inner.usable_for_version(version)
    }
}

struct ActiveDamaged {
    inner: Box<dyn ActiveKeyExchange>,
    share: Vec<u8>,
}

impl ActiveKeyExchange for ActiveDamaged {
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        self.inner.complete(peer_pub_key)
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        self.inner.group()
    }
}

/// Writes the coefficient of that index into an encoded encapsulation key (FIPS 203, ByteEncode_12).
pub(crate) fn set_coefficient(key: &mut [u8], index: usize, value: u16) {
    let pair = &mut key[(index >> 1) * 3..][..3];
    let [low, high] = value.to_le_bytes();
    if index & 1 == 0 {
        pair[0] = low;
        pair[1] = pair[1] & 0xf0 | high;
    } else {
        pair[1] = pair[1] & 0x0f | low << 4;
        pair[2] = low >> 4 | high << 4;
    }
}
