// measure.mjs: the time of every operation of both builds and of two packages in JavaScript, in turns in one run; prints the tables
// of docs/wasm.md.
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js'
import { load } from 'kemstone'
import { createMlKem512, createMlKem768, createMlKem1024 } from 'mlkem'

const SETS = [
  ['MlKem512', ml_kem512, await createMlKem512()],
  ['MlKem768', ml_kem768, await createMlKem768()],
  ['MlKem1024', ml_kem1024, await createMlKem1024()],
]
const TURNS = 200

const builds = [await load({ backend: 'portable' }), await load({ backend: 'simd128' })]

// The calls of one set, by operation and then by package.
function callsOf([id, noble, mlkem]) {
  const { publicKey: ek, secretKey: dk } = noble.keygen()
  const { cipherText: c, sharedSecret } = noble.encapsulate(ek)
  const calls = {
    'key generation': { mlkem: () => mlkem.generateKeyPair(), noble: () => noble.keygen() },
    encapsulation: { mlkem: () => mlkem.encap(ek), noble: () => noble.encapsulate(ek) },
    decapsulation: { mlkem: () => mlkem.decap(c, dk), noble: () => noble.decapsulate(c, dk) },
    'key generation, key object': {},
    'encapsulation, prepared key': {},
    'decapsulation, key object': {},
  }
  for (const kemstone of builds) {
    const set = kemstone[id]
    const [prepared, key] = [set.prepare(ek), set.fromExpanded(dk)]
    const ours = {
      'key generation': () => set.generateExpanded(),
      encapsulation: () => set.encapsulate(ek),
      decapsulation: () => set.decapsulate(dk, c),
      // What is sent and what is stored.
      'key generation, key object': () => {
        const key = set.generate()
        const pair = [key.encapsulationKey(), key.seed()]
        key.free()
        return pair
      },
      'encapsulation, prepared key': () => prepared.encapsulate(),
      'decapsulation, key object': () => key.decapsulate(c),
    }
    for (const [operation, call] of Object.entries(ours)) calls[operation][kemstone.backend] = call
  }
  // What is timed does what it should.
  for (const operation of ['decapsulation', 'decapsulation, key object']) {
    for (const [who, call] of Object.entries(calls[operation])) {
      if (!Buffer.from(call()).equals(Buffer.from(sharedSecret))) throw new Error(`${who}: another secret`)
    }
  }
  return calls
}

const cells = SETS.flatMap((set) => Object.entries(callsOf(set)).flatMap(([operation, by]) =>
  Object.entries(by).map(([who, call]) => ({ set: set[0], operation, who, call, times: [] }))))

for (const cell of cells) {
  // Long enough for the optimising compiler to be done; then a turn takes about two milliseconds.
  const end = performance.now() + 400
  let n = 0
  while (performance.now() < end) {
    cell.call()
    n += 1
  }
  cell.batch = Math.max(1, Math.round(n / 200))
}
for (let turn = 0; turn < TURNS; turn += 1) {
  for (const { call, batch, times } of cells) {
    const start = performance.now()
    for (let n = 0; n < batch; n += 1) call()
    times.push((performance.now() - start) * 1000 / batch)
  }
}
for (const cell of cells) {
  cell.times.sort((a, b) => a - b)
  cell.min = cell.times[0]
  cell.median = cell.times[TURNS >> 1]
}

const of = (set, operation, who) => cells.find((cell) => cell.set === set && cell.operation === operation && cell.who === who)
const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version
const packages = [`mlkem ${version('mlkem')}`, `@noble/post-quantum ${version('@noble/post-quantum')}`]

console.log(`Node.js ${process.versions.node} (V8 ${process.versions.v8}) on ${cpus()[0].model.trim()}, one run, ${TURNS} turns of about 2 ms for each cell:
microseconds of a call, minimum / median. "Times" is the faster package in JavaScript over \`simd128\`, of the minima and of the
medians.

| | ${packages[0]} | ${packages[1]} | \`portable\` | \`simd128\` | times |
|---|---:|---:|---:|---:|---:|`)
const number = (value) => value >= 100 ? value.toFixed(0) : value.toFixed(1)
let least = Infinity
for (const [set] of SETS) {
  for (const operation of ['key generation', 'encapsulation', 'decapsulation']) {
    const row = ['mlkem', 'noble', 'portable', 'simd128'].map((who) => of(set, operation, who))
    const times = ['min', 'median'].map((of) => Math.min(row[0][of], row[1][of]) / row[3][of])
    least = Math.min(least, ...times)
    console.log(`| ${set.replace('MlKem', 'ML-KEM-')} ${operation} | ${row.map(({ min, median }) => `${number(min)} / ${number(median)}`).join(' | ')} | ${times.map((value) => value.toFixed(1)).join(' / ')} |`)
  }
}
console.log(`
With objects that keep what they computed, which the packages in JavaScript do not have. Generated is a key object, public half and
seed as bytes; it is freed again:

| | \`portable\` | \`simd128\` |
|---|---:|---:|`)
for (const [set] of SETS) {
  for (const operation of ['key generation, key object', 'encapsulation, prepared key', 'decapsulation, key object']) {
    const row = ['portable', 'simd128'].map((who) => of(set, operation, who))
    console.log(`| ${set.replace('MlKem', 'ML-KEM-')} ${operation} | ${row.map(({ min, median }) => `${number(min)} / ${number(median)}`).join(' | ')} |`)
  }
}
console.error(`the least of "times": ${least.toFixed(1)}`)
