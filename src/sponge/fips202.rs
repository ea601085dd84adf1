//! FIPS 202: the four functions that FIPS 203 uses, by rate, suffix and padding.

/// Bytes in one block of SHAKE128 output.
pub const XOF_BLOCK: usize = Function::Shake128.rate();

/// Bytes of a block of H; of J and the PRF, too.
pub const H_BLOCK: usize = Function::Sha3_256.rate();

/// The last bit of a block, the end of the padding (section 5.1).
pub const LAST_BIT: u64 = 1 << 63;

/// The index of a block's last word, for each rate.
pub const LAST_WORDS: [usize; 3] = [
    (Function::Sha3_512.rate() >> 3) - 1,
    (Function::Sha3_256.rate() >> 3) - 1,
    (Function::Shake128.rate() >> 3) - 1,
];

/// The hash functions of FIPS 203, section 4.1: rate in bytes and domain suffix of FIPS 202.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// SHA3-256, which is H.
    Sha3_256,
    /// SHA3-512, which is G.
    Sha3_512,
    /// SHAKE128, which is XOF.
    Shake128,
    /// SHAKE256, which is PRF and J.
    Shake256,
}

impl Function {
    /// Bytes absorbed or squeezed per permutation.
    pub const fn rate(self) -> usize {
        match self {
            Function::Sha3_256 | Function::Shake256 => 136,
            Function::Sha3_512 => 72,
            Function::Shake128 => 168,
        }
    }

    /// The suffix bits and the first padding bit (sections 6.1, 6.2 and B.2).
    const fn suffix(self) -> u8 {
        match self {
            Function::Sha3_256 | Function::Sha3_512 => 0x06,
            Function::Shake128 | Function::Shake256 => 0x1f,
        }
    }

    /// The suffix as byte `i` of a word.
    pub(crate) const fn suffix_at(self, i: u32) -> u64 {
        (self.suffix() as u64) << (8 * i)
    }
}

/// The first block of a sponge whose message is a seed of 32 bytes and at most two bytes more, without word 4: these bytes and
/// the suffix are there, and it differs from slot to slot.
#[derive(Clone, Copy)]
pub struct FirstBlock<'a> {
    /// Words 0 to 3.
    pub seed: &'a [u8; 32],
    /// The word that [`LAST_BIT`] is added to, one of [`LAST_WORDS`], or `usize::MAX` if none is. All other words are zero.
    pub last: usize,
}

impl<'a> FirstBlock<'a> {
    /// With a word 4 of zero an empty state: the message is absorbed later.
    pub(crate) const EMPTY: Self = Self { seed: &[0; 32], last: usize::MAX };

    pub(crate) const fn new(function: Function, seed: &'a [u8; 32]) -> Self {
        Self { seed, last: (function.rate() >> 3) - 1 }
    }

    /// Whether one call can start both.
    pub(crate) fn is(self, other: Self) -> bool {
        core::ptr::eq(self.seed, other.seed) && self.last == other.last
    }
}

/// Moves what fits of a message to a block of zeros, and the padding (section 5.1) if there is room for it; true if
/// there is.
pub(crate) fn pad(block: &mut [u8], message: [&mut &[u8]; 2], function: Function) -> bool {
    let mut free = &mut *block;
    for part in message {
        if !part.is_empty() {
            take(part, &mut free);
        }
    }
    let [first, ..] = free else { return false };
    *first = function.suffix();
    if let Some(last) = block.last_mut() {
        *last |= 0x80;
    }
    true
}

/// Blocks of `rate` bytes that hold `length` bytes and one more. Lengths are public and short.
pub(crate) fn blocks(length: usize, rate: usize) -> usize {
    let (mut count, mut left) = (1, length);
    while left >= rate {
        (count, left) = (count + 1, left - rate);
    }
    count
}

/// Moves as many bytes as fit from the front of `from` to the front of `to`.
#[inline(always)]
pub(crate) fn take(from: &mut &[u8], to: &mut &mut [u8]) {
    let n = from.len().min(to.len());
    let (front, rest) = core::mem::take(to).split_at_mut(n);
    front.copy_from_slice(&from[..n]);
    (*from, *to) = (&from[n..], rest);
}
