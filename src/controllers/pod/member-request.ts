import type { MemberRequest, NodeFacts } from '../../containers/index.ts'
import type { PodRole } from '../../model/container.ts'
import type { Image } from '../../model/image.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { podDns } from './dns-config.ts'
import { containerEnv } from './env.ts'
import { expandVariables } from './expand.ts'
import { podHosts } from './host-names.ts'
import type { PodLookup } from './lookup.ts'
import { engineResources, oomScoreAdj } from './resources.ts'
import { memberSecurity } from './security.ts'
import { volumeMounts } from './volume-mounts.ts'

/** Kubernetes' default. */
const DEFAULT_MESSAGE_PATH = '/dev/termination-log'

export interface MemberInput {
  readonly pod: Pod
  readonly container: PodContainer
  readonly role: PodRole
  readonly image: Image
  /** Of its sandbox, CIDR texts or bare; of none in the host's network. */
  readonly addresses: readonly string[]
  readonly hostIp: string | undefined
  readonly node: NodeFacts
  readonly lookup: PodLookup
}

/**
 * What a container of a pod's spec is to the engine.
 * @throws {StatusError} with `details.reason` CreateContainerConfigError, or `invalid_argument`
 */
export function memberRequest(input: MemberInput): MemberRequest {
  const { pod, container, role, image, node } = input
  const { metadata, spec } = pod
  const hostIps = input.hostIp === undefined ? [] : [input.hostIp]
  const podIps = spec.hostNetwork ? hostIps : input.addresses.map((address) => address.split('/')[0]!)
  const env = containerEnv({ ...input, podIps, hostIps })
  const expanded = (texts: readonly string[] = []) => texts.map((text) => expandVariables(text, env))
  const entrypoint = expanded(container.command)
  const processes = spec.hostPID ? 'host' : spec.shareProcessNamespace ? 'pod' : undefined
  const { options, ...security } = memberSecurity(spec, container, image.spec.imageConfig.user, node)
  return {
    pod: { uid: metadata.uid, name: metadata.name, namespace: metadata.namespace },
    role,
    image: image.metadata.name,
    // A list that is empty asks for nothing: only a command of its own drops that of the image.
    ...(entrypoint.length > 0 && { entrypoint }),
    command: expanded(container.args),
    env: [...env].map(([name, value]) => `${name}=${value}`),
    ...(container.workingDir && { workingDir: container.workingDir }),
    tty: container.tty ?? false,
    openStdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    volumeMounts: volumeMounts(spec, container),
    terminationMessagePath: container.terminationMessagePath ?? DEFAULT_MESSAGE_PATH,
    resources: engineResources(container, node),
    // Kubernetes has probes of its own.
    healthcheck: { test: ['NONE'] },
    ...security,
    options: {
      ...options,
      oomScoreAdj: oomScoreAdj(spec, container, node.memoryBytes),
      dns: podDns(pod, node.dns),
      extraHosts: podHosts(pod, podIps),
    },
    ...(processes !== undefined && { processes }),
  }
}
