//! The check of the emulator before anything is measured with it: datagrams go through the whole link, from a socket of one
//! namespace to a socket of the other, and what they show of rate, delay, loss and jitter is held against what was asked for.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::grid::{self, Shape};
use crate::lab::{Lab, Probe};
use crate::link::{random, unit};
use crate::netns::Side;
use crate::stats::percentile;
use crate::units::{show_duration, show_loss, show_rate};

/// Bytes of an IP packet and its Ethernet header beyond the payload of a datagram.
const OVERHEAD: u32 = 28 + 14;
const LARGE: u32 = 1472;
const SMALL: u32 = 60;

/// A property that does not hold is measured so often in all.
const TRIES: u32 = 6;

/// Who sends.
const SIDES: [Side; 2] = [Side::Client, Side::Server];

fn direction(side: Side) -> &'static str {
    if side == Side::Client { "up" } else { "down" }
}

/// One property, as it was asked for and as it was found.
pub struct Finding {
    pub what: String,
    pub wanted: f64,
    pub found: f64,
    /// Absolute.
    pub tolerance: f64,
    pub unit: &'static str,
}

impl Finding {
    pub fn holds(&self) -> bool {
        (self.found - self.wanted).abs() <= self.tolerance
    }

    pub fn json(&self) -> Value {
        json!({"what": self.what, "wanted": self.wanted, "found": self.found, "tolerance": self.tolerance,
            "unit": self.unit, "holds": self.holds()})
    }
}

/// All findings for the links of a grid; `window` is any of its initial windows.
pub fn check(
    lab: &mut Lab,
    shapes: &[Shape],
    window: u32,
    mut done: impl FnMut(&Finding),
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    // A mistake of the link is there each time, a disturbance by the machine is not.
    let mut add = |measure: &mut dyn FnMut() -> Result<Vec<Finding>>| -> Result<()> {
        let mut found = measure()?;
        for _ in 1..TRIES {
            if found.iter().all(Finding::holds) {
                break;
            }
            found = measure()?;
        }
        found.iter().for_each(&mut done);
        findings.extend(found);
        Ok(())
    };
    let distinct = |of: fn(&Shape) -> Shape| -> Vec<Shape> {
        let mut all: Vec<_> = shapes.iter().map(of).collect();
        all.sort();
        all.dedup();
        all
    };
    for side in SIDES {
        for shape in distinct(|shape| grid::shape(1_000_000, shape.rate, 0)) {
            add(&mut || Ok(vec![rate(lab, side, shape, window)?]))?;
        }
        for shape in distinct(|shape| grid::shape(shape.rtt, 1_000_000_000, 0)) {
            add(&mut || delay(lab, side, shape, window))?;
        }
        for shape in distinct(|shape| grid::shape(1_000_000, 1_000_000_000, shape.loss)) {
            add(&mut || Ok(vec![loss(lab, side, shape, window)?]))?;
        }
    }
    for shape in distinct(|shape| Shape { jitter: shape.jitter, ..grid::shape(shape.rtt, 1_000_000_000, 0) })
    {
        if shape.jitter {
            add(&mut || jitter(lab, shape, window))?;
        }
    }
    Ok(findings)
}

/// Datagrams sent at once come out as fast as the bottleneck lets them. Short bursts are sent several times: a
/// packet that this machine delivers late shifts one of them.
fn rate(lab: &mut Lab, side: Side, shape: Shape, window: u32) -> Result<Finding> {
    let bits = f64::from(LARGE + OVERHEAD) * 8.0;
    // A second and a half of the bottleneck, as far as its queue holds that; or a hundred in a millisecond, in which a busy
    // machine may leave the link alone.
    let slow = shape.rate < 100_000_000;
    let count = if slow { (1.5 * shape.rate as f64 / bits).clamp(20.0, 900.0) as u32 } else { 100 };
    let seconds = f64::from(count) * bits / shape.rate as f64;
    // For each datagram the least time of all bursts since the first one was sent: the machine makes it longer only.
    let mut least = vec![u64::MAX; count as usize];
    for _ in 0..if slow { 1 } else { 40 } {
        let first = lab.open(window, shape, 1, 1)?;
        let last = Duration::from_secs_f64(seconds);
        let arrivals = lab.probe(side, first, Probe { count, size: LARGE, flows: 1, pause: 0, last })?;
        if arrivals.len() as u32 != count {
            bail!(
                "{} of {count} datagrams came over a link of {} without loss",
                arrivals.len(),
                show_rate(shape.rate)
            );
        }
        for (least, arrival) in least.iter_mut().zip(&arrivals) {
            *least = (*least).min(arrival.1 - arrivals[0].0);
        }
    }
    let begin = least.len() / 10;
    let found =
        (least.len() - 1 - begin) as f64 * bits / (least[least.len() - 1] - least[begin]) as f64 * 1e3;
    let wanted = shape.rate as f64 / 1e6;
    // What a machine takes for a packet is a tenth of its time on a link of 1 Gbps.
    let tolerance = wanted * if slow { 0.01 } else { 0.1 };
    Ok(Finding {
        what: format!("rate of {}, {}", show_rate(shape.rate), direction(side)),
        wanted,
        found,
        tolerance,
        unit: "Mbps",
    })
}

/// Single datagrams of connections of their own take half of a round trip: those that the machine delivers soonest, exactly.
fn delay(lab: &mut Lab, side: Side, shape: Shape, window: u32) -> Result<Vec<Finding>> {
    let mut delays = delays(lab, side, shape, window, 200, 1)?;
    let wanted = shape.rtt as f64 / 2e6 + f64::from(SMALL + OVERHEAD) * 8e3 / shape.rate as f64;
    let finding = |what: &str, share, tolerance, delays: &mut [f64]| Finding {
        what: format!("delay {} at {}, {what}", direction(side), show_duration(shape.rtt)),
        wanted,
        found: percentile(delays, share),
        tolerance,
        unit: "ms",
    };
    Ok(vec![finding("median", 0.5, 3.0, &mut delays), finding("10th percentile", 0.1, 0.3, &mut delays)])
}

/// Milliseconds that `count` datagrams take, each of a connection of its own.
fn delays(lab: &mut Lab, side: Side, shape: Shape, window: u32, count: u32, seed: u64) -> Result<Vec<f64>> {
    let first = lab.open(window, shape, seed, count)?;
    // Apart in time, so that none waits for another.
    let mut delays = Vec::new();
    let wait = Duration::from_nanos(shape.rtt * 2);
    for (sent, arrived, _) in
        lab.probe(side, first, Probe { count, size: SMALL, flows: count, pause: 200_000, last: wait })?
    {
        delays.push((arrived - sent) as f64 / 1e6);
    }
    if delays.len() as u32 != count {
        bail!("{} of {count} datagrams came over a link without loss", delays.len());
    }
    Ok(delays)
}

/// Of many datagrams as many are lost as should be. The losses are seeded: the same link loses the same ones each time.
fn loss(lab: &mut Lab, side: Side, shape: Shape, window: u32) -> Result<Finding> {
    const COUNT: u32 = 20_000;
    let first = lab.open(window, shape, 5, 50)?;
    let arrivals = lab.probe(
        side,
        first,
        Probe { count: COUNT, size: SMALL, flows: 50, pause: 10_000, last: Duration::from_millis(100) },
    )?;
    let wanted = f64::from(shape.loss) / 1e4;
    let share = wanted / 100.0;
    // Four standard deviations; none at 0 %.
    let tolerance = 400.0 * (share * (1.0 - share) / f64::from(COUNT)).sqrt();
    let found = (1.0 - arrivals.len() as f64 / f64::from(COUNT)) * 100.0;
    Ok(Finding {
        what: format!("loss of {}, {}", show_loss(shape.loss), direction(side)),
        wanted,
        found,
        tolerance,
        unit: "%",
    })
}

/// Delays of connections that do not wait for each other: mean, deviation, and where the middle is.
fn jitter(lab: &mut Lab, shape: Shape, window: u32) -> Result<Vec<Finding>> {
    let mut all = Vec::new();
    for n in 0..8 {
        all.extend(delays(lab, SIDES[n as usize % 2], shape, window, 500, 1000 * (n + 1))?);
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let deviation = (all.iter().map(|delay| (delay - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
    let (half, wanted) = (shape.rtt as f64 / 2e6, shape.rtt as f64 / 4e6 / 2.0_f64.sqrt());
    let median = percentile(&mut all, 0.5);
    // The distribution's own median, from many draws that are not the link's.
    let mut draws: Vec<f64> = (0..100_000u64)
        .map(|n| {
            let draw = |k| unit(random(77, 3 * n + k));
            half + wanted * crate::link::pareto_normal(draw(0), draw(1), draw(2))
        })
        .collect();
    let middle = percentile(&mut draws, 0.5);
    let finding = |what: &str, wanted, found, tolerance| Finding {
        what: format!("Pareto-normal delay one way at {}, {what}", show_duration(shape.rtt)),
        wanted,
        found,
        tolerance,
        unit: "ms",
    };
    // Four standard errors of 4 000 draws, and what a busy machine adds.
    let error = 4.0 * wanted / (all.len() as f64).sqrt() + 0.8;
    Ok(vec![
        finding("mean", half, mean, error),
        finding("deviation", wanted, deviation, 0.1 * wanted),
        finding("median", middle, median, error),
    ])
}
