//! What an operating system would give: the way from reset to `main`, a console, an end, and copies of memory.

use core::arch::{asm, global_asm};
use core::fmt::{self, Write};
use core::panic::PanicInfo;

global_asm!(include_str!("boot.s"), options(att_syntax));

fn write_port(port: u16, byte: u8) {
    // SAFETY: the ports that are written to, the console's and the switch's, change no memory.
    unsafe { asm!("out dx, al", in("dx") port, in("al") byte, options(nomem, nostack, preserves_flags)) }
}

/// Port 0xe9: the emulator copies it to its output.
struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| write_port(0xe9, byte));
        Ok(())
    }
}

/// Writes a line that `.ci/bochs` finds among the emulator's own.
pub(crate) fn write_line(line: fmt::Arguments<'_>) {
    // Nothing that it writes to can fail.
    let _ = writeln!(Console, "kemstone: {line}");
}

macro_rules! say {
    ($($text:tt)*) => {
        $crate::machine::write_line(format_args!($($text)*))
    };
}
pub(crate) use say;

/// Ends the emulation: this word on this port does, letter by letter.
fn switch_off() -> ! {
    b"Shutdown".iter().for_each(|letter| write_port(0x8900, *letter));
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    say!("FAILED: {info}");
    switch_off()
}

/// Where `boot.s` goes.
#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    crate::run();
    say!("passed");
    switch_off()
}

/// Named by `core`, which was built for unwinding. Nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

// What the compiler calls, with the contracts of C's functions of these names. Copies go upwards: the ABI has the direction flag clear.

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller vouches for `count` bytes at both addresses.
    unsafe {
        asm!("rep movsb", inout("rcx") count => _, inout("rdi") to => _, inout("rsi") from => _,
            options(nostack, preserves_flags));
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    // SAFETY: the caller vouches for `count` writable bytes.
    unsafe {
        asm!("rep stosb", inout("rcx") count => _, inout("rdi") to => _, in("al") byte as u8,
            options(nostack, preserves_flags));
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    let (above, below): (u8, u8);
    // SAFETY: the caller vouches for `count` readable bytes at both addresses.
    unsafe {
        // The first comparison is for a count of zero.
        asm!("cmp rcx, rcx", "repe cmpsb", "seta {above}", "setb {below}", inout("rcx") count => _, inout("rsi") a => _,
            inout("rdi") b => _, above = lateout(reg_byte) above, below = lateout(reg_byte) below,
            options(nostack, readonly));
    }
    i32::from(above) - i32::from(below)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    // SAFETY: the contracts are the same.
    unsafe { memcmp(a, b, count) }
}
