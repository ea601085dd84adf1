//! Orders of the instructions of Keccak's rounds, which searches have found: tables that `tools/reorder` writes and checks. Each
//! is a macro that gives the steps of a round, one by one, to a macro that makes an instruction of a step.
//!
//! A step's first number is the register that is written, those behind the sign of equality are registers that are read, and
//! offsets or lanes. The comments name what a step makes: a sum c of a column or the sum l of a part of it, r = c <<< 1, D of a
//! column, lane t with its D, lane b of the state that rho and pi leave, lane a of the new state. What has no name is a store.

mod four;

pub(crate) use four::four;
