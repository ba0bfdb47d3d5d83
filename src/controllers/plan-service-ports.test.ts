import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { exampleMeta } from '../../test/fixtures/pod-example.ts'
import type { Service } from '../model/kube/stored.ts'
import type { PortLease } from '../model/network.ts'
import { planServicePorts, type ServicePortsPlan } from './plan-service-ports.ts'

const NOW = Date.UTC(2025, 0, 31, 12)
const free = new Set<string>()
const busy = new Set(['80/tcp'])

function service(ports: readonly number[], status: Service['status'] = {}, deletedAt?: number): Service {
  const metadata = exampleMeta({ uid: 'own', ...(deletedAt !== undefined && { deletedAt }) })
  const spec = { clusterIP: '10.0.0.1', onHost: true as const, ports: ports.map((port) => ({ port })) }
  return { metadata, spec, status }
}

function lease(port: number, holder: string, address = '0.0.0.0'): PortLease {
  const metadata = exampleMeta({ namespace: 'tcp', name: `${port}/${address}`, uid: `${port}` })
  return { metadata, spec: { sandboxId: holder }, status: {} }
}

function after(plan: ServicePortsPlan): Service['status'] {
  assert.ok(plan.condition !== undefined && plan.condition !== 'none')
  return { conditions: [plan.condition] }
}

describe('planServicePorts()', () => {
  test('takes what is free and says so, once', () => {
    const plan = planServicePorts(service([80, 81]), [], free, NOW)
    assert.deepEqual(
      plan.claim.map(({ port }) => port),
      [80, 81],
    )
    const status = after(plan)
    assert.deepEqual([status.conditions![0]!.status, status.conditions![0]!.reason], ['True', 'PortsClaimed'])
    const own = [lease(80, 'own'), lease(81, 'own')]
    assert.deepEqual(planServicePorts(service([80, 81], status), own, free, NOW), { claim: [], release: [] })
  })

  test('asks nothing of a Service without ports of the host', () => {
    assert.deepEqual(planServicePorts(service([]), [lease(80, 'other')], free, NOW), { claim: [], release: [] })
  })

  test('gives back what is not wanted any more, and all when the Service goes', () => {
    const own = [lease(80, 'own'), lease(81, 'own'), lease(82, 'other')]
    const { status } = service([80, 81], after(planServicePorts(service([80, 81]), [], free, NOW)))
    const less = planServicePorts(service([80], status), own, free, NOW)
    assert.deepEqual(less, { claim: [], release: [own[1]] })
    const none = planServicePorts(service([80, 81], status, NOW), own, free, NOW)
    assert.deepEqual(none, { claim: [], release: own.slice(0, 2), condition: 'none' })
  })

  test('waits for what another has published, on any address, without asking again', () => {
    const plan = planServicePorts(service([80]), [lease(80, 'other', '127.0.0.1')], busy, NOW)
    assert.deepEqual([plan.claim, plan.retryAfterMs], [[], undefined])
    assert.match(after(plan).conditions![0]!.message, /80\/tcp is published by another/)
  })

  test('tries again what a program of the host has, later each time, and tells it once', () => {
    let plan = planServicePorts(service([80, 81]), [], busy, NOW)
    assert.deepEqual(
      plan.claim.map(({ port }) => port),
      [81],
    )
    const status = after(plan)
    const waits: number[] = []
    for (let now = NOW; now < NOW + 300_000; now += plan.retryAfterMs!) {
      plan = planServicePorts(service([80, 81], status), [lease(81, 'own')], busy, now)
      assert.equal(plan.condition, undefined)
      waits.push(plan.retryAfterMs! / 1000)
    }
    assert.deepEqual(waits.slice(0, 8), [1, 1, 2, 4, 8, 16, 32, 60])
    assert.ok(waits.slice(7).every((seconds) => seconds === 60))
    const now = NOW + 300_000
    const { claim, condition, retryAfterMs } = planServicePorts(
      service([80, 81], status),
      [lease(81, 'own')],
      free,
      now,
    )
    assert.deepEqual([claim.map(({ port }) => port), retryAfterMs], [[80], undefined])
    assert.ok(condition !== 'none' && condition?.lastTransitionTime === '2025-01-31T12:05:00Z')
  })
})

const ports = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 6 })
const held = fc.uniqueArray(fc.record({ port: fc.integer({ min: 1, max: 6 }), isOwn: fc.boolean() }), {
  selector: ({ port }) => port,
})

test('it takes nothing of others, gives back nothing of others, and comes to rest at once', () => {
  fc.assert(
    fc.property(ports, held, ports, fc.boolean(), (wanted, held, listening, isGone) => {
      const leases = held.map(({ port, isOwn }) => lease(port, isOwn ? 'own' : 'other'))
      const busy = new Set(listening.map((port) => `${port}/tcp`))
      const of = (status: Service['status']) => service(wanted, status, isGone ? NOW : undefined)
      const plan = planServicePorts(of({}), leases, busy, NOW)
      assert.ok(plan.release.every(({ spec }) => spec.sandboxId === 'own'))
      for (const { port } of plan.claim) {
        assert.ok(!isGone && wanted.includes(port) && !listening.includes(port))
        assert.ok(!held.some((one) => one.port === port))
      }
      const then = [
        ...leases.filter((one) => !plan.release.includes(one)),
        ...plan.claim.map(({ port }) => lease(port, 'own')),
      ]
      const { condition = 'none' } = plan
      const status = condition === 'none' ? {} : { conditions: [condition] }
      const again = planServicePorts(of(status), then, busy, NOW)
      assert.deepEqual([again.claim, again.release, again.condition], [[], [], undefined])
      const own = then
        .filter(({ spec }) => spec.sandboxId === 'own')
        .map(({ metadata }) => Number.parseInt(metadata.name, 10))
      const isWhole = !isGone && wanted.every((port) => own.includes(port))
      if (condition !== 'none') assert.equal(condition.status, isWhole ? 'True' : 'False')
    }),
  )
})
