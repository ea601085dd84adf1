// The tests of the package as its user has it, for Node.js and for browsers: node.mjs and page.html run them.
import { load } from 'kemstone'
import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js'

// FIPS 203, table 3, and what has the algorithms in JavaScript.
const SETS = {
  'ML-KEM-512': { id: 'MlKem512', ek: 800, dk: 1632, c: 768, noble: ml_kem512 },
  'ML-KEM-768': { id: 'MlKem768', ek: 1184, dk: 2400, c: 1088, noble: ml_kem768 },
  'ML-KEM-1024': { id: 'MlKem1024', ek: 1568, dk: 3168, c: 1568, noble: ml_kem1024 },
}
const BACKENDS = ['portable', 'simd128']

function assert(holds, message) {
  if (!holds) throw new Error(`failed: ${message}`)
}

const equal = (a, b) => a instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i])

function bytes(hex) {
  const found = hex.match(/../g).map((pair) => Number.parseInt(pair, 16))
  assert(found.length * 2 === hex.length && !found.some(Number.isNaN), 'bytes in hexadecimal')
  return new Uint8Array(found)
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

// What is thrown, which is an error of JavaScript's and never the end of the module.
function thrown(call, what) {
  try {
    call()
  } catch (error) {
    assert(error instanceof Error && !(error instanceof WebAssembly.RuntimeError), `${what}: ${error}`)
    return `${error.name}: ${error.message}`
  }
  return assert(false, `${what}: nothing is thrown`)
}

// --- published vectors --------------------------------------------------------------------------

// The records of a file, see kats/README.md.
function records(text) {
  const split = text.indexOf('\n\n')
  const announced = Number(/^# count: (\d+)$/m.exec(text.slice(0, split))[1])
  const list = text.slice(split + 2).trimEnd().split('\n\n').map((block) =>
    Object.fromEntries(block.split('\n').map((line) => line.split(' = '))))
  assert(list.length === announced, `${list.length} records of ${announced}`)
  return list
}

// Whether a key is refused with these words, and taken otherwise.
function taken(call, words) {
  try {
    call()?.free?.()
  } catch (error) {
    assert(error.message === words, error)
    return false
  }
  return true
}

// Whether a build gives what a record says. Encapsulation is random: of its vectors, decapsulation has the secret.
function holds(kemstone, record) {
  const { id, ek: ekSize, c: cSize } = SETS[record.set]
  const set = kemstone[id]
  const of = (name) => bytes(record[name])
  switch (record.function) {
    case 'keyGen': {
      const seed = joined(of('d'), of('z'))
      const key = set.fromSeed(seed)
      const again = set.fromExpanded(of('dk'))
      const right = [key, again].every((key) =>
        equal(key.encapsulationKey(), of('ek')) && equal(key.expanded(), of('dk'))) &&
        equal(key.seed(), seed) && again.seed() === undefined
      key.free()
      again.free()
      return right
    }
    case 'encapsulation':
    case 'decapsulation': {
      const key = set.fromExpanded(of('dk'))
      const right = equal(key.decapsulate(of('c')), of('k')) && equal(set.decapsulate(of('dk'), of('c')), of('k')) &&
        equal(key.encapsulationKey(), of('ek'))
      key.free()
      return right
    }
    case 'encapsulationKeyCheck': {
      assert(of('ek').length === ekSize, 'the length of an encapsulation key')
      const found = [() => void set.encapsulate(of('ek')), () => set.prepare(of('ek'))]
        .map((call) => taken(call, 'invalid encapsulation key'))
      return found.every((found) => found === (record.passed === 'true'))
    }
    case 'decapsulationKeyCheck': {
      const c = new Uint8Array(cSize)
      const found = [() => set.fromExpanded(of('dk')), () => void set.decapsulate(of('dk'), c)]
        .map((call) => taken(call, 'invalid decapsulation key'))
      return found.every((found) => found === (record.passed === 'true'))
    }
    default:
      return assert(false, `the function ${record.function} is known`)
  }
}

function vectors(kemstone, files) {
  const count = {}
  for (const [file, text] of Object.entries(files)) {
    for (const record of records(text)) {
      assert(holds(kemstone, record), `case ${record.tc} of ${file}`)
      count[record.function] = (count[record.function] ?? 0) + 1
    }
  }
  const found = JSON.stringify(count)
  const wanted = { keyGen: 150, encapsulation: 150, decapsulation: 60, decapsulationKeyCheck: 30, encapsulationKeyCheck: 30 }
  assert(found === JSON.stringify(wanted), `420 vectors: ${found}`)
  // One bit turned is another case.
  for (const [file, name] of [['acvp-2024/keygen.txt', 'ek'], ['acvp-2024/encapdecap.txt', 'k']]) {
    const [record] = records(files[file])
    record[name] = record[name].slice(0, -1) + (record[name].endsWith('0') ? '1' : '0')
    assert(!holds(kemstone, record), `a wrong ${name} is noticed`)
  }
}

// --- with another implementation ----------------------------------------------------------------

function roundTrips(kemstone) {
  for (const { id, noble, ek, dk, c } of Object.values(SETS)) {
    const set = kemstone[id]
    const secrets = []
    const same = (a, b, what) => {
      assert(a.length === 32 && equal(a, b), `${set.name}: ${what}`)
      secrets.push(String(a))
    }
    for (let turn = 0; turn < 10; turn += 1) {
      const theirs = noble.keygen()
      const prepared = set.prepare(theirs.publicKey)
      for (const { ciphertext, sharedSecret } of [set.encapsulate(theirs.publicKey), prepared.encapsulate(), prepared.encapsulate()]) {
        assert(ciphertext.length === c, 'the length of a ciphertext')
        same(sharedSecret, noble.decapsulate(ciphertext, theirs.secretKey), 'encapsulated here, decapsulated there')
      }
      prepared.free()

      const key = set.generate()
      assert(key.encapsulationKey().length === ek && key.expanded().length === dk, 'the lengths of keys')
      const again = noble.keygen(key.seed())
      assert(equal(again.publicKey, key.encapsulationKey()) && equal(again.secretKey, key.expanded()), 'the seed is of the key')
      for (let n = 0; n < 2; n += 1) {
        const { cipherText, sharedSecret } = noble.encapsulate(key.encapsulationKey())
        same(key.decapsulate(cipherText), sharedSecret, 'encapsulated there, decapsulated here')
        assert(equal(set.decapsulate(key.expanded(), cipherText), sharedSecret), 'the same of bytes')
        cipherText[turn] ^= 1
        same(key.decapsulate(cipherText), noble.decapsulate(cipherText, key.expanded()), 'rejected alike')
        assert(equal(set.decapsulate(key.expanded(), cipherText), key.decapsulate(cipherText)), 'rejected alike, of bytes')
      }
      secrets.push(String(key.seed()))
      key.free()

      const pair = set.generateExpanded()
      const { cipherText, sharedSecret } = noble.encapsulate(pair.encapsulationKey)
      assert(pair.encapsulationKey.length === ek && pair.expanded.length === dk, 'the lengths of a pair')
      same(noble.decapsulate(cipherText, pair.expanded), sharedSecret, 'a pair of bytes')
    }
    assert(new Set(secrets).size === 90, `${set.name}: no secret and no seed twice`)
  }
}

// --- errors -------------------------------------------------------------------------------------

function errors(kemstone) {
  for (const [name, { id, ek, dk, c }] of Object.entries(SETS)) {
    const set = kemstone[id]
    const key = set.generate()
    const right = { ek: key.encapsulationKey(), dk: key.expanded(), c: new Uint8Array(c) }
    const calls = [
      ['a seed', 64, (argument) => set.fromSeed(argument)],
      [`an expanded decapsulation key of ${name}`, dk, (argument) => set.fromExpanded(argument)],
      [`an expanded decapsulation key of ${name}`, dk, (argument) => set.decapsulate(argument, right.c)],
      [`an encapsulation key of ${name}`, ek, (argument) => set.encapsulate(argument)],
      [`an encapsulation key of ${name}`, ek, (argument) => set.prepare(argument)],
      [`a ciphertext of ${name}`, c, (argument) => key.decapsulate(argument)],
      [`a ciphertext of ${name}`, c, (argument) => set.decapsulate(right.dk, argument)],
    ]
    for (const [what, size, call] of calls) {
      for (const length of [0, 1, size - 1, size + 1, 100000]) {
        const said = thrown(() => call(new Uint8Array(length)), what)
        assert(said === `RangeError: ${what} has ${size} bytes, not ${length}`, said)
      }
      const detached = new Uint8Array(size)
      structuredClone(detached, { transfer: [detached.buffer] })
      assert(thrown(() => call(detached), what).startsWith('RangeError'), 'an array without its buffer')
      for (const other of [undefined, null, 5, 'x'.repeat(size), [], {}, new ArrayBuffer(size), new Uint16Array(size), { length: size }]) {
        assert(thrown(() => call(other), what) === `TypeError: ${what} is a Uint8Array`, what)
      }
      // Subclasses that say another length than they have, or none.
      class Odd extends Uint8Array {
        get length() {
          return size
        }
      }
      assert(thrown(() => call(new Odd(size + 1)), what) === `RangeError: ${what} has ${size} bytes, not ${size + 1}`, what)
      class Throwing extends Uint8Array {
        get length() {
          throw new Error('planted')
        }
        set() {
          throw new Error('planted')
        }
      }
      const lies = new Throwing(size)
      try {
        call(lies)?.free?.()
      } catch (error) {
        assert(error.message.startsWith('invalid '), `${what}: ${error}`)
      }
    }
    assert(equal(set.decapsulate(right.dk, right.c), key.decapsulate(right.c)), 'works after errors')

    const last = right.dk.slice()
    last[dk - 33] ^= 1 // in the hash
    assert(thrown(() => set.fromExpanded(last), 'hash') === 'Error: invalid decapsulation key', 'a wrong hash')
    assert(thrown(() => set.decapsulate(last, right.c), 'hash') === 'Error: invalid decapsulation key', 'a wrong hash')
    const large = right.ek.fill(0xff)
    assert(thrown(() => set.encapsulate(large), 'q') === 'Error: invalid encapsulation key', 'numbers above q')
    assert(thrown(() => set.prepare(large), 'q') === 'Error: invalid encapsulation key', 'numbers above q')

    const other = set.prepare(key.encapsulationKey())
    for (const object of [key, other]) {
      object.free()
      object.free()
    }
    for (const call of [() => key.encapsulationKey(), () => key.seed(), () => key.expanded(), () => key.decapsulate(right.c), () => other.encapsulate()]) {
      assert(thrown(call, 'freed') === 'Error: the key has been freed', 'after free')
    }
  }
}

// Runs a function with another source of randomness.
function withRandom(fill, run) {
  Object.defineProperty(crypto, 'getRandomValues', { value: fill, configurable: true })
  try {
    return run()
  } finally {
    delete crypto.getRandomValues
  }
}

function randomness(kemstone) {
  const fails = () => {
    throw new Error('planted')
  }
  for (const { id } of Object.values(SETS)) {
    const set = kemstone[id]
    const ek = set.generate().encapsulationKey()
    const prepared = set.prepare(ek)
    for (const call of [() => set.generate(), () => set.generateExpanded(), () => set.encapsulate(ek), () => prepared.encapsulate()]) {
      const said = withRandom(fails, () => thrown(call, 'no randomness'))
      assert(said === 'Error: no randomness available', said)
      call()
    }
  }
}

// --- what is left of secrets --------------------------------------------------------------------

// Which of the secrets occur in the memory: 16 bytes of one, from a multiple of 16 on, anywhere.
function occurring(memory, secrets) {
  const parts = Object.entries(secrets).flatMap(([name, secret]) =>
    Array.from({ length: secret.length >> 4 }, (_, i) => ({ name: `${name} from byte ${16 * i} on`, part: secret.subarray(16 * i, 16 * i + 16) })))
  const beginning = (bytes, at) => bytes[at] | bytes[at + 1] << 8
  const byBeginning = Array(65536)
  for (const part of parts) (byBeginning[beginning(part.part, 0)] ??= []).push(part)
  const found = []
  for (let at = 0; at + 16 <= memory.length; at += 1) {
    for (const { name, part } of byBeginning[beginning(memory, at)] ?? []) {
      if (part.every((byte, i) => byte === memory[at + i])) found.push(name)
    }
  }
  return found
}

// Looks in the whole memory, stack and heap, after each call: the next would write over what the one before has left.
function wiped(kemstone, memory) {
  for (const { id } of Object.values(SETS)) {
    const set = kemstone[id]
    let drawn
    const real = crypto.getRandomValues.bind(crypto)
    const record = (array) => {
      real(array)
      drawn = new Uint8Array(array)
      return array
    }
    // Whatever of it is not in a key that is in use must not be there.
    const secrets = {}
    const ownOf = (expanded) => expanded.subarray(0, expanded.length - set.ENCAPSULATION_KEY_SIZE - 64)
    const call = (what, run, then = () => ({})) => {
      drawn = undefined
      const result = withRandom(record, run)
      if (drawn) secrets[`what ${what} draws`] = drawn
      Object.assign(secrets, then(result))
      return result
    }
    const clean = (what, but = []) => {
      const rest = Object.fromEntries(Object.entries(secrets).filter(([name]) => !but.includes(name)))
      const found = occurring(new Uint8Array(memory().buffer), rest)
      assert(found.length === 0, `${set.name}: ${what} leaves ${found[0]} in memory`)
    }

    const pair = call('generateExpanded', () => set.generateExpanded(), ({ expanded }) => ({ pair: ownOf(expanded) }))
    clean('generateExpanded')
    const { encapsulationKey: ek, expanded: dk } = pair
    const { ciphertext: c } = call('encapsulate', () => set.encapsulate(ek), ({ sharedSecret }) => ({ sharedSecret }))
    clean('encapsulate')
    call('decapsulate', () => set.decapsulate(dk, c))
    clean('decapsulate')
    call('decapsulate', () => set.decapsulate(dk, new Uint8Array(c.length)), (rejected) => ({ rejected }))
    clean('decapsulate, which rejects')
    const wrong = dk.slice()
    wrong[wrong.length - 33] ^= 1
    thrown(() => set.decapsulate(wrong, c), 'a wrong hash')
    clean('decapsulate, which refuses a key')
    thrown(() => set.fromExpanded(wrong), 'a wrong hash')
    clean('fromExpanded, which refuses a key')

    const prepared = set.prepare(ek)
    call('encapsulate of a prepared key', () => prepared.encapsulate(), ({ sharedSecret }) => ({ second: sharedSecret }))
    clean('encapsulate of a prepared key')
    prepared.free()

    const imported = set.fromExpanded(dk)
    assert(occurring(new Uint8Array(memory().buffer), { pair: secrets.pair }).length === secrets.pair.length >> 4, 'an expanded key in use is found, once')
    imported.decapsulate(c)
    clean('decapsulate of a key', ['pair', 'what generateExpanded draws'])
    imported.free()
    clean('free')

    const key = call('generate', () => set.generate())
    const seed = key.seed()
    assert(equal(seed, secrets['what generate draws']), 'the seed is what was drawn')
    assert(occurring(new Uint8Array(memory().buffer), { seed }).length === 4, 'a seed in use is found, once')
    Object.assign(secrets, { key: ownOf(key.expanded()) })
    clean('expanded', ['what generate draws', 'key'])
    assert(occurring(new Uint8Array(memory().buffer), { key: secrets.key }).length === secrets.key.length >> 4, 'a key in use is found, once')
    key.free()
    clean('free')
    const again = set.fromSeed(seed)
    assert(occurring(new Uint8Array(memory().buffer), { seed }).length === 4, 'a seed in use is found, once')
    again.free()
    clean('free')
  }
}

// --- all of it ----------------------------------------------------------------------------------

function surface(kemstone, backend) {
  assert(kemstone.backend === backend, `${kemstone.backend} is ${backend}`)
  assert(Object.keys(kemstone).join() === 'backend,MlKem512,MlKem768,MlKem1024', 'what there is')
  for (const [name, { id, ek, dk, c }] of Object.entries(SETS)) {
    const set = kemstone[id]
    const sizes = [set.ENCAPSULATION_KEY_SIZE, set.DECAPSULATION_KEY_SIZE, set.CIPHERTEXT_SIZE, set.SEED_SIZE, set.SHARED_SECRET_SIZE]
    assert(set.name === name && String(sizes) === String([ek, dk, c, 64, 32]), name)
  }
}

// A result of a method with one bit turned, each of which some test must miss.
const FAULTS = {
  encapsulationKey: (key) => ({ encapsulationKey: () => turned(key.encapsulationKey()) }),
  seed: (key) => ({ seed: () => key.seed() && turned(key.seed()) }),
  expanded: (key) => ({ expanded: () => turned(key.expanded()) }),
  'decapsulate of a key': (key) => ({ decapsulate: (c) => turned(key.decapsulate(c)) }),
  'decapsulate of bytes': (set) => ({ decapsulate: (dk, c) => turned(set.decapsulate(dk, c)) }),
  'generateExpanded, the public half': (set) => ({
    generateExpanded: () => {
      const { encapsulationKey, expanded } = set.generateExpanded()
      return { encapsulationKey: turned(encapsulationKey), expanded }
    },
  }),
  'generateExpanded, the private half': (set) => ({
    generateExpanded: () => {
      const { encapsulationKey, expanded } = set.generateExpanded()
      expanded[0] ^= 1
      return { encapsulationKey, expanded }
    },
  }),
  'encapsulate, the secret': (set) => ({
    encapsulate: (ek) => {
      const { ciphertext, sharedSecret } = set.encapsulate(ek)
      return { ciphertext, sharedSecret: turned(sharedSecret) }
    },
  }),
  'encapsulate, the ciphertext': (set) => ({
    encapsulate: (ek) => {
      const { ciphertext, sharedSecret } = set.encapsulate(ek)
      return { ciphertext: turned(ciphertext), sharedSecret }
    },
  }),
  'encapsulate of a prepared key': (key) => ({
    encapsulate: () => {
      const { ciphertext, sharedSecret } = key.encapsulate()
      return { ciphertext, sharedSecret: turned(sharedSecret) }
    },
  }),
}

function turned(array) {
  array[array.length - 1] ^= 1
  return array
}

// The object with one method that has a fault, or keys with it.
function faulty(kemstone, fault) {
  const plant = FAULTS[fault]
  const key = (key) => ({
    encapsulationKey: () => key.encapsulationKey(),
    seed: () => key.seed(),
    expanded: () => key.expanded(),
    decapsulate: (c) => key.decapsulate(c),
    encapsulate: () => key.encapsulate(),
    free: () => key.free(),
    ...(/bytes|, /.test(fault) ? {} : plant(key)),
  })
  const sets = Object.values(SETS).map(({ id }) => {
    const set = kemstone[id]
    return [id, {
      ...set,
      generate: () => key(set.generate()),
      fromSeed: (seed) => key(set.fromSeed(seed)),
      fromExpanded: (expanded) => key(set.fromExpanded(expanded)),
      prepare: (ek) => key(set.prepare(ek)),
      ...(/bytes|, /.test(fault) ? plant(set) : {}),
    }]
  })
  return { ...kemstone, ...Object.fromEntries(sets) }
}

/**
 * Runs all tests and returns what to print.
 * @param {(path: string) => Promise<string>} read what is in a file of kats/
 */
export async function run(read) {
  const instances = []
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const real = WebAssembly[name]
    WebAssembly[name] = async (...args) => {
      const made = await real.apply(WebAssembly, args)
      const instance = made.instance ?? made
      // Node.js has WebAssembly of its own.
      if (instance.exports.backend) instances.push(instance)
      return made
    }
  }
  const files = {}
  for (const edition of ['acvp-2024', 'acvp-2026']) {
    for (const file of ['keygen.txt', 'encapdecap.txt']) files[`${edition}/${file}`] = await read(`${edition}/${file}`)
  }
  const lines = []

  assert(await load({ backend: 'avx2' }).catch((error) => error.message) === 'there is no backend avx2', 'another backend')
  for (const backend of BACKENDS) {
    const refused = await load({ backend, wasm: new Uint8Array([0, 1, 2, 3]) }).catch((error) => error)
    assert(refused instanceof WebAssembly.CompileError, `no WebAssembly: ${refused}`)
    const kemstone = await load({ backend })
    assert(kemstone === await load({ backend }), 'loaded once')
    const { memory } = instances.at(-1).exports
    surface(kemstone, backend)
    vectors(kemstone, files)
    roundTrips(kemstone)
    errors(kemstone)
    randomness(kemstone)
    wiped(kemstone, () => memory)
    lines.push(`${backend}: 420 published vectors, round trips with @noble/post-quantum, errors, what is left of secrets`)
    for (const fault of Object.keys(FAULTS)) {
      const broken = faulty(kemstone, fault)
      assert([() => vectors(broken, files), () => roundTrips(broken)].some((test) => {
        try {
          test()
          return false
        } catch (error) {
          return error.message.startsWith('failed: ')
        }
      }), `a fault planted in ${fault} is found`)
    }
    lines.push(`${backend}: ${Object.keys(FAULTS).length} planted faults found`)
  }
  assert(instances.length === 2, 'two builds were loaded')
  const chosen = await load()
  // Every runtime that this is run with has vectors.
  assert(chosen === await load({ backend: 'simd128' }), `chosen is ${chosen.backend}`)
  // Where there are none, as far as the question goes.
  const { validate } = WebAssembly
  WebAssembly.validate = () => false
  assert((await load()).backend === 'portable', 'without vectors portable is chosen')
  WebAssembly.validate = validate
  lines.push('load chooses simd128, and portable where vectors are not valid')
  return lines
}
