//! A round of Keccak-f\[1600\] as FIPS 202, section 3.2 writes it, and its constants. The library is not asked: it is what
//! the tables are for.

pub type State = [u64; 25];

/// The column from which pi fills lane (x, y).
pub fn pi_column(x: usize, y: usize) -> usize {
    (x + 3 * y) % 5
}

/// The index of the lane from which pi fills lane (x, y).
pub fn pi_lane(x: usize, y: usize) -> usize {
    pi_column(x, y) + 5 * x
}

/// The offsets of rho, at index x + 5y (Algorithm 2).
pub fn rho() -> [u32; 25] {
    let mut offsets = [0; 25];
    let (mut x, mut y) = (1, 0);
    for t in 0..24 {
        offsets[x + 5 * y] = (t + 1) * (t + 2) / 2 % 64;
        (x, y) = (y, (2 * x + 3 * y) % 5);
    }
    offsets
}

/// The round constants (Algorithms 5 and 6): an output bit of the register for each power of two.
pub fn constants() -> [u64; 24] {
    let mut register = 1u32;
    std::array::from_fn(|_| {
        (0..7).fold(0, |constant, j| {
            let bit = u64::from(register & 1);
            register = (register << 1) ^ if register & 0x80 == 0 { 0 } else { 0x171 };
            constant | bit << ((1 << j) - 1)
        })
    })
}

/// Theta, rho, pi, chi and iota.
pub fn round(a: &State, constant: u64) -> State {
    let rho = rho();
    let c: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |sum, y| sum ^ a[x + 5 * y]));
    let mut b = [0; 25];
    for y in 0..5 {
        for x in 0..5 {
            let (column, lane) = (pi_column(x, y), pi_lane(x, y));
            let d = c[(column + 4) % 5] ^ c[(column + 1) % 5].rotate_left(1);
            b[x + 5 * y] = (a[lane] ^ d).rotate_left(rho[lane]);
        }
    }
    let mut out = [0; 25];
    for y in 0..5 {
        for x in 0..5 {
            out[x + 5 * y] = b[x + 5 * y] ^ (!b[(x + 1) % 5 + 5 * y] & b[(x + 2) % 5 + 5 * y]);
        }
    }
    out[0] ^= constant;
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_the_standards() {
        // Table 2.
        let table = [
            0, 1, 190, 28, 91, 36, 300, 6, 55, 276, 3, 10, 171, 153, 231, 105, 45, 15, 21, 136, 210, 66, 253,
            120, 78,
        ];
        assert_eq!(super::rho(), table.map(|offset| offset % 64));
        // SHA3-256 of nothing, by the digest that NIST publishes.
        let mut state = [0; 25];
        (state[0], state[16]) = (6, 1 << 63);
        for constant in super::constants() {
            state = super::round(&state, constant);
        }
        let digest: String =
            state[..4].iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    }
}
