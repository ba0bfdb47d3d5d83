import { compileSeccomp, hasLibseccomp, type SeccompFilter, type SeccompRule } from '../../linux/seccomp.ts'
import { ARCHITECTURES, DEFAULT_PROFILE, type ProfileRule } from './seccomp-profile.ts'

export interface SeccompConditions {
  readonly capabilities: readonly string[]
  /** GOARCH's name. */
  readonly architecture: string
  readonly kernel: readonly [major: number, minor: number]
}

/** A rendered profile. `bpf`, base64, is for a runtime that takes it: libseccomp costs crun 11 ms a start otherwise. */
export interface RenderedSeccomp {
  readonly filter: SeccompFilter
  readonly bpf?: string
}

const EPERM = 1
const ENOSYS = 38
/** Sets of capabilities in use are few; a client that tries them all must not fill the memory. */
const MAX_CACHED = 32

/** The capabilities that make a difference to the profile. */
const CONDITIONS: ReadonlySet<string | undefined> = new Set(
  DEFAULT_PROFILE.flatMap(({ when }) => [when?.capability, when?.withoutCapability]),
)

/** Docker's default profile for a container with these capabilities. */
export function defaultSeccomp(conditions: SeccompConditions): SeccompFilter {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: ARCHITECTURES[conditions.architecture] ?? [],
    syscalls: DEFAULT_PROFILE.filter((rule) => applies(rule, conditions)).map(toOci),
  }
}

/**
 * Renders profiles, and compiles each of them once, some 30 ms, if `compile` is set. Without a libseccomp that can be
 * loaded there is no `bpf`: the runtime then compiles the filter itself.
 */
export function seccompProfiles(
  host: Pick<SeccompConditions, 'architecture' | 'kernel'>,
  { compile }: { compile: boolean },
): (capabilities: readonly string[]) => RenderedSeccomp {
  const rendered = new Map<string, RenderedSeccomp>()
  const compiles = compile && hasLibseccomp()
  return (capabilities) => {
    const key = capabilities.filter((name) => CONDITIONS.has(name)).join()
    const known = rendered.get(key)
    if (known !== undefined) return known
    const filter = defaultSeccomp({ ...host, capabilities })
    const profile = { filter, ...(compiles && { bpf: compileSeccomp(filter).toString('base64') }) }
    if (rendered.size >= MAX_CACHED) rendered.delete(rendered.keys().next().value!)
    rendered.set(key, profile)
    return profile
  }
}

function applies({ when }: ProfileRule, { capabilities, architecture, kernel }: SeccompConditions): boolean {
  if (when === undefined) return true
  const { capability, withoutCapability, architectures, otherArchitectures, minKernel } = when
  return (
    (capability === undefined || capabilities.includes(capability)) &&
    (withoutCapability === undefined || !capabilities.includes(withoutCapability)) &&
    (architectures?.includes(architecture) ?? true) &&
    !(otherArchitectures?.includes(architecture) ?? false) &&
    (minKernel === undefined || isAtLeast(kernel, minKernel))
  )
}

type KernelVersion = readonly [major: number, minor: number]

export function isAtLeast(kernel: KernelVersion, [major, minor]: KernelVersion): boolean {
  return kernel[0] > major || (kernel[0] === major && kernel[1] >= minor)
}

function toOci({ names, args, notImplemented }: ProfileRule): SeccompRule {
  return {
    names,
    ...(notImplemented === true ? { action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS } : { action: 'SCMP_ACT_ALLOW' }),
    ...(args !== undefined && { args }),
  }
}
