import {
  anyOf,
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
import { type ManifestMeta, objectMeta } from './object-meta.ts'
import type { ConditionStatus } from './pod-status.ts'
import type { Time } from './time.ts'

const servicePort = object({
  name: optional(string()),
  protocol: optional(oneOf('TCP', 'UDP', 'SCTP'), refused('SCTP is not forwarded', { only: ['SCTP'] })),
  port: integer({ minimum: 1, maximum: 65_535 }),
  /** A number, or the name of a port of the pod's containers. 0: as `port`. */
  targetPort: optional(anyOf(integer({ minimum: 0, maximum: 65_535 }), string())),
  /** 0: none is asked for. */
  nodePort: optional(integer({ minimum: 0, maximum: 65_535 })),
  /** Tells clients; nothing here acts on it, nor does kube-proxy. */
  appProtocol: optional(string()),
})

const CLUSTER_ONLY = { except: ['Cluster'] }

const serviceSpec = object({
  /** Of pods by their labels. Absent: somebody else says where it leads. */
  selector: optional(atomic(map(string()))),
  ports: optional(array(servicePort, { merge: { keys: ['port', 'protocol'], defaults: { protocol: 'TCP' } } })),
  type: optional(
    oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
    ignored('there is no load balancer: LoadBalancer is treated as NodePort', { only: ['LoadBalancer'] }),
    refused('ExternalName is not there yet', { only: ['ExternalName'] }),
  ),
  /** An address, or `None` for a headless Service. */
  clusterIP: optional(string()),
  clusterIPs: optional(array(string(), { maxItems: 1 })),
  publishNotReadyAddresses: optional(boolean()),
  sessionAffinity: optional(oneOf('None', 'ClientIP'), ignored(undefined, { except: ['None'] })),
  sessionAffinityConfig: optional(
    object({ clientIP: optional(object({ timeoutSeconds: optional(integer()) })) }),
    ignored(),
  ),
  externalIPs: optional(array(string()), ignored()),
  internalTrafficPolicy: optional(oneOf('Cluster', 'Local'), ignored(undefined, CLUSTER_ONLY)),
  externalTrafficPolicy: optional(oneOf('Cluster', 'Local'), ignored(undefined, CLUSTER_ONLY)),
  trafficDistribution: optional(string(), ignored('there is one node')),
  ipFamilies: optional(array(oneOf('IPv4', 'IPv6')), ignored(undefined, { except: [['IPv4']] })),
  ipFamilyPolicy: optional(
    oneOf('SingleStack', 'PreferDualStack', 'RequireDualStack'),
    ignored(undefined, { except: ['SingleStack'] }),
  ),
  healthCheckNodePort: optional(integer(), ignored(undefined, { except: [0] })),
  allocateLoadBalancerNodePorts: optional(boolean(), ignored(undefined, { only: [false] })),
  loadBalancerClass: optional(string(), ignored('there is no load balancer')),
  loadBalancerIP: optional(string(), ignored('there is no load balancer')),
  loadBalancerSourceRanges: optional(
    array(string()),
    refused('it is not there yet, and without it the ports would be open to all'),
  ),
  externalName: optional(string(), refused('ExternalName is not there yet')),
})

export const service = object({
  apiVersion: oneOf('v1'),
  kind: oneOf('Service'),
  metadata: objectMeta,
  spec: serviceSpec,
  status: optional(anything(), dropped('the daemon sets it')),
})

export type ServiceSpec = Static<typeof serviceSpec>
export type ServicePort = Static<typeof servicePort>

export interface ServiceManifest {
  readonly apiVersion: 'v1'
  readonly kind: 'Service'
  readonly metadata: ManifestMeta
  readonly spec: ServiceSpec
}

export interface ServiceStatus {
  readonly loadBalancer?: { readonly ingress?: readonly LoadBalancerIngress[] }
  readonly conditions?: readonly ServiceCondition[]
}

export interface LoadBalancerIngress {
  readonly ip?: string
  readonly hostname?: string
  readonly ipMode?: 'VIP' | 'Proxy'
  readonly ports?: readonly { readonly port: number; readonly protocol: string; readonly error?: string }[]
}

/** metav1.Condition. */
export interface ServiceCondition {
  readonly type: string
  readonly status: ConditionStatus
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: Time
  readonly observedGeneration?: number
}
