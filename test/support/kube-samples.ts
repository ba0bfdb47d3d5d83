import type {
  WireConfigMapObject,
  WireNamespaceObject,
  WirePodContainerStatus,
  WirePodObject,
  WireReplicaSetObject,
  WireSecretObject,
  WireServiceObject,
} from '../../src/api/raind/index.ts'

/** When all of them were made. */
export const CREATED = '2025-01-31T12:00:00Z'

const metadata = (name: string) => ({
  name,
  namespace: 'default',
  uid: `uid-of-${name}`,
  resourceVersion: '7',
  creationTimestamp: CREATED,
  labels: { app: name },
})

type PodParts = Partial<Pick<WirePodObject, 'spec' | 'status'>> & { readonly metadata?: object }

/** Running, with one container `app`, unless told otherwise. */
export function samplePod({ metadata: more, spec, status }: PodParts = {}): WirePodObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata('web'), ...more },
    spec: spec ?? { containers: [{ name: 'app', image: 'busybox' }] },
    status: status ?? {
      phase: 'Running',
      podIP: '10.88.0.5',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [sampleStatus()],
    },
  }
}

/** Of a container that runs and is ready. */
export function sampleStatus(changes: Partial<WirePodContainerStatus> = {}): WirePodContainerStatus {
  return {
    name: 'app',
    state: { running: { startedAt: CREATED } },
    ready: true,
    started: true,
    restartCount: 0,
    image: 'busybox',
    imageID: 'sha256:1',
    containerID: 'condenser://c0ffee',
    ...changes,
  }
}

export function sampleReplicaSet(changes: Partial<WireReplicaSetObject['spec']> = {}): WireReplicaSetObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { ...metadata('web'), uid: 'uid-of-set' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            { name: 'app', image: 'busybox' },
            { name: 'log', image: 'alpine' },
          ],
        },
      },
      ...changes,
    },
    status: { replicas: 2, readyReplicas: 1 },
  }
}

export function sampleService(
  spec: WireServiceObject['spec'],
  status?: WireServiceObject['status'],
): WireServiceObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: metadata('front'), spec, ...(status && { status }) }
}

export function sampleConfigMap(parts: Pick<WireConfigMapObject, 'data' | 'binaryData'>): WireConfigMapObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('settings'), ...parts }
}

export function sampleSecret(data: Readonly<Record<string, string>>): WireSecretObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: metadata('keys'), type: 'Opaque', data }
}

export function sampleNamespace(): WireNamespaceObject {
  const { namespace: _, ...rest } = metadata('team')
  return { apiVersion: 'v1', kind: 'Namespace', metadata: rest, status: { phase: 'Active' } }
}
