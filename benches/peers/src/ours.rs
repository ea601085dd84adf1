//! kemstone, on every backend of the machine.

use std::convert::Infallible;
use std::rc::Rc;

use kemstone::Seed;
use kemstone::backend::Backend;
use kemstone::backend::select::{Selected, on};
use kemstone::sponge::Keccak;

use crate::case::Operation::{Decaps, DecapsPrepared, DecapsSeed, Encaps, EncapsPrepared, Keygen};
use crate::case::Operation::{DecapsOfMany, EncapsOfMany, KeygenOfMany};
use crate::case::{Case, Input, Level, Output, POOL, Rows, for_set};

/// The backends of this machine, the slowest first.
pub fn backends() -> Vec<Selected> {
    Selected::names().filter_map(Selected::by_name).collect()
}

/// What a backend is called in the tables.
pub fn name(backend: Selected) -> String {
    format!("kemstone/{}", backend.name())
}

pub fn level(backend: Selected) -> Level {
    match backend.name() {
        "avx2" => Level::Avx2,
        "avx512" => Level::Avx512,
        _ => Level::Portable,
    }
}

/// Writes `m` where encapsulation wants its randomness.
pub fn given<E>(m: [u8; 32]) -> impl FnOnce(&mut [u8; 32]) -> Result<(), E> {
    move |random| {
        *random = m;
        Ok(())
    }
}

pub fn cases(backend: Selected, set: usize, inputs: &[Input]) -> Vec<Case> {
    let mut rows = Rows::new(&name(backend), set, level(backend));
    macro_rules! cases {
        ($module:ident,) => {{
            use kemstone::$module::{CiphertextRef, DecapsulationKey, EncapsulationKey};
            use kemstone::$module::{PreparedDecapsulationKey, PreparedEncapsulationKey};
            const EK: usize = kemstone::$module::ENCAPSULATION_KEY_SIZE;
            const AT: usize = kemstone::$module::ENCAPSULATION_KEY_OFFSET;
            fn ciphertext(input: &Input) -> CiphertextRef<'_> {
                CiphertextRef::try_from(&input.ct[..]).expect("a ciphertext's length")
            }
            rows.add(Keygen, move |_, input, out| {
                on(backend, || {
                    let dk = out.dk.first_chunk_mut().expect("room");
                    DecapsulationKey::expand_into(&input.seed.into(), dk);
                    out.ek[..EK].copy_from_slice(&dk[AT..AT + EK]);
                });
            });
            rows.add(Encaps, move |_, input, out| {
                on(backend, || {
                    let ek = input.ek.first_chunk().expect("a key's length");
                    let ct = out.ct.first_chunk_mut().expect("room");
                    let ek = EncapsulationKey::from_bytes(ek).expect("a valid key");
                    let Ok(()) = ek.encapsulate_into(given::<Infallible>(input.m), ct, &mut out.ss);
                });
            });
            rows.add(Decaps, move |_, input, out| {
                on(backend, || {
                    let dk = input.dk.first_chunk().expect("a key's length");
                    DecapsulationKey::decapsulate_expanded_into(dk, ciphertext(input), &mut out.ss)
                        .expect("a valid key");
                });
            });
            rows.add(DecapsSeed, move |_, input, out| {
                on(backend, || {
                    let dk = DecapsulationKey::from_seed(&input.seed.into());
                    dk.decapsulate_into(ciphertext(input), &mut out.ss);
                });
            });
            // A prepared key belongs to the backend that made it.
            let (eks, dks): (Vec<_>, Vec<_>) = on(backend, || {
                let key = |input: &Input| DecapsulationKey::from_seed(&input.seed.into());
                inputs
                    .iter()
                    .map(key)
                    .map(|dk| {
                        let ek = PreparedEncapsulationKey::boxed(dk.encapsulation_key());
                        (ek, PreparedDecapsulationKey::boxed(&dk))
                    })
                    .unzip()
            });
            rows.add(EncapsPrepared, move |i, input, out| {
                let ct = out.ct.first_chunk_mut().expect("room");
                let Ok(()) = eks[i].encapsulate_into(given::<Infallible>(input.m), ct, &mut out.ss);
            });
            rows.add(DecapsPrepared, move |i, input, out| {
                dks[i].decapsulate_into(ciphertext(input), &mut out.ss);
            });
        }};
    }
    for_set!(set, cases!());
    rows.cases.extend(many(backend, set, inputs));
    rows.cases
}

/// What `get` makes of each of the pool.
fn each<'a, T, U>(items: &'a [T], get: impl Fn(usize, &'a T) -> U) -> [U; POOL] {
    core::array::from_fn(|i| get(i, &items[i]))
}

/// Eight operations with a key each, one by one and at once.
fn many(backend: Selected, set: usize, inputs: &[Input]) -> Vec<Case> {
    let mut single = Rows::new(&name(backend), set, level(backend));
    let mut group = Rows::new(&format!("{} x{POOL}", name(backend)), set, level(backend));
    macro_rules! cases {
        ($module:ident,) => {{
            use kemstone::$module::{CIPHERTEXT_SIZE, DECAPSULATION_KEY_SIZE, ENCAPSULATION_KEY_SIZE};
            use kemstone::$module::{CiphertextRef, DecapsulationKey, ENCAPSULATION_KEY_OFFSET};
            fn put_keys(out: &mut Output, expanded: &[u8; DECAPSULATION_KEY_SIZE]) {
                out.dk[..DECAPSULATION_KEY_SIZE].copy_from_slice(expanded);
                out.ek[..ENCAPSULATION_KEY_SIZE]
                    .copy_from_slice(&expanded[ENCAPSULATION_KEY_OFFSET..][..ENCAPSULATION_KEY_SIZE]);
            }
            let seeds: Vec<Seed> = inputs.iter().map(|input| input.seed.into()).collect();
            let ms = each(inputs, |_, input| input.m);
            let cts =
                each(inputs, |_, input| <[u8; CIPHERTEXT_SIZE]>::try_from(&input.ct[..]).expect("length"));
            let keys: Rc<[_]> = seeds.iter().map(DecapsulationKey::from_seed).collect();
            let (mut expanded, mut ks) = ([[0; DECAPSULATION_KEY_SIZE]; POOL], [[0; 32]; POOL]);

            let seeds_of_single = seeds.clone();
            single.add(KeygenOfMany, move |i, _, out| {
                on(backend, || DecapsulationKey::expand_into(&seeds_of_single[i], &mut expanded[i]));
                put_keys(out, &expanded[i]);
            });
            group.add(KeygenOfMany, move |i, _, out| {
                on(backend, || DecapsulationKey::expand_many_into(&seeds, &mut expanded).expect("as many"));
                put_keys(out, &expanded[i]);
            });
            let held = keys.clone();
            single.add(EncapsOfMany, move |i, input, out| {
                let ct = out.ct.first_chunk_mut().expect("room");
                on(backend, || {
                    let ek = held[i].encapsulation_key();
                    let Ok(()) = ek.encapsulate_into(given::<Infallible>(input.m), ct, &mut out.ss);
                });
            });
            let (held, mut to) = (keys.clone(), cts);
            group.add(EncapsOfMany, move |i, _, out| {
                let fill = |random: &mut [[u8; 32]]| {
                    random.copy_from_slice(&ms);
                    Ok::<_, kemstone::Error>(())
                };
                on(backend, || {
                    let eks = each(&held, |_, key| key.encapsulation_key());
                    kemstone::$module::EncapsulationKey::encapsulate_many_into(&eks, fill, &mut to, &mut ks)
                        .expect("as many");
                });
                out.ct[..CIPHERTEXT_SIZE].copy_from_slice(&to[i]);
                out.ss = ks[i];
            });
            let held = keys.clone();
            single.add(DecapsOfMany, move |i, input, out| {
                let ct = CiphertextRef::try_from(&input.ct[..]).expect("length");
                on(backend, || held[i].decapsulate_into(ct, &mut out.ss));
            });
            group.add(DecapsOfMany, move |i, input, out| {
                on(backend, || {
                    let dks = each(&keys, |_, key| key);
                    let received = each(&cts, |j, ct| {
                        let ct = if i == j { &input.ct[..] } else { ct };
                        CiphertextRef::try_from(ct).expect("length")
                    });
                    DecapsulationKey::decapsulate_many_into(&dks, &received, &mut ks).expect("as many");
                });
                out.ss = ks[i];
            });
        }};
    }
    for_set!(set, cases!());
    group.cases.iter_mut().for_each(|case| case.batch = POOL);
    single.cases.into_iter().chain(group.cases).collect()
}

/// Something that can be done with a backend's Keccak: `W` is the width that its `hash_all` runs on.
pub trait Sponges {
    fn visit<B: Backend + Keccak<1> + Keccak<W>, const W: usize>(self, backend: B);
}

/// Does it. A backend that is added to kemstone is added here.
pub fn with_sponges(selected: Selected, visitor: impl Sponges) {
    match selected {
        Selected::Portable(backend) => visitor.visit::<_, 1>(backend),
        #[cfg(target_arch = "x86_64")]
        Selected::Avx2(backend) => visitor.visit::<_, 4>(backend),
        #[cfg(target_arch = "x86_64")]
        Selected::Avx512(backend) => visitor.visit::<_, 8>(backend),
    }
}

/// The name of a generic backend in the tables.
pub fn name_of<B: Backend>() -> String {
    format!("kemstone/{}", B::NAME)
}
