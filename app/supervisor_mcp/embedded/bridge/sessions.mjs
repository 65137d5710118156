// The one session of the backend, which is one client's after another's. What a client has changed
// is read from PostgreSQL itself when another one comes, and put back when it returns.

import { Belongings, NOTHING } from './belongings.mjs'
import { Commits } from './commits.mjs'
import { Login } from './login.mjs'
import { differing, Settings } from './settings.mjs'
import { query, SYNC } from './wire.mjs'

// The one setting that PostgreSQL accepts outside a transaction whatever its value is.
const SIMPLE = 'application_name'

/**
 * Who a client is, as its startup message says; `setup` is the same for the same user and settings.
 * @typedef {{ id: number, user: string, settings: Record<string, string>, setup: string }} Opening
 */

export class Sessions {
  #settings
  #belongings
  #commits
  #login
  #run
  /** @type {Map<number, Opening>} */
  #openings = new Map()
  /**
   * What clients have that are not on.
   * @type {Map<number, { settings: import('./settings.mjs').Values, belongings: import('./belongings.mjs').Aside }>}
   */
  #aside = new Map()
  /** @type {Opening} */
  #current = { id: 0, user: '', settings: {}, setup: '' }

  /**
   * @param {any} wasm
   * @param {import('./memory.mjs').Memory} memory
   * @param {(bytes: Uint8Array) => unknown} run
   */
  constructor(wasm, memory, run) {
    this.#run = run
    this.#settings = new Settings(wasm, memory)
    // What is tried out here is not for the database's own event triggers.
    run(query('set event_triggers = off'))
    this.#belongings = new Belongings(wasm, memory, run)
    this.#commits = new Commits(wasm, memory, this.#belongings, run)
    this.#login = new Login(memory, this.#settings, run)
    this.#settings.reset()
  }

  /** Whether the client that is on has changed what only this process knows. */
  get changed() {
    return this.#settings.changed || this.#belongings.any
  }

  /** After a transaction: whether session locks had to be released. */
  release() {
    return this.#commits.release()
  }

  /** @param {Opening} opening of a client that is new */
  open(opening) {
    this.#openings.set(opening.id, opening)
  }

  /**
   * Let a client on; what of it cannot be put back, if anything.
   * @param {number} id
   */
  enter(id) {
    const before = this.#current
    const next = /** @type {Opening} */ (this.#openings.get(id))
    if (before.id === id) return undefined
    this.#leave()
    this.#current = next
    const aside = this.#aside.get(next.id)
    this.#aside.delete(next.id)
    if (aside) this.#belongings.giveBack(aside.belongings)
    if (before.setup === next.setup && !aside?.settings.length) return undefined
    const names = differing(before.settings, next.settings)
    if (before.user === next.user && !aside?.settings.length && names.every((name) => name === SIMPLE)) {
      this.#settings.start(before.settings, next.settings)
      // What PostgreSQL reports of it is nobody's.
      this.#run(SYNC)
      return undefined
    }
    this.#run(query('begin'))
    const role = before.user === next.user || this.#login.change(next.user) ? undefined : 'role'
    const started = this.#settings.start(before.settings, next.settings)
    const refused = role ?? started ?? this.#settings.restore(aside?.settings ?? [])
    // None of them then, so that nobody with the same settings is taken to have them.
    if (started) this.#settings.start(next.settings, before.settings)
    this.#run(query('commit'))
    if (role) this.#current = { ...next, user: before.user, setup: '' }
    if (started) this.#current = { ...this.#current, settings: before.settings, setup: '' }
    return refused
  }

  #leave() {
    const { id } = this.#current
    const settings = this.#settings.changed ? this.#settings.read() : []
    if (settings.length > 0) this.#reset()
    const belongings = this.#belongings.take()
    if (settings.length > 0 || belongings !== NOTHING) this.#aside.set(id, { settings, belongings })
  }

  // Roles can change inside a transaction only.
  #reset() {
    this.#run(query('begin'))
    this.#settings.reset()
    this.#run(query('commit'))
  }

  /**
   * Give up what a client has that is gone.
   * @param {number} id
   */
  drop(id) {
    this.#openings.delete(id)
    if (this.#current.id === id) {
      this.#leave()
      this.#current = { ...this.#current, id: 0 }
    }
    const aside = this.#aside.get(id)
    this.#aside.delete(id)
    if (!aside) return
    const mine = this.#belongings.take()
    this.#belongings.drop(aside.belongings)
    this.#belongings.giveBack(mine)
  }
}
