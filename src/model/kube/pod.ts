import {
  anything,
  array,
  atomic,
  boolean,
  dropped,
  ignored,
  integer,
  map,
  object,
  oneOf,
  optional,
  refused,
  type Static,
  string,
} from '../../lib/schema.ts'
import { affinity, toleration, topologySpreadConstraint } from './affinity.ts'
import { podContainer, resources } from './container.ts'
import { type ManifestMeta, objectMeta } from './object-meta.ts'
import { quantity } from './quantity.ts'
import { podSecurityContext } from './security-context.ts'
import { volume } from './volume.ts'

const dnsConfig = object({
  nameservers: optional(array(string())),
  searches: optional(array(string())),
  options: optional(array(object({ name: optional(string()), value: optional(string()) }))),
})

const hostAlias = object({ ip: string(), hostnames: optional(array(string())) })

const byName = { merge: { keys: ['name'] } }
const ONE_NODE = 'there is one node'

export const podSpec = object({
  containers: array(podContainer, byName),
  initContainers: optional(array(podContainer, byName)),
  restartPolicy: optional(oneOf('Always', 'OnFailure', 'Never')),
  /** One below 0 stands for 1. */
  terminationGracePeriodSeconds: optional(integer()),
  activeDeadlineSeconds: optional(integer({ minimum: 1, maximum: 2 ** 31 - 1 })),
  volumes: optional(array(volume, byName)),
  imagePullSecrets: optional(array(atomic(object({ name: optional(string()) })), byName)),
  hostname: optional(string()),
  subdomain: optional(string()),
  hostAliases: optional(array(hostAlias, { merge: { keys: ['ip'] } })),
  dnsPolicy: optional(oneOf('ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None')),
  dnsConfig: optional(dnsConfig),
  hostNetwork: optional(boolean()),
  hostPID: optional(boolean()),
  hostIPC: optional(boolean()),
  shareProcessNamespace: optional(boolean()),
  securityContext: optional(podSecurityContext),
  os: optional(object({ name: oneOf('linux', 'windows') }), refused('this is Linux', { only: [{ name: 'windows' }] })),
  hostUsers: optional(
    boolean(),
    refused('there are no user namespaces yet: root of the pod would be root of the host', { only: [false] }),
  ),
  enableServiceLinks: optional(boolean(), ignored()),
  setHostnameAsFQDN: optional(boolean(), ignored()),
  hostnameOverride: optional(string(), ignored()),
  serviceAccountName: optional(string(), ignored(undefined, { except: ['default'] })),
  serviceAccount: optional(string(), ignored(undefined, { except: ['default'] })),
  automountServiceAccountToken: optional(boolean(), ignored()),
  readinessGates: optional(array(object({ conditionType: string() })), ignored()),
  resources: optional(resources, ignored()),
  overhead: optional(map(quantity), ignored()),
  nodeName: optional(string(), ignored(ONE_NODE)),
  nodeSelector: optional(atomic(map(string())), ignored(ONE_NODE)),
  affinity: optional(affinity, ignored(ONE_NODE)),
  tolerations: optional(array(toleration), ignored(ONE_NODE)),
  topologySpreadConstraints: optional(
    array(topologySpreadConstraint, { merge: { keys: ['topologyKey', 'whenUnsatisfiable'] } }),
    ignored(ONE_NODE),
  ),
  schedulerName: optional(string(), ignored(ONE_NODE, { except: ['default-scheduler'] })),
  priorityClassName: optional(string(), ignored()),
  priority: optional(integer(), ignored(undefined, { except: [0] })),
  preemptionPolicy: optional(
    oneOf('PreemptLowerPriority', 'Never'),
    ignored(undefined, { except: ['PreemptLowerPriority'] }),
  ),
  runtimeClassName: optional(string(), refused('the pod asks for another isolation than it would get')),
  schedulingGates: optional(anything(), refused('nobody would open them')),
  resourceClaims: optional(anything(), refused('there is no dynamic resource allocation')),
  ephemeralContainers: optional(anything(), refused('a manifest cannot have them: they are for debugging what runs')),
})

export const podTemplate = object({ metadata: optional(objectMeta), spec: podSpec })

export const pod = object({
  apiVersion: oneOf('v1'),
  kind: oneOf('Pod'),
  metadata: objectMeta,
  spec: podSpec,
  status: optional(anything(), dropped('the daemon sets it')),
})

export type PodSpec = Static<typeof podSpec>
export type PodDnsConfig = Static<typeof dnsConfig>
export type HostAlias = Static<typeof hostAlias>

export interface PodTemplate {
  readonly metadata?: ManifestMeta
  readonly spec: PodSpec
}

export interface PodManifest {
  readonly apiVersion: 'v1'
  readonly kind: 'Pod'
  readonly metadata: ManifestMeta
  readonly spec: PodSpec
}
