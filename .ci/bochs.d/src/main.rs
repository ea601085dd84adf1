//! For `.ci/bochs`: the code that needs AVX-512 VBMI2, compared with the portable backend on an emulated processor that has it.
//! There is no operating system.

#![no_std]
#![no_main]

mod faults;
mod machine;
mod sampling;
mod whole;

use kemstone::backend::probe::Probe;
use kemstone::backend::select::Selected;
use kemstone::backend::x86_64::avx512::Avx512;

use machine::say;

fn run() {
    let Selected::Avx512(backend) = Selected::best() else {
        panic!("the backend is {}, not avx512", kemstone::backend())
    };
    let plain = backend.plain().expect("VBMI2 is not detected");
    say!("the backend is {}, with VBMI2", kemstone::backend());
    let faults = faults::look();
    // What takes least comes first, so that planted faults are found soon.
    sampling::beside_h(backend);
    sampling::kept(backend, faults);
    sampling::blocks(backend, plain, faults);
    whole::all(backend, plain, faults);
}

/// The same backend with the other opinion about the width of the processor: where eight states take as long as four, keys are
/// hashed in another way, which uses more of VBMI2. No model of the emulator is such a processor.
fn other_width(backend: Avx512, plain: Avx512) -> Avx512 {
    // SAFETY: a token is two `bool`s, which are bytes.
    let [mut bytes, plain_bytes] =
        [backend, plain].map(|token| unsafe { core::mem::transmute::<Avx512, [u8; 2]>(token) });
    // The two differ in what says that there is VBMI2, and so the other byte is the width.
    let width = usize::from(bytes[0] != plain_bytes[0]);
    assert!(
        bytes[width] == plain_bytes[width] && bytes[1 - width] == 1,
        "a token is laid out in another way"
    );
    bytes[width] ^= 1;
    // SAFETY: both bytes are 0 or 1, and the one that vouches for VBMI2 is as it was.
    unsafe { core::mem::transmute::<[u8; 2], Avx512>(bytes) }
}

/// Numbers that look like chance, the same in each run: a Weyl sequence, mixed (SplitMix64).
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    fn array<const L: usize>(&mut self) -> [u8; L] {
        let mut bytes = [0; L];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
        bytes
    }
}
