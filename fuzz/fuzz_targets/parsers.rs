//! Every parser on any bytes: an answer or an error, never a panic, and what comes out is what went in.
//!
//! The first byte chooses a length to pad or cut the rest to, or leaves it as it is.
#![no_main]

use kemstone::backend::select::for_each;
use kemstone::{Error, Seed, SharedSecret};
use libfuzzer_sys::fuzz_target;

macro_rules! parse {
    ($module:ident, $bytes:expr) => {{
        use kemstone::$module::*;
        let bytes: &[u8] = $bytes;
        match EncapsulationKey::try_from(bytes) {
            Ok(key) => assert_eq!(key.as_bytes(), bytes),
            Err(error) if bytes.len() == ENCAPSULATION_KEY_SIZE => assert_eq!(error, Error::EncapsulationKey),
            Err(error) => assert_eq!(error, Error::Length),
        }
        if let Ok(bytes) = bytes.try_into() {
            match DecapsulationKey::from_expanded_bytes(bytes) {
                Ok(key) => assert_eq!(key.to_expanded_bytes().as_bytes(), bytes),
                Err(error) => assert_eq!(error, Error::DecapsulationKey),
            }
        }
        match ExpandedDecapsulationKey::try_from(bytes) {
            Ok(key) => assert_eq!(key.as_bytes(), bytes),
            Err(error) => assert!(error == Error::Length && bytes.len() != DECAPSULATION_KEY_SIZE),
        }
        assert_eq!(CiphertextRef::try_from(bytes).is_ok(), bytes.len() == CIPHERTEXT_SIZE);
        match Ciphertext::try_from(bytes) {
            Ok(ciphertext) => assert_eq!(ciphertext.as_bytes(), bytes),
            Err(error) => assert!(error == Error::Length && bytes.len() != CIPHERTEXT_SIZE),
        }
    }};
}

/// The lengths that some parser takes.
const LENGTHS: [usize; 11] = [32, 64, 768, 800, 1088, 1184, 1568, 1632, 2400, 3168, 3200];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if let Some(length) = LENGTHS.get((choice >> 2) as usize) {
        bytes.resize(
            match choice & 3 {
                0 => length - 1,
                1 => length + 1,
                _ => *length,
            },
            0,
        );
    }
    let bytes = &bytes[..];
    for_each(|_| {
        parse!(ml_kem_512, bytes);
        parse!(ml_kem_768, bytes);
        parse!(ml_kem_1024, bytes);
    });
    assert_eq!(Seed::try_from(bytes).is_ok(), bytes.len() == 64);
    assert_eq!(SharedSecret::try_from(bytes).is_ok(), bytes.len() == 32);
});
