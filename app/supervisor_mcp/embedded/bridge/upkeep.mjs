// Checkpoints, which no background process makes here: without them the write-ahead log of a run
// is kept whole.

import { log } from './log.mjs'
import { Session } from './session.mjs'

const POLL_MS = 1_000
const LOG_BYTES = 64 * 1024 * 1024
const WRITTEN = `select pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0') as bytes`

export class Upkeep {
  #postgres
  #session = new Session()
  /** @type {number | undefined} */
  #checkpointed
  #stopped = false

  /** @param {import('./postgres.mjs').Postgres} postgres */
  constructor(postgres) {
    this.#postgres = postgres
  }

  async start() {
    while (!this.#stopped) {
      await this.#look().catch((error) => {
        if (!this.#stopped) log('error', 'checkpoint failed', { message: error.message })
      })
      await new Promise((resolve) => setTimeout(resolve, POLL_MS).unref())
    }
  }

  stop() {
    this.#stopped = true
  }

  async #look() {
    const release = await this.#postgres.turns.take({ patient: true })
    try {
      if (this.#stopped) return
      const [{ bytes }] = await this.#postgres.query(this.#session, WRITTEN)
      this.#checkpointed ??= Number(bytes)
      if (Number(bytes) - this.#checkpointed < LOG_BYTES) return
      await this.#postgres.query(this.#session, 'checkpoint')
      this.#checkpointed = Number(bytes)
    } finally {
      release()
    }
  }
}
