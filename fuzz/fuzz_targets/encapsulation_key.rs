//! An encapsulation key of any bytes: accepted exactly if `ml-kem` accepts it, and then both encapsulate alike.
//!
//! The first byte chooses the parameter set, the next 32 are m; the key is padded or cut to its length.
#![no_main]

use kemstone::backend::select::for_each;
use libfuzzer_sys::fuzz_target;

macro_rules! compare {
    ($module:ident, $m:expr, $bytes:expr) => {{
        use kemstone::$module::*;
        let mut key = [0; ENCAPSULATION_KEY_SIZE];
        key.iter_mut().zip($bytes).for_each(|(to, from)| *to = *from);
        let theirs = ml_kem::$module::EncapsulationKey::new(&key.into());
        for_each(|_| match (EncapsulationKey::from_bytes(&key), &theirs) {
            (Ok(ours), Ok(theirs)) => {
                let (ciphertext, secret) = ours.encapsulate_deterministic($m);
                let (c, k) = theirs.encapsulate_deterministic(&(*$m).into());
                assert_eq!(ciphertext.as_bytes()[..], c[..]);
                assert_eq!(secret.as_bytes()[..], k[..]);
            }
            (ours, theirs) => assert_eq!(ours.is_ok(), theirs.is_ok()),
        });
    }};
}

fuzz_target!(|bytes: &[u8]| {
    let Some((set, bytes)) = bytes.split_first() else { return };
    let Some((m, bytes)) = bytes.split_first_chunk::<32>() else { return };
    match set & 3 {
        0 => compare!(ml_kem_512, m, bytes),
        1 => compare!(ml_kem_768, m, bytes),
        _ => compare!(ml_kem_1024, m, bytes),
    }
});
