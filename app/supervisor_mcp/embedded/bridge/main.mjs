// Serves one embedded TimescaleDB on a loopback port until its parent is gone.

import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'

import { Clients } from './clients.mjs'
import { Jobs } from './jobs.mjs'
import { listen } from './listening.mjs'
import { log, ROUTINE } from './log.mjs'
import { Postgres } from './postgres.mjs'
import { Upkeep } from './upkeep.mjs'

const PARENT_POLL_MS = 500
const STOP_MS = 5_000
const RELENT_MS = 100
const INFORM_MS = 500

const { values } = parseArgs({
  options: {
    packages: { type: 'string' },
    pgdata: { type: 'string' },
    port: { type: 'string' },
    'only-port': { type: 'string' },
    parent: { type: 'string' },
    lock: { type: 'string' },
    jobs: { type: 'string' },
    'jobs-wait-seconds': { type: 'string' },
    'idle-in-transaction-seconds': { type: 'string' },
    'patience-seconds': { type: 'string' },
    'stall-seconds': { type: 'string' },
  },
})

/**
 * Tell the parent; it reads one line.
 * @param {object} event
 */
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)

const postgres = new Postgres({ packages: values.packages, pgdata: values.pgdata })
const jobs = new Jobs(postgres)
const upkeep = new Upkeep(postgres)
const clients = new Clients(postgres, {
  idleInTransactionSeconds: Number(values['idle-in-transaction-seconds']),
  patienceSeconds: Number(values['patience-seconds']),
  stallSeconds: Number(values['stall-seconds']),
})
const server = createServer((socket) => clients.add(socket))

setInterval(() => clients.relent(), RELENT_MS).unref()
setInterval(() => clients.inform(jobs.running), INFORM_MS).unref()

// Who starts a server on the same data now waits for the end of this one.
function announceStop() {
  try {
    writeFileSync(String(values.lock), 'stopping')
  } catch (error) {
    log('warning', 'the lock cannot be written', { message: String(error) })
  }
}

// The one thing that the parent says: jobs may begin. A start with due jobs would wait for them, so
// they may wait for it.
const allowed = new Promise((resolve) => process.stdin.once('data', resolve))

let started = false
let stopping = false
/** @param {string} reason */
async function stop(reason) {
  if (stopping) return
  stopping = true
  if (!started) process.exit(0)
  announceStop()
  log(ROUTINE, 'stopping', { reason })
  setTimeout(() => {
    log('warning', 'stopped without a checkpoint: a statement did not end')
    process.exit(0)
  }, STOP_MS).unref()
  server.close()
  jobs.stop()
  upkeep.stop()
  clients.end()
  postgres.interrupt()
  await postgres.turns.take()
  await postgres.close()
  process.exit(0)
}

process.on('SIGTERM', () => stop('SIGTERM'))
process.on('SIGINT', () => stop('SIGINT'))
process.stdin.on('end', () => stop('parent gone'))
// A child that the parent forked may still hold the other end of stdin.
setInterval(() => {
  if (process.ppid !== Number(values.parent)) stop('parent gone')
}, PARENT_POLL_MS).unref()

try {
  await postgres.start()
  const port = await listen(server, { port: Number(values.port), only: values['only-port'] === 'on' })
  started = true
  tell({ event: 'ready', port })
  upkeep.start()
  if (values.jobs === 'on') {
    const waited = new Promise((resolve) => setTimeout(resolve, Number(values['jobs-wait-seconds']) * 1000).unref())
    Promise.race([allowed, waited]).then(() => jobs.start())
  }
} catch (error) {
  tell({ event: 'failed', message: String(/** @type {Error} */ (error).stack ?? error) })
  process.exit(1)
}
