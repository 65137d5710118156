// The one backend: what it runs, its turns, and whose session it holds.

import { Current } from './current.mjs'
import { Interrupts } from './interrupts.mjs'
import { log } from './log.mjs'
import { rows, SqlError } from './rows.mjs'
import { Session } from './session.mjs'
import { Thread } from './thread.mjs'
import { Turns } from './turns.mjs'
import { copyFail, query } from './wire.mjs'

const TICK_MS = 50
// A statement that does not look at its cancellation, such as pg_sleep(), may go on for so long.
const GRACE_MS = 5_000
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
  #thread
  #interrupts = new Interrupts()
  /** @type {{ resolve: (value: any) => void, reject: (error: any) => void } | undefined} */
  #pending
  #asker = collecting([])
  /** @type {number | undefined} */
  #asked
  #runs = 0
  #startedAt = 0
  /** @type {number | undefined} */
  #cancelled
  /**
   * When the cancellation of what runs was insisted on.
   * @type {number | undefined}
   */
  #insisted
  #current = new Current()
  #own = new Session()
  #starting = false
  #closing = false

  /**
   * @param {Where} where the packages and the cluster are
   * @param {typeof Thread} Kind of the thread of the backend
   */
  constructor(where, Kind = Thread) {
    this.#thread = new Kind(where, {
      started: (first) => this.#settle('resolve', first),
      hear: (message) => this.#hear(message),
      ended: (error) => this.#settle('reject', error),
    })
    setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Resolves when the server takes messages. */
  async start() {
    await this.#boot()
    for (const name of REPORTED) {
      const [row] = await this.query(this.#own, `select pg_catalog.current_setting('${name}') as value`)
      this.parameters[name] = row.value
    }
  }

  /**
   * Run frontend messages in a session and resolve with the answer; only the holder of the turn
   * may call it. Rejects with Crash when the server died of them and was started again, with
   * SqlError when the session is lost.
   * @param {Session} session
   * @param {Uint8Array} bytes
   */
  async run(session, bytes) {
    /** @type {Uint8Array[]} */
    const answer = []
    await this.serve(session, bytes, collecting(answer))
    return Buffer.concat(answer)
  }

  /**
   * Do what `run` does and pass the answer on while it is made; resolves with the transaction
   * status, or undefined where the answer does not end with one.
   * @param {Session} session
   * @param {Uint8Array} bytes
   * @param {Asker} asker
   * @returns {Promise<string | undefined>}
   */
  async serve(session, bytes, asker) {
    if (session.lost) {
      throw new SqlError({
        C: '57P02',
        M: 'the embedded server crashed, and what this session has set is lost',
        H: 'Nothing that was committed is lost; connect again.',
      })
    }
    try {
      return await this.#post(session, bytes, asker)
    } catch (error) {
      if (error instanceof SqlError) throw error
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
   * @param {Session} session
   * @param {string} sql
   */
  async query(session, sql) {
    return rows(await this.run(session, query(sql)))
  }

  /**
   * Whether the user of a new session is a superuser; throws SqlError if it cannot be opened.
   * @param {Session} session
   */
  async admit(session) {
    const [role] = await this.query(this.#own, session.roleQuery)
    if (!role) {
      throw new SqlError({
        C: '28000',
        M: `role "${session.user}" does not exist`,
        H: 'Connect as "postgres", or create the role first.',
      })
    }
    // As the user, so that settings which only a superuser may change are refused.
    rows(await this.run(this.#own, Buffer.concat([query(`begin; ${session.trial}`), query('rollback')])))
    return role.rolsuper === 't'
  }

  /**
   * A session has ended.
   * @param {Session} session
   */
  forget(session) {
    this.#current.forget(session)
  }

  /**
   * Cancel what runs now as SIGINT would: SQLSTATE 57014. With `insist`, a statement that goes on
   * while others wait ends with the server, which starts again.
   */
  interrupt({ insist = false } = {}) {
    if (!this.#startedAt || this.#starting) return
    this.#cancelled = this.#runs
    if (insist) this.#insisted ??= Date.now()
    if (this.#asked === undefined) this.#interrupts.call('interrupt', this.#runs)
    else this.#give(this.#asked, copyFail(CANCELED))
  }

  async close() {
    this.#closing = true
    await this.#thread.close()
  }

  // The first call of an interrupt may have come before the thread took up the run.
  #tick() {
    if (this.#insisted && Date.now() - this.#insisted > GRACE_MS && this.turns.contended) {
      this.#insisted = undefined
      this.#thread.terminate()
    }
    if (!this.#startedAt || this.#asked !== undefined || Date.now() - this.#startedAt < TICK_MS) return
    this.#interrupts.call(this.#cancelled === this.#runs ? 'interrupt' : 'tick', this.#runs)
  }

  /**
   * @param {Session} session
   * @param {Uint8Array} bytes
   * @param {Asker} asker
   * @returns {Promise<any>}
   */
  #post(session, bytes, asker) {
    this.#runs += 1
    this.#startedAt = Date.now()
    this.#asker = asker
    const message = { id: this.#runs, bytes, ...this.#current.pass(session) }
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      this.#thread.post(message)
    })
  }

  /** @param {any} message of the worker */
  #hear(message) {
    if (message.output) this.#send(message.output, !message.asks && !message.ends)
    if (message.asks) this.#ask(message.asks)
    if (message.withdraws === this.#asked) this.#asked = undefined
    if (message.changed !== undefined) this.#current.note(message.changed)
    if (message.refused) this.#lose(message.refused)
    if (message.ends) this.#settle('resolve', message.status)
  }

  /** @param {string} setting */
  #lose(setting) {
    this.#current.leave()
    const message = `setting "${setting}" of this session cannot be put back`
    this.#settle('reject', new SqlError({ C: '57P01', M: message, H: 'Connect again.' }))
  }

  /**
   * @param {Uint8Array} output
   * @param {boolean} partial
   */
  #send(output, partial) {
    const run = this.#runs
    const sent = () => {
      // The thread counts from zero in each run.
      if (run === this.#runs) this.#thread.sent(output.length)
    }
    this.#asker.send(output, sent, partial)
  }

  /** @param {number} asked */
  #ask(asked) {
    this.#asked = asked
    if (this.#cancelled === this.#runs) this.#give(asked, copyFail(CANCELED))
    else this.#asker.more().then((bytes) => this.#give(asked, bytes))
  }

  /**
   * @param {number} asked
   * @param {Uint8Array} bytes
   */
  #give(asked, bytes) {
    if (asked !== this.#asked) return
    this.#asked = undefined
    this.#thread.give(asked, bytes)
  }

  /**
   * @param {'resolve' | 'reject'} how
   * @param {any} value
   */
  #settle(how, value) {
    this.#startedAt = 0
    this.#insisted = undefined
    this.#asked = undefined
    const pending = this.#pending
    this.#pending = undefined
    pending?.[how](value)
  }

  async #boot() {
    this.#starting = true
    this.#current.reset()
    const able = await new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      this.#thread.start()
    })
    if (!able.interruptible || !able.timeouts) log('warning', 'statements cannot be cancelled', able)
    await this.#load()
    this.#starting = false
  }

  // TimescaleDB is not preloaded: the loader comes with the first of its functions, the
  // Community module with the first of its own types, which has to fail on this value.
  async #load() {
    const post = async (/** @type {string} */ sql) => {
      /** @type {Uint8Array[]} */
      const answer = []
      await this.#post(this.#own, query(sql), collecting(answer))
      return rows(Buffer.concat(answer))
    }
    await post('create extension if not exists timescaledb schema public')
    await post(`select public.time_bucket('1 hour'::interval, now())`)
    await post(`select 'AA'::_timescaledb_internal.compressed_data`).catch(() => {})
    // PGlite cannot load the functions that convert encodings: their first call ends the server.
    await post('update pg_catalog.pg_conversion set condefault = false where condefault')
  }
}
