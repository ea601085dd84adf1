//! All published vectors on a board, and the stack of the three operations: see `.ci/boards`.
#![no_std]
#![no_main]

#[path = "../../../examples/embedded/src/board.rs"]
#[allow(dead_code)] // a generator of random numbers is not needed
mod board;

use core::fmt::Write;

use board::{Once, Output, decimal, stack_of};
use kemstone::{Bytes, CiphertextRef, DecapsulationKey, EncapsulationKey, ParameterSet, Seed};

/// The records: what each is, its set, its fields (`build.rs`).
static VECTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/vectors"));
const COUNT: usize = include!(concat!(env!("OUT_DIR"), "/count.rs"));

const SETS: [&str; 3] = ["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"];

/// What has been measured of each operation: of its first call the stack, of its second the instructions, where the processor counts
/// them.
#[derive(Clone, Copy)]
struct Measured {
    calls: usize,
    stack: usize,
    instructions: usize,
}

impl Measured {
    const NONE: Self = Self { calls: 0, stack: 0, instructions: 0 };

    fn call(&mut self, f: &mut dyn FnMut()) {
        self.calls += 1;
        match self.calls {
            1 => self.stack = stack_of(f),
            2 => {
                let before = instructions();
                f();
                self.instructions = instructions().wrapping_sub(before);
            }
            _ => f(),
        }
    }
}

/// Instructions since the start, modulo 2^32. None on a processor without a counter of them.
fn instructions() -> usize {
    #[allow(unused_mut)] // likewise
    let mut count = 0;
    #[cfg(target_arch = "riscv32")]
    // SAFETY: reads a register.
    unsafe {
        core::arch::asm!("csrr {}, minstret", out(reg) count, options(nostack));
    }
    count
}

/// Where what is left of the records begins.
struct Records(&'static [u8]);

impl Records {
    fn take(&mut self, length: usize) -> &'static [u8] {
        let (field, rest) = self.0.split_at(length);
        self.0 = rest;
        field
    }

    fn array<const L: usize>(&mut self) -> [u8; L] {
        self.take(L).try_into().unwrap_or([0; L])
    }
}

/// What a set needs of static memory.
struct Memory<S: ParameterSet> {
    key: S::DecapsulationKeyBytes,
    ciphertext: S::CiphertextBytes,
    secret: [u8; 32],
    measured: [Measured; 3],
    #[cfg(feature = "small")]
    scratch: (kemstone::Scratch<S>, [Measured; 3]),
}

/// One record; whether what comes of it is what it says. `turn` turns a bit of that.
fn holds<S: ParameterSet>(memory: &mut Memory<S>, records: &mut Records, function: u8, turn: u8) -> bool {
    let Memory { key, ciphertext, secret, measured: [generation, encapsulation, decapsulation], .. } = memory;
    #[cfg(feature = "small")]
    let (scratch, [in_generation, in_encapsulation, in_decapsulation]) = &mut memory.scratch;
    let mut done = true;
    let expanded = |key: &mut S::DecapsulationKeyBytes, records: &mut Records| {
        key.as_mut().copy_from_slice(records.take(S::DECAPSULATION_KEY_SIZE));
    };
    match function {
        0 => {
            let mut seed = [0; 64];
            seed.copy_from_slice(records.take(64));
            let seed = Seed::from(seed);
            generation.call(&mut || DecapsulationKey::<S>::expand_into(&seed, key));
            #[cfg(feature = "small")]
            {
                let plain = *key;
                in_generation.call(&mut || scratch.expand_into(&seed, key));
                done &= plain.as_ref() == key.as_ref();
            }
            key.as_mut()[0] ^= turn;
            done & (key.as_ref() == records.take(S::DECAPSULATION_KEY_SIZE))
        }
        1 => {
            let m = records.array::<32>();
            let Ok(ek) = EncapsulationKey::<S>::try_from(records.take(S::ENCAPSULATION_KEY_SIZE)) else {
                return false;
            };
            encapsulation.call(&mut || {
                let draw = |to: &mut [u8; 32]| {
                    *to = m;
                    Ok::<_, ()>(())
                };
                done &= ek.encapsulate_into(draw, ciphertext, secret).is_ok();
            });
            #[cfg(feature = "small")]
            {
                let plain = (*ciphertext, *secret);
                in_encapsulation.call(&mut || {
                    let draw = |to: &mut [u8; 32]| {
                        *to = m;
                        Ok::<_, ()>(())
                    };
                    done &= scratch.encapsulate_into(&ek, draw, ciphertext, secret).is_ok();
                });
                done &= plain.0.as_ref() == ciphertext.as_ref() && plain.1 == *secret;
            }
            secret[0] ^= turn;
            let same = ciphertext.as_ref() == records.take(S::CIPHERTEXT_SIZE);
            done & same & (secret[..] == *records.take(32))
        }
        2 => {
            expanded(key, records);
            let Ok(c) = CiphertextRef::<S>::try_from(records.take(S::CIPHERTEXT_SIZE)) else { return false };
            decapsulation.call(&mut || {
                done &= DecapsulationKey::<S>::decapsulate_expanded_into(key, c, secret).is_ok();
            });
            #[cfg(feature = "small")]
            {
                let plain = *secret;
                in_decapsulation
                    .call(&mut || done &= scratch.decapsulate_expanded_into(key, c, secret).is_ok());
                done &= plain == *secret;
            }
            secret[0] ^= turn;
            done & (secret[..] == *records.take(32))
        }
        3 => {
            let passes = EncapsulationKey::<S>::try_from(records.take(S::ENCAPSULATION_KEY_SIZE)).is_ok();
            u8::from(passes) ^ turn == records.take(1)[0]
        }
        _ => {
            expanded(key, records);
            let passes = DecapsulationKey::<S>::from_expanded_bytes(key).is_ok();
            u8::from(passes) ^ turn == records.take(1)[0]
        }
    }
}

/// Every record on every set; how many hold.
fn run(turn: u8) -> (usize, [[[Measured; 3]; 3]; 2]) {
    let (mut count, mut measured) = (0, [[[Measured::NONE; 3]; 3]; 2]);
    let mut records = Records(VECTORS);
    macro_rules! memory {
        ($S:ty) => {{
            static MEMORY: [Once<Memory<$S>>; 2] = [const {
                Once::new(Memory {
                    key: <$S as ParameterSet>::DecapsulationKeyBytes::ZERO,
                    ciphertext: <$S as ParameterSet>::CiphertextBytes::ZERO,
                    secret: [0; 32],
                    measured: [Measured::NONE; 3],
                    #[cfg(feature = "small")]
                    scratch: (kemstone::Scratch::new(), [Measured::NONE; 3]),
                })
            }; 2];
            MEMORY[usize::from(turn)].take()
        }};
    }
    let (Some(small), Some(middle), Some(large)) =
        (memory!(kemstone::MlKem512), memory!(kemstone::MlKem768), memory!(kemstone::MlKem1024))
    else {
        return (0, measured);
    };
    while !records.0.is_empty() {
        let [function, set] = records.array();
        count += usize::from(match set {
            0 => holds(small, &mut records, function, turn),
            1 => holds(middle, &mut records, function, turn),
            _ => holds(large, &mut records, function, turn),
        });
    }
    measured[0] = [small.measured, middle.measured, large.measured];
    #[cfg(feature = "small")]
    {
        measured[1] = [small.scratch.1, middle.scratch.1, large.scratch.1];
    }
    (count, measured)
}

fn say(parts: &[&str], numbers: &[usize]) {
    for (i, part) in parts.iter().enumerate() {
        let _ = Output.write_str(part);
        if let Some(number) = numbers.get(i) {
            decimal(*number);
        }
    }
    let _ = Output.write_str("\n");
}

/// The program: whether all went well.
fn main() -> bool {
    let (count, [measured, in_scratch]) = run(0);
    for (set, measured) in SETS.into_iter().zip(measured) {
        let _ = Output.write_str(set);
        say(
            &[" stack: generation ", ", encapsulation ", ", decapsulation "],
            &measured.map(|measured| measured.stack),
        );
        let mut in_scratch = in_scratch.into_iter().zip(SETS).filter(|(_, name)| *name == set);
        if let (true, Some((measured, _))) = (cfg!(feature = "small"), in_scratch.next()) {
            let _ = Output.write_str(set);
            say(
                &[" stack beside a scratch: generation ", ", encapsulation ", ", decapsulation "],
                &measured.map(|measured| measured.stack),
            );
        }
        if cfg!(target_arch = "riscv32") {
            let _ = Output.write_str(set);
            say(
                &[" instructions: generation ", ", encapsulation ", ", decapsulation "],
                &measured.map(|measured| measured.instructions),
            );
        }
    }
    let (wrong, _) = run(1);
    let _ = Output.write_str(kemstone::backend());
    say(&[": ", " of ", " vectors hold; with one bit turned in each answer, "], &[count, COUNT, wrong]);
    count == COUNT && wrong == 0
}
