import type { MemberRequest, NodeFacts } from '../../containers/index.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import type { PodSpec } from '../../model/kube/pod.ts'
import type { PodSecurityContext, SecurityContext } from '../../model/kube/security-context.ts'
import type { SecurityOptions } from '../../model/security.ts'
import { configFault } from './fault.ts'

type MemberSecurity = Pick<MemberRequest, 'user' | 'capAdd' | 'capDrop' | 'readOnlyRootfs'> & {
  readonly options: Pick<MemberRequest['options'], 'groupAdd' | 'mergeGroups' | 'privileged' | 'security'>
}

/**
 * As whom a container runs, and what it may do: what its own security context says, else that of its pod, else the image.
 * @throws {StatusError} with `details.reason` CreateContainerConfigError
 */
export function memberSecurity(
  { securityContext: ofPod = {} }: PodSpec,
  { securityContext: own = {} }: PodContainer,
  imageUser: string,
  node: Pick<NodeFacts, 'hasAppArmor'>,
): MemberSecurity {
  const context = { ...defined(ofPod), ...defined(own) }
  assertNonRoot(context, imageUser)
  const user = userOf(context, imageUser)
  const groups = [...(ofPod.supplementalGroups ?? []), ...(ofPod.fsGroup === undefined ? [] : [ofPod.fsGroup])]
  return {
    ...(user !== undefined && { user }),
    capAdd: own.capabilities?.add ?? [],
    capDrop: own.capabilities?.drop ?? [],
    readOnlyRootfs: own.readOnlyRootFilesystem ?? false,
    options: {
      groupAdd: [...new Set(groups.map(String))],
      mergeGroups: true,
      privileged: own.privileged ?? false,
      security: securityOptions(context, node),
    },
  }
}

type Context = SecurityContext & PodSecurityContext

/** Docker's defaults are what Kubernetes calls RuntimeDefault; they hold also where a cluster would confine nothing. */
function securityOptions(
  { seccompProfile, appArmorProfile, allowPrivilegeEscalation, procMount }: Context,
  { hasAppArmor }: Pick<NodeFacts, 'hasAppArmor'>,
): SecurityOptions {
  if (seccompProfile?.type === 'Localhost') {
    throw configFault('seccompProfile: this machine has no directory of profiles; use RuntimeDefault or Unconfined')
  }
  // Who asks for it by name, as kubelet has it, does not run without; who says nothing does.
  if (appArmorProfile?.type === 'RuntimeDefault' && !hasAppArmor) {
    throw configFault(
      'Cannot enforce AppArmor: it is not enabled on this host, or its profile could not be loaded; ' +
        'leave appArmorProfile out to run without',
    )
  }
  const apparmor =
    appArmorProfile?.type === 'Localhost'
      ? appArmorProfile.localhostProfile
      : appArmorProfile?.type === 'Unconfined'
        ? 'unconfined'
        : undefined
  return {
    ...(seccompProfile?.type === 'Unconfined' && { seccomp: 'unconfined' }),
    ...(apparmor !== undefined && { apparmor }),
    ...(allowPrivilegeEscalation === false && { noNewPrivileges: true }),
    ...(procMount === 'Unmasked' && { systemPaths: 'unconfined' }),
  }
}

/** Undefined: the image's. */
function userOf({ runAsUser, runAsGroup }: Context, imageUser: string): string | undefined {
  if (runAsUser === undefined && runAsGroup === undefined) return undefined
  const user = runAsUser ?? (imageUser.split(':')[0] || '0')
  return runAsGroup === undefined ? `${user}` : `${user}:${runAsGroup}`
}

/** What the name of a user stands for is in the image's files, which may say anything. */
function assertNonRoot({ runAsNonRoot, runAsUser }: Context, imageUser: string): void {
  if (!runAsNonRoot) return
  if (runAsUser === 0) throw configFault("container's runAsUser breaks non-root policy")
  if (runAsUser !== undefined) return
  const user = imageUser.split(':')[0]!
  if (/^0*$/.test(user)) throw configFault('container has runAsNonRoot and image will run as root')
  if (/^\d+$/.test(user)) return
  throw configFault(
    `container has runAsNonRoot and image has non-numeric user (${user.slice(0, 100)}), cannot verify user is non-root`,
  )
}

function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}
