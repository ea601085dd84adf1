//! Time in ticks of the processor's counter, and in core cycles.
//!
//! The counter of x86-64 runs at a fixed rate and the core does not. A chain of additions, one cycle each, says how
//! far apart they are at the moment.

/// What costs are given in.
pub const UNIT: &str = if cfg!(target_arch = "x86_64") { "core cycles" } else { "nanoseconds" };

#[cfg(target_arch = "x86_64")]
pub mod machine {
    use core::arch::asm;
    use core::arch::x86_64::{_mm_lfence, _mm256_zeroupper, _rdtsc};

    #[inline(always)]
    pub fn ticks() -> u64 {
        // SAFETY: SSE2 is part of x86-64, and every kernel in use lets programs read the counter.
        unsafe {
            _mm_lfence();
            let now = _rdtsc();
            _mm_lfence();
            now
        }
    }

    /// Additions of which each waits for the one before: many, since the counter may go in steps of tens.
    pub const CHAIN: u64 = 10_000;

    pub fn chain() {
        let mut x = 1u64;
        for _ in 0..CHAIN / 100 {
            // SAFETY: touches one register.
            unsafe { asm!(".rept 100", "add {x}, {x}", ".endr", x = inout(reg) x, options(nomem, nostack)) };
        }
        core::hint::black_box(x);
    }

    /// Assembly may leave upper halves of vector registers in use, which slows down what comes next. Nobody shall pay
    /// for somebody else's.
    pub fn clean() {
        #[target_feature(enable = "avx")]
        fn zeroupper() {
            _mm256_zeroupper();
        }
        if std::arch::is_x86_feature_detected!("avx") {
            // SAFETY: AVX was found.
            unsafe { zeroupper() }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub mod machine {
    use std::sync::LazyLock;
    use std::time::Instant;

    pub fn ticks() -> u64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed().as_nanos() as u64
    }

    pub const CHAIN: u64 = 1;
    pub fn chain() {}
    pub fn clean() {}
}

/// The counter, with what reading it costs.
#[derive(Clone, Copy)]
pub struct Clock {
    overhead: u64,
}

impl Clock {
    pub fn new() -> Self {
        let empty = |_| {
            let start = machine::ticks();
            machine::ticks() - start
        };
        Self { overhead: (0..10_000).map(empty).min().unwrap_or(0) }
    }

    pub fn time(self, call: impl FnOnce()) -> f64 {
        let start = machine::ticks();
        call();
        (machine::ticks() - start).saturating_sub(self.overhead) as f64
    }

    /// Ticks per core cycle at the moment. Never too small; the best of three is not too large either.
    pub fn ticks_per_cycle(self) -> f64 {
        if !cfg!(target_arch = "x86_64") {
            return 1.0;
        }
        (0..3).map(|_| self.time(machine::chain)).fold(f64::INFINITY, f64::min) / machine::CHAIN as f64
    }

    /// Times a few calls, each by itself; `batch` is how many operations a call is.
    pub fn round(self, calls: usize, batch: f64, call: &mut dyn FnMut()) -> Round {
        // Brings code and data back into the caches.
        for _ in 0..2 {
            machine::clean();
            call();
        }
        let before = self.ticks_per_cycle();
        let ticks = (0..calls)
            .map(|_| {
                machine::clean();
                self.time(&mut *call) / batch
            })
            .collect();
        machine::clean();
        Round { ticks, before, after: self.ticks_per_cycle() }
    }
}

/// A few calls of the same kind, one right after the other.
pub struct Round {
    /// Of each call.
    pub ticks: Vec<f64>,
    /// Ticks per core cycle before and after.
    pub before: f64,
    pub after: f64,
}

/// All that was measured of something.
#[derive(Default)]
pub struct Samples {
    ticks: Vec<f64>,
    cycles: Vec<f64>,
}

impl Samples {
    pub fn add(&mut self, round: Round) {
        // If the frequency changed meanwhile, nobody knows when.
        if (round.before / round.after - 1.0).abs() < 0.02 {
            let ticks_per_cycle = (round.before + round.after) / 2.0;
            self.cycles.extend(round.ticks.iter().map(|ticks| ticks / ticks_per_cycle));
        }
        self.ticks.extend(round.ticks);
    }

    pub fn summary(&self) -> Summary {
        let (min_ticks, median_ticks) = min_and_median(&self.ticks);
        let (min, median) = min_and_median(&self.cycles);
        Summary { min, median, min_ticks, median_ticks }
    }
}

/// In core cycles and in ticks; NaN if there was nothing to take it from.
#[derive(Clone, Copy)]
pub struct Summary {
    pub min: f64,
    pub median: f64,
    pub min_ticks: f64,
    pub median_ticks: f64,
}

fn min_and_median(samples: &[f64]) -> (f64, f64) {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.first() {
        Some(&min) => (min, sorted[sorted.len() / 2]),
        None => (f64::NAN, f64::NAN),
    }
}
