import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCpuList, validateResources } from './resources.ts'

const MIB = 2 ** 20

test('limits agree with one another', () => {
  const cases: readonly [object, RegExp | undefined][] = [
    [{}, undefined],
    [{ memoryBytes: 6 * MIB, memorySwapBytes: 6 * MIB, memoryReservationBytes: 6 * MIB }, undefined],
    [{ memoryBytes: 6 * MIB, memorySwapBytes: -1 }, undefined],
    [{ memoryReservationBytes: 6 * MIB, cpusetCpus: '0-3,8' }, undefined],
    [{ memoryBytes: 6 * MIB - 1 }, /no container starts with less than 6m/],
    [{ memorySwapBytes: 8 * MIB }, /give that too/],
    [{ memoryBytes: 8 * MIB, memorySwapBytes: 7 * MIB }, /must not be below it/],
    [{ memoryReservationBytes: 1 }, /at least 6m/],
    [{ memoryBytes: 8 * MIB, memoryReservationBytes: 9 * MIB }, /not be above the memory limit/],
    [{ cpusetMems: '0,' }, /want numbers and ranges/],
  ]
  for (const [resources, message] of cases) {
    if (message === undefined) validateResources(resources)
    else assert.throws(() => validateResources(resources), { code: 'invalid_argument', message })
  }
})

test('lists of CPUs', () => {
  assert.deepEqual([...parseCpuList('0-2,8,1')], [0, 1, 2, 8])
  for (const text of ['', '3-1', '-1', '0-', 'a', '0,,1', '0-99999']) {
    assert.throws(() => parseCpuList(text), { code: 'invalid_argument' }, text)
  }
})
