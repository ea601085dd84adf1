//! The leaves of all arithmetic on every input, and the sums that end in a full reduction.

use kemstone::backend::poly::{Canonical, Lazy, N, Noise, Poly, Q, Range};
use kemstone::backend::probe::Probe;
use kemstone::backend::tables::{RESTORE, RESTORE_AND_SCALE, ZETAS, centred};

use crate::model;
use crate::support::{Covered, Q_INVERSE, Residues, Windows, divisible, turns};

const HALF: i16 = (Q - 1) >> 1;

/// Turns that bring every number to every position, beside others in each half of them.
fn spreads() -> impl Iterator<Item = [i16; N]> {
    let spread = |start: usize, step: usize| core::array::from_fn(|i| (start + step * i) as i16);
    [1, 40503].into_iter().flat_map(move |step| turns(1 << 16).map(move |start| spread(start, step)))
}

/// Every number, beginning again after the last so that `N` follow any of them, and what is expected of its product by a
/// constant.
struct Products {
    numbers: Vec<i16>,
    residues: Vec<i16>,
    bounds: Vec<u16>,
    inputs: u64,
}

impl Products {
    /// The bounds are those of `B`.
    fn new<B: Probe>() -> Self {
        // So that no difference from a residue leaves 16 bits.
        const { assert!(B::PRODUCT <= (i16::MAX - Q) as i32) };
        let bound = |a: i16| B::product((a as i32).abs()).min(B::PRODUCT) as u16;
        let numbers: Vec<i16> = (0..(1 << 16) + N).map(|a| a as i16).collect();
        let bounds = numbers.iter().map(|a| bound(*a)).collect();
        Self { residues: vec![0; numbers.len()], numbers, bounds, inputs: 0 }
    }

    /// The constant is `b`, and the products lack a factor of 2^`montgomery`.
    fn by(&mut self, b: i16, montgomery: u32) {
        let factor = model::mod_q(b as i64 * model::power((Q as i64 + 1) >> 1, montgomery));
        let mut of_residue: Vec<i16> = (0..Q as i64).map(|a| model::mod_q(a * factor) as i16).collect();
        of_residue.extend_from_within(..);
        // From 0 on, and from -2^15 on.
        for (half, first) in self.residues[..1 << 16].chunks_mut(1 << 15).zip([0, -1 << 15]) {
            for part in half.chunks_mut(Q as usize) {
                part.copy_from_slice(&of_residue[model::mod_q(first) as usize..][..part.len()]);
            }
        }
        self.residues.copy_within(..N, 1 << 16);
    }

    /// Checks the products of `N` numbers from `start` on as `multiply` computes them in their place.
    #[inline(always)]
    fn check(&mut self, start: usize, multiply: impl FnOnce(&mut [i16; N])) {
        let start = start & 0xffff;
        let mut r = [0; N];
        r.copy_from_slice(&self.numbers[start..][..N]);
        multiply(&mut r);
        assert!(
            are_right(&r, &self.residues[start..][..N], &self.bounds[start..][..N]),
            "the number {start} or one of those that follow"
        );
        self.inputs += N as u64;
    }
}

/// Whether products have these residues and are within their bounds.
fn are_right(r: &[i16; N], residues: &[i16], bounds: &[u16]) -> bool {
    let mut right = true;
    for ((r, residue), bound) in r.iter().zip(residues).zip(bounds) {
        right &= divisible(r.wrapping_sub(*residue)) & (r.unsigned_abs() <= *bound);
    }
    right
}

/// The constants in use, as they are multiplied by if the products lack a factor of 2^`montgomery`.
fn constants(montgomery: u32) -> Vec<i16> {
    let scaled = |zeta: i16| centred(zeta as i64 * RESTORE_AND_SCALE as i64 * 169);
    let zetas = ZETAS.iter().flat_map(|&zeta| [zeta, -zeta, scaled(zeta), -scaled(zeta)]);
    let mut in_use: Vec<i16> = zetas.chain([RESTORE, RESTORE_AND_SCALE]).collect();
    if montgomery == 0 {
        // They bring the factor 2^16 with them that Montgomery multiplication takes away.
        in_use.iter_mut().for_each(|b| *b = centred(*b as i64 * 169));
    }
    let constants: Vec<i16> = (-HALF..=HALF).filter(|b| in_use.contains(b)).collect();
    assert!(constants.len() < 600);
    constants
}

/// r 2^MONTGOMERY = a b (mod q), and r within its bounds.
pub(crate) fn montgomery_multiply<B: Probe>(backend: B) -> Covered {
    let mut products = Products::new::<B>();
    // Every number by every centred constant, in lanes that differ from constant to constant.
    for turn in turns(Q as usize) {
        let b = turn as i16 - HALF;
        products.by(b, B::MONTGOMERY);
        for start in (0..1 << 16).step_by(N) {
            products.check(start + turn, |r| backend.montgomery_multiply(r, b));
        }
    }
    // Every constant in use, every number in every lane.
    let constants = constants(B::MONTGOMERY);
    for &b in &constants {
        products.by(b, B::MONTGOMERY);
        for lane in turns(B::LANES) {
            for start in (0..1 << 16).step_by(N) {
                products.check(start + lane, |r| backend.montgomery_multiply(r, b));
            }
        }
    }
    let what = format!(
        "every number x every centred constant; x the {} in use in each of {} lanes",
        constants.len(),
        B::LANES
    );
    Covered::new("exhaustive", products.inputs, what)
}

/// As `montgomery_multiply`, without a choice of constants.
pub(crate) fn every_product_in_every_lane<B: Probe>(backend: B) -> Covered {
    let mut products = Products::new::<B>();
    for b in turns(Q as usize).map(|turn| turn as i16 - HALF) {
        products.by(b, B::MONTGOMERY);
        for lane in 0..B::LANES {
            for start in (0..1 << 16).step_by(N) {
                products.check(start + lane, |r| backend.montgomery_multiply(r, b));
            }
        }
    }
    Covered::new("exhaustive", products.inputs, "every number x every centred constant x every lane")
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

/// What is expected of each number of a range beside others that recur with a period: of any `N` that follow one another, with
/// any of the others first.
struct Expected(Vec<Windows>);

impl Expected {
    /// By the number that `Compress_d` is taken of, from one and its other.
    fn new(d: usize, numbers: &[i16], others: &[i16], of: fn(i16, i16) -> i16) -> Self {
        let table = Compressed::to(d as u32);
        let with = |first: usize| {
            let pairs = numbers.iter().zip(others.iter().cycle().skip(first));
            Windows::new(d, &pairs.map(|(number, other)| table.of(of(*number, *other))).collect::<Vec<i16>>())
        };
        Self((0..others.len()).map(with).collect())
    }

    /// That of the numbers from `start` on, when the first has the other of this turn.
    fn at(&self, start: usize, turn: usize) -> &[u8] {
        let period = self.0.len();
        self.0[(turn + period - start % period) % period].at(start)
    }
}

/// Those of a turn.
fn others(of: &[i16], turn: usize) -> [i16; N] {
    core::array::from_fn(|i| of[(turn + i) % of.len()])
}

/// `sub_compress`: every element of a range with the other's extremes, in every position. All depends on the difference
/// only, which an assertion in `poly.rs` keeps within 16 bits.
pub(crate) fn compressed_differences<B: Probe>(backend: B) -> Covered {
    const EDGES: [i16; 6] = [0, 1, HALF, HALF + 1, Q - 2, Q - 1];
    const FAR: [i16; 6] = [Lazy::MIN, Lazy::MIN + 1, -1, 0, Lazy::MAX - 1, Lazy::MAX];
    let (mut v, mut f) = (Poly::<Canonical>::ZERO, Poly::<Lazy>::ZERO);
    let mut inputs = 0;
    let mut check = |v: &Poly<Canonical>, f: &Poly<Lazy>, expected: &[u8]| {
        let mut m = [0xa5; 32];
        backend.sub_compress(v, f, &mut m);
        assert!(m == *expected, "{v:?} - {f:?}");
        inputs += N as u64;
    };
    let (lazy, canonical) = (values::<Lazy>(), values::<Canonical>());
    let of_lazy = Expected::new(1, &lazy, &EDGES, |f, v| v - f);
    let of_canonical = Expected::new(1, &canonical, &FAR, |v, f| v - f);
    for turn in turns(6) {
        *v.storage() = others(&EDGES, turn);
        for start in turns(lazy.len() - N) {
            f.storage().copy_from_slice(&lazy[start..start + N]);
            check(&v, &f, of_lazy.at(start, turn));
        }
        *f.storage() = others(&FAR, turn);
        for start in turns(canonical.len() - N) {
            v.storage().copy_from_slice(&canonical[start..start + N]);
            check(&v, &f, of_canonical.at(start, turn));
        }
    }
    Covered::new("settled", inputs, "d = 1: every number in every position with the others' extremes (P4)")
}

/// `add_compress` and `add_message_compress` against the model: every element of a range with every value of noise, and
/// every bit, in every position. All depends on the sum only, which an assertion in `poly.rs` keeps within 16 bits.
pub(crate) fn compressed_sums<B: Probe>(backend: B) -> Covered {
    let inputs = compressed_sums_to(4, &SumsTo::<B, 128>(backend))
        + compressed_sums_to(5, &SumsTo::<B, 160>(backend))
        + compressed_sums_to(10, &SumsTo::<B, 320>(backend))
        + compressed_sums_to(11, &SumsTo::<B, 352>(backend));
    Covered::new("settled", inputs, "d = 4, 5, 10, 11: every summand in every position with the others' (P4)")
}

/// The two sums of some d: what the tests of all of them call.
trait Sums {
    fn add(&self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8]);
    fn add_message(&self, f: &Poly<Lazy>, e: &Poly<Noise>, m: &[u8; 32], b: &mut [u8]);
}

struct SumsTo<B, const L: usize>(B);

impl<B: Probe, const L: usize> Sums for SumsTo<B, L> {
    fn add(&self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8]) {
        self.0.add_compress::<L>(f, e, b.first_chunk_mut().expect("as many bytes"));
    }

    fn add_message(&self, f: &Poly<Lazy>, e: &Poly<Noise>, m: &[u8; 32], b: &mut [u8]) {
        self.0.add_message_compress::<L>(f, e, m, b.first_chunk_mut().expect("as many bytes"));
    }
}

fn compressed_sums_to(d: usize, sums: &dyn Sums) -> u64 {
    const NOISE: [i16; 7] = [-3, -2, -1, 0, 1, 2, 3];
    // All pairs of the seven and the message's two bits.
    const BOTH: [i16; 14] = {
        let (mut both, mut i) = ([0; 14], 0);
        while i < 14 {
            both[i] = NOISE[i % 7] + if i & 1 == 0 { HALF + 1 } else { 0 };
            i += 1;
        }
        both
    };
    let (mut f, mut e) = (Poly::<Lazy>::ZERO, Poly::<Noise>::ZERO);
    let lazy = values::<Lazy>();
    let of_both = Expected::new(d, &lazy, &BOTH, |f, other| f + other);
    let of_noise = Expected::new(d, &lazy, &NOISE, |f, e| f + e);
    let mut inputs = 0;
    for turn in turns(14) {
        *e.storage() = others(&NOISE, turn);
        let m = [[0x55, 0xaa][turn & 1]; 32];
        for start in turns(lazy.len() - N) {
            f.storage().copy_from_slice(&lazy[start..start + N]);
            let mut b = [0xa5; 352];
            let b = &mut b[..32 * d];
            sums.add_message(&f, &e, &m, b);
            assert!(b == of_both.at(start, turn), "{f:?}, {e:?}, {m:?}");
            inputs += N as u64;
            if turn < 7 {
                b.fill(0xa5);
                sums.add(&f, &e, b);
                assert!(b == of_noise.at(start, turn), "{f:?}, {e:?}");
                inputs += N as u64;
            }
        }
    }
    inputs
}
