// The settings of a session, read from PostgreSQL's own list of what differs from the defaults
// and set by its own functions: no statement can change one without being seen.

// Of guc.h in PostgreSQL 17: where a `struct config_generic` keeps what, and its constants.
const [NAME, SOURCE, NEXT, LINK, VARIABLE] = [0, 32, 68, 64, 92]
const SUSET = 5
const [COMMAND_LINE, CLIENT, OVERRIDE, SESSION] = [4, 9, 10, 13]
const ACTION_SET = 0
const QUIETLY = 10

// PGlite's command line has other defaults: messages at debug, no sequential scans.
const DEFAULTS = {
  client_min_messages: 'notice',
  log_min_messages: 'warning',
  allow_system_table_mods: 'off',
  enable_seqscan: 'on',
  search_path: '"$user", public',
  timezone: 'UTC',
}
// It starts a sequence of random numbers, which goes on for everyone, and nothing resets it.
const NOT_KEPT = 'seed'

/** @typedef {[name: string, value: string][]} Values */

export class Settings {
  #wasm
  #memory
  #list
  /**
   * Defaults of the settings that a startup message has ever named.
   * @type {Map<string, string>}
   */
  #defaults = new Map()

  /**
   * @param {any} wasm
   * @param {import('./memory.mjs').Memory} memory
   */
  constructor(wasm, memory) {
    this.#wasm = wasm
    this.#memory = memory
    this.#set('application_name', 'probe', SESSION)
    const variable = memory.find('settings', [wasm._application_name], (address) =>
      memory.holds(memory.word(address - VARIABLE), 'application_name'))
    // A setting that has just left its default is the last one, whose next is the list itself.
    this.#list = memory.word(variable - VARIABLE + NEXT)
    this.reset()
    for (const [name, value] of Object.entries(DEFAULTS)) this.#set(name, value, COMMAND_LINE)
  }

  /** Whether a setting has been changed in this session. */
  get changed() {
    // Looked at after every transaction, so without the generator.
    const memory = this.#memory
    let link = memory.word(this.#list + NEXT - LINK)
    while (link !== this.#list && !this.#isChanged(link - LINK)) link = memory.word(link - LINK + NEXT)
    return link !== this.#list
  }

  /**
   * What has been changed in this session.
   * @returns {Values}
   */
  read() {
    // PostgreSQL lists session_authorization, whose change ends SET ROLE, before role.
    return [...this.#changed()].map((name) => [name, this.#value(name)])
  }

  /** Bring everything back to what the session started with. */
  reset() {
    for (const name of [...this.#changed()]) this.#set(name, 0, SESSION)
  }

  /**
   * Change settings as SET does; the name of one that is refused.
   * @param {Values} values
   */
  restore(values) {
    return values.find(([name, value]) => !this.#set(name, value, SESSION))?.[0]
  }

  /**
   * Replace the settings of one startup message by those of another; the name of one refused.
   * @param {Record<string, string>} before
   * @param {Record<string, string>} after
   */
  start(before, after) {
    const refused = differing(before, after).filter((name) => {
      if (!this.#defaults.has(name)) this.#defaults.set(name, this.#value(name))
      return !this.#set(name, after[name] ?? this.#defaults.get(name), CLIENT)
    })
    return refused[0]
  }

  /** @param {string} user */
  login(user) {
    return this.#set('session_authorization', user, OVERRIDE)
  }

  *#changed() {
    const memory = this.#memory
    for (let link = memory.word(this.#list + NEXT - LINK); link !== this.#list; link = memory.word(link + NEXT - LINK)) {
      const setting = link - LINK
      if (this.#isChanged(setting)) yield memory.text(memory.word(setting + NAME)) ?? ''
    }
  }

  /** @param {number} setting */
  #isChanged(setting) {
    const memory = this.#memory
    return memory.word(setting + SOURCE) === SESSION && !memory.holds(memory.word(setting + NAME), NOT_KEPT)
  }

  /** @param {string} name */
  #value(name) {
    return this.#memory.withTexts([name], (pointer) =>
      this.#memory.text(this.#wasm._GetConfigOption(pointer, 1, 0)) ?? '')
  }

  /**
   * @param {string} name
   * @param {string | 0} value 0 for what the session started with
   * @param {number} source
   */
  #set(name, value, source) {
    return this.#memory.withTexts(value === 0 ? [name] : [name, value], (pointer, text = 0) =>
      this.#wasm._set_config_option(pointer, text, SUSET, source, ACTION_SET, 1, QUIETLY, 0) !== 0)
  }
}

/**
 * The names under which `one` and `other` have different values.
 * @param {Record<string, string>} one
 * @param {Record<string, string>} other
 */
export function differing(one, other) {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => one[name] !== other[name])
}
