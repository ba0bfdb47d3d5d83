import { posix } from 'node:path'
import type { Loading, Surroundings } from './loading.ts'
import { mergeTrees } from './merge.ts'
import { canonicalFile } from './read-parts.ts'
import { isMap, mapEntries, mapOf, type Path, type Tree, textOf, withEntries } from './tree.ts'

const MAX_CHAIN = 32

/** A file whose services are extended, with those that are done. */
interface Base {
  readonly file: string
  readonly services: ReadonlyMap<string, Tree>
  readonly around: Surroundings
  readonly done: Map<string, Tree>
}

/** A canonical tree whose services have what they extend, from this file and from others. */
export function extendedServices(root: Tree, around: Surroundings, loading: Loading): Tree {
  const services = mapOf(root).get('services')
  if (!isMap(services)) return root
  const files = new Map<string, Base>()
  const own: Base = { file: root.place.file, services: services.value, around, done: new Map() }

  function extended(name: string, base: Base, chain: readonly string[]): Tree {
    const done = base.done.get(name)
    if (done !== undefined) return done
    const service = base.services.get(name)!
    const wanted = mapOf(service).get('extends')
    const whole = wanted === undefined ? service : extend(name, service, wanted, base, chain)
    base.done.set(name, whole)
    return whole
  }

  function extend(name: string, service: Tree, wanted: Tree, base: Base, chain: readonly string[]): Tree {
    const path: Path = ['services', name, 'extends']
    const fail = (problem: string) => loading.refuse({ path, place: wanted.place, problem })
    const other = textOf(mapOf(wanted).get('service')) ?? fail('needs "service"')
    const from = baseOf(wanted, base, path)
    if (!from.services.has(other)) fail(`names the service ${other}, which is not in ${from.file}`)
    const before = from === own ? other : `${other} of ${from.file}`
    if (chain.includes(before)) {
      fail(`goes in circles: ${[...chain.slice(chain.indexOf(before)), before].join(' -> ')}`)
    }
    if (chain.length > MAX_CHAIN) fail(`goes over more than ${MAX_CHAIN} services`)
    const parent = extended(other, from, [...chain, before])
    const merged = mergeTrees(
      withEntries(parent, { extends: undefined }),
      withEntries(service, { extends: undefined }),
      ['services', name],
      loading.faults,
    )
    loading.weigh(merged)
    return { ...merged, place: service.place }
  }

  function baseOf(wanted: Tree, base: Base, path: Path): Base {
    const named = mapOf(wanted).get('file')
    const file = textOf(named)
    if (named === undefined || file === undefined || file === base.file) return base
    const there = files.get(file)
    if (there !== undefined) return there
    const text = loading.read(file, { path: [...path, 'file'], place: named.place })
    const within = { ...base.around, directory: { ...base.around.directory, path: posix.dirname(file) } }
    const tree = canonicalFile({ name: file, text }, within, loading)
    const loaded = { file, services: mapOf(mapOf(tree).get('services')), around: within, done: new Map() }
    files.set(file, loaded)
    return loaded
  }

  return withEntries(root, { services: mapEntries(services, (_, name) => extended(name, own, [name])) })
}
