//! One sponge over one state.

use zeroize::Zeroize;

use super::jobs::Job;
use super::{Blocks, FRAMES, Keccak, States, wipe_frames};

/// Runs one job.
pub fn run<B: Keccak<1>>(backend: B, mut job: Job<'_>) {
    if job.work > 0 {
        let mut states = States::ZERO;
        run_from(backend, &mut states, &mut job);
    }
}

/// Runs a job to its end, from the state that it has come to, and wipes the state if it may be a secret.
pub(crate) fn run_from<B: Keccak<1>>(backend: B, states: &mut States<1>, job: &mut Job<'_>) {
    let function = job.function;
    loop {
        let whole = job.take_whole_blocks();
        let last = job.last_block();
        let ends = last.is_some();
        if ends || !whole.is_empty() {
            backend.chain(states, function, whole, last);
        }
        if ends || step(backend, states, job) {
            break;
        }
    }
    if job.is_secret() {
        states.zeroize();
        if B::SPILLS {
            wipe_frames::<FRAMES>();
        }
    }
}

/// One permutation for a job; true if that was the last.
fn step<B: Keccak<1>>(backend: B, states: &mut States<1>, job: &mut Job<'_>) -> bool {
    let mut blocks = Blocks::<1>::ZERO;
    if !job.absorbed {
        job.absorb_next(backend, states, 1, 0);
    }
    backend.permute(states, 1);
    if job.absorbed {
        backend.squeeze(states, 1, &mut blocks);
    }
    let done = job.squeeze_next(states, 0, &blocks.0[0]);
    if job.is_secret() {
        blocks.zeroize();
    }
    done
}
