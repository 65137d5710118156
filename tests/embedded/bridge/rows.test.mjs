import assert from 'node:assert/strict'
import { test } from 'node:test'

import { rows, SqlError } from '../../../app/supervisor_mcp/embedded/bridge/rows.mjs'
import { errorResponse, notice, readyForQuery } from '../../../app/supervisor_mcp/embedded/bridge/wire.mjs'

function int(number, size) {
  const made = Buffer.alloc(size)
  made.writeIntBE(number, 0, size)
  return made
}

const message = (type, ...parts) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int(body.length + 4, 4), body])
}
const description = (...names) =>
  message('T', int(names.length, 2), ...names.flatMap((name) => [Buffer.from(`${name}\0`), Buffer.alloc(18, 1)]))
const data = (...values) =>
  message('D', int(values.length, 2), ...values.flatMap((value) =>
    value === null ? [int(-1, 4)] : [int(Buffer.byteLength(value), 4), Buffer.from(value)]))

test('rows have their values by name, null where there is none', () => {
  const answer = [description('a', 'é', 'c'), data('1', null, ''), data('', 'é', 'x'), data(null, null, null)]
  assert.deepEqual(rows(Buffer.concat([...answer, message('C'), readyForQuery('I')])), [
    { a: '1', é: null, c: '' },
    { a: '', é: 'é', c: 'x' },
    { a: null, é: null, c: null },
  ])
})

test('of several results, the last one counts', () => {
  const answer = [description('a'), data('1'), message('C'), description('b'), message('C')]
  assert.deepEqual(rows(Buffer.concat(answer)), [])
  assert.deepEqual(rows(Buffer.concat([...answer, description('b'), data('2'), message('C')])), [{ b: '2' }])
})

test('what has no rows has none', () => {
  assert.deepEqual(rows(Buffer.concat([notice({ message: 'm', hint: 'h' }), message('C'), readyForQuery('I')])), [])
})

test('an error is thrown with its fields', () => {
  const error = errorResponse({ sqlstate: '22012', message: 'm', detail: 'd', hint: 'h' })
  assert.throws(() => rows(Buffer.concat([description('a'), data('1'), error, readyForQuery('I')])), (thrown) => {
    assert.ok(thrown instanceof SqlError)
    const { message: text, sqlstate, detail, hint } = thrown
    assert.deepEqual([text, sqlstate, detail, hint], ['m', '22012', 'd', 'h'])
    return true
  })
})
