//! How many permutations each operation takes, by the width of Keccak.

use super::bytes::Bytes;
use super::kem::{self, Dk, DkMut, Ek, PreparedDk, PreparedEk};
use super::params::{Dimensions, MlKem512, MlKem768, MlKem1024, dk_size};
use super::side_by_side::{self, Decapsulation, Encapsulation, GROUP, KeyGeneration, next_group};
use crate::sponge::tests::{Plain, counted};

/// Permutations of one parameter set's operations on `W` slots: key generation, encapsulation, decapsulation,
/// decapsulation with a check of the key, and encapsulation and decapsulation with prepared keys; from a seed
/// for which three blocks suffice for every entry of the matrix.
fn operations<P, const K: usize, const U: usize, const V: usize, const W: usize>() -> [[usize; 4]; 6]
where
    P: Dimensions<K, U, V>,
{
    let backend = Plain::<W>;
    let (mut expanded, mut c) = ([0; dk_size(4)], P::Ciphertext::ZERO);
    let (mut ours, mut theirs, m) = ([0; 32], [0; 32], [4; 32]);
    let expanded = &mut expanded[..dk_size(K)];
    let dk = DkMut::of(K, expanded).expect("its length");
    let key_gen = counted(|| kem::key_gen_internal::<_, P, K, U, V>(backend, &[5; 32], &[3; 32], dk));
    let dk = Dk::of(K, expanded).expect("its length");
    let encaps = counted(|| kem::encaps_internal::<_, P, K, U, V>(backend, dk.ek, &m, c.as_mut(), &mut ours));
    let decaps = counted(|| kem::decaps_internal::<_, P, K, U, V>(backend, dk, &c, &mut theirs));
    assert_eq!(ours, theirs);
    theirs = [0; 32];
    let checked = counted(|| {
        assert!(kem::decaps_checked::<_, P, K, U, V>(backend, dk, &c, &mut theirs));
    });
    assert_eq!(ours, theirs);

    let (mut prepared, mut again) = (PreparedDk::<Plain<W>, K>::ZERO, P::Ciphertext::ZERO);
    let mut once_more = [0; dk_size(4)];
    let dk_mut = DkMut::of(K, &mut once_more[..dk_size(K)]).expect("its length");
    let prepared_key_gen = counted(|| {
        kem::key_gen_prepared::<_, P, K, U, V>(backend, &[5; 32], &[3; 32], dk_mut, &mut prepared);
    });
    assert_eq!(prepared_key_gen, key_gen);
    assert_eq!(once_more[..dk_size(K)], *expanded);
    theirs = [0; 32];
    let prepared_decaps = counted(|| {
        kem::decaps_prepared::<_, P, K, U, V>(backend, &prepared, dk.z, &c, &mut theirs);
    });
    assert_eq!(ours, theirs);
    let mut prepared = PreparedEk::<Plain<W>, K>::ZERO;
    assert!(prepared.prepare(backend, dk.ek));
    theirs = [0; 32];
    let prepared_encaps = counted(|| {
        kem::encaps_prepared::<_, P, K, U, V>(backend, &prepared, &m, again.as_mut(), &mut theirs);
    });
    assert_eq!((again, theirs), (c, ours));
    [key_gen, encaps, decaps, checked, prepared_encaps, prepared_decaps]
}

#[test]
fn permutations_are_as_few_as_the_slots_allow() {
    // Of each operation: permutations 1, 2, 4 and 8 wide.
    // One slot: all there is to hash, one after the other.
    assert_eq!(
        operations::<MlKem512, 2, 320, 128, 1>(),
        [[27, 0, 0, 0], [26, 0, 0, 0], [26, 0, 0, 0], [32, 0, 0, 0], [8, 0, 0, 0], [14, 0, 0, 0]]
    );
    assert_eq!(
        operations::<MlKem768, 3, 320, 128, 1>(),
        [[43, 0, 0, 0], [44, 0, 0, 0], [44, 0, 0, 0], [53, 0, 0, 0], [8, 0, 0, 0], [17, 0, 0, 0]]
    );
    assert_eq!(
        operations::<MlKem1024, 4, 352, 160, 1>(),
        [[69, 0, 0, 0], [70, 0, 0, 0], [70, 0, 0, 0], [82, 0, 0, 0], [10, 0, 0, 0], [22, 0, 0, 0]]
    );
    // Four slots: what is left for single permutations is G, and the end of H(ek) in key generation.
    assert_eq!(
        operations::<MlKem512, 2, 320, 128, 4>(),
        [[7, 0, 5, 0], [1, 3, 5, 0], [1, 1, 6, 0], [1, 0, 8, 0], [1, 0, 2, 0], [4, 1, 2, 0]]
    );
    assert_eq!(
        operations::<MlKem768, 3, 320, 128, 4>(),
        [[5, 0, 10, 0], [1, 0, 11, 0], [1, 0, 11, 0], [1, 0, 13, 0], [1, 0, 2, 0], [7, 1, 2, 0]]
    );
    assert_eq!(
        operations::<MlKem1024, 4, 352, 160, 4>(),
        [[5, 0, 17, 0], [1, 1, 17, 0], [1, 1, 17, 0], [1, 1, 20, 0], [1, 1, 2, 0], [10, 0, 3, 0]]
    );
    // Eight slots, of which four are cheaper: chains of H and J outlast the matrix, and of what is wide there is only what four slots
    // cannot do beside them.
    assert_eq!(
        operations::<MlKem512, 2, 320, 128, 8>(),
        [[7, 0, 1, 2], [1, 3, 5, 0], [1, 0, 5, 1], [1, 0, 4, 2], [1, 0, 2, 0], [4, 1, 2, 0]]
    );
    assert_eq!(
        operations::<MlKem768, 3, 320, 128, 8>(),
        [[7, 0, 3, 3], [1, 0, 9, 1], [1, 0, 7, 2], [1, 0, 5, 4], [1, 0, 0, 1], [7, 1, 2, 0]]
    );
    assert_eq!(
        operations::<MlKem1024, 4, 352, 160, 8>(),
        [[7, 0, 3, 7], [1, 1, 9, 4], [1, 0, 6, 6], [1, 0, 3, 9], [1, 1, 0, 1], [10, 0, 3, 0]]
    );
}

/// The same of eight operations side by side: key generation, encapsulation and decapsulation with a key each, and encapsulation and
/// decapsulation with one prepared key.
fn groups<P, const K: usize, const U: usize, const V: usize, const W: usize>() -> [[usize; 4]; 5]
where
    P: Dimensions<K, U, V>,
{
    let backend = Plain::<W>;
    let mut expanded = [[0; dk_size(4)]; GROUP];
    let mut cs = [P::Ciphertext::ZERO; GROUP];
    let (mut ours, mut theirs) = ([[0; 32]; GROUP], [[0; 32]; GROUP]);
    let mut operations = expanded.iter_mut().map(|expanded| {
        let dk = DkMut::of(K, &mut expanded[..dk_size(K)]).expect("its length");
        KeyGeneration { d: &[5; 32], z: &[3; 32], dk }
    });
    let mut group = next_group(&mut || operations.next()).expect("operations");
    let key_gen = counted(|| side_by_side::key_gen::<_, P, K, U, V>(backend, &mut group));
    let dks = expanded.each_ref().map(|expanded| Dk::of(K, &expanded[..dk_size(K)]).expect("its length"));
    let mut encaps = |prepared: Option<&PreparedEk<Plain<W>, K>>| {
        let operations = dks.iter().zip(&mut cs).zip(&mut ours);
        let mut operations = operations.map(|((dk, c), k)| {
            let (ek, m) = (Ek(dk.ek), &[4; 32]);
            Encapsulation { ek, m, c: c.as_mut(), k }
        });
        let mut group = next_group(&mut || operations.next()).expect("operations");
        counted(|| match prepared {
            None => side_by_side::encaps::<_, P, K, U, V>(backend, &mut group),
            Some(key) => side_by_side::encaps_prepared::<_, P, K, U, V>(backend, key, &mut group),
        })
    };
    let mut prepared = PreparedDk::<Plain<W>, K>::ZERO;
    prepared.prepare(backend, dks[0]);
    let [encaps, prepared_encaps] = [encaps(None), encaps(Some(&prepared.ek))];
    let mut decaps = |prepared: Option<&PreparedDk<Plain<W>, K>>| {
        let operations = dks.iter().zip(&cs).zip(&mut theirs);
        let mut operations = operations.map(|((dk, c), k)| Decapsulation { dk: *dk, c: c.as_ref(), k });
        let mut group = next_group(&mut || operations.next()).expect("operations");
        counted(|| match prepared {
            None => side_by_side::decaps::<_, P, K, U, V>(backend, &mut group),
            Some(key) => side_by_side::decaps_prepared::<_, P, K, U, V>(backend, key, &mut group),
        })
    };
    let [decaps, prepared_decaps] = [decaps(None), decaps(Some(&prepared))];
    assert_eq!(ours, theirs);
    [key_gen, encaps, decaps, prepared_encaps, prepared_decaps]
}

#[test]
fn groups_leave_no_slot_idle() {
    // Eight wide, as many permutations for eight operations as one takes on one slot, and G beside G; four wide, twice as many.
    assert_eq!(
        groups::<MlKem512, 2, 320, 128, 8>(),
        [[0, 0, 0, 27], [0, 0, 0, 26], [0, 0, 0, 26], [0, 0, 0, 8], [0, 0, 0, 14]]
    );
    assert_eq!(
        groups::<MlKem768, 3, 320, 128, 8>(),
        [[0, 0, 0, 43], [0, 0, 0, 44], [0, 0, 0, 44], [0, 0, 0, 8], [0, 0, 0, 17]]
    );
    assert_eq!(
        groups::<MlKem1024, 4, 352, 160, 8>(),
        [[0, 0, 0, 69], [0, 0, 0, 70], [0, 0, 0, 70], [0, 0, 0, 10], [0, 0, 0, 22]]
    );
    assert_eq!(
        groups::<MlKem512, 2, 320, 128, 4>(),
        [[0, 0, 54, 0], [0, 0, 52, 0], [0, 0, 52, 0], [0, 0, 16, 0], [0, 0, 28, 0]]
    );
    assert_eq!(
        groups::<MlKem768, 3, 320, 128, 4>(),
        [[0, 0, 86, 0], [0, 0, 88, 0], [0, 0, 88, 0], [0, 0, 16, 0], [0, 0, 34, 0]]
    );
    assert_eq!(
        groups::<MlKem1024, 4, 352, 160, 4>(),
        [[0, 0, 138, 0], [0, 0, 140, 0], [0, 0, 140, 0], [0, 0, 20, 0], [0, 0, 44, 0]]
    );
}
