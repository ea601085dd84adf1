//! Writes keys in files for other software, and reads theirs.
//!
//! `files write DIRECTORY`: for each parameter set, a key in every form, its public half, the seed by itself, and a ciphertext with
//! its secret. `files read DIRECTORY WHO`: every private key that WHO has written there, with WHO's ciphertext and secret; prints
//! lines `WHO SET FORM y` or `n`, and why.

use std::fs;
use std::path::{Path, PathBuf};

use kemstone::{
    AnyDecapsulationKey, DecapsulationKey, EncapsulationKey, MlKem512, MlKem768, MlKem1024,
    ParameterSet, PrivateKeyForm, Seed,
};
use pem_rfc7468::LineEnding;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const PASSWORD: &[u8] = b"password";
const LABEL: &str = "PRIVATE KEY";

struct Files<'a> {
    directory: &'a Path,
    stem: String,
}

impl Files<'_> {
    fn path(&self, extension: &str) -> PathBuf {
        self.directory.join(format!("{}.{extension}", self.stem))
    }

    fn write(&self, extension: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        Ok(fs::write(self.path(extension), bytes)?)
    }
}

fn number(name: &str) -> &str {
    name.rsplit('-').next().unwrap_or(name)
}

fn write<S: ParameterSet>(directory: &Path) -> Result<()> {
    let key = DecapsulationKey::<S>::generate()?;
    let files = |form: &str| Files { directory, stem: format!("kemstone-{}-{form}", number(S::NAME)) };
    for (name, form) in [
        ("seed", PrivateKeyForm::Seed),
        ("expanded", PrivateKeyForm::Expanded),
        ("both", PrivateKeyForm::Both),
    ] {
        files(name).write("priv.pem", &*key.to_pkcs8_pem(form)?)?;
    }
    let encrypted = key.to_encrypted_pkcs8_pem(PrivateKeyForm::Seed, PASSWORD)?;
    files("encrypted").write("priv.pem", encrypted)?;
    let mut untagged = [0; 84];
    let untagged = key.write_bare_seed_pkcs8_der(&mut untagged)?;
    files("untagged").write("priv.pem", pem_rfc7468::encode_string(LABEL, LineEnding::LF, untagged)?)?;
    let (ciphertext, secret) = key.encapsulation_key().encapsulate()?;
    let all = files("all");
    all.write("seed", key.to_seed().ok_or("no seed")?.as_bytes())?;
    all.write("pub.pem", key.encapsulation_key().to_public_key_pem())?;
    all.write("pub", key.encapsulation_key())?;
    all.write("ct", &ciphertext)?;
    all.write("ss", secret.as_bytes())
}

/// Reads one key, and makes of its owner's ciphertext the owner's secret.
fn read_one<S: ParameterSet>(files: &Files<'_>) -> Result<()> {
    let owner = |extension: &str| fs::read(files.path(extension));
    let key = match owner("seed") {
        // Who has no files of this kind has a seed and a public key as they are.
        Ok(seed) => DecapsulationKey::<S>::from_seed(&Seed::try_from(&seed[..])?),
        Err(_) => {
            let text = owner("priv.pem")?;
            if files.stem.ends_with("encrypted") {
                DecapsulationKey::<S>::from_encrypted_pkcs8_pem(&text, PASSWORD)?
            } else if files.stem.ends_with("untagged") {
                DecapsulationKey::<S>::from_bare_seed_pkcs8_der(&pem_rfc7468::decode_vec(&text)?.1)?
            } else {
                let any = AnyDecapsulationKey::from_pkcs8_pem(&text)?;
                if any.parameter_set() != S::NAME {
                    return Err("another parameter set".into());
                }
                DecapsulationKey::<S>::from_pkcs8_pem(&text)?
            }
        }
    };
    let public = match owner("pub.pem") {
        Ok(text) => EncapsulationKey::<S>::from_public_key_pem(&text)?,
        Err(_) => EncapsulationKey::<S>::try_from(&owner("pub")?[..])?,
    };
    if &public != key.encapsulation_key() {
        return Err("another public key".into());
    }
    key.check_pairwise_consistency()?;
    let ciphertext = owner("ct")?;
    let secret = key.decapsulate(kemstone::CiphertextRef::try_from(&ciphertext[..])?);
    if secret.as_bytes()[..] != owner("ss")? {
        return Err("another secret".into());
    }
    Ok(())
}

fn read(directory: &Path, who: &str) -> Result<()> {
    let mut names: Vec<String> = fs::read_dir(directory)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(&format!("{who}-")) && name.ends_with(".ct"))
        .collect();
    names.sort();
    for name in names {
        let stem = name.trim_end_matches(".ct").to_owned();
        let parts: Vec<&str> = stem.split('-').collect();
        let [.., set, form] = parts[..] else { return Err(name.into()) };
        let files = Files { directory, stem: stem.clone() };
        let read = match set {
            "512" => read_one::<MlKem512>(&files),
            "768" => read_one::<MlKem768>(&files),
            _ => read_one::<MlKem1024>(&files),
        };
        match read {
            Ok(()) => println!("{who} {set} {form} y"),
            Err(error) => println!("{who} {set} {form} n: {error}"),
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", directory] => {
            write::<MlKem512>(Path::new(directory))?;
            write::<MlKem768>(Path::new(directory))?;
            write::<MlKem1024>(Path::new(directory))
        }
        ["read", directory, who] => read(Path::new(directory), who),
        other => Err(format!("{other:?}").into()),
    }
}
