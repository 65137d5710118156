import assert from 'node:assert/strict'
import { test } from 'node:test'

import { PostgreSql } from './postgresql.mjs'
import { Login } from '../../../app/supervisor_mcp/embedded/bridge/login.mjs'

const ROLES = 460
const [CURRENT, OUTER, SESSION, LOGIN] = [0, 4, 8, 20].map((offset) => ROLES + offset)
const [SUPERUSER, MONITOR, SETTINGS_READER] = [10, 3373, 3374]
const USERS = { me: 16_500, postgres: SUPERUSER }

function begun() {
  const server = new PostgreSql()
  const { memory } = server
  const asked = []
  server.set(LOGIN, SUPERUSER)
  const be = (role) => [CURRENT, OUTER, SESSION].forEach((at) => server.set(at, role))
  be(SUPERUSER)
  server.set(ROLES + 28, 1)
  const statements = {
    'set session authorization pg_monitor': () => be(MONITOR),
    'set role pg_read_all_settings': () => {
      for (const at of [CURRENT, OUTER, 600]) server.set(at, SETTINGS_READER)
    },
    'reset role': () => be(memory.word(SESSION)),
    'set session authorization postgres': () => be(SUPERUSER),
  }
  const run = (bytes) => {
    const sql = bytes.subarray(5, -1).toString()
    asked.push(sql)
    statements[sql]()
  }
  const settings = {
    login: (user) => {
      // PostgreSQL lets a superuser change, and nobody else.
      assert.equal(memory.word(LOGIN), SUPERUSER)
      if (!(user in USERS)) return false
      be(USERS[user])
      return true
    },
  }
  return { made: new Login(memory, settings, run), server, asked, memory }
}

test('where roles are is found with roles that nobody has, which are left again', () => {
  const { asked, memory } = begun()
  assert.equal(asked.length, 4)
  assert.deepEqual([CURRENT, OUTER, SESSION, LOGIN].map((at) => memory.word(at)), [10, 10, 10, 10])
})

test('who has logged in cannot become another, and the next login can', () => {
  const { made, memory } = begun()
  const roles = () => [CURRENT, OUTER, SESSION, LOGIN].map((at) => memory.word(at))
  for (const [user, role] of Object.entries(USERS)) {
    assert.equal(made.change(user), true)
    assert.deepEqual(roles(), [role, role, role, role])
  }
})

test('a login that does not exist changes nothing', () => {
  const { made, memory } = begun()
  made.change('me')
  assert.equal(made.change('nobody'), false)
  assert.equal(memory.word(LOGIN), USERS.me)
})
