// The messages of a client up to the one that asks for an answer.

import { CopyData } from './copy.mjs'
import { raise, refused } from './statements.mjs'
import * as wire from './wire.mjs'

const [QUERY, PARSE, SYNC, CALL] = [...'QPSF'].map((letter) => letter.charCodeAt(0))
export const FLUSH = 'H'.charCodeAt(0)
const ENDS = new Set([QUERY, SYNC, FLUSH, CALL])

export class Batch {
  /** @type {Buffer[]} */
  frames = []
  bytes = 0
  /** What the client sends after the batch for a COPY in it. */
  copy = new CopyData()

  /**
   * Add a message; whether it ends the batch.
   * @param {Buffer} frame
   */
  add(frame) {
    const examined = this.#examined(frame)
    this.frames.push(examined)
    this.bytes += examined.length
    return ENDS.has(frame[0])
  }

  /** Whether the batch ends with a Flush, which leaves its transaction open. */
  get flushes() {
    return this.#last === FLUSH
  }

  /** Whether the batch ends with a Sync, up to which messages are skipped after an error. */
  get syncs() {
    return this.#last === SYNC
  }

  /** The type of its last message. */
  get #last() {
    return this.frames[this.frames.length - 1][0]
  }

  /**
   * Frames with SQL are looked at: a refused statement is replaced by one that raises, so that
   * the server itself does the rest of error handling.
   * @param {Buffer} frame
   */
  #examined(frame) {
    const type = frame[0]
    if (type !== QUERY && type !== PARSE) return frame
    const refusal = refused(wire.sqlOf(frame))
    if (!refusal) return frame
    return type === QUERY ? wire.query(raise(refusal)) : wire.parse(wire.cstringAt(frame, 5), raise(refusal))
  }
}
