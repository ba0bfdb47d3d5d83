import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  exampleConfigMap,
  exampleContainer,
  examplePod,
  exampleSecret,
  lookupOf,
} from '../../../test/fixtures/pod-example.ts'
import type { Pod } from '../../model/kube/stored.ts'
import type { Volume } from '../../model/kube/volume.ts'
import { resolveVolumes } from './volumes.ts'

const lookup = lookupOf(
  exampleConfigMap('settings', { data: { a: 'A', b: 'B' }, binaryData: { bin: 'AP8=' } }),
  exampleSecret('keys', { token: 'T' }),
)

function resolve(volume: Omit<Volume, 'name'>, spec: Partial<Pod['spec']> = {}) {
  return resolveVolumes(examplePod({ volumes: [{ name: 'v', ...volume }], ...spec }), lookup)[0]
}

const file = (path: string, text: string, mode = 0o644) => ({ path, data: Buffer.from(text), mode })
const mountFault = (message: string) => ({
  code: 'failed_precondition',
  message: `MountVolume.SetUp failed for volume "v" : ${message}`,
  details: { reason: 'FailedMount' },
})

test('emptyDir: on disk, or in memory with the smaller of its limit and that of the pod', () => {
  const name = 'v'
  const kind = 'empty'
  assert.deepEqual(resolveVolumes(examplePod(), lookup), [])
  assert.deepEqual(resolve({}), { name, kind, inMemory: false })
  assert.deepEqual(resolve({ emptyDir: { sizeLimit: '1Mi' } }), { name, kind, inMemory: false })
  const fsGroup = { securityContext: { fsGroup: 7 } }
  assert.deepEqual(resolve({ emptyDir: {} }, fsGroup), { name, kind, inMemory: false, gid: 7 })
  const sizeOf = (sizeLimit: string | undefined, ...limits: readonly (string | undefined)[]) => {
    const containers = limits.map((memory) =>
      exampleContainer(memory === undefined ? {} : { resources: { limits: { memory } } }),
    )
    const volume = resolve({ emptyDir: { medium: 'Memory', ...(sizeLimit && { sizeLimit }) } }, { containers })
    assert.ok(volume?.kind === 'empty' && volume.inMemory)
    return volume.sizeBytes
  }
  assert.equal(sizeOf(undefined, undefined), undefined)
  assert.equal(sizeOf('0', undefined), undefined)
  assert.equal(sizeOf('1Mi', undefined), 2 ** 20)
  assert.equal(sizeOf('1Mi', '2Mi', '2Mi'), 2 ** 20)
  assert.equal(sizeOf('10Mi', '2Mi', '2Mi'), 4 * 2 ** 20)
  assert.equal(sizeOf(undefined, '2Mi'), 2 * 2 ** 20)
  assert.equal(sizeOf(undefined, '2Mi', undefined), undefined)
})

test('hostPath', () => {
  const fsGroup = { securityContext: { fsGroup: 7 } }
  assert.deepEqual(resolve({ hostPath: { path: '/srv' } }, fsGroup), {
    name: 'v',
    kind: 'host',
    path: '/srv',
    type: '',
  })
  const typed = resolve({ hostPath: { path: '/srv', type: 'Directory' } })
  assert.deepEqual(typed, { name: 'v', kind: 'host', path: '/srv', type: 'Directory' })
})

test('configMap: all keys, or the items; modes', () => {
  const files = (volume: Omit<Volume, 'name'>) => {
    const resolved = resolve(volume)
    assert.ok(resolved?.kind === 'files')
    assert.equal(resolved.inMemory, volume.secret !== undefined)
    return resolved.files
  }
  const all = [file('a', 'A'), file('b', 'B'), { path: 'bin', data: Buffer.from([0, 255]), mode: 0o644 }]
  assert.deepEqual(files({ configMap: { name: 'settings' } }), all)
  assert.deepEqual(files({ configMap: { name: 'settings', items: [] } }), all)
  const items = [
    { key: 'a', path: 'x/./y' },
    { key: 'a', path: 'z', mode: 0o600 },
    { key: 'a', path: 'twice' },
    { key: 'b', path: 'twice' },
  ]
  assert.deepEqual(files({ configMap: { name: 'settings', items, defaultMode: 0o440 } }), [
    file('x/y', 'A', 0o440),
    file('z', 'A', 0o600),
    file('twice', 'B', 0o440),
  ])
  assert.deepEqual(files({ secret: { secretName: 'keys', defaultMode: 0o400 } }), [file('token', 'T', 0o400)])
})

test('what is absent keeps the volume from being there, unless it is optional', () => {
  const items = [{ key: 'none', path: 'p' }]
  const optional = true
  const cases: readonly [Omit<Volume, 'name'>, Omit<Volume, 'name'>, string][] = [
    [{ configMap: { name: 'x' } }, { configMap: { name: 'x', optional } }, 'configmap "x" not found'],
    [{ secret: { secretName: 'x' } }, { secret: { secretName: 'x', optional } }, 'secret "x" not found'],
    [
      { configMap: { name: 'settings', items } },
      { configMap: { name: 'settings', items, optional } },
      'configmap references non-existent config key: none',
    ],
    [
      { secret: { secretName: 'keys', items } },
      { secret: { secretName: 'keys', items, optional } },
      'references non-existent secret key: none',
    ],
  ]
  for (const [needed, wanted, message] of cases) {
    assert.throws(() => resolve(needed), mountFault(message))
    const resolved = resolve(wanted)
    assert.ok(resolved?.kind === 'files')
    assert.deepEqual(resolved.files, [])
  }
})
