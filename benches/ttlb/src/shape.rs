//! Whether samples have the shape that they must have on any machine, however slow: what CI looks at.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::grid::{self, CLASSICAL, CONTROL, FAR_SLOW, POST_QUANTUM, Point, point};
use crate::report::figures::last;
use crate::stats::{increase, percentile};
use crate::store::{Sample, Samples};

/// Milliseconds of the source for 200 KiB at 1 Mbps and 200 ms without loss.
const SOURCE: f64 = 2364.0;

struct Verdict {
    what: String,
    holds: bool,
}

fn verdicts(samples: &Samples) -> Result<Vec<Verdict>> {
    for group in grid::short() {
        for point in group.points {
            ensure!(
                samples.get(&point).is_some_and(|all| all.len() >= 10),
                "fewer than ten samples of {point}"
            );
        }
    }
    let times = |pair, data| last(samples, point(pair, 20, FAR_SLOW, data)).context("samples");
    let mut all = Vec::new();
    let mut say = |what: String, holds| all.push(Verdict { what, holds });

    let mut increases = Vec::new();
    for kib in [0, 50, 200] {
        increases
            .push(increase(&times(CLASSICAL, kib * 1024)?, &times(POST_QUANTUM, kib * 1024)?, 0.5).value);
    }
    let falls = increases.windows(2).all(|pair| pair[0] > pair[1]) && increases[2] > 0.0;
    let shown: Vec<_> = increases.iter().map(|increase| format!("{increase:.1} %")).collect();
    say(format!("the increase falls with the data, 0, 50, 200 KiB: {}", shown.join(", ")), falls);

    let median = percentile(&mut times(CLASSICAL, 200 * 1024)?, 0.5);
    let off = (median / SOURCE - 1.0) * 100.0;
    say(
        format!(
            "classical, 200 KiB, 1 Mbps, 200 ms: {median:.0} ms, {off:+.1} % of the source's {SOURCE}, within 3"
        ),
        off.abs() <= 3.0,
    );

    let of = |lossy: bool| -> Vec<&Sample> {
        samples.iter().filter(|(point, _)| point.lossy() == lossy).flat_map(|(_, all)| all).collect()
    };
    let steady = of(false);
    let gone = steady.iter().filter(|s| s.lost + s.dropped > 0 || s.timeout || s.connect > 1_000_000).count();
    say(
        format!("at 0 %, connections with a lost packet or a second SYN: {gone} of {}", steady.len()),
        gone == 0,
    );
    // A machine that stalls for longer than a timer of TCP makes it send again what was not lost.
    let again = steady.iter().filter(|s| s.resent > 0).count();
    say(
        format!("at 0 %, connections that sent a segment again: {again}, at most one of fifty"),
        again * 50 <= steady.len(),
    );

    let lossy = of(true);
    let hit = lossy.iter().filter(|s| s.lost > 0).count();
    say(
        format!("at 10 %, connections with a lost packet: {hit} of {}, at least half", lossy.len()),
        hit * 2 >= lossy.len(),
    );

    let bytes = |pair| -> Result<f64> {
        let point: Point = point(pair, 20, FAR_SLOW, 200 * 1024);
        let mut down: Vec<f64> =
            samples.get(&point).context("samples")?.iter().map(|s| f64::from(s.down)).collect();
        Ok(percentile(&mut down, 0.5))
    };
    let (ours, theirs) = (bytes(POST_QUANTUM)?, bytes(CONTROL)?);
    say(
        format!("bytes to the client, kemstone and aws-lc-rs: {ours:.0} and {theirs:.0}"),
        (ours - theirs).abs() <= 4.0,
    );
    Ok(all)
}

/// Prints what holds; whether all does.
pub fn check(folder: &Path) -> Result<bool> {
    let verdicts = verdicts(&crate::store::load(folder)?)?;
    for verdict in &verdicts {
        println!("{}: {}", if verdict.holds { "holds" } else { "DOES NOT HOLD" }, verdict.what);
    }
    Ok(verdicts.iter().all(|verdict| verdict.holds))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples as they should be, after `change` has been made to each.
    fn made(change: impl Fn(&Point, &mut Sample)) -> Samples {
        let mut samples = Samples::new();
        for point in grid::short().into_iter().flat_map(|group| group.points) {
            let [connect, handshake, last] = crate::model::predict(&point).map(|time| (time / 1000.0) as u32);
            for index in 0..10 {
                let mut sample = Sample {
                    index,
                    attempt: 1,
                    timeout: false,
                    connect,
                    handshake,
                    last,
                    up: 1,
                    down: 1,
                    lost: u32::from(point.lossy()),
                    dropped: 0,
                    resent: 0,
                    disturbed: 0,
                };
                change(&point, &mut sample);
                samples.entry(point).or_default().push(sample);
            }
        }
        samples
    }

    fn broken(change: impl Fn(&Point, &mut Sample)) -> usize {
        verdicts(&made(change)).unwrap().iter().filter(|verdict| !verdict.holds).count()
    }

    #[test]
    fn each_condition_is_seen_to_fail() {
        assert_eq!(broken(|_, _| {}), 0);
        // A link that is 10 % slow: the source's time is missed. (5 % are for the check of the link.)
        assert_eq!(broken(|point, s| s.last = if point.data > 0 { s.last / 10 * 11 } else { s.last }), 1);
        // One packet lost where none may be.
        assert_eq!(broken(|point, s| s.lost += u32::from(!point.lossy() && s.index == 3)), 1);
        // No losses where there must be some.
        assert_eq!(broken(|_, s| s.lost = 0), 1);
        assert_eq!(broken(|_, s| s.resent = 1), 1);
        assert_eq!(broken(|point, s| s.down += 50 * u32::from(point.exchange == grid::Exchange::AwsLc)), 1);
        // An increase that does not fall.
        assert_eq!(broken(|point, s| s.last += if point.chain > 0 { point.data * 20 } else { 0 }), 1);
        assert!(verdicts(&Samples::new()).is_err());
    }
}
