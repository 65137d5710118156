// What a client has sent and is not answered yet: batches of messages, and data for a COPY.

import { Batch, FLUSH } from './batch.mjs'
import { isCopyData } from './copy.mjs'
import { ProtocolViolation } from './wire.mjs'

const BATCH_LIMIT = 256 * 1024 * 1024
const QUEUE_LIMIT = 1_000

export class Incoming {
  #pause
  #batch = new Batch()
  /** @type {Batch[]} */
  #batches = []
  /**
   * The last batch that is not yet answered.
   * @type {Batch | undefined}
   */
  #last

  /** @param {() => void} pause is called when enough is waiting */
  constructor(pause) {
    this.#pause = pause
  }

  /**
   * Add a message; whether it ends a batch, undefined when it is skipped.
   * @param {Buffer} frame
   */
  add(frame) {
    if (this.#batch.frames.length === 0) {
      if (isCopyData(frame)) return this.#feed(frame)
      // psycopg ends a pipeline with Sync and Flush: what flushes nothing opens no transaction.
      if (frame[0] === FLUSH) return undefined
    }
    const batch = this.#batch
    const ended = batch.add(frame)
    if (batch.bytes > BATCH_LIMIT) {
      throw new ProtocolViolation(`more than ${BATCH_LIMIT} bytes before a Sync`, '54000')
    }
    if (ended) this.#queue(batch)
    return ended
  }

  /** The next batch to run, if there is one. */
  next() {
    return this.#batches.shift()
  }

  /** @param {Batch} batch */
  answered(batch) {
    if (this.#last === batch) this.#last = undefined
  }

  /** The client sends no more. */
  end() {
    this.#last?.copy.end('the connection ended')
  }

  /** @param {Batch} batch */
  #queue(batch) {
    this.#batch = new Batch()
    this.#last?.copy.end('another message came before the end of the data')
    this.#last = batch
    this.#batches.push(batch)
    if (this.#batches.length > QUEUE_LIMIT) this.#pause()
  }

  // After its COPY has failed, a client may still send data; the protocol says to skip it.
  /** @param {Buffer} frame */
  #feed(frame) {
    if (!this.#last) return undefined
    this.#last.copy.add(frame)
    if (this.#last.copy.full) this.#pause()
    return false
  }
}
