//! The points of the experiment: what is varied, and which combinations the figures need.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

use crate::units;

const KIB: u32 = 1024;
const MS: u64 = 1_000_000;
const MBPS: u64 = 1_000_000;
const GBPS: u64 = 1_000_000_000;

/// The key exchange of a connection, on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exchange {
    /// X25519 of aws-lc-rs.
    X25519,
    /// X25519MLKEM768 of rustls-kemstone, over the X25519 of aws-lc-rs.
    Kemstone,
    /// X25519MLKEM768 of aws-lc-rs.
    AwsLc,
}

impl Exchange {
    pub const ALL: [Self; 3] = [Self::X25519, Self::Kemstone, Self::AwsLc];

    pub fn name(self) -> &'static str {
        match self {
            Self::X25519 => "x25519",
            Self::Kemstone => "kemstone",
            Self::AwsLc => "aws-lc-rs",
        }
    }
}

/// What the two directions of a link do, together with its round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// Nanoseconds; half of it each way.
    pub rtt: u64,
    /// Bits per second, each way.
    pub rate: u64,
    /// Parts per million of packets lost, each way.
    pub loss: u32,
    /// Delays are Pareto-normal instead of constant: round trips of one packet each way have mean `rtt` and standard
    /// deviation `rtt`/4.
    pub jitter: bool,
}

/// One combination of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    pub exchange: Exchange,
    /// Bytes of DER of all certificates that the server sends; 0: the RSA chain as it is.
    pub chain: u32,
    /// Initial congestion window in segments.
    pub window: u32,
    pub shape: Shape,
    /// Bytes of the answer; 0: no request, the connection ends with the handshake.
    pub data: u32,
}

/// The columns of `Point` in a CSV file.
pub const COLUMNS: &str = "exchange,chain,window,rtt,rate,loss,jitter,data";

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let chain = if self.chain == 0 { "rsa".to_owned() } else { units::show_size(self.chain) };
        let Shape { rtt, rate, loss, jitter } = self.shape;
        write!(
            f,
            "{},{chain},{},{},{},{},{},{}",
            self.exchange.name(),
            self.window,
            units::show_duration(rtt),
            units::show_rate(rate),
            units::show_loss(loss),
            if jitter { "pareto-normal" } else { "none" },
            units::show_size(self.data)
        )
    }
}

impl FromStr for Point {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let fields: Vec<_> = text.split(',').collect();
        let [exchange, chain, window, rtt, rate, loss, jitter, data] = fields[..] else {
            bail!("`{text}` has not the columns {COLUMNS}");
        };
        let exchange = Exchange::ALL
            .into_iter()
            .find(|known| known.name() == exchange)
            .with_context(|| format!("unknown key exchange `{exchange}`"))?;
        Ok(Self {
            exchange,
            chain: if chain == "rsa" { 0 } else { units::size(chain)? },
            window: window.parse().context("no window")?,
            shape: Shape {
                rtt: units::duration(rtt)?,
                rate: units::rate(rate)?,
                loss: units::loss(loss)?,
                jitter: match jitter {
                    "none" => false,
                    "pareto-normal" => true,
                    _ => bail!("unknown jitter `{jitter}`"),
                },
            },
            data: units::size(data)?,
        })
    }
}

impl Point {
    /// Whether packets are lost: such points differ from connection to connection most, and want the most samples.
    pub fn lossy(&self) -> bool {
        self.shape.loss > 0
    }

    /// What the emulator seeds a connection with: the point as text (FNV-1a) and the number of the sample.
    pub fn seed(&self, index: u32) -> u64 {
        let text = self.to_string();
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash ^ u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Points that are measured together, sample by sample in turn, so that a disturbance of the machine meets all of them.
pub struct Group {
    pub title: &'static str,
    pub points: Vec<Point>,
}

pub const DATA: [u32; 7] = [0, 10 * KIB, 30 * KIB, 50 * KIB, 100 * KIB, 150 * KIB, 200 * KIB];
pub const LOSSES: [u32; 5] = [0, 10_000, 30_000, 50_000, 100_000];
pub const RTTS: [u64; 2] = [35 * MS, 200 * MS];
pub const RATES: [u64; 2] = [MBPS, GBPS];
pub const CHAINS: [u32; 3] = [0, 8 * KIB, 16 * KIB];
pub const WINDOWS: [u32; 2] = [10, 20];
pub const RSA: u32 = 0;
pub const KB8: u32 = 8 * KIB;
pub const KB16: u32 = 16 * KIB;

pub const fn shape(rtt: u64, rate: u64, loss: u32) -> Shape {
    Shape { rtt, rate, loss, jitter: false }
}

pub const NEAR_FAST: Shape = shape(35 * MS, GBPS, 0);
pub const NEAR_SLOW: Shape = shape(35 * MS, MBPS, 0);
pub const FAR_SLOW: Shape = shape(200 * MS, MBPS, 0);
pub const FAR_SLOW_LOSSY: Shape = shape(200 * MS, MBPS, 100_000);
pub const VOLATILE: Shape = Shape { rtt: 35 * MS, rate: GBPS, loss: 0, jitter: true };

/// The classical chain with X25519, and the chain of 16 KB with X25519MLKEM768: the pair that the figures compare.
pub const CLASSICAL: (Exchange, u32) = (Exchange::X25519, RSA);
pub const POST_QUANTUM: (Exchange, u32) = (Exchange::Kemstone, KB16);
pub const CONTROL: (Exchange, u32) = (Exchange::AwsLc, KB16);

pub const fn point(pair: (Exchange, u32), window: u32, shape: Shape, data: u32) -> Point {
    Point { exchange: pair.0, chain: pair.1, window, shape, data }
}

/// The union of what the figures of the report need.
pub fn figures() -> Vec<Group> {
    let over_data = |pairs: &[(Exchange, u32)], window, shape| -> Vec<Point> {
        pairs.iter().flat_map(|&pair| DATA.map(|data| point(pair, window, shape, data))).collect()
    };
    let all = &[CLASSICAL, POST_QUANTUM, CONTROL];
    let pair = &[CLASSICAL, POST_QUANTUM];
    let mut near = over_data(all, 20, NEAR_FAST);
    near.extend(over_data(pair, 10, NEAR_FAST));
    let mut lossy = over_data(pair, 20, FAR_SLOW_LOSSY);
    lossy.push(point(CONTROL, 20, FAR_SLOW_LOSSY, 200 * KIB));
    let groups = vec![
        Group { title: "1 Mbps, 200 ms", points: over_data(all, 20, FAR_SLOW) },
        Group { title: "1 Mbps, 200 ms, 10 % lost", points: lossy },
        Group { title: "handshakes at 1 Mbps", points: handshakes() },
        Group { title: "1 Gbps, 35 ms, windows 20 and 10", points: near },
        Group { title: "volatile round trip", points: over_data(pair, 20, VOLATILE) },
        Group { title: "a first hello of two packets under loss", points: hellos() },
        Group { title: "distributions of 200 KiB at 35 ms", points: distributions() },
    ];
    without_repeats(groups)
}

/// Figure 1: handshakes at 1 Mbps.
fn handshakes() -> Vec<Point> {
    let mut points = Vec::new();
    for rtt in RTTS {
        for loss in [0, 10_000, 30_000, 100_000] {
            for pair in [CLASSICAL, (Exchange::Kemstone, KB8), POST_QUANTUM] {
                points.push(point(pair, 20, shape(rtt, MBPS, loss), 0));
            }
        }
    }
    points
}

/// Figure 6: post-quantum connections of 200 KiB, beside classical ones.
fn distributions() -> Vec<Point> {
    let shapes = [NEAR_FAST, shape(35 * MS, GBPS, 50_000), NEAR_SLOW, shape(35 * MS, MBPS, 50_000), VOLATILE];
    shapes
        .iter()
        .flat_map(|&shape| [CLASSICAL, POST_QUANTUM].map(|pair| point(pair, 20, shape, 200 * KIB)))
        .collect()
}

/// Figure 7, second part: the same small chain, with a first hello of one packet and of two.
fn hellos() -> Vec<Point> {
    let mut points = Vec::new();
    for loss in LOSSES {
        for exchange in Exchange::ALL {
            points.push(point((exchange, RSA), 20, shape(35 * MS, GBPS, loss), 0));
        }
    }
    points
}

/// Every combination of the parameters.
pub fn full() -> Vec<Group> {
    let mut points = Vec::new();
    for rtt in RTTS {
        for rate in RATES {
            for loss in LOSSES {
                for jitter in [false, true] {
                    for window in WINDOWS {
                        for chain in CHAINS {
                            for exchange in Exchange::ALL {
                                let shape = Shape { rtt, rate, loss, jitter };
                                points.extend(DATA.map(|data| point((exchange, chain), window, shape, data)));
                            }
                        }
                    }
                }
            }
        }
    }
    vec![Group { title: "all combinations", points }]
}

/// What CI checks the shape of.
pub fn short() -> Vec<Group> {
    let mut points = Vec::new();
    for pair in [CLASSICAL, POST_QUANTUM, CONTROL] {
        points.extend([0, 50 * KIB, 200 * KIB].map(|data| point(pair, 20, FAR_SLOW, data)));
    }
    for pair in [CLASSICAL, POST_QUANTUM] {
        points.push(point(pair, 20, FAR_SLOW_LOSSY, 0));
    }
    vec![Group { title: "short form", points }]
}

/// One answer to "what would it cost me".
pub fn custom(window: u32, shape: Shape, chain: u32, data: u32) -> Vec<Group> {
    let mut points = vec![point(CLASSICAL, window, shape, data)];
    for exchange in Exchange::ALL {
        points.push(point((exchange, chain), window, shape, data));
    }
    points.push(point((Exchange::Kemstone, RSA), window, shape, data));
    without_repeats(vec![Group { title: "custom", points }])
}

pub fn named(name: &str) -> Result<Vec<Group>> {
    Ok(match name {
        "figures" => figures(),
        "full" => full(),
        "short" => short(),
        _ => bail!("there is no grid `{name}`: figures, full or short"),
    })
}

fn without_repeats(mut groups: Vec<Group>) -> Vec<Group> {
    let mut seen = BTreeSet::new();
    for group in &mut groups {
        group.points.retain(|point| seen.insert(*point));
    }
    groups
}

/// The chains and windows of a grid, each once and in order; a link has room for 15 windows.
pub fn chains_and_windows(groups: &[Group]) -> Result<(Vec<u32>, Vec<u32>)> {
    let points = || groups.iter().flat_map(|group| &group.points);
    let chains: BTreeSet<_> = points().map(|point| point.chain).collect();
    let windows: BTreeSet<_> = points().map(|point| point.window).collect();
    ensure!(windows.len() <= 15, "more than 15 initial windows");
    Ok((chains.into_iter().collect(), windows.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_back() {
        for group in figures().iter().chain(&full()) {
            for point in &group.points {
                assert_eq!(point.to_string().parse::<Point>().unwrap(), *point);
            }
        }
    }

    #[test]
    fn no_point_is_measured_twice() {
        for groups in [figures(), full(), short()] {
            let points: Vec<_> = groups.iter().flat_map(|group| &group.points).collect();
            assert_eq!(points.iter().collect::<BTreeSet<_>>().len(), points.len());
        }
        assert_eq!(full()[0].points.len(), 3 * 3 * 2 * 2 * 2 * 5 * 2 * DATA.len());
    }

    #[test]
    fn seeds_differ() {
        let points = &full()[0].points;
        let seeds: BTreeSet<_> =
            points.iter().flat_map(|point| (0..50).map(|index| point.seed(index))).collect();
        assert_eq!(seeds.len(), points.len() * 50);
    }
}
