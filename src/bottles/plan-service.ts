import type { Bottle } from '../model/bottle.ts'
import { BOTTLE_LABELS } from '../model/bottle-labels.ts'
import { containerState } from '../model/container.ts'
import { configHash } from './member-request.ts'
import type { Member } from './types.ts'

/** What is to become of the containers of a service. */
export interface ServicePlan {
  /** As they should be. */
  readonly keep: readonly Member[]
  /** Numbers of those that are missing. */
  readonly create: readonly number[]
  readonly replace: readonly Member[]
  readonly remove: readonly Member[]
}

interface Wanted {
  /** Of the image that its name stands for now. */
  readonly imageId: string
  /** Though nothing has changed. */
  readonly recreate: boolean
}

/** Pure. @param members of the service, in any order */
export function planService(
  bottle: Pick<Bottle, 'metadata' | 'spec'>,
  service: string,
  members: readonly Member[],
  { imageId, recreate }: Wanted,
): ServicePlan {
  const { replicas } = bottle.spec.services[service]!
  const hash = configHash(bottle, service)
  const isCurrent = ({ container }: Member) =>
    !recreate && container.spec.imageId === imageId && container.metadata.labels[BOTTLE_LABELS.configHash] === hash
  const wanted = [...members].toSorted(byWorth(isCurrent)).slice(0, replicas)
  const taken = new Set(wanted.map(({ number }) => number))
  const free = Array.from({ length: replicas + members.length }, (_, index) => index + 1).filter((n) => !taken.has(n))
  return {
    keep: wanted.filter(isCurrent),
    create: free.slice(0, replicas - wanted.length),
    replace: wanted.filter((member) => !isCurrent(member)),
    remove: members.filter((member) => !wanted.includes(member)),
  }
}

/** Those that are as they should be stay before others, what runs before what does not, and then by their numbers. */
function byWorth(isCurrent: (member: Member) => boolean) {
  const worth = (member: Member) =>
    (isCurrent(member) ? 0 : 2) + (containerState(member.container.status) === 'running' ? 0 : 1)
  return (a: Member, b: Member) => worth(a) - worth(b) || a.number - b.number
}
