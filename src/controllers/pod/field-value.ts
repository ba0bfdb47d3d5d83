import type { EnvInput } from './env.ts'
import { configFault } from './fault.ts'

const KEYED = /^metadata\.(labels|annotations)\['(.+)'\]$/

/** A field of a pod as a text, as the downward API tells it. @throws {StatusError} for a field that it does not tell */
export function fieldValue(
  path: string,
  { pod: { metadata, spec }, podIps, hostIps, node }: Pick<EnvInput, 'pod' | 'podIps' | 'hostIps' | 'node'>,
): string {
  const [, map, key = ''] = KEYED.exec(path) ?? []
  if (map !== undefined) {
    const values = metadata[map as 'labels' | 'annotations']
    return Object.hasOwn(values, key) ? values[key]! : ''
  }
  switch (path) {
    case 'metadata.name':
    case 'metadata.namespace':
    case 'metadata.uid':
      return metadata[path.slice('metadata.'.length) as 'name' | 'namespace' | 'uid']
    case 'spec.nodeName':
      return node.name
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? 'default'
    case 'status.podIP':
      return podIps[0] ?? ''
    case 'status.podIPs':
      return podIps.join(',')
    case 'status.hostIP':
      return hostIps[0] ?? ''
    case 'status.hostIPs':
      return hostIps.join(',')
  }
  throw configFault(`unsupported fieldPath: ${path.slice(0, 200)}`)
}
