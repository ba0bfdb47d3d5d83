import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { arbitraryOfSchema } from '../../../test/support/arbitrary-of-schema.ts'
import { hasCode } from '../../lib/errors.ts'
import { setDefaults } from './defaults.ts'
import { KUBE_KINDS } from './kinds.ts'
import { readObject } from './read-object.ts'

const pod = (spec: object, metadata: object = { name: 'web' }) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata,
  spec: { containers: [{ name: 'web', image: 'nginx' }], ...spec },
})
const container = (fields: object) => pod({ containers: [{ name: 'web', image: 'nginx', ...fields }] })

function messageOf(value: unknown): string {
  try {
    readObject(value, 'document 1')
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'invalid_argument')
    return (error as Error).message
  }
  throw new Error(`${JSON.stringify(value)} was taken`)
}

test('readObject() finds the kind', () => {
  const cases: readonly [unknown, string][] = [
    [5, 'document 1: an object of Kubernetes is wanted, with apiVersion and kind'],
    [null, 'document 1: an object of Kubernetes is wanted, with apiVersion and kind'],
    [{}, 'document 1: kind is required'],
    [{ kind: 5 }, 'document 1: kind is required'],
    [
      { apiVersion: 'apps/v1', kind: 'Deployment' },
      'document 1: unsupported kind: Deployment; known are Pod, ReplicaSet, Service, ConfigMap, Secret, Namespace',
    ],
    [
      { apiVersion: 'v1', kind: 'pod' },
      'document 1: unsupported kind: pod; did you mean Pod?; known are Pod, ReplicaSet, Service, ConfigMap, Secret, Namespace',
    ],
    [{ kind: 'Pod' }, 'document 1: apiVersion is required; that of Pod is v1'],
    [{ apiVersion: 'v1', kind: 'ReplicaSet' }, 'document 1: the apiVersion of ReplicaSet is apps/v1, not v1'],
    [{ apiVersion: 1, kind: 'Pod' }, 'document 1: the apiVersion of Pod is v1, not 1'],
    [{ apiVersion: 'v1', kind: 'constructor' }, 'document 1: unsupported kind: constructor; known are Pod,'],
  ]
  for (const [value, message] of cases) assert.ok(messageOf(value).startsWith(message), messageOf(value))
})

test('readObject() names unknown fields and wrong types by their paths', () => {
  assert.equal(
    messageOf(container({ imagePullPolcy: 'Always' })),
    'Pod "web": "spec.containers[0].imagePullPolcy" is unknown; did you mean "imagePullPolicy"?',
  )
  assert.equal(
    messageOf(container({ mount: ['/a:/b'], tty: 'yes' })),
    'Pod "web" has 2 faults: "spec.containers[0].mount" is unknown; "spec.containers[0].tty" must be true or false, not "yes"',
  )
  assert.equal(
    messageOf(pod({}, { generateName: 'web-', lables: {} })).slice(0, 34),
    'Pod "web-": "metadata.lables" is u',
  )
  const { spec: _, ...rest } = pod({})
  assert.equal(messageOf(rest), 'Pod "web": "spec" is missing')
  assert.equal(
    messageOf({ ...rest, metadata: 5 }),
    'Pod has 2 faults: "spec" is missing; "metadata" must be an object, not 5',
  )
})

test('readObject() tells of many faults ten', () => {
  const env = Array.from({ length: 14 }, () => ({ name: '=' }))
  const message = messageOf(container({ env }))
  assert.match(
    message,
    /^Pod "web" has 14 faults: "spec.containers\[0\].env\[0\].name" must be made of printable ASCII/,
  )
  assert.match(message, /env\[9\][^;]*; and 4 more$/)
})

test('readObject() gives the manifest as it stands, without what says nothing and what the daemon sets', () => {
  const metadata = {
    name: 'web',
    namespace: '',
    uid: 'u',
    resourceVersion: '5',
    generation: 3,
    creationTimestamp: null,
    deletionTimestamp: '2025-01-01T00:00:00Z',
    deletionGracePeriodSeconds: 30,
    managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:spec': {} } }],
    selfLink: '/x',
    labels: { app: 'web' },
  }
  const value = { ...pod({ hostname: null, subdomain: '', restartPolicy: '' }, metadata), status: { phase: 5 } }
  assert.deepEqual(readObject(value, 'x'), {
    object: pod({}, { name: 'web', labels: { app: 'web' } }),
    warnings: [],
  })
})

test('readObject() warns of what is not honoured', () => {
  const value = pod({
    containers: [
      {
        name: 'web',
        image: 'nginx',
        livenessProbe: { grpc: { port: 80 } },
        resources: { limits: { cpu: 1, 'ephemeral-storage': '1Gi' } },
        ports: [{ containerPort: 80, protocol: 'SCTP' }],
      },
    ],
    nodeName: 'n',
    enableServiceLinks: true,
    automountServiceAccountToken: false,
    affinity: { nodeAffinity: {} },
    tolerations: [],
    priority: 0,
    schedulerName: 'default-scheduler',
    serviceAccountName: 'robot',
    hostUsers: true,
    os: { name: 'linux' },
  })
  assert.deepEqual(readObject(value, 'x').warnings, [
    'spec.containers[0].livenessProbe.grpc is not honoured yet',
    'spec.containers[0].resources.limits.ephemeral-storage is not honoured yet',
    'spec.containers[0].ports[0].protocol is not honoured: SCTP is not forwarded',
    'spec.nodeName is not honoured: there is one node',
    'spec.enableServiceLinks is not honoured yet',
    'spec.affinity is not honoured: there is one node',
    'spec.serviceAccountName is not honoured yet',
  ])
})

test('readObject() warns of what a Service cannot have', () => {
  const service = (spec: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { ports: [{ port: 80 }], ...spec },
  })
  const usual = {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  }
  assert.deepEqual(readObject(service(usual), 'x').warnings, [])
  const unusual = {
    type: 'LoadBalancer',
    sessionAffinity: 'ClientIP',
    externalTrafficPolicy: 'Local',
    externalIPs: ['192.0.2.1'],
    ipFamilies: ['IPv4', 'IPv6'],
    ipFamilyPolicy: 'PreferDualStack',
  }
  assert.deepEqual(readObject(service(unusual), 'x').warnings, [
    'spec.type is not honoured: there is no load balancer: LoadBalancer is treated as NodePort',
    'spec.sessionAffinity is not honoured yet',
    'spec.externalTrafficPolicy is not honoured yet',
    'spec.externalIPs is not honoured yet',
    'spec.ipFamilies is not honoured yet',
    'spec.ipFamilyPolicy is not honoured yet',
  ])
  const external = service({ type: 'ExternalName', externalName: 'x.example' })
  assert.equal(
    messageOf(external),
    'Service "web" has 2 faults: "spec.type" is not supported: ExternalName is not there yet; "spec.externalName" is not supported: ExternalName is not there yet',
  )
  assert.match(
    messageOf(service({ ports: [{ port: 80, protocol: 'SCTP' }] })),
    /"spec.ports\[0\].protocol" is not supported/,
  )
})

test('readObject() refuses what the rest is not to be had without', () => {
  const cases: readonly [object, string][] = [
    [{ volumes: [{ name: 'v', downwardAPI: {} }] }, 'spec.volumes[0].downwardAPI'],
    [{ volumes: [{ name: 'v', projected: { sources: [] } }] }, 'spec.volumes[0].projected'],
    [{ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }, 'spec.volumes[0].persistentVolumeClaim'],
    [{ hostUsers: false }, 'spec.hostUsers'],
    [{ runtimeClassName: 'gvisor' }, 'spec.runtimeClassName'],
    [{ os: { name: 'windows' } }, 'spec.os'],
  ]
  for (const [spec, path] of cases) {
    assert.ok(messageOf(pod(spec)).startsWith(`Pod "web": "${path}" is not supported: `), messageOf(pod(spec)))
  }
})

test('readObject() takes a document or says that it is invalid, and takes again what has its defaults', () => {
  const documents = fc.oneof(...Object.values(KUBE_KINDS).map(({ schema }) => arbitraryOfSchema(schema)))
  fc.assert(
    fc.property(documents, (document) => {
      try {
        const { object } = readObject(document, 'x')
        const complete = setDefaults(object)
        assert.deepEqual(readObject(complete, 'x').object, complete)
      } catch (error) {
        assert(hasCode(error, 'invalid_argument'), String(error))
      }
    }),
    { numRuns: 200 },
  )
})
