import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setImmediate as rest } from 'node:timers/promises'

import { listen } from '../../../app/supervisor_mcp/embedded/bridge/listening.mjs'

async function taken(t) {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  return { other, port: other.address().port }
}

function server(t) {
  const made = createServer()
  t.after(() => made.close())
  return made
}

const LATER = { apis: ['Date', 'setTimeout'] }
/** Let a tenth of a second pass, and what follows happen. */
async function pass(t) {
  for (let i = 0; i < 5; i += 1) await rest()
  t.mock.timers.tick(100)
}

test('a port that is free is listened on, of this machine only', async (t) => {
  const { other, port } = await taken(t)
  other.close()
  await once(other, 'close')
  const mine = server(t)
  assert.equal(await listen(mine, { port, only: true }), port)
  assert.deepEqual(mine.address(), { address: '127.0.0.1', family: 'IPv4', port })
})

test('a port that is taken gives a free one', async (t) => {
  const { port } = await taken(t)
  const mine = server(t)
  const found = await listen(mine, { port, only: false })
  assert.equal(found, mine.address().port)
  assert.notEqual(found, port)
})

test('the only port is awaited', async (t) => {
  const { other, port } = await taken(t)
  t.mock.timers.enable(LATER)
  const mine = server(t)
  const listening = listen(mine, { port, only: true })
  for (let i = 0; i < 30; i += 1) await pass(t)
  other.close()
  await once(other, 'close')
  await pass(t)
  assert.equal(await listening, port)
  // Each try would leave its own, and Node.js warns of eleven.
  assert.deepEqual(['error', 'listening'].map((event) => mine.listenerCount(event)), [0, 0])
})

test('the only port is not awaited for longer than five seconds', async (t) => {
  const { port } = await taken(t)
  t.mock.timers.enable(LATER)
  let ended = false
  const listening = assert.rejects(listen(server(t), { port, only: true }), { code: 'EADDRINUSE' }).then(() => (ended = true))
  for (let i = 0; i < 50; i += 1) await pass(t)
  assert.equal(ended, false)
  for (let i = 0; i < 5; i += 1) await pass(t)
  assert.equal(ended, true)
  await listening
})

test('another error is one', async (t) => {
  await assert.rejects(listen(server(t), { port: -1, only: false }), { code: 'ERR_SOCKET_BAD_PORT' })
})
