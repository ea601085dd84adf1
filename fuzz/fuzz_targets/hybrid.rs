//! Hybrid keys and ciphertexts of any bytes: refused, or used and written again as they were. The first byte chooses the KEM and
//! what is read; the rest replaces the end of an honest key or ciphertext, so that ML-KEM's half may be good.
#![no_main]

use kemstone::hybrid::{
    Ciphertext, DecapsulationKey, EncapsulationKey, HybridKem, MlKem768P256, MlKem1024P384, Seed, XWing,
};
use kemstone::{Bytes, Error};
use libfuzzer_sys::fuzz_target;

/// `honest`, whose last bytes are others.
fn end(honest: &[u8], bytes: &[u8]) -> Vec<u8> {
    let kept = honest.len().saturating_sub(bytes.len());
    [&honest[..kept], bytes].concat()
}

fn check<H: HybridKem>(key: bool, bytes: &[u8]) {
    let owner = DecapsulationKey::<H>::from_seed(&Seed::from([7; 32]));
    let ek = owner.encapsulation_key();
    let randomness = H::Randomness::ZERO;
    let (ct, ss) = ek.encapsulate_deterministic(&randomness);
    if key {
        let bytes = end(ek.as_ref(), bytes);
        match EncapsulationKey::<H>::try_from(&bytes[..]) {
            Ok(key) => {
                assert_eq!(AsRef::<[u8]>::as_ref(&key), bytes);
                let (other, secret) = key.encapsulate_deterministic(&randomness);
                assert_eq!(&key == ek, (&other, &secret) == (&ct, &ss));
                assert_eq!(&key == ek, owner.decapsulate(&other) == secret);
            }
            Err(error) => assert_eq!(error == Error::Length, bytes.len() != H::ENCAPSULATION_KEY_SIZE),
        }
    } else {
        let bytes = end(ct.as_ref(), bytes);
        match Ciphertext::<H>::try_from(&bytes[..]) {
            Ok(ciphertext) => {
                assert_eq!(AsRef::<[u8]>::as_ref(&ciphertext), bytes);
                assert_eq!(ciphertext == ct, owner.decapsulate(&ciphertext) == ss);
            }
            Err(error) => assert_eq!(error == Error::Length, bytes.len() != H::CIPHERTEXT_SIZE),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let key = choice & 1 == 0;
    match choice >> 1 & 3 {
        0 => check::<XWing>(key, bytes),
        1 => check::<MlKem768P256>(key, bytes),
        _ => check::<MlKem1024P384>(key, bytes),
    }
});
