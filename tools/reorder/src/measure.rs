//! Time on this machine.

use std::arch::asm;
use std::arch::x86_64::{_mm_lfence, _rdtsc};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use memmap2::{Mmap, MmapMut};

use crate::keccak::{State, round};
use crate::step::{Encoding, Step};
use crate::units::Unit;

/// From one candidate's code to the next.
const STRIDE: usize = 1 << 13;

/// 24 rounds in a function of the System V ABI: of the state, a second one, the first constant, the end of the constants, and
/// the tables of [`Data`].
pub fn function(unit: Unit, encoding: Encoding, steps: &[Step]) -> String {
    let round: String = steps.iter().map(|step| step.assembly(encoding) + "\n").collect();
    let mut text = unit.enter(encoding.width) + ".p2align 6\n2:\n" + &round;
    if unit.rounds() == 2 {
        // The second begins where the first has left its result.
        let back = round.replace("[rdi", "[second").replace("[rsi", "[rdi").replace("[second", "[rsi");
        text += &back.replace("[rdx]", "[rdx + 8]");
    }
    text += &format!("add rdx, {}\ncmp rdx, rcx\njne 2b\n", 8 * unit.rounds());
    text + &unit.leave(encoding.width) + "vzeroupper\nret\n"
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Machine code of several functions.
pub struct Code {
    code: Mmap,
    count: usize,
}

impl Code {
    pub fn new(functions: &[String], folder: &Path) -> Self {
        let mut text = String::from(".intel_syntax noprefix\n");
        for function in functions {
            writeln!(text, ".p2align {}\n{function}", STRIDE.ilog2()).expect("a string");
        }
        let [source, object, binary] =
            ["s", "o", "bin"].map(|end| folder.join("candidates").with_extension(end));
        std::fs::write(&source, text).expect("a file in the temporary folder");
        run(Command::new("as").arg("-o").arg(&object).arg(&source));
        run(Command::new("objcopy").args(["-O", "binary", "-j", ".text"]).arg(&object).arg(&binary));
        let bytes = std::fs::read(&binary).expect("what objcopy has written");
        assert!(bytes.len() <= functions.len() * STRIDE, "a function is longer than {STRIDE} bytes");
        let mut code = MmapMut::map_anon(bytes.len()).expect("memory");
        code.copy_from_slice(&bytes);
        Self { code: code.make_exec().expect("executable memory"), count: functions.len() }
    }

    pub fn call(&self, which: usize, data: &mut Data) {
        assert!(which < self.count);
        let address = self.code[which * STRIDE..].as_ptr();
        let constants = data.constants.as_ptr_range();
        // SAFETY: the code at this address is `function`'s: it follows this calling convention, touches no memory but the two
        // states, the constants and the controls, and the processor has its instructions, or this process ends.
        unsafe {
            let function: extern "sysv64" fn(*mut u64, *mut u64, *const u64, *const u64, *const u64) =
                std::mem::transmute(address);
            let (state, second) = (data.state.0.as_mut_ptr(), data.second.0.as_mut_ptr());
            function(state, second, constants.start, constants.end, data.tables.0.as_ptr());
        }
    }

    /// Whether a function permutes, judged by the plain round.
    pub fn permutes(&self, which: usize, unit: Unit, encoding: Encoding, data: &mut Data) -> bool {
        let before = data.fill(unit, 5);
        self.call(which, data);
        // In the width of the encoding; the other slots stay as they were.
        before.into_iter().enumerate().all(|(slot, mut state)| {
            if slot < unit.used(encoding) {
                for constant in data.constants {
                    state = round(&state, constant);
                }
            }
            data.slot(unit, slot) == state
        })
    }

    /// The least time of each in turns: ticks of a permutation.
    pub fn times(&self, rounds: usize, data: &mut Data) -> Vec<f64> {
        const CALLS: u32 = 16;
        let mut least = vec![u64::MAX; self.count];
        for _ in 0..rounds {
            for (which, least) in least.iter_mut().enumerate() {
                self.call(which, data);
                let start = ticks();
                for _ in 0..CALLS {
                    self.call(which, data);
                }
                *least = (*least).min(ticks() - start);
            }
        }
        least.into_iter().map(|ticks| ticks as f64 / f64::from(CALLS)).collect()
    }
}

/// What a permutation works on.
pub struct Data {
    state: Words<200>,
    second: Words<200>,
    constants: [u64; 24],
    tables: Words<80>,
}

#[repr(align(64))]
struct Words<const N: usize>([u64; N]);

impl Data {
    pub fn new() -> Self {
        // The controls that rotate by one byte and by seven, the turns by 1 to 4, and rho of registers 0 to 4.
        let mut tables = Vec::new();
        for n in [1, 7] {
            let low = 0x0706_0504_0302_0100_u64.rotate_left(8 * n);
            tables.extend([low, low + 0x0808_0808_0808_0808, low, low + 0x0808_0808_0808_0808]);
        }
        for r in 1..5 {
            tables.extend((0..8).map(|x| if x < 5 { (x + r) % 5 } else { x }));
        }
        let rho = crate::keccak::rho();
        for f in 0..5 {
            tables.extend((0..8).map(|x| if x < 5 { u64::from(rho[x + 5 * ((x + f) % 5)]) } else { 0 }));
        }
        Self {
            state: Words([0; 200]),
            second: Words([0; 200]),
            constants: crate::keccak::constants(),
            tables: Words(tables.try_into().expect("80 words")),
        }
    }

    /// Puts a random state into every slot.
    pub fn fill(&mut self, unit: Unit, seed: u64) -> Vec<State> {
        let mut random = fastrand::Rng::with_seed(seed);
        self.state.0.fill_with(|| random.u64(..));
        (0..unit.slots()).map(|slot| self.slot(unit, slot)).collect()
    }

    /// The state in a slot.
    pub fn slot(&self, unit: Unit, slot: usize) -> State {
        std::array::from_fn(|lane| self.state.0[unit.slots() * lane + slot])
    }
}

fn ticks() -> u64 {
    // SAFETY: SSE2 is part of x86-64, and every kernel in use lets programs read the counter.
    unsafe {
        _mm_lfence();
        let now = _rdtsc();
        _mm_lfence();
        now
    }
}

/// Ticks of the counter in a core cycle, by a chain of additions of one cycle each.
pub fn ticks_per_cycle() -> f64 {
    let chain = |_| {
        let start = ticks();
        let mut x = 1u64;
        for _ in 0..100 {
            // SAFETY: touches one register.
            unsafe { asm!(".rept 100", "add {x}, {x}", ".endr", x = inout(reg) x, options(nomem, nostack)) };
        }
        std::hint::black_box(x);
        ticks() - start
    };
    (0..50).map(chain).min().unwrap_or(0) as f64 / 10_000.0
}
