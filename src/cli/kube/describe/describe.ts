import type { WireObject, WirePodObject } from '../../../api/raind/index.ts'
import type { Client } from '../../client.ts'
import type { Invocation } from '../../command.ts'
import { settle } from '../../errors.ts'
import { assertNamesFit, fetchTarget, nothingIn, scopeOf } from '../fetch-objects.ts'
import { parseTargets } from '../kinds.ts'
import { labelPairs } from '../selector-text.ts'
import { describeConfigMap, describeNamespace, describeSecret } from './data.ts'
import { eventsText, fetchEvents } from './events.ts'
import { describePod } from './pod.ts'
import { describeReplicaSet } from './replica-set.ts'
import { describeService } from './service.ts'

/** Resolves with the exit code. @throws {CliError} */
export async function describeObjects({ client, terminal, flags, args, json }: Invocation): Promise<number> {
  const targets = parseTargets(args)
  const scope = scopeOf(flags)
  assertNamesFit(targets, scope)
  const fetched = await Promise.all(targets.map((target) => fetchTarget(client, target, scope)))
  const objects = fetched.flatMap((one) => one.objects)
  const errors = fetched.flatMap((one) => one.errors)
  const described = await Promise.all(
    objects.map(async (object) => {
      const events = await fetchEvents(client, object)
      if (json) return { object, events }
      return `${await describe(client, object)}${eventsText(events, Date.now())}`
    }),
  )
  if (json) terminal.stdout.write(`${JSON.stringify(described, undefined, 2)}\n`)
  else terminal.stdout.write(described.join('\n\n'))
  if (objects.length === 0 && errors.length === 0) terminal.stderr.write(`${nothingIn(targets, scope)}\n`)
  return settle(errors, terminal)
}

async function describe(client: Client, object: WireObject): Promise<string> {
  const { namespace } = object.metadata
  const pods = async (selector: string | undefined) => {
    const { objects } = await fetchTarget(client, { kind: 'Pod', names: [] }, { namespace, selector })
    return objects as readonly WirePodObject[]
  }
  switch (object.kind) {
    case 'Pod':
      return describePod(object, Date.now())
    case 'ReplicaSet':
      return describeReplicaSet(object, await pods(undefined))
    case 'Service': {
      const selector = labelPairs(object.spec.selector).join(',')
      return describeService(object, selector === '' ? [] : await pods(selector))
    }
    case 'ConfigMap':
      return describeConfigMap(object)
    case 'Secret':
      return describeSecret(object)
    case 'Namespace':
      return describeNamespace(object)
  }
}
