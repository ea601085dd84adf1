//! Comparison and choice, which the frontend shares among all backends.

use kemstone::constant_time::{assign_if, equal};

use crate::support::{Covered, Random, turns};

/// Whether two strings of a length that the frontend compares are equal.
type Equal = fn(&[u8], &[u8]) -> bool;

fn equal_of<const L: usize>(a: &[u8], b: &[u8]) -> bool {
    equal::<L>(a.first_chunk().expect("as many bytes"), b.first_chunk().expect("as many bytes"))
}

fn compare_of(length: usize, equal: Equal) -> u64 {
    let mut random = Random::new("compare");
    let mut inputs = 0;
    let any = random.array::<1568>();
    for a in [&[0; 1568][..length], &[0xff; 1568][..length], &any[..length]] {
        assert!(equal(a, a));
        let mut b = a.to_vec();
        for i in turns(length) {
            for difference in 1..=255 {
                b[i] = a[i] ^ difference;
                assert!(!equal(a, &b) && !equal(&b, a), "byte {i}, difference {difference:#x}");
                inputs += 2;
            }
            b[i] = a[i];
        }
        inputs += cancelling::<1>(a, &mut random, equal)
            + cancelling::<2>(a, &mut random, equal)
            + cancelling::<4>(a, &mut random, equal)
            + cancelling::<8>(a, &mut random, equal);
    }
    inputs
}

/// Word `i` of `W` bytes, the highest byte first if `swap`.
fn word<const W: usize>(bytes: &[u8], i: usize, swap: bool) -> u64 {
    let mut word = [0; 8];
    word[..W].copy_from_slice(&bytes[W * i..][..W]);
    if swap {
        word[..W].reverse();
    }
    u64::from_le_bytes(word)
}

fn set_word<const W: usize>(bytes: &mut [u8], i: usize, swap: bool, word: u64) {
    let bytes = &mut bytes[W * i..][..W];
    bytes.copy_from_slice(&word.to_le_bytes()[..W]);
    if swap {
        bytes.reverse();
    }
}

/// Every pair of words of `W` bytes, changed so that a comparison which adds up differences, words wide and modulo 2^(8 W), comes
/// to zero: by "exclusive or", by sums of "exclusive or" and by sums of subtractions. Short strings with every such change
/// of bytes.
fn cancelling<const W: usize>(a: &[u8], random: &mut Random, equal: Equal) -> u64 {
    let mut inputs = 0;
    let mut b = a.to_vec();
    let top = 1 << (8 * W - 1);
    let words = top | (top - 1);
    let every: Vec<u64> = if W == 1 && a.len() <= 32 { (1..=255).collect() } else { Vec::new() };
    // A byte is the same from either end.
    for &swap in if W == 1 { &[false][..] } else { &[false, true] } {
        for i in turns(a.len() / W) {
            let one = word::<W>(a, i, swap);
            let any = random.word() | 1;
            for j in 0..i {
                let two = word::<W>(a, j, swap);
                for x in every.iter().copied().chain([1, top, any]) {
                    let changes = [
                        (one ^ x, two ^ x),
                        (one ^ x, two ^ x.wrapping_neg()),
                        (one.wrapping_add(x), two.wrapping_sub(x)),
                    ]
                    .map(|(one, two)| (one & words, two & words));
                    for (n, (one, two)) in changes.into_iter().enumerate() {
                        // Of the highest bit, all three are one; of words that are zero, the last two.
                        if changes[..n].contains(&(one, two)) {
                            continue;
                        }
                        set_word::<W>(&mut b, i, swap, one);
                        set_word::<W>(&mut b, j, swap, two);
                        assert!(!equal(a, &b), "words {i} and {j} of {W} bytes, {x:#x}");
                        inputs += 1;
                    }
                }
                set_word::<W>(&mut b, j, swap, two);
            }
            set_word::<W>(&mut b, i, swap, one);
        }
        assert!(equal(a, &b));
    }
    inputs
}

pub(crate) fn compare() -> Covered {
    let inputs = compare_of(32, equal_of::<32>)
        + compare_of(768, equal_of::<768>)
        + compare_of(1088, equal_of::<1088>)
        + compare_of(1568, equal_of::<1568>);
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
