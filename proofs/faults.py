"""Faults planted in the binary, each of which a proof has to refuse: a constant with a bit changed, an instruction that takes a
register beside the right one, and each argument as one that ends before the last byte that the kernel reads or writes.

A change counts as a fault if it changes what the kernel computes for some of the sample inputs. The proofs may not look at
samples then: the solver and the rules have to find it.
"""

import random

from kernels import Call, Wrong
from lift import Refused
from terms import samples

TRIES = 60


def planted(binary, machine, address, prove, clean, seed):
    """Tries to pass off each kind of fault; gives what was accepted, and how many were refused."""
    chance = random.Random(seed)
    accepted, refused = [], 0
    for kind, candidates in (("constant", constants(clean, chance)), ("register", registers(binary, clean, chance))):
        found = False
        for at, value in candidates:
            binary.patch({at: value})
            try:
                if not changes(binary, machine, address, prove, clean):
                    continue
                found = True
                if passes(binary, machine, address, prove):
                    accepted.append(f"{kind} at {at:#x}")
                else:
                    refused += 1
            finally:
                binary.patch({})
            break
        if not found and kind == "register":
            accepted.append("no register could be changed")
    for name, length in clean.run.touched.items():
        if passes(binary, machine, address, prove, {name: length - 1}):
            accepted.append(f"{name}, which is too short")
        else:
            refused += 1
    return accepted, refused


def constants(clean, chance):
    addresses = sorted(clean.run.reads)
    chance.shuffle(addresses)
    return [(a, clean.binary.byte(a) ^ 1 << chance.randrange(8)) for a in addresses[:TRIES]]


def registers(binary, clean, chance):
    """The lowest bit of a source register: of AArch64's data processing, and of x86-64's VEX instructions between registers."""
    found = []
    for at, length in sorted(set(clean.run.executed)):
        code = binary.code(at, length)
        if binary.arch.name == "AARCH64":
            word = int.from_bytes(code, "little")
            if word >> 25 & 7 in (5, 7) and word >> 24 & 0b1110 != 0b1100:
                found.append((at + 2, code[2] ^ 1))
        elif code[0] in (0xC4, 0xC5):
            modrm = 4 if code[0] == 0xC4 else 3
            if modrm < length and code[modrm] >> 6 == 3:
                found.append((at + modrm, code[modrm] ^ 1))
    chance.shuffle(found)
    return found[:TRIES]




def changes(binary, machine, address, prove, clean):
    """Whether the kernel gives something else for the samples, or cannot be run."""
    call = Call(binary, machine, address)
    call.same = call.congruent = lambda *_: None
    try:
        prove(call)
    except (Refused, Wrong):
        return True
    return [samples(v) for v in call.results] != [samples(v) for v in clean.results]


def passes(binary, machine, address, prove, short={}):
    call = Call(binary, machine, address)
    call.solver.sampling = False
    call.run.short = short
    try:
        prove(call)
    except (Refused, Wrong):
        return False
    return True
