import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Incoming } from '../../../app/supervisor_mcp/embedded/bridge/incoming.mjs'
import { copyFail, parse, query, SYNC } from '../../../app/supervisor_mcp/embedded/bridge/wire.mjs'

const message = (type, size = 0) => {
  const made = Buffer.alloc(5 + size)
  made.write(type, 'latin1')
  made.writeInt32BE(4 + size, 1)
  return made
}
const [FLUSH, CALL, BIND, DATA, DONE, FAIL] = [...'HFBdcf'].map((type) => message(type))

function incoming() {
  let pauses = 0
  const made = new Incoming(() => (pauses += 1))
  return Object.assign(made, { paused: () => pauses })
}

function all(from) {
  const found = []
  for (let batch = from.next(); batch; batch = from.next()) found.push(batch)
  return found
}

test('a batch ends with what asks for an answer', () => {
  const from = incoming()
  const sent = [query('a'), parse('', 'b'), BIND, SYNC, parse('', 'c'), BIND, FLUSH, CALL]
  assert.deepEqual(sent.map((frame) => from.add(frame)), [true, false, false, true, false, false, true, true])
  assert.equal(from.add(BIND), false)
  const batches = all(from)
  assert.deepEqual(batches.map(({ frames }) => frames.map((frame) => String.fromCharCode(frame[0])).join('')), ['Q', 'PBS', 'PBH', 'F'])
  assert.deepEqual(batches.map(({ bytes }) => bytes), [7, parse('', 'b').length + 10, parse('', 'c').length + 10, 5])
  assert.deepEqual(batches.map(({ flushes }) => flushes), [false, false, true, false])
  assert.deepEqual(batches.map(({ syncs }) => syncs), [false, true, false, false])
  assert.equal(from.next(), undefined)
})

test('a flush of nothing is skipped', () => {
  const from = incoming()
  assert.equal(from.add(FLUSH), undefined)
  assert.equal(from.next(), undefined)
  from.add(BIND)
  assert.equal(from.add(FLUSH), true)
})

test('a refused statement is replaced by one that fails, under the same name', () => {
  const from = incoming()
  for (const frame of [query('listen a'), parse('name', 'listen a'), parse('name', 'select 1'), SYNC]) from.add(frame)
  const [simple, extended] = all(from)
  assert.match(simple.frames[0].toString(), /^Q.*raise exception.*LISTEN/s)
  assert.match(extended.frames[0].toString(), /^P....name\0do .*raise exception.*LISTEN/s)
  assert.equal(extended.bytes, extended.frames.reduce((sum, frame) => sum + frame.length, 0))
  assert.deepEqual(extended.frames[1], parse('name', 'select 1'))
})

test('a batch has a limit', () => {
  const from = incoming()
  const large = message('B', 64 * 1024 * 1024 - 5)
  for (let i = 0; i < 4; i += 1) assert.equal(from.add(large), false)
  assert.throws(() => from.add(SYNC), { message: 'more than 268435456 bytes before a Sync', sqlstate: '54000' })
})

test('a client waits when a thousand batches wait', () => {
  const from = incoming()
  for (let i = 0; i < 1_000; i += 1) from.add(query('a'))
  assert.equal(from.paused(), 0)
  from.add(query('a'))
  assert.equal(from.paused(), 1)
})

test('data goes to the last batch that is not answered', async () => {
  const from = incoming()
  assert.equal(from.add(DATA), undefined)
  from.add(query('copy'))
  for (const frame of [DATA, DONE]) assert.equal(from.add(frame), false)
  const [batch] = all(from)
  assert.deepEqual(await batch.copy.more(), Buffer.concat([DATA, DONE]))
  from.answered(batch)
  assert.equal(from.add(FAIL), undefined)
})

test('a batch that is answered late does not hide the next one', async () => {
  const from = incoming()
  from.add(query('a'))
  from.add(query('copy'))
  const [first, second] = all(from)
  from.answered(first)
  assert.equal(from.add(DATA), false)
  assert.deepEqual(await second.copy.more(), DATA)
})

test('what is called like a refused statement is not refused', () => {
  const from = incoming()
  const bind = Buffer.concat([message('B', 14).subarray(0, 5), Buffer.from('\0listen a\0\0\0\0\0')])
  for (const frame of [bind, FLUSH]) from.add(frame)
  assert.deepEqual(from.next().frames, [bind, FLUSH])
})

test('data inside of a batch is a part of it', () => {
  const from = incoming()
  for (const frame of [BIND, DATA, SYNC]) from.add(frame)
  const [{ frames }] = all(from)
  assert.equal(frames.length, 3)
})

test('another message, or the end, ends the data', async () => {
  const from = incoming()
  from.end()
  from.add(query('copy'))
  from.add(query('copy'))
  const [first, second] = all(from)
  assert.deepEqual(await first.copy.more(), copyFail('another message came before the end of the data'))
  from.end()
  assert.deepEqual(await second.copy.more(), copyFail('the connection ended'))
})

test('a client waits when eight mebibytes are held for the server', async () => {
  const from = incoming()
  from.add(query('copy'))
  from.add(message('d', 8 * 1024 * 1024 - 6))
  assert.equal(from.paused(), 0)
  const [{ copy }] = all(from)
  assert.equal(copy.full, false)
  from.add(Buffer.from('d'))
  assert.equal(copy.full, true)
  assert.equal(from.paused(), 1)
  assert.equal((await copy.more()).length, 8 * 1024 * 1024)
  assert.equal(copy.full, false)
  from.add(DATA)
  assert.equal(from.paused(), 1)
  assert.deepEqual(await copy.more(), DATA)
})

test('what comes together while the server waits goes on together', async () => {
  const from = incoming()
  from.add(query('copy'))
  const [{ copy }] = all(from)
  assert.equal(copy.wanted, false)
  const piece = copy.more()
  assert.equal(copy.wanted, true)
  from.add(DATA)
  from.add(DONE)
  assert.deepEqual(await piece, Buffer.concat([DATA, DONE]))
  assert.equal(copy.wanted, false)
  const next = copy.more()
  from.end()
  from.add(DATA)
  assert.deepEqual(await next, copyFail('the connection ended'))
  copy.end('again')
  assert.deepEqual(await copy.more(), copyFail('the connection ended'))
})

test('data before the end is there before it', async () => {
  const from = incoming()
  from.add(query('copy'))
  const [{ copy }] = all(from)
  from.add(DATA)
  from.end()
  assert.deepEqual(await copy.more(), DATA)
  assert.deepEqual(await copy.more(), copyFail('the connection ended'))
})
