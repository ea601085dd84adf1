//! FIPS 203, Algorithms 7 and 8: uniform and centred binomial sampling.

use core::mem::MaybeUninit;

use super::super::vector;
use super::encode::unpack12;
use crate::backend::poly::{Eta, N, Q};
use crate::sponge::fips202::XOF_BLOCK;

/// FIPS 203, Algorithm 7, lines 5 to 16, for one block. Variable time: the block is public.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn sample_ntt_block(block: &[u8; XOF_BLOCK], a_hat: &mut [i16; N], filled: usize) -> usize {
    let free = &mut a_hat[filled.min(N)..];
    let room: usize;
    // SAFETY: reads the bytes of the block, writes at most as many numbers as `free` has.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e8, m1, ta, ma",
            "vlseg3e8.v v1, ({b})",
            unpack12!("v1", "v2", "v3", "v4" => "v6", "v8"),
            // one after the other: even + 2^16 odd
            "vsetvli x0, {vl}, e16, m2, ta, ma",
            "vwaddu.vv v12, v6, v8",
            "vwmaccu.vx v12, {ones}, v8",
            "slli {t}, {vl}, 1",
            "vsetvli x0, {t}, e16, m4, ta, ma",
            "vmsltu.vx v0, v12, {q}",
            "vcpop.m {accepted}, v0",
            "vcompress.vm v16, v12, v0",
            // no more than there is room for
            "bleu {accepted}, {room}, 3f",
            "mv {accepted}, {room}",
            "3:",
            "vsetvli x0, {accepted}, e16, m4, ta, ma",
            "vse16.v v16, ({free})",
            "sub {room}, {room}, {accepted}",
            "slli {accepted}, {accepted}, 1",
            "add {free}, {free}, {accepted}",
            "sub {n}, {n}, {vl}",
            "add {t}, {t}, {vl}",
            "add {b}, {b}, {t}",
            "bnez {n}, 2b";
            b = inout(reg) block.as_ptr() => _, n = inout(reg) const { block_triples() } => _,
            free = inout(reg) free.as_mut_ptr() => _, room = inout(reg) free.len() => room,
            vl = out(reg) _, t = out(reg) _, accepted = out(reg) _,
            sixteen = in(reg) 16, ones = in(reg) 0xffff, q = in(reg) Q,
        )
    }
    if room == 0 {
        // SAFETY: the machine has V.
        unsafe { split_pairs(a_hat) };
    }
    N - room
}

/// Pairs of candidates in a block.
const fn block_triples() -> usize {
    let (mut triples, mut bytes) = (0, 0);
    while bytes < XOF_BLOCK {
        (triples, bytes) = (triples + 1, bytes + 3);
    }
    assert!(bytes == XOF_BLOCK);
    triples
}

/// From the standard's order to that of this backend.
///
/// # Safety
///
/// The machine has V.
unsafe fn split_pairs(a_hat: &mut [i16; N]) {
    let mut split = MaybeUninit::<[i16; N]>::uninit();
    // SAFETY: reads 128 pairs of `a_hat` into `split`, then `split` into `a_hat`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e16, m4, ta, ma",
            "vlseg2e16.v v0, ({from})",
            "vse16.v v0, ({to})",
            "addi {t}, {to}, 2 * 128",
            "vse16.v v4, ({t})",
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {to}, {to}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {from}, {from}, {vl}",
            "bnez {n}, 2b",
            // and back
            "addi {from}, {from}, -512",
            "addi {to}, {to}, -256",
            "li {n}, 256",
            "3:",
            "vsetvli {vl}, {n}, e16, m8, ta, ma",
            "vle16.v v0, ({to})",
            "vse16.v v0, ({from})",
            "sub {n}, {n}, {vl}",
            "slli {vl}, {vl}, 1",
            "add {from}, {from}, {vl}",
            "add {to}, {to}, {vl}",
            "bnez {n}, 3b";
            from = inout(reg) a_hat.as_mut_ptr() => _, to = inout(reg) split.as_mut_ptr() => _,
            n = inout(reg) N >> 1 => _, vl = out(reg) _, t = out(reg) _,
        )
    }
}

/// FIPS 203, Algorithm 8: |f| <= eta. Reads the first 64 eta bytes.
///
/// # Safety
///
/// The machine has V.
pub(crate) unsafe fn sample_poly_cbd(eta: Eta, b: &[u8], f: &mut [i16; N]) {
    let b = &b[..eta.bytes()];
    match eta {
        // SAFETY: `b` has 128 bytes.
        Eta::Two => unsafe { cbd2(b.as_ptr(), f) },
        // SAFETY: `b` has 192 bytes.
        Eta::Three => unsafe { cbd3(b.as_ptr(), f) },
    }
}

/// Two coefficients from a byte: bits 4i, 4i + 1 count up, 4i + 2, 4i + 3 down.
///
/// # Safety
///
/// The machine has V; there are 128 bytes.
unsafe fn cbd2(b: *const u8, f: &mut [i16; N]) {
    // SAFETY: reads 128 bytes, writes 256 numbers of `f`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e8, m2, ta, ma",
            "vle8.v v0, ({b})",
            // two-bit fields, each the sum of two neighbouring bits
            "vand.vx v2, v0, {even}",
            "vsrl.vi v0, v0, 1",
            "vand.vx v0, v0, {even}",
            "vadd.vv v0, v0, v2",
            "vand.vi v2, v0, 3",
            "vsrl.vi v4, v0, 2",
            "vand.vi v4, v4, 3",
            "vsub.vv v2, v2, v4",
            "vsrl.vi v4, v0, 4",
            "vand.vi v4, v4, 3",
            "vsrl.vi v6, v0, 6",
            "vsub.vv v4, v4, v6",
            "vsetvli x0, {vl}, e16, m4, ta, ma",
            "vsext.vf2 v8, v2",
            "vsext.vf2 v12, v4",
            "vsseg2e16.v v8, ({f})",
            "sub {n}, {n}, {vl}",
            "add {b}, {b}, {vl}",
            "slli {vl}, {vl}, 2",
            "add {f}, {f}, {vl}",
            "bnez {n}, 2b";
            b = inout(reg) b => _, f = inout(reg) f.as_mut_ptr() => _, n = inout(reg) 128usize => _,
            vl = out(reg) _, even = in(reg) 0x55,
        )
    }
}

/// Four coefficients from 24 bits: bits 6i to 6i + 2 count up, 6i + 3 to 6i + 5 down.
///
/// # Safety
///
/// The machine has V; there are 192 bytes.
unsafe fn cbd3(b: *const u8, f: &mut [i16; N]) {
    // SAFETY: reads 192 bytes, writes 256 numbers of `f`.
    unsafe {
        vector!(
            "2:",
            "vsetvli {vl}, {n}, e8, m1, ta, ma",
            "vlseg3e8.v v0, ({b})",
            // fields of six bits in v4 to v7; what is above them goes with the next mask
            "vmv.v.v v4, v0",
            "vsrl.vi v5, v0, 6",
            "vsll.vi v8, v1, 2",
            "vor.vv v5, v5, v8",
            "vsrl.vi v6, v1, 4",
            "vsll.vi v8, v2, 4",
            "vor.vv v6, v6, v8",
            "vsrl.vi v7, v2, 2",
            // the four of them as one: three-bit fields, each the sum of three neighbouring bits
            "vsetvli {t}, x0, e8, m4, ta, ma",
            "vand.vi v8, v4, 9",
            "vsrl.vi v12, v4, 1",
            "vand.vi v12, v12, 9",
            "vadd.vv v8, v8, v12",
            "vsrl.vi v12, v4, 2",
            "vand.vi v12, v12, 9",
            "vadd.vv v8, v8, v12",
            "vand.vi v12, v8, 7",
            "vsrl.vi v8, v8, 3",
            "vsub.vv v4, v12, v8",
            "vsetvli x0, {vl}, e16, m2, ta, ma",
            "vsext.vf2 v8, v4",
            "vsext.vf2 v10, v5",
            "vsext.vf2 v12, v6",
            "vsext.vf2 v14, v7",
            "vsseg4e16.v v8, ({f})",
            "sub {n}, {n}, {vl}",
            "slli {t}, {vl}, 1",
            "add {t}, {t}, {vl}",
            "add {b}, {b}, {t}",
            "slli {vl}, {vl}, 3",
            "add {f}, {f}, {vl}",
            "bnez {n}, 2b";
            b = inout(reg) b => _, f = inout(reg) f.as_mut_ptr() => _, n = inout(reg) 64usize => _,
            vl = out(reg) _, t = out(reg) _,
        )
    }
}
