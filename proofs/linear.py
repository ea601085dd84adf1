"""What a value is modulo q, and between which numbers it lies.

A form says that a value, as a number with a sign, is a sum of products of inputs modulo q, and gives its least and greatest
number. These are the rules by which a value has one:

- an input has one by its range;
- sums, differences and products of values with forms, if by the bounds nothing is lost in their width;
- a multiple of q, whatever it is multiplied by, is zero modulo q;
- *halves*: the difference of the upper halves of two values, if the solver confirms that their lower halves are equal, is
  their difference by a power of two; so is the upper half of one whose lower half is zero. That is Montgomery's reduction;
- *every number*: what depends on a single number of 16 bits is computed for each within its bounds, and is a multiple of it
  modulo q or is not. That is Barrett's reduction and multiplication.
"""

import numpy

from solve import shape
from terms import Terms, concat, const, extended, is_const, mask, number, order, part, signed, size

Q = 3329
MOST_MONOMIALS = 2000


class Form:
    """`terms`: coefficients modulo q by monomials, which are sorted tuples of names of inputs; () is the constant."""

    __slots__ = ("terms", "low", "high")

    def __init__(self, terms, low, high):
        self.terms, self.low, self.high = {k: v % Q for k, v in terms.items() if v % Q}, low, high


def fits(form, width):
    return -(1 << (width - 1)) <= form.low and form.high < 1 << (width - 1)


def plus(a, b, sign=1):
    terms = dict(a.terms)
    for k, v in b.terms.items():
        terms[k] = terms.get(k, 0) + sign * v
    low, high = (a.low + b.low, a.high + b.high) if sign == 1 else (a.low - b.high, a.high - b.low)
    return Form(terms, low, high)


def times(a, b):
    if len(a.terms) * len(b.terms) > MOST_MONOMIALS:
        return None
    terms = {}
    for k, v in a.terms.items():
        for l, w in b.terms.items():
            m = tuple(sorted(k + l))
            terms[m] = terms.get(m, 0) + v * w
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return Form(terms, min(corners), max(corners))


def by_half(form, width):
    """That of a multiple of a power of two, divided by it."""
    low, high = -(-form.low >> width), form.high >> width
    form = Form({k: v * pow(1 << width, -1, Q) for k, v in form.terms.items()}, low, high)
    return form if fits(form, width) else None


class Forms:
    def __init__(self, terms, solver):
        self.t, self.solver = terms, solver
        self.forms = {}
        self.lemmas = {}  # shape of a function of one value: (factor, low, high), or None

    def of(self, value):
        """The form of a value, or None. Walks up from the inputs, without recursion."""
        stack = [value]
        while stack:
            top = stack[-1]
            key = order(top)
            if key in self.forms:
                stack.pop()
                continue
            waiting = [v for v in self.needed(top) if order(v) not in self.forms]
            if waiting:
                stack.extend(waiting)
                continue
            self.forms[key] = self.made(top)
            stack.pop()
        return self.forms[order(value)]

    def node_of(self, value):
        return value[0][0] if len(value) == 1 and value[0][0] is not None and value[0][1:] == (0, value[0][0].width) else None

    def needed(self, value):
        if is_const(value):
            return []
        inner = extended(value)
        if inner is not None:
            return [inner]
        node = self.node_of(value)
        if node is not None and node.op != "input":
            if node.op in ("add", "sub", "mul"):
                return list(node.args)
            return [a for a in node.args]
        if node is None:
            # a slice or several pieces: what they are slices of
            return [((p[0], 0, p[0].width),) for p in value if p[0] is not None]
        return []

    def made(self, value):
        width = size(value)
        if is_const(value):
            n = signed(number(value), width)
            return Form({(): n}, n, n)
        inner = extended(value)
        if inner is not None:
            return self.forms[order(inner)]
        node = self.node_of(value)
        if node is not None and node.op == "input":
            name, low, high = node.args
            if low is None:
                low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
            return Form({(name,): 1}, low, high)
        if node is not None and node.op == "mul":
            for a, b in (node.args, node.args[::-1]):
                if is_const(a) and signed(number(a), width) % Q == 0:
                    inner = extended(b)
                    most = abs(signed(number(a), width)) << (size(b if inner is None else inner) - 1)
                    if most < 1 << (width - 1):
                        return Form({}, -most, most)
        if node is not None and node.op in ("add", "sub", "mul"):
            a, b = (self.forms[order(x)] for x in node.args)
            if a is not None and b is not None:
                if node.op != "mul" and any(not f.terms and f.low < f.high for f in (a, b)):
                    # A multiple of q is added or taken away: as a reduction it may have better bounds.
                    form = self.reduced(value)
                    if form is not None:
                        return form
                if node.op == "mul":
                    form = times(a, b)
                else:
                    form = plus(a, b, 1 if node.op == "add" else -1)
                if form is not None and fits(form, width):
                    return form
        return self.reduced(value)

    # Reductions.

    def halved(self, value):
        """The rule of halves."""
        node, width = self.node_of(value), size(value)
        whole = self.upper_half(value)
        if whole is not None and self.forms.get(order(whole)) is not None:
            # The upper half of a number whose lower half is zero.
            form = self.forms[order(whole)]
            if not self.solver.equal(part(whole, 0, width), const(0, width)):
                return None
            return by_half(form, width)
        if node is None or node.op != "sub":
            return None
        x, y = (self.upper_half(a) for a in node.args)
        if x is None or y is None:
            return None
        a, b = (self.forms.get(order(v)) for v in (x, y))
        if a is None or b is None:
            return None
        if not self.solver.equal(part(x, 0, width), part(y, 0, width)):
            return None
        return by_half(plus(a, b, -1), width)

    def upper_half(self, value):
        """What the value is the upper half of: a node, or a sum that stands in two pieces."""
        width = size(value)
        if len(value) == 1 and value[0][0] is not None and value[0][1] == width == value[0][2] and value[0][0].width == 2 * width:
            return ((value[0][0], 0, 2 * width),)
        return None

    def reduced(self, value):
        form = self.halved(value)
        if form is not None or size(value) > 17:
            return form
        support = self.support(value)
        if support is None or len(support) != 1:
            return None
        (base,) = support.values()
        form = self.forms[order(base)]
        if size(base) > 17 or not fits(form, size(base)):
            return None
        # The same function of an input, on a sheet of its own; of all numbers that the width holds if that will do.
        sheet = Terms()
        x = sheet.input("x", size(base))
        copied = self.copy(sheet, value, base, x)
        width = size(base)
        for low, high in ((-(1 << (width - 1)), (1 << (width - 1)) - 1), (form.low, form.high)):
            key = (shape((x, copied)), low, high)
            if key not in self.lemmas:
                self.lemmas[key] = every_number(copied, x, low, high)
            if self.lemmas[key] is not None:
                factor, least, most = self.lemmas[key]
                return Form({k: v * factor for k, v in form.terms.items()}, least, most)
        return None

    def support(self, value):
        """The sums and inputs with forms that a value is made of, if every way down ends in one. Products are passed by:
        a reduction takes several of one value."""
        found, seen, stack = {}, set(), [value]
        first = True
        while stack:
            v = stack.pop()
            key = order(v)
            if key in seen or is_const(v):
                continue
            seen.add(key)
            whole = len(v) == 1 and v[0][0].op in ("input", "add", "sub")
            if not first and whole and self.forms.get(key) is not None:
                found[key] = v
                if len(found) > 1:
                    return None
                continue
            first = False
            below = self.needed(v)
            if not below:
                return None
            stack.extend(below)
        return found

    def copy(self, sheet, value, base, x):
        done = {order(base): x}
        nodes = {}

        def convert(v):
            if order(v) in done:
                return done[order(v)]
            inner = extended(v)
            if inner is not None:
                return sheet.sext(convert(inner), size(v))
            out = []
            for p in v:
                if p[0] is None:
                    out.append((p,))
                    continue
                whole = ((p[0], 0, p[0].width),)
                if order(whole) in done:
                    made = done[order(whole)]
                else:
                    if p[0].id not in nodes:
                        args = [convert(a) for a in p[0].args]
                        nodes[p[0].id] = sheet.node(p[0].op, p[0].width, *args)
                    made = nodes[p[0].id]
                out.append(part(made, p[1], p[2]))
            return concat(*out)

        return convert(value)


def every_number(f, x, low, high):
    """f for every x between the bounds: the factor by which it is a multiple modulo q, and its own bounds. None if it is none."""
    numbers = numpy.arange(low, high + 1, dtype=numpy.int64)
    results = vector(f, x, numbers)
    one = next(i for i, n in enumerate(numbers) if n % Q)
    factor = int(results[one]) * pow(int(numbers[one]), -1, Q) % Q
    if ((results - factor * numbers) % Q).any():
        return None
    return factor, int(results.min()), int(results.max())


def vector(f, x, numbers):
    """f for many numbers, with a sign."""
    values = {x[0][0].id: (numbers & mask(size(x))).astype(numpy.uint64)}
    u = numpy.uint64

    def value(v):
        n, at = numpy.zeros(1, dtype=u), 0
        for node, low, width in v:
            if node is None:
                n = n | u(low << at)
            else:
                n = n | (of(node) >> u(low) & u(mask(width))) << u(at)
            at += width
        return n

    def with_sign(a, width):
        return (a.astype(numpy.int64) ^ (1 << (width - 1))) - (1 << (width - 1))

    def of(node):
        if node.id not in values:
            args = [value(a) for a in node.args]
            values[node.id] = computed(node.op, node.width, args, [size(a) for a in node.args])
        return values[node.id]

    def computed(op, width, args, widths):
        assert max([width, *widths]) <= 63
        m, a, b = u(mask(width)), args[0], args[1] if len(args) > 1 else None
        if op in ("add", "sub", "mul"):
            return (a + b if op == "add" else a - b if op == "sub" else a * b) & m
        if op in ("and", "or", "xor"):
            return a & b if op == "and" else a | b if op == "or" else a ^ b
        if op == "not":
            return a ^ m
        if op == "sext":
            return with_sign(a, widths[0]).astype(u) & m
        if op in ("eq", "ult"):
            return (a == b if op == "eq" else a < b).astype(u)
        if op == "slt":
            return (with_sign(a, widths[0]) < with_sign(b, widths[1])).astype(u)
        if op == "ite":
            return numpy.where(a.astype(bool), b, args[2])
        if op == "narrow_ss":
            most = 1 << (width - 1)
            return numpy.clip(with_sign(a, widths[0]), -most, most - 1).astype(u) & m
        raise NotImplementedError(op)

    return with_sign(value(f), size(f))
