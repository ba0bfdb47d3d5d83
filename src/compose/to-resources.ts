import { withoutUndefined } from '../lib/without-undefined.ts'
import type { Resources } from '../model/container.ts'
import { milliCpus } from '../model/quantity.ts'
import { validateResources } from '../model/resources.ts'
import type { ComposeService, Count } from './project.ts'
import { pathText } from './tree.ts'
import { type At, attempt, below, bytes, fault, integer, number } from './values.ts'

const MAX_PIDS = 4_194_304

/** Limits of a service, and what `deploy` says of them; as with docker 0 is no limit. */
export function toResources(service: ComposeService, at: At): Resources {
  const { limits = {}, reservations = {} } = service.deploy?.resources ?? {}
  const deployed = (kind: 'limits' | 'reservations', key: string) => below(at, 'deploy', 'resources', kind, key)
  const swap = String(service.memswap_limit) === '-1' ? -1 : bytes(below(at, 'memswap_limit'), service.memswap_limit)
  const resources = withoutUndefined({
    memoryBytes: one(bytes, [below(at, 'mem_limit'), service.mem_limit], [deployed('limits', 'memory'), limits.memory]),
    memorySwapBytes: swap,
    memoryReservationBytes: one(
      bytes,
      [below(at, 'mem_reservation'), service.mem_reservation],
      [deployed('reservations', 'memory'), reservations.memory],
    ),
    cpuShares: integer(below(at, 'cpu_shares'), service.cpu_shares, 0, 262_144) || undefined,
    cpusetCpus: service.cpuset || undefined,
    milliCpus: one(
      toMilliCpus,
      [below(at, 'cpus'), service.cpus],
      [deployed('limits', 'cpus'), limits.cpus],
      [below(at, 'cpu_quota'), quotaCpus(service, at)],
    ),
    pids: one(toPids, [below(at, 'pids_limit'), service.pids_limit], [deployed('limits', 'pids'), limits.pids]),
  })
  attempt(at, () => validateResources(resources))
  return resources
}

type Given = readonly [At, Count | undefined]

/** The same thing may be said in several places; not different things. */
function one(read: (at: At, value: Count | undefined) => number | undefined, ...given: readonly Given[]) {
  const [first, ...others] = given.flatMap(([at, value]) => {
    const amount = read(at, value)
    return amount === undefined ? [] : [{ at, amount }]
  })
  for (const { at, amount } of others) {
    if (amount !== first!.amount) fault(at, `is not what ${pathText(first!.at.path)} says`)
  }
  return first?.amount
}

function toMilliCpus(at: At, value: Count | undefined): number | undefined {
  const cpus = number(at, value)
  return cpus ? attempt(at, () => milliCpus(cpus)) : undefined
}

/** -1 is no limit, too. */
function toPids(at: At, value: Count | undefined): number | undefined {
  const pids = integer(at, value, -1, MAX_PIDS)
  return pids !== undefined && pids > 0 ? pids : undefined
}

/** The kernel's own words for CPUs: so many microseconds in each period of so many. */
function quotaCpus(service: ComposeService, at: At): number | undefined {
  const quota = integer(below(at, 'cpu_quota'), service.cpu_quota, -1, 1_000_000_000)
  const period = integer(below(at, 'cpu_period'), service.cpu_period, 0, 1_000_000)
  return quota !== undefined && quota > 0 ? quota / (period || 100_000) : undefined
}
