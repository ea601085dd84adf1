//! Instructions by what they do, on values or on registers.

use crate::keccak::rho;

/// What an instruction does to its operands. `to` is what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// No instruction: a step that another shape of the round has.
    Nothing,
    Copy,
    Xor,
    Or,
    /// The first operand's complement and the second.
    AndNot,
    /// To the left by 1.
    Double,
    /// Shifts by so many bits.
    Left(u32),
    Right(u32),
    /// A rotation to the left by whole bytes.
    Bytes(u32),
    /// A rotation to the left.
    Rol(u32),
    /// The sum of the operand and a lane of the state before the round, or of what has been stored of that after it.
    XorFrom(usize),
    XorMade(usize),
    Store(usize),
    /// The round constant in every slot, and its sum with the operand.
    Constant,
    Iota,
    /// The sum of three; `to` is one of them.
    Xor3,
    /// x + (~y)z; `to` is one of them, in registers `First` x, `Second` y or `Third` z, which is named first.
    Chi,
    ChiFirst,
    ChiSecond,
    ChiThird,
    /// Of planes: element x from x + r mod 5; rho of register f after the shear; step k of the shear; the constant in element
    /// 0, `to` being the operand.
    Turn(usize),
    Rho(usize),
    Blend(usize),
    IotaPlane,
}

/// `R` numbers values or registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub op: Op,
    pub to: Option<usize>,
    pub args: Vec<usize>,
    /// What it makes, for readers.
    pub name: String,
}

/// Which elements a step of the shear takes from its second operand.
pub const SHEAR: [u8; 3] = [0b01010, 0b01100, 0b10000];

/// How steps are written as instructions: `x`, `y` or `z` registers, with AVX-512 or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    pub width: char,
    pub avx512: bool,
}

/// Eight words: of states side by side one each, of a plane five.
pub type Word = [u64; 8];

/// What steps on registers work on.
pub struct Machine {
    pub registers: Vec<Word>,
    pub from: [Word; 25],
    pub made: [Option<Word>; 25],
    pub constant: u64,
}

impl Step {
    pub fn new(op: Op, to: Option<usize>, args: &[usize], name: impl Into<String>) -> Self {
        Self { op, to, args: args.to_vec(), name: name.into() }
    }

    /// Does the step on registers. An error if it reads what nobody has written.
    pub fn run(&self, m: &mut Machine) -> Result<(), String> {
        let arg = |i: usize| m.registers[self.args[i]];
        let each = |f: &dyn Fn(usize) -> u64| std::array::from_fn(f);
        let value: Word = match self.op {
            Op::Nothing => return Ok(()),
            Op::Copy => arg(0),
            Op::Xor => each(&|i| arg(0)[i] ^ arg(1)[i]),
            Op::Or => each(&|i| arg(0)[i] | arg(1)[i]),
            Op::AndNot => each(&|i| !arg(0)[i] & arg(1)[i]),
            Op::Double => each(&|i| arg(0)[i] << 1),
            Op::Left(n) => each(&|i| arg(0)[i] << n),
            Op::Right(n) => each(&|i| arg(0)[i] >> n),
            Op::Bytes(n) | Op::Rol(n) => each(&|i| arg(0)[i].rotate_left(n)),
            Op::XorFrom(lane) => each(&|i| arg(0)[i] ^ m.from[lane][i]),
            Op::XorMade(lane) => {
                let made = m.made[lane].ok_or_else(|| format!("lane {lane} is read before it is stored"))?;
                each(&|i| arg(0)[i] ^ made[i])
            }
            Op::Store(lane) => {
                m.made[lane] = Some(arg(0));
                return Ok(());
            }
            Op::Constant => [m.constant; 8],
            Op::Iota => each(&|i| arg(0)[i] ^ m.constant),
            Op::Xor3 | Op::Chi | Op::ChiFirst | Op::ChiSecond | Op::ChiThird | Op::IotaPlane => {
                // On registers, the first operand is the one that is written.
                let all: Vec<Word> = self.reads().into_iter().map(|read| m.registers[read]).collect();
                match (self.op, &all[..]) {
                    (Op::Xor3, [a, b, c]) => each(&|i| a[i] ^ b[i] ^ c[i]),
                    (Op::Chi | Op::ChiFirst, [x, y, z])
                    | (Op::ChiSecond, [y, x, z])
                    | (Op::ChiThird, [z, x, y]) => each(&|i| x[i] ^ (!y[i] & z[i])),
                    (Op::IotaPlane, [a]) => each(&|x| if x == 0 { a[x] ^ m.constant } else { a[x] }),
                    _ => return Err("a wrong number of operands".into()),
                }
            }
            Op::Turn(r) => each(&|x| arg(0)[if x < 5 { (x + r) % 5 } else { x }]),
            Op::Rho(f) => {
                let rho = rho();
                each(&|x| arg(0)[x].rotate_left(if x < 5 { rho[x + 5 * ((x + f) % 5)] } else { 0 }))
            }
            Op::Blend(k) => each(&|x| if SHEAR[k - 1] >> x & 1 == 1 { arg(1)[x] } else { arg(0)[x] }),
        };
        m.registers[self.to.ok_or("a result has no place")?] = value;
        Ok(())
    }

    /// What is read: of a step on registers that overwrites an operand, this one first.
    pub fn reads(&self) -> Vec<usize> {
        let overwritten = match self.op {
            Op::Xor3 => self.args.len() == 2,
            Op::ChiFirst | Op::ChiSecond | Op::ChiThird => true,
            Op::IotaPlane => self.args.is_empty(),
            _ => false,
        };
        self.to.filter(|_| overwritten).into_iter().chain(self.args.iter().copied()).collect()
    }

    /// As a step of a macro.
    pub fn row(&self) -> String {
        let (name, number) = match self.op {
            Op::Nothing => ("nothing", None),
            Op::Copy => ("copy", None),
            Op::Xor => ("xor", None),
            Op::Or => ("or", None),
            Op::AndNot => ("and_not", None),
            Op::Double => ("double", None),
            Op::Left(n) => ("left", Some(n as usize)),
            Op::Right(n) => ("right", Some(n as usize)),
            Op::Bytes(n) => ("bytes", Some(n as usize)),
            Op::Rol(n) => ("rol", Some(n as usize)),
            Op::XorFrom(lane) => ("xor_from", Some(lane)),
            Op::XorMade(lane) => ("xor_made", Some(lane)),
            Op::Store(lane) => ("store", Some(lane)),
            Op::Constant => ("constant", None),
            Op::Iota | Op::IotaPlane => ("iota", None),
            Op::Xor3 => ("xor3", None),
            Op::Chi => ("chi", None),
            Op::ChiFirst => ("chi_first", None),
            Op::ChiSecond => ("chi_second", None),
            Op::ChiThird => ("chi_third", None),
            Op::Turn(r) => ("turn", Some(r)),
            Op::Rho(f) => ("rho", Some(f)),
            Op::Blend(k) => (["", "blend1", "blend2", "blend3"][k], None),
        };
        let operands: Vec<String> = self.args.iter().copied().chain(number).map(|n| n.to_string()).collect();
        let operands = operands.join(", ");
        match self.to {
            Some(to) if operands.is_empty() => format!("{name} {to}"),
            Some(to) => format!("{name} {to} = {operands}"),
            None => format!("{name} {operands}"),
        }
    }

    /// The inverse of [`row`](Self::row).
    pub fn parse(row: &str) -> Option<Self> {
        let (name, rest) = row.trim().split_once(' ')?;
        let (to, operands) = match rest.split_once(" = ") {
            Some((to, operands)) => (Some(to.parse().ok()?), operands),
            None if matches!(name, "constant" | "iota") => (Some(rest.parse().ok()?), ""),
            None => (None, rest),
        };
        let operands = operands.split(", ").filter(|word| !word.is_empty());
        let mut args = operands.map(|word| word.parse().ok()).collect::<Option<Vec<usize>>>()?;
        let mut last = || args.pop().filter(|n| *n < 64);
        let op = match name {
            "copy" => Op::Copy,
            "xor" => Op::Xor,
            "or" => Op::Or,
            "and_not" => Op::AndNot,
            "double" => Op::Double,
            "left" => Op::Left(last()? as u32),
            "right" => Op::Right(last()? as u32),
            "bytes" => Op::Bytes(last()? as u32),
            "rol" => Op::Rol(last()? as u32),
            "xor_from" => Op::XorFrom(last().filter(|lane| *lane < 25)?),
            "xor_made" => Op::XorMade(last().filter(|lane| *lane < 25)?),
            "store" => Op::Store(last().filter(|lane| *lane < 25)?),
            "constant" => Op::Constant,
            "iota" if operands_of_iota(rest) => Op::Iota,
            "iota" => Op::IotaPlane,
            "xor3" => Op::Xor3,
            "chi_first" => Op::ChiFirst,
            "chi_second" => Op::ChiSecond,
            "chi_third" => Op::ChiThird,
            "turn" => Op::Turn(last().filter(|r| (1..5).contains(r))?),
            "rho" => Op::Rho(last().filter(|f| *f < 5)?),
            "blend1" => Op::Blend(1),
            "blend2" => Op::Blend(2),
            "blend3" => Op::Blend(3),
            _ => return None,
        };
        let operands = match op {
            Op::Constant | Op::IotaPlane => 0,
            Op::Copy | Op::Double | Op::Left(_) | Op::Right(_) | Op::Bytes(_) | Op::Rol(_) => 1,
            Op::XorFrom(_) | Op::XorMade(_) | Op::Store(_) | Op::Iota | Op::Turn(_) | Op::Rho(_) => 1,
            _ => 2,
        };
        let registers = args.iter().chain(&to).all(|register| *register < 32);
        let fits = args.len() == operands && registers && to.is_none() == matches!(op, Op::Store(_));
        fits.then(|| Self::new(op, to, &args, ""))
    }

    /// As assembly for x86-64. rdi points to the state before the round, rsi to
    /// that after it, rdx to the constant and r8 to the controls of [`Op::Bytes`], by 8 and by 56.
    pub fn assembly(&self, encoding: Encoding) -> String {
        let Encoding { width, avx512 } = encoding;
        let mm = |register: usize| format!("{width}mm{register}");
        let to = || mm(self.to.expect("a register"));
        let arg = |i: usize| mm(self.args[i]);
        let q = if avx512 { "q" } else { "" };
        let slots = if width == 'z' { 8 } else { 4 };
        match self.op {
            Op::Nothing => String::new(),
            Op::Copy if !avx512 => format!("vmovdqa {}, {}", to(), arg(0)),
            Op::Copy => format!("vmovdqa64 {}, {}", to(), arg(0)),
            Op::Xor => format!("vpxor{q} {}, {}, {}", to(), arg(0), arg(1)),
            Op::Or => format!("vpor {}, {}, {}", to(), arg(0), arg(1)),
            Op::AndNot => format!("vpandn {}, {}, {}", to(), arg(0), arg(1)),
            Op::Double => format!("vpaddq {}, {}, {}", to(), arg(0), arg(0)),
            Op::Left(n) => format!("vpsllq {}, {}, {n}", to(), arg(0)),
            Op::Right(n) => format!("vpsrlq {}, {}, {n}", to(), arg(0)),
            Op::Bytes(n) => format!("vpshufb {}, {}, [r8 + {}]", to(), arg(0), if n == 8 { 0 } else { 32 }),
            Op::Rol(n) => format!("vprolq {}, {}, {n}", to(), arg(0)),
            Op::XorFrom(lane) => format!("vpxor {}, {}, [rdi + 32*{lane}]", to(), arg(0)),
            Op::XorMade(lane) => format!("vpxor {}, {}, [rsi + 32*{lane}]", to(), arg(0)),
            Op::Store(lane) => format!("vmovdqu [rsi + 32*{lane}], {}", arg(0)),
            Op::Constant => format!("vpbroadcastq {}, qword ptr [rdx]", to()),
            Op::Iota => format!("vpxorq {}, {}, qword ptr [rdx]{{1to{slots}}}", to(), arg(0)),
            Op::Xor3 => format!("vpternlogq {}, {}, {}, 0x96", to(), arg(0), arg(1)),
            Op::Chi | Op::ChiFirst => format!("vpternlogq {}, {}, {}, 0xd2", to(), arg(0), arg(1)),
            Op::ChiSecond => format!("vpternlogq {}, {}, {}, 0xc6", to(), arg(0), arg(1)),
            Op::ChiThird => format!("vpternlogq {}, {}, {}, 0x9c", to(), arg(0), arg(1)),
            Op::Turn(r) => format!("vpermq {}, zmm{}, {}", to(), 22 + r, arg(0)),
            Op::Rho(f) => format!("vprolvq {}, {}, zmm{}", to(), arg(0), 27 + f),
            Op::Blend(k) => format!("vpblendmq {}{{k{k}}}, {}, {}", to(), arg(0), arg(1)),
            Op::IotaPlane => format!("vpxorq {0}{{k4}}, {0}, qword ptr [rdx]{{1to8}}", to()),
        }
    }
}

fn operands_of_iota(rest: &str) -> bool {
    rest.contains('=')
}
