//! Fetches a page and says with which key exchange.
//!
//! ```text
//! cargo run --release -p rustls-kemstone --example https_client https://example.org/ [--ca FILE.pem]
//! ```
//!
//! The page goes to the standard output, as the server sends it; what is said of it to the standard error. Without `--ca`, the
//! certificate must come from one of the authorities that browsers trust.

mod support;

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, io};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use rustls_kemstone::with_post_quantum;
use support::{Deadline, group, kind};

/// For a whole connection.
const TIME: Duration = Duration::from_secs(20);
/// Of a page, at most.
const SIZE: u64 = 16 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (url, authorities) = match &arguments[..] {
        [url] => (url, None),
        [url, option, file] if option == "--ca" => (url, Some(file)),
        _ => return Err("usage: https_client https://HOST[:PORT][/PATH] [--ca FILE.pem]".into()),
    };
    let rest = url.strip_prefix("https://").ok_or("the address does not begin with https://")?;
    let (host_and_port, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = match host_and_port.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse()?),
        _ => (host_and_port, 443),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let path = if path.is_empty() { "/" } else { path };

    let mut roots = RootCertStore::empty();
    match authorities {
        Some(file) => {
            for certificate in CertificateDer::pem_file_iter(file)? {
                roots.add(certificate?)?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let provider = with_post_quantum(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();

    let mut stream = Deadline::new(connect(host, port)?, TIME)?;
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from(host.to_owned())?)?;
    let began = Instant::now();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    let time = began.elapsed();
    eprintln!("group      {}", group(&connection));
    eprintln!("handshake  {}, {:.2} ms", kind(&connection), time.as_secs_f64() * 1000.0);
    eprintln!("version    {:?}", connection.protocol_version().ok_or("no version")?);
    eprintln!("ciphers    {:?}", connection.negotiated_cipher_suite().ok_or("no ciphers")?.suite());
    eprintln!("ML-KEM on  {}", kemstone::backend());

    let mut tls = Stream::new(&mut connection, &mut stream);
    write!(tls, "GET {path} HTTP/1.0\r\nHost: {host_and_port}\r\nUser-Agent: https_client\r\n\r\n")?;
    match io::copy(&mut tls.take(SIZE), &mut io::stdout()) {
        // Some servers end a connection without the alert that says so.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(()),
        other => Ok(other.map(drop)?),
    }
}

/// The first address of the host that answers.
fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(5)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
