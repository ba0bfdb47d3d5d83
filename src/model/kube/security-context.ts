import { array, boolean, ignored, integer, object, oneOf, optional, type Static, string } from '../../lib/schema.ts'

const id = integer({ minimum: 0, maximum: 2 ** 31 - 1 })

const profile = object({
  type: oneOf('RuntimeDefault', 'Unconfined', 'Localhost'),
  /** Of `Localhost` only. Seccomp: a file below the directory of profiles; AppArmor: the name of a loaded profile. */
  localhostProfile: optional(string()),
})

const seLinuxOptions = object({
  user: optional(string()),
  role: optional(string()),
  type: optional(string()),
  level: optional(string()),
})

const windowsOptions = object({
  gmsaCredentialSpecName: optional(string()),
  gmsaCredentialSpec: optional(string()),
  runAsUserName: optional(string()),
  hostProcess: optional(boolean()),
})

const LINUX = 'this is Linux'

export const securityContext = object({
  runAsUser: optional(id),
  runAsGroup: optional(id),
  runAsNonRoot: optional(boolean()),
  privileged: optional(boolean()),
  readOnlyRootFilesystem: optional(boolean()),
  allowPrivilegeEscalation: optional(boolean()),
  capabilities: optional(object({ add: optional(array(string())), drop: optional(array(string())) })),
  seccompProfile: optional(profile),
  appArmorProfile: optional(profile),
  procMount: optional(oneOf('Default', 'Unmasked')),
  seLinuxOptions: optional(seLinuxOptions, ignored()),
  windowsOptions: optional(windowsOptions, ignored(LINUX)),
})

export const podSecurityContext = object({
  runAsUser: optional(id),
  runAsGroup: optional(id),
  runAsNonRoot: optional(boolean()),
  fsGroup: optional(id),
  fsGroupChangePolicy: optional(oneOf('Always', 'OnRootMismatch')),
  supplementalGroups: optional(array(id)),
  sysctls: optional(array(object({ name: string(), value: string() }))),
  seccompProfile: optional(profile),
  appArmorProfile: optional(profile),
  supplementalGroupsPolicy: optional(oneOf('Merge', 'Strict'), ignored(undefined, { except: ['Merge'] })),
  seLinuxOptions: optional(seLinuxOptions, ignored()),
  seLinuxChangePolicy: optional(oneOf('MountOption', 'Recursive'), ignored()),
  windowsOptions: optional(windowsOptions, ignored(LINUX)),
})

export type SecurityContext = Static<typeof securityContext>
export type PodSecurityContext = Static<typeof podSecurityContext>
/** Of seccomp or AppArmor. */
export type SecurityProfile = Static<typeof profile>
