//! Two parties agree on a secret over a TCP connection, once for each parameter set.
//!
//! ```text
//! cargo run --release --example key_exchange
//! ```
//!
//! The receiver makes a key pair and sends its public half. The sender answers with a ciphertext, and both hold the
//! same 32 bytes. Then the sender plays an attacker as well: it sends the ciphertext again with one bit flipped.
//! Decapsulation reports no error for that (implicit rejection). It gives a secret that the sender cannot compute.
//!
//! The two secrets are compared here because both threads belong to one program. Real parties never send a secret:
//! they derive keys from it, and a wrong secret shows when the first message under those keys does not verify.
//! Nor does ML-KEM by itself say who sent the public key. A protocol must authenticate it, for example with a
//! signature.

use std::error::Error;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// An error that can come back from the other thread.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    println!("backend: {}", kemstone::backend());
    ml_kem_512::exchange()?;
    ml_kem_768::exchange()?;
    ml_kem_1024::exchange()
}

/// The exchange for one parameter set. The modules of `kemstone` differ in their sizes only, so the text is the same.
macro_rules! exchange {
    ($module:ident, $title:literal) => {
        mod $module {
            use std::io::{Read, Write};

            use kemstone::SharedSecret;
            use kemstone::$module::{
                CIPHERTEXT_SIZE, Ciphertext, DecapsulationKey, ENCAPSULATION_KEY_SIZE, EncapsulationKey,
            };

            use super::*;

            /// Makes a key pair, sends the public half, and decapsulates the two ciphertexts that come back.
            fn receiver(mut stream: TcpStream) -> Result<[SharedSecret; 2]> {
                let key = DecapsulationKey::generate()?;
                stream.write_all(key.encapsulation_key().as_bytes())?;

                let mut bytes = [0; CIPHERTEXT_SIZE];
                stream.read_exact(&mut bytes)?;
                let from_genuine = key.decapsulate(&Ciphertext::from(bytes));
                stream.read_exact(&mut bytes)?;
                let from_tampered = key.decapsulate(&Ciphertext::from(bytes));
                Ok([from_genuine, from_tampered])
            }

            /// Reads a public key, sends a ciphertext made for it, and then the same with one bit flipped.
            fn sender(mut stream: TcpStream) -> Result<SharedSecret> {
                let mut bytes = [0; ENCAPSULATION_KEY_SIZE];
                stream.read_exact(&mut bytes)?;
                let key = EncapsulationKey::from_bytes(&bytes)?; // refuses a malformed key

                let (ciphertext, secret) = key.encapsulate()?;
                stream.write_all(ciphertext.as_bytes())?;
                let mut tampered = ciphertext.to_bytes();
                tampered[0] ^= 1;
                stream.write_all(&tampered)?;
                Ok(secret)
            }

            pub(super) fn exchange() -> Result<()> {
                let (to_receiver, to_sender) = connect()?;
                let receiver = thread::spawn(move || receiver(to_sender));
                let sender = thread::spawn(move || sender(to_receiver));
                let sent = sender.join().map_err(|_| "the sender panicked")??;
                let [received, rejected] = receiver.join().map_err(|_| "the receiver panicked")??;

                println!();
                println!($title);
                println!("  receiver -> sender   encapsulation key   {ENCAPSULATION_KEY_SIZE:>4} bytes");
                println!("  sender -> receiver   ciphertext          {CIPHERTEXT_SIZE:>4} bytes");
                println!(
                    "  never sent           shared secret       {:>4} bytes",
                    kemstone::SHARED_SECRET_SIZE
                );
                if sent != received {
                    return Err("the two secrets differ".into());
                }
                println!("  genuine ciphertext:  both sides have the same secret");
                if sent == rejected {
                    return Err("a tampered ciphertext gave the secret".into());
                }
                println!("  tampered ciphertext: no error, but the receiver has another secret");
                Ok(())
            }
        }
    };
}

exchange!(ml_kem_512, "ML-KEM-512");
exchange!(ml_kem_768, "ML-KEM-768");
exchange!(ml_kem_1024, "ML-KEM-1024");

/// The two ends of a new connection on the loopback interface, at a port that the system chooses.
fn connect() -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    let (other, _) = listener.accept()?;
    for stream in [&one, &other] {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    }
    Ok((one, other))
}
