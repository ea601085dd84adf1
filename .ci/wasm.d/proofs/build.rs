//! Takes the list of items from tests/proofs/main.rs: there is one.

use std::path::Path;
use std::{env, fs};

fn main() {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/proofs/main.rs");
    println!("cargo:rerun-if-changed={}", main.display());
    let text = fs::read_to_string(&main).expect("the proofs");
    let (_, list) = text.split_once("\nitems! {\n").expect("a list of items");
    let (list, _) = list.split_once("\n}\n").expect("its end");
    let out = Path::new(&env::var_os("OUT_DIR").expect("a folder")).join("items.rs");
    fs::write(out, format!("items! {{\n{list}\n}}\n")).expect("room");
}
