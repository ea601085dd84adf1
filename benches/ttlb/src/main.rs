//! What post-quantum key exchange costs a user: the time to the last byte over an emulated link. See `README.md`.

mod check;
mod grid;
mod lab;
mod link;
mod machine;
mod model;
mod netns;
mod peer;
mod pki;
mod report;
mod run;
mod shape;
mod stats;
mod store;
mod units;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::grid::Group;
use crate::link::Fault;
use crate::run::Wanted;

const HELP: &str = "\
run     [--grid figures|full|short] [--quick] [--samples N[,N]] [--out FOLDER]
        [--open N] [--link netem]
        takes the samples that FOLDER does not have yet: N of each point without loss, and N of each with loss; with N
        connections open at once. With netem the kernel makes the link, and there is one connection at a time
run     --rtt 80ms --rate 20Mbps [--loss 0.5%] [--jitter] [--data 64KiB] [--chain 16KB] [--window 10] [--samples N]
        [--open N] [--link netem]
        one table: what it would cost over such a link
check   [--grid ...] [--link netem] [--fault rate=0.95,delay=1.02,loss=0.8,jitter=1.2]
        the emulated link alone; a fault is a mistake of the link, made on purpose to see it found
shape   [--out FOLDER]
        whether samples of the grid `short` have the shape that they must have
pack    [--out FOLDER]
        writes samples.csv.gz
report  [--out FOLDER] [--page FILE]
        the page";

struct Options {
    command: String,
    grid: Option<String>,
    quick: bool,
    samples: Option<Vec<u32>>,
    out: Option<PathBuf>,
    page: Option<PathBuf>,
    fault: Fault,
    rtt: Option<u64>,
    rate: Option<u64>,
    loss: u32,
    jitter: bool,
    data: u32,
    chain: u32,
    window: u32,
    open: usize,
    link: link::Emulator,
}

fn options() -> Result<Options> {
    let mut options = Options {
        command: String::new(),
        grid: None,
        quick: false,
        samples: None,
        out: None,
        page: None,
        fault: Fault::default(),
        rtt: None,
        rate: None,
        loss: 0,
        jitter: false,
        data: 64 * 1024,
        chain: grid::KB16,
        window: 10,
        open: run::OPEN,
        link: link::Emulator::Loop,
    };
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        let Arg::Long(name) = argument else {
            match argument {
                Arg::Value(value) if options.command.is_empty() => options.command = value.string()?,
                other => return Err(other.unexpected().into()),
            }
            continue;
        };
        let name = name.to_owned();
        match &*name {
            "quick" => options.quick = true,
            "jitter" => options.jitter = true,
            "help" => {
                println!("{HELP}");
                std::process::exit(0);
            }
            "client-peer" | "server-peer" => options.command = name,
            _ => {
                let value = parser.value()?.string()?;
                match &*name {
                    "grid" => options.grid = Some(value),
                    "samples" => {
                        let numbers: Result<_, _> = value.split(',').map(str::parse).collect();
                        options.samples = Some(numbers.context("--samples N or N,N")?);
                    }
                    "out" => options.out = Some(value.into()),
                    "page" => options.page = Some(value.into()),
                    "fault" => options.fault = fault(&value)?,
                    "rtt" => options.rtt = Some(units::duration(&value)?),
                    "rate" => options.rate = Some(units::rate(&value)?),
                    "loss" => options.loss = units::loss(&value)?,
                    "data" => options.data = units::size(&value)?,
                    "chain" => options.chain = if value == "rsa" { 0 } else { units::size(&value)? },
                    "link" => {
                        options.link = match &*value {
                            "loop" => link::Emulator::Loop,
                            "netem" => link::Emulator::Netem,
                            _ => bail!("--link loop or --link netem"),
                        }
                    }
                    "open" => options.open = value.parse().context("--open N")?,
                    "window" => options.window = value.parse().context("--window N")?,
                    _ => bail!("unknown option --{name}"),
                }
            }
        }
    }
    Ok(options)
}

fn fault(text: &str) -> Result<Fault> {
    let mut fault = Fault::default();
    for part in text.split(',') {
        let (name, factor) = part.split_once('=').context("--fault NAME=FACTOR")?;
        let factor = factor.parse().context("--fault NAME=FACTOR")?;
        match name {
            "rate" => fault.rate = factor,
            "delay" => fault.delay = factor,
            "loss" => (fault.loss_up, fault.loss_down) = (factor, factor),
            "loss-up" => fault.loss_up = factor,
            "loss-down" => fault.loss_down = factor,
            "jitter" => fault.jitter = factor,
            _ => bail!("no fault is called {name}"),
        }
    }
    Ok(fault)
}

/// Where samples are kept that nobody asked to be kept elsewhere.
fn target(name: &str) -> PathBuf {
    here().join("target/ttlb").join(name)
}

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn main() -> ExitCode {
    match main_result() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn main_result() -> Result<ExitCode> {
    let options = options()?;
    // Thousands of connections are open at once.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    match &*options.command {
        "client-peer" => peer::client()?,
        "server-peer" => peer::server()?,
        "run" | "check" => {
            netns::become_root()?;
            netns::requirements()?;
            machine::short_turns();
            return measure(&options);
        }
        "pack" => {
            let path = store::pack(&folder(&options, "figures"))?;
            println!("{} bytes in {}", std::fs::metadata(&path)?.len(), path.display());
        }
        "shape" => {
            if !shape::check(&folder(&options, "short"))? {
                return Ok(ExitCode::FAILURE);
            }
        }
        "report" => {
            let page = options.page.clone().unwrap_or_else(|| target("report.html"));
            report::write(&folder(&options, "figures"), &here().join("../peers/results"), &page)?;
            println!("{} bytes in {}", std::fs::metadata(&page)?.len(), page.display());
        }
        "" | "help" => println!("{HELP}"),
        other => bail!("there is no command `{other}`\n{HELP}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Where samples are.
fn folder(options: &Options, name: &str) -> PathBuf {
    options.out.clone().unwrap_or_else(|| target(if options.quick { "quick" } else { name }))
}

fn measure(options: &Options) -> Result<ExitCode> {
    let custom = options.rtt.is_some() || options.rate.is_some();
    let (name, groups): (&str, Vec<Group>) = if custom {
        let rtt = options.rtt.context("--rate without --rtt")?;
        let rate = options.rate.context("--rtt without --rate")?;
        let shape = grid::Shape { rtt, rate, loss: options.loss, jitter: options.jitter };
        ("custom", grid::custom(options.window, shape, options.chain, options.data))
    } else {
        let name = options.grid.as_deref().unwrap_or("figures");
        (name, grid::named(name)?)
    };
    if options.command == "check" {
        let (chains, windows) = grid::chains_and_windows(&groups)?;
        let mut lab = lab::Lab::new(&chains[..1], &windows, options.fault, options.link)?;
        let findings = run::checked(&mut lab, &groups, windows[0])?;
        let failed = findings.iter().filter(|finding| !finding.holds()).count();
        println!("{} of {} hold", findings.len() - failed, findings.len());
        return Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let wanted = match options.samples.as_deref() {
        Some(&[both]) => Wanted { loss_free: both, lossy: both },
        Some(&[loss_free, lossy]) => Wanted { loss_free, lossy },
        Some(_) => bail!("--samples N or N,N"),
        None if options.quick => Wanted { loss_free: 40, lossy: 120 },
        None if custom => Wanted { loss_free: 100, lossy: 1000 },
        None => Wanted { loss_free: 1000, lossy: 3000 },
    };
    let folder = folder(options, name);
    if custom && options.out.is_none() {
        // Another question each time.
        let _ = std::fs::remove_dir_all(&folder);
    }
    run::run(&folder, name, &groups, wanted, options.fault, options.open, options.link)?;
    let samples = store::load(&folder)?;
    if custom {
        run::table(&samples, &groups);
    }
    let (model, points, departures) = report::figures::model(&samples);
    println!(
        "{departures} of {points} points without loss depart from the model of slow start by more than 3 %"
    );
    for row in model.rows.iter().filter(|row| row.iter().any(|cell| cell.contains("departs"))) {
        println!("  {}", row.join("  "));
    }
    println!("samples are in {}", folder.display());
    Ok(ExitCode::SUCCESS)
}
