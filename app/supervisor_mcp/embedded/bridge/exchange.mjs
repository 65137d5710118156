// What goes in and out of the WebAssembly server, in its thread. Results leave in chunks while
// they are made, and a COPY FROM STDIN waits for its data here.

import { receiveMessageOnPort } from 'node:worker_threads'

import { copyFail } from './wire.mjs'

const CHUNK_BYTES = 256 * 1024
/** A result that a client does not read stops the server when this much of it waits. */
export const UNSENT_LIMIT = 256 * 1024 * 1024
const LOOK_MS = 50
/** Indexes into the shared counters: pieces of COPY data sent here, bytes that clients have not taken. */
export const GIVEN = 0
export const UNSENT = 1

const [COPY_IN, READY] = [...'GZ'].map((letter) => letter.charCodeAt(0))
const ASIDES = new Set([...'NSA'].map((letter) => letter.charCodeAt(0)))
// The server reads these, and what belongs to a COPY, up to their end and no further.
const LAST = new Set([...'QEcfHS'].map((letter) => letter.charCodeAt(0)))
const COPY_MESSAGES = new Set([...'dcfHS'].map((letter) => letter.charCodeAt(0)))
const HEADER = 5
/** The length of a ReadyForQuery. */
export const READY_BYTES = 6
const NOTHING = new Uint8Array(0)

/** Follows a stream of messages from the server. */
class Position {
  #header = new DataView(new ArrayBuffer(HEADER))
  #had = 0
  #missing = 0
  #type = 0
  #last = 0
  /** Whether the server waits for the data of a COPY. */
  copying = false

  /** @param {Uint8Array} bytes */
  follow(bytes) {
    for (let at = 0; at < bytes.length; ) {
      if (this.#missing === 0) {
        this.#header.setUint8(this.#had, bytes[at])
        this.#had += 1
        at += 1
        if (this.#had < HEADER) continue
        this.#type = this.#header.getUint8(0)
        if (!ASIDES.has(this.#type)) this.copying = this.#type === COPY_IN
        this.#missing = this.#header.getInt32(1) - 4
        this.#had = 0
      }
      const passed = Math.min(this.#missing, bytes.length - at)
      at += passed
      this.#missing -= passed
      this.#last = bytes[at - 1]
    }
  }

  /** The transaction status where the last message is a ReadyForQuery. */
  get status() {
    return this.#type === READY ? String.fromCharCode(this.#last) : undefined
  }
}

/**
 * The server; the port to the main thread, and the one that brings COPY data; the counters that
 * both threads see; and the limit in force for a statement.
 * @typedef {object} Ends
 * @property {any} wasm
 * @property {import('node:worker_threads').MessagePort} port
 * @property {import('node:worker_threads').MessagePort} given
 * @property {Int32Array} shared
 * @property {() => number} timeoutMs
 */

export class Exchange {
  /** When the current statement began. */
  since = 0
  #ends
  /** @type {Uint8Array} */
  #input = NOTHING
  #read = 0
  #limit = 0
  #asked = 0
  #staged = new Uint8Array(CHUNK_BYTES)
  #size = 0
  #position = new Position()

  /** @param {Ends} ends */
  constructor(ends) {
    this.#ends = ends
    const { wasm } = ends
    // PGlite's own callbacks decode every row into JavaScript values; these pass bytes through.
    wasm._set_read_write_cbs(
      wasm.addFunction((/** @type {number} */ at, /** @type {number} */ room) => this.#give(at, room), 'iii'),
      wasm.addFunction((/** @type {number} */ at, /** @type {number} */ count) => this.#take(at, count), 'iii'),
    )
  }

  /**
   * Run frontend messages: the output that is not yet sent, and the transaction status where the
   * output ends with one.
   * @param {Uint8Array} bytes
   */
  run(bytes) {
    this.#replace(bytes)
    this.#position = new Position()
    Atomics.store(this.#ends.shared, UNSENT, 0)
    // It returns when it has read a message and nothing behind it.
    while (this.#read < this.#input.length) {
      this.#ends.wasm._interactive_one(this.#input.length - this.#read, this.#input[this.#read])
    }
    this.#replace(NOTHING)
    return { output: this.#unstaged(), status: this.#position.status }
  }

  /** @param {Uint8Array} bytes */
  #replace(bytes) {
    this.#input = bytes
    this.#read = 0
    this.#limit = 0
  }

  /**
   * The server reads.
   * @param {number} pointer
   * @param {number} room
   */
  #give(pointer, room) {
    if (this.#read === this.#limit) this.#advance()
    const count = Math.min(room, this.#limit - this.#read)
    this.#ends.wasm.HEAPU8.set(this.#input.subarray(this.#read, this.#read + count), pointer)
    this.#read += count
    return count
  }

  // A COPY that meets another message or the end of its input ends the server, and what is read
  // beyond its end lies there until the next run. So it reads up to the message that may begin a
  // COPY, and then up to the end of the data.
  #advance() {
    const { copying } = this.#position
    // The time limit of a COPY is for all of it.
    if (!copying) this.since = Date.now()
    if (this.#read === this.#input.length) this.#replace(copying ? this.#fetched() : NOTHING)
    else if (copying && !COPY_MESSAGES.has(this.#input[this.#read])) {
      const rest = this.#input.subarray(this.#read)
      this.#replace(Buffer.concat([copyFail('another message came before the end of the data'), rest]))
    }
    const view = new DataView(this.#input.buffer, this.#input.byteOffset, this.#input.byteLength)
    let at = this.#read
    while (at < view.byteLength) {
      const type = view.getUint8(at)
      if (copying && !COPY_MESSAGES.has(type)) break
      at += 1 + view.getInt32(at + 1)
      if (LAST.has(type)) break
    }
    this.#limit = at
  }

  // Blocks this thread, and so the server, until the client sends more or the time is up.
  #fetched() {
    const { port, given, shared, timeoutMs } = this.#ends
    const limit = timeoutMs() || Infinity
    this.#asked += 1
    port.postMessage({ output: this.#unstaged(), asks: this.#asked })
    for (;;) {
      const seen = Atomics.load(shared, GIVEN)
      const received = receiveMessageOnPort(given)
      // What was asked for earlier may come too late.
      if (received?.message.asked === this.#asked) return received.message.bytes
      const left = limit - (Date.now() - this.since)
      if (left <= 0) {
        port.postMessage({ withdraws: this.#asked })
        return copyFail('canceling statement due to statement timeout')
      }
      if (!received) Atomics.wait(shared, GIVEN, seen, left)
    }
  }

  /**
   * The server writes.
   * @param {number} pointer
   * @param {number} count
   */
  #take(pointer, count) {
    const bytes = this.#ends.wasm.HEAPU8.subarray(pointer, pointer + count)
    this.#position.follow(bytes)
    for (let at = 0; at < count; ) {
      if (this.#size === CHUNK_BYTES) this.#send()
      const part = bytes.subarray(at, at + CHUNK_BYTES - this.#size)
      this.#staged.set(part, this.#size)
      this.#size += part.length
      at += part.length
    }
    return count
  }

  // A result goes out while it is made, and waits for a client that takes it too slowly.
  #send() {
    const { port, shared } = this.#ends
    // A ReadyForQuery is never cut, so that something can be put before it.
    const kept = this.#staged.slice(this.#size - READY_BYTES, this.#size)
    this.#size -= READY_BYTES
    const output = this.#unstaged()
    this.#staged.set(kept)
    this.#size = READY_BYTES
    port.postMessage({ output }, [output.buffer])
    for (;;) {
      const unsent = Atomics.load(shared, UNSENT)
      if (unsent <= UNSENT_LIMIT) return
      Atomics.wait(shared, UNSENT, unsent, LOOK_MS)
    }
  }

  #unstaged() {
    const output = this.#staged.slice(0, this.#size)
    this.#size = 0
    Atomics.add(this.#ends.shared, UNSENT, output.length)
    return output
  }
}
