// Text results of a simple query, read from its response.

import { errorFields, messages } from './wire.mjs'

/**
 * A row: text or null by column name. Queries know which of their columns cannot be null.
 * @typedef {Record<string, any>} Row
 */

/** An error that the server answered with. */
export class SqlError extends Error {
  /** @param {Record<string, string>} fields of the ErrorResponse, by their letter */
  constructor(fields) {
    super(fields.M)
    this.sqlstate = fields.C
    this.detail = fields.D
    this.hint = fields.H
  }
}

/**
 * @param {Buffer} body of a RowDescription
 */
function columnNames(body) {
  const names = []
  for (let at = 2; at < body.length; ) {
    const end = body.indexOf(0, at)
    names.push(body.toString('utf8', at, end))
    at = end + 19
  }
  return names
}

/**
 * @param {Buffer} body of a DataRow
 * @param {string[]} names
 */
function row(body, names) {
  /** @type {Row} */
  const values = {}
  let at = 2
  for (const name of names) {
    const length = body.readInt32BE(at)
    at += 4
    values[name] = length < 0 ? null : body.toString('utf8', at, at + length)
    at += Math.max(length, 0)
  }
  return values
}

/**
 * The rows of the last result set in `bytes`; throws SqlError.
 * @param {Uint8Array} bytes
 */
export function rows(bytes) {
  /** @type {string[]} */
  let names = []
  /** @type {Row[]} */
  let found = []
  for (const [type, body] of messages(bytes)) {
    if (type === 'E') throw new SqlError(errorFields(body))
    if (type === 'T') {
      names = columnNames(body)
      found = []
    }
    if (type === 'D') found.push(row(body, names))
  }
  return found
}
