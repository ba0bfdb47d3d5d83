import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { ApiClient } from '../support/api-client.ts'
import { answers, type CrashOperation, killAtEveryPoint } from '../support/crash.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { busyboxImage } from '../support/test-image.ts'
import { startWitness, type Witness } from '../support/witness.ts'

runInOwnNamespaces(import.meta.filename)

const NAME = 'victim'
const PATH = `/v1/containers/${NAME}`
const SERVER = ['httpd', '-f', '-p', '80', '-h', '/etc']

interface Operation extends Pick<CrashOperation, 'name' | 'prepare' | 'run'> {
  /** Of what was found after the crash and the restart, is it whole or undone? */
  settled(state: string | undefined): boolean
  /** What must succeed after it. */
  afterwards?(api: ApiClient): Promise<{ status: number; text: string }>
}

let image: string
let second: string
const create = (api: ApiClient) =>
  api.post('/v1/containers', { image, name: NAME, command: SERVER, port: ['18080:80'] })
const start = (api: ApiClient) => api.post(`${PATH}/actions/start`, {})

const OPERATIONS: readonly Operation[] = [
  {
    name: 'create',
    prepare: async () => {},
    run: create,
    settled: (state) => state === undefined || state === 'created',
  },
  {
    name: 'start',
    prepare: async (api) => void (await create(api)),
    run: start,
    settled: (state) => state === 'created' || state === 'running',
  },
  {
    name: 'stop',
    prepare: async (api) => {
      await create(api)
      await start(api)
    },
    run: (api) => api.post(`${PATH}/actions/stop?signal=KILL`),
    settled: (state) => state === 'running' || state === 'stopped',
  },
  {
    name: 'remove',
    prepare: async (api) => {
      await create(api)
      await start(api)
    },
    run: (api) => api.delete(`${PATH}/actions/delete?force=true`),
    settled: (state) => state === undefined || state === 'running',
  },
  ...(
    [
      ['update', { pids: 100, memory: '64m' }],
      ['pause', undefined],
    ] as const
  ).map(([name, body]) => ({
    name,
    prepare: async (api: ApiClient) => {
      await create(api)
      await start(api)
    },
    run: (api: ApiClient) => api.post(`${PATH}/actions/${name}`, body),
    settled: (state: string | undefined) => state === 'running' || (name === 'pause' && state === 'paused'),
  })),
  {
    name: 'exec',
    prepare: async (api) => {
      await create(api)
      await start(api)
    },
    run: (api) => api.post(`${PATH}/actions/exec`, { command: ['true'], wait: true }),
    settled: (state) => state === 'running',
  },
]

const pull = (api: ApiClient) => api.post('/v1/images', { image: second })
const removeImage = (api: ApiClient) => api.delete('/v1/images', { image: second })

const IMAGE_OPERATIONS: readonly Operation[] = [
  {
    name: 'pull',
    prepare: async (api) => void (await removeImage(api)),
    run: pull,
    settled: () => true,
    afterwards: pull,
  },
  {
    name: 'image remove',
    prepare: async (api) => void (await pull(api)),
    run: removeImage,
    settled: () => true,
    afterwards: pull,
  },
]

describe('a daemon killed with SIGKILL at any point', () => {
  let fixture: DaemonFixture
  let witness: Witness
  const api = () => fixture.daemon.api
  const stateOf = async (ref: string): Promise<string | undefined> =>
    (await api().get(`/v1/containers/${ref}`)).json.data?.state

  before(async () => {
    fixture = await daemonFixture({
      images: { second: busyboxImage({ layers: [[{ path: 'second', content: 'x' }]] }) },
    })
    image = fixture.image
    second = `${fixture.registry.host}/second`
    witness = await startWitness(fixture, { ports: [18081, 18082] })
  })
  after(async () => {
    await witness[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })

  for (const operation of [...OPERATIONS, ...IMAGE_OPERATIONS])
    test(`${operation.name} is whole or undone, and nothing leaks`, (t) =>
      killAtEveryPoint(t, fixture, { ...operation, verify: () => verify(operation), clear: removeVictim }))

  test('what runs is adopted, and what ended meanwhile has its true exit code', async () => {
    const waits = (exitCode: number) => ['sh', '-c', `until [ -e /go ]; do sleep 0.02; done; exit ${exitCode}`]
    const short = await runContainer(fixture, { command: waits(23) })
    const gone = await runContainer(fixture, { command: waits(0), autoRemove: true })
    const pids: number[] = []
    for (const id of [short, gone]) pids.push((await api().get(`/v1/containers/${id}`)).json.data.pid)
    await fixture.daemon.kill()
    for (const pid of pids) writeFileSync(`/proc/${pid}/root/go`, '')
    // Conmon writes them when all is over.
    const exits = () => readdirSync(join(fixture.home.run, 'exits'))
    await eventually(exits, (files) =>
      [short, gone].every((id) => files.some((file) => /^[0-9a-f]{64}$/.test(file) && file.startsWith(id))),
    )
    await fixture.restart({})
    const { exitCode } = (await api().post(`/v1/containers/${short}/actions/wait`)).json.data
    assert.equal(exitCode, 23)
    await eventually(
      () => stateOf(gone),
      (state) => state === undefined,
    )
    await witness.assertUnharmed()
    await api().delete(`/v1/containers/${short}/actions/delete`)
  })

  test('at the end nothing is left', async () => {
    await witness[Symbol.asyncDispose]()
    await fixture.clear()
  })

  async function verify({ name, settled, afterwards }: Operation): Promise<void> {
    const state = await stateOf(NAME)
    assert.ok(settled(state), `it is ${state} after ${name}`)
    await witness.assertUnharmed()
    if (state !== undefined) await isUsable(state)
    const after = await afterwards?.(api())
    if (after !== undefined) assert.equal(after.status, 200, after.text)
  }

  async function removeVictim(): Promise<void> {
    const removed = await api().delete(`${PATH}/actions/delete?force=true`)
    assert.ok(removed.status === 200 || removed.status === 404, removed.text)
  }

  async function isUsable(state: string): Promise<void> {
    if (state === 'paused') assert.equal((await api().post(`${PATH}/actions/unpause`)).status, 200)
    else if (state !== 'running') assert.equal((await start(api())).status, 200)
    await answers('http://127.0.0.1:18080/passwd')
  }
})
