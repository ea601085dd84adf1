//! An expanded decapsulation key of any bytes: what `ml-kem` refuses is refused, what is accepted decapsulates alike.
//!
//! The first byte chooses the parameter set and, by its high bits, what is repaired to get past the first checks: the
//! stored hash, and numbers that are not below q. The key and then a ciphertext follow, padded or cut to their lengths.
#![no_main]

use kemstone::backend::select::for_each;
use libfuzzer_sys::fuzz_target;
use ml_kem::Decapsulate;
use sha3::{Digest, Sha3_256};

/// Clears the highest bit of every twelve that are not below q.
fn reduce(encoded: &mut [u8]) {
    for bytes in encoded.as_chunks_mut::<3>().0 {
        if (bytes[0] as u16 | (bytes[1] as u16 & 0xf) << 8) >= 3329 {
            bytes[1] &= 0xf7;
        }
        if (bytes[1] as u16 >> 4 | (bytes[2] as u16) << 4) >= 3329 {
            bytes[2] &= 0x7f;
        }
    }
}

macro_rules! compare {
    ($module:ident, $k:literal, $how:expr, $bytes:expr) => {{
        use kemstone::$module::*;
        let mut from = $bytes.iter().copied();
        let mut key = [0; DECAPSULATION_KEY_SIZE];
        key.fill_with(|| from.next().unwrap_or(0));
        if $how & 0x40 != 0 {
            reduce(&mut key[..768 * $k]);
        }
        if $how & 0x80 != 0 {
            let hash = Sha3_256::digest(&key[384 * $k..768 * $k + 32]);
            key[768 * $k + 32..768 * $k + 64].copy_from_slice(&hash);
        }
        let mut c = [0; CIPHERTEXT_SIZE];
        c.fill_with(|| from.next().unwrap_or(0));

        // `ml-kem` takes numbers in s that are not below q, and we do not.
        let mut reduced = key;
        reduce(&mut reduced[..384 * $k]);
        #[allow(deprecated)] // expanded keys
        let theirs = ml_kem::$module::DecapsulationKey::from_expanded(&key.into()).ok();
        for_each(|_| {
            let c = Ciphertext::from(c);
            let ours = DecapsulationKey::from_expanded_bytes(&key).ok();
            assert_eq!(ours.is_some(), theirs.is_some() && reduced == key);
            let once = DecapsulationKey::decapsulate_expanded(&key, &c);
            assert_eq!(once.is_ok(), ours.is_some());
            if let (Some(ours), Some(theirs)) = (ours, &theirs) {
                let secret = ours.decapsulate(&c);
                assert_eq!(secret.as_bytes()[..], theirs.decapsulate(&c.to_bytes().into())[..]);
                assert_eq!(once, Ok(secret));
                let _ = ours.check_pairwise_consistency();
            }
        });
    }};
}

fuzz_target!(|bytes: &[u8]| {
    let Some((how, bytes)) = bytes.split_first() else { return };
    match how & 3 {
        0 => compare!(ml_kem_512, 2, how, bytes),
        1 => compare!(ml_kem_768, 3, how, bytes),
        _ => compare!(ml_kem_1024, 4, how, bytes),
    }
});
