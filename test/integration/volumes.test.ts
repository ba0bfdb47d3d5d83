import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { mount, unmount } from '../../src/linux/mount.ts'
import { lgetxattr } from '../../src/linux/xattr.ts'
import type { ApiClient } from '../support/api-client.ts'
import { type DaemonFixture, daemonFixture, runContainer, runToEnd } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import type { TarEntry } from '../support/tar.ts'
import { busyboxImage } from '../support/test-image.ts'

runInOwnNamespaces(import.meta.filename)

const OUTSIDE = '/var/tmp/condenser-volumes-outside'

const content: readonly TarEntry[] = [
  { path: 'data/', type: 'directory', mode: 0o2750, uid: 5, gid: 6, mtime: 1_000_000 },
  { path: 'data/file', content: 'hello', mode: 0o4711, uid: 7, gid: 8, mtime: 2_000_000 },
  { path: 'data/same', type: 'link', target: 'data/file' },
  { path: 'data/marked', content: 'x', pax: { 'SCHILY.xattr.user.note': 'kept' } },
  { path: 'data/to', type: 'symlink', target: '/etc/passwd' },
  { path: 'data/pipe', type: 'fifo' },
  { path: 'data/null', type: 'character', major: 1, minor: 3 },
  { path: 'data/deep/er/', type: 'directory', mode: 0o700, mtime: 3_000_000 },
  { path: 'data/deep/er/x', content: 'x' },
]
const images = {
  full: busyboxImage({ layers: [content, [{ path: 'data/later', content: 'of the second layer' }]] }),
  declared: busyboxImage({ layers: [content], config: { Volumes: { '/data': {}, 'relative/./path': {} } } }),
  hostile: busyboxImage({
    layers: [
      [
        { path: 'data', type: 'symlink', target: '../../../../../../../var/tmp/condenser-volumes-outside' },
        { path: 'loop', type: 'symlink', target: '/loop' },
        { path: 'inside', type: 'symlink', target: '/../real' },
        { path: 'real/', type: 'directory' },
        { path: 'real/file', content: 'found' },
        { path: 'plain', content: 'no directory' },
      ],
    ],
  }),
  rooted: busyboxImage({ config: { Volumes: { '/..': {} } } }),
}

for (const runtime of ['crun', 'runc'] as const)
  describe(`volumes with ${runtime}`, () => {
    let fixture: DaemonFixture
    before(async () => {
      mkdirSync(OUTSIDE, { recursive: true })
      writeFileSync(join(OUTSIDE, 'secret'), 'of the host')
      fixture = await daemonFixture({ images, runtime })
      for (const name of Object.keys(images)) await api().post('/v1/images', { image: of(name) })
    })
    afterEach(async () => {
      assert.deepEqual(readdirSync(OUTSIDE), ['secret'])
      assert.equal(readFileSync(join(OUTSIDE, 'secret'), 'utf8'), 'of the host')
      await fixture.clear()
    })
    after(() => fixture[Symbol.asyncDispose]())

    const api = (): ApiClient => fixture.daemon.api
    const of = (name: string) => `${fixture.registry.host}/${name}`
    const list = async (query = '') => (await api().get(`/v1/volumes${query}`)).json.data
    const names = async (query = ''): Promise<string[]> => (await list(query)).map(({ name }: { name: string }) => name)
    const say = async (script: string, body: object = {}) =>
      (await runToEnd(fixture, { command: ['sh', '-c', `exec 2>&1; ${script}`], ...body })).output
    const createContainer = (body: object) => api().post('/v1/containers', { image: fixture.image, ...body })
    const refusesToStart = async (body: object) => {
      const { id } = (await createContainer(body)).json.data
      const { status, text } = await api().post(`/v1/containers/${id}/actions/start`, {})
      assert.equal(status, 400, status === 500 ? fixture.daemon.log().slice(-1500) : text)
    }
    const remove = (ref: string, query = '') => api().delete(`/v1/containers/${ref}/actions/delete?force=true${query}`)

    test('create, list, inspect, remove', async () => {
      const created = await api().post('/v1/volumes', { name: 'data', labels: { tier: 'db' } })
      assert.equal(created.status, 200)
      const { createdAt, mountPoint, ...rest } = created.json.data
      assert.deepEqual(rest, {
        name: 'data',
        driver: 'local',
        labels: { tier: 'db' },
        anonymous: false,
        containers: null,
      })
      assert.equal(mountPoint, join(fixture.home.root, 'volumes/data/_data'))
      assert.ok(Date.parse(createdAt) > 0)
      assert.equal(statSync(mountPoint).mode & 0o7777, 0o755)
      assert.equal(statSync(join(fixture.home.root, 'volumes')).mode & 0o7777, 0o700)
      const again = await api().post('/v1/volumes', { name: 'data', labels: { tier: 'other' } })
      assert.deepEqual(again.json.data, created.json.data, 'there is one already')
      assert.deepEqual((await api().get('/v1/volumes/data')).json.data, created.json.data)

      const { name } = (await api().post('/v1/volumes', {})).json.data
      assert.match(name, /^[0-9a-f]{64}$/)
      assert.deepEqual(await names('?label=tier%3Ddb'), ['data'])
      assert.deepEqual(await names('?name=at&dangling=true'), ['data'])
      assert.equal((await api().delete('/v1/volumes/data')).status, 200)
      assert.equal(existsSync(mountPoint), false)
      assert.equal((await api().delete('/v1/volumes/data')).status, 404)
      assert.equal((await api().get('/v1/volumes/data')).status, 404)
      assert.equal((await api().post('/v1/volumes/prune', {})).json.data.removed.length, 1)
    })

    test('what no volume can be called, or be made of', async () => {
      for (const body of [
        { name: '../x' },
        { name: '.x' },
        { name: 'a/b' },
        { name: 'x'.repeat(129) },
        { name: 'c0ffee123456' },
        { name: 'x', driver: 'nfs' },
      ])
        assert.equal((await api().post('/v1/volumes', body)).status, 400, JSON.stringify(body))
      for (const body of [
        { mount: ['c0ffee123456:/x'] },
        { mount: ['data:/x', '/srv:/x'] },
        { mount: ['data:/x'], tmpfs: ['/x'] },
        { volumesFrom: ['web:z'] },
        { image: of('rooted') },
      ])
        assert.equal((await createContainer(body)).status, 400, JSON.stringify(body))
      assert.equal((await createContainer({ volumesFrom: ['nobody'] })).status, 404)
      assert.deepEqual(await names(), [])
    })

    test('an empty volume is filled with what the image has, and only once', async () => {
      const seen = await say(
        'cd /data; stat -c "%n %a %u:%g %Y %F" . file to pipe null deep/er; cat later; ls -i file same',
        {
          image: of('full'),
          mount: ['data:/data'],
        },
      )
      assert.equal(
        seen.replace(/ *(\d+) file\s+\1 same/, '# file\n# same').replace(/ +/g, ' '),
        [
          '. 2750 5:6 1000000 directory',
          'file 4711 7:8 2000000 regular file',
          'to 777 0:0 0 symbolic link',
          'pipe 644 0:0 0 fifo',
          'null 644 0:0 0 character special file',
          'deep/er 700 0:0 3000000 directory',
          'of the second layer# file',
          '# same',
          '',
        ].join('\n'),
      )
      const path = join(fixture.home.root, 'volumes/data/_data/marked')
      assert.equal(lgetxattr(path, 'user.note')?.toString(), 'kept')
      await say('rm -r /x/*; echo mine > /x/file', { mount: ['data:/x'] })
      assert.equal(await say('ls /data; cat /data/file', { image: of('full'), mount: ['data:/data'] }), 'file\nmine\n')
      assert.equal(await say('ls /data', { image: of('full'), mount: ['other:/data:nocopy'] }), '')
    })

    test('read-only, and shared by two that run', async () => {
      await runContainer(fixture, { name: 'writer', command: ['sleep', '100'], mount: ['data:/x'] })
      await runContainer(fixture, { name: 'reader', command: ['sleep', '100'], mount: ['data:/x:ro'] })
      const sayIn = async (ref: string, script: string) =>
        (await api().post(`/v1/containers/${ref}/actions/exec`, { command: ['sh', '-c', script], wait: true })).json
          .data
      assert.equal((await sayIn('writer', 'echo shared > /x/f')).exitCode, 0)
      assert.equal((await sayIn('reader', 'cat /x/f')).stdout, 'shared\n')
      assert.match((await sayIn('reader', 'echo no > /x/f')).stderr, /Read-only file system/)

      const refused = await api().delete('/v1/volumes/data')
      assert.equal(refused.status, 409)
      assert.match(refused.json.message, /Cannot remove volume "data": "writer", "reader" use it/)
      assert.deepEqual((await list())[0].containers, ['writer', 'reader'])
      assert.deepEqual((await api().post('/v1/volumes/prune', { all: true })).json.data.removed, [])
      assert.deepEqual(await names('?dangling=false'), ['data'])
    })

    test('volumes of the image, and without a name, go with the container if asked', async () => {
      const { id } = (await createContainer({ image: of('declared'), name: 'one', mount: ['/extra'] })).json.data
      const { spec } = (await api().get('/v1/containers/one/inspect')).json.data
      assert.deepEqual(
        spec.mounts.map(({ destination, anonymous }: { destination: string; anonymous: boolean }) => [
          destination,
          anonymous,
        ]),
        [
          ['/extra', true],
          ['/data', true],
          ['/relative/path', true],
        ],
      )
      const kept = await names()
      assert.equal(kept.length, 3)
      assert.equal((await remove(id)).status, 200)
      assert.deepEqual(await names(), kept)

      await createContainer({ name: 'heir', mount: [`${kept[0]}:/x`] })
      await createContainer({ name: 'two', image: of('declared'), mount: ['data:/data'] })
      await createContainer({ name: 'three', volumesFrom: ['two'] })
      assert.equal((await remove('two', '&volumes=true')).status, 200)
      assert.equal((await names()).length, 5, '"three" uses what was made for "two"')
      assert.equal((await remove('three', '&volumes=true')).status, 200)
      assert.deepEqual((await names()).toSorted(), [...kept, 'data'].toSorted())
      const { removed } = (await api().post('/v1/volumes/prune', {})).json.data
      assert.deepEqual(removed.toSorted(), kept.slice(1).toSorted())
      assert.deepEqual((await names()).toSorted(), ['data', kept[0]].toSorted())

      await say('true', { image: of('declared'), autoRemove: false })
      assert.equal((await names()).length, 4, 'a delete that does not ask for it leaves them')
      const auto = await runContainer(fixture, { image: of('declared'), command: ['true'], autoRemove: true })
      await api().post(`/v1/containers/${auto}/actions/wait`)
      for (let tries = 0; (await api().get(`/v1/containers/${auto}`)).status === 200 && tries < 600; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      for (let tries = 0; (await names()).length > 4 && tries < 600; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      assert.equal((await names()).length, 4)
    })

    test('volumes of other containers', async () => {
      await createContainer({ name: 'a', image: of('full'), mount: ['data:/data', '/etc:/host:ro', '/own'] })
      await createContainer({ name: 'b', mount: ['other:/data'] })
      const mountsOf = async (body: object) => {
        const { id } = (await createContainer(body)).json.data
        const { spec } = (await api().get(`/v1/containers/${id}/inspect`)).json.data
        return spec.mounts.map((mount: Record<string, unknown>) => [
          mount['destination'],
          mount['volume'] === undefined || mount['anonymous'] ? '' : mount['volume'],
          mount['readOnly'],
        ])
      }
      assert.deepEqual(await mountsOf({ volumesFrom: ['a'] }), [
        ['/data', 'data', false],
        ['/host', '', true],
        ['/own', '', false],
      ])
      assert.deepEqual(await mountsOf({ volumesFrom: ['a:ro', 'b'], tmpfs: ['/own'], mount: ['mine:/host'] }), [
        ['/data', 'other', false],
        ['/host', 'mine', false],
      ])
      assert.deepEqual(await mountsOf({ volumesFrom: ['b', 'a:ro'], image: of('declared') }), [
        ['/data', 'data', true],
        ['/host', '', true],
        ['/own', '', true],
        ['/relative/path', '', false],
      ])
    })

    test('an image cannot lead a volume, or what fills it, out of its root', async () => {
      const image = of('hostile')
      const outside = { image, mount: ['one:/data'], command: ['sh', '-c', 'touch /data/f; ls /var/tmp/condenser-*'] }
      // runc makes the directory that the link leads to, in the container's root; crun refuses.
      if (runtime === 'runc') assert.equal((await runToEnd(fixture, outside)).output, 'f\n')
      else await refusesToStart(outside)
      assert.equal(await say('cat /inside/file; ls /real', { image, mount: ['two:/inside'] }), 'foundfile\n')
      for (const target of ['loop', 'plain']) {
        await refusesToStart({ image, mount: [`three:/${target}`] })
        assert.deepEqual(readdirSync(join(fixture.home.root, 'volumes/three/_data')), [])
      }
    })

    test('many that fill one volume at once: it is filled once, and nobody sees a part', async () => {
      const made = await Promise.all(
        Array.from({ length: 6 }, () =>
          createContainer({ image: of('full'), mount: ['data:/data'], command: ['sh', '-c', 'ls /data | wc -l'] }),
        ),
      )
      for (const { json } of made) {
        const { id } = json.data
        await api().post(`/v1/containers/${id}/actions/start`, {})
        await api().post(`/v1/containers/${id}/actions/wait`)
        assert.equal((await api().get(`/v1/containers/${id}/log?tail_lines=9`)).text, '8\n')
      }
    })

    test('a disk that is full: the container is not made, and the volume stays empty', async () => {
      const volumes = join(fixture.home.root, 'volumes')
      mount('tmpfs', volumes, 'tmpfs', 0, 'size=16k')
      try {
        const refused = await createContainer({ image: of('full'), mount: ['data:/bin'] })
        assert.equal(refused.status, 507, refused.text)
        assert.match(refused.json.message, /no space left on the disk/)
        assert.deepEqual(readdirSync(join(volumes, 'data')), ['_data'])
        assert.deepEqual(readdirSync(join(volumes, 'data/_data')), [])
        assert.deepEqual((await api().get('/v1/containers')).json.data, null)
        await api().delete('/v1/volumes/data')
      } finally {
        unmount(volumes)
      }
    })
  })
