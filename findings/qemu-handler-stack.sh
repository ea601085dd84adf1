#!/usr/bin/env bash
# QEMU 7.2.22 (Debian's qemu-user-static 1:7.2+dfsg-7+deb12u18+b3), user mode, x86-64: a signal handler begins with a stack pointer
# that is a multiple of 16. The ABI of x86-64 and the kernel give a function one that is 8 more than such a multiple, because a call
# has pushed a return address. A handler in which a compiler has put an aligned store to its frame is then killed by it: what
# records events in a handler, as a tracer does, wants a few instructions of its own that align the stack.
# The program says the stack pointer modulo 16 at the beginning of its handler, three times: 8 8 8 by itself, 0 0 0 emulated.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq download 'qemu-user-static=1:7.2+dfsg-7+deb12u18+b3'
dpkg -x qemu-user-static_*.deb .
cat >handler.rs <<'RUST'
use std::sync::atomic::{AtomicU64, Ordering};

static AT: AtomicU64 = AtomicU64::new(0);

#[unsafe(naked)]
extern "C" fn handler(_: i32) {
    std::arch::naked_asm!("mov [rip + {at}], rsp", "ret", at = sym AT)
}

unsafe extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn raise(number: i32) -> i32;
}

const SIGUSR1: i32 = 10;

fn main() {
    let seen: Vec<String> = (0..3)
        .map(|_| unsafe {
            signal(SIGUSR1, handler);
            raise(SIGUSR1);
            (AT.load(Ordering::Relaxed) % 16).to_string()
        })
        .collect();
    println!("{}", seen.join(" "));
}
RUST
rustc --edition 2024 -O handler.rs
usr/bin/qemu-x86_64-static --version | head -n 1
by_itself=$(./handler)
emulated=$(usr/bin/qemu-x86_64-static ./handler)
echo "by itself: $by_itself"
echo "emulated:  $emulated"
[ "$by_itself" = '8 8 8' ]
[ "$emulated" = '0 0 0' ]
