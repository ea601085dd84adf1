//! The modules users see: one per parameter set, alike but for their sizes.
//!
//! Bytes become keys only through the checks of FIPS 203, sections 7.2 and 7.3, so every key in memory has passed them.

/// Encapsulation by a key that has `write`.
macro_rules! encapsulation_methods {
    ($module:ident) => {
        /// FIPS 203, Algorithm 20 (ML-KEM.Encaps), with the operating system's randomness.
        ///
        /// # Errors
        ///
        /// [`Error::Randomness`] if the operating system has none.
        #[cfg(feature = "getrandom")]
        pub fn encapsulate(&self) -> Result<(Ciphertext, SharedSecret), Error> {
            self.encapsulate_with(|m| getrandom::fill(m).map_err(|_| Error::Randomness))
        }

        /// FIPS 203, Algorithm 20 (ML-KEM.Encaps), with 32 bytes drawn from `rng` in one call.
        ///
        /// `rng` is a generator of `rand_core` 0.10. Any other, also of another version of `rand_core`, serves by the closure
        /// of [`encapsulate_with`](Self::encapsulate_with).
        pub fn encapsulate_with_rng<R: CryptoRng + ?Sized>(&self, rng: &mut R) -> (Ciphertext, SharedSecret) {
            let mut m = Secret::new([0; 32]);
            rng.fill_bytes(&mut *m);
            self.encapsulate_with_m(&m)
        }

        /// FIPS 203, Algorithm 20 (ML-KEM.Encaps), with 32 bytes drawn from `rng` in one call.
        ///
        /// `rng` is a generator of `rand_core` 0.10. Any other, also of another version of `rand_core`, serves by the closure
        /// of [`encapsulate_with`](Self::encapsulate_with).
        ///
        /// # Errors
        ///
        /// The generator's error; nothing is encapsulated then.
        pub fn try_encapsulate_with_rng<R: TryCryptoRng + ?Sized>(
            &self,
            rng: &mut R,
        ) -> Result<(Ciphertext, SharedSecret), R::Error> {
            self.encapsulate_with(|m| rng.try_fill_bytes(m))
        }

        /// FIPS 203, Algorithm 20 (ML-KEM.Encaps), with the 32 bytes that `fill` writes: for
        /// random generators of any crate and version. They must be fresh and uniformly random; a closure that
        /// returns `Ok` without writing them gives a secret that everyone knows.
        ///
        /// # Errors
        ///
        /// The error of `fill`; nothing is encapsulated then.
        ///
        /// ```
        #[doc = concat!("use kemstone::{Seed, ", stringify!($module), "::DecapsulationKey};")]
        ///
        /// let key = DecapsulationKey::from_seed(&Seed::from([1; 64]));
        /// let refused = key.encapsulation_key().encapsulate_with(|_m| Err("no randomness today"));
        /// assert_eq!(refused, Err("no randomness today"));
        /// ```
        pub fn encapsulate_with<E>(
            &self,
            fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
        ) -> Result<(Ciphertext, SharedSecret), E> {
            let mut c = [0; CIPHERTEXT_SIZE];
            let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
            self.encapsulate_into(fill, &mut c, &mut k)?;
            ok_pair(&c, &k)
        }

        /// As [`encapsulate_with`](Self::encapsulate_with), into the caller's memory, which the caller
        /// wipes when the secret has served.
        ///
        /// # Errors
        ///
        /// The error of `fill`; neither output is touched then.
        pub fn encapsulate_into<E>(
            &self,
            fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
            ciphertext: &mut [u8; CIPHERTEXT_SIZE],
            shared_secret: &mut [u8; SHARED_SECRET_SIZE],
        ) -> Result<(), E> {
            let mut m = Secret::new([0; 32]);
            fill(&mut m)?;
            self.write(&m, ciphertext, shared_secret);
            Ok(())
        }

        /// FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal): encapsulation with a given `m`.
        ///
        /// For test vectors, and for protocols that derive `m`. Whoever learns or repeats `m` has the secret:
        /// anything but 32 fresh uniformly random bytes breaks the scheme.
        #[cfg(feature = "hazmat")]
        #[must_use]
        pub fn encapsulate_deterministic(&self, m: &[u8; 32]) -> (Ciphertext, SharedSecret) {
            self.encapsulate_with_m(m)
        }

        pub(crate) fn encapsulate_with_m(&self, m: &[u8; 32]) -> (Ciphertext, SharedSecret) {
            let mut c = [0; CIPHERTEXT_SIZE];
            let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
            self.write(m, &mut c, &mut k);
            (Ciphertext(c), SharedSecret::copy_of(&k))
        }
    };
}
pub(crate) use encapsulation_methods;

/// Making a key that has `empty`, `set_seed` and `copy`.
///
/// Every constructor fills an empty key of its own, which is wiped when it goes out of scope, and ends with a copy of it in
/// the caller's place: a key that is moved stays behind where it was.
macro_rules! generation_methods {
    () => {
        /// FIPS 203, Algorithm 19 (ML-KEM.KeyGen), with the operating system's randomness.
        ///
        /// # Errors
        ///
        /// [`Error::Randomness`] if the operating system has none.
        #[cfg(feature = "getrandom")]
        pub fn generate() -> Result<Self, Error> {
            Self::generate_with(|seed| getrandom::fill(seed).map_err(|_| Error::Randomness))
        }

        /// FIPS 203, Algorithm 19 (ML-KEM.KeyGen), with 64 bytes drawn from `rng` in one call.
        ///
        /// `rng` is a generator of `rand_core` 0.10. Any other, also of another version of `rand_core`, serves by the closure
        /// of [`generate_with`](Self::generate_with).
        pub fn generate_from_rng<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
            let mut seed = Secret::new([0; SEED_SIZE]);
            rng.fill_bytes(&mut *seed);
            Self::with_seed(&seed)
        }

        /// FIPS 203, Algorithm 19 (ML-KEM.KeyGen), with 64 bytes drawn from `rng` in one call.
        ///
        /// `rng` is a generator of `rand_core` 0.10. Any other, also of another version of `rand_core`, serves by the closure
        /// of [`generate_with`](Self::generate_with).
        ///
        /// # Errors
        ///
        /// The generator's error; no key is made then.
        pub fn try_generate_from_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
            Self::generate_with(|seed| rng.try_fill_bytes(seed))
        }

        /// FIPS 203, Algorithm 19 (ML-KEM.KeyGen), with the 64 bytes d || z that `fill` writes: for random
        /// generators of any crate and version. They must be fresh and uniformly random; a closure
        /// that returns `Ok` without writing them gives a key that everyone knows.
        ///
        /// # Errors
        ///
        /// The error of `fill`; no key is made then.
        pub fn generate_with<E>(fill: impl FnOnce(&mut [u8; 64]) -> Result<(), E>) -> Result<Self, E> {
            let mut seed = Secret::new([0; SEED_SIZE]);
            fill(&mut seed)?;
            Self::ok_with_seed(&seed)
        }

        /// FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal): the key that belongs to the seed d || z.
        #[must_use]
        pub fn from_seed(seed: &Seed) -> Self {
            Self::with_seed(seed.as_bytes())
        }

        /// As [`generate_with`](Self::generate_with), on the heap, where the key stays: nothing of it is left on the stack.
        ///
        /// # Errors
        ///
        /// The error of `fill`; no key is made then.
        #[cfg(feature = "alloc")]
        pub fn boxed_generate_with<E>(
            fill: impl FnOnce(&mut [u8; 64]) -> Result<(), E>,
        ) -> Result<Box<Self>, E> {
            let mut seed = Secret::new([0; SEED_SIZE]);
            fill(&mut seed)?;
            let mut key = Self::empty_box();
            key.set_seed(&seed);
            Ok(key)
        }

        /// As [`from_seed`](Self::from_seed), on the heap, where the key stays: nothing of it is left on the stack.
        #[cfg(feature = "alloc")]
        #[must_use]
        pub fn boxed_from_seed(seed: &Seed) -> Box<Self> {
            let mut key = Self::empty_box();
            key.set_seed(seed.as_bytes());
            key
        }

        // As with `ok_pair`.

        #[inline(never)]
        fn ok_with_seed<E>(seed: &[u8; SEED_SIZE]) -> Result<Self, E> {
            Ok(Self::with_seed(seed))
        }

        /// A key from its seed (64 bytes) or its expanded form, told apart by their length.
        fn from_either(bytes: &[u8]) -> Result<Self, Error> {
            if let Ok(seed) = bytes.try_into() {
                return Self::ok_with_seed(seed);
            }
            Self::from_expanded_bytes(bytes.try_into().map_err(|_| Error::Length)?)
        }
    };
}
pub(crate) use generation_methods;

macro_rules! parameter_set {
    ($module:ident, $set:ident, $title:literal, $k:literal, $u:expr, $v:expr) => {
        #[doc = concat!($title, " (FIPS 203, section 8).")]
        ///
        /// ```
        /// # #[cfg(feature = "getrandom")] {
        #[doc = concat!("use kemstone::", stringify!($module), "::{Ciphertext, DecapsulationKey, EncapsulationKey};")]
        ///
        /// # fn main() -> Result<(), kemstone::Error> {
        /// // The receiver makes a key pair and sends the public half.
        /// let decapsulation_key = DecapsulationKey::generate()?;
        /// let sent = decapsulation_key.encapsulation_key().to_bytes();
        ///
        /// // The sender checks it by parsing it, and answers with a ciphertext.
        /// let encapsulation_key = EncapsulationKey::try_from(&sent[..])?;
        /// let (ciphertext, senders) = encapsulation_key.encapsulate()?;
        ///
        /// // Now both share a secret.
        /// let received = Ciphertext::try_from(ciphertext.as_ref())?;
        /// let receivers = decapsulation_key.decapsulate(&received);
        /// assert_eq!(senders, receivers);
        /// # Ok(())
        /// # }
        /// # main().unwrap();
        /// # }
        /// ```
        pub mod $module {
            #[cfg(feature = "alloc")]
            use alloc::boxed::Box;
            #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
            use alloc::sync::Arc;
            use core::fmt;

            use rand_core::{CryptoRng, TryCryptoRng};
            use zeroize::{ZeroizeOnDrop, optimization_barrier};

            use crate::backend::select::{Held, PerBackend, Selected, empty, with_backend, with_held};
            use crate::frontend::ct::{Secret, Wipe};
            use crate::frontend::keys::{SEED_SIZE, SHARED_SECRET_SIZE, Seed, SharedSecret, d_z};
            use crate::frontend::{Error, kem, params};

            const K: usize = $k;
            const U: usize = $u;
            const V: usize = $v;
            type Set = params::$set;

            /// Bytes of an encoded [`EncapsulationKey`].
            pub const ENCAPSULATION_KEY_SIZE: usize = params::ek_size(K);
            /// Bytes of an expanded [`DecapsulationKey`]. (Its [`Seed`] has 64.)
            pub const DECAPSULATION_KEY_SIZE: usize = params::dk_size(K);
            /// Bytes of a [`Ciphertext`].
            pub const CIPHERTEXT_SIZE: usize = params::ct_size(K, U, V);

            // What is returned is written to its place in the caller's `Result` if each step is a function of its own, and none but
            // the innermost has anything to drop. Otherwise it is moved there, and the secret stays behind.

            #[inline(never)]
            fn ok_pair<E>(
                c: &[u8; CIPHERTEXT_SIZE],
                k: &[u8; SHARED_SECRET_SIZE],
            ) -> Result<(Ciphertext, SharedSecret), E> {
                Ok(pair(c, k))
            }

            #[inline(never)]
            fn pair(c: &[u8; CIPHERTEXT_SIZE], k: &[u8; SHARED_SECRET_SIZE]) -> (Ciphertext, SharedSecret) {
                (Ciphertext(*c), SharedSecret::copy_of(k))
            }

            /// The public key: whoever has it can send its owner a secret.
            ///
            /// A value of this type has passed the modulus check of FIPS 203, section 7.2.
            ///
            /// ```
            /// # fn main() -> Result<(), kemstone::Error> {
            #[doc = concat!("use kemstone::", stringify!($module), "::{DecapsulationKey, EncapsulationKey};")]
            /// use kemstone::{Error, Seed};
            ///
            /// let key = DecapsulationKey::from_seed(&Seed::from([1; 64])).encapsulation_key();
            /// let bytes = key.to_bytes();
            /// assert_eq!(EncapsulationKey::from_bytes(&bytes)?, key);
            ///
            /// let mut unreduced = bytes;
            /// (unreduced[0], unreduced[1]) = (0xff, 0xff); // 4095 is not below q = 3329
            /// assert_eq!(EncapsulationKey::from_bytes(&unreduced), Err(Error::EncapsulationKey));
            /// assert_eq!(EncapsulationKey::try_from(&bytes[1..]), Err(Error::Length));
            /// # Ok(())
            /// # }
            /// ```
            #[derive(Clone, PartialEq, Eq, Hash)]
            pub struct EncapsulationKey([u8; ENCAPSULATION_KEY_SIZE]);

            impl EncapsulationKey {
                /// Decodes and checks a key (FIPS 203, section 7.2).
                ///
                /// # Errors
                ///
                /// [`Error::EncapsulationKey`] if one of its numbers is not below q.
                #[inline] // so that the key is copied once
                pub fn from_bytes(bytes: &[u8; ENCAPSULATION_KEY_SIZE]) -> Result<Self, Error> {
                    if Self::is_valid(bytes) { Ok(Self(*bytes)) } else { Err(Error::EncapsulationKey) }
                }

                fn is_valid(bytes: &[u8; ENCAPSULATION_KEY_SIZE]) -> bool {
                    with_backend!(Selected::best(), backend => kem::ek_is_valid::<_, K>(backend, bytes))
                }

                /// The encoded key.
                #[must_use]
                pub const fn as_bytes(&self) -> &[u8; ENCAPSULATION_KEY_SIZE] {
                    &self.0
                }

                /// A copy of the encoded key.
                #[must_use]
                pub const fn to_bytes(&self) -> [u8; ENCAPSULATION_KEY_SIZE] {
                    self.0
                }

                crate::frontend::api::encapsulation_methods!($module);

                /// As [`encapsulate_encoded_with`](Self::encapsulate_encoded_with), with the operating system's randomness.
                ///
                /// # Errors
                ///
                /// [`Error::EncapsulationKey`] if one of the key's numbers is not below q, [`Error::Randomness`] if the operating
                /// system has none.
                #[cfg(feature = "getrandom")]
                pub fn encapsulate_encoded(
                    encoded: &[u8; ENCAPSULATION_KEY_SIZE],
                ) -> Result<(Ciphertext, SharedSecret), Error> {
                    Self::encapsulate_encoded_with(encoded, |m| getrandom::fill(m).map_err(|_| Error::Randomness))
                }

                /// As [`from_bytes`](Self::from_bytes) and then [`encapsulate_with`](Self::encapsulate_with), in one pass over the
                /// key: the fastest way to use a key that is received, used once and forgotten. What `encapsulate_with` says of
                /// the bytes that `fill` writes holds here, too.
                ///
                /// # Errors
                ///
                /// The error of `fill`, which is called first, whatever the key is; otherwise [`Error::EncapsulationKey`] if one
                /// of the key's numbers is not below q. Both are of one type: [`Error`] itself, which
                /// `map_err(|_| Error::Randomness)` makes of any other, or one of the caller's own that implements
                /// `From<Error>`.
                ///
                /// ```
                /// # fn main() -> Result<(), kemstone::Error> {
                #[doc = concat!("use kemstone::{Error, Seed, ", stringify!($module), "::{DecapsulationKey, EncapsulationKey}};")]
                ///
                /// let key = DecapsulationKey::from_seed(&Seed::from([1; 64]));
                /// let received = key.encapsulation_key().to_bytes();
                /// let fill = |m: &mut [u8; 32]| {
                ///     *m = [2; 32]; // take them from a random generator
                ///     Ok::<(), Error>(())
                /// };
                /// let (ciphertext, secret) = EncapsulationKey::encapsulate_encoded_with(&received, fill)?;
                /// assert_eq!(key.decapsulate(&ciphertext), secret);
                ///
                /// let mut unreduced = received;
                /// unreduced[..2].fill(0xff); // 4095 is not below q = 3329
                /// let refused = EncapsulationKey::encapsulate_encoded_with(&unreduced, fill);
                /// assert_eq!(refused, Err(Error::EncapsulationKey));
                /// # Ok(())
                /// # }
                /// ```
                pub fn encapsulate_encoded_with<E: From<Error>>(
                    encoded: &[u8; ENCAPSULATION_KEY_SIZE],
                    fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
                ) -> Result<(Ciphertext, SharedSecret), E> {
                    let mut c = [0; CIPHERTEXT_SIZE];
                    let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
                    Self::encapsulate_encoded_into(encoded, fill, &mut c, &mut k)?;
                    ok_pair(&c, &k)
                }

                /// As [`encapsulate_encoded_with`](Self::encapsulate_encoded_with), with 32 bytes drawn from `rng` in one call.
                /// `rng` is a generator of `rand_core` 0.10; any other serves by the closure of the method named.
                ///
                /// # Errors
                ///
                /// [`Error::EncapsulationKey`] if one of the key's numbers is not below q.
                pub fn encapsulate_encoded_with_rng<R: CryptoRng + ?Sized>(
                    encoded: &[u8; ENCAPSULATION_KEY_SIZE],
                    rng: &mut R,
                ) -> Result<(Ciphertext, SharedSecret), Error> {
                    Self::encapsulate_encoded_with(encoded, |m| {
                        rng.fill_bytes(m);
                        Ok(())
                    })
                }

                /// As [`encapsulate_encoded_with`](Self::encapsulate_encoded_with), into the caller's memory, which the caller wipes
                /// when the secret has served.
                ///
                /// # Errors
                ///
                /// The same; neither output is touched then.
                pub fn encapsulate_encoded_into<E: From<Error>>(
                    encoded: &[u8; ENCAPSULATION_KEY_SIZE],
                    fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
                    ciphertext: &mut [u8; CIPHERTEXT_SIZE],
                    shared_secret: &mut [u8; SHARED_SECRET_SIZE],
                ) -> Result<(), E> {
                    let mut m = Secret::new([0; 32]);
                    fill(&mut m)?;
                    with_backend!(Selected::best(), backend => {
                        kem::encaps_checked::<_, Set, K, U, V>(backend, encoded, &m, ciphertext, shared_secret)
                    })
                    .then_some(())
                    .ok_or_else(|| Error::EncapsulationKey.into())
                }

                fn write(&self, m: &[u8; 32], c: &mut [u8; CIPHERTEXT_SIZE], k: &mut [u8; SHARED_SECRET_SIZE]) {
                    with_backend!(Selected::best(), backend => {
                        kem::encaps_internal::<_, Set, K, U, V>(backend, &self.0, m, c, k);
                    });
                }
            }

            impl AsRef<[u8]> for EncapsulationKey {
                fn as_ref(&self) -> &[u8] {
                    &self.0
                }
            }

            impl TryFrom<&[u8]> for EncapsulationKey {
                type Error = Error;

                /// As [`EncapsulationKey::from_bytes`], and [`Error::Length`] if the length differs.
                #[inline]
                fn try_from(bytes: &[u8]) -> Result<Self, Error> {
                    Self::from_bytes(bytes.try_into().map_err(|_| Error::Length)?)
                }
            }

            impl fmt::Debug for EncapsulationKey {
                /// The last four bytes of rho tell keys apart.
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("EncapsulationKey(..")?;
                    self.0[ENCAPSULATION_KEY_SIZE - 4..].iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                    f.write_str(")")
                }
            }

            /// The private key: turns the ciphertexts encapsulated to its public half into their secrets.
            ///
            /// Make one, or read one from its [`Seed`]; keep the seed if it has to be stored. The expanded form of FIPS 203 is
            /// understood as well, and `TryFrom<&[u8]>` takes either. A key in memory is always expanded and has passed the
            /// checks of section 7.3. Wiped on drop; `Debug` shows nothing of it; there is no `Clone`, so that copies of a
            /// secret are made knowingly (share it by reference or in an `Arc`).
            ///
            /// The library leaves no copy where it built a key. But whoever moves a key leaves one: Rust copies a value that is moved, and
            /// `?` moves it out of its `Result`. Where that matters, keep the key on the heap from the beginning
            /// (`boxed_generate_with`, `boxed_from_seed`, `boxed_from_expanded_bytes`), or let [`expand_into`](Self::expand_into)
            /// write into memory of your own.
            ///
            /// ```
            /// # fn main() -> Result<(), kemstone::Error> {
            #[doc = concat!("use kemstone::{Error, Seed, ", stringify!($module), "::DecapsulationKey};")]
            ///
            /// let key = DecapsulationKey::from_seed(&Seed::from([1; 64]));
            /// let again = DecapsulationKey::from_expanded_bytes(key.as_expanded_bytes())?;
            /// assert_eq!(again.encapsulation_key(), key.encapsulation_key());
            /// assert!(key.to_seed().is_some() && again.to_seed().is_none());
            ///
            /// let mut damaged = *key.as_expanded_bytes();
            #[doc = concat!("damaged[384 * ", stringify!($k), "] ^= 1; // the public half no longer has the hash stored beside it")]
            /// assert_eq!(DecapsulationKey::from_expanded_bytes(&damaged).err(), Some(Error::DecapsulationKey));
            /// # Ok(())
            /// # }
            /// ```
            pub struct DecapsulationKey {
                /// dk_PKE || ek || H(ek) || z.
                expanded: [u8; DECAPSULATION_KEY_SIZE],
                /// The other half of the seed, meaningful only if `has_seed`.
                d: [u8; 32],
                has_seed: bool,
            }

            impl DecapsulationKey {
                /// All zero: room for a key that is about to be written.
                #[inline(always)]
                const fn empty() -> Self {
                    Self { expanded: [0; DECAPSULATION_KEY_SIZE], d: [0; 32], has_seed: false }
                }

                /// The same on the heap.
                #[cfg(feature = "alloc")]
                #[inline(never)] // frames that are not needed at the same time share the stack
                fn empty_box() -> Box<Self> {
                    Box::new(Self::empty())
                }

                /// The key that belongs to the seed d || z, in place of an empty one.
                fn set_seed(&mut self, seed: &[u8; SEED_SIZE]) {
                    let (d, z) = d_z(seed);
                    with_backend!(Selected::best(), backend => {
                        kem::key_gen_internal::<_, Set, K, U, V>(backend, d, z, &mut self.expanded);
                    });
                    self.d = *d;
                    self.has_seed = true;
                }

                /// Whether an expanded key passes the checks.
                fn is_valid(bytes: &[u8; DECAPSULATION_KEY_SIZE]) -> bool {
                    with_backend!(Selected::best(), backend => kem::dk_is_valid::<_, K>(backend, bytes))
                }

                /// The key of this expanded form, which has passed the checks, in place of an empty one.
                fn set_expanded(&mut self, bytes: &[u8; DECAPSULATION_KEY_SIZE]) {
                    self.expanded = *bytes;
                }

                /// A copy of another key, in place of an empty one.
                fn set_copy(&mut self, key: &Self) {
                    self.expanded = key.expanded;
                    self.d = key.d;
                    self.has_seed = key.has_seed;
                }

                /// A copy that is made knowingly.
                #[inline(always)]
                const fn copy(&self) -> Self {
                    Self { expanded: self.expanded, d: self.d, has_seed: self.has_seed }
                }

                crate::frontend::api::generation_methods!();

                #[inline(never)] // as with `ok_pair`
                fn with_seed(seed: &[u8; SEED_SIZE]) -> Self {
                    let mut key = Self::empty();
                    key.set_seed(seed);
                    key.copy()
                }

                /// Writes the expanded form of the key that belongs to `seed` into the caller's memory, which the caller
                /// wipes when the key has served. The encapsulation key stands
                #[doc = concat!("at bytes `384 * ", stringify!($k), "..768 * ", stringify!($k), " + 32`.")]
                pub fn expand_into(seed: &Seed, expanded: &mut [u8; DECAPSULATION_KEY_SIZE]) {
                    let (d, z) = d_z(seed.as_bytes());
                    with_backend!(Selected::best(), backend => {
                        kem::key_gen_internal::<_, Set, K, U, V>(backend, d, z, expanded);
                    });
                }

                /// Decodes and checks an expanded key.
                ///
                /// The checks are those of FIPS 203, section 7.3 (the stored hash is that of the encapsulation key) and 7.2
                /// (the encapsulation key's numbers are below q), and beyond the standard that the numbers of s are below q.
                /// A key whose s is wrong in another way can only be found by
                /// [`check_pairwise_consistency`](Self::check_pairwise_consistency).
                ///
                /// # Errors
                ///
                /// [`Error::DecapsulationKey`] if a check fails.
                pub fn from_expanded_bytes(bytes: &[u8; DECAPSULATION_KEY_SIZE]) -> Result<Self, Error> {
                    if !Self::is_valid(bytes) {
                        return Err(Error::DecapsulationKey);
                    }
                    Ok(Self { expanded: *bytes, d: [0; 32], has_seed: false })
                }

                /// As [`from_expanded_bytes`](Self::from_expanded_bytes), on the heap, where the key stays: nothing of it is left
                /// on the stack.
                ///
                /// # Errors
                ///
                /// [`Error::DecapsulationKey`] if a check fails.
                #[cfg(feature = "alloc")]
                pub fn boxed_from_expanded_bytes(bytes: &[u8; DECAPSULATION_KEY_SIZE]) -> Result<Box<Self>, Error> {
                    if !Self::is_valid(bytes) {
                        return Err(Error::DecapsulationKey);
                    }
                    let mut key = Self::empty_box();
                    key.set_expanded(bytes);
                    Ok(key)
                }

                /// The expanded form dk_PKE || ek || H(ek) || z, where it lies.
                #[must_use]
                pub const fn as_expanded_bytes(&self) -> &[u8; DECAPSULATION_KEY_SIZE] {
                    &self.expanded
                }

                /// A copy of the expanded form, wiped on drop.
                #[must_use]
                pub const fn to_expanded_bytes(&self) -> ExpandedDecapsulationKey {
                    ExpandedDecapsulationKey::copy_of(&self.expanded)
                }

                /// The seed d || z, unless the key came from its expanded form, which does not hold d.
                #[must_use]
                pub fn to_seed(&self) -> Option<Seed> {
                    let mut seed = Secret::new([0; SEED_SIZE]);
                    self.to_seed_into(&mut seed).ok()?;
                    Some(Seed::copy_of(&seed))
                }

                /// As [`to_seed`](Self::to_seed), into the caller's memory, which the caller wipes when the seed has served.
                ///
                /// # Errors
                ///
                /// [`Error::NoSeed`] if the key came from its expanded form; `seed` is not touched then.
                pub fn to_seed_into(&self, seed: &mut [u8; SEED_SIZE]) -> Result<(), Error> {
                    if !self.has_seed {
                        return Err(Error::NoSeed);
                    }
                    let (d, z) = seed.split_at_mut(32);
                    d.copy_from_slice(&self.d);
                    z.copy_from_slice(kem::z_of_dk::<K>(&self.expanded));
                    Ok(())
                }

                /// The public half.
                #[must_use]
                pub fn encapsulation_key(&self) -> EncapsulationKey {
                    let mut key = EncapsulationKey([0; ENCAPSULATION_KEY_SIZE]);
                    key.0.copy_from_slice(kem::ek_of_dk::<K>(&self.expanded));
                    key
                }

                /// FIPS 203, Algorithm 21 (ML-KEM.Decaps).
                ///
                /// A ciphertext that was not made for this key gives a secret that nobody else can know, in the same time: there is no
                /// error to see (implicit rejection).
                #[must_use]
                pub fn decapsulate(&self, ciphertext: &Ciphertext) -> SharedSecret {
                    let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
                    self.decapsulate_into(ciphertext, &mut k);
                    SharedSecret::copy_of(&k)
                }

                /// As [`decapsulate`](Self::decapsulate), into the caller's memory, which the caller wipes
                /// when the secret has served.
                pub fn decapsulate_into(&self, ciphertext: &Ciphertext, shared_secret: &mut [u8; SHARED_SECRET_SIZE]) {
                    with_backend!(Selected::best(), backend => {
                        kem::decaps_internal::<_, Set, K, U, V, CIPHERTEXT_SIZE>(
                            backend,
                            &self.expanded,
                            &ciphertext.0,
                            shared_secret,
                        );
                    });
                }

                /// As [`from_expanded_bytes`](Self::from_expanded_bytes) and then [`decapsulate`](Self::decapsulate), in one pass over
                /// the key: the fastest way to use a key that is stored in its expanded form and used once.
                ///
                /// # Errors
                ///
                /// [`Error::DecapsulationKey`] if a check of the key fails.
                ///
                /// ```
                /// # fn main() -> Result<(), kemstone::Error> {
                #[doc = concat!("use kemstone::{Error, Seed, ", stringify!($module), "::{CIPHERTEXT_SIZE, Ciphertext, DecapsulationKey}};")]
                ///
                /// let key = DecapsulationKey::from_seed(&Seed::from([1; 64]));
                /// let ciphertext = Ciphertext::from([2; CIPHERTEXT_SIZE]);
                /// let secret = DecapsulationKey::decapsulate_expanded(key.as_expanded_bytes(), &ciphertext)?;
                /// assert_eq!(secret, key.decapsulate(&ciphertext));
                /// # Ok(())
                /// # }
                /// ```
                pub fn decapsulate_expanded(
                    expanded: &[u8; DECAPSULATION_KEY_SIZE],
                    ciphertext: &Ciphertext,
                ) -> Result<SharedSecret, Error> {
                    let mut k = Secret::new([0; SHARED_SECRET_SIZE]);
                    Self::decapsulate_expanded_into(expanded, ciphertext, &mut k)?;
                    Ok(SharedSecret::copy_of(&k))
                }

                /// As [`decapsulate_expanded`](Self::decapsulate_expanded), into the caller's memory, which the caller wipes when
                /// the secret has served.
                ///
                /// # Errors
                ///
                /// [`Error::DecapsulationKey`] if a check of the key fails; `shared_secret` is then zero.
                pub fn decapsulate_expanded_into(
                    expanded: &[u8; DECAPSULATION_KEY_SIZE],
                    ciphertext: &Ciphertext,
                    shared_secret: &mut [u8; SHARED_SECRET_SIZE],
                ) -> Result<(), Error> {
                    with_backend!(Selected::best(), backend => {
                        kem::decaps_checked::<_, Set, K, U, V, CIPHERTEXT_SIZE>(
                            backend,
                            expanded,
                            &ciphertext.0,
                            shared_secret,
                        )
                    })
                    .then_some(())
                    .ok_or(Error::DecapsulationKey)
                }

                /// Encapsulates to the key with a fixed `m`, decapsulates and compares; both secrets are discarded. FIPS 140-3
                /// asks for this after key generation, FIPS 203, section 7.1, recommends it for imported keys; it
                /// is not done unasked.
                ///
                /// # Errors
                ///
                /// [`Error::DecapsulationKey`] if the secrets differ.
                pub fn check_pairwise_consistency(&self) -> Result<(), Error> {
                    let (ciphertext, expected) = self.encapsulation_key().encapsulate_with_m(&[0x5a; 32]);
                    if self.decapsulate(&ciphertext) == expected { Ok(()) } else { Err(Error::DecapsulationKey) }
                }
            }

            impl TryFrom<&[u8]> for DecapsulationKey {
                type Error = Error;

                /// A key from its seed (64 bytes) or its expanded form, told apart by their length; otherwise
                /// [`Error::Length`]. Expanded forms are checked as [`DecapsulationKey::from_expanded_bytes`] does.
                fn try_from(bytes: &[u8]) -> Result<Self, Error> {
                    Self::from_either(bytes)
                }
            }

            impl fmt::Debug for DecapsulationKey {
                /// The public half's `Debug`, and nothing of the secret.
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct("DecapsulationKey").field("public", &self.encapsulation_key()).finish_non_exhaustive()
                }
            }

            impl Drop for DecapsulationKey {
                fn drop(&mut self) {
                    self.has_seed = false;
                    self.expanded.wipe();
                    self.d.wipe();
                    optimization_barrier(self);
                }
            }

            impl ZeroizeOnDrop for DecapsulationKey {}

            crate::frontend::keys::secret_bytes! {
                /// The expanded form dk_PKE || ek || H(ek) || z of a [`DecapsulationKey`] (FIPS 203, Algorithm 16): bytes, of
                /// which nothing has been checked.
                ///
                /// Wiped on drop; `Debug` shows nothing of it; `==` takes constant time; there is no `Clone`.
                ///
                /// ```
                #[doc = concat!("use kemstone::{Seed, ", stringify!($module), "::{DecapsulationKey, ExpandedDecapsulationKey}};")]
                ///
                /// # fn main() -> Result<(), kemstone::Error> {
                /// let key = DecapsulationKey::from_seed(&Seed::from([1; 64]));
                /// let expanded: ExpandedDecapsulationKey = key.to_expanded_bytes();
                /// let again = DecapsulationKey::from_expanded_bytes(expanded.as_bytes())?;
                /// assert_eq!(again.to_expanded_bytes(), expanded);
                /// assert_eq!(format!("{expanded:?}"), "ExpandedDecapsulationKey(..)");
                /// # Ok(())
                /// # }
                /// ```
                ExpandedDecapsulationKey, DECAPSULATION_KEY_SIZE
            }

            crate::frontend::prepared::prepared_keys!($module);

            /// What the sender of a secret transmits. Any bytes of the right length are a ciphertext
            /// (FIPS 203, section 7.3).
            ///
            /// ```
            #[doc = concat!("use kemstone::{Error, ", stringify!($module), "::{CIPHERTEXT_SIZE, Ciphertext}};")]
            ///
            /// let ciphertext = Ciphertext::from([0; CIPHERTEXT_SIZE]);
            /// assert_eq!(Ciphertext::try_from(ciphertext.as_ref()), Ok(ciphertext));
            /// assert_eq!(Ciphertext::try_from(&[0; 31][..]), Err(Error::Length));
            /// ```
            #[derive(Clone, PartialEq, Eq, Hash)]
            pub struct Ciphertext([u8; CIPHERTEXT_SIZE]);

            impl Ciphertext {
                /// The bytes.
                #[must_use]
                pub const fn as_bytes(&self) -> &[u8; CIPHERTEXT_SIZE] {
                    &self.0
                }

                /// A copy of the bytes.
                #[must_use]
                pub const fn to_bytes(&self) -> [u8; CIPHERTEXT_SIZE] {
                    self.0
                }

                /// A forgery, for the self test.
                pub(crate) fn flip_last_bit(&mut self) {
                    self.0[CIPHERTEXT_SIZE - 1] ^= 0x80;
                }
            }

            impl AsRef<[u8]> for Ciphertext {
                fn as_ref(&self) -> &[u8] {
                    &self.0
                }
            }

            impl From<[u8; CIPHERTEXT_SIZE]> for Ciphertext {
                fn from(bytes: [u8; CIPHERTEXT_SIZE]) -> Self {
                    Self(bytes)
                }
            }

            impl TryFrom<&[u8]> for Ciphertext {
                type Error = Error;

                /// [`Error::Length`] if the length differs.
                fn try_from(bytes: &[u8]) -> Result<Self, Error> {
                    bytes.try_into().map(Self).map_err(|_| Error::Length)
                }
            }

            impl fmt::Debug for Ciphertext {
                /// The last four bytes tell ciphertexts apart.
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("Ciphertext(..")?;
                    self.0[CIPHERTEXT_SIZE - 4..].iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                    f.write_str(")")
                }
            }
        }
    };
}

parameter_set!(ml_kem_512, MlKem512, "ML-KEM-512, security category 1", 2, 320, 128);
parameter_set!(ml_kem_768, MlKem768, "ML-KEM-768, security category 3, the usual choice", 3, 320, 128);
parameter_set!(ml_kem_1024, MlKem1024, "ML-KEM-1024, security category 5", 4, 352, 160);
