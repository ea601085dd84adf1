//! The two peers and the link between them, and what they report.

use std::collections::VecDeque;
use std::io::{BufRead, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::grid::{Point, Shape};
use crate::link::{Counts, Emulator, Fault, Link, Order};
use crate::netns::{self, Peer, Side};
use crate::pki::Pki;

/// What came in.
#[derive(Debug)]
pub enum Event {
    /// A connection is over at the client: times in nanoseconds, and how long its thread waited for a processor.
    Client { id: u32, status: String, times: [u64; 3], waited: u64 },
    /// The server has sent what it had to; it may report again after it has sent more.
    Server { id: u32, waited: u64 },
    /// The link has closed a connection.
    Counts(Counts),
    /// All datagrams of a probe were sent.
    Probed,
    /// A side has set its netem.
    Shaped,
    /// Those that came since the last time: sent, arrived, connection.
    Arrived(Vec<(u64, u64, u32)>),
    /// A peer or the link has ended.
    Broken(String),
}

pub struct Lab {
    orders: Sender<Order>,
    events: Receiver<Event>,
    client: std::process::ChildStdin,
    server: std::process::ChildStdin,
    windows: Vec<u32>,
    chains: Vec<u32>,
    /// The next connection of each window.
    next: Vec<u32>,
    fault: Fault,
    by: Emulator,
    /// What came in while something else was waited for.
    pending: VecDeque<Event>,
    // Dropped last: it ends the peers.
    _peers: [netns::Process; 2],
}

/// Which connection, and the place of its window in the list.
#[derive(Clone, Copy)]
pub struct Connection {
    pub id: u32,
    window: usize,
}

impl Lab {
    pub fn new(chains: &[u32], windows: &[u32], fault: Fault, by: Emulator) -> Result<Self> {
        let pki = Pki::new(chains)?;
        let (server_tun, server) = netns::start(Side::Server, windows, &pki)?;
        let (client_tun, client) = netns::start(Side::Client, windows, &pki)?;
        let (orders, received) = channel();
        let (sender, events) = channel();
        let (counts, counted) = channel();
        let link = Link::new([client_tun, server_tun], received, counts, fault, by);
        let broken = sender.clone();
        thread::Builder::new().name("link".into()).spawn(move || {
            if let Err(error) = link.run() {
                let _ = broken.send(Event::Broken(format!("the link: {error:#}")));
            }
        })?;
        let forward = sender.clone();
        thread::spawn(move || {
            for counts in counted {
                let _ = forward.send(Event::Counts(counts));
            }
        });
        let [client, server] = [("client", client), ("server", server)].map(|(name, peer)| {
            let Peer { process, input, mut output } = peer;
            let sender = sender.clone();
            thread::spawn(move || {
                let mut line = String::new();
                while output.read_line(&mut line).is_ok_and(|length| length > 0) {
                    let event = parse(name, &line)
                        .unwrap_or_else(|error| Event::Broken(format!("{name}: {error:#}")));
                    if sender.send(event).is_err() {
                        return;
                    }
                    line.clear();
                }
                let _ = sender.send(Event::Broken(format!("the {name} has ended")));
            });
            (input, process)
        });
        Ok(Self {
            orders,
            events,
            client: client.0,
            server: server.0,
            windows: windows.to_vec(),
            chains: chains.to_vec(),
            next: vec![1; windows.len()],
            fault,
            by,
            pending: VecDeque::new(),
            _peers: [client.1, server.1],
        })
    }

    /// Opens the link for `count` connections and returns the first; the others follow it.
    pub fn open(&mut self, window: u32, shape: Shape, seed: u64, count: u32) -> Result<Connection> {
        let window =
            self.windows.iter().position(|&known| known == window).context("a window of no route")?;
        if self.by == Emulator::Netem {
            self.shape(shape)?;
        }
        let first = self.next[window];
        self.next[window] += count;
        for n in 0..count {
            let id = netns::client_number(window, first + n);
            self.orders.send(Order::Open { id, shape, seed: seed.wrapping_add(u64::from(n)) })?;
        }
        Ok(Connection { id: netns::client_number(window, first), window })
    }

    /// Makes netem anew on both sides, empty.
    fn shape(&mut self, shape: Shape) -> Result<()> {
        ensure!(!shape.jitter, "netem has no jitter here: it would need a table of its own distribution");
        let Fault { rate, delay, loss_up, loss_down, .. } = self.fault;
        for (peer, loss) in [(&mut self.client, loss_up), (&mut self.server, loss_down)] {
            let delay = shape.rtt as f64 / 2e3 * delay;
            let (rate, loss) = (shape.rate as f64 * rate, f64::from(shape.loss) / 1e4 * loss);
            writeln!(peer, "netem {delay:.0} {rate:.0} {loss}")?;
        }
        let mut waiting = 2;
        while waiting > 0 {
            match next(&self.events, Duration::from_secs(10))? {
                Some(Event::Shaped) => waiting -= 1,
                Some(other) => self.pending.push_back(other),
                None => bail!("netem was not set within ten seconds"),
            }
        }
        Ok(())
    }

    /// Starts one connection.
    pub fn connect(&mut self, point: &Point, seed: u64) -> Result<u32> {
        let Connection { id, window } = self.open(point.window, point.shape, seed, 1)?;
        let chain = self.chains.iter().position(|&known| known == point.chain).context("an unknown chain")?;
        let order = format!("{id} {} {chain} {} {window}\n", point.exchange as usize, point.data);
        self.client.write_all(order.as_bytes())?;
        Ok(id)
    }

    pub fn close(&self, id: u32) -> Result<()> {
        Ok(self.orders.send(Order::Close { id })?)
    }

    /// Sends datagrams from a side to the other, and returns what came until 100 ms after the last of them should have.
    pub fn probe(&mut self, from: Side, first: Connection, probe: Probe) -> Result<Vec<(u64, u64, u32)>> {
        let Connection { id, window } = first;
        let Probe { count, size, flows, pause, last } = probe;
        let (sender, receiver) = match from {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        };
        writeln!(sender, "probe {window} {id} {count} {size} {flows} {pause}")?;
        loop {
            match next(&self.events, Duration::from_secs(60))? {
                Some(Event::Probed) => break,
                Some(_) => {}
                None => bail!("a probe was not sent within a minute"),
            }
        }
        thread::sleep(last + Duration::from_millis(100));
        writeln!(receiver, "probes")?;
        for n in 0..flows {
            self.close(id + n)?;
        }
        loop {
            match self.next(Duration::from_secs(10))? {
                Some(Event::Arrived(arrivals)) => return Ok(arrivals),
                Some(_) => {}
                None => bail!("a peer does not tell what came"),
            }
        }
    }

    /// The next event, or none within the time.
    pub fn next(&mut self, within: Duration) -> Result<Option<Event>> {
        if let Some(event) = self.pending.pop_front() {
            return Ok(Some(event));
        }
        next(&self.events, within)
    }
}

fn next(events: &Receiver<Event>, within: Duration) -> Result<Option<Event>> {
    match events.recv_timeout(within) {
        Ok(Event::Broken(what)) => bail!(what),
        Ok(event) => Ok(Some(event)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => bail!("both peers have ended"),
    }
}

/// Datagrams that are sent over the link.
#[derive(Clone, Copy)]
pub struct Probe {
    pub count: u32,
    /// Bytes of payload.
    pub size: u32,
    /// Connections that they are of, in turn.
    pub flows: u32,
    /// Nanoseconds between two of them.
    pub pause: u64,
    /// How long the last one takes.
    pub last: Duration,
}

fn parse(peer: &str, line: &str) -> Result<Event> {
    let words: Vec<_> = line.split_whitespace().collect();
    let number = |n: usize| -> Result<u64> {
        words.get(n).with_context(|| format!("`{line}`"))?.parse().with_context(|| format!("`{line}`"))
    };
    Ok(match (peer, words.first()) {
        (_, Some(&"probed")) => Event::Probed,
        (_, Some(&"shaped")) => Event::Shaped,
        (_, Some(&"probes")) => {
            let triple = |word: &&str| -> Option<(u64, u64, u32)> {
                let mut parts = word.split(':');
                let mut part = || parts.next()?.parse::<u64>().ok();
                Some((part()?, part()?, part()? as u32))
            };
            Event::Arrived(words[2..].iter().map(triple).collect::<Option<_>>().context("a probe's report")?)
        }
        ("client", _) => Event::Client {
            id: number(0)? as u32,
            status: words.get(1).copied().unwrap_or_default().to_owned(),
            times: [number(2)?, number(3)?, number(4)?],
            waited: number(5)?,
        },
        _ => Event::Server { id: number(0)? as u32, waited: number(1)? },
    })
}
