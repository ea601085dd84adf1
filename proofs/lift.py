"""Runs a function of a binary on inputs that are not known.

angr's lifter says what each instruction does (pyvex: Valgrind's intermediate language), and its loader what the binary holds
(cle). This file runs that on values of `terms.py`, and refuses whatever could depend on the inputs other than what is computed: an
address, a branch, an access outside the arguments, the constants and the function's own stack.
"""

import logging
import re

import cle
import pyvex

from terms import concat, const, is_const, lanes, number, part, signed, size

logging.getLogger("cle").setLevel(logging.ERROR)  # it warns of symbols of the C library, which nobody asks for


class Refused(Exception):
    """The binary does what it must not, or what is not understood here."""


STACK = 0x7FFF_0000_0000
STACK_SIZE = 1 << 16
RETURN = 0x6660_0000
ARGUMENTS = 0x5550_0000_0000
STEPS = 400_000
RELOCATED = (".got", ".data.rel.ro")  # nobody writes there after the program has been loaded


class Binary:
    def __init__(self, path):
        self.loader = cle.Loader(str(path), auto_load_libs=False)
        self.object = self.loader.main_object
        self.arch = self.object.arch
        self.patches = {}
        self.blocks = {}
        self.read_only = [
            (s.vaddr, s.vaddr + s.memsize)
            for s in self.object.sections
            if s.memsize and (s.is_readable and not s.is_writable or s.name in RELOCATED)
        ]

    def byte(self, address):
        if address in self.patches:
            return self.patches[address]
        return self.loader.memory[address]

    def code(self, address, count):
        data = bytearray(self.loader.memory.load(address, count))
        for at, value in self.patches.items():
            if address <= at < address + count:
                data[at - address] = value
        return bytes(data)

    def block(self, address):
        if address not in self.blocks:
            block = pyvex.lift(self.code(address, 4096), address, self.arch, max_bytes=4096, max_inst=64, opt_level=1)
            self.blocks[address] = block
        return self.blocks[address]

    def patch(self, patches):
        self.patches, self.blocks = dict(patches), {}


class Machine:
    """One call. `watch(value, width)` sees every value that is kept, and may give another one that is equal."""

    def __init__(self, binary, terms, watch=None):
        self.binary, self.t, self.watch = binary, terms, watch
        self.registers, self.memory = {}, {}
        self.short = {}  # arguments that are said to have so many bytes only, for a fault
        self.regions = []  # (low, high, name, may be written)
        self.next = ARGUMENTS
        self.reads = {}  # constants: address to how many bytes
        self.executed = []
        self.unknown = 0
        self.top = STACK  # where the stack of the caller begins
        self.touched = {}  # of the arguments, how many bytes up to the last one that was read or written
        self.static = None  # the name of a static of one byte that may be read, and what is in it

    # Memory.

    def region(self, name, length, values=None, writable=False):
        """An argument's memory: `values` of the inputs' widths, one after the other."""
        low = self.next
        self.next = (self.next + length + 0xFFFF) & ~0xFFFF
        self.regions.append((low, low + self.short.get(name, length), name, writable))
        if values is not None:
            at = low
            for value in values:
                self.put(self.memory, at, value)
                at += size(value) // 8
            assert at == low + length
        return low

    def put(self, where, address, value):
        for i in range(size(value) // 8):
            where[address + i] = part(value, 8 * i, 8)

    def place(self, address, count, write):
        end = address + count
        if STACK - STACK_SIZE <= address and end <= self.top:
            return "stack"
        for low, high, name, writable in self.regions:
            if low <= address and end <= high:
                if write and not writable:
                    raise Refused(f"writes {count} bytes to {name}, which it must not")
                self.touched[name] = max(self.touched.get(name, 0), end - low)
                return name
        if not write and any(low <= address and end <= high for low, high in self.binary.read_only):
            return None
        if not write and self.static is not None and (address, count) in {(a, 1) for a in self.binary.symbols[self.static[0]]}:
            return "static"
        raise Refused(f"{'writes' if write else 'reads'} {count} bytes at {address:#x}, outside of what it was given")

    def load(self, address, count):
        name = self.place(address, count, False)
        if name is None:
            for i in range(count):
                self.reads[address + i] = True
            return const(int.from_bytes(bytes(self.binary.byte(address + i) for i in range(count)), "little"), 8 * count)
        if name == "static":
            return const(self.static[1], 8)
        out = []
        for i in range(address, address + count):
            if i not in self.memory:
                if name != "stack":
                    raise Refused(f"reads {name} where nothing was written")
                self.memory[i] = self.fresh(8)
            out.append(self.memory[i])
        return concat(*out)

    def store(self, address, value):
        self.place(address, size(value) // 8, True)
        self.put(self.memory, address, self.seen(value))

    def fresh(self, width):
        """Something of which nothing is known."""
        self.unknown += 1
        return self.t.input(f"unknown{self.unknown}", width)

    def seen(self, value):
        if self.watch is None or size(value) % 64:
            return value
        return concat(*(self.watch(lane) for lane in lanes(value, 64)))

    # Registers.

    def get(self, offset, width):
        out = []
        for i in range(offset, offset + width // 8):
            if i not in self.registers:
                self.registers[i] = self.fresh(8)
            out.append(self.registers[i])
        return concat(*out)

    def register(self, name):
        return self.binary.arch.registers[name][0]

    def set(self, name, n, width=64):
        self.put(self.registers, self.register(name), const(n, width))

    # Execution.

    def call(self, address, arguments):
        """Runs the function until it returns; integers and pointers as arguments. Gives the first result register."""
        arch = self.binary.arch
        intel = arch.name == "AMD64"
        names = ["rdi", "rsi", "rdx", "rcx", "r8", "r9"] if intel else [f"x{i}" for i in range(8)]
        saved = ["rbx", "rbp", "r12", "r13", "r14", "r15"] if intel else [f"x{i}" for i in range(19, 30)]
        # Of v8 to v15 the lower halves belong to the caller.
        saved += [] if intel else [f"v{i}" for i in range(8, 16)]
        for name in names + saved:
            self.put(self.registers, self.register(name), self.t.input(f"register {name}", 64))
        for name, value in zip(names, arguments):
            self.set(name, value)
        top = STACK - 0x1000
        if intel:
            self.set("rsp", top - 8)
            self.put(self.memory, top - 8, const(RETURN, 64))
            self.set("d", 1)
        else:
            self.set("sp", top)
            self.put(self.registers, self.register("x30"), const(RETURN, 64))
        self.top = top
        at = address
        steps = 0
        while at != RETURN:
            if not any(s.vaddr <= at < s.vaddr + s.memsize and s.is_executable for s in self.binary.object.sections):
                raise Refused(f"runs at {at:#x}, where there is no code")
            at = self.run(self.binary.block(at))
            steps += 1
            if steps > STEPS:
                raise Refused("does not come to an end")
        if number(self.get(self.register("rsp" if intel else "sp"), 64)) != top:
            raise Refused("leaves the stack elsewhere")
        for name in saved:
            if self.get(self.register(name), 64) != self.t.input(f"register {name}", 64):
                raise Refused(f"does not restore {name}")
        return self.get(self.register("rax" if intel else "x0"), 64)

    def run(self, block):
        unknown = block.jumpkind == "Ijk_NoDecode"
        if not unknown and block.jumpkind not in ("Ijk_Boring", "Ijk_Ret", "Ijk_Call"):
            raise Refused(f"{block.jumpkind} at {block.addr:#x}")
        temporaries = {}
        env = block.tyenv
        ip = self.binary.arch.ip_offset
        for statement in block.statements:
            tag = statement.tag
            if tag == "Ist_WrTmp":
                temporaries[statement.tmp] = self.seen(self.evaluate(statement.data, temporaries, env))
            elif tag == "Ist_Put":
                if statement.offset != ip:
                    value = self.evaluate(statement.data, temporaries, env)
                    if size(value) % 8:
                        value = self.t.zext(value, 8)
                    self.put(self.registers, statement.offset, self.seen(value))
            elif tag == "Ist_Store":
                address = self.address(self.evaluate(statement.addr, temporaries, env))
                self.store(address, self.evaluate(statement.data, temporaries, env))
            elif tag == "Ist_Exit":
                guard = self.evaluate(statement.guard, temporaries, env)
                if not is_const(guard):
                    raise Refused(f"a branch near {self.here:#x} depends on the inputs")
                if number(guard):
                    return statement.dst.value
            elif tag == "Ist_IMark":
                self.here = statement.addr
                self.executed.append((statement.addr, statement.len))
            elif tag not in ("Ist_AbiHint", "Ist_NoOp", "Ist_MBE"):
                raise Refused(f"{tag} at {self.here:#x}: a statement that is not understood")
        if unknown:
            at = block.addr + block.size
            self.sha3(at, int.from_bytes(self.binary.code(at, 4), "little"))
            return at + 4
        target = self.evaluate(block.next, temporaries, env)
        if not is_const(target):
            raise Refused(f"a jump near {self.here:#x} depends on the inputs")
        return number(target)

    def sha3(self, at, word):
        """The four instructions of FEAT_SHA3, which the lifter does not know (Arm ARM, C7.2: EOR3, BCAX, RAX1, XAR)."""
        t, base = self.t, self.register("v0")
        step = self.register("v1") - base

        def vector(n):
            return self.get(base + step * n, 128)

        d, n, a, m = word & 31, word >> 5 & 31, word >> 10 & 31, word >> 16 & 31
        xor = lambda x, y: t.bitwise("xor", x, y)
        turn = lambda x, by: concat(part(x, 64 - by, by), part(x, 0, 64 - by)) if by else x
        if self.binary.arch.name != "AARCH64":
            raise Refused(f"an instruction at {at:#x} that is not understood")
        if word >> 21 == 0b11001110000 and not word >> 15 & 1:
            value = xor(xor(vector(n), vector(m)), vector(a))
        elif word >> 21 == 0b11001110001 and not word >> 15 & 1:
            value = xor(vector(n), t.bitwise("and", vector(m), t.invert(vector(a))))
        elif word >> 21 == 0b11001110011 and word >> 10 & 63 == 0b100011:
            value = each(64, lambda x, y: xor(x, turn(y, 1)), vector(n), vector(m))
        elif word >> 21 == 0b11001110100:
            by = word >> 10 & 63
            value = each(64, lambda x: turn(x, (64 - by) % 64), xor(vector(n), vector(m)))
        else:
            raise Refused(f"an instruction at {at:#x} that is not understood")
        self.executed.append((at, 4))
        self.put(self.registers, base + step * d, self.seen(value))

    def address(self, value):
        if not is_const(value):
            raise Refused(f"an address near {self.here:#x} depends on the inputs")
        return number(value)

    def evaluate(self, e, temporaries, env):
        tag = e.tag
        if tag == "Iex_RdTmp":
            return temporaries[e.tmp]
        if tag == "Iex_Const":
            return constant(e.con)
        if tag == "Iex_Get":
            width = pyvex.get_type_size(e.ty)
            return self.get(e.offset, width) if width >= 8 else part(self.get(e.offset, 8), 0, width)
        if tag == "Iex_Load":
            address = self.address(self.evaluate(e.addr, temporaries, env))
            return self.load(address, pyvex.get_type_size(e.ty) // 8)
        if tag == "Iex_Unop":
            return operation(self.t, e.op, [self.evaluate(a, temporaries, env) for a in e.args])
        if tag in ("Iex_Binop", "Iex_Triop", "Iex_Qop"):
            return operation(self.t, e.op, [self.evaluate(a, temporaries, env) for a in e.args])
        if tag == "Iex_ITE":
            c, a, b = (self.evaluate(x, temporaries, env) for x in (e.cond, e.iftrue, e.iffalse))
            return self.t.ite(c, a, b)
        if tag == "Iex_CCall":
            args = [self.evaluate(a, temporaries, env) for a in e.args]
            return helper(self.t, e.cee.name if hasattr(e, "cee") else e.callee.name, args)
        raise Refused(f"{tag} at {self.here:#x}: an expression that is not understood")


def constant(con):
    return const(con.value, pyvex.get_type_size(con.type))


def each(width, f, *args):
    return concat(*(f(*lane) for lane in zip(*(lanes(a, width) for a in args))))


LANEWISE = re.compile(r"Iop_(Add|Sub|Mul|And|Or|Xor|Not|Shl|Shr|Sar|CmpEQ|CmpNE)(\d+)$")
VECTOR = re.compile(
    r"Iop_(Add|Sub|Mul|MulHi|QAdd|Min|Max|CmpEQ|CmpGT|ShlN|ShrN|SarN|QDMulHi|QRDMulHi|Rsh|Sh|GetMSBs|Perm|CatEvenLanes"
    r"|CatOddLanes|InterleaveLO|InterleaveHI)(\d+)([SU]?)x(\d+)$"
)
CONVERT = re.compile(r"Iop_(\d+)(U|S|HI|)to(\d+|V128|V256)$")
VECTORS = {"V128": 128, "V256": 256}


def operation(t, op, args):
    a = args[0]
    b = args[1] if len(args) > 1 else None
    found = LANEWISE.match(op)
    if found:
        name, width = found[1], int(found[2])
        if name in ("Add", "Sub", "Mul"):
            return {"Add": t.add, "Sub": t.sub, "Mul": t.mul}[name](a, b)
        if name in ("And", "Or", "Xor"):
            return t.bitwise(name.lower(), a, b)
        if name == "Not":
            return t.invert(a)
        if name in ("Shl", "Shr", "Sar"):
            if not is_const(b):
                raise Refused("a shift by a number that depends on the inputs")
            return {"Shl": t.shl, "Shr": t.shr, "Sar": t.sar}[name](a, number(b))
        equal = t.test("eq", a, b)
        return equal if name == "CmpEQ" else t.invert(equal)
    found = re.match(r"Iop_(And|Or|Xor|Not)V(128|256)$", op)
    if found:
        return t.invert(a) if found[1] == "Not" else t.bitwise(found[1].lower(), a, b)
    found = re.match(r"Iop_Cmp(LT|LE)(\d+)([SU])$", op)
    if found:
        less = "slt" if found[3] == "S" else "ult"
        return t.test(less, a, b) if found[1] == "LT" else t.invert(t.test(less, b, a))
    found = VECTOR.match(op)
    if found:
        return vector(t, found[1], int(found[2]), found[3], int(found[4]), args, op)
    found = CONVERT.match(op)
    if found:
        width, to = int(found[1]), VECTORS.get(found[3]) or int(found[3])
        if found[2] == "HI":
            return part(a, to, to)
        if to < width:
            return part(a, 0, to)
        return t.sext(a, to) if found[2] == "S" else t.zext(a, to)
    found = re.match(r"Iop_(\d+|V128)HLto(\d+|V128|V256)$", op)
    if found:
        return concat(b, a)
    found = re.match(r"Iop_V(128|256)(HI)?to(64|V128|32|16|8)(?:_(\d))?$", op)
    if found:
        to = VECTORS.get(found[3]) or int(found[3])
        return part(a, to * (int(found[4]) if found[4] else 1 if found[2] else 0), to)
    if op == "Iop_Cnt8x16":
        return each(8, lambda x: sum_of_bits(t, x), a)
    if op == "Iop_64x4toV256":
        return concat(*reversed(args))
    found = re.match(r"Iop_ZeroHI(\d+)ofV128$", op)
    if found:
        return t.zext(part(a, 0, 128 - int(found[1])), 128)
    found = re.match(r"Iop_Mull(\d+)([SU])x(\d+)$", op)
    if found:
        width = int(found[1])
        wide = t.sext if found[2] == "S" else t.zext
        return each(width, lambda x, y: t.mul(wide(x, 2 * width), wide(y, 2 * width)), a, b)
    found = re.match(r"Iop_Mull([SU])(\d+)$", op)
    if found:
        width = int(found[2])
        wide = t.sext if found[1] == "S" else t.zext
        return t.mul(wide(a, 2 * width), wide(b, 2 * width))
    found = re.match(r"Iop_QNarrowBin(\d+)Sto(\d+)([SU])x(\d+)$", op)
    if found:
        # the first argument's lanes are the upper ones
        width, to = int(found[1]), int(found[2])
        return each(width, lambda x: t.node("narrow_su" if found[3] == "U" else "narrow_ss", to, x), concat(b, a))
    found = re.match(r"Iop_NarrowUn(\d+)to(\d+)x(\d+)$", op)
    if found:
        return each(int(found[1]), lambda x: part(x, 0, int(found[2])), a)
    found = re.match(r"Iop_Widen(\d+)([SU])to(\d+)x(\d+)$", op)
    if found:
        wide = t.sext if found[2] == "S" else t.zext
        return each(int(found[1]), lambda x: wide(x, int(found[3])), a)
    found = re.match(r"Iop_Dup(\d+)x(\d+)$", op)
    if found:
        return concat(*[a] * int(found[2]))
    if op == "Iop_Slice64" or op == "Iop_SliceV128":
        return part(concat(args[1], args[0]), 8 * number(args[2]), size(a))
    raise Refused(f"{op}: an operation that is not understood")


def vector(t, name, width, sign, count, args, op):
    a = args[0]
    b = args[1] if len(args) > 1 else None
    if name in ("Add", "Sub", "Mul"):
        return each(width, {"Add": t.add, "Sub": t.sub, "Mul": t.mul}[name], a, b)
    if name == "QAdd" and sign == "S":
        return each(width, lambda x, y: t.node("qadds", width, x, y), a, b)
    if name == "MulHi":
        wide = t.sext if sign == "S" else t.zext
        return each(width, lambda x, y: part(t.mul(wide(x, 2 * width), wide(y, 2 * width)), width, width), a, b)
    if name in ("Min", "Max"):
        less = "slt" if sign == "S" else "ult"

        def choose(x, y):
            first, second = (x, y) if name == "Min" else (y, x)
            return t.ite(t.test(less, x, y), first, second)

        return each(width, choose, a, b)
    if name == "CmpEQ":
        return each(width, lambda x, y: t.mask_of(t.test("eq", x, y), width), a, b)
    if name == "CmpGT":
        less = "slt" if sign == "S" else "ult"
        return each(width, lambda x, y: t.mask_of(t.test(less, y, x), width), a, b)
    if name in ("ShlN", "ShrN", "SarN"):
        shift = {"ShlN": t.shl, "ShrN": t.shr, "SarN": t.sar}[name]
        return each(width, lambda x: shift(x, number(b)), a)
    if name in ("QDMulHi", "QRDMulHi"):
        # twice the product, with half a unit for the rounding one, and the only product that has no place in it
        rounding = 1 << (width - 1) if name == "QRDMulHi" else 0

        def high(x, y):
            wide = 2 * width + 1
            product = t.mul(t.sext(x, wide), t.sext(y, wide))
            double = t.add(t.shl(product, 1), const(rounding, wide))
            return t.node("narrow_ss", width, part(double, width, width + 1))

        return each(width, high, a, b)
    if name in ("Rsh", "Sh"):
        return each(width, lambda x, y: by_sign(t, name, sign, width, x, y), a, b)
    if name == "GetMSBs":
        return concat(*(part(x, width - 1, 1) for x in lanes(a, width)))
    if name == "Perm":
        # VEX: the lanes of the first by the indices of the second, of which only the low bits count
        return concat(*(chosen(t, lanes(a, width), i) for i in lanes(b, width)))
    if name == "CatEvenLanes":
        return concat(*lanes(b, width)[0::2], *lanes(a, width)[0::2])
    if name == "CatOddLanes":
        return concat(*lanes(b, width)[1::2], *lanes(a, width)[1::2])
    if name in ("InterleaveLO", "InterleaveHI"):
        x, y = lanes(a, width), lanes(b, width)
        half = slice(0, count // 2) if name == "InterleaveLO" else slice(count // 2, count)
        return concat(*(lane for pair in zip(y[half], x[half]) for lane in pair))
    raise Refused(f"{op}: an operation that is not understood")


def chosen(t, values, at):
    """One of several values by the lowest bits of a number: within registers, so the number may depend on the inputs."""
    bit = 0
    while len(values) > 1:
        which = part(at, bit, 1)
        values = [t.ite(which, odd, even) for even, odd in zip(values[0::2], values[1::2])]
        bit += 1
    return values[0]


def sum_of_bits(t, value):
    total = const(0, size(value))
    for i in range(size(value)):
        total = t.add(total, t.zext(part(value, i, 1), size(value)))
    return total


def index(value):
    if not is_const(value):
        raise Refused("a shuffle by numbers that depend on the inputs")
    return number(value)


def by_sign(t, name, sign, width, x, by):
    """A shift of AArch64 by a number with a sign, to the left if it is positive; the rounding one if `name` is Rsh."""
    n = signed(index(by) & 0xFF, 8)
    if n >= 0:
        return t.shl(x, n)
    n = -n
    if n > width:
        return const(0, width) if sign == "U" or name == "Rsh" else t.sar(x, width - 1)
    wide = t.sext if sign == "S" else t.zext
    value = wide(x, width + 1)
    if name == "Rsh":
        value = t.add(value, const(1 << (n - 1), width + 1))
    return part(t.sar(value, n) if sign == "S" else t.shr(value, n), 0, width)


def helper(t, name, args):
    if name == "amd64g_calculate_mmx_pmaddwd":
        a, b = (lanes(x, 16) for x in args)
        products = [t.mul(t.sext(x, 32), t.sext(y, 32)) for x, y in zip(a, b)]
        return concat(t.add(products[0], products[1]), t.add(products[2], products[3]))
    if name == "amd64g_calculate_rflags_c" and all(is_const(a) for a in args[:3]):
        # the last argument is the carry before, which additions and logic do not keep
        return const(amd64_condition(2, *(number(a) for a in args[:3]), None), 64)
    if name in ("amd64g_calculate_condition", "arm64g_calculate_condition"):
        if not all(is_const(a) for a in args):
            raise Refused("flags that depend on the inputs")
        numbers = [number(a) for a in args]
        if name.startswith("amd64"):
            return const(amd64_condition(*numbers), 64)
        return const(arm64_condition(*numbers), 64)
    raise Refused(f"{name}: a helper that is not understood")


def amd64_condition(condition, op, first, second, _):
    """Of the operations that set flags: additions (1 to 4), subtractions (5 to 8), logic (17 to 20), increments (21 to 24)
    and decrements (25 to 28), each of 8 to 64 bits."""
    kind, log = (op - 1) // 4, (op - 1) % 4
    width = 8 << log
    m = (1 << width) - 1
    a, b = first & m, second & m
    if kind == 0:
        result, carry = (a + b) & m, a + b > m
        overflow = (a ^ result) & (b ^ result)
    elif kind == 1:
        result, carry = (a - b) & m, a < b
        overflow = (a ^ b) & (a ^ result)
    elif kind == 4:
        result, carry, overflow = a, False, 0
    elif kind in (5, 6):
        result, carry = a, None
        overflow = (1 << (width - 1)) if a == (1 << (width - 1) if kind == 5 else m >> 1) else 0
    else:
        raise Refused(f"flags of the operation {op}")
    zero, sign, overflow = result == 0, bool(result >> (width - 1)), bool(overflow >> (width - 1) & 1)
    which = condition >> 1
    if which in (1, 3) and carry is None:
        raise Refused("a carry that is not known")
    value = {
        0: overflow,
        1: carry,
        2: zero,
        3: carry or zero,
        4: sign,
        6: sign != overflow,
        7: zero or sign != overflow,
    }[which]
    return int(bool(value) ^ (condition & 1))


def arm64_condition(condition_and_op, first, second, _):
    """Of additions (1, 2) and subtractions (3, 4) of 32 and 64 bits."""
    condition, op = condition_and_op >> 4, condition_and_op & 15
    if op not in (1, 2, 3, 4):
        raise Refused(f"flags of the operation {op}")
    width = 64 if op % 2 == 0 else 32
    m = (1 << width) - 1
    a, b = first & m, second & m
    if op > 2:
        result, carry, overflow = (a - b) & m, a >= b, (a ^ b)
    else:
        result, carry, overflow = (a + b) & m, a + b > m, ~(a ^ b)
    overflow = bool(overflow & (a ^ result) & (1 << (width - 1)))
    zero, sign = result == 0, bool(result >> (width - 1))
    value = [zero, carry, sign, overflow, carry and not zero, sign == overflow, sign == overflow and not zero, True]
    return int(bool(value[condition >> 1]) ^ (condition & 1 if condition < 14 else 0))
