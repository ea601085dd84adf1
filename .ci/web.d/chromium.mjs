// Opens a page in headless Chromium and waits for the promise `finished` that it makes, by the DevTools protocol over two pipes.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--no-proxy-server', '--remote-debugging-pipe', '--window-size=1100,1400']

// What Chromium itself does not do, other than the page.
class Refused extends Error {}

/**
 * What `finished` becomes. It throws what the page threw, and if the page takes longer than the limit.
 * @param {string} url
 * @param {{ limit: number, picture?: string }} options seconds, and the file for a picture of the page at its end
 */
export async function open(url, { limit, picture }) {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'))
  const child = spawn('chromium', [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const [, , said, to, from] = child.stdio
  let errors = ''
  said.on('data', (data) => { errors += data })
  const waiting = new Map()
  let rest = Buffer.alloc(0)
  let number = 0
  from.on('data', (data) => {
    rest = Buffer.concat([rest, data])
    for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0)) {
      const { id, result, error } = JSON.parse(rest.subarray(0, end).toString())
      rest = rest.subarray(end + 1)
      const { resolve, reject } = waiting.get(id) ?? {}
      waiting.delete(id)
      if (error) reject?.(new Refused(error.message))
      else resolve?.(result)
    }
  })
  const call = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
    number += 1
    waiting.set(number, { resolve, reject })
    to.write(`${JSON.stringify({ id: number, method, params, sessionId })}\0`)
  })
  let timer
  const ended = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result from ${url} in ${limit} s`)), limit * 1000)
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`Chromium has ended with ${code}: ${errors}`)))
    for (const pipe of [to, from]) pipe.on('error', reject)
  })
  ended.catch(() => {})
  const evaluate = async (expression, session) => {
    const params = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = await call('Runtime.evaluate', params, session)
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }
  const work = async () => {
    const { product } = await call('Browser.getVersion')
    const { targetId } = await call('Target.createTarget', { url })
    const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
    let value
    while (value === undefined) {
      try {
        value = await evaluate('globalThis.finished?.then((value) => ({ value }))', sessionId)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
      }
      // The page is still on its way, or in another process by now.
      if (value === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
    }
    if (picture) {
      const { data } = await call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true }, sessionId)
      writeFileSync(picture, Buffer.from(data, 'base64'))
    }
    return { browser: product.replace('/', ' '), value: value.value }
  }
  try {
    return await Promise.race([work(), ended])
  } finally {
    clearTimeout(timer)
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
    if (child.exitCode === null && child.signalCode === null && child.pid) await new Promise((resolve) => child.once('exit', resolve))
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}
