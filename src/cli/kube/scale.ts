import type { Invocation } from '../command.ts'
import { settle, usageError } from '../errors.ts'
import { uidOf } from './fetch-objects.ts'
import { parseTargets, qualifiedName } from './kinds.ts'

/** Resolves with the exit code. @throws {CliError} */
export async function scaleObjects({ client, terminal, flags, args, json }: Invocation): Promise<number> {
  const replicas = flags.number('replicas')
  if (replicas === undefined || !Number.isInteger(replicas) || replicas < 0) {
    throw usageError('Say how many there are to be: --replicas N, with N of 0 or more')
  }
  const targets = parseTargets(args)
  for (const { kind, names } of targets) {
    if (kind !== 'ReplicaSet') throw usageError(`A ${kind} has no replicas: only replica sets can be scaled`)
    if (names.length === 0) throw usageError('Say which: raind scale rs NAME --replicas N')
  }
  const errors: Error[] = []
  for (const name of targets.flatMap(({ names }) => names)) {
    try {
      const uid = await uidOf(client, 'ReplicaSet', name, flags)
      const data = await client.call('POST', `/v1/replicasets/${uid}/actions/scale`, { replicas })
      terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `${qualifiedName('ReplicaSet')}/${name} scaled\n`)
    } catch (error) {
      errors.push(error as Error)
    }
  }
  return settle(errors, terminal)
}
