//! The packer: runs many independent sponges over a Keccak of any width.
//!
//! ML-KEM asks for long chains (H, J) beside many short sponges (the matrix, the PRF). A slot that has finished its sponge
//! takes the next one from the list, so a chain in one slot costs nothing as long as the others have work: with four
//! slots ML-KEM-768 encapsulation hashes its key and samples its matrix in nine permutations.
//!
//! Short sponges that start together are a wave: they take every step together, and the packer keeps its books by waves.
//! One that needs a fourth block, as eight polynomials of a thousand do, holds the others up: that takes a permutation
//! more now and then, where books by slots cost more every time.

use zeroize::Zeroize;

use super::fips202::FirstBlock;
use super::jobs::{Job, Jobs};
use super::queue::{Limits, Queue, Wave};
use super::{Blocks, FRAMES, Keccak, States, alone, wipe_frames};
use crate::backend::Backend;

/// Runs every job over the `W`-wide Keccak of `backend`, in the order given: with the longest first it takes the least time.
pub fn run<B: Backend + Keccak<W> + Keccak<1>, const W: usize>(backend: B, jobs: &mut [Jobs<'_, B>]) {
    const { assert!(W < 32, "a set of slots is a number of 32 bits") };
    let secret = jobs.iter().any(Jobs::is_secret);
    let mut slots = Slots::<B, W>::new(jobs, Keccak::<W>::cheap_width(backend).min(W));
    let mut states = States::<W>::ZERO;
    let mut blocks = Blocks::<W>::ZERO;
    loop {
        slots.fill(backend, &mut states);
        if slots.busy == 0 {
            break;
        }
        if let Some(job) = slots.last_chain() {
            alone::run_from(backend, &mut states.first(), job);
            break;
        }
        let used = width(slots.busy);
        let squeezing = slots.absorb(backend, &mut states, used);
        backend.permute(&mut states, used);
        if squeezing {
            backend.squeeze(&states, used, &mut blocks);
        }
        slots.give_out(backend, &states, &blocks);
    }
    if secret {
        states.zeroize();
        blocks.zeroize();
        if <B as Keccak<W>>::SPILLS {
            wipe_frames::<FRAMES>();
        }
    }
}

/// Who is in which slot, and who waits.
struct Slots<'g, 'a, B, const W: usize> {
    queue: Queue<'g, 'a, B>,
    /// Permutations not yet begun.
    waiting: usize,
    /// Whether the queue may have more.
    more: bool,
    /// Each wave, at the index of its first slot.
    waves: [Wave<'g, 'a, B>; W],
    /// Coefficients that each slot has given.
    filled: [usize; W],
    /// Sets of slots: those at work, the first of each wave, and those of jobs.
    busy: u32,
    heads: u32,
    of_jobs: u32,
    /// How many slots a cheaper permutation serves.
    cheap: usize,
    /// A permutation has run. Before that, a slot that was never started is zero.
    permuted: bool,
}

impl<'g, 'a, B: Backend, const W: usize> Slots<'g, 'a, B, W> {
    #[inline(always)]
    fn new(jobs: &'g mut [Jobs<'a, B>], cheap: usize) -> Self {
        Self {
            waiting: jobs.iter().map(Jobs::work).sum(),
            queue: Queue::new(jobs),
            more: true,
            waves: core::array::from_fn(|_| Wave::none()),
            filled: [0; W],
            busy: 0,
            heads: 0,
            of_jobs: 0,
            cheap,
            permuted: false,
        }
    }

    /// Gives free slots to what waits.
    #[inline(always)]
    fn fill(&mut self, backend: B, states: &mut States<W>)
    where
        B: Keccak<W>,
    {
        if !self.more || self.busy.trailing_ones() as usize >= W {
            return;
        }
        // Slots that the next call of `start` sets.
        let (mut first, mut fresh, mut word4) = (FirstBlock::EMPTY, 0, [0; W]);
        // Of the slots that are not cheap, which are filled last: so it does not change any more.
        let mut beyond = None;
        loop {
            let slot = self.busy.trailing_ones() as usize;
            let Some(room @ [_, ..]) = word4.get_mut(slot..self.end_of_room(slot)) else { break };
            let limits = self.limits(slot, &mut beyond);
            if limits.most == 0 {
                break;
            }
            let Some((wave, next)) = self.queue.next(limits, room) else {
                self.more = !self.queue.is_empty();
                break;
            };
            if !first.is(next) {
                if fresh != 0 {
                    backend.start(states, width(self.busy), first, fresh, &word4);
                }
                (first, fresh) = (next, 0);
            }
            if self.permuted || !first.is(FirstBlock::EMPTY) {
                fresh |= wave.set(slot);
            }
            self.place(slot, wave);
        }
        if fresh != 0 {
            backend.start(states, width(self.busy), first, fresh, &word4);
        }
    }

    /// Where the free slots from this one on end; cheap ones are not mixed with others.
    #[inline(always)]
    fn end_of_room(&self, slot: usize) -> usize {
        let end = if slot < self.cheap { self.cheap } else { W };
        end.min(slot + (self.busy >> slot).trailing_zeros() as usize)
    }

    /// What to begin in this slot: anything in a cheap one, elsewhere what the cheap ones cannot do.
    #[inline(always)]
    fn limits(&mut self, slot: usize, beyond: &mut Option<Beyond>) -> Limits {
        if W == 1 || slot < self.cheap {
            return Limits::NONE;
        }
        let beyond = beyond.get_or_insert_with(|| {
            let spare = spare_permutations(&self.waves[..self.cheap], self.queue.work_of_first());
            Beyond { spare, all: self.waiting.saturating_sub(spare) }
        });
        Limits { most: self.waiting.saturating_sub(beyond.spare), all: beyond.all, slots: W - self.cheap }
    }

    #[inline(always)]
    fn place(&mut self, slot: usize, wave: Wave<'g, 'a, B>) {
        let set = wave.set(slot);
        if wave.job.is_some() {
            self.of_jobs |= set;
        }
        (self.busy, self.heads) = (self.busy | set, self.heads | 1 << slot);
        self.waiting = self.waiting.saturating_sub(wave.slots * wave.left);
        self.filled[slot..][..wave.slots].fill(0);
        self.waves[slot] = wave;
    }

    /// The job in the first slot, if nothing else is left: it needs one state.
    #[inline(always)]
    fn last_chain(&mut self) -> Option<&mut Job<'a>> {
        if W > 1 && !self.more && self.busy == 1 { self.waves[0].job.as_deref_mut() } else { None }
    }

    /// Adds the next block to every slot of a job; whether any slot will be squeezed.
    #[inline(always)]
    fn absorb(&mut self, backend: B, states: &mut States<W>, used: usize) -> bool
    where
        B: Keccak<W>,
    {
        // A block is taken from every slot or from none: most of the time all of them are being squeezed.
        let mut squeezing = self.heads != self.of_jobs;
        let mut rest = self.of_jobs;
        while let Some((slot, wave)) = next_wave(&mut self.waves, &mut rest) {
            if let Some(job) = &mut wave.job {
                if !job.absorbed {
                    job.absorb_next(backend, states, used, slot);
                }
                squeezing |= job.absorbed;
            }
        }
        squeezing
    }

    /// Hands the blocks out after a permutation, and frees the slots of those that are done.
    #[inline(always)]
    fn give_out(&mut self, backend: B, states: &States<W>, blocks: &Blocks<W>) {
        self.permuted = true;
        let mut rest = self.heads;
        while let Some((slot, wave)) = next_wave(&mut self.waves, &mut rest) {
            let blocks = &blocks.0[slot..][..wave.slots];
            wave.left = wave.left.saturating_sub(1);
            let done = if let Some(job) = &mut wave.job {
                job.squeeze_next(states, slot, &blocks[0])
            } else if wave.entries.is_empty() {
                wave.outputs.fill(blocks)
            } else {
                backend.sample_ntt(blocks, wave.entries, &mut self.filled[slot..][..blocks.len()])
            };
            if done {
                let others = !wave.set(slot);
                (self.busy, self.heads) = (self.busy & others, self.heads & others);
                self.of_jobs &= others;
                wave.slots = 0;
            }
        }
    }
}

/// What the slots that are not cheap are for, until the cheap ones are filled again.
struct Beyond {
    /// Permutations that the cheap slots can take over besides.
    spare: usize,
    /// Permutations that they cannot.
    all: usize,
}

/// The next of the waves whose first slots are in `set`, with that slot, which leaves the set.
#[inline(always)]
fn next_wave<'w, 'g, 'a, B>(
    waves: &'w mut [Wave<'g, 'a, B>],
    set: &mut u32,
) -> Option<(usize, &'w mut Wave<'g, 'a, B>)> {
    let slot = set.trailing_zeros() as usize;
    *set &= set.wrapping_sub(1);
    Some((slot, waves.get_mut(slot)?))
}

/// Slots up to the last of a set.
fn width(set: u32) -> usize {
    (u32::BITS - set.leading_zeros()) as usize
}

/// How many permutations the slots of these waves can take over while the longest of them is at work anyway, if what waits takes
/// `next` each.
fn spare_permutations<B>(waves: &[Wave<'_, '_, B>], next: usize) -> usize {
    let (mut taken, mut chain, mut soonest) = (0, 0, usize::MAX);
    for wave in waves.iter().filter(|wave| wave.slots > 0) {
        taken += wave.slots * wave.left;
        (chain, soonest) = (chain.max(wave.left), soonest.min(wave.left));
    }
    // What starts in the first slot that becomes free must not be the last to end.
    if soonest.saturating_add(next) > chain { 0 } else { waves.len() * chain - taken }
}
