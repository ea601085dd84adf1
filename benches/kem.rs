//! Every operation of every parameter set on every backend of this machine: `ml_kem_768/encaps/portable`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use kemstone::Seed;
use kemstone::backend::select::for_each;

macro_rules! parameter_set {
    ($criterion:ident, $module:ident) => {{
        use kemstone::$module::{
            DecapsulationKey, EncapsulationKey, PreparedDecapsulationKey, PreparedEncapsulationKey,
        };
        let seed = Seed::from([7; 64]);
        let dk = DecapsulationKey::from_seed(&seed);
        let (ek, expanded) = (dk.encapsulation_key(), dk.to_expanded_bytes());
        let (ciphertext, _) = ek.encapsulate_deterministic(&[9; 32]);
        let set = stringify!($module);
        for_each(|selected| {
            let name = selected.name();
            let mut row = |operation: &str, call: &mut dyn FnMut()| {
                $criterion.bench_function(&format!("{set}/{operation}/{name}"), |b| b.iter(&mut *call));
            };
            row("keygen", &mut || drop(black_box(DecapsulationKey::from_seed(black_box(&seed)))));
            row("encaps", &mut || drop(black_box(black_box(ek).encapsulate_deterministic(&[9; 32]))));
            row("encaps_encoded", &mut || {
                let ek = EncapsulationKey::from_bytes(black_box(ek.as_bytes())).expect("a good key");
                drop(black_box(ek.encapsulate_deterministic(&[9; 32])));
            });
            row("decaps", &mut || drop(black_box(black_box(&dk).decapsulate(black_box(&ciphertext)))));
            row("decaps_expanded", &mut || {
                let expanded = black_box(expanded.as_bytes());
                drop(black_box(DecapsulationKey::decapsulate_expanded(expanded, black_box(&ciphertext))));
            });
            let prepared = PreparedEncapsulationKey::boxed(ek);
            row("encaps_prepared", &mut || {
                drop(black_box(black_box(&prepared).encapsulate_deterministic(&[9; 32])));
            });
            let prepared = PreparedDecapsulationKey::boxed(&dk);
            row("decaps_prepared", &mut || {
                drop(black_box(black_box(&prepared).decapsulate(black_box(&ciphertext))));
            });
            row("prepare_ek", &mut || drop(black_box(PreparedEncapsulationKey::boxed(black_box(ek)))));
            row("prepare_dk", &mut || drop(black_box(PreparedDecapsulationKey::boxed(black_box(&dk)))));
            row("parse_ek", &mut || drop(black_box(EncapsulationKey::from_bytes(black_box(ek.as_bytes())))));
            row("parse_dk", &mut || {
                drop(black_box(DecapsulationKey::from_expanded_bytes(black_box(expanded.as_bytes()))));
            });
        });
    }};
}

fn operations(criterion: &mut Criterion) {
    parameter_set!(criterion, ml_kem_512);
    parameter_set!(criterion, ml_kem_768);
    parameter_set!(criterion, ml_kem_1024);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600));
    targets = operations
}
criterion_main!(benches);
