// Who a client is and which settings it starts with, as its startup message says.

/** @param {string} text */
const literal = (text) => `'${text.replaceAll("'", "''")}'`
/** @param {string} text */
const identifier = (text) => `"${text.replaceAll('"', '""')}"`

// Parameters of a startup message that are not settings.
const NOT_SETTINGS = new Set(['user', 'database', 'replication', 'options'])
const UTF8 = /^(utf-?8|unicode|auto)$/i

/**
 * The settings in the `options` of a startup message, where `\` escapes a blank.
 * @param {string} options
 */
function fromOptions(options) {
  const words = (options.match(/(?:\\.|\S)+/gs) ?? []).map((word) => word.replace(/\\(.)/gs, '$1'))
  /** @type {Record<string, string>} */
  const settings = {}
  for (let i = 0; i < words.length; i += 1) {
    const given = words[i] === '-c' ? words[(i += 1)] : words[i].replace(/^(-c|--)/, '')
    const [name, ...value] = (given ?? '').split('=')
    settings[name.replaceAll('-', '_')] = value.join('=')
  }
  return settings
}

let count = 0

export class Session {
  id = (count += 1)
  /** Whether a crash took away what it had set. */
  lost = false

  /** @param {Record<string, string>} parameters of the startup message */
  constructor(parameters = {}) {
    this.user = parameters.user ?? 'postgres'
    /** @type {Record<string, string>} */
    this.settings = { ...fromOptions(parameters.options ?? '') }
    for (const [name, value] of Object.entries(parameters)) {
      if (!NOT_SETTINGS.has(name) && !name.startsWith('_pq_.')) this.settings[name] = value
    }
    if (UTF8.test(this.settings.client_encoding ?? '')) delete this.settings.client_encoding
  }

  /** What the backend has to know of it. */
  get opening() {
    const { id, user, settings } = this
    return { id, user, settings, setup: JSON.stringify([user, settings]) }
  }

  /** Statements of a transaction that fail where the session cannot have its role or settings. */
  get trial() {
    const settings = Object.entries(this.settings).map(
      ([name, value]) => `select pg_catalog.set_config(${literal(name)}, ${literal(value)}, false)`,
    )
    return [`set session authorization ${identifier(this.user)}`, ...settings].join('; ')
  }

  /** Whether every part of the setup is sure to be accepted. */
  get plain() {
    return this.user === 'postgres' && Object.keys(this.settings).every((name) => name === 'application_name')
  }

  /** The query whose one row says whether the user is a superuser; no row if there is no such role. */
  get roleQuery() {
    return `select rolsuper from pg_catalog.pg_roles where rolname = ${literal(this.user)}`
  }
}
