import { randomInt, randomUUID } from 'node:crypto'
import { hasCode } from '../lib/errors.ts'
import { setDefaults } from '../model/kube/defaults.ts'
import type { Pod, ReplicaSet } from '../model/kube/stored.ts'
import type { OwnerReference } from '../model/meta.ts'
import type { WriteTx } from '../store/index.ts'
import { tellOf } from './tell.ts'

/** Kubernetes' for generated names: no vowels, so that there are no words. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
/** A name is a DNS label with room for the suffix (apiserver, names/generate.go). */
const MAX_BASE_LENGTH = 63 - SUFFIX_LENGTH - 1

/** One more pod of a replica set. */
export function createReplica(tx: WriteTx, set: ReplicaSet): Pod {
  const { metadata, spec } = set
  const { labels = {}, annotations = {}, finalizers } = spec.template.metadata ?? {}
  const complete = setDefaults({ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: spec.template.spec })
  const pod = withFreeName(`${metadata.name}-`, (name) =>
    tx.create('Pod', {
      namespace: metadata.namespace,
      name,
      uid: randomUUID(),
      labels,
      annotations,
      ...(finalizers !== undefined && { finalizers }),
      ownerReferences: [ownerReference(set)],
      spec: complete.spec,
      status: { phase: 'Pending' },
    }),
  )
  tellOf(tx, 'ReplicaSet', set, 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
  return pod
}

/** As its managing owner. */
export function ownerReference({ metadata }: ReplicaSet): OwnerReference {
  const { name, uid } = metadata
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, controller: true, blockOwnerDeletion: true }
}

/** Calls `create` with one generated name after the other until one is free. */
export function withFreeName<T>(prefix: string, create: (name: string) => T): T {
  for (let attempt = 1; ; attempt++) {
    try {
      return create(generateName(prefix))
    } catch (error) {
      if (!hasCode(error, 'already_exists') || attempt === 10) throw error
    }
  }
}

/** A name that nobody is likely to have: the prefix and five characters. */
export function generateName(prefix: string): string {
  const suffix = Array.from({ length: SUFFIX_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  return `${prefix.slice(0, MAX_BASE_LENGTH + 1)}${suffix}`
}

/**
 * Has a pod go: its containers are ended in its time (or the one given, in s), then its record. Once it is on its way
 * out, its time can only become shorter.
 */
export function deletePod(tx: WriteTx, pod: Pod, graceSeconds?: number): Pod {
  const { metadata, spec } = pod
  const asked = graceSeconds ?? spec.terminationGracePeriodSeconds ?? 30
  const deletionGraceSeconds = Math.min(asked, metadata.deletionGraceSeconds ?? asked)
  const deletedAt = metadata.deletedAt ?? Date.now()
  return tx.put('Pod', { ...pod, metadata: { ...metadata, deletedAt, deletionGraceSeconds } })
}
