//! The emulated link: a loop between two TUN devices that gives every connection a bottleneck, a queue, a delay and a loss of
//! its own in each direction, so that thousands of them run at once and share nothing but this machine's processor.
//!
//! A direction does to packets what `tc netem delay D loss P rate R limit 1000` does on a veth device:
//! a packet is lost before it is queued; it leaves at max(arrival + delay, departure of the packet before it) + size / rate,
//! where the size includes 14 bytes of Ethernet header; if 1000 packets are waiting, it is dropped. As in netem with a rate,
//! packets never overtake each other, also where delays vary.
//!
//! A connection is known by the address of its client, 10.x.y.z, whose lower three bytes are its number.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::{TimeSpec, TimeValLike};
use nix::time::{ClockId, clock_gettime};

use crate::grid::Shape;

/// Packets that wait in one direction of one connection, as netem's default.
const LIMIT: usize = 1000;

/// What netem counts of a packet on an Ethernet device beyond the IP packet.
const ETHERNET: u64 = 14;

/// A connection that is over stays known for so long, in nanoseconds, so that its last packets find the other side.
const LINGER: u64 = 5_000_000_000;

/// Nanoseconds of the monotonic clock, which all processes of a machine share.
pub fn now() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |time| time.num_nanoseconds() as u64)
}

/// Who makes the link what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulator {
    /// The loop of this file: every connection has a link of its own.
    Loop,
    /// The kernel's netem, on both devices; the loop only carries packets. Connections share the link, so there is one at a time.
    Netem,
}

/// Deliberate mistakes of the emulator, to see that the check finds them: what is asked for is multiplied by these.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub rate: f64,
    pub delay: f64,
    /// Of packets from the client, and to it.
    pub loss_up: f64,
    pub loss_down: f64,
    pub jitter: f64,
}

impl Default for Fault {
    fn default() -> Self {
        Self { rate: 1.0, delay: 1.0, loss_up: 1.0, loss_down: 1.0, jitter: 1.0 }
    }
}

/// What is asked of the link.
pub enum Order {
    /// From now on, packets of this connection are delivered.
    Open { id: u32, shape: Shape, seed: u64 },
    /// The connection is over: what still comes passes at once, and its numbers are reported.
    Close { id: u32 },
}

/// What happened to a connection's packets; `[up, down]`, up being from the client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub id: u32,
    pub packets: [u32; 2],
    /// Bytes of IP packets.
    pub bytes: [u32; 2],
    /// By the link's loss.
    pub lost: [u32; 2],
    /// By the limit of the queue.
    pub dropped: [u32; 2],
    /// Segments of TCP with bytes that had been sent before.
    pub resent: [u32; 2],
    /// Nanoseconds: the latest delivery of a packet behind its time, and all waits of the link's thread for a processor right
    /// before it read a packet of this connection.
    pub late: u64,
    pub read_late: u64,
}

#[derive(Default)]
struct Direction {
    packets: u32,
    /// Departure of the packet before.
    last: u64,
    waiting: usize,
    /// One after the highest sequence number of TCP seen.
    sequence: Option<u32>,
}

struct Flow {
    shape: Shape,
    seed: u64,
    directions: [Direction; 2],
    counts: Counts,
    closed: Option<u64>,
    /// The turn of the loop in which a wait was last counted.
    turn: u64,
}

/// The next of a stream of 64-bit numbers (SplitMix64): number `n` of the stream `seed`.
pub fn random(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// From 64 random bits to the open interval (0, 1).
pub fn unit(bits: u64) -> f64 {
    ((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// A Pareto-normal variable of mean 0 and standard deviation 1, from two uniform ones: a quarter of a normal one and three
/// quarters of a Pareto one of shape 3, each standardised, cut off at 4 as the tables of netem are.
pub fn pareto_normal(u: f64, v: f64, w: f64) -> f64 {
    let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
    // Shape 3 and scale 1: mean 3/2, variance 3/4.
    let pareto = (w.powf(-1.0 / 3.0) - 1.5) / 0.75_f64.sqrt();
    let sum = (0.25 * normal + 0.75 * pareto) / (0.25_f64 * 0.25 + 0.75 * 0.75).sqrt();
    // What is cut off changes mean and deviation; the test below holds these two numbers.
    ((sum - CUT_MEAN) / CUT_DEVIATION).clamp(-4.0, 4.0)
}

/// Mean and standard deviation of the variable once it is cut off.
const CUT_MEAN: f64 = -0.0332;
const CUT_DEVIATION: f64 = 0.717;

impl Flow {
    /// When packet `n` of a direction comes out, or `None` if it is lost or does not fit. At once without the `fault` of a link: then
    /// the kernel has done all that before.
    fn schedule(&mut self, side: usize, arrival: u64, packet: &[u8], fault: Option<&Fault>) -> Option<u64> {
        let direction = &mut self.directions[side];
        let n = u64::from(direction.packets);
        direction.packets += 1;
        self.counts.packets[side] += 1;
        self.counts.bytes[side] += packet.len() as u32;
        let tcp = Tcp::read(packet);
        if let Some(tcp) = &tcp
            && tcp.length > 0
        {
            let end = tcp.sequence.wrapping_add(tcp.length);
            match direction.sequence {
                Some(highest) if (tcp.sequence.wrapping_sub(highest) as i32) < 0 => {
                    self.counts.resent[side] += 1
                }
                _ => direction.sequence = Some(end),
            }
        }
        // The end of a connection is not part of what is measured.
        let ended = self.closed.is_some() || tcp.is_some_and(|tcp| tcp.reset);
        let Some(fault) = fault.filter(|_| !ended) else {
            direction.last = direction.last.max(arrival);
            return Some(direction.last);
        };
        let stream = self.seed ^ (side as u64 + 1).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let draw = |k: u64| unit(random(stream, 4 * n + k));
        if draw(0) * 1e6
            < f64::from(self.shape.loss) * if side == 0 { fault.loss_up } else { fault.loss_down }
        {
            self.counts.lost[side] += 1;
            return None;
        }
        if direction.waiting >= LIMIT {
            self.counts.dropped[side] += 1;
            return None;
        }
        let mut delay = self.shape.rtt as f64 / 2.0 * fault.delay;
        if self.shape.jitter {
            // Two directions with this deviation make a round trip with a deviation of a quarter of its mean.
            let deviation = self.shape.rtt as f64 / 4.0 / 2.0_f64.sqrt() * fault.jitter;
            delay = (delay + deviation * pareto_normal(draw(1), draw(2), draw(3))).max(0.0);
        }
        let bits = (packet.len() as u64 + ETHERNET) * 8;
        let serialised = bits as f64 * 1e9 / (self.shape.rate as f64 * fault.rate);
        direction.last = (arrival + delay as u64).max(direction.last) + serialised as u64;
        direction.waiting += 1;
        Some(direction.last)
    }
}

/// What the link reads of a TCP header.
struct Tcp {
    sequence: u32,
    /// Bytes of the stream in this segment; a SYN is one.
    length: u32,
    reset: bool,
}

impl Tcp {
    fn read(packet: &[u8]) -> Option<Self> {
        let header = usize::from(packet[0] & 15) * 4;
        let tcp = packet.get(header..)?;
        if packet[9] != 6 || tcp.len() < 20 {
            return None;
        }
        let length = tcp.len().checked_sub(usize::from(tcp[12] >> 4) * 4)?;
        Some(Self {
            sequence: u32::from_be_bytes(tcp[4..8].try_into().ok()?),
            length: length as u32 + u32::from(tcp[13] >> 1 & 1),
            reset: tcp[13] & 4 != 0,
        })
    }
}

/// A packet on its way: when it comes out, a number that keeps the order of equal times, whose it is, and to which side.
struct Waiting {
    time: u64,
    order: u64,
    id: u32,
    side: usize,
    packet: Vec<u8>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        (self.time, self.order) == (other.time, other.order)
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, self.order).cmp(&(other.time, other.order))
    }
}

/// Nanoseconds that the thread of this file has waited for a processor although it could run.
fn waits(schedule: &File) -> u64 {
    let mut text = [0; 96];
    let length = schedule.read_at(&mut text, 0).unwrap_or(0);
    let text = std::str::from_utf8(&text[..length]).unwrap_or_default();
    text.split_ascii_whitespace().nth(1).and_then(|field| field.parse().ok()).unwrap_or(0)
}

pub struct Link {
    /// The client's and the server's device; both do not block.
    tuns: [File; 2],
    orders: Receiver<Order>,
    counts: Sender<Counts>,
    fault: Fault,
    by: Emulator,
    flows: HashMap<u32, Flow>,
    heap: BinaryHeap<Reverse<Waiting>>,
    closing: std::collections::VecDeque<(u64, u32)>,
    order: u64,
    spare: Vec<Vec<u8>>,
    /// Turns of the loop, and how long the thread waited for a processor before this one, in nanoseconds.
    turn: u64,
    waited: u64,
}

impl Link {
    pub fn new(
        tuns: [File; 2],
        orders: Receiver<Order>,
        counts: Sender<Counts>,
        fault: Fault,
        by: Emulator,
    ) -> Self {
        Self {
            by,
            tuns,
            orders,
            counts,
            fault,
            flows: HashMap::new(),
            heap: BinaryHeap::new(),
            closing: Default::default(),
            order: 0,
            spare: Vec::new(),
            turn: 0,
            waited: 0,
        }
    }

    /// Runs until the sender of orders is gone.
    pub fn run(mut self) -> Result<()> {
        // Without this, the kernel may let a sleep of ours end 50 microseconds late.
        nix::sys::prctl::set_timerslack(1).context("the slack of timers")?;
        let schedule = File::open("/proc/thread-self/schedstat").context("the kernel's count of waits")?;
        let mut all_waits = waits(&schedule);
        let mut buffer = [0u8; 4096];
        loop {
            self.turn += 1;
            let now_waits = waits(&schedule);
            (self.waited, all_waits) = (now_waits - all_waits, now_waits);
            loop {
                match self.orders.try_recv() {
                    Ok(order) => self.obey(order),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            }
            self.deliver();
            let mut more = false;
            for side in 0..2 {
                for _ in 0..32 {
                    match self.tuns[side].read(&mut buffer) {
                        Ok(length) => self.accept(side, &buffer[..length]),
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) => return Err(error).context("reading a TUN device"),
                    }
                    more = true;
                }
            }
            if more {
                continue;
            }
            let next = self.heap.peek().map_or(u64::MAX, |Reverse(waiting)| waiting.time);
            // A millisecond at most: orders come by a channel, which does not wake this thread.
            let sleep = next.saturating_sub(now()).min(1_000_000);
            if sleep > 0 {
                let [client, server] = &self.tuns;
                let mut fds = [client, server].map(|tun| PollFd::new(tun.as_fd(), PollFlags::POLLIN));
                let _ = ppoll(&mut fds, Some(TimeSpec::nanoseconds(sleep as i64)), None);
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Open { id, shape, seed } => {
                let counts = Counts { id, ..Counts::default() };
                let flow =
                    Flow { shape, seed, directions: Default::default(), counts, closed: None, turn: 0 };
                self.flows.insert(id, flow);
            }
            Order::Close { id } => {
                if let Some(flow) = self.flows.get_mut(&id) {
                    flow.closed = Some(now());
                    let _ = self.counts.send(flow.counts);
                    self.closing.push_back((now() + LINGER, id));
                }
                while let Some(&(until, id)) = self.closing.front()
                    && until < now()
                {
                    self.closing.pop_front();
                    self.flows.remove(&id);
                }
            }
        }
    }

    /// Takes a packet from `side` (0: the client's).
    fn accept(&mut self, side: usize, packet: &[u8]) {
        // Only IPv4, and only between a client of ours and the server.
        if packet.len() < 20 || packet[0] >> 4 != 4 {
            return;
        }
        let address = if side == 0 { &packet[12..16] } else { &packet[16..20] };
        if address[0] != 10 {
            return;
        }
        let id = u32::from_be_bytes([0, address[1], address[2], address[3]]);
        if !self.flows.contains_key(&id) {
            // The order to open it may have come after this loop last looked.
            while let Ok(order) = self.orders.try_recv() {
                self.obey(order);
            }
        }
        let Some(flow) = self.flows.get_mut(&id) else { return };
        if flow.turn != self.turn {
            flow.turn = self.turn;
            flow.counts.read_late += self.waited;
        }
        let fault = (self.by == Emulator::Loop).then_some(&self.fault);
        let Some(time) = flow.schedule(side, now(), packet, fault) else { return };
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(packet);
        self.order += 1;
        self.heap.push(Reverse(Waiting { time, order: self.order, id, side, packet: copy }));
    }

    /// Writes what is due to the other side.
    fn deliver(&mut self) {
        while let Some(Reverse(waiting)) = self.heap.peek() {
            let time = now();
            if waiting.time > time {
                return;
            }
            let Some(Reverse(waiting)) = self.heap.pop() else { return };
            if let Some(flow) = self.flows.get_mut(&waiting.id) {
                if flow.closed.is_none() {
                    flow.counts.late = flow.counts.late.max(time - waiting.time);
                }
                let direction = &mut flow.directions[waiting.side];
                direction.waiting = direction.waiting.saturating_sub(1);
            }
            // The receiving kernel refuses nothing that its own peer sent; if it did, the connection would show a loss.
            let _ = self.tuns[1 - waiting.side].write(&waiting.packet);
            if self.spare.len() < 4096 {
                self.spare.push(waiting.packet);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{FAR_SLOW, VOLATILE};

    fn flow(shape: Shape, seed: u64) -> Flow {
        Flow { shape, seed, directions: Default::default(), counts: Counts::default(), closed: None, turn: 0 }
    }

    /// A datagram of `length` bytes.
    fn datagram(length: usize) -> Vec<u8> {
        let mut packet = vec![0; length];
        packet[0] = 0x45;
        packet[9] = 17;
        packet
    }

    #[test]
    fn a_packet_takes_half_a_round_trip_and_its_bits() {
        let mut flow = flow(FAR_SLOW, 1);
        let packet = datagram(1500);
        let fault = Fault::default();
        // 1514 bytes at 1 Mbps
        let bits = 12_112_000;
        assert_eq!(flow.schedule(1, 5, &packet, Some(&fault)), Some(5 + 100_000_000 + bits));
        assert_eq!(flow.schedule(1, 5, &packet, Some(&fault)), Some(5 + 100_000_000 + 2 * bits));
        // The other direction has a queue of its own.
        assert_eq!(flow.schedule(0, 7, &packet, Some(&fault)), Some(7 + 100_000_000 + bits));
        // After a pause nothing waits.
        assert_eq!(flow.schedule(1, 1_000_000_000, &packet, Some(&fault)), Some(1_100_000_000 + bits));
    }

    #[test]
    fn the_queue_is_limited() {
        let mut flow = flow(FAR_SLOW, 1);
        for n in 0..LIMIT + 5 {
            let out = flow.schedule(1, 0, &datagram(100), Some(&Fault::default()));
            assert_eq!(out.is_some(), n < LIMIT);
        }
        assert_eq!(flow.counts.dropped, [0, 5]);
    }

    #[test]
    fn losses_are_seeded_and_as_many_as_asked_for() {
        let shape = Shape { loss: 30_000, ..FAR_SLOW };
        let lost = |seed: u64| -> Vec<bool> {
            let mut flow = flow(shape, seed);
            (0..900).map(|_| flow.schedule(1, 0, &datagram(40), Some(&Fault::default())).is_none()).collect()
        };
        assert_eq!(lost(7), lost(7));
        assert_ne!(lost(7), lost(8));
        let count = (0..400).flat_map(lost).filter(|&lost| lost).count() as f64;
        let expected: f64 = 360_000.0 * 0.03;
        // Five standard deviations; the packets that the limit refuses come after 900.
        assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{count} of {expected}");
    }

    #[test]
    fn jitter_has_the_mean_and_deviation_that_are_asked_for() {
        let draws: Vec<f64> = (0..400_000u64)
            .map(|n| {
                let draw = |k| unit(random(3, 3 * n + k));
                pareto_normal(draw(0), draw(1), draw(2))
            })
            .collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let deviation = (draws.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / draws.len() as f64).sqrt();
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!((deviation - 1.0).abs() < 0.01, "deviation {deviation}");
        assert!(draws.iter().all(|z| z.abs() <= 4.0));
        // Skewed: the median is below the mean, unlike a normal variable's.
        let below = draws.iter().filter(|&&z| z < 0.0).count() as f64 / draws.len() as f64;
        assert!((0.55..0.75).contains(&below), "{below}");
    }

    /// As the link draws them: the first packets of connections whose seeds follow each other.
    #[test]
    fn jitter_of_first_packets_has_the_mean_as_well() {
        let delays: Vec<f64> = (0..20_000)
            .map(|seed| {
                flow(VOLATILE, seed).schedule(0, 0, &datagram(80), Some(&Fault::default())).unwrap() as f64
                    / 1e6
            })
            .collect();
        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        assert!((mean - 17.5).abs() < 0.2, "{mean}");
    }

    #[test]
    fn packets_never_overtake() {
        let mut flow = flow(VOLATILE, 9);
        let mut last = 0;
        for n in 0..500 {
            let out = flow.schedule(0, n * 1_000_000, &datagram(80), Some(&Fault::default())).unwrap();
            assert!(out > last);
            last = out;
        }
    }

    #[test]
    fn bytes_sent_again_are_counted() {
        let mut flow = flow(FAR_SLOW, 1);
        let segment = |sequence: u32| {
            let mut packet = datagram(140);
            packet[9] = 6;
            packet[24..28].copy_from_slice(&sequence.to_be_bytes());
            packet[32] = 5 << 4;
            packet
        };
        for sequence in [u32::MAX - 50, 49, 149, 49, 249] {
            flow.schedule(1, 0, &segment(sequence), Some(&Fault::default()));
        }
        assert_eq!(flow.counts.resent, [0, 1]);
    }
}
