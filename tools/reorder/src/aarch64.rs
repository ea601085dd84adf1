//! The listing of `aarch64/rounds.rs`, whose order is written there by hand: it is one for general registers and for vectors. This
//! reads it, checks it on random states with both, and looks for an order of the same steps on the same registers that models of
//! cores like better.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::judge::mca;
use crate::keccak::{State, round};

/// A step: its name and its words, `xor` and `c1 = 11, 1, 47` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    name: String,
    words: Vec<String>,
}

/// What runs the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Scalar,
    Neon,
    Sha3,
}

/// The units of the kernel: each step is done by one part, or by two in turn.
pub const UNITS: [(&str, &[Part]); 5] = [
    ("scalar", &[Part::Scalar]),
    ("neon", &[Part::Neon]),
    ("sha3", &[Part::Sha3]),
    ("scalar_neon", &[Part::Neon, Part::Scalar]),
    ("scalar_sha3", &[Part::Sha3, Part::Scalar]),
];

pub struct Listing {
    pub lines: Vec<Line>,
    /// The registers of lanes and sums by their names, and how far lanes are rotated between rounds.
    general: HashMap<String, String>,
    vector: HashMap<String, String>,
    frames: [u32; 25],
}

impl Listing {
    pub fn read(text: &str) -> Result<Self, String> {
        let (mut lines, mut frames) = (Vec::new(), [0; 25]);
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("$unit!(")) {
            let inside = line.split(')').next().unwrap_or("");
            let words: Vec<String> =
                inside.split([' ', ',', '=']).filter(|word| !word.is_empty()).map(String::from).collect();
            let (name, words) = words.split_first().ok_or("a step without a name")?;
            let number = |i: usize| words.get(i).and_then(|word: &String| word.parse::<usize>().ok());
            match &name[..] {
                "load" => {
                    let (lane, frame) = (number(0).filter(|lane| *lane < 25), number(1));
                    frames[lane.ok_or("which lane?")?] = frame.ok_or("which frame?")? as u32;
                }
                "enter" | "begin" | "leave" | "store" | "end" => (),
                _ => lines.push(Line { name: name.clone(), words: words.to_vec() }),
            }
        }
        let registers = |marker: &str| -> Result<HashMap<String, String>, String> {
            let (_, body) = text.split_once(&format!("macro_rules! {marker} {{")).ok_or("no such macro")?;
            let body = body.split("\n}\n").next().unwrap_or("");
            let mut found: HashMap<String, String> = HashMap::new();
            for entry in body.split(';') {
                let Some((name, register)) = entry.trim().split_once(") => { ") else { continue };
                let name = name.trim_start_matches('(').to_string();
                let register = register.trim_end_matches(" }").trim_matches('"');
                let other = register.split(['(', ')']).nth(1).map(|other| found.get(other).cloned());
                let register = other.flatten().unwrap_or_else(|| register.into());
                found.insert(name, register);
            }
            (0..25).for_each(|lane| {
                found.entry(lane.to_string()).or_insert_with(|| format!("{marker}{lane}"));
            });
            Ok(found)
        };
        Ok(Self { lines, general: registers("x")?, vector: registers("v")?, frames })
    }

    /// What a part makes of a step: instructions by their mnemonic, the register that is written, those that are read, and a
    /// number.
    fn instructions(&self, part: Part, line: &Line) -> Vec<(&'static str, String, Vec<String>, u32)> {
        let registers = if part == Part::Scalar { &self.general } else { &self.vector };
        let word = |i: usize| line.words.get(i).map_or("", |word| &word[..]);
        let r = |name: &str| registers.get(name).cloned().unwrap_or_else(|| format!("?{name}"));
        let at = |i: usize| r(word(i));
        let n = |i: usize| word(i).parse().unwrap_or(0);
        let d0 = || r("d0");
        let shift = |to: String, from: String, rho: u32| {
            vec![("shl", to.clone(), vec![from.clone()], rho), ("sri", to.clone(), vec![to, from], 64 - rho)]
        };
        match (part, &line.name[..]) {
            (Part::Scalar, "xor" | "rotate_in") => vec![("eor", at(0), vec![at(1), at(2)], n(3))],
            (Part::Scalar, "and_not") => vec![("bic", at(0), vec![at(1), at(2)], n(3))],
            (Part::Scalar, "add") => vec![("eor", at(0), vec![d0(), at(0)], n(1))],
            (Part::Scalar, "park") => vec![("park", "parked".into(), vec![at(0)], 0)],
            (Part::Scalar, "unpark") => vec![("unpark", at(0), vec!["parked".into()], 0)],
            (Part::Scalar, "move") => vec![("mov", at(0), vec![at(1)], 0)],
            (Part::Scalar, "turn") => vec![("eor", at(0), vec![at(2), at(1)], n(3))],
            (Part::Scalar, "iota") => vec![("iota", r("0"), vec![r("0")], 0)],
            (_, "xor") => vec![("eor", at(0), vec![at(1), at(2)], 0)],
            (_, "and_not") => vec![("bic", at(0), vec![at(1), at(2)], 0)],
            (Part::Sha3, "rotate_in") => vec![("rax1", at(0), vec![at(1), at(2)], 0)],
            (_, "rotate_in") => vec![
                ("add", d0(), vec![at(2), at(2)], 0),
                ("sri", d0(), vec![d0(), at(2)], 63),
                ("eor", at(0), vec![at(1), d0()], 0),
            ],
            (_, "add") => vec![("eor", at(0), vec![at(0), d0()], 0)],
            (_, "move") => shift(at(0), at(1), n(2)),
            (Part::Sha3, "turn") => vec![("xar", at(0), vec![at(1), at(2)], 64 - n(4))],
            (_, "turn") => {
                let mut all = vec![("eor", at(1), vec![at(1), at(2)], 0)];
                all.extend(shift(at(0), at(1), n(4)));
                all
            }
            (_, "iota") => vec![("iota", r("0"), vec![r("0")], 0)],
            _ => vec![],
        }
    }

    /// Runs the steps on random states by general registers and by vectors, and compares with the round.
    pub fn check(&self, seed: u64) -> Result<(), String> {
        let mut random = fastrand::Rng::with_seed(seed);
        for turn in 0..64 {
            let state: State = std::array::from_fn(|_| random.u64(..));
            let constant = random.u64(..);
            for part in [Part::Scalar, Part::Neon, Part::Sha3] {
                let names = if part == Part::Scalar { &self.general } else { &self.vector };
                let frame = |lane: usize| if part == Part::Scalar { self.frames[lane] } else { 0 };
                let mut values: HashMap<String, u64> = HashMap::new();
                for lane in 0..25 {
                    values.insert(names[&lane.to_string()].clone(), state[lane].rotate_right(frame(lane)));
                }
                for line in &self.lines {
                    for (mnemonic, to, reads, n) in self.instructions(part, line) {
                        let read = |i: usize| {
                            let value = reads.get(i).and_then(|read| values.get(read)).copied();
                            value.ok_or_else(|| {
                                format!("{}: {reads:?} is read before it is written", line.name)
                            })
                        };
                        let value = match mnemonic {
                            "eor" => read(0)? ^ read(1)?.rotate_right(n),
                            "bic" => read(0)? & !read(1)?.rotate_right(n),
                            "mov" | "park" | "unpark" => read(0)?,
                            "add" => read(0)?.wrapping_add(read(1)?),
                            "shl" => read(0)? << n,
                            "sri" => (read(0)? & !(u64::MAX >> n)) | (read(1)? >> n),
                            "rax1" => read(0)? ^ read(1)?.rotate_left(1),
                            "xar" => (read(0)? ^ read(1)?).rotate_right(n),
                            _ => read(0)? ^ constant,
                        };
                        values.insert(to, value);
                    }
                }
                for (lane, expected) in round(&state, constant).into_iter().enumerate() {
                    let found = values.get(&names[&lane.to_string()]).copied();
                    if found != Some(expected.rotate_right(frame(lane))) {
                        return Err(format!("lane {lane} is wrong, {part:?}, in turn {turn}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// The round as assembly.
    fn assembly(&self, parts: &[Part]) -> String {
        let mut text = String::new();
        let mut put = |line: String| writeln!(text, "{line}").expect("a string");
        for line in &self.lines {
            for part in parts {
                for (mnemonic, to, reads, n) in self.instructions(*part, line) {
                    match (part, mnemonic) {
                        (Part::Scalar, "eor" | "bic") => {
                            put(format!("{mnemonic} {to}, {}, {}, ror #{n}", reads[0], reads[1]));
                        }
                        (_, "mov") => put(format!("mov {to}, {}", reads[0])),
                        (_, "park") => put(format!("mov v31.d[1], {}", reads[0])),
                        (_, "unpark") => put(format!("mov {to}, v31.d[1]")),
                        (Part::Scalar, _) => {
                            put("fmov d31, x26".into());
                            put(format!("eor {to}, {}, x27", reads[0]));
                        }
                        (_, "eor" | "bic") => {
                            put(format!("{mnemonic} {to}.16b, {}.16b, {}.16b", reads[0], reads[1]));
                        }
                        (_, "add" | "rax1") => {
                            put(format!("{mnemonic} {to}.2d, {}.2d, {}.2d", reads[0], reads[1]));
                        }
                        (_, "xar") => put(format!("xar {to}.2d, {}.2d, {}.2d, #{n}", reads[0], reads[1])),
                        (_, "shl") => put(format!("shl {to}.2d, {}.2d, #{n}", reads[0])),
                        (_, "sri") => put(format!("sri {to}.2d, {}.2d, #{n}", reads[1])),
                        _ => {
                            put("dup v29.2d, x27".into());
                            put(format!("eor {to}.16b, {}.16b, v29.16b", reads[0]));
                        }
                    }
                }
            }
            if line.name == "constants" {
                if parts.contains(&Part::Scalar) {
                    put("fmov x26, d31".into());
                }
                put("ldp x27, x28, [x26], #8".into());
            }
        }
        text
    }

    /// Cycles of a round by the model of a core.
    pub fn cycles(&self, parts: &[Part], core: &str) -> f64 {
        mca("aarch64", core, &["-mattr=+sha3"], &[self.assembly(parts)], "cbnz x28, round")[0]
    }

    /// What a step touches: registers that it reads and that it writes, of both kinds.
    fn touches(&self, line: &Line) -> (HashSet<String>, HashSet<String>) {
        let (mut reads, mut writes) = (HashSet::new(), HashSet::new());
        for part in [Part::Scalar, Part::Neon, Part::Sha3] {
            for (_, to, from, _) in self.instructions(part, line) {
                reads.extend(from);
                writes.insert(to);
            }
        }
        (reads, writes)
    }

    /// Moves steps, on the same registers, as long as the mean of cycles over units and cores does not grow.
    pub fn search(
        &mut self,
        units: &[&[Part]],
        cores: &[String],
        turns: usize,
        random: &mut fastrand::Rng,
    ) -> f64 {
        let cost = |listing: &Self| -> f64 {
            let all = units.iter().flat_map(|unit| cores.iter().map(move |core| listing.cycles(unit, core)));
            all.sum::<f64>() / (units.len() * cores.len()) as f64
        };
        let mut best = cost(self);
        // The constants come last, with what is written between them in the kernel.
        let end = self.lines.iter().position(|line| line.name == "constants").unwrap_or(self.lines.len());
        for _ in 0..turns {
            let before = self.lines.clone();
            for _ in 0..random.usize(1..5) {
                let at = random.usize(..end);
                let line = self.lines.remove(at);
                let (reads, writes) = self.touches(&line);
                let free = |other: &Line| {
                    let (others_reads, others_writes) = self.touches(other);
                    writes.is_disjoint(&others_reads)
                        && writes.is_disjoint(&others_writes)
                        && reads.is_disjoint(&others_writes)
                };
                let low = at - self.lines[..at].iter().rev().take_while(|other| free(other)).count();
                let high = at + self.lines[at..end - 1].iter().take_while(|other| free(other)).count();
                self.lines.insert(random.usize(low..=high), line);
            }
            let now = cost(self);
            if now <= best {
                best = now;
            } else {
                self.lines = before;
            }
        }
        best
    }

    /// The steps as they stand in the kernel.
    pub fn rows(&self) -> String {
        let row = |line: &Line| {
            let words = match (&line.name[..], &line.words[..]) {
                ("xor" | "and_not" | "rotate_in" | "move" | "turn", [to, rest @ ..]) => {
                    format!(" {to} = {}", rest.join(", "))
                }
                (_, []) => String::new(),
                (_, words) => format!(" {}", words.join(", ")),
            };
            format!("            $unit!({}{words}),\n", line.name)
        };
        self.lines.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/backend/aarch64/rounds.rs");
        Listing::read(&std::fs::read_to_string(path).expect("the kernel")).expect("its listing")
    }

    #[test]
    fn the_listing_is_a_round() {
        let listing = listing();
        assert!(listing.lines.len() > 100, "the listing has moved");
        listing.check(1).expect("a round");
    }

    #[test]
    fn faults_are_refused() {
        let listing = listing();
        let mut faults = 0;
        let mut refused = |change: &dyn Fn(&mut Vec<Line>)| {
            let mut wrong = Listing {
                lines: listing.lines.clone(),
                general: listing.general.clone(),
                vector: listing.vector.clone(),
                frames: listing.frames,
            };
            change(&mut wrong.lines);
            assert!(wrong.check(2).is_err());
            faults += 1;
        };
        for (i, line) in listing.lines.iter().enumerate() {
            if line.name == "constants" {
                continue;
            }
            refused(&|lines| drop(lines.remove(i)));
            if let Some(turn) =
                line.words.last().filter(|_| !matches!(&line.name[..], "iota" | "park" | "unpark"))
            {
                let turn = ((turn.parse::<u32>().expect("a number") + 1) % 64).to_string();
                refused(&|lines| *lines[i].words.last_mut().expect("a word") = turn.clone());
            }
        }
        assert!(faults > 200, "{faults}");
    }
}
