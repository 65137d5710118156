// The one backend: its thread, its turns, and whose session it holds.

import { MessageChannel, Worker } from 'node:worker_threads'

import { GIVEN, UNSENT } from './exchange.mjs'
import { Interrupts } from './interrupts.mjs'
import { log } from './log.mjs'
import { rows } from './rows.mjs'
import { Session } from './session.mjs'
import { Turns } from './turns.mjs'
import { SYNC, copyFail, query } from './wire.mjs'

const TICK_MS = 50
const PEEK = [
  'set local session authorization postgres',
  'set local search_path = pg_catalog',
  'set local statement_timeout = 0',
  `set local datestyle = 'ISO'`,
].join('; ')
export const CANCELED = 'canceling statement due to user request'
const REPORTED = ['server_version', 'server_encoding', 'client_encoding', 'DateStyle', 'IntervalStyle', 'TimeZone']

/** The statement ended the server, which runs again. */
export class Crash extends Error {}

/** @typedef {{ packages?: string, pgdata?: string }} Where */

/**
 * Who runs messages: `send` takes a piece of the answer, which may end within a message when it is
 * `partial`, and calls `sent` when it is out of this process; `more` resolves with data for a COPY.
 * @typedef {object} Asker
 * @property {(output: Uint8Array, sent: () => void, partial: boolean) => void} send
 * @property {() => Promise<Uint8Array>} more
 */

/**
 * @param {Uint8Array[]} answer
 * @returns {Asker}
 */
const collecting = (answer) => ({
  send: (output, sent) => {
    answer.push(output)
    sent()
  },
  more: () => Promise.resolve(copyFail('there is no data')),
})

export class Postgres {
  turns = new Turns()
  /**
   * What a client receives at its start.
   * @type {Record<string, string>}
   */
  parameters = { integer_datetimes: 'on', standard_conforming_strings: 'on' }
  #where
  #interrupts = new Interrupts()
  /** @type {Worker | undefined} */
  #worker
  /** @type {{ resolve: (value: any) => void, reject: (error: any) => void } | undefined} */
  #pending
  /** @type {Asker | undefined} */
  #asker
  /** @type {number | undefined} */
  #asked
  #shared = new Int32Array(new SharedArrayBuffer(8))
  #given = new MessageChannel().port1
  #runs = 0
  #startedAt = 0
  /** @type {number | undefined} */
  #cancelled
  /** @type {Session | undefined} */
  #session
  /** @type {string | undefined} */
  #setup
  #dirty = true
  #closing = false

  /** @param {Where} where the packages and the cluster are */
  constructor(where) {
    this.#where = where
    setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Resolves when the server takes messages. */
  async start() {
    await this.#boot()
    for (const name of REPORTED) {
      const [row] = await this.query(`select pg_catalog.current_setting('${name}') as value`)
      this.parameters[name] = row.value
    }
  }

  /**
   * Run frontend messages and resolve with the answer; only the holder of the turn may call it.
   * Rejects with Crash when the server died of them and was started again.
   * @param {Uint8Array} bytes
   */
  async run(bytes) {
    /** @type {Uint8Array[]} */
    const answer = []
    await this.serve(bytes, collecting(answer))
    return Buffer.concat(answer)
  }

  /**
   * Do what `run` does and pass the answer on while it is made; resolves with the transaction
   * status, or undefined where the answer does not end with one.
   * @param {Uint8Array} bytes
   * @param {Asker} asker
   * @returns {Promise<string | undefined>}
   */
  async serve(bytes, asker) {
    try {
      return await this.#post(bytes, asker)
    } catch (error) {
      if (this.#closing) throw new Crash('closing')
      log('error', 'server crashed', { message: String(error) })
      await this.#boot().catch((fatal) => {
        log('error', 'server does not start again', { message: String(fatal) })
        process.exit(1)
      })
      throw new Crash(String(error))
    }
  }

  /**
   * The rows of the last statement of `sql`, as text; throws SqlError.
   * @param {string} sql
   */
  async query(sql) {
    return rows(await this.run(query(sql)))
  }

  /**
   * The rows of a query that leaves the session, whose ever it is, as it was.
   * @param {string} sql
   */
  async peek(sql) {
    return rows(await this.run(Buffer.concat([query(`begin; ${PEEK}; ${sql}`), query('rollback')])))
  }

  /**
   * Bring the backend into the state of `session`; throws SqlError when its setup fails.
   * @param {Session} session
   */
  async enter(session) {
    if (this.#session === session) return
    const { setup } = session
    this.#session = undefined
    if (this.#dirty || this.#setup !== setup) {
      this.#dirty = true
      await this.query('discard all')
      await this.query(setup)
      this.#setup = setup
      this.#dirty = false
    }
    if (session.prepared.size > 0) {
      this.#dirty = true
      await this.run(Buffer.concat([...session.prepared.values()].flatMap((parse) => [parse, SYNC])))
    }
    this.#session = session
  }

  /** What runs now may leave something behind in the session. */
  markDirty() {
    this.#dirty = true
  }

  /** The session has to be set up again for the next client. */
  forget() {
    this.#session = undefined
    this.#dirty = true
  }

  /** Cancel what runs now as SIGINT would: SQLSTATE 57014. */
  interrupt() {
    if (!this.#startedAt) return
    this.#cancelled = this.#runs
    if (this.#asked === undefined) this.#interrupts.call('interrupt', this.#runs)
    else this.#give(this.#asked, copyFail(CANCELED))
  }

  async close() {
    this.#closing = true
    const worker = /** @type {Worker} */ (this.#worker)
    const gone = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage(null)
    await gone
  }

  // The first call of an interrupt may have come before the thread took up the run.
  #tick() {
    if (!this.#startedAt || this.#asked !== undefined || Date.now() - this.#startedAt < TICK_MS) return
    this.#interrupts.call(this.#cancelled === this.#runs ? 'interrupt' : 'tick', this.#runs)
  }

  /**
   * @param {Uint8Array} bytes
   * @param {Asker} [asker]
   * @returns {Promise<any>}
   */
  #post(bytes, asker) {
    this.#runs += 1
    this.#startedAt = Date.now()
    this.#asker = asker
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      this.#worker?.postMessage({ id: this.#runs, bytes })
    })
  }

  /** @param {any} message of the worker */
  #hear(message) {
    if (message.output) this.#send(message.output, !message.asks && !message.ends)
    if (message.asks) this.#ask(message.asks)
    if (message.withdraws === this.#asked) this.#asked = undefined
    if (message.ends) this.#settle('resolve', message.status)
  }

  /**
   * @param {Uint8Array} output
   * @param {boolean} partial
   */
  #send(output, partial) {
    const run = this.#runs
    const sent = () => {
      // The worker counts from zero in each run.
      if (run !== this.#runs) return
      Atomics.sub(this.#shared, UNSENT, output.length)
      Atomics.notify(this.#shared, UNSENT)
    }
    this.#asker?.send(output, sent, partial)
  }

  /** @param {number} asked */
  #ask(asked) {
    this.#asked = asked
    if (this.#cancelled === this.#runs) this.#give(asked, copyFail(CANCELED))
    else this.#asker?.more().then((bytes) => this.#give(asked, bytes))
  }

  /**
   * @param {number} asked
   * @param {Uint8Array} bytes
   */
  #give(asked, bytes) {
    if (asked !== this.#asked) return
    this.#asked = undefined
    this.#given.postMessage({ asked, bytes })
    Atomics.add(this.#shared, GIVEN, 1)
    Atomics.notify(this.#shared, GIVEN)
  }

  /**
   * @param {'resolve' | 'reject'} how
   * @param {any} value
   */
  #settle(how, value) {
    this.#startedAt = 0
    this.#asked = undefined
    const pending = this.#pending
    this.#pending = undefined
    pending?.[how](value)
  }

  async #boot() {
    this.#session = undefined
    this.#dirty = true
    const able = await new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      const { port1, port2 } = new MessageChannel()
      const worker = new Worker(new URL('./engine.mjs', import.meta.url), {
        workerData: { ...this.#where, given: port2, shared: this.#shared },
        transferList: [port2],
      })
      this.#worker = worker
      this.#given = port1
      worker.once('message', (first) => {
        this.#settle('resolve', first)
        worker.on('message', (message) => this.#hear(message))
      })
      worker.on('error', (error) => this.#settle('reject', error))
      worker.on('exit', (code) => {
        // After an error the next worker may have begun.
        if (worker === this.#worker) this.#settle('reject', new Error(`exit ${code}`))
      })
    })
    if (!able.interruptible || !able.timeouts) log('warning', 'statements cannot be cancelled', able)
    await this.#load()
  }

  // TimescaleDB is not preloaded: the loader comes with the first of its functions, the
  // Community module with the first of its own types, which has to fail on this value.
  async #load() {
    const { setup } = new Session()
    const post = async (/** @type {string} */ sql) => {
      /** @type {Uint8Array[]} */
      const answer = []
      await this.#post(query(sql), collecting(answer))
      return rows(Buffer.concat(answer))
    }
    await post(`${setup}; set client_min_messages = warning`)
    await post('create extension if not exists timescaledb schema public')
    await post(`select public.time_bucket('1 hour'::interval, now())`)
    await post(`select 'AA'::_timescaledb_internal.compressed_data`).catch(() => {})
  }
}
