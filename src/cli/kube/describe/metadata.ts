import type { WireObject } from '../../../api/raind/index.ts'
import { labelPairs } from '../selector-text.ts'
import type { Field } from './outline.ts'

type Metadata = WireObject['metadata']

export function placeFields({ name, namespace }: Metadata): Field[] {
  return [
    ['Name', name],
    ['Namespace', namespace],
  ]
}

export function labelFields({ labels, annotations }: Pick<Metadata, 'labels' | 'annotations'>): Field[] {
  return [
    ['Labels', labelPairs(labels)],
    ['Annotations', Object.entries(annotations ?? {}).map(([key, value]) => `${key}: ${value}`)],
  ]
}

export function ownerField({ ownerReferences = [] }: Metadata): Field {
  const owner = ownerReferences.find(({ controller }) => controller === true)
  return ['Controlled By', owner && `${owner.kind}/${owner.name}`]
}
