//! Samples on disk: a CSV file that only grows, and what is to be known of the machine beside it.
//!
//! A sample is one line, written whole by one call. A run that is killed loses at most the lines not yet written, whose
//! samples are then missing and taken again; half a line at the end is cut off when the file is opened. A lock keeps a second
//! run out. So no sample is lost or in the file twice.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use nix::fcntl::{Flock, FlockArg};
use serde_json::Value;

use crate::grid::{self, Point};

/// One connection. Times in microseconds from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    pub index: u32,
    /// 1: the first; each one before was disturbed by the machine and taken again.
    pub attempt: u32,
    /// Took longer than [`crate::peer::TIMEOUT`]: its times have no meaning but "longer".
    pub timeout: bool,
    pub connect: u32,
    pub handshake: u32,
    pub last: u32,
    /// Bytes of IP packets from and to the client.
    pub up: u32,
    pub down: u32,
    /// Packets lost on the link and dropped by its queues, both directions.
    pub lost: u32,
    pub dropped: u32,
    /// Segments with bytes that had been sent before.
    pub resent: u32,
    /// How long both peers' threads and the link's waited for a processor, and how late the link's latest packet was, together.
    pub disturbed: u32,
}

pub const COLUMNS: &str = "index,attempt,status,connect_us,handshake_us,last_us,up_bytes,down_bytes,lost,dropped,resent,disturbed_us";

pub fn header() -> String {
    format!("{},{COLUMNS}\n", grid::COLUMNS)
}

pub fn line(point: &Point, sample: &Sample) -> String {
    let Sample {
        index,
        attempt,
        timeout,
        connect,
        handshake,
        last,
        up,
        down,
        lost,
        dropped,
        resent,
        disturbed,
    } = sample;
    let status = if *timeout { "timeout" } else { "ok" };
    format!(
        "{point},{index},{attempt},{status},{connect},{handshake},{last},{up},{down},{lost},{dropped},{resent},{disturbed}\n"
    )
}

fn parse(line: &str) -> Result<(Point, Sample)> {
    let columns = grid::COLUMNS.split(',').count();
    let end = line.match_indices(',').nth(columns - 1).context("too few columns")?.0;
    let fields: Vec<_> = line[end + 1..].split(',').collect();
    ensure!(fields.len() == COLUMNS.split(',').count(), "{} columns", fields.len());
    let number = |n: usize| fields[n].parse::<u32>().with_context(|| format!("`{}`", fields[n]));
    let sample = Sample {
        index: number(0)?,
        attempt: number(1)?,
        timeout: match fields[2] {
            "ok" => false,
            "timeout" => true,
            other => bail!("status `{other}`"),
        },
        connect: number(3)?,
        handshake: number(4)?,
        last: number(5)?,
        up: number(6)?,
        down: number(7)?,
        lost: number(8)?,
        dropped: number(9)?,
        resent: number(10)?,
        disturbed: number(11)?,
    };
    Ok((line[..end].parse()?, sample))
}

pub type Samples = BTreeMap<Point, Vec<Sample>>;

/// Reads `samples.csv`, or `samples.csv.gz` where there is no other.
pub fn load(folder: &Path) -> Result<Samples> {
    let plain = folder.join("samples.csv");
    let mut text = String::new();
    if plain.exists() {
        File::open(&plain)?.read_to_string(&mut text)?;
    } else {
        let packed = folder.join("samples.csv.gz");
        let file = File::open(&packed).with_context(|| format!("{}", packed.display()))?;
        GzDecoder::new(file).read_to_string(&mut text)?;
    }
    samples(&text)
}

/// The samples of a text that begins with the header.
fn samples(text: &str) -> Result<Samples> {
    let rest = text.strip_prefix(&header()).context("the file has other columns")?;
    let mut all = Samples::new();
    let mut seen = HashSet::new();
    for (n, text) in rest.lines().enumerate() {
        let (point, sample) = parse(text).with_context(|| format!("line {}: {text}", n + 2))?;
        ensure!(
            seen.insert((point, sample.index)),
            "line {}: sample {} of {point} is there twice",
            n + 2,
            sample.index
        );
        all.entry(point).or_default().push(sample);
    }
    Ok(all)
}

/// Writes `samples.csv.gz`: sorted, so that it is the same for the same samples and compresses well.
pub fn pack(folder: &Path) -> Result<PathBuf> {
    let all = load(folder)?;
    let path = folder.join("samples.csv.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(header().as_bytes())?;
    for (point, mut samples) in all {
        samples.sort_by_key(|sample| sample.index);
        for sample in samples {
            packed.write_all(line(&point, &sample).as_bytes())?;
        }
    }
    fs::write(&path, packed.finish()?)?;
    Ok(path)
}

pub struct Store {
    folder: PathBuf,
    file: File,
    /// The samples that the file has.
    pub samples: Samples,
    _lock: Flock<File>,
}

impl Store {
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock)
            .map_err(|_| anyhow::anyhow!("another run writes to {}", folder.display()))?;
        let path = folder.join("samples.csv");
        if !path.exists() && folder.join("samples.csv.gz").exists() {
            // A run that was kept goes on as well.
            let all = load(folder)?;
            let mut text = header();
            for (point, samples) in &all {
                samples.iter().for_each(|sample| text.push_str(&line(point, sample)));
            }
            let temporary = folder.join("samples.csv.new");
            fs::write(&temporary, text)?;
            fs::rename(temporary, &path)?;
        }
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).append(true).open(&path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64)?;
            text.truncate(whole);
        }
        if text.is_empty() {
            text = header();
            file.write_all(text.as_bytes())?;
        }
        let samples = samples(&text).with_context(|| format!("{}", path.display()))?;
        Ok(Self { folder: folder.to_owned(), file, samples, _lock: lock })
    }

    /// Which of the samples 0 to `count` - 1 of a point are missing.
    pub fn missing(&self, point: &Point, count: u32) -> Vec<u32> {
        let there: HashSet<_> =
            self.samples.get(point).into_iter().flatten().map(|sample| sample.index).collect();
        (0..count).filter(|index| !there.contains(index)).collect()
    }

    /// Drops the samples that `keep` does not want, so that they are missing; returns how many. The file is replaced as a whole.
    pub fn retain(&mut self, keep: impl Fn(&Point, &Sample) -> bool) -> Result<usize> {
        let mut dropped = 0;
        let mut text = header();
        for (point, samples) in &mut self.samples {
            let before = samples.len();
            samples.retain(|sample| keep(point, sample));
            dropped += before - samples.len();
            samples.iter().for_each(|sample| text.push_str(&line(point, sample)));
        }
        if dropped > 0 {
            let path = self.folder.join("samples.csv");
            let temporary = self.folder.join("samples.csv.new");
            fs::write(&temporary, text)?;
            fs::rename(temporary, &path)?;
            self.file = OpenOptions::new().append(true).open(&path)?;
        }
        Ok(dropped)
    }

    pub fn add(&mut self, samples: &[(Point, Sample)]) -> Result<()> {
        let text: String = samples.iter().map(|(point, sample)| line(point, sample)).collect();
        self.file.write_all(text.as_bytes())?;
        for (point, sample) in samples {
            self.samples.entry(*point).or_default().push(*sample);
        }
        Ok(())
    }

    /// `run.json`, replaced as a whole.
    pub fn describe(&self, value: &Value) -> Result<()> {
        let path = self.folder.join("run.json");
        let temporary = self.folder.join("run.json.new");
        fs::write(&temporary, format!("{value:#}\n"))?;
        Ok(fs::rename(temporary, path)?)
    }
}

pub fn description(folder: &Path) -> Result<Value> {
    let path = folder.join("run.json");
    let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{CLASSICAL, FAR_SLOW, point};

    fn sample(index: u32) -> Sample {
        Sample {
            index,
            attempt: 1,
            timeout: index == 3,
            connect: 200_000 + index,
            handshake: 416_000,
            last: 2_334_000,
            up: 900,
            down: 4000,
            lost: index % 2,
            dropped: 0,
            resent: 1,
            disturbed: 12,
        }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("kemstone-ttlb-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    /// A run is killed after every number of bytes that it may have written, and taken up again: each sample is there once.
    #[test]
    fn killed_at_any_byte() {
        let folder = folder("killed");
        let (a, b) = (point(CLASSICAL, 20, FAR_SLOW, 0), point(CLASSICAL, 10, FAR_SLOW, 1024));
        let whole: String =
            header() + &(0..3).flat_map(|n| [line(&a, &sample(n)), line(&b, &sample(n))]).collect::<String>();
        for cut in 0..=whole.len() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("samples.csv"), &whole[..cut]).unwrap();
            if (1..header().len()).contains(&cut) {
                // Half a header: as if there was nothing.
                assert!(Store::open(&folder).unwrap().samples.is_empty());
            }
            let mut store = Store::open(&folder).unwrap();
            let lines = whole[..cut].matches('\n').count().saturating_sub(1);
            assert_eq!(store.samples.values().map(Vec::len).sum::<usize>(), lines);
            for point in [a, b] {
                for index in store.missing(&point, 5) {
                    store.add(&[(point, sample(index))]).unwrap();
                }
            }
            drop(store);
            let all = load(&folder).unwrap();
            for point in [a, b] {
                let mut samples = all[&point].clone();
                samples.sort_by_key(|sample| sample.index);
                assert_eq!(samples, (0..5).map(sample).collect::<Vec<_>>());
            }
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn one_run_at_a_time() {
        let folder = folder("locked");
        let first = Store::open(&folder).unwrap();
        assert!(Store::open(&folder).is_err());
        drop(first);
        assert!(Store::open(&folder).is_ok());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_sample_twice_is_an_error() {
        let point = point(CLASSICAL, 20, FAR_SLOW, 0);
        let text = header() + &line(&point, &sample(1)) + &line(&point, &sample(1));
        assert!(samples(&text).is_err());
        assert!(samples("other,columns\n").is_err());
    }

    #[test]
    fn dropped_samples_are_missing_and_taken_again() {
        let folder = folder("dropped");
        let point = point(CLASSICAL, 20, FAR_SLOW, 0);
        let mut store = Store::open(&folder).unwrap();
        store.add(&[(point, sample(0)), (point, sample(1)), (point, sample(2))]).unwrap();
        assert_eq!(store.retain(|_, sample| sample.index != 1).unwrap(), 1);
        assert_eq!(store.missing(&point, 3), [1]);
        store.add(&[(point, sample(1))]).unwrap();
        drop(store);
        assert_eq!(load(&folder).unwrap()[&point], [sample(0), sample(2), sample(1)]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn packed_samples_are_the_same() {
        let folder = folder("packed");
        let point = point(CLASSICAL, 20, FAR_SLOW, 0);
        let mut store = Store::open(&folder).unwrap();
        store.add(&[(point, sample(1)), (point, sample(0))]).unwrap();
        drop(store);
        pack(&folder).unwrap();
        fs::remove_file(folder.join("samples.csv")).unwrap();
        assert_eq!(load(&folder).unwrap()[&point], [sample(0), sample(1)]);
        assert_eq!(Store::open(&folder).unwrap().missing(&point, 3), [2]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
