// The port on which clients are awaited.

import { once } from 'node:events'

const PORT_MS = 5_000
const PORT_POLL_MS = 100

/**
 * Listen on `port`; resolves with the port.
 * @param {import('node:net').Server} server
 * @param {number} port
 */
async function listenOn(server, port) {
  server.listen({ port, host: '127.0.0.1' })
  await once(server, 'listening')
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port
}

/**
 * Listen on `port`; where it is taken, on a free one, or with `only`, when it is free.
 * @param {import('node:net').Server} server
 * @param {{ port: number, only: boolean }} where
 */
export async function listen(server, { port, only }) {
  const deadline = Date.now() + PORT_MS
  for (;;) {
    try {
      return await listenOn(server, port)
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE') throw error
      if (!only) return listenOn(server, 0)
      if (Date.now() > deadline) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, PORT_POLL_MS))
  }
}
