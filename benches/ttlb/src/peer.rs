//! The two ends of a connection: programs of their own, each in a network namespace, that the run starts and talks to by
//! pipes. They end when the pipe does, so nothing is left of a run that was killed.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrIn, sockopt};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

use crate::grid::Exchange;
use crate::link::now;
use crate::netns::Side;
use crate::pki::{self, NAME, Pki};

/// A request: the number of bytes wanted, little-endian, and filling, together as long as a small HTTP request.
pub const REQUEST: usize = 100;

/// Where the server listens for a key exchange and a chain of the list.
pub fn port(exchange: Exchange, chain: usize) -> u16 {
    4000 + (chain * Exchange::ALL.len() + exchange as usize) as u16
}

/// Where the check of the link sends datagrams.
pub const PROBE_PORT: u16 = 3999;

/// A connection takes so long at most, in seconds; one that takes longer is stored as `timeout`.
pub const TIMEOUT: u64 = 120;

/// Stacks of the threads of connections: unoptimised handshakes need most of it.
const STACK: usize = 512 * 1024;

/// The address of connection `id` (24 bits).
pub fn client_address(id: u32) -> Ipv4Addr {
    let [_, a, b, c] = id.to_be_bytes();
    Ipv4Addr::new(10, a, b, c)
}

/// The server has an address, and so a route with a window, for each initial window of the grid.
pub fn server_address(window: usize) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 1 + window as u8)
}

/// How long this thread has waited for a processor so far although it could run, in nanoseconds. The kernel counts it.
fn waited() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|field| field.parse().ok()).unwrap_or(0)
}

fn print_line(line: &str) {
    // Whole lines, whichever thread writes. The reader gone, the pipe of orders ends as well.
    let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}

/// The client: reads `ID EXCHANGE CHAIN DATA WINDOW` and writes `ID STATUS CONNECT HANDSHAKE LAST WAITED`, times in
/// nanoseconds from the start of the connection. `probe` orders are those of the check, see [`crate::check`].
pub fn client() -> Result<()> {
    let mut input = BufReader::new(std::io::stdin());
    let pki = Pki::read(&mut input)?;
    let configs = Exchange::ALL.map(|exchange| pki.client(exchange));
    let configs: Vec<_> = configs.into_iter().collect::<Result<_>>()?;
    let arrivals = collector()?;
    print_line("ready");
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let words: Vec<_> = line.split_whitespace().collect();
        if probes(&words, Side::Client, &arrivals)? {
            continue;
        }
        let numbers: Vec<u32> = words.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
        let [id, exchange, chain, data, window] = numbers[..] else { bail!("an order of {line}") };
        let exchange = Exchange::ALL[exchange as usize];
        let config = configs[exchange as usize].clone();
        let server = SocketAddrV4::new(server_address(window as usize), port(exchange, chain as usize));
        thread::Builder::new().stack_size(STACK).spawn(move || {
            let before = waited();
            let mut times = [0; 3];
            let status = match connection(id, exchange, config, server, data, &mut times) {
                Ok(socket) => {
                    // The report comes first: closing is no part of the measurement.
                    report(id, "ok", &times, before);
                    drop(socket);
                    return;
                }
                Err(error) => match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
                    Some(std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock) => {
                        "timeout".to_owned()
                    }
                    _ => format!("failed:{}", format!("{error:#}").replace([' ', ',', '\n'], "_")),
                },
            };
            report(id, &status, &times, before);
        })?;
    }
}

fn report(id: u32, status: &str, times: &[u64; 3], before: u64) {
    let [connect, handshake, last] = times;
    print_line(&format!("{id} {status} {connect} {handshake} {last} {}", waited() - before));
}

/// One connection, from a source address of its own. The socket is returned open; it resets the connection when it is closed.
fn connection(
    id: u32,
    exchange: Exchange,
    config: Arc<ClientConfig>,
    server: SocketAddrV4,
    data: u32,
    times: &mut [u64; 3],
) -> Result<TcpStream> {
    // The standard library binds no socket before it connects.
    let socket = socket::socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    cubic(&socket)?;
    socket::setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
    socket::bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(client_address(id), 0)))?;
    socket::setsockopt(&socket, sockopt::Linger, &nix::libc::linger { l_onoff: 1, l_linger: 0 })?;
    let limit = Duration::from_secs(TIMEOUT);
    let mut stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(limit))?;
    // Bounds `connect` as well.
    stream.set_write_timeout(Some(limit))?;
    let name = ServerName::try_from(NAME)?;

    let began = now();
    let connected = socket::connect(stream.as_raw_fd(), &SockaddrIn::from(server));
    connected.map_err(std::io::Error::from).map_err(|error| match error.kind() {
        // What Linux says when the write timeout ends a `connect`.
        std::io::ErrorKind::Other => std::io::ErrorKind::TimedOut.into(),
        _ if error.raw_os_error() == Some(nix::libc::EINPROGRESS) => std::io::ErrorKind::TimedOut.into(),
        _ => error,
    })?;
    times[0] = now() - began;
    let mut tls = ClientConnection::new(config, name)?;
    if data > 0 {
        // Goes out with the client's Finished.
        let mut request = [0; REQUEST];
        request[..4].copy_from_slice(&data.to_le_bytes());
        while tls.is_handshaking() {
            progress(&mut tls, &mut stream)?;
            if !tls.is_handshaking() && times[1] == 0 {
                times[1] = now() - began;
                tls.writer().write_all(&request)?;
            }
            send(&mut tls, &mut stream)?;
        }
        let mut left = data as usize;
        let mut buffer = vec![0; 64 * 1024];
        while left > 0 {
            match tls.reader().read(&mut buffer) {
                Ok(0) => bail!("the server closed with {left} bytes to come"),
                Ok(length) => left = left.checked_sub(length).context("more than was asked for")?,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    progress(&mut tls, &mut stream)?
                }
                Err(error) => return Err(error.into()),
            }
        }
        times[2] = now() - began;
    } else {
        while tls.is_handshaking() {
            progress(&mut tls, &mut stream)?;
            if !tls.is_handshaking() {
                times[1] = now() - began;
            }
            send(&mut tls, &mut stream)?;
        }
        times[2] = times[1];
    }
    let agreed = tls.negotiated_key_exchange_group().context("no key exchange")?.name();
    ensure!(agreed == pki::group(exchange), "agreed on {agreed:?}");
    Ok(stream)
}

/// Writes all that TLS has to send.
fn send(tls: &mut ClientConnection, stream: &mut TcpStream) -> Result<()> {
    while tls.wants_write() {
        tls.write_tls(stream)?;
    }
    Ok(())
}

/// Sends what waits, and reads once.
fn progress(tls: &mut ClientConnection, stream: &mut TcpStream) -> Result<()> {
    send(tls, stream)?;
    if tls.wants_read() {
        ensure!(tls.read_tls(stream)? > 0, "the server closed the connection");
    }
    tls.process_new_packets()?;
    Ok(())
}

/// The server: writes `ID WAITED` for each connection, once it has no more to send.
pub fn server() -> Result<()> {
    let mut input = std::io::stdin();
    let pki = Pki::read(&mut input)?;
    for chain in 0..pki.chains.len() {
        for exchange in Exchange::ALL {
            let config = pki.server(exchange, chain)?;
            let listener = listen(port(exchange, chain))?;
            thread::spawn(move || {
                for stream in listener.incoming() {
                    // An accept fails when its client is gone already.
                    let Ok(stream) = stream else { continue };
                    let config = config.clone();
                    let spawned =
                        thread::Builder::new().stack_size(STACK).spawn(move || answer(stream, config));
                    if let Err(error) = spawned {
                        eprintln!("server: {error}");
                    }
                }
            });
        }
    }
    let arrivals = collector()?;
    print_line("ready");
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let words: Vec<_> = line.split_whitespace().collect();
        ensure!(probes(&words, Side::Server, &arrivals)?, "an order of {line}");
        line.clear();
    }
    Ok(())
}

/// Kernels differ in their default; the source's had this one. It is set on sockets, because a namespace may not choose as its
/// default what the machine's administrator has not allowed to all.
fn cubic(socket: &impl AsFd) -> Result<()> {
    socket::setsockopt(socket, sockopt::TcpCongestion, &OsString::from("cubic")).context("TCP with cubic")
}

/// A listener with room for as many connections as come at once; the standard library's has room for 128.
fn listen(port: u16) -> Result<TcpListener> {
    let socket = socket::socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    // What it accepts inherits this.
    cubic(&socket)?;
    let address = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port));
    socket::bind(socket.as_raw_fd(), &address)?;
    socket::listen(&socket, socket::Backlog::new(4096)?)?;
    Ok(socket.into())
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>) {
    // A client that is done resets the connection, which ends this with an error.
    let Ok(SocketAddr::V4(peer)) = stream.peer_addr() else { return };
    let [_, a, b, c] = peer.ip().octets();
    let id = u32::from_be_bytes([0, a, b, c]);
    let _ = serve(stream, config, id);
}

fn serve(mut stream: TcpStream, config: Arc<ServerConfig>, id: u32) -> Result<()> {
    let before = waited();
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(TIMEOUT)))?;
    let mut tls = Connection::Server(ServerConnection::new(config)?);
    tls.set_buffer_limit(None);
    let mut request = [0; REQUEST];
    let mut filled = 0;
    let mut first_flight = true;
    while filled < REQUEST {
        if tls.read_tls(&mut stream)? == 0 {
            bail!("closed");
        }
        tls.process_new_packets()?;
        while tls.wants_write() {
            tls.write_tls(&mut stream)?;
        }
        if first_flight && tls.negotiated_key_exchange_group().is_some() {
            // A client that asks for nothing is done when it has this flight.
            print_line(&format!("{id} {}", waited() - before));
            first_flight = false;
        }
        match tls.reader().read(&mut request[filled..]) {
            Ok(0) => bail!("closed"),
            Ok(length) => filled += length,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    let data = u32::from_le_bytes(request[..4].try_into()?) as usize;
    tls.writer().write_all(&vec![0x5a; data])?;
    while tls.wants_write() {
        tls.write_tls(&mut stream)?;
    }
    print_line(&format!("{id} {}", waited() - before));
    // Until the client resets.
    while stream.read(&mut request)? > 0 {}
    let _ = stream.shutdown(Shutdown::Both);
    Ok(())
}

/// When the datagrams of a probe were sent and came, and the connection they are of.
type Arrivals = Arc<Mutex<Vec<(u64, u64, u32)>>>;

/// The orders that both peers know, of the check and of netem; whether this is one.
fn probes(words: &[&str], side: Side, arrivals: &Arrivals) -> Result<bool> {
    match words.first() {
        Some(&"probe") => probe(words, side)?,
        Some(&"netem") => {
            crate::netns::netem(&words[1..])?;
            print_line("shaped");
        }
        // Tells what has come since the last time.
        Some(&"probes") => {
            let taken = std::mem::take(&mut *arrivals.lock().expect("no panic while held"));
            let mut text = format!("probes {}", taken.len());
            for (sent, arrived, id) in taken {
                text.push_str(&format!(" {sent}:{arrived}:{id}"));
            }
            print_line(&text);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// `probe WINDOW FIRST COUNT SIZE FLOWS PAUSE`: COUNT datagrams with SIZE bytes of payload to the other side, of FLOWS
/// connections from FIRST on in turn, with PAUSE nanoseconds in between. A payload begins with the time of sending and the
/// number of the connection.
fn probe(words: &[&str], side: Side) -> Result<()> {
    let numbers: Vec<u64> = words[1..].iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
    let [window, first, count, size, flows, pause] = numbers[..] else { bail!("a probe of {words:?}") };
    let server = server_address(window as usize);
    let sockets: Vec<_> = (0..flows)
        .map(|n| {
            let client = client_address((first + n) as u32);
            let (from, to) = if side == Side::Client { (client, server) } else { (server, client) };
            let socket = UdpSocket::bind((from, 0))?;
            socket.connect((to, PROBE_PORT))?;
            Ok(socket)
        })
        .collect::<std::io::Result<_>>()?;
    let mut payload = vec![0; size as usize];
    for n in 0..count {
        let flow = n % flows;
        payload[8..12].copy_from_slice(&((first + flow) as u32).to_le_bytes());
        payload[..8].copy_from_slice(&now().to_le_bytes());
        sockets[flow as usize].send(&payload)?;
        if pause > 0 {
            thread::sleep(Duration::from_nanos(pause));
        }
    }
    print_line(&format!("probed {count}"));
    Ok(())
}

/// Collects datagrams of probes in a thread.
fn collector() -> Result<Arrivals> {
    let arrivals = Arrivals::default();
    let probes = UdpSocket::bind(("0.0.0.0", PROBE_PORT))?;
    // Bursts of a thousand large datagrams must fit.
    socket::setsockopt(&probes, sockopt::RcvBuf, &(16 << 20))?;
    let collected = arrivals.clone();
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, _)) = probes.recv_from(&mut buffer) {
            let time = now();
            let (Some(sent), Some(id)) = (
                buffer[..length].get(..8).and_then(|bytes| bytes.try_into().ok()),
                buffer[..length].get(8..12).and_then(|bytes| bytes.try_into().ok()),
            ) else {
                continue;
            };
            let entry = (u64::from_le_bytes(sent), time, u32::from_le_bytes(id));
            collected.lock().expect("no panic while held").push(entry);
        }
    });
    Ok(arrivals)
}
