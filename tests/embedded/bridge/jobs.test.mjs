import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { setImmediate as rest } from 'node:timers/promises'

import { Clock } from './clock.mjs'
import { logged } from './logged.mjs'
import { Jobs } from '../../../app/supervisor_mcp/embedded/bridge/jobs.mjs'
import { Turns } from '../../../app/supervisor_mcp/embedded/bridge/turns.mjs'

const ERROR = Object.assign(new Error('broken'), { sqlstate: 'SV500' })
const NATIVE = 'a native TimescaleDB server runs jobs beside requests'

let clock
let said

beforeEach(() => {
  clock = new Clock()
  said = logged()
})

afterEach(() => {
  mock.timers.reset()
  mock.restoreAll()
})

const job = (id, fields = {}) => ({
  job_id: id, proc_name: 'note', name: `note ${id}`, owner: 'postgres', max_retries: '-1', next_start: null,
  statement_timeout: null, ...fields,
})

/**
 * Jobs of a server that has each of these lists of due jobs once, and then does not answer. A job
 * does what `run` says, which gets its number and them.
 */
function jobs({ due, run = () => {}, state = () => 'same', rescheduled = () => [{ next_start: 'later' }] }) {
  const asked = []
  const answers = [
    [/ where scheduled/, 'due', () => (due.length > 0 ? due.shift() : new Promise(() => {}))],
    [/"maxchunks_to_compress": 1/, 'one chunk', () => []],
    [/_catalog\.chunk/, 'chunks', () => [{ state: state() }]],
    [/^call public\.run_job\((.*)\)$/, 'run', (id) => run(id, made)],
    [/next_start => ([^]*)\) as altered[^]*distinct from (.*)\)?$/, 'reschedule', rescheduled],
    [/scheduled => false/, 'unschedule', () => []],
    [/bgw_job_stat/, 'note', () => []],
  ]
  const turns = new Turns()
  const sessions = []
  const forgotten = []
  const query = (session, sql) => {
    const [pattern, name, answer] = answers.find(([each]) => each.test(sql))
    const found = pattern.exec(sql).slice(1).map((text) => text.trim().replaceAll(/\s+/g, ' '))
    asked.push([name, ...found])
    sessions.push(session)
    if (name === 'note') asked.at(-1).push(sql)
    return new Promise((resolve) => resolve(answer(found[0])))
  }
  const made = Object.assign(new Jobs({ turns, query, forget: (session) => forgotten.push(session) }), { turns })
  const names = () => asked.map(([name]) => name)
  const times = (name) => names().filter((each) => each === name).length
  const all = (name) => asked.filter(([each]) => each === name).map(([, ...found]) => found)
  return { made, names, times, all, sessions, forgotten }
}

async function begun(server) {
  const scheduler = jobs(server)
  scheduler.made.start()
  await rest()
  return scheduler
}

test('where nothing is due, jobs are looked for every second', async () => {
  const { times } = await begun({ due: [[], [], []] })
  for (const looks of [1, 2, 3]) {
    assert.equal(times('due'), looks)
    await clock.pass(999)
    assert.equal(times('due'), looks)
    await clock.pass(1)
  }
  assert.deepEqual(said, [])
})

test('due jobs run one after another, each in a session of its owner', async () => {
  const one = job('7', { owner: 'me', statement_timeout: '200 ms' })
  const { names, all, sessions, forgotten } = await begun({
    due: [[one, job('8')], [job('8')]],
    run: () => {
      clock.now += 1_234
    },
  })
  assert.deepEqual(names(), [...['due', 'run', 'reschedule', 'note'], ...['due', 'run', 'reschedule', 'note'], 'due'])
  assert.deepEqual(all('run'), [['7'], ['8']])
  const [own, first] = sessions
  assert.deepEqual([first.user, first.settings], ['me', {
    application_name: 'jobs', statement_timeout: '200 ms', 'supervisor.turn': '100 ms',
  }])
  assert.deepEqual([sessions[2], sessions[3]], [own, own])
  assert.deepEqual(forgotten, [first, sessions[5]])
  const fields = { seconds: 1.234, next_start: 'later' }
  assert.deepEqual(said, [
    ['info', 'job ran', { job_id: 7, name: 'note 7', ...fields }],
    ['info', 'job ran', { job_id: 8, name: 'note 8', ...fields }],
  ])
})

test('what a run was like is noted where TimescaleDB notes it', async () => {
  for (const [error, noted] of [
    [undefined, ['last_run_success = true', 'total_duration + make_interval(secs => 2)', 'total_successes + 1', 'total_failures + 0']],
    [ERROR, ['last_run_success = false', 'total_duration_failures + make_interval(secs => 2)', 'total_successes + 0', 'total_failures + 1']],
  ]) {
    const { all } = await begun({
      due: [[job('7')]],
      run: () => {
        clock.now += 2_000
        if (error) throw error
      },
    })
    const [[statement]] = all('note')
    for (const part of ['secs => 2)', 'job_id = 7', ...noted]) assert.ok(statement.includes(part), part)
  }
})

test('the next start is put off when the job has not set it itself', async () => {
  const starts = [null, "2026-01-01 00:00:00+00", "it's"]
  const { all } = await begun({ due: starts.map((start) => [job('7', { next_start: start })]) })
  assert.deepEqual(all('reschedule').map(([, start]) => start), ['null', "'2026-01-01 00:00:00+00'", "'it''s'"])
})

test('the log of a job that has deleted itself has no next start', async () => {
  await begun({ due: [[job('7')]], rescheduled: () => [] })
  assert.deepEqual(said, [['info', 'job ran', { job_id: 7, name: 'note 7', seconds: 0 }]])
})

test('a columnstore policy that has changed something is due again soon, others as they are scheduled', async () => {
  const policy = job('7', { proc_name: 'policy_compression' })
  const states = ['1', '2', '2', '2']
  const { names, all } = await begun({ due: [[policy], [policy], [job('8')]], state: () => states.shift() })
  const looks = ['one chunk', 'chunks', 'run', 'one chunk', 'chunks', 'reschedule', 'note']
  assert.deepEqual(names(), ['due', ...looks, 'due', ...looks, 'due', 'run', 'reschedule', 'note', 'due'])
  const soon = "clock_timestamp() + interval '1 minute'"
  assert.deepEqual(all('reschedule').map(([next]) => next === soon), [true, false, false])
})

test('a failing job backs off by its failures in a row', async () => {
  const outcomes = [ERROR, ERROR, undefined, ...Array.from({ length: 21 }, () => ERROR)]
  const { all } = await begun({
    due: outcomes.map(() => [job('7')]),
    run: () => {
      const outcome = outcomes.shift()
      if (outcome) throw outcome
    },
  })
  const factors = all('reschedule').map(([next]) => Number(/retry_period \* (\d+)/.exec(next)?.[1]))
  assert.deepEqual(factors.slice(0, 5), [1, 2, NaN, 1, 2])
  assert.deepEqual(factors.slice(-2), [20, 20])
  const fields = { job_id: 7, name: 'note 7', seconds: 0, sqlstate: 'SV500', message: 'broken', next_start: 'later' }
  assert.deepEqual(said[0], ['error', 'job failed', { ...fields, failures: 1 }])
  assert.deepEqual(said.at(-1), ['error', 'job failed', { ...fields, failures: 21 }])
})

test('a job is unscheduled when it has failed as often as it may', async () => {
  for (const [most, failures] of [['0', 1], ['1', 1], ['2', 2]]) {
    said = logged()
    const { names } = await begun({
      due: Array.from({ length: failures }, () => [job('7', { max_retries: most })]),
      run: () => {
        throw ERROR
      },
    })
    const again = ['due', 'run', 'reschedule', 'note']
    const last = ['due', 'run', 'unschedule', 'note']
    assert.deepEqual(names(), [...(failures > 1 ? again : []), ...last, 'due'])
    assert.deepEqual(said.at(-1), ['error', 'job failed and is unscheduled, for max_retries is reached', {
      job_id: 7, name: 'note 7', seconds: 0, failures, sqlstate: 'SV500', message: 'broken',
    }])
  }
})

test('a job that cannot be rescheduled is left aside', async () => {
  const outcomes = [Promise.reject(new Error('not to be changed')), [{ next_start: 'later' }]]
  const { all } = await begun({
    due: [[job('7')], [job('7'), job('8')], [job('7')]],
    rescheduled: () => outcomes.shift(),
  })
  assert.deepEqual(all('run'), [['7'], ['8']])
  assert.deepEqual(said[0], ['error', 'job cannot be rescheduled', { job_id: 7, name: 'note 7', message: 'not to be changed' }])
})

test('clients that have waited for a job have the server for as long, at most for two seconds', async () => {
  for (const [took, pause] of [[500, 500], [30_000, 2_000]]) {
    const { times } = await begun({
      due: [[job('7')], []],
      run: (_, { turns }) => {
        clock.now += took
        turns.take().then((release) => release())
      },
    })
    await clock.pass(pause - 1)
    assert.equal(times('due'), 1)
    await clock.pass(1)
    assert.equal(times('due'), 2)
  }
})

test('a job that had the server for more than five seconds is named in a warning', async () => {
  const seconds = [5, 5.001]
  await begun({
    due: [[job('7')], [job('8')]],
    run: () => {
      clock.now += seconds.shift() * 1_000
    },
  })
  const warnings = said.filter(([level]) => level === 'warning')
  assert.deepEqual(warnings, [
    ['warning', `job note 8 held the database for 5.001 s; ${NATIVE}`, { job_id: 8, name: 'note 8' }],
  ])
})

test('the job that runs is known, and for how many seconds', async () => {
  let seen
  const { made } = await begun({
    due: [[job('7')]],
    run: (_, scheduler) => {
      clock.now += 1_500
      seen = scheduler.running
    },
  })
  assert.deepEqual(seen, { name: 'note 7', seconds: 1.5 })
  assert.equal(made.running, undefined)
})

test('a look for jobs keeps nobody waiting', async () => {
  const { made, times } = jobs({ due: [] })
  const release = await made.turns.take()
  made.start()
  await rest()
  assert.deepEqual([made.turns.contended, times('due')], [false, 0])
  release()
  await rest()
  assert.equal(times('due'), 1)
})

test('after a stop no job is looked for, whatever it waited for', async () => {
  const resting = await begun({ due: [[]] })
  resting.made.stop()
  await clock.pass(1_000)
  assert.deepEqual(resting.names(), ['due'])
  const waiting = jobs({ due: [] })
  const release = await waiting.made.turns.take()
  waiting.made.start()
  await rest()
  waiting.made.stop()
  release()
  await rest()
  assert.deepEqual(waiting.names(), [])
})

test('a stop while a job runs leaves its schedule as it is', async () => {
  for (const procedure of ['note', 'policy_compression']) {
    const { made, names } = await begun({
      due: [[job('7', { proc_name: procedure })]],
      run: (_, running) => {
        running.stop()
        throw ERROR
      },
    })
    assert.equal(names().at(-1), 'run')
    await made.turns.take()
  }
  assert.deepEqual(said, [])
})

test('a schedule that cannot be read is said, and read again after a second, until the stop', async () => {
  const fail = () => Promise.reject(new Error('gone'))
  const { made, times } = await begun({ due: [fail(), Promise.resolve([])] })
  assert.deepEqual(said, [['error', 'job schedule unreadable', { message: 'gone' }]])
  assert.equal(times('due'), 1)
  await clock.pass(1_000)
  assert.equal(times('due'), 2)
  made.stop()
  let end
  const stopped = await begun({ due: [new Promise((_, reject) => (end = reject))] })
  stopped.made.stop()
  end(new Error('closing'))
  await rest()
  assert.equal(said.length, 1)
})
