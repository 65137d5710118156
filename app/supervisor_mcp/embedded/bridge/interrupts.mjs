// Reaches into a worker thread that is busy, through the inspector of this process.

import { Session } from 'node:inspector'

export class Interrupts {
  #session = new Session()
  /** @type {string | undefined} */
  #worker

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
    const params = { expression: `globalThis.bridge?.${name}(${id})` }
    // Nobody looks at the answer, so that calls need no numbers of their own.
    const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params })
    this.#session.post('NodeWorker.sendMessageToWorker', { sessionId: this.#worker, message })
  }
}
