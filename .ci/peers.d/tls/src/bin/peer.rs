//! Ours, for `.ci/peers tls`: a client and a server of rustls with *ring* and kemstone.
//!
//! ```text
//! peer certificate FOLDER                 writes cert.pem and key.pem, for localhost
//! peer server FOLDER GROUPS               prints `port N`, then a line for each connection
//! peer client FOLDER GROUPS PORT TIMES    connects one time after another, and prints a line for each
//! ```
//!
//! GROUPS: names with commas between them, in order of preference. A line is the group and how the handshake went, or `error` and why
//! not. The server's answer to a request is a page with the same in it.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, thread};

use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, CommonState, ConnectionCommon, RootCertStore, ServerConfig,
    ServerConnection, SideData, Stream,
};
use rustls_kemstone::{Group, PostQuantum};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["certificate", folder] => certificate(Path::new(folder)),
        ["server", folder, groups] => server(Path::new(folder), groups),
        ["client", folder, groups, port, times] => {
            client(Path::new(folder), groups, port.parse()?, times.parse()?)
        }
        _ => Err("see the head of the source".into()),
    }
}

fn certificate(folder: &Path) -> Result<()> {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    fs::write(folder.join("cert.pem"), certified.cert.pem())?;
    fs::write(folder.join("key.pem"), certified.signing_key.serialize_pem())?;
    Ok(())
}

/// *ring* with these groups and no others.
fn provider(names: &str) -> Result<Arc<CryptoProvider>> {
    let all = PostQuantum::new().groups(Group::ALL).apply(ring::default_provider())?;
    let mut kx_groups = Vec::new();
    for name in names.split(',') {
        let named = |group: &&&'static dyn SupportedKxGroup| format!("{group:?}").eq_ignore_ascii_case(name);
        kx_groups.push(*all.kx_groups.iter().find(named).ok_or_else(|| format!("no group {name}"))?);
    }
    Ok(Arc::new(CryptoProvider { kx_groups, ..all }))
}

fn line(connection: &CommonState) -> String {
    let group = connection.negotiated_key_exchange_group().map(|group| format!("{group:?}"));
    let kind = connection.handshake_kind().map(|kind| format!("{kind:?}"));
    format!("{} {}", group.unwrap_or_default(), kind.unwrap_or_default())
}

fn server(folder: &Path, groups: &str) -> Result<()> {
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem"))?;
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem"))?;
    let config = ServerConfig::builder_with_provider(provider(groups)?)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("port {}", listener.local_addr()?.port());
    for stream in listener.incoming() {
        let (stream, config) = (stream?, config.clone());
        thread::spawn(move || match serve(stream, config) {
            Ok(line) => println!("{line}"),
            Err(error) => println!("error {error}"),
        });
    }
    Ok(())
}

fn serve(mut stream: TcpStream, config: Arc<ServerConfig>) -> Result<String> {
    ready(&stream)?;
    let mut connection = ServerConnection::new(config)?;
    handshake(&mut connection, &mut stream)?;
    let line = line(&connection);
    let mut tls = Stream::new(&mut connection, &mut stream);
    let (mut request, mut some) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        match tls.read(&mut some)? {
            0 => break,
            size => request.extend_from_slice(&some[..size]),
        }
    }
    // The scripts have a browser connect again, and resume the session: one may go over a connection that it has already, for it
    // makes two at once. Nothing in the answers runs.
    let scripts: String = (1..5).map(|number| format!("<script src=\"/{number}\"></script>")).collect();
    let page = format!("<!doctype html><title>TLS</title><h1 id=\"group\">{line}</h1>{scripts}\n");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
    write!(tls, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len())?;
    tls.conn.send_close_notify();
    tls.flush()?;
    Ok(line)
}

fn client(folder: &Path, groups: &str, port: u16, times: usize) -> Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("cert.pem"))?)?;
    let config = ClientConfig::builder_with_provider(provider(groups)?)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    for _ in 0..times {
        match fetch(&config, port) {
            Ok(line) => println!("{line}"),
            Err(error) => println!("error {error}"),
        }
    }
    Ok(())
}

fn fetch(config: &Arc<ClientConfig>, port: u16) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    ready(&stream)?;
    let mut connection = ClientConnection::new(config.clone(), ServerName::try_from("localhost")?)?;
    handshake(&mut connection, &mut stream)?;
    let line = line(&connection);
    let mut tls = Stream::new(&mut connection, &mut stream);
    // Its tickets come with the answer.
    tls.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    match tls.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error.into()),
        _ if answer.is_empty() => Err("no answer".into()),
        _ => Ok(line),
    }
}

fn handshake<D: SideData>(connection: &mut ConnectionCommon<D>, stream: &mut TcpStream) -> Result<()> {
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(stream) {
            // An alert does not arrive if the connection is closed on bytes that nobody has read.
            let _ = stream.shutdown(Shutdown::Write);
            let _ = io::copy(stream, &mut io::sink());
            return Err(error.into());
        }
    }
    Ok(())
}

fn ready(stream: &TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    Ok(())
}
