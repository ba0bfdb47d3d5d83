import type { WireObject } from '../../api/raind/index.ts'
import type { Client } from '../client.ts'
import type { Flags } from '../command.ts'
import { CliError, usageError } from '../errors.ts'
import { DEFAULT_NAMESPACE } from './flags.ts'
import { KINDS, type Kind, type Target } from './kinds.ts'

/** Where to look, and for what. */
export interface Scope {
  /** Absent: in all of them. */
  readonly namespace: string | undefined
  readonly selector: string | undefined
}

export function scopeOf(flags: Flags): Scope {
  const named = flags.text('namespace') ?? DEFAULT_NAMESPACE
  return { namespace: flags.is('all-namespaces') ? undefined : named, selector: flags.text('selector') }
}

/** @throws {CliError} for names together with what asks for all */
export function assertNamesFit(targets: readonly Target[], { namespace, selector }: Scope): void {
  if (targets.every(({ names }) => names.length === 0)) return
  if (selector !== undefined) throw usageError('A selector asks for all that it fits: give names or --selector')
  if (namespace === undefined) throw usageError('A name is one of a namespace: give names or --all-namespaces')
}

type Query = Readonly<Record<string, string>>

/** `/v1/objects/Pod/web?namespace=default`, with more of a path and of a query if there is. */
export function objectPath(
  kind: Kind,
  name: string,
  namespace: string | undefined,
  { below = '', query = {} }: { readonly below?: string; readonly query?: Query } = {},
): string {
  const search = new URLSearchParams({ ...placeOf(kind, namespace), ...query })
  return `/v1/objects/${kind}/${encodeURIComponent(name)}${below}${search.size === 0 ? '' : `?${search}`}`
}

export function objectsPath(kind: Kind, { namespace, selector }: Scope, query: Query = {}): string {
  const chosen: Query = selector === undefined ? {} : { selector }
  return `/v1/objects/${kind}?${new URLSearchParams({ ...placeOf(kind, namespace), ...chosen, ...query })}`
}

function placeOf(kind: Kind, namespace: string | undefined): Query {
  return namespace === undefined || !KINDS[kind].namespaced ? {} : { namespace }
}

export interface Fetched {
  readonly objects: readonly WireObject[]
  /** Of names: those that are there are given all the same. */
  readonly errors: readonly CliError[]
}

/** By namespace and name, as a cluster lists them. @throws {CliError} if nothing can be asked for */
export async function fetchTarget(client: Client, { kind, names }: Target, scope: Scope): Promise<Fetched> {
  if (names.length === 0) {
    const objects = (await client.call<WireObject[] | null>('GET', objectsPath(kind, scope))) ?? []
    return { objects: objects.toSorted(byPlace), errors: [] }
  }
  const objects: WireObject[] = []
  const errors: CliError[] = []
  for (const name of names) {
    try {
      objects.push(await client.call<WireObject>('GET', objectPath(kind, name, scope.namespace)))
    } catch (error) {
      if (!(error instanceof CliError) || error.status === undefined) throw error
      errors.push(error)
    }
  }
  return { objects, errors }
}

function byPlace(a: WireObject, b: WireObject): number {
  const [left, right] = [a, b].map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`) as [string, string]
  return left < right ? -1 : 1
}

/** What is said where there is nothing to be listed. */
export function nothingIn(targets: readonly Target[], { namespace }: Scope): string {
  const isOfNamespace = namespace !== undefined && targets.some(({ kind }) => KINDS[kind].namespaced)
  return `No resources found${isOfNamespace ? ` in ${namespace} namespace.` : ''}`
}

/** Of an object in the namespace of the flags; its uid is taken for a name, too. */
export async function uidOf(client: Client, kind: Kind, name: string, flags: Flags): Promise<string> {
  const path = objectPath(kind, name, flags.text('namespace') ?? DEFAULT_NAMESPACE)
  return (await client.call<WireObject>('GET', path)).metadata.uid
}
