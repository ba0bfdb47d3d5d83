import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { exampleContainer, exampleNode } from '../../../test/fixtures/pod-example.ts'
import type { PodContainer, ResourceRequirements } from '../../model/kube/container.ts'
import { amountOf, engineResources, oomScoreAdj, podMemoryLimit, qosClass } from './resources.ts'

const MI = 2 ** 20
const GI = 2 ** 30
const node = exampleNode()

function container(resources?: ResourceRequirements, rest: Partial<PodContainer> = {}): PodContainer {
  return exampleContainer({ ...(resources && { resources }), ...rest })
}

test('engineResources(): shares by request, quota by limit, no swap', () => {
  const cases: readonly [ResourceRequirements | undefined, object][] = [
    [undefined, { cpuShares: 2 }],
    [{ requests: { cpu: '1' } }, { cpuShares: 1024 }],
    [{ requests: { cpu: '250m' } }, { cpuShares: 256 }],
    [{ requests: { cpu: '1m' } }, { cpuShares: 2 }],
    [{ requests: { cpu: 1000 } }, { cpuShares: 262_144 }],
    [{ limits: { cpu: '1.5' } }, { cpuShares: 1536, milliCpus: 1500 }],
    [
      { limits: { cpu: '2' }, requests: { cpu: '500m' } },
      { cpuShares: 512, milliCpus: 2000 },
    ],
    [
      { limits: { cpu: '2' }, requests: { cpu: '0' } },
      { cpuShares: 2, milliCpus: 2000 },
    ],
    [{ limits: { cpu: '5m' } }, { cpuShares: 5, milliCpus: 10 }],
    [{ limits: { cpu: '0' } }, { cpuShares: 2 }],
    [{ requests: { memory: '64Mi' } }, { cpuShares: 2 }],
    [{ limits: { memory: '128Mi' } }, { cpuShares: 2, memoryBytes: 128 * MI, memorySwapBytes: 128 * MI }],
    [{ limits: { memory: '0' } }, { cpuShares: 2 }],
    [{ limits: { 'hugepages-2Mi': '2Mi', 'ephemeral-storage': '1Gi' } }, { cpuShares: 2 }],
  ]
  for (const [resources, expected] of cases) {
    assert.deepEqual(engineResources(container(resources), node), expected, JSON.stringify(resources))
  }
  const withoutSwap = engineResources(container({ limits: { memory: '1Gi' } }), { limitsSwap: false })
  assert.deepEqual(withoutSwap, { cpuShares: 2, memoryBytes: GI })
})

test('amountOf() rounds up to thousandths of a core and to bytes, and never by an error of arithmetic', () => {
  assert.equal(amountOf({ cpu: '1.0001' }, 'cpu'), 1001)
  assert.equal(amountOf({ cpu: '100n' }, 'cpu'), 1)
  assert.equal(amountOf({ memory: '0.5' }, 'memory'), 1)
  assert.equal(amountOf({ memory: '1.5Ki' }, 'memory'), 1536)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (milli) => {
      assert.equal(amountOf({ cpu: `${milli}m` }, 'cpu'), milli)
      assert.equal(amountOf({ cpu: milli / 1000 }, 'cpu'), milli)
    }),
  )
})

const both = (cpu: string, memory: string) => ({ cpu, memory })

test('qosClass()', () => {
  const full = both('100m', '64Mi')
  const cases: readonly [string, readonly (ResourceRequirements | undefined)[], (readonly ResourceRequirements[])?][] =
    [
      ['BestEffort', [undefined]],
      ['BestEffort', [{}, { limits: {}, requests: {} }]],
      ['BestEffort', [{ requests: both('0', '0') }]],
      ['BestEffort', [{ requests: { 'ephemeral-storage': '1Gi' } }]],
      ['Guaranteed', [{ limits: full, requests: full }]],
      ['Guaranteed', [{ limits: both('0.1', '64Mi'), requests: both('100m', '65536Ki') }]],
      ['Guaranteed', [{ limits: { ...full, 'ephemeral-storage': '1Gi' }, requests: full }]],
      ['Guaranteed', [{ limits: full, requests: full }], [{ limits: full, requests: full }]],
      ['Burstable', [{ limits: full, requests: full }, undefined]],
      ['Burstable', [{ limits: full, requests: full }], [{}]],
      ['Burstable', [{ limits: full }]],
      ['Burstable', [{ requests: full }]],
      ['Burstable', [{ limits: { cpu: '1' }, requests: { cpu: '1' } }]],
      ['Burstable', [{ limits: full, requests: both('50m', '64Mi') }]],
    ]
  for (const [expected, mains, inits = []] of cases) {
    const spec = { containers: mains.map((one) => container(one)), initContainers: inits.map((one) => container(one)) }
    assert.equal(qosClass(spec), expected, JSON.stringify([mains, inits]))
  }
})

test('oomScoreAdj()', () => {
  const scoreOf = (resources?: ResourceRequirements) => {
    const one = container(resources)
    return oomScoreAdj({ containers: [one] }, one, 10 * GI)
  }
  const full = both('1', '1Gi')
  assert.equal(scoreOf(), 1000)
  assert.equal(scoreOf({ limits: full, requests: full }), -997)
  assert.equal(scoreOf({ requests: { memory: '1Gi' } }), 900)
  assert.equal(scoreOf({ requests: { memory: '10Gi' } }), 3)
  assert.equal(scoreOf({ requests: { memory: '20Gi' } }), 3)
  assert.equal(scoreOf({ requests: { cpu: '1' } }), 999)
  assert.equal(scoreOf({ requests: { memory: '1Mi' } }), 999)

  const sidecar = container({ requests: { memory: '1Gi' } }, { name: 'proxy', restartPolicy: 'Always' })
  const main = container({ requests: { memory: '5Gi' } })
  const small = container({ requests: { memory: '2Gi' } }, { name: 'small' })
  const spec = { containers: [main, small], initContainers: [sidecar] }
  assert.equal(oomScoreAdj(spec, sidecar, 10 * GI), 800)
  assert.equal(oomScoreAdj(spec, main, 10 * GI), 500)
})

test('podMemoryLimit() is what may be used at once, if all are limited', () => {
  const limited = (memory: string, rest: Partial<PodContainer> = {}) => container({ limits: { memory } }, rest)
  assert.equal(podMemoryLimit({ containers: [limited('1Gi'), limited('2Gi')] }), 3 * GI)
  assert.equal(podMemoryLimit({ containers: [limited('1Gi'), container()] }), undefined)
  assert.equal(podMemoryLimit({ containers: [limited('1Gi')], initContainers: [limited('4Gi')] }), 4 * GI)
  assert.equal(podMemoryLimit({ containers: [limited('1Gi')], initContainers: [container()] }), undefined)
  const sidecar = limited('512Mi', { restartPolicy: 'Always' })
  assert.equal(podMemoryLimit({ containers: [limited('1Gi')], initContainers: [sidecar] }), 1.5 * GI)
})
