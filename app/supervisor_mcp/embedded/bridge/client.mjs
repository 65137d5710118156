// One connection: startup, batches of messages, and the turn while a transaction is open.

import { randomInt } from 'node:crypto'

import { Batch, FLUSH } from './batch.mjs'
import { isCopyData } from './copy.mjs'
import { Outgoing } from './outgoing.mjs'
import { CANCELED } from './postgres.mjs'
import { SqlError } from './rows.mjs'
import { Session } from './session.mjs'
import * as wire from './wire.mjs'

const TERMINATE = 'X'.charCodeAt(0)
// Ends what is open: a block, an implicit transaction without Sync, or a skipped pipeline.
const ABANDON = Buffer.concat([wire.query('rollback'), wire.SYNC, wire.query('rollback')])

const STARTUP_MS = 10_000
const BATCH_LIMIT = 256 * 1024 * 1024
const QUEUE_LIMIT = 1_000

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
  #batch = new Batch()
  /** @type {Batch[]} */
  #batches = []
  /**
   * The last batch that is not yet answered.
   * @type {Batch | undefined}
   */
  #last
  /** @type {(() => void) | undefined} */
  #release
  #startup
  /** @type {NodeJS.Timeout | undefined} */
  #idle
  #busy = false
  #running = false
  /** Whether a transaction of this client is open. */
  #inside = false
  #superuser = false
  /**
   * Since when others have waited for this client.
   * @type {number | undefined}
   */
  #awaited
  #relented = false
  /** @type {((turn: undefined) => void) | undefined} */
  #abandon
  #skipping = false
  /** @type {wire.ProtocolViolation | undefined} */
  #violation
  #closed = false

  /**
   * @param {import('node:net').Socket} socket
   * @param {import('./postgres.mjs').Postgres} postgres
   * @param {{ idleInTransactionSeconds: number, patienceSeconds: number, cancel: (pid: number, secret: number) => void }} options
   */
  constructor(socket, postgres, options) {
    this.#socket = socket
    this.#outgoing = new Outgoing(socket)
    this.#postgres = postgres
    this.#options = options
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => this.#leave())
    this.#startup = setTimeout(() => socket.destroy(), STARTUP_MS)
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
    this.#abandon?.(undefined)
    if (this.#running) this.#postgres.interrupt({ insist: !this.#superuser })
  }

  /** End what keeps others waiting for too long; superusers, as the service is one, may. */
  relent() {
    if (this.#superuser || this.#closed || !this.#release || !this.#postgres.turns.contended) {
      this.#awaited = undefined
      return
    }
    this.#awaited ??= Date.now()
    const { patienceSeconds } = this.#options
    if (Date.now() - this.#awaited < patienceSeconds * 1000) return
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
    const code = frame.length < 8 ? 0 : frame.readInt32BE(4)
    if (code === wire.SSL_REQUEST || code === wire.GSS_REQUEST) {
      this.#socket.write('N')
    } else if (code === wire.CANCEL_REQUEST) {
      if (frame.length === 16) this.#options.cancel(frame.readInt32BE(8), frame.readInt32BE(12))
      this.#socket.destroy()
    } else if (code >> 16 === 3) {
      this.#framer.untyped = false
      clearTimeout(this.#startup)
      this.#greet(code, wire.startupParameters(frame))
    } else {
      throw new wire.ProtocolViolation('unsupported frontend protocol', '0A000')
    }
  }

  /**
   * @param {number} version
   * @param {Record<string, string>} parameters
   */
  async #greet(version, parameters) {
    if (version !== wire.PROTOCOL_3) {
      const extensions = Object.keys(parameters).filter((name) => name.startsWith('_pq_.'))
      this.#socket.write(wire.negotiateProtocol(extensions))
    }
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
    this.#welcome(superuser)
    this.#pump()
  }

  // A role or a setting may be refused, so they are tried before the client is let in.
  async #admit() {
    await this.#take()
    try {
      if (!this.#release || this.#closed) return undefined
      return (await this.#postgres.admit(this.#session)) ? 'on' : 'off'
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#yield()
    }
    return undefined
  }

  /** @param {'on' | 'off'} superuser */
  #welcome(superuser) {
    const { user, settings } = this.#session
    /** @type {Record<string, string>} */
    const reportable = { application_name: '', ...this.#postgres.parameters }
    for (const [name, value] of Object.entries(settings)) {
      const reported = Object.keys(reportable).find((known) => known.toLowerCase() === name.toLowerCase())
      if (reported) reportable[reported] = value
    }
    const status = { ...reportable, is_superuser: superuser, session_authorization: user }
    this.#socket.write(
      Buffer.concat([
        wire.authenticationOk(),
        ...Object.entries(status).map(([name, value]) => wire.parameterStatus(name, value)),
        wire.backendKeyData(this.pid, this.secret),
        wire.readyForQuery('I'),
      ]),
    )
  }

  /** @param {Buffer} frame */
  #collect(frame) {
    const type = frame[0]
    if (type === TERMINATE) {
      this.#socket.end()
      this.#leave()
      return
    }
    if (isCopyData(frame) && this.#batch.frames.length === 0) {
      this.#feed(frame)
      return
    }
    // psycopg ends a pipeline with Sync and Flush: what flushes nothing opens no transaction.
    if (type === FLUSH && this.#batch.frames.length === 0) return
    // Sending counts as not being idle.
    this.#idle?.refresh()
    const batch = this.#batch
    const ended = batch.add(frame)
    if (batch.bytes > BATCH_LIMIT) {
      throw new wire.ProtocolViolation(`more than ${BATCH_LIMIT} bytes before a Sync`, '54000')
    }
    if (!ended) return
    this.#batch = new Batch()
    this.#last?.copy.end('another message came before the end of the data')
    this.#last = batch
    this.#batches.push(batch)
    if (this.#batches.length > QUEUE_LIMIT) this.#socket.pause()
    this.#pump()
  }

  // After its COPY has failed, a client may still send data; the protocol says to skip it.
  /** @param {Buffer} frame */
  #feed(frame) {
    if (!this.#last) return
    this.#idle?.refresh()
    this.#last.copy.add(frame)
    if (this.#last.copy.full) this.#socket.pause()
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
    return this.#closed ? undefined : this.#batches.shift()
  }

  /** @param {Batch} batch */
  async #run(batch) {
    this.#unwatch()
    if (this.#skipping) {
      if (batch.syncs) this.#ready(batch)
      return
    }
    if (!this.#release) {
      await this.#take()
      if (this.#closed) return
      if (!this.#release) {
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
    if (this.#last === batch) this.#last = undefined
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
  /** @param {Batch} batch */
  #refuse(batch) {
    this.#socket.write(wire.errorResponse({ sqlstate: '57014', message: CANCELED }))
    if (batch.flushes) this.#skipping = true
    else this.#ready(batch)
  }

  /** @param {Batch} batch */
  #ready(batch) {
    this.#skipping = false
    if (this.#last === batch) this.#last = undefined
    this.#socket.write(wire.readyForQuery('I'))
  }

  // The server waits for data as in an open transaction.
  /** @param {Batch} batch */
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

  // A canceled wait ends without the turn.
  async #take() {
    const turn = this.#postgres.turns.take()
    const abandoned = new Promise((resolve) => {
      this.#abandon = resolve
    })
    this.#release = await Promise.race([turn, abandoned])
    this.#abandon = undefined
    if (!this.#release) turn.then((release) => release())
  }

  #yield() {
    this.#inside = false
    this.#awaited = undefined
    this.#release?.()
    this.#release = undefined
  }

  #leave() {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#startup)
    this.#unwatch()
    this.#last?.copy.end('the connection ended')
    this.cancel()
    if (!this.#busy) this.#giveBack()
  }

  async #giveBack() {
    if (this.#release) {
      await this.#postgres.run(this.#session, ABANDON).catch(() => {})
      this.#yield()
    }
    this.#postgres.forget(this.#session)
  }
}
