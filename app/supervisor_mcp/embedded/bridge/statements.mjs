// What SQL text tells without running it: statements that cannot be served, and statements that
// leave something in the session.

const WORTH_A_LOOK =
  /\b(?:set|reset|set_config|listen|prepare|deallocate|declare|load|discard|do|call|temp|temporary|pg_temp|setseed|pg_(?:try_)?advisory_lock(?:_shared)?)\b/i
const OPAQUE = /--[^\n]*|\/\*|\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|\be'|'|"/gi
const LEAVES_STATE =
  /^\s*(?:set(?!\s+(?:local|transaction|constraints)\b)|reset|prepare(?!\s+transaction\b)|load|discard|do|call)\b|\b(?:set_config|temp|temporary|pg_temp|setseed|pg_(?:try_)?advisory_lock(?:_shared)?)\b|\bwith\s+hold\b/i
// Back to what PGlite has on its command line, which is not what a native server has.
const RESETS = /^\s*(?:reset|discard)\b|^\s*set\b.*(?:=|\bto)\s*default\b|\bauthorization\s+default\b/is
const LISTEN = /^\s*listen\b/i

/**
 * @param {string} sql
 * @param {number} at
 */
function endOfComment(sql, at) {
  let depth = 0
  const marks = /\/\*|\*\//g
  marks.lastIndex = at
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return sql.length
}

/**
 * @param {string} sql
 * @param {number} at
 * @param {string} quote
 */
function endOfQuoted(sql, at, quote) {
  const close = sql.indexOf(quote, at)
  return close < 0 ? sql.length : close + quote.length
}

/**
 * @param {string} sql
 * @param {number} at
 */
function endOfEscaped(sql, at) {
  const rest = /(?:[^'\\]|\\.|'')*'?/gsy
  rest.lastIndex = at
  rest.exec(sql)
  return rest.lastIndex
}

/**
 * `sql` as its statements, without comments, strings and quoted names.
 * @param {string} sql
 */
function statements(sql) {
  let bare = ''
  let from = 0
  OPAQUE.lastIndex = 0
  for (let open = OPAQUE.exec(sql); open; open = OPAQUE.exec(sql)) {
    const [mark] = open
    const after = OPAQUE.lastIndex
    let end = after
    if (mark === '/*') end = endOfComment(sql, open.index)
    else if (mark.toLowerCase() === "e'") end = endOfEscaped(sql, after)
    else if (!mark.startsWith('--')) end = endOfQuoted(sql, after, mark)
    bare += `${sql.slice(from, open.index)} `
    from = end
    OPAQUE.lastIndex = end
  }
  return (bare + sql.slice(from)).split(';')
}

/** @typedef {{ message: string, hint: string }} Refusal */

/**
 * What the bridge has to know of `sql`: `refusal` is a message and hint where it must not run,
 * `leavesState` says whether the session may differ afterwards, `resets` whether settings went
 * back to defaults.
 * @param {string} sql
 * @returns {{ leavesState: boolean, resets?: boolean, refusal?: Refusal }}
 */
export function inspect(sql) {
  if (!WORTH_A_LOOK.test(sql)) return { leavesState: false }
  const all = statements(sql)
  if (all.some((statement) => LISTEN.test(statement))) {
    return {
      leavesState: false,
      refusal: {
        message: 'LISTEN is not supported by the embedded server',
        hint: 'Poll instead, or use a native server.',
      },
    }
  }
  return {
    leavesState: all.some((statement) => LEAVES_STATE.test(statement)),
    resets: all.some((statement) => RESETS.test(statement)),
  }
}

/**
 * A statement that fails with SQLSTATE 0A000 and the words of a refusal.
 * @param {Refusal} refusal
 */
export function raise({ message, hint }) {
  return `do $refusal$ begin raise exception using errcode = '0A000', message = '${message}', hint = '${hint}'; end $refusal$`
}
