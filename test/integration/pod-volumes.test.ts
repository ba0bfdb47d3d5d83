import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { containerPaths } from '../../src/containers/index.ts'
import {
  type PodVolume,
  podsWithVolumes,
  preparePodVolumes,
  removePodVolumes,
} from '../../src/containers/pod-volumes.ts'
import { mountPodVolumes, type PodVolumeMount } from '../../src/containers/pod-volumes-mounts.ts'
import { KeyedLock } from '../../src/lib/keyed-lock.ts'
import { silentLogger } from '../../src/lib/log.ts'
import { MS_SHARED, mount, unmount } from '../../src/linux/mount.ts'
import { mountsBelow, openSnapshots, type Snapshots } from '../../src/snapshots/index.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const UID = '11111111-2222-3333-4444-555555555555'
const TMPFS = 0x01021994
const ctx = { signal: new AbortController().signal, log: silentLogger }
const FAILED_MOUNT = { code: 'failed_precondition', details: { reason: 'FailedMount' } }

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)
const file = (path: string, text: string, mode = 0o644) => ({ path, data: Buffer.from(text), mode })

describe('volumes of pods', () => {
  let dir: string
  let snapshots: Snapshots
  let deps: Parameters<typeof removePodVolumes>[1]

  before(async () => {
    // A space, which the kernel writes as \040 where it tells of mounts.
    dir = mkdtempSync('/var/tmp/condenser pods-')
    snapshots = await openSnapshots({ layersDir: join(dir, 'l'), workerIdleMs: 100 })
    deps = { locks: new KeyedLock(), paths: containerPaths(join(dir, 'root'), join(dir, 'run')), snapshots }
  })
  beforeEach(async () => {
    await removePodVolumes(ctx, deps, UID)
    rmSync(join(dir, 'outside'), { recursive: true, force: true })
    mkdirSync(join(dir, 'outside/directory'), { recursive: true })
    writeFileSync(join(dir, 'outside/secret'), 'of the host')
  })
  after(async () => {
    await removePodVolumes(ctx, deps, UID)
    await snapshots[Symbol.asyncDispose]()
    assert.deepEqual(mountsBelow(dir), [])
    rmSync(dir, { recursive: true })
  })

  const prepare = (...volumes: readonly PodVolume[]) => preparePodVolumes(ctx, deps, UID, volumes)
  const volume = (name: string) => deps.paths.podVolume(UID, name)
  const disk = (name: string, gid?: number): PodVolume => ({
    name,
    kind: 'empty',
    inMemory: false,
    ...(gid && { gid }),
  })
  const inMemory = (name: string, sizeBytes?: number): PodVolume => ({
    name,
    kind: 'empty',
    inMemory: true,
    ...(sizeBytes && { sizeBytes }),
  })
  /** Where the daemon finds what is mounted into a container. */
  const bind = async (subPath: string, of: PodVolumeMount['volume'] = 'data', container = 'app') => {
    const mounts = [{ volume: of, subPath, destination: '/x', readOnly: false, propagation: 'rprivate' as const }]
    return (await mountPodVolumes(ctx, deps, { podUid: UID, container }, mounts))[0]!.source
  }
  const isRefused = (subPath: string, message: RegExp, of: PodVolumeMount['volume'] = 'data') =>
    assert.rejects(bind(subPath, of), { message, details: { reason: 'CreateContainerConfigError' } }, subPath)

  describe('of their own', () => {
    test('emptyDir: open to all, or to its group, which it hands on; what containers make of it stays', async () => {
      await prepare(disk('plain'), disk('grouped', 4321))
      assert.equal(modeOf(volume('plain')), '777')
      assert.equal(modeOf(volume('grouped')), '2777')
      assert.equal(statSync(volume('grouped')).gid, 4321)
      assert.equal(modeOf(deps.paths.pod(UID)), '700')
      writeFileSync(join(volume('plain'), 'kept'), '')
      chmodSync(volume('plain'), 0o750)
      chownSync(volume('plain'), 70, 70)
      await prepare(disk('plain'), disk('grouped', 4321))
      assert.deepEqual(readdirSync(volume('plain')), ['kept'])
      assert.deepEqual([modeOf(volume('plain')), statSync(volume('plain')).uid], ['750', 70])
    })

    test('a directory whose making was cut off is made anew', async () => {
      await prepare(disk('plain'))
      renameSync(volume('plain'), join(volume('plain'), '../.plain'))
      await prepare(disk('plain'))
      assert.equal(modeOf(volume('plain')), '777')
      assert.deepEqual(readdirSync(join(volume('plain'), '..')), ['plain'])
    })

    test('in memory: mounted once, with its size, and again after a reboot', async () => {
      await prepare(inMemory('fast', 2 ** 20), { ...inMemory('all'), gid: 4321 } as PodVolume)
      const { type, blocks, bsize } = statfsSync(volume('fast'))
      assert.deepEqual([type, blocks * bsize], [TMPFS, 2 ** 20])
      assert.deepEqual(
        [modeOf(volume('fast')), modeOf(volume('all')), statSync(volume('all')).gid],
        ['777', '2777', 4321],
      )
      writeFileSync(join(volume('fast'), 'kept'), '')
      await prepare(inMemory('fast', 2 ** 20))
      assert.deepEqual(readdirSync(volume('fast')), ['kept'])
      assert.equal(mountsBelow(volume('fast')).length, 1)
      unmount(volume('fast'))
      await prepare(inMemory('fast'))
      assert.deepEqual([statfsSync(volume('fast')).type, readdirSync(volume('fast'))], [TMPFS, []])
    })

    test('files: those of secrets in memory; their group may read them', async () => {
      const files = [file('a', 'A', 0o400), file('d/b', 'B')]
      await prepare(
        { name: 'settings', kind: 'files', inMemory: false, files },
        { name: 'keys', kind: 'files', inMemory: true, files, gid: 4321 },
      )
      assert.notEqual(statfsSync(volume('settings')).type, TMPFS)
      assert.equal(statfsSync(volume('keys')).type, TMPFS)
      assert.deepEqual([modeOf(volume('settings')), modeOf(volume('keys'))], ['755', '2755'])
      assert.deepEqual([modeOf(join(volume('settings'), 'a')), modeOf(join(volume('keys'), 'a'))], ['400', '440'])
      for (const path of ['.', '..data/.', 'a', 'd', 'd/b']) {
        assert.equal(statSync(join(volume('keys'), path)).gid, 4321, path)
      }
      assert.equal(modeOf(join(volume('keys'), 'd')), '2755')
      await prepare({ name: 'keys', kind: 'files', inMemory: true, files: [file('a', 'new')], gid: 4321 })
      assert.equal(readFileSync(join(volume('keys'), 'a'), 'utf8'), 'new')
      assert.equal(existsSync(join(volume('keys'), 'd')), false)
    })

    test('a name that is none leads nowhere', async () => {
      for (const name of ['../../x', '..', '', 'a/b', '.a']) {
        await assert.rejects(prepare(disk(name)), FAILED_MOUNT, name)
      }
    })
  })

  test('paths of the host are what they are to be, or are made', async () => {
    const at = (name: string) => join(dir, 'outside', name)
    const host = (name: string, type: Extract<PodVolume, { kind: 'host' }>['type']) =>
      prepare({ name: 'host', kind: 'host', path: at(name), type })
    symlinkSync('directory', at('link'))
    symlinkSync('nowhere', at('dangling'))
    const server = createServer().listen(at('socket'))
    await new Promise((resolve) => server.once('listening', resolve))

    for (const name of ['', 'directory', 'secret', 'socket', 'link', 'made/deep']) await host(name, '')
    assert.equal(modeOf(at('made/deep')), '755')
    for (const type of ['Directory', 'DirectoryOrCreate'] as const)
      for (const name of ['directory', 'link']) await host(name, type)
    await host('secret', 'File')
    await host('secret', 'FileOrCreate')
    await host('socket', 'Socket')
    await prepare({ name: 'host', kind: 'host', path: '/dev/null', type: 'CharDevice' })
    await host('new/directory', 'DirectoryOrCreate')
    assert.equal(modeOf(at('new/directory')), '755')
    await host('new/file', 'FileOrCreate')
    assert.equal(modeOf(at('new/file')), '644')

    const refused: readonly [string, Parameters<typeof host>[1], string][] = [
      ['none', 'Directory', 'a directory'],
      ['secret', 'Directory', 'a directory'],
      ['secret', 'DirectoryOrCreate', 'a directory'],
      ['none', 'File', 'a file'],
      ['directory', 'File', 'a file'],
      ['directory', 'FileOrCreate', 'a file'],
      ['secret', 'Socket', 'a socket file'],
      ['none', 'CharDevice', 'a character device'],
      ['secret', 'BlockDevice', 'a block device'],
    ]
    for (const [name, type, words] of refused) {
      const message = `MountVolume.SetUp failed for volume "host" : hostPath type check failed: ${at(name)} is not ${words}`
      await assert.rejects(host(name, type), { ...FAILED_MOUNT, message })
    }
    await assert.rejects(host('none/file', 'FileOrCreate'), FAILED_MOUNT)
    await assert.rejects(host('dangling', ''), FAILED_MOUNT)
    server.close()
  })

  describe('a part of a volume', () => {
    test('is a directory or a file of it; what is not there is made like the volume itself', async () => {
      await prepare(disk('data', 4321))
      mkdirSync(join(volume('data'), 'there'))
      writeFileSync(join(volume('data'), 'there/file'), 'text')
      writeFileSync(join(await bind('there'), 'seen'), '')
      assert.ok(existsSync(join(volume('data'), 'there/seen')))
      assert.equal(readFileSync(await bind('there/file'), 'utf8'), 'text')
      await bind('new//./deep/')
      for (const path of ['new', 'new/deep']) {
        const made = join(volume('data'), path)
        assert.deepEqual([modeOf(made), statSync(made).gid], ['2777', 4321])
      }
      assert.equal(await bind('.'), join(deps.paths.podMounts(UID), 'app/0'))
      assert.equal(mountsBelow(deps.paths.podMounts(UID)).length, 1)
      await isRefused('there/file/below', /not a directory/)
    })

    test('of files, it is the version that was there', async () => {
      const files = (text: string): PodVolume => ({
        name: 'data',
        kind: 'files',
        inMemory: true,
        files: [file('d/a', text)],
      })
      await prepare(files('1'))
      const source = await bind('d/a')
      await prepare(files('2'))
      assert.equal(readFileSync(source, 'utf8'), '1')
      assert.equal(readFileSync(await bind('d/a'), 'utf8'), '2')
    })

    test('symlinks lead within the volume, and nowhere else', async () => {
      await prepare(disk('data'))
      const at = (name: string) => join(volume('data'), name)
      mkdirSync(at('real/deep'), { recursive: true })
      symlinkSync('real', at('inside'))
      symlinkSync('../real/deep', at('real/up'))
      symlinkSync('/', at('root'))
      symlinkSync(join(dir, 'outside'), at('absolute'))
      symlinkSync('../../../../../outside', at('relative'))
      symlinkSync('/proc/self/root', at('magic'))
      symlinkSync('/proc/self/cwd', at('cwd'))
      symlinkSync('loop', at('loop'))
      symlinkSync('nowhere', at('dangling'))
      symlinkSync('..', at('above'))
      writeFileSync(join(await bind('inside/deep'), 'a'), '')
      writeFileSync(join(await bind('real/up'), 'b'), '')
      assert.deepEqual(readdirSync(at('real/deep')), ['a', 'b'])
      const out = /leads out of the volume/
      for (const path of ['root', 'absolute', 'relative', 'magic', 'cwd', 'above', '..', 'real/../..'])
        await isRefused(path, out)
      for (const path of ['absolute/new', 'relative/new', 'above/new/x', 'root/tmp/new']) await isRefused(path, out)
      await isRefused('loop', /loop/)
      await isRefused('dangling', /nowhere/)
      await isRefused('dangling/new', /nowhere/)
      assert.deepEqual(readdirSync(join(dir, 'outside')).sort(), ['directory', 'secret'])
      assert.equal(mountsBelow(deps.paths.podMounts(UID)).length, 1)
    })

    test('of a path of the host too, be it a symlink itself', async () => {
      mkdirSync(join(dir, 'outside/directory/sub'))
      symlinkSync('directory', join(dir, 'outside/link'))
      symlinkSync('../../secret', join(dir, 'outside/directory/sub/escape'))
      const hostPath = join(dir, 'outside/link')
      writeFileSync(join(await bind('sub', { hostPath }), 'a'), '')
      assert.ok(existsSync(join(dir, 'outside/directory/sub/a')))
      await isRefused('sub/escape', /leads out of the volume/, { hostPath })
    })

    for (const [where, subPath] of [
      ['on the way', 'a/b'],
      ['at the end', 'a'],
      ['above what is made', 'a/new'],
    ] as const) {
      test(`a symlink that comes and goes ${where} leads nowhere else`, async () => {
        await prepare(disk('data'))
        const [own, foreign] = [join(volume('data'), 'a'), join(dir, 'outside/directory')]
        for (const [base, name] of [
          [own, 'mine'],
          [foreign, 'stolen'],
        ] as const) {
          mkdirSync(join(base, 'b'), { recursive: true })
          for (const path of [name, `b/${name}`]) writeFileSync(join(base, path), '')
        }
        symlinkSync(foreign, join(volume('data'), 'evil'))
        const workerData = [own, join(volume('data'), 'evil')]
        const attacker = new Worker(new URL('../fixtures/exchange-names.ts', import.meta.url), { workerData })
        await once(attacker, 'online')
        const outcomes = new Map<string, number>()
        try {
          for (let tries = 0; tries < 500 || (outcomes.size < 2 && tries < 20_000); tries++) {
            const outcome = await bind(subPath).then(
              (source) =>
                readdirSync(source)
                  .filter((name) => name !== 'b' && name !== 'new')
                  .join(),
              (error) => error.message.replace(/.*: /, ''),
            )
            outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
          }
        } finally {
          await attacker.terminate()
        }
        const expected = [subPath === 'a/new' ? '' : 'mine', 'a symbolic link in it leads out of the volume']
        assert.deepEqual([...outcomes.keys()].sort(), expected.sort())
        assert.deepEqual(readdirSync(foreign).sort(), ['b', 'stolen'])
      })
    }

    test('each container has its own, and each new one of its name another', async () => {
      await prepare(disk('data'))
      const first = await bind('a', 'data', 'one')
      const second = await bind('b', 'data', 'two')
      assert.notEqual(first, second)
      writeFileSync(join(first, 'of-a'), '')
      writeFileSync(join(volume('data'), 'file'), 'text')
      for (const [subPath, expected] of [
        ['b', ''],
        ['file', 'text'],
        ['a', 'of-a'],
      ] as const) {
        const source = await bind(subPath, 'data', 'one')
        assert.equal(source, first)
        assert.equal(
          lstatSync(source).isDirectory() ? readdirSync(source).join() : readFileSync(source, 'utf8'),
          expected,
        )
      }
      assert.equal(mountsBelow(deps.paths.podMounts(UID)).length, 2)
    })
  })

  describe('removal', () => {
    test('takes all of it, unmounted; the host keeps what was its own', async () => {
      const hostPath = join(dir, 'outside')
      await prepare(disk('data'), inMemory('fast'), { name: 'host', kind: 'host', path: hostPath, type: '' })
      await bind('directory', { hostPath })
      await bind('secret', { hostPath }, 'other')
      await bind('sub', 'fast', 'third')
      writeFileSync(join(volume('data'), 'file'), '')
      linkSync(join(volume('data'), 'file'), join(volume('data'), 'same'))
      mkdirSync(join(volume('data'), ...Array<string>(40).fill('d'.repeat(90))), { recursive: true })
      assert.deepEqual(await podsWithVolumes(deps.paths), [UID])
      await removePodVolumes(ctx, deps, UID)
      await removePodVolumes(ctx, deps, UID)
      assert.deepEqual(await podsWithVolumes(deps.paths), [])
      assert.deepEqual(mountsBelow(dir), [])
      assert.equal(readFileSync(join(hostPath, 'secret'), 'utf8'), 'of the host')
      assert.deepEqual(readdirSync(hostPath).sort(), ['directory', 'secret'])
    })

    test('also of what a container has mounted in a volume, which keeps its files', async () => {
      await prepare(disk('data'))
      mkdirSync(join(volume('data'), 'bound'))
      mkdirSync(join(volume('data'), 'tmp'))
      mount(join(dir, 'outside'), join(volume('data'), 'bound'), null, 0x1000, null)
      mount('tmpfs', join(volume('data'), 'tmp'), 'tmpfs', 0, null)
      mkdirSync(join(volume('data'), 'tmp/in'))
      mount('tmpfs', join(volume('data'), 'tmp/in'), 'tmpfs', 0, null)
      await removePodVolumes(ctx, deps, UID)
      assert.equal(existsSync(deps.paths.pod(UID)), false)
      assert.equal(readFileSync(join(dir, 'outside/secret'), 'utf8'), 'of the host')
    })

    test('of a part of a path of the host undoes no mount of the host, though it is shared', async () => {
      const hostPath = join(dir, 'outside')
      mount('tmpfs', hostPath, 'tmpfs', 0, null)
      mount('none', hostPath, null, MS_SHARED, null)
      try {
        mkdirSync(join(hostPath, 'sub/inner'), { recursive: true })
        const source = await bind('sub', { hostPath })
        mount('tmpfs', join(hostPath, 'sub/inner'), 'tmpfs', 0, null)
        writeFileSync(join(hostPath, 'sub/inner/file'), '')
        // It is seen in the part, as in any slave, ...
        assert.deepEqual(readdirSync(join(source, 'inner')), ['file'])
        await removePodVolumes(ctx, deps, UID)
        // ... and is the host's all the same.
        assert.deepEqual(readdirSync(join(hostPath, 'sub/inner')), ['file'])
        assert.equal(mountsBelow(hostPath).length, 2)
      } finally {
        for (const target of mountsBelow(hostPath)) unmount(target)
      }
    })
  })
})
