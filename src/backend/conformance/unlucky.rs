//! Entries of the matrix that need more blocks than usual, beside everything that is hashed with a matrix.

use std::cell::RefCell;
use std::thread_local;
use std::vec;
use std::vec::Vec;

use super::any::{Any, give, given, in_rows};
use super::{Random, read, sha3_256};
use crate::backend::poly::{N, NttPoly, Q};
use crate::backend::{Backend, model, portable};
use crate::sponge::fips202::{FirstBlock, Function, LAST_BIT, XOF_BLOCK};
use crate::sponge::jobs::{Job, Jobs};
use crate::sponge::{Blocks, Keccak, States, alone, pack};

/// A backend run by the packer over `W` slots, all of it as it is but for the permutation: what that makes of an entry of the
/// matrix is written in [`SCRIPT`]. Real output that needs a fifth block comes once in 2^105 entries.
#[derive(Clone, Copy)]
pub(crate) struct Scripted<B, const W: usize>(B);

thread_local! {
    /// What the blocks of the entry with this index, j and then i, are like; beyond the last one, all accepted.
    static SCRIPT: RefCell<Vec<(u16, Vec<Accepted>)>> = const { RefCell::new(Vec::new()) };
}

/// How many of a block's candidates are below q, the first of them from this place on.
#[derive(Clone, Copy, Debug)]
struct Accepted(usize, usize);

impl Accepted {
    const NONE: Self = Self(0, 0);
    const ALL: Self = Self(CANDIDATES, 0);
}

/// Numbers of 12 bits in a block.
const CANDIDATES: usize = 112;
const _: () = assert!(3 * CANDIDATES == 2 * XOF_BLOCK);

/// The words of a scripted block.
fn scripted_block(index: u16, round: usize) -> [u64; 21] {
    let Accepted(many, first) = SCRIPT.with_borrow(|script| {
        let rounds = script.iter().find(|(unlucky, _)| *unlucky == index);
        rounds.and_then(|(_, rounds)| rounds.get(round).copied()).unwrap_or(Accepted::ALL)
    });
    let mut bytes = [0xff; XOF_BLOCK];
    let (mut number, mut place) = (u32::from(index) * 31 + round as u32 * 1009 + 1, 0);
    for pair in bytes.as_chunks_mut::<3>().0 {
        let mut draw = || {
            // Neighbours differ, and so do blocks and entries.
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let accepted = (first..first + many).contains(&place);
            place += 1;
            let below = |n: u32| ((u64::from(number) * u64::from(n)) >> 32) as u32;
            if accepted { below(Q as u32) } else { Q as u32 + below(4096 - Q as u32) }
        };
        let (d1, d2) = (draw(), draw());
        *pair = [d1 as u8, (d1 >> 8 | d2 << 4) as u8, (d2 >> 4) as u8];
    }
    core::array::from_fn(|i| u64::from_le_bytes(bytes.as_chunks().0[i]))
}

impl<B: Backend + Keccak<W> + Keccak<1>, const W: usize> Backend for Scripted<B, W> {
    const NAME: &'static str = "scripted";
    const SLOTS: usize = W;

    fn hash(self, job: Job<'_>) {
        alone::run(self, job);
    }

    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
        #[cfg(feature = "small")]
        if B::STREAMING.is_some() {
            return alone::run_all(self, jobs);
        }
        pack::run::<_, W>(self, jobs);
    }

    fn sample_ntt(self, blocks: &[[u8; 192]], a_hats: &mut [NttPoly<Self>], filled: &mut [usize]) -> bool {
        let mut own = vec![NttPoly::ZERO; a_hats.len()];
        give(a_hats, &mut own);
        let full = self.0.sample_ntt(blocks, &mut own, filled);
        give(&own, a_hats);
        full
    }

    fn encode12(self, f_hat: &NttPoly<Self>, b: &mut [u8; 384]) {
        self.0.encode12(&given(f_hat), b);
    }
}

impl<B, const W: usize, const V: usize> Keccak<V> for Scripted<B, W>
where
    B: Backend + Keccak<V> + Keccak<W> + Keccak<1>,
{
    fn cheap_width(self) -> usize {
        Keccak::<V>::cheap_width(self.0)
    }

    fn start(self, states: &mut States<V>, used: usize, first: FirstBlock<'_>, slots: u32, word4: &[u64; V]) {
        Keccak::<V>::start(self.0, states, used, first, slots, word4);
    }

    fn absorb(self, states: &mut States<V>, used: usize, slot: usize, words: &[u8]) {
        Keccak::<V>::absorb(self.0, states, used, slot, words);
    }

    /// Of an entry of the matrix, the capacity keeps a mark, the index and the number of blocks.
    fn permute(self, states: &mut States<V>, used: usize) {
        const MARK: u64 = 0x6d61_7472_6978_2121;
        for slot in 0..used {
            let mut state = states.0.map(|row| row[slot]);
            let fresh = state[4] >> 16 == Function::Shake128.suffix_at(0)
                && state[5..20].iter().chain(&state[21..]).all(|word| *word == 0)
                && state[20] == LAST_BIT;
            if fresh {
                let index = state[4] & 0xffff;
                state[22..].copy_from_slice(&[0, index, MARK]);
            }
            if state[24] == MARK {
                let block = scripted_block(state[23] as u16, state[22] as usize);
                state[..21].copy_from_slice(&block);
                state[22] += 1;
            } else {
                portable::keccak::permute(&mut state);
            }
            states.0.iter_mut().zip(state).for_each(|(row, word)| row[slot] = word);
        }
    }

    fn squeeze(self, states: &States<V>, used: usize, blocks: &mut Blocks<V>) {
        Keccak::<V>::squeeze(self.0, states, used, blocks);
    }
}

/// How a backend hashes a key, with the permutations of `keccak_of`.
pub(crate) trait HashKey<B, const W: usize>: Copy {
    fn hash_key<const K: usize>(
        self,
        keccak_of: Scripted<B, W>,
        ek: &[u8],
        h_ek: &mut [u8; 32],
        a_hat_transposed: &mut [[NttPoly<B>; K]; K],
    );
}

/// A call of [`Backend::hash_key`] or of what takes its place.
type KeyHash<'a> = &'a dyn Fn(&[u8], &mut [u8; 32], &mut [NttPoly<Any>]);

/// Entries of the matrix that need one to six blocks beyond the usual three, in every slot and beside everything that is
/// hashed with a matrix, over `W` slots.
pub(crate) fn unlucky_entries<B: Backend + Keccak<W> + Keccak<1>, const W: usize>(backend: B) {
    let backend = Any::of_hashing(Scripted::<B, W>(backend));
    unlucky(backend, &|ek, h_ek, entries| backend.hash_key_to(ek, h_ek, entries));
}

/// The same with another way to hash a key.
#[allow(dead_code)] // by a machine all of whose backends hash keys in the common way
pub(crate) fn unlucky_entries_by<B: Backend + Keccak<W> + Keccak<1>, const W: usize>(
    backend: B,
    by: impl HashKey<B, W>,
) {
    let scripted = Scripted::<B, W>(backend);
    unlucky(Any::of_hashing(scripted), &|ek, h_ek, entries| match entries.len() {
        4 => in_rows::<_, 2>(entries, |rows| by.hash_key(scripted, ek, h_ek, rows)),
        9 => in_rows::<_, 3>(entries, |rows| by.hash_key(scripted, ek, h_ek, rows)),
        _ => in_rows::<_, 4>(entries, |rows| by.hash_key(scripted, ek, h_ek, rows)),
    });
}

fn unlucky(backend: Any, hash_key: KeyHash<'_>) {
    unlucky_in::<2>(backend, hash_key);
    unlucky_in::<3>(backend, hash_key);
    unlucky_in::<4>(backend, hash_key);
}

fn unlucky_in<const K: usize>(backend: Any, hash_key: KeyHash<'_>) {
    let mut random = Random::new(12);
    // So many blocks more: they come first and give nothing; or all that is wanting is one coefficient; or they bring one each.
    let late = |extra: usize| vec![Accepted::NONE; extra];
    let short = |extra: usize| {
        let mut rounds = vec![Accepted::ALL, Accepted::ALL, Accepted(N - 1 - 2 * CANDIDATES, 5)];
        rounds.resize(2 + extra, Accepted::NONE);
        rounds.push(Accepted(1, 13 * extra));
        rounds
    };
    let slow = |extra: usize| {
        let mut rounds = vec![Accepted::ALL, Accepted::ALL, Accepted(N - extra - 2 * CANDIDATES, 70)];
        rounds.extend((0..extra).map(|n| Accepted(1, 111 - n)));
        rounds
    };
    for extra in 1..=6 {
        for (form, rounds) in [late(extra), short(extra), slow(extra)].into_iter().enumerate() {
            for slot in 0..K * K {
                // The tests of a form beside each kind of jobs.
                with_matrix::<K>(backend, hash_key, form + slot, &[(slot, rounds.clone())]);
                with_matrix::<K>(backend, hash_key, 3, &[(slot, rounds.clone())]);
            }
        }
    }
    for turn in 0..40 {
        let mut several = Vec::new();
        for slot in 0..K * K {
            let (form, extra) = (random.below(4), random.below(6) as usize + 1);
            if turn & 1 == 0 || random.below(3) == 0 {
                let rounds = [late(extra), short(extra), slow(extra), Vec::new()][form as usize].clone();
                several.push((slot, rounds));
            }
        }
        with_matrix::<K>(backend, hash_key, turn, &several);
    }
}

/// A matrix whose entries in these slots have these blocks, beside what is hashed with it in the operations, against the
/// model.
fn with_matrix<const K: usize>(
    backend: Any,
    hash_key: KeyHash<'_>,
    kind: usize,
    unlucky: &[(usize, Vec<Accepted>)],
) {
    let kind = kind & 3;
    let transposed = kind != 1;
    let index = |slot: usize| {
        let places = (0..K as u16).flat_map(|i| (0..K as u16).map(move |j| (i, j)));
        match places.into_iter().nth(slot).expect("a slot of the matrix") {
            (i, j) if transposed => i | j << 8,
            (i, j) => j | i << 8,
        }
    };
    SCRIPT.set(unlucky.iter().map(|(slot, rounds)| (index(*slot), rounds.clone())).collect());
    let (rho, s) = ([kind as u8; 32], [7; 32]);
    let mut ek: Vec<u8> = (0..384 * K).map(|i| (i * 7) as u8).collect();
    ek.extend(rho);
    let (mut h, mut k_bar) = ([0; 32], [0; 32]);
    let mut rows = [[NttPoly::ZERO; K]; K];
    let (mut y, mut e) = ([[0; 192]; K], [[0; 128]; K]);
    let matrix = |rows| Jobs::matrix(&rho, 0, rows, transposed);
    match kind {
        0 => backend.hash_all(&mut [matrix(&mut rows)]),
        1 => {
            backend.hash_all(&mut [Job::new(Function::Sha3_256, &ek, &[], &mut h).into(), matrix(&mut rows)])
        }
        2 => {
            let j = Job::new(Function::Shake256, &s, &ek[..320 * K], &mut k_bar);
            let (y, e) = (Jobs::prf(&s, 0, 128, &mut y), Jobs::prf(&s, K as u8, 128, &mut e));
            backend.hash_all(&mut [j.into(), matrix(&mut rows), y, e]);
        }
        _ => hash_key(&ek, &mut h, rows.as_flattened_mut()),
    }

    for (slot, entry) in rows.as_flattened().iter().enumerate() {
        let words = (0..10).flat_map(|round| scripted_block(index(slot), round));
        let xof: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        let expected = model::sample_ntt(&xof).expect("ten blocks suffice");
        assert_eq!(read(backend, entry), expected, "k = {K}, kind {kind}, slot {slot}, {unlucky:?}");
    }
    if kind & 1 == 1 {
        assert_eq!(h, sha3_256(&ek), "k = {K}, kind {kind}, {unlucky:?}");
    }
    if kind == 2 {
        let message = [&s[..], &ek[..320 * K]].concat();
        assert_eq!(k_bar[..], model::hash(Function::Shake256, &message, 32), "k = {K}, {unlucky:?}");
        for (output, n) in y.iter().map(|y| &y[..128]).chain(e.iter().map(|e| &e[..])).zip(0..) {
            let message = [&s[..], &[n]].concat();
            assert_eq!(output, model::hash(Function::Shake256, &message, 128), "k = {K}, output {n}");
        }
    }
}
