import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { setImmediate as rest } from 'node:timers/promises'

import { logged } from './logged.mjs'
import { Interrupts } from '../../../app/supervisor_mcp/embedded/bridge/interrupts.mjs'
import { CANCELED, Crash, Postgres } from '../../../app/supervisor_mcp/embedded/bridge/postgres.mjs'
import { SqlError } from '../../../app/supervisor_mcp/embedded/bridge/rows.mjs'
import { Session } from '../../../app/supervisor_mcp/embedded/bridge/session.mjs'
import { copyFail, errorResponse, messages, query, readyForQuery } from '../../../app/supervisor_mcp/embedded/bridge/wire.mjs'

const ABLE = { interruptible: true, timeouts: true }
const WHERE = { packages: 'p', pgdata: 'd' }
const READY = readyForQuery('I')

let said
let interrupts

beforeEach(() => {
  mock.timers.enable({ apis: ['Date', 'setInterval'], now: 1_000_000 })
  interrupts = []
  mock.method(Interrupts.prototype, 'call', (name, id) => interrupts.push([name, id]))
  said = logged()
})

afterEach(() => {
  mock.timers.reset()
  mock.restoreAll()
})

const text = (bytes) => Buffer.from(bytes).toString()
const sqlOf = (bytes) => [...messages(bytes)].map(([, body]) => text(body.subarray(0, -1)))

/** The answer to a query with one row of one column. */
function one(name, value) {
  const column = Buffer.concat([Buffer.of(0, 1), Buffer.from(`${name}\0`), Buffer.alloc(18)])
  const row = Buffer.concat([Buffer.of(0, 1, 0, 0, 0, value.length), Buffer.from(value)])
  return Buffer.concat([...[['T', column], ['D', row]].flatMap(([type, body]) => {
    const header = Buffer.alloc(5)
    header.write(type)
    header.writeInt32BE(body.length + 4, 1)
    return [header, body]
  }), READY])
}

/** A thread that starts, and answers what `answers` has an answer for. */
class FakeThread {
  static last
  able = ABLE
  posted = []
  noted = []
  answers = (sql) => {
    const setting = /current_setting\('(.*)'\)/.exec(sql)
    if (setting) return one('value', `of ${setting[1]}`)
    return /timescaledb|time_bucket|pg_conversion/.test(sql) ? READY : undefined
  }

  constructor(where, listener) {
    this.where = where
    this.listener = listener
    FakeThread.last = this
  }

  start() {
    this.noted.push('start')
    queueMicrotask(() => this.listener.started(this.able))
  }

  post(message) {
    this.posted.push(message)
    const [sql] = sqlOf(message.bytes)
    const output = this.answers(sql)
    if (output) queueMicrotask(() => this.hear({ output, status: 'I', ends: true }))
  }

  hear(message) {
    this.listener.hear(message)
  }

  give(asked, bytes) {
    this.noted.push(['give', asked, text(bytes)])
  }

  sent(bytes) {
    this.noted.push(['sent', bytes])
  }

  terminate() {
    this.noted.push('terminate')
  }

  close() {
    this.noted.push('close')
    this.listener.ended(new Error('exit 0'))
    return Promise.resolve()
  }
}

/** A server that has started, and its thread, which has forgotten that. */
async function begun() {
  const postgres = new Postgres(WHERE, FakeThread)
  await postgres.start()
  const thread = FakeThread.last
  const loaded = thread.posted.splice(0)
  thread.noted.length = 0
  return { postgres, thread, loaded }
}

/** A client that notes what it is sent, and has data when `data` is resolved with it. */
function asker() {
  const sent = []
  const made = {
    sent,
    send: (output, done, partial) => {
      sent.push([text(output), partial])
      made.done = done
    },
    more: () => {
      made.asked = true
      return new Promise((resolve) => (made.give = resolve))
    },
  }
  return made
}

/** Begin to run something that is not answered by itself; the id of the run too. */
function running(postgres, thread, session = new Session(), client = asker()) {
  const ended = postgres.serve(session, query('select 1'), client)
  const outcome = ended.then((status) => ['ended', status], (error) => ['failed', error])
  return { client, outcome, id: thread.posted.at(-1).id }
}

test('a start loads what is not preloaded, and knows what clients receive', async () => {
  const { postgres, thread, loaded } = await begun()
  assert.deepEqual(thread.where, WHERE)
  assert.deepEqual(loaded.slice(0, 4).map(({ bytes }) => sqlOf(bytes)[0]), [
    'create extension if not exists timescaledb schema public',
    "select public.time_bucket('1 hour'::interval, now())",
    "select 'AA'::_timescaledb_internal.compressed_data",
    'update pg_catalog.pg_conversion set condefault = false where condefault',
  ])
  assert.deepEqual(loaded.map(({ id }) => id), loaded.map((_, i) => i + 1))
  const named = ['server_version', 'server_encoding', 'client_encoding', 'DateStyle', 'IntervalStyle', 'TimeZone']
  assert.deepEqual(postgres.parameters, {
    integer_datetimes: 'on', standard_conforming_strings: 'on',
    ...Object.fromEntries(named.map((name) => [name, `of ${name}`])),
  })
  assert.deepEqual(said, [])
})

test('the Community module is loaded by a statement that fails, and other failures end the start', async () => {
  const failing = async (part) => {
    const postgres = new Postgres(WHERE, FakeThread)
    const thread = FakeThread.last
    const { answers } = thread
    thread.answers = (sql) => (sql.includes(part) ? errorResponse({ sqlstate: '22000', message: part }) : answers(sql))
    await postgres.start()
  }
  await failing('compressed_data')
  await assert.rejects(failing('create extension'), { message: 'create extension' })
})

test('a build in which statements cannot be cancelled is named in a warning', async () => {
  for (const able of [{ interruptible: false, timeouts: true }, { interruptible: true, timeouts: false }]) {
    said = logged()
    const postgres = new Postgres(WHERE, FakeThread)
    FakeThread.last.able = able
    await postgres.start()
    assert.deepEqual(said, [['warning', 'statements cannot be cancelled', able]])
  }
})

test('an answer is passed on while it is made, up to its end with a status', async () => {
  const { postgres, thread } = await begun()
  const session = new Session()
  const { client, outcome, id } = running(postgres, thread, session)
  const [{ bytes, ...message }] = thread.posted
  assert.equal(text(bytes), text(query('select 1')))
  assert.deepEqual(message, { id, session: session.id, opening: session.opening, gone: undefined })
  thread.hear({ output: Buffer.from('a') })
  thread.hear({ changed: false })
  thread.hear({ output: Buffer.from('b'), asks: 5 })
  thread.hear({ output: Buffer.from('cde'), status: 'T', ends: true })
  assert.deepEqual(await outcome, ['ended', 'T'])
  assert.deepEqual(client.sent, [['a', true], ['b', false], ['cde', false]])
  client.done()
  assert.deepEqual(thread.noted, [['sent', 3]])
  running(postgres, thread)
  client.done()
  assert.equal(thread.noted.length, 1)
})

test('what is run for itself has its answer as a whole, and no data', async () => {
  const { postgres, thread } = await begun()
  const answer = postgres.run(new Session(), query('copy'))
  thread.hear({ output: Buffer.from('ab'), asks: 5 })
  await rest()
  assert.deepEqual(thread.noted, [['sent', 2], ['give', 5, text(copyFail('there is no data'))]])
  thread.hear({ output: Buffer.from('c'), status: 'I', ends: true })
  assert.equal(text(await answer), 'abc')
  const rows = postgres.query(new Session(), 'select 1')
  thread.hear({ output: one('a', '7'), status: 'I', ends: true })
  assert.deepEqual(await rows, [{ a: '7' }])
})

test('data goes to the thread that asks for it', async () => {
  const { postgres, thread } = await begun()
  const { client } = running(postgres, thread)
  thread.hear({ output: Buffer.from('a') })
  assert.equal(client.asked, undefined)
  thread.hear({ asks: 5 })
  client.give(Buffer.from('data'))
  await rest()
  assert.deepEqual(thread.noted, [['give', 5, 'data']])
})

test('data that comes after its COPY has ended is not given to another', async () => {
  for (const between of [{ withdraws: 5 }, { withdraws: 5, asks: 6 }, { asks: 6 }]) {
    const { postgres, thread } = await begun()
    const { client } = running(postgres, thread)
    thread.hear({ asks: 5 })
    const { give } = client
    if (between.withdraws) thread.hear({ withdraws: 5 })
    if (between.asks) thread.hear({ asks: 6 })
    give(Buffer.from('late'))
    await rest()
    assert.deepEqual(thread.noted, [])
    if (!between.asks) continue
    thread.hear({ withdraws: 5 })
    client.give(Buffer.from('data'))
    await rest()
    assert.deepEqual(thread.noted, [['give', 6, 'data']])
  }
})

test('a session that is gone is named to the thread', async () => {
  const { postgres, thread } = await begun()
  const gone = new Session()
  postgres.forget(gone)
  running(postgres, thread)
  assert.deepEqual(thread.posted[0].gone, [gone.id])
})

test('a crash starts the server again, and says so', async () => {
  const { postgres, thread } = await begun()
  const { outcome } = running(postgres, thread)
  thread.listener.ended(new Error('unreachable'))
  const [how, error] = await outcome
  assert.equal(how, 'failed')
  assert.ok(error instanceof Crash)
  assert.equal(error.message, 'Error: unreachable')
  assert.equal(thread.noted[0], 'start')
  assert.equal(thread.posted.length, 5)
  assert.deepEqual(said, [['error', 'server crashed', { message: 'Error: unreachable' }]])
  const next = running(postgres, thread)
  thread.hear({ output: READY, status: 'I', ends: true })
  assert.deepEqual(await next.outcome, ['ended', 'I'])
})

test('a session loses in a crash what only the server knew, and is refused', async () => {
  const { postgres, thread } = await begun()
  const [changed, restored, crashing] = [new Session(), new Session(), new Session()]
  for (const [session, notes] of [[changed, [true]], [restored, [true, false]]]) {
    const { outcome } = running(postgres, thread, session)
    for (const note of notes) thread.hear({ changed: note })
    thread.hear({ output: READY })
    thread.hear({ status: 'I', ends: true })
    await outcome
  }
  const { outcome } = running(postgres, thread, crashing)
  thread.listener.ended(new Error('unreachable'))
  await outcome
  thread.posted.length = 0
  const [, error] = await running(postgres, { posted: [{}] }, changed).outcome
  assert.ok(error instanceof SqlError)
  assert.deepEqual([error.sqlstate, error.message, error.hint], [
    '57P02', 'the embedded server crashed, and what this session has set is lost',
    'Nothing that was committed is lost; connect again.',
  ])
  assert.equal(thread.posted.length, 0)
  running(postgres, thread, restored)
  assert.equal(thread.posted.length, 1)
})

test('a server that does not start again ends the process', async () => {
  const { postgres, thread } = await begun()
  const exits = []
  mock.method(process, 'exit', (code) => exits.push(code))
  const { outcome } = running(postgres, thread)
  thread.start = () => queueMicrotask(() => thread.listener.ended(new Error('no memory')))
  thread.listener.ended(new Error('unreachable'))
  await outcome
  assert.deepEqual(exits, [1])
  assert.deepEqual(said.at(-1), ['error', 'server does not start again', { message: 'Error: no memory' }])
})

test('a close ends what runs, and starts nothing', async () => {
  const { postgres, thread } = await begun()
  const { outcome } = running(postgres, thread)
  await postgres.close()
  const [, error] = await outcome
  assert.ok(error instanceof Crash)
  assert.equal(error.message, 'closing')
  assert.deepEqual(thread.noted, ['close'])
  assert.deepEqual(said, [])
})

test('the end of a thread in which nothing runs is nothing', async () => {
  const { postgres, thread } = await begun()
  await postgres.close()
  assert.deepEqual(thread.noted, ['close'])
})

test('a session that cannot be put back ends, and the next one is let on again', async () => {
  const { postgres, thread } = await begun()
  const session = new Session()
  const { outcome } = running(postgres, thread, session)
  thread.hear({ refused: 'role' })
  const [, error] = await outcome
  assert.ok(error instanceof SqlError)
  assert.deepEqual([error.sqlstate, error.message, error.hint], [
    '57P01', 'setting "role" of this session cannot be put back', 'Connect again.',
  ])
  assert.deepEqual(thread.noted, [])
  running(postgres, thread, session)
  assert.equal(thread.posted.at(-1).session, session.id)
})

test('who is let in is a superuser or not, and has settings that are accepted', async () => {
  for (const [rolsuper, superuser] of [['t', true], ['f', false]]) {
    const { postgres, thread } = await begun()
    thread.answers = (sql) => (sql.includes('rolsuper') ? one('rolsuper', rolsuper) : READY)
    assert.equal(await postgres.admit(new Session({ user: 'me' })), superuser)
    assert.deepEqual(sqlOf(thread.posted.at(-1).bytes), ['begin; set session authorization "me"', 'rollback'])
    thread.answers = (sql) => (sql.includes('rolsuper') ? one('rolsuper', rolsuper) : errorResponse({ sqlstate: '22023', message: 'm' }))
    await assert.rejects(postgres.admit(new Session()), { sqlstate: '22023' })
  }
})

test('who does not exist is not let in', async () => {
  const { postgres, thread } = await begun()
  thread.answers = () => READY
  await assert.rejects(postgres.admit(new Session({ user: 'nobody' })), {
    sqlstate: '28000', message: 'role "nobody" does not exist', hint: 'Connect as "postgres", or create the role first.',
  })
})

test('what runs is looked at every 50 ms, from 50 ms on', async () => {
  const { postgres, thread } = await begun()
  mock.timers.tick(70)
  assert.deepEqual(interrupts, [])
  const { id, outcome } = running(postgres, thread)
  mock.timers.tick(30)
  assert.deepEqual(interrupts, [])
  mock.timers.tick(50)
  assert.deepEqual(interrupts, [['tick', id]])
  thread.hear({ status: 'I', ends: true })
  await outcome
  mock.timers.tick(50)
  const next = running(postgres, thread)
  mock.timers.tick(50)
  assert.deepEqual(interrupts, [['tick', id], ['tick', next.id]])
  thread.hear({ asks: 5 })
  mock.timers.tick(100)
  assert.equal(interrupts.length, 2)
})

test('what is canceled is interrupted at once, and again until it ends', async () => {
  const { postgres, thread } = await begun()
  const { id, outcome } = running(postgres, thread)
  postgres.interrupt()
  assert.deepEqual(interrupts, [['interrupt', id]])
  mock.timers.tick(100)
  assert.deepEqual(interrupts, [['interrupt', id], ['interrupt', id], ['interrupt', id]])
  thread.hear({ status: 'I', ends: true })
  await outcome
  running(postgres, thread)
  mock.timers.tick(50)
  assert.deepEqual(interrupts.at(-1), ['tick', id + 1])
})

test('where nothing runs, nothing is canceled', async () => {
  const { postgres, thread } = await begun()
  postgres.interrupt()
  assert.deepEqual(interrupts, [])
  const { client } = running(postgres, thread)
  thread.hear({ asks: 5 })
  client.give(Buffer.from('data'))
  await rest()
  assert.deepEqual(thread.noted, [['give', 5, 'data']])
})

test('a start cannot be canceled', async () => {
  const { postgres, thread } = await begun()
  const { outcome } = running(postgres, thread)
  const { answers } = thread
  thread.answers = (sql) => {
    postgres.interrupt()
    return answers(sql)
  }
  thread.listener.ended(new Error('unreachable'))
  await outcome
  assert.deepEqual(interrupts, [])
})

test('a COPY that waits for data is canceled by a failure of the data', async () => {
  for (const before of [true, false]) {
    const { postgres, thread } = await begun()
    running(postgres, thread)
    interrupts.length = 0
    if (before) postgres.interrupt()
    thread.hear({ asks: 5 })
    if (!before) postgres.interrupt()
    assert.deepEqual(thread.noted, [['give', 5, text(copyFail(CANCELED))]])
    assert.equal(interrupts.length, before ? 1 : 0)
  }
})

test('a statement that goes on after its cancellation was insisted on ends with the server while others wait', async () => {
  for (const [insist, waiting, terminated] of [[true, true, 1], [true, false, 0], [false, true, 0], [undefined, true, 0]]) {
    const { postgres, thread } = await begun()
    await postgres.turns.take()
    if (waiting) postgres.turns.take()
    running(postgres, thread)
    postgres.interrupt({ insist })
    mock.timers.tick(3_000)
    postgres.interrupt({ insist })
    mock.timers.tick(2_000)
    const times = () => thread.noted.filter((each) => each === 'terminate').length
    assert.equal(times(), 0)
    mock.timers.tick(50)
    assert.equal(times(), terminated)
    mock.timers.tick(5_000)
    assert.equal(times(), terminated)
  }
})

test('a cancellation is insisted on for one statement', async () => {
  const { postgres, thread } = await begun()
  await postgres.turns.take()
  postgres.turns.take()
  const { outcome } = running(postgres, thread)
  postgres.interrupt({ insist: true })
  thread.hear({ status: 'I', ends: true })
  await outcome
  running(postgres, thread)
  mock.timers.tick(6_000)
  assert.deepEqual(thread.noted, [])
})
