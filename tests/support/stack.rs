//! Runs a function on a thread whose stack is the caller's own memory: painted before, readable afterwards.

use std::collections::{HashMap, HashSet};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{mem, ptr};

/// What the stack is painted with: a pattern that no key, hash or polynomial holds.
const PAINT: [u8; 8] = [0xc5, 0x3a, 0x96, 0x5c, 0xa7, 0x69, 0xe1, 0x1e];

/// Bytes of stack a test may use, well above what any operation takes even without optimisation.
const SIZE: usize = 1 << 20;

/// Memory for a stack, aligned to pages of any common size.
#[repr(align(65536))]
struct Memory([u8; SIZE]);

/// A stack after its thread has ended.
pub(crate) struct Used {
    memory: Box<Memory>,
    /// Offset of the frame that called the function.
    caller: usize,
}

struct Task<'a> {
    run: Option<&'a mut dyn FnMut()>,
    /// Address of a local variable in the frame that calls `run`.
    caller: usize,
    panicked: bool,
}

/// Runs `f` on a freshly painted stack.
#[allow(clippy::incompatible_msrv)] // the oldest Rust builds the library; tests need a newer one
pub(crate) fn run(mut f: impl FnMut() + Send) -> Used {
    // SAFETY: every bit pattern is valid for an array of bytes, so zeroed memory is a value of `Memory`.
    let mut memory = unsafe { Box::<Memory>::new_zeroed().assume_init() };
    for bytes in memory.0.as_chunks_mut().0 {
        *bytes = PAINT;
    }
    let start = memory.0.as_mut_ptr();
    let mut task = Task { run: Some(&mut f), caller: 0, panicked: false };
    // SAFETY: `attributes` is initialised before use. The stack is `SIZE` bytes that nothing else refers to until
    // the thread has been joined; `task` outlives the thread for the same reason, and only the thread uses it.
    unsafe {
        let mut attributes = mem::zeroed::<libc::pthread_attr_t>();
        assert_eq!(libc::pthread_attr_init(&mut attributes), 0);
        assert_eq!(libc::pthread_attr_setstack(&mut attributes, start.cast(), SIZE), 0);
        let mut thread = mem::zeroed::<libc::pthread_t>();
        let argument = ptr::from_mut(&mut task).cast();
        assert_eq!(libc::pthread_create(&mut thread, &attributes, main, argument), 0);
        assert_eq!(libc::pthread_join(thread, ptr::null_mut()), 0);
        assert_eq!(libc::pthread_attr_destroy(&mut attributes), 0);
    }
    assert!(!task.panicked, "the function panicked");
    let caller = task.caller.checked_sub(start.addr()).expect("the caller's frame lies in the stack");
    assert!(caller < SIZE, "the caller's frame lies in the stack");
    Used { memory, caller }
}

/// The thread's first function.
extern "C" fn main(argument: *mut c_void) -> *mut c_void {
    // SAFETY: `run` passes a task that lives until this thread has been joined and that nobody else uses.
    let task = unsafe { &mut *argument.cast::<Task<'_>>() };
    call(task);
    ptr::null_mut()
}

#[inline(never)]
fn call(task: &mut Task<'_>) {
    let here = 0u8;
    task.caller = std::hint::black_box(&here as *const u8).addr();
    if let Some(run) = task.run.take() {
        task.panicked = catch_unwind(AssertUnwindSafe(run)).is_err();
    }
}

impl Used {
    /// Bytes between the frame that called the function and the lowest byte that was written.
    pub(crate) fn peak(&self) -> usize {
        let untouched = self.memory.0.as_chunks().0.iter().take_while(|bytes| **bytes == PAINT).count();
        let lowest = untouched * PAINT.len();
        assert!(lowest > 0, "the stack was too small");
        self.caller - lowest
    }

    /// How many windows of `WINDOW` consecutive bytes of `secret` are still somewhere below the frame
    /// that called the function, and where the first of them is: (count, offset in the secret, distance from the frame).
    ///
    /// Windows with fewer than `distinct` different bytes tell too little and are left out.
    pub(crate) fn find(
        &self,
        secret: &[u8],
        window: usize,
        distinct: usize,
    ) -> Option<(usize, usize, usize)> {
        let below = &self.memory.0[..self.caller];
        let lowest = self.caller - self.peak();
        let mut starts: HashMap<&[u8], usize> = HashMap::new();
        for (offset, bytes) in secret.windows(window).enumerate().rev() {
            if bytes.iter().collect::<HashSet<_>>().len() >= distinct {
                starts.insert(bytes, offset);
            }
        }
        let mut found: Option<(usize, usize, usize)> = None;
        for (at, bytes) in below[lowest..].windows(window).enumerate() {
            if let Some(&offset) = starts.get(bytes) {
                let first = (1, offset, self.caller - lowest - at);
                found = Some(found.map_or(first, |(count, offset, distance)| (count + 1, offset, distance)));
            }
        }
        found
    }
}
