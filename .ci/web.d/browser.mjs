// browser.mjs KATS: the tests in headless Chromium.
import { fileURLToPath } from 'node:url'

import { open } from './chromium.mjs'
import { serve } from './serve.mjs'

const here = fileURLToPath(new URL('./', import.meta.url))
const server = await serve({ '/': here, '/kats/': process.argv[2] })
try {
  const { browser, value } = await open(`${server.url}page.html`, { limit: 90 })
  if (!Array.isArray(value) || value.length === 0) throw new Error('no result')
  for (const line of value) console.log(`${browser}: ${line}`)
} finally {
  server.close()
}
