// A clock that stays until a test moves it.

import { mock } from 'node:test'
import { setImmediate as rest } from 'node:timers/promises'

/** What `performance.now` returns, in milliseconds, and what timers wait for. */
export class Clock {
  now = 50_000

  constructor() {
    mock.timers.enable({ apis: ['setTimeout'] })
    mock.method(performance, 'now', () => this.now)
  }

  /** Let time pass, and what waited for it run. */
  async pass(milliseconds) {
    this.now += milliseconds
    mock.timers.tick(milliseconds)
    await rest()
  }
}
