// One JSON line per event on stderr.

/** @type {Record<string, number>} */
const levels = { debug: 10, info: 20, warning: 30, error: 40 }
const threshold = levels[process.env.SUPERVISOR_LOG_LEVEL ?? ''] ?? levels.info

/**
 * Write an event at a level.
 * @param {'debug' | 'info' | 'warning' | 'error'} level
 * @param {string} event
 * @param {object} fields
 */
export function log(level, event, fields = {}) {
  if (levels[level] < threshold) return
  const line = { time: new Date().toISOString(), level, logger: 'embedded.database', event, ...fields }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}
