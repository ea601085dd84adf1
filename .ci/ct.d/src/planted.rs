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

/// Decides by what the stack held before, deeper than what the harness calls first.
#[inline(never)]
fn stale() -> u32 {
    let word: u64;
    // SAFETY: reads a word of the thread's stack, of which there is more.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        core::arch::asm!("mov {}, [rsp - 2048]", out(reg) word, options(nostack));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        core::arch::asm!("sub {0}, sp, 2048", "ldr {0}, [{0}]", out(reg) word, options(nostack));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "riscv64")]
    unsafe {
        core::arch::asm!("ld {}, -2048(sp)", out(reg) word, options(nostack));
    }
    // A compiler may choose between two numbers without a branch.
    let mut last = 0;
    for i in 0..word & 3 {
        last = black_box(i as u32);
    }
    last
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

/// `into` becomes `a` if the bit is set: a choice as textbooks write it.
#[inline(never)]
fn textbook_mask(into: &mut [u8; 32], a: &[u8; 32], bit: u8) {
    let mask = (bit & 1).wrapping_neg();
    for (o, a) in into.iter_mut().zip(a) {
        *o ^= mask & (*o ^ *a);
    }
}

/// The same, by what the language offers.
#[inline(never)]
fn unpredictable(into: &mut [u8; 32], a: &[u8; 32], bit: u8) {
    for (o, a) in into.iter_mut().zip(a) {
        *o = core::hint::select_unpredictable(bit & 1 == 1, *a, *o);
    }
}

/// A sampler that has a look at what it has sampled.
#[derive(Clone, Copy)]
struct Curious;

/// Loads of a vector at places that depend on a secret: by a vector of indices, and a fixed distance apart.
#[cfg(target_arch = "riscv64")]
mod vectors {
    use core::arch::asm;

    static TABLE: [u8; 512] = [5; 512];

    #[inline(never)]
    pub fn gather(a: &[u8; 32]) {
        // SAFETY: reads eight bytes of `a`, and eight of the table at places below 256; the machine has V.
        unsafe {
            asm!(
                ".option push", ".option arch, +v", "vsetivli x0, 8, e8, m1, ta, ma", "vle8.v v8, ({a})",
                "vluxei8.v v9, ({table}), v8", ".option pop",
                a = in(reg) a.as_ptr(), table = in(reg) TABLE.as_ptr(), out("v8") _, out("v9") _, options(nostack),
            );
        }
    }

    #[inline(never)]
    pub fn stride(a: &[u8; 32]) {
        let stride = usize::from(a[5] & 63);
        // SAFETY: reads eight bytes of the table at places below 512; the machine has V.
        unsafe {
            asm!(
                ".option push", ".option arch, +v", "vsetivli x0, 8, e8, m1, ta, ma",
                "vlse8.v v9, ({table}), {stride}", ".option pop",
                stride = in(reg) stride, table = in(reg) TABLE.as_ptr(), out("v9") _, options(nostack),
            );
        }
    }

    /// The same places for every secret.
    #[inline(never)]
    pub fn segments(a: &[u8; 32]) {
        // SAFETY: reads sixteen bytes of `a`; the machine has V.
        unsafe {
            asm!(
                ".option push", ".option arch, +v", "vsetivli x0, 8, e8, m1, ta, ma", "vlseg2e8.v v8, ({a})",
                ".option pop", a = in(reg) a.as_ptr(), out("v8") _, out("v9") _, options(nostack),
            );
        }
    }
}

static NOTED: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);

impl Added for Curious {
    #[inline(never)]
    fn noise(f: &Poly<Noise>) {
        if f.coefficients()[200] < 0 {
            NOTED.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
        }
    }
}

/// The backend with vectors that is [wrapped](crate::wrapped).
const VECTORS: Option<&str> = if cfg!(target_arch = "x86_64") {
    Some("avx2")
} else if cfg!(target_arch = "aarch64") {
    Some("neon")
} else if cfg!(target_arch = "riscv64") {
    Some("rvv")
} else {
    None
};

/// Every planted leak, the last one deep inside an operation. `divisions`: this tool sees them. `stale`: it finds what
/// depends on an old stack.
pub fn all<T: Tool>(tool: &mut T, divisions: bool, stale: bool) {
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
    if stale {
        let stale: Leak = |_| _ = black_box(self::stale());
        tool.planted("old stack", "planted5stale", true, &mut run(stale));
    }
    tool.clean("comparison without exit", &mut run(no_exit));
    // The library has none of these: they show what this build makes of such code.
    type Choose = fn(&mut [u8; 32], &[u8; 32], u8);
    let choices: [(&str, Choose); 2] =
        [("textbook mask", textbook_mask), ("select_unpredictable", unpredictable)];
    for (name, choose) in choices {
        tool.noted(name, &mut |tool: &mut T, choice| {
            let (mut into, bit) = ([3; 32], SECRETS[choice]);
            tool.secret(&bit);
            tool.examine(&mut || choose(black_box(&mut into), black_box(&[9; 32]), bit[0]));
        });
    }
    #[cfg(target_arch = "riscv64")]
    if Selected::by_name("rvv").is_some() {
        tool.planted("gather", "vectors6gather", true, &mut run(vectors::gather));
        tool.planted("stride", "vectors6stride", true, &mut run(vectors::stride));
        tool.clean("segments of a vector", &mut run(vectors::segments));
    }

    let seed = Seed::from([1; 64]);
    let dk = on(Selected::Portable(Portable), || ml_kem_768::DecapsulationKey::from_seed(&seed));
    let ek = dk.encapsulation_key();
    let mut encapsulate = |tool: &mut T, choice: usize| {
        let (mut c, mut k) = ([0; ml_kem_768::CIPHERTEXT_SIZE], [0; 32]);
        let m = SECRETS[choice];
        tool.secret(&m);
        macro_rules! on {
            ($backend:expr) => {
                kemstone::on_backend::encapsulate::<kemstone::MlKem768, _>(
                    Wrapped::<_, Curious>::new($backend),
                    ek.as_bytes(),
                    &m,
                    &mut c,
                    &mut k,
                )
                .expect("a good key")
            };
        }
        tool.examine(&mut || match VECTORS.and_then(Selected::by_name) {
            #[cfg(target_arch = "x86_64")]
            Some(Selected::Avx2(avx2)) => on!(avx2),
            #[cfg(target_arch = "aarch64")]
            Some(Selected::Neon(neon)) => on!(neon),
            #[cfg(target_arch = "riscv64")]
            Some(Selected::Rvv(rvv)) => on!(rvv),
            _ => on!(Portable),
        });
    };
    tool.planted("branch in the sampling of noise", "noise", true, &mut encapsulate);
}
