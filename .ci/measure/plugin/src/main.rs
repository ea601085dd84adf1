//! `table PLUGIN DIRECTORY kernels|operations CPU,... EMULATOR... GUEST`: runs the guest under the emulator and prints
//! the instructions of every region, and the cycles that llvm-mca takes them to need on the CPUs.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs a program on some input; its output.
fn run(program: &str, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the output");
    let _ = writer.join();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What LLVM is told of an architecture.
#[derive(Clone, Copy)]
struct Architecture {
    triple: &'static str,
    /// For the disassembler and for llvm-mca.
    features: [&'static str; 2],
}

const AARCH64: Architecture =
    Architecture { triple: "-triple=aarch64", features: ["-mattr=+v9.4a,+sha3", "-mattr=+sha3"] };
const RISCV64: Architecture = {
    const FEATURES: &str = "-mattr=+m,+a,+f,+d,+c,+v,+zba,+zbb,+zbs";
    Architecture { triple: "-triple=riscv64", features: [FEATURES; 2] }
};

/// A trace as assembly that llvm-mca takes: taken branches are as good as none, for they are all predicted.
fn assembly(trace: &str, architecture: Architecture) -> String {
    let text = run("llvm-mc-22", &["--disassemble", architecture.triple, architecture.features[0]], trace);
    let mut out = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('.')) {
        let operation = line.split_whitespace().next().unwrap_or_default();
        match operation {
            "b" | "bl" => out.push_str(&format!("{operation} .\n")),
            "ret" | "br" | "blr" | "hint" | "bti" | "paciasp" | "autiasp" | "mrs" => (),
            "jr" | "jalr" | "ecall" => (),
            _ if operation.starts_with("b.") => out.push_str(&format!("{operation} .\n")),
            "cbz" | "cbnz" | "tbz" | "tbnz" => {
                let (front, _) = line.rsplit_once(',').unwrap_or((line, ""));
                out.push_str(&format!("{front}, .\n"));
            }
            "adrp" | "adr" => {
                let (front, _) = line.rsplit_once(',').unwrap_or((line, ""));
                out.push_str(&format!("{front}, 0\n"));
            }
            _ => out.push_str(&format!("{line}\n")),
        }
    }
    out
}

/// Cycles that the code takes when it is run over and over.
fn cycles(code: &str, architecture: Architecture, cpu: &str) -> Option<u64> {
    let total = |iterations: &str| -> Option<u64> {
        let cpu = format!("-mcpu={cpu}");
        let iterations = format!("-iterations={iterations}");
        let [triple, features] = [architecture.triple.replace("-t", "-mt"), architecture.features[1].into()];
        let options = [&triple, &features, &cpu, &iterations, "-instruction-info=0"];
        let report = run(
            "llvm-mca-22",
            &[&options[..], &["-resource-pressure=0", "-skip-unsupported-instructions=any"]].concat(),
            code,
        );
        let line = report.lines().find(|line| line.starts_with("Total Cycles:"))?;
        line.split_whitespace().last()?.parse().ok()
    };
    // Of a whole operation, beginning and end do not count for much.
    if code.lines().count() > 50_000 {
        return total("1");
    }
    Some((total("4")? - total("1")?).div_ceil(3))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [plugin, directory, what, cpus, emulator @ .., guest] = &arguments[..] else {
        panic!("table PLUGIN DIRECTORY kernels|operations CPU,... EMULATOR... GUEST");
    };
    let architecture = if emulator[0].ends_with("riscv64") { RISCV64 } else { AARCH64 };
    let cpus: Vec<&str> = cpus.split(',').filter(|cpu| !cpu.is_empty()).collect();
    fs::create_dir_all(directory).expect("a directory for traces");
    let counts = format!("{directory}/counts");
    let trace = if cpus.is_empty() { String::new() } else { format!(",trace={directory}") };
    let output = Command::new(&emulator[0])
        .args(["-plugin", &format!("{plugin},counts={counts}{trace}")])
        .args(&emulator[1..])
        .args([guest, what])
        .stderr(Stdio::inherit())
        .output()
        .expect("the emulator");
    assert!(output.status.success(), "the guest failed");
    let names = String::from_utf8(output.stdout).expect("names");
    let names = names.lines().filter(|line| !line.starts_with("SKIPPED"));
    let counts = fs::read_to_string(counts).expect("the counts");
    let counts: Vec<u64> = counts.lines().map(|line| line.parse().expect("a number")).collect();
    let mut names: Vec<&str> = names.collect();
    assert_eq!(names.len(), counts.len(), "a name for every region");

    print!("{:<12} {:<28} {:>12}", "backend", "operation", "instructions");
    cpus.iter().for_each(|cpu| print!(" {cpu:>12}"));
    println!();
    let mut sums = BTreeMap::new();
    for (index, (name, count)) in names.drain(..).zip(&counts).enumerate().skip(1) {
        let (group, operation) = name.split_once(' ').expect("a group and a name");
        let count = count - counts[0];
        print!("{group:<12} {operation:<28} {count:>12}");
        if !cpus.is_empty() {
            let trace = fs::read_to_string(format!("{directory}/{index}")).expect("a trace");
            let code = assembly(&trace, architecture);
            for cpu in &cpus {
                match cycles(&code, architecture, cpu) {
                    Some(cycles) => print!(" {cycles:>12}"),
                    None => print!(" {:>12}", "?"),
                }
            }
        }
        println!();
        *sums.entry(group).or_insert(0) += count;
    }
    if what == "operations" {
        for (group, sum) in sums {
            println!("{group:<12} {:<28} {sum:>12}", "sum");
        }
    }
}
