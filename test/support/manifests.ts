/** A Pod, named `web` unless told otherwise. */
export function podManifest(spec: object, metadata: object = {}) {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', ...metadata }, spec }
}

/** A ReplicaSet, whose pods have its name as their label `app`. */
export function replicaSetManifest(name: string, replicas: number, podSpec: object, podMetadata: object = {}) {
  const labels = { app: name }
  const template = { metadata: { labels, ...podMetadata }, spec: podSpec }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template },
  }
}

export interface PodWithConditions {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** Whether a pod, as the API shows it, is ready; undefined: it is gone. */
export function isReady(pod: PodWithConditions | undefined): boolean {
  return pod?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}
