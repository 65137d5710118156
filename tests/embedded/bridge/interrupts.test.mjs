import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

import { Interrupts } from '../../../app/supervisor_mcp/embedded/bridge/interrupts.mjs'

// It is busy until it is interrupted by `3`; then it says with what it was ticked.
const BUSY = `
  const { parentPort } = require('node:worker_threads')
  const ticks = []
  let stopped = false
  globalThis.bridge = { tick: (id) => ticks.push(id), interrupt: (id) => (stopped = id === 3) }
  parentPort.postMessage('busy')
  setTimeout(() => {
    while (!stopped) performance.now()
    parentPort.postMessage(ticks)
  }, 0)`

test('a worker that is busy is called, the newest one', { timeout: 10_000 }, async (t) => {
  const interrupts = new Interrupts()
  for (const ids of [[1, 2], [4]]) {
    const worker = new Worker(BUSY, { eval: true })
    t.after(() => worker.terminate())
    assert.deepEqual(await once(worker, 'message'), ['busy'])
    for (const id of ids) interrupts.call('tick', id)
    interrupts.call('interrupt', 3)
    assert.deepEqual(await once(worker, 'message'), [ids])
  }
})
