// For browsers, workers and bundlers, which find the files by these expressions.
import { loader } from './kem.js'

export const load = loader({
  portable: async () => [
    await import('./portable/kemstone.js'),
    () => new URL('./portable/kemstone.wasm', import.meta.url),
  ],
  simd128: async () => [
    await import('./simd128/kemstone.js'),
    () => new URL('./simd128/kemstone.wasm', import.meta.url),
  ],
})
