import {
  anything,
  array,
  boolean,
  ignored,
  integer,
  object,
  oneOf,
  optional,
  refused,
  type Schema,
  type Static,
  string,
} from '../../lib/schema.ts'
import { envFromSource, envVar } from './env.ts'
import { lifecycle, probe } from './probe.ts'
import { type Quantity, quantity } from './quantity.ts'
import { securityContext } from './security-context.ts'
import { volumeMount } from './volume.ts'

const hostPort = integer({ minimum: 0, maximum: 65_535 })

const containerPort = object({
  containerPort: integer({ minimum: 1, maximum: 65_535 }),
  name: optional(string()),
  /** 0: none. */
  hostPort: optional(hostPort),
  hostIP: optional(string()),
  protocol: optional(oneOf('TCP', 'UDP', 'SCTP'), ignored('SCTP is not forwarded', { only: ['SCTP'] })),
})

const resourceList: Schema<Readonly<Record<string, Quantity>>> = {
  type: 'object',
  properties: { cpu: quantity, memory: quantity, 'ephemeral-storage': quantity },
  additionalProperties: quantity,
  marks: { 'ephemeral-storage': [ignored()] },
}

export const resources = object({
  limits: optional(resourceList),
  requests: optional(resourceList),
  claims: optional(anything(), refused('there is no dynamic resource allocation')),
})

const resizePolicy = object({ resourceName: string(), restartPolicy: string() })

/** A container of a pod's spec. Kubernetes admits no other `restartPolicy` than `Always`, on init containers: a sidecar. */
export const podContainer = object({
  name: string(),
  image: optional(string()),
  imagePullPolicy: optional(oneOf('Always', 'IfNotPresent', 'Never')),
  /** In place of the image's entrypoint. */
  command: optional(array(string())),
  /** In place of the image's command. */
  args: optional(array(string())),
  workingDir: optional(string()),
  env: optional(array(envVar, { merge: { keys: ['name'] } })),
  envFrom: optional(array(envFromSource)),
  ports: optional(
    array(containerPort, { merge: { keys: ['containerPort', 'protocol'], defaults: { protocol: 'TCP' } } }),
  ),
  resources: optional(resources),
  volumeMounts: optional(array(volumeMount, { merge: { keys: ['mountPath'] } })),
  livenessProbe: optional(probe),
  readinessProbe: optional(probe),
  startupProbe: optional(probe),
  lifecycle: optional(lifecycle),
  restartPolicy: optional(oneOf('Always', 'OnFailure', 'Never')),
  securityContext: optional(securityContext),
  stdin: optional(boolean()),
  stdinOnce: optional(boolean()),
  tty: optional(boolean()),
  terminationMessagePath: optional(string()),
  terminationMessagePolicy: optional(oneOf('File', 'FallbackToLogsOnError')),
  resizePolicy: optional(array(resizePolicy), ignored()),
  restartPolicyRules: optional(anything(), ignored()),
  volumeDevices: optional(anything(), refused('there are no persistent volumes')),
})

export type PodContainer = Static<typeof podContainer>
export type PodContainerPort = Static<typeof containerPort>
export type ResourceRequirements = Static<typeof resources>
