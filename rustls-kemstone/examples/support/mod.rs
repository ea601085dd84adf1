//! What the two examples share.

#![allow(dead_code)] // one of them uses some of it only

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::{CommonState, HandshakeKind};
use rustls_kemstone::Group;

/// A connection that ends at a fixed time, whatever the peer does or does not send.
pub(crate) struct Deadline {
    stream: TcpStream,
    end: Instant,
}

impl Deadline {
    pub(crate) fn new(stream: TcpStream, time: Duration) -> io::Result<Self> {
        // A handshake is several small writes: each would wait for the acknowledgement of the one before, some 40 ms.
        stream.set_nodelay(true)?;
        Ok(Self { stream, end: Instant::now() + time })
    }

    /// Waits until the peer has sent something.
    pub(crate) fn wait(&mut self) -> io::Result<()> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.peek(&mut [0]).map(drop).map_err(too_slow)
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Deadline {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buf).map_err(too_slow)
    }
}

impl Write for Deadline {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(buf).map_err(too_slow)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Unix calls it "resource temporarily unavailable".
fn too_slow(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

/// The name of the group that was agreed on.
pub(crate) fn group(connection: &CommonState) -> String {
    let Some(group) = connection.negotiated_key_exchange_group().map(|group| group.name()) else {
        return "none".to_owned();
    };
    match Group::from_code_point(group.into()) {
        Some(ours) => ours.name().to_owned(),
        None => format!("{group:?}"),
    }
}

/// How the handshake went.
pub(crate) fn kind(connection: &CommonState) -> &'static str {
    match connection.handshake_kind() {
        Some(HandshakeKind::Full) => "full",
        Some(HandshakeKind::FullWithHelloRetryRequest) => "full, after a HelloRetryRequest",
        Some(HandshakeKind::Resumed) => "resumed",
        None => "unfinished",
    }
}

/// Whether a quantum computer could read what was recorded of it.
pub(crate) fn is_post_quantum(connection: &CommonState) -> bool {
    connection
        .negotiated_key_exchange_group()
        .is_some_and(|group| Group::from_code_point(group.name().into()).is_some())
}
