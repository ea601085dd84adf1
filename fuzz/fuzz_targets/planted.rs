//! A fault behind eight bytes, which no run would meet by chance: if the fuzzer finds it, it is guided by what the program
//! compares. For `.ci/sanitize`, with `PLANTED` saying which fault.
#![no_main]

use std::env;
use std::hint::black_box;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.first_chunk() != Some(b"kemstone") {
        return;
    }
    match env::var("PLANTED").as_deref() {
        Ok("panic") => panic!("planted"),
        Ok("read") => {
            // SAFETY: none: the byte is not there. That is the fault.
            black_box(unsafe { bytes.as_ptr().add(black_box(bytes.len())).read() });
        }
        _ => (),
    }
});
