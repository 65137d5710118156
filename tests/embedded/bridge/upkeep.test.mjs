import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { setImmediate as rest } from 'node:timers/promises'

import { Clock } from './clock.mjs'
import { logged } from './logged.mjs'
import { Turns } from '../../../app/supervisor_mcp/embedded/bridge/turns.mjs'
import { Upkeep } from '../../../app/supervisor_mcp/embedded/bridge/upkeep.mjs'

const MEGABYTES_64 = 67_108_864

let clock
let said

beforeEach(() => {
  clock = new Clock()
  said = logged()
})

afterEach(() => {
  mock.timers.reset()
  mock.restoreAll()
})

/** Upkeep of a server whose log has so many bytes and whose tables have so many dead rows. */
function upkeep({ bytes = () => 0, tables = () => [], run = () => {} } = {}) {
  const asked = []
  const turns = new Turns()
  const query = async (_, sql) => {
    if (sql.includes('pg_wal_lsn_diff')) {
      asked.push('written')
      return [{ bytes: String(await bytes()) }]
    }
    if (sql.includes('pg_stat_xact_all_tables')) {
      asked.push('changed')
      return (await tables()).map(([name, dead, limit]) => ({ name, dead: String(dead), limit: String(limit) }))
    }
    asked.push(sql)
    await run(sql)
    return []
  }
  return { made: new Upkeep({ turns, query }), turns, asked }
}

async function begun(server) {
  const kept = upkeep(server)
  kept.made.start()
  await rest()
  return kept
}

/** What is vacuumed when tables have these dead rows, one look after another. */
async function vacuumed(...looks) {
  let [present] = looks
  const { asked } = await begun({ tables: () => present })
  const found = []
  for (const look of looks) {
    present = look
    asked.length = 0
    await clock.pass(11_000)
    found.push(asked.filter((sql) => sql.startsWith('vacuum')))
  }
  return found
}

test('a checkpoint follows 64 MB of changes since the start or the last one', async () => {
  const sizes = [1_000, 999 + MEGABYTES_64, 1_000 + MEGABYTES_64, 999 + 2 * MEGABYTES_64, 1_000 + 2 * MEGABYTES_64]
  const { asked } = await begun({ bytes: () => sizes.shift() })
  const checkpoints = []
  for (let second = 0; second < 5; second += 1) {
    checkpoints.push(asked.splice(0).includes('checkpoint'))
    await clock.pass(1_000)
  }
  assert.deepEqual(checkpoints, [false, false, true, false, true])
})

test('the log is looked at every second, and tables after more than ten', async () => {
  const { asked } = await begun()
  assert.deepEqual(asked, ['written'])
  await clock.pass(999)
  assert.deepEqual(asked, ['written'])
  await clock.pass(1)
  assert.deepEqual(asked, ['written', 'written'])
  for (const looks of [0, 1, 1, 2]) {
    await clock.pass(looks % 2 ? 2_000 : 9_000)
    assert.equal(asked.filter((what) => what === 'changed').length, looks)
  }
})

test('a table is vacuumed when more rows than its limit have died since the last time', async () => {
  assert.deepEqual(
    await vacuumed(
      [['a', 50, 50], ['b', 51, 50]],
      [['a', 51, 50], ['b', 51, 50]],
      [['a', 51, 50], ['b', 101, 50]],
      [['a', 51, 0], ['b', 102, 50]],
    ),
    [['vacuum b'], ['vacuum a'], [], ['vacuum b']],
  )
})

test('a count that is lower than before has begun from zero', async () => {
  assert.deepEqual(await vacuumed([['a', 200, 50]], [['a', 50, 50]], [['a', 51, 50]]), [['vacuum a'], [], ['vacuum a']])
})

test('a vacuum is in the log with its table and its time', async () => {
  await begun({
    tables: () => [['a', 51, 50]],
    run: () => {
      clock.now += 1_234
    },
  })
  await clock.pass(11_000)
  assert.deepEqual(said, [['info', 'vacuumed', { table: 'a', seconds: 1.234 }]])
})

test('clients come in between two tables, and none waits for upkeep that waits', async () => {
  const order = []
  const { turns, asked } = await begun({
    tables: () => [['a', 51, 50], ['b', 51, 50]],
    run: (sql) => {
      order.push(sql)
      turns.take().then((release) => {
        order.push('client')
        release()
      })
    },
  })
  const release = await turns.take()
  await clock.pass(11_000)
  assert.deepEqual([turns.contended, asked.length], [false, 1])
  release()
  await rest()
  assert.deepEqual(order, ['vacuum a', 'client', 'vacuum b', 'client'])
})

test('what fails is said, and upkeep goes on', async () => {
  const fail = () => Promise.reject(new Error('disk full'))
  const { asked } = await begun({ bytes: fail, tables: fail })
  await clock.pass(11_000)
  const failed = (what) => ['error', `${what} failed`, { message: 'disk full' }]
  assert.deepEqual(said, [failed('checkpoint'), failed('checkpoint'), failed('vacuum')])
  await clock.pass(1_000)
  assert.deepEqual(asked, ['written', 'written', 'changed', 'written'])
})

test('after a stop nothing is asked', async () => {
  const resting = await begun()
  resting.made.stop()
  await clock.pass(1_000)
  assert.deepEqual(resting.asked, ['written'])
  const waiting = upkeep()
  const release = await waiting.turns.take()
  waiting.made.start()
  await rest()
  waiting.made.stop()
  release()
  await clock.pass(1_000)
  assert.deepEqual(waiting.asked, [])
  assert.deepEqual(said, [])
})

test('what a stop makes fail is not said', async () => {
  const { made } = await begun({
    bytes: async () => {
      await rest()
      throw new Error('closing')
    },
  })
  made.stop()
  await rest()
  await rest()
  assert.deepEqual(said, [])
})
