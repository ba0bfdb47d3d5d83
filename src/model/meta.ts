/** Who an object belongs to; immutable. Names are unique within a namespace, and each front end lists its own by default. */
export interface Owner {
  readonly frontEnd: 'raind' | 'kubernetes' | 'docker' | 'cri' | 'condenser'
  readonly kind: string
  readonly uid: string
}

export type Labels = Readonly<Record<string, string>>

/** Kubernetes' ObjectMeta, as far as it is used. Times are ms since the epoch. */
export interface ObjectMeta {
  readonly namespace: string
  readonly name: string
  /** Unique for ever within its kind. Containers: 64 hex digits. */
  readonly uid: string
  /** The revision of the last write, from the store. */
  readonly resourceVersion: number
  /** Counts the changes of `spec`, from 1. */
  readonly generation: number
  readonly labels: Labels
  readonly annotations: Labels
  readonly owner?: Owner
  readonly createdAt: number
  /** Set when the object is on its way out. */
  readonly deletedAt?: number
}

export interface StoredObject<Spec, Status> {
  readonly metadata: ObjectMeta
  readonly spec: Spec
  readonly status: Status
}

export const DEFAULT_NAMESPACE = 'default'
