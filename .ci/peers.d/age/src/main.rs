//! The recipe for age, with files of the npm package `age-encryption`: `age write DIRECTORY`, then `age read DIRECTORY`.

use std::fs;
use std::io::Read;
use std::path::Path;

use kemstone::hybrid::Seed;
use kemstone::hybrid::x_wing::DecapsulationKey;
use recipe::{Identity, Recipient};

mod recipe;

const TEXT: &[u8] = b"a file of age's";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let directory = Path::new(&arguments[2]);
    if arguments[1] == "write" {
        let key = DecapsulationKey::generate()?;
        fs::write(directory.join("age.seed"), hex::encode(key.to_seed()))?;
        let recipient = Recipient(key.encapsulation_key().clone());
        fs::write(directory.join("age.recipient"), hex::encode(&recipient.0))?;
        fs::write(directory.join("kemstone.age"), age::encrypt(&recipient, TEXT)?)?;
        return Ok(());
    }
    let seed = hex::decode(fs::read_to_string(directory.join("age.seed"))?)?;
    let identity = Identity(DecapsulationKey::from_seed(&Seed::try_from(&seed[..])?));
    let file = fs::read(directory.join("npm.age"))?;
    let decryptor = age::Decryptor::new(&file[..])?;
    let mut text = Vec::new();
    decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity))?.read_to_end(&mut text)?;
    assert_eq!(text, TEXT);
    println!("age-encryption mlkem768x25519 y");
    // What is not for this key is not opened.
    let other = Identity(DecapsulationKey::generate()?);
    let refused = age::Decryptor::new(&file[..])?.decrypt(std::iter::once(&other as &dyn age::Identity));
    assert!(matches!(refused, Err(age::DecryptError::NoMatchingKeys)));
    Ok(())
}

#[test]
fn the_page_shows_what_is_compiled() {
    let page = include_str!("../../../../docs/recipes.md");
    assert!(page.contains(&format!("```rust\n{}```", include_str!("recipe.rs"))));
}
