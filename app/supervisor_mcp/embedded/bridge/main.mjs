// Serves one embedded TimescaleDB on a loopback port until its parent is gone.

import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'

import { Client } from './client.mjs'
import { Jobs } from './jobs.mjs'
import { log, ROUTINE } from './log.mjs'
import { Postgres } from './postgres.mjs'
import { Upkeep } from './upkeep.mjs'

const PARENT_POLL_MS = 500
const STOP_MS = 5_000
const RELENT_MS = 100
const INFORM_MS = 1_000
const PORT_MS = 5_000
const PORT_POLL_MS = 100

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
/** @type {Set<Client>} */
const clients = new Set()
const options = {
  idleInTransactionSeconds: Number(values['idle-in-transaction-seconds']),
  patienceSeconds: Number(values['patience-seconds']),
  stallSeconds: Number(values['stall-seconds']),
  cancel: (/** @type {number} */ pid, /** @type {number} */ secret) => {
    for (const client of clients) if (client.pid === pid && client.secret === secret) client.cancel()
  },
}
const server = createServer((socket) => {
  const client = new Client(socket, postgres, options)
  clients.add(client)
  socket.on('close', () => clients.delete(client))
})

setInterval(() => {
  for (const client of clients) client.relent()
}, RELENT_MS).unref()

setInterval(() => {
  const job = jobs.running
  if (!job || job.seconds * 1000 < INFORM_MS) return
  for (const client of clients) client.inform(job)
}, INFORM_MS / 2).unref()

/**
 * Listen on `port`; resolves with the port.
 * @param {number} port
 * @returns {Promise<number>}
 */
function listenOn(port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1' }, () => {
      server.off('error', reject)
      const address = /** @type {import('node:net').AddressInfo} */ (server.address())
      resolve(address.port)
    })
  })
}

/**
 * Listen on `port`, or where it is taken, on a free one if that is allowed.
 * @param {number} port
 * @param {boolean} only
 */
async function listen(port, only) {
  const deadline = Date.now() + PORT_MS
  for (;;) {
    try {
      return await listenOn(port)
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE') throw error
      if (!only) return listenOn(0)
      if (Date.now() > deadline) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, PORT_POLL_MS))
  }
}

// Who starts a server on the same data now waits for the end of this one.
function announceStop() {
  try {
    if (values.lock) writeFileSync(values.lock, 'stopping')
  } catch (error) {
    log('warning', 'the lock cannot be written', { message: String(error) })
  }
}

let begun = values.jobs !== 'on'
// A start with due jobs would wait for them, so they may wait for it.
function beginJobs() {
  if (begun) return
  begun = true
  jobs.start()
}

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
  for (const client of clients) {
    client.end('57P01', 'terminating connection due to administrator command')
  }
  postgres.interrupt()
  await postgres.turns.take()
  await postgres.close()
  process.exit(0)
}

process.on('SIGTERM', () => stop('SIGTERM'))
process.on('SIGINT', () => stop('SIGINT'))
process.stdin.on('end', () => stop('parent gone'))
// The one thing that the parent says: jobs may begin.
process.stdin.on('data', beginJobs)
// A child that the parent forked may still hold the other end of stdin.
setInterval(() => {
  if (process.ppid !== Number(values.parent)) stop('parent gone')
}, PARENT_POLL_MS).unref()

try {
  await postgres.start()
  const port = await listen(Number(values.port), values['only-port'] === 'on')
  started = true
  tell({ event: 'ready', port })
  upkeep.start()
  setTimeout(beginJobs, Number(values['jobs-wait-seconds']) * 1000).unref()
} catch (error) {
  tell({ event: 'failed', message: String(/** @type {Error} */ (error).stack ?? error) })
  process.exit(1)
}
