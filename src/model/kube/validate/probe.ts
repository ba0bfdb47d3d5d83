import type { PodContainer } from '../container.ts'
import { portNameProblem } from '../names.ts'
import type { Lifecycle, LifecycleHandler, Probe } from '../probe.ts'
import { choiceFaults, type Faults, faultIf } from './fault-if.ts'

const PROBE_ACTIONS = ['exec', 'httpGet', 'tcpSocket', 'grpc']
const HANDLER_ACTIONS = ['exec', 'httpGet', 'tcpSocket', 'sleep']
/** RFC 9110: a token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Of all three probes. */
export function* probeFaults(path: string, container: PodContainer): Faults {
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[name]
    if (probe === undefined) continue
    const at = `${path}.${name}`
    yield* choiceFaults(at, probe, PROBE_ACTIONS)
    yield* actionFaults(at, probe)
    const { successThreshold = 1, terminationGracePeriodSeconds } = probe
    if (name === 'readinessProbe') {
      const isSet = terminationGracePeriodSeconds !== undefined
      yield* faultIf(`${at}.terminationGracePeriodSeconds`, isSet && 'must be absent: this probe ends nothing')
    } else {
      yield* faultIf(`${at}.successThreshold`, successThreshold > 1 && `must be 1, not ${successThreshold}`)
    }
  }
}

export function* lifecycleFaults(path: string, lifecycle: Lifecycle, graceSeconds: number): Faults {
  for (const name of ['postStart', 'preStop'] as const) {
    const handler = lifecycle[name]
    if (handler === undefined) continue
    const at = `${path}.${name}`
    yield* choiceFaults(at, handler, HANDLER_ACTIONS)
    yield* actionFaults(at, handler)
    const { seconds = 0 } = handler.sleep ?? {}
    const isLong = seconds < 0 || seconds > graceSeconds
    yield* faultIf(
      `${at}.sleep.seconds`,
      isLong && `must be from 0 to the pod's terminationGracePeriodSeconds, ${graceSeconds}, not ${seconds}`,
    )
  }
}

function* actionFaults(path: string, { exec, httpGet, tcpSocket }: Probe | LifecycleHandler): Faults {
  yield* faultIf(`${path}.exec.command`, exec !== undefined && !exec.command?.length && 'must not be empty')
  if (tcpSocket !== undefined) yield* portFaults(`${path}.tcpSocket.port`, tcpSocket.port)
  if (httpGet === undefined) return
  yield* portFaults(`${path}.httpGet.port`, httpGet.port)
  for (const [index, { name }] of (httpGet.httpHeaders ?? []).entries()) {
    const isName = HEADER_NAME.test(name)
    yield* faultIf(`${path}.httpGet.httpHeaders[${index}].name`, !isName && 'must be the name of an HTTP header')
  }
}

/** A number, or the name of a port of the container. */
export function* portFaults(path: string, port: number | string): Faults {
  if (typeof port === 'number') yield* faultIf(path, port === 0 && 'must be from 1 to 65535, not 0')
  else yield* faultIf(path, portNameProblem(port))
}
