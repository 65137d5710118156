import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as wire from '../../../app/supervisor_mcp/embedded/bridge/wire.mjs'

const bytes = (...parts) =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? int32(part) : Buffer.from(part))))

function int32(number) {
  const made = Buffer.alloc(4)
  made.writeInt32BE(number)
  return made
}

const report = (type, fields) => bytes(type, 4 + fields.length, fields)

function framer({ untyped = false } = {}) {
  const made = new wire.Framer()
  made.untyped = untyped
  return made
}

function framed(cut, ...chunks) {
  for (const chunk of chunks) cut.push(chunk)
  const frames = []
  for (let frame = cut.next(); frame; frame = cut.next()) frames.push(frame.toString('latin1'))
  return frames
}

const violation = (text, sqlstate, more = {}) => ({ message: text, sqlstate, hint: undefined, unread: 0, ...more })

test('messages are cut from chunks of any size', () => {
  const sizes = [0, 1, 5, 6, 7, 12, 100]
  const sent = sizes.map((size) => bytes('Q', size + 4, 'x'.repeat(size)))
  const whole = Buffer.concat(sent)
  for (let first = 0; first <= 40; first += 1) {
    for (const step of [1, 2, 3, 5, 6, 11, 17, 200]) {
      const chunks = [whole.subarray(0, first)].filter((chunk) => chunk.length > 0)
      for (let at = first; at < whole.length; at += step) chunks.push(whole.subarray(at, at + step))
      assert.deepEqual(framed(framer(), ...chunks), sent.map((each) => each.toString('latin1')))
    }
  }
})

test('a message comes as soon as its last byte is there', () => {
  const cut = framer()
  const sent = bytes('Q', 6, 'ab', 'S', 4)
  const frames = []
  for (let at = 0; at < sent.length; at += 1) {
    cut.push(sent.subarray(at, at + 1))
    frames.push(cut.next()?.length)
  }
  assert.deepEqual(frames, [...Array(6), 7, ...Array(4), 5])
})

test('the first message has no type', () => {
  const cut = new wire.Framer()
  assert.deepEqual(framed(cut, bytes(9, 'hello', 4)), [bytes(9, 'hello').toString('latin1'), bytes(4).toString('latin1')])
  cut.untyped = false
  assert.deepEqual(framed(cut, bytes('S', 4)), [bytes('S', 4).toString('latin1')])
})

test('types and lengths that cannot be are refused', () => {
  for (const type of 'BCDEFHPQSXcdf') assert.deepEqual(framed(framer(), bytes(type, 3 + 1)).length, 1)
  assert.throws(() => framed(framer(), bytes('A', 4)), violation('invalid frontend message type 65', '08P01'))
  assert.throws(() => framed(framer(), bytes('Q', 3)), violation('invalid message length 3', '08P01'))
  assert.throws(() => framed(framer({ untyped: true }), bytes(3)), violation('invalid message length 3', '08P01'))
})

test('messages up to a limit are awaited', () => {
  const untyped = framer({ untyped: true })
  assert.deepEqual(framed(untyped, bytes(10_000)), [])
  assert.throws(() => framed(framer({ untyped: true }), bytes(10_001)), violation('invalid message length 10001', '08P01'))
  const limit = 64 * 1024 * 1024
  assert.deepEqual(framed(framer(), bytes('Q', limit)), [])
  assert.throws(
    () => framed(framer(), bytes('Q', limit + 1, 'seven b')),
    violation(`message of ${limit + 1} bytes is too large; the limit is ${limit} bytes`, '54000', {
      hint: 'Send the data in several statements, or with COPY.',
      unread: limit + 1 + 1 - 12,
    }),
  )
})

test('a startup message has its fields up to the empty one', () => {
  const fields = (text) => wire.startupParameters(bytes(0, 0, text))
  assert.deepEqual(fields('user\0é\0database\0\0\0left\0out\0'), { user: 'é', database: '' })
  assert.deepEqual(fields('user\0me\0lonely'), { user: 'me' })
  assert.deepEqual(fields(''), {})
})

test('messages are written as the protocol has them', () => {
  for (const [written, expected] of [
    [wire.SYNC, bytes('S', 4)],
    [wire.query('é'), bytes('Q', 7, 'é\0')],
    [wire.copyFail('no'), bytes('f', 7, 'no\0')],
    [wire.parse('n', 'sql'), bytes('P', 12, 'n\0sql\0\0\0')],
    [wire.authenticationOk(), bytes('R', 8, 0)],
    [wire.parameterStatus('n', 'v'), bytes('S', 8, 'n\0v\0')],
    [wire.backendKeyData(1, 2), bytes('K', 12, 1, 2)],
    [wire.readyForQuery('T'), bytes('Z', 5, 'T')],
    [wire.negotiateProtocol(['_pq_.a', '_pq_.b']), bytes('v', 26, 196608, 2, '_pq_.a\0_pq_.b\0')],
  ]) {
    assert.deepEqual(written, expected)
  }
})

test('errors and notices have the fields that there are', () => {
  assert.deepEqual(
    wire.errorResponse({ sqlstate: '57014', message: 'm' }),
    report('E', 'SERROR\0VERROR\0C57014\0Mm\0\0'),
  )
  assert.deepEqual(
    wire.errorResponse({ severity: 'FATAL', sqlstate: '57014', message: 'm', detail: 'd', hint: 'h' }),
    report('E', 'SFATAL\0VFATAL\0C57014\0Mm\0Dd\0Hh\0\0'),
  )
  assert.deepEqual(
    wire.notice({ message: 'm', hint: 'h' }),
    report('N', 'SWARNING\0VWARNING\0C01000\0Mm\0Hh\0\0'),
  )
  assert.deepEqual(
    wire.notice({ severity: 'NOTICE', sqlstate: '01SV1', message: 'm', detail: 'd', hint: 'h' }),
    report('N', 'SNOTICE\0VNOTICE\0C01SV1\0Mm\0Dd\0Hh\0\0'),
  )
})

test('the last error of a kind gets other words', () => {
  const before = { sqlstate: '57014', message: 'before' }
  const after = { sqlstate: '57014', message: 'after', hint: 'h' }
  const [ready, row] = [wire.readyForQuery('I'), bytes('D', 6, 0)]
  const of = (...parts) => new Uint8Array(Buffer.concat(parts))
  const [error, other] = [wire.errorResponse(before), wire.errorResponse({ ...before, sqlstate: '22012' })]
  for (const [head, tail] of [[[], []], [[row], [ready]], [[error], []], [[], [other, ready]]]) {
    assert.deepEqual(
      Buffer.from(wire.reworded(of(...head, error, ...tail), after)),
      Buffer.concat([...head, wire.errorResponse(after), ...tail]),
    )
  }
  const kept = of(row, other, ready)
  assert.equal(wire.reworded(kept, after), kept)
  assert.deepEqual(Buffer.from(wire.reworded(of(row, error, ready).subarray(row.length), after)), Buffer.concat([
    wire.errorResponse(after), ready,
  ]))
})

test('an answer is read as its messages', () => {
  const answer = Buffer.concat([wire.parameterStatus('n', 'v'), wire.SYNC, wire.readyForQuery('I')])
  const within = Buffer.concat([Buffer.from('before'), answer, Buffer.from('x')])
  const read = [...wire.messages(new Uint8Array(within).subarray(6, 6 + answer.length))]
  assert.deepEqual(read, [['S', bytes('n\0v\0')], ['S', bytes()], ['Z', bytes('I')]])
  assert.deepEqual([...wire.messages(new Uint8Array())], [])
})

test('the fields of an error are read by their letters', () => {
  const [[, body]] = wire.messages(wire.errorResponse({ sqlstate: '57014', message: 'é', hint: 'h' }))
  assert.deepEqual(wire.errorFields(body), { S: 'ERROR', V: 'ERROR', C: '57014', M: 'é', H: 'h' })
})

test('a text goes up to the next zero byte or the end', () => {
  assert.equal(wire.cstringAt(bytes('ab\0cd\0'), 1), 'b')
  assert.equal(wire.cstringAt(bytes('ab\0cd'), 3), 'cd')
  assert.equal(wire.cstringAt(bytes('\0ab'), 0), '')
  assert.equal(wire.cstringAt(Buffer.of(0xe9), 0), 'é')
})

test('SQL is found in queries and in statements with names', () => {
  assert.equal(wire.sqlOf(wire.query('select 1')), 'select 1')
  assert.equal(wire.sqlOf(wire.parse('name', 'select 2')), 'select 2')
  assert.equal(wire.sqlOf(wire.parse('', 'select 3')), 'select 3')
})
