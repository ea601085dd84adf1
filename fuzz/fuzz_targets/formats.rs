//! Files of keys of any bytes: an error, or a key that is written and read again as it was.
//!
//! What begins with a dash is text in PEM; otherwise the first byte chooses what the rest is in DER.
#![no_main]

use kemstone::{AnyDecapsulationKey, AnyEncapsulationKey, DecapsulationKey, ParameterSet, PrivateKeyForm};
use libfuzzer_sys::fuzz_target;

fn again<S: ParameterSet>(key: &DecapsulationKey<S>) {
    let form = if key.to_seed().is_some() { PrivateKeyForm::Both } else { PrivateKeyForm::Expanded };
    let text = key.to_pkcs8_pem(form).expect("its form");
    let again = DecapsulationKey::<S>::from_pkcs8_pem(text.as_bytes()).expect("what was written");
    assert!(again.to_expanded_bytes() == key.to_expanded_bytes() && again.to_seed() == key.to_seed());
}

fn private(key: &AnyDecapsulationKey) {
    match key {
        AnyDecapsulationKey::MlKem512(key) => again(key),
        AnyDecapsulationKey::MlKem768(key) => again(key),
        AnyDecapsulationKey::MlKem1024(key) => again(key),
    }
}

fuzz_target!(|bytes: &[u8]| {
    if bytes.first() == Some(&b'-') {
        if let Ok(key) = AnyDecapsulationKey::from_pkcs8_pem(bytes) {
            private(&key);
        }
        let _ = AnyEncapsulationKey::from_public_key_pem(bytes);
    } else if let Some((choice, bytes)) = bytes.split_first() {
        match choice & 3 {
            0 => _ = AnyEncapsulationKey::from_public_key_der(bytes),
            1 => _ = kemstone::ml_kem_768::DecapsulationKey::from_bare_seed_pkcs8_der(bytes),
            _ => {
                if let Ok(key) = AnyDecapsulationKey::from_pkcs8_der(bytes) {
                    private(&key);
                }
            }
        }
    }
});
