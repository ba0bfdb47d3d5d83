import type { NodeFacts, SandboxRequest } from '../../containers/index.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { dottedSysctl, validateSysctls } from '../../model/sysctl.ts'
import { podHostname } from './host-names.ts'
import { hostPorts } from './host-ports.ts'
import type { NextAttempt } from './plan.ts'

/** What a pod asks of its sandbox. @throws {StatusError} `invalid_argument` for a sysctl that would be the host's */
export function sandboxRequest(pod: Pod, next: NextAttempt, node: Pick<NodeFacts, 'name'>): SandboxRequest {
  const { metadata, spec } = pod
  const { uid, name, namespace } = metadata
  const network = spec.hostNetwork ? 'host' : spec.network
  return {
    pod: { uid, name, namespace },
    ...next,
    hostname: podHostname(pod, node.name),
    ...(network !== undefined && { network: { network } }),
    ports: hostPorts(spec),
    sysctls: sysctlsOf(pod),
    hostIpc: spec.hostIPC ?? false,
  }
}

function sysctlsOf({ spec }: Pod): Readonly<Record<string, string>> {
  const asked = (spec.securityContext?.sysctls ?? []).map(({ name, value }) => [dottedSysctl(name), value] as const)
  const sysctls = Object.fromEntries(asked)
  validateSysctls(sysctls)
  return sysctls
}
