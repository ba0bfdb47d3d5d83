import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { ApiClient } from '../support/api-client.ts'
import { type CrashOperation, killAtEveryPoint } from '../support/crash.ts'
import { type DaemonFixture, daemonFixture, runToEnd } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { busyboxImage } from '../support/test-image.ts'

runInOwnNamespaces(import.meta.filename)

const files = Array.from({ length: 50 }, (_, i) => ({ path: `data/${i}`, content: String(i) }))
const full = busyboxImage({
  layers: [[{ path: 'data/', type: 'directory', uid: 7 }, ...files]],
  config: { Volumes: { '/anonymous': {} } },
})

let image: string
const create = (api: ApiClient) => api.post('/v1/containers', { image, name: 'victim', mount: ['store:/data'] })

const OPERATIONS: readonly Pick<CrashOperation, 'name' | 'passes' | 'prepare' | 'run'>[] = [
  {
    name: 'create of a volume',
    passes: ['volume.create.record', 'volume.create.directory'],
    prepare: async () => {},
    run: (api) => api.post('/v1/volumes', { name: 'store' }),
  },
  {
    name: 'create of a container that fills it',
    passes: ['create.volume', 'seed.copy', 'seed.sync', 'seed.rename', 'seed.move', 'seed.attributes', 'seed.done'],
    prepare: async () => {},
    run: create,
  },
  {
    name: 'remove of a volume',
    passes: ['volume.remove.record', 'volume.remove.files', 'volume.remove.done'],
    async prepare(api) {
      await create(api)
      await api.delete('/v1/containers/victim/actions/delete')
    },
    run: (api) => api.delete('/v1/volumes/store'),
  },
  {
    name: 'remove of a container with its volumes',
    passes: ['volume.remove.files', 'volume.remove.done'],
    prepare: async (api) => void (await create(api)),
    run: (api) => api.delete('/v1/containers/victim/actions/delete?volumes=true'),
  },
]

describe('volumes of a daemon killed with SIGKILL at any point', () => {
  let fixture: DaemonFixture
  before(async () => {
    fixture = await daemonFixture({ images: { full } })
    image = `${fixture.registry.host}/full`
    await fixture.daemon.api.post('/v1/images', { image })
  })
  after(() => fixture[Symbol.asyncDispose]())

  for (const operation of OPERATIONS)
    test(`${operation.name} is whole or undone, and nothing is left`, (t) =>
      killAtEveryPoint(t, fixture, {
        ...operation,
        verify: (api) => verify(api, operation.name === 'remove of a volume'),
        clear: () => fixture.clear(),
      }))

  /** @param orphan the volume without a name was left by a delete that did not ask for it */
  async function verify(api: ApiClient, orphan: boolean): Promise<void> {
    const known = (await api.get('/v1/volumes')).json.data as { name: string; anonymous: boolean }[]
    const directories = readdirSync(join(fixture.home.root, 'volumes'))
    assert.deepEqual(directories.sort(), known.map(({ name }) => name).sort())
    for (const directory of directories) {
      const path = join(fixture.home.root, 'volumes', directory)
      assert.deepEqual(readdirSync(path), ['_data'])
      const found = readdirSync(join(path, '_data'))
      assert.ok([0, files.length].includes(found.length), `half filled: ${found}`)
    }
    const { status } = await api.get('/v1/containers/victim')
    const anonymous = known.filter((volume) => volume.anonymous).length
    assert.equal(anonymous, status === 200 || orphan ? 1 : 0)
    // Whatever was left, it can be used, and has all that the image has.
    const command = ['sh', '-c', 'ls /data | wc -l; stat -c %u /data; cat /data/49']
    assert.equal((await runToEnd(fixture, { image, mount: ['store:/data'], command })).output, '50\n7\n49')
  }
})
