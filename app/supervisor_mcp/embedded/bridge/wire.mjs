// Messages of the PostgreSQL frontend/backend protocol, version 3.

export const SSL_REQUEST = 80877103
export const GSS_REQUEST = 80877104
export const CANCEL_REQUEST = 80877102
export const PROTOCOL_3 = 196608

const FRONTEND = new Set([...'BCDEFHPQSXcdf'].map((letter) => letter.charCodeAt(0)))
const HEADER = 5
export const STARTUP_LIMIT = 10_000
export const MESSAGE_LIMIT = 64 * 1024 * 1024

/** What a client sent that the protocol does not allow; all of it goes to the client. */
export class ProtocolViolation extends Error {
  /**
   * @param {string} text
   * @param {string} [sqlstate]
   * @param {{ hint?: string, unread?: number }} [more] `unread` bytes of the message are to come
   */
  constructor(text, sqlstate = '08P01', { hint, unread = 0 } = {}) {
    super(text)
    this.sqlstate = sqlstate
    this.hint = hint
    this.unread = unread
  }
}

/**
 * Cuts a byte stream into messages without copying a byte more than once.
 * The first messages have no type byte (`untyped`), the others one of FRONTEND.
 */
export class Framer {
  /** @type {Buffer[]} */
  #chunks = []
  #size = 0
  untyped = true

  /** @param {Buffer} chunk */
  push(chunk) {
    this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  /** The next whole message as a Buffer, header included, or undefined. */
  next() {
    const header = this.untyped ? 4 : HEADER
    if (this.#size < header) return undefined
    const start = this.#peek(header)
    const length = start.readInt32BE(header - 4)
    const limit = this.untyped ? STARTUP_LIMIT : MESSAGE_LIMIT
    if (!this.untyped && !FRONTEND.has(start[0])) {
      throw new ProtocolViolation(`invalid frontend message type ${start[0]}`)
    }
    if (length < 4 || (this.untyped && length > limit)) {
      throw new ProtocolViolation(`invalid message length ${length}`)
    }
    if (length > limit) {
      throw new ProtocolViolation(
        `message of ${length} bytes is too large; the limit is ${limit} bytes`,
        '54000',
        { hint: 'Send the data in several statements, or with COPY.', unread: length + 1 - this.#size },
      )
    }
    const total = length + header - 4
    return this.#size < total ? undefined : this.#take(total)
  }

  /** @param {number} count */
  #peek(count) {
    if (this.#chunks[0].length >= count) return this.#chunks[0]
    const bytes = Buffer.allocUnsafe(count)
    let filled = 0
    for (let i = 0; filled < count; i += 1) filled += this.#chunks[i].copy(bytes, filled)
    return bytes
  }

  /** @param {number} count */
  #take(count) {
    this.#size -= count
    const first = this.#chunks[0]
    if (first.length > count) {
      this.#chunks[0] = first.subarray(count)
      return first.subarray(0, count)
    }
    if (first.length === count) {
      this.#chunks.shift()
      return first
    }
    const bytes = Buffer.allocUnsafe(count)
    let filled = 0
    let used = 0
    while (filled < count) {
      const chunk = this.#chunks[used]
      const copied = chunk.copy(bytes, filled)
      filled += copied
      if (copied < chunk.length) this.#chunks[used] = chunk.subarray(copied)
      else used += 1
    }
    this.#chunks.splice(0, used)
    return bytes
  }
}

/**
 * The fields of a startup message as a plain object.
 * @param {Buffer} frame
 */
export function startupParameters(frame) {
  const parts = frame.toString('utf8', 8).split('\0')
  /** @type {Record<string, string>} */
  const parameters = {}
  for (let i = 0; i + 1 < parts.length && parts[i] !== ''; i += 2) parameters[parts[i]] = parts[i + 1]
  return parameters
}

/**
 * @param {string} type
 * @param {Buffer[]} parts
 */
function message(type, ...parts) {
  const body = Buffer.concat(parts)
  const header = Buffer.alloc(HEADER)
  header.write(type, 'latin1')
  header.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([header, body])
}

/** @param {string} text */
const cstring = (text) => Buffer.from(`${text}\0`)

/** @param {number} number */
function int32(number) {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(number)
  return bytes
}

export const SYNC = message('S')
/** @param {string} sql */
export const query = (sql) => message('Q', cstring(sql))
/** @param {string} reason */
export const copyFail = (reason) => message('f', cstring(reason))
/**
 * Parse of `sql` with no parameter types.
 * @param {string} name
 * @param {string} sql
 */
export const parse = (name, sql) => message('P', cstring(name), cstring(sql), Buffer.alloc(2))
export const authenticationOk = () => message('R', int32(0))
/**
 * @param {string} name
 * @param {string} value
 */
export const parameterStatus = (name, value) => message('S', cstring(name), cstring(value))
/**
 * @param {number} pid
 * @param {number} secret
 */
export const backendKeyData = (pid, secret) => message('K', int32(pid), int32(secret))
/** @param {string} status */
export const readyForQuery = (status) => message('Z', Buffer.from(status))
/**
 * Offers 3.0 to a client that asked for a later minor version or for extensions.
 * @param {string[]} options
 */
export const negotiateProtocol = (options) =>
  message('v', int32(PROTOCOL_3), int32(options.length), ...options.map(cstring))

/**
 * @param {string} type
 * @param {Record<string, string | undefined>} fields by their letter
 */
function report(type, fields) {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined)
  return message(type, ...present.map(([key, value]) => cstring(key + value)), Buffer.alloc(1))
}

/**
 * An ErrorResponse.
 * @param {{ severity?: string, sqlstate: string, message: string, detail?: string, hint?: string }} error
 */
export const errorResponse = ({ severity = 'ERROR', sqlstate, message: text, detail, hint }) =>
  report('E', { S: severity, V: severity, C: sqlstate, M: text, D: detail, H: hint })
/**
 * `bytes` with other words in its last error, where that has the SQLSTATE of `error`.
 * @param {Uint8Array} bytes
 * @param {{ sqlstate: string, message: string, detail?: string, hint?: string }} error
 * @returns {Uint8Array}
 */
export function reworded(bytes, error) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const at = buffer.lastIndexOf(`SERROR\0VERROR\0C${error.sqlstate}\0`) - HEADER
  if (at < 0) return bytes
  const end = at + 1 + buffer.readInt32BE(at + 1)
  return Buffer.concat([buffer.subarray(0, at), errorResponse(error), buffer.subarray(end)])
}
/**
 * A NoticeResponse; a warning if not said otherwise.
 * @param {{ severity?: string, sqlstate?: string, message: string, detail?: string, hint: string }} notice
 */
export const notice = ({ severity = 'WARNING', sqlstate = '01000', message: text, detail, hint }) =>
  report('N', { S: severity, V: severity, C: sqlstate, M: text, D: detail, H: hint })

/**
 * Every message in `bytes` as [type letter, body].
 * @param {Uint8Array} bytes
 * @returns {Generator<[string, Buffer]>}
 */
export function* messages(bytes) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < buffer.length; ) {
    const end = at + 1 + buffer.readInt32BE(at + 1)
    yield [String.fromCharCode(buffer[at]), buffer.subarray(at + HEADER, end)]
    at = end
  }
}

/**
 * The fields of an ErrorResponse or NoticeResponse body by their letter.
 * @param {Buffer} body
 * @returns {Record<string, string>}
 */
export function errorFields(body) {
  const parts = body.toString('utf8').split('\0').filter((part) => part !== '')
  return Object.fromEntries(parts.map((part) => [part[0], part.slice(1)]))
}

/**
 * The text up to the next zero byte from `at`.
 * @param {Buffer} frame
 * @param {number} at
 */
export function cstringAt(frame, at) {
  const end = frame.indexOf(0, at)
  return frame.toString('latin1', at, end < 0 ? frame.length : end)
}

/**
 * The SQL of a Query or Parse message, byte for byte.
 * @param {Buffer} frame
 */
export function sqlOf(frame) {
  const at = frame[0] === 0x51 ? HEADER : frame.indexOf(0, HEADER) + 1
  return cstringAt(frame, at)
}
