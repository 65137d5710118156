// What a client is sent, and how long it may take to read it.

import { UNSENT_LIMIT } from './exchange.mjs'
import { errorResponse } from './wire.mjs'

const LINGER_MS = 1_000

export class Outgoing {
  #socket
  #stallMs
  #partial = false

  /**
   * @param {import('node:net').Socket} socket
   * @param {number} stallSeconds a client that takes nothing for so long, while the server waits for
   * it, is disconnected
   */
  constructor(socket, stallSeconds) {
    this.#socket = socket
    this.#stallMs = stallSeconds * 1000
    socket.on('timeout', () => {
      socket.setTimeout(0)
      if (socket.writableLength > UNSENT_LIMIT) socket.destroy()
    })
  }

  /**
   * Send a piece of an answer, and call `sent` when it is out.
   * @param {Uint8Array} output
   * @param {() => void} sent
   * @param {boolean} partial whether the piece may end within a message
   */
  send(output, sent, partial) {
    this.#partial = partial
    this.#socket.write(output, sent)
    if (this.#socket.writableLength > UNSENT_LIMIT) this.#socket.setTimeout(this.#stallMs)
  }

  /** Resolves when the client has taken what was sent, or is gone. */
  async drained() {
    if (!this.#socket.writableNeedDrain) return
    await new Promise((resolve) => {
      this.#socket.once('drain', resolve)
      this.#socket.once('close', resolve)
    })
  }

  /**
   * End the connection with a FATAL error.
   * @param {{ sqlstate: string, message: string, detail?: string, hint?: string }} error
   */
  end(error) {
    // Within a message, an error would be taken for a part of it.
    if (this.#partial) {
      this.#socket.destroy()
      return
    }
    this.#socket.end(errorResponse({ severity: 'FATAL', ...error }))
    // A client that does not read must not keep its socket.
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
  }
}
