//! FIPS 203, section 4.2.1: compression to d bits and back, with the sums that come before.

use super::encode::{Writer, unpack};
use crate::backend::poly::N;
use crate::backend::portable::compress::{compress_bits, decompress_bits, message_of_nibble};
use crate::backend::portable::reduce::canonicalise;

/// `ByteEncode_d(Compress_d(f + e))`; |f| < 8q, |e| <= 3.
pub(crate) fn add_compress(f: &[i16; N], e: &[i16; N], d: usize, b: &mut [u8]) {
    let mut writer = Writer::new(d, b);
    for (f, e) in f.iter().zip(e) {
        writer.push(compress_bits(d, canonicalise(f + e)));
    }
}

/// `ByteEncode_d(Compress_d(f + e + mu))`; |f| < 8q, |e| <= 3.
pub(crate) fn add_message_compress(f: &[i16; N], e: &[i16; N], m: &[u8; 32], d: usize, b: &mut [u8]) {
    let mut writer = Writer::new(d, b);
    let eights = f.as_chunks::<8>().0.iter().zip(e.as_chunks::<8>().0).zip(m);
    for ((f, e), byte) in eights {
        let mu = [message_of_nibble(byte & 0xf), message_of_nibble(byte >> 4)];
        for ((f, e), mu) in f.iter().zip(e).zip(mu.as_flattened()) {
            writer.push(compress_bits(d, canonicalise(f + e + mu)));
        }
    }
}

/// `ByteEncode_1(Compress_1(v - f))`; 0 <= v < q, |f| < 8q.
pub(crate) fn sub_compress(v: &[i16; N], f: &[i16; N], m: &mut [u8; 32]) {
    let mut writer = Writer::new(1, m);
    for (v, f) in v.iter().zip(f) {
        writer.push(compress_bits(1, canonicalise(v - f)));
    }
}

/// `Decompress_d(ByteDecode_d(b))`.
pub(crate) fn decompress(d: usize, b: &[u8], f: &mut [i16; N]) {
    unpack(d, b, f, |y| decompress_bits(d, y));
}
