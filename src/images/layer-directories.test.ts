import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReadTx } from '../store/index.ts'
import { LayerDirectories } from './layer-directories.ts'

const withLayers = (...directories: string[]) =>
  ({ list: () => directories.map((directory) => ({ spec: { directory } })) }) as unknown as ReadTx

test('names go on after the highest that is recorded', () => {
  const directories = new LayerDirectories()
  assert.equal(directories.next(withLayers('1', 'z', '2')), '10')
  assert.equal(directories.next(withLayers('1', 'z', '2')), '11')
})

test('names found on disk are not given out', () => {
  const directories = new LayerDirectories()
  directories.skip(['zz', 'lost+found', '.trash-1', ''])
  assert.equal(directories.next(withLayers('3')), '100')
})

test('the first is 1', () => {
  assert.equal(new LayerDirectories().next(withLayers()), '1')
})
