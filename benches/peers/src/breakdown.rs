//! Where the time of one ML-KEM-768 encapsulation goes: how often each operation of a backend is called, times what
//! a call costs.
//!
//! The counts come from running the frontend over a backend that counts and passes everything on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hint::black_box;

use kemstone::MlKem768;
use kemstone::backend::Backend;
use kemstone::backend::poly::{Canonical, Eta, Lazy, Multiplier, Noise, NttPoly, Poly, Range};
use kemstone::backend::select::{Selected, on};
use kemstone::ml_kem_768::EncapsulationKey;
use kemstone::on_backend::encapsulate;
use kemstone::sponge::fips202::Function;
use kemstone::sponge::jobs::{Job, Jobs};
use kemstone::sponge::{Blocks, Keccak, States, alone, noise, pack};

use crate::case::{Input, POOL};
use crate::clock::{Clock, Samples, Summary};
use crate::ours::{Sponges, given, with_sponges};

/// An operation by name; permutations and squeezes also by the width of the Keccak and the states in use.
type Operation = (&'static str, usize, usize);

const WHOLE: Operation = ("the whole", 0, 0);
/// G, `hash_key` and `noise`, as the frontend asks for them.
const SPONGES: Operation = ("all sponges", 0, 0);

type Counts = BTreeMap<Operation, usize>;

thread_local! {
    static COUNTS: RefCell<Counts> = const { RefCell::new(Counts::new()) };
}

fn count(name: &'static str, width: usize, used: usize) {
    COUNTS.with_borrow_mut(|counts| *counts.entry((name, width, used)).or_default() += 1);
}

fn counted(run: impl FnOnce()) -> Counts {
    COUNTS.with_borrow_mut(Counts::clear);
    run();
    COUNTS.with_borrow_mut(std::mem::take)
}

/// `B`, counted. Its `hash_all` is `W` states wide, which no trait says.
#[derive(Clone, Copy)]
struct Counted<B, const W: usize>(B);

/// The same numbers for another backend.
fn same<A, B>(f_hat: &NttPoly<A>) -> NttPoly<B> {
    let mut copy = NttPoly::ZERO;
    *copy.raw_mut() = *f_hat.raw();
    copy
}

impl<B: Keccak<V>, const W: usize, const V: usize> Keccak<V> for Counted<B, W> {
    fn cheap_width(self) -> usize {
        self.0.cheap_width()
    }

    // What a backend does at once, whole blocks and the end of a sponge, is counted here as so many single steps, and costs
    // what those cost.
    fn permute(self, states: &mut States<V>, used: usize) {
        count("permute", V, used);
        self.0.permute(states, used);
    }

    fn squeeze(self, states: &States<V>, used: usize, blocks: &mut Blocks<V>) {
        count("squeeze", V, used);
        self.0.squeeze(states, used, blocks);
    }
}

impl<B: Backend + Keccak<1> + Keccak<W>, const W: usize> Backend for Counted<B, W> {
    const NAME: &'static str = B::NAME;

    fn hash(self, job: Job<'_>) {
        alone::run(self, job);
    }

    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
        pack::run::<_, W>(self, jobs);
    }

    // As a whole: a backend may have a way of its own, with other steps.
    fn hash_key<const K: usize>(
        self,
        ek: &[u8],
        h_ek: &mut [u8; 32],
        a_hat_transposed: &mut [[NttPoly<Self>; K]; K],
    ) {
        count("hash_key", 0, 0);
        let mut copy = [const { [const { NttPoly::ZERO }; K] }; K];
        self.0.hash_key(ek, h_ek, &mut copy);
        for (to, from) in a_hat_transposed.as_flattened_mut().iter_mut().zip(copy.as_flattened()) {
            *to = same(from);
        }
    }

    fn noise<const K: usize>(
        self,
        eta1: Eta,
        r: &[u8; 32],
        y: &mut [[u8; 192]; K],
        e1: &mut [[u8; 128]; K],
        e2: &mut [u8; 128],
    ) {
        noise::run::<_, W>(self, r, eta1.bytes(), y, e1, e2);
    }

    fn sample_ntt(self, _: &[[u8; 192]], _: &mut [NttPoly<Self>], _: &mut [usize]) -> bool {
        unreachable!("part of `hash_key`");
    }

    fn sample_poly_cbd(self, eta: Eta, b: &[u8], f: &mut Poly<Noise>) {
        count("sample_poly_cbd", 0, 0);
        self.0.sample_poly_cbd(eta, b, f);
    }

    fn multiplier<R: Range>(self, f: &Poly<R>, m: &mut Multiplier<Self>) {
        count("multiplier", 0, 0);
        let mut copy = Multiplier::ZERO;
        self.0.multiplier(f, &mut copy);
        *m = Multiplier { f_hat: same(&copy.f_hat), cache: same(&copy.cache) };
    }

    fn dot_inverse<const K: usize>(
        self,
        a: &[NttPoly<Self>; K],
        b: &[Multiplier<Self>; K],
        f: &mut Poly<Lazy>,
    ) {
        count("dot_inverse", 0, 0);
        let b = b.each_ref().map(|b| Multiplier { f_hat: same(&b.f_hat), cache: same(&b.cache) });
        self.0.dot_inverse(&a.each_ref().map(same), &b, f);
    }

    fn add_compress<const L: usize>(self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8; L]) {
        count("add_compress, d = 10", 0, 0);
        self.0.add_compress(f, e, b);
    }

    fn add_message_compress<const L: usize>(
        self,
        f: &Poly<Lazy>,
        e: &Poly<Noise>,
        m: &[u8; 32],
        b: &mut [u8; L],
    ) {
        count("add_message_compress, d = 4", 0, 0);
        self.0.add_message_compress(f, e, m, b);
    }

    fn decode12(self, b: &[u8; 384], f_hat: &mut NttPoly<Self>) -> bool {
        count("decode12", 0, 0);
        let mut copy = NttPoly::ZERO;
        let below_q = self.0.decode12(b, &mut copy);
        *f_hat = same(&copy);
        below_q
    }

    // What encapsulation has no use for. A default would be the portable one, which may know another order.

    fn ntt<R: Range>(self, _: &Poly<R>, _: &mut NttPoly<Self>) {
        unreachable!("encapsulation keeps no bare transform");
    }

    fn mul_add<const K: usize>(
        self,
        _: &[NttPoly<Self>; K],
        _: &[Multiplier<Self>; K],
        _: &NttPoly<Self>,
        _: &mut NttPoly<Self>,
    ) {
        unreachable!("part of key generation");
    }

    fn decompress<const L: usize>(self, _: &[u8; L], _: &mut Poly<Canonical>) {
        unreachable!("part of the operations that compress sums");
    }

    fn sub_compress(self, _: &Poly<Canonical>, _: &Poly<Lazy>, _: &mut [u8; 32]) {
        unreachable!("part of decryption");
    }

    fn encode12(self, _: &NttPoly<Self>, _: &mut [u8; 384]) {
        unreachable!("part of key generation");
    }
}

/// The sponges of an encapsulation, without what is done with their outputs.
struct SpongeOutputs<B> {
    matrix: [[NttPoly<B>; 3]; 3],
    y: [[u8; 192]; 3],
    e1: [[u8; 128]; 3],
    e2: [u8; 128],
    hashes: [[u8; 32]; 3],
}

impl<B: Backend> SpongeOutputs<B> {
    fn new() -> Self {
        Self {
            matrix: [const { [const { NttPoly::ZERO }; 3] }; 3],
            y: [[0; 192]; 3],
            e1: [[0; 128]; 3],
            e2: [0; 128],
            hashes: [[0; 32]; 3],
        }
    }

    fn run(&mut self, backend: B, input: &Input) {
        let [h, k_r @ ..] = &mut self.hashes;
        backend.hash_key(&input.ek, h, &mut self.matrix);
        backend.hash(Job::new(Function::Sha3_512, &input.m, h, k_r.as_flattened_mut()));
        backend.noise(Eta::Two, &k_r[1], &mut self.y, &mut self.e1, &mut self.e2);
    }
}

/// Something whose cost is measured: `batch` operations in a call.
struct Measured {
    operation: Operation,
    batch: f64,
    call: Box<dyn FnMut()>,
    samples: Samples,
}

/// Calls of a kernel in one timed call.
const BATCH: usize = 64;

fn measured(operation: Operation, mut call: impl FnMut() + 'static) -> Measured {
    let call = Box::new(move || (0..BATCH).for_each(|_| call()));
    Measured { operation, batch: BATCH as f64, call, samples: Samples::default() }
}

fn leaf(name: &'static str, call: impl FnMut() + 'static) -> Measured {
    measured((name, 0, 0), call)
}

/// The permutation and the squeeze of `W` states of which `used` are in use.
fn sponge<B: Keccak<W> + 'static, const W: usize>(backend: B, used: usize) -> [Measured; 2] {
    let mut states = States::<W>([[0x5b; W]; 25]);
    let (full, mut blocks) = (Box::new(States([[0x5b; W]; 25])), Box::new(Blocks([[0; 192]; W])));
    [
        measured(("permute", W, used), move || backend.permute(black_box(&mut states), used)),
        measured(("squeeze", W, used), move || {
            backend.squeeze(black_box(&full), used, black_box(&mut blocks))
        }),
    ]
}

/// Everything that occurs in an encapsulation.
fn kernels<B: Backend + Keccak<1> + Keccak<W>, const W: usize>(
    backend: B,
    counts: &Counts,
    inputs: &[Input],
) -> Vec<Measured> {
    let mut all = Vec::new();
    let widths: std::collections::BTreeSet<_> =
        counts.keys().map(|&(_, width, used)| (width, used)).collect();
    for (width, used) in widths {
        match width {
            0 => (),
            1 => all.extend(sponge::<B, 1>(backend, used)),
            _ => all.extend(sponge::<B, W>(backend, used)),
        }
    }

    // Uniform bytes, enough of them that the rejections are not learnt by heart.
    let mut state = 1u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let (mut matrix, mut h, mut calls) =
        (Box::new([const { [const { NttPoly::<B>::ZERO }; 3] }; 3]), [0; 32], 0);
    let keys = inputs.to_vec();
    all.push(leaf("hash_key", move || {
        calls += 1;
        backend.hash_key(black_box(&keys[input_of(calls)].ek), &mut h, &mut matrix);
    }));

    let bytes: [u8; 384] = core::array::from_fn(|_| random());
    let mut noise = Box::new(Poly::<Noise>::ZERO);
    all.push(leaf("sample_poly_cbd", move || {
        backend.sample_poly_cbd(Eta::Two, black_box(&bytes[..128]), black_box(&mut noise));
    }));
    let mut f_hat = Box::new(NttPoly::<B>::ZERO);
    all.push(leaf("decode12", move || {
        black_box(backend.decode12(black_box(&bytes), black_box(&mut f_hat)));
    }));
    let (e, mut m) = (Box::new(Poly::<Noise>::ZERO), Box::new(Multiplier::<B>::ZERO));
    all.push(leaf("multiplier", move || backend.multiplier(black_box(&*e), black_box(&mut m))));
    let a = Box::new([const { NttPoly::<B>::ZERO }; 3]);
    let (b, mut f) = (Box::new([const { Multiplier::<B>::ZERO }; 3]), Box::new(Poly::<Lazy>::ZERO));
    all.push(leaf("dot_inverse", move || {
        backend.dot_inverse(black_box(&a), black_box(&b), black_box(&mut f))
    }));
    let summands = || (Box::new(Poly::<Lazy>::ZERO), Box::new(Poly::<Noise>::ZERO));
    let ((f, e), mut c) = (summands(), [0; 320]);
    all.push(leaf("add_compress, d = 10", move || {
        backend.add_compress(black_box(&f), black_box(&e), black_box(&mut c));
    }));
    let ((f, e), mut c) = (summands(), [0; 128]);
    all.push(leaf("add_message_compress, d = 4", move || {
        let m = black_box(&[0x5b; 32]);
        backend.add_message_compress(black_box(&f), black_box(&e), m, black_box(&mut c));
    }));

    let mut calls = 0;
    let (pool, mut outputs) = (inputs.to_vec(), SpongeOutputs::new());
    let call = Box::new(move || {
        calls += 1;
        outputs.run(backend, black_box(&pool[input_of(calls)]));
        black_box(&outputs);
    });
    all.push(Measured { operation: SPONGES, batch: 1.0, call, samples: Samples::default() });
    all
}

/// Which input a call takes: each for a few of them, because what it costs to bring one from memory is another question. In the
/// table it was the rival before who brought it.
fn input_of(calls: usize) -> usize {
    (calls >> 3) % POOL
}

/// The public operation, from a key that has been read.
fn whole(selected: Selected, inputs: &[Input]) -> Measured {
    let keys: Vec<_> =
        inputs.iter().map(|input| EncapsulationKey::try_from(&input.ek[..]).expect("a valid key")).collect();
    let (mut calls, mut c, mut shared_secret) = (0, [0; 1088], [0; 32]);
    let call = Box::new(move || {
        calls += 1;
        let (key, m) = (&keys[input_of(calls)], [calls as u8; 32]);
        let Ok(()) =
            on(selected, || key.encapsulate_into(given::<Infallible>(m), &mut c, &mut shared_secret));
        black_box((&c, &shared_secret));
    });
    Measured { operation: WHOLE, batch: 1.0, call, samples: Samples::default() }
}

struct Prepare<'a> {
    selected: Selected,
    inputs: &'a [Input],
    breakdown: &'a mut Option<Breakdown>,
}

impl Sponges for Prepare<'_> {
    fn visit<B: Backend + Keccak<1> + Keccak<W>, const W: usize>(self, backend: B) {
        let mut total = Counts::new();
        let mut sponges = Counts::new();
        for input in self.inputs {
            let (mut c, mut shared_secret) = ([0; 1088], [0; 32]);
            for (key, n) in counted(|| {
                let backend = Counted::<B, W>(backend);
                encapsulate::<MlKem768, _>(backend, &input.ek, &input.m, &mut c, &mut shared_secret)
                    .expect("a valid key");
            }) {
                *total.entry(key).or_default() += n;
            }
            assert_eq!(
                (&c[..], shared_secret),
                (&input.ct[..], input.ss),
                "{}: the count went wrong",
                B::NAME
            );
            let run = || SpongeOutputs::new().run(Counted::<B, W>(backend), input);
            counted(run).into_iter().for_each(|(key, n)| *sponges.entry(key).or_default() += n);
        }
        // The sponges by themselves must be those of the frontend, or their cost says nothing.
        let of_sponges = |name: &str| matches!(name, "permute" | "squeeze" | "hash_key");
        let inside: Counts =
            total.iter().filter(|((name, ..), _)| of_sponges(name)).map(|(&key, &n)| (key, n)).collect();
        let sponges_agree = inside == sponges;
        let mut kernels = kernels::<B, W>(backend, &total, self.inputs);
        kernels.push(whole(self.selected, self.inputs));
        let counts = total.into_iter().map(|(key, n)| (key, n as f64 / self.inputs.len() as f64)).collect();
        *self.breakdown = Some(Breakdown { name: B::NAME, counts, sponges_agree, kernels });
    }
}

/// One backend's encapsulation.
pub struct Breakdown {
    pub name: &'static str,
    /// Calls in one encapsulation, on average over the inputs.
    counts: Vec<(Operation, f64)>,
    sponges_agree: bool,
    kernels: Vec<Measured>,
}

/// A line of a breakdown.
pub struct Line {
    pub what: String,
    pub count: f64,
    pub each: f64,
}

/// All of it, in core cycles.
pub struct Report {
    pub lines: Vec<Line>,
    /// Of G and the PRF beyond their kernels: moving bytes in and out of slots.
    pub engine: Option<f64>,
    /// The lines, and the engine if it is known.
    pub sum: f64,
    pub keccak: f64,
    pub whole: Summary,
}

impl Breakdown {
    pub fn new(selected: Selected, inputs: &[Input]) -> Self {
        let mut breakdown = None;
        with_sponges(selected, Prepare { selected, inputs, breakdown: &mut breakdown });
        breakdown.expect("the visitor was called")
    }

    pub fn round(&mut self, clock: Clock) {
        for kernel in &mut self.kernels {
            kernel.samples.add(clock.round(4, kernel.batch, &mut kernel.call));
        }
    }

    fn cost(&self, operation: Operation) -> Summary {
        let found = self.kernels.iter().find(|kernel| kernel.operation == operation);
        found.unwrap_or_else(|| panic!("{operation:?} is called and was not measured")).samples.summary()
    }

    /// Medians throughout: a sum of minima is less than any whole.
    pub fn report(&self) -> Report {
        let mut lines = Vec::new();
        let (mut keccak, mut in_sponges) = (0.0, 0.0);
        for &(operation @ (name, width, used), count) in &self.counts {
            let each = self.cost(operation).median;
            let what = match width {
                0 => name.to_string(),
                _ => format!("{name}, {used} of {width} states"),
            };
            if name == "permute" {
                keccak += count * each;
            }
            if matches!(name, "permute" | "squeeze" | "hash_key") {
                in_sponges += count * each;
            }
            lines.push(Line { what, count, each });
        }
        lines.sort_by(|a, b| (b.count * b.each).total_cmp(&(a.count * a.each)));
        let engine = self.sponges_agree.then(|| self.cost(SPONGES).median - in_sponges);
        let sum = lines.iter().map(|line| line.count * line.each).sum::<f64>() + engine.unwrap_or(0.0);
        Report { lines, engine, sum, keccak, whole: self.cost(WHOLE) }
    }
}
