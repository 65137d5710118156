import assert from 'node:assert/strict'
import { mock, test } from 'node:test'

import { Session } from '../../../app/supervisor_mcp/embedded/bridge/session.mjs'
import { Startup, welcome } from '../../../app/supervisor_mcp/embedded/bridge/startup.mjs'
import * as wire from '../../../app/supervisor_mcp/embedded/bridge/wire.mjs'

const SECONDS = 1_000

function begun() {
  mock.timers.enable({ apis: ['setTimeout'] })
  const said = []
  const socket = { write: (bytes) => said.push(bytes.toString()), destroy: () => said.push('closed') }
  const startup = new Startup(socket, (pid, secret) => said.push(['cancel', pid, secret]))
  mock.timers.tick(9 * SECONDS)
  return { said, startup }
}

function untyped(...words) {
  const frame = Buffer.alloc(4 + 4 * words.length)
  for (const [i, word] of [frame.length, ...words].entries()) frame.writeInt32BE(word, i * 4)
  return frame
}

const startupMessage = (minor, fields) => Buffer.concat([untyped(196608 + minor), Buffer.from(fields)])

function outcome(frame) {
  const { said, startup } = begun()
  const answer = startup.answer(frame)
  mock.timers.tick(2 * SECONDS)
  mock.timers.reset()
  return { said, answer }
}

test('a client that does not say who it is in time is disconnected', () => {
  const { said, startup } = begun()
  assert.deepEqual(said, [])
  mock.timers.tick(1 * SECONDS)
  assert.deepEqual(said, ['closed'])
  startup.end()
  mock.timers.reset()
})

test('encryption is declined, and the startup message is still awaited', () => {
  for (const code of [80877103, 80877104]) {
    assert.deepEqual(outcome(untyped(code)), { said: ['N', 'closed'], answer: undefined })
  }
})

test('a cancel request is passed on when it has a whole key', () => {
  assert.deepEqual(outcome(untyped(80877102, 7, -8)).said, [['cancel', 7, -8], 'closed', 'closed'])
  assert.deepEqual(outcome(untyped(80877102, 7)).said, ['closed', 'closed'])
  assert.deepEqual(outcome(untyped(80877102, 7, 8, 9)).said, ['closed', 'closed'])
})

test('the startup message ends the wait', () => {
  const answer = { user: 'me', a: '1' }
  assert.deepEqual(outcome(startupMessage(0, 'user\0me\0a\x001\0\0')), { said: [], answer })
})

test('later minor versions and extensions are negotiated down', () => {
  const { said, answer } = outcome(startupMessage(2, 'user\0me\0_pq_.x\x001\0x_pq_.\x001\0\0'))
  assert.deepEqual(said, [wire.negotiateProtocol(['_pq_.x']).toString()])
  assert.equal(answer.user, 'me')
})

test('anything else is refused', () => {
  for (const frame of [untyped(), untyped(131072), untyped(4 << 16), Buffer.from('\0\0\0\x07\0\x03\0')]) {
    assert.throws(() => outcome(frame), { message: 'unsupported frontend protocol', sqlstate: '0A000' })
    mock.timers.reset()
  }
})

test('a client that is let in hears of the settings that it has asked for', () => {
  const session = new Session({ user: 'me', timezone: 'Asia/Tokyo', work_mem: '1MB', application_name: 'a' })
  const parameters = { TimeZone: 'UTC', DateStyle: 'ISO' }
  assert.deepEqual(welcome(session, { superuser: 'off', parameters, pid: 7, secret: 8 }), Buffer.concat([
    wire.authenticationOk(),
    wire.parameterStatus('application_name', 'a'),
    wire.parameterStatus('TimeZone', 'Asia/Tokyo'),
    wire.parameterStatus('DateStyle', 'ISO'),
    wire.parameterStatus('is_superuser', 'off'),
    wire.parameterStatus('session_authorization', 'me'),
    wire.backendKeyData(7, 8),
    wire.readyForQuery('I'),
  ]))
  assert.equal(parameters.TimeZone, 'UTC')
})
