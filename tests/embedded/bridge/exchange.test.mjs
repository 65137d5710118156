import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'

import { Exchange, UNSENT, UNSENT_LIMIT } from '../../../app/supervisor_mcp/embedded/bridge/exchange.mjs'
import { copyFail, query, readyForQuery } from '../../../app/supervisor_mcp/embedded/bridge/wire.mjs'

const CHUNK = 256 * 1024
const message = (type, body = '') => {
  const header = Buffer.alloc(5)
  header.write(type, 'latin1')
  header.writeInt32BE(Buffer.byteLength(body) + 4, 1)
  return Buffer.concat([header, Buffer.from(body)])
}
const [SYNC, FLUSH, BIND, EXECUTE, COPY_IN, DONE] = [...'SHBEGc'].map((type) => message(type))
const data = (text) => message('d', text)
const text = (bytes) => Buffer.from(bytes).toString()

/** A server that does what `serve(read, write)` does at each call. */
function exchange(serve, timeoutMs = () => 0) {
  const [main, given] = [new MessageChannel(), new MessageChannel()]
  const HEAPU8 = new Uint8Array(2 * CHUNK)
  const calls = []
  let callbacks
  const wasm = {
    HEAPU8,
    addFunction: (callback, signature) => {
      assert.equal(signature, 'iii')
      return callback
    },
    _set_read_write_cbs: (...both) => (callbacks = both),
    _interactive_one: (length, first) => {
      calls.push([length, String.fromCharCode(first)])
      const [give, take] = callbacks
      const read = (room = 8192) => text(HEAPU8.slice(64, 64 + give(64, room)))
      const write = (bytes) => {
        HEAPU8.set(bytes, 128)
        assert.equal(take(128, bytes.length), bytes.length)
      }
      serve(read, write)
    },
  }
  const shared = new Int32Array(new SharedArrayBuffer(8))
  shared[UNSENT] = 77
  const made = new Exchange({ wasm, port: main.port1, given: given.port2, shared, timeoutMs })
  const posted = () => {
    const found = []
    for (let one = receiveMessageOnPort(main.port2); one; one = receiveMessageOnPort(main.port2)) found.push(one.message)
    return found
  }
  const give = (asked, bytes) => given.port1.postMessage({ asked, bytes })
  const end = () => [main, given].forEach(({ port1 }) => port1.close())
  return { made, calls, shared, posted, give, end }
}

test('the server reads up to a message that may begin a COPY, and no further', () => {
  const read = []
  const { made, calls, end } = exchange((next) => read.push(next(), next(3), next(2)))
  const sent = [message('P', 'p'), BIND, EXECUTE, FLUSH, query('q'), SYNC, message('d', 'x'), DONE, SYNC]
  made.run(Buffer.concat(sent))
  const upTo = (...some) => text(Buffer.concat(some))
  assert.deepEqual(read, [
    upTo(...sent.slice(0, 3)), upTo(FLUSH).slice(0, 3), upTo(FLUSH).slice(3),
    upTo(query('q')), upTo(SYNC).slice(0, 3), upTo(SYNC).slice(3),
    upTo(message('d', 'x'), DONE), upTo(SYNC).slice(0, 3), upTo(SYNC).slice(3),
  ])
  const length = Buffer.concat(sent).length
  assert.deepEqual(calls, [[length, 'P'], [length - 21, 'Q'], [length - 33, 'd']].map(([left, type]) => [left, type]))
  end()
})

test('the answer comes with the transaction status where it ends with one', () => {
  for (const [pieces, status] of [
    [[readyForQuery('I')], 'I'],
    [[readyForQuery('T').subarray(0, 2), readyForQuery('T').subarray(2)], 'T'],
    [[...Buffer.concat([message('C', 'x'), readyForQuery('E')])].map((byte) => Buffer.of(byte)), 'E'],
    [[readyForQuery('I'), message('C', 'x')], undefined],
    [[], undefined],
  ]) {
    const { made, shared, end } = exchange((read, write) => {
      read()
      pieces.forEach(write)
    })
    const { output, status: found } = made.run(SYNC)
    assert.deepEqual(Buffer.from(output), Buffer.concat(pieces))
    assert.equal(found, status)
    assert.equal(shared[UNSENT], output.length)
    const again = made.run(SYNC)
    assert.deepEqual(again, { output, status })
    end()
  }
})

test('when a statement begins is noted, and not while its COPY goes on', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000 })
  const seen = []
  const { made, give, end } = exchange((read, write) => {
    const note = () => seen.push(made.since)
    read()
    note()
    write(COPY_IN)
    t.mock.timers.tick(5)
    read()
    note()
    write(message('C'))
    t.mock.timers.tick(5)
    read()
    note()
  })
  give(1, Buffer.concat([DONE, SYNC]))
  made.run(query('copy'))
  assert.deepEqual(seen, [1_000, 1_000, 1_010])
  end()
})

test('a COPY waits for the data that the client is asked for', () => {
  const read = []
  const { made, posted, give, end } = exchange((next, write) => {
    read.push(next())
    write(COPY_IN)
    read.push(next(), next())
    write(message('C'))
    write(readyForQuery('I'))
    read.push(next())
  })
  give(0, data('too late'))
  give(1, data('1'))
  give(2, Buffer.concat([data('2'), DONE]))
  const { output, status } = made.run(query('copy'))
  assert.deepEqual(read, [query('copy'), data('1'), Buffer.concat([data('2'), DONE]), Buffer.of()].map(text))
  assert.deepEqual(posted().map(({ output: part, asks }) => [text(part), asks]), [[text(COPY_IN), 1], ['', 2]])
  assert.equal(text(output), text(Buffer.concat([message('C'), readyForQuery('I')])))
  assert.equal(status, 'I')
  give(3, Buffer.concat([data('3'), DONE]))
  give(4, DONE)
  made.run(query('copy'))
  assert.deepEqual(posted().map(({ asks }) => asks), [3, 4])
  end()
})

test('notices, settings and notifications do not end a COPY', () => {
  const asides = [...'NSA'].map((type) => message(type, 'x'))
  const read = []
  const { made, give, end } = exchange((next, write) => {
    read.push(next())
    for (const one of [COPY_IN, ...asides]) write(one)
    read.push(next())
    write(message('C'))
    read.push(next())
  })
  give(1, DONE)
  made.run(query('copy'))
  assert.deepEqual(read, [text(query('copy')), text(DONE), ''])
  end()
})

test('another message than data fails a COPY', () => {
  const read = []
  const { made, end } = exchange((next, write) => {
    read.push(next())
    if (read.length === 1) {
      write(COPY_IN)
      read.push(next(), '|')
      write(message('E', 'failed'))
    }
  })
  made.run(Buffer.concat([query('copy'), query('q'), SYNC]))
  const fail = copyFail('another message came before the end of the data')
  assert.deepEqual(read, [text(query('copy')), text(fail), '|', text(query('q')), text(SYNC)])
  end()
})

test('data for a COPY is read up to its end', () => {
  for (const last of [DONE, FLUSH, SYNC, message('f', 'no\0')]) {
    const read = []
    const { made, end } = exchange((next, write) => {
      read.push(next())
      write(COPY_IN)
      read.push(next())
      write(message('C'))
      read.push(next())
    })
    made.run(Buffer.concat([query('copy'), data('1'), data('2'), last, query('q')]))
    assert.deepEqual(read, [query('copy'), Buffer.concat([data('1'), data('2'), last]), query('q')].map(text))
    end()
  }
})

test('data for a COPY ends at a message of another kind', () => {
  const read = []
  const { made, end } = exchange((next, write) => {
    read.push(next())
    write(COPY_IN)
    read.push(next())
    write(message('E', 'failed'))
    read.push(next())
  })
  made.run(Buffer.concat([query('copy'), data('1'), BIND, SYNC]))
  assert.deepEqual(read, [query('copy'), data('1'), Buffer.concat([BIND, SYNC])].map(text))
  end()
})

test('a COPY that gets no data in time fails', () => {
  const read = []
  const { made, posted, end } = exchange((next, write) => {
    read.push(next())
    write(COPY_IN)
    read.push(next())
  }, () => 100)
  const [begun, used] = [performance.now(), process.cpuUsage()]
  made.run(query('copy'))
  const took = performance.now() - begun
  assert.ok(took > 95 && took < 5_000)
  // It waits for the time, rather than look at the clock again and again.
  const { user, system } = process.cpuUsage(used)
  assert.ok(user + system < 50_000)
  assert.equal(read[1], text(copyFail('canceling statement due to statement timeout')))
  assert.deepEqual(posted().map(({ asks, withdraws }) => [asks, withdraws]), [[1, undefined], [undefined, 1]])
  end()
})

test('a large answer leaves in pieces while it is made, and its last message is never cut', () => {
  for (const size of [1, CHUNK - 6, CHUNK - 3, CHUNK, CHUNK + 1, 3 * CHUNK]) {
    const body = Buffer.alloc(size - 1 + 5, 'abcdefg')
    body.writeInt32BE(body.length - 1, 1)
    const whole = Buffer.concat([body, readyForQuery('I')])
    const { made, shared, posted, end } = exchange((read, write) => {
      read()
      for (let at = 0; at < whole.length; at += CHUNK + 100) write(whole.subarray(at, at + CHUNK + 100))
    })
    const { output, status } = made.run(SYNC)
    const pieces = posted().map((piece) => piece.output)
    assert.deepEqual(Buffer.concat([...pieces, output]), whole)
    assert.equal(status, 'I')
    assert.equal(shared[UNSENT], whole.length)
    assert.deepEqual(pieces.map((piece) => piece.length), Array(Math.floor((whole.length - 7) / (CHUNK - 6))).fill(CHUNK - 6))
    assert.ok(output.length >= 6)
    end()
  }
})

test('a large answer waits for a client that is too far behind', async () => {
  const { made, shared, posted, end } = exchange((read, write) => {
    read()
    write(Buffer.alloc(CHUNK))
    shared[UNSENT] = UNSENT_LIMIT + 1
    write(Buffer.of(0))
    assert.equal(Atomics.load(shared, UNSENT), UNSENT_LIMIT)
  })
  const takes = 'const { parentPort, workerData } = require("node:worker_threads");'
    + 'setInterval(() => {'
    + '  const { shared, at, limit } = workerData;'
    + '  if (Atomics.load(shared, at) <= limit) return;'
    + '  Atomics.store(shared, at, limit); Atomics.notify(shared, at)'
    + '}, 5);'
    + 'parentPort.postMessage(0)'
  const client = new Worker(takes, { eval: true, workerData: { shared, at: UNSENT, limit: UNSENT_LIMIT } })
  client.unref()
  await new Promise((resolve) => client.once('message', resolve))
  made.run(SYNC)
  assert.equal(posted().length, 1)
  end()
  await client.terminate()
})
