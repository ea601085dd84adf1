//! The records of `kats/` as bytes: for each a number that says what it is, one for its set, and its fields.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// A function of the vectors, its fields, and whether whether it passes is the last byte.
const FUNCTIONS: [(&str, &[&str]); 5] = [
    ("keyGen", &["d", "z", "dk"]),
    ("encapsulation", &["m", "ek", "c", "k"]),
    ("decapsulation", &["dk", "c", "k"]),
    ("encapsulationKeyCheck", &["ek", "passed"]),
    ("decapsulationKeyCheck", &["dk", "passed"]),
];
const SETS: [&str; 3] = ["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"];

fn bytes(value: &str) -> Vec<u8> {
    match value {
        "true" => vec![1],
        "false" => vec![0],
        hex => hex
            .as_bytes()
            .chunks(2)
            .map(|pair| {
                let pair = str::from_utf8(pair).expect("ASCII");
                u8::from_str_radix(pair, 16).expect("two digits")
            })
            .collect(),
    }
}

fn main() {
    let kats = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kats");
    let mut all = Vec::new();
    let mut count = 0_u32;
    for edition in ["acvp-2024", "acvp-2026"] {
        for file in ["keygen.txt", "encapdecap.txt"] {
            let path = kats.join(edition).join(file);
            println!("cargo:rerun-if-changed={}", path.display());
            let text = fs::read_to_string(&path).expect("the vectors");
            let (head, records) = text.split_once("\n\n").expect("a head");
            let announced = head.lines().find_map(|line| line.strip_prefix("# count: ")).expect("a count");
            let records: Vec<&str> = records.trim_end().split("\n\n").collect();
            assert_eq!(announced.parse(), Ok(records.len()), "{}", path.display());
            for record in records {
                let field = |name: &str| {
                    let value =
                        record.lines().find_map(|line| line.split_once(" = ").filter(|(n, _)| *n == name));
                    value.unwrap_or_else(|| panic!("no {name} in {record}")).1
                };
                let function = FUNCTIONS.iter().position(|(name, _)| *name == field("function"));
                let function = function.expect("a known function");
                let set = SETS.iter().position(|name| *name == field("set")).expect("a known set");
                all.extend([function as u8, set as u8]);
                for name in FUNCTIONS[function].1 {
                    all.extend(bytes(field(name)));
                }
                count += 1;
            }
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("a folder"));
    fs::write(out.join("vectors"), all).expect("room");
    fs::write(out.join("count.rs"), count.to_string()).expect("room");
}
