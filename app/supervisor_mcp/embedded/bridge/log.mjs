// The log on stderr: JSON lines, or readable ones on a terminal, as telemetry/log.py writes them.

/** @type {Record<string, number>} */
const levels = { debug: 10, info: 20, warning: 30, error: 40 }
const threshold = levels[(process.env.SUPERVISOR_LOG_LEVEL ?? '').toLowerCase()] ?? levels.info
const readable = Boolean(process.stderr.isTTY)
const LOGGER = 'embedded.database'

/** The level of routine work: a person at a terminal sees it only when debugging. */
export const ROUTINE = readable ? 'debug' : 'info'

/**
 * Write an event at a level.
 * @param {'debug' | 'info' | 'warning' | 'error'} level
 * @param {string} event
 * @param {object} fields
 */
export function log(level, event, fields = {}) {
  if (levels[level] < threshold) return
  const time = new Date().toISOString()
  const line = readable
    ? `${time} [${level.padEnd(9)}] ${event} [${LOGGER}]${pairs(fields)}`
    : JSON.stringify({ time, level, logger: LOGGER, event, ...fields })
  process.stderr.write(`${line}\n`)
}

/** @param {object} fields */
function pairs(fields) {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('')
}
