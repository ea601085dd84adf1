//! Keccak-f\[1600\] in plain Rust, for machines without a kernel of their own.
//!
//! Six lanes are kept complemented between rounds. Chi needs `!b & c` for every lane, which costs two
//! instructions where the machine has no and-not; with these lanes complemented, 17 of the 25 become a single
//! `and` or `or`. (Where and-not and or-not exist, nothing is lost.)

use crate::sponge::keccak::{RHO, ROUND_CONSTANTS, mod5, pi_column, pi_lane};

/// The lanes stored complemented, by index x + 5y.
const COMPLEMENTED: [bool; 25] = {
    let mut lanes = [false; 25];
    lanes[1] = true;
    lanes[2] = true;
    lanes[8] = true;
    lanes[12] = true;
    lanes[17] = true;
    lanes[20] = true;
    lanes
};

/// Permutes one state.
pub(crate) fn permute(state: &mut [u64; 25]) {
    let mut a = *state;
    flip(&mut a);
    // Two rounds a turn: the second undoes the renaming of lanes of the first, so no moves are left.
    for rc in ROUND_CONSTANTS.as_chunks::<2>().0 {
        a = round(&round(&a, rc[0]), rc[1]);
    }
    flip(&mut a);
    *state = a;
}

/// One round of `permute`, for proofs.
pub(crate) fn one_round(state: &mut [u64; 25], rc: u64) {
    flip(state);
    *state = round(state, rc);
    flip(state);
}

#[inline(always)]
fn flip(a: &mut [u64; 25]) {
    for (lane, complemented) in a.iter_mut().zip(COMPLEMENTED) {
        if complemented {
            *lane = !*lane;
        }
    }
}

#[inline(always)]
fn round(a: &[u64; 25], rc: u64) -> [u64; 25] {
    let c: [u64; 5] = core::array::from_fn(|x| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    let d = [
        c[4] ^ c[1].rotate_left(1),
        c[0] ^ c[2].rotate_left(1),
        c[1] ^ c[3].rotate_left(1),
        c[2] ^ c[4].rotate_left(1),
        c[3] ^ c[0].rotate_left(1),
    ];
    let rows = [row::<0>(a, &d), row::<1>(a, &d), row::<2>(a, &d), row::<3>(a, &d), row::<4>(a, &d)];
    // Row by row: builds with debug assertions copy a slice through memory.
    let mut out = [0; 25];
    out.as_chunks_mut().0.iter_mut().zip(rows).for_each(|(out, row)| *out = row);
    out[0] ^= rc;
    out
}

/// Row Y after theta, rho, pi and chi.
#[inline(always)]
fn row<const Y: usize>(a: &[u64; 25], d: &[u64; 5]) -> [u64; 5] {
    macro_rules! b {
        ($x:literal) => {
            (a[const { pi_lane($x, Y) }] ^ d[const { pi_column($x, Y) }])
                .rotate_left(const { RHO[pi_lane($x, Y)] })
        };
    }
    let (b0, b1, b2, b3, b4) = (b!(0), b!(1), b!(2), b!(3), b!(4));
    [
        chi::<0, Y>(b0, b1, b2),
        chi::<1, Y>(b1, b2, b3),
        chi::<2, Y>(b2, b3, b4),
        chi::<3, Y>(b3, b4, b0),
        chi::<4, Y>(b4, b0, b1),
    ]
}

/// b ^ (!b1 & b2) for lane (X, Y), from lanes of which some are complemented, and itself complemented where
/// `COMPLEMENTED` asks for it.
#[inline(always)]
fn chi<const X: usize, const Y: usize>(b: u64, b1: u64, b2: u64) -> u64 {
    b ^ and_not(b1, b2, const { (complemented(X + 1, Y), complemented(X + 2, Y), flipped(X, Y)) })
}

/// !b1 & b2, where it is said of b1, b2 and the result whether they are complemented: by De Morgan, one of and, or, and
/// or-not.
#[inline(always)]
const fn and_not(b1: u64, b2: u64, complemented: (bool, bool, bool)) -> u64 {
    match complemented {
        (true, false, false) => b1 & b2,
        (true, false, true) => !(b1 & b2),
        (false, true, false) => !(b1 | b2),
        (false, true, true) => b1 | b2,
        (false, false, false) => !b1 & b2,
        (false, false, true) => b1 | !b2,
        (true, true, false) => b1 & !b2,
        (true, true, true) => !b1 | b2,
    }
}

/// Whether lane (x, y) reaches chi complemented: theta adds two column parities to what pi moves there.
const fn complemented(x: usize, y: usize) -> bool {
    let x = mod5(x);
    let column = pi_column(x, y);
    COMPLEMENTED[pi_lane(x, y)] ^ odd_column(column + 4) ^ odd_column(column + 1)
}

/// Whether the second operand of chi's xor has to be complemented for lane (x, y).
const fn flipped(x: usize, y: usize) -> bool {
    complemented(x, y) ^ COMPLEMENTED[x + 5 * y]
}

const fn odd_column(x: usize) -> bool {
    let x = mod5(x);
    COMPLEMENTED[x] ^ COMPLEMENTED[x + 5] ^ COMPLEMENTED[x + 10] ^ COMPLEMENTED[x + 15] ^ COMPLEMENTED[x + 20]
}

#[cfg(test)]
mod tests {
    use crate::sponge::keccak::check;

    #[test]
    fn complements_of_and_not_are_those_of_its_parts() {
        let (a, b) = (0x0f0f_3333_ffff_0000, 0x3355_00ff_5a5a_1234);
        for [i, j, k] in (0..8).map(|set| [0, 1, 2].map(|bit| set >> bit & 1 == 1)) {
            let turn = |word: u64, complemented| if complemented { !word } else { word };
            assert_eq!(super::and_not(turn(a, i), turn(b, j), (i, j, k)), turn(!a & b, k), "{i} {j} {k}");
        }
    }

    #[test]
    fn permutes_one_state() {
        check::<1>(1, |state| super::permute(state.as_flattened_mut().try_into().expect("25 lanes")));
    }
}
