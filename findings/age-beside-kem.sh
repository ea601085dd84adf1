#!/usr/bin/env bash
# The crate age 0.12.1 compiles by itself, and no longer beside the crate kem 0.3.0, which it has nothing to do with. Below age is
# ml-kem ^0.2: its newest, 0.2.3, wants kem exactly in its version 0.3.0-pre.0, of which a program cannot have two of the 0.3 line.
# So cargo goes back to ml-kem 0.2.1, which wants kem ^0.3.0-pre.0. A release is newer than its own pre-releases, so kem 0.3.0 meets
# that; but between the two its traits lost their arguments, and ml-kem 0.2.1 does not compile: age and what it brings was resolved
# without a complaint, and a crate that nobody has named fails. One would expect that a resolution means versions which go together,
# or that a requirement on a pre-release asks for pre-releases.
#
# Seen with Rust 1.95, age 0.12.1 and kem 0.3.0: by itself "ml-kem v0.2.3" and compiled; with kem "ml-kem v0.2.1" and error E0437.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cd "$work"
echo >src/lib.rs

# project DEPENDENCY...: a library that depends on these.
project() {
  printf '[package]\nname = "seen"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\n' >Cargo.toml
  printf '%s\n' "$@" >>Cargo.toml
  rm -f Cargo.lock
}

chosen() { cargo tree --quiet --invert ml-kem --depth 0 | head -1; }

project 'age = { version = "=0.12.1", default-features = false }'
alone=$(chosen)
cargo check --quiet

project 'age = { version = "=0.12.1", default-features = false }' 'kem = "=0.3.0"'
beside=$(chosen)
status=0
cargo check --quiet 2>errors || status=$?
error=$(grep -o '^error\[E0437\]: type `Error` is not a member of trait `::kem::Decapsulate`' errors | head -1) || true

echo "by itself: $alone, compiled; beside kem 0.3.0: $beside, exit status $status, $error"
[ "$alone" = 'ml-kem v0.2.3' ]
[ "$beside" = 'ml-kem v0.2.1' ]
[ "$status" -ne 0 ] && [ -n "$error" ]
