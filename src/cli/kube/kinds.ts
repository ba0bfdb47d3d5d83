import type { WireObject } from '../../api/raind/index.ts'
import { didYouMean } from '../../lib/did-you-mean.ts'
import { usageError } from '../errors.ts'

export type Kind = WireObject['kind']

interface KindNames {
  readonly plural: string
  readonly short?: string
  /** Of the API that it is in; the core has none. */
  readonly group?: string
  readonly namespaced: boolean
}

/** What kubectl calls the kinds. */
export const KINDS: Readonly<Record<Kind, KindNames>> = {
  Pod: { plural: 'pods', short: 'po', namespaced: true },
  ReplicaSet: { plural: 'replicasets', short: 'rs', group: 'apps', namespaced: true },
  Service: { plural: 'services', short: 'svc', namespaced: true },
  ConfigMap: { plural: 'configmaps', short: 'cm', namespaced: true },
  Secret: { plural: 'secrets', namespaced: true },
  Namespace: { plural: 'namespaces', short: 'ns', namespaced: false },
}

/** What `all` stands for, as kubectl has it: what runs, not what it is set up with. */
const ALL: readonly Kind[] = ['Pod', 'Service', 'ReplicaSet']

/** `pod`, `replicaset.apps`: how kubectl begins a line on an object. */
export function qualifiedName(kind: Kind): string {
  const { group } = KINDS[kind]
  return `${kind.toLowerCase()}${group === undefined ? '' : `.${group}`}`
}

/** All that a kind may be called on the command line: its name, its plural, its short name. */
export function spellings(kind: Kind): string[] {
  const { plural, short } = KINDS[kind]
  return [kind.toLowerCase(), plural, ...(short === undefined ? [] : [short])]
}

/** A kind by any of its names, in any case: `Pod`, `rs`, `replicasets.apps`. @throws {CliError} */
export function parseKind(text: string): Kind {
  const word = text.toLowerCase()
  const kinds = Object.keys(KINDS) as Kind[]
  const found = kinds.find((kind) => {
    const { group } = KINDS[kind]
    return spellings(kind).some((name) => word === name || (group !== undefined && word === `${name}.${group}`))
  })
  if (found !== undefined) return found
  const near = didYouMean(word, kinds.flatMap(spellings))
  throw usageError(
    `Unknown kind "${text}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
    `Kinds: ${kinds.map((kind) => spellings(kind).slice(1).join(' or ')).join(', ')}`,
  )
}

/** Objects of one kind. */
export interface Target {
  readonly kind: Kind
  /** None: all of them. */
  readonly names: readonly string[]
}

/** What a command is to deal with: `KIND[,KIND...]|all [NAME...]`, or `KIND/NAME...`. @throws {CliError} */
export function parseTargets(args: readonly string[]): Target[] {
  const [first = '', ...names] = args
  if (args.some((arg) => arg.includes('/'))) return parseRefs(args)
  const kinds = first.split(',').flatMap((word) => (word === 'all' ? ALL : [parseKind(word)]))
  return [...new Set(kinds)].map((kind) => ({ kind, names: [...new Set(names)] }))
}

function parseRefs(refs: readonly string[]): Target[] {
  const names = new Map<Kind, Set<string>>()
  for (const ref of refs) {
    const [word = '', name = '', ...more] = ref.split('/')
    if (word === '' || name === '' || more.length > 0) {
      throw usageError(`"${ref}" does not name an object: where one argument is KIND/NAME, all are`)
    }
    const kind = parseKind(word)
    names.set(kind, (names.get(kind) ?? new Set()).add(name))
  }
  return [...names].map(([kind, set]) => ({ kind, names: [...set] }))
}
