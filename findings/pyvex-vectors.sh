#!/usr/bin/env bash
# pyvex 9.2.213, angr's lifter, in three ways that its own declarations and VEX's header do not tell:
# - A fresh installation by pip cannot be imported: it asks for bitstring of any version, and version 5.0.0 has no ConstBitStream
#   any more, which pyvex names. With bitstring 4.2.3 it can.
# - VEX writes a constant of 128 bits as 16 bits, one for each byte (libvex_ir.h, Ico_V128). pyvex gives the 128 bits themselves as
#   `value`, under the same tag. Who expands the mask once more gets other constants, for the shuffles of AVX2 among others.
# - The four instructions of FEAT_SHA3 (EOR3, RAX1, XAR, BCAX), which Keccak on AArch64 is made of, are not decoded, though SHA-256's
#   are. Lifting raises no error: the block is empty and says Ijk_NoDecode.
# The script prints each and fails if one changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyvex==9.2.213 archinfo==9.2.213 bitstring==5.0.0
venv/bin/pip freeze | grep -E '^(pyvex|archinfo|bitstring)=='
if venv/bin/python -c 'import pyvex' 2>error; then
  echo "changed: pyvex can be imported with bitstring 5.0.0" >&2
  exit 1
fi
tail -n 1 error
grep -q "module 'bitstring' has no attribute 'ConstBitStream'" error

venv/bin/pip install --quiet --disable-pip-version-check bitstring==4.2.3
cat >lift.py <<'PYTHON'
import archinfo
import pyvex

print("with bitstring 4.2.3:")
# pblendw xmm0, xmm1, 0xaa: every second word
block = pyvex.lift(bytes.fromhex("660f3a0ec1aa"), 0x1000, archinfo.ArchAMD64(), max_inst=1, opt_level=0)
constants = [e.con for s in block.statements for e in s.expressions if e.tag == "Iex_Const" and e.con.tag == "Ico_V128"]
print("pblendw:", [hex(c.value) for c in constants])
assert [c.value for c in constants] == [0xFFFF0000FFFF0000FFFF0000FFFF0000]

words = {"eor3": 0xCE020C20, "rax1": 0xCE628C20, "xar": 0xCE820420, "bcax": 0xCE220C20, "sha256h": 0x5E024020}
for name, word in words.items():
    block = pyvex.lift(word.to_bytes(4, "little"), 0x1000, archinfo.ArchAArch64(), max_inst=1)
    print(f"{name}: {block.jumpkind}, {block.size} bytes")
    assert (block.jumpkind, block.size) == (("Ijk_Boring", 4) if name == "sha256h" else ("Ijk_NoDecode", 0))
PYTHON
venv/bin/python lift.py
