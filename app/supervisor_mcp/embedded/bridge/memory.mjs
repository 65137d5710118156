// The memory of the WebAssembly server: words, texts, and the places of its variables.

export class Memory {
  #wasm
  #globals

  /** @param {any} wasm */
  constructor(wasm) {
    this.#wasm = wasm
    // Globals end shortly after this one; further up, the stack and the heap hold copies.
    this.#globals = wasm._InterruptPending + 65_536
  }

  /** @param {number} address */
  word(address) {
    return this.#wasm.HEAPU32[address >> 2]
  }

  /**
   * @param {number} address
   * @param {number} value
   */
  setWord(address, value) {
    this.#wasm.HEAPU32[address >> 2] = value
  }

  /** @param {number} address */
  byte(address) {
    return this.#wasm.HEAPU8[address]
  }

  /**
   * The text at an address; undefined for the null pointer.
   * @param {number} address
   */
  text(address) {
    if (address === 0) return undefined
    const bytes = this.#wasm.HEAPU8
    return Buffer.from(bytes.buffer, address, bytes.indexOf(0, address) - address).toString()
  }

  /**
   * Whether there is the text `expected` at an address, which may be anything.
   * @param {number} address
   * @param {string} expected
   */
  holds(address, expected) {
    const wanted = Buffer.from(`${expected}\0`)
    if (address === 0) return false
    return wanted.equals(this.#wasm.HEAPU8.subarray(address, address + wanted.length))
  }

  /**
   * Call `use` with the address of a copy of each text.
   * @template T
   * @param {string[]} texts
   * @param {(...addresses: number[]) => T} use
   * @returns {T}
   */
  withTexts(texts, use) {
    const copies = texts.map((text) => this.copy(text))
    try {
      return use(...copies)
    } finally {
      for (const copy of copies) this.#wasm._free(copy)
    }
  }

  /**
   * A copy of a text that stays.
   * @param {string} text
   * @returns {number}
   */
  copy(text) {
    const bytes = Buffer.from(`${text}\0`)
    const address = this.#wasm._malloc(bytes.length)
    this.#wasm.HEAPU8.set(bytes, address)
    return address
  }

  /**
   * Room for `bytes` zeros that stays.
   * @param {number} bytes
   * @returns {number}
   */
  zeros(bytes) {
    const address = this.#wasm._malloc(bytes)
    this.#wasm.HEAPU8.fill(0, address, address + bytes)
    return address
  }

  /**
   * The addresses of the globals that are `value`.
   * @param {number} value
   */
  places(value) {
    // Byte by byte: this is native code, and a loop over words takes longer.
    const globals = Buffer.from(this.#wasm.HEAPU8.buffer, 0, this.#globals)
    const wanted = Buffer.from(Uint32Array.of(value).buffer)
    const places = []
    for (let at = globals.indexOf(wanted); at >= 0; at = globals.indexOf(wanted, at + 1)) {
      if (at % 4 === 0) places.push(at)
    }
    return places
  }

  /**
   * The address of the one global that is one of `values` and whose address `fits`; throws when
   * there is none or another.
   * @param {string} name
   * @param {Iterable<number>} values
   * @param {(address: number) => boolean} [fits]
   */
  find(name, values, fits = () => true) {
    return only(name, [...values].flatMap((value) => this.places(value)).filter(fits))
  }

  /**
   * The address of the one global that points to allocated memory, which is beyond the globals, with
   * a structure of `bytes` bytes that `fits`; throws when there is none or another.
   * @param {string} name
   * @param {number} bytes
   * @param {(value: number) => boolean} fits
   */
  findPointer(name, bytes, fits) {
    const words = this.#wasm.HEAPU32.subarray(0, this.#globals >> 2)
    const last = this.#wasm.HEAPU8.length - bytes
    const found = []
    for (let i = 0; i < words.length; i += 1) {
      const value = words[i]
      if (value > this.#globals && value <= last && value % 4 === 0 && fits(value)) found.push(i << 2)
    }
    return only(name, found)
  }

  /**
   * Whether `address` can be one of a structure of `bytes` bytes.
   * @param {number} address
   * @param {number} bytes
   */
  plausible(address, bytes) {
    return address >= 1024 && address % 4 === 0 && address + bytes <= this.#wasm.HEAPU8.length
  }
}

/**
 * @param {string} name
 * @param {number[]} found
 */
function only(name, found) {
  if (found.length !== 1) throw new Error(`this build of PGlite keeps its ${name} elsewhere`)
  return found[0]
}
