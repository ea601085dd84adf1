//! Keccak-f\[1600\] (FIPS 202, section 3.3), one state.

/// Permutes one state.
pub(crate) fn permute(state: &mut [[u64; 1]; 25]) {
    let Ok(state) = <&mut [u64; 25]>::try_from(state.as_flattened_mut()) else { return };
    let mut a = *state;
    for rc in super::super::tables::ROUND_CONSTANTS {
        let mut c = [0u64; 5];
        for x in 0..5 {
            c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
        }
        let mut b = [0u64; 25];
        for x in 0..5usize {
            let d = c[[4, 0, 1, 2, 3][x]] ^ c[[1, 2, 3, 4, 0][x]].rotate_left(1);
            for y in 0..5usize {
                let (nx, ny) = (
                    y,
                    [[0, 3, 1, 4, 2], [2, 0, 3, 1, 4], [4, 2, 0, 3, 1], [1, 4, 2, 0, 3], [3, 1, 4, 2, 0]][x]
                        [y],
                );
                b[nx + 5 * ny] = (a[x + 5 * y] ^ d).rotate_left(super::super::tables::ROTATIONS[x + 5 * y]);
            }
        }
        for y in 0..5 {
            for x in 0..5usize {
                a[x + 5 * y] =
                    b[x + 5 * y] ^ (!b[[1, 2, 3, 4, 0][x] + 5 * y] & b[[2, 3, 4, 0, 1][x] + 5 * y]);
            }
        }
        a[0] ^= rc;
    }
    *state = a;
}
