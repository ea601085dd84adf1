//! What is to be known of the machine, and whether it is quiet.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

fn first_line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// The version that a line of a manifest names after these words.
fn version<'a>(manifest: &'a str, words: &str) -> &'a str {
    let rest = manifest.lines().find_map(|line| line.strip_prefix(words));
    rest.and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

/// The one version of a crate that this program is built with.
fn pinned(name: &str) -> &'static str {
    version(include_str!("../Cargo.toml"), &format!("{name} = {{ version = \"="))
}

/// Processor, kernel, compiler and libraries.
pub fn description() -> Value {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or_default().trim().to_owned()
    };
    json!({
        "processor": field("model name"),
        "family": field("cpu family"),
        "model": field("model\t"),
        "cores": thread::available_parallelism().map_or(1, usize::from),
        "virtual": cpuinfo.contains(" hypervisor"),
        "kernel": first_line("/proc/sys/kernel/osrelease").split('-').next().unwrap_or_default(),
        "architecture": std::env::consts::ARCH,
        "rustc": output("rustc", &["--version"]),
        "iproute2": output("ip", &["-V"]),
        "rustls": pinned("rustls"),
        "aws-lc-rs": pinned("aws-lc-rs"),
        "kemstone": version(include_str!("../../../Cargo.toml"), "version = \""),
        "load": first_line("/proc/loadavg"),
    })
}

/// Ticks of all processors: all, and those spent idle.
fn ticks() -> (u64, u64) {
    let line = first_line("/proc/stat");
    let fields: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    (fields.iter().take(8).sum(), fields.get(3).unwrap_or(&0) + fields.get(4).unwrap_or(&0))
}

/// What speaks against measuring now; looks for a second.
pub fn busy_warnings() -> Vec<String> {
    let (all, idle) = ticks();
    thread::sleep(Duration::from_secs(1));
    let (all_after, idle_after) = ticks();
    let share = 1.0 - (idle_after - idle) as f64 / ((all_after - all).max(1)) as f64;
    if share > 0.2 {
        return vec![format!(
            "other programs use {:.0} % of the processors now: expect disturbed samples",
            share * 100.0
        )];
    }
    Vec::new()
}

/// Asks for short turns on a processor for this thread and all that it starts. The share of the processor stays what it is, but
/// from Linux 6.12 on a thread of short turns that wakes up waits less for others. Elsewhere nothing changes, and the samples
/// show how long threads waited.
pub fn short_turns() {
    /// `struct sched_attr` of Linux, in its first version.
    #[repr(C)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        /// Nanoseconds of a turn; the kernel takes no less than 0.1 ms.
        runtime: u64,
        deadline: u64,
        period: u64,
    }
    const TURN: u64 = 100_000;
    // SAFETY: the call takes no pointer.
    let nice = unsafe { nix::libc::getpriority(nix::libc::PRIO_PROCESS, 0) };
    let size = size_of::<Attributes>() as u32;
    let policy = nix::libc::SCHED_OTHER as u32;
    let attributes =
        Attributes { size, policy, flags: 0, nice, priority: 0, runtime: TURN, deadline: 0, period: 0 };
    // SAFETY: the kernel reads `size` bytes through the pointer, which are those of `attributes`; it writes none.
    unsafe { nix::libc::syscall(nix::libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_manifests() {
        let known = description();
        for name in ["rustls", "aws-lc-rs", "kemstone"] {
            let version = known[name].as_str().expect("a version");
            assert_eq!(version.split('.').count(), 3, "{name} {version}");
            assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{name} {version}");
        }
    }
}
