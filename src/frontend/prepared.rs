//! Keys for many uses: what every use would compute again is computed once and kept.
//!
//! Expanded to the modules of `api.rs`. Inside, a prepared key holds elements of T_q and so belongs to the backend that made
//! it; users see one type.

macro_rules! prepared_keys {
    ($module:ident) => {
        /// An [`EncapsulationKey`] for many encapsulations: keeps the matrix A, t and H(ek), which each would compute
        /// again. For static keys, HPKE and ECH; a key that is used once gains nothing.
        ///
        /// It takes at most 4032, 7488 or 11968 bytes for ML-KEM-512, 768 or 1024. All of it is public: nothing to wipe.
        ///
        /// ```
        /// # #[cfg(feature = "getrandom")] {
        #[doc = concat!("use kemstone::", stringify!($module), "::{DecapsulationKey, PreparedEncapsulationKey};")]
        ///
        /// # fn main() -> Result<(), kemstone::Error> {
        /// let theirs = DecapsulationKey::generate()?;
        /// let key = PreparedEncapsulationKey::new(&theirs.encapsulation_key());
        /// for _ in 0..3 {
        ///     let (ciphertext, ours) = key.encapsulate()?;
        ///     assert_eq!(theirs.decapsulate(&ciphertext), ours);
        /// }
        /// # Ok(())
        /// # }
        /// # main().unwrap();
        /// # }
        /// ```
        pub struct PreparedEncapsulationKey {
            key: EncapsulationKey,
            held: Held<kem::AnyPreparedEk<K>>,
        }

        impl PreparedEncapsulationKey {
            /// Prepares a key.
            #[must_use]
            pub fn new(key: &EncapsulationKey) -> Self {
                let mut prepared = Self::empty(key);
                prepared.prepare();
                prepared
            }

            /// As [`new`](Self::new), on the heap.
            #[cfg(feature = "alloc")]
            #[must_use]
            pub fn boxed(key: &EncapsulationKey) -> Box<Self> {
                let mut prepared = Self::empty_box(key);
                prepared.prepare();
                prepared
            }

            /// As [`new`](Self::new), on the heap, to be shared.
            #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
            #[must_use]
            pub fn shared(key: &EncapsulationKey) -> Arc<Self> {
                Arc::from(Self::boxed(key))
            }

            #[allow(clippy::redundant_closure_call)] // as `empty!` says
            #[inline(always)]
            fn empty(key: &EncapsulationKey) -> Self {
                empty!(Selected::best(), kem::AnyPreparedEk<K>, key.clone())
            }

            #[cfg(feature = "alloc")]
            #[inline(never)] // frames that are not needed at the same time share the stack
            fn empty_box(key: &EncapsulationKey) -> Box<Self> {
                Box::new(Self::empty(key))
            }

            #[inline(never)]
            fn prepare(&mut self) {
                // True: the key has passed the check of section 7.2.
                with_held!(&mut self.held, (backend, held) => held.prepare(*backend, &self.key.0));
            }

            /// As [`EncapsulationKey::from_bytes`], prepared.
            ///
            /// # Errors
            ///
            /// [`Error::EncapsulationKey`] if one of its numbers is not below q.
            pub fn from_bytes(bytes: &[u8; ENCAPSULATION_KEY_SIZE]) -> Result<Self, Error> {
                EncapsulationKey::from_bytes(bytes).map(|key| Self::new(&key))
            }

            /// The key that was prepared.
            #[must_use]
            pub const fn encapsulation_key(&self) -> &EncapsulationKey {
                &self.key
            }

            /// The encoded key.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; ENCAPSULATION_KEY_SIZE] {
                self.key.as_bytes()
            }

            /// A copy of the encoded key.
            #[must_use]
            pub const fn to_bytes(&self) -> [u8; ENCAPSULATION_KEY_SIZE] {
                self.key.to_bytes()
            }

            $crate::frontend::api::encapsulation_methods!($module);

            fn write(&self, m: &[u8; 32], c: &mut [u8; CIPHERTEXT_SIZE], k: &mut [u8; SHARED_SECRET_SIZE]) {
                with_held!(&self.held, (backend, held) => {
                    kem::encaps_prepared::<_, Set, K, U, V>(*backend, held, m, c, k);
                });
            }
        }

        impl From<&EncapsulationKey> for PreparedEncapsulationKey {
            fn from(key: &EncapsulationKey) -> Self {
                Self::new(key)
            }
        }

        impl AsRef<[u8]> for PreparedEncapsulationKey {
            fn as_ref(&self) -> &[u8] {
                self.key.as_ref()
            }
        }

        impl TryFrom<&[u8]> for PreparedEncapsulationKey {
            type Error = Error;

            /// As [`PreparedEncapsulationKey::from_bytes`], and [`Error::Length`] if the length differs.
            fn try_from(bytes: &[u8]) -> Result<Self, Error> {
                EncapsulationKey::try_from(bytes).map(|key| Self::new(&key))
            }
        }

        impl PartialEq for PreparedEncapsulationKey {
            fn eq(&self, other: &Self) -> bool {
                self.key == other.key
            }
        }

        impl Eq for PreparedEncapsulationKey {}

        impl fmt::Debug for PreparedEncapsulationKey {
            /// The last four bytes of rho tell keys apart.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple("PreparedEncapsulationKey").field(&self.key).finish()
            }
        }

        /// A [`DecapsulationKey`] for many decapsulations: keeps the matrix A, s and t, which each would compute again.
        /// For the static keys of servers, HPKE and ECH; a key that is used once gains nothing.
        ///
        /// It takes at most 5952, 10304 or 15680 bytes for ML-KEM-512, 768 or 1024. Its secrets are wiped on drop; `Debug` shows
        /// nothing of them.
        ///
        /// Best made on the heap, by [`boxed`](Self::boxed) or [`shared`](Self::shared) and the like: there it stays. Of one that is
        /// returned by value the library leaves no copy, but each move of it does, as [`DecapsulationKey`] says.
        ///
        /// ```
        /// # fn main() -> Result<(), kemstone::Error> {
        #[doc = concat!("use kemstone::{Seed, ", stringify!($module), "::{CIPHERTEXT_SIZE, Ciphertext, DecapsulationKey, PreparedDecapsulationKey}};")]
        ///
        /// let plain = DecapsulationKey::from_seed(&Seed::from([1; 64]));
        /// let prepared = PreparedDecapsulationKey::new(&plain);
        /// let ciphertext = Ciphertext::from([2; CIPHERTEXT_SIZE]);
        /// assert_eq!(prepared.decapsulate(&ciphertext), plain.decapsulate(&ciphertext));
        /// # Ok(())
        /// # }
        /// ```
        pub struct PreparedDecapsulationKey {
            key: DecapsulationKey,
            held: Held<kem::AnyPreparedDk<K>>,
        }

        impl PreparedDecapsulationKey {
            /// Prepares a copy of a key.
            #[must_use]
            #[inline(never)] // as with `ok_pair`
            pub fn new(key: &DecapsulationKey) -> Self {
                let mut prepared = Self::empty();
                prepared.set_copy(key);
                prepared.copy()
            }

            /// As [`new`](Self::new), on the heap, where the key stays: nothing of it is left on the stack.
            ///
            /// To share it, use [`shared`](Self::shared): `Arc::from` of a `Box` moves what is inside, and gives the memory where
            /// the secrets were back unwiped.
            #[cfg(feature = "alloc")]
            #[must_use]
            pub fn boxed(key: &DecapsulationKey) -> Box<Self> {
                let mut prepared = Self::empty_box();
                prepared.set_copy(key);
                prepared
            }

            /// As [`boxed`](Self::boxed), to be shared.
            #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
            #[must_use]
            pub fn shared(key: &DecapsulationKey) -> Arc<Self> {
                let mut prepared = Self::empty_arc();
                // Nobody else has it yet.
                if let Some(prepared) = Arc::get_mut(&mut prepared) {
                    prepared.set_copy(key);
                }
                prepared
            }

            /// Room for a key that is about to be prepared.
            #[allow(clippy::redundant_closure_call)] // as `empty!` says
            #[inline(never)] // frames that are not needed at the same time share the stack
            fn empty() -> Self {
                empty!(Selected::best(), kem::AnyPreparedDk<K>, DecapsulationKey::empty())
            }

            /// The same on the heap.
            #[cfg(feature = "alloc")]
            #[inline(never)] // frames that are not needed at the same time share the stack
            fn empty_box() -> Box<Self> {
                Box::new(Self::empty())
            }

            /// The same on the heap, to be shared.
            #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
            #[inline(never)] // frames that are not needed at the same time share the stack
            fn empty_arc() -> Arc<Self> {
                Arc::new(Self::empty())
            }

            /// The key that belongs to the seed d || z, in place of an empty one.
            #[cfg(feature = "alloc")]
            fn set_seed(&mut self, seed: &[u8; SEED_SIZE]) {
                self.key.set_seed(seed);
                self.prepare();
            }

            /// The key of this expanded form, which has passed the checks, in place of an empty one.
            fn set_expanded(&mut self, bytes: &[u8; DECAPSULATION_KEY_SIZE]) {
                self.key.set_expanded(bytes);
                self.prepare();
            }

            /// A copy of a key, in place of an empty one.
            fn set_copy(&mut self, key: &DecapsulationKey) {
                self.key.set_copy(key);
                self.prepare();
            }

            #[inline(never)]
            fn prepare(&mut self) {
                with_held!(&mut self.held, (backend, held) => held.prepare(*backend, &self.key.expanded));
            }

            /// Exchanges what two keys keep, and not their bytes.
            #[cfg(test)]
            pub(crate) const fn swap_held(&mut self, other: &mut Self) {
                core::mem::swap(&mut self.held, &mut other.held);
            }

            /// A copy that is made knowingly.
            #[inline(always)]
            fn copy(&self) -> Self {
                Self { key: self.key.copy(), held: self.held }
            }

            $crate::frontend::api::generation_methods!();

            /// As [`DecapsulationKey::from_expanded_bytes`], prepared.
            ///
            /// # Errors
            ///
            /// [`Error::DecapsulationKey`] if a check fails.
            pub fn from_expanded_bytes(bytes: &[u8; DECAPSULATION_KEY_SIZE]) -> Result<Self, Error> {
                if !DecapsulationKey::is_valid(bytes) {
                    return Err(Error::DecapsulationKey);
                }
                Ok(Self::with_expanded(bytes))
            }

            #[inline(never)] // frames that are not needed at the same time share the stack
            fn with_seed(seed: &[u8; SEED_SIZE]) -> Self {
                let mut key = DecapsulationKey::empty();
                key.set_seed(seed);
                Self::new(&key)
            }

            // As with `ok_pair`.
            #[inline(never)]
            fn with_expanded(bytes: &[u8; DECAPSULATION_KEY_SIZE]) -> Self {
                let mut key = Self::empty();
                key.set_expanded(bytes);
                key.copy()
            }

            /// The key that was prepared.
            #[must_use]
            pub const fn decapsulation_key(&self) -> &DecapsulationKey {
                &self.key
            }

            /// The expanded form dk_PKE || ek || H(ek) || z, where it lies.
            #[must_use]
            pub const fn as_expanded_bytes(&self) -> &[u8; DECAPSULATION_KEY_SIZE] {
                self.key.as_expanded_bytes()
            }

            /// A copy of the expanded form, wiped on drop.
            #[must_use]
            pub const fn to_expanded_bytes(&self) -> ExpandedDecapsulationKey {
                self.key.to_expanded_bytes()
            }

            /// The seed d || z, unless the key came from its expanded form, which does not hold d.
            #[must_use]
            pub fn to_seed(&self) -> Option<Seed> {
                self.key.to_seed()
            }

            /// As [`DecapsulationKey::to_seed_into`].
            ///
            /// # Errors
            ///
            /// [`Error::NoSeed`] if the key came from its expanded form; `seed` is not touched then.
            pub fn to_seed_into(&self, seed: &mut [u8; SEED_SIZE]) -> Result<(), Error> {
                self.key.to_seed_into(seed)
            }

            /// The public half.
            #[must_use]
            pub fn encapsulation_key(&self) -> EncapsulationKey {
                self.key.encapsulation_key()
            }

            /// FIPS 203, Algorithm 21 (ML-KEM.Decaps), as [`DecapsulationKey::decapsulate`].
            #[must_use]
            pub fn decapsulate(&self, ciphertext: &Ciphertext) -> SharedSecret {
                let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
                self.decapsulate_into(ciphertext, &mut k);
                SharedSecret::copy_of(&k)
            }

            /// As [`decapsulate`](Self::decapsulate), into the caller's memory, which the caller wipes
            /// when the secret has served.
            pub fn decapsulate_into(&self, ciphertext: &Ciphertext, shared_secret: &mut [u8; SHARED_SECRET_SIZE]) {
                with_held!(&self.held, (backend, held) => {
                    let z = kem::z_of_dk::<K>(&self.key.expanded);
                    kem::decaps_prepared::<_, Set, K, U, V, CIPHERTEXT_SIZE>(*backend, held, z, &ciphertext.0, shared_secret);
                });
            }

            /// As [`DecapsulationKey::check_pairwise_consistency`], of what is kept as well.
            ///
            /// # Errors
            ///
            /// [`Error::DecapsulationKey`] if the secrets differ.
            pub fn check_pairwise_consistency(&self) -> Result<(), Error> {
                let (ciphertext, expected) = self.encapsulation_key().encapsulate_with_m(&[0x5a; 32]);
                if self.decapsulate(&ciphertext) == expected { Ok(()) } else { Err(Error::DecapsulationKey) }
            }
        }

        impl From<&DecapsulationKey> for PreparedDecapsulationKey {
            fn from(key: &DecapsulationKey) -> Self {
                Self::new(key)
            }
        }

        impl TryFrom<&[u8]> for PreparedDecapsulationKey {
            type Error = Error;

            /// As `DecapsulationKey`'s `TryFrom<&[u8]>`: from the seed or the expanded form.
            fn try_from(bytes: &[u8]) -> Result<Self, Error> {
                Self::from_either(bytes)
            }
        }

        impl fmt::Debug for PreparedDecapsulationKey {
            /// The public half's `Debug`, and nothing of the secret.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple("PreparedDecapsulationKey").field(&self.key).finish()
            }
        }

        impl Drop for PreparedDecapsulationKey {
            fn drop(&mut self) {
                with_held!(&mut self.held, (_backend, held) => held.wipe());
            } // and `key` wipes itself
        }

        impl ZeroizeOnDrop for PreparedDecapsulationKey {}
    };
}
pub(crate) use prepared_keys;

#[cfg(test)]
mod tests {
    use crate::frontend::{Error, Seed, ml_kem_512, ml_kem_768, ml_kem_1024};

    #[test]
    #[cfg(feature = "alloc")]
    fn consistency_is_that_of_what_is_kept() {
        macro_rules! exchange {
            ($module:ident) => {
                let prepared =
                    |byte| $module::PreparedDecapsulationKey::boxed_from_seed(&Seed::from([byte; 64]));
                let (mut one, mut other) = (prepared(1), prepared(2));
                assert_eq!(one.check_pairwise_consistency(), Ok(()));
                one.swap_held(&mut other);
                for key in [one, other] {
                    assert_eq!(key.decapsulation_key().check_pairwise_consistency(), Ok(()));
                    assert_eq!(key.check_pairwise_consistency(), Err(Error::DecapsulationKey));
                }
            };
        }
        exchange!(ml_kem_512);
        exchange!(ml_kem_768);
        exchange!(ml_kem_1024);
    }

    #[test]
    fn sizes_are_as_documented() {
        // A target with one backend needs no room to say which.
        assert!(size_of::<ml_kem_512::PreparedEncapsulationKey>() <= 4032);
        assert!(size_of::<ml_kem_768::PreparedEncapsulationKey>() <= 7488);
        assert!(size_of::<ml_kem_1024::PreparedEncapsulationKey>() <= 11968);
        assert!(size_of::<ml_kem_512::PreparedDecapsulationKey>() <= 5952);
        assert!(size_of::<ml_kem_768::PreparedDecapsulationKey>() <= 10304);
        assert!(size_of::<ml_kem_1024::PreparedDecapsulationKey>() <= 15680);
    }
}
