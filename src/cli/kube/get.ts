import type { Invocation } from '../command.ts'
import { settle, usageError } from '../errors.ts'
import { assertNamesFit, type Fetched, fetchTarget, nothingIn, type Scope, scopeOf } from './fetch-objects.ts'
import { parseTargets, qualifiedName, type Target } from './kinds.ts'
import { formatObjects, outputOf, tablePrinter } from './print-objects.ts'
import { watchTarget } from './watch.ts'

/** Resolves with the exit code. @throws {CliError} */
export async function getObjects(invocation: Invocation): Promise<number> {
  const { client, terminal, flags, args, json } = invocation
  const targets = parseTargets(args)
  const scope = scopeOf(flags)
  const output = outputOf(flags)
  assertNamesFit(targets, scope)
  if (flags.is('watch') || flags.is('wait')) {
    const [target, ...more] = targets
    if (target === undefined || more.length > 0 || target.names.length > 1) {
      throw usageError('Only one kind, or one object, can be watched at a time')
    }
    return await watchTarget(invocation, target, scope, output)
  }
  const fetched = await Promise.all(targets.map((target) => fetchTarget(client, target, scope)))
  const objects = fetched.flatMap((one) => one.objects)
  const errors = fetched.flatMap((one) => one.errors)
  if (json) terminal.stdout.write(`${JSON.stringify(objects, undefined, 2)}\n`)
  else if (output === undefined || output === 'wide') {
    printTables(invocation, targets, fetched, scope)
    if (objects.length === 0 && errors.length === 0) terminal.stderr.write(`${nothingIn(targets, scope)}\n`)
  } else {
    const single = targets.length === 1 && targets[0]!.names.length === 1
    if (!single || objects.length > 0) terminal.stdout.write(await formatObjects(objects, output, { single }))
  }
  return settle(errors, terminal)
}

/** One for each kind that there is something of. */
function printTables(
  { terminal, flags }: Invocation,
  targets: readonly Target[],
  fetched: readonly Fetched[],
  scope: Scope,
): void {
  const tables = targets.flatMap(({ kind }, index) => {
    const { objects } = fetched[index]!
    const prefix = targets.length > 1 ? { prefix: `${qualifiedName(kind)}/` } : {}
    return objects.length === 0 ? [] : [tablePrinter(kind, { flags, scope, ...prefix })(objects)]
  })
  terminal.stdout.write(tables.join('\n'))
}
