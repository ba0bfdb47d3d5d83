import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommandLine } from '../command.ts'
import { remove } from '../commands/objects.ts'
import { deleteQuery } from './delete.ts'

const query = (...words: string[]) => deleteQuery(parseCommandLine(remove, words).flags)

test('a deletion waits and takes along what belongs to it, unless told otherwise', () => {
  assert.deepEqual(query('pod', 'web'), { wait: 'true', cascade: 'background' })
  assert.deepEqual(query('--wait=false', '--cascade=orphan'), { wait: 'false', cascade: 'orphan' })
  assert.deepEqual(query('--wait', '--cascade'), { wait: 'true', cascade: 'background' })
  assert.throws(() => query('--wait=no'), /--wait is true or false, not "no"/)
  assert.deepEqual(query('--cascade=foreground'), { wait: 'true', cascade: 'foreground' })
  assert.throws(() => query('--cascade=none'), /--cascade is background, foreground or orphan/)
})

test('the time that pods have', () => {
  const grace = (...words: string[]) => query(...words)['gracePeriod']
  assert.equal(grace(), undefined)
  assert.equal(grace('--grace-period', '5'), '5')
  assert.equal(grace('--grace-period=0'), '0')
  assert.equal(grace('--grace-period', '-1'), undefined)
  assert.equal(grace('--force'), '0')
  assert.equal(grace('--force', '--grace-period=0'), '0')
  assert.equal(grace('--now'), '1')
  assert.throws(() => grace('--force', '--grace-period=5'), /another time than --force/)
  assert.throws(() => grace('--grace-period=1.5'), /whole seconds/)
})
