//! Memory that is given back holds no secret: keys on the heap, however they came there.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::sync::Arc;

use kemstone::Seed;

/// The system's memory, looked at when it is given back.
struct Watched;

thread_local! {
    /// What is looked for on this thread, in any piece of this many bytes, and how many blocks held some of it.
    static SOUGHT: RefCell<(Vec<[u8; PIECE]>, usize)> = const { RefCell::new((Vec::new(), 0)) };
}

const PIECE: usize = 24;

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is as long as its layout says, and `alloc` has initialised all of it.
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        let _ = SOUGHT.try_with(|sought| {
            // Held while the list of what is sought is made or given back itself.
            if let Ok(mut sought) = sought.try_borrow_mut() {
                let (pieces, found) = &mut *sought;
                let holds = |piece: &[u8; PIECE]| bytes.windows(PIECE).any(|window| window == piece);
                *found += usize::from(pieces.iter().any(holds));
            }
        });
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static WATCHED: Watched = Watched;

/// How many blocks given back during `f` held a piece of these.
fn given_back_with<'a>(secrets: impl IntoIterator<Item = &'a [u8]>, f: impl FnOnce()) -> usize {
    let mut pieces = Vec::new();
    for secret in secrets {
        // Whole, not piece by piece: the last piece would be left on the stack, where padding is copied from.
        pieces.extend_from_slice(secret.as_chunks().0);
    }
    SOUGHT.with_borrow_mut(|sought| *sought = (pieces, 0));
    f();
    let (pieces, found) = SOUGHT.take();
    drop(pieces);
    found
}

/// Bytes of which no two pieces are alike.
fn seed() -> [u8; 64] {
    core::array::from_fn(|i| (i as u8).wrapping_mul(167).wrapping_add(59))
}

/// What a format hands over as memory of its own: a string or a vector, in a format that people read or another.
#[cfg(feature = "serde")]
struct Owned {
    bytes: Vec<u8>,
    text: bool,
    readable: bool,
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserializer<'de> for Owned {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match String::from_utf8(self.bytes) {
            Ok(text) if self.text => visitor.visit_string(text),
            Ok(text) => visitor.visit_byte_buf(text.into_bytes()),
            Err(bytes) => visitor.visit_byte_buf(bytes.into_bytes()),
        }
    }

    fn is_human_readable(&self) -> bool {
        self.readable
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[test]
#[cfg(feature = "serde")]
fn what_serde_hands_over_is_wiped() {
    use serde::Deserialize;
    let (seed, digits) = (Box::new(seed()), hex::encode(seed()));
    let raw = seed.as_slice();
    // Of what is refused, too: the wrong length, digits to a format that has bytes, bytes to one that has digits.
    let cases = [
        (raw, false, false, true),
        (&raw[..63], false, false, false),
        (raw, false, true, false),
        (digits.as_bytes(), true, true, true),
        (&digits.as_bytes()[..127], true, true, false),
        (digits.as_bytes(), true, false, false),
    ];
    for (sent, text, readable, accepted) in cases {
        let bytes = sent.to_vec();
        let found = given_back_with([&sent[..48]], || {
            assert_eq!(Seed::deserialize(Owned { bytes, text, readable }).is_ok(), accepted);
        });
        assert_eq!(found, 0, "{} bytes, text {text}, readable {readable}", sent.len());
    }
}

macro_rules! keys {
    ($name:ident, $module:ident, $k:literal) => {
        #[test]
        fn $name() {
            use kemstone::$module::{DecapsulationKey, PreparedDecapsulationKey};
            // On the heap, so that no copy lies on the stack where padding is copied from.
            let seed = Box::new(Seed::from(seed()));
            let key = DecapsulationKey::boxed_from_seed(&seed);
            let expanded = Box::new(key.to_expanded_bytes());
            let (bytes, expanded) = (seed.as_bytes(), expanded.as_bytes());
            let fill = |to: &mut [u8; 64]| {
                to.copy_from_slice(bytes);
                Ok::<(), ()>(())
            };
            let calls: [(&str, &dyn Fn()); 9] = [
                ("boxed_generate_with", &|| drop(DecapsulationKey::boxed_generate_with(fill))),
                ("boxed_from_seed", &|| drop(DecapsulationKey::boxed_from_seed(&seed))),
                ("boxed_from_expanded_bytes", &|| {
                    drop(DecapsulationKey::boxed_from_expanded_bytes(expanded))
                }),
                ("prepared boxed", &|| drop(PreparedDecapsulationKey::boxed(&key))),
                ("prepared shared", &|| drop(PreparedDecapsulationKey::shared(&key))),
                ("prepared boxed_from_seed", &|| drop(PreparedDecapsulationKey::boxed_from_seed(&seed))),
                ("prepared boxed_generate_with", &|| {
                    drop(PreparedDecapsulationKey::boxed_generate_with(fill))
                }),
                ("to_seed", &|| drop(Box::new(key.to_seed()))),
                ("to_expanded_bytes", &|| drop(Box::new(key.to_expanded_bytes()))),
            ];
            for (name, call) in calls {
                let found = given_back_with([&bytes[..], &expanded[..384 * $k]], call);
                assert_eq!(found, 0, "{name}");
            }
            // What is there to be seen is seen: the documentation of `boxed` warns of this one.
            let moved = given_back_with([&bytes[32..]], || {
                drop(Arc::<PreparedDecapsulationKey>::from(PreparedDecapsulationKey::boxed(&key)));
            });
            assert_eq!(moved, 1, "the block that the key was moved from");
        }
    };
}

keys!(ml_kem_512_keys_leave_nothing_behind, ml_kem_512, 2);
keys!(ml_kem_768_keys_leave_nothing_behind, ml_kem_768, 3);
keys!(ml_kem_1024_keys_leave_nothing_behind, ml_kem_1024, 4);
