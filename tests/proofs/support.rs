//! What the items share: their result, tables of the model, random numbers, packing of bits.

use std::sync::OnceLock;

use kemstone::backend::Backend;
use kemstone::backend::poly::{Canonical, Lazy, N, NttPoly, Poly, Q, Range};
use shake::{ExtendableOutput, Shake128, Update, XofReader};

use crate::model;

/// What an item has run.
pub(crate) struct Covered {
    /// `exhaustive`: every input. `settled`: inputs that settle all others by the premises. `tested`: some inputs.
    pub(crate) evidence: &'static str,
    pub(crate) inputs: u64,
    pub(crate) what: String,
}

impl Covered {
    pub(crate) fn new(evidence: &'static str, inputs: u64, what: impl Into<String>) -> Self {
        Self { evidence, inputs, what: what.into() }
    }
}

/// How much of the long loops is left out: all but every n-th turn.
pub(crate) fn scale() -> usize {
    static SCALE: OnceLock<usize> = OnceLock::new();
    *SCALE.get_or_init(|| match std::env::var("KEMSTONE_TEST_SCALE") {
        Ok(scale) => scale.parse().expect("KEMSTONE_TEST_SCALE is a number from 1 on"),
        Err(_) => 1,
    })
}

/// The turns of a long loop.
pub(crate) fn turns(n: usize) -> impl Iterator<Item = usize> {
    // An odd step, so that what depends on the lower bits of the turn is reached.
    (0..n).step_by(scale() | 1)
}

/// q^-1 modulo 2^64.
pub(crate) const Q_INVERSE: i64 = {
    let (mut x, mut step) = (1i64, 0);
    while step < 6 {
        x = x.wrapping_mul(2i64.wrapping_sub(x.wrapping_mul(Q as i64)));
        step += 1;
    }
    x
};
const _: () = assert!(Q_INVERSE.wrapping_mul(Q as i64) == 1);

/// Whether q divides `d`: its quotient modulo 2^16 is then small. In 16 bits every machine does eight at a time.
#[inline(always)]
pub(crate) fn divisible(d: i16) -> bool {
    const MOST: i16 = i16::MAX / Q;
    d.wrapping_mul(Q_INVERSE as i16).wrapping_add(MOST) as u16 <= 2 * MOST as u16
}

/// `a mod q` for every 16-bit number.
pub(crate) struct Residues(Vec<i16>);

impl Residues {
    pub(crate) fn get() -> &'static Self {
        static RESIDUES: OnceLock<Residues> = OnceLock::new();
        RESIDUES.get_or_init(|| Self((-1 << 15..1 << 15).map(|a| model::mod_q(a) as i16).collect()))
    }

    #[inline(always)]
    pub(crate) fn of(&self, a: i16) -> i16 {
        self.0[(a as u16 ^ 1 << 15) as usize]
    }
}

/// The unit vectors of R_q and T_q, transformed and transformed back by the model.
pub(crate) struct Units {
    /// The transform of X^i.
    pub(crate) forward: Vec<[i16; N]>,
    /// The polynomial whose transform is the unit vector i.
    pub(crate) inverse: Vec<[i16; N]>,
    /// Gamma of each pair (FIPS 203, Algorithm 11).
    pub(crate) gammas: [i64; N >> 1],
}

impl Units {
    pub(crate) fn get() -> &'static Self {
        static UNITS: OnceLock<Units> = OnceLock::new();
        UNITS.get_or_init(|| {
            let unit = |i: usize| core::array::from_fn(|j| (i == j) as i64);
            let narrow = |f: [i64; N]| f.map(|c| c as i16);
            let gammas = core::array::from_fn(|i| model::power(17, 2 * model::bit_rev7(i) + 1));
            let inverse: Vec<[i64; N]> = (0..N)
                .map(|i| {
                    // 128^-1 gamma^-j at 2j or 2j + 1; gamma^256 = 1.
                    let (step, mut power) = (model::power(gammas[i >> 1], 255), 3303);
                    let mut f = [0; N];
                    for j in 0..N >> 1 {
                        f[2 * j + (i & 1)] = power;
                        power = model::mod_q(power * step);
                    }
                    assert!(i & 15 != 0 || model::ntt(&f) == unit(i), "the model and its inverse differ");
                    f
                })
                .collect();
            Self {
                forward: (0..N).map(|i| narrow(model::ntt(&unit(i)))).collect(),
                inverse: inverse.into_iter().map(narrow).collect(),
                gammas,
            }
        })
    }
}

/// Reproducible random bytes: SHAKE128 of a name.
pub(crate) struct Random(shake::Shake128Reader);

impl Random {
    pub(crate) fn new(name: &str) -> Self {
        let mut xof = Shake128::default();
        xof.update(name.as_bytes());
        Self(xof.finalize_xof())
    }

    pub(crate) fn array<const L: usize>(&mut self) -> [u8; L] {
        let mut bytes = [0; L];
        self.0.read(&mut bytes);
        bytes
    }

    pub(crate) fn word(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.word() as u128 * n as u128) >> 64) as usize
    }
}

/// Numbers of `D` bits one after the other, the lowest bit first (Algorithms 3 and 5): eight fill D bytes.
pub(crate) fn pack<const D: usize>(values: &[i16], bytes: &mut [u8]) {
    assert!(values.len() * D == bytes.len() * 8 && values.len() & 7 == 0);
    for (values, bytes) in values.as_chunks::<8>().0.iter().zip(bytes.as_chunks_mut::<D>().0) {
        let half = |four: &[i16]| four.iter().rev().fold(0, |bits, value| bits << D | *value as u64);
        let bits = half(&values[..4]) as u128 | (half(&values[4..]) as u128) << (4 * D);
        bytes.copy_from_slice(&bits.to_le_bytes()[..D]);
    }
}

/// The same for a number of bits in use.
pub(crate) fn pack_to(d: usize, values: &[i16], bytes: &mut [u8]) {
    match d {
        1 => pack::<1>(values, bytes),
        4 => pack::<4>(values, bytes),
        5 => pack::<5>(values, bytes),
        10 => pack::<10>(values, bytes),
        11 => pack::<11>(values, bytes),
        12 => pack::<12>(values, bytes),
        _ => panic!("no bytes hold {d} bits in this library"),
    }
}

/// Numbers of `d` bits; any `N` of them that follow one another are at hand as bytes.
pub(crate) struct Windows {
    d: usize,
    /// From one of the first eight numbers on: a byte begins with every eighth.
    from: [Vec<u8>; 8],
}

impl Windows {
    pub(crate) fn new(d: usize, numbers: &[i16]) -> Self {
        let mut from = [const { Vec::new() }; 8];
        for (first, bytes) in from.iter_mut().enumerate() {
            let numbers = numbers[first..].as_chunks::<8>().0.as_flattened();
            bytes.resize((numbers.len() * d) >> 3, 0);
            pack_to(d, numbers, bytes);
        }
        Self { d, from }
    }

    /// The numbers from `start` on.
    pub(crate) fn at(&self, start: usize) -> &[u8] {
        &self.from[start & 7][(start >> 3) * self.d..][..32 * self.d]
    }
}

/// `pack_to` is the model's ByteEncode.
pub(crate) fn check_pack(d: usize) {
    let mut random = Random::new("pack");
    for _ in 0..20 {
        let values: [i16; N] = core::array::from_fn(|_| random.below(1 << d) as i16);
        let mut bytes = vec![0; 32 * d];
        pack_to(d, &values, &mut bytes);
        assert_eq!(bytes, model::byte_encode(d as u32, &values.map(i64::from)));
    }
}

/// The digits of a polynomial of 32-coefficient groups, `WIDTH` for each; in a group, all windows of `WIDTH` neighbours are
/// rotations of one combination of digits below `BASE`. Turns 0.. `combinations` give every group's share of the combinations,
/// and together all of them.
pub(crate) fn combination<const BASE: usize, const WIDTH: usize>(turn: usize) -> Digits {
    let mut digits = [[0; 8]; 8];
    for (group, digits) in digits.iter_mut().enumerate() {
        let share = combinations(BASE, WIDTH);
        let mut number = (turn + group * share).min(BASE.pow(WIDTH as u32) - 1);
        for digit in &mut digits[..WIDTH] {
            (*digit, number) = ((number % BASE) as i16, number / BASE);
        }
    }
    digits
}

/// Of each group as many as there are.
pub(crate) type Digits = [[i16; 8]; 8];

/// How many turns that takes.
pub(crate) const fn combinations(base: usize, width: usize) -> usize {
    base.pow(width as u32).div_ceil(8)
}

/// The digits of each group, over and over.
pub(crate) fn repeated(width: usize, digits: &Digits) -> [i16; N] {
    fn repeat<const WIDTH: usize>(digits: &Digits) -> [i16; N] {
        let mut f = [0; N];
        for (f, digits) in f.as_chunks_mut::<32>().0.iter_mut().zip(digits) {
            for (i, f) in f.iter_mut().enumerate() {
                *f = digits[i % WIDTH];
            }
        }
        f
    }
    match width {
        2 => repeat::<2>(digits),
        3 => repeat::<3>(digits),
        8 => repeat::<8>(digits),
        _ => panic!("no byte holds parts of {width} neighbours"),
    }
}

/// `packed` of pairs, each sixteen times.
pub(crate) fn packed_pairs(pairs: &Digits) -> [u8; 384] {
    let mut bytes = [0; 384];
    for (bytes, pair) in bytes.as_chunks_mut::<48>().0.iter_mut().zip(pairs) {
        let pair = pair[0] as u32 | (pair[1] as u32) << 12;
        for half in bytes.as_chunks_mut::<24>().0 {
            half.copy_from_slice(&eight_times(pair));
        }
    }
    bytes
}

/// Three bytes eight times.
pub(crate) fn eight_times(bytes: u32) -> [u8; 24] {
    // Three words, which begin at bits 0, 16 and 8 of the three bytes.
    let word = |first: u32| {
        let turned = (bytes >> first | bytes << (24 - first)) & 0xff_ffff;
        (turned as u64).wrapping_mul(1 | 1 << 24 | 1 << 48)
    };
    let mut eight = [0; 24];
    for (eight, first) in eight.as_chunks_mut().0.iter_mut().zip([0, 16, 8]) {
        *eight = word(first).to_le_bytes();
    }
    eight
}

/// How a backend keeps T_q: coefficient i of the standard is number `position[i]`, times `unit[i]`.
pub(crate) struct Representation {
    position: [u8; N],
    unit: [i16; N],
    /// The inverse of `unit` modulo q.
    inverse: [i64; N],
    /// Whether all are 1, as in every backend so far: then nothing has to be multiplied.
    all_units: bool,
}

impl Representation {
    pub(crate) fn of<B: Backend>(backend: B) -> Self {
        let (mut position, mut unit, mut kept) = ([0; N], [0; N], [false; N]);
        for i in 0..N {
            let raw = *decoded_unit(backend, i, 1).raw();
            let mut found = raw.iter().enumerate().filter(|(_, number)| **number != 0);
            let (at, number) = found.next().expect("a unit vector is not zero");
            assert!(found.next().is_none(), "coefficient {i} is kept in more than one number");
            (position[i], unit[i]) = (at as u8, *number);
            assert!(!kept[at], "two coefficients are kept in one number");
            kept[at] = true;
        }
        let inverse = unit.map(|u| model::power(model::mod_q(u as i64), Q as u32 - 2));
        Self { position, unit, inverse, all_units: unit == [1; N] }
    }

    /// The coefficients modulo q.
    pub(crate) fn coefficients(&self, raw: &[i16; N]) -> [i16; N] {
        let residues = Residues::get();
        let mut coefficients = [0; N];
        for (c, position) in coefficients.iter_mut().zip(&self.position) {
            *c = residues.of(raw[*position as usize]);
        }
        if !self.all_units {
            for (c, inverse) in coefficients.iter_mut().zip(self.inverse) {
                *c = model::mod_q(*c as i64 * inverse) as i16;
            }
        }
        coefficients
    }

    /// Keeps coefficients from 0 to q - 1.
    pub(crate) fn keep(&self, coefficients: &[i16; N], raw: &mut [i16; N]) {
        for (c, position) in coefficients.iter().zip(&self.position) {
            raw[*position as usize] = *c;
        }
        if !self.all_units {
            for (position, unit) in self.position.iter().zip(self.unit) {
                let number = &mut raw[*position as usize];
                *number = model::mod_q(*number as i64 * unit as i64) as i16;
            }
        }
    }

    /// Whether these are the numbers for 12-bit values: the values themselves, or with another unit what is congruent.
    pub(crate) fn is(&self, values: &[i16; N], raw: &[i16; N]) -> bool {
        let pairs = values.iter().zip(self.position.iter().map(|at| raw[*at as usize]));
        if self.all_units {
            return pairs.fold(0, |difference, (value, number)| difference | (value ^ number)) == 0;
        }
        pairs
            .zip(self.unit)
            .all(|((value, number), unit)| model::mod_q(number as i64 - *value as i64 * unit as i64) == 0)
    }
}

/// The element of T_q with these coefficients, all below q.
pub(crate) fn decoded<B: Backend>(backend: B, values: &[i16; N]) -> NttPoly<B> {
    let (mut bytes, mut f_hat) = ([0; 384], NttPoly::ZERO);
    pack::<12>(values, &mut bytes);
    assert!(backend.decode12(&bytes, &mut f_hat));
    f_hat
}

/// The coefficients in the standard's order, packed.
pub(crate) fn encoded<B: Backend>(backend: B, f_hat: &NttPoly<B>) -> [u8; 384] {
    let mut bytes = [0; 384];
    backend.encode12(f_hat, &mut bytes);
    bytes
}

/// The element of T_q that is zero but for coefficient `i`.
pub(crate) fn decoded_unit<B: Backend>(backend: B, i: usize, value: i16) -> NttPoly<B> {
    decoded(backend, &unit(i, value))
}

/// Zero but for coefficient `i`.
pub(crate) fn unit(i: usize, value: i16) -> [i16; N] {
    let mut unit = [0; N];
    unit[i] = value;
    unit
}

/// Whether an inverse transform is within its range and has these residues.
pub(crate) fn is_lazy(f: &[i16; N], residues: &[i16; N]) -> bool {
    let congruent = f.iter().zip(residues).fold(true, |all, (c, r)| all & divisible(c.wrapping_sub(*r)));
    // Then no difference has left 16 bits.
    congruent & in_range(f)
}

pub(crate) fn in_range(f: &[i16; N]) -> bool {
    f.iter().fold(true, |all, c| all & (Lazy::MIN <= *c) & (*c <= Lazy::MAX))
}

pub(crate) fn packed(values: &[i16; N]) -> [u8; 384] {
    let mut bytes = [0; 384];
    pack::<12>(values, &mut bytes);
    bytes
}

pub(crate) fn canonical(coefficients: [i16; N]) -> Poly<Canonical> {
    Poly::new(coefficients).expect("below q")
}
