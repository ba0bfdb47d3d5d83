import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exampleMeta, examplePod } from '../../../test/fixtures/pod-example.ts'
import type { ObjectMeta } from '../meta.ts'
import type { PodContainer } from './container.ts'
import { backends, endpointsOf, PodIndex } from './endpoints.ts'
import type { PodStatus } from './pod-status.ts'
import type { ServiceSpec } from './service.ts'
import type { Pod } from './stored.ts'

const READY: PodStatus = { phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] }
const UNREADY: PodStatus = { ...READY, conditions: [{ type: 'Ready', status: 'False' }] }
const SERVICE: ServiceSpec = { selector: { app: 'web', tier: 'front' } }

function pod(
  status: Partial<PodStatus> = {},
  metadata: Partial<ObjectMeta> = {},
  ports: PodContainer['ports'] = [],
): Pod {
  const { spec } = examplePod({ containers: [{ name: 'app', image: 'web', ports }] })
  const labels = { app: 'web', tier: 'front', more: 'x' }
  return { metadata: exampleMeta({ labels, ...metadata }), spec, status: { ...READY, ...status } }
}

describe('backends()', () => {
  const isOne = (one: Pod, spec = SERVICE) => backends('default', spec, new PodIndex([one])).length === 1

  test('have all the labels, in the namespace of the Service; no selector selects nothing', () => {
    assert.ok(isOne(pod()))
    assert.ok(!isOne(pod({}, { labels: { app: 'web' } })))
    assert.ok(!isOne(pod({}, { labels: { app: 'web', tier: 'back' } })))
    assert.ok(!isOne(pod({}, { namespace: 'other' })))
    assert.ok(!isOne(pod(), { selector: {} }))
    assert.ok(!isOne(pod(), {}))
  })

  test('are ready, unless that is not asked for', () => {
    const all: ServiceSpec = { ...SERVICE, publishNotReadyAddresses: true }
    assert.deepEqual([isOne(pod(UNREADY)), isOne(pod(UNREADY), all)], [false, true])
  })

  test('are neither going nor at their end, though their address is still told', () => {
    for (const spec of [SERVICE, { ...SERVICE, publishNotReadyAddresses: true }]) {
      assert.ok(!isOne(pod({}, { deletedAt: 1 }), spec))
      for (const phase of ['Succeeded', 'Failed'] as const) assert.ok(!isOne(pod({ ...UNREADY, phase }), spec))
      const { podIP: _, ...nowhere } = READY
      assert.ok(!isOne({ ...pod(), status: nowhere }, spec))
    }
  })
})

describe('endpointsOf()', () => {
  const web = (podIP: string, containerPort: number, name = 'http') => pod({ podIP }, {}, [{ name, containerPort }])
  const placesOf = (port: Parameters<typeof endpointsOf>[0], pods: readonly Pod[]) =>
    endpointsOf(port, pods).map(({ address, port: at }) => `${address}:${at}`)

  test('are in the order of addresses, at the port of the Service if it names no other', () => {
    const pods = [web('10.0.0.2', 1), web('10.0.0.1', 1)]
    assert.deepEqual(placesOf({ port: 80 }, pods), ['10.0.0.1:80', '10.0.0.2:80'])
    assert.deepEqual(placesOf({ port: 80, targetPort: 8080 }, pods), ['10.0.0.1:8080', '10.0.0.2:8080'])
    assert.deepEqual(placesOf({ port: 80, targetPort: '8080' }, pods), ['10.0.0.1:8080', '10.0.0.2:8080'])
  })

  test('are by a name what each pod calls so, of that protocol', () => {
    const other = pod({ podIP: '10.0.0.3' }, {}, [{ name: 'http', containerPort: 53, protocol: 'UDP' }])
    const pods = [web('10.0.0.1', 8080), web('10.0.0.2', 9090), web('10.0.0.4', 1, 'admin'), other]
    assert.deepEqual(placesOf({ port: 80, targetPort: 'http' }, pods), ['10.0.0.1:8080', '10.0.0.2:9090'])
    assert.deepEqual(placesOf({ port: 80, targetPort: 'http', protocol: 'UDP' }, pods), ['10.0.0.3:53'])
  })
})
