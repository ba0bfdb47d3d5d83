import { isObject } from '../lib/is-object.ts'
import { type Converted, changePodSpec, type Json } from './change-pod-spec.ts'

/**
 * A container that has a variable twice gets the last one, as on a cluster; what is merged by names has each once, so the
 * others go here, each with a warning.
 */
export function withVariablesOnce(value: unknown): Converted {
  return changePodSpec(value, ofPod)
}

function ofPod(spec: Json, path: string): { readonly spec: Json; readonly warnings: string[] } {
  const warnings: string[] = []
  const lists = ['initContainers', 'containers'].flatMap((list) => {
    const containers = spec[list]
    if (!Array.isArray(containers)) return []
    const once = containers.map((container: unknown, index) => {
      const at = `${path}.${list}[${index}].env`
      return isObject(container) && Array.isArray(container['env'])
        ? { ...container, env: lastOfEach(container['env'], at, warnings) }
        : container
    })
    return [[list, once] as const]
  })
  return { spec: { ...spec, ...Object.fromEntries(lists) }, warnings }
}

function lastOfEach(env: readonly unknown[], path: string, warnings: string[]): unknown[] {
  const nameOf = (variable: unknown) => (isObject(variable) ? variable['name'] : undefined)
  const last = new Map(env.map((variable, index) => [nameOf(variable), index]))
  return env.filter((variable, index) => {
    const name = nameOf(variable)
    const hiding = last.get(name)!
    if (typeof name !== 'string' || hiding === index) return true
    warnings.push(`${path}[${index}] is hidden by ${path}[${hiding}]: both are ${JSON.stringify(name.slice(0, 100))}`)
    return false
  })
}
