// The two sides of a client, for tests: its connection and the backend.

import { EventEmitter } from 'node:events'
import { setImmediate as rest } from 'node:timers/promises'

import { Turns } from '../../../app/supervisor_mcp/embedded/bridge/turns.mjs'
import * as wire from '../../../app/supervisor_mcp/embedded/bridge/wire.mjs'

/** The first message of a client. */
export function startup(parameters) {
  const body = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`).join('')
  const frame = Buffer.alloc(8 + body.length + 1)
  frame.writeInt32BE(frame.length)
  frame.writeInt32BE(196608, 4)
  frame.write(body, 8)
  return frame
}

/** What asks instead of a startup message to cancel what another client runs. */
export function cancelRequest(pid, secret) {
  const frame = Buffer.alloc(16)
  for (const [i, word] of [16, wire.CANCEL_REQUEST, pid, secret].entries()) frame.writeInt32BE(word, 4 * i)
  return frame
}

/** A connection that notes what it sends. */
export class Socket extends EventEmitter {
  sent = []
  writableLength = 0
  writableNeedDrain = false
  #paused = false
  setNoDelay(on) {
    this.noDelay = on
  }
  receive(...parts) {
    this.emit('data', Buffer.concat(parts))
  }
  write(bytes, done) {
    this.sent.push(Buffer.from(bytes))
    done?.()
  }
  end(bytes) {
    this.sent.push(...(bytes ? [bytes] : []), 'end')
  }
  destroy() {}
  pause() {
    this.#paused = true
  }
  resume() {
    this.#paused = false
  }
  isPaused() {
    return this.#paused
  }
  /** What was sent since the last look. */
  said() {
    return this.sent.splice(0)
  }
}

const sql = ([type, body]) => (type === 'Q' ? body.toString('utf8', 0, body.length - 1) : type)
/** Frontend messages as SQL or their types. */
export const described = (bytes) => [...wire.messages(bytes)].map(sql).join(' ')

/** A backend that notes what it is asked for, and does as a test says. */
export class Backend {
  turns = new Turns()
  parameters = { TimeZone: 'UTC' }
  calls = []
  admit({ user }) {
    return this.#called(`admit ${user}`)
  }
  serve({ user }, bytes, asker) {
    this.asker = asker
    return this.#called(`${user}: ${described(bytes)}`)
  }
  run(session, bytes) {
    return this.#called(`run ${described(bytes)}`)
  }
  interrupt({ insist }) {
    this.calls.push(insist ? 'interrupt and insist' : 'interrupt')
  }
  forget({ user }) {
    this.calls.push(`forget ${user}`)
  }
  #called(what) {
    this.calls.push(what)
    return new Promise((resolve, reject) => Object.assign(this, { resolve, reject }))
  }
  /** What it was asked for since the last look. */
  async asked() {
    await rest()
    return this.calls.splice(0)
  }
  /** Answer what it serves. */
  async answer(status, output = wire.readyForQuery(status)) {
    this.asker.send(output, () => {}, false)
    this.resolve(status)
    await rest()
  }
  async isFree() {
    let free = false
    this.turns.take().then((release) => {
      free = true
      release()
    })
    await rest()
    return free
  }
}
