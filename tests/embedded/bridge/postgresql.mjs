// Memory of a WebAssembly server with hash tables, as PostgreSQL has them.

import assert from 'node:assert/strict'

import { Memory } from '../../../app/supervisor_mcp/embedded/bridge/memory.mjs'

const SIZE = 256 * 1024
// Beyond the globals.
const HEAP = 128 * 1024
// Globals.
export const [PREPARED, UNNAMED, CURSORS, SEQUENCES, LAST_SEQUENCE, CONTEXT] = [400, 404, 408, 412, 416, 420]

export class PostgreSql {
  tables = new Map()
  /** Hash tables that are being read, by the address of the scan. */
  scans = new Map()
  #free = HEAP

  constructor() {
    const HEAPU8 = new Uint8Array(SIZE)
    this.wasm = {
      HEAPU8,
      HEAPU32: new Uint32Array(HEAPU8.buffer),
      _InterruptPending: 4_096,
      _TopMemoryContext: CONTEXT,
      _malloc: (bytes) => this.allocate(bytes),
      _free: () => {},
      _hash_get_num_entries: (table) => this.entries(table).length,
      _hash_seq_init: (scan, table) => this.scans.set(scan, [...this.entries(table)]),
      _hash_seq_search: (scan) => {
        const entry = this.scans.get(scan).shift() ?? 0
        if (entry === 0) this.scans.delete(scan)
        return entry
      },
      _hash_seq_term: (scan) => assert.ok(this.scans.delete(scan)),
      _hash_destroy: (table) => assert.ok(this.tables.delete(table)),
      _hash_create: (title, size, control, flags) => {
        assert.deepEqual([size, this.memory.word(control + 16), this.memory.word(control + 20), flags], [16, 64, 68, 0x18])
        return this.table(this.memory.text(title))
      },
    }
    this.memory = new Memory(this.wasm)
    this.set(CONTEXT, this.allocate(40))
  }

  allocate(bytes) {
    const address = this.#free
    this.#free += Math.ceil(bytes / 4) * 4
    assert.ok(this.#free < SIZE)
    return address
  }

  set(address, value) {
    this.memory.setWord(address, value)
  }

  entries(table) {
    assert.ok(this.tables.has(table), `${table} is no table`)
    return this.tables.get(table)
  }

  /** Allocated words. */
  words(...values) {
    const address = this.allocate(values.length * 4)
    values.forEach((value, i) => this.set(address + i * 4, value))
    return address
  }

  /** A memory context, the first one, with a name; 0 is none. */
  context(name) {
    const top = this.memory.word(CONTEXT)
    const context = this.allocate(40)
    this.set(context + 36, name)
    this.set(context + 28, this.memory.word(top + 20))
    this.set(top + 20, context)
  }

  /** A hash table with entries at these addresses. */
  table(title, ...entries) {
    const table = this.allocate(48)
    const name = this.memory.copy(title)
    this.set(table + 28, name)
    this.context(name)
    this.tables.set(table, entries)
    return table
  }
}
