// The time of every operation of both builds and of two packages in JavaScript, in turns in one run, for measure.mjs and page.html.
import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js'
import { load } from 'kemstone'
import { createMlKem512, createMlKem768, createMlKem1024 } from 'mlkem'

const SETS = [
  ['MlKem512', ml_kem512, await createMlKem512()],
  ['MlKem768', ml_kem768, await createMlKem768()],
  ['MlKem1024', ml_kem1024, await createMlKem1024()],
]
export const TURNS = 200

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
      if (String(call()) !== String(sharedSecret)) throw new Error(`${who}: another secret`)
    }
  }
  return calls
}

/** Microseconds of a call, the least and the median of the turns, for each set, operation and package. */
export function times() {
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
  return cells.map(({ set, operation, who, times }) => {
    times.sort((a, b) => a - b)
    return { set, operation, who, min: times[0], median: times[TURNS >> 1] }
  })
}
