//! What says how fast an order is: this machine, or llvm-mca's models of others.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use crate::measure::{Code, Data, function, ticks_per_cycle};
use crate::step::{Encoding, Step};
use crate::units::Unit;

pub enum Judge {
    /// This machine, and a folder for what is assembled.
    Here(PathBuf, Box<Data>),
    /// A model by LLVM's name.
    Core(String),
    /// What counts is the mean.
    Several(Vec<Judge>),
}

/// The program in the version whose figures are quoted.
const MCA: &str = "llvm-mca-22";

impl Judge {
    /// A folder of its own for temporary files.
    pub fn here() -> Self {
        let folder = std::env::temp_dir().join(format!("reorder-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for temporary files");
        Self::Here(folder, Box::new(Data::new()))
    }

    /// Stops unless the machine code, where it can run, permutes as the plain rounds do.
    pub fn confirm(&mut self, unit: Unit, steps: &[Step]) {
        match self {
            Self::Here(folder, data) => {
                for encoding in unit.encodings() {
                    let code = Code::new(&[function(unit, *encoding, steps)], folder);
                    assert!(code.permutes(0, unit, *encoding, data), "the machine code is not Keccak's");
                }
            }
            Self::Core(_) => (),
            Self::Several(judges) => judges.iter_mut().for_each(|judge| judge.confirm(unit, steps)),
        }
    }

    /// By names of cores, and `here`.
    pub fn named(names: &[String]) -> Self {
        let one = |name: &String| if name == "here" { Self::here() } else { Self::Core(name.clone()) };
        match names {
            [name] => one(name),
            _ => Self::Several(names.iter().map(one).collect()),
        }
    }

    /// Core cycles of a round of each, the more exact the more `care`: the mean of the unit's encodings. Models need no care.
    pub fn cycles(&mut self, unit: Unit, orders: &[Vec<Step>], care: usize) -> Vec<f64> {
        let encodings = unit.encodings();
        let mut sums = vec![0.0; orders.len()];
        for encoding in encodings {
            let cycles = self.encoded(unit, *encoding, orders, care);
            sums.iter_mut().zip(cycles).for_each(|(sum, cycles)| *sum += cycles / encodings.len() as f64);
        }
        sums
    }

    /// The same with one encoding.
    pub fn encoded(&mut self, unit: Unit, encoding: Encoding, orders: &[Vec<Step>], care: usize) -> Vec<f64> {
        match self {
            Self::Here(folder, data) => {
                let functions: Vec<String> =
                    orders.iter().map(|steps| function(unit, encoding, steps)).collect();
                let ticks = Code::new(&functions, folder).times(care, data);
                let each = 24.0 * ticks_per_cycle();
                ticks.into_iter().map(|ticks| ticks / each).collect()
            }
            Self::Core(core) => modelled(encoding, core, orders),
            Self::Several(judges) => {
                let mut sums = vec![0.0; orders.len()];
                let count = judges.len() as f64;
                for judge in judges {
                    let cycles = judge.encoded(unit, encoding, orders, care);
                    sums.iter_mut().zip(cycles).for_each(|(sum, cycles)| *sum += cycles / count);
                }
                sums
            }
        }
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        if let Self::Here(folder, _) = self {
            // What is left behind is in the system's folder for temporary files.
            _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// Cycles of a round by a model of x86-64.
fn modelled(encoding: Encoding, core: &str, orders: &[Vec<Step>]) -> Vec<f64> {
    let round = |steps: &Vec<Step>| -> String {
        steps.iter().map(|step| step.assembly(encoding) + "\n").collect::<String>()
            + "add rdx, 8\ncmp rdx, rcx\n"
    };
    let rounds: Vec<String> = orders.iter().map(round).collect();
    mca("x86_64", core, &["-x86-asm-syntax=intel"], &rounds, "jne round")
}

/// Cycles of rounds that a branch repeats, by a model: what further rounds take beyond the first ones.
pub fn mca(target: &str, core: &str, options: &[&str], rounds: &[String], branch: &str) -> Vec<f64> {
    let mut text = String::new();
    for (i, round) in rounds.iter().enumerate() {
        let mark = if target == "aarch64" { "//" } else { "#" };
        let (begin, end) = (format!("{mark} LLVM-MCA-BEGIN {i}"), format!("{mark} LLVM-MCA-END"));
        writeln!(text, "{begin}\nround{i}:\n{round}{branch}{i}\n{end}").expect("a string");
    }
    let path = std::env::temp_dir().join(format!("reorder-{}.s", std::process::id()));
    std::fs::write(&path, text).expect("a file in the temporary folder");
    let total = |repeated: u32| -> Vec<f64> {
        let mut mca = Command::new(MCA);
        mca.args(["-instruction-info=0", "-resource-pressure=0"]).args(options);
        mca.arg(format!("-mtriple={target}")).arg(format!("-mcpu={core}"));
        let output = mca.arg(format!("-iterations={repeated}")).arg(&path).output();
        let output = output.unwrap_or_else(|error| panic!("{MCA}: {error}"));
        assert!(output.status.success(), "{MCA}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        let totals = text.lines().filter_map(|line| line.strip_prefix("Total Cycles:"));
        totals.map(|cycles| cycles.trim().parse().expect("a number")).collect()
    };
    let (few, many) = (total(8), total(24));
    _ = std::fs::remove_file(&path);
    assert!(few.len() == rounds.len() && many.len() == rounds.len(), "{MCA} has left something out");
    few.iter().zip(many).map(|(few, many)| (many - few) / 16.0).collect()
}
