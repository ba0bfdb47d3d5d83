import type { WireDeleted, WireObjectName } from '../../api/raind/index.ts'
import type { Flags, Invocation } from '../command.ts'
import { CliError, settle, usageError } from '../errors.ts'
import { assertNamesFit, fetchTarget, nothingIn, objectPath, type Scope, scopeOf } from './fetch-objects.ts'
import { type Kind, parseTargets, qualifiedName } from './kinds.ts'
import { namespaceQuery, sendManifests } from './send-manifests.ts'

/** Resolves with the exit code. @throws {CliError} */
export async function deleteObjects(invocation: Invocation): Promise<number> {
  const { flags, args } = invocation
  if (flags.list('filename').length === 0) return await deleteNamed(invocation)
  if (args.length > 0) throw usageError('Manifests name what is to be deleted: give -f FILE or KIND NAME, not both')
  const query = new URLSearchParams({
    ...deleteQuery(flags),
    ...namespaceQuery(flags),
    ignoreMissing: String(flags.is('ignore-not-found')),
  })
  const data = await sendManifests<WireDeleted>(invocation, `/v1/resource/delete?${query}`)
  if (invocation.json) invocation.terminal.stdout.write(`${JSON.stringify(data, undefined, 2)}\n`)
  else for (const { kind, name } of data.results ?? []) tell(invocation, kind, name)
  return 0
}

interface ToDelete {
  readonly kind: Kind
  readonly name: string
  readonly namespace: string | undefined
}

async function deleteNamed(invocation: Invocation): Promise<number> {
  const { client, terminal, flags, json } = invocation
  const query = deleteQuery(flags)
  const found = await findNamed(invocation)
  // At once, so that all of them take as long as the slowest.
  const answers = found.map(async ({ kind, name, namespace }) => {
    try {
      return await client.call<WireObjectName>('DELETE', objectPath(kind, name, namespace, { query }))
    } catch (error) {
      if (error instanceof CliError && error.status === 404 && flags.is('ignore-not-found')) return undefined
      return error as Error
    }
  })
  const errors: Error[] = []
  for (const answer of answers) {
    const data = await answer
    if (data instanceof Error) errors.push(data)
    else if (data !== undefined && json) terminal.stdout.write(`${JSON.stringify(data)}\n`)
    else if (data !== undefined) tell(invocation, data.kind, data.name)
  }
  return settle(errors, terminal)
}

/** What the arguments name, or all that there is where they ask for that. */
async function findNamed({ client, terminal, flags, args }: Invocation): Promise<readonly ToDelete[]> {
  if (args.length === 0) throw usageError('Nothing to delete is named', 'Give -f FILE, KIND NAME or KIND/NAME')
  const targets = parseTargets(args)
  const scope = scopeOf(flags)
  assertNamesFit(targets, scope)
  const wantsAll = flags.is('all') || scope.selector !== undefined
  if (targets.some(({ names }) => (names.length === 0) !== wantsAll)) {
    throw usageError('Say which: names, --all or --selector', 'raind delete KIND NAME, raind delete KIND --all')
  }
  const fetched = await Promise.all(
    targets.map(async ({ kind, names }) =>
      names.length === 0 ? await listAll(client, kind, scope) : named(kind, names, scope),
    ),
  )
  const found = fetched.flat()
  if (found.length === 0) terminal.stderr.write(`${nothingIn(targets, scope)}\n`)
  return found
}

function named(kind: Kind, names: readonly string[], { namespace }: Scope): ToDelete[] {
  return names.map((name) => ({ kind, name, namespace }))
}

async function listAll(client: Invocation['client'], kind: Kind, scope: Scope): Promise<ToDelete[]> {
  const { objects } = await fetchTarget(client, { kind, names: [] }, scope)
  return objects.map(({ metadata: { name, namespace } }) => ({ kind, name, namespace }))
}

function tell({ terminal, flags }: Invocation, kind: Kind, name: string): void {
  terminal.stdout.write(`${qualifiedName(kind)} "${name}" ${flags.is('force') ? 'force ' : ''}deleted\n`)
}

/** @throws {CliError} */
export function deleteQuery(flags: Flags): Readonly<Record<string, string>> {
  const wait = flags.text('wait') ?? 'true'
  if (wait !== 'true' && wait !== 'false') throw usageError(`--wait is true or false, not "${wait}"`)
  const cascade = flags.text('cascade') ?? 'background'
  if (!['background', 'foreground', 'orphan'].includes(cascade)) {
    throw usageError(`--cascade is background, foreground or orphan, not "${cascade}"`)
  }
  const seconds = graceOf(flags)
  return { wait, cascade, ...(seconds !== undefined && { gracePeriod: String(seconds) }) }
}

function graceOf(flags: Flags): number | undefined {
  const given = flags.number('grace-period')
  if (given !== undefined && !(Number.isInteger(given) && given >= -1)) {
    throw usageError(`--grace-period wants whole seconds, not ${given}`)
  }
  // -1 is kubectl's for the pod's own.
  const seconds = given === -1 ? undefined : given
  const short = flags.is('force') ? 0 : flags.is('now') ? 1 : undefined
  if (short === undefined || seconds === undefined || seconds === short) return short ?? seconds
  throw usageError(`--grace-period=${seconds} is another time than --${short === 0 ? 'force' : 'now'} gives`)
}
