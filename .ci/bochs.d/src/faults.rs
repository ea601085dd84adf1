//! What the emulator does wrong, looked for instruction by instruction before anything rests on it.

use core::arch::asm;

use crate::Random;
use crate::machine::say;

/// The faults that are known and that the library's code meets: `.ci/bochs` names the others.
#[derive(Clone, Copy)]
pub(crate) struct Faults {
    /// `vpcompressw` gives zero where all 32 bits of its mask are set. It happens when 32 candidates in a row are all below q, to
    /// one group of 761. Bochs 2.7 has it.
    pub(crate) full_mask: bool,
}

/// `instruction!(name, mask, words)`: what it makes of 32 words, with zeros where nothing comes. From register to register, as in
/// the library: `vpexpandw` from memory has a fault of its own.
macro_rules! instruction {
    ($name:literal, $mask:expr, $words:expr) => {{
        let (words, mut found): (&[u16; 32], [u16; 32]) = ($words, [0; 32]);
        // SAFETY: the processor has VBMI2, and both arrays have the 64 bytes of a register.
        unsafe {
            asm!(
                "kmovd k1, {mask:e}",
                "vmovdqu16 zmm0, [{words}]",
                concat!($name, " zmm0{{k1}}{{z}}, zmm0"),
                "vmovdqu16 [{found}], zmm0",
                mask = in(reg) $mask,
                words = in(reg) words.as_ptr(),
                found = in(reg) found.as_mut_ptr(),
                out("zmm0") _,
                out("k1") _,
                options(nostack, preserves_flags),
            );
        }
        found
    }};
}

/// Compares the two instructions of VBMI2 that the library has with what Intel says they do, under many masks.
pub(crate) fn look() -> Faults {
    let mut random = Random(1);
    let mut full_mask = false;
    let mut masks = 0;
    let mut check = |mask: u32| {
        let words: [u16; 32] = core::array::from_fn(|_| random.word() as u16 | 1);
        let (mut front, mut spread, mut count) = ([0; 32], [0; 32], 0);
        for i in 0..32 {
            if mask >> i & 1 == 1 {
                (front[count], spread[i]) = (words[i], words[count]);
                count += 1;
            }
        }
        let found = instruction!("vpcompressw", mask, &words);
        if mask == !0 && found == [0; 32] {
            full_mask = true;
        } else {
            assert_eq!(found, front, "vpcompressw under {mask:#x}");
        }
        assert_eq!(instruction!("vpexpandw", mask, &words), spread, "vpexpandw under {mask:#x}");
        masks += 1;
    };
    for i in 0..32 {
        [1 << i, !(1 << i), !0 << i, !(!0 << i), !0 >> i].into_iter().for_each(&mut check);
    }
    for seed in 0..4000_u64 {
        check((seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32);
    }
    say!("vpcompressw and vpexpandw alone: {masks} masks");
    if full_mask {
        say!("FAULT OF THE EMULATOR: vpcompressw gives zero under a full mask");
    }
    Faults { full_mask }
}
