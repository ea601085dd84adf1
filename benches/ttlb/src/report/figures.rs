//! The figures of the source, redrawn from our samples, and what the source says of them.
//!
//! The source: P. Kampanakis and W. Childs-Klein, *The impact of data-heavy, post-quantum TLS 1.3 on the Time-To-Last-Byte of
//! real-world connections*, 2024 (<https://eprint.iacr.org/2024/176>).

use crate::grid::{
    self, CLASSICAL, CONTROL, Exchange, FAR_SLOW, FAR_SLOW_LOSSY, KB8, NEAR_FAST, NEAR_SLOW, POST_QUANTUM,
    Point, RSA, Shape, VOLATILE, point, shape,
};
use crate::report::svg::{Chart, Dot, Mark, Series};
use crate::stats::{self, Estimate};
use crate::store::{Sample, Samples};
use crate::units::show_loss;

const SHARES: [(f64, &str, Mark, &str); 3] = [
    (0.5, "50th percentile", Mark::Circle, ""),
    (0.75, "75th percentile", Mark::Square, "7 4"),
    (0.9, "90th percentile", Mark::Triangle, "2 4"),
];
const KIB200: u32 = 200 * 1024;
const MBPS: u64 = 1_000_000;
const GBPS: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

pub struct Figure {
    pub id: &'static str,
    pub title: String,
    pub text: String,
    pub charts: Vec<Chart>,
    pub table: Table,
}

/// A number of the source beside ours.
pub struct Comparison {
    pub what: String,
    pub source: String,
    pub ours: String,
    /// Whether ours is what the source has, as exactly as it says it.
    pub agrees: bool,
    /// Why not, or how it is meant.
    pub note: String,
}

/// The times of a point in milliseconds; a connection that took too long counts as infinite. Without losses and jitter,
/// connections that the machine disturbed are left out. Elsewhere they stay: to leave them out would be to choose by length.
fn times(samples: &Samples, point: Point, of: fn(&Sample) -> u32) -> Option<Vec<f64>> {
    let steady = point.shape.loss == 0 && !point.shape.jitter;
    let value = |s: &Sample| if s.timeout { f64::INFINITY } else { f64::from(of(s)) / 1000.0 };
    let kept =
        samples.get(&point)?.iter().filter(|sample| !(steady && crate::run::disturbed(&point, sample)));
    Some(kept.map(value).collect::<Vec<_>>()).filter(|times| !times.is_empty())
}

pub fn last(samples: &Samples, point: Point) -> Option<Vec<f64>> {
    times(samples, point, |s| s.last)
}

pub fn handshake(samples: &Samples, point: Point) -> Option<Vec<f64>> {
    times(samples, point, |s| s.handshake)
}

fn percent(estimate: &Estimate) -> String {
    let minus = |x: f64| format!("{x:+.1}").replace('-', "\u{2212}");
    format!("{} % ({} to {})", minus(estimate.value), minus(estimate.low), minus(estimate.high))
}

fn milliseconds(value: f64) -> String {
    if value.is_finite() { format!("{value:.1}") } else { "over 120 000".into() }
}

fn data_ticks() -> Vec<(f64, String)> {
    [0, 50, 100, 150, 200].map(|kib| (f64::from(kib), kib.to_string())).into()
}

fn kib(point: Point) -> f64 {
    f64::from(point.data) / 1024.0
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What a figure over data sizes is made of: for each size the increases at the three percentiles.
struct OverData {
    increases: Vec<(f64, [Estimate; 3])>,
    table: Table,
}

fn over_data(samples: &Samples, window: u32, shape: Shape) -> OverData {
    let mut increases = Vec::new();
    let mut rows = Vec::new();
    for data in grid::DATA {
        let (a, b) = (point(CLASSICAL, window, shape, data), point(POST_QUANTUM, window, shape, data));
        let (Some(classical), Some(quantum)) = (last(samples, a), last(samples, b)) else { continue };
        let each = SHARES.map(|(share, ..)| stats::increase(&classical, &quantum, share));
        let mut row = vec![format!("{}", data / 1024), format!("{} and {}", classical.len(), quantum.len())];
        for (n, (share, ..)) in SHARES.into_iter().enumerate() {
            row.push(milliseconds(stats::percentile(&mut classical.clone(), share)));
            row.push(milliseconds(stats::percentile(&mut quantum.clone(), share)));
            row.push(percent(&each[n]));
        }
        rows.push(row);
        increases.push((kib(a), each));
    }
    let mut columns = vec!["data, KiB".to_owned(), "connections".to_owned()];
    for (_, name, ..) in SHARES {
        columns.extend([
            format!("classical, {name}, ms"),
            "post-quantum, ms".into(),
            "increase (interval)".into(),
        ]);
    }
    OverData { increases, table: Table { head: columns, rows } }
}

impl OverData {
    fn chart(&self, label: &str, source: Vec<Dot>) -> Chart {
        let mut series: Vec<_> = SHARES
            .into_iter()
            .enumerate()
            .map(|(n, (_, name, mark, line))| Series {
                name: name.to_owned(),
                colour: n,
                mark,
                line: Some(line),
                dots: self
                    .increases
                    .iter()
                    .map(|(x, each)| dot(*x + n as f64 * 1.5 - 1.5, &each[n]))
                    .collect(),
            })
            .collect();
        if !source.is_empty() {
            series.push(Series {
                name: "the source says about".into(),
                colour: 3,
                mark: Mark::Diamond,
                line: None,
                dots: source,
            });
        }
        Chart {
            label: label.to_owned(),
            x_label: "data, KiB",
            y_label: "increase of the time to the last byte, %",
            x_ticks: data_ticks(),
            logarithmic: false,
            y_range: (0.0, 2.0),
            series,
        }
    }

    fn at(&self, kib: f64) -> Option<&[Estimate; 3]> {
        self.increases.iter().find(|(x, _)| *x == kib).map(|(_, each)| each)
    }
}

fn dot(x: f64, estimate: &Estimate) -> Dot {
    Dot { x, y: estimate.value, interval: Some((estimate.low, estimate.high)) }
}

fn said(dots: &[(f64, f64)]) -> Vec<Dot> {
    dots.iter().map(|&(x, y)| Dot { x, y, interval: None }).collect()
}

/// Everything that the report says of connections; `one_way` are samples of a link that loses packets towards the client only.
pub fn all(samples: &Samples, one_way: Option<&Samples>) -> (Vec<Figure>, Vec<Comparison>) {
    let mut comparisons = Vec::new();
    let figures = vec![
        first(samples, &mut comparisons),
        second(samples, &mut comparisons),
        third(samples, &mut comparisons),
        fourth(samples, one_way, &mut comparisons),
        fifth(samples, &mut comparisons),
        sixth(samples),
        seventh(samples),
        eighth(samples),
    ];
    (figures, comparisons)
}

fn first(samples: &Samples, comparisons: &mut Vec<Comparison>) -> Figure {
    // All conditions together, each with as many connections.
    let conditions: Vec<Shape> = grid::RTTS
        .iter()
        .flat_map(|&rtt| [0, 10_000, 30_000, 100_000].map(|loss| shape(rtt, MBPS, loss)))
        .collect();
    let pairs = [CLASSICAL, (Exchange::Kemstone, KB8), POST_QUANTUM];
    let of = |pair, shape| handshake(samples, point(pair, 20, shape, 0));
    let there: Vec<_> =
        conditions.into_iter().filter(|&shape| pairs.iter().all(|&pair| of(pair, shape).is_some())).collect();
    let least = there
        .iter()
        .flat_map(|&shape| pairs.map(|pair| of(pair, shape).map_or(0, |times| times.len())))
        .min()
        .unwrap_or(0);
    let together = pairs.map(|pair| -> Vec<f64> {
        there.iter().flat_map(|&shape| of(pair, shape).unwrap_or_default().into_iter().take(least)).collect()
    });
    let mut rows = Vec::new();
    let mut row = |name: String, three: [&[f64]; 3]| -> [[Estimate; 2]; 3] {
        let increases =
            SHARES.map(|(share, ..)| [1, 2].map(|n: usize| stats::increase(three[0], three[n], share)));
        let mut cells = vec![name, three[0].len().to_string()];
        for (n, (share, ..)) in SHARES.into_iter().enumerate() {
            cells.push(milliseconds(stats::percentile(&mut three[0].to_vec(), share)));
            cells.extend(increases[n].iter().map(percent));
        }
        rows.push(cells);
        increases
    };
    let mut each = Vec::new();
    for &shape in &there {
        let three = pairs.map(|pair| of(pair, shape).unwrap_or_default());
        let name = format!("{} ms, {} lost", shape.rtt / MS, show_loss(shape.loss).replace('%', " %"));
        each.push(row(name, [&three[0], &three[1], &three[2]]));
    }
    let mut series = Vec::new();
    if least > 0 {
        let pooled = row("all in one pool".into(), [&together[0], &together[1], &together[2]]);
        // The mean of independent estimates, and its interval from theirs.
        let mean = |share: usize, n: usize| -> Estimate {
            let count = each.len() as f64;
            let sum = |of: fn(&Estimate) -> f64| each.iter().map(|all| of(&all[share][n])).sum::<f64>();
            let value = sum(|e| e.value) / count;
            let half = sum(|e| ((e.high - e.low) / 2.0).powi(2)).sqrt() / count;
            Estimate { value, low: value - half, high: value + half }
        };
        let means = [0, 1, 2].map(|share| [mean(share, 0), mean(share, 1)]);
        let mut cells = vec!["mean of the conditions".to_owned(), (least * each.len()).to_string()];
        for share in &means {
            cells.push("\u{2013}".into());
            cells.extend(share.iter().map(percent));
        }
        rows.insert(0, cells);
        for (n, name) in [(0, "X25519MLKEM768, chain of 8 KB"), (1, "X25519MLKEM768, chain of 16 KB")] {
            series.push(Series {
                name: name.into(),
                colour: n,
                mark: [Mark::Circle, Mark::Square][n],
                line: Some(["", "7 4"][n]),
                dots: (0..3).map(|k| dot(SHARES[k].0 * 100.0 + n as f64 * 0.6 - 0.3, &means[k][n])).collect(),
            });
        }
        let ratios = |three: &[[Estimate; 2]; 3]| three.map(|each| each[1].value / each[0].value);
        let ratio = ratios(&means);
        let others = ratios(&pooled).map(|r| format!("{r:.1}")).join(" / ");
        comparisons.push(Comparison {
            what: "1: handshakes at 1 Mbps, increase with 16 KB over that with 8 KB".into(),
            source: "about 2".into(),
            ours: ratio.map(|r| format!("{r:.1}")).join(" / "),
            agrees: ratio.iter().all(|r| (1.6..=2.4).contains(r)),
            note: format!(
                "Of the mean increase over both round trips and the losses of 0, 1, 3 and 10 %. In one pool of all connections \
                 it is {others}: round trips of 35 and 200 ms and the timeouts after a loss leave gaps in that pool, and a \
                 percentile in a gap is ruled by it. How the source put them together is not known here"
            ),
        });
    }
    let mut columns = head(&["condition", "connections each"]);
    for (_, name, ..) in SHARES {
        columns.extend([format!("classical, {name}, ms"), "increase, 8 KB".into(), "increase, 16 KB".into()]);
    }
    Figure {
        id: "figure-1",
        title: "Figure 1: handshakes at 1 Mbps".into(),
        text: "How much longer connection and handshake take with X25519MLKEM768 and a chain of 8 or 16 KB than with X25519 \
               and a chain of RSA certificates: the mean over round trips of 35 and 200 ms and losses of 0, 1, 3 and 10 %, initial \
               window of 20 segments. The table has each condition."
            .into(),
        charts: vec![Chart {
            label: "Increase of the handshake at three percentiles".into(),
            x_label: "percentile",
            y_label: "increase of the handshake, %",
            x_ticks: vec![(50.0, "50".into()), (75.0, "75".into()), (90.0, "90".into())],
            logarithmic: false,
            y_range: (0.0, 10.0),
            series,
        }],
        table: Table { head: columns, rows },
    }
}

fn second(samples: &Samples, comparisons: &mut Vec<Comparison>) -> Figure {
    let over = over_data(samples, 20, NEAR_FAST);
    if let (Some(none), Some(much)) = (over.at(0.0), over.at(200.0)) {
        comparisons.push(Comparison {
            what: "2: 1 Gbps, 35 ms, increase at 0 KiB".into(),
            source: "about 3 %".into(),
            ours: percent(&none[0]),
            agrees: (none[0].value - 3.0).abs() <= 1.0,
            note: "On such a link the bytes take 0.15 ms and what is left is computing. The source computed with ML-DSA and \
                   other machines; our chains are all of RSA, so that of the computing only the key exchange differs"
                .into(),
        });
        let most = [50.0, 100.0, 150.0, 200.0].iter().filter_map(|&x| over.at(x)).map(|e| e[0].value);
        let (low, high) = most.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        comparisons.push(Comparison {
            what: "2: the same, with data".into(),
            source: "about 1 %".into(),
            ours: format!("{low:.1} to {high:.1} %, {:.1} % at 200 KiB", much[0].value).replace('-', "\u{2212}"),
            agrees: (0.0..=2.0).contains(&low) && (0.0..=2.0).contains(&high),
            note: "The answer takes whole round trips, as many as TCP's window needs. A chain of 16 KB has opened the window \
                   before the answer begins, so that some sizes take one round trip less with it; the model of slow start \
                   below says so as well"
                .into(),
        });
    }
    Figure {
        id: "figure-2",
        title: "Figure 2: 1 Gbps, 35 ms, no loss".into(),
        text: "How much later the last byte comes with X25519MLKEM768 and a chain of 16 KB; initial window of 20 segments. A \
               step down is a round trip saved: the window has grown while the longer chain was sent."
            .into(),
        charts: vec![over.chart(
            "Increase over data at 1 Gbps and 35 ms",
            said(&[(0.0, 3.0), (50.0, 1.0), (100.0, 1.0), (150.0, 1.0), (200.0, 1.0)]),
        )],
        table: over.table,
    }
}

fn third(samples: &Samples, comparisons: &mut Vec<Comparison>) -> Figure {
    let over = over_data(samples, 20, FAR_SLOW);
    for (at, said) in [(0.0, 33.0), (200.0, 6.0)] {
        if let Some(each) = over.at(at) {
            comparisons.push(Comparison {
                what: format!("3: 1 Mbps, 200 ms, increase at {at} KiB"),
                source: format!("about {said} %"),
                ours: percent(&each[0]),
                agrees: (each[0].value - said).abs() <= if at == 0.0 { 4.0 } else { 1.5 },
                note: "Of the median".into(),
            });
        }
    }
    if let Some(times) = last(samples, point(CLASSICAL, 20, FAR_SLOW, KIB200)) {
        let ours = SHARES.map(|(share, ..)| stats::percentile(&mut times.clone(), share));
        comparisons.push(Comparison {
            what: "3: the same, classical connections of 200 KiB".into(),
            source: "2 364 ms at all percentiles".into(),
            ours: format!("{} ms", ours.map(|x| format!("{x:.0}")).join(" / ")),
            agrees: ours.iter().all(|x| (x / 2364.0 - 1.0).abs() <= 0.03),
            note: "Within 3 %".into(),
        });
    }
    Figure {
        id: "figure-3",
        title: "Figure 3: 1 Mbps, 200 ms, no loss".into(),
        text: "The same at 1 Mbps and 200 ms. At 0 KiB nothing is asked for, and the last byte is that of the handshake. What \
               the chain and the shares add, 18 KB, takes the same time whatever follows: its part falls as the data grow."
            .into(),
        charts: vec![over.chart("Increase over data at 1 Mbps and 200 ms", said(&[(0.0, 33.0), (200.0, 6.0)]))],
        table: over.table,
    }
}

fn fourth(samples: &Samples, one_way: Option<&Samples>, comparisons: &mut Vec<Comparison>) -> Figure {
    let over = over_data(samples, 20, FAR_SLOW_LOSSY);
    let with_data: Vec<f64> =
        over.increases.iter().filter(|(x, _)| *x > 0.0).map(|(_, each)| each[0].value).collect();
    if !with_data.is_empty() {
        let (low, high) =
            with_data.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        comparisons.push(Comparison {
            what: "4: 1 Mbps, 200 ms, 10 % lost, increase of the median with data".into(),
            source: "20 to 30 %".into(),
            ours: format!("{low:.0} to {high:.0} %").replace('-', "\u{2212}"),
            agrees: low >= 15.0 && high <= 35.0,
            note: LOSSY.into(),
        });
    }
    let source = [
        (CLASSICAL, "classical", [4644.0, 7093.0, 10178.0]),
        (POST_QUANTUM, "post-quantum", [6010.0, 8883.0, 12378.0]),
    ];
    let links = [
        (Some(samples), "4: the same", LOSSY),
        (
            one_way,
            "4: with losses towards the client only",
            "Not the experiment's link, but nearer to the source's numbers",
        ),
    ];
    for (samples, link, note) in links {
        for (pair, name, source) in source {
            let Some(times) = samples.and_then(|s| last(s, point(pair, 20, FAR_SLOW_LOSSY, KIB200))) else {
                continue;
            };
            let three = |numbers: [f64; 3]| numbers.map(|x| format!("{x:.0}")).join(" / ") + " ms";
            let estimates = SHARES.map(|(share, ..)| stats::at(&times, share));
            let intervals = estimates.map(|e| format!("{:.0} to {:.0}", e.low, e.high)).join(", ");
            comparisons.push(Comparison {
                what: format!("{link}, {name} connections of 200 KiB"),
                source: three(source),
                ours: three(estimates.map(|e| e.value)),
                // Within 5 %, or within what our number of connections leaves open.
                agrees: estimates.iter().zip(source).all(|(e, said)| {
                    (e.value / said - 1.0).abs() <= 0.05 || (e.low..=e.high).contains(&said)
                }),
                note: format!("{note}. Intervals of ours, of {} connections: {intervals}", times.len()),
            });
        }
    }
    Figure {
        id: "figure-4",
        title: "Figure 4: 1 Mbps, 200 ms, 10 % of packets lost".into(),
        text: "The same when every tenth packet is lost, in both directions. More packets are sent for the larger chain, so \
               more are lost, and each loss costs a round trip or a retransmission timeout."
            .into(),
        charts: vec![over.chart(
            "Increase over data at 1 Mbps and 200 ms with 10 % loss",
            said(&[(10.0, 25.0), (50.0, 25.0), (100.0, 25.0), (150.0, 25.0), (200.0, 25.0)]),
        )],
        table: over.table,
    }
}

/// Why figure 4 may differ.
const LOSSY: &str = "Packets are lost in both directions here, SYNs and acknowledgements as well; in which the source lost them is not \
                     known here";

fn fifth(samples: &Samples, comparisons: &mut Vec<Comparison>) -> Figure {
    let over = over_data(samples, 20, VOLATILE);
    let with_data: Vec<f64> =
        over.increases.iter().filter(|(x, _)| *x > 0.0).map(|(_, each)| each[0].value).collect();
    if !with_data.is_empty() {
        let (low, high) =
            with_data.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        comparisons.push(Comparison {
            what: "5: volatile round trip, 1 Gbps, 35 ms, increase of the median with data".into(),
            source: "4 to 5 %".into(),
            ours: format!("{low:.1} to {high:.1} %").replace('-', "\u{2212}"),
            agrees: low >= 3.0 && high <= 6.0,
            note: "The same steps as in figure 2, blurred by the delays".into(),
        });
    }
    Figure {
        id: "figure-5",
        title: "Figure 5: volatile round trip, 1 Gbps, 35 ms, no loss".into(),
        text: "The delay of each packet is Pareto-normal: round trips have a mean of 35 ms and a standard deviation of \
               35/4 ms. Packets do not overtake each other, as with netem where a rate is set."
            .into(),
        charts: vec![over.chart(
            "Increase over data with a volatile round trip",
            said(&[(10.0, 4.5), (50.0, 4.5), (100.0, 4.5), (150.0, 4.5), (200.0, 4.5)]),
        )],
        table: over.table,
    }
}

fn sixth(samples: &Samples) -> Figure {
    let conditions = [
        ("1 Gbps, no loss", NEAR_FAST, ""),
        ("1 Gbps, 5 % lost", shape(35 * MS, GBPS, 50_000), "8 4"),
        ("1 Gbps, Pareto-normal delays", VOLATILE, "2 3"),
        ("1 Mbps, no loss", NEAR_SLOW, "12 3 3 3"),
        ("1 Mbps, 5 % lost", shape(35 * MS, MBPS, 50_000), "5 2"),
    ];
    let mut series = Vec::new();
    let mut rows = Vec::new();
    for (n, (name, shape, line)) in conditions.into_iter().enumerate() {
        let Some(mut times) = last(samples, point(POST_QUANTUM, 20, shape, KIB200)) else { continue };
        let count = times.len();
        let steps = 120;
        let dots = (0..=steps)
            .map(|k| {
                let share = (f64::from(k) / f64::from(steps)).clamp(0.002, 0.998);
                Dot { x: stats::percentile(&mut times, share), y: share * 100.0, interval: None }
            })
            .filter(|dot| dot.x.is_finite())
            .collect();
        series.push(Series { name: name.into(), colour: n, mark: Mark::None, line: Some(line), dots });
        let mut row = vec![name.to_owned(), count.to_string()];
        let classical = last(samples, point(CLASSICAL, 20, shape, KIB200));
        for (share, ..) in SHARES {
            row.push(milliseconds(stats::percentile(&mut times, share)));
            row.push(
                classical.as_ref().map_or("\u{2013}".into(), |c| percent(&stats::increase(c, &times, share))),
            );
        }
        rows.push(row);
    }
    let mut columns = head(&["condition", "connections"]);
    for (_, name, ..) in SHARES {
        columns.extend([format!("post-quantum, {name}, ms"), "over classical (interval)".into()]);
    }
    Figure {
        id: "figure-6",
        title: "Figure 6: how the times of 200 KiB are distributed, 35 ms".into(),
        text: "X25519MLKEM768 with a chain of 16 KB, initial window of 20 segments: the part of connections that had their \
               last byte by then. The source names no numbers here."
            .into(),
        charts: vec![Chart {
            label: "Cumulative distribution of the time to the last byte of 200 KiB".into(),
            x_label: "time to the last byte, ms (logarithmic)",
            y_label: "connections, %",
            x_ticks: [150, 300, 600, 1200, 2500, 6000, 15000].map(|ms| (f64::from(ms), ms.to_string())).into(),
            logarithmic: true,
            y_range: (0.0, 100.0),
            series,
        }],
        table: Table { head: columns, rows },
    }
}

fn seventh(samples: &Samples) -> Figure {
    let mut series = Vec::new();
    let mut rows = Vec::new();
    let kinds = [
        (CLASSICAL, 20, "X25519, RSA chain, window 20", 0, Mark::Circle, ""),
        (POST_QUANTUM, 20, "X25519MLKEM768, 16 KB, window 20", 1, Mark::Square, ""),
        (CLASSICAL, 10, "X25519, RSA chain, window 10", 2, Mark::Triangle, "7 4"),
        (POST_QUANTUM, 10, "X25519MLKEM768, 16 KB, window 10", 3, Mark::Diamond, "7 4"),
    ];
    let median = |pair, window, data| -> Option<Estimate> {
        last(samples, point(pair, window, NEAR_FAST, data)).map(|times| stats::at(&times, 0.5))
    };
    for (n, (pair, window, name, colour, mark, line)) in kinds.into_iter().enumerate() {
        // Beside each other: some are equal.
        let place = |data: u32| f64::from(data) / 1024.0 + n as f64 * 2.4 - 3.6;
        let dots = grid::DATA
            .into_iter()
            .filter_map(|data| median(pair, window, data).map(|estimate| dot(place(data), &estimate)))
            .collect();
        series.push(Series { name: name.into(), colour, mark, line: Some(line), dots });
    }
    for data in grid::DATA {
        let mut row = vec![(data / 1024).to_string()];
        for (pair, window, ..) in kinds {
            let value = median(pair, window, data).map_or(f64::NAN, |estimate| estimate.value);
            let predicted = crate::model::predict(&point(pair, window, NEAR_FAST, data))[2] / 1e6;
            row.push(format!("{value:.1} ({predicted:.1})"));
        }
        rows.push(row);
    }
    let mut columns = vec!["data, KiB".to_owned()];
    columns.extend(kinds.map(|(_, _, name, ..)| format!("{name}: median, ms (model)")));
    Figure {
        id: "figure-7",
        title: "Figure 7: initial windows of 10 and of 20 segments".into(),
        text: "1 Gbps, 35 ms, no loss: every step is a round trip. A chain of 16 KB does not fit into 10 segments, so the \
               handshake takes one round trip more there, half of its time again; into 20 it fits. After it, the window is \
               larger than after a small chain, and the answer needs fewer round trips. The source does not show this."
            .into(),
        charts: vec![Chart {
            label: "Median time to the last byte over data with two initial windows".into(),
            x_label: "data, KiB",
            y_label: "time to the last byte, ms",
            x_ticks: data_ticks(),
            logarithmic: false,
            y_range: (0.0, 200.0),
            series,
        }],
        table: Table { head: columns, rows },
    }
}

fn eighth(samples: &Samples) -> Figure {
    let mut rows = Vec::new();
    let mut series = Vec::new();
    let kinds = [
        (Exchange::X25519, "X25519: a first hello of one packet", 0, Mark::Circle, ""),
        (Exchange::Kemstone, "X25519MLKEM768 of kemstone: two packets", 1, Mark::Square, "7 4"),
        (Exchange::AwsLc, "X25519MLKEM768 of aws-lc-rs: two packets", 2, Mark::Triangle, "2 4"),
    ];
    // A handshake without a retransmission takes 71 ms, the fastest with one 200 ms more or a round trip.
    const SLOW: f64 = 1.25 * 71.0;
    for (n, (exchange, name, colour, mark, line)) in kinds.into_iter().enumerate() {
        let mut dots = Vec::new();
        for loss in grid::LOSSES {
            let Some(mut times) =
                handshake(samples, point((exchange, RSA), 20, shape(35 * MS, GBPS, loss), 0))
            else {
                continue;
            };
            let slow = times.iter().filter(|&&time| time > SLOW).count() as f64 / times.len() as f64;
            let error = 1.96 * (slow * (1.0 - slow) / times.len() as f64).sqrt();
            let interval = Some(((slow - error).max(0.0) * 100.0, (slow + error) * 100.0));
            dots.push(Dot { x: f64::from(loss) / 1e4 + n as f64 * 0.08 - 0.08, y: slow * 100.0, interval });
            let finite: Vec<f64> = times.iter().copied().filter(|time| time.is_finite()).collect();
            let mean = finite.iter().sum::<f64>() / finite.len() as f64;
            let mut row =
                vec![show_loss(loss).replace('%', " %"), exchange.name().into(), times.len().to_string()];
            row.push(format!("{:.1} \u{b1} {:.1}", slow * 100.0, error * 100.0));
            row.push(format!("{mean:.1}"));
            row.extend(
                [0.5, 0.75, 0.9, 0.95, 0.99].map(|share| milliseconds(stats::percentile(&mut times, share))),
            );
            rows.push(row);
        }
        series.push(Series { name: name.into(), colour, mark, line: Some(line), dots });
    }
    rows.sort_by_key(|row| row[0].trim_end_matches(" %").parse::<u32>().unwrap_or(0));
    let columns = head(&[
        "lost",
        "key exchange",
        "connections",
        "slowed by a loss, %",
        "mean, ms",
        "50th, ms",
        "75th, ms",
        "90th, ms",
        "95th, ms",
        "99th, ms",
    ]);
    Figure {
        id: "figure-7b",
        title: "Figure 7, second part: a first hello of two packets under loss".into(),
        text: "A first hello with a share of ML-KEM-768 does not fit into one packet of 1 500 bytes. Both kinds here have the \
               same small RSA chain; 1 Gbps, 35 ms, handshakes alone. Shown is the part of handshakes that a lost packet \
               slowed down, those of more than 1.25 times the usual 71 ms."
            .into(),
        charts: vec![Chart {
            label: "Handshakes slowed by a loss".into(),
            x_label: "packets lost, %",
            y_label: "handshakes slowed by a loss, %",
            x_ticks: [0, 1, 3, 5, 10].map(|percent| (f64::from(percent), percent.to_string())).into(),
            logarithmic: false,
            y_range: (0.0, 10.0),
            series,
        }],
        table: Table { head: columns, rows },
    }
}

/// kemstone beside aws-lc-rs in the same place: the wire and the times.
pub fn control(samples: &Samples) -> (Table, bool) {
    let mut rows = Vec::new();
    let mut all = true;
    for shape in [NEAR_FAST, FAR_SLOW, FAR_SLOW_LOSSY] {
        for data in grid::DATA {
            let (ours, theirs) = (point(POST_QUANTUM, 20, shape, data), point(CONTROL, 20, shape, data));
            let (Some(a), Some(b)) = (last(samples, ours), last(samples, theirs)) else { continue };
            // Bytes from the client and to it; without losses all connections of a point have nearly the same.
            let bytes = |point: Point, of: fn(&Sample) -> u32| {
                let mut values: Vec<f64> = samples[&point].iter().map(|s| f64::from(of(s))).collect();
                stats::percentile(&mut values, 0.5)
            };
            let difference = stats::increase(&b, &a, 0.5);
            let within = difference.low <= 0.0 && difference.high >= 0.0;
            all &= within;
            let value = |estimate: Estimate| {
                format!("{:+.2} % ({:+.2} to {:+.2})", estimate.value, estimate.low, estimate.high)
                    .replace('-', "\u{2212}")
            };
            rows.push(vec![
                format!(
                    "{}, {} ms, {} lost",
                    crate::units::show_rate(shape.rate),
                    shape.rtt / MS,
                    show_loss(shape.loss)
                ),
                (data / 1024).to_string(),
                format!("{} and {}", a.len(), b.len()),
                format!("{:.0} and {:.0}", bytes(ours, |s| s.down), bytes(theirs, |s| s.down)),
                milliseconds(stats::percentile(&mut a.clone(), 0.5)),
                milliseconds(stats::percentile(&mut b.clone(), 0.5)),
                value(difference),
                if within {
                    "no".into()
                } else {
                    format!(
                        "{:+.0} \u{b5}s",
                        (difference.value / 100.0 * stats::percentile(&mut b.clone(), 0.5)) * 1000.0
                    )
                    .replace('-', "\u{2212}")
                },
            ]);
        }
    }
    let columns = head(&[
        "link",
        "data, KiB",
        "connections",
        "bytes to the client, median",
        "kemstone, median, ms",
        "aws-lc-rs, median, ms",
        "kemstone over aws-lc-rs (interval)",
        "a difference beyond the interval",
    ]);
    (Table { head: columns, rows }, all)
}

/// Loss-free points beside the model.
pub fn model(samples: &Samples) -> (Table, usize, usize) {
    let mut rows = Vec::new();
    let (mut count, mut off) = (0, 0);
    for (&point, taken) in samples {
        if point.shape.loss > 0 || point.shape.jitter || taken.is_empty() {
            continue;
        }
        let Some(mut times) = last(samples, point) else { continue };
        let measured = stats::percentile(&mut times, 0.5);
        let predicted = crate::model::predict(&point)[2] / 1e6;
        let departure = (measured / predicted - 1.0) * 100.0;
        count += 1;
        off += usize::from(departure.abs() > 3.0);
        let chain = if point.chain == 0 { "RSA".into() } else { crate::units::show_size(point.chain) };
        rows.push(vec![
            format!("{}, {chain}", point.exchange.name()),
            point.window.to_string(),
            format!("{}, {} ms", crate::units::show_rate(point.shape.rate), point.shape.rtt / MS),
            (point.data / 1024).to_string(),
            format!("{measured:.1}"),
            format!("{predicted:.1}"),
            format!("{departure:+.1} %{}", if departure.abs() > 3.0 { " \u{2190} departs" } else { "" })
                .replace('-', "\u{2212}"),
        ]);
    }
    let columns = head(&[
        "connection",
        "window",
        "link",
        "data, KiB",
        "measured, median, ms",
        "model, ms",
        "measured over model",
    ]);
    (Table { head: columns, rows }, count, off)
}
