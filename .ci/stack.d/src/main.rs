//! The stack that each call takes on a Cortex-M4: prints a line for each, as `tests/stack.rs` writes them, by way of
//! semihosting.
#![no_std]
#![no_main]

extern crate alloc;

#[path = "../../../tests/support/calls.rs"]
mod calls;

use core::alloc::{GlobalAlloc, Layout};
use core::arch::asm;
use core::fmt::{self, Write};
use core::hint::black_box;
use core::panic::PanicInfo;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use calls::{Build, Call, SETS};

/// What the stack is painted with.
const PAINT: u32 = 0xc53a_965c;

unsafe extern "C" {
    static mut stack_low: u32;
    static stack_top: u32;
}

/// What the processor reads at the start: the stack, where to begin, and where each fault goes.
#[repr(C)]
struct Vectors(*const u32, unsafe extern "C" fn() -> !, [unsafe extern "C" fn() -> !; 14]);

// SAFETY: nobody writes it.
unsafe impl Sync for Vectors {}

#[unsafe(link_section = ".vectors")]
#[used]
static VECTORS: Vectors = Vectors(&raw const stack_top, reset, [fault; 14]);

/// A request to the emulator.
fn semihost(operation: usize, argument: usize) {
    // SAFETY: the emulator reads what `argument` points to, and answers in r0.
    unsafe { asm!("bkpt 0xab", inout("r0") operation => _, in("r1") argument, options(nostack)) };
}

/// Ends the program: with status 0 if all went well.
fn exit(well: bool) -> ! {
    const EXIT: usize = 0x18;
    semihost(EXIT, if well { 0x2_0026 } else { 0x2_0023 });
    loop {}
}

extern "C" fn fault() -> ! {
    let _ = writeln!(Host, "the processor reports a fault");
    exit(false)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let _ = writeln!(Host, "{info}");
    exit(false)
}

/// The emulator's standard output.
struct Host;

impl Write for Host {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        const WRITE_CHARACTER: usize = 0x03;
        for byte in text.bytes() {
            semihost(WRITE_CHARACTER, (&raw const byte).addr());
        }
        Ok(())
    }
}

/// Memory for the few keys on the heap, of which none is given back.
struct Heap;

const HEAP: usize = 1 << 20;

#[repr(align(64))]
#[allow(dead_code)] // it is used by its address
struct Room([u8; HEAP]);

static mut ROOM: Room = Room([0; HEAP]);
static TAKEN: AtomicUsize = AtomicUsize::new(0);

// SAFETY: no two answers overlap, and each is aligned.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let at = TAKEN.load(Ordering::Relaxed).next_multiple_of(layout.align());
        if layout.align() > 64 || at + layout.size() > HEAP {
            return ptr::null_mut();
        }
        TAKEN.store(at + layout.size(), Ordering::Relaxed);
        // SAFETY: the offset is within the room.
        unsafe { (&raw mut ROOM).cast::<u8>().add(at) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Heap = Heap;

/// Bytes between this frame and the lowest word that `f` writes.
#[inline(never)]
fn peak(f: &mut dyn FnMut()) -> usize {
    let low = &raw mut stack_low;
    let here: *mut u32;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) here, options(nomem, nostack)) };
    let mut at = low;
    while at < here {
        // SAFETY: memory below the stack pointer, which nobody uses now.
        unsafe { at.write_volatile(PAINT) };
        at = at.wrapping_add(1);
    }
    f();
    at = low;
    // SAFETY: the same memory.
    while at < here && unsafe { at.read_volatile() } == PAINT {
        at = at.wrapping_add(1);
    }
    assert!(at > low, "the stack was too small");
    here.addr() - at.addr()
}

unsafe extern "C" fn reset() -> ! {
    // That it sees what is there to be seen.
    let nothing = peak(&mut || ());
    let array = peak(&mut || {
        let mut array = [1u8; 10_000];
        black_box(&mut array);
    });
    assert!(nothing < 256 && (10_000..10_500).contains(&array), "an array of 10 000 bytes takes {array}");
    for (set, (name, calls)) in SETS.iter().enumerate() {
        calls(&mut |call: Call<'_>| {
            let limit = call.limit(Build::Cortex, set);
            let bytes = peak(&mut *call.run).saturating_sub(nothing);
            let Call { name: title, class, result, .. } = call;
            let _ = writeln!(Host, "thumbv7em\t{name}\t{title}\t{class:?}\t{result}\t{bytes}\t{limit}");
        });
    }
    exit(true)
}
