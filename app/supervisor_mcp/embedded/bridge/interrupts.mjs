// Reaches into a worker thread that is busy, through the inspector of this process.

import { Session } from 'node:inspector'

export class Interrupts {
  #session = new Session()
  /** @type {string | undefined} */
  #worker
  #sequence = 0

  constructor() {
    this.#session.connect()
    this.#session.on('NodeWorker.attachedToWorker', ({ params }) => {
      this.#worker = params.sessionId
    })
    this.#session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  }

  /**
   * Call `globalThis.bridge.<name>(id)` in the newest worker without waiting for the answer.
   * @param {'interrupt' | 'tick'} name
   * @param {number} id
   */
  call(name, id) {
    this.#sequence += 1
    const params = { expression: `globalThis.bridge?.${name}(${id})` }
    const message = JSON.stringify({ id: this.#sequence, method: 'Runtime.evaluate', params })
    this.#session.post('NodeWorker.sendMessageToWorker', { sessionId: this.#worker, message })
  }
}
