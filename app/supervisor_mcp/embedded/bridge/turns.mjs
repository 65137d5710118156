// First come, first served: one holder at a time.

export class Turns {
  #held = false
  /** @type {{ pass: (release: () => void) => void, patient: boolean }[]} */
  #waiting = []

  /** Whether somebody waits who is not patient. */
  get contended() {
    return this.#waiting.some(({ patient }) => !patient)
  }

  /**
   * Resolves with a function that gives the turn back; calling it twice is harmless.
   * @param {{ patient?: boolean }} [how] upkeep is patient: nobody notices that it waits
   * @returns {Promise<() => void>}
   */
  take({ patient = false } = {}) {
    if (!this.#held) {
      this.#held = true
      return Promise.resolve(this.#release())
    }
    return new Promise((pass) => this.#waiting.push({ pass, patient }))
  }

  #release() {
    let done = false
    return () => {
      if (done) return
      done = true
      const next = this.#waiting.shift()
      if (next) next.pass(this.#release())
      else this.#held = false
    }
  }
}
