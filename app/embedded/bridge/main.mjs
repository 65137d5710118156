// Serves one embedded TimescaleDB on a loopback port until its parent is gone.

import { createServer } from 'node:net'
import { parseArgs } from 'node:util'

import { Client } from './client.mjs'
import { log } from './log.mjs'
import { Postgres } from './postgres.mjs'

const { values } = parseArgs({
  options: {
    packages: { type: 'string' },
    pgdata: { type: 'string' },
    port: { type: 'string', default: '0' },
    parent: { type: 'string' },
    'no-jobs': { type: 'boolean', default: false },
    'idle-in-transaction-seconds': { type: 'string', default: '30' },
  },
})

const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (error.code !== 'EADDRINUSE' || port === 0) reject(error)
      else resolve(listen(server, 0))
    })
    server.listen({ port, host: '127.0.0.1' }, () => resolve(server.address().port))
  })
}

const postgres = new Postgres()
const clients = new Set()
const server = createServer((socket) => {
  const client = new Client(socket, postgres, {
    idleInTransactionSeconds: Number(values['idle-in-transaction-seconds']),
  })
  clients.add(client)
  socket.on('close', () => clients.delete(client))
})

let stopping = false
async function stop(reason) {
  if (stopping) return
  stopping = true
  log('info', 'stopping', { reason })
  server.close()
  for (const client of clients) {
    client.end('57P01', 'terminating connection due to administrator command')
  }
  await postgres.turns.take()
  await postgres.close()
  process.exit(0)
}

process.on('SIGTERM', () => stop('SIGTERM'))
process.on('SIGINT', () => stop('SIGINT'))
process.stdin.on('end', () => stop('parent gone'))
process.stdin.resume()

try {
  await postgres.start(values)
  const port = await listen(server, Number(values.port))
  tell({ event: 'ready', port })
} catch (error) {
  tell({ event: 'failed', message: String(error.stack ?? error) })
  process.exit(1)
}
