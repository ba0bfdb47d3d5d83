import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from './client.ts'
import type { Command } from './command.ts'
import { complete } from './complete.ts'

const command = (names: [string, ...string[]], usage: string, more: Partial<Command> = {}): Command => ({
  names,
  summary: '',
  usage,
  run: async () => {},
  ...more,
})

const commands = [
  command(['container ls', 'ps'], '', { flags: { all: { type: 'boolean', short: 'a', help: '' } } }),
  command(['container rm', 'rm'], 'CONTAINER...'),
  command(['stats'], '[CONTAINER...]'),
  command(['container run', 'run'], 'IMAGE [ARGS...]', {
    flagsFirst: true,
    flags: { network: { type: 'string', value: 'NETWORK', help: '' }, env: { type: 'string', short: 'e', help: '' } },
  }),
  command(['network connect'], 'NETWORK CONTAINER'),
  command(['bottle stop'], '[BOTTLE] [BOTTLE_SERVICE...]'),
  command(['bottle scale'], 'BOTTLE BOTTLE_SERVICE=N...'),
  command(['image ls', 'images'], ''),
  command(['get'], 'KIND [NAME...]', {
    flags: {
      namespace: { type: 'string', short: 'n', value: 'NAMESPACE', help: '' },
      watch: { type: 'string', implied: 'true', value: 'true|false', help: '' },
    },
  }),
  command(['logs'], 'CONTAINER|pod/POD', {
    flags: { container: { type: 'string', short: 'c', value: 'POD_CONTAINER', help: '' } },
  }),
  command(['pod ls', 'resource pod ls', 'resource pod'], '[POD...]'),
]

const podOf = (name: string) => ({ metadata: { name }, spec: { containers: [{ name: 'app' }, { name: 'log' }] } })

const answers: Readonly<Record<string, unknown>> = {
  '/v1/containers': [{ name: 'web' }, { name: 'db' }],
  '/v1/images': [{ repository: 'library/nginx', reference: 'latest' }],
  '/v1/bottle': { bottles: [{ bottleName: 'shop' }, { bottleName: 'wp' }] },
  '/v1/bottle/shop': { bottle: { services: { db: {}, web: {} } } },
  '/v1/networks': [{ Name: 'front' }],
  '/v1/objects/Pod?namespace=default': [podOf('shop'), podOf('till')],
  '/v1/objects/Pod?namespace=team': [podOf('other')],
  '/v1/objects/Namespace': [{ metadata: { name: 'team' } }],
}
const client = (): Client => ({
  call: async <T>(_method: string, path: string) => answers[path] as T,
  webSocket: () => Promise.reject(new Error('no')),
  stream: () => Promise.reject(new Error('not asked for')),
})
const ask = (line: string) => complete(commands, line.split(' '), client)

test('complete() offers commands, then what they take', async () => {
  assert.deepEqual(await ask(''), [
    ...[
      'bottle',
      'container',
      'get',
      'image',
      'images',
      'logs',
      'network',
      'pod',
      'ps',
      'resource',
      'rm',
      'run',
      'stats',
    ],
  ])
  assert.deepEqual(await ask('stats db w'), ['web'])
  assert.deepEqual(await ask('container r'), ['rm', 'run'])
  assert.deepEqual(await ask('rm '), ['db', 'web'])
  assert.deepEqual(await ask('container rm db w'), ['web'])
  assert.deepEqual(await ask('network connect '), ['front'])
  assert.deepEqual(await ask('network connect front '), ['db', 'web'])
  assert.deepEqual(await ask('network connect front web '), [])
})

test('complete() offers flags, and names as their values', async () => {
  assert.deepEqual(await ask('ps --a'), ['--all'])
  assert.deepEqual(await ask('run --network '), ['front'])
  assert.deepEqual(await ask('run -e '), [], 'anything')
  assert.deepEqual(await ask('run -e A=1 --network front n'), ['nginx:latest'])
  assert.deepEqual(await ask('run nginx:latest --'), [], "the container's own")
})

test('complete() offers kinds, and the names of objects of a kind', async () => {
  assert.deepEqual(await ask('get po'), ['po', 'pod', 'pods'])
  assert.deepEqual(await ask('get pods '), ['shop', 'till'])
  assert.deepEqual(await ask('get po -n team '), ['other'])
  assert.deepEqual(await ask('get po --namespace=team '), ['other'])
  assert.deepEqual(await ask('get --watch pod s'), ['shop'])
  assert.deepEqual(await ask('get pod/'), ['pod/shop', 'pod/till'])
  assert.deepEqual(await ask('get pod/shop po/t'), ['po/till'])
  assert.deepEqual(await ask('get -n '), ['team'])
  assert.deepEqual(await ask('get podz '), [])
  assert.deepEqual(await ask('resource pod '), ['ls', 'shop', 'till'])
})

test('complete() offers bottles, and the services of the one that is named', async () => {
  assert.deepEqual(await ask('bottle stop '), ['shop', 'wp'])
  assert.deepEqual(await ask('bottle stop shop db '), ['db', 'web'])
  assert.deepEqual(await ask('bottle stop gone '), [])
  assert.deepEqual(await ask('bottle scale shop w'), ['web='])
})

test('complete() offers pods where a container may be one of a pod', async () => {
  assert.deepEqual(await ask('logs '), ['db', 'pod/shop', 'pod/till', 'web'])
  assert.deepEqual(await ask('logs pod/shop -c '), ['app', 'log'])
})

test('complete() offers nothing where the daemon does not answer, and never fails', async () => {
  const dead = (): Client => ({
    call: () => Promise.reject(new Error('no')),
    webSocket: () => Promise.reject(new Error('no')),
    stream: () => Promise.reject(new Error('no')),
  })
  assert.deepEqual(await complete(commands, ['rm', ''], dead), [])
  assert.deepEqual(await complete(commands, ['nonsense', 'x', ''], dead), [])
})
