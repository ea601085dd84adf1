//! The leaves of all arithmetic on every input, and the sums that end in a full reduction.

use std::collections::BTreeSet;

use kemstone::backend::poly::{Canonical, Lazy, N, Noise, Poly, Q, Range, Sums};
use kemstone::backend::probe::Probe;
use kemstone::backend::tables::{RESTORE, RESTORE_AND_SCALE, ZETAS, centred};

use crate::support::{Covered, Residues, turns};

const HALF: i16 = (Q - 1) >> 1;

/// q^-1 modulo 2^64.
const Q_INVERSE: i64 = {
    let (mut x, mut step) = (1i64, 0);
    while step < 6 {
        x = x.wrapping_mul(2i64.wrapping_sub(x.wrapping_mul(Q as i64)));
        step += 1;
    }
    x
};
const _: () = assert!(Q_INVERSE.wrapping_mul(Q as i64) == 1);

/// Whether q divides `d`, |d| < 2^31: its quotient modulo 2^32 is then small.
#[inline(always)]
fn divisible(d: i32) -> bool {
    const MOST: i32 = i32::MAX / Q as i32;
    d.wrapping_mul(Q_INVERSE as i32).wrapping_add(MOST) as u32 <= 2 * MOST as u32
}

/// The numbers from `start` on, beginning again after the last.
fn window(start: usize) -> [i16; N] {
    spread(start, 1)
}

fn spread(start: usize, step: usize) -> [i16; N] {
    core::array::from_fn(|i| (start + step * i) as i16)
}

/// Turns that bring every number to every position, beside others in each half of them.
fn spreads() -> impl Iterator<Item = [i16; N]> {
    [1, 40503].into_iter().flat_map(|step| turns(1 << 16).map(move |start| spread(start, step)))
}

/// Checks products of `a` by `b`; true if all are right.
#[inline(always)]
fn products_are_right<B: Probe>(backend: B, a: &[i16; N], b: i16) -> bool {
    let mut r = *a;
    backend.montgomery_multiply(&mut r, b);
    a.iter().zip(&r).fold(true, |right, (&a, &r)| {
        right
            & divisible(((r as i32) << B::MONTGOMERY) - a as i32 * b as i32)
            & ((r as i32).abs() <= B::product((a as i32).abs()).min(B::PRODUCT))
    })
}

/// r 2^MONTGOMERY = a b (mod q), and r within its bounds.
pub(crate) fn montgomery_multiply<B: Probe>(backend: B) -> Covered {
    let mut inputs = 0;
    let mut check = |start: usize, b: i16| {
        inputs += N as u64;
        assert!(products_are_right(backend, &window(start), b), "{b} times {start} and what follows");
    };
    // Every number by every centred constant, in lanes that differ from constant to constant.
    for b in turns(Q as usize) {
        for start in (0..1 << 16).step_by(N) {
            check(start + b, b as i16 - HALF);
        }
    }
    // Every constant in use, every number in every lane.
    let scaled = |zeta: i16| centred(zeta as i64 * RESTORE_AND_SCALE as i64 * 169);
    let zetas = ZETAS.iter().flat_map(|&zeta| [zeta, -zeta, scaled(zeta), -scaled(zeta)]);
    // They bring the factor 2^16 with them that Montgomery multiplication takes away.
    let prepared = |b: i16| if B::MONTGOMERY == 16 { b } else { centred(b as i64 * 169) };
    let constants: BTreeSet<i16> = zetas.chain([RESTORE, RESTORE_AND_SCALE]).map(prepared).collect();
    for (n, &b) in constants.iter().enumerate() {
        for lane in turns(B::LANES) {
            for start in (0..1 << 16).step_by(N) {
                check(start + lane, b);
            }
        }
        assert!(n < 600);
    }
    let what = format!(
        "every number x every centred constant; x the {} in use in each of {} lanes",
        constants.len(),
        B::LANES
    );
    Covered::new("exhaustive", inputs, what)
}

/// As `montgomery_multiply`, without a choice of constants.
pub(crate) fn every_product_in_every_lane<B: Probe>(backend: B) -> Covered {
    let mut inputs = 0;
    for b in turns(Q as usize) {
        for lane in 0..B::LANES {
            for start in (0..1 << 16).step_by(N) {
                let b = b as i16 - HALF;
                assert!(products_are_right(backend, &window(start + lane), b), "{b}, {start}, {lane}");
                inputs += N as u64;
            }
        }
    }
    Covered::new("exhaustive", inputs, "every number x every centred constant x every lane")
}

/// Checks reductions: r 2^16 = a (mod q), and r 2^16 is at most a + q 2^15 + 2^16 from zero.
fn reductions_are_right<B: Probe>(backend: B, a: &[i32; N]) -> bool {
    const MOST: i64 = i64::MAX / Q as i64;
    let mut r = [0; N];
    backend.montgomery_reduce(a, &mut r);
    a.iter().zip(&r).fold(true, |right, (&a, &r)| {
        let (a, r) = (a as i64, (r as i64) << 16);
        let quotient = (r - a).wrapping_mul(Q_INVERSE);
        right
            & (quotient.wrapping_add(MOST) as u64 <= 2 * MOST as u64)
            & (r.abs() <= a.abs() + ((Q as i64 + 2) << 15))
    })
}

pub(crate) fn montgomery_reduce<B: Probe>(backend: B) -> Covered {
    const MOST: i32 = 1 << 14;
    let mut inputs = 0;
    let mut check = |number: &dyn Fn(usize) -> (i32, u16)| {
        let a = core::array::from_fn(|i| {
            let (high, low) = number(i);
            (high << 16 | low as i32).clamp(-1 << 30, 1 << 30)
        });
        assert!(reductions_are_right(backend, &a), "{a:?}");
        inputs += N as u64;
    };
    // Every low half in every lane, under the high halves 0 and -1 by turns.
    for start in turns(1 << 16) {
        check(&|i| (-((start >> 8 & 1) as i32), (start + i) as u16));
    }
    // Every low half under some high halves, every high half over some low halves.
    for turn in turns(64) {
        let high = [-MOST, MOST - 1, -1, 1][turn & 3] + [0, 1, -1, 311][turn >> 2 & 3] * (turn >> 4) as i32;
        for start in (0..1 << 16).step_by(N) {
            check(&|i| (high.clamp(-MOST, MOST - 1), (start + turn + i) as u16));
        }
        let low = [0, 1, 0x7fff, 0x8000, 0xffff, 0x5555, 3329, 62209][turn & 7] + 997 * (turn >> 3);
        for start in (0..2 * MOST).step_by(N) {
            check(&|i| (-MOST + (start + (i as i32 + turn as i32)) % (2 * MOST), low as u16));
        }
    }
    Covered::new("settled", inputs, "every low half, every high half (P7)")
}

/// Without the premise that the halves do not meet.
pub(crate) fn every_sum_of_products<B: Probe>(backend: B) -> Covered {
    let mut inputs = 0;
    for block in turns(1 << 23) {
        let start = (block << 8) as i32 - (1 << 30);
        // A block begins where its number says, so that lanes change.
        let a = core::array::from_fn(|i| start + ((i + (block >> 8)) & 255) as i32);
        assert!(reductions_are_right(backend, &a), "from {start}");
        inputs += N as u64;
    }
    assert!(reductions_are_right(backend, &[1 << 30; N]));
    Covered::new("exhaustive", inputs + 1, "every |a| <= 2^30")
}

/// A number congruent to a and within its bound.
pub(crate) fn barrett_reduce<B: Probe>(backend: B) -> Covered {
    let residues = Residues::get();
    let bounds: Vec<i32> = (0..=1 << 15).map(B::reduced).collect();
    let mut inputs = 0;
    for a in spreads() {
        let mut r = a;
        backend.barrett_reduce(&mut r);
        for (a, r) in a.into_iter().zip(r) {
            assert_eq!(residues.of(a), residues.of(r), "{a}");
            assert!((r as i32).abs() <= bounds[a.unsigned_abs() as usize], "{a}");
        }
        inputs += N as u64;
    }
    Covered::new("exhaustive", inputs, "every number in every position")
}

pub(crate) fn canonicalise<B: Probe>(backend: B) -> Covered {
    let residues = Residues::get();
    let mut inputs = 0;
    for a in spreads() {
        let mut r = a;
        backend.canonicalise(&mut r);
        assert_eq!(r, a.map(|a| residues.of(a)), "{a:?}");
        inputs += N as u64;
    }
    Covered::new("exhaustive", inputs, "every number in every position")
}

/// The numbers of a range, over and over: windows begin at any of them.
fn values<R: Range>() -> Vec<i16> {
    let once: Vec<i16> = (R::MIN..=R::MAX).collect();
    once.iter().copied().cycle().take(once.len() + N).collect()
}

/// `add`, `add_message` and `sub`: every element of a range with the others' extremes, in every position. All
/// depends on the sum only, which both assertions in `poly.rs` keep within 16 bits.
pub(crate) fn sums<B: Probe>(backend: B) -> Covered {
    const EDGES: [i16; 6] = [0, 1, HALF, HALF + 1, Q - 2, Q - 1];
    const FAR: [i16; 6] = [Lazy::MIN, Lazy::MIN + 1, -1, 0, Lazy::MAX - 1, Lazy::MAX];
    let residues = Residues::get();
    let (mut f, mut e) = (Poly::<Lazy>::ZERO, Poly::<Noise>::ZERO);
    let (mut mu, mut out) = (Poly::<Canonical>::ZERO, Poly::<Canonical>::ZERO);
    let mut inputs = 0;
    let mut check = |f: &Poly<Lazy>, e: &Poly<Noise>, mu: &Poly<Canonical>, with_add: bool| {
        // Each is read once: to read is to check its range in a debug build.
        let (fs, es, mus) = (f.coefficients(), e.coefficients(), mu.coefficients());
        let compare = |out: &Poly<Canonical>, name: &str, expected: &dyn Fn(usize) -> i16| {
            let expected: [i16; N] = core::array::from_fn(|i| residues.of(expected(i)));
            assert!(*out.coefficients() == expected, "{name} of {fs:?}, {es:?}, {mus:?}");
        };
        backend.add_message(f, e, mu, &mut out);
        compare(&out, "add_message", &|i| fs[i] + es[i] + mus[i]);
        inputs += N as u64;
        if with_add {
            backend.add(f, e, &mut out);
            compare(&out, "add", &|i| fs[i] + es[i]);
            backend.sub(mu, f, &mut out);
            compare(&out, "sub", &|i| mus[i] - fs[i]);
            inputs += 2 * N as u64;
        }
    };
    let (lazy, canonical) = (values::<Lazy>(), values::<Canonical>());
    // 42 turns: all pairs of the seven noise values and the six edges.
    for turn in turns(42) {
        *e.storage() = core::array::from_fn(|i| ((turn + i) % 7) as i16 - 3);
        *mu.storage() = core::array::from_fn(|i| EDGES[(turn + i) % 6]);
        for start in turns(lazy.len() - N) {
            f.storage().copy_from_slice(&lazy[start..start + N]);
            check(&f, &e, &mu, turn < 7);
        }
        *f.storage() = core::array::from_fn(|i| FAR[(turn + i) % 6]);
        for start in turns(canonical.len() - N) {
            mu.storage().copy_from_slice(&canonical[start..start + N]);
            check(&f, &e, &mu, true);
        }
    }
    Covered::new("settled", inputs, "every summand in every position with the others' extremes (P4)")
}

/// `add_compress` and `add_message_compress` against `add`, `add_message` and `compress`, which have proofs of their own:
/// every element of a range with every value of noise, and every bit, in every position.
pub(crate) fn compressed_sums<B: Probe>(backend: B) -> Covered {
    let inputs = compressed_sums_to::<B, 128>(backend)
        + compressed_sums_to::<B, 160>(backend)
        + compressed_sums_to::<B, 320>(backend)
        + compressed_sums_to::<B, 352>(backend);
    Covered::new("settled", inputs, "d = 4, 5, 10, 11: every summand in every position with the others' (P4)")
}

fn compressed_sums_to<B: Probe, const L: usize>(backend: B) -> u64 {
    let (mut f, mut e) = (Poly::<Lazy>::ZERO, Poly::<Noise>::ZERO);
    let (mut mu, mut sum, mut sums) = (Poly::<Canonical>::ZERO, Poly::<Canonical>::ZERO, Sums::ZERO);
    let (mut expected, mut b) = ([0; L], [0; L]);
    let lazy = values::<Lazy>();
    let mut inputs = 0;
    // 14 turns: all pairs of the seven noise values and the two bits.
    for turn in turns(14) {
        *e.storage() = core::array::from_fn(|i| ((turn + i) % 7) as i16 - 3);
        let m = [[0x55, 0xaa][turn & 1]; 32];
        backend.decompress(&m, &mut mu);
        for start in turns(lazy.len() - N) {
            f.storage().copy_from_slice(&lazy[start..start + N]);
            backend.add_message(&f, &e, &mu, &mut sum);
            backend.compress(&sum, &mut expected);
            backend.add_message_compress(&f, &e, &m, &mut sums, &mut b);
            assert_eq!(b, expected, "{:?}, {:?}, {m:?}", f.coefficients(), e.coefficients());
            if turn < 7 {
                backend.add(&f, &e, &mut sum);
                backend.compress(&sum, &mut expected);
                backend.add_compress(&f, &e, &mut sums, &mut b);
                assert_eq!(b, expected, "{:?}, {:?}", f.coefficients(), e.coefficients());
                inputs += N as u64;
            }
            inputs += N as u64;
        }
    }
    inputs
}
