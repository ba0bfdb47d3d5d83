import { anyOf, array, ignored, integer, object, oneOf, optional, type Static, string } from '../../lib/schema.ts'

const port = anyOf(integer({ minimum: 0, maximum: 65_535 }), string())

const execAction = object({ command: optional(array(string())) })

const httpGetAction = object({
  path: optional(string()),
  /** A number, or the name of one of the container's ports. */
  port,
  /** Absent: the pod's address. */
  host: optional(string()),
  scheme: optional(oneOf('HTTP', 'HTTPS')),
  httpHeaders: optional(array(object({ name: string(), value: string() }))),
})

const tcpSocketAction = object({ port, host: optional(string()) })

const grpcAction = object({ port: integer({ minimum: 1, maximum: 65_535 }), service: optional(string()) })

const seconds = integer({ minimum: 0, maximum: 2 ** 31 - 1 })

/** Exactly one action. A zero stands for the default, but of `initialDelaySeconds`. */
export const probe = object({
  exec: optional(execAction),
  httpGet: optional(httpGetAction),
  tcpSocket: optional(tcpSocketAction),
  grpc: optional(grpcAction, ignored()),
  initialDelaySeconds: optional(seconds),
  periodSeconds: optional(seconds),
  timeoutSeconds: optional(seconds),
  successThreshold: optional(seconds),
  failureThreshold: optional(seconds),
  /** Of the kill after a failed liveness or startup probe, in place of the pod's. */
  terminationGracePeriodSeconds: optional(integer({ minimum: 1 })),
})

const lifecycleHandler = object({
  exec: optional(execAction),
  httpGet: optional(httpGetAction),
  tcpSocket: optional(tcpSocketAction),
  sleep: optional(object({ seconds: integer() })),
})

export const lifecycle = object({
  postStart: optional(lifecycleHandler),
  preStop: optional(lifecycleHandler),
  stopSignal: optional(string(), ignored()),
})

export type Probe = Static<typeof probe>
export type ExecAction = Static<typeof execAction>
export type HttpGetAction = Static<typeof httpGetAction>
export type TcpSocketAction = Static<typeof tcpSocketAction>
export type Lifecycle = Static<typeof lifecycle>
export type LifecycleHandler = Static<typeof lifecycleHandler>
