/**
 * UDP flows of Services: connection tracking leads a client that keeps sending where its first packet went, though that
 * endpoint has gone or there is one at last.
 */
import { forgetUdpFlows } from '../../linux/conntrack.ts'
import { listAddresses, openRouteSocket } from '../../linux/rtnetlink.ts'
import { isWithin, parseSubnet } from '../../model/subnet.ts'
import { localPorts, type ServiceRule } from './service-rule.ts'

/** Where a Service takes UDP packets. */
interface UdpTarget {
  /** Absent: every address of the host. */
  readonly address?: string
  readonly port: number
  /** Who may answer them: `address:port`. */
  readonly endpoints: readonly string[]
}

export interface StaleFlowsInput {
  readonly targets: readonly UdpTarget[]
  /** CIDR text: of all other flows to there nobody may answer any. */
  readonly subnet?: string
}

/** Those whose endpoints are others than before: flows to any other endpoint are stale. */
export function changedTargets(before: readonly ServiceRule[], after: readonly ServiceRule[]): UdpTarget[] {
  const [old, wanted] = [targetsOf(before), targetsOf(after)]
  const gone = [...old].filter(([key]) => !wanted.has(key)).map(([, target]) => ({ ...target, endpoints: [] }))
  return [
    ...gone,
    ...[...wanted].flatMap(([key, target]) =>
      old.get(key)?.endpoints.join() === target.endpoints.join() ? [] : [target],
    ),
  ]
}

/** For the kernel thread. */
export function forgetStaleFlows({ targets, subnet }: StaleFlowsInput): void {
  using socket = openRouteSocket()
  const local = new Set(listAddresses(socket, 4).map(({ address }) => address))
  const range = subnet === undefined ? undefined : parseSubnet(subnet)
  const byPort = Map.groupBy(targets, ({ port }) => port)
  forgetUdpFlows(4, ({ destination, answeredBy }) => {
    const reached = (byPort.get(destination.port) ?? []).filter(({ address }) =>
      address === undefined ? local.has(destination.address) : address === destination.address,
    )
    const answerer = `${answeredBy.address}:${answeredBy.port}`
    if (reached.length > 0) return !reached.some(({ endpoints }) => endpoints.includes(answerer))
    return range !== undefined && isWithin(range, destination.address)
  })
}

function targetsOf(services: readonly ServiceRule[]): Map<string, UdpTarget> {
  const targets = services
    .filter(({ protocol }) => protocol === 'udp')
    .flatMap((service): UdpTarget[] => {
      const endpoints = service.endpoints.map(({ address, port }) => `${address}:${port}`).sort()
      return [
        ...(service.clusterIp === undefined ? [] : [{ address: service.clusterIp, port: service.port, endpoints }]),
        ...localPorts(service).map((port) => ({ port, endpoints })),
      ]
    })
  return new Map(targets.map((target) => [`${target.address ?? ''}:${target.port}`, target]))
}
