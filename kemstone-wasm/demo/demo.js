// The demonstration's page: a secret with the program that serves it, and a comparison with two packages in JavaScript.
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { load } from 'kemstone'
import { createMlKem768 } from 'mlkem'

const LABEL = new TextEncoder().encode('kemstone demonstration')
const OPERATIONS = ['Key generation', 'Encapsulation', 'Decapsulation']
// A turn has to be long for clocks that browsers make coarse.
const TURN = 12
const TURNS = 15

const element = (id) => document.getElementById(id)
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const painted = () => new Promise((resolve) => setTimeout(resolve))

function make(name, text = '', className = '') {
  const made = document.createElement(name)
  made.textContent = text
  made.className = className
  return made
}

// --- a secret -----------------------------------------------------------------------------------

function step(what, how) {
  const item = make('li')
  item.append(make('span', what), make('span', how))
  element('steps').append(item)
}

async function exchange({ MlKem768 }) {
  element('steps').replaceChildren()
  element('verdict').textContent = ''
  const key = MlKem768.generate()
  try {
    const encapsulationKey = key.encapsulationKey()
    step('This page makes a key pair and sends the public half', `${encapsulationKey.length} bytes`)
    const answer = await fetch('/encapsulate', { method: 'POST', body: encapsulationKey })
    if (!answer.ok) throw new Error(`the program says: ${await answer.text()}`)
    const body = new Uint8Array(await answer.arrayBuffer())
    const size = MlKem768.CIPHERTEXT_SIZE
    if (body.length !== size + 32) throw new Error(`the program answers with ${body.length} bytes`)
    const [ciphertext, there] = [body.subarray(0, size), body.subarray(size)]
    step('The program checks it, and answers with a ciphertext and its tag', `${size} + 32 bytes`)
    const sharedSecret = key.decapsulate(ciphertext)
    step('This page recovers the secret', `${sharedSecret.length} bytes`)
    const hash = { name: 'HMAC', hash: 'SHA-256' }
    const mac = await crypto.subtle.importKey('raw', sharedSecret, hash, false, ['sign', 'verify'])
    sharedSecret.fill(0)
    const said = new Uint8Array([...LABEL, ...encapsulationKey, ...ciphertext])
    element('here').textContent = hex(new Uint8Array(await crypto.subtle.sign(hash, mac, said)))
    element('there').textContent = hex(there)
    const same = await crypto.subtle.verify(hash, mac, there, said)
    element('verdict').textContent = same ? 'Both sides have the same secret.' : 'The tags differ: the secrets are not the same.'
    element('verdict').className = same ? 'right' : 'wrong'
    return same
  } finally {
    key.free()
  }
}

// --- times --------------------------------------------------------------------------------------

function rowsOf(builds, mlkem) {
  const { publicKey: ek, secretKey: dk } = ml_kem768.keygen()
  const { cipherText: c } = ml_kem768.encapsulate(ek)
  const ours = builds.map(({ backend, MlKem768 }) => ({
    who: `kemstone, ${backend}`,
    ours: true,
    calls: [
      () => MlKem768.generateExpanded(),
      () => MlKem768.encapsulate(ek),
      () => MlKem768.decapsulate(dk, c),
    ],
  }))
  return [
    ...ours,
    { who: 'mlkem', calls: [() => mlkem.generateKeyPair(), () => mlkem.encap(ek), () => mlkem.decap(c, dk)] },
    { who: '@noble/post-quantum', calls: [() => ml_kem768.keygen(), () => ml_kem768.encapsulate(ek), () => ml_kem768.decapsulate(c, dk)] },
  ]
}

function show(rows) {
  const tables = OPERATIONS.flatMap((operation, i) => {
    const times = rows.map(({ best }) => best[i])
    const slowest = Math.max(...times.filter(Number.isFinite), 0)
    const table = make('table')
    rows.forEach(({ who, ours }, j) => {
      const [row, head, track, bar] = [make('tr', '', ours ? 'ours' : ''), make('th', who), make('td', '', 'track'), make('div', '', 'bar')]
      head.scope = 'row'
      const known = Number.isFinite(times[j])
      bar.style.width = known ? `${100 * times[j] / slowest}%` : '0'
      track.append(bar)
      const number = known ? `${times[j].toFixed(1)} µs` : '…'
      const times0 = known && Number.isFinite(times[0]) && j > 0 ? `${(times[j] / times[0]).toFixed(1)} ×` : ''
      row.append(head, make('td', number, 'number'), make('td', times0, 'times'), track)
      table.append(row)
    })
    return [make('h3', operation), table]
  })
  element('times').replaceChildren(...tables)
}

async function measure(rows) {
  for (const row of rows) row.best = [Infinity, Infinity, Infinity]
  show(rows)
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (let i = 0; i < OPERATIONS.length; i += 1) {
      for (const { calls, best } of rows) {
        const start = performance.now()
        let count = 0
        let now = start
        do {
          for (let n = 0; n < 8; n += 1) calls[i]()
          count += 8
          now = performance.now()
        } while (now - start < TURN)
        best[i] = Math.min(best[i], (now - start) * 1000 / count)
      }
      await painted()
    }
    show(rows)
  }
  return rows.map(({ who, best }) => ({ who, best }))
}

// --- the page -----------------------------------------------------------------------------------

function whenClicked(id, work) {
  const button = element(id)
  button.addEventListener('click', async () => {
    button.disabled = true
    try {
      await work()
    } catch (error) {
      element('verdict').textContent = error.message
      element('verdict').className = 'wrong'
    }
    button.disabled = false
  })
  button.disabled = false
}

async function main() {
  const best = await load()
  element('build').textContent = `kemstone runs here in its build ${best.backend === 'simd128' ? 'with 128-bit vectors, simd128' : 'for every runtime, portable'}.`
  const same = await exchange(best)
  whenClicked('again', () => exchange(best))
  const builds = best.backend === 'simd128' ? [best, await load({ backend: 'portable' })] : [best]
  const rows = rowsOf(builds, await createMlKem768())
  const times = await measure(rows)
  whenClicked('measure', () => measure(rows))
  return { backend: best.backend, same, times }
}

globalThis.finished = main()
globalThis.finished.catch((error) => {
  element('verdict').textContent = error.message
  element('verdict').className = 'wrong'
})
