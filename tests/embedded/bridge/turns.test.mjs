import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { setImmediate as rest } from 'node:timers/promises'

import { Turn } from '../../../app/supervisor_mcp/embedded/bridge/turn.mjs'
import { Turns } from '../../../app/supervisor_mcp/embedded/bridge/turns.mjs'

test('turns are taken one at a time, first come, first served', async () => {
  const turns = new Turns()
  const order = []
  const take = async (name) => {
    const release = await turns.take()
    order.push(name)
    return release
  }
  const first = await take('first')
  const [second, third] = [take('second'), take('third')]
  await rest()
  assert.deepEqual(order, ['first'])
  first()
  first()
  const release = await second
  await rest()
  assert.deepEqual(order, ['first', 'second'])
  release()
  ;(await third)()
  assert.deepEqual(order, ['first', 'second', 'third'])
  ;(await take('fourth'))()
  assert.deepEqual(order.at(-1), 'fourth')
})

test('turns are contended while somebody waits who is not patient', async () => {
  const turns = new Turns()
  const release = await turns.take()
  assert.equal(turns.contended, false)
  const patient = turns.take({ patient: true })
  assert.equal(turns.contended, false)
  const other = turns.take({})
  const last = turns.take()
  assert.equal(turns.contended, true)
  release()
  ;(await patient)()
  assert.equal(turns.contended, true)
  ;(await other)()
  assert.equal(turns.contended, false)
  ;(await last)()
})

test('a turn is held from the time it comes until it is passed on', async () => {
  const turns = new Turns()
  const [one, other] = [new Turn(turns), new Turn(turns)]
  one.yield()
  one.abandon()
  assert.deepEqual([one.held, one.awaits], [false, false])
  await one.take()
  assert.deepEqual([one.held, one.awaits], [true, false])
  const waiting = other.take()
  assert.deepEqual([other.held, other.awaits], [false, true])
  one.yield()
  await waiting
  assert.deepEqual([one.held, other.held, other.awaits], [false, true, false])
})

test('a wait that is abandoned ends without the turn, which goes to the next', async () => {
  const turns = new Turns()
  const [holder, waiting, next] = [new Turn(turns), new Turn(turns), new Turn(turns)]
  await holder.take()
  const abandoned = waiting.take()
  const taken = next.take()
  waiting.abandon()
  await abandoned
  assert.deepEqual([waiting.held, waiting.awaits], [false, false])
  holder.yield()
  await taken
  assert.equal(next.held, true)
})

test('how long others have waited is counted from the first look on', async () => {
  mock.timers.enable({ apis: ['Date'] })
  const turns = new Turns()
  const [holder, other] = [new Turn(turns), new Turn(turns)]
  assert.equal(holder.awaitedMs, undefined)
  await holder.take()
  assert.equal(holder.awaitedMs, undefined)
  const taken = other.take()
  assert.equal(other.awaitedMs, undefined)
  assert.equal(holder.awaitedMs, 0)
  mock.timers.tick(30)
  assert.equal(holder.awaitedMs, 30)
  mock.timers.tick(30)
  assert.equal(holder.awaitedMs, 60)
  holder.yield()
  await taken
  const again = holder.take()
  assert.equal(other.awaitedMs, 0)
  mock.timers.tick(10)
  other.yield()
  await again
  assert.equal(holder.awaitedMs, undefined)
  const third = other.take()
  assert.equal(holder.awaitedMs, 0)
  mock.timers.tick(5)
  other.abandon()
  await third
  mock.timers.reset()
})

test('a wait that nobody is in any more is counted from zero', async () => {
  mock.timers.enable({ apis: ['Date'] })
  const turns = new Turns()
  const [holder, other] = [new Turn(turns), new Turn(turns)]
  await holder.take()
  const taken = other.take()
  assert.equal(holder.awaitedMs, 0)
  mock.timers.tick(40)
  holder.yield()
  await taken
  other.yield()
  await holder.take()
  assert.equal(holder.awaitedMs, undefined)
  const again = other.take()
  assert.equal(holder.awaitedMs, 0)
  holder.yield()
  await again
  mock.timers.reset()
})
