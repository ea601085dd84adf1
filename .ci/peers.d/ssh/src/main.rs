//! As much of an SSH server as a client needs to check K: it signs the exchange hash, in which K is, and the client goes on only if
//! the signature is one of what it has hashed itself. Prints its port, serves one client, and prints whether that went on.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use ed25519_dalek::{Signer, SigningKey};
use kemstone_ssh::recipe;
use sha2::{Digest, Sha256};

const OURS: &str = "SSH-2.0-kemstone";
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const HYBRID_INIT: u8 = 30;
const HYBRID_REPLY: u8 = 31;

fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// RFC 4253, section 6, before there are keys.
fn send(stream: &mut TcpStream, payload: &[u8]) -> io::Result<()> {
    let padding = 4 + (8 - (payload.len() + 9) % 8) % 8;
    let length = (1 + payload.len() + padding) as u32;
    stream.write_all(&[&length.to_be_bytes()[..], &[padding as u8], payload, &vec![0; padding]].concat())
}

fn receive(reader: &mut impl Read, kind: u8) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    reader.read_exact(&mut length)?;
    let mut packet = vec![0; (u32::from_be_bytes(length) as usize).min(35_000)];
    reader.read_exact(&mut packet)?;
    let end = packet.len().checked_sub(packet[0] as usize).ok_or(io::ErrorKind::InvalidData)?;
    match packet.get(1..end) {
        Some(payload) if payload.first() == Some(&kind) => Ok(payload.to_vec()),
        other => Err(io::Error::other(format!("not message {kind}: {other:?}"))),
    }
}

fn serve(mut stream: TcpStream) -> Result<(), Box<dyn std::error::Error>> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    stream.write_all(format!("{OURS}\r\n").as_bytes())?;
    let mut theirs = String::new();
    reader.read_line(&mut theirs)?;

    let lists = ["mlkem768x25519-sha256", "ssh-ed25519"].into_iter();
    let lists = lists.chain(["aes128-ctr"; 2]).chain(["hmac-sha2-256"; 2]).chain(["none"; 2]).chain([""; 2]);
    let lists: Vec<u8> = lists.flat_map(|list| string(list.as_bytes())).collect();
    let our_init = [&[KEXINIT][..], &[7; 16], &lists, &[0; 5]].concat();
    send(&mut stream, &our_init)?;
    let their_init = receive(&mut reader, KEXINIT)?;

    let init = receive(&mut reader, HYBRID_INIT)?;
    let (reply, k) = recipe::answer(&init[5..])?;
    let key = SigningKey::from_bytes(&[9; 32]);
    let host_key = [string(b"ssh-ed25519"), string(key.verifying_key().as_bytes())].concat();
    let hashed = [
        theirs.trim_end().as_bytes(),
        OURS.as_bytes(),
        &their_init,
        &our_init,
        &host_key,
        &init[5..],
        &reply,
        &*k,
    ];
    let hash: [u8; 32] = Sha256::digest(hashed.map(string).concat()).into();
    let signature = [string(b"ssh-ed25519"), string(&key.sign(&hash).to_bytes())].concat();
    send(&mut stream, &[vec![HYBRID_REPLY], string(&host_key), string(&reply), string(&signature)].concat())?;
    send(&mut stream, &[NEWKEYS])?;
    receive(&mut reader, NEWKEYS)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    serve(listener.accept()?.0)?;
    println!("ssh mlkem768x25519-sha256 y");
    Ok(())
}
