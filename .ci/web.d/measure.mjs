// measure.mjs: prints the tables of docs/wasm.md, of Node.js and of headless Chromium.
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

import { open } from './chromium.mjs'
import { serve } from './serve.mjs'
import { times, TURNS } from './timing.mjs'

const SETS = ['MlKem512', 'MlKem768', 'MlKem1024']
const PACKAGES = ['mlkem', '@noble/post-quantum']

const number = (value) => value >= 100 ? value.toFixed(0) : value.toFixed(1)
const both = ({ min, median }) => `${number(min)} / ${number(median)}`
const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version

function tables(runtime, cells) {
  const rows = (operations, packages) => SETS.flatMap((set) => operations.map((operation) => ({
    title: `${set.replace('MlKem', 'ML-KEM-')} ${operation}`,
    row: packages.map((who) => cells.find((cell) => cell.set === set && cell.operation === operation && cell.who === who)),
  })))
  let least = Infinity
  console.log(`
## ${runtime}

| | ${PACKAGES.map((name) => `${name} ${version(name)}`).join(' | ')} | \`portable\` | \`simd128\` | times |
|---|---:|---:|---:|---:|---:|`)
  for (const { title, row } of rows(['key generation', 'encapsulation', 'decapsulation'], ['mlkem', 'noble', 'portable', 'simd128'])) {
    const ratios = ['min', 'median'].map((of) => Math.min(row[0][of], row[1][of]) / row[3][of])
    least = Math.min(least, ...ratios)
    console.log(`| ${title} | ${row.map(both).join(' | ')} | ${ratios.map((ratio) => ratio.toFixed(1)).join(' / ')} |`)
  }
  console.log(`
With objects:

| | \`portable\` | \`simd128\` |
|---|---:|---:|`)
  const objects = ['key generation, key object', 'encapsulation, prepared key', 'decapsulation, key object']
  for (const { title, row } of rows(objects, ['portable', 'simd128'])) console.log(`| ${title} | ${row.map(both).join(' | ')} |`)
  console.error(`${runtime}: the least of "times" is ${least.toFixed(1)}`)
}

console.log(`On ${cpus()[0].model.trim()}, one run in each runtime, ${TURNS} turns of about 2 ms for each cell: microseconds of a call, minimum / median. "Times" is
the faster package in JavaScript over \`simd128\`, of the minima and of the medians. The packages in JavaScript have no objects that keep
what they computed; of ours, the second tables show a key that is generated, gives its public half and its seed as bytes and is freed
again, and keys that are used once more.`)
tables(`Node.js ${process.versions.node}`, times())
const server = await serve({ '/': fileURLToPath(new URL('./', import.meta.url)) })
try {
  const { browser, value } = await open(`${server.url}page.html?times`, { limit: 150 })
  tables(browser, value)
} finally {
  server.close()
}
