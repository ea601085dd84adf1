//! Keccak-f\[1600\] as a loop over rounds, in place.

use crate::sponge::keccak::{RHO, ROUND_CONSTANTS, mod5, pi_lane};

/// The cycle in which pi moves the 24 lanes other than A\[0, 0\]: where each goes, from lane 1 on, and how far rho turns it.
static CYCLE: [(u8, u8); 24] = {
    // `from[to]` is the lane that pi moves to `to`.
    let (mut cycle, mut lane, mut i) = ([(0, 0); 24], 1, 0);
    while i < 24 {
        let mut to = 0;
        while pi_lane(mod5(to), (to * 205) >> 10) != lane {
            to += 1;
        }
        cycle[i] = (to as u8, RHO[lane] as u8);
        (lane, i) = (to, i + 1);
    }
    assert!(lane == 1);
    cycle
};

/// Permutes one state.
pub(crate) fn permute(state: &mut [u64; 25]) {
    rounds(state, &ROUND_CONSTANTS);
}

/// Rounds with these constants.
pub(crate) fn rounds(a: &mut [u64; 25], constants: &[u64]) {
    for rc in constants {
        // theta
        let mut parities = [0; 5];
        for plane in a.as_chunks::<5>().0 {
            for (parity, lane) in parities.iter_mut().zip(plane) {
                *parity ^= lane;
            }
        }
        for x in 0..5 {
            let d = parities[mod5(x + 4)] ^ parities[mod5(x + 1)].rotate_left(1);
            for plane in a.as_chunks_mut::<5>().0 {
                plane[x] ^= d;
            }
        }
        // rho and pi
        let mut lane = a[1];
        for (to, turn) in &CYCLE {
            let turned = lane.rotate_left(u32::from(*turn));
            lane = core::mem::replace(&mut a[usize::from(*to)], turned);
        }
        // chi
        for plane in a.as_chunks_mut::<5>().0 {
            let row = *plane;
            for (x, lane) in plane.iter_mut().enumerate() {
                *lane ^= !row[mod5(x + 1)] & row[mod5(x + 2)];
            }
        }
        a[0] ^= rc; // iota
    }
}

#[cfg(test)]
mod tests {
    use crate::sponge::keccak::check;

    #[test]
    fn permutes_one_state() {
        check::<1>(1, |state| super::permute(state.as_flattened_mut().try_into().expect("25 lanes")));
    }
}
