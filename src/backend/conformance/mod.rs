//! One suite, run on every backend: each operation of the contract against the naive model, on designed and on
//! random inputs, and each hash against independent crates.
//!
//! Elements of T_q are written and read through `decode12` and `encode12`, whose own test comes first.

mod any;
mod unlucky;

use std::vec::Vec;
use std::{println, vec};

use shake::{ExtendableOutput, Shake128, Update, XofReader};

use super::poly::{Canonical, Eta, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use super::{Backend, model};
use crate::sponge::fips202::{FirstBlock, Function, XOF_BLOCK};
use crate::sponge::jobs::{Absorbed, Job, Jobs};
use crate::sponge::{Blocks, Keccak, States};

/// Instantiates the suite for a backend: `suite!("name", detected)`, where `detected` is an `Option` of its token; or
/// `suite!(hashing "name", detected, tests ...)`, some tests of hashing and sampling only.
macro_rules! suite {
    ($name:expr, $detected:expr) => {
        $crate::backend::conformance::suite!(@as of, $name, $detected,
            encoding transform inverse_transform products compression compressed_sums noise rejection hashes batches encapsulations);
    };
    (hashing $name:expr, $detected:expr, $($test:ident)*) => {
        $crate::backend::conformance::suite!(@as of_hashing, $name, $detected, $($test)*);
    };
    (@as $any:ident, $name:expr, $detected:expr, $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                use $crate::backend::conformance::{self, Any, present};
                if let Some(backend) = present($name, $detected) {
                    conformance::$test(Any::$any(backend));
                }
            }
        )*
    };
}
pub(crate) use any::Any;
pub(crate) use suite;
#[allow(unused_imports)] // by a machine all of whose backends hash keys in the common way
pub(crate) use unlucky::{HashKey, Scripted, unlucky_entries, unlucky_entries_by};

/// Says so if a backend is skipped, and fails if `KEMSTONE_REQUIRE` lists it.
pub(crate) fn present<B>(name: &str, detected: Option<B>) -> Option<B> {
    if detected.is_none() {
        let required = std::env::var("KEMSTONE_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|r| r == name), "KEMSTONE_REQUIRE names {name}, which is absent");
        println!("SKIPPED backend {name}: this machine lacks it");
    }
    detected
}

/// Reproducible random numbers: SHAKE128 of a seed.
struct Random(shake::Shake128Reader);

impl Random {
    fn new(seed: u8) -> Self {
        let mut xof = Shake128::default();
        xof.update(&[seed]);
        Self(xof.finalize_xof())
    }

    fn array<const L: usize>(&mut self) -> [u8; L] {
        let mut bytes = [0; L];
        self.0.read(&mut bytes);
        bytes
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.0.read(&mut bytes);
        bytes
    }

    fn below(&mut self, n: u32) -> u32 {
        ((u32::from_le_bytes(self.array()) as u64 * n as u64) >> 32) as u32
    }

    fn polynomial(&mut self, least: i16, most: i16) -> [i16; N] {
        let width = (most as i32 - least as i32 + 1) as u32;
        core::array::from_fn(|_| (least as i32 + self.below(width) as i32) as i16)
    }
}

/// Polynomials worth trying within a range: constants, extremes, alternation, single coefficients, random ones.
fn polynomials<R: Range>(random: &mut Random) -> Vec<[i16; N]> {
    let (least, most) = (R::MIN, R::MAX);
    let mut list = vec![[0; N], [least; N], [most; N]];
    list.push(core::array::from_fn(|i| if i & 1 == 0 { least } else { most }));
    list.push(core::array::from_fn(|i| if i & 2 == 0 { least } else { most }));
    for i in 0..N {
        let mut spike = [0; N];
        spike[i] = if i & 1 == 0 { most } else { least };
        list.push(spike);
    }
    list.extend((0..40).map(|_| random.polynomial(least, most)));
    list
}

fn poly<R: Range>(coefficients: [i16; N]) -> Poly<R> {
    Poly::new(coefficients).expect("the test stays within the range")
}

fn wide(f: &[i16; N]) -> [i64; N] {
    f.map(i64::from)
}

fn reduced(f: &[i16; N]) -> [i64; N] {
    f.map(|c| model::mod_q(c as i64))
}

/// The standard's view of an element of T_q.
fn read(backend: Any, f_hat: &NttPoly<Any>) -> [i64; N] {
    let mut bytes = [0; 384];
    backend.encode12(f_hat, &mut bytes);
    model::byte_decode(12, &bytes)
}

/// An element of T_q from its standard form.
fn write(backend: Any, values: &[i64; N]) -> NttPoly<Any> {
    let mut f_hat = NttPoly::ZERO;
    let bytes = model::byte_encode(12, values).try_into().expect("384 bytes");
    assert!(backend.decode12(&bytes, &mut f_hat));
    f_hat
}

fn transformed<R: Range>(backend: Any, f: &[i16; N]) -> Multiplier<Any> {
    let mut m = Multiplier::ZERO;
    backend.multiplier(&poly::<R>(*f), &mut m);
    m
}

pub(crate) fn encoding(backend: Any) {
    let mut random = Random::new(1);
    // Every value below q in every position, and back.
    for start in 0..Q {
        let values = core::array::from_fn(|i| model::mod_q(start as i64 + 13 * i as i64));
        assert_eq!(read(backend, &write(backend, &values)), values, "start {start}");
    }
    // Every value from q on, in every position, is noticed; the others do not hide it.
    let mut f_hat = NttPoly::<Any>::ZERO;
    for i in 0..N {
        for value in Q as i64..4096 {
            if i > 1 && value > 3340 && value < 4090 {
                continue;
            }
            for other in [0, Q as i64 - 1] {
                let mut values = [other; N];
                values[i] = value;
                let bytes = model::byte_encode(12, &values).try_into().expect("384 bytes");
                assert!(!backend.decode12(&bytes, &mut f_hat), "position {i}, value {value}");
            }
        }
    }
    // Two of them do not hide one another, nor do all.
    for i in 0..N {
        for distance in [1, 2, 3, 4, 8, 16, 32, 64, 128] {
            for value in [Q as i64, 4095] {
                let mut values = [0; N];
                (values[i], values[(i + distance) & (N - 1)]) = (value, 4095);
                let bytes = model::byte_encode(12, &values).try_into().expect("384 bytes");
                assert!(!backend.decode12(&bytes, &mut f_hat), "positions {i} and {distance} further");
            }
        }
    }
    assert!(!backend.decode12(&[0xff; 384], &mut f_hat));
    for _ in 0..100 {
        let values = wide(&random.polynomial(0, Q - 1));
        let bytes: [u8; 384] = model::byte_encode(12, &values).try_into().expect("384 bytes");
        assert!(backend.decode12(&bytes, &mut f_hat));
        let mut again = [0; 384];
        backend.encode12(&f_hat, &mut again);
        assert_eq!(bytes, again);
    }
}

pub(crate) fn transform(backend: Any) {
    let mut random = Random::new(2);
    fn check<R: Range>(backend: Any, f: &[i16; N]) {
        let expected = model::ntt(&reduced(f));
        let mut f_hat = NttPoly::ZERO;
        backend.ntt(&poly::<R>(*f), &mut f_hat);
        assert_eq!(read(backend, &f_hat), expected, "ntt of {f:?}");
        assert_eq!(read(backend, &transformed::<R>(backend, f).f_hat), expected, "multiplier of {f:?}");
    }
    for f in polynomials::<Canonical>(&mut random) {
        check::<Canonical>(backend, &f);
    }
    for f in polynomials::<Noise>(&mut random) {
        check::<Noise>(backend, &f);
    }
}

pub(crate) fn inverse_transform(backend: Any) {
    // A product by one (the transform of the constant polynomial 1) leaves the inverse transform alone.
    let mut random = Random::new(3);
    let mut one = [0; N];
    one[0] = 1;
    let one = transformed::<Noise>(backend, &one);
    let mut f = Poly::<Lazy>::ZERO;
    for g in polynomials::<Canonical>(&mut random) {
        let g_hat = write(backend, &model::ntt(&wide(&g)));
        backend.dot_inverse(&[g_hat], core::slice::from_ref(&one).first_chunk().expect("one"), &mut f);
        assert_eq!(reduced(f.coefficients()), wide(&g));
    }
}

pub(crate) fn products(backend: Any) {
    products_of::<1>(backend);
    products_of::<2>(backend);
    products_of::<3>(backend);
    products_of::<4>(backend);
}

fn products_of<const K: usize>(backend: Any) {
    let mut random = Random::new(4);
    let choose = |random: &mut Random, round: usize| match round {
        0 => [Q - 1; N],
        1 => core::array::from_fn(|i| if i & 1 == 0 { Q - 1 } else { 0 }),
        2 => core::array::from_fn(|i| if i == 255 { Q - 1 } else { 0 }),
        _ => random.polynomial(0, Q - 1),
    };
    for round in 0..12 {
        // `a_hat` is taken as it is in T_q (extreme values there), b is a polynomial.
        let a_hat: [[i16; N]; K] = core::array::from_fn(|_| choose(&mut random, round));
        let b: [[i16; N]; K] = core::array::from_fn(|_| choose(&mut random, (round + 2) & 3));
        let e = random.polynomial(-3, 3);
        let left: [NttPoly<Any>; K] = core::array::from_fn(|i| write(backend, &wide(&a_hat[i])));
        let right: [Multiplier<Any>; K] = core::array::from_fn(|i| transformed::<Canonical>(backend, &b[i]));

        // Algorithms 11 and 12 by definition: pairs modulo X^2 - gamma.
        let mut sum = [0; N];
        for (a, b) in a_hat.iter().zip(&b) {
            let (a, b) = (wide(a), model::ntt(&wide(b)));
            for i in 0..N >> 1 {
                let gamma = model::power(17, 2 * model::bit_rev7(i) + 1);
                let ((a0, a1), (b0, b1)) = ((a[2 * i], a[2 * i + 1]), (b[2 * i], b[2 * i + 1]));
                sum[2 * i] = model::mod_q(sum[2 * i] + a0 * b0 + model::mod_q(a1 * b1) * gamma);
                sum[2 * i + 1] = model::mod_q(sum[2 * i + 1] + a0 * b1 + a1 * b0);
            }
        }
        let mut product = Poly::<Lazy>::ZERO;
        backend.dot_inverse(&left, &right, &mut product);
        assert_eq!(model::ntt(&reduced(product.coefficients())), sum, "dot_inverse, k = {K}, round {round}");

        let mut e_hat = NttPoly::ZERO;
        backend.ntt(&poly::<Noise>(e), &mut e_hat);
        let mut t_hat = NttPoly::ZERO;
        backend.mul_add(&left, &right, &e_hat, &mut t_hat);
        let e_hat = model::ntt(&reduced(&e));
        let expected: [i64; N] = core::array::from_fn(|i| model::mod_q(sum[i] + e_hat[i]));
        assert_eq!(read(backend, &t_hat), expected, "mul_add, k = {K}, round {round}");
    }
    // And once through the front door: the product in R_q, by the schoolbook.
    let (f, g) = (random.polynomial(0, Q - 1), random.polynomial(-3, 3));
    let f_hat = write(backend, &read(backend, &transformed::<Canonical>(backend, &f).f_hat));
    let mut product = Poly::<Lazy>::ZERO;
    backend.dot_inverse(&[f_hat], &[transformed::<Noise>(backend, &g)], &mut product);
    assert_eq!(reduced(product.coefficients()), model::multiply(&wide(&f), &reduced(&g)));
}

pub(crate) fn compression(backend: Any) {
    compression_of::<32>(backend);
    compression_of::<128>(backend);
    compression_of::<160>(backend);
    compression_of::<320>(backend);
    compression_of::<352>(backend);
}

pub(crate) fn compressed_sums(backend: Any) {
    compressed_sums_of::<128>(backend);
    compressed_sums_of::<160>(backend);
    compressed_sums_of::<320>(backend);
    compressed_sums_of::<352>(backend);
    compressed_differences(backend);
}

/// Every number of each range beside the others' extremes, in every residue of slots, and random ones.
fn compressed_differences(backend: Any) {
    let mut random = Random::new(5);
    let check = |v: [i16; N], f: [i16; N]| {
        let mut m = [0xa5; 32];
        backend.sub_compress(&poly::<Canonical>(v), &poly::<Lazy>(f), &mut m);
        let expected: [i64; N] =
            core::array::from_fn(|i| model::compress(1, model::mod_q(v[i] as i64 - f[i] as i64)));
        assert_eq!(m.as_slice(), model::byte_encode(1, &expected), "{v:?} - {f:?}");
    };
    let span = (Lazy::MAX as i32 - Lazy::MIN as i32 + 1) as usize;
    for start in 0..span {
        let f = core::array::from_fn(|i| {
            let value = start + 199 * i;
            (Lazy::MIN as i32 + if value >= span { value - span } else { value } as i32) as i16
        });
        check([[0, Q - 1, 1665, 1][start & 3]; N], f);
    }
    for start in 0..Q {
        let v = core::array::from_fn(|i| model::mod_q(start as i64 + 13 * i as i64) as i16);
        check(v, [[Lazy::MIN, Lazy::MAX, 0, 832][start as usize & 3]; N]);
    }
    for _ in 0..100 {
        check(random.polynomial(0, Q - 1), random.polynomial(Lazy::MIN, Lazy::MAX));
    }
}

fn compressed_sums_of<const L: usize>(backend: Any) {
    let d = L as u32 >> 5;
    let mut random = Random::new(10);
    let check = |f: [i16; N], e: [i16; N], m: [u8; 32]| {
        let (f, e) = (poly::<Lazy>(f), poly::<Noise>(e));
        let (fs, es) = (wide(f.coefficients()), wide(e.coefficients()));
        let mu: [i64; N] = model::byte_decode(1, &m).map(|bit| model::decompress(1, bit));
        let expect = |sum: &dyn Fn(usize) -> i64| {
            let compressed: [i64; N] = core::array::from_fn(|i| model::compress(d, model::mod_q(sum(i))));
            model::byte_encode(d, &compressed)
        };
        let mut b = [0xa5; L];
        backend.add_compress(&f, &e, &mut b);
        assert_eq!(b.as_slice(), expect(&|i| fs[i] + es[i]), "d = {d}");
        b = [0xa5; L];
        backend.add_message_compress(&f, &e, &m, &mut b);
        assert_eq!(b.as_slice(), expect(&|i| fs[i] + es[i] + mu[i]), "d = {d}, with a message");
    };
    // Every number of the range, and the far ends of the sums.
    let span = (Lazy::MAX as i32 - Lazy::MIN as i32 + 1) as usize;
    for start in (0..span).step_by(N) {
        let value = |i: usize| (Lazy::MIN as i32 + (start + i) as i32).min(Lazy::MAX as i32);
        let (e, m) = ([-3, 3, 0, 1][start >> 8 & 3], [0, 0xff, 0x5a, 0xa5][start >> 10 & 3]);
        check(core::array::from_fn(|i| value(i) as i16), [e; N], [m; 32]);
    }
    for (f, e) in [(Lazy::MIN, -3), (Lazy::MAX, 3)] {
        check([f; N], [e; N], [0; 32]);
        check([f; N], [e; N], [0xff; 32]);
    }
    for _ in 0..200 {
        let f = random.polynomial(Lazy::MIN, Lazy::MAX);
        let e = random.polynomial(-3, 3);
        check(f, e, random.array());
    }
}

fn compression_of<const L: usize>(backend: Any) {
    let d = L as u32 >> 5;
    let mut random = Random::new(6);
    let compress = |f: [i16; N]| {
        let mut b = [0xa5; L];
        // Alone by a sum or a difference with nothing.
        match b.first_chunk_mut::<32>() {
            Some(m) if L == 32 => backend.sub_compress(&poly::<Canonical>(f), &Poly::ZERO, m),
            _ => backend.add_compress(&poly::<Lazy>(f), &Poly::ZERO, &mut b),
        }
        let expected: [i64; N] = core::array::from_fn(|i| model::compress(d, f[i] as i64));
        assert_eq!(b.as_slice(), model::byte_encode(d, &expected), "d = {d}: {f:?}");
    };
    let decompress = |y: [i64; N]| {
        let b: [u8; L] = model::byte_encode(d, &y).try_into().expect("32 d bytes");
        let mut f = Poly::<Canonical>::ZERO;
        backend.decompress(&b, &mut f);
        let expected: [i64; N] = core::array::from_fn(|i| model::decompress(d, y[i]));
        assert_eq!(wide(f.coefficients()), expected, "d = {d}: {y:?}");
    };
    // Every value in every position.
    for start in 0..Q as i64 {
        compress(core::array::from_fn(|i| model::mod_q(start + 13 * i as i64) as i16));
        compress([start as i16; N]);
    }
    for start in 0..1 << d {
        decompress(core::array::from_fn(|i| (start + 13 * i as i64) & ((1 << d) - 1)));
        decompress([start; N]);
    }
    for _ in 0..100 {
        compress(random.polynomial(0, Q - 1));
        decompress(wide(&random.polynomial(0, (1 << d) - 1)));
    }
}

pub(crate) fn noise(backend: Any) {
    let mut random = Random::new(7);
    for eta in [Eta::Two, Eta::Three] {
        let n = if eta == Eta::Two { 2 } else { 3 };
        let mut inputs: Vec<[u8; 192]> =
            (0..=255u8).map(|byte| core::array::from_fn(|i| byte.wrapping_add(i as u8))).collect();
        inputs.extend((0..=255).map(|byte| [byte; 192]));
        inputs.extend((0..100).map(|_| random.array::<192>()));
        for b in inputs {
            let mut f = Poly::<Noise>::ZERO;
            backend.sample_poly_cbd(eta, &b, &mut f);
            assert_eq!(wide(f.coefficients()), model::sample_poly_cbd(n, &b), "{eta:?} of {b:?}");
        }
    }
}

/// [`Backend::sample_ntt`] for one polynomial.
fn sample_block(backend: Any, block: &[u8; XOF_BLOCK], a_hat: &mut NttPoly<Any>, filled: usize) -> usize {
    let (mut blocks, mut filled) = ([[0xff; 192]], [filled]);
    blocks[0][..XOF_BLOCK].copy_from_slice(block);
    let full = backend.sample_ntt(&blocks, core::slice::from_mut(a_hat), &mut filled);
    assert_eq!(full, filled[0] == N);
    filled[0]
}

pub(crate) fn rejection(backend: Any) {
    let mut random = Random::new(8);
    // What share of the candidates is accepted: none at all, some, most, all.
    for threshold in [0, 20, 128, 250, 256] {
        for round in 0..30 {
            let mut xof = Vec::new();
            let mut a_hat = NttPoly::<Any>::ZERO;
            let mut filled = 0;
            while filled < N && xof.len() < 100 * XOF_BLOCK {
                let mut block = [0; XOF_BLOCK];
                for pair in block.as_chunks_mut::<3>().0 {
                    let mut draw = || match random.below(256) < threshold {
                        true => [0, Q as u32 - 1, random.below(Q as u32)][random.below(3) as usize],
                        false => [Q as u32, 4095, Q as u32 + random.below(4096 - Q as u32)]
                            [random.below(3) as usize],
                    };
                    let (d1, d2) = (draw(), draw());
                    *pair = [d1 as u8, (d1 >> 8 | d2 << 4) as u8, (d2 >> 4) as u8];
                }
                filled = sample_block(backend, &block, &mut a_hat, filled);
                xof.extend(block);
                if filled < N {
                    assert_eq!(
                        filled,
                        xof.chunks(3)
                            .flat_map(|c| [
                                (c[0] as i16 | (c[1] as i16 & 15) << 8),
                                c[1] as i16 >> 4 | (c[2] as i16) << 4
                            ])
                            .filter(|&d| d < Q)
                            .count()
                    );
                }
            }
            match model::sample_ntt(&xof) {
                Some(expected) => {
                    assert_eq!(read(backend, &a_hat), expected, "threshold {threshold}, round {round}")
                }
                None => assert_eq!(threshold, 0, "the polynomial should have been full"),
            }
        }
    }
    several_at_once(backend, &mut random);
}

/// Polynomials that are filled from blocks side by side, each at its own pace, against one at a time.
fn several_at_once(backend: Any, random: &mut Random) {
    for many in 0..=16 {
        let (mut together, mut alone) =
            ([const { NttPoly::<Any>::ZERO }; 16], [const { NttPoly::<Any>::ZERO }; 16]);
        // Some have begun already, some are full, at different levels.
        let (mut filled, mut expected) = ([0; 16], [0; 16]);
        for i in 0..many {
            for _ in 0..random.below(5) {
                let block = random.array();
                expected[i] = match expected[i] {
                    N => N,
                    filled => sample_block(backend, &block, &mut alone[i], filled),
                };
            }
            (*together[i].raw_mut(), filled[i]) = (*alone[i].raw(), expected[i]);
        }
        loop {
            let blocks: [[u8; 192]; 16] = core::array::from_fn(|_| random.array());
            let full = backend.sample_ntt(&blocks[..many], &mut together[..many], &mut filled[..many]);
            for (i, filled) in expected[..many].iter_mut().enumerate().filter(|(_, filled)| **filled < N) {
                let block = blocks[i].first_chunk().expect("192 bytes");
                *filled = sample_block(backend, block, &mut alone[i], *filled);
            }
            assert_eq!(filled, expected);
            assert_eq!(full, expected[..many].iter().all(|filled| *filled == N));
            if full {
                break;
            }
        }
        for (one, other) in together.iter().zip(&alone) {
            assert_eq!(one.raw(), other.raw(), "{many} polynomials");
        }
    }
}

const FUNCTIONS: [Function; 4] =
    [Function::Sha3_256, Function::Sha3_512, Function::Shake128, Function::Shake256];

fn output_length(function: Function, random: &mut Random) -> usize {
    match function {
        Function::Sha3_256 => 32,
        Function::Sha3_512 => 64,
        Function::Shake128 | Function::Shake256 => {
            [32, 1 + random.below(400) as usize][random.below(2) as usize]
        }
    }
}

pub(crate) fn hashes(backend: Any) {
    let mut random = Random::new(9);
    for function in FUNCTIONS {
        for length in 0..=3 * function.rate() + 9 {
            let message = random.bytes(length);
            let mut out = vec![0; output_length(function, &mut random)];
            // Often between two words.
            let cut = random.below(length as u32 + 1) as usize & [!0, !7][random.below(2) as usize];
            let (head, tail) = message.split_at(cut);
            backend.hash(Job::new(function, head, tail, &mut out));
            assert_eq!(
                out,
                model::hash(function, &message, out.len()),
                "{function:?}, {} + {}",
                head.len(),
                tail.len()
            );
            // In three parts, the first two of whole blocks, as many as there happen to be.
            let mut state = Absorbed::NOTHING;
            let (mut whole, mut rest) = (0, &message[..]);
            while rest.len() >= function.rate() && random.below(4) > 0 {
                (whole, rest) = (whole + function.rate(), &rest[function.rate()..]);
            }
            let middle = whole.min(function.rate());
            for part in [&message[..middle], &message[middle..whole]] {
                backend.hash(Job::absorb(function, part, &mut state));
            }
            let mut again = vec![0; out.len()];
            backend.hash(Job::resume(function, &state, rest, &mut again));
            assert_eq!(again, out, "{function:?}, {middle}, {whole} and {length}");
        }
    }
}

/// Three groups of the PRF alone, as an encryption asks for them, but with a seed of its own for each or for one of them.
fn outputs_of_different_seeds(backend: Any) {
    let mut random = Random::new(14);
    let seeds: [[u8; 32]; 3] = core::array::from_fn(|_| random.array());
    for (y, e1) in [(1, 1), (2, 2), (3, 3), (4, 4), (2, 5)] {
        for of_seeds in [[0, 1, 2], [0, 0, 1], [0, 1, 0], [1, 0, 0]] {
            let (mut of_y, mut of_e1, mut of_e2) = (vec![[0; 128]; y], vec![[0; 128]; e1], [[0; 128]]);
            let [a, b, c] = of_seeds.map(|i| &seeds[i]);
            backend.hash_all(&mut [
                Jobs::prf(a, 0, 128, &mut of_y),
                Jobs::prf(b, y as u8, 128, &mut of_e1),
                Jobs::prf(c, (y + e1) as u8, 128, &mut of_e2),
            ]);
            let of_groups = [(a, &of_y[..]), (b, &of_e1[..]), (c, &of_e2[..])];
            let outputs =
                of_groups.iter().flat_map(|(seed, group)| group.iter().map(move |output| (seed, output)));
            for (n, (seed, output)) in (0..).zip(outputs) {
                let message = [&seed[..], &[n]].concat();
                assert_eq!(
                    output[..],
                    model::hash(Function::Shake256, &message, 128),
                    "{of_seeds:?}, output {n}"
                );
            }
        }
    }
}

/// Random jobs, each kind in groups of random sizes: of the PRF with either eta, and parts of matrices.
pub(crate) fn batches(backend: Any) {
    outputs_of_different_seeds(backend);
    let mut random = Random::new(10);
    for _ in 0..300 {
        let count = 1 + random.below(20) as usize;
        let messages: Vec<(Function, Vec<u8>)> = (0..count)
            .map(|_| {
                let length = [random.below(40), random.below(1600)][random.below(2) as usize];
                (FUNCTIONS[random.below(4) as usize], random.bytes(length as usize))
            })
            .collect();
        let mut outputs: Vec<Vec<u8>> =
            messages.iter().map(|(function, _)| vec![0; output_length(*function, &mut random)]).collect();
        let (rho, s, n, i0): ([u8; 32], [u8; 32], u8, u8) =
            (random.array(), random.array(), random.below(256) as u8, random.below(256) as u8);
        let mut rows: Vec<[NttPoly<Any>; 3]> =
            (0..random.below(6)).map(|_| [const { NttPoly::ZERO }; 3]).collect();
        let eta = [Eta::Two, Eta::Three][random.below(2) as usize];
        let mut noise = vec![[0; 192]; random.below(10) as usize];
        // Another group of the same function, with a seed of its own, next to it.
        let t: [u8; 32] = random.array();
        let mut beside = vec![[0; 128]; random.below(5) as usize];
        // A group of another function with the matrix's seed, next to it.
        let mut before = vec![[0; 128]; random.below(3) as usize];
        let transposed = random.below(2) == 1;
        // Rows from their first entry on, or entries from the middle of a row on.
        let j0 = if transposed || rows.is_empty() { 0 } else { random.below(3) as usize };
        let matrix = match j0 {
            0 => Jobs::matrix(&rho, i0, &mut rows, transposed),
            _ => Jobs::entries(&rho, [i0, j0 as u8], 3, &mut rows.as_flattened_mut()[j0..]),
        };

        let mut jobs: Vec<Jobs<'_, Any>> = messages
            .iter()
            .zip(&mut outputs)
            .map(|((function, message), out)| Job::new(*function, message, &[], out).into())
            .collect();
        let at = random.below(jobs.len() as u32 + 1) as usize;
        jobs.insert(at, matrix);
        jobs.insert(at, Jobs::prf(&rho, n, 128, &mut before));
        let at = random.below(jobs.len() as u32 + 1) as usize;
        jobs.insert(at, Jobs::prf(&s, n, eta.bytes(), &mut noise));
        jobs.insert(at, Jobs::prf(&t, n, 128, &mut beside));
        backend.hash_all(&mut jobs);

        for ((function, message), out) in messages.iter().zip(&outputs) {
            assert_eq!(*out, model::hash(*function, message, out.len()), "{function:?}, {}", message.len());
        }
        for (k, out) in noise.iter().enumerate() {
            let message = [&s[..], &[n.wrapping_add(k as u8)]].concat();
            let (filled, rest) = out.split_at(eta.bytes());
            assert_eq!(filled, model::hash(Function::Shake256, &message, filled.len()), "{eta:?}, {k}");
            assert!(rest.iter().all(|byte| *byte == 0), "bytes beyond the output's");
        }
        for (seed, outputs) in [(&t, &beside), (&rho, &before)] {
            for (out, k) in outputs.iter().zip(0..) {
                let message = [&seed[..], &[n.wrapping_add(k)]].concat();
                assert_eq!(out.as_slice(), model::hash(Function::Shake256, &message, 128), "output {k}");
            }
        }
        for (row, r) in rows.iter().zip(0..) {
            let i = i0.wrapping_add(r);
            for (entry, j) in row.iter().zip(0..) {
                if r == 0 && usize::from(j) < j0 {
                    assert_eq!(read(backend, entry), [0; N], "an entry that was not asked for");
                    continue;
                }
                let index = if transposed { [i, j] } else { [j, i] };
                let xof = model::hash(Function::Shake128, &[&rho[..], &index].concat(), 20 * XOF_BLOCK);
                assert_eq!(read(backend, entry), model::sample_ntt(&xof).expect("twenty blocks suffice"));
            }
        }
    }
}

/// What an encapsulation hashes: H of a key beside a matrix, and the outputs of a PRF alone. With these seeds every entry of
/// the matrix needs a fourth block once, the first and the last also for one coefficient only, and in one matrix two do.
pub(crate) fn encapsulations(backend: Any) {
    let needs = |seeds: &[u16], run: &mut dyn FnMut(u16) -> Vec<usize>| {
        seeds.iter().flat_map(|seed| run(*seed)).collect::<Vec<usize>>()
    };
    let two = needs(&[7, 13, 52, 108, 967], &mut |seed| encapsulation::<2>(backend, Eta::Three, seed));
    let three = needs(&[7, 8, 13, 16, 52, 108, 111, 168, 211, 967], &mut |seed| {
        encapsulation::<3>(backend, Eta::Two, seed)
    });
    let four =
        needs(&[3, 7, 8, 13, 16, 34, 52, 81, 108, 111, 157, 168, 189, 211, 223, 236, 967], &mut |seed| {
            encapsulation::<4>(backend, Eta::Two, seed)
        });
    for (needed, entries) in [(two, 4), (three, 9), (four, 16)] {
        assert!((0..entries).all(|entry| needed.contains(&entry)), "{needed:?}");
    }
}

/// One encapsulation's hashing; which of the entries needed a fourth block.
fn encapsulation<const K: usize>(backend: Any, eta: Eta, seed: u16) -> Vec<usize> {
    let mut rho = [0; 32];
    rho[..2].copy_from_slice(&seed.to_le_bytes());
    let (s, mut fourth) = (rho.map(|byte| !byte), Vec::new());
    let mut ek = Random::new(seed as u8).bytes(384 * K);
    ek.extend(rho);
    let (mut h, mut rows) = ([0; 32], [const { [const { NttPoly::<Any>::ZERO }; K] }; K]);
    backend.hash_key(&ek, &mut h, &mut rows);
    assert_eq!(h, sha3_256(&ek), "k = {K}, seed {seed}");
    let indices = (0..K as u8).flat_map(|i| (0..K as u8).map(move |j| [i, j]));
    for (n, (entry, index)) in rows.as_flattened().iter().zip(indices).enumerate() {
        let xof = model::hash(Function::Shake128, &[&rho[..], &index].concat(), 6 * XOF_BLOCK);
        if model::sample_ntt(&xof[..3 * XOF_BLOCK]).is_none() {
            fourth.push(n);
        }
        let expected = model::sample_ntt(&xof).expect("six blocks suffice");
        assert_eq!(read(backend, entry), expected, "k = {K}, seed {seed}, entry {index:?}");
    }

    let (mut y, mut e1, mut e2) = ([[0; 192]; K], [[0; 128]; K], [0; 128]);
    backend.noise(eta, &s, &mut y, &mut e1, &mut e2);
    let outputs = y.iter().map(|y| &y[..eta.bytes()]).chain(e1.iter().chain([&e2]).map(|e| &e[..]));
    for (output, n) in outputs.zip(0..) {
        let message = [&s[..], &[n]].concat();
        assert_eq!(output, model::hash(Function::Shake256, &message, output.len()), "k = {K}, output {n}");
    }
    assert!(y.iter().all(|y| y[eta.bytes()..].iter().all(|byte| *byte == 0)), "bytes beyond the output's");
    fourth
}

/// SHA3-256 by an independent crate.
pub(crate) fn sha3_256(message: &[u8]) -> [u8; 32] {
    model::hash(Function::Sha3_256, message, 32).try_into().expect("32 bytes")
}

/// Setting, filling and reading slots, against the words one by one.
pub(crate) fn sponge_steps<B: Backend + Keccak<W> + Keccak<1>, const W: usize>(backend: B) {
    let fresh = || {
        States::<W>(core::array::from_fn(|row| {
            core::array::from_fn(|slot| {
                0x0102_0304_0506_0708_u64.wrapping_mul((row as u64 + 1) * 31 + slot as u64)
            })
        }))
    };
    for used in 1..=W {
        let (states, mut blocks) = (fresh(), Blocks([[0; 192]; W]));
        backend.squeeze(&states, used, &mut blocks);
        for (slot, block) in blocks.0[..used].iter().enumerate() {
            for (row, word) in states.0[..21].iter().zip(block.as_chunks().0) {
                assert_eq!(row[slot], u64::from_le_bytes(*word), "{used} slots, slot {slot}");
            }
        }
    }

    let message: [u8; 200] = core::array::from_fn(|i| i as u8 ^ 0xa5);
    for (slot, words) in (0..W).flat_map(|slot| [9, 17, 21, 25].map(|words| (slot, words))) {
        for used in slot + 1..=W {
            let mut states = fresh();
            backend.absorb(&mut states, used, slot, &message[..8 * words]);
            let mut expected = fresh();
            for (row, word) in expected.0.iter_mut().zip(message[..8 * words].as_chunks().0) {
                row[slot] ^= u64::from_le_bytes(*word);
            }
            assert_eq!(states.0, expected.0, "{words} words to slot {slot} of {used}");
        }
    }

    // Every set of slots with every last word.
    let seed: [u8; 32] = core::array::from_fn(|i| 3 * i as u8 + 1);
    for (set, last) in (0..1_u32 << W).flat_map(|set| [8, 16, 20, usize::MAX].map(|last| (set, last))) {
        let word4 = core::array::from_fn(|slot| 0x1f_0000 + slot as u64);
        let used = (u32::BITS - set.leading_zeros()).max(1) as usize;
        let mut states = fresh();
        backend.start(&mut states, used, FirstBlock { seed: &seed, last }, set, &word4);
        let mut expected = fresh();
        for (slot, end) in word4.iter().enumerate() {
            if set >> slot & 1 == 0 {
                continue;
            }
            let mut state = [0; 25];
            for (word, bytes) in state.iter_mut().zip(seed.as_chunks().0) {
                *word = u64::from_le_bytes(*bytes);
            }
            state[4] = *end;
            if last < 25 {
                state[last] ^= 1 << 63;
            }
            expected.0.iter_mut().zip(state).for_each(|(row, word)| row[slot] = word);
        }
        for slot in used..W {
            if states.0.iter().all(|row| row[slot] == 0) {
                expected.0.iter_mut().for_each(|row| row[slot] = 0);
            }
        }
        assert_eq!(states.0, expected.0, "slots {set:b}, last word {last}");
    }
}
