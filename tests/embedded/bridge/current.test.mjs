import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Current } from '../../../app/supervisor_mcp/embedded/bridge/current.mjs'
import { Session } from '../../../app/supervisor_mcp/embedded/bridge/session.mjs'

const sessions = (count) => Array.from({ length: count }, () => new Session())

test('the thread hears of a session when it is another one, and who it is at its first time', () => {
  const current = new Current()
  const [one, other] = sessions(2)
  assert.deepEqual(current.pass(one), { session: one.id, opening: one.opening, gone: undefined })
  assert.deepEqual(current.pass(one), {})
  assert.deepEqual(current.pass(other), { session: other.id, opening: other.opening, gone: undefined })
  assert.deepEqual(current.pass(one), { session: one.id, opening: undefined, gone: undefined })
  current.leave()
  assert.deepEqual(current.pass(one), { session: one.id, opening: undefined, gone: undefined })
})

test('the thread hears once of sessions that have ended', () => {
  const current = new Current()
  const [one, other, third] = sessions(3)
  current.pass(one)
  current.forget(other)
  current.forget(third)
  assert.deepEqual(current.pass(one), {})
  current.leave()
  assert.deepEqual(current.pass(one).gone, [other.id, third.id])
  current.leave()
  assert.equal(current.pass(one).gone, undefined)
})

test('a start loses what only the backend knew', () => {
  const current = new Current()
  const [changed, restored, forgotten, other] = sessions(4)
  for (const session of [changed, restored, forgotten]) {
    current.pass(session)
    current.note(true)
  }
  current.pass(restored)
  current.note(false)
  current.forget(forgotten)
  current.reset()
  assert.deepEqual([changed, restored, forgotten, other].map(({ lost }) => lost), [true, false, false, false])
  assert.deepEqual(current.pass(restored), { session: restored.id, opening: restored.opening, gone: undefined })
  changed.lost = false
  current.reset()
  assert.equal(changed.lost, false)
  assert.deepEqual(current.pass(restored), { session: restored.id, opening: restored.opening, gone: undefined })
})
