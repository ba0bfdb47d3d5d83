import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ApiClient } from '../support/api-client.ts'
import { type CrashOperation, killAtEveryPoint } from '../support/crash.ts'
import { type DaemonFixture, daemonFixture } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { startWitness, type Witness } from '../support/witness.ts'

runInOwnNamespaces(import.meta.filename)

const PORT = 18_190

let image: string

/** Two services, one behind a published port, with a volume and a secret. */
function project(version: string, order: 'stop-first' | 'start-first' = 'stop-first'): string {
  const web = {
    image,
    command: ['sh', '-c', 'mkdir /www; echo $$V > /www/v; exec httpd -f -p 80 -h /www'],
    environment: [`V=${version}`],
    ports: [`${PORT}:80`],
    depends_on: ['db'],
    deploy: { update_config: { order } },
  }
  const db = {
    image,
    command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'],
    volumes: ['data:/data'],
    secrets: ['key'],
  }
  return JSON.stringify({
    name: 'shop',
    services: { db, web },
    volumes: { data: {} },
    secrets: { key: { 'x-content': 'k' } },
  })
}

async function up(api: ApiClient, text: string): Promise<void> {
  const answer = await api.send('PUT', '/v1/bottle', text)
  assert.match(answer.text, /"type":"done"/)
}

const remove = (api: ApiClient, volumes = false) => api.post('/v1/bottle/shop/actions/delete', { timeout: 0, volumes })

const OPERATIONS: readonly (Pick<CrashOperation, 'name' | 'passes' | 'prepare' | 'run'> &
  Partial<Pick<CrashOperation, 'verify'>>)[] = [
  {
    name: 'up of a new one',
    passes: ['bottle.create.record', 'bottle.create', 'bottle.start', 'bottle.create.done'],
    prepare: async () => {},
    run: (api) => up(api, project('1')),
  },
  {
    name: 'up of one that has changed',
    passes: ['bottle.up.record', 'rename.record', 'bottle.up.finish'],
    prepare: (api) => up(api, project('1')),
    run: (api) => up(api, project('2')),
  },
  {
    name: 'up that replaces what serves',
    passes: ['bottle.up.record', 'ports.take', 'bottle.up.finish'],
    prepare: (api) => up(api, project('1', 'start-first')),
    run: (api) => up(api, project('2', 'start-first')),
  },
  {
    name: 'remove',
    passes: ['bottle.remove.mark', 'bottle.remove.parts', 'bottle.remove.record'],
    prepare: (api) => up(api, project('1')),
    run: (api) => remove(api),
  },
  {
    name: 'remove with its volumes',
    passes: ['bottle.remove.mark', 'volume.remove.record', 'bottle.remove.record'],
    prepare: (api) => up(api, project('1')),
    run: (api) => remove(api, true),
    verify: async (api) => {
      const isThere = (await api.get('/v1/bottle/shop')).status === 200
      const volumes: { name: string }[] = (await api.get('/v1/volumes')).json.data
      assert.equal(
        volumes.some(({ name }) => name.endsWith('data')),
        isThere,
      )
    },
  },
]

describe('bottles of a daemon killed with SIGKILL at any point', () => {
  let fixture: DaemonFixture
  let witness: Witness

  before(async () => {
    fixture = await daemonFixture()
    witness = await startWitness(fixture, { ports: [18_191, 18_192] })
    image = fixture.image
  })
  after(async () => {
    await witness[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })

  for (const operation of OPERATIONS)
    test(`${operation.name}: it can be gone on with, and nothing is left`, (t) =>
      killAtEveryPoint(t, fixture, {
        ...operation,
        firstOnly: true,
        verify: async (api) => {
          await operation.verify?.(api)
          await verify(api)
        },
        clear,
      }))

  /** What was broken off is taken back, finished, or what an up makes whole. */
  async function verify(api: ApiClient): Promise<void> {
    await witness.assertUnharmed()
    for (const { status } of (await api.get('/v1/bottle')).json.data.bottles) assert.notEqual(status, 'unknown')
    await up(api, project('3'))
    const { members, status } = (await api.get('/v1/bottle/shop')).json.data.bottle
    assert.equal(status, 'running')
    assert.deepEqual(
      members.map(({ container }: { container: { name: string } }) => container.name),
      ['shop-db-1', 'shop-web-1'],
    )
    const page = () =>
      fetch(`http://127.0.0.1:${PORT}/v`, { headers: { connection: 'close' } }).then((one) => one.text())
    // What was just started may not listen yet.
    assert.equal(await eventually(() => page().catch(() => '')), '3\n')
  }

  async function clear(): Promise<void> {
    const { api } = fixture.daemon
    if ((await api.get('/v1/bottle/shop')).status === 200) assert.equal((await remove(api)).status, 200)
    await api.post('/v1/volumes/prune', { all: true })
    assert.deepEqual((await api.get('/v1/bottle')).json.data.bottles, [])
  }
})
