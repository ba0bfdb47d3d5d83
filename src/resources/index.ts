/**
 * Kubernetes' objects: what is applied, changed and deleted, and what else changes with it in the same transaction. It
 * writes records only; controllers make them true.
 */

export type { AppliedObject, ApplyOptions } from './apply.ts'
export { collect, isGarbage } from './collect.ts'
export { type DeleteOptions, Deletion, FOREGROUND } from './delete.ts'
export { MAX_MANIFEST_BYTES } from './documents.ts'
export { type KubeObject, kubeObject } from './kube-object.ts'
export type { DocumentFailure } from './manifest-failure.ts'
export { createReplica, deletePod, ownerReference } from './pods.ts'
export { createResources } from './resources.ts'
export { tellOf } from './tell.ts'
export type { ListOptions, ObjectChange, ObjectDiff, ObjectName, Resources } from './types.ts'
