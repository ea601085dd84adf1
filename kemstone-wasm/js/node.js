// For Node.js, whose fetch reads no files.
import { readFile } from 'node:fs/promises'

import { loader } from './kem.js'

export const load = loader({
  portable: async () => [
    await import('./portable/kemstone.js'),
    () => readFile(new URL('./portable/kemstone.wasm', import.meta.url)),
  ],
  simd128: async () => [
    await import('./simd128/kemstone.js'),
    () => readFile(new URL('./simd128/kemstone.wasm', import.meta.url)),
  ],
})
