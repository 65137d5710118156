import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Session } from '../../../app/supervisor_mcp/embedded/bridge/session.mjs'

const settings = (parameters) => new Session(parameters).settings

test('a session has an id of its own', () => {
  const first = new Session().id
  assert.equal(new Session().id, first + 1)
  assert.ok(first > 0)
  assert.equal(new Session().lost, false)
})

test('a session is of the superuser if nothing else is said', () => {
  assert.equal(new Session().user, 'postgres')
  assert.equal(new Session({ user: 'me' }).user, 'me')
})

test('parameters that are not settings are left out', () => {
  assert.deepEqual(
    settings({ user: 'me', database: 'd', replication: 'r', options: '', '_pq_.x': 'x', TimeZone: 'UTC' }),
    { TimeZone: 'UTC' },
  )
})

test('settings in the options are read as PostgreSQL reads them', () => {
  for (const [options, expected] of [
    ['-c a=1', { a: '1' }],
    ['-ca=1  --b-c=2\t-c  d=e=f', { a: '1', b_c: '2', d: 'e=f' }],
    [String.raw`-c a=it's\ me -c b=\\ -c c=x\y`, { a: "it's me", b: '\\', c: 'xy' }],
    ['-c a=\\\n', { a: '\n' }],
    ['-c', { '': '' }],
    ['-c a', { a: '' }],
    ['a-c=1', { a_c: '1' }],
  ]) {
    assert.deepEqual(settings({ options }), expected)
  }
  assert.deepEqual(settings({ options: '-c a=1', a: '2' }), { a: '2' })
})

test('a client that asks for UTF-8 in any of its names asks for nothing', () => {
  for (const name of ['UTF8', 'utf-8', 'Unicode', 'auto']) assert.deepEqual(settings({ client_encoding: name }), {})
  for (const name of ['LATIN1', 'UTF8x', 'xUTF8', 'UTF-16']) assert.deepEqual(settings({ client_encoding: name }), { client_encoding: name })
})

test('sessions with the same user and settings have the same setup', () => {
  const one = new Session({ user: 'me', a: '1' })
  const { id, user, settings: own, setup } = one.opening
  assert.deepEqual([id, user, own], [one.id, 'me', { a: '1' }])
  assert.equal(new Session({ user: 'me', a: '1' }).opening.setup, setup)
  assert.notEqual(new Session({ user: 'you', a: '1' }).opening.setup, setup)
  assert.notEqual(new Session({ user: 'me', a: '2' }).opening.setup, setup)
})

test('the trial of a session takes its role, then its settings', () => {
  assert.equal(
    new Session({ user: 'a"b"', 'my.own': "it's 'x'", b: '1' }).trial,
    `set session authorization "a""b"""; select pg_catalog.set_config('my.own', 'it''s ''x''', false); `
      + `select pg_catalog.set_config('b', '1', false)`,
  )
})

test('only a superuser without settings needs no trial', () => {
  assert.equal(new Session().plain, true)
  assert.equal(new Session({ application_name: 'a' }).plain, true)
  assert.equal(new Session({ application_name: 'a', a: '1' }).plain, false)
  assert.equal(new Session({ user: 'me' }).plain, false)
})

test('the role is looked up by its name', () => {
  assert.equal(new Session({ user: "o'b" }).roleQuery, "select rolsuper from pg_catalog.pg_roles where rolname = 'o''b'")
})
