//! Times two revisions of kemstone, `old` and `new`, call by call in turns.
//!
//! Prints a line for each operation: backend, parameter set, operation, and core cycles: the least of old and of new, the
//! median of old and of new.

#[path = "../../../../benches/peers/src/clock.rs"]
#[allow(dead_code)] // it serves another program
mod clock;

use std::hint::black_box;
use std::rc::Rc;

use clock::{Clock, Round, Samples, machine};

/// Pairs of calls in a batch, during which the clock frequency has to stay.
const PAIRS: usize = 10;

/// Keys that an operation runs through, so that no branch predictor learns the rejections of one.
const POOL: usize = 16;

/// Operations in a group, which is timed as a whole.
const GROUP: usize = 8;

/// Groups take part in one round of so many: a call is several times as long.
const GROUPS_EVERY: usize = 4;

/// What operations read. Both revisions are given the same.
struct Input {
    seed: [u8; 64],
    m: [u8; 32],
    ek: Vec<u8>,
    dk: Vec<u8>,
    ct: Vec<u8>,
}

/// What operations write.
#[derive(Clone, Debug, Default, PartialEq)]
struct Out {
    key: Vec<u8>,
    ct: Vec<u8>,
    ss: [u8; 32],
}

/// An operation by name, called with the number of the batch and of the pair.
type Operation = (&'static str, Box<dyn FnMut(usize, usize, &mut Out)>);

/// The operations of one revision. What is called otherwise in one of them is an argument.
macro_rules! side {
    ($side:ident, prepare_ek: $prepare_ek:ident, prepare_dk: $prepare_dk:ident) => {
        mod $side {
            use ::$side::backend::select::{Selected, on};
            use ::$side::{CiphertextRef, Error, Seed};

            use super::{GROUP, Input, Operation, Out, POOL, Rc, black_box};

            /// The names of the backends that this machine has.
            pub fn backends() -> Vec<&'static str> {
                Selected::names().filter_map(Selected::by_name).map(Selected::name).collect()
            }

            /// Calls `f` with every operation on this thread served by one backend.
            pub fn served_by(backend: &str, f: &mut dyn FnMut()) {
                on(Selected::by_name(backend).expect("a backend of this machine"), f);
            }

            #[allow(dead_code)] // one revision makes them for both
            pub fn inputs(set: usize) -> Vec<Input> {
                (0..POOL as u8).map(|i| input(set, [i + 1; 64], [i + 101; 32])).collect()
            }

            #[allow(dead_code)] // as above
            fn input(set: usize, seed: [u8; 64], m: [u8; 32]) -> Input {
                macro_rules! made {
                    ($module:ident) => {{
                        let dk = ::$side::$module::DecapsulationKey::from_seed(&Seed::from(seed));
                        let ek = dk.encapsulation_key();
                        let (ct, _) = ek.encapsulate_deterministic(&m);
                        let ek = ek.to_bytes().to_vec();
                        Input { seed, m, ek, dk: dk.to_expanded_bytes().as_bytes().to_vec(), ct: ct.to_bytes().to_vec() }
                    }};
                }
                match set {
                    512 => made!(ml_kem_512),
                    768 => made!(ml_kem_768),
                    _ => made!(ml_kem_1024),
                }
            }

            /// Those of the backend in use: prepared keys belong to it.
            pub fn operations(set: usize, inputs: &Rc<Vec<Input>>) -> Vec<Operation> {
                match set {
                    512 => of_512(inputs),
                    768 => of_768(inputs),
                    _ => of_1024(inputs),
                }
            }

            fn given(m: &[u8; 32]) -> impl FnOnce(&mut [u8; 32]) -> Result<(), Error> {
                move |random| {
                    *random = *m;
                    Ok(())
                }
            }

            /// The m of a group, of inputs from the `first` on.
            fn all_given(inputs: &[Input], first: usize) -> impl FnMut(&mut [[u8; 32]]) -> Result<(), Error> {
                move |random| {
                    random.iter_mut().zip(&inputs[first..]).for_each(|(m, input)| *m = input.m);
                    Ok(())
                }
            }

            /// Where a group of inputs begins.
            fn first(i: usize) -> usize {
                i * GROUP % POOL
            }

            super::set!(of_512, $side, ml_kem_512, $prepare_ek, $prepare_dk);
            super::set!(of_768, $side, ml_kem_768, $prepare_ek, $prepare_dk);
            super::set!(of_1024, $side, ml_kem_1024, $prepare_ek, $prepare_dk);
        }
    };
}

macro_rules! set {
    ($name:ident, $side:ident, $module:ident, $prepare_ek:ident, $prepare_dk:ident) => {
        fn $name(inputs: &Rc<Vec<Input>>) -> Vec<Operation> {
            use ::$side::$module::{CIPHERTEXT_SIZE as CT, DECAPSULATION_KEY_SIZE as DK, ENCAPSULATION_KEY_SIZE as EK};
            use ::$side::$module::{Ciphertext, DecapsulationKey, EncapsulationKey};
            use ::$side::$module::{PreparedDecapsulationKey, PreparedEncapsulationKey};

            fn room<const N: usize>(bytes: &mut Vec<u8>) -> &mut [u8; N] {
                bytes.resize(N, 0);
                bytes.first_chunk_mut().expect("as many")
            }
            /// The end of a key shows which it is, and to copy all of it would be a part of the figure.
            fn keep(out: &mut Out, key: &[u8]) {
                out.ss = *key.last_chunk().expect("32 bytes");
            }
            let mut operations: Vec<Operation> = Vec::new();
            macro_rules! operation {
                ($title:literal, |$state:ident = $make:expr, $batch:ident, $i:ident, $out:ident| $body:expr) => {{
                    #[allow(unused_mut)] // groups have room in their state
                    let mut $state = $make;
                    operations.push(($title, Box::new(move |$batch, $i, $out: &mut Out| $body)));
                }};
            }
            let eks = || -> Vec<_> {
                let ek = |input: &Input| EncapsulationKey::try_from(&input.ek[..]).expect("a good key");
                inputs.iter().map(ek).collect()
            };
            let dks = || -> Vec<_> {
                let dk = |input: &Input| {
                    let dk = input.dk.first_chunk::<DK>().expect("a key's length");
                    DecapsulationKey::from_expanded_bytes(dk).expect("a good key")
                };
                inputs.iter().map(dk).collect()
            };
            // Values that the operations take and do not make.
            let ct = |input: &Input| Ciphertext::try_from(&input.ct[..]).expect("a ciphertext's length");
            let cts = || -> Vec<_> { inputs.iter().map(ct).collect() };
            let seeds = || -> Vec<_> { inputs.iter().map(|input| Seed::from(input.seed)).collect() };

            operation!("key generation", |seeds = seeds(), _batch, i, out| {
                DecapsulationKey::expand_into(&seeds[i % POOL], room::<DK>(&mut out.key));
            });
            operation!("encapsulation, encoded", |inputs = Rc::clone(inputs), _batch, i, out| {
                let input = &inputs[i % POOL];
                let ek = input.ek.first_chunk::<EK>().expect("a key's length");
                let ek = EncapsulationKey::from_bytes(ek).expect("a good key");
                ek.encapsulate_into(given(&input.m), room::<CT>(&mut out.ct), &mut out.ss).expect("it is given");
            });
            operation!("encapsulation, parsed", |state = (Rc::clone(inputs), eks()), _batch, i, out| {
                let m = &state.0[i % POOL].m;
                state.1[i % POOL].encapsulate_into(given(m), room::<CT>(&mut out.ct), &mut out.ss).expect("it is given");
            });
            operation!("decapsulation", |state = (dks(), cts()), _batch, i, out| {
                state.0[i % POOL].decapsulate_into(&state.1[i % POOL], &mut out.ss);
            });
            operation!("decapsulation, expanded", |state = (Rc::clone(inputs), cts()), _batch, i, out| {
                let dk = state.0[i % POOL].dk.first_chunk::<DK>().expect("a key's length");
                DecapsulationKey::decapsulate_expanded_into(dk, &state.1[i % POOL], &mut out.ss).expect("a good key");
            });
            // A prepared key stays the same for a batch, as it does for its owner.
            let prepared_eks = || -> Vec<_> { eks().iter().map(PreparedEncapsulationKey::$prepare_ek).collect() };
            operation!("encapsulation, prepared", |state = (Rc::clone(inputs), prepared_eks()), batch, i, out| {
                let m = &state.0[i % POOL].m;
                state.1[batch % POOL].encapsulate_into(given(m), room::<CT>(&mut out.ct), &mut out.ss).expect("it is given");
            });
            let prepared_dks = || -> Vec<_> { dks().iter().map(PreparedDecapsulationKey::$prepare_dk).collect() };
            operation!("decapsulation, prepared", |state = (prepared_dks(), cts()), batch, _i, out| {
                state.0[batch % POOL].decapsulate_into(&state.1[batch % POOL], &mut out.ss);
            });
            operation!("preparation, public", |eks = eks(), _batch, i, out| {
                let prepared = black_box(PreparedEncapsulationKey::$prepare_ek(&eks[i % POOL]));
                keep(out, prepared.encapsulation_key().as_bytes());
            });
            operation!("preparation, private", |dks = dks(), _batch, i, out| {
                let prepared = black_box(PreparedDecapsulationKey::$prepare_dk(&dks[i % POOL]));
                keep(out, prepared.encapsulation_key().as_bytes());
            });
            operation!("parsing, public", |inputs = Rc::clone(inputs), _batch, i, out| {
                let ek = inputs[i % POOL].ek.first_chunk::<EK>().expect("a key's length");
                let ek = black_box(EncapsulationKey::from_bytes(ek)).expect("a good key");
                keep(out, ek.as_bytes());
            });
            operation!("parsing, private", |inputs = Rc::clone(inputs), _batch, i, out| {
                let dk = inputs[i % POOL].dk.first_chunk::<DK>().expect("a key's length");
                let dk = black_box(DecapsulationKey::from_expanded_bytes(dk)).expect("a good key");
                keep(out, dk.encapsulation_key().as_bytes());
            });
            let groups = || -> (_, _, Vec<_>) { (Rc::clone(inputs), eks(), vec![[0; 32]; GROUP]) };
            operation!("group, key generation", |seeds = seeds(), _batch, i, out| {
                let expanded = room::<{ GROUP * DK }>(&mut out.key).as_chunks_mut().0;
                DecapsulationKey::expand_many_into(&seeds[first(i)..][..GROUP], expanded).expect("as many");
            });
            operation!("group, encapsulation", |state = groups(), _batch, i, out| {
                let (inputs, eks, secrets) = &mut state;
                let eks: [_; GROUP] = std::array::from_fn(|j| &eks[first(i) + j]);
                let cts = room::<{ GROUP * CT }>(&mut out.ct).as_chunks_mut().0;
                EncapsulationKey::encapsulate_many_into(&eks, all_given(inputs, first(i)), cts, secrets).expect("as many");
                keep(out, secrets.as_flattened());
            });
            let groups = || -> (_, _, Vec<_>) { (dks(), cts(), vec![[0; 32]; GROUP]) };
            operation!("group, decapsulation", |state = groups(), _batch, i, out| {
                let (dks, cts, secrets) = &mut state;
                let dks: [_; GROUP] = std::array::from_fn(|j| &dks[first(i) + j]);
                let cts: [_; GROUP] = std::array::from_fn(|j| CiphertextRef::from(&cts[first(i) + j]));
                DecapsulationKey::decapsulate_many_into(&dks, &cts, secrets).expect("as many");
                out.ct.clear();
                out.ct.extend_from_slice(secrets.as_flattened());
            });
            let groups = || -> (_, _, Vec<_>) { (Rc::clone(inputs), prepared_eks(), vec![[0; 32]; GROUP]) };
            operation!("group, enc., prepared", |state = groups(), batch, i, out| {
                let (inputs, prepared, secrets) = &mut state;
                let cts = room::<{ GROUP * CT }>(&mut out.ct).as_chunks_mut().0;
                let m = all_given(inputs, first(i));
                prepared[batch % POOL].encapsulate_many_into(m, cts, secrets).expect("as many");
                keep(out, secrets.as_flattened());
            });
            let groups = || -> (_, _, Vec<_>) { (prepared_dks(), cts(), vec![[0; 32]; GROUP]) };
            operation!("group, dec., prepared", |state = groups(), batch, i, out| {
                let (prepared, cts, secrets) = &mut state;
                let cts: [_; GROUP] = std::array::from_fn(|j| CiphertextRef::from(&cts[first(i) + j]));
                prepared[batch % POOL].decapsulate_many_into(&cts, secrets).expect("as many");
                out.ct.clear();
                out.ct.extend_from_slice(secrets.as_flattened());
            });
            operations
        }
    };
}
use set;

side!(old, prepare_ek: boxed, prepare_dk: boxed);
side!(new, prepare_ek: boxed, prepare_dk: boxed);

/// One operation in both revisions, on one backend.
struct Case {
    backend: &'static str,
    set: usize,
    name: &'static str,
    /// How many calls are timed together: the counter has to see more than its own steps.
    together: usize,
    calls: [Box<dyn FnMut(usize, usize, &mut Out)>; 2],
    samples: [Samples; 2],
    out: Out,
}

impl Case {
    /// Both revisions must compute the same.
    fn check(&mut self) {
        for i in 0..POOL {
            let out = [0, 1].map(|side| {
                let mut out = Out::default();
                self.calls[side](i, i, &mut out);
                out
            });
            assert_ne!(out[0], Out::default(), "{} does nothing", self.name);
            assert_eq!(out[0], out[1], "{}, {}, {}", self.backend, self.set, self.name);
        }
    }

    fn batch(&mut self, clock: Clock, batch: usize) {
        let Self { calls, samples, out, together, .. } = self;
        let mut ticks = [const { Vec::new() }; 2];
        for _ in 0..2 {
            for call in &mut *calls {
                machine::clean();
                call(batch, batch * PAIRS, out);
            }
        }
        let before = clock.ticks_per_cycle();
        for pair in 0..PAIRS {
            let first = (pair + batch) % 2;
            for side in [first, 1 - first] {
                machine::clean();
                let i = batch * PAIRS + pair;
                let time = clock.time(|| (0..*together).for_each(|more| calls[side](batch, i + more, out)));
                ticks[side].push(time / *together as f64);
            }
        }
        let after = clock.ticks_per_cycle();
        for (samples, ticks) in samples.iter_mut().zip(ticks) {
            samples.add(Round { ticks, before, after });
        }
    }
}

/// Does the list, if there is one, name it?
fn listed(list: &str, name: &str) -> bool {
    list.is_empty() || list.split(',').any(|listed| name.contains(listed))
}

/// The arguments: batches, backends, parameter sets, parts of operations' names; lists with commas, empty for all.
pub fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rounds, backends, sets, only] = &arguments[..] else { panic!("see .ci/measure/against") };
    let rounds: usize = rounds.parse().expect("a number of batches");
    let known = old::backends();
    for backend in backends.split(',').filter(|backend| !backend.is_empty()) {
        assert!(
            known.contains(&backend) && new::backends().contains(&backend),
            "there is no backend {backend}"
        );
    }

    let mut cases = Vec::new();
    for backend in known {
        if !backends.is_empty() && !backends.split(',').any(|listed| listed == backend) {
            continue;
        }
        if !new::backends().contains(&backend) {
            eprintln!("SKIPPED backend {backend}: the newer revision lacks it");
            continue;
        }
        for set in [512, 768, 1024].into_iter().filter(|set| listed(sets, &set.to_string())) {
            let inputs = Rc::new(new::inputs(set));
            let (mut theirs, mut ours) = (Vec::new(), Vec::new());
            old::served_by(backend, &mut || theirs = old::operations(set, &inputs));
            new::served_by(backend, &mut || ours = new::operations(set, &inputs));
            for ((name, old), (_, new)) in
                theirs.into_iter().zip(ours).filter(|((name, _), _)| listed(only, name))
            {
                let samples = [Samples::default(), Samples::default()];
                let together = if name == "parsing, public" { 16 } else { 1 };
                cases.push(Case {
                    backend,
                    set,
                    name,
                    together,
                    calls: [old, new],
                    samples,
                    out: Out::default(),
                });
            }
        }
    }
    assert!(!cases.is_empty(), "nothing of that name");

    fn served(case: &mut Case, f: &mut dyn FnMut(&mut Case)) {
        let backend = case.backend;
        old::served_by(backend, &mut || new::served_by(backend, &mut || f(case)));
    }
    cases.iter_mut().for_each(|case| served(case, &mut Case::check));
    let clock = Clock::new();
    for batch in 0..rounds {
        for i in 0..cases.len() {
            // Another one goes first in every round.
            let i = (i + batch) % cases.len();
            if cases[i].name.starts_with("group") && batch % GROUPS_EVERY != 0 {
                continue;
            }
            served(&mut cases[i], &mut |case| case.batch(clock, batch));
        }
    }
    for Case { backend, set, name, samples, .. } in &cases {
        let [old, new] = [samples[0].summary(), samples[1].summary()];
        println!("{backend}\t{set}\t{name}\t{}\t{}\t{}\t{}", old.min, new.min, old.median, new.median);
    }
}
