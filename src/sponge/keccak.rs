//! Constants of Keccak-f\[1600\], derived from the rules of FIPS 202 rather than pasted.

/// Rounds of Keccak-f\[1600\]: 12 + 2 log2(64).
pub(crate) const ROUNDS: usize = 24;

/// RC\[ir\] of FIPS 202, Algorithm 5 (rc) and Algorithm 6 (iota): bit 2^j - 1 is rc(j + 7 ir).
pub(crate) const ROUND_CONSTANTS: [u64; ROUNDS] = round_constants();

/// Rotation of lane A\[x,y\] in rho, at index x + 5y (FIPS 202, Algorithm 2 and Table 2).
pub(crate) const RHO: [u32; 25] = rho();

const _: () = {
    assert!(ROUND_CONSTANTS[0] == 1);
    assert!(ROUND_CONSTANTS[1] == 0x8082);
    assert!(ROUND_CONSTANTS[23] == 0x8000_0000_8000_8008);
    assert!(RHO[0] == 0 && RHO[1] == 1 && RHO[24] == 14);
};

/// The column x from which pi fills lane (x, y): pi sends A\[x + 3y, x\] to (x, y).
pub(crate) const fn pi_column(x: usize, y: usize) -> usize {
    mod5(x + 3 * y)
}

/// The index of the lane from which pi fills lane (x, y).
pub(crate) const fn pi_lane(x: usize, y: usize) -> usize {
    pi_column(x, y) + 5 * x
}

/// Reduces numbers below 1024, indices all of them, modulo 5 without a division: compilers make one of a loop.
pub(crate) const fn mod5(n: usize) -> usize {
    debug_assert!(n < 1024);
    n - 5 * ((n * 205) >> 10)
}

const fn round_constants() -> [u64; ROUNDS] {
    let mut constants = [0u64; ROUNDS];
    // The register R of Algorithm 5, R[i] in bit i: its output bit is R[0], its feedback x^8 + x^6 + x^5 + x^4 + 1.
    let mut register = 1u32;
    let mut round = 0;
    while round < ROUNDS {
        let mut j = 0;
        while j <= 6 {
            constants[round] |= ((register & 1) as u64) << ((1 << j) - 1);
            register <<= 1;
            if register & 0x100 != 0 {
                register ^= 0x171;
            }
            j += 1;
        }
        round += 1;
    }
    constants
}

const fn rho() -> [u32; 25] {
    let mut offsets = [0; 25];
    let (mut x, mut y) = (1, 0);
    let mut offset = 0;
    let mut t = 0;
    while t < ROUNDS {
        // (t + 1)(t + 2) / 2 as a running sum.
        offset += t as u32 + 1;
        offsets[x + 5 * y] = offset & 63;
        (x, y) = (y, mod5(2 * x + 3 * y));
        t += 1;
    }
    offsets
}

/// The permutation as FIPS 202, section 3.2 writes it, step by step: what the kernels are compared with.
#[cfg(test)]
pub(crate) fn model(state: &mut [u64; 25]) {
    for rc in ROUND_CONSTANTS {
        let a = *state;
        let parity = |x: usize| (0..5).fold(0, |sum, y| sum ^ a[mod5(x) + 5 * y]);
        for y in 0..5 {
            for x in 0..5 {
                let (next, after) = (mod5(x + 1), mod5(x + 2));
                // theta, rho and pi of the three lanes that chi combines
                let [b, b1, b2] = [x, next, after].map(|x| {
                    let from = pi_column(x, y);
                    let theta = a[pi_lane(x, y)] ^ parity(from + 4) ^ parity(from + 1).rotate_left(1);
                    theta.rotate_left(RHO[pi_lane(x, y)])
                });
                state[x + 5 * y] = b ^ (!b1 & b2);
            }
        }
        state[0] ^= rc;
    }
}

/// Checks `permute` on random states against the model, slot by slot; slots from `n` on must not change.
#[cfg(test)]
pub(crate) fn check<const W: usize>(n: usize, permute: impl Fn(&mut [[u64; W]; 25])) {
    let mut seed = 1u64;
    for round in 0..200 {
        let mut state = [[0u64; W]; 25];
        if round > 0 {
            for word in state.as_flattened_mut() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *word = seed ^ seed.rotate_left(29);
            }
        }
        let before = state;
        permute(&mut state);
        for slot in 0..W {
            let mut expected = before.map(|row| row[slot]);
            if slot < n {
                model(&mut expected);
            }
            assert_eq!(state.map(|row| row[slot]), expected, "round {round}, slot {slot}");
        }
    }
}
