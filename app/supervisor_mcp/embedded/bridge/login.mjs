// Whose session it is. PostgreSQL lets SET SESSION AUTHORIZATION through for a backend whose login
// was a superuser's, and this one's was. With the login's own role in that place, PostgreSQL itself
// keeps a session in its role, whatever the statement.

import { query } from './wire.mjs'

const SUPERUSER = 10
const [MONITOR, SETTINGS_READER] = [3373, 3374]
// Of the current, the outer and the session role, and of the login.
const [SESSION, LOGIN] = [8, 20]

export class Login {
  #memory
  #settings
  #at

  /**
   * @param {import('./memory.mjs').Memory} memory
   * @param {import('./settings.mjs').Settings} settings
   * @param {(bytes: Uint8Array) => unknown} run
   */
  constructor(memory, settings, run) {
    this.#memory = memory
    this.#settings = settings
    run(query('set session authorization pg_monitor'))
    run(query('set role pg_read_all_settings'))
    const roles = [SETTINGS_READER, SETTINGS_READER, MONITOR, 0, 0, SUPERUSER, 0, 1]
    this.#at = memory.find('roles', [SETTINGS_READER], (address) =>
      roles.every((role, i) => memory.word(address + i * 4) === role))
    run(query('reset role'))
    run(query('set session authorization postgres'))
  }

  /**
   * Make `user` the one that has logged in, inside a transaction; false if there is no such role.
   * @param {string} user
   */
  change(user) {
    this.#memory.setWord(this.#at + LOGIN, SUPERUSER)
    const changed = this.#settings.login(user)
    this.#memory.setWord(this.#at + LOGIN, this.#memory.word(this.#at + SESSION))
    return changed
  }
}
