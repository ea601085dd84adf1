// The npm package `age-encryption`: decrypts our file and encrypts one for us. Arguments: the package's main file, one of
// `@scure/base`, and the directory of the files.
import fs from 'node:fs'
const [main, base, directory] = process.argv.slice(2)
const age = await import(main)
const { bech32 } = await import(base)
const bytes = (name) => new Uint8Array(Buffer.from(fs.readFileSync(`${directory}/age.${name}`, 'utf8'), 'hex'))
const identity = bech32.encodeFromBytes('AGE-SECRET-KEY-PQ-', bytes('seed')).toUpperCase()
const recipient = bech32.encode('age1pq', bech32.toWords(bytes('recipient')), false)
if ((await age.identityToRecipient(identity)) !== recipient) throw new Error('another recipient')
const decrypter = new age.Decrypter()
decrypter.addIdentity(identity)
const text = await decrypter.decrypt(new Uint8Array(fs.readFileSync(`${directory}/kemstone.age`)), 'text')
if (text !== "a file of age's") throw new Error('another text')
const encrypter = new age.Encrypter()
encrypter.addRecipient(recipient)
fs.writeFileSync(`${directory}/npm.age`, await encrypter.encrypt(text))
