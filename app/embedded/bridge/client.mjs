// One connection: startup, batches of messages, and the turn while a transaction is open.

import { randomInt } from 'node:crypto'

import {
  CANCEL_REQUEST,
  Framer,
  GSS_REQUEST,
  PROTOCOL_3,
  ProtocolViolation,
  SSL_REQUEST,
  SYNC,
  authenticationOk,
  backendKeyData,
  errorResponse,
  finalStatus,
  negotiateProtocol,
  parameterStatus,
  query,
  readyForQuery,
  startupParameters,
} from './wire.mjs'

const [QUERY, SYNC_TYPE, FLUSH, CALL, TERMINATE] = [...'QSHFX'].map((letter) => letter.charCodeAt(0))
const BATCH_END = new Set([QUERY, SYNC_TYPE, FLUSH, CALL])
// Ends whatever is open: a block, an implicit transaction without Sync, or a skipped pipeline.
const ABANDON = Buffer.concat([query('rollback'), SYNC, query('rollback')])

export class Client {
  #socket
  #postgres
  #options
  #framer = new Framer()
  #batch = []
  #batches = []
  #release
  #timer
  #pumping = false
  #closed = false

  constructor(socket, postgres, options) {
    this.#socket = socket
    this.#postgres = postgres
    this.#options = options
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => this.#leave())
  }

  /** End the connection with a FATAL error. */
  end(sqlstate, message, hint) {
    if (this.#closed) return
    this.#socket.end(errorResponse({ severity: 'FATAL', sqlstate, message, hint }))
    this.#socket.destroySoon()
    this.#leave()
  }

  #receive(chunk) {
    if (this.#closed) return
    this.#framer.push(chunk)
    try {
      for (let frame = this.#framer.next(); frame && !this.#closed; frame = this.#framer.next()) {
        if (this.#framer.untyped) this.#startup(frame)
        else this.#collect(frame)
      }
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error
      this.end(error.sqlstate, error.message)
    }
  }

  #startup(frame) {
    const code = frame.length < 8 ? 0 : frame.readInt32BE(4)
    if (code === SSL_REQUEST || code === GSS_REQUEST) {
      this.#socket.write('N')
      return
    }
    if (code === CANCEL_REQUEST) {
      this.#socket.destroy()
      return
    }
    if (code >> 16 !== 3) throw new ProtocolViolation('unsupported frontend protocol', '0A000')
    const parameters = startupParameters(frame)
    if (code !== PROTOCOL_3) {
      const extensions = Object.keys(parameters).filter((name) => name.startsWith('_pq_.'))
      this.#socket.write(negotiateProtocol(extensions))
    }
    this.#framer.untyped = false
    this.#welcome(parameters)
  }

  #welcome(parameters) {
    const status = { ...this.#postgres.parameters, session_authorization: parameters.user }
    this.#socket.write(
      Buffer.concat([
        authenticationOk(),
        ...Object.entries(status).map(([name, value]) => parameterStatus(name, value)),
        backendKeyData(randomInt(1, 2 ** 31), randomInt(0, 2 ** 31)),
        readyForQuery('I'),
      ]),
    )
  }

  #collect(frame) {
    if (frame[0] === TERMINATE) {
      this.#socket.end()
      this.#leave()
      return
    }
    this.#batch.push(frame)
    if (!BATCH_END.has(frame[0])) return
    this.#batches.push(this.#batch)
    this.#batch = []
    this.#pump()
  }

  async #pump() {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#batches.length > 0 && !this.#closed) await this.#run(this.#batches.shift())
    this.#pumping = false
    if (this.#closed) await this.#giveBack()
  }

  async #run(batch) {
    clearTimeout(this.#timer)
    this.#release ??= await this.#postgres.turns.take()
    if (this.#closed) return
    const answer = await this.#postgres.run(Buffer.concat(batch))
    const status = batch.at(-1)[0] === FLUSH ? 'open' : finalStatus(answer)
    if (status === 'I') this.#yield()
    if (this.#closed) return
    this.#socket.write(answer)
    if (status !== 'I') this.#watch()
  }

  #watch() {
    const limit = this.#options.idleInTransactionSeconds
    this.#timer = setTimeout(() => {
      this.end('25P03', 'terminating connection due to idle-in-transaction timeout')
    }, limit * 1000)
  }

  #yield() {
    this.#release?.()
    this.#release = undefined
  }

  #leave() {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    if (!this.#pumping) this.#giveBack()
  }

  async #giveBack() {
    if (!this.#release) return
    await this.#postgres.run(ABANDON)
    this.#yield()
  }
}
