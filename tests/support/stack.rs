//! Runs a function on a thread whose stack is the caller's own memory: painted before, readable afterwards.

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
    run: Option<&'a mut (dyn FnMut() + Send)>,
    /// Address of a local variable in the frame that calls `run`.
    caller: usize,
    panicked: bool,
}

/// Runs `f` on a freshly painted stack. Not generic: there are hundreds of calls.
#[allow(clippy::incompatible_msrv)] // the oldest Rust builds the library; tests need a newer one
pub(crate) fn run(f: &mut (dyn FnMut() + Send)) -> Used {
    // SAFETY: every bit pattern is valid for an array of bytes, so zeroed memory is a value of `Memory`.
    let mut memory = unsafe { Box::<Memory>::new_zeroed().assume_init() };
    for bytes in memory.0.as_chunks_mut().0 {
        *bytes = PAINT;
    }
    let start = memory.0.as_mut_ptr();
    let mut task = Task { run: Some(f), caller: 0, panicked: false };
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

    /// What is still somewhere below the frame that called the function, of each thing that is sought.
    pub(crate) fn find(&self, sought: &Sought<'_>) -> Vec<Option<Found>> {
        let mut found: Vec<Option<Found>> = vec![None; sought.things.len()];
        let below = &self.memory.0[self.caller - self.peak()..self.caller];
        for (at, beginning) in below.windows(BEGINNING).enumerate() {
            for &(thing, offset) in sought.starting(beginning) {
                let (bytes, window) = sought.things[thing];
                if below.get(at..at + window) == Some(&bytes[offset..offset + window]) {
                    let first = Found { windows: 0, offset, distance: below.len() - at };
                    found[thing].get_or_insert(first).windows += 1;
                }
            }
        }
        found
    }
}

/// What is left of something that was sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) windows: usize,
    /// Where the deepest of them stands in the thing.
    pub(crate) offset: usize,
    /// How far below the frame that called the function it lies.
    pub(crate) distance: usize,
}

/// So many bytes of a window are looked up; the others are compared.
const BEGINNING: usize = 8;

/// How many different bytes there are.
pub(crate) fn different(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[*byte as usize] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// Things that a stack is searched for.
pub(crate) struct Sought<'a> {
    /// Each with the length of the pieces that are enough to be found.
    things: Vec<(&'a [u8], usize)>,
    /// Things and offsets by the number that their next bytes are. Sorted.
    starts: Vec<(u64, (usize, usize))>,
    /// A bit for each hash that is among the starts: most bytes of a stack begin nothing.
    filter: Vec<u64>,
}

const FILTER_BITS: u32 = 18;

impl<'a> Sought<'a> {
    /// Any `window` bytes in a row of each thing, except those with fewer than `distinct` different values, which tell too
    /// little.
    pub(crate) fn new(things: impl IntoIterator<Item = (&'a [u8], usize, usize)>) -> Self {
        let mut sought =
            Self { things: Vec::new(), starts: Vec::new(), filter: vec![0; 1 << (FILTER_BITS - 6)] };
        for (thing, (bytes, window, distinct)) in things.into_iter().enumerate() {
            assert!(window >= BEGINNING);
            sought.things.push((bytes, window));
            for (offset, piece) in bytes.windows(window).enumerate() {
                if different(piece) >= distinct {
                    let (number, hash) = Self::number(&piece[..BEGINNING]);
                    sought.filter[hash >> 6] |= 1 << (hash & 63);
                    sought.starts.push((number, (thing, offset)));
                }
            }
        }
        sought.starts.sort_unstable();
        sought
    }

    fn number(beginning: &[u8]) -> (u64, usize) {
        let number = u64::from_ne_bytes(beginning.try_into().expect("as many bytes as are looked up"));
        (number, (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - FILTER_BITS)) as usize)
    }

    /// What begins with these bytes, and where in it.
    fn starting(&self, beginning: &[u8]) -> impl Iterator<Item = &(usize, usize)> {
        let (number, hash) = Self::number(beginning);
        let there = self.filter[hash >> 6] >> (hash & 63) & 1 == 1;
        let first =
            if there { self.starts.partition_point(|start| start.0 < number) } else { self.starts.len() };
        self.starts[first..].iter().take_while(move |start| start.0 == number).map(|(_, start)| start)
    }
}
