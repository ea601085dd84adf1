//! A plugin of qemu's user emulation (plugin API 1): counts the instructions that the guest executes between its
//! calls of `measure_begin` and `measure_end`, and on request writes them down.
//!
//! Arguments: `counts=FILE`, a line for each region; `trace=DIRECTORY`, a file for each region with an
//! instruction a line, as the hexadecimal bytes that `llvm-mc --disassemble` reads; `functions=DIRECTORY`, a file for
//! each region with the instructions of every function; `events=FILE`, which holds the instructions and addresses of the
//! last region when `measure_end` returns, as 64-bit numbers: 2 p for an instruction at p, then 2 a + 1 for each address a
//! that it loads or stores, an element of a vector at a time where the emulator takes it so.
//!
//! Between `measure_pause` and `measure_resume` nothing is recorded.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fmt::Write as _;
use std::fs;

/// A translated block: its instructions' bytes, the function it is of, and whether it begins one of the marking
/// functions.
struct Block {
    function: String,
    marker: Option<Marker>,
    bytes: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Marker {
    Begin,
    End,
    Pause,
    Resume,
}

#[derive(Default)]
struct State {
    /// Addresses of the marking functions, the first address seen of each.
    markers: [Option<u64>; 4],
    measuring: bool,
    paused: bool,
    count: u64,
    executed: Vec<&'static Block>,
    regions: Vec<u64>,
    counts: Option<String>,
    trace: Option<String>,
    functions: Option<String>,
    events: Option<String>,
    /// What is to be written there.
    recorded: Vec<u64>,
}

thread_local! {
    // The guest has one thread, and so has the emulator that runs it.
    static STATE: RefCell<State> = RefCell::default();
}

type Id = u64;

unsafe extern "C" {
    fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, callback: extern "C" fn(Id, *mut c_void));
    fn qemu_plugin_register_vcpu_tb_exec_cb(
        block: *mut c_void,
        callback: extern "C" fn(c_uint, *mut c_void),
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut c_void,
        callback: extern "C" fn(c_uint, *mut c_void),
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_vcpu_mem_cb(
        instruction: *mut c_void,
        callback: extern "C" fn(c_uint, u32, u64, *mut c_void),
        flags: c_int,
        accesses: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_atexit_cb(id: Id, callback: extern "C" fn(Id, *mut c_void), data: *mut c_void);
    fn qemu_plugin_tb_n_insns(block: *const c_void) -> usize;
    fn qemu_plugin_tb_get_insn(block: *const c_void, index: usize) -> *mut c_void;
    fn qemu_plugin_insn_data(instruction: *const c_void) -> *const u8;
    fn qemu_plugin_insn_size(instruction: *const c_void) -> usize;
    fn qemu_plugin_insn_vaddr(instruction: *const c_void) -> u64;
    fn qemu_plugin_insn_symbol(instruction: *const c_void) -> *const c_char;
}

/// The version of the interface.
#[unsafe(no_mangle)]
pub static qemu_plugin_version: c_int = 1;

/// The name of the function that an instruction is of, if there are symbols.
fn function(instruction: *const c_void) -> String {
    // SAFETY: qemu hands out instructions of the block under translation; symbols are strings that end in a zero.
    unsafe {
        let symbol = qemu_plugin_insn_symbol(instruction);
        if symbol.is_null() { "?".into() } else { CStr::from_ptr(symbol).to_string_lossy().into_owned() }
    }
}

/// The marking function that begins at this instruction.
fn marker(instruction: *const c_void) -> Option<Marker> {
    // SAFETY: qemu hands out instructions of the block under translation, and their symbols live as long as it.
    let (symbol, address) =
        unsafe { (qemu_plugin_insn_symbol(instruction), qemu_plugin_insn_vaddr(instruction)) };
    if symbol.is_null() {
        return None;
    }
    // SAFETY: symbols are strings that end in a zero.
    let (index, marker) = match unsafe { CStr::from_ptr(symbol) }.to_bytes() {
        b"measure_begin" => (0, Marker::Begin),
        b"measure_end" => (1, Marker::End),
        b"measure_pause" => (2, Marker::Pause),
        b"measure_resume" => (3, Marker::Resume),
        _ => return None,
    };
    // The symbol covers the whole function.
    STATE.with_borrow_mut(|state| *state.markers[index].get_or_insert(address) == address).then_some(marker)
}

extern "C" fn translate(_: Id, block: *mut c_void) {
    // SAFETY: the block is under translation, and every index is below its number of instructions.
    let instructions: Vec<_> =
        unsafe { (0..qemu_plugin_tb_n_insns(block)).map(|i| qemu_plugin_tb_get_insn(block, i)).collect() };
    let bytes = instructions.iter().map(|&instruction| {
        // SAFETY: qemu keeps that many bytes of the instruction.
        unsafe {
            std::slice::from_raw_parts(qemu_plugin_insn_data(instruction), qemu_plugin_insn_size(instruction))
        }
        .to_vec()
    });
    let marker = instructions.first().and_then(|&first| marker(first));
    // Kept until the emulator exits: a block may run at any time.
    let function = instructions.first().map_or_else(String::new, |&first| function(first));
    let data: &'static Block = Box::leak(Box::new(Block { function, marker, bytes: bytes.collect() }));
    // SAFETY: `execute` reads a block, and this one is never freed.
    unsafe {
        qemu_plugin_register_vcpu_tb_exec_cb(block, execute, 0, std::ptr::from_ref(data).cast_mut().cast());
    }
    if STATE.with_borrow(|state| state.events.is_some()) {
        const LOADS_AND_STORES: c_int = 3;
        for &instruction in &instructions {
            // SAFETY: the instruction is of this block; the data is a number, and the second callback wants none.
            unsafe {
                let at = qemu_plugin_insn_vaddr(instruction) as *mut c_void;
                qemu_plugin_register_vcpu_insn_exec_cb(instruction, step, 0, at);
                let none = std::ptr::null_mut();
                qemu_plugin_register_vcpu_mem_cb(instruction, access, 0, LOADS_AND_STORES, none);
            }
        }
    }
}

fn record(event: u64) {
    STATE.with_borrow_mut(|state| {
        if state.measuring {
            state.recorded.push(event);
        }
    });
}

/// An instruction is about to run.
extern "C" fn step(_: c_uint, at: *mut c_void) {
    record((at as u64) << 1);
}

/// It has loaded or stored something.
extern "C" fn access(_: c_uint, _: u32, address: u64, _: *mut c_void) {
    record(address << 1 | 1);
}

extern "C" fn execute(_: c_uint, data: *mut c_void) {
    // SAFETY: `translate` registered a block.
    let block: &'static Block = unsafe { &*data.cast_const().cast() };
    STATE.with_borrow_mut(|state| match block.marker {
        Some(Marker::Begin) => {
            (state.measuring, state.count) = (true, 0);
            state.executed.clear();
            state.recorded.clear();
        }
        Some(Marker::Pause) => (state.measuring, state.paused) = (false, state.measuring),
        Some(Marker::Resume) => (state.measuring, state.paused) = (state.paused, false),
        Some(Marker::End) if state.measuring => {
            state.measuring = false;
            if let Some(directory) = &state.trace {
                write_trace(&format!("{directory}/{}", state.regions.len()), &state.executed);
            }
            if let Some(directory) = &state.functions {
                write_functions(&format!("{directory}/{}", state.regions.len()), &state.executed);
            }
            if let Some(file) = &state.events {
                let bytes: Vec<u8> = state.recorded.iter().flat_map(|event| event.to_le_bytes()).collect();
                fs::write(file, bytes).expect("the file of events can be written");
            }
            state.regions.push(state.count);
        }
        _ if state.measuring => {
            state.count += block.bytes.len() as u64;
            if state.trace.is_some() || state.functions.is_some() {
                state.executed.push(block);
            }
        }
        _ => (),
    });
}

fn write_functions(file: &str, blocks: &[&Block]) {
    let mut counts = BTreeMap::new();
    for block in blocks {
        *counts.entry(&block.function).or_insert(0) += block.bytes.len();
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(name, count)| (count, name)).collect();
    counts.sort();
    let text: String = counts.iter().rev().map(|(count, name)| format!("{count:>8} {name}\n")).collect();
    fs::write(file, text).expect("the directory can be written");
}

fn write_trace(file: &str, blocks: &[&Block]) {
    let mut text = String::new();
    for bytes in blocks.iter().flat_map(|block| &block.bytes) {
        for byte in bytes {
            write!(text, "0x{byte:02x} ").expect("a string takes everything");
        }
        text.push('\n');
    }
    fs::write(file, text).expect("the trace's directory can be written");
}

extern "C" fn finish(_: Id, _: *mut c_void) {
    STATE.with_borrow(|state| {
        let text: String = state.regions.iter().map(|count| format!("{count}\n")).collect();
        if let Some(file) = &state.counts {
            fs::write(file, text).expect("the file of counts can be written");
        }
    });
}

/// What qemu calls first.
///
/// # Safety
///
/// `arguments` are `count` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: Id,
    _: *const c_void,
    count: c_int,
    arguments: *const *const c_char,
) -> c_int {
    for i in 0..count as usize {
        // SAFETY: qemu passes so many strings.
        let argument = unsafe { CStr::from_ptr(*arguments.add(i)) }.to_string_lossy().into_owned();
        match argument.split_once('=') {
            Some(("counts", file)) => STATE.with_borrow_mut(|state| state.counts = Some(file.into())),
            Some(("functions", directory)) => {
                STATE.with_borrow_mut(|state| state.functions = Some(directory.into()));
            }
            Some(("events", file)) => STATE.with_borrow_mut(|state| state.events = Some(file.into())),
            Some(("trace", directory)) => STATE.with_borrow_mut(|state| state.trace = Some(directory.into())),
            _ => {
                eprintln!("measure: unknown argument {argument}");
                return 1;
            }
        }
    }
    // SAFETY: the callbacks stay where they are, and want no data.
    unsafe {
        qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
        qemu_plugin_register_atexit_cb(id, finish, std::ptr::null_mut());
    }
    0
}
