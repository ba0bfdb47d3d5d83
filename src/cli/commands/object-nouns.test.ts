import assert from 'node:assert/strict'
import { test } from 'node:test'
import { objectNouns } from './object-nouns.ts'
import * as objects from './objects.ts'

const names = [
  ...objectNouns,
  objects.apply,
  objects.diff,
  objects.get,
  objects.describe,
  objects.remove,
  objects.scale,
]
  .flatMap((command) => command.names)
  .sort()

test('no name is of two commands', () => {
  assert.deepEqual(names, [...new Set(names)])
})

test('what the public Raind documents is there', () => {
  const verbs = {
    resource: ['apply', 'delete', 'rm', 'get', 'describe', 'scale'],
    'resource pod': ['create', 'ls', 'start', 'stop', 'rm'],
    'resource replicaset': ['ls', 'get', 'show', 'describe', 'scale', 'rm', 'delete'],
    'resource rs': ['ls', 'show', 'scale', 'rm'],
    'resource service': ['create', 'ls', 'show', 'rm'],
    'resource configmap': ['ls', 'show', 'rm'],
    'resource cm': ['ls'],
    'resource secret': ['ls', 'show', 'rm'],
    'resource namespace': ['create', 'ls', 'show', 'rm'],
    'resource ns': ['ls'],
    'resource create': ['namespace'],
  }
  const documented = Object.entries(verbs).flatMap(([noun, of]) => of.map((verb) => `${noun} ${verb}`))
  const bare = ['pod', 'replicaset', 'service', 'configmap', 'secret'].map((noun) => `resource ${noun}`)
  assert.deepEqual(
    [...documented, ...bare].filter((name) => !names.includes(name)),
    [],
  )
})
