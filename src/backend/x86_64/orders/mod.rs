//! Orders of the instructions of Keccak's rounds, which searches have found: tables that `tools/reorder` writes and checks. Each
//! is a macro that gives the steps of a round, one by one, to a macro that makes an instruction of a step.
//!
//! A step's first number is the register that is written, those behind the sign of equality are registers that are read, and
//! offsets or lanes. The comments name what a step makes. Of states side by side: a sum c of a column or the sum l of a part of
//! it, r = c <<< 1, D of a column, lane t with its D, lane b of the state that rho and pi leave, lane a of the new state. Of one
//! state: c, the sums of the columns, of which low is a part; left and right, the two parts of D; x, y and z, the registers after
//! steps 1 to 3 of the shear; q, the same with D; v, the same after rho; b, the rows that pi leaves; a, the new planes. What has
//! no name is a copy or a store.

mod four;
mod four_intel;
mod plane;
mod plane_intel;
mod wide;

pub(crate) use {four::four, four_intel::four_intel, plane::plane, plane_intel::plane_intel, wide::wide};
