// The thread of the backend: its start, and what passes between it and the main thread.

import { setFlagsFromString } from 'node:v8'
import { MessageChannel, Worker } from 'node:worker_threads'

import { GIVEN, UNSENT } from './exchange.mjs'

// Node.js optimizes a function of WebAssembly after some use. By its default that happens to all
// that a start runs through, which costs more than the start itself.
setFlagsFromString('--wasm-tiering-budget=50000000')

/**
 * `started` gets the first message of a start, `hear` those after it; `ended` gets the reason when
 * the thread is gone.
 * @typedef {object} Listener
 * @property {(first: any) => void} started
 * @property {(message: any) => void} hear
 * @property {(error: Error) => void} ended
 */

export class Thread {
  #where
  #listener
  /** @type {Worker | undefined} */
  #worker
  #shared = new Int32Array(new SharedArrayBuffer(8))
  #given = new MessageChannel().port1

  /**
   * @param {import('./postgres.mjs').Where} where
   * @param {Listener} listener
   */
  constructor(where, listener) {
    this.#where = where
    this.#listener = listener
  }

  /** Start the thread, in place of one that has ended. */
  start() {
    const { started, hear, ended } = this.#listener
    const { port1, port2 } = new MessageChannel()
    const worker = new Worker(new URL('./engine.mjs', import.meta.url), {
      workerData: { ...this.#where, given: port2, shared: this.#shared },
      transferList: [port2],
    })
    this.#worker = worker
    this.#given = port1
    worker.once('message', (first) => {
      started(first)
      worker.on('message', hear)
    })
    worker.on('error', ended)
    worker.on('exit', (code) => {
      // After an error the next worker may have begun.
      if (worker === this.#worker) ended(new Error(`exit ${code}`))
    })
  }

  /** @param {object} message */
  post(message) {
    this.#worker?.postMessage(message)
  }

  /**
   * Give the data that it asked for, for which it waits.
   * @param {number} asked
   * @param {Uint8Array} bytes
   */
  give(asked, bytes) {
    this.#given.postMessage({ asked, bytes })
    Atomics.add(this.#shared, GIVEN, 1)
    Atomics.notify(this.#shared, GIVEN)
  }

  /**
   * So many bytes of its answer are out of this process.
   * @param {number} bytes
   */
  sent(bytes) {
    Atomics.sub(this.#shared, UNSENT, bytes)
    Atomics.notify(this.#shared, UNSENT)
  }

  /** End it, whatever it does. */
  terminate() {
    this.#worker?.terminate()
  }

  /** End it after what it does; resolves when it is gone. */
  async close() {
    const worker = /** @type {Worker} */ (this.#worker)
    const gone = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage(null)
    await gone
  }
}
