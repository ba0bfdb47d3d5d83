import { once } from 'node:events'
import type { Failure, WireObject, WireObjectChange } from '../../api/raind/index.ts'
import { linesOf } from '../client.ts'
import type { Invocation, Terminal } from '../command.ts'
import { CliError } from '../errors.ts'
import { fetchTarget, objectsPath, type Scope } from './fetch-objects.ts'
import type { Target } from './kinds.ts'
import { formatObjects, type Output, tablePrinter } from './print-objects.ts'

type Changes = readonly WireObjectChange[]

/** Prints what there is, and then each change, until the daemon ends it. @throws {CliError} */
export async function watchTarget(
  { client, terminal, flags, json }: Invocation,
  target: Target,
  scope: Scope,
  output: Output | undefined,
): Promise<never> {
  const answer = await client.stream('GET', objectsPath(target.kind, scope, { watch: 'true' }))
  using cleanUp = new DisposableStack()
  cleanUp.defer(() => void answer.destroy())
  const { objects, errors } = await fetchTarget(client, target, scope)
  if (errors[0] !== undefined) throw errors[0]
  const print = json
    ? async (changes: Changes) => changes.map((change) => `${JSON.stringify(change)}\n`).join('')
    : changePrinter(target, { flags, scope, output })
  // What there is comes at once, as a table; the watch tells it again.
  await write(terminal, await print(objects.map((object) => ({ type: 'ADDED', object }))))
  const told = new Map(objects.map(({ metadata }) => [metadata.uid, Number(metadata.resourceVersion)]))
  for await (const line of linesOf(answer)) {
    const change = JSON.parse(line) as WireObjectChange | Failure
    if (!('type' in change)) throw new CliError(change.message)
    if (isWanted(change, target) && isNews(change, told)) await write(terminal, await print([change]))
  }
  throw new CliError('The daemon has ended the connection')
}

function isWanted({ object }: WireObjectChange, { names }: Target): boolean {
  return names.length === 0 || names.includes(object.metadata.name)
}

/** `told`: versions by uid. */
export function isNews({ type, object }: WireObjectChange, told: ReadonlyMap<string, number>): boolean {
  const { uid, resourceVersion } = object.metadata
  return type === 'DELETED' || Number(resourceVersion) > (told.get(uid) ?? 0)
}

function changePrinter(
  target: Target,
  { output, ...options }: { flags: Invocation['flags']; scope: Scope; output: Output | undefined },
): (changes: Changes) => Promise<string> {
  const objectsOf = (changes: Changes): WireObject[] => changes.map(({ object }) => object)
  if (output === undefined || output === 'wide') {
    const rows = tablePrinter(target.kind, options)
    return async (changes) => (changes.length === 0 ? '' : rows(objectsOf(changes)))
  }
  const separator = output === 'yaml' ? '---\n' : ''
  return async (changes) => {
    const texts = changes.map(
      async ({ object }) => separator + (await formatObjects([object], output, { single: true })),
    )
    return (await Promise.all(texts)).join('')
  }
}

async function write({ stdout }: Terminal, text: string): Promise<void> {
  if (text !== '' && !stdout.write(text)) await once(stdout, 'drain')
}
