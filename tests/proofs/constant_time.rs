//! Comparison and choice, which the frontend shares among all backends.

use kemstone::constant_time::{assign_if, equal};

use crate::support::{Covered, Random, turns};

fn compare_of<const L: usize>() -> u64 {
    let mut random = Random::new("compare");
    let mut inputs = 0;
    for a in [[0; L], [0xff; L], random.array()] {
        assert!(equal(&a, &a));
        let mut b = a;
        for i in turns(L) {
            for difference in 1..=255 {
                b[i] = a[i] ^ difference;
                assert!(!equal(&a, &b) && !equal(&b, &a), "byte {i}, difference {difference:#x}");
                inputs += 2;
            }
            b[i] = a[i];
        }
        inputs += cancelling::<L, 1>(&a, &[false], &mut random)
            + cancelling::<L, 2>(&a, &[false, true], &mut random)
            + cancelling::<L, 4>(&a, &[false, true], &mut random)
            + cancelling::<L, 8>(&a, &[false, true], &mut random);
    }
    inputs
}

/// Word `i` of `W` bytes, the highest byte first if `swap`.
fn word<const L: usize, const W: usize>(bytes: &[u8; L], i: usize, swap: bool) -> u64 {
    let mut word = [0; 8];
    word[..W].copy_from_slice(&bytes[W * i..][..W]);
    if swap {
        word[..W].reverse();
    }
    u64::from_le_bytes(word)
}

fn set_word<const L: usize, const W: usize>(bytes: &mut [u8; L], i: usize, swap: bool, word: u64) {
    let bytes = &mut bytes[W * i..][..W];
    bytes.copy_from_slice(&word.to_le_bytes()[..W]);
    if swap {
        bytes.reverse();
    }
}

/// Every pair of words of `W` bytes, changed so that a comparison which adds up differences, words wide and modulo
/// 2^(8 W), comes to zero: by "exclusive or", by sums of "exclusive or" and by sums of subtractions. Short strings with
/// every such change of bytes.
fn cancelling<const L: usize, const W: usize>(a: &[u8; L], swaps: &[bool], random: &mut Random) -> u64 {
    let mut inputs = 0;
    let mut b = *a;
    let top = 1 << (8 * W - 1);
    for &swap in swaps {
        for i in turns(L / W) {
            let one = word::<L, W>(a, i, swap);
            let any = random.word() | 1;
            let every = if W == 1 && L <= 32 { 1..=255 } else { 0..=0 };
            for j in 0..i {
                let two = word::<L, W>(a, j, swap);
                for x in every.clone().filter(|x| *x > 0).chain([1, top, any]) {
                    for (one, two) in [
                        (one ^ x, two ^ x),
                        (one ^ x, two ^ x.wrapping_neg()),
                        (one.wrapping_add(x), two.wrapping_sub(x)),
                    ] {
                        set_word::<L, W>(&mut b, i, swap, one);
                        set_word::<L, W>(&mut b, j, swap, two);
                        assert!(!equal(a, &b), "words {i} and {j} of {W} bytes, {x:#x}");
                        inputs += 1;
                    }
                }
                set_word::<L, W>(&mut b, j, swap, two);
            }
            set_word::<L, W>(&mut b, i, swap, one);
        }
        assert!(equal(a, &b));
    }
    inputs
}

pub(crate) fn compare() -> Covered {
    let inputs = compare_of::<32>() + compare_of::<768>() + compare_of::<1088>() + compare_of::<1568>();
    Covered::new(
        "settled",
        inputs,
        "one byte: every place, every difference; every pair of words that cancel in a sum (P4)",
    )
}

pub(crate) fn select() -> Covered {
    let mut inputs = 0;
    for pair in turns(1 << 16) {
        // Every pair of bytes in every place, beside other pairs.
        let a: [u8; 32] = core::array::from_fn(|i| (pair + 41 * i) as u8);
        let b: [u8; 32] = core::array::from_fn(|i| (pair >> 8).wrapping_add(73 * i) as u8);
        for choice in [false, true] {
            let mut chosen = a;
            assign_if(choice, &mut chosen, &b);
            assert_eq!(chosen, if choice { b } else { a });
            inputs += 1;
        }
    }
    // What differs in one place, or in two that cancel, is chosen or left like anything else.
    for a in [[0; 32], [0xff; 32], Random::new("select").array()] {
        for (i, j) in turns(32).flat_map(|i| (0..=i).map(move |j| (i, j))) {
            for x in 1..=255_u8 {
                for (x, y) in [(x, x), (x, x.wrapping_neg())] {
                    let mut b = a;
                    b[i] ^= x;
                    b[j] = a[j] ^ y;
                    for choice in [false, true] {
                        let mut chosen = a;
                        assign_if(choice, &mut chosen, &b);
                        assert_eq!(chosen, if choice { b } else { a });
                        inputs += 1;
                    }
                }
            }
        }
    }
    Covered::new("settled", inputs, "every pair of bytes in every place, both choices (P4)")
}
