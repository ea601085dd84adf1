//! Benchmarks of the kem.
fn main() {}
