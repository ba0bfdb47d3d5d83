import { adjust, each } from './adjust.ts'
import type { PodContainer, PodContainerPort, ResourceRequirements } from './container.ts'
import type { EnvVar } from './env.ts'
import type { PodManifest, PodSpec } from './pod.ts'
import type { HttpGetAction, LifecycleHandler, Probe } from './probe.ts'
import type { Quantity } from './quantity.ts'
import type { Volume } from './volume.ts'

const DEFAULT_FILE_MODE = 0o644

/** Of a pod, and not of a template: its pods get these when they are made. */
export function withPodDefaults(pod: PodManifest): PodManifest {
  const { hostNetwork = false } = pod.spec
  const change = each<PodContainer>((container) =>
    adjust(container, {
      resources: withRequests,
      ...(hostNetwork && { ports: each(withHostPort) }),
    }),
  )
  return { ...pod, spec: adjust(withSpecDefaults(pod.spec), { containers: change, initContainers: change }) }
}

/** Of a pod's spec, also in a template. */
export function withSpecDefaults(spec: PodSpec): PodSpec {
  const { restartPolicy = 'Always', dnsPolicy = 'ClusterFirst', terminationGracePeriodSeconds = 30 } = spec
  const adjusted = adjust(spec, {
    containers: each(withContainerDefaults),
    initContainers: each(withContainerDefaults),
    volumes: each(withVolumeDefaults),
  })
  return {
    ...adjusted,
    restartPolicy,
    dnsPolicy,
    terminationGracePeriodSeconds: terminationGracePeriodSeconds < 0 ? 1 : terminationGracePeriodSeconds,
  }
}

function withContainerDefaults(container: PodContainer): PodContainer {
  const { imagePullPolicy = pullPolicyOf(container.image) } = container
  const { terminationMessagePath = '/dev/termination-log', terminationMessagePolicy = 'File' } = container
  const adjusted = adjust(container, {
    env: each(withEnvDefaults),
    ports: each(withPortDefaults),
    resources: withQuantitiesAsText,
    livenessProbe: withProbeDefaults,
    readinessProbe: withProbeDefaults,
    startupProbe: withProbeDefaults,
    lifecycle: (lifecycle) => adjust(lifecycle, { postStart: withActionDefaults, preStop: withActionDefaults }),
  })
  return { ...adjusted, imagePullPolicy, terminationMessagePath, terminationMessagePolicy }
}

/** Always for `latest`, also if it is only meant. */
function pullPolicyOf(image = ''): 'Always' | 'IfNotPresent' {
  const [name = '', digest] = image.split('@')
  const [, tag] = /:([^:/]*)$/.exec(name) ?? []
  return tag === 'latest' || (tag === undefined && digest === undefined) ? 'Always' : 'IfNotPresent'
}

function withPortDefaults(port: PodContainerPort): PodContainerPort {
  return { ...port, protocol: port.protocol ?? 'TCP' }
}

function withHostPort(port: PodContainerPort): PodContainerPort {
  return { ...port, hostPort: port.hostPort || port.containerPort }
}

/** Who states a limit and no request requests the limit. */
function withRequests(resources: ResourceRequirements): ResourceRequirements {
  const { limits, requests } = resources
  return limits === undefined ? resources : { ...resources, requests: { ...limits, ...requests } }
}

function withQuantitiesAsText(resources: ResourceRequirements): ResourceRequirements {
  const asText = (list: Readonly<Record<string, Quantity>>) =>
    Object.fromEntries(Object.entries(list).map(([name, value]) => [name, String(value)]))
  return adjust(resources, { limits: asText, requests: asText })
}

function withEnvDefaults(variable: EnvVar): EnvVar {
  return adjust(variable, {
    valueFrom: (source) =>
      adjust(source, {
        fieldRef: (reference) => ({ ...reference, apiVersion: reference.apiVersion ?? 'v1' }),
        resourceFieldRef: (reference) => adjust(reference, { divisor: String }),
      }),
  })
}

function withProbeDefaults(probe: Probe): Probe {
  return {
    ...withActionDefaults(probe),
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  }
}

function withActionDefaults<A extends Probe | LifecycleHandler>(action: A): A {
  return adjust<Probe | LifecycleHandler>(action, { httpGet: withHttpDefaults }) as A
}

function withHttpDefaults(get: HttpGetAction): HttpGetAction {
  return { ...get, path: get.path ?? '/', scheme: get.scheme ?? 'HTTP' }
}

function withVolumeDefaults(volume: Volume): Volume {
  const { name: _, ...sources } = volume
  if (Object.keys(sources).length === 0) return { ...volume, emptyDir: {} }
  return adjust(volume, {
    emptyDir: (source) => adjust(source, { sizeLimit: String }),
    hostPath: (source) => ({ ...source, type: source.type ?? '' }),
    configMap: (source) => ({ ...source, defaultMode: source.defaultMode ?? DEFAULT_FILE_MODE }),
    secret: (source) => ({ ...source, defaultMode: source.defaultMode ?? DEFAULT_FILE_MODE }),
  })
}
