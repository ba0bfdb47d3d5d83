import type { PortMapping } from '../model/network.ts'
import { parsePorts } from '../model/port.ts'
import { quoted } from './faults.ts'
import type { ComposePort, ComposeService } from './project.ts'
import { type At, attempt, below, fault, warn } from './values.ts'

/** Published ports; what has no network of its own publishes none. */
export function toPorts({ ports = [], network_mode: mode }: ComposeService, at: At): readonly PortMapping[] {
  if (ports.length > 0 && (mode === 'host' || mode === 'none')) {
    warn(at, `are not published: the network mode is ${mode}`)
    return []
  }
  return ports.flatMap((port, index) => toPort(port, below(at, index)))
}

function toPort(
  { host_ip: ip = '', published = '', target, protocol = 'tcp' }: ComposePort,
  at: At,
): readonly PortMapping[] {
  if (target === undefined) return fault(at, 'needs "target"') ?? []
  if (published.includes('-')) {
    const problem = `is ${quoted(published)}, a range for one port: give one port of the host, or none for a free one`
    return fault(below(at, 'published'), problem) ?? []
  }
  const host = ip === '' ? '' : ip.includes(':') ? `[${ip}]:` : `${ip}:`
  return attempt(at, () => parsePorts(`${host}${published}:${target}/${protocol}`)) ?? []
}
