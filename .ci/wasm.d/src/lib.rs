//! The operations of kemstone and what compares its backend for WebAssembly with the portable one, as functions for
//! JavaScript: see .ci/wasm. Bytes go through one buffer, at offsets of JavaScript's choice.
#![no_std]

#[cfg(target_feature = "simd128")]
mod conformance;

use core::cell::UnsafeCell;

use kemstone::backend::probe::Probe;
use kemstone::backend::select::{Selected, Visitor};
use kemstone::{MlKem512, MlKem768, MlKem1024, ParameterSet, on_backend};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

const SIZE: usize = 1 << 15;

struct Buffer(UnsafeCell<[u8; SIZE]>);

// SAFETY: a module without threads has one.
unsafe impl Sync for Buffer {}

static BUFFER: Buffer = Buffer(UnsafeCell::new([0; SIZE]));

/// The buffer, for the time of one call.
fn buffer() -> &'static mut [u8; SIZE] {
    // SAFETY: every exported function takes it once, and none calls another.
    unsafe { &mut *BUFFER.0.get() }
}

/// Where the buffer is.
#[unsafe(no_mangle)]
extern "C" fn address() -> *mut u8 {
    BUFFER.0.get().cast()
}

/// Writes the name of the backend to the buffer and returns its length.
#[unsafe(no_mangle)]
extern "C" fn backend() -> usize {
    write(kemstone::backend())
}

fn write(text: &str) -> usize {
    buffer()[..text.len()].copy_from_slice(text.as_bytes());
    text.len()
}

/// An operation on the backend that the library chooses.
enum Operation {
    /// d || z at 0; dk from 64 on.
    KeyGen,
    /// m at 0, ek from 64 on; K at 32, c from 4096 on.
    Encaps,
    /// dk from 64 on, c from 4096 on; K at 32.
    Decaps,
}

struct Run<S>(Operation, core::marker::PhantomData<S>);

impl<S: ParameterSet> Visitor for Run<S> {
    type Output = bool;

    fn visit<B: Probe>(self, backend: B) -> bool {
        let (head, rest) = buffer().split_at_mut(64);
        let ([first, second], _) = head.as_chunks_mut::<32>() else { return false };
        let (key, c) = rest.split_at_mut(4096 - 64);
        let c = &mut c[..S::CIPHERTEXT_SIZE];
        let dk = &mut key[..S::DECAPSULATION_KEY_SIZE];
        match self.0 {
            Operation::KeyGen => on_backend::key_gen::<S, B>(backend, first, second, dk),
            Operation::Encaps => {
                on_backend::encapsulate::<S, B>(backend, &dk[..S::ENCAPSULATION_KEY_SIZE], first, c, second)
            }
            Operation::Decaps => on_backend::decapsulate::<S, B>(backend, dk, c, second),
        }
        .is_ok()
    }
}

fn run(set: u32, operation: Operation) -> bool {
    let best = Selected::best();
    match set {
        512 => best.visit(Run::<MlKem512>(operation, core::marker::PhantomData)),
        768 => best.visit(Run::<MlKem768>(operation, core::marker::PhantomData)),
        _ => best.visit(Run::<MlKem1024>(operation, core::marker::PhantomData)),
    }
}

#[unsafe(no_mangle)]
extern "C" fn key_gen(set: u32) -> bool {
    run(set, Operation::KeyGen)
}

#[unsafe(no_mangle)]
extern "C" fn encaps(set: u32) -> bool {
    run(set, Operation::Encaps)
}

#[unsafe(no_mangle)]
extern "C" fn decaps(set: u32) -> bool {
    run(set, Operation::Decaps)
}

/// Compares the backend with the portable one on inputs from this seed; with a `fault` from 1 on, a bit of what that
/// operation gave is turned. Returns the number of comparisons; if one fails, 0.
#[cfg(target_feature = "simd128")]
#[unsafe(no_mangle)]
extern "C" fn conformance(seed: u32, rounds: u32, fault: u32) -> u32 {
    conformance::run(seed, rounds, fault)
}

/// Writes the name of this operation, from 1 on, to the buffer and returns its length; 0 if there is none.
#[cfg(target_feature = "simd128")]
#[unsafe(no_mangle)]
extern "C" fn operation(number: usize) -> usize {
    conformance::OPERATIONS.get(number.wrapping_sub(1)).map_or(0, |name| write(name))
}

/// The operation whose comparison failed last.
#[cfg(target_feature = "simd128")]
#[unsafe(no_mangle)]
extern "C" fn failed() -> usize {
    conformance::failed()
}

/// Permutes two states so many times, one after the other with scalar instructions or, with `wide`, side by side; to measure.
#[cfg(target_feature = "simd128")]
#[unsafe(no_mangle)]
extern "C" fn permutations(wide: bool, times: u32) -> u32 {
    conformance::permutations(wide, times)
}
