"""Questions to bitwuzla: are two values equal for all inputs in their ranges?

Two questions that differ by the names of inputs only are one, and are asked once.
"""

import bitwuzla as bw

from terms import extended, is_const, samples, size

LIMIT = 60_000  # milliseconds for one question


class Solver:
    def __init__(self, terms):
        self.t = terms
        self.known = {}
        self.asked = 0
        self.sampling = True  # whether unequal samples are enough to say no

    def equal(self, a, b, *where):
        """Whether `a == b` wherever the bits `where` are all set. None if the solver gave up."""
        assert size(a) == size(b), (size(a), size(b))
        if a == b:
            return True
        if self.sampling and not where and samples(a) != samples(b):
            return False
        return self.holds(self.t.test("eq", a, b), *where)

    def holds(self, bit, *where):
        """Whether a bit is set wherever the bits `where` are."""
        key = shape((bit,) + where)
        if key not in self.known:
            self.asked += 1
            self.known[key] = ask(bit, where)
        return self.known[key]


def shape(values):
    """What values are, but for the names of inputs."""
    numbers, out = {}, []

    def visit(node):
        stack = [(node, False)]
        while stack:
            node, done = stack.pop()
            if node.id in numbers:
                continue
            if node.op == "input":
                numbers[node.id] = len(numbers)
                out.append(("input", node.width, node.args[1], node.args[2]))
            elif done:
                numbers[node.id] = len(numbers)
                out.append((node.op, node.width, tuple(name(a) for a in node.args)))
            else:
                stack.append((node, True))
                for a in reversed(node.args):
                    for piece in reversed(a):
                        if piece[0] is not None:
                            stack.append((piece[0], False))

    def name(value):
        return tuple((numbers[p[0].id] if p[0] is not None else -1, p[1], p[2]) for p in value)

    for value in values:
        for piece in value:
            if piece[0] is not None:
                visit(piece[0])
        out.append(name(value))
    return tuple(out)


KINDS = {
    "add": bw.Kind.BV_ADD,
    "sub": bw.Kind.BV_SUB,
    "mul": bw.Kind.BV_MUL,
    "and": bw.Kind.BV_AND,
    "or": bw.Kind.BV_OR,
    "xor": bw.Kind.BV_XOR,
    "not": bw.Kind.BV_NOT,
    "udiv": bw.Kind.BV_UDIV,
    "urem": bw.Kind.BV_UREM,
}


def ask(bit, where):
    """Looks for inputs where `bit` is not set, and gives whether there are none."""
    tm = bw.TermManager()
    options = bw.Options()
    options.set(bw.Option.TIME_LIMIT_PER, LIMIT)
    solver = bw.Bitwuzla(tm, options)
    translated = {}

    def constant(n, width):
        return tm.mk_bv_value(tm.mk_bv_sort(width), n)

    def value(pieces):
        inner = extended(pieces)
        if inner is not None:
            return tm.mk_term(bw.Kind.BV_SIGN_EXTEND, [value(inner)], [size(pieces) - size(inner)])
        parts = []
        for node, low, width in reversed(pieces):
            if node is None:
                parts.append(constant(low, width))
            else:
                term = of(node)
                if (low, width) != (0, node.width):
                    term = tm.mk_term(bw.Kind.BV_EXTRACT, [term], [low + width - 1, low])
                parts.append(term)
        return parts[0] if len(parts) == 1 else tm.mk_term(bw.Kind.BV_CONCAT, parts)

    def of(node):
        stack = [node]
        while stack:
            top = stack[-1]
            if top.id in translated:
                stack.pop()
                continue
            if top.op == "input":
                translated[top.id] = term = tm.mk_const(tm.mk_bv_sort(top.width), f"i{top.id}")
                _, low, high = top.args
                if low is not None:
                    m = (1 << top.width) - 1
                    solver.assert_formula(tm.mk_term(bw.Kind.BV_SLE, [constant(low & m, top.width), term]))
                    solver.assert_formula(tm.mk_term(bw.Kind.BV_SLE, [term, constant(high & m, top.width)]))
                continue
            waiting = [p[0] for a in top.args for p in a if p[0] is not None and p[0].id not in translated]
            if waiting:
                stack.extend(waiting)
                continue
            translated[top.id] = made(top, [value(a) for a in top.args])
            stack.pop()
        return translated[node.id]

    def made(node, args):
        op, width = node.op, node.width
        if op in KINDS:
            return tm.mk_term(KINDS[op], args)
        if op == "sext":
            return tm.mk_term(bw.Kind.BV_SIGN_EXTEND, args, [width - size(node.args[0])])
        if op in ("eq", "ult", "slt"):
            kind = {"eq": bw.Kind.EQUAL, "ult": bw.Kind.BV_ULT, "slt": bw.Kind.BV_SLT}[op]
            return tm.mk_term(bw.Kind.ITE, [tm.mk_term(kind, args), constant(1, 1), constant(0, 1)])
        if op == "ite":
            condition = tm.mk_term(bw.Kind.EQUAL, [args[0], constant(1, 1)])
            return tm.mk_term(bw.Kind.ITE, [condition, args[1], args[2]])
        if op == "qadds":
            wide = [tm.mk_term(bw.Kind.BV_SIGN_EXTEND, [a], [1]) for a in args]
            return between(tm.mk_term(bw.Kind.BV_ADD, wide), width + 1, -(1 << (width - 1)), (1 << (width - 1)) - 1, width)
        if op == "narrow_ss":
            return between(args[0], size(node.args[0]), -(1 << (width - 1)), (1 << (width - 1)) - 1, width)
        if op == "narrow_su":
            return between(args[0], size(node.args[0]), 0, (1 << width) - 1, width)
        raise NotImplementedError(op)

    def between(term, width, low, high, to):
        m = (1 << width) - 1
        low, high = constant(low & m, width), constant(high, width)
        term = tm.mk_term(bw.Kind.ITE, [tm.mk_term(bw.Kind.BV_SLT, [term, low]), low, term])
        term = tm.mk_term(bw.Kind.ITE, [tm.mk_term(bw.Kind.BV_SGT, [term, high]), high, term])
        return tm.mk_term(bw.Kind.BV_EXTRACT, [term], [to - 1, 0])

    for condition in where:
        if is_const(condition):
            assert condition[0][1] == 1
            continue
        solver.assert_formula(tm.mk_term(bw.Kind.EQUAL, [value(condition), constant(1, 1)]))
    solver.assert_formula(tm.mk_term(bw.Kind.EQUAL, [value(bit), constant(0, 1)]))
    result = solver.check_sat()
    return {bw.Result.UNSAT: True, bw.Result.SAT: False}.get(result)
