// The messages of a client up to the one that asks for an answer, and what they do to the session.

import { CopyData } from './copy.mjs'
import { inspect, raise } from './statements.mjs'
import * as wire from './wire.mjs'

const [QUERY, PARSE, SYNC, CALL, CLOSE] = [...'QPSFC'].map((letter) => letter.charCodeAt(0))
export const FLUSH = 'H'.charCodeAt(0)
const ENDS = new Set([QUERY, SYNC, FLUSH, CALL])
const STATEMENT = SYNC

export class Batch {
  /** @type {Buffer[]} */
  frames = []
  bytes = 0
  leavesState = false
  resets = false
  /**
   * What the batch does to the named statements of the session, in order.
   * @type {import('./session.mjs').PreparedChange[]}
   */
  prepared = []
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
    return this.frames.at(-1)?.[0] === FLUSH
  }

  /** Whether the batch ends with a Sync, up to which messages are skipped after an error. */
  get syncs() {
    return this.frames.at(-1)?.[0] === SYNC
  }

  /**
   * Frames with SQL are looked at: a refused statement is replaced by one that raises, so that
   * the server itself does the rest of error handling.
   * @param {Buffer} frame
   */
  #examined(frame) {
    const type = frame[0]
    if (type === CLOSE && frame[5] === STATEMENT) this.prepared.push({ drop: wire.cstringAt(frame, 6) })
    if (type !== QUERY && type !== PARSE) return frame
    const name = type === PARSE ? wire.cstringAt(frame, 5) : ''
    const sql = wire.sqlOf(frame)
    const { refusal, leavesState, resets } = inspect(sql)
    if (refusal) return type === QUERY ? wire.query(raise(refusal)) : wire.parse(name, raise(refusal))
    if (leavesState || name) this.leavesState = true
    if (resets) this.resets = true
    if (/\b(?:deallocate|discard)\b/i.test(sql)) this.prepared.push({ dropAll: true })
    if (name) this.prepared.push({ name, frame })
    return frame
  }
}
