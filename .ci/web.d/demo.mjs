// demo.mjs PEER PAGES PICTURE: what the demonstration's server does with bad requests, and its page in headless Chromium.
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'

import { load } from 'kemstone'

import { open } from './chromium.mjs'

const [program, pages, picture] = process.argv.slice(2)
const { MlKem768 } = await load()
const key = MlKem768.generate()
const ek = Buffer.from(key.encapsulationKey())
const above = Buffer.alloc(ek.length, 0xff) // numbers that are not below q

function assert(holds, message) {
  if (!holds) throw new Error(`failed: ${message}`)
}

const peer = spawn(program, ['0', pages, fileURLToPath(new URL('node_modules', import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] })
try {
  const said = await new Promise((resolve, reject) => {
    peer.stdout.once('data', (data) => resolve(data.toString()))
    peer.once('error', reject)
    peer.once('exit', (code) => reject(new Error(`the server has ended with ${code}`)))
    setTimeout(() => reject(new Error('the server says nothing')), 10000).unref()
  })
  const url = new URL(said.split(' ')[0])

  // Bytes as they are; what comes back until the end, as latin1.
  const send = (...parts) => new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => socket.end(Buffer.concat(parts.map((part) => Buffer.from(part)))))
    let answer = ''
    socket.setEncoding('latin1').on('data', (data) => { answer += data }).on('error', reject).on('close', () => resolve(answer))
  })
  const post = (length, body) => send(`POST /encapsulate HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`, body)
  const get = (path) => send(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
  const refused = {
    'a short key': post(1183, ek.subarray(1)),
    'a long key': post(1185, Buffer.concat([ek, ek.subarray(0, 1)])),
    'more than was said': post(1184, Buffer.concat([ek, ek.subarray(0, 1)])),
    'an endless body': post('99999999999999999999999', ek),
    'no length': send('POST /encapsulate HTTP/1.1\r\n\r\n', ek),
    'a negative length': post(-1, ek),
    'two lengths': send('POST /encapsulate HTTP/1.1\r\ncontent-length: 1184\r\ncontent-length: 1184\r\n\r\n', ek),
    'a body in pieces': send('POST /encapsulate HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n', ek),
    'a key with numbers above q': post(1184, above),
    'another method': send('PUT / HTTP/1.1\r\n\r\n'),
    'no HTTP': send('\x16\x03\x01\x02\x00\r\n\r\n'),
    'bytes that are no text': send(Buffer.alloc(100, 0xff), '\r\n\r\n'),
    'a head without end': send(Buffer.alloc(20000, 0x61)),
  }
  for (const [what, answer] of Object.entries(refused)) {
    assert((await answer).startsWith('HTTP/1.1 400 '), `${what}: ${(await answer).slice(0, 200)}`)
  }
  const missing = ['/../peer/Cargo.toml', '/peer/Cargo.toml', '/./index.html', '//index.html', '/%2e%2e/peer/src/main.rs', '/node_modules/../index.html',
    '/node_modules/.package-lock.json', '/peer', '/node_modules/', '/index.html/']
  for (const path of missing) assert((await get(path)).startsWith('HTTP/1.1 404 '), path)
  assert((await get('/')).startsWith('HTTP/1.1 200 '), 'the page')
  // A body that never comes, and one that ends early, have no answer and disturb nobody.
  const silent = connect(Number(url.port), url.hostname)
  assert(await post(1184, ek.subarray(1)) === '', 'a body that ends early')
  const right = await post(1184, ek)
  const body = Buffer.from(right.slice(right.indexOf('\r\n\r\n') + 4), 'latin1')
  assert(right.startsWith('HTTP/1.1 200 ') && body.length === 1088 + 32, 'an answer')
  const mac = await crypto.subtle.importKey('raw', key.decapsulate(body.subarray(0, 1088)), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
  const tagged = Buffer.concat([Buffer.from('kemstone demonstration'), ek, body.subarray(0, 1088)])
  assert(await crypto.subtle.verify('HMAC', mac, body.subarray(1088), tagged), 'the same secret')
  tagged[tagged.length - 1] ^= 1
  assert(!await crypto.subtle.verify('HMAC', mac, body.subarray(1088), tagged), 'a tag over another ciphertext')
  silent.destroy()
  console.log(`the demonstration's server: ${Object.keys(refused).length} bad requests refused, ${missing.length} paths not found, and the same secret as Node.js`)

  const { browser, value } = await open(url.href, { limit: 60, picture })
  assert(value.same === true && value.backend === 'simd128', `${browser}: the same secret: ${JSON.stringify(value)}`)
  const times = value.times.flatMap(({ best }) => best)
  assert(times.length === 12 && times.every((time) => time > 1 && time < 1e5), `${browser}: times: ${times}`)
  console.log(`${browser}: the demonstration's page and its server have the same secret; its times, in microseconds:`)
  for (const { who, best } of value.times) console.log(`  ${who}: ${best.map((time) => time.toFixed(1)).join(' / ')}`)
} finally {
  peer.kill()
}
