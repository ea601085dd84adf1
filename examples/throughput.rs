//! How many operations a second this machine does: one after the other, eight side by side, and that on every core.
//!
//! ```text
//! cargo run --release --example throughput
//! ```
//!
//! The pattern for many cores is to give each thread a piece of the work and let it call `..._many`. Here the threads are std's; with
//! the crate `rayon` it is `pieces.par_iter().map(|keys| EncapsulationKey::encapsulate_many(*keys))`.

use std::thread;
use std::time::{Duration, Instant};

use kemstone::ml_kem_768::{DecapsulationKey, EncapsulationKey};
use kemstone::{CiphertextRef, Error};

/// Operations in one piece of work.
const PIECE: usize = 64;

/// Operations a second that each of `threads` threads does of `piece`, which is `PIECE` of them.
fn rate(threads: usize, piece: impl Fn() -> Result<(), Error> + Sync) -> Result<f64, Error> {
    let work = || {
        let (start, mut pieces) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_millis(500) {
            piece()?;
            pieces += 1;
        }
        Ok(f64::from(pieces) * PIECE as f64 / start.elapsed().as_secs_f64())
    };
    let rates: Result<Vec<f64>, Error> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Error::SelfTest))).collect()
    });
    Ok(rates?.iter().sum::<f64>() / threads as f64)
}

fn main() -> Result<(), Error> {
    let keys = DecapsulationKey::generate_many(PIECE)?;
    let public = || keys.iter().map(DecapsulationKey::encapsulation_key);
    let sent = EncapsulationKey::encapsulate_many(public())?;
    let received = || keys.iter().zip(sent.iter().map(|(ciphertext, _)| CiphertextRef::from(ciphertext)));

    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("ML-KEM-768 on {}, operations a second", kemstone::backend());
    println!("{:<16}{:>12}{:>12}{:>20}", "", "single", "many", "many, in all");
    let line = |name, single, many, on_all| {
        println!("{name:<16}{single:>12.0}{many:>12.0}{:>12.0} on {cores}", on_all * cores as f64);
    };
    let single = || (0..PIECE).try_for_each(|_| DecapsulationKey::generate().map(drop));
    let many = || DecapsulationKey::generate_many(PIECE).map(drop);
    line("key generation", rate(1, single)?, rate(1, many)?, rate(cores, many)?);
    let single = || public().try_for_each(|key| key.encapsulate().map(drop));
    let many = || EncapsulationKey::encapsulate_many(public()).map(drop);
    line("encapsulation", rate(1, single)?, rate(1, many)?, rate(cores, many)?);
    let single = || {
        received().for_each(|(key, ciphertext)| drop(key.decapsulate(ciphertext)));
        Ok(())
    };
    let many = || {
        drop(DecapsulationKey::decapsulate_many(received()));
        Ok(())
    };
    line("decapsulation", rate(1, single)?, rate(1, many)?, rate(cores, many)?);
    println!("memory of one group: 76 KiB of stack at most (docs/stack.md), and the results");
    Ok(())
}
