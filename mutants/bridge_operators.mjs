// The changes that StrykerJS makes of a file of JavaScript, which comes on standard input, as JSON.

import { buffer } from 'node:stream/consumers'

import { createInstrumenter } from '@stryker-mutator/instrumenter'
import { createInjector } from 'typed-inject'

// A person does not empty a text or a list by mistake, and a test of a text would repeat it.
const LEFT_OUT = ['ArrayDeclaration', 'ObjectLiteral', 'Regex', 'StringLiteral']

const silent = new Proxy({}, { get: () => () => false })
const instrumenter = createInjector().provideValue('logger', silent).injectFunction(createInstrumenter)
const text = (await buffer(process.stdin)).toString()
const { mutants } = await instrumenter.instrument(
  [{ name: 'file.mjs', mutate: true, content: text }],
  { plugins: null, excludedMutations: LEFT_OUT, ignorers: [] },
)

const lines = [0]
for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.push(at + 1)
const place = ({ line, column }) => lines[line] + column

process.stdout.write(
  JSON.stringify(
    mutants
      .filter((each) => !each.status)
      .map(({ mutatorName, replacement, location }) => ({
        operator: mutatorName,
        start: place(location.start),
        end: place(location.end),
        replacement,
      })),
  ),
)
