// Statements that cannot be served, found in the text of SQL.

const WORTH_A_LOOK = /\blisten\b/i
const OPAQUE = /--[^\n]*|\/\*|\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|\be'|'|"/gi
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
 * Why `sql` must not run, if so.
 * @param {string} sql
 * @returns {Refusal | undefined}
 */
export function refused(sql) {
  if (!WORTH_A_LOOK.test(sql) || !statements(sql).some((statement) => LISTEN.test(statement))) return undefined
  return {
    message: 'LISTEN is not supported by the embedded server',
    hint: 'Poll instead, or use a native server.',
  }
}

/**
 * A statement that fails with SQLSTATE 0A000 and the words of a refusal.
 * @param {Refusal} refusal
 */
export function raise({ message, hint }) {
  return `do $refusal$ begin raise exception using errcode = '0A000', message = '${message}', hint = '${hint}'; end $refusal$`
}
