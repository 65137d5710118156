import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Memory } from '../../../app/supervisor_mcp/embedded/bridge/memory.mjs'

const SIZE = 256 * 1024
// Where Memory takes the globals to end.
const END = 4_096 + 65_536

function memory() {
  const HEAPU8 = new Uint8Array(SIZE)
  const HEAPU32 = new Uint32Array(HEAPU8.buffer)
  const [taken, freed] = [[], []]
  const wasm = {
    HEAPU8,
    HEAPU32,
    _InterruptPending: 4_096,
    _malloc: (bytes) => {
      taken.push(bytes)
      return SIZE / 2 + 64 * taken.length
    },
    _free: (address) => freed.push(address),
  }
  return { made: new Memory(wasm), HEAPU8, HEAPU32, taken, freed }
}

test('words and bytes are read and written at their addresses', () => {
  const { made, HEAPU8 } = memory()
  made.setWord(2_048, 0xfedcba98)
  assert.equal(made.word(2_048), 0xfedcba98)
  assert.deepEqual([...HEAPU8.subarray(2_047, 2_053)], [0, 0x98, 0xba, 0xdc, 0xfe, 0])
  assert.equal(made.byte(2_049), 0xba)
})

test('a text goes up to its zero byte, and nothing is no text', () => {
  const { made, HEAPU8 } = memory()
  HEAPU8.set(Buffer.from('xé\0y'), 100)
  assert.equal(made.text(100), 'xé')
  assert.equal(made.text(101), 'é')
  assert.equal(made.text(0), undefined)
})

test('a text is found where the whole of it is', () => {
  const { made, HEAPU8 } = memory()
  HEAPU8.set(Buffer.from('ab\0'), 100)
  HEAPU8.set(Buffer.from('ab\0'), 0)
  HEAPU8.set(Buffer.from('ab\0'), SIZE - 3)
  HEAPU8.set(Buffer.from('ab'), 200)
  HEAPU8[202] = 1
  assert.deepEqual([100, 0, SIZE - 3, SIZE - 2, SIZE + 100, 200, 101].map((at) => made.holds(at, 'ab')),
    [true, false, true, false, false, false, false])
  assert.equal(made.holds(100, 'a'), false)
})

test('copies of texts are given back, also after an error', () => {
  const { made, freed, taken } = memory()
  const used = made.withTexts(['é', ''], (...addresses) => addresses.map((address) => made.text(address)))
  assert.deepEqual(used, ['é', ''])
  assert.deepEqual(taken, [3, 1])
  assert.deepEqual(freed, [SIZE / 2 + 64, SIZE / 2 + 128])
  assert.throws(() => made.withTexts(['a'], () => {
    throw new Error('own')
  }), { message: 'own' })
  assert.equal(freed.length, 3)
})

test('new room is zeros', () => {
  const { made, HEAPU8 } = memory()
  HEAPU8.fill(7)
  const at = made.zeros(8)
  assert.deepEqual([...HEAPU8.subarray(at - 1, at + 9)], [7, 0, 0, 0, 0, 0, 0, 0, 0, 7])
})

test('a value is found at every word of the globals that has it', () => {
  const { made, HEAPU8, HEAPU32 } = memory()
  for (const at of [0, 400, 404, END - 4, END, END + 400]) HEAPU32[at >> 2] = 0x01020304
  HEAPU8.set([4, 3, 2, 1], 801)
  assert.deepEqual(made.places(0x01020304), [0, 400, 404, END - 4])
  assert.deepEqual(made.places(5), [])
})

test('a variable is found when there is one that fits', () => {
  const { made, HEAPU32 } = memory()
  HEAPU32[100] = 55
  HEAPU32[200] = 66
  HEAPU32[300] = 66
  assert.equal(made.find('thing', [55]), 400)
  assert.equal(made.find('thing', new Set([54, 55])), 400)
  assert.equal(made.find('thing', [66], (address) => address > 800), 1_200)
  const elsewhere = { message: 'this build of PGlite keeps its thing elsewhere' }
  assert.throws(() => made.find('thing', [66]), elsewhere)
  assert.throws(() => made.find('thing', [77]), elsewhere)
  assert.throws(() => made.find('thing', [55], () => false), elsewhere)
})

test('a pointer is found that points beyond the globals to a structure that fits', () => {
  const places = [
    [END, false], [END + 1, false], [END + 4, true], [SIZE - 40, true], [SIZE - 36, false], [SIZE - 39, false],
  ]
  for (const [value, found] of places) {
    const { made, HEAPU32 } = memory()
    HEAPU32[(END - 4) >> 2] = value
    HEAPU32[END >> 2] = SIZE - 80
    const find = () => made.findPointer('thing', 40, (pointer) => {
      assert.equal(pointer, value)
      return true
    })
    if (found) assert.equal(find(), END - 4)
    else assert.throws(find, { message: 'this build of PGlite keeps its thing elsewhere' })
  }
  const { made, HEAPU32 } = memory()
  for (const at of [0, 400, 800]) HEAPU32[at >> 2] = END + 4 + at
  assert.equal(made.findPointer('thing', 40, (value) => value === END + 4), 0)
  assert.equal(made.findPointer('thing', 40, (value) => value === END + 404), 400)
  assert.throws(() => made.findPointer('thing', 40, (value) => value !== END + 404))
})

test('an address is plausible where a structure can be', () => {
  const { made } = memory()
  assert.deepEqual([1_020, 1_024, 1_025, 1_028, SIZE - 40, SIZE - 36].map((at) => made.plausible(at, 40)),
    [false, true, false, true, true, false])
})
