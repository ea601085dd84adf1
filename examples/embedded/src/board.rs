//! What a crate for the board and its processor would do: the start, the output and the random numbers of an emulated MPS2-AN386,
//! which has a Cortex-M4, or of a RISC-V machine with 32 bits.

use core::arch::asm;
use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

unsafe extern "C" {
    static mut stack_low: u32;
    static stack_top: u32;
}

unsafe extern "C" fn reset() -> ! {
    exit(crate::main())
}

extern "C" fn fault() -> ! {
    exit(false)
}

#[cfg(target_arch = "arm")]
mod processor {
    use core::arch::asm;

    use super::{fault, reset, stack_top};

    /// What the processor reads at the start: the stack, where to begin, and where each fault goes.
    #[repr(C)]
    struct Vectors(*const u32, unsafe extern "C" fn() -> !, [unsafe extern "C" fn() -> !; 14]);

    // SAFETY: nobody writes it.
    unsafe impl Sync for Vectors {}

    #[unsafe(link_section = ".vectors")]
    #[used]
    static VECTORS: Vectors = Vectors(&raw const stack_top, reset, [fault; 14]);

    /// A request to the emulator.
    pub(super) fn semihost(operation: usize, argument: usize) {
        // SAFETY: the emulator reads what `argument` points to, and answers in r0.
        unsafe { asm!("bkpt 0xab", inout("r0") operation => _, in("r1") argument, options(nostack)) };
    }
}

#[cfg(target_arch = "riscv32")]
mod processor {
    use core::arch::{asm, global_asm};

    use super::{fault, reset, stack_top};

    // Where the processor begins: the stack, and where faults go.
    global_asm!(
        ".section .vectors, \"ax\"",
        "la sp, {stack}",
        "la t0, {fault}",
        "csrw mtvec, t0",
        "j {reset}",
        stack = sym stack_top,
        fault = sym fault,
        reset = sym reset,
    );

    /// A request to the emulator: it looks for these three instructions, all of 32 bits.
    pub(super) fn semihost(operation: usize, argument: usize) {
        // SAFETY: the emulator reads what `argument` points to, and answers in a0.
        unsafe {
            asm!(
                ".option push",
                ".option norvc",
                ".balign 16",
                "slli zero, zero, 0x1f",
                "ebreak",
                "srai zero, zero, 7",
                ".option pop",
                inout("a0") operation => _,
                in("a1") argument,
                options(nostack),
            );
        }
    }
}

use processor::semihost;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(false)
}

/// Ends the program: with status 0 if all went well.
fn exit(well: bool) -> ! {
    const EXIT: usize = 0x18;
    semihost(EXIT, if well { 0x2_0026 } else { 0x2_0023 });
    loop {}
}

/// The emulator's standard output.
pub struct Output;

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        const WRITE_CHARACTER: usize = 0x03;
        for byte in text.bytes() {
            semihost(WRITE_CHARACTER, (&raw const byte).addr());
        }
        Ok(())
    }
}

/// A number in decimal, without the code that `core::fmt` takes for it.
pub fn decimal(mut number: usize) {
    let mut digits = [b' '; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    let _ = Output.write_str(core::str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// The board's generator of random numbers, which can fail. Here a stand-in, of which nothing is secret: a real one reads a
/// peripheral, and tests what it reads.
pub struct Generator(u32);

impl Generator {
    pub fn new() -> Self {
        Self(0x1234_5678)
    }

    pub fn fill(&mut self, to: &mut [u8]) -> Result<(), ()> {
        for byte in to {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 17;
            self.0 ^= self.0 << 5;
            *byte = self.0 as u8;
        }
        Ok(())
    }
}

/// Memory that is handed out once: a `static` whose contents the program may write.
pub struct Once<T>(AtomicBool, core::cell::UnsafeCell<T>);

// SAFETY: `take` gives the contents to one caller only.
unsafe impl<T: Send> Sync for Once<T> {}

impl<T> Once<T> {
    pub const fn new(value: T) -> Self {
        Self(AtomicBool::new(false), core::cell::UnsafeCell::new(value))
    }

    pub fn take(&self) -> Option<&mut T> {
        let taken = self.0.swap(true, Ordering::Relaxed);
        // SAFETY: nobody has been given the contents before, nor will be.
        (!taken).then(|| unsafe { &mut *self.1.get() })
    }
}

/// The stack that `f` takes, in bytes: it is painted before, and looked at afterwards. All there is if that was too small.
#[inline(never)]
pub fn stack_of(f: &mut dyn FnMut()) -> usize {
    const PAINT: u32 = 0xc53a_965c;
    let low = &raw mut stack_low;
    let here: *mut u32;
    #[cfg(target_arch = "arm")]
    // SAFETY: reads a register.
    unsafe {
        asm!("mov {}, sp", out(reg) here, options(nomem, nostack));
    }
    #[cfg(target_arch = "riscv32")]
    // SAFETY: likewise.
    unsafe {
        asm!("mv {}, sp", out(reg) here, options(nomem, nostack));
    }
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
    here.addr() - at.addr()
}
