//! Secrets of random keys agree with other crates, in both directions. Prints a line for each crate and parameter set.

const EXCHANGES: usize = 200;

macro_rules! exchanges {
    ($module:ident, $size:literal, $aws:ident, $libcrux:ident, $ek:ident, $ct:ident) => {{
        use kemstone::$module as ours;

        // ml-kem: a seed each; both keys there, both ways.
        for _ in 0..EXCHANGES {
            use ml_kem::{Decapsulate, KeyExport};
            let key = ours::DecapsulationKey::generate().expect("randomness");
            let seed = key.to_seed().expect("it was generated");
            let theirs = ml_kem::$module::DecapsulationKey::from_seed((*seed.as_bytes()).into());
            assert_eq!(theirs.encapsulation_key().to_bytes()[..], key.encapsulation_key().as_bytes()[..]);
            let (c, k) = key.encapsulation_key().encapsulate().expect("randomness");
            assert_eq!(theirs.decapsulate(&c.to_bytes().into())[..], k.as_bytes()[..]);
            let (c, k) = theirs.encapsulation_key().encapsulate_deterministic(&random().into());
            assert_eq!(key.decapsulate(&<[u8; ours::CIPHERTEXT_SIZE]>::from(c)).as_bytes()[..], k[..]);
        }
        println!("ml-kem {} y", $size);

        for _ in 0..EXCHANGES {
            use libcrux_ml_kem::$libcrux::{self as kem, $ct as Ct, $ek as Ek};
            let key = ours::DecapsulationKey::generate().expect("randomness");
            let pair = kem::generate_key_pair(*key.to_seed().expect("it was generated").as_bytes());
            assert_eq!(pair.pk()[..], key.encapsulation_key().as_bytes()[..]);
            let imported = ours::DecapsulationKey::from_expanded_bytes(pair.sk()).expect("a good key");
            let (c, k) = key.encapsulation_key().encapsulate().expect("randomness");
            let theirs = kem::decapsulate(pair.private_key(), &Ct::try_from(&c.as_bytes()[..]).expect("its length"));
            assert_eq!(&theirs, k.as_bytes());
            let ek = Ek::try_from(&key.encapsulation_key().as_bytes()[..]).expect("its length");
            let (c, k) = kem::encapsulate(&ek, random());
            assert_eq!(imported.decapsulate(c.as_slice()).as_bytes(), &k);
        }
        println!("libcrux-ml-kem {} y", $size);

        for _ in 0..EXCHANGES {
            use aws_lc_rs::kem;
            let theirs = kem::DecapsulationKey::generate(&kem::$aws).expect("a key");
            let public = theirs.encapsulation_key().expect("its half").key_bytes().expect("its bytes");
            let ek = ours::EncapsulationKey::try_from(public.as_ref()).expect("a good key");
            let (c, k) = ek.encapsulate().expect("randomness");
            let secret = theirs.decapsulate(c.as_bytes()[..].into()).expect("a secret");
            assert_eq!(secret.as_ref(), k.as_bytes());
            let key = ours::DecapsulationKey::generate().expect("randomness");
            let ek = kem::EncapsulationKey::new(&kem::$aws, key.encapsulation_key().as_bytes()).expect("a good key");
            let (c, k) = ek.encapsulate().expect("a secret");
            let c = ours::CiphertextRef::try_from(c.as_ref()).expect("its length");
            assert_eq!(key.decapsulate(c).as_bytes(), k.as_ref());
        }
        println!("aws-lc-rs {} y", $size);
    }};
}

fn random() -> [u8; 32] {
    // 32 bytes that nobody knows: a shared secret.
    let key = kemstone::ml_kem_768::DecapsulationKey::generate().expect("randomness");
    *key.encapsulation_key().encapsulate().expect("randomness").1.as_bytes()
}

fn main() {
    exchanges!(ml_kem_512, 512, ML_KEM_512, mlkem512, MlKem512PublicKey, MlKem512Ciphertext);
    exchanges!(ml_kem_768, 768, ML_KEM_768, mlkem768, MlKem768PublicKey, MlKem768Ciphertext);
    exchanges!(ml_kem_1024, 1024, ML_KEM_1024, mlkem1024, MlKem1024PublicKey, MlKem1024Ciphertext);
}
