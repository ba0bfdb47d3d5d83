import type { ObjectMeta, OwnerReference } from '../meta.ts'
import type { Pod } from './stored.ts'

/** The one owner that manages an object, if any does. */
export function controllerOf({
  ownerReferences = [],
}: Pick<ObjectMeta, 'ownerReferences'>): OwnerReference | undefined {
  return ownerReferences.find(({ controller }) => controller === true)
}

/** Whether its condition says so: it is not on its way out, nor stopped. */
export function isPodReady({ metadata, status }: Pod): boolean {
  if (metadata.deletedAt !== undefined) return false
  return status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
}

/** Since when, in ms; undefined if it is not. */
export function podReadySince(pod: Pod): number | undefined {
  if (!isPodReady(pod)) return undefined
  return Date.parse(pod.status.conditions!.find(({ type }) => type === 'Ready')!.lastTransitionTime!)
}

/** Neither on its way out nor at its end. */
export function isPodLive({ metadata, status }: Pod): boolean {
  return metadata.deletedAt === undefined && status.phase !== 'Succeeded' && status.phase !== 'Failed'
}
