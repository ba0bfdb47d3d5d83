import type { Container } from './container.ts'
import type { Image } from './image.ts'
import type { ObjectMeta } from './meta.ts'

/** Something that happened; written in the transaction of what it tells, if that is in the store. */
export interface Event {
  /** Strictly rising. */
  readonly sequence: number
  /** ns since the epoch. */
  readonly timeNs: bigint
  readonly kind: string
  readonly action: string
  readonly uid: string
  readonly name: string
  readonly attributes: Attributes
  /** Who asked for it, as the audit log names them; absent where nobody did. */
  readonly actor?: Readonly<Record<string, unknown>>
}

export type Attributes = Readonly<Record<string, string>>
export type NewEvent = Omit<Event, 'sequence' | 'timeNs' | 'actor'>

/** What happened to an object: `tx.event(eventOf('Volume', volume, 'create', { driver: 'local' }))`. Its labels go with it. */
export function eventOf(
  kind: string,
  { metadata }: { readonly metadata: ObjectMeta },
  action: string,
  attributes: Attributes = {},
): NewEvent {
  const { uid, name, labels } = metadata
  return { kind, action, uid, name, attributes: { ...boundedLabels(labels), ...attributes } }
}

/** What happened to a container, with its image. */
export function containerEvent(container: Container, action: string, attributes: Attributes = {}): NewEvent {
  return eventOf('Container', container, action, { image: container.spec.image, ...attributes })
}

/** Of labels, which an image's author may choose, what an event carries: thousands of events are kept. */
const MAX_LABEL_CHARACTERS = 4096

function boundedLabels(labels: ObjectMeta['labels']): Attributes {
  let left = MAX_LABEL_CHARACTERS
  const kept = Object.entries(labels).filter(([key, value]) => {
    left -= key.length + value.length
    return left >= 0
  })
  return Object.fromEntries(kept)
}

/** What a prune of that kind has given back. */
export function pruneEvent(kind: string, { reclaimedBytes }: { readonly reclaimedBytes: number }): NewEvent {
  return { kind, action: 'prune', uid: '', name: '', attributes: { reclaimed: String(reclaimedBytes) } }
}

/** What happened to an image, with its id and the labels of its config. */
export function imageEvent({ metadata, spec }: Image, action: string): NewEvent {
  const labelled = { metadata: { ...metadata, labels: spec.imageConfig.labels } }
  return eventOf('Image', labelled, action, { imageId: spec.config.digest })
}
