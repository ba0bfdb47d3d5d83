import { parseCapability } from '../../capability.ts'
import { dottedSysctl, isIpcSysctl, validateSysctls } from '../../sysctl.ts'
import { descendingPathProblem } from '../names.ts'
import type { PodSpec } from '../pod.ts'
import type { SecurityContext, SecurityProfile } from '../security-context.ts'
import { type Faults, faultIf, problemOf, repeatFaults } from './fault-if.ts'

export function* securityContextFaults(path: string, context: SecurityContext): Faults {
  const { privileged = false, allowPrivilegeEscalation = true, capabilities = {} } = context
  yield* profileFaults(`${path}.seccompProfile`, context.seccompProfile, descendingPathProblem)
  yield* profileFaults(`${path}.appArmorProfile`, context.appArmorProfile)
  for (const list of ['add', 'drop'] as const) {
    for (const [index, name] of (capabilities[list] ?? []).entries()) {
      yield* faultIf(
        `${path}.capabilities.${list}[${index}]`,
        problemOf(() => parseCapability(name)),
      )
    }
  }
  if (allowPrivilegeEscalation) return
  const at = `${path}.allowPrivilegeEscalation`
  const isAdmin = (capabilities.add ?? []).some((name) => /^(CAP_)?SYS_ADMIN$/i.test(name))
  yield* faultIf(at, privileged && 'must not be false for a privileged container')
  yield* faultIf(at, isAdmin && 'must not be false with the capability SYS_ADMIN')
}

export function* podSecurityFaults(path: string, { securityContext, hostNetwork, hostIPC }: PodSpec): Faults {
  if (securityContext === undefined) return
  const { sysctls = [], seccompProfile, appArmorProfile } = securityContext
  yield* profileFaults(`${path}.seccompProfile`, seccompProfile, descendingPathProblem)
  yield* profileFaults(`${path}.appArmorProfile`, appArmorProfile)
  yield* repeatFaults(sysctls.map(({ name }, index) => [`${path}.sysctls[${index}].name`, name]))
  for (const [index, { name: given, value }] of sysctls.entries()) {
    const at = `${path}.sysctls[${index}].name`
    const name = dottedSysctl(given)
    yield* faultIf(
      at,
      problemOf(() => validateSysctls({ [name]: value })),
    )
    yield* faultIf(at, hostNetwork && name.startsWith('net.') && "would change the host's with hostNetwork")
    yield* faultIf(at, hostIPC && isIpcSysctl(name) && "would change the host's with hostIPC")
  }
}

function* profileFaults(
  path: string,
  profile: SecurityProfile | undefined,
  problemOfName: (name: string) => string | undefined = () => undefined,
): Faults {
  if (profile === undefined) return
  const { type, localhostProfile: name } = profile
  const at = `${path}.localhostProfile`
  if (type !== 'Localhost') yield* faultIf(at, name !== undefined && `must be absent with ${type}`)
  else if (name === undefined) yield { path: at, problem: 'is missing' }
  else yield* faultIf(at, problemOfName(name))
}
