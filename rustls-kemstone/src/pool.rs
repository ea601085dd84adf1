//! Clients' keys made eight at a time, in pools of each thread.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use std::thread::LocalKey;
use std::thread_local;

use kemstone::{EphemeralPool, MlKem512, MlKem768, MlKem1024, ParameterSet};
use rustls::crypto::{GetRandomFailed, SecureRandom};

use crate::ml_kem::{self, ClientKey};

/// A parameter set, with the pools of each thread.
pub(crate) trait Pooled: ParameterSet {
    /// Those of this thread.
    const POOLS: &'static LocalKey<RefCell<Pools<Self>>>;
}

macro_rules! pooled {
    ($($set:ident)*) => {$(
        impl Pooled for $set {
            const POOLS: &'static LocalKey<RefCell<Pools<Self>>> = {
                thread_local! {
                    static POOLS: RefCell<Pools<$set>> = const { RefCell::new(Pools::NONE) };
                }
                &POOLS
            };
        }
    )*};
}

pooled!(MlKem512 MlKem768 MlKem1024);

/// A pool for each source of randomness.
pub(crate) struct Pools<S: ParameterSet> {
    process: u32,
    pools: Vec<(&'static dyn SecureRandom, EphemeralPool<S>)>,
}

impl<S: ParameterSet> Pools<S> {
    const NONE: Self = Self { process: 0, pools: Vec::new() };

    /// A key that was made with randomness of this source, in this process: after a fork, both processes have what was there
    /// before.
    fn take(&mut self, random: &'static dyn SecureRandom) -> Result<Box<ClientKey<S>>, GetRandomFailed> {
        let process = process();
        if process != self.process {
            self.pools.clear();
            self.process = process;
        }
        // A comparison of vtables may say that two are different which are not: then there is a pool more.
        #[allow(ambiguous_wide_pointer_comparisons)]
        let known = self.pools.iter().position(|(source, _)| core::ptr::eq(*source, random));
        let at = known.unwrap_or_else(|| {
            self.pools.push((random, EphemeralPool::new()));
            self.pools.len() - 1
        });
        let (_, pool) = &mut self.pools[at];
        pool.take_with(|seeds| random.fill(seeds.as_flattened_mut()))
    }
}

/// A number that a fork changes.
fn process() -> u32 {
    // Where there is no fork there may be no numbers either, and asking for one panics.
    if cfg!(unix) { std::process::id() } else { 0 }
}

/// A key of the pool of this thread and source. One by itself where the thread is ending, or the source calls for a key while
/// it is asked for randomness.
pub(crate) fn take<S: Pooled>(
    random: &'static dyn SecureRandom,
) -> Result<Box<ClientKey<S>>, GetRandomFailed> {
    let taken = S::POOLS.try_with(|pools| pools.try_borrow_mut().ok().map(|mut pools| pools.take(random)));
    match taken {
        Ok(Some(key)) => key,
        _ => ml_kem::generate(|seed| random.fill(seed)),
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts the calls and gives other bytes at each.
    #[derive(Debug)]
    struct Counter(AtomicUsize, u8);

    impl SecureRandom for Counter {
        fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
            let calls = self.0.fetch_add(1, Ordering::Relaxed);
            for (i, byte) in buf.iter_mut().enumerate() {
                *byte = self.1 ^ (calls as u8) << 4 ^ (i >> 6) as u8;
            }
            Ok(())
        }
    }

    #[derive(Debug)]
    struct Failing;

    impl SecureRandom for Failing {
        fn fill(&self, _: &mut [u8]) -> Result<(), GetRandomFailed> {
            Err(GetRandomFailed)
        }
    }

    fn counter(number: u8) -> &'static Counter {
        Box::leak(Box::new(Counter(AtomicUsize::new(0), number)))
    }

    fn seed(key: &ClientKey<MlKem768>) -> [u8; 64] {
        *key.decapsulation_key().to_seed().expect("it was generated").as_bytes()
    }

    #[test]
    fn sources_are_asked_once_for_eight_and_kept_apart() {
        let (one, other) = (counter(0), counter(0x80));
        let mut pools = Pools::<MlKem768>::NONE;
        let mut seen = Vec::new();
        for i in 0..20 {
            for (source, high) in [(one, 0), (other, 0x80)] {
                let key = pools.take(source).expect("it does not fail");
                let seed = seed(&key);
                assert_eq!(seed[0] & 0x80, high);
                assert!(!seen.contains(&seed));
                seen.push(seed);
                assert_eq!(source.0.load(Ordering::Relaxed), (i >> 3) + 1);
            }
        }
        assert_eq!(pools.pools.len(), 2);
    }

    #[test]
    fn another_process_takes_no_key_of_this_one() {
        let source = counter(0);
        let mut pools = Pools::<MlKem768>::NONE;
        pools.take(source).expect("it does not fail");
        assert_eq!(source.0.load(Ordering::Relaxed), 1);
        // As the copy of the process finds it.
        pools.process ^= 1;
        let key = pools.take(source).expect("it does not fail");
        assert_eq!(source.0.load(Ordering::Relaxed), 2);
        assert_eq!(seed(&key)[0] >> 4, 1, "a key of the second call");
    }

    #[test]
    fn without_randomness_there_is_no_key() {
        let mut pools = Pools::<MlKem512>::NONE;
        for _ in 0..2 {
            assert!(pools.take(&Failing).is_err());
        }
        assert!(take::<MlKem1024>(&Failing).is_err());
    }

    /// The source takes a key itself while the pool asks it.
    #[derive(Debug)]
    struct Nested;

    impl SecureRandom for Nested {
        fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
            // The pool asks for eight seeds, what is made by itself for one.
            if buf.len() > 64 {
                take::<MlKem512>(self.forever())?;
            }
            buf.fill(buf.len() as u8);
            Ok(())
        }
    }

    impl Nested {
        fn forever(&self) -> &'static Self {
            &Self
        }
    }

    #[test]
    fn a_source_may_call_for_a_key_itself() {
        let key = take::<MlKem512>(&Nested).expect("it does not fail");
        let seed = key.decapsulation_key().to_seed().expect("it was generated");
        assert_eq!(seed.as_bytes(), &[0; 64]); // 512 bytes were asked for
    }
}
