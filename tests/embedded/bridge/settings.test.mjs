import assert from 'node:assert/strict'
import { test } from 'node:test'

import { differing } from '../../../app/supervisor_mcp/embedded/bridge/settings.mjs'

test('settings differ where one is missing or has another value', () => {
  assert.deepEqual(differing({ same: '1', other: '1', gone: '1' }, { same: '1', other: '2', more: '1' }), ['other', 'gone', 'more'])
  assert.deepEqual(differing({}, {}), [])
})
