//! What waits for a slot, and what has one.

use core::slice;

use super::fips202::{FirstBlock, Function};
use super::groups::{Outputs, SAMPLE_BLOCKS};
use super::jobs::{Job, Jobs};
use crate::backend::poly::NttPoly;

/// Neighbouring slots that started together and do the same: one job, or outputs, or entries.
///
/// Not an enum: a compiler may read what another variant has before it asks which one it is, and find the smaller of two
/// numbers by a branch. The path would depend on what the stack held before, so all of a wave is initialised.
pub(super) struct Wave<'g, 'a, B> {
    /// 0: no wave.
    pub(super) slots: usize,
    /// Permutations that they still take.
    pub(super) left: usize,
    /// One slot.
    pub(super) job: Option<&'g mut Job<'a>>,
    /// An output for each slot.
    pub(super) outputs: Outputs<'a>,
    /// An entry of the matrix for each slot.
    pub(super) entries: &'a mut [NttPoly<B>],
}

impl<B> Wave<'_, '_, B> {
    pub(super) fn none() -> Self {
        Self { slots: 0, left: 0, job: None, outputs: Outputs::none(), entries: &mut [] }
    }

    /// The set of its slots, of which `first` is the first.
    pub(super) fn set(&self, first: usize) -> u32 {
        ((1 << self.slots) - 1) << first
    }
}

/// What to begin in slots that are not cheap, or anything in those that are.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// How many permutations to begin, at most.
    pub(super) most: usize,
    /// How many permutations such slots have to run in all, and how many such slots there are.
    pub(super) all: usize,
    pub(super) slots: usize,
}

impl Limits {
    pub(super) const NONE: Self = Self { most: usize::MAX, all: usize::MAX, slots: 0 };

    /// Whether a sponge of so many permutations takes no more wide ones than all do that share the slots. The cheap slots are for
    /// longer ones.
    #[inline(always)]
    fn allow(self, work: usize) -> bool {
        work.saturating_sub(1) * self.slots < self.all
    }
}

/// What is still to be given to slots.
pub(super) struct Queue<'g, 'a, B> {
    next: Option<&'g mut Jobs<'a, B>>,
    /// Those behind, if they have been looked at.
    behind: Option<&'g mut Jobs<'a, B>>,
    rest: slice::IterMut<'g, Jobs<'a, B>>,
}

/// A wave, and the block it starts with.
type Start<'g, 'a, B> = (Wave<'g, 'a, B>, FirstBlock<'a>);

impl<'g, 'a, B> Queue<'g, 'a, B> {
    pub(super) fn new(jobs: &'g mut [Jobs<'a, B>]) -> Self {
        let mut rest = jobs.iter_mut();
        Self { next: rest.next(), behind: None, rest }
    }

    /// Whether nothing waits, if [`next`](Self::next) has just found nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.next.is_none()
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.next = self.behind.take().or_else(|| self.rest.next());
    }

    /// Permutations that each of the next jobs takes.
    #[inline(always)]
    pub(super) fn work_of_first(&mut self) -> usize {
        while let Some(jobs) = &self.next {
            if jobs.work() > 0 {
                return jobs.longest();
            }
            self.advance();
        }
        0
    }

    /// A wave of one slot or more, of the first jobs that are allowed, of two: no more slots than there are words in `word4`, and no
    /// more than it takes to begin what is to be begun. Its words 4 are written to `word4`, which is zero.
    #[inline(always)]
    pub(super) fn next(&mut self, limits: Limits, word4: &mut [u64]) -> Option<Start<'g, 'a, B>> {
        loop {
            let jobs = self.next.take()?;
            if limits.slots > 0 && !limits.allow(jobs.longest()) {
                self.next = Some(jobs);
                return self.shorter(limits, word4);
            }
            let (start, left) = begin(jobs, limits.most, word4);
            self.next = left;
            if self.next.is_none() {
                self.advance();
            }
            if start.is_some() {
                return start;
            }
        }
    }

    /// The same of those behind the next.
    #[inline(always)]
    fn shorter(&mut self, limits: Limits, word4: &mut [u64]) -> Option<Start<'g, 'a, B>> {
        loop {
            let jobs = self.behind.take().or_else(|| self.rest.next())?;
            if !limits.allow(jobs.longest()) {
                self.behind = Some(jobs);
                return None;
            }
            let (start, left) = begin(jobs, limits.most, word4);
            self.behind = left;
            if start.is_some() {
                return start;
            }
        }
    }
}

/// A wave of these jobs, if they have work, and what may be left of them.
#[inline(always)]
fn begin<'g, 'a, B>(
    jobs: &'g mut Jobs<'a, B>,
    most: usize,
    word4: &mut [u64],
) -> (Option<Start<'g, 'a, B>>, Option<&'g mut Jobs<'a, B>>) {
    match jobs {
        Jobs::One(job) => {
            let wave = Wave { slots: 1, left: job.work, job: Some(job), ..Wave::none() };
            // With no work there is nothing to absorb.
            ((wave.left > 0).then_some((wave, FirstBlock::EMPTY)), None)
        }
        Jobs::Prf(prf) if prf.count > 0 => {
            let left = prf.work();
            let slots = enough(word4.len().min(prf.count), left, most);
            let first = FirstBlock::new(Function::Shake256, prf.s);
            let outputs = prf.take(slots, word4);
            (Some((Wave { slots, left, outputs, ..Wave::none() }, first)), Some(jobs))
        }
        Jobs::Matrix(matrix) if !matrix.entries.is_empty() => {
            let slots = enough(word4.len().min(matrix.entries.len()), SAMPLE_BLOCKS, most);
            let first = FirstBlock::new(Function::Shake128, matrix.rho);
            let entries = matrix.take(slots, word4);
            (Some((Wave { slots, left: SAMPLE_BLOCKS, entries, ..Wave::none() }, first)), Some(jobs))
        }
        _ => (None, None),
    }
}

/// How many of `all` sponges with so much work each run `most` permutations: at least one, and all if that is no limit.
#[inline(always)]
fn enough(all: usize, work: usize, most: usize) -> usize {
    if most == usize::MAX {
        return all;
    }
    let mut count = 1;
    while count < all && count * work < most {
        count += 1;
    }
    count
}
