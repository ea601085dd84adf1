/** What one backend offers: the three parameter sets of FIPS 203, section 8. */
export interface Kemstone {
  /** The build that serves: with 128-bit vectors, or for every runtime. */
  readonly backend: Backend
  readonly MlKem512: ParameterSet
  readonly MlKem768: ParameterSet
  readonly MlKem1024: ParameterSet
}

export type Backend = 'simd128' | 'portable'

export interface LoadOptions {
  /** The build to load. By default `simd128` where the runtime has 128-bit vectors. */
  backend?: Backend
  /**
   * WebAssembly of that build: bytes, a `WebAssembly.Module`, an address as a string or a `URL`, a `Response`, or a promise of one. By
   * default the file beside the module. It counts for the first call with this backend only.
   */
  wasm?: object | string
}

/**
 * Loads a build, once: later calls give the same object. It rejects if the file cannot be had or compiled.
 *
 * ```js
 * import { load } from 'kemstone'
 *
 * const { MlKem768 } = await load()
 * const key = MlKem768.generate()
 * const { ciphertext, sharedSecret } = MlKem768.encapsulate(key.encapsulationKey())
 * const same = key.decapsulate(ciphertext)
 * key.free()
 * ```
 */
export function load(options?: LoadOptions): Promise<Kemstone>

/**
 * One parameter set. An argument that is no `Uint8Array` throws a `TypeError`, one of the wrong length a `RangeError`; an `Error` says
 * `invalid encapsulation key`, `invalid decapsulation key` or `no randomness available`.
 */
export interface ParameterSet {
  /** In the standard: `ML-KEM-768`, for example. */
  readonly name: string
  /** Bytes of an encapsulation key: 800, 1184 or 1568. */
  readonly ENCAPSULATION_KEY_SIZE: number
  /** Bytes of an expanded decapsulation key: 1632, 2400 or 3168. */
  readonly DECAPSULATION_KEY_SIZE: number
  /** Bytes of a ciphertext: 768, 1088 or 1568. */
  readonly CIPHERTEXT_SIZE: number
  /** Bytes of a seed: 64, for every set. */
  readonly SEED_SIZE: number
  /** Bytes of a shared secret: 32. */
  readonly SHARED_SECRET_SIZE: number

  /** A new key, of `crypto.getRandomValues` (FIPS 203, Algorithm 19). */
  generate(): DecapsulationKey
  /** Both halves of a new key as bytes, for software that keeps keys so. With `decapsulate` below it needs no object. */
  generateExpanded(): ExpandedPair
  /** The key of the 64 bytes d || z (Algorithm 16). Every seed is valid. */
  fromSeed(seed: Uint8Array): DecapsulationKey
  /** The key of its expanded form. Throws `invalid decapsulation key` if a check of section 7.3 fails. */
  fromExpanded(expanded: Uint8Array): DecapsulationKey
  /**
   * A secret for the owner of a key, and what to send (Algorithm 20). Throws `invalid encapsulation key` if the check of section 7.2
   * fails.
   */
  encapsulate(encapsulationKey: Uint8Array): Encapsulated
  /** An encapsulation key for many encapsulations, checked likewise. */
  prepare(encapsulationKey: Uint8Array): EncapsulationKey
  /**
   * As `fromExpanded`, `decapsulate` and `free`, in less time. For an expanded key that is used once.
   */
  decapsulate(expanded: Uint8Array, ciphertext: Uint8Array): Uint8Array
}

/** What `generateExpanded` returns. */
export interface ExpandedPair {
  /** The public half, to be sent. */
  encapsulationKey: Uint8Array
  /** The private key in its expanded form. */
  expanded: Uint8Array
}

/** What `encapsulate` returns. */
export interface Encapsulated {
  /** For the owner of the key. */
  ciphertext: Uint8Array
  /** 32 bytes, to be kept. */
  sharedSecret: Uint8Array
}

/**
 * A private key in WebAssembly's memory, with what it computes once for all ciphertexts. Every method but `free` throws after `free`.
 * Arrays that methods return are copies in JavaScript's memory, and wiping them is the caller's.
 */
export interface DecapsulationKey {
  /** The public half, to be sent. */
  encapsulationKey(): Uint8Array
  /** The 64 bytes to store, or `undefined` for a key of the expanded form. */
  seed(): Uint8Array | undefined
  /** The expanded form, for software that knows no seeds. */
  expanded(): Uint8Array
  /** The secret of a ciphertext (Algorithm 21). One that was not made for this key gives another secret, and no error. */
  decapsulate(ciphertext: Uint8Array): Uint8Array
  /** Wipes the key and gives its memory back. Without it that happens when the object is collected, or never. */
  free(): void
}

/** A public key in WebAssembly's memory, with what it computes once. */
export interface EncapsulationKey {
  /** As `ParameterSet.encapsulate`. */
  encapsulate(): Encapsulated
  /** Gives its memory back. */
  free(): void
}
