//! What a model of TCP slow start says of a loss-free connection: segments, acknowledgements, a window and a bottleneck. No
//! computing time, no receive window, no pacing, no HyStart; where a measurement departs from it, one of these is at work.

use crate::grid::{Exchange, Point};

/// Bytes of payload of a full segment: 1500 less 20 of IP, 20 of TCP and 12 of its time stamps.
const SEGMENT: u64 = 1448;
/// A segment's headers with those of Ethernet.
const HEADERS: u64 = 52 + 14;
/// A SYN is longer by its options.
const SYN: u64 = 60 + 14;

/// Sizes of TLS in bytes of the stream.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub hello: u64,
    pub server_flight: u64,
    pub finished: u64,
}

/// The client's hello, without and with a share of ML-KEM: the length of what is constant in a hello of rustls 0.23 with one
/// suite and this name, and the shares.
pub fn sizes(point: &Point) -> Sizes {
    let hybrid = point.exchange != Exchange::X25519;
    let chain = if point.chain == 0 { RSA_CHAIN } else { u64::from(point.chain) };
    Sizes {
        hello: 200 + if hybrid { 1184 + 32 + 36 } else { 32 },
        // ServerHello, change of ciphers, EncryptedExtensions, lengths of certificates, a signature of 256 bytes, Finished,
        // and what records add.
        server_flight: chain + 480 + if hybrid { 1088 } else { 0 },
        finished: 80,
    }
}

/// About what the RSA chain has.
const RSA_CHAIN: u64 = 1640;

struct Sender {
    /// Segments allowed in flight.
    window: u64,
    /// When the bottleneck is free.
    free: f64,
    one_way: f64,
    bits_per_ns: f64,
}

impl Sender {
    fn transmit(&self, bytes: u64) -> f64 {
        bytes as f64 * 8.0 / self.bits_per_ns
    }

    /// Sends `bytes` from `start` on; returns when the last one arrives. The window grows by one segment for each one that is
    /// acknowledged, if most of it was in use.
    fn send(&mut self, start: f64, bytes: u64) -> f64 {
        let count = bytes.div_ceil(SEGMENT);
        let mut acknowledged = Vec::new();
        let mut arrival = start;
        for n in 0..count {
            // After k acknowledgements the window is w + k, and n - k segments are in flight.
            let needed = if n < self.window { 0 } else { (n - self.window) / 2 + 1 };
            let allowed: f64 = if needed == 0 { start } else { acknowledged[needed as usize - 1] };
            let length = if n + 1 == count { bytes - n * SEGMENT } else { SEGMENT };
            // As the link has it: the delay, then the bottleneck.
            self.free = (allowed + self.one_way).max(self.free) + self.transmit(length + HEADERS);
            arrival = self.free;
            acknowledged.push(arrival + self.one_way + self.transmit(HEADERS));
        }
        if 2 * count > self.window {
            self.window += count;
        }
        arrival
    }
}

/// Nanoseconds to the end of `connect`, of the handshake and to the last byte.
pub fn predict(point: &Point) -> [f64; 3] {
    let Sizes { hello, server_flight, finished } = sizes(point);
    let sender = || Sender {
        window: u64::from(point.window),
        free: 0.0,
        one_way: point.shape.rtt as f64 / 2.0,
        bits_per_ns: point.shape.rate as f64 / 1e9,
    };
    let (mut client, mut server) = (sender(), sender());
    let connect = 2.0 * (client.one_way + client.transmit(SYN));
    // The acknowledgement of the SYN goes ahead of the hello.
    client.free = connect + client.one_way + client.transmit(HEADERS);
    let hello = client.send(connect, hello);
    let handshake = server.send(hello, server_flight);
    if point.data == 0 {
        return [connect, handshake, handshake];
    }
    let request = client.send(handshake, finished + crate::peer::REQUEST as u64 + 22);
    let records = u64::from(point.data.div_ceil(16 * 1024));
    let last = server.send(request, u64::from(point.data) + records * 22);
    [connect, handshake, last]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{CLASSICAL, FAR_SLOW, NEAR_FAST, POST_QUANTUM, point};

    fn milliseconds(pair: (Exchange, u32), window: u32, shape: crate::grid::Shape, kib: u32) -> [f64; 3] {
        predict(&point(pair, window, shape, kib * 1024)).map(|time| time / 1e6)
    }

    #[test]
    fn a_slow_link_is_filled() {
        let [connect, handshake, last] = milliseconds(CLASSICAL, 20, FAR_SLOW, 200);
        assert!((200.0..203.0).contains(&connect), "{connect}");
        assert!((415.0..430.0).contains(&handshake), "{handshake}");
        // 142 segments of 1514 bytes at 1 Mbps are 1 715 ms.
        assert!((2_300.0..2_370.0).contains(&last), "{last}");
    }

    #[test]
    fn on_a_fast_link_answers_take_whole_round_trips() {
        let trips = |pair, window, kib| {
            let [_, handshake, last] = milliseconds(pair, window, NEAR_FAST, kib);
            [(handshake / 35.0).round() as u32, (last / 35.0).round() as u32]
        };
        assert_eq!(trips(CLASSICAL, 20, 0), [2, 2]);
        assert_eq!(trips(CLASSICAL, 20, 10), [2, 3]);
        // 28 segments of 1448 do not fit into 20, but into 40
        assert_eq!(trips(CLASSICAL, 20, 40), [2, 4]);
        assert_eq!(trips(CLASSICAL, 20, 100), [2, 5]);
        // A chain of 16 KB does not fit into 10, and so opens the window for what follows.
        assert_eq!(trips(POST_QUANTUM, 10, 0), [3, 3]);
        assert_eq!(trips(POST_QUANTUM, 20, 0), [2, 2]);
    }
}
