"""prove.py [--no-faults] BINARY [WORD...]: proves the kernels of a program, or those whose names contain one of the words, and
that faults planted in them are refused. Prints a line for each."""

import subprocess
import sys
import time

import faults
from kernels import ARCHITECTURES, Call, Wrong, sample_ntt_block
from lift import Binary, Refused


def symbols(path):
    """The functions and statics by their names: addresses, of which there may be several."""
    listing = subprocess.run(["nm", "-C", "--defined-only", path], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in listing.splitlines():
        address, kind, name = line.split(None, 2)
        if kind in "tTwWbBdD":
            found.setdefault(name, set()).add(int(address, 16))
    return found


def short(name, variant):
    return name.removeprefix("kemstone::backend::") + (f", {variant}" if variant else "")


def main(plant, path, *words):
    binary = Binary(path)
    machine = ARCHITECTURES[binary.arch.name]
    base = binary.object.mapped_base if binary.object.pic else 0
    binary.symbols = {name: {base + a for a in addresses} for name, addresses in symbols(path).items()}
    bad, proved, refused, began = 0, 0, 0, time.time()
    for name, variant, prove in machine.kernels:
        label = short(name, variant)
        if words and not any(w in label for w in words):
            continue
        if name not in binary.symbols:
            print(f"MISSING {label}: the program has no such function", flush=True)
            bad += 1
            continue
        for address in sorted(binary.symbols[name]):
            started = time.time()
            call = Call(binary, machine, address)
            try:
                prove(call)
            except (Refused, Wrong) as e:
                print(f"FAILED  {label}: {e}", flush=True)
                bad += 1
                continue
            proved += 1
            line = (
                f"proved  {label}: {call.values} values of {len(call.run.executed)} instructions, {call.solver.asked} questions, "
                f"{time.time() - started:.1f} s"
            )
            if plant:
                accepted, count = faults.planted(binary, machine, address, prove, call, label)
                refused += count
                line += f"; {count} faults refused, {time.time() - started:.1f} s in all"
                for what in accepted:
                    line += f"\nFAILED  {label}: accepted with a fault: {what}"
                    bad += 1
            print(line, flush=True)
    if plant and not words:
        label = short(machine.variable, "")
        try:
            sample_ntt_block(Call(binary, machine, min(binary.symbols[machine.variable])))
            print(f"FAILED  {label}, whose time depends on its input, was not refused", flush=True)
            bad += 1
        except Refused as e:
            print(f"refused {label}, as it must be: {e}", flush=True)
    print(f"{path}: {proved} cases proved, {refused} faults refused, {bad} failures, {time.time() - began:.0f} s", flush=True)
    return bad or not proved


if __name__ == "__main__":
    arguments = sys.argv[1:]
    plant = "--no-faults" not in arguments
    sys.exit(bool(main(plant, *[a for a in arguments if a != "--no-faults"])))
