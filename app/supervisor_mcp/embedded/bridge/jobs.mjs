// TimescaleDB's scheduler in place of its background workers: due jobs, one at a time.

import { log, ROUTINE } from './log.mjs'
import { Session } from './session.mjs'

const POLL_MS = 1_000
// Of TimescaleDB's job_stat.c: how far a failing job backs off.
const MAX_FAILURES_MULTIPLIER = 20
const MAX_INTERVALS_BACKOFF = 5
// How long a job that can pause may keep the clients of the only backend waiting.
const TURN = '100 ms'
// What the log warns of: clients have waited for longer than any of them should.
const LONG_SECONDS = 5
const NATIVE = 'a native TimescaleDB server runs jobs beside requests'
// Clients that waited for a job then have the backend for as long as it had, at most for this time.
const REST_MS = 2_000

const DUE = `
  select job_id, proc_name, concat_ws(' of ', proc_name, hypertable_schema || '.' || hypertable_name) as name, pg_catalog.pg_get_userbyid(owner) as owner, max_retries, next_start,
    coalesce(config ->> 'statement_timeout', extract(epoch from max_runtime) * 1000 || 'ms') as statement_timeout
  from timescaledb_information.jobs
  where scheduled
    and coalesce(nullif(next_start, '-infinity'), initial_start, '-infinity') <= clock_timestamp()
  order by coalesce(nullif(next_start, '-infinity'), initial_start, '-infinity'), job_id`

// The columnstore policy converts all chunks in one call, which can take minutes: here it converts one
// a turn, and is due again a minute after it has changed something.
const ONE_CHUNK = `
  select public.alter_job(job_id, config => config || '{"maxchunks_to_compress": 1}')
  from timescaledb_information.jobs
  where proc_name = 'policy_compression' and not config ? 'maxchunks_to_compress'`
const CHUNKS = 'select sum(id::numeric * (status + 1)) as state from _timescaledb_catalog.chunk'
const SOON = `clock_timestamp() + interval '1 minute'`

// The slot after now on a fixed schedule, one interval from now on a drifting one.
const AFTER_SUCCESS = `
  case
    when not fixed_schedule or initial_start is null then clock_timestamp() + schedule_interval
    when extract(year from schedule_interval) * 12 + extract(month from schedule_interval) > 0 then (
      select min(slot)
      from generate_series(initial_start, clock_timestamp() + schedule_interval, schedule_interval) as slot
      where slot > clock_timestamp())
    else initial_start + schedule_interval * (1 + floor(
      extract(epoch from clock_timestamp() - initial_start) / extract(epoch from schedule_interval)))
  end`

/** @param {number} failures in a row */
const afterFailure = (failures) => `
  clock_timestamp() + least(
    retry_period * ${Math.min(failures, MAX_FAILURES_MULTIPLIER)},
    schedule_interval * ${MAX_INTERVALS_BACKOFF})`

// What TimescaleDB's scheduler keeps of a run, for timescaledb_information.job_stats.
/**
 * @param {string} job
 * @param {boolean} success
 * @param {number} seconds
 */
const runOf = (job, success, seconds) => `
  update _timescaledb_internal.bgw_job_stat
  set
    last_start = clock_timestamp() - make_interval(secs => ${seconds}),
    last_finish = clock_timestamp(),
    last_successful_finish = case when ${success} then clock_timestamp() else last_successful_finish end,
    last_run_success = ${success},
    total_runs = total_runs + 1,
    total_duration = total_duration + make_interval(secs => ${success ? seconds : 0}),
    total_duration_failures = total_duration_failures + make_interval(secs => ${success ? 0 : seconds}),
    total_successes = total_successes + ${success ? 1 : 0},
    total_failures = total_failures + ${success ? 0 : 1},
    consecutive_failures = case when ${success} then 0 else consecutive_failures + 1 end
  where job_id = ${job}`

/** @param {string | null} text */
const literal = (text) => (text === null ? 'null' : `'${text.replaceAll("'", "''")}'`)

export class Jobs {
  #postgres
  #session = new Session({ application_name: 'jobs' })
  /**
   * Failures in a row by job id.
   * @type {Map<string, number>}
   */
  #failures = new Map()
  /** @type {{ name: string, since: number } | undefined} */
  #current
  #stopped = false

  /** @param {import('./postgres.mjs').Postgres} postgres */
  constructor(postgres) {
    this.#postgres = postgres
  }

  /**
   * The job that has the backend, and for how many seconds.
   * @returns {{ name: string, seconds: number } | undefined}
   */
  get running() {
    if (!this.#current) return undefined
    return { name: this.#current.name, seconds: (performance.now() - this.#current.since) / 1000 }
  }

  /** Look for due jobs now and from then on. */
  async start() {
    while (!this.#stopped) {
      const pause = await this.#next().catch((error) => {
        if (!this.#stopped) log('error', 'job schedule unreadable', { message: error.message })
        return POLL_MS
      })
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause).unref())
    }
  }

  stop() {
    this.#stopped = true
  }

  // One job a turn, so that clients come in between. A job that could not be rescheduled is left
  // aside, because it would be due forever.
  /** @type {Set<string>} */
  #stuck = new Set()

  /** Run a job if one is due; for how many milliseconds none may run then. */
  async #next() {
    const release = await this.#postgres.turns.take({ patient: true })
    try {
      if (this.#stopped) return POLL_MS
      const due = await this.#postgres.query(this.#session, DUE)
      const job = due.find(({ job_id: id }) => !this.#stuck.has(id))
      if (!job) return POLL_MS
      const started = performance.now()
      await this.#run(job)
      return this.#postgres.turns.contended ? Math.min(performance.now() - started, REST_MS) : 0
    } finally {
      release()
    }
  }

  /** @param {import('./rows.mjs').Row} job */
  async #run(job) {
    const fields = { job_id: Number(job.job_id), name: job.name }
    const started = performance.now()
    const before = await this.#chunks(job)
    const error = await this.#call(job)
    const again = before !== (await this.#chunks(job))
    const seconds = Math.round(performance.now() - started) / 1000
    if (this.#stopped) return
    if (seconds > LONG_SECONDS) log('warning', `job ${job.name} held the database for ${seconds} s; ${NATIVE}`, fields)
    try {
      if (error) await this.#failed(job, { ...fields, seconds, error })
      else await this.#succeeded(job, { ...fields, seconds }, again ? SOON : AFTER_SUCCESS)
      await this.#postgres.query(this.#session, runOf(job.job_id, !error, seconds))
    } catch (fatal) {
      this.#stuck.add(job.job_id)
      log('error', 'job cannot be rescheduled', { ...fields, message: /** @type {Error} */ (fatal).message })
    }
  }

  /**
   * What a columnstore policy changes; of other jobs always the same.
   * @param {import('./rows.mjs').Row} job
   * @returns {Promise<string | undefined>}
   */
  async #chunks({ proc_name: procedure }) {
    if (procedure !== 'policy_compression' || this.#stopped) return undefined
    await this.#postgres.query(this.#session, ONE_CHUNK)
    const [{ state }] = await this.#postgres.query(this.#session, CHUNKS)
    return state
  }

  /**
   * Run a job; its error, if any.
   * @param {import('./rows.mjs').Row} job
   * @returns {Promise<any>}
   */
  async #call(job) {
    const session = new Session({
      user: job.owner,
      application_name: 'jobs',
      statement_timeout: job.statement_timeout,
      'supervisor.turn': TURN,
    })
    this.#current = { name: job.name, since: performance.now() }
    try {
      await this.#postgres.query(session, `call public.run_job(${job.job_id})`)
      return undefined
    } catch (error) {
      return error
    } finally {
      this.#current = undefined
      this.#postgres.forget(session)
    }
  }

  /**
   * @param {import('./rows.mjs').Row} job
   * @param {object} fields
   * @param {string} expression
   */
  async #succeeded(job, fields, expression) {
    this.#failures.delete(job.job_id)
    const next = await this.#reschedule(job, expression)
    log(ROUTINE, 'job ran', { ...fields, next_start: next })
  }

  /**
   * @param {import('./rows.mjs').Row} job
   * @param {Record<string, any>} failure its `error`, and fields of the log
   */
  async #failed(job, { error, ...fields }) {
    const failures = (this.#failures.get(job.job_id) ?? 0) + 1
    this.#failures.set(job.job_id, failures)
    const said = { ...fields, failures, sqlstate: error.sqlstate, message: error.message }
    if (Number(job.max_retries) >= 0 && failures >= Number(job.max_retries)) {
      await this.#postgres.query(this.#session, `select public.alter_job(${job.job_id}, scheduled => false)`)
      log('error', 'job failed and is unscheduled, for max_retries is reached', said)
      return
    }
    const next = await this.#reschedule(job, afterFailure(failures))
    log('error', 'job failed', { ...said, next_start: next })
  }

  /**
   * A job that set its own next start keeps it, and one that deleted itself has none.
   * @param {import('./rows.mjs').Row} job
   * @param {string} expression
   */
  async #reschedule(job, expression) {
    const [row] = await this.#postgres.query(this.#session, `
      select altered.next_start
      from timescaledb_information.jobs as job
      cross join lateral public.alter_job(job.job_id, next_start => ${expression}) as altered
      where job.job_id = ${job.job_id} and job.next_start is not distinct from ${literal(job.next_start)}`)
    return row?.next_start
  }
}
