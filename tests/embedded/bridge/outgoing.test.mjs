import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { mock, test } from 'node:test'
import { setImmediate as rest } from 'node:timers/promises'

import { Outgoing } from '../../../app/supervisor_mcp/embedded/bridge/outgoing.mjs'
import { errorResponse } from '../../../app/supervisor_mcp/embedded/bridge/wire.mjs'

const LIMIT = 256 * 1024 * 1024
const ERROR = { sqlstate: '57P01', message: 'm' }

/** A connection that notes what is asked of it. */
class Socket extends EventEmitter {
  said = []
  writableLength = 0
  writableNeedDrain = false
  write(output, sent) {
    this.said.push(['write', output])
    sent()
  }
  setTimeout(ms) {
    this.said.push(['timeout', ms])
  }
  destroy() {
    this.said.push(['destroy'])
  }
  end(bytes) {
    this.said.push(['end', bytes.toString()])
  }
}

test('a client that is far behind gets a time to take something', () => {
  const socket = new Socket()
  const outgoing = new Outgoing(socket, 2)
  let sent = 0
  for (const waiting of [LIMIT, LIMIT + 1]) {
    socket.writableLength = waiting
    outgoing.send(waiting, () => (sent += 1), false)
  }
  assert.deepEqual(socket.said, [['write', LIMIT], ['write', LIMIT + 1], ['timeout', 2_000]])
  assert.equal(sent, 2)
})

test('a client that has taken nothing in this time is disconnected', () => {
  for (const [waiting, said] of [[LIMIT, [['timeout', 0]]], [LIMIT + 1, [['timeout', 0], ['destroy']]]]) {
    const socket = new Socket()
    assert.ok(new Outgoing(socket, 2))
    socket.writableLength = waiting
    socket.emit('timeout')
    assert.deepEqual(socket.said, said)
  }
})

test('what was sent is out when the client has taken it or is gone', async () => {
  const socket = new Socket()
  const outgoing = new Outgoing(socket, 2)
  await outgoing.drained()
  socket.writableNeedDrain = true
  for (const event of ['drain', 'close']) {
    let out = false
    const drained = outgoing.drained().then(() => (out = true))
    await rest()
    assert.equal(out, false)
    socket.emit(event)
    await drained
  }
})

test('an end is said between messages, and a client that does not read it is disconnected', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const socket = new Socket()
  const outgoing = new Outgoing(socket, 2)
  outgoing.send('a', () => {}, true)
  outgoing.send('b', () => {}, false)
  socket.said = []
  outgoing.end(ERROR)
  const end = ['end', errorResponse({ severity: 'FATAL', ...ERROR }).toString()]
  assert.deepEqual(socket.said, [end])
  mock.timers.tick(1_000)
  assert.deepEqual(socket.said, [end, ['destroy']])
  mock.timers.reset()
})

test('before anything was sent, an end is said', () => {
  const socket = new Socket()
  new Outgoing(socket, 2).end(ERROR)
  assert.equal(socket.said[0][0], 'end')
})

test('within a message, the connection ends without a word', () => {
  const socket = new Socket()
  const outgoing = new Outgoing(socket, 2)
  outgoing.send('a', () => {}, true)
  outgoing.end(ERROR)
  assert.deepEqual(socket.said, [['write', 'a'], ['destroy']])
})
