//! Under an emulator, of another machine or of this one, its plugin (`.ci/measure/plugin`) records everything between two
//! markers, and writes it into the file that `KEMSTONE_EVENTS` names.

use std::collections::HashMap;
use std::hint::black_box;
use std::{env, fs};

use crate::{RHO, Shared, Trace};

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn measure_begin() {
    black_box(0);
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn measure_end() {
    black_box(1);
}

/// Nothing is recorded from here to `measure_resume`.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn measure_pause() {
    black_box(2);
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn measure_resume() {
    black_box(3);
}

/// An instruction that stops the program. It is no longer than any other.
#[cfg(target_arch = "x86_64")]
const BREAKPOINT: u8 = 0xcc;
#[cfg(target_arch = "aarch64")]
const BREAKPOINT: u32 = 0xd420_0000;
#[cfg(target_arch = "riscv64")]
const BREAKPOINT: u16 = 0x9002;

/// What is put in its place.
#[cfg(target_arch = "x86_64")]
type Instruction = u8;
#[cfg(target_arch = "aarch64")]
type Instruction = u32;
#[cfg(target_arch = "riscv64")]
type Instruction = u16;

/// The stack pointer, and the registers that hold a function's arguments.
#[cfg(target_arch = "x86_64")]
fn registers(context: &libc::ucontext_t) -> (u64, [u64; 6]) {
    use libc::{REG_R8, REG_R9, REG_RCX, REG_RDI, REG_RDX, REG_RSI, REG_RSP};
    let get = |register: i32| context.uc_mcontext.gregs[register as usize] as u64;
    (get(REG_RSP), [REG_RDI, REG_RSI, REG_RDX, REG_RCX, REG_R8, REG_R9].map(get))
}
#[cfg(target_arch = "aarch64")]
fn registers(context: &libc::ucontext_t) -> (u64, &[u64]) {
    (context.uc_mcontext.sp, &context.uc_mcontext.regs[..8])
}
#[cfg(target_arch = "riscv64")]
fn registers(context: &libc::ucontext_t) -> (u64, &[u64]) {
    (context.uc_mcontext.__gregs[2], &context.uc_mcontext.__gregs[10..18])
}

/// Makes the program go on with the instruction that the breakpoint took the place of.
fn step_back(_context: &mut libc::ucontext_t) {
    // Elsewhere a breakpoint does not count as done.
    #[cfg(target_arch = "x86_64")]
    {
        _context.uc_mcontext.gregs[libc::REG_RIP as usize] -= 1;
    }
}

/// Is the instruction at this address a division?
#[cfg(target_arch = "x86_64")]
fn divides(at: u64) -> bool {
    use iced_x86::{Decoder, DecoderOptions, Mnemonic};
    // SAFETY: the program has run what is there; it is followed by other code or data of the same section.
    let code = unsafe { core::slice::from_raw_parts(at as *const u8, 15) };
    let instruction = Decoder::with_ip(64, code, at, DecoderOptions::NONE).decode();
    matches!(instruction.mnemonic(), Mnemonic::Div | Mnemonic::Idiv)
}
#[cfg(target_arch = "aarch64")]
fn divides(at: u64) -> bool {
    // SAFETY: the program has run what is there.
    let code = unsafe { (at as *const u32).read() };
    // UDIV, SDIV
    code & 0x7fe0_f800 == 0x1ac0_0800
}
#[cfg(target_arch = "riscv64")]
fn divides(at: u64) -> bool {
    // SAFETY: the program has run what is there.
    let low = unsafe { (at as *const u16).read() };
    if low & 3 != 3 {
        return false; // none of the short ones divides
    }
    // SAFETY: this one has two halves.
    let code = u32::from(low) | u32::from(unsafe { (at as *const u16).add(1).read() }) << 16;
    // (DIV, REM)[U][W]; V(DIV, REM)[U]
    code & 0xfe00_4077 == 0x0200_4033 || code & 0xf000_307f == 0x8000_2057
}

/// What the handler knows and writes.
struct Recorder {
    events: String,
    /// Where `k_pke::key_gen` begins, for every parameter set and backend, and how.
    key_gen: Vec<(*mut Instruction, Instruction)>,
    /// What key generation computes of d.
    rho_sigma: Option<[u8; 64]>,
}

static RECORDER: Shared<Recorder> = Shared::new();

/// `k_pke::key_gen` begins at each of these addresses.
pub(crate) fn set_up(key_gen: Vec<u64>) {
    const PAGE: u64 = 4096;
    let key_gen = key_gen.into_iter().map(|at| {
        let page = (at & !(PAGE - 1)) as *mut libc::c_void;
        // SAFETY: what was there can still be read and run.
        let changed = unsafe {
            libc::mprotect(page, PAGE as usize, libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC)
        };
        assert_eq!(changed, 0, "the program's code cannot be written");
        let at = at as *mut Instruction;
        // SAFETY: it is code.
        (at, unsafe { at.read() })
    });
    let events = env::var("KEMSTONE_EVENTS").expect("KEMSTONE_EVENTS");
    let recorder = Recorder { events, key_gen: key_gen.collect(), rho_sigma: None };
    RECORDER.set(recorder);
    // SAFETY: the handler has the signature that SA_SIGINFO asks for.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = HANDLER as usize;
        action.sa_flags = libc::SA_SIGINFO;
        assert_eq!(libc::sigaction(libc::SIGTRAP, &action, core::ptr::null_mut()), 0);
    }
}

/// The next run generates a key and will compute this of its seed.
pub(crate) fn rho_sigma(bytes: [u8; 64]) {
    RECORDER.get().rho_sigma = Some(bytes);
}

#[cfg(not(target_arch = "x86_64"))]
const HANDLER: *const () = trap as *const ();
/// QEMU 7.2 calls a handler with a stack that is not aligned as the ABI asks for, and refuses the aligned stores that follow.
#[cfg(target_arch = "x86_64")]
const HANDLER: *const () = {
    #[unsafe(naked)]
    extern "C" fn aligned() {
        core::arch::naked_asm!(
            "push rbp", "mov rbp, rsp", "and rsp, -16", "call {}", "mov rsp, rbp", "pop rbp", "ret", sym trap
        )
    }
    aligned as *const ()
};

extern "C" fn trap(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    measure_pause();
    let recorder = RECORDER.get();
    recorder.remove_breakpoints();
    // SAFETY: the kernel's third argument to a handler installed with SA_SIGINFO.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    step_back(context);
    recorder.replace_rho(context);
    measure_resume();
}

impl Recorder {
    fn set_breakpoints(&self) {
        for (at, _) in &self.key_gen {
            // SAFETY: `set_up` made the page writable. The emulator notices that code changes.
            unsafe { at.write_volatile(BREAKPOINT) };
        }
    }

    fn remove_breakpoints(&self) {
        for (at, instruction) in &self.key_gen {
            // SAFETY: as above.
            unsafe { at.write_volatile(*instruction) };
        }
    }

    /// Key generation has computed rho and sigma and calls what goes on from there: another rho is put in the first one's
    /// place, the same for every seed.
    fn replace_rho(&mut self, context: &libc::ucontext_t) {
        let (stack, arguments) = registers(context);
        for address in arguments.iter().copied() {
            // It is a local variable of the caller.
            if !(stack..stack + (1 << 17)).contains(&address) {
                continue;
            }
            // SAFETY: the stack goes on for longer than that, and nobody uses these bytes during the trap.
            let bytes = unsafe { &mut *(address as *mut [u8; 64]) };
            if Some(*bytes) == self.rho_sigma {
                bytes[..32].copy_from_slice(&RHO);
                return;
            }
        }
    }
}

/// Runs `code` between the markers.
#[inline(never)]
pub(crate) fn record(code: &mut dyn FnMut(), trace: &mut Trace) {
    let recorder = RECORDER.get();
    if recorder.rho_sigma.is_some() {
        recorder.set_breakpoints();
    }
    measure_begin();
    code();
    measure_end();
    let recorder = RECORDER.get();
    recorder.remove_breakpoints();
    recorder.rho_sigma = None;
    let bytes = fs::read(&recorder.events).expect("the plugin has written what has run");
    // So that the next run cannot be taken for this one.
    fs::remove_file(&recorder.events).expect("its file can be removed");
    let (events, _) = bytes.as_chunks();
    trace.events = events.iter().map(|event| u64::from_le_bytes(*event)).collect();
    trace.instructions = trace.events.iter().filter(|event| *event & 1 == 0).count() as u64;
    trace.divisions = divisions(&trace.events);
}

/// Where it divided, each place once.
fn divisions(events: &[u64]) -> Vec<u64> {
    const PAGE: u64 = 4096;
    // What has been looked at. Instructions mostly follow others of their page.
    let (mut pages, mut indices) = (Vec::new(), HashMap::new());
    let (mut page, mut index) = (u64::MAX, 0);
    let mut divisions = Vec::new();
    for at in events.iter().filter(|event| *event & 1 == 0).map(|event| event >> 1) {
        if at & !(PAGE - 1) != page {
            page = at & !(PAGE - 1);
            index = *indices.entry(page).or_insert_with(|| {
                pages.push([false; PAGE as usize]);
                pages.len() - 1
            });
        }
        let seen = &mut pages[index][(at - page) as usize];
        if !core::mem::replace(seen, true) && divides(at) {
            divisions.push(at);
        }
    }
    divisions
}
