"""The kernels that are proved, for each machine: how they are called, and what they have to compute.

Each function takes a `Call`, runs the kernel on inputs that are not known, and asks for what FIPS 203 and 202 say of the result
(`spec.py`). The bounds are those of the source's comments and assertions, which the callers keep.
"""

import spec
from linear import Forms, Q
from lift import Machine
from solve import Solver
from spec import N
from terms import Terms, concat, const, is_const, lanes, part, samples

R = 1 << 16


class Wrong(Exception):
    """What the kernel computes is not what it should, or could not be shown to be."""


class Call:
    def __init__(self, binary, machine, address):
        self.binary, self.machine, self.address = binary, machine, address
        self.terms = Terms()
        self.solver = Solver(self.terms)
        self.run = Machine(binary, self.terms)
        self.values = 0  # how many have been compared
        self.results = []

    # Arguments.

    def numbers(self, name, low, high, count=N, writable=False):
        """Numbers of 16 bits: the address and the inputs."""
        values = [self.terms.input(f"{name}{i}", 16, low, high) for i in range(count)]
        return self.run.region(name, 2 * count, values, writable), values

    def bytes(self, name, count):
        values = [self.terms.input(f"{name}{i}", 8) for i in range(count)]
        return self.run.region(name, count, values), values

    def out(self, name, length):
        return self.run.region(name, length, None, True)

    def pointers(self, name, addresses):
        return self.run.region(name, 8 * len(addresses), [const(a, 64) for a in addresses])

    def __call__(self, *arguments):
        return self.run.call(self.address, arguments)

    def read(self, address, count, width):
        values = lanes(self.run.load(address, count * width // 8), width)
        self.results.extend(values)
        return values

    # Statements.

    def same(self, what, value, expected, *where):
        self.values += 1
        answer = self.solver.equal(value, expected, *where)
        if answer is None:
            raise Wrong(f"{what}: the solver gave up")
        if not answer:
            raise Wrong(f"{what} differs")

    def congruent(self, what, forms, value, terms, low, high):
        self.values += 1
        form = forms.of(value)
        if form is None:
            raise Wrong(f"{what}: no rule says what it is modulo q")
        if form.terms != {k: v % Q for k, v in terms.items() if v % Q}:
            raise Wrong(f"{what} is another number modulo q")
        if form.low < low or high < form.high:
            raise Wrong(f"{what}: {form.low} to {form.high}, not {low} to {high}")


# The order of T_q.


def standard(i):
    return i


def halves(i):
    """Of sixteen numbers the even ones first (`neon`)."""
    return i // 16 * 16 + i % 2 * 8 + i % 16 // 2


# Section 4.3.


def ntt(call):
    order = call.machine.order
    f, values = call.numbers("f", -(Q - 1), Q - 1)
    f_hat = call.out("f_hat", 2 * N)
    call(f, f_hat)
    forms, results = Forms(call.terms, call.solver), call.read(f_hat, N, 16)
    names = [f"f{i}" for i in range(N)]
    for i in range(N):
        call.congruent(f"f_hat[{i}]", forms, results[order(i)], spec.transformed(names, i), -8 * Q + 1, 8 * Q - 1)


def ntt_inverse(call):
    order = call.machine.order
    f, values = call.numbers("f", -(1 << 14) + 1, (1 << 14) - 1, writable=True)
    call(f)
    forms, results = Forms(call.terms, call.solver), call.read(f, N, 16)
    names = [f"f{order(i)}" for i in range(N)]
    for i in range(N):
        terms = {k: v * R for k, v in spec.restored(names, i).items()}
        call.congruent(f"f[{i}]", forms, results[i], terms, -8 * Q + 1, 8 * Q - 1)


def fill_cache(call):
    order = call.machine.order
    b, values = call.numbers("b", -(1 << 15), (1 << 15) - 1)
    cache = call.out("cache", 2 * N)
    call(b, cache)
    forms, results = Forms(call.terms, call.solver), call.read(cache, N, 16)
    for i in range(N // 2):
        odd, place = call.machine.cache(i)
        g = {(f"b{order(2 * i + 1)}",): spec.gamma(i)}
        call.congruent(f"gamma b1 of pair {i}", forms, results[place], g, -Q + 1, Q - 1)
        call.same(f"the other of pair {i}", results[odd], values[2 * i] if call.machine.pairs else const(0, 16))


def factors(call, k):
    """The arguments of a product of vectors: numbers below q, and any numbers with their caches."""
    order, machine = call.machine.order, call.machine
    most = (1 << 15) - 1 if machine.pairs else Q - 1
    a = [call.numbers(f"a{j}_", 0, Q - 1)[0] for j in range(k)]
    b = [call.numbers(f"b{j}_", -(1 << 15), (1 << 15) - 1)[0] for j in range(k)]
    caches = [call.numbers(f"c{j}_", -most - (most > Q), most)[0] for j in range(k)]
    rows = call.pointers("rows", a)
    pairs = call.pointers("pairs", [p for pair in zip(b, caches) for p in pair])

    def product(i, factor):
        """Coefficient `i` of the sum of the products (Algorithm 12); the caches hold gamma b1."""
        terms, even = {}, i // 2 * 2
        for j in range(k):
            a0, a1 = f"a{j}_{order(even)}", f"a{j}_{order(even + 1)}"
            b0, b1 = f"b{j}_{order(even)}", f"b{j}_{order(even + 1)}"
            other, place = machine.cache(even // 2)
            if i % 2 == 0:
                first = (a0, f"c{j}_{other}" if machine.pairs else b0), (a1, f"c{j}_{place}")
            else:
                first = (a0, b1), (a1, b0)
            for monomial in first:
                terms[tuple(sorted(monomial))] = factor % Q
        return terms

    return rows, pairs, product


def dot(k):
    def prove(call):
        rows, pairs, product = factors(call, k)
        c = call.out("c", 2 * N)
        call(rows, pairs, c)
        forms, results = Forms(call.terms, call.solver), call.read(c, N, 16)
        for i in range(N):
            terms = product(i, pow(R, -1, Q))
            call.congruent(f"c[{i}]", forms, results[call.machine.order(i)], terms, -(1 << 14) + 1, (1 << 14) - 1)

    return prove


def mul_add(k):
    def prove(call):
        rows, pairs, product = factors(call, k)
        e_hat, _ = call.numbers("e", -8 * Q + 1, 8 * Q - 1)
        c = call.out("c", 2 * N)
        call(rows, pairs, e_hat, c)
        forms, results = Forms(call.terms, call.solver), call.read(c, N, 16)
        for i in range(N):
            place = call.machine.order(i)
            terms = product(i, 1) | {(f"e{place}",): 1}
            call.congruent(f"c[{i}]", forms, results[place], terms, -9 * Q + 1, 9 * Q - 1)

    return prove


# Sums that end in a full reduction.


def add_to(call):
    t = call.terms
    f, fs = call.numbers("f", -8 * Q + 1, 8 * Q - 1)
    e, es = call.numbers("e", -3, 3)
    s, ss = call.numbers("sum", 0, Q - 1, writable=True)
    call(f, e, s)
    for i, value in enumerate(call.read(s, N, 16)):
        total = t.add(t.add(t.sext(fs[i], 20), t.sext(es[i], 20)), t.sext(ss[i], 20))
        call.same(f"sum[{i}]", value, spec.modulo(t, total))


def sub(call):
    t = call.terms
    v, vs = call.numbers("v", 0, Q - 1)
    f, fs = call.numbers("f", -8 * Q + 1, 8 * Q - 1)
    difference = call.out("difference", 2 * N)
    call(v, f, difference)
    for i, value in enumerate(call.read(difference, N, 16)):
        call.same(f"difference[{i}]", value, spec.modulo(t, t.sub(t.sext(vs[i], 20), t.sext(fs[i], 20))))


# Section 4.2.


def compress(d):
    def prove(call):
        f, fs = call.numbers("f", 0, Q - 1)
        b = call.out("b", 32 * d)
        call(f, b)
        bits = concat(*call.read(b, 32 * d, 8))
        for i in range(N):
            call.same(f"coefficient {i}", part(bits, d * i, d), spec.compressed(call.terms, fs[i], d))

    return prove


def decompress(d):
    def prove(call):
        b, bs = call.bytes("b", 32 * d)
        f = call.out("f", 2 * N)
        call(b, f)
        bits = concat(*bs)
        for i, value in enumerate(call.read(f, N, 16)):
            call.same(f"f[{i}]", value, spec.decompressed(call.terms, part(bits, d * i, d), d))

    return prove


def encode12(call):
    f, fs = call.numbers("f", -(1 << 15), (1 << 15) - 1)
    b = call.out("b", 384)
    call(f, b)
    bits = concat(*call.read(b, 384, 8))
    for i in range(N):
        expected = part(spec.modulo(call.terms, fs[call.machine.order(i)]), 0, 12)
        call.same(f"coefficient {i}", part(bits, 12 * i, 12), expected)


def decode12(call):
    t = call.terms
    b, bs = call.bytes("b", 384)
    f_hat = call.out("f_hat", 2 * N)
    result = call(b, f_hat)
    bits, results = concat(*bs), call.read(f_hat, N, 16)
    below = const(1, 1)
    for i in range(N):
        value = t.zext(part(bits, 12 * i, 12), 16)
        call.same(f"f_hat[{i}]", results[call.machine.order(i)], value)
        below = t.bitwise("and", below, t.test("ult", value, const(Q, 16)))
    call.same("whether all are below q", part(result, 0, 1), below)


def sample_poly_cbd(eta):
    def prove(call):
        b, bs = call.bytes("b", 64 * eta)
        f = call.out("f", 2 * N)
        call(eta - 2, b, 64 * eta, f)
        bits = concat(*bs)
        for i, value in enumerate(call.read(f, N, 16)):
            call.same(f"f[{i}]", value, spec.sampled_cbd(call.terms, bits, eta, i))

    return prove


def sample_ntt_block(call):
    """Of which the time depends on its input, which is public: a kernel that must be refused."""
    block, _ = call.bytes("block", 168)
    a_hat, _ = call.numbers("a", 0, Q - 1, writable=True)
    call(block, a_hat, 0)


# Keccak.


class Lanes:
    """Sees every word that the kernel keeps, and where it is a lane after some round puts the lane in its place: so each round
    is proved from the one before. A lane may be kept rotated."""

    def __init__(self, call, slots):
        self.call, self.slots = call, slots
        t = call.terms
        self.start = [[t.input(f"lane{i} slot{s}", 64) for i in range(25)] for s in range(slots)]
        self.rounds = [self.start]
        self.known, self.proved = {}, {}
        numbers = [[samples(lane) for lane in state] for state in self.start]
        for r in range(spec.ROUNDS):
            after = []
            for s in range(slots):
                columns = [spec.keccak_number(list(sample), spec.RC[r]) for sample in zip(*numbers[s])]
                after.append([tuple(c[i] for c in columns) for i in range(25)])
                for i, sample in enumerate(after[s]):
                    for turn in range(64):
                        self.known[tuple(spec_turn(n, turn) for n in sample)] = (r, s, i, turn)
            numbers = after
            self.rounds.append(
                [[t.input(f"round{r} lane{i} slot{s}", 64, sample=after[s][i]) for i in range(25)] for s in range(slots)]
            )
        self.expected = {}

    def __call__(self, value):
        if is_const(value) or all(p[0] is None or p[0].op == "input" for p in value):
            return value
        found = self.known.get(samples(value))
        if found is None:
            return value
        r, s, i, turn = found
        expected = self.round(r, s)[i]
        self.call.same(f"lane {i} of slot {s} after round {r}", value, spec.rotated(expected, turn))
        self.proved[found[:3]] = True
        return spec.rotated(self.rounds[r + 1][s][i], turn)

    def round(self, r, s):
        if (r, s) not in self.expected:
            self.expected[r, s] = spec.keccak_round(self.call.terms, self.rounds[r][s], spec.RC[r])
        return self.expected[r, s]


def spec_turn(n, turn):
    return (n << turn | n >> (64 - turn)) & ((1 << 64) - 1)


def permute(slots, used=None, slot=None, constants=None, static=None):
    """The permutation of `used` states among `slots`; of one by its number; with the constants that are handed to it."""
    used = used or slots

    def prove(call):
        seen = Lanes(call, slots)
        call.run.watch = seen
        call.run.static = static
        state = call.run.region("state", 200 * slots, [seen.start[s][i] for i in range(25) for s in range(slots)], True)
        arguments = [state]
        if slot is not None:
            arguments.append(slot)
        if constants is not None:
            arguments.append(call.run.region("constants", 8 * len(constants), [const(c, 64) for c in constants]))
        call(*arguments)
        results = call.read(state, 25 * slots, 64)
        for i in range(25):
            for s in range(slots):
                permuted = s == slot if slot is not None else s < used
                expected = seen.rounds[-1 if permuted else 0][s][i]
                call.same(f"lane {i} of slot {s}", results[slots * i + s], expected)
        missing = [r for r in range(spec.ROUNDS) if not all((r, s, i) in seen.proved for s in (
            [slot] if slot is not None else range(used)) for i in range(25))]
        if missing:
            raise Wrong(f"lanes after round {missing[0]} were not met")

    return prove


def squeeze(slots, words):
    """The first words of the states as blocks, of 192 bytes each."""

    def prove(call):
        lanes_of = [[call.terms.input(f"lane{i} slot{s}", 64) for i in range(25)] for s in range(slots)]
        state = call.run.region("state", 200 * slots, [lanes_of[s][i] for i in range(25) for s in range(slots)])
        blocks = call.out("blocks", 192 * slots)
        call(state, blocks)
        for s in range(slots):
            for i, value in enumerate(call.read(blocks + 192 * s, words, 64)):
                call.same(f"word {i} of block {s}", value, lanes_of[s][i])

    return prove


# The lists.


class Architecture:
    """`order`: where T_q's coefficients stand. `cache`: of a pair, where the cache of a multiplier has its other number and
    gamma b1. `pairs`: whether the other is b0; else nothing reads it, and it is zero. `variable`: a kernel to be refused."""

    def __init__(self, order, pairs, cache, variable, kernels):
        self.order, self.pairs, self.cache, self.variable, self.kernels = order, pairs, cache, variable, kernels


def arithmetic(path):
    kernels = {"ntt::ntt": ntt, "ntt::ntt_inverse": ntt_inverse, "mul::fill_cache": fill_cache}
    for k in (2, 3, 4):
        kernels[f"mul::dot::<{k}>"] = dot(k)
        kernels[f"mul::mul_add::<{k}>"] = mul_add(k)
    kernels |= {"reduce::add_to": add_to, "reduce::sub": sub, "encode::encode12": encode12, "encode::decode12": decode12}
    for d in (1, 4, 5, 10, 11):
        kernels[f"compress::compress::<{32 * d}>"] = compress(d)
        kernels[f"compress::decompress::<{32 * d}>"] = decompress(d)
    out = [(f"{path}::{name}", "", prove) for name, prove in kernels.items()]
    for eta in (2, 3):
        out.append((f"{path}::sample::sample_poly_cbd", f"eta = {eta}", sample_poly_cbd(eta)))
    return out


AVX2 = "kemstone::backend::x86_64::avx2"
NEON = "kemstone::backend::aarch64::neon"
ROUNDS = "kemstone::backend::aarch64::rounds"
FOUND = "kemstone::backend::x86_64::cpu::found::FOUND"
INTEL, NOT_INTEL = 1 | 2 | 32, 1 | 2
ALL = spec.RC + [0]

X86_64 = Architecture(
    standard,
    True,
    lambda i: (2 * i, 2 * i + 1),
    f"{AVX2}::sample::sample_ntt_block",
    arithmetic(AVX2)
    + [
        (f"{AVX2}::keccak::permute_x1", "", permute(1)),
        (f"{AVX2}::keccak::permute_x4", "", permute(4, static=(FOUND, NOT_INTEL))),
        (f"{AVX2}::keccak::permute_x4", "Intel", permute(4, static=(FOUND, INTEL))),
        (f"{AVX2}::keccak::squeeze", "", squeeze(4, 24)),
    ],
)
AARCH64 = Architecture(
    halves,
    False,
    lambda i: (i + 128, i),
    f"{NEON}::sample::sample_ntt_block",
    arithmetic(NEON)
    + [
        (f"{ROUNDS}::one::<1, 24>", "", permute(1, slot=0, constants=ALL)),
        (f"{ROUNDS}::one::<3, 24>", "slot 2", permute(3, slot=2, constants=ALL)),
        (f"{ROUNDS}::three::<24>", "", permute(3, constants=ALL)),
        (f"{ROUNDS}::three_sha3::<24>", "", permute(3, constants=ALL)),
        (f"{ROUNDS}::two_sha3::<24>", "", permute(3, used=2, constants=ALL)),
        (f"{NEON}::keccak::squeeze::<2>", "", squeeze(2, 22)),
        (f"{NEON}::keccak::squeeze::<3>", "", squeeze(3, 22)),
        ("kemstone::backend::aarch64::sha3::permute_x1::<24>", "", permute(1, constants=spec.RC)),
        ("kemstone::backend::aarch64::sha3::permute_x2::<24>", "", permute(2, constants=spec.RC)),
    ],
)
ARCHITECTURES = {"AMD64": X86_64, "AARCH64": AARCH64}
