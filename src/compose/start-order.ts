import { StatusError } from '../lib/errors.ts'
import type { BottleService } from '../model/bottle.ts'

type Graph = Readonly<Record<string, Pick<BottleService, 'dependsOn'>>>

/** Services in layers: each depends on those of earlier ones only. @throws {StatusError} `invalid_argument` with the cycle */
export function startOrder(services: Graph): readonly (readonly string[])[] {
  const layers: string[][] = []
  const placed = new Set<string>()
  const isFree = (name: string) => dependenciesOf(services, name).every((one) => placed.has(one))
  let left = Object.keys(services).toSorted()
  while (left.length > 0) {
    const layer = left.filter(isFree)
    if (layer.length === 0) {
      const cycle = cycleIn(services, left[0]!).join(' -> ')
      throw new StatusError('invalid_argument', `services depend on one another: ${cycle}`)
    }
    layers.push(layer)
    for (const name of layer) placed.add(name)
    left = left.filter((name) => !placed.has(name))
  }
  return layers
}

function dependenciesOf(services: Graph, name: string): string[] {
  return Object.keys(services[name]!.dependsOn).filter((one) => Object.hasOwn(services, one))
}

/** `a -> b -> a`; from `start`, which leads into one. */
function cycleIn(services: Graph, start: string): string[] {
  const path: string[] = []
  const visited = new Set<string>()
  const visit = (name: string): string[] | undefined => {
    const at = path.indexOf(name)
    if (at >= 0) return [...path.slice(at), name]
    if (visited.has(name)) return undefined
    visited.add(name)
    path.push(name)
    for (const next of dependenciesOf(services, name)) {
      const found = visit(next)
      if (found !== undefined) return found
    }
    path.pop()
    return undefined
  }
  return visit(start) ?? [start]
}
