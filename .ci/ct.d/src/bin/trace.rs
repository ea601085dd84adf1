//! Runs every operation step by step and compares: for different secrets and the same public data, the same instructions
//! must run in the same order and touch the same addresses; none of them may be a division.
//!
//! `trace BACKEND[:SET]...`: the operations of these backends and parameter sets.
//!
//! The CPU's trap flag makes it stop after each instruction, on whatever instructions it has (AVX-512 too). The handler of
//! these traps notes where the program is and which memory the instruction there will touch.

use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::{env, fs, process};

use iced_x86::{Decoder, DecoderOptions, InstructionInfoFactory, Mnemonic, OpAccess, Register, UsedMemory};
use kemstone::backend::select::Selected;
use kemstone_ct::wrapped::Added;
use kemstone_ct::{CHOICES, Tool, operations, planted};
use object::{Object, ObjectSymbol};

/// What every key is generated from in place of its own rho: the matrix A is public, and its sampling may depend on it.
const RHO: [u8; 32] = [0x5a; 32];

/// What an instruction does, as far as it is of interest.
struct Decoded {
    memory: Vec<UsedMemory>,
    divides: bool,
}

/// What the handler knows and writes.
struct Recorder {
    /// 2 p for an instruction at p, 2 a + 1 for memory at a.
    events: Vec<u64>,
    instructions: u64,
    divisions: Vec<u64>,
    decoded: HashMap<u64, Decoded>,
    factory: InstructionInfoFactory,
    /// Where `k_pke::key_gen` begins, for every parameter set and backend.
    key_gen: Vec<u64>,
    /// What key generation computes of d.
    rho_sigma: Option<[u8; 64]>,
    /// An instruction whose addresses are not understood.
    unknown: Option<u64>,
}

struct Shared(UnsafeCell<Option<Recorder>>);

// SAFETY: there is one thread, and its handler runs only while the code under examination does.
unsafe impl Sync for Shared {}

static RECORDER: Shared = Shared(UnsafeCell::new(None));

/// Not while `examine` runs code.
fn recorder() -> &'static mut Recorder {
    // SAFETY: as for `Sync`.
    unsafe { (*RECORDER.0.get()).as_mut() }.expect("set up in main")
}

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
    let recorder = recorder();
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
        self.instructions += 1;
        self.events.push(at << 1);
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
            }
        });
        if decoded.divides {
            self.divisions.push(at);
        }
        for memory in &decoded.memory {
            match memory.virtual_address(0, |register, _, _| registers.get(register)) {
                Some(address) => self.events.push(address << 1 | 1),
                None => self.unknown = Some(at),
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

/// The functions of this program, by the addresses they are loaded at.
fn functions() -> Vec<(u64, String)> {
    let path = env::current_exe().expect("this program");
    let maps = fs::read_to_string("/proc/self/maps").expect("its memory");
    let mapping = maps.lines().find(|line| line.ends_with(path.to_str().unwrap())).expect("its own file");
    let base = u64::from_str_radix(mapping.split('-').next().unwrap(), 16).unwrap();
    let data = fs::read(path).expect("its own file");
    let file = object::File::parse(&*data).expect("an ELF file");
    let base = if file.kind() == object::ObjectKind::Dynamic { base } else { 0 };
    let symbols = file.symbols().filter(|symbol| symbol.kind() == object::SymbolKind::Text);
    let mut functions: Vec<_> =
        symbols.map(|symbol| (symbol.address() + base, symbol.name().unwrap_or("?").to_owned())).collect();
    functions.sort();
    functions
}

/// What one run of the code under examination did.
#[derive(Default)]
struct Trace {
    events: Vec<u64>,
    instructions: u64,
    divisions: Vec<u64>,
}

struct Stepper {
    backend: Selected,
    functions: Vec<(u64, String)>,
    /// The run at hand, or none: then the code runs without steps, to warm up.
    trace: Option<Trace>,
    /// Key generation must have been given another rho.
    replaced: bool,
    instructions: u64,
    addresses: u64,
    operations: u64,
    leaks: u64,
    failures: Vec<String>,
}

impl Stepper {
    fn name(&self, address: u64) -> String {
        let next = self.functions.partition_point(|(start, _)| *start <= address);
        match self.functions[..next].last() {
            Some((start, name)) if address - start < 1 << 16 => format!("{name} + {:#x}", address - start),
            _ => format!("{address:#x}"),
        }
    }

    /// Runs all choices; what makes their traces differ, if anything does.
    fn leaks(&mut self, run: &mut dyn FnMut(&mut Self, usize)) -> (Trace, Vec<String>) {
        let mut traces = Vec::new();
        // All calls are made from this function, so that their stack is at the same address. The first one is to warm up.
        for run_number in 0..=CHOICES {
            self.trace = (run_number > 0).then(Trace::default);
            run(self, run_number.saturating_sub(1));
            traces.extend(self.trace.take());
        }
        let first = traces.remove(0);
        let mut leaks = Vec::new();
        for (choice, trace) in (1..).zip(traces) {
            self.instructions += trace.instructions;
            self.addresses += trace.events.len() as u64 - trace.instructions;
            if trace.events != first.events {
                let same = first.events.iter().zip(&trace.events).take_while(|(a, b)| a == b).count();
                let at =
                    first.events[..same].iter().rev().find(|event| *event & 1 == 0).copied().unwrap_or(0);
                let what = match first.events.get(same) {
                    Some(event) if event & 1 == 1 => "addresses differ at",
                    _ => "paths differ after",
                };
                leaks.push(format!("choices 0 and {choice}: {what} {}", self.name(at >> 1)));
            }
        }
        self.instructions += first.instructions;
        self.addresses += first.events.len() as u64 - first.instructions;
        let mut divisions = first.divisions.clone();
        divisions.dedup();
        leaks.extend(divisions.iter().map(|at| format!("division at {}", self.name(*at))));
        (first, leaks)
    }
}

impl Tool for Stepper {
    const MARKS: bool = false;

    fn backends(&self) -> Vec<Selected> {
        vec![self.backend]
    }

    fn operation(&mut self, name: &str, _decisions: u64, run: &mut dyn FnMut(&mut Self, usize)) {
        let (trace, leaks) = self.leaks(run);
        let addresses = trace.events.len() as u64 - trace.instructions;
        println!("{name}: {} instructions, {addresses} addresses", trace.instructions);
        if trace.instructions < 30 {
            self.failures.push(format!("{name}: nothing has been traced"));
        }
        self.failures.extend(leaks.iter().map(|leak| format!("{name}: {leak}")));
        self.operations += 1;
    }

    fn planted(&mut self, name: &str, function: &str, _seen: bool, run: &mut dyn FnMut(&mut Self, usize)) {
        let (_, leaks) = self.leaks(run);
        println!("planted {name}:");
        let leaks: Vec<_> = leaks.into_iter().filter(|leak| leak.contains(function)).collect();
        leaks.iter().for_each(|leak| println!("    {leak}"));
        match leaks.is_empty() {
            true => self.failures.push(format!("planted leak not found: {name}")),
            false => self.leaks += 1,
        }
    }

    fn clean(&mut self, name: &str, run: &mut dyn FnMut(&mut Self, usize)) {
        let (_, leaks) = self.leaks(run);
        println!("nothing planted: {name}");
        self.failures.extend(leaks.iter().map(|leak| format!("found where nothing is, {name}: {leak}")));
    }

    fn secret(&mut self, _bytes: &[u8]) {}

    fn derived(&mut self, _bytes: &[u8]) {}

    fn rho_sigma(&mut self, bytes: [u8; 64]) {
        if self.trace.is_some() {
            recorder().rho_sigma = Some(bytes);
            self.replaced = true;
        }
    }

    fn expanded(&mut self, ek: &[u8]) {
        if core::mem::take(&mut self.replaced) && !ek.ends_with(&RHO) {
            self.failures.push("rho could not be replaced in key generation".to_owned());
        }
    }

    fn examine(&mut self, code: &mut dyn FnMut()) {
        let Some(trace) = &mut self.trace else { return code() };
        step_through(code);
        let recorder = recorder();
        trace.events.clone_from(&recorder.events);
        trace.instructions = core::mem::take(&mut recorder.instructions);
        trace.divisions = core::mem::take(&mut recorder.divisions);
        recorder.events.clear();
        recorder.rho_sigma = None;
        if let Some(at) = recorder.unknown.take() {
            let at = self.name(at);
            self.failures.push(format!("addresses of the instruction at {at} are not understood"));
        }
    }
}

#[derive(Clone, Copy)]
struct Nothing;

impl Added for Nothing {}

fn main() {
    let functions = functions();
    let key_gen: Vec<u64> = functions
        .iter()
        .filter(|(_, name)| name.contains("5k_pke7key_gen"))
        .map(|(start, _)| *start)
        .collect();
    // SAFETY: nothing is being examined.
    unsafe {
        *RECORDER.0.get() = Some(Recorder {
            events: Vec::with_capacity(1 << 23),
            instructions: 0,
            divisions: Vec::new(),
            decoded: HashMap::new(),
            factory: InstructionInfoFactory::new(),
            key_gen,
            rho_sigma: None,
            unknown: None,
        });
    }
    install_handler();
    let mut stepper = Stepper {
        backend: Selected::by_name("portable").expect("portable"),
        functions,
        trace: None,
        replaced: false,
        instructions: 0,
        addresses: 0,
        operations: 0,
        leaks: 0,
        failures: Vec::new(),
    };
    planted::all(&mut stepper, true);
    operations::comparisons(&mut stepper);
    for what in env::args().skip(1) {
        let (name, set) = what.split_once(':').unwrap_or((&what, ""));
        let Some(backend) = Selected::by_name(name) else {
            stepper.failures.push(format!("this machine has no {name}"));
            continue;
        };
        stepper.backend = backend;
        let before = stepper.operations;
        for (name, operations) in [
            ("ml_kem_512", operations::ml_kem_512::<Stepper, Nothing> as fn(&mut Stepper)),
            ("ml_kem_768", operations::ml_kem_768::<Stepper, Nothing>),
            ("ml_kem_1024", operations::ml_kem_1024::<Stepper, Nothing>),
        ] {
            if set.is_empty() || set == name {
                operations(&mut stepper);
            }
        }
        assert_eq!((stepper.operations - before) % 11, 0, "something has not run");
        assert!(stepper.operations > before, "no parameter set {set}");
    }
    println!(
        "{} operations with {CHOICES} choices of secrets each; {} instructions and {} addresses compared; {} planted \
         leaks found",
        stepper.operations, stepper.instructions, stepper.addresses, stepper.leaks
    );
    for failure in &stepper.failures {
        println!("FAILED: {failure}");
    }
    process::exit(i32::from(!stepper.failures.is_empty()));
}
