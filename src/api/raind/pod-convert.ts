import { type Container, isAlive } from '../../model/container.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import { isPodReady } from '../../model/kube/owner.ts'
import type { PodSpec } from '../../model/kube/pod.ts'
import { infraOf, recordsOf } from '../../model/kube/pod-run.ts'
import type { Pod, ReplicaSet, Service } from '../../model/kube/stored.ts'
import { parseMount } from '../../model/mount.ts'
import { parsePorts } from '../../model/port.ts'
import { wireTime } from './convert.ts'
import type {
  CreatePodBody,
  WirePod,
  WirePodTemplate,
  WireReplicaSet,
  WireService,
  WireTemplateContainer,
} from './kube-types.ts'

/** `containers`: the records of its containers. */
export function wirePod(pod: Pod, containers: readonly Container[]): WirePod {
  const { metadata, spec, status } = pod
  const infra = infraOf(containers)
  const pid = infra !== undefined && isAlive(infra.status) ? infra.status.pid! : undefined
  const ns = (kind: string) => (pid === undefined ? '' : `/proc/${pid}/ns/${kind}`)
  const last = spec.containers.map(({ name }) => recordsOf(containers, name).at(-1))
  const running = last.filter((record) => record !== undefined && isAlive(record.status))
  const ends = last.map((record) => record?.status.finishedAt ?? 0)
  const starts = last.flatMap((record) => record?.status.startedAt ?? [])
  return {
    podId: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace,
    uid: metadata.uid,
    state: stateOf(pod, last, running.length),
    desiredContainers: spec.containers.length,
    runningContainers: running.length,
    networkNS: ns('net'),
    ipcNS: ns('ipc'),
    utsNS: ns('uts'),
    userNS: '',
    ...labelsOf(metadata),
    createdAt: wireTime(metadata.createdAt),
    startedAt: wireTime(starts.length === 0 ? undefined : Math.min(...starts)),
    stoppedAt: wireTime(running.length > 0 ? undefined : Math.max(0, ...ends)),
    phase: status.phase,
    ready: isPodReady(pod),
    address: status.podIP ?? '',
  }
}

function stateOf({ spec, status }: Pod, last: readonly (Container | undefined)[], running: number): WirePod['state'] {
  const hasEnded = status.phase === 'Succeeded' || status.phase === 'Failed'
  if (last.every((record) => record === undefined)) return hasEnded ? 'stopped' : 'created'
  if (running === spec.containers.length) return 'running'
  return running === 0 && (spec.stopped || hasEnded) ? 'stopped' : 'degraded'
}

export function wireReplicaSet({ metadata, spec, status }: ReplicaSet): WireReplicaSet {
  const replicas = spec.replicas ?? 1
  const { matchLabels } = spec.selector
  return {
    replicaSetId: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace,
    replicas,
    desired: replicas,
    current: status.replicas,
    ready: status.readyReplicas ?? 0,
    ...(matchLabels !== undefined && { selector: matchLabels }),
    createdAt: wireTime(metadata.createdAt),
  }
}

export function wireTemplate({ metadata, spec }: ReplicaSet): WirePodTemplate {
  const { template } = spec
  return {
    name: template.metadata?.name ?? metadata.name,
    namespace: metadata.namespace,
    networkNS: '',
    ipcNS: '',
    utsNS: '',
    userNS: '',
    ...labelsOf(template.metadata ?? {}),
    containers: template.spec.containers.map((container) => wireContainerOf(container, template.spec.volumes)),
  }
}

function wireContainerOf(
  { name, image = '', command = [], args = [], ports, env, tty, volumeMounts }: PodContainer,
  volumes: PodSpec['volumes'] = [],
) {
  const sourceOf = (volume: string) => volumes.find(({ name }) => name === volume)?.hostPath?.path ?? volume
  const words = [...command, ...args]
  const hostPorts = (ports ?? []).filter(({ hostPort }) => hostPort)
  const container: WireTemplateContainer = {
    name,
    image,
    ...(words.length > 0 && { command: words }),
    ...(hostPorts.length > 0 && {
      port: hostPorts.map(({ hostPort, containerPort, protocol = 'TCP' }) => {
        return `${hostPort}:${containerPort}:${protocol.toLowerCase()}`
      }),
    }),
    ...(volumeMounts && {
      mount: volumeMounts.map(({ name, mountPath, readOnly }) => {
        return `${sourceOf(name)}:${mountPath}${readOnly ? ':ro' : ''}`
      }),
    }),
    ...(env && { env: env.map((variable) => `${variable.name}=${variable.value ?? ''}`) }),
    ...(tty && { tty }),
  }
  return container
}

/** Names of ports are not looked up: each pod may have another one. */
export function wireService({ metadata, spec }: Service): WireService {
  return {
    serviceId: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace,
    ports:
      spec.ports?.map(({ port, targetPort, protocol = 'TCP', name, nodePort }) => ({
        port,
        targetPort: typeof targetPort === 'number' ? targetPort : port,
        protocol: protocol.toLowerCase(),
        ...(name !== undefined && { name }),
        ...(nodePort && { nodePort }),
      })) ?? null,
    createdAt: wireTime(metadata.createdAt),
    clusterIP: spec.clusterIP ?? '',
    type: spec.type ?? 'ClusterIP',
  }
}

/** The manifest that says what a body for `POST /v1/pods` says. @throws {StatusError} `invalid_argument` */
export function toPodManifest({ name, namespace, labels, annotations, containers = [] }: CreatePodBody): object {
  const volumes: object[] = []
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, ...(labels && { labels }), ...(annotations && { annotations }) },
    spec: {
      containers: containers.map((container, index) => ({
        name: container.name ?? `container-${index + 1}`,
        image: container.image,
        ...(container.command && { args: container.command }),
        ...(container.port && { ports: container.port.flatMap(parsePorts).map(toContainerPort) }),
        ...(container.env && { env: container.env.map(toEnv) }),
        ...(container.tty !== undefined && { tty: container.tty }),
        ...(container.mount && {
          volumeMounts: container.mount.map((text) => {
            const mount = parseMount(text)
            const volume = `mount-${volumes.length + 1}`
            volumes.push({ name: volume, hostPath: { path: 'source' in mount ? mount.source : mount.volume } })
            return { name: volume, mountPath: mount.destination, readOnly: mount.readOnly }
          }),
        }),
      })),
      ...(volumes.length > 0 && { volumes }),
    },
  }
}

function toContainerPort({ hostIp, hostPort, containerPort, protocol }: ReturnType<typeof parsePorts>[number]) {
  return { containerPort, hostPort, protocol: protocol.toUpperCase(), ...(hostIp !== '' && { hostIP: hostIp }) }
}

function toEnv(text: string) {
  const end = text.indexOf('=')
  return end < 0 ? { name: text, value: '' } : { name: text.slice(0, end), value: text.slice(end + 1) }
}

function labelsOf({ labels = {}, annotations = {} }: { labels?: WirePod['labels']; annotations?: WirePod['labels'] }) {
  return {
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }
}
