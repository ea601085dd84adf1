// Node's KeyObject, which is its OpenSSL: writes keys, and reads ours. Arguments: `write` or `read`, and the directory.
const crypto = require('node:crypto')
const fs = require('node:fs')
const [action, directory] = process.argv.slice(2)
const path = (stem, extension) => `${directory}/${stem}.${extension}`

for (const set of ['512', '768', '1024']) {
  if (action === 'write') {
    const { privateKey, publicKey } = crypto.generateKeyPairSync(`ml-kem-${set}`)
    const { sharedKey, ciphertext } = crypto.encapsulate(publicKey)
    const forms = {
      default: {},
      encrypted: { cipher: 'aes-256-cbc', passphrase: 'password' },
    }
    for (const [form, options] of Object.entries(forms)) {
      const stem = `node-${set}-${form}`
      fs.writeFileSync(path(stem, 'priv.pem'), privateKey.export({ type: 'pkcs8', format: 'pem', ...options }))
      fs.writeFileSync(path(stem, 'pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }))
      fs.writeFileSync(path(stem, 'ct'), ciphertext)
      fs.writeFileSync(path(stem, 'ss'), sharedKey)
    }
    continue
  }
  const all = (extension) => fs.readFileSync(path(`kemstone-${set}-all`, extension))
  for (const form of ['seed', 'expanded', 'both', 'encrypted', 'untagged']) {
    let read
    try {
      const key = fs.readFileSync(path(`kemstone-${set}-${form}`, 'priv.pem'))
      const secret = crypto.decapsulate({ key, passphrase: 'password' }, all('ct'))
      read = secret.equals(all('ss')) ? 'y' : 'n: another secret'
    } catch (error) {
      read = `n: ${error.message}`
    }
    console.log(`node ${set} ${form} ${read}`)
  }
  const { sharedKey, ciphertext } = crypto.encapsulate(crypto.createPublicKey(all('pub.pem')))
  const key = fs.readFileSync(path(`kemstone-${set}-seed`, 'priv.pem'))
  console.log(`node ${set} public ${crypto.decapsulate(key, ciphertext).equals(sharedKey) ? 'y' : 'n: another secret'}`)
}
