import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { exampleMeta, examplePod } from '../../test/fixtures/pod-example.ts'
import type { Pod, Service } from '../model/kube/stored.ts'
import type { PortLease } from '../model/network.ts'
import { hostPortsOf, planServices } from './plan-services.ts'

const app = fc.constantFrom('web', 'db')
const namespace = fc.constantFrom('default', 'blue')
const portNumber = fc.integer({ min: 1, max: 5 })

const pods = fc
  .array(fc.record({ app, namespace, isReady: fc.boolean(), isGoing: fc.boolean() }), { maxLength: 8 })
  .map((all) =>
    all.map(({ app, namespace, isReady, isGoing }, index): Pod => {
      const metadata = exampleMeta({
        namespace,
        labels: { app },
        uid: `pod-${index}`,
        ...(isGoing && { deletedAt: 1 }),
      })
      const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' } as const]
      return { ...examplePod(), metadata, status: { phase: 'Running', podIP: `10.0.0.${index}`, conditions } }
    }),
  )

const services = fc
  .array(
    fc.record({
      app,
      namespace,
      isHeadless: fc.boolean(),
      onHost: fc.boolean(),
      ports: fc.uniqueArray(fc.record({ port: portNumber, nodePort: fc.option(portNumber, { nil: undefined }) }), {
        selector: ({ port }) => port,
        minLength: 1,
        maxLength: 3,
      }),
    }),
    { maxLength: 4 },
  )
  .map((all) =>
    all.map(({ app, namespace, isHeadless, onHost, ports }, index): Service => {
      const spec = {
        selector: { app },
        clusterIP: isHeadless ? 'None' : `10.1.0.${index}`,
        ports: ports.map(({ port, nodePort }) => ({ port, ...(nodePort && { nodePort }) })),
        ...(onHost && { onHost: true as const }),
      }
      return { metadata: exampleMeta({ namespace, uid: `service-${index}`, name: `s${index}` }), spec, status: {} }
    }),
  )

const leases = fc
  .uniqueArray(fc.record({ port: portNumber, holder: fc.integer({ max: 4, min: 0 }) }), {
    selector: ({ port }) => port,
  })
  .map((all) =>
    all.map(({ port, holder }): PortLease => {
      const metadata = exampleMeta({ namespace: 'tcp', name: `${port}/0.0.0.0`, uid: `lease-${port}` })
      return { metadata, spec: { sandboxId: `service-${holder}` }, status: {} }
    }),
  )

test('rules lead to the ready pods of their Service and no other, at ports of the host that it has', () => {
  fc.assert(
    fc.property(services, pods, leases, (services, pods, leases) => {
      const rules = planServices(services, pods, leases)
      for (const service of services) {
        const { metadata, spec } = service
        const own = rules.filter(({ uid }) => uid === metadata.uid)
        assert.equal(own.length, spec.clusterIP === 'None' ? 0 : spec.ports!.length)
        const wanted = pods
          .filter(
            ({ metadata: of }) => of.namespace === metadata.namespace && of.labels['app'] === spec.selector!['app'],
          )
          .filter(({ metadata: of, status }) => of.deletedAt === undefined && status.conditions![0]!.status === 'True')
          .map(({ status }) => status.podIP!)
        for (const rule of own) {
          assert.deepEqual(rule.endpoints.map(({ address }) => address).toSorted(), wanted.toSorted())
          for (const port of [rule.nodePort, rule.hostPort].filter((one) => one !== undefined)) {
            assert.ok(hostPortsOf(service).some((asked) => asked.port === port))
            assert.ok(
              leases.some(
                (lease) => lease.metadata.name === `${port}/0.0.0.0` && lease.spec.sandboxId === metadata.uid,
              ),
            )
          }
        }
      }
    }),
  )
})

test('the order of pods and leases changes nothing: what is compared with the kernel is one text', () => {
  fc.assert(
    fc.property(services, pods, leases, (services, pods, leases) => {
      const rules = planServices(services, pods, leases)
      assert.deepEqual(planServices(services, pods.toReversed(), leases.toReversed()), rules)
    }),
  )
})
