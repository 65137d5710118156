import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as rest } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { Clients } from '../../../app/supervisor_mcp/embedded/bridge/clients.mjs'
import { errorResponse, messages, notice, query } from '../../../app/supervisor_mcp/embedded/bridge/wire.mjs'
import { Backend, cancelRequest, Socket, startup } from './connection.mjs'

const LIMITS = { idleInTransactionSeconds: 30, patienceSeconds: 10, stallSeconds: 5 }

function serving() {
  const backend = new Backend()
  return { backend, clients: new Clients(backend, LIMITS) }
}

/** A client that is let in, and its key. */
function connected(clients) {
  const socket = new Socket()
  clients.add(socket)
  socket.receive(startup({ user: 'postgres' }))
  const [, key] = [...messages(socket.said()[0])].find(([type]) => type === 'K')
  return { socket, key: [key.readInt32BE(0), key.readInt32BE(4)] }
}

test('a cancel request reaches the client whose whole key it has', async () => {
  const { backend, clients } = serving()
  const [one, other] = [connected(clients), connected(clients)]
  const request = (pid, secret) => {
    const socket = new Socket()
    clients.add(socket)
    socket.receive(cancelRequest(pid, secret))
    socket.emit('close')
  }
  one.socket.receive(query('select 1'))
  await backend.asked()
  const [pid, secret] = one.key
  for (const key of [[pid ^ 1, secret], [pid, secret ^ 1], other.key]) request(...key)
  assert.ok(!(await backend.asked()).includes('interrupt'))
  request(pid, secret)
  assert.ok((await backend.asked()).includes('interrupt'))
  one.socket.emit('close')
  other.socket.emit('close')
})

test('clients that wait for a job of a second or more hear of it', async () => {
  const { backend, clients } = serving()
  const [waiting, idle] = [connected(clients).socket, connected(clients).socket]
  await backend.turns.take()
  waiting.receive(query('select 1'))
  await rest()
  for (const job of [undefined, { name: 'j', seconds: 0.999 }]) clients.inform(job)
  assert.deepEqual(waiting.said(), [])
  clients.inform({ name: 'j', seconds: 1 })
  assert.deepEqual(waiting.said(), [
    notice({
      severity: 'NOTICE',
      sqlstate: '01SV1',
      message: 'waiting for job j, which has held the database for 1 s',
      detail: '{"job":"j","job_seconds":1}',
      hint: 'A native TimescaleDB server runs jobs beside requests.',
    }),
  ])
  assert.deepEqual(idle.said(), [])
  for (const socket of [waiting, idle]) socket.emit('close')
})

test('all clients are looked at for one that keeps others waiting', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const { backend, clients } = serving()
  const sockets = [new Socket(), new Socket()]
  for (const socket of sockets) {
    clients.add(socket)
    socket.receive(startup({ user: 'me', database: 'postgres' }))
    await backend.asked()
    backend.resolve(false)
    await rest()
    socket.said()
  }
  sockets[1].receive(query('begin'))
  await rest()
  await backend.answer('T')
  sockets[1].said()
  sockets[0].receive(query('select 1'))
  clients.relent()
  t.mock.timers.tick(10_000)
  clients.relent()
  const [[, body]] = messages(sockets[1].said()[0])
  assert.ok(body.includes('C25P04\0'))
  assert.deepEqual(sockets[0].said(), [])
})

test('the end of the server is said to all', () => {
  const { clients } = serving()
  const sockets = [connected(clients).socket, connected(clients).socket]
  clients.end()
  const message = 'terminating connection due to administrator command'
  for (const socket of sockets) {
    assert.deepEqual(socket.said(), [errorResponse({ severity: 'FATAL', sqlstate: '57P01', message }), 'end'])
  }
})

test('a connection that has ended leaves nothing behind', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  const { backend, clients } = serving()
  const open = connected(clients)
  const gone = (() => {
    const { socket } = connected(clients)
    socket.emit('close')
    return new WeakRef(socket)
  })()
  await backend.asked()
  collect()
  assert.equal(gone.deref(), undefined)
  clients.end()
  assert.deepEqual(open.socket.said().at(-1), 'end')
})
