// First come, first served: one holder at a time.

export class Turns {
  #held = false
  /** @type {((release: () => void) => void)[]} */
  #waiting = []

  /**
   * Resolves with a function that gives the turn back; calling it twice is harmless.
   * @returns {Promise<() => void>}
   */
  take() {
    if (!this.#held) {
      this.#held = true
      return Promise.resolve(this.#release())
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #release() {
    let done = false
    return () => {
      if (done) return
      done = true
      const next = this.#waiting.shift()
      if (next) next(this.#release())
      else this.#held = false
    }
  }
}
