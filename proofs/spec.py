"""What kernels have to compute, by FIPS 203 and FIPS 202, in the terms and forms that the binary is compared with."""

from linear import Q
from terms import concat, const, part, size

N = 256
ZETA = 17  # section 4.3: a 256th root of unity


def bit_rev7(i):
    return int(f"{i:07b}"[::-1], 2)


def gamma(i):
    """The roots of section 4.3.1: T_q is the product of Z_q[X] / (X^2 - gamma(i))."""
    return pow(ZETA, 2 * bit_rev7(i) + 1, Q)


def transformed(names, i):
    """Coefficient `i` of the transform of inputs with these names: section 4.3, the residues modulo X^2 - gamma."""
    g = gamma(i // 2)
    return {(names[2 * j + i % 2],): pow(g, j, Q) for j in range(N // 2)}


def restored(names, i):
    """Coefficient `i` of the inverse transform (Algorithm 10, by the definition of the transform)."""
    j, inverse = i // 2, pow(N // 2, -1, Q)
    return {(names[2 * k + i % 2],): inverse * pow(gamma(k), -j, Q) % Q for k in range(N // 2)}


# Bits and bytes (section 4.2.1).


def compressed(t, x, d):
    """Compress_d of a number of 16 bits below q: round(2^d / q x) mod 2^d."""
    doubled = t.add(t.shl(t.zext(x, 32), d + 1), const(Q, 32))
    return part(t.node("udiv", 32, doubled, const(2 * Q, 32)), 0, d)


def decompressed(t, y, d):
    """Decompress_d of d bits: round(q / 2^d y)."""
    product = t.mul(t.zext(y, 32), const(Q, 32))
    return part(t.add(product, const(1 << (d - 1), 32)), d, 16)


def modulo(t, value):
    """The representative in 0 ..= q-1 of a number with a sign, of less than 31 bits; in 16 bits."""
    multiple = Q << 17
    assert size(value) <= 28
    return part(t.node("urem", 32, t.add(t.sext(value, 32), const(multiple, 32)), const(Q, 32)), 0, 16)


def sampled_cbd(t, bits, eta, i):
    """Algorithm 8, coefficient `i`: the sum of eta bits less that of eta more, not yet modulo q."""
    at = 2 * eta * i
    total = const(0, 16)
    for j in range(eta):
        total = t.add(total, t.zext(part(bits, at + j, 1), 16))
    for j in range(eta):
        total = t.sub(total, t.zext(part(bits, at + eta + j, 1), 16))
    return total


# Keccak (FIPS 202, section 3.2).

ROUNDS = 24


def rotations():
    """The offsets of rho (Algorithm 2), by lane x + 5 y."""
    offsets, x, y = [0] * 25, 1, 0
    for step in range(24):
        offsets[x + 5 * y] = (step + 1) * (step + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return offsets


def round_constants():
    """Algorithms 5 and 6."""
    constants, register = [], 1
    for _ in range(ROUNDS):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << ((1 << j) - 1)
            register <<= 1
            if register & 0x100:
                register ^= 0x171
        constants.append(constant)
    return constants


RHO, RC = rotations(), round_constants()


def rotated(value, n):
    n %= 64
    return concat(part(value, 64 - n, n), part(value, 0, 64 - n)) if n else value


def keccak_round(t, a, rc):
    """One round of 25 values of 64 bits (Algorithm 7, steps 2 and 3)."""
    xor = lambda *values: chain(t, values)
    c = [xor(*(a[x + 5 * y] for y in range(5))) for x in range(5)]
    d = [xor(c[(x + 4) % 5], rotated(c[(x + 1) % 5], 1)) for x in range(5)]
    b = [None] * 25
    for x in range(5):
        for y in range(5):
            b[y + 5 * ((2 * x + 3 * y) % 5)] = rotated(xor(a[x + 5 * y], d[x]), RHO[x + 5 * y])
    out = []
    for y in range(5):
        for x in range(5):
            rest = t.bitwise("and", t.invert(b[(x + 1) % 5 + 5 * y]), b[(x + 2) % 5 + 5 * y])
            out.append(xor(b[x + 5 * y], rest))
    out[0] = xor(out[0], const(rc, 64))
    return out


def chain(t, values):
    total = values[0]
    for value in values[1:]:
        total = t.bitwise("xor", total, value)
    return total


def keccak_number(a, rc):
    """The same for numbers, for the samples that tell where a lane is."""
    m = (1 << 64) - 1
    turn = lambda v, n: ((v << n | v >> (64 - n)) & m) if n % 64 else v
    c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
    d = [c[(x + 4) % 5] ^ turn(c[(x + 1) % 5], 1) for x in range(5)]
    b = [0] * 25
    for x in range(5):
        for y in range(5):
            b[y + 5 * ((2 * x + 3 * y) % 5)] = turn(a[x + 5 * y] ^ d[x], RHO[x + 5 * y])
    out = [b[x + 5 * y] ^ (~b[(x + 1) % 5 + 5 * y] & m & b[(x + 2) % 5 + 5 * y]) for y in range(5) for x in range(5)]
    out[0] ^= rc
    return out
