//! Every operation of the backend contract on every backend of this machine: `kernels/ntt/portable`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use kemstone::backend::Backend;
use kemstone::backend::poly::{Canonical, Eta, Lazy, Multiplier, Noise, NttPoly, Poly};
use kemstone::backend::select::{Visitor, for_each};
use kemstone::sponge::fips202::Function;
use kemstone::sponge::jobs::{Job, Jobs};

struct Kernels<'a>(&'a mut Criterion);

impl Visitor for Kernels<'_> {
    type Output = ();

    fn visit<B: Backend>(self, backend: B) {
        let mut row = |kernel: &str, call: &mut dyn FnMut()| {
            self.0.bench_function(&format!("kernels/{kernel}/{}", B::NAME), |b| b.iter(&mut *call));
        };
        let f = Poly::<Canonical>::new(core::array::from_fn(|i| 13 * i as i16)).expect("below q");
        let mut a = [const { NttPoly::<B>::ZERO }; 3];
        let mut b = [const { Multiplier::<B>::ZERO }; 3];
        let (mut e_hat, mut t_hat) = (NttPoly::ZERO, NttPoly::ZERO);
        let mut product = Poly::<Lazy>::ZERO;
        let mut noise = Poly::<Noise>::ZERO;
        let mut sum = Poly::<Canonical>::ZERO;
        let blocks: [[u8; 192]; 1] = [core::array::from_fn(|i| (59 * i) as u8)];
        let mut encoded = [0; 384];
        row("ntt", &mut || backend.ntt(black_box(&f), black_box(&mut e_hat)));
        row("multiplier", &mut || backend.multiplier(black_box(&f), black_box(&mut b[0])));
        row("sample_ntt/1", &mut || {
            black_box(backend.sample_ntt(black_box(&blocks), black_box(&mut a[..1]), &mut [0]));
        });
        row("mul_add/3", &mut || {
            backend.mul_add(black_box(&a), black_box(&b), &e_hat, black_box(&mut t_hat));
        });
        row("dot_inverse/3", &mut || {
            backend.dot_inverse(black_box(&a), black_box(&b), black_box(&mut product));
        });
        row("sample_poly_cbd/2", &mut || {
            backend.sample_poly_cbd(Eta::Two, black_box(&[0x5b; 128]), black_box(&mut noise));
        });
        row("sample_poly_cbd/3", &mut || {
            backend.sample_poly_cbd(Eta::Three, black_box(&[0x5b; 192]), black_box(&mut noise));
        });
        let mut m = [0; 32];
        row("sub_compress", &mut || backend.sub_compress(black_box(&f), &product, black_box(&mut m)));
        row("encode12", &mut || backend.encode12(black_box(&e_hat), black_box(&mut encoded)));
        row("decode12", &mut || {
            black_box(backend.decode12(black_box(&encoded), black_box(&mut t_hat)));
        });
        macro_rules! decompression {
            ($($d:literal)*) => {$(
                let bytes = [0x5b; 32 * $d];
                row(concat!("decompress/", $d), &mut || {
                    backend.decompress(black_box(&bytes), black_box(&mut sum));
                });
            )*};
        }
        macro_rules! compressed_sums {
            ($($d:literal)*) => {$(
                let mut bytes = [0; 32 * $d];
                row(concat!("add_compress/", $d), &mut || {
                    backend.add_compress(black_box(&product), &noise, black_box(&mut bytes));
                });
                row(concat!("add_message_compress/", $d), &mut || {
                    let m = black_box(&[0x5b; 32]);
                    backend.add_message_compress(black_box(&product), &noise, m, black_box(&mut bytes));
                });
            )*};
        }
        decompression!(1 4 5 10 11);
        compressed_sums!(4 5 10 11);
        let (message, mut digest) = ([7; 1184], [0; 32]);
        row("hash/sha3_256_1184_bytes", &mut || {
            backend.hash(Job::new(Function::Sha3_256, black_box(&message), &[], &mut digest));
        });
        let (mut digest, mut matrix) = ([0; 32], [const { [const { NttPoly::ZERO }; 3] }; 3]);
        row("hash_key/3", &mut || backend.hash_key(black_box(&message), &mut digest, &mut matrix));
        let (mut y, mut e1, mut e2) = ([[0; 192]; 3], [[0; 128]; 3], [0; 128]);
        row("noise/3", &mut || backend.noise(Eta::Two, black_box(&[7; 32]), &mut y, &mut e1, &mut e2));
        for count in [1, 2, 4, 8] {
            let mut rows: Vec<[NttPoly<B>; 1]> = (0..count).map(|_| [NttPoly::ZERO]).collect();
            let rho = message.first_chunk().expect("32 bytes");
            row(&format!("hash_all/{count}_entries"), &mut || {
                backend.hash_all(&mut [Jobs::matrix(rho, 0, &mut rows, false)]);
            });
        }
    }
}

fn kernels(criterion: &mut Criterion) {
    for_each(|selected| selected.visit(Kernels(&mut *criterion)));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300));
    targets = kernels
}
criterion_main!(benches);
