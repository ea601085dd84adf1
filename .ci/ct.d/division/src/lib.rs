//! Divisions on purpose, which `.ci/ct division` must find: by an instruction or, where there is none, by a call.

#![no_std]

#[unsafe(no_mangle)]
pub extern "C" fn planted_quotient(a: u32, b: u32) -> u32 {
    a / b
}

#[unsafe(no_mangle)]
pub extern "C" fn planted_remainder(a: i64, b: i64) -> i64 {
    a % b
}
