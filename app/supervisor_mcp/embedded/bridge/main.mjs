// Serves one embedded TimescaleDB on a loopback port until its parent is gone.

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

const { values } = parseArgs({
  options: {
    packages: { type: 'string' },
    pgdata: { type: 'string' },
    port: { type: 'string' },
    parent: { type: 'string' },
    jobs: { type: 'string' },
    'idle-in-transaction-seconds': { type: 'string' },
    'patience-seconds': { type: 'string' },
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

/**
 * Listen on `port`, or on a free one where it is taken; resolves with the port.
 * @param {number} port
 * @returns {Promise<number>}
 */
function listen(port) {
  return new Promise((resolve, reject) => {
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code !== 'EADDRINUSE' || port === 0) reject(error)
      else resolve(listen(0))
    })
    server.listen({ port, host: '127.0.0.1' }, () => {
      const address = /** @type {import('node:net').AddressInfo} */ (server.address())
      resolve(address.port)
    })
  })
}

let started = false
let stopping = false
/** @param {string} reason */
async function stop(reason) {
  if (stopping) return
  stopping = true
  if (!started) process.exit(0)
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
process.stdin.resume()
// A child that the parent forked may still hold the other end of stdin.
setInterval(() => {
  if (process.ppid !== Number(values.parent)) stop('parent gone')
}, PARENT_POLL_MS).unref()

try {
  await postgres.start()
  const port = await listen(Number(values.port))
  started = true
  tell({ event: 'ready', port })
  upkeep.start()
  if (values.jobs === 'on') jobs.start()
} catch (error) {
  tell({ event: 'failed', message: String(/** @type {Error} */ (error).stack ?? error) })
  process.exit(1)
}
