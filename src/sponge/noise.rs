//! The outputs of the PRF that one encryption takes, with nothing beside them (FIPS 203, Algorithm 14, lines 1 and 9 to
//! 17). There is nothing for a packer to decide where all of them take one permutation, or have a slot each.

use core::ops::Range;

use zeroize::Zeroize;

use super::fips202::{FirstBlock, Function};
use super::groups::{Outputs, Prf};
use super::jobs::Jobs;
use super::{Blocks, FRAMES, Keccak, States, pack, wipe_frames};
use crate::backend::Backend;

/// PRF(r, 0), PRF(r, 1), ... over `W` slots: the first `length` bytes of each of `y`, all of `e1` and `e2`.
pub fn run<B: Backend + Keccak<W> + Keccak<1>, const W: usize>(
    backend: B,
    r: &[u8; 32],
    length: usize,
    y: &mut [[u8; 192]],
    e1: &mut [[u8; 128]],
    e2: &mut [u8; 128],
) {
    let mut groups = Prf::of_noise(r, length, y, e1, e2);
    // With one block each, or with a slot for each where no narrower permutation is cheaper: else the packer would let the next begin
    // where one has ended.
    let one_block = groups.iter().all(|prf| prf.work() <= 1);
    let a_slot_each = || groups.iter().map(|prf| prf.count).sum::<usize>() <= W;
    if W > 1 && (one_block || Keccak::<W>::cheap_width(backend) >= W && a_slot_each()) {
        in_order::<B, W>(backend, r, &mut groups);
    } else {
        pack::run::<B, W>(backend, &mut groups.map(Jobs::Prf));
    }
}

/// Outputs of one group, and the slots that give them.
struct Wave<'a> {
    slots: Range<usize>,
    outputs: Outputs<'a>,
}

/// One output after the other, as many at once as there are slots.
#[inline(never)] // frames that are not needed at the same time share the stack
fn in_order<B: Keccak<W>, const W: usize>(backend: B, r: &[u8; 32], groups: &mut [Prf<'_>; 3]) {
    let mut states = States::<W>::ZERO;
    let mut blocks = Blocks::<W>::ZERO;
    let first = FirstBlock::new(Function::Shake256, r);
    loop {
        let mut waves = [const { None }; 3];
        let (mut word4, mut used) = ([0; W], 0);
        for (wave, prf) in waves.iter_mut().zip(&mut *groups) {
            let slots = used..used + prf.count.min(W - used);
            if !slots.is_empty() {
                used = slots.end;
                let outputs = prf.take(slots.len(), &mut word4[slots.clone()]);
                *wave = Some(Wave { slots, outputs });
            }
        }
        if used == 0 {
            break;
        }
        backend.start(&mut states, used, first, (1 << used) - 1, &word4);
        while used > 0 {
            backend.permute(&mut states, used);
            backend.squeeze(&states, used, &mut blocks);
            used = 0;
            for wave in &mut waves {
                let Some(Wave { slots, outputs }) = wave else { continue };
                if outputs.fill(&blocks.0[slots.clone()]) {
                    *wave = None;
                } else {
                    used = slots.end;
                }
            }
        }
    }
    states.zeroize();
    blocks.zeroize();
    if B::SPILLS {
        wipe_frames::<FRAMES>();
    }
}
