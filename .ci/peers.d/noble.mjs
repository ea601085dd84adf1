// The npm package @noble/post-quantum: hybrid keys from our seeds, our ciphertexts, and ciphertexts of its own. Arguments: the
// package's directory, and the directory of the files.
import fs from 'node:fs'
const [directory, files] = process.argv.slice(2)
const hybrid = await import(`${directory}/hybrid.js`)
const kems = {
  'MLKEM768-X25519': hybrid.ml_kem768_x25519,
  'MLKEM768-P256': hybrid.ml_kem768_p256,
  'MLKEM1024-P384': hybrid.ml_kem1024_p384,
}
const equal = (a, b) => Buffer.from(a).equals(Buffer.from(b))
for (const [name, kem] of Object.entries(kems)) {
  const lines = fs.readFileSync(`${files}/hybrid-${name}`, 'utf8').trim().split('\n')
  const answers = lines.map((line) => {
    const [seed, ek, ct, ss] = line.split(' ').map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
    const { publicKey, secretKey } = kem.keygen(seed)
    if (!equal(publicKey, ek)) throw new Error(`${name}: another public key`)
    if (!equal(kem.decapsulate(ct, secretKey), ss)) throw new Error(`${name}: another secret`)
    const { cipherText, sharedSecret } = kem.encapsulate(ek)
    return [seed, cipherText, sharedSecret].map((bytes) => Buffer.from(bytes).toString('hex')).join(' ')
  })
  fs.writeFileSync(`${files}/hybrid-${name}.noble`, answers.join('\n') + '\n')
}
