//! Peak stack of every operation, measured: a thread runs it once on painted memory, and the lowest byte that no longer
//! has its paint tells how deep it went. Results that the caller holds are counted as well.
//!
//! The published figures and limits are those of x86-64; other compilers lay out their frames otherwise.
#![cfg(all(unix, target_arch = "x86_64"))]

mod support;

use core::hint::black_box;

use kemstone::Error;
use kemstone::backend::select::{Selected, for_each, on};
use support::stack::run;
use support::{MlKem512, MlKem768, MlKem1024, Random, Set};

/// The result stays where it was returned to: no copy is made for the measurement.
fn keep<T>(result: &T) {
    black_box(result);
}

/// One row of the table: bytes for each operation.
fn peaks<S: Set>(selected: Selected) -> Vec<(&'static str, usize)> {
    let mut random = Random::new("stack");
    let seed = random.seed();
    let m: [u8; 32] = random.array();
    let dk = S::from_seed(&seed);
    let ek = S::ek(&dk);
    let (ciphertext, _) = S::encapsulate_deterministic(&ek, &m);
    let (mut expanded, mut c, mut k) = (vec![0; S::DK], vec![0; S::CT], [0; 32]);
    let (ek_bytes, dk_bytes) = (ek.as_ref(), S::expanded_copy(&dk));
    // What the measurement itself takes is not the operation's.
    let nothing = run(|| on(selected, || ())).peak();
    let peak = |f: &mut (dyn FnMut() + Send)| run(|| on(selected, &mut *f)).peak() - nothing;
    vec![
        ("key generation", peak(&mut || keep(&S::from_seed(black_box(&seed))))),
        ("key generation into", peak(&mut || S::expand_into(black_box(&seed), &mut expanded))),
        ("encapsulation", peak(&mut || keep(&S::encapsulate_deterministic(black_box(&ek), &m)))),
        (
            "encapsulation into",
            peak(&mut || {
                let fill = |bytes: &mut [u8; 32]| {
                    *bytes = m;
                    Ok::<(), ()>(())
                };
                S::encapsulate_into(black_box(&ek), fill, &mut c, &mut k).expect("it does not fail");
            }),
        ),
        (
            "encapsulation, encoded, into",
            peak(&mut || {
                S::encapsulate_encoded_into(black_box(ek_bytes), |_| Ok::<(), Error>(()), &mut c, &mut k)
                    .expect("a good key");
            }),
        ),
        ("decapsulation", peak(&mut || keep(&S::decapsulate(black_box(&dk), &ciphertext)))),
        ("parsing a public key", peak(&mut || keep(&S::Ek::try_from(black_box(ek_bytes))))),
        ("parsing a private key", peak(&mut || keep(&S::Dk::try_from(black_box(&dk_bytes[..]))))),
    ]
}

#[test]
fn peak_stack_is_bounded() {
    // What the measurement itself costs, and that it sees what is there to be seen.
    let nothing = run(|| ()).peak();
    assert!(nothing < 1024, "an empty function takes {nothing} bytes");
    let array = run(|| {
        let mut array = [1u8; 10_000];
        black_box(&mut array);
    });
    assert!((10_000..12_000).contains(&array.peak()), "an array of 10 000 bytes takes {}", array.peak());

    for_each(|selected| {
        let rows = [peaks::<MlKem512>(selected), peaks::<MlKem768>(selected), peaks::<MlKem1024>(selected)];
        println!("peak stack in bytes, backend {}", selected.name());
        println!("{:28}{:>12}{:>12}{:>12}", "", MlKem512::NAME, MlKem768::NAME, MlKem1024::NAME);
        let [of_512, of_768, of_1024] = &rows;
        for ((a, b), c) in of_512.iter().zip(of_768).zip(of_1024) {
            println!("{:28}{:>12}{:>12}{:>12}", a.0, a.1, b.1, c.1);
        }
        // The limits are those of optimised code without the checks of debug builds.
        if cfg!(debug_assertions) || selected.name() != "portable" {
            return;
        }
        // A key or ciphertext returned by value is the caller's, though it lies on the stack.
        let results =
            [(MlKem512::DK, MlKem512::CT), (MlKem768::DK, MlKem768::CT), (MlKem1024::DK, MlKem1024::CT)];
        for ((row, limit), (dk, ct)) in rows.iter().zip([12 << 10, 16 << 10, 24 << 10]).zip(results) {
            for (operation, bytes) in row {
                let limit = match *operation {
                    "key generation" => limit + dk + 64,
                    "encapsulation" => limit + ct + 64,
                    _ => limit,
                };
                assert!(*bytes <= limit, "{operation} takes {bytes} of {limit} bytes");
            }
        }
    });
}
