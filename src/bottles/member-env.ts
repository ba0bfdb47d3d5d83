import type { Bottle } from '../model/bottle.ts'
import type { Deps } from './deps.ts'
import { membersOf, replicasOf } from './members.ts'

/**
 * The variables of a service of the original's files: a value that is the name of a dependency, or begins with it and a
 * colon, has the address of that in its place (contract, section 8).
 */
export function memberEnv({ store, containers }: Deps, bottle: Bottle, service: string): readonly string[] {
  const { env, dependsOn, replacesNames } = bottle.spec.services[service]!
  if (!replacesNames) return env
  const members = store.read((tx) => membersOf(tx, bottle))
  const addresses = new Map(
    Object.keys(dependsOn).flatMap((name) => {
      const [first] = replicasOf(members, name)
      const address = first && containers.sandboxOf(first.container).spec.attachments[0]?.addresses[0]?.split('/')[0]
      return address === undefined ? [] : [[name, address] as const]
    }),
  )
  return env.map((variable) => {
    const start = variable.indexOf('=') + 1
    const value = variable.slice(start)
    const [name = ''] = value.split(':', 1)
    const address = addresses.get(name)
    return address === undefined ? variable : `${variable.slice(0, start)}${address}${value.slice(name.length)}`
  })
}
