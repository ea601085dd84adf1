//! Leaks on purpose. A tool that does not find them shows nothing by finding none elsewhere.

use core::hint::black_box;

use kemstone::backend::poly::{Noise, Poly};
use kemstone::backend::portable::Portable;
use kemstone::backend::select::{Selected, on};
use kemstone::{Seed, ml_kem_768};

use crate::wrapped::{Added, Wrapped};
use crate::{CHOICES, Tool};

const SECRETS: [[u8; 32]; CHOICES] = [[0; 32], [7; 32], [0xff; 32]];

/// Gives up at the first difference.
#[inline(never)]
fn early_exit(a: &[u8; 32], b: &[u8; 32]) -> bool {
    for (a, b) in a.iter().zip(b) {
        // The compiler may not look at more than one pair at a time.
        if black_box(*a) != black_box(*b) {
            return false;
        }
    }
    true
}

#[inline(never)]
fn branch(a: &[u8; 32]) -> u32 {
    if a[31] & 4 == 0 { black_box(1) } else { black_box(a[2]).into() }
}

#[inline(never)]
fn table(a: &[u8; 32]) -> u32 {
    static TABLE: [u32; 256] = [5; 256];
    black_box(&TABLE)[usize::from(a[3])]
}

#[inline(never)]
fn division(a: &[u8; 32]) -> u32 {
    (u32::from(a[4]) * 1000) / black_box(3329)
}

/// Looks at all pairs.
#[inline(never)]
fn no_exit(a: &[u8; 32], b: &[u8; 32]) -> u8 {
    let mut difference = 0;
    for (a, b) in a.iter().zip(b) {
        difference |= black_box(*a) ^ black_box(*b);
    }
    difference
}

/// A sampler that has a look at what it has sampled.
#[derive(Clone, Copy)]
struct Curious;

static NOTED: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);

impl Added for Curious {
    #[inline(never)]
    fn noise(f: &Poly<Noise>) {
        if f.coefficients()[200] < 0 {
            NOTED.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
        }
    }
}

/// Every planted leak, the last one deep inside an operation. `divisions`: this tool sees them.
pub fn all<T: Tool>(tool: &mut T, divisions: bool) {
    type Leak = fn(&[u8; 32]);
    let branch: Leak = |a| _ = black_box(branch(a));
    let table: Leak = |a| _ = black_box(table(a));
    let early_exit: Leak = |a| _ = black_box(early_exit(a, &[7; 32]));
    let division: Leak = |a| _ = black_box(division(a));
    let no_exit: Leak = |a| _ = black_box(no_exit(a, &[7; 32]));
    let run = |leak: Leak| {
        move |tool: &mut T, choice: usize| {
            let a = SECRETS[choice];
            tool.secret(&a);
            tool.examine(&mut || leak(&a));
        }
    };
    tool.planted("branch", "planted6branch", true, &mut run(branch));
    tool.planted("table", "planted5table", true, &mut run(table));
    tool.planted("early exit", "planted10early_exit", true, &mut run(early_exit));
    tool.planted("division", "planted8division", divisions, &mut run(division));
    tool.clean("comparison without exit", &mut run(no_exit));

    let seed = Seed::from([1; 64]);
    let ek = on(Selected::Portable(Portable), || ml_kem_768::DecapsulationKey::from_seed(&seed))
        .encapsulation_key();
    let mut encapsulate = |tool: &mut T, choice: usize| {
        let (mut c, mut k) = ([0; ml_kem_768::CIPHERTEXT_SIZE], [0; 32]);
        let m = SECRETS[choice];
        tool.secret(&m);
        tool.examine(&mut || match Selected::by_name("avx2") {
            Some(Selected::Avx2(avx2)) => {
                let curious = Wrapped::<_, Curious>::new(avx2);
                kemstone::encapsulate_768_on(curious, ek.as_bytes(), &m, &mut c, &mut k);
            }
            _ => {
                let curious = Wrapped::<_, Curious>::new(Portable);
                kemstone::encapsulate_768_on(curious, ek.as_bytes(), &m, &mut c, &mut k);
            }
        });
    };
    tool.planted("branch in the sampling of noise", "noise", true, &mut encapsulate);
}
