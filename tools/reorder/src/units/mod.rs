//! What a round is for each kind of registers.

mod four;
mod plane;
mod wide;

use crate::keccak::State;
use crate::place::Homes;
use crate::step::{Encoding, Machine, Op, Step, Word};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Four states with AVX2.
    Four,
    /// Four or eight states with AVX-512; their order is one.
    Wide,
    /// One state with AVX-512.
    Plane,
}

/// What is open beside order and registers. All of it is the same round. What a unit has no use for, it does not look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The order in which the lanes of a column are summed, by their rows; of planes, the first is all.
    pub columns: [[usize; 5]; 5],
    /// Which of these summands, from the second on, are read from memory again.
    pub made: [[bool; 5]; 5],
    /// How D is put together.
    pub d: [u8; 5],
    /// When the constant is added.
    pub iota: u8,
}

impl Shape {
    pub fn clean() -> Self {
        Self { columns: [[0, 1, 2, 3, 4]; 5], made: [[false; 5]; 5], d: [0; 5], iota: 0 }
    }
}

/// A round in some order: steps on values by their numbers in `steps`.
#[derive(Clone, Debug)]
pub struct Plan {
    pub unit: Unit,
    pub shape: Shape,
    pub order: Vec<usize>,
}

/// Hands out the numbers of values.
struct Round {
    steps: Vec<Step>,
    values: usize,
}

impl Round {
    /// With as many values before the first step.
    fn new(values: usize) -> Self {
        Self { steps: Vec::new(), values }
    }

    fn step(&mut self, op: Op, args: &[usize], name: String) -> usize {
        let to = self.values;
        self.values += 1;
        self.steps.push(Step::new(op, Some(to), args, name));
        to
    }
}

impl Unit {
    pub const ALL: [(&str, Self); 3] = [("four", Self::Four), ("wide", Self::Wide), ("plane", Self::Plane)];

    pub fn steps(self, shape: &Shape) -> (Vec<Step>, Homes) {
        match self {
            Self::Four => {
                let (steps, sums) = four::steps(shape);
                let homes = (0..5).map(|x| (x, sums[x], x)).collect();
                (steps, Homes { registers: 16, homes, copies: false })
            }
            Self::Wide => {
                let (steps, out) = wide::steps(shape);
                let homes = (0..25).map(|lane| (lane, out[lane], lane)).collect();
                (steps, Homes { registers: 32, homes, copies: true })
            }
            Self::Plane => {
                let (steps, out) = plane::steps(shape);
                let homes = (0..5).map(|y| (y, out[y], y)).collect();
                (steps, Homes { registers: 23, homes, copies: true })
            }
        }
    }

    /// The order of the standard, but that every lane is summed when it is stored.
    pub fn clean_order(self, steps: &[Step]) -> Vec<usize> {
        if self != Self::Four {
            return (0..steps.len()).collect();
        }
        let sums = steps.len() - 20;
        let mut order = Vec::new();
        for (i, step) in steps[..sums].iter().enumerate() {
            order.push(i);
            if let Op::Store(lane @ 5..) = step.op {
                order.push(sums + 4 * (lane % 5) + lane / 5 - 1);
            }
        }
        order
    }

    /// Changes something that is open.
    pub fn reshape(self, shape: &mut Shape, random: &mut fastrand::Rng) {
        let x = random.usize(..5);
        let column = if self == Self::Plane { 0 } else { x };
        match (self, random.usize(..8)) {
            (Self::Four, 3..6) => shape.made[x][random.usize(1..5)] ^= true,
            (_, 6) => {
                let (x, forms) = match self {
                    Self::Four => (x, 3),
                    Self::Wide => (x, 2),
                    Self::Plane => (0, 2),
                };
                shape.d[x] = random.u8(..forms);
            }
            (Self::Four, 7) => shape.iota = random.u8(..3),
            (Self::Plane, 7) => shape.iota = random.u8(..2),
            _ => shape.columns[column].swap(random.usize(..5), random.usize(..5)),
        }
    }

    /// What the order is run with.
    pub fn encodings(self) -> &'static [Encoding] {
        const Y: Encoding = Encoding { width: 'y', avx512: true };
        const Z: Encoding = Encoding { width: 'z', avx512: true };
        match self {
            Self::Four => &[Encoding { width: 'y', avx512: false }],
            Self::Wide => &[Y, Z],
            Self::Plane => &[Z],
        }
    }

    /// How many rounds the kernel has in one turn of its loop.
    pub fn rounds(self) -> usize {
        if self == Self::Four { 2 } else { 1 }
    }

    /// Assembly before the rounds: rdi points to the state.
    pub fn enter(self, width: char) -> String {
        let rows = |width: char| -> String {
            (0..25).map(|i| format!("vmovdqu64 {width}mm{i}, [rdi + 64*{i}]\n")).collect()
        };
        match self {
            Self::Four => concat!(
                "vmovdqu ymm0, [rdi]\nvmovdqu ymm1, [rdi + 32]\nvmovdqu ymm2, [rdi + 64]\n",
                "vmovdqu ymm3, [rdi + 96]\nvmovdqu ymm4, [rdi + 128]\nmov eax, 4\nlea r9, [rdi + 160]\n",
                "3: vpxor ymm0, ymm0, [r9]\nvpxor ymm1, ymm1, [r9 + 32]\nvpxor ymm2, ymm2, [r9 + 64]\n",
                "vpxor ymm3, ymm3, [r9 + 96]\nvpxor ymm4, ymm4, [r9 + 128]\nadd r9, 160\ndec eax\njnz 3b\n",
            )
            .into(),
            Self::Wide => rows(width),
            // A row of five words after the other; the tables of `Data` behind r8.
            Self::Plane => {
                let mut text = String::from("mov eax, 31\nkmovd k5, eax\n");
                for (k, elements) in (1..).zip(crate::step::SHEAR.into_iter().chain([1])) {
                    text += &format!("mov eax, {elements}\nkmovd k{k}, eax\n");
                }
                for i in 0..5 {
                    text += &format!("vmovdqu64 zmm{i}{{k5}}{{z}}, [rdi + 40*{i}]\n");
                }
                for i in 0..9 {
                    text += &format!("vmovdqu64 zmm{}, [r8 + 64 + 64*{i}]\n", 23 + i);
                }
                text
            }
        }
    }

    /// After them.
    pub fn leave(self, width: char) -> String {
        let rows = |width: char| -> String {
            (0..25).map(|i| format!("vmovdqu64 [rdi + 64*{i}], {width}mm{i}\n")).collect()
        };
        match self {
            Self::Four => String::new(),
            Self::Wide => rows(width),
            Self::Plane => (0..5).map(|i| format!("vmovdqu64 [rdi + 40*{i}]{{k5}}, zmm{i}\n")).collect(),
        }
    }

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, unit)| *unit == self).expect("a unit of the list").0
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(own, _)| *own == name).map(|(_, unit)| *unit)
    }

    /// Registers as they are before a round.
    pub fn begin(self, m: &mut Machine) {
        match self {
            Self::Four => {
                for x in 0..5 {
                    let sum = |i: usize| (0..5).fold(0, |sum, y| sum ^ m.from[x + 5 * y][i]);
                    m.registers[x] = std::array::from_fn(sum);
                }
            }
            Self::Wide => m.registers[..25].copy_from_slice(&m.from),
            Self::Plane => {
                for y in 0..5 {
                    let element = |x: usize| if x < 5 { m.from[x + 5 * y][0] } else { m.registers[y][x] };
                    m.registers[y] = std::array::from_fn(element);
                }
            }
        }
    }

    /// Whether what is in memory and in registers after it is that.
    pub fn end(self, m: &Machine, expected: &[State; 8]) -> Result<(), String> {
        let wrong = |place: String| Err(format!("{place} is wrong"));
        for lane in 0..25 {
            let row: Word = expected.map(|state| state[lane]);
            let (x, y) = (lane % 5, lane / 5);
            match self {
                Self::Four if m.made[lane] != Some(row) => return wrong(format!("lane {lane} in memory")),
                Self::Wide if m.registers[lane] != row => {
                    return wrong(format!("lane {lane}"));
                }
                Self::Plane if m.registers[y][x] != row[0] => return wrong(format!("lane {lane}")),
                _ => (),
            }
        }
        for x in 0..5 {
            let sum = expected.map(|state| (0..5).fold(0, |sum, y| sum ^ state[x + 5 * y]));
            if self == Self::Four && m.registers[x] != sum {
                return wrong(format!("sum {x}"));
            }
        }
        Ok(())
    }

    /// How many slots a row of the states has in memory.
    pub fn slots(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Wide => 8,
            Self::Plane => 1,
        }
    }

    /// How many of them an encoding permutes.
    pub fn used(self, encoding: Encoding) -> usize {
        if encoding.width == 'y' { 4 } else { self.slots() }
    }

    /// Whether this machine has the instructions.
    pub fn runs_here(self) -> bool {
        use std::arch::is_x86_feature_detected as has;
        let avx512 = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
        if self == Self::Four { has!("avx2") } else { avx512 }
    }
}
