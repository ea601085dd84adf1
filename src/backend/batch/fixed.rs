//! Encapsulation's two mixes of sponges without the engine's books: H beside the matrix, and the PRF alone.
//!
//! There is nothing to decide in them where a permutation of all columns costs what one of a few does: who begins when
//! follows from the numbers alone. The sampling of the matrix is left for the end of H, a chain of permutations of one
//! state that leaves half of a processor idle.

use core::ops::Range;
use core::slice;

use zeroize::Zeroize;

use super::{
    Blocks, Function, H_BLOCK, Job, Jobs, Matrix, Output, Outputs, Permute, Prf, SAMPLE_BLOCKS, Start,
    States, fill_block,
};
use crate::backend::poly::{N, NttPoly};

/// Entries of the largest matrix, with k = 4.
const ENTRIES: usize = 16;

/// Runs the jobs, if they are such a mix; false if they are not, and nothing has been done.
pub(super) fn run<B: Permute<W> + Permute<1>, const W: usize>(backend: B, jobs: &mut [Jobs<'_, B>]) -> bool {
    match jobs {
        [Jobs::One(Some(job)), Jobs::Matrix(matrix)] => {
            let entries = matrix.entries.len();
            if !Permute::<W>::samples_beside(backend) || entries == 0 || entries > ENTRIES {
                return false;
            }
            // Each team beside whole blocks, and the end of H after them. Three parameter sets need five columns.
            let (mut blocks, mut room) = (0, 0);
            while room < entries {
                (blocks, room) = (blocks + SAMPLE_BLOCKS, room + W - 1);
            }
            let Some(chain) = Chain::of(job, blocks) else { return false };
            beside_matrix::<B, W>(backend, chain, matrix);
            true
        }
        [Jobs::Prf(y), Jobs::Prf(e1), Jobs::Prf(e2)] => {
            let jobs = [y, e1, e2];
            // With one block each, or a column for each: else the engine would let the next begin where one has ended.
            let fits = jobs.iter().all(|prf| prf.work() <= 1)
                || jobs.iter().map(|prf| prf.count).sum::<usize>() <= W;
            if !fits || jobs.iter().any(|prf| !core::ptr::eq(prf.s, jobs[0].s)) {
                return false;
            }
            outputs_alone::<B, W>(backend, jobs);
            true
        }
        _ => false,
    }
}

/// H of a public message of which nothing has been absorbed.
struct Chain<'a> {
    blocks: &'a [[u8; H_BLOCK]],
    /// What is left of the message.
    rest: &'a [u8],
    out: &'a mut [u8; 32],
}

impl<'a> Chain<'a> {
    /// With at least so many whole blocks.
    fn of(job: &'a mut Job<'_>, least: usize) -> Option<Self> {
        let Job { function: Function::Sha3_256, head, tail: [], before: None, fresh: true, output, .. } = job
        else {
            return None;
        };
        let Output::Bytes(out) = output else { return None };
        let out = (&mut **out).try_into().ok()?;
        let (blocks, rest) = head.as_chunks();
        (blocks.len() >= least).then_some(Self { blocks, rest, out })
    }
}

/// H in the first column, and the matrix in the others, team by team. The last one is the largest: its states are still
/// there when its polynomials have been sampled, if one needs a fourth block.
#[inline(never)] // frames that are not needed at the same time share the stack
fn beside_matrix<B: Permute<W> + Permute<1>, const W: usize>(
    backend: B,
    Chain { blocks, mut rest, out }: Chain<'_>,
    matrix: &mut Matrix<'_, B>,
) {
    let mut last = [0; H_BLOCK];
    fill_block(&mut last, [&mut rest, &mut &[][..]], Function::Sha3_256);
    let mut states = States::<W>::ZERO;
    let (mut filled, mut ends) = ([0; ENTRIES], [0; ENTRIES]);
    let start = Start::new(Function::Shake128, matrix.rho);
    let entries = matrix.take(matrix.entries.len(), &mut ends);
    let filled = &mut filled[..entries.len()];
    let mut blocks = blocks.iter();
    let mut columns = entries.len();
    while columns > W - 1 {
        columns -= W - 1;
    }
    let mut first = 0;
    loop {
        let mut of_columns = [0; W];
        of_columns[1..][..columns].copy_from_slice(&ends[first..][..columns]);
        backend.start(&mut states, columns + 1, start, ((1 << columns) - 1) << 1, &of_columns);
        // There are blocks enough: `run` has counted them.
        for (b, block) in (0..SAMPLE_BLOCKS).zip(&mut blocks) {
            backend.absorb(&mut states, columns + 1, 0, block);
            Permute::<W>::permute(backend, &mut states, columns + 1);
            backend.keep_block(&states, b, &mut entries[first..][..columns]);
        }
        if first + columns == entries.len() {
            break;
        }
        (first, columns) = (first + columns, W - 1);
    }
    if !backend.finish_and_sample(&states, blocks.as_slice(), &last, out, entries, filled) {
        let (earlier, of_team) = entries.split_at_mut(first);
        let (filled_earlier, filled_of_team) = filled.split_at_mut(first);
        sample_on(backend, &mut states, columns + 1, of_team, filled_of_team);
        for ((entry, filled), end) in earlier.iter_mut().zip(filled_earlier).zip(&ends) {
            if *filled < N {
                sample_again(backend, &mut states, start, *end, entry);
            }
        }
    }
}

/// Goes on with the columns `1..used` until these entries are full.
#[cold]
fn sample_on<B: Permute<W>, const W: usize>(
    backend: B,
    states: &mut States<W>,
    used: usize,
    entries: &mut [NttPoly<B>],
    filled: &mut [usize],
) {
    let mut blocks = Blocks::<W>::ZERO;
    while filled.iter().any(|filled| *filled < N) {
        backend.permute(states, used);
        backend.squeeze(states, used, &mut blocks);
        backend.sample_ntt_blocks(&blocks.0[1..used], entries, filled);
    }
}

/// Samples an entry whose state is gone from the beginning.
#[cold]
fn sample_again<B: Permute<W>, const W: usize>(
    backend: B,
    states: &mut States<W>,
    start: Start<'_>,
    end: u64,
    entry: &mut NttPoly<B>,
) {
    let mut blocks = Blocks::<W>::ZERO;
    let mut filled = 0;
    backend.start(states, 1, start, 1, &[end; W]);
    while filled < N {
        backend.permute(states, 1);
        backend.squeeze(states, 1, &mut blocks);
        backend.sample_ntt_blocks(&blocks.0[..1], slice::from_mut(entry), slice::from_mut(&mut filled));
    }
}

/// Outputs of one job, and the columns that give them.
struct Team<'a> {
    columns: Range<usize>,
    outputs: Outputs<'a>,
}

/// Outputs of the PRF, as many at once as there are columns.
#[inline(never)] // frames that are not needed at the same time share the stack
fn outputs_alone<B: Permute<W>, const W: usize>(backend: B, mut jobs: [&mut Prf<'_>; 3]) {
    let mut states = States::<W>::ZERO;
    let mut blocks = Blocks::<W>::ZERO;
    loop {
        let mut teams = [const { None }; 3];
        let (mut ends, mut used) = ([0; W], 0);
        for (team, prf) in teams.iter_mut().zip(&mut jobs) {
            let columns = used..used + prf.count.min(W - used);
            if !columns.is_empty() {
                used = columns.end;
                let outputs = prf.take(columns.len(), &mut ends[columns.clone()]);
                *team = Some(Team { columns, outputs });
            }
        }
        if used == 0 {
            break;
        }
        let start = Start::new(Function::Shake256, jobs[0].s);
        backend.start(&mut states, used, start, (1 << used) - 1, &ends);
        while used > 0 {
            backend.permute(&mut states, used);
            backend.squeeze(&states, used, &mut blocks);
            used = 0;
            for slot in &mut teams {
                let Some(Team { columns, outputs }) = slot else { continue };
                if outputs.fill(&blocks.0[columns.clone()]) {
                    *slot = None;
                } else {
                    used = columns.end;
                }
            }
        }
    }
    states.zeroize();
    blocks.zeroize();
}
