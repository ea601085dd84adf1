//! Keys from any seed, and ciphertexts that are honest but for some bytes: every answer equals that of `ml-kem`.
//!
//! The first byte chooses the parameter set, then d, z and m follow, and then what is added to the honest ciphertext.
#![no_main]

use kemstone::Seed;
use kemstone::backend::select::for_each;
use libfuzzer_sys::fuzz_target;
use ml_kem::{Decapsulate, KeyExport};
use shake::{ExtendableOutput, Shake256, Update};

macro_rules! compare {
    ($module:ident, $seed:expr, $m:expr, $bytes:expr) => {{
        use kemstone::$module::*;
        let theirs = ml_kem::$module::DecapsulationKey::from_seed((*$seed).into());
        let (c, k) = theirs.encapsulation_key().encapsulate_deterministic(&(*$m).into());
        let mut forged: [u8; CIPHERTEXT_SIZE] = c.into();
        forged.iter_mut().zip($bytes).for_each(|(to, from)| *to ^= *from);
        let expected = theirs.decapsulate(&forged.into());
        if forged[..] == c[..] {
            assert_eq!(expected, k);
        } else {
            let mut rejected = [0; 32];
            let mut j = Shake256::default();
            j.update(&$seed[32..]);
            j.update(&forged);
            j.finalize_xof_into(&mut rejected);
            assert_eq!(expected[..], rejected);
        }
        for_each(|_| {
            let ours = DecapsulationKey::from_seed(&Seed::from(*$seed));
            let ek = ours.encapsulation_key();
            assert_eq!(ek.as_bytes()[..], theirs.encapsulation_key().to_bytes()[..]);
            let (ciphertext, secret) = ek.encapsulate_deterministic($m);
            assert_eq!((&ciphertext.as_bytes()[..], &secret.as_bytes()[..]), (&c[..], &k[..]));
            let forged = Ciphertext::from(forged);
            assert_eq!(ours.decapsulate(&forged).as_bytes()[..], expected[..]);
            assert_eq!(PreparedDecapsulationKey::new(&ours).decapsulate(&forged).as_bytes()[..], expected[..]);
            let again = PreparedEncapsulationKey::new(ek).encapsulate_deterministic($m);
            assert_eq!(again, (ciphertext, secret));
        });
    }};
}

fuzz_target!(|bytes: &[u8]| {
    let Some((set, bytes)) = bytes.split_first() else { return };
    let Some((seed, bytes)) = bytes.split_first_chunk::<64>() else { return };
    let Some((m, bytes)) = bytes.split_first_chunk::<32>() else { return };
    match set & 3 {
        0 => compare!(ml_kem_512, seed, m, bytes),
        1 => compare!(ml_kem_768, seed, m, bytes),
        _ => compare!(ml_kem_1024, seed, m, bytes),
    }
});
