// All connections, and what concerns more than one of them.

import { Client } from './client.mjs'

const INFORM_SECONDS = 1

export class Clients {
  #postgres
  #options
  /** @type {Set<Client>} */
  #connected = new Set()

  /**
   * @param {import('./postgres.mjs').Postgres} postgres
   * @param {{ idleInTransactionSeconds: number, patienceSeconds: number, stallSeconds: number }} limits
   */
  constructor(postgres, limits) {
    this.#postgres = postgres
    this.#options = {
      ...limits,
      cancel: (/** @type {number} */ pid, /** @type {number} */ secret) => this.#cancel(pid, secret),
    }
  }

  /** @param {import('node:net').Socket} socket */
  add(socket) {
    const client = new Client(socket, this.#postgres, this.#options)
    this.#connected.add(client)
    socket.on('close', () => this.#connected.delete(client))
  }

  /** End what keeps others waiting for too long. */
  relent() {
    for (const client of this.#connected) client.relent()
  }

  /**
   * Say for which job clients wait, when it has taken a while.
   * @param {{ name: string, seconds: number } | undefined} job
   */
  inform(job) {
    if (!job || job.seconds < INFORM_SECONDS) return
    for (const client of this.#connected) client.inform(job)
  }

  /** End all connections, as the server stops. */
  end() {
    for (const client of this.#connected) client.end('57P01', 'terminating connection due to administrator command')
  }

  /**
   * Cancel what the client with this key runs or waits to run.
   * @param {number} pid
   * @param {number} secret
   */
  #cancel(pid, secret) {
    for (const client of this.#connected) if (client.pid === pid && client.secret === secret) client.cancel()
  }
}
