//! Each item of tests/proofs as a function for JavaScript, on the backend that the library chooses in this build.
#![allow(clippy::integer_division_remainder_used)] // nothing here is secret

#[path = "../../../../tests/proofs/arithmetic.rs"]
mod arithmetic;
#[path = "../../../../tests/proofs/constant_time.rs"]
mod constant_time;
#[path = "../../../../tests/proofs/encoding.rs"]
mod encoding;
#[path = "../../../../tests/proofs/keccak.rs"]
mod keccak;
#[allow(dead_code)]
#[path = "../../../../src/backend/model.rs"]
mod model;
#[path = "../../../../tests/proofs/sampling.rs"]
mod sampling;
#[path = "../../../../tests/proofs/support.rs"]
mod support;
#[path = "../../../../tests/proofs/transform.rs"]
mod transform;

use std::panic;
use std::sync::Mutex;

// `model` finds them here.
use kemstone::backend::poly;
use kemstone::backend::probe::Probe;
use kemstone::backend::select::{Selected, Visitor};
use kemstone::sponge;
use support::Covered;

/// What has been said last.
static TEXT: Mutex<String> = Mutex::new(String::new());

struct Item {
    name: &'static str,
    /// Left out unless it is asked for.
    ignored: bool,
    run: fn() -> Covered,
}

macro_rules! items {
    ($($module:ident::$name:ident $(($ignored:ident))?)*; $($once:ident::$once_name:ident)*) => {
        const ITEMS: &[Item] = &[
            $(Item {
                name: stringify!($name),
                ignored: !concat!("" $(, stringify!($ignored))?).is_empty(),
                run: || {
                    struct Proof;
                    impl Visitor for Proof {
                        type Output = Covered;
                        fn visit<B: Probe>(self, backend: B) -> Covered {
                            $module::$name(backend)
                        }
                    }
                    Selected::best().visit(Proof)
                },
            },)*
            $(Item { name: concat!("frontend::", stringify!($once_name)), ignored: false, run: $once::$once_name },)*
        ];
    };
}
include!(concat!(env!("OUT_DIR"), "/items.rs"));

fn say(text: String) -> usize {
    let length = text.len();
    *TEXT.lock().expect("one thread") = text;
    length
}

/// Where the text is.
#[unsafe(no_mangle)]
extern "C" fn text() -> *const u8 {
    TEXT.lock().expect("one thread").as_ptr()
}

/// Sees to it that a panic, which ends in a trap, is said before. Gives how many items there are.
#[unsafe(no_mangle)]
extern "C" fn start() -> usize {
    panic::set_hook(Box::new(|info| {
        say(info.to_string());
    }));
    ITEMS.len()
}

/// The length of the last panic's message.
#[unsafe(no_mangle)]
extern "C" fn message() -> usize {
    TEXT.lock().expect("one thread").len()
}

/// The name of the backend.
#[unsafe(no_mangle)]
extern "C" fn backend() -> usize {
    say(kemstone::backend().into())
}

/// The name of an item.
#[unsafe(no_mangle)]
extern "C" fn name(item: usize) -> usize {
    say(ITEMS[item].name.into())
}

/// Whether it takes so long that it is left out.
#[unsafe(no_mangle)]
extern "C" fn ignored(item: usize) -> bool {
    ITEMS[item].ignored
}

/// Runs an item; gives what it is worth, on how many inputs, and why.
#[unsafe(no_mangle)]
extern "C" fn run(item: usize) -> usize {
    let Covered { evidence, inputs, what } = (ITEMS[item].run)();
    say(format!("{evidence}\t{inputs}\t{what}"))
}

/// Fails as an item does.
#[unsafe(no_mangle)]
extern "C" fn planted() {
    assert_eq!(1, 2, "planted");
}
