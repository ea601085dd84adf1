//! Calls every operation once between two markers that the emulator's plugin looks for, and prints their names in
//! that order: `guest kernels` those of the backend contract, `guest operations` those of the library, and of other
//! implementations that were built in. The first region is empty: what the markers themselves cost.

use std::env;
use std::hint::black_box;

use kemstone::backend::Backend;
use kemstone::backend::poly::{Canonical, Eta, Lazy, Multiplier, Noise, NttPoly, Poly};
use kemstone::backend::select::{Visitor, for_each};
use kemstone::sponge::fips202::Function;
use kemstone::sponge::jobs::{Job, Jobs};
use kemstone::sponge::{Keccak, States};

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn measure_begin() {
    black_box(());
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn measure_end() {
    black_box(1);
}

fn measure(group: &str, name: &str, call: &mut dyn FnMut()) {
    // Once to warm up: detection, lazy binding.
    call();
    measure_begin();
    call();
    measure_end();
    println!("{group} {name}");
}

struct Kernels;

impl Visitor for Kernels {
    type Output = ();

    fn visit<B: Backend>(self, backend: B) {
        let row = |kernel: &str, call: &mut dyn FnMut()| measure(B::NAME, kernel, call);
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
        row("sample_ntt_block", &mut || {
            black_box(backend.sample_ntt(black_box(&blocks), black_box(&mut a[..1]), &mut [0]));
        });
        row("sample_ntt_last_block", &mut || {
            black_box(backend.sample_ntt(black_box(&blocks), black_box(&mut a[..1]), &mut [192]));
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
        macro_rules! compression {
            ($($d:literal)*) => {$(
                let mut bytes = [0; 32 * $d];
                row(concat!("add_compress/", $d), &mut || {
                    backend.add_compress(black_box(&product), &noise, black_box(&mut bytes));
                });
                row(concat!("add_message_compress/", $d), &mut || {
                    let m = black_box(&[0x5b; 32]);
                    backend.add_message_compress(black_box(&product), &noise, m, black_box(&mut bytes));
                });
                row(concat!("decompress/", $d), &mut || {
                    backend.decompress(black_box(&bytes), black_box(&mut sum));
                });
            )*};
        }
        compression!(4 5 10 11);
        let (message, mut digest) = ([7; 1184], [0; 32]);
        row("hash/sha3_256_1184_bytes", &mut || {
            backend.hash(Job::new(Function::Sha3_256, black_box(&message), &[], &mut digest));
        });
        for count in [1, 2, 3, 4, 9] {
            let mut rows: Vec<[NttPoly<B>; 1]> = (0..count).map(|_| [NttPoly::ZERO]).collect();
            let rho = message.first_chunk().expect("32 bytes");
            row(&format!("hash_all/{count}_entries"), &mut || {
                backend.hash_all(&mut [Jobs::matrix(rho, 0, &mut rows, false)]);
            });
        }
    }
}

fn permutations<B: Backend + Keccak<W>, const W: usize>(backend: B, most: usize) {
    let mut states = States::<W>::ZERO;
    for used in 1..=most {
        measure(B::NAME, &format!("keccak/{used}_of_{W}"), &mut || {
            backend.permute(black_box(&mut states), used);
        });
    }
}

fn keccak() {
    use kemstone::backend::portable::Portable;
    permutations::<_, 1>(Portable, 1);
    #[cfg(target_arch = "aarch64")]
    {
        use kemstone::backend::aarch64::{
            neon::Neon,
            sha3::{NeonSha3, Tuning},
        };
        if let Some(neon) = Neon::detect() {
            permutations::<_, 1>(neon, 1);
            permutations::<_, 3>(neon, 3);
        }
        if let Some(sha3) = NeonSha3::detect() {
            permutations::<_, 1>(sha3.tuned(Tuning::Throughout), 1);
            permutations::<_, 2>(sha3.tuned(Tuning::Throughout), 2);
            permutations::<_, 1>(sha3.tuned(Tuning::Mixed), 1);
            permutations::<_, 3>(sha3.tuned(Tuning::Mixed), 3);
        }
    }
    #[cfg(target_arch = "riscv64")]
    if let Some(rvv) = kemstone::backend::riscv64::rvv::Rvv::detect() {
        full_width::<_, 1>(rvv);
        full_width::<_, 2>(rvv);
        full_width::<_, 4>(rvv);
        full_width::<_, 8>(rvv);
        full_width::<_, 16>(rvv);
    }
}

#[cfg(target_arch = "riscv64")]
fn full_width<B: Backend + Keccak<W>, const W: usize>(backend: B) {
    let mut states = States::<W>::ZERO;
    measure(B::NAME, &format!("keccak/{W}_of_{W}"), &mut || backend.permute(black_box(&mut states), W));
}

fn kernels() {
    keccak();
    for_each(|selected| selected.visit(Kernels));
}

fn operations() {
    for_each(|selected| measure_operations(selected.name()));
    // What other cores are given than the one that is emulated.
    #[cfg(target_arch = "aarch64")]
    {
        use kemstone::backend::aarch64::sha3::{NeonSha3, Tuning};
        use kemstone::backend::select::{Selected, on};
        for tuning in Tuning::ALL {
            if let Some(sha3) = NeonSha3::detect() {
                let name = format!("{tuning:?}");
                on(Selected::NeonSha3(sha3.tuned(tuning)), || measure_operations(&name));
            }
        }
    }
    #[cfg(feature = "libcrux")]
    libcrux();
    #[cfg(feature = "aws-lc")]
    aws_lc();
}

fn measure_operations(name: &str) {
    use kemstone::ml_kem_768::{Ciphertext, DecapsulationKey, EncapsulationKey};
    let seed = [5; 64];
    let mut dk = [0; 2400];
    measure(name, "keygen", &mut || {
        DecapsulationKey::expand_into(black_box(&seed.into()), black_box(&mut dk));
    });
    let ek: [u8; 1184] = dk[1152..2336].try_into().expect("a key");
    let mut pair = None;
    measure(name, "encaps", &mut || {
        let ek = EncapsulationKey::from_bytes(black_box(&ek)).expect("a key");
        pair = Some(ek.encapsulate_deterministic(black_box(&[4; 32])));
    });
    let (c, _) = pair.expect("encapsulated");
    let c = c.to_bytes();
    measure(name, "decaps", &mut || {
        let dk = DecapsulationKey::from_expanded_bytes(black_box(&dk)).expect("a key");
        black_box(dk.decapsulate(&Ciphertext::from(c)));
    });
}

#[cfg(feature = "libcrux")]
fn libcrux() {
    use libcrux_ml_kem::mlkem768 as k;
    let (mut dk, mut ek) = ([0; 2400], [0; 1184]);
    measure("libcrux", "keygen", &mut || {
        let pair = k::generate_key_pair(black_box([5; 64]));
        dk.copy_from_slice(pair.sk());
        ek.copy_from_slice(pair.pk());
    });
    let mut c = [0; 1088];
    measure("libcrux", "encaps", &mut || {
        let ek = k::MlKem768PublicKey::from(black_box(ek));
        assert!(k::validate_public_key(&ek));
        c.copy_from_slice(k::encapsulate(&ek, black_box([4; 32])).0.as_slice());
    });
    measure("libcrux", "decaps", &mut || {
        let (dk, c) = (k::MlKem768PrivateKey::from(black_box(dk)), k::MlKem768Ciphertext::from(c));
        assert!(k::validate_private_key(&dk, &c));
        black_box(k::decapsulate(&dk, &c));
    });
}

/// Its EVP calls, deterministic: raw keys in, raw keys out, as with the others.
#[cfg(feature = "aws-lc")]
fn aws_lc() {
    use aws_lc_sys as c;
    use std::ptr::null_mut;
    let (mut dk, mut ek, mut ct, mut secret) = ([0u8; 2400], [0u8; 1184], [0u8; 1088], [0u8; 32]);
    let (id, seed) = (c::NID_MLKEM768, [5u8; 64]);
    measure("aws-lc", "keygen", &mut || {
        let (mut key, mut seed_size) = (null_mut(), seed.len());
        let (mut ek_size, mut dk_size) = (ek.len(), dk.len());
        // SAFETY: objects as the library makes them, buffers as long as it is told.
        unsafe {
            let context = c::EVP_PKEY_CTX_new_id(c::EVP_PKEY_KEM, null_mut());
            assert_eq!(c::EVP_PKEY_CTX_kem_set_params(context, id), 1);
            assert_eq!(c::EVP_PKEY_keygen_init(context), 1);
            assert_eq!(c::EVP_PKEY_keygen_deterministic(context, &mut key, seed.as_ptr(), &mut seed_size), 1);
            assert_eq!(c::EVP_PKEY_get_raw_public_key(key, ek.as_mut_ptr(), &mut ek_size), 1);
            assert_eq!(c::EVP_PKEY_get_raw_private_key(key, dk.as_mut_ptr(), &mut dk_size), 1);
            c::EVP_PKEY_free(key);
            c::EVP_PKEY_CTX_free(context);
        }
    });
    measure("aws-lc", "encaps", &mut || {
        let (mut ct_size, mut secret_size, mut m_size) = (ct.len(), 32, 32);
        // SAFETY: as above.
        unsafe {
            let key = c::EVP_PKEY_kem_new_raw_public_key(id, ek.as_ptr(), ek.len());
            let context = c::EVP_PKEY_CTX_new(key, null_mut());
            let done = c::EVP_PKEY_encapsulate_deterministic(
                context,
                ct.as_mut_ptr(),
                &mut ct_size,
                secret.as_mut_ptr(),
                &mut secret_size,
                [4u8; 32].as_ptr(),
                &mut m_size,
            );
            assert_eq!(done, 1);
            c::EVP_PKEY_CTX_free(context);
            c::EVP_PKEY_free(key);
        }
    });
    measure("aws-lc", "decaps", &mut || {
        let mut secret_size = 32;
        // SAFETY: as above.
        unsafe {
            let key = c::EVP_PKEY_kem_new_raw_secret_key(id, dk.as_ptr(), dk.len());
            let context = c::EVP_PKEY_CTX_new(key, null_mut());
            let done = c::EVP_PKEY_decapsulate(
                context,
                secret.as_mut_ptr(),
                &mut secret_size,
                ct.as_ptr().cast_mut(),
                ct.len(),
            );
            assert_eq!(done, 1);
            c::EVP_PKEY_CTX_free(context);
            c::EVP_PKEY_free(key);
        }
    });
}

fn main() {
    measure("", "", &mut || ());
    match env::args().nth(1).as_deref() {
        Some("kernels") => kernels(),
        Some("keccak") => keccak(),
        Some("operations") => operations(),
        _ => panic!("guest kernels|operations"),
    }
}
