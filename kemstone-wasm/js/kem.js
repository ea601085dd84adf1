// What users see, over the functions of WebAssembly: index.js and node.js say where those come from. index.d.ts is its
// documentation.

// FIPS 203, section 8, table 3: bytes of an encapsulation key, of an expanded decapsulation key and of a ciphertext.
const SETS = {
  MlKem512: ['ML-KEM-512', 800, 1632, 768],
  MlKem768: ['ML-KEM-768', 1184, 2400, 1088],
  MlKem1024: ['ML-KEM-1024', 1568, 3168, 1568],
}
const SEED_SIZE = 64
const SHARED_SECRET_SIZE = 32

// (module (func (result v128) (i8x16.splat (i32.const 0)))): a runtime without 128-bit vectors finds it invalid.
const USES_VECTORS = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  1, 5, 1, 0x60, 0, 1, 0x7b,
  3, 2, 1, 0,
  10, 8, 1, 6, 0, 0x41, 0, 0xfd, 15, 0x0b,
])

// The type and the length of an array of bytes, of another window's as well, and whatever a subclass says of itself.
const { prototype } = Object.getPrototypeOf(Uint8Array)
const typeOf = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag).get
const lengthOf = Object.getOwnPropertyDescriptor(prototype, 'length').get

/**
 * Checks what a caller passes.
 * @param {Uint8Array} bytes
 * @param {number} size
 * @param {string} what
 */
function check(bytes, size, what) {
  if (typeOf.call(bytes) !== 'Uint8Array') throw new TypeError(`${what} is a Uint8Array`)
  const length = lengthOf.call(bytes)
  if (length !== size) throw new RangeError(`${what} has ${size} bytes, not ${length}`)
}

// The parameter set of this name over the functions of a build.
function parameterSet(glue, id) {
  const [name, ekSize, dkSize, ctSize] = SETS[id]
  const { [`${id}DecapsulationKey`]: RawDecapsulationKey, [`${id}EncapsulationKey`]: RawEncapsulationKey } = glue
  const [rawGenerate, rawEncapsulate, rawDecapsulate] = ['GenerateExpanded', 'Encapsulate', 'Decapsulate'].map((call) => glue[id + call])
  const ek = `an encapsulation key of ${name}`
  const dk = `an expanded decapsulation key of ${name}`
  const ct = `a ciphertext of ${name}`

  // What holds memory of WebAssembly's.
  class Owner {
    #raw
    constructor(raw) {
      this.#raw = raw
    }
    static raw(owner) {
      const raw = owner.#raw
      if (raw === undefined) throw new Error('the key has been freed')
      return raw
    }
    free() {
      this.#raw?.free()
      this.#raw = undefined
    }
  }

  class DecapsulationKey extends Owner {
    encapsulationKey() {
      const bytes = new Uint8Array(ekSize)
      Owner.raw(this).encapsulationKey(bytes)
      return bytes
    }
    seed() {
      const bytes = new Uint8Array(SEED_SIZE)
      return Owner.raw(this).seed(bytes) ? bytes : undefined
    }
    expanded() {
      const bytes = new Uint8Array(dkSize)
      Owner.raw(this).expanded(bytes)
      return bytes
    }
    decapsulate(ciphertext) {
      const raw = Owner.raw(this)
      check(ciphertext, ctSize, ct)
      const sharedSecret = new Uint8Array(SHARED_SECRET_SIZE)
      raw.decapsulate(ciphertext, sharedSecret)
      return sharedSecret
    }
  }

  class EncapsulationKey extends Owner {
    encapsulate() {
      const raw = Owner.raw(this)
      const ciphertext = new Uint8Array(ctSize)
      const sharedSecret = new Uint8Array(SHARED_SECRET_SIZE)
      raw.encapsulate(ciphertext, sharedSecret)
      return { ciphertext, sharedSecret }
    }
  }

  return Object.freeze({
    name,
    ENCAPSULATION_KEY_SIZE: ekSize,
    DECAPSULATION_KEY_SIZE: dkSize,
    CIPHERTEXT_SIZE: ctSize,
    SEED_SIZE,
    SHARED_SECRET_SIZE,
    generate: () => new DecapsulationKey(RawDecapsulationKey.generate()),
    generateExpanded() {
      const encapsulationKey = new Uint8Array(ekSize)
      const expanded = new Uint8Array(dkSize)
      rawGenerate(encapsulationKey, expanded)
      return { encapsulationKey, expanded }
    },
    fromSeed(seed) {
      check(seed, SEED_SIZE, 'a seed')
      return new DecapsulationKey(RawDecapsulationKey.fromSeed(seed))
    },
    fromExpanded(expanded) {
      check(expanded, dkSize, dk)
      return new DecapsulationKey(RawDecapsulationKey.fromExpanded(expanded))
    },
    prepare(encapsulationKey) {
      check(encapsulationKey, ekSize, ek)
      return new EncapsulationKey(RawEncapsulationKey.fromBytes(encapsulationKey))
    },
    encapsulate(encapsulationKey) {
      check(encapsulationKey, ekSize, ek)
      const ciphertext = new Uint8Array(ctSize)
      const sharedSecret = new Uint8Array(SHARED_SECRET_SIZE)
      rawEncapsulate(encapsulationKey, ciphertext, sharedSecret)
      return { ciphertext, sharedSecret }
    },
    decapsulate(expanded, ciphertext) {
      check(expanded, dkSize, dk)
      check(ciphertext, ctSize, ct)
      const sharedSecret = new Uint8Array(SHARED_SECRET_SIZE)
      rawDecapsulate(expanded, ciphertext, sharedSecret)
      return sharedSecret
    },
  })
}

/**
 * The function `load` over two builds, each with the module that wasm-bindgen wrote and the bytes of WebAssembly or their address.
 * @param {Record<string, () => Promise<[any, any]>>} builds
 */
export function loader(builds) {
  const loaded = new Map()

  async function build(backend, wasm) {
    const [glue, found] = await builds[backend]()
    await glue.default({ module_or_path: wasm ?? found() })
    if (glue.backend() !== backend) throw new Error(`this is the build for ${glue.backend()}, not for ${backend}`)
    const sets = Object.keys(SETS).map((id) => [id, parameterSet(glue, id)])
    return Object.freeze({ backend, ...Object.fromEntries(sets) })
  }

  return function load({ backend, wasm } = {}) {
    backend ??= WebAssembly.validate(USES_VECTORS) ? 'simd128' : 'portable'
    if (!Object.hasOwn(builds, backend)) return Promise.reject(new RangeError(`there is no backend ${backend}`))
    if (!loaded.has(backend)) {
      const promise = build(backend, wasm)
      // A file that did not arrive may the next time.
      promise.catch(() => loaded.delete(backend))
      loaded.set(backend, promise)
    }
    return loaded.get(backend)
  }
}
