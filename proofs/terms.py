"""Bit vectors as wires and operations.

A value is a tuple of pieces, the lowest bits first. A piece is `(node, low, width)`, a slice of what a node computes, or
`(None, number, width)`, a constant. So shuffles, shifts by constants, masks and rotations are no operations: they only
choose slices. What is left are nodes. Equal nodes are one node.

Each node carries what it is for a few random inputs, which tells most unequal values apart without a solver.
"""

import random

SAMPLES = 4


class Node:
    """`op` of `args`, `width` bits wide. An input has the op "input", and its name and range in `args`."""

    __slots__ = ("id", "op", "width", "args", "sample")

    def __init__(self, number, op, width, args, sample):
        self.id, self.op, self.width, self.args, self.sample = number, op, width, args, sample


def signed(number, width):
    return number - (1 << width) if number >> (width - 1) & 1 else number


def mask(width):
    return (1 << width) - 1


def clamp(number, low, high):
    return max(low, min(high, number))


def apply(op, width, args, widths):
    """What an operation gives for numbers, without a sign, of the widths."""
    m = mask(width)
    a = args[0]
    b = args[1] if len(args) > 1 else None
    if op == "add":
        return (a + b) & m
    if op == "sub":
        return (a - b) & m
    if op == "mul":
        return (a * b) & m
    if op == "and":
        return a & b
    if op == "or":
        return a | b
    if op == "xor":
        return a ^ b
    if op == "not":
        return a ^ m
    if op == "sext":
        return signed(a, widths[0]) & m
    if op == "udiv":
        return a // b if b else m
    if op == "urem":
        return a % b if b else a
    if op == "eq":
        return int(a == b)
    if op == "ult":
        return int(a < b)
    if op == "slt":
        return int(signed(a, widths[0]) < signed(b, widths[1]))
    if op == "ite":
        return b if a else args[2]
    if op == "qadds":
        return clamp(signed(a, width) + signed(b, width), -(1 << (width - 1)), (1 << (width - 1)) - 1) & m
    if op == "narrow_ss":
        return clamp(signed(a, widths[0]), -(1 << (width - 1)), (1 << (width - 1)) - 1) & m
    if op == "narrow_su":
        return clamp(signed(a, widths[0]), 0, m)
    if op == "shl":
        return (a << b) & m if b < width else 0
    if op == "lshr":
        return a >> b if b < width else 0
    raise NotImplementedError(op)


class Terms:
    def __init__(self, seed=1):
        self.nodes = {}
        self.random = random.Random(seed)
        self.count = 0

    def input(self, name, width, low=None, high=None, sample=None):
        """An input. With `low` and `high`, as a number with a sign it lies between, and this may be used."""
        key = ("input", name)
        if key not in self.nodes:
            if sample is None:
                if low is None:
                    sample = tuple(self.random.getrandbits(width) for _ in range(SAMPLES))
                else:
                    sample = (low & mask(width), high & mask(width))
                    sample += tuple(self.random.randint(low, high) & mask(width) for _ in range(SAMPLES - 2))
            self.count += 1
            self.nodes[key] = Node(self.count, "input", width, (name, low, high), sample)
        return ((self.nodes[key], 0, width),)

    def node(self, op, width, *args):
        widths = [size(a) for a in args]
        if all(piece[0] is None for a in args for piece in a):
            return const(apply(op, width, [number(a) for a in args], widths), width)
        if op in ("add", "mul", "and", "or", "xor", "eq", "qadds") and order(args[1]) < order(args[0]):
            args = (args[1], args[0])
        key = (op, width, tuple(tuple((p[0].id if p[0] else 0, p[1], p[2]) for p in a) for a in args))
        found = self.nodes.get(key)
        if found is None:
            sample = tuple(apply(op, width, [sampled(a, i) for a in args], widths) for i in range(SAMPLES))
            self.count += 1
            found = self.nodes[key] = Node(self.count, op, width, args, sample)
        return ((found, 0, width),)

    # Bit by bit.

    def bitwise(self, op, a, b):
        out = []
        for p, r in aligned(a, b):
            if p[0] is None and r[0] is not None:
                p, r = r, p
            if r[0] is not None:
                if p == r:
                    out.append((None, 0, p[2]) if op == "xor" else p)
                else:
                    out.extend(self.node(op, p[2], (p,), (r,)))
            elif p[0] is None:
                out.append((None, apply(op, p[2], [p[1], r[1]], None), p[2]))
            elif op == "xor":
                if r[1] == 0:
                    out.append(p)
                elif r[1] == mask(r[2]):
                    out.extend(self.node("not", p[2], (p,)))
                else:
                    out.extend(self.node(op, p[2], (p,), (r,)))
            else:
                for bit, low, width in runs(r[1], r[2]):
                    if bit == (op == "and"):
                        out.append((p[0], p[1] + low, width))
                    else:
                        out.append((None, mask(width) if bit else 0, width))
        return tidy(out)

    def invert(self, a):
        out = []
        for p in a:
            out.extend([(None, p[1] ^ mask(p[2]), p[2])] if p[0] is None else self.node("not", p[2], (p,)))
        return tidy(out)

    # Numbers.

    def add(self, a, b):
        if is_const(a):
            a, b = b, a
        if is_const(b) and number(b) == 0:
            return a
        if all(p[0] is None and p[1] == 0 or r[0] is None and r[1] == 0 for p, r in aligned(a, b)):
            return self.bitwise("or", a, b)
        return self.node("add", size(a), a, b)

    def sub(self, a, b):
        if is_const(b) and number(b) == 0:
            return a
        return self.node("sub", size(a), a, b)

    def mul(self, a, b):
        if is_const(a):
            a, b = b, a
        if is_const(b):
            n = number(b)
            if n == 0:
                return b
            if n & (n - 1) == 0:
                return self.shl(a, n.bit_length() - 1)
        return self.node("mul", size(a), a, b)

    def sext(self, a, width):
        if size(a) == width:
            return a
        if a[-1][0] is None:
            n = number((a[-1],)) >> (a[-1][2] - 1) & 1
            return tidy(a + ((None, mask(width - size(a)) if n else 0, width - size(a)),))
        inner = extended(a)
        return tidy(self.node("sext", width, a if inner is None else inner))

    def zext(self, a, width):
        return tidy(a + ((None, 0, width - size(a)),)) if width > size(a) else a

    def shl(self, a, n):
        w = size(a)
        return const(0, w) if n >= w else concat(const(0, n), part(a, 0, w - n)) if n else a

    def shr(self, a, n):
        w = size(a)
        return const(0, w) if n >= w else self.zext(part(a, n, w - n), w)

    def sar(self, a, n):
        w = size(a)
        n = min(n, w - 1)
        return self.sext(part(a, n, w - n), w)

    def ite(self, condition, a, b):
        if is_const(condition):
            return a if number(condition) else b
        if a == b:
            return a
        return self.node("ite", size(a), condition, a, b)

    def test(self, op, a, b):
        """One bit: eq, ult or slt."""
        if a == b:
            return const(int(op == "eq"), 1)
        return self.node(op, 1, a, b)

    def mask_of(self, bit, width):
        """All ones or none."""
        return self.sext(bit, width)


def extended(a):
    """What `a` extends by its sign, if it does."""
    node, low, width = a[-1]
    if node is not None and node.op == "sext" and low + width == node.width and a[:-1] == node.args[0]:
        return a[:-1]
    return None


def size(a):
    return sum(p[2] for p in a)


def order(a):
    return tuple((p[0].id if p[0] else 0, p[1], p[2]) for p in a)


def is_const(a):
    return all(p[0] is None for p in a)


def number(a):
    n, at = 0, 0
    for node, value, width in a:
        assert node is None
        n |= value << at
        at += width
    return n


def const(n, width):
    return ((None, n & mask(width), width),) if width else ()


def sampled(a, i):
    n, at = 0, 0
    for node, low, width in a:
        n |= (low if node is None else node.sample[i] >> low & mask(width)) << at
        at += width
    return n


def samples(a):
    return tuple(sampled(a, i) for i in range(SAMPLES))


def tidy(pieces):
    out = []
    for piece in pieces:
        node, low, width = piece
        if width == 0:
            continue
        if node is not None and node.op == "sext":
            # The lower bits of an extension are those of what is extended: only the upper ones are the node's.
            inner = size(node.args[0])
            if low < inner:
                for q in part(node.args[0], low, min(width, inner - low)):
                    push(out, q)
                low, width = inner, width - (inner - low)
                if width <= 0:
                    continue
        push(out, (node, low, width))
    return tuple(out)


def push(out, piece):
    node, low, width = piece
    if out:
        last, at, before = out[-1]
        if node is None and last is None:
            out[-1] = (None, at | low << before, before + width)
            return
        if node is not None and last is node and at + before == low:
            out[-1] = (node, at, before + width)
            return
    out.append(piece)


def part(a, low, width):
    out, at = [], 0
    for node, value, w in a:
        start, end = max(low, at), min(low + width, at + w)
        if start < end:
            if node is None:
                out.append((None, value >> (start - at) & mask(end - start), end - start))
            else:
                out.append((node, value + start - at, end - start))
        at += w
    return tuple(out)


def concat(*values):
    return tidy([p for a in values for p in a])


def lanes(a, width):
    return [part(a, i, width) for i in range(0, size(a), width)]


def runs(n, width):
    """The runs of equal bits in a number: (bit, low, width)."""
    at = 0
    while at < width:
        bit, start = n >> at & 1, at
        while at < width and n >> at & 1 == bit:
            at += 1
        yield bool(bit), start, at - start


def aligned(a, b):
    """Pairs of pieces of equal width."""
    a, b = list(a), list(b)
    i = j = 0
    while i < len(a) and j < len(b):
        p, r = a[i], b[j]
        w = min(p[2], r[2])
        yield cut(p, w), cut(r, w)
        if p[2] > w:
            a[i] = rest(p, w)
        else:
            i += 1
        if r[2] > w:
            b[j] = rest(r, w)
        else:
            j += 1


def cut(p, w):
    return (p[0], p[1] & mask(w) if p[0] is None else p[1], w)


def rest(p, w):
    return (p[0], p[1] >> w if p[0] is None else p[1] + w, p[2] - w)
