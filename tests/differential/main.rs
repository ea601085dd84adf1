//! Every answer equal to that of an independent implementation, the crate `ml-kem`.

mod oracle;
mod self_test;
#[path = "../support/mod.rs"]
mod support;

use kemstone::backend::select::Selected;
use kemstone::{Ciphertext, DecapsulationKey, EncapsulationKey, SharedSecret};
use oracle::Oracle;
use support::{Random, Set, each, j, repair_hash, scaled, set_coefficient};

fn ours<S: Set>(dk: &DecapsulationKey<S>, c: &[u8]) -> SharedSecret {
    dk.decapsulate(&Ciphertext::<S>::try_from(c).expect("the right length"))
}

/// Compares everything that can be done with an expanded key.
fn compare<S: Set + Oracle>(expanded: &[u8], m: &[u8; 32], forgeries: &[Vec<u8>]) {
    let dk = S::dk(expanded).expect("a good key");
    let ek = S::ek(&dk);
    let (ciphertext, secret) = ek.encapsulate_deterministic(m);
    let (c, k) = S::their_encapsulation(ek.as_ref(), m).expect("a good key");
    assert_eq!(ciphertext.as_bytes().as_ref(), c, "{}", S::NAME);
    assert_eq!(*secret.as_bytes(), k, "{}", S::NAME);
    let theirs = S::their_secret(expanded, &c).expect("a good key");
    assert_eq!(*ours::<S>(&dk, &c).as_bytes(), theirs, "{}", S::NAME);
    for forged in forgeries {
        let secret = ours::<S>(&dk, forged);
        assert_eq!(Some(*secret.as_bytes()), S::their_secret(expanded, forged), "{}", S::NAME);
    }
}

#[test]
fn random_keys_and_ciphertexts() {
    fn check<S: Set + Oracle>(_: Selected) {
        let mut random = Random::new("differential");
        for _ in 0..scaled(400) {
            let seed = random.seed();
            let dk = S::from_seed(&seed);
            let (ek, expanded) = S::their_keys(seed.as_bytes());
            assert_eq!(S::ek(&dk).as_bytes().as_ref(), ek, "{}", S::NAME);
            assert_eq!(S::expanded(&dk), expanded, "{}", S::NAME);

            let m = random.array();
            let (c, _) = S::their_encapsulation(&ek, &m).expect("a good key");
            let mut flipped = c.clone();
            flipped[random.below(S::CT)] ^= 1 << random.below(8);
            let forged = random.bytes(S::CT);
            assert_eq!(S::their_secret(&expanded, &forged), Some(j(&seed.as_bytes()[32..], &forged)));
            compare::<S>(&expanded, &m, &[flipped, forged]);
        }
    }
    each!(check);
}

/// Keys that no seed gives: all numbers equal, at the limits of their range, or alternating between them. The bounds
/// that lazy reductions rely on are reached nowhere else.
#[test]
fn extreme_keys() {
    fn check<S: Set + Oracle>(_: Selected) {
        let mut random = Random::new("extreme keys");
        let patterns: [fn(usize) -> u16; 8] = [
            |_| 0,
            |_| 1,
            |_| 1664,
            |_| 1665,
            |_| 3328,
            |i| if i & 1 == 0 { 3328 } else { 0 },
            |i| if i & 1 == 0 { 1664 } else { 1665 },
            |i| if i & 2 == 0 { 0 } else { 3328 },
        ];
        for s in patterns {
            for t in patterns {
                let mut expanded = random.bytes(S::DK);
                for i in 0..256 * S::K {
                    set_coefficient(&mut expanded[..384 * S::K], i, s(i));
                    set_coefficient(&mut expanded[384 * S::K..768 * S::K], i, t(i));
                }
                repair_hash::<S>(&mut expanded);
                let mut forgeries: Vec<Vec<u8>> = [0x00, 0xff, 0x55].map(|byte| vec![byte; S::CT]).into();
                forgeries.push(random.bytes(S::CT));
                compare::<S>(&expanded, &random.array(), &forgeries);
                compare::<S>(&expanded, &[0xff; 32], &[]);
                compare::<S>(&expanded, &[0x00; 32], &[]);
            }
        }
    }
    each!(check);
}

#[test]
fn the_same_keys_are_refused() {
    fn check<S: Set + Oracle>(_: Selected) {
        let mut random = Random::new("refused keys");
        for _ in 0..scaled(300) {
            let (ek, dk) = S::their_keys(random.seed().as_bytes());
            let mut bad_ek = ek.clone();
            let place = random.below(256 * S::K);
            set_coefficient(&mut bad_ek[..384 * S::K], place, 3320 + random.below(20) as u16);
            let theirs = S::their_encapsulation(&bad_ek, &[0; 32]).is_some();
            assert_eq!(
                EncapsulationKey::<S>::try_from(&bad_ek[..]).is_ok(),
                theirs,
                "{}, place {place}",
                S::NAME
            );

            // Everywhere but in s, where `ml-kem` takes numbers that are not below q, and we do not.
            let mut bad_dk = dk.clone();
            let place = 384 * S::K + random.below(S::DK - 384 * S::K);
            bad_dk[place] ^= 1 << random.below(8);
            let theirs = S::their_secret(&bad_dk, &vec![0; S::CT]).is_some();
            assert_eq!(S::dk(&bad_dk).is_ok(), theirs, "{}, byte {place}", S::NAME);
        }
    }
    each!(check);
}
