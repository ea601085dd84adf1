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
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use kemstone::{Bytes, Ciphertext, DecapsulationKey, EncapsulationKey, SharedSecret};
use kemstone::{MlKem512, MlKem768, MlKem1024, ParameterSet};

/// An error that can come back from the other thread.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    println!("backend: {}", kemstone::backend());
    exchange::<MlKem512>()?;
    exchange::<MlKem768>()?;
    exchange::<MlKem1024>()
}

/// Makes a key pair, sends the public half, and decapsulates the two ciphertexts that come back.
fn receiver<S: ParameterSet>(mut stream: TcpStream) -> Result<[SharedSecret; 2]> {
    let key = DecapsulationKey::<S>::generate()?;
    stream.write_all(key.encapsulation_key().as_ref())?;

    let mut bytes = S::CiphertextBytes::ZERO;
    stream.read_exact(bytes.as_mut())?;
    let from_genuine = key.decapsulate(&Ciphertext::from_bytes(&bytes));
    stream.read_exact(bytes.as_mut())?;
    let from_tampered = key.decapsulate(&Ciphertext::from_bytes(&bytes));
    Ok([from_genuine, from_tampered])
}

/// Reads a public key, sends a ciphertext made for it, and then the same with one bit flipped.
fn sender<S: ParameterSet>(mut stream: TcpStream) -> Result<SharedSecret> {
    let mut bytes = S::EncapsulationKeyBytes::ZERO;
    stream.read_exact(bytes.as_mut())?;
    let key = EncapsulationKey::<S>::from_bytes(&bytes)?; // refuses a malformed key

    let (ciphertext, secret) = key.encapsulate()?;
    stream.write_all(ciphertext.as_ref())?;
    let mut tampered = ciphertext.to_bytes();
    tampered.as_mut()[0] ^= 1;
    stream.write_all(tampered.as_ref())?;
    Ok(secret)
}

/// The exchange for one parameter set. A program that needs one only uses the types of its module, `kemstone::ml_kem_768`.
fn exchange<S: ParameterSet>() -> Result<()> {
    let (to_receiver, to_sender) = connect()?;
    let receiver = thread::spawn(move || receiver::<S>(to_sender));
    let sender = thread::spawn(move || sender::<S>(to_receiver));
    let sent = sender.join().map_err(|_| "the sender panicked")??;
    let [received, rejected] = receiver.join().map_err(|_| "the receiver panicked")??;

    println!();
    println!("{}", S::NAME);
    println!("  receiver -> sender   encapsulation key   {:>4} bytes", S::ENCAPSULATION_KEY_SIZE);
    println!("  sender -> receiver   ciphertext          {:>4} bytes", S::CIPHERTEXT_SIZE);
    println!("  never sent           shared secret       {:>4} bytes", kemstone::SHARED_SECRET_SIZE);
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
