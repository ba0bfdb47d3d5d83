import assert from 'node:assert/strict'
import { after, afterEach, before } from 'node:test'
import type { DaemonOptions } from './daemon.ts'
import { type DaemonFixture, daemonFixture } from './daemon-fixture.ts'
import { isReady } from './manifests.ts'
import { followObjects } from './object-stream.ts'
import type { OciImage } from './oci-image.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into objects of every kind
export type KubeObject = any

/** What tests of Kubernetes' objects do again and again. */
export interface KubeFixture {
  readonly fixture: DaemonFixture
  readonly image: string
  /** Applies objects (as JSON, which is YAML) and answers the data of the reply. */
  apply(...objects: readonly object[]): Promise<KubeObject>
  get(kind: string, name: string, namespace?: string): Promise<KubeObject>
  list(kind: string, query?: string): Promise<KubeObject[]>
  delete(kind: string, name: string, query?: string): Promise<void>
  /** Waits for an object of that name to fit; `undefined` is given for one that is gone. */
  until(kind: string, name: string, fits: (object: KubeObject) => boolean, timeoutMs?: number): Promise<KubeObject>
  untilReady(name: string, timeoutMs?: number): Promise<KubeObject>
  /** Told of an object: reasons, oldest first. */
  events(kind: string, name: string): Promise<{ reason: string; message: string; type: string }[]>
  /** What a shell script says in a container of a pod, in one stream. */
  sayIn(pod: string, container: string, script: string): Promise<string>
  /** The container of a pod, the one that runs before those that have ended, from the API; of name POD the infra container. */
  container(pod: string, name: string): Promise<KubeObject>
}

/** Call inside a `describe`: registers its hooks. Every test must leave nothing but objects and containers. */
export function kubeFixture(
  options: DaemonOptions & { readonly images?: Readonly<Record<string, OciImage>> } = {},
): () => KubeFixture {
  let fixture: DaemonFixture
  before(async () => {
    fixture = await daemonFixture(options)
  })
  afterEach(async () => {
    await removeObjects(fixture)
    await fixture.clear()
  })
  after(() => fixture?.[Symbol.asyncDispose]())
  return () => kubeClient(fixture)
}

export function kubeClient(fixture: DaemonFixture): KubeFixture {
  const api = () => fixture.daemon.api
  const data = async (path: string) => {
    const answer = await api().get(path)
    assert.equal(answer.status, 200, answer.text)
    return answer.json.data
  }
  const find = async (pod: string, name: string) => {
    const found: KubeObject[] = (await data('/v1/containers?infra=true')) ?? []
    const all = found.filter(
      (container) => container.name.startsWith(`${pod}_`) && container.name.includes(`_${name}_`),
    )
    const one = all.find(({ pid }) => pid > 0) ?? all.at(-1)
    assert.ok(one, `pod ${pod} has no container ${name}`)
    return one
  }
  const kube: KubeFixture = {
    fixture,
    image: fixture.image,
    async apply(...objects) {
      const text = objects.map((object) => JSON.stringify(object)).join('\n---\n')
      const answer = await api().post('/v1/resource/apply', text)
      assert.equal(answer.status, 201, answer.text)
      return answer.json.data
    },
    get: (kind, name, namespace = 'default') => data(`/v1/objects/${kind}/${name}?namespace=${namespace}`),
    list: (kind, query = '') => data(`/v1/objects/${kind}?${query}`),
    async delete(kind, name, query = 'wait=true') {
      const answer = await api().delete(`/v1/objects/${kind}/${name}?${query}`)
      assert.equal(answer.status, 200, answer.text)
    },
    async until(kind, name, fits, timeoutMs) {
      using stream = await followObjects(fixture.home, kind)
      return await stream.until((object, type) => {
        return object.metadata.name === name && fits(type === 'DELETED' ? undefined : object)
      }, timeoutMs)
    },
    untilReady: (name, timeoutMs) => kube.until('pod', name, isReady, timeoutMs),
    events: (kind, name) => data(`/v1/objects/${kind}/${name}/events`),
    async sayIn(pod, name, script) {
      const { containerId } = await find(pod, name)
      const body = { command: ['sh', '-c', `exec 2>&1; ${script}`], wait: true }
      const { json } = await api().post(`/v1/containers/${containerId}/actions/exec`, body)
      return json.data?.stdout ?? json.message
    },
    container: find,
  }
  return kube
}

/** All of them, and the image that pods have brought. */
export async function removeObjects({ daemon }: DaemonFixture): Promise<void> {
  const { api } = daemon
  for (const kind of ['replicaset', 'service', 'pod', 'configmap', 'secret', 'namespace']) {
    const { data } = (await api.get(`/v1/objects/${kind}`)).json
    await Promise.all(
      data
        .filter(({ metadata }: KubeObject) => kind !== 'namespace' || metadata.name !== 'default')
        .map(({ metadata: { name, namespace = '' } }: KubeObject) =>
          api.delete(`/v1/objects/${kind}/${name}?namespace=${namespace || 'default'}&gracePeriod=0&wait=true`),
        ),
    )
  }
  for (const { repository, reference } of (await api.get('/v1/images')).json.data ?? []) {
    if (!repository.includes('condenser-pause')) continue
    await api.delete('/v1/images', { image: `localhost/${repository.split('/').at(-1)}:${reference}` })
  }
}
