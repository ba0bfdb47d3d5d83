import type { WireApplied, WireAppliedObject, WireObjectDiff } from '../../api/raind/index.ts'
import type { Invocation } from '../command.ts'
import { CliError, usageError } from '../errors.ts'
import { diffText } from './diff-text.ts'
import { qualifiedName } from './kinds.ts'
import { applyQuery, sendManifests } from './send-manifests.ts'

/** @throws {CliError} */
export async function applyManifests(invocation: Invocation): Promise<void> {
  const { terminal, flags, json } = invocation
  if (isDryRun(invocation)) return await compare(invocation)
  const applied = await sendManifests<WireApplied>(invocation, `/v1/resource/apply?${applyQuery(flags)}`)
  for (const warning of applied.warnings ?? []) terminal.stderr.write(`Warning: ${warning}\n`)
  if (json) terminal.stdout.write(`${JSON.stringify(applied, undefined, 2)}\n`)
  else for (const result of atLeastOne(applied.results ?? [])) terminal.stdout.write(lineOf(result, result.action))
}

/** Prints what applying would do. */
async function compare(invocation: Invocation): Promise<void> {
  const { terminal, flags, json } = invocation
  const diffs = await sendManifests<WireObjectDiff[]>(invocation, `/v1/resource/diff?${applyQuery(flags)}`)
  if (json) {
    terminal.stdout.write(`${JSON.stringify(diffs, undefined, 2)}\n`)
    return
  }
  for (const diff of atLeastOne(diffs)) {
    const action = diff.before === null ? 'created' : (await diffText(diff)) === '' ? 'unchanged' : 'configured'
    terminal.stdout.write(lineOf(diff, `${action} (server dry run)`))
  }
}

function lineOf({ kind, name }: Pick<WireAppliedObject, 'kind' | 'name'>, what: string): string {
  return `${qualifiedName(kind)}/${name} ${what}\n`
}

function isDryRun({ flags }: Invocation): boolean {
  const mode = flags.text('dry-run') ?? 'none'
  if (['none', 'client', 'server'].includes(mode)) return mode !== 'none'
  throw usageError(`--dry-run is none, client or server, not "${mode}"`)
}

function atLeastOne<T>(items: readonly T[]): readonly T[] {
  if (items.length > 0) return items
  throw new CliError('There is nothing to apply: no object is in what was given')
}
