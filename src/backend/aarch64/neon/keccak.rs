//! Keccak-f\[1600\].

/// Permutes one state.
pub(crate) fn permute_x1(state: &mut [u64; 25]) {
    crate::backend::portable::keccak::permute(state);
}
