// node.mjs KATS: the tests under Node.js.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { run } from './tests.mjs'

const kats = process.argv[2]
for (const line of await run((path) => readFile(join(kats, path), 'latin1'))) console.log(`Node.js ${process.versions.node}: ${line}`)
