// The data of a COPY FROM STDIN between a client that sends it and a server that asks for it.

import { copyFail } from './wire.mjs'

/** So much is held for a server that is not ready for it; then the client has to wait. */
const HELD_BYTES = 8 * 1024 * 1024
const TYPES = new Set([...'dcf'].map((letter) => letter.charCodeAt(0)))

/** @param {Buffer} frame */
export const isCopyData = (frame) => TYPES.has(frame[0])

export class CopyData {
  /** @type {Buffer[]} */
  #frames = []
  #bytes = 0
  /** @type {((bytes: Uint8Array) => void) | undefined} */
  #asked
  /** @type {Buffer | undefined} */
  #end

  /** Whether the server waits for the client. */
  get wanted() {
    return this.#asked !== undefined
  }

  /** Whether the client has to wait for the server. */
  get full() {
    return this.#bytes >= HELD_BYTES
  }

  /** @param {Buffer} frame */
  add(frame) {
    if (this.#end) return
    this.#frames.push(frame)
    this.#bytes += frame.length
    // What came together goes on together.
    queueMicrotask(() => this.#answer())
  }

  /**
   * No data comes any more: a COPY that asks for it fails, and `reason` is in its error.
   * @param {string} reason
   */
  end(reason) {
    this.#end ??= copyFail(reason)
    this.#answer()
  }

  /**
   * The next piece, when there is one.
   * @returns {Promise<Uint8Array>}
   */
  more() {
    return new Promise((resolve) => {
      this.#asked = resolve
      this.#answer()
    })
  }

  #answer() {
    if (!this.#asked) return
    const piece = this.#frames.length > 0 ? Buffer.concat(this.#frames, this.#bytes) : this.#end
    if (!piece) return
    this.#frames = []
    this.#bytes = 0
    const answer = this.#asked
    this.#asked = undefined
    answer(piece)
  }
}
