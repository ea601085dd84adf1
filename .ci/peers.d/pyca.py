"""Python's cryptography: writes keys, and reads ours. Arguments: `write` or `read`, and the directory."""

import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric import mlkem
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

action, directory = sys.argv[1], pathlib.Path(sys.argv[2])


def halves(public):
    """Ciphertext and secret, in whichever order they come."""
    return sorted(public.encapsulate(), key=len, reverse=True)


for number in ("768", "1024"):
    if action == "write":
        key = getattr(mlkem, f"MLKEM{number}PrivateKey").generate()
        ciphertext, secret = halves(key.public_key())
        forms = {"default": NoEncryption(), "encrypted": BestAvailableEncryption(b"password")}
        for form, encryption in forms.items():
            stem = directory / f"pyca-{number}-{form}"
            files = {
                "priv.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption),
                "pub.pem": key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
                "ct": ciphertext,
                "ss": secret,
            }
            for extension, data in files.items():
                stem.with_name(f"{stem.name}.{extension}").write_bytes(data)
        continue
    ours = {name: (directory / f"kemstone-{number}-all.{name}").read_bytes() for name in ("ct", "ss", "pub.pem")}
    for form in ("seed", "expanded", "both", "encrypted", "untagged"):
        text = (directory / f"kemstone-{number}-{form}.priv.pem").read_bytes()
        try:
            key = load_pem_private_key(text, b"password" if form == "encrypted" else None)
            read = "y" if key.decapsulate(ours["ct"]) == ours["ss"] else "n: another secret"
        except Exception as error:
            read = f"n: {type(error).__name__}"
        print(f"pyca {number} {form} {read}")
    ciphertext, secret = halves(load_pem_public_key(ours["pub.pem"]))
    key = load_pem_private_key((directory / f"kemstone-{number}-seed.priv.pem").read_bytes(), None)
    print(f"pyca {number} public {'y' if key.decapsulate(ciphertext) == secret else 'n: another secret'}")
