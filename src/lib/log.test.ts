import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonLogger } from './log.ts'

test('a line is one JSON object with time, level, message and the fields', () => {
  const lines: string[] = []
  const log = jsonLogger('info', (line) => lines.push(line)).with({ containerId: 'c1' })
  log.debug('not shown')
  log.warn('line\nbreak', { error: new Error('boom'), size: 1n })
  assert.equal(lines.length, 1)
  assert.match(lines[0]!, /^[^\n]*\n$/)
  const { time, error, ...rest } = JSON.parse(lines[0]!)
  assert.ok(!Number.isNaN(Date.parse(time)))
  assert.match(error, /^Error: boom\n/)
  assert.deepEqual(rest, { level: 'warn', message: 'line\nbreak', containerId: 'c1', size: '1' })
})
