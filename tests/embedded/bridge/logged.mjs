// What modules log, as objects; to be imported before them.

import { mock } from 'node:test'

process.stderr.isTTY = false
delete process.env.SUPERVISOR_LOG_LEVEL

/** The lines from now on, without what is the same in each and without the time. */
export function logged() {
  const lines = []
  mock.method(process.stderr, 'write', (text) => {
    const { level, event, ...fields } = JSON.parse(text)
    delete fields.time
    delete fields.logger
    lines.push([level, event, fields])
  })
  return lines
}
