import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { setImmediate as rest } from 'node:timers/promises'

import { Client } from '../../../app/supervisor_mcp/embedded/bridge/client.mjs'
import { CANCELED, Crash } from '../../../app/supervisor_mcp/embedded/bridge/postgres.mjs'
import { SqlError } from '../../../app/supervisor_mcp/embedded/bridge/rows.mjs'
import { Session } from '../../../app/supervisor_mcp/embedded/bridge/session.mjs'
import { welcome } from '../../../app/supervisor_mcp/embedded/bridge/startup.mjs'
import * as wire from '../../../app/supervisor_mcp/embedded/bridge/wire.mjs'
import { Backend, cancelRequest, described, Socket, startup } from './connection.mjs'

const OPTIONS = { idleInTransactionSeconds: 30, patienceSeconds: 10, stallSeconds: 5 }
const [IDLE, PATIENCE] = [30_000, 10_000]
const ROLLBACK = 'run rollback S rollback'

const message = (type, body = '') => {
  const header = Buffer.alloc(5)
  header.write(type, 'latin1')
  header.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([header, Buffer.from(body)])
}
const EXTENDED = Buffer.concat([wire.parse('', 'select 1'), message('B'), message('E')])
const [FLUSH, END] = ['H', 'X'].map((type) => message(type))
const fatal = (fields) => wire.errorResponse({ severity: 'FATAL', ...fields })
const canceled = wire.errorResponse({ sqlstate: '57014', message: CANCELED })

function begun(options = {}) {
  const [socket, backend] = [new Socket(), new Backend()]
  const client = new Client(socket, backend, { ...OPTIONS, cancel: () => {}, ...options })
  return { backend, client, socket }
}

/** Someone who is let in: a superuser, or a user who is none. */
async function connected(user = 'postgres') {
  const { backend, client, socket } = begun()
  socket.receive(startup({ user, database: 'postgres' }))
  if (user !== 'postgres') {
    await rest()
    backend.resolve(false)
  }
  await backend.asked()
  socket.said()
  return { backend, client, socket }
}

async function inTransaction(user) {
  const { backend, client, socket } = await connected(user)
  socket.receive(wire.query('begin'))
  await rest()
  await backend.answer('T')
  await backend.asked()
  socket.said()
  return { backend, client, socket }
}

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }))
afterEach(() => mock.timers.reset())

test('a superuser without settings is let in at once', async () => {
  const { backend, client, socket } = begun()
  assert.equal(socket.noDelay, true)
  socket.receive(startup({ user: 'postgres' }))
  const { pid, secret } = client
  assert.deepEqual(socket.said(), [
    welcome(new Session(), { superuser: 'on', parameters: backend.parameters, pid, secret }),
  ])
  assert.deepEqual(await backend.asked(), [])
  socket.receive(wire.query('select 1'))
  assert.deepEqual(await backend.asked(), ['postgres: select 1'])
})

test('encryption is declined before the startup message', async () => {
  const { backend, socket } = begun()
  const ssl = Buffer.alloc(8)
  ssl.writeInt32BE(8)
  ssl.writeInt32BE(wire.SSL_REQUEST, 4)
  socket.receive(ssl, startup({ user: 'postgres' }), wire.query('select 1'))
  assert.equal(socket.said()[0].toString(), 'N')
  assert.deepEqual(await backend.asked(), ['postgres: select 1'])
})

test('others are let in when they are admitted, and nothing of them is done before', async () => {
  for (const [admitted, superuser] of [[true, 'on'], [false, 'off']]) {
    const { backend, client, socket } = begun()
    socket.receive(startup({ user: 'me', database: 'postgres' }), wire.query('select 1'))
    assert.deepEqual(await backend.asked(), ['admit me'])
    assert.deepEqual(socket.said(), [])
    assert.equal(backend.turns.contended, false)
    backend.resolve(admitted)
    assert.deepEqual(await backend.asked(), ['me: select 1'])
    const { pid, secret } = client
    assert.deepEqual(socket.said(), [
      welcome(new Session({ user: 'me' }), { superuser, parameters: backend.parameters, pid, secret }),
    ])
  }
})

test('who is let in has no turn until there is something to do', async () => {
  for (const user of ['postgres', 'me']) assert.equal(await (await connected(user)).backend.isFree(), true)
})

test('who is not admitted reads why', async () => {
  const refused = { sqlstate: '28000', message: 'm', detail: 'd', hint: 'h' }
  const crashed = {
    sqlstate: '57P02',
    message: 'the embedded server crashed on this statement and was started again',
    detail: 'gone',
    hint: 'Nothing that was committed is lost; connect again.',
  }
  for (const [error, said] of [[new SqlError({ C: '28000', M: 'm', D: 'd', H: 'h' }), refused], [new Crash('gone'), crashed]]) {
    const { backend, socket } = begun()
    socket.receive(startup({ user: 'me', database: 'postgres' }))
    await backend.asked()
    backend.reject(error)
    assert.deepEqual(await backend.asked(), [])
    assert.deepEqual(socket.said(), [fatal(said), 'end'])
    assert.equal(await backend.isFree(), true)
  }
})

test('another database is refused, whether it is named or that of a user of this name', async () => {
  for (const parameters of [{ user: 'other' }, { user: 'postgres', database: 'other' }]) {
    const { backend, socket } = begun()
    socket.receive(startup(parameters), wire.query('select 1'))
    assert.deepEqual(socket.said(), [
      fatal({ sqlstate: '3D000', message: 'database "other" does not exist', hint: 'The embedded server has one database, "postgres".' }),
      'end',
    ])
    assert.ok(!(await backend.asked()).includes('postgres: select 1'))
  }
})

test('who leaves before the turn comes is not admitted', async () => {
  for (const turnComes of [false, true]) {
    const { backend, socket } = begun()
    const release = await backend.turns.take()
    socket.receive(startup({ user: 'me', database: 'postgres' }))
    await rest()
    if (turnComes) release()
    socket.emit('close')
    assert.deepEqual(await backend.asked(), [])
    release()
    assert.equal(await backend.isFree(), true)
    assert.deepEqual(socket.said(), [])
  }
})

test('who is being admitted is left alone though others wait', async () => {
  const { backend, client, socket } = begun()
  socket.receive(startup({ user: 'me', database: 'postgres' }))
  await backend.asked()
  backend.turns.take()
  client.relent()
  mock.timers.tick(2 * PATIENCE)
  client.relent()
  client.cancel()
  assert.deepEqual(await backend.asked(), [])
  assert.deepEqual(socket.said(), [])
})

test('who waits for a job hears of it', async () => {
  const { backend, client, socket } = await connected()
  const job = { name: 'compress', seconds: 3.7 }
  client.inform(job)
  assert.deepEqual(socket.said(), [])
  const release = await backend.turns.take()
  socket.receive(wire.query('select 1'))
  client.inform(job)
  const heard = wire.notice({
    severity: 'NOTICE',
    sqlstate: '01SV1',
    message: 'waiting for job compress, which has held the database for 3 s',
    detail: '{"job":"compress","job_seconds":3}',
    hint: 'A native TimescaleDB server runs jobs beside requests.',
  })
  assert.deepEqual(socket.said(), [heard])
  release()
  await rest()
  client.inform(job)
  assert.deepEqual(socket.said(), [])
})

test('who is not let in yet, or has left, hears of no job', async () => {
  const job = { name: 'compress', seconds: 3 }
  const { backend, client, socket } = begun()
  await backend.turns.take()
  socket.receive(startup({ user: 'me', database: 'postgres' }))
  client.inform(job)
  assert.deepEqual(socket.said(), [])
  const left = await connected()
  await left.backend.turns.take()
  left.socket.receive(wire.query('select 1'))
  left.socket.emit('close')
  left.client.inform(job)
  assert.deepEqual(left.socket.said(), [])
})

test('statements wait for the turn, and are served one after the other', async () => {
  const { backend, socket } = await connected()
  const release = await backend.turns.take()
  socket.receive(wire.query('select 1'), wire.query('select 2'))
  assert.deepEqual(await backend.asked(), [])
  release()
  assert.deepEqual(await backend.asked(), ['postgres: select 1'])
  socket.receive(EXTENDED)
  assert.deepEqual(await backend.asked(), [])
  await backend.answer('I')
  assert.deepEqual(await backend.asked(), ['postgres: select 2'])
  socket.receive(wire.SYNC)
  await backend.answer('I')
  assert.deepEqual(await backend.asked(), ['postgres: P B E S'])
  await backend.answer('I')
  assert.deepEqual(socket.said(), Array(3).fill(wire.readyForQuery('I')))
  assert.equal(await backend.isFree(), true)
})

test('a transaction keeps the turn until it ends', async () => {
  const { backend, socket } = await inTransaction()
  let release
  backend.turns.take().then((given) => (release = given))
  for (const status of ['T', 'E']) {
    socket.receive(wire.query('select 1'))
    assert.deepEqual(await backend.asked(), ['postgres: select 1'])
    await backend.answer(status)
  }
  assert.equal(release, undefined)
  socket.receive(wire.query('rollback'))
  await rest()
  await backend.answer('I')
  assert.ok(release)
})

test('a pipeline keeps the turn until its Sync', async () => {
  const { backend, socket } = await connected()
  socket.receive(EXTENDED, FLUSH)
  assert.deepEqual(await backend.asked(), ['postgres: P B E H'])
  await backend.answer(undefined, message('C'))
  let free = false
  backend.turns.take().then(() => (free = true))
  socket.receive(wire.SYNC)
  assert.deepEqual(await backend.asked(), ['postgres: S'])
  assert.equal(free, false)
  await backend.answer('I')
  assert.equal(free, true)
})

test('who sends very much before it is answered has to wait', async () => {
  const { backend, socket } = await connected()
  socket.receive(...Array(1_002).fill(wire.query('select 1')))
  assert.equal(socket.isPaused(), true)
  for (let i = 0; i < 1_002; i += 1) {
    await rest()
    assert.equal(socket.isPaused(), true)
    await backend.answer('I')
  }
  assert.equal(socket.isPaused(), false)
})

test('a cancel request ends the wait for the turn', async () => {
  const { backend, client, socket } = await connected()
  const release = await backend.turns.take()
  socket.receive(wire.query('select 1'))
  client.cancel()
  assert.deepEqual(await backend.asked(), [])
  assert.deepEqual(socket.said(), [canceled, wire.readyForQuery('I')])
  socket.receive(wire.query('select 2'))
  release()
  assert.deepEqual(await backend.asked(), ['postgres: select 2'])
})

test('after a cancelled part of a pipeline all is skipped up to the Sync', async () => {
  const { backend, client, socket } = await connected()
  const release = await backend.turns.take()
  socket.receive(EXTENDED, FLUSH)
  client.cancel()
  await rest()
  assert.deepEqual(socket.said(), [canceled])
  socket.receive(EXTENDED, FLUSH)
  await rest()
  assert.deepEqual(socket.said(), [])
  socket.receive(EXTENDED, wire.SYNC)
  await rest()
  assert.deepEqual(socket.said(), [wire.readyForQuery('I')])
  assert.deepEqual(await backend.asked(), [])
  release()
  socket.receive(EXTENDED, FLUSH)
  assert.deepEqual(await backend.asked(), ['postgres: P B E H'])
})

test('a cancel request interrupts what runs, and insists where a superuser does not run it', async () => {
  for (const [user, interrupted] of [['postgres', 'interrupt'], ['me', 'interrupt and insist']]) {
    const { backend, client, socket } = await connected(user)
    client.cancel()
    assert.deepEqual(await backend.asked(), [])
    socket.receive(wire.query('select 1'))
    await backend.asked()
    client.cancel()
    assert.deepEqual(await backend.asked(), [interrupted])
    const output = Buffer.concat([canceled, wire.readyForQuery('I')])
    await backend.answer('I', output)
    assert.deepEqual(socket.said(), [output])
    client.cancel()
    assert.deepEqual(await backend.asked(), [])
  }
})

test('a transaction ends when others have waited for so long', async () => {
  const { backend, client, socket } = await inTransaction('me')
  client.relent()
  mock.timers.tick(PATIENCE)
  client.relent()
  backend.turns.take()
  client.relent()
  mock.timers.tick(PATIENCE - 1)
  client.relent()
  assert.deepEqual(socket.said(), [])
  mock.timers.tick(1)
  client.relent()
  client.relent()
  assert.deepEqual(socket.said(), [
    fatal({
      sqlstate: '25P04',
      message: 'terminating connection because its transaction keeps others waiting',
      detail: 'They have waited 10 s.',
      hint: 'Keep transactions short: the embedded server has one backend for all.',
    }),
    'end',
  ])
  assert.deepEqual(await backend.asked(), [ROLLBACK])
})

test('a statement is canceled when others have waited for so long, and the next one is not', async () => {
  const { backend, client, socket } = await connected('me')
  const output = Buffer.concat([canceled, wire.readyForQuery('I')])
  socket.receive(wire.query('select 1'))
  await backend.asked()
  const turn = backend.turns.take()
  client.relent()
  assert.deepEqual(await backend.asked(), [])
  mock.timers.tick(PATIENCE)
  client.relent()
  assert.deepEqual(await backend.asked(), ['interrupt and insist'])
  await backend.answer('I', output)
  const reworded = {
    sqlstate: '57014',
    message: 'canceling statement because it keeps others waiting',
    detail: 'They have waited 10 s.',
    hint: 'Ask for less at a time, such as a shorter window: the embedded server has one backend for all.',
  }
  assert.deepEqual(socket.said(), [Buffer.concat([wire.errorResponse(reworded), wire.readyForQuery('I')])])
  ;(await turn)()
  socket.receive(wire.query('select 1'))
  await rest()
  await backend.answer('I', output)
  assert.deepEqual(socket.said(), [output])
})

test('superusers may keep others waiting', async () => {
  const { backend, client, socket } = await inTransaction()
  backend.turns.take()
  client.relent()
  mock.timers.tick(PATIENCE)
  client.relent()
  assert.deepEqual(socket.said(), [])
  assert.deepEqual(await backend.asked(), [])
})

test('a transaction that is idle for so long is ended', async () => {
  const { backend, socket } = await inTransaction()
  mock.timers.tick(IDLE - 1)
  socket.receive(wire.query('select 1'))
  await backend.asked()
  mock.timers.tick(2 * IDLE)
  await backend.answer('T')
  mock.timers.tick(IDLE - 1)
  assert.deepEqual(socket.said(), [wire.readyForQuery('T')])
  mock.timers.tick(1)
  assert.deepEqual(socket.said(), [
    fatal({
      sqlstate: '25P03',
      message: 'terminating connection due to idle-in-transaction timeout',
      detail: 'An open transaction stops all other connections, also those of the same program.',
      hint: 'Commit before using another connection in the same thread, or use a native server.',
    }),
    'end',
  ])
  assert.deepEqual(await backend.asked(), [ROLLBACK])
})

test('what is sent within a transaction counts as activity, and data that nobody asked for do not', async (t) => {
  const { socket } = await inTransaction()
  const timer = Object.getPrototypeOf(setTimeout(() => {}))
  const { mock: refreshed } = t.mock.method(timer, 'refresh')
  socket.receive(message('d', 'x'), message('c'), FLUSH)
  assert.equal(refreshed.callCount(), 0)
  socket.receive(EXTENDED)
  assert.equal(refreshed.callCount(), 3)
})

test('who has no transaction may be idle', async () => {
  const { backend, socket } = await inTransaction()
  socket.receive(wire.query('commit'))
  await rest()
  await backend.answer('I')
  socket.said()
  mock.timers.tick(2 * IDLE)
  assert.deepEqual(socket.said(), [])
})

test('a COPY waits for its data, which may take as long as a transaction may be idle', async () => {
  const { backend, socket } = await connected()
  const data = [message('d', '1\n'), message('c')]
  socket.receive(wire.query('copy t from stdin'))
  await backend.asked()
  const piece = backend.asker.more()
  mock.timers.tick(IDLE - 1)
  socket.receive(...data)
  assert.deepEqual(await piece, Buffer.concat(data))
  mock.timers.tick(IDLE)
  assert.deepEqual(socket.said(), [])
  const other = backend.asker.more()
  mock.timers.tick(IDLE)
  assert.deepEqual(socket.said().at(-1), 'end')
  assert.deepEqual(await other, wire.copyFail('the connection ended'))
})

test('data that are there are given at once, and make the client send more', async () => {
  const { backend, socket } = await connected()
  const data = message('d', 'x'.repeat(8 * 1024 * 1024))
  socket.receive(wire.query('copy t from stdin'), data)
  await rest()
  assert.equal(socket.isPaused(), true)
  assert.deepEqual(await backend.asker.more(), data)
  assert.equal(socket.isPaused(), false)
})

test('what the protocol does not allow ends the connection when all of it is there', async () => {
  const { backend, socket } = await connected()
  const [limit, header] = [64 * 1024 * 1024, message('Q')]
  header.writeInt32BE(limit + 1, 1)
  socket.receive(header, Buffer.alloc(10))
  socket.receive(Buffer.alloc(limit - 14))
  assert.deepEqual(socket.said(), [])
  socket.receive(Buffer.alloc(1))
  assert.deepEqual(socket.said(), [
    fatal({
      sqlstate: '54000',
      message: `message of ${limit + 1} bytes is too large; the limit is ${limit} bytes`,
      hint: 'Send the data in several statements, or with COPY.',
    }),
    'end',
  ])
  assert.deepEqual(await backend.asked(), ['forget postgres'])
})

test('an error of the bridge is not one of its client', () => {
  const { socket } = begun({
    cancel: () => {
      throw new RangeError('own')
    },
  })
  assert.throws(() => socket.receive(cancelRequest(7, 8)), RangeError)
  assert.deepEqual(socket.said(), [])
})

test('who ends the session is served no more', async () => {
  const { backend, socket } = await connected()
  socket.receive(END, wire.query('select 1'))
  socket.receive(wire.query('select 2'))
  socket.emit('close')
  assert.deepEqual(await backend.asked(), ['forget postgres'])
  assert.deepEqual(socket.said(), ['end'])
})

test('an end is said once', async () => {
  const { backend, client, socket } = await connected()
  for (const hint of ['h', 'other']) client.end('57P01', 'm', { hint })
  socket.emit('close')
  assert.deepEqual(socket.said(), [fatal({ sqlstate: '57P01', message: 'm', hint: 'h' }), 'end'])
  assert.deepEqual(await backend.asked(), ['forget postgres'])
})

test('who leaves while waiting for the turn has nothing done', async () => {
  for (const [turnComes, asked] of [[false, ['forget postgres']], [true, [ROLLBACK]]]) {
    const { backend, socket } = await connected()
    const release = await backend.turns.take()
    socket.receive(wire.query('select 1'), wire.query('select 2'))
    await rest()
    if (turnComes) release()
    socket.emit('close')
    assert.deepEqual(await backend.asked(), asked)
    assert.deepEqual(socket.said(), [])
  }
})

test('who leaves has its statement interrupted, and then its transaction rolled back', async () => {
  for (const status of ['T', 'I']) {
    const { backend, socket } = await connected()
    socket.receive(wire.query('select 1'))
    await backend.asked()
    // Nobody reads the answer any more.
    socket.writableNeedDrain = true
    socket.emit('close')
    assert.deepEqual(await backend.asked(), ['interrupt'])
    await backend.answer(status)
    if (status === 'T') {
      assert.deepEqual(await backend.asked(), [ROLLBACK])
      backend.reject(new Crash('gone'))
    }
    assert.deepEqual(await backend.asked(), ['forget postgres'])
    assert.equal(await backend.isFree(), true)
  }
})

test('who leaves within a transaction has it rolled back', async () => {
  const { backend, socket } = await inTransaction()
  socket.emit('close')
  assert.deepEqual(await backend.asked(), [ROLLBACK])
  backend.resolve()
  assert.deepEqual(await backend.asked(), ['forget postgres'])
  assert.equal(await backend.isFree(), true)
})

test('a statement on which the server crashed ends its connection', async () => {
  const { backend, socket } = await connected()
  socket.receive(wire.query('select 1'))
  await backend.asked()
  backend.reject(new Crash('gone'))
  assert.deepEqual(await backend.asked(), [ROLLBACK])
  assert.deepEqual(described(socket.said()[0]), 'E')
})
