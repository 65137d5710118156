import assert from 'node:assert/strict'
import { test } from 'node:test'

import { PostgreSql } from './postgresql.mjs'
import { Commits } from '../../../app/supervisor_mcp/embedded/bridge/commits.mjs'

const [COMMIT, PARALLEL_COMMIT, ABORT, PREPARE, PRE_COMMIT] = [0, 1, 2, 4, 5]
const [ON_COMMIT, PROCESSED, VARIABLES] = [440, 444, 448]
const [DROP, DELETE] = [3, 2]
const OWNER_WORDS = 4
const PROBED = 16_500
const LOCKS = {
  level: 21,
  code: 0x440,
  message: 'session advisory locks are not supported by the embedded server',
  hint: 'Use pg_advisory_xact_lock(), which holds up to the end of a transaction, or use a native server.',
}
const OBJECTS = {
  level: 21,
  code: 0x440,
  message: 'temporary objects that outlast their transaction are not supported by the embedded server',
  hint: 'Create the table ON COMMIT DROP and use it in one transaction, or use a native server.',
}

/** A list of what happens to tables on commit, of pairs of a table and an action. */
function listed(server, ...pairs) {
  const elements = server.words(...pairs.map(([table, action]) => server.words(table, action)))
  // Something else comes before it.
  return server.words(1, 0, pairs.length, 0, elements) + 4
}

/** Lists that are not the one with the probe, each for one reason. */
function decoys(server) {
  const right = () => server.words(server.words(PROBED - 1, DROP))
  return [
    listed(server, [PROBED - 1, DROP], [PROBED - 1, DROP]),
    server.words(0, 1, 0, right() + 2),
    server.words(0, 1, 0, server.words(server.words(PROBED - 1, DROP) + 2)),
    listed(server, [PROBED - 1, DELETE]),
    listed(server, [PROBED, DROP]),
    listed(server, [PROBED + 1, DROP]),
    listed(server, [PROBED - 16, DROP]),
    listed(server, [PROBED - 100, DROP]),
  ]
}

function begun() {
  const server = new PostgreSql()
  const asked = []
  const locks = server.table('LOCALLOCK hash')
  const counter = server.words(PROBED)
  server.set(VARIABLES, counter)
  // The null pointer is no list, whatever is there.
  server.set(4, DROP)
  const lasting = []
  let looked = 0
  let error
  Object.assign(server.wasm, {
    _TransamVariables: VARIABLES,
    _SPI_processed: PROCESSED,
    addFunction: (callback, signature) => {
      assert.equal(signature, 'vii')
      return callback
    },
    _RegisterXactCallback: (callback) => (server.called = callback),
    _GetTransactionSnapshot: () => 77,
    _PushActiveSnapshot: (snapshot) => asked.push(`push ${snapshot}`),
    _PopActiveSnapshot: () => asked.push('pop'),
    _SPI_connect: () => asked.push('connect'),
    _SPI_finish: () => asked.push('finish'),
    _SPI_execute: (sql, readOnly, most) => {
      assert.deepEqual([readOnly, most], [0, 1])
      asked.push(`dropped ${/any \('(.*)'::pg_catalog\.oid/.exec(server.memory.text(sql))[1]}`)
      server.set(PROCESSED, lasting.shift() ?? 0)
    },
    _errstart: (level) => (error = { level }),
    _errcode: (code) => (error.code = code),
    _errmsg_internal: (text) => (error.message = server.memory.text(text)),
    _errhint: (text) => (error.hint = server.memory.text(text)),
    _errfinish: () => {
      throw error
    },
  })
  const belongings = {
    table: (title) => (title === 'LOCALLOCK hash' ? locks : 0),
    entries: (table) => {
      looked += 1
      return server.entries(table)
    },
  }
  const run = (bytes) => {
    const sql = bytes.subarray(5, -1).toString()
    asked.push(sql)
    if (sql.includes('probe')) {
      server.set(ON_COMMIT, listed(server, [PROBED - 1, DROP]))
      decoys(server).forEach((list, i) => server.set(500 + i * 4, list))
    }
    if (sql === 'rollback') {
      server.set(ON_COMMIT, 0)
      server.set(counter, PROBED + 8)
    }
    if (sql.includes('unlock_all')) server.tables.set(locks, [])
  }
  const made = new Commits(server.wasm, server.memory, belongings, run)
  assert.deepEqual(asked, ['begin read write; create temp table probe () on commit drop', 'rollback'])
  asked.length = 0
  return {
    made,
    asked,
    lasting,
    looked: () => looked,
    /** An event of a transaction; the error that it raises, if any. */
    event: (event) => {
      try {
        server.called(event, 0)
        return undefined
      } catch (raised) {
        return raised
      }
    },
    /** A new object of the database. */
    create: () => server.set(counter, server.memory.word(counter) + 1),
    onCommit: (...pairs) => server.set(ON_COMMIT, listed(server, ...pairs)),
    /** Locks that are held, each by the owners with these numbers; 0 is the session. */
    hold: (...held) => {
      const entries = held.map(([method, ...owners]) => {
        const words = server.words(9, 9, 9, 9, ...owners.flatMap((owner) => [owner, 9, 9, 9]), 0)
        const lock = server.words(...Array.from({ length: 3 }, () => 0x09090909), method << 24, ...Array.from({ length: 6 }, () => 9))
        server.allocate(16)
        server.set(lock + 40, owners.length)
        server.set(lock + 48, words + OWNER_WORDS * 4)
        return lock
      })
      server.tables.set(locks, entries)
    },
  }
}

test('a transaction without locks and new objects commits, and nothing is looked at', () => {
  const { made, event, asked, looked } = begun()
  for (const each of [PRE_COMMIT, COMMIT]) assert.equal(event(each), undefined)
  assert.equal(made.release(), false)
  assert.deepEqual([asked, looked()], [[], 0])
})

test('a commit that would keep a session advisory lock fails, and the lock is released', () => {
  for (const held of [[[2, 0]], [[2, 5, 0]], [[1, 0], [2, 5, 7, 0]]]) {
    const { made, event, hold, asked } = begun()
    hold(...held)
    assert.deepEqual(event(PRE_COMMIT), LOCKS)
    assert.equal(event(ABORT), undefined)
    assert.equal(made.release(), false)
    assert.deepEqual(asked, ['select pg_catalog.pg_advisory_unlock_all()'])
    assert.equal(made.release(), false)
    assert.equal(asked.length, 1)
  }
})

test('a lock that a rollback leaves is released, which takes the client by surprise', () => {
  const { made, event, hold, asked } = begun()
  for (const round of [1, 2]) {
    hold([2, 0])
    assert.equal(event(ABORT), undefined)
    assert.equal(made.release(), true)
    assert.equal(asked.length, round)
  }
  hold([2, 0])
  event(PRE_COMMIT)
  assert.equal(made.release(), false)
  hold([2, 0])
  assert.equal(made.release(), true)
})

test('locks of a transaction, and those of tables, do not keep it from its commit', () => {
  const { event, hold } = begun()
  for (const held of [[[2, 5]], [[2, 5, 7]], [[2]], [[1, 0]], [[1, 0], [2, 5]]]) {
    hold(...held)
    assert.equal(event(PRE_COMMIT), undefined)
  }
})

test('locks are looked at before a commit only', () => {
  const { event, hold } = begun()
  hold([2, 0])
  for (const each of [COMMIT, PARALLEL_COMMIT, ABORT, PREPARE]) assert.equal(event(each), undefined)
})

test('a commit that would keep a temporary object fails', () => {
  const { event, create, lasting, asked } = begun()
  create()
  lasting.push(1)
  assert.deepEqual(event(PRE_COMMIT), OBJECTS)
  assert.deepEqual(asked, ['push 77', 'connect', 'dropped {}', 'finish', 'pop'])
})

test('tables that the commit drops are not looked for', () => {
  const { event, create, onCommit, asked } = begun()
  create()
  onCommit([7, DROP], [8, DELETE], [9, DROP])
  assert.equal(event(PRE_COMMIT), undefined)
  assert.deepEqual(asked, ['push 77', 'connect', 'dropped {7,9}', 'finish', 'pop'])
})

test('objects are looked for until the transaction that has created some is over', () => {
  for (const end of [COMMIT, ABORT]) {
    const { event, create, asked } = begun()
    const looks = () => asked.filter((each) => each === 'connect').length
    create()
    for (const each of [PRE_COMMIT, PARALLEL_COMMIT, PREPARE, PRE_COMMIT]) event(each)
    assert.equal(looks(), 2)
    for (const each of [end, PRE_COMMIT]) event(each)
    assert.equal(looks(), 2)
    create()
    event(PRE_COMMIT)
    assert.equal(looks(), 3)
  }
})
