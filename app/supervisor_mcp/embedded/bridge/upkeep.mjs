// What background processes do elsewhere: checkpoints, without which the write-ahead log of a run
// is kept whole, and vacuum, without which what is refreshed again and again grows.

import { log, ROUTINE } from './log.mjs'
import { Session } from './session.mjs'

const POLL_MS = 1_000
const VACUUM_MS = 10_000
const LOG_BYTES = 64 * 1024 * 1024
const WRITTEN = `select pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0') as bytes`

// As autovacuum chooses tables. Nothing collects the statistics of this one backend, so those that it
// would hand on are all there are: what it has changed since its start.
const CHANGED = `
  select
    pg_catalog.format('%I.%I', stats.schemaname, stats.relname) as name,
    stats.n_tup_upd + stats.n_tup_del as dead,
    pg_catalog.current_setting('autovacuum_vacuum_threshold')::float
      + pg_catalog.current_setting('autovacuum_vacuum_scale_factor')::float
      * greatest(relation.reltuples, 0) as limit
  from pg_catalog.pg_stat_xact_all_tables as stats
  inner join pg_catalog.pg_class as relation on stats.relid = relation.oid
  where stats.n_tup_upd + stats.n_tup_del > 0 and stats.schemaname !~ '^pg_'`

export class Upkeep {
  #postgres
  #session = new Session()
  /** @type {number | undefined} */
  #checkpointed
  #looked = performance.now()
  /**
   * Dead rows of a table up to its last vacuum.
   * @type {Map<string, number>}
   */
  #vacuumed = new Map()
  #stopped = false

  /** @param {import('./postgres.mjs').Postgres} postgres */
  constructor(postgres) {
    this.#postgres = postgres
  }

  async start() {
    while (!this.#stopped) {
      await this.#inTurn(() => this.#checkpoint()).catch((error) => this.#failed('checkpoint', error))
      if (performance.now() - this.#looked > VACUUM_MS) {
        await this.#vacuum().catch((error) => this.#failed('vacuum', error))
        this.#looked = performance.now()
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS).unref())
    }
  }

  stop() {
    this.#stopped = true
  }

  /**
   * @param {string} what
   * @param {Error} error
   */
  #failed(what, error) {
    if (!this.#stopped) log('error', `${what} failed`, { message: error.message })
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   */
  async #inTurn(work) {
    const release = await this.#postgres.turns.take({ patient: true })
    try {
      return this.#stopped ? undefined : await work()
    } finally {
      release()
    }
  }

  async #checkpoint() {
    const [{ bytes }] = await this.#postgres.query(this.#session, WRITTEN)
    this.#checkpointed ??= Number(bytes)
    if (Number(bytes) - this.#checkpointed < LOG_BYTES) return
    await this.#postgres.query(this.#session, 'checkpoint')
    this.#checkpointed = Number(bytes)
  }

  // One table a turn, so that clients come in between.
  async #vacuum() {
    const changed = (await this.#inTurn(() => this.#postgres.query(this.#session, CHANGED))) ?? []
    for (const { name, dead, limit } of changed) {
      const before = this.#vacuumed.get(name) ?? 0
      // After a crash it counts from zero.
      const since = Number(dead) < before ? Number(dead) : Number(dead) - before
      if (since <= Number(limit)) continue
      await this.#inTurn(async () => {
        const started = performance.now()
        await this.#postgres.query(this.#session, `vacuum ${name}`)
        log(ROUTINE, 'vacuumed', { table: name, seconds: Math.round(performance.now() - started) / 1000 })
      })
      this.#vacuumed.set(name, Number(dead))
    }
  }
}
