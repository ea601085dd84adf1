//! Encoding and compression: every value in every position, and every combination of those that share a byte (P4).

use kemstone::backend::poly::{Canonical, Lazy, N, NttPoly, Poly, Q};
use kemstone::backend::probe::Probe;

use crate::model;
use crate::support::{
    Covered, Digits, Representation, canonical, check_pack, combination, combinations, encoded, pack_to,
    packed, packed_pairs, repeated, turns,
};

pub(crate) fn encode12<B: Probe>(backend: B) -> Covered {
    check_pack(12);
    let of = Representation::of(backend);
    let mut f_hat = NttPoly::<B>::ZERO;
    let mut inputs = 0;
    // Every 16-bit number in every position.
    for turn in turns(2 << 16) {
        // The other positions hold other numbers in the second half of the turns.
        let step = [1, 40503][turn >> 16];
        for (i, number) in f_hat.raw_mut().iter_mut().enumerate() {
            *number = (turn + step * i) as i16;
        }
        assert!(encoded(backend, &f_hat) == packed(&of.coefficients(f_hat.raw())), "turn {turn}");
        inputs += 1;
    }
    // Every pair of neighbours.
    for turn in turns(combinations(Q as usize, 2)) {
        let pairs = combination::<{ Q as usize }, 2>(turn);
        of.keep(&repeated(2, &pairs), f_hat.raw_mut());
        assert!(encoded(backend, &f_hat) == packed_pairs(&pairs), "turn {turn}");
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
    let mut check = |bytes: &[u8; 384], below_q: bool, values: &[i16; N]| {
        assert!(backend.decode12(bytes, &mut f_hat) == below_q, "not {below_q}: {values:?}");
        assert!(of.is(values, f_hat.raw()), "{:?} for {values:?}", f_hat.raw());
        inputs += 1;
    };
    let below_q = |values: &[i16; N]| values.iter().all(|&value| value < Q);
    let mut check_all = |values: &[i16; N]| check(&packed(values), below_q(values), values);
    for start in turns(1 << 12) {
        check_all(&core::array::from_fn(|i| ((start + 13 * i) & 0xfff) as i16));
        if start < Q as usize {
            check_all(&core::array::from_fn(|i| ((start + 13 * i) % Q as usize) as i16));
            check_all(&[start as i16; N]);
        }
    }
    for turn in turns(combinations(1 << 12, 2)) {
        let pairs = combination::<{ 1 << 12 }, 2>(turn);
        // What is no digit is zero.
        let below_q = pairs.as_flattened().iter().all(|&value| value < Q);
        check(&packed_pairs(&pairs), below_q, &repeated(2, &pairs));
    }
    // The answer: one value from q on is enough, wherever it is, and a second one does not hide it.
    let mut answer = |values: &[i16; N]| {
        assert!(!backend.decode12(&packed(values), &mut f_hat), "{values:?}");
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

/// Numbers of `d` bits, with as many neighbours as can share a byte, and their combinations.
struct Packing {
    d: usize,
    width: usize,
    combination: fn(usize) -> Digits,
}

impl Packing {
    const ALL: [Self; 5] = [
        Self { d: 1, width: 8, combination: combination::<2, 8> },
        Self { d: 4, width: 2, combination: combination::<16, 2> },
        Self { d: 5, width: 3, combination: combination::<32, 3> },
        Self { d: 10, width: 2, combination: combination::<1024, 2> },
        Self { d: 11, width: 2, combination: combination::<2048, 2> },
    ];

    /// Inputs for `check` by their combinations: with each number mapped, and as it is.
    fn for_combinations(&self, map: &dyn Fn(usize, i16) -> i16, check: &mut dyn FnMut(&[i16; N], &[i16; N])) {
        for turn in turns(combinations(1 << self.d, self.width)) {
            let digits = (self.combination)(turn);
            let mut mapped = digits;
            for group in &mut mapped {
                group[..self.width].iter_mut().for_each(|y| *y = map(turn, *y));
            }
            check(&repeated(self.width, &mapped), &repeated(self.width, &digits));
        }
    }
}

/// What a backend does with coefficients, and the bytes it writes.
type Compress<'a> = &'a mut dyn FnMut(&[i16; N], &mut [u8]);

fn compress_to(packing: &Packing, compress: Compress) -> u64 {
    let d = packing.d;
    check_pack(d);
    let table: Vec<i16> = (0..Q as i64).map(|x| model::compress(d as u32, x) as i16).collect();
    let mut inputs = 0;
    let mut check = |values: &[i16; N], compressed: &[i16; N]| {
        let (mut b, mut expected) = ([0xa5; 352], [0; 352]);
        let (b, expected) = (&mut b[..32 * d], &mut expected[..32 * d]);
        compress(values, b);
        pack_to(d, compressed, expected);
        assert!(b == expected, "d = {d}: {values:?}");
        inputs += N as u64;
    };
    for start in turns(Q as usize) {
        let values = core::array::from_fn(|i| ((start + 13 * i) % Q as usize) as i16);
        check(&values, &values.map(|x| table[x as usize]));
        check(&[start as i16; N], &[table[start]; N]);
    }
    // What compresses to each value: the first and the last.
    let mut ends = vec![[i16::MAX, i16::MIN]; 1 << d];
    for (x, &y) in (0i16..).zip(&table) {
        let [first, last] = &mut ends[y as usize];
        (*first, *last) = (x.min(*first), x.max(*last));
    }
    packing.for_combinations(&|turn, y| ends[y as usize][turn & 1], &mut check);
    inputs
}

/// By the operations that compress: a difference from nothing, or a sum with nothing.
fn difference<B: Probe>(backend: B) -> impl FnMut(&[i16; N], &mut [u8]) {
    let mut v = Poly::<Canonical>::ZERO;
    move |values, m| {
        *v.storage() = *values;
        backend.sub_compress(&v, &Poly::ZERO, m.first_chunk_mut().expect("32 bytes"));
    }
}

fn sum<B: Probe, const L: usize>(backend: B) -> impl FnMut(&[i16; N], &mut [u8]) {
    let mut f = Poly::<Lazy>::ZERO;
    move |values, b| {
        *f.storage() = *values;
        backend.add_compress::<L>(&f, &Poly::ZERO, b.first_chunk_mut().expect("as many bytes"));
    }
}

pub(crate) fn compress<B: Probe>(backend: B) -> Covered {
    let [one, four, five, ten, eleven] = &Packing::ALL;
    let inputs = compress_to(one, &mut difference(backend))
        + compress_to(four, &mut sum::<B, 128>(backend))
        + compress_to(five, &mut sum::<B, 160>(backend))
        + compress_to(ten, &mut sum::<B, 320>(backend))
        + compress_to(eleven, &mut sum::<B, 352>(backend));
    Covered::new(
        "settled",
        inputs,
        "d = 1, 4, 5, 10, 11: every value in every position; every shared byte (P4)",
    )
}

/// What a backend does with bytes.
type Decompress<'a> = &'a mut dyn FnMut(&[u8], &mut Poly<Canonical>);

fn decompress_from(packing: &Packing, decompress: Decompress) -> u64 {
    let d = packing.d;
    let table: Vec<i16> = (0..1 << d).map(|y| model::decompress(d as u32, y) as i16).collect();
    let mut inputs = 0;
    let mut f = canonical([0; N]);
    let mut check = |expected: &[i16; N], values: &[i16; N]| {
        let mut b = [0; 352];
        let b = &mut b[..32 * d];
        pack_to(d, values, b);
        decompress(b, &mut f);
        // Not by `coefficients`, which looks at the range one by one.
        assert!(f.storage() == expected, "d = {d}: {values:?}");
        inputs += N as u64;
    };
    for start in turns(1 << d) {
        let values: [i16; N] = core::array::from_fn(|i| ((start + 13 * i) & ((1 << d) - 1)) as i16);
        check(&values.map(|y| table[y as usize]), &values);
        check(&[table[start]; N], &[start as i16; N]);
    }
    packing.for_combinations(&|_, y| table[y as usize], &mut check);
    inputs
}

fn decompressed<B: Probe, const L: usize>(backend: B) -> impl FnMut(&[u8], &mut Poly<Canonical>) {
    move |b, f| backend.decompress::<L>(b.first_chunk().expect("as many bytes"), f)
}

pub(crate) fn decompress<B: Probe>(backend: B) -> Covered {
    let [one, four, five, ten, eleven] = &Packing::ALL;
    let inputs = decompress_from(one, &mut decompressed::<B, 32>(backend))
        + decompress_from(four, &mut decompressed::<B, 128>(backend))
        + decompress_from(five, &mut decompressed::<B, 160>(backend))
        + decompress_from(ten, &mut decompressed::<B, 320>(backend))
        + decompress_from(eleven, &mut decompressed::<B, 352>(backend));
    Covered::new(
        "settled",
        inputs,
        "d = 1, 4, 5, 10, 11: every value in every position; every shared byte (P4)",
    )
}
