//! The implementations that kemstone is compared with.

use crate::case::Operation::{Decaps, DecapsPrepared, DecapsSeed, Encaps, EncapsPrepared, Keygen};
use crate::case::{Case, Input, Level, Rows};

/// What an AVX2 implementation without another choice runs at.
pub fn vectors() -> Level {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return Level::Avx2;
    }
    Level::Portable
}

/// Every rival's cases for one parameter set, but for wolfSSL's.
pub fn cases(set: usize, inputs: &[Input]) -> Vec<Case> {
    let graviola = if set == 768 { graviola(inputs) } else { Vec::new() };
    let aws_lc = [aws_lc::cases(set), aws_lc_rs(set)].into_iter().flatten();
    [ml_kem(set), fips203(set), libcrux(set, inputs), rscrypto(set, inputs), graviola]
        .into_iter()
        .flatten()
        .chain(aws_lc)
        .collect()
}

fn put(to: &mut [u8], from: impl AsRef<[u8]>) {
    to[..from.as_ref().len()].copy_from_slice(from.as_ref());
}

/// Rust, with AVX-512 for Keccak. Reading a key checks what the standard asks for.
fn rscrypto(set: usize, inputs: &[Input]) -> Vec<Case> {
    use ::rscrypto::{Kem, MlKemError};
    let level = {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512vl") { Level::Avx512 } else { Level::Portable }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Level::Portable
    };
    /// Hands these bytes out, in order.
    fn given(mut bytes: &[u8]) -> impl FnMut(&mut [u8]) -> Result<(), MlKemError> + '_ {
        move |random| {
            let (first, rest) = bytes.split_at(random.len());
            random.copy_from_slice(first);
            bytes = rest;
            Ok(())
        }
    }
    let mut rows = Rows::new("rscrypto", set, level);
    macro_rules! cases {
        ($set:ident, $ek:ident, $dk:ident, $ct:ident) => {{
            use ::rscrypto::{$ct as Ct, $dk as Dk, $ek as Ek, $set as Set};

            rows.add(Keygen, |_, input, out| {
                let (ek, dk) = Set::generate_keypair(given(&input.seed)).expect("randomness");
                put(&mut out.ek, ek.as_bytes());
                put(&mut out.dk, dk.as_bytes());
            });
            rows.add(Encaps, |_, input, out| {
                let ek = Ek::try_from_slice(&input.ek).expect("valid");
                let (ct, ss) = Set::encapsulate(&ek, given(&input.m)).expect("randomness");
                put(&mut out.ct, ct.as_bytes());
                put(&mut out.ss, ss.as_bytes());
            });
            rows.add(Decaps, |_, input, out| {
                let dk = Dk::try_from_slice(&input.dk).expect("valid");
                let ct = Ct::try_from_slice(&input.ct).expect("length");
                put(&mut out.ss, Set::decapsulate(&dk, &ct).expect("a secret").as_bytes());
            });
            let (eks, dks): (Vec<_>, Vec<_>) = inputs
                .iter()
                .map(|input| {
                    let ek = Ek::try_from_slice(&input.ek).expect("valid").prepare().expect("valid");
                    let dk = Dk::try_from_slice(&input.dk).expect("valid").prepare().expect("valid");
                    (Box::new(ek), Box::new(dk))
                })
                .unzip();
            rows.add(EncapsPrepared, move |i, input, out| {
                let (ct, ss) = eks[i].encapsulate(given(&input.m)).expect("randomness");
                put(&mut out.ct, ct.as_bytes());
                put(&mut out.ss, ss.as_bytes());
            });
            rows.add(DecapsPrepared, move |i, input, out| {
                let ct = Ct::try_from_slice(&input.ct).expect("length");
                put(&mut out.ss, dks[i].decapsulate(&ct).expect("a secret").as_bytes());
            });
        }};
    }
    match set {
        512 => cases!(MlKem512, MlKem512EncapsulationKey, MlKem512DecapsulationKey, MlKem512Ciphertext),
        768 => cases!(MlKem768, MlKem768EncapsulationKey, MlKem768DecapsulationKey, MlKem768Ciphertext),
        _ => cases!(MlKem1024, MlKem1024EncapsulationKey, MlKem1024DecapsulationKey, MlKem1024Ciphertext),
    }
    rows.cases
}

/// RustCrypto's: portable Rust. Checks what the standard asks for.
fn ml_kem(set: usize) -> Vec<Case> {
    use ml_kem::kem::{Decapsulate, Kem, KeyExport};
    let mut rows = Rows::new("ml-kem", set, Level::Portable);
    macro_rules! cases {
        ($set:ident) => {{
            type Dk = <ml_kem::$set as Kem>::DecapsulationKey;
            type Ek = <ml_kem::$set as Kem>::EncapsulationKey;

            rows.add(Keygen, |_, input, out| {
                let dk = Dk::from_seed(input.seed.into());
                put(&mut out.ek, dk.encapsulation_key().to_bytes());
                #[allow(deprecated)] // it prefers seeds
                put(&mut out.dk, ml_kem::ExpandedKeyEncoding::to_expanded_bytes(&dk));
            });
            rows.add(Encaps, |_, input, out| {
                let ek = Ek::new(input.ek[..].try_into().expect("length")).expect("valid");
                let (ct, ss) = ek.encapsulate_deterministic(&input.m.into());
                put(&mut out.ct, ct);
                put(&mut out.ss, ss);
            });
            rows.add(Decaps, |_, input, out| {
                #[allow(deprecated)] // it prefers seeds
                let dk = <Dk as ml_kem::ExpandedKeyEncoding>::from_expanded_bytes(
                    input.dk[..].try_into().expect("length"),
                )
                .expect("valid");
                put(&mut out.ss, dk.decapsulate(input.ct[..].try_into().expect("length")));
            });
            rows.add(DecapsSeed, |_, input, out| {
                let dk = Dk::from_seed(input.seed.into());
                put(&mut out.ss, dk.decapsulate(input.ct[..].try_into().expect("length")));
            });
        }};
    }
    match set {
        512 => cases!(MlKem512),
        768 => cases!(MlKem768),
        _ => cases!(MlKem1024),
    }
    rows.cases
}

/// Portable Rust. Parsing checks what the standard asks for, and the range of s.
fn fips203(set: usize) -> Vec<Case> {
    use fips203::traits::{Decaps as _, Encaps as _, KeyGen, SerDes};
    let mut rows = Rows::new("fips203", set, Level::Portable);
    macro_rules! cases {
        ($module:ident) => {{
            use fips203::$module::{CipherText, DecapsKey, EncapsKey, KG};

            rows.add(Keygen, |_, input, out| {
                let (d, z) = input.seed.split_at(32);
                let (d, z) = (d.try_into().expect("32 bytes"), z.try_into().expect("32 bytes"));
                let (ek, dk) = KG::keygen_from_seed(d, z);
                put(&mut out.ek, ek.into_bytes());
                put(&mut out.dk, dk.into_bytes());
            });
            rows.add(Encaps, |_, input, out| {
                let ek = EncapsKey::try_from_bytes(input.ek[..].try_into().expect("length")).expect("valid");
                let (ss, ct) = ek.encaps_from_seed(&input.m);
                put(&mut out.ct, ct.into_bytes());
                out.ss = ss.into_bytes();
            });
            rows.add(Decaps, |_, input, out| {
                let dk = DecapsKey::try_from_bytes(input.dk[..].try_into().expect("length")).expect("valid");
                let ct = CipherText::try_from_bytes(input.ct[..].try_into().expect("length")).expect("any");
                out.ss = dk.try_decaps(&ct).expect("never fails").into_bytes();
            });
        }};
    }
    match set {
        512 => cases!(ml_kem_512),
        768 => cases!(ml_kem_768),
        _ => cases!(ml_kem_1024),
    }
    rows.cases
}

/// Rust with AVX2 intrinsics. Checks nothing unasked, so it is asked.
fn libcrux(set: usize, inputs: &[Input]) -> Vec<Case> {
    let mut rows = Rows::new("libcrux", set, vectors());
    macro_rules! cases {
        ($module:ident, $ek:ident, $dk:ident, $ct:ident) => {{
            use libcrux_ml_kem::$module::{self as kem, $ct as Ct, $dk as Dk, $ek as Ek};

            rows.add(Keygen, |_, input, out| {
                let pair = kem::generate_key_pair(input.seed);
                put(&mut out.ek, pair.pk());
                put(&mut out.dk, pair.sk());
            });
            rows.add(Encaps, |_, input, out| {
                let ek = Ek::try_from(&input.ek[..]).expect("length");
                assert!(kem::validate_public_key(&ek));
                let (ct, ss) = kem::encapsulate(&ek, input.m);
                put(&mut out.ct, ct);
                out.ss = ss;
            });
            rows.add(Decaps, |_, input, out| {
                let dk = Dk::try_from(&input.dk[..]).expect("length");
                let ct = Ct::try_from(&input.ct[..]).expect("length");
                assert!(kem::validate_private_key(&dk, &ct));
                out.ss = kem::decapsulate(&dk, &ct);
            });
            #[cfg(target_arch = "x86_64")]
            if vectors() == Level::Avx2 {
                use kem::avx2::unpacked;
                let dks: Vec<_> =
                    inputs.iter().map(|input| Box::new(unpacked::generate_key_pair(input.seed))).collect();
                let eks: Vec<_> = inputs
                    .iter()
                    .map(|input| {
                        let mut ek = Box::new(unpacked::init_public_key());
                        unpacked::unpacked_public_key(&Ek::try_from(&input.ek[..]).expect("length"), &mut ek);
                        ek
                    })
                    .collect();

                rows.add(EncapsPrepared, move |i, input, out| {
                    let (ct, ss) = unpacked::encapsulate(&eks[i], input.m);
                    put(&mut out.ct, ct);
                    out.ss = ss;
                });
                rows.add(DecapsPrepared, move |i, input, out| {
                    let ct = Ct::try_from(&input.ct[..]).expect("length");
                    out.ss = unpacked::decapsulate(&dks[i], &ct);
                });
            }
        }};
    }
    match set {
        512 => cases!(mlkem512, MlKem512PublicKey, MlKem512PrivateKey, MlKem512Ciphertext),
        768 => cases!(mlkem768, MlKem768PublicKey, MlKem768PrivateKey, MlKem768Ciphertext),
        _ => cases!(mlkem1024, MlKem1024PublicKey, MlKem1024PrivateKey, MlKem1024Ciphertext),
    }
    rows.cases
}

/// Rust with assembly, ML-KEM-768 only. It reads no stored decapsulation key but makes one from the seed, and its keys
/// hold the matrix. The entries that take randomness are hidden from its documentation.
fn graviola(inputs: &[Input]) -> Vec<Case> {
    use graviola::key_agreement::mlkem768::{Ciphertext, DecapKey, EncapKey, Message};
    fn ciphertext(input: &Input) -> Ciphertext {
        Ciphertext::from(*input.ct.first_chunk::<1088>().expect("length"))
    }
    let eks: Vec<_> = inputs
        .iter()
        .map(|input| EncapKey::from_bytes(input.ek[..].try_into().expect("length")).expect("valid"))
        .collect();
    let dks: Vec<_> = inputs.iter().map(|input| DecapKey::keygen_internal(&input.seed)).collect();
    let mut level = vectors();
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512f") {
        level = Level::Avx512;
    }
    let mut rows = Rows::new("graviola", 768, level);
    rows.add(Keygen, |_, input, out| {
        let dk = DecapKey::keygen_internal(&input.seed);
        let dk_bytes = dk.as_bytes();
        put(&mut out.ek, &dk_bytes[1152..2336]);
        put(&mut out.dk, dk_bytes);
    });
    rows.add(Encaps, |_, input, out| {
        let ek = EncapKey::from_bytes(input.ek[..].try_into().expect("length")).expect("valid");
        let (ss, ct) = ek.encaps_internal(Message(input.m));
        put(&mut out.ct, ct.as_ref());
        put(&mut out.ss, ss.as_ref());
    });
    rows.add(DecapsSeed, |_, input, out| {
        let ss = DecapKey::keygen_internal(&input.seed).decaps_internal(&ciphertext(input));
        put(&mut out.ss, ss.as_ref());
    });
    rows.add(EncapsPrepared, move |i, input, out| {
        // Encapsulation takes the key: a copy is the price of using it again.
        let (ss, ct) = eks[i].clone().encaps_internal(Message(input.m));
        put(&mut out.ct, ct.as_ref());
        put(&mut out.ss, ss.as_ref());
    });
    rows.add(DecapsPrepared, move |i, input, out| {
        put(&mut out.ss, dks[i].decaps_internal(&ciphertext(input)).as_ref());
    });
    rows.cases
}

/// AWS-LC by its safe interface, which draws its own randomness.
fn aws_lc_rs(set: usize) -> Vec<Case> {
    use aws_lc_rs::kem::{DecapsulationKey, EncapsulationKey, ML_KEM_512, ML_KEM_768, ML_KEM_1024};
    let algorithm = match set {
        512 => &ML_KEM_512,
        768 => &ML_KEM_768,
        _ => &ML_KEM_1024,
    };
    let mut rows = Rows::new("aws-lc-rs", set, vectors());
    rows.add(Keygen, move |_, _, out| {
        let dk = DecapsulationKey::generate(algorithm).expect("randomness");
        let ek = dk.encapsulation_key().expect("its half");
        put(&mut out.ek, ek.key_bytes().expect("bytes").as_ref());
        put(&mut out.dk, dk.key_bytes().expect("bytes").as_ref());
    });
    rows.add(Encaps, move |_, input, out| {
        let ek = EncapsulationKey::new(algorithm, &input.ek).expect("valid");
        let (ct, ss) = ek.encapsulate().expect("randomness");
        put(&mut out.ct, ct);
        put(&mut out.ss, ss);
    });
    rows.add(Decaps, move |_, input, out| {
        let dk = DecapsulationKey::new(algorithm, &input.dk).expect("valid");
        put(&mut out.ss, dk.decapsulate(input.ct[..].into()).expect("a secret"));
    });
    rows.cases.iter_mut().for_each(|case| case.draws = case.operation != Decaps);
    rows.cases
}

/// AWS-LC (C and assembly) by its C interface, given its randomness. Its checks are inside encapsulation and
/// decapsulation.
mod aws_lc {
    use std::ptr::null_mut;

    use aws_lc_sys as c;

    use super::{Case, Decaps, Encaps, Keygen, Rows, vectors};

    pub fn cases(set: usize) -> Vec<Case> {
        let nid = match set {
            512 => c::NID_MLKEM512,
            768 => c::NID_MLKEM768,
            _ => c::NID_MLKEM1024,
        };
        let mut rows = Rows::new("aws-lc", set, vectors());
        // SAFETY, here and below: every buffer is as long as it is said to be, and every object is freed once.
        rows.add(Keygen, move |_, input, out| unsafe {
            let context = c::EVP_PKEY_CTX_new_id(c::EVP_PKEY_KEM, null_mut());
            assert_eq!(c::EVP_PKEY_CTX_kem_set_params(context, nid), 1);
            assert_eq!(c::EVP_PKEY_keygen_init(context), 1);
            let (mut key, mut length) = (null_mut(), 64);
            assert_eq!(
                c::EVP_PKEY_keygen_deterministic(context, &mut key, input.seed.as_ptr(), &mut length),
                1
            );
            let mut length = out.ek.len();
            assert_eq!(c::EVP_PKEY_get_raw_public_key(key, out.ek.as_mut_ptr(), &mut length), 1);
            let mut length = out.dk.len();
            assert_eq!(c::EVP_PKEY_get_raw_private_key(key, out.dk.as_mut_ptr(), &mut length), 1);
            c::EVP_PKEY_free(key);
            c::EVP_PKEY_CTX_free(context);
        });
        rows.add(Encaps, move |_, input, out| unsafe {
            let key = c::EVP_PKEY_kem_new_raw_public_key(nid, input.ek.as_ptr(), input.ek.len());
            let context = c::EVP_PKEY_CTX_new(key, null_mut());
            let (mut ct, mut ss, mut m) = (out.ct.len(), out.ss.len(), input.m.len());
            let done = c::EVP_PKEY_encapsulate_deterministic(
                context,
                out.ct.as_mut_ptr(),
                &mut ct,
                out.ss.as_mut_ptr(),
                &mut ss,
                input.m.as_ptr(),
                &mut m,
            );
            assert_eq!(done, 1);
            c::EVP_PKEY_CTX_free(context);
            c::EVP_PKEY_free(key);
        });
        rows.add(Decaps, move |_, input, out| unsafe {
            let key = c::EVP_PKEY_kem_new_raw_secret_key(nid, input.dk.as_ptr(), input.dk.len());
            let context = c::EVP_PKEY_CTX_new(key, null_mut());
            let (ct, mut ss) = (&input.ct, out.ss.len());
            assert_eq!(
                c::EVP_PKEY_decapsulate(context, out.ss.as_mut_ptr(), &mut ss, ct.as_ptr(), ct.len()),
                1
            );
            c::EVP_PKEY_CTX_free(context);
            c::EVP_PKEY_free(key);
        });
        rows.cases
    }
}

/// wolfSSL (C and assembly). It checks the ranges of all numbers and the hash when it reads a key.
#[cfg(feature = "wolfssl")]
pub mod wolfssl {
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use wolfssl_sys as _; // for its library: the bindings leave ML-KEM out

    use super::{Case, Decaps, Encaps, Keygen, Level, Rows};

    unsafe extern "C" {
        fn cpuid_clear_flag(flag: u32);
        fn wc_MlKemKey_New(kind: c_int, heap: *mut c_void, device: c_int) -> *mut c_void;
        fn wc_MlKemKey_Delete(key: *mut c_void, pointer: *mut *mut c_void) -> c_int;
        fn wc_MlKemKey_MakeKeyWithRandom(key: *mut c_void, random: *const u8, length: c_int) -> c_int;
        fn wc_MlKemKey_EncodePublicKey(key: *mut c_void, out: *mut u8, length: u32) -> c_int;
        fn wc_MlKemKey_EncodePrivateKey(key: *mut c_void, out: *mut u8, length: u32) -> c_int;
        fn wc_MlKemKey_DecodePublicKey(key: *mut c_void, bytes: *const u8, length: u32) -> c_int;
        fn wc_MlKemKey_DecodePrivateKey(key: *mut c_void, bytes: *const u8, length: u32) -> c_int;
        fn wc_MlKemKey_EncapsulateWithRandom(
            key: *mut c_void,
            ct: *mut u8,
            ss: *mut u8,
            random: *const u8,
            length: c_int,
        ) -> c_int;
        fn wc_MlKemKey_Decapsulate(key: *mut c_void, ss: *mut u8, ct: *const u8, length: u32) -> c_int;
    }

    /// INVALID_DEVID: no hardware.
    const NO_DEVICE: c_int = -2;
    /// CPUID_AVX512.
    const AVX512: u32 = 0x0800;

    /// What it takes of this machine unless it is told otherwise.
    pub fn level() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512bw") {
                return Level::Avx512;
            }
        }
        super::vectors()
    }

    /// Makes it do without AVX-512. It chooses once in a process: this must come first.
    pub fn forget_avx512() {
        // SAFETY: changes a variable of the library before anything has read it.
        unsafe { cpuid_clear_flag(AVX512) }
    }

    pub fn cases(who: &str, level: Level, set: usize) -> Vec<Case> {
        let kind = match set {
            512 => 0,
            768 => 1,
            _ => 2,
        };
        // SAFETY, here and below: every buffer is as long as it is said to be, and every key is freed once.
        let new = move || unsafe { wc_MlKemKey_New(kind, null_mut(), NO_DEVICE) };
        let mut rows = Rows::new(who, set, level);
        rows.add(Keygen, move |_, input, out| unsafe {
            let key = new();
            assert_eq!(wc_MlKemKey_MakeKeyWithRandom(key, input.seed.as_ptr(), 64), 0);
            assert_eq!(wc_MlKemKey_EncodePublicKey(key, out.ek.as_mut_ptr(), input.ek.len() as u32), 0);
            assert_eq!(wc_MlKemKey_EncodePrivateKey(key, out.dk.as_mut_ptr(), input.dk.len() as u32), 0);
            wc_MlKemKey_Delete(key, null_mut());
        });
        rows.add(Encaps, move |_, input, out| unsafe {
            let key = new();
            assert_eq!(wc_MlKemKey_DecodePublicKey(key, input.ek.as_ptr(), input.ek.len() as u32), 0);
            let (ct, ss) = (out.ct.as_mut_ptr(), out.ss.as_mut_ptr());
            assert_eq!(wc_MlKemKey_EncapsulateWithRandom(key, ct, ss, input.m.as_ptr(), 32), 0);
            wc_MlKemKey_Delete(key, null_mut());
        });
        rows.add(Decaps, move |_, input, out| unsafe {
            let key = new();
            assert_eq!(wc_MlKemKey_DecodePrivateKey(key, input.dk.as_ptr(), input.dk.len() as u32), 0);
            let (ss, ct) = (out.ss.as_mut_ptr(), &input.ct);
            assert_eq!(wc_MlKemKey_Decapsulate(key, ss, ct.as_ptr(), ct.len() as u32), 0);
            wc_MlKemKey_Delete(key, null_mut());
        });
        rows.cases
    }
}
