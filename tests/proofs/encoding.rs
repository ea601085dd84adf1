//! Encoding and compression: every value in every position, and every combination of those that share a byte (P4).

use kemstone::backend::poly::{Canonical, Lazy, N, NttPoly, Poly, Q};
use kemstone::backend::probe::Probe;

use crate::model;
use crate::support::{
    Covered, Representation, canonical, check_pack, combination, combinations, encoded, pack, packed, turns,
};

pub(crate) fn encode12<B: Probe>(backend: B) -> Covered {
    check_pack::<12>();
    let of = Representation::of(backend);
    let mut f_hat = NttPoly::<B>::ZERO;
    let mut inputs = 0;
    // Every 16-bit number in every position.
    for turn in turns(2 << 16) {
        // The other positions hold other numbers in the second half of the turns.
        let step = [1, 40503][turn >> 16];
        *f_hat.raw_mut() = core::array::from_fn(|i| (turn + step * i) as i16);
        let raw = f_hat.raw();
        let expected =
            core::array::from_fn(|i| model::mod_q(raw[of.position[i]] as i64 * of.inverse[i]) as i16);
        assert_eq!(encoded(backend, &f_hat), packed(&expected), "turn {turn}");
        inputs += 1;
    }
    // Every pair of neighbours.
    for turn in turns(combinations(Q as usize, 2)) {
        let values = combination(Q as usize, 2, turn);
        for ((value, position), unit) in values.iter().zip(of.position).zip(of.unit) {
            f_hat.raw_mut()[position] =
                if unit == 1 { *value } else { model::mod_q(*value as i64 * unit as i64) as i16 };
        }
        assert_eq!(encoded(backend, &f_hat), packed(&values), "turn {turn}");
        inputs += 1;
    }
    Covered::new(
        "settled",
        inputs * N as u64,
        "every number in every position; every pair of neighbours (P4)",
    )
}

pub(crate) fn decode12<B: Probe>(backend: B) -> Covered {
    let of = Representation::of(backend);
    let mut f_hat = NttPoly::<B>::ZERO;
    let mut inputs = 0;
    let mut check = |values: &[i16; N], all_units: bool| {
        let below_q = backend.decode12(&packed(values), &mut f_hat);
        assert_eq!(below_q, values.iter().all(|&value| value < Q), "{values:?}");
        let raw = f_hat.raw();
        for i in 0..N {
            let number = raw[of.position[i]];
            let right = if all_units {
                number == values[i]
            } else {
                model::mod_q(number as i64 - values[i] as i64 * of.unit[i] as i64) == 0
            };
            assert!(right, "coefficient {i} of {values:?}");
        }
        inputs += 1;
    };
    let units = of.unit == [1; N];
    for start in turns(1 << 12) {
        check(&core::array::from_fn(|i| ((start + 13 * i) & 0xfff) as i16), units);
        if start < Q as usize {
            check(&core::array::from_fn(|i| ((start + 13 * i) % Q as usize) as i16), units);
            check(&[start as i16; N], units);
        }
    }
    for turn in turns(combinations(1 << 12, 2)) {
        check(&combination(1 << 12, 2, turn), units);
    }
    // The answer: one value from q on is enough, wherever it is, and a second one does not hide it.
    let mut answer = |values: &[i16; N]| {
        let below_q = backend.decode12(&packed(values), &mut f_hat);
        assert_eq!(below_q, values.iter().all(|&value| value < Q), "{values:?}");
        inputs += 1;
    };
    for other in [0, Q - 1] {
        let mut values = [other; N];
        for i in turns(N) {
            for value in Q..1 << 12 {
                values[i] = value;
                answer(&values);
            }
            for j in 0..i {
                let kept = values[j];
                (values[i], values[j]) = ([Q, 4095][i & 1], [Q, 4095][j & 1]);
                answer(&values);
                values[j] = kept;
            }
            values[i] = other;
        }
    }
    let what =
        "every value in every position; every pair of neighbours; every pair of places not below q (P4)";
    Covered::new("settled", inputs * N as u64, what)
}

/// Neighbours that can share a byte.
const fn window(d: usize) -> u32 {
    match d {
        1 => 8,
        5 => 3,
        _ => 2,
    }
}

fn compress_to<B: Probe, const D: usize, const L: usize>(backend: B) -> u64 {
    const { assert!(L == 32 * D) };
    check_pack::<D>();
    let table: Vec<i16> = (0..Q as i64).map(|x| model::compress(D as u32, x) as i16).collect();
    let mut inputs = 0;
    let (mut v, mut f) = (Poly::<Canonical>::ZERO, Poly::<Lazy>::ZERO);
    let mut check = |values: [i16; N]| {
        let (mut b, mut expected) = ([0xa5; L], [0; L]);
        // By the operations that compress: a difference from nothing, or a sum with nothing.
        match b.first_chunk_mut::<32>() {
            Some(m) if D == 1 => {
                *v.storage() = values;
                backend.sub_compress(&v, &Poly::ZERO, m);
            }
            _ => {
                *f.storage() = values;
                backend.add_compress(&f, &Poly::ZERO, &mut b);
            }
        }
        pack::<D>(&values.map(|x| table[x as usize]), &mut expected);
        assert_eq!(b, expected, "d = {D}: {values:?}");
        inputs += N as u64;
    };
    for start in turns(Q as usize) {
        check(core::array::from_fn(|i| ((start + 13 * i) % Q as usize) as i16));
        check([start as i16; N]);
    }
    // What compresses to each value: the first and the last.
    let mut ends = vec![[i16::MAX, i16::MIN]; 1 << D];
    for (x, &y) in (0i16..).zip(&table) {
        let [first, last] = &mut ends[y as usize];
        (*first, *last) = (x.min(*first), x.max(*last));
    }
    for turn in turns(combinations(1 << D, window(D))) {
        check(combination(1 << D, window(D), turn).map(|y| ends[y as usize][turn & 1]));
    }
    inputs
}

pub(crate) fn compress<B: Probe>(backend: B) -> Covered {
    let inputs = compress_to::<B, 1, 32>(backend)
        + compress_to::<B, 4, 128>(backend)
        + compress_to::<B, 5, 160>(backend)
        + compress_to::<B, 10, 320>(backend)
        + compress_to::<B, 11, 352>(backend);
    Covered::new(
        "settled",
        inputs,
        "d = 1, 4, 5, 10, 11: every value in every position; every shared byte (P4)",
    )
}

fn decompress_from<B: Probe, const D: usize, const L: usize>(backend: B) -> u64 {
    const { assert!(L == 32 * D) };
    let table: Vec<i16> = (0..1 << D).map(|y| model::decompress(D as u32, y) as i16).collect();
    let mut inputs = 0;
    let mut f = canonical([0; N]);
    let mut check = |values: [i16; N]| {
        let mut b = [0; L];
        pack::<D>(&values, &mut b);
        backend.decompress(&b, &mut f);
        assert_eq!(*f.coefficients(), values.map(|y| table[y as usize]), "d = {D}");
        inputs += N as u64;
    };
    for start in turns(1 << D) {
        check(core::array::from_fn(|i| ((start + 13 * i) & ((1 << D) - 1)) as i16));
        check([start as i16; N]);
    }
    for turn in turns(combinations(1 << D, window(D))) {
        check(combination(1 << D, window(D), turn));
    }
    inputs
}

pub(crate) fn decompress<B: Probe>(backend: B) -> Covered {
    let inputs = decompress_from::<B, 1, 32>(backend)
        + decompress_from::<B, 4, 128>(backend)
        + decompress_from::<B, 5, 160>(backend)
        + decompress_from::<B, 10, 320>(backend)
        + decompress_from::<B, 11, 352>(backend);
    Covered::new(
        "settled",
        inputs,
        "d = 1, 4, 5, 10, 11: every value in every position; every shared byte (P4)",
    )
}
