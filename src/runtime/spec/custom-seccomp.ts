import type { SeccompCondition, SeccompProfile } from '../../model/seccomp-profile.ts'
import { parseKernelRelease } from './host-facts.ts'
import type { OciSeccomp } from './oci-types.ts'
import { isAtLeast, type SeccompConditions } from './seccomp.ts'
import { ARCHITECTURES } from './seccomp-profile.ts'

/** A user's profile as a runtime takes it: with the rules whose conditions hold here. */
export function customSeccomp(profile: SeccompProfile, conditions: SeccompConditions): OciSeccomp {
  const { defaultAction, defaultErrnoRet, flags, syscalls = [] } = profile
  return {
    defaultAction,
    ...(defaultErrnoRet !== undefined && { defaultErrnoRet }),
    architectures: architecturesOf(profile, conditions.architecture),
    ...(flags !== undefined && { flags }),
    syscalls: syscalls
      .filter(({ includes, excludes }) => includedBy(includes, conditions) && !excludedBy(excludes, conditions))
      .map(({ names, action, errnoRet, args }) => ({
        names,
        action,
        ...(errnoRet !== undefined && { errnoRet }),
        ...(args !== undefined && {
          args: args.map(({ index, value, valueTwo = 0, op }) => ({ index, value, valueTwo, op })),
        }),
      })),
  }
}

/** Of a map, the native architecture and its kin; a list is for one machine as it is. */
function architecturesOf({ archMap, architectures }: SeccompProfile, own: string): readonly string[] {
  const native = ARCHITECTURES[own]?.[0]
  const entry = archMap?.find(({ architecture }) => architecture === native)
  return entry === undefined ? (architectures ?? []) : [entry.architecture, ...(entry.subArchitectures ?? [])]
}

function includedBy(condition: SeccompCondition = {}, { capabilities, architecture, kernel }: SeccompConditions) {
  const { caps = [], arches = [], minKernel } = condition
  return (
    caps.every((name) => capabilities.includes(name)) &&
    (arches.length === 0 || arches.includes(architecture)) &&
    (minKernel === undefined || isAtLeast(kernel, parseKernelRelease(minKernel)))
  )
}

function excludedBy(condition: SeccompCondition = {}, { capabilities, architecture, kernel }: SeccompConditions) {
  const { caps = [], arches = [], minKernel } = condition
  return (
    caps.some((name) => capabilities.includes(name)) ||
    arches.includes(architecture) ||
    (minKernel !== undefined && isAtLeast(kernel, parseKernelRelease(minKernel)))
  )
}
