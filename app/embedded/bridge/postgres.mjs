// The one backend: its thread, its turns and what is left in its session.

import { Worker } from 'node:worker_threads'

import { rows } from './rows.mjs'
import { Turns } from './turns.mjs'
import { query } from './wire.mjs'

export class Postgres {
  turns = new Turns()
  parameters = {}
  #worker
  #answer

  /** Resolves when the server takes messages. */
  async start({ packages, pgdata }) {
    this.#worker = new Worker(new URL('./engine.mjs', import.meta.url), {
      workerData: { packages, pgdata },
      resourceLimits: { maxOldGenerationSizeMb: 4096 },
    })
    this.#worker.on('message', (bytes) => this.#answer.resolve(bytes))
    this.#worker.on('error', (error) => this.#answer?.reject(error))
    await new Promise((resolve, reject) => {
      this.#answer = { resolve, reject }
    })
    await this.#load()
  }

  /** Run frontend messages; only the holder of the turn may call it. */
  run(bytes) {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject }
      this.#worker.postMessage(bytes)
    })
  }

  /** The rows of the last statement of `sql`, as text; throws SqlError. */
  async query(sql) {
    return rows(await this.run(query(sql)))
  }

  async close() {
    const gone = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage(null)
    await gone
  }

  // TimescaleDB is not preloaded: the loader comes with the first of its functions, the
  // Community module with the first of its own types, which has to fail on this value.
  async #load() {
    await this.query(`set client_min_messages = warning; set log_min_messages = warning; set timezone = 'UTC'`)
    await this.query('create extension if not exists timescaledb')
    await this.query(`select public.time_bucket('1 hour'::interval, now())`)
    await this.query(`select 'AA'::_timescaledb_internal.compressed_data`).catch(() => {})
    await this.query('set client_min_messages = notice')
    const names = ['server_version', 'server_encoding', 'client_encoding', 'DateStyle', 'IntervalStyle',
      'integer_datetimes', 'standard_conforming_strings', 'TimeZone', 'is_superuser']
    for (const name of names) {
      const [row] = await this.query(`select current_setting('${name}') as value`)
      this.parameters[name] = row.value
    }
  }
}
