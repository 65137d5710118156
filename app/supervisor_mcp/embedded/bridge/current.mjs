// Whose session the backend is in, and what its thread has yet to learn of sessions.

/** @typedef {import('./session.mjs').Session} Session */

export class Current {
  /** @type {Session | undefined} */
  #session
  /**
   * Sessions that have ended and may have left something behind.
   * @type {number[]}
   */
  #gone = []
  /**
   * Sessions that have something which only the backend knows.
   * @type {Set<Session>}
   */
  #changed = new Set()
  /** Sessions that the thread knows. */
  #known = new WeakSet()

  /**
   * What the thread has to know when the turn passes to another session: who that is, at its
   * first time, and who has left. No transaction is open then.
   * @param {Session} session
   */
  pass(session) {
    if (session === this.#session) return {}
    this.#session = session
    const opening = this.#known.has(session) ? undefined : session.opening
    this.#known.add(session)
    const gone = this.#gone.length > 0 ? this.#gone : undefined
    this.#gone = []
    return { session: session.id, opening, gone }
  }

  /**
   * Whether the current session has something which only the backend knows.
   * @param {boolean} changed
   */
  note(changed) {
    const session = /** @type {Session} */ (this.#session)
    if (changed) this.#changed.add(session)
    else this.#changed.delete(session)
  }

  /** The backend is in no session. */
  leave() {
    this.#session = undefined
  }

  /**
   * A session has ended.
   * @param {Session} session
   */
  forget(session) {
    this.#changed.delete(session)
    this.#gone.push(session.id)
  }

  /** The backend starts again, and what only it knew is lost. */
  reset() {
    this.#session = undefined
    this.#gone = []
    this.#known = new WeakSet()
    for (const session of this.#changed) session.lost = true
    this.#changed.clear()
  }
}
