import assert from 'node:assert/strict'
import { test } from 'node:test'

import { CURSORS, LAST_SEQUENCE, PostgreSql, PREPARED, SEQUENCES, UNNAMED } from './postgresql.mjs'
import { Belongings, NOTHING } from '../../../app/supervisor_mcp/embedded/bridge/belongings.mjs'

const CLEAR = 'close all; deallocate all; discard sequences'
const PLAN_SOURCE = 195_726_186
const VARIABLES = { prepared: PREPARED, unnamed: UNNAMED, cursors: CURSORS, sequences: SEQUENCES, lastSequence: LAST_SEQUENCE }

/** A server with a client that has nothing. */
function begun() {
  const server = new PostgreSql()
  const asked = []
  server.set(CURSORS, server.table('Portal hash'))
  const clear = () => {
    for (const table of [PREPARED, CURSORS].map((at) => server.memory.word(at))) if (table) server.tables.set(table, [])
    for (const at of [SEQUENCES, LAST_SEQUENCE]) server.set(at, 0)
  }
  const answers = {
    'prepare probe as select 1': () => server.set(PREPARED, server.table('Prepared Queries', 8)),
    "begin read write; create temp sequence probe; select nextval('pg_temp.probe')": () => {
      const sequence = server.allocate(4)
      server.set(SEQUENCES, server.table('Sequence values', 8, sequence))
      server.set(LAST_SEQUENCE, sequence)
    },
    [`rollback; ${CLEAR}`]: clear,
    [CLEAR]: clear,
    'select 20110903': () => {
      const text = server.memory.copy('select 20110903')
      server.set(UNNAMED, server.words(PLAN_SOURCE, 0, text))
      // What points to something else.
      server.set(800, server.words(PLAN_SOURCE + 1, 0, text))
      server.set(804, server.words(PLAN_SOURCE, 0, server.memory.copy('select 1')))
    },
  }
  const run = (bytes) => {
    const sql = bytes.subarray(bytes[0] === 80 ? 6 : 5, bytes.indexOf(0, 6)).toString()
    asked.push(sql)
    answers[sql]()
  }
  const made = new Belongings(server.wasm, server.memory, run)
  server.set(UNNAMED, 0)
  asked.length = 0
  const words = () => Object.fromEntries(Object.entries(VARIABLES).map(([name, at]) => [name, server.memory.word(at)]))
  const put = (has) => Object.entries(has).forEach(([name, value]) => server.set(VARIABLES[name], value))
  return { made, server, asked, words, put, empty: words() }
}

const KINDS = {
  prepared: (server) => ({ prepared: server.table('Prepared Queries', 8) }),
  unnamed: (server) => ({ unnamed: server.allocate(4) }),
  cursors: (server) => ({ cursors: server.table('Portal hash', 8, 16) }),
  sequences: (server) => ({ sequences: server.table('Sequence values', 8), lastSequence: 8 }),
}

test('who has nothing leaves nothing', () => {
  const { made, words, empty, asked } = begun()
  assert.equal(made.any, false)
  assert.equal(made.take(), NOTHING)
  assert.deepEqual(words(), empty)
  made.giveBack(NOTHING)
  made.drop(NOTHING)
  assert.deepEqual([words(), asked], [empty, []])
})

test('empty tables are nothing, and stay', () => {
  const { made, server, words, put } = begun()
  put({ sequences: server.table('Sequence values') })
  const before = words()
  assert.equal(made.take(), NOTHING)
  const unnamed = server.allocate(4)
  put({ unnamed })
  assert.deepEqual(made.take(), { ...NOTHING, unnamed })
  assert.deepEqual(words(), before)
})

for (const [kind, has] of Object.entries(KINDS)) {
  test(`what a client has goes with it and comes back: ${kind}`, () => {
    const { made, server, words, put, empty, asked } = begun()
    const given = has(server)
    put(given)
    assert.equal(made.any, kind === 'prepared' || kind === 'cursors')
    const aside = made.take()
    assert.deepEqual(aside, { ...NOTHING, ...given })
    const left = words()
    assert.deepEqual({ ...left, cursors: 0 }, { ...empty, prepared: kind === 'prepared' ? 0 : empty.prepared, cursors: 0 })
    assert.equal(made.any, false)
    assert.deepEqual(server.entries(left.cursors), [])
    const tables = server.tables.size
    made.giveBack(aside)
    assert.deepEqual(words(), { ...left, ...given })
    // The empty table that it replaces is given back.
    assert.equal(server.tables.size, kind === 'cursors' ? tables - 1 : tables)
    assert.equal(server.tables.has(left.cursors), kind !== 'cursors')
    assert.deepEqual(asked, [])
  })
}

test('an empty table gives way to any that comes back', () => {
  const { made, server, words, put, empty } = begun()
  const aside = { ...NOTHING, ...KINDS.prepared(server), ...KINDS.cursors(server), ...KINDS.sequences(server) }
  put({ sequences: server.table('Sequence values') })
  const replaced = words()
  made.giveBack(aside)
  assert.deepEqual(words(), aside)
  for (const table of [empty.prepared, empty.cursors, replaced.sequences]) assert.equal(server.tables.has(table), false)
})

test('what is dropped is closed by the server', () => {
  const { made, server, asked, words } = begun()
  const given = KINDS.prepared(server)
  made.drop({ ...NOTHING, ...given })
  assert.deepEqual(asked, [CLEAR])
  assert.equal(words().prepared, given.prepared)
  assert.equal(made.any, false)
})

test('a table is found by its title, where its memory context is one of a table', () => {
  const { made, server } = begun()
  const table = server.table('wanted')
  server.table('other')
  server.context(0)
  // Of something else with this name, which does not refer to it.
  server.allocate(48)
  server.context(server.memory.copy('wanted'))
  assert.equal(made.table('wanted'), table)
  assert.equal(made.table('none'), 0)
})

test('entries are read to the end, or the table is let go', () => {
  const { made, server } = begun()
  const table = server.table('any', 8, 16, 24)
  assert.deepEqual([...made.entries(table)], [8, 16, 24])
  assert.equal(server.scans.size, 0)
  for (const entry of made.entries(table)) if (entry === 16) break
  assert.equal(server.scans.size, 0)
})
