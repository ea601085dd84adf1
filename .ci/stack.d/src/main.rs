//! The stack that each call takes on a Cortex-M4: prints a line for each, as `tests/stack.rs` writes them, by way of
//! semihosting.
#![no_std]
#![no_main]

extern crate alloc;

#[path = "../../../examples/embedded/src/board.rs"]
#[allow(dead_code)] // more is needed there
mod board;
#[path = "../../../tests/support/calls.rs"]
mod calls;

use core::alloc::{GlobalAlloc, Layout};
use core::fmt::Write;
use core::hint::black_box;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use board::{Output, stack_of};
use calls::{Build, Call, SETS};

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

fn main() -> bool {
    // That it sees what is there to be seen.
    let nothing = stack_of(&mut || ());
    let array = stack_of(&mut || {
        let mut array = [1u8; 10_000];
        black_box(&mut array);
    });
    if nothing >= 256 || !(10_000..10_500).contains(&array) {
        let _ = writeln!(Output, "an array of 10 000 bytes takes {array}");
        return false;
    }
    for (set, (name, calls)) in SETS.iter().enumerate() {
        calls(&mut |call: Call<'_>| {
            let limit = call.limit(Build::Cortex, set);
            let bytes = stack_of(&mut *call.run).saturating_sub(nothing);
            let Call { name: title, class, result, .. } = call;
            let _ = writeln!(Output, "thumbv7em\t{name}\t{title}\t{class:?}\t{result}\t{bytes}\t{limit}");
        });
    }
    true
}
