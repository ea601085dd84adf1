//! Key exchanges and handshakes of rustls: kemstone over each provider's X25519, beside the provider's own hybrid and X25519 alone.
//!
//! ```text
//! cargo run --release --manifest-path benches/tls/Cargo.toml [-- --rounds N]
//! ```
//!
//! Every round times every row once, so that what disturbs the machine disturbs all. Shown are the minimum and the median over the
//! rounds, on one thread.

mod exchange;
mod handshake;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let rounds = match &arguments[..] {
        [] => 200,
        [option, number] if option == "--rounds" => match number.parse() {
            Ok(rounds) => rounds,
            Err(_) => return usage(),
        },
        _ => return usage(),
    };
    println!("kemstone runs on {}; {rounds} rounds; microseconds, minimum / median\n", kemstone::backend());
    let exchanges = exchange::run(rounds);
    println!();
    handshake::run(rounds, &exchanges);
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: kemstone-tls-bench [--rounds N]");
    ExitCode::FAILURE
}

/// Microseconds of one operation, one entry for each round.
#[derive(Clone, Default)]
struct Times(Vec<f64>);

impl Times {
    fn minimum(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }

    fn show(&self) -> String {
        format!("{:8.2} /{:8.2}", self.minimum(), self.median())
    }
}
