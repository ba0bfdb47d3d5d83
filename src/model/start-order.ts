import { StatusError } from '../lib/errors.ts'

/** What begins after what. */
export type Dependent = Readonly<Record<string, { readonly dependsOn: Readonly<Record<string, unknown>> }>>

/**
 * Services in layers: each needs only what is in the layers before its own; within a layer by name. What is no service
 * is not waited for.
 * @throws {StatusError} `invalid_argument` for a circle, which it prints
 */
export function startOrder(services: Dependent): readonly (readonly string[])[] {
  const names = Object.keys(services)
  const waitedFor = new Map<string, string[]>(names.map((name) => [name, []]))
  const missing = new Map<string, number>()
  for (const name of names) {
    const needed = Object.keys(services[name]!.dependsOn).filter((other) => waitedFor.has(other))
    for (const other of needed) waitedFor.get(other)!.push(name)
    missing.set(name, needed.length)
  }
  const layers: string[][] = []
  let layer = names.filter((name) => missing.get(name) === 0)
  while (layer.length > 0) {
    layers.push(layer.toSorted())
    for (const name of layer) missing.delete(name)
    layer = layer.flatMap((name) =>
      waitedFor.get(name)!.filter((waiting) => {
        const left = missing.get(waiting)! - 1
        missing.set(waiting, left)
        return left === 0
      }),
    )
  }
  if (missing.size > 0) throw new StatusError('invalid_argument', `depends on itself: ${circle(services, missing)}`)
  return layers
}

/** Each that is left needs another one that is left: whoever goes on like that comes by twice. */
function circle(services: Dependent, left: ReadonlyMap<string, unknown>): string {
  const way: string[] = []
  const seen = new Map<string, number>()
  let at = [...left.keys()].toSorted()[0]!
  while (!seen.has(at)) {
    seen.set(at, way.length)
    way.push(at)
    at = Object.keys(services[at]!.dependsOn).find((other) => left.has(other))!
  }
  return [...way.slice(seen.get(at)), at].join(' -> ')
}
