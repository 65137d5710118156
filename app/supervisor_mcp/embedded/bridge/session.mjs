// What the session of one client has to look like before its messages run.

/** @param {string} text */
const literal = (text) => `'${text.replaceAll("'", "''")}'`
/** @param {string} text */
const identifier = (text) => `"${text.replaceAll('"', '""')}"`

// RESET goes back to what PGlite passes on its command line (messages at debug, no sequential
// scans), so the defaults are set by name.
const DEFAULTS = [
  'set session authorization postgres',
  'set role none',
  'set client_min_messages = notice',
  'set log_min_messages = warning',
  'set allow_system_table_mods = off',
  'set enable_seqscan = on',
  'set search_path = "$user", public',
  `set timezone = 'UTC'`,
  `set client_encoding = 'UTF8'`,
].join('; ')

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

/**
 * What a batch did to the named prepared statements: made one, dropped one, or dropped all.
 * @typedef {{ name: string, frame: Buffer } | { drop: string } | { dropAll: true }} PreparedChange
 */

export class Session {
  /**
   * Named prepared statements of the extended protocol: name to Parse message.
   * @type {Map<string, Buffer>}
   */
  prepared = new Map()

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

  /** Two sessions with the same setup can follow each other without a reset. */
  get setup() {
    const settings = Object.entries(this.settings).map(
      ([name, value]) => `select pg_catalog.set_config(${literal(name)}, ${literal(value)}, false)`,
    )
    const role = this.user === 'postgres' ? [] : [`set session authorization ${identifier(this.user)}`]
    return [DEFAULTS, ...settings, ...role].join('; ')
  }

  /** Whether every part of the setup is sure to be accepted. */
  get plain() {
    return this.user === 'postgres' && Object.keys(this.settings).every((name) => name === 'application_name')
  }

  /** The query whose one row says whether the user is a superuser; no row if there is no such role. */
  get roleQuery() {
    return `select rolsuper from pg_catalog.pg_roles where rolname = ${literal(this.user)}`
  }

  /**
   * Follow what a batch did to the named prepared statements.
   * @param {PreparedChange[]} changes
   */
  remember(changes) {
    for (const change of changes) {
      if ('dropAll' in change) this.prepared.clear()
      else if ('name' in change) this.prepared.set(change.name, change.frame)
      else this.prepared.delete(change.drop)
    }
  }
}
