import type { Bottle } from '../model/bottle.ts'
import { BOTTLE_LABELS } from '../model/bottle-labels.ts'
import type { Container } from '../model/container.ts'
import type { ReadTx } from '../store/index.ts'
import type { Member } from './types.ts'

/** In the order of services and numbers. */
export function membersOf(tx: ReadTx, { metadata }: Pick<Bottle, 'metadata'>): Member[] {
  return tx
    .list('Container', { ownerUid: metadata.uid })
    .map(memberOf)
    .toSorted((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : a.number - b.number))
}

function memberOf(container: Container): Member {
  const { labels } = container.metadata
  const number = Number(labels[BOTTLE_LABELS.number])
  return { service: labels[BOTTLE_LABELS.service] ?? '', number, container }
}

/** Of one service. */
export function replicasOf(members: readonly Member[], service: string): Member[] {
  return members.filter((member) => member.service === service)
}
