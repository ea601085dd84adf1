//! FIPS 203, Algorithms 5 and 6: numbers as bits, one after the other, and with d = 12 elements of T_q.

use crate::backend::poly::{N, Q};
use crate::backend::portable::reduce::canonicalise;

/// Packs numbers of `d` bits, at most 12, that are written to `b` when eight are there.
pub(super) struct Writer<'a> {
    bits: u32,
    count: u32,
    d: u32,
    b: core::slice::IterMut<'a, u8>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(d: usize, b: &'a mut [u8]) -> Self {
        Self { bits: 0, count: 0, d: d as u32, b: b.iter_mut() }
    }

    pub(super) fn push(&mut self, number: u32) {
        self.bits |= number << self.count;
        self.count += self.d;
        while self.count >= 8 {
            if let Some(b) = self.b.next() {
                *b = self.bits as u8;
            }
            self.bits >>= 8;
            self.count -= 8;
        }
    }
}

/// Takes numbers of `d` bits, at most 12, from `b`.
pub(super) fn unpack(d: usize, b: &[u8], f: &mut [i16; N], number: impl Fn(u32) -> i16) {
    let (mut bits, mut count, mut b) = (0_u32, 0, b.iter());
    for f in f {
        while count < d {
            bits |= u32::from(*b.next().unwrap_or(&0)) << count;
            count += 8;
        }
        *f = number(bits & ((1 << d) - 1));
        bits >>= d;
        count -= d;
    }
}

/// FIPS 203, Algorithm 5, d = 12. Any 16-bit input.
pub(crate) fn encode12(f_hat: &[i16; N], b: &mut [u8; 384]) {
    let mut writer = Writer::new(12, b);
    for c in f_hat {
        writer.push(canonicalise(*c) as u32);
    }
}

/// FIPS 203, Algorithm 6, d = 12, without its reduction modulo q: `false` if one was due.
pub(crate) fn decode12(b: &[u8; 384], f_hat: &mut [i16; N]) -> bool {
    unpack(12, b, f_hat, |c| c as i16);
    // Negative as long as every value is below q; all are looked at, whatever is found.
    f_hat.iter().fold(-1, |below, c| below & (c - Q)) < 0
}
