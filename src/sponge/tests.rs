//! The packer over a Keccak of plain states, of any width.

use std::cell::Cell;
use std::thread_local;

use zeroize::Zeroize;

use super::fips202::{Function, LAST_WORDS};
use super::jobs::{Job, Jobs};
use super::{Blocks, Keccak, States, wipe};
use crate::backend::poly::NttPoly;
use crate::backend::{Backend, conformance, hashing, portable};

/// The portable arithmetic over a Keccak of `W` plain states that counts its permutations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain<const W: usize>;

thread_local! {
    /// Permutations since they were last taken, by the logarithm of the smallest width that serves them: 0 is for those of a
    /// state by itself.
    static COUNT: Cell<[usize; 4]> = const { Cell::new([0; 4]) };
}

fn count(log_width: u32) {
    let mut count = COUNT.get();
    count[log_width as usize] += 1;
    COUNT.set(count);
}

impl<const W: usize> Backend for Plain<W> {
    const NAME: &'static str = "plain";

    hashing!(W);
}

impl<const W: usize, const V: usize> Keccak<V> for Plain<W> {
    fn cheap_width(self) -> usize {
        if V == 8 { 4 } else { V }
    }

    fn permute(self, states: &mut States<V>, used: usize) {
        assert!(1 <= used && used <= V);
        count(if V == 1 { 0 } else { used.max(2).next_power_of_two().ilog2() });
        for slot in 0..used {
            let mut state = states.0.map(|row| row[slot]);
            portable::keccak::permute(&mut state);
            states.0.iter_mut().zip(state).for_each(|(row, lane)| row[slot] = lane);
        }
    }
}

// The arithmetic is that of portable.
mod width_1 {
    crate::backend::conformance::suite!(hashing "width 1", Some(super::Plain::<1>), hashes batches encapsulations);
}
mod width_2 {
    crate::backend::conformance::suite!(hashing "width 2", Some(super::Plain::<2>), hashes batches encapsulations);
}
mod width_4 {
    crate::backend::conformance::suite!(hashing "width 4", Some(super::Plain::<4>), hashes batches encapsulations);
}
// No permutation is cheaper than that of all slots.
mod width_7 {
    crate::backend::conformance::suite!(hashing "width 7", Some(super::Plain::<7>), hashes batches encapsulations);
}
mod width_8 {
    crate::backend::conformance::suite!(hashing "width 8", Some(super::Plain::<8>), hashes batches encapsulations);
}

/// Permutations by width, 1, 2, 4 and 8, of one call.
pub(crate) fn counted(call: impl FnOnce()) -> [usize; 4] {
    COUNT.take();
    call();
    COUNT.take()
}

#[test]
fn states_and_blocks_are_wiped() {
    let (mut states, mut blocks) = (States([[1; 3]; 25]), Blocks([[1; 192]; 3]));
    states.zeroize();
    blocks.zeroize();
    assert_eq!((states.0, blocks.0), ([[0; 3]; 25], [[0; 192]; 3]));
    let mut block = [1; 200];
    wipe(&mut block);
    assert_eq!(block, [0; 200]);
}

#[test]
fn last_words_end_the_rates() {
    // In bytes: FIPS 202, sections 6.1 and 6.2 give the capacities, 1024, 512 and 256 bits.
    assert_eq!(LAST_WORDS.map(|word| 8 * (word + 1)), [72, 136, 168]);
}

#[test]
fn slots_are_set_filled_and_read() {
    conformance::sponge_steps::<_, 8>(Plain::<8>);
    conformance::sponge_steps::<_, 1>(Plain::<1>);
}

/// With the widths of all backends.
#[test]
fn entries_get_the_blocks_they_need() {
    conformance::unlucky_entries::<_, 1>(Plain::<1>);
    conformance::unlucky_entries::<_, 2>(Plain::<2>);
    conformance::unlucky_entries::<_, 3>(Plain::<3>);
    conformance::unlucky_entries::<_, 4>(Plain::<4>);
    conformance::unlucky_entries::<_, 5>(Plain::<5>);
    conformance::unlucky_entries::<_, 7>(Plain::<7>);
    conformance::unlucky_entries::<_, 8>(Plain::<8>);
    conformance::unlucky_entries::<_, 16>(Plain::<16>);
}

#[test]
fn a_long_chain_rides_beside_the_matrix() {
    // ML-KEM-768 encapsulation: 27 blocks of matrix and a key of nine blocks on four slots.
    let mut h = [0; 32];
    let (ek, rho) = ([7; 1184], [1; 32]);
    let mut matrix = [const { NttPoly::<Plain<4>>::ZERO }; 9];
    let chain = Job::new(Function::Sha3_256, &ek, &[], &mut h);
    let entries = Jobs::matrix(&rho, 0, core::slice::from_mut(&mut matrix), false);
    let count = counted(|| Plain::<4>.hash_all(&mut [chain.into(), entries]));
    assert_eq!(count, [0, 0, 9, 0]);
    assert_eq!(h, conformance::sha3_256(&ek));
}
