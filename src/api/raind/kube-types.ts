/** The wire of pods, replica sets, services and manifests: what is sent as interfaces, what is taken as schemas. */

import type { StatusCode } from '../../lib/errors.ts'
import { array, boolean, integer, map, object, oneOf, optional, type Static, string } from '../../lib/schema.ts'
import type { KubeKind } from '../../model/kube/kinds.ts'
import type { Labels } from '../../model/meta.ts'
import type { KubeObject } from '../../resources/index.ts'

export interface WirePod {
  readonly podId: string
  readonly name: string
  readonly namespace: string
  readonly uid: string
  /** `degraded`: some of its containers do not run. */
  readonly state: 'created' | 'running' | 'stopped' | 'degraded'
  readonly desiredContainers: number
  readonly runningContainers: number
  /** Paths as in `/proc/<pid>/ns/net`; empty while its sandbox is down, or where it has no such namespace. */
  readonly networkNS: string
  readonly ipcNS: string
  readonly utsNS: string
  readonly userNS: string
  readonly labels?: Labels
  readonly annotations?: Labels
  readonly createdAt: string
  readonly startedAt: string
  readonly stoppedAt: string
  /** Of Kubernetes. */
  readonly phase: string
  readonly ready: boolean
  readonly address: string
}

export interface WireReplicaSet {
  readonly replicaSetId: string
  readonly name: string
  readonly namespace: string
  readonly replicas: number
  /** As `replicas`. */
  readonly desired: number
  readonly current: number
  readonly ready: number
  /** In the list; the set's own id. */
  readonly templateId?: string
  /** In the detail. */
  readonly template?: WirePodTemplate
  readonly selector?: Labels
  readonly createdAt: string
}

export interface WirePodTemplate {
  readonly name: string
  readonly namespace: string
  readonly networkNS: string
  readonly ipcNS: string
  readonly utsNS: string
  readonly userNS: string
  readonly labels?: Labels
  readonly annotations?: Labels
  readonly containers?: readonly WireTemplateContainer[]
}

export interface WireTemplateContainer {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly port?: readonly string[]
  readonly mount?: readonly string[]
  readonly env?: readonly string[]
  readonly network?: string
  readonly tty?: boolean
}

export interface WireService {
  readonly serviceId: string
  readonly name: string
  readonly namespace: string
  readonly ports: readonly WireServicePort[] | null
  /** In the detail. */
  readonly selector?: Labels
  readonly createdAt: string
  readonly clusterIP: string
  readonly type: string
}

export interface WireServicePort {
  readonly port: number
  readonly targetPort: number
  readonly protocol: string
  readonly name?: string
  readonly nodePort?: number
}

export interface WireApplied {
  /** Pods and replica sets. */
  readonly pods: readonly WireAppliedPod[] | null
  readonly services: readonly WireNamedService[] | null
  /** Of all documents, in their order. */
  readonly results: readonly WireAppliedObject[] | null
  readonly warnings: readonly string[] | null
}

export interface WireAppliedPod {
  /** Empty for a replica set. */
  readonly podId: string
  readonly replicaSetId?: string
  readonly name: string
  readonly namespace: string
  readonly containerIds: readonly string[] | null
}

export interface WireNamedService {
  readonly serviceId: string
  readonly name: string
  readonly namespace: string
}

export interface WireAppliedObject {
  readonly apiVersion: string
  readonly kind: KubeKind
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly action: 'created' | 'configured' | 'unchanged'
  readonly warnings: readonly string[] | null
}

/** Data of the failure of an apply or a delete: of each document that is at fault, in their order. */
export interface WireManifestFailure {
  readonly results: readonly WireDocumentFailure[]
}

export interface WireDocumentFailure {
  /** From 1; empty ones count. */
  readonly document: number
  /** `document 2`; of a list's `document 1, item 3`. */
  readonly place: string
  /** As far as they are known. */
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly code: StatusCode
  readonly message: string
  /** Where in the object, as far as that is known: ten at most. */
  readonly faults: readonly { readonly path: string; readonly problem: string }[]
}

export interface WireObjectDiff {
  readonly kind: KubeKind
  readonly namespace: string
  readonly name: string
  /** null: there is none yet. */
  readonly before: KubeObject | null
  readonly after: KubeObject
}

export interface WireDeleted {
  readonly pods: readonly { readonly podId: string; readonly name: string; readonly namespace: string }[] | null
  readonly replicasets:
    | readonly { readonly replicaSetId: string; readonly name: string; readonly namespace: string }[]
    | null
  readonly services: readonly WireNamedService[] | null
  /** Of all kinds, in their order. */
  readonly results: readonly WireObjectName[] | null
}

export interface WireObjectName {
  readonly kind: KubeKind
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** Something that happened to an object, in Kubernetes' words. */
export interface WireObjectEvent {
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly time: string
}

const name = string({ minLength: 1, maxLength: 253 })
const text = string({ maxLength: 65_536 })

export const createPodBody = object({
  name,
  namespace: name,
  uid: optional(string({ maxLength: 128 })),
  networkNS: optional(text),
  ipcNS: optional(text),
  utsNS: optional(text),
  userNS: optional(text),
  labels: optional(map(text)),
  annotations: optional(map(text)),
  containers: optional(
    array(
      object({
        name: optional(string({ maxLength: 63 })),
        image: text,
        command: optional(array(text)),
        port: optional(array(text)),
        mount: optional(array(text)),
        env: optional(array(text)),
        network: optional(text),
        tty: optional(boolean()),
      }),
    ),
  ),
})
export type CreatePodBody = Static<typeof createPodBody>

export const scaleBody = object({ replicas: integer({ minimum: 0, maximum: 2 ** 31 - 1 }) })

export const applyQuery = object({
  /** Takes over fields that others manage, and replaces objects whose fields cannot be changed. */
  force: optional(boolean()),
  /** 0 replicas are 0, and not 1 as the original of Raind has it. */
  zeroReplicas: optional(boolean()),
  /** Of what names none; what names another is at fault. */
  namespace: optional(name),
})
export type ApplyQuery = Static<typeof applyQuery>

const deleting = {
  /** Answer when they are gone. */
  wait: optional(boolean()),
  /** Seconds that pods have to end. */
  gracePeriod: optional(integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
  /** What they own goes after them, before them, or stays. */
  cascade: optional(oneOf('background', 'foreground', 'orphan')),
}

export const deleteManifestQuery = object({
  ...deleting,
  ignoreMissing: optional(boolean()),
  /** Of what names none; what names another is at fault. */
  namespace: optional(name),
})
export const deleteObjectQuery = object({ ...deleting, namespace: optional(name) })
export const objectQuery = object({ namespace: optional(name) })

export const objectsQuery = object({
  /** All if absent. */
  namespace: optional(name),
  /** `app=web,tier!=back,env in (a,b)` */
  selector: optional(text),
  /** Go on with what changes, one JSON object a line. */
  watch: optional(boolean()),
})
