#!/usr/bin/env bash
# serdect 0.4.3: `array::deserialize_hex_or_bin` says that it fails unless the buffer has exactly the size of the data. For binary
# formats it does. For readable ones (JSON) it takes fewer digits than the buffer has room for, says how many bytes it has
# written, and leaves the rest of the buffer as it was: a caller who does not look at the answer has an array that ends in zeros.
# More digits than there is room for are refused. Seen with serde_json 1.0.154, serdect 0.4.3, ciborium 0.2.2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"

[dependencies]
ciborium = "=0.2.2"
serde = "1"
serde_json = "=1.0.154"
serdect = { version = "=0.4.3", features = ["alloc"] }

[workspace]
TOML
cat >src/main.rs <<'RUST'
use serdect::array::deserialize_hex_or_bin;

struct Four([u8; 4], usize);

impl<'de> serde::Deserialize<'de> for Four {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut bytes = [0xee; 4];
        let written = deserialize_hex_or_bin(&mut bytes, deserializer)?.len();
        Ok(Self(bytes, written))
    }
}

fn main() {
    for text in ["\"0a0b0c0d\"", "\"0a0b\"", "\"\"", "\"0a0b0c0d0e\""] {
        match serde_json::from_str::<Four>(text) {
            Ok(Four(bytes, written)) => println!("JSON {text}: {written} written, {bytes:02x?}"),
            Err(_) => println!("JSON {text}: refused"),
        }
    }
    for length in [4, 2] {
        let mut cbor = Vec::new();
        ciborium::into_writer(&ciborium::Value::Bytes(vec![0x0a; length]), &mut cbor).expect("CBOR");
        let read = ciborium::from_reader::<Four, _>(&cbor[..]);
        println!("CBOR, {length} bytes: {}", if read.is_ok() { "taken" } else { "refused" });
    }
}
RUST
cargo run --quiet --release >seen
cat >expected <<'TEXT'
JSON "0a0b0c0d": 4 written, [0a, 0b, 0c, 0d]
JSON "0a0b": 2 written, [0a, 0b, ee, ee]
JSON "": 0 written, [ee, ee, ee, ee]
JSON "0a0b0c0d0e": refused
CBOR, 4 bytes: taken
CBOR, 2 bytes: refused
TEXT
cat seen
diff expected seen
