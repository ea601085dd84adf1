//! Every operation of the contract, by the backend with vectors and by the portable one, on the same inputs.
//!
//! Elements of T_q are written through `decode12` and read through `encode12`: each backend has its own order.

use core::sync::atomic::{AtomicUsize, Ordering};

use kemstone::backend::Backend;
use kemstone::backend::poly::{Canonical, Eta, Lazy, Multiplier, N, Noise, NttPoly, Poly, Q, Range};
use kemstone::backend::portable::Portable;
use kemstone::backend::probe::{Keccaks, Probe};
use kemstone::backend::wasm32::simd128::Simd128;
use kemstone::sponge::fips202::Function;
use kemstone::sponge::jobs::Job;
use kemstone::sponge::{Keccak, States};

pub(crate) const OPERATIONS: [&str; 21] = [
    "sample_poly_cbd",
    "ntt",
    "multiplier",
    "mul_add",
    "dot_inverse",
    "add_compress",
    "add_message_compress",
    "sub_compress",
    "encode12",
    "decode12",
    "decompress",
    "sample_ntt",
    "hash",
    "hash_all",
    "hash_key",
    "noise",
    "the step montgomery_multiply",
    "the step montgomery_reduce",
    "the step barrett_reduce",
    "the step canonicalise",
    "the steps of Keccak",
];

static FAILED: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn failed() -> usize {
    FAILED.load(Ordering::Relaxed)
}

/// Counts comparisons, and remembers the operation of the first that failed.
struct Check {
    fault: usize,
    count: u32,
    failed: usize,
    random: Random,
    simd: Simd128,
}

impl Check {
    /// Compares what an operation gave on both backends.
    fn same<T: PartialEq>(&mut self, operation: &str, portable: &[T], simd: &mut [T], turn: impl Fn(&mut T)) {
        let number = OPERATIONS.iter().position(|name| *name == operation).map_or(usize::MAX, |n| n + 1);
        if let (true, Some(last)) = (self.fault == number, simd.last_mut()) {
            turn(last);
        }
        self.count += 1;
        if portable != simd && self.failed == 0 {
            self.failed = number;
        }
    }

    fn bytes(&mut self, operation: &str, portable: &[u8], simd: &mut [u8]) {
        self.same(operation, portable, simd, |byte| *byte ^= 0x80);
    }

    fn numbers(&mut self, operation: &str, portable: &[i16; N], mut simd: [i16; N]) {
        self.same(operation, portable, &mut simd, |number| *number ^= 1);
    }

    fn elements(&mut self, operation: &str, portable: &NttPoly<Portable>, simd: &NttPoly<Simd128>) {
        let mut encoded = [[0xa5; 384], [0x5a; 384]];
        Portable.encode12(portable, &mut encoded[0]);
        self.simd.encode12(simd, &mut encoded[1]);
        let [portable, simd] = &mut encoded;
        self.bytes(operation, portable, simd);
    }

    fn truth(&mut self, operation: &str, holds: bool) {
        self.same(operation, &[true], &mut [holds], |holds| *holds = !*holds);
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: u32) -> u32 {
        ((self.next() >> 32) * n as u64 >> 32) as u32
    }

    fn bytes<const L: usize>(&mut self) -> [u8; L] {
        // Now and then all zeros, all ones, or one of few patterns.
        let pattern = [0, 0xff, 0x55, 0xaa, 0x0f, 0xf0][self.below(6) as usize];
        let plain = self.below(8) == 0;
        core::array::from_fn(|_| if plain { pattern } else { self.next() as u8 })
    }

    fn poly<R: Range>(&mut self) -> Poly<R> {
        let width = (R::MAX as i32 - R::MIN as i32 + 1) as u32;
        let extremes = self.below(6);
        let numbers = core::array::from_fn(|_| match extremes {
            0 => [R::MIN, R::MAX][self.below(2) as usize],
            1 => R::MAX,
            2 if R::MIN < 0 => R::MIN,
            3 => [R::MIN, 0, R::MAX][self.below(3) as usize],
            _ => (R::MIN as i32 + self.below(width) as i32) as i16,
        });
        Poly::new(numbers).expect("within the range")
    }

    /// The same element in both orders.
    fn element(&mut self, simd: Simd128) -> (NttPoly<Portable>, NttPoly<Simd128>) {
        let f = self.poly::<Canonical>();
        // In the standard's order the portable backend keeps it as it is.
        let (mut portable, mut other, mut b) = (NttPoly::ZERO, NttPoly::ZERO, [0; 384]);
        *portable.raw_mut() = *f.coefficients();
        Portable.encode12(&portable, &mut b);
        let _ = (Portable.decode12(&b, &mut portable), simd.decode12(&b, &mut other));
        (portable, other)
    }
}

fn modulo_q(f: &[i16; N]) -> [i16; N] {
    f.map(|c| c.rem_euclid(Q))
}

pub(crate) fn run(seed: u32, rounds: u32, fault: u32) -> u32 {
    let simd = Simd128::detect().expect("the build has it");
    let mut check =
        Check { fault: fault as usize, count: 0, failed: 0, random: Random(u64::from(seed)), simd };
    for _ in 0..rounds {
        noise(&mut check);
        transforms(&mut check);
        products::<1>(&mut check);
        products::<2>(&mut check);
        products::<3>(&mut check);
        products::<4>(&mut check);
        let f = [check.random.poly(), check.random.poly()];
        sums(&mut check, &f);
        encoding(&mut check);
        decompression(&mut check);
        rejection(&mut check);
        hashes(&mut check);
        keys::<2>(&mut check, Eta::Three);
        keys::<3>(&mut check, Eta::Two);
        keys::<4>(&mut check, Eta::Two);
        reductions(&mut check);
    }
    every_sum(&mut check);
    every_code(&mut check);
    inverse_extremes(&mut check);
    every_number(&mut check);
    keccak_steps(&mut check);
    FAILED.store(check.failed, Ordering::Relaxed);
    if check.failed == 0 { check.count } else { 0 }
}

fn noise(check: &mut Check) {
    let b = check.random.bytes::<200>();
    for eta in [Eta::Two, Eta::Three] {
        let mut f = [Poly::<Noise>::ZERO, Poly::ZERO];
        Portable.sample_poly_cbd(eta, &b, &mut f[0]);
        check.simd.sample_poly_cbd(eta, &b, &mut f[1]);
        let [f, g] = f.map(|mut f| *f.storage());
        check.numbers("sample_poly_cbd", &f, g);
    }
}

fn transforms(check: &mut Check) {
    fn of<R: Range>(check: &mut Check) {
        let f = check.random.poly::<R>();
        let (mut portable, mut simd) = (NttPoly::ZERO, NttPoly::ZERO);
        Portable.ntt(&f, &mut portable);
        check.simd.ntt(&f, &mut simd);
        check.truth("ntt", simd.raw().iter().all(|c| (c.unsigned_abs() as i32) < 8 * Q as i32));
        check.elements("ntt", &portable, &simd);
        let mut m = Multiplier::ZERO;
        check.simd.multiplier(&f, &mut m);
        check.elements("multiplier", &portable, &m.f_hat);
    }
    of::<Canonical>(check);
    of::<Noise>(check);
}

fn products<const K: usize>(check: &mut Check) {
    let simd = check.simd;
    let mut a = ([const { NttPoly::ZERO }; K], [const { NttPoly::ZERO }; K]);
    let mut b = ([const { Multiplier::ZERO }; K], [const { Multiplier::ZERO }; K]);
    for i in 0..K {
        (a.0[i], a.1[i]) = check.random.element(simd);
        let f = check.random.poly::<Canonical>();
        Portable.multiplier(&f, &mut b.0[i]);
        simd.multiplier(&f, &mut b.1[i]);
    }
    let e = check.random.poly::<Noise>();
    let (mut e_hat, mut t_hat) = ((NttPoly::ZERO, NttPoly::ZERO), (NttPoly::ZERO, NttPoly::ZERO));
    Portable.ntt(&e, &mut e_hat.0);
    simd.ntt(&e, &mut e_hat.1);
    Portable.mul_add(&a.0, &b.0, &e_hat.0, &mut t_hat.0);
    simd.mul_add(&a.1, &b.1, &e_hat.1, &mut t_hat.1);
    check.elements("mul_add", &t_hat.0, &t_hat.1);
    let mut f = [Poly::<Lazy>::ZERO, Poly::ZERO];
    Portable.dot_inverse(&a.0, &b.0, &mut f[0]);
    simd.dot_inverse(&a.1, &b.1, &mut f[1]);
    let [f, g] = f.map(|mut f| *f.storage());
    check.truth("dot_inverse", g.iter().all(|c| (Lazy::MIN..=Lazy::MAX).contains(c)));
    check.numbers("dot_inverse", &modulo_q(&f), modulo_q(&g));
}

/// Inverse transforms with large intermediate numbers: those after the layers within 32 coefficients, whose sums the other
/// layers make. What brings about the largest is found by trying, one number of the input after the other.
fn inverse_extremes(check: &mut Check) {
    const STEPS: usize = 500;
    const BLOCK: usize = 32;
    let simd = check.simd;
    // Four times the same product: the sums are as large as they become.
    let factor = check.random.poly::<Canonical>();
    let mut b = ([const { Multiplier::ZERO }; 4], [const { Multiplier::ZERO }; 4]);
    b.0.iter_mut().for_each(|b| Portable.multiplier(&factor, b));
    b.1.iter_mut().for_each(|b| simd.multiplier(&factor, b));
    let encoded = |f_hat: &[i16; N]| {
        let (mut element, mut b) = (NttPoly::<Portable>::ZERO, [0; 384]);
        *element.raw_mut() = *f_hat;
        Portable.encode12(&element, &mut b);
        b
    };
    let inverse = |f_hat: &[i16; N]| {
        let (mut element, mut f) = (NttPoly::ZERO, Poly::ZERO);
        let _ = simd.decode12(&encoded(f_hat), &mut element);
        simd.dot_inverse(&[element; 4], &b.1, &mut f);
        *f.storage()
    };
    for (p, sign) in (0..BLOCK).flat_map(|p| [(p, 1), (p, -1)]) {
        let mut best = [0; N];
        for block in (0..N).step_by(BLOCK) {
            let mut f_hat = [0; N];
            let mut most = i16::MIN;
            for _ in 0..STEPS {
                let i = block + check.random.below(BLOCK as u32) as usize;
                let before = core::mem::replace(&mut f_hat[i], check.random.below(Q as u32) as i16);
                let value = sign * inverse(&f_hat)[p];
                if value < most {
                    f_hat[i] = before;
                } else {
                    most = value;
                }
            }
            best[block..][..BLOCK].copy_from_slice(&f_hat[block..][..BLOCK]);
        }
        let (mut element, mut f) = (NttPoly::ZERO, Poly::ZERO);
        let _ = Portable.decode12(&encoded(&best), &mut element);
        Portable.dot_inverse(&[element; 4], &b.0, &mut f);
        let g = inverse(&best);
        check.truth("dot_inverse", g.iter().all(|c| (Lazy::MIN..=Lazy::MAX).contains(c)));
        check.numbers("dot_inverse", &modulo_q(f.storage()), modulo_q(&g));
    }
}

/// Sums with these, and differences.
fn sums(check: &mut Check, f: &[Poly<Lazy>; 2]) {
    fn of<const L: usize>(check: &mut Check, f: &Poly<Lazy>, e: &Poly<Noise>) {
        let m = check.random.bytes();
        let mut b = [[0xa5; L], [0x5a; L]];
        Portable.add_compress(f, e, &mut b[0]);
        check.simd.add_compress(f, e, &mut b[1]);
        let [portable, simd] = &mut b;
        check.bytes("add_compress", portable, simd);
        Portable.add_message_compress(f, e, &m, &mut b[0]);
        check.simd.add_message_compress(f, e, &m, &mut b[1]);
        let [portable, simd] = &mut b;
        check.bytes("add_message_compress", portable, simd);
    }
    for f in f {
        let e = check.random.poly();
        of::<128>(check, f, &e);
        of::<160>(check, f, &e);
        of::<320>(check, f, &e);
        of::<352>(check, f, &e);
        let v = check.random.poly();
        let mut m = [[0xa5; 32], [0x5a; 32]];
        Portable.sub_compress(&v, f, &mut m[0]);
        check.simd.sub_compress(&v, f, &mut m[1]);
        let [portable, simd] = &mut m;
        check.bytes("sub_compress", portable, simd);
    }
}

/// Sums and differences with every number of the range in every position.
fn every_sum(check: &mut Check) {
    let span = Lazy::MAX as i32 - Lazy::MIN as i32 + 1;
    for start in 0..span {
        let f = core::array::from_fn(|i| {
            let value = start + 199 * i as i32;
            (Lazy::MIN as i32 + if value >= span { value - span } else { value }) as i16
        });
        let f = Poly::new(f).expect("within the range");
        sums(check, &[f, Poly::ZERO]);
    }
}

fn encoding(check: &mut Check) {
    let (portable, simd) = check.random.element(check.simd);
    check.elements("encode12", &portable, &simd);
    let mut b = check.random.bytes::<384>();
    for _ in 0..check.random.below(3) {
        // Few that are too large, among many that are not.
        let (mut f, i) = (NttPoly::<Portable>::ZERO, check.random.below(128) as usize);
        *f.raw_mut() = *check.random.poly::<Canonical>().coefficients();
        Portable.encode12(&f, &mut b);
        b[3 * i..3 * i + 3].copy_from_slice(&check.random.bytes::<3>());
    }
    let (mut portable, mut simd) = (NttPoly::ZERO, NttPoly::ZERO);
    let valid = [Portable.decode12(&b, &mut portable), check.simd.decode12(&b, &mut simd)];
    check.truth("decode12", valid[0] == valid[1]);
    check.elements("decode12", &portable, &simd);
}

/// Every 12 bits in every position, among others of which none is too large.
fn every_code(check: &mut Check) {
    for i in 0..N {
        for value in 0..4096_u16 {
            let mut b = [0; 384];
            if value & 1 == 1 {
                b.as_chunks_mut().0.fill([0x00, 0x0d, 0xd0]); // q - 1
            }
            let pair = &mut b.as_chunks_mut::<3>().0[i >> 1];
            *pair = match (i & 1, *pair) {
                (0, [_, middle, high]) => [value as u8, middle & 0xf0 | (value >> 8) as u8, high],
                (_, [low, middle, _]) => [low, middle & 0x0f | (value << 4) as u8, (value >> 4) as u8],
            };
            let mut f_hat = NttPoly::ZERO;
            let valid = check.simd.decode12(&b, &mut f_hat);
            check.truth("decode12", valid == (value < Q as u16));
            if valid {
                let mut again = [0; 384];
                check.simd.encode12(&f_hat, &mut again);
                check.bytes("decode12", &b, &mut again);
            }
        }
    }
}

fn decompression(check: &mut Check) {
    fn of<const L: usize>(check: &mut Check) {
        let b = check.random.bytes::<L>();
        let mut f = [Poly::<Canonical>::ZERO, Poly::ZERO];
        Portable.decompress(&b, &mut f[0]);
        check.simd.decompress(&b, &mut f[1]);
        let [f, g] = f.map(|mut f| *f.storage());
        check.numbers("decompress", &f, g);
    }
    of::<32>(check);
    of::<128>(check);
    of::<160>(check);
    of::<320>(check);
    of::<352>(check);
}

fn rejection(check: &mut Check) {
    let mut a_hats = ([NttPoly::ZERO; 3], [NttPoly::ZERO; 3]);
    let mut filled = ([0; 3], [0; 3]);
    for _ in 0..1000 {
        let blocks: [[u8; 192]; 3] = core::array::from_fn(|_| check.random.bytes());
        let full = [
            Portable.sample_ntt(&blocks, &mut a_hats.0, &mut filled.0),
            check.simd.sample_ntt(&blocks, &mut a_hats.1, &mut filled.1),
        ];
        check.truth("sample_ntt", full[0] == full[1] && filled.0 == filled.1);
        if full[0] {
            break;
        }
    }
    for (portable, simd) in a_hats.0.iter().zip(&a_hats.1) {
        check.elements("sample_ntt", portable, simd);
    }
}

fn hashes(check: &mut Check) {
    let functions = [Function::Sha3_256, Function::Sha3_512, Function::Shake128, Function::Shake256];
    let message = check.random.bytes::<1700>();
    let lengths: [usize; 5] = core::array::from_fn(|_| check.random.below(1700) as usize);
    let mut out = [[[0xa5; 64]; 5], [[0x5a; 64]; 5]];
    let length = |i: usize| [32, 64, 64, 64][i & 3];
    for (i, &end) in lengths.iter().enumerate() {
        let (head, tail) = message[..end].split_at(end >> 1);
        Portable.hash(Job::new(functions[i & 3], head, tail, &mut out[0][i][..length(i)]));
        check.simd.hash(Job::new(functions[i & 3], head, tail, &mut out[1][i][..length(i)]));
        let [portable, simd] = &mut out;
        check.bytes("hash", &portable[i][..length(i)], &mut simd[i][..length(i)]);
    }
    out[1] = [[0x5a; 64]; 5];
    let mut places = out[1].iter_mut();
    let mut jobs = core::array::from_fn::<_, 5, _>(|i| {
        let (head, tail) = message[..lengths[i]].split_at(lengths[i] >> 1);
        let place = places.next().expect("five");
        Job::new(functions[i & 3], head, tail, &mut place[..length(i)]).into()
    });
    check.simd.hash_all(&mut jobs);
    let [portable, simd] = &mut out;
    for i in 0..5 {
        check.bytes("hash_all", &portable[i][..length(i)], &mut simd[i][..length(i)]);
    }
}

fn keys<const K: usize>(check: &mut Check, eta1: Eta) {
    let ek = check.random.bytes::<1568>();
    let ek = &ek[..384 * K + 32];
    let mut h = [[0xa5; 32], [0x5a; 32]];
    let mut a = ([[NttPoly::ZERO; K]; K], [[NttPoly::ZERO; K]; K]);
    Portable.hash_key(ek, &mut h[0], &mut a.0);
    check.simd.hash_key(ek, &mut h[1], &mut a.1);
    let [portable, simd] = &mut h;
    check.bytes("hash_key", portable, simd);
    for (portable, simd) in a.0.as_flattened().iter().zip(a.1.as_flattened()) {
        check.elements("hash_key", portable, simd);
    }
    let r = check.random.bytes();
    let mut y = [[[0x11; 192]; K]; 2];
    let mut e1 = [[[0x22; 128]; K], [[0x33; 128]; K]];
    let mut e2 = [[0x44; 128], [0x55; 128]];
    Portable.noise(eta1, &r, &mut y[0], &mut e1[0], &mut e2[0]);
    check.simd.noise(eta1, &r, &mut y[1], &mut e1[1], &mut e2[1]);
    let [portable, simd] = &mut y;
    check.bytes("noise", portable.as_flattened(), simd.as_flattened_mut());
    let [portable, simd] = &mut e1;
    check.bytes("noise", portable.as_flattened(), simd.as_flattened_mut());
    let [portable, simd] = &mut e2;
    check.bytes("noise", portable, simd);
}

/// Montgomery reduction, on random sums and the largest.
fn reductions(check: &mut Check) {
    const MOST: i64 = 1 << 30;
    let extremes = check.random.below(4);
    let a = core::array::from_fn(|_| match extremes {
        0 => [-MOST, MOST, MOST - 1, 0][check.random.below(4) as usize] as i32,
        _ => (check.random.below(1 << 31) as i64 - MOST) as i32,
    });
    let mut r = [[0; N]; 2];
    Portable.montgomery_reduce(&a, &mut r[0]);
    check.simd.montgomery_reduce(&a, &mut r[1]);
    let bound = |a: i32| (a.unsigned_abs() >> 16) as i32 + (Q as i32 >> 1) + 2;
    let small = a.iter().zip(&r[1]).all(|(&a, &r)| i32::from(r).abs() <= bound(a));
    check.truth("the step montgomery_reduce", small);
    check.numbers("the step montgomery_reduce", &modulo_q(&r[0]), modulo_q(&r[1]));
}

/// Each of the 2^16 numbers of 16 bits, through the steps on such numbers and through `encode12`.
fn every_number(check: &mut Check) {
    let simd = check.simd;
    for start in (0..=0xffff_u32).step_by(N) {
        let a: [i16; N] = core::array::from_fn(|i| (start as usize + i) as i16);
        let mut r = a;
        simd.barrett_reduce(&mut r);
        let small =
            a.iter().zip(&r).all(|(&a, &r)| i32::from(r).abs() <= Simd128::reduced(i32::from(a).abs()));
        check.truth("the step barrett_reduce", small);
        check.numbers("the step barrett_reduce", &modulo_q(&a), modulo_q(&r));
        r = a;
        simd.canonicalise(&mut r);
        check.numbers("the step canonicalise", &modulo_q(&a), r);
        // Each centred factor with some of the numbers, and these with all.
        let some = (-1664..=1664).filter(|b| (b + 1664) & 0xff == (start >> 8) as i16);
        for b in some.chain([-1664, 1664, -1, 0, 1, 17, 512, -758, 1441]) {
            r = a;
            simd.montgomery_multiply(&mut r, b);
            let bound = |a: i16| Simd128::product(i32::from(a).abs());
            let small = a.iter().zip(&r).all(|(&a, &r)| i32::from(r).abs() <= bound(a));
            check.truth("the step montgomery_multiply", small);
            let product = a.map(|a| (i32::from(a) * i32::from(b)).rem_euclid(i32::from(Q)) as i16);
            check.numbers("the step montgomery_multiply", &product, modulo_q(&r));
        }
    }
    for number in i16::MIN..=i16::MAX {
        let (mut portable, mut other) = (NttPoly::ZERO, NttPoly::ZERO);
        (*portable.raw_mut(), *other.raw_mut()) = ([number; N], [number; N]);
        check.elements("encode12", &portable, &other);
    }
}

/// Rounds of both kernels against the portable round, and whole permutations.
fn keccak_steps(check: &mut Check) {
    struct Rounds<'a>(&'a mut Check);
    impl Keccaks<Simd128> for Rounds<'_> {
        fn kernel<const W: usize, const R: usize>(
            &mut self,
            simd: Simd128,
            used: usize,
            rounds: impl Fn(&mut States<W>, [u64; R]),
        ) where
            Simd128: Keccak<W>,
        {
            for _ in 0..1000 {
                let states: [[u64; W]; 25] =
                    core::array::from_fn(|_| core::array::from_fn(|_| self.0.random.next()));
                let constants: [u64; R] = core::array::from_fn(|_| self.0.random.next());
                let (mut one, mut all) = (States(states), States(states));
                rounds(&mut one, constants);
                simd.permute(&mut all, used);
                for slot in 0..used {
                    let mut expected = states.map(|row| row[slot]);
                    let mut whole = States(expected.map(|lane| [lane]));
                    for rc in constants {
                        round(&mut expected, rc);
                    }
                    let turn = |lane: &mut u64| *lane ^= 1 << 63;
                    let name = "the steps of Keccak";
                    self.0.same(name, &expected, &mut one.0.map(|row| row[slot]), turn);
                    Portable.permute(&mut whole, 1);
                    self.0.same(name, whole.single(), &mut all.0.map(|row| row[slot]), turn);
                }
            }
        }
    }
    check.simd.keccaks(&mut Rounds(check));
}

/// One round by the portable kernel.
fn round(state: &mut [u64; 25], rc: u64) {
    struct One<'a>(&'a mut [u64; 25], u64);
    impl Keccaks<Portable> for One<'_> {
        fn kernel<const W: usize, const R: usize>(
            &mut self,
            _: Portable,
            _: usize,
            rounds: impl Fn(&mut States<W>, [u64; R]),
        ) where
            Portable: Keccak<W>,
        {
            let mut states = States(self.0.map(|lane| [lane; W]));
            rounds(&mut states, [self.1; R]);
            *self.0 = states.0.map(|row| row[0]);
        }
    }
    Portable.keccaks(&mut One(state, rc));
}

pub(crate) fn permutations(wide: bool, times: u32) -> u32 {
    let simd = Simd128::detect().expect("the build has it");
    let mut two = States([[1, 2]; 25]);
    let mut one = [States([[1]; 25]), States([[2]; 25])];
    for _ in 0..times {
        if wide {
            simd.permute(&mut two, 2);
        } else {
            one.iter_mut().for_each(|state| simd.permute(state, 1));
        }
    }
    (two.0[0][0] ^ one[0].0[0][0] ^ one[1].0[0][0]) as u32
}
