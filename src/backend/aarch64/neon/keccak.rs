//! Keccak-f\[1600\]: one state in general registers, two in NEON's.
//!
//! A logical instruction rotates its second operand for nothing. The scalar permutation therefore never rotates a
//! lane by itself: every lane is kept rotated by some amount, its frame, and whatever combines two of
//! them combines them in the frame of one. Nothing of a round's rotations is left but its 101 logical
//! instructions.

use core::arch::aarch64::*;
use core::arch::asm;

use zeroize::Zeroize;

use crate::backend::aarch64::neon::keccak;
use crate::backend::aarch64::{at, at_mut, store_bytes};
use crate::backend::keccak::{RHO, ROUND_CONSTANTS, mod5, pi_column, pi_lane};

/// The column's lane, by y, in whose frame the column parity is summed, and whether that lane has the frame of
/// the lane two to its right in chi instead of its own.
///
/// A lane's frame after a round comes from those of the column parities before it, for they are added to it, and
/// the parities' frames are those of the lanes named here. That this goes round without a remainder, so
/// that all rounds are alike, is what this choice is for (`FRAMES` checks it).
const BASE: [(usize, bool); 5] = [(0, true), (1, false), (0, false), (2, true), (0, false)];

/// By how much what is kept must be rotated left to give the lane.
struct Frames {
    /// Lane (x, y) of the state, between rounds.
    lane: [u32; 25],
    /// Lane (x, y) on its way into chi.
    moved: [u32; 25],
    /// The sum of column x: the frame of its base lane.
    parity: [u32; 5],
}

const FRAMES: Frames = {
    let mut frames = Frames { lane: [0; 25], moved: [0; 25], parity: [0; 5] };
    // Going round the columns as often as there are columns reaches every one of them from column 0, whose frame is
    // 0: the round constant is then added as it is.
    let mut turn = 0;
    while turn < 5 {
        let mut x = 1;
        while x < 5 {
            frames.parity[x] = base_frame(x, &frames.parity);
            x += 1;
        }
        turn += 1;
    }
    assert!(base_frame(0, &frames.parity) == 0);
    let mut i = 0;
    while i < 25 {
        let (x, y) = (mod5(i), row_of(i));
        frames.moved[i] = moved_frame(x, y, &frames.parity);
        frames.lane[i] = if in_frame_of_second(x, y) {
            moved_frame(mod5(x + 2), y, &frames.parity)
        } else {
            frames.moved[i]
        };
        i += 1;
    }
    let mut x = 0;
    while x < 5 {
        assert!(frames.parity[x] == base_frame(x, &frames.parity));
        assert!(frames.parity[x] == frames.lane[x + 5 * BASE[x].0]);
        x += 1;
    }
    frames
};

pub(crate) const fn row_of(i: usize) -> usize {
    let (mut i, mut y) = (i, 0);
    while i >= 5 {
        (i, y) = (i - 5, y + 1);
    }
    y
}

const fn in_frame_of_second(x: usize, y: usize) -> bool {
    BASE[x].0 == y && BASE[x].1
}

/// The frame of what pi moves to lane (x, y): theta left it in that of the parity to its left.
const fn moved_frame(x: usize, y: usize, parity: &[u32; 5]) -> u32 {
    (parity[mod5(pi_column(x, y) + 4)] + RHO[pi_lane(x, y)]) & 63
}

const fn base_frame(x: usize, parity: &[u32; 5]) -> u32 {
    let (y, second) = BASE[x];
    moved_frame(if second { mod5(x + 2) } else { x }, y, parity)
}

/// The rotation, to the left, that brings what is in one frame to another.
const fn between(from: u32, to: u32) -> u32 {
    (from + 64 - to) & 63
}

/// The same for two lanes of the state.
const fn between_lanes(from: usize, to: usize) -> u32 {
    between(FRAMES.lane[from], FRAMES.lane[to])
}

/// The lanes of column x, the base lane last.
const fn column(x: usize) -> [usize; 5] {
    let (mut lanes, mut y, mut n) = ([x + 5 * BASE[x].0; 5], 0, 0);
    while y < 5 {
        if y != BASE[x].0 {
            lanes[n] = x + 5 * y;
            n += 1;
        }
        y += 1;
    }
    lanes
}

/// Keeps the compiler from computing anything with `d` before the row of `out` from index `i` on: rows in disorder
/// would need more registers than there are. No instruction.
macro_rules! in_order {
    (reg, $out:ident, $d:ident, $i:expr) => {
        $crate::backend::aarch64::neon::keccak::in_order!(
            reg "/* {0} {1} {2} {3} {4} {5} {6} {7} {8} {9} */", $out, $d, $i)
    };
    (vreg, $out:ident, $d:ident, $i:expr) => {
        $crate::backend::aarch64::neon::keccak::in_order!(
            vreg "/* {0:v} {1:v} {2:v} {3:v} {4:v} {5:v} {6:v} {7:v} {8:v} {9:v} */", $out, $d, $i)
    };
    ($class:ident $text:literal, $out:ident, $d:ident, $i:expr) => {
        // SAFETY: no instruction at all.
        unsafe {
            core::arch::asm!(
                $text,
                in($class) $out[$i],
                in($class) $out[$i + 1],
                in($class) $out[$i + 2],
                in($class) $out[$i + 3],
                in($class) $out[$i + 4],
                inout($class) $d[0],
                inout($class) $d[1],
                inout($class) $d[2],
                inout($class) $d[3],
                inout($class) $d[4],
                options(pure, nomem, nostack, preserves_flags)
            );
        }
    };
}
pub(crate) use in_order;

/// Permutes one state.
pub(crate) fn permute_x1(state: &mut [u64; 25]) {
    let mut a = enter(state);
    // Two rounds a turn: the second undoes the renaming of lanes of the first, so fewer moves are left.
    for rc in ROUND_CONSTANTS.as_chunks::<2>().0 {
        a = round_x1(&round_x1(&a, rc[0]), rc[1]);
    }
    leave(&a, state);
}

/// Brings every lane to its frame.
#[inline(always)]
pub(crate) fn enter(state: &[u64; 25]) -> [u64; 25] {
    core::array::from_fn(|i| state[i].rotate_right(FRAMES.lane[i]))
}

/// Brings every lane back.
#[inline(always)]
pub(crate) fn leave(a: &[u64; 25], state: &mut [u64; 25]) {
    for i in 0..25 {
        state[i] = a[i].rotate_left(FRAMES.lane[i]);
    }
}

/// One round of `permute_x1`, for proofs.
pub(crate) fn one_round_x1(state: &mut [u64; 25], rc: u64) {
    leave(&round_x1(&enter(state), rc), state);
}

/// One round of a state whose lanes are in their frames.
#[inline(always)]
pub(crate) fn round_x1(a: &[u64; 25], rc: u64) -> [u64; 25] {
    // The sum so far is brought to the frame of the next lane, that of the base lane last: no lane is rotated by
    // itself, and the compiler cannot change the order.
    macro_rules! parity {
        ($x:literal) => {{
            const LANES: [usize; 5] = column($x);
            let mut sum = a[LANES[0]];
            sum = a[LANES[1]] ^ sum.rotate_left(const { between_lanes(LANES[0], LANES[1]) });
            sum = a[LANES[2]] ^ sum.rotate_left(const { between_lanes(LANES[1], LANES[2]) });
            sum = a[LANES[3]] ^ sum.rotate_left(const { between_lanes(LANES[2], LANES[3]) });
            a[LANES[4]] ^ sum.rotate_left(const { between_lanes(LANES[3], LANES[4]) })
        }};
    }
    let c = [parity!(0), parity!(1), parity!(2), parity!(3), parity!(4)];
    // In the frame of the parity to the left.
    macro_rules! d {
        ($x:literal) => {{
            const LEFT: usize = mod5($x + 4);
            const RIGHT: usize = mod5($x + 1);
            c[LEFT] ^ c[RIGHT].rotate_left(const { between(FRAMES.parity[RIGHT] + 1, FRAMES.parity[LEFT]) })
        }};
    }
    let mut d = [d!(0), d!(1), d!(2), d!(3), d!(4)];
    macro_rules! b {
        ($x:literal, $y:literal) => {{
            const COLUMN: usize = pi_column($x, $y);
            const LANE: usize = pi_lane($x, $y);
            d[COLUMN]
                ^ a[LANE].rotate_left(const { between(FRAMES.lane[LANE], FRAMES.parity[mod5(COLUMN + 4)]) })
        }};
    }
    let mut out = *a;
    macro_rules! chi {
        ($b:ident, $x:literal, $y:literal) => {{
            const FIRST: usize = mod5($x + 1);
            const SECOND: usize = mod5($x + 2);
            const OWN: u32 = FRAMES.moved[$x + 5 * $y];
            const ITS: u32 = FRAMES.moved[SECOND + 5 * $y];
            let t = $b[SECOND] & !$b[FIRST].rotate_left(const { between(FRAMES.moved[FIRST + 5 * $y], ITS) });
            out[$x + 5 * $y] = if const { in_frame_of_second($x, $y) } {
                t ^ $b[$x].rotate_left(const { between(OWN, ITS) })
            } else {
                $b[$x] ^ t.rotate_left(const { between(ITS, OWN) })
            };
        }};
    }
    macro_rules! row {
        ($y:literal) => {
            let b = [b!(0, $y), b!(1, $y), b!(2, $y), b!(3, $y), b!(4, $y)];
            chi!(b, 0, $y);
            chi!(b, 1, $y);
            chi!(b, 2, $y);
            chi!(b, 3, $y);
            chi!(b, 4, $y);
        };
    }
    row!(0);
    in_order!(reg, out, d, 0);
    row!(1);
    in_order!(reg, out, d, 5);
    row!(2);
    in_order!(reg, out, d, 10);
    row!(3);
    in_order!(reg, out, d, 15);
    row!(4);
    out[0] ^= rc;
    out
}

/// A round of two states, one a column, row by row: `round_x2!(a, rc; (xor3, rax, xor_rol, chi, in_order))`.
///
/// `xor3(a, b, c)` is their sum, `rax(a, b)` is a + (b <<< 1), `xor_rol!(a, b, N)` is (a + b) <<< N, and `chi(a, b, c)`
/// is a + (~b)c. The last is `in_order`, or its like.
macro_rules! round_x2 {
    ($a:ident, $rc:expr; ($xor3:ident, $rax:ident, $xor_rol:ident, $chi:ident, $order:ident)) => {{
        use $crate::backend::keccak::{RHO, pi_column, pi_lane};
        let a: [uint64x2_t; 25] = $a;
        macro_rules! parity {
            ($x:literal) => {
                $xor3($xor3(a[$x], a[$x + 5], a[$x + 10]), a[$x + 15], a[$x + 20])
            };
        }
        let c = [parity!(0), parity!(1), parity!(2), parity!(3), parity!(4)];
        let mut d =
            [$rax(c[4], c[1]), $rax(c[0], c[2]), $rax(c[1], c[3]), $rax(c[2], c[4]), $rax(c[3], c[0])];
        let mut out = a;
        macro_rules! b {
            ($x:literal, $y:literal) => {{
                const LEFT: i32 = RHO[pi_lane($x, $y)] as i32;
                $xor_rol!(a[pi_lane($x, $y)], d[pi_column($x, $y)], LEFT)
            }};
        }
        macro_rules! row {
            ($y:literal) => {
                let b = [b!(0, $y), b!(1, $y), b!(2, $y), b!(3, $y), b!(4, $y)];
                out[5 * $y] = $chi(b[0], b[1], b[2]);
                out[5 * $y + 1] = $chi(b[1], b[2], b[3]);
                out[5 * $y + 2] = $chi(b[2], b[3], b[4]);
                out[5 * $y + 3] = $chi(b[3], b[4], b[0]);
                out[5 * $y + 4] = $chi(b[4], b[0], b[1]);
            };
        }
        row!(0);
        $order!(vreg, out, d, 0);
        row!(1);
        $order!(vreg, out, d, 5);
        row!(2);
        $order!(vreg, out, d, 10);
        row!(3);
        $order!(vreg, out, d, 15);
        row!(4);
        out[0] = veorq_u64(out[0], vdupq_n_u64($rc));
        out
    }};
}
pub(crate) use round_x2;

/// Runs rounds with these constants on the first two columns, of as many as there are:
/// `rounds_of_pair!(state, constants, [0, 1]; round_x2 (as it takes))`, with as many rounds a turn as there are numbers.
macro_rules! rounds_of_pair {
    ($state:ident, $constants:expr, [$($round:literal),+]; $round_x2:ident $instructions:tt) => {{
        let mut a: [uint64x2_t; 25] = core::array::from_fn(|i| keccak::load(at(&$state[i], 0)));
        for rc in $constants.as_chunks::<{ [$($round),+].len() }>().0 {
            $(a = $round_x2!(a, rc[$round]; $instructions);)+
        }
        for i in 0..25 {
            keccak::store(at_mut(&mut $state[i], 0), a[i]);
        }
    }};
}
pub(crate) use rounds_of_pair;

/// The same for three columns: two in vector registers, and meanwhile the third in general ones. Their rounds
/// alternate, and the processor runs them side by side as far as it looks ahead.
macro_rules! rounds_of_three {
    ($state:ident, $constants:expr, [$($round:literal),+]; $round_x2:ident $instructions:tt) => {{
        let mut a: [uint64x2_t; 25] = core::array::from_fn(|i| keccak::load(at(&$state[i], 0)));
        let mut third = core::array::from_fn(|i| $state[i][2]);
        let mut s = keccak::enter(&third);
        for rc in $constants.as_chunks::<{ [$($round),+].len() }>().0 {
            $(
                a = $round_x2!(a, rc[$round]; $instructions);
                s = keccak::round_x1(&s, rc[$round]);
            )+
        }
        keccak::leave(&s, &mut third);
        for i in 0..25 {
            keccak::store(at_mut(&mut $state[i], 0), a[i]);
            $state[i][2] = third[i];
        }
        zeroize::Zeroize::zeroize(&mut third);
    }};
}
pub(crate) use rounds_of_three;

/// A permutation and, for proofs, one round of it:
/// `permutation!(features, permute, one_round, states, macro, turn; round instructions)`.
macro_rules! permutation {
    (
        $(#[$doc:meta])*
        $features:literal, $permute:ident, $one_round:ident, $width:literal, $rounds:ident, $turn:tt;
        $round_x2:ident $instructions:tt
    ) => {
        $(#[$doc])*
        #[target_feature(enable = $features)]
        pub(crate) fn $permute(state: &mut [[u64; $width]; 25]) {
            $rounds!(state, ROUND_CONSTANTS, $turn; $round_x2 $instructions);
        }

        /// One round of the same, for proofs.
        #[target_feature(enable = $features)]
        pub(crate) fn $one_round(state: &mut [[u64; $width]; 25], rc: u64) {
            $rounds!(state, [rc], [0]; $round_x2 $instructions);
        }
    };
}
pub(crate) use permutation;

permutation! {
    /// Permutes three states.
    "neon", permute_x3, one_round_x3, 3, rounds_of_three, [0, 1]; round_x2 (xor3, rax, xor_rol, chi, in_order)
}

/// Permutes one state, that of a column.
pub(crate) fn permute_column<const W: usize>(state: &mut [[u64; W]; 25], column: usize) {
    on_column(state, column, permute_x1);
}

/// Runs `f` on the state of a column.
#[inline]
pub(crate) fn on_column<const W: usize>(
    state: &mut [[u64; W]; 25],
    column: usize,
    f: impl FnOnce(&mut [u64; 25]),
) {
    let mut lanes = core::array::from_fn(|i| state[i][column]);
    f(&mut lanes);
    for i in 0..25 {
        state[i][column] = lanes[i];
    }
    lanes.zeroize();
}

/// The first 22 lanes of every state, as the bytes of its block.
#[target_feature(enable = "neon")]
pub(crate) fn squeeze<const W: usize>(state: &[[u64; W]; 25], blocks: &mut [[u8; 192]; W]) {
    for (i, [low, high]) in state[..22].as_chunks().0.iter().enumerate() {
        let (x, y) = (load(at(low, 0)), load(at(high, 0)));
        store_bytes(at_mut(&mut blocks[0], 16 * i), vreinterpretq_u8_u64(vzip1q_u64(x, y)));
        store_bytes(at_mut(&mut blocks[1], 16 * i), vreinterpretq_u8_u64(vzip2q_u64(x, y)));
        for column in 2..W {
            *at_mut(&mut blocks[column], 16 * i) = low[column].to_le_bytes();
            *at_mut(&mut blocks[column], 16 * i + 8) = high[column].to_le_bytes();
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn xor3(a: uint64x2_t, b: uint64x2_t, c: uint64x2_t) -> uint64x2_t {
    veorq_u64(veorq_u64(a, b), c)
}

#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn rax(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t {
    // An addition runs on more pipes than a shift.
    veorq_u64(a, shift_in::<63>(vaddq_u64(b, b), b))
}

macro_rules! xor_rol {
    ($a:expr, $b:expr, $n:ident) => {{
        let sum = veorq_u64($a, $b);
        match $n {
            0 => sum,
            _ => shift_in::<{ (64 - $n) & 63 }>(vshlq_n_u64::<$n>(sum), sum),
        }
    }};
}
use xor_rol;

/// `high` with `low >> N` in its N-th bits from the top: SRI.
///
/// The intrinsic is no obstacle to the compiler's putting an addition of the shifted number, which is slower,
/// in its place.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn shift_in<const N: i32>(mut high: uint64x2_t, low: uint64x2_t) -> uint64x2_t {
    // SAFETY: an instruction on registers.
    unsafe {
        asm!("sri {0:v}.2d, {1:v}.2d, #{2}", inout(vreg) high, in(vreg) low, const N,
            options(pure, nomem, nostack, preserves_flags));
    }
    high
}

#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn chi(a: uint64x2_t, b: uint64x2_t, c: uint64x2_t) -> uint64x2_t {
    veorq_u64(a, vbicq_u64(c, b))
}

/// Loads two lanes.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn load(row: &[u64; 2]) -> uint64x2_t {
    // SAFETY: `row` is 16 readable bytes.
    unsafe { vld1q_u64(row.as_ptr()) }
}

/// Stores two lanes.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn store(row: &mut [u64; 2], v: uint64x2_t) {
    // SAFETY: `row` is 16 writable bytes.
    unsafe { vst1q_u64(row.as_mut_ptr(), v) }
}

#[cfg(test)]
mod tests {
    use crate::backend::keccak::check;

    #[test]
    fn permutes_one_state() {
        check::<1>(1, |state| super::permute_x1(state.as_flattened_mut().try_into().expect("25 lanes")));
    }

    #[test]
    fn permutes_three_states() {
        // SAFETY: this target has NEON.
        check::<3>(3, |state| unsafe { super::permute_x3(state) });
    }

    #[test]
    fn permutes_one_column() {
        check::<3>(1, |state| super::permute_column(state, 0));
    }
}
