// What PostgreSQL keeps for its one session in tables of its own: prepared statements, open
// cursors, and the last values of sequences. Each client has its own tables, which come back by
// setting the variables that point to them.

import { query, parse, SYNC } from './wire.mjs'

// Of dynahash.c: the size of a table's head, where that has its name, and of hash_create().
const [HEAD, TITLE] = [48, 28]
const [KEY_SIZE, ENTRY_SIZE, CONTROL] = [16, 20, 48]
const ELEMENTS_BY_TEXT = 0x18
const SCAN = 64
// Of portalmem.c: the name of a cursor, and a pointer.
const CURSOR_NAME = 64
// Of memutils.h and plancache.h.
const [FIRST_CHILD, NEXT_CHILD, IDENTIFIER] = [20, 28, 36]
const [PLAN_SOURCE, QUERY_STRING] = [195_726_186, 8]

const PROBE = 'select 20110903'
const CLEAR = 'close all; deallocate all; discard sequences'

/**
 * Addresses of what a client has; 0 is nothing.
 * @typedef {{ prepared: number, unnamed: number, cursors: number, sequences: number, lastSequence: number }} Aside
 */

/** @type {Aside} */
export const NOTHING = { prepared: 0, unnamed: 0, cursors: 0, sequences: 0, lastSequence: 0 }

export class Belongings {
  #wasm
  #memory
  #run
  #scan
  #control
  #title
  #prepared
  #unnamed
  #cursors
  #sequences
  #lastSequence

  /**
   * @param {any} wasm
   * @param {import('./memory.mjs').Memory} memory
   * @param {(bytes: Uint8Array) => unknown} run
   */
  constructor(wasm, memory, run) {
    this.#wasm = wasm
    this.#memory = memory
    this.#run = run
    this.#scan = memory.zeros(SCAN)
    this.#control = memory.zeros(CONTROL)
    memory.setWord(this.#control + KEY_SIZE, CURSOR_NAME)
    memory.setWord(this.#control + ENTRY_SIZE, CURSOR_NAME + 4)
    this.#title = memory.copy('Portal hash')
    run(query('prepare probe as select 1'))
    run(query("begin read write; create temp sequence probe; select nextval('pg_temp.probe')"))
    const [prepared, cursors, sequences] = ['Prepared Queries', 'Portal hash', 'Sequence values'].map((title) => this.table(title))
    this.#prepared = memory.find('prepared statements', [prepared])
    this.#cursors = memory.find('cursors', [cursors])
    this.#sequences = memory.find('sequences', [sequences])
    this.#lastSequence = memory.find('last sequence', this.entries(sequences))
    run(query(`rollback; ${CLEAR}`))
    run(Buffer.concat([parse('', PROBE), SYNC]))
    this.#unnamed = memory.findPointer('unnamed statement', QUERY_STRING + 4, (value) =>
      memory.word(value) === PLAN_SOURCE && memory.holds(memory.word(value + QUERY_STRING), PROBE))
  }

  /** Whether there is something that a crash would take away. */
  get any() {
    return this.#count(this.#prepared) + this.#count(this.#cursors) > 0
  }

  /**
   * Put aside what is there, and leave nothing.
   * @returns {Aside}
   */
  take() {
    const unnamed = this.#exchange(this.#unnamed, 0)
    if (!unnamed && !this.any && this.#count(this.#sequences) === 0) return NOTHING
    const aside = { ...NOTHING, unnamed }
    if (this.#count(this.#prepared) > 0) aside.prepared = this.#exchange(this.#prepared, 0)
    if (this.#count(this.#cursors) > 0) aside.cursors = this.#exchange(this.#cursors, this.#newCursors())
    if (this.#count(this.#sequences) > 0) {
      aside.sequences = this.#exchange(this.#sequences, 0)
      aside.lastSequence = this.#exchange(this.#lastSequence, 0)
    }
    return aside
  }

  /**
   * Bring back what was put aside; nothing may be there.
   * @param {Aside} aside
   */
  giveBack(aside) {
    this.#memory.setWord(this.#unnamed, aside.unnamed)
    this.#replace(this.#prepared, aside.prepared)
    this.#replace(this.#cursors, aside.cursors)
    this.#replace(this.#sequences, aside.sequences)
    this.#memory.setWord(this.#lastSequence, aside.lastSequence)
  }

  /**
   * Give up what was put aside; nothing may be there.
   * @param {Aside} aside
   */
  drop(aside) {
    if (aside === NOTHING) return
    this.giveBack(aside)
    this.#run(query(CLEAR))
  }

  /**
   * The entries of one of PostgreSQL's hash tables.
   * @param {number} table
   */
  *entries(table) {
    let entry = 0
    this.#wasm._hash_seq_init(this.#scan, table)
    try {
      while ((entry = this.#wasm._hash_seq_search(this.#scan)) !== 0) yield entry
    } finally {
      if (entry !== 0) this.#wasm._hash_seq_term(this.#scan)
    }
  }

  /**
   * The hash table with this title, as its memory context has it; 0 if there is none.
   * @param {string} title
   */
  table(title) {
    const memory = this.#memory
    const top = memory.word(this.#wasm._TopMemoryContext)
    for (let at = memory.word(top + FIRST_CHILD); at; at = memory.word(at + NEXT_CHILD)) {
      const name = memory.word(at + IDENTIFIER)
      if (name && memory.word(name - HEAD + TITLE) === name && memory.holds(name, title)) return name - HEAD
    }
    return 0
  }

  /** @param {number} variable */
  #count(variable) {
    const table = this.#memory.word(variable)
    return table === 0 ? 0 : this.#wasm._hash_get_num_entries(table)
  }

  #newCursors() {
    return this.#wasm._hash_create(this.#title, 16, this.#control, ELEMENTS_BY_TEXT)
  }

  /**
   * @param {number} variable
   * @param {number} value
   */
  #exchange(variable, value) {
    const before = this.#memory.word(variable)
    this.#memory.setWord(variable, value)
    return before
  }

  /**
   * Put a table in the place of an empty one, if there is one to put.
   * @param {number} variable
   * @param {number} table
   */
  #replace(variable, table) {
    if (table === 0) return
    const empty = this.#exchange(variable, table)
    if (empty !== 0) this.#wasm._hash_destroy(empty)
  }
}
