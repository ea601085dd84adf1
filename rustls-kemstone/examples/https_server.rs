//! Serves a page that says with which key exchange it was fetched.
//!
//! ```text
//! cargo run --release -p rustls-kemstone --example https_server [PORT]
//! ```
//!
//! It listens on this machine only, on port 8443 if none is given, with a certificate that it makes itself.

mod support;

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};
use rustls_kemstone::with_post_quantum;
use support::{Deadline, group, is_post_quantum, kind};

/// For a whole connection.
const TIME: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = match env::args().nth(1) {
        Some(port) => port.parse()?,
        None => 8443,
    };
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());

    let provider = with_post_quantum(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)?;
    let config = Arc::new(config);

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let address = format!("localhost:{}", listener.local_addr()?.port());
    let file = env::temp_dir().join(format!("https_server-{}.pem", listener.local_addr()?.port()));
    fs::write(&file, certified.cert.pem())?;
    println!("ML-KEM runs on {}. The certificate is {}. Try", kemstone::backend(), file.display());
    println!("  a browser:  https://{address}/  (it warns, for nobody vouches for the certificate)");
    println!("  curl --cacert {} https://{address}/", file.display());
    println!("  openssl s_client -connect {address} -groups X25519MLKEM768  (3.5 or newer)");
    println!(
        "  cargo run --release -p rustls-kemstone --example https_client https://{address}/ --ca {}",
        file.display()
    );

    for stream in listener.incoming() {
        let (stream, config) = (stream?, config.clone());
        thread::spawn(move || match serve(stream, config) {
            Ok(line) => println!("{line}"),
            Err(error) => println!("no page was served: {error}"),
        });
    }
    Ok(())
}

/// Answers whatever is asked with the page.
fn serve(stream: TcpStream, config: Arc<ServerConfig>) -> Result<String, Box<dyn Error>> {
    let mut stream = Deadline::new(stream, TIME)?;
    stream.wait()?; // browsers connect before they have anything to say
    let began = Instant::now();
    let mut connection = ServerConnection::new(config)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    let page = page(&connection, began.elapsed());

    let mut tls = Stream::new(&mut connection, &mut stream);
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < 16384 {
        let mut some = [0; 1024];
        let size = tls.read(&mut some)?;
        if size == 0 {
            return Err("the request has no end".into());
        }
        request.extend_from_slice(&some[..size]);
    }
    write!(
        tls,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    )?;
    tls.conn.send_close_notify();
    tls.flush()?;
    Ok(format!("served over {}, handshake {}", group(&connection), kind(&connection)))
}

fn page(connection: &ServerConnection, time: Duration) -> String {
    let suite = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    let verdict = if is_post_quantum(connection) {
        "Who records this connection today cannot read it with a quantum computer later."
    } else {
        "A quantum computer could read this connection later: the other side did not offer a group with ML-KEM."
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<title>{group}</title>\n<h1 id=\"group\">{group}</h1>\n<p id=\"verdict\">{verdict}</p>\n\
         <table>\n\
         <tr><td>handshake<td id=\"kind\">{kind}\n\
         <tr><td>from the first byte to the last<td id=\"time\">{time:.2} ms\n\
         <tr><td>ciphers<td id=\"suite\">{suite}\n\
         <tr><td>ML-KEM runs on<td id=\"backend\">{backend}\n\
         </table>\n</html>\n",
        group = group(connection),
        kind = kind(connection),
        time = time.as_secs_f64() * 1000.0,
        suite = suite.unwrap_or_default(),
        backend = kemstone::backend(),
    )
}
