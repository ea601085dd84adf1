//! The transforms and products on unit vectors (P1 to P3).

use kemstone::backend::poly::{Canonical, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use kemstone::backend::probe::Probe;

use crate::model;
use crate::support::{
    Covered, Random, Units, canonical, decoded, decoded_unit, encoded, in_range, is_lazy, packed, scale,
    turns, unit,
};

/// The coefficients times `factor`, modulo q.
fn times(f: &[i16; N], factor: i64) -> [i16; N] {
    f.map(|c| model::mod_q(c as i64 * factor) as i16)
}

/// Algorithm 9 on `scale` X^i for all i.
fn ntt_of_units<B: Probe, R: Range>(backend: B, scale: i16) -> u64 {
    for (i, expected) in Units::get().forward.iter().enumerate() {
        let f = Poly::<R>::new(unit(i, scale)).expect("in range");
        let expected = packed(&times(expected, scale as i64));
        let (mut f_hat, mut m) = (NttPoly::ZERO, Multiplier::ZERO);
        backend.ntt(&f, &mut f_hat);
        assert_eq!(encoded(backend, &f_hat), expected, "ntt of {scale} X^{i}");
        backend.multiplier(&f, &mut m);
        assert_eq!(encoded(backend, &m.f_hat), expected, "multiplier of {scale} X^{i}");
    }
    2 * N as u64
}

pub(crate) fn ntt<B: Probe>(backend: B) -> Covered {
    let mut inputs = 0;
    for scale in [1, -1, Noise::MAX, Noise::MIN] {
        inputs += ntt_of_units::<B, Noise>(backend, scale);
    }
    for scale in [1, Canonical::MAX] {
        inputs += ntt_of_units::<B, Canonical>(backend, scale);
    }
    Covered::new("settled", inputs, "all X^i by 1, -1, 3, -3, q-1, ntt and multiplier (P1 to P3)")
}

/// Multipliers of all unit vectors of T_q.
fn unit_multipliers<B: Probe>(backend: B) -> Vec<Multiplier<B>> {
    Units::get().inverse.iter().map(|f| multiplier(backend, f)).collect()
}

fn multiplier<B: Probe>(backend: B, f: &[i16; N]) -> Multiplier<B> {
    let mut m = Multiplier::ZERO;
    backend.multiplier(&canonical(*f), &mut m);
    m
}

fn copy<B>(from: &NttPoly<B>, to: &mut NttPoly<B>) {
    *to.raw_mut() = *from.raw();
}

/// The product of unit vectors i and j in T_q: a coefficient and where it stands, if it is not zero.
fn product_of_units(i: usize, j: usize) -> Option<(usize, i64)> {
    match (i & 1, j & 1) {
        _ if i >> 1 != j >> 1 => None,
        (0, 0) => Some((i, 1)),
        (1, 1) => Some((i - 1, Units::get().gammas[i >> 1])),
        _ => Some((i | 1, 1)),
    }
}

/// What is done with two factors and their product, as `product_of_units` gives it.
type Check<'a, B, const K: usize> =
    &'a mut dyn FnMut(&[NttPoly<B>; K], &[Multiplier<B>; K], Option<(usize, i64)>);

/// All pairs of unit vectors, `scale` times the left one in slot s of `K`, the right one in slot t.
fn for_pairs<B: Probe, const K: usize>(backend: B, scale: i16, check: Check<'_, B, K>) {
    let multipliers = unit_multipliers(backend);
    for (s, t) in (0..K * K).map(|n| (n / K, n % K)) {
        let mut a = [const { NttPoly::<B>::ZERO }; K];
        let mut b = [const { Multiplier::<B>::ZERO }; K];
        for i in turns(N) {
            copy(&decoded_unit(backend, i, scale), &mut a[s]);
            for (j, multiplier) in multipliers.iter().enumerate() {
                // The extremes are of interest where something is multiplied.
                if scale == 1 || i >> 1 == j >> 1 {
                    copy(&multiplier.f_hat, &mut b[t].f_hat);
                    copy(&multiplier.cache, &mut b[t].cache);
                    let product = product_of_units(i, j).filter(|_| s == t);
                    check(&a, &b, product.map(|(at, c)| (at, model::mod_q(c * scale as i64))));
                }
            }
        }
    }
}

fn mul_add_of_units<B: Probe, const K: usize>(backend: B) -> u64 {
    let mut inputs = 0;
    let zero = NttPoly::ZERO;
    let mut t_hat = NttPoly::ZERO;
    for scale in [1, Q - 1] {
        for_pairs::<B, K>(backend, scale, &mut |a, b, product| {
            backend.mul_add(a, b, &zero, &mut t_hat);
            let right = match product {
                // Zeros are zero in every representation.
                None => *t_hat.raw() == [0; N] || encoded(backend, &t_hat) == [0; 384],
                Some((at, c)) => encoded(backend, &t_hat) == packed(&unit(at, c as i16)),
            };
            assert!(right, "mul_add, k = {K}: {product:?}");
            inputs += 1;
        });
    }
    // The summand, which comes from the transform.
    let (a, b) = ([const { NttPoly::<B>::ZERO }; K], [const { Multiplier::<B>::ZERO }; K]);
    for (i, f) in Units::get().inverse.iter().enumerate() {
        let mut e_hat = NttPoly::ZERO;
        backend.ntt(&canonical(*f), &mut e_hat);
        backend.mul_add(&a, &b, &e_hat, &mut t_hat);
        assert_eq!(encoded(backend, &t_hat), packed(&unit(i, 1)));
        inputs += 1;
    }
    inputs
}

pub(crate) fn mul_add<B: Probe>(backend: B) -> Covered {
    let inputs = mul_add_of_units::<B, 1>(backend)
        + mul_add_of_units::<B, 2>(backend)
        + mul_add_of_units::<B, 3>(backend)
        + mul_add_of_units::<B, 4>(backend);
    Covered::new(
        "settled",
        inputs,
        "all pairs of unit vectors and of slots, k = 1 to 4; all summands (P1 to P3)",
    )
}

fn dot_inverse_of_units<B: Probe, const K: usize>(backend: B) -> u64 {
    let units = Units::get();
    let mut inputs = 0;
    let mut f = Poly::<Lazy>::ZERO;
    for scale in [1, Q - 1] {
        for_pairs::<B, K>(backend, scale, &mut |a, b, product| {
            backend.dot_inverse(a, b, &mut f);
            // Not by `coefficients`, which looks at the range one by one.
            let f = &*f.storage();
            let right = match product {
                None => *f == [0; N] || is_lazy(f, &[0; N]),
                Some((at, factor)) => is_lazy(f, &times(&units.inverse[at], factor)),
            };
            assert!(right, "dot_inverse, k = {K}, {product:?}: {f:?}");
            inputs += 1;
        });
    }
    inputs
}

pub(crate) fn dot_inverse<B: Probe>(backend: B) -> Covered {
    let inputs = dot_inverse_of_units::<B, 1>(backend)
        + dot_inverse_of_units::<B, 2>(backend)
        + dot_inverse_of_units::<B, 3>(backend)
        + dot_inverse_of_units::<B, 4>(backend);
    Covered::new("settled", inputs, "all pairs of unit vectors and of slots, k = 1 to 4 (P1 to P3)")
}

/// Adds modulo q.
fn add(f: &mut [i16; N], g: &[i16; N]) {
    for (f, g) in f.iter_mut().zip(g) {
        let sum = f.wrapping_add(*g);
        *f = if sum < Q { sum } else { sum.wrapping_sub(Q) };
    }
}

/// c X^i, which doubles in every layer of the inverse transform until it is reduced: where a reduction is missing,
/// some of these leave 16 bits.
pub(crate) fn inverse_growth<B: Probe>(backend: B) -> Covered {
    let one = [multiplier(backend, &unit(0, 1))];
    let mut f = Poly::<Lazy>::ZERO;
    let mut inputs = 0;
    for (i, forward) in Units::get().forward.iter().enumerate() {
        let step = times(forward, (scale() | 1) as i64);
        let mut f_hat = [0; N];
        for c in turns(Q as usize) {
            backend.dot_inverse(&[decoded(backend, &f_hat)], &one, &mut f);
            let f = &*f.storage();
            assert!(is_lazy(f, &unit(i, c as i16)), "{c} X^{i}: {f:?}");
            add(&mut f_hat, &step);
            inputs += 1;
        }
    }
    Covered::new("tested", inputs, "all c X^i: the longest chains of sums")
}

/// Puts what has made the first numbers of an inverse transform larger than their values, or smaller than the negative ones, in a
/// block of their best.
fn keep_best(
    value: &mut [[i16; 2]],
    best: &mut [[[i16; N]; 2]],
    f: &[i16; N],
    block: usize,
    contents: &[i16],
) {
    for ((value, best), c) in value.iter_mut().zip(best).zip(f) {
        for ((value, best), c) in value.iter_mut().zip(best).zip([*c, -c]) {
            if c > *value {
                *value = c;
                best[block..][..contents.len()].copy_from_slice(contents);
            }
        }
    }
}

/// The inverse transform by the model.
fn inverse(f_hat: &[i16; N]) -> [i16; N] {
    let mut f = [0_i64; N];
    for (c, unit) in f_hat.iter().zip(&Units::get().inverse) {
        for (f, unit) in f.iter_mut().zip(unit) {
            *f += i64::from(*c) * i64::from(*unit);
        }
    }
    f.map(|c| model::mod_q(c) as i16)
}

/// The largest sums in the inverse transform. A number of the transform depends on one block of its input until it is
/// added to one of another block, so the blocks are searched one by one for what makes the first numbers of each largest
/// and smallest, and what is found is put together: blocks of every length, since a sum may begin after any layer. Where a
/// reduction is missing, these leave the range or 16 bits.
pub(crate) fn inverse_extremes<B: Probe>(backend: B) -> Covered {
    /// Contents that each block is searched with.
    const TRIES: usize = 1000;
    let mut random = Random::new("inverse extremes");
    let one = [multiplier(backend, &unit(0, 1))];
    let mut f = Poly::<Lazy>::ZERO;
    let (mut inputs, mut most) = (0, 0);
    for length in (0..8).map(|log| 1 << log) {
        // Of each number, with either sign: the whole input, block by block.
        let mut best = vec![[[0; N]; 2]; length];
        for block in (0..N).step_by(length) {
            let mut value = vec![[0; 2]; length];
            for _ in turns(TRIES) {
                let mut f_hat = [0; N];
                f_hat[block..][..length].fill_with(|| random.below(Q as usize) as i16);
                backend.dot_inverse(&[decoded(backend, &f_hat)], &one, &mut f);
                inputs += 1;
                assert!(in_range(f.storage()), "{f:?}");
                keep_best(&mut value, &mut best, f.storage(), block, &f_hat[block..][..length]);
            }
        }
        for (p, f_hat) in best.as_flattened().iter().enumerate() {
            backend.dot_inverse(&[decoded(backend, f_hat)], &one, &mut f);
            let f = &*f.storage();
            assert!(is_lazy(f, &inverse(f_hat)), "blocks of {length}, number {}: {f:?}", p >> 1);
            most = f.iter().fold(most, |most, c| most.max(c.abs()));
            inputs += 1;
        }
    }
    Covered::new("tested", inputs, format!("the largest parts found in blocks of each length: up to {most}"))
}

/// 0 and q - 1: signs of a row of the transform, since they add up there, then random ones.
fn extremes(turn: usize, random: &mut Random) -> [i16; N] {
    let bits: [u8; 32] = random.array();
    let bit = |i: usize| match turn {
        0..N => Units::get().forward[i][turn] > Q >> 1,
        _ => bits[i >> 3] >> (i & 7) & 1 == 1,
    };
    core::array::from_fn(|i| if bit(i) { Q - 1 } else { 0 })
}

/// The largest absolute value.
fn largest(f: &[i16; N]) -> i64 {
    f.iter().fold(0, |most, c| most.max((*c as i64).abs()))
}

/// Those with the largest numbers, the largest first.
fn with_largest(mut found: Vec<(i64, [i16; N])>, many: usize) -> Vec<(i64, [i16; N])> {
    let mut largest = Vec::new();
    while largest.len() < many && !found.is_empty() {
        let most = found.iter().map(|(number, _)| *number).max();
        let at = found.iter().position(|(number, _)| Some(*number) == most).unwrap_or(0);
        largest.push(found.remove(at));
    }
    largest
}

/// Four times the product of `left` and the transform of `f`, in T_q, and that with the transform added.
fn four_products(left: &[i16; N], f: &[i16; N]) -> ([i64; N], [i16; N]) {
    let f_hat = model::ntt(&f.map(i64::from));
    let mut sum = [0; N];
    for (pair, gamma) in Units::get().gammas.iter().enumerate() {
        let (a0, a1) = (left[2 * pair] as i64, left[2 * pair + 1] as i64);
        let (b0, b1) = (f_hat[2 * pair], f_hat[2 * pair + 1]);
        sum[2 * pair] = model::mod_q(4 * (a0 * b0 + model::mod_q(a1 * b1) * gamma));
        sum[2 * pair + 1] = model::mod_q(4 * (a0 * b1 + a1 * b0));
    }
    (sum, core::array::from_fn(|i| model::mod_q(sum[i] + f_hat[i]) as i16))
}

/// The largest sums that can be brought about from outside: left factors all q - 1, right factors whose numbers, as this
/// backend keeps them, are the largest found. That all sums fit is P2; this is a look at the far end.
pub(crate) fn accumulators<B: Probe>(backend: B) -> Covered {
    const K: usize = 4;
    let mut random = Random::new("accumulators");
    let mut found = Vec::new();
    for turn in turns(4000) {
        let f = extremes(turn, &mut random);
        found.push((largest(multiplier(backend, &f).f_hat.raw()), f));
    }
    let found = with_largest(found, 24);
    let mut inputs = 0;
    for left in [[Q - 1, Q - 1], [Q - 1, 0]] {
        let left = core::array::from_fn(|i| left[i & 1]);
        let mut a = [const { NttPoly::ZERO }; K];
        a.iter_mut().for_each(|a| copy(&decoded(backend, &left), a));
        for (_, f) in &found {
            let mut b = [const { Multiplier::ZERO }; K];
            b.iter_mut().for_each(|b| backend.multiplier(&canonical(*f), b));
            let (sum, with_summand) = four_products(&left, f);
            let (mut e_hat, mut t_hat) = (NttPoly::ZERO, NttPoly::ZERO);
            backend.ntt(&canonical(*f), &mut e_hat);
            backend.mul_add(&a, &b, &e_hat, &mut t_hat);
            assert_eq!(encoded(backend, &t_hat), packed(&with_summand));
            let mut product = Poly::<Lazy>::ZERO;
            backend.dot_inverse(&a, &b, &mut product);
            let product = product.coefficients();
            assert!(product.iter().all(|c| (Lazy::MIN..=Lazy::MAX).contains(c)));
            assert_eq!(model::ntt(&product.map(i64::from)), sum);
            inputs += 2;
        }
    }
    Covered::new("tested", inputs, format!("k = 4, numbers up to {} in the right factors", found[0].0))
}
