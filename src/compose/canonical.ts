import type { Fault } from './faults.ts'
import { withUniqueItems } from './merge.ts'
import { shortPorts } from './short-port.ts'
import { shortVolume } from './short-volume.ts'
import {
  isList,
  isMap,
  listOf,
  mapEntries,
  mapOf,
  type Path,
  type Tree,
  textOf,
  treeOf,
  valued,
  withEntries,
} from './tree.ts'

/** Where a change is made, what may be told, and how many ports may still be made of ranges. */
export interface Changing {
  readonly path: Path
  readonly faults: Fault[]
  readonly ports: { left: number }
}

type Change = (tree: Tree, at: Changing) => Tree

const MAX_PORTS = 16_384

/**
 * A file that has passed the schema in the one spelling that merging and reading know: long syntax, maps for `K=V`,
 * lists for what may be a single text. It is again a Compose file, and stays as it is when it is read again.
 */
export function canonicalTree(root: Tree, faults: Fault[]): Tree {
  return changed(root, SECTIONS, { path: [], faults, ports: { left: MAX_PORTS } })
}

/** Keys of what is in a map, one level down. */
function changed(tree: Tree, changes: ReadonlyMap<string, Change>, at: Changing): Tree {
  return mapEntries(tree, (entry, key) => {
    const change = entry.tag === 'reset' ? undefined : changes.get(key)
    return change === undefined ? entry : change(entry, { ...at, path: [...at.path, key] })
  })
}

function each(changes: ReadonlyMap<string, Change>, whole: Change = (tree) => tree): Change {
  return (tree, above) =>
    mapEntries(tree, (entry, name) => {
      const at = { ...above, path: [...above.path, name] }
      return entry.tag === 'reset' ? entry : changed(whole(entry, at), changes, at)
    })
}

/** `K=V`; of `K` alone the value is `missing`. Values are texts. */
function toMap(missing: string | null): Change {
  return (tree) => {
    if (isMap(tree)) return mapEntries(tree, (entry) => valued(entry, textOf(entry) ?? missing))
    if (!isList(tree)) return tree
    const entries = tree.value.map((item) => {
      const text = textOf(item) ?? ''
      const end = text.indexOf('=')
      const [key, value] = end < 0 ? [text, missing] : [text.slice(0, end), text.slice(end + 1)]
      return [key, valued(item, value)] as const
    })
    return valued(tree, new Map(entries))
  }
}

const toList: Change = (tree) => (textOf(tree) === undefined ? tree : valued(tree, [{ ...tree, tag: undefined }]))

/** Names in a list as the keys of a map. */
function keysOf(value: null | { readonly [key: string]: string | boolean }): Change {
  return (tree) =>
    isList(tree)
      ? valued(tree, new Map(tree.value.map((item) => [textOf(item) ?? '', treeOf(value, item.place)])))
      : tree
}

/** A text as the only entry of an object. */
function asEntry(key: string): Change {
  return (tree) => (textOf(tree) === undefined ? tree : valued(tree, new Map([[key, { ...tree, tag: undefined }]])))
}

function eachItem(change: (item: Tree, at: Changing) => readonly Tree[]): Change {
  return (tree, at) => {
    const items = listOf(tree).flatMap((item, index) =>
      item.tag === 'reset' ? [] : change(item, { ...at, path: [...at.path, index] }),
    )
    return isList(tree) ? withUniqueItems(valued(tree, items), at.path) : tree
  }
}

/** `name=address`; of a name with several addresses several. */
const extraHosts: Change = (tree) => {
  if (!isMap(tree)) return tree
  const lines = [...tree.value].flatMap(([host, address]) =>
    (isList(address) ? address.value : [address]).map((item) => valued(item, `${host}=${textOf(item) ?? ''}`)),
  )
  return valued(tree, lines)
}

/** `external: {name: x}` of old. */
const external: Change = (tree) => {
  const own = mapOf(tree).get('external')
  if (!isMap(own)) return tree
  return withEntries(tree, { external: valued(own, true), name: own.value.get('name') ?? mapOf(tree).get('name') })
}

/** `/dev/a:/dev/b:rwm` */
function device(item: Tree): readonly Tree[] {
  if (!isMap(item)) return [item]
  const [source, target, permissions] = ['source', 'target', 'permissions'].map((key) => textOf(item.value.get(key)))
  const parts = [source, target ?? source, permissions].filter((part) => part !== undefined)
  return source === undefined ? [item] : [valued(item, parts.join(':'))]
}

const DEPENDENCY = { condition: 'service_started', required: true }

const eachEnvFile = eachItem((item, at) => [asEntry('path')(item, at)])

const LABELLED = new Map<string, Change>([['labels', toMap('')]])

const SERVICE = new Map<string, Change>([
  ['annotations', toMap('')],
  ['build', asEntry('context')],
  ['configs', eachItem((item, at) => [asEntry('source')(item, at)])],
  ['depends_on', keysOf(DEPENDENCY)],
  ['deploy', (tree, at) => changed(tree, LABELLED, at)],
  ['devices', eachItem(device)],
  ['dns', toList],
  ['dns_search', toList],
  ['env_file', (tree, at) => eachEnvFile(toList(tree, at), at)],
  ['environment', toMap(null)],
  ['extends', asEntry('service')],
  ['extra_hosts', extraHosts],
  ['label_file', toList],
  ['labels', toMap('')],
  ['networks', keysOf(null)],
  ['ports', eachItem(shortPorts)],
  ['secrets', eachItem((item, at) => [asEntry('source')(item, at)])],
  ['sysctls', toMap('')],
  ['tmpfs', toList],
  ['volumes', eachItem((item, at) => [shortVolume(item, at)])],
])

const SECTIONS = new Map<string, Change>([
  ['configs', each(LABELLED, external)],
  ['networks', each(LABELLED, external)],
  ['secrets', each(LABELLED, external)],
  ['services', each(SERVICE)],
  ['volumes', each(LABELLED, external)],
])
