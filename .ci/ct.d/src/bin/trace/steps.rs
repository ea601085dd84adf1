//! On x86-64 the CPU's trap flag makes it stop after each instruction, on whatever instructions it has (AVX-512 too). The
//! handler of these traps notes where the program is and which memory the instruction there will touch.

use std::collections::HashMap;

use iced_x86::{Decoder, DecoderOptions, InstructionInfoFactory, Mnemonic, OpAccess, Register, UsedMemory};

use crate::{RHO, Shared, Trace};

/// What an instruction does, as far as it is of interest.
struct Decoded {
    memory: Vec<UsedMemory>,
    /// It divides; then by the register that is named, if it is one.
    divides: bool,
    divisor: Register,
}

/// What the handler knows and writes.
struct Recorder {
    trace: Trace,
    decoded: HashMap<u64, Decoded>,
    factory: InstructionInfoFactory,
    /// Where `k_pke::key_gen` begins, for every parameter set and backend.
    key_gen: Vec<u64>,
    /// What key generation computes of d.
    rho_sigma: Option<[u8; 64]>,
}

static RECORDER: Shared<Recorder> = Shared::new();

/// The registers at a trap.
struct Registers<'a>(&'a [libc::greg_t; 23]);

impl Registers<'_> {
    fn get(&self, register: Register) -> Option<u64> {
        let index = match register.full_register() {
            Register::RAX => libc::REG_RAX,
            Register::RBX => libc::REG_RBX,
            Register::RCX => libc::REG_RCX,
            Register::RDX => libc::REG_RDX,
            Register::RSI => libc::REG_RSI,
            Register::RDI => libc::REG_RDI,
            Register::RSP => libc::REG_RSP,
            Register::RBP => libc::REG_RBP,
            Register::R8 => libc::REG_R8,
            Register::R9 => libc::REG_R9,
            Register::R10 => libc::REG_R10,
            Register::R11 => libc::REG_R11,
            Register::R12 => libc::REG_R12,
            Register::R13 => libc::REG_R13,
            Register::R14 => libc::REG_R14,
            Register::R15 => libc::REG_R15,
            Register::RIP => libc::REG_RIP,
            // Bases of segments: zero, or the same throughout a thread.
            Register::CS | Register::DS | Register::ES | Register::SS | Register::FS | Register::GS => {
                return Some(0);
            }
            _ => return None,
        };
        Some(self.0[index as usize] as u64)
    }
}

extern "C" fn trap(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let recorder = RECORDER.get();
    // SAFETY: the kernel's third argument to a handler installed with SA_SIGINFO.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    let registers = Registers(&context.uc_mcontext.gregs);
    recorder.step(&registers);
}

impl Recorder {
    fn step(&mut self, registers: &Registers<'_>) {
        let at = registers.0[libc::REG_RIP as usize] as u64;
        if self.rho_sigma.is_some() && self.key_gen.contains(&at) {
            self.replace_rho(registers);
        }
        self.trace.instructions += 1;
        self.trace.events.push(at << 1);
        let factory = &mut self.factory;
        let decoded = self.decoded.entry(at).or_insert_with(|| {
            // SAFETY: the program is about to run what is there; it is followed by other code or data of the same section.
            let code = unsafe { core::slice::from_raw_parts(at as *const u8, 15) };
            let instruction = Decoder::with_ip(64, code, at, DecoderOptions::NONE).decode();
            let info = factory.info(&instruction);
            let touches = |m: &&UsedMemory| m.access() != OpAccess::NoMemAccess;
            Decoded {
                memory: info.used_memory().iter().filter(touches).copied().collect(),
                divides: matches!(instruction.mnemonic(), Mnemonic::Div | Mnemonic::Idiv),
                divisor: instruction.op0_register(),
            }
        });
        if decoded.divides {
            self.trace.divisions.push(at);
            let numbers = [Register::RAX, Register::RDX, decoded.divisor];
            let numbers = numbers.iter().filter(|&&register| register != Register::None);
            let numbers = numbers.filter_map(|&register| registers.get(register));
            self.trace.events.extend(numbers.map(|number| number << 1 | 1));
        }
        for memory in &decoded.memory {
            match memory.virtual_address(0, |register, _, _| registers.get(register)) {
                Some(address) => self.trace.events.push(address << 1 | 1),
                None => self.trace.unknown = Some(at),
            }
        }
    }

    /// Key generation has computed rho and sigma and calls what goes on from there: another rho is put in the first one's
    /// place, the same for every seed.
    fn replace_rho(&mut self, registers: &Registers<'_>) {
        let stack = registers.get(Register::RSP).unwrap_or(0);
        let arguments =
            [Register::RDI, Register::RSI, Register::RDX, Register::RCX, Register::R8, Register::R9];
        for address in arguments.iter().filter_map(|&register| registers.get(register)) {
            // It is a local variable of the caller.
            if !(stack..stack + (1 << 17)).contains(&address) {
                continue;
            }
            // SAFETY: the stack goes on for longer than that, and nobody uses these bytes during the trap.
            let bytes = unsafe { &mut *(address as *mut [u8; 64]) };
            if Some(*bytes) == self.rho_sigma {
                bytes[..32].copy_from_slice(&RHO);
                self.rho_sigma = None;
                return;
            }
        }
    }
}

/// Runs `code` with the trap flag on.
#[inline(never)]
fn step_through(code: &mut dyn FnMut()) {
    // SAFETY: only the trap flag changes; its traps go to `trap`, which changes no register.
    unsafe { core::arch::asm!("pushfq", "or dword ptr [rsp], 0x100", "popfq") };
    code();
    // SAFETY: as above.
    unsafe { core::arch::asm!("pushfq", "and dword ptr [rsp], 0xfffffeff", "popfq") };
}

/// Runs `code` step by step.
pub(crate) fn record(code: &mut dyn FnMut(), trace: &mut Trace) {
    step_through(code);
    let recorder = RECORDER.get();
    // The room for events is kept: the handler cannot allocate.
    trace.events.clone_from(&recorder.trace.events);
    recorder.trace.events.clear();
    trace.instructions = core::mem::take(&mut recorder.trace.instructions);
    trace.divisions = core::mem::take(&mut recorder.trace.divisions);
    trace.unknown = recorder.trace.unknown.take();
    recorder.rho_sigma = None;
}

/// The next run generates a key and will compute this of its seed.
pub(crate) fn rho_sigma(bytes: [u8; 64]) {
    RECORDER.get().rho_sigma = Some(bytes);
}

/// `k_pke::key_gen` begins at each of these addresses.
pub(crate) fn set_up(key_gen: Vec<u64>) {
    let trace = Trace { events: Vec::with_capacity(1 << 23), ..Trace::default() };
    let (decoded, factory) = (HashMap::new(), InstructionInfoFactory::new());
    RECORDER.set(Recorder { trace, decoded, factory, key_gen, rho_sigma: None });
    install_handler();
}

fn install_handler() {
    let stack = Vec::leak(vec![0_u8; 1 << 18]);
    let stack = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: stack.len() };
    // SAFETY: the stack lives as long as the program, and the handler has the signature that SA_SIGINFO asks for.
    unsafe {
        assert_eq!(libc::sigaltstack(&stack, core::ptr::null_mut()), 0);
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = trap as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        assert_eq!(libc::sigaction(libc::SIGTRAP, &action, core::ptr::null_mut()), 0);
    }
}
