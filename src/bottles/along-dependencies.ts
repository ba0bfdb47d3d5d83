import { forEachLimited } from '../lib/for-each-limited.ts'
import type { BottleService } from '../model/bottle.ts'
import { startOrder } from '../model/start-order.ts'

type Graph = Readonly<Record<string, Pick<BottleService, 'dependsOn'>>>

/**
 * Works on services side by side, each when those it depends on are done. The first failure ends the signal of all, and
 * rejects when all that had begun are done. What a service depends on and is not among them is passed over.
 */
export async function alongDependencies(
  services: Graph,
  signal: AbortSignal,
  work: (service: string, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failing = new AbortController()
  const all = AbortSignal.any([signal, failing.signal])
  const done = new Map<string, Promise<void>>()
  const errors: unknown[] = []
  const run = async (service: string) => {
    await Promise.all(Object.keys(services[service]!.dependsOn).map((name) => done.get(name)))
    if (all.aborted) return
    try {
      await work(service, all)
    } catch (error) {
      errors.push(error)
      failing.abort()
    }
  }
  for (const service of startOrder(services).flat()) done.set(service, run(service))
  await Promise.all(done.values())
  if (errors.length > 0) throw errors[0]
}

/** All at once; a failure is told when all have ended, so that nothing comes after what is then taken back. */
export function allOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  return forEachLimited(items.length, items, work)
}

/** The same graph with its arrows turned: what is to be done with a service before those it depends on. */
export function reversed(services: Graph): Graph {
  const dependants = (service: string) =>
    Object.entries(services).filter(([, { dependsOn }]) => Object.hasOwn(dependsOn, service))
  return Object.fromEntries(
    Object.keys(services).map((service) => [
      service,
      { dependsOn: Object.fromEntries(dependants(service).map(([name, own]) => [name, own.dependsOn[service]!])) },
    ]),
  )
}
