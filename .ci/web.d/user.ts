// What a user writes, for the compiler of TypeScript alone.
import { load, type Backend, type DecapsulationKey, type Encapsulated, type Kemstone, type ParameterSet } from 'kemstone'

const kemstone: Kemstone = await load()
const backend: Backend = (await load({ backend: 'portable', wasm: new Uint8Array(8) })).backend
const sets: ParameterSet[] = [kemstone.MlKem512, kemstone.MlKem768, kemstone.MlKem1024]
for (const set of sets) {
  const key: DecapsulationKey = set.generate()
  const seed: Uint8Array | undefined = key.seed()
  const { ciphertext, sharedSecret }: Encapsulated = set.encapsulate(key.encapsulationKey())
  const same: Uint8Array = key.decapsulate(ciphertext)
  const again: Uint8Array = set.decapsulate(key.expanded(), ciphertext)
  const pair: { encapsulationKey: Uint8Array, expanded: Uint8Array } = set.generateExpanded()
  const sizes: number = set.ENCAPSULATION_KEY_SIZE + set.DECAPSULATION_KEY_SIZE + set.CIPHERTEXT_SIZE + set.SEED_SIZE + set.SHARED_SECRET_SIZE
  const prepared = set.prepare(key.encapsulationKey())
  const more: Encapsulated = prepared.encapsulate()
  prepared.free()
  set.fromExpanded(key.expanded()).free()
  if (seed) set.fromSeed(seed).free()
  key.free()
  void [sharedSecret, same, pair, again, sizes, more, set.name, backend]

  // What it must refuse. An error that is none is an error.
  // @ts-expect-error
  set.fromSeed('text')
  // @ts-expect-error
  set.fromSeed(key.seed())
  // @ts-expect-error
  set.decapsulate(ciphertext)
  // @ts-expect-error
  set.name = 'another'
}
// @ts-expect-error
await load({ backend: 'avx2' })
// @ts-expect-error
await load({ wasm: 8 })
// @ts-expect-error
load().MlKem768
