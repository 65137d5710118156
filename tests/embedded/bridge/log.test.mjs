import assert from 'node:assert/strict'
import { mock, test } from 'node:test'

const TIME = '2026-01-02T03:04:05.678Z'
const LEVELS = ['debug', 'info', 'warning', 'error']

let count = 0
/** The module as a process has it with a level from outside, on a terminal or not; and its lines. */
async function started({ level, terminal = false } = {}) {
  if (level === undefined) delete process.env.SUPERVISOR_LOG_LEVEL
  else process.env.SUPERVISOR_LOG_LEVEL = level
  process.stderr.isTTY = terminal
  const module = await import(`../../../app/supervisor_mcp/embedded/bridge/log.mjs?${(count += 1)}`)
  const lines = (...calls) => {
    mock.timers.enable({ apis: ['Date'], now: new Date(TIME) })
    const written = []
    const write = mock.method(process.stderr, 'write', (line) => written.push(line))
    for (const call of calls) module.log(...call)
    write.mock.restore()
    mock.timers.reset()
    return written
  }
  return { lines, routine: module.ROUTINE }
}

test('an event is a line of JSON', async () => {
  const { lines, routine } = await started()
  const line = { time: TIME, level: 'info', logger: 'embedded.database', event: 'stopping' }
  assert.deepEqual(lines(['info', 'stopping', { reason: 'SIGTERM', seconds: 1.5 }], ['info', 'stopping']), [
    `${JSON.stringify({ ...line, reason: 'SIGTERM', seconds: 1.5 })}\n`,
    `${JSON.stringify(line)}\n`,
  ])
  assert.equal(routine, 'info')
})

test('a person at a terminal reads words', async () => {
  const { lines, routine } = await started({ terminal: true })
  assert.deepEqual(lines(['warning', 'job failed', { name: 'a b', job_id: 7, error: { code: 'x' } }], ['info', 'm']), [
    `${TIME} [warning  ] job failed [embedded.database] name=a b job_id=7 error={"code":"x"}\n`,
    `${TIME} [info     ] m [embedded.database]\n`,
  ])
  assert.equal(routine, 'debug')
})

test('events below the level are left out', async () => {
  for (const [level, shown] of [
    [undefined, ['info', 'warning', 'error']],
    ['nonsense', ['info', 'warning', 'error']],
    ['debug', LEVELS],
    ['WARNING', ['warning', 'error']],
    ['Error', ['error']],
  ]) {
    const { lines } = await started({ level })
    assert.deepEqual(lines(...LEVELS.map((each) => [each, 'm'])).map((line) => JSON.parse(line).level), shown)
  }
})
