// The turn of one client: waiting for it, holding it, and how long others have waited meanwhile.

export class Turn {
  #turns
  /** @type {(() => void) | undefined} */
  #release
  /** @type {((turn: undefined) => void) | undefined} */
  #abandon
  /**
   * Since when others have waited for this client.
   * @type {number | undefined}
   */
  #awaited

  /** @param {import('./turns.mjs').Turns} turns */
  constructor(turns) {
    this.#turns = turns
  }

  /** Whether its client waits for it. */
  get awaits() {
    return this.#abandon !== undefined
  }

  get held() {
    return this.#release !== undefined
  }

  /** How many milliseconds others have waited for its end; undefined when nobody does. */
  get awaitedMs() {
    if (!this.#release || !this.#turns.contended) {
      this.#awaited = undefined
      return undefined
    }
    this.#awaited ??= Date.now()
    return Date.now() - this.#awaited
  }

  /** Wait for the turn; a wait that is abandoned ends without it. */
  async take() {
    const turn = this.#turns.take()
    const abandoned = new Promise((resolve) => {
      this.#abandon = resolve
    })
    this.#release = await Promise.race([turn, abandoned])
    this.#abandon = undefined
    if (!this.#release) turn.then((release) => release())
  }

  /** End the wait, if there is one. */
  abandon() {
    this.#abandon?.(undefined)
  }

  /** Pass the turn on. */
  yield() {
    this.#awaited = undefined
    this.#release?.()
    this.#release = undefined
  }
}
