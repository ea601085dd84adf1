//! What the items share: their result, tables of the model, random numbers, packing of bits.

use std::sync::OnceLock;

use kemstone::backend::Backend;
use kemstone::backend::poly::{Canonical, N, NttPoly, Poly, Q};
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

/// `pack` is the model's ByteEncode.
pub(crate) fn check_pack<const D: usize>() {
    let mut random = Random::new("pack");
    for _ in 0..20 {
        let values: [i16; N] = core::array::from_fn(|_| random.below(1 << D) as i16);
        let mut bytes = vec![0; 32 * D];
        pack::<D>(&values, &mut bytes);
        assert_eq!(bytes, model::byte_encode(D as u32, &values.map(i64::from)));
    }
}

/// A polynomial of 32-coefficient groups; in each, all windows of `width` neighbours are rotations of one
/// combination of digits below `base`. Turns 0.. `base^width / 8` (rounded up) give every group's share of the
/// combinations, and together all of them.
pub(crate) fn combination(base: usize, width: u32, turn: usize) -> [i16; N] {
    let total = base.pow(width);
    let share = total.div_ceil(8);
    let mut f = [0; N];
    for (group, f) in f.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let mut number = (turn + group * share).min(total - 1);
        let mut digits = [0; 8];
        for digit in &mut digits[..width as usize] {
            (*digit, number) = ((number % base) as i16, number / base);
        }
        for (f, digit) in f.iter_mut().zip(digits[..width as usize].iter().cycle()) {
            *f = *digit;
        }
    }
    f
}

/// How many turns that takes.
pub(crate) fn combinations(base: usize, width: u32) -> usize {
    base.pow(width).div_ceil(8)
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
    pub(crate) position: [usize; N],
    pub(crate) unit: [i16; N],
    /// The inverse of `unit` modulo q.
    pub(crate) inverse: [i64; N],
}

impl Representation {
    pub(crate) fn of<B: Backend>(backend: B) -> Self {
        let (mut position, mut unit) = ([0; N], [0; N]);
        for i in 0..N {
            let raw = *decoded(backend, &core::array::from_fn(|j| (i == j) as i16)).raw();
            let mut found = raw.iter().enumerate().filter(|(_, number)| **number != 0);
            let (at, number) = found.next().expect("a unit vector is not zero");
            assert!(found.next().is_none(), "coefficient {i} is kept in more than one number");
            (position[i], unit[i]) = (at, *number);
        }
        let mut sorted = position;
        sorted.sort();
        assert_eq!(sorted, core::array::from_fn(|i| i), "two coefficients are kept in one number");
        Self { position, unit, inverse: unit.map(|u| model::power(model::mod_q(u as i64), Q as u32 - 2)) }
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

pub(crate) fn packed(values: &[i16; N]) -> [u8; 384] {
    let mut bytes = [0; 384];
    pack::<12>(values, &mut bytes);
    bytes
}

pub(crate) fn canonical(coefficients: [i16; N]) -> Poly<Canonical> {
    Poly::new(coefficients).expect("below q")
}
