//! Takes the samples of a grid that are missing, many at a time, and no more at a time than the machine bears.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::check::{self, Finding};
use crate::grid::{self, Group, Point, Shape};
use crate::lab::{Event, Lab};
use crate::link::{Counts, Emulator, Fault, random};
use crate::store::{Sample, Store};
use crate::{machine, stats};

/// A sample that the machine disturbed is taken again, so often in all.
const ATTEMPTS: u32 = 4;

/// Connections open at a time, if no other number is asked for. With 1 200 of them, two cores of Zen 5 delivered each packet late,
/// by a sixth of a round trip of 200 ms, though no single delay was too long; with 500, times are those of 300 and of 100.
pub const OPEN: usize = 500;

/// Samples of each point in a round.
const ROUND: u32 = 50;

/// How many samples a point gets.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub loss_free: u32,
    pub lossy: u32,
}

impl Wanted {
    pub fn of(&self, point: &Point) -> u32 {
        if point.lossy() { self.lossy } else { self.loss_free }
    }
}

/// Milliseconds of computing that a connection costs this machine, roughly: for planning and the time left.
fn cost(point: &Point) -> f64 {
    2.5 + 3.5 * f64::from(point.data) / 204_800.0
}

/// Nanoseconds by which the machine may disturb a connection: waits of both peers' threads for a processor, those of the link's
/// before it read the connection's packets, and its latest packet, together. 2 % of a round trip, half a packet's time at the
/// bottleneck, or 1 % of the connection, whichever is most. Where losses or delays spread connections much further apart, 5 %
/// of the connection: of hundreds of short waits, few delay the last byte.
pub fn allowance(shape: &Shape, last: u64) -> u64 {
    let packet = 1514 * 8 * 1_000_000_000 / shape.rate;
    let share = if shape.loss > 0 || shape.jitter { 20 } else { 100 };
    (shape.rtt / 50).max(packet / 2).max(last / share)
}

/// Whether a sample is above the allowance.
pub fn disturbed(point: &Point, sample: &Sample) -> bool {
    u64::from(sample.disturbed) * 1000 > allowance(&point.shape, u64::from(sample.last) * 1000)
}

struct Open {
    title: &'static str,
    point: Point,
    index: u32,
    attempt: u32,
    client: Option<(bool, [u64; 3], u64)>,
    server: Option<u64>,
    counts: Option<Counts>,
}

/// How fast connections are started: in milliseconds of computing a second, raised while samples stay undisturbed.
struct Pace {
    load: f64,
    /// Below this, what disturbs the samples is not this program.
    least: f64,
    most: f64,
    next: Instant,
    taken: u32,
    disturbed: u32,
    since: Instant,
}

impl Pace {
    fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let now = Instant::now();
        Self {
            load: 40.0 * cores,
            least: 40.0 * cores,
            most: 600.0 * cores,
            next: now,
            taken: 0,
            disturbed: 0,
            since: now,
        }
    }

    fn started(&mut self, cost: f64) {
        // What a stall of this loop left behind is not made good by a burst.
        self.next = self.next.max(Instant::now() - Duration::from_millis(20))
            + Duration::from_secs_f64(cost / self.load);
    }

    fn finished(&mut self, disturbed: bool) {
        self.taken += 1;
        self.disturbed += u32::from(disturbed);
        if self.since.elapsed() < Duration::from_secs(1) || self.taken < 20 {
            return;
        }
        let share = f64::from(self.disturbed) / f64::from(self.taken);
        let factor = if share > 0.2 {
            0.8
        } else if share < 0.1 {
            1.1
        } else {
            1.0
        };
        self.load = (self.load * factor).clamp(self.least, self.most);
        (self.taken, self.disturbed, self.since) = (0, 0, Instant::now());
    }
}

/// Checks the link, then takes what is missing.
pub fn run(
    folder: &Path,
    name: &str,
    groups: &[Group],
    wanted: Wanted,
    fault: Fault,
    most: usize,
    by: Emulator,
) -> Result<()> {
    let most = if by == Emulator::Netem { 1 } else { most };
    let mut store = Store::open(folder)?;
    let dropped = store.retain(|point, sample| !disturbed(point, sample))?;
    if dropped > 0 {
        println!(
            "{dropped} samples were disturbed by the machine in each of {ATTEMPTS} attempts; they are taken again"
        );
    }
    let total: u64 = groups.iter().flat_map(|g| &g.points).map(|point| u64::from(wanted.of(point))).sum();
    let points = groups.iter().map(|group| group.points.len()).sum::<usize>();
    // Round after round of all groups, so that a run that is stopped early has something of everything; within a group in an
    // order of chance, which is the same each time, so that a disturbance meets all of its points alike.
    let mut plan: VecDeque<(&'static str, Point, u32, u32)> = VecDeque::new();
    let samples = wanted.loss_free.max(wanted.lossy);
    for round in 0..samples.div_ceil(ROUND) {
        for group in groups {
            let mut samples: Vec<(Point, u32)> = Vec::new();
            for &point in &group.points {
                let missing = store.missing(&point, wanted.of(&point)).into_iter();
                samples.extend(missing.filter(|index| index / ROUND == round).map(|index| (point, index)));
            }
            samples.sort_by_key(|(point, index)| random(point.seed(*index), 1));
            plan.extend(samples.into_iter().map(|(point, index)| (group.title, point, index, 1)));
        }
    }
    let left = plan.len();
    let work: f64 = plan.iter().map(|(_, point, ..)| cost(point)).sum();
    println!(
        "grid `{name}`: {points} points, {total} connections, {left} of them to be made; about {:.0} minutes on this machine",
        work / 400.0 / std::thread::available_parallelism().map_or(1, usize::from) as f64 / 60.0
    );
    if left == 0 {
        return Ok(());
    }
    let mut warnings = machine::busy_warnings();
    for warning in &warnings {
        println!("WARNING: {warning}");
    }
    let (chains, windows) = grid::chains_and_windows(groups)?;
    let mut lab = Lab::new(&chains, &windows, fault, by)?;
    let began = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let findings = checked(&mut lab, groups, windows[0])?;
    let failed: Vec<_> = findings.iter().filter(|finding| !finding.holds()).map(|f| f.what.clone()).collect();
    let describe = |store: &Store, warnings: &[String], state: &str, again: u64, taken: u64| -> Result<()> {
        let mut old = crate::store::description(folder).unwrap_or_default();
        let mut sessions = old["sessions"].take().as_array().cloned().unwrap_or_default();
        sessions.retain(|session| session["began"] != json!(began));
        sessions.push(json!({"began": began, "state": state, "warnings": warnings, "taken": taken,
            "taken_again": again, "check": findings.iter().map(Finding::json).collect::<Vec<_>>(),
            "machine": machine::description()}));
        store.describe(&json!({"grid": name, "loss_free": wanted.loss_free, "lossy": wanted.lossy,
            "link": match by { Emulator::Loop => "TUN devices and a loop between them", Emulator::Netem => "netem on two devices" }, "fault": format!("{fault:?}"), "congestion_control": "cubic", "notes": old["notes"],
            "sessions": sessions}))
    };
    describe(&store, &warnings, "checked", 0, 0)?;
    if fault != Fault::default() {
        println!("WARNING: the link has a fault that was asked for; what is measured is for comparison only");
    } else if !failed.is_empty() {
        bail!("the emulated link is not what it should be: {}. Nothing was measured", failed.join("; "));
    }

    let bar = ProgressBar::new(work as u64);
    bar.set_style(
        ProgressStyle::with_template("{elapsed_precise} [{bar:40}] {percent} %, {eta_precise} left: {msg}")
            .expect("a template"),
    );
    bar.enable_steady_tick(Duration::from_millis(500));
    let mut pace = Pace::new();
    let (mut again, mut taken, mut done) = (0u64, 0u64, 0.0);
    let mut described = Instant::now();
    let mut open: HashMap<u32, Open> = HashMap::new();
    // Connections whose numbers may still be missing the server's part, which then counts as none.
    let mut ending: VecDeque<(Instant, u32)> = VecDeque::new();
    let mut finished: Vec<(Point, Sample)> = Vec::new();
    let mut printed = Instant::now();
    let mut title = "";
    while !plan.is_empty() || !open.is_empty() {
        let now = Instant::now();
        if now >= pace.next && open.len() < most && !plan.is_empty() {
            let (group, point, index, attempt) = plan.pop_front().expect("not empty");
            title = group;
            let id = lab.connect(&point, point.seed(index))?;
            open.insert(id, Open { title, point, index, attempt, client: None, server: None, counts: None });
            pace.started(cost(&point));
            continue;
        }
        let wait =
            if plan.is_empty() || open.len() >= most { Duration::from_millis(5) } else { pace.next - now };
        match lab.next(wait.min(Duration::from_millis(5)))? {
            Some(Event::Client { id, status, times, waited }) => {
                let Some(entry) = open.get_mut(&id) else { continue };
                ensure!(status == "ok" || status == "timeout", "a connection of {}: {status}", entry.point);
                entry.client = Some((status == "timeout", times, waited));
                lab.close(id)?;
                ending.push_back((now + Duration::from_millis(20), id));
            }
            Some(Event::Server { id, waited }) => {
                if let Some(entry) = open.get_mut(&id) {
                    entry.server = Some(waited);
                }
            }
            Some(Event::Counts(counts)) => {
                if let Some(entry) = open.get_mut(&counts.id) {
                    entry.counts = Some(counts);
                }
            }
            Some(Event::Probed | Event::Shaped | Event::Arrived(_) | Event::Broken(_)) | None => {}
        }
        while let Some(&(time, id)) = ending.front()
            && time < Instant::now()
        {
            ending.pop_front();
            let complete = open.get(&id).is_some_and(|entry| entry.counts.is_some());
            if !complete {
                // The link is busy; it will tell.
                ending.push_back((Instant::now() + Duration::from_millis(20), id));
                continue;
            }
            let Some(entry) = open.remove(&id) else { continue };
            let (point, sample, disturbed) = sample(&entry);
            pace.finished(disturbed);
            taken += 1;
            if disturbed && entry.attempt < ATTEMPTS {
                again += 1;
                // Soon, while its group is measured.
                plan.insert(plan.len().min(100), (entry.title, point, sample.index, entry.attempt + 1));
            } else {
                finished.push((point, sample));
                done += cost(&point);
            }
        }
        if finished.len() >= 100
            || (!finished.is_empty() && (open.is_empty() || printed.elapsed().as_millis() > 500))
        {
            store.add(&finished)?;
            finished.clear();
            bar.set_position(done as u64);
            bar.set_message(format!("{title}; {} open, {again} taken again", open.len()));
        }
        if printed.elapsed() > Duration::from_secs(if bar.is_hidden() { 15 } else { 1 }) {
            printed = Instant::now();
            if bar.is_hidden() {
                println!(
                    "{:5} s, {:3.0} %, about {} s left: {title}; {} open, {again} of {taken} taken again, load {:.0}",
                    bar.elapsed().as_secs(),
                    100.0 * done / work,
                    bar.eta().as_secs(),
                    open.len(),
                    pace.load
                );
            }
        }
        if described.elapsed() > Duration::from_secs(30) {
            described = Instant::now();
            describe(&store, &warnings, "running", again, taken)?;
        }
    }
    store.add(&finished)?;
    bar.finish_and_clear();
    if again * 10 > taken {
        warnings.push(format!(
            "{again} of {taken} samples were disturbed by the machine and taken again: it was too busy for numbers that mean much"
        ));
        println!("WARNING: {}", warnings.last().expect("one"));
    }
    if let Some(warning) = slow_to_connect(&crate::store::load(folder)?) {
        println!("WARNING: {warning}");
        warnings.push(warning);
    }
    describe(&store, &warnings, "done", again, taken)?;
    println!(
        "{taken} connections in {} s, {again} of them disturbed and taken again",
        bar.elapsed().as_secs()
    );
    Ok(())
}

/// A handshake of TCP is a round trip and two small packets, whatever else is lost or sent: where the median takes longer, all
/// packets were late, which the allowance of single samples does not notice. None if that is nowhere so.
pub fn slow_to_connect(samples: &crate::store::Samples) -> Option<String> {
    let mut late = 0;
    let mut worst: Option<(f64, Point)> = None;
    for (point, samples) in samples.iter().filter(|(point, _)| !point.shape.jitter) {
        let expected = crate::model::predict(point)[0] / 1000.0;
        let mut times: Vec<f64> = samples.iter().map(|s| f64::from(s.connect)).collect();
        let excess = stats::percentile(&mut times, 0.5) / expected - 1.0;
        late += usize::from(excess > SLOW);
        if worst.is_none_or(|(most, _)| excess > most) {
            worst = Some((excess, *point));
        }
    }
    let (excess, point) = worst?;
    (late > 0).then(|| {
        format!(
            "at {late} of {} points TCP took more than {} % longer to connect than the link allows, at most {:.1} % ({point}): \
             too many connections were open at once for this machine, and all times are too long; see --open",
            samples.len(),
            SLOW * 100.0,
            excess * 100.0
        )
    })
}

/// By how much the median of `connect` may exceed what the link allows.
const SLOW: f64 = 0.02;

fn sample(entry: &Open) -> (Point, Sample, bool) {
    let (timeout, times, client) = entry.client.unwrap_or((true, [0; 3], 0));
    let counts = entry.counts.unwrap_or_default();
    let disturbed = client + entry.server.unwrap_or(0) + counts.late + counts.read_late;
    let micros = |nanoseconds: u64| ((nanoseconds + 500) / 1000) as u32;
    let sample = Sample {
        index: entry.index,
        attempt: entry.attempt,
        timeout,
        connect: micros(times[0]),
        handshake: micros(times[1]),
        last: micros(times[2]),
        up: counts.bytes[0],
        down: counts.bytes[1],
        lost: counts.lost[0] + counts.lost[1],
        dropped: counts.dropped[0] + counts.dropped[1],
        resent: counts.resent[0] + counts.resent[1],
        disturbed: micros(disturbed),
    };
    (entry.point, sample, disturbed > allowance(&entry.point.shape, times[2]))
}

/// The check of all links of a grid, printed as it goes.
pub fn checked(lab: &mut Lab, groups: &[Group], window: u32) -> Result<Vec<Finding>> {
    let shapes: Vec<_> = groups.iter().flat_map(|group| &group.points).map(|point| point.shape).collect();
    println!("the link itself:");
    check::check(lab, &shapes, window, |finding| {
        println!(
            "  {:48} {:9.3} {} (asked for {:.3}, within {:.3}): {}",
            finding.what,
            finding.found,
            finding.unit,
            finding.wanted,
            finding.tolerance,
            if finding.holds() { "holds" } else { "DOES NOT HOLD" }
        );
    })
}

/// The table that answers "what would it cost me".
pub fn table(store: &crate::store::Samples, groups: &[Group]) {
    let values = |point: &Point, of: fn(&Sample) -> u32| -> Vec<f64> {
        let samples = store.get(point).map(Vec::as_slice).unwrap_or_default();
        samples.iter().map(|s| if s.timeout { f64::INFINITY } else { f64::from(of(s)) / 1000.0 }).collect()
    };
    println!(
        "\nmilliseconds at the 50th, 75th and 90th percentile; increase of the median with its interval of 95 %"
    );
    println!(
        "{:10} {:7} {:>6} {:>7} {:>26} {:>26} {:>26}  increase over the first row",
        "exchange", "chain", "bytes", "connect", "handshake", "last byte", ""
    );
    let Some(base) = groups.first().and_then(|group| group.points.first()) else { return };
    for point in groups.iter().flat_map(|group| &group.points) {
        let triple = |of: fn(&Sample) -> u32| {
            [0.5, 0.75, 0.9]
                .map(|share| format!("{:8.1}", stats::percentile(&mut values(point, of), share)))
                .join(" ")
        };
        let chain = if point.chain == 0 { "rsa".into() } else { crate::units::show_size(point.chain) };
        let increase = stats::increase(&values(base, |s| s.last), &values(point, |s| s.last), 0.5);
        let bytes = stats::percentile(&mut values(point, |s| (s.up + s.down) * 1000), 0.5);
        println!(
            "{:10} {:7} {:6.0} {:7.1} {} {}  {:+.1} % ({:+.1} to {:+.1})",
            point.exchange.name(),
            chain,
            bytes,
            stats::percentile(&mut values(point, |s| s.connect), 0.5),
            triple(|s| s.handshake),
            triple(|s| s.last),
            increase.value,
            increase.low,
            increase.high
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{CLASSICAL, FAR_SLOW, point};

    #[test]
    fn a_link_that_is_late_throughout_is_noticed() {
        let point = point(CLASSICAL, 20, FAR_SLOW, 0);
        let connect = |milliseconds: u32| {
            let sample = Sample { connect: milliseconds * 1000, ..Sample::default() };
            slow_to_connect(&[(point, vec![sample; 3])].into())
        };
        // 200 ms, and two packets of 88 bytes at 1 Mbps
        assert_eq!(connect(202), None);
        assert!(connect(230).unwrap().starts_with("at 1 of 1 points"));
        let jitter = Point { shape: crate::grid::Shape { jitter: true, ..point.shape }, ..point };
        let sample = Sample { connect: 230_000, ..Sample::default() };
        assert_eq!(slow_to_connect(&[(jitter, vec![sample])].into()), None);
    }
}
