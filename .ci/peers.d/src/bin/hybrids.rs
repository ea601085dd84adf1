//! Hybrid KEMs: `hybrids write DIRECTORY` writes a line `seed ek ct ss` for each of some keys, `hybrids read DIRECTORY` reads the
//! lines `seed ct ss` that a peer has made of them, and prints a line for each KEM and peer. X-Wing is the crate `x-wing`'s, too.

use std::fs;
use std::path::Path;

use kemstone::hybrid::{Ciphertext, DecapsulationKey, HybridKem, MlKem768P256, MlKem1024P384, Seed, XWing};

const EXCHANGES: usize = 20;

fn write<H: HybridKem>(directory: &Path) {
    let mut lines = String::new();
    for _ in 0..EXCHANGES {
        let key = DecapsulationKey::<H>::generate().expect("randomness");
        let (ct, ss) = key.encapsulation_key().encapsulate().expect("randomness");
        let seed = key.to_seed();
        let parts = [seed.as_bytes(), key.encapsulation_key().as_ref(), ct.as_ref(), ss.as_bytes()];
        lines += &(parts.map(hex::encode).join(" ") + "\n");
    }
    fs::write(directory.join(format!("hybrid-{}", H::NAME)), lines).expect("a directory");
}

fn read<H: HybridKem>(directory: &Path, peer: &str) {
    let text = fs::read_to_string(directory.join(format!("hybrid-{}.{peer}", H::NAME))).expect("the peer's file");
    assert_eq!(text.lines().count(), EXCHANGES);
    for line in text.lines() {
        let parts: Vec<Vec<u8>> = line.split(' ').map(|part| hex::decode(part).expect("hex")).collect();
        let [seed, ct, ss] = &parts[..] else { panic!("three parts: {line}") };
        let key = DecapsulationKey::<H>::from_seed(&Seed::try_from(&seed[..]).expect("32 bytes"));
        let ct = Ciphertext::<H>::try_from(&ct[..]).expect("a good ciphertext");
        assert_eq!(key.decapsulate(&ct).as_bytes()[..], ss[..], "{}", H::NAME);
    }
    println!("{peer} {} y", H::NAME);
}

fn x_wing() {
    use x_wing::{Decapsulate, Decapsulator, Encapsulate, KeyExport};
    for _ in 0..EXCHANGES {
        let key = DecapsulationKey::<XWing>::generate().expect("randomness");
        let theirs = x_wing::DecapsulationKey::from(*key.to_seed().as_bytes());
        assert_eq!(theirs.encapsulation_key().to_bytes()[..], key.encapsulation_key().as_bytes()[..]);
        let (ct, ss) = key.encapsulation_key().encapsulate().expect("randomness");
        assert_eq!(theirs.decapsulate(&ct.to_bytes().into())[..], ss.as_bytes()[..]);
        let (ct, ss) = theirs.encapsulation_key().encapsulate();
        let ct = Ciphertext::try_from(&ct[..]).expect("its length");
        assert_eq!(key.decapsulate(&ct).as_bytes()[..], ss[..]);
    }
    println!("x-wing {} y", XWing::NAME);
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let directory = Path::new(&arguments[2]);
    if arguments[1] == "write" {
        write::<XWing>(directory);
        write::<MlKem768P256>(directory);
        write::<MlKem1024P384>(directory);
    } else {
        x_wing();
        read::<XWing>(directory, "noble");
        read::<MlKem768P256>(directory, "noble");
        read::<MlKem1024P384>(directory, "noble");
    }
}
