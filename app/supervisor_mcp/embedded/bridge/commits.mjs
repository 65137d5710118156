// What would outlast its transaction and cannot be kept for one client among many, temporary
// objects and session advisory locks, fails its commit: PostgreSQL calls back before each one.

import { query } from './wire.mjs'

const [COMMIT, ABORT, PRE_COMMIT] = [0, 2, 5]
const ERROR = 21
// Of errcodes.h: 0A000, with six bits a letter.
const FEATURE_NOT_SUPPORTED = 0x440
// Of lock.h: where a local lock has its method and its owners, and how an owner is kept.
const [METHOD, OWNER_COUNT, OWNERS, OWNER] = [15, 40, 48, 16]
const ADVISORY = 2
// Of tablecmds.c and pg_list.h: what happens to a temporary table on commit.
const [LENGTH, ELEMENTS, ACTION] = [4, 12, 4]
const DROP = 3

// An object of the temporary schema depends on it, unless another object owns it.
const LASTING = `
  select from pg_catalog.pg_depend as it
  where it.refclassid operator(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
    and it.refobjid operator(pg_catalog.=) pg_catalog.pg_my_temp_schema()
    and not it.objid operator(pg_catalog.=) any ('{$}'::pg_catalog.oid[])
    and not exists (
      select from pg_catalog.pg_depend as owned
      where owned.classid operator(pg_catalog.=) it.classid
        and owned.objid operator(pg_catalog.=) it.objid
        and owned.deptype operator(pg_catalog.=) any ('{a,i}'::pg_catalog."char"[]))`

export const LOCKS = {
  message: 'session advisory locks are not supported by the embedded server',
  hint: 'Use pg_advisory_xact_lock(), which holds up to the end of a transaction, or use a native server.',
}
const OBJECTS = {
  message: 'temporary objects that outlast their transaction are not supported by the embedded server',
  hint: 'Create the table ON COMMIT DROP and use it in one transaction, or use a native server.',
}

export class Commits {
  #wasm
  #memory
  #belongings
  #run
  #locks
  #onCommit
  #objects
  #refused = false

  /**
   * @param {any} wasm
   * @param {import('./memory.mjs').Memory} memory
   * @param {import('./belongings.mjs').Belongings} belongings
   * @param {(bytes: Uint8Array) => unknown} run
   */
  constructor(wasm, memory, belongings, run) {
    this.#wasm = wasm
    this.#memory = memory
    this.#belongings = belongings
    this.#run = run
    this.#locks = belongings.table('LOCALLOCK hash')
    this.#onCommit = this.#findOnCommit()
    this.#objects = this.#counted
    wasm._RegisterXactCallback(wasm.addFunction((/** @type {number} */ event) => this.#called(event), 'vii'), 0)
  }

  /** Release session locks after a transaction; whether that takes the client by surprise. */
  release() {
    if (this.#wasm._hash_get_num_entries(this.#locks) === 0) return false
    this.#run(query('select pg_catalog.pg_advisory_unlock_all()'))
    const surprising = !this.#refused
    this.#refused = false
    return surprising
  }

  // PostgreSQL counts objects: what has not moved this counter has created none.
  get #counted() {
    return this.#memory.word(this.#memory.word(this.#wasm._TransamVariables))
  }

  /** @param {number} event */
  #called(event) {
    if (event === PRE_COMMIT) {
      if (this.#locked) {
        this.#refused = true
        this.#refuse(LOCKS)
      }
      if (this.#objects !== this.#counted && this.#lasting()) this.#refuse(OBJECTS)
    }
    if (event === COMMIT || event === ABORT) this.#objects = this.#counted
  }

  get #locked() {
    if (this.#wasm._hash_get_num_entries(this.#locks) === 0) return false
    const memory = this.#memory
    for (const lock of this.#belongings.entries(this.#locks)) {
      if (memory.byte(lock + METHOD) !== ADVISORY) continue
      const owners = memory.word(lock + OWNERS)
      for (let i = 0; i < memory.word(lock + OWNER_COUNT); i += 1) {
        if (memory.word(owners + i * OWNER) === 0) return true
      }
    }
    return false
  }

  #lasting() {
    const wasm = this.#wasm
    wasm._PushActiveSnapshot(wasm._GetTransactionSnapshot())
    wasm._SPI_connect()
    this.#memory.withTexts([LASTING.replace('$', this.#dropped().join(','))], (sql) => wasm._SPI_execute(sql, 0, 1))
    const count = this.#memory.word(wasm._SPI_processed)
    wasm._SPI_finish()
    wasm._PopActiveSnapshot()
    return count > 0
  }

  /** The tables that this commit drops. */
  #dropped() {
    const memory = this.#memory
    const list = memory.word(this.#onCommit)
    if (list === 0) return []
    const [count, elements] = [memory.word(list + LENGTH), memory.word(list + ELEMENTS)]
    const items = Array.from({ length: count }, (_, i) => memory.word(elements + i * 4))
    return items.filter((item) => memory.word(item + ACTION) === DROP).map((item) => memory.word(item))
  }

  /** @param {{ message: string, hint: string }} refusal */
  #refuse({ message, hint }) {
    const wasm = this.#wasm
    wasm._errstart(ERROR, 0)
    wasm._errcode(FEATURE_NOT_SUPPORTED)
    this.#memory.withTexts([message, hint], (text, advice) => {
      wasm._errmsg_internal(text, 0)
      wasm._errhint(advice, 0)
    })
    wasm._errfinish(0, 0, 0)
  }

  #findOnCommit() {
    const memory = this.#memory
    this.#run(query('begin read write; create temp table probe () on commit drop'))
    const last = this.#counted
    const found = memory.findPointer('temporary tables', ELEMENTS + 4, (value) => {
      if (memory.word(value + LENGTH) !== 1) return false
      const elements = memory.word(value + ELEMENTS)
      if (!memory.plausible(elements, 4)) return false
      const item = memory.word(elements)
      if (!memory.plausible(item, ACTION + 4) || memory.word(item + ACTION) !== DROP) return false
      // Its number is one of the last that were given out.
      return last - memory.word(item) > 0 && last - memory.word(item) < 16
    })
    this.#run(query('rollback'))
    return found
  }
}
