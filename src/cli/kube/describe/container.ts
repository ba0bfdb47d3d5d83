import type {
  WireEnvVar,
  WirePodContainer,
  WirePodContainerState,
  WirePodContainerStatus,
  WirePodPort,
  WireVolumeMount,
} from '../../../api/raind/index.ts'
import { type Field, NONE, outline, timeText } from './outline.ts'
import { probeText } from './probe.ts'

/** Containers of a pod, or of a template, which has no statuses. */
export function containersText(
  containers: readonly WirePodContainer[],
  statuses: readonly WirePodContainerStatus[] | undefined,
): string {
  const status = (wanted: string) => statuses?.find(({ name }) => name === wanted)
  return outline(
    containers.map((container) => [container.name, { below: containerText(container, status(container.name)) }]),
  )
}

function containerText(container: WirePodContainer, status: WirePodContainerStatus | undefined): string {
  const { resources = {}, livenessProbe, readinessProbe, startupProbe, envFrom = [] } = container
  const { container: inside, host } = portTexts(container.ports ?? [])
  const many = (container.ports ?? []).length > 1 ? 's' : ''
  const sources = envFrom.map(({ prefix, configMapRef, secretRef }): Field => {
    const source = configMapRef ?? secretRef
    const how = prefix ? ` with prefix '${prefix}'` : ''
    return [
      source?.name ?? '',
      `${configMapRef ? 'ConfigMap' : 'Secret'}${how}  Optional: ${source?.optional ?? false}`,
    ]
  })
  return outline([
    ['Container ID', status?.containerID ?? (status && '')],
    ['Image', container.image],
    ['Image ID', status?.imageID],
    [`Port${many}`, inside],
    [`Host Port${many}`, host],
    ['Command', below(container.command)],
    ['Args', below(container.args)],
    ...(status === undefined ? [] : statusFields(status)),
    ['Limits', listed(resources.limits)],
    ['Requests', listed(resources.requests)],
    ['Liveness', probeText(livenessProbe)],
    ['Readiness', probeText(readinessProbe)],
    ['Startup', probeText(startupProbe)],
    ['Environment Variables from', sources.length === 0 ? undefined : { below: outline(sources) }],
    ['Environment', nested((container.env ?? []).map((variable) => [variable.name, envText(variable)]))],
    ['Mounts', mountsOf(container.volumeMounts ?? [])],
  ])
}

function portTexts(ports: readonly WirePodPort[]) {
  const all = (text: (port: WirePodPort) => string) => ports.map(text).join(', ') || NONE
  return {
    container: all(
      ({ containerPort, protocol = 'TCP', name }) => `${containerPort}/${protocol}${name ? ` (${name})` : ''}`,
    ),
    host: all(({ hostPort = 0, protocol = 'TCP' }) => `${hostPort}/${protocol}`),
  }
}

function statusFields({ state, lastState, ready, restartCount }: WirePodContainerStatus): Field[] {
  return [
    ...stateFields('State', state ?? {}),
    ...(lastState?.terminated === undefined ? [] : stateFields('Last State', lastState)),
    ['Ready', ready ? 'True' : 'False'],
    ['Restart Count', String(restartCount)],
  ]
}

function stateFields(name: string, { running, waiting, terminated }: WirePodContainerState): Field[] {
  if (running) {
    return [
      [name, 'Running'],
      ['  Started', timeText(running.startedAt)],
    ]
  }
  if (!terminated) {
    return [
      [name, 'Waiting'],
      ['  Reason', waiting?.reason],
      ['  Message', waiting?.message],
    ]
  }
  return [
    [name, 'Terminated'],
    ['  Reason', terminated.reason],
    ['  Message', terminated.message],
    ['  Exit Code', String(terminated.exitCode)],
    ['  Signal', terminated.signal ? String(terminated.signal) : undefined],
    ['  Started', timeText(terminated.startedAt)],
    ['  Finished', timeText(terminated.finishedAt)],
  ]
}

/** The value, or where it comes from: what is in a secret is not told. */
function envText({ value = '', valueFrom }: WireEnvVar): string {
  if (valueFrom === undefined) return value
  const { fieldRef, resourceFieldRef, configMapKeyRef: map, secretKeyRef: secret } = valueFrom
  if (fieldRef) return `(${fieldRef.apiVersion ?? 'v1'}:${fieldRef.fieldPath})`
  if (resourceFieldRef) return `(${resourceFieldRef.resource})`
  const key = map ?? secret
  const of = map ? `of config map '${map.name}'` : `in secret '${secret?.name}'`
  return `<set to the key '${key?.key}' ${of}>  Optional: ${key?.optional ?? false}`
}

function mountsOf(mounts: readonly WireVolumeMount[]): Field[1] {
  const lines = mounts
    .toSorted((a, b) => (a.mountPath < b.mountPath ? -1 : 1))
    .map(({ mountPath, name, readOnly, subPath }) => {
      return `${mountPath} from ${name} (${readOnly ? 'ro' : 'rw'}${subPath ? `,path="${subPath}"` : ''})`
    })
  return lines.length === 0 ? NONE : below(lines)
}

function nested(fields: readonly Field[]): Field[1] {
  return fields.length === 0 ? NONE : { below: outline(fields) }
}

function listed(values: Readonly<Record<string, string | number>> = {}): Field[1] {
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.length === 0 ? undefined : { below: outline(entries.map(([name, value]) => [name, String(value)])) }
}

function below(lines: readonly string[] = []): Field[1] {
  return lines.length === 0 ? undefined : { below: lines.map((line) => `${line}\n`).join('') }
}
