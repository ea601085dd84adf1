//! Keys in files: RFC 9935's examples, good and bad, what other software writes, and every way in which a file can be damaged.

mod support;

use kemstone::backend::select::Selected;
use kemstone::{
    AnyDecapsulationKey, AnyEncapsulationKey, DecapsulationKey, EncapsulationKey, Error, KeyFormatError,
    PrivateKeyForm, Seed,
};
use support::{MlKem512, MlKem768, MlKem1024, Random, Set, each, scale, scaled};

const FORMS: [PrivateKeyForm; 3] = [PrivateKeyForm::Seed, PrivateKeyForm::Expanded, PrivateKeyForm::Both];

/// The seed of all examples in the RFC.
fn seed() -> Seed {
    Seed::from(core::array::from_fn(|i| i as u8))
}

fn read(name: &str) -> Vec<u8> {
    let path = format!("{}/kats/rfc9935/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_examples_of_the_rfc_are_read_and_written() {
    fn check<S: Set>(_: Selected) {
        let expected = S::from_seed(&seed());
        for form in FORMS {
            let name = match form {
                PrivateKeyForm::Seed => "seed",
                PrivateKeyForm::Expanded => "expanded",
                PrivateKeyForm::Both => "both",
            };
            let text = read(&format!("{}-{name}", S::NAME));
            let key = DecapsulationKey::<S>::from_pkcs8_pem(&text).expect("a good key");
            assert_eq!(S::expanded(&key), S::expanded(&expected));
            assert_eq!(key.to_seed().is_some(), form != PrivateKeyForm::Expanded);
            assert_eq!(key.to_pkcs8_pem(form).expect("it has the seed").as_bytes(), text, "{name}");
            assert_eq!(expected.to_pkcs8_pem(form).expect("it has a seed").as_bytes(), text, "{name}");
            let any = AnyDecapsulationKey::from_pkcs8_pem(&text).expect("a good key");
            assert_eq!(any.parameter_set(), S::NAME);
            assert_eq!(any.encapsulation_key().as_bytes(), key.encapsulation_key().as_bytes().as_ref());
            let (ciphertext, secret) = S::ek(&key).encapsulate_deterministic(&[3; 32]);
            assert_eq!(any.decapsulate(ciphertext.as_bytes().as_ref()), Ok(secret));
            assert_eq!(any.decapsulate(&[0; 5]).err(), Some(Error::Length));
        }
        let text = read(&format!("{}-public", S::NAME));
        let key = EncapsulationKey::<S>::from_public_key_pem(&text).expect("a good key");
        assert_eq!(&key, expected.encapsulation_key());
        assert_eq!(key.to_public_key_pem().as_bytes(), text);
        let any = AnyEncapsulationKey::from_public_key_pem(&text).expect("a good key");
        assert_eq!((any.parameter_set(), any.as_bytes()), (S::NAME, key.as_bytes().as_ref()));
    }
    each!(check);
}

#[test]
fn the_bad_keys_of_the_rfc_are_refused() {
    let refused = |i| DecapsulationKey::<MlKem512>::from_pkcs8_pem(&read(&format!("bad-ML-KEM-512-{i}")));
    assert_eq!(refused(1).err(), Some(KeyFormatError::SeedMismatch));
    assert_eq!(refused(3).err(), Some(KeyFormatError::Key(Error::DecapsulationKey)));
    assert_eq!(refused(4).err(), Some(KeyFormatError::SeedMismatch));
    // A wrong s, which only its use shows.
    let key = refused(2).expect("good bytes");
    assert_eq!(key.check_pairwise_consistency(), Err(Error::DecapsulationKey));
}

/// DER by hand, so that what the library writes is compared with something else.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = value.len();
    let mut out = vec![tag];
    match length {
        0..=0x7f => out.push(length as u8),
        0x80..=0xff => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend(value);
    out
}

fn algorithm<S: Set>(parameters: &[u8]) -> Vec<u8> {
    let oid = [0x60, 0x86, 0x48, 0x01, 0x65, 3, 4, 4, S::K as u8 - 1];
    tlv(0x30, &[&tlv(0x06, &[&oid]), parameters])
}

/// A private key with version, what is in the OCTET STRING, and what comes after.
fn private<S: Set>(version: u8, inner: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    let key = tlv(0x04, &[inner]);
    let version = [0x02, 1, version];
    tlv(0x30, &[&version, &algorithm::<S>(&[]), &key, &rest.concat()])
}

fn inner<S: Set>(form: PrivateKeyForm, d_z: &[u8], expanded: &[u8]) -> Vec<u8> {
    match form {
        PrivateKeyForm::Seed => tlv(0x80, &[d_z]),
        PrivateKeyForm::Expanded => tlv(0x04, &[expanded]),
        PrivateKeyForm::Both => tlv(0x30, &[&tlv(0x04, &[d_z]), &tlv(0x04, &[expanded])]),
    }
}

fn read_private<S: Set>(der: &[u8]) -> Result<DecapsulationKey<S>, KeyFormatError> {
    let key = DecapsulationKey::<S>::from_pkcs8_der(der);
    let boxed = DecapsulationKey::<S>::boxed_from_pkcs8_der(der);
    assert_eq!(boxed.as_ref().err(), key.as_ref().err());
    if let (Ok(key), Ok(boxed)) = (&key, &boxed) {
        assert_eq!((S::expanded(boxed), boxed.to_seed()), (S::expanded(key), key.to_seed()));
    }
    let any = AnyDecapsulationKey::from_pkcs8_der(der);
    match &key {
        Ok(key) => {
            assert_eq!(any.expect("good").encapsulation_key().as_bytes(), S::ek(key).as_bytes().as_ref())
        }
        Err(KeyFormatError::ParameterSet { .. }) => {}
        Err(error) => assert_eq!(any.err(), Some(*error)),
    }
    key
}

#[test]
fn every_form_and_version_is_read() {
    fn check<S: Set>(_: Selected) {
        let seed = Random::new("formats").seed();
        let key = S::from_seed(&seed);
        let (expanded, public) = (S::expanded(&key), S::ek(&key).as_bytes().as_ref().to_vec());
        // An attribute, friendlyName, as some software adds.
        let attributes = tlv(
            0xa0,
            &[&tlv(
                0x30,
                &[
                    &tlv(0x06, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 20]]),
                    &tlv(0x31, &[&tlv(0x1e, &[&[0, 0x6b]])]),
                ],
            )],
        );
        let public_key = tlv(0x81, &[&[0], &public]);
        let mut other = public.clone();
        other[0] ^= 1;
        let others = tlv(0x81, &[&[0], &other]);
        for form in FORMS {
            let inner = inner::<S>(form, seed.as_bytes(), &expanded);
            let plain = private::<S>(0, &inner, &[]);
            assert_eq!(key.to_pkcs8_der(form).expect("it has a seed")[..], plain);
            assert_eq!(DecapsulationKey::<S>::pkcs8_der_length(form), plain.len());
            for der in [
                plain.clone(),
                private::<S>(0, &inner, &[&attributes]),
                private::<S>(1, &inner, &[&public_key]),
                private::<S>(1, &inner, &[&attributes, &public_key]),
            ] {
                let read = read_private::<S>(&der).expect("a good key");
                assert_eq!(S::expanded(&read), expanded, "{form}");
                assert_eq!(read.to_seed().is_some(), form != PrivateKeyForm::Expanded);
            }
            for (der, error) in [
                (private::<S>(1, &inner, &[&others]), KeyFormatError::PublicKeyMismatch),
                (private::<S>(1, &inner, &[&tlv(0x81, &[&[4], &public])]), KeyFormatError::UnusedBits),
            ] {
                assert_eq!(read_private::<S>(&der).err(), Some(error), "{form}");
            }
            for der in [
                private::<S>(0, &inner, &[&public_key]),
                private::<S>(2, &inner, &[]),
                private::<S>(1, &inner, &[]),
                [&plain[..], &[0]].concat(),
                // Something else before the public key, or after it.
                private::<S>(0, &inner, &[&tlv(0x82, &[]), &others]),
                private::<S>(1, &inner, &[&public_key, &tlv(0x82, &[])]),
                private::<S>(1, &inner, &[&public_key, &public_key]),
                private::<S>(0, &[&inner[..], &[0]].concat(), &[]),
            ] {
                assert!(matches!(read_private::<S>(&der).err(), Some(KeyFormatError::Der { .. })), "{form}");
            }
            // NULL where there must be nothing, as some software reads and writes.
            let null = tlv(0x30, &[&[2, 1, 0], &algorithm::<S>(&[5, 0]), &tlv(0x04, &[&inner])]);
            assert_eq!(read_private::<S>(&null).err(), Some(KeyFormatError::AlgorithmParameters));
            let twice = private::<S>(0, &tlv(0x04, &[&inner]), &[]);
            assert_eq!(read_private::<S>(&twice).err(), Some(KeyFormatError::DoublyWrapped), "{form}");
            // Ed25519.
            let ed25519 =
                tlv(0x30, &[&[2, 1, 0], &tlv(0x30, &[&[6, 3, 0x2b, 0x65, 0x70]]), &tlv(0x04, &[&inner])]);
            assert_eq!(read_private::<S>(&ed25519).err(), Some(KeyFormatError::Algorithm));
        }
    }
    each!(check);
}

#[test]
fn what_is_inside_is_checked() {
    fn check<S: Set>(_: Selected) {
        let seed = Random::new("formats").seed();
        let expanded = S::expanded(&S::from_seed(&seed));
        let d_z = seed.as_bytes();
        // Each byte of the expanded key beside its seed: s, t, rho, H(ek), z.
        for at in (0..S::DK).step_by(7 * scale()).chain([384 * S::K, S::DK - 64, S::DK - 1]) {
            let mut damaged = expanded.clone();
            damaged[at] ^= 0x10;
            let der = private::<S>(0, &inner::<S>(PrivateKeyForm::Both, d_z, &damaged), &[]);
            assert_eq!(read_private::<S>(&der).err(), Some(KeyFormatError::SeedMismatch), "byte {at}");
            let der = private::<S>(0, &inner::<S>(PrivateKeyForm::Expanded, d_z, &damaged), &[]);
            let direct = S::dk(&damaged).err().map(KeyFormatError::Key);
            assert_eq!(read_private::<S>(&der).err(), direct, "byte {at}");
        }
        // Lengths.
        let wrong = |form, found, wanted| Some(KeyFormatError::Length { form, set: S::NAME, found, wanted });
        for found in [0, 1, 32, 63, 65, 96] {
            let der = private::<S>(0, &tlv(0x80, &[&vec![1; found]]), &[]);
            assert_eq!(read_private::<S>(&der).err(), wrong(PrivateKeyForm::Seed, found, 64));
            let der = private::<S>(0, &inner::<S>(PrivateKeyForm::Both, &vec![1; found], &expanded), &[]);
            assert_eq!(read_private::<S>(&der).err(), wrong(PrivateKeyForm::Both, found, 64));
        }
        for found in [0, 63, S::DK - 1, S::DK + 1] {
            for form in [PrivateKeyForm::Expanded, PrivateKeyForm::Both] {
                let der = private::<S>(0, &inner::<S>(form, d_z, &vec![1; found]), &[]);
                assert_eq!(read_private::<S>(&der).err(), wrong(form, found, S::DK));
            }
        }
        for tag in [0x02, 0x03, 0x05, 0x81, 0xa0, 0x31] {
            let der = private::<S>(0, &tlv(tag, &[d_z]), &[]);
            assert_eq!(read_private::<S>(&der).err(), Some(KeyFormatError::UnknownForm), "{tag:#x}");
        }
        // An expanded key without a tag, whatever it begins with.
        for first in [0x04, 0x30, 0x80, 0x6e] {
            let mut bare = expanded.clone();
            bare[0] = first;
            let der = private::<S>(0, &bare, &[]);
            assert_eq!(read_private::<S>(&der).err(), Some(KeyFormatError::BareExpanded), "{first:#x}");
        }
        assert_eq!(
            read_private::<S>(&private::<S>(0, &[], &[])).err(),
            Some(KeyFormatError::Der { at: None })
        );
    }
    each!(check);
}

#[test]
fn bare_seeds_are_read_by_their_own_function_only() {
    fn check<S: Set>(_: Selected) {
        // Seeds that begin with the tag of a form, too.
        for first in [0x00, 0x04, 0x30, 0x80, 0xff] {
            let mut d_z: [u8; 64] = Random::new("bare").array();
            d_z[0] = first;
            let key = S::from_seed(&Seed::from(d_z));
            let bare = private::<S>(0, &d_z, &[]);
            let mut room = [0; 84];
            assert_eq!(key.write_bare_seed_pkcs8_der(&mut room), Ok(&bare[..]));
            let short = key.write_bare_seed_pkcs8_der(&mut room[1..]).err();
            assert_eq!(short, Some(KeyFormatError::BufferTooSmall { wanted: 84 }));
            let again = DecapsulationKey::<S>::from_bare_seed_pkcs8_der(&bare).expect("a seed");
            assert_eq!(again.to_seed(), Some(Seed::from(d_z)));
            assert_eq!(read_private::<S>(&bare).err(), Some(KeyFormatError::BareSeed));
            let tagged = key.to_pkcs8_der(PrivateKeyForm::Seed).expect("it has a seed");
            let refused = DecapsulationKey::<S>::from_bare_seed_pkcs8_der(&tagged).err();
            assert_eq!(refused, Some(KeyFormatError::Tagged));
            let short = private::<S>(0, &d_z[1..], &[]);
            let refused = DecapsulationKey::<S>::from_bare_seed_pkcs8_der(&short).err();
            let (form, set) = (PrivateKeyForm::Seed, S::NAME);
            assert_eq!(refused, Some(KeyFormatError::Length { form, set, found: 63, wanted: 64 }));
        }
    }
    each!(check);
}

#[test]
fn sets_are_told_apart() {
    fn check<S: Set>(_: Selected) {
        fn as_other<S: Set, T: Set>() {
            let key = S::from_seed(&seed());
            let (found, wanted) = (S::NAME, T::NAME);
            let expected = (found != wanted).then_some(KeyFormatError::ParameterSet { found, wanted });
            for form in FORMS {
                let der = key.to_pkcs8_der(form).expect("it has a seed");
                assert_eq!(read_private::<T>(&der).err(), expected);
            }
            let mut room = [0; 1590];
            let der = key.encapsulation_key().write_public_key_der(&mut room).expect("room");
            assert_eq!(EncapsulationKey::<T>::from_public_key_der(der).err(), expected);
        }
        as_other::<S, MlKem512>();
        as_other::<S, MlKem768>();
        as_other::<S, MlKem1024>();
    }
    each!(check);
}

#[test]
fn public_keys_are_checked() {
    fn check<S: Set>(_: Selected) {
        let key = S::ek(&S::from_seed(&seed()));
        let spki = |parameters: &[u8], unused: u8, bytes: &[u8]| {
            tlv(0x30, &[&algorithm::<S>(parameters), &tlv(0x03, &[&[unused], bytes])])
        };
        let parse = |der: &[u8]| {
            let key = EncapsulationKey::<S>::from_public_key_der(der);
            let any = AnyEncapsulationKey::from_public_key_der(der);
            assert_eq!(
                any.map(|any| any.as_bytes().to_vec()),
                key.clone().map(|key| key.as_bytes().as_ref().to_vec())
            );
            key
        };
        let bytes = key.as_bytes().as_ref();
        let good = spki(&[], 0, bytes);
        let mut room = [0; 1590];
        assert_eq!(key.write_public_key_der(&mut room), Ok(&good[..]));
        assert_eq!(EncapsulationKey::<S>::PUBLIC_KEY_DER_LENGTH, good.len());
        let short = key.write_public_key_der(&mut room[..good.len() - 1]);
        assert_eq!(short, Err(KeyFormatError::BufferTooSmall { wanted: good.len() }));
        assert_eq!(parse(&good), Ok(key.clone()));
        assert_eq!(parse(&spki(&[5, 0], 0, bytes)), Err(KeyFormatError::AlgorithmParameters));
        assert_eq!(parse(&spki(&[], 1, bytes)), Err(KeyFormatError::UnusedBits));
        let (set, wanted) = (S::NAME, S::EK);
        for found in [0, wanted - 1, wanted + 1] {
            let expected = KeyFormatError::PublicKeyLength { set, found, wanted };
            assert_eq!(parse(&spki(&[], 0, &vec![0; found])), Err(expected));
        }
        let mut unreduced = bytes.to_vec();
        unreduced[..2].fill(0xff);
        assert_eq!(parse(&spki(&[], 0, &unreduced)), Err(KeyFormatError::Key(Error::EncapsulationKey)));
    }
    each!(check);
}

#[test]
fn a_key_without_its_seed_has_one_form() {
    fn check<S: Set>(_: Selected) {
        let key = S::from_seed(&seed());
        let imported = S::dk(&S::expanded(&key)).expect("a good key");
        let mut room = vec![0xa5; 4000];
        for form in [PrivateKeyForm::Seed, PrivateKeyForm::Both] {
            assert_eq!(imported.write_pkcs8_der(form, &mut room), Err(KeyFormatError::NoSeed));
            assert_eq!(imported.to_pkcs8_der(form).err(), Some(KeyFormatError::NoSeed));
            assert_eq!(imported.to_pkcs8_pem(form).err(), Some(KeyFormatError::NoSeed));
        }
        assert_eq!(imported.write_bare_seed_pkcs8_der(&mut room), Err(KeyFormatError::NoSeed));
        assert!(room.iter().all(|byte| *byte == 0xa5), "nothing is written");
        let wanted = DecapsulationKey::<S>::pkcs8_der_length(PrivateKeyForm::Expanded);
        let written = imported.write_pkcs8_der(PrivateKeyForm::Expanded, &mut room).expect("room");
        assert_eq!(written, &key.to_pkcs8_der(PrivateKeyForm::Expanded).expect("always")[..]);
        assert_eq!(written.len(), wanted);
        let short = imported.write_pkcs8_der(PrivateKeyForm::Expanded, &mut room[..wanted - 1]);
        assert_eq!(short, Err(KeyFormatError::BufferTooSmall { wanted }));
    }
    each!(check);
}

/// Every truncation and every bit of every DER: an error, or the key that it was.
fn damage_is_found<S: Set>() {
    let key = S::from_seed(&Random::new("damage").seed());
    let public = S::ek(&key).as_bytes().as_ref().to_vec();
    let v2 = private::<S>(
        1,
        &tlv(0x80, &[key.to_seed().expect("a seed").as_bytes()]),
        &[&tlv(0x81, &[&[0], &public])],
    );
    let [seed, expanded, both] = FORMS.map(|form| key.to_pkcs8_der(form).expect("it has a seed").to_vec());
    for (kind, der) in [("seed and public key", v2), ("seed", seed), ("expanded", expanded), ("both", both)] {
        for length in (0..der.len()).step_by(scale()) {
            assert!(DecapsulationKey::<S>::from_pkcs8_der(&der[..length]).is_err(), "{length} bytes");
        }
        for bit in (0..8 * der.len()).step_by(scale()) {
            let mut damaged = der.clone();
            damaged[bit >> 3] ^= 1 << (bit & 7);
            // What one bit makes of a seed, of s or of z is another good key, unless it has to agree with something.
            if let Ok(other) = DecapsulationKey::<S>::from_pkcs8_der(&damaged) {
                let same = S::expanded(&other) == S::expanded(&key);
                let same_public = S::ek(&other) == S::ek(&key);
                let may = match kind {
                    "seed" => true,
                    "seed and public key" | "expanded" => same_public,
                    _ => false,
                };
                assert!(same || may, "{kind}, bit {bit}");
            }
        }
    }
    let mut room = [0; 1590];
    let der = S::ek(&key).write_public_key_der(&mut room).expect("room").to_vec();
    for length in 0..der.len() {
        assert!(EncapsulationKey::<S>::from_public_key_der(&der[..length]).is_err(), "{length} bytes");
    }
    for bit in (0..8 * der.len()).step_by(scale()) {
        let mut damaged = der.clone();
        damaged[bit >> 3] ^= 1 << (bit & 7);
        if let Ok(other) = EncapsulationKey::<S>::from_public_key_der(&damaged) {
            assert!(bit >> 3 >= der.len() - S::EK, "bit {bit} of what is not the key");
            assert_ne!(&other, &S::ek(&key));
        }
    }
}

#[test]
fn damage_is_found_512() {
    damage_is_found::<MlKem512>();
}

#[test]
fn damage_is_found_768() {
    damage_is_found::<MlKem768>();
}

#[test]
fn damage_is_found_1024() {
    damage_is_found::<MlKem1024>();
}

#[test]
fn pem_is_read_as_people_have_it() {
    let key = MlKem768::from_seed(&seed());
    let good = key.to_pkcs8_pem(PrivateKeyForm::Both).expect("it has a seed").to_string();
    let body: String = good.lines().filter(|line| !line.starts_with('-')).collect();
    let wrapped = |columns: usize| -> String {
        let lines: Vec<&str> =
            body.as_bytes().chunks(columns).map(|line| core::str::from_utf8(line).expect("ASCII")).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", lines.join("\n"))
    };
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    for (what, text) in [
        ("as written", good.clone()),
        ("CRLF", good.replace('\n', "\r\n")),
        ("CR", good.replace('\n', "\r")),
        ("a byte order mark", format!("\u{feff}{good}")),
        ("no newline at the end", good.trim_end().to_owned()),
        ("blanks at the end of lines", good.replace('\n', " \t\n")),
        ("a blank line before END", good.replace("\n-----END", "\n\n-----END")),
        ("text before", format!("Bag Attributes\n    friendlyName: k\n{good}")),
        ("text after", format!("{good}this was my key\n")),
        ("a certificate before", format!("{certificate}{good}")),
        ("a certificate after", format!("{good}{certificate}")),
        ("76 columns", wrapped(76)),
        ("one line", wrapped(usize::MAX)),
        ("one column", wrapped(1)),
    ] {
        let read = DecapsulationKey::<MlKem768>::from_pkcs8_pem(text.as_bytes());
        assert_eq!(read.map(|key| MlKem768::expanded(&key)), Ok(MlKem768::expanded(&key)), "{what}");
    }
    let missing = Some(KeyFormatError::Pem { label: "PRIVATE KEY" });
    for (what, text, error) in [
        ("nothing", String::new(), missing),
        ("no BEGIN", good.replace("BEGIN", "BEGUN"), missing),
        ("no END", good.replace("END", "DNE"), missing),
        ("END of something else", good.replace("END PRIVATE", "END PUBLIC"), missing),
        (
            "another BEGIN inside",
            good.replace("\n-----END", "\n-----BEGIN PRIVATE KEY-----\n-----END"),
            missing,
        ),
        ("a public key", good.replace("PRIVATE", "PUBLIC"), missing),
        ("four dashes", good.replace("-----", "----"), missing),
        ("encrypted", good.replace("PRIVATE", "ENCRYPTED PRIVATE"), Some(KeyFormatError::Encrypted)),
        ("a letter less", good.replacen("\nM", "\n", 1), Some(KeyFormatError::Base64)),
        ("no Base64", good.replacen("\nM", "\n*", 1), Some(KeyFormatError::Base64)),
        ("headers", good.replacen('\n', "\nProc-Type: 4,ENCRYPTED\n\n", 1), Some(KeyFormatError::Base64)),
    ] {
        assert_eq!(DecapsulationKey::<MlKem768>::from_pkcs8_pem(text.as_bytes()).err(), error, "{what}");
        assert_eq!(AnyDecapsulationKey::from_pkcs8_pem(text.as_bytes()).err(), error, "{what}");
    }
    let public = key.encapsulation_key().to_public_key_pem();
    assert!(public.ends_with("\n-----END PUBLIC KEY-----\n") && public.lines().all(|line| line.len() <= 64));
    let missing = Some(KeyFormatError::Pem { label: "PUBLIC KEY" });
    assert_eq!(EncapsulationKey::<MlKem768>::from_public_key_pem(good.as_bytes()).err(), missing);
}

/// With the defaults of OpenSSL, Node and Python (AES-256-CBC, 2 048 rounds), of the JDK (AES-128-CBC, 4 096), and with scrypt.
#[test]
fn encrypted_keys_are_read() {
    use pkcs8::der::{Encode, asn1::OctetStringRef};
    use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
    use pkcs8::pkcs5::scrypt;
    let key = MlKem512::from_seed(&seed());
    let der = key.to_pkcs8_der(PrivateKeyForm::Both).expect("it has a seed");
    let encrypted = |parameters: Parameters| {
        let data = parameters.encrypt(b"password", &der[..]).expect("it can be encrypted");
        let encrypted_data = OctetStringRef::new(&data).expect("short");
        let info =
            pkcs8::EncryptedPrivateKeyInfoRef { encryption_algorithm: parameters.into(), encrypted_data };
        info.to_der().expect("DER")
    };
    let scrypt = scrypt::Params::new(10, 8, 1).expect("good parameters");
    for parameters in [
        Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"salt of openssl.", [1; 16]),
        Parameters::generate_pbkdf2_sha256_aes128cbc(4096, b"salt of the jdk", [1; 16]),
        Parameters::generate_scrypt_aes256cbc(scrypt, b"salt", [1; 16]),
        Parameters::scrypt_aes256gcm(scrypt, b"salt", [1; 12]),
    ] {
        let file = encrypted(parameters.expect("good parameters"));
        let read = |password: &[u8]| DecapsulationKey::<MlKem512>::from_encrypted_pkcs8_der(&file, password);
        assert_eq!(read(b"password").map(|key| MlKem512::expanded(&key)), Ok(MlKem512::expanded(&key)));
        assert_eq!(read(b"passwords").err(), Some(KeyFormatError::Password));
        let any = AnyDecapsulationKey::from_encrypted_pkcs8_der(&file, b"password").expect("the key");
        assert_eq!(any.parameter_set(), "ML-KEM-512");
        assert_eq!(
            DecapsulationKey::<MlKem512>::from_pkcs8_der(&file).err(),
            Some(KeyFormatError::Encrypted)
        );
    }
    // In one of some 250, the padding of what a wrong password gives is right.
    let quick = Parameters::generate_pbkdf2_sha256_aes256cbc(1, b"salt", [1; 16]).expect("good parameters");
    let file = encrypted(quick);
    for i in 0..scaled(2000) {
        let read = DecapsulationKey::<MlKem512>::from_encrypted_pkcs8_der(&file, &i.to_le_bytes());
        assert_eq!(read.err(), Some(KeyFormatError::Password), "{i}");
    }
    // HMAC-SHA1, a cipher that does not exist: not a question of the password.
    for (what, from, to) in [
        ("the hash", [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 9], [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 7]),
        ("the cipher", [0x48, 1, 0x65, 3, 4, 1, 42, 4], [0x48, 1, 0x65, 3, 4, 1, 99, 4]),
    ] {
        let at = file.windows(8).position(|window| window == from).expect(what);
        let mut other = file.clone();
        other[at..at + 8].copy_from_slice(&to);
        let read = DecapsulationKey::<MlKem512>::from_encrypted_pkcs8_der(&other, b"password");
        assert_eq!(read.err(), Some(KeyFormatError::Encryption), "{what}");
    }

    // A file that asks for minutes, or for a gigabyte.
    let gigabyte = scrypt::Params::new(20, 8, 1).expect("good parameters");
    let mut parameters: Vec<Parameters> = [
        Parameters::generate_pbkdf2_sha256_aes256cbc(10_000_001, b"salt", [1; 16]),
        Parameters::generate_pbkdf2_sha256_aes256cbc(0, b"salt", [1; 16]),
        Parameters::generate_scrypt_aes256cbc(gigabyte, b"salt", [1; 16]),
    ]
    .map(|parameters| parameters.expect("good parameters"))
    .into();
    // Much work in little memory, and numbers that scrypt does not take.
    for (n, r, p) in [(1 << 15, 8, 16), (3, 8, 1), (1 << 10, 8, 0), (1 << 10, 0, 1)] {
        let mut odd = parameters[2].clone();
        if let Kdf::Scrypt(kdf) = &mut odd.kdf {
            (kdf.cost_parameter, kdf.block_size, kdf.parallelization) = (n, r, p);
        }
        parameters.push(odd);
    }
    for parameters in parameters {
        let encryption_algorithm = parameters.into();
        let encrypted_data = OctetStringRef::new(&[0; 32]).expect("short");
        let file = pkcs8::EncryptedPrivateKeyInfoRef { encryption_algorithm, encrypted_data };
        let file = file.to_der().expect("DER");
        let refused = DecapsulationKey::<MlKem512>::from_encrypted_pkcs8_der(&file, b"password").err();
        assert_eq!(refused, Some(KeyFormatError::Encryption));
    }

    let fill = |random: &mut [u8; 32]| {
        *random = [5; 32];
        Ok::<_, KeyFormatError>(())
    };
    let text = key
        .to_encrypted_pkcs8_pem_with(PrivateKeyForm::Seed, b"password", fill)
        .expect("it can be encrypted");
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let again = DecapsulationKey::<MlKem512>::from_encrypted_pkcs8_pem(text.as_bytes(), b"password")
        .expect("the key");
    assert_eq!(again.to_seed(), key.to_seed());
    assert_eq!(
        DecapsulationKey::<MlKem512>::from_pkcs8_pem(text.as_bytes()).err(),
        Some(KeyFormatError::Encrypted)
    );
    let refused =
        key.to_encrypted_pkcs8_pem_with(PrivateKeyForm::Seed, b"", |_| Err(KeyFormatError::Encryption));
    assert_eq!(refused, Err(KeyFormatError::Encryption));
}

#[test]
fn errors_say_what_was_found() {
    let form = PrivateKeyForm::Seed;
    for (error, text) in [
        (
            KeyFormatError::ParameterSet { found: "ML-KEM-512", wanted: "ML-KEM-768" },
            "a key of ML-KEM-512, where ML-KEM-768 is wanted",
        ),
        (
            KeyFormatError::Length { form, set: "ML-KEM-768", found: 63, wanted: 64 },
            "seed of 63 bytes, where ML-KEM-768 has 64",
        ),
        (KeyFormatError::Key(Error::EncapsulationKey), &Error::EncapsulationKey.to_string()),
        (KeyFormatError::Der { at: Some(3) }, "not the DER of such a key, from byte 3 on"),
    ] {
        assert_eq!(error.to_string(), text);
    }
    let _: Box<dyn core::error::Error> = Box::new(KeyFormatError::BareSeed);
}
