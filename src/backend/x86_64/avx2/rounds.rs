//! Keccak's rounds for four states with AVX2, in an order that was found by search.
//!
//! A round is 184 instructions on vectors, a quarter of a cycle each where there are four vector pipes: 46 cycles. What a
//! compiler makes of it row by row takes 57 on Zen 5, whatever the order in the source, and this 51. Shifts run on two of
//! the four pipes, so it matters that they do not come in bunches. The order here is mixed: while chi of one row is made,
//! lanes of the next are rotated. For that it needs registers, and has them because most sums of columns are made late, of
//! lanes that are read again from memory.
//!
//! The orders and the registers are tables, `four.rs` and `four_intel.rs` in `orders`, which `tools/reorder` has written and
//! checks: its README says how. The first was found by measuring on Zen 5. Intel's cores have three vector ports and so need 61.3
//! cycles at least; the second is for them: it was found by measuring on Emerald Rapids, where it takes 63 and the first 64, and by
//! llvm-mca's model of Skylake, which has 62 and 66. This file says what instruction a step is and where operands come from.
//!
//! The state goes from the caller's place to a second one and back, two rounds a turn: so no lane is copied.
//!
//! # What the assembly relies on
//!
//! - Every register that it writes is an operand. It does not use the stack.
//! - It touches the memory that the pointers give, to the two states, the constants and the controls of the byte shuffle, no other.
//! - Lanes are read and written by instructions that want no alignment.
//! - VZEROUPPER follows from the compiler, which has the sums of columns in such registers itself. That wipes nothing.

use core::arch::asm;
use core::arch::x86_64::__m256i;
use core::mem::MaybeUninit;

use crate::backend::x86_64::orders::{four, four_intel};
use crate::backend::x86_64::{address, cpu};

/// Instructions on registers by their numbers, the first of which is written; lanes of the state before the round and of
/// that after it; and the place of the round's constant.
macro_rules! step {
    ($from:literal, $to:literal, $constant:literal, xor $r:literal = $a:literal, $b:literal) => {
        concat!("vpxor ymm", $r, ", ymm", $a, ", ymm", $b, "\n")
    };
    ($from:literal, $to:literal, $constant:literal, or $r:literal = $a:literal, $b:literal) => {
        concat!("vpor ymm", $r, ", ymm", $a, ", ymm", $b, "\n")
    };
    ($from:literal, $to:literal, $constant:literal, and_not $r:literal = $a:literal, $b:literal) => {
        concat!("vpandn ymm", $r, ", ymm", $a, ", ymm", $b, "\n")
    };
    // to the left by 1: an addition runs on more ports than a shift
    ($from:literal, $to:literal, $constant:literal, double $r:literal = $a:literal) => {
        concat!("vpaddq ymm", $r, ", ymm", $a, ", ymm", $a, "\n")
    };
    ($from:literal, $to:literal, $constant:literal, left $r:literal = $a:literal, $n:literal) => {
        concat!("vpsllq ymm", $r, ", ymm", $a, ", ", $n, "\n")
    };
    ($from:literal, $to:literal, $constant:literal, right $r:literal = $a:literal, $n:literal) => {
        concat!("vpsrlq ymm", $r, ", ymm", $a, ", ", $n, "\n")
    };
    // a rotation by whole bytes
    ($from:literal, $to:literal, $constant:literal, bytes $r:literal = $a:literal, 8) => {
        concat!("vpshufb ymm", $r, ", ymm", $a, ", [{controls}]\n")
    };
    ($from:literal, $to:literal, $constant:literal, bytes $r:literal = $a:literal, 56) => {
        concat!("vpshufb ymm", $r, ", ymm", $a, ", [{controls} + 32]\n")
    };
    // a lane of the state before, or one that this round has stored
    ($from:literal, $to:literal, $constant:literal, xor_from $r:literal = $a:literal, $lane:literal) => {
        concat!("vpxor ymm", $r, ", ymm", $a, ", [{", $from, "} + 32 * ", $lane, "]\n")
    };
    ($from:literal, $to:literal, $constant:literal, xor_made $r:literal = $a:literal, $lane:literal) => {
        concat!("vpxor ymm", $r, ", ymm", $a, ", [{", $to, "} + 32 * ", $lane, "]\n")
    };
    ($from:literal, $to:literal, $constant:literal, store $a:literal, $lane:literal) => {
        concat!("vmovdqu [{", $to, "} + 32 * ", $lane, "], ymm", $a, "\n")
    };
    ($from:literal, $to:literal, $constant:literal, constant $r:literal) => {
        concat!("vpbroadcastq ymm", $r, ", qword ptr [{constant} + 8 * ", $constant, "]\n")
    };
}

/// A step of a round from the caller's state to the second one, with the constant at hand.
macro_rules! there {
    ($($step:tt)+) => { step!("state", "second", "0", $($step)+) };
}

/// A step of the next round, back again.
macro_rules! back {
    ($($step:tt)+) => { step!("second", "state", "1", $($step)+) };
}

/// `rounds!(lines; state, second, sums, constant; operands)`: these lines, with the sums of the columns, before and after, in
/// registers 0 to 4.
macro_rules! rounds {
    ($($line:expr),+; $state:expr, $second:expr, $sums:expr, $constant:expr; $($end:tt)*) => {
        asm!(
            $($line,)+
            state = in(reg) address($state.as_mut_ptr()),
            second = in(reg) address($second.as_mut_ptr()),
            controls = in(reg) address(core::ptr::from_ref(&CONTROLS).cast_mut()),
            constant = inout(reg) address($constant.cast_mut()) => _,
            $($end)*
            inout("ymm0") $sums[0], inout("ymm1") $sums[1], inout("ymm2") $sums[2], inout("ymm3") $sums[3],
            inout("ymm4") $sums[4], out("ymm5") _, out("ymm6") _, out("ymm7") _, out("ymm8") _, out("ymm9") _,
            out("ymm10") _, out("ymm11") _, out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
            options(nostack)
        )
    };
}

/// The `vpshufb` controls that rotate each 64-bit lane left by one byte and by seven, in one cache line.
#[repr(C, align(64))]
struct Controls([[u64; 4]; 2]);

static CONTROLS: Controls = Controls([rotate_bytes(1), rotate_bytes(7)]);

const fn rotate_bytes(n: u32) -> [u64; 4] {
    // Byte j of the control names the source byte j - n of the same lane; indices are per 128-bit half.
    let low = 0x0706_0504_0302_0100_u64.rotate_left(8 * n);
    let high = low + 0x0808_0808_0808_0808;
    [low, high, low, high]
}

/// A second state. Where it begins, a cache line does: none of its lanes is in two.
#[repr(C, align(64))]
struct Second(MaybeUninit<[[u64; 4]; 25]>);

/// Runs rounds on four states, one a slot, and takes the sums of the columns.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn all<const R: usize>(state: &mut [[u64; 4]; 25], sums: &mut [__m256i; 5], constants: &[u64; R]) {
    let mut second = Second(MaybeUninit::uninit());
    if cpu::intel() {
        all_in::<true, R>(state, &mut second, sums, constants);
    } else {
        all_in::<false, R>(state, &mut second, sums, constants);
    }
}

/// The same in the order for Intel's processors, or in the other.
#[inline]
#[target_feature(enable = "avx2")]
fn all_in<const INTEL: bool, const R: usize>(
    state: &mut [[u64; 4]; 25],
    second: &mut Second,
    sums: &mut [__m256i; 5],
    constants: &[u64; R],
) {
    const {
        assert!(
            R > 0 && R.is_multiple_of(2),
            "two rounds are run before the first look whether there are more"
        )
    };
    let constants = constants.as_ptr_range();
    macro_rules! run {
        ($order:ident) => {
            rounds!(
                ".p2align 6",
                "2:",
                $order!(there),
                $order!(back),
                "add {constant}, 16",
                "cmp {constant}, {end}",
                "jne 2b";
                state, second.0, sums, constants.start;
                end = in(reg) address(constants.end.cast_mut()),
            )
        };
    }
    // SAFETY: ASM; the 25 rows of `state` are read and written, as many of `second` are written and then read, and as many
    // constants as there are read.
    unsafe {
        if INTEL {
            run!(four_intel);
        } else {
            run!(four);
        }
    }
}

/// One round, for proofs: in either order, as the first of two a turn or as the second. The sums of the columns are those
/// before and after.
#[target_feature(enable = "avx2")]
pub(super) fn one<const INTEL: bool, const FIRST: bool>(
    state: &mut [[u64; 4]; 25],
    sums: &mut [__m256i; 5],
    rc: u64,
) -> [[u64; 4]; 25] {
    let (mut second, constants) = ([[0; 4]; 25], if FIRST { [rc, 0] } else { [0, rc] });
    // SAFETY: ASM; the 25 rows of `state` are read, those of `second` are written and read, and so is a constant.
    unsafe {
        match (INTEL, FIRST) {
            (false, true) => rounds!(four!(there); state, second, sums, constants.as_ptr();),
            (false, false) => rounds!(four!(back); second, state, sums, constants.as_ptr();),
            (true, true) => rounds!(four_intel!(there); state, second, sums, constants.as_ptr();),
            (true, false) => rounds!(four_intel!(back); second, state, sums, constants.as_ptr();),
        }
    }
    second
}

#[cfg(test)]
mod tests {
    use super::{Second, all_in};
    use crate::backend::x86_64::avx2::Avx2;
    use crate::backend::x86_64::avx2::keccak::parities;
    use crate::sponge::keccak::{ROUND_CONSTANTS, check};
    use core::mem::MaybeUninit;

    #[target_feature(enable = "avx2")]
    fn permute<const INTEL: bool>(state: &mut [[u64; 4]; 25]) {
        let (mut sums, mut second) = (parities(state), Second(MaybeUninit::uninit()));
        all_in::<INTEL, _>(state, &mut second, &mut sums, &ROUND_CONSTANTS);
    }

    #[test]
    fn both_orders_permute() {
        if crate::backend::conformance::present("avx2", Avx2::detect()).is_some() {
            // SAFETY: TOKEN; AVX2 was found.
            check::<4>(4, |state| unsafe { permute::<false>(state) });
            // SAFETY: TOKEN; AVX2 was found.
            check::<4>(4, |state| unsafe { permute::<true>(state) });
        }
    }
}
