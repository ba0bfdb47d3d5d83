import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DiffId } from '../model/digest.ts'
import { chainIds } from './chain-id.ts'

// Expected values by the spec's formula and sha256sum: printf 'a b' | sha256sum.
const AB = 'sha256:c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65'
const ABC = 'sha256:fd4283a6ddaa46181b8c3bd3f2497dd8f801e80b395b78bd6331197ba8db877d'
const stack = (...diffIds: string[]) => chainIds(diffIds as DiffId[])

test('no layers have no chain', () => {
  assert.deepEqual(stack(), [])
})

test('the chainId of a single layer is its diffId', () => {
  assert.deepEqual(stack('a'), ['a'])
})

test('each further chainId hashes the chain below and the diffId', () => {
  assert.deepEqual(stack('a', 'b', 'c'), ['a', AB, ABC])
})

test('the order of layers counts', () => {
  assert.notEqual(stack('b', 'a')[1], AB)
})
