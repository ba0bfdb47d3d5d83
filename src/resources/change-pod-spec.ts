import { isObject } from '../lib/is-object.ts'

export type Json = Readonly<Record<string, unknown>>

/** A document of which something was made, and what is to be said about that. */
export interface Converted {
  readonly value: unknown
  readonly warnings: readonly string[]
}

/** Makes something of the spec of a Pod, or of a ReplicaSet's template; what is neither stays. */
export function changePodSpec(
  value: unknown,
  change: (spec: Json, path: string) => { readonly spec: Json; readonly warnings: readonly string[] },
): Converted {
  if (!isObject(value) || !isObject(value['spec'])) return { value, warnings: [] }
  const { kind, spec } = value
  if (kind === 'Pod') {
    const changed = change(spec as Json, 'spec')
    return { value: { ...value, spec: changed.spec }, warnings: changed.warnings }
  }
  const { template } = spec as Json
  if (kind !== 'ReplicaSet' || !isObject(template) || !isObject(template['spec'])) return { value, warnings: [] }
  const changed = change(template['spec'], 'spec.template.spec')
  const own = { ...(spec as Json), template: { ...template, spec: changed.spec } }
  return { value: { ...value, spec: own }, warnings: changed.warnings }
}
