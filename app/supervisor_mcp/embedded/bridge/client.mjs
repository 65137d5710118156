// One connection: batches of messages, and the turn while a transaction is open.

import { randomInt } from 'node:crypto'

import { Incoming } from './incoming.mjs'
import { Outgoing } from './outgoing.mjs'
import { CANCELED } from './postgres.mjs'
import { SqlError } from './rows.mjs'
import { Session } from './session.mjs'
import { Startup, welcome } from './startup.mjs'
import { Turn } from './turn.mjs'
import * as wire from './wire.mjs'

// Of a notice for clients that wait for a job.
const JOB_HOLDS = '01SV1'
const TERMINATE = 'X'.charCodeAt(0)
// Ends what is open: a block, an implicit transaction without Sync, or a skipped pipeline.
const ABANDON = Buffer.concat([wire.query('rollback'), wire.SYNC, wire.query('rollback')])

export class Client {
  /** The key of a cancel request, sent to the client at its start. */
  pid = randomInt(1, 2 ** 31)
  secret = randomInt(1, 2 ** 31)
  #socket
  #outgoing
  #postgres
  #options
  #session = new Session()
  #framer = new wire.Framer()
  #incoming
  #turn
  #startup
  /** @type {NodeJS.Timeout | undefined} */
  #idle
  #busy = false
  #running = false
  /** Whether a transaction of this client is open. */
  #inside = false
  #superuser = false
  #relented = false
  #welcomed = false
  #skipping = false
  /** @type {wire.ProtocolViolation | undefined} */
  #violation
  #closed = false

  /**
   * @param {import('node:net').Socket} socket
   * @param {import('./postgres.mjs').Postgres} postgres
   * @param {{ idleInTransactionSeconds: number, patienceSeconds: number, stallSeconds: number, cancel: (pid: number, secret: number) => void }} options
   */
  constructor(socket, postgres, options) {
    this.#socket = socket
    this.#incoming = new Incoming(() => socket.pause())
    this.#outgoing = new Outgoing(socket, options.stallSeconds)
    this.#postgres = postgres
    this.#options = options
    this.#turn = new Turn(postgres.turns)
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => this.#leave())
    this.#startup = new Startup(socket, options.cancel)
  }

  /**
   * End the connection with a FATAL error.
   * @param {string} sqlstate
   * @param {string} message
   * @param {{ detail?: string, hint?: string }} more
   */
  end(sqlstate, message, { detail, hint } = {}) {
    if (this.#closed) return
    this.#outgoing.end({ sqlstate, message, detail, hint })
    this.#leave()
  }

  /** Cancel what this client is running or waiting to run, if anything. */
  cancel() {
    this.#turn.abandon()
    if (this.#running) this.#postgres.interrupt({ insist: !this.#superuser })
  }

  /**
   * Say for which job this client waits, if it does.
   * @param {{ name: string, seconds: number }} job
   */
  inform({ name, seconds }) {
    if (!this.#welcomed || this.#closed || !this.#turn.awaits) return
    const whole = Math.floor(seconds)
    this.#socket.write(wire.notice({
      severity: 'NOTICE',
      sqlstate: JOB_HOLDS,
      message: `waiting for job ${name}, which has held the database for ${whole} s`,
      detail: JSON.stringify({ job: name, job_seconds: whole }),
      hint: 'A native TimescaleDB server runs jobs beside requests.',
    }))
  }

  /** End what keeps others waiting for too long; superusers, as the service is one, may. */
  relent() {
    if (this.#superuser || this.#closed) return
    const { patienceSeconds } = this.#options
    const awaitedMs = this.#turn.awaitedMs
    if (awaitedMs === undefined || awaitedMs < patienceSeconds * 1000) return
    if (this.#inside) {
      this.end('25P04', 'terminating connection because its transaction keeps others waiting', {
        detail: `They have waited ${patienceSeconds} s.`,
        hint: 'Keep transactions short: the embedded server has one backend for all.',
      })
    } else if (this.#running) {
      this.#relented = true
      this.#postgres.interrupt({ insist: true })
    }
  }

  /** @param {Buffer} chunk */
  #receive(chunk) {
    if (this.#closed) return
    if (this.#violation) {
      this.#violate(this.#violation, chunk.length)
      return
    }
    this.#framer.push(chunk)
    try {
      for (let frame = this.#framer.next(); frame && !this.#closed; frame = this.#framer.next()) {
        if (this.#framer.untyped) this.#open(frame)
        else this.#collect(frame)
      }
    } catch (error) {
      if (!(error instanceof wire.ProtocolViolation)) throw error
      this.#violate(error, 0)
    }
  }

  // A driver that is cut off while it sends does not look for the reason.
  /**
   * @param {wire.ProtocolViolation} violation
   * @param {number} read
   */
  #violate(violation, read) {
    this.#violation = violation
    violation.unread -= read
    if (violation.unread <= 0) this.end(violation.sqlstate, violation.message, violation)
  }

  /** @param {Buffer} frame */
  #open(frame) {
    const parameters = this.#startup.answer(frame)
    if (!parameters) return
    this.#framer.untyped = false
    this.#greet(parameters)
  }

  /** @param {Record<string, string>} parameters */
  async #greet(parameters) {
    const database = parameters.database ?? parameters.user
    if (database !== 'postgres') {
      this.end('3D000', `database "${database}" does not exist`, {
        hint: 'The embedded server has one database, "postgres".',
      })
      return
    }
    this.#session = new Session(parameters)
    this.#busy = true
    const superuser = this.#session.plain ? 'on' : await this.#admit()
    this.#superuser = superuser === 'on'
    this.#busy = false
    if (this.#closed || superuser === undefined) return
    const { pid, secret } = this
    const { parameters: reported } = this.#postgres
    this.#welcomed = true
    this.#socket.write(welcome(this.#session, { superuser, parameters: reported, pid, secret }))
    this.#pump()
  }

  // A role or a setting may be refused, so they are tried before the client is let in.
  async #admit() {
    await this.#turn.take()
    try {
      if (!this.#turn.held || this.#closed) return undefined
      return (await this.#postgres.admit(this.#session)) ? 'on' : 'off'
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#yield()
    }
    return undefined
  }

  /** @param {Buffer} frame */
  #collect(frame) {
    const type = frame[0]
    if (type === TERMINATE) {
      this.#socket.end()
      this.#leave()
      return
    }
    const ended = this.#incoming.add(frame)
    // Sending counts as not being idle.
    if (ended !== undefined) this.#idle?.refresh()
    if (ended) this.#pump()
  }

  async #pump() {
    if (this.#busy) return
    this.#busy = true
    try {
      for (let batch = this.#next(); batch; batch = this.#next()) await this.#run(batch)
    } catch (error) {
      this.#fail(error)
    }
    this.#busy = false
    if (this.#closed) await this.#giveBack()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  #next() {
    return this.#closed ? undefined : this.#incoming.next()
  }

  /** @param {import('./batch.mjs').Batch} batch */
  async #run(batch) {
    this.#unwatch()
    if (this.#skipping) {
      if (batch.syncs) this.#ready(batch)
      return
    }
    if (!this.#turn.held) {
      await this.#turn.take()
      if (this.#closed) return
      if (!this.#turn.held) {
        this.#refuse(batch)
        return
      }
    }
    this.#running = true
    const status = await this.#postgres.serve(this.#session, Buffer.concat(batch.frames, batch.bytes), {
      send: (output, ...rest) => this.#outgoing.send(this.#worded(output), ...rest),
      more: () => this.#more(batch),
    })
    this.#running = false
    this.#unwatch()
    this.#incoming.answered(batch)
    this.#relented = false
    this.#inside = batch.flushes || status !== 'I'
    if (!this.#inside) this.#yield()
    if (this.#closed) return
    if (this.#inside) this.#watch()
    await this.#outgoing.drained()
  }

  /** @param {Uint8Array} output */
  #worded(output) {
    if (!this.#relented) return output
    return wire.reworded(output, {
      sqlstate: '57014',
      message: 'canceling statement because it keeps others waiting',
      detail: `They have waited ${this.#options.patienceSeconds} s.`,
      hint: 'Ask for less at a time, such as a shorter window: the embedded server has one backend for all.',
    })
  }

  // What the server would answer to a batch that is canceled before it runs.
  /** @param {import('./batch.mjs').Batch} batch */
  #refuse(batch) {
    this.#socket.write(wire.errorResponse({ sqlstate: '57014', message: CANCELED }))
    if (batch.flushes) this.#skipping = true
    else this.#ready(batch)
  }

  /** @param {import('./batch.mjs').Batch} batch */
  #ready(batch) {
    this.#skipping = false
    this.#incoming.answered(batch)
    this.#socket.write(wire.readyForQuery('I'))
  }

  // The server waits for data as in an open transaction.
  /** @param {import('./batch.mjs').Batch} batch */
  async #more(batch) {
    if (this.#closed) batch.copy.end('the connection ended')
    const data = batch.copy.more()
    if (batch.copy.wanted) this.#watch()
    const piece = await data
    this.#unwatch()
    this.#socket.resume()
    return piece
  }

  /** @param {any} error */
  #fail(error) {
    this.#running = false
    if (error instanceof SqlError) {
      this.end(error.sqlstate, error.message, error)
    } else {
      this.end('57P02', 'the embedded server crashed on this statement and was started again', {
        detail: error.message,
        hint: 'Nothing that was committed is lost; connect again.',
      })
    }
  }

  #watch() {
    this.#idle = setTimeout(() => {
      this.end('25P03', 'terminating connection due to idle-in-transaction timeout', {
        detail: 'An open transaction stops all other connections, also those of the same program.',
        hint: 'Commit before using another connection in the same thread, or use a native server.',
      })
    }, this.#options.idleInTransactionSeconds * 1000)
  }

  #unwatch() {
    clearTimeout(this.#idle)
    this.#idle = undefined
  }

  #yield() {
    this.#inside = false
    this.#turn.yield()
  }

  #leave() {
    if (this.#closed) return
    this.#closed = true
    this.#startup.end()
    this.#unwatch()
    this.#incoming.end()
    this.cancel()
    if (!this.#busy) this.#giveBack()
  }

  async #giveBack() {
    if (this.#turn.held) {
      await this.#postgres.run(this.#session, ABANDON).catch(() => {})
      this.#yield()
    }
    this.#postgres.forget(this.#session)
  }
}
