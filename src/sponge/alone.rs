//! One sponge over one state.

use zeroize::Zeroize;

#[cfg(feature = "small")]
use super::fips202::{FirstBlock, Function};
use super::jobs::Job;
#[cfg(feature = "small")]
use super::jobs::Jobs;
use super::{Blocks, FRAMES, Keccak, States, wipe_frames};
#[cfg(feature = "small")]
use crate::backend::Backend;

/// Runs one job.
pub fn run<B: Keccak<1>>(backend: B, mut job: Job<'_>) {
    if job.work > 0 {
        let mut states = States::ZERO;
        run_from(backend, &mut states, &mut job);
    }
}

/// Runs jobs one after the other: all that a backend with one slot needs, in less code than a packer takes.
#[cfg(feature = "small")]
pub fn run_all<B: Backend + Keccak<1>>(backend: B, jobs: &mut [Jobs<'_, B>]) {
    let (mut states, mut blocks) = (States::ZERO, Blocks::ZERO);
    let mut word4 = [0];
    for jobs in jobs {
        match jobs {
            Jobs::One(job) => run(backend, core::mem::replace(job, Job::none())),
            Jobs::Prf(prf) => {
                while prf.count > 0 {
                    let mut output = prf.take(1, &mut word4);
                    start(backend, &mut states, Function::Shake256, prf.s, &word4);
                    while !output.fill(next(backend, &mut states, &mut blocks)) {}
                }
                states.zeroize();
                blocks.zeroize();
                if <B as Keccak<1>>::SPILLS {
                    wipe_frames::<{ FRAMES >> 2 }>(); // of a permutation only, and in place
                }
            }
            Jobs::Matrix(matrix) => {
                while !matrix.entries.is_empty() {
                    let entry = matrix.take(1, &mut word4);
                    start(backend, &mut states, Function::Shake128, matrix.rho, &word4);
                    let mut filled = [0];
                    while !backend.sample_ntt(next(backend, &mut states, &mut blocks), entry, &mut filled) {}
                }
            }
        }
    }
}

#[cfg(feature = "small")]
fn start<B: Keccak<1>>(
    backend: B,
    states: &mut States<1>,
    function: Function,
    seed: &[u8; 32],
    word4: &[u64; 1],
) {
    backend.start(states, 1, FirstBlock::new(function, seed), 1, word4);
}

/// Permutes, and gives the next block of output.
#[cfg(feature = "small")]
fn next<'a, B: Keccak<1>>(backend: B, states: &mut States<1>, blocks: &'a mut Blocks<1>) -> &'a [[u8; 192]] {
    backend.permute(states, 1);
    backend.squeeze(states, 1, blocks);
    &blocks.0
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
        if B::IN_PLACE {
            wipe_frames::<{ FRAMES >> 1 }>();
        } else if B::SPILLS {
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
