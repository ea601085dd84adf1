//! kemstone, on every backend of the machine.

use std::convert::Infallible;

use kemstone::backend::Backend;
use kemstone::backend::select::{Selected, on};
use kemstone::sponge::Keccak;

use crate::case::Operation::{Decaps, DecapsPrepared, DecapsSeed, Encaps, EncapsPrepared, Keygen};
use crate::case::{Case, Input, Level, Rows, for_set};

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
    rows.cases
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
