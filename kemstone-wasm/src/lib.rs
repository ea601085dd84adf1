//! ML-KEM for JavaScript. This is the layer below `js/kem.js`, which users call: here is what needs memory of WebAssembly's.
//!
//! What a function of wasm-bindgen takes as a slice or returns as a vector lies in the allocator's memory and is freed as it is. So
//! arrays of JavaScript's go in and out, and each is copied to or from memory that is wiped.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![deny(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::string::ToString;

use kemstone::{
    CiphertextRef, DecapsulationKey, EncapsulationKey, Error, MlKem512, MlKem768, MlKem1024, ParameterSet,
    PreparedDecapsulationKey, PreparedEncapsulationKey, SEED_SIZE, SHARED_SECRET_SIZE, Seed,
};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

// Of the crate js-sys this is all that would be used, and it takes longer to build than ML-KEM.
#[wasm_bindgen]
extern "C" {
    /// JavaScript's array of bytes. Its methods are `final`, those of the prototype: what a subclass calls `length` could throw
    /// through functions here, whose destructors would not run.
    pub type Uint8Array;

    #[wasm_bindgen(method, final, getter)]
    fn length(this: &Uint8Array) -> u32;
    #[wasm_bindgen(method, final, js_name = set)]
    fn copy_from(this: &Uint8Array, from: &[u8]);
    #[wasm_bindgen(js_namespace = ["Uint8Array", "prototype", "set"], js_name = call)]
    fn copy(to: &mut [u8], from: &Uint8Array);
}

/// The name of the backend of this build.
#[wasm_bindgen]
#[must_use]
pub fn backend() -> JsValue {
    JsValue::from_str(kemstone::backend())
}

fn refused(error: Error) -> JsError {
    JsError::new(&error.to_string())
}

/// Copies an array of JavaScript's. To a place, not by value: a value that is returned leaves a copy.
fn read(from: &Uint8Array, to: &mut [u8]) -> Result<(), JsError> {
    if from.length() as usize != to.len() {
        return Err(refused(Error::Length));
    }
    copy(to, from);
    Ok(())
}

/// Copies to an array of JavaScript's.
fn write(from: &[u8], to: &Uint8Array) -> Result<(), JsError> {
    if to.length() as usize != from.len() {
        return Err(refused(Error::Length));
    }
    to.copy_from(from);
    Ok(())
}

fn random<const N: usize>(to: &mut [u8; N]) -> Result<(), JsError> {
    getrandom::fill(to).map_err(|_| refused(Error::Randomness))
}

macro_rules! parameter_set {
    ($set:ident, $decapsulation_key:ident, $encapsulation_key:ident, $generate:ident, $encapsulate:ident, $decapsulate:ident) => {
        /// A decapsulation key, with what it computed for its first use.
        #[wasm_bindgen]
        pub struct $decapsulation_key(Box<PreparedDecapsulationKey<$set>>);

        #[wasm_bindgen]
        impl $decapsulation_key {
            /// FIPS 203, Algorithm 19 (ML-KEM.KeyGen).
            ///
            /// # Errors
            ///
            /// If there is no randomness.
            pub fn generate() -> Result<Self, JsError> {
                PreparedDecapsulationKey::boxed_generate_with(random).map(Self)
            }

            /// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal), of the seed d || z.
            ///
            /// # Errors
            ///
            /// If the length is wrong.
            #[wasm_bindgen(js_name = fromSeed)]
            pub fn from_seed(seed: &Uint8Array) -> Result<Self, JsError> {
                let mut bytes = Zeroizing::new([0; SEED_SIZE]);
                read(seed, &mut *bytes)?;
                let seed = Seed::from_bytes(&bytes);
                Ok(Self(PreparedDecapsulationKey::boxed_from_seed(&seed)))
            }

            /// The key of its expanded form, checked (FIPS 203, section 7.3).
            ///
            /// # Errors
            ///
            /// If the length is wrong or a check fails.
            #[wasm_bindgen(js_name = fromExpanded)]
            pub fn from_expanded(expanded: &Uint8Array) -> Result<Self, JsError> {
                let mut bytes = Zeroizing::new([0; <$set>::DECAPSULATION_KEY_SIZE]);
                read(expanded, &mut *bytes)?;
                let key = DecapsulationKey::<$set>::boxed_from_expanded_bytes(&bytes).map_err(refused)?;
                Ok(Self(PreparedDecapsulationKey::boxed(&key)))
            }

            /// Writes the seed, and says if there is one.
            ///
            /// # Errors
            ///
            /// If the length is wrong.
            pub fn seed(&self, seed: &Uint8Array) -> Result<bool, JsError> {
                let mut bytes = Zeroizing::new([0; SEED_SIZE]);
                if self.0.decapsulation_key().to_seed_into(&mut bytes).is_err() {
                    return Ok(false);
                }
                write(&*bytes, seed)?;
                Ok(true)
            }

            /// Writes the expanded form.
            ///
            /// # Errors
            ///
            /// If the length is wrong.
            pub fn expanded(&self, expanded: &Uint8Array) -> Result<(), JsError> {
                let mut bytes = Zeroizing::new([0; <$set>::DECAPSULATION_KEY_SIZE]);
                self.0.decapsulation_key().to_expanded_bytes_into(&mut bytes);
                write(&*bytes, expanded)
            }

            /// Writes the public half.
            ///
            /// # Errors
            ///
            /// If the length is wrong.
            #[wasm_bindgen(js_name = encapsulationKey)]
            pub fn encapsulation_key(&self, ek: &Uint8Array) -> Result<(), JsError> {
                write(self.0.encapsulation_key().as_bytes(), ek)
            }

            /// FIPS 203, Algorithm 21 (ML-KEM.Decaps).
            ///
            /// # Errors
            ///
            /// If a length is wrong.
            pub fn decapsulate(
                &self,
                ciphertext: &Uint8Array,
                shared_secret: &Uint8Array,
            ) -> Result<(), JsError> {
                let mut c = [0; <$set>::CIPHERTEXT_SIZE];
                read(ciphertext, &mut c)?;
                let mut k = Zeroizing::new([0; SHARED_SECRET_SIZE]);
                self.0.decapsulate_into(CiphertextRef::from(&c), &mut k);
                write(&*k, shared_secret)
            }
        }

        /// An encapsulation key, with what every encapsulation would compute again.
        #[wasm_bindgen]
        pub struct $encapsulation_key(Box<PreparedEncapsulationKey<$set>>);

        #[wasm_bindgen]
        impl $encapsulation_key {
            /// The key of its bytes, checked (FIPS 203, section 7.2).
            ///
            /// # Errors
            ///
            /// If the length is wrong or the check fails.
            #[wasm_bindgen(js_name = fromBytes)]
            pub fn from_bytes(ek: &Uint8Array) -> Result<Self, JsError> {
                let mut bytes = [0; <$set>::ENCAPSULATION_KEY_SIZE];
                read(ek, &mut bytes)?;
                let key = EncapsulationKey::<$set>::from_bytes(&bytes).map_err(refused)?;
                Ok(Self(PreparedEncapsulationKey::boxed(&key)))
            }

            /// FIPS 203, Algorithm 20 (ML-KEM.Encaps).
            ///
            /// # Errors
            ///
            /// If there is no randomness, or a length is wrong.
            pub fn encapsulate(
                &self,
                ciphertext: &Uint8Array,
                shared_secret: &Uint8Array,
            ) -> Result<(), JsError> {
                let mut c = [0; <$set>::CIPHERTEXT_SIZE];
                let mut k = Zeroizing::new([0; SHARED_SECRET_SIZE]);
                self.0.encapsulate_into(random, &mut c, &mut k)?;
                write(&c, ciphertext)?;
                write(&*k, shared_secret)
            }
        }

        /// FIPS 203, Algorithm 19 (ML-KEM.KeyGen): writes both halves.
        ///
        /// # Errors
        ///
        /// If there is no randomness, or a length is wrong.
        #[wasm_bindgen(js_name = $generate)]
        #[allow(non_snake_case)]
        pub fn $generate(ek: &Uint8Array, expanded: &Uint8Array) -> Result<(), JsError> {
            let mut bytes = Zeroizing::new([0; SEED_SIZE]);
            random(&mut bytes)?;
            let seed = Seed::from_bytes(&bytes);
            let mut dk = Zeroizing::new([0; <$set>::DECAPSULATION_KEY_SIZE]);
            DecapsulationKey::<$set>::expand_into(&seed, &mut dk);
            let (_, public) = dk.split_at(<$set>::ENCAPSULATION_KEY_OFFSET);
            write(&public[..<$set>::ENCAPSULATION_KEY_SIZE], ek)?;
            write(&*dk, expanded)
        }

        /// FIPS 203, Algorithm 20 (ML-KEM.Encaps), with the check of section 7.2.
        ///
        /// # Errors
        ///
        /// If there is no randomness, a length is wrong, or the check fails.
        #[wasm_bindgen(js_name = $encapsulate)]
        #[allow(non_snake_case)]
        pub fn $encapsulate(
            ek: &Uint8Array,
            ciphertext: &Uint8Array,
            shared_secret: &Uint8Array,
        ) -> Result<(), JsError> {
            let mut bytes = [0; <$set>::ENCAPSULATION_KEY_SIZE];
            read(ek, &mut bytes)?;
            let key = EncapsulationKey::<$set>::from_bytes(&bytes).map_err(refused)?;
            let mut c = [0; <$set>::CIPHERTEXT_SIZE];
            let mut k = Zeroizing::new([0; SHARED_SECRET_SIZE]);
            key.encapsulate_into(random, &mut c, &mut k)?;
            write(&c, ciphertext)?;
            write(&*k, shared_secret)
        }

        /// FIPS 203, Algorithm 21 (ML-KEM.Decaps), of an expanded key that is used once, with the checks of section 7.3.
        ///
        /// # Errors
        ///
        /// If a length is wrong, or a check fails.
        #[wasm_bindgen(js_name = $decapsulate)]
        #[allow(non_snake_case)]
        pub fn $decapsulate(
            expanded: &Uint8Array,
            ciphertext: &Uint8Array,
            shared_secret: &Uint8Array,
        ) -> Result<(), JsError> {
            let mut dk = Zeroizing::new([0; <$set>::DECAPSULATION_KEY_SIZE]);
            read(expanded, &mut *dk)?;
            let mut c = [0; <$set>::CIPHERTEXT_SIZE];
            read(ciphertext, &mut c)?;
            let mut k = Zeroizing::new([0; SHARED_SECRET_SIZE]);
            let c = CiphertextRef::<$set>::from(&c);
            DecapsulationKey::<$set>::decapsulate_expanded_into(&dk, c, &mut k).map_err(refused)?;
            write(&*k, shared_secret)
        }
    };
}

parameter_set!(
    MlKem512,
    MlKem512DecapsulationKey,
    MlKem512EncapsulationKey,
    MlKem512GenerateExpanded,
    MlKem512Encapsulate,
    MlKem512Decapsulate
);
parameter_set!(
    MlKem768,
    MlKem768DecapsulationKey,
    MlKem768EncapsulationKey,
    MlKem768GenerateExpanded,
    MlKem768Encapsulate,
    MlKem768Decapsulate
);
parameter_set!(
    MlKem1024,
    MlKem1024DecapsulationKey,
    MlKem1024EncapsulationKey,
    MlKem1024GenerateExpanded,
    MlKem1024Encapsulate,
    MlKem1024Decapsulate
);
