//! The page: figures, tables and what the numbers mean, in one file without scripts.

pub mod figures;
mod performance;
mod svg;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use crate::report::figures::Table;
use crate::report::svg::escape;
use crate::store::{self, Samples};

const STYLE: &str = include_str!("page.css");

/// As a file of comma-separated values.
fn csv(table: &Table) -> String {
    let cell = |text: &String| {
        let text = text.replace(['\u{202f}', '\u{2212}'], "");
        if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let line = |cells: &Vec<String>| cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\n";
    line(&table.head) + &table.rows.iter().map(line).collect::<String>()
}

/// For a `data:` link: everything but letters, digits and a few signs as `%xx`.
fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b',' | b'-' | b'_' | b'(' | b')' => {
                out.push(byte.into())
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn html(table: &Table) -> String {
    let mut out = String::from(r#"<div class="scroll" tabindex="0"><table><thead><tr>"#);
    for cell in &table.head {
        let _ = write!(out, r#"<th scope="col">{}</th>"#, escape(cell));
    }
    out.push_str("</tr></thead><tbody>");
    for row in &table.rows {
        out.push_str("<tr>");
        for (n, cell) in row.iter().enumerate() {
            // Numbers to the right, words to the left.
            let number = cell.starts_with(|c: char| c.is_ascii_digit() || "+-\u{2212}\u{2013}".contains(c));
            let number = if n == 0 { cell.parse::<f64>().is_ok() } else { number };
            let class = if number { r#" class="number""# } else { "" };
            let text = escape(cell);
            let _ = if n == 0 {
                write!(out, r#"<th scope="row"{class}>{text}</th>"#)
            } else {
                write!(out, "<td{class}>{text}</td>")
            };
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    out
}

fn download(name: &str, table: &Table) -> String {
    format!(
        r#"<p class="download"><a download="{name}.csv" href="data:text/csv;charset=utf-8,{}">Download this table (CSV)</a></p>"#,
        percent_encoded(&csv(table))
    )
}

/// Days since 1970 as a date (proleptic Gregorian).
fn date(seconds: u64) -> String {
    // Years that begin in March put the leap day at their end; 719468 days lie between 0000-03-01 and 1970-01-01.
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + u64::from(month <= 2))
}

/// Who measured, when and how much.
struct About {
    machine: String,
    date: String,
    connections: usize,
    loss_free: (usize, usize),
    lossy: (usize, usize),
    again: u64,
    taken: u64,
    kept_disturbed: usize,
    resent_without_loss: usize,
    timeouts: usize,
    warnings: Vec<String>,
}

fn about(samples: &Samples, description: &Value) -> About {
    let sessions = description["sessions"].as_array().cloned().unwrap_or_default();
    let last = sessions.last().cloned().unwrap_or_default();
    let machine = &last["machine"];
    let text = |name: &str| machine[name].as_str().unwrap_or("unknown").to_owned();
    let range = |random: bool| {
        let counts = samples.iter().filter(|(point, _)| point.lossy() == random).map(|(_, all)| all.len());
        let (low, high) =
            counts.fold((usize::MAX, 0), |(low, high): (usize, usize), n| (low.min(n), high.max(n)));
        (low.min(high), high)
    };
    let sum = |name: &str| sessions.iter().filter_map(|session| session[name].as_u64()).sum();
    let all = || samples.iter().flat_map(|(point, all)| all.iter().map(move |sample| (point, sample)));
    let warnings: Vec<String> = sessions
        .iter()
        .filter_map(|session| session["warnings"].as_array())
        .flatten()
        .filter_map(|warning| Some(warning.as_str()?.to_owned()))
        .collect();
    About {
        machine: format!(
            "{} (family {}, model {}), {} cores{}, Linux {}, {}, rustls {}, aws-lc-rs {}",
            text("processor"),
            text("family"),
            text("model"),
            machine["cores"],
            if machine["virtual"] == true { " of a virtual machine" } else { "" },
            text("kernel"),
            text("rustc").split(" (").next().unwrap_or_default(),
            text("rustls"),
            text("aws-lc-rs")
        ),
        date: date(last["began"].as_u64().unwrap_or(0)),
        connections: samples.values().map(Vec::len).sum(),
        loss_free: range(false),
        lossy: range(true),
        again: sum("taken_again"),
        taken: sum("taken"),
        kept_disturbed: all().filter(|(point, sample)| crate::run::disturbed(point, sample)).count(),
        resent_without_loss: all()
            .filter(|(point, sample)| point.shape.loss == 0 && !point.shape.jitter && sample.resent > 0)
            .count(),
        timeouts: all().filter(|(_, sample)| sample.timeout).count(),
        warnings,
    }
}

/// The page of the samples in a folder.
pub fn page(folder: &Path, peers: &Path) -> Result<String> {
    let samples = store::load(folder)?;
    let description = store::description(folder)?;
    let mut about = about(&samples, &description);
    // A run beside it, with a link that loses packets in one direction only.
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.with_file_name(format!("{name}-loss-down"));
    let one_way = if beside.exists() { Some(store::load(&beside)?) } else { None };
    about.warnings.extend(
        [Some(&samples), one_way.as_ref()].into_iter().flatten().filter_map(crate::run::slow_to_connect),
    );
    about.warnings.sort();
    about.warnings.dedup();
    let (figures, comparisons) = figures::all(&samples, one_way.as_ref());
    let (control, indistinguishable) = figures::control(&samples);
    let (model, points, departures) = figures::model(&samples);
    let processors = performance::processors(peers)?;

    let mut out = format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>kemstone: what post-quantum key exchange costs</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>What post-quantum key exchange costs</h1>
<p>The time to the last byte of TLS 1.3 connections over an emulated link, classical and post-quantum, and the speed of ML-KEM
itself. Measured on {date} on {machine}.</p>
<nav><ul>
<li><a href="#summary">Beside the source</a></li>
"##,
        date = about.date,
        machine = escape(&about.machine)
    );
    for figure in &figures {
        let _ = writeln!(out, r##"<li><a href="#{}">{}</a></li>"##, figure.id, escape(&figure.title));
    }
    out.push_str(
        r##"<li><a href="#control">kemstone and aws-lc-rs</a></li>
<li><a href="#model">The model of slow start</a></li>
<li><a href="#link">The link, checked</a></li>
<li><a href="#speed">ML-KEM by itself</a></li>
<li><a href="#method">How it was measured</a></li>
</ul></nav>
</header>
<main>
"##,
    );
    summary(&mut out, &about, &comparisons);
    for figure in &figures {
        let _ = write!(
            out,
            "<section id=\"{}\">\n<h2>{}</h2>\n<p>{}</p>\n<figure>",
            figure.id,
            escape(&figure.title),
            escape(&figure.text)
        );
        for chart in &figure.charts {
            out.push_str(&chart.html());
        }
        if figure.charts.iter().any(svg::Chart::has_intervals) {
            out.push_str("<figcaption>Bars are confidence intervals of 95 %.</figcaption>");
        }
        let _ = write!(
            out,
            "</figure>\n<details open><summary>Numbers</summary>{}{}</details>\n</section>\n",
            html(&figure.table),
            download(figure.id, &figure.table)
        );
    }
    let verdict = if indistinguishable {
        "At every point the interval of their difference holds zero: as a key exchange the two cannot be told apart."
    } else {
        "Where the interval of their difference does not hold zero, the last column says how much it is: of the order of the \
         computing that each does, not of anything on the wire."
    };
    let _ = write!(
        out,
        "<section id=\"control\">\n<h2>kemstone and aws-lc-rs as the same key exchange</h2>\n<p>X25519MLKEM768 by each of the two, \
         the same chain of 16 KB, the same points, taken in turn. Both send the same bytes. {verdict}</p>\n{}{}</section>\n",
        html(&control),
        download("control", &control)
    );
    let _ = write!(
        out,
        "<section id=\"model\">\n<h2>The model of slow start</h2>\n<p>Segments, acknowledgements, a window that grows by what is \
         acknowledged, and a bottleneck: without loss, that is all. The model knows no computing, no receive window and no \
         HyStart. {departures} of {points} points depart from it by more than 3 %.</p>\n<details><summary>All points</summary>{}{}</details></section>\n",
        html(&model),
        download("model", &model)
    );
    link(&mut out, &description);
    speed(&mut out, &processors);
    method(&mut out, &about, description["notes"].as_array());
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

fn summary(out: &mut String, about: &About, comparisons: &[figures::Comparison]) {
    out.push_str(
        "<section id=\"summary\">\n<h2>Beside the source</h2>\n<p>The source is the experiment of P. Kampanakis and \
         W. Childs-Klein, <a href=\"https://eprint.iacr.org/2024/176\">The impact of data-heavy, post-quantum TLS 1.3 on the \
         Time-To-Last-Byte of real-world connections</a> (2024). <em>Classical</em> is X25519 with a chain of RSA \
         certificates; <em>post-quantum</em> is X25519MLKEM768 by rustls-kemstone with a chain of 16 KB, the size of one of \
         ML-DSA. Where three numbers stand, they are the 50th, 75th and 90th percentile. Times of lossy links agree if they are \
         within 5 % of the source's or if the source's lie in the interval of ours, which is wide where connections are few.</p>\n",
    );
    if about.lossy.0 < 3000 || about.loss_free.0 < 1000 {
        let _ = writeln!(
            out,
            "<p class=\"warning\"><strong>Not complete:</strong> the plan is 1 000 connections for each point without loss and \
             3 000 for each with loss. The points without loss have {} to {}, those with loss {} to {}.</p>",
            about.loss_free.0, about.loss_free.1, about.lossy.0, about.lossy.1
        );
    }
    let table = Table {
        head: ["figure", "source", "ours", "", "why, or what is meant"].map(Into::into).into(),
        rows: comparisons
            .iter()
            .map(|c| {
                let verdict = if c.agrees { "\u{2713} agrees" } else { "\u{2717} differs" };
                vec![c.what.clone(), c.source.clone(), c.ours.clone(), verdict.into(), c.note.clone()]
            })
            .collect(),
    };
    let _ = writeln!(
        out,
        "<div class=\"prose\">{}</div>{}</section>",
        html(&table),
        download("comparison", &table)
    );
}

fn link(out: &mut String, description: &Value) {
    let sessions = description["sessions"].as_array().cloned().unwrap_or_default();
    let findings =
        sessions.last().and_then(|session| session["check"].as_array().cloned()).unwrap_or_default();
    let number = |value: &Value| format!("{:.3}", value.as_f64().unwrap_or(f64::NAN));
    let table = Table {
        head: ["property", "asked for", "found", "within", "unit", ""].map(Into::into).into(),
        rows: findings
            .iter()
            .map(|finding| {
                vec![
                    finding["what"].as_str().unwrap_or_default().into(),
                    number(&finding["wanted"]),
                    number(&finding["found"]),
                    number(&finding["tolerance"]),
                    finding["unit"].as_str().unwrap_or_default().into(),
                    if finding["holds"] == true { "\u{2713} holds" } else { "\u{2717} does not hold" }.into(),
                ]
            })
            .collect(),
    };
    let _ = write!(
        out,
        "<section id=\"link\">\n<h2>The link, checked</h2>\n<p>Before anything is measured, datagrams are sent through the whole \
         link, and what they show is held against what was asked for. A run whose link does not hold measures nothing.</p>\n{}</section>\n",
        html(&table)
    );
}

fn speed(out: &mut String, processors: &[performance::Processor]) {
    out.push_str(
        "<section id=\"speed\">\n<h2>ML-KEM by itself</h2>\n<p>From <code>benches/peers</code>, whose README says what each row is \
         and how it is timed: bytes to bytes, with all the checks of the standard.</p>\n",
    );
    for processor in processors {
        let _ = write!(
            out,
            "<h3>{0}</h3>\n{1}{2}",
            escape(&processor.name),
            html(&processor.cycles),
            download(&format!("cycles-{}", processor.name), &processor.cycles)
        );
        if let Some(rates) = &processor.rates {
            let _ = write!(
                out,
                "<h3>Operations per second, {0}</h3>\n<p>Medians of single calls on one core.</p>\n{1}{2}",
                escape(&processor.name),
                html(rates),
                download(&format!("rates-{}", processor.name), rates)
            );
        }
        let _ = write!(
            out,
            "<h3>The part of hashing in an encapsulation, {}</h3>\n<p>ML-KEM-768, plain key. Hashing the key is the matrix and \
             H(ek); the other permutations are those of G and of the noise.</p>\n{}",
            escape(&processor.name),
            html(&processor.hashing)
        );
    }
    let published = performance::published();
    let _ = write!(
        out,
        "<h3>AWS-LC, before and after, as published</h3>\n<p>What an article about AWS-LC gives for it. Its machines are others than \
         ours, and the parameter set of its numbers is not established here.</p>\n{}</section>\n",
        html(&published)
    );
}

fn method(out: &mut String, about: &About, notes: Option<&Vec<Value>>) {
    let _ = write!(
        out,
        "<section id=\"method\">\n<h2>How it was measured</h2>\n<ul>\n\
         <li>{connections} connections: {} to {} for each point without loss, {} to {} for each with loss.</li>\n\
         <li>A connection was taken again if the waits of both peers' threads and of the link's for a processor, although they could \
         run, and the delay of the link's latest packet together took more than 2 % of a round trip, half a packet's time at the bottleneck or 1 % of the \
         connection (5 % with losses or varying delays), whichever is most; it was taken four times at most, with the same losses. Of {} connections {} were taken \
         again. {} of those kept are above that limit; without losses and jitter they are left out of the figures, elsewhere \
         they stay, because to leave them out would be to choose by length.</li>\n\
         <li>On links without loss and with constant delay, {} connections sent a segment again. {} connections took longer than \
         two minutes and count as infinitely long.</li>\n\
         <li>The link is a loop between two TUN devices in two network namespaces. Each connection has a bottleneck, a queue of \
         1 000 packets, a delay and a loss of its own in each direction. Packets count with their Ethernet header, as with \
         netem. Losses are drawn for each packet, from a seed of the point and the number of the connection.</li>\n\
         <li>TCP is the kernel's with CUBIC and no cached metrics, MTU 1 500, the initial window set on the routes of both \
         sides. The time starts before <code>connect</code>; the request goes out with the client's Finished.</li>\n\
         <li>At 0 KiB nothing is asked for: the last byte is that of the handshake.</li>\n\
         <li>All chains are a leaf and an intermediate certificate of RSA with 2048 bits; those of 8 and 16 KB have an extension \
         of filling, so that computing is the same for all. A real chain of ML-DSA would also have a larger signature of the \
         handshake (3 309 bytes instead of 256 for ML-DSA-65), which is not padded here.</li>\n\
         <li>TLS 1.3 by rustls, AES-128-GCM, no tickets, no resumption. A client of a hybrid sends a share for X25519 as well.</li>\n\
         <li>Intervals are by the bootstrap: the middle 95 % of 1 000 resamples.</li>\n</ul>\n",
        about.loss_free.0,
        about.loss_free.1,
        about.lossy.0,
        about.lossy.1,
        about.taken,
        about.again,
        about.kept_disturbed,
        about.resent_without_loss,
        about.timeouts,
        connections = about.connections,
    );
    for note in notes.into_iter().flatten().filter_map(Value::as_str) {
        let _ = writeln!(out, "<p class=\"warning\"><strong>Of this run:</strong> {}</p>", escape(note));
    }
    for warning in &about.warnings {
        let _ =
            writeln!(out, "<p class=\"warning\"><strong>The run warned:</strong> {}</p>", escape(warning));
    }
    out.push_str("</section>\n");
}

/// Writes the page.
pub fn write(folder: &Path, peers: &Path, to: &Path) -> Result<()> {
    Ok(fs::write(to, page(folder, peers)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(951_782_400), "2000-02-29");
        assert_eq!(date(1_735_689_599), "2024-12-31");
    }

    #[test]
    fn links_and_files_are_escaped() {
        assert_eq!(percent_encoded("a b\n%"), "a%20b%0A%25");
        let table = Table { head: vec!["a,b".into()], rows: vec![vec!["say \"x\"".into()]] };
        assert_eq!(csv(&table), "\"a,b\"\n\"say \"\"x\"\"\"\n");
    }
}
