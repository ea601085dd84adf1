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
            // Equal differences in two places do not cancel.
            for j in 0..i {
                b[j] = a[j] ^ 255;
                assert!(!equal(&a, &b), "bytes {i} and {j}");
                b[j] = a[j];
                inputs += 1;
            }
            b[i] = a[i];
        }
    }
    inputs
}

pub(crate) fn compare() -> Covered {
    let inputs = compare_of::<32>() + compare_of::<768>() + compare_of::<1088>() + compare_of::<1568>();
    Covered::new(
        "settled",
        inputs,
        "one byte: every place, every difference; two bytes: every pair of places (P4)",
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
    Covered::new("settled", inputs, "every pair of bytes in every place, both choices (P4)")
}
