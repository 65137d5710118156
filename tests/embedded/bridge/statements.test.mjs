import assert from 'node:assert/strict'
import { test } from 'node:test'

import { raise, refused } from '../../../app/supervisor_mcp/embedded/bridge/statements.mjs'

const LISTENS = [
  'listen a',
  'LISTEN a',
  '\n listen a',
  'select 1; listen a',
  'select 1;listen a',
  '/* c */ listen a',
  '/* a /* b */ c */listen a',
  '/**/listen a',
  '-- c\nlisten a',
  "select 'a'; listen b",
  "select ''; listen b",
  "select E'\\''; listen b",
  "select e'a''b'; listen b",
  "select E'\n'; listen b",
  'select "a"; listen b',
  'select $$a$$; listen b',
  'select $a$ b $a$; listen c',
  'select $Ä_1$ b $Ä_1$; listen c',
  "select 1 /* a */, 'b' /* c */; listen d",
  "select 'it''s'; listen d",
  "select namee'x'; listen d",
]
const OTHERS = [
  '',
  'select 1',
  'listening',
  'unlisten a',
  'select listen',
  'select 1 as listen',
  'xlisten a',
  '/* ; listen a */ select 1',
  '/* a /* b */ ; listen a */ select 1',
  '/* ; listen a',
  '/* a */ select 1 /* ; listen a',
  '-- ; listen a',
  'select 1 -- ; listen a',
  "select '; listen a'",
  "select '; listen a",
  "select ''; select '; listen a'",
  "select E'\\'; listen a'",
  "select e'\\'; listen a'",
  "select E'''; listen a'",
  "select E'\\\n; listen a'",
  "select E'; listen a",
  'select "; listen a"',
  'select $$; listen a$$',
  'select $$; listen a',
  'select $a$; listen a $$ ; listen a $a$',
  'select $a1_ä$; listen a$a1_ä$',
  "select '/*', '; listen a */'",
]

for (const sql of LISTENS) {
  test(`refused: ${sql}`, () => {
    assert.deepEqual(refused(sql), {
      message: 'LISTEN is not supported by the embedded server',
      hint: 'Poll instead, or use a native server.',
    })
  })
}

for (const sql of OTHERS) {
  test(`not refused: ${sql}`, () => assert.equal(refused(sql), undefined))
}

test('a refusal is raised as one error', () => {
  assert.equal(
    raise({ message: 'm', hint: 'h' }),
    "do $refusal$ begin raise exception using errcode = '0A000', message = 'm', hint = 'h'; end $refusal$",
  )
})
