//! The transforms and products on unit vectors (P1 to P3).

use kemstone::backend::poly::{Canonical, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use kemstone::backend::probe::Probe;

use crate::model;
use crate::support::{Covered, Random, Residues, Units, canonical, decoded, encoded, packed, scale, turns};

/// Algorithm 9 on `scale` X^i for all i.
fn ntt_of_units<B: Probe, R: Range>(backend: B, scale: i16) -> u64 {
    for (i, expected) in Units::get().forward.iter().enumerate() {
        let f = Poly::<R>::new(core::array::from_fn(|j| if i == j { scale } else { 0 })).expect("in range");
        let expected = packed(&expected.map(|c| model::mod_q(c as i64 * scale as i64) as i16));
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
    let unit = |f: &[i16; N]| {
        let mut m = Multiplier::ZERO;
        backend.multiplier(&canonical(*f), &mut m);
        m
    };
    Units::get().inverse.iter().map(unit).collect()
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
            copy(&decoded(backend, &core::array::from_fn(|n| if n == i { scale } else { 0 })), &mut a[s]);
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
            let mut expected = [0; N];
            if let Some((at, c)) = product {
                expected[at] = c as i16;
            }
            let right = match product {
                None => encoded(backend, &t_hat) == [0; 384],
                Some(_) => encoded(backend, &t_hat) == packed(&expected),
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
        assert_eq!(encoded(backend, &t_hat), packed(&core::array::from_fn(|j| (i == j) as i16)));
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
    let (residues, units) = (Residues::get(), Units::get());
    let mut inputs = 0;
    let mut f = Poly::<Lazy>::ZERO;
    for scale in [1, Q - 1] {
        for_pairs::<B, K>(backend, scale, &mut |a, b, product| {
            backend.dot_inverse(a, b, &mut f);
            let f = f.coefficients();
            assert!(f.iter().all(|c| (Lazy::MIN..=Lazy::MAX).contains(c)));
            match product {
                None => assert!(*f == [0; N] || f.iter().all(|&c| residues.of(c) == 0), "k = {K}"),
                Some((at, factor)) => {
                    for (i, (&c, &unit)) in f.iter().zip(&units.inverse[at]).enumerate() {
                        let expected = model::mod_q(unit as i64 * factor) as i16;
                        assert_eq!(residues.of(c), expected, "k = {K}, {product:?}, coefficient {i}");
                    }
                }
            }
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

/// c X^i, which doubles in every layer of the inverse transform until it is reduced: where a reduction is missing,
/// some of these leave 16 bits.
pub(crate) fn inverse_growth<B: Probe>(backend: B) -> Covered {
    let (residues, units) = (Residues::get(), Units::get());
    let mut one = Multiplier::ZERO;
    backend.multiplier(&canonical(core::array::from_fn(|i| (i == 0) as i16)), &mut one);
    let one = [one];
    let mut f = Poly::<Lazy>::ZERO;
    let mut inputs = 0;
    for (i, unit) in units.forward.iter().enumerate() {
        let mut f_hat = [0; N];
        for c in turns(Q as usize) {
            backend.dot_inverse(&[decoded(backend, &f_hat)], &one, &mut f);
            let f = f.coefficients();
            assert!(f.iter().all(|c| (Lazy::MIN..=Lazy::MAX).contains(c)), "{c} X^{i}");
            let right =
                f.iter().enumerate().all(|(j, &g)| residues.of(g) as usize == if i == j { c } else { 0 });
            assert!(right, "{c} X^{i}");
            for (f, unit) in f_hat.iter_mut().zip(unit) {
                *f = residues.of((*f as i32 + *unit as i32 * (scale() | 1) as i32 % Q as i32) as i16);
            }
            inputs += 1;
        }
    }
    Covered::new("tested", inputs, "all c X^i: the longest chains of sums")
}

/// The largest sums in the inverse transform. A number of the transform depends on one block of its input until it is
/// added to one of another block, so the blocks are searched one by one for what makes the first numbers of each largest
/// and smallest, and what is found is put together: blocks of every length, since a sum may begin after any layer. Where a
/// reduction is missing, these leave the range or 16 bits.
pub(crate) fn inverse_extremes<B: Probe>(backend: B) -> Covered {
    /// Contents that each block is searched with.
    const TRIES: usize = 1000;
    let (residues, units) = (Residues::get(), Units::get());
    let mut random = Random::new("inverse extremes");
    let mut one = Multiplier::ZERO;
    backend.multiplier(&canonical(core::array::from_fn(|i| (i == 0) as i16)), &mut one);
    let one = [one];
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
                for ((value, best), c) in value.iter_mut().zip(&mut best).zip(f.coefficients()) {
                    for ((value, best), c) in value.iter_mut().zip(best).zip([*c, -c]) {
                        if c > *value {
                            *value = c;
                            best[block..][..length].copy_from_slice(&f_hat[block..][..length]);
                        }
                    }
                }
            }
        }
        for (p, f_hat) in best.iter().enumerate().flat_map(|(p, both)| both.iter().map(move |f| (p, f))) {
            backend.dot_inverse(&[decoded(backend, f_hat)], &one, &mut f);
            let mut expected = [0_i64; N];
            for (c, unit) in f_hat.iter().zip(&units.inverse) {
                for (expected, unit) in expected.iter_mut().zip(unit) {
                    *expected += i64::from(*c) * i64::from(*unit);
                }
            }
            for (i, (c, expected)) in f.storage().iter().zip(expected).enumerate() {
                let right = i64::from(residues.of(*c)) == model::mod_q(expected);
                let good = right && (Lazy::MIN..=Lazy::MAX).contains(c);
                assert!(good, "blocks of {length}, number {p}: coefficient {i} is {c}");
                most = most.max(c.abs());
            }
            inputs += 1;
        }
    }
    Covered::new("tested", inputs, format!("the largest parts found in blocks of each length: up to {most}"))
}

/// The largest sums that can be brought about from outside: left factors all q - 1, right factors whose numbers, as this
/// backend keeps them, are the largest found. That all sums fit is P2; this is a look at the far end.
pub(crate) fn accumulators<B: Probe>(backend: B) -> Covered {
    const K: usize = 4;
    let (residues, units) = (Residues::get(), Units::get());
    let mut random = Random::new("accumulators");
    let mut found: Vec<(i64, [i16; N])> = Vec::new();
    for turn in turns(4000) {
        let mut bits: [u8; 32] = random.array();
        if turn < 256 {
            // Signs of a row of the transform: they add up there.
            let row: [i16; N] = core::array::from_fn(|i| units.forward[i][turn]);
            bits = core::array::from_fn(|i| (0..8).map(|j| ((row[8 * i + j] > Q >> 1) as u8) << j).sum());
        }
        let f = core::array::from_fn(|i| (Q - 1) * (bits[i >> 3] >> (i & 7) & 1) as i16);
        let mut m = Multiplier::<B>::ZERO;
        backend.multiplier(&canonical(f), &mut m);
        let most = m.f_hat.raw().iter().map(|c| (*c as i64).abs()).max().unwrap_or(0);
        found.push((most, f));
    }
    found.sort_by_key(|(most, _)| -most);
    found.truncate(24);
    let mut inputs = 0;
    for left in [[Q - 1; N], core::array::from_fn(|i| [Q - 1, 0][i & 1])] {
        let a = [0; K].map(|_| decoded(backend, &left));
        for (_, f) in &found {
            let b = [0; K].map(|_| {
                let mut m = Multiplier::ZERO;
                backend.multiplier(&canonical(*f), &mut m);
                m
            });
            let f_hat = model::ntt(&f.map(i64::from));
            let mut sum = [0; N];
            for (pair, gamma) in units.gammas.iter().enumerate() {
                let (a0, a1) = (left[2 * pair] as i64, left[2 * pair + 1] as i64);
                let (b0, b1) = (f_hat[2 * pair], f_hat[2 * pair + 1]);
                sum[2 * pair] = model::mod_q(4 * (a0 * b0 + model::mod_q(a1 * b1) * gamma));
                sum[2 * pair + 1] = model::mod_q(4 * (a0 * b1 + a1 * b0));
            }
            let mut e_hat = NttPoly::ZERO;
            backend.ntt(&canonical(*f), &mut e_hat);
            let mut t_hat = NttPoly::ZERO;
            backend.mul_add(&a, &b, &e_hat, &mut t_hat);
            let expected = core::array::from_fn(|i| model::mod_q(sum[i] + f_hat[i]) as i16);
            assert_eq!(encoded(backend, &t_hat), packed(&expected));
            let mut product = Poly::<Lazy>::ZERO;
            backend.dot_inverse(&a, &b, &mut product);
            assert!(product.coefficients().iter().all(|c| (Lazy::MIN..=Lazy::MAX).contains(c)));
            assert_eq!(model::ntt(&product.coefficients().map(|c| residues.of(c) as i64)), sum);
            inputs += 2;
        }
    }
    Covered::new("tested", inputs, format!("k = 4, numbers up to {} in the right factors", found[0].0))
}
