//! Keccak permutations: what one costs for each state.

use std::hint::black_box;

use kemstone::backend::Backend;
use kemstone::sponge::{Keccak, States};

use crate::clock::{Clock, Samples};
use crate::ours::{self, Sponges};

/// Permutations in one timed call.
const BATCH: usize = 64;

/// A permutation of `states` states at once.
pub struct Permutation {
    pub who: String,
    pub states: usize,
    call: Box<dyn FnMut()>,
    pub samples: Samples,
}

/// `W` states, as kemstone lays them out.
fn states<const W: usize>() -> Box<States<W>> {
    let mut states = Box::new(States::ZERO);
    for (word, i) in states.0.as_flattened_mut().iter_mut().zip(1u64..) {
        *word = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    states
}

/// The same by the `keccak` crate, one after the other.
fn expected<const W: usize>() -> Box<States<W>> {
    let mut states = states::<W>();
    for slot in 0..W {
        let mut state = states.0.map(|row| row[slot]);
        keccak::Keccak::new().with_f1600(|permute| permute(&mut state));
        states.0.iter_mut().zip(state).for_each(|(row, lane)| row[slot] = lane);
    }
    states
}

/// A permutation that takes the first `used` of `W` states, once it has given the right answer.
fn permutation<const W: usize>(
    who: &str,
    used: usize,
    mut permute: impl FnMut(&mut States<W>) + 'static,
) -> Permutation {
    let mut states = states::<W>();
    permute(&mut states);
    for (row, expected) in states.0.iter().zip(&expected::<W>().0) {
        assert_eq!(row[..used], expected[..used], "{who}: not Keccak");
    }
    let call = Box::new(move || (0..BATCH).for_each(|_| permute(black_box(&mut states))));
    Permutation { who: who.to_string(), states: used, call, samples: Samples::default() }
}

struct Ours<'a>(&'a mut Vec<Permutation>);

impl Sponges for Ours<'_> {
    fn visit<B: Backend + Keccak<1> + Keccak<W>, const W: usize>(self, backend: B) {
        let who = ours::name_of::<B>();
        self.0.push(permutation::<1>(&who, 1, move |states| backend.permute(states, 1)));
        // AVX-512 has a kernel for four even where operations have no use for it.
        let most = if B::NAME == "avx512" { 4 } else { W };
        let cheap = Keccak::<W>::cheap_width(backend).min(most);
        if cheap < W {
            self.0.push(permutation::<W>(&who, cheap, move |states| backend.permute(states, cheap)));
        }
        if W > 1 {
            self.0.push(permutation::<W>(&who, W, move |states| backend.permute(states, W)));
        }
    }
}

/// Every permutation that can be reached.
pub fn all() -> Vec<Permutation> {
    let mut all = Vec::new();
    ours::backends().into_iter().for_each(|backend| ours::with_sponges(backend, Ours(&mut all)));
    all.push(permutation::<1>("keccak", 1, |states| {
        keccak::Keccak::new().with_f1600(|permute| permute(states.single()));
    }));
    // SAFETY, of all the calls below: the states are as long as the symbol wants them, and the machine has what it uses.
    all.push(permutation::<1>("aws-lc", 1, |states| unsafe {
        c::aws_lc_0_47_0_KeccakF1600(states.0.as_mut_ptr().cast())
    }));
    #[cfg(target_arch = "x86_64")]
    x86_64(&mut all);
    all
}

mod c {
    use aws_lc_sys as _;
    #[cfg(feature = "wolfssl")]
    use wolfssl_sys as _;

    unsafe extern "C" {
        pub fn aws_lc_0_47_0_KeccakF1600(state: *mut u64);
    }

    #[cfg(target_arch = "x86_64")]
    unsafe extern "C" {
        pub fn aws_lc_0_47_0_sha3_keccak4_f1600_alt(
            states: *mut u64,
            round_constants: *const u64,
            rotate_8: *const [u8; 32],
            rotate_56: *const [u8; 32],
        );
    }

    #[cfg(all(target_arch = "x86_64", feature = "wolfssl"))]
    unsafe extern "C" {
        pub fn sha3_block_bmi2(state: *mut u64);
        pub fn sha3_blocksx4_avx2(states: *mut u64);
        pub fn sha3_blocksx8_avx512(states: *mut u64);
    }
}

#[cfg(target_arch = "x86_64")]
fn x86_64(all: &mut Vec<Permutation>) {
    use std::arch::is_x86_feature_detected as has;
    if has!("avx2") {
        all.push(s2n_x4());
    }
    #[cfg(feature = "wolfssl")]
    {
        if has!("bmi2") {
            all.push(permutation::<1>("wolfssl", 1, |states| unsafe {
                c::sha3_block_bmi2(states.0.as_mut_ptr().cast())
            }));
        }
        if has!("avx2") {
            all.push(permutation::<4>("wolfssl", 4, |states| unsafe {
                c::sha3_blocksx4_avx2(states.0.as_mut_ptr().cast());
            }));
        }
        if has!("avx512f") && has!("avx512bw") {
            all.push(permutation::<8>("wolfssl", 8, |states| unsafe {
                c::sha3_blocksx8_avx512(states.0.as_mut_ptr().cast());
            }));
        }
    }
}

/// s2n-bignum's four states, inside aws-lc. They lie one after the other, and its tables come from the caller.
#[cfg(target_arch = "x86_64")]
fn s2n_x4() -> Permutation {
    #[repr(align(64))]
    struct Tables {
        round_constants: [u64; 24],
        /// Bytes to take in order to rotate each word by 8 and by 56 bits to the left.
        rotate: [[u8; 32]; 2],
    }
    // FIPS 202, Algorithm 5: an output bit of the register for each power of two.
    let mut register = 1u32;
    let round_constants = core::array::from_fn(|_| {
        (0..7).fold(0, |constant, j| {
            let bit = u64::from(register & 1);
            register = (register << 1) ^ if register & 0x80 == 0 { 0 } else { 0x171 };
            constant | bit << ((1 << j) - 1)
        })
    });
    let rotate = [1, 7].map(|bytes| core::array::from_fn(|i| ((i & 8) | ((i + 8 - bytes) & 7)) as u8));
    let tables = Tables { round_constants, rotate };
    let permute = move |states: &mut [[u64; 25]; 4]| unsafe {
        let (constants, [by_8, by_56]) = (tables.round_constants.as_ptr(), &tables.rotate);
        c::aws_lc_0_47_0_sha3_keccak4_f1600_alt(states.as_mut_ptr().cast(), constants, by_8, by_56);
    };
    let mut check = core::array::from_fn(|slot| states::<4>().0.map(|row| row[slot]));
    permute(&mut check);
    assert_eq!(
        check,
        core::array::from_fn(|slot| expected::<4>().0.map(|row| row[slot])),
        "s2n-bignum: not Keccak"
    );
    let call = Box::new(move || (0..BATCH).for_each(|_| permute(black_box(&mut check))));
    Permutation { who: "aws-lc".to_string(), states: 4, call, samples: Samples::default() }
}

impl Permutation {
    pub fn round(&mut self, clock: Clock) {
        self.samples.add(clock.round(4, BATCH as f64, &mut self.call));
    }
}
