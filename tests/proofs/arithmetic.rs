//! The leaves of all arithmetic on every input, and the sums that end in a full reduction.

use std::collections::BTreeSet;

use kemstone::backend::poly::{Canonical, Lazy, N, Noise, Poly, Q, Range};
use kemstone::backend::probe::Probe;
use kemstone::backend::tables::{RESTORE, RESTORE_AND_SCALE, ZETAS, centred};

use crate::model;
use crate::support::{Covered, Residues, pack, turns};

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

/// `Compress_d(a mod q)` for every 16-bit number, by the model.
struct Compressed(Vec<i16>);

impl Compressed {
    fn to(d: u32) -> Self {
        let residues = Residues::get();
        let of_residue: Vec<i16> = (0..Q as i64).map(|x| model::compress(d, x) as i16).collect();
        Self((i16::MIN..=i16::MAX).map(|a| of_residue[residues.of(a) as usize]).collect())
    }

    #[inline(always)]
    fn of(&self, a: i16) -> i16 {
        self.0[(a as u16 ^ 1 << 15) as usize]
    }
}

/// `sub_compress`: every element of a range with the other's extremes, in every position. All depends on the difference
/// only, which an assertion in `poly.rs` keeps within 16 bits.
pub(crate) fn compressed_differences<B: Probe>(backend: B) -> Covered {
    const EDGES: [i16; 6] = [0, 1, HALF, HALF + 1, Q - 2, Q - 1];
    const FAR: [i16; 6] = [Lazy::MIN, Lazy::MIN + 1, -1, 0, Lazy::MAX - 1, Lazy::MAX];
    let table = Compressed::to(1);
    let (mut v, mut f) = (Poly::<Canonical>::ZERO, Poly::<Lazy>::ZERO);
    let mut inputs = 0;
    let mut check = |v: &Poly<Canonical>, f: &Poly<Lazy>| {
        // Each is read once: to read is to check its range in a debug build.
        let (vs, fs) = (v.coefficients(), f.coefficients());
        let (mut m, mut expected) = ([0xa5; 32], [0; 32]);
        backend.sub_compress(v, f, &mut m);
        let bits: [i16; N] = core::array::from_fn(|i| table.of(vs[i] - fs[i]));
        pack::<1>(&bits, &mut expected);
        assert!(m == expected, "{vs:?} - {fs:?}");
        inputs += N as u64;
    };
    let (lazy, canonical) = (values::<Lazy>(), values::<Canonical>());
    for turn in turns(6) {
        *v.storage() = core::array::from_fn(|i| EDGES[(turn + i) % 6]);
        for start in turns(lazy.len() - N) {
            f.storage().copy_from_slice(&lazy[start..start + N]);
            check(&v, &f);
        }
        *f.storage() = core::array::from_fn(|i| FAR[(turn + i) % 6]);
        for start in turns(canonical.len() - N) {
            v.storage().copy_from_slice(&canonical[start..start + N]);
            check(&v, &f);
        }
    }
    Covered::new("settled", inputs, "d = 1: every number in every position with the others' extremes (P4)")
}

/// `add_compress` and `add_message_compress` against the model: every element of a range with every value of noise, and
/// every bit, in every position. All depends on the sum only, which an assertion in `poly.rs` keeps within 16 bits.
pub(crate) fn compressed_sums<B: Probe>(backend: B) -> Covered {
    let inputs = compressed_sums_to::<B, 4, 128>(backend)
        + compressed_sums_to::<B, 5, 160>(backend)
        + compressed_sums_to::<B, 10, 320>(backend)
        + compressed_sums_to::<B, 11, 352>(backend);
    Covered::new("settled", inputs, "d = 4, 5, 10, 11: every summand in every position with the others' (P4)")
}

fn compressed_sums_to<B: Probe, const D: usize, const L: usize>(backend: B) -> u64 {
    let table = Compressed::to(D as u32);
    let (mut f, mut e) = (Poly::<Lazy>::ZERO, Poly::<Noise>::ZERO);
    let lazy = values::<Lazy>();
    let mut inputs = 0;
    // 14 turns: all pairs of the seven noise values and the two bits.
    for turn in turns(14) {
        *e.storage() = core::array::from_fn(|i| ((turn + i) % 7) as i16 - 3);
        let m = [[0x55, 0xaa][turn & 1]; 32];
        let mu: [i16; N] = core::array::from_fn(|i| if m[i >> 3] >> (i & 7) & 1 == 1 { HALF + 1 } else { 0 });
        let others: [i16; N] = core::array::from_fn(|i| e.coefficients()[i] + mu[i]);
        for start in turns(lazy.len() - N) {
            f.storage().copy_from_slice(&lazy[start..start + N]);
            let (mut b, mut expected) = ([0xa5; L], [0; L]);
            let fs = f.coefficients();
            let values: [i16; N] = core::array::from_fn(|i| table.of(fs[i] + others[i]));
            pack::<D>(&values, &mut expected);
            backend.add_message_compress(&f, &e, &m, &mut b);
            assert!(b == expected, "{fs:?}, {:?}, {m:?}", e.coefficients());
            if turn < 7 {
                let values: [i16; N] = core::array::from_fn(|i| table.of(fs[i] + others[i] - mu[i]));
                pack::<D>(&values, &mut expected);
                backend.add_compress(&f, &e, &mut b);
                assert!(b == expected, "{fs:?}, {:?}", e.coefficients());
                inputs += N as u64;
            }
            inputs += N as u64;
        }
    }
    inputs
}
