import type { WireObject } from '../../api/raind/index.ts'
import type { Flags } from '../command.ts'
import { usageError } from '../errors.ts'
import { rowAligner } from '../table.ts'
import { headerOf, rowOf } from './columns.ts'
import type { Scope } from './fetch-objects.ts'
import { KINDS, type Kind, qualifiedName } from './kinds.ts'
import { toYaml } from './to-yaml.ts'

export const OUTPUTS = ['json', 'name', 'wide', 'yaml'] as const
export type Output = (typeof OUTPUTS)[number]

/** `-o`. @throws {CliError} */
export function outputOf(flags: Flags): Output | undefined {
  const text = flags.text('output')
  const output = OUTPUTS.find((known) => known === text)
  if (text === undefined || output !== undefined) return output
  throw usageError(`--output is ${OUTPUTS.join(', ')}, not "${text}"`)
}

/** All of them as text that is no table; `single`: the one that was asked for, without a list around it. */
export async function formatObjects(
  objects: readonly WireObject[],
  format: Exclude<Output, 'wide'>,
  { single }: { readonly single: boolean },
): Promise<string> {
  if (format === 'name') return objects.map((object) => `${nameOf(object)}\n`).join('')
  const items = objects.map(withoutManagers)
  const value = single && items.length === 1 ? items[0] : { apiVersion: 'v1', items, kind: 'List', metadata: {} }
  return format === 'json' ? `${JSON.stringify(value, undefined, 4)}\n` : await toYaml(value)
}

/** Who manages which field is for machines. */
function withoutManagers(object: WireObject): WireObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** `pod/web`, `replicaset.apps/web` */
function nameOf({ kind, metadata }: WireObject): string {
  return `${qualifiedName(kind)}/${metadata.name}`
}

/** Prints objects of one kind as rows, with the columns that the flags ask for. A header goes before the first. */
export function tablePrinter(
  kind: Kind,
  { flags, scope, prefix }: { readonly flags: Flags; readonly scope: Scope; readonly prefix?: string },
): (objects: readonly WireObject[]) => string {
  const columns = {
    wide: flags.text('output') === 'wide',
    namespace: scope.namespace === undefined && KINDS[kind].namespaced,
    labels: flags.is('show-labels'),
    ...(prefix !== undefined && { prefix }),
  }
  const align = rowAligner()
  let header = flags.is('no-headers') ? [] : [headerOf(kind, columns)]
  return (objects) => {
    const now = Date.now()
    const text = align([...header, ...objects.map((object) => rowOf(object, columns, now))])
    header = []
    return text
  }
}
