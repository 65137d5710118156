// The start of a connection: what a client asks for before its first statement, and the answer.

import * as wire from './wire.mjs'

const STARTUP_MS = 10_000

export class Startup {
  #socket
  #cancel
  #timer

  /**
   * @param {import('node:net').Socket} socket is closed when the startup message does not come in time
   * @param {(pid: number, secret: number) => void} cancel does what a cancel request asks for
   */
  constructor(socket, cancel) {
    this.#socket = socket
    this.#cancel = cancel
    this.#timer = setTimeout(() => socket.destroy(), STARTUP_MS)
  }

  /**
   * Answer a message without a type; the parameters when it is the startup message, the last one.
   * @param {Buffer} frame
   */
  answer(frame) {
    const code = frame.length < 8 ? 0 : frame.readInt32BE(4)
    if (code === wire.SSL_REQUEST || code === wire.GSS_REQUEST) {
      this.#socket.write('N')
    } else if (code === wire.CANCEL_REQUEST) {
      if (frame.length === 16) this.#cancel(frame.readInt32BE(8), frame.readInt32BE(12))
      this.#socket.destroy()
    } else if (code >> 16 === 3) {
      this.end()
      const parameters = wire.startupParameters(frame)
      if (code !== wire.PROTOCOL_3) {
        const extensions = Object.keys(parameters).filter((name) => name.startsWith('_pq_.'))
        this.#socket.write(wire.negotiateProtocol(extensions))
      }
      return parameters
    } else {
      throw new wire.ProtocolViolation('unsupported frontend protocol', '0A000')
    }
    return undefined
  }

  /** Wait for the startup message no longer. */
  end() {
    clearTimeout(this.#timer)
  }
}

/**
 * What a client is sent that is let in.
 * @param {import('./session.mjs').Session} session
 * @param {{ superuser: 'on' | 'off', parameters: Record<string, string>, pid: number, secret: number }} backend
 */
export function welcome({ user, settings }, { superuser, parameters, pid, secret }) {
  /** @type {Record<string, string>} */
  const reportable = { application_name: '', ...parameters }
  for (const [name, value] of Object.entries(settings)) {
    const reported = Object.keys(reportable).find((known) => known.toLowerCase() === name.toLowerCase())
    if (reported) reportable[reported] = value
  }
  const status = { ...reportable, is_superuser: superuser, session_authorization: user }
  return Buffer.concat([
    wire.authenticationOk(),
    ...Object.entries(status).map(([name, value]) => wire.parameterStatus(name, value)),
    wire.backendKeyData(pid, secret),
    wire.readyForQuery('I'),
  ])
}
