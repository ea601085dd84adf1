//! The operations of the public API, with three choices of secrets each and the same public data.

use core::convert::Infallible;
use core::hint::black_box;

use kemstone::backend::portable::Portable;
use kemstone::backend::select::{Selected, on};
use kemstone::constant_time::{hybrid_secrets, secrets};
use kemstone::hybrid::{self, HybridKem, MlKem768P256, MlKem1024P384, XWing};
use kemstone::on_backend::{key_gen, key_gen_many};
use kemstone::sponge::alone;
use kemstone::sponge::fips202::Function;
use kemstone::sponge::jobs::Job;
use kemstone::{Bytes, Error, MlKem512, MlKem768, MlKem1024, ParameterSet, Seed, SharedSecret};

use crate::wrapped::{Added, Wrapped};
use crate::{CHOICES, Tool};

/// Bytes that depend on `n` only.
fn bytes<const L: usize>(n: u64) -> [u8; L] {
    let mut x = n;
    core::array::from_fn(|_| {
        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (x >> 56) as u8
    })
}

/// G(d || k).
fn g(seed: &[u8; 64], k: u8) -> [u8; 64] {
    let (mut out, mut d) = ([0; 64], [0; 32]);
    d.copy_from_slice(&seed[..32]);
    alone::run(Portable, Job::new(Function::Sha3_512, &d, &[k], &mut out));
    out
}

/// So many that every backend with several slots runs them side by side.
const SIDE_BY_SIDE: usize = 4;

/// Operations of each parameter set.
pub const PER_SET: u64 = 13;

/// Operations side by side, of each parameter set or, where every step is recorded, of ML-KEM-512 on backends that
/// [have slots](has_slots): they take four times the time.
pub const GROUPS: u64 = 2;

/// Key generations side by side, of each parameter set where secrets are marked.
pub const KEY_GENERATIONS: u64 = 1;

/// Does it permute several states at once? The others do one operation after the other.
pub fn has_slots(backend: Selected) -> bool {
    !matches!(backend.name(), "portable" | "zbb")
}

macro_rules! parameter_set {
    ($set:ident, $Set:ident, $k:literal) => {
        /// Every operation of this parameter set. `A` declassifies what the XOF makes of rho.
        pub fn $set<T: Tool, A: Added>(tool: &mut T) {
            use kemstone::$set::*;

            const S: core::ops::Range<usize> = 0..384 * $k;
            const Z: core::ops::Range<usize> = DECAPSULATION_KEY_SIZE - 32..DECAPSULATION_KEY_SIZE;

            // 0: the key and a ciphertext for it. 1: the ciphertext is damaged. 2: s and z are another key's.
            let seeds: [[u8; 64]; CHOICES] = [bytes(1), bytes(2), bytes(3)];
            let ms: [[u8; 32]; CHOICES] = [bytes(4), bytes(5), bytes(6)];
            let key = DecapsulationKey::from_seed(&Seed::from(seeds[0]));
            let ek = key.encapsulation_key();
            let dk0 = *key.to_expanded_bytes().as_bytes();
            let mut dk2 = *DecapsulationKey::from_seed(&Seed::from(seeds[1])).to_expanded_bytes().as_bytes();
            dk2[S.end..Z.start].copy_from_slice(&dk0[S.end..Z.start]);
            let dks = [dk0, dk0, dk2];
            let (c0, expected) = ek
                .encapsulate_with(|m| {
                    *m = ms[0];
                    Ok::<_, Infallible>(())
                })
                .unwrap();
            let mut c1 = c0.to_bytes();
            c1[17] ^= 4;
            let cs = [c0.to_bytes(), c1, c0.to_bytes()];
            let accepted = |choice, k: &[u8; 32]| assert_eq!(k == expected.as_bytes(), choice == 0);
            // Keys that are refused: a number of s is 4095, here or there; the hash is another one.
            let mut refused = [dk0; CHOICES];
            refused[0][0..2].fill(0xff);
            refused[1][S.end - 2..S.end].fill(0xff);
            refused[2] = dk2;
            refused[2][S.start + 600..S.start + 602].fill(0xff);
            let mut other_hash = [dk0, dk0, dk2];
            for (dk, at) in other_hash.iter_mut().zip([0, 31, 7]) {
                dk[Z.start - 32 + at] ^= 1;
            }

            for backend in tool.backends() {
                on(backend, || {
                    let name = |what: &str| format!("{} {} {what}", stringify!($set), backend.name());

                    tool.operation(&name("key generation"), 0, &mut |tool: &mut T, choice| {
                        let mut dk = [0; DECAPSULATION_KEY_SIZE];
                        tool.rho_sigma(g(&seeds[choice], $k));
                        let seed = Seed::from(seeds[choice]);
                        tool.secret(seed.as_bytes());
                        let (d, z) = seed.as_bytes().split_first_chunk().expect("64 bytes");
                        let z = z.try_into().expect("32 bytes");
                        tool.examine(&mut || {
                            if !T::MARKS {
                                return DecapsulationKey::expand_into(&seed, &mut dk);
                            }
                            match backend {
                                Selected::Portable(portable) => {
                                    let backend = Wrapped::<_, A>::new(portable);
                                    key_gen::<$Set, _>(backend, d, z, &mut dk).expect("room");
                                }
                                Selected::Small(small) => {
                                    let backend = Wrapped::<_, A>::new(small);
                                    key_gen::<$Set, _>(backend, d, z, &mut dk).expect("room");
                                }
                                #[cfg(target_arch = "x86_64")]
                                Selected::Avx2(avx2) => {
                                    let backend = Wrapped::<_, A>::new(avx2);
                                    key_gen::<$Set, _>(backend, d, z, &mut dk).expect("room");
                                }
                                _ => panic!("{} is not wrapped", backend.name()),
                            }
                        });
                        tool.derived(&dk);
                        if T::MARKS {
                            let plain = Seed::from(seeds[choice]);
                            assert!(
                                dk == *DecapsulationKey::from_seed(&plain).to_expanded_bytes().as_bytes()
                            );
                        }
                        tool.expanded(&dk[S.end..Z.start - 32]);
                    });

                    tool.operation(&name("encapsulation"), 0, &mut |tool: &mut T, choice| {
                        let (mut c, mut k) = ([0; CIPHERTEXT_SIZE], [0; 32]);
                        let m = ms[choice];
                        tool.secret(&m);
                        tool.examine(&mut || {
                            let fill = |to: &mut [u8; 32]| {
                                *to = m;
                                Ok::<_, Infallible>(())
                            };
                            _ = ek.encapsulate_into(fill, &mut c, &mut k);
                        });
                        tool.derived(&c);
                        tool.derived(&k);
                    });

                    tool.operation(&name("encapsulation, begun"), 0, &mut |tool: &mut T, choice| {
                        let (header, m) = (ek.header(), ms[choice]);
                        tool.secret(&m);
                        let fill = |to: &mut [u8; 32]| {
                            *to = m;
                            Ok::<_, Infallible>(())
                        };
                        let mut begun = None;
                        tool.examine(&mut || begun = header.encapsulate_with(fill).ok());
                        let (first, state, k) = begun.unwrap();
                        tool.derived(first.as_bytes());
                        tool.derived(&state.to_bytes()[66..]);
                        tool.derived(k.as_bytes());
                    });

                    tool.operation(&name("encapsulation, finished"), 0, &mut |tool: &mut T, choice| {
                        let m = ms[choice];
                        tool.secret(&m);
                        let fill = |to: &mut [u8; 32]| {
                            *to = m;
                            Ok::<_, Infallible>(())
                        };
                        let (_, state, _) = ek.header().encapsulate_with(fill).unwrap();
                        let mut second = None;
                        tool.examine(&mut || second = state.finish(ek.vector()).ok());
                        tool.derived(second.unwrap().as_bytes());
                    });

                    let prepared = PreparedEncapsulationKey::new(ek);
                    tool.operation(&name("encapsulation, prepared"), 0, &mut |tool: &mut T, choice| {
                        let (mut c, mut k) = ([0; CIPHERTEXT_SIZE], [0; 32]);
                        let m = ms[choice];
                        tool.secret(&m);
                        tool.examine(&mut || {
                            let fill = |to: &mut [u8; 32]| {
                                *to = m;
                                Ok::<_, Infallible>(())
                            };
                            _ = prepared.encapsulate_into(fill, &mut c, &mut k);
                        });
                        tool.derived(&c);
                        tool.derived(&k);
                    });

                    if T::MARKS {
                        let name = name("key generations, side by side");
                        tool.operation(&name, 0, &mut |tool: &mut T, choice| {
                            let mut dks = [[0; DECAPSULATION_KEY_SIZE]; SIDE_BY_SIDE];
                            let keys: [_; SIDE_BY_SIDE] = core::array::from_fn(|_| Seed::from(seeds[choice]));
                            keys.iter().for_each(|seed| tool.secret(seed.as_bytes()));
                            tool.examine(&mut || match backend {
                                Selected::Portable(portable) => {
                                    let backend = Wrapped::<_, A>::new(portable);
                                    key_gen_many::<$Set, _>(backend, &keys, &mut dks).expect("room");
                                }
                                Selected::Small(small) => {
                                    let backend = Wrapped::<_, A>::new(small);
                                    key_gen_many::<$Set, _>(backend, &keys, &mut dks).expect("room");
                                }
                                #[cfg(target_arch = "x86_64")]
                                Selected::Avx2(avx2) => {
                                    let backend = Wrapped::<_, A>::new(avx2);
                                    key_gen_many::<$Set, _>(backend, &keys, &mut dks).expect("room");
                                }
                                _ => panic!("{} is not wrapped", backend.name()),
                            });
                            tool.derived(dks.as_flattened());
                            let plain = Seed::from(seeds[choice]);
                            let expected = DecapsulationKey::from_seed(&plain).to_expanded_bytes();
                            assert!(dks.iter().all(|dk| dk == expected.as_bytes()));
                        });
                    }

                    if T::MARKS || ($k == 2 && has_slots(backend)) {
                        tool.operation(
                            &name("encapsulations, side by side"),
                            0,
                            &mut |tool: &mut T, choice| {
                                let (mut c, mut k) =
                                    ([[0; CIPHERTEXT_SIZE]; SIDE_BY_SIDE], [[0; 32]; SIDE_BY_SIDE]);
                                let m = ms[choice];
                                tool.secret(&m);
                                tool.examine(&mut || {
                                    let fill = |to: &mut [[u8; 32]]| {
                                        to.fill(m);
                                        Ok::<_, Error>(())
                                    };
                                    let keys = [ek; SIDE_BY_SIDE];
                                    EncapsulationKey::encapsulate_many_into(&keys, fill, &mut c, &mut k)
                                        .unwrap();
                                });
                                tool.derived(c.as_flattened());
                                tool.derived(k.as_flattened());
                            },
                        );

                        tool.operation(
                            &name("decapsulations, side by side"),
                            0,
                            &mut |tool: &mut T, choice| {
                                let mut k = [[0; 32]; SIDE_BY_SIDE];
                                let key = DecapsulationKey::from_expanded_bytes(&dks[choice]).unwrap();
                                let c = Ciphertext::from(cs[choice]);
                                secrets(&key).into_iter().for_each(|secret| tool.secret(secret));
                                tool.examine(&mut || {
                                    let (keys, c) =
                                        ([&key; SIDE_BY_SIDE], [CiphertextRef::from(&c); SIDE_BY_SIDE]);
                                    DecapsulationKey::decapsulate_many_into(&keys, &c, &mut k).unwrap();
                                });
                                tool.derived(k.as_flattened());
                                k.iter().for_each(|k| accepted(choice, k));
                            },
                        );
                    }

                    tool.operation(&name("decapsulation"), 0, &mut |tool: &mut T, choice| {
                        let mut k = [0; 32];
                        let key = DecapsulationKey::from_expanded_bytes(&dks[choice]).unwrap();
                        let c = Ciphertext::from(cs[choice]);
                        secrets(&key).into_iter().for_each(|secret| tool.secret(secret));
                        tool.examine(&mut || key.decapsulate_into(&c, &mut k));
                        tool.derived(&k);
                        accepted(choice, &k);
                    });

                    tool.operation(&name("decapsulation, expanded"), 1, &mut |tool: &mut T, choice| {
                        let (mut k, mut done) = ([0; 32], false);
                        let dk = dks[choice];
                        let c = Ciphertext::from(cs[choice]);
                        tool.secret(&dk[S]);
                        tool.secret(&dk[Z]);
                        tool.examine(&mut || {
                            done = DecapsulationKey::decapsulate_expanded_into(&dk, &c, &mut k).is_ok();
                        });
                        assert!(done);
                        tool.derived(&k);
                        accepted(choice, &k);
                    });

                    tool.operation(
                        &name("decapsulation, expanded, refused"),
                        1,
                        &mut |tool: &mut T, choice| {
                            let (mut k, mut done) = ([0; 32], false);
                            let dk = refused[choice];
                            let c = Ciphertext::from(cs[choice]);
                            tool.secret(&dk[S]);
                            tool.secret(&dk[Z]);
                            tool.examine(&mut || {
                                done = DecapsulationKey::decapsulate_expanded_into(&dk, &c, &mut k).is_ok();
                            });
                            assert!(!done && k == [0; 32]);
                        },
                    );

                    for (what, dks, passes) in [
                        ("check of an expanded key, passed", &dks, true),
                        ("check of an expanded key, refused by s", &refused, false),
                        ("check of an expanded key, refused by H(ek)", &other_hash, false),
                    ] {
                        tool.operation(&name(what), 1, &mut |tool: &mut T, choice| {
                            let dk = dks[choice];
                            tool.secret(&dk[S]);
                            tool.secret(&dk[Z]);
                            let mut passed = false;
                            tool.examine(&mut || {
                                if let Ok(key) = DecapsulationKey::from_expanded_bytes(&dk) {
                                    passed = true;
                                    black_box(&key);
                                }
                            });
                            assert_eq!(passed, passes);
                        });
                    }

                    tool.operation(&name("preparation"), 0, &mut |tool: &mut T, choice| {
                        let key = DecapsulationKey::from_expanded_bytes(&dks[choice]).unwrap();
                        secrets(&key).into_iter().for_each(|secret| tool.secret(secret));
                        tool.examine(&mut || _ = black_box(&PreparedDecapsulationKey::new(&key)));
                    });

                    // The secrets are marked before they are prepared, so that all that is kept of them is marked.
                    tool.operation(&name("decapsulation, prepared"), 0, &mut |tool: &mut T, choice| {
                        let mut k = [0; 32];
                        let key = DecapsulationKey::from_expanded_bytes(&dks[choice]).unwrap();
                        let c = Ciphertext::from(cs[choice]);
                        secrets(&key).into_iter().for_each(|secret| tool.secret(secret));
                        let prepared = PreparedDecapsulationKey::new(&key);
                        tool.examine(&mut || prepared.decapsulate_into(&c, &mut k));
                        tool.derived(&k);
                        accepted(choice, &k);
                    });
                });
            }
        }
    };
}

parameter_set!(ml_kem_512, MlKem512, 2);
parameter_set!(ml_kem_768, MlKem768, 3);
parameter_set!(ml_kem_1024, MlKem1024, 4);

/// What does not depend on the parameter set: `==`, whose answer is the only thing it tells.
pub fn comparisons<T: Tool>(tool: &mut T) {
    let ours: [u8; 32] = bytes(1);
    let mut theirs = [ours; CHOICES];
    theirs[1][0] ^= 1;
    theirs[2][31] ^= 0x80;
    tool.operation("comparison of shared secrets", 0, &mut |tool: &mut T, choice| {
        let (ours, theirs) = (SharedSecret::from(ours), SharedSecret::from(theirs[choice]));
        tool.secret(ours.as_bytes());
        tool.secret(theirs.as_bytes());
        let mut equal = [0];
        tool.examine(&mut || equal = black_box([u8::from(ours == theirs)]));
        tool.derived(&equal);
        // Read again: the tool has changed what it knows of this memory.
        assert_eq!(black_box(&mut equal)[0] == 1, choice == 0);
    });
}

/// Operations of each hybrid KEM.
pub const PER_HYBRID: u64 = 2;

/// A hybrid KEM. So many decisions are made in encapsulation and in decapsulation: whether the bytes of a scalar are one, which
/// is known when there is a key or a ciphertext; some builds ask it twice. `constant`: where the ciphertext has a byte that says
/// how a point is encoded, and which.
fn hybrid<T: Tool, H: HybridKem>(tool: &mut T, decisions: [u64; 2], constant: Option<(usize, u8)>) {
    let key = |n: u64| hybrid::DecapsulationKey::<H>::from_seed(&hybrid::Seed::from(bytes(n)));
    let ek = key(1).encapsulation_key().clone();
    let randomness = [4, 5, 6].map(|n| {
        let mut randomness = H::Randomness::ZERO;
        let bytes: [u8; 160] = bytes(n);
        randomness.as_mut().copy_from_slice(&bytes[..H::RANDOMNESS_SIZE]);
        randomness
    });
    let encapsulate = |randomness: &H::Randomness, c: &mut H::CiphertextBytes, k: &mut [u8; 32]| {
        _ = ek.encapsulate_into(
            |to| {
                *to = *randomness;
                Ok::<_, Infallible>(())
            },
            c,
            k,
        );
    };
    for backend in tool.backends() {
        on(backend, || {
            let name = |what: &str| format!("{} {} {what}", H::NAME, backend.name());
            tool.operation(&name("encapsulation"), decisions[0], &mut |tool: &mut T, choice| {
                let (mut c, mut k) = (H::CiphertextBytes::ZERO, [0; 32]);
                let randomness = randomness[choice];
                tool.secret(randomness.as_ref());
                tool.examine(&mut || encapsulate(&randomness, &mut c, &mut k));
                // The byte before the coordinates of a point.
                if let Some((at, byte)) = constant {
                    tool.constant(&c.as_ref()[at..=at]);
                    tool.derived(&c.as_ref()[..at]);
                    tool.derived(&c.as_ref()[at + 1..]);
                    assert_eq!(black_box(&mut c).as_ref()[at], byte);
                } else {
                    tool.derived(c.as_ref());
                }
                tool.derived(&k);
            });
            let (mut c, mut expected) = (H::CiphertextBytes::ZERO, [0; 32]);
            encapsulate(&randomness[0], &mut c, &mut expected);
            let c = hybrid::Ciphertext::<H>::from_bytes(&c).unwrap();
            tool.operation(&name("decapsulation"), decisions[1], &mut |tool: &mut T, choice| {
                let (key, mut k) = (key([1, 2, 3][choice]), [0; 32]);
                hybrid_secrets(&key).into_iter().for_each(|secret| tool.secret(secret));
                tool.examine(&mut || key.decapsulate_into(&c, &mut k));
                tool.derived(&k);
                assert_eq!(k == expected, choice == 0);
            });
        });
    }
}

/// Every operation.
pub fn all<T: Tool, A: Added>(tool: &mut T) {
    comparisons(tool);
    ml_kem_512::<T, A>(tool);
    ml_kem_768::<T, A>(tool);
    ml_kem_1024::<T, A>(tool);
    const UNCOMPRESSED: u8 = 4;
    hybrid::<T, XWing>(tool, [0, 0], None);
    hybrid::<T, MlKem768P256>(tool, [11, 3], Some((MlKem768::CIPHERTEXT_SIZE, UNCOMPRESSED)));
    hybrid::<T, MlKem1024P384>(tool, [11, 3], Some((MlKem1024::CIPHERTEXT_SIZE, UNCOMPRESSED)));
}
