//! peer PORT PAGES PACKAGES: serves the demonstration's page on this machine, and is the other side of its exchange. PAGES is the
//! folder of the page, PACKAGES that of npm's packages; port 0 takes a free one. The address is printed.
//!
//! `POST /encapsulate` takes an encapsulation key of ML-KEM-768 and answers with a ciphertext and a tag, which only who has the
//! secret can compute: HMAC-SHA-256 over [`LABEL`], the key and the ciphertext.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use kemstone::ml_kem_768::{ENCAPSULATION_KEY_SIZE, EncapsulationKey};
use sha2::Sha256;

const LABEL: &[u8] = b"kemstone demonstration";

/// Bytes of a request's line and header fields.
const HEAD: usize = 8192;
/// What a connection may take from its beginning to its end.
const TIME: Duration = Duration::from_secs(10);
/// Connections at a time; further ones are closed.
const CONNECTIONS: usize = 32;
/// Bytes of a refused body that are read so that its sender sees the answer.
const DRAINED: usize = 1 << 16;

struct Answer {
    status: &'static str,
    kind: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn bad(why: &str) -> Self {
        Self { status: "400 Bad Request", kind: "text/plain", body: why.as_bytes().to_vec() }
    }

    fn ok(kind: &'static str, body: Vec<u8>) -> Self {
        Self { status: "200 OK", kind, body }
    }
}

struct Request<'a> {
    method: &'a str,
    path: &'a str,
    length: usize,
}

/// What a request's head says, as far as this server needs it.
fn parse(head: &[u8]) -> Result<Request<'_>, &'static str> {
    let head = str::from_utf8(head).map_err(|_| "the head is no text")?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("no request");
    };
    if !version.starts_with("HTTP/1.") {
        return Err("another version of HTTP");
    }
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err("a body without its length");
        }
        if name.eq_ignore_ascii_case("content-length") {
            let value = value.trim();
            let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            let value = value.parse().ok().filter(|_| digits && length.is_none());
            length = Some(value.ok_or("the length of the body")?);
        }
    }
    let path = target.split('?').next().unwrap_or_default();
    Ok(Request { method, path, length: length.unwrap_or(0) })
}

/// The type of a file that is served, by its name.
fn kind_of(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        _ => return None,
    })
}

struct Folders {
    pages: PathBuf,
    packages: PathBuf,
}

impl Folders {
    /// The file of a path, if every part of it is a plain name: no dots at its beginning, nothing encoded.
    fn file(&self, path: &str) -> Option<(&'static str, Vec<u8>)> {
        let path = if path == "/" { "/index.html" } else { path };
        let (folder, rest) = match path.strip_prefix("/node_modules/") {
            Some(rest) => (&self.packages, rest),
            None => (&self.pages, path.strip_prefix('/')?),
        };
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@._-".contains(&byte))
        };
        if !rest.split('/').all(plain) {
            return None;
        }
        Some((kind_of(rest)?, fs::read(folder.join(rest)).ok()?))
    }
}

/// A ciphertext for the key, and the tag.
fn encapsulate(key: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let (ciphertext, secret) = EncapsulationKey::try_from(key)?.encapsulate()?;
    let mut tag = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    for part in [LABEL, key, ciphertext.as_bytes()] {
        tag.update(part);
    }
    Ok([&ciphertext.as_bytes()[..], &tag.finalize().into_bytes()].concat())
}

/// A stream until the time is over.
struct Timed<'a> {
    stream: &'a TcpStream,
    end: Instant,
}

impl Read for Timed<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(to)
    }
}

/// The answer to what comes, or an error if nothing does.
fn answer(from: &mut impl Read, folders: &Folders) -> io::Result<Answer> {
    let mut buffer = [0; HEAD];
    let mut filled = 0;
    let (head, rest) = loop {
        if let Some(end) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
            break (&buffer[..end], &buffer[end + 4..filled]);
        }
        if filled == HEAD {
            return Ok(Answer::bad("the head is too long"));
        }
        match from.read(&mut buffer[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    };
    let request = match parse(head) {
        Ok(request) => request,
        Err(why) => return Ok(Answer::bad(why)),
    };
    match (request.method, request.path) {
        ("POST", "/encapsulate") => {
            if request.length != ENCAPSULATION_KEY_SIZE || rest.len() > ENCAPSULATION_KEY_SIZE {
                return Ok(Answer::bad("an encapsulation key of ML-KEM-768 has 1184 bytes"));
            }
            let mut key = [0; ENCAPSULATION_KEY_SIZE];
            key[..rest.len()].copy_from_slice(rest);
            from.read_exact(&mut key[rest.len()..])?;
            Ok(match encapsulate(&key) {
                Ok(body) => Answer::ok("application/octet-stream", body),
                Err(error) => Answer::bad(&error.to_string()),
            })
        }
        ("GET", path) => Ok(match folders.file(path) {
            Some((kind, body)) => Answer::ok(kind, body),
            None => Answer {
                status: "404 Not Found",
                kind: "text/plain",
                body: b"there is no such file".to_vec(),
            },
        }),
        _ => Ok(Answer::bad("GET a file, or POST /encapsulate")),
    }
}

fn serve(stream: &TcpStream, folders: &Folders) -> io::Result<()> {
    let mut from = Timed { stream, end: Instant::now() + TIME };
    stream.set_write_timeout(Some(TIME))?;
    let Answer { status, kind, body } = answer(&mut from, folders)?;
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\n\
         content-security-policy: default-src 'self'; img-src data:; style-src 'self' 'unsafe-inline'; \
         script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'\r\n\r\n",
        body.len()
    );
    let mut to = stream;
    to.write_all(head.as_bytes())?;
    to.write_all(&body)?;
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut from.take(DRAINED as u64), &mut io::sink())?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [port, pages, packages] = &arguments[..] else {
        return Err("usage: peer PORT PAGES PACKAGES".into());
    };
    let of = |folder: &str| Path::new(folder).canonicalize().map_err(|error| format!("{folder}: {error}"));
    let folders = Arc::new(Folders { pages: of(pages)?, packages: of(packages)? });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse()?))?;
    println!("http://{}/ (kemstone on {})", listener.local_addr()?, kemstone::backend());
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (folders, open) = (folders.clone(), open.clone());
        thread::spawn(move || {
            // What a connection fails of is its own affair.
            let _ = serve(&stream, &folders);
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
    Ok(())
}
