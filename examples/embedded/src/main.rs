//! Firmware with a key of its own: ML-KEM without an allocator or an operating system, with keys in static memory and the board's
//! generator. It runs on an emulated Cortex-M4, from the root of the repository:
//!
//! ```text
//! .ci/size
//! ```
//!
//! The device keeps 64 bytes, the seed. At the start it expands the key into static memory (`expand_into`), where it stays. Then it
//! plays both sides: it reads its own public half as a peer would, encapsulates with random numbers of its board, and
//! decapsulates what comes back. What is large is written where the caller wants it, so that stacks stay as small as they can.
#![no_std]
#![no_main]
// Without a set there is nothing to do: what remains is the board, of which .ci/size subtracts the size.
#![cfg_attr(
    not(any(feature = "mlkem512", feature = "mlkem768", feature = "mlkem1024")),
    allow(dead_code, unused)
)]

mod board;

use core::fmt::Write;

use board::{Generator, Once, Output, decimal, stack_of};
use kemstone::{Bytes, CiphertextRef, DecapsulationKey, EncapsulationKey, ParameterSet, Seed};

/// The seed of the device. A real one draws it once, by its generator, and keeps it where nobody else reads.
static SEED: [u8; 64] = *b"not a secret, and not random: each device draws 64 bytes its own";

/// What a set needs of static memory.
struct Memory<S: ParameterSet> {
    key: S::DecapsulationKeyBytes,
    ciphertext: S::CiphertextBytes,
    /// The secret as the peer has it, and as the device has it.
    secrets: [[u8; 32]; 2],
}

impl<S: ParameterSet> Memory<S> {
    const EMPTY: Self = Self {
        key: S::DecapsulationKeyBytes::ZERO,
        ciphertext: S::CiphertextBytes::ZERO,
        secrets: [[0; 32]; 2],
    };
}

/// An exchange; gives whether both sides have the same secret.
fn exchange<S: ParameterSet>(memory: &mut Memory<S>, generator: &mut Generator) -> bool {
    let Memory { key, ciphertext, secrets: [peer, device] } = memory;
    let mut good = true;

    let generation = stack_of(&mut || DecapsulationKey::<S>::expand_into(&Seed::from(SEED), key));

    // The peer: the public half is part of the expanded key.
    let (from, to) = (S::ENCAPSULATION_KEY_OFFSET, S::ENCAPSULATION_KEY_OFFSET + S::ENCAPSULATION_KEY_SIZE);
    let public = &key.as_ref()[from..to];
    let encapsulation = stack_of(&mut || {
        good &= EncapsulationKey::<S>::try_from(public)
            .is_ok_and(|key| key.encapsulate_into(|m| generator.fill(m), ciphertext, peer).is_ok());
    });

    // The device, with what it received: from the network, so that its length is not known.
    let received: &[u8] = ciphertext.as_ref();
    let decapsulation = stack_of(&mut || {
        good &= CiphertextRef::<S>::try_from(received)
            .is_ok_and(|c| DecapsulationKey::<S>::decapsulate_expanded_into(key, c, device).is_ok());
    });

    let _ = Output.write_str(S::NAME);
    for (what, bytes) in [
        (" stack: generation ", generation),
        (", encapsulation ", encapsulation),
        (", decapsulation ", decapsulation),
    ] {
        let _ = Output.write_str(what);
        decimal(bytes);
    }
    let _ = Output.write_str("\n");
    good && peer == device && *peer != [0; 32]
}

/// The program: whether all went well.
fn main() -> bool {
    let (mut good, mut generator) = (true, Generator::new());
    macro_rules! run {
        ($S:ty) => {{
            static MEMORY: Once<Memory<$S>> = Once::new(Memory::EMPTY);
            good &= MEMORY.take().is_some_and(|memory| exchange(memory, &mut generator));
        }};
    }
    #[cfg(feature = "mlkem512")]
    run!(kemstone::MlKem512);
    #[cfg(feature = "mlkem768")]
    run!(kemstone::MlKem768);
    #[cfg(feature = "mlkem1024")]
    run!(kemstone::MlKem1024);
    good
}
