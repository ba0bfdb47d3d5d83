import { type PullOptions, pullSecretAuth } from '../../images/index.ts'
import type { Pod, Secret } from '../../model/kube/stored.ts'
import type { PodLookup } from './lookup.ts'

/**
 * The credentials that a pod's `imagePullSecrets` hold for an image. A Secret that is absent, or of another type, holds
 * none, as on a cluster: the pull is tried without.
 */
export function pullAuth({ spec }: Pod, reference: string, lookup: PodLookup): PullOptions['auth'] {
  const secrets = (spec.imagePullSecrets ?? []).flatMap(({ name = '' }) => lookup.secret(name) ?? [])
  return pullSecretAuth(reference, secrets.flatMap(dockerConfigOf))
}

/** As the text of docker's config.json; the older form is its `auths` alone. */
function dockerConfigOf({ spec: { type, data = {} } }: Secret): string[] {
  const text = (key: string) => (data[key] === undefined ? [] : [Buffer.from(data[key], 'base64').toString('utf8')])
  if (type === 'kubernetes.io/dockerconfigjson') return text('.dockerconfigjson')
  if (type === 'kubernetes.io/dockercfg') return text('.dockercfg').map((auths) => `{"auths":${auths}}`)
  return []
}
